//! Where events are told: a service, or the machine's syslog.

use formats::events::Told;
use serde::Deserialize;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// How long a service may take to connect, and to answer.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(10);
/// How long the end of a run may take to be told: its user waits.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Where the machine's syslog listens.
const SYSLOG: &str = "/dev/log";
/// The address of events below that of a service.
const PATH: &str = "/api/v1/events";

/// Whom to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A service at this address.
    Service(String),
    /// The machine's own syslog.
    Syslog,
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "syslog" => Ok(Self::Syslog),
            _ if text.starts_with("http://") || text.starts_with("https://") => {
                Ok(Self::Service(text.trim_end_matches('/').to_owned()))
            }
            _ => {
                Err(format!("`{text}`: write the address of a service, such as http://seats:8088, or syslog"))
            }
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(url) => out.write_str(url),
            Self::Syslog => out.write_str("syslog"),
        }
    }
}

/// Why events could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// Nobody answers: they stay in the spool.
    Away(String),
    /// Who answers does not want them for a reason that somebody must do something about: they stay in the spool.
    Refused(String),
}

impl std::fmt::Display for Unheard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(why) => write!(out, "nobody answers ({why})"),
            Self::Refused(why) => write!(out, "it is refused ({why})"),
        }
    }
}

/// The way to a target.
pub(crate) struct Way {
    target: Target,
    token: Option<String>,
    agent: ureq::Agent,
}

/// What a service answers.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    #[serde(default)]
    refused: Vec<RefusedEvent>,
    #[serde(default)]
    error: String,
}

#[derive(Debug, Deserialize)]
struct RefusedEvent {
    reason: String,
}

impl Way {
    /// The way to a target; nothing is opened yet.
    pub(crate) fn new(target: Target, token: Option<String>) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .max_idle_connections(0)
            .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { target, token, agent }
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Tells events. What a service says it will never take counts as told: the reasons come back.
    pub(super) fn tell(&self, events: &[Told], is_last: bool) -> Result<Vec<String>, Unheard> {
        match &self.target {
            Target::Service(url) => self.post(url, events, is_last),
            Target::Syslog => log(events).map(|()| Vec::new()),
        }
    }

    fn post(&self, url: &str, events: &[Told], is_last: bool) -> Result<Vec<String>, Unheard> {
        let lines: Vec<String> = events.iter().map(Told::to_line).collect();
        let body = format!("{{\"events\":[{}]}}", lines.join(","));
        let mut request = self.agent.post(format!("{url}{PATH}")).header("content-type", "application/json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let within = if is_last { LAST_WORD } else { ANSWER };
        let request = request.config().timeout_global(Some(within)).build();
        let mut response = request.send(body).map_err(|error| Unheard::Away(error.to_string()))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().unwrap_or_default();
        let answer: Answer = serde_json::from_str(&text).unwrap_or_default();
        match status {
            200..=299 => Ok(answer.refused.into_iter().map(|refused| refused.reason).collect()),
            408 | 425 | 429 | 500..=599 => Err(Unheard::Away(format!("{status} {}", answer.error))),
            401 | 403 => Err(Unheard::Refused(format!(
                "{status} {}: give --token, of `seatledger token add NAME --events`",
                answer.error
            ))),
            _ => Err(Unheard::Refused(format!("{status} {}", answer.error))),
        }
    }
}

/// Writes the records of wrapper scripts, as `logger` would. Of a run syslog is told the start and the end.
fn log(events: &[Told]) -> Result<(), Unheard> {
    let away = |error: std::io::Error| Unheard::Away(format!("{SYSLOG}: {error}"));
    let socket = UnixDatagram::unbound().map_err(away)?;
    socket.connect(SYSLOG).map_err(away)?;
    let zone = jiff::tz::TimeZone::system();
    for record in events.iter().filter_map(|told| formats::wrapper::syslog_line(told, &zone)) {
        socket.send(record.as_bytes()).map_err(away)?;
    }
    Ok(())
}
