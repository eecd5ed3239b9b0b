//! Who is told, and by what way: `mail:…` through `[smtp]`, `webhook:…` through a `[[webhook]]` or to an address.

use super::super::document::{Entry, Table, Wrong, right_name};
use std::path::PathBuf;
use std::time::Duration;

/// How long a receiver may take to answer where nobody says so.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// A mail address.
    Mail(String),
    /// A `[[webhook]]` by its name, or the address of a receiver of JSON.
    Webhook(String),
}

impl std::fmt::Display for Receiver {
    /// As the configuration writes it.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mail(address) => write!(out, "mail:{address}"),
            Self::Webhook(name) => write!(out, "webhook:{name}"),
        }
    }
}

impl Receiver {
    /// The receiver of a text that the configuration has checked once.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("mail", address) => Some(Self::Mail(address.to_owned())),
            ("webhook", name) => Some(Self::Webhook(name.to_owned())),
            _ => None,
        }
    }

    /// What may be shown and logged of it: no local part of a mail address, and no more of an address than its host, for
    /// the rest of it is often a secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Mail(address) => format!("mail:…@{}", address.rsplit('@').next().unwrap_or_default()),
            Self::Webhook(name) => match name.split_once("://") {
                Some((scheme, rest)) => {
                    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
                    format!("webhook:{scheme}://{}/…", host.rsplit('@').next().unwrap_or_default())
                }
                None => format!("webhook:{name}"),
            },
        }
    }
}

/// How a connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SmtpTls {
    /// From its beginning.
    Implicit,
    /// By STARTTLS, without which nothing is sent.
    StartTls,
    /// Not at all.
    Off,
}

impl SmtpTls {
    fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::Off => 25,
        }
    }
}

/// The mail server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SmtpConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: SmtpTls,
    /// Certificates in PEM by which the server's is verified, instead of those of public authorities.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// Who the messages are from.
    pub(crate) from: String,
    pub(crate) timeout: Duration,
}

impl std::fmt::Debug for SmtpConfig {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Smtp({}:{} {:?} from {})", self.host, self.port, self.tls, self.from)
    }
}

/// Something that is nobody's business; its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Secret {
    /// As the configuration says.
    Here(String),
    /// The first line of a file, read each time that it is needed.
    File(PathBuf),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(_) => out.write_str("Secret(…)"),
            Self::File(file) => write!(out, "Secret({})", file.display()),
        }
    }
}

impl Secret {
    /// The secret itself.
    pub(crate) fn read(&self) -> std::io::Result<String> {
        match self {
            Self::Here(secret) => Ok(secret.clone()),
            Self::File(file) => {
                let text = std::fs::read_to_string(file).map_err(|error| {
                    std::io::Error::new(error.kind(), format!("{}: {error}", file.display()))
                })?;
                Ok(text.lines().next().unwrap_or_default().trim().to_owned())
            }
        }
    }
}

/// How a webhook wants its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All that is known, as one JSON object.
    Json,
    /// An adaptive card, as Microsoft Teams takes it.
    Teams,
    /// A text, as Slack and those who do as it does take it.
    Slack,
}

/// A receiver of messages over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookConfig {
    pub(crate) name: String,
    /// Where messages are posted; often a secret.
    pub(crate) url: Secret,
    pub(crate) shape: Shape,
    /// What is sent as `Authorization: Bearer …`.
    pub(crate) token: Option<Secret>,
    /// Certificates in PEM by which the receiver's is verified, instead of those of public authorities.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) timeout: Duration,
}

impl WebhookConfig {
    /// What a rule means that names an address and no webhook.
    pub(crate) fn of_url(url: &str) -> Self {
        Self {
            name: url.to_owned(),
            url: Secret::Here(url.to_owned()),
            shape: Shape::Json,
            token: None,
            ca_file: None,
            timeout: TIMEOUT,
        }
    }
}

/// The ways that there are.
pub(super) struct Ways<'w> {
    pub(super) has_smtp: bool,
    pub(super) webhooks: &'w [WebhookConfig],
}

impl Ways<'_> {
    /// The receivers of `notify`.
    pub(super) fn receivers(&self, entry: &Entry<'_>) -> Result<Vec<Receiver>, Wrong> {
        let mut receivers = Vec::new();
        for (text, at) in entry.texts()? {
            let receiver = self.receiver(&text).map_err(|why| Wrong::new(at, why))?;
            if !receivers.contains(&receiver) {
                receivers.push(receiver);
            }
        }
        if receivers.is_empty() {
            return Err(
                entry.wrong("`notify` names nobody: write notify = [\"mail:admin@example.com\"]".to_owned())
            );
        }
        Ok(receivers)
    }

    fn receiver(&self, text: &str) -> Result<Receiver, String> {
        match text.split_once(':') {
            Some(("mail", address)) => {
                if address.parse::<lettre::Address>().is_err() {
                    return Err(format!("`{address}` is no mail address: write \"mail:admin@example.com\""));
                }
                if !self.has_smtp {
                    return Err("who is told by mail needs a section [smtp] with host and from".to_owned());
                }
                Ok(Receiver::Mail(address.to_owned()))
            }
            Some(("webhook", name)) if name.contains("://") => {
                url(name)?;
                Ok(Receiver::Webhook(name.to_owned()))
            }
            Some(("webhook", name)) => {
                let known: Vec<&str> = self.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
                if known.is_empty() {
                    return Err(format!(
                        "there is no [[webhook]] `{name}`: add one with name and url, or write webhook:https://…"
                    ));
                }
                if !known.contains(&name) {
                    return Err(format!("there is no [[webhook]] `{name}`: {}", right_name(name, &known)));
                }
                Ok(Receiver::Webhook(name.to_owned()))
            }
            _ => Err(format!(
                "`{text}` is nobody: write \"mail:ADDRESS\", \"webhook:NAME\" of a [[webhook]], or \"webhook:https://…\""
            )),
        }
    }
}

/// Why a text is no address of a receiver, if it is none.
fn url(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_right = host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':', '?', '#']));
    if is_right && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Ok(());
    }
    // The address itself may be a secret.
    Err("this is no address of a receiver: write https://HOST/PATH".to_owned())
}

/// A time that a receiver may take: `"10s"`.
fn timeout(entry: &Entry<'_>) -> Result<Duration, Wrong> {
    let ms = super::rule::milliseconds(entry, 100)?;
    if ms > 120_000 {
        return Err(entry.wrong("a receiver may take two minutes at most: write \"10s\"".to_owned()));
    }
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

impl SmtpConfig {
    /// The section `[smtp]`.
    pub(super) fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        const KEYS: [&str; 9] =
            ["host", "port", "tls", "ca_file", "user", "password", "password_file", "from", "timeout"];
        let kinds = [("implicit", SmtpTls::Implicit), ("starttls", SmtpTls::StartTls), ("off", SmtpTls::Off)];
        let (mut host, mut from, mut port, mut tls, mut time) =
            (None, None, None, SmtpTls::StartTls, TIMEOUT);
        let (mut ca_file, mut user, mut password) = (None, None, None);
        for entry in section.table()? {
            match entry.key() {
                "host" => host = Some(entry.filled_text()?),
                "port" => port = Some(entry.whole_number(1, 65_535)? as u16),
                "tls" => tls = entry.one_of(&kinds)?,
                "ca_file" => ca_file = Some(entry.filled_text()?.into()),
                "user" => user = Some(entry.filled_text()?),
                "password" | "password_file" => set_secret(&mut password, &entry)?,
                "from" => from = Some(mailbox(&entry)?),
                "timeout" => time = timeout(&entry)?,
                _ => return Err(entry.unknown_key(&KEYS)),
            }
        }
        let (Some(host), Some(from)) = (host, from) else {
            return Err(section.wrong_key(
                "[smtp] needs a host and a from, such as from = \"seatledger@example.com\"".to_owned(),
            ));
        };
        if user.is_some() != password.is_some() {
            return Err(section.wrong_key(
                "[smtp] has a user and a password (or password_file), or neither of them".to_owned(),
            ));
        }
        let is_local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if password.is_some() && tls == SmtpTls::Off && !is_local {
            return Err(section.wrong_key(
                "[smtp] would send its password unprotected: write tls = \"starttls\" or \"implicit\""
                    .to_owned(),
            ));
        }
        let port = port.unwrap_or(tls.port());
        Ok(Self { host, port, tls, ca_file, user, password, from, timeout: time })
    }
}

fn mailbox(entry: &Entry<'_>) -> Result<String, Wrong> {
    let text = entry.filled_text()?;
    match text.parse::<lettre::message::Mailbox>() {
        Ok(_) => Ok(text),
        Err(_) => Err(entry.wrong(format!(
            "`{text}` is no mail address: write \"seatledger@example.com\" or \"Seatledger <seatledger@example.com>\""
        ))),
    }
}

/// `password = "…"` or `password_file = "…"`, and the like: one of the two.
pub(in crate::config) fn set_secret(secret: &mut Option<Secret>, entry: &Entry<'_>) -> Result<(), Wrong> {
    let text = entry.filled_text()?;
    let given = if entry.key().ends_with("_file") { Secret::File(text.into()) } else { Secret::Here(text) };
    if secret.replace(given).is_none() {
        return Ok(());
    }
    let name = entry.key().trim_end_matches("_file");
    Err(entry.wrong_key(format!("`{name}` and `{name}_file` say the same: leave one of them out")))
}

/// All `[[webhook]]` of a text.
pub(super) fn webhooks(section: &Entry<'_>) -> Result<Vec<WebhookConfig>, Wrong> {
    let mut webhooks: Vec<WebhookConfig> = Vec::new();
    for table in section.tables("webhook")? {
        let webhook = webhook(&table)?;
        if webhooks.iter().any(|other| other.name == webhook.name) {
            return Err(table.wrong(format!("there is a [[webhook]] `{}` already", webhook.name)));
        }
        webhooks.push(webhook);
    }
    Ok(webhooks)
}

fn webhook(table: &Table<'_>) -> Result<WebhookConfig, Wrong> {
    const KEYS: [&str; 8] = ["name", "url", "url_file", "shape", "token", "token_file", "ca_file", "timeout"];
    let shapes = [("json", Shape::Json), ("teams", Shape::Teams), ("slack", Shape::Slack)];
    let mut webhook = WebhookConfig::of_url("");
    let (mut name, mut address) = (None, None);
    for entry in table.entries() {
        match entry.key() {
            "name" => name = Some(entry.filled_text()?),
            "url" => {
                url(&entry.filled_text()?).map_err(|why| entry.wrong(why))?;
                set_secret(&mut address, &entry)?;
            }
            "url_file" => set_secret(&mut address, &entry)?,
            "shape" => webhook.shape = entry.one_of(&shapes)?,
            "token" | "token_file" => set_secret(&mut webhook.token, &entry)?,
            "ca_file" => webhook.ca_file = Some(entry.filled_text()?.into()),
            "timeout" => webhook.timeout = timeout(&entry)?,
            _ => return Err(entry.unknown_key(&KEYS)),
        }
    }
    let (Some(name), Some(address)) = (name, address) else {
        return Err(table.wrong("a [[webhook]] needs a name and a url (or url_file)".to_owned()));
    };
    if name.contains("://") {
        return Err(
            table.wrong(format!("`{name}` is an address: give the [[webhook]] a name, such as \"team\""))
        );
    }
    Ok(WebhookConfig { name, url: address, ..webhook })
}
