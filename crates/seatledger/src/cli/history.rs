//! `seatledger history`

use super::{Done, Global, Shown};
use crate::answers::{self, Sight, list_history};
use clap::Args;

const AFTER_HELP: &str = "\
Examples:
  seatledger history --from 2025-03-12 --until 2025-03-13
  seatledger history --feature 'hfss*' --format csv | grep denial";

/// What happened, in order of time: grants, checkins, denials, time-outs
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct HistoryCommand {
    #[command(flatten)]
    wanted: answers::History,
    #[command(flatten)]
    shown: Shown,
}

impl HistoryCommand {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, _) = global.open()?;
        let listing = ("history", answers::History::COLUMNS);
        let told = self.wanted.told(&Sight::Everything);
        store.in_one_transaction(|store| {
            let calendar = store.calendar()?;
            self.shown.list(listing, calendar.zone(), told, |each| {
                list_history(store, &calendar, &self.wanted, &Sight::Everything, each)
            })
        })?;
        Ok(Done::Well)
    }
}
