//! Pairing anew what late or corrected input touches.

use super::server::{OpenOfKey, ServerState, key_and_session};
use super::{Intake, Key, KeyEvent};
use crate::Error;
use crate::backend::{Backend, Row};
use crate::runs::{self, Asked, Columns};
use accounting::UnixMs;
use accounting::event::Pairing;
use accounting::ledger::ServerId;
use accounting::pairing::{End, InputId, Paired, Session, Step, UnmatchedEnd, pair, unpair};
use accounting::session::{Ended, FeatureId, HolderId};
use rustc_hash::{FxHashMap, FxHashSet};

/// What must be paired anew in one feature.
#[derive(Debug)]
pub(super) struct Repair {
    /// From this instant on.
    pub(super) since: UnixMs,
    /// Keys with events of the batch.
    pub(super) keys: FxHashMap<Key, Late>,
    /// Daemons (server, vendor) all of whose keys are touched.
    pub(super) daemons: FxHashSet<(ServerId, String)>,
}

impl Default for Repair {
    fn default() -> Self {
        Self { since: UnixMs::MAX, keys: FxHashMap::default(), daemons: FxHashSet::default() }
    }
}

/// Events of one key that come late.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub(super) steps: Vec<Step>,
    pub(super) retracted: Vec<Step>,
}

/// Rows to take out and to put in.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) gone: Vec<(Key, Session)>,
    pub(super) new: Vec<(Key, Session)>,
    pub(super) unmatched_gone: Vec<(Key, UnixMs, i64)>,
    pub(super) unmatched_new: Vec<(Key, i64, UnmatchedEnd)>,
}

/// What the ledger holds of one key from an instant on.
#[derive(Debug, Default)]
struct Held {
    sessions: Vec<Session>,
    unmatched: Vec<(i64, UnmatchedEnd)>,
}

impl Changes {
    /// Notes how a key's rows change from `before` to `after`; rows that stay are left alone.
    pub(super) fn sessions(&mut self, key: &Key, before: &[Session], after: &[Session]) {
        let same = |a: &Session, b: &Session| {
            Session { from_input: 0, until_input: None, ..*a }
                == Session { from_input: 0, until_input: None, ..*b }
        };
        for row in before.iter().filter(|row| !after.iter().any(|other| same(row, other))) {
            self.gone.push((key.clone(), *row));
        }
        for row in after.iter().filter(|row| !before.iter().any(|other| same(row, other))) {
            self.new.push((key.clone(), *row));
        }
    }

    /// Notes a key's ends without a start that were not there before.
    pub(super) fn unmatched(&mut self, key: &Key, after: &[UnmatchedEnd]) {
        for (nth, rest) in numbered(after) {
            self.unmatched_new.push((key.clone(), nth, rest));
        }
    }
}

/// Unmatched ends with the number that tells those of one instant apart.
fn numbered(rests: &[UnmatchedEnd]) -> Vec<(i64, UnmatchedEnd)> {
    let mut rests = rests.to_vec();
    rests.sort_by_key(|rest| (rest.end.at, rest.end.order, rest.end.seats, rest.end.ended, rest.seats));
    let mut rows: Vec<(i64, UnmatchedEnd)> = Vec::with_capacity(rests.len());
    for rest in rests {
        let nth = rows.last().filter(|(_, last)| last.end.at == rest.end.at).map_or(0, |(nth, _)| nth + 1);
        rows.push((nth, rest));
    }
    rows
}

impl Intake {
    /// Pairs anew what a repair names; notes the changed rows and keeps the open sessions in step.
    pub(super) fn repair(
        &mut self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        mut repair: Repair,
        scope: &Scope,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let exclusive = |server: ServerId| {
            self.servers.get(&server).is_some_and(|state| state.pairing == Pairing::Exclusive)
        };
        if repair.daemons.iter().any(|(server, _)| exclusive(*server))
            || repair.keys.keys().any(|key| exclusive(scope.daemon(key.holder).0))
        {
            // A superseded session ends where it began: only the whole key tells what was open when.
            repair.since = UnixMs::MIN;
        }
        let mut held = held(backend, feature, &repair, scope)?;
        for key in repair.keys.keys() {
            held.entry(key.clone()).or_default();
        }
        for (key, held) in held {
            let late = repair.keys.remove(&key).unwrap_or_default();
            self.pair_anew(&key, &held, late, repair.since, scope, changes);
        }
        Ok(())
    }

    fn pair_anew(
        &mut self,
        key: &Key,
        held: &Held,
        late: Late,
        since: UnixMs,
        scope: &Scope,
        changes: &mut Changes,
    ) {
        let (server, vendor) = scope.daemon(key.holder);
        let Some(state) = self.servers.get_mut(&server) else { return };
        let rests: Vec<UnmatchedEnd> = held.unmatched.iter().map(|(_, rest)| *rest).collect();
        let (mut open, mut steps) = unpair(&held.sessions, &rests, since);
        if let Some(input) = scope.without {
            steps.retain(|step| step.input() != input);
        }
        for gone in &late.retracted {
            if let Some(at) = steps.iter().position(|step| step.same_event(gone)) {
                steps.swap_remove(at);
            }
        }
        add_what_is_more(&mut steps, late.steps, scope.held_by_others(server, vendor));
        let mut breaks = state.breaks_of(vendor);
        breaks.retain(|due| due.at() >= since);
        let mut paired = Paired::default();
        pair(state.pairing, &mut open, &mut steps, &breaks, &mut paired);
        let mut after = paired.closed;
        after.extend(open.iter().map(accounting::pairing::Open::session));
        changes.sessions(key, &held.sessions, &after);
        if paired.unmatched != rests {
            changes
                .unmatched_gone
                .extend(held.unmatched.iter().map(|(nth, rest)| (key.clone(), rest.end.at, *nth)));
            changes.unmatched(key, &paired.unmatched);
        }
        if open.is_empty() {
            state.open.remove(key);
        } else {
            state.vendors.insert(key.holder, vendor.into());
            state.open.insert(key.clone(), OpenOfKey { sessions: open, is_written: true });
        }
    }
}

/// The rows of the touched keys that are open or end at `since` or later.
fn held(
    backend: &mut dyn Backend,
    feature: FeatureId,
    repair: &Repair,
    scope: &Scope,
) -> Result<FxHashMap<Key, Held>, Error> {
    let touched = |key: &Key| repair.keys.contains_key(key) || scope.is_of(key.holder, &repair.daemons);
    let mut held: FxHashMap<Key, Held> = FxHashMap::default();
    let params = [feature.into(), repair.since.into()];
    let asked = Asked { until: repair.since, ..Asked::all(feature) };
    runs::each(backend, asked, Columns::Whole, &mut |row| {
        let (key, session) = key_and_session(feature, row)?;
        let is_polled = row.opt_int(6)?.is_some();
        if !is_polled && touched(&key) {
            held.entry(key).or_default().sessions.push(session);
        }
        Ok(())
    })?;
    backend.query(include_str!("../../queries/unmatched_since.sql"), &params, &mut |row| {
        let (key, nth, rest) = unmatched(feature, row)?;
        if touched(&key) {
            held.entry(key).or_default().unmatched.push((nth, rest));
        }
        Ok(())
    })?;
    Ok(held)
}

/// Adds the steps of a run that the ledger does not hold: where the run overlaps what other runs hold, only as far
/// as it holds more equal events than the ledger.
fn add_what_is_more(steps: &mut Vec<Step>, late: Vec<Step>, held: &[(UnixMs, UnixMs)]) {
    let overlaps = |at: UnixMs| held.iter().any(|&(from, until)| from <= at && at <= until);
    let mut there: Vec<Step> = steps.iter().filter(|step| overlaps(step.at())).copied().collect();
    for step in late {
        let known =
            if overlaps(step.at()) { there.iter().position(|other| other.same_event(&step)) } else { None };
        match known {
            Some(at) => {
                there.swap_remove(at);
            }
            None => steps.push(step),
        }
    }
}

fn unmatched(feature: FeatureId, row: &Row<'_>) -> Result<(Key, i64, UnmatchedEnd), Error> {
    let key = Key { feature, holder: row.id(0)?, handle: row.with_text(1, |handle| handle.into())? };
    let ended = row.int(6)?;
    let end = End {
        at: row.int(2)?,
        order: row.int(3)? as i32,
        seats: row.id(5)?,
        ended: Ended::from_code(ended).ok_or_else(|| Error::Corrupt(format!("ending {ended}")))?,
        input: row.id(7)?,
    };
    Ok((key, row.int(8)?, UnmatchedEnd { end, seats: row.id(4)? }))
}

/// What a commit's repairs need to know of holders and of what other runs hold.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) daemons_of_holders: FxHashMap<HolderId, (ServerId, String)>,
    pub(super) held: FxHashMap<(ServerId, String), Vec<(UnixMs, UnixMs)>>,
    pub(super) nobody: (ServerId, String),
    /// An input whose events are taken out.
    pub(super) without: Option<InputId>,
}

impl Scope {
    fn daemon(&self, holder: HolderId) -> (ServerId, &str) {
        let (server, vendor) = self.daemons_of_holders.get(&holder).unwrap_or(&self.nobody);
        (*server, vendor)
    }

    fn is_of(&self, holder: HolderId, daemons: &FxHashSet<(ServerId, String)>) -> bool {
        !daemons.is_empty()
            && self.daemons_of_holders.get(&holder).is_some_and(|daemon| daemons.contains(daemon))
    }

    fn held_by_others(&self, server: ServerId, vendor: &str) -> &[(UnixMs, UnixMs)] {
        self.held.get(&(server, vendor.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// The event with its numbers of the ledger.
pub(super) fn step_of(event: &KeyEvent, versions: &[u32], input: InputId) -> Step {
    match event.step {
        Step::Start(start) => Step::Start(accounting::pairing::Start {
            version: versions.get(start.version as usize).copied().unwrap_or_default(),
            input,
            ..start
        }),
        Step::End(end) => Step::End(End { input, ..end }),
    }
}

/// Whether a state has any key of a daemon open, and which.
pub(super) fn open_keys_of(state: &ServerState, holders: &FxHashSet<HolderId>) -> Vec<Key> {
    state.open.keys().filter(|key| holders.contains(&key.holder)).cloned().collect()
}
