//! The civil days of a report, each made once.

use super::lens::Lens;
use crate::UnixMs;
use crate::by_day::ByDay;
use crate::calendar::CivilDay;
use crate::day::Day;
use std::sync::Arc;

/// A civil day and what it counts for.
#[derive(Debug)]
pub(crate) struct DayRow {
    pub(crate) civil: CivilDay,
    /// Its stretches that count, each with its time class where that is a key, else with class 0.
    pub(crate) stretches: Vec<(UnixMs, UnixMs, u8)>,
    /// Whether no time class has two of these stretches.
    pub(crate) classes_once: bool,
    /// Whether the scope counts it.
    pub(crate) counts: bool,
    /// Months since the year 0.
    pub(crate) month: i32,
    /// The ISO week: its year times 100 and its number.
    pub(crate) week: i32,
}

impl DayRow {
    /// The time class of the stretch that holds an instant (0 where classes are no key); `None` where none does.
    pub(crate) fn class_at(&self, at: UnixMs) -> Option<u8> {
        self.stretches.iter().find(|(from, until, _)| *from <= at && at < *until).map(|(.., class)| *class)
    }
}

/// The civil days of a report, each made once.
#[derive(Debug)]
pub(crate) struct Days {
    by_class: bool,
    rows: ByDay<Arc<DayRow>>,
}

impl Days {
    pub(crate) fn new(by_class: bool) -> Self {
        Self { by_class, rows: ByDay::default() }
    }

    pub(crate) fn row(&mut self, day: Day, lens: &Lens<'_>) -> Arc<DayRow> {
        let row = self.rows.of(day, || {
            let civil = lens.calendar.day(day);
            let stretches = stretches(&civil, lens, self.by_class);
            let classes = stretches.iter().fold(0_u32, |classes, (_, _, class)| classes | 1 << class);
            Arc::new(DayRow {
                counts: lens.counts_day(&civil),
                classes_once: classes.count_ones() as usize == stretches.len(),
                stretches,
                civil,
                month: month_of(day),
                week: week_of(day),
            })
        });
        Arc::clone(row)
    }
}

/// Months since the year 0.
pub(crate) fn month_of(day: Day) -> i32 {
    let date = day.date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}

/// The ISO week: its year times 100 and its number.
pub(crate) fn week_of(day: Day) -> i32 {
    let week = day.date().iso_week_date();
    i32::from(week.year()) * 100 + i32::from(week.week())
}

/// The cuts of a day of the scope's class, or the whole day where classes do not matter.
fn stretches(civil: &CivilDay, lens: &Lens<'_>, by_class: bool) -> Vec<(UnixMs, UnixMs, u8)> {
    if !by_class && lens.scope.class.is_none() {
        return vec![(civil.start, civil.end, 0)];
    }
    let of_scope = civil.cuts.iter().filter(|cut| lens.scope.class.is_none_or(|only| only == cut.class));
    of_scope.map(|cut| (cut.from, cut.until, if by_class { cut.class } else { 0 })).collect()
}
