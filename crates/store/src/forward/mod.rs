//! Forwarding: what a site collector commits is posted to a central service, part by part, each once and in order.
//!
//! At the site a part is written in the transaction of the facts that it tells (`put`), so that a kill at any instant loses
//! none and makes none twice; it waits in the ledger until it is taken. At the central service it is a commit like any other
//! (`taking`), whose checkpoint is the part's number.

mod ahead;
mod beats;
mod forgetting;
mod part;
mod put;
mod said;
mod taking;

pub(crate) use beats::{are_told, put_beats, put_closed, sealable};
pub(crate) use forgetting::Forgettable;
pub use part::{Names as PartNames, Part, Run as PartRun};
pub(crate) use put::{is_on, put, put_out, room};
pub(crate) use taking::note;
pub use taking::{Arrived, Inbox, TakenPart};

use crate::backend::{Backend, Value, all, one, writing};
use crate::{Error, Store};
use accounting::UnixMs;
use serde_json::json;

/// Seats that do not expire, and those of which nobody knows.
const NEVER: &str = "never";
const UNKNOWN: &str = "unknown";
/// How many parts are posted together at most.
const TOGETHER: i64 = 1_000;

/// How a ledger forwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    /// What tells the ledger from all others, where it has nothing yet that does.
    pub site: String,
    /// What people call the site.
    pub name: String,
    /// Where so many bytes wait, nothing more is taken in.
    pub most_bytes: u64,
}

/// What has not been taken yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Parts.
    pub parts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest of them was written.
    pub oldest_at: Option<UnixMs>,
}

/// A part that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPart {
    /// By which it is removed.
    pub id: i64,
    /// As it is posted.
    pub body: String,
}

/// An input of which a part was refused: what it has said since stands behind that part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// What people call it.
    pub source: String,
    /// Why, as the central service says.
    pub reason: String,
    /// Whether it has another part of that number: this ledger was set back, or is a copy, or was copied.
    pub diverged: bool,
}

impl Store {
    /// Begins to forward what is committed, by whatever process, or ends it; whether that is news. What waits stays.
    pub fn set_forwarding(&mut self, wish: Option<&Forwarding>) -> Result<bool, Error> {
        writing(self.backend.as_mut(), |backend| {
            let found = one(backend, "select is_on from forward", &[], |row| Ok(row.int(0)? != 0))?;
            let Some(Forwarding { site, name, most_bytes }) = wish else {
                backend.execute("update forward set is_on = 0", &[])?;
                return Ok(found == Some(true));
            };
            let params = [name.as_str().into(), Value::Int(i64::try_from(*most_bytes).unwrap_or(i64::MAX))];
            if found.is_some() {
                backend.execute("update forward set is_on = 1, name = $1, most_bytes = $2", &params)?;
            } else {
                let sql =
                    "insert into forward (is_on, name, most_bytes, site, waiting_parts, waiting_bytes, last_part)
                           values (1, $1, $2, $3, 0, 0, 0)";
                let [name, most] = params;
                backend.execute(sql, &[name, most, site.as_str().into()])?;
            }
            Ok(found != Some(true))
        })
    }

    /// Whether what is committed is forwarded.
    pub fn forwards(&mut self) -> Result<bool, Error> {
        let sql = "select is_on from forward where is_on = 1";
        Ok(one(self.backend.as_mut(), sql, &[], |row| row.int(0))?.is_some())
    }

    /// What tells the ledger from all others, where it forwards.
    pub fn collector(&mut self) -> Result<Option<String>, Error> {
        one(self.backend.as_mut(), "select site from forward where is_on = 1", &[], |row| row.text(0))
    }

    /// How many inputs the ledger holds of which nothing was forwarded.
    pub fn inputs_not_forwarded(&mut self) -> Result<u64, Error> {
        let sql = "select count(*) from input i where i.format <> $1
                   and not exists (select 1 from forward_input f where f.input_id = i.input_id)";
        let found = one(self.backend.as_mut(), sql, &[crate::heartbeats::FORMAT.into()], |row| row.int(0))?;
        Ok(found.unwrap_or_default() as u64)
    }

    /// What has not been taken yet.
    pub fn waiting(&mut self) -> Result<Waiting, Error> {
        let sql = "select waiting_parts, waiting_bytes,
                          (select created_at from forward_part order by part_id limit 1) from forward";
        let found = one(self.backend.as_mut(), sql, &[], |row| {
            Ok(Waiting { parts: row.int(0)? as u64, bytes: row.int(1)? as u64, oldest_at: row.opt_int(2)? })
        })?;
        Ok(found.unwrap_or_default())
    }

    /// The parts that are next: one at least, where any waits, and as many more as there is room for in so many bytes. Those of
    /// parked inputs are none of them.
    pub fn waiting_parts(&mut self, most_bytes: u64) -> Result<Vec<WaitingPart>, Error> {
        let backend = self.backend.as_mut();
        let sql = include_str!("../../queries/forward_part_next.sql");
        let sizes = all(backend, sql, &[TOGETHER.into()], |row| Ok((row.int(0)?, row.int(1)? as u64)))?;
        let (mut bytes, mut ids) = (0, Vec::new());
        for (id, size) in sizes {
            bytes += size;
            if !ids.is_empty() && bytes > most_bytes {
                break;
            }
            ids.push(id);
        }
        let sql = include_str!("../../queries/forward_part_body.sql");
        all(backend, sql, &[rows(&ids)], |row| Ok(WaitingPart { id: row.int(0)?, body: row.text(1)? }))
    }

    /// Parks the input of a part that was refused, so that the parts of others go on; `diverged` where the central service
    /// has another part of that number.
    pub fn park(&mut self, part: i64, reason: &str, diverged: bool) -> Result<(), Error> {
        let sql = "update forward_input set refused = $2, diverged = $3
                   where input_id = (select input_id from forward_part where part_id = $1)";
        writing(self.backend.as_mut(), |backend| {
            let reason = reason.replace('\0', "\u{fffd}");
            backend.execute(sql, &[part.into(), reason.into(), i64::from(diverged).into()])?;
            Ok(())
        })
    }

    /// The inputs that are parked.
    pub fn parked(&mut self) -> Result<Vec<Parked>, Error> {
        let sql = "select coalesce(i.name, ''), f.refused, f.diverged from forward_input f
                   left join input i on i.input_id = f.input_id where f.refused is not null order by f.input_id";
        all(self.backend.as_mut(), sql, &[], |row| {
            Ok(Parked { source: row.text(0)?, reason: row.text(1)?, diverged: row.int(2)? != 0 })
        })
    }

    /// Tries the parts of parked inputs again.
    pub fn unpark(&mut self) -> Result<(), Error> {
        if self.parked()?.is_empty() {
            return Ok(());
        }
        writing(self.backend.as_mut(), |backend| {
            let sql = "update forward_input set refused = null, diverged = 0 where refused is not null";
            backend.execute(sql, &[])?;
            Ok(())
        })
    }

    /// Tells the central service as another ledger from now on, `site`, whose inputs begin now: this one was set back to a
    /// backup, or copied. How many parts wait that are told so.
    pub fn forward_anew(&mut self, site: &str) -> Result<u64, Error> {
        writing(self.backend.as_mut(), |backend| put::anew(backend, site))
    }

    /// Removes parts that were taken; another process may have done so.
    pub fn remove_parts(&mut self, ids: &[i64]) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| remove(backend, ids))
    }
}

/// Removes parts in a transaction.
fn remove(backend: &mut dyn Backend, ids: &[i64]) -> Result<(), Error> {
    // Who removes moves this row first, so that two never wait for each other.
    backend.execute("update forward set waiting_parts = waiting_parts", &[])?;
    let rows = [rows(ids)];
    let sql = include_str!("../../queries/forward_part_sum.sql");
    let (parts, bytes) = one(backend, sql, &rows, |row| Ok((row.int(0)?, row.int(1)?)))?.unwrap_or_default();
    backend.shred(include_str!("../../queries/forward_part_delete.sql"), &rows)?;
    let sql = "update forward set waiting_parts = waiting_parts - $1, waiting_bytes = waiting_bytes - $2";
    backend.execute(sql, &[parts.into(), bytes.into()])?;
    Ok(())
}

/// Numbers as a parameter.
fn rows(ids: &[i64]) -> Value {
    Value::Text(json!(ids.iter().map(|id| json!([id])).collect::<Vec<_>>()).to_string())
}
