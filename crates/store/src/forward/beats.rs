//! Heartbeats of a site: told as the buckets that its ledger books, with the names that it keeps, and accepted at the central
//! service as if they had come there. Whatever comes twice counts once, for a bucket is a key there, too.

use super::part::{Beats, Part};
use super::put::{site, write};
use super::taking::checkpoint;
use super::{TakenPart, ahead};
use crate::backend::{Backend, one};
use crate::heartbeats::{Booked, NAME};
use crate::input::Checkpoint;
use crate::{Error, Store};
use accounting::UnixMs;
use accounting::pairing::InputId;
use accounting::privacy::Identity;
use rustc_hash::FxHashMap;

/// How many buckets a part has at most.
const TOGETHER: usize = 5_000;
/// How long a bucket may be, and how late a heartbeat, in milliseconds: a day.
const DAY: i64 = 86_400_000;
/// So long is waited for a site that tells nothing: what it tells later came too late. In milliseconds: two weeks.
const WAITED_FOR: i64 = 14 * DAY;

/// Whether this ledger forwards, or has done so: then what is booked is told, or counted as untold.
pub(crate) fn are_told(backend: &mut dyn Backend) -> Result<bool, Error> {
    Ok(one(backend, "select is_on from forward", &[], |row| row.int(0))?.is_some())
}

/// Writes the parts that tell of buckets that were booked. As with [`super::put`] it is the last thing of a transaction.
pub(crate) fn put_beats(
    backend: &mut dyn Backend,
    input: InputId,
    closed_at: UnixMs,
    booked: &[Booked],
) -> Result<(), Error> {
    for booked in booked.chunks(TOGETHER) {
        let Some(site) = site(backend, input)? else { continue };
        write(backend, site, input, of(beats(closed_at, booked)))?;
    }
    Ok(())
}

/// Writes the part that tells before when no more heartbeats are taken in, where any were told.
pub(crate) fn put_closed(backend: &mut dyn Backend, input: InputId, closed_at: UnixMs) -> Result<(), Error> {
    let sql = "select parts from forward_input where input_id = $1";
    if one(backend, sql, &[input.into()], |row| row.int(0))?.is_none() {
        return Ok(());
    }
    let Some(site) = site(backend, input)? else { return Ok(()) };
    write(backend, site, input, of(beats(closed_at, &[])))
}

fn of(beats: Beats) -> Part {
    Part { source: NAME.to_owned(), heartbeats: Some(beats), ..Part::default() }
}

/// Buckets with their names as lists.
fn beats(closed_at: UnixMs, booked: &[Booked]) -> Beats {
    let (mut features, mut versions) = (List::default(), List::default());
    let (mut persons, mut place_of) = (Vec::new(), FxHashMap::default());
    let mut buckets = Vec::with_capacity(booked.len());
    for Booked { feature, version, from, until, each, user, host } in booked {
        let person = *place_of.entry((user, host)).or_insert_with(|| {
            persons.push((user.clone(), host.clone()));
            persons.len() as u32 - 1
        });
        buckets.push((features.place(feature), versions.place(version), person, *from, *until, *each));
    }
    // Before any was closed: none came so late as a day.
    let earliest = booked.iter().map(|bucket| bucket.from - DAY).min().unwrap_or(closed_at);
    let closed_at = if closed_at == UnixMs::MIN { earliest } else { closed_at };
    Beats { closed_at, features: features.texts, versions: versions.texts, persons, buckets }
}

/// Texts, each once.
#[derive(Default)]
struct List<'t> {
    places: FxHashMap<&'t str, u32>,
    texts: Vec<String>,
}

impl<'t> List<'t> {
    fn place(&mut self, text: &'t str) -> u32 {
        *self.places.entry(text).or_insert_with(|| {
            self.texts.push(text.to_owned());
            self.texts.len() as u32 - 1
        })
    }
}

/// At the central service: takes in a part that tells heartbeats, which comes behind `known`.
pub(super) fn take(
    store: &mut Store,
    part: &Part,
    beats: &Beats,
    (known, now): (Option<&Checkpoint>, UnixMs),
) -> Result<TakenPart, Error> {
    if store.privacy.identity == Identity::Organization {
        return Err(Error::Private(
            "heartbeats of a site name persons, and identity = \"organization\" keeps none here".to_owned(),
        ));
    }
    if part.takes_out || !part.runs.is_empty() {
        return Ok(TakenPart::Refused("a part has heartbeats, or runs".to_owned()));
    }
    let booked = match booked(beats, now) {
        Ok(booked) => booked,
        Err(wrong) => return Ok(TakenPart::Refused(wrong)),
    };
    let ahead = (beats.buckets.len() - booked.len()) as u64;
    let closed_at = beats.closed_at.min(now);
    let late = store.accept_of_site((known, &checkpoint(part)), &booked, closed_at)?;
    Ok(if ahead + late > 0 { TakenPart::Partly(ahead + late) } else { TakenPart::Now })
}

/// What a part tells, of which nothing is believed; without buckets that lie ahead.
fn booked(beats: &Beats, now: UnixMs) -> Result<Vec<Booked>, String> {
    let text = |list: &[String], number: u32| {
        let text = list.get(number as usize).ok_or("a heartbeat names what is in no list of its part")?;
        clean(text)
    };
    let mut booked = Vec::with_capacity(beats.buckets.len());
    for &(feature, version, person, from, until, each) in &beats.buckets {
        let (user, host) =
            beats.persons.get(person as usize).ok_or("a heartbeat names nobody of its part")?;
        super::said::instant(from)?;
        if until <= from || until - from > DAY {
            return Err(format!("from {from} until {until} is no bucket of a heartbeat"));
        }
        let (feature, version) = (text(&beats.features, feature)?, text(&beats.versions, version)?);
        let (user, host) = (clean(user)?, clean(host)?);
        if user.is_empty() || feature.is_empty() {
            return Err("a heartbeat says who uses what".to_owned());
        }
        if !ahead::lies_ahead(from, now) {
            booked.push(Booked { feature, version, from, until, each, user, host });
        }
    }
    Ok(booked)
}

/// A name as a database can hold it.
fn clean(text: &str) -> Result<String, String> {
    if text.len() > crate::heartbeats::LONGEST {
        return Err(format!("a name of a heartbeat has more than {} bytes", crate::heartbeats::LONGEST));
    }
    Ok(text.replace('\0', "\u{fffd}"))
}

/// Before when heartbeats may be sealed at most: sites may still tell of what comes then. `before` where none may.
pub(crate) fn sealable(backend: &mut dyn Backend, before: UnixMs) -> Result<UnixMs, Error> {
    let sql = "select min(closed_at) from site_heartbeats where closed_at > $1";
    let waited_for = one(backend, sql, &[(before - WAITED_FOR).into()], |row| row.opt_int(0))?.flatten();
    Ok(waited_for.map_or(before, |closed| closed.min(before)))
}
