//! The faces of a report: a table for people, CSV and JSON for machines, XLSX and HTML as files that people keep. All of
//! them stream: a listing of millions of rows never stands in memory as a whole.

mod about;
mod csv;
mod drawings;
mod figure;
mod html;
mod json;
mod layout;
mod look;
pub(crate) mod spark;
mod table;
mod xlsx;

#[cfg(test)]
mod tests;

use about::report_in_words;
pub(crate) use about::{About, Values, Wording, Words, in_words};
pub(crate) use look::Look;
pub(crate) use spark::sparkline;
pub(crate) use table::printable;

use accounting::UnixMs;
use accounting::report::{Cell, Column, Report, note};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Face {
    /// A table of the terminal's width, for people: numbers are rounded, long texts shortened.
    Table,
    /// RFC 4180 with a header row, in UTF-8: `.` decimals, ISO 8601 instants with the calendar's offset.
    Csv,
    /// An array of objects with the same names, one object a line.
    Json,
    /// A workbook for Excel and the like: typed cells, how they were counted, charts.
    Xlsx,
    /// One file for a browser or paper: how it was counted, charts, all rows.
    Html,
}

impl std::str::FromStr for Face {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "table" => Ok(Self::Table),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "xlsx" => Ok(Self::Xlsx),
            "html" => Ok(Self::Html),
            _ => Err(format!("unknown format `{name}`: table, csv, json, xlsx or html")),
        }
    }
}

impl Face {
    /// Whether it is a file for people, which tells in words what was asked and how it was counted.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::Xlsx | Self::Html)
    }
}

/// Writes a report. In CSV and JSON its notes have no place: the caller says them on standard error.
pub(crate) fn report(
    report: &Report,
    face: Face,
    zone: &TimeZone,
    look: &Look,
    about: Option<&About>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut rows = Rows::new(face, report.columns.clone(), zone, look, out);
    if let Some(about) = about {
        rows = rows.about(about);
    }
    rows = rows.drawn(report);
    if let Some(column) = bar_column(report.name) {
        rows = rows.with_bars(column);
    }
    for row in &report.rows {
        rows.row(row)?;
    }
    let said = about.map_or(note::said as Wording, |about| about.note);
    let notes: Vec<String> = report.notes.iter().map(|note| said(note, zone)).collect();
    rows.finish(&notes)
}

/// The column of a report that bars suit, where there is one.
pub(crate) fn bar_column(report: &str) -> Option<&'static str> {
    match report {
        "usage" | "ranking" => Some("usage_minutes"),
        "average-licenses" => Some("average_licenses"),
        "levels" => Some("percent_at_least"),
        "concurrency" | "seats-needed" => Some("seats_peak"),
        "heatmap" => Some("seats_average"),
        "utilization" => Some("utilization_percent"),
        "allocation" => Some("share_percent"),
        "denials" => Some("raw"),
        "idle" => Some("days_idle"),
        _ => None,
    }
}

/// What people read where there is no row.
pub(crate) const NOTHING: &str = "There is nothing in that period.";

/// Rows written one after the other.
pub(crate) struct Rows<'a> {
    face: Writing<'a>,
}

enum Writing<'a> {
    Table(table::Table<'a>),
    Csv(Box<csv::Csv<'a>>),
    Json(json::Json<'a>),
    Xlsx(Box<xlsx::Xlsx<'a>>),
    Html(Box<html::Html<'a>>),
}

impl<'a> Rows<'a> {
    /// Nothing written yet; instants are shown in `zone`.
    pub(crate) fn new(
        face: Face,
        columns: Vec<Column>,
        zone: &'a TimeZone,
        look: &'a Look,
        out: &'a mut dyn Write,
    ) -> Self {
        let face = match face {
            Face::Table => Writing::Table(table::Table::new(columns, zone, look, out)),
            Face::Csv => Writing::Csv(Box::new(csv::Csv::new(columns, zone, out))),
            Face::Json => Writing::Json(json::Json::new(&columns, zone, out)),
            Face::Xlsx => Writing::Xlsx(Box::new(xlsx::Xlsx::new(columns, zone, out))),
            Face::Html => Writing::Html(Box::new(html::Html::new(columns, zone, out))),
        };
        Self { face }
    }

    /// With bars behind a column of numbers, where the face and the look have bars.
    #[must_use]
    pub(crate) fn with_bars(mut self, column: &str) -> Self {
        if let Writing::Table(table) = &mut self.face {
            table.bars_behind(column);
        }
        self
    }

    /// With what people read where there is no row.
    #[must_use]
    pub(crate) fn or_else_say(mut self, nothing: &'a str) -> Self {
        if let Writing::Table(table) = &mut self.face {
            table.nothing = nothing;
        }
        self
    }

    /// With what is said about the rows, where the face has a place for it.
    #[must_use]
    pub(crate) fn about(mut self, about: &About) -> Self {
        match &mut self.face {
            Writing::Xlsx(xlsx) => xlsx.about(about),
            Writing::Html(html) => html.about(about),
            Writing::Table(_) | Writing::Csv(_) | Writing::Json(_) => {}
        }
        self
    }

    /// With the charts of a report, where the face has charts.
    fn drawn(mut self, report: &Report) -> Self {
        match &mut self.face {
            Writing::Table(table) => table.draw(|| figure::figures(report)),
            Writing::Xlsx(xlsx) => xlsx.draw(figure::figures(report)),
            Writing::Html(html) => html.draw(figure::figures(&report_in_words(html.values(), report))),
            Writing::Csv(_) | Writing::Json(_) => {}
        }
        self
    }

    /// Writes a row, which has a cell for each column.
    pub(crate) fn row(&mut self, cells: impl AsRef<[Cell]>) -> io::Result<()> {
        let cells = cells.as_ref();
        match &mut self.face {
            Writing::Table(table) => table.row(cells),
            Writing::Csv(csv) => csv.row(cells),
            Writing::Json(json) => json.row(cells),
            Writing::Xlsx(xlsx) => xlsx.row(cells),
            Writing::Html(html) => html.row(cells),
        }
    }

    /// Ends the listing; a table is followed by the notes, and files tell them.
    pub(crate) fn finish(self, notes: &[String]) -> io::Result<()> {
        match self.face {
            Writing::Table(table) => table.finish(notes),
            Writing::Csv(csv) => csv.finish(),
            Writing::Json(json) => json.finish(),
            Writing::Xlsx(xlsx) => xlsx.finish(notes),
            Writing::Html(html) => html.finish(notes),
        }
    }
}

/// An instant as ISO 8601 with the zone's offset.
pub(crate) fn iso(at: UnixMs, zone: &TimeZone) -> String {
    let mut text = String::new();
    push_iso(&mut text, at, zone);
    text
}

/// Appends an instant as ISO 8601 with the zone's offset; milliseconds only where there are any.
fn push_iso(text: &mut String, at: UnixMs, zone: &TimeZone) {
    let (local, offset) = local(at, zone);
    push_date_time(text, local, 'T');
    let ms = at.rem_euclid(1000);
    if ms != 0 {
        let _ = write!(text, ".{ms:03}");
    }
    let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let _ = write!(text, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 {
        let _ = write!(text, ":{:02}", seconds % 60);
    }
}

/// Appends an instant as the wall clock of the zone shows it, to the second.
fn push_wall_clock(text: &mut String, at: UnixMs, zone: &TimeZone) {
    push_date_time(text, local(at, zone).0, ' ');
}

fn push_date_time(text: &mut String, at: jiff::civil::DateTime, between: char) {
    let (year, month, day) = (at.year(), at.month(), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let _ = write!(text, "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}");
}

/// The wall clock of an instant in a zone, and the offset in seconds.
fn local(at: UnixMs, zone: &TimeZone) -> (jiff::civil::DateTime, i32) {
    let limit = if at < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(limit);
    let offset = zone.to_offset(stamp);
    (offset.to_datetime(stamp), offset.seconds())
}
