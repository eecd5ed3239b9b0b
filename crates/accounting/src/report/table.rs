//! Small collections for the hot loops: values by number and numbers of values, sets of persons.

use crate::ledger::PersonId;
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::hash::{BuildHasher, Hash};

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

    /// The number after the last near one that has a value.
    pub(crate) fn near(&self) -> usize {
        self.near.iter().rposition(Option::is_some).map_or(0, |last| last + 1)
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

/// Values numbered in the order in which they are first seen.
#[derive(Debug)]
pub(crate) struct Numbered<T> {
    /// By the hash of their values.
    numbers: HashTable<u32>,
    pub(crate) values: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashTable::new(), values: Vec::new() }
    }
}

impl<T: Hash + Eq> Numbered<T> {
    pub(crate) fn number(&mut self, value: T) -> u32 {
        let values = &self.values;
        let (is, hash) = (|number: &u32| values[*number as usize] == value, FxBuildHasher.hash_one(&value));
        if let Some(&number) = self.numbers.find(hash, is) {
            return number;
        }
        let number = self.values.len() as u32;
        self.values.push(value);
        let values = &self.values;
        self.numbers.insert_unique(hash, number, |number| FxBuildHasher.hash_one(&values[*number as usize]));
        number
    }

    /// Makes room for so many at once.
    pub(crate) fn reserve(&mut self, values: usize) {
        let known = &self.values;
        self.numbers.reserve(values, |number| FxBuildHasher.hash_one(&known[*number as usize]));
        self.values.reserve(values);
    }

    pub(crate) fn value(&self, number: u32) -> &T {
        &self.values[number as usize]
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
    #[inline]
    pub(crate) fn insert(&mut self, person: PersonId, all: usize) {
        match self {
            Self::Few([first, ..], 1..) if *first == person => {}
            Self::Bits(bits, len) => {
                let (word, bit) = (&mut bits[person as usize / 64], 1 << (person % 64));
                *len += usize::from(*word & bit == 0);
                *word |= bit;
            }
            Self::Few(..) | Self::Many(_) => self.insert_into_small(person, all),
        }
    }

    fn insert_into_small(&mut self, person: PersonId, all: usize) {
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
            Self::Bits(..) => self.insert(person, all),
        }
    }

    /// Lends each person.
    pub(crate) fn each(&self, mut each: impl FnMut(PersonId)) {
        match self {
            Self::Few(few, len) => few[..usize::from(*len)].iter().for_each(|person| each(*person)),
            Self::Many(set) => set.iter().for_each(|person| each(*person)),
            Self::Bits(bits, _) => {
                for (nth, word) in (0..).zip(bits) {
                    let mut word = *word;
                    while word != 0 {
                        each(nth * 64 + word.trailing_zeros());
                        word &= word - 1;
                    }
                }
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

#[cfg(test)]
mod tests {
    use super::{Persons, Table};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn persons_are_counted_once(
            all in prop::sample::select(vec![1_usize, 5, 64, 65, 1000, 100_000]),
            numbers in prop::collection::vec(any::<u32>(), 0..300),
        ) {
            let mut persons = Persons::default();
            let mut expected = BTreeSet::new();
            for number in numbers {
                let person = number % all as u32;
                persons.insert(person, all);
                expected.insert(person);
                prop_assert_eq!(persons.len(), expected.len());
            }
            let mut each = BTreeSet::new();
            persons.each(|person| assert!(each.insert(person)));
            prop_assert_eq!(each, expected);
        }
    }

    #[test]
    fn numbers_far_apart_are_found_too() {
        let mut table = Table::new([(1, 'a'), (u32::MAX, 'b')].into_iter());
        assert_eq!([0, 1, 2, u32::MAX].map(|number| table.get(number)), [None, Some('a'), None, Some('b')]);
        table.insert(u32::MAX, 'c');
        assert_eq!(table.get(u32::MAX), Some('c'));
    }
}
