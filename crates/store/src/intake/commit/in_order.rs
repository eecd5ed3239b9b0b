//! Pairing the keys that go on where they stand, beside the connection that writes what comes of it.

use super::super::repair::{Changes, step_of};
use super::held::OpenSince;
use super::marks::Marks;
use super::plan::Plan;
use super::{Batch, Before, Intake, Key, Outcome, rows};
use crate::Error;
use crate::backend::Backend;
use crate::derive::{Context, Days};
use crate::intake::interner::Daemon;
use crate::intake::server::ServerState;
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::{Break, InputId, Open, Paired, Session, Step, pair};
use accounting::session::{Ended, FeatureId};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{SyncSender, sync_channel};

/// So many rows are handed to the connection together: few enough to stay in a core's cache.
const ROWS_TOGETHER: usize = 8_192;
/// How many portions may wait for the connection.
const PORTIONS_WAITING: usize = 4;

/// What one commit pairs.
#[derive(Clone, Copy)]
pub(super) struct Paper<'a> {
    pub(super) batch: &'a Batch,
    pub(super) input: InputId,
    pub(super) before: &'a FxHashMap<(ServerId, String), Before>,
    pub(super) servers: &'a BTreeSet<ServerId>,
}

/// Rows on their way to the connection, in the order of their keys.
struct Portion {
    changes: Changes,
    order: Vec<(FeatureId, UnixMs, u32)>,
    /// Days that are complete.
    days: Days,
}

/// Memory that pairing uses again for each key.
#[derive(Default)]
struct Scratch {
    steps: Vec<Step>,
    open: VecDeque<Open>,
    paired: Paired,
}

impl Intake {
    /// Pairs the keys whose events all come after everything held of their daemon, and writes their rows: a thread
    /// pairs feature by feature, and the connection writes one portion while the next is paired.
    pub(super) fn pair_in_order(
        &mut self,
        backend: &mut dyn Backend,
        paper: Paper<'_>,
        plan: Plan,
        marks: &mut Marks,
    ) -> Result<Outcome, Error> {
        let computing = marks.held.worth_computing(backend, paper.batch.events.len())?;
        let mut context = if computing { Some(Context::read(backend)?) } else { None };
        let (to, from) = sync_channel(PORTIONS_WAITING);
        std::thread::scope(|scope| {
            scope.spawn(move || self.pair_portions(paper, plan, context.as_mut(), marks, &to));
            let mut outcome = Outcome::default();
            for Portion { changes, order, days } in from {
                rows::write_changes(backend, &changes, &order, paper.input)?;
                days.write(backend)?;
                outcome.add(&changes);
            }
            Ok(outcome)
        })
    }

    /// Pairs and sends until all is done, or until nobody takes it any more.
    fn pair_portions(
        &mut self,
        paper: Paper<'_>,
        mut plan: Plan,
        mut context: Option<&mut Context>,
        marks: &mut Marks,
        to: &SyncSender<Portion>,
    ) {
        let rows = ROWS_TOGETHER.min(paper.batch.events.len());
        let empty = || Changes { new: Vec::with_capacity(rows), ..Changes::default() };
        let (mut changes, mut scratch) = (empty(), Scratch::default());
        let mut breaks: FxHashMap<u32, Vec<Break>> = FxHashMap::default();
        for group in std::mem::take(&mut plan.in_order) {
            let mut events = plan.steps(group as usize, &paper.batch.events).peekable();
            let Some(event) = events.peek() else { continue };
            let key = self.resolved.key(event, paper.batch);
            if changes.new.len() >= ROWS_TOGETHER
                && changes.new.last().is_some_and(|(last, _)| last.feature != key.feature)
            {
                let full = std::mem::replace(&mut changes, empty());
                if !self.send(paper, full, context.as_deref_mut(), marks, to) {
                    return;
                }
            }
            let daemon_id = self.resolved.holder_daemons[event.holder as usize];
            let breaks = breaks
                .entry(daemon_id)
                .or_insert_with(|| self.breaks_after(&self.daemon(daemon_id).named(), paper.before));
            scratch.steps.clear();
            scratch.steps.extend(events.map(|event| step_of(event, &self.resolved.versions, paper.input)));
            if !plan.broken_off.is_empty() {
                plan.broken_off.remove(&key);
            }
            let Daemon { server, vendor } = &self.resolved.daemons[daemon_id as usize];
            if let Some(state) = self.servers.get_mut(server) {
                pair_key(state, key, vendor, &mut scratch, breaks, &mut changes);
            }
        }
        for (key, daemon) in std::mem::take(&mut plan.broken_off) {
            let breaks = self.breaks_after(&daemon, paper.before);
            scratch.steps.clear();
            if let Some(state) = self.servers.get_mut(&daemon.0) {
                pair_key(state, key, &daemon.1, &mut scratch, &breaks, &mut changes);
            }
        }
        if !self.send(paper, changes, context.as_deref_mut(), marks, to) {
            return;
        }
        self.mark_evidence(paper.before, paper.servers, marks);
        if let Some(context) = context {
            let features = marks.held.features();
            let days = self.complete_days(&features, context, marks);
            // Nobody takes it where the connection failed.
            let _ = to.send(Portion { changes: Changes::default(), order: Vec::new(), days });
        }
    }

    /// Marks what a portion touches, and hands it on with the days that it completes.
    fn send(
        &self,
        paper: Paper<'_>,
        changes: Changes,
        context: Option<&mut Context>,
        marks: &mut Marks,
        to: &SyncSender<Portion>,
    ) -> bool {
        let order = rows::in_key_order(&changes);
        self.mark_rows((&changes, &order), paper.before, paper.servers, true, marks);
        let mut features: Vec<FeatureId> = order.iter().map(|(feature, _, _)| *feature).collect();
        features.dedup();
        let days = context.map(|context| self.complete_days(&features, context, marks)).unwrap_or_default();
        to.send(Portion { changes, order, days }).is_ok()
    }

    /// The held days of some features that are complete now.
    fn complete_days(&self, features: &[FeatureId], context: &mut Context, marks: &mut Marks) -> Days {
        let mut open = OpenSince::default();
        for (key, sessions) in self.servers.values().flat_map(|state| &state.open) {
            let since = sessions.iter().map(|session| (session.start.at, key.holder));
            open.entry(key.feature).or_default().extend(since);
        }
        let mut days = Days::default();
        for feature in features {
            marks.held.complete(*feature, &open, context, &mut days);
        }
        days
    }
}

/// Pairs the steps of one key and notes how its rows change.
fn pair_key(
    state: &mut ServerState,
    key: Key,
    vendor: &str,
    scratch: &mut Scratch,
    breaks: &[Break],
    changes: &mut Changes,
) {
    let Scratch { steps, open: spare, paired } = scratch;
    let mut open = state.open.remove(&key).unwrap_or_else(|| std::mem::take(spare));
    let stored: Vec<Session> = open.iter().map(Open::session).collect();
    paired.closed.clear();
    paired.unmatched.clear();
    pair(state.pairing, &mut open, steps, breaks, paired);
    if stored.is_empty() {
        changes.new.extend(paired.closed.iter().map(|row| (key.clone(), *row)));
        changes.new.extend(open.iter().map(|open| (key.clone(), open.session())));
    } else {
        let after: Vec<Session> =
            paired.closed.iter().copied().chain(open.iter().map(Open::session)).collect();
        changes.sessions(&key, &stored, &after);
    }
    if !paired.unmatched.is_empty() {
        changes.unmatched(&key, &paired.unmatched);
    }
    if open.is_empty() {
        *spare = open;
    } else {
        state.vendors.entry(key.holder).or_insert_with(|| vendor.into());
        state.open.insert(key, open);
    }
}

impl Outcome {
    /// Counts what changed.
    pub(super) fn add(&mut self, changes: &Changes) {
        let ended = changes.new.iter().filter(|(_, row)| row.ended != Ended::Open).count();
        self.sessions_closed += ended as u64;
        self.unmatched += changes.unmatched_new.len() as u64;
    }
}
