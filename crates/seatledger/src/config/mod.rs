//! The configuration, `seatledger.toml`: it only describes. A key that is not known, or a value that is not right, is
//! refused with the file, the line and what would be right.
//!
//! ```toml
//! db = "sqlite:seatledger.db"        # else postgres://…; --db and SEATLEDGER_DB win over it
//! timezone = "Europe/Zurich"         # of the calendar, and of inputs that say none
//!
//! [calendar]
//! working_days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
//!
//! [calendar.holidays]
//! "2025-01-01" = "New Year"
//!
//! [calendar.classes]                 # together they cover the week, without gap or overlap
//! prime = ["Mon-Fri 08:00-19:00"]
//! night = ["Mon-Fri 19:00-08:00", "Sat,Sun 00:00-24:00"]
//!
//! [http]                             # the service: see docs/service.md
//! listen = "127.0.0.1:8088"
//! ping.networks = ["10.0.0.0/8"]
//!
//! [heartbeats]
//! interval = 10                      # minutes
//!
//! [[server]]                         # what a license server is called, and the zone of its logs
//! name = "27000@lic1"
//! aliases = ["27000@lic1.example.com", "lic1"]
//! timezone = "Europe/Zurich"
//!
//! [[source]]                         # what the service takes in live: see docs/sources.md
//! kind = "follow"
//! path = "/var/log/flexlm/debug.log"
//! ```
//!
//! A stretch of a class is a time of the day, `08:00-19:00`, on every day or on the days before it: one (`Mon`), a span
//! (`Mon-Fri`, also `Sat-Mon`) or several (`Mon,Wed-Thu`). One that ends before it begins goes on past midnight, into
//! the day after: `Fri 19:00-08:00` ends on Saturday morning. `00:00-24:00` is the whole day.

mod alert;
mod calendar;
mod document;
mod elk;
mod forward;
mod heartbeats;
mod http;
mod ini;
mod log;
mod login;
mod old_logger;
mod old_service;
mod privacy;
mod source;
pub(crate) mod stretch;
mod views;

#[cfg(test)]
mod tests;

pub(crate) use alert::{AlertConfig, AlertsConfig, Receiver, Shape, SmtpConfig, SmtpTls, WebhookConfig};
pub(crate) use calendar::CalendarConfig;
pub(crate) use document::right_name;
pub(crate) use elk::ElkConfig;
pub(crate) use forward::ForwardConfig;
pub(crate) use heartbeats::HeartbeatsConfig;
pub(crate) use http::{HttpConfig, PingScope, TlsConfig};
pub(crate) use log::{ConsoleFace, LogConfig};
pub(crate) use login::{GivenRole, OpenIdConfig, is_safe_address};
pub(crate) use old_service::import;
pub(crate) use privacy::{PrivacyConfig, Retention};
pub(crate) use source::{
    CsvLogConfig, FollowConfig, Followed, Listen, PollCommand, PollConfig, PollFormat, SourceConfig,
    SourceKind, SyslogConfig,
};
pub(crate) use views::{OldTable, Winterthur};

use accounting::calendar::Calendar;
use accounting::privacy::Identity;
use anyhow::Context as _;
use document::{Document, Entry, Wrong};
use std::path::Path;

/// Where the configuration is looked for if nobody says where it is.
pub(crate) const DEFAULT_PATH: &str = "seatledger.toml";

/// What the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Config {
    /// The database, as `--db` takes it.
    pub(crate) db: Option<String>,
    /// The IANA name of the time zone.
    pub(crate) timezone: Option<String>,
    /// Classes, working days and holidays.
    pub(crate) calendar: Option<CalendarConfig>,
    /// How the service is reached, and what it takes from whom.
    pub(crate) http: HttpConfig,
    /// How heartbeats are counted.
    pub(crate) heartbeats: HeartbeatsConfig,
    /// What is kept of persons.
    pub(crate) privacy: PrivacyConfig,
    /// What is known of license servers.
    pub(crate) servers: Vec<ServerConfig>,
    /// What the service takes in live.
    pub(crate) sources: Vec<SourceConfig>,
    /// The operational log on this machine.
    pub(crate) log: LogConfig,
    /// The receiver of the operational log.
    pub(crate) elk: Option<ElkConfig>,
    /// Who is told what, when.
    pub(crate) alerts: AlertsConfig,
    /// The central service that is told what is taken in here.
    pub(crate) forward: Option<ForwardConfig>,
    /// The provider of OpenID Connect by which people log in.
    pub(crate) openid: Option<OpenIdConfig>,
    /// The views under the names of the service before this one.
    pub(crate) winterthur: Option<Winterthur>,
    /// The file that says so, where there is one: for messages.
    pub(crate) file: Option<String>,
}

/// What is known of a license server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServerConfig {
    /// Its name in reports.
    pub(crate) name: String,
    /// What logs call it besides.
    pub(crate) aliases: Vec<String>,
    /// The IANA name of the zone of its logs.
    pub(crate) timezone: Option<String>,
}

/// What can stand outermost.
const KNOWN: [&str; 16] = [
    "alert",
    "smtp",
    "webhook",
    "db",
    "timezone",
    "calendar",
    "http",
    "heartbeats",
    "privacy",
    "server",
    "source",
    "log",
    "elk",
    "forward",
    "login",
    "views",
];

impl Config {
    /// The configuration in the file; without a path that of [`DEFAULT_PATH`] where it exists, else an empty one.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        let default = Path::new(DEFAULT_PATH);
        let path = match path {
            Some(path) => path,
            None if default.exists() => default,
            None => return Ok(Self::default()),
        };
        let file = path.display().to_string();
        let bytes =
            std::fs::read(path).with_context(|| format!("failed to read the configuration {file}"))?;
        Self::of_bytes(&bytes, &file)
    }

    /// The calendar that it describes: what it leaves open is as in the standard calendar, the zone `default_zone`.
    pub(crate) fn calendar(&self, default_zone: &str) -> anyhow::Result<Calendar> {
        let zone = self.timezone.as_deref().unwrap_or(default_zone);
        let Some(calendar) = &self.calendar else { return Ok(Calendar::standard(zone)?) };
        calendar.calendar(zone).map_err(|error| match (&self.file, calendar.classes_line) {
            (Some(file), Some(line)) => anyhow::Error::msg(format!("{file}:{line}: {error}")),
            _ => error.into(),
        })
    }

    /// The calendar that is in force with this configuration: its own where it has `[calendar]`, else the ledger's `own`, in the
    /// zone of the configuration where that says one. A ledger that has none yet gets the configuration's.
    pub(crate) fn calendar_over(
        &self,
        own: Option<Calendar>,
        default_zone: &str,
    ) -> anyhow::Result<Calendar> {
        match (own, &self.calendar, &self.timezone) {
            (Some(own), None, None) => Ok(own),
            (Some(own), None, Some(zone)) => Ok(own.in_zone(zone)?),
            (_, Some(_), _) | (None, ..) => self.calendar(default_zone),
        }
    }

    /// The file of which the calendar wins over the ledger's.
    pub(crate) fn calendar_file(&self) -> Option<String> {
        self.calendar.as_ref().and_then(|_| self.file.clone())
    }

    fn of_bytes(bytes: &[u8], file: &str) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].split(|&byte| byte == b'\n').count();
            anyhow::Error::msg(format!("{file}:{line}: this is not UTF-8: save the file as UTF-8"))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::of(text)
            .map_err(|wrong| anyhow::Error::msg(format!("{file}:{}: {}", wrong.line(text), wrong.message)))
            .map(|config| Self { file: Some(file.to_owned()), ..config })
    }

    fn of(text: &str) -> Result<Self, Wrong> {
        let document = Document::parse(text)?;
        let mut config = Self::default();
        let (mut alerts, mut smtp, mut webhooks, mut forward, mut login) = (None, None, None, None, None);
        for entry in document.entries() {
            match entry.key() {
                "db" => config.db = Some(entry.filled_text()?),
                "timezone" => config.timezone = Some(entry.zone()?),
                "calendar" => config.calendar = Some(CalendarConfig::of(&entry, text)?),
                "http" => config.http = HttpConfig::of(&entry)?,
                "heartbeats" => config.heartbeats = HeartbeatsConfig::of(&entry)?,
                "privacy" => config.privacy = PrivacyConfig::of(&entry)?,
                "server" => config.servers = servers(&entry)?,
                "source" => config.sources = source::sources(&entry, text)?,
                "log" => config.log = LogConfig::of(&entry)?,
                "elk" => config.elk = Some(ElkConfig::of(&entry)?),
                "forward" => {
                    config.forward = Some(ForwardConfig::of(&entry)?);
                    forward = Some(entry);
                }
                "login" => {
                    config.openid = login::login(&entry)?;
                    login = Some(entry);
                }
                "views" => config.winterthur = Winterthur::of_views(&entry)?,
                "alert" => alerts = Some(entry),
                "smtp" => smtp = Some(entry),
                "webhook" => webhooks = Some(entry),
                _ => return Err(entry.unknown_key(&KNOWN)),
            }
        }
        if let (Some(section), Identity::Organization) = (forward, config.privacy.identity) {
            let why = "identity = \"organization\" keeps no sessions of license servers, so that there is nothing to forward: \
                       write identity = \"pseudonymous\", or take [forward] out";
            return Err(section.wrong_key(why.to_owned()));
        }
        if let (Some(section), Some(openid)) = (login, &config.openid)
            && openid.path() != config.http.base_path
        {
            return Err(section.wrong_key(format!(
                "the path of url in [login.openid] must be base_path of [http], which is `/{}`: browsers come back there",
                config.http.base_path.join("/")
            )));
        }
        // Whoever is told is looked up among the ways, wherever they stand.
        config.alerts = AlertsConfig::of(alerts.as_ref(), smtp.as_ref(), webhooks.as_ref(), text)?;
        Ok(config)
    }
}

fn servers(entry: &Entry<'_>) -> Result<Vec<ServerConfig>, Wrong> {
    let mut servers: Vec<ServerConfig> = Vec::new();
    for table in entry.tables("server")? {
        let mut server = ServerConfig::default();
        let mut name = None;
        for entry in table.entries() {
            match entry.key() {
                "name" => name = Some((entry.filled_text()?, entry)),
                "aliases" => server.aliases = entry.texts()?.into_iter().map(|(alias, _)| alias).collect(),
                "timezone" => server.timezone = Some(entry.zone()?),
                _ => return Err(entry.unknown_key(&["name", "aliases", "timezone"])),
            }
        }
        let Some((name, entry)) = name else {
            return Err(table.wrong("a [[server]] needs a name, such as name = \"27000@lic1\"".to_owned()));
        };
        if servers.iter().any(|other| other.name == name) {
            return Err(entry.wrong(format!("there is a [[server]] `{name}` already: put both into one")));
        }
        server.name = name;
        servers.push(server);
    }
    Ok(servers)
}
