//! Two services with the same sources on one database: one takes them in, the other waits and takes over.

use crate::desk::{Books, Desk};
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use std::io::Write as _;

/// A feature that only polls tell of.
pub(crate) const POLLED: &str = "polled_only";

/// What lmstat prints of a license server with these holders.
pub(crate) fn answer(users: &[&str]) -> String {
    let mut text = format!(
        "License server status: 27000@lic9\nlic9: license server UP (MASTER) v11.16\n\
         Vendor daemon status (on lic9):\n     acmed: UP v11.16\nFeature usage info:\n\n\
         Users of {POLLED}:  (Total of 9 licenses issued;  Total of {} licenses in use)\n\n  \
         \"{POLLED}\" v1.0, vendor: acmed, expiry: 31-dec-2030\n  floating license\n\n",
        users.len()
    );
    for user in users {
        text += &format!("    {user} ws-07 ws-07 (v1.0) (lic9/27000 101), start Wed 1/1 8:00\n");
    }
    text
}

/// A log of a directory is followed, and a license server polled whose answer a file holds.
pub(crate) fn configure(desk: &Desk) {
    desk.write(
        "seatledger.toml",
        "timezone = \"UTC\"\n\n[[source]]\nkind = \"follow\"\nname = \"log\"\ndirectory = \".\"\n\
         pattern = \"debug.log*\"\n\n[[source]]\nkind = \"poll\"\nname = \"lic9\"\nformat = \"lmstat\"\n\
         server = \"27000@lic9\"\ninterval = 5\ncommand = [\"cat\", \"answer\"]\n",
    );
}

pub(crate) fn append(desk: &Desk, text: &str) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(desk.path("debug.log"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// State and reason of each source.
fn states(service: &Service) -> Vec<(String, String)> {
    let told: Vec<serde_json::Value> = serde_json::from_str(&service.get("/api/v1/sources").body).unwrap();
    let text = |source: &serde_json::Value, key: &str| source[key].as_str().unwrap_or_default().to_owned();
    told.iter().map(|source| (text(source, "state"), text(source, "why"))).collect()
}

pub(crate) fn until_up(service: &Service) {
    while !states(service).iter().all(|(state, _)| state == "up") {
        std::thread::yield_now();
    }
}

/// User and ending of the sessions that polls told.
pub(crate) fn polled(desk: &Desk) -> Vec<(String, String)> {
    let text = desk.ok(&["sessions", "--feature", POLLED, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let place = |name: &str| headers.iter().position(|header| header == name).expect("a column");
    let (user, ended) = (place("user"), place("ended"));
    let row = |row: csv::StringRecord| (row[user].to_owned(), row[ended].to_owned());
    let mut rows: Vec<_> = reader.records().map(|record| row(record.unwrap())).collect();
    rows.sort();
    rows
}

/// The books without what polls told.
pub(crate) fn without_polls(mut books: Books) -> Books {
    for lines in [&mut books.sessions, &mut books.history, &mut books.usage, &mut books.concurrency] {
        lines.retain(|line| !line.contains(POLLED));
    }
    books
}

fn take_turns(desk: &Desk) {
    let text = flexnet::log(Shape { seed: 11, days: 6, events_a_day: 200, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    configure(desk);
    desk.write("answer", answer(&["xenia", "yusuf"]));
    desk.write("debug.log", "");
    let mut takes_in = Service::start(desk);
    until_up(&takes_in);
    for part in lines.chunks(lines.len().div_ceil(3)) {
        let waits = Service::start(desk);
        while !states(&waits).iter().all(|(state, why)| state == "waiting" && why.contains("takes it in")) {
            std::thread::yield_now();
        }
        let found = desk.run(&["check", "--format", "csv"]).out;
        assert_eq!(found.matches("takes it in now").count(), 2, "{found}");
        let (first, second) = part.split_at(part.len() / 2);
        append(desk, &first.concat());
        // Dropped, it is killed.
        drop(takes_in);
        append(desk, &second.concat());
        until_up(&waits);
        takes_in = waits;
    }
    desk.write("answer", answer(&["xenia"]));
    while polled(desk)[1].1 != "gone_from_snapshot" {
        std::thread::yield_now();
    }
    // Who stops gives all of it back at once.
    let last = Service::start(desk);
    assert_eq!(takes_in.stop(), Some(0));
    until_up(&last);
    assert_eq!(last.stop(), Some(0));
    let expected = [("xenia", "open"), ("yusuf", "gone_from_snapshot")];
    assert_eq!(polled(desk), expected.map(|(user, ended)| (user.to_owned(), ended.to_owned())));
    let clean = Desk::new();
    clean.write("debug.log", &text);
    clean.import(&["debug.log"]);
    without_polls(desk.books()).assert_same(&clean.books(), "two services beside an import");
}

#[test]
fn of_two_services_one_takes_in_and_the_other_takes_over_with_sqlite() {
    take_turns(&Desk::new());
}

#[test]
fn of_two_services_one_takes_in_and_the_other_takes_over_with_postgresql() {
    take_turns(&Desk::on_postgres());
}
