//! Small collections for the hot loops: values by number, sets of persons.

use crate::ledger::PersonId;
use rustc_hash::{FxHashMap, FxHashSet};

/// Values by the numbers of a ledger's table: an array, as long as the numbers lie close together.
#[derive(Debug, Default)]
pub(crate) struct Table<T> {
    near: Vec<Option<T>>,
    far: FxHashMap<u32, T>,
}

impl<T: Copy> Table<T> {
    pub(crate) fn new(values: impl ExactSizeIterator<Item = (u32, T)>) -> Self {
        let mut table = Self { near: vec![None; values.len() * 4 + 64], far: FxHashMap::default() };
        values.for_each(|(number, value)| table.insert(number, value));
        table
    }

    pub(crate) fn insert(&mut self, number: u32, value: T) {
        match self.near.get_mut(number as usize) {
            Some(place) => *place = Some(value),
            None => drop(self.far.insert(number, value)),
        }
    }

    pub(crate) fn get(&self, number: u32) -> Option<T> {
        match self.near.get(number as usize) {
            Some(value) => *value,
            None => self.far.get(&number).copied(),
        }
    }
}

/// A set of persons: a few numbers, then a hash set, then, once it is no bigger, a bit for each person.
#[derive(Debug)]
pub(crate) enum Persons {
    Few([PersonId; 4], u8),
    Many(FxHashSet<PersonId>),
    Bits(Vec<u64>, usize),
}

impl Default for Persons {
    fn default() -> Self {
        Self::Few([0; 4], 0)
    }
}

impl Persons {
    /// Adds a person to the set; all numbers are less than `all`.
    pub(crate) fn insert(&mut self, person: PersonId, all: usize) {
        match self {
            Self::Few(few, len) => {
                let used = usize::from(*len);
                if few[..used].contains(&person) {
                    return;
                }
                if used < few.len() {
                    few[used] = person;
                    *len += 1;
                } else {
                    *self = Self::Many(few.iter().copied().chain([person]).collect());
                }
            }
            Self::Many(set) => {
                set.insert(person);
                if set.len() * 128 > all {
                    let mut bits = Self::Bits(vec![0; all.div_ceil(64)], 0);
                    for person in set.iter() {
                        bits.insert(*person, all);
                    }
                    *self = bits;
                }
            }
            Self::Bits(bits, len) => {
                let (word, bit) = (&mut bits[person as usize / 64], 1 << (person % 64));
                *len += usize::from(*word & bit == 0);
                *word |= bit;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Few(_, len) => usize::from(*len),
            Self::Many(set) => set.len(),
            Self::Bits(_, len) => *len,
        }
    }
}
