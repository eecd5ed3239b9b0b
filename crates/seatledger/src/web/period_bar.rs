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
}

/// What a page may be narrowed by with a field of its own.
const SHORTCUTS: [(&str, Option<i32>); 4] =
    [("7", Some(7)), ("30", Some(30)), ("365", Some(365)), ("all", None)];

impl Bar<'_> {
    pub(super) fn markup(&self) -> Markup {
        let texts = self.asker.texts();
        let hidden = |name: &str| {
            self.query.get(name).map(|value| html! { input type="hidden" name=(name) value=(value); })
        };
        html! {
            div.period {
                ul.shortcuts aria-label=(texts.say("period")) {
                    @for (name, days) in SHORTCUTS {
                        @let period = self.period.last(days);
                        @let is_here = period == *self.period;
                        li {
                            a href=(self.asker.view.to(&period.set(self.query).behind(self.path))) aria-current=[is_here.then_some("true")] {
                                (texts.say(match name { "7" => "period.7", "30" => "period.30", "365" => "period.365", _ => "period.all" }))
                            }
                        }
                    }
                }
                form method="get" action=(self.asker.view.to(self.path)) {
                    @for name in ["code", "by", "step", "sort", "action"] { @if !self.fields.contains(&name) { @if let Some(field) = hidden(name) { (field) } } }
                    label { span { (texts.say("from")) } input type="date" name="from" value=(self.period.from); }
                    label { span { (texts.say("until")) } input type="date" name="until" value=(self.period.until); }
                    @for name in self.fields {
                        label { span { (texts.column(name)) } input name=(name) value=(self.query.get(name).unwrap_or_default()) placeholder="*" size="12"; }
                    }
                    @if !self.classes.is_empty() {
                        label {
                            span { (texts.column("time_class")) }
                            select name="time-class" {
                                option value="" { (texts.say("class.all")) }
                                @for class in self.classes {
                                    option value=(class) selected[self.query.get("time-class") == Some(class)] { (class) }
                                }
                            }
                        }
                    }
                    button type="submit" { (texts.say("show")) }
                }
            }
        }
    }
}
