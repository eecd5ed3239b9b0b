//! Civil days.

use crate::UnixMs;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use std::fmt;
use std::str::FromStr;

/// A civil day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

/// A text that is not a day.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a day: write YYYY-MM-DD")]
pub struct NotADay(String);

impl Day {
    /// The civil day of an instant in a zone.
    pub fn of(at: UnixMs, zone: &TimeZone) -> Self {
        let local = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self::from(zone.to_datetime(local).date())
    }

    /// The calendar's date; days outside the years -9999..9999 are held at the ends.
    pub fn date(self) -> Date {
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.checked_add(jiff::Span::new().days(self.0.clamp(-4_300_000, 2_900_000))).unwrap_or(epoch)
    }

    /// The day of the week.
    pub fn weekday(self) -> Weekday {
        self.date().weekday()
    }

    /// The first instant of the day in a zone.
    pub fn start(self, zone: &TimeZone) -> UnixMs {
        zone.to_ambiguous_timestamp(self.date().to_datetime(jiff::civil::Time::midnight()))
            .compatible()
            .map_or(i64::from(self.0) * 86_400_000, jiff::Timestamp::as_millisecond)
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
        let epoch = jiff::civil::date(1970, 1, 1);
        Self(date.since(epoch).map_or(0, |span| span.get_days()))
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
