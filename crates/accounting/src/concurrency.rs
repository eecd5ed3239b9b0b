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

/// Reusable memory of a sweep.
#[derive(Debug, Default)]
pub struct Sweep {
    starts: Vec<(UnixMs, u32)>,
    ends: Vec<(UnixMs, u32)>,
    /// What was held for no time.
    points: Vec<(UnixMs, u32)>,
}

impl Sweep {
    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.starts.clear();
        self.ends.clear();
        self.points.clear();
    }

    /// Adds seats held over `[from, until)`; nothing is held where the range is empty.
    pub fn add(&mut self, from: UnixMs, until: UnixMs, seats: u32) {
        if from < until {
            self.starts.push((from, seats));
            self.ends.push((until, seats));
        } else {
            self.points.push((from, seats));
        }
    }

    /// Whether anything starts at an instant.
    pub(crate) fn starts_at(&self, at: UnixMs) -> bool {
        self.starts.iter().chain(&self.points).any(|&(from, _)| from == at)
    }

    /// The seats that each start needed: those in use just before it and its own, in order of time. At one instant
    /// ends come first, then what is held for no time (each for itself), then the other starts, fewer seats first.
    pub fn needs(&mut self, mut each: impl FnMut(UnixMs, i64)) {
        self.starts.sort_unstable();
        self.points.sort_unstable();
        self.ends.sort_unstable_by_key(|&(at, _)| at);
        let (mut points, mut ends) = (self.points.iter().peekable(), self.ends.iter().peekable());
        let mut seats = 0;
        let mut give_back = |seats: &mut i64, at: UnixMs| {
            while let Some((_, back)) = ends.next_if(|(end, _)| *end <= at) {
                *seats -= i64::from(*back);
            }
        };
        for &(at, asked) in &self.starts {
            while let Some(&(point, asked)) = points.next_if(|(point, _)| *point <= at) {
                give_back(&mut seats, point);
                each(point, seats + i64::from(asked));
            }
            give_back(&mut seats, at);
            seats += i64::from(asked);
            each(at, seats);
        }
        for &(point, asked) in points {
            give_back(&mut seats, point);
            each(point, seats + i64::from(asked));
        }
    }

    /// u(t) over `[from, until)`, as its stretches in order of time, without gap. Concurrency is half-open: at one
    /// instant ends come before starts, so what ends where another starts never counts together.
    pub fn levels(&mut self, from: UnixMs, until: UnixMs, mut each: impl FnMut(Level)) {
        // Starts mostly come sorted, and sorting what is sorted costs nothing.
        self.starts.sort_unstable_by_key(|&(at, _)| at);
        self.ends.sort_unstable_by_key(|&(at, _)| at);
        let (mut starts, mut ends) = (self.starts.iter().peekable(), self.ends.iter().peekable());
        let (mut seats, mut start) = (0, from);
        // No start is left where no end is left.
        while let Some(&&(end, _)) = ends.peek() {
            let at = starts.peek().map_or(end, |&&(next, _)| next.min(end));
            let mut change = 0;
            while let Some((_, seats)) = starts.next_if(|(next, _)| *next == at) {
                change += i64::from(*seats);
            }
            while let Some((_, seats)) = ends.next_if(|(next, _)| *next == at) {
                change -= i64::from(*seats);
            }
            let edge = at.clamp(from, until);
            if change != 0 && edge > start {
                each(Level { from: start, until: edge, seats });
                start = edge;
            }
            seats += change;
        }
        if start < until {
            each(Level { from: start, until, seats });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Sweep};

    #[test]
    fn each_start_needs_what_is_in_use_and_its_own_seats() {
        let mut sweep = Sweep::default();
        for (from, until, seats) in
            [(0, 10, 2), (10, 20, 3), (10, 30, 1), (10, 10, 5), (25, 25, 1), (20, 25, 1)]
        {
            sweep.add(from, until, seats);
        }
        let mut needs = Vec::new();
        sweep.needs(|at, need| needs.push((at, need)));
        assert_eq!(needs, [(0, 2), (10, 5), (10, 1), (10, 4), (20, 2), (25, 2)]);
        let mut levels = Vec::new();
        sweep.levels(5, 22, |level| levels.push(level));
        let level = |from, until, seats| Level { from, until, seats };
        assert_eq!(levels, [level(5, 10, 2), level(10, 20, 4), level(20, 22, 2)]);
    }
}
