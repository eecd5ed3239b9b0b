//! How a source is: written by its own thread, read by whoever asks.

use super::Trouble;
use accounting::UnixMs;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use store::input::Counts;

/// What people call a source, and what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) name: String,
    /// The word of its kind in the configuration.
    pub(crate) kind: &'static str,
    /// Where its facts come from: files, a license server, an address.
    pub(crate) what: String,
}

/// How a source is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not shown yet how it is.
    #[default]
    Starting,
    /// As it should be.
    Up,
    /// Nothing is wrong with it, but it must wait; for what.
    Waiting(String),
    /// It cannot do its work; it is tried again by itself.
    Down(Trouble),
    /// The service stops.
    Stopped,
}

impl State {
    /// One word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Waiting(_) => "waiting",
            Self::Down(_) => "down",
            Self::Stopped => "stopped",
        }
    }

    /// Whether it is as it should be.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Self::Up)
    }
}

/// How a source is, and what it has done since the service started.
#[derive(Debug, Default)]
pub(crate) struct Status {
    about: About,
    /// By what all processes know it, where one of them takes it in.
    claim: Option<String>,
    /// Whether another process takes it in.
    is_elsewhere: AtomicBool,
    state: Mutex<State>,
    /// Lines, events, notes, noise, unrecognized.
    counts: [AtomicU64; 5],
    /// The instant of the latest dated line; [`UnixMs::MIN`] before there is one.
    last_event: AtomicI64,
    lag_bytes: AtomicU64,
    /// Since when there is something that is not taken in yet; 0 where there is nothing.
    behind_since: AtomicI64,
    restarts: AtomicU64,
    polls_answered: AtomicU64,
    polls_failed: AtomicU64,
    dropped: AtomicU64,
    parts_waiting: AtomicU64,
    inputs_parked: AtomicU64,
}

/// A copy of it at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) about: About,
    /// By what all processes know it, where one of them takes it in.
    pub(crate) claim: Option<String>,
    /// Whether another process takes it in.
    pub(crate) is_elsewhere: bool,
    pub(crate) state: State,
    pub(crate) counts: Counts,
    pub(crate) last_event: Option<UnixMs>,
    /// Bytes that are there and not taken in yet.
    pub(crate) lag_bytes: u64,
    /// For how long there have been some.
    pub(crate) lag_ms: i64,
    pub(crate) restarts: u64,
    pub(crate) polls_answered: u64,
    pub(crate) polls_failed: u64,
    /// Messages that were lost before they could be taken in.
    pub(crate) dropped: u64,
    /// Parts that the central service has not taken yet.
    pub(crate) parts_waiting: u64,
    /// Inputs of which the central service has refused a part.
    pub(crate) inputs_parked: u64,
}

impl Status {
    pub(super) fn new(about: About, claim: Option<String>) -> Self {
        Self { about, claim, last_event: AtomicI64::new(UnixMs::MIN), ..Self::default() }
    }

    /// What people call it, and what it is.
    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Sets how it is; returns how it was where that is another state, or another trouble.
    pub(super) fn set(&self, state: State) -> Option<State> {
        let mut held = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (*held != state).then(|| std::mem::replace(&mut *held, state))
    }

    /// Lines were taken in: so many more of each outcome.
    pub(crate) fn took(&self, new: &Counts) {
        let Counts { lines, events, notes, noise, unrecognized } = *new;
        for (held, new) in self.counts.iter().zip([lines, events, notes, noise, unrecognized]) {
            held.fetch_add(new, Ordering::Relaxed);
        }
    }

    /// Something dated so was taken in.
    pub(crate) fn event_at(&self, at: UnixMs) {
        self.last_event.fetch_max(at, Ordering::Relaxed);
    }

    /// How much is there that is not taken in yet; `now` is noted when there was nothing before.
    pub(crate) fn behind(&self, bytes: u64, now: UnixMs) {
        self.lag_bytes.store(bytes, Ordering::Relaxed);
        if bytes == 0 {
            self.behind_since.store(0, Ordering::Relaxed);
        } else {
            // Where it was behind already it has been so since then.
            let _ = self.behind_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// So many parts wait, of so many bytes, the oldest since then.
    pub(crate) fn waits(&self, parts: u64, bytes: u64, oldest_at: Option<UnixMs>) {
        self.parts_waiting.store(parts, Ordering::Relaxed);
        self.lag_bytes.store(bytes, Ordering::Relaxed);
        self.behind_since.store(oldest_at.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Of so many inputs a part was refused.
    pub(crate) fn parked(&self, inputs: u64) {
        self.inputs_parked.store(inputs, Ordering::Relaxed);
    }

    /// Whether another process takes it in.
    pub(super) fn elsewhere(&self, is_elsewhere: bool) {
        self.is_elsewhere.store(is_elsewhere, Ordering::Relaxed);
    }

    /// A poll was answered, or not.
    pub(crate) fn polled(&self, answered: bool) {
        let count = if answered { &self.polls_answered } else { &self.polls_failed };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// So many messages were lost.
    pub(crate) fn lost(&self, messages: u64) {
        self.dropped.fetch_add(messages, Ordering::Relaxed);
    }

    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// How it is now.
    pub(crate) fn told(&self, now: UnixMs) -> Told {
        let [lines, events, notes, noise, unrecognized] =
            [0, 1, 2, 3, 4].map(|nth: usize| self.counts[nth].load(Ordering::Relaxed));
        let last_event = self.last_event.load(Ordering::Relaxed);
        let behind_since = self.behind_since.load(Ordering::Relaxed);
        Told {
            about: self.about.clone(),
            claim: self.claim.clone(),
            is_elsewhere: self.is_elsewhere.load(Ordering::Relaxed),
            state: self.state.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            counts: Counts { lines, events, notes, noise, unrecognized },
            last_event: (last_event > UnixMs::MIN).then_some(last_event),
            lag_bytes: self.lag_bytes.load(Ordering::Relaxed),
            lag_ms: if behind_since == 0 { 0 } else { (now - behind_since).max(0) },
            restarts: self.restarts.load(Ordering::Relaxed),
            polls_answered: self.polls_answered.load(Ordering::Relaxed),
            polls_failed: self.polls_failed.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            parts_waiting: self.parts_waiting.load(Ordering::Relaxed),
            inputs_parked: self.inputs_parked.load(Ordering::Relaxed),
        }
    }
}
