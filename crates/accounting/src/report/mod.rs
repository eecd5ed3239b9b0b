//! Reports: plain values computed from feature days, which know nothing of their rendering.

pub mod allocation;
pub mod average_licenses;
pub mod concurrency;
pub mod denials;
pub mod expiry;
pub mod group;
pub mod heatmap;
pub mod idle;
pub mod levels;
pub mod money;
pub mod note;
pub mod overnight;
pub mod ranking;
pub mod seats_needed;
pub mod usage;
pub mod utilization;

mod bins;
mod curves;
mod days;
mod labels;
mod lens;
mod monthly;
mod packages;
mod pools;
mod seats;
mod storms;
mod sums;
mod table;
mod tally;
mod totals;
mod watch;

pub use lens::{Lens, Who};

use crate::UnixMs;
use crate::calendar::CivilDay;
use crate::day::Day;
use crate::feature_day::DayView;
use crate::session::FeatureId;
use globset::GlobMatcher;
use std::fmt::Write as _;

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
    pub notes: Vec<note::Note>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV, JSON and the table's head.
    pub name: &'static str,
    /// Whether its cells are numbers (shown right-aligned).
    pub number: bool,
}

impl Column {
    /// A column of texts or instants.
    pub const fn text(name: &'static str) -> Self {
        Self { name, number: false }
    }

    /// A column of numbers.
    pub const fn number(name: &'static str) -> Self {
        Self { name, number: true }
    }
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
    /// An amount of money, always shown with two decimals.
    Amount(money::Cents),
}

impl Report {
    /// Keeps the columns of these names alone, in the report's order.
    pub fn keep(&mut self, names: &[&str]) -> Result<(), UnknownColumn> {
        if let Some(name) = names.iter().find(|name| !self.columns.iter().any(|column| column.name == **name))
        {
            let known = self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(" ");
            return Err(UnknownColumn { report: self.name, name: (*name).to_owned(), known });
        }
        let kept: Vec<bool> = self.columns.iter().map(|column| names.contains(&column.name)).collect();
        for row in &mut self.rows {
            let mut kept = kept.iter();
            row.retain(|_| kept.next() == Some(&true));
        }
        self.columns.retain(|column| names.contains(&column.name));
        Ok(())
    }
}

/// A column that a report does not have.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{report}` has no column `{name}`: its columns are {known}")]
pub struct UnknownColumn {
    report: &'static str,
    name: String,
    known: String,
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

/// Takes in the feature days of a scope, ascending by feature and day, and makes a report of them. Of a feature all
/// days of the period are to be given that have sessions, also those that do not count: packages look at them.
pub trait Accumulator {
    /// The features whose days must be given, ascending: those of the scope, and others that bear on them.
    fn features(&self) -> Vec<FeatureId>;
    /// Whether [`DayView::requests`] must be filled.
    fn needs_requests(&self) -> bool {
        false
    }
    /// How many civil days before and behind the period must be given too, [`MOST_MARGIN_DAYS`] at most.
    fn margin_days(&self) -> i32 {
        0
    }
    /// Takes in one feature day.
    fn day(&mut self, view: &DayView<'_>);
    /// What takes in seat time instead, where nothing else is needed of feature days.
    fn seat_time(&mut self) -> Option<&mut dyn SeatTime> {
        None
    }
    /// The report.
    fn finish(self: Box<Self>) -> Report;
}

/// Takes in the seat time of feature days, in any order: of days that are stored it is a figure, and no session need be read.
pub trait SeatTime {
    /// Takes in ∫u dt of one feature day by time class, in the calendar's order, in seat-milliseconds.
    fn add(&mut self, feature: FeatureId, civil: &CivilDay, seat_ms: &[i64]);
}

/// No report needs more days than these before and behind its period.
pub const MOST_MARGIN_DAYS: i32 = 1;

/// An accumulator whose features can be given to several of the same kind, each with all days of its features, and
/// joined in the end.
pub trait Shared: Accumulator + Send + Sized {
    /// Whether features can be taken apart: not where days of one feature bear on another one.
    fn can_share(&self) -> bool {
        true
    }
    /// Adds what another one of the same names, calendar and scope was given.
    fn join(&mut self, other: Self);
}

/// A number as the faces show it: up to six digits after the point, no exponent, no trailing zeros.
pub fn decimal(number: f64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, number);
    text
}

/// Puts a number behind a text as [`decimal`] shows it.
pub fn push_decimal(text: &mut String, number: f64) {
    let begin = text.len();
    // A text takes whatever is written.
    let _ = if number.fract() == 0.0 && number.abs() < WHOLE_AT_MOST {
        write!(text, "{}", number as i64)
    } else if let Some(millionths) = millionths(number) {
        let fraction = millionths % 1_000_000;
        let whole = write!(text, "{}", millionths / 1_000_000);
        if fraction > 0 {
            text.push('.');
            push_fraction(text, fraction);
        }
        whole
    } else {
        let digits = write!(text, "{number:.6}");
        text.truncate(begin + text[begin..].trim_end_matches('0').trim_end_matches('.').len());
        if &text[begin..] == "-0" {
            text.replace_range(begin.., "0");
        }
        digits
    };
}

/// Puts so many millionths behind a point, without zeros at their end; there are some, and less than a million.
fn push_fraction(text: &mut String, mut millionths: u64) {
    let mut place = 100_000;
    while millionths > 0 {
        text.push(char::from(b'0' + (millionths / place) as u8));
        millionths %= place;
        place /= 10;
    }
}

/// Below it whole numbers are exact.
const WHOLE_AT_MOST: f64 = 9e15;

/// A number in millionths, where there is no doubt how it is rounded: that is quicker than all the digits of a fraction.
fn millionths(number: f64) -> Option<u64> {
    let scaled = number * 1e6;
    let rounded = scaled.round();
    // Below 2^44 the product is off by 2^-9 at most.
    ((0.0..(1_u64 << 44) as f64).contains(&scaled) && (scaled - rounded).abs() < 0.49)
        .then_some(rounded as u64)
}

/// Milliseconds as seconds.
fn seconds(ms: i128) -> Cell {
    Cell::Decimal(ms as f64 / 1000.0)
}

/// Milliseconds as minutes.
fn minutes(ms: i128) -> Cell {
    Cell::Decimal(ms as f64 / 60_000.0)
}

/// `part` of `whole` in percent; empty where there is no whole.
fn percent(part: i128, whole: i128) -> Cell {
    if whole == 0 { Cell::Empty } else { Cell::Decimal(100.0 * part as f64 / whole as f64) }
}

#[cfg(test)]
mod tests {
    use super::decimal;
    use proptest::prelude::*;

    /// As [`decimal`], by all the digits.
    fn by_digits(number: f64) -> String {
        let text = format!("{number:.6}");
        match text.trim_end_matches('0').trim_end_matches('.') {
            "-0" => "0".to_owned(),
            short => short.to_owned(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn decimals_are_rounded_as_all_their_digits_say(
            whole in -3e7..3e7_f64, ms in 0..i64::from(u32::MAX), by in 1..100_000_i64, halves in 0..40_000_000_i64, any in any::<f64>()
        ) {
            let middle = halves as f64 / 2e6;
            let numbers = [whole, ms as f64 / by as f64, middle, middle.next_up(), middle.next_down(), middle * 1e3, any];
            for number in numbers.into_iter().filter(|number| number.is_finite()) {
                prop_assert_eq!(decimal(number), by_digits(number));
            }
        }
    }

    #[test]
    fn decimals_have_up_to_six_digits_and_no_exponent() {
        let numbers = [0.0, -0.0, -1e-9, 1.0, 100.0, 0.5, 1e-6, 4e-7, 0.043_813_131, 1e15, -2.25, 120_300.0];
        let texts =
            ["0", "0", "0", "1", "100", "0.5", "0.000001", "0", "0.043813", "1000000000000000", "-2.25"];
        assert_eq!(numbers.map(decimal)[..11], texts);
        assert_eq!(decimal(120_300.0), "120300");
    }
}
