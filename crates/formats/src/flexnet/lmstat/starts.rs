//! Instants of starts, which lmstat prints without a year.

use super::row::Start;
use accounting::UnixMs;
use accounting::calendar::{instant, midnight};
use accounting::day::Day;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

const DAY_MS: i64 = 86_400_000;
/// Slots for all days of a year.
const SLOTS: usize = 12 * 31;

/// Finds the years of starts, and their instants.
#[derive(Debug)]
pub(super) struct Starts {
    zone: TimeZone,
    /// The instant of the poll that the days below are seen from.
    polled_at: UnixMs,
    /// By month and day of the month: what was worked out.
    days: Vec<Option<Known>>,
}

/// A day that was worked out.
#[derive(Debug, Clone, Copy)]
struct Known {
    day: Day,
    /// Its first instant.
    from: UnixMs,
    /// Whether no clock is set on it.
    even: bool,
}

impl Starts {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, polled_at: 0, days: Vec::new() }
    }

    /// The instant of a start that a poll shows: of the poll's year, or of the year before where that would lie more
    /// than a day ahead. The weekday is not asked, but for a start of 1 January that a server whose clock is ahead
    /// prints in the last hours of the year.
    #[inline]
    pub(super) fn instant(&mut self, polled_at: UnixMs, start: Start) -> Option<UnixMs> {
        if self.polled_at != polled_at || self.days.is_empty() {
            self.polled_at = polled_at;
            self.days.clear();
            self.days.resize(SLOTS, None);
        }
        let slot = ((start.month - 1) * 31 + start.of_month - 1) as usize;
        let known = if let Some(known) = *self.days.get(slot)? {
            known
        } else {
            let known = self.look(self.year() + 1, start)?;
            self.days[slot] = Some(known);
            known
        };
        let at = self.at(known, start.second);
        if at <= polled_at + DAY_MS {
            return Some(at);
        }
        let before = self.look(i32::from(known.day.date().year()) - 1, start)?;
        Some(self.at(before, start.second))
    }

    fn year(&self) -> i32 {
        i32::from(Day::of(self.polled_at, &self.zone).date().year())
    }

    /// The last day of that name which has begun a day after the poll, of this year or an earlier one.
    #[cold]
    fn look(&self, year: i32, start: Start) -> Option<Known> {
        let this_year = self.year();
        // Eight years back there is a 29 February again.
        (year - 8..=year).rev().find_map(|year| {
            let date = Date::new(year as i16, start.month as i8, start.of_month as i8).ok()?;
            let day = Day::from(date);
            let from = day.start(&self.zone);
            let fits = from <= self.polled_at + DAY_MS && (year <= this_year || is_on(day, start.weekday));
            let even = day.next().start(&self.zone) - from == DAY_MS;
            fits.then_some(Known { day, from, even })
        })
    }

    #[inline]
    fn at(&self, known: Known, second: u32) -> UnixMs {
        if known.even {
            return known.from + i64::from(second) * 1000;
        }
        let span = jiff::Span::new().seconds(i64::from(second));
        let local = midnight(known.day);
        instant(local.checked_add(span).unwrap_or(local), &self.zone)
    }
}

/// Whether a day is the weekday of an English abbreviation.
fn is_on(day: Day, name: [u8; 3]) -> bool {
    let weekday: &[u8; 3] = match day.date().weekday() {
        Weekday::Monday => b"Mon",
        Weekday::Tuesday => b"Tue",
        Weekday::Wednesday => b"Wed",
        Weekday::Thursday => b"Thu",
        Weekday::Friday => b"Fri",
        Weekday::Saturday => b"Sat",
        Weekday::Sunday => b"Sun",
    };
    name.eq_ignore_ascii_case(weekday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, polled: &str, start: (&str, u32, u32, u32), expected: &str) {
        let zone = TimeZone::get(zone).unwrap();
        let polled: jiff::Timestamp = polled.parse().unwrap();
        let (weekday, month, of_month, second) = start;
        let start = Start { weekday: weekday.as_bytes().try_into().unwrap(), month, of_month, second };
        let mut starts = Starts::new(zone);
        for _ in 0..2 {
            let at = starts.instant(polled.as_millisecond(), start).unwrap();
            assert_eq!(jiff::Timestamp::from_millisecond(at).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn the_year_is_the_polls_or_the_one_before() {
        let summer = "2024-07-12T11:03:00Z";
        check("Etc/UTC", summer, ("Fri", 7, 12, 31_320), "2024-07-12T08:42:00Z");
        check("Etc/UTC", summer, ("Sat", 7, 13, 0), "2024-07-13T00:00:00Z");
        check("Etc/UTC", summer, ("Sat", 7, 13, 40_000), "2023-07-13T11:06:40Z");
        check("Etc/UTC", summer, ("Thu", 12, 7, 0), "2023-12-07T00:00:00Z");
        check("Etc/UTC", summer, ("Thu", 2, 29, 0), "2024-02-29T00:00:00Z");
        check("Etc/UTC", "2023-07-12T11:03:00Z", ("Sat", 2, 29, 0), "2020-02-29T00:00:00Z");
    }

    #[test]
    fn around_new_year() {
        check("Etc/UTC", "2024-01-01T00:10:00Z", ("Sun", 12, 31, 86_000), "2023-12-31T23:53:20Z");
        // The server's clock is ahead by minutes.
        check("Etc/UTC", "2024-12-31T23:59:00Z", ("Wed", 1, 1, 60), "2025-01-01T00:01:00Z");
        check("Etc/UTC", "2024-12-31T23:59:00Z", ("Mon", 1, 1, 60), "2024-01-01T00:01:00Z");
    }

    #[test]
    fn days_on_which_clocks_are_set() {
        check("Europe/Zurich", "2024-04-01T10:00:00Z", ("Sun", 3, 31, 4 * 3600), "2024-03-31T02:00:00Z");
        check("Europe/Zurich", "2024-10-28T10:00:00Z", ("Sun", 10, 27, 3600), "2024-10-26T23:00:00Z");
        check("Europe/Zurich", "2024-10-28T10:00:00Z", ("Sun", 10, 27, 4 * 3600), "2024-10-27T03:00:00Z");
    }
}
