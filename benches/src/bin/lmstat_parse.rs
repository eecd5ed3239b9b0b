//! Reads 10 MB of lmstat's output with the program's parser and with a minimal one, in turn, and compares them:
//! `lmstat_parse [TIMES]`; prints the best of TIMES of each, and their ratio.

use formats::line::Setting;
use memchr::{memchr, memmem, memrchr};
use std::env;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const BYTES: usize = 10_000_000;

/// What both must find.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    features: u64,
    rows: u64,
    seats: u64,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let times = env::args().nth(1).map_or(Ok(9), |times| times.parse::<u32>());
    let Ok(times @ 1..) = times else {
        eprintln!("usage: lmstat_parse [TIMES]");
        return ExitCode::from(2);
    };
    let text = text();
    let (mut ours, mut least) = (Duration::MAX, Duration::MAX);
    for _ in 0..times {
        let (by_hand, took) = timed(|| by_hand(&text));
        least = least.min(took);
        let Some((parsed, took)) = formats::named("lmstat").map(|format| timed(|| parsed(format, &text)))
        else {
            eprintln!("no format is called lmstat");
            return ExitCode::FAILURE;
        };
        ours = ours.min(took);
        if by_hand != parsed {
            eprintln!("by hand {by_hand:?}, parsed {parsed:?}");
            return ExitCode::FAILURE;
        }
    }
    let rate = |took: Duration| text.len() as f64 / 1e6 / took.as_secs_f64();
    let found = by_hand(&text);
    println!(
        "{} bytes, {} features, {} holder rows, {} seats",
        text.len(),
        found.features,
        found.rows,
        found.seats
    );
    println!(
        "by hand {:.0} MB/s, parsed {:.0} MB/s, ratio {:.2}",
        rate(least),
        rate(ours),
        rate(ours) / rate(least)
    );
    ExitCode::SUCCESS
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

/// An output with feature after feature, until it is long enough.
fn text() -> Vec<u8> {
    let mut text = "Flexible License Manager status on Fri 10/20/2017 17:02\n\nLicense server status: 27002@lic1.example\n\
                    Vendor daemon status (on lic1.example):\n\n  acmed: UP v11.6\n\nFeature usage info:\n\n"
        .to_owned();
    let mut feature = 0;
    while text.len() < BYTES {
        feature += 1;
        // Writing to a String cannot fail.
        let _ = write_feature(&mut text, feature);
    }
    text.into_bytes()
}

fn write_feature(text: &mut String, feature: u32) -> std::fmt::Result {
    let rows = feature * 7 % 50;
    write!(
        text,
        "Users of feature{feature}:  (Total of 100 licenses issued;  Total of {} licenses in use)\n\n",
        rows * 2
    )?;
    if rows > 0 {
        write!(text, "  \"feature{feature}\" v2017.12, vendor: acmed\n  floating license\n\n")?;
    }
    for row in 0..rows {
        let (host, handle, day) = (feature * 31 % 700, feature * 97 % 40_000 + row, 1 + (feature + row) % 20);
        write!(
            text,
            "    user{row} server{host:04} /dev/tty (v2017.06) (lic1.example/27002 {handle}), start Mon 10/{day} {}:{:02}",
            row % 24,
            handle % 60
        )?;
        text.push_str(if row % 3 == 0 { ", 4 licenses\n" } else { "\n" });
    }
    text.push('\n');
    Ok(())
}

/// The least that tells user, host, display, version, handle, start and seats of the rows that are written here.
fn by_hand(text: &[u8]) -> Found {
    let start = memmem::Finder::new(", start ");
    let (mut found, mut rest) = (Found::default(), text);
    while let Some(end) = memchr(b'\n', rest) {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.starts_with(b"Users of ") {
            found.features += 1;
        } else if let Some(at) = start.find(line) {
            let (left, tail) = (&line[..at], &line[at + 8..]);
            let handle = memrchr(b'(', left).unwrap_or(0);
            let mut words = left[..handle].trim_ascii().splitn(4, |&byte| byte == b' ');
            std::hint::black_box((words.next(), words.next(), words.next(), words.next(), &left[handle..]));
            let mut start = tail.splitn(3, |&byte| byte == b' ');
            let (_weekday, date) = (start.next(), start.next().unwrap_or_default());
            let slash = memchr(b'/', date).unwrap_or(0);
            let time = start.next().unwrap_or_default();
            let colon = memchr(b':', time).unwrap_or(0);
            std::hint::black_box((
                number(date),
                number(&date[slash + 1..]),
                number(time),
                number(&time[colon + 1..]),
            ));
            found.rows += 1;
            found.seats += memchr(b',', time).map_or(1, |comma| number(&time[comma + 2..]));
        }
    }
    found
}

/// The number with which a text begins.
fn number(text: &[u8]) -> u64 {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |value, byte| value * 10 + u64::from(byte - b'0'))
}

fn parsed(format: &dyn formats::line::Format, text: &[u8]) -> Found {
    use accounting::event::{Seats, What};
    let day = accounting::day::Day(17_459);
    let mut parser = format.parser(&Setting::new(jiff::tz::TimeZone::UTC, day));
    let (mut found, mut rest) = (Found::default(), text);
    while let Some(end) = memchr(b'\n', rest) {
        for event in parser.line(&rest[..end]).line.events() {
            match &event.what {
                What::Shown { claim, .. } => {
                    found.rows += 1;
                    found.seats += u64::from(claim.seats);
                }
                What::Seats { seats: Seats::InUse(_), .. } => found.features += 1,
                _ => {}
            }
        }
        rest = &rest[end + 1..];
    }
    found
}
