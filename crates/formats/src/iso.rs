//! Instants as ISO 8601 writes them, with or without an offset.

use crate::text::{clock, day, number, two};
use accounting::UnixMs;
use accounting::day::Day;

/// A date and a time as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The civil day as written.
    pub(crate) day: Day,
    /// The second of that day as written.
    pub(crate) second: u32,
    /// Milliseconds after that second.
    pub(crate) millis: u32,
    /// The offset from UTC in seconds, where one is written.
    pub(crate) offset: Option<i32>,
}

impl Stamp {
    /// The instant, where an offset tells it.
    pub(crate) fn instant(&self) -> Option<UnixMs> {
        let local = i64::from(self.day.0) * 86_400 + i64::from(self.second);
        self.offset.map(|offset| (local - i64::from(offset)) * 1000 + i64::from(self.millis))
    }
}

/// `YYYY-MM-DDTHH:MM:SS[.fraction][Z|±HHMM|±HH:MM|±HH]` and nothing else.
pub(crate) fn stamp(bytes: &[u8]) -> Option<Stamp> {
    if bytes.len() < 19 || bytes.len() > 40 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let day = day(number(&bytes[..4])?, two(&bytes[5..7])?, two(&bytes[8..10])?)?;
    let second = clock(&bytes[11..19])?;
    let mut rest = &bytes[19..];
    let mut millis = 0;
    if let [b'.' | b',', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let first = fraction[..digits].iter().chain(b"000").take(3);
        millis = first.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        rest = &fraction[digits..];
    }
    Some(Stamp { day, second, millis, offset: offset(rest)? })
}

/// The outer option: whether it is well formed; the inner one: whether it is there.
fn offset(bytes: &[u8]) -> Option<Option<i32>> {
    let (sign, digits) = match bytes {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [h1, h2] => (two(&[*h1, *h2])?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (two(&[*h1, *h2])?, two(&[*m1, *m2])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_in_three_spellings() {
        for text in ["2023-09-07T12:11:00+0200", "2023-09-07T12:11:00.000+02:00", "2023-09-07T12:11:00+02"] {
            assert_eq!(stamp(text.as_bytes()).and_then(|stamp| stamp.instant()), Some(1_694_081_460_000), "{text}");
        }
        assert_eq!(stamp(b"2023-09-07T12:11:00").map(|stamp| stamp.offset), Some(None));
        assert_eq!(stamp(b"2023-13-07T12:11:00Z"), None);
        assert_eq!(stamp(b"2023-09-07T12:11:00 (x)"), None);
    }
}
