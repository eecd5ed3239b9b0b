//! `[[source]] kind = "syslog"`: messages that other machines send.

use super::super::document::{Entry, Table, Wrong};
use super::unknown;

const KEYS: [&str; 3] = ["listen", "server", "timezone"];
/// The license server that records of wrapper scripts are of.
const SERVER: &str = "wrapper";

/// A listener for syslog messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyslogConfig {
    /// Where it listens.
    pub(crate) listen: Vec<Listen>,
    /// What stands for the license server of the records.
    pub(crate) server: String,
    /// The IANA name of the zone of the senders' clocks.
    pub(crate) timezone: Option<String>,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listen {
    /// A message a datagram.
    Udp(String),
    /// Messages in a stream, framed as RFC 6587 says.
    Tcp(String),
}

impl std::fmt::Display for Listen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Udp(address) => write!(out, "udp://{address}"),
            Self::Tcp(address) => write!(out, "tcp://{address}"),
        }
    }
}

impl SyslogConfig {
    /// The keys of a section.
    pub(super) fn of(table: &Table<'_>, entries: &[Entry<'_>]) -> Result<Self, Wrong> {
        let (mut listen, mut server, mut timezone) = (Vec::new(), SERVER.to_owned(), None);
        for entry in entries {
            match entry.key() {
                "listen" => {
                    for (text, at) in entry.texts()? {
                        listen.push(address(&text).ok_or_else(|| Wrong::new(at, wrong(&text)))?);
                    }
                }
                "server" => server = entry.filled_text()?,
                "timezone" => timezone = Some(entry.zone()?),
                _ => return Err(unknown(entry, &KEYS)),
            }
        }
        if listen.is_empty() {
            return Err(table.wrong(
                "a syslog [[source]] needs listen = [\"udp://127.0.0.1:5514\", \"tcp://127.0.0.1:5514\"], or one of them"
                    .to_owned(),
            ));
        }
        Ok(Self { listen, server, timezone })
    }

    /// Where it listens, in few words.
    pub(super) fn what(&self) -> String {
        self.listen.iter().map(Listen::to_string).collect::<Vec<_>>().join(" ")
    }
}

fn address(text: &str) -> Option<Listen> {
    let (scheme, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return None;
    }
    match scheme {
        "udp" => Some(Listen::Udp(address.to_owned())),
        "tcp" => Some(Listen::Tcp(address.to_owned())),
        _ => None,
    }
}

fn wrong(text: &str) -> String {
    format!(
        "`{text}` is no address to listen on: write udp://ADDRESS:PORT or tcp://ADDRESS:PORT, such as udp://0.0.0.0:514"
    )
}
