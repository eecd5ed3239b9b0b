//! Names as small numbers, first of this process, then of the ledger.

use crate::Error;
use crate::backend::{Backend, Cell, Table, Type, Value, all};
use accounting::event::Pairing;
use accounting::ledger::ServerId;
use accounting::privacy::{Kind, Privacy};
use accounting::session::{FeatureId, HolderId, VersionId};
use hashbrown::{DefaultHashBuilder, HashTable};
use rustc_hash::FxHashMap;
use serde_json::json;
use std::borrow::Cow;
use std::hash::{BuildHasher, Hash, Hasher};

/// A name of this process: an index into the interner's list.
pub type NameId = u32;
/// A daemon of this process: an index into the interner's list.
pub type DaemonId = u32;

/// Gives names small numbers, from 0 on without gap.
#[derive(Debug, Default)]
pub struct Interner {
    features: Texts,
    versions: Texts,
    holders: HashTable<u32>,
    hasher: DefaultHashBuilder,
    holder_texts: Vec<HolderText>,
    daemons: Vec<DaemonText>,
    daemon_ids: HashTable<u32>,
    told: Told,
}

/// How many names of each kind [`Interner::news`] has told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    features: usize,
    versions: usize,
    holders: usize,
    daemons: usize,
}

/// Names that are new since the last batch, in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewNames {
    /// How many of each kind were told before.
    before: Told,
    features: Vec<Box<str>>,
    versions: Vec<Box<str>>,
    holders: Vec<HolderText>,
    daemons: Vec<DaemonText>,
}

impl NewNames {
    /// How many features are known with these.
    pub(super) fn features(&self) -> usize {
        self.before.features + self.features.len()
    }
}

#[derive(Debug, Default)]
struct Texts {
    ids: FxHashMap<Box<str>, NameId>,
    texts: Vec<Box<str>>,
}

impl Texts {
    fn id(&mut self, text: &str) -> NameId {
        if let Some(id) = self.ids.get(text) {
            return *id;
        }
        let id = self.texts.len() as NameId;
        self.ids.insert(text.into(), id);
        self.texts.push(clean(text));
        id
    }
}

/// A holder as its license server names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HolderText {
    daemon: DaemonId,
    user: Box<str>,
    host: Box<str>,
    display: Box<str>,
    checkout_data: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct DaemonText {
    server: String,
    format: String,
    exclusive: bool,
    zone: String,
    vendor: String,
}

impl Interner {
    /// The names that are new since the last call: they go into the next batch.
    pub fn news(&mut self) -> NewNames {
        let news = NewNames {
            before: self.told,
            features: self.features.texts[self.told.features..].to_vec(),
            versions: self.versions.texts[self.told.versions..].to_vec(),
            holders: self.holder_texts[self.told.holders..].to_vec(),
            daemons: self.daemons[self.told.daemons..].to_vec(),
        };
        self.told = Told {
            features: self.features.texts.len(),
            versions: self.versions.texts.len(),
            holders: self.holder_texts.len(),
            daemons: self.daemons.len(),
        };
        news
    }

    /// How many names it knows.
    pub fn names(&self) -> usize {
        self.features.texts.len() + self.versions.texts.len() + self.holder_texts.len() + self.daemons.len()
    }

    /// The number of a feature's code.
    pub fn feature(&mut self, code: &str) -> NameId {
        self.features.id(code)
    }

    /// The number of a version; 0 where none is printed.
    pub fn version(&mut self, version: Option<&str>) -> NameId {
        version.map_or(0, |version| self.versions.id(version) + 1)
    }

    /// The number of a daemon of a license server; an empty vendor is the server itself.
    pub fn daemon(
        &mut self,
        server: &str,
        format: &str,
        pairing: Pairing,
        zone: &str,
        vendor: &str,
    ) -> DaemonId {
        let (hasher, daemons) = (&self.hasher, &self.daemons);
        let hash = hasher.hash_one((server, vendor));
        let same = |id: &u32| {
            let known = &daemons[*id as usize];
            same_text(&known.server, server) && same_text(&known.vendor, vendor)
        };
        if let Some(id) = self.daemon_ids.find(hash, same) {
            return *id;
        }
        let id = self.daemons.len() as DaemonId;
        self.daemons.push(DaemonText {
            server: server.to_owned(),
            format: format.to_owned(),
            exclusive: pairing == Pairing::Exclusive,
            zone: zone.to_owned(),
            vendor: vendor.to_owned(),
        });
        let daemons = &self.daemons;
        self.daemon_ids.insert_unique(hash, id, |id| {
            let known = &daemons[*id as usize];
            hasher.hash_one((known.server.as_str(), known.vendor.as_str()))
        });
        id
    }

    /// The number of a holder.
    pub fn holder(&mut self, daemon: DaemonId, user: &str, host: &str, display: &str, data: &str) -> NameId {
        let hasher = &self.hasher;
        let hash = hash_of(hasher, daemon, user, host, display, data);
        let texts = &self.holder_texts;
        let same = |id: &u32| {
            let known = &texts[*id as usize];
            known.daemon == daemon
                && same_text(&known.user, user)
                && same_text(&known.host, host)
                && same_text(&known.display, display)
                && same_text(&known.checkout_data, data)
        };
        if let Some(id) = self.holders.find(hash, same) {
            return *id;
        }
        let id = self.holder_texts.len() as u32;
        self.holder_texts.push(HolderText {
            daemon,
            user: clean(user),
            host: clean(host),
            display: clean(display),
            checkout_data: clean(data),
        });
        let texts = &self.holder_texts;
        self.holders.insert_unique(hash, id, |id| {
            let known = &texts[*id as usize];
            hash_of(hasher, known.daemon, &known.user, &known.host, &known.display, &known.checkout_data)
        });
        id
    }
}

/// No database here holds NUL in a text; the replacement character stands for it.
fn clean(text: &str) -> Box<str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

/// Whether two texts are equal. Empty ones are told apart first: comparing none of the bytes behind a dangling pointer
/// costs hundreds of cycles where the C library masks the loads of short comparisons (measured: a third of an import).
#[inline]
pub fn same_text(known: &str, text: &str) -> bool {
    known.len() == text.len() && (known.is_empty() || known == text)
}

fn hash_of(
    hasher: &DefaultHashBuilder,
    daemon: DaemonId,
    user: &str,
    host: &str,
    display: &str,
    data: &str,
) -> u64 {
    let mut hasher = hasher.build_hasher();
    daemon.hash(&mut hasher);
    for text in [user, host, display, data] {
        text.hash(&mut hasher);
    }
    hasher.finish()
}

/// A daemon in the ledger's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Daemon {
    pub(crate) server: ServerId,
    pub(crate) vendor: String,
}

/// What the interner's numbers are in the ledger.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) features: Vec<FeatureId>,
    pub(crate) versions: Vec<VersionId>,
    pub(crate) holders: Vec<HolderId>,
    /// The daemon of each holder.
    pub(crate) holder_daemons: Vec<DaemonId>,
    pub(crate) daemons: Vec<Daemon>,
}

/// How many names go into one statement.
const TOGETHER: usize = 10_000;

impl Resolved {
    /// Takes in new names. Those of a batch that is tried once more are known already.
    pub(super) fn add(
        &mut self,
        backend: &mut dyn Backend,
        names: &NewNames,
        privacy: &Privacy,
    ) -> Result<(), Error> {
        if self.versions.is_empty() {
            self.versions.push(super::NO_VERSION);
        }
        if self.knows(names) {
            return Ok(());
        }
        let Told { features, versions, holders, daemons } = names.before;
        let known = self.known();
        if features > known.features
            || versions > known.versions
            || holders > known.holders
            || daemons > known.daemons
        {
            // The part that told them was not committed.
            return Err(Error::Conflict);
        }
        let new_features = behind(&names.features, features, known.features);
        let new_versions = behind(&names.versions, versions, known.versions);
        let new_holders = behind(&names.holders, holders, known.holders);
        let new_daemons = behind(&names.daemons, daemons, known.daemons);
        let mut daemons = self.daemons.clone();
        for daemon in new_daemons {
            daemons.push(resolve_daemon(backend, daemon)?);
        }
        let features = texts(backend, "feature", "feature_id", "code", new_features)?;
        let versions = texts(backend, "version", "version_id", "version", new_versions)?;
        let holders = resolve_holders(backend, &daemons, new_holders, privacy)?;
        self.daemons = daemons;
        self.features.extend(features);
        self.versions.extend(versions);
        self.holders.extend(holders);
        self.holder_daemons.extend(new_holders.iter().map(|holder| holder.daemon));
        Ok(())
    }

    /// Whether it knows all of some names.
    pub(super) fn knows(&self, names: &NewNames) -> bool {
        let (before, known) = (names.before, self.known());
        before.features + names.features.len() <= known.features
            && before.versions + names.versions.len() <= known.versions
            && before.holders + names.holders.len() <= known.holders
            && before.daemons + names.daemons.len() <= known.daemons
    }

    /// How many names of each kind it knows.
    pub(super) fn known(&self) -> Told {
        Told {
            features: self.features.len(),
            // The first version is that of those that print none.
            versions: self.versions.len().saturating_sub(1),
            holders: self.holders.len(),
            daemons: self.daemons.len(),
        }
    }

    /// Forgets the names that were added since so many were known.
    pub(super) fn forget_since(&mut self, known: Told) {
        self.features.truncate(known.features);
        self.versions.truncate(known.versions + 1);
        self.holders.truncate(known.holders);
        self.holder_daemons.truncate(known.holders);
        self.daemons.truncate(known.daemons);
    }
}

/// Of names that begin after so many others, those behind the ones that are known.
fn behind<T>(names: &[T], before: usize, known: usize) -> &[T] {
    &names[known.saturating_sub(before).min(names.len())..]
}

fn resolve_daemon(backend: &mut dyn Backend, daemon: &DaemonText) -> Result<Daemon, Error> {
    let params: Vec<Value> = vec![
        daemon.server.as_str().into(),
        daemon.format.as_str().into(),
        i64::from(daemon.exclusive).into(),
        daemon.zone.as_str().into(),
    ];
    backend.execute(include_str!("../../queries/server_insert.sql"), &params)?;
    let server = all(backend, include_str!("../../queries/server_id.sql"), &params[..1], |row| row.id(0))?;
    Ok(Daemon { server: *server.first().ok_or(Error::Conflict)?, vendor: daemon.vendor.clone() })
}

fn resolve_holders(
    backend: &mut dyn Backend,
    daemons: &[Daemon],
    holders: &[HolderText],
    privacy: &Privacy,
) -> Result<Vec<HolderId>, Error> {
    let mut ids = Vec::with_capacity(holders.len());
    for new in holders.chunks(TOGETHER) {
        let rows = new.iter().map(|holder| {
            let daemon = &daemons[holder.daemon as usize];
            let HolderText { user, host, display, checkout_data, .. } = holder;
            let (user, data) = (privacy.kept(Kind::Person, user), privacy.kept(Kind::Data, checkout_data));
            let (host, display) = (privacy.kept(Kind::Place, host), privacy.kept(Kind::Place, display));
            (daemon.server, [Cow::Borrowed(daemon.vendor.as_str()), user, host, display, data])
        });
        ids.extend(holder_ids(backend, &rows.collect::<Vec<_>>())?);
    }
    Ok(ids)
}

/// The ledger's numbers of holders of heartbeats, by user, host and display; they are added where they are new.
pub(crate) fn new_holders(
    backend: &mut dyn Backend,
    server: ServerId,
    holders: &[[&str; 3]],
) -> Result<Vec<HolderId>, Error> {
    let mut ids = Vec::with_capacity(holders.len());
    for new in holders.chunks(TOGETHER) {
        let cleaned = |text: &str| text.replace('\0', "\u{fffd}");
        let kept =
            |text| if str::contains(text, '\0') { Cow::Owned(cleaned(text)) } else { Cow::Borrowed(text) };
        let rows = new.iter().map(|[user, host, display]| {
            (server, [Cow::Borrowed(""), kept(user), kept(host), kept(display), Cow::Borrowed("")])
        });
        ids.extend(holder_ids(backend, &rows.collect::<Vec<_>>())?);
    }
    Ok(ids)
}

/// A holder: its license server; vendor, user, host, display, checkout data.
type HolderRow<'h> = (ServerId, [Cow<'h, str>; 5]);

const HOLDER: Table<'static> = Table {
    name: "holder",
    columns: &[
        ("server_id", Type::Int),
        ("vendor", Type::Text),
        ("user_name", Type::Text),
        ("host", Type::Text),
        ("display", Type::Text),
        ("checkout_data", Type::Text),
    ],
};

fn fill<'h>((server, texts): &'h HolderRow<'_>, cells: &mut [Cell<'h>]) {
    cells[0] = Cell::Int(i64::from(*server));
    for (cell, text) in cells[1..].iter_mut().zip(texts) {
        *cell = Cell::Text(text);
    }
}

/// The numbers of holders, added where they are new.
fn holder_ids(backend: &mut dyn Backend, rows: &[HolderRow<'_>]) -> Result<Vec<HolderId>, Error> {
    // In the order of the key, so that two processes never wait for each other.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_unstable_by_key(|row| &rows[*row]);
    backend.insert_new(&HOLDER, rows.len(), &mut |row, cells| fill(&rows[order[row]], cells))?;
    let sql = include_str!("../../queries/holder_id.sql");
    let found =
        backend.look_up(sql, &HOLDER, rows.len(), &mut |row, cells| fill(&rows[order[row]], cells))?;
    let mut ids = vec![0; rows.len()];
    for (row, id) in order.iter().zip(found) {
        ids[*row] = id.and_then(|id| HolderId::try_from(id).ok()).ok_or(Error::Conflict)?;
    }
    Ok(ids)
}

/// The ledger's numbers of texts, which are added where they are new.
pub(crate) fn texts(
    backend: &mut dyn Backend,
    table: &str,
    id: &str,
    column: &str,
    texts: &[Box<str>],
) -> Result<Vec<u32>, Error> {
    let mut ids = Vec::with_capacity(texts.len());
    for new in texts.chunks(TOGETHER) {
        let param =
            [Value::Text(json!(new.iter().map(|text| json!([text])).collect::<Vec<_>>()).to_string())];
        let insert = format!(
            "insert into {table} ({column}) select r.value ->> 0 from rows($1) as r where true order by 1
             on conflict ({column}) do nothing"
        );
        backend.execute(&insert, &param)?;
        let select = format!(
            "select t.{id}, t.{column} from rows($1) as r join {table} t on t.{column} = r.value ->> 0"
        );
        let mut found: FxHashMap<String, u32> = FxHashMap::default();
        backend.query(&select, &param, &mut |row| {
            found.insert(row.text(1)?, row.id(0)?);
            Ok(())
        })?;
        for text in new {
            ids.push(*found.get(&**text).ok_or(Error::Conflict)?);
        }
    }
    Ok(ids)
}
