//! Databases that cannot be used are told clearly; nothing is lost, the next run goes on.

use crate::desk::{Desk, Ran, postgres_url};
use crate::flexnet::{self, Shape};
use std::process::{Command, Stdio};

fn good() -> String {
    flexnet::log(Shape { seed: 3, days: 3, events_a_day: 300, restarts: true })
}

fn imported(desk: Desk) -> Desk {
    desk.write("good.log", good());
    desk.import(&["good.log"]);
    desk
}

#[test]
fn sqlite_and_postgresql_keep_the_same_books() {
    imported(Desk::on_postgres()).books().assert_same(&imported(Desk::new()).books(), "on PostgreSQL");
}

#[test]
fn a_database_of_a_newer_version_is_refused_by_readers_and_writers() {
    let desk = imported(Desk::new());
    let connection = rusqlite::Connection::open(desk.db_file()).unwrap();
    connection.execute("update setting set value = '9999' where name = 'schema_version'", []).unwrap();
    for command in [&["import", "good.log"][..], &["report", "usage"], &["verify"]] {
        let ran = desk.ends(1, command);
        assert!(ran.err.contains("9999") && ran.err.contains("newer seatledger"), "{}", ran.err);
    }
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let desk = Desk::new();
    desk.write("ledger.db", "this is no database, it only lies where one should be\n".repeat(100));
    desk.write("good.log", good());
    let ran = desk.ends(1, &["import", "good.log"]);
    assert!(ran.err.contains("ledger.db"), "{}", ran.err);
}

#[test]
fn readers_go_on_while_another_process_writes() {
    let desk = imported(Desk::new());
    let connection = rusqlite::Connection::open(desk.db_file()).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    desk.ok(&["report", "usage"]);
    desk.ok(&["verify"]);
}

#[test]
fn a_full_disk_is_told_and_the_next_run_goes_on() {
    let desk = Desk::new();
    desk.write("good.log", good());
    // A limit on the size of files is the disk that is full; its signal is ignored, so that writing fails instead.
    for blocks in [64, 200, 400, 800] {
        let command = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec '{}' import --timezone UTC good.log",
            env!("CARGO_BIN_EXE_seatledger")
        );
        let output = Command::new("bash").args(["-c", &command]).current_dir(desk.path("")).output().unwrap();
        let ran = Ran::from(output);
        if ran.code != Some(0) {
            assert_eq!(ran.code, Some(1), "{blocks}: {}", ran.err);
            assert!(ran.err.contains("disk full") || ran.err.contains("cannot"), "{}", ran.err);
        }
        assert!(blocks > 64 || ran.code == Some(1), "64 blocks are too few for the ledger");
    }
    desk.import(&["good.log"]);
    desk.books().assert_same(&imported(Desk::new()).books(), "after a full disk");
}

#[test]
fn postgresql_that_goes_away_in_the_middle_is_told_and_the_next_run_goes_on() {
    let desk = Desk::on_postgres();
    desk.write("good.log", flexnet::log(Shape { seed: 9, days: 30, events_a_day: 3000, restarts: false }));
    let mut import = desk.command(&["import", "--timezone", "UTC", "good.log"]);
    let mut import = import.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Ends its connections as a restart of the server would, as soon as there are any.
    let schema = desk.db().rsplit_once("%3D").unwrap().1.to_owned();
    let mut client = postgres::Client::connect(&postgres_url(), postgres::NoTls).unwrap();
    let ended = "select pg_terminate_backend(a.pid) from pg_stat_activity a join pg_locks l on l.pid = a.pid
                 join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = $1 and c.relname in ('session_run', 'session_by_key') and l.mode = 'RowExclusiveLock'";
    while client.query(ended, &[&schema]).unwrap().is_empty() && import.try_wait().unwrap().is_none() {}
    let ran = Ran::from(import.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("went away"), "{}", ran.err);
    desk.ok(&["verify"]);
    desk.import(&["good.log"]);
    desk.books();
}

#[test]
fn a_postgresql_that_is_not_there_is_told_without_its_password() {
    let desk = Desk::new();
    let ran = desk.ends(1, &["report", "usage", "--db", "postgres://me:secret@127.0.0.1:1/none"]);
    assert!(ran.err.contains("127.0.0.1") && !ran.err.contains("secret"), "{}", ran.err);
}
