//! Values by civil day.

use crate::day::Day;
use rustc_hash::FxHashMap;

/// So many days before the one that was asked for first are near it.
const BEFORE: i32 = 64;
/// So many days are near each other: some 90 years.
const NEAR: usize = 1 << 15;

/// A value for each day, made when it is first asked for: days that are near each other, as those of a report are, are found
/// without a hash.
#[derive(Debug, Clone)]
pub struct ByDay<T> {
    /// The day of the first place.
    first: Option<i32>,
    near: Vec<Option<T>>,
    far: FxHashMap<Day, T>,
}

impl<T> Default for ByDay<T> {
    fn default() -> Self {
        Self { first: None, near: Vec::new(), far: FxHashMap::default() }
    }
}

impl<T> ByDay<T> {
    /// The value of a day.
    #[inline]
    pub fn of(&mut self, day: Day, make: impl FnOnce() -> T) -> &mut T {
        let first = *self.first.get_or_insert(day.0.saturating_sub(BEFORE));
        let place =
            usize::try_from(day.0.wrapping_sub(first)).ok().filter(|place| *place < NEAR && day.0 >= first);
        let Some(place) = place else { return self.far.entry(day).or_insert_with(make) };
        if place >= self.near.len() {
            self.near.resize_with(place + 1, || None);
        }
        self.near[place].get_or_insert_with(make)
    }
}

#[cfg(test)]
mod tests {
    use super::ByDay;
    use crate::day::Day;

    #[test]
    fn each_day_has_one_value_however_far_apart_they_are() {
        let mut days = ByDay::default();
        let asked = [19_000, 19_001, 18_900, -1, i32::MIN, i32::MAX, 0, 60_000].map(Day);
        for day in asked {
            assert_eq!(*days.of(day, || day), day);
        }
        for day in asked {
            assert_eq!(*days.of(day, || unreachable!("it is there")), day);
        }
    }
}
