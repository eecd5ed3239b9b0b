//! The service follows logs as they grow.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use std::io::Write;

fn configured(desk: &Desk, source: &str) {
    desk.write("seatledger.toml", format!("timezone = \"UTC\"\n\n[[source]]\nkind = \"follow\"\n{source}\n"));
}

fn append(desk: &Desk, name: &str, text: &str) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(desk.path(name));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Waits until the one source is as it should be: it has read what was there when the service began.
fn until_up(service: &Service) {
    while !service.get("/metrics").body.lines().any(is_up) {
        std::thread::yield_now();
    }
}

fn is_up(line: &str) -> bool {
    line.starts_with("seatledger_source_up{") && line.ends_with(" 1")
}

/// Waits until the service has read so many lines.
fn until_lines(service: &Service, lines: usize) {
    loop {
        let text = service.get("/metrics").body;
        let read = text.lines().filter(|line| line.starts_with("seatledger_source_lines{"));
        let read: usize = read.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum();
        if read >= lines {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_log_that_grows_gives_the_books_of_its_import() {
    let text = flexnet::log(Shape { seed: 5, days: 2, events_a_day: 60, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let desk = Desk::new();
    configured(&desk, "path = \"debug.log\"");
    let service = Service::start(&desk);
    let mut written = 0;
    for part in lines.chunks(lines.len() / 4 + 1) {
        append(&desk, "debug.log", &part.concat());
        written += part.len();
        until_lines(&service, written);
    }
    assert_eq!(service.stop(), Some(0));
    let other = Desk::new();
    other.write("debug.log", &text);
    other.import(&["debug.log"]);
    desk.books().assert_same(&other.books(), "followed beside imported");
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_written_is_noticed_long_before_the_next_look() {
    let text = flexnet::log(Shape { seed: 5, days: 1, events_a_day: 60, restarts: false });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let desk = Desk::new();
    configured(&desk, "path = \"debug.log\"\nevery_ms = 600000");
    let service = Service::start(&desk);
    while !service.get("/api/v1/sources").body.contains("there is no file debug.log yet") {
        std::thread::yield_now();
    }
    let begun = std::time::Instant::now();
    let mut written = 0;
    for part in lines.chunks(lines.len() / 2 + 1) {
        append(&desk, "debug.log", &part.concat());
        written += part.len();
        until_lines(&service, written);
    }
    assert!(begun.elapsed().as_secs() < 600, "it was seen by the next look");
    assert_eq!(service.stop(), Some(0));
}

/// Kills the service again and again while a log is written and rotates; in the end the books are those of an import of
/// all that was written.
fn survives(desk: Desk, rounds: usize) {
    let text = flexnet::log(Shape { seed: 7, days: 20, events_a_day: 600, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    configured(&desk, "directory = \".\"\npattern = \"debug.log*\"");
    for (round, part) in lines.chunks(lines.len().div_ceil(rounds)).enumerate() {
        let service = Service::start(&desk);
        for some in part.chunks(1 + round * 7) {
            append(&desk, "debug.log", &some.concat());
        }
        match round % 4 {
            1 => std::fs::rename(desk.path("debug.log"), desk.path(&format!("debug.log.{round}"))).unwrap(),
            2 => until_lines(&service, 1),
            3 => {
                std::fs::copy(desk.path("debug.log"), desk.path(&format!("debug.log.{round}"))).unwrap();
                std::fs::write(desk.path("debug.log"), "").unwrap();
            }
            _ => {}
        }
        // Dropped, it is killed.
        drop(service);
        desk.ok(&["verify"]);
    }
    let service = Service::start(&desk);
    until_up(&service);
    assert_eq!(service.stop(), Some(0));
    let clean = Desk::new();
    clean.write("debug.log", &text);
    clean.import(&["debug.log"]);
    desk.books().assert_same(&clean.books(), "after all kills");
}

#[test]
fn a_killed_service_loses_nothing_that_it_follows_and_counts_nothing_twice_with_sqlite() {
    survives(Desk::new(), 12);
}

#[test]
fn a_killed_service_loses_nothing_that_it_follows_and_counts_nothing_twice_with_postgresql() {
    survives(Desk::on_postgres(), 6);
}

#[test]
fn sources_are_told_and_checked() {
    let desk = Desk::new();
    configured(&desk, "name = \"acme\"\npath = \"debug.log\"");
    let found = desk.ends(3, &["check", "--format", "csv"]).out;
    assert!(found.contains("acme,look,there is no file debug.log yet,"), "{found}");
    let text = flexnet::log(Shape { seed: 5, days: 1, events_a_day: 30, restarts: false });
    desk.write("debug.log", &text);
    let size = text.len();
    let found = desk.ok(&["check", "--format", "csv"]);
    assert!(
        found.contains(&format!("acme,ok,\"debug.log: flexnet of 27000@lic1, {size} bytes, not read yet\",")),
        "{found}"
    );
    assert!(!desk.db_file().exists(), "a check makes nothing");
    let service = Service::start(&desk);
    until_up(&service);
    let told: serde_json::Value = serde_json::from_str(&service.get("/api/v1/sources").body).unwrap();
    let source = &told[0];
    assert_eq!(
        (&source["name"], &source["kind"], &source["state"]),
        (&"acme".into(), &"follow".into(), &"up".into())
    );
    assert_eq!(source["lines"], text.lines().count());
    assert_eq!((&source["lag_bytes"], &source["restarts"]), (&0.into(), &0.into()));
    assert!(source["last_event"].as_str().unwrap().starts_with("2025-03-0"), "{source}");
    assert_eq!(service.stop(), Some(0));
    let found = desk.ok(&["check", "--format", "csv"]);
    assert!(found.contains(&format!("read up to byte {size}")), "{found}");
    desk.write("debug.log", "poetry\n".repeat(1000));
    let found = desk.ends(1, &["check", "--format", "json"]).out;
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let of_source = found.as_array().unwrap().iter().find(|row| row["of"] == "acme").unwrap();
    assert_eq!(of_source["state"], "bad", "{found}");
    assert!(of_source["what_to_do"].as_str().unwrap().starts_with("name its format"), "{found}");
}

/// The row of coverage that tells of a source, by the names of its columns.
fn told_by_coverage(desk: &Desk, is_so: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
    loop {
        let text = desk.ok(&["report", "coverage", "--format", "json"]);
        let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
        let of_source = |row: &&serde_json::Value| row["source"] == "acme";
        if let Some(row) = rows.as_array().unwrap().iter().find(of_source)
            && is_so(row)
        {
            return row.clone();
        }
    }
}

#[test]
fn coverage_says_how_sources_are_whoever_asks() {
    let desk = Desk::new();
    configured(&desk, "name = \"acme\"\npath = \"debug.log\"");
    let text = flexnet::log(Shape { seed: 5, days: 1, events_a_day: 30, restarts: false });
    desk.write("debug.log", &text);
    desk.import(&["debug.log"]);
    let before = desk.ok(&["report", "coverage", "--format", "csv"]);
    assert!(before.starts_with("source,server,from,until,state,lines,unrecognized\n"), "{before}");
    let service = Service::start(&desk);
    append(&desk, "debug.log", "23:59:58 (lmgrd) TIMESTAMP 3/3/2025\n23:59:59 (acmed) OUT: gibberish\n");
    let up = told_by_coverage(&desk, |row| row["state"] == "up" && row["lines"] == 2);
    assert_eq!((&up["unrecognized"], &up["events"], &up["notes"]), (&1.into(), &0.into(), &1.into()));
    assert_eq!((&up["lag_bytes"], &up["restarts"], &up["server"]), (&0.into(), &0.into(), &().into()));
    assert_eq!((&up["why"], &up["remedy"]), (&().into(), &().into()));
    assert!(up["last_event_at"].as_str().unwrap().starts_with("2025-03-0"), "{up}");
    let csv = desk.ok(&["report", "coverage", "--format", "csv"]);
    let head = "source,server,from,until,state,lines,unrecognized,events,notes,noise,last_event_at,lag_bytes,lag_seconds,\
                restarts,host,why,remedy\n";
    assert!(csv.starts_with(head), "{csv}");
    let other = desk.ok(&["report", "coverage", "--server", "27000@lic1", "--format", "csv"]);
    assert!(!other.contains("acme"), "{other}");
    let table = desk.ok(&["report", "coverage"]);
    assert!(table.contains("since when the state is so"), "{table}");
    std::fs::remove_file(desk.path("debug.log")).unwrap();
    let waits = told_by_coverage(&desk, |row| row["state"] == "waiting");
    assert!(waits["why"].as_str().unwrap().contains("debug.log"), "{waits}");
    // Killed, it leaves what it said last; after a while that is worth nothing.
    drop(service);
    let connection = rusqlite::Connection::open(desk.db_file()).unwrap();
    assert_eq!(told_by_coverage(&desk, |_| true)["state"], "waiting");
    connection.execute("update source_state set told_at = told_at - 200000", []).unwrap();
    let silent = told_by_coverage(&desk, |_| true);
    assert_eq!((&silent["state"], silent["lines"].as_u64()), (&"silent".into(), Some(2)));
    assert_eq!(silent["why"], "nothing was heard of its service since; it was waiting");
    let service = Service::start(&desk);
    told_by_coverage(&desk, |row| row["state"] == "waiting");
    assert_eq!(service.stop(), Some(0));
    assert_eq!(told_by_coverage(&desk, |_| true)["state"], "stopped");
    desk.ok(&["verify"]);
}
