//! Holders: whose they are, and under which daemons.

use super::shown;
use crate::Error;
use crate::backend::{Backend, Row, Value};
use accounting::directory::Directory;
use accounting::ledger::{Holder, Membership, Person, PersonId, ServerId};
use accounting::session::HolderId;
use hashbrown::HashTable;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde_json::json;
use std::hash::BuildHasher;
use std::sync::Arc;

/// For how many holders memory is reserved at most before they are read.
const MOST_RESERVED: i64 = 1 << 20;

/// Holders, the persons behind them, and their daemons.
#[derive(Clone, Default)]
pub(super) struct People {
    pub(super) holders: Arc<FxHashMap<HolderId, Holder>>,
    pub(super) persons: Arc<Vec<Person>>,
    /// Daemons, numbered.
    pub(super) daemons: Arc<Vec<(ServerId, Arc<str>)>>,
    /// The number of each holder's daemon; one that there is not where there is no holder.
    pub(super) daemon_of: Arc<Vec<u32>>,
}

/// What stands for the daemon of a holder that there is not.
const NO_DAEMON: u32 = u32::MAX;

/// Reads holders, and the persons behind them.
pub(super) struct Holders<'a> {
    heartbeats: Option<ServerId>,
    directory: &'a Directory,
    small: &'a FxHashSet<String>,
    by_number: FxHashMap<HolderId, Holder>,
    persons: Vec<Person>,
    /// By the hash of their names, which stand with the persons.
    by_name: HashTable<PersonId>,
    of_organizations: FxHashMap<String, PersonId>,
    daemons: Vec<(ServerId, Arc<str>)>,
    numbers: FxHashMap<(ServerId, Arc<str>), u32>,
    /// The daemon of the holder before: mostly it is that of the next one too.
    last: Option<(ServerId, Arc<str>, u32)>,
    daemon_of: Vec<u32>,
}

impl<'a> Holders<'a> {
    /// `heartbeats` is what stands for their license server.
    pub(super) fn new(
        heartbeats: Option<ServerId>,
        directory: &'a Directory,
        small: &'a FxHashSet<String>,
    ) -> Self {
        Self {
            heartbeats,
            directory,
            small,
            by_number: FxHashMap::default(),
            persons: Vec::new(),
            by_name: HashTable::new(),
            of_organizations: FxHashMap::default(),
            daemons: Vec::new(),
            numbers: FxHashMap::default(),
            last: None,
            daemon_of: Vec::new(),
        }
    }

    /// Reads all of them, so many, or only some, ascending.
    pub(super) fn read(
        mut self,
        backend: &mut dyn Backend,
        only: Option<&[HolderId]>,
        all: i64,
    ) -> Result<People, Error> {
        if let Some(only) = only {
            let rows = json!(only.iter().map(|holder| [holder]).collect::<Vec<_>>());
            let params = [Value::Text(rows.to_string())];
            let sql = include_str!("../../queries/holder_some.sql");
            backend.query(sql, &params, &mut |row| self.take(row))?;
        } else {
            let about = all.clamp(0, MOST_RESERVED) as usize;
            self.by_number.reserve(about);
            self.by_name.reserve(about, |_| 0);
            self.daemon_of.reserve(about);
            backend.query(include_str!("../../queries/holder_all.sql"), &[], &mut |row| self.take(row))?;
        }
        Ok(People {
            holders: Arc::new(self.by_number),
            persons: Arc::new(self.persons),
            daemons: Arc::new(self.daemons),
            daemon_of: Arc::new(self.daemon_of),
        })
    }

    fn take(&mut self, row: &Row<'_>) -> Result<(), Error> {
        let (id, server): (HolderId, ServerId) = (row.id(0)?, row.id(1)?);
        let last = self.last.as_ref();
        let vendor = row.with_text(2, |vendor| match last {
            Some((_, last, _)) if **last == *vendor => Arc::clone(last),
            _ => Arc::from(vendor),
        })?;
        let (user, host, mut display) = (row.text(3)?, row.text(4)?, row.text(5)?);
        let person = if self.heartbeats == Some(server) && user.is_empty() {
            // Of this one nothing but the organization was kept, in the place of the display.
            self.organization(std::mem::take(&mut display))
        } else {
            self.person(&user)
        };
        let daemon = self.daemon(server, &vendor);
        // Holders come in the order of their numbers.
        self.daemon_of.resize(id as usize, NO_DAEMON);
        self.daemon_of.push(daemon);
        self.by_number.insert(id, Holder { server, vendor, user, host, display, person });
        Ok(())
    }

    /// What stands for the persons of an organization of whom nothing else was kept.
    fn organization(&mut self, organization: String) -> PersonId {
        if let Some(known) = self.of_organizations.get(&organization) {
            return *known;
        }
        let name = Some(shown(self.small, organization.clone())).filter(|name| !name.is_empty());
        let of = Membership { from: None, until: None, organization: name, project: None };
        let person = self.add(Person { name: String::new(), memberships: vec![of] });
        self.of_organizations.insert(organization, person);
        person
    }

    /// The person whom a user is matched to.
    fn person(&mut self, user: &str) -> PersonId {
        let hasher = FxBuildHasher;
        let name = self.directory.person_name(user);
        let hash = hasher.hash_one(&name);
        let persons = &self.persons;
        let is = |known: &PersonId| persons.get(*known as usize).is_some_and(|person| person.name == name);
        if let Some(known) = self.by_name.find(hash, is) {
            return *known;
        }
        let mut memberships = self.directory.memberships(&name);
        for of in &mut memberships {
            of.organization = of.organization.take().map(|organization| shown(self.small, organization));
        }
        let person = self.add(Person { name, memberships });
        let persons = &self.persons;
        let hash_of =
            |known: &PersonId| persons.get(*known as usize).map_or(0, |person| hasher.hash_one(&person.name));
        self.by_name.insert_unique(hash, person, hash_of);
        person
    }

    fn add(&mut self, person: Person) -> PersonId {
        self.persons.push(person);
        self.persons.len() as PersonId - 1
    }

    /// The number of a daemon.
    fn daemon(&mut self, server: ServerId, vendor: &Arc<str>) -> u32 {
        let same = |(of, name, _): &&(ServerId, Arc<str>, u32)| *of == server && **name == **vendor;
        if let Some((_, _, daemon)) = self.last.as_ref().filter(same) {
            return *daemon;
        }
        let daemons = &mut self.daemons;
        let daemon = *self.numbers.entry((server, Arc::clone(vendor))).or_insert_with(|| {
            daemons.push((server, Arc::clone(vendor)));
            daemons.len() as u32 - 1
        });
        self.last = Some((server, Arc::clone(vendor), daemon));
        daemon
    }
}
