//! License servers and sources: what is watched, since when, and what was not understood.

use super::Web;
use super::asker::{Asker, Refusal};
use super::fields::{near, whole};
use super::period_bar::Bar;
use super::query::Query;
use super::reports::{downloads, table};
use crate::answers::{self, Name, Now, Sight};
use crate::gate::Failure;
use accounting::UnixMs;
use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};
use std::sync::Arc;
use store::sources::SourceTellings;

const PATH: &str = "/servers";
/// The most rows of coverage, and of shapes of lines that were not understood.
const MOST: usize = 100;

/// A source that is taken in live, as the service tells of it, or a site.
#[derive(Debug, Clone)]
pub(crate) struct LiveSource {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) what: String,
    /// Whether all is well with it.
    pub(crate) is_up: bool,
    /// Its state in a word, and what is wrong.
    pub(crate) state: String,
    pub(crate) trouble: Option<String>,
    /// Since when nothing was heard of its site, where that is long.
    pub(crate) silent_since: Option<UnixMs>,
    pub(crate) last_event_at: Option<UnixMs>,
    pub(crate) lines: u64,
    pub(crate) unrecognized: u64,
}

pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    if asker.sight != Sight::Everything {
        let refused = "license servers cannot be shown for one organization".to_owned();
        return Err(asker.refuse(Failure::Forbidden(refused)));
    }
    let query = Query::of(&request);
    let now = web.how_it_is_now(&asker).await?;
    let Some(period) = web.period(&asker, &query).await? else { return Ok(asker.nothing_yet(PATH)) };
    let question = period.set(&query);
    let coverage = web.answer(&asker, Name::Coverage, &question).await?;
    let unrecognized = web.kept(&asker, "unrecognized".to_owned(), answers::unrecognized).await?;
    let texts = asker.texts();
    let title = texts.say("servers");
    let bar = Bar {
        asker: &asker,
        path: PATH,
        query: &query,
        period: &period,
        fields: &["server"],
        classes: &[],
        has_period: true,
    };
    let body = html! {
        header.head { h1 { (title) } }
        (live(&asker, &web.live_sources(&now), &now))
        (license_servers(&asker, &now))
        section {
            h2 { (texts.say("servers.coverage")) }
            p.definition { (texts.definition("coverage")) }
            (bar.markup())
            (table(&asker, &coverage, &question, texts.say("servers.coverage"), 0..MOST, MOST))
            (downloads(&asker, "coverage", &question, coverage.report.rows.len()))
            (super::notes(&asker, &coverage.report.notes, coverage.calendar.zone()))
        }
        (not_understood(&asker, &unrecognized))
    };
    Ok(asker.page(PATH, title, &body))
}

impl Web {
    /// The sources of this service, and behind them those of which sites tell.
    pub(super) fn live_sources(&self, now: &Now) -> Vec<LiveSource> {
        let of_sites = now.of_sites.iter().map(|(source, is_silent)| of_site(source, *is_silent));
        (self.sources)().into_iter().chain(of_sites).collect()
    }
}

fn of_site(source: &SourceTellings, is_silent: bool) -> LiveSource {
    let told = &source.told;
    let trouble = match (&told.why, &told.remedy) {
        (Some(why), Some(remedy)) => Some(format!("{why}: {remedy}")),
        (why, _) => why.clone(),
    };
    LiveSource {
        name: source.called(),
        kind: told.kind.clone(),
        what: told.what.clone(),
        is_up: !is_silent && !matches!(told.state.as_str(), "down" | "stopped"),
        state: if is_silent { "silent".to_owned() } else { told.state.clone() },
        trouble: trouble.filter(|_| !is_silent),
        silent_since: is_silent.then_some(source.told_at),
        last_event_at: told.last_event_at,
        lines: told.lines.iter().fold(0, |sum, lines| sum.saturating_add(*lines)),
        unrecognized: told.lines[3],
    }
}

/// The sources that the configuration names, and how they are.
fn live(asker: &Asker, sources: &[LiveSource], now: &Now) -> Markup {
    let texts = asker.texts();
    let as_of = now.as_of.unwrap_or_default();
    html! {
        section {
            h2 { (texts.say("servers.sources")) }
            @if sources.is_empty() {
                p.definition { (texts.say("servers.no_sources")) }
                pre { code { "[[source]]\nkind = \"follow\"\npath = \"/var/log/flexlm/debug.log\"" } }
            } @else {
                div.scroll tabindex="0" role="region" aria-label=(texts.say("servers.sources")) {
                    table.sheet {
                        thead {
                            tr {
                                th scope="col" { (texts.column("source")) }
                                th scope="col" { (texts.column("state")) }
                                th scope="col" { (texts.say("servers.last_event")) }
                                th.number scope="col" { (texts.column("lines")) }
                                th.number scope="col" { (texts.column("unrecognized")) }
                            }
                        }
                        tbody {
                            @for source in sources {
                                tr {
                                    th scope="row" {
                                        (source.name)
                                        @let means = format!("{} {}", source.kind, source.what);
                                        @if means != source.name { small { " " (means) } }
                                    }
                                    td {
                                        span.state data-short=(if source.is_up { "fine" } else { "full" }) { (texts.value("state", &source.state)) }
                                        @if let Some(trouble) = &source.trouble { p.soft { (trouble) } }
                                        @if let Some(at) = source.silent_since {
                                            p.soft { (texts.say("sources.not_heard")) " " (near(&asker.view, at, as_of, &now.calendar)) }
                                        }
                                    }
                                    td { @match source.last_event_at {
                                        Some(at) => (near(&asker.view, at, as_of, &now.calendar)),
                                        None => "–",
                                    } }
                                    td.number { (whole(source.lines as i64)) }
                                    td.number { (whole(source.unrecognized as i64)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn license_servers(asker: &Asker, now: &Now) -> Markup {
    let texts = asker.texts();
    let as_of = now.as_of.unwrap_or_default();
    let seats = |server: &str| -> (usize, usize) {
        let of = now.features.iter().filter(|feature| feature.servers.iter().any(|name| name == server));
        (
            of.clone().count(),
            of.flat_map(|feature| &feature.holds).filter(|hold| hold.server == server).count(),
        )
    };
    html! {
        section {
            h2 { (texts.say("servers")) }
            div.scroll tabindex="0" role="region" aria-label=(texts.say("servers")) {
                table.sheet {
                    thead {
                        tr {
                            th scope="col" { (texts.column("server")) }
                            th.number scope="col" { (texts.say("features")) }
                            th.number scope="col" { (texts.now.open_sessions) }
                            th scope="col" { (texts.now.heard) }
                        }
                    }
                    tbody {
                        @for server in &now.servers {
                            @let (features, open) = seats(&server.server);
                            tr {
                                th scope="row" { (server.server) }
                                td.number { (whole(features as i64)) }
                                td.number { (whole(open as i64)) }
                                td { @match server.heard_at {
                                    Some(at) => (near(&asker.view, at, as_of, &now.calendar)),
                                    None => (texts.now.never_heard),
                                } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Lines that no format knew, by their shape.
fn not_understood(asker: &Asker, rows: &[(String, store::UnrecognizedRow)]) -> Markup {
    let texts = asker.texts();
    html! {
        section {
            h2 { (texts.say("servers.unrecognized")) }
            @if rows.is_empty() { p.soft { (texts.say("servers.all_understood")) } } @else {
                div.scroll tabindex="0" role="region" aria-label=(texts.say("servers.unrecognized")) {
                    table.sheet {
                        thead {
                            tr {
                                th scope="col" { (texts.column("source")) }
                                th.number scope="col" { (texts.column("lines")) }
                                th scope="col" { (texts.say("servers.sample")) }
                                th scope="col" { (texts.column("reason")) }
                            }
                        }
                        tbody {
                            @for (input, row) in rows.iter().take(MOST) {
                                tr {
                                    td { (super::table::breakable(input)) }
                                    td.number { (whole(row.lines as i64)) }
                                    td { code { (row.sample) } small { " " (texts.say("servers.line")) " " (whole(row.first_line as i64)) } }
                                    td { (row.reason) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
