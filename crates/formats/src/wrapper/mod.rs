//! Start and stop records of wrapper scripts, as loggers render them:
//! `Nov 20 07:47:40 wks12 LIC_ACC: app1 START 20001120-0747 fiore PID: 599`.
//!
//! The record's own stamp is the instant, to the minute; a header only tells the host and orders records of one
//! minute.

mod header;
mod journal;
mod record;
mod written;

use crate::line::{Fit, Format, Line, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::text::{bare, text, trim};
use accounting::UnixMs;
use accounting::calendar::{instant, midnight};
use accounting::day::Day;
use accounting::event::{CheckinReason, Claim, Event, Pairing, What};
use header::{Says, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use record::Record;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
pub use written::syslog_line;

/// The format `wrapper`.
#[derive(Debug)]
pub struct Wrapper;

impl Format for Wrapper {
    fn name(&self) -> &'static str {
        "wrapper"
    }

    fn describe(&self) -> &'static str {
        "start and stop records of wrapper scripts (LIC_ACC) in syslog files of any rendering, and journalctl's"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let mut best = Fit::No;
        for line in head.split(|&byte| byte == b'\n') {
            best = best.max(match read(bare(line)) {
                Ok(Entry { said: Said::Record(..), .. }) => return Fit::Yes,
                Ok(Entry { host, .. }) if !host.is_empty() => Fit::Maybe,
                _ => Fit::No,
            });
        }
        best
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader { zone: setting.zone.clone(), latest: Vec::new() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader { zone: setting.zone.clone(), latest: serde_json::from_str(state)? }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Exclusive
    }
}

/// Reads records.
struct Reader {
    zone: TimeZone,
    /// For `last message repeated`: the record that was a host's last line, the host written last at the end.
    latest: Vec<Latest>,
}

/// The record that was a host's last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Latest {
    host: String,
    app: String,
    user: String,
    pid: String,
    starts: bool,
    at: UnixMs,
    order: i32,
}

/// Of so many hosts the last line is kept.
const HOSTS: usize = 64;
/// Records longer than this are not kept for a repeat.
const LONGEST: usize = 4096;

/// A line as far as it concerns us.
struct Entry<'a> {
    time: Time,
    host: Cow<'a, str>,
    said: Said<'a>,
}

enum Said<'a> {
    Record(Record<'a>, u32),
    Again(u32),
    Other,
}

/// What `sudo` and `cron` log of the call of a logger is no record.
const QUOTED: &str = "record's tag among another program's words";

/// Reads a line without its ending, or says why not.
fn read(line: &[u8]) -> Result<Entry<'_>, &'static str> {
    if line.first() == Some(&b'{') {
        let entry = journal::cut(line).ok_or("no entry of a journal that can be read")?;
        let host = Cow::Owned(text(&entry.host).into_owned());
        let said = match entry.says() {
            Says::Record(record, times) => Said::Record(read_owned(record)?, times),
            Says::Again(times) => Said::Again(times),
            Says::Quoted => return Err(QUOTED),
            Says::Other => Said::Other,
        };
        return Ok(Entry { time: entry.time, host, said });
    }
    let Some(entry) = header::cut(line) else {
        let tagged = memchr::memmem::find(line, record::TAG).is_some();
        return Err(if tagged {
            "record without a time and a host before it"
        } else {
            "no shape that loggers print"
        });
    };
    let said = match entry.says {
        Says::Record(record, times) if record.contains(&b'#') => Said::Record(read_owned(record)?, times),
        Says::Record(record, times) => Said::Record(record::parse(record)?, times),
        Says::Again(times) => Said::Again(times),
        Says::Quoted => return Err(QUOTED),
        Says::Other => Said::Other,
    };
    Ok(Entry { time: entry.time, host: text(entry.host), said })
}

/// Reads a record whose bytes do not live as long as the line, or whose tabs rsyslog wrote as `#011`.
fn read_owned(record: &[u8]) -> Result<Record<'static>, &'static str> {
    const TAB: &[u8] = b"#011";
    let mut plain = Vec::with_capacity(record.len());
    let mut rest = record;
    while let Some(at) = memchr::memmem::find(rest, TAB) {
        plain.extend_from_slice(&rest[..at]);
        plain.push(b' ');
        rest = &rest[at + TAB.len()..];
    }
    plain.extend_from_slice(rest);
    let Record { claim, starts, day, minute } = record::parse(&plain)?;
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    let claim = Claim {
        feature: own(claim.feature),
        user: own(claim.user),
        handle: claim.handle.map(own),
        seats: claim.seats,
        ..Claim::default()
    };
    Ok(Record { claim, starts, day, minute })
}

/// A record that came over a socket without its host, or without a time: with the sender's name and the instant at which it
/// was received, as ISO 8601 writes it. None of what needs neither.
pub fn completed(line: &[u8], host: &str, received: &str) -> Option<Vec<u8>> {
    header::completed(line, host, received)
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = bare(line);
        let (at, line) = match read(line) {
            Ok(entry) => self.entry(entry),
            Err(_) if is_meaningless(line) => (None, Line::Noise),
            Err(reason) => (None, Line::Unrecognized(reason)),
        };
        Read { at, process: "", line }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.latest).unwrap_or_default()
    }
}

/// Empty lines, comments, and what journalctl prints about itself.
fn is_meaningless(line: &[u8]) -> bool {
    let text = trim(line);
    text.is_empty() || text.starts_with(b"#") || text.starts_with(b"-- ")
}

impl Reader {
    fn entry<'a>(&mut self, entry: Entry<'a>) -> (Option<UnixMs>, Line<'a>) {
        let Entry { time, host, said } = entry;
        match said {
            Said::Other => {
                self.forget(&host);
                (time.at, Line::Noise)
            }
            Said::Again(times) => match self.latest.iter().find(|latest| latest.host == host) {
                Some(latest) if times > 0 => (Some(latest.at), latest.again(times)),
                _ => (time.at, Line::Noise),
            },
            // Nothing was said: no event, but no fault of the line either.
            Said::Record(_, 0) => (time.at, Line::Noise),
            Said::Record(record, times) => {
                let at = self.instant(record.day, record.minute, time.at);
                let order = order(time, at, record.minute);
                self.forget(&host);
                self.remember(&host, &record, at, order);
                let claim = Claim { host, ..record.claim };
                (Some(at), happened(at, order, claim, record.starts, times))
            }
        }
    }

    /// The instant of a stamp; in an hour that comes twice the one that lies nearer to the header's instant.
    fn instant(&self, day: Day, minute: u32, header: Option<UnixMs>) -> UnixMs {
        let midnight = midnight(day);
        let local = midnight.checked_add(jiff::Span::new().minutes(i64::from(minute))).unwrap_or(midnight);
        let first = instant(local, &self.zone);
        let (Some(header), AmbiguousOffset::Fold { .. }) =
            (header, self.zone.to_ambiguous_timestamp(local).offset())
        else {
            return first;
        };
        let second =
            self.zone.to_ambiguous_timestamp(local).later().map_or(first, jiff::Timestamp::as_millisecond);
        if (header - second).abs() < (header - first).abs() { second } else { first }
    }

    fn forget(&mut self, host: &str) {
        self.latest.retain(|latest| latest.host != host);
    }

    fn remember(&mut self, host: &str, record: &Record<'_>, at: UnixMs, order: i32) {
        if self.latest.len() >= HOSTS {
            self.latest.remove(0);
        }
        let Record { claim, starts, .. } = record;
        if host.len() + claim.feature.len() + claim.user.len() > LONGEST {
            return;
        }
        self.latest.push(Latest {
            host: host.to_owned(),
            app: claim.feature.clone().into_owned(),
            user: claim.user.clone().into_owned(),
            pid: claim.handle.as_deref().unwrap_or_default().to_owned(),
            starts: *starts,
            at,
            order,
        });
    }
}

impl Latest {
    fn again<'a>(&self, times: u32) -> Line<'a> {
        let own = |text: &String| Cow::Owned(text.clone());
        let claim = Claim {
            feature: own(&self.app),
            user: own(&self.user),
            host: own(&self.host),
            handle: Some(own(&self.pid)),
            seats: 1,
            ..Claim::default()
        };
        happened(self.at, self.order, claim, self.starts, times)
    }
}

fn happened(at: UnixMs, order: i32, claim: Claim<'_>, starts: bool, times: u32) -> Line<'_> {
    let what = if starts { What::Checkout(claim) } else { What::Checkin(claim, CheckinReason::Returned) };
    Line::Event { event: Event { at, order, vendor: Cow::Borrowed(""), what }, times }
}

/// Milliseconds of the header after the beginning of the stamp's minute, where the two lie within half an hour;
/// else, with clocks or zones that differ, those after the header's own minute.
fn order(time: Time, at: UnixMs, minute: u32) -> i32 {
    const MINUTE: i64 = 60_000;
    const DAY: i64 = 86_400_000;
    const NEAR: i64 = 30 * MINUTE;
    let (of_minute, apart) = match time {
        Time { of_day: Some(of_day), .. } => {
            let apart = (i64::from(of_day) - i64::from(minute) * MINUTE + DAY / 2).rem_euclid(DAY) - DAY / 2;
            (i64::from(of_day) % MINUTE, apart)
        }
        Time { at: Some(header), .. } => (header.rem_euclid(MINUTE), header - at),
        _ => return 0,
    };
    (if apart.abs() < NEAR { apart } else { of_minute }) as i32
}

/// Looks for the first record.
#[derive(Default)]
struct Look {
    lines: u64,
    found: Survey,
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let Ok(Entry { said: Said::Record(record, _), .. }) = read(bare(line)) else { return true };
        self.found.first_day = Some(record.day);
        self.found.first_second = Some(record.minute * 60);
        self.found.first_dated_line = Some(self.lines);
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}
