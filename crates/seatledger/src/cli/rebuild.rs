//! `seatledger rebuild`

use super::progress::Bar;
use super::{Done, Global, say};
use clap::Args;

/// Drop all that is derived from the sessions and derive it anew, under the configuration's calendar
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger rebuild && seatledger verify")]
pub(crate) struct Rebuild {}

impl Rebuild {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, _) = global.create()?;
        store.rebuild()?;
        let bar = Bar::new("feature days");
        store.derive(&mut |done, total| bar.step(done, total))?;
        bar.done();
        let status = store.status()?;
        let days = status.rows.iter().find(|(table, _)| *table == "feature_day").map_or(0, |(_, rows)| *rows);
        say(&format!("{days} feature days derived, {} unsettled", status.unsettled));
        Ok(Done::Well)
    }
}
