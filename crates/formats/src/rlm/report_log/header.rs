//! Lines that are no record of a client: what begins and ends a log, and what the server does by itself.

use super::record::stamp_at_end;
use crate::rlm::dates::{Date, Stamp, date, time};
use crate::text::{number, trim, word};
use memchr::memchr;

/// What such a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// `RLM Report Log Format d, version x.y`: the first line but for `SWITCH from`; free text may follow it up to START.
    Title,
    /// `ISV: name, RLM version a.b BLc`
    Isv(&'a [u8]),
    /// `SWITCH from old-log`: the first line of a log that goes on from another one (since version 14).
    SwitchFrom,
    /// `START host mm/dd/yyyy hh:mm[:ss]`
    Start(&'a [u8], Stamp),
    /// `TIMEZONE minutes-west-of-UTC daylight rules # …`
    Zone(i32),
    /// `PRODUCT …`
    Product(&'a [u8]),
    /// `REREAD user host mm/dd hh:mm:ss`
    Reread(Stamp),
    /// `SHUTDOWN user host mm/dd hh:mm:ss`
    Shutdown(Stamp),
    /// A day and a time: the periodic line, or `END`.
    Day(Stamp),
    /// Known and meaningless, with its time where it prints one.
    Other(Option<Stamp>),
    /// One of these, broken.
    Broken(&'static str),
}

impl Head<'_> {
    /// Whether a line of this kind stands behind those with which a log begins.
    pub(super) fn settles(&self) -> bool {
        matches!(self, Self::Reread(_) | Self::Shutdown(_) | Self::Day(_) | Self::Other(Some(_)))
    }
}

/// What a line says; none where it is of no kind that is known.
pub(super) fn says(line: &[u8]) -> Option<Head<'_>> {
    let (first, rest) = word(line);
    let rest = trim(rest);
    Some(match first {
        b"RLM" if rest.starts_with(b"Report Log Format") => Head::Title,
        b"ISV:" => Head::Isv(trim(&rest[..memchr(b',', rest).unwrap_or(rest.len())])),
        b"SWITCH" if rest.starts_with(b"from") => Head::SwitchFrom,
        b"START" => start(rest),
        b"TIMEZONE" => zone(word(rest).0),
        b"PRODUCT" => Head::Product(line),
        b"REREAD" => stamp_at_end(rest).map_or(Head::Broken("reread without a time"), Head::Reread),
        b"SHUTDOWN" => stamp_at_end(rest).map_or(Head::Broken("shutdown without a time"), Head::Shutdown),
        b"END" => stamp_at_end(rest).map_or(Head::Broken("end of a log without a time"), Head::Day),
        b"LICENSE" | b"REPROCESSED" | b"AUTH" | b"AUTH:" | b"SWITCH" => Head::Other(None),
        b"ROAM_EXTEND" | b"METER_DEC" | b"DYNRES" | b"TEMP" | b"TIMEJUMP" => Head::Other(stamp_at_end(rest)),
        b"log" => Head::Other(stamp(rest)),
        // Records that somebody has struck out by hand.
        _ if first.starts_with(b"--") => Head::Other(None),
        _ => Head::Day(stamp(line).filter(|stamp| matches!(stamp.date, Date::Full(_)))?),
    })
}

/// A date and a time at the beginning of a text.
fn stamp(text: &[u8]) -> Option<Stamp> {
    let (day, rest) = word(text);
    let time = time(word(rest).0)?;
    Some(Stamp::new(date(day)?, time))
}

fn start(rest: &[u8]) -> Head<'_> {
    let (host, after) = word(rest);
    match stamp(after) {
        Some(stamp) if matches!(stamp.date, Date::Full(_)) => Head::Start(host, stamp),
        _ => Head::Broken("start without a date"),
    }
}

fn zone(minutes: &[u8]) -> Head<'_> {
    const A_DAY: i32 = 24 * 60;
    let (sign, digits) = match minutes.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, minutes),
    };
    match number(digits) {
        Some(minutes) if minutes < A_DAY as u32 => Head::Zone(sign * minutes as i32),
        _ => Head::Broken("time zone that is no number of minutes"),
    }
}
