//! Seats in use now: what monitors ask for every minute, without reading who holds them.

use crate::backend::{Backend, Row, all, one, reading};
use crate::{Error, Store, heartbeats};
use accounting::UnixMs;
use accounting::session::{Ended, FeatureId};
use std::collections::BTreeMap;

/// The longest bucket, in milliseconds: a session of heartbeats is open for one bucket after its last one.
const LONGEST_BUCKET_MS: i64 = 3_600_000;

/// How long the longest of the buckets is that may belong to sessions that are open at an instant: all that begin at one
/// instant are as long as each other, unless the interval was changed within them.
fn longest_bucket(backend: &mut dyn Backend, now: UnixMs) -> Result<i64, Error> {
    let sql = "select from_at, until_at from heartbeat where from_at < $1 and from_at >= $2
               order by from_at desc, person desc limit 1";
    let oldest = now.saturating_sub(2 * LONGEST_BUCKET_MS);
    let (mut before, mut longest) = (UnixMs::MAX, 0);
    let row = |row: &Row<'_>| Ok((row.int(0)?, row.int(1)?));
    while let Some((from, until)) = one(backend, sql, &[before.into(), oldest.into()], row)? {
        longest = longest.max(until - from);
        before = from;
    }
    Ok(longest)
}

/// The seats that polls showed last, by feature; what a log of the same license server tells otherwise is not among them.
fn polled(backend: &mut dyn Backend) -> Result<Vec<(FeatureId, i64)>, Error> {
    let logged = "select 1 from span p where p.polled = 1 and exists (
                      select 1 from span l where l.server_id = p.server_id and l.polled = 0) limit 1";
    if one(backend, logged, &[], |_| Ok(()))?.is_none() {
        let sql = "select feature_id, cast(sum(seats) as bigint) from session_by_key
                   where until_at is null and seen_at is not null group by feature_id";
        return all(backend, sql, &[], |row| Ok((row.id(0)?, row.int(1)?)));
    }
    let ledger = crate::names::read(backend, None, None)?;
    let mut seats = Vec::new();
    let sql =
        "select holder_id, from_at, until_at, version_id, seats, ended, seen_at, feature_id from session_by_key
               where until_at is null and seen_at is not null";
    backend.query(sql, &[], &mut |row| {
        let feature = row.id(7)?;
        ledger.parts(row, &mut |part| {
            seats.extend((part.ended == Ended::Open).then_some((feature, i64::from(part.seats))));
            Ok(())
        })
    })?;
    Ok(seats)
}

impl Store {
    /// The seats of sessions not known to have ended, by the code of their feature; features without any are among them.
    pub fn seats_in_use(&mut self) -> Result<BTreeMap<String, i64>, Error> {
        self.book_for_reading()?;
        let now = self.now;
        reading(self.backend.as_mut(), |backend| {
            let sql = "select feature_id, code from feature";
            let codes: BTreeMap<FeatureId, String> =
                all(backend, sql, &[], |row| Ok((row.id(0)?, row.text(1)?)))?.into_iter().collect();
            let sql = "select feature_id, cast(sum(seats) as bigint) from session_by_key
                       where until_at is null and seen_at is null group by feature_id";
            let logged = all(backend, sql, &[], |row| Ok((row.id(0)?, row.int(1)?)))?;
            let mut seats: BTreeMap<FeatureId, i64> = logged.into_iter().collect();
            for (feature, polled) in polled(backend)? {
                *seats.entry(feature).or_default() += polled;
            }
            let evidence = "select max(until_at) from span";
            let now = match now {
                Some(now) => now,
                None => one(backend, evidence, &[], |row| row.opt_int(0))?.flatten().unwrap_or(UnixMs::MIN),
            };
            let sql = include_str!("../queries/running_seats.sql");
            for (feature, running) in all(backend, sql, &[now.into()], |row| Ok((row.id(0)?, row.int(1)?)))? {
                *seats.entry(feature).or_default() += running;
            }
            let sql = include_str!("../queries/heartbeat_recent.sql");
            let recent = [now.saturating_sub(2 * longest_bucket(backend, now)?).into()];
            heartbeats::fold(backend, sql, &recent, &mut |stretch| {
                if stretch.ended(now) == Ended::Open {
                    *seats.entry(stretch.feature).or_default() += 1;
                }
            })?;
            let seats_of = |id: &FeatureId| seats.get(id).copied().unwrap_or_default();
            Ok(codes.iter().map(|(id, code)| (code.clone(), seats_of(id))).collect())
        })
    }
}
