//! The lines that count: what is asked for, given out, refused and brought back.

use crate::text::{number, text, trim_end, trim_start, word};
use accounting::event::{CheckinReason, Claim, DenialReason, Refusal, What};
use memchr::{memchr, memmem, memrchr};
use std::borrow::Cow;

/// The words that begin an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Out,
    In,
    Denied,
    Unsupported,
    Queued,
    Dequeued,
}

/// The mark around what a verbose server adds.
const VERBOSE: &[u8] = b"^^^";

/// The event word with which a message begins, and what follows it.
pub(super) fn split(message: &[u8]) -> Option<(Word, &[u8])> {
    let message = trim_start(message);
    let (word, length) = match message.first()? {
        b'O' if message.starts_with(b"OUT:") => (Word::Out, 4),
        b'I' if message.starts_with(b"IN:") => (Word::In, 3),
        b'D' if message.starts_with(b"DENIED:") => (Word::Denied, 7),
        b'D' if message.starts_with(b"DEQUEUED:") => (Word::Dequeued, 9),
        b'U' if message.starts_with(b"UNSUPPORTED:") => (Word::Unsupported, 12),
        b'Q' if message.starts_with(b"QUEUED:") => (Word::Queued, 7),
        _ => return None,
    };
    Some((word, &message[length..]))
}

/// What an event line says, or why it cannot be read.
pub(super) fn parse(word: Word, rest: &[u8]) -> Result<What<'_>, &'static str> {
    let rest = trim_start(rest);
    let Some(quoted) = rest.strip_prefix(b"\"") else { return super::early::parse(word, rest) };
    let end = memchr(b'"', quoted).ok_or("event whose feature has no end")?;
    let (feature, rest) = (&quoted[..end], &quoted[end + 1..]);
    if feature.is_empty() {
        return Err("event without a feature");
    }
    match word {
        Word::Denied => denied(feature, rest),
        Word::Unsupported => denied(feature, after_key(rest)).map(|what| match what {
            What::Denial(claim, refusal) => {
                What::Denial(claim, Refusal { reason: DenialReason::Unsupported, ..refusal })
            }
            other => other,
        }),
        Word::Out => Ok(What::Checkout(claim(feature, rest)?.0)),
        Word::In => claim(feature, rest).map(|(claim, reason)| What::Checkin(claim, checkin_reason(reason))),
        Word::Queued => Ok(What::Queued(claim(feature, rest)?.0)),
        Word::Dequeued => Ok(What::Dequeued(claim(feature, rest)?.0)),
    }
}

fn checkin_reason(words: &[u8]) -> CheckinReason {
    match words {
        b"SHUTDOWN" => CheckinReason::ServerStopped,
        b"INACTIVE" => CheckinReason::TimedOut,
        _ => CheckinReason::Returned,
    }
}

/// `who  [data] (N licenses) (REASON) ^^^ … ^^^`, read from its end because users hold blanks; the reason is empty
/// where there is none.
fn claim<'a>(feature: &'a [u8], rest: &'a [u8]) -> Result<(Claim<'a>, &'a [u8]), &'static str> {
    let (mut rest, verbose) = cut_verbose(rest);
    let (mut seats, mut data, mut reason) = (None, None, &b""[..]);
    loop {
        rest = trim_end(rest);
        let (open, taken) = match rest.last() {
            Some(b')') => (memrchr(b'(', rest), seats.is_some() && !reason.is_empty()),
            Some(b']') => (memrchr(b'[', rest), data.is_some()),
            _ => break,
        };
        let Some(open) = open else { return Err("closing bracket without an opening one") };
        if taken {
            break;
        }
        let inner = &rest[open + 1..rest.len() - 1];
        if rest[open] == b'[' {
            data = Some(inner);
        } else if let Some(count) = licenses(inner) {
            seats = Some(count);
        } else {
            reason = trim_end(trim_start(inner));
        }
        rest = &rest[..open];
    }
    let mut claim = holder(feature, rest)?;
    claim.seats = seats.unwrap_or(1);
    claim.checkout_data = data.map(text);
    if let Some(verbose) = verbose {
        add_verbose(&mut claim, verbose);
    }
    Ok((claim, reason))
}

/// `who  "version" [data] (N licenses)(words (-4,342:104 "…"))`
fn denied<'a>(feature: &'a [u8], rest: &'a [u8]) -> Result<What<'a>, &'static str> {
    let (rest, verbose) = cut_verbose(rest);
    let mut rest = trim_end(rest);
    let mut code = &b""[..];
    if rest.ends_with(b")") {
        let from = match memmem::rfind(rest, b"(-") {
            Some(at) => {
                code = error_code(&rest[at + 1..]);
                at
            }
            None => rest.len() - 1,
        };
        // A count without a reason is left to the claim.
        if let Some(open) = opening(rest, from)
            && licenses(&rest[open + 1..rest.len() - 1]).is_none()
        {
            rest = trim_end(&rest[..open]);
        }
    }
    let mut version = None;
    let (mut suffix, mut who) = (rest, rest);
    while let Some(b')' | b']') = suffix.last() {
        let open = if suffix.ends_with(b")") { memrchr(b'(', suffix) } else { memrchr(b'[', suffix) };
        let Some(open) = open else { return Err("closing bracket without an opening one") };
        suffix = trim_end(&suffix[..open]);
    }
    if let Some(unquoted) = suffix.strip_suffix(b"\"")
        && let Some(open) = memrchr(b'"', unquoted)
    {
        version = Some(&unquoted[open + 1..]).filter(|version| !version.is_empty());
        who = &suffix[..open];
    }
    let mut claim = if who.len() < rest.len() {
        let (behind, _) = claim_suffix(&rest[suffix.len()..])?;
        Claim { seats: behind.seats, checkout_data: behind.checkout_data, ..holder(feature, who)? }
    } else {
        self::claim(feature, rest)?.0
    };
    claim.version = version.map(text);
    if let Some(verbose) = verbose {
        add_verbose(&mut claim, verbose);
    }
    Ok(What::Denial(claim, Refusal { reason: reason_of(code), code: text(code) }))
}

/// `[data] (N licenses)` alone.
fn claim_suffix(rest: &[u8]) -> Result<(Claim<'_>, &[u8]), &'static str> {
    let mut claim = Claim { seats: 1, ..Claim::default() };
    let mut rest = trim_end(rest);
    while let Some(last) = rest.last() {
        let open = if *last == b')' { memrchr(b'(', rest) } else { memrchr(b'[', rest) };
        let Some(open) = open else { return Err("closing bracket without an opening one") };
        let inner = &rest[open + 1..rest.len() - 1];
        match licenses(inner) {
            Some(count) if *last == b')' => claim.seats = count,
            None if *last == b']' => claim.checkout_data = Some(text(inner)),
            _ => {}
        }
        rest = trim_end(&rest[..open]);
    }
    Ok((claim, rest))
}

/// Where the bracket opens that is still open before `from`.
fn opening(rest: &[u8], from: usize) -> Option<usize> {
    let mut closed = 0;
    for at in (0..from).rev() {
        match rest[at] {
            b')' => closed += 1,
            b'(' if closed == 0 => return Some(at),
            b'(' => closed -= 1,
            _ => {}
        }
    }
    None
}

/// `-4,342` of `-4,342:104 "Connection reset by peer"))`.
fn error_code(rest: &[u8]) -> &[u8] {
    let end = rest.iter().position(|byte| !matches!(byte, b'-' | b',' | b'0'..=b'9')).unwrap_or(rest.len());
    &rest[..end]
}

/// The class of `FlexNet`'s major error number.
fn reason_of(code: &[u8]) -> DenialReason {
    let major = code.strip_prefix(b"-").and_then(|code| number(code.split(|&byte| byte == b',').next()?));
    match major {
        Some(4 | 24 | 35 | 87) => DenialReason::Capacity,
        Some(38 | 39) => DenialReason::OptionsFile,
        Some(21 | 25) => DenialReason::Version,
        Some(10) => DenialReason::Expired,
        Some(5 | 18 | 92) => DenialReason::Unsupported,
        Some(7 | 15 | 16 | 97) => DenialReason::Communication,
        _ => DenialReason::Other,
    }
}

/// The number of `32 licenses`.
fn licenses(inner: &[u8]) -> Option<u32> {
    let (count, rest) = word(inner);
    let (unit, rest) = word(rest);
    if !trim_start(rest).is_empty() || !matches!(unit, b"licenses" | b"license" | b"licences" | b"licence") {
        return None;
    }
    number(count)
}

/// What follows the `(key)` of an UNSUPPORTED line.
fn after_key(rest: &[u8]) -> &[u8] {
    match trim_start(rest).strip_prefix(b"(") {
        Some(key) => memchr(b')', key).map_or(rest, |end| &key[end + 1..]),
        None => rest,
    }
}

/// User and host, cut at the last `@`.
fn holder<'a>(feature: &'a [u8], who: &'a [u8]) -> Result<Claim<'a>, &'static str> {
    let who = trim_end(trim_start(who));
    let hidden = who.starts_with(b"OBF_STRT:").then(|| memmem::find(who, b":END_OBF")).flatten().map(|at| at + 8);
    let (user, host) = match (hidden, memrchr(b'@', who)) {
        (Some(end), at) if at.is_none_or(|at| at < end) => (&who[..end], trim_start(&who[end..])),
        (_, Some(at)) => (&who[..at], &who[at + 1..]),
        (_, None) => return Err("event without user@host"),
    };
    if host.iter().any(|byte| matches!(byte, b'(' | b')' | b'[' | b']' | b'"')) || memmem::find(host, b"  ").is_some() {
        return Err("text after the host that cannot be read");
    }
    Ok(Claim { feature: text(feature), user: text(user), host: text(host), seats: 1, ..Claim::default() })
}

/// Cuts off `^^^ … ^^^`.
fn cut_verbose(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(open) = trim_end(rest).strip_suffix(VERBOSE).and_then(|inner| memmem::find(inner, VERBOSE)) else {
        return (rest, None);
    };
    let trimmed = trim_end(rest);
    (&rest[..open], Some(&trimmed[open + VERBOSE.len()..trimmed.len() - VERBOSE.len()]))
}

/// Takes version and handle from `version user ip pid handle …`; the user's blanks are known from the claim.
fn add_verbose<'a>(claim: &mut Claim<'a>, verbose: &'a [u8]) {
    let (version, rest) = word(verbose);
    let rest = trim_start(rest);
    let rest = match rest.strip_prefix(claim.user.as_bytes()) {
        Some(after) if after.first() == Some(&b' ') => after,
        _ => word(rest).1,
    };
    let (_ip, rest) = word(rest);
    let (_pid, rest) = word(rest);
    let (handle, _) = word(rest);
    let known = |bytes: &'a [u8]| -> Option<Cow<'a, str>> { (!bytes.is_empty()).then(|| text(bytes)) };
    claim.version = claim.version.take().or_else(|| known(version));
    claim.handle = known(handle);
}
