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
