//! Pings over connections that are kept, from many threads at once.

use crate::desk::Desk;
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(2);

/// A connection that is kept alive.
pub(crate) struct Line {
    stream: TcpStream,
    held: Vec<u8>,
}

impl Line {
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(STUCK))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, held: Vec::new() })
    }

    /// Asks for a path; the status of the answer.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<u16> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: here\r\n\r\n").as_bytes())?;
        self.answer()
    }

    /// Sends bytes as they are; the status of the answer.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<u16> {
        self.stream.write_all(bytes)?;
        self.answer()
    }

    fn answer(&mut self) -> io::Result<u16> {
        let end = loop {
            if let Some(end) = self.held.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more()?;
        };
        let head = String::from_utf8_lossy(&self.held[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
        let length =
            head.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        let whole = end + length.unwrap_or(0);
        while self.held.len() < whole {
            self.more()?;
        }
        self.held.drain(..whole);
        status.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn more(&mut self) -> io::Result<()> {
        let mut bytes = [0; 4096];
        match self.stream.read(&mut bytes)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.held.extend_from_slice(&bytes[..read]);
                Ok(())
            }
        }
    }
}

/// Buckets of an hour, in a zone in which none begins or ends within the next quarter of an hour: what is pinged in a test
/// falls into one bucket.
pub(crate) fn one_bucket(desk: &Desk, more: &str) {
    #[expect(clippy::disallowed_methods, reason = "the program goes by the machine's clock")]
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // In India the hours begin at half past.
    let zone = if (900..2700).contains(&(seconds % 3600)) { "UTC" } else { "Asia/Kolkata" };
    desk.write("seatledger.toml", format!("timezone = \"{zone}\"\n[heartbeats]\ninterval = 60\n{more}"));
}

/// The minutes of each user and feature.
pub(crate) fn minutes(desk: &Desk) -> BTreeMap<(String, String), i64> {
    let csv = desk.ok(&["report", "usage", "--by", "user,feature", "--format", "csv"]);
    let mut minutes = BTreeMap::new();
    for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let user = row["user"].rsplit('\\').next().unwrap().to_owned();
        let before = minutes.insert((user, row["feature"].clone()), row["usage_minutes"].parse().unwrap());
        assert_eq!(before, None, "a user and feature have one row: {row:?}");
    }
    minutes
}
