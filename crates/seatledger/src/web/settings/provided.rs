//! Who is logged in with the account of a provider: they are no users here, but can be logged out.

use super::accounts::sent;
use super::{PATH, sheet, token};
use crate::web::Web;
use crate::web::asker::{Asker, Refusal};
use crate::web::fields::{instant, whole};
use crate::web::login::value;
use accounting::calendar::Calendar;
use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use store::accounts::Role;
use store::browsers::ProvidedLogins;

pub(super) const LOGINS: &str = "/settings/logins";

/// Who is logged in.
pub(super) fn section(asker: &Asker, logins: &[ProvidedLogins], calendar: &Calendar) -> Markup {
    let texts = asker.texts();
    let title = texts.say("settings.provided");
    html! {
        section.card aria-labelledby="provided" {
            h2 #provided { (title) }
            p.soft { (texts.say("settings.provided_hint")) }
            @if logins.is_empty() { p { (texts.say("settings.none")) } } @else {
                @let head = html! {
                    @for name in ["name", "role", "organization"] { th scope="col" { (texts.column(name)) } }
                    @for text in [texts.say("settings.last_login"), texts.say("settings.browsers")] { th scope="col" { (text) } }
                    th scope="col" { span.hidden { (texts.say("settings.change")) } }
                };
                @let rows = html! { @for login in logins { (row(asker, login, calendar)) } };
                (sheet(title, &head, &rows))
            }
        }
    }
}

fn row(asker: &Asker, login: &ProvidedLogins, calendar: &Calendar) -> Markup {
    let (texts, role) = (asker.texts(), &login.who.role);
    html! {
        tr {
            td { (login.who.name) }
            td { (role.as_str()) }
            td { (Role::organization(role).unwrap_or_default()) }
            td { (instant(login.last_at, calendar.zone())) }
            td.number { (whole(login.browsers as i64)) }
            td {
                form method="post" action=(asker.view.to(LOGINS)) {
                    (token(asker))
                    input type="hidden" name="person" value=(login.who.person);
                    button type="submit" aria-label={ (texts.log_out_everywhere) " " (login.who.name) } { (texts.log_out_everywhere) }
                }
            }
        }
    }
}

/// Logs somebody out in all browsers.
pub(super) async fn log_out(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let (asker, fields) = sent(&web, request).await?;
    let person = value(&fields, "person").to_owned();
    match web.change(move |store| Ok(store.end_provided_sessions_of(&person)?)).await {
        Ok(()) => Ok(web.redirect(&format!("{PATH}?done=out"))),
        Err(failure) => web.wrong_settings(&asker, failure).await,
    }
}
