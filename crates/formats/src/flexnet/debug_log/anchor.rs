//! The dates that a server prints, and that are dates of now.

use crate::text::{clock, day, month, number, trim, trim_start, word};
use accounting::day::Day;
use memchr::memmem;

/// A date of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    day: Day,
    /// The time that is printed with it.
    second: Option<u32>,
}

/// How far the time of an anchor that may be old can lie from that of its line.
const NEAR: u32 = 600;

/// The anchor in a message, if it is one.
pub(super) fn find(message: &[u8]) -> Option<Anchor> {
    match message.first()? {
        b'T' => {
            let date = trim(message.strip_prefix(b"TIMESTAMP")?);
            Some(Anchor { day: slashed(word(date).0)?, second: None })
        }
        b'S' => written(message.strip_prefix(b"Server's System Date and Time:")?),
        b'F' => {
            // `FlexNet Licensing (v11.19 build 1 x64) started on lic1 (linux) (9/1/2025)`
            let text = trim(message);
            let open = memchr::memrchr(b'(', text)?;
            memmem::find(text, b" started on ")?;
            Some(Anchor { day: slashed(text[open + 1..].strip_suffix(b")")?)?, second: None })
        }
        _ => None,
    }
}

/// The anchor in the text of a summary (`SLOG`) line: only the times that are now, which its clock must confirm
/// where they could be those of the last start or reread.
pub(super) fn find_in_summary(text: &[u8], second: u32) -> Option<Anchor> {
    let text = trim_start(text);
    if let Some(date) = text.strip_prefix(b"Time:") {
        return written(date);
    }
    let date = text.strip_prefix(b"Start-Date:").or_else(|| text.strip_prefix(b"Reread time:"))?;
    let anchor = written(date)?;
    let apart = anchor.second?.abs_diff(second);
    (apart.min(crate::wall_clock::DAY - apart) <= NEAR).then_some(anchor)
}

impl Anchor {
    /// The day of a line with this anchor and this time: the two may stand on different sides of a midnight.
    pub(super) fn day_at(self, second: u32) -> Day {
        const HALF: u32 = crate::wall_clock::DAY / 2;
        match self.second {
            Some(printed) if second > printed + HALF => self.day.previous(),
            Some(printed) if printed > second + HALF => self.day.next(),
            _ => self.day,
        }
    }
}

/// `m/d/yyyy`, in this order whatever the locale.
fn slashed(text: &[u8]) -> Option<Day> {
    let mut parts = text.split(|&byte| byte == b'/');
    let (month, of_month, year) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some() { None } else { day(year, month, of_month) }
}

/// `Thu Jun 09 2022 10:25:31 …`; the zone's name after it is free text in any language.
fn written(text: &[u8]) -> Option<Anchor> {
    let (_weekday, rest) = word(text);
    let (name, rest) = word(rest);
    let (of_month, rest) = word(rest);
    let (year, rest) = word(rest);
    let (time, _zone) = word(rest);
    let second = clock(time)?;
    Some(Anchor { day: day(number(year)?, month(name)?, number(of_month)?)?, second: Some(second) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(message: &str) -> Option<String> {
        find(message.as_bytes()).map(|anchor| anchor.day.to_string())
    }

    #[test]
    fn dates_of_now() {
        assert_eq!(found("TIMESTAMP 2/18/2017").as_deref(), Some("2017-02-18"));
        assert_eq!(found("TIMESTAMP 18/2/2017"), None);
        assert_eq!(
            found("Server's System Date and Time: Mon Sep 01 2025 12:31:48 X Y").as_deref(),
            Some("2025-09-01")
        );
        assert_eq!(
            found("FLEXnet Licensing (v10.8) started on h (IBM PC) (9/1/2025)").as_deref(),
            Some("2025-09-01")
        );
        assert_eq!(found("FlexNet Licensing version v11.19.6.0"), None);
    }

    #[test]
    fn times_in_summaries() {
        let day = |text: &str, second| {
            find_in_summary(text.as_bytes(), second).map(|found| found.day_at(second).to_string())
        };
        assert_eq!(day("Time: Sat Feb 18 2017 23:59:59 EST", 86_399).as_deref(), Some("2017-02-18"));
        assert_eq!(day("Time: Sat Feb 18 2017 23:59:59 EST", 0).as_deref(), Some("2017-02-19"));
        assert_eq!(day("Time: Sun Feb 19 2017 00:00:00 EST", 86_399).as_deref(), Some("2017-02-18"));
        assert_eq!(day("Reread time: Sat Feb 18 2017 00:00:01 EST", 40_000), None);
        assert_eq!(day("Peak private bytes 1K attempted at Mon Jun 27 2022 11:00:00 X", 39_600), None);
    }
}
