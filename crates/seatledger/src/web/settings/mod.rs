//! Settings, for admins: the calendar, the directory, the catalog, users and tokens.
//!
//! Every form works without scripts, carries a text that only this login's pages have, and is answered by a redirect, so that a
//! page loaded anew does nothing twice.

mod accounts;
mod calendar;
mod catalog;
mod directory;
mod draft;
mod form;
mod provided;

use super::Web;
use super::asker::{Asker, Refusal};
use super::fields::whole;
use super::query::Query;
use crate::clock;
use crate::gate::Failure;
use crate::gate::openid::OpenId;
use accounting::calendar::Calendar;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::accounts::{Token, User};
use store::browsers::ProvidedLogins;

const PATH: &str = "/settings";
/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// A directory of a hundred thousand persons fits in.
const LONGEST_FILE: usize = 8 << 20;
/// What was shown comes back longer than its file: in UTF-8, with quotes, and with a carriage return in each line.
const LONGEST_SHOWN: usize = 4 * LONGEST_FILE;

/// The pages and their forms.
pub(super) fn router() -> Router<Arc<Web>> {
    Router::new()
        .route(PATH, get(page))
        .route("/settings/users", post(accounts::users))
        .route(provided::LOGINS, post(provided::log_out))
        .route("/settings/tokens", post(accounts::tokens))
        .route(calendar::OWN, get(calendar::page).post(calendar::take))
        .route("/settings/calendar/edit", post(calendar::edit))
        .route("/settings/catalog", get(catalog::page).post(catalog::save))
        .route("/settings/directory", post(directory::take).layer(DefaultBodyLimit::max(LONGEST_SHOWN)))
}

/// What the page shows.
struct Shown {
    calendar: Calendar,
    directory_rows: u64,
    catalog_rows: usize,
    users: Vec<User>,
    /// Who is logged in with the account of a provider, where there is one.
    provided: Option<Vec<ProvidedLogins>>,
    tokens: Vec<Token>,
}

async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let said = done(&asker, &Query::of(&request));
    web.settings(&asker, StatusCode::OK, said.as_deref(), None).await
}

/// What was done, as the address says it.
fn done(asker: &Asker, query: &Query) -> Option<String> {
    let texts = asker.texts();
    let number = |name: &str| {
        query.get(name).and_then(|text| text.parse::<i64>().ok()).map_or_else(String::new, whole)
    };
    Some(match query.get("done")? {
        "directory" => format!(
            "{}: {} {}, {} {}, {} {}",
            texts.say("settings.directory_done"),
            number("added"),
            texts.say("settings.added"),
            number("changed"),
            texts.say("settings.changed"),
            number("unchanged"),
            texts.say("settings.unchanged"),
        ),
        "calendar" => texts.say("settings.calendar_done").to_owned(),
        "added" => texts.say("settings.user_added").to_owned(),
        "removed" => texts.say("settings.removed").to_owned(),
        "out" => texts.say("settings.logged_out").to_owned(),
        _ => return None,
    })
}

impl Web {
    /// Who asks, where that is an admin.
    fn admin<'w>(
        &'w self,
        request: &Request,
    ) -> impl Future<Output = Result<Asker, Refusal>> + Send + use<'w> {
        let asker = self.asker(request);
        async move {
            let asker = asker.await?;
            match asker.guest.caller.must_administer() {
                Ok(()) => Ok(asker),
                Err(failure) => Err(asker.refuse(failure)),
            }
        }
    }

    /// Changes the ledger, with a connection of its own.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let opener = self.opener.clone();
        let changed = self.readers.ask(move |_| work(&mut opener.open(PATIENCE)?)).await?;
        // Whoever changes something sees it on the next page.
        self.kept.clear();
        changed.map_err(|error| Failure::of(&error, &*self.complain))
    }

    /// The page, with what was done or what is wrong.
    async fn settings(
        &self,
        asker: &Asker,
        status: StatusCode,
        said: Option<&str>,
        wrong: Option<&str>,
    ) -> Result<Response, Refusal> {
        let terms = self.gate.openid().map(OpenId::terms);
        let shown = self.ask(asker, move |store| {
            Ok(Shown {
                calendar: store.calendar()?,
                directory_rows: store.directory_rows()?,
                catalog_rows: store.catalog()?.len(),
                users: store.users()?,
                provided: match terms {
                    Some(terms) => Some(store.provided_logins(&terms, clock::now())?),
                    None => None,
                },
                tokens: store.tokens()?,
            })
        });
        let shown = shown.await?;
        let texts = asker.texts();
        let body = html! {
            header.head { h1 { (texts.say("settings")) } }
            (messages(said, wrong))
            p.definition { (texts.say("settings.hint")) }
            div.settings {
                (calendar::section(asker, &shown.calendar, self.calendar_file.as_deref()))
                (directory::section(asker, shown.directory_rows))
                (catalog::section(asker, shown.catalog_rows))
                (accounts::users_section(asker, &shown.users, &shown.calendar))
                @if let Some(logins) = &shown.provided { (provided::section(asker, logins, &shown.calendar)) }
                (accounts::tokens_section(asker, &shown.tokens, &shown.calendar))
            }
        };
        Ok(asker.page_as(status, PATH, texts.say("settings"), &body))
    }

    /// The page with what is wrong about a form.
    async fn wrong_settings(&self, asker: &Asker, failure: Failure) -> Result<Response, Refusal> {
        let (status, message) = (failure.status(), failure.message());
        self.settings(asker, status, None, Some(&message)).await
    }
}

/// What was done, or what is wrong.
fn messages(said: Option<&str>, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(said) = said { p.done role="status" { (said) } }
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
    }
}

/// A table of what can be set; no landmark of its own, for its section is one.
fn sheet(title: &str, head: &Markup, rows: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(title) {
            table.sheet {
                caption.hidden { (title) }
                thead { tr { (head) } }
                tbody { (rows) }
            }
        }
    }
}

/// The heads of columns, and that of the one in which a row is changed.
fn heads(asker: &Asker, names: &[&str]) -> Markup {
    html! {
        @for name in names { th scope="col" { (asker.texts().column(name)) } }
        th scope="col" { span.hidden { (asker.texts().say("settings.change")) } }
    }
}

/// What a form of this login carries.
fn token(asker: &Asker) -> Markup {
    html! { input type="hidden" name="token" value=(asker.guest.form_token); }
}
