//! The section `[log]`: the operational log on this machine.

use super::document::{Entry, Wrong};
use std::path::PathBuf;

/// How entries of the log look on standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ConsoleFace {
    /// A line for people.
    #[default]
    Human,
    /// A line with one JSON object, as ELK gets it.
    Json,
}

/// What the configuration says of the log on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// How entries look on standard output.
    pub(crate) console: ConsoleFace,
    /// The issue log's file.
    pub(crate) issues: Option<PathBuf>,
}

impl LogConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut log = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "console" => log.console = face(&entry)?,
                "issues" => log.issues = Some(entry.filled_text()?.into()),
                _ => return Err(entry.unknown_key(&["console", "issues"])),
            }
        }
        Ok(log)
    }
}

fn face(entry: &Entry<'_>) -> Result<ConsoleFace, Wrong> {
    match entry.text()?.as_str() {
        "human" => Ok(ConsoleFace::Human),
        "json" => Ok(ConsoleFace::Json),
        other => {
            Err(entry.wrong(format!("`{other}` is no way to show the log: write \"human\" or \"json\"")))
        }
    }
}
