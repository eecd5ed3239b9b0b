//! What alerts look at: the life of license servers, seats as they told them last, denials of late.

use crate::backend::{Backend, all};
use crate::{Error, Reader, polls};
use accounting::UnixMs;
use accounting::alert::{Denial, Life, SeatsNow};
use accounting::event::DenialReason;
use accounting::ledger::ServerId;
use accounting::session::FeatureId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

impl Reader<'_> {
    /// What was known at an instant of the life of license servers and vendor daemons; what heartbeats stand for is none.
    pub fn lives(&mut self, now: UnixMs) -> Result<Vec<Life>, Error> {
        let (backend, ledger) = self.parts();
        let mut servers: Vec<ServerId> = ledger.names.servers.keys().copied().collect();
        servers.retain(|server| !ledger.stands_for_heartbeats(*server));
        servers.sort_unstable();
        let mut lives = Vec::new();
        for server in servers {
            lives.extend(lives_of(backend, server, now)?);
        }
        Ok(lives)
    }

    /// What license servers said last of seats in use, until an instant.
    pub fn seats_now(&mut self, now: UnixMs) -> Result<FxHashMap<(FeatureId, ServerId), SeatsNow>, Error> {
        let (backend, _) = self.parts();
        let sql = "select feature_id, server_id, max(at), cast(sum(seats_in_use) as bigint) from seats_now
                   where at <= $1 group by feature_id, server_id";
        let mut said: FxHashMap<(FeatureId, ServerId), SeatsNow> = FxHashMap::default();
        backend.query(sql, &[now.into()], &mut |row| {
            said.insert((row.id(0)?, row.id(1)?), SeatsNow { at: row.int(2)?, in_use: row.opt_int(3)? });
            Ok(())
        })?;
        Ok(said)
    }

    /// The denials in `[from, until]`, in no order.
    pub fn denials(&mut self, from: UnixMs, until: UnixMs) -> Result<Vec<Denial>, Error> {
        let (backend, _) = self.parts();
        let sql = include_str!("../../queries/denial_since.sql");
        let rows = all(backend, sql, &[from.into(), until.into()], |row| {
            Ok((row.int(0)?, row.id(1)?, row.id(2)?, row.opt_int(3)?))
        })?;
        let denial = |(at, feature, holder, reason): (UnixMs, u32, u32, Option<i64>)| {
            let reason = reason.and_then(DenialReason::from_code).unwrap_or(DenialReason::Other);
            Denial { at, feature, holder, reason }
        };
        Ok(rows.into_iter().map(denial).collect())
    }
}

fn lives_of(backend: &mut dyn Backend, server: ServerId, now: UnixMs) -> Result<Vec<Life>, Error> {
    let params = [server.into(), now.into()];
    let sql = "select vendor, max(until_at) from span
               where server_id = $1 and polled = 0 and from_at <= $2 group by vendor";
    let logged = all(backend, sql, &params, |row| Ok((row.text(0)?, row.int(1)?)))?;
    let logged: BTreeMap<String, UnixMs> =
        logged.into_iter().map(|(vendor, until)| (vendor, until.min(now))).collect();
    let sql = "select vendor, kind, max(at) from daemon_break
               where server_id = $1 and at <= $2 group by vendor, kind";
    let breaks = all(backend, sql, &params, |row| Ok((row.text(0)?, row.int(1)?, row.int(2)?)))?;
    let mut vendors: BTreeSet<String> = logged.keys().cloned().collect();
    let sql = "select distinct vendor from feature_at_server where server_id = $1";
    vendors.extend(all(backend, sql, &[server.into()], |row| row.text(0))?);
    vendors.insert(String::new());
    let mut lives: Vec<Life> = Vec::new();
    for vendor in vendors {
        let (answered_at, failed) = polls::lately(backend, server, &vendor, now)?;
        let at = |kind: i64| {
            let of = breaks.iter().filter(|(of, kind_of, _)| *of == vendor && *kind_of == kind);
            of.map(|(_, _, at)| *at).max()
        };
        let started = breaks.iter().filter(|(of, kind, _)| *kind == 1 && (of.is_empty() || *of == vendor));
        let started = started.map(|(_, _, at)| *at).max();
        let logged_at = logged.get(&vendor).copied();
        let stopped_at = at(0).filter(|stopped| {
            started.is_none_or(|started| started < *stopped) && logged_at.is_none_or(|last| last <= *stopped)
        });
        lives.push(Life { server, vendor, logged_at, answered_at, failed, stopped_at });
    }
    Ok(with_the_whole(lives))
}

/// What shows that a daemon is alive shows that its license server is. The server as a whole comes first.
fn with_the_whole(mut lives: Vec<Life>) -> Vec<Life> {
    let logged_at = lives.iter().filter_map(|life| life.logged_at).max();
    let answered_at = lives.iter().filter_map(|life| life.answered_at).max();
    if let Some(whole) = lives.first_mut().filter(|life| life.vendor.is_empty()) {
        whole.logged_at = logged_at;
        whole.answered_at = answered_at;
        whole.failed =
            whole.failed.filter(|(_, last, _)| answered_at.is_none_or(|answered| answered < *last));
        whole.stopped_at = whole.stopped_at.filter(|stopped| logged_at.is_none_or(|last| last <= *stopped));
    }
    lives
}
