//! What SQLite alone does with the sessions of a ledger:
//! `session_rows rows LEDGER FRESH`, `session_rows scan ROWS [TIMES]`, `session_rows insert LEDGER FRESH [TIMES]`,
//! `session_rows export LEDGER CSV`.

use benches::session_rows;
use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const USAGE: &str = "usage: session_rows rows LEDGER FRESH | scan ROWS [TIMES] | insert LEDGER FRESH [TIMES] | export LEDGER CSV";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    match arguments {
        ["rows", ledger, fresh] => {
            Ok(format!("{} rows", session_rows::write_rows(Path::new(ledger), Path::new(fresh))?))
        }
        ["scan", file, rest @ ..] => {
            let file = session_rows::open(Path::new(file))?;
            let (mut best, mut rows) = (Duration::MAX, 0);
            for _ in 0..times(rest)? {
                let start = Instant::now();
                rows = session_rows::scan(&file)?.0;
                best = best.min(start.elapsed());
            }
            Ok(said(rows, best))
        }
        ["insert", ledger, fresh, rest @ ..] => {
            let rows = session_rows::read(&session_rows::open(Path::new(ledger))?)?;
            let mut best = Duration::MAX;
            for _ in 0..times(rest)? {
                for ending in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(format!("{fresh}{ending}"));
                }
                best = best.min(session_rows::insert(&rows, Path::new(fresh))?);
            }
            Ok(said(rows.len() as u64, best))
        }
        ["export", ledger, csv] => {
            let mut out = BufWriter::with_capacity(1 << 20, File::create(csv)?);
            let rows = session_rows::export(&session_rows::open(Path::new(ledger))?, &mut out)?;
            out.flush()?;
            Ok(format!("{rows} rows"))
        }
        _ => Err(USAGE.into()),
    }
}

fn times(rest: &[&str]) -> Result<u32, Box<dyn Error>> {
    match rest {
        [] => Ok(3),
        [times] => Ok(times.parse().ok().filter(|times| *times > 0).ok_or(USAGE)?),
        _ => Err(USAGE.into()),
    }
}

/// `ROWS rows, SECONDS s`, as `scripts/bench` reads it.
fn said(rows: u64, best: Duration) -> String {
    format!("{rows} rows, {:.3} s", best.as_secs_f64())
}
