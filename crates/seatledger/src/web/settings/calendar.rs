//! The calendar in force, and where it is changed: in a form that shows what it changes first, unless a configuration has a calendar.

use super::draft::{Draft, Wrong};
use super::form::{Form, must_be_own};
use super::{PATH, messages, sheet, token};
use crate::answers::known_days;
use crate::config::stretch::written;
use crate::gate::Failure;
use crate::web::Web;
use crate::web::asker::{Asker, Refusal};
use crate::web::fields::whole;
use accounting::calendar::Calendar;
use accounting::day::Day;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) const OWN: &str = "/settings/calendar";
/// How many time classes more than there are can be written.
const FREE: usize = 2;

/// The calendar in force, and the way to its form.
pub(super) fn section(asker: &Asker, calendar: &Calendar, file: Option<&str>) -> Markup {
    let texts = asker.texts();
    html! {
        section.card aria-labelledby="calendar" {
            h2 #calendar { (texts.say("settings.calendar")) }
            dl.facts {
                dt { (texts.say("file.zone")) } dd { (calendar.zone_name()) }
                dt { (texts.say("settings.working_days")) } dd { (working(asker, calendar)) }
                @for class in calendar.classes() {
                    dt { (texts.column("time_class")) " " code { (class.name) } }
                    dd { (hours(calendar, &class.name)) }
                }
                dt { (texts.say("settings.holidays")) }
                dd {
                    @if calendar.holidays().is_empty() { (texts.say("settings.none")) } @else {
                        details {
                            summary { (whole(calendar.holidays().len() as i64)) }
                            ul { @for (day, name) in calendar.holidays() { li { (day) " " (name) } } }
                        }
                    }
                }
            }
            p.soft { (texts.say("settings.calendar_hint")) " " (rule(asker, file)) }
            @if file.is_none() { p { a.button href=(asker.view.to(OWN)) { (texts.say("settings.calendar_edit")) } } }
        }
    }
}

/// Whose calendar counts.
fn rule(asker: &Asker, file: Option<&str>) -> Markup {
    let texts = asker.texts();
    html! {
        @match file {
            Some(file) => { code { (file) } " " (texts.say("settings.calendar_file")) },
            None => (texts.say("settings.calendar_own")),
        }
    }
}

/// The days that are worked.
fn working(asker: &Asker, calendar: &Calendar) -> String {
    let days = calendar.working_days().iter().filter_map(|day| asker.texts().weekdays.get(usize::from(*day)));
    days.copied().collect::<Vec<_>>().join(" ")
}

/// The hours of a time class, as a form and a configuration write them.
fn hours(calendar: &Calendar, class: &str) -> String {
    let class = calendar.classes().iter().find(|known| known.name == class);
    let stretches = class.map(|class| class.stretches.iter().map(written).collect::<Vec<_>>());
    stretches.unwrap_or_default().join("; ")
}

/// What tells this calendar from another one.
fn mark(calendar: &Calendar) -> String {
    format!("{:x}", Sha256::digest(calendar.fingerprint()))[..24].to_owned()
}

impl Web {
    /// The calendar in force, where it is changed here.
    async fn own_calendar(&self, asker: &Asker) -> Result<Calendar, Refusal> {
        if let Some(file) = &self.calendar_file {
            let why = format!("{file} {}", asker.texts().say("settings.calendar_file"));
            return Err(asker.refuse(Failure::Conflict(why)));
        }
        self.ask(asker, |store| Ok(store.calendar()?)).await
    }
}

/// The form, with the calendar in force.
pub(super) async fn page(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let calendar = web.own_calendar(&asker).await?;
    Ok(form(&asker, &calendar, &Draft::of(&calendar), &[]))
}

/// Shows what a form changes, or puts in force what was shown.
pub(super) async fn take(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let fields = Form::of(request).await.map_err(|failure| asker.refuse(failure))?;
    must_be_own(&asker.guest, fields.text("token")).map_err(|failure| asker.refuse(failure))?;
    let calendar = web.own_calendar(&asker).await?;
    let draft = Draft::sent(&fields);
    let changed = match draft.calendar(calendar.zone_name()) {
        Ok(changed) => changed,
        Err(wrong) => return Ok(form(&asker, &calendar, &draft, &wrong)),
    };
    if fields.text("do") != "apply" {
        return preview(&web, &asker, &calendar, &changed, &draft).await;
    }
    let looked_at = fields.text("was") == mark(&calendar);
    let is_changed = looked_at && {
        let done = web.change(move |store| Ok(store.change_calendar(&changed, &calendar)?)).await;
        done.map_err(|failure| asker.refuse(failure))?
    };
    if is_changed {
        return Ok(web.redirect(&format!("{PATH}?done=calendar")));
    }
    let raced = Failure::Conflict(asker.texts().say("settings.calendar_raced").to_owned());
    web.wrong_settings(&asker, raced).await
}

fn form(asker: &Asker, calendar: &Calendar, draft: &Draft, wrong: &[Wrong]) -> Response {
    let texts = asker.texts();
    let title = texts.say("settings.calendar_edit");
    let of = |field: &str| wrong.iter().filter(|wrong| wrong.field == field).collect::<Vec<_>>();
    let complaint = |field: &str| {
        html! {
            @for (nth, wrong) in of(field).into_iter().enumerate() { p.wrong id=[(nth == 0).then(|| format!("wrong-{field}"))] { (wrong.why) } }
        }
    };
    let told = |field: &str| (!of(field).is_empty()).then(|| format!("wrong-{field}"));
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let rows = draft.classes.iter().map(|(name, hours)| (name.as_str(), hours.as_str()));
    let rows = rows.chain(std::iter::repeat_n(("", ""), FREE)).enumerate();
    let body = html! {
        header.head { h1 { (title) } }
        (messages(None, (!wrong.is_empty()).then(|| texts.say("settings.calendar_wrong"))))
        p.definition { (texts.say("settings.calendar_own")) }
        form.card.calendar method="post" action=(asker.view.to(OWN)) enctype="multipart/form-data" {
            (token(asker))
            p { (texts.say("file.zone")) ": " b { (calendar.zone_name()) } " " span.soft { (texts.say("settings.calendar_zone")) } }
            fieldset {
                legend { (texts.say("settings.working_days")) }
                @for (nth, day) in texts.weekdays.iter().enumerate() {
                    label { input type="checkbox" name={ "day" (nth) } value="1" checked[draft.working.contains(&(nth as u8))]; " " (day) }
                }
            }
            fieldset aria-describedby=[told("classes")] {
                legend { (texts.say("settings.classes")) }
                p.soft { (texts.say("settings.classes_hint")) }
                (complaint("classes"))
                @for (nth, (name, hours)) in rows {
                    @let field = format!("class{nth}");
                    div.class-row {
                        label { span { (texts.say("settings.class_name")) } input name={ (field) "-name" } value=(name) maxlength="80" autocomplete="off"; }
                        label { span { (texts.say("settings.class_hours")) } input name={ (field) "-hours" } value=(hours) autocomplete="off"
                            placeholder="Mon-Fri 08:00-19:00" aria-invalid=[told(&field).map(|_| "true")] aria-describedby=[told(&field)]; }
                    }
                    (complaint(&field))
                }
            }
            label.block {
                span { (texts.say("settings.holidays")) }
                span.soft #holidays-hint { (texts.say("settings.holidays_hint")) }
                textarea name="holidays" rows="10" spellcheck="false" aria-invalid=[told("holidays").map(|_| "true")]
                    aria-describedby={ "holidays-hint" @if let Some(told) = told("holidays") { " " (told) } } { "\n" (draft.holidays) }
            }
            (complaint("holidays"))
            p { button.primary type="submit" { (texts.say("settings.preview")) } }
        }
        p { a href=(asker.view.to(PATH)) { (texts.say("settings.back")) } }
    };
    asker.page_as(status, PATH, title, &body)
}

/// What a form changes, and a button that does it.
async fn preview(
    web: &Web,
    asker: &Asker,
    calendar: &Calendar,
    changed: &Calendar,
    draft: &Draft,
) -> Result<Response, Refusal> {
    let days = web.ask(asker, known_days).await?;
    let texts = asker.texts();
    let title = texts.say("settings.calendar_preview");
    let rows = changes(asker, calendar, changed);
    let head = html! {
        th scope="col" { span.hidden { (texts.say("settings.calendar")) } }
        @for text in [texts.say("settings.before"), texts.say("settings.after")] { th scope="col" { (text) } }
    };
    let cells = html! { @for (what, before, after) in &rows { tr { th scope="row" { (what) } td { (before) } td { (after) } } } };
    let body = html! {
        header.head { h1 { (title) } }
        @if rows.is_empty() { p { (texts.say("settings.calendar_nothing")) } } @else {
            div.changes { (sheet(title, &head, &cells)) }
            p { (anew(asker, days)) }
            form.row method="post" action=(asker.view.to(OWN)) enctype="multipart/form-data" {
                (token(asker))
                input type="hidden" name="was" value=(mark(calendar));
                (draft.hidden())
                button.primary type="submit" name="do" value="apply" { (texts.say("settings.apply")) }
                button type="submit" name="do" value="edit" formaction=(asker.view.to(&format!("{OWN}/edit"))) { (texts.say("settings.calendar_again")) }
            }
        }
        p { a href=(asker.view.to(PATH)) { (texts.say("settings.back")) } }
    };
    Ok(asker.page(PATH, title, &body))
}

/// Goes back from what was shown to the form.
pub(super) async fn edit(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Refusal> {
    let asker = web.admin(&request).await?;
    let fields = Form::of(request).await.map_err(|failure| asker.refuse(failure))?;
    must_be_own(&asker.guest, fields.text("token")).map_err(|failure| asker.refuse(failure))?;
    let calendar = web.own_calendar(&asker).await?;
    Ok(form(&asker, &calendar, &Draft::sent(&fields), &[]))
}

/// Which days are derived anew.
fn anew(asker: &Asker, days: Option<(Day, Day)>) -> Markup {
    let texts = asker.texts();
    html! {
        @match days {
            Some((first, last)) => { (texts.say("settings.calendar_anew")) " " b { (first) " – " (last) } ". " (texts.say("settings.calendar_meanwhile")) },
            None => (texts.say("settings.calendar_no_days")),
        }
    }
}

/// What differs: what it is, as it is, as it will be.
fn changes(asker: &Asker, before: &Calendar, after: &Calendar) -> Vec<(String, String, String)> {
    let texts = asker.texts();
    let mut found = Vec::new();
    let mut note = |what: String, one: String, other: String| {
        if one != other {
            found.push((what, one, other));
        }
    };
    note(texts.say("settings.working_days").to_owned(), working(asker, before), working(asker, after));
    let names =
        |calendar: &Calendar| calendar.classes().iter().map(|class| class.name.clone()).collect::<Vec<_>>();
    let (old, new) = (names(before), names(after));
    for name in new.iter().chain(old.iter().filter(|name| !new.contains(name))) {
        note(format!("{} {name}", texts.column("time_class")), hours(before, name), hours(after, name));
    }
    let is_same_set = old.iter().collect::<BTreeSet<_>>() == new.iter().collect::<BTreeSet<_>>();
    if is_same_set {
        note(texts.say("settings.class_order").to_owned(), old.join(", "), new.join(", "));
    }
    let days: BTreeSet<&Day> = before.holidays().keys().chain(after.holidays().keys()).collect();
    let name = |calendar: &Calendar, day: &Day| match calendar.holidays().get(day) {
        Some(name) => format!("{} {name}", texts.say("settings.holiday")),
        None => "–".to_owned(),
    };
    for day in days {
        note(day.to_string(), name(before, day), name(after, day));
    }
    found
}
