//! Whether the service can do its work.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is wrong, by part.
#[derive(Debug, Default)]
pub(crate) struct Health {
    writer: Mutex<Option<String>>,
    watch: Mutex<Option<String>>,
    booking: Mutex<Option<String>>,
    background: Mutex<Option<String>>,
    alerts: Mutex<Option<String>>,
    /// When the database was written last for that alone.
    written_at: Mutex<Option<Instant>>,
}

/// For how long a database that could be written is taken for one that can.
const FRESH: Duration = Duration::from_secs(2);

/// A part that may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What records heartbeats.
    Writer,
    /// What notes that the service is up, and is asked by who looks at its health.
    Watch,
    /// What books heartbeats that were accepted.
    Booking,
    /// What seals and derives behind them.
    Background,
    /// What looks at the rules of alerts.
    Alerts,
}

impl Health {
    /// Notes how a part is; returns whether that is news.
    pub(crate) fn note(&self, part: Part, wrong: Option<&str>) -> bool {
        let mut held = self.part(part).lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = held.is_some() != wrong.is_some();
        *held = wrong.map(str::to_owned);
        if part == Part::Watch {
            *self.written_at.lock().unwrap_or_else(PoisonError::into_inner) =
                wrong.is_none().then(Instant::now);
        }
        is_news
    }

    /// Whether the database was written a moment ago.
    pub(crate) fn is_fresh(&self) -> bool {
        let written_at = self.written_at.lock().unwrap_or_else(PoisonError::into_inner);
        written_at.is_some_and(|at| at.elapsed() < FRESH)
    }

    /// What is wrong, if anything.
    pub(crate) fn wrong(&self) -> Option<String> {
        [Part::Writer, Part::Watch, Part::Booking, Part::Background, Part::Alerts]
            .into_iter()
            .find_map(|part| self.part(part).lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn part(&self, part: Part) -> &Mutex<Option<String>> {
        match part {
            Part::Writer => &self.writer,
            Part::Watch => &self.watch,
            Part::Booking => &self.booking,
            Part::Background => &self.background,
            Part::Alerts => &self.alerts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Part};

    #[test]
    fn what_is_wrong_is_told_until_it_is_right() {
        let health = Health::default();
        assert!(!health.note(Part::Writer, None));
        assert!(health.note(Part::Writer, Some("gone")) && !health.note(Part::Writer, Some("away")));
        health.note(Part::Background, Some("full"));
        assert_eq!(health.wrong().as_deref(), Some("away"));
        assert!(health.note(Part::Writer, None));
        assert_eq!(health.wrong().as_deref(), Some("full"));
    }
}
