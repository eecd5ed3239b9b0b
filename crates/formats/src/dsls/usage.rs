//! Usage lines, `Grant!!F!…`: what `License usage tracing` writes.
//!
//! ```text
//! Action!!feature![customer id!]session!editor!licence type!count!pool!HOST (hwid)!ip!user!internal id!program!version!pricing
//! ```
//!
//! The customer id is printed by cloud servers only. A program's path may hold `!`, so the fields behind the user are
//! counted from the end.

use crate::text::{Texts, number, trim};
use accounting::event::{CheckinReason, Claim, What};
use memchr::{memchr_iter, memrchr};

/// Fields before the user where there is no customer id.
const USER: usize = 10;
/// Fields of a line without a customer id.
const FIELDS: usize = 15;

/// Reads the text of a usage line, all around which may be known to be text, or says why not.
#[inline]
pub(super) fn parse<'a>(line: &'a [u8], known: Option<&'a str>) -> Result<What<'a>, &'static str> {
    let (fields, count) = fields(line);
    if count == 0 {
        return Err("usage line without fields");
    }
    let what = action(fields[0]).ok_or("usage line with an action that is not known")?;
    // Behind the last `!` there is one field more.
    if count + 1 < FIELDS {
        return Err("usage line with too few fields");
    }
    // The count is a number, the licence type before it is none.
    let shift = match (number(fields[6]), number(fields[7])) {
        (Some(_), _) => 0,
        (None, Some(_)) if count + 1 > FIELDS => 1,
        _ => return Err("usage line whose count of seats is not where it should be"),
    };
    let seats = number(fields[6 + shift]).filter(|seats| *seats > 0).ok_or("usage line without seats")?;
    let (feature, session) = (trim(fields[2]), trim(fields[3 + shift]));
    if feature.is_empty() {
        return Err("usage line without a feature");
    }
    let (version, texts) = (version(line), Texts::new(line, known));
    let claim = Claim {
        feature: texts.of(feature),
        version: (!version.is_empty()).then(|| texts.of(version)),
        user: texts.of(trim(fields[USER + shift])),
        host: texts.of(host(fields[8 + shift])),
        handle: (!session.is_empty()).then(|| texts.of(session)),
        seats,
        ..Claim::default()
    };
    Ok(match what {
        Action::Starts => What::Checkout(claim),
        Action::Ends(reason) => What::Checkin(claim, reason),
    })
}

/// The first fields, and how many `!` there are. Fields are short: eight bytes are looked at together quicker than a search
/// is begun for each.
#[inline]
fn fields(line: &[u8]) -> ([&[u8]; USER + 2], usize) {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let mut fields = [&[][..]; USER + 2];
    let (mut count, mut start) = (0, 0);
    let (words, rest) = line.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let differ = u64::from_le_bytes(*word) ^ (EACH * u64::from(b'!'));
        // The highest bit of each byte that is none of them.
        let others = ((differ & (EACH * 0x7f)) + EACH * 0x7f) | differ;
        let mut found = !others & (EACH * 0x80);
        while found != 0 {
            let end = nth * 8 + found.trailing_zeros() as usize / 8;
            fields[count] = &line[start..end];
            (start, count) = (end + 1, count + 1);
            if count == fields.len() {
                return (fields, count + memchr_iter(b'!', &line[start..]).count());
            }
            found &= found - 1;
        }
    }
    let behind = line.len() - rest.len();
    for (end, _) in (behind..).zip(rest).filter(|(_, byte)| **byte == b'!') {
        if let Some(field) = fields.get_mut(count) {
            *field = &line[start..end];
        }
        (start, count) = (end + 1, count + 1);
    }
    (fields, count)
}

enum Action {
    Starts,
    Ends(CheckinReason),
}

/// What an action does. Offline licences are extracted for a time and restituted: the seat is held meanwhile.
fn action(word: &[u8]) -> Option<Action> {
    let contains = |part: &[u8]| word.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    Some(match word {
        b"Grant" => Action::Starts,
        b"Detachment" => Action::Ends(CheckinReason::Detached),
        b"TimeOut" => Action::Ends(CheckinReason::TimedOut),
        word if word.len() > LONGEST_ACTION => return None,
        _ if contains(b"extract") => Action::Starts,
        _ if contains(b"restitut") => Action::Ends(CheckinReason::Returned),
        _ => return None,
    })
}

/// No action's name is longer.
const LONGEST_ACTION: usize = 64;

/// The last field but one.
fn version(line: &[u8]) -> &[u8] {
    let Some(end) = memrchr(b'!', line) else { return &[] };
    let start = memrchr(b'!', &line[..end]).map_or(0, |at| at + 1);
    trim(&line[start..end])
}

/// The name alone of `HOST (hwid-ip.n)`.
pub(crate) fn host(field: &[u8]) -> &[u8] {
    trim(field.windows(2).position(|two| two == b" (").map_or(field, |at| &field[..at]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fields_end_where_the_marks_are(line in prop::collection::vec(prop::sample::select(b"!! \"a\x01\xa1\xff".to_vec()), 0..90)) {
            let all: Vec<&[u8]> = line.split(|byte| *byte == b'!').collect();
            let (found, count) = fields(&line);
            prop_assert_eq!(count, all.len() - 1);
            for (nth, field) in found.into_iter().enumerate() {
                prop_assert_eq!(field, if nth < count { all[nth] } else { &[] });
            }
        }
    }
}
