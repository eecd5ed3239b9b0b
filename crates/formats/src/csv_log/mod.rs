//! What the `FlexLM` license usage logger and its like append after each poll of lmstat: `YYYY-MM-DD features.csv`,
//! a row a feature, and `YYYY-MM-DD CODE users.csv`, a row a holder.
//!
//! Rows of one poll bear its time, or each its own, some seconds later: a row within a minute after a poll's first
//! stamp is of that poll, and of its instant, unless the poll has said the same before under an earlier stamp: then the
//! row begins another one. Equal rows of one stamp are several holds. No daemon is named: all is said of the license server as a whole.

mod row;
mod write;

use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::text::{bare, trim};
use accounting::UnixMs;
use accounting::event::{Event, Pairing, Seats, What};
use jiff::tz::TimeZone;
use row::{FeatureRow, Row, UserRow};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

pub use write::CsvFile;
pub(crate) use write::{FeatureTold, HolderTold, files as csv_files};

/// The format `csv-log`.
#[derive(Debug)]
pub struct CsvLog;

/// A row within this time after a poll's first one is of the same poll.
const ONE_POLL_MS: i64 = 60_000;
/// So many rows of a poll are known again: what is remembered of a poll has an end.
const MOST_KEYS: usize = 20_000;

impl Format for CsvLog {
    fn name(&self) -> &'static str {
        "csv-log"
    }

    fn describe(&self) -> &'static str {
        "CSV logs of polls: `YYYY-MM-DD features.csv` and `YYYY-MM-DD CODE users.csv` of the FlexLM license usage logger"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let any = head.split(|&byte| byte == b'\n').any(|line| row::is_header(trim(bare(line))));
        if any { Fit::Yes } else { Fit::No }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader { zone: setting.zone.clone(), state: State::default() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader { zone: setting.zone.clone(), state: serde_json::from_str(state)? }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }

    fn one_server(&self) -> bool {
        true
    }
}

/// Reads rows.
struct Reader {
    zone: TimeZone,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    /// The first stamp of the poll whose rows are read.
    poll: Option<UnixMs>,
    /// Its latest stamp.
    latest: UnixMs,
    /// The keys of its rows under that stamp, and under those before it.
    keys: BTreeSet<u64>,
    earlier: BTreeSet<u64>,
}

impl State {
    /// The instant of the poll of which a row is, if it is of the poll that is read.
    fn poll_of(&mut self, key: u64, at: UnixMs) -> Option<UnixMs> {
        let poll = self.poll.filter(|first| (*first..*first + ONE_POLL_MS).contains(&at));
        if poll.is_some() && at != self.latest {
            self.latest = at;
            self.earlier.append(&mut self.keys);
        }
        let known = poll.filter(|_| !self.earlier.contains(&key));
        if known.is_none() {
            *self = Self { poll: Some(at), latest: at, ..Self::default() };
        }
        if self.keys.len() + self.earlier.len() < MOST_KEYS {
            self.keys.insert(key);
        }
        known
    }
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() || row::is_header(line) {
            return Read { at: None, process: "", line: Line::Noise };
        }
        match row::parse(line) {
            Ok(row) => self.row(row),
            Err(reason) => Read { at: None, process: "", line: Line::Unrecognized(reason) },
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn row<'a>(&mut self, row: Row<'a>) -> Read<'a> {
        let stamp = row.stamp();
        let at = row::instant(stamp, &self.zone);
        let known = self.state.poll_of(row.key(), at);
        let at = known.unwrap_or(at);
        let mut said = Vec::new();
        if known.is_none() {
            said.push(What::Polled { answered: true });
        }
        match row {
            Row::Feature(FeatureRow { feature, issued, in_use, .. }) => {
                let issued = issued.map(|seats| Seats::Issued(Some(seats)));
                let figures = issued.into_iter().chain(in_use.map(Seats::InUse));
                said.extend(figures.map(|seats| What::Seats { feature: feature.clone(), seats }));
            }
            Row::User(UserRow { claim, checkout, .. }) => {
                let since = row::checked_out(checkout, at, &self.zone);
                said.push(What::Shown { claim: *claim, since });
            }
        }
        let event = |what| Event { at, order: 0, vendor: Cow::Borrowed(""), what };
        let mut events: Vec<_> = said.into_iter().map(event).collect();
        let line = match events.len() {
            0 => Line::Note(Note::State),
            1 => events.pop().map_or(Line::Noise, |event| Line::Event { event, times: 1 }),
            _ => Line::Events(events),
        };
        Read { at: Some(at), process: "", line }
    }
}

/// Looks for the first row.
#[derive(Debug, Default)]
struct Look {
    lines: u64,
    found: Survey,
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = trim(bare(line));
        if row::is_header(line) {
            self.found.begins_with_start = true;
        }
        let Ok(row) = row::parse(line) else { return true };
        let stamp = row.stamp();
        self.found.first_day = Some(stamp.day);
        self.found.first_second = Some(stamp.second);
        self.found.first_dated_line = Some(self.lines);
        if let Row::User(UserRow { server, .. }) = row {
            self.found.server = Some(server);
        }
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}
