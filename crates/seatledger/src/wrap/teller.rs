//! Tells of a run beside the command: that it began, that it goes on, that it has ended.

use super::spool::{Put, Spool};
use super::target::{Target, Unheard, Way};
use crate::clock;
use accounting::UnixMs;
use formats::events::{Instant, Record, Told};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A run is given up where two heartbeats are missed, and so long, in milliseconds, for the way that one takes.
const GRACE_MS: i64 = 2_000;
/// How long the end of a command waits for what is told of it.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) feature: String,
    pub(crate) version: Option<String>,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) from: UnixMs,
    /// How often it is told that it goes on.
    pub(crate) heartbeat: Duration,
}

impl Run {
    /// How far it is known; `until` where it has ended.
    fn state(&self, seen_at: UnixMs, until: Option<UnixMs>) -> Told {
        let goes_on = |at: UnixMs| Some(Instant(at)).filter(|_| until.is_none());
        Told::Run {
            id: self.id.clone(),
            feature: self.feature.clone(),
            version: self.version.clone(),
            user: self.user.clone(),
            host: self.host.clone(),
            from: Instant(self.from),
            until: until.map(Instant),
            seen_at: goes_on(seen_at),
            awaited_until: goes_on(seen_at + self.patience()),
        }
    }

    /// What is told at the end.
    fn end(&self, until: UnixMs, by_records: bool) -> Told {
        // Clocks are set back now and then.
        let until = until.max(self.from);
        if by_records { Told::Stop(self.record(until)) } else { self.state(until, Some(until)) }
    }

    fn patience(&self) -> i64 {
        2 * self.heartbeat.as_millis() as i64 + GRACE_MS
    }

    /// The record that a wrapper script would write.
    fn record(&self, at: UnixMs) -> Record {
        Record {
            id: super::new_id(),
            at: Instant(at),
            feature: self.feature.clone(),
            user: self.user.clone(),
            host: self.host.clone(),
            pid: self.pid,
        }
    }
}

/// Tells of one run on a thread of its own.
pub(crate) struct Teller {
    run: Run,
    ended: Sender<UnixMs>,
    told: Receiver<()>,
    shared: Arc<Shared>,
}

/// What the end must know where the thread is still busy with something else.
struct Shared {
    /// The spool, and whether records are told instead of states.
    spool: OnceLock<(Spool, bool)>,
    /// Since when the present stretch of the run goes on.
    from: AtomicI64,
    /// Whether the end was heard, or is kept.
    is_done: AtomicBool,
}

impl Teller {
    /// Begins to tell. `way` is called on the thread, so that nobody waits for files to be read.
    pub(crate) fn start(
        run: Run,
        way: impl FnOnce() -> anyhow::Result<Way> + Send + 'static,
        complain: fn(&str),
    ) -> std::io::Result<Self> {
        let ((ended, ends), (done, told)) = (channel(), channel());
        let shared = Arc::new(Shared {
            spool: OnceLock::new(),
            from: AtomicI64::new(run.from),
            is_done: AtomicBool::new(false),
        });
        let teller = Self { run: run.clone(), ended, told, shared: Arc::clone(&shared) };
        std::thread::Builder::new().name("teller".to_owned()).spawn(move || {
            let opened = way().and_then(|way| Ok((Spool::open(&way)?, way)));
            match opened {
                Ok((spool, way)) => {
                    let by_records = *way.target() == Target::Syslog;
                    let _ = shared.spool.set((spool.clone(), by_records));
                    let telling =
                        Telling { run, way, spool, by_records, complain, put: None, has_complained: false };
                    telling.run(&ends, &shared);
                }
                Err(error) => complain(&format!("the run is told to nobody: {error:#}")),
            }
            let _ = done.send(());
        })?;
        Ok(teller)
    }

    /// Tells that the run has ended. What cannot be told in a moment is kept.
    pub(crate) fn end(mut self, until: UnixMs) {
        let _ = self.ended.send(until);
        let waited = self.told.recv_timeout(LAST_WORDS);
        if waited != Err(RecvTimeoutError::Timeout) || self.shared.is_done.load(Ordering::Relaxed) {
            return;
        }
        let Some((spool, by_records)) = self.shared.spool.get() else { return };
        self.run.from = self.shared.from.load(Ordering::Relaxed);
        // Where it cannot be kept either, the run ends at its last heartbeat.
        let _ = spool.put(&self.run.end(until, *by_records));
    }
}

struct Telling {
    run: Run,
    way: Way,
    spool: Spool,
    /// Whether records are told, as wrapper scripts write them, instead of states.
    by_records: bool,
    complain: fn(&str),
    /// The file of what was told last, until somebody has heard it, and since when it says that the run goes on.
    put: Option<(Put, Option<UnixMs>)>,
    has_complained: bool,
}

impl Telling {
    fn run(mut self, ends: &Receiver<UnixMs>, shared: &Shared) {
        let mut seen_at = self.run.from;
        let mut ended = ends.try_recv().ok();
        let mut told_others = false;
        if self.by_records || ended.is_none() {
            let begun = if self.by_records {
                Told::Start(self.run.record(seen_at))
            } else {
                self.run.state(seen_at, None)
            };
            self.keep(&begun);
            self.tell(&begun, false);
            ended = ended.or_else(|| ends.try_recv().ok());
        }
        let until = loop {
            if let Some(until) = ended {
                break until;
            }
            self.tell_others();
            told_others = true;
            match ends.recv_timeout(self.run.heartbeat) {
                Ok(until) => break until,
                // Who started the command is gone: so is what would tell its end.
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = clock::now();
            if now - seen_at > self.run.patience() {
                // The machine slept, or this process was stopped: nobody watched, and the run is told anew.
                self.run.from = now;
                shared.from.store(now, Ordering::Relaxed);
            }
            seen_at = now;
            if !self.by_records {
                let state = self.run.state(now, None);
                self.keep(&state);
                self.tell(&state, false);
            }
        };
        if until - seen_at > self.run.patience() {
            self.run.from = until;
        }
        let last = self.run.end(until, self.by_records);
        // Whoever waits for the command does not wait for the disk where the service takes it.
        let heard = self.tell(&last, true);
        if !heard {
            self.keep(&last);
        }
        shared.is_done.store(true, Ordering::Relaxed);
        if heard && !told_others {
            self.tell_others();
        }
    }

    /// Puts an event into the spool.
    fn keep(&mut self, told: &Told) {
        let from = match told {
            Told::Run { from, .. } => Some(from.0),
            Told::Start(_) | Told::Stop(_) => None,
        };
        match self.spool.put(told) {
            Ok(put) => {
                // A later state says all that an earlier one said of the same stretch of the run.
                if let Some((before, of)) = self.put.replace((put, from))
                    && from.is_some()
                    && from == of
                {
                    self.spool.remove(&before);
                }
            }
            Err(error) => self.complain_once(&format!("{error:#}")),
        }
    }

    /// Tells an event, and takes what it says out of the spool; whether it was heard.
    fn tell(&mut self, told: &Told, is_last: bool) -> bool {
        match self.way.tell(std::slice::from_ref(told), is_last) {
            Ok(refused) => {
                let says_it = |of: Option<UnixMs>| match told {
                    Told::Run { from, .. } => of == Some(from.0),
                    Told::Start(_) => true,
                    Told::Stop(_) => false,
                };
                if let Some((put, _)) = self.put.take_if(|(_, of)| says_it(*of)) {
                    self.spool.remove(&put);
                }
                for reason in refused {
                    self.complain_once(&format!("the run is not wanted: {reason}"));
                }
                true
            }
            Err(Unheard::Refused(why)) => {
                self.complain_once(&format!("{} refuses: {why}", self.way.target()));
                false
            }
            Err(Unheard::Away(_)) => false,
        }
    }

    /// Tells what earlier runs have left.
    fn tell_others(&mut self) {
        if self.put.is_some() {
            // Nobody heard of this one either.
            return;
        }
        let complain = self.complain;
        let _ = self.spool.tell_all(&self.way, &mut |complaint| complain(complaint));
    }

    fn complain_once(&mut self, complaint: &str) {
        if !std::mem::replace(&mut self.has_complained, true) {
            (self.complain)(complaint);
        }
    }
}
