//! Which daemons there are, and when each starts and stops.
//!
//! One start prints up to three signs (lmgrd's `Started NAME (`, the daemon's version, its `Server started on`), one
//! stop up to two (the daemon's `EXITING`, lmgrd's `NAME exited with status`): the first counts.

use accounting::UnixMs;
use serde::{Deserialize, Serialize};

/// Signs of one start, and of one stop, lie this close together; `(SHUTDOWN)` lines follow their stop as closely.
const TOGETHER_MS: i64 = 60_000;
/// A daemon prints its features again within this time after a reread.
const REREAD_MS: i64 = 300_000;
/// More daemons than this on one server are not kept apart from their forked children.
const MOST: usize = 64;

/// What shows that a daemon starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// `(lmgrd) Started NAME (` or `REStarted NAME (`.
    ByLmgrd = 1,
    /// `(NAME) FlexNet Licensing version`.
    Version = 2,
    /// `(NAME) Server started on`.
    Serving = 4,
}

/// The daemons of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Daemons {
    list: Vec<Daemon>,
    reread_at: Option<UnixMs>,
    /// The place of the one that wrote the last line.
    #[serde(skip)]
    latest: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Daemon {
    name: String,
    run: Run,
    stopped_at: Option<UnixMs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Run {
    /// Nothing was seen of its start, or it stopped.
    Unseen,
    Starting {
        since: UnixMs,
        signs: u8,
    },
    Serving {
        since: UnixMs,
        signs: u8,
    },
}

impl Daemons {
    /// The daemon behind the process that a line names, and whether that is a forked child (`NAME_N` where `NAME`
    /// was seen).
    pub(super) fn owner<'a>(&mut self, process: &'a [u8]) -> (&'a [u8], bool) {
        if self.list.get(self.latest).is_some_and(|daemon| daemon.name.as_bytes() == process) {
            return (process, false);
        }
        if let Some(place) = self.place(process) {
            self.latest = place;
            return (process, false);
        }
        let digits = process.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0
            && let Some(name) = process[..process.len() - digits].strip_suffix(b"_")
            && self.place(name).is_some()
        {
            return (name, true);
        }
        self.add(process);
        (process, false)
    }

    /// Takes a sign of a daemon's start; whether a new run of it begins here.
    pub(super) fn start(&mut self, name: &[u8], sign: Sign, at: UnixMs) -> bool {
        let reread = self.reread_at.is_some_and(|reread| (0..=REREAD_MS).contains(&(at - reread)));
        let Some(place) = self.place(name).or_else(|| self.add(name)) else { return true };
        let run = &mut self.list[place].run;
        let bit = sign as u8;
        let serving = sign == Sign::Serving;
        let (begins, since, signs) = match *run {
            Run::Unseen => (!(serving && reread), at, bit),
            Run::Starting { since, signs } => {
                let repeated = !serving && signs & bit != 0 && !together(since, at);
                if repeated { (true, at, bit) } else { (false, since, signs | bit) }
            }
            Run::Serving { since, signs } => {
                let late = together(since, at) && (serving || signs & bit == 0);
                if late || (serving && reread) { (false, since, signs | bit) } else { (true, at, bit) }
            }
        };
        let goes_on = !begins && matches!(*run, Run::Serving { .. });
        *run = if serving || goes_on { Run::Serving { since, signs } } else { Run::Starting { since, signs } };
        begins
    }

    /// Takes a sign of a daemon's stop; whether it stops here.
    pub(super) fn stop(&mut self, name: &[u8], at: UnixMs) -> bool {
        let Some(place) = self.place(name).or_else(|| self.add(name)) else { return true };
        let daemon = &mut self.list[place];
        let known = daemon.stopped_at.is_some_and(|stopped| together(stopped, at));
        let lives = match daemon.run {
            Run::Unseen => false,
            Run::Starting { signs, .. } => signs != Sign::ByLmgrd as u8,
            Run::Serving { .. } => true,
        };
        if known && !lives {
            return false;
        }
        daemon.run = Run::Unseen;
        daemon.stopped_at = Some(at);
        true
    }

    /// Whether a daemon stopped just before.
    pub(super) fn has_just_stopped(&self, name: &[u8], at: UnixMs) -> bool {
        self.place(name)
            .and_then(|place| self.list[place].stopped_at)
            .is_some_and(|stopped| together(stopped, at))
    }

    /// The whole server starts anew.
    pub(super) fn all_start_anew(&mut self) {
        for daemon in &mut self.list {
            daemon.run = Run::Unseen;
        }
    }

    /// The license file is read again: features are listed once more.
    pub(super) fn reread(&mut self, at: UnixMs) {
        self.reread_at = Some(at);
    }

    fn place(&self, name: &[u8]) -> Option<usize> {
        self.list.iter().position(|daemon| daemon.name.as_bytes() == name)
    }

    fn add(&mut self, name: &[u8]) -> Option<usize> {
        if self.list.len() >= MOST {
            return None;
        }
        let name = crate::text::text(name).into_owned();
        self.list.push(Daemon { name, run: Run::Unseen, stopped_at: None });
        self.latest = self.list.len() - 1;
        Some(self.latest)
    }
}

fn together(earlier: UnixMs, later: UnixMs) -> bool {
    (0..=TOGETHER_MS).contains(&(later - earlier))
}
