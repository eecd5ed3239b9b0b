//! What alerts have seen, in German.

use crate::alerts::Words;
use accounting::UnixMs;
use accounting::alert::{Figures, Subject};

/// As [`Words::sentence`].
pub(super) fn sentence(words: &Words, subject: &Subject, figures: &Figures, since: UnixMs) -> String {
    let label = words.label_with(subject, "auf");
    let figure = |name: &str| figures.get(name).copied();
    match subject {
        Subject::Feature { .. } => {
            match (figure("seats_in_use"), figure("seats_issued"), figure("requests")) {
                (Some(in_use), Some(issued), _) => {
                    format!("{label}: {in_use} von {} belegt", many(issued, "Platz", "Plätzen"))
                }
                (_, _, Some(requests)) => {
                    let persons = many(figure("persons").unwrap_or(0), "Person", "Personen");
                    let minutes = figure("window_seconds").unwrap_or(0) / 60;
                    let requests = many(requests, "Anfrage", "Anfragen");
                    format!("{label}: {requests} von {persons} innert {minutes} Minuten abgelehnt")
                }
                _ => label,
            }
        }
        Subject::Daemon { .. } => match (figure("stopped_at"), figure("failed_since_at")) {
            (Some(stopped), _) => format!("{label}: gestoppt am {}", words.civil(stopped)),
            (None, Some(failed)) => {
                let alive = figure("alive_at").map(|alive| words.civil(alive));
                let alive = alive.map_or(String::new(), |alive| format!(", zuletzt am Leben am {alive}"));
                format!("{label}: keine Abfrage beantwortet seit {}{alive}", words.civil(failed))
            }
            _ => label,
        },
        Subject::Expiry { day, .. } => {
            let when = match figure("days_left").unwrap_or(0) {
                0 => format!("läuft heute ab, {day}"),
                left @ 1.. => format!("läuft am {day} ab, in {}", many(left, "Tag", "Tagen")),
                _ => format!("ist am {day} abgelaufen"),
            };
            let seats = figure("seats").map(|count| format!(", {}", many(count, "Platz", "Plätze")));
            format!("{label}{}: {when}", seats.unwrap_or_default())
        }
        Subject::Session { from, .. } => {
            let hours = figure("held_seconds").unwrap_or(0) as f64 / 3600.0;
            let held = many(figure("seats").unwrap_or(1), "Platz", "Plätze");
            format!("{label} belegt {held} seit {}, {hours:.1} Stunden lang", words.civil(*from))
        }
        Subject::Source { .. } => {
            let heard = words.civil(figure("heard_at").unwrap_or(since));
            format!("{label}: nichts gehört seit {heard}")
        }
    }
}

fn many(count: i64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use crate::alerts::Words;
    use crate::texts::{Language, Texts};
    use accounting::alert::{Figures, Subject};
    use accounting::ledger::Names;
    use jiff::tz::TimeZone;
    use std::sync::Arc;

    #[test]
    fn alerts_are_told_in_both_languages() {
        let words = Words::new(Arc::new(Names::default()), TimeZone::UTC, None);
        let said = |subject: &Subject, figures: &[(&str, i64)]| {
            let figures: Figures =
                figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect();
            [Language::En, Language::De]
                .map(|language| Texts::of(language).alert(&words, subject, &figures, 0))
        };
        let feature = Subject::Feature { feature: 1, server: None };
        let full = [("seats_in_use", 4), ("seats_issued", 5)];
        assert_eq!(
            said(&feature, &full),
            ["feature 1: 4 of 5 seats in use", "feature 1: 4 von 5 Plätzen belegt"]
        );
        let denied = [("requests", 3), ("persons", 1), ("window_seconds", 3600)];
        assert_eq!(
            said(&feature, &denied),
            [
                "feature 1: 3 requests of 1 person denied within 60 minutes",
                "feature 1: 3 Anfragen von 1 Person innert 60 Minuten abgelehnt"
            ]
        );
        let source = Subject::Source { name: "site".to_owned() };
        assert_eq!(
            said(&source, &[]),
            ["site: nothing heard since 1970-01-01 00:00:00", "site: nichts gehört seit 1970-01-01 00:00:00"]
        );
    }
}
