//! A FlexNet debug log, made up line by line from a number.

use jiff::civil::{Date, DateTime, date};
use std::fmt::Write;

/// A log to make up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) days: i32,
    /// Checkouts, checkins and denials of a day, about.
    pub(crate) events_a_day: u32,
    /// Whether daemons and servers stop, crash and start again.
    pub(crate) restarts: bool,
}

/// The first day of every log.
pub(crate) const FIRST_DAY: Date = date(2025, 3, 3);

const DAEMONS: [(&str, &[&str]); 3] =
    [("acmed", &["solver", "mesher", "viewer"]), ("toolsd", &["cad", "cam"]), ("zd", &["solver_z"])];
const USERS: [&str; 7] = ["amara", "bela", "chidi", "dana", "eero", "fatou", "gus"];
const DAY: i64 = 86_400;

struct Held {
    daemon: usize,
    text: String,
}

struct Writer {
    random: u64,
    now: i64,
    text: String,
    held: Vec<Held>,
    restarts: bool,
    next_timestamp: i64,
}

/// The log as text.
pub(crate) fn log(shape: Shape) -> String {
    let mut writer = Writer {
        random: shape.seed ^ 0x9e37_79b9_7f4a_7c15,
        now: 7 * 3600,
        text: String::new(),
        held: Vec::new(),
        restarts: shape.restarts,
        next_timestamp: 0,
    };
    writer.start_server();
    let end = i64::from(shape.days) * DAY;
    let pause = (DAY / i64::from(shape.events_a_day)).max(1);
    while writer.now < end {
        writer.something();
        writer.later(pause);
    }
    writer.text
}

/// The same log cut into one file a month, named by the month; each begins with a dated line.
pub(crate) fn by_month(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for (line, day) in with_days(text) {
        let name = day.strftime("debug-%Y-%m.log").to_string();
        if files.last().is_none_or(|(last, _)| *last != name) {
            files.push((name, if files.is_empty() { String::new() } else { timestamp(line, day) }));
        }
        let _ = writeln!(files.last_mut().unwrap().1, "{line}");
    }
    files
}

/// The log from a line on, with the date before it.
pub(crate) fn from_line(text: &str, first: usize) -> String {
    let mut lines = with_days(text).skip(first).peekable();
    let (line, day) = *lines.peek().unwrap();
    lines.fold(timestamp(line, day), |text, (line, _)| text + line + "\n")
}

fn timestamp(line: &str, day: Date) -> String {
    format!("{} (lmgrd) TIMESTAMP {}\n", &line[..8], slashed(day))
}

fn with_days(text: &str) -> impl Iterator<Item = (&str, Date)> {
    let (mut day, mut last) = (FIRST_DAY, 0);
    text.lines().map(move |line| {
        let second = second_of(line);
        if second < last {
            day = day.tomorrow().unwrap();
        }
        last = second;
        (line, day)
    })
}

fn second_of(line: &str) -> i64 {
    let number = |range| line.get(range).and_then(|text: &str| text.trim().parse::<i64>().ok()).unwrap();
    number(0..2) * 3600 + number(3..5) * 60 + number(6..8)
}

fn slashed(day: Date) -> String {
    format!("{}/{}/{}", day.month(), day.day(), day.year())
}

impl Writer {
    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.random(100) < percent
    }

    fn civil(&self) -> DateTime {
        let midnight = FIRST_DAY.to_datetime(jiff::civil::Time::midnight());
        midnight.checked_add(jiff::Span::new().seconds(self.now)).unwrap()
    }

    fn say(&mut self, daemon: &str, message: &str) {
        let now = self.civil();
        let (hour, minute, second) = (now.hour(), now.minute(), now.second());
        let _ = writeln!(self.text, "{hour:2}:{minute:02}:{second:02} ({daemon}) {message}");
    }

    /// Time passes, now and then none at all; lmgrd prints the date every six hours.
    fn later(&mut self, pause: i64) {
        let until = self.now + self.random(2 * pause as u64) as i64;
        while self.next_timestamp <= until {
            self.now = self.now.max(self.next_timestamp);
            let day = slashed(self.civil().date());
            self.say("lmgrd", &format!("TIMESTAMP {day}"));
            self.next_timestamp += DAY / 4;
        }
        self.now = until;
    }

    fn something(&mut self) {
        match self.random(1000) {
            0..=4 if self.restarts => self.restart_server(),
            5..=12 if self.restarts => self.restart_daemon(),
            13..=60 => self.refuse(),
            61..=540 => self.check_out(),
            _ => self.check_in(),
        }
    }

    fn start_server(&mut self) {
        let now = self.civil();
        let rule = "-----------------------------------------------";
        let lines = [
            rule.to_owned(),
            "  Please Note:".to_owned(),
            String::new(),
            "  This log is intended for debug purposes only.".to_owned(),
            rule.to_owned(),
            String::new(),
            format!("Server's System Date and Time: {} UTC", now.strftime("%a %b %d %Y %H:%M:%S")),
            "pid 411".to_owned(),
            format!(
                "FlexNet Licensing (v11.19.5.0 build 285457 x64_lsb) started on lic1 (linux) ({})",
                slashed(now.date())
            ),
            "License file(s): /opt/lic/all.lic".to_owned(),
            "lmgrd tcp-port 27000".to_owned(),
            "Starting vendor daemons ... ".to_owned(),
        ];
        for line in &lines {
            self.say("lmgrd", line);
        }
        for daemon in 0..DAEMONS.len() {
            self.start_daemon(daemon);
        }
        self.next_timestamp = self.next_timestamp.max((self.now / (DAY / 4) + 1) * (DAY / 4));
    }

    fn start_daemon(&mut self, daemon: usize) {
        let (name, features) = DAEMONS[daemon];
        self.say("lmgrd", &format!("Started {name} (internet tcp_port 4011{daemon} pid 41{daemon})"));
        self.say(name, "FlexNet Licensing version v11.19.5.0 build 285457 x64_lsb");
        self.say(name, &format!("Server started on lic1 for:\t{}\t\t", features[0]));
        for feature in &features[1..] {
            self.say(name, &format!("{feature}\t"));
        }
        self.say(name, "EXTERNAL FILTERS are OFF");
    }

    /// Orderly, or as after a crash.
    fn restart_server(&mut self) {
        if self.chance(50) {
            self.say("lmgrd", "Shutdown requested from root@lic1 IP=127.0.0.1 ");
            for daemon in 0..DAEMONS.len() {
                self.stop_daemon(daemon);
            }
            self.now += 1;
            self.say("lmgrd", "EXITING DUE TO SIGNAL 15");
        }
        self.held.clear();
        self.now += 60 + self.random(7200) as i64;
        self.start_server();
    }

    fn restart_daemon(&mut self) {
        let daemon = self.random(DAEMONS.len() as u64) as usize;
        self.stop_daemon(daemon);
        self.now += 5;
        self.start_daemon(daemon);
    }

    fn stop_daemon(&mut self, daemon: usize) {
        let name = DAEMONS[daemon].0;
        let (ends, stay) = std::mem::take(&mut self.held).into_iter().partition(|held| held.daemon == daemon);
        self.held = stay;
        let ends: Vec<Held> = ends;
        for held in ends {
            self.say(name, &format!("IN: {} (SHUTDOWN)", held.text));
        }
        self.say(name, "EXITING DUE TO SIGNAL 15 Exit reason 1");
        self.say("lmgrd", &format!("{name} exited with status 46 (lmgrd requested vendor daemon down)"));
    }

    fn claim(&mut self) -> (usize, String) {
        let daemon = self.random(DAEMONS.len() as u64) as usize;
        let features = DAEMONS[daemon].1;
        let feature = features[self.random(features.len() as u64) as usize];
        let user = USERS[self.random(USERS.len() as u64) as usize];
        let host = self.random(3);
        let data = if self.chance(10) { format!(" [job-{}]", self.random(3)) } else { String::new() };
        let seats = match self.random(10) {
            0 => format!(" ({} licenses)", 2 + self.random(4)),
            _ => String::new(),
        };
        (daemon, format!("\"{feature}\" {user}@ws-{host:02} {data}{seats}"))
    }

    fn check_out(&mut self) {
        let (daemon, text) = self.claim();
        self.say(DAEMONS[daemon].0, &format!("OUT: {text}"));
        self.held.push(Held { daemon, text });
    }

    fn check_in(&mut self) {
        if self.held.is_empty() {
            return self.check_out();
        }
        let at = self.random(self.held.len() as u64) as usize;
        let held = self.held.remove(at);
        let inactive = if self.chance(3) { " (INACTIVE)" } else { "" };
        self.say(DAEMONS[held.daemon].0, &format!("IN: {}{inactive}", held.text));
    }

    fn refuse(&mut self) {
        let (daemon, text) = self.claim();
        let text =
            text.split(" [").next().unwrap_or_default().split(" (").next().unwrap_or_default().trim_end();
        let reason =
            ["(Licensed number of users already reached. (-4,342))", "(No such feature exists. (-5,346))"];
        let reason = reason[self.random(2) as usize];
        self.say(DAEMONS[daemon].0, &format!("DENIED: {text}  {reason}"));
    }
}
