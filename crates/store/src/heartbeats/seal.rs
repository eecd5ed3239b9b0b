//! Sealing: stretches of buckets that no heartbeat can extend any more become rows of session.

use super::{CLOSED, LOCK, SEALED, book_first, bucket, sealed, source};
use crate::backend::{Backend, Cell, Value, one, writing};
use crate::derive::CALENDAR_LOCK;
use crate::intake::{SESSION, new_mark};
use crate::settings::{self, Changing, set};
use crate::{Error, Store, forward};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::heartbeat::{Bucket, Coalescer, Stretch};
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::privacy::Identity;
use accounting::session::{Ended, FeatureId};
use serde_json::json;
use std::collections::BTreeSet;

/// How many buckets go into one deletion.
const TOGETHER: usize = 20_000;
/// About how many buckets are sealed in one transaction.
const PIECE: i64 = 50_000;

impl Store {
    /// Makes rows of the stretches of buckets that end before an instant, and takes no heartbeat of earlier buckets any
    /// more. Returns how many.
    ///
    /// First earlier buckets are closed, then persons are sealed some at a time, each in a transaction of its own, so that
    /// memory is bounded and others write in between; last it is said up to where all is sealed. Where this is broken
    /// off, the next time does the rest.
    pub fn seal_heartbeats(&mut self, before: UnixMs) -> Result<u64, Error> {
        // While a piece is sealed nobody is accepted: little shall be left to book then.
        self.book_all_heartbeats()?;
        let (backend, identity) = (self.backend.as_mut(), self.privacy.identity);
        let Some(source) = source(backend)? else { return Ok(0) };
        let before = writing(backend, |backend| close(backend, source.1, before))?;
        let sql = "select count(*) from heartbeat where from_at < $1";
        let buckets = one(backend, sql, &[before.into()], |row| row.int(0))?.unwrap_or_default();
        let pieces = (buckets / PIECE + 1).unsigned_abs().next_power_of_two().cast_signed();
        let mut sealed = 0;
        for piece in 0..pieces {
            sealed += writing(backend, |backend| {
                backend.share(CALENDAR_LOCK)?;
                backend.lock(LOCK)?;
                let sealed = seal(backend, source, identity, before, (pieces, piece))?;
                if piece == pieces - 1 {
                    all_is_sealed(backend, before)?;
                }
                Ok(sealed)
            })?;
        }
        Ok(sealed)
    }
}

/// Takes no heartbeat of buckets before an instant any more, nor of those that are closed already; returns before when.
/// What sites may still tell of stays open.
fn close(backend: &mut dyn Backend, input: InputId, before: UnixMs) -> Result<UnixMs, Error> {
    backend.lock(LOCK)?;
    book_first(backend)?;
    let closed = Changing::read(backend)?.closed;
    let before = forward::sealable(backend, before)?.max(closed);
    set(backend, CLOSED, before.to_string())?;
    if before > closed {
        forward::put_closed(backend, input, before)?;
    }
    Ok(before)
}

/// Seals the stretches of one piece of all persons; returns how many.
fn seal(
    backend: &mut dyn Backend,
    (server, input): (ServerId, InputId),
    identity: Identity,
    before: UnixMs,
    (pieces, piece): (i64, i64),
) -> Result<u64, Error> {
    let mut sealing = Sealing::new(before);
    let params = [before.into(), (pieces - 1).into(), piece.into()];
    backend.query(include_str!("../../queries/heartbeat_before.sql"), &params, &mut |row| {
        sealing.add(bucket(row)?, row.int(6)?);
        Ok(())
    })?;
    let (stretches, buckets) = sealing.end();
    if stretches.is_empty() {
        return Ok(0);
    }
    write(backend, &stretches, input, identity)?;
    delete(backend, &buckets)?;
    let calendar = settings::calendar(backend)?;
    mark(backend, &stretches, &calendar)?;
    backend.execute("update server set sequence = sequence + 1 where server_id = $1", &[server.into()])?;
    Ok(stretches.len() as u64)
}

/// Says that all stretches that end before an instant are sealed.
fn all_is_sealed(backend: &mut dyn Backend, before: UnixMs) -> Result<(), Error> {
    let (known, calendar) = (sealed(backend)?, settings::calendar(backend)?);
    // Another process may have come further meanwhile.
    let before = before.max(known.unwrap_or(UnixMs::MIN));
    settle(backend, &calendar, known, before)?;
    set(backend, SEALED, before.to_string())
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
            Cell::Null,
        ]);
    })
}

/// The key of a bucket: beginning, person, slot.
type BucketKey = (UnixMs, i64, i64);

/// Gathers what is sealed; of what goes on no more than one stretch is held.
struct Sealing {
    before: UnixMs,
    coalescer: Coalescer,
    stretches: Vec<Stretch>,
    buckets: Vec<BucketKey>,
    /// How many of the buckets are not of the stretch that is being gathered.
    finished: usize,
}

impl Sealing {
    fn new(before: UnixMs) -> Self {
        let (coalescer, stretches, buckets) = (Coalescer::default(), Vec::new(), Vec::new());
        Self { before, coalescer, stretches, buckets, finished: 0 }
    }

    fn add(&mut self, bucket: Bucket, slot: i64) {
        if let Some(stretch) = self.coalescer.add(bucket) {
            self.finish(stretch);
        }
        self.buckets.push((bucket.from, bucket.person, slot));
    }

    /// A stretch is whole: it is sealed, or its buckets stay.
    fn finish(&mut self, stretch: Stretch) {
        if stretch.part.until < self.before {
            self.stretches.push(stretch);
        } else {
            self.buckets.truncate(self.finished);
        }
        self.finished = self.buckets.len();
    }

    fn end(mut self) -> (Vec<Stretch>, Vec<BucketKey>) {
        if let Some(stretch) = std::mem::take(&mut self.coalescer).end() {
            self.finish(stretch);
        }
        (self.stretches, self.buckets)
    }
}

/// Deletes the buckets of sealed stretches.
fn delete(backend: &mut dyn Backend, buckets: &[BucketKey]) -> Result<(), Error> {
    for gone in buckets.chunks(TOGETHER) {
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
