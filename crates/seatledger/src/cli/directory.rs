//! `seatledger directory`

use super::progress::Bar;
use super::{Done, Global, say};
use crate::sheets::read_directory;
use anyhow::Context;
use clap::{Args, Subcommand};
use std::fs::File;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
The file has a header row: login,domain,organization,project,valid_from,valid_until[,external_id]
A row replaces the one of the same login and valid_from; organization and project hold from valid_from on, until
valid_until or the next row of that login.

Example:
  seatledger directory import people.csv";

/// Who belongs to which organization and project, by date
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger directory import people.csv")]
pub(crate) struct Directory {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take in rows of a CSV file
    #[command(after_help = AFTER_HELP)]
    Import {
        /// The file
        #[arg(value_name = "FILE.csv")]
        file: PathBuf,
    },
}

impl Directory {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let Command::Import { file } = self.command;
        let mut reader = File::open(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let rows = read_directory(&file, &mut reader)?;
        let (mut store, _) = global.create()?;
        let changes = store.import_directory(&rows)?;
        let bar = Bar::new("feature days");
        store.derive(&mut |done, total| bar.step(done, total))?;
        bar.done();
        say(&format!(
            "{} rows: {} added, {} changed, {} as they were",
            rows.len(),
            changes.added,
            changes.changed,
            changes.unchanged
        ));
        Ok(Done::Well)
    }
}
