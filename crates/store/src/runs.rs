//! Runs of sessions: many that ended, of one feature, as one row of arrays. On PostgreSQL, where a row of its own in a table and in
//! the index of its key costs four times as much; SQLite keeps all sessions by their keys. Whoever reads finds rows in
//! `session`, which on PostgreSQL is a view of both.
//!
//! In statements `{session_by_key}` is the table of rows, where all sessions are that are open or that polls told;
//! `{sessions:WHICH}` is all sessions, those of runs `r` only where `WHICH` is true of their run; `{runs:SQL}` is there where
//! runs are; `{unrolled:RUNS}` selects the sessions of runs as rows.

use crate::Error;
use crate::backend::{Backend, Value, all, one, placed};
use accounting::UnixMs;
use accounting::session::{FeatureId, HolderId};
use serde_json::json;
use std::collections::BTreeMap;

/// The number of the lock of whoever makes rows of runs: two who do it in another order would wait for each other.
const UNROLL_LOCK: i64 = 0x5ea7_1a5e;
/// How many runs become rows in one statement.
const RUNS_TOGETHER: usize = 1_000;

/// A statement where sessions are rows alone.
pub(crate) fn as_rows(sql: &str) -> String {
    let sql = placed(sql, "{sessions:", |_| "session".to_owned());
    placed(&sql, "{runs:", |_| String::new()).replace("{session_by_key}", "session")
}

/// A statement where sessions are rows and runs.
pub(crate) fn as_rows_and_runs(sql: &str) -> String {
    let sql = placed(sql, "{sessions:", |which| {
        let unrolled = unrolled("session_run");
        format!("lateral (select {COLUMNS} from session_by_key union all {unrolled} where {which})")
    });
    let sql = placed(&sql, "{runs:", str::to_owned);
    placed(&sql, "{unrolled:", unrolled).replace("{session_by_key}", "session_by_key")
}

const COLUMNS: &str = "feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input, \
                       until_input, start_seats, end_seats, orders, seen_at";

/// The sessions of runs, with [`COLUMNS`].
fn unrolled(runs: &str) -> String {
    format!(
        "select r.feature_id, p.from_at, cast(p.holder_id as bigint), coalesce(p.handle, ''), cast(0 as bigint), \
         p.until_at, cast(p.seats as bigint), cast(p.ended as bigint), cast(p.version_id as bigint), r.input_id, \
         r.input_id, cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as bigint) \
         from {runs} r cross join lateral unnest(r.from_ats, r.until_ats, r.holder_ids, r.version_ids, r.seats, \
         r.ended, r.handles) as p (from_at, until_at, holder_id, version_id, seats, ended, handle)"
    )
}

/// Makes rows of the runs that hold sessions of these features, starts and holders.
pub(crate) fn unroll(
    backend: &mut dyn Backend,
    sessions: impl Iterator<Item = (FeatureId, UnixMs, HolderId)>,
) -> Result<(), Error> {
    backend.lock(UNROLL_LOCK)?;
    let mut by_feature: BTreeMap<FeatureId, Vec<(UnixMs, HolderId)>> = BTreeMap::new();
    for (feature, from, holder) in sessions {
        by_feature.entry(feature).or_default().push((from, holder));
    }
    for (feature, sessions) in by_feature {
        let starts = || sessions.iter().map(|(from, _)| *from);
        let (first, last) = (starts().min(), starts().max());
        let keys = Value::Text(json!(sessions).to_string());
        let params = [keys, feature.into(), first.into(), last.into()];
        make_rows(backend, include_str!("../queries/session_run_of.sql"), &params)?;
    }
    Ok(())
}

/// Makes rows of the runs that a query finds by their keys; nobody else takes runs away meanwhile.
fn make_rows(backend: &mut dyn Backend, sql: &str, params: &[Value]) -> Result<(), Error> {
    let runs = all(backend, sql, params, |row| Ok([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?]))?;
    for runs in runs.chunks(RUNS_TOGETHER) {
        let runs = [Value::Text(json!(runs).to_string())];
        backend.execute(include_str!("../queries/session_run_unroll.sql"), &runs)?;
        backend.execute(include_str!("../queries/session_run_delete.sql"), &runs)?;
    }
    Ok(())
}

/// Removes the runs that end before an instant, and makes rows of those that reach over it; returns how many sessions it removed.
pub(crate) fn remove_before(backend: &mut dyn Backend, at: UnixMs) -> Result<u64, Error> {
    if !backend.keeps_runs() {
        return Ok(0);
    }
    backend.lock(UNROLL_LOCK)?;
    let removed = counted(backend, "where until_at <= $1", &[at.into()])?;
    backend.execute("delete from session_run where until_at <= $1", &[at.into()])?;
    let around = "select feature_id, last_at, first_at, run_id from session_run where first_at < $1";
    make_rows(backend, around, &[at.into()])?;
    Ok(removed as u64)
}

/// How many sessions there are.
pub(crate) fn count(backend: &mut dyn Backend) -> Result<Option<i64>, Error> {
    let of_runs = if backend.keeps_runs() { counted(backend, "", &[])? } else { 0 };
    let rows = one(backend, "select count(*) from {session_by_key}", &[], |row| row.int(0))?;
    Ok(rows.map(|rows| rows + of_runs))
}

/// When the first session of a feature begins that is there twice: no key keeps it out of a run and a row.
pub(crate) fn doubled(backend: &mut dyn Backend, feature: FeatureId) -> Result<Option<UnixMs>, Error> {
    if !backend.keeps_runs() {
        return Ok(None);
    }
    let sql = "select from_at from session where feature_id = $1
               group by from_at, holder_id, handle, nth having count(*) > 1 order by from_at limit 1";
    one(backend, sql, &[feature.into()], |row| row.int(0))
}

fn counted(backend: &mut dyn Backend, which: &str, params: &[Value]) -> Result<i64, Error> {
    let sql =
        format!("select coalesce(cast(sum(cardinality(from_ats)) as bigint), 0) from session_run {which}");
    Ok(one(backend, &sql, params, |row| row.int(0))?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reads_both_kinds_of_sessions_where_there_are_two() {
        let sql =
            "select a from {sessions:r.feature_id = $1} s join {session_by_key} k {runs:union all select b}";
        assert_eq!(as_rows(sql), "select a from session s join session k ");
        let both = as_rows_and_runs(sql);
        assert!(both.contains("union all select r.feature_id, p.from_at"), "{both}");
        assert!(
            both.contains("where r.feature_id = $1) s join session_by_key k union all select b"),
            "{both}"
        );
    }
}
