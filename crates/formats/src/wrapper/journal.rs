//! `journalctl -o json`: an object a line.

use super::header::{self, Says, Time};
use super::record::TAG;
use serde::Deserialize;
use serde_json::Value;

/// The fields that matter of a journal's entry.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "MESSAGE")]
    message: Option<Value>,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    identifier: Option<Value>,
    #[serde(rename = "_HOSTNAME")]
    host: Option<Value>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: Option<Value>,
}

/// An entry of a journal.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) time: Time,
    pub(super) host: Vec<u8>,
    message: Vec<u8>,
    tagged: bool,
}

impl Entry {
    /// What it says.
    pub(super) fn says(&self) -> Says<'_> {
        match header::says(&self.message) {
            Says::Other if self.tagged => Says::Record(&self.message, 1),
            says => says,
        }
    }
}

/// Reads a line; none where it is no entry of a journal.
pub(super) fn cut(line: &[u8]) -> Option<Entry> {
    let fields: Fields = serde_json::from_str(&crate::text::text(line)).ok()?;
    let message = bytes(fields.message?)?;
    let micros = fields.time.and_then(bytes).and_then(|digits| String::from_utf8(digits).ok()?.parse::<i64>().ok());
    Some(Entry {
        time: Time { of_day: None, at: micros.map(|micros| micros.div_euclid(1000)) },
        host: fields.host.and_then(bytes).unwrap_or_default(),
        message,
        tagged: fields.identifier.and_then(bytes).is_some_and(|identifier| identifier == TAG),
    })
}

/// A field's text; what is not UTF-8 the journal writes as an array of bytes.
fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.into_bytes()),
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Array(items) => items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect(),
        _ => None,
    }
}
