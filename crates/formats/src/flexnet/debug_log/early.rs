//! Events as servers before version 6 wrote them: `OUT: feature by user@host`.

use super::event::{Said, Word, trim_end, trim_start, word};
use crate::text::number;
use memchr::memrchr;

const UNREAD: &str = "event without a quoted feature";

/// Cuts an event line of the old form in its parts, or says why it cannot be read.
#[cold]
pub(super) fn parse(form: Word, rest: &str) -> Result<Said<'_>, &'static str> {
    match form {
        Word::Unsupported => Err(UNREAD),
        Word::Denied => denied(rest),
        form => claim(form, rest),
    }
}

/// `IN server died: feature by user@host …`: a session whose server was lost has ended.
#[cold]
pub(super) fn server_died(rest: &str) -> Result<Said<'_>, &'static str> {
    claim(Word::In, rest).map(|said| Said { reason: "SHUTDOWN", ..said })
}

/// `feature by user@host (N licenses) (used: d:hh:mm:ss)`
fn claim(form: Word, rest: &str) -> Result<Said<'_>, &'static str> {
    let (feature, rest) = word(rest);
    let (by, rest) = word(rest);
    if by != "by" {
        return Err(UNREAD);
    }
    let mut seats = 1;
    let mut who = trim_end(rest);
    while who.ends_with(')') {
        let Some(open) = memrchr(b'(', who.as_bytes()) else {
            return Err("closing bracket without an opening one");
        };
        seats = super::event::licenses(&who[open + 1..who.len() - 1]).unwrap_or(seats);
        who = trim_end(&who[..open]);
    }
    holder(Said { word: form, feature, seats, ..Said::default() }, who)
}

/// `N feature to user (mm/dd/yy hh:mm)`; the number is missing in some.
fn denied(rest: &str) -> Result<Said<'_>, &'static str> {
    let (first, after) = word(rest);
    let (seats, rest) = number(first.as_bytes()).map_or((1, rest), |seats| (seats, after));
    let (feature, rest) = word(rest);
    let (to, rest) = word(rest);
    if to != "to" {
        return Err(UNREAD);
    }
    let mut who = trim_end(rest);
    if who.ends_with(')') {
        who = memrchr(b'(', who.as_bytes()).map_or(who, |open| trim_end(&who[..open]));
    }
    holder(Said { word: Word::Denied, feature, seats, ..Said::default() }, who)
}

fn holder<'a>(said: Said<'a>, who: &'a str) -> Result<Said<'a>, &'static str> {
    let who = trim_start(who);
    if said.feature.is_empty() || who.is_empty() {
        return Err(UNREAD);
    }
    let (user, host) = match memrchr(b'@', who.as_bytes()) {
        Some(at) => (&who[..at], &who[at + 1..]),
        None => (who, ""),
    };
    Ok(Said { user, host, ..said })
}
