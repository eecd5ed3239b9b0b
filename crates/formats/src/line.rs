//! The contract that every format keeps.
//!
//! A parser never fails a file. Every line is an event, a note, noise or unrecognized, and the four counts add up to
//! the lines read. Bytes go in, not text: logs hold latin-1. A parser has no clock; what it must know of now is in
//! its [`Setting`]. Its state is small and part of the checkpoint: an offset alone cannot resume a log that prints no
//! date on its lines.

use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Event, Pairing};
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// What a parser made of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<'a> {
    /// The instant that the line carries or has by its place, where it has one: evidence that its process lived.
    pub at: Option<UnixMs>,
    /// The process that wrote it (`lmgrd`, a vendor daemon), empty where the line does not tell.
    pub process: &'a str,
    /// What it says.
    pub line: Line<'a>,
}

/// The four kinds of lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "events are most of what is read, and boxing them would allocate"
)]
pub enum Line<'a> {
    /// Something happened, `times` times (loggers join repeats).
    Event {
        /// What happened.
        event: Event<'a>,
        /// How often; 1 but for joined repeats.
        times: u32,
    },
    /// Several things happened, in this order (a line that says of a pool how many seats there are, and how many of
    /// them are in use). Never empty.
    Events(Vec<Event<'a>>),
    /// The line changes what is known (date, server, packages) but is no event.
    Note(Note<'a>),
    /// Known and meaningless.
    Noise,
    /// Kept in the quarantine with the reason, a lower-case fragment such as `event without a feature`.
    Unrecognized(&'static str),
}

impl<'a> Line<'a> {
    /// What happened; nothing where the line is no event.
    pub fn events(&self) -> &[Event<'a>] {
        match self {
            Self::Event { event, .. } => std::slice::from_ref(event),
            Self::Events(events) => events,
            _ => &[],
        }
    }
}

/// What a note says to the reader of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note<'a> {
    /// The parser's own state took it (a date anchor, the start of a block).
    State,
    /// The license server's name as far as it is known by now: `PORT@HOST`, or `HOST`.
    Server(Cow<'a, str>),
    /// The license server's log begins anew here: before this line nothing was watched, but what was given out goes on
    /// (DSLS's leases survive a restart).
    Restarted,
    /// Features that a package consists of.
    Components {
        /// The package's feature code.
        package: String,
        /// Codes of its components.
        components: Vec<Cow<'a, str>>,
    },
}

/// What a parser must be told.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The zone of the server's wall clock.
    pub zone: TimeZone,
    /// The civil day of the first line, for formats that print none on their lines.
    pub first_day: Day,
    /// When the input was last modified: the instant of a text that tells none.
    pub modified_at: UnixMs,
    /// When the text was asked for, where it is the answer to a live poll: the instant of all that it says, whatever
    /// it prints.
    pub polled_at: Option<UnixMs>,
}

impl Setting {
    /// A setting for a text that tells its own dates, never modified and not polled.
    pub fn new(zone: TimeZone, first_day: Day) -> Self {
        Self { zone, first_day, modified_at: 0, polled_at: None }
    }
}

/// What a first look at an input found, before it is parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The civil day of the first dated line, where an anchor was found (counted backwards from it).
    pub first_day: Option<Day>,
    /// Without an anchor: how many midnights lie between the first line and the last, for counting backwards from
    /// the file's modification time.
    pub midnights: i32,
    /// The license server as the text names it: `PORT@HOST`, or `HOST`.
    pub server: Option<String>,
    /// The wall-clock second of the day of the first dated line.
    pub first_second: Option<u32>,
    /// Vendor daemons seen.
    pub vendors: Vec<String>,
    /// Whether the text begins with the start of a server, so that it continues no other.
    pub begins_with_start: bool,
    /// The first line that carries a time of its own stands at this line number (1-based).
    pub first_dated_line: Option<u64>,
    /// How far the wall clock of the first dated line is from UTC, in seconds, east positive, where the text itself
    /// says so.
    pub utc_offset: Option<i32>,
}

/// Looks at the lines of an input from its beginning.
pub trait Surveyor {
    /// Takes the next line (without its ending); false once it has seen enough.
    fn line(&mut self, line: &[u8]) -> bool;
    /// What it found.
    fn finish(self: Box<Self>) -> Survey;
}

/// How surely bytes are of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// They are not.
    No,
    /// Nothing speaks against it.
    Maybe,
    /// They are.
    Yes,
}

/// Turns lines into events.
pub trait Parser: Send {
    /// Reads the next line, given without its line ending.
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a>;
    /// The same of a line that is known to be UTF-8, which need not be checked again.
    fn text<'a>(&mut self, line: &'a str) -> Read<'a> {
        self.line(line.as_bytes())
    }
    /// All that the next line needs to know, as JSON for the checkpoint.
    fn state(&self) -> String;
}

/// A state that another version wrote, or that was damaged.
#[derive(Debug, thiserror::Error)]
#[error("the checkpoint's parser state cannot be read: {0}")]
pub struct StateError(#[from] pub serde_json::Error);

/// One way of printing.
pub trait Format: Sync {
    /// Its name for `--format`.
    fn name(&self) -> &'static str;
    /// One line for `--format-help`: what it is and where it comes from.
    fn describe(&self) -> &'static str;
    /// Whether the beginning of an input (UTF-8 or any single-byte text) is of this format.
    fn fits(&self, head: &[u8]) -> Fit;
    /// A surveyor for a new input.
    fn surveyor(&self) -> Box<dyn Surveyor>;
    /// A parser for the beginning of an input.
    fn parser(&self, setting: &Setting) -> Box<dyn Parser>;
    /// A parser that goes on where [`Parser::state`] was taken.
    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError>;
    /// A parser for the answer to the next poll of the same license server, by the state after the answer before.
    /// Texts that print no starts need it; for all others each answer stands for itself.
    fn next_answer(&self, setting: &Setting, _before: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(self.parser(setting))
    }
    /// The program that prints it when it asks a license server, with its arguments: `target` is whom it is to ask, as
    /// `PORT@HOST` or a license file. None where nothing prints it that can be asked.
    fn question(&self, _target: Option<&str>) -> Option<Vec<String>> {
        None
    }
    /// How its ends find their starts.
    fn pairing(&self) -> Pairing;
    /// Whether its lines are answers to polls: where a log covers the same license server, the log's sessions count.
    fn polls(&self) -> bool {
        false
    }
    /// Whether all inputs of an import that are of this format come from one license server, though only some name it.
    fn one_server(&self) -> bool {
        false
    }
    /// What the license server is called where neither the user nor any text says.
    fn default_server(&self) -> &'static str {
        self.name()
    }
    /// What to tell a user whose log tells of denials and of no usage, where something may be switched off.
    fn advice_without_usage(&self) -> Option<&'static str> {
        None
    }
    /// The process that stands for the license server itself: its lines are evidence for every daemon.
    fn server_process(&self) -> &'static str {
        ""
    }
}
