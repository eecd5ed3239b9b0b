//! Capacity: how many seats there were at each instant, as a step function with its own history.

use crate::UnixMs;

/// A step function over time: each step's value holds from its instant to the next step's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps {
    steps: Vec<(UnixMs, Option<i64>)>,
}

impl Steps {
    /// The function of these observations, in any order; of two at one instant the last given counts. `None`
    /// says that from there on the capacity is unknown or uncounted.
    pub fn new(mut observed: Vec<(UnixMs, Option<i64>)>) -> Self {
        observed.sort_by_key(|&(at, _)| at);
        let mut steps: Vec<(UnixMs, Option<i64>)> = Vec::new();
        for (at, value) in observed {
            if steps.last().is_some_and(|&(last, _)| last == at) {
                steps.pop();
            }
            if steps.last().map_or(value.is_some(), |&(_, last)| last != value) {
                steps.push((at, value));
            }
        }
        Self { steps }
    }

    /// The value in force at an instant; `None` before the first step.
    pub fn at(&self, at: UnixMs) -> Option<i64> {
        let next = self.steps.partition_point(|&(from, _)| from <= at);
        next.checked_sub(1).and_then(|index| self.steps[index].1)
    }

    /// The sum of several pools' functions (the same feature on several license servers); `None` while any of them
    /// is, as nobody knows how many seats there are together.
    #[must_use]
    pub fn sum(pools: &[Self]) -> Self {
        Self::at_each_step(pools, |at| pools.iter().map(|pool| pool.at(at)).sum())
    }

    /// The sum of those functions that are known (the same feature of several vendors on one license server, which
    /// tells of the vendors that have it).
    #[must_use]
    pub fn sum_of_known(pools: &[Self]) -> Self {
        Self::at_each_step(pools, |at| pools.iter().filter_map(|pool| pool.at(at)).reduce(|a, b| a + b))
    }

    /// The function of these values at the steps of the pools.
    fn at_each_step(pools: &[Self], value: impl Fn(UnixMs) -> Option<i64>) -> Self {
        let mut instants: Vec<UnixMs> =
            pools.iter().flat_map(|pool| pool.steps.iter().map(|&(at, _)| at)).collect();
        instants.sort_unstable();
        instants.dedup();
        Self::new(instants.into_iter().map(|at| (at, value(at))).collect())
    }

    /// The stretches of `[from, until)` with one value each: (from, until, value).
    pub fn within(
        &self,
        from: UnixMs,
        until: UnixMs,
    ) -> impl DoubleEndedIterator<Item = (UnixMs, UnixMs, Option<i64>)> {
        let first = self.steps.partition_point(|&(at, _)| at <= from);
        let last = self.steps.partition_point(|&(at, _)| at < until).max(first);
        let stretch = move |nth: usize| {
            let (before, next) = (nth.checked_sub(1).map(|nth| self.steps[nth]), self.steps.get(nth));
            let start = before.map_or(from, |(at, _)| at.max(from));
            let end = next.map_or(until, |&(at, _)| at.min(until));
            (start, end, before.and_then(|(_, value)| value))
        };
        (first..=last).map(stretch).filter(|(from, until, _)| from < until)
    }

    /// The value at the end of `[from, until)`, or where that is unknown the last one known in it.
    pub fn last_known(&self, from: UnixMs, until: UnixMs) -> Option<i64> {
        self.within(from, until).rev().find_map(|(_, _, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Steps;

    #[test]
    fn capacity_is_the_one_in_force_at_that_instant() {
        let steps = Steps::new(vec![(200, Some(8)), (100, Some(5)), (300, None)]);
        assert_eq!([50, 100, 199, 200, 300].map(|at| steps.at(at)), [None, Some(5), Some(5), Some(8), None]);
        let within = |from, until| steps.within(from, until).collect::<Vec<_>>();
        assert_eq!(within(150, 250), [(150, 200, Some(5)), (200, 250, Some(8))]);
        assert_eq!(within(50, 101), [(50, 100, None), (100, 101, Some(5))]);
        assert_eq!(within(300, 400), [(300, 400, None)]);
        assert_eq!(within(200, 200), []);
        assert_eq!(
            [(250, 400), (0, 100)].map(|(from, until)| steps.last_known(from, until)),
            [Some(8), None]
        );
    }

    #[test]
    fn pools_of_several_servers_add_up() {
        let pools = [Steps::new(vec![(0, Some(3))]), Steps::new(vec![(10, Some(4)), (20, None)])];
        let sums = [Steps::sum(&pools), Steps::sum_of_known(&pools)];
        assert_eq!([5, 10, 20].map(|at| sums[0].at(at)), [None, Some(7), None]);
        assert_eq!([5, 10, 20].map(|at| sums[1].at(at)), [Some(3), Some(7), Some(3)]);
        let never_seen = Steps::default();
        assert_eq!(Steps::sum(&[pools[0].clone(), never_seen]).at(10), None);
    }
}
