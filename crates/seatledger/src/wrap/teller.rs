//! Tells of a run beside the command: that it began, that it goes on, that it has ended.

use super::spool::{Put, Spool};
use super::target::{Target, Unheard, Way};
use crate::clock;
use accounting::UnixMs;
use formats::events::{Instant, Record, Told};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A run is given up where two heartbeats are missed, and so long, in milliseconds, for the way that one takes.
const GRACE_MS: i64 = 2_000;

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
    ended: Sender<UnixMs>,
    thread: JoinHandle<()>,
}

impl Teller {
    /// Begins to tell. `way` is called on the thread, so that nobody waits for a configuration to be read.
    pub(crate) fn start(
        run: Run,
        way: impl FnOnce() -> anyhow::Result<Way> + Send + 'static,
        complain: fn(&str),
    ) -> std::io::Result<Self> {
        let (ended, ends) = channel();
        let thread = std::thread::Builder::new().name("teller".to_owned()).spawn(move || {
            let opened = way().and_then(|way| Ok((Spool::open(&way)?, way)));
            match opened {
                Ok((spool, way)) => {
                    Telling { run, way, spool, complain, put: None, has_complained: false }.run(&ends);
                }
                Err(error) => complain(&format!("the run is told to nobody: {error:#}")),
            }
        })?;
        Ok(Self { ended, thread })
    }

    /// Tells that the run has ended; what cannot be told in a moment stays in the spool.
    pub(crate) fn end(self, until: UnixMs) {
        // A thread that is gone has complained.
        let _ = self.ended.send(until);
        let _ = self.thread.join();
    }
}

struct Telling {
    run: Run,
    way: Way,
    spool: Spool,
    complain: fn(&str),
    /// The file of what was told last, until somebody has heard it, and since when it says that the run goes on.
    put: Option<(Put, Option<UnixMs>)>,
    has_complained: bool,
}

impl Telling {
    fn run(mut self, ends: &Receiver<UnixMs>) {
        let by_records = *self.way.target() == Target::Syslog;
        let mut seen_at = self.run.from;
        let begun =
            if by_records { Told::Start(self.run.record(seen_at)) } else { self.run.state(seen_at, None) };
        self.tell(&begun, false);
        self.tell_others();
        let until = loop {
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
            }
            seen_at = now;
            if !by_records {
                let state = self.run.state(now, None);
                self.tell(&state, false);
            }
            self.tell_others();
        };
        if until - seen_at > self.run.patience() {
            self.run.from = until;
        }
        let until = until.max(self.run.from);
        let ended =
            if by_records { Told::Stop(self.run.record(until)) } else { self.run.state(until, Some(until)) };
        self.tell(&ended, true);
    }

    /// Puts an event into the spool, tells it, and takes it out again.
    fn tell(&mut self, told: &Told, is_last: bool) {
        let from = match told {
            Told::Run { from, .. } => Some(from.0),
            Told::Start(_) | Told::Stop(_) => None,
        };
        let put = match self.spool.put(told) {
            Ok(put) => Some((put, from)),
            Err(error) => {
                self.complain_once(&format!("{error:#}"));
                None
            }
        };
        let before = std::mem::replace(&mut self.put, put);
        // A later state says all that an earlier one said of the same stretch of the run.
        if let Some((before, of)) = before
            && self.put.is_some()
            && from.is_some()
            && from == of
        {
            self.spool.remove(&before);
        }
        match self.way.tell(std::slice::from_ref(told), is_last) {
            Ok(refused) => {
                if let Some((put, _)) = self.put.take() {
                    self.spool.remove(&put);
                }
                for reason in refused {
                    self.complain_once(&format!("the run is not wanted: {reason}"));
                }
            }
            Err(Unheard::Refused(why)) => {
                self.complain_once(&format!("{} refuses: {why}", self.way.target()))
            }
            Err(Unheard::Away(_)) => {}
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
