//! Reading one input: lines to batches, in a thread beside the one that writes.

use super::lines::{Encoding, Lines, RawLine};
use super::state::ReaderState;
use crate::sources::collector::{Collector, Tally};
use crate::sources::recorded::Recorded;
use crate::sources::resume::Naming;
use accounting::UnixMs;
use formats::line::{Format, Line, Note, Parser};
use jiff::tz::TimeZone;
use std::io::Read;
use std::sync::mpsc::{SyncSender, TrySendError};
use store::input::{Checkpoint, FINGERPRINT_BYTES};
use store::intake::{Batch, Interner};

/// A batch that finds no line that is later than all before it is taken when it holds so many times the events that it
/// should.
const TIMES_AT_MOST: usize = 4;
/// A batch without events is taken after so many lines, so that a checkpoint moves through noise too.
const LINES_TOGETHER: u64 = 2_000_000;

/// The last part is committed while nothing is read any more: parts get smaller towards the end, but no smaller than this.
const FEWEST_TOGETHER: u64 = 3_000;

/// A batch costs as much as so many events.
const BATCH_COSTS: usize = 100;

/// What the reading thread sends.
pub(crate) enum Sent {
    /// A part of the input (several batches where its dates go back), with the checkpoint after it.
    Part(Vec<Batch>, Box<Checkpoint>),
    /// The input was read to its end.
    End(Tally),
    /// It could not be read further; what was sent before stands.
    Failed(Tally, String),
}

/// In what manner inputs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    /// A part is taken when it holds so many events, at the next line that is later than all before it.
    pub(crate) events_together: usize,
    /// No further part goes into a transaction that holds so many events.
    pub(crate) events_in_transaction: usize,
    /// Whether a last line without its line ending is left until that comes; else it counts at once.
    pub(crate) last_line_waits: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { events_together: 60_000, events_in_transaction: 700_000, last_line_waits: false }
    }
}

/// How an input is read.
pub(crate) struct Reading {
    pub(crate) format: &'static dyn Format,
    pub(crate) encoding: Encoding,
    pub(crate) naming: Naming,
    /// How it goes on; `unfinished` is a line whose events are to be taken back.
    pub(crate) state: ReaderState,
    /// Where it goes on; its counts are those of the lines before.
    pub(crate) checkpoint: Checkpoint,
    pub(crate) parser: Box<dyn Parser>,
    /// Parses the unfinished line once more, as it was parsed then.
    pub(crate) parser_of_unfinished: Option<Box<dyn Parser>>,
    /// The stretches of which records are held, where the input is a table of what was made of records.
    pub(crate) recorded: Vec<(UnixMs, UnixMs)>,
    /// Whether the unfinished line stood in another input, so that this one begins with its rest.
    pub(crate) joined: bool,
    pub(crate) manner: Manner,
}

/// What a step of reading came to.
enum Next {
    Line,
    End,
    NobodyListens,
}

impl Reading {
    /// Reads to the end and sends what it finds; stops where nobody takes it any more.
    ///
    /// `size` is the length of the input as reading begins, where it is not packed.
    pub(crate) fn run(
        mut self,
        bytes: Box<dyn Read + Send>,
        size: Option<u64>,
        interner: &mut Interner,
        to: &SyncSender<Sent>,
    ) {
        let mut collector = Collector::new(
            interner,
            self.format,
            &self.state.zone,
            self.naming.clone(),
            &self.state.resume,
            self.checkpoint.counts,
        );
        if let Some(zone) = Some(&self.recorded).filter(|held| !held.is_empty()).and_then(|_| self.zone()) {
            collector.refuse(Recorded::new(&self.recorded, zone));
        }
        let mut beginning = self.take_back(&mut collector).filter(|_| self.joined);
        // The bytes before the checkpoint are read once more: the next one is known by them too.
        let mut bytes = bytes;
        let mut known = vec![0; known_before(self.checkpoint.position)];
        if let Err(error) = bytes.read_exact(&mut known) {
            let problem = format!("cannot be read where it was left: {}", told(&error));
            let _ = to.send(Sent::Failed(collector.tally, problem));
            return;
        }
        let mut lines = Lines::behind(bytes, &known, self.checkpoint.position, self.encoding);
        let mut part = Part {
            batches: Vec::new(),
            lines: collector.counts.lines,
            begin: self.checkpoint.position,
            size,
            enough: self.manner.events_together,
        };
        loop {
            match self.next(&mut lines, &mut collector, &mut part, &mut beginning, to) {
                Ok(Next::Line) => {}
                Ok(Next::End) => {
                    let _ = to.send(Sent::End(collector.tally));
                    return;
                }
                Ok(Next::NobodyListens) => return,
                Err(error) => {
                    let line = collector.counts.lines + 1;
                    // What was read before counts, and is known when it is read again.
                    if collector.counts.lines > part.lines {
                        let position = lines.position();
                        let (hash, state) = (lines.hash_before(position), self.parser.state());
                        let at = self.checkpoint(&collector, position, hash, state);
                        if !part.send(&mut collector, at, to) {
                            return;
                        }
                    }
                    let problem = format!("line {line}: cannot be read further: {}", told(&error));
                    let _ = to.send(Sent::Failed(collector.tally, problem));
                    return;
                }
            }
        }
    }

    fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(&self.state.zone).ok()
    }

    /// Takes back what an unfinished line said; it is read whole now.
    fn take_back(&mut self, collector: &mut Collector<'_>) -> Option<Vec<u8>> {
        let line = self.state.unfinished.take()?;
        let mut parser = self.parser_of_unfinished.take()?;
        let (before, spans) = (collector.counts, collector.resume());
        collector.line(&parser.line(&line), &line, 0);
        let with = collector.counts;
        collector.take_back(&spans);
        collector.counts = before;
        if !self.joined {
            let one = |with: u64, before: u64| before - (with - before);
            collector.counts.lines = one(with.lines, before.lines);
            collector.counts.events = one(with.events, before.events);
            collector.counts.notes = one(with.notes, before.notes);
            collector.counts.noise = one(with.noise, before.noise);
            collector.counts.unrecognized = one(with.unrecognized, before.unrecognized);
        }
        Some(line)
    }

    fn next(
        &mut self,
        lines: &mut Lines<Box<dyn Read + Send>>,
        collector: &mut Collector<'_>,
        part: &mut Part,
        beginning: &mut Option<Vec<u8>>,
        to: &SyncSender<Sent>,
    ) -> std::io::Result<Next> {
        let position = lines.position();
        let gathered = part.events() + collector.gathered();
        // Only a part that is full needs to know how all stood before the line that ends it.
        let enough = part.enough.min(self.manner.events_together);
        let full = gathered >= enough || collector.counts.lines - part.lines >= LINES_TOGETHER;
        let before = full.then(|| (self.parser.state(), lines.hash_before(position)));
        let raw = lines.next()?;
        let waits = |raw: &RawLine<'_>| !raw.ended && self.manner.last_line_waits;
        let Some(raw) = raw.filter(|raw| !waits(raw)) else {
            if position == self.checkpoint.position && self.manner.last_line_waits {
                return Ok(Next::End);
            }
            let at = self.checkpoint(collector, position, lines.hash_before(position), self.parser.state());
            return Ok(if part.send(collector, at, to) { Next::End } else { Next::NobodyListens });
        };
        let number = collector.counts.lines + 1;
        if raw.too_long {
            let text = self.encoding.decode(raw.bytes);
            collector.unreadable("longer than 1 MiB", &text, number);
            return Ok(Next::Line);
        }
        let (ended, known) = (raw.ended, raw.text.filter(|_| beginning.is_none()));
        let decoded = self.encoding.decode(raw.bytes);
        let text = match beginning.take() {
            Some(mut line) => {
                line.extend_from_slice(&decoded);
                line.into()
            }
            None => decoded,
        };
        if !ended {
            // The line may go on when the file grows: it counts, and the checkpoint stays before it.
            let text = text.into_owned();
            let mut at =
                self.checkpoint(collector, position, lines.hash_before(position), self.parser.state());
            let mut read = self.parser.line(&text);
            if read.line.events().is_empty() {
                // Cut off it may be anything: a header's rule is no sign of life, half a port is another server's.
                read.at = None;
            }
            if matches!(read.line, Line::Note(Note::Server(_))) {
                read.line = Line::Note(Note::State);
            }
            part.line(collector, &read, &text, number);
            at.1.unfinished = Some(text);
            at.0.counts = collector.counts;
            return Ok(if part.send(collector, at, to) { Next::End } else { Next::NobodyListens });
        }
        let read = match known {
            Some(text) => self.parser.text(text),
            None => self.parser.line(&text),
        };
        let later = read.at.is_some_and(|at| at > collector.latest());
        if let Some((state, hash)) = before
            && (later || gathered == 0 || gathered >= TIMES_AT_MOST * enough)
        {
            let at = self.checkpoint(collector, position, hash, state);
            if !part.send(collector, at, to) {
                return Ok(Next::NobodyListens);
            }
        }
        part.line(collector, &read, &text, number);
        Ok(Next::Line)
    }

    fn checkpoint(
        &self,
        collector: &Collector<'_>,
        position: u64,
        hash: Option<String>,
        parser: String,
    ) -> (Checkpoint, ReaderState) {
        let state = ReaderState {
            parser,
            resume: collector.resume(),
            zone: self.state.zone.clone(),
            unfinished: None,
        };
        let checkpoint = Checkpoint {
            position,
            tail_hash: hash.unwrap_or_else(|| self.checkpoint.tail_hash.clone()),
            counts: collector.counts,
            ..self.checkpoint.clone()
        };
        (checkpoint, state)
    }
}

/// What is said of a failure to read.
pub(crate) fn told(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => format!("the file breaks off, was it copied whole? ({error})"),
        _ => error.to_string(),
    }
}

/// How many bytes before a checkpoint are read again.
pub(crate) fn known_before(position: u64) -> usize {
    position.min(FINGERPRINT_BYTES as u64) as usize
}

/// What was read since the last checkpoint.
struct Part {
    batches: Vec<Batch>,
    /// The lines that had been read at the last checkpoint.
    lines: u64,
    /// The position of the last checkpoint.
    begin: u64,
    /// The length of the input, where it is known.
    size: Option<u64>,
    /// It is full at so many events, or at [`Manner::events_together`] where they are fewer.
    enough: usize,
}

impl Part {
    fn events(&self) -> usize {
        // A batch costs something itself: where dates keep going back, as in a table sorted the other way, each row is
        // one.
        self.batches.iter().map(|batch| batch.size().max(BATCH_COSTS)).sum()
    }

    /// Takes a line in; where the dates go back a batch of its own begins.
    fn line(
        &mut self,
        collector: &mut Collector<'_>,
        read: &formats::line::Read<'_>,
        text: &[u8],
        number: u64,
    ) {
        if collector.begins_new_run(read) {
            self.batches.push(collector.take());
            collector.new_run();
        }
        collector.line(read, text, number);
    }

    /// Sends what was gathered; false where nobody takes it.
    fn send(
        &mut self,
        collector: &mut Collector<'_>,
        (checkpoint, state): (Checkpoint, ReaderState),
        to: &SyncSender<Sent>,
    ) -> bool {
        let events = (self.events() + collector.gathered()) as u64;
        self.batches.push(collector.take());
        self.lines = collector.counts.lines;
        self.enough = match self.size {
            // Half of what is left, if the rest is as this part was.
            Some(size) if checkpoint.position < size && events > 0 => {
                let bytes = checkpoint.position.saturating_sub(self.begin).max(1);
                let left = events.saturating_mul(size - checkpoint.position) / bytes;
                usize::try_from((left / 2).max(FEWEST_TOGETHER)).unwrap_or(usize::MAX)
            }
            // It has grown, or tells nothing of what is to come.
            _ => usize::MAX,
        };
        self.begin = checkpoint.position;
        let checkpoint = Checkpoint { reader_state: state.to_text(), ..checkpoint };
        let part = Sent::Part(std::mem::take(&mut self.batches), Box::new(checkpoint));
        let waiting = match to.try_send(part) {
            Ok(()) => return true,
            Err(TrySendError::Full(waiting)) => waiting,
            Err(TrySendError::Disconnected(_)) => return false,
        };
        // Whoever commits is behind: what can be done before is done here.
        if let Sent::Part(batches, _) = &waiting {
            batches.iter().for_each(Batch::sort);
        }
        to.send(waiting).is_ok()
    }
}
