//! The bucket of civil time that it is now.

use crate::clock;
use accounting::UnixMs;
use accounting::heartbeat::{Interval, bucket};
use jiff::tz::TimeZone;
use std::sync::{PoisonError, RwLock};

/// A bucket of civil time, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bucket {
    /// Its beginning.
    pub(crate) from: UnixMs,
    /// Its end.
    pub(crate) until: UnixMs,
}

/// The buckets of a zone; the present one is computed once.
#[derive(Debug)]
pub(crate) struct Buckets {
    zone: TimeZone,
    interval: Interval,
    present: RwLock<Bucket>,
}

impl Buckets {
    /// The buckets of a zone.
    pub(crate) fn new(zone: TimeZone, interval: Interval) -> Self {
        Self { zone, interval, present: RwLock::new(Bucket { from: 0, until: 0 }) }
    }

    /// The present one.
    pub(crate) fn now(&self) -> Bucket {
        self.at(clock::now())
    }

    /// The length of a whole bucket, in milliseconds.
    pub(crate) fn interval_ms(&self) -> i64 {
        self.interval.ms()
    }

    fn at(&self, at: UnixMs) -> Bucket {
        let present = *self.present.read().unwrap_or_else(PoisonError::into_inner);
        if present.from <= at && at < present.until {
            return present;
        }
        let (from, until) = bucket(at, &self.zone, self.interval);
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Bucket { from, until };
        Bucket { from, until }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Buckets};
    use accounting::heartbeat::Interval;
    use jiff::tz::TimeZone;

    #[test]
    fn the_bucket_turns_with_the_clock_and_with_a_clock_that_is_put_back() {
        let buckets = Buckets::new(TimeZone::UTC, Interval::default());
        let of = |from: i64| Bucket { from, until: from + 600_000 };
        for (at, from) in [(0, 0), (599_999, 0), (600_000, 600_000), (1_200_001, 1_200_000), (5, 0)] {
            assert_eq!(buckets.at(at), of(from), "{at}");
        }
    }
}
