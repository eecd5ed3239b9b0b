//! Sealing: stretches of buckets that no heartbeat can extend any more become rows of session.

use super::{LOCK, News, SEALED, bucket, sealed, source};
use crate::backend::{Backend, Cell, Value, all, writing};
use crate::intake::{SESSION, new_mark};
use crate::{Error, Store, settings};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::heartbeat::{Bucket, Stretch, coalesce};
use accounting::pairing::InputId;
use accounting::privacy::Identity;
use accounting::session::{Ended, FeatureId};
use serde_json::json;
use std::collections::BTreeSet;

/// How many buckets go into one deletion.
const TOGETHER: usize = 20_000;

impl Store {
    /// Makes rows of the stretches of buckets that end before an instant, and takes no heartbeat of earlier buckets any
    /// more. Returns how many.
    pub fn seal_heartbeats(&mut self, before: UnixMs) -> Result<u64, Error> {
        let (backend, arrivals, identity) =
            (self.backend.as_mut(), &mut self.heartbeats, self.privacy.identity);
        let Some((server, input)) = source(backend)? else { return Ok(0) };
        let (news, found) = writing(backend, |backend| {
            backend.lock(LOCK)?;
            let mut news = News::default();
            arrivals.book_all(backend, &mut news)?;
            let known = sealed(backend)?;
            let before = before.max(known.unwrap_or(UnixMs::MIN));
            let calendar = settings::calendar(backend)?;
            settle(backend, &calendar, known, before)?;
            let sql = include_str!("../../queries/heartbeat_before.sql");
            let buckets = all(backend, sql, &[before.into()], |row| Ok((bucket(row)?, row.int(6)?)))?;
            let stretches: Vec<Stretch> = coalesce(buckets.iter().map(|(bucket, _)| *bucket))
                .into_iter()
                .filter(|of| of.part.until < before)
                .collect();
            let sql = "insert into setting (name, value) values ($1, $2)
                       on conflict (name) do update set value = excluded.value";
            backend.execute(sql, &[SEALED.into(), before.to_string().into()])?;
            if stretches.is_empty() {
                return Ok((news, 0));
            }
            write(backend, &stretches, input, identity)?;
            delete(backend, &buckets, &stretches)?;
            mark(backend, &stretches, &calendar)?;
            backend.execute(
                "update server set sequence = sequence + 1 where server_id = $1",
                &[server.into()],
            )?;
            Ok((news, stretches.len() as u64))
        })?;
        arrivals.remember(news);
        Ok(found)
    }
}

fn write(
    backend: &mut dyn Backend,
    stretches: &[Stretch],
    input: InputId,
    identity: Identity,
) -> Result<(), Error> {
    let mut rows: Vec<&Stretch> = stretches.iter().collect();
    rows.sort_by_key(|of| (of.feature, of.part.from, of.part.holder, of.person, of.part.version));
    backend.insert(&SESSION, rows.len(), &mut |row, cells| {
        let Stretch { feature, part, .. } = rows[row];
        // Several persons may be one holder, of whom nothing else is kept; and one may use two versions in a bucket.
        let nth = match identity {
            Identity::Organization => new_mark(),
            _ => i64::from(part.version),
        };
        cells.copy_from_slice(&[
            Cell::Int(i64::from(*feature)),
            Cell::Int(part.from),
            Cell::Int(i64::from(part.holder)),
            Cell::Text(""),
            Cell::Int(nth),
            Cell::Int(part.until),
            Cell::Int(i64::from(part.seats)),
            Cell::Int(Ended::HeartbeatsCeased.code()),
            Cell::Int(i64::from(part.version)),
            Cell::Int(i64::from(input)),
            Cell::Null,
            Cell::Null,
            Cell::Null,
            Cell::Null,
        ]);
    })
}

/// Deletes the buckets of sealed stretches.
fn delete(backend: &mut dyn Backend, buckets: &[(Bucket, i64)], stretches: &[Stretch]) -> Result<(), Error> {
    let mut stretches = stretches.iter().peekable();
    let mut gone = Vec::new();
    // Both are in the same order.
    for (bucket, slot) in buckets {
        let place = (bucket.feature, bucket.person, bucket.version, bucket.from);
        let end = |of: &Stretch| (of.feature, of.person, of.part.version, of.part.until);
        while stretches.next_if(|of| end(of) <= place).is_some() {}
        let begin = |of: &Stretch| (of.feature, of.person, of.part.version, of.part.from);
        if stretches.peek().is_some_and(|of| begin(of) <= place) {
            gone.push(json!([bucket.from, bucket.person, slot]));
        }
    }
    for gone in gone.chunks(TOGETHER) {
        let rows = Value::Text(json!(gone).to_string());
        backend.execute(include_str!("../../queries/heartbeat_delete.sql"), &[rows])?;
    }
    Ok(())
}

/// Days whose end all stretches have passed now can be stored.
fn settle(
    backend: &mut dyn Backend,
    calendar: &Calendar,
    known: Option<UnixMs>,
    before: UnixMs,
) -> Result<(), Error> {
    let first = known.map_or(Day::MIN, |known| calendar.day_of(known - 1));
    let last = calendar.day_of(before - 1);
    if first == last {
        return Ok(());
    }
    let params = [new_mark().into(), first.to_string().into(), last.to_string().into()];
    backend.execute(include_str!("../../queries/mark_settle.sql"), &params)?;
    Ok(())
}

fn mark(backend: &mut dyn Backend, stretches: &[Stretch], calendar: &Calendar) -> Result<(), Error> {
    let mut days: BTreeSet<(FeatureId, i32)> = BTreeSet::new();
    for Stretch { feature, part, .. } in stretches {
        let (first, last) = (calendar.day_of(part.from), calendar.day_of(part.until - 1));
        days.extend((first.0..=last.0).map(|day| (*feature, day)));
    }
    let rows: Vec<_> =
        days.into_iter().map(|(feature, day)| json!([feature, Day(day).to_string()])).collect();
    let params = [Value::Text(json!(rows).to_string()), Value::Int(0), Value::Int(new_mark())];
    backend.execute(include_str!("../../queries/mark_insert.sql"), &params)?;
    Ok(())
}
