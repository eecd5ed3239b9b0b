//! The table of `lmstat -i`: which seats expire when. The line of a pool in use tells its date, too.

use crate::text::{number, text, trim, trim_end, word};
use accounting::event::{Expires, Expiry};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Where the table's last two columns stand: their order changed over the years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Columns {
    vendor_first: bool,
}

impl Columns {
    /// The columns of `Feature  Version  #licenses  Vendor  Expires`.
    pub(super) fn of_header(line: &[u8]) -> Option<Self> {
        let found = |name: &[u8]| memmem::find(line, name);
        let begins =
            line.starts_with(b"Feature") && found(b"Version").is_some() && found(b"licenses").is_some();
        match (found(b"Vendor"), found(b"Expires")) {
            (Some(vendor), Some(expires)) if begins => Some(Self { vendor_first: vendor < expires }),
            _ => None,
        }
    }
}

/// Cuts a row of the table: the vendor, and what expires.
pub(super) fn parse(line: &[u8], columns: Columns) -> Option<(Cow<'_, str>, Expiry<'_>)> {
    let (feature, rest) = word(line);
    let (version, rest) = word(rest);
    let (count, rest) = word(rest);
    let rest = trim(rest);
    let seats = match count {
        b"uncounted" => None,
        // A license file counts nothing where it says 0.
        count => Some(number(count)?).filter(|seats| *seats > 0),
    };
    let (vendor, date) = if columns.vendor_first {
        word(rest)
    } else {
        // A date can hold blanks: `permanent(no expiration date)`.
        let from = rest.iter().rposition(|&byte| crate::text::is_blank(byte)).map_or(rest.len(), |at| at + 1);
        (&rest[from..], trim_end(&rest[..from]))
    };
    if version.is_empty() || rest.is_empty() {
        return None;
    }
    let expiry =
        Expiry { feature: text(feature), version: text(version), seats, expires: expires(trim(date)) };
    Some((text(vendor), expiry))
}

/// `31-dec-2018`; the year 0 and `permanent` mean never. What is no date was mistyped in the license file.
pub(super) fn expires(date: &[u8]) -> Expires {
    const NEVER: &[u8] = b"permanent";
    if date.get(..NEVER.len()).is_some_and(|word| word.eq_ignore_ascii_case(NEVER)) {
        return Expires::Never;
    }
    day(date).unwrap_or(Expires::Unknown)
}

fn day(date: &[u8]) -> Option<Expires> {
    let mut parts = date.splitn(3, |&byte| byte == b'-');
    let (of_month, month, year) = (number(parts.next()?)?, parts.next()?, parts.next()?);
    let [first, second, third] = <[u8; 3]>::try_from(month).ok()?;
    let month = [first.to_ascii_uppercase(), second.to_ascii_lowercase(), third.to_ascii_lowercase()];
    let (month, year) = (crate::text::month(&month)?, number(year)?);
    if year == 0 {
        return Some(Expires::Never);
    }
    crate::text::day(year, month, of_month).map(Expires::On)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(header: &str, row: &str, expected: &Expect) {
        let columns = Columns::of_header(header.as_bytes()).unwrap();
        let said = parse(row.as_bytes(), columns).map_or("none".to_owned(), |(vendor, expiry)| {
            let Expiry { feature, version, seats, expires } = expiry;
            format!("{vendor}|{feature}|{version}|{seats:?}|{expires:?}")
        });
        expected.assert_eq(&said);
    }

    const OLD: &str = "Feature                         Version     #licenses    Expires      Vendor";
    const NEW: &str = "Feature                         Version     #licenses    Vendor        Expires";

    #[test]
    fn either_order_of_columns() {
        check(
            OLD,
            "solver  2018.12  50  31-dec-2018  acmed",
            &expect!["acmed|solver|2018.12|Some(50)|On(Day(17896))"],
        );
        check(
            NEW,
            "solver  2018.12  50  acmed  31-DEC-2018",
            &expect!["acmed|solver|2018.12|Some(50)|On(Day(17896))"],
        );
        check(
            OLD,
            "solver  1.0  5  permanent(no expiration date)  acmed",
            &expect!["acmed|solver|1.0|Some(5)|Never"],
        );
        check(
            NEW,
            "solver  1.0  5  acmed  permanent(no expiration date)",
            &expect!["acmed|solver|1.0|Some(5)|Never"],
        );
    }

    #[test]
    fn dates_that_are_none() {
        check(OLD, "solver 1.0 5 1-jan-0 acmed", &expect!["acmed|solver|1.0|Some(5)|Never"]);
        check(OLD, "solver 1.0 5 01-jan-0000 acmed", &expect!["acmed|solver|1.0|Some(5)|Never"]);
        check(OLD, "solver 1.0 5 30-Apr-20202 acmed", &expect!["acmed|solver|1.0|Some(5)|Unknown"]);
        check(OLD, "solver 1.0 5 31-feb-2025 acmed", &expect!["acmed|solver|1.0|Some(5)|Unknown"]);
        check(NEW, "solver 1.0 5 acmed", &expect!["acmed|solver|1.0|Some(5)|Unknown"]);
        check(OLD, "solver 1.0 0 1-jan-0 acmed", &expect!["acmed|solver|1.0|None|Never"]);
        check(OLD, "solver 1.0 uncounted 1-jan-0 acmed", &expect!["acmed|solver|1.0|None|Never"]);
        check(OLD, "solver 1.0 some 1-jan-0 acmed", &expect!["none"]);
        check(OLD, "solver 1.0", &expect!["none"]);
    }
}
