//! Follows logs as they grow: what a cheap look finds changed is imported, again and again.

mod check;
mod following;
mod look;
mod notices;
mod share;
mod tail;
#[cfg(test)]
mod tests;

use super::configured::Servers;
use super::import::{Committed, Door, FileSummary, Watch, Wish};
use super::live::{Finding, Post, Reach, Source, Trouble};
use crate::clock;
use crate::config::{FollowConfig, Followed};
use following::{EVENTS_IN_PART, Following};
use formats::line::Format;
use look::{Files, Looker};
use notices::Notices;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use store::{Error, Store};

/// Where so many bytes were read there may be more: it is looked again at once.
const CATCHING_UP: u64 = 256 << 10;
/// After a large commit others may write for a fraction of the time that it took, within limits.
const BREATH: (u32, Duration, Duration) = (4, Duration::from_millis(1), Duration::from_millis(50));

/// Follows a file, or the files of a directory.
pub(crate) struct Follower {
    followed: Followed,
    every: Duration,
    wish: Wish,
}

impl Follower {
    pub(crate) fn new(config: &FollowConfig, servers: &Servers) -> Self {
        let wish = Wish {
            format: config.format.as_deref().and_then(formats::named).map(Format::name),
            server: config.server.clone(),
            zone: config.timezone.clone(),
            servers: servers.clone(),
            ..Wish::default()
        };
        Self { followed: config.files.clone(), every: Duration::from_millis(config.every_ms), wish }
    }

    fn nothing_there(&self) -> String {
        match &self.followed {
            Followed::File(path) => format!("there is no file {} yet", path.display()),
            Followed::Matching { directory, pattern } => {
                format!("no file in {} matches {pattern} yet", directory.display())
            }
        }
    }
}

impl Source for Follower {
    /// The same path on two machines is the same file where it is that of a network share.
    fn reach(&self) -> Reach {
        let (Followed::File(path) | Followed::Matching { directory: path, .. }) = &self.followed;
        if share::holds(path) { Reach::All } else { Reach::Machine }
    }

    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        let mut looker = Looker::new(Files::new(&self.followed)?);
        let mut following = Following::new(post, &self.wish);
        let mut notices = Notices::new();
        loop {
            notices.begin_look(&mut looker);
            let (looks, restless) = looker.look().map_err(|error| unreadable(&error))?;
            let looks = looks.clone();
            let mut watcher = Watcher { post, unread: following.unread(&looks), read: 0 };
            watcher.tell();
            match following.round(looker.files(), (&looks, restless), &mut watcher) {
                Ok(()) => {}
                // Another process has read the same: what the ledger holds by now counts.
                Err(error) if matches!(error.downcast_ref(), Some(Error::Conflict)) => {
                    following = Following::new(post, &self.wish);
                }
                Err(error) => return Err(error),
            }
            post.status().behind(0, 0);
            if let Some((path, problem)) = following.problems().iter().next() {
                let why = format!("{} cannot be read: {problem}", path.display());
                post.down(Trouble::new(
                    why,
                    "let the service read it, or name its format or another pattern",
                ));
            } else if looks.is_empty() {
                post.waiting(self.nothing_there());
            } else {
                post.up();
            }
            let goes_on = match watcher.read {
                CATCHING_UP.. => !post.stopping(),
                _ => notices.wait(post, &mut looker, self.every, following.is_deciding()),
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn check(&mut self, post: &Post) -> Vec<Finding> {
        check::check(Files::new(&self.followed), (&self.nothing_there(), self.every), &self.wish, post)
    }
}

fn unreadable(error: &std::io::Error) -> Trouble {
    let remedy = "let the service read the directory and its files, or correct path, directory or pattern";
    Trouble::new(format!("the files cannot be looked at: {error}"), remedy)
}

impl Door for &Post {
    fn with<T>(&mut self, work: impl FnMut(&mut Store) -> Result<T, Error>) -> anyhow::Result<T> {
        self.with_store(work)
    }
}

/// Tells how far the reading is, and lets others have the ledger.
struct Watcher<'p> {
    post: &'p Post,
    /// Bytes that are still to be read, as far as they were there at the last look.
    unread: u64,
    /// Bytes that were read since the last look.
    read: u64,
}

impl Watcher<'_> {
    fn tell(&self) {
        self.post.status().behind(self.unread, clock::now());
    }
}

impl Watch for Watcher<'_> {
    fn begins(&mut self, _: &str, _: u64, _: Arc<AtomicU64>) {}

    fn committed(&mut self, part: &Committed) -> bool {
        let status = self.post.status();
        status.took(&part.new);
        if let Some(latest) = part.latest {
            status.event_at(latest);
        }
        self.read += part.bytes;
        self.unread = self.unread.saturating_sub(part.bytes);
        self.tell();
        if part.new.events < EVENTS_IN_PART as u64 {
            return !self.post.stopping();
        }
        let (fraction, least, most) = BREATH;
        self.post.pause((part.time / fraction).clamp(least, most))
    }

    fn ends(&mut self, _: &FileSummary) {}
}
