//! Every report with its options, its definition in words, and its downloads.

use super::Web;
use super::asker::{Asker, Refusal};
use super::fields::whole;
use super::further::Further;
use super::period_bar::Bar;
use super::query::{BEHIND, Period, Query};
use super::table::Shown;
use crate::answers::{self, Answer, Name, Options, Sight};
use crate::clock;
use crate::gate::Failure;
use crate::render;
use accounting::report::{Cell, Report};
use axum::extract::{Path, Request, State};
use axum::response::Response;
use clap::ValueEnum as _;
use maud::{Markup, html};
use std::ops::Range;
use std::sync::Arc;
use store::Store;

const PATH: &str = "/reports";
/// The most rows that a page shows; a link leads to the next ones.
const MOST: usize = 100;
/// The most rows that a browser sorts, when it has fetched all of them.
const SORTED: usize = 500;
/// What all reports but a few can be narrowed by.
const FILTERS: [&str; 5] = ["feature", "server", "person", "organization", "days"];

/// A report's page: its name, what it can be asked besides the period, and whether it has one.
struct Kind {
    name: &'static str,
    fields: &'static [&'static str],
    has_period: bool,
    has_classes: bool,
}

const fn kind(name: &'static str, fields: &'static [&'static str]) -> Kind {
    Kind { name, fields, has_period: true, has_classes: true }
}

/// The reports, in the order in which people ask for them.
const KINDS: [Kind; 14] = [
    kind("usage", &["by"]),
    kind("utilization", &["by", "hours-per-day", "days-per-month"]),
    kind("concurrency", &["by", "step"]),
    kind("levels", &["by"]),
    kind("seats-needed", &["by"]),
    kind("heatmap", &["by"]),
    kind("denials", &["by"]),
    kind("overnight", &[]),
    kind("allocation", &["by", "cost", "currency", "share"]),
    kind("ranking", &["by"]),
    kind("average-licenses", &["by", "hours-per-day", "days-per-month"]),
    kind("idle", &["idle-days"]),
    Kind { name: "expiry", fields: &["within", "feature", "server"], has_period: false, has_classes: false },
    Kind { name: "coverage", fields: &["server"], has_period: true, has_classes: false },
];

/// All reports.
pub(super) async fn list(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let texts = asker.texts();
    let shown =
        |kind: &&Kind| asker.sight == Sight::Everything || !matches!(kind.name, "expiry" | "coverage");
    let body = html! {
        header.head { h1 { (texts.say("reports")) } }
        ul.reports {
            @for kind in KINDS.iter().filter(shown) {
                li {
                    a href=(asker.view.to(&format!("{PATH}/{}", kind.name))) { (title(&asker, kind.name)) }
                    p.soft { (texts.definition(kind.name)) }
                }
            }
        }
    };
    Ok(asker.page(PATH, texts.say("reports"), &body))
}

/// What a report is called by people.
fn title(asker: &Asker, name: &str) -> String {
    asker.texts().column(&name.replace('-', "_"))
}

/// One report.
pub(super) async fn page(
    State(web): State<Arc<Web>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let known = KINDS.iter().find(|kind| kind.name == name).zip(Name::from_str(&name, false).ok());
    let Some((kind, report)) = known else {
        let missing = Failure::Missing(format!("no report `{name}`: the page Reports shows all"));
        return Err(asker.refuse(missing));
    };
    let query = Query::of(&request);
    let told = query.get(BEHIND).map(str::parse::<Further>).transpose();
    let told = told.map_err(|error| asker.refuse(Failure::Wrong(error.to_owned())))?;
    let query = query.without(&[BEHIND]);
    let Some(period) = web.period(&asker, &query).await? else { return Ok(asker.nothing_yet(PATH)) };
    let question = if kind.has_period { period.set(&query) } else { query.without(&["from", "until"]) };
    let answer = web.answer(&asker, report, &question).await?;
    let place = told.map_or(Some(0), |told| told.place_in(&answer.report));
    let behind = place.unwrap_or(0);
    let path = format!("{PATH}/{name}");
    let classes: Vec<String> = match kind.has_classes && name != "idle" {
        true => answer.calendar.classes().iter().map(|class| class.name.clone()).collect(),
        false => Vec::new(),
    };
    let mut fields: Vec<&str> = kind.fields.to_vec();
    if kind.has_classes {
        let takes_days = name != "average-licenses";
        fields.extend(FILTERS.iter().filter(|field| takes_days || **field != "days"));
    }
    if asker.sight != Sight::Everything {
        fields.retain(|field| *field != "server");
    }
    let bar = Bar {
        asker: &asker,
        path: &path,
        query: &query,
        period: &period,
        fields: &fields,
        classes: &classes,
        has_period: kind.has_period,
    };
    let texts = asker.texts();
    let title = title(&asker, &name);
    let body = html! {
        header.head {
            h1 { (title) }
            @if kind.has_period { p.soft { (period_text(&period)) } }
        }
        p.definition { (texts.definition(&name)) }
        (bar.markup())
        @if place.is_none() { (begun_anew(&asker, &query.behind(&path))) }
        (table(&asker, &answer, &question, &title, behind..behind.saturating_add(MOST), SORTED))
        (more(&asker, &path, &query, (behind, &answer.report)))
        (downloads(&asker, &name, &question, answer.report.rows.len()))
        (super::notes(&asker, &answer.report.notes, answer.calendar.zone()))
    };
    Ok(asker.page(PATH, &title, &body))
}

/// A period as people read it, with its last day.
pub(super) fn period_text(period: &Period) -> Markup {
    html! { (period.from) " – " (period.until.previous()) }
}

/// Says that other rows stand where a link led: the report was computed anew since the page with the link, and stands here from
/// its start. A script says the same where it would have put further rows.
fn begun_anew(asker: &Asker, start: &str) -> Markup {
    html! {
        p.anew role="status" data-anew {
            (asker.texts().say("listing.anew")) " "
            a href=(asker.view.to(start)) { (asker.texts().say("listing.first")) }
        }
    }
}

/// The ways to the rows of a report that are not on this page.
fn more(asker: &Asker, path: &str, query: &Query, (behind, report): (usize, &Report)) -> Markup {
    let next = behind.saturating_add(MOST);
    let further = (next < report.rows.len()).then(|| Further::behind(report, next).to_string());
    html! {
        @if behind > 0 || further.is_some() {
            p.more-of {
                @if behind > 0 { a href=(asker.view.to(&query.behind(path))) { (asker.texts().say("listing.first")) } }
                @if let Some(further) = further {
                    a data-more href=(asker.view.to(&query.with(BEHIND, Some(&further)).behind(path))) { (asker.texts().say("listing.more")) }
                }
            }
        }
    }
}

/// Rows of a report as a table, which a browser sorts where there are at most `sorted`, here or behind a link to more. Many columns
/// of coverage tell of live sources alone: those that say nothing take no room.
pub(super) fn table(
    asker: &Asker,
    answer: &Answer,
    query: &Query,
    caption: &str,
    rows: Range<usize>,
    sorted: usize,
) -> Markup {
    let report = &answer.report;
    let says_nothing = |nth: usize| report.rows.iter().all(|row| row.get(nth) == Some(&Cell::Empty));
    let names = report.columns.iter().map(|column| column.name).enumerate();
    let without: Vec<&str> = names
        .filter(|(nth, _)| report.name == "coverage" && !report.rows.is_empty() && says_nothing(*nth))
        .map(|(_, name)| name)
        .collect();
    let sorts = rows.start == 0 && report.rows.len() <= sorted;
    let shown = Shown {
        view: &asker.view,
        zone: answer.calendar.zone(),
        rows,
        caption,
        query,
        without: &without,
        sorts,
        bars: render::bar_column(report.name),
    };
    shown.table(report)
}

/// Where all rows of a report are, as files.
pub(super) fn downloads(asker: &Asker, name: &str, query: &Query, rows: usize) -> Markup {
    html! {
        p.downloads {
            span.soft { (whole(rows as i64)) " " (asker.texts().say("rows")) }
            (links(asker, &format!("/api/v1/reports/{name}"), name, query))
        }
    }
}

/// The links to the files in which all rows are; those that say something in words say it in the page's language.
pub(super) fn links(asker: &Asker, path: &str, name: &str, query: &Query) -> Markup {
    let to = |format: &str, language: Option<&str>| {
        let question = query.with("format", Some(format)).with("language", language);
        asker.view.to(&question.behind(path))
    };
    let own = Some(asker.texts().language);
    html! {
        @for (format, title, language) in
            [("csv", "CSV", None), ("json", "JSON", None), ("xlsx", "XLSX", own), ("html", "HTML", own)]
        {
            a href=(to(format, language)) download={ (name) "." (format) } { (title) }
        }
    }
}

impl Web {
    /// The answer to a question of a page.
    pub(super) async fn answer(
        &self,
        asker: &Asker,
        name: Name,
        query: &Query,
    ) -> Result<Arc<Answer>, Refusal> {
        let options: Options = query.options().map_err(|failure| asker.refuse(failure))?;
        let sight = asker.sight.clone();
        let question = query.behind(&format!("{name:?} "));
        let work = move |store: &mut Store| answers::answer(store, name, &options, &sight, clock::today);
        self.kept(asker, question, work).await
    }

    /// The answers to one question by several keys, most of a column first.
    pub(super) async fn answers_by(
        &self,
        asker: &Asker,
        (report, several): (&str, Several),
        query: &Query,
        by: &'static [&'static str],
        column: &'static str,
    ) -> Result<Arc<Vec<Answer>>, Refusal> {
        let options: Options = query.options().map_err(|failure| asker.refuse(failure))?;
        let sight = asker.sight.clone();
        let question = query.behind(&format!("{report} {by:?} "));
        let work = move |store: &mut Store| {
            let mut answers = several(store, &options, by, &sight)?;
            for answer in &mut answers {
                most_first(&mut answer.report, column);
            }
            Ok(answers)
        };
        self.kept(asker, question, work).await
    }
}

/// Answers of one report by several keys.
pub(super) type Several = fn(&mut Store, &Options, &[&str], &Sight) -> anyhow::Result<Vec<Answer>>;

/// Most of a column first.
fn most_first(report: &mut Report, column: &str) {
    let nth = report.columns.iter().position(|known| known.name == column);
    let of = |row: &Vec<Cell>| match nth.and_then(|nth| row.get(nth)) {
        Some(Cell::Int(number)) => *number as f64,
        Some(Cell::Decimal(number)) => *number,
        _ => 0.0,
    };
    report.rows.sort_by(|one, other| of(other).total_cmp(&of(one)));
}
