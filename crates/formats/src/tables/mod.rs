//! Tables of the systems that came before, as separated values whose first line names the columns.

mod syslog_line;
mod usage_table;
mod uso_diario;

pub use syslog_line::SyslogLine;
pub use usage_table::UsageTable;
pub use uso_diario::UsoDiario;

use crate::line::{Fit, Line, Note, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::separated::Columns;
use crate::text::{bare, number, trim, two};
use accounting::UnixMs;
use accounting::calendar::{instant, midnight};
use accounting::day::Day;
use accounting::event::{Claim, Event, What};
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::marker::PhantomData;

/// What a table's rows say.
trait Table: Send + 'static {
    /// The columns that must be there, each by all of its names.
    const COLUMNS: &'static [&'static [&'static str]];

    /// The day and the minute of the day that a row is of; none where rows are no evidence of a moment.
    fn moment(row: &[Cow<'_, str>]) -> Option<(Day, u32)>;

    /// What a row says, or what is wrong with it. `at` is the instant of its moment.
    fn what<'a>(row: Vec<Cow<'a, str>>, at: UnixMs, columns: &Columns) -> Result<What<'a>, &'static str>;
}

/// Whether a text begins with the line that names a table's columns.
fn fits<T: Table>(head: &[u8]) -> Fit {
    let mut lines = head.split(|&byte| byte == b'\n').map(|line| trim(bare(line)));
    match lines.find(|line| !line.is_empty()) {
        Some(first) if Columns::named_by(first, T::COLUMNS).is_some() => Fit::Yes,
        _ => Fit::No,
    }
}

/// Reads a table.
struct Reader<T> {
    zone: TimeZone,
    columns: Option<Columns>,
    table: PhantomData<T>,
}

impl<T: Table> Reader<T> {
    fn boxed(setting: &Setting) -> Box<dyn Parser> {
        Box::new(Self { zone: setting.zone.clone(), columns: None, table: PhantomData })
    }

    fn resumed(setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let columns = serde_json::from_str(state)?;
        Ok(Box::new(Self { zone: setting.zone.clone(), columns, table: PhantomData }))
    }

    fn row<'a>(&self, line: &'a [u8]) -> Result<Event<'a>, &'static str> {
        let columns = self.columns.as_ref().ok_or("row before a line that names all columns of the table")?;
        let row = columns.row(line)?;
        let at = T::moment(&row).map_or(0, |(day, minute)| {
            let midnight = midnight(day);
            let local =
                midnight.checked_add(jiff::Span::new().minutes(i64::from(minute))).unwrap_or(midnight);
            instant(local, &self.zone)
        });
        Ok(Event { at, order: 0, vendor: Cow::Borrowed(""), what: T::what(row, at, columns)? })
    }
}

impl<T: Table> Parser for Reader<T> {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() {
            return Read { at: None, process: "", line: Line::Noise };
        }
        if let Some(columns) = Columns::named_by(line, T::COLUMNS) {
            self.columns = Some(columns);
            return Read { at: None, process: "", line: Line::Note(Note::State) };
        }
        match self.row(line) {
            Ok(event) => {
                let at = Some(event.at).filter(|_| !matches!(event.what, What::Total(_)));
                Read { at, process: "", line: Line::Event { event, times: 1 } }
            }
            Err(reason) => Read { at: None, process: "", line: Line::Unrecognized(reason) },
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.columns).unwrap_or_default()
    }
}

/// Looks for the first row.
struct Look<T> {
    lines: u64,
    columns: Option<Columns>,
    found: Survey,
    table: PhantomData<T>,
}

impl<T: Table> Look<T> {
    fn boxed() -> Box<dyn Surveyor> {
        Box::new(Self { lines: 0, columns: None, found: Survey::default(), table: PhantomData::<T> })
    }
}

impl<T: Table> Surveyor for Look<T> {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = trim(bare(line));
        if let Some(columns) = Columns::named_by(line, T::COLUMNS) {
            self.columns = Some(columns);
            return true;
        }
        let Some(columns) = &self.columns else { return true };
        let Ok(row) = columns.row(line) else { return true };
        let Some((day, minute)) = T::moment(&row) else { return true };
        if T::what(row, 0, columns).is_err() {
            return true;
        }
        self.found.first_day = Some(day);
        self.found.first_second = Some(minute * 60);
        self.found.first_dated_line = Some(self.lines);
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}

/// Day and minute of `aaaa`, `mm`, `dd`, hour and minute of the article's tables.
fn article_moment(row: &[Cow<'_, str>]) -> Option<(Day, u32)> {
    let [year, month, of_month, hour, minute, ..] = row else { return None };
    let short = |text: &str| number(text.as_bytes()).filter(|_| text.len() <= 2);
    let day = crate::text::day(number(year.as_bytes())?, short(month)?, short(of_month)?)?;
    let (hour, minute) = (short(hour)?, two(minute.as_bytes()).or_else(|| short(minute))?);
    (hour < 24 && minute < 60).then_some((day, hour * 60 + minute))
}

/// Who used what, as wrapper records say it.
fn article_claim<'a>(
    app: Cow<'a, str>,
    user: Cow<'a, str>,
    host: Cow<'a, str>,
    pid: Cow<'a, str>,
) -> Result<Claim<'a>, &'static str> {
    if pid.is_empty() || pid.len() > 20 || !pid.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("row without a process id");
    }
    if app.is_empty() || user.is_empty() {
        return Err(if app.is_empty() { "row without an application" } else { "row without a user" });
    }
    Ok(Claim { feature: app, user, host, handle: Some(pid), seats: 1, ..Claim::default() })
}
