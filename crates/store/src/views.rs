//! Read-only views under the names that the tables of the AutoCAD usage measurement service had. They and the table that
//! they ask who belongs where are there only while a configuration wants them.

use crate::backend::{Backend, Value, one, writing};
use crate::names::small_organizations;
use crate::{Error, Store, registry, settings};
use accounting::directory::{Directory, Entry};
use accounting::ledger::Membership;
use rustc_hash::FxHashMap;
use serde_json::json;
use std::collections::BTreeSet;

/// The setting that holds the statements by which the views were made.
pub(crate) const SETTING: &str = "views_winterthur";
/// The number of the lock under which one process changes the views.
const LOCK: i64 = 0x5ea7_71e5;

/// What a view is called, and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
}

/// The tables of the AutoCAD usage measurement service, by the names that they had there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winterthur {
    /// User name, domain name, last ping: the beginning of its bucket, in civil time.
    pub acad_user: View,
    /// Login, number of the organization, as of today.
    pub user: View,
    /// Day, app code, version, minutes, number of the organization; -1 where it is not known.
    pub usage: View,
    /// The length of a bucket, in milliseconds.
    pub interval_ms: i64,
}

impl Store {
    /// Makes the views as they are wanted, or takes them away. Returns whether anything was changed.
    pub fn set_winterthur_views(&mut self, wanted: Option<&Winterthur>) -> Result<bool, Error> {
        let backend = self.backend.as_mut();
        let statements = wanted.map(|wanted| statements(backend, wanted)).transpose()?;
        // What small organizations are is decided when the views are told who belongs where.
        let smallest_group = settings::smallest_group(backend)?;
        let made = statements.map(|views| Made { smallest_group, views });
        let text = made.as_ref().map(|made| json!(made).to_string());
        if stored(backend)? == text {
            return Ok(false);
        }
        writing(backend, |backend| {
            backend.lock(LOCK)?;
            // Another process may have been quicker.
            if stored(backend)? == text {
                return Ok(false);
            }
            drop_views(backend)?;
            let Some(made) = &made else { return Ok(true) };
            backend.batch(&backend.dialect(include_str!("../queries/winterthur/membership.sql")))?;
            for Statement { name, sql } in &made.views {
                let name = name.to_lowercase();
                if backend.tables()?.iter().any(|table| table.to_lowercase() == name) {
                    return Err(Error::NameTaken(name));
                }
                backend.batch(sql)?;
            }
            let sql = "insert into setting (name, value) values ($1, $2)";
            backend.execute(sql, &[SETTING.into(), text.into()])?;
            fill(backend)?;
            Ok(true)
        })
    }
}

/// How the views were made.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Made {
    smallest_group: u32,
    views: Vec<Statement>,
}

/// A view's name, and the statement that makes it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Statement {
    name: String,
    sql: String,
}

fn statements(backend: &mut dyn Backend, wanted: &Winterthur) -> Result<Vec<Statement>, Error> {
    let all = [
        (&wanted.acad_user, include_str!("../queries/winterthur/acad_user.sql"), 3),
        (&wanted.user, include_str!("../queries/winterthur/org_user.sql"), 2),
        (&wanted.usage, include_str!("../queries/winterthur/acad_usage.sql"), 5),
    ];
    let statement = |(view, sql, columns): (&View, &str, usize)| {
        if view.columns.len() != columns {
            return Err(Error::Driver(format!("the view {} must have {columns} columns", view.name)));
        }
        let names: Vec<String> = view.columns.iter().map(|column| quoted(column)).collect();
        // Names come after the dialect: nothing in them is a placeholder.
        let sql = backend.dialect(sql).replace("{interval}", &wanted.interval_ms.to_string());
        let sql = format!("create view {} ({}) as {sql}", quoted(&view.name), names.join(", "));
        Ok(Statement { name: folded(&view.name), sql })
    };
    all.into_iter().map(statement).collect()
}

fn stored(backend: &mut dyn Backend) -> Result<Option<String>, Error> {
    one(backend, "select value from setting where name = $1", &[SETTING.into()], |row| row.text(0))
}

/// Takes the views away, if there are any.
pub(crate) fn drop_views(backend: &mut dyn Backend) -> Result<(), Error> {
    let Some(text) = stored(backend)? else { return Ok(()) };
    let made: Made =
        serde_json::from_str(&text).map_err(|error| Error::Corrupt(format!("setting {SETTING}: {error}")))?;
    for view in made.views {
        backend.batch(&format!("drop view if exists {}", quoted(&view.name)))?;
    }
    backend.batch("drop table if exists membership")?;
    backend.execute("delete from setting where name = $1", &[SETTING.into()])?;
    Ok(())
}

/// Tells the views, if there are any, what the directory says now.
pub(crate) fn refresh(backend: &mut dyn Backend) -> Result<(), Error> {
    if stored(backend)?.is_none() {
        return Ok(());
    }
    backend.lock(LOCK)?;
    fill(backend)
}

fn fill(backend: &mut dyn Backend) -> Result<(), Error> {
    let rows = rows(registry::entries(backend)?, settings::smallest_group(backend)?);
    backend.execute("delete from membership", &[])?;
    let sql = include_str!("../queries/winterthur/membership_insert.sql");
    for rows in rows.chunks(5_000) {
        backend.execute(sql, &[Value::Text(json!(rows).to_string())])?;
    }
    Ok(())
}

/// A row of the table `membership`: lookup, login, first day, day after the last, number.
type Row = (String, Option<String>, String, String, Option<i64>);

/// The number of organizations that have none, or are not to be told apart.
pub const UNKNOWN: i64 = -1;
/// Later than any day.
const NEVER: &str = "9999-99-99";

fn rows(entries: Vec<Entry>, smallest_group: u32) -> Vec<Row> {
    let mut numbers = numbers(&entries);
    let small = small_organizations(&entries, smallest_group);
    let directory = Directory::new(entries);
    let mut rows: Vec<Row> = numbers
        .iter()
        .map(|(name, number)| match small.contains(name) {
            // Totals of another system are known by the number: it is not told either.
            true => (format!("#{number}"), None, String::new(), NEVER.to_owned(), Some(UNKNOWN)),
            false => (format!("={name}"), None, String::new(), NEVER.to_owned(), Some(*number)),
        })
        .collect();
    numbers.retain(|name, _| !small.contains(name));
    let mut add = |lookup: &str, login: Option<&str>, person: &str| {
        let before = rows.len();
        for Membership { from, until, organization, .. } in directory.memberships(person) {
            let from = from.map_or_else(String::new, |day| day.to_string());
            let until = until.map_or_else(|| NEVER.to_owned(), |day| day.to_string());
            let number = organization.and_then(|name| numbers.get(&name).copied());
            rows.push((lookup.to_owned(), login.map(str::to_owned), from, until, number));
        }
        if rows.len() == before {
            // Known, and never of any organization.
            rows.push((lookup.to_owned(), None, String::new(), String::new(), None));
        }
    };
    let mut names = BTreeSet::new();
    for person in directory.persons() {
        match person.split_once('\\') {
            Some((_, login)) => add(person, Some(login), person),
            None => add(&format!("*\\{person}"), Some(person), person),
        }
        names.insert(person.rsplit('\\').next().unwrap_or_default());
    }
    for login in names {
        add(login, None, &directory.person_name(login));
    }
    rows
}

/// By what numbers other systems know organizations; of several the latest.
pub(crate) fn numbers(entries: &[Entry]) -> FxHashMap<String, i64> {
    let mut latest: Vec<&Entry> = entries.iter().collect();
    latest.sort_by_key(|entry| entry.valid_from);
    latest.into_iter().filter_map(|entry| Some((entry.organization.clone()?, entry.external_id?))).collect()
}

/// A name as the database keeps it: one of letters, digits and `_` alone is the same in any case, as it is where nobody
/// puts it in quotes.
fn folded(name: &str) -> String {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_$#".contains(letter));
    if is_plain { name.to_lowercase() } else { name.to_owned() }
}

/// A name as an identifier of SQL, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", folded(name).replace('\0', "").replace('"', "\"\""))
}
