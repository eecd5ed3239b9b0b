//! What the program asks the machine about time; the only place that would ask what time it is now.

/// The name of the machine's time zone; `UTC` where it has none that is known.
pub(crate) fn machine_zone() -> String {
    iana_time_zone::get_timezone()
        .ok()
        .filter(|name| accounting::calendar::zone(name).is_ok())
        .unwrap_or_else(|| "UTC".to_owned())
}
