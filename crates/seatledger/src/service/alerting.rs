//! Alerts as the service looks at them: once a minute, behind the other chores.

use super::health::{Health, Part};
use crate::alerts::{Sending, Watch, Ways, sender};
use crate::clock;
use crate::oplog::OpLog;
use crate::sources::live::{Board, State, Told};
use accounting::UnixMs;
use accounting::alert::SourceLife;
use std::sync::Arc;
use store::{Error, Opener, Store};

/// What looks at the rules.
pub(crate) struct Alerting {
    watch: Watch,
    board: Board,
    health: Arc<Health>,
    log: OpLog,
    begun_at: UnixMs,
}

impl Alerting {
    /// With the thread that sends; `None` where there are no rules.
    pub(crate) fn start(
        ways: &Arc<Ways>,
        opener: Opener,
        board: Board,
        health: Arc<Health>,
        log: &OpLog,
    ) -> std::io::Result<Option<(Self, Sending)>> {
        if ways.rules().is_empty() {
            return Ok(None);
        }
        let (watch, sending) = sender(Arc::clone(ways), opener, log.clone())?;
        Ok(Some((Self { watch, board, health, log: log.clone(), begun_at: clock::now() }, sending)))
    }

    /// Looks once; what goes wrong is told, and is tried again the next time.
    pub(crate) fn look(&mut self, store: &mut Store) -> Result<(), Error> {
        let told = self.board.told();
        // Without sources of its own, license servers stand for them.
        let sources: Option<Vec<SourceLife>> =
            (!told.is_empty()).then(|| told.iter().map(|told| life(told, self.begun_at)).collect());
        let looked = self.watch.look(store, sources.as_deref());
        let wrong = looked.as_ref().err().map(|_| "alerts cannot be looked at: the log says why");
        if self.health.note(Part::Alerts, wrong) {
            match &looked {
                Err(error) => self.log.error("alerts cannot be looked at", &[("error", error)]),
                Ok(()) => self.log.info("alerts are looked at again", &[]),
            }
        }
        looked
    }
}

/// What a source's own process knows of it. Of one that waits, another process may know more.
fn life(told: &Told, begun_at: UnixMs) -> SourceLife {
    let is_ours = matches!(told.state, State::Up | State::Down(_));
    SourceLife {
        name: told.about.name.clone(),
        heard_at: told.last_event.filter(|_| is_ours),
        listened_since: is_ours.then_some(begun_at),
    }
}

#[cfg(test)]
mod tests {
    use super::life;
    use crate::sources::live::{About, State, Told, Trouble};
    use store::input::Counts;

    #[test]
    fn of_a_source_that_waits_another_process_may_know_more() {
        let told = |state, last_event| Told {
            about: About { name: "a".to_owned(), ..About::default() },
            claim: None,
            is_elsewhere: false,
            state,
            counts: Counts::default(),
            last_event,
            lag_bytes: 0,
            lag_ms: 0,
            restarts: 0,
            polls_answered: 0,
            polls_failed: 0,
            dropped: 0,
            parts_waiting: 0,
            inputs_parked: 0,
        };
        let of = |state, last_event| {
            let life = life(&told(state, last_event), 5);
            (life.heard_at, life.listened_since)
        };
        assert_eq!(of(State::Up, Some(7)), (Some(7), Some(5)));
        assert_eq!(of(State::Down(Trouble::new("gone", "look")), None), (None, Some(5)));
        for state in [State::Starting, State::Waiting("for another".to_owned()), State::Stopped] {
            assert_eq!(of(state, Some(7)), (None, None));
        }
    }
}
