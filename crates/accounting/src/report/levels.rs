//! `levels`: for how long how many seats were in use.

use super::bins::{Head, Kept};
use super::curves::{Curve, Curves, Line};
use super::group::Key;
use super::lens::Lens;
use super::seats::BySeats;
use super::{Accumulator, Cell, Column, Report, Scope, Shared, percent, seconds};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

/// The report `levels` (time-at-N). For each feature, over W = what was watched of the period's time that counts, T =
/// its seconds (domain.md §5), a row for n = 0 and for each n at which u(t) stood:
///
/// - `seconds_at` = time(u = n), `seconds_at_least` = time(u ≥ n), in seconds,
/// - `percent_at` = 100 · H(n) = 100 · time(u = n) / T, `percent_at_least` = 100 · E(n) = 100 · time(u ≥ n) / T.
///
/// By keys each group has a curve u(t) of its own: that of the seats its sessions hold.
#[derive(Debug)]
pub struct Levels<'a> {
    curves: Curves<'a>,
    at: Kept<BySeats>,
}

impl<'a> Levels<'a> {
    /// An empty one, by feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        Self::by(names, calendar, scope, &[])
    }

    /// An empty one by any keys and feature.
    pub fn by(names: &'a Names, calendar: &'a Calendar, scope: Scope, by: &[Key]) -> Self {
        let heads = Head::list(by, &[Head::Key(Key::Feature)]);
        Self { curves: Curves::new(Lens::new(names, calendar, scope), heads), at: Kept::default() }
    }
}

impl Accumulator for Levels<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.curves.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.curves.day(view, &mut |curve| add(&mut self.at, curve));
    }

    fn finish(mut self: Box<Self>) -> Report {
        let notes = self.curves.notes();
        self.curves.release(&mut |curve| add(&mut self.at, curve));
        let nothing = BySeats::default();
        let mut lines = Vec::new();
        for group in self.curves.shown() {
            for (bin, time) in self.curves.times(group).iter() {
                let at = self.at.get(group, bin).unwrap_or(&nothing);
                lines.extend(figures(at, i128::from(time.ms)).into_iter().map(|figures| Line {
                    group,
                    bin,
                    figures,
                }));
            }
        }
        let columns = ["seats", "seconds_at", "seconds_at_least", "percent_at", "percent_at_least"];
        self.curves.report("levels", columns.map(Column::number).to_vec(), lines, notes)
    }
}

impl Shared for Levels<'_> {
    fn can_share(&self) -> bool {
        self.curves.can_share()
    }

    fn join(&mut self, other: Self) {
        let numbers = self.curves.join(other.curves);
        self.at.join(other.at, &numbers);
    }
}

fn add(at: &mut Kept<BySeats>, mut curve: Curve<'_>) {
    let at = at.of(curve.group);
    curve.levels(|piece, level| at.of(piece.bin).add(level.seats, level.until - level.from));
}

/// The rows of a group and bin, ascending by seats.
fn figures(at: &BySeats, total_ms: i128) -> Vec<Vec<Cell>> {
    let mut at_least_ms = total_ms;
    let mut rows = Vec::new();
    for (seats, ms) in std::iter::once((0, total_ms - at.sum())).chain(at.iter()) {
        rows.push(vec![
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
