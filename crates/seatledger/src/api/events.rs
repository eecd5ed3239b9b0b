//! Events of wrappers: how far runs are known, and what wrapper scripts record.

use super::failure::Failure;
use super::{Api, json_body, openapi};
use crate::clock;
use accounting::UnixMs;
use axum::Json;
use axum::extract::{Request, State};
use formats::events::Told;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// How many events a list may have.
const MOST: usize = 1000;
/// How far a sender's clock may be ahead of ours, in milliseconds.
const AHEAD: i64 = 600_000;

/// What was not taken in, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Not now: send them again.
    Away,
    /// The ledger cannot keep them.
    Refused(String),
}

/// Events of wrappers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"events": [
    {"what": "run", "id": "6b1f0c52a7d94e03", "feature": "solver", "user": "chen", "host": "ws-12",
     "from": "2026-03-02T08:00:00.250Z", "seen_at": "2026-03-02T08:05:00.250Z", "awaited_until": "2026-03-02T08:15:00.250Z"},
    {"what": "start", "id": "ws-12/4711/1", "at": "2026-03-02T08:00:00Z", "feature": "viewer", "user": "chen",
     "host": "ws-12", "pid": 4711}
]}))]
pub(super) struct List {
    /// At most 1000. `run` says how far a run is known: `from` and `until` where it has ended, else `seen_at` and
    /// `awaited_until`; it may be sent any number of times. `start` and `stop` are a wrapper script's; each has an `id` of
    /// its own, by which it counts once.
    #[schema(max_items = 1000, value_type = Vec<Object>)]
    events: Vec<serde_json::Value>,
}

/// What became of a list.
#[expect(clippy::struct_field_names, reason = "the fields are words of the interface")]
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"accepted": 2, "already_taken": 0, "refused": []}))]
pub(super) struct Taken {
    /// How many the ledger holds now, those that it held before among them.
    accepted: usize,
    /// Of how many the ledger held the `id` before.
    already_taken: usize,
    /// Those that were not taken in, and will not be if they are sent again.
    refused: Vec<Refused>,
}

/// An event that was not taken in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = RefusedEvent)]
struct Refused {
    /// Its place in the list, from 0.
    index: usize,
    /// Why.
    reason: String,
}

/// Take in events of wrappers
///
/// Sending an event again changes nothing. When the answer arrives the events are durable; an answer of 5xx means that they
/// are to be sent again.
#[utoipa::path(
    post,
    path = "/api/v1/events",
    tag = "Sending",
    request_body = List,
    responses(
        (status = 200, description = "What became of them", body = Taken),
        openapi::Refusals,
        openapi::BodyRefusals,
    ),
)]
pub(super) async fn take(State(api): State<Arc<Api>>, request: Request) -> Result<Json<Taken>, Failure> {
    api.caller(&request).await?.must_send_events()?;
    let list: List = json_body(request).await?;
    if list.events.len() > MOST {
        let sent = list.events.len();
        return Err(Failure::Wrong(format!(
            "a list has at most {MOST} events, not {sent}: send it in parts"
        )));
    }
    let now = clock::now();
    let (mut taken, mut events) = (Taken::default(), Vec::with_capacity(list.events.len()));
    for (index, value) in list.events.into_iter().enumerate() {
        match event(value, now) {
            Ok(told) => events.push(told),
            Err(reason) => taken.refused.push(Refused { index, reason }),
        }
    }
    if !events.is_empty() {
        taken.accepted = events.len();
        taken.already_taken = api.around.take_events(events).await.map_err(|not| match not {
            NotTaken::Away => Failure::Busy("the events could not be stored: send them again".to_owned()),
            NotTaken::Refused(why) => Failure::Conflict(why),
        })?;
    }
    Ok(Json(taken))
}

fn event(value: serde_json::Value, now: UnixMs) -> Result<Told, String> {
    let told: Told = serde_json::from_value(value).map_err(|error| error.to_string())?;
    if let Some(fault) = told.fault() {
        return Err(fault);
    }
    if told.latest() > now + AHEAD {
        return Err("it lies in the future: is the clock right?".to_owned());
    }
    Ok(told)
}
