//! One feature: seats in use over time, the hours of the week, how many seats were needed, who used them.

use super::Web;
use super::asker::{Asker, Refusal};
use super::assets;
use super::fields::{cell_text, whole};
use super::period_bar::Bar;
use super::query::{Period, Query, encoded};
use super::rows::Rows;
use super::table::{Shown, breakable};
use crate::answers::{self, FeatureIs, Name, Options, Sight, WholePeriod};
use crate::clock;
use crate::gate::Failure;
use accounting::calendar::Calendar;
use accounting::report::concurrency::Step;
use accounting::report::{Cell, Report, decimal};
use anyhow::Context as _;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use std::sync::Arc;

const PATH: &str = "/feature";
/// Up to so many days are shown hour by hour, longer periods day by day.
const HOURLY: i32 = 45;
/// How many persons and versions are listed.
const MOST: usize = 12;

/// What is known of a feature in a period.
struct Found {
    /// What it is; nothing where there is no such feature.
    is: Option<FeatureIs>,
    calendar: Calendar,
    seats: Report,
    whole: Report,
    heatmap: Report,
    levels: Report,
    needed: Report,
    denials: Report,
    persons: Report,
    versions: Report,
    expiry: Option<Report>,
}

pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let query = Query::of(&request);
    let missing =
        || asker.refuse(Failure::Missing("no such feature: choose one of the page Features".to_owned()));
    let Some(code) = query.get("code").map(str::to_owned) else { return Err(missing()) };
    let Some(period) = web.period(&asker, &query).await? else { return Err(missing()) };
    // Whoever sees one organization is told of its features only.
    if asker.sight != Sight::Everything {
        let now = web.how_it_is_now(&asker).await?;
        if !now.features.iter().any(|feature| feature.feature == code) {
            return Err(missing());
        }
    }
    let found = found(&web, &asker, &query, &period, &code).await?;
    let Some(known) = &found.is else { return Err(missing()) };
    let page = Page { asker: &asker, query: &query, period: &period, code: &code, found: &found };
    let texts = asker.texts();
    let classes: Vec<String> = found.calendar.classes().iter().map(|class| class.name.clone()).collect();
    let bar = Bar {
        asker: &asker,
        path: PATH,
        query: &query,
        period: &period,
        fields: &["server", "organization", "person"],
        classes: &classes,
        has_period: true,
    };
    let body = html! {
        header.head {
            h1 { (breakable(&code)) }
            p.soft {
                @if let Some(product) = &known.product { (product) " · " }
                @if !known.servers.is_empty() { (known.servers.join(", ")) " · " }
                (page.seats_until())
            }
        }
        (bar.markup())
        div.split {
            (page.seats_chart())
            (page.figures())
        }
        div.halves {
            (page.heatmap())
            (page.levels())
        }
        div.halves {
            (page.who("person", &found.persons))
            (page.who("version", &found.versions))
        }
        p.more-of {
            a href=(asker.view.to(&page.narrowed().behind("/sessions"))) { (texts.say("feature.sessions")) }
            a href=(asker.view.to(&page.narrowed().behind("/denials"))) { (texts.say("feature.denials")) }
            a href=(asker.view.to(&page.narrowed().behind("/overnight"))) { (texts.say("feature.overnight")) }
        }
        (super::notes(&asker, &found.whole.notes, found.calendar.zone()))
    };
    Ok(asker.page("/features", &code, &body))
}

async fn found(
    web: &Web,
    asker: &Asker,
    query: &Query,
    period: &Period,
    code: &str,
) -> Result<Arc<Found>, Refusal> {
    let base = period
        .set(query)
        .without(&["code", "by", "step", "feature"])
        .with("feature", Some(&globset::escape(code)));
    let options = |query: Query| query.options::<Options>().map_err(|failure| asker.refuse(failure));
    let step = if period.days() <= HOURLY { Step::Hour } else { Step::Day };
    let plain = options(base.clone())?;
    let expiring = options(Query::default().with("feature", Some(&globset::escape(code))))?;
    let (sight, code) = (asker.sight.clone(), code.to_owned());
    web.kept(asker, base.behind("feature"), move |store| {
        answers::in_one_state(store, &plain, &sight, |store| {
            let WholePeriod { report: whole, steps: seats, mut features, calendar } =
                answers::whole_period(store, &plain, step, &sight)?;
            let mut users = answers::usage_by(store, &plain, &["person", "version"], &sight)?.into_iter();
            let mut user = || users.next().map(|answer| answer.report).context("a report is missing");
            let (persons, versions) = (user()?, user()?);
            let mut ask = |name, options: &Options| -> anyhow::Result<Report> {
                Ok(answers::answer(store, name, options, &sight, clock::today)?.report)
            };
            Ok(Found {
                seats,
                heatmap: ask(Name::Heatmap, &plain)?,
                levels: ask(Name::Levels, &plain)?,
                needed: ask(Name::SeatsNeeded, &plain)?,
                denials: ask(Name::Denials, &plain)?,
                persons,
                versions,
                expiry: if sight == Sight::Everything { Some(ask(Name::Expiry, &expiring)?) } else { None },
                is: features.remove(&code),
                whole,
                calendar,
            })
        })
    })
    .await
}

struct Page<'a> {
    asker: &'a Asker,
    query: &'a Query,
    period: &'a Period,
    code: &'a str,
    found: &'a Found,
}

impl Page<'_> {
    fn say(&self, key: &'static str) -> &'static str {
        self.asker.texts().say(key)
    }

    /// The address's parameters, for pages about this feature.
    fn narrowed(&self) -> Query {
        self.period.set(self.query).without(&["code"]).with("feature", Some(&globset::escape(self.code)))
    }

    /// The seats in force, and until when.
    fn seats_until(&self) -> Markup {
        let issued = Rows(&self.found.whole).first().and_then(|row| row.int("seats_issued"));
        let rows = self
            .found
            .expiry
            .as_ref()
            .map(|report| Rows(report).iter().collect::<Vec<_>>())
            .unwrap_or_default();
        let next = rows
            .iter()
            .filter(|row| row.int("days_left").is_some_and(|left| left >= 0))
            .min_by_key(|row| row.int("days_left"));
        html! {
            @match issued {
                Some(issued) => { (whole(issued)) " " (self.say("seats")) },
                None => (self.say("seats.uncounted")),
            }
            @if let Some(row) = next { " · " (self.say("expires")) " " (row.text("expires_on")) }
        }
    }

    /// The key figures beside the chart.
    fn figures(&self) -> Markup {
        let (whole_period, needed) = (Rows(&self.found.whole).first(), Rows(&self.found.needed).first());
        let of = |row: Option<super::rows::Row<'_>>, name: &str| {
            row.map_or(Cell::Empty, |row| row.cell(name).clone())
        };
        let texts = self.asker.texts();
        let line = |name: &'static str, cell: Cell, unit: &str| {
            let raw = match &cell {
                Cell::Int(number) => Some(number.to_string()),
                Cell::Decimal(number) => Some(decimal(*number)),
                _ => None,
            };
            html! {
                div title=[texts.column_means(name)] {
                    dt { (texts.column(name)) }
                    dd data-figure=(name) data-value=[raw] { (cell_text(&cell, self.found.calendar.zone())) @if cell != Cell::Empty { (unit) } }
                }
            }
        };
        let denied = Rows(&self.found.denials);
        html! {
            dl.figures {
                (line("seats_peak", of(whole_period, "seats_peak"), ""))
                (line("seats_average", of(whole_period, "seats_average"), ""))
                (line("utilization_percent", of(whole_period, "utilization_percent"), " %"))
                (line("full_percent", of(whole_period, "full_percent"), " %"))
                (line("busy_percent", of(whole_period, "busy_percent"), " %"))
                (line("seats_p95", of(needed, "seats_p95"), ""))
                (line("seats_needed_p95", of(needed, "seats_needed_p95"), ""))
                (line("raw", Cell::Int(denied.sum("raw")), ""))
                (line("denied", Cell::Int(denied.sum("denied")), ""))
                (line("coverage_percent", of(whole_period, "coverage_percent"), " %"))
            }
        }
    }

    /// A chart, whole as a table where no script draws it.
    fn chart(
        &self,
        kind: &str,
        title: &str,
        hint: &str,
        data: &[(&str, String)],
        report: &Report,
        without: &[&str],
    ) -> Markup {
        let zone = self.found.calendar.zone();
        let shown = Shown {
            view: &self.asker.view,
            zone,
            rows: 0..usize::MAX,
            caption: title,
            query: self.query,
            without,
            sorts: false,
            bars: None,
        };
        let value =
            |name: &str| data.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
        html! {
            figure data-chart=(kind) data-code=(self.code) data-step=[value("step")] data-issued=[value("issued")] data-needed=[value("needed")]
                data-waiting[assets::path("charts.js").is_some() && !report.rows.is_empty()] data-words=(self.words()) data-steps=(self.asker.view.to("/feature/steps")) {
                figcaption { h2 { (title) } p.soft { (hint) } }
                div.drawing {}
                details.behind open { summary { (self.say("chart.table")) } (shown.table(report)) }
            }
        }
    }

    /// The words that charts use.
    fn words(&self) -> String {
        const WORDS: [&str; 9] = [
            "seats_peak",
            "seats_average",
            "seats_issued",
            "denials",
            "percent_at_least",
            "seats_needed_p95",
            "in_use",
            "back",
            "closer",
        ];
        let words: serde_json::Map<String, serde_json::Value> =
            WORDS.iter().map(|word| ((*word).to_owned(), self.asker.texts().word(word).into())).collect();
        serde_json::Value::Object(words).to_string()
    }

    fn seats_chart(&self) -> Markup {
        let is_hourly = self.period.days() <= HOURLY;
        let hint = if is_hourly { self.say("feature.hourly") } else { self.say("feature.daily") };
        let step = if is_hourly { "hour" } else { "day" };
        self.chart(
            "seats",
            self.say("feature.seats"),
            hint,
            &[("step", step.to_owned())],
            &self.found.seats,
            &["feature"],
        )
    }

    fn levels(&self) -> Markup {
        let row = Rows(&self.found.needed).first();
        let text = |name: &str| {
            row.and_then(|row| row.int(name)).map_or_else(String::new, |number| number.to_string())
        };
        let data = [("issued", text("seats_issued")), ("needed", text("seats_needed_p95"))];
        self.chart(
            "levels",
            self.say("feature.levels"),
            self.say("feature.levels_hint"),
            &data,
            &self.found.levels,
            &["feature"],
        )
    }

    /// The hours of the week: a table that is a chart by itself.
    fn heatmap(&self) -> Markup {
        let rows = Rows(&self.found.heatmap);
        let most = rows.iter().filter_map(|row| row.number("seats_average")).fold(0.0, f64::max);
        let texts = self.asker.texts();
        let weekdays = accounting::calendar::WEEKDAYS;
        let at = |weekday: &str, hour: i64| {
            rows.iter().find(|row| row.text("weekday") == weekday && row.int("hour") == Some(hour))
        };
        html! {
            figure.heat {
                figcaption { h2 { (self.say("feature.heatmap")) } p.soft { (self.say("feature.heatmap_hint")) } }
                table {
                    caption.hidden { (self.say("feature.heatmap")) }
                    thead {
                        tr {
                            td {}
                            @for hour in 0..24 { th scope="col" { span.minor[hour % 6 != 0] { (hour) } } }
                        }
                    }
                    tbody {
                        @for (weekday, name) in weekdays.iter().zip(texts.weekdays) {
                            tr {
                                th scope="row" { (name) }
                                @for hour in 0..24 { (self.heat_cell(at(weekday, hour), most)) }
                            }
                        }
                    }
                }
            }
        }
    }

    fn heat_cell(&self, row: Option<super::rows::Row<'_>>, most: f64) -> Markup {
        let Some((row, average)) = row.and_then(|row| Some((row, row.number("seats_average")?))) else {
            return html! { td data-heat="none" { span { "–" } } };
        };
        let level = if most > 0.0 { (average / most * 9.0).ceil() as i64 } else { 0 };
        let (peak, denials) =
            (row.int("seats_peak").unwrap_or_default(), row.int("denials").unwrap_or_default());
        let texts = self.asker.texts();
        let means = format!(
            "{} {}, {} {}, {} {}",
            texts.column("seats_average"),
            super::fields::rounded(average),
            texts.column("seats_peak"),
            whole(peak),
            texts.column("denials"),
            whole(denials)
        );
        html! {
            td data-heat=(level) title=(means) data-denied[denials > 0] {
                span { (short(average)) }
            }
        }
    }

    /// Who, or which versions, used most.
    fn who(&self, key: &'static str, report: &Report) -> Markup {
        let mut report = report.clone();
        let minutes = report.columns.iter().position(|column| column.name == "usage_minutes");
        let of = |row: &Vec<Cell>| match minutes.and_then(|nth| row.get(nth)) {
            Some(Cell::Decimal(number)) => *number,
            _ => 0.0,
        };
        report.rows.sort_by(|one, other| of(other).total_cmp(&of(one)));
        let title = if key == "person" { self.say("feature.persons") } else { self.say("feature.versions") };
        let without: &[&str] = if key == "person" { &["persons", "seat_seconds"] } else { &["seat_seconds"] };
        let zone = self.found.calendar.zone();
        let shown = Shown {
            view: &self.asker.view,
            zone,
            rows: 0..MOST,
            caption: title,
            query: self.query,
            without,
            sorts: true,
            bars: Some("usage_minutes"),
        };
        let question = self.narrowed().with("by", Some(key));
        let all = question.behind("/reports/usage");
        let csv = question.with("format", Some("csv")).behind("/api/v1/reports/usage");
        html! {
            section {
                h2 { (title) }
                (shown.table(&report))
                p.downloads {
                    @if report.rows.len() > MOST { a href=(self.asker.view.to(&all)) { (self.say("part.all")) } }
                    a href=(self.asker.view.to(&csv)) download { "CSV" }
                }
            }
        }
    }
}

/// A number in the little room of an hour.
fn short(number: f64) -> String {
    match number {
        _ if number >= 9.95 || number == 0.0 => format!("{number:.0}"),
        _ if number < 0.05 => "0".to_owned(),
        _ => format!("{number:.1}"),
    }
}

/// The seats in use step by step, for a chart that is looked at closely. Instants are civil time as if it were UTC.
pub(super) async fn steps(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.asker(&request).await?;
    let query = Query::of(&request);
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<i64>().ok());
    let (Some(code), Some(from), Some(until)) =
        (query.get("code").map(str::to_owned), number("from"), number("until"))
    else {
        return Err(asker.refuse(Failure::Wrong("code, from and until are needed".to_owned())));
    };
    let sight = asker.sight.clone();
    let found = web
        .ask(&asker, move |store| {
            let (curve, zone) = store.in_one_transaction(|store| {
                let zone = store.calendar()?.zone().clone();
                let instant = |civil: i64| {
                    let stamp = jiff::Timestamp::from_millisecond(civil).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                    accounting::calendar::instant(jiff::tz::TimeZone::UTC.to_datetime(stamp), &zone)
                };
                let curve = answers::curve(store, &code, (instant(from), instant(until)), &sight)?;
                anyhow::Ok((curve, zone))
            })?;
            let civil = |at: i64| super::fields::civil_ms(at, &zone);
            let steps = |steps: Vec<(i64, Option<i64>)>| steps.into_iter().map(|(at, seats)| (civil(at), seats)).collect::<Vec<_>>();
            Ok(curve.map(|curve| {
                let denials: Vec<i64> = curve.denials.into_iter().map(civil).collect();
                serde_json::json!({ "seats": steps(curve.seats), "issued": steps(curve.issued), "denials": denials })
            }))
        })
        .await?;
    let found = found.ok_or_else(|| {
        asker.refuse(Failure::Missing(format!(
            "no feature {}",
            encoded(query.get("code").unwrap_or_default())
        )))
    })?;
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "private, no-cache")];
    Ok((headers, found.to_string()).into_response())
}
