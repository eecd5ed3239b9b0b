//! Pairing the keys that go on where they stand, beside the connection that writes what comes of it. What stays open gets its
//! row at the end of the stretch.

use super::super::repair::{Changes, step_of};
use super::marks::Marks;
use super::plan::Plan;
use super::{Batch, Before, Intake, Key, Outcome, rows};
use crate::Error;
use crate::backend::Backend;
use crate::intake::interner::Daemon;
use crate::intake::server::{OpenOfKey, ServerState};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::{Break, InputId, Open, Paired, Session, Step, pair};
use accounting::session::{Ended, FeatureId};
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc::{SyncSender, sync_channel};

/// So many rows are handed to the connection together: few enough to stay in a core's cache.
const ROWS_TOGETHER: usize = 2_048;
/// So many are enough at first: the connection waits for them.
const ROWS_AT_FIRST: usize = 128;
/// How many portions may wait for the connection.
pub(super) const PORTIONS_WAITING: usize = 4;

/// What one batch pairs.
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
        let (to, from) = sync_channel(PORTIONS_WAITING);
        let many = self.many.unwrap_or(rows::MANY);
        std::thread::scope(|scope| {
            scope.spawn(move || self.pair_portions(paper, plan, marks, &to));
            let mut outcome = Outcome::default();
            for Portion { changes, order } in from {
                rows::write_changes(backend, &changes, &order, paper.input, Some(many))?;
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
        marks: &mut Marks,
        to: &SyncSender<Portion>,
    ) {
        let room = ROWS_TOGETHER.min(paper.batch.events.len());
        let empty = || Changes { new: Vec::with_capacity(room), ..Changes::default() };
        let (mut changes, mut scratch) = (empty(), Scratch::default());
        let mut enough = ROWS_AT_FIRST;
        let mut breaks: FxHashMap<u32, Vec<Break>> = FxHashMap::default();
        for group in std::mem::take(&mut plan.in_order) {
            let events = plan.by_key.steps(group as usize);
            let Some(event) = events.first() else { continue };
            let key = self.resolved.key(event, paper.batch);
            if changes.new.len() >= enough
                && changes.new.last().is_some_and(|(last, _)| last.feature != key.feature)
            {
                let full = std::mem::replace(&mut changes, empty());
                if !self.send(paper, full, marks, to) {
                    return;
                }
                enough = ROWS_TOGETHER;
            }
            let daemon_id = self.resolved.holder_daemons[event.holder as usize];
            let breaks = breaks
                .entry(daemon_id)
                .or_insert_with(|| self.breaks_after(&self.daemon(daemon_id).named(), paper.before));
            scratch.steps.clear();
            scratch
                .steps
                .extend(events.iter().map(|event| step_of(event, &self.resolved.versions, paper.input)));
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
        self.send(paper, changes, marks, to);
    }

    /// Marks what a portion touches, and hands it on; false where nobody takes it.
    fn send(&self, paper: Paper<'_>, changes: Changes, marks: &mut Marks, to: &SyncSender<Portion>) -> bool {
        let order = rows::in_key_order(&changes);
        self.mark_rows((&changes, &order), paper.before, paper.servers, true, marks);
        to.send(Portion { changes, order }).is_ok()
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
    let (mut open, is_written) = match state.open.remove(&key) {
        Some(OpenOfKey { sessions, is_written }) => (sessions, is_written),
        None => (std::mem::take(spare), false),
    };
    let stored: Vec<Session> = if is_written { open.iter().map(Open::session).collect() } else { Vec::new() };
    paired.closed.clear();
    paired.unmatched.clear();
    pair(state.pairing, &mut open, steps, breaks, paired);
    if is_written {
        let after: Vec<Session> =
            paired.closed.iter().copied().chain(open.iter().map(Open::session)).collect();
        changes.sessions(&key, &stored, &after);
    } else {
        changes.new.extend(paired.closed.iter().map(|row| (key.clone(), *row)));
    }
    if !paired.unmatched.is_empty() {
        changes.unmatched(&key, &paired.unmatched);
    }
    if open.is_empty() {
        *spare = open;
    } else {
        state.vendors.entry(key.holder).or_insert_with(|| vendor.into());
        state.open.insert(key, OpenOfKey { sessions: open, is_written });
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
