//! The lines of a FlexNet debug log in the words of lmgrd and its vendor daemons, a file a month.

use super::catalog::{FEATURES, Server};
use super::clock::WallClock;
use super::{Page, us_date};
use std::fmt::Arguments;
use std::io::Write;

/// The machine that a license server runs on.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) server: Server,
    /// Its host name, and the port of its lmgrd.
    pub(super) name: &'static str,
    pub(super) port: u32,
    platform: &'static str,
    build: &'static str,
    pub(super) license_file: &'static str,
    /// The vendor daemons and their ports.
    pub(super) daemons: &'static [(&'static str, u32)],
    /// What it calls winter and summer time.
    zones: [&'static str; 2],
}

impl Machine {
    /// `27000@lic1`
    pub(super) fn address(&self) -> String {
        format!("{}@{}", self.port, self.name)
    }
}

/// The two license servers.
pub(super) const MACHINES: [Machine; 2] = [
    Machine {
        server: Server::Lic1,
        name: "lic1",
        port: 27_000,
        platform: "IBM PC",
        build: "x64_n6",
        license_file: "C:\\Autodesk\\Network License Manager\\lic1.lic",
        daemons: &[("adskflex", 2_080)],
        zones: ["W. Europe Standard Time", "W. Europe Daylight Time"],
    },
    Machine {
        server: Server::Lic2,
        name: "lic2",
        port: 1_055,
        platform: "linux",
        build: "x64_lsb",
        license_file: "/opt/flexnet/license.dat",
        daemons: &[("ansyslmd", 37_560), ("MLM", 37_561)],
        zones: ["CET", "CEST"],
    },
];

const RULE: &str = "===============================================";

const NOTICE: [&str; 20] = [
    "-----------------------------------------------",
    "  Please Note:",
    "",
    "  This log is intended for debug purposes only.",
    "  In order to capture accurate license",
    "  usage data into an organized repository,",
    "  please enable report logging. Use Flexera's",
    "  software license administration  solution,",
    "  FlexNet Manager, to  readily gain visibility",
    "  into license usage data and to create",
    "  insightful reports on critical information like",
    "  license availability and usage. FlexNet Manager",
    "  can be fully automated to run these reports on",
    "  schedule and can be used to track license",
    "  servers and usage across a heterogeneous",
    "  network of servers including Windows NT, Linux",
    "  and UNIX.",
    "",
    "-----------------------------------------------",
    "",
];

/// The log of one machine.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) machine: &'static Machine,
    clock: WallClock,
    /// One file a month; the last is the one written to.
    pub(super) pages: Vec<Page>,
    month: i8,
    pid: u32,
}

impl Log {
    pub(super) fn new(machine: &'static Machine, clock: WallClock) -> Self {
        Self { machine, clock, pages: Vec::new(), month: 0, pid: 1_004 }
    }

    /// One line; the first of a month begins a new file, with the date, as after `lmswitch`.
    pub(super) fn line(&mut self, at: i64, daemon: &str, message: Arguments<'_>) {
        if self.turn_page(at) {
            self.timestamp(at);
        }
        let now = self.clock.at(at);
        let text = &mut self.pages.last_mut().expect("a page was turned to").text;
        // Writing to a Vec cannot fail.
        let _ =
            writeln!(text, "{:2}:{:02}:{:02} ({daemon}) {message}", now.hour(), now.minute(), now.second());
    }

    /// Whether that began a new file.
    fn turn_page(&mut self, at: i64) -> bool {
        let day = self.clock.at(at).date();
        let turned = day.month() != self.month;
        if turned {
            self.month = day.month();
            let name = format!("flexnet/{}/debug-{}.log", self.machine.name, day.strftime("%Y-%m"));
            self.pages.push(Page { name, text: Vec::new() });
        }
        turned
    }

    /// The date that lmgrd prints now and then.
    pub(super) fn timestamp(&mut self, at: i64) {
        let day = self.clock.at(at).date();
        self.line(at, "lmgrd", format_args!("TIMESTAMP {}", us_date(day)));
    }

    /// `Thu May 05 2022 12:42:25 CEST`
    fn long_date(&mut self, at: i64) -> String {
        let summer = self.clock.seconds_east(at) == 7_200;
        let zone = self.machine.zones[usize::from(summer)];
        format!("{} {zone}", self.clock.at(at).strftime("%a %b %d %Y %H:%M:%S"))
    }

    /// A license server starts, and its daemons.
    pub(super) fn start(&mut self, at: i64) {
        self.turn_page(at); // this file begins with the notice
        let Machine { name, port, platform, build, license_file, daemons, .. } = self.machine;
        let (now, date) = (self.long_date(at), us_date(self.clock.at(at).date()));
        self.pid += 411;
        let pid = self.pid;
        let mut say = |message: Arguments<'_>| self.line(at, "lmgrd", message);
        for notice in NOTICE {
            say(format_args!("{notice}"));
        }
        say(format_args!("Server's System Date and Time: {now}"));
        say(format_args!("pid {pid}"));
        say(format_args!("SLOG: Summary LOG statistics is enabled."));
        say(format_args!("Done rereading"));
        say(format_args!(
            "FlexNet Licensing (v11.19.6.0 build 293152 {build}) started on {name} ({platform}) ({date})"
        ));
        say(format_args!("Copyright (c) 1988-2023 Flexera. All Rights Reserved."));
        say(format_args!("World Wide Web:  http://www.flexera.com"));
        say(format_args!("License file(s): {license_file}"));
        say(format_args!("lmgrd tcp-port {port}"));
        say(format_args!("(@lmgrd-SLOG@) {RULE}"));
        say(format_args!("(@lmgrd-SLOG@) === LMGRD ==="));
        say(format_args!("(@lmgrd-SLOG@) Start-Date: {now}"));
        say(format_args!("(@lmgrd-SLOG@) PID: {pid}"));
        say(format_args!("(@lmgrd-SLOG@) {RULE}"));
        say(format_args!("Starting vendor daemons ... "));
        for (nth, (daemon, port)) in daemons.iter().enumerate() {
            self.start_daemon(at, daemon, *port, pid + 11 * (nth as u32 + 1));
        }
    }

    fn start_daemon(&mut self, at: i64, daemon: &str, port: u32, pid: u32) {
        let Machine { name, build, .. } = self.machine;
        self.line(at, "lmgrd", format_args!("Started {daemon} (internet tcp_port {port} pid {pid})"));
        self.line(at + 1, daemon, format_args!("FlexNet Licensing version v11.19.6.0 build 293152 {build}"));
        self.line(at + 1, daemon, format_args!("SLOG: Summary LOG statistics is enabled."));
        self.line(at + 2, daemon, format_args!("Server started on {name} for:\t"));
        for feature in FEATURES.iter().filter(|feature| feature.daemon == daemon && feature.package.is_none())
        {
            let components = FEATURES.iter().filter(|other| other.package == Some(feature.code));
            let components: Vec<&str> = components.map(|component| component.code).collect();
            if components.is_empty() {
                self.line(at + 2, daemon, format_args!("{}\t", feature.code));
            } else {
                let (code, components) = (feature.code, components.join(" "));
                self.line(at + 2, daemon, format_args!("{code} (consisting of:\t\t{components}) "));
            }
        }
        self.line(at + 2, daemon, format_args!("EXTERNAL FILTERS are OFF"));
        self.line(at + 2, "lmgrd", format_args!("{daemon} using TCP-port {port}"));
        let (now, tag) = (self.long_date(at + 2), format!("(@{daemon}-SLOG@)"));
        self.line(at + 2, daemon, format_args!("SLOG: Statistics Log Frequency is 240 minute(s)."));
        self.line(at + 2, daemon, format_args!("{tag} {RULE}"));
        self.line(at + 2, daemon, format_args!("{tag} === Vendor Daemon ==="));
        self.line(at + 2, daemon, format_args!("{tag} Vendor daemon: {daemon}"));
        self.line(at + 2, daemon, format_args!("{tag} Start-Date: {now}"));
        self.line(at + 2, daemon, format_args!("{tag} PID: {pid}"));
        self.line(at + 2, daemon, format_args!("{tag} {RULE}"));
    }

    /// Somebody stops the license server in an orderly way: the lines before those of its sessions.
    pub(super) fn shutdown_requested(&mut self, at: i64) {
        let name = self.machine.name;
        self.line(at, "lmgrd", format_args!("Shutdown requested from root@{name} IP=127.0.0.1 "));
        self.line(at, "lmgrd", format_args!("lmgrd will now shut down all the vendor daemons"));
        for (nth, (daemon, _)) in self.machine.daemons.iter().enumerate() {
            let pid = self.pid + 11 * (nth as u32 + 1);
            self.line(at, "lmgrd", format_args!("Shutting down {daemon} pid={pid} because of signal 15"));
            self.line(at, daemon, format_args!("daemon shutdown requested - shutting down"));
        }
    }

    /// The lines after those of its sessions.
    pub(super) fn exited(&mut self, at: i64) {
        for (daemon, _) in self.machine.daemons {
            self.line(at, daemon, format_args!("EXITING DUE TO SIGNAL 15"));
            self.line(
                at,
                "lmgrd",
                format_args!("{daemon} exited with status 46 (lmgrd requested vendor daemon down)"),
            );
        }
        self.line(at + 1, "lmgrd", format_args!("EXITING DUE TO SIGNAL 15"));
    }

    /// A daemon's statistics, every four hours; `clients` are some of its `user@host`.
    pub(super) fn statistics(&mut self, at: i64, daemon: &str, clients: &[&str], open: usize) {
        let (now, tag) = (self.long_date(at), format!("(@{daemon}-SLOG@)"));
        let mut say = |message: Arguments<'_>| self.line(at, daemon, format_args!("{tag} {message}"));
        say(format_args!("{RULE}"));
        say(format_args!("=== Last 10 Client Requests Processing Time (in ms) ==="));
        say(format_args!("Time: {now}"));
        say(format_args!(
            "Request processing time, when, #concurrent clients, (private bytes (in KB)), client info (user, node, FD)"
        ));
        for (nth, client) in clients.iter().enumerate() {
            let client = client.replace('@', ",");
            say(format_args!(
                "{:08} ms at {now},#{open},({}K),({client},{})",
                nth * 5 % 16,
                5_196 + nth * 4,
                40 + nth
            ));
        }
        say(format_args!(""));
        say(format_args!("=== Active Connections Info ==="));
        say(format_args!("Peak active connections #{open} attempted at {now}"));
        say(format_args!(""));
        say(format_args!("{RULE}"));
    }
}
