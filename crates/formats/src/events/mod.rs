//! Events as `seatledger run` and `seatledger record` send and spool them: JSON, one object a line.
//!
//! A run is told as a state: since when, and how far it is known. Each telling says all that is known of it, so that any of
//! them may be lost, doubled or late, and the last one tells the same as all of them.

mod run;

pub use run::RunStates;

use crate::iso;
use crate::line::{Line, Read};
use accounting::UnixMs;
use accounting::event::{CheckinReason, Claim, Event, What};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The longest text of an event, in characters.
const LONGEST: usize = 200;

/// An event of a wrapper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Told {
    /// How far a run is known.
    Run {
        /// What tells the run from all others.
        id: String,
        /// What runs.
        feature: String,
        /// Its version, where it is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Who runs it.
        user: String,
        /// Where.
        host: String,
        /// Since when.
        from: Instant,
        /// Until when: it has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Instant>,
        /// When it was seen alive, while it goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_at: Option<Instant>,
        /// Until when it goes on unless more is heard of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaited_until: Option<Instant>,
    },
    /// A wrapper script's START.
    Start(Record),
    /// A wrapper script's STOP.
    Stop(Record),
}

/// What a wrapper script records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What tells this event from all others.
    pub id: String,
    /// When.
    pub at: Instant,
    /// The application.
    pub feature: String,
    /// Who runs it.
    pub user: String,
    /// Where.
    pub host: String,
    /// The number of the process by which a STOP finds its START.
    pub pid: u32,
}

/// An instant, in JSON as RFC 3339 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub UnixMs);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stamp = jiff::Timestamp::from_millisecond(self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&format!("{stamp:.3}"))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let instant = iso::stamp(text.as_bytes()).and_then(|stamp| stamp.instant());
        instant.map(Self).ok_or_else(|| {
            serde::de::Error::custom("no instant: write RFC 3339, such as 2025-03-03T09:17:20.125+01:00")
        })
    }
}

impl Told {
    /// Its line.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The latest instant of which it tells, but for what is awaited.
    pub fn latest(&self) -> UnixMs {
        match self {
            Self::Run { from, until, seen_at, .. } => until.or(*seen_at).unwrap_or(*from).0,
            Self::Start(record) | Self::Stop(record) => record.at.0,
        }
    }

    /// What is wrong with it, where anything is.
    pub fn fault(&self) -> Option<String> {
        let (texts, wrong) = match self {
            Self::Run { id, feature, version, user, host, from, until, seen_at, awaited_until } => {
                let wrong = match (until, seen_at, awaited_until) {
                    (Some(until), None, None) if until < from => Some("until lies before from"),
                    (None, Some(seen_at), Some(_)) if seen_at < from => Some("seen_at lies before from"),
                    (None, Some(seen_at), Some(awaited)) if awaited < seen_at => {
                        Some("awaited_until lies before seen_at")
                    }
                    (Some(_), None, None) | (None, Some(_), Some(_)) => None,
                    _ => Some("a run has either until, or seen_at and awaited_until"),
                };
                let version = version.as_deref().unwrap_or("-");
                (
                    [
                        ("id", &**id),
                        ("feature", feature),
                        ("user", user),
                        ("host", host),
                        ("version", version),
                    ],
                    wrong,
                )
            }
            Self::Start(record) | Self::Stop(record) => {
                let Record { id, feature, user, host, .. } = record;
                ([("id", &**id), ("feature", feature), ("user", user), ("host", host), ("", "-")], None)
            }
        };
        let of_text = |(name, text): (&str, &str)| match text {
            _ if text.trim().is_empty() => Some(format!("{name} is empty")),
            _ if text.chars().any(char::is_control) => Some(format!("{name} has control characters")),
            _ if text.chars().count() > LONGEST => Some(format!("{name} has more than {LONGEST} characters")),
            _ => None,
        };
        wrong.map(str::to_owned).or_else(|| texts.into_iter().find_map(of_text))
    }

    /// What it says.
    pub fn into_read(self) -> Read<'static> {
        let at = self.latest();
        let event = match self {
            Self::Run { id, feature, version, user, host, from, until, seen_at, awaited_until } => {
                let claim = Claim { version: version.map(Cow::Owned), ..claim(feature, user, host, id) };
                let seen_at = seen_at.unwrap_or(from).0;
                let what = match until {
                    Some(Instant(until)) => What::Used { claim, until },
                    None => What::Running {
                        claim,
                        seen_at,
                        awaited_until: awaited_until.map_or(seen_at, |awaited| awaited.0),
                    },
                };
                event(from.0, what)
            }
            Self::Start(record) => event(record.at.0, What::Checkout(record.claim())),
            Self::Stop(record) => event(record.at.0, What::Checkin(record.claim(), CheckinReason::Returned)),
        };
        Read { at: Some(at), process: "", line: Line::Event { event, times: 1 } }
    }
}

impl Record {
    fn claim(self) -> Claim<'static> {
        claim(self.feature, self.user, self.host, self.pid.to_string())
    }
}

fn claim(feature: String, user: String, host: String, handle: String) -> Claim<'static> {
    Claim {
        feature: feature.into(),
        user: user.into(),
        host: host.into(),
        handle: Some(handle.into()),
        seats: 1,
        ..Claim::default()
    }
}

fn event(at: UnixMs, what: What<'static>) -> Event<'static> {
    Event { at, order: 0, vendor: Cow::Borrowed(""), what }
}
