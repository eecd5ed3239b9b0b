//! Bad input is told with its file, the rest is imported, nothing is half-stored.

use crate::desk::{Books, Desk, Ran};
use crate::flexnet::{self, Shape};
use std::fmt::Write as _;
use std::io::Write;

fn good() -> String {
    flexnet::log(Shape { seed: 3, days: 2, events_a_day: 40, restarts: false })
}

fn books_of_good() -> Books {
    let desk = Desk::new();
    desk.write("good.log", good());
    desk.import(&["good.log"]);
    desk.books()
}

/// Imports a bad file beside a good one: exit code 3, a message with the bad one's name, and the good one's books.
#[track_caller]
fn beside_a_good_one(name: &str, content: Option<&[u8]>) -> Ran {
    let desk = Desk::new();
    desk.write("good.log", good());
    if let Some(content) = content {
        desk.write(name, content);
    }
    let ran = desk.ends(3, &["import", "--timezone", "UTC", name, "good.log"]);
    assert!(ran.err.contains(name), "{}", ran.err);
    desk.books().assert_same(&books_of_good(), name);
    ran
}

/// Imports nothing but a bad file: exit code 1, a message with its name.
#[track_caller]
fn alone(name: &str, content: &[u8]) -> Ran {
    let desk = Desk::new();
    desk.write(name, content);
    let ran = desk.ends(1, &["import", "--timezone", "UTC", name]);
    assert!(ran.err.contains(name), "{}", ran.err);
    assert_eq!(desk.ok(&["sessions", "--format", "csv"]).lines().count(), 1, "nothing is stored");
    ran
}

fn binary() -> Vec<u8> {
    (0..40_000_u32).map(|nth| (nth.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn an_empty_file_is_told() {
    assert!(beside_a_good_one("empty.log", Some(b"")).err.contains("empty"));
    assert!(alone("empty.log", b"").err.contains("empty"));
}

#[test]
fn a_missing_file_is_told() {
    assert!(beside_a_good_one("missing.log", None).err.contains("no such file"));
}

#[test]
fn binary_data_is_told() {
    assert!(beside_a_good_one("program.exe", Some(&binary())).err.contains("binary"));
    alone("program.exe", &binary());
}

#[test]
fn a_text_of_an_unknown_kind_is_told() {
    let text = "Dear diary,\ntoday nobody used any license.\n".repeat(50);
    assert!(beside_a_good_one("diary.txt", Some(text.as_bytes())).err.contains("not known"));
    alone("diary.txt", text.as_bytes());
}

#[test]
fn a_report_log_is_told_with_what_to_use_instead() {
    let report_log = [b"#FLEXlm REPORTLOG\0".as_slice(), &binary()].concat();
    for name in ["report.rl", "report.log"] {
        assert!(alone(name, &report_log).err.contains("debug log"), "{name}");
    }
}

#[test]
fn a_directory_without_logs_is_told() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("nothing")).unwrap();
    let ran = desk.ends(1, &["import", "nothing"]);
    assert!(ran.err.contains("nothing") && ran.err.contains("no files"), "{}", ran.err);
    let ran = desk.ends(1, &["import", "*.nothing"]);
    assert!(ran.err.contains("no file matches"), "{}", ran.err);
}

#[test]
fn a_broken_archive_is_told_and_what_was_whole_of_it_counts_once() {
    let text = good();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let desk = Desk::new();
    desk.write("debug.log.gz", &packed[..packed.len() * 2 / 3]);
    let ran = desk.run(&["import", "--timezone", "UTC", "debug.log.gz"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("debug.log.gz: line ") && ran.err.contains("breaks off"), "{}", ran.err);
    assert!(ran.out.contains("checkouts") && !ran.out.contains(" 0 checkouts"), "{}", ran.out);
    desk.ok(&["verify"]);
    desk.write("debug.log.gz", &packed);
    desk.import(&["debug.log.gz"]);
    desk.books().assert_same(&books_of_good(), "the whole archive");
}

#[test]
fn lines_that_nobody_knows_are_counted_by_shape_and_the_rest_is_imported() {
    let mut text = good();
    for nth in 0..3 {
        writeln!(text, "23:59:58 (acmed) OUT: gibberish {nth}").unwrap();
    }
    let desk = Desk::new();
    desk.write("debug.log", &text);
    let ran = desk.ends(3, &["import", "--timezone", "UTC", "debug.log"]);
    assert!(ran.out.contains("3 lines unrecognized"), "{}", ran.out);
    let shown = desk.ok(&["unrecognized", "--format", "csv"]);
    let row: Vec<&str> = shown.lines().nth(1).unwrap().split(',').collect();
    let first = good().lines().count() + 1;
    assert_eq!(row[..3], ["debug.log", "3", &first.to_string()], "{shown}");
    assert_eq!(desk.books().sessions.len(), books_of_good().sessions.len());
}

#[test]
fn a_line_of_a_hundred_megabytes_is_passed_over() {
    let text = good();
    let middle = text.len() / 2 + text[text.len() / 2..].find('\n').unwrap() + 1;
    let desk = Desk::new();
    let mut file = std::io::BufWriter::new(std::fs::File::create(desk.path("long.log")).unwrap());
    file.write_all(&text.as_bytes()[..middle]).unwrap();
    for _ in 0..100 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    file.write_all(b"\n").unwrap();
    file.write_all(&text.as_bytes()[middle..]).unwrap();
    file.into_inner().unwrap().sync_all().unwrap();
    let ran = desk.ends(3, &["import", "--timezone", "UTC", "long.log"]);
    assert!(ran.out.contains("1 line unrecognized"), "{}", ran.out);
    desk.books().assert_same(&books_of_good(), "around the long line");
}

#[test]
fn a_ledger_that_cannot_be_made_or_written_is_told_with_the_reason() {
    let desk = Desk::new();
    desk.write("good.log", good());
    let mut nowhere = desk.command(&["import", "good.log"]);
    nowhere.env("SEATLEDGER_DB", "nowhere/books.db");
    let said = nowhere.output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.code() == Some(1) && err.contains("is the directory there"), "{err}");
    desk.write("theirs.part", "somebody's");
    desk.import(&["good.log"]);
    desk.ok(&["db", "backup", "theirs.db"]);
    assert_eq!(std::fs::read_to_string(desk.path("theirs.part")).unwrap(), "somebody's");
}

#[test]
fn a_dry_run_stores_nothing() {
    let desk = Desk::new();
    desk.write("good.log", good());
    let ran = desk.ends(0, &["import", "--dry-run", "--timezone", "UTC", "good.log"]);
    assert!(ran.out.contains("nothing stored") && !ran.out.contains("closed"), "{}", ran.out);
    assert!(!desk.db_file().exists(), "not even a database");
    desk.import(&["good.log"]);
    desk.ends(0, &["import", "--dry-run", "--timezone", "UTC", "good.log"]);
    desk.import(&["good.log"]);
    desk.books().assert_same(&books_of_good(), "after a dry run");
}

#[test]
fn another_zone_replaces_the_wrong_one() {
    let desk = Desk::new();
    desk.write("good.log", good());
    desk.ok(&["import", "--timezone", "Asia/Tokyo", "good.log"]);
    let wrong = desk.books();
    assert!(wrong.difference(&books_of_good()).is_some());
    desk.ok(&["import", "--replace", "--timezone", "UTC", "good.log"]);
    desk.books().assert_same(&books_of_good(), "replaced");
}
