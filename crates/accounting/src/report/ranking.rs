//! `ranking`: the features of each month, least used first.

use super::group::Key;
use super::lens::Lens;
use super::monthly::Monthly;
use super::tally::Sums;
use super::{Accumulator, Cell, Column, Report, Scope, Shared, minutes};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

/// The report `ranking`: `usage_minutes` = ∫u dt / 60 (seat-minutes; domain.md §5) of each month and feature, by
/// month, then ascending minutes, then feature. Whether all days count or the working days is the scope's matter.
///
/// By keys there is a ranking for each group and month; by product or type these are ranked instead of features.
#[derive(Debug)]
pub struct Ranking<'a> {
    monthly: Monthly<'a>,
}

impl<'a> Ranking<'a> {
    /// An empty one, by month and feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        Self::by(names, calendar, scope, &[])
    }

    /// An empty one by any keys, month and feature.
    pub fn by(names: &'a Names, calendar: &'a Calendar, scope: Scope, by: &[Key]) -> Self {
        Self { monthly: Monthly::new(Lens::new(names, calendar, scope), by, is_ranked) }
    }
}

fn is_ranked(key: Key) -> bool {
    matches!(key, Key::Feature | Key::Product | Key::Type)
}

impl Accumulator for Ranking<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.monthly.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.monthly.day(view);
    }

    fn finish(self: Box<Self>) -> Report {
        let notes = self.monthly.notes();
        let (mut columns, arrange) = self.monthly.columns();
        let lists = self.monthly.not_ranked();
        let mut sums = self.monthly.finish();
        for of_list in sums.chunk_by_mut(|one, other| one.cells[..lists] == other.cells[..lists]) {
            of_list.sort_by_key(|sums| sums.seat_ms);
        }
        let row = |sums: &Sums| {
            let mut row = arrange.cells(&sums.cells);
            row.extend([minutes(sums.seat_ms), Cell::Int(sums.sessions), Cell::Int(sums.persons)]);
            row
        };
        columns.extend(["usage_minutes", "sessions", "persons"].map(Column::number));
        Report { name: "ranking", columns, rows: sums.iter().map(row).collect(), notes }
    }
}

impl Shared for Ranking<'_> {
    fn can_share(&self) -> bool {
        self.monthly.can_share()
    }

    fn join(&mut self, other: Self) {
        self.monthly.join(other.monthly);
    }
}
