//! The first look at what lmstat printed.

use super::feature::{self, Said};
use super::head::{self, Head, Is};
use super::row;
use crate::line::{self, Fit};
use crate::text::{bare, text, trim};

/// No more daemons than this are listed.
const VENDORS: usize = 64;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Survey {
    lines: u64,
    found: line::Survey,
    /// Whether the first line that means something was read.
    begun: bool,
}

impl line::Surveyor for Survey {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = trim(bare(line));
        if line.is_empty() {
            return true;
        }
        if is_body(line) {
            // A text that begins here is the rest of another one.
            return false;
        }
        let head = head::read(line);
        let begins = !std::mem::replace(&mut self.begun, true);
        self.found.begins_with_start |= begins && is_beginning(line, head);
        match head {
            // Only with a text of its own is a date the first line's.
            Some(Head::Status(Some((day, second))))
                if self.found.begins_with_start && self.found.first_day.is_none() =>
            {
                self.found.first_day = Some(day);
                self.found.first_second = Some(second);
                self.found.first_dated_line = Some(self.lines);
            }
            Some(Head::Server(addresses)) if self.found.server.is_none() => {
                self.found.server = head::server(addresses).map(|(name, _)| name);
            }
            Some(Head::Table(_)) => return false,
            _ => {}
        }
        if let Some(told) = head::told(line)
            && told.is == Is::DaemonUp
            && self.found.vendors.len() < VENDORS
            && !self.found.vendors.iter().any(|vendor| vendor == told.name)
        {
            self.found.vendors.push(told.name.to_owned());
        }
        true
    }

    fn finish(self: Box<Self>) -> line::Survey {
        self.found
    }
}

/// Whether a line stands among the features.
fn is_body(line: &[u8]) -> bool {
    line.starts_with(b"Users of ") || feature::pool(line).is_some() || is_row(line)
}

fn is_row(line: &[u8]) -> bool {
    row::parse(&text(line)).is_ok()
}

/// Whether a line begins an output, so that it goes on from none.
fn is_beginning(line: &[u8], head: Option<Head<'_>>) -> bool {
    match head {
        Some(Head::Copyright | Head::Status(_)) => true,
        Some(Head::Noise) => {
            line.starts_with(b"NOTE: lmstat") || memchr::memmem::find(line, b"lmutil").is_some()
        }
        _ => false,
    }
}

/// How surely bytes are lmstat's: a line that nothing else prints is enough.
pub(super) fn fits(head: &[u8]) -> Fit {
    let sure = |line: &[u8]| {
        let line = trim(bare(line));
        if let Some(rest) = line.strip_prefix(b"Users of ") {
            return feature::parse(rest).is_some_and(|users| users.said != Said::Unknown);
        }
        match line.first() {
            None => false,
            Some(b'F' | b'l' | b'L' | b'V' | b'E' | b'N') => match head::read(line) {
                Some(Head::Noise) => line.starts_with(b"NOTE: lmstat") || line.starts_with(b"License file"),
                Some(_) => true,
                None => is_row(line),
            },
            Some(_) => is_row(line),
        }
    };
    if head.split(|&byte| byte == b'\n').any(sure) { Fit::Yes } else { Fit::No }
}
