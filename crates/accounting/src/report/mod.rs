//! Reports: plain values computed from feature days, which know nothing of their rendering.

use crate::UnixMs;
use crate::day::Day;
use crate::feature_day::DayView;
use globset::GlobMatcher;

/// A computed answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows; each has a cell for each column.
    pub rows: Vec<Vec<Cell>>,
    /// What must be said beside the figures: coverage, calendars, what is left out.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV, JSON and the table's head.
    pub name: &'static str,
    /// Whether its cells are numbers (shown right-aligned).
    pub number: bool,
}

/// A value of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Not known, or not meant to be known.
    Empty,
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// A number with up to six decimals.
    Decimal(f64),
    /// An instant, shown in the calendar's zone.
    Instant(UnixMs),
}

/// What a report is asked about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// First day; everything in the ledger where `None`.
    pub from: Option<Day>,
    /// The day after the last.
    pub until: Option<Day>,
    /// Codes of features.
    pub feature: Option<GlobMatcher>,
    /// One license server's name.
    pub server: Option<String>,
    /// Persons' names.
    pub person: Option<GlobMatcher>,
    /// Organizations' names.
    pub organization: Option<GlobMatcher>,
    /// One time class of the calendar.
    pub class: Option<u8>,
    /// Working days only.
    pub working_days_only: bool,
}

/// Takes in the feature days of a scope, ascending by feature and day, and makes a report of them.
pub trait Accumulator {
    /// Whether [`DayView::requests`] must be filled.
    fn needs_requests(&self) -> bool {
        false
    }
    /// Takes in one feature day.
    fn day(&mut self, view: &DayView<'_>);
    /// The report.
    fn finish(self: Box<Self>) -> Report;
}
