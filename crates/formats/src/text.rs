//! Bytes of logs as text: UTF-8, else Windows-1252, with no byte dropped; and the small scans that parsers share.

use std::borrow::Cow;

/// The UTF-8 byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What Windows-1252 prints for the bytes 0x80 to 0x9F; the five that it leaves open stay control characters.
const UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', //
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text of these bytes: UTF-8 where it is, else Windows-1252.
#[inline]
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&byte| single(byte)).collect()),
    }
}

/// The texts of parts of one line, which is checked once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    /// The line, where it is UTF-8.
    whole: Option<&'a str>,
}

impl<'a> Texts<'a> {
    /// Those of a line, which is checked but where all around it is `known` to be text.
    #[inline]
    pub(crate) fn new(line: &'a [u8], known: Option<&'a str>) -> Self {
        Self { whole: known.or_else(|| std::str::from_utf8(line).ok()) }
    }

    /// The text of a part of the line.
    #[inline]
    pub(crate) fn of(&self, part: &'a [u8]) -> Cow<'a, str> {
        match self.whole.and_then(|whole| within(whole, part)) {
            Some(text) => Cow::Borrowed(text),
            None => text(part),
        }
    }
}

/// A part of a text as text; `None` where it is no part of it, or cuts a character.
#[inline]
fn within<'a>(whole: &'a str, part: &[u8]) -> Option<&'a str> {
    let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
    whole.get(start..start.wrapping_add(part.len()))
}

/// The text of a part of a line, which is checked but where the line is `known` to be text; `None` where it is no UTF-8.
#[inline]
pub(crate) fn utf8<'a>(part: &'a [u8], known: Option<&'a str>) -> Option<&'a str> {
    known.and_then(|whole| within(whole, part)).or_else(|| std::str::from_utf8(part).ok())
}

fn single(byte: u8) -> char {
    match byte {
        0x80..=0x9F => UPPER[usize::from(byte - 0x80)],
        other => char::from(other),
    }
}

/// A line without what is left of its ending and without byte order marks at its beginning (pasted files have them
/// in the middle).
#[inline]
pub(crate) fn bare(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r'] = line {
        line = rest;
    }
    while let Some(rest) = line.strip_prefix(MARK) {
        line = rest;
    }
    line
}

/// Whether a byte is a blank or a tab.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Without leading blanks and tabs.
#[inline]
pub(crate) fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Without trailing blanks and tabs.
#[inline]
pub(crate) fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Without blanks and tabs around it.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    trim_end(trim_start(bytes))
}

/// The first word and what follows it; both empty at the end.
#[inline]
pub(crate) fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let bytes = trim_start(bytes);
    let end = bytes.iter().position(|&byte| is_blank(byte)).unwrap_or(bytes.len());
    bytes.split_at(end)
}

/// A number of one to nine digits and nothing else.
#[inline]
pub(crate) fn number(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    bytes.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// Two digits.
#[inline]
pub(crate) fn two(bytes: &[u8]) -> Option<u32> {
    if bytes.len() == 2 { number(bytes) } else { None }
}

/// A month's number by its English abbreviation.
pub(crate) fn month(bytes: &[u8]) -> Option<u32> {
    const NAMES: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    NAMES.iter().position(|name| *name == bytes).map(|index| index as u32 + 1)
}

/// `H:MM:SS` or `HH:MM:SS` as a second of the day.
#[inline]
pub(crate) fn clock(bytes: &[u8]) -> Option<u32> {
    match *bytes {
        [h1, h2, b':', m1, m2, b':', s1, s2] => second_of([h1, h2, m1, m2, s1, s2]),
        [h2, b':', m1, m2, b':', s1, s2] => second_of([b'0', h2, m1, m2, s1, s2]),
        _ => None,
    }
}

/// The second of the day of `HHMMSS`.
#[inline]
pub(crate) fn second_of(digits: [u8; 6]) -> Option<u32> {
    let [h1, h2, m1, m2, s1, s2] = digits.map(|digit| u32::from(digit.wrapping_sub(b'0')));
    let (hour, minute, second) = (h1 * 10 + h2, m1 * 10 + m2, s1 * 10 + s2);
    let digits = h1.max(h2).max(m1).max(m2).max(s1).max(s2) < 10;
    (digits && hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// The civil day of a year, a month and a day of the month; none outside 1970 to 2199.
pub(crate) fn day(year: u32, month: u32, day: u32) -> Option<accounting::day::Day> {
    if !(1970..2200).contains(&year) || month > 12 || day > 31 {
        return None;
    }
    jiff::civil::Date::new(year as i16, month as i8, day as i8).ok().map(accounting::day::Day::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_keeps_every_byte() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(text(&all).chars().count(), 256);
        assert_eq!(text(b"Jos\xe9 \x80"), "José €");
        assert_eq!(text("José".as_bytes()), "José");
    }

    #[test]
    fn parts_of_a_line_are_the_same_texts_alone() {
        let lines = ["a!Jos\u{e9}!\u{1f600}!".as_bytes(), b"a!Jos\xe9!b!", b"", b"!"];
        for line in lines {
            let texts = Texts::new(line, None);
            for part in line.split(|byte| *byte == b'!').chain([&b"elsewhere"[..], &[]]) {
                assert_eq!(texts.of(part), text(part), "{line:?}");
            }
            for start in 0..line.len() {
                assert_eq!(texts.of(&line[start..]), text(&line[start..]), "{line:?}");
            }
        }
    }

    #[test]
    fn clocks_are_padded_with_blanks_zeros_or_nothing() {
        assert_eq!(clock(b"8:42:25"), Some(31_345));
        assert_eq!(clock(b"08:42:25"), Some(31_345));
        assert_eq!(clock(b"24:00:00"), None);
        assert_eq!(clock(b"8:4:25"), None);
    }

    #[test]
    fn a_line_is_bared_of_marks_and_carriage_returns() {
        assert_eq!(bare(b"\xEF\xBB\xBF\xEF\xBB\xBFx\r\r"), b"x");
        assert_eq!(bare(b"\r"), b"");
    }
}
