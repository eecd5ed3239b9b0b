//! License-Monitor-Lite's archive `history.db`, whose rows the store hands out as lines of CSV.

use crate::civil::CivilClock;
use crate::dsls::{stamp, usage};
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::text::{bare, text, trim};
use accounting::UnixMs;
use accounting::event::{CheckinReason, Claim, Event, Pairing, What};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `history-db`.
#[derive(Debug)]
pub(crate) struct HistoryDb;

/// The first line.
const HEADER: &[u8] = b"timestamp,action,username,product_code,hostname";

impl Format for HistoryDb {
    fn name(&self) -> &'static str {
        "history-db"
    }

    fn describe(&self) -> &'static str {
        "License-Monitor-Lite's history.db (SQLite, table session_history): grants, detachments and timeouts"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
        if bare(first) == HEADER { Fit::Yes } else { Fit::No }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader { clock: CivilClock::new(setting.zone.clone(), None) })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let state: State = serde_json::from_str(state)?;
        Ok(Box::new(Reader { clock: CivilClock::new(setting.zone.clone(), state.latest) }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }
}

/// Reads the archive's rows.
struct Reader {
    clock: CivilClock,
}

#[derive(Serialize, Deserialize)]
struct State {
    latest: Option<UnixMs>,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = bare(line);
        let nothing = |line| Read { at: None, process: "", line };
        if line == HEADER {
            return nothing(Line::Note(Note::State));
        }
        if line.trim_ascii().is_empty() {
            return nothing(Line::Noise);
        }
        match row(line) {
            Ok(Row { stamp, what }) => {
                let at = self.clock.tick(stamp.day, stamp.milli);
                let event = Event { at, order: 0, vendor: Cow::Borrowed(""), what };
                Read { at: Some(at), process: "", line: Line::Event { event, times: 1 } }
            }
            Err(reason) => nothing(Line::Unrecognized(reason)),
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&State { latest: self.clock.latest() }).unwrap_or_default()
    }
}

struct Row<'a> {
    stamp: stamp::Stamp,
    what: What<'a>,
}

/// Reads a row, or says why not. The archive keeps no session ids and no counts: a row is of one seat.
fn row(line: &[u8]) -> Result<Row<'_>, &'static str> {
    let mut rest = Some(line);
    let mut next = || field(&mut rest).ok_or("row with too few columns");
    let (time, action) = (next()?, next()?);
    let (user, feature, host) = (next()?, next()?, next()?);
    if rest.is_some() {
        return Err("row with too many columns");
    }
    let stamp = stamp::Stamps::default().read(trim(&time)).ok_or("row without a time that can be read")?;
    let feature = cell(feature);
    if feature.is_empty() {
        return Err("row without a product code");
    }
    let host = match host {
        Cow::Borrowed(host) => text(usage::host(host)),
        Cow::Owned(host) => Cow::Owned(text(usage::host(&host)).into_owned()),
    };
    let claim = Claim { feature, user: cell(user), host, seats: 1, ..Claim::default() };
    let what = match trim(&action) {
        b"Grant" => What::Checkout(claim),
        b"Detachment" => What::Checkin(claim, CheckinReason::Detached),
        b"TimeOut" => What::Checkin(claim, CheckinReason::TimedOut),
        _ => return Err("row with an action that is not known"),
    };
    Ok(Row { stamp, what })
}

fn cell(field: Cow<'_, [u8]>) -> Cow<'_, str> {
    match field {
        Cow::Borrowed(field) => text(trim(field)),
        Cow::Owned(field) => Cow::Owned(text(trim(&field)).into_owned()),
    }
}

/// Takes the next field of a line of CSV; none behind the last.
fn field<'a>(rest: &mut Option<&'a [u8]>) -> Option<Cow<'a, [u8]>> {
    let line = (*rest)?;
    let Some(quoted) = line.strip_prefix(b"\"") else {
        let end = memchr(b',', line);
        *rest = end.map(|end| &line[end + 1..]);
        return Some(Cow::Borrowed(&line[..end.unwrap_or(line.len())]));
    };
    let (mut value, mut left) = (Vec::new(), quoted);
    loop {
        let Some(end) = memchr(b'"', left) else {
            // The quote is never closed: the rest of the line is the field.
            value.extend_from_slice(left);
            *rest = None;
            return Some(Cow::Owned(value));
        };
        value.extend_from_slice(&left[..end]);
        left = &left[end + 1..];
        match left {
            [b'"', more @ ..] => {
                value.push(b'"');
                left = more;
            }
            [b',', more @ ..] => {
                *rest = Some(more);
                return Some(Cow::Owned(value));
            }
            _ => {
                value.extend_from_slice(left);
                *rest = None;
                return Some(Cow::Owned(value));
            }
        }
    }
}

/// Looks for the first row.
#[derive(Default)]
struct Look {
    lines: u64,
    found: Survey,
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let Ok(Row { stamp, .. }) = row(bare(line)) else { return true };
        self.found.first_day = Some(stamp.day);
        self.found.first_second = Some(stamp.milli / 1000);
        self.found.first_dated_line = Some(self.lines);
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Vec<String> {
        let mut rest = Some(line.as_bytes());
        std::iter::from_fn(|| field(&mut rest)).map(|field| text(&field).into_owned()).collect()
    }

    #[test]
    fn fields_with_and_without_quotes() {
        assert_eq!(fields("a,,b"), ["a", "", "b"]);
        assert_eq!(fields(r#""a,b","c ""d""",e"#), ["a,b", "c \"d\"", "e"]);
        assert_eq!(fields("a,"), ["a", ""]);
        assert_eq!(fields(r#""a,b"#), ["a,b"]);
        assert_eq!(fields(""), [""]);
    }

    #[test]
    fn rows_that_cannot_be_read() {
        let reason = |line: &str| row(line.as_bytes()).map(|_| ()).unwrap_err();
        assert_eq!(reason("2025/07/15 02:31:21:836,Grant,amara,CAD"), "row with too few columns");
        assert_eq!(reason("2025/07/15 02:31:21:836,Grant,amara,CAD,h,x"), "row with too many columns");
        assert_eq!(reason("2025-07-15 02:31:21,Grant,amara,CAD,h"), "row without a time that can be read");
        assert_eq!(reason("2025/07/15 02:31:21:836,Grant,amara,,h"), "row without a product code");
        assert_eq!(
            reason("2025/07/15 02:31:21:836,Taken,amara,CAD,h"),
            "row with an action that is not known"
        );
    }
}
