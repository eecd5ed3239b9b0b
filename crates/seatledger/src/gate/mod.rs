//! Who asks, and what they may.
//!
//! On a loopback listener without users, and without a proxy that anything tells of, everything is open to who is on the
//! machine. Otherwise whoever asks logs in with HTTP Basic, shows a token, or the cookie of a login in the browser.

pub(crate) mod asked;
mod attempts;
mod browser;
pub(crate) mod failure;
mod first_admin;
mod login;
pub(crate) mod openid;
pub(crate) mod readers;

pub(crate) use browser::{Guest, SESSION_MS, cookie_name};
pub(crate) use failure::Failure;

use crate::answers::Sight;
use crate::secrets::hash_of_secret;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use login::Login;
use openid::OpenId;
use readers::Readers;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use store::accounts::{Purpose, Role, complaint_about_name};

/// Who logs in may not take the connections of those who ask.
const CONNECTIONS: usize = 1;
/// What a browser says of where the page is from that asks.
const FETCH_SITE: &str = "sec-fetch-site";
const WHO_ARE_YOU: &str = "log in with a name and a password, or send a token";

/// The address of the client, in the extensions of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client(pub(crate) IpAddr);

impl Client {
    /// From where a request comes.
    pub(crate) fn of<B>(request: &axum::http::Request<B>) -> IpAddr {
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        request.extensions().get::<Self>().map_or(unknown, |client| client.0)
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Somebody on the machine, while there are no users.
    Anybody,
    /// A user, or a program with a token.
    Known(Purpose),
}

impl Caller {
    /// Whose figures the caller may see.
    pub(crate) fn sight(&self) -> Result<Sight, Failure> {
        match self {
            Self::Anybody | Self::Known(Purpose::Role(Role::Admin | Role::Viewer)) => Ok(Sight::Everything),
            Self::Known(Purpose::Role(Role::OrganizationViewer(organization))) => {
                Ok(Sight::Organization(organization.clone()))
            }
            Self::Known(Purpose::Heartbeats) => {
                Err(Failure::Forbidden("this token is for sending heartbeats only".to_owned()))
            }
            Self::Known(Purpose::Events) => {
                Err(Failure::Forbidden("this token is for sending events only".to_owned()))
            }
            Self::Known(Purpose::Site(_)) => Err(for_a_site()),
        }
    }

    /// Refuses who may not see what tells of everybody.
    pub(crate) fn must_see_everything(&self, what: &str) -> Result<(), Failure> {
        match self.sight()? {
            Sight::Everything => Ok(()),
            Sight::Organization(organization) => Err(Failure::Forbidden(format!(
                "{what} cannot be shown for one organization, and you may see {organization} only"
            ))),
        }
    }

    /// Refuses who may not change what everybody sees.
    pub(crate) fn must_administer(&self) -> Result<(), Failure> {
        match self {
            Self::Anybody | Self::Known(Purpose::Role(Role::Admin)) => Ok(()),
            Self::Known(_) => Err(Failure::Forbidden("settings are for admins: ask one of them".to_owned())),
        }
    }

    /// Refuses who may not send heartbeats.
    pub(crate) fn must_send_heartbeats(&self) -> Result<(), Failure> {
        match self {
            Self::Anybody | Self::Known(Purpose::Heartbeats | Purpose::Role(Role::Admin)) => Ok(()),
            Self::Known(Purpose::Role(Role::Viewer | Role::OrganizationViewer(_))) => {
                Err(Failure::Forbidden("a viewer sends no heartbeats: make a token for them".to_owned()))
            }
            Self::Known(Purpose::Events) => {
                Err(Failure::Forbidden("this token is for sending events only".to_owned()))
            }
            Self::Known(Purpose::Site(_)) => Err(for_a_site()),
        }
    }

    /// Refuses who may not send events.
    pub(crate) fn must_send_events(&self) -> Result<(), Failure> {
        match self {
            Self::Anybody | Self::Known(Purpose::Events | Purpose::Role(Role::Admin)) => Ok(()),
            Self::Known(Purpose::Heartbeats) => {
                Err(Failure::Forbidden("this token is for sending heartbeats only".to_owned()))
            }
            Self::Known(Purpose::Role(Role::Viewer | Role::OrganizationViewer(_))) => {
                Err(Failure::Forbidden("a viewer sends no events: make a token for them".to_owned()))
            }
            Self::Known(Purpose::Site(_)) => Err(for_a_site()),
        }
    }

    /// Refuses who may not send what a site takes in: it may tell of any license server.
    pub(crate) fn must_send_parts(&self) -> Result<(), Failure> {
        match self {
            Self::Anybody | Self::Known(Purpose::Site(_) | Purpose::Role(Role::Admin)) => Ok(()),
            Self::Known(_) => Err(Failure::Forbidden(
                "parts of a site need a token of its own: `seatledger token add NAME --site SITE`".to_owned(),
            )),
        }
    }

    /// Refuses who may send what another site takes in, and not this one.
    pub(crate) fn must_be_site(&self, site: &str) -> Result<(), Failure> {
        match self {
            Self::Known(Purpose::Site(own)) if own != site => Err(Failure::Forbidden(format!(
                "this token is of the site `{own}`, not of `{site}`: write site = \"{own}\" into [forward], or make a token \
                 with `seatledger token add NAME --site {site}`"
            ))),
            _ => Ok(()),
        }
    }
}

fn for_a_site() -> Failure {
    Failure::Forbidden("this token is for sending what a site takes in only".to_owned())
}

/// Where everybody who asks comes through.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    login: Login,
    accounts: Arc<Readers>,
    opener: store::Opener,
    /// Whether nobody but this machine reaches the listener, as far as the configuration tells.
    is_local: bool,
    /// Whether browsers reach it by HTTPS.
    is_secure: bool,
    /// Where people log in besides, who are no users here.
    openid: Option<Arc<OpenId>>,
}

/// What a request says of who sends it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Password(String, String),
    Token(String),
    /// The secret of a browser's cookie.
    Cookie(String),
    Unreadable,
}

impl Gate {
    /// A gate to a ledger; `is_local` says that the listener is on a loopback address and behind no proxy, `is_secure` that
    /// browsers reach it by HTTPS. Where people log in at a provider, nobody comes in without, users or not.
    pub(crate) fn new(
        opener: store::Opener,
        is_local: bool,
        is_secure: bool,
        openid: Option<Arc<OpenId>>,
    ) -> anyhow::Result<Self> {
        let accounts = Readers::new(opener.clone(), CONNECTIONS);
        let is_local = is_local && openid.is_none();
        Ok(Self(Arc::new(Inner { login: Login::new()?, accounts, opener, is_local, is_secure, openid })))
    }

    /// Where people log in besides.
    pub(crate) fn openid(&self) -> Option<&OpenId> {
        self.0.openid.as_deref()
    }

    /// Who sends a request with these headers; `complain` hears of our own faults.
    pub(crate) async fn admit(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Caller, Failure> {
        Ok(self.guest(headers, client, complain).await?.caller)
    }

    /// As [`Self::admit`], with the name of who asks and the browser's session where there is one.
    pub(crate) async fn guest(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Guest, Failure> {
        let ours = |error: anyhow::Error| Failure::of(&error, complain);
        let Inner { login, accounts, is_local, .. } = &*self.0;
        if *is_local && client.is_loopback() && is_addressed_locally(headers) {
            let has_users = accounts.ask(|store| Ok(store.has_users()?)).await?.map_err(ours)?;
            if !has_users {
                return Ok(Guest::of(Caller::Anybody));
            }
        }
        match said(headers, self.0.is_secure) {
            Said::Nothing => Err(Failure::Unknown(WHO_ARE_YOU)),
            Said::Unreadable => Err(Failure::Unknown("the header Authorization cannot be read")),
            Said::Token(secret) => {
                let hash = hash_of_secret(&secret);
                let token = accounts.ask(move |store| Ok(store.token_of_secret(&hash)?)).await?;
                match token.map_err(ours)? {
                    Some(token) => Ok(Guest::of(Caller::Known(token.purpose))),
                    None => Err(Failure::Unknown("this token is not, or no more, good for anything")),
                }
            }
            Said::Password(name, password) => {
                let wanted = name.clone();
                let user = accounts.ask(move |store| Ok(store.user(&wanted)?)).await?.map_err(ours)?;
                let role = login.role(&name, &password, user, client).await?;
                Ok(Guest { name: Some(name), ..Guest::of(Caller::Known(Purpose::Role(role))) })
            }
            Said::Cookie(secret) => self.returning(&secret, complain).await,
        }
    }
}

/// Whether a request was meant for this machine by its own name, and sent from here. A page from elsewhere whose name was
/// made to point here, and a proxy that hands on requests from outside, call it by another one; a proxy tells of itself in
/// a header, and a browser of the page that asks.
fn is_addressed_locally(headers: &HeaderMap) -> bool {
    if headers.keys().any(|name| is_of_a_proxy(name.as_str())) {
        return false;
    }
    if headers.get_all(FETCH_SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
        return false;
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => match host.to_str() {
            Ok(host) if is_local_name(host) => Some(host),
            Ok(_) | Err(_) => return false,
        },
        (Some(_), Some(_)) => return false,
    };
    headers.get_all(ORIGIN).iter().all(|origin| {
        let asking = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        asking.zip(host).is_some_and(|((_, asking), host)| asking.eq_ignore_ascii_case(host))
    })
}

/// Whether a header, in lower case, is one that proxies add.
fn is_of_a_proxy(name: &str) -> bool {
    matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-")
}

fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn said(headers: &HeaderMap, is_secure: bool) -> Said {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return browser::secret(headers, is_secure).map_or(Said::Nothing, Said::Cookie);
    };
    let Some((scheme, rest)) = value.to_str().ok().and_then(|value| value.trim().split_once(' ')) else {
        return Said::Unreadable;
    };
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Said::Token(rest.to_owned());
    }
    let decoded = STANDARD.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.as_deref().and_then(|text| text.split_once(':')) {
        // A database that takes no zero bytes need not be asked for a name that has one.
        Some((name, password))
            if scheme.eq_ignore_ascii_case("basic") && complaint_about_name(name).is_none() =>
        {
            Said::Password(name.to_owned(), password.to_owned())
        }
        Some(_) | None => Said::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Said, is_addressed_locally, said};
    use crate::answers::Sight;
    use axum::http::HeaderMap;
    use store::accounts::{Purpose, Role};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_a_request_says_of_its_sender() {
        let of = |value: &str| said(&headers(&[("authorization", value)]), false);
        let password = |name: &str, password: &str| Said::Password(name.to_owned(), password.to_owned());
        assert_eq!(of("Basic YW1hcmE6cHc6d2l0aCBjb2xvbg=="), password("amara", "pw:with colon"));
        assert_eq!(of("basic  w6R0aGVyOnDDpA=="), password("äther", "pä"));
        assert_eq!(of("BEARER slt_1"), Said::Token("slt_1".to_owned()));
        assert_eq!(said(&HeaderMap::new(), false), Said::Nothing);
        for wrong in [
            "Basic",
            "Basic %%%",
            "Basic YW1hcmE=",
            "Digest YW1hcmE6cHc=",
            "",
            "Basic /w==",
            "Basic YQA6cHc=",
        ] {
            assert_eq!(of(wrong), Said::Unreadable, "{wrong}");
        }
    }

    #[test]
    fn only_requests_that_name_this_machine_are_local() {
        let of = |host: &str| is_addressed_locally(&headers(&[("host", host)]));
        for local in ["localhost", "LocalHost:8088", "127.0.0.1", "127.0.0.1:8088", "127.9.9.9", "[::1]:8088"]
        {
            assert!(of(local), "{local}");
        }
        for other in ["seats.example.com", "192.0.2.1:8088", "localhost.example.com", "", "[2001:db8::1]"] {
            assert!(!of(other), "{other}");
        }
        assert!(is_addressed_locally(&HeaderMap::new()));
        for handed_on in
            ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"]
        {
            let pairs = [("host", "localhost"), (handed_on, "192.0.2.1")];
            assert!(!is_addressed_locally(&headers(&pairs)), "{handed_on}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_not_local() {
        let of = |name: &'static str, value: &str| {
            is_addressed_locally(&headers(&[("host", "127.0.0.1:8088"), (name, value)]))
        };
        for other in ["https://seats.example.com", "http://localhost:8088", "http://127.0.0.1:3000", "null"] {
            assert!(!of("origin", other), "{other}");
        }
        assert!(of("origin", "http://127.0.0.1:8088"));
        assert!(!is_addressed_locally(&headers(&[("origin", "http://127.0.0.1:8088")])), "to no host");
        assert!(!of("sec-fetch-site", "cross-site"));
        assert!(of("sec-fetch-site", "same-origin") && of("sec-fetch-site", "none"));
    }

    #[test]
    fn everybody_may_what_their_role_says() {
        let of = |purpose| Caller::Known(purpose);
        let own = Role::OrganizationViewer("R&D".to_owned());
        let [admin, viewer, organization] =
            [Role::Admin, Role::Viewer, own].map(|role| of(Purpose::Role(role)));
        let sender = of(Purpose::Heartbeats);
        let everything = [&Caller::Anybody, &admin, &viewer];
        assert!(everything.iter().all(|caller| caller.sight() == Ok(Sight::Everything)));
        assert_eq!(organization.sight(), Ok(Sight::Organization("R&D".to_owned())));
        assert!(organization.must_see_everything("this").is_err() && sender.sight().is_err());
        let wrapper = of(Purpose::Events);
        assert!(wrapper.sight().is_err());
        let site = of(Purpose::Site("basel".to_owned()));
        assert!(site.sight().is_err());
        for (caller, other) in [(&site, false), (&admin, true), (&Caller::Anybody, true)] {
            assert!(caller.must_be_site("basel").is_ok(), "{caller:?}");
            assert_eq!(caller.must_be_site("Basel").is_ok(), other, "{caller:?}");
        }
        for (caller, beats, events, parts) in [
            (Caller::Anybody, true, true, true),
            (admin, true, true, true),
            (sender, true, false, false),
            (wrapper, false, true, false),
            (site, false, false, true),
            (viewer, false, false, false),
            (organization, false, false, false),
        ] {
            assert_eq!(caller.must_send_heartbeats().is_ok(), beats, "{caller:?}");
            assert_eq!(caller.must_send_events().is_ok(), events, "{caller:?}");
            assert_eq!(caller.must_send_parts().is_ok(), parts, "{caller:?}");
        }
    }
}
