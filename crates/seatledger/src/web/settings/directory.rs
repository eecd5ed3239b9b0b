//! The directory: a file is shown with what it changes, and taken in once somebody has seen that.

use super::form::{Form, must_be_own, too_large};
use super::{LONGEST_FILE, PATH, messages, sheet, token};
use crate::gate::Failure;
use crate::sheets::{read_directory, written_directory};
use crate::web::Web;
use crate::web::asker::{Asker, Refusal};
use crate::web::fields::whole;
use accounting::directory::Entry;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use std::path::Path;
use std::sync::Arc;
use store::{Changes, DirectoryChange};

/// The most changes that are shown one by one.
const MOST: usize = 200;
const ACTION: &str = "/settings/directory";

/// How many rows there are, and a form for a file.
pub(super) fn section(asker: &Asker, rows: u64) -> Markup {
    let texts = asker.texts();
    html! {
        section.card aria-labelledby="directory" {
            h2 #directory { (texts.say("settings.directory")) }
            p { (whole(rows as i64)) " " (texts.say("rows")) }
            p.soft { (texts.say("settings.directory_hint")) }
            form.row method="post" action=(asker.view.to(ACTION)) enctype="multipart/form-data" {
                (token(asker))
                label { span { (texts.say("settings.file")) } input type="file" name="csv" accept=".csv,text/csv" required; }
                button.primary type="submit" { (texts.say("settings.preview")) }
            }
        }
    }
}

/// Shows what a file changes, or takes in what was shown.
pub(super) async fn take(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let form = Form::of(request).await.map_err(|failure| asker.refuse(failure))?;
    must_be_own(&asker.guest, form.text("token")).map_err(|failure| asker.refuse(failure))?;
    let shown = form.bytes("shown");
    let is_shown = !shown.is_empty();
    let (name, bytes) =
        if is_shown { ("directory.csv", shown) } else { (form.file("csv"), form.bytes("csv")) };
    if !is_shown && bytes.len() > LONGEST_FILE {
        return web.wrong_settings(&asker, too_large()).await;
    }
    let name = if name.is_empty() { "directory.csv" } else { name };
    let rows = match read_directory(Path::new(name), &mut &*bytes) {
        Ok(rows) => rows,
        Err(error) => return web.wrong_settings(&asker, Failure::Wrong(format!("{error:#}"))).await,
    };
    if is_shown {
        let changes = web.change(move |store| Ok(store.import_directory(&rows)?)).await;
        let Changes { added, changed, unchanged } = changes.map_err(|failure| asker.refuse(failure))?;
        return Ok(web.redirect(&format!(
            "{PATH}?done=directory&added={added}&changed={changed}&unchanged={unchanged}"
        )));
    }
    let text = written_directory(&rows).map_err(|_| asker.refuse(Failure::Ours))?;
    let preview = web.change(move |store| Ok(store.preview_directory(&rows)?)).await;
    let (changes, others) = preview.map_err(|failure| asker.refuse(failure))?;
    let texts = asker.texts();
    let body = html! {
        header.head { h1 { (texts.say("settings.preview_title")) } p.soft { (name) } }
        (messages(None, None))
        p {
            b { (whole(changes.added as i64)) } " " (texts.say("settings.added")) ", "
            b { (whole(changes.changed as i64)) } " " (texts.say("settings.changed")) ", "
            b { (whole(changes.unchanged as i64)) } " " (texts.say("settings.unchanged"))
        }
        @if others.is_empty() { p { (texts.say("settings.nothing_changes")) } } @else {
            (table(&asker, &others))
            form.row method="post" action=(asker.view.to(ACTION)) enctype="multipart/form-data" {
                (token(&asker))
                textarea name="shown" hidden readonly aria-label=(texts.say("settings.file")) { "\n" (text) }
                button.primary type="submit" { (texts.say("settings.apply")) }
            }
        }
        p { a href=(asker.view.to(PATH)) { (texts.say("settings.back")) } }
    };
    Ok(asker.page_as(StatusCode::OK, PATH, texts.say("settings.preview_title"), &body))
}

/// Each change with what is there now.
fn table(asker: &Asker, changed: &[DirectoryChange]) -> Markup {
    let texts = asker.texts();
    let title = texts.say("settings.preview_title");
    let head = html! {
        @for name in ["user", "from"] { th scope="col" { (texts.column(name)) } }
        @for text in [texts.say("settings.before"), texts.say("settings.after")] { th scope="col" { (text) } }
    };
    let rows = html! {
        @for DirectoryChange { before, after } in changed.iter().take(MOST) {
            tr {
                td { @if let Some(domain) = &after.domain { (domain) "\\" } (after.login) }
                td { @if let Some(from) = after.valid_from { (from) } }
                td { @match before { Some(before) => (belongs(before)), None => span.soft { (texts.say("settings.new")) }, } }
                td { (belongs(after)) }
            }
        }
    };
    html! {
        (sheet(title, &head, &rows))
        @if changed.len() > MOST { p.soft { (whole((changed.len() - MOST) as i64)) " " (texts.say("settings.more")) } }
    }
}

/// To what somebody belongs, and until when.
fn belongs(row: &Entry) -> String {
    let texts = [row.organization.clone(), row.project.clone()].into_iter().flatten();
    let until = row.valid_until.map(|day| format!("< {day}"));
    let id = row.external_id.map(|id| format!("#{id}"));
    let parts: Vec<String> = texts.chain(until).chain(id).collect();
    if parts.is_empty() { "–".to_owned() } else { parts.join(" · ") }
}
