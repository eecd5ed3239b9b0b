//! What is to be done with each key of a batch.

use super::super::repair::{Repair, step_of};
use super::{Batch, Key, KeyEvent};
use crate::intake::NameId;
use crate::intake::by_key::ByKey;
use crate::intake::interner::{Daemon, Resolved};
use accounting::ledger::ServerId;
use accounting::pairing::{InputId, Step};
use accounting::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

/// What is to be done with each key of a batch.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) by_key: ByKey,
    /// The groups that continue what is held, in the order of their features in the ledger: rows are written as their
    /// table is ordered.
    pub(super) in_order: Vec<u32>,
    pub(super) repairs: FxHashMap<FeatureId, Repair>,
    /// Open keys whose daemon broke off after everything held.
    pub(super) broken_off: FxHashMap<Key, (ServerId, String)>,
    pub(super) paired_anew: FxHashSet<(ServerId, String)>,
}

impl Plan {
    pub(super) fn new(batch: &Batch) -> Self {
        let by_key = batch.ahead.take().unwrap_or_else(|| ByKey::of(&batch.events));
        Self { by_key, ..Self::default() }
    }

    /// The first event of a key.
    pub(super) fn first(&self, group: usize) -> KeyEvent {
        self.by_key.steps(group)[0]
    }

    /// A key with something taken back is paired anew with all its events of the batch.
    pub(super) fn move_to_repair(&mut self, key: &Key, gone: &KeyEvent, versions: &[u32], input: InputId) {
        let same = |group: &u32| {
            let event = self.first(*group as usize);
            (event.feature, event.holder, event.handle) == (gone.feature, gone.holder, gone.handle)
        };
        let Some(at) = self.in_order.iter().position(same) else { return };
        let group = self.in_order.remove(at) as usize;
        let steps = self.by_key.steps(group).iter();
        let steps: Vec<Step> = steps.map(|event| step_of(event, versions, input)).collect();
        let earliest = self.by_key.groups[group].earliest;
        let repair = self.repairs.entry(key.feature).or_default();
        repair.since = repair.since.min(earliest);
        repair.keys.entry(key.clone()).or_default().steps.extend(steps);
    }
}

/// Features as interned, in the order of their numbers in the ledger.
pub(super) fn in_order_of(features: &[FeatureId]) -> Vec<NameId> {
    let mut order: Vec<NameId> = (0..features.len() as NameId).collect();
    order.sort_unstable_by_key(|index| features[*index as usize]);
    order
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
