//! `concurrency`: seats in use, hour by hour, day by day or month by month.

use super::lens::Lens;
use super::watch::Watch;
use super::{Accumulator, Cell, Column, Report, Scope};
use crate::UnixMs;
use crate::calendar::{Calendar, CivilDay};
use crate::capacity::Steps;
use crate::concurrency::{Level, Sweep};
use crate::day::Day;
use crate::feature_day::{DayView, Outcome};
use crate::ledger::Names;
use crate::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Above so many rows the steps in which nothing happened are left out.
const MOST_ROWS: usize = 500_000;

/// The length of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Step {
    /// An hour of the wall clock.
    Hour,
    /// A civil day.
    #[default]
    Day,
    /// A month.
    Month,
}

impl std::str::FromStr for Step {
    type Err = UnknownStep;

    fn from_str(text: &str) -> Result<Self, UnknownStep> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            "month" => Ok(Self::Month),
            _ => Err(UnknownStep(text.to_owned())),
        }
    }
}

/// A step that there is not.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown step `{0}`: one of hour day month")]
pub struct UnknownStep(String);

/// What happened in a step.
#[derive(Debug, Clone, Copy, Default)]
struct Happened {
    seat_ms: i128,
    seats_peak: i64,
    seats_peak_at: UnixMs,
    denials: i64,
}

/// A civil day and its steps: (first instant of the step, end of what of it lies in the day).
#[derive(Debug)]
struct DaySteps {
    civil: CivilDay,
    steps: Vec<(UnixMs, UnixMs)>,
}

/// A stretch of W (domain.md §5), and the first instant of the step in which it lies.
#[derive(Debug, Clone, Copy)]
struct Piece {
    step: UnixMs,
    from: UnixMs,
    until: UnixMs,
}

/// The report `concurrency`. For each feature and step, W = what was watched of the step's time that counts, T = its
/// seconds (domain.md §5):
///
/// - `seats_average` = ∫u dt / T in seats, time-weighted,
/// - `seats_peak` = max u, `seats_peak_at` the first instant at which it was reached, empty where nothing was in use,
/// - `seats_issued`: the capacity in force at the end of W, or where that is not known the last one known in it,
/// - `denials`: refused requests of any reason.
///
/// Steps of which nothing was watched have no row; all others have one, with zeros where nothing was seen.
#[derive(Debug)]
pub struct Concurrency<'a> {
    lens: Lens<'a>,
    step: Step,
    sweep: Sweep,
    watches: FxHashMap<FeatureId, Watch>,
    days: FxHashMap<Day, Arc<DaySteps>>,
    /// What happened in the steps, ascending by feature and step; those in which nothing did are not there.
    happened: Vec<(FeatureId, UnixMs, Happened)>,
    seen: FxHashSet<FeatureId>,
}

impl<'a> Concurrency<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, step: Step) -> Self {
        let lens = Lens::new(names, calendar, scope);
        let watches = lens.features().into_iter().map(|id| (id, lens.watch(id))).collect();
        Self {
            lens,
            step,
            sweep: Sweep::default(),
            watches,
            days: FxHashMap::default(),
            happened: Vec::new(),
            seen: FxHashSet::default(),
        }
    }
}

impl Accumulator for Concurrency<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.lens.features()
    }

    fn needs_requests(&self) -> bool {
        true
    }

    fn day(&mut self, view: &DayView<'_>) {
        let steps = self.steps(view.civil.day);
        let Some(watch) = self.watches.get(&view.feature) else { return };
        let pieces = pieces(&self.lens, &steps, watch);
        if pieces.is_empty() {
            return;
        }
        self.sweep.clear();
        for part in view.parts {
            if self.lens.counted(part.holder, view.civil.day).is_some() {
                self.seen.insert(view.feature);
                self.sweep.add(part.from.max(view.civil.start), part.until.min(view.civil.end), part.seats);
            }
        }
        let mut happened = vec![Happened::default(); pieces.len()];
        let mut next = 0;
        self.sweep.levels(view.civil.start, view.civil.end, |level| {
            while next < pieces.len() && pieces[next].until <= level.from {
                next += 1;
            }
            for (piece, happened) in pieces[next..].iter().zip(&mut happened[next..]) {
                if piece.from >= level.until {
                    break;
                }
                happened.add(piece, level);
            }
        });
        self.requests(view, &pieces, &mut happened);
        for (piece, happened) in pieces.iter().zip(happened) {
            self.keep(view.feature, piece.step, happened);
        }
    }

    fn finish(mut self: Box<Self>) -> Report {
        let mut notes = self.lens.notes();
        let mut rows = Vec::new();
        let mut busy_only = false;
        for feature in self.lens.features() {
            self.rows_of(feature, busy_only, &mut rows);
            if rows.len() > MOST_ROWS && !busy_only {
                busy_only = true;
                rows.retain(|row| row.busy);
            }
        }
        if busy_only {
            notes.push(format!("more than {MOST_ROWS} steps: those in which nothing happened are left out"));
        }
        rows.sort_by(|one, other| (one.step, one.code).cmp(&(other.step, other.code)));
        let rows = rows.into_iter().map(Row::cells).collect();
        let numbers = ["seats_average", "seats_peak"].map(Column::number);
        let mut columns = vec![Column::text("from"), Column::text("feature")];
        columns.extend(numbers);
        columns.push(Column::text("seats_peak_at"));
        columns.extend(["seats_issued", "denials"].map(Column::number));
        Report { name: "concurrency", columns, rows, notes }
    }
}

impl Happened {
    /// Adds what happened in another piece of the same step.
    fn join(&mut self, later: &Self) {
        self.seat_ms += later.seat_ms;
        self.denials += later.denials;
        if later.seats_peak > self.seats_peak {
            (self.seats_peak, self.seats_peak_at) = (later.seats_peak, later.seats_peak_at);
        }
    }

    /// Adds a level of u(t) as far as it lies in a piece.
    fn add(&mut self, piece: &Piece, level: Level) {
        let (from, until) = (piece.from.max(level.from), piece.until.min(level.until));
        self.seat_ms += i128::from(level.seats) * i128::from(until - from);
        if level.seats > self.seats_peak {
            (self.seats_peak, self.seats_peak_at) = (level.seats, from);
        }
    }
}

/// A row before it is rendered.
struct Row<'n> {
    step: UnixMs,
    code: &'n str,
    happened: Happened,
    watched_ms: i64,
    seats_issued: Option<i64>,
    busy: bool,
}

impl Row<'_> {
    fn cells(self) -> Vec<Cell> {
        let happened = self.happened;
        let peak_at =
            if happened.seats_peak > 0 { Cell::Instant(happened.seats_peak_at) } else { Cell::Empty };
        vec![
            Cell::Instant(self.step),
            Cell::Text(self.code.to_owned()),
            Cell::Decimal(happened.seat_ms as f64 / self.watched_ms as f64),
            Cell::Int(happened.seats_peak),
            peak_at,
            self.seats_issued.map_or(Cell::Empty, Cell::Int),
            Cell::Int(happened.denials),
        ]
    }
}

impl<'a> Concurrency<'a> {
    /// A day and its steps.
    fn steps(&mut self, day: Day) -> Arc<DaySteps> {
        let (calendar, step) = (self.lens.calendar, self.step);
        let steps = self.days.entry(day).or_insert_with(|| {
            let civil = calendar.day(day);
            let steps = match step {
                Step::Hour => calendar.hours(&civil).iter().map(|hour| (hour.from, hour.until)).collect(),
                Step::Day => vec![(civil.start, civil.end)],
                Step::Month => vec![(month_start(day, calendar), civil.end)],
            };
            Arc::new(DaySteps { civil, steps })
        });
        Arc::clone(steps)
    }

    fn keep(&mut self, feature: FeatureId, step: UnixMs, happened: Happened) {
        if happened.seats_peak == 0 && happened.denials == 0 {
            return;
        }
        match self.happened.last_mut() {
            Some((of, at, before)) if (*of, *at) == (feature, step) => before.join(&happened),
            _ => self.happened.push((feature, step, happened)),
        }
    }

    /// What happened in a step.
    fn happened(&self, feature: FeatureId, step: UnixMs) -> Option<Happened> {
        let found = self.happened.binary_search_by_key(&(feature, step), |(of, at, _)| (*of, *at));
        found.ok().map(|nth| self.happened[nth].2)
    }

    /// Counts the refused requests in the steps of their instants.
    fn requests(&mut self, view: &DayView<'_>, pieces: &[Piece], happened: &mut [Happened]) {
        for request in view.requests.iter().filter(|request| matches!(request.outcome, Outcome::Denied(_))) {
            let nth = pieces.partition_point(|piece| piece.until <= request.at);
            let watched = pieces.get(nth).is_some_and(|piece| piece.from <= request.at);
            if watched && self.lens.counted(request.holder, view.civil.day).is_some() {
                self.seen.insert(view.feature);
                happened[nth].denials += 1;
            }
        }
    }

    /// Adds the rows of one feature: every step of the period of which something was watched.
    fn rows_of(&mut self, feature: FeatureId, busy_only: bool, rows: &mut Vec<Row<'a>>) {
        let capacity = self.lens.capacity(feature);
        if !self.seen.contains(&feature) && capacity.is_none() {
            return;
        }
        let code = self.lens.names.features.get(&feature).map_or("", |feature| &feature.code);
        let Some(watch) = self.watches.remove(&feature) else { return };
        let first_row = rows.len();
        for day in self.lens.watched_days(&watch) {
            let steps = self.steps(day);
            for piece in pieces(&self.lens, &steps, &watch) {
                let seats_issued =
                    capacity.as_ref().and_then(|steps| last_known(steps, piece.from, piece.until));
                if let Some(row) = rows[first_row..].last_mut().filter(|row| row.step == piece.step) {
                    row.watched_ms += piece.until - piece.from;
                    row.seats_issued = seats_issued.or(row.seats_issued);
                    continue;
                }
                let found = self.happened(feature, piece.step);
                let (happened, busy) = (found.unwrap_or_default(), found.is_some());
                let watched_ms = piece.until - piece.from;
                rows.push(Row { step: piece.step, code, happened, watched_ms, seats_issued, busy });
            }
        }
        if busy_only {
            let mut nth = 0;
            rows.retain(|row| {
                nth += 1;
                nth <= first_row || row.busy
            });
        }
    }
}

/// The capacity at the end of `[from, until)`, or the last one known in it.
fn last_known(capacity: &Steps, from: UnixMs, until: UnixMs) -> Option<i64> {
    let known = capacity.within(from, until);
    known.into_iter().rev().find_map(|(_, _, value)| value)
}

/// What counts and was watched of a day, cut at the steps.
fn pieces(lens: &Lens<'_>, day: &DaySteps, watch: &Watch) -> Vec<Piece> {
    let (windows, steps) = (lens.windows(&day.civil, watch), &day.steps);
    let mut pieces = Vec::with_capacity(windows.len() + steps.len());
    for (from, until) in windows {
        let first = steps.partition_point(|step| step.1 <= from);
        for &(start, end) in steps[first..].iter().take_while(|step| step.0 < until) {
            pieces.push(Piece { step: start, from: from.max(start), until: until.min(end) });
        }
    }
    pieces
}

fn month_start(day: Day, calendar: &Calendar) -> UnixMs {
    Day(day.0 - i32::from(day.date().day()) + 1).start(calendar.zone())
}

impl Lens<'_> {
    /// The capacity of a feature on the license servers of the scope; `None` where none was ever seen.
    pub(crate) fn capacity(&self, feature: FeatureId) -> Option<Steps> {
        let pools = self.servers_of(feature).into_iter();
        let pools: Vec<_> =
            pools.filter_map(|server| self.names.capacity.get(&(feature, server)).cloned()).collect();
        (!pools.is_empty()).then(|| Steps::sum(&pools))
    }
}
