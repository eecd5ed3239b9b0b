//! Which sources are this process's, of those that other processes on the same ledger have in their configuration too.
//!
//! A claim keeps others from doing the same work. That nothing counts twice is the checkpoint's concern.

use super::connections::Connections;
use super::process;
use super::signal::Signal;
use crate::clock;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::Error;
use store::claims::Claimant;

/// So often this process says that it lives, and asks for the sources that it waits for.
const EVERY: Duration = Duration::from_secs(5);
/// How soon it asks again where the ledger did not answer.
const SOON: Duration = Duration::from_secs(1);
/// Whoever has said nothing for so long lives no more.
const LIVES: Duration = Duration::from_secs(30);

/// The sources of this process, and who has them.
pub(super) struct Claims {
    us: Claimant,
    sources: Vec<String>,
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What was seen last.
#[derive(Default)]
struct Seen {
    by: BTreeMap<String, Claimant>,
    /// Until when what is ours is ours.
    until: Option<Instant>,
    /// Why nothing could be seen.
    error: Option<String>,
}

impl Claims {
    pub(super) fn new(sources: Vec<String>) -> Self {
        let (seen, changed) = (Mutex::new(Seen::default()), Condvar::new());
        Self { us: process::this(), sources, seen, changed }
    }

    /// Claims, again and again, until it is told to stop.
    pub(super) fn keep(&self, connections: &Connections, signal: &Signal) {
        loop {
            let looked = self.look(connections);
            if signal.wait(if looked.is_ok() { EVERY } else { SOON }) {
                return self.wake();
            }
        }
    }

    /// Claims what is free.
    fn look(&self, connections: &Connections) -> Result<(), Error> {
        let asked = Instant::now();
        let looked = connections.with(&mut |store| {
            let others = store.claimants()?;
            let gone = others.iter().filter(|other| process::is_gone(&self.us, other));
            let gone: Vec<String> = gone.map(|other| other.name.clone()).collect();
            let now = clock::now();
            store.claim_sources(&self.us, &self.sources, &gone, (now, now + LIVES.as_millis() as i64))
        });
        let mut seen = self.seen();
        let done = match looked {
            Ok(by) => {
                *seen = Seen { by, until: Some(asked + LIVES), error: None };
                Ok(())
            }
            Err(error) => {
                seen.error = Some(error.to_string());
                Err(error)
            }
        };
        drop(seen);
        self.wake();
        done
    }

    /// Gives all of them back, so that others need not wait until this process lives no more.
    pub(super) fn release(&self, connections: &Connections) {
        // Where the ledger is away they come free by themselves.
        let _ = connections.with(&mut |store| store.release_sources(&self.us));
    }

    /// Lets those who wait see that the service stops.
    pub(super) fn wake(&self) {
        drop(self.seen());
        self.changed.notify_all();
    }

    /// Whether there is anything to claim.
    pub(super) fn are_any(&self) -> bool {
        !self.sources.is_empty()
    }

    pub(super) fn is_ours(&self, source: &str) -> bool {
        self.seen().is_ours(source, &self.us)
    }

    /// Waits until a source is ours; false where the service stops. `told` hears what it waits for.
    pub(super) fn wait(&self, source: &str, signal: &Signal, told: &dyn Fn(String)) -> bool {
        let mut seen = self.seen();
        loop {
            if signal.is_given() {
                return false;
            }
            if seen.is_ours(source, &self.us) {
                return true;
            }
            if let Some(why) = seen.why_not(source, &self.us) {
                told(why);
            }
            let waited = self.changed.wait_timeout(seen, EVERY);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_ours(&self, source: &str, us: &Claimant) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
            && self.by.get(source).is_some_and(|by| by.name == us.name)
    }

    fn why_not(&self, source: &str, us: &Claimant) -> Option<String> {
        let other = self.by.get(source).filter(|by| by.name != us.name);
        self.error.clone().or_else(|| other.map(|other| format!("{} takes it in", words(other))))
    }
}

/// A process, as people find it.
pub(super) fn words(of: &Claimant) -> String {
    format!("process {} on {}", of.process, of.host)
}
