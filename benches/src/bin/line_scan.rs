//! How quickly the lines of a file can be counted: `line_scan FILE [TIMES]`; prints the best of TIMES.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let times = arguments.get(1).map_or(Ok(5), |times| times.parse::<u32>());
    let (Some(path), Ok(times @ 1..)) = (arguments.first(), times) else {
        eprintln!("usage: line_scan FILE [TIMES]");
        return ExitCode::from(2);
    };
    let mut best = (Duration::MAX, 0);
    for _ in 0..times {
        let start = Instant::now();
        match lines(path) {
            Ok(lines) => best = (best.0.min(start.elapsed()), lines),
            Err(error) => {
                eprintln!("cannot read {path}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{} lines, {:.3} s", best.1, best.0.as_secs_f64());
    ExitCode::SUCCESS
}

fn lines(path: &str) -> io::Result<usize> {
    let (mut file, mut block, mut lines) = (File::open(path)?, vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(lines),
            read => lines += memchr::memchr_iter(b'\n', &block[..read]).count(),
        }
    }
}
