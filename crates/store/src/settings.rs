//! What the ledger itself has been told: the calendar in force.

use crate::backend::{Backend, Value, one, writing};
use crate::derive::DAYS_LOCK;
use crate::intake::new_mark;
use crate::{Error, Store};
use accounting::calendar::{Calendar, Stretch, TimeClass, all_days};
use accounting::day::Day;
use accounting::privacy::{Identity, Privacy};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// The calendar as the table of settings holds it.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    zone: String,
    classes: Vec<StoredClass>,
    working_days: Vec<u8>,
    holidays: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredClass {
    name: String,
    /// Weekdays (Monday = 0), first minute, minute after the last.
    stretches: Vec<(Vec<u8>, u16, u16)>,
}

fn stored(calendar: &Calendar) -> Stored {
    let class = |class: &TimeClass| StoredClass {
        name: class.name.clone(),
        stretches: class
            .stretches
            .iter()
            .map(|stretch| {
                let days = stretch.days.iter().map(|day| day.to_monday_zero_offset() as u8).collect();
                (days, stretch.from_minute, stretch.until_minute)
            })
            .collect(),
    };
    Stored {
        zone: calendar.zone_name().to_owned(),
        classes: calendar.classes().iter().map(class).collect(),
        working_days: calendar.working_days().iter().copied().collect(),
        holidays: calendar.holidays().iter().map(|(day, name)| (day.to_string(), name.clone())).collect(),
    }
}

fn restored(text: &str) -> Result<Calendar, Error> {
    let damaged = |what: String| Error::Corrupt(format!("the stored calendar: {what}"));
    let stored: Stored = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
    let weekday = |day: &u8| all_days().get(usize::from(*day)).copied();
    let classes = stored.classes.into_iter().map(|class| TimeClass {
        name: class.name,
        stretches: class
            .stretches
            .iter()
            .map(|(days, from_minute, until_minute)| Stretch {
                days: days.iter().filter_map(weekday).collect(),
                from_minute: *from_minute,
                until_minute: *until_minute,
            })
            .collect(),
    });
    let working: Vec<_> = stored.working_days.iter().filter_map(weekday).collect();
    let holidays =
        stored.holidays.into_iter().filter_map(|(day, name)| Some((day.parse::<Day>().ok()?, name)));
    Calendar::new(&stored.zone, classes.collect(), &working, holidays.collect())
        .map_err(|error| damaged(error.to_string()))
}

/// The calendar in force; the standard one in UTC where none was set.
pub(crate) fn calendar(backend: &mut dyn Backend) -> Result<Calendar, Error> {
    match one(backend, "select value from setting where name = 'calendar'", &[], |row| row.text(0))? {
        Some(text) => restored(&text),
        None => Calendar::standard("UTC").map_err(|error| Error::Corrupt(error.to_string())),
    }
}

fn set(backend: &mut dyn Backend, name: &str, value: String) -> Result<(), Error> {
    let sql = "insert into setting (name, value) values ($1, $2)
               on conflict (name) do update set value = excluded.value";
    backend.execute(sql, &[name.into(), value.into()])?;
    Ok(())
}

fn identity(backend: &mut dyn Backend) -> Result<String, Error> {
    let text = one(backend, "select value from setting where name = 'identity'", &[], |row| row.text(0))?;
    Ok(text.unwrap_or_else(|| Identity::Named.name().to_owned()))
}

/// Refuses to write about persons otherwise than the database has been told to keep them: another process may have another
/// configuration, or none.
pub(crate) fn check_identity(backend: &mut dyn Backend, privacy: &Privacy) -> Result<(), Error> {
    let (kept, ours) = (identity(backend)?, privacy.identity.name());
    if kept == ours {
        return Ok(());
    }
    Err(Error::Private(format!(
        "this database keeps persons as identity = \"{kept}\", this process has identity = \"{ours}\": give it the same \
         [privacy] in its configuration"
    )))
}

/// Organizations of fewer persons are shown together.
pub(crate) fn smallest_group(backend: &mut dyn Backend) -> Result<u32, Error> {
    let text =
        one(backend, "select value from setting where name = 'smallest_group'", &[], |row| row.text(0))?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or_default())
}

impl Store {
    /// The calendar in force: the database's own.
    pub fn calendar(&mut self) -> Result<Calendar, Error> {
        calendar(self.backend.as_mut())
    }

    /// Says what is kept of persons: by what this connection writes, and, of small organizations, by what all readers show.
    pub fn keep(&mut self, privacy: Privacy) -> Result<(), Error> {
        let backend = self.backend.as_mut();
        if smallest_group(backend)? != privacy.smallest_group {
            set(backend, "smallest_group", privacy.smallest_group.to_string())?;
        }
        if identity(backend)? != privacy.identity.name() {
            set(backend, "identity", privacy.identity.name().to_owned())?;
        }
        self.privacy = privacy;
        Ok(())
    }

    /// Whether a calendar was ever set.
    pub fn has_calendar(&mut self) -> Result<bool, Error> {
        let sql = "select value from setting where name = 'calendar'";
        Ok(one(self.backend.as_mut(), sql, &[], |row| row.text(0))?.is_some())
    }

    /// Puts a calendar in force; all feature days become dirty where it cuts time in another way.
    pub fn set_calendar(&mut self, calendar: &Calendar) -> Result<bool, Error> {
        let text = json!(stored(calendar)).to_string();
        let sql = "select value from setting where name = 'calendar'";
        if one(self.backend.as_mut(), sql, &[], |row| row.text(0))?.as_deref() == Some(&text) {
            return Ok(false);
        }
        writing(self.backend.as_mut(), |backend| {
            backend.share(DAYS_LOCK)?;
            let sql = "insert into setting (name, value) values ('calendar', $1)
                       on conflict (name) do update set value = excluded.value";
            backend.execute(sql, &[Value::Text(text)])?;
            backend.execute("delete from calendar_slot", &[])?;
            mark_all(backend)?;
            Ok(true)
        })
    }
}

/// Takes out all that is derived and marks every day on which anything happened.
pub(crate) fn mark_all(backend: &mut dyn Backend) -> Result<(), Error> {
    for sql in ["delete from feature_day_page", "delete from feature_day", "delete from feature_day_mark"] {
        backend.execute(sql, &[])?;
    }
    let zone = calendar(backend)?.zone().clone();
    let ranges = crate::backend::all(backend, include_str!("../queries/feature_ranges.sql"), &[], |row| {
        Ok((row.id(0)?, row.int(1)?, row.int(2)?))
    })?;
    for (feature, from, until) in ranges {
        let (first, last) = (Day::of(from, &zone), Day::of(until, &zone));
        let days: Vec<_> = (first.0..=last.0).map(|day| json!([feature, Day(day).to_string()])).collect();
        let params = [Value::Text(json!(days).to_string()), Value::Int(0), Value::Int(new_mark())];
        backend.execute(include_str!("../queries/mark_insert.sql"), &params)?;
    }
    Ok(())
}
