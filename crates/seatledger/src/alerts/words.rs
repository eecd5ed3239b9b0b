//! What an alert is about, in words.

use super::message::{About, Message};
use accounting::UnixMs;
use accounting::alert::{Figures, Subject};
use accounting::ledger::{Names, ServerId};
use accounting::privacy::{Identity, Kind, Privacy};
use accounting::session::{FeatureId, HolderId};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Names behind numbers, and how persons may be named.
pub(crate) struct Words {
    names: Arc<Names>,
    zone: TimeZone,
    /// What is kept of persons is what is told of them; `None` where whoever looks may see the ledger itself.
    privacy: Option<Privacy>,
}

/// A subject, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) feature: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) source: Option<String>,
}

impl Words {
    pub(crate) fn new(names: Arc<Names>, zone: TimeZone, privacy: Option<Privacy>) -> Self {
        Self { names, zone, privacy }
    }

    /// The parts of a subject.
    pub(crate) fn parts(&self, subject: &Subject) -> Parts {
        let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        match subject {
            Subject::Feature { feature, server } => Parts {
                feature: Some(self.feature(*feature)),
                server: server.map(|server| self.server(server)),
                ..Parts::default()
            },
            Subject::Daemon { server, vendor } => {
                Parts { server: Some(self.server(*server)), vendor: filled(vendor), ..Parts::default() }
            }
            Subject::Expiry { server, vendor, feature, version, .. } => Parts {
                feature: Some(self.feature(*feature)),
                server: Some(self.server(*server)),
                vendor: filled(vendor),
                version: filled(version),
                ..Parts::default()
            },
            Subject::Session { feature, holder, .. } => {
                let (user, host, server) = self.holder(*holder);
                Parts { feature: Some(self.feature(*feature)), server, user, host, ..Parts::default() }
            }
            Subject::Source { name } => Parts { source: Some(name.clone()), ..Parts::default() },
        }
    }

    /// What it is about, in few words.
    pub(crate) fn label(&self, subject: &Subject) -> String {
        self.label_with(subject, "on")
    }

    /// As [`Self::label`], with the word that stands before a server or a host.
    pub(crate) fn label_with(&self, subject: &Subject, on: &str) -> String {
        let parts = self.parts(subject);
        let mut label = parts.feature.or(parts.source).unwrap_or_default();
        label.extend(parts.version.map(|version| format!(" {version}")));
        if let Some(user) = parts.user {
            label.push_str(&format!(": {user}"));
            label.extend(parts.host.map(|host| format!(" {on} {host}")));
        } else if let Some(server) = parts.server {
            label.push_str(&if label.is_empty() { server } else { format!(" {on} {server}") });
        }
        label.extend(parts.vendor.map(|vendor| format!(" ({vendor})")));
        label
    }

    /// What was seen, as a sentence without its end.
    pub(crate) fn sentence(&self, subject: &Subject, figures: &Figures, since: UnixMs) -> String {
        let label = self.label(subject);
        let figure = |name: &str| figures.get(name).copied();
        let seats = |count: i64| if count == 1 { "1 seat".to_owned() } else { format!("{count} seats") };
        match subject {
            Subject::Feature { .. } => {
                match (figure("seats_in_use"), figure("seats_issued"), figure("requests")) {
                    (Some(in_use), Some(issued), _) => {
                        format!("{label}: {in_use} of {} in use", seats(issued))
                    }
                    (_, _, Some(requests)) => {
                        let persons = figure("persons").unwrap_or(0);
                        let minutes = figure("window_seconds").unwrap_or(0) / 60;
                        format!(
                            "{label}: {} of {} denied within {minutes} minutes",
                            many(requests, "request"),
                            many(persons, "person")
                        )
                    }
                    _ => label,
                }
            }
            Subject::Daemon { .. } => match (figure("stopped_at"), figure("failed_since_at")) {
                (Some(stopped), _) => format!("{label}: stopped at {}", self.civil(stopped)),
                (None, Some(failed)) => {
                    let alive = figure("alive_at")
                        .map_or(String::new(), |alive| format!(", seen alive last at {}", self.civil(alive)));
                    format!("{label}: no poll answered since {}{alive}", self.civil(failed))
                }
                _ => label,
            },
            Subject::Expiry { day, .. } => {
                let left = figure("days_left").unwrap_or(0);
                let when = match left {
                    0 => format!("expires today, {day}"),
                    1.. => format!("expires on {day}, in {}", many(left, "day")),
                    _ => format!("has expired on {day}"),
                };
                let count = figure("seats").map_or(String::new(), |count| format!(", {}", seats(count)));
                format!("{label}{count}: {when}")
            }
            Subject::Session { from, .. } => {
                let hours = figure("held_seconds").unwrap_or(0) as f64 / 3600.0;
                let held = seats(figure("seats").unwrap_or(1));
                format!("{label} holds {held} since {}, for {hours:.1} hours", self.civil(*from))
            }
            Subject::Source { .. } => {
                let heard = figure("heard_at").unwrap_or(since);
                format!("{label}: nothing heard since {}", self.civil(heard))
            }
        }
    }

    /// What is told of a subject of a message, as a sentence without its end.
    pub(crate) fn told(&self, message: &Message, about: &About) -> String {
        let Some(subject) = about.subject() else {
            return "something that this version does not know".to_owned();
        };
        if message.change == accounting::alert::Change::Cleared.as_str() {
            return format!("{}: raised at {}", self.label(&subject), self.civil(about.raised_at));
        }
        self.sentence(&subject, &about.figures, about.since)
    }

    /// The subject of a mail, the title of a card.
    pub(crate) fn title(&self, message: &Message) -> String {
        if message.is_test {
            return "Seatledger test: messages arrive here".to_owned();
        }
        let first = message.about.first().map_or(String::new(), |about| self.told(message, about));
        let others = (message.about.len() + message.more).saturating_sub(1);
        let more = if others > 0 { format!(", and {others} more") } else { String::new() };
        let mut change = message.change.clone();
        if let Some(letter) = change.get_mut(..1) {
            letter.make_ascii_uppercase();
        }
        format!("{change}: {} — {first}{more}", message.rule)
    }

    /// All of it, a line a subject.
    pub(crate) fn text(&self, message: &Message) -> String {
        if message.is_test {
            let at = self.civil(message.at);
            return format!("This is a test, sent at {at} by `seatledger alert test`. Nothing is raised.\n");
        }
        let mut text = String::new();
        for about in &message.about {
            text.push_str(&format!("- {}\n", self.told(message, about)));
        }
        if message.more > 0 {
            text.push_str(&format!("- and {} more: `seatledger alert list` shows all\n", message.more));
        }
        text.push_str(&format!(
            "\nRule `{}` (when = \"{}\"), {} at {}.\n",
            message.rule,
            message.when,
            message.change,
            self.civil(message.at)
        ));
        text
    }

    /// An instant as people read it.
    pub(crate) fn civil(&self, at: UnixMs) -> String {
        crate::answers::civil(at, &self.zone)
    }

    /// An instant as machines read it.
    pub(crate) fn iso(&self, at: UnixMs) -> String {
        let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        stamp.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    fn feature(&self, feature: FeatureId) -> String {
        self.names
            .features
            .get(&feature)
            .map_or_else(|| format!("feature {feature}"), |known| known.code.clone())
    }

    fn server(&self, server: ServerId) -> String {
        self.names.servers.get(&server).map_or_else(|| format!("server {server}"), |known| known.name.clone())
    }

    /// User, host and license server of a holder; empty ones are `None`.
    fn holder(&self, holder: HolderId) -> (Option<String>, Option<String>, Option<String>) {
        let Some(known) = self.names.holders.get(&holder) else { return (None, None, None) };
        let shown = |kind: Kind, text: &str| Some(self.shown(kind, text)).filter(|text| !text.is_empty());
        let user = shown(Kind::Person, &known.user).or_else(|| Some("somebody".to_owned()));
        (user, shown(Kind::Place, &known.host), Some(self.server(known.server)))
    }

    /// A name as it may be told: what was kept by name in former times is told by its pseudonym.
    fn shown(&self, kind: Kind, text: &str) -> String {
        match &self.privacy {
            Some(privacy)
                if privacy.identity != Identity::Named && !text.is_empty() && !is_pseudonym(text) =>
            {
                match privacy.keys.is_empty() {
                    true => "somebody".to_owned(),
                    false => privacy.kept(kind, text).into_owned(),
                }
            }
            _ => text.to_owned(),
        }
    }
}

/// Whether a text looks as pseudonyms do.
fn is_pseudonym(text: &str) -> bool {
    let rest = ["p-", "h-", "d-"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let is_of_them =
        |rest: &str| rest.len() == 16 && rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    rest.is_some_and(is_of_them) || text.starts_with("forgotten-") || text.starts_with("host-")
}

fn many(count: i64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
