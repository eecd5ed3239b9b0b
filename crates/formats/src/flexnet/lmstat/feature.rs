//! What lmstat says of a feature before it lists its holders.

use super::head::is_communication;
use crate::text::{number, trim, trim_start, word};
use memchr::{memchr, memchr_iter, memmem};

/// A line `Users of NAME:  (…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Users<'a> {
    pub(super) name: &'a [u8],
    pub(super) said: Said,
}

/// What follows the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// `(Total of 6 licenses issued;  Total of 2 licenses in use)`
    Total { issued: u32, in_use: u32 },
    /// `(Uncounted, node-locked)`
    Uncounted,
    /// `(Error: 1 licenses, unsupported by licensed server)`, or that its users cannot be had: nothing is given out.
    Unsupported,
    /// Its daemon did not answer.
    NoAnswer,
    /// Nothing that is known.
    Unknown,
}

/// Cuts what follows `Users of `. The name is all up to a colon with a bracket behind it: it may hold blanks and
/// colons.
pub(super) fn parse(rest: &[u8]) -> Option<Users<'_>> {
    let colon = memchr_iter(b':', rest)
        .find(|&at| trim_start(&rest[at + 1..]).starts_with(b"("))
        .or_else(|| memchr(b':', rest))?;
    let name = trim(&rest[..colon]);
    let said = said(trim(&rest[colon + 1..]));
    (!name.is_empty()).then_some(Users { name, said })
}

fn said(rest: &[u8]) -> Said {
    let Some(inner) = rest.strip_prefix(b"(") else { return unbracketed(rest) };
    if inner.starts_with(b"Uncounted") {
        Said::Uncounted
    } else if inner.starts_with(b"Error") {
        Said::Unsupported
    } else {
        totals(inner).unwrap_or(Said::Unknown)
    }
}

fn unbracketed(rest: &[u8]) -> Said {
    if rest == b"None" {
        Said::Uncounted
    } else if rest.starts_with(b"Cannot") {
        if is_communication(rest) { Said::NoAnswer } else { Said::Unsupported }
    } else {
        Said::Unknown
    }
}

/// `Total of 6 licenses issued;  Total of 2 licenses in use)`
fn totals(inner: &[u8]) -> Option<Said> {
    let semicolon = memchr(b';', inner)?;
    let issued = total(&inner[..semicolon], b"issued")?;
    let in_use = total(inner[semicolon + 1..].strip_suffix(b")")?, b"in use")?;
    Some(Said::Total { issued, in_use })
}

fn total(text: &[u8], end: &[u8]) -> Option<u32> {
    let rest = trim(text).strip_prefix(b"Total of ")?.strip_suffix(end)?;
    let (count, unit) = word(rest);
    if trim(unit).starts_with(b"license") { number(count) } else { None }
}

/// A pool's line `"NAME" v31.0, vendor: acmed, expiry: 1-jan-0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pool<'a> {
    pub(super) version: &'a [u8],
    pub(super) vendor: &'a [u8],
    /// When its seats expire, where that is told.
    pub(super) expiry: Option<&'a [u8]>,
}

/// Cuts a pool's line.
pub(super) fn pool(text: &[u8]) -> Option<Pool<'_>> {
    const NAMED: &[u8] = b"\" v";
    const VENDOR: &[u8] = b", vendor: ";
    let quoted = text.strip_prefix(b"\"")?;
    let rest = &quoted[memmem::find(quoted, NAMED)? + NAMED.len()..];
    let at = memmem::find(rest, VENDOR)?;
    let (version, rest) = (trim(&rest[..at]), &rest[at + VENDOR.len()..]);
    let comma = memchr(b',', rest).unwrap_or(rest.len());
    let (vendor, rest) = (trim(&rest[..comma]), trim(rest[comma..].strip_prefix(b",").unwrap_or_default()));
    let expiry = rest.strip_prefix(b"expiry:").map(trim);
    (!vendor.is_empty()).then_some(Pool { version, vendor, expiry })
}

/// The seats of `48 RESERVATIONs for GROUP staff (lic1/27000)`.
pub(super) fn reserved(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (count, rest) = word(text);
    let (what, rest) = word(rest);
    let fits = matches!(what, b"RESERVATION" | b"RESERVATIONs" | b"RESERVATIONS") && word(rest).0 == b"for";
    if fits { number(count) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(rest: &str, expected: &Expect) {
        let said = parse(rest.as_bytes())
            .map_or("none".to_owned(), |users| format!("{} {:?}", crate::text::text(users.name), users.said));
        expected.assert_eq(&said);
    }

    #[test]
    fn totals_in_every_number() {
        check(
            "a:  (Total of 6 licenses issued;  Total of 2 licenses in use)",
            &expect!["a Total { issued: 6, in_use: 2 }"],
        );
        check(
            "a:  (Total of 1 license issued;  Total of 0 licenses in use)",
            &expect!["a Total { issued: 1, in_use: 0 }"],
        );
        check(
            "a:   (Total of 2 licenses issued; Total of 1 license in use)",
            &expect!["a Total { issued: 2, in_use: 1 }"],
        );
        check("a:  (Total of many licenses issued;  Total of 0 licenses in use)", &expect!["a Unknown"]);
        check("a:  (Total of 6 licenses issued;  Total of 2 lic", &expect!["a Unknown"]);
    }

    #[test]
    fn names_hold_anything() {
        let rest = ":  (Uncounted, node-locked)";
        for name in ["A/B+c-d.e", "c++", "two words", "a:b"] {
            let line = format!("{name}{rest}");
            assert_eq!(parse(line.as_bytes()), Some(Users { name: name.as_bytes(), said: Said::Uncounted }));
        }
        check(":  (Uncounted, node-locked)", &expect!["none"]);
        check("a", &expect!["none"]);
    }

    #[test]
    fn what_is_no_total() {
        check("a:  (Error: 1 licenses, unsupported by licensed server)", &expect!["a Unsupported"]);
        check("a: Cannot get users of a: No such feature exists. (-5,222)", &expect!["a Unsupported"]);
        check("a: Cannot get users of a: No socket connection. (-7,10015)", &expect!["a NoAnswer"]);
        check("a: None", &expect!["a Uncounted"]);
    }

    #[test]
    fn pools_and_reservations() {
        let told = |text: &str| {
            let Pool { version, vendor, expiry } = pool(text.as_bytes())?;
            let [version, vendor, expiry] = [version, vendor, expiry.unwrap_or(b"-")]
                .map(|text| String::from_utf8_lossy(text).into_owned());
            Some(format!("{version} {vendor} {expiry}"))
        };
        assert_eq!(told("\"a/b\" v31.0, vendor: acmed").as_deref(), Some("31.0 acmed -"));
        assert_eq!(
            told("\"a\" v1, vendor: acmed, expiry: permanent(no expiration date)").as_deref(),
            Some("1 acmed permanent(no expiration date)")
        );
        assert_eq!(
            told("\"a\" v1, vendor: acmed , expiry: 1-dec-2026").as_deref(),
            Some("1 acmed 1-dec-2026")
        );
        assert_eq!(told("\"amara\" ws-07 ws-07 (v1.0) (lic1/27000 1), start Mon 9/24 5:34"), None);
        assert_eq!(reserved(b"1 RESERVATION for HOST ws-07 (lic1/27000)"), Some(1));
        assert_eq!(reserved(b"48 RESERVATIONs for GROUP staff (lic1/27000)"), Some(48));
        assert_eq!(reserved(b"48 ws-07 ws-07 (v1.0) (lic1/27000 1), start Mon 9/24 5:34"), None);
    }
}
