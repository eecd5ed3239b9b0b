//! The rows of sessions that polls told, and of finished uses.

use super::rows_of;
use crate::Error;
use crate::backend::{Backend, Row, Value, all};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::{Ended, FeatureId, HolderId, VersionId};
use serde_json::json;
use std::collections::BTreeMap;

/// A hold as its license server tells it from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Hold {
    pub(super) feature: FeatureId,
    pub(super) from: UnixMs,
    pub(super) holder: HolderId,
    pub(super) handle: String,
    /// Tells holds apart that one poll shows alike: -1, -2, … No session that a log tells has such a number.
    pub(super) nth: i64,
}

/// What is known of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) seats: u32,
    pub(super) version: VersionId,
    /// The last poll that showed it.
    pub(super) seen_at: UnixMs,
    pub(super) until: Option<UnixMs>,
    pub(super) ended: Ended,
    pub(super) from_input: InputId,
    pub(super) until_input: Option<InputId>,
}

impl Known {
    /// Whether nothing is to be written; what is open was shown by its daemon's last answer.
    pub(super) fn same_row(&self, before: &Self) -> bool {
        let seen_at = if self.until.is_none() { before.seen_at } else { self.seen_at };
        Self { seen_at, ..*self } == *before
    }
}

/// How many rows go into one statement.
pub(super) const TOGETHER: usize = 10_000;

/// Polled sessions of a daemon (license server, vendor) that are open, or ended later than `earliest`.
pub(super) fn stored_since(
    backend: &mut dyn Backend,
    (server, vendor): &(ServerId, String),
    earliest: UnixMs,
    last: Option<UnixMs>,
) -> Result<BTreeMap<Hold, Known>, Error> {
    let params = [(*server).into(), vendor.as_str().into(), Value::Int(earliest)];
    let sql = include_str!("../../../queries/session_polled_since.sql");
    Ok(all(backend, sql, &params, |row| stored(row, last))?.into_iter().collect())
}

/// Reads a polled session; an open one was seen by the last poll that its daemon answered.
fn stored(row: &Row<'_>, last: Option<UnixMs>) -> Result<(Hold, Known), Error> {
    let hold = Hold {
        feature: row.id(0)?,
        from: row.int(1)?,
        holder: row.id(2)?,
        handle: row.text(3)?,
        nth: row.int(4)?,
    };
    let (until, seen_at) = (row.opt_int(5)?, row.int(9)?);
    let ended = row.int(7)?;
    let known = Known {
        seats: row.id(6)?,
        version: row.id(8)?,
        seen_at: if until.is_none() { last.unwrap_or(seen_at).max(seen_at) } else { seen_at },
        until,
        ended: Ended::from_code(ended).ok_or_else(|| Error::Corrupt(format!("session ending {ended}")))?,
        from_input: row.id(10)?,
        until_input: row.opt_int(11)?.map(|input| input as u32),
    };
    Ok((hold, known))
}

/// What is stored of these holds.
pub(super) fn stored_named<'a>(
    backend: &mut dyn Backend,
    holds: impl Iterator<Item = &'a Hold>,
    last: Option<UnixMs>,
) -> Result<BTreeMap<Hold, Known>, Error> {
    let holds: Vec<&Hold> = holds.collect();
    let mut found = BTreeMap::new();
    for holds in holds.chunks(TOGETHER) {
        let sql = include_str!("../../../queries/session_polled_named.sql");
        found.extend(all(backend, sql, &[keys(holds)], |row| stored(row, last))?);
    }
    Ok(found)
}

fn keys(holds: &[&Hold]) -> Value {
    rows_of(holds, |hold| json!([hold.feature, hold.from, hold.holder, hold.handle, hold.nth]))
}

pub(super) fn delete(backend: &mut dyn Backend, holds: &[&Hold]) -> Result<(), Error> {
    for holds in holds.chunks(TOGETHER) {
        backend.execute(include_str!("../../../queries/session_delete.sql"), &[keys(holds)])?;
    }
    Ok(())
}

pub(super) fn upsert(backend: &mut dyn Backend, rows: &[(&Hold, &Known)]) -> Result<(), Error> {
    for rows in rows.chunks(TOGETHER) {
        let rows = rows_of(rows, |(hold, known)| {
            json!([
                hold.feature,
                hold.from,
                hold.holder,
                hold.handle,
                hold.nth,
                known.until,
                known.seats,
                known.ended.code(),
                known.version,
                known.from_input,
                known.until_input,
                known.seen_at
            ])
        });
        backend.execute(include_str!("../../../queries/session_polled_upsert.sql"), &[rows])?;
    }
    Ok(())
}
