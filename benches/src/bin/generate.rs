//! Writes a generated log: `generate KIND [--size 200MB | --events N] [--noise] [--seed N] -o FILE`.

use benches::flexnet_log::{self, Shape};
use benches::other_logs::{self, Kind, Until};
use benches::traffic::Crowd;
use std::env;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: generate flexnet|ledger|dsls|rlm|wrapper [--size 200MB | --events N] [--noise] [--seed N] \
                     -o FILE\n--noise is for flexnet; `ledger` is a FlexNet log of ten million checkouts in two years";

enum Log {
    Flexnet(Shape),
    Other(Kind, Crowd, Until),
}

struct Wanted {
    log: Log,
    file: String,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    let written = wanted(env::args().skip(1))
        .and_then(|wanted| write(&wanted).map_err(|error| format!("cannot write {}: {error}", wanted.file)));
    match written {
        Ok(written) => {
            println!("{written}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn write(wanted: &Wanted) -> io::Result<String> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&wanted.file)?);
    let written = match &wanted.log {
        Log::Flexnet(shape) => format!("{:?}", flexnet_log::write(shape, &mut out)?),
        Log::Other(kind, crowd, until) => {
            format!("{:?}", other_logs::write(*kind, *crowd, *until, &mut out)?)
        }
    };
    out.flush()?;
    Ok(written)
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let other = |kind| Log::Other(kind, Crowd::default(), Until::Bytes(200_000_000));
    let mut log = match arguments.next().as_deref() {
        Some("flexnet") => Log::Flexnet(Shape::dense(200_000_000)),
        Some("ledger") => Log::Flexnet(Shape::ledger()),
        Some("dsls") => other(Kind::Dsls),
        Some("rlm") => other(Kind::Rlm),
        Some("wrapper") => other(Kind::Wrapper),
        _ => return Err(USAGE.to_owned()),
    };
    let mut file = None;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value; {USAGE}"));
        let number = |text: String| text.parse::<u64>().map_err(|_| USAGE.to_owned());
        match (argument.as_str(), &mut log) {
            ("-o", _) => file = Some(value()?),
            ("--size", Log::Flexnet(shape)) => shape.bytes = size(&value()?)?,
            ("--size", Log::Other(_, _, until)) => *until = Until::Bytes(size(&value()?)?),
            ("--events", Log::Flexnet(shape)) => {
                (shape.bytes, shape.checkouts) = (u64::MAX, number(value()?)?.div_ceil(2));
            }
            ("--events", Log::Other(_, _, until)) => *until = Until::Events(number(value()?)?),
            ("--seed", Log::Flexnet(shape)) => shape.seed = number(value()?)?,
            ("--seed", Log::Other(_, crowd, _)) => crowd.seed = number(value()?)?,
            ("--noise", Log::Flexnet(shape)) => shape.slog_noise = true,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(Wanted { log, file: file.ok_or(USAGE)? })
}

/// `200MB`, `1GB`, `64KB` or a number of bytes.
fn size(text: &str) -> Result<u64, String> {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("", 1)];
    units
        .iter()
        .find_map(|(unit, bytes)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*bytes))
        .ok_or_else(|| format!("`{text}` is no size: 200MB, 1GB or a number of bytes"))
}
