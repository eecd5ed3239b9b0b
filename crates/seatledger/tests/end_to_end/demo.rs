//! The demo, served.

use super::desk::Desk;
use super::listening::{STUCK, Service};
use serde_json::Value;
use std::time::Instant;

/// What the sources have read, and how late it is in the company.
fn read(service: &Service) -> (u64, String) {
    let answer = service.get("/api/v1/sources");
    let sources: Vec<Value> = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(sources.len(), 2, "{sources:?}");
    assert!(sources.iter().all(|source| source["unrecognized"] == 0), "{sources:?}");
    let last = sources.iter().filter_map(|source| source["last_event"].as_str()).max().unwrap_or_default();
    (sources.iter().filter_map(|source| source["lines"].as_u64()).sum(), last.to_owned())
}

#[test]
fn the_logs_go_on_while_the_year_is_served() {
    let desk = Desk::new();
    let service = Service::start_as(desk.command(&["demo", "--port", "0"]));
    let since = Instant::now();
    let until = |good: &dyn Fn(&(u64, String)) -> bool| loop {
        let found = read(&service);
        if good(&found) {
            return found;
        }
        assert!(since.elapsed() < STUCK, "{found:?}");
    };
    let refused = desk.ends(1, &["demo", "--once"]);
    assert!(refused.err.contains("another `seatledger demo`"), "{}", refused.err);
    let (lines, _) = until(&|(_, last)| last.as_str() >= "2026-01-13T14:50");
    until(&|(more, _)| *more > lines);
    let now = service.ask("GET", "/", &[("accept", "text/html")], "").body;
    assert!(now.contains("2026-01-13 14:5"), "the page speaks as of what was read last: {now}");
    assert_eq!(service.stop(), Some(0));
    desk.ok(&["--db", "sqlite:seatledger-demo/seatledger.db", "verify"]);
}
