//! The section `[heartbeats]`.

use super::document::{Entry, Wrong};
use accounting::heartbeat::Interval;

/// How heartbeats are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeartbeatsConfig {
    /// The length of a bucket.
    pub(crate) interval: Interval,
    /// The version of a heartbeat that tells none.
    pub(crate) unknown_version: String,
}

impl Default for HeartbeatsConfig {
    fn default() -> Self {
        Self { interval: Interval::default(), unknown_version: "unknown".to_owned() }
    }
}

impl HeartbeatsConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut heartbeats = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "interval" => {
                    let minutes = entry.whole_number(1, 60)?;
                    heartbeats.interval =
                        Interval::minutes(minutes).map_err(|error| entry.wrong(error.to_string()))?;
                }
                "unknown_version" => heartbeats.unknown_version = entry.filled_text()?.to_lowercase(),
                _ => return Err(entry.unknown_key(&["interval", "unknown_version"])),
            }
        }
        Ok(heartbeats)
    }
}
