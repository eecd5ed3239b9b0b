//! The lines that count: what is asked for, given out, refused and brought back.

use accounting::event::{CheckinReason, Claim, DenialReason, Refusal, What};
use memchr::{memchr, memmem, memrchr};
use std::borrow::Cow;

/// The words that begin an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Word {
    #[default]
    Out,
    In,
    Denied,
    Unsupported,
    Queued,
    Dequeued,
}

/// The parts of an event line; what is not printed is empty.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said<'a> {
    pub(super) word: Word,
    pub(super) feature: &'a str,
    pub(super) version: &'a str,
    pub(super) user: &'a str,
    pub(super) host: &'a str,
    pub(super) data: &'a str,
    pub(super) handle: &'a str,
    pub(super) seats: u32,
    /// The word in brackets at the end of a checkin.
    pub(super) reason: &'a str,
    /// `-4,342`
    pub(super) code: &'a str,
}

/// The mark around what a verbose server adds.
const VERBOSE: &[u8] = b"^^^";
/// A line cut within its end, or one that no server prints.
const UNOPENED: &str = "closing bracket without an opening one";

/// The event word with which a message begins, and what follows it.
#[inline]
pub(super) fn split(message: &[u8]) -> Option<(Word, &[u8])> {
    let message = crate::text::trim_start(message);
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

/// Cuts an event line in its parts, or says why it cannot be read.
#[inline]
pub(super) fn parse(word: Word, rest: &str) -> Result<Said<'_>, &'static str> {
    let rest = trim_start(rest);
    let Some(quoted) = rest.strip_prefix('"') else { return super::early::parse(word, rest) };
    let end = memchr(b'"', quoted.as_bytes()).ok_or("event whose feature has no end")?;
    let (feature, rest) = (&quoted[..end], &quoted[end + 1..]);
    if feature.is_empty() {
        return Err("event without a feature");
    }
    let mut said = Said { word, feature, seats: 1, ..Said::default() };
    let rest = said.cut_verbose(trim_end(rest));
    let who = match word {
        Word::Denied => said.cut_refusal(rest)?,
        Word::Unsupported => said.cut_refusal(after_key(rest))?,
        Word::Out | Word::In | Word::Queued | Word::Dequeued => rest,
    };
    let who = said.cut_suffixes(who)?;
    said.cut_holder(who)?;
    Ok(said)
}

impl<'a> Said<'a> {
    /// `who  [data] (N licenses) (REASON)`, read from its end because users hold blanks; gives who.
    #[inline]
    fn cut_suffixes(&mut self, rest: &'a str) -> Result<&'a str, &'static str> {
        let mut rest = trim_end(rest);
        loop {
            let bytes = rest.as_bytes();
            let open = match bytes.last() {
                Some(b')') => memrchr(b'(', bytes),
                Some(b']') => memrchr(b'[', bytes),
                Some(b'"') if self.word == Word::Denied || self.word == Word::Unsupported => {
                    memrchr(b'"', &bytes[..bytes.len() - 1])
                }
                _ => return Ok(rest),
            };
            let open = open.ok_or(UNOPENED)?;
            let inner = &rest[open + 1..rest.len() - 1];
            match bytes[open] {
                b'[' => self.data = inner,
                b'"' => self.version = inner,
                _ => match licenses(inner) {
                    Some(seats) => self.seats = seats,
                    None => self.reason = trim(inner),
                },
            }
            rest = trim_end(&rest[..open]);
        }
    }

    /// `…(words (-4,342:104 "…"))`; gives what stands before.
    fn cut_refusal(&mut self, rest: &'a str) -> Result<&'a str, &'static str> {
        let rest = trim_end(rest);
        let bytes = rest.as_bytes();
        if !bytes.ends_with(b")") {
            return Ok(rest);
        }
        let mut from = bytes.len() - 1;
        if let Some(at) = memmem::rfind(bytes, b"(-") {
            self.code = error_code(&rest[at + 1..]);
            from = at;
        }
        let open = opening(bytes, from).ok_or(UNOPENED)?;
        // A count without a reason is a suffix.
        let counts = licenses(&rest[open + 1..rest.len() - 1]).is_some();
        Ok(if counts { rest } else { trim_end(&rest[..open]) })
    }

    /// User and host, cut at the last `@`.
    #[inline]
    fn cut_holder(&mut self, who: &'a str) -> Result<(), &'static str> {
        let who = trim(who);
        let at = memrchr(b'@', who.as_bytes());
        let hidden = who.starts_with("OBF_STRT:").then(|| who.find(":END_OBF")).flatten().map(|end| end + 8);
        (self.user, self.host) = match (hidden, at) {
            (Some(end), at) if at.is_none_or(|at| at < end) => (&who[..end], trim_start(&who[end..])),
            (_, Some(at)) => (&who[..at], &who[at + 1..]),
            (_, None) => return Err("event without user@host"),
        };
        let host = self.host.as_bytes();
        let odd = |byte: u8| matches!(byte, b'(' | b')' | b'[' | b']' | b'"');
        // Without an early end, so that the compiler can look at many bytes at once.
        let any = host.iter().fold(false, |found, &byte| found | (odd(byte) || byte == b' '));
        if any && (host.iter().any(|&byte| odd(byte)) || self.host.contains("  ")) {
            return Err("text after the host that cannot be read");
        }
        // The user's blanks are known only now: `version user ip pid handle …`.
        if !self.handle.is_empty() {
            let after =
                trim_start(self.handle).strip_prefix(self.user).filter(|after| after.starts_with(' '));
            let after = after.unwrap_or_else(|| word(self.handle).1);
            self.handle = word(word(word(after).1).1).0;
        }
        Ok(())
    }

    /// Cuts off `^^^ … ^^^`.
    #[inline]
    fn cut_verbose(&mut self, rest: &'a str) -> &'a str {
        let Some(inner) = rest.as_bytes().strip_suffix(VERBOSE) else { return rest };
        let Some(open) = memmem::find(inner, VERBOSE) else { return rest };
        (self.version, self.handle) = word(&rest[open + VERBOSE.len()..inner.len()]);
        &rest[..open]
    }

    /// What happened, its texts made by `text`.
    #[inline]
    pub(super) fn what<'b>(&self, text: impl Fn(&'a str) -> Cow<'b, str>) -> What<'b> {
        let printed = |part: &'a str| if part.is_empty() { None } else { Some(text(part)) };
        let claim = Claim {
            feature: text(self.feature),
            version: printed(self.version),
            user: text(self.user),
            host: text(self.host),
            display: None,
            checkout_data: printed(self.data),
            handle: printed(self.handle),
            seats: self.seats,
        };
        match self.word {
            Word::Out => What::Checkout(claim),
            Word::In => What::Checkin(claim, self.checkin_reason()),
            Word::Queued => What::Queued(claim),
            Word::Dequeued => What::Dequeued(claim),
            Word::Denied => {
                What::Denial(claim, Refusal { reason: reason_of(self.code), code: text(self.code) })
            }
            Word::Unsupported => {
                What::Denial(claim, Refusal { reason: DenialReason::Unsupported, code: text(self.code) })
            }
        }
    }

    /// Why the seats of a checkin came back.
    pub(super) fn checkin_reason(&self) -> CheckinReason {
        match self.reason {
            "SHUTDOWN" => CheckinReason::ServerStopped,
            "INACTIVE" => CheckinReason::TimedOut,
            _ => CheckinReason::Returned,
        }
    }
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
fn error_code(rest: &str) -> &str {
    let end = rest.bytes().position(|byte| !matches!(byte, b'-' | b',' | b'0'..=b'9')).unwrap_or(rest.len());
    &rest[..end]
}

/// The class of `FlexNet`'s major error number.
fn reason_of(code: &str) -> DenialReason {
    let major = code.strip_prefix('-').and_then(|code| code.split(',').next());
    match major.and_then(|major| crate::text::number(major.as_bytes())) {
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
#[inline]
pub(super) fn licenses(inner: &str) -> Option<u32> {
    let (count, unit) = word(inner);
    match trim(unit) {
        "licenses" | "license" | "licences" | "licence" => crate::text::number(count.as_bytes()),
        _ => None,
    }
}

/// What follows the `(key)` of an UNSUPPORTED line.
fn after_key(rest: &str) -> &str {
    match trim_start(rest).strip_prefix('(') {
        Some(key) => memchr(b')', key.as_bytes()).map_or(rest, |end| &key[end + 1..]),
        None => rest,
    }
}

/// Without blanks and tabs before it.
#[inline]
pub(super) fn trim_start(text: &str) -> &str {
    &text[text.len() - crate::text::trim_start(text.as_bytes()).len()..]
}

/// Without blanks and tabs after it.
#[inline]
pub(super) fn trim_end(text: &str) -> &str {
    &text[..crate::text::trim_end(text.as_bytes()).len()]
}

fn trim(text: &str) -> &str {
    trim_start(trim_end(text))
}

/// The first word and what follows it.
#[inline]
pub(super) fn word(text: &str) -> (&str, &str) {
    let text = trim_start(text);
    text.split_at(text.bytes().position(crate::text::is_blank).unwrap_or(text.len()))
}
