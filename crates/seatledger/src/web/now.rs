//! The first page: which features are short, who holds what since when, what was denied lately.

use super::asker::{Asker, Refusal};
use super::fields::{figure, instant, length, near, whole};
use super::marks::{bar, spark, word};
use super::query::encoded;
use super::table::breakable;
use super::{LiveSource, Web, layout};
use crate::answers::{FeatureNow, Hold, Now, Shortness};
use accounting::UnixMs;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What of the page is asked for.
#[derive(Debug, Default)]
struct Wanted {
    /// What the features, persons or hosts have in their names.
    filter: String,
    /// The features of which the holders are shown.
    open: Vec<String>,
}

impl Wanted {
    fn of(request: &Request) -> Self {
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let mut wanted = Self::default();
        for (name, value) in query.map(|query| query.0).unwrap_or_default() {
            match name.as_str() {
                "q" => wanted.filter = value.trim().to_lowercase(),
                "open" => wanted.open.push(value),
                _ => {}
            }
        }
        wanted
    }

    fn is_open(&self, feature: &FeatureNow) -> bool {
        self.open.contains(&feature.feature)
    }

    /// The address of the page with the holders of this feature shown, or hidden where they are.
    fn toggled(&self, feature: &FeatureNow) -> String {
        let mut pairs = Vec::new();
        if !self.filter.is_empty() {
            pairs.push(format!("q={}", encoded(&self.filter)));
        }
        let mut open: Vec<&String> = self.open.iter().filter(|open| **open != feature.feature).collect();
        if !self.is_open(feature) {
            open.push(&feature.feature);
        }
        pairs.extend(open.into_iter().map(|open| format!("open={}", encoded(open))));
        if pairs.is_empty() { "/".to_owned() } else { format!("/?{}", pairs.join("&")) }
    }
}

pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let now = web.how_it_is_now(&asker).await?;
    let wanted = Wanted::of(&request);
    let body = html! {
        h1.hidden { (asker.texts().now.title) }
        @match now.as_of {
            None => (layout::nothing_yet(asker.texts())),
            Some(as_of) => (Shown { asker: &asker, now: &now, as_of, wanted: &wanted, sources: &web.live_sources(&now) }.body()),
        }
    };
    Ok(asker.page("/", asker.texts().now.title, &body))
}

/// What the page shows, and to whom.
struct Shown<'a> {
    asker: &'a Asker,
    now: &'a Now,
    as_of: UnixMs,
    wanted: &'a Wanted,
    /// Those that are taken in live.
    sources: &'a [LiveSource],
}

impl Shown<'_> {
    fn body(&self) -> Markup {
        let texts = &self.asker.texts().now;
        html! {
            div data-live="now" {
                (self.headline())
                div.toolbar {
                    form.filter method="get" action=(self.asker.view.to("/")) role="search" {
                        label.hidden for="filter" { (texts.filter) }
                        input #filter type="search" name="q" value=(self.wanted.filter) placeholder=(texts.filter_hint)
                            autocomplete="off" data-filter="#now";
                    }
                    p.as-of title=(texts.as_of_means) data-key="as-of" {
                        (texts.as_of) " " (instant(self.as_of, self.now.calendar.zone()))
                    }
                }
                (self.table())
            }
        }
    }

    /// The figures that say how it is, before any table.
    fn headline(&self) -> Markup {
        let texts = &self.asker.texts().now;
        let seats: i64 = self.now.features.iter().map(|feature| feature.seats_in_use).sum();
        let full =
            self.now.features.iter().filter(|feature| feature.shortness() == Shortness::Full).count() as i64;
        let denied: i64 = self.now.features.iter().map(|feature| feature.denials).sum();
        let tile = |name: &str, number: i64, word: &str, means: &str, state: Option<&str>| {
            html! { li title=(means) data-state=[state] { strong { (figure(name, number)) } " " span { (word) } } }
        };
        html! {
            ul.headline {
                (tile("seats-in-use", seats, texts.seats_in_use, texts.seats_in_use_means, None))
                (tile("open-sessions", self.now.open_sessions() as i64, texts.open_sessions, texts.open_sessions_means, None))
                (tile("features-full", full, texts.features_full, texts.features_full_means, (full > 0).then_some("full")))
                (tile("denials-last-day", denied, texts.denied, texts.denied_means, (denied > 0).then_some("nearly")))
                (tile("held-overnight", self.now.held_overnight() as i64, texts.overnight, texts.overnight_means, None))
                @if !self.now.servers.is_empty() { li data-state=[self.silent().next().map(|_| "full")] { (self.servers()) } }
            }
        }
    }

    /// The sources with which something is wrong: what they would tell is unknown, which is not the same as none.
    fn silent(&self) -> impl Iterator<Item = &LiveSource> {
        self.sources.iter().filter(|source| !source.is_up)
    }

    /// The license servers, and the sources with which something is wrong.
    fn servers(&self) -> Markup {
        let texts = &self.asker.texts().now;
        let near = |at| near(&self.asker.view, at, self.as_of, &self.now.calendar);
        html! {
            details.servers {
                summary {
                    @match self.silent().count() {
                        0 => { strong { (figure("license-servers", self.now.servers.len() as i64)) } " " span { (texts.servers) } },
                        silent => { strong { (figure("sources-silent", silent as i64)) } " " span { (self.asker.texts().say("sources.silent")) } },
                    }
                }
                ul {
                    @for source in self.silent() {
                        li {
                            b { (source.name) } " " (self.asker.texts().value("state", &source.state)) " " (source.trouble.as_deref().unwrap_or_default())
                            @if let Some(at) = source.silent_since { (self.asker.texts().say("sources.not_heard")) " " (near(at)) }
                        }
                    }
                    @for server in &self.now.servers {
                        li {
                            b { (server.server) } " "
                            @match server.heard_at {
                                Some(at) => { (texts.heard) " " (near(at)) },
                                None => (texts.never_heard),
                            }
                        }
                    }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        let texts = &self.asker.texts().now;
        let shows_seats = !self.now.servers.is_empty();
        let wanted = |feature: &&FeatureNow| {
            self.wanted.filter.is_empty() || searched(feature).contains(&self.wanted.filter)
        };
        let features: Vec<&FeatureNow> = self.now.features.iter().filter(wanted).collect();
        html! {
            table.now #now {
                caption.hidden { (texts.caption) }
                thead {
                    tr {
                        th scope="col" { (texts.feature) }
                        th.in-use scope="col" { (texts.in_use) }
                        th.last-day scope="col" { (texts.last_day) }
                        @if shows_seats {
                            th.number.wide scope="col" { (texts.reserved) }
                            th.number.wide scope="col" { (texts.queued) }
                        }
                        th.number scope="col" { (texts.denied_column) }
                        th.how scope="col" { (texts.state) }
                    }
                }
                @for feature in &features { (self.feature(feature, shows_seats)) }
                @if features.is_empty() { tbody { tr { td colspan="7" { (texts.nothing_matches) } } } }
            }
        }
    }

    fn feature(&self, feature: &FeatureNow, shows_seats: bool) -> Markup {
        let texts = &self.asker.texts().now;
        let peaks: Vec<Option<f64>> = feature.peaks.iter().map(|peak| peak.map(|peak| peak as f64)).collect();
        let said = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), whole);
        html! {
            tbody data-key=(feature.feature) data-search=(searched(feature)) {
                tr.feature data-open=[self.wanted.is_open(feature).then_some("")] {
                    th scope="row" {
                        a.code href=(self.asker.view.to(&format!("/feature?code={}", encoded(&feature.feature)))) { (breakable(&feature.feature)) }
                        small { (feature.product.as_deref().unwrap_or_default()) " " span.wide { (feature.servers.join(", ")) } }
                    }
                    td.in-use {
                        @if let Some(share) = feature.share() { (bar(share, feature.shortness())) }
                        span.of {
                            b { (whole(feature.seats_in_use)) }
                            @if let Some(issued) = feature.seats_issued { " / " (whole(issued)) }
                        }
                    }
                    td.last-day { (spark(&peaks, feature.seats_issued.unwrap_or(0) as f64, texts.spark)) }
                    @if shows_seats {
                        td.number.wide { (said(feature.seats_reserved)) }
                        td.number.wide { (said(feature.seats_queued)) }
                    }
                    td.number { (whole(feature.denials)) }
                    td { (self.state(feature)) }
                }
                @if self.wanted.is_open(feature) {
                    tr.holds { td colspan=(if shows_seats { "7" } else { "5" }) { (self.holds(feature)) } }
                }
            }
        }
    }

    /// The state in words, and the way to who holds seats.
    fn state(&self, feature: &FeatureNow) -> Markup {
        let texts = &self.asker.texts().now;
        let shortness = feature.shortness();
        let holders = feature.holds.iter().map(|hold| &hold.person).collect::<BTreeSet<_>>().len() as i64;
        let free = feature.seats_issued.map(|issued| (issued - feature.seats_in_use).max(0));
        html! {
            span.state data-short=(word(shortness)) {
                @match (shortness, feature.full_since(), free) {
                    (Shortness::Full, Some(since), _) => {
                        (texts.full_since) " " (near(&self.asker.view, since, self.as_of, &self.now.calendar))
                    },
                    (Shortness::Full, None, _) => (texts.full),
                    (Shortness::Nearly, _, Some(free)) => { (texts.nearly) ", " (whole(free)) " " (texts.free) },
                    (_, _, Some(free)) => { (whole(free)) " " (texts.free) },
                    (_, _, None) => (texts.uncounted),
                }
            }
            @if !feature.holds.is_empty() {
                " "
                a.more href=(self.asker.view.to(&self.wanted.toggled(feature))) data-swap
                    aria-expanded=(self.wanted.is_open(feature)) aria-label={ (texts.held_by) " " (holders) ": " (feature.feature) } {
                    (texts.held_by) " " (whole(holders))
                }
            }
        }
    }

    fn holds(&self, feature: &FeatureNow) -> Markup {
        let texts = &self.asker.texts().now;
        let midnight = self.now.midnight().unwrap_or(UnixMs::MIN);
        let mut holds: Vec<&Hold> = feature.holds.iter().collect();
        holds.sort_by_key(|hold| hold.from);
        html! {
            table.list {
                caption.hidden { (texts.held_by) ": " (feature.feature) }
                thead {
                    tr {
                        th scope="col" { (texts.person) }
                        th scope="col" { (texts.host) }
                        th.number scope="col" { (texts.seats) }
                        th scope="col" { (texts.since) }
                        th.number scope="col" { (texts.held) }
                        th.wide scope="col" { (texts.version) }
                        th.wide scope="col" { (self.asker.texts().column("server")) }
                        th.wide scope="col" { (texts.project) }
                    }
                }
                tbody {
                    @for hold in holds {
                        tr {
                            td title=(hold.person) { (hold.user) }
                            td { (breakable(&hold.host)) }
                            td.number { (whole(hold.seats)) }
                            td { (near(&self.asker.view, hold.from, self.as_of, &self.now.calendar)) }
                            td.number {
                                (length(self.as_of - hold.from))
                                @if hold.from < midnight { " " span.note { (texts.all_night) } }
                            }
                            td.wide { @if hold.version.is_empty() { "–" } @else { (hold.version) } }
                            td.wide { (hold.server) }
                            td.wide { (hold.project.as_deref().or(hold.organization.as_deref()).unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

/// What a filter looks into.
fn searched(feature: &FeatureNow) -> String {
    let mut text = format!("{} {}", feature.feature, feature.product.as_deref().unwrap_or_default());
    for hold in &feature.holds {
        text.push_str(&format!(" {} {}", hold.user, hold.host));
    }
    text.to_lowercase()
}
