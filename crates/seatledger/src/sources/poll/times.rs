//! When a source polls: at even times, so that a day of polls takes no more room in the ledger than one, and each source at
//! a place of its own.

use accounting::UnixMs;
use std::time::Duration;

/// First polls are spread over so much time when all sources begin at once.
const SPREAD: Duration = Duration::from_secs(2);
/// Who is woken no later than this polls at the instant at which it was due.
const LATE_MS: i64 = 500;

/// The times of one source's polls.
pub(super) struct Times {
    due: UnixMs,
    interval_ms: i64,
    /// By how much all polls but the first come later or earlier, until it was done.
    shift_ms: i64,
}

impl Times {
    pub(super) fn new(now: UnixMs, interval: Duration, jitter: Duration) -> Self {
        Self::with(now, interval, jitter, &part_of)
    }

    fn with(
        now: UnixMs,
        interval: Duration,
        jitter: Duration,
        part_of: &dyn Fn(Duration) -> Duration,
    ) -> Self {
        let ms = |time: Duration| time.as_millis() as i64;
        Self {
            due: now + ms(part_of(SPREAD.min(interval / 2))),
            interval_ms: ms(interval).max(1),
            shift_ms: ms(part_of(jitter)) - ms(jitter / 2),
        }
    }

    /// How long to wait for the next poll. A clock that was set back delays none by more than an interval or two.
    pub(super) fn wait(&self, now: UnixMs) -> Duration {
        Duration::from_millis((self.due - now).clamp(0, 2 * self.interval_ms) as u64)
    }

    /// The instant of the poll that begins now. The next one is due at the next even time that has not passed.
    pub(super) fn begin(&mut self, now: UnixMs) -> UnixMs {
        let late = now - self.due;
        let on_time = (-LATE_MS..=LATE_MS).contains(&late);
        let at = if on_time { self.due } else { now };
        let missed = if on_time { 0 } else { late.div_euclid(self.interval_ms) };
        self.due += (missed + 1) * self.interval_ms + std::mem::take(&mut self.shift_ms);
        at
    }
}

/// A random part of a time.
fn part_of(time: Duration) -> Duration {
    let mut random = [0; 4];
    // Without randomness sources poll at the same time, which is no harm.
    let _ = getrandom::fill(&mut random);
    time.mul_f64(f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::Times;
    use std::time::Duration;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn times(jitter: u64) -> Times {
        Times::with(1_000_000, INTERVAL, Duration::from_secs(jitter), &|time| time / 4)
    }

    #[test]
    fn polls_come_at_even_times_whenever_the_thread_is_woken() {
        let mut times = times(4);
        assert_eq!(times.wait(1_000_000), Duration::from_millis(500));
        let woken = [1_000_501, 1_029_500, 1_059_733, 1_089_500];
        let polled: Vec<i64> = woken.iter().map(|now| times.begin(*now)).collect();
        // A second earlier than half an interval away: its place within the jitter.
        assert_eq!(polled, [1_000_500, 1_029_500, 1_059_500, 1_089_500]);
        assert_eq!(times.wait(1_090_000), Duration::from_millis(29_500));
    }

    #[test]
    fn a_poll_that_took_long_leaves_out_those_that_were_due_meanwhile() {
        let mut times = times(0);
        assert_eq!(times.begin(1_000_500), 1_000_500);
        // The one before it ended 65 s later.
        assert_eq!(times.wait(1_065_500), Duration::ZERO);
        assert_eq!(times.begin(1_065_500), 1_065_500);
        assert_eq!(times.begin(1_090_500), 1_090_500);
    }

    #[test]
    fn a_clock_that_was_set_delays_no_poll_for_long() {
        let mut times = times(0);
        assert_eq!(times.wait(0), 2 * INTERVAL);
        assert_eq!(times.begin(60_000), 60_000);
        assert!(times.wait(60_000) <= 2 * INTERVAL);
        assert_eq!(times.begin(9_000_000), 9_000_000);
        assert!(times.wait(9_000_000) <= INTERVAL);
    }
}
