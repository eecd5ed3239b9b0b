//! `usage`: seat time, sessions and persons by any keys.

use super::group::Key;
use super::lens::Lens;
use super::note::Note;
use super::packages::Packages;
use super::tally::{Sums, Tally};
use super::totals;
use super::{Accumulator, Cell, Column, Report, Scope, SeatTime, Shared, minutes, seconds};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

/// The columns behind the keys.
const FIGURES: [&str; 4] = ["usage_minutes", "seat_seconds", "sessions", "persons"];

/// What `usage` can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The keys, in the order of the columns.
    pub by: Vec<Key>,
    /// Only seat time, for groups that have any: neither sessions nor persons are counted. Where no key and no filter tells
    /// sessions of a feature from each other, the figures of feature days are all that it needs.
    pub time_alone: bool,
}

impl Options {
    /// Seat time, sessions and persons by these keys.
    pub fn by(keys: Vec<Key>) -> Self {
        Self { by: keys, time_alone: false }
    }
}

impl Default for Options {
    /// By month and feature.
    fn default() -> Self {
        Self::by(vec![Key::Month, Key::Feature])
    }
}

/// The report `usage`. For each group of the sessions' parts (domain.md §5, in whole milliseconds until shown):
///
/// - `usage_minutes` = ∫u dt / 60, with ∫u dt in seat-seconds,
/// - `seat_seconds` = ∫u dt = Σ seats · (time of the session in the group),
/// - `sessions`: distinct sessions with a part in the group, one of zero length in the group of its instant,
/// - `persons`: distinct persons of these sessions.
///
/// By `product` or `type` without `feature` a package's session is left out where the same holder has a session of
/// one of its components that starts in the same second (domain.md §2).
///
/// Imported totals, minutes of which no sessions and persons are known, have rows of their own behind those of sessions
/// with the same keys, `sessions` and `persons` empty; `seat_seconds` = 60 · minutes.
#[derive(Debug)]
pub struct Usage<'a> {
    tally: Tally<'a>,
    packages: Option<Packages>,
    columns: Vec<Column>,
    time_alone: bool,
}

impl<'a> Usage<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        let lens = Lens::new(names, calendar, scope);
        let has = |key| options.by.contains(&key);
        let by_product = (has(Key::Product) || has(Key::Type)) && !has(Key::Feature);
        let packages = by_product.then(|| Packages::new(names, &lens.features()));
        let mut columns: Vec<_> = options.by.iter().map(|key| Column::text(key.name())).collect();
        let figures = if options.time_alone { &FIGURES[..2] } else { &FIGURES };
        columns.extend(figures.iter().copied().map(Column::number));
        Self { tally: Tally::new(lens, options.by), packages, columns, time_alone: options.time_alone }
    }
}

impl Accumulator for Usage<'_> {
    fn features(&self) -> Vec<FeatureId> {
        let mut features = self.tally.lens.features();
        features.extend(self.packages.iter().flat_map(Packages::components));
        features.sort_unstable();
        features.dedup();
        features
    }

    fn day(&mut self, view: &DayView<'_>) {
        let lens = &self.tally.lens;
        let (day, counts) = (view.civil.day, lens.counts_day(view.civil));
        let held = self.packages.as_mut().is_some_and(|packages| {
            packages.take(view, |part| counts && lens.counted(part.holder, day).is_some())
        });
        if !held {
            self.tally.day(view);
        }
    }

    fn seat_time(&mut self) -> Option<&mut dyn SeatTime> {
        let enough = self.time_alone && self.packages.is_none() && self.tally.is_of_whole_days();
        enough.then_some(&mut self.tally)
    }

    fn finish(self: Box<Self>) -> Report {
        let Self { mut tally, packages, columns, time_alone } = *self;
        let mut notes = tally.lens.notes();
        if packages.is_some() {
            notes.push(Note::PackagesLeftOut);
        }
        for (feature, day, parts) in packages.into_iter().flat_map(Packages::release) {
            let civil = tally.civil(day);
            tally.day(&DayView { feature, civil: &civil, parts: &parts, requests: &[] });
        }
        let keys = tally.by().len();
        let totals = totals::rows(&tally.lens, tally.by(), &mut notes);
        let mut sums = tally.finish();
        sums.retain(|sums| !time_alone || sums.seat_ms != 0);
        let mut rows = totals::merged(sums.into_iter().map(row).collect(), totals, keys);
        for row in &mut rows {
            row.truncate(columns.len());
        }
        Report { name: "usage", columns, rows, notes }
    }
}

impl Shared for Usage<'_> {
    fn can_share(&self) -> bool {
        self.packages.is_none()
    }

    fn join(&mut self, other: Self) {
        self.tally.join(other.tally);
    }
}

fn row(sums: Sums) -> Vec<Cell> {
    let mut row = sums.cells;
    row.extend([
        minutes(sums.seat_ms),
        seconds(sums.seat_ms),
        Cell::Int(sums.sessions),
        Cell::Int(sums.persons),
    ]);
    row
}
