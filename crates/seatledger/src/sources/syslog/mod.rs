//! Listens for syslog messages over UDP and TCP and takes in the records of wrapper scripts among them.
//!
//! Neither protocol says what was taken in: a sender does not hear of a message that was lost on its way, by the kernel, or with
//! a process that was killed before its commit. So messages are fetched at once, by threads that do nothing else, and committed
//! in groups a few times a second; what the kernel dropped is counted and told.

mod drops;
mod frame;
mod listener;

use super::configured::Servers;
use super::live::{Finding, Post, Reach, Source, Trouble};
use super::stream::{About, Stream, evidence};
use crate::config::SyslogConfig;
use accounting::UnixMs;
use accounting::calendar::zone as zone_named;
use accounting::day::Day;
use formats::line::{Format, Line, Read, Setting};
use formats::wrapper::{Wrapper, completed};
use listener::{Arrived, Door};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// How many messages wait for their commit at most; a sender over TCP then waits, and over UDP the kernel keeps what it can.
const WAITING: usize = 200_000;
/// So many are committed together at most.
const TOGETHER: usize = 50_000;
/// How long the first of a group waits for others.
const GATHERED: Duration = Duration::from_millis(200);
/// How often it is looked whether the service stops, and what was dropped.
const LOOK: Duration = Duration::from_millis(500);
/// A record that lies so far ahead of our clock, in milliseconds, is of no clock that can be believed.
const AHEAD: i64 = 86_400_000;

/// Takes in what is sent to some addresses.
pub(crate) struct Syslog {
    config: SyslogConfig,
    name: String,
    zone: String,
}

impl Syslog {
    pub(crate) fn new(config: &SyslogConfig, name: &str, servers: &Servers) -> Self {
        let of_server = servers.by_alias.get(&config.server).and_then(|(_, zone)| zone.clone());
        let zone = config.timezone.clone().or(of_server).unwrap_or_else(|| servers.default_zone.clone());
        Self { config: config.clone(), name: name.to_owned(), zone }
    }

    fn open(&self) -> Result<Vec<Door>, Trouble> {
        self.config.listen.iter().map(Door::open).collect()
    }

    /// What is known of it by the ledger: of each machine that listens it is another input.
    fn key(&self) -> String {
        let host = whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned());
        format!("syslog:{host}:{}", self.name)
    }
}

impl Source for Syslog {
    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        let zone = zone_named(&self.zone)?;
        let doors = self.open()?;
        for door in &doors {
            if let Some((wanted, got)) = door.small_buffer() {
                let details: [(&str, &dyn std::fmt::Display); 3] =
                    [("source", &self.name), ("bytes", &got), ("wanted", &wanted)];
                post.log().warn(
                    "the receive buffer is small, and bursts may be lost: raise net.core.rmem_max, or give CAP_NET_ADMIN",
                    &details,
                );
            }
        }
        let key = self.key();
        let about = About {
            format: &Wrapper,
            name: &self.name,
            key: &key,
            server: &self.config.server,
            zone: &self.zone,
        };
        let setting = Setting::new(zone, Day(0));
        let mut taker = Taker { about, setting, stream: None };
        // The ledger must be there before anybody is told that all is well.
        post.with_store(|store| taker.take(store, &[], post))?;
        post.up();
        let (sender, arrived) = sync_channel(WAITING);
        std::thread::scope(|scope| {
            for door in &doors {
                let sender = sender.clone();
                std::thread::Builder::new()
                    .name("syslog".to_owned())
                    .spawn_scoped(scope, move || door.run(post, &sender))?;
            }
            drop(sender);
            taker.run(&arrived, &doors, post)
        })
    }

    /// Each process listens for itself.
    fn reach(&self) -> Reach {
        Reach::Process
    }

    fn check(&mut self, _: &Post) -> Vec<Finding> {
        let mut findings = Vec::new();
        for listen in &self.config.listen {
            match Door::open(listen) {
                Ok(door) => {
                    findings.push(Finding::well(format!("{listen} can be listened on")));
                    if let Some((wanted, got)) = door.small_buffer() {
                        findings.push(Finding::doubtful(
                            format!("{listen}: the kernel keeps {got} bytes of a burst, not {wanted}"),
                            "raise net.core.rmem_max, or give the service CAP_NET_ADMIN",
                        ));
                    }
                }
                Err(Trouble { why, remedy }) => findings.push(Finding::bad(why, remedy)),
            }
        }
        findings
    }
}

/// Commits what arrives.
struct Taker<'a> {
    about: About<'a>,
    setting: Setting,
    stream: Option<Stream>,
}

impl Taker<'_> {
    fn run(mut self, arrived: &Receiver<Arrived>, doors: &[Door], post: &Post) -> anyhow::Result<()> {
        let mut group = Vec::new();
        let mut looked = Instant::now();
        loop {
            let ended = gather(arrived, &mut group) == Err(RecvTimeoutError::Disconnected);
            if !group.is_empty() {
                post.with_store(|store| self.take(store, &group, post))?;
                group.clear();
            }
            if looked.elapsed() >= LOOK || ended {
                looked = Instant::now();
                post.status().lost(doors.iter().map(Door::newly_dropped).sum());
            }
            // All threads have seen that the service stops, and what they had fetched is taken in.
            if ended {
                return Ok(());
            }
        }
    }

    /// Takes in messages. It may be called again where it failed.
    fn take(&mut self, store: &mut store::Store, group: &[Arrived], post: &Post) -> Result<(), store::Error> {
        let mut stream = match self.stream.take().filter(|stream| !stream.is_worn()) {
            Some(stream) => stream,
            None => Stream::open(store, self.about)?,
        };
        if !group.is_empty() {
            let resumed = Wrapper.resume(&self.setting, stream.parser());
            let mut parser = resumed.unwrap_or_else(|_| Wrapper.parser(&self.setting));
            let mut latest = UnixMs::MIN;
            let counts = stream.commit(store, |collector| {
                for Arrived { message, from, at } in group {
                    let stamp = jiff::Timestamp::from_millisecond(*at).unwrap_or_default();
                    let whole = completed(message, from, &stamp.to_string());
                    let message = whole.as_deref().unwrap_or(message);
                    let mut read = believed(parser.line(message), *at);
                    latest = latest.max(read.at.unwrap_or(latest));
                    read.at = read.at.map(|at| evidence(at, collector));
                    collector.line(&read, message, collector.counts.lines + 1);
                }
                parser.state()
            })?;
            post.status().took(&counts);
            if latest > UnixMs::MIN {
                post.status().event_at(latest);
            }
        }
        self.stream = Some(stream);
        Ok(())
    }
}

/// Waits for a message, and a moment more for others.
fn gather(arrived: &Receiver<Arrived>, group: &mut Vec<Arrived>) -> Result<(), RecvTimeoutError> {
    group.push(arrived.recv_timeout(LOOK)?);
    let begun = Instant::now();
    while group.len() < TOGETHER {
        let left = GATHERED.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        match arrived.recv_timeout(left) {
            Ok(message) => group.push(message),
            Err(RecvTimeoutError::Timeout) => break,
            Err(disconnected) => return Err(disconnected),
        }
    }
    Ok(())
}

/// A record of a clock that is a day and more ahead of ours is not believed: it would be in force for as long.
fn believed(read: Read<'_>, received_at: UnixMs) -> Read<'_> {
    match read.at {
        Some(at) if at > received_at + AHEAD => {
            let line = Line::Unrecognized("record of a day to come: is the sender's clock right?");
            Read { at: None, line, ..read }
        }
        _ => read,
    }
}
