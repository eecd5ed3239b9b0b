//! From an output to the ledger: one transaction a poll, with the checkpoint of its source.

use super::judge::{DOUBTS, Shape, Verdict, judge};
use super::question::{Output, Question};
use crate::sources::collector::Collector;
use crate::sources::configured::Servers;
use crate::sources::live::Trouble;
use crate::sources::resume::{Naming, Resume};
use accounting::UnixMs;
use accounting::calendar::zone as zone_named;
use accounting::event::{Seats, What};
use formats::line::{Line, Read};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::input::{Checkpoint, Counts};
use store::intake::{Batch, Intake, Interner};
use store::{Error, Store};

/// So many names may be known beside twice those of the last answer. Beyond that what is in memory is read anew, so that names
/// of those who went away do not stay.
const MORE_NAMES: usize = 500;

/// A clock that goes back by more was set back.
const CLOCK_SET_BACK_MS: i64 = 300_000;

/// What is known of a source's polls.
pub(super) struct Books {
    /// The source, as the ledger knows it.
    name: String,
    server: Option<String>,
    zone_given: Option<String>,
    servers: Arc<Servers>,
    /// How it goes on, once it is read.
    known: Option<Known>,
}

/// What was read of the ledger, or written there.
struct Known {
    interner: Interner,
    intake: Intake,
    zone: TimeZone,
    position: u64,
    counts: Counts,
    state: State,
    /// Names that are known when it must be read anew.
    most_names: usize,
}

/// How the polling goes on: the reader's part of a checkpoint. Its first fields are those of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The parser's state after the last whole answer.
    parser: String,
    resume: Resume,
    zone: String,
    /// What the last whole answer was like.
    #[serde(default)]
    shape: Option<Shape>,
    /// What is doubtful of the last answers, and how many of them said it.
    #[serde(default)]
    doubt: Option<(String, u32)>,
    /// The license servers that the answers speak of.
    #[serde(default)]
    servers: BTreeSet<String>,
    /// The instant of the last poll.
    #[serde(default)]
    polled_at: Option<UnixMs>,
}

/// What a poll found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) at: UnixMs,
    /// What the license servers are called of which it speaks.
    pub(crate) servers: Vec<String>,
    /// Features with figures or holders, seats in use, and holders.
    pub(crate) features: u64,
    pub(crate) seats_in_use: u64,
    pub(crate) holders: u64,
    /// Sessions that this poll ended.
    pub(crate) ended: u64,
    /// Lines by what they were.
    pub(crate) lines: Counts,
    /// Whether it was answered.
    pub(crate) answered: bool,
    pub(crate) trouble: Option<Trouble>,
}

/// What is to be written of a poll.
pub(super) struct Prepared {
    batch: Batch,
    checkpoint: Checkpoint,
    state: State,
    pub(super) found: Found,
}

impl Books {
    pub(super) fn new(name: &str, server: Option<&str>, zone: Option<&str>, servers: &Servers) -> Self {
        Self {
            name: name.to_owned(),
            server: server.map(str::to_owned),
            zone_given: zone.map(str::to_owned),
            servers: Arc::new(servers.clone()),
            known: None,
        }
    }

    /// The same, knowing nothing yet.
    pub(super) fn anew(&self) -> Self {
        Self {
            name: self.name.clone(),
            server: self.server.clone(),
            zone_given: self.zone_given.clone(),
            servers: Arc::clone(&self.servers),
            known: None,
        }
    }

    /// Whether the ledger must be read before the next poll.
    pub(super) fn must_read(&self) -> bool {
        self.known.as_ref().is_none_or(|known| known.interner.names() > known.most_names)
    }

    /// Forgets what is known: somebody else has polled, or nobody knows what was written.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// Whether an output of this instant comes too late: a later poll was taken in. A poll of times to come was made by a
    /// clock that was set back since.
    pub(super) fn is_behind(&self, at: UnixMs) -> bool {
        self.polled_at().is_some_and(|polled_at| polled_at >= at && polled_at - at <= CLOCK_SET_BACK_MS)
    }

    /// The last poll, whoever made it.
    pub(super) fn polled_at(&self) -> Option<UnixMs> {
        self.known.as_ref()?.state.polled_at
    }

    /// By what the source's checkpoint is found.
    fn head(&self) -> String {
        format!("poll {}", self.name)
    }

    /// Reads how the polling goes on.
    pub(super) fn read(&mut self, store: &mut Store, question: &Question) -> Result<(), Error> {
        let format = question.format;
        let inputs = store.inputs_beginning_with(0, &self.head())?;
        let before = inputs.into_iter().find(|input| input.format == format.name());
        let server = self.server.as_ref().map(|server| {
            self.servers.by_alias.get(server).map_or_else(|| server.clone(), |(name, _)| name.clone())
        });
        let mut state: State = before
            .as_ref()
            .and_then(|before| serde_json::from_str(&before.reader_state).ok())
            .unwrap_or_default();
        match server {
            Some(server) if state.resume.server != server => {
                state = State {
                    resume: Resume { server, begins: true, ..Resume::default() },
                    ..State::default()
                };
            }
            None if state.resume.server.is_empty() => {
                state.resume =
                    Resume { server: format.default_server().to_owned(), begins: true, ..Resume::default() };
            }
            _ => {}
        }
        state.zone = self.zone_of(&state.resume.server, store)?;
        let mut intake = Intake::default();
        intake.begin(before.clone());
        self.known = Some(Known {
            interner: Interner::default(),
            intake,
            zone: zone_named(&state.zone).unwrap_or(TimeZone::UTC),
            position: before.as_ref().map_or(0, |before| before.position),
            counts: before.map(|before| before.counts).unwrap_or_default(),
            state,
            most_names: usize::MAX,
        });
        Ok(())
    }

    /// The zone of a license server: as the source says, as configured, as it was read before.
    fn zone_of(&self, server: &str, store: &mut Store) -> Result<String, Error> {
        if let Some(zone) = &self.zone_given {
            return Ok(zone.clone());
        }
        if let Some((_, Some(zone))) = self.servers.by_alias.get(server) {
            return Ok(zone.clone());
        }
        Ok(store.zone_of_server(server)?.unwrap_or_else(|| self.servers.default_zone.clone()))
    }

    /// The zone of the server's clock.
    pub(super) fn zone(&self) -> TimeZone {
        self.known.as_ref().map_or(TimeZone::UTC, |known| known.zone.clone())
    }

    /// What is to be written of an output; none before the ledger was read.
    pub(super) fn prepare(&mut self, question: &Question, output: &Output) -> Option<Prepared> {
        let head_hash = self.head();
        let aliases = self.servers.by_alias.iter();
        let aliases = aliases.map(|(alias, (name, _))| (alias.clone(), name.clone())).collect();
        let naming = Naming { given: self.server.is_some(), aliases };
        let known = self.known.as_mut()?;
        let mut parser = question.parser(output.at, &known.zone, &known.state.parser);
        let lines: Vec<&[u8]> = lines(&output.text).collect();
        let reads: Vec<Read<'_>> = lines.iter().map(|line| parser.line(line)).collect();
        let mut state = State { polled_at: Some(output.at), ..known.state.clone() };
        let (taken, trouble) =
            state.weigh(judge(&reads, &output.text, state.shape.as_ref()), output, question);
        let answered = taken == Taken::All && reads.iter().any(answers);
        if answered {
            state.parser = parser.state();
        }
        let mut collector = Collector::new(
            &mut known.interner,
            question.format,
            &state.zone,
            naming,
            &state.resume,
            known.counts,
        );
        if collector.latest() > output.at + CLOCK_SET_BACK_MS {
            collector.new_run();
        }
        for ((nth, read), line) in (1..).zip(&reads).zip(&lines) {
            if taken == Taken::All || matches!(read.line, Line::Unrecognized(_)) {
                collector.line(read, line, nth);
            }
        }
        let knows_servers = self.server.is_some() || !state.servers.is_empty();
        if taken == Taken::Unrecognized && knows_servers {
            collector.not_answered(output.at, &state.servers);
        }
        let counts = collector.counts;
        state.resume = collector.resume();
        let batch = collector.take();
        if answered || self.server.is_some() {
            state.servers.insert(state.resume.server.clone());
            state.servers.extend(state.resume.elsewhere.iter().map(|(server, ..)| server.clone()));
        }
        let found = Found {
            at: output.at,
            servers: state.servers.iter().cloned().collect(),
            lines: difference(&counts, &known.counts),
            answered,
            trouble,
            ..if answered { figures(&reads) } else { Found::default() }
        };
        let checkpoint = Checkpoint {
            id: None,
            name: self.name.clone(),
            format: question.format.name().to_owned(),
            head_length: 0,
            head_hash,
            position: known.position + (output.text.len() as u64).max(1),
            tail_hash: String::new(),
            reader_state: serde_json::to_string(&state).unwrap_or_default(),
            counts,
        };
        Some(Prepared { batch, checkpoint, state, found })
    }

    /// Writes it; may be called again where the ledger was away. [`Error::Conflict`]: somebody else has polled for this
    /// source.
    pub(super) fn commit(&mut self, store: &mut Store, prepared: &Prepared) -> Result<u64, Error> {
        let Some(known) = &mut self.known else { return Err(Error::Conflict) };
        let batches = std::slice::from_ref(&prepared.batch);
        Ok(known.intake.commit(store, batches, &prepared.checkpoint)?.sessions_closed)
    }

    /// It is written: goes on behind it.
    pub(super) fn done(&mut self, prepared: Prepared) -> Found {
        if let Some(known) = &mut self.known {
            known.position = prepared.checkpoint.position;
            known.counts = prepared.checkpoint.counts;
            known.state = prepared.state;
            if prepared.found.answered {
                let named = prepared.found.features + prepared.found.holders;
                known.most_names = MORE_NAMES + 2 * usize::try_from(named).unwrap_or(0);
            }
        }
        prepared.found
    }
}

/// What of an output counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    All,
    /// Nothing but that the poll failed, and the lines that nobody understands.
    Unrecognized,
}

impl State {
    /// What of an output counts, and what is wrong with it.
    fn weigh(&mut self, verdict: Verdict, output: &Output, question: &Question) -> (Taken, Option<Trouble>) {
        let doubt = self.doubt.take();
        match (verdict, &output.trouble) {
            (Verdict::Down, _) => {
                let remedy = "see whether it runs and can be reached from here";
                (Taken::All, Some(Trouble::new("the license server does not answer", remedy)))
            }
            (_, Some(trouble)) => (Taken::Unrecognized, Some(trouble.clone())),
            (Verdict::Answer(shape, failed), None) => {
                self.shape = Some(shape);
                (Taken::All, daemons_down(&failed))
            }
            (Verdict::Nonsense, None) => {
                let why = format!("nothing in the output is an answer of {}", question.format.name());
                let remedy = "run the command by hand; `seatledger unrecognized` shows its lines";
                (Taken::Unrecognized, Some(Trouble::new(why, remedy)))
            }
            (Verdict::Doubtful(why), None) => {
                let times = doubt.filter(|(before, _)| *before == why).map_or(0, |(_, times)| times);
                if times >= DOUBTS {
                    // So it is, then: the next whole answer is compared with this one.
                    self.shape = None;
                    self.doubt = Some((why, times));
                    return (Taken::All, None);
                }
                self.doubt = Some((why.clone(), times + 1));
                let remedy = "run the command by hand; an answer that says so again and again is believed";
                (Taken::Unrecognized, Some(Trouble::new(why, remedy)))
            }
        }
    }
}

/// What an output says, without the ledger.
pub(super) fn look(question: &Question, output: &Output) -> Found {
    let mut parser = question.parser(output.at, &TimeZone::UTC, "");
    let reads: Vec<Read<'_>> = lines(&output.text).map(|line| parser.line(line)).collect();
    let mut state = State::default();
    let (taken, trouble) = state.weigh(judge(&reads, &output.text, None), output, question);
    let unrecognized = reads.iter().filter(|read| matches!(read.line, Line::Unrecognized(_))).count() as u64;
    let lines = Counts { lines: reads.len() as u64, unrecognized, ..Counts::default() };
    let answered = taken == Taken::All && reads.iter().any(answers);
    Found { lines, answered, trouble, ..figures(&reads) }
}

fn daemons_down(failed: &[String]) -> Option<Trouble> {
    if failed.is_empty() {
        return None;
    }
    let named: Vec<&str> = failed.iter().map(String::as_str).filter(|vendor| !vendor.is_empty()).collect();
    let why = match named.is_empty() {
        true => "a license server does not answer".to_owned(),
        false => format!("the vendor daemon {} does not answer", named.join(", ")),
    };
    Some(Trouble::new(why, "see in its log why it does not run; its sessions stay open until it answers"))
}

fn answers(read: &Read<'_>) -> bool {
    read.line.events().iter().any(|event| matches!(event.what, What::Polled { answered: true }))
}

/// The lines of a text, without their endings; what is longer than a line can be is cut.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = whole.split(|&byte| byte == b'\n');
    lines.filter(|_| !text.is_empty()).map(|line| &line[..line.len().min(formats::MAX_LINE)])
}

fn difference(now: &Counts, before: &Counts) -> Counts {
    Counts {
        lines: now.lines - before.lines,
        events: now.events - before.events,
        notes: now.notes - before.notes,
        noise: now.noise - before.noise,
        unrecognized: now.unrecognized - before.unrecognized,
    }
}

fn figures(reads: &[Read<'_>]) -> Found {
    let mut features = BTreeSet::new();
    let mut found = Found::default();
    for event in reads.iter().flat_map(|read| read.line.events()) {
        match &event.what {
            What::Seats { feature, seats } => {
                features.insert(feature.as_ref());
                if let Seats::InUse(seats) = seats {
                    found.seats_in_use += u64::from(*seats);
                }
            }
            What::Shown { claim, .. } => {
                features.insert(claim.feature.as_ref());
                found.holders += 1;
            }
            _ => {}
        }
    }
    found.features = features.len() as u64;
    found
}
