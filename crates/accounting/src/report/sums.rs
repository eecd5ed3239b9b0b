//! What holds in pieces of time: seat time and peaks, or seat time alone.

use super::bins::{Bin, Piece};
use crate::UnixMs;
use crate::concurrency::Sweep;
use std::ops::{AddAssign, Mul};

/// What holds in a piece.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum {
    /// ∫u dt in seat-milliseconds.
    pub(crate) seat_ms: i128,
    /// max u, and the first instant at which it was reached.
    pub(crate) seats_peak: i64,
    pub(crate) seats_peak_at: UnixMs,
}

/// Those pieces, ascending, in which seats are in use, each with what holds in it, in order of time.
pub(crate) fn sums(sweep: &mut Sweep, pieces: &[Piece], each: impl FnMut(Bin, Sum)) {
    // Wide numbers are for what no license server has.
    if sweep.has_small_areas() {
        sums_in::<i64>(sweep, pieces, each);
    } else {
        sums_in::<i128>(sweep, pieces, each);
    }
}

fn sums_in<Area: Number>(sweep: &mut Sweep, pieces: &[Piece], mut each: impl FnMut(Bin, Sum)) {
    let mut pieces = pieces.iter().filter(|piece| piece.from < piece.until);
    let Some(mut piece) = pieces.next() else { return };
    // More pieces may come that nothing is held in.
    let (mut within, mut is_over) = (Within::<Area>::default(), false);
    sweep.stretches(|from, until, seats| {
        if is_over {
            return;
        }
        while until > piece.until {
            within.add(from.max(piece.from), piece.until, seats);
            within.tell(piece, &mut each);
            let Some(next) = pieces.next() else {
                is_over = true;
                return;
            };
            piece = next;
        }
        within.add(from.max(piece.from), until, seats);
    });
    within.tell(piece, &mut each);
}

/// Seat time alone: nothing needs to be in order for it. Its memory is used again.
#[derive(Debug, Default)]
pub(crate) struct SeatTimes {
    /// For each piece the seat-milliseconds in it of what changes within it, and by how much what is in use at its beginning
    /// differs from what was in use at the beginning of the one before.
    of_pieces: Vec<(i64, i64)>,
}

impl SeatTimes {
    /// ∫u dt in seat-milliseconds over those pieces of the window, ascending, in which seats are in use.
    pub(crate) fn of(&mut self, sweep: &mut Sweep, pieces: &[Piece], mut each: impl FnMut(Bin, i128)) {
        if !sweep.has_small_areas() {
            return sums(sweep, pieces, |bin, sum| each(bin, sum.seat_ms));
        }
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return };
        self.of_pieces.clear();
        self.of_pieces.resize(pieces.len() + 1, (0, 0));
        // The compiler sees that this one stays where it is.
        let of_pieces = self.of_pieces.as_mut_slice();
        // Pieces are mostly of one length, so that the one of an instant is the first that is looked at.
        let pieces_a_ms = ((pieces.len() as i64) << 32) / (last.until - first.from).max(1);
        sweep.changes(|at, seats| {
            let guess = ((at.clamp(first.from, last.until) - first.from) * pieces_a_ms) >> 32;
            let mut nth = (guess as usize).min(pieces.len() - 1);
            while nth > 0 && at < pieces[nth - 1].until {
                nth -= 1;
            }
            while nth < pieces.len() && pieces[nth].until <= at {
                nth += 1;
            }
            if let Some(piece) = pieces.get(nth) {
                of_pieces[nth].0 += seats * (piece.until - at.max(piece.from));
                of_pieces[nth + 1].1 += seats;
            }
        });
        let mut seats = 0;
        for (piece, (changing, change)) in pieces.iter().zip(&*of_pieces) {
            seats += change;
            let seat_ms = seats * (piece.until - piece.from) + changing;
            if seat_ms > 0 {
                each(piece.bin, i128::from(seat_ms));
            }
        }
    }
}

/// What seat time is summed up in.
trait Number: Copy + Default + From<i64> + Into<i128> + AddAssign + Mul<Output = Self> {}

impl Number for i64 {}
impl Number for i128 {}

/// What holds in a piece as far as it is summed up.
#[derive(Debug, Clone, Copy, Default)]
struct Within<Area> {
    area: Area,
    peak: i64,
    peak_at: UnixMs,
}

impl<Area: Number> Within<Area> {
    /// Adds a stretch; it may be empty, or end before it begins.
    #[inline]
    fn add(&mut self, from: UnixMs, until: UnixMs, seats: i64) {
        let ms = (until - from).max(0);
        self.area += Area::from(seats) * Area::from(ms);
        if seats > self.peak && ms > 0 {
            (self.peak, self.peak_at) = (seats, from);
        }
    }

    /// Tells what holds in the piece, where seats are in use in it, and begins the next one.
    #[inline]
    fn tell(&mut self, piece: &Piece, each: &mut impl FnMut(Bin, Sum)) {
        let Self { area, peak, peak_at } = std::mem::take(self);
        if peak > 0 {
            each(piece.bin, Sum { seat_ms: area.into(), seats_peak: peak, seats_peak_at: peak_at });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// So long is a step of the test, in milliseconds: areas over all of them have no room in few bits.
    const STEP: i64 = 80_000_000;

    proptest! {
        #[test]
        fn sums_are_what_is_in_use_at_each_instant(
            held in prop::collection::vec((-5..60_i64, 0..30_i64, 0..4_u32), 0..12),
            cuts in prop::collection::btree_set(0..50_i64, 0..8),
            times in prop::sample::select(vec![1, u32::MAX / 3]),
        ) {
            let mut sweep = Sweep::over(0, 50 * STEP);
            for &(from, length, seats) in &held {
                sweep.add(from * STEP, (from + length) * STEP, seats * times);
            }
            let cuts: Vec<i64> = cuts.into_iter().collect();
            let bin = |step| Bin { step, ..Bin::default() };
            let piece = |two: &[i64]| Piece { from: two[0] * STEP, until: two[1] * STEP, bin: bin(two[0]) };
            // Every third one is of no time.
            let mut pieces: Vec<Piece> = cuts.windows(2).map(piece).collect();
            pieces.iter_mut().skip(1).step_by(3).for_each(|piece| piece.until = piece.from);
            let mut found = Vec::new();
            sums(&mut sweep, &pieces, |bin, sum| {
                found.push((bin, sum.seat_ms, sum.seats_peak, sum.seats_peak_at));
            });
            let in_use = |at: i64| {
                let goes_on = held.iter().filter(|(from, length, _)| *from <= at && at < from + length);
                goes_on.map(|(.., seats)| i64::from(seats * times)).sum::<i64>()
            };
            let mut expected = Vec::new();
            for piece in &pieces {
                let steps = piece.from / STEP..piece.until / STEP;
                let peak = steps.clone().map(in_use).max().unwrap_or(0);
                if let Some(at) = steps.clone().find(|at| in_use(*at) == peak && peak > 0) {
                    let seat_ms = steps.map(|at| i128::from(in_use(at)) * i128::from(STEP)).sum::<i128>();
                    expected.push((piece.bin, seat_ms, peak, at * STEP));
                }
            }
            prop_assert_eq!(&found, &expected);
            let (mut times, mut alone) = (SeatTimes::default(), Vec::new());
            for _ in 0..2 {
                alone.clear();
                times.of(&mut sweep, &pieces, |bin, seat_ms| alone.push((bin, seat_ms)));
            }
            let expected: Vec<_> = expected.into_iter().map(|(bin, seat_ms, ..)| (bin, seat_ms)).collect();
            prop_assert_eq!(alone, expected);
        }
    }
}
