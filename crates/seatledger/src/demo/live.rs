//! The days after the year, which go by while it is served: the license servers go on writing their logs, twenty times as fast as in
//! life.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

/// How long a minute of the company takes.
const MINUTE: Duration = Duration::from_secs(3);

/// What a license server goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Live {
    /// The name of the file within the demo's directory.
    pub(super) name: String,
    /// Its text, minute by minute.
    pub(super) minutes: Vec<Vec<u8>>,
}

/// Writes what the servers go on with into files below the directory where it is called, on a thread that ends with the
/// process, or when they have nothing left to say.
pub(crate) fn play(servers: Vec<Live>) {
    thread::spawn(move || {
        for minute in 0..servers.iter().map(|server| server.minutes.len()).max().unwrap_or_default() {
            for Live { name, minutes } in &servers {
                let text = minutes.get(minute).map_or(&[][..], Vec::as_slice);
                if let Err(error) = append(name, text) {
                    // The followers tell of what is missing, too.
                    let _ = writeln!(io::stderr().lock(), "seatledger: cannot write {name}: {error}");
                    return;
                }
            }
            thread::sleep(MINUTE);
        }
    });
}

fn append(path: &str, text: &[u8]) -> io::Result<()> {
    if text.is_empty() {
        Ok(())
    } else {
        OpenOptions::new().create(true).append(true).open(path)?.write_all(text)
    }
}
