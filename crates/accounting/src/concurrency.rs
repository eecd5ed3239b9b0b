//! Seats in use over time, exactly: a sweep over the instants at which something starts or ends.

use crate::UnixMs;

/// A stretch in which the number of seats in use does not change, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// First instant.
    pub from: UnixMs,
    /// The instant after the last.
    pub until: UnixMs,
    /// Seats in use.
    pub seats: i64,
}

/// A sweep over a window of time, a civil day; its memory is used again.
///
/// What happens is kept as one number each, the milliseconds since the instant before the window and the seats, so
/// that sorting is quick. What lies outside of the window is moved to the instant before it, or to its end.
#[derive(Debug, Default)]
pub struct Sweep {
    from: UnixMs,
    until: UnixMs,
    starts: Vec<u64>,
    ends: Vec<u64>,
    /// What was held for no time.
    points: Vec<u64>,
    /// The seats of all that was added.
    seats: u64,
}

/// No more seats than these have an area over any window that is beyond an `i64`.
const FEW_SEATS: u64 = 1 << 30;

impl Sweep {
    /// An empty sweep over `[from, until)`, which is no longer than 49 days.
    pub fn over(from: UnixMs, until: UnixMs) -> Self {
        let mut sweep = Self::default();
        sweep.begin(from, until);
        sweep
    }

    /// Forgets what was added, and goes over another window.
    pub fn begin(&mut self, from: UnixMs, until: UnixMs) {
        (self.from, self.until) = (from, until.clamp(from, from + i64::from(u32::MAX) - 1));
        self.starts.clear();
        self.ends.clear();
        self.points.clear();
        self.seats = 0;
    }

    /// Adds seats held over `[from, until)`; nothing is held where the range is empty.
    #[inline]
    pub fn add(&mut self, from: UnixMs, until: UnixMs, seats: u32) {
        self.seats += u64::from(seats);
        if from < until {
            self.starts.push(self.pack(from, seats));
            self.ends.push(self.pack(until, seats));
        } else {
            self.points.push(self.pack(from, seats));
        }
    }

    #[inline]
    fn pack(&self, at: UnixMs, seats: u32) -> u64 {
        let before = self.from - 1;
        ((at.clamp(before, self.until) - before) as u64) << 32 | u64::from(seats)
    }

    /// The instant and the seats.
    #[inline]
    fn unpack(&self, packed: u64) -> (UnixMs, i64) {
        (self.from - 1 + (packed >> 32) as i64, i64::from(packed as u32))
    }

    /// Whether ∫u dt over any part of the window is surely within an `i64`.
    pub(crate) fn has_small_areas(&self) -> bool {
        self.seats <= FEW_SEATS
    }

    /// Whether anything starts at an instant of the window.
    pub(crate) fn starts_at(&self, at: UnixMs) -> bool {
        self.starts.iter().chain(&self.points).any(|&packed| self.unpack(packed).0 == at)
    }

    fn sort(&mut self) {
        // Starts mostly come sorted, and sorting what is sorted costs nothing.
        self.starts.sort_unstable();
        self.ends.sort_unstable();
    }

    /// The seats that each start needed: those in use just before it and its own, in order of time. At one instant
    /// ends come first, then what is held for no time (each for itself), then the other starts, fewer seats first.
    pub fn needs(&mut self, mut each: impl FnMut(UnixMs, i64)) {
        self.sort();
        self.points.sort_unstable();
        let (mut points, mut ends) = (self.points.iter().peekable(), self.ends.iter().peekable());
        let mut seats = 0;
        let mut give_back = |seats: &mut i64, at: UnixMs| {
            while let Some(end) = ends.next_if(|end| self.unpack(**end).0 <= at) {
                *seats -= self.unpack(*end).1;
            }
        };
        for &start in &self.starts {
            let (at, asked) = self.unpack(start);
            while let Some(&point) = points.next_if(|point| self.unpack(**point).0 <= at) {
                let (point, asked) = self.unpack(point);
                give_back(&mut seats, point);
                each(point, seats + asked);
            }
            give_back(&mut seats, at);
            seats += asked;
            each(at, seats);
        }
        for &point in points {
            let (point, asked) = self.unpack(point);
            give_back(&mut seats, point);
            each(point, seats + asked);
        }
    }

    /// u(t) over the window, as its stretches in order of time, without gap. Concurrency is half-open: at one instant
    /// ends come before starts, so what ends where another starts never counts together.
    #[inline]
    pub fn levels(&mut self, mut each: impl FnMut(Level)) {
        self.sort();
        let (mut seats, mut level) = (0, Level { from: self.from, until: self.from, seats: 0 });
        let (mut next_start, mut next_end) = (0, 0);
        for _ in 0..self.starts.len() + self.ends.len() {
            // Which comes first cannot be foreseen: both are looked at, and one is taken without a branch.
            let start = self.starts.get(next_start).copied().unwrap_or(u64::MAX);
            let end = self.ends.get(next_end).copied().unwrap_or(u64::MAX);
            let is_start = start >> 32 < end >> 32;
            next_start += usize::from(is_start);
            next_end += usize::from(!is_start);
            let (at, change) = self.unpack(if is_start { start } else { end });
            let at = at.max(self.from);
            // `level` is what holds up to the instant looked at last; `seats` is what holds from it on.
            if at != level.until {
                level = Self::go_on(level, seats, &mut each);
                level.until = at;
            }
            seats += if is_start { change } else { -change };
        }
        level = Self::go_on(level, seats, &mut each);
        if level.from < self.until {
            each(Level { until: self.until, ..level });
        }
    }

    /// The instants at which seats are taken, and at which they are given back (fewer than none), in no order: what began
    /// earlier comes with the instant before the window, what goes on with its end.
    #[inline]
    pub(crate) fn changes(&self, mut each: impl FnMut(UnixMs, i64)) {
        for &start in &self.starts {
            let (at, seats) = self.unpack(start);
            each(at, seats);
        }
        for &end in &self.ends {
            let (at, seats) = self.unpack(end);
            each(at, -seats);
        }
    }

    /// u(t) up to the last end, between each start or end and the next: `from`, `until` and the seats, in order of time.
    /// Stretches may be empty, or nothing may be in use, and neighbours may have the same number: whoever sums up need not
    /// ask, which cannot be foreseen and costs as much again.
    #[inline]
    pub(crate) fn stretches(&mut self, mut each: impl FnMut(UnixMs, UnixMs, i64)) {
        self.sort();
        let (mut seats, mut since) = (0, self.from);
        let (mut next_start, mut next_end) = (0, 0);
        // Whatever has started ends in the window or at its end.
        while next_end < self.ends.len() {
            let start = self.starts.get(next_start).copied().unwrap_or(u64::MAX);
            let end = self.ends[next_end];
            let is_start = start >> 32 < end >> 32;
            next_start += usize::from(is_start);
            next_end += usize::from(!is_start);
            let (at, change) = self.unpack(if is_start { start } else { end });
            let at = at.max(self.from);
            each(since, at, seats);
            since = at;
            seats += if is_start { change } else { -change };
        }
    }

    /// The level after an instant at which the last one ends, where it does.
    #[inline]
    fn go_on(level: Level, seats: i64, each: &mut impl FnMut(Level)) -> Level {
        if level.seats == seats {
            return level;
        }
        if level.from < level.until {
            each(level);
        }
        Level { from: level.until, seats, ..level }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Sweep};
    use proptest::prelude::*;

    #[test]
    fn each_start_needs_what_is_in_use_and_its_own_seats() {
        let mut sweep = Sweep::default();
        let held = [(0, 10, 2), (10, 20, 3), (10, 30, 1), (10, 10, 5), (25, 25, 1), (20, 25, 1)];
        sweep.begin(0, 40);
        add(&mut sweep, &held);
        let mut needs = Vec::new();
        sweep.needs(|at, need| needs.push((at, need)));
        assert_eq!(needs, [(0, 2), (10, 5), (10, 1), (10, 4), (20, 2), (25, 2)]);
        let mut levels = Vec::new();
        sweep.begin(5, 22);
        add(&mut sweep, &held);
        sweep.levels(|level| levels.push(level));
        let level = |from, until, seats| Level { from, until, seats };
        assert_eq!(levels, [level(5, 10, 2), level(10, 20, 4), level(20, 22, 2)]);
    }

    fn add(sweep: &mut Sweep, held: &[(i64, i64, u32)]) {
        for &(from, until, seats) in held {
            sweep.add(from, until, seats);
        }
    }

    /// u at an instant, from what is held.
    fn in_use(held: &[(i64, i64, u32)], at: i64) -> i64 {
        held.iter()
            .filter(|(from, until, _)| *from <= at && at < *until)
            .map(|(.., seats)| i64::from(*seats))
            .sum()
    }

    proptest! {
        #[test]
        fn levels_are_what_is_held_at_each_instant(
            held in prop::collection::vec((-20..60_i64, 0..30_i64, 0..4_u32), 0..20),
            (from, length) in (-10..30_i64, 0..30_i64),
        ) {
            let held: Vec<_> = held.into_iter().map(|(from, length, seats)| (from, from + length, seats)).collect();
            let mut sweep = Sweep::over(from, from + length);
            add(&mut sweep, &held);
            let (mut at, mut last) = (from, None);
            sweep.levels(|level| {
                assert_eq!((level.from, Some(level.seats) != last), (at, true), "no gap, each another level");
                (last, at) = (Some(level.seats), level.until);
                assert!((level.from..level.until).all(|at| in_use(&held, at) == level.seats));
            });
            prop_assert_eq!(at, from + length);
            let (mut seat_ms, mut last) = (0, from);
            sweep.stretches(|start, end, seats| {
                assert!(last == start && start <= end && end <= from + length);
                assert!((start..end).all(|at| in_use(&held, at) == seats));
                seat_ms += (end - start) * seats;
                last = end;
            });
            prop_assert_eq!(seat_ms, (from..from + length).map(|at| in_use(&held, at)).sum::<i64>());
        }
    }
}
