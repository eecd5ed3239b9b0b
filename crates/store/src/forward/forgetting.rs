//! Who is forgotten at a site is not told to the central service any more: parts that wait are rewritten.

use super::part::{Part, Run};
use crate::Error;
use crate::backend::{Backend, Value, all, one};
use crate::heartbeats::NAME;
use accounting::session::HolderId;
use rustc_hash::FxHashMap;
use serde_json::json;

/// A holder as a part tells it: license server, vendor, user, host, display, checkout data.
type Told = (String, String, String, String, String, String);

/// The holders of a person, as parts that wait tell them; read before the ledger forgets them.
#[derive(Debug, Default)]
pub(crate) struct Forgettable {
    holders: FxHashMap<Told, HolderId>,
}

impl Forgettable {
    /// Reads them, where anything waits.
    pub(crate) fn read(backend: &mut dyn Backend, holders: &[HolderId]) -> Result<Self, Error> {
        let mut found = Self::default();
        if one(backend, "select part_id from forward_part limit 1", &[], |row| row.int(0))?.is_none() {
            return Ok(found);
        }
        for ids in holders.chunks(5_000) {
            let rows = json!(ids.iter().map(|id| json!([id])).collect::<Vec<_>>()).to_string();
            let sql = include_str!("../../queries/holder_told.sql");
            found.holders.extend(all(backend, sql, &[Value::Text(rows)], |row| {
                let names = (row.text(2)?, row.text(3)?, row.text(4)?, row.text(5)?, row.text(6)?);
                let (vendor, user, host, display, data) = names;
                Ok(((row.text(1)?, vendor, user, host, display, data), row.id(0)?))
            })?);
        }
        Ok(found)
    }

    /// Puts the name that stands for the person, and hosts as the ledger calls them now, into the parts that wait; lines
    /// that name the person lose their words.
    pub(crate) fn forget(
        &self,
        backend: &mut dyn Backend,
        name: &str,
        names_person: impl Fn(&str) -> bool,
    ) -> Result<(), Error> {
        // As who removes parts does.
        backend.execute("update forward set waiting_parts = waiting_parts", &[])?;
        let sql = "select part_id from forward_part order by part_id";
        for id in all(backend, sql, &[], |row| row.int(0))? {
            let sql = "select body, bytes from forward_part where part_id = $1";
            let found = one(backend, sql, &[id.into()], |row| Ok((row.text(0)?, row.int(1)?)))?;
            let Some((body, bytes)) = found else { continue };
            let mut part: Part =
                serde_json::from_str(&body).map_err(|error| Error::Corrupt(format!("part {id}: {error}")))?;
            if !self.rewrite(&mut part, name, &names_person) {
                continue;
            }
            let body = serde_json::to_string(&part).map_err(|error| Error::Driver(error.to_string()))?;
            let now = body.len() as i64;
            let sql = "update forward_part set body = $2, bytes = $3 where part_id = $1";
            backend.shred(sql, &[id.into(), body.into(), now.into()])?;
            let sql = "update forward set waiting_bytes = waiting_bytes + $1";
            backend.execute(sql, &[(now - bytes).into()])?;
        }
        Ok(())
    }

    /// Whether a part told of the person.
    fn rewrite(&self, part: &mut Part, name: &str, names_person: impl Fn(&str) -> bool) -> bool {
        let mut is_changed = false;
        let names = &mut part.names;
        for (daemon, user, host, display, data) in &mut names.holders {
            let Some((server, _, _, _, vendor)) = names.daemons.get(*daemon as usize) else { continue };
            let [server, vendor, of_user, of_host, of_display, of_data] =
                [server, vendor, &*user, &*host, &*display, &*data].map(String::clone);
            let told = (server, vendor, of_user, of_host, of_display, of_data);
            if let Some(id) = self.holders.get(&told) {
                (*user, *host) = (name.to_owned(), format!("host-{id}"));
                display.clear();
                data.clear();
                is_changed = true;
            }
        }
        for (user, host) in part.heartbeats.iter_mut().flat_map(|beats| &mut beats.persons) {
            let nothing = String::new;
            let told = (NAME.to_owned(), nothing(), user.clone(), host.clone(), nothing(), nothing());
            if let Some(id) = self.holders.get(&told) {
                (*user, *host) = (name.to_owned(), format!("host-{id}"));
                is_changed = true;
            }
        }
        for run in &mut part.runs {
            let Run { quarantined, retracted_quarantined, .. } = run;
            for (.., sample) in quarantined.iter_mut().chain(retracted_quarantined) {
                if names_person(sample) {
                    sample.clear();
                    is_changed = true;
                }
            }
        }
        is_changed
    }
}
