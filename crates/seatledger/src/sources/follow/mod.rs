//! Follows logs as they grow: again and again the same import, of what a cheap look finds changed.

use super::configured::Servers;
use super::import::{FileSummary, Watch, Wish, import};
use super::live::{Finding, Post, Source, Trouble};
use crate::config::{FollowConfig, Followed};
use formats::line::Format;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime};

/// Follows a file, or the files of a directory.
pub(crate) struct Follower {
    files: Followed,
    every: Duration,
    wish: Wish,
}

/// How a file looked.
type Look = (u64, SystemTime);

impl Follower {
    pub(crate) fn new(config: &FollowConfig, servers: &Servers) -> Self {
        let wish = Wish {
            format: config.format.as_deref().and_then(formats::named).map(Format::name),
            server: config.server.clone(),
            zone: config.timezone.clone(),
            servers: servers.clone(),
            ..Wish::default()
        };
        Self { files: config.files.clone(), every: Duration::from_millis(config.every_ms), wish }
    }

    fn looks(&self) -> std::io::Result<HashMap<PathBuf, Look>> {
        let paths = match &self.files {
            Followed::File(path) => vec![path.clone()],
            Followed::Matching { directory, pattern } => {
                let pattern = glob::Pattern::new(pattern).map_err(std::io::Error::other)?;
                let entries = std::fs::read_dir(directory)?.filter_map(Result::ok);
                let matching = entries.filter(|entry| pattern.matches(&entry.file_name().to_string_lossy()));
                matching.map(|entry| entry.path()).collect()
            }
        };
        let mut looks = HashMap::new();
        for path in paths {
            if let Ok(about) = std::fs::metadata(&path)
                && about.is_file()
                && about.len() > 0
            {
                looks.insert(path, (about.len(), about.modified()?));
            }
        }
        Ok(looks)
    }
}

impl Source for Follower {
    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        let mut known = HashMap::new();
        loop {
            let looks = self.looks().map_err(|error| unreadable(&error))?;
            let changed = looks.iter().filter(|(path, look)| known.get(*path) != Some(*look));
            let arguments: Vec<String> = changed.map(|(path, _)| path.display().to_string()).collect();
            if !arguments.is_empty() {
                let wish = Wish { arguments, ..self.wish.clone() };
                let summary = post.with_store(|store| Ok(import(store, &wish, &mut Quiet)))??;
                for file in &summary.files {
                    post.status().took(&file.counts);
                    if let Some(at) = file.tally.until {
                        post.status().event_at(at);
                    }
                }
            }
            known = looks;
            if known.is_empty() {
                post.waiting("there is no such file yet");
            } else {
                post.up();
            }
            if !post.pause(self.every) {
                return Ok(());
            }
        }
    }

    fn check(&mut self, _: &Post) -> Vec<Finding> {
        match self.looks() {
            Ok(looks) if looks.is_empty() => {
                vec![Finding::doubtful("there is no such file yet", "look at path, directory and pattern")]
            }
            Ok(looks) => vec![Finding::well(format!("{} to follow", looks.len()))],
            Err(error) => {
                let Trouble { why, remedy } = unreadable(&error);
                vec![Finding::bad(why, remedy)]
            }
        }
    }
}

fn unreadable(error: &std::io::Error) -> Trouble {
    Trouble::new(format!("it cannot be listed: {error}"), "let the service read the directory and its files")
}

/// Nobody watches.
struct Quiet;

impl Watch for Quiet {
    fn begins(&mut self, _: &str, _: u64, _: Arc<AtomicU64>) {}
    fn committed(&mut self) {}
    fn ends(&mut self, _: &FileSummary) {}
}
