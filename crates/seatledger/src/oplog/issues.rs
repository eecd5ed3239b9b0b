//! The issue log: a file of this machine that says whose pings were faulty, who is new, and who has no organization, so
//! that somebody can put the directory right. It may name people, so nobody but its owner reads it.
//!
//! `2025-03-01T10:20:30.123Z | message | user=… | domain=…`

use super::clean;
use super::console::utc;
use accounting::UnixMs;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

/// The size at which the file becomes the old one, in bytes: faulty pings must not fill the disk.
const LARGEST: u64 = 10 << 20;

/// The file.
pub(super) struct IssueLog {
    path: PathBuf,
}

impl IssueLog {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends whole lines. The file is opened anew each time, so that it can be moved away.
    pub(super) fn append(&mut self, lines: &str) -> io::Result<()> {
        if std::fs::metadata(&self.path).is_ok_and(|file| file.len() >= LARGEST) {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
        }
        self.open()?.write_all(lines.as_bytes())
    }

    #[cfg(unix)]
    fn open(&self) -> io::Result<File> {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let is_open_to_others = file.metadata()?.permissions().mode() & 0o077 != 0;
        if is_open_to_others {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        Ok(file)
    }

    #[cfg(not(unix))]
    fn open(&self) -> io::Result<File> {
        OpenOptions::new().append(true).create(true).open(&self.path)
    }
}

/// A line of the file, with its ending.
pub(super) fn line(at: UnixMs, message: &str, user: Option<&str>, domain: Option<&str>) -> String {
    let mut line = format!("{} | {}", utc(at), field(message));
    for (key, value) in [("user", user), ("domain", domain)] {
        if let Some(value) = value {
            line.push_str(&format!(" | {key}={}", field(value)));
        }
    }
    line.push('\n');
    line
}

/// A text in which nothing looks like the border of a field.
fn field(text: &str) -> String {
    clean(text).replace('|', "/")
}
