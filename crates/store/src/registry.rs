//! The directory (who belongs where) and the catalog (what a feature code is called).

use crate::backend::{Backend, Value, all, one, writing};
use crate::derive::DAYS_LOCK;
use crate::{Error, Store, settings};
use accounting::day::Day;
use accounting::directory::Entry;
use accounting::privacy::{Identity, Kind, Privacy};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeSet;

/// A row of the directory, as the file gives it.
pub type DirectoryRow = Entry;

/// What the catalog says of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// The vendor's feature code.
    pub feature: String,
    /// The product's display name.
    pub product: String,
    /// The product's type, where given.
    pub product_type: Option<String>,
    /// The price of a seat and year as written, where given.
    pub price: Option<String>,
}

/// What an import of the directory or catalog changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows that were not there.
    pub added: u64,
    /// Rows that were there and said something else.
    pub changed: u64,
    /// Rows that were there and said the same.
    pub unchanged: u64,
}

/// What a row of the directory would be, and what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryChange {
    /// The row of the same login, domain and first day.
    pub before: Option<DirectoryRow>,
    /// What would stand there.
    pub after: DirectoryRow,
}

impl Store {
    /// What [`Self::import_directory`] would change, in the order of the rows.
    pub fn preview_directory(
        &mut self,
        rows: &[DirectoryRow],
    ) -> Result<(Changes, Vec<DirectoryChange>), Error> {
        let rows = kept(&self.privacy, rows);
        let there: FxHashMap<_, Entry> =
            entries(self.backend.as_mut())?.into_iter().map(|row| (key_of(&row), row)).collect();
        let (mut changes, mut others) = (Changes::default(), Vec::new());
        for after in rows {
            let before = there.get(&key_of(&after)).cloned();
            changes.count(before.as_ref(), &after);
            if before.as_ref() != Some(&after) {
                others.push(DirectoryChange { before, after });
            }
        }
        Ok((changes, others))
    }

    /// Takes in rows of the directory; a row replaces the one of the same login, domain and first day.
    ///
    /// Feature days become dirty where the rows change who is one person.
    pub fn import_directory(&mut self, rows: &[DirectoryRow]) -> Result<Changes, Error> {
        let rows = kept(&self.privacy, rows);
        writing(self.backend.as_mut(), |backend| {
            backend.lock(DAYS_LOCK)?;
            let there: FxHashMap<_, Entry> =
                entries(backend)?.into_iter().map(|row| (key_of(&row), row)).collect();
            let mut changes = Changes::default();
            let mut new = Vec::new();
            for row in &rows {
                changes.count(there.get(&key_of(row)), row);
                new.push(json!([
                    row.login,
                    domain_of(row),
                    row.organization,
                    row.project,
                    first_day_of(row),
                    row.valid_until.map(|day| day.to_string()),
                    row.external_id
                ]));
            }
            for rows in new.chunks(5_000) {
                let rows = Value::Text(json!(rows).to_string());
                backend.execute(include_str!("../queries/directory_upsert.sql"), &[rows])?;
            }
            crate::views::refresh(backend)?;
            let known: std::collections::HashSet<_> =
                there.values().map(|row| (row.login.to_lowercase(), domain_of(row))).collect();
            if rows.iter().any(|row| !known.contains(&(row.login.to_lowercase(), domain_of(row)))) {
                // Who is one person may have changed, and with it persons and person_ms.
                settings::mark_all(backend)?;
            }
            Ok(changes)
        })
    }

    /// The catalog by feature code.
    pub fn catalog(&mut self) -> Result<Vec<CatalogEntry>, Error> {
        catalog(self.backend.as_mut())
    }

    /// How many rows the directory has.
    pub fn directory_rows(&mut self) -> Result<u64, Error> {
        let count =
            one(self.backend.as_mut(), "select count(*) from directory_entry", &[], |row| row.int(0))?;
        Ok(count.map_or(0, |count| count as u64))
    }

    /// Takes in entries of the catalog; an entry replaces the one of the same feature.
    pub fn import_catalog(&mut self, entries: &[CatalogEntry]) -> Result<Changes, Error> {
        writing(self.backend.as_mut(), |backend| {
            let there: FxHashMap<String, CatalogEntry> =
                catalog(backend)?.into_iter().map(|entry| (entry.feature.clone(), entry)).collect();
            let mut changes = Changes::default();
            // Of one feature given twice the last counts.
            let latest: FxHashMap<&str, &CatalogEntry> =
                entries.iter().map(|entry| (entry.feature.as_str(), entry)).collect();
            let mut rows = Vec::new();
            for entry in latest.into_values() {
                changes.count(there.get(&entry.feature), entry);
                rows.push(json!([entry.feature, entry.product, entry.product_type, entry.price]));
            }
            for rows in rows.chunks(5_000) {
                let rows = Value::Text(json!(rows).to_string());
                backend.execute(include_str!("../queries/catalog_upsert.sql"), &[rows])?;
            }
            Ok(changes)
        })
    }
}

/// The directory's rows as they are kept. Where persons are kept by a pseudonym, so they are here, under each key: with their
/// domain, and without it where the login is one person's alone.
fn kept(privacy: &Privacy, rows: &[Entry]) -> Vec<Entry> {
    if privacy.identity != Identity::Pseudonymous {
        return rows.to_vec();
    }
    let mut domains: FxHashMap<String, FxHashSet<String>> = FxHashMap::default();
    for row in rows {
        domains.entry(row.login.to_lowercase()).or_default().insert(domain_of(row));
    }
    let mut kept = Vec::new();
    for row in rows {
        let domain = domain_of(row);
        let whole = if domain.is_empty() { row.login.clone() } else { format!("{domain}\\{}", row.login) };
        let alone = domains.get(&row.login.to_lowercase()).is_some_and(|domains| domains.len() == 1);
        let names: BTreeSet<&str> = std::iter::once(&*whole).chain(alone.then_some(&*row.login)).collect();
        for key in &privacy.keys {
            let pseudonyms = names.iter().map(|name| key.pseudonym(Kind::Person, name));
            kept.extend(pseudonyms.map(|login| Entry { login, domain: None, ..row.clone() }));
        }
    }
    kept
}

impl Changes {
    fn count<T: PartialEq>(&mut self, before: Option<&T>, after: &T) {
        match before {
            Some(before) if before == after => self.unchanged += 1,
            Some(_) => self.changed += 1,
            None => self.added += 1,
        }
    }
}

fn catalog(backend: &mut dyn Backend) -> Result<Vec<CatalogEntry>, Error> {
    let sql = "select feature, product, product_type, price from catalog_entry order by feature";
    all(backend, sql, &[], |row| {
        Ok(CatalogEntry {
            feature: row.text(0)?,
            product: row.text(1)?,
            product_type: row.opt_text(2)?,
            price: row.opt_text(3)?,
        })
    })
}

/// What a row of the directory is known by.
fn key_of(row: &Entry) -> (String, String, String) {
    (row.login.to_lowercase(), domain_of(row), first_day_of(row))
}

fn domain_of(row: &Entry) -> String {
    row.domain.as_deref().unwrap_or_default().to_lowercase()
}

fn first_day_of(row: &Entry) -> String {
    row.valid_from.map(|day| day.to_string()).unwrap_or_default()
}

/// The directory.
pub(crate) fn entries(backend: &mut dyn Backend) -> Result<Vec<Entry>, Error> {
    let day = |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| text.parse::<Day>());
    let sql = "select login, domain, organization, project, valid_from, valid_until, external_id
               from directory_entry order by login, domain, valid_from";
    all(backend, sql, &[], |row| {
        let wrong = |error: accounting::day::NotADay| Error::Corrupt(format!("directory: {error}"));
        Ok(Entry {
            login: row.text(0)?,
            domain: Some(row.text(1)?).filter(|domain| !domain.is_empty()),
            organization: row.opt_text(2)?,
            project: row.opt_text(3)?,
            valid_from: day(Some(row.text(4)?)).transpose().map_err(wrong)?,
            valid_until: day(row.opt_text(5)?).transpose().map_err(wrong)?,
            external_id: row.opt_int(6)?,
        })
    })
}
