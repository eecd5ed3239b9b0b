//! Instants of lines that print their civil date and time, but no offset.

use accounting::UnixMs;
use accounting::calendar::midnight;
use accounting::day::Day;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Lines of one process may be out of order by so much; a fall of the clock by more, where an hour comes twice, is
/// that hour's second turn.
const SLACK_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// The wall clock of lines that are written in order.
#[derive(Debug)]
pub(crate) struct CivilClock {
    zone: TimeZone,
    /// The instant of the last line: all that a parser's state must keep.
    latest: Option<UnixMs>,
    /// A day without a change of the clocks and the instant at which it begins.
    even_day: Option<(Day, UnixMs)>,
}

impl CivilClock {
    /// Goes on after the line of this instant.
    pub(crate) fn new(zone: TimeZone, latest: Option<UnixMs>) -> Self {
        Self { zone, latest, even_day: None }
    }

    pub(crate) fn latest(&self) -> Option<UnixMs> {
        self.latest
    }

    /// The instant of the next line, by its day and the millisecond of that day.
    #[inline]
    pub(crate) fn tick(&mut self, day: Day, milli: u32) -> UnixMs {
        let at = self.instant(day, milli);
        self.latest = Some(at);
        at
    }

    /// The instant of a civil time beside the lines' own.
    #[inline]
    pub(crate) fn instant(&mut self, day: Day, milli: u32) -> UnixMs {
        match self.even_day {
            Some((known, start)) if known == day => start + i64::from(milli),
            _ => self.on_another_day(day, milli),
        }
    }

    #[cold]
    fn on_another_day(&mut self, day: Day, milli: u32) -> UnixMs {
        let (start, end) = (day.start(&self.zone), day.next().start(&self.zone));
        let stamp = |at: UnixMs| jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let offset = |at: UnixMs| self.zone.to_offset(stamp(at));
        if end - start == DAY_MS && offset(start) == offset(end - 1) {
            self.even_day = Some((day, start));
            return start + i64::from(milli);
        }
        let midnight = midnight(day);
        let local =
            midnight.checked_add(jiff::Span::new().milliseconds(i64::from(milli))).unwrap_or(midnight);
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let is_fold = matches!(ambiguous.offset(), AmbiguousOffset::Fold { .. });
        let later = ambiguous.later().map_or(start, jiff::Timestamp::as_millisecond);
        let first = ambiguous.compatible().map_or(start, jiff::Timestamp::as_millisecond);
        match self.latest {
            Some(latest) if is_fold && first + SLACK_MS < latest && latest <= later + SLACK_MS => later,
            _ => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clock times of a day in Zurich, as UTC.
    fn ticks(day: &str, times: &[&str]) -> Vec<String> {
        let mut clock = CivilClock::new(TimeZone::get("Europe/Zurich").unwrap(), None);
        let day: Day = day.parse().unwrap();
        let one = |time: &&str| {
            let at = clock.tick(day, crate::text::clock(time.as_bytes()).unwrap() * 1000);
            jiff::Timestamp::from_millisecond(at).unwrap().strftime("%H:%M:%S").to_string()
        };
        times.iter().map(one).collect()
    }

    #[test]
    fn an_even_day() {
        assert_eq!(
            ticks("2025-07-15", &["2:31:21", "2:30:00", "23:59:59"]),
            ["00:31:21", "00:30:00", "21:59:59"]
        );
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_by_the_order() {
        let local = ["1:59:00", "2:10:00", "2:59:59", "2:59:58", "2:00:00", "2:58:00", "3:00:00"];
        let utc = ["23:59:00", "00:10:00", "00:59:59", "00:59:58", "01:00:00", "01:58:00", "02:00:00"];
        assert_eq!(ticks("2025-10-26", &local), utc);
    }

    #[test]
    fn dates_that_go_back_begin_with_the_first_turn() {
        assert_eq!(ticks("2025-10-26", &["9:00:00", "2:30:00"]), ["08:00:00", "00:30:00"]);
    }

    #[test]
    fn an_hour_that_never_comes() {
        assert_eq!(
            ticks("2025-03-30", &["1:59:59", "2:30:00", "3:00:00"]),
            ["00:59:59", "01:30:00", "01:00:00"]
        );
    }
}
