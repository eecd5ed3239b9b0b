//! The one receiver of events that wrappers send: what has queued up becomes one commit, and is answered when it is durable.
//!
//! Runs are told as states, which say the same however often and in whatever order they come. Of records of wrapper scripts
//! the ledger notes in the same transaction what their senders call them, so that none counts twice.

use crate::api::NotTaken;
use crate::clock;
use crate::oplog::OpLog;
use crate::sources::stream::{About, Stream, evidence};
use formats::events::{RunStates, Told};
use formats::line::Format;
use formats::wrapper::Wrapper;
use std::time::Duration;
use store::{Error, Opener, Store};
use tokio::sync::{mpsc, oneshot};

/// How many lists may wait; who comes then waits for a place.
const QUEUE: usize = 1024;
/// How many lists are committed together at most.
const TOGETHER: usize = 256;
/// How long another writer is waited for.
const BUSY: Duration = Duration::from_secs(5);
/// How often a commit is tried again that another process was faster than.
const TRIES: u32 = 30;
/// The pause before such an attempt.
const PAUSE: Duration = Duration::from_millis(20);

/// What became of a list, all of it or nothing: how many of it had been taken in before.
pub(crate) type Taken = Result<usize, NotTaken>;

struct Job {
    events: Vec<Told>,
    answer: oneshot::Sender<Taken>,
}

/// The door to the receiver.
#[derive(Debug, Clone)]
pub(crate) struct Receiver {
    queue: mpsc::Sender<Job>,
}

impl Receiver {
    /// Starts the receiver on a thread of its own; it ends when the last door is gone.
    pub(crate) fn start(opener: Opener, log: OpLog) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let clerk = Clerk { opener, log, open: None, is_away: false };
        std::thread::Builder::new().name("receiver".to_owned()).spawn(|| clerk.run(jobs))?;
        Ok(Self { queue })
    }

    /// Takes in a list as one: all of it, or nothing. When this returns it is durable.
    pub(crate) async fn take(&self, events: Vec<Told>) -> Taken {
        let (answer, taken) = oneshot::channel();
        self.queue.send(Job { events, answer }).await.map_err(|_| NotTaken::Away)?;
        taken.await.unwrap_or(Err(NotTaken::Away))
    }
}

/// The thread behind it.
struct Clerk {
    opener: Opener,
    log: OpLog,
    /// The connection and what is remembered of the ledger, until an error says nothing good of them.
    open: Option<Open>,
    is_away: bool,
}

struct Open {
    store: Store,
    runs: Stream,
    records: Stream,
}

impl Clerk {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(TOGETHER);
        while queue.blocking_recv_many(&mut jobs, TOGETHER) > 0 {
            let lists: Vec<&[Told]> = jobs.iter().map(|job| &*job.events).collect();
            let done = self.take(&lists);
            match done {
                // One list that cannot be kept takes no others with it.
                Err(NotTaken::Refused(_)) if jobs.len() > 1 => {
                    for job in jobs.drain(..) {
                        let done = self.take(&[&job.events]).map(|known| known.first().copied().unwrap_or(0));
                        let _ = job.answer.send(done);
                    }
                }
                Err(not) => {
                    for job in jobs.drain(..) {
                        let _ = job.answer.send(Err(not.clone()));
                    }
                }
                Ok(known) => {
                    for (job, known) in jobs.drain(..).zip(known) {
                        // Who has gone away sends them again.
                        let _ = job.answer.send(Ok(known));
                    }
                }
            }
        }
    }

    /// Commits lists; of each, how many of its events had been taken in before.
    fn take(&mut self, lists: &[&[Told]]) -> Result<Vec<usize>, NotTaken> {
        let mut tries = 0;
        loop {
            let error = match self.once(lists) {
                Ok(known) => {
                    if std::mem::take(&mut self.is_away) {
                        self.log.info("events are taken in again", &[]);
                    }
                    return Ok(known);
                }
                Err(error) => error,
            };
            self.open = None;
            tries += 1;
            match error {
                Error::Conflict if tries < TRIES => std::thread::sleep(PAUSE),
                Error::Private(why) => return Err(NotTaken::Refused(why)),
                error => {
                    if !std::mem::replace(&mut self.is_away, true) {
                        self.log.error("events cannot be taken in", &[("error", &error)]);
                    }
                    return Err(NotTaken::Away);
                }
            }
        }
    }

    fn once(&mut self, lists: &[&[Told]]) -> Result<Vec<usize>, Error> {
        if self.open.as_ref().is_some_and(|open| open.runs.is_worn() || open.records.is_worn()) {
            self.open = None;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(Open::new(self.opener.open(BUSY)?)?),
        };
        open.take(lists)
    }
}

impl Open {
    fn new(mut store: Store) -> Result<Self, Error> {
        let runs = Stream::open(&mut store, about(&RunStates, "runs over HTTP"))?;
        let records = Stream::open(&mut store, about(&Wrapper, "records over HTTP"))?;
        Ok(Self { store, runs, records })
    }

    fn take(&mut self, lists: &[&[Told]]) -> Result<Vec<usize>, Error> {
        let ids = lists.iter().copied().flatten().filter_map(id_of_record);
        let mut seen = self.store.taken(ids)?;
        let mut known = vec![0; lists.len()];
        let (mut runs, mut records): (Vec<&Told>, Vec<&Told>) = (Vec::new(), Vec::new());
        for (list, known) in lists.iter().zip(&mut known) {
            for told in *list {
                match id_of_record(told) {
                    None => runs.push(told),
                    Some(id) if seen.insert(id.to_owned()) => records.push(told),
                    Some(_) => *known += 1,
                }
            }
        }
        commit(&mut self.store, &mut self.records, &records)?;
        commit(&mut self.store, &mut self.runs, &runs)?;
        Ok(known)
    }
}

/// What the sender of a record calls it; a run's states need no name of their own.
fn id_of_record(told: &Told) -> Option<&str> {
    match told {
        Told::Start(record) | Told::Stop(record) => Some(&record.id),
        Told::Run { .. } => None,
    }
}

fn about(format: &'static dyn Format, name: &'static str) -> About<'static> {
    About { format, name, key: name, server: format.default_server(), zone: "UTC" }
}

fn commit(store: &mut Store, stream: &mut Stream, events: &[&Told]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let now = clock::now();
    stream.commit(store, |collector| {
        for told in events {
            let (line, number) = (told.to_line(), collector.counts.lines + 1);
            let mut read = (*told).clone().into_read();
            read.at = read.at.map(|at| evidence(at, collector));
            collector.line(&read, line.as_bytes(), number);
            if let Some(id) = id_of_record(told) {
                collector.taken(id, now);
            }
        }
        String::new()
    })?;
    Ok(())
}
