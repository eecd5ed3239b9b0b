//! `FlexNet`'s debug log: what lmgrd and the vendor daemons print, in all its forms.

mod anchor;
mod daemons;
mod early;
mod event;
mod packages;
mod prefix;
mod server;
mod shape;
mod survey;
#[cfg(test)]
mod tests;

use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, trim, utf8};
use crate::wall_clock::{Position, WallClock};
use accounting::UnixMs;
use accounting::event::{CheckinReason, Event, Pairing, What};
use daemons::{Daemons, Sign};
use event::{Said, Word};
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
        Ok(Box::new(Reader {
            clock: WallClock::at(setting.zone.clone(), state.position),
            known: state.known,
        }))
    }

    fn server_process(&self) -> &'static str {
        "lmgrd"
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
    /// Packages that came on lines which had something else to say.
    waiting: Vec<(String, Vec<String>)>,
}

/// The lines with which lmgrd introduces itself. The first of them print no date, and days may have passed since
/// the run before: the server's start is told once the header has said its day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    rules: u8,
    named: bool,
    told: bool,
}

/// No more packages than this wait; a real line holds one or two.
const MOST_WAITING: usize = 64;
/// No more components of a package than this wait.
const MOST_COMPONENTS: usize = 1000;

#[derive(Serialize, Deserialize)]
struct State<K> {
    position: Position,
    known: K,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        self.read(line, None)
    }

    fn text<'a>(&mut self, line: &'a str) -> Read<'a> {
        self.read(line.as_bytes(), Some(line))
    }

    fn state(&self) -> String {
        let state = State { position: self.clock.position(), known: &self.known };
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl Reader {
    /// Reads a line, which may be known to be `text`.
    #[inline]
    fn read<'a>(&mut self, line: &'a [u8], text: Option<&'a str>) -> Read<'a> {
        let line = bare(line);
        match prefix::cut(line) {
            Some(cut) if line[0] != b'#' && !shape::is_inner(line) => self.dated(cut, text),
            _ => Read { at: None, process: "", line: shape::undated(line, self.known.dated) },
        }
    }

    #[inline]
    fn dated<'a>(&mut self, cut: Prefixed<'a>, text: Option<&'a str>) -> Read<'a> {
        self.known.dated = true;
        let (daemon, is_child) = self.known.daemons.owner(cut.daemon);
        let process = utf8(daemon, text).unwrap_or_default();
        let message = cut.message;
        if let Some((word, rest)) = event::split(message) {
            let (at, _) = self.tick(cut.time, || None);
            let line = self.event(at, process, (rest, text), |text| event::parse(word, text));
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
            Some(self.event(at, process, (rest, text), early::server_died))
        } else if is_child {
            None
        } else if daemon == LMGRD {
            let told = self.known.lmgrd(at, trim(message), anchored);
            if told.is_none() && self.known.is_starting() {
                return Read { at: None, process, line: Line::Noise };
            }
            told
        } else {
            self.known.vendor(at, process, trim(message), message)
        };
        let is_anchor = anchored && matches!(cut.time, Time::Second(_));
        let line = told.unwrap_or(if is_anchor { Line::Note(Note::State) } else { Line::Noise });
        let line = match line {
            Line::Noise | Line::Note(Note::State) => self.known.next_waiting().map_or(line, Line::Note),
            other => other,
        };
        Read { at: Some(at), process, line }
    }

    /// The instant of a line, and whether its day was printed: by itself or by an anchor.
    #[inline]
    fn tick(&mut self, time: Time, anchor: impl FnOnce() -> Option<anchor::Anchor>) -> (UnixMs, bool) {
        match time {
            Time::Second(second) => match anchor() {
                Some(anchor) => (self.clock.tick_on(anchor.day_at(second), second), true),
                None => (self.clock.tick(second), false),
            },
            Time::Stamp(stamp) => {
                let Some(at) = stamp.instant() else {
                    return (self.clock.tick_on(stamp.day, stamp.second), true);
                };
                self.clock.set(stamp.day, stamp.second);
                (at, true)
            }
            Time::MonthDay(month, day, second) => {
                let known = self.clock.day();
                let day = if self.clock.has_ticked() {
                    shape::near(known, month, day)
                } else {
                    shape::not_after(known.next(), month, day)
                };
                (self.clock.tick_on(day.unwrap_or(known), second), true)
            }
        }
    }

    /// An event's text behind its word, of a line that may be known to be text: it is UTF-8, else Windows-1252 as a whole.
    #[inline]
    fn event<'a>(
        &mut self,
        at: UnixMs,
        process: &'a str,
        (rest, line): (&'a [u8], Option<&'a str>),
        parse: impl Fn(&str) -> Result<Said<'_>, &'static str>,
    ) -> Line<'a> {
        if shape::is_plugin(process.as_bytes()) {
            return Line::Noise;
        }
        let Some(text) = utf8(rest, line) else {
            let text = crate::text::text(rest).into_owned();
            return match parse(&text) {
                Ok(said) if self.is_late(at, process, &said) => Line::Noise,
                Ok(said) => happened(at, process, said.what(|part| Cow::Owned(part.to_owned()))),
                Err(reason) => Line::Unrecognized(reason),
            };
        };
        match parse(text) {
            Ok(said) if self.is_late(at, process, &said) => Line::Noise,
            Ok(said) => happened(at, process, said.what(Cow::Borrowed)),
            Err(reason) => Line::Unrecognized(reason),
        }
    }

    /// Whether a stopped daemon only reports once more what ended with it.
    #[inline]
    fn is_late(&self, at: UnixMs, process: &str, said: &Said<'_>) -> bool {
        said.word == Word::In
            && said.checkin_reason() == CheckinReason::ServerStopped
            && self.known.daemons.has_just_stopped(process.as_bytes(), at)
    }
}

#[inline]
fn happened<'a>(at: UnixMs, vendor: &'a str, what: What<'a>) -> Line<'a> {
    Line::Event { event: Event { at, order: 0, vendor: Cow::Borrowed(vendor), what }, times: 1 }
}

impl Known {
    /// A line of lmgrd that is no event of a client; none where it says nothing but its date.
    fn lmgrd<'a>(&mut self, at: UnixMs, message: &'a [u8], anchored: bool) -> Option<Line<'a>> {
        let note = Some(Line::Note(Note::State));
        if is_rule(message) {
            let header = self.header.filter(|header| header.rules < 2).unwrap_or_default();
            self.header = Some(Header { rules: header.rules + 1, ..header });
            return (anchored && self.is_starting()).then(|| self.server_starts(at, false));
        }
        self.server.lmgrd(message);
        if server::is_started_on(message) {
            let header = self.header.filter(|header| !header.named).unwrap_or_default();
            self.header = Some(Header { named: true, ..header });
        }
        if message.starts_with(b"TIMESTAMP") {
            // No header holds one: what began was none.
            self.header = self.header.filter(|header| header.told);
            return None;
        }
        let starting = message.starts_with(b"Starting vendor daemons");
        let started = message.strip_prefix(b"Started ").or_else(|| message.strip_prefix(b"REStarted "));
        let started = started.and_then(shape::name_before_bracket);
        if self.is_starting() && (anchored || starting || started.is_some()) {
            return Some(self.server_starts(at, starting || started.is_some()));
        }
        if starting || message.starts_with(b"EXITING DUE TO SIGNAL") {
            self.header = None;
            return note;
        }
        if let Some(name) = started {
            return Some(self.daemon_starts(at, name, Sign::ByLmgrd));
        }
        if message.starts_with(b"Rereading license file") {
            self.daemons.reread(at);
            return note;
        }
        if let Some(name) = shape::name_that_exited(message) {
            let stops = self.daemons.stop(name.as_bytes(), at);
            return if stops { Some(happened(at, name, What::DaemonStopped)) } else { note };
        }
        None
    }

    /// Whether a header has begun and not yet said its day.
    fn is_starting(&self) -> bool {
        self.header.is_some_and(|header| !header.told)
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
            return Some(self.daemon_starts(at, daemon, Sign::Version));
        }
        if message.starts_with(b"Server started on ") {
            self.server.vendor(message);
            let told = self.daemon_starts(at, daemon, Sign::Serving);
            self.components(daemon, whole);
            return Some(told);
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
            let components = components.into_iter().take(MOST_COMPONENTS).map(Cow::into_owned).collect();
            self.waiting.push((package, components));
        }
    }

    /// What came on lines that had something else to say.
    fn next_waiting<'a>(&mut self) -> Option<Note<'a>> {
        if let Some(name) = self.server.news() {
            return Some(Note::Server(Cow::Owned(name)));
        }
        if self.waiting.is_empty() {
            return None;
        }
        let (package, components) = self.waiting.remove(0);
        Some(Note::Components { package, components: components.into_iter().map(Cow::Owned).collect() })
    }

    fn server_starts<'a>(&mut self, at: UnixMs, header_ends: bool) -> Line<'a> {
        self.header = self.header.filter(|_| !header_ends).map(|header| Header { told: true, ..header });
        self.daemons.all_start_anew();
        happened(at, "", What::ServerStarted)
    }

    fn daemon_starts<'a>(&mut self, at: UnixMs, name: &'a str, sign: Sign) -> Line<'a> {
        if self.is_starting() {
            return self.server_starts(at, true);
        }
        self.header = None;
        let begins = self.daemons.start(name.as_bytes(), sign, at);
        if begins { happened(at, name, What::DaemonStarted) } else { Line::Note(Note::State) }
    }
}
