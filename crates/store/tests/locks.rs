//! Whoever opens a SQLite file besides must not let go of the locks that this process has on it: another program that opens
//! and closes the file would take away the write-ahead log under the writer.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use store::input::Checkpoint;
use store::intake::{Batch, Intake, Parts};
use store::{Place, Store};

/// How many locks this process has on a file.
fn locks_on(path: &Path) -> usize {
    let (process, file) = (std::process::id().to_string(), format!(":{}", path.metadata().unwrap().ino()));
    let table = std::fs::read_to_string("/proc/locks").unwrap();
    let is_ours = |line: &&str| {
        let mut words = line.split_whitespace();
        words.any(|word| word == process) && words.any(|word| word.ends_with(&file))
    };
    table.lines().filter(is_ours).count()
}

#[test]
fn readers_let_go_of_no_lock_of_the_writer() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ledger.db");
    let mut writer = Store::create(&Place::Sqlite(file.clone())).unwrap();
    writer.read(|reader| Ok(reader.as_of()?.is_none())).unwrap();
    let before = locks_on(&file);
    assert!(before > 0, "a connection that has read holds the file");
    let mut reader = Store::open(&Place::Sqlite(file.clone())).unwrap();
    reader.read(|reader| Ok(reader.as_of()?.is_none())).unwrap();
    drop(reader);
    assert_eq!(locks_on(&file), before);
}

/// The versions of the format in a file's header: 2 where it has a log, else 1.
fn versions(file: &Path) -> [u8; 2] {
    let bytes = std::fs::read(file).unwrap();
    [bytes[18], bytes[19]]
}

#[test]
fn a_ledger_that_is_filled_has_no_log_and_can_be_read() {
    let place = tempfile::tempdir().unwrap();
    let (file, log) = (place.path().join("ledger.db"), place.path().join("ledger.db-wal"));
    let mut writer = Store::create(&Place::Sqlite(file.clone())).unwrap();
    let filled = writer.filling(|writer| {
        assert!(!log.exists(), "what is written goes into the file");
        writer.derive(&mut |_, _| {}).unwrap();
        let mut reader = Store::open(&Place::Sqlite(file.clone())).unwrap();
        reader.read(|reader| Ok(reader.as_of()?.is_none())).unwrap()
    });
    assert!(filled.unwrap());
    drop(writer);
    assert_eq!(versions(&file), [2, 2]);
    // Whoever has it open keeps it as it is.
    let mut writer = Store::create(&Place::Sqlite(file.clone())).unwrap();
    let mut reader = Store::open(&Place::Sqlite(file.clone())).unwrap();
    reader.read(|reader| Ok(reader.as_of()?.is_none())).unwrap();
    writer.filling(|_| assert!(log.exists())).unwrap();
    drop((writer, reader));
    assert_eq!(versions(&file), [2, 2]);
}

#[test]
fn a_ledger_whose_filling_broke_off_is_opened_as_any_other_one() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ledger.db");
    let mut writer = Store::create(&Place::Sqlite(file.clone())).unwrap();
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        writer.filling(|_| std::panic::resume_unwind(Box::new("killed")))
    }));
    broken.unwrap_err();
    drop(writer);
    assert_eq!(versions(&file), [1, 1]);
    let mut reader = Store::open(&Place::Sqlite(file.clone())).unwrap();
    assert!(reader.read(|reader| Ok(reader.as_of()?.is_none())).unwrap());
    drop(reader);
    assert_eq!(versions(&file), [2, 2]);
}

/// One part without anything in it, and whether the transactions that took it filled the ledger.
struct Nothing {
    part: (Vec<Batch>, Checkpoint),
    fills: Vec<bool>,
}

impl Parts for Nothing {
    fn begins(&mut self, is_filling: bool) {
        self.fills.push(is_filling);
    }

    fn part(&mut self, nth: usize) -> Option<(&[Batch], &Checkpoint)> {
        (nth == 0).then_some((&self.part.0, &self.part.1))
    }

    fn waiting(&mut self) -> usize {
        1
    }
}

#[test]
fn who_fills_a_ledger_is_told_that_somebody_has_opened_it() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ledger.db");
    let mut writer = Store::create(&Place::Sqlite(file.clone())).unwrap();
    let part = (vec![Batch::default()], Checkpoint { name: "a".to_owned(), ..Checkpoint::default() });
    let mut nothing = Nothing { part, fills: Vec::new() };
    let mut intake = Intake::default();
    intake.begin(None);
    writer
        .filling(|writer| {
            intake.commit_together(writer, &mut nothing).unwrap();
            drop(Store::create(&Place::Sqlite(file.clone())).unwrap());
            intake.commit_together(writer, &mut nothing).unwrap();
        })
        .unwrap();
    assert_eq!(nothing.fills, [true, false]);
    intake.commit_together(&mut writer, &mut nothing).unwrap();
    assert_eq!((nothing.fills.len(), nothing.fills[2]), (3, false));
    assert_eq!(versions(&file), [2, 2]);
}
