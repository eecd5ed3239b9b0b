//! Runs of sessions: many that ended, of one feature, as one row. A row of its own in a table and in the index of its key costs
//! PostgreSQL four times as much, and was three quarters of what SQLite's writer did. Whoever reads with SQL finds rows in
//! `session`, a view of both.
//!
//! PostgreSQL keeps what runs hold in arrays, and takes them apart itself. SQLite keeps digits ([`digits`]), which any SQL can
//! take apart too, but slowly: here they are read as they are, and put between rows ([`merged`]).
//!
//! In statements `{sessions:WHICH}` is all sessions, those of runs `r` only where `WHICH` is true of their run; on SQLite those of
//! rows alone, to which `{apart:SQL}` adds those of runs. `{unrolled:RUNS}` selects the sessions of runs as rows.

pub(crate) mod digits;
mod merged;

use crate::Error;
use crate::backend::{Backend, EachRow, Row, Value, all, one, placed};
use accounting::UnixMs;
use accounting::session::{FeatureId, HolderId};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};

/// The number of the lock of whoever makes rows of runs: two who do it in another order would wait for each other.
const UNROLL_LOCK: i64 = 0x5ea7_1a5e;
/// How many runs become rows in one statement.
const RUNS_TOGETHER: usize = 1_000;

/// How a database keeps what a run holds of its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Arrays,
    Digits,
}

/// A statement where runs are of this form.
pub(crate) fn told(sql: &str, form: Form) -> String {
    let sql = placed(sql, "{sessions:", |which| match form {
        Form::Arrays => {
            let unrolled = unrolled("session_run", form);
            format!("lateral (select {COLUMNS} from session_by_key union all {unrolled} where {which})")
        }
        Form::Digits => "session_by_key".to_owned(),
    });
    let sql = placed(&sql, "{apart:", |sql| match form {
        Form::Arrays => String::new(),
        Form::Digits => sql.to_owned(),
    });
    placed(&sql, "{unrolled:", |runs| unrolled(runs, form))
}

const COLUMNS: &str = "feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input, \
                       until_input, start_seats, end_seats, orders, seen_at";

/// The sessions of runs, with [`COLUMNS`].
fn unrolled(runs: &str, form: Form) -> String {
    match form {
        Form::Arrays => format!(
            "select r.feature_id, p.from_at, cast(p.holder_id as bigint), coalesce(p.handle, ''), cast(0 as bigint), \
             p.until_at, cast(p.seats as bigint), cast(p.ended as bigint), cast(p.version_id as bigint), r.input_id, \
             r.input_id, cast(null as bigint), cast(null as bigint), cast(null as bigint), cast(null as bigint) \
             from {runs} r cross join lateral unnest(r.from_ats, r.until_ats, r.holder_ids, r.version_ids, r.seats, \
             r.ended, r.handles) as p (from_at, until_at, holder_id, version_id, seats, ended, handle)"
        ),
        Form::Digits => format!(
            "select r.feature_id, r.from_at, r.holder_id, r.handle, 0, r.until_at, r.seats, r.ended, r.version_id, \
             r.input_id, r.input_id, null, null, null, null from {runs} k cross join session_in_run r \
             where r.feature_id = k.feature_id and r.first_at = k.first_at and r.last_at = k.last_at \
             and r.run_id = k.run_id"
        ),
    }
}

/// What is asked for of the sessions of a feature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) feature: FeatureId,
    /// They begin at this instant or later.
    pub(crate) since: UnixMs,
    /// They begin before this instant.
    pub(crate) before: UnixMs,
    /// They are open, or end at this instant or later.
    pub(crate) until: UnixMs,
}

impl Asked {
    /// All of them.
    pub(crate) fn all(feature: FeatureId) -> Self {
        Self { feature, since: UnixMs::MIN, before: UnixMs::MAX, until: UnixMs::MIN }
    }

    fn params(self) -> [Value; 4] {
        [self.feature.into(), self.since.into(), self.before.into(), self.until.into()]
    }
}

/// Which columns are asked for, each with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Columns {
    /// Holder, start, end, version, seats, ending, when polls saw it.
    Plain,
    /// Handle, the input of its start.
    Listed,
    /// Its number among those of one key, the input of its end, seats of its start and of its end, orders.
    Whole,
}

const ALL_COLUMNS: [&str; 14] = [
    "holder_id",
    "from_at",
    "until_at",
    "version_id",
    "seats",
    "ended",
    "seen_at",
    "handle",
    "from_input",
    "nth",
    "until_input",
    "start_seats",
    "end_seats",
    "orders",
];

impl Columns {
    fn count(self) -> usize {
        match self {
            Self::Plain => 7,
            Self::Listed => 9,
            Self::Whole => ALL_COLUMNS.len(),
        }
    }

    fn with_handles(self) -> bool {
        self != Self::Plain
    }

    fn select(self) -> String {
        let columns = ALL_COLUMNS[..self.count()].join(", ");
        include_str!("../queries/session_of_feature.sql").replace("{columns}", &columns)
    }
}

/// Lends sessions of a feature in the order of their starts and holders, and of handles and numbers where these are among the columns.
pub(crate) fn each(
    backend: &mut dyn Backend,
    asked: Asked,
    columns: Columns,
    each: EachRow<'_>,
) -> Result<(), Error> {
    match backend.form_of_runs() {
        Form::Arrays => backend.query(&columns.select(), &asked.params(), each),
        Form::Digits => merged::each(backend, asked, columns, each),
    }
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
        let runs = holding(backend, feature, sessions)?;
        make_rows(backend, &runs)?;
    }
    Ok(())
}

/// A run's key: feature, last start, first start, number.
type RunKey = [i64; 4];

/// The runs that hold one of these sessions.
fn holding(
    backend: &mut dyn Backend,
    feature: FeatureId,
    sessions: Vec<(UnixMs, HolderId)>,
) -> Result<Vec<RunKey>, Error> {
    let starts = || sessions.iter().map(|(from, _)| *from);
    let (first, last) = (starts().min(), starts().max());
    let sql = include_str!("../queries/session_run_of.sql");
    if backend.form_of_runs() == Form::Arrays {
        let keys = Value::Text(json!(sessions).to_string());
        return all(backend, sql, &[keys, feature.into(), first.into(), last.into()], run_key);
    }
    let wanted: HashSet<(UnixMs, i64)> =
        sessions.iter().map(|(from, holder)| (*from, i64::from(*holder))).collect();
    let mut runs = Vec::new();
    let sql = include_str!("../queries/session_run_between.sql");
    backend.query(sql, &[feature.into(), first.into(), last.into()], &mut |row| {
        let mut holds = false;
        merged::take_apart(row, &mut |session| holds |= wanted.contains(&(session.from, session.holder)))?;
        if holds {
            runs.push([i64::from(feature), row.int(1)?, row.int(0)?, row.int(2)?]);
        }
        Ok(())
    })?;
    Ok(runs)
}

fn run_key(row: &Row<'_>) -> Result<RunKey, Error> {
    Ok([row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?])
}

/// Makes rows of runs; nobody else takes runs away meanwhile.
fn make_rows(backend: &mut dyn Backend, runs: &[RunKey]) -> Result<(), Error> {
    for runs in runs.chunks(RUNS_TOGETHER) {
        let runs = [Value::Text(json!(runs).to_string())];
        backend.execute(include_str!("../queries/session_run_unroll.sql"), &runs)?;
        backend.execute(include_str!("../queries/session_run_delete.sql"), &runs)?;
    }
    Ok(())
}

/// Removes the runs that end before an instant, and makes rows of those that reach over it; returns how many sessions it removed.
pub(crate) fn remove_before(backend: &mut dyn Backend, at: UnixMs) -> Result<u64, Error> {
    backend.lock(UNROLL_LOCK)?;
    let removed = counted(backend, "where until_at <= $1", &[at.into()])?;
    backend.execute("delete from session_run where until_at <= $1", &[at.into()])?;
    let around = "select feature_id, last_at, first_at, run_id from session_run where first_at < $1";
    let around = all(backend, around, &[at.into()], run_key)?;
    make_rows(backend, &around)?;
    Ok(removed as u64)
}

/// How many sessions there are.
pub(crate) fn count(backend: &mut dyn Backend) -> Result<Option<i64>, Error> {
    let of_runs = counted(backend, "", &[])?;
    let rows = one(backend, "select count(*) from session_by_key", &[], |row| row.int(0))?;
    Ok(rows.map(|rows| rows + of_runs))
}

fn counted(backend: &mut dyn Backend, which: &str, params: &[Value]) -> Result<i64, Error> {
    let length = match backend.form_of_runs() {
        Form::Arrays => "cardinality(from_ats)",
        Form::Digits => "sessions",
    };
    let sql = format!("select coalesce(cast(sum({length}) as bigint), 0) from session_run {which}");
    Ok(one(backend, &sql, params, |row| row.int(0))?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reads_both_kinds_of_sessions() {
        let sql = "select a from {sessions:r.feature_id = $1} s {apart:union all select b}";
        assert_eq!(told(sql, Form::Digits), "select a from session_by_key s union all select b");
        let arrays = told(sql, Form::Arrays);
        assert!(arrays.contains("union all select r.feature_id, p.from_at"), "{arrays}");
        assert!(arrays.ends_with("where r.feature_id = $1) s "), "{arrays}");
    }
}
