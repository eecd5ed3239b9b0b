//! Logging in at a provider of OpenID Connect: the way there, the way back, and what is said where it leads nowhere.

use super::asker::{View, cookie};
use super::login::{own_path, set_cookie, set_cookie_named, value};
use super::{Web, layout};
use crate::gate::Client;
use crate::gate::openid::{Begun, Refused, UNDERWAY_S};
use axum::extract::{Query, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::sync::Arc;

/// The cookie of a browser that is on its way to the provider and back.
const COOKIE: &str = "seatledger-openid";
const SECURE_COOKIE: &str = "__Host-seatledger-openid";

/// Where a login begins that goes on to a path of ours.
pub(super) fn address(view: &View, to: &str, again: bool) -> String {
    let to = utf8_percent_encode(own_path(to), NON_ALPHANUMERIC);
    format!("{}?to={to}{}", view.to("/login/openid"), if again { "&again=true" } else { "" })
}

/// Sends a browser to the provider.
pub(super) async fn begin(State(web): State<Arc<Web>>, request: Request) -> Response {
    let view = web.view(request.headers());
    let asked = asked(request.uri());
    let (to, again) = (own_path(value(&asked, "to")), value(&asked, "again") == "true");
    match web.gate.begin_openid(to, again, &*web.complain).await {
        Ok(Begun { location, cookie }) => {
            let headers = [(LOCATION, location), (CACHE_CONTROL, "no-store".to_owned())];
            let mut response = (StatusCode::SEE_OTHER, headers).into_response();
            set_cookie_named(&web, &mut response, name(&web), &cookie, UNDERWAY_S);
            response
        }
        Err(refused) => shown(&view, &refused, to),
    }
}

/// Takes a browser in that comes back.
pub(super) async fn end(State(web): State<Arc<Web>>, request: Request) -> Response {
    let view = web.view(request.headers());
    let brought = cookie(request.headers(), name(&web));
    let mut response = match web
        .gate
        .end_openid(brought.as_deref(), &asked(request.uri()), Client::of(&request), &*web.complain)
        .await
    {
        Ok(ended) => {
            let mut response = web.redirect(own_path(&ended.to));
            set_cookie(&web, &mut response, &ended.secret, ended.seconds);
            response
        }
        Err(refused) => shown(&view, &refused, &wanted(brought.as_deref())),
    };
    // A login ends once, well or not.
    set_cookie_named(&web, &mut response, name(&web), "", 0);
    response
}

fn name(web: &Web) -> &'static str {
    if web.is_secure { SECURE_COOKIE } else { COOKIE }
}

fn asked(uri: &Uri) -> Vec<(String, String)> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).map(|query| query.0).unwrap_or_default()
}

/// To which page of ours a browser wanted that comes back with a cookie.
fn wanted(cookie: Option<&str>) -> String {
    let to = cookie.and_then(|cookie| cookie.split_once('.')).map_or("/", |(_, to)| to);
    own_path(&percent_decode_str(to).decode_utf8_lossy()).to_owned()
}

/// Why nobody is logged in, and what to do to get to the page that was wanted.
fn shown(view: &View, refused: &Refused, to: &str) -> Response {
    let texts = view.texts;
    let (status, title, why) = match refused {
        Refused::Stale => {
            (StatusCode::FORBIDDEN, texts.say("openid.cannot"), html! { p { (texts.say("openid.stale")) } })
        }
        Refused::Declined(code) if code == "access_denied" => (
            StatusCode::FORBIDDEN,
            texts.say("openid.cannot"),
            html! { p { (texts.say("openid.broken_off")) } },
        ),
        Refused::Declined(code) => (
            StatusCode::FORBIDDEN,
            texts.say("openid.cannot"),
            html! { p { (texts.say("openid.declined")) " " code { (code) } } },
        ),
        Refused::NoRole { name, claim, values } => (
            StatusCode::FORBIDDEN,
            texts.say("openid.no_role"),
            no_role(view, name, claim, values.as_deref()),
        ),
        Refused::Provider => (
            StatusCode::BAD_GATEWAY,
            texts.say("openid.cannot"),
            html! { p { (texts.say("openid.provider")) } },
        ),
        Refused::Here(failure) => {
            (failure.status(), texts.say("openid.cannot"), html! { p { (failure.clone().message()) } })
        }
    };
    let login = format!("/login?to={}", utf8_percent_encode(to, NON_ALPHANUMERIC));
    let body = html! {
        section.login {
            h1 { (title) }
            div role="alert" { (why) }
            @if view.provider.is_some() {
                p { a.button.primary href=(address(view, to, true)) { (texts.say("openid.again")) } }
            }
            p.soft { a href=(view.to(&login)) { (texts.say("openid.other_way")) } }
        }
    };
    let mut response = view.answer(status, layout::page(view, None, "", title, &body));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The provider knows somebody, and nothing that it says gives a role here.
fn no_role(view: &View, name: &str, claim: &str, values: Option<&[String]>) -> Markup {
    let texts = view.texts;
    html! {
        p { (texts.say("openid.known_as")) " " strong { (name) } ". " (texts.say("openid.no_role_hint")) }
        p.soft {
            @match values {
                None => { (texts.say("openid.no_claim")) " " code { (claim) } }
                Some([]) => { (texts.say("openid.empty_claim")) " " code { (claim) } }
                Some(values) => {
                    (texts.say("openid.claim")) " " code { (claim) } ": "
                    @for (nth, value) in values.iter().enumerate() { @if nth > 0 { ", " } code { (value) } }
                }
            }
        }
    }
}
