//! Holders and persons kept from one reading to the next, as long as nothing has changed that they are made of.

use super::holders::People;
use crate::Error;
use crate::backend::{Backend, one};
use accounting::directory::Entry;
use accounting::ledger::ServerId;
use rustc_hash::FxHashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Of more holders than these nothing is kept: some 25 MB.
const MOST: i64 = 100_000;

/// What those share who read one ledger through one opener.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<(Stamp, People)>>>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Kept")
    }
}

/// All that holders and persons are made of: rows are only added, until somebody is forgotten or too old.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    holders: i64,
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
}

impl Kept {
    /// What was kept, if it is what would be read.
    pub(super) fn get(&self, stamp: &Stamp) -> Option<People> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| of == stamp).map(|(_, people)| people.clone())
    }

    /// Keeps what was read of all holders.
    pub(super) fn put(&self, stamp: Stamp, people: &People) {
        let kept = Some((stamp, people.clone())).filter(|(stamp, _)| stamp.holders <= MOST);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }
}
