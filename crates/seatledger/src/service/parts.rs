//! The one receiver of the parts that sites post: each is a commit of its own, answered when it is durable.

use crate::api::{NotTaken, PartsTaken, RefusedPart};
use crate::clock;
use crate::oplog::OpLog;
use std::time::Duration;
use store::forward::{Arrived, Inbox, Part, TakenPart};
use store::{Error, Opener, Store};
use tokio::sync::{mpsc, oneshot};

/// How many posts may wait; who comes then is told to come again.
const QUEUE: usize = 8;
/// How long another writer is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How often a part is tried again that another process was faster with, and the pause before it.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(20);
/// How often a part is tried that the database refuses: it may have been the connection.
const REFUSALS: u32 = 3;
/// After so long the parts that are left are answered as not taken: who waits goes away at some time.
const PATIENCE: Duration = Duration::from_secs(20);

struct Job {
    parts: Vec<Part>,
    after_gap: bool,
    answer: oneshot::Sender<Result<PartsTaken, NotTaken>>,
}

/// The door to the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    queue: mpsc::Sender<Job>,
}

impl Parts {
    /// Starts the receiver on a thread of its own; it ends when the last door is gone.
    pub(crate) fn start(opener: Opener, log: OpLog) -> std::io::Result<Self> {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let mut clerk = Clerk { opener, log, open: None, is_away: false };
        std::thread::Builder::new().name("parts".to_owned()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                // Who has gone away sends them again.
                let _ = job.answer.send(clerk.take(&job.parts, job.after_gap));
            }
        })?;
        Ok(Self { queue })
    }

    /// Takes in parts in their order, as far as they can be. When this returns they are durable.
    pub(crate) async fn take(&self, parts: Vec<Part>, after_gap: bool) -> Result<PartsTaken, NotTaken> {
        if parts.is_empty() {
            return Ok(PartsTaken::default());
        }
        let (answer, taken) = oneshot::channel();
        self.queue.try_send(Job { parts, after_gap, answer }).map_err(|_| NotTaken::Away)?;
        taken.await.unwrap_or(Err(NotTaken::Away))
    }
}

/// The thread behind it.
struct Clerk {
    opener: Opener,
    log: OpLog,
    /// The connection and what is remembered of the ledger, until an error says nothing good of them.
    open: Option<(Store, Inbox)>,
    is_away: bool,
}

impl Clerk {
    /// Takes parts one after another; what is not taken ends it.
    fn take(&mut self, parts: &[Part], after_gap: bool) -> Result<PartsTaken, NotTaken> {
        let begun = std::time::Instant::now();
        let mut taken = PartsTaken::default();
        for (index, part) in parts.iter().enumerate() {
            if begun.elapsed() > PATIENCE {
                break;
            }
            // What was lost was lost before the first of them.
            let arrived = Arrived { at: clock::now(), after_gap: after_gap && index == 0 };
            let refused = match self.one(part, arrived) {
                Ok(TakenPart::Now) => None,
                Ok(TakenPart::Partly(late)) => {
                    let message = "heartbeats of a site are not counted: their time is closed, or lies ahead (is its clock right?)";
                    let details: [(&str, &dyn std::fmt::Display); 2] =
                        [("site", &part.name), ("heartbeats", &late)];
                    self.log.warn(message, &details);
                    None
                }
                Ok(TakenPart::Before) => {
                    taken.already_taken += 1;
                    None
                }
                Ok(TakenPart::Awaits(number)) => Some(RefusedPart {
                    index,
                    reason: format!("part {number} of this input is awaited, not part {}", part.part),
                    awaits: Some(number),
                    diverged: false,
                }),
                Ok(TakenPart::Diverged) => {
                    let reason = format!("this service holds another part {} of this input", part.part);
                    if index == 0 {
                        let message = "a site's ledger was set back, or copied: it is told so";
                        self.log.warn(message, &[("site", &part.name), ("input", &part.source)]);
                    }
                    Some(RefusedPart { index, reason, awaits: None, diverged: true })
                }
                Ok(TakenPart::Refused(reason)) => {
                    Some(RefusedPart { index, reason, awaits: None, diverged: false })
                }
                // What was taken is durable: it is said, and the rest comes again.
                Err(NotTaken::Away) if index > 0 => break,
                Err(not) => return Err(not),
            };
            taken.refused = refused;
            if taken.refused.is_some() {
                break;
            }
            taken.accepted += 1;
        }
        Ok(taken)
    }

    fn one(&mut self, part: &Part, arrived: Arrived) -> Result<TakenPart, NotTaken> {
        let mut tries = 0;
        loop {
            let error = match self.once(part, arrived) {
                Ok(Ok(taken)) => {
                    if std::mem::take(&mut self.is_away) {
                        self.log.info("what sites tell is taken in again", &[]);
                    }
                    return Ok(taken);
                }
                Ok(Err(error)) => error,
                Err(error) => return Err(self.away(&error)),
            };
            self.open = None;
            tries += 1;
            match error {
                Error::Conflict if tries < TRIES => std::thread::sleep(PAUSE),
                Error::Driver(_) if tries < REFUSALS => std::thread::sleep(PAUSE),
                // It is the part: a name that no index here holds, say. Others are none the worse for it.
                Error::Driver(why) => {
                    return Ok(TakenPart::Refused(format!("the database refuses it: {why}")));
                }
                Error::Private(why) => return Ok(TakenPart::Refused(why)),
                error => return Err(self.away(&error)),
            }
        }
    }

    /// Says once that nothing can be taken in.
    fn away(&mut self, error: &Error) -> NotTaken {
        if !std::mem::replace(&mut self.is_away, true) {
            self.log.error("what sites tell cannot be taken in", &[("error", error)]);
        }
        NotTaken::Away
    }

    /// What becomes of a part, where the ledger can be opened.
    fn once(&mut self, part: &Part, arrived: Arrived) -> Result<Result<TakenPart, Error>, Error> {
        if self.open.as_ref().is_some_and(|(_, inbox)| inbox.is_worn()) {
            self.open = None;
        }
        let (store, inbox) = match &mut self.open {
            Some(open) => open,
            None => self.open.insert((self.opener.open(BUSY)?, Inbox::default())),
        };
        Ok(inbox.take(store, part, arrived))
    }
}
