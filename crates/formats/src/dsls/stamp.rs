//! What begins a line: `2025/07/15 02:31:21:836 I USGTRACING  `.

use crate::text::{clock, day, number, trim_end, trim_start, two, word};
use accounting::day::Day;

/// Categories of lines, as the vendor's manual lists them.
const CATEGORIES: [&[u8]; 13] = [
    b"INITSERVER",
    b"STARTSERVER",
    b"STOPSERVER",
    b"USGTRACING",
    b"REPOSITORY",
    b"RUNTIMEDATA",
    b"ADMINSERVER",
    b"ENROLL",
    b"LICENSEDATA",
    b"MONITORING",
    b"STATISTICS",
    b"LICENSESERV",
    b"FAILOVERSRV",
];

/// A civil time to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) day: Day,
    /// The millisecond of the day.
    pub(crate) milli: u32,
}

/// Bytes of a stamp.
pub(crate) const LENGTH: usize = 23;

/// `YYYY/MM/DD HH:MM:SS:mmm` and nothing else.
#[inline]
pub(crate) fn stamp(bytes: &[u8]) -> Option<Stamp> {
    if bytes.len() != LENGTH || bytes[4] != b'/' || bytes[7] != b'/' || bytes[10] != b' ' || bytes[19] != b':'
    {
        return None;
    }
    let day = day(number(&bytes[..4])?, two(&bytes[5..7])?, two(&bytes[8..10])?)?;
    Some(Stamp { day, milli: clock(&bytes[11..19])? * 1000 + number(&bytes[20..])? })
}

/// A line cut at its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) stamp: Stamp,
    /// `I`, `W` or `E`.
    pub(super) severity: u8,
    pub(super) category: &'a [u8],
    pub(super) text: &'a [u8],
}

/// Cuts a line; none where it does not begin so.
#[inline]
pub(super) fn cut(line: &[u8]) -> Option<Entry<'_>> {
    let (first, rest) = line.split_at_checked(LENGTH)?;
    let [b' ', severity @ (b'I' | b'W' | b'E'), b' ', rest @ ..] = rest else { return None };
    let stamp = stamp(first)?;
    let (category, text) = word(rest);
    Some(Entry { stamp, severity: *severity, category, text: trim_end(trim_start(text)) })
}

impl Entry<'_> {
    /// Whether the server prints such a category.
    pub(super) fn is_known(&self) -> bool {
        CATEGORIES.contains(&self.category)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_padded_category() {
        let entry = cut(b"2025/07/15 02:31:21:836 I ENROLL      a  b ").unwrap();
        assert_eq!((entry.severity, entry.category, entry.text), (b'I', &b"ENROLL"[..], &b"a  b"[..]));
        assert_eq!((entry.stamp.day.to_string(), entry.stamp.milli), ("2025-07-15".to_owned(), 9_081_836));
        assert!(entry.is_known());
    }

    #[test]
    fn what_only_looks_like_a_line_is_none() {
        for line in [
            "2025/07/15 02:31:21.836 I ENROLL a",
            "2025/13/15 02:31:21:836 I ENROLL a",
            "2025/07/15 24:31:21:836 I ENROLL a",
            "2025/07/15 02:31:21:8x6 I ENROLL a",
            "2025/07/15 02:31:21:836 D ENROLL a",
            "2025/07/15 02:31:21:836",
            "2025-07-15 02:31:21:836 I ENROLL a",
        ] {
            assert_eq!(cut(line.as_bytes()), None, "{line}");
        }
    }
}
