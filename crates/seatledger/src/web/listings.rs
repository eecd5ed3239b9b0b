//! Sessions and history: what happened, row by row.

use super::Web;
use super::asker::{Asker, Refusal};
use super::period_bar::Bar;
use super::query::{BEHIND, Period, Query};
use super::reports::{links, period_text};
use super::table::Shown;
use crate::answers::{self, History, Sessions, Sight, Told, ToldSessions};
use crate::gate::Failure;
use accounting::calendar::Calendar;
use accounting::report::{Cell, Column, Report};
use axum::extract::{Request, State};
use axum::response::Response;
use maud::html;
use std::sync::Arc;
use store::Store;

/// The most rows that a page shows; a link leads to the next ones.
const MOST: usize = 100;
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
    // What cuts time says nothing of whole sessions and single events.
    let question = period.set(&query).without(&["q", "time-class", "days"]);
    let found = listed(&web, &asker, &question, listing).await?;
    let (report, calendar, next) = &*found;
    let texts = asker.texts();
    let title = if listing == Listing::Sessions { texts.say("sessions") } else { texts.say("history") };
    let mut fields = FIELDS.to_vec();
    fields.retain(|field| asker.sight == Sight::Everything || *field != "server");
    let bar = Bar {
        asker: &asker,
        path,
        query: &query.without(&[BEHIND]),
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
        rows: 0..MOST,
        caption: title,
        query: &question.without(&[BEHIND]),
        without,
        sorts: next.is_none() && question.get(BEHIND).is_none(),
        bars: None,
    };
    let hint =
        if listing == Listing::Sessions { texts.say("sessions.hint") } else { texts.say("history.hint") };
    let body = html! {
        header.head { h1 { (title) } p.soft { (period_text(&period)) } }
        p.definition { (hint) }
        (bar.markup())
        (shown.table(report))
        p.more-of {
            @if question.get(BEHIND).is_some() {
                a href=(asker.view.to(&question.without(&[BEHIND]).behind(path))) { (texts.say("listing.first")) }
            }
            @if let Some(next) = next {
                a data-more href=(asker.view.to(&question.with(BEHIND, Some(next)).behind(path))) { (texts.say("listing.more")) }
            }
        }
        p.downloads { (links(&asker, &format!("/api/v1/{key}"), key, &question.without(&[BEHIND]))) }
    };
    Ok(asker.page(if listing == Listing::History { path } else { "/features" }, title, &body))
}

/// A page of a listing, and what the address of the next one says it is behind.
type Listed = (Report, Calendar, Option<String>);

/// Rows of a history, newest first; sessions in the order of their features and starts.
async fn listed(web: &Web, asker: &Asker, query: &Query, listing: Listing) -> Result<Arc<Listed>, Refusal> {
    let key = query.behind(&format!("{listing:?} "));
    let sight = asker.sight.clone();
    let refuse = |failure: Failure| asker.refuse(failure);
    let (behind, query) = (query.get(BEHIND).map(str::to_owned), query.without(&[BEHIND]));
    let wrong = |error: &str| refuse(Failure::Wrong(error.to_owned()));
    match listing {
        Listing::Sessions => {
            let options: Sessions = query.options().map_err(refuse)?;
            let behind = behind.map(|text| text.parse::<ToldSessions>()).transpose().map_err(wrong)?;
            web.kept(asker, key, move |store| {
                page_of(store, ("sessions", Sessions::COLUMNS), |store, calendar| {
                    answers::next_sessions(store, calendar, &options, &sight, behind, MOST)
                })
            })
            .await
        }
        Listing::History => {
            let options: History = query.options().map_err(refuse)?;
            let behind = behind.map(|text| text.parse::<Told>()).transpose().map_err(wrong)?;
            web.kept(asker, key, move |store| {
                page_of(store, ("history", History::COLUMNS), |store, calendar| {
                    answers::latest_history(store, calendar, &options, &sight, behind, MOST)
                })
            })
            .await
        }
    }
}

/// The rows that `list` reads in one transaction with the calendar, and what it says of where the next ones begin.
fn page_of<N: ToString>(
    store: &mut Store,
    (name, columns): (&'static str, &[Column]),
    list: impl FnOnce(&mut Store, &Calendar) -> anyhow::Result<(Vec<Vec<Cell>>, Option<N>)>,
) -> anyhow::Result<Listed> {
    store.in_one_transaction(|store| {
        let calendar = store.calendar()?;
        let (rows, next) = list(store, &calendar)?;
        let report = Report { name, columns: columns.to_vec(), rows, notes: Vec::new() };
        Ok((report, calendar, next.map(|told| told.to_string())))
    })
}
