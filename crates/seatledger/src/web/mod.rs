//! The dashboard: pages for a browser, from the same answers as the command line and the API.
//!
//! Pages are whole without scripts; what scripts add is live figures, charts and filters while typing. Every request comes
//! through the [`Gate`], as those of the API do.

mod alerts;
mod asker;
mod assets;
mod feature;
mod features;
mod fields;
mod further;
mod kept;
mod layout;
mod listings;
mod login;
mod marks;
mod now;
mod openid;
mod period_bar;
mod query;
mod reports;
mod rows;
mod servers;
mod settings;
mod subjects;
mod table;

pub(crate) use servers::LiveSource;

use crate::answers::Now;
use crate::gate::openid::BACK;
use crate::gate::readers::Readers;
use crate::gate::{Failure, Gate};
use accounting::report::note::Note;
use asker::{Asker, Refusal};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use kept::Kept;
use maud::{Markup, html};
use std::sync::Arc;
use store::{Opener, Store};

/// How many pages are made at once; each may use two connections.
const PAGES: usize = 2;

/// Tells whoever runs the service of a fault of its own.
pub(crate) type Complain = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells how the sources are that are taken in live.
pub(crate) type Sources = Arc<dyn Fn() -> Vec<LiveSource> + Send + Sync>;

/// What the dashboard is made of.
pub(crate) struct Settings {
    /// The ledger.
    pub(crate) opener: Opener,
    /// Who may ask.
    pub(crate) gate: Gate,
    /// What stands before all paths: nothing, or `/seats`.
    pub(crate) base: String,
    /// Whether browsers come by HTTPS.
    pub(crate) is_secure: bool,
    pub(crate) complain: Complain,
    /// How the sources are that are taken in live.
    pub(crate) sources: Sources,
    /// The configuration of which the calendar wins over the ledger's.
    pub(crate) calendar_file: Option<String>,
}

/// What every page may ask for.
pub(crate) struct Web {
    gate: Gate,
    readers: Arc<Readers>,
    /// Opens connections that write, for the settings.
    opener: Opener,
    base: String,
    is_secure: bool,
    complain: Complain,
    sources: Sources,
    calendar_file: Option<String>,
    kept: Kept,
}

/// The pages but the first one, and the first one's maker.
pub(crate) fn router(settings: Settings) -> (Router, Arc<Web>) {
    let Settings { opener, gate, base, is_secure, complain, sources, calendar_file } = settings;
    let readers = Readers::new(opener.clone(), PAGES);
    let kept = Kept::default();
    let web =
        Arc::new(Web { gate, readers, opener, base, is_secure, complain, sources, calendar_file, kept });
    let router = Router::new()
        .route("/features", get(features::page))
        .route("/feature", get(feature::page))
        .route("/feature/steps", get(feature::steps))
        .route("/alerts", get(alerts::page))
        .route("/reports", get(reports::list))
        .route("/reports/{name}", get(reports::page))
        .route("/denials", get(subjects::denials))
        .route("/overnight", get(subjects::overnight))
        .route("/people", get(subjects::people))
        .route("/servers", get(servers::page))
        .route("/sessions", get(listings::sessions))
        .route("/history", get(listings::history))
        .merge(settings::router())
        .route("/login", get(login::page).post(login::log_in))
        .route("/login/openid", get(openid::begin))
        .route(BACK, get(openid::end))
        .route("/logout", post(login::log_out))
        .route("/first-admin", get(login::first_admin).post(login::make_first_admin))
        .route("/assets/{name}", get(assets::serve))
        .with_state(Arc::clone(&web));
    (router, web)
}

/// The first page.
pub(crate) async fn front(web: Arc<Web>, request: Request) -> Result<Response, Refusal> {
    now::page(State(web), request).await
}

impl Web {
    /// Asks the ledger.
    async fn ask<T: Send + 'static>(
        &self,
        asker: &Asker,
        work: impl FnOnce(&mut Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let found = match self.readers.ask(work).await {
            Ok(Ok(found)) => return Ok(found),
            Ok(Err(error)) => Failure::of(&error, &*self.complain),
            Err(failure) => failure,
        };
        Err(asker.refuse(found))
    }

    /// How it is now.
    async fn how_it_is_now(&self, asker: &Asker) -> Result<Arc<Now>, Refusal> {
        let sight = asker.sight.clone();
        self.kept(asker, "now".to_owned(), move |store| crate::answers::now(store, &sight)).await
    }
}

/// What must be said beside figures: coverage, calendar, what is left out.
fn notes(asker: &Asker, notes: &[Note], zone: &TimeZone) -> Markup {
    let notes = asker.texts().notes(notes, zone);
    html! {
        @if !notes.is_empty() {
            details.notes { summary { (asker.texts().say("notes")) } ul { @for note in notes { li { (note) } } } }
        }
    }
}
