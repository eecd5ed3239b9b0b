//! Runs that have not told their end. Whether one goes on is a matter of reading: nobody writes that it was given up.

use crate::Error;
use crate::backend::{Backend, Value, all};
use accounting::UnixMs;
use accounting::session::{FeatureId, HolderId};
use rustc_hash::FxHashSet;

/// The runs of a feature that are awaited at an instant: start, holder, handle.
pub(crate) fn of_feature(
    backend: &mut dyn Backend,
    feature: FeatureId,
    now: UnixMs,
) -> Result<FxHashSet<(UnixMs, HolderId, String)>, Error> {
    let sql = "select from_at, holder_id, handle from running where feature_id = $1 and awaited_until > $2";
    let params = [feature.into(), Value::Int(now)];
    let rows = all(backend, sql, &params, |row| Ok((row.int(0)?, row.id(1)?, row.text(2)?)))?;
    Ok(rows.into_iter().collect())
}
