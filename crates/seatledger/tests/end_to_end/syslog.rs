//! Syslog messages: what the real `logger` and a real rsyslogd send, and bursts.

use crate::desk::Desk;
use crate::listening::Service;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(1);

/// A port that nobody listens on, over UDP and TCP.
fn free_port() -> u16 {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A service that listens for syslog, and its port.
fn listening(desk: &Desk) -> (Service, u16) {
    let port = free_port();
    let source = format!(
        "timezone = \"UTC\"\n[[source]]\nname = \"scripts\"\nkind = \"syslog\"\n\
         listen = [\"udp://127.0.0.1:{port}\", \"tcp://127.0.0.1:{port}\"]\n"
    );
    desk.write("seatledger.toml", source);
    let service = Service::start(desk);
    until("the source", || figure(&service, "source_up") == Some(1));
    (service, port)
}

fn figure(service: &Service, name: &str) -> Option<u64> {
    let text = service.get("/metrics").body;
    let start = format!("seatledger_{name}");
    let line = text.lines().find(|line| line.starts_with(&start) && line.contains("\"scripts\""));
    line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok())
}

fn lines(service: &Service, outcome: &str) -> u64 {
    let text = service.get("/metrics").body;
    let outcome = format!("outcome=\"{outcome}\"");
    let line = text.lines().find(|line| {
        line.starts_with("seatledger_source_lines") && line.contains("\"scripts\"") && line.contains(&outcome)
    });
    line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok()).unwrap_or(0)
}

/// Asks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < STUCK, "{what} does not come");
        std::thread::yield_now();
    }
}

/// Feature, user and how it ended of all sessions.
fn sessions(desk: &Desk) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(&desk.ok(&["sessions", "--format", "json"])).unwrap();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| [text(row, "feature"), text(row, "user"), text(row, "ended")].join(" ")).collect()
}

/// Today's record at a time of the day.
fn record(app: &str, verb: &str, time: &str, pid: u32) -> String {
    format!("{app} {verb} 20251120-{time} fiore PID: {pid}")
}

fn logger(arguments: &[&str], message: &str) {
    let done = Command::new("logger").args(arguments).args(["-t", "LIC_ACC", message]).status().unwrap();
    assert!(done.success(), "{arguments:?}");
}

#[test]
fn what_logger_sends_in_all_its_ways_is_taken_in() {
    let desk = Desk::new();
    let (service, port) = listening(&desk);
    let port = port.to_string();
    let ways: [&[&str]; 6] = [
        &["--udp"],
        &["--udp", "--rfc3164"],
        &["--udp", "--rfc5424=notime"],
        &["--tcp"],
        &["--tcp", "--octet-count"],
        &["--tcp", "--rfc3164", "--octet-count"],
    ];
    for (pid, way) in (100..).zip(ways) {
        let to = [&["-n", "127.0.0.1", "-P", &port], way].concat();
        logger(&to, &record("app1", "START", "0747", pid));
        logger(&to, &record("app1", "STOP", "0811", pid));
    }
    until("all", || lines(&service, "event") == 12);
    assert_eq!(sessions(&desk), ["app1 fiore checkin"; 6]);
    assert_eq!(lines(&service, "unrecognized"), 0);
    desk.ok(&["verify"]);
}

/// A process that is killed when the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn rsyslogd(desk: &Desk, forwards: &str) -> Killed {
    let folder = desk.path("");
    let folder = folder.display();
    desk.write(
        "rsyslog.conf",
        format!(
            "global(workDirectory=\"{folder}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"{folder}/log\" RateLimit.Interval=\"0\" CreatePath=\"off\")\n{forwards}\n"
        ),
    );
    let (conf, pid) = (desk.path("rsyslog.conf"), desk.path("rsyslog.pid"));
    let path = |path: &Path| path.display().to_string();
    let program = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd", "/usr/bin/rsyslogd"];
    let program = program.into_iter().find(|path| Path::new(path).exists());
    let program = program.expect("there is no rsyslogd: scripts/test installs it");
    let mut command = Command::new(program);
    command.args(["-n", "-f", &path(&conf), "-i", &path(&pid)]).stdout(Stdio::null()).stderr(Stdio::null());
    let killed = Killed(command.spawn().unwrap());
    until("rsyslogd", || desk.path("log").exists());
    killed
}

#[test]
fn what_rsyslogd_forwards_is_taken_in() {
    for (target, template) in [
        ("udp", "RSYSLOG_ForwardFormat"),
        ("tcp", "RSYSLOG_TraditionalForwardFormat"),
        ("tcp", "RSYSLOG_SyslogProtocol23Format"),
    ] {
        let desk = Desk::new();
        let (service, port) = listening(&desk);
        let framing = if template.ends_with("23Format") { " TCP_Framing=\"octet-counted\"" } else { "" };
        let _rsyslogd = rsyslogd(
            &desk,
            &format!(
                "action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"{target}\" template=\"{template}\"{framing})"
            ),
        );
        let socket = desk.path("log").display().to_string();
        logger(&["-u", &socket], &record("app1", "START", "0747", 599));
        logger(&["-u", &socket], &record("app1", "STOP", "0811", 599));
        logger(&["-u", &socket], &record("my app", "START", "0900", 600));
        until("all", || lines(&service, "event") == 3);
        let mut seen = sessions(&desk);
        seen.sort();
        assert_eq!(seen, ["app1 fiore checkin", "my app fiore open"], "{template}");
    }
}

#[test]
fn of_a_burst_all_is_stored_that_the_kernel_did_not_drop() {
    let desk = Desk::new();
    let (service, port) = listening(&desk);
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut message = String::new();
    for nth in 0..50_000_u32 {
        message.clear();
        let verb = if nth.is_multiple_of(2) { "START" } else { "STOP" };
        let time = 60 * (8 + nth / 12_000) + nth / 1000;
        let stamp = format!("{:02}{:02}", time / 60, time % 60);
        write!(
            message,
            "<13>Nov 20 08:00:00 ws-{} LIC_ACC: {}",
            nth % 7,
            record("burst", verb, &stamp, 1 + nth / 2)
        )
        .unwrap();
        from.send_to(message.as_bytes(), ("127.0.0.1", port)).unwrap();
    }
    let seen = || {
        lines(&service, "event")
            + lines(&service, "unrecognized")
            + figure(&service, "source_dropped").unwrap_or(0)
    };
    until("all", || seen() == 50_000);
    assert_eq!(lines(&service, "unrecognized"), 0);
    desk.ok(&["verify"]);
    let stored = sessions(&desk).len() as u64;
    assert!(stored <= 50_000 && stored * 2 + 2 >= lines(&service, "event"), "{stored}");
}

#[test]
fn a_message_without_host_or_time_is_the_senders() {
    let desk = Desk::new();
    let (service, port) = listening(&desk);
    let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    writeln!(tcp, "<13>LIC_ACC: {}", record("app1", "START", "0747", 1)).unwrap();
    writeln!(tcp, "<13>Nov 20 07:47:40 LIC_ACC: {}", record("app1", "START", "0747", 2)).unwrap();
    writeln!(tcp, "<86>Nov 20 07:47:40 ws-1 sshd[71]: session opened").unwrap();
    writeln!(tcp, "no message at all").unwrap();
    write!(
        tcp,
        "<13>Nov 20 07:47:40 ws-1 LIC_ACC: {}",
        record("app1", "START", "2099", 3).replace("2025", "2125")
    )
    .unwrap();
    drop(tcp);
    until("all", || lines(&service, "unrecognized") == 2);
    assert_eq!((lines(&service, "event"), lines(&service, "noise")), (2, 1));
    let hosts = desk.ok(&["report", "usage", "--by", "host", "--format", "csv"]);
    assert!(hosts.contains("127.0.0.1"), "{hosts}");
    drop(service);
    // Another process goes on where this one stood.
    let (service, port) = listening(&desk);
    let from = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stop = format!("<13>Nov 20 07:59:40 LIC_ACC: {}\n\0", record("app1", "STOP", "0759", 2));
    from.send_to(stop.as_bytes(), ("127.0.0.1", port)).unwrap();
    until("the end", || lines(&service, "event") == 1);
    assert_eq!(sessions(&desk).iter().filter(|row| row.ends_with("checkin")).count(), 1);
    desk.ok(&["verify"]);
}
