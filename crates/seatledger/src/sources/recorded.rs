//! Which days records speak of, so that a table made of records says nothing of them.

use accounting::UnixMs;
use accounting::day::Day;
use jiff::tz::TimeZone;

/// The civil days of which a license server's records are held.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    days: Vec<(Day, Day)>,
    zone: Option<TimeZone>,
}

impl Recorded {
    /// The days that these stretches touch.
    pub(crate) fn new(stretches: &[(UnixMs, UnixMs)], zone: TimeZone) -> Self {
        let days = stretches.iter().map(|(from, until)| (Day::of(*from, &zone), Day::of(*until, &zone)));
        Self { days: days.collect(), zone: Some(zone) }
    }

    pub(crate) fn covers(&self, at: UnixMs) -> bool {
        let Some(zone) = &self.zone else { return false };
        let day = Day::of(at, zone);
        self.days.iter().any(|(first, last)| *first <= day && day <= *last)
    }
}
