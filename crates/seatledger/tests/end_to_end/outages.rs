//! What was answered with 204 is counted, whatever happens to the service or its database; and nothing twice.

use crate::desk::{Desk, Ran};
use crate::listening::{STUCK, Service};
use crate::load::{Line, minutes, one_bucket};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

const THREADS: usize = 8;

/// What was sent, each ping that of a user of its own, and what of it was answered.
#[derive(Default)]
struct Sent {
    next: AtomicUsize,
    good: Mutex<BTreeSet<String>>,
    failed: AtomicUsize,
    over: AtomicBool,
}

impl Sent {
    /// How many were answered well.
    fn good(&self) -> usize {
        self.good.lock().unwrap().len()
    }

    /// Pings until it is over or the service is gone.
    fn ping(&self, port: u16) {
        let Ok(mut line) = Line::open(port) else { return };
        while !self.over.load(Ordering::Relaxed) {
            let user = format!("u{}", self.next.fetch_add(1, Ordering::Relaxed));
            match line.get(&format!("/ping?username={user}&domainname=d&appcode=1&version=v")) {
                Ok(204) => {
                    self.good.lock().unwrap().insert(user);
                }
                Ok(_) => {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => return,
            }
        }
    }

    /// Pings from many threads while `meanwhile` runs; it is over when that returns.
    fn while_pinging(&self, port: u16, meanwhile: impl FnOnce()) {
        self.over.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| self.ping(port));
            }
            meanwhile();
            self.over.store(true, Ordering::Relaxed);
        });
    }

    /// Waits until so many more are answered well.
    fn await_good(&self, more: usize) {
        let wanted = self.good() + more;
        while self.good() < wanted {
            std::thread::yield_now();
        }
    }

    /// All that was answered well has one bucket, nothing has two, and the books balance.
    #[track_caller]
    fn assert_counted(&self, desk: &Desk) {
        let minutes = minutes(desk);
        let good = self.good.lock().unwrap();
        let users: BTreeSet<String> = minutes.keys().map(|(user, _)| user.clone()).collect();
        let lost: Vec<&String> = good.difference(&users).take(5).collect();
        assert!(lost.is_empty(), "{} answered, {} counted, lost {lost:?}", good.len(), users.len());
        assert!(minutes.values().all(|minutes| *minutes == 60), "one bucket each");
        desk.ok(&["verify"]);
    }
}

#[test]
fn a_service_that_is_killed_loses_and_doubles_nothing() {
    for desk in [Desk::new(), Desk::on_postgres()] {
        one_bucket(&desk, "");
        let sent = Sent::default();
        for round in 0..4 {
            let service = Service::start(&desk);
            sent.while_pinging(service.port(), || {
                sent.await_good(60 + 40 * round);
                drop(service);
            });
            sent.assert_counted(&desk);
        }
    }
}

#[test]
fn a_service_that_is_asked_to_stop_loses_nothing() {
    let desk = Desk::new();
    one_bucket(&desk, "");
    let sent = Sent::default();
    for _ in 0..3 {
        let service = Service::start(&desk);
        sent.while_pinging(service.port(), || {
            sent.await_good(100);
            assert_eq!(service.stop(), Some(0));
        });
        assert_eq!(sent.failed.load(Ordering::Relaxed), 0);
        sent.assert_counted(&desk);
    }
}

/// A PostgreSQL of this test alone.
struct Cluster {
    place: PathBuf,
    url: String,
}

impl Cluster {
    fn start(place: &Path) -> Self {
        let place = place.to_owned();
        let url = script("start", &place).out.trim().to_owned();
        Self { place, url }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script("stop", &self.place);
    }
}

fn script(verb: &str, place: &Path) -> Ran {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
    let ran = Ran::from(Command::new(program).arg(verb).arg(place).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran
}

#[test]
fn a_postgresql_that_is_restarted_under_load_costs_nothing_and_the_service_heals_itself() {
    let desk = Desk::new();
    let place = tempfile::tempdir().unwrap();
    // The cluster runs as another user, who must be able to come in.
    Command::new("chmod").arg("755").arg(place.path()).status().unwrap();
    let cluster = Cluster::start(&place.path().join("cluster"));
    let desk = desk.with_db(&cluster.url);
    one_bucket(&desk, "");
    let service = Service::start(&desk);
    let sent = Sent::default();
    sent.while_pinging(service.port(), || {
        for _ in 0..2 {
            sent.await_good(100);
            script("restart", &cluster.place);
            sent.await_good(100);
        }
    });
    assert_eq!(sent.failed.load(Ordering::Relaxed), 0, "a short outage is waited for");
    let since = Instant::now();
    while service.get("/health").status != 200 {
        assert!(since.elapsed() < STUCK, "it is well again by itself: {}", service.get("/health").body);
    }
    sent.assert_counted(&desk);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn a_database_that_is_away_is_told_and_the_service_is_itself_again_when_it_is_back() {
    let desk = Desk::new();
    one_bucket(&desk, "");
    let service = Service::start(&desk);
    let sent = Sent::default();
    let locked = rusqlite::Connection::open(desk.db_file()).unwrap();
    locked.execute_batch("begin immediate").unwrap();
    // Somebody holds the file for longer than anybody waits.
    let mut health = service.get("/health");
    // What could be written a moment ago is not tried again at once.
    for _ in 0..100_000 {
        if health.status != 200 {
            break;
        }
        health = service.get("/health");
    }
    assert_eq!(health.status, 503, "{}", health.body);
    assert!(health.body.contains("\"wrong\""), "{}", health.body);
    locked.execute_batch("rollback").unwrap();
    drop(locked);
    sent.while_pinging(service.port(), || sent.await_good(20));
    assert_eq!(service.get("/health").status, 200);
    sent.assert_counted(&desk);
    assert_eq!(service.stop(), Some(0));
}
