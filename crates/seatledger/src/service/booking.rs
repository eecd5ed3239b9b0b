//! When heartbeats that were accepted are booked. While they are, nobody else is accepted: so all that waits is booked when no
//! heartbeat comes; while some do, as many as cost a hundredth of the time, and more of it the more wait.

use std::time::Duration;

/// How long no heartbeat has come when it is calm.
const CALM: Duration = Duration::from_millis(50);
/// How many are booked in one go when it is calm: who comes then waits for them.
const WHEN_CALM: u64 = 2_048;
/// How long booking shall take while heartbeats come.
const PIECE: Duration = Duration::from_millis(4);
/// From how many waiting on, for how many times as long it rests then: a hundredth of the time is booked, and more the more
/// wait, because whoever reads has to book what is left.
const RESTS: [(u64, u32); 5] = [(500_000, 0), (200_000, 1), (64_000, 3), (16_000, 20), (0, 150)];
/// The least that is booked in one go, and the most.
const LEAST: u64 = 16;
const MOST: u64 = 4_096;

/// What waits, and how long booking takes. Instants are times since any beginning.
#[derive(Debug)]
pub(super) struct Booking {
    /// Heartbeats accepted by this process that are not known to be booked.
    waiting: u64,
    /// When the last one was.
    accepted_at: Duration,
    /// How many are booked in one go while others come, and not before when.
    together: u64,
    rests_until: Duration,
}

impl Booking {
    /// Nothing waits that is known of.
    pub(super) fn new() -> Self {
        Self { waiting: 0, accepted_at: Duration::ZERO, together: LEAST, rests_until: Duration::ZERO }
    }

    /// Heartbeats were accepted.
    pub(super) fn accepted(&mut self, now: Duration, heartbeats: u64) {
        self.waiting += heartbeats;
        self.accepted_at = now;
    }

    /// Whether no heartbeat comes.
    pub(super) fn is_calm(&self, now: Duration) -> bool {
        now.saturating_sub(self.accepted_at) >= CALM
    }

    /// How many shall be booked now, if any.
    pub(super) fn due(&self, now: Duration) -> Option<u64> {
        if self.is_calm(now) {
            return Some(WHEN_CALM);
        }
        (now >= self.rests_until).then_some(self.together)
    }

    /// So many were booked: none if nothing waits any more.
    pub(super) fn booked(&mut self, began: Duration, ended: Duration, heartbeats: u64) {
        self.waiting = if heartbeats == 0 { 0 } else { self.waiting.saturating_sub(heartbeats) };
        let took = ended.saturating_sub(began);
        let rest = RESTS.iter().find(|(waiting, _)| self.waiting >= *waiting).map_or(0, |(_, rest)| *rest);
        self.rests_until = ended + took.max(PIECE / 4) * rest;
        let fits = (u128::from(heartbeats) * PIECE.as_micros() / took.as_micros().max(1)) as u64;
        // Few that were booked say nothing of many.
        if heartbeats > 0 && (fits < self.together || heartbeats >= self.together) {
            self.together = fits.clamp(self.together / 2, self.together * 2).clamp(LEAST, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Booking, CALM, LEAST, WHEN_CALM};
    use std::time::Duration;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn when_nobody_comes_all_is_booked() {
        let mut booking = Booking::new();
        booking.accepted(MS * 1000, 10_000);
        assert_eq!(booking.due(MS * 1000 + CALM), Some(WHEN_CALM));
        booking.booked(MS * 1050, MS * 1080, WHEN_CALM);
        assert_eq!(booking.due(MS * 1080), Some(WHEN_CALM));
    }

    /// The share of the time that booking takes, in thousandths, while so many come in each millisecond, and what waits then.
    /// Each heartbeat costs 20 microseconds, and each transaction a millisecond.
    fn share(each_ms: u64, ms: u32) -> (u128, Booking) {
        let (mut booking, mut now, mut busy) = (Booking::new(), Duration::ZERO, Duration::ZERO);
        while now < MS * ms {
            booking.accepted(now, each_ms);
            if let Some(many) = booking.due(now) {
                let took = MS + Duration::from_micros(20) * many as u32;
                booking.booked(now, now + took, many);
                busy += took;
                now += took;
            }
            now += MS;
        }
        (busy.as_micros() * 1000 / now.as_micros(), booking)
    }

    #[test]
    fn while_few_wait_booking_takes_a_hundredth_of_the_time() {
        let (share, booking) = share(1, 15_000);
        assert!(share <= 10, "{share} thousandths");
        assert!(booking.together > LEAST, "what costs little is done in larger batches");
    }

    #[test]
    fn the_more_wait_the_more_of_the_time_is_booked() {
        let (share, booking) = share(20, 60_000);
        assert!((200..600).contains(&share), "{share} thousandths");
        assert!(booking.waiting < 500_000, "{} wait", booking.waiting);
    }

    #[test]
    fn nothing_waits_where_nothing_was_found() {
        let mut booking = Booking::new();
        booking.accepted(MS, 1_000_000);
        booking.booked(MS, MS * 2, 10);
        assert_eq!(booking.rests_until, MS * 2, "too many wait");
        booking.booked(MS * 2, MS * 3, 0);
        assert_eq!(booking.waiting, 0);
    }
}
