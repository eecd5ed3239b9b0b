//! Tells the ledger how the sources are, so that `report coverage` and other processes on it know: every few seconds where
//! anything has changed, else once a minute.

use crate::clock;
use crate::sources::live::{Board, State, Told};
use accounting::UnixMs;
use std::collections::HashMap;
use std::time::Duration;
use store::sources::SourceTold;
use store::{Error, Opener, Store};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// How often it is looked whether anything has changed.
const EVERY: Duration = Duration::from_secs(3);
/// What has not changed is told again after so long, in milliseconds: the service lives.
const AGAIN_MS: i64 = 60_000;
/// How long another writer is waited for: there is another time.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is told, and what was told last.
pub(super) struct Telling {
    board: Board,
    opener: Opener,
    store: Option<Store>,
    host: String,
    /// The state of each source, and since when.
    since: HashMap<String, (&'static str, UnixMs)>,
    last: (UnixMs, Vec<SourceTold>),
}

impl Telling {
    pub(super) fn new(board: Board, opener: Opener) -> Self {
        let host = whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned());
        Self { board, opener, store: None, host, since: HashMap::new(), last: (UnixMs::MIN, Vec::new()) }
    }

    /// Tells until the service stops.
    pub(super) async fn run(mut self, mut stopping: watch::Receiver<bool>) -> Option<Self> {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stop| *stop) => return Some(self),
                _ = tick.tick() => {}
            }
            self = tokio::task::spawn_blocking(move || {
                self.tell();
                self
            })
            .await
            .ok()?;
        }
    }

    /// Tells what has changed; where the ledger is away there is another time.
    pub(super) fn tell(&mut self) {
        let now = clock::now();
        // Of what another process takes in that one tells.
        let ours = self.board.told().into_iter().filter(|told| !told.is_elsewhere);
        let told: Vec<SourceTold> = ours.map(|told| row(told, (now, &self.host), &mut self.since)).collect();
        let is_news = told != self.last.1;
        if told.is_empty() || !(is_news || now - self.last.0 >= AGAIN_MS) {
            return;
        }
        if self.write(now, &told).is_ok() {
            self.last = (now, told);
        } else {
            self.store = None;
        }
    }

    fn write(&mut self, now: UnixMs, told: &[SourceTold]) -> Result<(), Error> {
        let store = match &mut self.store {
            Some(store) => store,
            None => self.store.insert(self.opener.open(PATIENCE)?),
        };
        store.tell_sources(&self.host, now, told)
    }
}

fn row(
    told: Told,
    (now, host): (UnixMs, &str),
    since: &mut HashMap<String, (&'static str, UnixMs)>,
) -> SourceTold {
    let state = told.state.word();
    let known = since.entry(told.about.name.clone()).or_insert((state, now));
    if known.0 != state {
        *known = (state, now);
    }
    let (why, remedy) = match told.state {
        State::Waiting(why) => (Some(why), None),
        State::Down(trouble) => (Some(trouble.why), Some(trouble.remedy)),
        State::Starting | State::Up | State::Stopped => (None, None),
    };
    SourceTold {
        key: told.claim.unwrap_or_else(|| format!("{} on {host}", told.about.name)),
        name: told.about.name,
        kind: told.about.kind.to_owned(),
        what: told.about.what,
        state: state.to_owned(),
        why,
        remedy,
        since_at: known.1,
        lines: [told.counts.events, told.counts.notes, told.counts.noise, told.counts.unrecognized],
        last_event_at: told.last_event,
        lag_bytes: told.lag_bytes,
        lag_ms: told.lag_ms,
        restarts: told.restarts,
        polls: [told.polls_answered, told.polls_failed],
        dropped: told.dropped,
        parts_waiting: told.parts_waiting,
        inputs_parked: told.inputs_parked,
    }
}

#[cfg(test)]
mod tests {
    use super::row;
    use crate::sources::live::{About, State, Told, Trouble};
    use std::collections::HashMap;
    use store::input::Counts;

    #[test]
    fn a_state_is_told_with_its_beginning() {
        let told = |state| Told {
            about: About { name: "a".to_owned(), ..About::default() },
            claim: None,
            is_elsewhere: false,
            state,
            counts: Counts { lines: 10, events: 4, notes: 3, noise: 2, unrecognized: 1 },
            last_event: Some(7),
            lag_bytes: 5,
            lag_ms: 1500,
            restarts: 1,
            polls_answered: 0,
            polls_failed: 0,
            dropped: 0,
            parts_waiting: 0,
            inputs_parked: 0,
        };
        let mut since = HashMap::new();
        assert_eq!(row(told(State::Up), (100, "h"), &mut since).since_at, 100);
        assert_eq!(row(told(State::Up), (200, "h"), &mut since).since_at, 100);
        let down = row(told(State::Down(Trouble::new("gone", "look"))), (300, "h"), &mut since);
        assert_eq!((down.state.as_str(), down.since_at, down.lines), ("down", 300, [4, 3, 2, 1]));
        assert_eq!(down.key, "a on h");
        assert_eq!((down.why.as_deref(), down.remedy.as_deref()), (Some("gone"), Some("look")));
    }
}
