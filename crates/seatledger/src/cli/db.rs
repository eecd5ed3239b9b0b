//! `seatledger db`

use super::{Done, Global, say, set_views};
use crate::{clock, keys, secrets};
use accounting::day::Day;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use store::Store;

/// The database: migrate, look at, back up
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  seatledger db status\n  seatledger db backup seatledger-2026-01-01.db")]
pub(crate) struct Db {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the schema to this version's (every command that writes does so itself)
    #[command(after_help = "Example:\n  seatledger db migrate --db postgres://seatledger@db/seatledger")]
    Migrate,
    /// Schema version, rows, dirty and unsettled days
    #[command(after_help = "Example:\n  seatledger db status --json")]
    Status {
        /// For scripts
        #[arg(long)]
        json: bool,
    },
    /// Remove what is older than [privacy.retention] of the configuration says; `serve` does so every day
    #[command(
        after_help = "Examples:\n  seatledger db retention\n  seatledger db retention --sessions-before 2024-01-01"
    )]
    Retention {
        /// Remove sessions, requests and totals before this day, whatever the configuration says
        #[arg(long, value_name = "DAY", value_parser = clap::value_parser!(Day))]
        sessions_before: Option<Day>,
        /// Remove lines that nobody understood, of inputs that end before this day
        #[arg(long, value_name = "DAY", value_parser = clap::value_parser!(Day))]
        quarantine_before: Option<Day>,
    },
    /// Put [privacy] of the configuration in force in a ledger that keeps persons otherwise; what it holds stays as it is
    #[command(after_help = "Example:\n  seatledger db privacy")]
    Privacy,
    /// Tell the central service of [forward] as another ledger from now on: this one was set back to a backup, or is a copy
    #[command(after_help = "Example:\n  seatledger db forward-anew --config site.toml")]
    ForwardAnew,
    /// Write the whole ledger into a new SQLite file, which is itself a ledger; others may go on writing
    #[command(after_help = "Example:\n  seatledger db backup seatledger-2026-01-01.db")]
    Backup {
        /// The file, which must not exist
        file: PathBuf,
    },
}

impl Db {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::Migrate => {
                let config = global.config()?;
                let place = global.place(&config)?;
                let mut store = Store::create(&place).with_context(|| format!("cannot migrate {place}"))?;
                set_views(&mut store, &config)?;
                // What a migration took out of the feature days is there again when it is done.
                store.derive(&mut |_, _| {})?;
                say(&format!("schema version {}", store.status()?.schema_version));
            }
            Command::Status { json } => status(global, json)?,
            Command::Retention { sessions_before, quarantine_before } => {
                retention(global, sessions_before, quarantine_before)?;
            }
            Command::Privacy => {
                let config = global.config()?;
                let place = global.place(&config)?;
                let mut store = Store::create(&place).with_context(|| format!("cannot open {place}"))?;
                store.change_privacy(&keys::privacy(&config.privacy)?)?;
                say(&format!(
                    "{place} keeps persons as identity = \"{}\" from now on",
                    config.privacy.identity.name()
                ));
            }
            Command::ForwardAnew => {
                let mut store = global.create_as_it_is()?;
                let parts = store.forward_anew(&secrets::new_mark()?)?;
                say(&format!(
                    "this ledger tells the central service as another one from now on, {parts} parts that wait among it; \
                     nothing counts twice there, but what `import --replace` takes out here from now on stays there as it was told"
                ));
            }
            Command::Backup { file } => {
                let (mut store, _) = global.open()?;
                store.backup(&file).with_context(|| format!("cannot back up to {}", file.display()))?;
                say(&format!("{} holds the whole ledger: use it with --db {0}", file.display()));
            }
        }
        Ok(Done::Well)
    }
}

fn retention(global: &Global, sessions: Option<Day>, quarantine: Option<Day>) -> anyhow::Result<()> {
    let (mut store, config) = global.create()?;
    let today = clock::today(store.calendar()?.zone());
    let kept = config.privacy.retention.first_days(today);
    let (sessions, quarantine) = (sessions.or(kept.0), quarantine.or(kept.1));
    if sessions.is_none() && quarantine.is_none() {
        bail!(
            "nothing says how long to keep what: write [privacy.retention] sessions = \"730d\" into the configuration"
        );
    }
    if let Some(day) = sessions {
        let removed = store.remove_facts_before(day)?;
        store.derive(&mut |_, _| ())?;
        say(&format!(
            "before {day}: {} sessions, {} requests, {} feature days, {} holders removed",
            removed.sessions, removed.requests, removed.days, removed.holders
        ));
    }
    if let Some(day) = quarantine {
        let removed = store.remove_quarantine_before(day)?;
        say(&format!("inputs that end before {day}: {} shapes of lines removed", removed.lines));
    }
    Ok(())
}

fn status(global: &Global, json: bool) -> anyhow::Result<()> {
    let (mut store, _) = global.open()?;
    let status = store.status()?;
    if json {
        let rows: serde_json::Map<String, serde_json::Value> =
            status.rows.iter().map(|(table, rows)| ((*table).to_owned(), (*rows).into())).collect();
        let object = serde_json::json!({
            "kind": status.kind,
            "schema_version": status.schema_version,
            "schema_known": status.schema_known,
            "dirty_days": status.dirty,
            "unsettled_days": status.unsettled,
            "rows": rows,
        });
        say(&object.to_string());
        return Ok(());
    }
    say(&format!("{} database, schema version {}", status.kind, status.schema_version));
    for (table, rows) in &status.rows {
        say(&format!("{rows:>12}  {table}"));
    }
    say(&format!("{:>12}  dirty feature days", status.dirty));
    say(&format!("{:>12}  unsettled feature days (computed when read)", status.unsettled));
    Ok(())
}
