//! Civil days.

use crate::UnixMs;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::fmt;
use std::str::FromStr;

/// A civil day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

/// -9999-01-01, the first day that can be written.
const FIRST: Day = Day(-4_371_587);
/// 9999-12-31, the last one.
const LAST: Day = Day(2_932_896);

/// A text that is not a day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a day: write YYYY-MM-DD")]
pub struct NotADay(String);

impl Day {
    /// The first day that can be written, 0000-01-01.
    pub const MIN: Self = Self(-719_528);
    /// The last day that can be written, 9999-12-31.
    pub const MAX: Self = Self(2_932_896);

    /// The civil day of an instant in a zone: the one whose [`start`](Self::start) is the last not after it. That is
    /// the wall clock's date, but where the clock is set back over a midnight: the day that has begun goes on.
    pub fn of(at: UnixMs, zone: &TimeZone) -> Self {
        let local = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut day = Self::from(zone.to_datetime(local).date());
        while at >= day.next().start(zone) && day < LAST {
            day = day.next();
        }
        day
    }

    /// The calendar's date; days outside the years -9999..9999 are held at the ends.
    pub fn date(self) -> Date {
        // Days are counted from 0000-03-01, so that leap days come last in their year of 365 or 366, in cycles of
        // 400 years or 146 097 days.
        let days = self.0.clamp(FIRST.0, LAST.0) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Date::new((year + era * 400 + carry) as i16, month as i8, of_month as i8).unwrap_or(Date::ZERO)
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        self.date().weekday()
    }

    /// The weekday's number, Monday = 0.
    pub fn weekday_index(self) -> usize {
        (self.0 + 3).rem_euclid(7) as usize
    }

    /// The first instant of the day in a zone: its first midnight, or where the clock jumps over midnight the jump.
    pub fn start(self, zone: &TimeZone) -> UnixMs {
        let midnight = zone.to_ambiguous_timestamp(self.date().to_datetime(Time::midnight()));
        let jumped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
        let Ok(at) = midnight.compatible() else { return i64::from(self.0) * 86_400_000 };
        let jump = |at: jiff::Timestamp| {
            let just_after = at.checked_add(jiff::SignedDuration::from_nanos(1)).ok()?;
            zone.preceding(just_after).next().map(|jump| jump.timestamp())
        };
        if jumped { jump(at).unwrap_or(at) } else { at }.as_millisecond()
    }

    /// The next day.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The day before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        let (month, carry) = (i32::from(date.month()), i32::from(date.month() <= 2));
        let year = i32::from(date.year()) - carry;
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * (month + 12 * carry - 3) + 2) / 5 + i32::from(date.day()) - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let wrong = || NotADay(text.to_owned());
        if text.len() != 10 {
            return Err(wrong());
        }
        Ok(Self::from(text.parse::<Date>().map_err(|_| wrong())?))
    }
}
