//! The beginning that all lines of a debug log have, and the first look at one.

use super::event::{self, Said};
use crate::line::{self, Fit, Survey};
use crate::rlm::dates::{Date, date, near, time};
use crate::text::{bare, text, trim, word};
use accounting::day::Day;
use memchr::memchr;

/// A line `mm/dd hh:mm (isv) message`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut<'a> {
    pub(super) month: u32,
    pub(super) of_month: u32,
    pub(super) second: u32,
    pub(super) isv: &'a str,
    pub(super) message: &'a [u8],
}

/// Cuts a line; none where it does not begin as all do.
pub(super) fn cut(line: &[u8]) -> Option<Cut<'_>> {
    let (day, rest) = word(line);
    let Date::MonthDay(month, of_month) = date(day)? else { return None };
    let (of_day, rest) = word(rest);
    let second = time(of_day)?.second;
    let inside = rest.strip_prefix(b" (")?;
    let end = memchr(b')', inside)?;
    let isv = std::str::from_utf8(&inside[..end]).ok()?;
    let is_name = !isv.is_empty() && !isv.contains(|character: char| character.is_whitespace());
    // One blank belongs to the beginning; more tell that the message goes on from the line before.
    let message = &inside[end + 1..];
    is_name.then_some(Cut {
        month,
        of_month,
        second,
        isv,
        message: message.strip_prefix(b" ").unwrap_or(message),
    })
}

/// Whether the beginning of a text is of a debug log. `FLEXlm` before version 6 begins its lines alike, but writes no
/// `v` before versions.
pub(super) fn fits(head: &[u8]) -> Fit {
    let mut best = Fit::No;
    for line in head.split(|&byte| byte == b'\n') {
        let Some(cut) = cut(bare(line)) else { continue };
        best = best.max(match event::says(cut.message) {
            Ok(Said::Out(_) | Said::In(..) | Said::Denied(_)) => return Fit::Yes,
            _ if is_title(cut.message) => return Fit::Yes,
            Ok(Said::Started | Said::Stopped) => Fit::Maybe,
            _ => Fit::No,
        });
    }
    best
}

/// `Server started on HOST (hostid: …) for:`, and what the server itself prints of its version.
fn is_title(message: &[u8]) -> bool {
    let message = trim(message);
    (message.starts_with(b"Server started on ") && memchr::memmem::find(message, b"(hostid:").is_some())
        || message.starts_with(b"RLM License Server Version")
}

/// No more ISVs than this are listed.
const VENDORS: usize = 64;

/// What was found so far.
#[derive(Default)]
pub(super) struct Look {
    lines: u64,
    found: Survey,
    /// The day of the last line, in a year that does not matter.
    day: Option<Day>,
    /// A line of a client was read.
    used: bool,
}

impl line::Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let Some(cut) = cut(bare(line)) else { return true };
        // What the server that starts the ISVs' servers prints is no sign of life of theirs.
        let shows_life = cut.isv != "rlm" && event::says(cut.message) != Ok(Said::Nothing);
        if shows_life && self.found.first_dated_line.is_none() {
            self.found.first_dated_line = Some(self.lines);
            self.found.first_second = Some(cut.second);
        }
        let day = match self.day {
            None => crate::text::day(2000, cut.month, cut.of_month),
            Some(last) => near(last, cut.month, cut.of_month),
        };
        if let (Some(last), Some(day)) = (self.day, day) {
            self.found.midnights += day.0 - last.0;
        }
        self.day = day.or(self.day);
        if let Some(host) = event::host(cut.message) {
            self.found.server.get_or_insert_with(|| text(host).into_owned());
            self.found.begins_with_start |= !self.used;
        }
        self.used |= !matches!(event::says(cut.message), Ok(Said::Nothing | Said::Started | Said::Other));
        let vendors = &mut self.found.vendors;
        if cut.isv != "rlm" && vendors.len() < VENDORS && !vendors.iter().any(|known| known == cut.isv) {
            vendors.push(cut.isv.to_owned());
        }
        // No year comes: all lines count for the way back from the day on which the last one was written.
        true
    }

    fn finish(mut self: Box<Self>) -> Survey {
        self.found.midnights = self.found.midnights.max(0);
        self.found
    }
}
