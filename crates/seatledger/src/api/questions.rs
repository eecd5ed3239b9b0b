//! Reports, sessions, history: the answers of the command line, as JSON or CSV, or as files for people.

use super::asked::{Asked, Written};
use super::failure::Failure;
use super::stream::{Sink, stream};
use super::{Api, openapi};
use crate::answers::{self, Alerts, History, Name, Options, Sessions, Sight};
use crate::clock;
use crate::render::{self, Face, Look, Rows};
use crate::texts::Texts;
use accounting::report::note;
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
    let Asked { options, written, language } = Asked::<Options>::of(request.uri())?;
    let called = name.to_possible_value().map(|name| name.get_name().to_owned()).unwrap_or_default();
    api.answer((&called, written), move |store, sink| {
        let answer = answers::answer(store, name, &options, &sight, clock::today)?;
        let (report, face, zone) = (&answer.report, face(written), answer.calendar.zone());
        sink.note(report.notes.iter().map(|note| note::said(note, zone)).collect());
        let told = || Texts::of(language).about(report.name, &report.columns, options.told(&sight));
        let about = face.is_file().then(told);
        Ok(render::report(report, face, zone, &LOOK, about.as_ref(), sink)?)
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
    let asked = Asked::<Sessions>::of(request.uri())?;
    let told = asked.options.told(&sight);
    api.list(("sessions", Sessions::COLUMNS), asked, told, sight, answers::list_sessions).await
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
    let asked = Asked::<History>::of(request.uri())?;
    let told = asked.options.told(&sight);
    api.list(("history", History::COLUMNS), asked, told, sight, answers::list_history).await
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
    let asked = Asked::<Alerts>::of(request.uri())?;
    let told = asked.options.told(&sight);
    api.list(("alerts", Alerts::COLUMNS), asked, told, sight, answers::list_alerts).await
}

/// Lists what a question asks for, as far as it may be seen.
type List<T> =
    fn(&mut Store, &accounting::calendar::Calendar, &T, &Sight, answers::EachRow<'_>) -> anyhow::Result<()>;

impl Api {
    async fn list<T: Send + 'static>(
        self: Arc<Self>,
        (name, columns): (&'static str, &'static [accounting::report::Column]),
        asked: Asked<T>,
        told: Vec<(String, String)>,
        sight: Sight,
        list: List<T>,
    ) -> Result<Response, Failure> {
        let Asked { options, written, language } = asked;
        self.answer((name, written), move |store, sink| {
            store.in_one_transaction(|store| {
                let calendar = store.calendar()?;
                let mut rows = Rows::new(face(written), columns.to_vec(), calendar.zone(), &LOOK, sink);
                if face(written).is_file() {
                    rows = rows.about(&Texts::of(language).about(name, columns, told));
                }
                list(store, &calendar, &options, &sight, &mut |cells| rows.row(cells))?;
                Ok(rows.finish(&[])?)
            })
        })
        .await
    }

    /// The answer that `work` writes, with a connection to the ledger.
    async fn answer(
        self: Arc<Self>,
        (name, written): (&str, Written),
        work: impl FnOnce(&mut Store, &mut Sink) -> anyhow::Result<()> + Send + 'static,
    ) -> Result<Response, Failure> {
        let turn = self.questions.turn().await?;
        stream((name, written), move |sink| {
            turn.work(|store| work(store, sink)).map_err(|error| self.broken_off(&error))
        })
        .await
    }

    /// What an error means, unless it is that nobody listens any more.
    fn broken_off(&self, error: &anyhow::Error) -> Failure {
        match error.downcast_ref::<std::io::Error>() {
            // More than the format holds.
            Some(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                Failure::Wrong(error.to_string())
            }
            Some(_) => Failure::Ours,
            None => self.failure(error),
        }
    }
}

fn face(written: Written) -> Face {
    match written {
        Written::Json => Face::Json,
        Written::Csv => Face::Csv,
        Written::Xlsx => Face::Xlsx,
        Written::Html => Face::Html,
    }
}
