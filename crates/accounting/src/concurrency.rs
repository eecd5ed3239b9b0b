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
}

impl Sweep {
    /// Forgets what was added.
    pub fn clear(&mut self) {
        self.starts.clear();
        self.ends.clear();
    }

    /// Adds seats held over `[from, until)`; nothing is held where the range is empty.
    pub fn add(&mut self, from: UnixMs, until: UnixMs, seats: u32) {
        if from < until {
            self.starts.push((from, seats));
            self.ends.push((until, seats));
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
