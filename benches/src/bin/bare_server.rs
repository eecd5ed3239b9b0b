//! A bare axum server that answers every request with 204: the yardstick of the service's pings.
//!
//!     bare_server ADDRESS:PORT

use axum::Router;
use axum::http::StatusCode;

fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8087".to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(&address).await?;
        let router = Router::new().route("/ping", axum::routing::get(|| async { StatusCode::NO_CONTENT }));
        axum::serve(listener, router).await
    })
}
