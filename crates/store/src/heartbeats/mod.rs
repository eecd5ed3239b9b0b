//! Heartbeats: buckets of civil time that persons used. They are accepted in batches and then booked: a heartbeat is one row
//! at most; sessions are what readers make of adjacent buckets, until a stretch can no longer grow and is sealed as a row of
//! its own.

mod arrival;
mod kept;
mod record;
mod seal;
mod users;

pub(crate) use arrival::{LONGEST, book_first};
pub(crate) use record::Known;
pub use record::{BucketScope, Heartbeat, Recorded};
pub use users::NewUser;

use crate::Error;
use crate::backend::{Backend, Row, Value, one};
use accounting::UnixMs;
use accounting::heartbeat::{Bucket, Coalescer, Stretch};
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::FeatureId;

/// What stands in the place of the license server, and of the input.
pub const NAME: &str = "heartbeats";
/// The format of that server.
pub(crate) const FORMAT: &str = "heartbeat";

/// The setting that holds before when all stretches are sealed.
pub(crate) const SEALED: &str = "heartbeats_sealed";
/// The setting that holds before when no heartbeat is taken in any more: as the other one, but for while it is sealed.
pub(crate) const CLOSED: &str = "heartbeats_closed";
/// The number of the lock under which one process seals, or makes the rows of server and input.
pub(crate) const LOCK: i64 = 0x5ea7_4ea7;

/// A bucket that was booked, with what is kept of its person, where persons are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) feature: String,
    pub(crate) version: String,
    pub(crate) from: UnixMs,
    pub(crate) until: UnixMs,
    /// Whether each feature of the person counts.
    pub(crate) each: bool,
    pub(crate) user: String,
    pub(crate) host: String,
}

fn bucket(row: &Row<'_>) -> Result<Bucket, Error> {
    Ok(Bucket {
        feature: row.id(0)?,
        person: row.int(1)?,
        version: row.id(2)?,
        from: row.int(3)?,
        until: row.int(4)?,
        holder: row.id(5)?,
    })
}

/// Lends the sessions of the buckets that a query finds; no more than one is held.
pub(crate) fn fold(
    backend: &mut dyn Backend,
    sql: &str,
    params: &[Value],
    each: &mut dyn FnMut(Stretch),
) -> Result<(), Error> {
    let mut coalescer = Coalescer::default();
    backend.query(sql, params, &mut |row| {
        coalescer.add(bucket(row)?).into_iter().for_each(&mut *each);
        Ok(())
    })?;
    coalescer.end().into_iter().for_each(each);
    Ok(())
}

/// The sessions of a feature that are not sealed and begin before an instant, in the order of their starts.
pub(crate) fn of_feature(
    backend: &mut dyn Backend,
    feature: FeatureId,
    until: UnixMs,
) -> Result<Vec<Stretch>, Error> {
    let sql = include_str!("../../queries/heartbeat_of_feature.sql");
    let mut found = Vec::new();
    fold(backend, sql, &[feature.into(), until.into()], &mut |stretch| found.push(stretch))?;
    found.sort_unstable_by_key(|of| (of.part.from, of.part.holder, of.person, of.part.version));
    Ok(found)
}

/// The sessions of all features that began before an instant and are not sealed.
pub(crate) fn begun_before(backend: &mut dyn Backend, at: UnixMs) -> Result<Vec<Stretch>, Error> {
    let mut found = Vec::new();
    fold(backend, include_str!("../../queries/heartbeat_long.sql"), &[at.into()], &mut |stretch| {
        found.extend((stretch.part.from < at).then_some(stretch));
    })?;
    Ok(found)
}

/// Where heartbeats are: what stands for their license server and their input, once there has been one.
pub(crate) fn source(backend: &mut dyn Backend) -> Result<Option<(ServerId, InputId)>, Error> {
    let sql = "select v.server_id, i.input_id from server v join input i on i.format = v.format where v.format = $1";
    one(backend, sql, &[FORMAT.into()], |row| Ok((row.id(0)?, row.id(1)?)))
}

/// Before when all stretches are sealed: none that a heartbeat could still extend lies before it.
pub(crate) fn sealed(backend: &mut dyn Backend) -> Result<Option<UnixMs>, Error> {
    let sql = "select value from setting where name = $1";
    let text = one(backend, sql, &[SEALED.into()], |row| row.text(0))?;
    text.map(|text| text.parse().map_err(|_| Error::Corrupt(format!("setting {SEALED} `{text}`"))))
        .transpose()
}
