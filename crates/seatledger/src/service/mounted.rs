//! What the faces ask of the service: to store heartbeats, and to tell whoever runs it what went wrong.

use super::App;
use super::metrics::Outcome;
use crate::api::{Around, Recording, Taking};
use crate::sources::live::{self, State};
use crate::web::LiveSource;
use formats::events::Told;
use store::heartbeats::Heartbeat;

impl Around for App {
    fn record(&self, heartbeats: Vec<Heartbeat>) -> Recording<'_> {
        Box::pin(async move {
            let all = heartbeats.len();
            let recorded = self.writer.record_list(heartbeats).await.ok();
            let in_time = recorded.as_ref().map_or(0, |recorded| all - recorded.late.len());
            let outcome = if recorded.is_some() { Outcome::Recorded } else { Outcome::Failed };
            (0..if recorded.is_some() { in_time } else { all }).for_each(|_| self.metrics.count(outcome));
            recorded
        })
    }

    fn take_events(&self, events: Vec<Told>) -> Taking<'_> {
        Box::pin(self.receiver.take(events))
    }

    fn complain(&self, message: &str) {
        self.log.error(message, &[]);
    }
}

/// A source as the dashboard shows it.
pub(super) fn shown(told: live::Told) -> LiveSource {
    let (state, trouble) = match told.state {
        State::Starting => ("starting", None),
        State::Up => ("up", None),
        State::Waiting(why) => ("waiting", Some(why)),
        State::Down(trouble) => ("down", Some(format!("{}: {}", trouble.why, trouble.remedy))),
        State::Stopped => ("stopped", None),
    };
    LiveSource {
        name: told.about.name,
        kind: told.about.kind,
        what: told.about.what,
        is_up: !matches!(state, "down" | "stopped"),
        state: state.to_owned(),
        trouble,
        last_event_at: told.last_event,
        lines: told.counts.lines,
        unrecognized: told.counts.unrecognized,
    }
}
