//! What one license server's part of the text has told: its hosts, its daemons, and which of them have answered.

use serde::{Deserialize, Serialize};

/// No more daemons than this are told apart; a real server has some tens.
const MOST: usize = 100;

/// The daemon of a line: its place in the list; none for the license server itself, all of whose daemons it means.
pub(super) type Daemon = Option<usize>;

/// One license server's part of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    /// How many hosts it has, and how many of them do not answer.
    hosts: u32,
    hosts_down: u32,
    daemons: Vec<Known>,
    /// The daemon whose status was told last before the features; one that answers before one that does not.
    latest: Daemon,
    /// How many that answer were told one after the other.
    up_together: u32,
    /// Whether features came since.
    listed: bool,
    /// What was told of the license server as a whole.
    whole: Told,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    name: String,
    told: Told,
}

/// Whether it was told that a poll was answered, or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    answered: bool,
    failed: bool,
}

impl Section {
    /// The part of a license server with so many hosts.
    pub(super) fn of(hosts: u32) -> Self {
        Self { hosts, ..Self::default() }
    }

    /// The same server is polled anew.
    pub(super) fn polled_anew(&mut self) {
        self.whole = Told::default();
        for daemon in &mut self.daemons {
            daemon.told = Told::default();
        }
    }

    /// A host of the license server does not answer; whether none does.
    pub(super) fn host_is_down(&mut self) -> bool {
        self.hosts_down += 1;
        self.hosts_down >= self.hosts
    }

    /// The status of a daemon.
    pub(super) fn status(&mut self, name: &str, up: bool) -> Daemon {
        let daemon = Some(self.named(name));
        if self.listed {
            self.listed = false;
            self.latest = None;
            self.up_together = 0;
        }
        if up {
            self.up_together += 1;
            self.latest = daemon;
        } else if self.up_together == 0 {
            self.latest = daemon;
        }
        daemon
    }

    /// The daemon of a feature by its place: the one whose status was told before it, unless several were told
    /// together. Without any status it is not known.
    pub(super) fn by_place(&mut self) -> Daemon {
        self.listed = true;
        if self.up_together > 1 { None } else { self.latest }
    }

    /// Whether several daemons were told together, so that a feature's own lines must tell whose it is.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.up_together > 1
    }

    /// The daemon of a holder whose feature's lines do not tell it: the one told last.
    pub(super) fn latest(&self) -> Daemon {
        self.latest
    }

    /// The daemon of a feature's pool, as its line names it, where several could be meant. The only daemon there is
    /// takes all; where no status was told at all, neither is whose holders are not shown any more, and the license
    /// server takes all.
    pub(super) fn by_pool(&mut self, vendor: &str) -> Daemon {
        if self.is_ambiguous() { Some(self.named(vendor)) } else { self.latest }
    }

    /// The daemon of this name, however it is capitalized.
    fn named(&mut self, name: &str) -> usize {
        if let Some(at) = self.daemons.iter().position(|daemon| daemon.name.eq_ignore_ascii_case(name)) {
            return at;
        }
        if self.daemons.len() >= MOST {
            self.daemons.pop();
        }
        self.daemons.push(Known { name: name.to_owned(), told: Told::default() });
        self.daemons.len() - 1
    }

    /// What a daemon is called; empty for the license server itself.
    pub(super) fn name(&self, daemon: Daemon) -> &str {
        daemon.and_then(|at| self.daemons.get(at)).map_or("", |daemon| &daemon.name)
    }

    /// The name of a daemon as its status spells it, where one was told.
    pub(super) fn spelled<'a>(&'a self, name: &'a str) -> &'a str {
        let known = self.daemons.iter().find(|daemon| daemon.name.eq_ignore_ascii_case(name));
        known.map_or(name, |daemon| &daemon.name)
    }

    /// A daemon has answered; whether that is news.
    pub(super) fn answers(&mut self, daemon: Daemon) -> bool {
        !std::mem::replace(&mut self.told(daemon).answered, true)
    }

    /// A daemon has not answered; whether that is news.
    pub(super) fn fails(&mut self, daemon: Daemon) -> bool {
        !std::mem::replace(&mut self.told(daemon).failed, true)
    }

    fn told(&mut self, daemon: Daemon) -> &mut Told {
        match daemon.and_then(|at| self.daemons.get_mut(at)) {
            Some(daemon) => &mut daemon.told,
            None => &mut self.whole,
        }
    }
}
