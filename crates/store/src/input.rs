//! What was read before. An input is known by its decompressed bytes, never by its name.

use crate::backend::{Backend, Value, all, one};
use crate::{Error, Store};
use accounting::UnixMs;
use accounting::pairing::InputId;
use std::collections::BTreeSet;

/// How many bytes at the beginning, and before the checkpoint, an input is known by.
pub const FINGERPRINT_BYTES: usize = 4096;

/// How far an input was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// Its number; `None` until its first commit.
    pub id: Option<InputId>,
    /// What people call it: the path it was last read from.
    pub name: String,
    /// The name of its format.
    pub format: String,
    /// How many of its first bytes `head_hash` is of.
    pub head_length: u64,
    /// Hash of its first bytes.
    pub head_hash: String,
    /// Bytes read for good.
    pub position: u64,
    /// Hash of the bytes before `position`, as many as [`FINGERPRINT_BYTES`] or as there are.
    pub tail_hash: String,
    /// How the reader goes on, in the reader's own words.
    pub reader_state: String,
    /// Lines by what they were.
    pub counts: Counts,
}

/// Lines by what they were; the four kinds add up to the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines read.
    pub lines: u64,
    /// Lines that say that something happened.
    pub events: u64,
    /// Lines that change what is known.
    pub notes: u64,
    /// Lines that are known and mean nothing.
    pub noise: u64,
    /// Lines that no format knew.
    pub unrecognized: u64,
}

impl Store {
    /// The lengths of beginnings by which inputs are known, longest first.
    pub fn known_head_lengths(&mut self) -> Result<Vec<u64>, Error> {
        let sql = "select distinct head_length from input order by head_length desc";
        all(self.backend.as_mut(), sql, &[], |row| Ok(row.int(0)? as u64))
    }

    /// The inputs that begin so, the one read farthest first.
    pub fn inputs_beginning_with(&mut self, length: u64, hash: &str) -> Result<Vec<Checkpoint>, Error> {
        let sql = include_str!("../queries/input_by_head.sql");
        all(self.backend.as_mut(), sql, &[Value::Int(length as i64), hash.into()], read)
    }

    /// How far an input was read that a site tells of: its `head_hash` is what the site calls it.
    pub(crate) fn input_of_site(&mut self, chain: &str) -> Result<Option<Checkpoint>, Error> {
        one(self.backend.as_mut(), include_str!("../queries/input_of_site.sql"), &[chain.into()], read)
    }

    /// Which of these events were taken in before.
    pub fn taken<'a>(&mut self, ids: impl Iterator<Item = &'a str>) -> Result<BTreeSet<String>, Error> {
        let rows: Vec<_> = ids.map(|id| serde_json::json!([id])).collect();
        let params = [Value::Text(serde_json::json!(rows).to_string())];
        let sql = include_str!("../queries/event_taken.sql");
        Ok(all(self.backend.as_mut(), sql, &params, |row| row.text(0))?.into_iter().collect())
    }

    /// The input that was read last of a format, where the ledger holds one.
    pub fn last_input(&mut self, format: &str) -> Result<Option<Checkpoint>, Error> {
        one(self.backend.as_mut(), include_str!("../queries/input_last.sql"), &[format.into()], read)
    }

    /// The input that was read last from a path.
    pub fn last_input_named(&mut self, name: &str) -> Result<Option<Checkpoint>, Error> {
        one(self.backend.as_mut(), include_str!("../queries/input_by_name.sql"), &[name.into()], read)
    }

    /// The inputs of a format that hold lines of one of these vendor daemons, with the server's name and the last
    /// instant of those lines, the latest first.
    pub fn inputs_with_vendor(
        &mut self,
        format: &str,
        vendor: &str,
    ) -> Result<Vec<(Checkpoint, String, i64)>, Error> {
        let sql = include_str!("../queries/input_with_vendor.sql");
        all(self.backend.as_mut(), sql, &[format.into(), vendor.into()], |row| {
            Ok((read(row)?, row.text(14)?, row.int(15)?))
        })
    }

    /// Notes that a license server's clock stands in another zone than was thought.
    pub fn set_zone_of_server(&mut self, server: &str, zone: &str) -> Result<(), Error> {
        let sql = "update server set time_zone = $2 where name = $1 and time_zone <> $2";
        self.backend.execute(sql, &[server.into(), zone.into()])?;
        Ok(())
    }

    /// The stretches of time in which a log of a license server was read.
    pub fn logged(&mut self, server: &str) -> Result<Vec<(UnixMs, UnixMs)>, Error> {
        let sql = "select p.from_at, p.until_at from span p join server v on v.server_id = p.server_id
                   where v.name = $1 and p.polled = 0 order by p.from_at";
        all(self.backend.as_mut(), sql, &[server.into()], |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// What the license servers are called, ascending.
    pub fn server_names(&mut self) -> Result<Vec<String>, Error> {
        all(self.backend.as_mut(), "select name from server order by name", &[], |row| row.text(0))
    }

    /// The zone that a license server's inputs were read in, where the ledger knows the server.
    pub fn zone_of_server(&mut self, server: &str) -> Result<Option<String>, Error> {
        let sql = "select time_zone from server where name = $1";
        one(self.backend.as_mut(), sql, &[server.into()], |row| row.text(0))
    }
}

fn read(row: &crate::backend::Row<'_>) -> Result<Checkpoint, Error> {
    let count = |column| Ok::<_, Error>(row.int(column)? as u64);
    Ok(Checkpoint {
        id: Some(row.id(0)?),
        name: row.text(1)?,
        format: row.text(2)?,
        head_length: count(3)?,
        head_hash: row.text(4)?,
        position: count(5)?,
        tail_hash: row.text(6)?,
        reader_state: row.text(7)?,
        counts: Counts {
            lines: count(9)?,
            events: count(10)?,
            notes: count(11)?,
            noise: count(12)?,
            unrecognized: count(13)?,
        },
    })
}

/// Writes the checkpoint; fails with [`Error::Conflict`] where another process moved it since `before` was read.
pub(crate) fn advance(
    backend: &mut dyn Backend,
    before: Option<&Checkpoint>,
    now: &Checkpoint,
) -> Result<InputId, Error> {
    let mut params: Vec<Value> = vec![
        now.name.as_str().into(),
        now.format.as_str().into(),
        (now.head_length as i64).into(),
        now.head_hash.as_str().into(),
        (now.position as i64).into(),
        now.tail_hash.as_str().into(),
        now.reader_state.as_str().into(),
    ];
    let counts =
        [now.counts.lines, now.counts.events, now.counts.notes, now.counts.noise, now.counts.unrecognized];
    params.extend(counts.map(|count| Value::Int(count as i64)));
    match before.and_then(|before| Some((before.id?, before.position))) {
        None => {
            let sql = include_str!("../queries/input_insert.sql");
            one(backend, sql, &params, |row| row.id(0))?.ok_or(Error::Conflict)
        }
        Some((id, position)) => {
            params.push(id.into());
            params.push((position as i64).into());
            match backend.execute(include_str!("../queries/input_advance.sql"), &params)? {
                1 => Ok(id),
                _ => Err(Error::Conflict),
            }
        }
    }
}

impl Store {
    /// How many sessions that an input began are open.
    pub fn open_sessions_of_input(&mut self, input: InputId) -> Result<u64, Error> {
        let sql = "select count(*) from session_by_key where until_at is null and from_input = $1";
        Ok(one(self.backend.as_mut(), sql, &[input.into()], |row| row.int(0))?.unwrap_or_default() as u64)
    }
}
