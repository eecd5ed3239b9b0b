//! `seatledger catalog`

use super::{Done, Global, say};
use crate::sheets::read_catalog;
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::fs::File;
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Files without a header hold a product name, then its feature codes (Autodesk's tables of feature codes). Files with the
header feature,product,type,price say more. Of a code in several files the last file counts, by name.

Examples:
  seatledger catalog import feature-codes/
  seatledger catalog import products.csv";

/// What feature codes are called, which product and type they belong to
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger catalog import feature-codes/")]
pub(crate) struct Catalog {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take in tables of feature codes
    #[command(after_help = AFTER_HELP)]
    Import {
        /// A CSV file, or a directory of them
        #[arg(value_name = "FILE|DIR")]
        path: PathBuf,
    },
}

impl Catalog {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let Command::Import { path } = self.command;
        let mut files = vec![path.clone()];
        if path.is_dir() {
            files = std::fs::read_dir(&path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            files.retain(|file| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")));
            files.sort();
            if files.is_empty() {
                bail!("{} holds no .csv files", path.display());
            }
        }
        let mut entries = Vec::new();
        for file in &files {
            let mut reader = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
            entries.extend(read_catalog(file, &mut reader)?);
        }
        let (mut store, _) = global.create()?;
        let changes = store.import_catalog(&entries)?;
        say(&format!(
            "{} files, {} feature codes: {} added, {} changed, {} as they were",
            files.len(),
            changes.added + changes.changed + changes.unchanged,
            changes.added,
            changes.changed,
            changes.unchanged
        ));
        Ok(Done::Well)
    }
}
