//! What the API asks of the service: to store heartbeats, and to tell whoever runs it what went wrong.

use super::App;
use super::metrics::Outcome;
use crate::api::{Around, Recording, Taking};
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
