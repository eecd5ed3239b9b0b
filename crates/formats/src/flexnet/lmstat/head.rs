//! The lines around the features: when, which license servers, which daemons, and what means nothing.

use super::expiry::Columns;
use super::row::time_of_day;
use crate::text::{is_blank, number, text, trim, trim_start, word};
use accounting::day::Day;
use memchr::{memchr, memmem, memrchr};

/// A line that is no feature's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head<'a> {
    /// The maker's line, with which every output begins.
    Copyright,
    /// When lmstat was asked: a civil day and the second of it, where they can be read.
    Status(Option<(Day, u32)>),
    /// The rule before the next license server.
    Rule,
    /// The addresses of a license server, separated by commas.
    Server(&'a [u8]),
    /// The daemons are listed next.
    Daemons,
    /// The features are listed next.
    Features,
    /// The table of `lmstat -i` is next.
    Table(Columns),
    /// No license server answered.
    NoServer,
    /// Known, and meaningless.
    Noise,
}

const STATUS: &[u8] = b"Flexible License Manager status on ";

/// What a line without blanks around it is, if it is no feature's and no daemon's.
pub(super) fn read(line: &[u8]) -> Option<Head<'_>> {
    let says = |beginning: &[u8]| line.starts_with(beginning);
    match line.first()? {
        b'F' if says(STATUS) => Some(Head::Status(date_and_time(&line[STATUS.len()..]))),
        b'F' if says(b"Feature usage info") => Some(Head::Features),
        b'F' if says(b"Feature") => Columns::of_header(line).map(Head::Table),
        b'L' if says(b"License server status:") => Some(Head::Server(trim(&line[22..]))),
        b'L' if says(b"License file(s) on ") || says(b"License file on ") => Some(Head::Noise),
        b'V' if says(b"Vendor daemon status") => Some(Head::Daemons),
        b'E' if says(b"Error getting status") => Some(Head::NoServer),
        b'N' if says(b"NOTE: lmstat -i does not give") => Some(Head::Noise),
        b'b' if says(b"but only reads the license file") => Some(Head::Noise),
        b'[' if says(b"[Detecting lmgrd processes") => Some(Head::Noise),
        b'-' if is_ruled(line, b'-', 5) => Some(Head::Rule),
        b'_' if line.iter().all(|&byte| byte == b'_' || is_blank(byte)) => Some(Head::Noise),
        first if first.is_ascii_punctuation() && is_ruled(line, *first, 3) => Some(Head::Noise),
        b'F' | b'M' | b'S' | b'T' | b'W' => date_and_time(line).map(|at| Head::Status(Some(at))),
        _ => None,
    }
    .or_else(|| rare(line))
}

fn rare(line: &[u8]) -> Option<Head<'_>> {
    if is_license_kind(line) {
        return Some(Head::Noise);
    }
    if (line.starts_with(b"lmutil - ") || line.starts_with(b"lmstat - "))
        && memmem::find(line, b"opyright").is_some()
    {
        return Some(Head::Copyright);
    }
    is_call(line).then_some(Head::Noise)
}

/// `floating license`, `nodelocked license, locked to "…"`, `uncounted nodelocked license, locked to NOTHING`.
fn is_license_kind(line: &[u8]) -> bool {
    let kinds: [&[u8]; 5] = [b"floating", b"nodelocked", b"node-locked", b"uncounted", b"counted"];
    kinds.iter().any(|kind| line.starts_with(kind)) && memmem::find(line, b"license").is_some()
}

/// What lmstat says of itself, or a shell of its call: `lmstat v11.14`, `$ ./lmutil lmstat -c x.dat -a`.
fn is_call(line: &[u8]) -> bool {
    let calls: [&[u8]; 2] = [b"lmutil lmstat", b"lmutil.exe lmstat"];
    word(line).0 == b"lmstat" || calls.iter().any(|call| memmem::find(line, call).is_some())
}

fn is_ruled(line: &[u8], mark: u8, least: usize) -> bool {
    line.len() >= least && line.iter().all(|&byte| byte == mark)
}

/// `Mon 9/24/2018 05:52`.
fn date_and_time(line: &[u8]) -> Option<(Day, u32)> {
    let (weekday, rest) = word(line);
    let (date, rest) = word(rest);
    let mut parts = date.splitn(3, |&byte| byte == b'/');
    let mut part = || number(parts.next()?);
    let (month, of_month, year) = (part()?, part()?, part()?);
    let second = time_of_day(word(rest).0)?;
    let day = crate::text::day(year, month, of_month)?;
    (weekday.len() == 3).then_some((day, second))
}

/// What a line `NAME: …` says of a license server's host or a vendor daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) name: &'a str,
    pub(super) is: Is,
}

/// How a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// A license server's host that answers.
    HostUp,
    /// A vendor daemon that answers.
    DaemonUp,
    /// Whatever it is, it does not answer.
    Down,
}

/// Cuts `lic1: license server UP (MASTER) v11.13`, `acmed: UP v11.13`, `acmed: The desired vendor daemon is down.
/// (-97,121)`.
pub(super) fn told(line: &[u8]) -> Option<Told<'_>> {
    let colon = memchr(b':', line)?;
    let (name, rest) = (&line[..colon], trim_start(&line[colon + 1..]));
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || name.len() > 255 || !name.iter().all(plain) {
        return None;
    }
    let is = if rest.starts_with(b"license server UP") {
        Is::HostUp
    } else if rest == b"UP" || rest.starts_with(b"UP v") || rest.starts_with(b"UP (") {
        Is::DaemonUp
    } else if is_failure(rest) {
        Is::Down
    } else {
        return None;
    };
    Some(Told { name: std::str::from_utf8(name).ok()?, is })
}

/// Whether a text says that something did not answer, by its words or by an error number.
pub(super) fn is_failure(text: &[u8]) -> bool {
    let words: [&[u8]; 8] = [
        b"DOWN",
        b"license server DOWN",
        b"Cannot connect to license server",
        b"Cannot read data from license server",
        b"Cannot find SERVER",
        b"The desired vendor daemon is down",
        b"Vendor daemon is down",
        b"License server machine is down",
    ];
    words.iter().any(|words| text.starts_with(words)) || error_number(text).is_some()
}

/// Whether an error says that lmstat and a server did not understand each other.
pub(super) fn is_communication(text: &[u8]) -> bool {
    matches!(error_number(text), Some(7 | 14 | 15 | 16 | 96 | 97))
}

/// The 15 of `(-15,570:115 "…")` at the end of a text.
fn error_number(text: &[u8]) -> Option<u32> {
    let text = trim(text);
    if !text.ends_with(b")") {
        return None;
    }
    let open = memmem::rfind(text, b"(-")?;
    let comma = memchr(b',', &text[open..])?;
    number(&text[open + 2..open + comma])
}

/// The name of a license server by its addresses, and how many hosts it has. A redundant triad is called by its first
/// address, which license files list first on every host.
pub(super) fn server(addresses: &[u8]) -> Option<(String, u32)> {
    let mut all = addresses.split(|&byte| byte == b',').map(trim).filter(|address| !address.is_empty());
    let first = all.next()?;
    let hosts = 1 + all.count().min(100) as u32;
    let host = memrchr(b'@', first).map_or(first, |at| &first[at + 1..]);
    (!host.is_empty() && first.len() <= 300).then(|| (text(first).into_owned(), hosts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_lines() {
        let status = |line: &[u8]| match read(line) {
            Some(Head::Status(at)) => at.map(|(day, second)| format!("{day} {second}")),
            _ => None,
        };
        let day = Some("2018-09-24 21120".to_owned());
        assert_eq!(status(b"Flexible License Manager status on Mon 9/24/2018 05:52"), day);
        assert_eq!(status(b"Flexible License Manager status on Mon 09/24/2018 5:52"), day);
        assert_eq!(status(b"Mon 9/24/2018 05:52"), day);
        assert_eq!(status(b"Flexible License Manager status on Mon 13/24/2018 05:52"), None);
        assert!(matches!(read(b"Flexible License Manager status on 24"), Some(Head::Status(None))));
    }

    #[test]
    fn hosts_and_daemons() {
        let is = |line: &[u8]| told(line).map(|told| told.is);
        assert_eq!(is(b"lic1: license server UP (MASTER) v11.13.0"), Some(Is::HostUp));
        assert_eq!(is(b"acmed: UP v11.13.1"), Some(Is::DaemonUp));
        assert_eq!(is(b"acmed: The desired vendor daemon is down. (-97,121)"), Some(Is::Down));
        assert_eq!(
            is(b"lic3: Cannot connect to license server system. (-15,570:115 \"In progress\")"),
            Some(Is::Down)
        );
        assert_eq!(is(b"acmed: anything at all"), None);
        assert!(is_communication(b"x: No socket connection to license server manager (-7,10015)"));
        assert!(!is_communication(b"No such feature exists. (-5,222)"));
    }

    #[test]
    fn servers_are_called_by_their_first_address() {
        assert_eq!(server(b"27000@lic1"), Some(("27000@lic1".to_owned(), 1)));
        assert_eq!(server(b"27000@lic1,27000@lic2,27000@lic3"), Some(("27000@lic1".to_owned(), 3)));
        assert_eq!(server(b""), None);
        assert_eq!(server(b"27000@"), None);
    }

    #[test]
    fn noise() {
        for line in [
            "lmstat v11.14.0.1 build 188735 x64_lsb",
            "lmstat",
            "./lmutil lmstat -c service.txt -a",
            "C:\\Some Tools>lmutil.exe lmstat -a",
            "$ lmutil lmstat -a -c 27000@lic1",
            "lmstat -a is recommended instead.",
            "...",
            "_______   _________",
            "uncounted nodelocked license locked to NOTHING (hostid=ANY)",
        ] {
            assert_eq!(read(line.as_bytes()), Some(Head::Noise), "{line}");
        }
        assert_eq!(
            read(b"lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved."),
            Some(Head::Copyright)
        );
        assert_eq!(read(b"------------------------"), Some(Head::Rule));
        assert_eq!(read(b"Users of nothing"), None);
    }
}
