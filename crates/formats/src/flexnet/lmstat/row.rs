//! Holder rows, read from the right: `user host display (v1.0) (lic1/27000 101), start Mon 9/24 5:34, 3 licenses`.
//!
//! Users and displays hold blanks, quotes and brackets, so only the end of a row is sure.

use crate::text::{is_blank, number};
use memchr::{memchr, memrchr};

/// A row in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) holder: Holder<'a>,
    /// Without its `v`; empty where none is printed.
    pub(super) version: &'a str,
    /// `lic1/27000 101`: license server, port and handle, which together are a hold's name.
    pub(super) handle: &'a str,
    pub(super) seats: u32,
    pub(super) state: State,
}

/// Whether the row holds seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Seats were given out.
    Holds {
        start: Start,
        /// Whether they are kept though the program has ended (`linger`).
        lingers: bool,
    },
    /// It waits for seats.
    Queued,
}

/// When seats were given out, without a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// `Mon` and the like: first byte of each.
    pub(super) weekday: [u8; 3],
    pub(super) month: u32,
    pub(super) of_month: u32,
    /// The second of the day.
    pub(super) second: u32,
}

/// Who holds; what is not printed is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holder<'a> {
    pub(super) user: &'a str,
    pub(super) host: &'a str,
    pub(super) display: &'a str,
    /// A word more than user, host and display: a suite or token (`CAMPUS:NASTRAN`).
    pub(super) data: &'a str,
}

/// Why a text is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// It does not look like one.
    NoRow,
    /// It does, but cannot be read.
    Broken(&'static str),
}

const START: &str = ", start ";
const QUEUED: &str = "queued for ";

/// Cuts a row without blanks around it.
#[inline]
pub(super) fn parse(text: &str) -> Result<Row<'_>, Miss> {
    let (mut before, mut handle, mut tail) = last_bracket(text).ok_or(Miss::NoRow)?;
    let lingers = handle.trim_start().starts_with("linger");
    if lingers {
        if !is_process(tail) {
            return Err(Miss::Broken("text after the linger time that cannot be read"));
        }
        (before, handle, tail) = last_bracket(before).ok_or(Miss::NoRow)?;
    }
    let queued = trim_start(tail).strip_prefix(QUEUED);
    let start = tail.strip_prefix(START);
    if start.is_none() && queued.is_none() {
        let looks_so = version(trim_end(before)).is_some_and(|(_, version)| !version.is_empty());
        return Err(if looks_so { Miss::Broken("holder row without a start") } else { Miss::NoRow });
    }
    let before = trim_end(before);
    let (left, version) = version(before).unwrap_or((before, ""));
    let holder = holder(left, version);
    if holder.user.is_empty() || handle.is_empty() {
        return Err(Miss::Broken("holder row without a holder"));
    }
    let (state, seats) = match (start, queued) {
        (Some(rest), _) => {
            let (start, rest) =
                cut_start(rest.as_bytes()).ok_or(Miss::Broken("start that cannot be read"))?;
            let seats = seats(rest).ok_or(Miss::Broken("text after the start that cannot be read"))?;
            (State::Holds { start, lingers }, seats)
        }
        (None, Some(rest)) => {
            let seats = licenses(rest).ok_or(Miss::Broken("queued for what cannot be read"))?;
            (State::Queued, seats)
        }
        (None, None) => return Err(Miss::NoRow),
    };
    Ok(Row { holder, version, handle, seats, state })
}

/// The text in the last pair of brackets, with what stands before and after it.
#[inline]
fn last_bracket(text: &str) -> Option<(&str, &str, &str)> {
    let close = memrchr(b')', text.as_bytes())?;
    let open = memrchr(b'(', &text.as_bytes()[..close])?;
    Some((&text[..open], &text[open + 1..close], &text[close + 1..]))
}

/// Cuts ` (v1.0)` off.
#[inline]
fn version(before: &str) -> Option<(&str, &str)> {
    let inner = before.strip_suffix(')')?;
    let open = memrchr(b'(', inner.as_bytes())?;
    let version = inner[open + 1..].strip_prefix(['v', 'V'])?;
    Some((trim_end(&before[..open]), version))
}

/// `Mon 9/24 5:34`, with seconds where lmstat was asked for them.
#[inline]
fn cut_start(text: &[u8]) -> Option<(Start, &[u8])> {
    let (weekday, text) = crate::text::word(text);
    let weekday = <[u8; 3]>::try_from(weekday).ok()?;
    let (date, text) = crate::text::word(text);
    let slash = memchr(b'/', date)?;
    let (month, of_month) = (number(&date[..slash])?, number(&date[slash + 1..])?);
    let text = crate::text::trim_start(text);
    let end = text.iter().position(|&byte| byte == b',' || is_blank(byte)).unwrap_or(text.len());
    let (time, rest) = text.split_at(end);
    let second = time_of_day(time)?;
    ((1..=12).contains(&month) && (1..=31).contains(&of_month))
        .then_some((Start { weekday, month, of_month, second }, rest))
}

/// `5:34`, `05:34` or either with seconds, as a second of the day.
#[inline]
pub(super) fn time_of_day(time: &[u8]) -> Option<u32> {
    let colon = memchr(b':', time)?;
    let (hour, rest) = (number(&time[..colon])?, &time[colon + 1..]);
    let (minute, second) = match rest {
        [_, _] => (number(rest)?, 0),
        [m1, m2, b':', second @ ..] => (number(&[*m1, *m2])?, crate::text::two(second)?),
        _ => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second)
}

/// The seats of `, 3 licenses, PID: 17`; 1 where none are printed.
#[inline]
fn seats(rest: &[u8]) -> Option<u32> {
    let rest = crate::text::trim(rest);
    if rest.is_empty() {
        return Some(1);
    }
    let rest = std::str::from_utf8(rest).ok()?;
    if is_process(rest) {
        return Some(1);
    }
    let rest = rest.strip_prefix(',')?;
    let (count, process) = rest.split_at(memchr(b',', rest.as_bytes()).unwrap_or(rest.len()));
    if is_process(process) { licenses(count) } else { None }
}

/// Whether nothing more is said than the client's process id.
fn is_process(rest: &str) -> bool {
    let rest = rest.trim();
    rest.is_empty() || rest.strip_prefix(',').is_some_and(|rest| rest.trim_start().starts_with("PID:"))
}

/// The number of `3 licenses`.
fn licenses(text: &str) -> Option<u32> {
    let (count, unit) = crate::text::word(text.as_bytes());
    let unit = crate::text::trim(unit);
    if unit == b"licenses" || unit == b"license" { number(count) } else { None }
}

/// User, host and display of what stands left of the version.
#[inline]
fn holder<'a>(left: &'a str, version: &str) -> Holder<'a> {
    let (rest, display) = last_word(left);
    let (rest, host) = last_word(rest);
    let user = trim_start(trim_end(rest));
    if user.is_empty() {
        // The display is missing, or more.
        let (user, host) = if host.is_empty() { (display, "") } else { (host, display) };
        return Holder { user, host, ..Holder::default() };
    }
    if user.bytes().any(is_blank) {
        return holder_of_many(left, version);
    }
    Holder { user, host, display, data: "" }
}

/// Four words or more: one of user, host and display holds blanks, or a word follows them. What decides, the first
/// that fits:
///
/// 1. a last word that is the version once more is left out;
/// 2. two equal words side by side are host and display, as Windows prints them;
/// 3. a word that looks like a terminal or an X display is the display, the one before it the host;
/// 4. a last word `name:value` or `name=value` is checkout data, behind host and display;
/// 5. the last word but one that can be a host's name is the host, and all behind it the display.
///
/// What stands before the host is the user, what stands behind the display is checkout data.
#[cold]
fn holder_of_many<'a>(left: &'a str, version: &str) -> Holder<'a> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    for piece in left.split([' ', '\t']) {
        if !piece.is_empty() {
            words.push((from, from + piece.len()));
        }
        from += piece.len() + 1;
    }
    let word = |index: usize| words.get(index).map_or("", |&(from, until)| &left[from..until]);
    let span = |first: usize, last: usize| match (words.get(first), words.get(last)) {
        (Some(&(from, _)), Some(&(_, until))) if from <= until => &left[from..until],
        _ => "",
    };
    let mut count = words.len();
    if word(count - 1) == version && count > 3 {
        count -= 1;
    }
    let of = |host: usize, display: usize| Holder {
        user: span(0, host - 1),
        host: word(host),
        display: span(host + 1, display),
        data: if display + 1 < count { span(display + 1, count - 1) } else { "" },
    };
    let last = count - 1;
    if count <= 3 {
        return of(last - 1, last);
    }
    let twice = (1..last).rev().find(|&at| word(at).eq_ignore_ascii_case(word(at + 1)));
    let screen = (2..count).find(|&at| is_screen(word(at)));
    if let Some(host) = twice {
        of(host, host + 1)
    } else if let Some(display) = screen {
        of(display - 1, display)
    } else if is_data(word(last)) {
        of(last - 2, last - 1)
    } else {
        let host = (1..last).rev().find(|&at| is_host(word(at))).unwrap_or(last - 1);
        of(host, last)
    }
}

/// `/dev/pts/3`, `:0`, `ws-07:10.0`.
fn is_screen(word: &str) -> bool {
    let number =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    word.starts_with("/dev/") || word.rsplit_once(':').is_some_and(|(_, screen)| number(screen))
}

/// `SUITE:feature`, `feature=name`.
fn is_data(word: &str) -> bool {
    let parts = word.split_once([':', '=']);
    parts.is_some_and(|(name, value)| is_host(name) && !value.is_empty())
}

fn is_host(word: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '-');
    !word.is_empty() && word.chars().all(plain)
}

/// What stands before the last word, and that word; both empty at the end.
#[inline]
fn last_word(text: &str) -> (&str, &str) {
    let text = trim_end(text);
    let from = text.bytes().rposition(is_blank).map_or(0, |blank| blank + 1);
    text.split_at(from)
}

#[inline]
fn trim_start(text: &str) -> &str {
    &text[text.len() - crate::text::trim_start(text.as_bytes()).len()..]
}

#[inline]
fn trim_end(text: &str) -> &str {
    &text[..crate::text::trim_end(text.as_bytes()).len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let said = match parse(text) {
            Ok(Row { holder, version, handle, seats, state }) => {
                let Holder { user, host, display, data } = holder;
                let state = match state {
                    State::Queued => "queued".to_owned(),
                    State::Holds { start, lingers } => {
                        let Start { month, of_month, second, .. } = start;
                        format!("{month}/{of_month} {second}{}", if lingers { " lingers" } else { "" })
                    }
                };
                format!("{user}|{host}|{display}|{data} {version} <{handle}> {seats} {state}")
            }
            Err(miss) => format!("{miss:?}"),
        };
        expected.assert_eq(&said);
    }

    /// The holder of a row with these words.
    fn left(words: &str, expected: &Expect) {
        let text = format!("{words} (v1.0) (lic1/27000 101), start Mon 9/24 5:34");
        let said = parse(&text).map_or("none".to_owned(), |row| {
            let Holder { user, host, display, data } = row.holder;
            format!("{user}|{host}|{display}|{data}")
        });
        expected.assert_eq(&said);
    }

    #[test]
    fn every_end_of_a_row() {
        let row = |end: &str| format!("amara ws-07 /dev/tty (v2024.06) (lic1/27000 101){end}");
        check(
            &row(", start Mon 9/24 5:34"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 1 9/24 20040"],
        );
        check(
            &row(", start Mon 9/24 05:34:07"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 1 9/24 20047"],
        );
        check(
            &row(", start Mon 9/24 5:34, 16 licenses"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 16 9/24 20040"],
        );
        check(
            &row(", start Mon 9/24 5:34 (linger: 239100)"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 1 9/24 20040 lingers"],
        );
        check(
            &row(", start Mon 9/24 5:34, 50 licenses (linger: 2597820)"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 50 9/24 20040 lingers"],
        );
        check(
            &row(", start Mon 9/24 5:34, 4 licenses  (linger: 4263164 / 5487240)"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 4 9/24 20040 lingers"],
        );
        check(
            &row(", start Mon 9/24 5:34, PID: 2924522"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 1 9/24 20040"],
        );
        check(
            &row(", start Mon 9/24 5:34, 3 licenses, PID: 17 "),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 3 9/24 20040"],
        );
        check(
            &row(", start Mon 9/24 5:34  (linger: 9 / 10), PID: 17"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 1 9/24 20040 lingers"],
        );
        check(
            &row(" queued for 2 licenses"),
            &expect!["amara|ws-07|/dev/tty| 2024.06 <lic1/27000 101> 2 queued"],
        );
    }

    #[test]
    fn broken_ends_are_no_rows() {
        let row = |end: &str| format!("amara ws-07 /dev/tty (v2024.06) (lic1/27000 101){end}");
        check(&row(", start Mon 9/24"), &expect![[r#"Broken("start that cannot be read")"#]]);
        check(
            &row(", start Mon 9/24 5:34, all licenses"),
            &expect![[r#"Broken("text after the start that cannot be read")"#]],
        );
        check(&row(", sta"), &expect![[r#"Broken("holder row without a start")"#]]);
        check(&row(""), &expect![[r#"Broken("holder row without a start")"#]]);
        check("floating license", &expect!["NoRow"]);
        check("Users of f:  (Total of 1 license issued;  Total of 0 licenses in use)", &expect!["NoRow"]);
        check(
            "(v1.0) (lic1/27000 101), start Mon 9/24 5:34",
            &expect![[r#"Broken("holder row without a holder")"#]],
        );
    }

    #[test]
    fn users_hosts_and_displays() {
        left("amara ws-07 /dev/tty", &expect!["amara|ws-07|/dev/tty|"]);
        left("amara ws-07", &expect!["amara|ws-07||"]);
        left("amara", &expect!["amara|||"]);
        left("7 WS-07 WS-07", &expect!["7|WS-07|WS-07|"]);
        left("Amara B. Chen WS-07 ws-07", &expect!["Amara B. Chen|WS-07|ws-07|"]);
        left("amara  chen ws-07  /dev/pts/3", &expect!["amara  chen|ws-07|/dev/pts/3|"]);
        left("amara ws-07 r%.=H@QVO!;~_8'", &expect!["amara|ws-07|r%.=H@QVO!;~_8'|"]);
        left("amara ws-07 |)1<a)=\"x[<2b$x-f\\<", &expect!["amara|ws-07||)1<a)=\"x[<2b$x-f\\<|"]);
        left("amara ws-07 8e/^i` q(un", &expect!["amara|ws-07|8e/^i` q(un|"]);
        left("AMARA WS-07 WS-07 SUITE:Solve", &expect!["AMARA|WS-07|WS-07|SUITE:Solve"]);
        left("AMARA WS-07 TERM9 SUITE:Solve", &expect!["AMARA|WS-07|TERM9|SUITE:Solve"]);
        left(
            "amara n-7.example /dev/tty feature=solve",
            &expect!["amara|n-7.example|/dev/tty|feature=solve"],
        );
        left("amara ws-07 ws-07:10.0 solve", &expect!["amara|ws-07|ws-07:10.0|solve"]);
        left("amara ws-07 TERM9 1.0", &expect!["amara|ws-07|TERM9|"]);
        left("Amara Chen ws-07 TERM9", &expect!["Amara Chen|ws-07|TERM9|"]);
        left("José ws-07 ws-07", &expect!["José|ws-07|ws-07|"]);
    }
}
