//! What a source has of the world around it.

use super::Trouble;
use super::claims::Claims;
use super::connections::Connections;
use super::hands::Hands;
use super::signal::Signal;
use super::status::{State, Status};
use crate::oplog::OpLog;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use store::{Error, Store};

/// The pauses between attempts while the ledger is away: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));

/// Where a source stands.
#[derive(Clone)]
pub(crate) struct Post {
    pub(super) status: Arc<Status>,
    pub(super) connections: Arc<Connections>,
    pub(super) signal: Arc<Signal>,
    pub(super) hands: Hands,
    /// Where one process at a time takes it in: what all know it by, and who has it.
    pub(super) claim: Option<(String, Arc<Claims>)>,
    pub(super) log: OpLog,
}

impl Post {
    /// Whether it must stop: the service does, or another process takes it in.
    pub(crate) fn stopping(&self) -> bool {
        self.signal.is_given() || self.has_lost()
    }

    /// Waits so long; false where it must stop. That the service stops ends the waiting.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        !self.signal.wait(time) && !self.has_lost()
    }

    /// Waits so long, or until there is something to read; false where it must stop.
    pub(crate) fn pause_or_readable(&self, time: Duration, other: impl AsFd) -> bool {
        !self.signal.wait_or_readable(time, other.as_fd()) && !self.has_lost()
    }

    /// Waits until this process may take it in; false where the service stops.
    pub(super) fn claimed(&self) -> bool {
        let Some((source, claims)) = &self.claim else { return true };
        let is_ours = claims.wait(source, &self.signal, &|why| {
            self.status.elsewhere(true);
            self.waiting(why);
        });
        if is_ours {
            self.status.elsewhere(false);
        }
        is_ours
    }

    /// Whether another process may take it in by now.
    pub(super) fn has_lost(&self) -> bool {
        self.claim.as_ref().is_some_and(|(source, claims)| !claims.is_ours(source))
    }

    /// Calls `work` with a connection to the ledger, again and again while that is locked, full or away: `work` must
    /// stand being called again. Other errors are the caller's, as is [`Error::Conflict`]: somebody else has moved the
    /// same checkpoint.
    pub(crate) fn with_store<T>(
        &self,
        mut work: impl FnMut(&mut Store) -> Result<T, Error>,
    ) -> anyhow::Result<T> {
        let mut pause = PAUSES.0;
        let mut waited = false;
        loop {
            let error = match self.connections.with(&mut work) {
                Ok(done) => {
                    if waited {
                        self.up();
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !passes(&error) || !self.connections.waits() {
                return Err(error.into());
            }
            if pause > PAUSES.1 / 4 {
                waited = true;
                self.set(State::Waiting(error.to_string()));
            }
            if !self.pause(pause) {
                anyhow::bail!("it was told to stop");
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Lets one of the few threads that all sources share do what takes memory, and waits until it is done.
    pub(crate) fn by_hand<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        let post = self.clone();
        self.hands.lend(move || work(&post))
    }

    /// It is as it should be.
    pub(crate) fn up(&self) {
        self.set(State::Up);
    }

    /// It waits for something; nothing is wrong with it.
    pub(crate) fn waiting(&self, why: impl Into<String>) {
        self.set(State::Waiting(why.into()));
    }

    /// It cannot do its work at present; it goes on trying.
    pub(crate) fn down(&self, trouble: Trouble) {
        self.set(State::Down(trouble));
    }

    /// What others are told.
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    /// The operational log. Nothing of persons belongs there.
    pub(crate) fn log(&self) -> &OpLog {
        &self.log
    }

    /// Sets how it is, and logs it where that is news.
    pub(super) fn set(&self, state: State) {
        let Some(before) = self.status.set(state.clone()) else { return };
        let name = &self.status.about().name;
        match (&before, &state) {
            (_, State::Down(Trouble { why, remedy })) => {
                self.log.error("a source is down", &[("source", name), ("why", why), ("remedy", remedy)]);
            }
            (_, State::Waiting(why)) => {
                self.log.warn("a source waits", &[("source", name), ("why", why)]);
            }
            (State::Starting | State::Waiting(_) | State::Down(_), State::Up) => {
                self.log.info("a source is up", &[("source", name)]);
            }
            _ => {}
        }
    }
}

/// Whether what hinders may pass by itself.
fn passes(error: &Error) -> bool {
    matches!(
        error,
        Error::Locked(_)
            | Error::Full(_)
            | Error::ReadOnly(_)
            | Error::Behind { .. }
            | Error::Gone(_)
            | Error::Unreachable(_)
    )
}
