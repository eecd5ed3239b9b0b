//! Writes a generated log: `generate flexnet --size 200MB [--noise] [--seed N] -o FILE`.

use benches::flexnet_log::{self, Shape};
use std::env;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: generate flexnet --size 200MB [--noise] [--seed N] -o FILE";

struct Wanted {
    shape: Shape,
    file: String,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let written = wanted(env::args().skip(1)).and_then(|wanted| {
        let file =
            File::create(&wanted.file).map_err(|error| format!("cannot write {}: {error}", wanted.file))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        flexnet_log::write(&wanted.shape, &mut out)
            .and_then(|written| out.flush().map(|()| written))
            .map_err(|error| format!("cannot write {}: {error}", wanted.file))
    });
    match written {
        Ok(written) => {
            println!("{written:?}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut shape = match arguments.next().as_deref() {
        Some("flexnet") => Shape::dense(200_000_000),
        Some("ledger") => Shape::ledger(),
        _ => return Err(USAGE.to_owned()),
    };
    let mut file = None;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value; {USAGE}"));
        match argument.as_str() {
            "--size" => shape.bytes = size(&value()?)?,
            "--seed" => shape.seed = value()?.parse().map_err(|_| USAGE.to_owned())?,
            "--noise" => shape.slog_noise = true,
            "-o" => file = Some(value()?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(Wanted { shape, file: file.ok_or(USAGE)? })
}

/// `200MB`, `1GB`, `64KB` or a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("", 1)];
    units
        .iter()
        .find_map(|(unit, bytes)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*bytes))
        .ok_or_else(|| format!("`{text}` is no size: 200MB, 1GB or a number of bytes"))
}
