//! Dates as RLM prints them: with a year now and then, else month and day, or the time of day alone.

use crate::text::{clock, day, number, two};
use accounting::day::Day;

/// How much of a date a line prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Date {
    /// `mm/dd/yyyy`
    Full(Day),
    /// `mm/dd`
    MonthDay(u32, u32),
    /// Nothing.
    None,
}

/// A date and a time of day as they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) date: Date,
    /// The second of the day.
    pub(super) second: u32,
    /// Milliseconds after it.
    pub(super) millis: u32,
    /// Whether no seconds are printed.
    pub(super) to_the_minute: bool,
}

impl Stamp {
    pub(super) fn new(date: Date, time: Time) -> Self {
        let Time { second, millis, to_the_minute } = time;
        Self { date, second, millis, to_the_minute }
    }
}

/// A time of day as it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) second: u32,
    pub(super) millis: u32,
    pub(super) to_the_minute: bool,
}

/// `mm/dd` or `mm/dd/yyyy`
pub(super) fn date(text: &[u8]) -> Option<Date> {
    let mut parts = text.split(|&byte| byte == b'/');
    let (month, of_month) = (short(parts.next()?)?, short(parts.next()?)?);
    let date = match parts.next() {
        Some(year) if year.len() == 4 => Date::Full(day(number(year)?, month, of_month)?),
        Some(_) => return None,
        // Any leap year tells whether there can be such a day.
        None => day(2000, month, of_month).map(|_| Date::MonthDay(month, of_month))?,
    };
    parts.next().is_none().then_some(date)
}

fn short(text: &[u8]) -> Option<u32> {
    if text.len() > 2 { None } else { number(text) }
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.n`, where n counts tenths of a millisecond.
pub(super) fn time(text: &[u8]) -> Option<Time> {
    let (whole, millis) = match text.iter().position(|&byte| byte == b'.') {
        Some(dot) => (&text[..dot], number(&text[dot + 1..]).filter(|tenths| *tenths < 10_000)? / 10),
        None => (text, 0),
    };
    if let Some(second) = clock(whole) {
        return Some(Time { second, millis, to_the_minute: false });
    }
    let colon = text.iter().position(|&byte| byte == b':')?;
    let (hour, minute) = (short(&text[..colon])?, two(&text[colon + 1..])?);
    let second = hour * 3600 + minute * 60;
    (hour < 24 && minute < 60).then_some(Time { second, millis: 0, to_the_minute: true })
}

/// The day of a month and a day of the month that lies nearest to a known one: logs go on from line to line, also
/// from 31 December to 1 January.
pub(super) fn near(known: Day, month: u32, of_month: u32) -> Option<Day> {
    let date = known.date();
    if (date.month() as u32, date.day() as u32) == (month, of_month) {
        return Some(known);
    }
    let year = u32::try_from(date.year()).ok()?;
    let years = year.saturating_sub(8)..=year + 8;
    years.filter_map(|year| day(year, month, of_month)).min_by_key(|day| (day.0 - known.0).abs())
}

/// The last day of a month and a day of the month that is not after a known one: of a first line, when it is known by
/// which day its text was written. A day more is allowed for clocks that go otherwise.
pub(super) fn not_after(known: Day, month: u32, of_month: u32) -> Option<Day> {
    let last = known.next();
    let year = u32::try_from(last.date().year()).ok()?;
    // Eight years back there is a 29 February again.
    (0..=8).filter_map(|back| day(year.checked_sub(back)?, month, of_month)).find(|day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        assert_eq!(date(b"09/04"), Some(Date::MonthDay(9, 4)));
        assert_eq!(date(b"2/29"), Some(Date::MonthDay(2, 29)));
        assert_eq!(date(b"12/31/2012").map(|date| matches!(date, Date::Full(_))), Some(true));
        for wrong in ["", "9", "13/01", "02/30", "02/29/2013", "1/2/3", "1/2/2013/4", "a/b"] {
            assert_eq!(date(wrong.as_bytes()), None, "{wrong}");
        }
        let told =
            |text: &str| time(text.as_bytes()).map(|time| (time.second, time.millis, time.to_the_minute));
        assert_eq!(told("00:04:48"), Some((288, 0, false)));
        assert_eq!(told("00:04"), Some((240, 0, true)));
        assert_eq!(told("5:17"), Some((19_020, 0, true)));
        assert_eq!(told("10:00:00.1234"), Some((36_000, 123, false)));
        assert_eq!(told("10:00:00.0"), Some((36_000, 0, false)));
        for wrong in ["", "24:00", "10:60", "10:00:00.", "10:00:00.12345", "10"] {
            assert_eq!(time(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn the_nearest_day_may_be_of_another_year() {
        let near = |known: &str, month, of_month| {
            near(known.parse().unwrap(), month, of_month).map(|day| day.to_string())
        };
        assert_eq!(near("2012-12-31", 1, 1).as_deref(), Some("2013-01-01"));
        assert_eq!(near("2013-01-01", 12, 31).as_deref(), Some("2012-12-31"));
        assert_eq!(near("2013-01-01", 2, 29).as_deref(), Some("2012-02-29"));
    }
}
