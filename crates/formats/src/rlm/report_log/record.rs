//! Records of the report log, as RLM's manual lists them.
//!
//! ```text
//! OUT product version pool user host "isv" count use resuse handle share pid "project" "product" "version" mm/dd hh:mm:ss
//! OUT product version user host "isv" count handle share hh:mm                                          (small)
//! IN why product version user host "isv" count use resuse handle mm/dd hh:mm:ss;  IN why count handle hh:mm  (small)
//! DENY product version user host "isv" count why last [pid] mm/dd hh:mm
//! INUSE product version pool user host "isv" count handle [share] pid mm/dd hh:mm:ss
//! QUE product version user host "isv" count handle ["project" "product" "version" mm/dd] hh:mm
//! DEQUE why product version user host "isv" count handle mm/dd hh:mm:ss;  DEQUE why count handle hh:mm  (small)
//! ```

use super::fields::{Fields, cut};
use crate::rlm::dates::{Date, Stamp, date, time};
use crate::text::{number, text};
use std::borrow::Cow;

/// Who uses what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who<'a> {
    pub(super) product: Cow<'a, str>,
    pub(super) version: Cow<'a, str>,
    pub(super) user: Cow<'a, str>,
    pub(super) host: Cow<'a, str>,
}

/// A record of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    /// None in the small form's checkins.
    pub(super) who: Option<Who<'a>>,
    pub(super) count: u32,
    pub(super) handle: Cow<'a, str>,
    /// The handle with which seats are shared; the record's own where they are not.
    pub(super) share: Option<Cow<'a, str>>,
    pub(super) stamp: Stamp,
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Out,
    /// With the reason's number.
    In(u32),
    /// With the status number (without its sign), and whether the client tries no other server.
    Deny(u32, bool),
    InUse,
    Queue,
    Dequeue,
}

/// Reads a record of a client; none where its first word is no kind of record.
pub(super) fn parse(line: &[u8]) -> Option<Result<Record<'_>, &'static str>> {
    let (word, _) = crate::text::word(line);
    let parse = match word {
        b"OUT" => out,
        b"IN" => checkin,
        b"DENY" => deny,
        b"INUSE" => in_use,
        b"QUE" => queue,
        b"DEQUE" => dequeue,
        _ => return None,
    };
    Some(cut(line).ok_or("record with a quote that never closes").and_then(|fields| parse(&fields)))
}

/// Product, version, user and host, and where the text after them stands. A user may be a name with blanks.
fn who<'a>(fields: &Fields<'a>, product: usize, user: usize) -> Option<(Who<'a>, usize)> {
    let isv = fields.quoted_from(user + 2)?;
    let who = Who {
        product: text(fields.get(product)?),
        version: text(fields.get(product + 1)?),
        user: text(fields.span(user, isv - 2)?),
        host: text(fields.get(isv - 1)?),
    };
    Some((who, isv))
}

fn count(fields: &Fields<'_>, at: usize) -> Option<u32> {
    number(fields.get(at)?)
}

fn handle<'a>(fields: &Fields<'a>, at: usize) -> Option<Cow<'a, str>> {
    let handle = fields.get(at)?;
    let is_hex = !handle.is_empty() && handle.len() <= 16 && handle.iter().all(u8::is_ascii_hexdigit);
    is_hex.then(|| text(handle))
}

/// The first date and time from a field on, and where it stands.
fn stamp_from(fields: &Fields<'_>, from: usize) -> Option<(usize, Stamp)> {
    fields.find_pair(from, |day, of_day| {
        let time = time(of_day)?;
        Some(Stamp::new(date(day)?, time))
    })
}

/// The small form's time, which is the last field.
fn time_at(fields: &Fields<'_>, at: usize) -> Option<Stamp> {
    let time = time(fields.get(at)?)?;
    (at + 1 == fields.len()).then_some(Stamp::new(Date::None, time))
}

fn out<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    const TRUNCATED: &str = "checkout that breaks off";
    // The small form has no pool: its time follows the handles.
    let small = || {
        let (who, isv) = who(fields, 1, 3)?;
        let stamp = time_at(fields, isv + 4)?;
        record(
            Kind::Out,
            Some(who),
            count(fields, isv + 1)?,
            handle(fields, isv + 2)?,
            handle(fields, isv + 3),
            stamp,
        )
    };
    let std = || {
        let (who, isv) = who(fields, 1, 4)?;
        let (_, stamp) = stamp_from(fields, isv + 6)?;
        record(
            Kind::Out,
            Some(who),
            count(fields, isv + 1)?,
            handle(fields, isv + 4)?,
            handle(fields, isv + 5),
            stamp,
        )
    };
    std().or_else(small).ok_or(TRUNCATED)
}

fn checkin<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    returned(fields, Kind::In, 4).ok_or("checkin that breaks off")
}

fn dequeue<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    returned(fields, |_| Kind::Dequeue, 2).ok_or("end of waiting that breaks off")
}

/// `handle_at`: how many fields behind the text the handle stands in the long forms.
fn returned<'a>(fields: &Fields<'a>, kind: impl Fn(u32) -> Kind, handle_at: usize) -> Option<Record<'a>> {
    let why = count(fields, 1)?;
    if fields.len() == 5
        && let Some(stamp) = time_at(fields, 4)
    {
        return record(kind(why), None, count(fields, 2)?, handle(fields, 3)?, None, stamp);
    }
    let (who, isv) = who(fields, 2, 4)?;
    let (_, stamp) = stamp_from(fields, isv + handle_at + 1)?;
    record(kind(why), Some(who), count(fields, isv + 1)?, handle(fields, isv + handle_at)?, None, stamp)
}

fn deny<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    let read = || {
        let (who, isv) = who(fields, 1, 3)?;
        let status = fields.get(isv + 2)?;
        let status = number(status.strip_prefix(b"-").unwrap_or(status))?;
        let last = fields.get(isv + 3)?;
        let last = number(last.strip_prefix(b"-").unwrap_or(last))? != 0;
        let (_, stamp) = stamp_from(fields, isv + 4)?;
        record(Kind::Deny(status, last), Some(who), count(fields, isv + 1)?, Cow::Borrowed(""), None, stamp)
    };
    read().ok_or("denial that breaks off")
}

fn in_use<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    let read = || {
        let (who, isv) = who(fields, 1, 4)?;
        let (dated, stamp) = stamp_from(fields, isv + 4)?;
        // Since version 12.2 the shared handle stands before the process.
        let share = if dated > isv + 4 { handle(fields, isv + 3) } else { None };
        record(Kind::InUse, Some(who), count(fields, isv + 1)?, handle(fields, isv + 2)?, share, stamp)
    };
    read().ok_or("license in use that breaks off")
}

fn queue<'a>(fields: &Fields<'a>) -> Result<Record<'a>, &'static str> {
    let read = || {
        let (who, isv) = who(fields, 1, 3)?;
        let stamp = match stamp_from(fields, isv + 3) {
            Some((_, stamp)) => stamp,
            None => time_at(fields, isv + 3)?,
        };
        record(Kind::Queue, Some(who), count(fields, isv + 1)?, handle(fields, isv + 2)?, None, stamp)
    };
    read().ok_or("queued request that breaks off")
}

#[expect(clippy::unnecessary_wraps, reason = "the last step of chains of options")]
fn record<'a>(
    kind: Kind,
    who: Option<Who<'a>>,
    count: u32,
    handle: Cow<'a, str>,
    share: Option<Cow<'a, str>>,
    stamp: Stamp,
) -> Option<Record<'a>> {
    Some(Record { kind, who, count, handle, share, stamp })
}

/// `PRODUCT name version pool count reservations …`: the product and its seats, `None` where they are not counted.
///
/// The count is that of seats that anybody may have; reserved ones are apart from it.
pub(super) fn product(line: &[u8]) -> Option<(Cow<'_, str>, Option<u32>)> {
    let fields = cut(line)?;
    let (free, reserved) = (count(&fields, 4)?, count(&fields, 5)?);
    let product = fields.get(1).filter(|product| !product.is_empty())?;
    let all = free.saturating_add(reserved);
    Some((text(product), (all > 0).then_some(all)))
}

/// The last date and time of a line that ends in them, such as `REREAD user host mm/dd hh:mm:ss`.
pub(super) fn stamp_at_end(line: &[u8]) -> Option<Stamp> {
    let line = crate::text::trim_end(line);
    let last = line.iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1);
    let before = crate::text::trim_end(&line[..last]);
    let first = before.iter().rposition(|&byte| byte == b' ').map_or(0, |at| at + 1);
    let time = time(&line[last..])?;
    Some(Stamp::new(date(&before[first..])?, time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(line: &str, expected: &Expect) {
        let said = match parse(line.as_bytes()) {
            None => "no record".to_owned(),
            Some(Err(reason)) => reason.to_owned(),
            Some(Ok(Record { kind, who, count, handle, share, stamp })) => {
                let who = who.map(|who| format!("{}|{}|{}|{}", who.product, who.version, who.user, who.host));
                let Stamp { date, second, millis, .. } = stamp;
                let stamp = format!("{date:?} {second}.{millis:03}");
                format!("{kind:?} {who:?} {count} {handle} {share:?} {stamp}")
            }
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn checkouts() {
        check(
            r#"OUT solver 5.0 3 amara ws-07 "x y" 2 4 0 1dc 150 4da8 "p" "solver" "5.0" 09/04 00:04:49"#,
            &expect![[r#"Out Some("solver|5.0|amara|ws-07") 2 1dc Some("150") MonthDay(9, 4) 289.000"#]],
        );
        check(
            r#"OUT solver 5.0 3 Amara B ws-07 "" 1 1 0 1dc 1dc 4da8 "" "" "" 09/04 00:04:49.1230 "x64_w4 10.0" "C:\a b\x.exe" 0 0 10.0.0.7"#,
            &expect![[r#"Out Some("solver|5.0|Amara B|ws-07") 1 1dc Some("1dc") MonthDay(9, 4) 289.123"#]],
        );
        check(
            r#"OUT solver 5.0 amara ws-07 "" 1 1dc 1dc 10:15"#,
            &expect![[r#"Out Some("solver|5.0|amara|ws-07") 1 1dc Some("1dc") None 36900.000"#]],
        );
        check(
            r#"OUT solver 5.0 3 "" "" "" 1 1 0 1dc 1dc 4da8 "" "" "" 09/04 00:04:49"#,
            &expect![[r#"Out Some("solver|5.0||") 1 1dc Some("1dc") MonthDay(9, 4) 289.000"#]],
        );
        check(r#"OUT datavis 2.04 1 cecil ws-07 """#, &expect!["checkout that breaks off"]);
        check(r#"OUT datavis 2.04 1 cecil ws-07 ""#, &expect!["record with a quote that never closes"]);
        check("OUTPUT x", &expect!["no record"]);
    }

    #[test]
    fn checkins() {
        check(
            r#"IN 4 solver 5.0 amara ws-07 "" 2 0 0 1db 09/04 00:04:24"#,
            &expect![[r#"In(4) Some("solver|5.0|amara|ws-07") 2 1db None MonthDay(9, 4) 264.000"#]],
        );
        check("IN 1 2 1db 00:04", &expect!["In(1) None 2 1db None None 240.000"]);
        check("IN 1 2 1db", &expect!["checkin that breaks off"]);
    }

    #[test]
    fn others() {
        check(
            r#"DENY solver 5.0 amara ws-07 "" 1 -22 1 485c 09/04 00:00"#,
            &expect![[r#"Deny(22, true) Some("solver|5.0|amara|ws-07") 1  None MonthDay(9, 4) 0.000"#]],
        );
        check(
            r#"DENY solver 5.0 amara ws-07 "" 1 -22 0 09/04 00:00:01.5000"#,
            &expect![[r#"Deny(22, false) Some("solver|5.0|amara|ws-07") 1  None MonthDay(9, 4) 1.500"#]],
        );
        check(
            r#"INUSE solver 5.0 1 amara ws-07 "" 1 5e 5f a754 09/04 00:00:04"#,
            &expect![[r#"InUse Some("solver|5.0|amara|ws-07") 1 5e Some("5f") MonthDay(9, 4) 4.000"#]],
        );
        check(
            r#"INUSE solver 5.0 1 amara ws-07 "" 1 5e a754 09/04 00:00:04"#,
            &expect![[r#"InUse Some("solver|5.0|amara|ws-07") 1 5e None MonthDay(9, 4) 4.000"#]],
        );
        check(
            r#"QUE solver 5.0 amara ws-07 "" 1 6a "" "" "" 09/04 00:00:04"#,
            &expect![[r#"Queue Some("solver|5.0|amara|ws-07") 1 6a None MonthDay(9, 4) 4.000"#]],
        );
        check(
            r#"DEQUE 6 solver 5.0 amara ws-07 "" 1 6a 09/04 00:00:04"#,
            &expect![[r#"Dequeue Some("solver|5.0|amara|ws-07") 1 6a None MonthDay(9, 4) 4.000"#]],
        );
    }

    #[test]
    fn products_have_free_and_reserved_seats() {
        assert_eq!(product(b"PRODUCT a 1.0 1 50 0 50 \"\""), Some((Cow::Borrowed("a"), Some(50))));
        assert_eq!(product(b"PRODUCT a 1.0 1 0 5 5"), Some((Cow::Borrowed("a"), Some(5))));
        assert_eq!(product(b"PRODUCT a 1.0 1 0 0 0"), Some((Cow::Borrowed("a"), None)));
        assert_eq!(product(b"PRODUCT a 1.0 1"), None);
    }
}
