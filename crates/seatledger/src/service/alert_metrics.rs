//! What monitors are told of alerts. Labels are the rules of the configuration, and words.

use crate::alerts::Counts;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Of = Family<[(&'static str, String); 1], Gauge>;

/// The figures of alerts.
#[derive(Debug, Default)]
pub(super) struct AlertMetrics {
    raised: Of,
    messages: Of,
    waiting: Gauge,
}

impl AlertMetrics {
    /// Announced under their names.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let all = Self::default();
        registry.register("alerts_raised", "What is raised, by rule; once a minute", all.raised.clone());
        registry.register(
            "alert_messages",
            "Messages about alerts by what became of them in this process; failed ones are sent again",
            all.messages.clone(),
        );
        registry.register(
            "alert_messages_waiting",
            "Messages about alerts that wait to be sent, of all processes",
            all.waiting.clone(),
        );
        all
    }

    /// How it is now.
    pub(super) fn set(&self, counts: &Counts) {
        for (rule, raised) in &counts.raised {
            self.raised.get_or_create(&[("rule", rule.clone())]).set(*raised as i64);
        }
        for (outcome, count) in
            [("sent", counts.sent), ("failed", counts.failed), ("given_up", counts.given_up)]
        {
            self.messages.get_or_create(&[("outcome", outcome.to_owned())]).set(count as i64);
        }
        self.waiting.set(counts.waiting);
    }
}
