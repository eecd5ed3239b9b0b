//! Reads a FlexNet debug log on one thread as fast as can be: `parse_limit FILE [TIMES]`; prints the best of TIMES.

use benches::parse_limit::{self, Tally};
use std::env;
use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let times = arguments.get(1).map_or(Ok(5), |times| times.parse::<u32>());
    let (Some(path), Ok(times @ 1..)) = (arguments.first(), times) else {
        eprintln!("usage: parse_limit FILE [TIMES]");
        return ExitCode::from(2);
    };
    match best_of(path, times) {
        Ok((best, tally)) => {
            print_tally(&tally);
            let rate = tally.bytes as f64 / 1e6 / best.as_secs_f64();
            println!("best of {times}: {:.3} s, {rate:.0} MB/s", best.as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot read {path}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn best_of(path: &str, times: u32) -> io::Result<(Duration, Tally)> {
    let mut best = (Duration::MAX, Tally::default());
    for _ in 0..times {
        let start = Instant::now();
        let tally = parse_limit::read(File::open(path)?)?;
        best = (best.0.min(start.elapsed()), tally);
    }
    Ok(best)
}

#[expect(clippy::print_stdout, reason = "a program for a terminal")]
fn print_tally(tally: &Tally) {
    println!("feature,peak,open,seat_seconds,holder_sum");
    for feature in &tally.features {
        let name = String::from_utf8_lossy(&feature.name);
        println!("{name},{},{},{},{}", feature.peak, feature.open, feature.seat_seconds, feature.holder_sum);
    }
    let Tally { bytes, lines, checkouts, checkins, denials, holders, .. } = tally;
    println!(
        "{bytes} bytes, {lines} lines, {checkouts} checkouts, {checkins} checkins, {denials} denials, {holders} holders"
    );
}
