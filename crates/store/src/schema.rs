//! The schema and its migrations, applied in order, each in the transaction that notes it.

use crate::backend::{Backend, one};
use crate::{Error, Place};

/// The migrations in their order; a new one is added at the end, none is ever changed.
const MIGRATIONS: [&str; 24] = [
    include_str!("../migrations/0001_books.sql"),
    include_str!("../migrations/0002_article.sql"),
    include_str!("../migrations/0003_polls.sql"),
    include_str!("../migrations/0004_heartbeats.sql"),
    include_str!("../migrations/0005_accounts.sql"),
    include_str!("../migrations/0006_pages.sql"),
    include_str!("../migrations/0007_arrivals.sql"),
    include_str!("../migrations/0008_browsers.sql"),
    include_str!("../migrations/0009_events.sql"),
    include_str!("../migrations/0010_alerts.sql"),
    include_str!("../migrations/0011_poll_stretches.sql"),
    include_str!("../migrations/0012_forward.sql"),
    include_str!("../migrations/0013_claims.sql"),
    include_str!("../migrations/0014_source_state.sql"),
    include_str!("../migrations/0015_forward_parked.sql"),
    include_str!("../migrations/0016_token_site.sql"),
    include_str!("../migrations/0017_forward_hash.sql"),
    include_str!("../migrations/0018_provided_session.sql"),
    include_str!("../migrations/0019_site_sources.sql"),
    include_str!("../migrations/0020_expiry_seen.sql"),
    include_str!("../migrations/0021_site_heartbeats.sql"),
    include_str!("../migrations/0022_site_tokens.sql"),
    include_str!("../migrations/0023_session_runs.sql"),
    include_str!("../migrations/0024_session_runs_of_sqlite.sql"),
];

/// The number of the lock under which one process migrates.
const MIGRATION_LOCK: i64 = 0x5ea7_1ed9;

/// The schema version that this program writes.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The schema version of a database; 0 where it is empty.
pub(crate) fn version(backend: &mut dyn Backend) -> Result<i64, Error> {
    if !backend.tables()?.iter().any(|table| table == "setting") {
        return Ok(0);
    }
    let read =
        one(backend, "select value from setting where name = 'schema_version'", &[], |row| row.text(0))?;
    let text = read.ok_or_else(|| Error::Corrupt("no schema version in table setting".to_owned()))?;
    text.parse().map_err(|_| Error::Corrupt(format!("schema version `{text}`")))
}

/// Brings the database to this program's version; does nothing where it is there.
pub(crate) fn migrate(backend: &mut dyn Backend) -> Result<(), Error> {
    if version(backend)? == VERSION {
        return Ok(());
    }
    crate::backend::writing(backend, |backend| {
        backend.lock(MIGRATION_LOCK)?;
        let found = version(backend)?;
        refuse_newer(found)?;
        // A schema of PostgreSQL may be shared; a file is ours or somebody else's.
        if found == 0 && backend.name() == "sqlite" && !backend.tables()?.is_empty() {
            return Err(Error::Foreign);
        }
        if found > 0 {
            // They name columns that a migration may change; whoever wants them makes them again.
            crate::views::drop_views(backend)?;
        }
        for (number, sql) in (1_i64..).zip(MIGRATIONS).skip(found as usize) {
            backend.batch(&backend.dialect(sql))?;
            let note = "insert into setting (name, value) values ('schema_version', $1)
                        on conflict (name) do update set value = excluded.value";
            backend.execute(note, &[number.to_string().into()])?;
        }
        Ok(())
    })
}

/// Refuses a database that this program cannot read.
pub(crate) fn check(backend: &mut dyn Backend, place: &Place) -> Result<(), Error> {
    let found = version(backend)?;
    refuse_newer(found)?;
    match found {
        0 => Err(Error::NotFound(format!("{place} (the database is empty)"))),
        found if found < VERSION => Err(Error::Driver(format!(
            "it has schema version {found}, this program needs {VERSION}: run `seatledger db migrate`"
        ))),
        _ => Ok(()),
    }
}

fn refuse_newer(found: i64) -> Result<(), Error> {
    if found > VERSION { Err(Error::Newer { found, known: VERSION }) } else { Ok(()) }
}
