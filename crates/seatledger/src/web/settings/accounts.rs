//! Users and tokens: who may log in, and which programs may ask.

use super::form::must_be_own;
use super::{PATH, heads, sheet, token};
use crate::gate::Failure;
use crate::web::Web;
use crate::web::asker::{Asker, Refusal};
use crate::web::fields::instant;
use crate::web::login::{fields, value};
use crate::{clock, secrets};
use accounting::calendar::Calendar;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use store::accounts::{Added, Purpose, Removed, Role, Token, User, complaint_about_name};

const USERS: &str = "/settings/users";
const TOKENS: &str = "/settings/tokens";

/// Who may log in, and a form for one more.
pub(super) fn users_section(asker: &Asker, users: &[User], calendar: &Calendar) -> Markup {
    let texts = asker.texts();
    let title = texts.say("settings.users");
    // Whom a provider makes an admin is one, though no user here.
    let has_admin = asker.guest.is_provided || users.iter().any(|user| user.role == Role::Admin);
    let roles: &[&str] = if has_admin { &["viewer", "admin"] } else { &["admin"] };
    html! {
        section.card aria-labelledby="users" {
            h2 #users { (title) }
            p.soft { (texts.say("settings.users_hint")) }
            @if !has_admin { p { (texts.say("settings.first_admin")) } }
            @if !users.is_empty() {
                @let rows = html! {
                    @for user in users {
                        tr {
                            td { (user.name) }
                            td { (user.role.as_str()) }
                            td { (user.role.organization().unwrap_or_default()) }
                            td { (instant(user.created_at, calendar.zone())) }
                            td { (change(asker, USERS, &user.name, true)) }
                        }
                    }
                };
                (sheet(title, &heads(asker, &["name", "role", "organization", "created_at"]), &rows))
            }
            form.row method="post" action=(asker.view.to(USERS)) autocomplete="off" {
                (token(asker))
                label { span { (texts.name) } input name="name" required autocomplete="off"; }
                label { span { (texts.password) } input name="password" type="password" required minlength="8" autocomplete="new-password"; }
                label { span { (texts.column("role")) } select name="role" {
                    @for role in roles { option value=(role) { (role) } }
                } }
                @if has_admin {
                    label { span { (texts.say("settings.only_organization")) } input name="organization" autocomplete="off"; }
                }
                button.primary type="submit" name="do" value="add" { (texts.say("settings.add")) }
            }
        }
    }
}

/// Which programs may ask, and a form for one more.
pub(super) fn tokens_section(asker: &Asker, tokens: &[Token], calendar: &Calendar) -> Markup {
    let texts = asker.texts();
    let title = texts.say("settings.tokens");
    html! {
        section.card aria-labelledby="tokens" {
            h2 #tokens { (title) }
            p.soft { (texts.say("settings.tokens_hint")) }
            @if !tokens.is_empty() {
                @let rows = html! {
                    @for token in tokens {
                        tr {
                            td { (token.name) }
                            td { (purpose(&token.purpose)) }
                            td { (token.purpose.role().and_then(Role::organization).unwrap_or_default()) }
                            td { (token.purpose.site().unwrap_or_default()) }
                            td { code { "…" (token.last_four) } }
                            td { (instant(token.created_at, calendar.zone())) }
                            td { (change(asker, TOKENS, &token.name, false)) }
                        }
                    }
                };
                (sheet(title, &heads(asker, &["name", "purpose", "organization", "site", "last_four", "created_at"]), &rows))
            }
            form.row method="post" action=(asker.view.to(TOKENS)) autocomplete="off" {
                (token(asker))
                label { span { (texts.name) } input name="name" required autocomplete="off"; }
                label { span { (texts.column("purpose")) } select name="purpose" {
                    @for purpose in ["viewer", "admin", "heartbeats", "events", "site"] { option value=(purpose) { (purpose) } }
                } }
                label { span { (texts.say("settings.only_organization")) } input name="organization" autocomplete="off"; }
                label { span { (texts.say("settings.only_site")) } input name="site" autocomplete="off"; }
                button.primary type="submit" name="do" value="add" { (texts.say("settings.add")) }
            }
        }
    }
}

fn purpose(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Role(role) => role.as_str(),
        Purpose::Heartbeats => "heartbeats",
        Purpose::Events => "events",
        Purpose::Site(_) => "site",
    }
}

/// What can be done with a row; taking it out needs a second look.
fn change(asker: &Asker, action: &str, name: &str, is_user: bool) -> Markup {
    let texts = asker.texts();
    html! {
        details.change {
            summary aria-label={ (texts.say("settings.change")) " " (name) } { (texts.say("settings.change")) }
            form method="post" action=(asker.view.to(action)) {
                (token(asker))
                input type="hidden" name="name" value=(name);
                @if is_user { button type="submit" name="do" value="out" { (texts.log_out_everywhere) } }
                button type="submit" name="do" value="remove" { (texts.say("settings.remove")) " " (name) }
            }
        }
    }
}

/// Adds a user, takes one out, or logs one out in all browsers.
pub(super) async fn users(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let (asker, fields) = sent(&web, request).await?;
    let name = value(&fields, "name").to_owned();
    let own = !asker.guest.is_provided && asker.guest.name.as_deref() == Some(name.as_str());
    let done = match value(&fields, "do") {
        "add" => add_user(&web, &asker, name, &fields).await.map(|()| "added"),
        "remove" if own => Err(Failure::Conflict(asker.texts().say("settings.not_oneself").to_owned())),
        "remove" => remove_user(&web, &asker, name).await.map(|()| "removed"),
        "out" => web.change(move |store| Ok(store.end_browser_sessions_of(&name)?)).await.map(|()| "out"),
        _ => Err(Failure::Wrong("the form cannot be read".to_owned())),
    };
    match done {
        Ok(done) => Ok(web.redirect(&format!("{PATH}?done={done}"))),
        Err(failure) => web.wrong_settings(&asker, failure).await,
    }
}

/// Who sends a form, which must be an admin's own, and its fields.
pub(super) async fn sent(web: &Web, request: Request) -> Result<(Asker, Vec<(String, String)>), Refusal> {
    let asker = web.admin(&request).await?;
    let fields = fields(request).await.map_err(|failure| asker.refuse(failure))?;
    must_be_own(&asker.guest, value(&fields, "token")).map_err(|failure| asker.refuse(failure))?;
    Ok((asker, fields))
}

/// The role of a form.
fn role(asker: &Asker, role: &str, organization: &str) -> Result<Role, Failure> {
    match (role, organization.trim()) {
        ("admin", "") => Ok(Role::Admin),
        ("viewer", "") => Ok(Role::Viewer),
        ("viewer", organization) => Ok(Role::OrganizationViewer(organization.to_owned())),
        _ => Err(Failure::Wrong(asker.texts().say("settings.role_wrong").to_owned())),
    }
}

async fn add_user(
    web: &Web,
    asker: &Asker,
    name: String,
    fields: &[(String, String)],
) -> Result<(), Failure> {
    let password = value(fields, "password").to_owned();
    let complaint = complaint_about_name(&name).or_else(|| secrets::complaint_about_password(&password));
    if let Some(complaint) = complaint {
        return Err(Failure::Wrong(complaint.to_owned()));
    }
    let role = role(asker, value(fields, "role"), value(fields, "organization"))?;
    let has_admin = asker.guest.is_provided;
    let added = web.change(move |store| {
        let password_hash = secrets::hash_password(&password)?;
        let user = User { name, role, password_hash, created_at: clock::now() };
        Ok(match has_admin {
            true if store.add_user(&user)? => Added::Added,
            true => Added::NameTaken,
            false => store.add_user_beside_admin(&user)?,
        })
    });
    let wrong = match added.await? {
        Added::Added => return Ok(()),
        Added::NameTaken => "settings.name_taken",
        Added::NoAdmin => "settings.first_admin",
    };
    Err(Failure::Conflict(asker.texts().say(wrong).to_owned()))
}

/// Takes a user out. Who asks may have been taken out meanwhile.
async fn remove_user(web: &Web, asker: &Asker, name: String) -> Result<(), Failure> {
    let by = asker.guest.name.clone().filter(|_| !asker.guest.is_provided);
    let removed = web.change(move |store| {
        Ok(match by {
            Some(by) => store.remove_user_by(&by, &name)?,
            // Who is no user here cannot be taken out here.
            None if store.remove_user(&name)? => Removed::Removed,
            None => Removed::NoSuchUser,
        })
    });
    match removed.await? {
        Removed::Removed | Removed::NoSuchUser => Ok(()),
        Removed::NoAdmin => {
            Err(Failure::Forbidden(asker.texts().say("settings.no_admin_any_more").to_owned()))
        }
    }
}

/// Makes a token, which is shown once, or takes one out.
pub(super) async fn tokens(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let (asker, fields) = sent(&web, request).await?;
    let name = value(&fields, "name").to_owned();
    let made = match value(&fields, "do") {
        "add" => add_token(&web, &asker, name, &fields).await,
        "remove" => {
            let removed = web.change(move |store| Ok(store.remove_token(&name)?)).await;
            removed.map_err(|failure| asker.refuse(failure))?;
            return Ok(web.redirect(&format!("{PATH}?done=removed")));
        }
        _ => Err(Failure::Wrong("the form cannot be read".to_owned())),
    };
    let secret = match made {
        Ok(secret) => secret,
        Err(failure) => return web.wrong_settings(&asker, failure).await,
    };
    let texts = asker.texts();
    let body = html! {
        header.head { h1 { (texts.say("settings.token_made")) } }
        pre { code data-token { (secret) } }
        p { (texts.say("settings.token_once")) }
        p { a.button href=(asker.view.to(PATH)) { (texts.say("settings.back")) } }
    };
    let mut response = asker.page_as(StatusCode::OK, PATH, texts.say("settings.token_made"), &body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn add_token(
    web: &Web,
    asker: &Asker,
    name: String,
    fields: &[(String, String)],
) -> Result<String, Failure> {
    if let Some(complaint) = complaint_about_name(&name) {
        return Err(Failure::Wrong(complaint.to_owned()));
    }
    let organization = value(fields, "organization").trim();
    let purpose = match value(fields, "purpose") {
        "heartbeats" if organization.is_empty() => Purpose::Heartbeats,
        "events" if organization.is_empty() => Purpose::Events,
        "site" if organization.is_empty() => {
            let site = value(fields, "site").trim();
            if site.is_empty() {
                return Err(Failure::Wrong(asker.texts().say("settings.site_missing").to_owned()));
            }
            Purpose::Site(site.to_owned())
        }
        other => Purpose::Role(role(asker, other, organization)?),
    };
    let secret = secrets::new_secret("slt_").map_err(|error| Failure::of(&error, &*web.complain))?;
    let (hash, last_four) = (secrets::hash_of_secret(&secret), secret[secret.len() - 4..].to_owned());
    let token = Token { name, purpose, last_four, created_at: clock::now() };
    let added = web.change(move |store| Ok(store.add_token(&token, &hash)?));
    if added.await? {
        Ok(secret)
    } else {
        Err(Failure::Conflict(asker.texts().say("settings.name_taken").to_owned()))
    }
}
