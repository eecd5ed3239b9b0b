//! Sums by numbers of seats.

use std::collections::BTreeMap;

/// Up to so many seats the sums are kept in an array.
const FEW: usize = 4096;

/// A sum (of milliseconds, or of requests) for each number of seats above 0.
#[derive(Debug, Default)]
pub(crate) struct BySeats {
    few: Vec<i64>,
    many: BTreeMap<i64, i64>,
}

impl BySeats {
    pub(crate) fn add(&mut self, seats: i64, amount: i64) {
        let place = seats as usize;
        if place >= FEW {
            *self.many.entry(seats).or_default() += amount;
            return;
        }
        if place >= self.few.len() {
            self.few.resize(place + 1, 0);
        }
        self.few[place] += amount;
    }

    /// The numbers of seats above 0 that have something, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, i128)> {
        let few = (0..).zip(&self.few).filter(|(seats, amount)| *seats > 0 && **amount > 0);
        few.chain(self.many.iter().map(|(&seats, amount)| (seats, amount)))
            .map(|(seats, &amount)| (seats, i128::from(amount)))
    }

    /// The sum of all numbers of seats above 0.
    pub(crate) fn sum(&self) -> i128 {
        self.iter().map(|(_, amount)| amount).sum()
    }

    /// The highest number of seats.
    pub(crate) fn highest(&self) -> i64 {
        self.iter().last().map_or(0, |(seats, _)| seats)
    }

    /// The least n such that what is at n seats or fewer is at least `percent` of `total`; what is not here is at 0.
    pub(crate) fn quantile(&self, percent: i128, total: i128) -> i64 {
        let mut up_to = total - self.sum();
        let mut seats = 0;
        for (next, amount) in self.iter() {
            if up_to * 100 >= percent * total {
                break;
            }
            (seats, up_to) = (next, up_to + amount);
        }
        seats
    }
}

#[cfg(test)]
mod tests {
    use super::BySeats;

    #[test]
    fn quantiles_are_the_least_number_of_seats_that_is_enough() {
        let mut at = BySeats::default();
        for (seats, amount) in [(1, 40), (3, 15), (5000, 5)] {
            at.add(seats, amount);
        }
        assert_eq!((at.sum(), at.highest()), (60, 5000));
        assert_eq!(
            [40, 41, 80, 81, 95, 96, 99].map(|percent| at.quantile(percent, 100)),
            [0, 1, 1, 3, 3, 5000, 5000]
        );
        assert_eq!(BySeats::default().quantile(95, 0), 0);
    }
}
