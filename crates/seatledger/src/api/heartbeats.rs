//! Heartbeats from clients that speak JSON: lists of them, as often as the client likes, each counted once.

use super::failure::Failure;
use super::{Api, json_body, openapi};
use crate::clock;
use accounting::UnixMs;
use accounting::heartbeat::bucket;
use axum::Json;
use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::heartbeats::{BucketScope, Heartbeat};
use utoipa::ToSchema;

/// How many heartbeats a list may have.
const MOST: usize = 1000;
/// The longest text of a heartbeat, in characters.
const LONGEST: usize = 200;
/// How far a client's clock may be ahead of ours, in milliseconds.
const AHEAD: i64 = 60_000;
/// What stands for a version that is not told.
const UNKNOWN_VERSION: &str = "unknown";
const TOO_OLD: &str = "too old: what was told of that time is closed";

/// Heartbeats of any number of persons.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"heartbeats": [
    {"user": "amara", "domain": "corp", "host": "ws-12", "process": "4711", "feature": "viewer", "version": "2025.1"},
    {"user": "bela", "feature": "viewer", "at": "2025-03-03T09:17:20+01:00"}
]}))]
pub(super) struct Told {
    /// At most 1000.
    #[schema(max_items = 1000)]
    heartbeats: Vec<Beat>,
}

/// Somebody uses something: it counts for the whole bucket of civil time in which the instant lies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Beat {
    /// The person's login, compared without regard to case.
    user: String,
    /// The domain of the login.
    #[serde(default)]
    domain: Option<String>,
    /// The machine.
    #[serde(default)]
    host: Option<String>,
    /// What the client calls the running program. A person who runs it twice uses it once: this is not kept.
    #[serde(default)]
    process: Option<String>,
    /// What is used: any name, as it is written.
    feature: String,
    /// Its version.
    #[serde(default)]
    version: Option<String>,
    /// When, as RFC 3339; now where it is not told.
    #[serde(default)]
    #[schema(example = "2025-03-03T09:17:20+01:00")]
    at: Option<String>,
}

/// What became of a list.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"accepted": 2, "new": 1, "already_counted": 1, "refused": []}))]
pub(super) struct Taken {
    /// How many are counted now: `new` and `already_counted` together.
    accepted: usize,
    /// Of how many nobody had told before that the person used the feature in that bucket.
    new: usize,
    /// How many told of what was counted already, by this list or an earlier one.
    already_counted: usize,
    /// Those that are not counted, and will not be if they are sent again.
    refused: Vec<Refused>,
}

/// A heartbeat that is not counted.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Refused {
    /// Its place in the list, from 0.
    index: usize,
    /// Why.
    reason: String,
}

/// Take in heartbeats
///
/// Each counts for its bucket of civil time (10 minutes, unless the service is configured otherwise), per person and
/// feature. Sending one again changes nothing. When the answer arrives they are durable; an answer of 5xx means that none
/// of the list is counted by it, and that it is to be sent again.
#[utoipa::path(
    post,
    path = "/api/v1/heartbeats",
    tag = "Sending",
    request_body = Told,
    responses(
        (status = 200, description = "What became of them", body = Taken),
        openapi::Refusals,
        openapi::BodyRefusals,
    ),
)]
pub(super) async fn take(State(api): State<Arc<Api>>, request: Request) -> Result<Json<Taken>, Failure> {
    api.caller(&request).await?.must_send_heartbeats()?;
    let told: Told = json_body(request).await?;
    if told.heartbeats.len() > MOST {
        let sent = told.heartbeats.len();
        return Err(Failure::Wrong(format!(
            "a list has at most {MOST} heartbeats, not {sent}: send it in parts"
        )));
    }
    let mut taken = Taken::default();
    let (mut heartbeats, mut indexes) = (Vec::with_capacity(told.heartbeats.len()), Vec::new());
    let now = clock::now();
    for (index, beat) in told.heartbeats.into_iter().enumerate() {
        match api.heartbeat(beat, now) {
            Ok(heartbeat) => {
                heartbeats.push(heartbeat);
                indexes.push(index);
            }
            Err(reason) => taken.refused.push(Refused { index, reason }),
        }
    }
    if !heartbeats.is_empty() {
        let sent = heartbeats.len();
        let Some(recorded) = api.around.record(heartbeats).await else {
            return Err(Failure::Busy("the heartbeats could not be stored: send them again".to_owned()));
        };
        for nth in &recorded.late {
            taken.refused.push(Refused { index: indexes[*nth], reason: TOO_OLD.to_owned() });
        }
        taken.refused.sort_by_key(|refused| refused.index);
        taken.accepted = sent - recorded.late.len();
        taken.new = recorded.new as usize;
        taken.already_counted = taken.accepted.saturating_sub(taken.new);
    }
    Ok(Json(taken))
}

impl Api {
    /// A heartbeat as the ledger counts it, or why it cannot be one.
    fn heartbeat(&self, beat: Beat, now: UnixMs) -> Result<Heartbeat, String> {
        let at = match beat.at {
            None => now,
            Some(text) => instant(&text)?,
        };
        if at > now + AHEAD {
            return Err("at lies in the future: is the clock right?".to_owned());
        }
        let (from, until) = bucket(at, &self.zone, self.interval);
        // The ledger closes buckets by and by: what is late is so before it has, too.
        if until <= now - self.opener.late_ms(self.interval.ms()) {
            return Err(TOO_OLD.to_owned());
        }
        checked("process", beat.process)?;
        Ok(Heartbeat {
            domain: checked("domain", beat.domain)?.to_lowercase(),
            user: filled("user", beat.user)?.to_lowercase(),
            host: checked("host", beat.host)?.to_lowercase(),
            feature: filled("feature", beat.feature)?,
            version: match checked("version", beat.version)?.to_lowercase() {
                version if version.is_empty() => UNKNOWN_VERSION.to_owned(),
                version => version,
            },
            from,
            until,
            scope: BucketScope::PersonAndFeature,
        })
    }
}

fn instant(text: &str) -> Result<UnixMs, String> {
    let stamp = text.parse::<jiff::Timestamp>();
    stamp
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|_| "at is no instant: write RFC 3339, such as 2025-03-03T09:17:20+01:00".to_owned())
}

/// A text without the blanks around it, and without what no name has.
fn checked(name: &str, text: Option<String>) -> Result<String, String> {
    let Some(text) = text else { return Ok(String::new()) };
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(format!("{name} has control characters"));
    }
    if text.chars().count() > LONGEST {
        return Err(format!("{name} has more than {LONGEST} characters"));
    }
    Ok(text.to_owned())
}

fn filled(name: &str, text: String) -> Result<String, String> {
    let text = checked(name, Some(text))?;
    if text.is_empty() { Err(format!("{name} is empty")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::{checked, filled, instant};

    #[test]
    fn texts_are_trimmed_and_what_no_name_has_is_refused() {
        assert_eq!(checked("host", None), Ok(String::new()));
        assert_eq!(filled("user", " amara ".to_owned()), Ok("amara".to_owned()));
        for wrong in [" ", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(filled("user", wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn instants_carry_an_offset() {
        assert_eq!(instant("1970-01-01T01:00:01.5+01:00"), Ok(1500));
        for wrong in ["1970-01-01", "1970-01-01T00:00:00", "now", "", "99999-01-01T00:00:00Z"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }
}
