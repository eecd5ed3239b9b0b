//! What the faces ask of the service: to store heartbeats, and to tell whoever runs it what went wrong.

use super::App;
use super::metrics::Outcome;
use crate::api::{Around, Recording, SourceRow, Taking, TakingParts};
use crate::render::iso;
use crate::sources::live::{self, State, Trouble};
use crate::web::LiveSource;
use formats::events::Told;
use jiff::tz::TimeZone;
use store::forward::Part;
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

    fn sources(&self, zone: &TimeZone) -> Vec<SourceRow> {
        self.board.told().into_iter().map(|told| row(told, zone)).collect()
    }

    fn take_events(&self, events: Vec<Told>) -> Taking<'_> {
        Box::pin(self.receiver.take(events))
    }

    fn take_parts(&self, parts: Vec<Part>, after_gap: bool) -> TakingParts<'_> {
        Box::pin(self.parts.take(parts, after_gap))
    }

    fn complain(&self, message: &str) {
        self.log.error(message, &[]);
    }
}

fn row(told: live::Told, zone: &TimeZone) -> SourceRow {
    let state = told.state.word();
    let (why, remedy) = match told.state {
        State::Waiting(why) => (Some(why), None),
        State::Down(Trouble { why, remedy }) => (Some(why), Some(remedy)),
        State::Starting | State::Up | State::Stopped => (None, None),
    };
    SourceRow {
        site: None,
        name: told.about.name,
        kind: told.about.kind.to_owned(),
        what: told.about.what,
        state: state.to_owned(),
        why,
        remedy,
        told_at: None,
        last_event: told.last_event.map(|at| iso(at, zone)),
        lines: told.counts.lines,
        events: told.counts.events,
        notes: told.counts.notes,
        noise: told.counts.noise,
        unrecognized: told.counts.unrecognized,
        lag_bytes: told.lag_bytes,
        lag_seconds: told.lag_ms as f64 / 1000.0,
        restarts: told.restarts,
        polls_answered: told.polls_answered,
        polls_failed: told.polls_failed,
        dropped: told.dropped,
        parts_waiting: told.parts_waiting,
        inputs_parked: told.inputs_parked,
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
        kind: told.about.kind.to_owned(),
        what: told.about.what,
        is_up: !matches!(state, "down" | "stopped"),
        state: state.to_owned(),
        trouble,
        silent_since: None,
        last_event_at: told.last_event,
        lines: told.counts.lines,
        unrecognized: told.counts.unrecognized,
    }
}
