//! The log on standard output, for people or for machines, and the document that an entry is for machines.

use super::Entry;
use super::settings::{Face, Origin};
use accounting::UnixMs;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

/// Where entries are shown.
pub(super) struct Console {
    face: Face,
    origin: Origin,
    out: Box<dyn Write + Send>,
}

impl Console {
    pub(super) fn new(face: Face, origin: Origin, out: Box<dyn Write + Send>) -> Self {
        Self { face, origin, out }
    }

    /// Writes entries at once. A console that nobody reads any more is no reason to stop.
    pub(super) fn write(&mut self, entries: &[Arc<Entry>]) {
        let mut text = String::new();
        for entry in entries {
            match self.face {
                Face::Human => human(entry, &mut text),
                Face::Json => text.push_str(&document(entry, &self.origin).to_string()),
            }
            text.push('\n');
        }
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// `2025-03-01T10:20:30.123Z WARN  message key=value key="with blanks"`
fn human(entry: &Entry, text: &mut String) {
    let level = entry.level.as_str();
    text.push_str(&format!("{} {level:5} {}", utc(entry.at), entry.message));
    for detail in &entry.details {
        match detail.split_once('=') {
            Some((key, value)) if value.is_empty() || value.contains([' ', '"']) => {
                text.push_str(&format!(" {key}={}", json!(value)));
            }
            _ => text.push_str(&format!(" {detail}")),
        }
    }
}

/// An entry as one JSON object, with the fields that the ELK stack of the service before this one knows.
pub(super) fn document(entry: &Entry, origin: &Origin) -> Value {
    json!({
        "@timestamp": utc(entry.at),
        "host": origin.host,
        "environment": origin.environment,
        "service": origin.service,
        "level": entry.level.as_str(),
        "message": entry.message,
        "script_dir": origin.script_dir,
        "script_file": origin.script_file,
        "run_context": origin.run_context,
        "details": entry.details,
    })
}

/// An instant in UTC, ISO 8601, to the millisecond.
pub(super) fn utc(at: UnixMs) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
