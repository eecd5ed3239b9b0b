//! The section `[privacy]`: what is kept of persons, and for how long.

use super::document::{Entry, Wrong};
use accounting::day::Day;
use accounting::privacy::Identity;
use std::path::PathBuf;

/// Where the keys are if nobody says where: beside the configuration.
const KEY_FILE: &str = "seatledger.key";

/// What the configuration says of persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrivacyConfig {
    /// How much is kept.
    pub(crate) identity: Identity,
    /// The file with the keys of pseudonyms.
    pub(crate) key_file: PathBuf,
    /// Organizations of fewer persons are shown together; 0 hides none.
    pub(crate) smallest_group: Option<u32>,
    /// How many days what is kept is kept.
    pub(crate) retention: Retention,
}

/// How many days facts and lines are kept; `None` for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Sessions, requests, totals, feature days.
    pub(crate) sessions: Option<i32>,
    /// Lines that nobody understood.
    pub(crate) quarantine: Option<i32>,
}

impl Default for PrivacyConfig {
    fn default() -> Self {
        Self {
            identity: Identity::Named,
            key_file: KEY_FILE.into(),
            smallest_group: None,
            retention: Retention::default(),
        }
    }
}

impl PrivacyConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut privacy = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "identity" => privacy.identity = entry.one_of(&Identity::words())?,
                "key_file" => privacy.key_file = entry.filled_text()?.into(),
                "smallest_group" => privacy.smallest_group = Some(entry.whole_number(0, 1000)? as u32),
                "retention" => privacy.retention = Retention::of(&entry)?,
                _ => return Err(entry.unknown_key(&["identity", "key_file", "smallest_group", "retention"])),
            }
        }
        Ok(privacy)
    }
}

impl Retention {
    /// The first days of which facts, and lines that nobody understood, are kept.
    pub(crate) fn first_days(self, today: Day) -> (Option<Day>, Option<Day>) {
        let first = |days: Option<i32>| days.map(|days| Day(today.0 - days));
        (first(self.sessions), first(self.quarantine))
    }

    fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut retention = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "sessions" => retention.sessions = Some(days(&entry)?),
                "quarantine" => retention.quarantine = Some(days(&entry)?),
                _ => return Err(entry.unknown_key(&["sessions", "quarantine"])),
            }
        }
        Ok(retention)
    }
}

/// A number of days: `"400d"`.
fn days(entry: &Entry<'_>) -> Result<i32, Wrong> {
    let text = entry.filled_text()?;
    let days = text.strip_suffix('d').and_then(|days| days.parse::<i32>().ok()).filter(|days| *days > 0);
    days.ok_or_else(|| entry.wrong(format!("`{text}` is no number of days: write \"400d\"")))
}
