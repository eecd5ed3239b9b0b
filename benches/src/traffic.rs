//! Who starts and ends what when: the traffic behind the logs that are not FlexNet's.

use crate::random::Random;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many users and features there are; `seed` gives another traffic of the same shape.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// Users; each works on one host.
    pub users: u64,
    /// Features; the first have most of the sessions.
    pub features: u64,
    /// Of the pseudo-random numbers.
    pub seed: u64,
}

impl Default for Crowd {
    fn default() -> Self {
        Self { users: 800, features: 120, seed: 1 }
    }
}

/// A session's start or end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since midnight of the first day.
    pub at: u64,
    /// Whether it ends.
    pub ends: bool,
    /// The session's number, from 0 on.
    pub session: u64,
    /// The user's number.
    pub user: u64,
    /// The feature's number.
    pub feature: u64,
    /// How many sessions of the feature are open after it.
    pub in_use: u64,
}

/// Events in order of time, without end: a start every four seconds, sessions of seconds to nine hours.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    crowd: Crowd,
    open: BinaryHeap<Reverse<(u64, u64, u64, u64)>>,
    in_use: Vec<u64>,
    sessions: u64,
    next_start: u64,
}

impl Traffic {
    /// From midnight of the first day on.
    pub fn new(crowd: Crowd) -> Self {
        let in_use = vec![0; crowd.features as usize];
        Self {
            random: Random::new(crowd.seed),
            crowd,
            open: BinaryHeap::new(),
            in_use,
            sessions: 0,
            next_start: 60_000,
        }
    }

    fn start(&mut self) -> Event {
        let at = self.next_start;
        self.next_start += 1 + self.random.below(8_000);
        // The square makes low numbers frequent.
        let feature = self.random.below(self.crowd.features) * self.random.below(self.crowd.features);
        let feature = feature / self.crowd.features;
        let (user, session) = (self.random.below(self.crowd.users), self.sessions);
        let length = self.random.octaves(2, 15) * 1000 + self.random.below(1000);
        self.sessions += 1;
        self.open.push(Reverse((at + length, session, user, feature)));
        self.event(at, false, session, user, feature)
    }

    fn event(&mut self, at: u64, ends: bool, session: u64, user: u64, feature: u64) -> Event {
        let in_use = &mut self.in_use[feature as usize];
        *in_use = if ends { *in_use - 1 } else { *in_use + 1 };
        Event { at, ends, session, user, feature, in_use: *in_use }
    }
}

impl Iterator for Traffic {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        match self.open.peek() {
            Some(&Reverse((at, session, user, feature))) if at <= self.next_start => {
                self.open.pop();
                Some(self.event(at, true, session, user, feature))
            }
            _ => Some(self.start()),
        }
    }
}
