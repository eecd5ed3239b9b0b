//! What all pages have in common: head, navigation, foot.

use super::asker::View;
use super::assets;
use crate::gate::Guest;
use crate::texts::Texts;
use maud::{Markup, PreEscaped, html};

/// The entries of the navigation: where they lead, the key that leads there behind `g`, and their name's place.
const ENTRIES: [(&str, &str); 10] = [
    ("/", "n"),
    ("/features", "f"),
    ("/denials", "d"),
    ("/overnight", "o"),
    ("/people", "p"),
    ("/servers", "s"),
    ("/history", "h"),
    ("/alerts", "a"),
    ("/reports", "r"),
    (SETTINGS, "e"),
];
/// Where only admins go.
const SETTINGS: &str = "/settings";

/// A whole page.
pub(super) fn page(view: &View, guest: Option<&Guest>, here: &str, title: &str, body: &Markup) -> Markup {
    let texts = view.texts;
    html! {
        (PreEscaped("<!doctype html>"))
        html lang=(texts.language) data-theme=[(!view.theme.is_empty()).then_some(view.theme)] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Seatledger" }
                @if let Some(path) = assets::path("style.css") { link rel="stylesheet" href=(asset(view, path)); }
                @if let Some(path) = assets::path("icon.svg") { link rel="icon" type="image/svg+xml" href=(asset(view, path)); }
                @if let Some(path) = assets::path("charts.js") { meta name="charts" content=(asset(view, path)); }
                @if let Some(path) = assets::path("app.js") { script type="module" src=(asset(view, path)) {} }
            }
            body {
                a.skip href="#content" { (texts.skip) }
                header.top { (top(view, guest, here)) }
                main #content tabindex="-1" { (body) }
                footer.foot {
                    span { "Seatledger " (env!("CARGO_PKG_VERSION")) }
                    a href=(view.to("/api/openapi.json")) { "API" }
                    span.keys { (texts.keys) }
                }
            }
        }
    }
}

fn asset(view: &View, path: &str) -> String {
    view.to(&format!("/assets/{path}"))
}

fn top(view: &View, guest: Option<&Guest>, here: &str) -> Markup {
    let texts = view.texts;
    html! {
        a.brand href=(view.to("/")) { span.mark aria-hidden="true" {} "Seatledger" }
        @if let Some(guest) = guest {
            @let administers = guest.caller.must_administer().is_ok();
            nav aria-label=(texts.pages) {
                ul {
                    @for ((path, key), name) in ENTRIES.iter().zip(texts.entries).filter(|((path, _), _)| administers || *path != SETTINGS) {
                        li {
                            a href=(view.to(path)) data-key=(key) aria-current=[(*path == here).then_some("page")] { (name) }
                        }
                    }
                }
            }
        }
        div.you {
            button.theme type="button" data-theme-switch aria-label=(texts.theme) title=(texts.theme) {}
            @if let Some(name) = guest.and_then(|guest| guest.name.as_deref()) {
                (account(view, name, guest.map_or("", |guest| guest.form_token.as_str())))
            }
        }
    }
}

/// Who is logged in, and how to leave.
fn account(view: &View, name: &str, form_token: &str) -> Markup {
    let texts = view.texts;
    html! {
        details.account {
            summary { (name) }
            @if form_token.is_empty() {
                p { (texts.logged_in_by_header) }
            } @else {
                form method="post" action=(view.to("/logout")) {
                    input type="hidden" name="token" value=(form_token);
                    button type="submit" name="where" value="here" { (texts.log_out) }
                    button type="submit" name="where" value="everywhere" { (texts.log_out_everywhere) }
                }
            }
        }
    }
}

/// What is shown where nothing is known yet: what to do next.
pub(super) fn nothing_yet(texts: &Texts) -> Markup {
    html! {
        section.empty {
            h2 { (texts.now.empty_title) }
            p { (texts.now.empty_text) }
            pre { code { "seatledger import /var/log/flexlm\nseatledger serve" } }
        }
    }
}
