//! All features: how much of each was used in a period.

use super::Web;
use super::asker::{Asker, Refusal};
use super::fields::{cell_text, whole};
use super::marks::spark;
use super::period_bar::Bar;
use super::query::{Period, Query, encoded};
use super::rows::{Row, Rows};
use super::table::breakable;
use crate::answers::{self, FeatureIs, Name, Options, Sight, WholePeriod};
use crate::clock;
use accounting::report::concurrency::Step;
use accounting::report::{Cell, Report, decimal};
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rustc_hash::FxHashMap;
use std::sync::Arc;

const PATH: &str = "/features";
/// The columns of figures, of the report `utilization` over the period.
const FIGURES: [&str; 5] =
    ["seats_issued", "seats_peak", "seats_average", "utilization_percent", "full_percent"];

pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let query = Query::of(&request);
    let Some(period) = web.period(&asker, &query).await? else {
        return Ok(asker.nothing_yet(PATH));
    };
    let question = period.set(&query).without(&["sort", "q"]);
    let options: Options = question.options().map_err(|failure| asker.refuse(failure))?;
    let expiring: Option<Options> =
        (asker.sight == Sight::Everything).then(|| Query::default().options()).and_then(Result::ok);
    let sight = asker.sight.clone();
    let key = question.behind("features");
    let kept = web
        .kept(&asker, key, move |store| {
            answers::in_one_state(store, &options, &sight, |store| {
                let whole = answers::whole_period(store, &options, Step::Day, &sight)?;
                let expiry = expiring
                    .map(|options| answers::answer(store, Name::Expiry, &options, &sight, clock::today));
                Ok((whole, expiry.transpose()?))
            })
        })
        .await?;
    let (WholePeriod { report: usage, steps: daily, features, calendar }, expiry) = &*kept;
    let page = Page {
        asker: &asker,
        query: &query,
        period: &period,
        zone: calendar.zone(),
        features,
        days: days(daily),
        expiry: expiry.as_ref().map(|answer| first_expiry(&answer.report)).unwrap_or_default(),
    };
    let classes: Vec<String> = calendar.classes().iter().map(|class| class.name.clone()).collect();
    let mut rows: Vec<Row<'_>> = Rows(usage).iter().collect();
    rows.sort_by(|one, other| page.what_hurts(*one, *other));
    let texts = asker.texts();
    let title = texts.say("features");
    let bar = Bar {
        asker: &asker,
        path: PATH,
        query: &query,
        period: &period,
        fields: &["server", "organization"],
        classes: &classes,
        has_period: true,
    };
    let body = html! {
        header.head {
            h1 { (title) }
            p.soft { (whole(rows.len() as i64)) " " (texts.say("features")) ", " (period.from) " – " (period.until.previous()) }
        }
        (bar.markup())
        div.toolbar {
            div.filter {
                label.hidden for="filter" { (texts.now.filter) }
                input #filter type="search" placeholder=(texts.say("features.filter")) autocomplete="off" data-filter="#features";
            }
        }
        (page.table(&rows))
    };
    Ok(asker.page(PATH, title, &body))
}

/// What is known of a feature day by day.
#[derive(Debug, Default)]
struct Days {
    peaks: Vec<(i64, f64)>,
    denials: Option<i64>,
}

fn days(daily: &Report) -> FxHashMap<&str, Days> {
    let mut found: FxHashMap<&str, Days> = FxHashMap::default();
    for row in Rows(daily).iter() {
        let days = found.entry(row.text("feature")).or_default();
        if let (Some(from), Some(peak)) = (row.instant("from"), row.number("seats_peak")) {
            days.peaks.push((from, peak));
        }
        if let Some(denials) = row.int("denials") {
            *days.denials.get_or_insert(0) += denials;
        }
    }
    found
}

/// The first day on which seats of a feature expire, and how many days are left.
fn first_expiry(report: &Report) -> FxHashMap<String, (String, i64)> {
    let mut found: FxHashMap<String, (String, i64)> = FxHashMap::default();
    for row in Rows(report).iter() {
        let Some(left) = row.int("days_left") else { continue };
        let day = row.text("expires_on").to_owned();
        let first = found.entry(row.text("feature").to_owned()).or_insert_with(|| (day.clone(), left));
        if left < first.1 {
            *first = (day, left);
        }
    }
    found
}

struct Page<'a> {
    asker: &'a Asker,
    query: &'a Query,
    period: &'a Period,
    zone: &'a TimeZone,
    features: &'a FxHashMap<String, FeatureIs>,
    days: FxHashMap<&'a str, Days>,
    expiry: FxHashMap<String, (String, i64)>,
}

impl Page<'_> {
    fn denials(&self, feature: &str) -> Option<i64> {
        self.days.get(feature).and_then(|days| days.denials)
    }

    /// The longest full first, then by denials, use and peak.
    fn what_hurts(&self, one: Row<'_>, other: Row<'_>) -> std::cmp::Ordering {
        let of = |row: Row<'_>, name: &str| row.number(name).unwrap_or(-1.0);
        let denials = |row: Row<'_>| self.denials(row.text("feature")).unwrap_or_default();
        of(other, "full_percent")
            .total_cmp(&of(one, "full_percent"))
            .then(denials(other).cmp(&denials(one)))
            .then(of(other, "utilization_percent").total_cmp(&of(one, "utilization_percent")))
            .then(of(other, "seats_peak").total_cmp(&of(one, "seats_peak")))
            .then(one.text("feature").cmp(other.text("feature")))
    }

    fn table(&self, rows: &[Row<'_>]) -> Markup {
        let texts = self.asker.texts();
        html! {
            table.sheet.features #features data-sorts {
                caption.hidden { (texts.say("features")) }
                thead {
                    tr {
                        th scope="col" { (texts.column("feature")) }
                        th.last-day scope="col" data-unsorted { (texts.say("features.daily_peak")) }
                        @for name in FIGURES {
                            th.number.wide[!matches!(name, "seats_peak" | "utilization_percent")] scope="col" title=[texts.column_means(name)] { (texts.column(name)) }
                        }
                        th.number scope="col" title=[texts.column_means("denials")] { (texts.column("denials")) }
                        @if !self.expiry.is_empty() { th.wide scope="col" { (texts.column("expires_on")) } }
                    }
                }
                tbody { @for row in rows { (self.row(*row)) } }
            }
            @if rows.is_empty() { p.soft.none { (texts.say("table.empty")) } }
        }
    }

    fn row(&self, row: Row<'_>) -> Markup {
        let feature = row.text("feature");
        let product = self.features.get(feature).and_then(|is| is.product.as_deref()).unwrap_or_default();
        let address = self.period.set(self.query).without(&["feature", "sort", "q"]).behind("/feature");
        let address = self.asker.view.to(&format!("{address}&code={}", encoded(feature)));
        let figure = |cell: &Cell, wide: bool| {
            let raw = match cell {
                Cell::Int(number) => number.to_string(),
                Cell::Decimal(number) => decimal(*number),
                _ => "-1".to_owned(),
            };
            html! { td.number.wide[wide] data-v=(raw) { (cell_text(cell, self.zone)) } }
        };
        let denials = self.denials(feature);
        html! {
            tr data-search=(format!("{feature} {product}").to_lowercase()) {
                th scope="row" {
                    a.code href=(address) { (breakable(feature)) }
                    @if !product.is_empty() { small { (product) } }
                }
                td.last-day { (self.spark(feature, row.number("seats_issued"))) }
                @for name in FIGURES { (figure(row.cell(name), !matches!(name, "seats_peak" | "utilization_percent"))) }
                td.number data-v=(denials.unwrap_or(-1)) { (denials.map_or_else(|| "–".to_owned(), whole)) }
                @if !self.expiry.is_empty() {
                    @match self.expiry.get(feature) {
                        Some((day, left)) => td.wide.soon[(0..=60).contains(left)] data-v=(day) { (day) },
                        None => td.wide data-v="9999" { "–" },
                    }
                }
            }
        }
    }

    /// The peaks of the days, with gaps where nobody watched.
    fn spark(&self, feature: &str, issued: Option<f64>) -> Markup {
        let Some(days) = self.days.get(feature) else { return html! {} };
        let place = |from: i64| accounting::day::Day::of(from, self.zone).0 - self.period.from.0;
        let mut values = vec![None; self.period.days().max(0) as usize];
        for (from, peak) in &days.peaks {
            if let Some(value) = values.get_mut(place(*from).max(0) as usize) {
                *value = Some(*peak);
            }
        }
        spark(&values, issued.unwrap_or_default(), self.asker.texts().say("features.daily_peak"))
    }
}
