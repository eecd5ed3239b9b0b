//! What a message of a debug log says.

use crate::text::{is_blank, number, text, trim, trim_end, trim_start, word};
use accounting::event::{CheckinReason, Claim};
use memchr::{memchr, memmem, memrchr};
use std::borrow::Cow;

/// A message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Out(Claim<'a>),
    In(Claim<'a>, CheckinReason),
    /// Its reason stands on the next line.
    Denied(Claim<'a>),
    /// The ISV's server has started.
    Started,
    /// The ISV's server stops.
    Stopped,
    /// No word at all, as before the lines with which a server starts.
    Nothing,
    /// Nothing that matters.
    Other,
}

/// Whether a text continues the line before it.
pub(super) fn is_continued(words: &[u8]) -> bool {
    words.first().is_some_and(|&byte| is_blank(byte)) && !trim(words).is_empty()
}

/// What a message says.
pub(super) fn says(message: &[u8]) -> Result<Said<'_>, &'static str> {
    let message = trim(message);
    let (first, rest) = word(message);
    let rest = trim_start(rest);
    match first {
        b"" => Ok(Said::Nothing),
        b"OUT:" => product(rest, b" by ").map(Said::Out).ok_or("checkout that breaks off"),
        b"IN:" => {
            let (why, rest) = bracketed(rest);
            let claim = product(rest, b" by ").ok_or("checkin that breaks off")?;
            Ok(Said::In(claim, reason(why)))
        }
        b"DENIED:" => {
            let (count, rest) = bracketed(rest);
            let claim = product(rest, b" to ").ok_or("denial that breaks off")?;
            Ok(Said::Denied(Claim { seats: number(count).unwrap_or(claim.seats), ..claim }))
        }
        _ if message.starts_with(b"Server started on ") => Ok(Said::Started),
        _ if message.starts_with(b"Shutdown request ") => Ok(Said::Stopped),
        _ => Ok(Said::Other),
    }
}

/// The name of the host in `Server started on HOST (hostid: …) for:`.
pub(super) fn host(message: &[u8]) -> Option<&[u8]> {
    let rest = trim(message).strip_prefix(b"Server started on ")?;
    Some(word(rest).0).filter(|host| !host.is_empty())
}

/// `(words) rest`; no words where there are no brackets.
fn bracketed(text: &[u8]) -> (&[u8], &[u8]) {
    match text.strip_prefix(b"(").and_then(|inside| Some((inside, memchr(b')', inside)?))) {
        Some((inside, end)) => (&inside[..end], trim_start(&inside[end + 1..])),
        None => (&[], text),
    }
}

fn reason(words: &[u8]) -> CheckinReason {
    if words.starts_with(b"timed out") || memmem::find(words, b"heartbeat").is_some() {
        CheckinReason::TimedOut
    } else if words.starts_with(b"failed ") && words.ends_with(b" back up") {
        CheckinReason::ServerStopped
    } else {
        CheckinReason::Returned
    }
}

/// `product v1.0 by user@host data (N licenses)`: product and user may hold blanks.
fn product<'a>(text_of: &'a [u8], by: &[u8]) -> Option<Claim<'a>> {
    let (feature, version, rest) = memmem::find_iter(text_of, by).find_map(|at| {
        let before = trim_end(&text_of[..at]);
        let version = memrchr(b' ', before).map(|blank| &before[blank + 1..])?;
        let number = version.strip_prefix(b"v").filter(|number| !number.is_empty())?;
        let feature = trim(&before[..before.len() - version.len()]);
        (!feature.is_empty()).then_some((feature, number, &text_of[at + by.len()..]))
    })?;
    let name_end = memchr(b'@', rest)?;
    let end =
        name_end + rest[name_end..].iter().position(|&byte| is_blank(byte)).unwrap_or(rest.len() - name_end);
    let at = memrchr(b'@', &rest[..end])?;
    let (data, seats) = seats(trim(&rest[end..]));
    Some(Claim {
        feature: text(feature),
        version: Some(text(version)),
        user: text(trim(&rest[..at])),
        host: text(&rest[at + 1..end]),
        checkout_data: Some(text(data)).filter(|data: &Cow<'_, str>| !data.is_empty()),
        seats,
        ..Claim::default()
    })
}

/// `data (N licenses)`: one seat where no number is printed.
fn seats(rest: &[u8]) -> (&[u8], u32) {
    let found =
        rest.strip_suffix(b" licenses)").or_else(|| rest.strip_suffix(b" license)")).and_then(|before| {
            let bracket = memrchr(b'(', before)?;
            Some((trim_end(&before[..bracket]), number(&before[bracket + 1..])?))
        });
    found.unwrap_or((rest, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(message: &str, expected: &Expect) {
        let claimed = |claim: &Claim<'_>| {
            let Claim { feature, version, user, host, checkout_data, seats, .. } = claim;
            format!("{seats} of {feature}|{version:?}|{user}|{host}|{checkout_data:?}")
        };
        let said = match says(message.as_bytes()) {
            Ok(Said::Out(claim)) => format!("out {}", claimed(&claim)),
            Ok(Said::In(claim, reason)) => format!("in {} {reason:?}", claimed(&claim)),
            Ok(Said::Denied(claim)) => format!("denied {}", claimed(&claim)),
            other => format!("{other:?}"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn messages() {
        check(
            "OUT: solver v2.09 by amara@ws-07 ",
            &expect![[r#"out 1 of solver|Some("2.09")|amara|ws-07|None"#]],
        );
        check(
            "OUT: solver v13.0 by Amara B@ws-07 some data (14 licenses)",
            &expect![[r#"out 14 of solver|Some("13.0")|Amara B|ws-07|Some("some data")"#]],
        );
        check(
            "IN: (timed out) solver v3.02 by a@b@ws-07",
            &expect![[r#"in 1 of solver|Some("3.02")|a@b|ws-07|None TimedOut"#]],
        );
        check(
            "IN: (failed server back up) solver v3.02 by amara@ws-07",
            &expect![[r#"in 1 of solver|Some("3.02")|amara|ws-07|None ServerStopped"#]],
        );
        check(
            "DENIED: (2) no good 1 v3.03 to amara@ws-07",
            &expect![[r#"denied 2 of no good 1|Some("3.03")|amara|ws-07|None"#]],
        );
        check("DENIED: (2) no good", &expect![[r#"Err("denial that breaks off")"#]]);
        check("Server started on lic1 (hostid: 00) for:", &expect!["Ok(Started)"]);
        check("Shutdown request by amara@ws-07", &expect!["Ok(Stopped)"]);
        check("==== Reread request by automatic@midnight ====", &expect!["Ok(Other)"]);
    }
}
