//! The section `[calendar]`.

use super::document::{Entry, Wrong, line_at};
use super::stretch::{stretches, weekday};
use accounting::calendar::{Calendar, CalendarError, TimeClass, all_days};
use accounting::day::Day;
use jiff::civil::Weekday;
use std::collections::BTreeMap;

/// What the configuration says of the calendar; the standard calendar's where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CalendarConfig {
    /// The time classes in the order of the file.
    pub(crate) classes: Option<Vec<TimeClass>>,
    /// The line at which the classes begin: for messages.
    pub(crate) classes_line: Option<usize>,
    /// The days that are worked.
    pub(crate) working_days: Option<Vec<Weekday>>,
    /// The days that are not, with their names.
    pub(crate) holidays: BTreeMap<Day, String>,
}

impl CalendarConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>, text: &str) -> Result<Self, Wrong> {
        let mut calendar = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "classes" => {
                    calendar.classes = Some(classes(&entry)?);
                    calendar.classes_line = Some(line_at(text, entry.key_at()));
                }
                "working_days" => calendar.working_days = Some(working_days(&entry)?),
                "holidays" => calendar.holidays = holidays(&entry)?,
                _ => return Err(entry.unknown_key(&["classes", "working_days", "holidays"])),
            }
        }
        Ok(calendar)
    }

    /// The calendar in a zone.
    pub(super) fn calendar(&self, zone: &str) -> Result<Calendar, CalendarError> {
        let standard = Calendar::standard(zone)?;
        let classes = self.classes.clone().unwrap_or_else(|| standard.classes().to_vec());
        let days = self.working_days.as_deref().unwrap_or(&all_days()[..5]).to_vec();
        Calendar::new(zone, classes, &days, self.holidays.clone())
    }
}

fn classes(section: &Entry<'_>) -> Result<Vec<TimeClass>, Wrong> {
    let mut classes = Vec::new();
    for entry in section.table()? {
        let mut class = TimeClass { name: entry.key().to_owned(), stretches: Vec::new() };
        let texts = entry.texts()?;
        if texts.is_empty() {
            let example = "give it one such as \"Mon-Fri 08:00-19:00\"";
            return Err(
                entry.wrong(format!("time class `{}` has no stretch of the week: {example}", class.name))
            );
        }
        for (text, at) in texts {
            class.stretches.extend(stretches(&text).map_err(|message| Wrong::new(at, message))?);
        }
        classes.push(class);
    }
    if classes.is_empty() {
        let standard = "take [calendar.classes] out for prime, regular-overnight and regular-overtime";
        return Err(section.wrong_key(format!("there is no time class: {standard}")));
    }
    Ok(classes)
}

fn working_days(entry: &Entry<'_>) -> Result<Vec<Weekday>, Wrong> {
    let mut days = Vec::new();
    for (text, at) in entry.texts()? {
        let day = weekday(&text).map_err(|message| Wrong::new(at, message))?;
        if days.contains(&day) {
            return Err(Wrong::new(at, format!("`{text}` is there twice: take it out once")));
        }
        days.push(day);
    }
    Ok(days)
}

fn holidays(section: &Entry<'_>) -> Result<BTreeMap<Day, String>, Wrong> {
    let mut holidays = BTreeMap::new();
    for entry in section.table()? {
        let day: Day = entry.key().parse().map_err(|error| {
            entry.wrong_key(format!("{error} in quotes, such as \"2025-01-01\" = \"New Year\""))
        })?;
        holidays.insert(day, entry.text()?);
    }
    Ok(holidays)
}
