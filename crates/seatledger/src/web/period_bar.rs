//! The bar above a page's figures: the period, and what else narrows them.

use super::asker::Asker;
use super::query::{Period, Query};
use maud::{Markup, html};

/// What can be narrowed, in the order of its fields.
pub(super) struct Bar<'a> {
    pub(super) asker: &'a Asker,
    /// The page.
    pub(super) path: &'a str,
    pub(super) query: &'a Query,
    pub(super) period: &'a Period,
    /// The names of the text fields.
    pub(super) fields: &'a [&'a str],
    /// The time classes that can be chosen; none where time is not cut.
    pub(super) classes: &'a [String],
    /// Whether days can be chosen.
    pub(super) has_period: bool,
}

/// Periods that are a click away: their text, and how many days they have.
const SHORTCUTS: [(&str, Option<i32>); 4] =
    [("period.7", Some(7)), ("period.30", Some(30)), ("period.365", Some(365)), ("period.all", None)];
/// Fields of which the values are few.
const CHOICES: [(&str, &[&str]); 3] = [
    ("step", &["hour", "day", "month"]),
    ("days", &["all", "working"]),
    ("share", &["seat-seconds", "person-seconds"]),
];

impl Bar<'_> {
    pub(super) fn markup(&self) -> Markup {
        let texts = self.asker.texts();
        let carried = ["code"].into_iter().filter_map(|name| Some((name, self.query.get(name)?)));
        html! {
            div.period {
                @if self.has_period { (self.shortcuts()) }
                form method="get" action=(self.asker.view.to(self.path)) {
                    @for (name, value) in carried { input type="hidden" name=(name) value=(value); }
                    @if self.has_period {
                        label { span { (texts.say("from")) } input type="date" name="from" value=(self.period.from); }
                        label { span { (texts.say("until")) } input type="date" name="until" value=(self.period.until); }
                    }
                    @for name in self.fields { (self.field(name)) }
                    @if !self.classes.is_empty() {
                        label {
                            span { (texts.column("time_class")) }
                            (self.choice("time-class", self.classes.iter().map(String::as_str)))
                        }
                    }
                    button type="submit" { (texts.say("show")) }
                }
            }
        }
    }

    fn shortcuts(&self) -> Markup {
        let texts = self.asker.texts();
        html! {
            ul.shortcuts aria-label=(texts.say("period")) {
                @for (name, days) in SHORTCUTS {
                    @let period = self.period.last(days);
                    @let address = period.set(self.query).behind(self.path);
                    li {
                        a href=(self.asker.view.to(&address)) aria-current=[(period == *self.period).then_some("true")] {
                            (texts.say(name))
                        }
                    }
                }
            }
        }
    }

    fn field(&self, name: &str) -> Markup {
        let choices = CHOICES.iter().find(|(known, _)| *known == name);
        let hint = if name == "by" { "feature,person" } else { "" };
        html! {
            label {
                span { (self.asker.texts().column(&name.replace('-', "_"))) }
                @if let Some((_, choices)) = choices { (self.choice(name, choices.iter().copied())) } @else {
                    input name=(name) value=(self.query.get(name).unwrap_or_default()) placeholder=(hint) size="11";
                }
            }
        }
    }

    /// One of few values, or none.
    fn choice<'c>(&self, name: &str, values: impl Iterator<Item = &'c str>) -> Markup {
        html! {
            select name=(name) {
                option value="" { "–" }
                @for value in values { option value=(value) selected[self.query.get(name) == Some(value)] { (value) } }
            }
        }
    }
}
