//! Booking heartbeats: a batch is one transaction, and one statement where its names are known.

use super::kept::{Kept, kept};
use super::{Booked, FORMAT, LOCK, NAME, source};
use crate::backend::{Backend, Cell, Table, Type, Value, one, writing};
use crate::intake::{names_of, new_holders};
use crate::{Error, Store, forward, settings};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::directory::Directory;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::privacy::Privacy;
use accounting::session::{FeatureId, HolderId, VersionId};
use jiff::tz::TimeZone;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use sha2::{Digest, Sha256};

/// What a bucket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BucketScope {
    /// A person: the first feature and version seen in a bucket gets it.
    #[default]
    Person,
    /// A person and a feature.
    PersonAndFeature,
}

/// A person used a bucket. Persons and hosts are compared as they are: whoever takes heartbeats in writes them in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// The domain of the user; empty where there is none.
    pub domain: String,
    /// The user.
    pub user: String,
    /// The host; empty where it was not told.
    pub host: String,
    /// What is used.
    pub feature: String,
    /// Its version.
    pub version: String,
    /// The bucket's beginning.
    pub from: UnixMs,
    /// The bucket's end.
    pub until: UnixMs,
    /// What the bucket belongs to.
    pub scope: BucketScope,
}

/// What became of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Buckets that nobody had told of.
    pub new: u64,
    /// The places in the batch of heartbeats whose buckets are sealed: they were not taken in.
    pub late: Vec<usize>,
}

/// How many holders are remembered, so that memory is bounded whoever says that he is there: as many as a table of a million
/// places takes before it grows.
const HOLDERS_REMEMBERED: usize = 900_000;
/// How many texts of a kind are remembered.
const TEXTS_REMEMBERED: usize = 1 << 14;

/// What a connection knows of the ledger while it takes heartbeats in: all of it was committed.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(super) source: Option<(ServerId, InputId)>,
    closed: UnixMs,
    zone: Option<TimeZone>,
    features: FxHashMap<String, FeatureId>,
    versions: FxHashMap<String, VersionId>,
    /// By a hash of domain, user and host.
    holders: FxHashMap<[u8; 16], HolderId>,
    /// Feature days that are marked as unsettled.
    marked: FxHashSet<(FeatureId, Day)>,
    /// Since when this connection watches.
    watching_since: Option<UnixMs>,
    /// How often somebody had been forgotten when holders were found.
    forgotten: u64,
    /// The directory and the zone of its days, where organizations are all that is kept; read anew once a minute.
    directory: Option<(Directory, TimeZone)>,
}

/// A heartbeat in the ledger's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Beat {
    from: UnixMs,
    person: i64,
    slot: i64,
    /// The first of a batch gets the slot.
    nth: usize,
    until: UnixMs,
    feature: FeatureId,
    version: VersionId,
    holder: HolderId,
}

const HEARTBEAT: Table<'static> = Table {
    name: "heartbeat",
    columns: &[
        ("from_at", Type::Int),
        ("person", Type::Int),
        ("slot", Type::Int),
        ("until_at", Type::Int),
        ("feature_id", Type::Int),
        ("version_id", Type::Int),
        ("holder_id", Type::Int),
    ],
};

/// Names that a transaction is the first to use, in the ledger's numbers; remembered once they are committed.
#[derive(Debug, Default)]
pub(crate) struct News {
    features: FxHashMap<String, FeatureId>,
    versions: FxHashMap<String, VersionId>,
    holders: FxHashMap<[u8; 16], HolderId>,
    marked: FxHashSet<(FeatureId, Day)>,
    /// What a central service is to be told, at the end of the transaction.
    booked: Vec<Booked>,
}

impl Store {
    /// Books heartbeats: all of them or none, but for those whose buckets are sealed; what it returns is durable.
    pub fn record_heartbeats(&mut self, batch: &[Heartbeat]) -> Result<Recorded, Error> {
        let (known, privacy) = (&mut self.heartbeats, &self.privacy);
        let backend = self.backend.as_mut();
        known.find_source(backend)?;
        let (news, recorded) = writing(backend, |backend| {
            forward::room(backend)?;
            // Who seals, or changes persons, takes this lock alone: what is read now holds until the end.
            backend.share(LOCK)?;
            let mut news = News::default();
            // What is new is told, and what was accepted before is not.
            known.book_all(backend, &mut news)?;
            let (in_time, late) = known.in_time(backend, privacy, batch)?;
            let kept = known.kept(backend, privacy, &in_time)?;
            let new = known.enter(backend, &in_time, &kept, &mut news)?;
            known.tell(backend, &mut news)?;
            Ok((news, Recorded { new, late }))
        })?;
        known.remember(news);
        Ok(recorded)
    }

    /// Notes that heartbeats were awaited until an instant; so long is the ledger's coverage. Fails where none could be
    /// recorded.
    pub fn watch_heartbeats(&mut self, until: UnixMs) -> Result<(), Error> {
        let (known, privacy) = (&mut self.heartbeats, &self.privacy);
        let backend = self.backend.as_mut();
        known.find_source(backend)?;
        let Some((server, input)) = known.source else { return Ok(()) };
        let since = *known.watching_since.get_or_insert(until);
        let row = json!([[server, "", input, 0, since, until, 1, 0]]);
        writing(backend, |backend| {
            known.refresh(backend, Some(privacy))?;
            let sql = include_str!("../../queries/span_upsert.sql");
            backend.execute(sql, &[Value::Text(row.to_string())])
        })?;
        // The calendar may have been changed, and with it what is marked; and the directory.
        known.zone = None;
        known.marked.clear();
        known.directory = None;
        Ok(())
    }
}

fn booked(beat: &Heartbeat, kept: &Kept) -> Booked {
    Booked {
        feature: beat.feature.clone(),
        version: beat.version.clone(),
        from: beat.from,
        until: beat.until,
        each: beat.scope == BucketScope::PersonAndFeature,
        user: kept.user.clone(),
        host: kept.host.clone(),
    }
}

/// Who and where, as 32 bytes: the first 8 are the person's number, the last 16 those of the holder.
fn hash(kept: &Kept) -> [u8; 32] {
    let Kept { user, host, organization, number } = kept;
    let of_holder = Sha256::new().chain_update(user).chain_update([0]).chain_update(host).chain_update([0]);
    let mut hash: [u8; 32] = of_holder.chain_update(organization).finalize().into();
    let of_person = || Sha256::digest(user.as_bytes());
    hash[..8].copy_from_slice(&number.unwrap_or_else(|| first_eight(&of_person())));
    hash
}

fn first_eight(hash: &[u8]) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash[..8]);
    bytes
}

/// The number of a person.
pub(super) fn number(kept: &Kept) -> i64 {
    person(&hash(kept))
}

fn person(hash: &[u8; 32]) -> i64 {
    i64::from_be_bytes(first_eight(hash))
}

fn holder_key(hash: &[u8; 32]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[16..]);
    bytes
}

impl Known {
    /// Finds, or makes, what stands for the license server and the input of heartbeats.
    pub(super) fn find_source(&mut self, backend: &mut dyn Backend) -> Result<(), Error> {
        if self.source.is_some() {
            return Ok(());
        }
        self.source = source(backend)?;
        if self.source.is_none() {
            self.source = Some(writing(backend, make_source)?);
        }
        Ok(())
    }

    /// Tells a central service what was booked, where there is one: the last thing of a transaction.
    pub(super) fn tell(&self, backend: &mut dyn Backend, news: &mut News) -> Result<(), Error> {
        match self.source {
            Some((_, input)) => {
                forward::put_beats(backend, input, self.closed, &std::mem::take(&mut news.booked))
            }
            None => Ok(()),
        }
    }

    /// Reads what others may have changed, and gives before when no heartbeat is taken in any more: before when all is sealed, whether holders that are remembered are still there,
    /// and what the database keeps of persons.
    pub(super) fn refresh(
        &mut self,
        backend: &mut dyn Backend,
        privacy: Option<&Privacy>,
    ) -> Result<UnixMs, Error> {
        let settings = settings::Changing::read(backend)?;
        privacy.map_or(Ok(()), |privacy| settings.check(privacy))?;
        self.closed = settings.closed;
        if std::mem::replace(&mut self.forgotten, settings.forgotten) != settings.forgotten {
            self.holders.clear();
        }
        Ok(self.closed)
    }

    /// The heartbeats of a batch whose buckets are not sealed, and the places of the others.
    pub(super) fn in_time<'b>(
        &mut self,
        backend: &mut dyn Backend,
        privacy: &Privacy,
        batch: &'b [Heartbeat],
    ) -> Result<(Vec<&'b Heartbeat>, Vec<usize>), Error> {
        self.refresh(backend, Some(privacy))?;
        let is_late = |(_, beat): &(usize, &Heartbeat)| beat.from < self.closed;
        let late = batch.iter().enumerate().filter(is_late).map(|(nth, _)| nth).collect();
        Ok((batch.iter().filter(|beat| beat.from >= self.closed).collect(), late))
    }

    /// What is kept of the persons of a batch.
    pub(super) fn kept(
        &mut self,
        backend: &mut dyn Backend,
        privacy: &Privacy,
        batch: &[&Heartbeat],
    ) -> Result<Vec<Kept>, Error> {
        kept(backend, privacy, &mut self.directory, batch)
    }

    /// Enters heartbeats of persons of whom it is decided what is kept; returns how many buckets are new.
    pub(super) fn enter(
        &mut self,
        backend: &mut dyn Backend,
        batch: &[&Heartbeat],
        kept: &[Kept],
        news: &mut News,
    ) -> Result<u64, Error> {
        if forward::are_told(backend)? {
            news.booked.extend(batch.iter().zip(kept).map(|(beat, kept)| booked(beat, kept)));
        }
        let hashes: Vec<[u8; 32]> = kept.iter().map(hash).collect();
        if let Some(beats) = self.beats(batch, &hashes, news, true) {
            return insert(backend, &beats);
        }
        self.name(backend, batch, kept, &hashes, news)?;
        let beats = self.beats(batch, &hashes, news, false).ok_or(Error::Conflict)?;
        self.mark(backend, &beats, news)?;
        insert(backend, &beats)
    }

    /// A batch in the ledger's numbers; `None` where a name is not known, or, where that matters, a day not marked.
    fn beats(
        &self,
        batch: &[&Heartbeat],
        hashes: &[[u8; 32]],
        news: &News,
        if_marked: bool,
    ) -> Option<Vec<Beat>> {
        let mut days = DayOf::default();
        let mut beats = Vec::with_capacity(batch.len());
        for ((nth, beat), hash) in batch.iter().enumerate().zip(hashes) {
            let feature = *self.features.get(&beat.feature).or_else(|| news.features.get(&beat.feature))?;
            let version = *self.versions.get(&beat.version).or_else(|| news.versions.get(&beat.version))?;
            let key = holder_key(hash);
            let holder = *self.holders.get(&key).or_else(|| news.holders.get(&key))?;
            if if_marked {
                let day = (feature, days.of(beat.from, self.zone.as_ref()?));
                if !self.marked.contains(&day) && !news.marked.contains(&day) {
                    return None;
                }
            }
            let slot = match beat.scope {
                BucketScope::Person => 0,
                BucketScope::PersonAndFeature => i64::from(feature),
            };
            let (from, until, person) = (beat.from, beat.until, person(hash));
            beats.push(Beat { from, person, slot, nth, until, feature, version, holder });
        }
        // In the order of the key, so that two processes never wait for each other.
        beats.sort_unstable();
        beats.dedup_by_key(|beat| (beat.from, beat.person, beat.slot));
        Some(beats)
    }

    /// Gives the ledger the names that it does not hold.
    fn name(
        &self,
        backend: &mut dyn Backend,
        batch: &[&Heartbeat],
        kept: &[Kept],
        hashes: &[[u8; 32]],
        news: &mut News,
    ) -> Result<(), Error> {
        let Some((server, _)) = self.source else { return Err(Error::Conflict) };
        let features = unknown(batch, |beat| &beat.feature, [&self.features, &news.features]);
        let ids = names_of(backend, "feature", "feature_id", "code", &features)?;
        if !ids.is_empty() {
            let rows = Value::Text(
                json!(ids.iter().map(|id| json!([id, server, ""])).collect::<Vec<_>>()).to_string(),
            );
            backend.execute(include_str!("../../queries/feature_at_server_insert.sql"), &[rows])?;
        }
        news.features.extend(features.into_iter().map(String::from).zip(ids));
        let versions = unknown(batch, |beat| &beat.version, [&self.versions, &news.versions]);
        let ids = names_of(backend, "version", "version_id", "version", &versions)?;
        news.versions.extend(versions.into_iter().map(String::from).zip(ids));
        let mut rows: FxHashMap<[u8; 16], &Kept> = FxHashMap::default();
        for (kept, hash) in kept.iter().zip(hashes) {
            let key = holder_key(hash);
            if !self.holders.contains_key(&key) && !news.holders.contains_key(&key) {
                rows.insert(key, kept);
            }
        }
        let texts: Vec<_> =
            rows.values().map(|kept| [&*kept.user, &*kept.host, &*kept.organization]).collect();
        let ids = new_holders(backend, server, &texts)?;
        news.holders.extend(rows.into_keys().zip(ids));
        Ok(())
    }

    /// Marks the days of a batch as unsettled.
    fn mark(&mut self, backend: &mut dyn Backend, beats: &[Beat], news: &mut News) -> Result<(), Error> {
        if self.zone.is_none() {
            self.zone = Some(settings::calendar(backend)?.zone().clone());
        }
        let Some(zone) = &self.zone else { return Err(Error::Conflict) };
        let mut days = DayOf::default();
        let mut new: FxHashSet<(FeatureId, Day)> =
            beats.iter().map(|beat| (beat.feature, days.of(beat.from, zone))).collect();
        new.retain(|day| !self.marked.contains(day) && !news.marked.contains(day));
        if new.is_empty() {
            return Ok(());
        }
        news.marked.extend(&new);
        let mut new: Vec<_> = new.into_iter().collect();
        new.sort_unstable();
        let rows: Vec<_> = new.iter().map(|(feature, day)| json!([feature, day.to_string()])).collect();
        let params = [Value::Text(json!(rows).to_string()), Value::Int(1), Value::Int(0)];
        backend.execute(include_str!("../../queries/mark_insert.sql"), &params)?;
        Ok(())
    }

    pub(crate) fn remember(&mut self, news: News) {
        bounded(&mut self.features, news.features, TEXTS_REMEMBERED);
        bounded(&mut self.versions, news.versions, TEXTS_REMEMBERED);
        bounded(&mut self.holders, news.holders, HOLDERS_REMEMBERED);
        self.marked.extend(news.marked);
    }
}

/// The texts of a batch that none of the maps knows.
fn unknown(
    batch: &[&Heartbeat],
    text: fn(&Heartbeat) -> &String,
    known: [&FxHashMap<String, u32>; 2],
) -> Vec<Box<str>> {
    let texts = batch.iter().map(|beat| text(beat).as_str());
    let unknown: FxHashSet<&str> =
        texts.filter(|text| !known.iter().any(|known| known.contains_key(*text))).collect();
    unknown.into_iter().map(Box::from).collect()
}

/// Adds to a map that begins anew when it is full.
fn bounded<K: std::hash::Hash + Eq, V>(known: &mut FxHashMap<K, V>, new: FxHashMap<K, V>, most: usize) {
    if known.len() + new.len() > most {
        known.clear();
    }
    known.extend(new);
}

/// Civil days of instants; neighbours mostly lie in one.
#[derive(Default)]
struct DayOf(Option<(UnixMs, Day)>);

impl DayOf {
    fn of(&mut self, at: UnixMs, zone: &TimeZone) -> Day {
        match self.0 {
            Some((known, day)) if known == at => day,
            _ => {
                let day = Day::of(at, zone);
                self.0 = Some((at, day));
                day
            }
        }
    }
}

fn make_source(backend: &mut dyn Backend) -> Result<(ServerId, InputId), Error> {
    backend.lock(LOCK)?;
    if let Some(found) = source(backend)? {
        return Ok(found);
    }
    let zone = settings::calendar(backend)?.zone_name().to_owned();
    let params = [NAME.into(), FORMAT.into(), Value::Int(0), zone.into()];
    backend.execute(include_str!("../../queries/server_insert.sql"), &params)?;
    let mut params: Vec<Value> = vec![NAME.into(), FORMAT.into(), Value::Int(0), NAME.into(), Value::Int(0)];
    params.extend(["".into(), "".into()]);
    params.extend([0; 5].map(Value::Int));
    one(backend, include_str!("../../queries/input_insert.sql"), &params, |row| row.id(0))?;
    source(backend)?.ok_or_else(|| Error::Corrupt(format!("a license server is called {NAME} already")))
}

/// Inserts the buckets that are new.
fn insert(backend: &mut dyn Backend, beats: &[Beat]) -> Result<u64, Error> {
    if beats.is_empty() {
        return Ok(0);
    }
    backend.insert_new(&HEARTBEAT, beats.len(), &mut |row, cells| {
        let beat = &beats[row];
        cells.copy_from_slice(&[
            Cell::Int(beat.from),
            Cell::Int(beat.person),
            Cell::Int(beat.slot),
            Cell::Int(beat.until),
            Cell::Int(i64::from(beat.feature)),
            Cell::Int(i64::from(beat.version)),
            Cell::Int(i64::from(beat.holder)),
        ]);
    })
}
