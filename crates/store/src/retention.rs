//! Retention: what is older than somebody wants to keep it goes, whole days at a time.

use crate::backend::{Backend, Value, all, writing};
use crate::derive::DAYS_LOCK;
use crate::heartbeats::{LOCK, book_first};
use crate::intake::new_mark;
use crate::{Error, Store, runs, settings};
use accounting::day::Day;
use serde_json::json;

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Sessions that had ended before the first day that is kept.
    pub sessions: u64,
    /// Denied and queued requests, and ends without a start.
    pub requests: u64,
    /// Feature days.
    pub days: u64,
    /// Names of holders of whom nothing else is left.
    pub holders: u64,
    /// Lines that nobody understood, of inputs that ended before the first day that is kept.
    pub lines: u64,
}

impl Store {
    /// Removes sessions, requests, polls, totals and feature days before a day. What reaches over its beginning stays.
    pub fn remove_facts_before(&mut self, day: Day) -> Result<Removed, Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(DAYS_LOCK)?;
            backend.lock(LOCK)?;
            book_first(backend)?;
            // Who remembers what was open, or holders by their numbers, looks them up again.
            backend.execute("update server set sequence = sequence + 1", &[])?;
            crate::persons::note_change(backend)?;
            let start = day.start(settings::calendar(backend)?.zone());
            let at: Value = start.into();
            let of_runs = runs::remove_before(backend, start)?;
            let mut run = |sql: &str, param: &Value| backend.execute(sql, std::slice::from_ref(param));
            let mut removed = Removed {
                sessions: of_runs + run("delete from session_by_key where until_at <= $1", &at)?,
                requests: run("delete from request where at < $1", &at)?,
                ..Removed::default()
            };
            removed.requests += run("delete from unmatched_end where at < $1", &at)?;
            run("delete from alert_past where cleared_at < $1", &at)?;
            let first: Value = day.to_string().into();
            run("delete from imported_total where day < $1", &first)?;
            run("delete from feature_day_page where day < $1", &first)?;
            removed.days = run("delete from feature_day where day < $1", &first)?;
            run("delete from feature_day_mark where day < $1", &first)?;
            mark_reaching_over(backend, day, at)?;
            crate::polls::remove_before(backend, start)?;
            removed.holders = backend.execute(include_str!("../queries/holder_unused_delete.sql"), &[])?;
            Ok(removed)
        })
    }

    /// Removes lines that nobody understood, of inputs that end before a day.
    pub fn remove_quarantine_before(&mut self, day: Day) -> Result<Removed, Error> {
        writing(self.backend.as_mut(), |backend| {
            let at: Value = day.start(settings::calendar(backend)?.zone()).into();
            let sql = "delete from quarantine where input_id in
                       (select input_id from span group by input_id having max(until_at) < $1)";
            Ok(Removed { lines: backend.execute(sql, &[at])?, ..Removed::default() })
        })
    }
}

/// Days before the first one that is kept, on which a session lies that reaches into it. Those of runs are in none any more.
fn mark_reaching_over(backend: &mut dyn Backend, day: Day, at: Value) -> Result<(), Error> {
    let zone = settings::calendar(backend)?.zone().clone();
    let sql = "select feature_id, min(from_at) from (
                   select feature_id, from_at from session_by_key where from_at < $1
                   union all select feature_id, from_at from heartbeat where from_at < $1
               ) e group by feature_id order by feature_id";
    for (feature, from) in all(backend, sql, &[at], |row| Ok((row.id(0)?, row.int(1)?)))? {
        let days: Vec<_> =
            (Day::of(from, &zone).0..day.0).map(|day| json!([feature, Day(day).to_string()])).collect();
        let params = [Value::Text(json!(days).to_string()), Value::Int(0), Value::Int(new_mark())];
        backend.execute(include_str!("../queries/mark_insert.sql"), &params)?;
    }
    Ok(())
}
