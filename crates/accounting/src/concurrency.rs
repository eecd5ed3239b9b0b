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
    changes: Vec<(UnixMs, i64)>,
}

impl Sweep {
    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.changes.clear();
    }

    /// Adds seats held over `[from, until)`; nothing is held where the range is empty.
    pub fn add(&mut self, from: UnixMs, until: UnixMs, seats: u32) {
        if from < until {
            self.changes.push((from, i64::from(seats)));
            self.changes.push((until, -i64::from(seats)));
        }
    }

    /// u(t) over `[from, until)`, as its stretches in order of time, without gap. Concurrency is half-open: at one
    /// instant ends come before starts, so what ends where another starts never counts together.
    pub fn levels(&mut self, from: UnixMs, until: UnixMs, mut each: impl FnMut(Level)) {
        self.changes.sort_unstable_by_key(|&(at, _)| at);
        let (mut seats, mut start, mut next) = (0, from, 0);
        while next < self.changes.len() {
            let at = self.changes[next].0;
            let mut change = 0;
            while next < self.changes.len() && self.changes[next].0 == at {
                change += self.changes[next].1;
                next += 1;
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
