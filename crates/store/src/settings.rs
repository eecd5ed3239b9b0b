//! What the ledger itself has been told: the calendar in force.

use crate::backend::{Backend, Value, one, writing};
use crate::derive::{CALENDAR_LOCK, DAYS_LOCK};
use crate::heartbeats::{CLOSED, LOCK, SEALED, book_first};
use crate::intake::new_mark;
use crate::persons::FORGOTTEN;
use crate::{Error, Store};
use accounting::UnixMs;
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

pub(crate) fn set(backend: &mut dyn Backend, name: &str, value: String) -> Result<(), Error> {
    let sql = "insert into setting (name, value) values ($1, $2)
               on conflict (name) do update set value = excluded.value";
    backend.execute(sql, &[name.into(), value.into()])?;
    Ok(())
}

fn take_over(backend: &mut dyn Backend, privacy: &Privacy) -> Result<(), Error> {
    set(backend, "identity", privacy.identity.name().to_owned())?;
    match privacy.keys.first() {
        Some(key) => set(backend, "key", key.fingerprint()),
        None => backend.execute("delete from setting where name = 'key'", &[]).map(drop),
    }
}

/// Settings that another process may change at any time.
#[derive(Debug)]
pub(crate) struct Changing {
    /// Before when no heartbeat is taken in any more.
    pub(crate) closed: UnixMs,
    /// How often holders were renamed or removed.
    pub(crate) forgotten: u64,
    identity: Option<String>,
    key: Option<String>,
}

impl Changing {
    pub(crate) fn read(backend: &mut dyn Backend) -> Result<Self, Error> {
        let mut changing = Self { closed: UnixMs::MIN, forgotten: 0, identity: None, key: None };
        let sql = "select name, value from setting where name in ($1, $2, $3, 'identity', 'key')";
        backend.query(sql, &[SEALED.into(), CLOSED.into(), FORGOTTEN.into()], &mut |row| {
            let (name, value) = (row.text(0)?, row.text(1)?);
            let wrong = || Error::Corrupt(format!("setting {name} `{value}`"));
            match name.as_str() {
                SEALED | CLOSED => {
                    changing.closed = changing.closed.max(value.parse().map_err(|_| wrong())?);
                }
                FORGOTTEN => changing.forgotten = value.parse().map_err(|_| wrong())?,
                "identity" => changing.identity = Some(value),
                _ => changing.key = Some(value),
            }
            Ok(())
        })?;
        Ok(changing)
    }

    /// Refuses to write about persons otherwise than the database has been told to keep them: another process may have
    /// another configuration, or none.
    pub(crate) fn check(&self, privacy: &Privacy) -> Result<(), Error> {
        let ours = privacy.identity.name();
        let kept = self.identity.as_deref().unwrap_or(Identity::Named.name());
        if kept != ours {
            return Err(Error::Private(format!(
                "this ledger keeps persons as identity = \"{kept}\", the configuration says \"{ours}\": give this process the \
                 same [privacy], or change the ledger's with `seatledger db privacy`"
            )));
        }
        match (&self.key, privacy.keys.first()) {
            (Some(theirs), Some(ours)) if *theirs != ours.fingerprint() => Err(Error::Private(
                "this ledger's pseudonyms were made with another key than the first one of key_file: give this process the \
                 same file, and start it again after `seatledger person rotate`"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// As [`Changing::check`], with what the database says now.
pub(crate) fn check_identity(backend: &mut dyn Backend, privacy: &Privacy) -> Result<(), Error> {
    Changing::read(backend)?.check(privacy)
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

    /// Says what is kept of persons by what this connection writes. A ledger that holds nobody yet takes it over; one that
    /// keeps them otherwise is refused. A new key that comes before the ledger's own is put in force.
    pub fn keep(&mut self, privacy: Privacy) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(LOCK)?;
            // Who was accepted is somebody whom the ledger holds; and who goes on under a former key is told by what is booked.
            book_first(backend)?;
            let kept = Changing::read(backend)?;
            let sql = "select holder_id from holder limit 1";
            if kept.identity.is_none() && one(backend, sql, &[], |row| row.id(0))?.is_none() {
                return take_over(backend, &privacy);
            }
            let is_former =
                |key: &String| privacy.keys.iter().skip(1).any(|former| former.fingerprint() == *key);
            if kept.identity.as_deref() == Some(privacy.identity.name())
                && kept.key.as_ref().is_some_and(is_former)
            {
                return take_over(backend, &privacy);
            }
            kept.check(&privacy)
        })?;
        if let Some(smallest) = privacy.smallest_group
            && smallest_group(self.backend.as_mut())? != smallest
        {
            set(self.backend.as_mut(), "smallest_group", smallest.to_string())?;
        }
        self.privacy = privacy;
        Ok(())
    }

    /// Puts another identity, or other keys, in force in a ledger that keeps persons otherwise. What it holds stays as it is.
    pub fn change_privacy(&mut self, privacy: &Privacy) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(LOCK)?;
            let sql = "select waiting_parts from forward where waiting_parts > 0";
            if let Some(parts) = one(backend, sql, &[], |row| row.int(0))? {
                return Err(Error::Private(format!(
                    "{parts} parts wait for the central service that keep persons as before: let it take them first, with \
                     the configuration as it was"
                )));
            }
            // What was accepted is kept as it was promised then, and who goes on is told by what is booked.
            book_first(backend)?;
            take_over(backend, privacy)
        })
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
            lock_calendar(backend)?;
            let sql = "insert into setting (name, value) values ('calendar', $1)
                       on conflict (name) do update set value = excluded.value";
            backend.execute(sql, &[Value::Text(text)])?;
            cut_anew(backend)?;
            Ok(true)
        })
    }

    /// As [`Self::set_calendar`], where the calendar in force is still the one that was looked at; whether it was.
    pub fn change_calendar(&mut self, calendar: &Calendar, was: &Calendar) -> Result<bool, Error> {
        let [text, before] = [calendar, was].map(|calendar| Value::Text(json!(stored(calendar)).to_string()));
        writing(self.backend.as_mut(), |backend| {
            lock_calendar(backend)?;
            let sql = "update setting set value = $1 where name = 'calendar' and value = $2";
            if backend.execute(sql, &[text, before])? == 0 {
                return Ok(false);
            }
            cut_anew(backend)?;
            Ok(true)
        })
    }
}

/// Waits for whoever marks or stores days by the calendar in force.
fn lock_calendar(backend: &mut dyn Backend) -> Result<(), Error> {
    backend.lock(CALENDAR_LOCK)?;
    backend.lock(DAYS_LOCK)
}

/// Lets go of what was cut by the calendar before.
fn cut_anew(backend: &mut dyn Backend) -> Result<(), Error> {
    backend.execute("delete from calendar_slot", &[])?;
    mark_all(backend)
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
