//! Who is counted already in the present bucket: what this process knows to be durable, so that the database need not be
//! asked again.

use super::buckets::Bucket;
use accounting::UnixMs;
use rustc_hash::FxHashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use store::heartbeats::BucketScope;

/// How many parts the set has, so that threads seldom wait for each other and growing is cheap.
const SHARDS: usize = 16;
/// How many keys a part holds at most: 1.8 million in all, 36 MB. Who does not fit in is left to the database.
const MOST: usize = 114_688;

/// What is counted once in a bucket: a person, or a person's feature. Two different ones have the same key with a
/// probability of 2⁻¹²⁸, and nobody can look for such a pair: the hash is keyed anew by every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(u128);

/// What is durable of the present bucket.
#[derive(Debug)]
pub(crate) struct Counted {
    keys: [RandomState; 2],
    shards: Vec<Mutex<Shard>>,
    /// How many keys a shard holds at most.
    most: usize,
}

#[derive(Debug)]
struct Shard {
    /// The beginning of the bucket.
    from: UnixMs,
    held: FxHashSet<u128>,
}

impl Counted {
    /// Nobody.
    pub(crate) fn new() -> Self {
        Self::holding(MOST)
    }

    fn holding(most: usize) -> Self {
        let shard = |_| Mutex::new(Shard { from: UnixMs::MIN, held: FxHashSet::default() });
        let shards = (0..SHARDS).map(shard).collect();
        Self { keys: [RandomState::new(), RandomState::new()], shards, most }
    }

    /// The key of what is counted once.
    pub(crate) fn key(&self, scope: BucketScope, domain: &str, user: &str, feature: &str) -> Key {
        let feature = match scope {
            BucketScope::Person => None,
            BucketScope::PersonAndFeature => Some(feature),
        };
        let half = |state: &RandomState| u128::from(state.hash_one((domain, user, feature)));
        Key(half(&self.keys[0]) << 64 | half(&self.keys[1]))
    }

    /// Whether it is counted in this bucket.
    pub(crate) fn has(&self, bucket: Bucket, key: Key) -> bool {
        let shard = self.shard(key);
        shard.from == bucket.from && shard.held.contains(&key.0)
    }

    /// It is durable now. The first one of a later bucket takes the place of all of the earlier one.
    pub(crate) fn add(&self, from: UnixMs, key: Key) {
        let mut shard = self.shard(key);
        if from > shard.from {
            *shard = Shard { from, held: FxHashSet::default() };
        }
        if from == shard.from && shard.held.len() < self.most {
            shard.held.insert(key.0);
        }
    }

    fn shard(&self, key: Key) -> MutexGuard<'_, Shard> {
        let nth = key.0 as usize % SHARDS;
        self.shards[nth].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, SHARDS};
    use crate::service::buckets::Bucket;
    use store::heartbeats::BucketScope::{Person, PersonAndFeature};

    const FIRST: Bucket = Bucket { from: 0, until: 10 };
    const SECOND: Bucket = Bucket { from: 10, until: 20 };

    #[test]
    fn keys_tell_apart_what_counts_apart() {
        let counted = Counted::new();
        let key = |scope, domain, user, feature| counted.key(scope, domain, user, feature);
        assert_eq!(key(Person, "d", "u", "1"), key(Person, "d", "u", "2"));
        assert_ne!(key(Person, "d", "u", "1"), key(Person, "du", "", "1"));
        assert_ne!(key(Person, "d", "u", "1"), key(PersonAndFeature, "d", "u", "1"));
        assert_ne!(key(PersonAndFeature, "d", "u", "1"), key(PersonAndFeature, "d", "u", "2"));
    }

    #[test]
    fn a_bucket_that_turns_drops_what_was_counted() {
        let counted = Counted::new();
        let key = counted.key(Person, "d", "u", "1");
        counted.add(FIRST.from, key);
        assert!(counted.has(FIRST, key) && !counted.has(SECOND, key));
        counted.add(SECOND.from, key);
        assert!(counted.has(SECOND, key) && !counted.has(FIRST, key));
        // What was committed late belongs to a bucket that nobody asks for any more.
        counted.add(FIRST.from, counted.key(Person, "d", "v", "1"));
        assert!(counted.has(SECOND, key));
    }

    #[test]
    fn it_holds_a_bounded_number() {
        let counted = Counted::holding(100);
        let keys: Vec<_> =
            (0..SHARDS * 200).map(|nth| counted.key(Person, "d", &nth.to_string(), "")).collect();
        for key in &keys {
            counted.add(FIRST.from, *key);
        }
        let held = keys.iter().filter(|key| counted.has(FIRST, **key)).count();
        assert!((SHARDS * 90..=SHARDS * 100).contains(&held), "{held}");
    }
}
