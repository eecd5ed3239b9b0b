//! All that is no ping: the front page, health and metrics.

use super::App;
use crate::api::Around as _;
use crate::clock;
use crate::gate::{Client, Failure};
use crate::web;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use std::sync::Arc;
use std::time::Duration;

/// What monitors of the service that this one replaces wait for.
const WORKS: &str = r#"{"message": "Service works."}"#;
/// How long the database may take to show that it can be written.
const PROBE_TIME: Duration = Duration::from_secs(5);
/// How many bytes the body of a request may have.
const LONGEST_BODY: usize = 1 << 20;

/// Pages take style, scripts and figures from here alone, and nothing that stands in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer, unless the answer has its own.
const SECURITY: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("content-security-policy", POLICY),
];

/// All pages.
pub(crate) fn router(app: Arc<App>, api: Router, dashboard: web::Settings) -> Router {
    let (dashboard, pages) = web::router(dashboard);
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(app)
        .route("/", get(front).with_state(pages))
        .merge(api)
        .merge(dashboard)
        .fallback(|| async { (StatusCode::NOT_FOUND, "Not Found") })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn(secured))
}

async fn secured(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// A browser gets the dashboard, or where to log in; whoever else a JSON object.
async fn front(State(pages): State<Arc<web::Web>>, request: Request) -> Response {
    let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let is_browser = accepts
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/html"));
    if is_browser {
        return web::front(pages, request).await.into_response();
    }
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache"), (VARY, "accept")];
    (headers, WORKS).into_response()
}

/// Whether heartbeats can be recorded, tried now.
async fn health(State(app): State<Arc<App>>) -> Response {
    let probe = async {
        if app.health.is_fresh() {
            // Many monitors cost no more than one.
            return Ok(());
        }
        let receipt = app.writer.watch(clock::now()).await?;
        receipt.durable().await
    };
    let wrong = match tokio::time::timeout(PROBE_TIME, probe).await {
        Ok(_) => app.health.wrong(),
        Err(_) => Some("the database does not answer".to_owned()),
    };
    let (status, text) = match wrong {
        None => (StatusCode::OK, well(&app.alerts.outcomes.failing())),
        Some(wrong) => {
            (StatusCode::SERVICE_UNAVAILABLE, serde_json::json!({ "status": "failed", "wrong": wrong }))
        }
    };
    (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text.to_string())
        .into_response()
}

/// The service does its work; whom it cannot tell of alerts is said beside it.
fn well(failing: &[String]) -> serde_json::Value {
    if failing.is_empty() {
        return serde_json::json!({ "status": "ok" });
    }
    let warnings: Vec<String> =
        failing.iter().map(|receiver| format!("alerts do not arrive at {receiver}")).collect();
    serde_json::json!({ "status": "ok", "warnings": warnings })
}

async fn metrics(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let caller = app.gate.admit(&headers, client.0, &|message| app.complain(message)).await?;
    caller.must_see_everything("what is measured of the service")?;
    let counts = app.log.counts();
    app.metrics.set_log(counts.local_dropped, counts.elk_dropped, counts.elk_waiting);
    app.metrics.set_sources(&app.board.told());
    app.metrics.set_alerts(&app.alerts.outcomes.counts());
    app.metrics.queue_depth.set(app.writer.depth() as i64);
    Ok(match app.metrics.text() {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            app.log.error("the metrics could not be written", &[("error", &error)]);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    })
}
