//! Which process takes a source in, where several are configured with it: one of them has claimed it, and the others wait
//! until that one says no more that it lives. A claim alone is no fence: a checkpoint moves by compare-and-set.

use crate::backend::{Backend, Row, Value, all, writing};
use crate::{Error, Store};
use accounting::UnixMs;
use serde_json::json;
use std::collections::BTreeMap;

/// The number of the lock under which one process claims.
const CLAIM_LOCK: i64 = 0x5ea7_c1a1;

/// A process that takes sources in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// No other process has or had this name.
    pub name: String,
    /// What people call the machine that it runs on.
    pub host: String,
    /// Tells machines, and their starts, apart: where it is ours, whether the process lives can be seen.
    pub machine: String,
    /// Its number there.
    pub process: u32,
    /// When that machine began it, in its own units: numbers are given again.
    pub begun: String,
}

impl Store {
    /// Who lives, as far as an instant tells, and which sources each has claimed.
    pub fn claimed_sources(&mut self, now: UnixMs) -> Result<BTreeMap<String, Claimant>, Error> {
        claimed(self.backend.as_mut(), now)
    }

    /// All processes that say that they live.
    pub fn claimants(&mut self) -> Result<Vec<Claimant>, Error> {
        let sql = "select '', name, host, machine, process, begun from claimant";
        all(self.backend.as_mut(), sql, &[], |row| claimant(row).map(|(_, of)| of))
    }

    /// Notes that a process lives until an instant, and lets it have of these sources those that nobody else has claimed who
    /// lives; `gone` are the names of processes that are known to live no more. Returns who has which source.
    pub fn claim_sources(
        &mut self,
        us: &Claimant,
        sources: &[String],
        gone: &[String],
        (now, until): (UnixMs, UnixMs),
    ) -> Result<BTreeMap<String, Claimant>, Error> {
        let texts = |texts: &[String]| {
            Value::Text(json!(texts.iter().map(|text| json!([text])).collect::<Vec<_>>()).to_string())
        };
        writing(self.backend.as_mut(), |backend| {
            backend.lock(CLAIM_LOCK)?;
            let sql = "delete from claimant where name in (select r.value ->> 0 from rows($1) as r)";
            backend.execute(sql, &[texts(gone)])?;
            backend.execute("delete from claimant where until_at <= $1", &[now.into()])?;
            let Claimant { name, host, machine, process, begun } = us;
            let params = [
                name.as_str().into(),
                host.as_str().into(),
                machine.as_str().into(),
                (*process).into(),
                begun.as_str().into(),
                until.into(),
            ];
            backend.execute(include_str!("../queries/claimant_upsert.sql"), &params)?;
            let params = [texts(sources), name.as_str().into()];
            backend.execute(include_str!("../queries/source_claim.sql"), &params)?;
            claimed(backend, now)
        })
    }

    /// A process takes no source in any more.
    pub fn release_sources(&mut self, us: &Claimant) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            let name = [us.name.as_str().into()];
            backend.execute("delete from source_claim where claimant = $1", &name)?;
            backend.execute("delete from claimant where name = $1", &name).map(drop)
        })
    }
}

fn claimed(backend: &mut dyn Backend, now: UnixMs) -> Result<BTreeMap<String, Claimant>, Error> {
    let sql = "select s.source, c.name, c.host, c.machine, c.process, c.begun
               from source_claim s join claimant c on c.name = s.claimant where c.until_at > $1";
    Ok(all(backend, sql, &[now.into()], claimant)?.into_iter().collect())
}

fn claimant(row: &Row<'_>) -> Result<(String, Claimant), Error> {
    let of = Claimant {
        name: row.text(1)?,
        host: row.text(2)?,
        machine: row.text(3)?,
        process: row.id(4)?,
        begun: row.text(5)?,
    };
    Ok((row.text(0)?, of))
}
