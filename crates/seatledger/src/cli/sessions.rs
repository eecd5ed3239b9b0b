//! `seatledger sessions`

use super::{Done, Global, Shown};
use crate::answers::{self, Sight, list_sessions};
use clap::Args;

const AFTER_HELP: &str = "\
Examples:
  seatledger sessions --open
  seatledger sessions --feature 'MATLAB*' --from 2025-03-01 --until 2025-04-01 --format csv";

/// The sessions themselves: who held which seats from when until when, and how that ended
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SessionsCommand {
    #[command(flatten)]
    wanted: answers::Sessions,
    #[command(flatten)]
    shown: Shown,
}

impl SessionsCommand {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, _) = global.open()?;
        let listing = ("sessions", answers::Sessions::COLUMNS);
        let told = self.wanted.told(&Sight::Everything);
        store.in_one_transaction(|store| {
            let calendar = store.calendar()?;
            self.shown.list(listing, calendar.zone(), told, |each| {
                list_sessions(store, &calendar, &self.wanted, &Sight::Everything, each)
            })
        })?;
        Ok(Done::Well)
    }
}
