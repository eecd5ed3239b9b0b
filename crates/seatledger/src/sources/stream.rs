//! An input without an end: what arrives over a socket. It is known by a name, and its checkpoint counts what was taken in.

use super::collector::Collector;
use super::resume::{Naming, Resume};
use accounting::UnixMs;
use formats::line::Format;
use serde::{Deserialize, Serialize};
use store::input::{Checkpoint, Counts};
use store::intake::{Intake, Interner};
use store::{Error, Store};

/// The format of such inputs, so that no file goes on where one of them stands.
const FORMAT: &str = "stream";
/// After so many commits the names that are remembered are forgotten, so that memory does not grow for ever.
const REMEMBERED: u64 = 20_000;

/// What an input without an end is.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) format: &'static dyn Format,
    /// What people call it.
    pub(crate) name: &'a str,
    /// What tells it from all others.
    pub(crate) key: &'a str,
    /// The license server that it is of.
    pub(crate) server: &'a str,
    /// The IANA name of that server's zone.
    pub(crate) zone: &'a str,
}

/// How the reading goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    parser: String,
    resume: Resume,
}

/// An input without an end, and what is remembered of the ledger. After an error it is to be opened anew.
pub(crate) struct Stream {
    format: &'static dyn Format,
    zone: String,
    intake: Intake,
    interner: Interner,
    checkpoint: Checkpoint,
    state: State,
    commits: u64,
}

impl Stream {
    pub(crate) fn open(store: &mut Store, about: About<'_>) -> Result<Self, Error> {
        let mut intake = Intake::default();
        let known = store.inputs_beginning_with(0, about.key)?.into_iter().next();
        let state = match &known {
            Some(known) => serde_json::from_str(&known.reader_state)
                .map_err(|error| Error::Corrupt(format!("checkpoint of {}: {error}", about.name)))?,
            None => State {
                resume: Resume { server: about.server.to_owned(), ..Resume::default() },
                ..State::default()
            },
        };
        let checkpoint = known.clone().unwrap_or_else(|| Checkpoint {
            format: FORMAT.to_owned(),
            head_hash: about.key.to_owned(),
            ..Checkpoint::default()
        });
        intake.begin(known);
        Ok(Self {
            format: about.format,
            zone: about.zone.to_owned(),
            intake,
            interner: Interner::default(),
            checkpoint: Checkpoint { name: about.name.to_owned(), ..checkpoint },
            state,
            commits: 0,
        })
    }

    /// The parser's state after what was taken in.
    pub(crate) fn parser(&self) -> &str {
        &self.state.parser
    }

    /// Whether it should be opened anew, to forget names.
    pub(crate) fn is_worn(&self) -> bool {
        self.commits > REMEMBERED
    }

    /// Commits what `put` gives to a collector, with the parser's state that it returns; what lines became.
    pub(crate) fn commit(
        &mut self,
        store: &mut Store,
        put: impl FnOnce(&mut Collector<'_>) -> String,
    ) -> Result<Counts, Error> {
        let naming = Naming { given: true, ..Naming::default() };
        let before = self.checkpoint.counts;
        let mut collector =
            Collector::new(&mut self.interner, self.format, &self.zone, naming, &self.state.resume, before);
        let parser = put(&mut collector);
        let batch = collector.take();
        let state = State { parser, resume: collector.resume() };
        let counts = collector.counts;
        let checkpoint = Checkpoint {
            position: self.checkpoint.position + (counts.lines - before.lines).max(1),
            reader_state: serde_json::to_string(&state).unwrap_or_default(),
            counts,
            ..self.checkpoint.clone()
        };
        self.intake.commit(store, &[batch], &checkpoint)?;
        (self.checkpoint, self.state) = (checkpoint, state);
        self.commits += 1;
        Ok(Counts {
            lines: counts.lines - before.lines,
            events: counts.events - before.events,
            notes: counts.notes - before.notes,
            noise: counts.noise - before.noise,
            unrecognized: counts.unrecognized - before.unrecognized,
        })
    }
}

/// The instant of a line that arrives over a socket as evidence: what comes late, or from a clock that is slow, is no sign
/// that nobody was awaited since.
pub(crate) fn evidence(at: UnixMs, collector: &Collector<'_>) -> UnixMs {
    at.max(collector.latest())
}
