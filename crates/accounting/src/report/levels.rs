//! `levels`: for how long how many seats were in use.

use super::lens::Lens;
use super::watch::Watch;
use super::{Accumulator, Cell, Column, Report, Scope, percent, seconds};
use crate::calendar::Calendar;
use crate::concurrency::Sweep;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// The report `levels` (time-at-N). For each feature, over W = what was watched of the period's time that counts, T =
/// its seconds (domain.md §5), a row for n = 0 and for each n at which u(t) stood:
///
/// - `seconds_at` = time(u = n), `seconds_at_least` = time(u ≥ n), in seconds,
/// - `percent_at` = 100 · H(n) = 100 · time(u = n) / T, `percent_at_least` = 100 · E(n) = 100 · time(u ≥ n) / T.
#[derive(Debug)]
pub struct Levels<'a> {
    lens: Lens<'a>,
    sweep: Sweep,
    watches: FxHashMap<FeatureId, Watch>,
    at: FxHashMap<FeatureId, AtSeats>,
}

/// Up to so many seats the time at each is kept in an array.
const FEW: usize = 4096;

/// The milliseconds in which so many seats were in use, for each number of seats.
#[derive(Debug, Default)]
struct AtSeats {
    few: Vec<i64>,
    many: BTreeMap<i64, i64>,
}

impl AtSeats {
    fn add(&mut self, seats: i64, ms: i64) {
        let place = seats as usize;
        if place >= FEW {
            *self.many.entry(seats).or_default() += ms;
            return;
        }
        if place >= self.few.len() {
            self.few.resize(place + 1, 0);
        }
        self.few[place] += ms;
    }

    /// The numbers of seats above 0 that were in use, ascending.
    fn busy(&self) -> impl Iterator<Item = (i64, i128)> {
        let few = (0..).zip(&self.few).filter(|(seats, ms)| *seats > 0 && **ms > 0);
        few.chain(self.many.iter().map(|(&seats, ms)| (seats, ms)))
            .map(|(seats, &ms)| (seats, i128::from(ms)))
    }
}

impl<'a> Levels<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        let lens = Lens::new(names, calendar, scope);
        let watches = lens.features().into_iter().map(|id| (id, lens.watch(id))).collect();
        Self { lens, sweep: Sweep::default(), watches, at: FxHashMap::default() }
    }

    /// T in milliseconds.
    fn watched_ms(&self, watch: &Watch) -> i128 {
        let of_day = |day| self.lens.windows(&self.lens.calendar.day(day), watch);
        let windows = self.lens.watched_days(watch).into_iter().flat_map(of_day);
        windows.map(|(from, until)| i128::from(until - from)).sum()
    }
}

impl Accumulator for Levels<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.lens.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        let Some(watch) = self.watches.get(&view.feature) else { return };
        let windows = self.lens.windows(view.civil, watch);
        self.sweep.clear();
        let mut any = false;
        for part in view.parts {
            if !windows.is_empty() && self.lens.counted(part.holder, view.civil.day).is_some() {
                any = true;
                self.sweep.add(part.from.max(view.civil.start), part.until.min(view.civil.end), part.seats);
            }
        }
        if !any {
            return;
        }
        let at = self.at.entry(view.feature).or_default();
        let mut next = 0;
        self.sweep.levels(view.civil.start, view.civil.end, |level| {
            while next < windows.len() && windows[next].1 <= level.from {
                next += 1;
            }
            for window in windows[next..].iter().take_while(|window| window.0 < level.until) {
                at.add(level.seats, window.1.min(level.until) - window.0.max(level.from));
            }
        });
    }

    fn finish(self: Box<Self>) -> Report {
        let mut watched: Vec<(&Watch, i128)> = Vec::new();
        let mut rows = Vec::new();
        let code = |id: FeatureId| self.lens.names.features.get(&id).map_or("", |feature| &feature.code);
        let mut features = self.lens.features();
        features.sort_by_key(|&id| code(id));
        let nothing = AtSeats::default();
        for feature in features {
            let at = self.at.get(&feature);
            if at.is_none() && self.lens.capacity(feature).is_none() {
                continue;
            }
            let watch = &self.watches[&feature];
            let known = watched.iter().find(|(other, _)| *other == watch).map(|(_, ms)| *ms);
            let total_ms = known.unwrap_or_else(|| {
                watched.push((watch, self.watched_ms(watch)));
                watched.last().map_or(0, |(_, ms)| *ms)
            });
            if total_ms > 0 {
                rows.extend(rows_of(code(feature), at.unwrap_or(&nothing), total_ms));
            }
        }
        let mut columns = vec![Column::text("feature")];
        let numbers = ["seats", "seconds_at", "seconds_at_least", "percent_at", "percent_at_least"];
        columns.extend(numbers.map(Column::number));
        Report { name: "levels", columns, rows, notes: self.lens.notes() }
    }
}

/// The rows of one feature, ascending by seats.
fn rows_of(code: &str, at: &AtSeats, total_ms: i128) -> Vec<Vec<Cell>> {
    let idle_ms = total_ms - at.busy().map(|(_, ms)| ms).sum::<i128>();
    let mut at_least_ms = total_ms;
    let mut rows = Vec::new();
    for (seats, ms) in std::iter::once((0, idle_ms)).chain(at.busy()) {
        rows.push(vec![
            Cell::Text(code.to_owned()),
            Cell::Int(seats),
            seconds(ms),
            seconds(at_least_ms),
            percent(ms, total_ms),
            percent(at_least_ms, total_ms),
        ]);
        at_least_ms -= ms;
    }
    rows
}
