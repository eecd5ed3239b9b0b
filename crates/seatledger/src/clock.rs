//! The only "now" of the program: everything else is told what time it is.

#![expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine's clock")]

use accounting::UnixMs;

/// The instant of now.
pub(crate) fn now() -> UnixMs {
    jiff::Timestamp::now().as_millisecond()
}

/// The name of the machine's time zone; `UTC` where it has none that is known.
pub(crate) fn machine_zone() -> String {
    iana_time_zone::get_timezone()
        .ok()
        .filter(|name| accounting::calendar::zone(name).is_ok())
        .unwrap_or_else(|| "UTC".to_owned())
}
