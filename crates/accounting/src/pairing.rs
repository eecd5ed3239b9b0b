//! Pairing: from starts and ends of one key to sessions. A pure function, so the order of arrival does not matter.
//!
//! The key is (license server, vendor, feature, user, host, display, checkout data, handle). An end of n seats closes
//! the oldest open session of exactly n seats, else the oldest ones, splitting where it must. At one instant: first
//! ends that close a session begun earlier, then starts, then the other ends, then daemon stops.

use crate::UnixMs;
use crate::event::Pairing;
use crate::session::{Ended, VersionId};
use std::collections::VecDeque;

/// Where an event was read: the number of an input of the ledger.
pub type InputId = u32;

/// The order of a start that only counts where its key has nothing open: seats that were held when the text began.
pub const HELD: i32 = i32::MAX;

/// A start: seats were given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When.
    pub at: UnixMs,
    /// Orders events of one instant.
    pub order: i32,
    /// How many seats.
    pub seats: u32,
    /// The version, 0 where unknown.
    pub version: VersionId,
    /// Where it was read.
    pub input: InputId,
}

/// An end: seats came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: UnixMs,
    /// Orders events of one instant.
    pub order: i32,
    /// How many seats.
    pub seats: u32,
    /// How.
    pub ended: Ended,
    /// Where it was read.
    pub input: InputId,
}

/// A start or an end of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Seats were given out.
    Start(Start),
    /// Seats came back.
    End(End),
}

impl Step {
    /// When.
    pub fn at(&self) -> UnixMs {
        match self {
            Self::Start(start) => start.at,
            Self::End(end) => end.at,
        }
    }

    /// Where it was read.
    pub fn input(&self) -> InputId {
        match self {
            Self::Start(start) => start.input,
            Self::End(end) => end.input,
        }
    }

    /// Where in time, with the order within one instant.
    pub fn moment(&self) -> (UnixMs, i32) {
        match self {
            Self::Start(start) => (start.at, start.order),
            Self::End(end) => (end.at, end.order),
        }
    }

    /// Whether two steps are the same event, wherever they were read.
    pub fn same_event(&self, other: &Self) -> bool {
        self.sort_key() == other.sort_key()
    }

    /// A total order of events that does not depend on where they were read.
    fn sort_key(&self) -> (UnixMs, i32, u8, u32, i64) {
        match self {
            Self::Start(start) => (start.at, start.order, 1, start.seats, i64::from(start.version)),
            Self::End(end) => (end.at, end.order, 0, end.seats, end.ended.code()),
        }
    }
}

/// A point at which a daemon's sessions end without a checkin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// A new run began at `at`; what the old one had given out ended at its last line.
    Started {
        /// The first line of the new run.
        at: UnixMs,
        /// The last line of the old run.
        last_line_at: UnixMs,
    },
    /// The daemon stopped at `at`.
    Stopped {
        /// The line that says so.
        at: UnixMs,
    },
}

impl Break {
    /// When it is noticed.
    pub fn at(self) -> UnixMs {
        match self {
            Self::Started { at, .. } | Self::Stopped { at } => at,
        }
    }
}

/// A session that is not known to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Its start, with all the seats that it had then.
    pub start: Start,
    /// Which of the key's starts of that instant it is, from 0.
    pub ordinal: u32,
    /// The seats still held.
    pub left: u32,
}

/// A session as the ledger keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Session {
    /// When the seats were given out.
    pub from: UnixMs,
    /// Tells sessions of one key and start apart: the start's ordinal, then the seats that the start still held
    /// after this part of it had ended (0 for the last part).
    pub nth: i64,
    /// When it ended; `None` while open.
    pub until: Option<UnixMs>,
    /// How many seats.
    pub seats: u32,
    /// How it ended.
    pub ended: Ended,
    /// The version, 0 where unknown.
    pub version: VersionId,
    /// The order of its start within the instant.
    pub from_order: i32,
    /// The order of its end within the instant.
    pub until_order: i32,
    /// The seats of the start event, more than `seats` where it was split.
    pub start_seats: u32,
    /// The seats of the end event; `None` where no end event closed it (open, superseded, broken off).
    pub end_seats: Option<u32>,
    /// Where the start was read.
    pub from_input: InputId,
    /// Where the end was read.
    pub until_input: Option<InputId>,
}

/// An end, or the rest of one, that found nothing open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnmatchedEnd {
    /// The end event.
    pub end: End,
    /// The seats of it that found nothing.
    pub seats: u32,
}

/// What pairing yields besides the sessions that stay open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paired {
    /// Sessions that ended.
    pub closed: Vec<Session>,
    /// Ends without a start.
    pub unmatched: Vec<UnmatchedEnd>,
}

/// Pairs the steps of one key. `open` holds the key's open sessions before the first step, oldest first, and
/// afterwards those that stay open; `steps` and `breaks` are sorted here.
pub fn pair(
    pairing: Pairing,
    open: &mut VecDeque<Open>,
    steps: &mut [Step],
    breaks: &[Break],
    out: &mut Paired,
) {
    debug_assert!(breaks.is_sorted_by_key(|b| b.at()));
    // Nearly all are told apart by their instants.
    if !steps.is_sorted_by(|a, b| a.at() < b.at() || a.sort_key() <= b.sort_key()) {
        steps.sort_by_key(Step::sort_key);
    }
    let mut key = Key { pairing, open, out, ordinal: (UnixMs::MIN, 0) };
    let (mut first, mut next_break) = (0, 0);
    while first < steps.len() {
        let moment = steps[first].moment();
        let last = first + steps[first..].iter().take_while(|step| step.moment() == moment).count();
        while let Some(&due) = breaks.get(next_break).filter(|due| due_before(**due, moment.0)) {
            key.break_off(due);
            next_break += 1;
        }
        key.instant(&steps[first..last]);
        first = last;
    }
    for &due in &breaks[next_break..] {
        key.break_off(due);
    }
}

/// A new run begins before what happens at its first instant; a stop comes after what happens at its own.
fn due_before(due: Break, at: UnixMs) -> bool {
    match due {
        Break::Started { at: started_at, .. } => started_at <= at,
        Break::Stopped { at: stopped_at } => stopped_at < at,
    }
}

struct Key<'a> {
    pairing: Pairing,
    open: &'a mut VecDeque<Open>,
    out: &'a mut Paired,
    /// The instant of the last start and how many starts it had so far.
    ordinal: (UnixMs, u32),
}

impl Key<'_> {
    fn instant(&mut self, steps: &[Step]) {
        if let [only] = steps {
            return match only {
                Step::Start(start) => self.start(*start),
                Step::End(end) => self.end_or_unmatched(*end, end.seats, self.open.len()),
            };
        }
        let begun_earlier = self.open.len();
        let mut rests: Vec<(End, u32)> = Vec::new();
        let mut closable = begun_earlier;
        for step in steps {
            if let Step::End(end) = step {
                let before = self.open.len();
                let rest = self.end(*end, end.seats, closable);
                closable -= before - self.open.len();
                // An end of no seats that has closed nothing may be that of a start of this instant.
                let missed = end.seats == 0 && before == self.open.len();
                if rest > 0 || missed {
                    rests.push((*end, rest));
                }
            }
        }
        for step in steps {
            if let Step::Start(start) = step {
                self.start(*start);
            }
        }
        for (end, rest) in rests {
            self.end_or_unmatched(end, rest, self.open.len());
        }
    }

    fn start(&mut self, start: Start) {
        if start.order == HELD && !self.open.is_empty() {
            return;
        }
        if self.pairing == Pairing::Exclusive {
            while let Some(older) = self.open.pop_front() {
                let session = session_of(&older, older.left, Ended::Superseded, (older.start.at, 0), None);
                self.out.closed.push(session);
            }
        }
        self.ordinal =
            if self.ordinal.0 == start.at { (start.at, self.ordinal.1 + 1) } else { (start.at, 0) };
        self.open.push_back(Open { start, ordinal: self.ordinal.1, left: start.seats });
    }

    fn end_or_unmatched(&mut self, end: End, seats: u32, closable: usize) {
        let rest = self.end(end, seats, closable);
        if rest > 0 {
            self.out.unmatched.push(UnmatchedEnd { end, seats: rest });
        }
    }

    /// Closes `seats` of the `closable` oldest open sessions; returns how many found nothing.
    fn end(&mut self, end: End, mut seats: u32, closable: usize) -> u32 {
        let exact = self.open.iter().take(closable).position(|open| open.left == seats);
        if let Some(index) = exact {
            self.close(index, seats, &end);
            return 0;
        }
        let mut closable = closable;
        while seats > 0 && closable > 0 {
            let taken = seats.min(self.open[0].left);
            let before = self.open.len();
            self.close(0, taken, &end);
            closable -= before - self.open.len();
            seats -= taken;
        }
        seats
    }

    fn close(&mut self, index: usize, seats: u32, end: &End) {
        let open = &mut self.open[index];
        open.left -= seats;
        let event = Some((end.seats, end.input));
        self.out.closed.push(session_of(open, seats, end.ended, (end.at, end.order), event));
        if open.left == 0 {
            self.open.remove(index);
        }
    }

    fn break_off(&mut self, due: Break) {
        let begun_before = match due {
            Break::Started { at, .. } => at,
            Break::Stopped { at } => at + 1,
        };
        let ends_at = match due {
            Break::Started { last_line_at, .. } => last_line_at,
            Break::Stopped { at } => at,
        };
        while self.open.front().is_some_and(|open| open.start.at < begun_before) {
            if let Some(mut open) = self.open.pop_front() {
                let (seats, until) = (open.left, ends_at.max(open.start.at));
                open.left = 0;
                self.out.closed.push(session_of(&open, seats, Ended::ServerStopped, (until, 0), None));
            }
        }
    }
}

/// The session of `seats` of an open one that end now; `open.left` is what remains after it.
fn session_of(
    open: &Open,
    seats: u32,
    ended: Ended,
    until: (UnixMs, i32),
    event: Option<(u32, InputId)>,
) -> Session {
    let left = if ended == Ended::Superseded { 0 } else { open.left };
    Session {
        from: open.start.at,
        nth: nth(open.ordinal, left),
        until: Some(until.0),
        seats,
        ended,
        version: open.start.version,
        from_order: open.start.order,
        until_order: until.1,
        start_seats: open.start.seats,
        end_seats: event.map(|(seats, _)| seats),
        from_input: open.start.input,
        until_input: event.map(|(_, input)| input),
    }
}

fn nth(ordinal: u32, left: u32) -> i64 {
    i64::from(ordinal) << 32 | i64::from(left)
}

impl Open {
    /// The row of a session while it is open.
    pub fn session(&self) -> Session {
        Session {
            until: None,
            until_order: 0,
            ..session_of(&Self { left: 0, ..*self }, self.left, Ended::Open, (self.start.at, 0), None)
        }
    }
}

/// What a key's rows say happened from `since` on: the sessions open just before it, and the steps.
///
/// `sessions` are all rows of the key that are open or ended at or after `since`, `unmatched` its unmatched ends from
/// there on. Pairing the result anew gives the same rows.
pub fn unpair(
    sessions: &[Session],
    unmatched: &[UnmatchedEnd],
    since: UnixMs,
) -> (VecDeque<Open>, Vec<Step>) {
    let mut starts: Vec<Open> = Vec::new();
    let mut by_start: Vec<&Session> = sessions.iter().collect();
    by_start.sort_by_key(|session| (session.from, session.nth));
    for session in by_start {
        let ordinal = (session.nth >> 32) as u32;
        match starts.last_mut() {
            Some(last) if last.start.at == session.from && last.ordinal == ordinal => {
                last.left += session.seats;
            }
            _ => starts.push(Open { start: start_of(session), ordinal, left: session.seats }),
        }
    }
    let begun_before = starts.iter().take_while(|open| open.start.at < since).count();
    let mut steps: Vec<Step> =
        starts.split_off(begun_before).iter().map(|open| Step::Start(open.start)).collect();
    steps.extend(ends_of(sessions, unmatched).into_iter().map(Step::End));
    (starts.into(), steps)
}

fn start_of(session: &Session) -> Start {
    Start {
        at: session.from,
        order: session.from_order,
        seats: session.start_seats,
        version: session.version,
        input: session.from_input,
    }
}

/// The end events behind rows: rows and rests of one end add up to its seats.
fn ends_of(sessions: &[Session], unmatched: &[UnmatchedEnd]) -> Vec<End> {
    let mut parts: Vec<(End, u32)> = unmatched.iter().map(|rest| (rest.end, rest.seats)).collect();
    for session in sessions {
        if let (Some(at), Some(seats), Some(input)) = (session.until, session.end_seats, session.until_input)
        {
            let end = End { at, order: session.until_order, seats, ended: session.ended, input };
            parts.push((end, session.seats));
        }
    }
    parts.sort_by_key(|(end, _)| Step::End(*end).sort_key());
    let mut ends: Vec<End> = Vec::new();
    for same in parts.chunk_by(|(a, _), (b, _)| Step::End(*a).same_event(&Step::End(*b))) {
        let (end, seats) = (same[0].0, same.iter().map(|(_, seats)| u64::from(*seats)).sum::<u64>());
        let events = match u64::from(end.seats) {
            0 => same.len(),
            of_one => seats.div_ceil(of_one) as usize,
        };
        ends.extend(same.iter().cycle().take(events).map(|(end, _)| *end));
    }
    ends
}

#[cfg(test)]
#[path = "pairing_tests.rs"]
mod tests;
