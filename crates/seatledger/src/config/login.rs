//! The section `[login.openid]`: a provider of OpenID Connect that says who somebody is, and what they may do here.

use super::alert::{Secret, milliseconds, set_secret};
use super::document::{Entry, Wrong};
use std::path::PathBuf;

const KEYS: [&str; 12] = [
    "issuer",
    "url",
    "client_id",
    "client_secret",
    "client_secret_file",
    "scopes",
    "name_claim",
    "roles_claim",
    "roles",
    "ca_file",
    "button",
    "session",
];
/// How long a browser stays logged in where nobody says so: a working day, so that a role that is taken away is gone the
/// next morning.
const SESSION_MS: i64 = 12 * 3_600_000;
/// The shortest and the longest such time: a minute, and a week as after a password.
const SHORTEST_MS: i64 = 60_000;
const LONGEST_MS: i64 = 7 * 86_400_000;

/// What somebody may do of whom a provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GivenRole {
    /// See and change everything.
    Admin,
    /// See everything.
    Viewer,
    /// See the figures of one organization.
    Organization(String),
}

impl std::fmt::Display for GivenRole {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Admin => out.write_str("admin"),
            Self::Viewer => out.write_str("viewer"),
            Self::Organization(organization) => write!(out, "viewer of {organization}"),
        }
    }
}

/// What the configuration says of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenIdConfig {
    /// What the provider calls itself; its description is found below this address.
    pub(crate) issuer: String,
    /// The address under which browsers reach this service, without a slash at its end.
    pub(crate) url: String,
    /// What the provider calls this service.
    pub(crate) client_id: String,
    /// By what this service proves to be that one; none where the provider asks for none.
    pub(crate) client_secret: Option<Secret>,
    /// What is asked for besides `openid`.
    pub(crate) scopes: Vec<String>,
    /// The claim that says how somebody is called.
    pub(crate) name_claim: String,
    /// The claim that says what somebody is; `a.b` also is `b` within `a`.
    pub(crate) roles_claim: String,
    /// Values of that claim and what they come to here, in the order of the text.
    pub(crate) roles: Vec<(String, GivenRole)>,
    /// Certificates in PEM by which the provider's is verified, instead of those of public authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// What stands on the button of the login page.
    pub(crate) button: Option<String>,
    /// How long a browser stays logged in, in milliseconds.
    pub(crate) session_ms: i64,
}

/// The section `[login]`.
pub(super) fn login(section: &Entry<'_>) -> Result<Option<OpenIdConfig>, Wrong> {
    let mut openid = None;
    for entry in section.table()? {
        match entry.key() {
            "openid" => openid = Some(OpenIdConfig::of(&entry)?),
            _ => return Err(entry.unknown_key(&["openid"])),
        }
    }
    Ok(openid)
}

impl OpenIdConfig {
    fn of(section: &Entry<'_>) -> Result<Self, Wrong> {
        let (mut issuer, mut url, mut client_id, mut roles) = (None, None, None, Vec::new());
        let mut openid = Self::of_nothing();
        for entry in section.table()? {
            match entry.key() {
                "issuer" => issuer = Some(issuer_of(&entry)?),
                "url" => url = Some(url_of(&entry)?),
                "client_id" => client_id = Some(entry.filled_text()?),
                "client_secret" | "client_secret_file" => set_secret(&mut openid.client_secret, &entry)?,
                "scopes" => openid.scopes = scopes(&entry)?,
                "name_claim" => openid.name_claim = entry.filled_text()?,
                "roles_claim" => openid.roles_claim = entry.filled_text()?,
                "roles" => roles = roles_of(&entry)?,
                "ca_file" => openid.ca_file = Some(entry.filled_text()?.into()),
                "button" => openid.button = Some(entry.filled_text()?),
                "session" => openid.session_ms = session(&entry)?,
                _ => return Err(entry.unknown_key(&KEYS)),
            }
        }
        let needs = |what: &str, such_as: &str| {
            section.wrong_key(format!("[login.openid] needs {what}, such as {such_as}"))
        };
        let issuer = issuer.ok_or_else(|| {
            needs("the provider's address", "issuer = \"https://login.example.com/realms/work\"")
        })?;
        let url = url.ok_or_else(|| {
            needs(
                "the address under which browsers reach this service",
                "url = \"https://seats.example.com\"",
            )
        })?;
        let client_id = client_id.ok_or_else(|| {
            needs("the name under which the provider knows this service", "client_id = \"seatledger\"")
        })?;
        if roles.is_empty() {
            return Err(needs(
                "a role for somebody, else nobody could log in",
                "roles = { staff = \"viewer\" }",
            ));
        }
        Ok(Self { issuer, url, client_id, roles, ..openid })
    }

    fn of_nothing() -> Self {
        Self {
            issuer: String::new(),
            url: String::new(),
            client_id: String::new(),
            client_secret: None,
            scopes: vec!["profile".to_owned()],
            name_claim: "preferred_username".to_owned(),
            roles_claim: "roles".to_owned(),
            roles: Vec::new(),
            ca_file: None,
            button: None,
            session_ms: SESSION_MS,
        }
    }

    /// Whether browsers reach this service by HTTPS.
    pub(crate) fn is_secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Whether anybody of the provider may be an admin here.
    pub(crate) fn has_admins(&self) -> bool {
        self.roles.iter().any(|(_, role)| *role == GivenRole::Admin)
    }

    /// The segments of the path under which browsers reach this service.
    pub(super) fn path(&self) -> Vec<&str> {
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').skip(1).collect()
    }
}

/// Whether a text is an address over HTTPS, or over HTTP on this machine, where nobody listens between.
pub(crate) fn is_safe_address(url: &str) -> bool {
    let host = |rest: &str| {
        let host = rest.split('/').next().unwrap_or_default();
        let port_at = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        port_at.map_or(host, |at| &host[..at]).to_owned()
    };
    let is_right = !url.contains(|letter: char| {
        letter.is_whitespace() || letter.is_control() || "\"<>\\^`{|}#@".contains(letter)
    });
    let is_known = match url.split_once("://") {
        Some(("https", rest)) => !host(rest).is_empty(),
        Some(("http", rest)) => matches!(host(rest).as_str(), "127.0.0.1" | "localhost" | "[::1]"),
        Some(_) | None => false,
    };
    is_right && is_known
}

fn issuer_of(entry: &Entry<'_>) -> Result<String, Wrong> {
    let issuer = entry.filled_text()?;
    if is_safe_address(&issuer) && !issuer.contains('?') {
        return Ok(issuer);
    }
    Err(entry.wrong(
        "this is no address of a provider: write https://HOST or https://HOST/PATH, as it calls itself (http:// on this \
         machine only)"
            .to_owned(),
    ))
}

fn url_of(entry: &Entry<'_>) -> Result<String, Wrong> {
    let url = entry.filled_text()?;
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let is_right = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
    if !is_right || url.contains(|letter: char| letter.is_whitespace() || "?#@\\".contains(letter)) {
        return Err(entry.wrong(
            "this is no address of a service: write https://HOST or https://HOST/PATH, as browsers show it"
                .to_owned(),
        ));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn scopes(entry: &Entry<'_>) -> Result<Vec<String>, Wrong> {
    let texts = entry.texts()?;
    let is_wrong = |text: &str| {
        text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    if let Some((text, at)) = texts.iter().find(|(text, _)| is_wrong(text)) {
        return Err(Wrong::new(*at, format!("`{text}` is no scope: a scope is one word, such as \"email\"")));
    }
    Ok(texts.into_iter().map(|(text, _)| text).filter(|text| text != "openid").collect())
}

fn roles_of(section: &Entry<'_>) -> Result<Vec<(String, GivenRole)>, Wrong> {
    let role = |entry: Entry<'_>| {
        let role = match entry.text() {
            Ok(_) if entry.one_of(&[("admin", true), ("viewer", false)])? => GivenRole::Admin,
            Ok(_) => GivenRole::Viewer,
            Err(_) => organization(&entry)?,
        };
        Ok((entry.key().to_owned(), role))
    };
    section.table()?.into_iter().map(role).collect()
}

/// `{ organization = "R&D" }`: who sees that one's figures alone.
fn organization(entry: &Entry<'_>) -> Result<GivenRole, Wrong> {
    let wanted = || entry.wrong("a role is \"admin\", \"viewer\" or { organization = \"R&D\" }".to_owned());
    let mut organization = None;
    for inner in entry.table().map_err(|_| wanted())? {
        match inner.key() {
            "organization" => organization = Some(inner.filled_text()?),
            _ => return Err(inner.unknown_key(&["organization"])),
        }
    }
    organization.map(GivenRole::Organization).ok_or_else(wanted)
}

fn session(entry: &Entry<'_>) -> Result<i64, Wrong> {
    let ms = milliseconds(entry, SHORTEST_MS)?;
    if ms > LONGEST_MS {
        return Err(entry.wrong("a browser stays logged in for a week at most: write \"7d\"".to_owned()));
    }
    Ok(ms)
}

#[cfg(test)]
mod tests {
    use super::{GivenRole, SESSION_MS, is_safe_address};
    use crate::config::Config;
    use crate::config::alert::Secret;
    use crate::config::tests::wrong;

    const LEAST: &str = "[login.openid]\nissuer = \"https://login.example.com/\"\nurl = \"https://seats.example.com/\"\n\
                         client_id = \"seatledger\"\nroles = { staff = \"viewer\" }\n";

    #[test]
    fn a_provider_is_described_and_its_secret_is_hidden() {
        let text = format!(
            "{}\nclient_secret = \"s3cret\"\nscopes = [\"openid\", \"groups\"]\nroles_claim = \"realm_access.roles\"\nsession = \"8h\"\n\
             [login.openid.roles]\nadmins = \"admin\"\nlab = {{ organization = \"R&D\" }}\nstaff = \"viewer\"\n",
            LEAST.replace("roles = { staff = \"viewer\" }\n", "")
        );
        let openid =
            Config::of(&text).unwrap_or_else(|wrong| panic!("{}", wrong.message)).openid.expect("a section");
        assert_eq!(
            (openid.issuer.as_str(), openid.url.as_str()),
            ("https://login.example.com/", "https://seats.example.com"),
            "an issuer is kept to the letter"
        );
        let lab = GivenRole::Organization("R&D".to_owned());
        let expected = [("admins", GivenRole::Admin), ("lab", lab), ("staff", GivenRole::Viewer)];
        assert_eq!(openid.roles, expected.map(|(value, role)| (value.to_owned(), role)));
        assert_eq!((openid.scopes, openid.session_ms), (vec!["groups".to_owned()], 8 * 3_600_000));
        assert_eq!(openid.client_secret, Some(Secret::Here("s3cret".to_owned())));
        assert!(!format!("{:?}", openid.client_secret).contains("s3cret"));
    }

    #[test]
    fn the_example_is_right() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/openid.toml");
        let openid = Config::read(Some(path.as_ref())).unwrap().openid.expect("a section");
        assert!(openid.has_admins() && openid.is_secure());
        assert_eq!(openid.roles[2].1, GivenRole::Organization("R&D".to_owned()));
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let openid =
            Config::of(LEAST).unwrap_or_else(|wrong| panic!("{}", wrong.message)).openid.expect("a section");
        assert_eq!(
            (openid.name_claim.as_str(), openid.roles_claim.as_str()),
            ("preferred_username", "roles")
        );
        assert_eq!((openid.session_ms, openid.client_secret.is_none()), (SESSION_MS, true));
        assert!(openid.is_secure() && !openid.has_admins());
    }

    #[test]
    fn a_section_that_is_not_right_is_refused_with_what_would_be() {
        let changed = |from: &str, to: &str| wrong(&LEAST.replace(from, to));
        for (from, expected) in [
            ("issuer = \"https://login.example.com/\"\n", "needs the provider's address"),
            ("url = \"https://seats.example.com/\"\n", "needs the address under which browsers"),
            ("client_id = \"seatledger\"\n", "needs the name under which the provider"),
            ("roles = { staff = \"viewer\" }\n", "needs a role for somebody"),
        ] {
            let said = changed(from, "");
            assert!(said.starts_with("1: [login.openid] ") && said.contains(expected), "{said}");
        }
        for issuer in
            ["http://login.example.com", "login.example.com", "https://", "https://a/?b=c", "https://a b"]
        {
            let said = changed("https://login.example.com/", issuer);
            assert!(said.starts_with("2: this is no address of a provider"), "{issuer}: {said}");
        }
        assert!(changed("\"https://seats.example.com/\"", "\"seats\"").contains("no address of a service"));
        assert!(changed("\"viewer\"", "\"root\"").contains("what can stand here is admin, viewer"));
        assert!(changed("\"viewer\"", "1").contains("a role is \"admin\""));
        assert!(changed("\"viewer\"", "{ organisation = \"x\" }").contains("did you mean `organization`?"));
        assert!(wrong(&format!("{LEAST}session = \"30d\"\n")).contains("a week at most"));
        assert!(wrong(&format!("{LEAST}session = \"10s\"\n")).contains("1m at least"));
        assert!(wrong(&format!("{LEAST}scopes = [\"a b\"]\n")).contains("`a b` is no scope"));
        assert!(wrong(&format!("{LEAST}[http]\nbase_path = \"/seats\"\n")).contains("base_path"));
        assert!(wrong("[login]\nopen_id = 1\n").contains("did you mean `openid`?"));
    }

    #[test]
    fn secrets_go_over_safe_ways_alone() {
        for safe in [
            "https://a",
            "https://a:8443/b?c=d",
            "http://127.0.0.1:3000/x",
            "http://localhost",
            "http://[::1]:1/",
        ] {
            assert!(is_safe_address(safe), "{safe}");
        }
        for unsafe_ in [
            "http://a",
            "http://localhost.example.com",
            "http://127.0.0.1@a",
            "https://",
            "ftp://a",
            "a",
            "https://a b",
        ] {
            assert!(!is_safe_address(unsafe_), "{unsafe_}");
        }
    }
}
