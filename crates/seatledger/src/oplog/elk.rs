//! Sending entries to ELK: one JSON document a request over a connection that is kept, or many with Elasticsearch's
//! `_bulk`. While the receiver does not answer, entries wait, and what finds no room is dropped and counted.

use super::console::document;
use super::queue::Queue;
use super::settings::{ElkSettings, Origin};
use super::{Entry, Level, OpLog, clean};
use anyhow::Context;
use serde_json::Value;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// Documents of one `_bulk` request at most.
const BULK: usize = 500;
/// How long a connection is kept without a request: the service says something once a minute, if at all.
const KEPT: Duration = Duration::from_secs(90);
/// What is read of an answer at most, in bytes: the connection of a longer one is not kept.
const ANSWER: u64 = 1 << 20;

/// Sends entries.
pub(super) struct Sender {
    agent: ureq::Agent,
    url: String,
    bulk: bool,
    origin: Origin,
    pause: Duration,
}

/// Why entries were not taken.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    /// The receiver cannot be reached, or cannot take any now: to be tried again.
    Away(String),
    /// The receiver does not want so many of these.
    Refused(usize, String),
}

impl Sender {
    /// A sender to the receiver that the settings describe. Nothing is sent yet.
    pub(super) fn new(settings: &ElkSettings, origin: Origin) -> anyhow::Result<Self> {
        let mut tls = TlsConfig::builder().disable_verification(!settings.verify_ssl);
        if let Some(path) = &settings.ca_file {
            let pem = std::fs::read(path)
                .with_context(|| format!("failed to read [elk] ca_file {}", path.display()))?;
            tls =
                tls.root_certs(RootCerts::new_with_certs(&certificates(&pem).with_context(|| {
                    format!("[elk] ca_file {} holds no certificate in PEM", path.display())
                })?));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(settings.timeout))
            .max_idle_age(KEPT)
            .tls_config(tls.build())
            .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let bulk_url = || format!("{}/_bulk", settings.url.trim_end_matches('/'));
        let wants_bulk = settings.bulk && !settings.url.ends_with("/_bulk");
        let url = if wants_bulk { bulk_url() } else { settings.url.clone() };
        Ok(Self { agent, url, bulk: settings.bulk, origin, pause: settings.pause })
    }

    /// Sends what comes until the queue is closed. The first failure of a stretch is told on the console, and its end.
    pub(super) fn run(&self, queue: &Queue<Arc<Entry>>, log: &OpLog) {
        let mut failing = false;
        let most = if self.bulk { BULK } else { 1 };
        while let Some(batch) = queue.take(most) {
            let mut pause = self.pause;
            loop {
                let failure = self.send(&batch).err();
                match &failure {
                    None if failing => say(log, Level::Info, "ELK takes log entries again", queue, None),
                    Some(failure) if !failing => {
                        say(log, Level::Warn, "ELK does not take log entries", queue, Some(failure));
                    }
                    _ => {}
                }
                failing = failure.is_some();
                match failure {
                    None => break,
                    Some(Failure::Refused(count, _)) => {
                        queue.drop_items(count);
                        break;
                    }
                    Some(Failure::Away(_)) if queue.pause(pause) => {
                        pause = (pause * 2).min(self.pause * 30);
                    }
                    Some(Failure::Away(_)) => {
                        queue.give_up(batch.len());
                        break;
                    }
                }
            }
        }
    }

    fn send(&self, batch: &[Arc<Entry>]) -> Result<(), Failure> {
        let mut body = String::new();
        for entry in batch {
            let document = document(entry, &self.origin).to_string();
            if self.bulk {
                body.push_str("{\"create\":{}}\n");
                body.push_str(&document);
                body.push('\n');
            } else {
                body = document;
            }
        }
        let kind = if self.bulk { "application/x-ndjson" } else { "application/json" };
        let mut answer = self
            .agent
            .post(&self.url)
            .content_type(kind)
            .send(body)
            .map_err(|error| Failure::Away(error.to_string()))?;
        let mut text = String::new();
        // Only what is read to its end leaves a connection that can be kept. Whether it is text matters to `_bulk` alone.
        let read = answer.body_mut().as_reader().take(ANSWER).read_to_string(&mut text);
        let status = answer.status();
        match status.as_u16() {
            200..=299 if self.bulk => {
                read.map_err(|error| Failure::Away(error.to_string()))?;
                taken(&text, batch.len())
            }
            200..=299 => Ok(()),
            429 | 500..=599 => Err(Failure::Away(format!("HTTP status {status}"))),
            _ => Err(Failure::Refused(batch.len(), format!("HTTP status {status}"))),
        }
    }
}

/// The certificates in a PEM text; `None` where there is none.
fn certificates(pem: &[u8]) -> Option<Vec<Certificate<'static>>> {
    let found: Vec<_> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    Some(found).filter(|found| !found.is_empty())
}

/// What the answer to `_bulk` says of its documents.
fn taken(answer: &str, sent: usize) -> Result<(), Failure> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    if answer["errors"] != Value::Bool(true) {
        return Ok(());
    }
    let outcomes = answer["items"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let faults: Vec<&Value> = outcomes
        .flat_map(serde_json::Map::values)
        .filter(|outcome| outcome["status"].as_u64().is_none_or(|status| status >= 300))
        .map(|outcome| &outcome["error"])
        .collect();
    let first = faults.first().map(|fault| fault["type"].as_str().unwrap_or("error").to_owned());
    Err(Failure::Refused(faults.len().min(sent), first.unwrap_or_else(|| "errors".to_owned())))
}

fn say(log: &OpLog, level: Level, message: &str, queue: &Queue<Arc<Entry>>, failure: Option<&Failure>) {
    let mut details = Vec::new();
    if let Some(Failure::Away(text) | Failure::Refused(_, text)) = failure {
        details.push(clean(&format!("error={text}")));
    }
    details.push(format!("dropped={}", queue.dropped()));
    log.say_locally(level, message, details);
}
