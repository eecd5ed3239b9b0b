//! `ranking`: the features of each month, least used first.

use super::group::Key;
use super::lens::Lens;
use super::tally::{Sums, Tally};
use super::{Accumulator, Cell, Column, Report, Scope, minutes};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

/// The report `ranking`: `usage_minutes` = ∫u dt / 60 (seat-minutes; domain.md §5) of each month and feature, by
/// month, then ascending minutes, then feature. Whether all days count or the working days is the scope's matter.
#[derive(Debug)]
pub struct Ranking<'a> {
    tally: Tally<'a>,
}

impl<'a> Ranking<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        Self { tally: Tally::new(Lens::new(names, calendar, scope), vec![Key::Month, Key::Feature]) }
    }
}

impl Accumulator for Ranking<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.tally.lens.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.tally.day(view);
    }

    fn finish(self: Box<Self>) -> Report {
        let notes = self.tally.lens.notes();
        let mut sums = self.tally.finish();
        // They come by month and feature.
        for of_month in sums.chunk_by_mut(|one, other| one.cells[0] == other.cells[0]) {
            of_month.sort_by_key(|sums| sums.seat_ms);
        }
        let numbers = ["usage_minutes", "sessions", "persons"].map(Column::number);
        let columns = [Column::text("month"), Column::text("feature")].into_iter().chain(numbers).collect();
        Report { name: "ranking", columns, rows: sums.into_iter().map(row).collect(), notes }
    }
}

fn row(sums: Sums) -> Vec<Cell> {
    let mut row = sums.cells;
    row.extend([minutes(sums.seat_ms), Cell::Int(sums.sessions), Cell::Int(sums.persons)]);
    row
}
