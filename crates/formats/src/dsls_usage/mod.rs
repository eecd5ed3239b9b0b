//! The administration tool's answer to `DSLicSrv -admin -run "… getLicenseUsage -all -csv"`: one poll.
//!
//! The text tells no instant. It is that at which the server was asked, or, of a file, that of its last modification.

mod row;

use crate::answer::{port_and_host, question};
use crate::civil::CivilClock;
use crate::dsls::is_of_tool;
use crate::iso;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::text::{bare, text, trim, trim_start, word};
use accounting::UnixMs;
use accounting::event::{Event, Expiry, Pairing, Seats, What};
use row::{Holder, Pool, Row};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `dsls-usage`.
#[derive(Debug)]
pub(crate) struct LicenseUsage;

/// A holder may have been seen so much after the instant of the answer: clocks differ.
const CLOCKS_DIFFER_MS: i64 = 600_000;
/// The tool's first line begins so.
const BANNER: &[u8] = b"License Administration Tool";
/// The header begins so, whatever the version.
const HEADER_BEGINS: &[u8] = b"Editor,EditorId,Feature,";
const CANNOT_CONNECT: &[u8] = b"Cannot connect to server";

impl Format for LicenseUsage {
    fn name(&self) -> &'static str {
        "dsls-usage"
    }

    fn describe(&self) -> &'static str {
        "DSLS license usage as CSV (DSLicSrv -admin, getLicenseUsage -all -csv): who holds what at one instant"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let mut best = Fit::No;
        for line in head.split(|&byte| byte == b'\n') {
            let line = without_prompt(bare(line));
            if line.starts_with(HEADER_BEGINS) || line.starts_with(CANNOT_CONNECT) {
                return Fit::Yes;
            }
            if line.starts_with(BANNER) {
                best = Fit::Maybe;
            }
        }
        best
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader::new(setting, State::default()))
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader::new(setting, serde_json::from_str(state)?)))
    }

    fn question(&self, target: Option<&str>) -> Option<Vec<String>> {
        let (port, host) = target.map_or((None, "localhost"), port_and_host);
        // The port on which a server listens for its administrators where nothing else was said to it.
        let port = port.unwrap_or("4084");
        let run = format!("connect {host} {port}; getLicenseUsage -all -csv; quit");
        Some(question(&["DSLicSrv", "-admin", "-run", &run]))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }

    fn default_server(&self) -> &'static str {
        "dsls"
    }
}

/// Reads an answer.
struct Reader {
    /// The instant of the answer.
    at: UnixMs,
    clock: CivilClock,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The instant of the answer once it has begun: a file that is read in two parts was modified between them.
    at: Option<UnixMs>,
    place: Place,
    /// The fields of the pool whose holders are being read.
    pool: String,
}

/// Where in the text the next line stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    #[default]
    BeforeHeader,
    Rows,
    /// Behind a header that is not known, or a second one: its rows are not read.
    Unread,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = without_prompt(bare(line));
        if line.starts_with(HEADER_BEGINS) {
            return self.header(line);
        }
        if line.starts_with(CANNOT_CONNECT) {
            // Nobody answered: no sign of life.
            let event = self.event(What::Polled { answered: false });
            return Read { at: None, process: "", line: Line::Event { event, times: 1 } };
        }
        if line.trim_ascii().is_empty() || is_of_tool(line) {
            let line = named_server(line).map_or(Line::Noise, |name| Line::Note(Note::Server(name)));
            return Read { at: None, process: "", line };
        }
        match self.row(line) {
            Ok(events) => Read { at: Some(self.at), process: "", line: Line::Events(events) },
            Err(reason) => Read { at: None, process: "", line: Line::Unrecognized(reason) },
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn new(setting: &Setting, state: State) -> Self {
        let at = state.at.or(setting.polled_at).unwrap_or(setting.modified_at);
        Self { at, clock: CivilClock::new(setting.zone.clone(), Some(at)), state }
    }

    fn event<'a>(&self, what: What<'a>) -> Event<'a> {
        Event { at: self.at, order: 0, vendor: Cow::Borrowed(""), what }
    }

    fn header(&mut self, line: &[u8]) -> Read<'static> {
        let known = line.strip_suffix(b",").unwrap_or(line) == row::HEADER;
        let reason = match self.state.place {
            _ if !known => Some("header with other columns than are known"),
            Place::BeforeHeader => None,
            _ => Some("a second answer in one text, which tells no instants: keep each in a file of its own"),
        };
        if let Some(reason) = reason {
            self.state.place = Place::Unread;
            return Read { at: None, process: "", line: Line::Unrecognized(reason) };
        }
        self.state.place = Place::Rows;
        self.state.at = Some(self.at);
        let event = self.event(What::Polled { answered: true });
        Read { at: Some(self.at), process: "", line: Line::Event { event, times: 1 } }
    }

    fn row<'a>(&mut self, line: &'a [u8]) -> Result<Vec<Event<'a>>, &'static str> {
        match self.state.place {
            Place::BeforeHeader => return Err(before_header(line)),
            Place::Unread => return Err("row of an answer that is not read"),
            Place::Rows => {}
        }
        let Row { pool, holder } = row::parse(line)?;
        let mut events = Vec::new();
        let fields = text(pool.fields);
        // A pool is told in each row of a holder; two pools that are alike and unused are two.
        if holder.is_none() || self.state.pool != fields {
            self.state.pool = fields.into_owned();
            if holder.is_none() {
                self.state.pool.clear();
            }
            self.tell(pool, &mut events);
        }
        if let Some(holder) = holder {
            events.push(self.held(holder)?);
        }
        Ok(events)
    }

    fn tell<'a>(&self, pool: Pool<'a>, events: &mut Vec<Event<'a>>) {
        let Pool { feature, release, expires, seats, in_use, .. } = pool;
        for seats in [Seats::Issued(seats), Seats::InUse(in_use)] {
            events.push(self.event(What::Seats { feature: feature.clone(), seats }));
        }
        events.push(self.event(What::Expiry(Expiry { feature, version: release, seats, expires })));
    }

    fn held<'a>(&mut self, holder: Holder<'a>) -> Result<Event<'a>, &'static str> {
        let Holder { claim, since, last_used, waits } = holder;
        if waits {
            let seats = Seats::Queued(claim.seats);
            return Ok(self.event(What::Seats { feature: claim.feature, seats }));
        }
        let since = since.map_or(self.at, |since| self.instant(since));
        let seen = last_used.map_or(since, |last_used| self.instant(last_used)).max(since);
        if seen > self.at + CLOCKS_DIFFER_MS {
            return Err("row of a later time than the answer's: is the time zone right?");
        }
        Ok(self.event(What::Shown { claim, since: since.min(self.at) }))
    }

    fn instant(&mut self, stamp: iso::Stamp) -> UnixMs {
        stamp.instant().unwrap_or_else(|| self.clock.instant(stamp.day, stamp.second * 1000 + stamp.millis))
    }
}

/// The tool's prompt may stand before what it prints.
fn without_prompt(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"admin >").map_or(line, trim_start)
}

fn before_header(line: &[u8]) -> &'static str {
    let is_text_form = memchr::memmem::find(line, b"maxReleaseNumber:").is_some()
        || memchr::memmem::find(line, b"granted since:").is_some();
    if is_text_form {
        "the answer as text: ask with -csv"
    } else {
        "line before the header that is not known"
    }
}

/// The license server's name, but for one that any machine has.
fn named_server(line: &[u8]) -> Option<Cow<'_, str>> {
    let (name, _) = word(trim(line).strip_prefix(b"Server name:")?);
    let is_any = name.is_empty() || name.eq_ignore_ascii_case(b"localhost") || name.starts_with(b"127.");
    (!is_any).then(|| text(name))
}

/// Looks for the server's name, and whether the text is an answer from its beginning: then it continues no other.
#[derive(Default)]
struct Look {
    found: Survey,
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        let line = without_prompt(bare(line));
        if let Some(name) = named_server(line) {
            self.found.server = Some(name.into_owned());
        }
        let begins = [BANNER, HEADER_BEGINS, CANNOT_CONNECT].iter().any(|word| line.starts_with(word));
        self.found.begins_with_start |= begins;
        !line.starts_with(HEADER_BEGINS)
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}
