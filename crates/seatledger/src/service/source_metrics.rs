//! What monitors are told of the sources. Labels are the sources of the configuration, and words.

use crate::sources::live::Told;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

type Of = Family<[(&'static str, String); 1], Gauge>;
type OfOutcome = Family<[(&'static str, String); 2], Gauge>;

/// The figures of all sources.
#[derive(Debug, Default)]
pub(super) struct SourceMetrics {
    up: Of,
    lag_bytes: Of,
    lag_seconds: Of,
    last_event: Of,
    restarts: Of,
    lines: OfOutcome,
    polls: OfOutcome,
    dropped: Of,
    parts_waiting: Of,
    inputs_parked: Of,
}

impl SourceMetrics {
    /// Announced under their names.
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let all = Self::default();
        let of = [
            ("source_up", "Whether a source is as it should be", &all.up),
            ("source_lag_bytes", "Bytes of a source that are not taken in yet", &all.lag_bytes),
            ("source_lag_seconds", "For how long a source has not been wholly taken in", &all.lag_seconds),
            ("source_last_event_timestamp_seconds", "The latest dated line of a source", &all.last_event),
            ("source_restarts", "How often a source was started again", &all.restarts),
            ("source_parts_waiting", "Parts that the central service has not taken yet", &all.parts_waiting),
            (
                "source_inputs_parked",
                "Inputs of which the central service has refused a part",
                &all.inputs_parked,
            ),
            ("source_dropped", "Messages that were lost before they could be taken in", &all.dropped),
        ];
        for (name, help, family) in of {
            registry.register(name, help, family.clone());
        }
        registry.register("source_lines", "Lines by what they were", all.lines.clone());
        registry.register("source_polls", "Polls by whether they were answered", all.polls.clone());
        all
    }

    /// How the sources are now.
    pub(super) fn set(&self, sources: &[Told]) {
        for told in sources {
            let name = || told.about.name.clone();
            let set = |family: &Of, value: i64| family.get_or_create(&[("source", name())]).set(value);
            let set_outcome = |family: &OfOutcome, outcome: &str, value: u64| {
                let labels = [("source", name()), ("outcome", outcome.to_owned())];
                family.get_or_create(&labels).set(value as i64);
            };
            set(&self.up, i64::from(told.state.is_up()));
            set(&self.lag_bytes, told.lag_bytes as i64);
            set(&self.lag_seconds, told.lag_ms / 1000);
            if let Some(at) = told.last_event {
                set(&self.last_event, at / 1000);
            }
            set(&self.restarts, told.restarts as i64);
            let counts = &told.counts;
            set_outcome(&self.lines, "event", counts.events);
            set_outcome(&self.lines, "note", counts.notes);
            set_outcome(&self.lines, "noise", counts.noise);
            set_outcome(&self.lines, "unrecognized", counts.unrecognized);
            if told.polls_answered + told.polls_failed > 0 {
                set_outcome(&self.polls, "answered", told.polls_answered);
                set_outcome(&self.polls, "failed", told.polls_failed);
            }
            if told.about.kind == crate::sources::forward::KIND {
                set(&self.parts_waiting, told.parts_waiting as i64);
                set(&self.inputs_parked, told.inputs_parked as i64);
            }
            if told.dropped > 0 {
                set(&self.dropped, told.dropped as i64);
            }
        }
    }
}
