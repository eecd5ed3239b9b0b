//! Answers of any other program: rows with named columns, as CSV or JSON. Which column says what, the configuration
//! tells: such a format exists once for each source that describes one.
//!
//! A row is a holder, the figures of a feature's seats, or both. Figures are taken from the first row of a feature and
//! version: programs that list holders repeat them.

mod cells;
#[cfg(test)]
mod tests;

use crate::answer::{self, FirstSeen, Look, SECOND, event, silent, told};
use crate::civil::CivilClock;
use crate::line::{Fit, Format, Line, Parser, Read, Setting, StateError, Surveyor};
use crate::separated::Columns;
use crate::text::{bare, trim};
use accounting::UnixMs;
use accounting::event::{Claim, Event, Expires, Expiry, Pairing, Seats, What};
use cells::{Cells, Unread};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

pub use cells::json_rows;

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The feature's code; the only one that there must be.
    Feature,
    /// The version.
    Version,
    /// Who holds; a row without user and host holds nothing.
    User,
    /// Where.
    Host,
    /// The display.
    Display,
    /// What the server calls this hold.
    Handle,
    /// How many seats are held; 1 where none is printed.
    Seats,
    /// Since when; without it, since the first poll that showed it.
    Since,
    /// How many seats there are of the feature.
    Issued,
    /// How many of them are in use.
    InUse,
    /// How many are reserved.
    Reserved,
    /// How many are waited for.
    Queued,
    /// The last day.
    Expires,
}

impl Column {
    /// All columns, with the words for them in a configuration.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Feature, "feature"),
        (Self::Version, "version"),
        (Self::User, "user"),
        (Self::Host, "host"),
        (Self::Display, "display"),
        (Self::Handle, "handle"),
        (Self::Seats, "seats"),
        (Self::Since, "since"),
        (Self::Issued, "issued"),
        (Self::InUse, "in_use"),
        (Self::Reserved, "reserved"),
        (Self::Queued, "queued"),
        (Self::Expires, "expires"),
    ];
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Separated by commas, semicolons or tabs, below a header.
    Csv,
    /// As [`json_rows`] makes them: `[]`, then an object a line.
    Json,
}

/// A format that a configuration describes: which column, by its name in the text, says what.
#[derive(Debug)]
pub struct Named {
    written: Written,
    columns: Vec<(Column, String)>,
}

impl Named {
    /// The format of these columns, one of which is [`Column::Feature`].
    pub fn new(written: Written, columns: Vec<(Column, String)>) -> Self {
        Self { written, columns }
    }

    fn header(&self, line: &[u8]) -> Option<Columns> {
        let names: Vec<[&str; 1]> = self.columns.iter().map(|(_, name)| [name.as_str()]).collect();
        let names: Vec<&[&str]> = names.iter().map(|name| &name[..]).collect();
        Columns::named_by(line, &names)
    }

    fn reader(&'static self, setting: &Setting, state: State) -> Box<dyn Parser> {
        let at = answer::asked_at(setting, state.at);
        Box::new(Reader { format: self, at, clock: CivilClock::new(setting.zone.clone(), Some(at)), state })
    }
}

impl Format for &'static Named {
    fn name(&self) -> &'static str {
        match self.written {
            Written::Csv => "csv",
            Written::Json => "json",
        }
    }

    fn describe(&self) -> &'static str {
        "rows with the columns that the configuration names"
    }

    fn fits(&self, _head: &[u8]) -> Fit {
        Fit::No
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::boxed(|_| true, |_| None)
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        self.reader(setting, State::default())
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(self.reader(setting, serde_json::from_str(state)?))
    }

    fn next_answer(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let before: State = serde_json::from_str(state)?;
        Ok(self.reader(setting, State { seen: before.seen.next_answer(), ..State::default() }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }
}

/// Reads an answer.
struct Reader {
    format: &'static Named,
    at: UnixMs,
    clock: CivilClock,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The instant of the answer once it has begun.
    at: Option<UnixMs>,
    seen: FirstSeen,
    /// Where a table's columns stand; of objects, nothing.
    columns: Option<Columns>,
    /// Features and versions whose figures were told.
    told: BTreeSet<(String, String)>,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() {
            return silent(Line::Noise);
        }
        let format = self.format;
        match (format.written, self.state.at) {
            (Written::Csv, None) => {
                let Some(columns) = format.header(line) else {
                    return silent(Line::Unrecognized(
                        "line before a header with the columns that are configured",
                    ));
                };
                self.state.columns = Some(columns);
                self.begin()
            }
            (Written::Csv, Some(_)) if format.header(line).is_some() => silent(Line::Unrecognized(SECOND)),
            (Written::Json, None) if line == b"[]" => self.begin(),
            (Written::Json, None) => silent(Line::Unrecognized("object outside of an answer")),
            (Written::Json, Some(_)) if line == b"[]" => silent(Line::Unrecognized(SECOND)),
            (_, Some(_)) => match self.row(line) {
                Ok(events) => silent(told(events)),
                Err(reason) => silent(Line::Unrecognized(reason)),
            },
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn of<'a>(&self, what: What<'a>) -> Event<'a> {
        event(self.at, Cow::Borrowed(""), what)
    }

    fn begin(&mut self) -> Read<'static> {
        self.state.at = Some(self.at);
        let event = self.of(What::Polled { answered: true });
        Read { at: Some(self.at), process: "", line: Line::Event { event, times: 1 } }
    }

    fn row<'a>(&mut self, line: &'a [u8]) -> Result<Vec<Event<'a>>, Unread> {
        let format = self.format;
        let mut cells = match &self.state.columns {
            Some(columns) => Cells::of_row(&format.columns, columns.row(line)?),
            None => Cells::of_object(&format.columns, line)?,
        };
        let feature = cells.take(Column::Feature).ok_or("row without a feature")?;
        let version = cells.take(Column::Version);
        let holder = self.holder(&feature, version.as_ref(), &mut cells)?;
        let mut events = self.figures(&feature, version.as_ref(), &mut cells)?;
        if let Some((claim, since)) = holder {
            events.push(self.of(What::Shown { claim, since }));
        }
        Ok(events)
    }

    fn holder<'a>(
        &mut self,
        feature: &Cow<'a, str>,
        version: Option<&Cow<'a, str>>,
        cells: &mut Cells<'a>,
    ) -> Result<Option<(Claim<'a>, UnixMs)>, Unread> {
        let (user, host) = (cells.take(Column::User), cells.take(Column::Host));
        let seats = cells.number(Column::Seats)?;
        let printed = cells.take(Column::Since);
        if (user.is_none() && host.is_none()) || seats == Some(0) {
            return Ok(None);
        }
        let claim = Claim {
            feature: feature.clone(),
            version: version.cloned(),
            user: user.unwrap_or_default(),
            host: host.unwrap_or_default(),
            display: cells.take(Column::Display),
            handle: cells.take(Column::Handle),
            seats: seats.unwrap_or(1),
            ..Claim::default()
        };
        let since = if let Some(since) = printed {
            cells::instant(&since, &mut self.clock).ok_or("row with a start that cannot be read")?
        } else {
            let Claim { feature, version, user, host, display, handle, seats, .. } = &claim;
            let hold = format!("{:?}", (feature, version, user, host, display, handle, seats));
            self.state.seen.since(hold, self.at)
        };
        Ok(Some((claim, since.min(self.at))))
    }

    fn figures<'a>(
        &mut self,
        feature: &Cow<'a, str>,
        version: Option<&Cow<'a, str>>,
        cells: &mut Cells<'a>,
    ) -> Result<Vec<Event<'a>>, Unread> {
        let issued = cells.issued()?;
        let figures = [
            issued,
            cells.number(Column::InUse)?.map(Seats::InUse),
            cells.number(Column::Reserved)?.map(Seats::Reserved),
            cells.number(Column::Queued)?.map(Seats::Queued),
        ];
        let expires = cells.take(Column::Expires);
        let of = (feature.clone().into_owned(), version.cloned().unwrap_or_default().into_owned());
        let says = figures.iter().any(Option::is_some) || expires.is_some();
        if !says || !self.state.told.insert(of) {
            return Ok(Vec::new());
        }
        let seats = figures.into_iter().flatten();
        let mut events: Vec<_> =
            seats.map(|seats| self.of(What::Seats { feature: feature.clone(), seats })).collect();
        if let Some(expires) = expires {
            let expires = match &*expires.to_ascii_lowercase() {
                "never" | "permanent" => Expires::Never,
                date => cells::day(date).map_or(Expires::Unknown, Expires::On),
            };
            let version = version.cloned().unwrap_or_default();
            let seats = if let Some(Seats::Issued(seats)) = issued { seats } else { None };
            let expiry = Expiry { feature: feature.clone(), version, seats, expires };
            events.push(self.of(What::Expiry(expiry)));
        }
        Ok(events)
    }
}
