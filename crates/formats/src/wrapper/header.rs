//! What loggers put before a message: time, host and tag in their several renderings.

use super::record::TAG;
use crate::iso;
use crate::text::{clock, month, number, trim_end, trim_start, word};
use accounting::UnixMs;
use memchr::{memchr, memmem, memrchr};

/// The time that a header carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// Millisecond of the day as written; none where only an instant is.
    pub(super) of_day: Option<u32>,
    /// The instant, where a year and an offset tell it.
    pub(super) at: Option<UnixMs>,
}

/// A line of a logger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) time: Time,
    pub(super) host: &'a [u8],
    pub(super) says: Says<'a>,
}

/// What a line of a logger says, as far as it concerns us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says<'a> {
    /// Words tagged as a record, so many times.
    Record(&'a [u8], u32),
    /// The line before was said so many times more.
    Again(u32),
    /// Another program's words with the tag among them.
    Quoted,
    /// Something else.
    Other,
}

/// Cuts a line; none where it is not a logger's.
pub(super) fn cut(line: &[u8]) -> Option<Entry<'_>> {
    let line = without_priority(without_number(trim_start(line)));
    // RFC 5424 has its version between priority and time.
    let (version, after) = word(line);
    if version.len() <= 2
        && number(version).is_some()
        && let Some(entry) = structured(after)
    {
        return Some(entry);
    }
    let (time, rest) = time(line)?;
    let (host, message) = word(rest);
    // A local socket's lines have no host: its place holds the tag, which ends in a colon.
    let is_tag = host.starts_with(TAG) || (host.ends_with(b":") && memmem::find(message, TAG).is_some());
    if host.is_empty() || is_tag {
        return None;
    }
    Some(Entry { time, host, says: says(trim_start(message)) })
}

/// A record that came without its host, or without a time, as a machine's own logger sends it: with both put in. None of
/// what needs neither.
pub(super) fn completed(line: &[u8], host: &str, received: &str) -> Option<Vec<u8>> {
    let line = trim_start(line);
    if memmem::find(line, TAG).is_none() || line.first() == Some(&b'{') || cut(line).is_some() {
        return None;
    }
    let said = without_priority(line);
    let (header, message) = match time(said) {
        Some((_, message)) => (trim_end(&said[..said.len() - message.len()]), trim_start(message)),
        None => (received.as_bytes(), said),
    };
    Some([header, host.as_bytes(), message].join(&b' '))
}

/// The number of a printed line, `12. `.
fn without_number(line: &[u8]) -> &[u8] {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match &line[digits..] {
        [b'.', b' ' | b'\t', rest @ ..] if (1..=9).contains(&digits) => trim_start(rest),
        _ => line,
    }
}

/// `<13>`
fn without_priority(line: &[u8]) -> &[u8] {
    let Some(rest) = line.strip_prefix(b"<") else { return line };
    match memchr(b'>', &rest[..rest.len().min(4)]) {
        Some(end) if number(&rest[..end]).is_some() => trim_start(&rest[end + 1..]),
        _ => line,
    }
}

/// `Nov 20 07:47:40` or an ISO stamp.
fn time(line: &[u8]) -> Option<(Time, &[u8])> {
    let (first, rest) = word(line);
    if let Some(stamp) = iso::stamp(first) {
        let time = Time { of_day: Some(stamp.second * 1000 + stamp.millis), at: stamp.instant() };
        return Some((time, rest));
    }
    month(first)?;
    let (of_month, rest) = word(rest);
    number(of_month).filter(|day| (1..=31).contains(day))?;
    let (mut of_day, mut rest) = word(rest);
    if of_day.len() == 4 && number(of_day).is_some() {
        // Some loggers write the year: `Nov 20 2000 07:47:40`.
        (of_day, rest) = word(rest);
    }
    // And some fractions of a second.
    let whole = memchr(b'.', of_day).map_or(of_day, |dot| &of_day[..dot]);
    Some((Time { of_day: Some(clock(whole)? * 1000), at: None }, rest))
}

/// `TIME HOST APP PROCID MSGID [DATA] MESSAGE`
fn structured(line: &[u8]) -> Option<Entry<'_>> {
    let (stamp, rest) = word(line);
    let time = match iso::stamp(stamp) {
        Some(stamp) => Time { of_day: Some(stamp.second * 1000 + stamp.millis), at: stamp.instant() },
        None if stamp == b"-" => Time { of_day: None, at: None },
        None => return None,
    };
    let (host, rest) = word(rest);
    let (app, rest) = word(rest);
    let (_procid, rest) = word(rest);
    let (_msgid, rest) = word(rest);
    if host.is_empty() || app.is_empty() {
        return None;
    }
    let message = crate::text::bare(after_data(trim_start(rest)));
    let says = match says(message) {
        Says::Other if app == TAG => repeated(message),
        says => says,
    };
    Some(Entry { time, host, says })
}

/// What follows `-` or `[id name="value"]…`; a bracket in a value is written `\]`.
fn after_data(data: &[u8]) -> &[u8] {
    if let Some(rest) = data.strip_prefix(b"-") {
        return trim_start(rest);
    }
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for (at, &byte) in data.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if inside => quoted = !quoted,
            b'[' if !inside => inside = true,
            b']' if inside && !quoted => inside = false,
            _ if inside => {}
            _ => return trim_start(&data[at..]),
        }
    }
    &[]
}

/// What the text after the host says.
pub(super) fn says(message: &[u8]) -> Says<'_> {
    if let Some(rest) = message.strip_prefix(b"last message repeated ") {
        let (times, rest) = word(rest);
        if let (Some(times), b"times" | b"time") = (number(times), word(rest).0) {
            return Says::Again(times);
        }
    }
    let Some(at) = memmem::find(message, TAG) else { return Says::Other };
    let before = &message[..at];
    if !matches!(trim_end(before).last(), None | Some(b':' | b']' | b'[')) {
        return Says::Quoted;
    }
    if let Some((times, _)) = repeats(before) {
        let record = after_tag(&message[at + TAG.len()..]);
        return Says::Record(memrchr(b']', record).map_or(record, |end| &record[..end]), times);
    }
    repeated(after_tag(&message[at + TAG.len()..]))
}

/// A record, or `message repeated 3 times: [ record]`.
fn repeated(record: &[u8]) -> Says<'_> {
    match repeats(record) {
        Some((times, inner)) => {
            let inner = memrchr(b']', inner).map_or(inner, |end| &inner[..end]);
            let inner = trim_start(inner);
            Says::Record(inner.strip_prefix(TAG).map_or(inner, after_tag), times)
        }
        None => Says::Record(record, 1),
    }
}

/// `message repeated 3 times: [` and what follows it.
fn repeats(text: &[u8]) -> Option<(u32, &[u8])> {
    const WORDS: &[u8] = b"message repeated ";
    let rest = &text[memmem::find(text, WORDS)? + WORDS.len()..];
    let (times, rest) = word(rest);
    let inner = trim_start(rest).strip_prefix(b"times:")?;
    Some((number(times)?, trim_start(inner).strip_prefix(b"[")?))
}

/// What follows the tag: a process id in brackets, a colon, blanks.
fn after_tag(rest: &[u8]) -> &[u8] {
    let rest = match rest.strip_prefix(b"[") {
        Some(inner) => memchr(b']', inner).map_or(rest, |end| &inner[end + 1..]),
        None => rest,
    };
    trim_start(rest.strip_prefix(b":").unwrap_or(rest))
}
