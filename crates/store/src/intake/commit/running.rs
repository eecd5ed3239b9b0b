//! Which runs go on unless nothing more is heard of them.

use super::holds::{Hold, Known, TOGETHER};
use super::rows_of;
use crate::Error;
use crate::backend::{Backend, Value};
use accounting::UnixMs;
use accounting::session::Ended;
use serde_json::json;
use std::collections::BTreeMap;

/// Runs that nobody has heard of for so long before the latest are not read as open by anybody any more.
const LONG_MS: i64 = 7 * 86_400_000;

/// Notes of the uses that a commit wrote until when they are awaited; those that have ended are awaited no more.
pub(super) fn write(
    backend: &mut dyn Backend,
    written: &BTreeMap<Hold, Known>,
    awaited: impl Iterator<Item = (Hold, UnixMs)>,
) -> Result<(), Error> {
    let mut going_on: BTreeMap<Hold, UnixMs> = BTreeMap::new();
    for (hold, until) in awaited {
        if written.get(&hold).is_some_and(|known| known.ended == Ended::HeartbeatsCeased) {
            let of = going_on.entry(hold).or_insert(until);
            *of = until.max(*of);
        }
    }
    let ended: Vec<&Hold> =
        written.iter().filter(|(_, known)| known.ended == Ended::Checkin).map(|(hold, _)| hold).collect();
    for ended in ended.chunks(TOGETHER) {
        let rows = rows_of(ended, |hold| json!([hold.feature, hold.from, hold.holder, hold.handle]));
        backend.execute(include_str!("../../../queries/running_delete.sql"), &[rows])?;
    }
    let latest = going_on.values().max().copied();
    let going_on: Vec<(Hold, UnixMs)> = going_on.into_iter().collect();
    for going_on in going_on.chunks(TOGETHER) {
        let rows = rows_of(going_on, |(hold, until)| {
            json!([hold.feature, hold.from, hold.holder, hold.handle, until])
        });
        backend.execute(include_str!("../../../queries/running_upsert.sql"), &[rows])?;
    }
    if let Some(latest) = latest {
        backend.execute("delete from running where awaited_until < $1", &[Value::Int(latest - LONG_MS)])?;
    }
    Ok(())
}
