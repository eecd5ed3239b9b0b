//! Parts of an input on their way from the thread that reads to the connection that commits them.

use super::reading::{Manner, Sent};
use accounting::UnixMs;
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use store::input::Checkpoint;
use store::intake::{Batch, Parts};

/// How many parts may wait for the connection.
pub(super) const PARTS_WAITING: usize = 4;
/// So long a transaction waits for a further part: nobody else can write to a SQLite file meanwhile.
const PATIENCE: Duration = Duration::from_millis(20);
/// So long where nobody else has the ledger open.
const PATIENCE_FILLING: Duration = Duration::from_millis(200);

/// A part of an input, and its checkpoint.
type Part = (Vec<Batch>, Checkpoint);

/// The parts that have come and are not committed yet: they are kept until they are, because a commit may be tried again.
pub(super) struct Coming {
    from: Receiver<Sent>,
    parts: VecDeque<Part>,
    /// What came behind the last part.
    end: Option<Sent>,
    manner: Manner,
    /// Whether nobody else had the ledger open when the transaction began.
    is_filling: bool,
}

impl Coming {
    pub(super) fn new(from: Receiver<Sent>, manner: Manner) -> Self {
        Self { from, parts: VecDeque::new(), end: None, manner, is_filling: false }
    }

    /// Waits until there is a part to commit; false where none comes any more.
    pub(super) fn wait(&mut self) -> bool {
        if self.parts.is_empty()
            && self.end.is_none()
            && let Ok(sent) = self.from.recv()
        {
            self.take(sent);
        }
        !self.parts.is_empty()
    }

    fn take(&mut self, sent: Sent) {
        match sent {
            Sent::Part(batches, checkpoint) => self.parts.push_back((batches, *checkpoint)),
            end => self.end = Some(end),
        }
    }

    /// The latest instant of any line of the first parts.
    pub(super) fn latest(&self, parts: usize) -> Option<UnixMs> {
        let batches = self.parts.iter().take(parts).flat_map(|(batches, _)| batches);
        batches.flat_map(|batch| &batch.spans).map(|span| span.until).max()
    }

    /// The first parts are done: lets go of them, and gives the checkpoint of the last of them.
    pub(super) fn done(&mut self, parts: usize) -> Option<Checkpoint> {
        self.parts.drain(..parts).next_back().map(|(_, checkpoint)| checkpoint)
    }

    /// What came behind the last part, where the input was read to its end or as far as it could be.
    pub(super) fn ended(self) -> Option<Sent> {
        self.end
    }

    /// Whether a transaction that holds all that has come can hold more.
    fn has_room(&self) -> bool {
        let events: usize = self.parts.iter().flat_map(|(batches, _)| batches).map(Batch::size).sum();
        events < self.manner.events_in_transaction
    }
}

impl Parts for Coming {
    fn begins(&mut self, is_filling: bool) {
        self.is_filling = is_filling;
    }

    fn part(&mut self, nth: usize) -> Option<(&[Batch], &Checkpoint)> {
        let patience = if self.is_filling { PATIENCE_FILLING } else { PATIENCE };
        if nth == self.parts.len()
            && self.end.is_none()
            && self.has_room()
            && let Ok(sent) = self.from.recv_timeout(patience)
        {
            self.take(sent);
        }
        self.parts.get(nth).map(|(batches, checkpoint)| (&**batches, checkpoint))
    }

    fn waiting(&mut self) -> usize {
        while self.end.is_none()
            && self.has_room()
            && let Ok(sent) = self.from.try_recv()
        {
            self.take(sent);
        }
        self.parts.len()
    }
}
