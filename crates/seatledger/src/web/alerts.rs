//! Alerts: what is raised now, and what was lately.

use super::Web;
use super::asker::{Asker, Refusal};
use super::fields::{figure, instant};
use crate::alerts::{EXAMPLE_RULE, Words};
use crate::answers::Sight;
use crate::clock;
use crate::gate::Failure;
use crate::texts::Texts;
use accounting::UnixMs;
use accounting::alert::Phase;
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::sync::Arc;
use store::Store;

const PATH: &str = "/alerts";
/// For how long an alert that is over is shown, in milliseconds: 30 days.
const LATELY: i64 = 30 * 86_400_000;

/// An alert in words.
struct Told {
    rule: String,
    when: &'static str,
    about: String,
    /// What was seen.
    seen: String,
    from: UnixMs,
    /// None of what is raised now.
    until: Option<UnixMs>,
    /// Whether it holds, but not for long enough yet to be told.
    is_pending: bool,
}

pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    if asker.sight != Sight::Everything {
        let refused = "alerts cannot be shown for one organization".to_owned();
        return Err(asker.refuse(Failure::Forbidden(refused)));
    }
    let texts = asker.texts();
    let (alerts, zone) = web.ask(&asker, move |store| told(store, texts)).await?;
    let (now, past): (Vec<Told>, Vec<Told>) = alerts.into_iter().partition(|alert| alert.until.is_none());
    let title = texts.say("alerts");
    let raised = now.iter().filter(|alert| !alert.is_pending).count() as i64;
    let body = html! {
        header.head { h1 { (title) } }
        ul.headline {
            li data-state=[(raised > 0).then_some("full")] {
                strong { (figure("alerts-raised", raised)) } " " span { (texts.say("alerts.raised")) }
            }
            li { strong { (figure("alerts-past", past.len() as i64)) } " " span { (texts.say("alerts.past")) } }
        }
        @if now.is_empty() && past.is_empty() {
            p.definition { (texts.say("alerts.none")) }
            pre { code { (EXAMPLE_RULE) } }
        }
        (part(&asker, &now, &zone, texts.say("alerts.now")))
        (part(&asker, &past, &zone, texts.say("alerts.before")))
    };
    Ok(asker.page(PATH, title, &body))
}

/// What is raised, or about to be, and what was lately.
fn told(store: &mut Store, texts: &Texts) -> anyhow::Result<(Vec<Told>, TimeZone)> {
    let zone = store.calendar()?.zone().clone();
    let names = store.read(|reader| Ok(reader.names()))?;
    let words = Words::new(names, zone.clone(), None);
    let mut found = Vec::new();
    for alert in store.alerts()? {
        let (from, is_pending) = match alert.state.phase {
            Phase::Pending => (alert.state.since, true),
            Phase::Raised { at, .. } => (at, false),
            Phase::Cleared { .. } => continue,
        };
        let (when, about) = (alert.when.as_str(), words.label_with(&alert.subject, texts.say("alerts.on")));
        let seen = texts.alert(&words, &alert.subject, &alert.state.figures, alert.state.since);
        found.push(Told { rule: alert.rule, when, about, seen, from, until: None, is_pending });
    }
    for past in store.past_alerts(clock::now() - LATELY)? {
        let (when, about) = (past.when.as_str(), words.label_with(&past.subject, texts.say("alerts.on")));
        let seen = texts.alert(&words, &past.subject, &past.figures, past.raised_at);
        let until = Some(past.cleared_at);
        found.push(Told {
            rule: past.rule,
            when,
            about,
            seen,
            from: past.raised_at,
            until,
            is_pending: false,
        });
    }
    Ok((found, zone))
}

fn part(asker: &Asker, alerts: &[Told], zone: &TimeZone, title: &str) -> Markup {
    let texts = asker.texts();
    html! {
        @if !alerts.is_empty() {
            section {
                h2 { (title) }
                div.scroll tabindex="0" role="region" aria-label=(title) {
                    table.sheet {
                        thead {
                            tr {
                                th scope="col" { (texts.say("alerts.about")) }
                                th scope="col" { (texts.say("alerts.seen")) }
                                th scope="col" { (texts.say("alerts.rule")) }
                                th scope="col" { (texts.say("from")) }
                                th scope="col" { (texts.say("alerts.until")) }
                            }
                        }
                        tbody {
                            @for alert in alerts {
                                tr {
                                    th scope="row" { (alert.about) }
                                    td { p { (alert.seen) } }
                                    td { (alert.rule) small { " " (alert.when) } }
                                    td { (instant(alert.from, zone)) }
                                    td {
                                        @match alert.until {
                                            Some(until) => (instant(until, zone)),
                                            None => span.state data-short=(if alert.is_pending { "nearly" } else { "full" }) {
                                                (if alert.is_pending { texts.say("alerts.pending") } else { texts.say("alerts.raised") })
                                            },
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
