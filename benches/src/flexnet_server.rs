//! The lines of a FlexNet debug log, as lmgrd and a vendor daemon print them.

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use std::io::{self, Write};

/// The vendor daemon of the generated logs.
pub const DAEMON: &str = "ansyslmd";
const HOST: &str = "lic1.bench.example";

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

/// Writes lines and counts them. Instants are seconds since midnight of the first day, in UTC.
#[derive(Debug)]
pub struct Log<'a, W: Write> {
    out: &'a mut W,
    from: Date,
    line: Vec<u8>,
    /// Bytes written so far.
    pub bytes: u64,
    /// Lines written so far.
    pub lines: u64,
}

impl<'a, W: Write> Log<'a, W> {
    /// A log that begins on this day.
    pub fn new(out: &'a mut W, from: Date) -> Self {
        Self { out, from, line: Vec::with_capacity(256), bytes: 0, lines: 0 }
    }

    /// One line: the time, blank-padded, the daemon, the pieces of the message.
    pub fn line(&mut self, at: u64, daemon: &str, message: &[&str]) -> io::Result<()> {
        let (hour, minute, second) = ((at / 3600 % 24) as u8, (at / 60 % 60) as u8, (at % 60) as u8);
        let digit = |n: u8| b'0' + n % 10;
        let tens = if hour < 10 { b' ' } else { digit(hour / 10) };
        self.line.clear();
        self.line.extend([tens, digit(hour), b':', digit(minute / 10), digit(minute), b':']);
        self.line.extend([digit(second / 10), digit(second), b' ', b'(']);
        self.line.extend(daemon.bytes());
        self.line.extend(b") ");
        for piece in message {
            self.line.extend(piece.bytes());
        }
        self.line.push(b'\n');
        self.bytes += self.line.len() as u64;
        self.lines += 1;
        self.out.write_all(&self.line)
    }

    /// The day on which an instant falls.
    fn day(&self, at: u64) -> Date {
        self.from.saturating_add(((at / 86_400) as i64).days())
    }

    fn us_date(&self, at: u64) -> String {
        let day = self.day(at);
        format!("{}/{}/{}", day.month(), day.day(), day.year())
    }

    fn long_date(&self, at: u64) -> String {
        let time = Time::midnight().saturating_add(((at % 86_400) as i64).seconds());
        self.day(at).to_datetime(time).strftime("%a %b %d %Y %H:%M:%S UTC").to_string()
    }

    /// What a license server says when it starts: the notice, its name and port, its daemon and what this serves.
    pub fn start(&mut self, at: u64, features: &[String]) -> io::Result<()> {
        for notice in NOTICE {
            self.line(at, "lmgrd", &[notice])?;
        }
        let (date, now) = (self.us_date(at), self.long_date(at));
        self.line(at, "lmgrd", &["Server's System Date and Time: ", &now])?;
        self.line(at, "lmgrd", &["SLOG: Summary LOG statistics is enabled."])?;
        let version = "FlexNet Licensing (v11.19.6.0 build 293152 x64_lsb) started on ";
        self.line(at, "lmgrd", &[version, HOST, " (linux) (", &date, ")"])?;
        self.line(at, "lmgrd", &["License file(s): license.dat"])?;
        self.line(at, "lmgrd", &["lmgrd tcp-port 1055"])?;
        self.line(at, "lmgrd", &["Starting vendor daemons ... "])?;
        self.line(at, "lmgrd", &["Started ", DAEMON, " (internet tcp_port 37560 pid 1085)"])?;
        self.line(at + 1, DAEMON, &["FlexNet Licensing version v11.19.6.0 build 293152 x64_lsb"])?;
        self.line(at + 2, DAEMON, &["Server started on ", HOST, " for:\t", &features[0], "\t"])?;
        for three in features[1..].chunks(3) {
            self.line(at + 2, DAEMON, &[&three.join("\t"), "\t"])?;
        }
        self.line(at + 2, DAEMON, &["EXTERNAL FILTERS are OFF"])?;
        self.line(at + 2, "lmgrd", &[DAEMON, " using TCP-port 37560"])
    }

    /// The date that lmgrd prints every six hours.
    pub fn timestamp(&mut self, at: u64) -> io::Result<()> {
        let date = self.us_date(at);
        self.line(at, "lmgrd", &["TIMESTAMP ", &date])
    }

    /// The block of statistics that a daemon prints every four hours.
    pub fn statistics(&mut self, at: u64, open: usize) -> io::Result<()> {
        let (now, tag) = (self.long_date(at), format!("(@{DAEMON}-SLOG@) "));
        let mut say = |text: &str| self.line(at, DAEMON, &[&tag, text]);
        for title in ["Last 10 Client Requests", "Top 10 Peak Client Requests"] {
            say("===============================================")?;
            say(&format!("=== {title} Processing Time (in ms) ==="))?;
            say(&format!("Time: {now}"))?;
            say(
                "Request processing time, when, #concurrent clients, (private bytes (in KB)), client info (user, node, FD)",
            )?;
            for nth in 0..10 {
                say(&format!(
                    "{nth:08} ms at {now},#{open},({}K),(bench,node{nth:03},{})",
                    5200 + nth,
                    40 + nth
                ))?;
            }
            say("")?;
        }
        say("=== Active Connections Info ===")?;
        say(&format!("Peak active connections #{open} attempted at {now}"))?;
        say("")?;
        say("===============================================")
    }
}
