//! Reports, sessions, history: the answers of the command line, as JSON or CSV.

use super::asked::{Asked, Written};
use super::failure::Failure;
use super::stream::{Sink, stream};
use super::{Api, openapi};
use crate::answers::{self, Alerts, History, Name, Options, Sessions, Sight};
use crate::clock;
use crate::render::{self, Face, Look, Rows};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use clap::ValueEnum as _;
use std::sync::Arc;
use store::Store;

/// Machines look at nothing.
const LOOK: Look = Look { width: 100, color: false, bars: false };

/// A report.
///
/// The same options as `seatledger report NAME`, and the same figures. What must be said beside them (coverage, the
/// calendar, what is left out) is in the header `Seatledger-Notes`, a JSON array of texts.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/reports/{name}",
    params(("name" = openapi::ReportName, Path, description = "Which report"), openapi::ReportParameters),
    responses(openapi::Rows, openapi::Refusals, openapi::NoSuchThing),
)]
pub(super) async fn report(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let sight = api.caller(&request).await?.sight()?;
    let name = Name::from_str(&name, false).map_err(|_| no_report(&name))?;
    let Asked { options, written } = Asked::<Options>::of(request.uri())?;
    api.answer(written, move |store, sink| {
        let answer = answers::answer(store, name, &options, &sight, clock::today)?;
        sink.note(answer.report.notes.clone());
        Ok(render::report(&answer.report, face(written), answer.calendar.zone(), &LOOK, sink)?)
    })
    .await
}

fn no_report(name: &str) -> Failure {
    let names = Name::value_variants().iter().filter_map(Name::to_possible_value);
    let names: Vec<String> = names.map(|name| name.get_name().to_owned()).collect();
    Failure::Missing(format!("no report `{name}`: there are {}", names.join(", ")))
}

/// The sessions themselves: who held which seats from when until when, and how that ended.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/sessions",
    params(openapi::SessionsParameters),
    responses(openapi::SessionRows, openapi::Refusals)
)]
pub(super) async fn sessions(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Failure> {
    let sight = api.caller(&request).await?.sight()?;
    let Asked { options, written } = Asked::<Sessions>::of(request.uri())?;
    api.list(written, Sessions::COLUMNS, options, sight, answers::list_sessions).await
}

/// What happened, in order of time: grants, checkins, denials, time-outs.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/history",
    params(openapi::HistoryParameters),
    responses(openapi::HistoryRows, openapi::Refusals)
)]
pub(super) async fn history(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Failure> {
    let sight = api.caller(&request).await?.sight()?;
    let Asked { options, written } = Asked::<History>::of(request.uri())?;
    api.list(written, History::COLUMNS, options, sight, answers::list_history).await
}

/// What is raised, and with `since` what was: the alerts of the rules of the configuration.
#[utoipa::path(
    get,
    tag = "Asking",
    path = "/api/v1/alerts",
    params(openapi::AlertsParameters),
    responses(openapi::AlertRows, openapi::Refusals)
)]
pub(super) async fn alerts(State(api): State<Arc<Api>>, request: Request) -> Result<Response, Failure> {
    let sight = api.caller(&request).await?.sight()?;
    let Asked { options, written } = Asked::<Alerts>::of(request.uri())?;
    api.list(written, Alerts::COLUMNS, options, sight, answers::list_alerts).await
}

/// Lists what a question asks for, as far as it may be seen.
type List<T> =
    fn(&mut Store, &accounting::calendar::Calendar, &T, &Sight, answers::EachRow<'_>) -> anyhow::Result<()>;

impl Api {
    async fn list<T: Send + 'static>(
        self: Arc<Self>,
        written: Written,
        columns: &'static [accounting::report::Column],
        wanted: T,
        sight: Sight,
        list: List<T>,
    ) -> Result<Response, Failure> {
        self.answer(written, move |store, sink| {
            let calendar = store.calendar()?;
            let mut rows = Rows::new(face(written), columns.to_vec(), calendar.zone(), &LOOK, sink);
            list(store, &calendar, &wanted, &sight, &mut |cells| rows.row(cells))?;
            Ok(rows.finish(&[])?)
        })
        .await
    }

    /// The answer that `work` writes, with a connection to the ledger.
    async fn answer(
        self: Arc<Self>,
        written: Written,
        work: impl FnOnce(&mut Store, &mut Sink) -> anyhow::Result<()> + Send + 'static,
    ) -> Result<Response, Failure> {
        let turn = self.questions.turn().await?;
        stream(written, move |sink| {
            turn.work(|store| work(store, sink)).map_err(|error| self.broken_off(&error))
        })
        .await
    }

    /// What an error means, unless it is that nobody listens any more.
    fn broken_off(&self, error: &anyhow::Error) -> Failure {
        if error.downcast_ref::<std::io::Error>().is_some() { Failure::Ours } else { self.failure(error) }
    }
}

fn face(written: Written) -> Face {
    match written {
        Written::Json => Face::Json,
        Written::Csv => Face::Csv,
    }
}
