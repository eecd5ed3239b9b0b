//! Zones of texts that tell their own distance from UTC.

use accounting::calendar::instant;
use accounting::day::Day;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

/// The zone of a text's wall clock: the given one where the text's distance from UTC (in seconds, east positive), told
/// at this second of this day, fits it, because it knows when clocks are set; else a fixed one of that distance.
///
/// The distance fits where it is the zone's own, or its standard one while daylight saving is on: texts differ in
/// which they tell.
pub fn told_zone(zone: &TimeZone, utc_offset: i32, day: Day, second: u32) -> TimeZone {
    const HOUR: i32 = 3600;
    let midnight = day.date().to_datetime(civil::Time::midnight());
    let local = midnight.checked_add(jiff::Span::new().seconds(i64::from(second))).unwrap_or(midnight);
    let at = Timestamp::from_millisecond(instant(local, zone)).unwrap_or(Timestamp::UNIX_EPOCH);
    let info = zone.to_offset_info(at);
    let own = info.offset().seconds();
    if own == utc_offset || (info.dst().is_dst() && own - HOUR == utc_offset) {
        return zone.clone();
    }
    Offset::from_seconds(utc_offset).map_or_else(|_| zone.clone(), TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_that_fits_knows_more_than_a_distance() {
        let zurich = TimeZone::get("Europe/Zurich").unwrap();
        let summer: Day = "2024-07-01".parse().unwrap();
        let winter: Day = "2024-01-15".parse().unwrap();
        for (offset, day) in [(7200, summer), (3600, summer), (3600, winter)] {
            assert_eq!(told_zone(&zurich, offset, day, 0), zurich, "{offset} on {day}");
        }
        assert_eq!(told_zone(&zurich, 7200, winter, 0), TimeZone::fixed(Offset::constant(2)));
        assert_eq!(told_zone(&TimeZone::UTC, 25_200, winter, 0), TimeZone::fixed(Offset::constant(7)));
    }
}
