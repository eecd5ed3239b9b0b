//! Programs, groups and holders.

use crate::text::{number, trim, word};
use accounting::event::Expires;
use memchr::memchr;

/// `MPPDYNA 12/30/2022 - 60 500 | 0`, or the line of a group, which expires nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Program<'a> {
    pub(super) name: &'a [u8],
    /// None for a group.
    pub(super) expires: Option<Expires>,
    /// None where holders follow.
    pub(super) used: Option<u32>,
    pub(super) most: u32,
    pub(super) queued: u32,
}

/// `amara 59005@ws-07 80`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder<'a> {
    pub(super) user: &'a [u8],
    pub(super) pid: &'a [u8],
    pub(super) host: &'a [u8],
    pub(super) cpus: u32,
}

/// `PROGRAM          EXPIRATION CPUS  USED   FREE    MAX | QUEUE`
pub(super) fn is_header(line: &[u8]) -> bool {
    let (first, rest) = word(line);
    first == b"PROGRAM" && word(rest).0 == b"EXPIRATION" && line.ends_with(b"QUEUE")
}

pub(super) fn program(line: &[u8]) -> Option<Program<'_>> {
    let bar = memchr(b'|', line)?;
    let queued = number(trim(&line[bar + 1..]))?;
    let (rest, most) = cut_last(trim(&line[..bar]))?;
    let (rest, free) = cut_last(rest)?;
    let (rest, used) = cut_last(rest)?;
    let most = number(most).filter(|_| number(free).is_some())?;
    let used = if used == b"-" { None } else { Some(number(used)?) };
    if rest == b"LICENSE GROUP" {
        return Some(Program { name: rest, expires: None, used, most, queued });
    }
    let (rest, date) = cut_last(rest)?;
    let expires = date_of(date)?;
    (!rest.is_empty()).then_some(Program { name: rest, expires: Some(expires), used, most, queued })
}

/// The last word, and what stands before it.
fn cut_last(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|byte| matches!(byte, b' ' | b'\t'))?;
    Some((trim(&text[..at]), &text[at + 1..]))
}

/// `12/30/2022`; none where it does not look like a date.
fn date_of(text: &[u8]) -> Option<Expires> {
    let parts: Vec<&[u8]> = text.split(|&byte| byte == b'/').collect();
    let [month, of_month, year] = parts[..] else { return None };
    let (month, of_month, year) = (number(month)?, number(of_month)?, number(year)?);
    Some(crate::text::day(year, month, of_month).map_or(Expires::Unknown, Expires::On))
}

pub(super) fn holder(line: &[u8]) -> Option<Holder<'_>> {
    let (user, rest) = word(line);
    let (process, rest) = word(rest);
    let (cpus, rest) = word(rest);
    let at = memchr(b'@', process)?;
    let (pid, host) = (&process[..at], &process[at + 1..]);
    let fits = number(pid).is_some() && !host.is_empty() && trim(rest).is_empty();
    let cpus = number(cpus)?;
    fits.then_some(Holder { user, pid, host, cpus })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_groups() {
        let row = program(b"MPPDYNA_971      12/30/2022          -     60    500 |     0").unwrap();
        assert_eq!((row.name, row.used, row.most), (&b"MPPDYNA_971"[..], None, 500));
        let row = program(b"LICENSE GROUP   440     60    500 |     2").unwrap();
        assert_eq!((row.expires, row.used, row.most, row.queued), (None, Some(440), 500, 2));
        for broken in ["MPPDYNA 12/30/2022 - 60 500", "MPPDYNA 12/30/2022 - 60 500 |", "MPPDYNA - 60 500 | 0"]
        {
            assert_eq!(program(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn holders() {
        let row = holder(b"amara     59005@n-7.example  80").unwrap();
        assert_eq!(
            (row.user, row.pid, row.host, row.cpus),
            (&b"amara"[..], &b"59005"[..], &b"n-7.example"[..], 80)
        );
        assert_eq!(holder(b"amara 59005@n-7.example"), None);
        assert_eq!(holder(b"amara ws-07 80"), None);
    }
}
