//! Reading one input: lines to batches, in a thread beside the one that writes.

use super::lines::{Encoding, Lines};
use super::state::ReaderState;
use crate::sources::collector::{Collector, Tally};
use accounting::UnixMs;
use formats::line::{Format, Line, Parser};
use std::io::Read;
use std::sync::mpsc::SyncSender;
use store::input::Checkpoint;
use store::intake::{Batch, Interner};

/// A batch is taken when it holds so many events, at the next line that is later than all before it.
const EVENTS_TOGETHER: usize = 100_000;
/// A batch that finds no such line is taken all the same.
const EVENTS_AT_MOST: usize = 4 * EVENTS_TOGETHER;
/// A batch without events is taken after so many lines, so that a checkpoint moves through noise too.
const LINES_TOGETHER: u64 = 2_000_000;

/// What the reading thread sends.
pub(crate) enum Sent {
    /// A part of the input, with the checkpoint after it.
    Batch(Box<Batch>, Box<Checkpoint>),
    /// The input was read to its end.
    End(Tally),
    /// It could not be read further; what was sent before stands.
    Failed(String),
}

/// How an input is read.
pub(crate) struct Reading {
    pub(crate) format: &'static dyn Format,
    pub(crate) encoding: Encoding,
    pub(crate) zone: String,
    pub(crate) server_given: bool,
    pub(crate) state: ReaderState,
    /// Where to go on; its counts are those of the lines before.
    pub(crate) checkpoint: Checkpoint,
    /// A first line that began in another input: what stood there, to be taken back.
    pub(crate) joined: Option<Vec<u8>>,
    pub(crate) parser: Box<dyn Parser>,
    /// Parses the unfinished line once more, as it was parsed then.
    pub(crate) parser_of_unfinished: Option<Box<dyn Parser>>,
}

impl Reading {
    /// Reads to the end and sends batches; stops where nobody takes them any more.
    pub(crate) fn run(mut self, bytes: Box<dyn Read + Send>, interner: &mut Interner, to: &SyncSender<Sent>) {
        let unfinished = self.joined.take().or_else(|| self.state.unfinished.take());
        let counts = self.checkpoint.counts;
        let resume = self.state.resume.clone();
        let mut collector =
            Collector::new(interner, self.format, &self.zone, self.server_given, &resume, counts);
        if let (Some(line), Some(parser)) = (&unfinished, self.parser_of_unfinished.as_mut()) {
            let before = collector.counts;
            let read = parser.line(line);
            collector.line(&read, line, 0);
            collector.take_back();
            collector.tally = Tally::default();
            let joined = self.checkpoint.id.is_none();
            collector.counts = if joined { before } else { less_one_line(before, &read.line) };
        }
        let mut lines = Lines::new(bytes, self.checkpoint.position, self.encoding);
        let mut first = unfinished.filter(|_| self.checkpoint.id.is_none());
        loop {
            match self.next(&mut lines, &mut collector, &mut first, to) {
                Ok(Next::Line) => {}
                Ok(Next::End) => {
                    let _ = to.send(Sent::End(collector.tally));
                    return;
                }
                Ok(Next::NobodyListens) => return,
                Err(error) => {
                    let line = collector.counts.lines + 1;
                    let _ = to.send(Sent::Failed(format!("cannot be read beyond line {line}: {error}")));
                    return;
                }
            }
        }
    }

    fn next(
        &mut self,
        lines: &mut Lines<Box<dyn Read + Send>>,
        collector: &mut Collector<'_>,
        first: &mut Option<Vec<u8>>,
        to: &SyncSender<Sent>,
    ) -> std::io::Result<Next> {
        let position = lines.position();
        // Only a batch that is full needs to know how the parser stood before the line that ends it.
        let full = collector.gathered() >= EVENTS_TOGETHER || self.lines_since(collector) >= LINES_TOGETHER;
        let before = full.then(|| (self.parser.state(), lines.hash_before(position)));
        let Some(raw) = lines.next()? else {
            let hash = lines.hash_before(lines.position());
            let state = self.parser.state();
            return Ok(self.send(collector, lines.position(), hash, state, None, to).and_end());
        };
        let number = collector.counts.lines + 1;
        if raw.too_long {
            collector.unreadable("longer than 1 MiB", raw.bytes, number);
            return Ok(Next::Line);
        }
        if !raw.ended {
            let unfinished = raw.bytes.to_vec();
            return Ok(self.unfinished(&unfinished, position, lines, collector, first, to));
        }
        let decoded = self.encoding.decode(raw.bytes);
        let text = joined(first, &decoded);
        let read = self.parser.line(&text);
        if collector.begins_new_run(&read) {
            // The state before the line is needed for the checkpoint; the parser has seen the line already, so the
            // batch of the old run is kept apart by its spans and events only.
            collector.new_run();
        }
        let later = read.at.is_some_and(|at: UnixMs| at > collector.latest());
        if let Some((state, hash)) = before
            && (later || collector.gathered() >= EVENTS_AT_MOST || collector.gathered() == 0)
        {
            let text = text.into_owned();
            match self.send(collector, position, hash, state.clone(), None, to) {
                Next::Line => {}
                stop => return Ok(stop),
            }
            // The line is read once more, by a parser that stands where the checkpoint does.
            let again = self.parser.line_again(&text, &state, self.format, &self.zone);
            collector.line(&again, &text, number);
            return Ok(Next::Line);
        }
        collector.line(&read, &text, number);
        Ok(Next::Line)
    }
}

enum Next {
    Line,
    End,
    NobodyListens,
}
