//! `average-licenses`: how many licenses working at all working hours would have given the same use.

use super::group::Key;
use super::lens::Lens;
use super::monthly::Monthly;
use super::note::{Hours, Note, WorkingTime};
use super::{Accumulator, Cell, Column, Report, Scope, Shared};
use crate::calendar::{Calendar, CivilDay};
use crate::day::Day;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;
use std::collections::BTreeMap;

/// What `average-licenses` can be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Options {
    /// Working hours of a working day; by default the mean length of the class `prime` (of all classes where the
    /// calendar has none of that name) on the month's working days.
    pub hours_per_day: Option<f64>,
    /// Working days of a month; by default the calendar's, without holidays.
    pub days_per_month: Option<f64>,
}

/// The report `average-licenses`: `average_licenses` = usage minutes on working days / 60 / working hours per day /
/// working days in the month (the article's `AveLic`; domain.md §5). Always working days only; the whole month is the
/// denominator, also where the period is a part of it. By keys each group's use is divided by the same hours.
#[derive(Debug)]
pub struct AverageLicenses<'a> {
    monthly: Monthly<'a>,
    options: Options,
}

impl<'a> AverageLicenses<'a> {
    /// The keys that it can be asked by.
    pub const KEYS: [Key; 12] = super::utilization::Utilization::KEYS;

    /// An empty one, by month and feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        Self::by(names, calendar, scope, options, &[])
    }

    /// An empty one by some of [`Self::KEYS`], month and feature.
    pub fn by(
        names: &'a Names,
        calendar: &'a Calendar,
        mut scope: Scope,
        options: Options,
        by: &[Key],
    ) -> Self {
        scope.working_days_only = true;
        Self { monthly: Monthly::new(Lens::new(names, calendar, scope), by, |_| false), options }
    }
}

impl Accumulator for AverageLicenses<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.monthly.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.monthly.day(view);
    }

    fn finish(self: Box<Self>) -> Report {
        let Self { monthly, options } = *self;
        let calendar = monthly.lens().calendar;
        let mut notes = monthly.notes();
        notes.push(Note::License(options.working_time(calendar)));
        let (mut columns, _) = monthly.columns();
        let month_at = monthly.place(Key::Month);
        let mut hours_of_month: BTreeMap<String, f64> = BTreeMap::new();
        let mut rows = Vec::new();
        for sums in monthly.finish() {
            let Cell::Text(month) = &sums.cells[month_at] else { continue };
            let hours = *hours_of_month
                .entry(month.clone())
                .or_insert_with(|| options.hours_of_month(calendar, first_day(month)));
            let average = if hours > 0.0 {
                Cell::Decimal(sums.seat_ms as f64 / 3_600_000.0 / hours)
            } else {
                Cell::Empty
            };
            rows.push(sums.cells.into_iter().chain([average]).collect());
        }
        columns.push(Column::number("average_licenses"));
        Report { name: "average-licenses", columns, rows, notes }
    }
}

impl Shared for AverageLicenses<'_> {
    fn can_share(&self) -> bool {
        self.monthly.can_share()
    }

    fn join(&mut self, other: Self) {
        self.monthly.join(other.monthly);
    }
}

impl Options {
    /// Working hours per day · working days of the month that begins on that day.
    pub(crate) fn hours_of_month(&self, calendar: &Calendar, first: Option<Day>) -> f64 {
        let Some(first) = first else { return 0.0 };
        let month = first.date().month();
        let days: Vec<CivilDay> = (0..31)
            .map(|nth| Day(first.0 + nth))
            .filter(|day| day.date().month() == month && calendar.is_working(*day))
            .map(|day| calendar.day(day))
            .collect();
        let prime_ms: i64 = days.iter().map(|day| prime_ms(calendar, day)).sum();
        let mean = prime_ms as f64 / 3_600_000.0 / (days.len() as f64).max(1.0);
        self.hours_per_day.unwrap_or(mean) * self.days_per_month.unwrap_or(days.len() as f64)
    }

    /// By what working time a license is counted.
    pub(crate) fn working_time(&self, calendar: &Calendar) -> WorkingTime {
        let hours = match self.hours_per_day {
            Some(hours) => Hours::Given(hours),
            None if calendar.class_named("prime").is_some() => Hours::Prime,
            None => Hours::AllClasses,
        };
        WorkingTime { hours, days: self.days_per_month }
    }
}

/// How long the class `prime` is on a day, or where there is none of that name the whole day.
fn prime_ms(calendar: &Calendar, civil: &CivilDay) -> i64 {
    let prime = calendar.class_named("prime");
    let cuts = civil.cuts.iter().filter(|cut| prime.is_none_or(|prime| cut.class == prime));
    cuts.map(|cut| cut.until - cut.from).sum()
}

/// The first day of a month `YYYY-MM`.
fn first_day(month: &str) -> Option<Day> {
    format!("{month}-01").parse().ok()
}
