//! What stands before the message of a line: a time and, in brackets, the process.

use crate::iso::{self, Stamp};
use crate::text::{clock, is_blank, second_of, two};
use memchr::memchr_iter;

/// How far into a line its time is looked for: what loggers and container managers put in front is short.
const REACH: usize = 400;
/// The longest name of a daemon.
const NAME: usize = 64;

/// The time that a line carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// The second of a day that the line does not tell.
    Second(u32),
    /// A date and a time (`lmgrd -datestamp`).
    Stamp(Stamp),
    /// Month, day and the second of the day, to the minute (servers before version 6).
    MonthDay(u32, u32, u32),
}

/// A line cut in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefixed<'a> {
    pub(super) time: Time,
    /// ASCII letters, digits, `_`, `-` and `.` only.
    pub(super) daemon: &'a [u8],
    /// After the bracket, with one blank less.
    pub(super) message: &'a [u8],
}

/// Cuts a line; none where it has no time with a process after it.
pub(super) fn cut(line: &[u8]) -> Option<Prefixed<'_>> {
    // Nearly every line: ` 8:42:25 (` or `10:42:25 (` at its very beginning.
    if let [h1, h2, b':', m1, m2, b':', s1, s2, b' ', b'(', rest @ ..] = line
        && let h1 = if *h1 == b' ' { b'0' } else { *h1 }
        && let Some(second) = second_of([h1, *h2, *m1, *m2, *s1, *s2])
        && let Some((daemon, message)) = bracket(rest)
    {
        return Some(Prefixed { time: Time::Second(second), daemon, message });
    }
    anywhere(line)
}

#[cold]
fn anywhere(line: &[u8]) -> Option<Prefixed<'_>> {
    for open in memchr_iter(b'(', &line[..line.len().min(REACH)]) {
        let Some(before) = line[..open].strip_suffix(b" ") else { continue };
        let Some((daemon, message)) = bracket(&line[open + 1..]) else { continue };
        if let Some(time) = time_at_end(before) {
            return Some(Prefixed { time, daemon, message });
        }
    }
    None
}

/// The name up to the closing bracket, and the message after it.
fn bracket(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(NAME + 1).position(|&byte| !IS_NAME[usize::from(byte)])?;
    if end == 0 || text[end] != b')' {
        return None;
    }
    let message = match &text[end + 1..] {
        [b' ', message @ ..] => message,
        [] => &[],
        [b'\t', ..] => &text[end + 1..],
        _ => return None,
    };
    Some((&text[..end], message))
}

/// The bytes that names of daemons are made of, looked up instead of compared: a name is most of what is read here.
const IS_NAME: [bool; 256] = {
    let mut names = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        names[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        byte += 1;
    }
    names
};

fn time_at_end(before: &[u8]) -> Option<Time> {
    let start = before.iter().rposition(|&byte| is_blank(byte) || byte == b'|').map_or(0, |blank| blank + 1);
    let token = &before[start..];
    if let Some(second) = clock(token) {
        return Some(Time::Second(second));
    }
    if let Some(stamp) = iso::stamp(token) {
        return Some(Time::Stamp(stamp));
    }
    let (hour, minute) = match token {
        [h1, h2, b':', m1, m2] => (two(&[*h1, *h2])?, two(&[*m1, *m2])?),
        [h, b':', m1, m2] => (two(&[b'0', *h])?, two(&[*m1, *m2])?),
        _ => return None,
    };
    let before = crate::text::trim_end(&before[..start]);
    let start = before.iter().rposition(|&byte| is_blank(byte) || byte == b'|').map_or(0, |blank| blank + 1);
    let (month, day) = match &before[start..] {
        [m1, m2, b'/', d1, d2] => (two(&[*m1, *m2])?, two(&[*d1, *d2])?),
        [m, b'/', d1, d2] => (two(&[b'0', *m])?, two(&[*d1, *d2])?),
        [m1, m2, b'/', d] => (two(&[*m1, *m2])?, two(&[b'0', *d])?),
        [m, b'/', d] => (two(&[b'0', *m])?, two(&[b'0', *d])?),
        _ => return None,
    };
    let known = hour < 24 && minute < 60 && (1..=12).contains(&month) && (1..=31).contains(&day);
    known.then_some(Time::MonthDay(month, day, hour * 3600 + minute * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(line: &str, expected: &Expect) {
        let actual = cut(line.as_bytes()).map_or("none".to_owned(), |cut| {
            let time = match cut.time {
                Time::Second(second) => second.to_string(),
                Time::Stamp(stamp) => format!("{} {} {:?}", stamp.day, stamp.second, stamp.offset),
                Time::MonthDay(month, day, second) => format!("{month}/{day} {second}"),
            };
            format!("{time} | {} | {}", crate::text::text(cut.daemon), crate::text::text(cut.message))
        });
        expected.assert_eq(&actual);
    }

    #[test]
    fn every_form() {
        check(" 8:42:25 (vend) OUT: x", &expect!["31345 | vend | OUT: x"]);
        check("08:42:25 (vend) OUT: x", &expect!["31345 | vend | OUT: x"]);
        check("8:42:25 (vend) OUT: x", &expect!["31345 | vend | OUT: x"]);
        check("10:00:00 (vend)", &expect!["36000 | vend | "]);
        check("lmgrd_1 | 14:23:57 (GIS) OUT: x", &expect!["51837 | GIS | OUT: x"]);
        check("lmgrd_1  |14:23:57 (GIS) OUT: x", &expect!["51837 | GIS | OUT: x"]);
        check("Feb 18 10:03:36 host lmgrd[123]:  9:03:36 (v) IN: x", &expect!["32616 | v | IN: x"]);
        check("2023-09-07T12:11:00+0200 (v) OUT: x", &expect!["2023-09-07 43860 Some(7200) | v | OUT: x"]);
        check("9/7 12:11 (v) OUT: x", &expect!["9/7 43860 | v | OUT: x"]);
    }

    #[test]
    fn no_time_or_no_process() {
        check("25:00:00 (vend) OUT: x", &expect!["none"]);
        check("10:00:00 vend OUT: x", &expect!["none"]);
        check("10:00:00 (two words) OUT: x", &expect!["none"]);
        check("13/40 12:11 (v) OUT: x", &expect!["none"]);
        check("", &expect!["none"]);
    }
}
