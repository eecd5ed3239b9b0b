//! The section `[http]`.

use super::document::{Entry, Wrong};
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::PathBuf;

/// How the service is reached, and what it takes from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpConfig {
    /// Where it listens: `ADDRESS:PORT`.
    pub(crate) listen: Option<String>,
    /// The segments of the path under which a proxy passes requests on.
    pub(crate) base_path: Vec<String>,
    /// With what it proves who it is; without, it speaks plain HTTP.
    pub(crate) tls: Option<TlsConfig>,
    /// The proxies whose word on a client's address is taken.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// How many connections it holds at once.
    pub(crate) max_connections: usize,
    /// From where pings are taken; from everywhere where there is none.
    pub(crate) ping_networks: Vec<IpNet>,
    /// What of a bucket a ping takes.
    pub(crate) ping_scope: PingScope,
    /// How many pings of one address are taken in a minute.
    pub(crate) pings_per_minute: Option<u32>,
}

/// The files of a certificate and of its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsConfig {
    /// The certificate, and those that vouch for it.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// What of a bucket a ping takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PingScope {
    /// A person has one feature in a bucket, the first.
    Person,
    /// A person may have several features in a bucket.
    PersonAndFeature,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: None,
            base_path: Vec::new(),
            tls: None,
            trusted_proxies: Vec::new(),
            max_connections: 4096,
            ping_networks: Vec::new(),
            ping_scope: PingScope::Person,
            pings_per_minute: None,
        }
    }
}

impl HttpConfig {
    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let mut http = Self::default();
        for entry in section.table()? {
            match entry.key() {
                "listen" => http.listen = Some(listen(&entry)?),
                "base_path" => http.base_path = path(&entry)?,
                "tls" => http.tls = Some(tls(&entry)?),
                "trusted_proxies" => http.trusted_proxies = networks(&entry)?,
                "max_connections" => http.max_connections = entry.whole_number(1, 1_000_000)? as usize,
                "ping" => http.ping(&entry)?,
                _ => {
                    let known = ["listen", "base_path", "tls", "trusted_proxies", "max_connections", "ping"];
                    return Err(entry.unknown_key(&known));
                }
            }
        }
        Ok(http)
    }

    fn ping(&mut self, section: &Entry<'_>) -> Result<(), Wrong> {
        let scopes = [("person", PingScope::Person), ("person_and_feature", PingScope::PersonAndFeature)];
        for entry in section.table()? {
            match entry.key() {
                "networks" => self.ping_networks = networks(&entry)?,
                "bucket_scope" => self.ping_scope = entry.one_of(&scopes)?,
                "per_minute" => self.pings_per_minute = Some(entry.whole_number(1, 1_000_000)? as u32),
                _ => return Err(entry.unknown_key(&["networks", "bucket_scope", "per_minute"])),
            }
        }
        Ok(())
    }
}

fn listen(entry: &Entry<'_>) -> Result<String, Wrong> {
    let text = entry.filled_text()?;
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(text),
        _ => Err(entry.wrong(format!(
            "`{text}` is no address to listen on: write ADDRESS:PORT, such as 127.0.0.1:8088"
        ))),
    }
}

fn path(entry: &Entry<'_>) -> Result<Vec<String>, Wrong> {
    let text = entry.text()?;
    if text.contains(|letter: char| letter.is_whitespace() || "?#%\\".contains(letter)) {
        return Err(entry.wrong(format!("`{text}` is no path: write one such as \"/measurement\"")));
    }
    Ok(text.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect())
}

fn tls(section: &Entry<'_>) -> Result<TlsConfig, Wrong> {
    let (mut certificate, mut key) = (None, None);
    for entry in section.table()? {
        match entry.key() {
            "certificate" => certificate = Some(entry.filled_text()?.into()),
            "key" => key = Some(entry.filled_text()?.into()),
            _ => return Err(entry.unknown_key(&["certificate", "key"])),
        }
    }
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(TlsConfig { certificate, key }),
        _ => {
            Err(section
                .wrong("`tls` needs both, certificate and key, each the path of a PEM file".to_owned()))
        }
    }
}

fn networks(entry: &Entry<'_>) -> Result<Vec<IpNet>, Wrong> {
    let network =
        |text: &str| text.parse::<IpNet>().ok().or_else(|| Some(text.parse::<IpAddr>().ok()?.into()));
    let wrong = |text: &str| format!("`{text}` is no network: write one such as 10.0.0.0/8 or 192.0.2.7");
    entry
        .texts()?
        .into_iter()
        .map(|(text, at)| network(&text).ok_or_else(|| Wrong::new(at, wrong(&text))))
        .collect()
}
