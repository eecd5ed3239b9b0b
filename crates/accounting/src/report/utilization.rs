//! `utilization`: how much of the seats that there were was used.

use super::average_licenses::Options;
use super::bins::{Bin, ByBin, Head, Kept};
use super::curves::{Curve, Curves, Line};
use super::group::Key;
use super::lens::Lens;
use super::note::Note;
use super::pools::Time;
use super::{Accumulator, Cell, Column, Report, Scope, Shared, percent};
use crate::UnixMs;
use crate::calendar::Calendar;
use crate::day::Day;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;
use rustc_hash::FxHashMap;

/// What was used in a month.
#[derive(Debug, Default)]
struct Used {
    /// ∫u dt in seat-milliseconds,
    seat_ms: i128,
    /// of it, on working days,
    working_ms: i128,
    /// and where the capacity is known.
    of_capacity_ms: i128,
    seats_peak: i64,
    busy_ms: i64,
    full_ms: i64,
}

/// The report `utilization`. For each month and feature, W = what was watched of the month's time that counts, T = its
/// seconds, C(t) = the capacity in force (domain.md §5):
///
/// - `seats_issued`: C at the end of W, or where that is not known the last one known in it,
/// - `seats_average` = ∫u dt / T in seats, time-weighted, `seats_peak` = max u,
/// - `utilization_percent` = 100 · ∫u dt / ∫C dt, both where C is known,
/// - `app_usage_percent` (the article's `AppUsage`) = 100 · usage / (`seats_issued` · available working time): usage =
///   ∫u dt on working days of W, available working time = working hours per day · working days of the whole month, both
///   as in `average-licenses`,
/// - `busy_percent` = 100 · time(u > 0) / T,
/// - `full_percent` = 100 · time(u ≥ C) / time, both where C is known and above 0,
/// - `coverage_percent` = 100 · T / time of the month that counts, in the period and before the last instant at which
///   any license server was watched.
///
/// Cells for which the capacity is not known are empty. Months of which nothing was watched have no row. By keys each
/// group has a curve u(t) of its own; only pools of features and license servers have a capacity.
#[derive(Debug)]
pub struct Utilization<'a> {
    curves: Curves<'a>,
    used: Kept<Used>,
    options: Options,
}

impl<'a> Utilization<'a> {
    /// The keys that it can be asked by.
    pub const KEYS: [Key; 12] = {
        let [a, b, c, d, e, f, g, h, i, j] = Key::TIMELESS;
        [a, b, c, d, e, f, g, h, i, j, Key::TimeClass, Key::Month]
    };

    /// An empty one, by month and feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        Self::by(names, calendar, scope, options, &[])
    }

    /// An empty one by some of [`Self::KEYS`], month and feature.
    pub fn by(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options, by: &[Key]) -> Self {
        let heads = Head::list(by, &[Head::Key(Key::Month), Head::Key(Key::Feature)]);
        let curves = Curves::new(Lens::new(names, calendar, scope), heads);
        Self { curves, used: Kept::default(), options }
    }

    /// An empty one by feature alone: of the whole period, which has no working time of a month.
    pub fn over_period(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        let curves =
            Curves::new(Lens::new(names, calendar, scope), Head::list(&[], &[Head::Key(Key::Feature)]));
        Self {
            curves,
            used: Kept::default(),
            options: Options { hours_per_day: Some(0.0), days_per_month: Some(0.0) },
        }
    }

    /// The time of each month that counts, in the period and before the last instant at which anything was watched.
    fn counted(&mut self) -> ByBin<i64> {
        let lens = &self.curves.lens;
        let watched = || lens.names.servers.values().flat_map(|server| &server.watched);
        let (first, last) = (watched().map(|range| range.0).min(), watched().map(|range| range.1).max());
        let (Some(first), Some(last)) = (first, last) else { return ByBin::default() };
        let day = lens.calendar.day_of(first);
        self.curves.counted(Day(day.0 - i32::from(day.date().day()) + 1), last)
    }
}

impl Accumulator for Utilization<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.curves.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.curves.day(view, &mut |curve| add(&mut self.used, curve));
    }

    fn finish(mut self: Box<Self>) -> Report {
        let mut notes = self.curves.notes_on_capacity();
        let calendar = self.curves.lens.calendar;
        notes.push(Note::AppUsage(self.options.working_time(calendar)));
        self.curves.release(&mut |curve| add(&mut self.used, curve));
        let (counted, nothing) = (self.counted(), Used::default());
        let mut hours_of_month: FxHashMap<i32, f64> = FxHashMap::default();
        let mut lines = Vec::new();
        for group in self.curves.shown() {
            for (bin, time) in self.curves.times_and_seats(group).iter() {
                let hours = *hours_of_month
                    .entry(bin.month)
                    .or_insert_with(|| self.options.hours_of_month(calendar, first_day(bin)));
                let used = self.used.get(group, bin).unwrap_or(&nothing);
                let counted_ms = counted.get(bin).copied().unwrap_or_default();
                lines.push(Line { group, bin, figures: figures(used, time, hours, counted_ms) });
            }
        }
        let columns = [
            "seats_issued",
            "seats_average",
            "seats_peak",
            "utilization_percent",
            "app_usage_percent",
            "busy_percent",
            "full_percent",
            "coverage_percent",
        ];
        self.curves.report("utilization", columns.map(Column::number).to_vec(), lines, notes)
    }
}

impl Shared for Utilization<'_> {
    fn can_share(&self) -> bool {
        self.curves.can_share()
    }

    fn join(&mut self, other: Self) {
        let numbers = self.curves.join(other.curves);
        self.used.join(other.used, &numbers);
    }
}

fn figures(used: &Used, time: &Time, hours: f64, counted_ms: i64) -> Vec<Cell> {
    let ms = i128::from(time.ms);
    let licenses = time.seats_issued.filter(|seats| *seats > 0 && hours > 0.0);
    let app_usage = licenses.map_or(Cell::Empty, |seats| {
        Cell::Decimal(100.0 * used.working_ms as f64 / 3_600_000.0 / (seats as f64 * hours))
    });
    vec![
        time.seats_issued.map_or(Cell::Empty, Cell::Int),
        Cell::Decimal(used.seat_ms as f64 / time.ms as f64),
        Cell::Int(used.seats_peak),
        percent(used.of_capacity_ms, time.capacity_ms),
        app_usage,
        percent(i128::from(used.busy_ms), ms),
        percent(i128::from(used.full_ms), i128::from(time.with_seats_ms)),
        percent(ms, i128::from(counted_ms)),
    ]
}

fn add(used: &mut Kept<Used>, mut curve: Curve<'_>) {
    let of_group = used.of(curve.group);
    let (start, end, working) = (curve.civil.start, curve.civil.end, curve.civil.working);
    // The capacity hardly ever changes within a day: it is looked up once.
    let capacity: Vec<(UnixMs, UnixMs, i64)> = curve
        .capacity
        .into_iter()
        .flat_map(|steps| steps.within(start, end))
        .filter_map(|(from, until, seats)| Some((from, until, seats?)))
        .collect();
    curve.levels(|piece, level| {
        let used = of_group.of(piece.bin);
        let seat_ms = |from: UnixMs, until: UnixMs| i128::from(level.seats) * i128::from(until - from);
        used.seat_ms += seat_ms(level.from, level.until);
        used.working_ms += if working { seat_ms(level.from, level.until) } else { 0 };
        used.seats_peak = used.seats_peak.max(level.seats);
        used.busy_ms += level.until - level.from;
        for &(from, until, seats) in &capacity {
            let (from, until) = (from.max(level.from), until.min(level.until));
            if from < until {
                used.of_capacity_ms += seat_ms(from, until);
                used.full_ms += if seats > 0 && level.seats >= seats { until - from } else { 0 };
            }
        }
    });
}

fn first_day(bin: Bin) -> Option<Day> {
    let (year, month) = (bin.month.div_euclid(12), bin.month.rem_euclid(12) + 1);
    jiff::civil::Date::new(year as i16, month as i8, 1).ok().map(Day::from)
}
