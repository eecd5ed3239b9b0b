//! Holders and persons kept from one reading to the next, as long as nothing has changed that they are made of.

use super::holders::People;
use crate::Error;
use crate::backend::{Backend, one};
use accounting::directory::Entry;
use accounting::ledger::ServerId;
use rustc_hash::FxHashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Of more holders, or entries of the directory, than these nothing is kept: some 25 MB.
const MOST: i64 = 100_000;
/// Nor where numbers of holders lie so far apart that what is numbered by them is mostly empty.
const MOST_APART: i64 = 8;

/// What those share who read one ledger through one opener.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Place>>);

#[derive(Default)]
struct Place {
    people: Option<(Stamp, People)>,
    /// How often holders were renamed or removed, as far as is known: who read before that has nothing to keep.
    forgotten: u64,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Kept")
    }
}

/// All that holders and persons are made of. Rows of holders are only added: whatever renames or removes any calls
/// `persons::note_change` in its transaction.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) holders: i64,
    last: i64,
    forgotten: u64,
    pub(super) heartbeats: Option<ServerId>,
    pub(super) small: FxHashSet<String>,
    pub(super) entries: Vec<Entry>,
}

impl Stamp {
    /// As things are; the directory and its small organizations are given.
    pub(super) fn read(
        backend: &mut dyn Backend,
        heartbeats: Option<ServerId>,
        small: FxHashSet<String>,
        entries: Vec<Entry>,
    ) -> Result<Self, Error> {
        let sql = "select count(*), coalesce(max(holder_id), 0) from holder";
        let (holders, last) =
            one(backend, sql, &[], |row| Ok((row.int(0)?, row.int(1)?)))?.unwrap_or_default();
        Ok(Self { holders, last, forgotten: crate::persons::forgotten(backend)?, heartbeats, small, entries })
    }

    fn is_worth_keeping(&self) -> bool {
        let most = self.holders.max(self.entries.len() as i64);
        most <= MOST && self.last / MOST_APART <= self.holders
    }
}

impl Kept {
    /// What was kept, if it is what would be read.
    pub(super) fn get(&self, stamp: &Stamp) -> Option<People> {
        let place = self.since(stamp.forgotten);
        place.people.as_ref().filter(|(of, _)| of == stamp).map(|(_, people)| people.clone())
    }

    /// Keeps what was read of all holders, and nothing else any more.
    pub(super) fn put(&self, stamp: Stamp, people: &People) {
        let mut place = self.since(stamp.forgotten);
        if stamp.forgotten == place.forgotten {
            place.people = stamp.is_worth_keeping().then(|| (stamp, people.clone()));
        }
    }

    /// Lets go of names that were forgotten since they were read.
    pub(crate) fn let_go(&self, forgotten: u64) {
        drop(self.since(forgotten));
    }

    fn since(&self, forgotten: u64) -> MutexGuard<'_, Place> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if forgotten > place.forgotten {
            *place = Place { people: None, forgotten };
        }
        place
    }
}
