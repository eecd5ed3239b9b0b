//! Sources that fail in all ways, beside one that works.

use super::{About, Finding, Named, Post, Source, Supervisor, Trouble};
use crate::oplog::OpLog;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use store::{Place, Store};

const LONG: Duration = Duration::from_mins(1);

/// Does what it is told each time it is run, and tells that it was.
struct Told {
    does: fn(usize, &Post) -> anyhow::Result<()>,
    runs: usize,
    ran: Sender<usize>,
}

impl Source for Told {
    fn run(&mut self, post: &Post) -> anyhow::Result<()> {
        self.runs += 1;
        let done = (self.does)(self.runs, post);
        let _ = self.ran.send(self.runs);
        done
    }

    fn check(&mut self, _: &Post) -> Vec<Finding> {
        Vec::new()
    }
}

fn named(name: &str, does: fn(usize, &Post) -> anyhow::Result<()>) -> (Named, Receiver<usize>) {
    let (ran, runs) = channel();
    let about = About { name: name.to_owned(), kind: "told", what: String::new() };
    (Named { about, source: Box::new(Told { does, runs: 0, ran }) }, runs)
}

fn stays(post: &Post) -> anyhow::Result<()> {
    post.up();
    while post.pause(LONG) {}
    Ok(())
}

fn ledger(place: &tempfile::TempDir) -> Store {
    Store::create(&Place::Sqlite(place.path().join("a.db"))).expect("a ledger")
}

#[test]
fn a_source_that_fails_is_run_again_and_stops_no_other() {
    let place = tempfile::tempdir().expect("a place");
    let (fails, failed) = named("fails", |run, post| match run {
        1 => Err(Trouble::new("no answer", "start it").into()),
        2 => panic!("oh"),
        _ => stays(post),
    });
    let (works, _) = named("works", |_, post| stays(post));
    let opener = ledger(&place).opener();
    let pauses = (Duration::from_millis(1), Duration::from_millis(1));
    let supervisor =
        Supervisor::start_with(pauses, vec![fails, works], opener, &OpLog::silent()).expect("threads");
    assert_eq!(failed.recv_timeout(LONG), Ok(1));
    let board = supervisor.board();
    while board.told().iter().any(|told| !told.state.is_up()) {
        std::thread::yield_now();
    }
    let told = board.told();
    assert_eq!((told[0].restarts, told[1].restarts), (2, 0));
    assert!(supervisor.stop(LONG));
    assert!(board.told().iter().all(|told| !told.state.is_up()));
}

#[test]
fn two_connections_serve_many_sources() {
    let place = tempfile::tempdir().expect("a place");
    let does = |_, post: &Post| {
        for _ in 0..20 {
            post.with_store(|store| store.known_head_lengths())?;
        }
        stays(post)
    };
    let sources: Vec<_> = (0..8).map(|nth| named(&nth.to_string(), does).0).collect();
    let opener = ledger(&place).opener();
    let supervisor = Supervisor::start(sources, opener, &OpLog::silent()).expect("threads");
    let board = supervisor.board();
    while board.told().iter().any(|told| !told.state.is_up()) {
        std::thread::yield_now();
    }
    assert!(supervisor.stop(LONG));
}
