//! Heartbeats: applications without a license server say that they run; buckets of civil time say for how long.
//!
//! Civil time is cut in buckets of one interval, aligned to the hour. A person has used a bucket if at least one heartbeat
//! fell in it; the session of that bucket is the whole bucket at once, and adjacent buckets of the same person, feature
//! and version coalesce. So usage minutes = interval × distinct buckets (domain.md §2).

use crate::UnixMs;
use crate::session::{Ended, FeatureId, HolderId, Part, VersionId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The length of a bucket: whole minutes of which an hour has a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    ms: i64,
}

/// An interval of which an hour does not have a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an hour has no whole number of intervals of {0} minutes: take 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60"
)]
pub struct IntervalError(pub i64);

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

impl Interval {
    /// An interval of whole minutes.
    pub fn minutes(minutes: i64) -> Result<Self, IntervalError> {
        if (1..=60).contains(&minutes) && 60 % minutes == 0 {
            Ok(Self { ms: minutes * MINUTE_MS })
        } else {
            Err(IntervalError(minutes))
        }
    }

    /// Its length in milliseconds.
    pub fn ms(self) -> i64 {
        self.ms
    }
}

impl Default for Interval {
    /// Ten minutes, which the plug-ins in the field keep.
    fn default() -> Self {
        Self { ms: 10 * MINUTE_MS }
    }
}

/// The bucket `[from, until)` of civil time in which an instant lies. Where the clocks change by less than an hour within
/// a bucket, it ends, and another begins, at that instant.
pub fn bucket(at: UnixMs, zone: &TimeZone, interval: Interval) -> (UnixMs, UnixMs) {
    let Ok(stamp) = Timestamp::from_millisecond(at) else {
        let from = at - at.rem_euclid(interval.ms);
        return (from, from + interval.ms);
    };
    let civil = at + i64::from(zone.to_offset(stamp).seconds()) * 1000;
    let within = civil.rem_euclid(HOUR_MS) % interval.ms;
    let (mut from, mut until) = (at - within, at - within + interval.ms);
    let change = |stamp: Timestamp| stamp.as_millisecond();
    // `preceding` tells changes before an instant, and one may lie on it.
    if let Some(last) =
        Timestamp::from_millisecond(at + 1).ok().and_then(|after| zone.preceding(after).next())
    {
        from = from.max(change(last.timestamp()));
    }
    if let Some(next) = zone.following(stamp).next() {
        until = until.min(change(next.timestamp()));
    }
    (from, until)
}

/// A bucket that a person used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// What was used.
    pub feature: FeatureId,
    /// Who, in one number.
    pub person: i64,
    /// Its version.
    pub version: VersionId,
    /// The bucket's beginning.
    pub from: UnixMs,
    /// The bucket's end.
    pub until: UnixMs,
    /// The person, on the host of the heartbeat that came first.
    pub holder: HolderId,
}

/// Adjacent buckets of one person, feature and version: a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// What was used.
    pub feature: FeatureId,
    /// Who, in one number.
    pub person: i64,
    /// The length of its last bucket, in milliseconds.
    pub last_ms: i64,
    /// The session: its holder is that of the first bucket, and it is open, for only the time that passes ends it.
    pub part: Part,
}

impl Stretch {
    /// How the session ended, as of an instant: it is open until one interval after its end has passed.
    pub fn ended(&self, as_of: UnixMs) -> Ended {
        if self.part.until + self.last_ms <= as_of { Ended::HeartbeatsCeased } else { Ended::Open }
    }
}

/// Makes sessions of buckets that come one by one, in the order of [`Bucket`]'s fields: no more than one is held.
#[derive(Debug, Default)]
pub struct Coalescer {
    last: Option<Stretch>,
}

impl Coalescer {
    /// Takes a bucket; gives back the session before it, where the bucket does not belong to it.
    pub fn add(&mut self, bucket: Bucket) -> Option<Stretch> {
        if let Some(last) = &mut self.last {
            let same = (last.feature, last.person, last.part.version)
                == (bucket.feature, bucket.person, bucket.version);
            // Two kinds of heartbeats may have told one bucket twice, and the interval may have been changed.
            if same && bucket.from <= last.part.until {
                last.part.until = last.part.until.max(bucket.until);
                last.last_ms = bucket.until - bucket.from;
                return None;
            }
        }
        let Bucket { feature, person, version, from, until, holder } = bucket;
        let part = Part { from, until, holder, version, seats: 1, ended: Ended::Open };
        self.last.replace(Stretch { feature, person, last_ms: until - from, part })
    }

    /// Gives back the last session.
    pub fn end(self) -> Option<Stretch> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        crate::calendar::zone(name).unwrap()
    }

    fn at(text: &str) -> UnixMs {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    fn shown((from, until): (UnixMs, UnixMs)) -> String {
        let stamp = |at| Timestamp::from_millisecond(at).unwrap().to_string();
        format!("{} {}", stamp(from), stamp(until))
    }

    #[test]
    fn buckets_are_aligned_to_the_civil_hour() {
        let ten = Interval::default();
        let zurich = zone("Europe/Zurich");
        let cases = [
            ("2025-03-03T09:00:00Z", "2025-03-03T09:00:00Z 2025-03-03T09:10:00Z"),
            ("2025-03-03T09:09:59.999Z", "2025-03-03T09:00:00Z 2025-03-03T09:10:00Z"),
            ("2025-03-03T09:10:00Z", "2025-03-03T09:10:00Z 2025-03-03T09:20:00Z"),
            // The hour that comes twice: two buckets at 02:50.
            ("2025-10-26T00:55:00Z", "2025-10-26T00:50:00Z 2025-10-26T01:00:00Z"),
            ("2025-10-26T01:55:00Z", "2025-10-26T01:50:00Z 2025-10-26T02:00:00Z"),
        ];
        for (instant, expected) in cases {
            assert_eq!(shown(bucket(at(instant), &zurich, ten)), expected, "{instant}");
        }
        let hour = Interval::minutes(60).unwrap();
        // A zone that is 5:45 ahead.
        let kathmandu = bucket(at("2025-03-03T09:20:00Z"), &zone("Asia/Kathmandu"), hour);
        assert_eq!(shown(kathmandu), "2025-03-03T09:15:00Z 2025-03-03T10:15:00Z");
        // Clocks that change by half an hour, at 02:00 to 01:30.
        let lord_howe = zone("Australia/Lord_Howe");
        let before = bucket(at("2025-04-05T14:59:00Z"), &lord_howe, hour);
        assert_eq!(shown(before), "2025-04-05T14:00:00Z 2025-04-05T15:00:00Z");
        let after = bucket(at("2025-04-05T15:10:00Z"), &lord_howe, hour);
        assert_eq!(shown(after), "2025-04-05T15:00:00Z 2025-04-05T15:30:00Z");
    }

    #[test]
    fn an_hour_has_a_whole_number_of_intervals() {
        assert!(Interval::minutes(7).is_err());
        assert!(Interval::minutes(0).is_err());
        assert!(Interval::minutes(120).is_err());
        assert_eq!(Interval::minutes(15).unwrap().ms(), 900_000);
    }

    fn coalesce(buckets: impl IntoIterator<Item = Bucket>) -> Vec<Stretch> {
        let mut coalescer = Coalescer::default();
        let mut stretches: Vec<Stretch> =
            buckets.into_iter().filter_map(|bucket| coalescer.add(bucket)).collect();
        stretches.extend(coalescer.end());
        stretches
    }

    fn used(person: i64, version: u32, from: i64) -> Bucket {
        Bucket { feature: 1, person, version, from, until: from + 10, holder: person as u32 }
    }

    #[test]
    fn adjacent_buckets_of_one_version_are_one_session() {
        let stretches =
            coalesce([used(1, 1, 0), used(1, 1, 10), used(1, 1, 30), used(1, 2, 20), used(2, 2, 30)]);
        let spans: Vec<_> = stretches.iter().map(|of| (of.person, of.part.from, of.part.until)).collect();
        assert_eq!(spans, [(1, 0, 20), (1, 30, 40), (1, 20, 30), (2, 30, 40)]);
        assert_eq!(stretches[0].ended(29), Ended::Open);
        assert_eq!(stretches[0].ended(30), Ended::HeartbeatsCeased);
    }

    #[test]
    fn a_bucket_told_twice_counts_once() {
        let stretches = coalesce([used(1, 1, 0), used(1, 1, 0), used(1, 1, 10)]);
        assert_eq!(stretches.len(), 1);
        assert_eq!((stretches[0].part.from, stretches[0].part.until), (0, 20));
    }

    proptest! {
        #[test]
        fn minutes_are_the_distinct_buckets(beats in prop::collection::vec((0..3_i64, 1..3_u32, 0..40_i64), 0..80)) {
            let mut buckets: Vec<Bucket> =
                beats.into_iter().map(|(person, version, nth)| used(person, version, nth * 10)).collect();
            buckets.sort_unstable();
            let stretches = coalesce(buckets.clone());
            buckets.dedup();
            let held: i64 = stretches.iter().map(|of| of.part.until - of.part.from).sum();
            prop_assert_eq!(held, buckets.len() as i64 * 10);
            for pair in stretches.windows(2) {
                let (a, b) = (&pair[0], &pair[1]);
                let same = (a.person, a.part.version) == (b.person, b.part.version);
                prop_assert!(!same || a.part.until < b.part.from, "{:?} {:?}", a, b);
            }
        }

        #[test]
        fn every_instant_lies_in_its_bucket(seconds in 0..2_000_000_000_i64, which in 0..4_usize, minutes in 0..12_usize) {
            let zone = zone(["Europe/Zurich", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"][which]);
            let minutes = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60][minutes];
            let interval = Interval::minutes(minutes).unwrap();
            let at = seconds * 1000;
            let (from, until) = bucket(at, &zone, interval);
            prop_assert!(from <= at && at < until && until - from <= interval.ms());
            prop_assert_eq!(bucket(from, &zone, interval), (from, until));
            prop_assert_eq!(bucket(until - 1, &zone, interval), (from, until));
        }
    }
}
