//! The central service, as its interface is reached.

use super::super::live::Trouble;
use crate::config::ForwardConfig;
use crate::trust;
use serde::Deserialize;
use std::time::Duration;
use store::forward::WaitingPart;
use store::sources::SiteSources;

/// The addresses of events and of states of sources below that of a service.
const EVENTS: &str = "/api/v1/events";
const SOURCES: &str = "/api/v1/sources";
/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// Where the token is if the configuration says nothing of it.
const TOKEN: &str = "SEATLEDGER_FORWARD_TOKEN";
/// How much of an answer is read.
const ANSWER: u64 = 1 << 20;

/// The central service; nothing is opened before something is posted.
pub(super) struct Central {
    config: ForwardConfig,
    agent: ureq::Agent,
    /// What people call this site, as it stands in a body.
    site: String,
}

/// What it says of a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    pub(super) accepted: usize,
    #[serde(default)]
    pub(super) refused: Vec<Refused>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) reason: String,
    /// The number of the part that it awaits.
    #[serde(default)]
    pub(super) awaits: Option<u64>,
}

/// Why a post was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotHeard {
    /// Nobody answers.
    Away(String),
    /// It has too much to do: not before so long.
    Busy { why: String, after: Duration },
    /// It has taken another part of the first one's number: what it says of it.
    Diverged(String),
    /// Somebody must do something about it.
    Refused(Trouble),
}

impl Central {
    pub(super) fn new(config: &ForwardConfig) -> Result<Self, Trouble> {
        let tls = trust::tls(config.ca_file.as_deref())
            .map_err(|error| Trouble::new(format!("{error:#}"), "correct ca_file in [forward]"))?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(config.timeout))
            .tls_config(tls)
            .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let site = serde_json::Value::from(super::site(config)).to_string();
        Ok(Self { config: config.clone(), agent, site })
    }

    /// Posts parts; without any it says whether they would be taken.
    pub(super) fn post(&self, parts: &[WaitingPart], after_gap: bool) -> Result<Answer, NotHeard> {
        let bytes: usize = parts.iter().map(|part| part.body.len() + 1).sum();
        let mut body = String::with_capacity(bytes + self.site.len() + 40);
        body.push_str("{\"site\":");
        body.push_str(&self.site);
        body.push_str(if after_gap { ",\"after_gap\":true,\"parts\":[" } else { ",\"parts\":[" });
        for (nth, part) in parts.iter().enumerate() {
            body.push_str(if nth > 0 { "," } else { "" });
            body.push_str(&part.body);
        }
        body.push_str("]}");
        let (status, text) = self.send(EVENTS, body)?;
        serde_json::from_str(&text).map_err(|_| NotHeard::Refused(no_service(status)))
    }

    /// Tells how the sources of this site are.
    pub(super) fn tell(&self, sources: &SiteSources) -> Result<(), NotHeard> {
        self.send(SOURCES, serde_json::json!(sources).to_string()).map(drop)
    }

    /// Posts a body; the status and the text of an answer that says it was taken.
    fn send(&self, path: &str, body: String) -> Result<(u16, String), NotHeard> {
        let url = format!("{}{path}", self.config.url);
        let mut request = self.agent.post(url).header("content-type", "application/json");
        if let Some(token) = self.token().map_err(NotHeard::Refused)? {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.send(body).map_err(|error| NotHeard::Away(error.to_string()))?;
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        let after = Duration::from_secs(after.and_then(|value| value.parse().ok()).unwrap_or_default());
        let status = response.status().as_u16();
        let text = response.body_mut().with_config().limit(ANSWER).read_to_string();
        let text = text.map_err(|error| NotHeard::Away(error.to_string()))?;
        match status {
            200..=299 => Ok((status, text)),
            _ => Err(self.not_heard(status, &text, after)),
        }
    }

    fn token(&self) -> Result<Option<String>, Trouble> {
        let Some(secret) = &self.config.token else {
            return Ok(std::env::var(TOKEN).ok().filter(|token| !token.is_empty()));
        };
        let read = secret.read().map(Some);
        read.map_err(|error| Trouble::new(format!("the token cannot be read: {error}"), "correct token_file"))
    }

    fn not_heard(&self, status: u16, text: &str, after: Duration) -> NotHeard {
        let said: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let Some(said) = said["error"].as_str() else {
            // A proxy, or something else that listens there.
            return match status {
                408 | 425 | 429 | 500..=599 => NotHeard::Busy { why: format!("HTTP status {status}"), after },
                _ => NotHeard::Refused(no_service(status)),
            };
        };
        let why = format!("{status} {said}");
        match status {
            408 | 425 | 429 | 500..=599 => NotHeard::Busy { why, after },
            409 => NotHeard::Diverged(said.to_owned()),
            401 | 403 => NotHeard::Refused(Trouble::new(
                format!("the central service refuses: {why}"),
                format!(
                    "make a token there with `seatledger token add NAME --site {}`, and put it into token_file of [forward] \
                     or into {TOKEN}",
                    self.site
                ),
            )),
            413 => NotHeard::Refused(Trouble::new(
                format!("a part is too large for the central service: {why}"),
                "let whatever stands before it take bodies of 64 MiB",
            )),
            400 => NotHeard::Refused(Trouble::new(
                format!("the central service does not understand: {why}"),
                "bring both services to one version; what is taken in waits here",
            )),
            _ => NotHeard::Refused(Trouble::new(
                format!("{}: {why}", self.config.shown()),
                "correct url in [forward], or look into the central service's log",
            )),
        }
    }
}

fn no_service(status: u16) -> Trouble {
    Trouble::new(
        format!("who answers there is no Seatledger (HTTP status {status})"),
        "correct url in [forward]: the address of the central service, with the path under which a proxy passes it on",
    )
}
