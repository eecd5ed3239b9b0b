//! One connection: HTTP/1.1, with or without TLS, with limits on what a client may send and how slowly.

use super::path::{Way, way};
use super::{App, pings};
use crate::gate::Client;
use crate::oplog::OpLog;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::http::uri::PathAndQuery;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// How many bytes a request may have before its body.
const LONGEST_HEAD: usize = 16 * 1024;
/// How many headers.
const MOST_HEADERS: usize = 64;
/// How long a client may take to send them, and may be silent between two requests.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long anything but a ping may take, the client's sending of a body included.
const REQUEST_TIME: Duration = Duration::from_mins(1);

/// What connections are served with.
#[derive(Clone)]
pub(crate) struct Connections {
    app: Arc<App>,
    router: Router,
    acceptor: Option<TlsAcceptor>,
    protocol: http1::Builder,
    stopping: watch::Receiver<bool>,
}

impl Connections {
    pub(crate) fn new(
        app: Arc<App>,
        router: Router,
        acceptor: Option<TlsAcceptor>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LONGEST_HEAD);
        Self { app, router, acceptor, protocol, stopping }
    }

    /// The log.
    pub(crate) fn log(&self) -> &OpLog {
        &self.app.log
    }

    /// Serves a connection to its end.
    pub(crate) async fn serve(self, stream: TcpStream, peer: IpAddr) {
        // Small answers are not held back; where that cannot be had they are late, not wrong.
        let _ = stream.set_nodelay(true);
        self.app.metrics.connections.inc();
        let app = Arc::clone(&self.app);
        match self.acceptor.clone() {
            None => self.speak(stream, peer).await,
            Some(acceptor) => {
                let handshake = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream));
                if let Ok(Ok(stream)) = handshake.await {
                    self.speak(stream, peer).await;
                }
            }
        }
        app.metrics.connections.dec();
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: IpAddr) {
        let Self { app, router, protocol, mut stopping, .. } = self;
        let service = service_fn(move |request| answer(Arc::clone(&app), router.clone(), peer, request));
        let mut connection = std::pin::pin!(protocol.serve_connection(TokioIo::new(stream), service));
        // How a connection ends, well or badly, is the client's matter.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopping.wait_for(|stop| *stop) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

async fn answer(
    app: Arc<App>,
    router: Router,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let plain = match way(request.uri().path(), &app.base_path) {
        Way::Ping => return Ok(pings::answer(&app, peer, &request).await),
        Way::Other(path) => path.into_owned(),
    };
    // On the heap: what a ping does not need shall not make its answer larger.
    Ok(Box::pin(page(app, router, peer, request, plain)).await)
}

/// Any other request: the router's matter.
async fn page(
    app: Arc<App>,
    router: Router,
    peer: IpAddr,
    mut request: Request<Incoming>,
    path: String,
) -> Response<Body> {
    if request.uri().path() != path {
        let Some(uri) = with_path(request.uri(), &path) else {
            return plain_text(StatusCode::NOT_FOUND, "Not Found");
        };
        *request.uri_mut() = uri;
    }
    let client = app.networks.client(peer, request.headers());
    request.extensions_mut().insert(Client(client));
    match tokio::time::timeout(REQUEST_TIME, router.oneshot(request.map(Body::new))).await {
        Ok(Ok(response)) => response,
        Err(_) => plain_text(StatusCode::REQUEST_TIMEOUT, "Request Timeout"),
    }
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    Some(Uri::from(path_and_query.parse::<PathAndQuery>().ok()?))
}

/// An answer of one line.
pub(crate) fn plain_text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", hyper::header::HeaderValue::from_static("nosniff"));
    response
}
