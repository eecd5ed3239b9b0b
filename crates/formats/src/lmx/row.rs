//! Features, their figures and their holders.

use crate::iso;
use crate::text::{number, trim, word};
use accounting::day::Day;
use memchr::{memchr, memmem, memrchr};

/// `Feature: solver Version: 21.0 Vendor: ACME`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Feature<'a> {
    pub(super) name: &'a [u8],
    pub(super) version: &'a [u8],
    pub(super) vendor: &'a [u8],
}

/// `2 license(s) used by amara@ws-07 [10.0.0.7]`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used<'a> {
    pub(super) seats: u32,
    pub(super) user: &'a [u8],
    pub(super) host: &'a [u8],
}

/// So many licenses mean that they are not counted.
const UNLIMITED: &[u8] = b"2147483647";

pub(super) fn feature(line: &[u8]) -> Option<Feature<'_>> {
    const VERSION: &[u8] = b" Version: ";
    const VENDOR: &[u8] = b" Vendor: ";
    let rest = line.strip_prefix(b"Feature: ")?;
    let version_at = memmem::rfind(rest, VERSION)?;
    let (name, rest) = (trim(&rest[..version_at]), &rest[version_at + VERSION.len()..]);
    let (version, vendor) = match memmem::find(rest, VENDOR) {
        Some(at) => (trim(&rest[..at]), trim(&rest[at + VENDOR.len()..])),
        None => (trim(rest), &[][..]),
    };
    (!name.is_empty()).then_some(Feature { name, version, vendor })
}

/// The last day in `Start date: NONE Expire date: 2024-06-30`.
pub(super) fn expire_date(line: &[u8]) -> Option<&[u8]> {
    const EXPIRE: &[u8] = b"Expire date: ";
    if !line.starts_with(b"Start date: ") && !line.starts_with(EXPIRE) {
        return None;
    }
    let at = memmem::find(line, EXPIRE)?;
    Some(word(&line[at + EXPIRE.len()..]).0)
}

/// `YYYY-MM-DD`
pub(super) fn day(date: &[u8]) -> Option<Day> {
    match date {
        [year @ .., b'-', m1, m2, b'-', d1, d2] if year.len() == 4 => {
            crate::text::day(number(year)?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
        }
        _ => None,
    }
}

/// In use and issued (`None` where not counted) in `2 of 5 license(s) used:`.
pub(super) fn used_of(line: &[u8]) -> Option<(u32, Option<u32>)> {
    let (in_use, rest) = word(line);
    let (of, rest) = word(rest);
    let (issued, rest) = word(rest);
    let rest = trim(rest);
    let fits = of == b"of" && matches!(rest, b"license(s) used" | b"license(s) used:");
    let counted = if issued == UNLIMITED { None } else { Some(big(issued)?) };
    let in_use = number(in_use)?;
    fits.then_some((in_use, counted))
}

/// A number below the one that means unlimited.
fn big(digits: &[u8]) -> Option<u32> {
    number(digits).or_else(|| std::str::from_utf8(digits).ok().filter(|text| text.len() == 10)?.parse().ok())
}

pub(super) fn used_by(line: &[u8]) -> Option<Used<'_>> {
    let (seats, rest) = word(line);
    let who = trim(rest).strip_prefix(b"license(s) used by ")?;
    let who = match memrchr(b'[', who) {
        Some(at) if who.ends_with(b"]") => trim(&who[..at]),
        _ => trim(who),
    };
    let at = memrchr(b'@', who)?;
    Some(Used { seats: number(seats)?, user: &who[..at], host: &who[at + 1..] })
}

/// The second of `Login time: 2024-03-11 12:50   Checkout time: 2024-03-11 12:50`.
pub(super) fn checkout_time(line: &[u8]) -> Option<iso::Stamp> {
    const CHECKOUT: &[u8] = b"Checkout time: ";
    if !line.starts_with(b"Login time: ") && !line.starts_with(CHECKOUT) {
        return None;
    }
    let at = memmem::find(line, CHECKOUT)?;
    let (date, rest) = word(&line[at + CHECKOUT.len()..]);
    let (clock, _) = word(rest);
    // With or without seconds.
    let seconds: &[u8] = if memchr(b':', clock)? + 3 == clock.len() { b":00" } else { b"" };
    iso::stamp(&[date, b" ", clock, seconds].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        assert_eq!(used_of(b"2 of 5 license(s) used:"), Some((2, Some(5))));
        assert_eq!(used_of(b"0 of 2147483647 license(s) used"), Some((0, None)));
        assert_eq!(used_of(b"0 of 1000000003 license(s) used"), Some((0, Some(1_000_000_003))));
        assert_eq!(used_of(b"2 of 5 license(s)"), None);
    }

    #[test]
    fn holders_and_times() {
        let used = used_by(b"25000 license(s) used by amara chen@ws_07.x [10.0.0.7]").unwrap();
        assert_eq!((used.seats, used.user, used.host), (25_000, &b"amara chen"[..], &b"ws_07.x"[..]));
        let time =
            |line: &str| checkout_time(line.as_bytes()).map(|stamp| (stamp.day.to_string(), stamp.second));
        let day = "2024-03-11".to_owned();
        assert_eq!(
            time("Login time: 2024-03-11 12:50   Checkout time: 2024-03-11 12:51"),
            Some((day.clone(), 46_260))
        );
        assert_eq!(time("Checkout time: 2024-03-11 12:51:07"), Some((day, 46_267)));
        assert_eq!(time("Login time: 2024-03-11 12:50   Checkout time: 2024-03-1"), None);
    }
}
