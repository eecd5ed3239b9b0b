//! The JSON interface under `/api/v1`: reports and listings as the command line gives them, heartbeats from clients that
//! speak JSON, the first admin; described at `/api/openapi.json`.
//!
//! Every request comes through the [`Gate`], which says who asks; each answer says what that caller may see.

mod events;
mod first_admin;
mod heartbeats;
mod names;
mod openapi;
mod questions;
mod sources;
mod stream;

pub(crate) use events::{NotTaken, PartsTaken, RefusedPart};
pub(crate) use first_admin::offer_first_admin;
pub(crate) use sources::SourceRow;

use crate::gate::readers::Readers;
use crate::gate::{Caller, Client, Failure, Gate, asked, failure};
use accounting::heartbeat::Interval;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use formats::events::Told;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use store::Opener;
use store::forward::Part;
use store::heartbeats::{Heartbeat, Recorded};

/// How many questions are answered at once; each may use two connections.
const QUESTIONS: usize = 2;
/// How many bytes the body of a request may have: a thousand heartbeats fit in.
const LONGEST_BODY: usize = 1 << 20;
/// How many the parts of a site may have: a commit of an import is told whole.
const LONGEST_PARTS: usize = 64 << 20;

/// What becomes of heartbeats: `None` where they could not be stored.
pub(crate) type Recording<'a> = Pin<Box<dyn Future<Output = Option<Recorded>> + Send + 'a>>;

/// What becomes of events: how many of them had been taken in before.
pub(crate) type Taking<'a> = Pin<Box<dyn Future<Output = Result<usize, NotTaken>> + Send + 'a>>;

/// What becomes of parts of sites.
pub(crate) type TakingParts<'a> = Pin<Box<dyn Future<Output = Result<PartsTaken, NotTaken>> + Send + 'a>>;

/// What the API needs of the service around it.
pub(crate) trait Around: Send + Sync {
    /// Stores heartbeats, all of them or none; when it answers they are durable.
    fn record(&self, heartbeats: Vec<Heartbeat>) -> Recording<'_>;
    /// How the sources are, with times in a zone.
    fn sources(&self, zone: &TimeZone) -> Vec<SourceRow>;
    /// Takes in events of wrappers, all of them or none; when it answers they are durable.
    fn take_events(&self, events: Vec<Told>) -> Taking<'_>;
    /// Takes in parts of sites, in their order, as far as they can be; when it answers those are durable.
    fn take_parts(&self, parts: Vec<Part>, after_gap: bool) -> TakingParts<'_>;
    /// Tells whoever runs the service of a fault of its own.
    fn complain(&self, message: &str);
}

/// What the API is made of.
pub(crate) struct Settings {
    /// The ledger.
    pub(crate) opener: Opener,
    /// Who may ask.
    pub(crate) gate: Gate,
    /// The zone and length of the buckets of heartbeats.
    pub(crate) zone: TimeZone,
    pub(crate) interval: Interval,
    pub(crate) around: Arc<dyn Around>,
}

/// What every request may ask for.
struct Api {
    opener: Opener,
    gate: Gate,
    questions: Arc<Readers>,
    zone: TimeZone,
    interval: Interval,
    around: Arc<dyn Around>,
}

/// The routes under `/api`.
pub(crate) fn router(settings: Settings) -> Router {
    let Settings { opener, gate, zone, interval, around } = settings;
    let questions = Readers::new(opener.clone(), QUESTIONS);
    let api = Arc::new(Api { opener, gate, questions, zone, interval, around });
    let get_only = || async { failure::method_not_allowed("GET, HEAD") };
    let post_only = || async { failure::method_not_allowed("POST") };
    let both = || async { failure::method_not_allowed("GET, HEAD, POST") };
    Router::new()
        .route("/api/openapi.json", get(openapi::document).fallback(get_only))
        .route("/api/v1/reports/{name}", get(questions::report).fallback(get_only))
        .route("/api/v1/sessions", get(questions::sessions).fallback(get_only))
        .route("/api/v1/history", get(questions::history).fallback(get_only))
        .route("/api/v1/alerts", get(questions::alerts).fallback(get_only))
        .route("/api/v1/features", get(names::features).fallback(get_only))
        .route("/api/v1/servers", get(names::servers).fallback(get_only))
        .route("/api/v1/sources", get(sources::sources).post(sources::tell).fallback(both))
        .route("/api/v1/heartbeats", post(heartbeats::take).fallback(post_only))
        .route(
            "/api/v1/events",
            post(events::take).fallback(post_only).layer(DefaultBodyLimit::max(LONGEST_PARTS)),
        )
        .route("/api/v1/first-admin", post(first_admin::make).get(first_admin::explain).fallback(both))
        .route("/api/{*rest}", axum::routing::any(nothing_there))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(api)
}

async fn nothing_there() -> Response {
    Failure::Missing("there is nothing at this address: /api/openapi.json tells what there is".to_owned())
        .into_response()
}

impl Api {
    /// Who sends a request.
    fn caller(&self, request: &Request) -> impl Future<Output = Result<Caller, Failure>> + Send {
        // The body, which no two threads may look at, stays outside.
        let (headers, client) = (request.headers(), Client::of(request));
        async move {
            let complain = |message: &str| self.around.complain(message);
            self.gate.admit(headers, client, &complain).await
        }
    }

    /// What an error of an answer means to who asked.
    fn failure(&self, error: &anyhow::Error) -> Failure {
        Failure::of(error, |message| self.around.complain(message))
    }
}

/// The body of a request, which must be JSON and say so: no page of another site can send that unasked.
async fn json_body<T: DeserializeOwned>(request: Request) -> Result<T, Failure> {
    let body = json_bytes(request, LONGEST_BODY).await?;
    serde_json::from_slice(&body).map_err(|error| wrong_body(&error))
}

fn wrong_body(error: &serde_json::Error) -> Failure {
    Failure::Wrong(format!("the body is not right: {error}"))
}

/// The bytes of a body that says it is JSON.
async fn json_bytes(request: Request, longest: usize) -> Result<axum::body::Bytes, Failure> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Failure::NotJson);
    }
    axum::body::Bytes::from_request(request, &()).await.map_err(|error| {
        if error.status().as_u16() == 413 {
            Failure::TooLarge(format!("the body has more than {longest} bytes: send it in parts"))
        } else {
            Failure::Wrong("the body did not arrive whole".to_owned())
        }
    })
}
