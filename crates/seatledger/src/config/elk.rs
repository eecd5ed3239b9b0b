//! The section `[elk]`: where the operational log is sent.

use super::document::{Entry, Wrong};
use std::path::PathBuf;

const KEYS: [&str; 8] =
    ["url", "verify_ssl", "ca_file", "environment", "service", "database_service", "test_prefixes", "bulk"];

/// What the configuration says of the receiver of the operational log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ElkConfig {
    /// Where documents are posted: `http://…` or `https://…`.
    pub(crate) url: String,
    /// Whether the receiver's certificate is verified.
    pub(crate) verify_ssl: bool,
    /// A file with the certificates (PEM) by which the receiver's is verified, instead of those of public authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// What documents say of the environment, whatever the name of the database.
    pub(crate) environment: Option<String>,
    /// What documents say of the service.
    pub(crate) service: String,
    /// The name of the database service by which the environment is told, instead of the database's own.
    pub(crate) database_service: Option<String>,
    /// How the names of the databases of test environments begin.
    pub(crate) test_prefixes: Vec<String>,
    /// Whether many documents are sent in one request, as Elasticsearch's `_bulk` takes them.
    pub(crate) bulk: bool,
}

impl ElkConfig {
    /// What documents say of the service where the configuration gives no name.
    pub(crate) const SERVICE: &'static str = "seatledger";

    /// A receiver of which nothing else is said.
    pub(crate) fn of_url(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            verify_ssl: true,
            ca_file: None,
            environment: None,
            service: Self::SERVICE.to_owned(),
            database_service: None,
            test_prefixes: Vec::new(),
            bulk: false,
        }
    }

    /// The section of a text.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let (mut elk, mut has_url) = (Self::of_url(""), false);
        for entry in section.table()? {
            match entry.key() {
                "url" => (elk.url, has_url) = (url(&entry)?, true),
                "verify_ssl" => elk.verify_ssl = entry.flag()?,
                "ca_file" => elk.ca_file = Some(entry.filled_text()?.into()),
                "environment" => elk.environment = Some(entry.filled_text()?),
                "service" => elk.service = entry.filled_text()?,
                "database_service" => elk.database_service = Some(entry.filled_text()?),
                "test_prefixes" => elk.test_prefixes = prefixes(&entry)?,
                "bulk" => elk.bulk = entry.flag()?,
                _ => return Err(entry.unknown_key(&KEYS)),
            }
        }
        if !has_url {
            return Err(section.wrong_key("[elk] needs a url, such as url = \"http://elk:8080\"".to_owned()));
        }
        Ok(elk)
    }
}

fn url(entry: &Entry<'_>) -> Result<String, Wrong> {
    let url = entry.filled_text()?;
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let is_right = host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':', '?', '#']));
    if !is_right || url.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(entry.wrong(format!(
            "`{url}` is no address of a receiver: write http://HOST:PORT/PATH or https://…"
        )));
    }
    Ok(url)
}

/// An empty prefix would make all environments tests.
fn prefixes(entry: &Entry<'_>) -> Result<Vec<String>, Wrong> {
    let texts = entry.texts()?;
    if let Some((_, at)) = texts.iter().find(|(text, _)| text.trim().is_empty()) {
        return Err(Wrong::new(
            *at,
            "a prefix is empty, and every name begins with it: take it out".to_owned(),
        ));
    }
    Ok(texts.into_iter().map(|(text, _)| text).collect())
}
