//! Taking an input's effects out again, before it is read anew.

use super::held::Held;
use super::{Before, Changes, Intake, Marks, Repair, Scope, holders_of, rows};
use crate::backend::{Backend, all, writing};
use crate::derive::{CALENDAR_LOCK, DAYS_LOCK};
use crate::intake::server::ServerState;
use crate::{Error, Store, forward, settings};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::FeatureId;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

impl Intake {
    /// Takes out all that an input said: events, spans, breaks, its quarantine and its checkpoint. What other inputs
    /// said of the same servers is paired anew.
    pub fn take_out(&mut self, store: &mut Store, input: InputId) -> Result<(), Error> {
        self.forget();
        let result = writing(store.backend.as_mut(), |backend| self.take_out_of(backend, input));
        if result.is_err() {
            self.forget();
        }
        result
    }

    fn take_out_of(&mut self, backend: &mut dyn Backend, input: InputId) -> Result<(), Error> {
        backend.share(CALENDAR_LOCK)?;
        backend.lock(DAYS_LOCK)?;
        let sql = "select distinct server_id, vendor from span where input_id = $1";
        let daemons = all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, row.text(1)?)))?;
        let servers: BTreeSet<ServerId> = daemons.iter().map(|(server, _)| *server).collect();
        for server in &servers {
            self.claim(backend, *server)?;
        }
        let before: FxHashMap<(ServerId, String), Before> = self.before(&servers);
        let mut marks = Marks::new(settings::calendar(backend)?.zone().clone(), Held::default());
        let sql = "select feature_id, at from request where input_id = $1";
        for (feature, at) in all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, row.int(1)?)))? {
            marks.range(feature, at, at);
        }
        let sql = "select server_id, min(from_at), max(until_at) from span
                   where input_id = $1 and polled = 0 group by server_id";
        let covered = all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, (row.int(1)?, row.int(2)?))))?;
        let polled = self.forget_polls(backend, input, &mut marks)?;
        for table in TABLES {
            backend.execute(&format!("delete from {table} where input_id = $1"), &[input.into()])?;
        }
        let (mut scope, mut changes) =
            (Scope { without: Some(input), ..Scope::default() }, Changes::default());
        let mut repairs: FxHashMap<FeatureId, Repair> = FxHashMap::default();
        for server in &servers {
            let sequence = self.servers.get(server).map_or(0, |state| state.sequence);
            let mut state = ServerState::read(backend, *server)?;
            state.sequence = sequence + 1;
            self.servers.insert(*server, state);
            let sql = "select distinct feature_id, vendor from feature_at_server where server_id = $1";
            for (feature, vendor) in
                all(backend, sql, &[(*server).into()], |row| Ok((row.id(0)?, row.text(1)?)))?
            {
                let repair = repairs.entry(feature).or_default();
                repair.since = UnixMs::MIN;
                repair.daemons.insert((*server, vendor.clone()));
                let daemon = (*server, vendor);
                let holders = holders_of(backend, &daemon)?;
                scope.daemons_of_holders.extend(holders.into_iter().map(|holder| (holder, daemon.clone())));
            }
        }
        for (feature, repair) in repairs {
            self.repair(backend, feature, repair, &scope, &mut changes)?;
        }
        for (server, stretch) in covered {
            self.mark_polled(backend, server, stretch, &mut marks)?;
        }
        let order = rows::in_key_order(&changes);
        self.mark_rows((&changes, &order), &before, &servers, false, &mut marks);
        self.mark_evidence(&before, &servers, &mut marks);
        // Evidence may have gone back: days that open sessions had reached are computed anew.
        for (key, row) in &changes.gone {
            let until = row.until.unwrap_or_else(|| latest(&before));
            marks.range(key.feature, row.from, until.max(row.from) + 1);
        }
        rows::write_changes(backend, &changes, &order, input, None)?;
        crate::polls::sum_up(backend, &polled)?;
        self.end_anew(backend, &polled, input, &mut marks)?;
        marks.write(backend)?;
        forward::put_out(backend, input)
    }
}

/// What an input leaves beside sessions.
const TABLES: [&str; 12] = [
    "span",
    "daemon_break",
    "request",
    "quarantine",
    "capacity",
    "seats_now",
    "expiry",
    "imported_total",
    "poll",
    "site_part",
    "site_heartbeats",
    "input",
];

fn latest(before: &FxHashMap<(ServerId, String), Before>) -> UnixMs {
    before.values().filter_map(|before| before.evidence).max().unwrap_or_default()
}
