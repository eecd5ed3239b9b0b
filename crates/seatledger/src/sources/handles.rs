//! The numbers of handles within one batch.

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use smol_str::SmolStr;
use std::hash::{Hash as _, Hasher as _};
use store::intake::same_text;

/// Tells handles apart. Most of a log's are its own and are met twice; what is looked through for them is kept as small
/// as it can be, so that it stays in a core's cache.
#[derive(Debug, Default)]
pub(super) struct Handles {
    /// Half of a hash, and the number of a handle less one.
    known: HashTable<(u32, u32)>,
}

impl Handles {
    /// The number of a handle among those of its batch, to which it is added where it is new: its place plus one.
    pub(super) fn number(&mut self, handle: &str, of_batch: &mut Vec<SmolStr>) -> u32 {
        let mut hasher = FxHasher::default();
        handle.hash(&mut hasher);
        let half = (hasher.finish() >> 32) as u32;
        let same =
            |&(known, place): &(u32, u32)| known == half && same_text(&of_batch[place as usize], handle);
        if let Some((_, place)) = self.known.find(spread(half), same) {
            return place + 1;
        }
        // No database here holds NUL in a text; the replacement character stands for it.
        if handle.contains('\0') {
            return self.number(&handle.replace('\0', "\u{fffd}"), of_batch);
        }
        let place = of_batch.len() as u32;
        self.known.insert_unique(spread(half), (half, place), |(half, _)| spread(*half));
        of_batch.push(handle.into());
        place + 1
    }

    /// Begins another batch.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }
}

/// What a table places by: it takes the place from the lower bits and tells neighbours apart by the upper ones.
fn spread(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_handle_has_one_number_until_the_next_batch(texts in prop::collection::vec("[ab\u{0}]{0,4}", 0..90)) {
            let (mut handles, mut of_batch) = (Handles::default(), Vec::new());
            for batch in texts.chunks(40) {
                handles.clear();
                of_batch.clear();
                let mut numbers = std::collections::BTreeMap::new();
                for text in batch {
                    let cleaned = text.replace('\0', "\u{fffd}");
                    let number = handles.number(text, &mut of_batch);
                    prop_assert_eq!(&*of_batch[number as usize - 1], cleaned.as_str());
                    prop_assert_eq!(*numbers.entry(cleaned).or_insert(number), number);
                }
                prop_assert_eq!(numbers.len(), of_batch.len());
            }
        }
    }
}
