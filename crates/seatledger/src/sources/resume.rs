//! What a collector knows of its license servers from one batch to the next, and from one import to the next.

use accounting::UnixMs;
use std::collections::HashMap;
use store::intake::DaemonId;

/// What license servers are called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Naming {
    /// Whether the name was given from outside, so that what the text says is not asked.
    pub(crate) given: bool,
    /// The names that the configuration gives to servers, by what texts call them.
    pub(crate) aliases: HashMap<String, String>,
}

/// A license server of which the text spoke before it came to another one.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    pub(crate) daemons: Vec<(String, DaemonId)>,
    pub(crate) begins: bool,
}

/// A span as it is kept: vendor, first line, last line, begins a run.
pub(crate) type Kept = (String, UnixMs, UnixMs, bool);

/// Where a collector goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Resume {
    pub(crate) server: String,
    pub(crate) run: u32,
    pub(crate) latest: Option<UnixMs>,
    pub(crate) spans: Vec<Kept>,
    pub(crate) begins: bool,
    /// The same of the other license servers, where a text polls several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) elsewhere: Vec<(String, Vec<Kept>, bool)>,
}
