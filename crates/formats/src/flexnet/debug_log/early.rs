//! Events as servers before version 6 wrote them: `OUT: feature by user@host`.

use super::event::Word;
use crate::text::{number, text, trim_end, trim_start, word};
use accounting::event::{CheckinReason, Claim, DenialReason, Refusal, What};
use memchr::memrchr;
use std::borrow::Cow;

const UNREAD: &str = "event without a quoted feature";

/// What an event line of the old form says, or why it cannot be read.
pub(super) fn parse(form: Word, rest: &[u8]) -> Result<What<'_>, &'static str> {
    match form {
        Word::Out => Ok(What::Checkout(claim(rest)?)),
        Word::In => Ok(What::Checkin(claim(rest)?, CheckinReason::Returned)),
        Word::Denied => denied(rest),
        Word::Queued => Ok(What::Queued(claim(rest)?)),
        Word::Dequeued => Ok(What::Dequeued(claim(rest)?)),
        Word::Unsupported => Err(UNREAD),
    }
}

/// `server died: feature by user@host …`, the end of a session whose server was lost.
pub(super) fn server_died(rest: &[u8]) -> Result<What<'_>, &'static str> {
    Ok(What::Checkin(claim(rest)?, CheckinReason::ServerStopped))
}

/// `feature by user@host (N licenses) (used: d:hh:mm:ss)`
fn claim(rest: &[u8]) -> Result<Claim<'_>, &'static str> {
    let (feature, rest) = word(rest);
    let (by, rest) = word(rest);
    if by != b"by" {
        return Err(UNREAD);
    }
    let mut seats = 1;
    let mut who = trim_end(rest);
    while who.ends_with(b")") {
        let Some(open) = memrchr(b'(', who) else { return Err("closing bracket without an opening one") };
        let (count, unit) = word(&who[open + 1..who.len() - 1]);
        if let (Some(count), b"license" | b"licenses") = (number(count), trim_start(unit)) {
            seats = count;
        }
        who = trim_end(&who[..open]);
    }
    holder(feature, who, seats)
}

/// `N feature to user (mm/dd/yy hh:mm)`; the number is missing in some.
fn denied(rest: &[u8]) -> Result<What<'_>, &'static str> {
    let (first, after) = word(rest);
    let (seats, rest) = number(first).map_or((1, rest), |seats| (seats, after));
    let (feature, rest) = word(rest);
    let (to, rest) = word(rest);
    if to != b"to" {
        return Err(UNREAD);
    }
    let mut who = trim_end(rest);
    if who.ends_with(b")") {
        who = memrchr(b'(', who).map_or(who, |open| trim_end(&who[..open]));
    }
    let refusal = Refusal { reason: DenialReason::Other, code: Cow::Borrowed("") };
    Ok(What::Denial(holder(feature, who, seats)?, refusal))
}

fn holder<'a>(feature: &'a [u8], who: &'a [u8], seats: u32) -> Result<Claim<'a>, &'static str> {
    let who = trim_start(who);
    if feature.is_empty() || who.is_empty() {
        return Err(UNREAD);
    }
    let (user, host) = match memrchr(b'@', who) {
        Some(at) => (&who[..at], &who[at + 1..]),
        None => (who, &b""[..]),
    };
    Ok(Claim { feature: text(feature), user: text(user), host: text(host), seats, ..Claim::default() })
}
