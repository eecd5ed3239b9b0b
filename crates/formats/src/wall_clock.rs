//! Days for lines that print only the time of day.
//!
//! The clock falling by more than five minutes is midnight; date anchors override. A line of the evening after the
//! clock has passed midnight comes late from another process and belongs to the day before. Where the zone sets its
//! clocks back, a fall within the hour that comes twice begins its second turn.

use accounting::UnixMs;
use accounting::day::Day;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// Seconds of a day.
pub(crate) const DAY: u32 = 86_400;
/// The clock may fall by so many seconds from line to line without a midnight between: processes write at once.
pub(crate) const SLACK: u32 = 300;
/// How near to the change lines of both turns of the repeated hour may be mixed.
const MIXED: u32 = 60;

/// Where the lines have got to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The civil day.
    day: i32,
    /// The last second of it; none before the first line.
    last: Option<u32>,
    /// Whether the hour that comes twice on this day has begun its second turn.
    second_turn: bool,
}

/// The wall clock of a server.
#[derive(Debug)]
pub(crate) struct WallClock {
    zone: TimeZone,
    position: Position,
    /// The day worked out last.
    offsets: Offsets,
}

/// A civil day's distance from UTC.
#[derive(Debug, Clone, Copy)]
struct Offsets {
    day: i32,
    /// The instant of the day's second 0 by the offset with which it begins.
    zero: UnixMs,
    change: Option<Change>,
}

/// The clocks are set on a day: seconds in `low..high` come twice or never.
#[derive(Debug, Clone, Copy)]
struct Change {
    low: u32,
    high: u32,
    /// What the later offset adds to an instant.
    shift_ms: i64,
}

impl Change {
    fn set_back(self) -> bool {
        self.shift_ms > 0
    }
}

impl WallClock {
    pub(crate) fn new(zone: TimeZone, first_day: Day) -> Self {
        Self::at(zone, Position { day: first_day.0, last: None, second_turn: false })
    }

    /// Goes on from a [`Position`].
    pub(crate) fn at(zone: TimeZone, position: Position) -> Self {
        let offsets = offsets(&zone, position.day);
        Self { zone, position, offsets }
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Whether a line was read.
    pub(crate) fn has_ticked(&self) -> bool {
        self.position.last.is_some()
    }

    pub(crate) fn day(&self) -> Day {
        Day(self.position.day)
    }

    /// The instant of the next line, by its second of the day.
    pub(crate) fn tick(&mut self, second: u32) -> UnixMs {
        let Position { day, last, .. } = self.position;
        match last {
            Some(last) if second + SLACK < last => return self.fall(second, last),
            Some(last) if second > last + (DAY - SLACK) => return self.instant(day - 1, second, true),
            Some(last) if self.position.second_turn && self.is_of_first_turn(second, last) => {
                return self.instant(day, second, false);
            }
            _ => {}
        }
        self.position.last = Some(second);
        self.instant(day, second, self.position.second_turn)
    }

    /// The instant of the next line where it says its day.
    pub(crate) fn tick_on(&mut self, day: Day, second: u32) -> UnixMs {
        let before = self.position;
        let at = self.tick(second);
        let counted = if self.is_late(before, second) { before.day - 1 } else { self.position.day };
        if counted == day.0 {
            return at;
        }
        let second_turn = before.second_turn && before.day == day.0;
        self.position = Position { day: day.0, last: Some(second), second_turn };
        self.instant(day.0, second, second_turn)
    }

    /// Takes a line whose instant is known.
    pub(crate) fn set(&mut self, day: Day, second: u32) {
        self.position = Position { day: day.0, last: Some(second), second_turn: false };
    }

    fn is_late(&self, before: Position, second: u32) -> bool {
        self.position == before && before.last.is_some_and(|last| second > last + (DAY - SLACK))
    }

    #[cold]
    fn fall(&mut self, second: u32, last: u32) -> UnixMs {
        let Position { day, second_turn, .. } = self.position;
        let again = !second_turn
            && self.change(day).is_some_and(|change| {
                let fits = second >= change.low && second < change.high;
                change.set_back() && fits && last >= change.low && last < change.high + SLACK
            });
        self.position = Position { day: day + i32::from(!again), last: Some(second), second_turn: again };
        self.instant(self.position.day, second, again)
    }

    /// Whether a line of the first turn comes late, after another process has begun the second.
    fn is_of_first_turn(&mut self, second: u32, last: u32) -> bool {
        let day = self.position.day;
        self.change(day).is_some_and(|change| {
            last >= change.low
                && last < change.low + MIXED
                && second < change.high
                && second + MIXED >= change.high
        })
    }

    fn change(&mut self, day: i32) -> Option<Change> {
        if self.offsets.day != day {
            self.offsets = offsets(&self.zone, day);
        }
        self.offsets.change
    }

    fn instant(&mut self, day: i32, second: u32, second_turn: bool) -> UnixMs {
        let change = self.change(day);
        let at = self.offsets.zero + i64::from(second) * 1000;
        match change {
            Some(change) if second >= change.high => at + change.shift_ms,
            Some(change) if second >= change.low && change.set_back() && second_turn => at + change.shift_ms,
            _ => at,
        }
    }
}

/// Works out a day's offsets: nearly every day has one.
fn offsets(zone: &TimeZone, day: i32) -> Offsets {
    let stamp = |at: UnixMs| Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let offset = |at: Timestamp| i64::from(zone.to_offset(at).seconds());
    let (start, end) = (Day(day).start(zone), Day(day).next().start(zone));
    let before = stamp(start - 1);
    let midnight = i64::from(day) * 86_400_000;
    let next = zone.following(before).next().map(|transition| transition.timestamp());
    let Some(changed) = next.filter(|at| at.as_millisecond() < end) else {
        return Offsets { day, zero: midnight - offset(stamp(start)) * 1000, change: None };
    };
    let (old, new) = (offset(before), offset(changed));
    let second = |offset: i64| changed.as_second() + offset - midnight / 1000;
    let (low, high) = (second(old).min(second(new)), second(old).max(second(new)));
    let clamp = |second: i64| second.clamp(0, i64::from(DAY)) as u32;
    let change = Change { low: clamp(low), high: clamp(high), shift_ms: (old - new) * 1000 };
    Offsets { day, zero: midnight - old * 1000, change: (old != new).then_some(change) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::fmt::Write;

    /// Clock times, `*` before one that says the day given; printed as UTC.
    fn check(zone: &str, day: &str, times: &str, expected: &Expect) {
        let zone = TimeZone::get(zone).unwrap();
        let day: Day = day.parse().unwrap();
        let mut clock = WallClock::new(zone, day);
        let mut out = String::new();
        for time in times.split(' ') {
            let at = match time.strip_prefix('*') {
                Some(time) => clock.tick_on(day, crate::text::clock(time.as_bytes()).unwrap()),
                None => clock.tick(crate::text::clock(time.as_bytes()).unwrap()),
            };
            writeln!(out, "{time} = {}", Timestamp::from_millisecond(at).unwrap()).unwrap();
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn midnight_small_falls_and_late_lines() {
        check(
            "Etc/UTC",
            "2017-02-18",
            "20:40:34 20:40:18 23:59:59 0:00:00 23:59:58 0:00:01 0:00:00",
            &expect![[r"
                20:40:34 = 2017-02-18T20:40:34Z
                20:40:18 = 2017-02-18T20:40:18Z
                23:59:59 = 2017-02-18T23:59:59Z
                0:00:00 = 2017-02-19T00:00:00Z
                23:59:58 = 2017-02-18T23:59:58Z
                0:00:01 = 2017-02-19T00:00:01Z
                0:00:00 = 2017-02-19T00:00:00Z
            "]],
        );
    }

    #[test]
    fn an_anchor_takes_a_midnight_back() {
        check(
            "Etc/UTC",
            "2017-02-18",
            "22:12:00 *6:34:06 7:00:00",
            &expect![[r"
                22:12:00 = 2017-02-18T22:12:00Z
                *6:34:06 = 2017-02-18T06:34:06Z
                7:00:00 = 2017-02-18T07:00:00Z
            "]],
        );
    }

    #[test]
    fn an_hour_that_comes_twice() {
        check(
            "Europe/Zurich",
            "2025-10-26",
            "1:59:00 2:10:00 2:59:59 2:00:00 2:59:59 2:00:30 2:58:00 3:00:00 *3:10:00 2:00:00",
            &expect![[r"
                1:59:00 = 2025-10-25T23:59:00Z
                2:10:00 = 2025-10-26T00:10:00Z
                2:59:59 = 2025-10-26T00:59:59Z
                2:00:00 = 2025-10-26T01:00:00Z
                2:59:59 = 2025-10-26T00:59:59Z
                2:00:30 = 2025-10-26T01:00:30Z
                2:58:00 = 2025-10-26T01:58:00Z
                3:00:00 = 2025-10-26T02:00:00Z
                *3:10:00 = 2025-10-26T02:10:00Z
                2:00:00 = 2025-10-27T01:00:00Z
            "]],
        );
    }

    #[test]
    fn an_hour_that_never_comes() {
        check(
            "America/New_York",
            "2017-03-11",
            "22:03:36 1:59:59 2:30:00 3:00:00 5:03:36",
            &expect![[r"
                22:03:36 = 2017-03-12T03:03:36Z
                1:59:59 = 2017-03-12T06:59:59Z
                2:30:00 = 2017-03-12T07:30:00Z
                3:00:00 = 2017-03-12T07:00:00Z
                5:03:36 = 2017-03-12T09:03:36Z
            "]],
        );
    }

    #[test]
    fn a_change_at_midnight() {
        // Paraguay set its clocks back from 0:00 to 23:00.
        check(
            "America/Asuncion",
            "2022-03-26",
            "23:30:00 23:59:00 23:10:00 0:00:10",
            &expect![[r"
                23:30:00 = 2022-03-27T02:30:00Z
                23:59:00 = 2022-03-27T02:59:00Z
                23:10:00 = 2022-03-27T03:10:00Z
                0:00:10 = 2022-03-27T04:00:10Z
            "]],
        );
    }
}
