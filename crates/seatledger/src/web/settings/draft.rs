//! A calendar as a form has it: texts, and what is wrong with them.

use super::form::Form;
use crate::config::stretch::{stretches, written};
use accounting::calendar::{Calendar, TimeClass, all_days, faults};
use accounting::day::Day;
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// More rows of time classes than a calendar may have.
const ROWS: usize = 40;

/// What somebody has written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    /// The days that are worked, Monday = 0.
    pub(super) working: BTreeSet<u8>,
    /// Names of time classes and their hours.
    pub(super) classes: Vec<(String, String)>,
    /// A day and its name a line.
    pub(super) holidays: String,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// `class0`, `classes` (all of them together) or `holidays`.
    pub(super) field: String,
    /// Why, and what would be right.
    pub(super) why: String,
}

impl Draft {
    /// A calendar as a form shows it.
    pub(super) fn of(calendar: &Calendar) -> Self {
        let hours = |class: &TimeClass| class.stretches.iter().map(written).collect::<Vec<_>>().join("; ");
        let holiday = |(day, name): (&Day, &String)| format!("{day} {name}\n");
        Self {
            working: calendar.working_days().clone(),
            classes: calendar.classes().iter().map(|class| (class.name.clone(), hours(class))).collect(),
            holidays: calendar.holidays().iter().map(holiday).collect(),
        }
    }

    /// What a form says; rows without anything in them are left out.
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: String| form.text(&name).trim().to_owned();
        let classes =
            (0..ROWS).map(|nth| (text(format!("class{nth}-name")), text(format!("class{nth}-hours"))));
        Self {
            working: (0..7).filter(|nth| !form.text(&format!("day{nth}")).is_empty()).collect(),
            classes: classes.filter(|(name, hours)| !name.is_empty() || !hours.is_empty()).collect(),
            holidays: form.text("holidays").replace('\r', ""),
        }
    }

    /// The same fields, out of sight.
    pub(super) fn hidden(&self) -> Markup {
        html! {
            @for day in &self.working { input type="hidden" name={ "day" (day) } value="1"; }
            @for (nth, (name, hours)) in self.classes.iter().enumerate() {
                input type="hidden" name={ "class" (nth) "-name" } value=(name);
                input type="hidden" name={ "class" (nth) "-hours" } value=(hours);
            }
            input type="hidden" name="holidays" value=(self.holidays);
        }
    }

    /// The calendar that it describes, or all that is wrong.
    pub(super) fn calendar(&self, zone: &str) -> Result<Calendar, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let classes = self.time_classes(&mut wrong);
        let holidays = self.holidays(&mut wrong);
        if wrong.iter().all(|wrong| wrong.field == "holidays") {
            wrong.extend(faults(&classes).iter().map(|fault| Wrong {
                field: "classes".to_owned(),
                why: format!("{} {}", written(&fault.stretch), fault.why()),
            }));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let working: Vec<_> =
            self.working.iter().filter_map(|day| all_days().get(usize::from(*day)).copied()).collect();
        Calendar::new(zone, classes, &working, holidays)
            .map_err(|error| vec![Wrong { field: "classes".to_owned(), why: error.to_string() }])
    }

    fn time_classes(&self, wrong: &mut Vec<Wrong>) -> Vec<TimeClass> {
        let mut classes: Vec<TimeClass> = Vec::new();
        for (nth, (name, hours)) in self.classes.iter().enumerate() {
            let mut complain = |why: String| wrong.push(Wrong { field: format!("class{nth}"), why });
            let mut class = TimeClass { name: name.clone(), stretches: Vec::new() };
            if name.is_empty() {
                complain("a time class needs a name, such as prime".to_owned());
            } else if classes.iter().any(|other| other.name == *name) {
                complain(format!(
                    "there is a time class `{name}` already: put its hours there, behind a semicolon"
                ));
            }
            if hours.is_empty() {
                complain(
                    "it has no hours: write some such as Mon-Fri 08:00-19:00, or take the name out"
                        .to_owned(),
                );
            }
            for text in hours.split(';').map(str::trim).filter(|text| !text.is_empty()) {
                match stretches(text) {
                    Ok(found) => class.stretches.extend(found),
                    Err(why) => complain(why),
                }
            }
            classes.push(class);
        }
        classes
    }

    fn holidays(&self, wrong: &mut Vec<Wrong>) -> BTreeMap<Day, String> {
        let mut holidays = BTreeMap::new();
        for (nth, line) in self.holidays.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut complain = |why: String| {
                wrong.push(Wrong { field: "holidays".to_owned(), why: format!("line {}: {why}", nth + 1) });
            };
            let (day, name) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
            match day.parse::<Day>() {
                Err(_) => complain(format!("`{day}` is no day: write one such as 2025-12-25 Christmas Day")),
                Ok(_) if name.trim().is_empty() => {
                    complain(format!("{day} has no name: write it behind the day"));
                }
                Ok(day) => {
                    if holidays.insert(day, name.trim().to_owned()).is_some() {
                        complain(format!("{day} is there twice: take it out once"));
                    }
                }
            }
        }
        holidays
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Wrong};
    use accounting::calendar::Calendar;

    fn draft(classes: &[(&str, &str)], holidays: &str) -> Draft {
        Draft {
            working: (0..5).collect(),
            classes: classes.iter().map(|(name, hours)| ((*name).to_owned(), (*hours).to_owned())).collect(),
            holidays: holidays.to_owned(),
        }
    }

    /// `field: why` of all that is wrong.
    fn check(draft: &Draft) -> Vec<String> {
        let wrong = draft.calendar("Europe/Zurich").expect_err("something is wrong");
        wrong.into_iter().map(|Wrong { field, why }| format!("{field}: {why}")).collect()
    }

    #[test]
    fn a_calendar_comes_back_as_it_was() {
        let standard = Calendar::standard("Europe/Zurich").unwrap();
        let own = draft(
            &[("night", "00:00-06:00; Sat,Sun 06:00-24:00"), ("day", "Mon-Fri 06:00-24:00")],
            "2025-12-25 Christmas Day\n\n2026-01-01  New Year's Day \n",
        );
        let own = own.calendar("Europe/Zurich").unwrap();
        assert_eq!(own.holidays().values().collect::<Vec<_>>(), ["Christmas Day", "New Year's Day"]);
        for calendar in [standard, own] {
            let again = Draft::of(&calendar).calendar(calendar.zone_name()).unwrap();
            assert_eq!(again.fingerprint(), calendar.fingerprint());
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        assert_eq!(
            check(&draft(&[("day", "Mon-Fri 08:00-19:00")], "")),
            [
                "classes: Mon-Fri 00:00-08:00 belongs to no time class: the classes must cover the whole week",
                "classes: Sat,Sun 00:00-24:00 belongs to no time class: the classes must cover the whole week",
                "classes: Mon-Fri 19:00-24:00 belongs to no time class: the classes must cover the whole week",
            ]
        );
        assert_eq!(
            check(&draft(&[("a", "00:00-24:00"), ("b", "Wed 08:00-09:00")], "")),
            ["classes: Wed 08:00-09:00 belongs to `a` and `b`: time classes must not overlap"]
        );
        assert_eq!(
            check(&draft(&[("", "08:00-19:00"), ("b", ""), ("c", "Mox 1:00-2:00")], "yesterday\n2025-01-01")),
            [
                "class0: a time class needs a name, such as prime",
                "class1: it has no hours: write some such as Mon-Fri 08:00-19:00, or take the name out",
                "class2: `Mox` is no day of the week: write one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
                "holidays: line 1: `yesterday` is no day: write one such as 2025-12-25 Christmas Day",
                "holidays: line 2: 2025-01-01 has no name: write it behind the day",
            ]
        );
        assert_eq!(
            check(&draft(&[("a", "00:00-24:00"), ("a", "")], "2025-01-01 x\n2025-01-01 y")),
            [
                "class1: there is a time class `a` already: put its hours there, behind a semicolon",
                "class1: it has no hours: write some such as Mon-Fri 08:00-19:00, or take the name out",
                "holidays: line 2: 2025-01-01 is there twice: take it out once",
            ]
        );
        assert_eq!(check(&draft(&[], "")).len(), 1, "the whole week is a gap");
    }
}
