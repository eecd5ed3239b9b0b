//! What monitors ask at `/metrics`. The sets of labels are bounded.

use super::alert_metrics::AlertMetrics;
use super::source_metrics::SourceMetrics;
use crate::alerts::Counts;
use crate::sources::live::Told;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

/// How many features are shown by themselves; the seats of all others are added up.
const FEATURES: usize = 200;
/// What stands for the others.
const OTHERS: &str = "(others)";

type Labels = [(&'static str, String); 1];

/// What became of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Durable, the first of its bucket or not.
    Recorded,
    /// This process knew that its bucket is counted.
    Known,
    /// Not understood.
    Faulty,
    /// From a network from where none is taken.
    Forbidden,
    /// More than an address may send.
    Limited,
    /// Not recorded, by our own fault.
    Failed,
}

/// All figures.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    outcomes: [Counter; 6],
    batch_size: Histogram,
    commit_seconds: Histogram,
    late: Counter,
    retries: Counter,
    pub(crate) queue_depth: Gauge,
    pub(crate) connections: Gauge,
    seats_in_use: Family<Labels, Gauge>,
    log_dropped: Family<Labels, Gauge>,
    log_waiting: Gauge,
    sources: SourceMetrics,
    alerts: AlertMetrics,
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("seatledger");
        let by_outcome = Family::<Labels, Counter>::default();
        let outcomes = ["recorded", "known", "faulty", "forbidden", "limited", "failed"]
            .map(|name| by_outcome.get_or_create_owned(&[("outcome", name.to_owned())]));
        let batch_size = Histogram::new((0..12).map(|power| f64::from(1 << power)));
        let commit_seconds =
            Histogram::new([0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let (late, retries) = (Counter::default(), Counter::default());
        let (queue_depth, connections) = (Gauge::default(), Gauge::default());
        let seats_in_use = Family::<Labels, Gauge>::default();
        let (log_dropped, log_waiting) = (Family::<Labels, Gauge>::default(), Gauge::default());
        registry.register("heartbeats", "Heartbeats by what became of them", by_outcome);
        registry.register(
            "heartbeat_batch_size",
            "Heartbeats that were committed together",
            batch_size.clone(),
        );
        registry.register(
            "commit_seconds",
            "How long it took until a batch was durable",
            commit_seconds.clone(),
        );
        registry.register("heartbeats_late", "Heartbeats of buckets that were sealed already", late.clone());
        registry.register(
            "commit_retries",
            "Commits tried again, because the database was away or busy",
            retries.clone(),
        );
        registry.register("queue_depth", "Heartbeats that wait for their commit", queue_depth.clone());
        registry.register("connections", "Open connections", connections.clone());
        registry.register(
            "seats_in_use",
            "Seats of sessions not known to have ended, by feature; once a minute",
            seats_in_use.clone(),
        );
        registry.register(
            "log_dropped",
            "Entries of the log that were lost, by where to",
            log_dropped.clone(),
        );
        registry.register("log_waiting", "Entries of the log that wait for ELK", log_waiting.clone());
        let sources = SourceMetrics::registered(&mut registry);
        let alerts = AlertMetrics::registered(&mut registry);
        Self {
            registry,
            outcomes,
            batch_size,
            commit_seconds,
            late,
            retries,
            queue_depth,
            connections,
            seats_in_use,
            log_dropped,
            log_waiting,
            sources,
            alerts,
        }
    }

    /// Counts a heartbeat.
    pub(crate) fn count(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].inc();
    }

    /// How many heartbeats became that.
    pub(crate) fn counted(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].get()
    }

    /// What the log has lost, and what waits.
    pub(crate) fn set_log(&self, local_dropped: u64, elk_dropped: u64, elk_waiting: u64) {
        for (to, dropped) in [("local", local_dropped), ("elk", elk_dropped)] {
            self.log_dropped.get_or_create(&[("to", to.to_owned())]).set(dropped as i64);
        }
        self.log_waiting.set(elk_waiting as i64);
    }

    /// How the sources are.
    pub(crate) fn set_sources(&self, sources: &[Told]) {
        self.sources.set(sources);
    }

    /// How alerts are.
    pub(crate) fn set_alerts(&self, counts: &Counts) {
        self.alerts.set(counts);
    }

    /// A batch became durable.
    pub(crate) fn committed(&self, size: usize, seconds: f64, late: u64) {
        self.batch_size.observe(size as f64);
        self.commit_seconds.observe(seconds);
        self.late.inc_by(late);
    }

    /// A batch is tried again.
    pub(crate) fn retried(&self) {
        self.retries.inc();
    }

    /// The seats in use by feature: those with most by name.
    pub(crate) fn set_seats_in_use(&self, by_feature: BTreeMap<String, i64>) {
        let mut rows: Vec<(String, i64)> = by_feature.into_iter().collect();
        rows.sort_by_key(|(_, seats)| std::cmp::Reverse(*seats));
        let others: i64 = rows.iter().skip(FEATURES).map(|(_, seats)| seats).sum();
        rows.truncate(FEATURES);
        if others > 0 {
            rows.push((OTHERS.to_owned(), others));
        }
        self.seats_in_use.clear();
        for (feature, seats) in rows {
            self.seats_in_use.get_or_create(&[("feature", feature)]).set(seats);
        }
    }

    /// All of them in the text format of `OpenMetrics`.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Metrics, Outcome};

    #[test]
    fn what_is_counted_is_shown() {
        let metrics = Metrics::new();
        metrics.count(Outcome::Known);
        metrics.count(Outcome::Failed);
        metrics.committed(3, 0.004, 1);
        metrics.retried();
        let text = metrics.text().unwrap();
        for line in [
            "seatledger_heartbeats_total{outcome=\"known\"} 1",
            "seatledger_heartbeats_total{outcome=\"recorded\"} 0",
            "seatledger_heartbeats_total{outcome=\"failed\"} 1",
            "seatledger_heartbeat_batch_size_sum 3.0",
            "seatledger_commit_seconds_count 1",
            "seatledger_heartbeats_late_total 1",
            "seatledger_commit_retries_total 1",
            "seatledger_queue_depth 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }

    #[test]
    fn seats_are_shown_of_a_bounded_number_of_features() {
        let metrics = Metrics::new();
        metrics.set_seats_in_use([("gone".to_owned(), 5)].into());
        metrics.set_seats_in_use((0..250).map(|nth| (format!("f{nth:03}"), nth)).collect());
        let text = metrics.text().unwrap();
        let shown: Vec<&str> =
            text.lines().filter(|line| line.starts_with("seatledger_seats_in_use{")).collect();
        assert_eq!(shown.len(), 201);
        assert!(shown.contains(&"seatledger_seats_in_use{feature=\"f249\"} 249"));
        let others: i64 = (0..50).sum();
        assert!(
            shown.contains(&format!("seatledger_seats_in_use{{feature=\"(others)\"}} {others}").as_str())
        );
    }
}
