//! What a site tells of days to come. It would be in force until then, and its evidence would keep open whatever else is open
//! at its license server; so it is quarantined, line by line. The rest of the part counts.

use crate::intake::{Batch, Quarantined, TotalEvent, UsedEvent};
use accounting::UnixMs;

/// How far the clock of a license server may be ahead of the central service's, in milliseconds: a zone that was not set is
/// less.
const AHEAD_MS: i64 = DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// What stands in the quarantine in the place of lines, which a part does not hold.
const SHAPE: &str = "(told by a site)";
const REASON: &str = "of a day to come: is the clock there right?";

/// Whether an instant that is told at `now` is of a day to come.
pub(super) fn lies_ahead(at: UnixMs, now: UnixMs) -> bool {
    at > now + AHEAD_MS
}

/// Takes out of a batch, which comes at `now`, what lies ahead.
pub(super) fn keep_out(batch: &mut Batch, now: UnixMs) {
    let mut ahead = Ahead { last: now + AHEAD_MS, latest: None, lines: 0, first_at: None };
    ahead.keep(&mut batch.events, |event| event.step.at());
    ahead.keep(&mut batch.requests, |request| request.at);
    ahead.keep(&mut batch.breaks, |event| event.at);
    ahead.keep(&mut batch.polls, |poll| poll.at);
    ahead.keep(&mut batch.shown, |shown| shown.at.max(shown.since));
    ahead.keep(&mut batch.used, latest_of_use);
    ahead.keep(&mut batch.seats, |seats| seats.at);
    ahead.keep(&mut batch.expiries, |expiry| expiry.at);
    ahead.keep(&mut batch.totals, start_of_total);
    batch.spans.retain_mut(|span| {
        if span.until > ahead.last {
            ahead.first_at.get_or_insert(span.until);
            // Until then lines were read that are believed.
            span.until = ahead.latest.unwrap_or(span.from).max(span.from);
        }
        span.from <= ahead.last
    });
    if let Some(at) = ahead.first_at {
        batch.quarantined.push(Quarantined {
            shape: SHAPE.to_owned(),
            reason: REASON.to_owned(),
            lines: ahead.lines.max(1),
            first_line: 0,
            sample: jiff::Timestamp::from_millisecond(at).map(|at| at.to_string()).unwrap_or_default(),
        });
    }
    // What was kept out is not there to be taken back.
    let mut back = Ahead { lines: 0, ..ahead };
    back.keep(&mut batch.retracted, |event| event.step.at());
    back.keep(&mut batch.retracted_requests, |request| request.at);
    back.keep(&mut batch.retracted_shown, |shown| shown.at.max(shown.since));
    back.keep(&mut batch.retracted_used, latest_of_use);
    back.keep(&mut batch.retracted_totals, start_of_total);
}

fn latest_of_use(used: &UsedEvent) -> UnixMs {
    used.until.max(used.from).max(used.awaited_until.unwrap_or(used.from))
}

/// In UTC: a zone is less than what is tolerated.
fn start_of_total(total: &TotalEvent) -> UnixMs {
    i64::from(total.day.0) * DAY_MS
}

/// What is found to lie ahead.
struct Ahead {
    /// The last instant that is believed.
    last: UnixMs,
    /// The latest one that was found and is believed.
    latest: Option<UnixMs>,
    /// How many lines lie ahead, and the first instant of one.
    lines: u64,
    first_at: Option<UnixMs>,
}

impl Ahead {
    fn keep<T>(&mut self, rows: &mut Vec<T>, at: impl Fn(&T) -> UnixMs) {
        rows.retain(|row| {
            let at = at(row);
            let is_believed = at <= self.last;
            if is_believed {
                self.latest = self.latest.max(Some(at));
            } else {
                self.lines += 1;
                self.first_at.get_or_insert(at);
            }
            is_believed
        });
    }
}
