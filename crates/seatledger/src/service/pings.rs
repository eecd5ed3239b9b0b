//! The answer to a ping: 204 when the use is durable.

use super::App;
use super::connection::plain_text;
use super::metrics::Outcome;
use super::ping::{self, Ping};
use crate::clock;
use axum::body::Body;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use std::net::IpAddr;
use store::heartbeats::Heartbeat;

/// Answers a ping. HEAD is as good as GET, as it was for the service that this one replaces.
pub(crate) async fn answer<B>(app: &App, peer: IpAddr, request: &Request<B>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain_text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let client = app.networks.client(peer, request.headers());
    if !app.networks.may_ping(client) {
        app.metrics.count(Outcome::Forbidden);
        return plain_text(StatusCode::FORBIDDEN, "Pings are not taken from this address");
    }
    if app.rate.as_ref().is_some_and(|rate| !rate.admits(client, clock::now())) {
        app.metrics.count(Outcome::Limited);
        return plain_text(StatusCode::TOO_MANY_REQUESTS, "Too many pings from this address");
    }
    let ping = match ping::read(request.uri().query().unwrap_or_default(), &app.unknown_version) {
        Ok(ping) => ping,
        Err(fault) => {
            app.metrics.count(Outcome::Faulty);
            let (user, domain) = ping::names(request.uri().query().unwrap_or_default());
            app.log.issue(fault.text(), user.as_deref(), domain.as_deref());
            return plain_text(StatusCode::BAD_REQUEST, fault.text());
        }
    };
    let outcome = count(app, ping).await;
    app.metrics.count(outcome);
    if outcome == Outcome::Failed {
        return plain_text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Counts it; what comes back is true of the disk.
async fn count(app: &App, ping: Ping<'_>) -> Outcome {
    let bucket = app.buckets.now();
    let key = app.counted.key(app.scope, &ping.domain, &ping.user, &ping.feature);
    if app.counted.has(bucket, key) {
        return Outcome::Known;
    }
    let heartbeat = Heartbeat {
        domain: ping.domain.into_owned(),
        user: ping.user.into_owned(),
        host: ping.host.into_owned(),
        feature: ping.feature.into_owned(),
        version: ping.version.into_owned(),
        from: bucket.from,
        until: bucket.until,
        scope: app.scope,
    };
    let durable = async { app.writer.record(key, heartbeat).await?.durable().await };
    if durable.await.is_ok() { Outcome::Recorded } else { Outcome::Failed }
}
