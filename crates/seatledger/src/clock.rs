//! What the program asks the machine about time; the only place that asks what time it is now.

use accounting::day::Day;
use jiff::tz::TimeZone;

/// Today in a zone.
#[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
pub(crate) fn today(zone: &TimeZone) -> Day {
    Day::of(jiff::Timestamp::now().as_millisecond(), zone)
}

/// The name of the machine's time zone; `UTC` where it has none that is known.
pub(crate) fn machine_zone() -> String {
    iana_time_zone::get_timezone()
        .ok()
        .filter(|name| accounting::calendar::zone(name).is_ok())
        .unwrap_or_else(|| "UTC".to_owned())
}

/// This instant.
#[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
pub(crate) fn now() -> accounting::UnixMs {
    jiff::Timestamp::now().as_millisecond()
}
