//! A person's rights: what the ledger knows of somebody, and forgetting it.

use crate::backend::{Backend, Value, all, writing};
use crate::forward::Forgettable;
use crate::heartbeats::book_first;
use crate::{Error, Store, names, registry};
use accounting::directory::{Directory, Entry};
use accounting::privacy::{Kind, Privacy};
use accounting::session::HolderId;
use rustc_hash::FxHashSet;
use serde_json::json;
use std::collections::BTreeSet;

/// The setting that counts how often holders were renamed or removed.
pub(crate) const FORGOTTEN: &str = "persons_forgotten";

/// What the ledger knows of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The names under which license servers and heartbeats told of the person, as the ledger keeps them.
    pub users: BTreeSet<String>,
    /// The holders that are this person.
    pub holders: Vec<HolderId>,
    /// The person's entries of the directory.
    pub directory: Vec<Entry>,
    /// Lines that nobody understood and that name the person.
    pub lines: Vec<String>,
}

/// What was done about a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The name that stands for the person from now on; it says nothing.
    pub name: String,
    /// Holders that bear it now.
    pub holders: u64,
    /// Entries of the directory that bear it now.
    pub directory: u64,
    /// Lines that nobody understood and of which only the shape is kept.
    pub lines: u64,
}

impl Store {
    /// What the ledger knows of a person: `domain\login` or `login`, as the directory or a license server writes it.
    pub fn known_of_person(&mut self, name: &str) -> Result<Known, Error> {
        self.book_for_reading()?;
        let privacy = self.privacy.clone();
        crate::backend::reading(self.backend.as_mut(), |backend| known_of(backend, &privacy, name))
    }

    /// Lets go of the names of persons that are kept in memory and were forgotten since, by this process or another one.
    pub fn let_go_of_forgotten(&mut self) -> Result<(), Error> {
        self.kept.let_go(forgotten(self.backend.as_mut())?);
        Ok(())
    }

    /// Forgets a person: a name that says nothing stands in the person's place, so that no figure changes.
    pub fn forget_person(&mut self, name: &str) -> Result<Forgotten, Error> {
        let mut done = Forgotten { name: anonymous(), ..Forgotten::default() };
        let (backend, privacy) = (self.backend.as_mut(), &self.privacy);
        writing(backend, |backend| {
            backend.lock(crate::heartbeats::LOCK)?;
            book_first(backend)?;
            let known = known_of(backend, privacy, name)?;
            let login = login_of(&Directory::new(registry::entries(backend)?).person_name(name));
            let waiting = Forgettable::read(backend, &known.holders)?;
            let rows = |ids: &[HolderId]| {
                Value::Text(json!(ids.iter().map(|id| json!([id])).collect::<Vec<_>>()).to_string())
            };
            for ids in known.holders.chunks(5_000) {
                let sql = include_str!("../queries/holder_forget.sql");
                done.holders += backend.execute(sql, &[rows(ids), done.name.as_str().into()])?;
            }
            renumber(backend, &known.holders)?;
            for entry in &known.directory {
                let params: [Value; 3] = [
                    entry.login.as_str().into(),
                    entry.domain.as_deref().unwrap_or_default().into(),
                    done.name.as_str().into(),
                ];
                let sql =
                    "update directory_entry set login = $3, domain = '' where login = $1 and domain = $2";
                done.directory += backend.execute(sql, &params)?;
            }
            for line in &known.lines {
                let sql = "update quarantine set sample = '' where sample = $1";
                done.lines += backend.execute(sql, &[line.as_str().into()])?;
            }
            waiting.forget(backend, &done.name, |line| names_somebody(line, &login))?;
            note_change(backend)
        })?;
        Ok(done)
    }
}

/// What the ledger knows of a person.
fn known_of(backend: &mut dyn Backend, privacy: &Privacy, name: &str) -> Result<Known, Error> {
    let entries = registry::entries(backend)?;
    let directory = Directory::new(entries.clone());
    let person = directory.person_name(name);
    let mut wanted: FxHashSet<String> = FxHashSet::from_iter([person.clone()]);
    for key in &privacy.keys {
        wanted.extend([name, &person].map(|name| key.pseudonym(Kind::Person, name)));
    }
    let ledger = names::read(backend, None, None)?;
    let mut known = Known::default();
    for (id, holder) in ledger.names.holders.iter() {
        let named = ledger.names.persons.get(holder.person as usize);
        if named.is_some_and(|person| wanted.contains(&person.name)) {
            known.holders.push(*id);
            known.users.insert(holder.user.clone());
        }
    }
    known.holders.sort_unstable();
    known.directory =
        entries.into_iter().filter(|entry| wanted.contains(&name_of(&directory, entry))).collect();
    let login = login_of(&person);
    let sql = "select sample from quarantine order by input_id, first_line";
    let lines = all(backend, sql, &[], |row| row.text(0))?;
    known.lines = lines.into_iter().filter(|line| names_somebody(line, &login)).collect();
    Ok(known)
}

/// The numbers of a person's buckets are made of the login: numbers that say nothing take their place.
fn renumber(backend: &mut dyn Backend, holders: &[HolderId]) -> Result<(), Error> {
    let holders: FxHashSet<HolderId> = holders.iter().copied().collect();
    let sql = "select distinct person, holder_id from heartbeat";
    let numbers = all(backend, sql, &[], |row| Ok((row.int(0)?, row.id(1)?)))?;
    let numbers: BTreeSet<i64> = numbers
        .into_iter()
        .filter(|(_, holder)| holders.contains(holder))
        .map(|(number, _)| number)
        .collect();
    for number in numbers {
        let params = [number.into(), crate::intake::new_mark().into()];
        backend.execute("update heartbeat set person = $2 where person = $1", &params)?;
    }
    Ok(())
}

/// Notes that holders were renamed or removed: who remembers their numbers looks them up again.
pub(crate) fn note_change(backend: &mut dyn Backend) -> Result<(), Error> {
    let sql = "insert into setting (name, value) values ($1, $2)
               on conflict (name) do update set value = excluded.value";
    let times = forgotten(backend)? + 1;
    backend.execute(sql, &[FORGOTTEN.into(), times.to_string().into()])?;
    Ok(())
}

/// How often holders were renamed or removed.
pub(crate) fn forgotten(backend: &mut dyn Backend) -> Result<u64, Error> {
    Ok(crate::settings::Changing::read(backend)?.forgotten)
}

/// The name of the person of an entry.
fn name_of(directory: &Directory, entry: &Entry) -> String {
    let domain = entry.domain.as_deref().unwrap_or_default();
    directory.person_name(&if domain.is_empty() {
        entry.login.clone()
    } else {
        format!("{domain}\\{}", entry.login)
    })
}

/// A person's login, without a domain.
fn login_of(person: &str) -> String {
    person.rsplit('\\').next().unwrap_or(person).to_owned()
}

/// Whether a line holds a login as a word of its own.
fn names_somebody(line: &str, login: &str) -> bool {
    let words = line.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.')));
    !login.is_empty() && words.into_iter().any(|word| word.to_lowercase() == login)
}

/// A name that nobody had and that says nothing.
fn anonymous() -> String {
    format!("forgotten-{:016x}", crate::intake::new_mark())
}
