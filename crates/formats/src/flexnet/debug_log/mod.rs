//! `FlexNet`'s debug log: what lmgrd and the vendor daemons print, in all its forms.

mod anchor;
mod clock;
mod daemons;
mod early;
mod event;
mod packages;
mod prefix;
mod server;
mod shape;
mod survey;

use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, trim};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{CheckinReason, Event, Pairing, What};
use clock::{Position, WallClock};
use daemons::{Daemons, Sign};
use event::Word;
use packages::Packages;
use prefix::{Prefixed, Time};
use serde::{Deserialize, Serialize};
use server::Server;
use shape::is_rule;
use std::borrow::Cow;

/// The format `flexnet`.
#[derive(Debug)]
pub struct DebugLog;

impl Format for DebugLog {
    fn name(&self) -> &'static str {
        "flexnet"
    }

    fn describe(&self) -> &'static str {
        "FlexNet/FLEXlm debug log (lmgrd -l FILE, DEBUGLOG): checkouts, checkins, denials, starts and stops"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        shape::fits(head)
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(survey::Survey::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        let clock = WallClock::new(setting.zone.clone(), setting.first_day);
        Box::new(Reader { clock, known: Known::default() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let state: State<Known> = serde_json::from_str(state)?;
        Ok(Box::new(Reader { clock: WallClock::at(setting.zone.clone(), state.position), known: state.known }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }
}

/// The process that starts the vendor daemons.
const LMGRD: &[u8] = b"lmgrd";

/// Reads a debug log.
struct Reader {
    clock: WallClock,
    known: Known,
}

/// What the lines so far have told, but for the time.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    /// Whether a line with a time was read.
    dated: bool,
    header: Option<Header>,
    server: Server,
    daemons: Daemons,
    packages: Packages,
    /// Notes that came on lines which had something else to say.
    waiting: Vec<Waiting>,
}

/// The lines with which lmgrd introduces itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    rules: u8,
    named: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Waiting {
    Server(String),
    Components(String, Vec<String>),
}

/// No more notes than this wait; a real line holds one or two.
const MOST_WAITING: usize = 64;

#[derive(Serialize, Deserialize)]
struct State<K> {
    position: Position,
    known: K,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = bare(line);
        match prefix::cut(line) {
            Some(cut) if line[0] != b'#' && !shape::is_inner(line) => self.dated(cut),
            _ => Read { at: None, process: "", line: shape::undated(line, self.known.dated) },
        }
    }

    fn state(&self) -> String {
        let state = State { position: self.clock.position(), known: &self.known };
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl Reader {
    fn dated<'a>(&mut self, cut: Prefixed<'a>) -> Read<'a> {
        self.known.dated = true;
        let (daemon, is_child) = self.known.daemons.owner(cut.daemon);
        let process = std::str::from_utf8(daemon).unwrap_or_default();
        let message = cut.message;
        if let Some((word, rest)) = event::split(message) {
            let (at, _) = self.tick(cut.time, || None);
            let line = self.event(at, process, word, rest);
            return Read { at: Some(at), process, line };
        }
        let summary = shape::summary(message);
        let (at, anchored) = self.tick(cut.time, || match (summary, cut.time) {
            (Some(summary), Time::Second(second)) => anchor::find_in_summary(summary, second),
            (None, Time::Second(_)) => anchor::find(message),
            _ => None,
        });
        let told = if summary.is_some() || shape::is_plugin(daemon) {
            None
        } else if let Some(rest) = message.strip_prefix(b"IN server died:") {
            Some(self.claimed(at, process, early::server_died(rest)))
        } else if is_child {
            None
        } else if daemon == LMGRD {
            self.known.lmgrd(at, trim(message))
        } else {
            self.known.vendor(at, process, trim(message), message)
        };
        let line = told.unwrap_or(if anchored { Line::Note(Note::State) } else { Line::Noise });
        let line = match line {
            Line::Noise | Line::Note(Note::State) => self.known.next_waiting().map_or(line, Line::Note),
            other => other,
        };
        Read { at: Some(at), process, line }
    }

    /// The instant of a line, and whether an anchor told its day.
    fn tick(&mut self, time: Time, anchor: impl FnOnce() -> Option<anchor::Anchor>) -> (UnixMs, bool) {
        match time {
            Time::Second(second) => match anchor() {
                Some(anchor) => (self.clock.tick_on(anchor.day_at(second), second), true),
                None => (self.clock.tick(second), false),
            },
            Time::Stamp(stamp) => {
                let Some(at) = stamp.instant() else { return (self.clock.tick_on(stamp.day, stamp.second), true) };
                self.clock.set(Day::of(at, self.clock.zone()), stamp.second);
                (at, true)
            }
            Time::MonthDay(month, day, second) => {
                let day = shape::near(self.clock.day(), month, day);
                (self.clock.tick_on(day.unwrap_or(self.clock.day()), second), false)
            }
        }
    }

    fn event<'a>(&mut self, at: UnixMs, process: &'a str, word: Word, rest: &'a [u8]) -> Line<'a> {
        if shape::is_plugin(process.as_bytes()) {
            return Line::Noise;
        }
        self.claimed(at, process, event::parse(word, rest))
    }

    fn claimed<'a>(&mut self, at: UnixMs, process: &'a str, what: Result<What<'a>, &'static str>) -> Line<'a> {
        match what {
            Ok(What::Checkin(_, CheckinReason::ServerStopped))
                if self.known.daemons.has_just_stopped(process.as_bytes(), at) =>
            {
                Line::Noise
            }
            Ok(what) => happened(at, process, what),
            Err(reason) => Line::Unrecognized(reason),
        }
    }
}

fn happened<'a>(at: UnixMs, vendor: &'a str, what: What<'a>) -> Line<'a> {
    Line::Event { event: Event { at, order: 0, vendor: Cow::Borrowed(vendor), what }, times: 1 }
}

impl Known {
    /// A line of lmgrd that is no event of a client; none where it says nothing but its date.
    fn lmgrd<'a>(&mut self, at: UnixMs, message: &'a [u8]) -> Option<Line<'a>> {
        let note = Some(Line::Note(Note::State));
        if is_rule(message) {
            let rules = self.header.map_or(0, |header| header.rules);
            if self.header.is_none() || rules >= 2 {
                return Some(self.server_starts(at, Header { rules: 1, named: false }));
            }
            self.header = self.header.map(|header| Header { rules: rules + 1, ..header });
            return None;
        }
        if message.starts_with(b"Starting vendor daemons") || message.starts_with(b"EXITING DUE TO SIGNAL") {
            self.header = None;
            return note;
        }
        if message.starts_with(b"Rereading license file") {
            self.daemons.reread(at);
            return note;
        }
        let starts = message.strip_prefix(b"Started ").or_else(|| message.strip_prefix(b"REStarted "));
        if let Some(name) = starts.and_then(shape::name_before_bracket) {
            self.header = None;
            return self.daemon_starts(at, name, Sign::ByLmgrd);
        }
        if let Some(name) = shape::name_that_exited(message) {
            let stops = self.daemons.stop(name.as_bytes(), at);
            return if stops { Some(happened(at, name, What::DaemonStopped)) } else { note };
        }
        let name = self.server.lmgrd(message);
        if server::is_started_on(message) {
            let header = Header { named: true, ..self.header.unwrap_or_default() };
            if self.header.is_none_or(|header| header.named) {
                self.waiting.extend(name.map(Waiting::Server));
                return Some(self.server_starts(at, header));
            }
            self.header = Some(header);
        }
        name.map(|name| Line::Note(Note::Server(Cow::Owned(name))))
    }

    /// A line of a vendor daemon that is no event of a client.
    fn vendor<'a>(
        &mut self,
        at: UnixMs,
        daemon: &'a str,
        message: &'a [u8],
        whole: &'a [u8],
    ) -> Option<Line<'a>> {
        let note = Some(Line::Note(Note::State));
        if shape::is_version(message) {
            self.header = None;
            return self.daemon_starts(at, daemon, Sign::Version);
        }
        if message.starts_with(b"Server started on ") {
            self.header = None;
            let name = self.server.vendor(message).map(Waiting::Server);
            self.waiting.extend(name);
            let told = self.daemon_starts(at, daemon, Sign::Serving);
            self.components(daemon, whole);
            return told;
        }
        if message.starts_with(b"EXITING DUE TO SIGNAL") {
            let stops = self.daemons.stop(daemon.as_bytes(), at);
            return if stops { Some(happened(at, daemon, What::DaemonStopped)) } else { note };
        }
        if message.starts_with(b"Rereading license file") {
            self.daemons.reread(at);
            return note;
        }
        let mut parts = self.packages.take(daemon.as_bytes(), whole).into_iter();
        let (package, components) = parts.next()?;
        for (package, components) in parts {
            self.wait(package, components);
        }
        Some(Line::Note(Note::Components { package, components }))
    }

    fn components(&mut self, daemon: &str, message: &[u8]) {
        for (package, components) in self.packages.take(daemon.as_bytes(), message) {
            self.wait(package, components);
        }
    }

    fn wait(&mut self, package: String, components: Vec<Cow<'_, str>>) {
        if self.waiting.len() < MOST_WAITING {
            let components = components.into_iter().map(Cow::into_owned).collect();
            self.waiting.push(Waiting::Components(package, components));
        }
    }

    fn next_waiting<'a>(&mut self) -> Option<Note<'a>> {
        if self.waiting.is_empty() {
            return None;
        }
        Some(match self.waiting.remove(0) {
            Waiting::Server(name) => Note::Server(Cow::Owned(name)),
            Waiting::Components(package, components) => {
                Note::Components { package, components: components.into_iter().map(Cow::Owned).collect() }
            }
        })
    }

    fn server_starts<'a>(&mut self, at: UnixMs, header: Header) -> Line<'a> {
        self.header = Some(header);
        self.daemons.all_start_anew();
        happened(at, "", What::ServerStarted)
    }

    fn daemon_starts<'a>(&mut self, at: UnixMs, name: &'a str, sign: Sign) -> Option<Line<'a>> {
        let begins = self.daemons.start(name.as_bytes(), sign, at);
        Some(if begins { happened(at, name, What::DaemonStarted) } else { Line::Note(Note::State) })
    }
}
