//! Real logs hold real names, so none is kept here: `SEATLEDGER_REAL_LOGS=DIR cargo test -p formats --test real_logs
//! -- --nocapture` reads every file of a directory and wants each line understood.

use accounting::day::Day;
use accounting::event::{Seats, What};
use formats::line::{Line, Setting};
use std::collections::BTreeMap;

#[test]
fn every_line_of_real_logs_is_understood() {
    let Ok(directory) = std::env::var("SEATLEDGER_REAL_LOGS") else {
        println!("not run: SEATLEDGER_REAL_LOGS names no directory");
        return;
    };
    let mut unknown = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(format) = formats::detect(&bytes[..bytes.len().min(65_536)]) else {
            println!("{name}: no format fits");
            continue;
        };
        let mut surveyor = format.surveyor();
        bytes.split(|&byte| byte == b'\n').all(|line| surveyor.line(line));
        let survey = surveyor.finish();
        let first_day = survey.first_day.unwrap_or(Day(20_000));
        let modified = path.metadata().unwrap().modified().unwrap();
        let modified = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
        let setting = Setting::new(jiff::tz::TimeZone::UTC, first_day);
        let mut parser = format.parser(&Setting { modified_at: modified.as_millis() as i64, ..setting });
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let (mut first, mut last, mut falls) = (None, None, 0);
        for line in bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|&byte| byte == b'\n') {
            let read = parser.line(line);
            first = first.or(read.at);
            falls += u32::from(read.at.is_some() && read.at < last.map(|last: i64| last - 300_000));
            last = read.at.or(last);
            let kind = match &read.line {
                Line::Noise => "noise",
                Line::Note(_) => "note",
                Line::Unrecognized(_) => "unrecognized",
                Line::Events(_) | Line::Event { .. } => "with events",
            };
            *counts.entry(kind).or_default() += 1;
            for event in read.line.events() {
                let (kind, seats) = counted(&event.what);
                *counts.entry(kind).or_default() += 1;
                if let Some((figure, seats)) = seats {
                    *counts.entry(figure).or_default() += seats;
                }
            }
        }
        let civil = |at: Option<i64>| at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        println!(
            "{name}: {} {survey:?} {:?} to {:?}, {falls} falls: {counts:?}",
            format.name(),
            civil(first),
            civil(last)
        );
        unknown += counts.get("unrecognized").copied().unwrap_or_default();
    }
    assert_eq!(unknown, 0, "unrecognized lines");
}

/// What an event is counted as, and the seats in it.
fn counted(what: &What<'_>) -> (&'static str, Option<(&'static str, u32)>) {
    match what {
        What::Checkout(claim) => ("OUT", Some(("OUT seats", claim.seats))),
        What::Checkin(claim, _) => ("IN", Some(("IN seats", claim.seats))),
        What::Denial(_, refusal) => (refusal.reason.as_str(), None),
        What::Queued(_) => ("queued", None),
        What::Dequeued(_) => ("dequeued", None),
        What::DaemonStarted => ("daemon started", None),
        What::DaemonStopped => ("daemon stopped", None),
        What::ServerStarted => ("server started", None),
        What::Polled { answered: true } => ("polled", None),
        What::Polled { answered: false } => ("poll failed", None),
        What::Shown { claim, .. } => ("shown", Some(("shown seats", claim.seats))),
        What::Expiry(_) => ("expiry", None),
        What::Seats { seats: Seats::Issued(None), .. } => ("uncounted", None),
        What::Seats { seats: Seats::Issued(Some(seats)), .. } => ("issued", Some(("issued seats", *seats))),
        What::Seats { seats: Seats::InUse(seats), .. } => ("in use", Some(("in use seats", *seats))),
        What::Seats { seats: Seats::Reserved(seats), .. } => ("reserved", Some(("reserved seats", *seats))),
        What::Seats { seats: Seats::Queued(seats), .. } => ("waiting", Some(("waiting seats", *seats))),
        What::Seats { seats: Seats::Borrowed(seats), .. } => ("borrowed", Some(("borrowed seats", *seats))),
        _ => ("other", None),
    }
}
