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

/// Reads stamps. The day of one is mostly that of the one before.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    last: Option<([u8; 10], Day)>,
}

impl Stamps {
    /// `YYYY/MM/DD HH:MM:SS:mmm` and nothing else.
    #[inline]
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<Stamp> {
        let (date, [b' ', time @ ..]) = bytes.split_first_chunk()? else { return None };
        let (time, [b':', millis @ ..]) = time.split_first_chunk::<8>()? else { return None };
        if millis.len() != 3 {
            return None;
        }
        let day = match self.last {
            Some((last, day)) if last == *date => day,
            _ => self.another_day(*date)?,
        };
        Some(Stamp { day, milli: clock(time)? * 1000 + number(millis)? })
    }

    #[cold]
    fn another_day(&mut self, date: [u8; 10]) -> Option<Day> {
        let [y1, y2, y3, y4, b'/', m1, m2, b'/', d1, d2] = date else { return None };
        let day = day(number(&[y1, y2, y3, y4])?, two(&[m1, m2])?, two(&[d1, d2])?)?;
        self.last = Some((date, day));
        Some(day)
    }
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
pub(super) fn cut<'a>(line: &'a [u8], stamps: &mut Stamps) -> Option<Entry<'a>> {
    let (first, rest) = line.split_at_checked(LENGTH)?;
    let [b' ', severity @ (b'I' | b'W' | b'E'), b' ', rest @ ..] = rest else { return None };
    let stamp = stamps.read(first)?;
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
        let entry = cut(b"2025/07/15 02:31:21:836 I ENROLL      a  b ", &mut Stamps::default()).unwrap();
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
            let mut stamps = Stamps::default();
            stamps.read(b"2025/07/15 02:31:21:836").unwrap();
            assert_eq!(cut(line.as_bytes(), &mut stamps), None, "{line}");
        }
    }
}
