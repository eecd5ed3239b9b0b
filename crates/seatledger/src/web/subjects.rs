//! Pages about one subject, made of reports: denials, seats held overnight, people and organizations.

use super::Web;
use super::asker::{Asker, Refusal};
use super::period_bar::Bar;
use super::query::{Period, Query};
use super::reports::{Several, downloads, period_text, table};
use super::rows::Rows;
use crate::answers::{self, Answer, Name, Sight};
use crate::gate::Failure;
use accounting::report::{Cell, Column, Report};
use axum::extract::{Request, State};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most rows of a table.
const MOST: usize = 50;

/// A page's frame: who asks, for what.
struct Subject {
    asker: Asker,
    query: Query,
    period: Period,
    path: &'static str,
}

impl Subject {
    async fn of(web: &Web, request: Request, path: &'static str) -> Result<Result<Self, Response>, Refusal> {
        let (asker, query) = (web.asker(&request), Query::of(&request));
        let asker = asker.await?;
        Ok(match web.period(&asker, &query).await? {
            Some(period) => Ok(Self { asker, query, period, path }),
            None => Err(asker.nothing_yet(path)),
        })
    }

    fn question(&self) -> Query {
        self.period.set(&self.query).without(&["by", "step", "code"])
    }

    /// The page: a title, what it is about, the period, and the rest.
    fn page(&self, title: &str, means: &str, classes: &[String], rest: &Markup) -> Response {
        let mut fields = vec!["feature", "server", "person", "organization"];
        fields.retain(|field| self.asker.sight == Sight::Everything || *field != "server");
        let bar = Bar {
            asker: &self.asker,
            path: self.path,
            query: &self.query,
            period: &self.period,
            fields: &fields,
            classes,
            has_period: true,
        };
        let body = html! {
            header.head { h1 { (title) } p.soft { (period_text(&self.period)) } }
            p.definition { (means) }
            (bar.markup())
            (rest)
        };
        self.asker.page(self.path, title, &body)
    }

    /// The way to the report with all rows.
    fn rest(&self, name: &str, query: &Query) -> Markup {
        let report = self.asker.view.to(&query.behind(&format!("/reports/{name}")));
        html! { p.more-of { a href=(report) { (self.asker.texts().say("part.all")) } } }
    }

    fn part(&self, answer: &Answer, title: &str, query: &Query) -> Markup {
        html! {
            section {
                h2 { (title) }
                (table(&self.asker, answer, query, title, 0..MOST, MOST))
                @if answer.report.rows.len() > MOST { (self.rest(answer.report.name, query)) }
                (downloads(&self.asker, answer.report.name, query, answer.report.rows.len()))
            }
        }
    }
}

fn classes(answer: &Answer) -> Vec<String> {
    answer.calendar.classes().iter().map(|class| class.name.clone()).collect()
}

pub(super) async fn denials(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let subject = match Subject::of(&web, request, "/denials").await? {
        Ok(subject) => subject,
        Err(response) => return Ok(response),
    };
    let question = subject.question();
    let by_person = question.with("by", Some("person"));
    let asked = ("denials", answers::denials_by as Several);
    let found = web.answers_by(&subject.asker, asked, &question, &["", "person"], "denied").await?;
    let [months, persons] = found.as_slice() else { return Err(subject.asker.refuse(Failure::Ours)) };
    let sum = |name: &str| Rows(&months.report).sum(name);
    let texts = subject.asker.texts();
    let tile = |name: &'static str| {
        html! { li title=[texts.column_means(name)] { strong { (super::fields::figure(name, sum(name))) } " " span { (texts.column(name)) } } }
    };
    let headline =
        html! { ul.headline { (tile("raw")) (tile("requests")) (tile("delayed")) (tile("denied")) } };
    let rest = html! {
        (headline)
        (subject.part(months, texts.say("denials.months"), &question))
        (subject.part(persons, texts.say("denials.persons"), &by_person))
        (super::notes(&subject.asker, &months.report.notes, months.calendar.zone()))
    };
    Ok(subject.page(texts.say("denials"), texts.definition("denials"), &classes(months), &rest))
}

pub(super) async fn overnight(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let subject = match Subject::of(&web, request, "/overnight").await? {
        Ok(subject) => subject,
        Err(response) => return Ok(response),
    };
    let question = subject.question();
    let asked = question.without(&["time-class"]);
    let found = web.answer(&subject.asker, Name::Overnight, &asked).await?;
    // The last nights first.
    let mut nights = Answer { report: found.report.clone(), calendar: found.calendar.clone() };
    let texts = subject.asker.texts();
    let sums = Answer { report: by_holder(&nights.report), calendar: nights.calendar.clone() };
    nights.report.rows.reverse();
    let held = nights.report.rows.len() as i64;
    let rest = html! {
        ul.headline {
            li { strong { (super::fields::figure("nights", held)) } " " span { (texts.say("overnight.nights")) } }
            li { strong { (super::fields::figure("holders", sums.report.rows.len() as i64)) } " " span { (texts.say("overnight.holders")) } }
        }
        section {
            h2 { (texts.say("overnight.who")) }
            (table(&subject.asker, &sums, &question, texts.say("overnight.who"), 0..MOST, MOST))
        }
        (subject.part(&nights, texts.say("overnight.each"), &question))
        (super::notes(&subject.asker, &nights.report.notes, nights.calendar.zone()))
    };
    Ok(subject.page(texts.say("overnight"), texts.definition("overnight"), &[], &rest))
}

/// Who holds which feature overnight, most nights first.
fn by_holder(nights: &Report) -> Report {
    let mut count: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for row in Rows(nights).iter() {
        *count.entry((row.text("user"), row.text("feature"))).or_default() += 1;
    }
    let mut rows: Vec<_> = count.into_iter().collect();
    rows.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(&other.0)));
    let cells = |((user, feature), nights): ((&str, &str), i64)| {
        vec![Cell::Text(user.to_owned()), Cell::Text(feature.to_owned()), Cell::Int(nights)]
    };
    Report {
        name: "overnight",
        columns: vec![Column::text("user"), Column::text("feature"), Column::number("nights")],
        rows: rows.into_iter().map(cells).collect(),
        notes: Vec::new(),
    }
}

pub(super) async fn people(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let subject = match Subject::of(&web, request, "/people").await? {
        Ok(subject) => subject,
        Err(response) => return Ok(response),
    };
    let question = subject.question();
    let (asked, keys) = (("usage", answers::usage_by as Several), &["organization", "project", "person"]);
    let found = web.answers_by(&subject.asker, asked, &question, keys, "usage_minutes").await?;
    let [organizations, projects, persons] = found.as_slice() else {
        return Err(subject.asker.refuse(Failure::Ours));
    };
    let by = |key: &str| question.with("by", Some(key));
    let texts = subject.asker.texts();
    let allocation = subject.question().behind("/reports/allocation");
    let rest = html! {
        div.halves {
            (subject.part(organizations, texts.say("people.organizations"), &by("organization")))
            (subject.part(projects, texts.say("people.projects"), &by("project")))
        }
        (subject.part(persons, texts.say("people.persons"), &by("person")))
        p.more-of { a href=(subject.asker.view.to(&allocation)) { (texts.say("people.allocation")) } }
        (super::notes(&subject.asker, &organizations.report.notes, organizations.calendar.zone()))
    };
    Ok(subject.page(texts.say("people"), texts.say("people.means"), &classes(organizations), &rest))
}
