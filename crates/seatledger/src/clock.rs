//! What the program asks the machine about time; the only place that asks what time it is now.

use accounting::UnixMs;
use accounting::day::Day;
use jiff::tz::TimeZone;

/// This instant.
#[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
pub(crate) fn now() -> UnixMs {
    jiff::Timestamp::now().as_millisecond()
}

/// Today in a zone.
pub(crate) fn today(zone: &TimeZone) -> Day {
    Day::of(now(), zone)
}

/// The name of the machine's time zone; `UTC` where it has none that is known.
pub(crate) fn machine_zone() -> String {
    iana_time_zone::get_timezone()
        .ok()
        .filter(|name| accounting::calendar::zone(name).is_ok())
        .unwrap_or_else(|| "UTC".to_owned())
}
