//! The clock on the wall in Winterthur. Instants are seconds since 1970-01-01 UTC.

use super::company::ZONE;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use std::io;

/// The zone, with the last hour looked up kept: lines come in order of time, and clocks change at full hours.
#[derive(Debug, Clone)]
pub(super) struct WallClock {
    zone: TimeZone,
    hour: i64,
    offset: Offset,
}

impl WallClock {
    pub(super) fn new() -> io::Result<Self> {
        let zone = TimeZone::get(ZONE).map_err(io::Error::other)?;
        Ok(Self { zone, hour: i64::MIN, offset: Offset::UTC })
    }

    /// What the clock shows at an instant.
    pub(super) fn at(&mut self, instant: i64) -> DateTime {
        let timestamp = Timestamp::from_second(instant).unwrap_or_default();
        let hour = instant.div_euclid(3_600);
        if hour != self.hour {
            (self.hour, self.offset) = (hour, self.zone.to_offset(timestamp));
        }
        self.offset.to_datetime(timestamp)
    }

    /// Seconds east of Greenwich at an instant.
    pub(super) fn seconds_east(&mut self, instant: i64) -> i32 {
        self.at(instant);
        self.offset.seconds()
    }

    /// The first instant of a day.
    pub(super) fn midnight(&self, day: Date) -> i64 {
        let midnight = self.zone.to_timestamp(day.at(0, 0, 0, 0));
        midnight.map_or(0, Timestamp::as_second)
    }

    /// The instant at which the clock shows this.
    pub(super) fn instant(&self, shown: DateTime) -> i64 {
        self.zone.to_timestamp(shown).map_or(0, Timestamp::as_second)
    }
}
