//! What is kept of the persons behind heartbeats.

use super::Heartbeat;
use crate::Error;
use crate::backend::{Backend, all};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::directory::Directory;
use accounting::privacy::{Identity, Key, Kind, Privacy};
use jiff::tz::TimeZone;
use rustc_hash::FxHashSet;
use serde_json::json;

/// A person as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// The login, or what stands for it; empty where nothing of the person is kept.
    pub(super) user: String,
    /// The host, or what stands for it.
    pub(super) host: String,
    /// The organization, where nothing else is kept.
    pub(super) organization: String,
    /// The number by which a bucket knows the person, where the login does not give it.
    pub(super) number: Option<[u8; 8]>,
}

/// What is kept of the persons of a batch.
pub(super) fn kept(
    backend: &mut dyn Backend,
    privacy: &Privacy,
    directory: &mut Option<(Directory, TimeZone)>,
    batch: &[&Heartbeat],
) -> Result<Vec<Kept>, Error> {
    let named = |beat: &&Heartbeat| Kept {
        user: login(beat),
        host: beat.host.clone(),
        organization: String::new(),
        number: None,
    };
    match (privacy.identity, privacy.keys.split_first()) {
        (Identity::Named, _) | (_, None) => Ok(batch.iter().map(named).collect()),
        (Identity::Pseudonymous, Some((key, former))) => with_former_keys(
            backend,
            former,
            batch,
            &mut |key| batch.iter().map(|beat| pseudonymous(beat, key)).collect(),
            key,
        ),
        (Identity::Organization, Some((key, former))) => {
            if directory.is_none() {
                let zone = crate::settings::calendar(backend)?.zone().clone();
                *directory = Some((Directory::new(crate::registry::entries(backend)?), zone));
            }
            let Some(directory) = directory else { return Err(Error::Conflict) };
            with_former_keys(backend, former, batch, &mut |key| of_organizations(directory, key, batch), key)
        }
    }
}

/// The user as the directory knows users.
fn login(beat: &Heartbeat) -> String {
    match beat.domain.as_str() {
        "" => beat.user.clone(),
        domain => format!("{domain}\\{}", beat.user),
    }
}

fn pseudonymous(beat: &Heartbeat, key: &Key) -> Kept {
    let host = if beat.host.is_empty() { String::new() } else { key.pseudonym(Kind::Place, &beat.host) };
    let user = key.pseudonym(Kind::Person, &login(beat));
    Kept { user, host, organization: String::new(), number: None }
}

/// A session that is open when the key changes keeps the old one until it ends: whoever has, under a former key, used this
/// bucket or the one before goes on under that key.
fn with_former_keys(
    backend: &mut dyn Backend,
    former: &[Key],
    batch: &[&Heartbeat],
    kept_under: &mut dyn FnMut(&Key) -> Vec<Kept>,
    key: &Key,
) -> Result<Vec<Kept>, Error> {
    let mut kept = kept_under(key);
    for key in former {
        let old = kept_under(key);
        let place = |old: &Kept, from: UnixMs| (super::record::number(old), from);
        let rows: Vec<_> = batch
            .iter()
            .zip(&old)
            .flat_map(|(beat, old)| {
                let before = beat.from - (beat.until - beat.from);
                [place(old, beat.from), place(old, before)]
            })
            .map(|(person, from)| json!([from, person]))
            .collect();
        let sql = include_str!("../../queries/heartbeat_there.sql");
        let there =
            all(backend, sql, &[json!(rows).to_string().into()], |row| Ok((row.int(1)?, row.int(0)?)))?;
        let there: FxHashSet<(i64, UnixMs)> = there.into_iter().collect();
        for ((beat, old), kept) in batch.iter().zip(old).zip(&mut kept) {
            let before = beat.from - (beat.until - beat.from);
            if there.contains(&place(&old, beat.from)) || there.contains(&place(&old, before)) {
                *kept = old;
            }
        }
    }
    Ok(kept)
}

/// The organization as of the day of use, and a number that nobody can compute without the key.
fn of_organizations((directory, zone): &(Directory, TimeZone), key: &Key, batch: &[&Heartbeat]) -> Vec<Kept> {
    let kept = batch.iter().map(|beat| {
        let login = login(beat);
        let organization = directory.organization(&login, Day::of(beat.from, zone)).unwrap_or_default();
        Kept { user: String::new(), host: String::new(), organization, number: Some(key.number(&login)) }
    });
    kept.collect()
}
