//! `seats-needed`: how many seats would have been enough, by time and by request.

use super::bins::{Bin, Head, Kept};
use super::curves::{Curve, Curves, Line};
use super::group::Key;
use super::lens::Lens;
use super::note::Note;
use super::seats::BySeats;
use super::storms::{Asked, Storms};
use super::{Accumulator, Cell, Column, MOST_MARGIN_DAYS, Report, Scope};
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::FeatureId;

/// The report `seats-needed`. For each feature, over W = what was watched of the period's time that counts, T = its
/// seconds (domain.md §5):
///
/// - `seats_issued`: the capacity in force at the end of W, or where that is not known the last one known in it,
/// - `seats_peak` = max u,
/// - `seats_p50`, `_p90`, `_p95`, `_p99`: the least n with time(u ≤ n) / T ≥ p, by time,
/// - `seats_needed_p95`, `_p99`: the least n such that at least so many of the requests in W needed n seats or fewer, by
///   request; empty where nothing was asked for.
///
/// A request is a checkout (the start of a session, also of one of zero length), or a true denial: refusals of the same
/// person, host and feature, each no more than 15 minutes after the one before, the first for want of capacity, which
/// no checkout of the same follows within 15 minutes of the last; if one does, that checkout is the request. A checkout
/// needs the seats in use just before it and its own; at one instant ends come first, then sessions of zero length
/// (each for itself), then the other starts, fewer seats first. A true denial needs u at the instant of its first
/// refusal and what that asked for, at least one seat.
///
/// By keys each group has a curve u(t) and requests of its own.
#[derive(Debug)]
pub struct SeatsNeeded<'a> {
    curves: Curves<'a>,
    storms: Storms,
    kept: Asks,
}

/// What the sweeps give.
#[derive(Debug, Default)]
struct Asks {
    /// The milliseconds at each number of seats.
    at: Kept<BySeats>,
    /// The requests that needed each number of seats.
    needs: Kept<BySeats>,
    /// What was refused at first: group, bin, seats needed.
    refused: Vec<(Asked, u32, Bin, i64)>,
}

impl<'a> SeatsNeeded<'a> {
    /// An empty one, by feature.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        Self::by(names, calendar, scope, &[])
    }

    /// An empty one by any keys and feature.
    pub fn by(names: &'a Names, calendar: &'a Calendar, scope: Scope, by: &[Key]) -> Self {
        let heads = Head::list(by, &[Head::Key(Key::Feature)]);
        Self {
            curves: Curves::new(Lens::new(names, calendar, scope), heads),
            storms: Storms::new(names),
            kept: Asks::default(),
        }
    }
}

impl Accumulator for SeatsNeeded<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.curves.features()
    }

    fn needs_requests(&self) -> bool {
        self.curves.knows_refused()
    }

    /// A request may begin before the period, or end behind it.
    fn margin_days(&self) -> i32 {
        MOST_MARGIN_DAYS
    }

    fn day(&mut self, view: &DayView<'_>) {
        let view = DayView { requests: self.storms.day(view), ..*view };
        self.curves.day(&view, &mut |curve| self.kept.add(curve));
    }

    fn finish(mut self: Box<Self>) -> Report {
        let mut notes = self.curves.notes_on_capacity();
        if !self.curves.knows_refused() {
            notes.push(Note::RefusedWithoutVersion);
        }
        self.curves.release(&mut |curve| self.kept.add(curve));
        let Asks { at, mut needs, refused } = self.kept;
        for (asked, group, bin, need) in refused {
            if !self.storms.was_delayed(&asked) {
                needs.of(group).of(bin).add(need, 1);
            }
        }
        let (nothing, mut lines) = (BySeats::default(), Vec::new());
        for group in self.curves.shown() {
            for (bin, time) in self.curves.times_and_seats(group).iter() {
                let at = at.get(group, bin).unwrap_or(&nothing);
                let needs = needs.get(group, bin).unwrap_or(&nothing);
                let mut figures =
                    vec![time.seats_issued.map_or(Cell::Empty, Cell::Int), Cell::Int(at.highest())];
                let by_time = |percent| Cell::Int(at.quantile(percent, i128::from(time.ms)));
                figures.extend([50, 90, 95, 99].map(by_time));
                let asked = needs.sum();
                let by_request = |percent| {
                    if asked == 0 { Cell::Empty } else { Cell::Int(needs.quantile(percent, asked)) }
                };
                figures.extend([95, 99].map(by_request));
                lines.push(Line { group, bin, figures });
            }
        }
        let columns = [
            "seats_issued",
            "seats_peak",
            "seats_p50",
            "seats_p90",
            "seats_p95",
            "seats_p99",
            "seats_needed_p95",
            "seats_needed_p99",
        ];
        self.curves.report("seats-needed", columns.map(Column::number).to_vec(), lines, notes)
    }
}

impl Asks {
    fn add(&mut self, mut curve: Curve<'_>) {
        let (at, needs) = (self.at.of(curve.group), self.needs.of(curve.group));
        curve.levels(|piece, level| at.of(piece.bin).add(level.seats, level.until - level.from));
        curve.needs(|bin, need| needs.of(bin).add(need, 1));
        let (group, refused) = (curve.group, &mut self.refused);
        curve.in_use(|request, in_use| {
            let asked = Asked { feature: request.feature, at: request.at, holder: request.holder };
            refused.push((asked, group, request.bin, in_use + i64::from(request.seats.max(1))));
        });
    }
}
