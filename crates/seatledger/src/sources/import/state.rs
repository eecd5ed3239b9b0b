//! How the reading of an input goes on: the part of a checkpoint that only the reader understands.

use crate::sources::resume::Resume;
use serde::{Deserialize, Serialize};

/// The reader's own part of a checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReaderState {
    /// The parser's state before the unfinished last line.
    pub(crate) parser: String,
    pub(crate) resume: Resume,
    /// The zone of the server's wall clock.
    pub(crate) zone: String,
    /// The last line where it had no line ending: its events are in the ledger, and are taken back when it is read
    /// whole.
    pub(crate) unfinished: Option<Vec<u8>>,
}

impl ReaderState {
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn from_text(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).map_err(|error| anyhow::anyhow!("the checkpoint cannot be read: {error}"))
    }
}
