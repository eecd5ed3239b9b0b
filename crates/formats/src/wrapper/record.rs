//! The record itself: `app START 20001120-0747 user PID: 599`.

use crate::text::{day, number, text, trim, two, word};
use accounting::day::Day;
use accounting::event::Claim;

/// The tag with which wrapper scripts call `logger`.
pub(super) const TAG: &[u8] = b"LIC_ACC";

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Application, user and process; the host is the line's.
    pub(super) claim: Claim<'a>,
    pub(super) starts: bool,
    pub(super) day: Day,
    /// The minute of the day.
    pub(super) minute: u32,
}

/// Reads a record, or says why not.
pub(super) fn parse(record: &[u8]) -> Result<Record<'_>, &'static str> {
    let (app, starts, stamp, rest) = verb(record)?;
    let (day, minute) = moment(stamp).ok_or("record with a stamp that is no time")?;
    let at = memchr::memmem::rfind(rest, b"PID:").ok_or("record without a process id")?;
    let (pid, _) = word(&rest[at + 4..]);
    if pid.is_empty() || pid.len() > 20 || !pid.iter().all(u8::is_ascii_digit) {
        return Err("record without a process id");
    }
    let user = trim(&rest[..at]);
    if user.is_empty() {
        return Err("record without a user");
    }
    let claim = Claim { feature: text(app), user: text(user), handle: Some(text(pid)), seats: 1, ..Claim::default() };
    Ok(Record { claim, starts, day, minute })
}

/// Cuts a record at the verb that stands before its stamp: applications may hold blanks, and these words.
fn verb(record: &[u8]) -> Result<(&[u8], bool, &[u8], &[u8]), &'static str> {
    let mut seen = false;
    let mut rest = record;
    loop {
        let (next, after) = word(rest);
        if next.is_empty() {
            return Err(if seen { "record without a stamp" } else { "record without START or STOP" });
        }
        if let b"START" | b"STOP" | b"END" = next {
            seen = true;
            let (stamp, behind) = word(after);
            if is_stamp(stamp) {
                let app = trim(&record[..record.len() - after.len() - next.len()]);
                if app.is_empty() {
                    return Err("record without an application");
                }
                return Ok((app, next == b"START", stamp, behind));
            }
        }
        rest = after;
    }
}

fn is_stamp(stamp: &[u8]) -> bool {
    stamp.len() == 13
        && stamp.iter().enumerate().all(|(at, byte)| if at == 8 { *byte == b'-' } else { byte.is_ascii_digit() })
}

/// `YYYYMMDD-HHMM`
fn moment(stamp: &[u8]) -> Option<(Day, u32)> {
    let day = day(number(&stamp[..4])?, two(&stamp[4..6])?, two(&stamp[6..8])?)?;
    let (hour, minute) = (two(&stamp[9..11])?, two(&stamp[11..13])?);
    (hour < 24 && minute < 60).then_some((day, hour * 60 + minute))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(record: &str, expected: Expect) {
        let actual = match parse(record.as_bytes()) {
            Ok(Record { claim, starts, day, minute }) => {
                let Claim { feature, user, handle, .. } = claim;
                let verb = if starts { "starts" } else { "stops" };
                format!("{feature} {verb} {day} {minute} by {user} as {}", handle.unwrap_or_default())
            }
            Err(reason) => reason.to_owned(),
        };
        expected.assert_eq(&actual);
    }

    #[test]
    fn records() {
        check("app1 START 20001120-0747 fiore PID: 599", expect!["app1 starts 2000-11-20 467 by fiore as 599"]);
        check("app1 END 20001120-0747 fiore PID:599", expect!["app1 stops 2000-11-20 467 by fiore as 599"]);
        check("my START app STOP 20001120-0747 a b PID: 1 ", expect!["my START app stops 2000-11-20 467 by a b as 1"]);
    }

    #[test]
    fn no_records() {
        check("", expect!["record without START or STOP"]);
        check("app1 STOPPED 20001120-0747 fiore PID: 599", expect!["record without START or STOP"]);
        check("app1 START 2000 fiore PID: 599", expect!["record without a stamp"]);
        check("app1 START 20001320-0747 fiore PID: 599", expect!["record with a stamp that is no time"]);
        check("app1 START 20001120-0747 fiore", expect!["record without a process id"]);
        check("app1 START 20001120-0747 fiore PID: x1", expect!["record without a process id"]);
        check("app1 START 20001120-0747 PID: 599", expect!["record without a user"]);
        check("START 20001120-0747 fiore PID: 599", expect!["record without an application"]);
    }
}
