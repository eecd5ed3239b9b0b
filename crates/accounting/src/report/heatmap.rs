//! `heatmap`: seats in use and denials by hour of the week.

use super::bins::{Head, Kept};
use super::curves::{Curve, Curves, Line};
use super::group::Key;
use super::lens::Lens;
use super::sums::SeatTimes;
use super::{Accumulator, Cell, Column, Report, Scope, Shared};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

const FIGURES: [&str; 3] = ["seats_average", "seats_peak", "denials"];

/// What happened in an hour of the week.
#[derive(Debug, Default)]
struct Happened {
    seat_ms: i128,
    seats_peak: i64,
    denials: i64,
}

/// The report `heatmap`. For each feature and hour of the week as the wall clock shows it, W = what was watched of all
/// such hours of the period that count, T = its seconds (domain.md §5):
///
/// - `seats_average` = ∫u dt / T in seats, time-weighted: an hour that comes twice counts twice, one that is jumped
///   over not at all,
/// - `seats_peak` = max u,
/// - `denials`: refused requests of any reason in W.
///
/// Hours of which nothing was watched have no row. By keys each group has a curve u(t) of its own.
#[derive(Debug)]
pub struct Heatmap<'a> {
    curves: Curves<'a>,
    happened: Kept<Happened>,
    /// Where only averages are asked for.
    averages: Option<SeatTimes>,
}

/// What is asked of it.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The keys before the report's own columns.
    pub by: Vec<Key>,
    /// Only `seats_average`, in the same rows: of peaks and denials nothing is told.
    pub averages_alone: bool,
}

impl Options {
    /// The columns of averages alone, by some keys.
    pub fn columns_of_averages(by: &[Key]) -> Vec<&'static str> {
        heads(by).into_iter().map(|head| head.column().name).chain([FIGURES[0]]).collect()
    }
}

fn heads(by: &[Key]) -> Vec<Head> {
    Head::list(by, &[Head::Key(Key::Feature), Head::Weekday, Head::Hour])
}

impl<'a> Heatmap<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        let curves = Curves::new(Lens::new(names, calendar, scope), heads(&options.by));
        let averages = options.averages_alone.then(SeatTimes::default);
        Self { curves, happened: Kept::default(), averages }
    }

    /// Calls `give` with what takes in a curve.
    fn take(&mut self, give: impl FnOnce(&mut Curves<'a>, &mut dyn FnMut(Curve<'_>))) {
        let Self { curves, happened, averages } = self;
        match averages {
            Some(times) => give(curves, &mut |curve| add_average(happened, times, curve)),
            None => give(curves, &mut |curve| add(happened, curve)),
        }
    }
}

impl Accumulator for Heatmap<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.curves.features()
    }

    fn needs_requests(&self) -> bool {
        self.curves.knows_refused()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.take(|curves, each| curves.day(view, each));
    }

    fn finish(mut self: Box<Self>) -> Report {
        let notes = self.curves.notes();
        self.take(|curves, each| curves.release(each));
        let (nothing, mut lines) = (Happened::default(), Vec::new());
        for group in self.curves.shown() {
            for (bin, time) in self.curves.times(group).iter() {
                let happened = self.happened.get(group, bin).unwrap_or(&nothing);
                let average = Cell::Decimal(happened.seat_ms as f64 / time.ms as f64);
                let mut figures = vec![average];
                if self.averages.is_none() {
                    let denials = self.curves.knows_refused().then_some(happened.denials);
                    figures.extend([Cell::Int(happened.seats_peak), denials.map_or(Cell::Empty, Cell::Int)]);
                }
                lines.push(Line { group, bin, figures });
            }
        }
        let shown = if self.averages.is_some() { 1 } else { FIGURES.len() };
        let columns = FIGURES[..shown].iter().copied().map(Column::number).collect();
        self.curves.report("heatmap", columns, lines, notes)
    }
}

impl Shared for Heatmap<'_> {
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
    curve.sums(|bin, sum| {
        let happened = of_group.of(bin);
        happened.seat_ms += sum.seat_ms;
        happened.seats_peak = happened.seats_peak.max(sum.seats_peak);
    });
}

fn add_average(happened: &mut Kept<Happened>, times: &mut SeatTimes, curve: Curve<'_>) {
    let of_group = happened.of(curve.group);
    times.of(curve.sweep, curve.pieces, |bin, seat_ms| of_group.of(bin).seat_ms += seat_ms);
}
