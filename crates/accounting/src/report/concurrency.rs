//! `concurrency`: seats in use, hour by hour, day by day or month by month.

use super::bins::{Head, Kept};
use super::curves::{Curve, Curves, Line};
use super::group::Key;
use super::lens::Lens;
use super::note::Note;
use super::sums::Sum;
use super::{Accumulator, Cell, Column, Report, Scope, Shared};
use crate::UnixMs;
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

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

/// The report `concurrency`. For each feature and step, W = what was watched of the step's time that counts, T = its
/// seconds (domain.md §5):
///
/// - `seats_average` = ∫u dt / T in seats, time-weighted,
/// - `seats_peak` = max u, `seats_peak_at` the first instant at which it was reached, empty where nothing was in use,
/// - `seats_issued`: the capacity in force at the end of W, or where that is not known the last one known in it,
/// - `denials`: refused requests of any reason.
///
/// Steps of which nothing was watched have no row; all others have one, with zeros where nothing was seen. By keys each
/// group has a curve u(t) of its own: that of the seats its sessions hold.
#[derive(Debug)]
pub struct Concurrency<'a> {
    curves: Curves<'a>,
    happened: Kept<Happened>,
}

impl<'a> Concurrency<'a> {
    /// The keys that it can be asked by.
    pub const KEYS: [Key; 11] = {
        let [a, b, c, d, e, f, g, h, i, j] = Key::TIMELESS;
        [a, b, c, d, e, f, g, h, i, j, Key::TimeClass]
    };

    /// An empty one, by feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, step: Step) -> Self {
        Self::by(names, calendar, scope, step, &[])
    }

    /// An empty one by some of [`Self::KEYS`] and feature.
    pub fn by(names: &'a Names, calendar: &'a Calendar, scope: Scope, step: Step, by: &[Key]) -> Self {
        let heads = Head::list(by, &[Head::From(step), Head::Key(Key::Feature)]);
        Self { curves: Curves::new(Lens::new(names, calendar, scope), heads), happened: Kept::default() }
    }
}

impl Accumulator for Concurrency<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.curves.features()
    }

    fn needs_requests(&self) -> bool {
        self.curves.knows_refused()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.curves.day(view, &mut |curve| add(&mut self.happened, curve));
    }

    fn finish(mut self: Box<Self>) -> Report {
        let mut notes = self.curves.notes_on_capacity();
        self.curves.release(&mut |curve| add(&mut self.happened, curve));
        let groups = self.curves.shown();
        let steps: usize = groups.iter().map(|group| self.curves.times(*group).iter().count()).sum();
        let busy_only = steps > MOST_ROWS;
        if busy_only {
            notes.push(Note::StepsLeftOut(MOST_ROWS));
        }
        let mut lines = Vec::new();
        for group in groups {
            for (bin, time) in self.curves.times_and_seats(group).iter() {
                let happened = self.happened.get(group, bin);
                if busy_only && happened.is_none() {
                    continue;
                }
                let happened = happened.copied().unwrap_or_default();
                let denials =
                    if self.curves.knows_refused() { Cell::Int(happened.denials) } else { Cell::Empty };
                let peak_at =
                    if happened.seats_peak > 0 { Cell::Instant(happened.seats_peak_at) } else { Cell::Empty };
                let figures = vec![
                    Cell::Decimal(happened.seat_ms as f64 / time.ms as f64),
                    Cell::Int(happened.seats_peak),
                    peak_at,
                    time.seats_issued.map_or(Cell::Empty, Cell::Int),
                    denials,
                ];
                lines.push(Line { group, bin, figures });
            }
        }
        let columns = vec![
            Column::number("seats_average"),
            Column::number("seats_peak"),
            Column::text("seats_peak_at"),
            Column::number("seats_issued"),
            Column::number("denials"),
        ];
        self.curves.report("concurrency", columns, lines, notes)
    }
}

impl Shared for Concurrency<'_> {
    fn can_share(&self) -> bool {
        self.curves.can_share()
    }

    fn join(&mut self, other: Self) {
        let numbers = self.curves.join(other.curves);
        self.happened.join(other.happened, &numbers);
    }
}

fn add(happened: &mut Kept<Happened>, mut curve: Curve<'_>) {
    let of_group = happened.of(curve.group);
    for refused in curve.refused {
        of_group.of(refused.bin).denials += 1;
    }
    curve.sums(|bin, sum| of_group.of(bin).add(sum));
}

impl Happened {
    /// Adds what holds in a piece later than those before.
    fn add(&mut self, sum: Sum) {
        self.seat_ms += sum.seat_ms;
        if sum.seats_peak > self.seats_peak {
            (self.seats_peak, self.seats_peak_at) = (sum.seats_peak, sum.seats_peak_at);
        }
    }
}
