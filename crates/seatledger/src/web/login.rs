//! Logging in and out.

use super::asker::{Refusal, View, is_from_here};
use super::{Web, layout, openid};
use crate::gate::{Client, Failure, SESSION_MS, cookie_name};
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;

/// The longest form that is read, in bytes.
const LONGEST_FORM: usize = 8192;
const FORM: &str = "application/x-www-form-urlencoded";

/// The page on which somebody logs in.
pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Response {
    let view = web.view(request.headers());
    let to =
        Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    let to = value(&to, "to");
    shown(&view, StatusCode::OK, to, "", None)
}

/// The page on which somebody logs in, and goes on to a path of ours.
pub(super) fn shown(view: &View, status: StatusCode, to: &str, name: &str, wrong: Option<&str>) -> Response {
    let body = form(view, to, name, wrong);
    view.answer(status, layout::page(view, None, "", view.texts.log_in, &body))
}

fn form(view: &View, to: &str, name: &str, wrong: Option<&str>) -> Markup {
    let texts = view.texts;
    html! {
        section.login {
            h1 { (texts.log_in) }
            @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
            @if let Some(button) = &view.provider {
                p { a.button.primary href=(openid::address(view, to, false)) { (button) } }
                // Who typed a name wants to go on typing.
                details open[!name.is_empty()] { summary { (texts.say("openid.password")) } (password_form(view, to, name, false)) }
            } @else {
                (password_form(view, to, name, true))
                p.soft { (texts.no_user_yet) }
            }
        }
    }
}

fn password_form(view: &View, to: &str, name: &str, autofocus: bool) -> Markup {
    let texts = view.texts;
    html! {
        form method="post" action=(view.to("/login")) {
            input type="hidden" name="to" value=(to);
            label { (texts.name) input name="name" value=(name) autocomplete="username" required autofocus[autofocus]; }
            label { (texts.password) input name="password" type="password" autocomplete="current-password" required; }
            button.primary type="submit" { (texts.log_in) }
        }
    }
}

/// Checks a name and a password, and gives the browser a cookie.
pub(super) async fn log_in(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let (view, client) = (web.view(request.headers()), Client::of(&request));
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(failure) => return Ok(shown(&view, failure.status(), "", "", Some(&failure.message()))),
    };
    let (name, to) = (value(&fields, "name").to_owned(), value(&fields, "to"));
    match web.gate.log_in(name.clone(), value(&fields, "password"), client, &*web.complain).await {
        Ok(secret) => {
            let mut response = web.redirect(own_path(to));
            set_cookie(&web, &mut response, &secret, SESSION_MS / 1000);
            Ok(response)
        }
        Err(failure) => {
            let (status, message) = match failure {
                Failure::Unknown(_) => (StatusCode::UNAUTHORIZED, view.texts.wrong_login.to_owned()),
                other => (other.status(), other.message()),
            };
            Ok(shown(&view, status, to, &name, Some(&message)))
        }
    }
}

/// The page that the link leads to which the service prints where nobody can log in.
pub(super) async fn first_admin(State(web): State<Arc<Web>>, request: Request) -> Response {
    let view = web.view(request.headers());
    let query =
        Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|query| query.0).unwrap_or_default();
    let secret = value(&query, "secret");
    match web.gate.knows_first_admin(secret, &*web.complain).await {
        Ok(true) => first_admin_form(&view, StatusCode::OK, secret, "", None),
        Ok(false) => {
            let stale = view.texts.say("first.stale");
            shown(&view, StatusCode::FORBIDDEN, "", "", Some(stale))
        }
        Err(failure) => shown(&view, failure.status(), "", "", Some(&failure.message())),
    }
}

/// Makes the first admin, who is logged in by that.
pub(super) async fn make_first_admin(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (view, client) = (web.view(request.headers()), Client::of(&request));
    let fields = match fields(request).await {
        Ok(fields) => fields,
        Err(failure) => return shown(&view, failure.status(), "", "", Some(&failure.message())),
    };
    let (secret, name) = (value(&fields, "secret"), value(&fields, "name"));
    let password = value(&fields, "password");
    let made = web.gate.make_first_admin(secret, name.to_owned(), password.to_owned(), &*web.complain).await;
    if let Err(failure) = made {
        let (status, message) = (failure.status(), failure.message());
        return first_admin_form(&view, status, secret, name, Some(&message));
    }
    match web.gate.log_in(name.to_owned(), password, client, &*web.complain).await {
        Ok(cookie) => {
            let mut response = web.redirect("/settings");
            set_cookie(&web, &mut response, &cookie, SESSION_MS / 1000);
            response
        }
        Err(_) => web.redirect("/login?to=%2Fsettings"),
    }
}

fn first_admin_form(
    view: &View,
    status: StatusCode,
    secret: &str,
    name: &str,
    wrong: Option<&str>,
) -> Response {
    let texts = view.texts;
    let title = texts.say("first.title");
    let body = html! {
        section.login {
            h1 { (title) }
            p { (texts.say("first.hint")) }
            @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
            form method="post" action=(view.to("/first-admin")) {
                input type="hidden" name="secret" value=(secret);
                label { (texts.name) input name="name" value=(name) autocomplete="username" required autofocus; }
                label { (texts.password) input name="password" type="password" minlength="8" autocomplete="new-password" required; }
                button.primary type="submit" { (texts.say("first.make")) }
            }
        }
    };
    view.answer(status, layout::page(view, None, "", title, &body))
}

/// Forgets the browser, or all browsers of its user.
pub(super) async fn log_out(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let headers = request.headers().clone();
    let fields = fields(request).await.map_err(|failure| asker.refuse(failure))?;
    if asker.guest.form_token.is_empty() || value(&fields, "token") != asker.guest.form_token {
        let wrong =
            Failure::Forbidden("this form is not of this login: go back and load the page anew".to_owned());
        return Err(asker.refuse(wrong));
    }
    let everywhere = value(&fields, "where") == "everywhere";
    let out = web.gate.log_out(&headers, everywhere, &*web.complain).await;
    out.map_err(|failure| asker.refuse(failure))?;
    let mut response = web.redirect("/login");
    set_cookie(&web, &mut response, "", 0);
    Ok(response)
}

pub(super) fn set_cookie(web: &Web, response: &mut Response, secret: &str, seconds: i64) {
    set_cookie_named(web, response, cookie_name(web.is_secure), secret, seconds);
}

/// Gives the browser a cookie that no script reads; for no seconds it takes it away.
pub(super) fn set_cookie_named(web: &Web, response: &mut Response, name: &str, value: &str, seconds: i64) {
    let secure = if web.is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// The fields of a form that a page of ours has sent.
pub(super) async fn fields(request: Request) -> Result<Vec<(String, String)>, Failure> {
    if !is_from_here(request.headers()) || !is_form(request.headers()) {
        return Err(Failure::Forbidden("forms are taken from pages of this service only".to_owned()));
    }
    let body = axum::body::Bytes::from_request(request, &()).await;
    let body = body.map_err(|_| Failure::Wrong("the form did not arrive whole".to_owned()))?;
    if body.len() > LONGEST_FORM {
        return Err(Failure::TooLarge("the form is too long".to_owned()));
    }
    let uri = String::from_utf8(body.to_vec()).ok().and_then(|text| format!("/?{text}").parse().ok());
    let fields = uri.and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    fields.map(|fields| fields.0).ok_or_else(|| Failure::Wrong("the form cannot be read".to_owned()))
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(FORM)
}

/// The value of a field; nothing where there is none.
pub(super) fn value<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

/// A path of ours to go on to: nobody is sent elsewhere.
pub(super) fn own_path(to: &str) -> &str {
    let is_ours = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\') && to.is_ascii();
    if is_ours && !to.bytes().any(|byte| byte.is_ascii_control()) { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn nobody_is_sent_elsewhere_after_the_login() {
        assert_eq!(own_path("/feature?code=solver"), "/feature?code=solver");
        for other in [
            "",
            "https://example.com/",
            "//example.com",
            "/\\example.com",
            "/x\r\nset-cookie: a=b",
            "javascript:x",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
