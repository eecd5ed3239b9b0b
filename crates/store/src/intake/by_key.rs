//! Events by key: worked out by whoever has time, before the commit that needs it or in it.

use super::{KeyEvent, NameId, radix};
use accounting::UnixMs;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Events by feature, holder and handle, as interned; those of one key in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct ByKey {
    events: Vec<KeyEvent>,
    pub(super) groups: Vec<Group>,
    /// Where the groups of each feature begin, and where those of the last one end.
    begins: Vec<u32>,
}

/// The events of one key: a stretch of [`ByKey::events`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    first: u32,
    end: u32,
    pub(super) earliest: UnixMs,
}

impl ByKey {
    pub(super) fn of(events: &[KeyEvent]) -> Self {
        let of_feature = by_feature(events);
        let mut by_key =
            Self { events: Vec::with_capacity(events.len()), groups: Vec::new(), begins: vec![0] };
        let (mut keyed, mut spare) = (Vec::new(), Vec::new());
        for place in of_feature.ends.windows(2) {
            let events = &of_feature.events[place[0] as usize..place[1] as usize];
            keyed.clear();
            let key = |event: &KeyEvent| u64::from(event.holder) << 32 | u64::from(event.handle);
            keyed.extend(events.iter().map(key).zip(0..));
            radix::sort(&mut keyed, &mut spare);
            for of_key in keyed.chunk_by(|a, b| a.0 == b.0) {
                let first = by_key.events.len();
                by_key.events.extend(of_key.iter().map(|(_, nth)| events[*nth as usize]));
                let at = by_key.events[first..].iter().map(|event| event.step.at());
                let earliest = at.min().unwrap_or(UnixMs::MAX);
                by_key.groups.push(Group { first: first as u32, end: by_key.events.len() as u32, earliest });
            }
            by_key.begins.push(by_key.groups.len() as u32);
        }
        by_key
    }

    /// The groups of a feature.
    pub(super) fn of_feature(&self, feature: NameId) -> Range<usize> {
        match self.begins.get(feature as usize..feature as usize + 2) {
            Some(&[begin, end]) => begin as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The events of a key, in the order in which they came.
    pub(super) fn steps(&self, group: usize) -> &[KeyEvent] {
        let Group { first, end, .. } = self.groups[group];
        &self.events[first as usize..end as usize]
    }
}

/// Events by feature, in their order, so that what is looked at together lies together.
struct ByFeature {
    events: Vec<KeyEvent>,
    /// Where those of each feature begin, and where the last ones end.
    ends: Vec<u32>,
}

fn by_feature(events: &[KeyEvent]) -> ByFeature {
    let features = events.iter().map(|event| event.feature as usize + 1).max().unwrap_or(0);
    let mut ends = vec![0_u32; features + 1];
    for event in events {
        ends[event.feature as usize + 1] += 1;
    }
    for feature in 0..features {
        ends[feature + 1] += ends[feature];
    }
    let mut next = ends.clone();
    // Each is replaced by the one whose place it is.
    let mut placed = events.to_vec();
    for event in events {
        let place = &mut next[event.feature as usize];
        placed[*place as usize] = *event;
        *place += 1;
    }
    ByFeature { events: placed, ends }
}

/// What was worked out ahead of the commit, which takes it. It says nothing that the events do not.
#[derive(Debug, Default)]
pub struct Ahead(Mutex<Option<ByKey>>);

impl Ahead {
    pub(super) fn put(&self, by_key: ByKey) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(by_key);
    }

    pub(super) fn take(&self) -> Option<ByKey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Clone for Ahead {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Ahead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Ahead {}

#[cfg(test)]
mod tests {
    use super::*;
    use accounting::pairing::{Start, Step};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_are_by_key_and_in_their_order(keys in prop::collection::vec((0..7_u32, 0..5_u32, 0..3_u32), 0..300)) {
            let event = |(nth, (feature, holder, handle)): (usize, (u32, u32, u32))| {
                let at = (nth as i64 * 7919) % 101;
                let step = Step::Start(Start { at, order: nth as i32, seats: 1, version: 0, input: 0 });
                KeyEvent { feature, holder, handle, step }
            };
            let events: Vec<KeyEvent> = keys.into_iter().enumerate().map(event).collect();
            let mut expected = events.clone();
            expected.sort_by_key(|event| (event.feature, event.holder, event.handle));
            let by_key = ByKey::of(&events);
            let groups = (0..9).flat_map(|feature| by_key.of_feature(feature).map(move |group| (feature, group)));
            let mut found = Vec::new();
            for (feature, group) in groups {
                let steps = by_key.steps(group);
                prop_assert!(steps.iter().all(|event| event.feature == feature));
                prop_assert_eq!(steps.iter().map(|event| event.step.at()).min(), Some(by_key.groups[group].earliest));
                found.extend_from_slice(steps);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
