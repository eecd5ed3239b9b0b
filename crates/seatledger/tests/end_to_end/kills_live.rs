//! A service that follows, polls and receives at once is killed at any instant, again and again.

use crate::claims::{POLLED, answer, append, configure, polled, until_up, without_polls};
use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// So often the service is killed; `SEATLEDGER_KILLS` says otherwise.
fn rounds(usually: usize) -> usize {
    std::env::var("SEATLEDGER_KILLS").map_or(usually, |kills| kills.parse().expect("a number of kills"))
}

/// What wrappers tell: runs with their ends, and starts and stops, each with a name of its own.
fn events(rounds: usize) -> VecDeque<Value> {
    let mut events = VecDeque::new();
    for nth in 0..rounds * 12 {
        let (hour, minute) = (nth / 60 % 24, nth % 60);
        let day = 1 + nth / 1_440;
        let user = ["amara", "chen", "ines"][nth % 3];
        let at = |minute: usize| format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z");
        let told = |what: &str, id: String, minute: usize| {
            json!({"what": what, "id": id, "at": at(minute), "feature": "viewer", "user": user,
                   "host": format!("ws-{nth}"), "pid": 4711})
        };
        events.push_back(told("start", format!("a{nth}"), minute));
        events.push_back(told("stop", format!("o{nth}"), (minute + 7).min(59)));
        events.push_back(json!({"what": "run", "id": format!("r{nth}"), "feature": "mesher", "user": user,
                                "host": "ws-1", "from": at(minute), "until": at(59)}));
    }
    events
}

/// Sends a list; whether it was acknowledged.
fn send(port: u16, events: &[Value]) -> Option<bool> {
    let body = json!({"events": events}).to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut said = String::new();
    stream.read_to_string(&mut said).ok()?;
    // A service that is killed may have sent a part of its answer.
    let whole = said.split_once("\r\n\r\n").filter(|(_, body)| body.trim_end().ends_with('}'));
    whole.map(|(head, body)| {
        assert!(body.contains("\"refused\":[]"), "{body}");
        head.starts_with("HTTP/1.1 200")
    })
}

/// Appends to the log and sends what waits, a little at a time, until the service is gone.
fn feed(desk: &Desk, port: u16, lines: &[&str], events: &mut VecDeque<Value>, most: usize) {
    let mut sent = 0;
    for some in lines.chunks(lines.len() / 20 + 1) {
        append(desk, &some.concat());
        let list: Vec<Value> = events.iter().take(3).cloned().collect();
        if sent < most && !list.is_empty() && send(port, &list) == Some(true) {
            sent += list.len();
            events.drain(..list.len());
        }
    }
}

fn survives(desk: &Desk, rounds: usize) {
    let text = flexnet::log(Shape { seed: 13, days: 20, events_a_day: 600, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let all = events(rounds);
    let mut waiting = all.clone();
    configure(desk);
    for (round, part) in lines.chunks(lines.len().div_ceil(rounds)).enumerate() {
        let shown = format!("user{:03}", round / 3);
        desk.write("answer.new", answer(&["stays", &shown]));
        std::fs::rename(desk.path("answer.new"), desk.path("answer")).unwrap();
        let service = Service::start(desk);
        let port = service.port();
        std::thread::scope(|scope| {
            let waiting = &mut waiting;
            scope.spawn(move || feed(desk, port, part, waiting, 36));
            // The stimulus, from the very start to after the first polls: nobody waits for anything here.
            std::thread::sleep(Duration::from_millis((round * round * 7919 % 3_000) as u64));
            // Dropped, it is killed.
            drop(service);
        });
        if round % 5 == 0 {
            desk.ok(&["verify"]);
        }
    }
    let service = Service::start(desk);
    while let Some(list) =
        Some(waiting.iter().take(50).cloned().collect::<Vec<_>>()).filter(|list| !list.is_empty())
    {
        assert_eq!(send(service.port(), &list), Some(true));
        waiting.drain(..list.len());
    }
    until_up(&service);
    assert_eq!(service.stop(), Some(0));

    let clean = Desk::new();
    clean.write("debug.log", &text);
    clean.import(&["debug.log"]);
    let service = Service::start(&clean);
    for list in all.iter().cloned().collect::<Vec<_>>().chunks(50) {
        assert_eq!(send(service.port(), list), Some(true));
    }
    assert_eq!(service.stop(), Some(0));
    without_polls(desk.books()).assert_same(&clean.books(), "after all kills");

    // Each holder that a poll ever showed has one session, and those whom the last answer shows have it still.
    let sessions = polled(desk);
    let last = format!("user{:03}", (rounds - 1) / 3);
    for (nth, (user, ended)) in sessions.iter().enumerate() {
        assert!(
            nth == 0 || sessions[nth - 1].0 != *user,
            "{user} has two sessions of {POLLED}: {sessions:?}"
        );
        let is_shown = *user == last || user == "stays";
        assert_eq!(ended, if is_shown { "open" } else { "gone_from_snapshot" }, "{user}");
    }
    assert!(sessions.iter().any(|(user, _)| *user == last), "{sessions:?}");
}

#[test]
fn a_service_that_follows_polls_and_receives_may_be_killed_at_any_instant_with_sqlite() {
    survives(&Desk::new(), rounds(8));
}

#[test]
fn a_service_that_follows_polls_and_receives_may_be_killed_at_any_instant_with_postgresql() {
    survives(&Desk::on_postgres(), rounds(5));
}
