//! Users whom the ledger did not know before: somebody may want to put the directory right.

use super::{LOCK, source};
use crate::backend::{Backend, all, one, writing};
use crate::{Error, Store, registry};
use accounting::day::Day;
use accounting::directory::Directory;
use serde_json::json;

/// The setting that holds up to which holder users were told, and which holder was the last one then.
const TOLD: &str = "heartbeats_users_told";
/// Holders that are looked at in one go: a bound for what is told at once.
const TOGETHER: i64 = 4_000;

/// A user whose first heartbeat has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// The domain; empty where there is none.
    pub domain: String,
    /// The user.
    pub user: String,
    /// Whether the directory knows the organization.
    pub has_organization: bool,
}

impl Store {
    /// Users whose first heartbeat came before this was asked last; each is told once, whichever process asks. What
    /// came since is left for the next time, because another process may be about to commit an earlier one.
    pub fn new_users(&mut self, today: Day) -> Result<Vec<NewUser>, Error> {
        let backend = self.backend.as_mut();
        let Some((server, _)) = source(backend)? else { return Ok(Vec::new()) };
        let last = last_holder(backend)?;
        if told(backend)? == (last, last) {
            return Ok(Vec::new());
        }
        writing(backend, |backend| {
            backend.lock(LOCK)?;
            let (told, seen) = told(backend)?;
            let upto = seen.min(told + TOGETHER);
            let sql = include_str!("../../queries/holder_new_users.sql");
            let users = all(backend, sql, &[server.into(), told.into(), upto.into()], |row| row.text(0))?;
            let sql = "insert into setting (name, value) values ($1, $2)
                       on conflict (name) do update set value = excluded.value";
            let now = json!([upto, last_holder(backend)?]).to_string();
            backend.execute(sql, &[TOLD.into(), now.into()])?;
            if users.is_empty() {
                return Ok(Vec::new());
            }
            let directory = Directory::new(registry::entries(backend)?);
            let new = |name: String| {
                let has_organization = directory.organization(&name, today).is_some();
                let (domain, user) = name.split_once('\\').unwrap_or(("", &name));
                NewUser { domain: domain.to_owned(), user: user.to_owned(), has_organization }
            };
            Ok(users.into_iter().map(new).collect())
        })
    }
}

fn told(backend: &mut dyn Backend) -> Result<(i64, i64), Error> {
    let sql = "select value from setting where name = $1";
    let text = one(backend, sql, &[TOLD.into()], |row| row.text(0))?;
    let numbers = text.map(|text| serde_json::from_str(&text)).transpose();
    Ok(numbers.map_err(|error| Error::Corrupt(format!("setting {TOLD}: {error}")))?.unwrap_or_default())
}

fn last_holder(backend: &mut dyn Backend) -> Result<i64, Error> {
    let last = one(backend, "select max(holder_id) from holder", &[], |row| row.opt_int(0))?;
    Ok(last.flatten().unwrap_or_default())
}
