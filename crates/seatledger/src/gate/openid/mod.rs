//! Logging in at a provider of OpenID Connect, by authorization code with PKCE.
//!
//! A browser that is sent to the provider takes a cookie with a secret along. State, nonce and PKCE's verifier are computed
//! from it: nothing is kept here of logins that have only begun, and any of several processes may end them.

mod provider;
mod role;
mod signature;
mod token;

use super::attempts::OfAddresses;
use super::{Failure, Gate};
use crate::clock;
use crate::config::OpenIdConfig;
use crate::secrets::{hash_of_secret, new_secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use provider::{Line, Provider};
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::browsers::Provided;
use token::{Claims, Expected, Wrong};
use tokio::sync::Semaphore;

/// Where a browser comes back from the provider, below the address of this service.
pub(crate) const BACK: &str = "/login/openid/back";
/// How long the way to the provider and back may take, in seconds.
pub(crate) const UNDERWAY_S: i64 = 900;
/// How long what a provider says of itself is believed without asking again.
const FRESH: Duration = Duration::from_hours(1);
/// A trouble that lasts is told again after so long.
const TOLD_AGAIN: Duration = Duration::from_mins(1);
/// How many logins speak with the provider at a time.
const AT_ONCE: usize = 4;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long another writer is waited for.
const WRITER_PATIENCE: Duration = Duration::from_secs(10);
/// The longest path that is kept while somebody logs in, in bytes.
const LONGEST_PATH: usize = 1000;
/// How many values of a claim are shown to whom they are about.
const MOST_VALUES: usize = 20;

/// Tells whoever runs the service of a fault.
type Complain = dyn Fn(&str) + Send + Sync;

/// Why a provider cannot be used, and what to do about it. Says nothing of persons and secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) remedy: &'static str,
}

impl Trouble {
    fn new(why: impl Into<String>, remedy: &'static str) -> Self {
        Self { why: why.into(), remedy }
    }
}

/// Why somebody is not logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// This browser has begun no such login, or too long ago, or has ended it.
    Stale,
    /// The provider says no, by this code.
    Declined(String),
    /// The provider knows somebody whom nothing gives a role: the name, and what the claim says where there is one.
    NoRole { name: String, claim: String, values: Option<Vec<String>> },
    /// The provider does not do as it should; whoever runs the service was told.
    Provider,
    /// Something here.
    Here(Failure),
}

/// A login that begins.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Where the browser goes.
    pub(crate) location: String,
    /// What its cookie holds until it is back.
    pub(crate) cookie: String,
}

/// A login that has ended well.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The secret of the browser's cookie from now on.
    pub(crate) secret: String,
    /// For how long, in seconds.
    pub(crate) seconds: i64,
    /// To which page of ours it wanted.
    pub(crate) to: String,
}

/// A provider, as this service uses it.
pub(crate) struct OpenId {
    config: OpenIdConfig,
    line: Line,
    known: Mutex<Option<(Instant, Arc<Provider>)>>,
    turns: Arc<Semaphore>,
    /// Logins that were ended by nobody whom the provider knows: whoever comes back names the secret of its state itself.
    attempts: Mutex<OfAddresses>,
    /// The trouble that was told last, and when.
    told: Mutex<Option<(Instant, String)>>,
}

/// Where a browser comes back.
fn back(config: &OpenIdConfig) -> String {
    format!("{}{BACK}", config.url)
}

/// Asks a provider who it is; says how it is.
pub(crate) fn check(config: &OpenIdConfig) -> Result<String, Trouble> {
    if let Some(secret) = &config.client_secret {
        secret.read().map_err(|error| {
            Trouble::new(format!("the client's secret cannot be read: {error}"), "correct client_secret_file")
        })?;
    }
    let provider = Line::new(config.clone())?.provider()?;
    if provider.keys.is_empty() {
        return Err(Trouble::new(
            format!("{} publishes no key with which it could sign", config.issuer),
            "ask whoever runs the provider",
        ));
    }
    Ok(format!("{} answers; it must know the address {}", config.issuer, back(config)))
}

/// What is computed from the secret of a login that has begun.
fn of_secret(what: &str, secret: &str) -> String {
    hash_of_secret(&format!("openid {what} {secret}"))
}

impl OpenId {
    pub(crate) fn new(config: OpenIdConfig) -> anyhow::Result<Arc<Self>> {
        let line = Line::new(config.clone())
            .map_err(|trouble| anyhow::anyhow!("{}: {}", trouble.why, trouble.remedy))?;
        Ok(Arc::new(Self {
            config,
            line,
            known: Mutex::default(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            attempts: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    /// What stands on the button, where the configuration says so.
    pub(crate) fn button(&self) -> Option<&str> {
        self.config.button.as_deref()
    }

    /// What the configuration says of roles, by its hash: a login is good while it is the same.
    pub(crate) fn terms(&self) -> String {
        let OpenIdConfig { issuer, client_id, name_claim, roles_claim, roles, .. } = &self.config;
        hash_of_secret(&format!("{issuer}\n{client_id}\n{name_claim}\n{roles_claim}\n{roles:?}"))
    }

    /// Does what may wait with the provider, of which few do so at once.
    async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        complain: &Complain,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refused> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let busy = Failure::Busy("too many logins at once: try again in a moment".to_owned());
            return Err(Refused::Here(busy));
        };
        let openid = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&openid);
            drop(turn);
            done
        });
        match done.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(Refusal::ToSay(refused))) => Err(refused),
            Ok(Err(Refusal::ToLog(Trouble { why, remedy }))) => {
                let trouble = format!("a login with OpenID Connect failed: {why}: {remedy}");
                if self.is_news(&trouble) {
                    complain(&trouble);
                }
                Err(Refused::Provider)
            }
            Err(_) => Err(Refused::Here(Failure::Ours)),
        }
    }

    /// Whether a trouble was not told a moment ago.
    fn is_news(&self, trouble: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = told.as_ref().is_some_and(|(at, last)| last == trouble && at.elapsed() < TOLD_AGAIN);
        if !is_old {
            *told = Some((Instant::now(), trouble.to_owned()));
        }
        !is_old
    }

    fn attempts(&self) -> MutexGuard<'_, OfAddresses> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider, as it described itself a while ago, or now.
    fn provider(&self, anew: bool) -> Result<Arc<Provider>, Trouble> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().clone().filter(|(since, _)| !anew && since.elapsed() < FRESH);
        if let Some((_, provider)) = found {
            return Ok(provider);
        }
        let provider = Arc::new(self.line.provider()?);
        *known() = Some((Instant::now(), Arc::clone(&provider)));
        Ok(provider)
    }

    /// Where a browser with this secret goes; `again` asks the provider for name and password though it knows them.
    fn location(&self, provider: &Provider, secret: &str, again: bool) -> String {
        let endpoint = &provider.described.authorization_endpoint;
        let scope = self.config.scopes.iter().fold("openid".to_owned(), |scope, one| scope + " " + one);
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(of_secret("verifier", secret).as_bytes()));
        let mut location =
            format!("{endpoint}{}response_type=code", if endpoint.contains('?') { '&' } else { '?' });
        for (name, value) in [
            ("client_id", self.config.client_id.as_str()),
            ("redirect_uri", &back(&self.config)),
            ("scope", &scope),
            ("state", &of_secret("state", secret)),
            ("nonce", &of_secret("nonce", secret)),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ] {
            location.push_str(&format!("&{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        }
        location + if again { "&prompt=login" } else { "" }
    }

    /// Who has brought this code.
    fn somebody(&self, code: &str, secret: &str) -> Result<Provided, Refusal> {
        let provider = self.provider(false)?;
        let given = self.line.exchange(&provider.described, code, &of_secret("verifier", secret))?;
        let nonce = of_secret("nonce", secret);
        let expected = Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &nonce,
            now: clock::now() / 1000,
        };
        let claims = match given.claims(&provider, &expected) {
            // The provider may have begun to sign with another key.
            Err(Wrong::UnknownKey | Wrong::Signature) => given.claims(&*self.provider(true)?, &expected),
            claims => claims,
        };
        let mut claims = claims.map_err(|wrong| {
            let why = format!("the provider's ID token is not taken: {}", wrong.as_str());
            Trouble::new(why, "ask whoever runs the provider")
        })?;
        let lacks = |claims: &Claims, name: &str| role::values(claims, name).is_none();
        if lacks(&claims, &self.config.roles_claim) || lacks(&claims, &self.config.name_claim) {
            // What is signed wins.
            let more = self.line.more(&provider.described, &given, &claims)?;
            for (name, value) in more {
                claims.entry(name).or_insert(value);
            }
        }
        self.provided(&claims).map_err(Refusal::ToSay)
    }

    /// Somebody of whom the provider says this.
    fn provided(&self, claims: &Claims) -> Result<Provided, Refused> {
        let name = role::name(claims, &self.config.name_claim);
        let values = role::values(claims, &self.config.roles_claim);
        let Some(role) = role::role(values.as_deref().unwrap_or_default(), &self.config.roles) else {
            let claim = self.config.roles_claim.clone();
            let shown = |values: Vec<String>| {
                values.iter().take(MOST_VALUES).map(|value| provider::shown(value)).collect()
            };
            return Err(Refused::NoRole { name, claim, values: values.map(shown) });
        };
        let subject = claims.get("sub").and_then(|subject| subject.as_str()).unwrap_or_default();
        Ok(Provided { person: hash_of_secret(&format!("{}\n{subject}", self.config.issuer)), name, role })
    }
}

/// What is said to whoever logs in, or to whoever runs the service.
enum Refusal {
    ToSay(Refused),
    ToLog(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::ToLog(trouble)
    }
}

impl Gate {
    /// Sends a browser to the provider, that wants to a page of ours.
    pub(crate) async fn begin_openid(
        &self,
        to: &str,
        again: bool,
        complain: &Complain,
    ) -> Result<Begun, Refused> {
        let openid = self.0.openid.as_ref().ok_or(Refused::Stale)?;
        let secret = new_secret("").map_err(|error| Refused::Here(Failure::of(&error, complain)))?;
        let to = if to.len() > LONGEST_PATH { "/" } else { to };
        let cookie = format!("{secret}.{}", utf8_percent_encode(to, NON_ALPHANUMERIC));
        let begin = openid
            .ask(complain, move |openid| Ok(openid.location(&*openid.provider(false)?, &secret, again)));
        Ok(Begun { location: begin.await?, cookie })
    }

    /// Logs a browser in that comes back from the provider with a cookie and what stands in the address.
    pub(crate) async fn end_openid(
        &self,
        cookie: Option<&str>,
        answer: &[(String, String)],
        client: IpAddr,
        complain: &Complain,
    ) -> Result<Ended, Refused> {
        let openid = self.0.openid.as_ref().ok_or(Refused::Stale)?;
        let value =
            |name: &str| answer.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let (secret, to) = cookie.and_then(|cookie| cookie.split_once('.')).ok_or(Refused::Stale)?;
        let state = of_secret("state", secret);
        // Where it is said who answers, it must be whom we asked (RFC 9207).
        let is_ours = value("iss").is_none_or(|issuer| issuer == openid.config.issuer);
        if value("state") != Some(state.as_str()) || !is_ours {
            return Err(Refused::Stale);
        }
        if let Some(code) = value("error") {
            return Err(Refused::Declined(provider::shown(code)));
        }
        let (code, secret) = (value("code").ok_or(Refused::Stale)?.to_owned(), secret.to_owned());
        if let Some(pause) = openid.attempts().pause(client, Instant::now()) {
            return Err(Refused::Here(Failure::TooMany(pause.as_secs() + 1)));
        }
        openid.attempts().begin(client, Instant::now());
        let somebody = openid.ask(complain, move |openid| openid.somebody(&code, &secret)).await;
        // What the provider or we failed at says nothing of who came.
        if matches!(somebody, Ok(_) | Err(Refused::Here(_))) {
            openid.attempts().came_to_something(client);
        }
        let somebody = somebody?;
        let here = |error: anyhow::Error| Refused::Here(Failure::of(&error, complain));
        let session = new_secret("").map_err(here)?;
        let (hash, terms, session_ms) = (hash_of_secret(&session), openid.terms(), openid.config.session_ms);
        let opener = self.0.opener.clone();
        let begin = self.0.accounts.ask(move |_| {
            let now = clock::now();
            let mut store = opener.open(WRITER_PATIENCE)?;
            Ok(store.begin_provided_session(&hash, &terms, &somebody, now, now + session_ms)?)
        });
        begin.await.map_err(Refused::Here)?.map_err(here)?;
        let to = percent_decode_str(to).decode_utf8_lossy().into_owned();
        Ok(Ended { secret: session, seconds: session_ms / 1000, to })
    }
}

#[cfg(test)]
mod tests;
