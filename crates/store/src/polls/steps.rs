//! How often a daemon is polled, from its stretches.

use super::{Stretch, parsed};
use accounting::UnixMs;
use std::collections::{BTreeMap, BTreeSet};

/// From poll to poll: how often each step comes. Stretches are not unfolded but where several inputs tell of one time.
#[derive(Default)]
pub(super) struct Steps {
    many: BTreeMap<i64, u64>,
    /// Stretches that overlap.
    together: Vec<Stretch>,
    /// The last poll of those before them.
    last: Option<UnixMs>,
}

impl Steps {
    /// Adds a stretch that begins no earlier than those before it.
    pub(super) fn add(&mut self, stretch: Stretch) {
        if self.together.iter().all(|other| other.until < stretch.from) {
            self.count();
        }
        self.together.push(stretch);
    }

    /// Counts the steps of what waits.
    fn count(&mut self) {
        let Some(first) = self.together.first().map(|stretch| stretch.from) else { return };
        if let Some(last) = self.last {
            *self.many.entry(first - last).or_default() += 1;
        }
        self.last = self.together.iter().map(|stretch| stretch.until).max();
        match &*std::mem::take(&mut self.together) {
            [alone] => {
                for token in alone.steps.split(' ').filter(|token| !token.is_empty()) {
                    let (step, times) = parsed(token);
                    *self.many.entry(step).or_default() += times.unsigned_abs();
                }
            }
            several => {
                let instants: BTreeSet<UnixMs> = several.iter().flat_map(Stretch::instants).collect();
                for (one, next) in instants.iter().zip(instants.iter().skip(1)) {
                    *self.many.entry(next - one).or_default() += 1;
                }
            }
        }
    }

    /// The lower of the two in the middle; 0 where there is no step.
    pub(super) fn median(mut self) -> i64 {
        self.count();
        let half = self.many.values().sum::<u64>().div_ceil(2);
        let mut counted = 0;
        let middle = self.many.iter().find(|(_, times)| {
            counted += *times;
            counted >= half
        });
        middle.map_or(0, |(step, _)| *step)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stretches;
    use super::{Steps, Stretch};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_median_is_that_of_all_instants(
            inputs in prop::collection::vec((0_i64..400, prop::collection::vec(1_i64..60, 0..40)), 0..4),
        ) {
            let told = inputs.iter().zip(1..).map(|((from, steps), input)| {
                let polls = std::iter::once(0).chain(steps.iter().copied()).scan(*from, |at, step| {
                    *at += step;
                    Some((*at, true))
                });
                stretches(input, polls)
            });
            let mut told: Vec<Stretch> = told.flatten().collect();
            told.sort_by_key(|stretch| (stretch.from, stretch.until));
            let instants: std::collections::BTreeSet<i64> = told.iter().flat_map(Stretch::instants).collect();
            let mut each: Vec<i64> = instants.iter().zip(instants.iter().skip(1)).map(|(a, b)| b - a).collect();
            each.sort_unstable();
            let mut steps = Steps::default();
            for stretch in told {
                steps.add(stretch);
            }
            prop_assert_eq!(steps.median(), each.get(each.len().saturating_sub(1) / 2).copied().unwrap_or(0));
        }
    }
}
