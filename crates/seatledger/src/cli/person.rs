//! `seatledger person`

use super::{Done, Global, say};
use crate::alerts::Words;
use crate::keys;
use crate::render::iso as instant;
use accounting::UnixMs;
use accounting::alert::Subject;
use accounting::privacy::Identity;
use accounting::session::{Ended, HolderId};
use anyhow::bail;
use clap::{Args, Subcommand};
use rustc_hash::FxHashSet;
use serde_json::{Value, json};
use store::{KnownOfPerson, Reader, Store};

const AFTER_HELP: &str = "\
Examples:
  seatledger person export 'CORP\\ann' > ann.json
  seatledger person forget 'CORP\\ann'
  seatledger person rotate";

/// A person's rights: export what the ledger knows of somebody, forget somebody, change the key of pseudonyms
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Person {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print all that the ledger knows of a person, as one JSON object
    #[command(after_help = "Example:\n  seatledger person export 'CORP\\ann' > ann.json")]
    Export {
        /// DOMAIN\LOGIN or LOGIN
        name: String,
    },
    /// Put a name that says nothing in the place of a person, everywhere; no figure changes
    #[command(after_help = "Example:\n  seatledger person forget 'CORP\\ann'")]
    Forget {
        /// DOMAIN\LOGIN or LOGIN
        name: String,
    },
    /// Put a new key of pseudonyms in force; sessions that are open keep the one before
    #[command(after_help = "Example:\n  seatledger person rotate && systemctl reload-or-restart seatledger")]
    Rotate,
}

impl Person {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::Export { name } => export(global, &name),
            Command::Forget { name } => forget(global, &name),
            Command::Rotate => rotate(global),
        }
    }
}

/// What the ledger knows of a person, who must be known to it.
fn known(store: &mut Store, name: &str) -> anyhow::Result<KnownOfPerson> {
    let known = store.known_of_person(name)?;
    if known == KnownOfPerson::default() {
        bail!(
            "the ledger knows nobody of the name {name}: write it as DOMAIN\\LOGIN or LOGIN, as license servers do"
        );
    }
    Ok(known)
}

fn export(global: &Global, name: &str) -> anyhow::Result<Done> {
    let (mut store, _) = global.create()?;
    store.tell_time(crate::clock::now());
    let known = known(&mut store, name)?;
    let zone = store.calendar()?.zone().clone();
    let (sessions, history) = store.read(|reader| {
        Ok((sessions_of(reader, &known.holders, &zone)?, history_of(reader, &known.holders, &zone)?))
    })?;
    let entry = |entry: &store::DirectoryRow| {
        json!({
            "login": entry.login, "domain": entry.domain, "organization": entry.organization, "project": entry.project,
            "valid_from": entry.valid_from.map(|day| day.to_string()),
            "valid_until": entry.valid_until.map(|day| day.to_string()),
        })
    };
    let whole = json!({
        "person": name,
        "users": known.users,
        "directory": known.directory.iter().map(entry).collect::<Vec<_>>(),
        "sessions": sessions,
        "history": history,
        "alerts": alerts_about(&mut store, &known.holders, &zone)?,
        "unrecognized_lines": known.lines,
    });
    say(&serde_json::to_string_pretty(&whole)?);
    Ok(Done::Well)
}

fn sessions_of(
    reader: &mut Reader<'_>,
    holders: &[HolderId],
    zone: &jiff::tz::TimeZone,
) -> Result<Vec<Value>, store::Error> {
    let (names, wanted) = (reader.names(), holders.iter().copied().collect::<FxHashSet<_>>());
    let mut features: Vec<_> = names.features.iter().collect();
    features.sort_by_key(|(_, feature)| &feature.code);
    let mut sessions = Vec::new();
    for (id, feature) in features {
        reader.sessions(*id, (UnixMs::MIN, UnixMs::MAX), false, &mut |row| {
            if let Some(holder) = names.holders.get(&row.part.holder).filter(|_| wanted.contains(&row.part.holder)) {
                let until = (row.part.ended != Ended::Open).then(|| instant(row.part.until, zone));
                sessions.push(json!({
                    "feature": feature.code, "version": names.versions.get(&row.part.version), "user": holder.user,
                    "host": holder.host, "display": holder.display,
                    "server": names.servers.get(&holder.server).map(|server| &server.name),
                    "seats": row.part.seats, "from": instant(row.part.from, zone), "until": until,
                    "ended": row.part.ended.as_str(),
                }));
            }
            Ok(())
        })?;
    }
    Ok(sessions)
}

/// What was raised about the person's sessions.
fn alerts_about(
    store: &mut Store,
    holders: &[HolderId],
    zone: &jiff::tz::TimeZone,
) -> anyhow::Result<Vec<Value>> {
    let is_about = |subject: &Subject| match subject {
        Subject::Session { holder, .. } => holders.contains(holder),
        Subject::Feature { .. }
        | Subject::Daemon { .. }
        | Subject::Expiry { .. }
        | Subject::Source { .. } => false,
    };
    let names = store.read(|reader| Ok(reader.names()))?;
    let words = Words::new(names, zone.clone(), None);
    let mut rows = Vec::new();
    for alert in store.alerts()?.into_iter().filter(|alert| is_about(&alert.subject)) {
        let what = words.sentence(&alert.subject, &alert.state.figures, alert.state.since);
        rows.push(json!({ "rule": alert.rule, "alert": what, "since": instant(alert.state.since, zone) }));
    }
    for past in store.past_alerts(UnixMs::MIN)?.into_iter().filter(|past| is_about(&past.subject)) {
        rows.push(json!({
            "rule": past.rule, "alert": words.sentence(&past.subject, &past.figures, past.raised_at),
            "since": instant(past.raised_at, zone), "cleared_at": instant(past.cleared_at, zone),
        }));
    }
    Ok(rows)
}

/// Denials and the like: what is no session's beginning or end.
fn history_of(
    reader: &mut Reader<'_>,
    holders: &[HolderId],
    zone: &jiff::tz::TimeZone,
) -> Result<Vec<Value>, store::Error> {
    let (names, wanted) = (reader.names(), holders.iter().copied().collect::<FxHashSet<_>>());
    let mut rows = Vec::new();
    reader.history((UnixMs::MIN, UnixMs::MAX), &mut |row| {
        if wanted.contains(&row.holder) && matches!(row.action, "denial" | "queued" | "dequeued") {
            rows.push(json!({
                "at": instant(row.at, zone), "action": row.action,
                "feature": names.features.get(&row.feature).map(|feature| &feature.code),
                "seats": row.seats, "reason": row.reason,
            }));
        }
        Ok(())
    })?;
    Ok(rows)
}

fn forget(global: &Global, name: &str) -> anyhow::Result<Done> {
    let (mut store, _) = global.create()?;
    known(&mut store, name)?;
    let done = store.forget_person(name)?;
    store.derive(&mut |_, _| ())?;
    say(&format!(
        "{} stands for this person now: {} holders, {} entries of the directory, {} lines cut to their shape",
        done.name, done.holders, done.directory, done.lines
    ));
    Ok(Done::Well)
}

fn rotate(global: &Global) -> anyhow::Result<Done> {
    let config = global.config()?.privacy;
    if config.identity == Identity::Named {
        bail!(
            "persons are kept by their names: there is no key without [privacy] identity = \"pseudonymous\""
        );
    }
    keys::privacy(&config)?;
    let keys = keys::rotate(&config.key_file)?;
    say(&format!(
        "{} holds {keys} keys, the first of them new: restart what serves",
        config.key_file.display()
    ));
    if config.identity == Identity::Pseudonymous {
        say("Import the directory again: whoever comes under the new key is found in it only then.");
    }
    Ok(Done::Well)
}
