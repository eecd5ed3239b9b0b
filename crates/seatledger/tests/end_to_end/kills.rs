//! A kill at any instant loses nothing and counts nothing twice.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use std::process::Stdio;
use std::time::Duration;

/// Kills an import of a few megabytes at `rounds` instants; the books balance at once, and in the end they are those
/// of an import that nobody killed.
fn survives(mut desk: Desk, rounds: u64) {
    let text = flexnet::log(Shape { seed: 5, days: 20, events_a_day: 2500, restarts: true });
    assert!(text.len() > 1_500_000, "{} bytes", text.len());
    let clean = Desk::new();
    clean.write("debug.log", &text);
    clean.import(&["debug.log"]);
    let clean = clean.books();
    desk.write("debug.log", &text);
    for round in 0..rounds {
        if round % 5 == 4 {
            // Not always into books that are half full.
            desk.begin_anew();
        }
        let mut import = desk.command(&["import", "--timezone", "UTC", "debug.log"]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The stimulus, from the very start to after the end: nobody waits for anything here.
        std::thread::sleep(Duration::from_millis(round * round * 7919 % 1500));
        import.kill().unwrap();
        import.wait().unwrap();
        let verified = desk.run(&["verify"]);
        // Where it was killed before there was a ledger there is none to verify.
        let none = verified.err.contains("no database") || verified.err.contains("is empty");
        assert!(verified.code == Some(0) || none, "round {round}: {}", verified.err);
    }
    desk.import(&["debug.log"]);
    desk.books().assert_same(&clean, "after all kills");
}

#[test]
fn a_killed_import_leaves_balanced_books_and_goes_on_with_sqlite() {
    survives(Desk::new(), 16);
}

#[test]
fn a_killed_import_leaves_balanced_books_and_goes_on_with_postgresql() {
    survives(Desk::on_postgres(), 6);
}
