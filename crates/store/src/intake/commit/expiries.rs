//! What license servers say of when seats expire.

use super::{Intake, rows_of};
use crate::Error;
use crate::backend::{Backend, Value, all};
use crate::intake::ExpiryEvent;
use crate::names::expires_text;
use accounting::UnixMs;
use accounting::pairing::InputId;
use accounting::session::{FeatureId, VersionId};
use serde_json::json;
use std::collections::BTreeMap;

/// The seats of a feature's version that expire on a day, as the ledger keeps it.
type Expiring = (FeatureId, VersionId, String);

/// What one daemon told at one instant.
type Told = BTreeMap<Expiring, Option<i64>>;

/// What is kept of one daemon: when it was told last, when by a table, and how many seats.
type Kept = BTreeMap<Expiring, Known>;

#[derive(Debug, Clone, Copy)]
struct Known {
    at: UnixMs,
    seen_at: UnixMs,
    seats: Option<i64>,
}

/// Whether something else was told later of the same feature and version, that was not told beside it.
fn is_past(kept: &Kept, told: &[&Expiring], expiring: &Expiring, at: UnixMs) -> bool {
    let (feature, version, _) = expiring;
    let mut others =
        kept.iter().filter(|(other, _)| (&other.0, &other.1) == (feature, version) && !told.contains(other));
    others.any(|(other, known)| other != expiring && known.seen_at > at)
}

/// The row of a table that tells of the seats of a pool: status and table print one version in two ways.
fn row_of_pool<'a>(
    mut rows: impl Iterator<Item = (&'a Expiring, Option<i64>)>,
    (feature, _, expires): &Expiring,
) -> Option<&'a Expiring> {
    let found = rows.find(|((f, _, e), seats)| seats.is_some() && (f, e) == (feature, expires));
    found.map(|(expiring, _)| expiring)
}

impl Intake {
    /// Of each daemon the table that it told last is kept. What tells of pools in use only, and no seats of any, adds to it what
    /// is new of them, and says which dates are still in force.
    pub(super) fn write_expiries(
        &self,
        backend: &mut dyn Backend,
        expiries: &[ExpiryEvent],
        input: InputId,
    ) -> Result<(), Error> {
        let mut told: BTreeMap<(u32, UnixMs), Told> = BTreeMap::new();
        for expiry in expiries {
            let of = told.entry((expiry.daemon, expiry.at)).or_default();
            let feature = self.resolved.features[expiry.feature as usize];
            let version = self.resolved.versions[expiry.version as usize];
            let sum = of.entry((feature, version, expires_text(expiry.expires))).or_insert(None);
            *sum = expiry.seats.map(|seats| seats + sum.unwrap_or(0)).or(*sum);
        }
        for ((daemon, at), told) in told {
            let daemon = self.daemon(daemon);
            let of = [daemon.server.into(), daemon.vendor.as_str().into()];
            let kept = read(backend, &of)?;
            let is_table = told.values().any(Option::is_some);
            let (rows, gone) =
                if is_table { Self::of_table(&kept, told, at) } else { Self::of_pools(&kept, &told, at) };
            for (feature, version, expires) in gone {
                let sql = "delete from expiry
                           where server_id = $1 and vendor = $2 and feature_id = $3 and version_id = $4 and expires = $5";
                let [server, vendor] = of.clone();
                backend.execute(
                    sql,
                    &[server, vendor, feature.into(), version.into(), expires.as_str().into()],
                )?;
            }
            let rows = rows_of(rows, |((feature, version, expires), known)| {
                let Known { at, seen_at, seats } = known;
                json!([daemon.server, daemon.vendor, feature, version, expires, at, seats, input, seen_at])
            });
            backend.execute(include_str!("../../../queries/expiry_upsert.sql"), &[rows])?;
        }
        Ok(())
    }

    /// What a table changes: it tells all that its daemon has.
    fn of_table(kept: &Kept, mut told: Told, at: UnixMs) -> (Vec<(Expiring, Known)>, Vec<Expiring>) {
        if kept.values().any(|known| known.seats.is_some() && known.at > at) {
            return (Vec::new(), Vec::new());
        }
        let rows = told.clone();
        let beside: Vec<&Expiring> = rows.keys().collect();
        told.retain(|expiring, seats| {
            let of_row = seats.is_none()
                && row_of_pool(rows.iter().map(|(row, seats)| (row, *seats)), expiring).is_some();
            !of_row && !is_past(kept, &beside, expiring, at)
        });
        let gone =
            kept.iter().filter(|(expiring, known)| known.seen_at < at && !told.contains_key(*expiring));
        let gone = gone.map(|(expiring, _)| expiring.clone()).collect();
        let written = told.into_iter().map(|(expiring, seats)| {
            let seen_at = kept.get(&expiring).map_or(at, |known| known.seen_at.max(at));
            (expiring, Known { at, seen_at, seats })
        });
        (written.collect(), gone)
    }

    /// What pools change. Only those in use are told: one that is not may be idle, but where its feature and version has a
    /// date that nobody knew, that is in its place.
    fn of_pools(kept: &Kept, told: &Told, at: UnixMs) -> (Vec<(Expiring, Known)>, Vec<Expiring>) {
        let row = |expiring: &Expiring| match kept.contains_key(expiring) {
            true => expiring.clone(),
            false => row_of_pool(kept.iter().map(|(row, known)| (row, known.seats)), expiring)
                .unwrap_or(expiring)
                .clone(),
        };
        let told: Vec<Expiring> = told.keys().map(row).collect();
        let is_renewed = |(feature, version, _): &Expiring| {
            told.iter().any(|new| (&new.0, &new.1) == (feature, version) && !kept.contains_key(new))
        };
        let gone = kept.iter().filter(|(expiring, known)| {
            known.seen_at < at && is_renewed(expiring) && !told.contains(expiring)
        });
        let gone = gone.map(|(expiring, _)| expiring.clone()).collect();
        let beside: Vec<&Expiring> = told.iter().collect();
        let is_in_force =
            |expiring: &&Expiring| kept.contains_key(*expiring) || !is_past(kept, &beside, expiring, at);
        let written = told.iter().filter(is_in_force).map(|expiring| {
            let known = kept.get(expiring).copied().unwrap_or(Known { at, seen_at: at, seats: None });
            (expiring.clone(), Known { seen_at: known.seen_at.max(at), ..known })
        });
        (written.collect(), gone)
    }
}

/// What is kept of a daemon of a license server.
fn read(backend: &mut dyn Backend, of: &[Value]) -> Result<Kept, Error> {
    let sql = "select feature_id, version_id, expires, at, seats, seen_at from expiry where server_id = $1 and vendor = $2";
    let kept = all(backend, sql, of, |row| {
        let at = row.int(3)?;
        let seen_at = row.opt_int(5)?.map_or(at, |seen| seen.max(at));
        Ok(((row.id(0)?, row.id(1)?, row.text(2)?), Known { at, seen_at, seats: row.opt_int(4)? }))
    })?;
    Ok(kept.into_iter().collect())
}
