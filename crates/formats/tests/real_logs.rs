//! Real logs hold real names, so none is kept here: `SEATLEDGER_REAL_LOGS=DIR cargo test -p formats --test real_logs
//! -- --nocapture` reads every file of a directory and wants each line understood.

use accounting::day::Day;
use accounting::event::What;
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
        let mut parser = format.parser(&Setting::new(jiff::tz::TimeZone::UTC, first_day));
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let (mut first, mut last, mut falls) = (None, None, 0);
        for line in bytes.strip_suffix(b"\n").unwrap_or(&bytes).split(|&byte| byte == b'\n') {
            let read = parser.line(line);
            first = first.or(read.at);
            falls += u32::from(read.at.is_some() && read.at < last.map(|last: i64| last - 300_000));
            last = read.at.or(last);
            let (kind, seats) = match read.line {
                Line::Noise => ("noise", 0),
                Line::Note(_) => ("note", 0),
                Line::Unrecognized(_) => ("unrecognized", 0),
                Line::Events(_) => ("several", 0),
                Line::Event { event, .. } => match event.what {
                    What::Checkout(claim) => ("OUT", claim.seats),
                    What::Checkin(claim, _) => ("IN", claim.seats),
                    What::Denial(claim, refusal) => (refusal.reason.as_str(), claim.seats),
                    What::Queued(_) => ("queued", 0),
                    What::Dequeued(_) => ("dequeued", 0),
                    What::DaemonStarted => ("daemon started", 0),
                    What::DaemonStopped => ("daemon stopped", 0),
                    What::ServerStarted => ("server started", 0),
                    _ => ("other", 0),
                },
            };
            *counts.entry(kind).or_default() += 1;
            if seats > 0 {
                *counts.entry(if kind == "OUT" { "OUT seats" } else { "other seats" }).or_default() += seats;
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
