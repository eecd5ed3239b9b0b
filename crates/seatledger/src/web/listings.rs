//! Sessions and history: what happened, row by row.

use super::Web;
use super::asker::{Asker, Refusal};
use super::period_bar::Bar;
use super::query::{Period, Query};
use super::reports::{links, period_text};
use super::table::Shown;
use crate::answers::{self, History, Sessions, Sight};
use crate::gate::Failure;
use accounting::calendar::Calendar;
use accounting::report::{Cell, Column, Report};
use axum::extract::{Request, State};
use axum::response::Response;
use maud::html;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use store::Store;

/// The most rows that a page shows; all are in the downloads.
const MOST: usize = 1000;
/// The days of history that are shown where none are chosen.
const DAYS: i32 = 2;
const FIELDS: [&str; 4] = ["feature", "server", "person", "organization"];

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Sessions,
    History,
}

pub(super) async fn sessions(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    page(web, request, Listing::Sessions).await
}

pub(super) async fn history(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    page(web, request, Listing::History).await
}

async fn page(web: Arc<Web>, request: Request, listing: Listing) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let query = Query::of(&request);
    let (path, key) = match listing {
        Listing::Sessions => ("/sessions", "sessions"),
        Listing::History => ("/history", "history"),
    };
    let Some(mut period) = web.period(&asker, &query).await? else { return Ok(asker.nothing_yet(path)) };
    if listing == Listing::History && query.get("from").is_none() {
        period = Period { from: accounting::day::Day(period.until.0 - DAYS), ..period };
    }
    let question = period.set(&query).without(&["q"]);
    let found = listed(&web, &asker, &question, listing).await?;
    let (report, calendar) = &*found;
    let texts = asker.texts();
    let title = if listing == Listing::Sessions { texts.say("sessions") } else { texts.say("history") };
    let mut fields = FIELDS.to_vec();
    fields.retain(|field| asker.sight == Sight::Everything || *field != "server");
    let bar = Bar {
        asker: &asker,
        path,
        query: &query,
        period: &period,
        fields: &fields,
        classes: &[],
        has_period: true,
    };
    let without: &[&str] = match listing {
        Listing::Sessions => &["uncertainty_seconds", "display", "source"],
        Listing::History => &["source"],
    };
    let shown = Shown {
        view: &asker.view,
        zone: calendar.zone(),
        most: MOST,
        caption: title,
        query: &question,
        without,
        sorts: report.rows.len() <= MOST,
        bars: None,
    };
    let hint =
        if listing == Listing::Sessions { texts.say("sessions.hint") } else { texts.say("history.hint") };
    let body = html! {
        header.head { h1 { (title) } p.soft { (period_text(&period)) } }
        p.definition { (hint) }
        (bar.markup())
        (shown.table(report))
        p.downloads { (links(&asker, &format!("/api/v1/{key}"), key, &question)) }
    };
    Ok(asker.page(if listing == Listing::History { path } else { "/features" }, title, &body))
}

/// The last rows of a history, newest first; the first sessions of a period.
async fn listed(
    web: &Web,
    asker: &Asker,
    query: &Query,
    listing: Listing,
) -> Result<Arc<(Report, Calendar)>, Refusal> {
    let key = query.behind(&format!("{listing:?} "));
    let sight = asker.sight.clone();
    let refuse = |failure: Failure| asker.refuse(failure);
    match listing {
        Listing::Sessions => {
            let options: Sessions = query.options().map_err(refuse)?;
            web.kept(asker, key, move |store| {
                let list = |store: &mut Store, calendar: &Calendar, each: answers::EachRow<'_>| {
                    answers::list_sessions(store, calendar, &options, &sight, each)
                };
                rows_of(store, Sessions::COLUMNS, listing, list)
            })
            .await
        }
        Listing::History => {
            let options: History = query.options().map_err(refuse)?;
            web.kept(asker, key, move |store| {
                let list = |store: &mut Store, calendar: &Calendar, each: answers::EachRow<'_>| {
                    answers::list_history(store, calendar, &options, &sight, each)
                };
                rows_of(store, History::COLUMNS, listing, list)
            })
            .await
        }
    }
}

fn rows_of(
    store: &mut Store,
    columns: &[Column],
    listing: Listing,
    list: impl FnOnce(&mut Store, &Calendar, answers::EachRow<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<(Report, Calendar)> {
    let calendar = store.calendar()?;
    let mut rows: VecDeque<Vec<Cell>> = VecDeque::new();
    let mut all = 0_usize;
    let done = list(store, &calendar, &mut |cells| {
        all += 1;
        match listing {
            // One more tells that there are more.
            Listing::Sessions if rows.len() > MOST => return Err(io::ErrorKind::Interrupted.into()),
            Listing::Sessions => rows.push_back(cells.to_vec()),
            Listing::History => {
                rows.push_front(cells.to_vec());
                rows.truncate(MOST + 1);
            }
        }
        Ok(())
    });
    if let Err(error) = done
        && error.downcast_ref::<io::Error>().is_none_or(|error| error.kind() != io::ErrorKind::Interrupted)
    {
        return Err(error);
    }
    let name = if listing == Listing::Sessions { "sessions" } else { "history" };
    Ok((Report { name, columns: columns.to_vec(), rows: rows.into(), notes: Vec::new() }, calendar))
}
