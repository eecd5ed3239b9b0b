//! Reading an input and committing what is read, part by part.

use super::coming::{Coming, PARTS_WAITING};
use super::reading::{self, Reading, Sent};
use super::survey::Surveyed;
use super::{Door, Importer, Watch};
use crate::sources::collector::Tally;
use accounting::UnixMs;
use anyhow::Context;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use store::input::{Checkpoint, Counts};

impl<D: Door> Importer<'_, D> {
    /// Reads an input, and commits what is read part by part, until its end or until the watcher has had enough.
    pub(crate) fn take(
        &mut self,
        surveyed: &Surveyed,
        reading: Reading,
        seen: Arc<AtomicU64>,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<Taken> {
        let mut position = reading.checkpoint.position;
        let bytes = surveyed.bytes.reader_at(position - reading::known_before(position) as u64, seen)?;
        let (to, from) = sync_channel(PARTS_WAITING);
        let size = if surveyed.bytes.is_plain() { surveyed.bytes.size().ok() } else { None };
        let mut before = reading.checkpoint.counts;
        let manner = reading.manner;
        let (interner, intake, door) = (&mut self.interner, &mut self.intake, &mut self.door);
        let dry_run = self.wish.dry_run;
        let mut taken = Taken::default();
        let result = std::thread::scope(|scope| {
            // Dropped within, whatever happens: the thread that reads ends where nobody takes its parts.
            let mut parts = Coming::new(from, manner);
            scope.spawn(move || reading.run(bytes, size, interner, &to));
            while parts.wait() {
                let begun = Instant::now();
                let mut committed = 1;
                if !dry_run {
                    let outcome = door.with(|store| intake.commit_together(store, &mut parts))?;
                    taken.sessions_closed += outcome.sessions_closed;
                    taken.unmatched += outcome.unmatched;
                    committed = outcome.parts;
                }
                let latest = parts.latest(committed);
                let Some(checkpoint) = parts.done(committed) else { break };
                let new = less(checkpoint.counts, before);
                before = checkpoint.counts;
                let bytes = checkpoint.position - position;
                position = checkpoint.position;
                taken.last = intake.input().cloned().or(Some(checkpoint));
                if !watch.committed(&Committed { bytes, new, latest, time: begun.elapsed() }) {
                    break;
                }
            }
            match parts.ended() {
                Some(Sent::End(tally)) => taken.tally = tally,
                Some(Sent::Failed(tally, problem)) => (taken.tally, taken.problem) = (tally, Some(problem)),
                Some(Sent::Part(..)) | None => {}
            }
            Ok::<_, anyhow::Error>(())
        });
        result.with_context(|| format!("cannot store {}", surveyed.name))?;
        Ok(taken)
    }
}

/// What came of reading an input.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The last checkpoint that was committed, where any was.
    pub(crate) last: Option<Checkpoint>,
    pub(crate) tally: Tally,
    pub(crate) sessions_closed: u64,
    pub(crate) unmatched: u64,
    /// Why it was not read to its end.
    pub(crate) problem: Option<String>,
}

/// A part of an input that was committed.
#[derive(Debug)]
pub(crate) struct Committed {
    /// How long it is.
    pub(crate) bytes: u64,
    /// Its lines.
    pub(crate) new: Counts,
    /// The latest instant of any of them.
    pub(crate) latest: Option<UnixMs>,
    /// How long it took.
    pub(crate) time: Duration,
}

/// What was counted since.
pub(super) fn less(now: Counts, before: Counts) -> Counts {
    Counts {
        lines: now.lines.saturating_sub(before.lines),
        events: now.events.saturating_sub(before.events),
        notes: now.notes.saturating_sub(before.notes),
        noise: now.noise.saturating_sub(before.noise),
        unrecognized: now.unrecognized.saturating_sub(before.unrecognized),
    }
}
