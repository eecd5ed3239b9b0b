//! Shapes of lines that carry no event.

use super::{event, prefix, server};
use crate::line::{Fit, Line};
use crate::text::{bare, day, is_blank, trim, trim_start, word};
use accounting::day::Day;
use memchr::memmem;

/// Why a line without a time is not understood.
const UNKNOWN: &str = "no shape that a license server prints";

/// A line without a time: known shapes are noise. `seen` says that lines with a time came before.
pub(super) fn undated<'a>(line: &[u8], seen: bool) -> Line<'a> {
    let text = trim(line);
    let known = text.is_empty()
        || text[0] == b'#'
        || is_inner(line)
        || text.starts_with(b"Shut down FlexNet")
        || text.starts_with(b"Shut down FLEX")
        || (seen && (is_ruled(text) || is_list(line)));
    if known { Line::Noise } else { Line::Unrecognized(UNKNOWN) }
}

/// `(@MSC-INFO@) …`: a message of the daemon's own kind, whose time, if any, stands inside.
pub(super) fn is_inner(line: &[u8]) -> bool {
    // The first byte decides for nearly every line.
    matches!(line.first(), Some(b' ' | b'\t' | b'(')) && trim_start(line).starts_with(b"(@")
}

/// Words of features or daemons, set apart by blanks and tabs and indented, or with a tab among them.
fn is_list(line: &[u8]) -> bool {
    let set_apart = line.first().is_some_and(|&byte| is_blank(byte)) || line.contains(&b'\t');
    let plain = |byte: &u8| {
        is_blank(*byte) || byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+' | b'/' | b')')
    };
    set_apart && line.iter().all(plain)
}

/// One kind of punctuation only, such as `=====`.
fn is_ruled(text: &[u8]) -> bool {
    text.len() >= 3 && text[0].is_ascii_punctuation() && text.iter().all(|byte| *byte == text[0])
}

/// The rule above and below lmgrd's words about the debug log.
pub(super) fn is_rule(message: &[u8]) -> bool {
    message.len() >= 20 && message.iter().all(|&byte| byte == b'-')
}

/// What a summary line says: the text after `(@NAME-SLOG@)`.
pub(super) fn summary(message: &[u8]) -> Option<&[u8]> {
    let rest = trim_start(message).strip_prefix(b"(@")?;
    let end = memmem::find(&rest[..rest.len().min(100)], b"@)")?;
    Some(&rest[end + 2..])
}

/// Plug-ins of a daemon write for their maker only (`adskflex_pluggin`, so spelled).
pub(super) fn is_plugin(daemon: &[u8]) -> bool {
    matches!(daemon.last(), Some(b'n')) && (daemon.ends_with(b"_pluggin") || daemon.ends_with(b"_plugin"))
}

/// `(NAME) FlexNet Licensing version v11.19…`
pub(super) fn is_version(message: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"FlexNet Licensing version", b"FLEXnet Licensing version", b"FLEXlm version"];
    names.iter().any(|name| message.starts_with(name))
}

/// The name of `NAME (pid 4552)`.
pub(super) fn name_before_bracket(rest: &[u8]) -> Option<&str> {
    let (name, rest) = word(rest);
    if !trim_start(rest).starts_with(b"(") { None } else { known_name(name) }
}

/// The name of `NAME exited with status 46 (…)`.
pub(super) fn name_that_exited(message: &[u8]) -> Option<&str> {
    let (name, rest) = word(message);
    if !trim_start(rest).starts_with(b"exited with status") { None } else { known_name(name) }
}

fn known_name(name: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > 64 || !name.iter().all(plain) { None } else { std::str::from_utf8(name).ok() }
}

/// The day of a month nearest to a known one: what prints no year.
pub(super) fn near(known: Day, month: u32, of_month: u32) -> Option<Day> {
    let year = u32::try_from(known.date().year()).ok()?;
    let candidates = [year.saturating_sub(1), year, year + 1];
    candidates.into_iter().filter_map(|year| day(year, month, of_month)).min_by_key(|day| (day.0 - known.0).abs())
}

/// Whether a line begins a server's log: lmgrd's first line, or the one that names the host.
pub(super) fn is_beginning(daemon: &[u8], message: &[u8]) -> bool {
    daemon == super::LMGRD && (is_rule(trim(message)) || server::is_started_on(trim(message)))
}

/// How surely bytes are a debug log: an event that can be read is enough, or three lines with time and process.
pub(super) fn fits(head: &[u8]) -> Fit {
    let mut dated = 0;
    for line in head.split(|&byte| byte == b'\n') {
        let Some(cut) = prefix::cut(bare(line)) else { continue };
        if let Some((word, rest)) = event::split(cut.message)
            && event::parse(word, rest).is_ok()
        {
            return Fit::Yes;
        }
        dated += u32::from(!matches!(cut.time, prefix::Time::MonthDay(..)));
        if dated >= 3 {
            return Fit::Yes;
        }
    }
    if dated > 0 { Fit::Maybe } else { Fit::No }
}
