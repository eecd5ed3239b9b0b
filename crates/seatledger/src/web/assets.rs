//! Style and scripts, embedded in the program: each has its content's hash in its address, so a browser asks once.

use axum::extract::Path;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use std::io::Read as _;

/// A file for browsers.
struct Asset {
    /// What it is called here.
    name: &'static str,
    /// What it is called in addresses.
    path: &'static str,
    kind: &'static str,
    gzip: &'static [u8],
}

const ASSETS: &[Asset] = include!(env!("SEATLEDGER_ASSETS"));
const FOREVER: &str = "public, max-age=31536000, immutable";

/// The name in addresses of a file; none where the program was built without it.
pub(super) fn path(name: &str) -> Option<&'static str> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| asset.path)
}

/// Whether a browser takes what is compressed.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let taken = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    taken
        .flat_map(|text| text.split(','))
        .any(|one| one.split(';').next().unwrap_or_default().trim() == "gzip")
}

pub(super) async fn serve(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.path == name) else {
        return (StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let kind = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, FOREVER), (VARY, "accept-encoding")];
    if takes_gzip(&headers) {
        return (kind, [(CONTENT_ENCODING, "gzip")], asset.gzip).into_response();
    }
    let mut plain = Vec::new();
    match flate2::read::GzDecoder::new(asset.gzip).read_to_end(&mut plain) {
        Ok(_) => (kind, plain).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
