//! One commit: what a part of an input says, its checkpoint, and the marks of what it makes dirty.

use super::interner::Daemon;
use super::repair::{Changes, Late, Repair, Scope, open_keys_of, step_of};
use super::server::{BreakRow, ServerState, SpanRow};
use super::{Batch, Intake, Key, KeyEvent, Outcome, Parts, radix};
use crate::backend::{Backend, Value, all, writing};
use crate::derive::{CALENDAR_LOCK, DAYS_LOCK};
use crate::input::{self, Checkpoint};
use crate::{Error, Store, forward, settings};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::{Break, InputId};
use accounting::privacy::{Identity, Privacy};
use accounting::session::HolderId;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeSet;

mod expiries;
pub(super) mod held;
mod holds;
mod in_order;
pub(super) mod marks;
mod plan;
pub(super) mod polls;
pub(super) mod requests;
pub(super) mod rows;
mod running;
mod runs;
pub(super) mod seats;
mod stretch;
mod take_out;

use in_order::Paper;
use marks::Marks;
use plan::{Plan, in_order_of};
use stretch::Stretch;

/// A transaction of more events takes so long that others who wait to write shall come in before the next one.
const MANY_EVENTS: usize = 10_000;
/// How often a commit is tried again when other processes write about the same servers.
const TRIES: usize = 8;

impl Intake {
    /// The checkpoint of the input that is being read, as the ledger holds it.
    pub fn input(&self) -> Option<&Checkpoint> {
        self.input.as_ref()
    }

    /// Lets so many sessions of a feature go into a run, where the database keeps runs; for tests, that have few.
    #[must_use]
    pub fn with_many(self, sessions: usize) -> Self {
        Self { many: Some(sessions), ..self }
    }

    /// Begins an input: `known` is its checkpoint where the ledger holds one.
    pub fn begin(&mut self, known: Option<Checkpoint>) {
        self.input = known;
    }

    /// Commits a part of the current input (a batch for each run of its dates) together with its checkpoint.
    ///
    /// [`Error::Conflict`] says that another process has read the same input meanwhile.
    pub fn commit(
        &mut self,
        store: &mut Store,
        batches: &[Batch],
        checkpoint: &Checkpoint,
    ) -> Result<Outcome, Error> {
        self.commit_together(store, &mut (batches, checkpoint))
    }

    /// As [`Self::commit`], of as many parts as come while one transaction goes on; [`Outcome::parts`] says how many.
    pub fn commit_together(&mut self, store: &mut Store, parts: &mut dyn Parts) -> Result<Outcome, Error> {
        if store.privacy.identity == Identity::Organization {
            return Err(Error::Private(
                "sessions of license servers are paired by person, and identity = \"organization\" keeps none: \
                 use identity = \"pseudonymous\" for logs"
                    .to_owned(),
            ));
        }
        if parts.part(0).is_none() {
            return Ok(Outcome::default());
        }
        let forgotten = crate::persons::forgotten(store.backend.as_mut())?;
        self.forgotten.get_or_insert(forgotten);
        if self.input.is_none() {
            settings::check_identity(store.backend.as_mut(), &store.privacy)?;
        }
        self.keeps_lines = store.privacy.keeps_lines();
        let backend = store.backend.as_mut();
        if std::mem::take(&mut self.wrote_for_long) {
            backend.let_others_write();
        }
        // Names are no facts, and not in the transaction as far as they are known before it: who writes beside it would
        // wait for them.
        for nth in 0..parts.waiting() {
            for Batch { names, .. } in parts.part(nth).map_or(&[][..], |(batches, _)| batches) {
                if !self.resolved.knows(names) {
                    let known = self.resolved.known();
                    let added = writing(backend, |backend| self.resolved.add(backend, names, &store.privacy));
                    added.inspect_err(|_| self.resolved.forget_since(known))?;
                }
            }
        }
        let known = self.resolved.known();
        for _ in 0..TRIES {
            let result = self.try_commit(backend, parts, &store.privacy);
            if !matches!(result, Ok(Some(_))) {
                self.forget();
                // Those of further parts were taken back with these.
                self.resolved.forget_since(known);
            }
            match result {
                Ok(Some(outcome)) => {
                    let batches =
                        |nth| parts.part(nth).map_or(0, |(batches, _)| batches.iter().map(Batch::size).sum());
                    self.wrote_for_long = (0..outcome.parts).map(batches).sum::<usize>() > MANY_EVENTS;
                    return Ok(outcome);
                }
                // Somebody else wrote about the server: read it again and pair again.
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    /// Forgets what is known of the ledger: somebody else has written, or what was written was taken back.
    fn forget(&mut self) {
        self.servers.clear();
        self.open_holds.clear();
        self.polls.clear();
        self.last_runs.clear();
        self.held.let_go_of_all();
    }

    /// `None` where another process has written about a server since its state was read.
    fn try_commit(
        &mut self,
        backend: &mut dyn Backend,
        parts: &mut dyn Parts,
        privacy: &Privacy,
    ) -> Result<Option<Outcome>, Error> {
        let mut transaction = Transaction::default();
        let result = writing(backend, |backend| {
            let mut outcome = Outcome::default();
            parts.begins(backend.is_filling());
            while let Some((batches, checkpoint)) = parts.part(outcome.parts) {
                if outcome.parts == 0 {
                    self.begin_transaction(backend, batches, &mut transaction)?;
                } else if !self.admit(backend, batches, &transaction, privacy)? {
                    break;
                }
                self.take_in(backend, (batches, checkpoint), &mut transaction, &mut outcome)?;
            }
            self.end_stretch(backend, transaction.stretch.take())?;
            let id = transaction.written.as_ref().and_then(|written| written.id).unwrap_or_default();
            for nth in 0..outcome.parts {
                let Some((batches, checkpoint)) = parts.part(nth) else { break };
                forward::put(backend, &self.resolved, (id, checkpoint), batches, self.keeps_lines)?;
            }
            Ok(outcome)
        });
        match result {
            Ok(outcome) => {
                self.input = transaction.written;
                for server in &transaction.claimed {
                    if let Some(state) = self.servers.get_mut(server) {
                        state.sequence += 1;
                    }
                }
                Ok(Some(outcome))
            }
            Err(Error::Conflict) if transaction.is_stale => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the locks of a transaction.
    fn begin_transaction(
        &mut self,
        backend: &mut dyn Backend,
        batches: &[Batch],
        transaction: &mut Transaction,
    ) -> Result<(), Error> {
        forward::room(backend)?;
        // The first of all locks: who waits for them holds nothing that others wait for.
        backend.share(CALENDAR_LOCK)?;
        if batches.iter().any(|batch| !batch.seats.is_empty()) {
            // Days that are stored tell of capacity.
            backend.lock(DAYS_LOCK)?;
        }
        transaction.is_alone = backend.try_lock(DAYS_LOCK)?;
        self.claim_all(backend, batches, transaction)?;
        if self.forgotten != Some(crate::persons::forgotten(backend)?) {
            // Holders whose numbers this process remembers were renamed or removed.
            return Err(Error::Conflict);
        }
        Ok(())
    }

    /// Adds the names of a further part; false where it needs a transaction of its own: so that what waits to be told
    /// elsewhere is counted, and so that, where others write beside it, it waits for nothing that they may have.
    fn admit(
        &mut self,
        backend: &mut dyn Backend,
        batches: &[Batch],
        transaction: &Transaction,
        privacy: &Privacy,
    ) -> Result<bool, Error> {
        if forward::is_on(backend)? {
            return Ok(false);
        }
        if !backend.writes_alone() {
            let is_free = |batch: &Batch| {
                self.resolved.knows(&batch.names)
                    && batch.seats.is_empty()
                    && batch.components.is_empty()
                    && batch.totals.is_empty()
                    && self.servers_of(batch).is_subset(&transaction.claimed)
            };
            return Ok(batches.iter().all(is_free));
        }
        for batch in batches {
            self.resolved.add(backend, &batch.names, privacy)?;
        }
        Ok(true)
    }

    /// Takes in a part of the input, and moves its checkpoint; adds what came of it to `outcome`.
    fn take_in(
        &mut self,
        backend: &mut dyn Backend,
        (batches, checkpoint): (&[Batch], &Checkpoint),
        transaction: &mut Transaction,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let servers = self.claim_all(backend, batches, transaction)?;
        let before = transaction.written.as_ref().or(self.input.as_ref());
        let id = input::advance(backend, before, checkpoint)?;
        forward::note(backend, id, checkpoint)?;
        transaction.written = Some(Checkpoint { id: Some(id), ..checkpoint.clone() });
        for batch in batches {
            let goes_on = transaction.stretch.as_mut().is_some_and(|stretch| stretch.goes_on_with(batch));
            if !goes_on {
                self.end_stretch(backend, transaction.stretch.take())?;
            }
            let stretch = match &mut transaction.stretch {
                Some(stretch) => stretch,
                none => none.insert(self.begin_stretch(backend, batch, transaction.is_alone)?),
            };
            let of_batch = self.apply(backend, batch, id, &servers, stretch)?;
            outcome.sessions_closed += of_batch.sessions_closed;
            outcome.unmatched += of_batch.unmatched;
        }
        outcome.parts += 1;
        Ok(())
    }

    /// Claims the license servers that some batches tell of, and that this transaction has not claimed yet.
    fn claim_all(
        &mut self,
        backend: &mut dyn Backend,
        batches: &[Batch],
        transaction: &mut Transaction,
    ) -> Result<BTreeSet<ServerId>, Error> {
        let servers: BTreeSet<ServerId> = batches.iter().flat_map(|batch| self.servers_of(batch)).collect();
        for server in servers.difference(&transaction.claimed) {
            transaction.is_stale |= !self.claim(backend, *server)?;
        }
        transaction.claimed.extend(&servers);
        if transaction.is_stale { Err(Error::Conflict) } else { Ok(servers) }
    }

    /// Moves the sequence number of a server by compare-and-set; false where it is not the one we know.
    fn claim(&mut self, backend: &mut dyn Backend, server: ServerId) -> Result<bool, Error> {
        if let std::collections::hash_map::Entry::Vacant(e) = self.servers.entry(server) {
            // Locks the row first, so that what is read next is what the commit builds on.
            backend
                .execute("update server set sequence = sequence where server_id = $1", &[server.into()])?;
            e.insert(ServerState::read(backend, server)?);
        }
        let sequence = self.servers.get(&server).map_or(0, |state| state.sequence);
        let sql = "update server set sequence = sequence + 1 where server_id = $1 and sequence = $2";
        Ok(backend.execute(sql, &[server.into(), sequence.into()])? == 1)
    }

    fn daemon(&self, id: u32) -> &Daemon {
        &self.resolved.daemons[id as usize]
    }

    fn servers_of(&self, batch: &Batch) -> BTreeSet<ServerId> {
        let of_events = batch.events.iter().chain(&batch.retracted).map(|event| event.holder);
        let of_requests =
            batch.requests.iter().chain(&batch.retracted_requests).map(|request| request.holder);
        // Nearly all lines are of the daemon that the line before was of.
        let mut latest = None;
        let daemons: FxHashSet<u32> = of_events
            .chain(of_requests)
            .map(|holder| self.resolved.holder_daemons[holder as usize])
            .filter(|daemon| latest.replace(*daemon) != Some(*daemon))
            .chain(batch.breaks.iter().map(|event| event.daemon))
            .chain(batch.spans.iter().map(|span| span.daemon))
            .chain(polls::daemons_of(self, batch))
            .collect();
        daemons.into_iter().map(|daemon| self.daemon(daemon).server).collect()
    }

    fn apply(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        servers: &BTreeSet<ServerId>,
        stretch: &mut Stretch,
    ) -> Result<Outcome, Error> {
        let before: FxHashMap<(ServerId, String), Before> = self.before(servers);
        stretch.add(batch, input, servers, &before);
        self.add_spans_and_breaks(batch, input);
        let mut scope = Scope::default();
        let mut plan = self.plan(backend, batch, input, &before, &mut scope)?;
        let mut changes = Changes::default();
        if !plan.repairs.is_empty() {
            // They read what is open from the ledger.
            self.write_open(backend, stretch)?;
        }
        for (feature, repair) in std::mem::take(&mut plan.repairs) {
            self.repair(backend, feature, repair, &scope, &mut changes)?;
        }
        let marks = &mut stretch.marks;
        rows::write_spans_and_breaks(self, backend, batch, input)?;
        self.write_requests(backend, batch, input, &before, &scope, marks)?;
        let gone = self.write_polls(backend, batch, input, marks)?;
        self.write_seats(backend, batch, input, marks)?;
        let order = rows::in_key_order(&changes);
        self.mark_rows((&changes, &order), &before, servers, false, marks);
        rows::write_changes(backend, &changes, &order, input, None)?;
        let paper = Paper { batch, input, before: &before, servers };
        rows::write_names(self, backend, batch, input, marks)?;
        rows::write_taken(backend, batch)?;
        let mut outcome = self.pair_in_order(backend, paper, plan, marks)?;
        outcome.add(&changes);
        outcome.sessions_closed += gone;
        Ok(outcome)
    }

    /// What was known of each daemon before the batch.
    fn before(&self, servers: &BTreeSet<ServerId>) -> FxHashMap<(ServerId, String), Before> {
        let mut before = FxHashMap::default();
        for (server, state) in servers.iter().filter_map(|server| Some((server, self.servers.get(server)?))) {
            let mut vendors: BTreeSet<&str> = state.spans.iter().map(|span| span.vendor.as_str()).collect();
            vendors.extend(state.breaks.iter().map(|row| row.vendor.as_str()));
            for vendor in vendors {
                let held_until =
                    state.spans.iter().filter(|span| span.vendor == vendor).map(|span| span.until).max();
                before.insert(
                    (*server, vendor.to_owned()),
                    Before {
                        held_until: held_until.unwrap_or(UnixMs::MIN),
                        evidence: state.evidence(vendor),
                        breaks: state.breaks_of(vendor),
                    },
                );
            }
        }
        before
    }

    fn add_spans_and_breaks(&mut self, batch: &Batch, input: InputId) {
        for span in batch.spans.iter().filter(|span| !span.polled) {
            let Daemon { server, vendor } = &self.resolved.daemons[span.daemon as usize];
            let Some(state) = self.servers.get_mut(server) else { continue };
            let same = |row: &&mut SpanRow| {
                row.vendor == *vendor && row.input == input && row.run == span.run && row.from == span.from
            };
            match state.spans.iter_mut().find(same) {
                Some(row) => row.until = row.until.max(span.until),
                None => state.spans.push(SpanRow {
                    vendor: vendor.clone(),
                    input,
                    run: span.run,
                    from: span.from,
                    until: span.until,
                    begins_run: span.begins_run,
                    polled: false,
                }),
            }
        }
        for event in &batch.breaks {
            let Daemon { server, vendor } = &self.resolved.daemons[event.daemon as usize];
            let Some(state) = self.servers.get_mut(server) else { continue };
            let row = BreakRow { vendor: vendor.clone(), at: event.at, started: event.started };
            if !state.breaks.contains(&row) {
                state.breaks.push(row);
            }
        }
    }

    /// Sorts the batch's events by key and decides which keys can simply be continued and which must be paired anew.
    fn plan(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        before: &FxHashMap<(ServerId, String), Before>,
        scope: &mut Scope,
    ) -> Result<Plan, Error> {
        let mut plan = Plan::new(batch);
        self.plan_breaks(backend, before, scope, &mut plan)?;
        let daemons: Vec<(UnixMs, bool)> = (0..self.resolved.daemons.len() as u32)
            .map(|daemon| {
                let daemon = self.daemon(daemon).named();
                let held_until = before.get(&daemon).map_or(UnixMs::MIN, |before| before.held_until);
                (held_until, plan.paired_anew.contains(&daemon))
            })
            .collect();
        let features = in_order_of(&self.resolved.features);
        for group in features.into_iter().flat_map(|feature| plan.by_key.of_feature(feature)) {
            let earliest = plan.by_key.groups[group].earliest;
            let event = &plan.first(group);
            let (held_until, paired_anew) =
                daemons[self.resolved.holder_daemons[event.holder as usize] as usize];
            if earliest > held_until && !paired_anew {
                plan.in_order.push(group as u32);
                continue;
            }
            let (key, daemon) = self.key_of(event, batch);
            let steps = plan.by_key.steps(group).iter();
            let steps = steps.map(|event| step_of(event, &self.resolved.versions, input));
            let late = Late { steps: steps.collect(), retracted: Vec::new() };
            scope.daemons_of_holders.insert(key.holder, daemon);
            let repair = plan.repairs.entry(key.feature).or_default();
            repair.since = repair.since.min(earliest);
            repair.keys.insert(key, late);
        }
        for event in &batch.retracted {
            let (key, daemon) = self.key_of(event, batch);
            scope.daemons_of_holders.insert(key.holder, daemon);
            let repair = plan.repairs.entry(key.feature).or_default();
            repair.since = repair.since.min(event.step.at());
            let step = step_of(event, &self.resolved.versions, input);
            let late = repair.keys.entry(key.clone()).or_default();
            late.retracted.push(step);
            plan.move_to_repair(&key, event, &self.resolved.versions, input);
        }
        for daemon in before.keys() {
            scope.held.insert(daemon.clone(), self.held_by_others(daemon, input, batch.run));
        }
        // What is paired anew meets the new breaks there; it must not be broken off twice.
        let Plan { broken_off, repairs, .. } = &mut plan;
        broken_off
            .retain(|key, _| !repairs.get(&key.feature).is_some_and(|repair| repair.keys.contains_key(key)));
        Ok(plan)
    }

    fn held_by_others(&self, daemon: &(ServerId, String), input: InputId, run: u32) -> Vec<(UnixMs, UnixMs)> {
        self.servers.get(&daemon.0).map_or(Vec::new(), |state| state.held_by_others(&daemon.1, input, run))
    }

    /// Finds the daemons whose breaks have changed, or moved, where sessions may have been paired already.
    fn plan_breaks(
        &mut self,
        backend: &mut dyn Backend,
        before: &FxHashMap<(ServerId, String), Before>,
        scope: &mut Scope,
        plan: &mut Plan,
    ) -> Result<(), Error> {
        for (daemon, before) in before {
            let Some(state) = self.servers.get(&daemon.0) else { continue };
            let now = state.breaks_of(&daemon.1);
            let changed = now.iter().filter(|b| !before.breaks.contains(b));
            let moved = before.breaks.iter().filter(|b| !now.contains(b));
            let touched: Vec<Break> = changed.chain(moved).copied().collect();
            let Some(earliest) = touched.iter().map(|b| b.at()).min() else { continue };
            let holders = holders_of(backend, daemon)?;
            if earliest > before.held_until {
                let open = open_keys_of(state, &holders);
                plan.broken_off.extend(open.into_iter().map(|key| (key, daemon.clone())));
                continue;
            }
            plan.paired_anew.insert(daemon.clone());
            let since = touched.iter().map(|b| match b {
                Break::Started { at, last_line_at } => (*at).min(*last_line_at),
                Break::Stopped { at } => *at,
            });
            let since = since.min().unwrap_or(earliest);
            scope.daemons_of_holders.extend(holders.into_iter().map(|holder| (holder, daemon.clone())));
            let params = [daemon.0.into(), daemon.1.as_str().into()];
            let sql = "select feature_id from feature_at_server where server_id = $1 and vendor = $2";
            for feature in all(backend, sql, &params, |row| row.id(0))? {
                let repair: &mut Repair = plan.repairs.entry(feature).or_default();
                repair.since = repair.since.min(since);
                repair.daemons.insert(daemon.clone());
            }
        }
        Ok(())
    }

    fn key_of(&self, event: &KeyEvent, batch: &Batch) -> (Key, (ServerId, String)) {
        let daemon = self.daemon(self.resolved.holder_daemons[event.holder as usize]);
        (self.resolved.key(event, batch), daemon.named())
    }

    fn breaks_after(
        &self,
        daemon: &(ServerId, String),
        before: &FxHashMap<(ServerId, String), Before>,
    ) -> Vec<Break> {
        let held_until = before.get(daemon).map_or(UnixMs::MIN, |before| before.held_until);
        let mut breaks = self.servers.get(&daemon.0).map_or(Vec::new(), |state| state.breaks_of(&daemon.1));
        breaks.retain(|due| due.at() > held_until);
        breaks
    }
}

/// A transaction that takes in parts of an input.
#[derive(Debug, Default)]
struct Transaction {
    /// Whether nobody stores days beside it.
    is_alone: bool,
    /// The license servers that it has claimed.
    claimed: BTreeSet<ServerId>,
    /// Whether somebody else had written about one of them.
    is_stale: bool,
    /// The checkpoint of the last part.
    written: Option<Checkpoint>,
    stretch: Option<Stretch>,
}

/// What was known of a daemon before the batch.
#[derive(Debug, Clone)]
struct Before {
    /// The last instant of which lines were held.
    held_until: UnixMs,
    evidence: Option<UnixMs>,
    breaks: Vec<Break>,
}

fn holders_of(backend: &mut dyn Backend, daemon: &(ServerId, String)) -> Result<FxHashSet<HolderId>, Error> {
    let sql = "select holder_id from holder where server_id = $1 and vendor = $2";
    Ok(all(backend, sql, &[daemon.0.into(), daemon.1.as_str().into()], |row| row.id(0))?
        .into_iter()
        .collect())
}

/// Rows of JSON arrays as the one parameter of a set-wise statement.
fn rows_of<T>(items: impl IntoIterator<Item = T>, row: impl Fn(T) -> serde_json::Value) -> Value {
    Value::Text(json!(items.into_iter().map(row).collect::<Vec<_>>()).to_string())
}
