//! What license servers say of when seats expire.

use super::{Intake, rows_of};
use crate::Error;
use crate::backend::{Backend, all};
use crate::intake::ExpiryEvent;
use crate::names::expires_text;
use accounting::UnixMs;
use accounting::pairing::InputId;
use accounting::session::{FeatureId, VersionId};
use serde_json::json;
use std::collections::BTreeMap;

/// The seats of a feature's version that expire on a day, as the ledger keeps it.
type Expiring = (FeatureId, VersionId, String);

/// What is kept of one daemon: when it was told, and how many seats.
type Kept = BTreeMap<Expiring, (UnixMs, Option<i64>)>;

/// Whether something else was told later of the same feature and version.
fn is_past(kept: &Kept, (feature, version, expires): &Expiring, at: UnixMs) -> bool {
    let mut others = kept.iter().filter(|((f, v, e), _)| (f, v) == (feature, version) && e != expires);
    others.any(|(_, (told, _))| *told > at)
}

impl Intake {
    /// Of each daemon the table that it told last is kept. What tells of pools in use only, and no seats of any, adds to it what
    /// is new of them.
    pub(super) fn write_expiries(
        &self,
        backend: &mut dyn Backend,
        expiries: &[ExpiryEvent],
        input: InputId,
    ) -> Result<(), Error> {
        let mut told: BTreeMap<(u32, UnixMs), BTreeMap<Expiring, Option<i64>>> = BTreeMap::new();
        for expiry in expiries {
            let of = told.entry((expiry.daemon, expiry.at)).or_default();
            let feature = self.resolved.features[expiry.feature as usize];
            let version = self.resolved.versions[expiry.version as usize];
            let sum = of.entry((feature, version, expires_text(expiry.expires))).or_insert(None);
            *sum = expiry.seats.map(|seats| seats + sum.unwrap_or(0)).or(*sum);
        }
        for ((daemon, at), told) in told {
            self.write_expiring(backend, (daemon, at), told, input)?;
        }
        Ok(())
    }

    /// Writes what a daemon told at one instant.
    fn write_expiring(
        &self,
        backend: &mut dyn Backend,
        (daemon, at): (u32, UnixMs),
        mut told: BTreeMap<Expiring, Option<i64>>,
        input: InputId,
    ) -> Result<(), Error> {
        let daemon = self.daemon(daemon);
        let params = [daemon.server.into(), daemon.vendor.as_str().into()];
        let sql = "select feature_id, version_id, expires, at, seats from expiry where server_id = $1 and vendor = $2";
        let kept = all(backend, sql, &params, |row| {
            Ok(((row.id(0)?, row.id(1)?, row.text(2)?), (row.int(3)?, row.opt_int(4)?)))
        })?;
        let kept: Kept = kept.into_iter().collect();
        let is_table = told.values().any(Option::is_some);
        if is_table && kept.values().any(|(told, seats)| seats.is_some() && *told > at) {
            return Ok(());
        }
        told.retain(|expiring, _| {
            !is_past(&kept, expiring, at) && (is_table || !kept.contains_key(expiring))
        });
        let gone = kept.iter().filter(|((feature, version, _), (told_at, _))| {
            let told_anew = || told.keys().any(|(f, v, _)| (f, v) == (feature, version));
            *told_at < at && (is_table || told_anew())
        });
        for ((feature, version, expires), _) in gone {
            let sql = "delete from expiry
                       where server_id = $1 and vendor = $2 and feature_id = $3 and version_id = $4 and expires = $5";
            let [server, vendor] = params.clone();
            let params = [server, vendor, (*feature).into(), (*version).into(), expires.as_str().into()];
            backend.execute(sql, &params)?;
        }
        let rows = rows_of(told, |((feature, version, expires), seats)| {
            json!([daemon.server, daemon.vendor, feature, version, expires, at, seats, input])
        });
        backend.execute(include_str!("../../../queries/expiry_upsert.sql"), &[rows]).map(drop)
    }
}
