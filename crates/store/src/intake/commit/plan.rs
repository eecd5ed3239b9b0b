//! The events of a batch by key, and what is to be done with each key.

use super::super::repair::{Repair, step_of};
use super::{Batch, Key, KeyEvent, radix};
use crate::intake::interner::{Daemon, Resolved};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::{InputId, Step};
use accounting::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// The batch's events by key, and what is to be done with each.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The events by feature, those of one feature in the order of the batch: what is looked at together lies together.
    events: Vec<KeyEvent>,
    /// The places of events by feature, holder and handle; those of one key stay in the order of the batch.
    sorted: Vec<u32>,
    pub(super) groups: Vec<Group>,
    /// The groups that continue what is held, in the order of their features.
    pub(super) in_order: Vec<u32>,
    pub(super) repairs: FxHashMap<FeatureId, Repair>,
    /// Open keys whose daemon broke off after everything held.
    pub(super) broken_off: FxHashMap<Key, (ServerId, String)>,
    pub(super) paired_anew: FxHashSet<(ServerId, String)>,
}

/// The events of one key: a stretch of [`Plan::sorted`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    first: u32,
    end: u32,
    pub(super) earliest: UnixMs,
}

impl Plan {
    /// Sorts events by key. `features` are the ledger's numbers of the interned features, whose order rules: rows are
    /// written as their table is ordered.
    pub(super) fn new(events: &[KeyEvent], features: &[FeatureId]) -> Self {
        let places = places(features);
        let mut ends = vec![0_u32; features.len() + 1];
        for event in events {
            ends[places[event.feature as usize] as usize + 1] += 1;
        }
        for place in 0..features.len() {
            ends[place + 1] += ends[place];
        }
        let mut next = ends.clone();
        // Each is replaced by the one whose place it is.
        let mut plan = Self { events: events.to_vec(), ..Self::default() };
        for event in events {
            let place = &mut next[places[event.feature as usize] as usize];
            plan.events[*place as usize] = *event;
            *place += 1;
        }
        plan.sorted.reserve(events.len());
        let (mut keyed, mut spare) = (Vec::new(), Vec::new());
        for of_feature in ends.windows(2) {
            keyed.clear();
            keyed.extend((of_feature[0]..of_feature[1]).map(|place| {
                let event = &plan.events[place as usize];
                (u64::from(event.holder) << 32 | u64::from(event.handle), place)
            }));
            radix::sort(&mut keyed, &mut spare);
            for of_key in keyed.chunk_by(|a, b| a.0 == b.0) {
                let first = plan.sorted.len() as u32;
                plan.sorted.extend(of_key.iter().map(|(_, place)| *place));
                let at = of_key.iter().map(|(_, place)| plan.events[*place as usize].step.at());
                let earliest = at.min().unwrap_or(UnixMs::MAX);
                plan.groups.push(Group { first, end: plan.sorted.len() as u32, earliest });
            }
        }
        plan
    }

    /// The events of a key, in the order of the batch.
    pub(super) fn steps(&self, group: usize) -> impl Iterator<Item = &KeyEvent> {
        let Group { first, end, .. } = self.groups[group];
        self.sorted[first as usize..end as usize].iter().map(|place| &self.events[*place as usize])
    }

    /// The first event of a key.
    pub(super) fn first(&self, group: usize) -> KeyEvent {
        self.events[self.sorted[self.groups[group].first as usize] as usize]
    }

    /// A key with something taken back is paired anew with all its events of the batch.
    pub(super) fn move_to_repair(&mut self, key: &Key, gone: &KeyEvent, versions: &[u32], input: InputId) {
        let same = |group: &u32| {
            let event = self.first(*group as usize);
            (event.feature, event.holder, event.handle) == (gone.feature, gone.holder, gone.handle)
        };
        let Some(at) = self.in_order.iter().position(same) else { return };
        let group = self.in_order.remove(at) as usize;
        let steps: Vec<Step> = self.steps(group).map(|event| step_of(event, versions, input)).collect();
        let earliest = self.groups[group].earliest;
        let repair = self.repairs.entry(key.feature).or_default();
        repair.since = repair.since.min(earliest);
        repair.keys.entry(key.clone()).or_default().steps.extend(steps);
    }
}

/// The place of each feature among all in the order of their numbers.
fn places(features: &[FeatureId]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..features.len() as u32).collect();
    order.sort_unstable_by_key(|index| features[*index as usize]);
    let mut places = vec![0; features.len()];
    for (place, index) in (0_u32..).zip(order) {
        places[index as usize] = place;
    }
    places
}

impl Daemon {
    /// The daemon as what is known of it before a batch is looked up.
    pub(super) fn named(&self) -> (ServerId, String) {
        (self.server, self.vendor.clone())
    }
}

impl Resolved {
    /// The key of an event in the ledger's numbers.
    pub(super) fn key(&self, event: &KeyEvent, batch: &Batch) -> Key {
        let handle = match event.handle {
            0 => SmolStr::default(),
            handle => batch.handles[handle as usize - 1].clone(),
        };
        Key {
            feature: self.features[event.feature as usize],
            holder: self.holders[event.holder as usize],
            handle,
        }
    }
}
