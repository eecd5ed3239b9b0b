//! `[[source]] kind = "follow"`: a log that grows.

use super::super::document::{Entry, Table, Wrong};
use super::unknown;
use std::path::PathBuf;

const KEYS: [&str; 7] = ["path", "directory", "pattern", "format", "server", "timezone", "every_ms"];
/// How often files are looked at where nobody says so, in milliseconds.
const EVERY_MS: i64 = 250;

/// A log that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FollowConfig {
    /// Which files.
    pub(crate) files: Followed,
    /// The name of their format, where it is not told by their text.
    pub(crate) format: Option<String>,
    /// The license server that writes them, where it is not told by their text.
    pub(crate) server: Option<String>,
    /// The IANA name of the zone of the server's clock.
    pub(crate) timezone: Option<String>,
    /// How often it is looked whether there is anything new, in milliseconds.
    pub(crate) every_ms: u64,
}

/// Which files are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Followed {
    /// One file, whatever takes its place.
    File(PathBuf),
    /// All files of a directory whose names match.
    Matching {
        /// The directory itself, not what is below it.
        directory: PathBuf,
        /// A pattern of names: `*`, `?`, `[…]`.
        pattern: String,
    },
}

impl FollowConfig {
    /// The keys of a section.
    pub(super) fn of(table: &Table<'_>, entries: &[Entry<'_>]) -> Result<Self, Wrong> {
        let (mut path, mut directory, mut pattern) = (None, None, None);
        let (mut format, mut server, mut timezone, mut every_ms) = (None, None, None, EVERY_MS);
        for entry in entries {
            match entry.key() {
                "path" => path = Some(entry.filled_text()?),
                "directory" => directory = Some(entry.filled_text()?),
                "pattern" => pattern = Some((name_pattern(entry)?, entry)),
                "format" => format = Some(known_format(entry)?),
                "server" => server = Some(entry.filled_text()?),
                "timezone" => timezone = Some(entry.zone()?),
                "every_ms" => every_ms = entry.whole_number(10, 600_000)?,
                _ => return Err(unknown(entry, &KEYS)),
            }
        }
        let files = match (path, directory, pattern) {
            (Some(path), None, None) => Followed::File(path.into()),
            (None, Some(directory), Some((pattern, _))) => {
                Followed::Matching { directory: directory.into(), pattern }
            }
            (Some(_), _, Some((_, entry))) => {
                return Err(entry.wrong_key(
                    "`pattern` is of a directory: write path = \"FILE\", or directory = \"…\" and pattern = \"…\""
                        .to_owned(),
                ));
            }
            _ => {
                return Err(table.wrong(
                    "a followed [[source]] needs path = \"FILE\", or directory = \"…\" and pattern = \"NAME*.log\""
                        .to_owned(),
                ));
            }
        };
        Ok(Self { files, format, server, timezone, every_ms: every_ms.unsigned_abs() })
    }

    /// Which files, in few words.
    pub(super) fn what(&self) -> String {
        match &self.files {
            Followed::File(path) => path.display().to_string(),
            Followed::Matching { directory, pattern } => directory.join(pattern).display().to_string(),
        }
    }
}

fn name_pattern(entry: &Entry<'_>) -> Result<String, Wrong> {
    let pattern = entry.filled_text()?;
    if let Err(error) = glob::Pattern::new(&pattern) {
        return Err(entry.wrong(format!("`{pattern}` is no pattern: {error}")));
    }
    if pattern.contains('/') {
        return Err(entry.wrong(format!(
            "`{pattern}` names a directory: what is before the last / belongs to `directory`"
        )));
    }
    Ok(pattern)
}

fn known_format(entry: &Entry<'_>) -> Result<String, Wrong> {
    let name = entry.filled_text()?;
    if formats::named(&name).is_some() {
        return Ok(name);
    }
    let known: Vec<&str> = formats::all().iter().map(|format| format.name()).collect();
    Err(entry.wrong(format!("`{name}` is no format: {}", super::super::right_name(&name, &known))))
}
