//! The one writer of heartbeats: what has queued up becomes one transaction, and is answered when it is durable. What was
//! accepted so is booked a little later, in larger batches.

use super::booking::Booking;
use super::counted::{Counted, Key};
use super::health::{Health, Part};
use super::metrics::Metrics;
use crate::oplog::OpLog;
use accounting::UnixMs;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use store::heartbeats::{Heartbeat, Recorded};
use store::{Error, Opener, Store};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

/// How many heartbeats may wait; who comes then waits for a place.
const QUEUE: usize = 8192;
/// How many are committed together at most.
const TOGETHER: usize = 2048;
/// How long a commit is tried again while the database is away or busy.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a SQLite file is waited for that another process writes to.
const BUSY: Duration = Duration::from_secs(5);
/// How often the writer is reminded of what waits to be booked.
const REMINDED: Duration = Duration::from_millis(100);
/// The pauses between attempts: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// A heartbeat could not be recorded; nothing of it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotRecorded;

/// The door to the writer.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
}

/// What the writer tells others.
pub(crate) struct Beside {
    /// Who is counted in the present bucket.
    pub(crate) counted: Arc<Counted>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    pub(crate) log: OpLog,
}

/// What tells when a heartbeat is durable.
#[derive(Debug)]
pub(crate) struct Receipt(oneshot::Receiver<bool>);

#[derive(Debug)]
enum Job {
    Record {
        key: Key,
        heartbeat: Heartbeat,
        answer: oneshot::Sender<bool>,
    },
    /// Records a list as one: all of it, or nothing.
    List {
        heartbeats: Vec<Heartbeat>,
        answer: oneshot::Sender<Option<Recorded>>,
    },
    /// Books what was accepted, if nothing else reminds of it.
    Book,
    /// Notes that heartbeats were awaited until an instant; answers whether the database could be written.
    Watch {
        until: UnixMs,
        answer: oneshot::Sender<bool>,
    },
    Stop,
}

impl Writer {
    /// Starts the writer on a thread of its own, with its connection; it ends after [`Self::stop`]. To be called within a
    /// runtime.
    pub(crate) fn start(
        opener: Opener,
        store: Store,
        beside: Beside,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (answers, told) = mpsc::unbounded_channel();
        tokio::spawn(tell(told));
        let unbooked = Arc::new(AtomicBool::new(true));
        tokio::spawn(remind(sender.clone(), Arc::clone(&unbooked)));
        let scribe = Scribe {
            opener,
            store: Some(store),
            beside,
            answers,
            is_away: false,
            begun: Instant::now(),
            booking: Booking::new(),
            not_booked_since: None,
            unbooked,
        };
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(|| scribe.run(receiver))?;
        Ok((Self { queue: sender }, thread))
    }

    /// Queues a heartbeat, when there is a place.
    pub(crate) async fn record(&self, key: Key, heartbeat: Heartbeat) -> Result<Receipt, NotRecorded> {
        let (answer, receipt) = oneshot::channel();
        self.send(Job::Record { key, heartbeat, answer }).await?;
        Ok(Receipt(receipt))
    }

    /// Records a list as one: all of it, or nothing. When this returns it is durable.
    pub(crate) async fn record_list(&self, heartbeats: Vec<Heartbeat>) -> Result<Recorded, NotRecorded> {
        let (answer, recorded) = oneshot::channel();
        self.send(Job::List { heartbeats, answer }).await?;
        recorded.await.ok().flatten().ok_or(NotRecorded)
    }

    /// Notes that heartbeats were awaited until an instant.
    pub(crate) async fn watch(&self, until: UnixMs) -> Result<Receipt, NotRecorded> {
        let (answer, receipt) = oneshot::channel();
        self.send(Job::Watch { until, answer }).await?;
        Ok(Receipt(receipt))
    }

    /// Lets it end when it has recorded what is queued.
    pub(crate) async fn stop(&self) {
        // A writer that is gone has ended already.
        let _ = self.send(Job::Stop).await;
    }

    /// How many wait.
    pub(crate) fn depth(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    async fn send(&self, job: Job) -> Result<(), NotRecorded> {
        self.queue.send(job).await.map_err(|_| NotRecorded)
    }
}

impl Receipt {
    /// Waits until it is durable.
    pub(crate) async fn durable(self) -> Result<(), NotRecorded> {
        match self.0.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(NotRecorded),
        }
    }
}

/// The thread behind it.
struct Scribe {
    opener: Opener,
    /// The connection, unless it is gone.
    store: Option<Store>,
    beside: Beside,
    answers: mpsc::UnboundedSender<Answers>,
    /// Whether the last commit failed after all patience: then nobody has to wait so long again.
    is_away: bool,
    /// What waits to be booked, by the time since the writer began.
    begun: Instant,
    booking: Booking,
    /// Since when booking fails.
    not_booked_since: Option<Instant>,
    /// Whether something is, or may be, accepted and not booked.
    unbooked: Arc<AtomicBool>,
}

/// Reminds the writer of what is not booked, when no heartbeat does.
async fn remind(queue: mpsc::Sender<Job>, unbooked: Arc<AtomicBool>) {
    let mut tick = tokio::time::interval(REMINDED);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !queue.is_closed() {
        tick.tick().await;
        if unbooked.load(Ordering::Relaxed) {
            // Where the queue is full the writer has enough to do, and looks by itself.
            let _ = queue.try_send(Job::Book);
        }
    }
}

/// Who waits, and whether it is durable.
type Answers = Vec<(oneshot::Sender<bool>, bool)>;

/// Tells those who wait from within the runtime: from another thread each would be a wake-up of its own.
async fn tell(mut told: mpsc::UnboundedReceiver<Answers>) {
    while let Some(answers) = told.recv().await {
        for (answer, stored) in answers {
            // Who has gone away need not be told.
            let _ = answer.send(stored);
        }
    }
}

/// Who waits for a heartbeat of a batch.
struct Waiting {
    key: Key,
    nth: usize,
    answer: oneshot::Sender<bool>,
}

impl Scribe {
    fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(TOGETHER);
        while queue.blocking_recv_many(&mut jobs, TOGETHER) > 0 {
            if !self.take(&mut jobs) {
                return;
            }
            while self.book() && queue.is_empty() {}
        }
    }

    /// Does what is queued; whether there is to be more.
    fn take(&mut self, jobs: &mut Vec<Job>) -> bool {
        let (mut batch, mut waiting) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
        let mut nth_of: FxHashMap<(UnixMs, Key), usize> = FxHashMap::default();
        let (mut lists, mut watches, mut goes_on) = (Vec::new(), Vec::new(), true);
        for job in jobs.drain(..) {
            match job {
                Job::Record { key, heartbeat, answer } => {
                    // Of several of one bucket the first is enough.
                    let nth = *nth_of.entry((heartbeat.from, key)).or_insert_with(|| {
                        batch.push(heartbeat);
                        batch.len() - 1
                    });
                    waiting.push(Waiting { key, nth, answer });
                }
                Job::Book => {}
                Job::List { heartbeats, answer } => lists.push((heartbeats, answer)),
                Job::Watch { until, answer } => watches.push((until, answer)),
                Job::Stop => goes_on = false,
            }
        }
        if !batch.is_empty() {
            let mut stored = vec![false; batch.len()];
            self.commit(&batch, &mut stored);
            let answers = waiting.into_iter().map(|Waiting { key, nth, answer }| {
                if stored[nth] {
                    self.beside.counted.add(batch[nth].from, key);
                }
                (answer, stored[nth])
            });
            // Not bounded by itself, but by the queue: who waits is in it or in one of its batches. Where nobody listens
            // any more the service has ended.
            let _ = self.answers.send(answers.collect());
        }
        for (heartbeats, answer) in lists {
            let _ = answer.send(self.commit_list(&heartbeats));
        }
        if let Some(until) = watches.iter().map(|(until, _)| *until).max() {
            let noted = self.insistently(&mut |store| store.watch_heartbeats(until));
            self.beside.health.note(Part::Watch, noted.as_ref().err().map(|_| UNREACHABLE));
            for (_, answer) in watches {
                let _ = answer.send(noted.is_ok());
            }
        }
        if !goes_on {
            // What is left is booked by whoever comes next.
            let _ = self.once(&mut Store::book_all_heartbeats);
        }
        goes_on
    }

    /// Books some of what was accepted when it is time; whether there is time for more.
    fn book(&mut self) -> bool {
        let began = self.begun.elapsed();
        let Some(most) = self.booking.due(began).filter(|_| self.unbooked.load(Ordering::Relaxed)) else {
            return false;
        };
        let booked = self.once(&mut |store| store.book_heartbeats(most));
        let ended = self.begun.elapsed();
        match &booked {
            // Whoever else is at it may not see what was accepted here last.
            Ok(None) => return false,
            Ok(Some(booked)) => {
                self.booking.booked(began, ended, *booked);
                self.unbooked.store(*booked > 0, Ordering::Relaxed);
            }
            Err(error) => {
                let since = *self.not_booked_since.get_or_insert_with(Instant::now);
                if passes(error) && since.elapsed() < PATIENCE {
                    return false;
                }
            }
        }
        if booked.is_ok() {
            self.not_booked_since = None;
        }
        let error = booked.as_ref().err();
        if self.beside.health.note(Part::Booking, error.map(|_| NOT_BOOKED)) {
            match error {
                Some(error) => self.beside.log.error("heartbeats cannot be booked", &[("error", error)]),
                None => self.beside.log.info("heartbeats are booked again", &[]),
            }
        }
        booked.is_ok_and(|booked| booked > Some(0)) && self.booking.is_calm(ended)
    }

    fn commit_list(&mut self, list: &[Heartbeat]) -> Option<Recorded> {
        let begun = Instant::now();
        let done = self.insistently(&mut |store| store.record_heartbeats(list));
        self.note(done.as_ref().err());
        let recorded = done.ok()?;
        self.beside.metrics.committed(list.len(), begun.elapsed().as_secs_f64(), recorded.late.len() as u64);
        Some(recorded)
    }

    /// Commits a batch, and says what of it is durable. A batch that the database refuses is halved, so that one
    /// heartbeat does not take others with it.
    fn commit(&mut self, batch: &[Heartbeat], stored: &mut [bool]) {
        let begun = Instant::now();
        match self.insistently(&mut |store| store.accept_heartbeats(batch)) {
            Ok(late) => {
                stored.fill(true);
                for nth in &late {
                    stored[*nth] = false;
                }
                self.booking.accepted(self.begun.elapsed(), batch.len() as u64);
                self.unbooked.store(true, Ordering::Relaxed);
                let late = late.len() as u64;
                self.beside.metrics.committed(batch.len(), begun.elapsed().as_secs_f64(), late);
                self.note(None);
                if late > 0 {
                    self.beside.log.warn("heartbeats of buckets that are closed: is the clock right?", &[]);
                }
            }
            Err(Error::Driver(_)) if batch.len() > 1 => {
                let middle = batch.len() / 2;
                let (first, second) = stored.split_at_mut(middle);
                self.commit(&batch[..middle], first);
                self.commit(&batch[middle..], second);
            }
            Err(error) => self.note(Some(&error)),
        }
    }

    /// Tries until it is done, while what hinders it passes by itself.
    fn insistently<T>(&mut self, work: &mut dyn FnMut(&mut Store) -> Result<T, Error>) -> Result<T, Error> {
        let begun = Instant::now();
        let patience = if self.is_away { Duration::ZERO } else { PATIENCE };
        let mut pause = PAUSES.0;
        loop {
            let error = match self.once(work) {
                Ok(done) => {
                    self.is_away = false;
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !passes(&error) {
                return Err(error);
            }
            if begun.elapsed() + pause > patience {
                self.is_away = true;
                return Err(error);
            }
            self.beside.metrics.retried();
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    fn once<T>(&mut self, work: &mut dyn FnMut(&mut Store) -> Result<T, Error>) -> Result<T, Error> {
        let store = match &mut self.store {
            Some(store) => store,
            None => self.store.insert(self.opener.open(BUSY)?),
        };
        let done = work(store);
        if !matches!(
            done,
            Ok(_) | Err(Error::Conflict | Error::Locked(_) | Error::Driver(_) | Error::Behind { .. })
        ) {
            // What the connection is worth after this is not known: the next attempt has a new one.
            self.store = None;
        }
        done
    }

    fn note(&self, error: Option<&Error>) {
        if self.beside.health.note(Part::Writer, error.map(|_| NOT_RECORDED)) {
            match error {
                Some(error) => self.beside.log.error("heartbeats cannot be recorded", &[("error", error)]),
                None => self.beside.log.info("heartbeats are recorded again", &[]),
            }
        }
    }
}

/// What everybody may know of what is wrong; the log says more.
const NOT_RECORDED: &str = "heartbeats cannot be recorded: the log says why";
const NOT_BOOKED: &str = "heartbeats that were accepted cannot be booked: the log says why";
const UNREACHABLE: &str = "the database cannot be written: the log says why";

/// Whether what hinders may pass by itself.
fn passes(error: &Error) -> bool {
    matches!(error, Error::Conflict | Error::Locked(_) | Error::Gone(_) | Error::Unreachable(_))
}
