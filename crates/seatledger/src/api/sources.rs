//! How the sources are that are taken in live.

use super::{Api, Failure, json_body, openapi};
use crate::clock;
use crate::render::iso;
use accounting::UnixMs;
use axum::Json;
use axum::extract::{Request, State};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::sources::{SiteSource, SiteSources, SourceTellings};
use utoipa::ToSchema;

/// How many sources a site may have.
const MOST: usize = store::sources::MOST_OF_SITE;
/// How long another writer is waited for.
const BUSY: Duration = Duration::from_secs(5);

/// A source, and what it has done since the service started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SourceRow {
    /// The site whose collector tells of it; null of a source of the process that answers.
    pub(crate) site: Option<String>,
    /// Its name in the configuration.
    #[schema(example = "follow /var/log/flexlm/debug.log")]
    pub(crate) name: String,
    /// The word of its kind in the configuration.
    #[schema(example = "follow")]
    pub(crate) kind: String,
    /// Where its facts come from.
    #[schema(example = "/var/log/flexlm/debug.log")]
    pub(crate) what: String,
    /// `starting`, `up`, `waiting`, `down` or `stopped`; of a site that has told nothing for a while `silent`.
    #[schema(example = "up")]
    pub(crate) state: String,
    /// Why it waits, is down or silent; null where it is not.
    pub(crate) why: Option<String>,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
    /// When that was told; null of a source of the process that answers, which tells how it is now.
    pub(crate) told_at: Option<String>,
    /// The latest dated line, of `[forward]` the latest answer; null before there is one.
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
        (status = 200, description = "In the order of the configuration of the process that answers, and behind them what sites \
            tell of theirs", body = Vec<SourceRow>),
        openapi::Refusals,
    ),
)]
pub(super) async fn sources(
    State(api): State<Arc<Api>>,
    request: Request,
) -> Result<Json<Vec<SourceRow>>, Failure> {
    api.caller(&request).await?.must_see_everything("the sources")?;
    let mut rows = api.around.sources(&api.zone);
    let read = |store: &mut Store| Ok(store.read(|reader| Ok((reader.sources_of_sites()?, reader.time()?)))?);
    let (of_sites, now) = api.questions.ask(read).await?.map_err(|error| api.failure(&error))?;
    rows.extend(of_sites.into_iter().map(|source| of_site(source, now, &api.zone)));
    Ok(Json(rows))
}

/// A source as its site told of it last.
fn of_site(source: SourceTellings, now: UnixMs, zone: &TimeZone) -> SourceRow {
    let told_at = iso(source.told_at, zone);
    let is_silent = source.is_silent(now);
    let SourceTellings { site, host, told, .. } = source;
    let (state, why, remedy) = match is_silent {
        true => (
            "silent".to_owned(),
            Some(format!("not heard from since {told_at}; it was {}", told.state)),
            Some(format!("see whether `seatledger serve` runs on {host}, and reaches this service")),
        ),
        false => (told.state, told.why, told.remedy),
    };
    let ([events, notes, noise, unrecognized], [polls_answered, polls_failed]) = (told.lines, told.polls);
    SourceRow {
        site: Some(site),
        name: told.name,
        kind: told.kind,
        what: told.what,
        state,
        why,
        remedy,
        told_at: Some(told_at),
        last_event: told.last_event_at.map(|at| iso(at, zone)),
        lines: told.lines.iter().fold(0, |sum, lines| sum.saturating_add(*lines)),
        events,
        notes,
        noise,
        unrecognized,
        lag_bytes: told.lag_bytes,
        lag_seconds: told.lag_ms as f64 / 1000.0,
        restarts: told.restarts,
        polls_answered,
        polls_failed,
        dropped: told.dropped,
        parts_waiting: told.parts_waiting,
        inputs_parked: told.inputs_parked,
    }
}

/// How all sources of a site are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"site": "basel", "collector": "5f0c", "sources": [{"host": "log-1", "told_ms_ago": 900, "told": {
    "key": "acme on log-1", "name": "acme", "kind": "follow", "what": "/var/log/flexlm/debug.log", "state": "up",
    "since_at": 1_741_334_400_000_i64, "lines": [90, 4, 6, 0]}}]}))]
pub(super) struct OfSite {
    /// What people call the site.
    site: String,
    /// What tells the collector's ledger from all others.
    collector: String,
    /// All of them, at most 1000: the `host` of the service that takes it in, how long ago it has told so (`told_ms_ago`), and
    /// what (`told`). What was told of others before is over.
    #[schema(max_items = 1000, value_type = Vec<Object>)]
    sources: Vec<SiteSource>,
}

/// How many of them are known now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SourcesTaken, example = json!({"accepted": 1}))]
pub(super) struct Taken {
    accepted: usize,
}

/// Tell how the sources of a site are
///
/// What a site collector (`[forward]`) does, with its token (`--site`), of its own site alone. They are states: the latest are
/// kept, and a site that has told nothing for a while is shown as silent.
#[utoipa::path(
    post,
    path = "/api/v1/sources",
    tag = "Sending",
    request_body = OfSite,
    responses(
        (status = 200, description = "They are known", body = Taken),
        openapi::Refusals,
        openapi::BodyRefusals,
    ),
)]
pub(super) async fn tell(State(api): State<Arc<Api>>, request: Request) -> Result<Json<Taken>, Failure> {
    let caller = api.caller(&request).await?;
    caller.must_send_parts()?;
    let OfSite { site, collector, sources } = json_body(request).await?;
    caller.must_be_site(&site)?;
    if site.is_empty() {
        return Err(Failure::Wrong("a site has a name".to_owned()));
    }
    if sources.len() > MOST {
        let sent = sources.len();
        return Err(Failure::Wrong(format!("a site has at most {MOST} sources, not {sent}")));
    }
    let accepted = sources.len();
    let told = SiteSources { site, collector, sources };
    let busy = |error: store::Error| {
        api.around.complain(&format!("how the sources of a site are could not be stored: {error}"));
        Failure::Busy("the states could not be stored: tell them again".to_owned())
    };
    let opener = api.opener.clone();
    let stored =
        tokio::task::spawn_blocking(move || opener.open(BUSY)?.tell_sources_of_site(clock::now(), &told));
    stored.await.map_err(|_| Failure::Ours)?.map_err(busy)?;
    Ok(Json(Taken { accepted }))
}
