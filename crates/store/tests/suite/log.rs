//! What license servers say, in the words of the store.

use accounting::UnixMs;
use accounting::event::{DenialReason, Pairing};
use accounting::pairing::{End, Start, Step};
use accounting::session::Ended;
use std::collections::BTreeMap;
use store::input::Checkpoint;
use store::intake::{
    Batch, BreakEvent, DaemonId, Intake, Interner, KeyEvent, Parts, Quarantined, RequestEvent,
    RequestOutcome, Span,
};
use store::{Error, Store};

pub(crate) const MINUTE: UnixMs = 60_000;
pub(crate) const HOUR: UnixMs = 60 * MINUTE;
/// 2025-03-03T00:00Z, a Monday.
pub(crate) const MONDAY: UnixMs = 1_740_960_000_000;

/// A line of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) at: UnixMs,
    pub(crate) vendor: &'static str,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Feature, user, seats.
    Out(&'static str, &'static str, u32),
    In(&'static str, &'static str, u32),
    Denied(&'static str, &'static str),
    Starts,
    Stops,
    /// Nothing that counts.
    Lives,
    Babbles,
}

/// At so many hours of the week.
pub(crate) fn at(hours: f64, vendor: &'static str, what: What) -> Said {
    Said { at: MONDAY + (hours * HOUR as f64) as UnixMs, vendor, what }
}

/// A process that reads of a license server.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// The license server; `lic` where none is named.
    pub(crate) server: Option<&'static str>,
    pub(crate) interner: Interner,
    pub(crate) intake: Intake,
}

impl Process {
    /// Reads an input of one run of dates.
    pub(crate) fn read(&mut self, store: &mut Store, name: &str, said: &[Said]) {
        self.read_parts(store, name, &[said]);
    }

    /// Reads an input in several commits.
    pub(crate) fn read_parts(&mut self, store: &mut Store, name: &str, parts: &[&[Said]]) {
        self.intake.begin(None);
        let mut spans = BTreeMap::new();
        for (nth, part) in parts.iter().enumerate() {
            let batch = self.batch(0, part, &mut spans);
            self.commit(store, name, nth as u64 + 1, &[batch]).unwrap();
        }
    }

    /// Reads an input whose dates go back between its runs.
    pub(crate) fn read_runs(&mut self, store: &mut Store, name: &str, runs: &[Vec<Said>]) {
        self.intake.begin(None);
        let batches: Vec<Batch> =
            (0..).zip(runs).map(|(run, said)| self.batch(run, said, &mut BTreeMap::new())).collect();
        self.commit(store, name, 1, &batches).unwrap();
    }

    /// Reads an input in parts of which as many as can go into one transaction; `waiting` of them are there before it.
    pub(crate) fn read_together(&mut self, store: &mut Store, name: &str, parts: &[&[Said]], waiting: usize) {
        self.intake.begin(None);
        let mut given = self.given(name, parts, waiting);
        while !given.parts.is_empty() {
            let parts = self.intake.commit_together(store, &mut given).unwrap().parts;
            given.parts.drain(..parts);
        }
    }

    /// Parts of an input, to be committed together.
    pub(crate) fn given(&mut self, name: &str, parts: &[&[Said]], waiting: usize) -> Given {
        let mut spans = BTreeMap::new();
        let parts = (1..).zip(parts);
        let part = |(position, said): (u64, &&[Said])| {
            let batch = self.batch(0, said, &mut spans);
            // As a reader does that has time.
            if position % 2 == 0 {
                batch.sort();
            }
            (vec![batch], checkpoint(name, position))
        };
        let parts = parts.map(part).collect();
        Given { parts, waiting }
    }

    pub(crate) fn commit(
        &mut self,
        store: &mut Store,
        name: &str,
        position: u64,
        batches: &[Batch],
    ) -> Result<(), Error> {
        self.intake.commit(store, batches, &checkpoint(name, position)).map(|_| ())
    }

    pub(crate) fn daemon(&mut self, vendor: &str) -> DaemonId {
        self.interner.daemon(self.server.unwrap_or("lic"), "flexnet", Pairing::Counted, "UTC", vendor)
    }

    /// A batch as a reader of a debug log makes it; `spans` are those that go on.
    pub(crate) fn batch(
        &mut self,
        run: u32,
        said: &[Said],
        spans: &mut BTreeMap<&'static str, Span>,
    ) -> Batch {
        let mut batch = Batch { run, ..Batch::default() };
        for line in said {
            let daemon = self.daemon(line.vendor);
            let begins_run = line.what == What::Starts;
            if begins_run {
                batch.spans.extend(spans.remove(line.vendor));
            }
            let new = || Span { daemon, run, from: line.at, until: line.at, begins_run, polled: false };
            let span = spans.entry(line.vendor).or_insert_with(new);
            span.until = span.until.max(line.at);
            self.say(&mut batch, *line, daemon);
        }
        batch.spans.extend(spans.values().copied());
        batch.names = self.interner.news();
        batch
    }

    fn say(&mut self, batch: &mut Batch, line: Said, daemon: DaemonId) {
        let Said { at, what, .. } = line;
        match what {
            What::Out(feature, user, seats) => {
                let version = self.interner.version(Some("1.0"));
                let step = Step::Start(Start { at, order: 0, seats, version, input: 0 });
                let event = self.event(feature, user, daemon, step);
                batch.events.push(event);
            }
            What::In(feature, user, seats) => {
                let step = Step::End(End { at, order: 0, seats, ended: Ended::Checkin, input: 0 });
                let event = self.event(feature, user, daemon, step);
                batch.events.push(event);
            }
            What::Denied(feature, user) => batch.requests.push(RequestEvent {
                feature: self.interner.feature(feature),
                holder: self.interner.holder(daemon, user, "ws", "", ""),
                at,
                outcome: RequestOutcome::Denied(DenialReason::Capacity),
                code: "-4,342".to_owned(),
                seats: 1,
                version: 0,
            }),
            What::Starts => batch.breaks.push(BreakEvent { daemon, at, started: true }),
            What::Stops => batch.breaks.push(BreakEvent { daemon, at, started: false }),
            What::Lives => {}
            What::Babbles => batch.quarantined.push(Quarantined {
                shape: "a".to_owned(),
                reason: "babble".to_owned(),
                lines: 1,
                first_line: 1,
                sample: "bla".to_owned(),
            }),
        }
    }

    fn event(&mut self, feature: &str, user: &str, daemon: DaemonId, step: Step) -> KeyEvent {
        KeyEvent {
            feature: self.interner.feature(feature),
            holder: self.interner.holder(daemon, user, "ws", "", ""),
            handle: 0,
            step,
        }
    }
}

/// Parts of an input that are there, the first ones before anybody asks for more.
pub(crate) struct Given {
    pub(crate) parts: Vec<(Vec<Batch>, Checkpoint)>,
    waiting: usize,
}

impl Parts for Given {
    fn part(&mut self, nth: usize) -> Option<(&[Batch], &Checkpoint)> {
        self.parts.get(nth).map(|(batches, checkpoint)| (&**batches, checkpoint))
    }

    fn waiting(&mut self) -> usize {
        self.waiting.min(self.parts.len())
    }
}

fn checkpoint(name: &str, position: u64) -> Checkpoint {
    Checkpoint {
        name: name.to_owned(),
        format: "flexnet".to_owned(),
        head_length: 1,
        head_hash: name.to_owned(),
        position,
        ..Checkpoint::default()
    }
}

/// Two days of one daemon, ending past the second midnight: what was held, refused and never returned.
pub(crate) fn two_days() -> Vec<Said> {
    use What::{Denied, In, Lives, Out, Starts};
    vec![
        at(7.0, "v", Starts),
        at(8.0, "v", Out("solver", "amara", 1)),
        at(9.0, "v", Out("solver", "bela", 3)),
        at(9.5, "v", Denied("solver", "chidi")),
        at(10.0, "v", In("solver", "amara", 1)),
        at(12.0, "v", Out("mesher", "amara", 1)),
        at(20.0, "v", In("solver", "bela", 2)),
        at(30.0, "v", In("solver", "bela", 1)),
        at(31.0, "v", In("mesher", "dana", 1)),
        at(49.0, "v", Lives),
    ]
}

/// Three inputs of two daemons, with restarts, overlaps and lines that nobody knows.
pub(crate) fn a_week() -> Vec<(&'static str, Vec<Said>)> {
    use What::{Babbles, Denied, In, Lives, Out, Starts, Stops};
    let mut second = vec![at(45.0, "v", Out("mesher", "dana", 2))];
    second.extend([
        at(50.0, "w", Starts),
        at(51.0, "w", Out("cad", "amara", 1)),
        at(52.0, "v", Babbles),
        at(60.0, "w", Denied("cad", "bela")),
        at(70.0, "v", Stops),
        at(75.0, "v", Starts),
        at(76.0, "v", Out("solver", "bela", 1)),
        at(99.0, "w", Lives),
    ]);
    let third = vec![at(76.0, "v", Out("solver", "bela", 1)), at(100.0, "v", In("solver", "bela", 1))];
    vec![("third", third), ("first", two_days()), ("second", second)]
}
