//! What stands in the columns of a row.

use super::Column;
use crate::civil::CivilClock;
use crate::iso;
use crate::text::number;
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::Seats;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Why a row cannot be read.
pub(super) type Unread = &'static str;

/// The texts of a row, by what their columns say; what is empty is not there.
#[derive(Debug)]
pub(super) struct Cells<'a>(Vec<(Column, Cow<'a, str>)>);

impl<'a> Cells<'a> {
    /// Of a line of separated values, whose fields stand in the order of the columns.
    pub(super) fn of_row(columns: &[(Column, String)], fields: Vec<Cow<'a, str>>) -> Self {
        let cells = columns.iter().map(|(column, _)| *column).zip(fields);
        Self(cells.filter(|(_, text)| !text.is_empty()).collect())
    }

    /// Of an object, whose members are called like the columns.
    pub(super) fn of_object(columns: &[(Column, String)], line: &[u8]) -> Result<Self, Unread> {
        let object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| "row that is no JSON object")?;
        let cell = |(column, name): &(Column, String)| -> Option<(Column, Cow<'a, str>)> {
            let text = match object.get(name)? {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            Some((*column, Cow::Owned(text)))
        };
        Ok(Self(columns.iter().filter_map(cell).filter(|(_, text)| !text.is_empty()).collect()))
    }

    /// The text of a column.
    pub(super) fn take(&mut self, column: Column) -> Option<Cow<'a, str>> {
        let (_, text) = self.0.iter_mut().find(|(of, _)| *of == column)?;
        Some(std::mem::take(text)).filter(|text| !text.is_empty())
    }

    pub(super) fn number(&mut self, column: Column) -> Result<Option<u32>, Unread> {
        let Some(text) = self.take(column) else { return Ok(None) };
        number(text.as_bytes()).map(Some).ok_or("row with seats that are no number")
    }

    /// How many seats there are.
    pub(super) fn issued(&mut self) -> Result<Option<Seats>, Unread> {
        let Some(text) = self.take(Column::Issued) else { return Ok(None) };
        let uncounted = ["unlimited", "uncounted"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if uncounted {
            return Ok(Some(Seats::Issued(None)));
        }
        let seats = number(text.as_bytes()).ok_or("row with seats that are no number")?;
        Ok(Some(Seats::Issued(Some(seats))))
    }
}

/// The instant of `YYYY-MM-DD HH:MM[:SS]` with or without an offset, or of seconds or milliseconds since 1970.
pub(super) fn instant(text: &str, clock: &mut CivilClock) -> Option<UnixMs> {
    if let Ok(number) = text.parse::<i64>() {
        return match text.len() {
            9 | 10 => Some(number * 1000),
            12 | 13 => Some(number),
            _ => None,
        };
    }
    let minutes = text.len() == 16;
    let stamp = iso::stamp(if minutes { format!("{text}:00") } else { text.to_owned() }.as_bytes())?;
    Some(stamp.instant().unwrap_or_else(|| clock.instant(stamp.day, stamp.second * 1000 + stamp.millis)))
}

/// The day at the beginning of `YYYY-MM-DD…`.
pub(super) fn day(text: &str) -> Option<Day> {
    text.get(..10)?.parse().ok()
}

/// A JSON text as rows: `[]`, then each object of its list on a line of its own.
///
/// The list is the text itself, or what `path` leads to (names of members with dots between them). Objects one after the
/// other, without a list, are taken too.
pub fn json_rows(text: &[u8], path: &str) -> Result<Vec<u8>, String> {
    let mut lists: Vec<Value> = serde_json::Deserializer::from_slice(text)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the output is no whole JSON: {error}"))?;
    let list = match (lists.len(), path) {
        (0, _) => return Err("the output is empty".to_owned()),
        (1, "") => match lists.remove(0) {
            Value::Array(list) => list,
            object => vec![object],
        },
        (1, path) => match path.split('.').try_fold(&mut lists[0], |value, name| value.get_mut(name)) {
            Some(Value::Array(list)) => std::mem::take(list),
            _ => return Err(format!("the output has no list at {path:?}")),
        },
        (_, "") => lists,
        (_, path) => return Err(format!("the output is several JSON texts, which have no list at {path:?}")),
    };
    let mut rows = b"[]\n".to_vec();
    for row in list {
        if !row.is_object() {
            return Err("the list holds something else than objects".to_owned());
        }
        rows.extend_from_slice(row.to_string().as_bytes());
        rows.push(b'\n');
    }
    Ok(rows)
}
