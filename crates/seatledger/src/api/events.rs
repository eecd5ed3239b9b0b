//! Events of wrappers: how far runs are known, and what wrapper scripts record. And what site collectors tell.

use super::failure::Failure;
use super::{Api, LONGEST_BODY, LONGEST_PARTS, json_bytes, openapi, wrong_body};
use crate::clock;
use crate::gate::Caller;
use accounting::UnixMs;
use axum::Json;
use axum::extract::{Request, State};
use formats::events::Told;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::forward::Part;
use utoipa::ToSchema;

/// How many events a list may have.
const MOST: usize = 1000;
/// How far a sender's clock may be ahead of ours, in milliseconds.
const AHEAD: i64 = 600_000;

/// How many objects (parts, their names and runs), and how many texts, one body of parts may have: a few letters that say
/// nothing would take a hundred times as much memory. No commit of a site comes near.
const MOST_OBJECTS: usize = 100_000;
const MOST_TEXTS: usize = 4_000_000;

/// What it means that another part of a number was taken, and what to do.
const DIVERGED: &str = "the ledger of the site was set back to a backup, or there is a copy of it that tells the same site; \
                        `seatledger db forward-anew` at the site makes it another one";

/// What was not taken in, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// Not now: send them again.
    Away,
    /// The ledger cannot keep them.
    Refused(String),
}

/// What became of parts: those that were taken are the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PartsTaken {
    /// How many the ledger holds now.
    pub(crate) accepted: usize,
    /// Of how many it held what they tell before.
    pub(crate) already_taken: usize,
    /// The one that was not taken in; those behind it were not looked at.
    pub(crate) refused: Option<RefusedPart>,
}

/// A part that was not taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedPart {
    pub(crate) index: usize,
    pub(crate) reason: String,
    /// The number of the part that is awaited in its place.
    pub(crate) awaits: Option<u64>,
    /// Whether another part of its number was taken before.
    pub(crate) diverged: bool,
}

/// Events of wrappers, or parts of a site.
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
    #[schema(max_items = 1000, value_type = Option<Vec<Object>>)]
    events: Option<Vec<serde_json::Value>>,
    /// What a site collector (`[forward]`) has taken in, in the order of its commits: `site`, `name`, `input`, `part` (from 1
    /// on, by which it counts once), `source`, `counts`, `names` and `runs`, or `heartbeats`. They are taken as far as they can be; a part
    /// whose predecessor is missing is refused. They need a token with `--site`, of the site that is their `name`.
    #[schema(value_type = Option<Vec<Object>>)]
    parts: Option<Vec<Part>>,
    /// The site has lost what came before the first of `parts`.
    #[serde(default)]
    after_gap: bool,
    /// What the site that posts `parts` is called: without parts it learns whether its token is good for them.
    #[serde(default)]
    site: Option<String>,
}

/// A body as long as only parts may be: events are not even looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongList {
    events: Option<IgnoredAny>,
    parts: Option<Vec<Part>>,
    #[serde(default)]
    after_gap: bool,
    #[serde(default)]
    site: Option<String>,
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
    /// Of a part: the number of the one that is awaited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    awaits: Option<u64>,
}

/// Take in events of wrappers, or what a site collector tells
///
/// Sending an event or a part again changes nothing. When the answer arrives what was accepted is durable; an answer of 429 or
/// 5xx means that all is to be sent again later. Of parts the first `accepted` are taken: those behind them, but for a
/// refused one, are to be sent again. An answer of 409 says that the first part is another one than that of its number which
/// was taken before.
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
    let caller = api.caller(&request).await?;
    if caller.must_send_parts().is_err() {
        caller.must_send_events()?;
    }
    let body = json_bytes(request, LONGEST_PARTS).await?;
    if body.len() > LONGEST_BODY {
        caller.must_send_parts()?;
        return take_parts(&api, &caller, long(body).await?).await;
    }
    is_bounded(&body)?;
    let list: List = serde_json::from_slice(&body).map_err(|error| wrong_body(&error))?;
    let told = match list {
        List { events: Some(told), parts: None, .. } => told,
        list => {
            caller.must_send_parts()?;
            return take_parts(&api, &caller, list).await;
        }
    };
    caller.must_send_events()?;
    if told.len() > MOST {
        let sent = told.len();
        return Err(Failure::Wrong(format!(
            "a list has at most {MOST} events, not {sent}: send it in parts"
        )));
    }
    let now = clock::now();
    let (mut taken, mut events) = (Taken::default(), Vec::with_capacity(told.len()));
    for (index, value) in told.into_iter().enumerate() {
        match event(value, now) {
            Ok(told) => events.push(told),
            Err(reason) => taken.refused.push(Refused { index, reason, awaits: None }),
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

/// What a long body says.
async fn long(body: axum::body::Bytes) -> Result<List, Failure> {
    let parsed = tokio::task::spawn_blocking(move || {
        is_bounded(&body)?;
        serde_json::from_slice::<LongList>(&body).map_err(|error| wrong_body(&error))
    });
    let LongList { events, parts, after_gap, site } = parsed.await.map_err(|_| Failure::Ours)??;
    if events.is_some() {
        return Err(Failure::TooLarge(format!(
            "a body with events has at most {LONGEST_BODY} bytes: send it in parts"
        )));
    }
    Ok(List { events: None, parts, after_gap, site })
}

/// Refuses a body that would hold far more when it is read than it is long.
fn is_bounded(body: &[u8]) -> Result<(), Failure> {
    let (mut objects, mut texts) = (0, 0);
    let mut letters = body.iter();
    while let Some(letter) = letters.next() {
        match letter {
            b'{' => objects += 1,
            b'"' => {
                texts += 1;
                while let Some(letter) = letters.next() {
                    match letter {
                        b'\\' => _ = letters.next(),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    if objects > MOST_OBJECTS || texts > MOST_TEXTS {
        return Err(Failure::TooLarge(format!(
            "the parts of one body have at most {MOST_OBJECTS} runs and {MOST_TEXTS} texts: send fewer together"
        )));
    }
    Ok(())
}

async fn take_parts(api: &Api, caller: &Caller, list: List) -> Result<Json<Taken>, Failure> {
    let List { events: None, parts: Some(parts), after_gap, site } = list else {
        return Err(Failure::Wrong("the body is not right: it has events, or parts".to_owned()));
    };
    for name in site.as_deref().into_iter().chain(parts.iter().map(|part| part.name.as_str())) {
        caller.must_be_site(name)?;
    }
    let taken = api.around.take_parts(parts, after_gap).await.map_err(|not| match not {
        NotTaken::Away => Failure::Busy("the parts could not be stored: send them again".to_owned()),
        NotTaken::Refused(why) => Failure::Conflict(why),
    })?;
    let PartsTaken { accepted, already_taken, refused } = taken;
    let refused = match refused {
        Some(part) if part.diverged && part.index == 0 => {
            return Err(Failure::Conflict(format!("{}: {DIVERGED}", part.reason)));
        }
        // It is told when it comes again, as the first.
        refused => refused.filter(|part| !part.diverged),
    };
    let refused = refused.map(|RefusedPart { index, reason, awaits, .. }| Refused { index, reason, awaits });
    Ok(Json(Taken { accepted, already_taken, refused: refused.into_iter().collect() }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_holds_is_bounded_before_it_is_read() {
        let of = |body: String| is_bounded(body.as_bytes());
        let runs = |number: usize| format!("{{\"parts\":[{{\"runs\":[{}]}}]}}", vec!["{}"; number].join(","));
        assert_eq!(of(runs(MOST_OBJECTS - 2)), Ok(()));
        assert!(matches!(of(runs(MOST_OBJECTS)), Err(Failure::TooLarge(_))));
        let texts = |number: usize| format!("[{}]", vec!["\"\""; number].join(","));
        assert_eq!(of(texts(MOST_TEXTS)), Ok(()));
        assert!(matches!(of(texts(MOST_TEXTS + 1)), Err(Failure::TooLarge(_))));
        // What stands in a text is none, whatever stands before it.
        let sample = format!("[\"\\\"{}\"]", "{".repeat(MOST_OBJECTS + 1));
        assert_eq!(of(sample), Ok(()));
    }
}
