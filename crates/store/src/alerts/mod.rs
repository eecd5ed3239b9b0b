//! Alerts: what is raised and was raised, and the messages that wait to be sent.
//!
//! A change of an alert and the messages about it are one transaction, and each alert is moved by compare-and-set: of any
//! number of processes one tells, and a process that is killed between raising and sending leaves the message behind.

mod messages;
mod seen;

pub use messages::Waiting;

use crate::backend::{Backend, Row, Value, all, writing};
use crate::{Error, Store};
use accounting::UnixMs;
use accounting::alert::{Figures, Phase, State, Subject, When};
use serde_json::{Value as Json, json};

/// An alert that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The rule.
    pub rule: String,
    /// The rule's kind.
    pub when: When,
    /// What it is about.
    pub subject: Subject,
    /// How it is.
    pub state: State,
    /// Moved by every change.
    pub sequence: i64,
}

/// What becomes of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChange {
    /// The rule.
    pub rule: String,
    /// The rule's kind.
    pub when: When,
    /// What it is about.
    pub subject: Subject,
    /// The sequence number that it was read with; `None` where nothing was remembered.
    pub before: Option<i64>,
    /// How it is from now on; `None`: nothing is remembered.
    pub state: Option<State>,
    /// What ends with this change.
    pub ended: Option<PastAlert>,
}

/// An alert that was raised and is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAlert {
    /// The rule.
    pub rule: String,
    /// The rule's kind.
    pub when: When,
    /// What it was about.
    pub subject: Subject,
    /// From when.
    pub raised_at: UnixMs,
    /// Until when.
    pub cleared_at: UnixMs,
    /// What was seen when its condition held last.
    pub figures: Figures,
}

impl Store {
    /// All that is remembered of alerts, by rule.
    pub fn alerts(&mut self) -> Result<Vec<Alert>, Error> {
        let sql = "select rule, kind, subject, phase, since_at, raised_at, changing_at, told_at, level, figures, sequence
                   from alert order by rule, subject";
        all(self.backend.as_mut(), sql, &[], alert_of)
    }

    /// What was raised and is over since an instant, the latest first.
    pub fn past_alerts(&mut self, since: UnixMs) -> Result<Vec<PastAlert>, Error> {
        let sql = "select rule, kind, subject, raised_at, cleared_at, figures from alert_past
                   where cleared_at >= $1 order by cleared_at desc, rule, subject, raised_at";
        all(self.backend.as_mut(), sql, &[since.into()], |row| {
            Ok(PastAlert {
                rule: row.text(0)?,
                when: row.with_text(1, when_of)??,
                subject: row.with_text(2, subject_of)??,
                raised_at: row.int(3)?,
                cleared_at: row.int(4)?,
                figures: row.with_text(5, figures_of)??,
            })
        })
    }

    /// Changes alerts and writes the messages about it, all or nothing: [`Error::Conflict`] where another process has
    /// changed one of them. `messages` are pairs of a receiver and what is to be sent.
    pub fn change_alerts(
        &mut self,
        changes: &[AlertChange],
        messages: &[(String, String)],
        now: UnixMs,
    ) -> Result<(), Error> {
        if changes.is_empty() && messages.is_empty() {
            return Ok(());
        }
        let mut changes: Vec<(String, &AlertChange)> =
            changes.iter().map(|change| (subject_text(&change.subject), change)).collect();
        // In one order for all processes: none waits for another in a circle.
        changes.sort_by(|(one, a), (other, b)| (&a.rule, one).cmp(&(&b.rule, other)));
        writing(self.backend.as_mut(), |backend| {
            for (subject, change) in &changes {
                if write(backend, subject, change)? != 1 {
                    return Err(Error::Conflict);
                }
                if let Some(ended) = &change.ended {
                    write_past(backend, subject, ended)?;
                }
            }
            messages::insert(backend, messages, now)
        })
    }
}

/// Moves an alert from the sequence number that it was read with; returns how many rows that changed.
fn write(backend: &mut dyn Backend, subject: &str, change: &AlertChange) -> Result<u64, Error> {
    let rule = Value::from(change.rule.as_str());
    let subject = Value::from(subject);
    let Some(state) = &change.state else {
        let sql = "delete from alert where rule = $1 and subject = $2 and sequence = $3";
        // What was not remembered and is not remembered is no change.
        let Some(before) = change.before else { return Ok(1) };
        return backend.execute(sql, &[rule, subject, before.into()]);
    };
    let (phase, raised_at, changing_at) = match state.phase {
        Phase::Pending => (0, None, None),
        Phase::Raised { at, clearing } => (1, Some(at), clearing),
        Phase::Cleared { raised_at, at } => (2, Some(raised_at), Some(at)),
    };
    let mut params = vec![
        rule,
        subject,
        change.when.as_str().into(),
        Value::Int(phase),
        state.since.into(),
        raised_at.into(),
        changing_at.into(),
        state.told_at.into(),
        state.level.into(),
        json!(state.figures).to_string().into(),
    ];
    let Some(before) = change.before else {
        return backend.execute(include_str!("../../queries/alert_insert.sql"), &params);
    };
    params.push(before.into());
    backend.execute(include_str!("../../queries/alert_update.sql"), &params)
}

fn write_past(backend: &mut dyn Backend, subject: &str, past: &PastAlert) -> Result<(), Error> {
    let sql = "insert into alert_past (rule, subject, raised_at, cleared_at, kind, figures)
               values ($1, $2, $3, $4, $5, $6)
               on conflict (rule, subject, raised_at) do update set cleared_at = excluded.cleared_at";
    let params = [
        past.rule.as_str().into(),
        subject.into(),
        past.raised_at.into(),
        past.cleared_at.into(),
        past.when.as_str().into(),
        json!(past.figures).to_string().into(),
    ];
    backend.execute(sql, &params).map(|_| ())
}

fn alert_of(row: &Row<'_>) -> Result<Alert, Error> {
    let (raised_at, changing_at) = (row.opt_int(5)?, row.opt_int(6)?);
    let since = row.int(4)?;
    let at = raised_at.unwrap_or(since);
    let phase = match row.int(3)? {
        0 => Phase::Pending,
        1 => Phase::Raised { at, clearing: changing_at },
        2 => Phase::Cleared { raised_at: at, at: changing_at.unwrap_or(at) },
        other => return Err(Error::Corrupt(format!("phase {other} of an alert"))),
    };
    Ok(Alert {
        rule: row.text(0)?,
        when: row.with_text(1, when_of)??,
        subject: row.with_text(2, subject_of)??,
        state: State {
            phase,
            since,
            told_at: row.opt_int(7)?,
            level: row.id(8)?,
            figures: row.with_text(9, figures_of)??,
        },
        sequence: row.int(10)?,
    })
}

fn when_of(text: &str) -> Result<When, Error> {
    let found = When::words().into_iter().find(|(word, _)| *word == text);
    found.map(|(_, when)| when).ok_or_else(|| Error::Corrupt(format!("kind `{text}` of an alert")))
}

fn figures_of(text: &str) -> Result<Figures, Error> {
    serde_json::from_str(text).map_err(|_| Error::Corrupt("figures of an alert".to_owned()))
}

/// A subject as the ledger keeps it: numbers of its tables, so that it names nobody by itself.
pub fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Feature { feature, server } => json!(["feature", feature, server]),
        Subject::Daemon { server, vendor } => json!(["daemon", server, vendor]),
        Subject::Expiry { server, vendor, feature, version, day } => {
            json!(["expiry", server, vendor, feature, version, day.0])
        }
        Subject::Session { feature, holder, from, handle } => {
            json!(["session", feature, holder, from, handle])
        }
        Subject::Source { name } => json!(["source", name]),
    }
    .to_string()
}

/// The subject of such a text.
pub fn subject_of(text: &str) -> Result<Subject, Error> {
    let wrong = || Error::Corrupt("subject of an alert".to_owned());
    let parts: Vec<Json> = serde_json::from_str(text).map_err(|_| wrong())?;
    let number = |at: usize| parts.get(at).and_then(Json::as_i64).ok_or_else(wrong);
    let id = |at: usize| number(at).and_then(|id| u32::try_from(id).map_err(|_| wrong()));
    let text = |at: usize| parts.get(at).and_then(Json::as_str).map(str::to_owned).ok_or_else(wrong);
    Ok(match text(0)?.as_str() {
        "feature" => Subject::Feature { feature: id(1)?, server: id(2).ok() },
        "daemon" => Subject::Daemon { server: id(1)?, vendor: text(2)? },
        "expiry" => Subject::Expiry {
            server: id(1)?,
            vendor: text(2)?,
            feature: id(3)?,
            version: text(4)?,
            day: accounting::day::Day(i32::try_from(number(5)?).map_err(|_| wrong())?),
        },
        "session" => Subject::Session { feature: id(1)?, holder: id(2)?, from: number(3)?, handle: text(4)? },
        "source" => Subject::Source { name: text(1)? },
        _ => return Err(wrong()),
    })
}
