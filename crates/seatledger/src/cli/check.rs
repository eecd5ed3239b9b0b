//! `seatledger check`

use super::{Done, Global, Shown, default_zone};
use crate::config::{Config, OpenIdConfig};
use crate::gate::openid::{self, Trouble};
use crate::sources::configured::{Servers, sources};
use crate::sources::live::{Finding, Grade, check};
use accounting::report::{Cell, Column, Report};
use clap::Args;
use jiff::tz::TimeZone;
use store::{Opener, Store};

/// Try the configuration, the database, the provider of logins and every source once, and say what to do about what is found
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is written. Run it as the user that the service runs as: it sees what that user may see.

Examples:
  seatledger check                        as a table
  seatledger check --format json          for scripts
  sudo -u seatledger seatledger --config /etc/seatledger.toml check

Exit codes: 0 all is well; 3 something should be looked at; 1 something does not work.")]
pub(crate) struct Check {
    #[command(flatten)]
    shown: Shown,
}

/// A finding, and what it is of.
struct Row {
    of: String,
    finding: Finding,
}

impl Check {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let config = global.config()?;
        let place = global.place(&config)?;
        let mut rows = vec![of_configuration(&config)];
        rows.push(of_database(&Store::open(&place), &place.to_string()));
        rows.extend(config.openid.as_ref().map(of_login));
        let servers = Servers::of(&config, default_zone(&config));
        for (about, findings) in check(sources(&config, &servers), Opener::of(&place)) {
            rows.extend(findings.into_iter().map(|finding| Row { of: about.name.clone(), finding }));
        }
        let worst = rows.iter().map(|row| row.finding.grade).max();
        let report = Report {
            name: "check",
            columns: vec![
                Column::text("of"),
                Column::text("state"),
                Column::text("found"),
                Column::text("what_to_do"),
            ],
            rows: rows.into_iter().map(cells).collect(),
            notes: Vec::new(),
        };
        self.shown.report(&report, &TimeZone::UTC, Vec::new())?;
        Ok(match worst {
            Some(Grade::Bad) => Done::Failed,
            Some(Grade::Doubtful) => Done::PartlyUnderstood,
            Some(Grade::Well) | None => Done::Well,
        })
    }
}

fn cells(row: Row) -> Vec<Cell> {
    let state = match row.finding.grade {
        Grade::Well => "ok",
        Grade::Doubtful => "look",
        Grade::Bad => "bad",
    };
    [row.of, state.to_owned(), row.finding.what, row.finding.remedy].map(Cell::Text).into()
}

fn of_configuration(config: &Config) -> Row {
    let finding = match (&config.file, config.sources.len()) {
        (None, _) => Finding::doubtful(
            "there is no seatledger.toml here, and none is named with --config",
            "write one: docs/configuration.md",
        ),
        (Some(file), 0) => Finding::doubtful(
            format!("{file} is right, and names no [[source]]"),
            "nothing but heartbeats comes in by itself; docs/sources.md says what can",
        ),
        (Some(file), sources) => {
            let plural = if sources == 1 { "" } else { "s" };
            Finding::well(format!("{file} is right, and names {sources} source{plural}"))
        }
    };
    Row { of: "configuration".to_owned(), finding }
}

/// Whether the provider answers by which people log in.
fn of_login(config: &OpenIdConfig) -> Row {
    let finding = match openid::check(config) {
        Ok(found) => Finding::well(found),
        Err(Trouble { why, remedy }) => Finding::bad(why, remedy),
    };
    Row { of: "login".to_owned(), finding }
}

fn of_database(opened: &Result<Store, store::Error>, place: &str) -> Row {
    let finding = match opened {
        Ok(_) => Finding::well(format!("{place} can be read")),
        Err(store::Error::NotFound(_)) => {
            Finding::well(format!("{place} is not there yet: `seatledger serve` makes it"))
        }
        Err(error) => Finding::bad(format!("{place}: {error}"), "correct --db, SEATLEDGER_DB or db = \"…\""),
    };
    Row { of: "database".to_owned(), finding }
}
