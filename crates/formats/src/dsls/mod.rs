//! The log of Dassault Systèmes' license server, `LicenseServerYYYYMMDDHHMMSS.log`, and its cloud console's answer.

mod cloud;
mod denial;
pub(crate) mod stamp;
mod survey;
#[cfg(test)]
mod tests;
pub(crate) mod usage;

pub use cloud::{CloudAnswerError, cloud_answer, is_cloud_answer};

use crate::civil::CivilClock;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, is_blank, trim_start};
use accounting::UnixMs;
use accounting::calendar::zone;
use accounting::event::{Event, Pairing, What};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stamp::{Entry, Stamps};
use std::borrow::Cow;

/// The format `dsls`.
#[derive(Debug)]
pub struct ServerLog;

impl Format for ServerLog {
    fn name(&self) -> &'static str {
        "dsls"
    }

    fn describe(&self) -> &'static str {
        "DSLS server log (LicenseServer*.log, showLog) and the cloud console's JSON answer: grants, ends, denials"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let is_ours = |line: &[u8]| {
            let line = without_prompt(bare(line));
            line.starts_with(cloud::ZONE.as_bytes())
                || stamp::cut(line, &mut Stamps::default()).is_some_and(|entry| entry.is_known())
        };
        if head.split(|&byte| byte == b'\n').any(is_ours) { Fit::Yes } else { Fit::No }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(survey::Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader::new(setting, State::default()))
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader::new(setting, serde_json::from_str(state)?)))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn advice_without_usage(&self) -> Option<&'static str> {
        Some(
            "denials but no usage in it: \"License usage tracing\" seems to be off; switch it on in the License \
             Administration Tool (Server Configuration), and grants will be logged from then on",
        )
    }
}

/// Reads a server log.
struct Reader {
    clock: CivilClock,
    stamps: Stamps,
    /// The zone that the text names: it holds whatever the setting says.
    zone: Option<String>,
    phase: Phase,
}

/// All that the next line needs to know.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    latest: Option<UnixMs>,
    zone: Option<String>,
    phase: Phase,
}

/// How far the server has started, so that the many lines of one start tell it once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// It runs, or nothing is known of it: the next line about a start is a new start's.
    #[default]
    Running,
    /// Lines about a start were read.
    Starting,
    /// The licensing service has started, and nothing was asked of it yet.
    Ready,
}

const INITIALIZED: &[u8] = b"INITSERVER";
const STARTED: &[u8] = b"STARTSERVER";
const STOPPED: &[u8] = b"STOPSERVER";
const TRACED: &[u8] = b"USGTRACING";
const SERVED: &[u8] = b"LICENSESERV";
/// The licensing service's own word for its start.
const SERVICE_STARTED: &[u8] = b"Licensing service started";
/// With this the process introduces itself.
const VERSION: &[u8] = b"Server version";

/// Whether a line tells of a start.
fn is_start(entry: &Entry<'_>) -> bool {
    match entry.category {
        INITIALIZED | STARTED => true,
        SERVED => entry.text.starts_with(SERVICE_STARTED),
        _ => false,
    }
}

/// The administration tool's prompt may stand before a line that it prints.
fn without_prompt(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"admin >").map_or(line, trim_start)
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        self.read(line, None)
    }

    fn text<'a>(&mut self, line: &'a str) -> Read<'a> {
        self.read(line.as_bytes(), Some(line))
    }

    fn state(&self) -> String {
        let state = State { latest: self.clock.latest(), zone: self.zone.clone(), phase: self.phase };
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl Reader {
    fn new(setting: &Setting, State { latest, zone: named, phase }: State) -> Self {
        let known = named.as_deref().and_then(|name| zone(name).ok());
        let clock = CivilClock::new(known.unwrap_or_else(|| setting.zone.clone()), latest);
        Self { clock, stamps: Stamps::default(), zone: named, phase }
    }

    /// Reads a line, which may be known to be `text`.
    #[inline]
    fn read<'a>(&mut self, line: &'a [u8], text: Option<&'a str>) -> Read<'a> {
        let line = without_prompt(bare(line));
        let Some(entry) = stamp::cut(line, &mut self.stamps) else {
            return Read { at: None, process: "", line: self.undated(line) };
        };
        let at = self.clock.tick(entry.stamp.day, entry.stamp.milli);
        Read { at: Some(at), process: "", line: self.dated(at, entry, text) }
    }

    #[inline]
    fn dated<'a>(&mut self, at: UnixMs, entry: Entry<'a>, text: Option<&'a str>) -> Line<'a> {
        if is_start(&entry) {
            return Line::Note(self.start(&entry));
        }
        let said = match entry.category {
            TRACED => usage::parse(entry.text, text),
            // Grants are told by usage lines; what is refused comes as a warning.
            SERVED if entry.severity != b'I' => match denial::parse(entry.text) {
                Some(said) => said,
                None => return Line::Noise,
            },
            STOPPED => {
                self.phase = Phase::Running;
                return Line::Note(Note::State);
            }
            _ if is_pause(entry.text) => return Line::Note(Note::State),
            _ => return Line::Noise,
        };
        self.phase = Phase::Running;
        match said {
            Ok(what) => happened(at, what),
            Err(reason) => Line::Unrecognized(reason),
        }
    }

    /// A line about a start: the first of a start says that nothing was watched before it.
    fn start(&mut self, entry: &Entry<'_>) -> Note<'static> {
        let service = entry.category == SERVED;
        let anew = match self.phase {
            Phase::Running => true,
            Phase::Starting => false,
            Phase::Ready => service || entry.category == INITIALIZED || entry.text.starts_with(VERSION),
        };
        self.phase = match self.phase {
            _ if service => Phase::Ready,
            Phase::Ready if !anew => Phase::Ready,
            _ => Phase::Starting,
        };
        if anew { Note::Restarted } else { Note::State }
    }

    fn undated(&mut self, line: &[u8]) -> Line<'static> {
        if let Some(name) = line.strip_prefix(cloud::ZONE.as_bytes()) {
            return self.named_zone(name);
        }
        // The rest of a message that holds line breaks is indented, as stack traces are.
        let continues = self.clock.latest().is_some() && line.first().is_some_and(|&byte| is_blank(byte));
        if continues || line.trim_ascii().is_empty() || is_of_tool(line) {
            return Line::Noise;
        }
        Line::Unrecognized("line without a date")
    }

    fn named_zone(&mut self, name: &[u8]) -> Line<'static> {
        let named = std::str::from_utf8(name).ok().map(str::trim);
        let Some((name, known)) = named.and_then(|name| Some((name, zone(name).ok()?))) else {
            return Line::Unrecognized("time zone that is not known");
        };
        self.set_zone(name.to_owned(), known);
        Line::Note(Note::State)
    }

    fn set_zone(&mut self, name: String, known: TimeZone) {
        self.zone = Some(name);
        self.clock = CivilClock::new(known, self.clock.latest());
    }
}

/// Whether the machine slept or woke: nobody was served meanwhile.
fn is_pause(text: &[u8]) -> bool {
    text.starts_with(b"System has been suspended") || text.starts_with(b"System has been resumed")
}

/// What the administration tool prints before what it was asked for.
pub(crate) fn is_of_tool(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"License Administration Tool",
        b"Software version:",
        b"Build date:",
        b"Standalone mode",
        b"Failover mode",
        b"Ready:",
        b"Server name:",
        b"Warning: restricted connection",
    ];
    let line = trim_start(line);
    WORDS.iter().any(|word| line.starts_with(word))
}

fn happened(at: UnixMs, what: What<'_>) -> Line<'_> {
    Line::Event { event: Event { at, order: 0, vendor: Cow::Borrowed(""), what }, times: 1 }
}
