//! When heartbeats that were accepted are booked. While they are, nobody else is accepted: so all that waits is booked when no
//! heartbeat comes; while some do, as many as cost a hundredth of the time; and as fast as can be when too many wait.

use std::time::Duration;

/// How long no heartbeat has come when it is calm.
const CALM: Duration = Duration::from_millis(50);
/// How many are booked in one go when it is calm: who comes then waits for them.
const WHEN_CALM: u64 = 2_048;
/// How long booking shall take while heartbeats come, and for how many times as long it rests then.
const WHILE_BUSY: (Duration, u32) = (Duration::from_millis(4), 150);
/// The least that is booked in one go.
const LEAST: u64 = 16;
/// From how many waiting on they are booked whoever comes, and how many in one go.
const TOO_MANY: (u64, u64) = (500_000, 16_384);

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
        if self.waiting >= TOO_MANY.0 {
            return Some(TOO_MANY.1);
        }
        if self.is_calm(now) {
            return Some(WHEN_CALM);
        }
        (now >= self.rests_until).then_some(self.together)
    }

    /// So many were booked: none if nothing waits any more.
    pub(super) fn booked(&mut self, began: Duration, ended: Duration, heartbeats: u64) {
        self.waiting = if heartbeats == 0 { 0 } else { self.waiting.saturating_sub(heartbeats) };
        let took = ended.saturating_sub(began);
        let (aim, rest) = WHILE_BUSY;
        self.rests_until = ended + took.max(aim / 4) * rest;
        let fits = (u128::from(heartbeats) * aim.as_micros() / took.as_micros().max(1)) as u64;
        // Few that were booked say nothing of many.
        if heartbeats > 0 && (fits < self.together || heartbeats >= self.together) {
            self.together = fits.clamp(self.together / 2, self.together * 2).clamp(LEAST, TOO_MANY.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Booking, CALM, LEAST, TOO_MANY, WHEN_CALM};
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

    #[test]
    fn while_somebody_comes_booking_takes_a_hundredth_of_the_time() {
        let (mut booking, mut now, mut busy) = (Booking::new(), Duration::ZERO, Duration::ZERO);
        // Each heartbeat costs 20 microseconds, and each transaction a millisecond.
        for _ in 0..30_000 {
            booking.accepted(now, 10);
            if let Some(many) = booking.due(now) {
                let took = MS + Duration::from_micros(20) * many as u32;
                booking.booked(now, now + took, many);
                busy += took;
                now += took;
            }
            now += MS;
        }
        assert!(busy * 100 <= now, "{busy:?} of {now:?}");
        assert!(booking.together > LEAST, "what costs little is done in larger batches");
    }

    #[test]
    fn too_many_are_booked_whoever_comes() {
        let mut booking = Booking::new();
        booking.accepted(MS, TOO_MANY.0);
        booking.booked(MS, MS * 2, 10);
        booking.accepted(MS * 2, 10);
        assert_eq!(booking.due(MS * 2), Some(TOO_MANY.1));
        booking.booked(MS * 2, MS * 100, TOO_MANY.1);
        booking.accepted(MS * 100, 10);
        assert_eq!(booking.due(MS * 100), None);
        booking.booked(MS * 100, MS * 101, 0);
        assert_eq!(booking.waiting, 0);
    }
}
