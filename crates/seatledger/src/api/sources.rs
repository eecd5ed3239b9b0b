//! How the sources are that are taken in live.

use super::{Api, Failure, openapi};
use axum::Json;
use axum::extract::{Request, State};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A source, and what it has done since the service started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceRow {
    /// Its name in the configuration.
    #[schema(example = "follow /var/log/flexlm/debug.log")]
    pub(crate) name: String,
    /// The word of its kind in the configuration.
    #[schema(example = "follow")]
    pub(crate) kind: &'static str,
    /// Where its facts come from.
    #[schema(example = "/var/log/flexlm/debug.log")]
    pub(crate) what: String,
    /// `starting`, `up`, `waiting`, `down` or `stopped`.
    #[schema(example = "up")]
    pub(crate) state: &'static str,
    /// Why it waits or is down; null where it does not and is not.
    pub(crate) why: Option<String>,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
    /// The latest dated line; null before there is one.
    #[schema(example = "2025-03-07T18:00:00+01:00")]
    pub(crate) last_event: Option<String>,
    /// Lines read: events, notes, noise and unrecognized ones together.
    pub(crate) lines: u64,
    /// Lines that say that something happened.
    pub(crate) events: u64,
    /// Lines that change what is known.
    pub(crate) notes: u64,
    /// Lines that are known and mean nothing.
    pub(crate) noise: u64,
    /// Lines that were not understood.
    pub(crate) unrecognized: u64,
    /// Bytes that are there and not taken in yet.
    pub(crate) lag_bytes: u64,
    /// For how long there have been some.
    pub(crate) lag_seconds: f64,
    /// How often it was started again after it had failed.
    pub(crate) restarts: u64,
    /// Polls that were answered.
    pub(crate) polls_answered: u64,
    /// Polls that were not, or not sensibly.
    pub(crate) polls_failed: u64,
    /// Messages that were lost before they could be taken in.
    pub(crate) dropped: u64,
    /// What a site collector has taken in and the central service has not taken yet; 0 of all other sources.
    pub(crate) parts_waiting: u64,
    /// Inputs of which the central service has refused a part, so that theirs wait; 0 of all other sources.
    pub(crate) inputs_parked: u64,
}

/// All sources.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/sources",
    responses(
        (status = 200, description = "In the order of the configuration of the process that answers",
            body = Vec<SourceRow>),
        openapi::Refusals,
    ),
)]
pub(super) async fn sources(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<Vec<SourceRow>>, Failure> {
    api.caller(&request).await?.must_see_everything("the sources")?;
    Ok(Json(api.around.sources(&api.zone)))
}
