//! `seatledger verify`

use super::progress::Bar;
use super::{Done, Global, say, warn};
use clap::Args;

/// Recompute everything from the sessions and compare: the books balance, or the first difference (exit code 1)
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger verify && echo balanced")]
pub(crate) struct Verify {}

/// How many dirty days are named.
const NAMED: usize = 10;

impl Verify {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, _) = global.open()?;
        let bar = Bar::new("features");
        let verified = store.verify(&mut |done, total| bar.step(done, total))?;
        bar.done();
        if !verified.dirty.is_empty() {
            warn(&format!(
                "{} dirty days, to be derived by the next import or rebuild:",
                verified.dirty.len()
            ));
            for day in verified.dirty.iter().take(NAMED) {
                warn(&format!("  {day}"));
            }
        }
        if let Some(difference) = verified.difference {
            let day = difference.day.map_or(String::new(), |day| format!(" on {day}"));
            warn(&format!("the books do not balance: {}{day}: {}", difference.feature, difference.what));
            return Ok(Done::Failed);
        }
        let seat_ms = verified.seat_ms;
        say(&format!(
            "balanced: {} sessions of {} features hold {}.{:03} seat seconds; {} feature days recomputed and equal, \
             {} unsettled",
            verified.sessions,
            verified.features,
            seat_ms / 1000,
            seat_ms % 1000,
            verified.days,
            verified.unsettled
        ));
        Ok(Done::Well)
    }
}
