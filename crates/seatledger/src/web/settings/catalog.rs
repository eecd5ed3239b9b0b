//! The catalog: what feature codes are called, to which product and type they belong, what a seat costs a year.

use super::form::must_be_own;
use super::{PATH, messages, sheet, token};
use crate::gate::Failure;
use crate::sheets::is_amount;
use crate::web::Web;
use crate::web::asker::{Asker, Refusal};
use crate::web::fields::whole;
use crate::web::login::{fields, value};
use crate::web::query::{Query, encoded};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use store::CatalogEntry;

const OWN: &str = "/settings/catalog";
/// The most entries that a page shows.
const MOST: usize = 500;

/// How many entries there are, and where they are.
pub(super) fn section(asker: &Asker, entries: usize) -> Markup {
    let texts = asker.texts();
    html! {
        section.card aria-labelledby="catalog" {
            h2 #catalog { (texts.say("settings.catalog")) }
            p { (whole(entries as i64)) " " (texts.say("settings.codes")) }
            p.soft { (texts.say("settings.catalog_hint")) }
            p { a.button href=(asker.view.to(OWN)) { (texts.say("settings.catalog_open")) } }
        }
    }
}

/// The entries, and a form for one of them.
pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let query = Query::of(&request);
    let said = query.get("saved").map(|feature| format!("{} {feature}", asker.texts().say("settings.saved")));
    shown(&web, &asker, &query, said.as_deref(), None).await
}

/// Takes in an entry.
pub(super) async fn save(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let query = Query::of(&request);
    let fields = fields(request).await.map_err(|failure| asker.refuse(failure))?;
    must_be_own(&asker.guest, value(&fields, "token")).map_err(|failure| asker.refuse(failure))?;
    let text = |name: &str| value(&fields, name).trim().to_owned();
    let some = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let entry = CatalogEntry {
        feature: text("feature"),
        product: text("product"),
        product_type: some("type"),
        price: some("price"),
    };
    let texts = asker.texts();
    let wrong = if entry.feature.is_empty() || entry.product.is_empty() {
        Some(texts.say("settings.names_missing"))
    } else if entry.price.as_deref().is_some_and(|price| !is_amount(price)) {
        Some(texts.say("settings.price_wrong"))
    } else {
        None
    };
    if wrong.is_some() {
        return shown(&web, &asker, &query, None, wrong.map(|wrong| (wrong, entry))).await;
    }
    let feature = entry.feature.clone();
    let saved = web.change(move |store| Ok(store.import_catalog(&[entry])?)).await;
    saved.map_err(|failure| asker.refuse(failure))?;
    Ok(web.redirect(&format!("{OWN}?saved={}", encoded(&feature))))
}

async fn shown(
    web: &Web,
    asker: &Asker,
    query: &Query,
    said: Option<&str>,
    wrong: Option<(&str, CatalogEntry)>,
) -> Result<Response, Refusal> {
    let entries = web.ask(asker, |store| Ok(store.catalog()?)).await?;
    let wanted = query.get("q").unwrap_or_default().to_lowercase();
    let matches = |entry: &&CatalogEntry| {
        [&entry.feature, &entry.product].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<&CatalogEntry> = entries.iter().filter(matches).collect();
    let chosen = query.get("feature").map(|feature| {
        let known = entries.iter().find(|entry| entry.feature == feature).cloned();
        known.unwrap_or_else(|| CatalogEntry { feature: feature.to_owned(), ..nothing() })
    });
    let status = if wrong.is_some() { Failure::Wrong(String::new()).status() } else { StatusCode::OK };
    let (message, edited) = wrong.map_or((None, None), |(message, entry)| (Some(message), Some(entry)));
    let entry = edited.or(chosen).unwrap_or_else(nothing);
    let texts = asker.texts();
    let title = texts.say("settings.catalog");
    let body = html! {
        header.head { h1 { (title) } }
        (messages(said, message))
        p.definition { (texts.say("settings.catalog_hint")) }
        (form(asker, &entry))
        form.row method="get" action=(asker.view.to(OWN)) {
            label { span { (texts.now.filter) } input name="q" type="search" value=(query.get("q").unwrap_or_default()); }
            button type="submit" { (texts.say("show")) }
        }
        (table(asker, &found))
        p { a href=(asker.view.to(PATH)) { (texts.say("settings.back")) } }
    };
    Ok(asker.page_as(status, PATH, title, &body))
}

fn nothing() -> CatalogEntry {
    CatalogEntry { feature: String::new(), product: String::new(), product_type: None, price: None }
}

fn form(asker: &Asker, entry: &CatalogEntry) -> Markup {
    let texts = asker.texts();
    let fields = [
        ("feature", entry.feature.as_str(), true),
        ("product", entry.product.as_str(), true),
        ("type", entry.product_type.as_deref().unwrap_or_default(), false),
        ("price", entry.price.as_deref().unwrap_or_default(), false),
    ];
    html! {
        form.row.card method="post" action=(asker.view.to(OWN)) {
            (token(asker))
            @for (name, value, required) in fields {
                label { span { (texts.column(name)) } input name=(name) value=(value) required[required] inputmode=[(name == "price").then_some("decimal")]; }
            }
            button.primary type="submit" { (texts.say("settings.save")) }
        }
    }
}

fn table(asker: &Asker, entries: &[&CatalogEntry]) -> Markup {
    let texts = asker.texts();
    let title = texts.say("settings.catalog");
    let head = html! {
        @for name in ["feature", "product", "type"] { th scope="col" { (texts.column(name)) } }
        th.number scope="col" { (texts.column("price")) }
        th scope="col" { span.hidden { (texts.say("settings.edit")) } }
    };
    let rows = html! {
        @for entry in entries.iter().take(MOST) {
            tr {
                td { (entry.feature) }
                td { (entry.product) }
                td { @if let Some(of) = &entry.product_type { (of) } }
                td.number { @if let Some(price) = &entry.price { (price) } }
                td {
                    a href=(asker.view.to(&format!("{OWN}?feature={}", encoded(&entry.feature))))
                        aria-label={ (texts.say("settings.edit")) " " (entry.feature) } { (texts.say("settings.edit")) }
                }
            }
        }
    };
    html! {
        (sheet(title, &head, &rows))
        @if entries.len() > MOST { p.soft { (whole((entries.len() - MOST) as i64)) " " (texts.say("settings.more")) } }
    }
}
