//! Browsers: somebody logs in once, and a cookie says so from then on.
//!
//! The cookie holds a secret of 256 random bits. Forms carry a text that is computed from it, which no other site knows.

use super::failure::Failure;
use super::openid::OpenId;
use super::{Caller, Gate};
use crate::clock;
use crate::secrets::{hash_of_secret, new_secret};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use std::net::IpAddr;
use std::time::Duration;
use store::accounts::{Purpose, User, complaint_about_name};
use store::browsers::{InBrowser, Provided};

/// How long a browser stays logged in, in milliseconds: a week.
pub(crate) const SESSION_MS: i64 = 7 * 86_400_000;
/// How long another writer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const COOKIE_NAME: &str = "seatledger";
/// Where a browser takes a cookie of this name from HTTPS alone, and for this host alone.
const SECURE_COOKIE_NAME: &str = "__Host-seatledger";
/// A secret has so many letters and digits.
const SECRET_LENGTH: usize = 64;

/// Who asks, and how they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guest {
    pub(crate) caller: Caller,
    /// The login of a user, or how a provider calls somebody.
    pub(crate) name: Option<String>,
    /// Whether a provider tells of who asks, who is no user of the ledger.
    pub(crate) is_provided: bool,
    /// What forms of this browser carry; empty where nobody is logged in by a cookie.
    pub(crate) form_token: String,
}

impl Guest {
    pub(super) fn of(caller: Caller) -> Self {
        Self { caller, name: None, is_provided: false, form_token: String::new() }
    }
}

/// The name of the cookie.
pub(crate) fn cookie_name(is_secure: bool) -> &'static str {
    if is_secure { SECURE_COOKIE_NAME } else { COOKIE_NAME }
}

/// The secret of the cookie of a request. Where browsers have it from HTTPS, the other name is not looked at, which anybody
/// could have planted on the way.
pub(super) fn secret(headers: &HeaderMap, is_secure: bool) -> Option<String> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == cookie_name(is_secure))?;
    let is_one = secret.len() == SECRET_LENGTH && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| secret.to_owned())
}

/// What forms carry of whoever has this secret.
fn form_token(secret: &str) -> String {
    hash_of_secret(&format!("form {secret}"))
}

impl Gate {
    /// Logs a browser in; gives the secret of its cookie.
    pub(crate) async fn log_in(
        &self,
        name: String,
        password: &str,
        client: IpAddr,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<String, Failure> {
        let ours = |error: anyhow::Error| Failure::of(&error, complain);
        if complaint_about_name(&name).is_some() {
            return Err(Failure::Unknown("wrong name or password"));
        }
        let wanted = name.clone();
        let user = self.0.accounts.ask(move |store| Ok(store.user(&wanted)?)).await?.map_err(ours)?;
        self.0.login.role(&name, password, user.clone(), client).await?;
        let Some(user) = user else { return Err(Failure::Unknown("wrong name or password")) };
        let secret = new_secret("").map_err(ours)?;
        let (hash, opener) = (hash_of_secret(&secret), self.0.opener.clone());
        let begin = self.0.accounts.ask(move |_| {
            let now = clock::now();
            Ok(opener.open(PATIENCE)?.begin_browser_session(&hash, &user, now, now + SESSION_MS)?)
        });
        begin.await?.map_err(ours)?;
        Ok(secret)
    }

    /// Logs a browser out, or all browsers of whoever is logged in with it.
    pub(crate) async fn log_out(
        &self,
        headers: &HeaderMap,
        everywhere: bool,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), Failure> {
        let Some(secret) = secret(headers, self.0.is_secure) else { return Ok(()) };
        let opener = self.0.opener.clone();
        let end = self.0.accounts.ask(move |_| {
            let (mut store, hash) = (opener.open(PATIENCE)?, hash_of_secret(&secret));
            match everywhere {
                true => store.end_all_browser_sessions(&hash)?,
                false => store.end_browser_session(&hash)?,
            }
            Ok(())
        });
        end.await?.map_err(|error| Failure::of(&error, complain))
    }

    /// Who comes back with a cookie.
    pub(super) async fn returning(
        &self,
        secret: &str,
        complain: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Guest, Failure> {
        let (hash, terms) = (hash_of_secret(secret), self.openid().map(OpenId::terms));
        let found =
            self.0.accounts.ask(move |store| Ok(store.in_browser(&hash, terms.as_deref(), clock::now())?));
        let (name, role, is_provided) = match found.await?.map_err(|error| Failure::of(&error, complain))? {
            Some(InBrowser::User(User { name, role, .. })) => (name, role, false),
            Some(InBrowser::Provided(Provided { name, role, .. })) => (name, role, true),
            None => return Err(Failure::Unknown("log in: the last login is over")),
        };
        Ok(Guest {
            caller: Caller::Known(Purpose::Role(role)),
            name: Some(name),
            is_provided,
            form_token: form_token(secret),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{form_token, secret};
    use axum::http::HeaderMap;

    fn of(cookie: &str, is_secure: bool) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", cookie.parse().unwrap());
        secret(&headers, is_secure)
    }

    #[test]
    fn the_cookie_is_found_among_others_and_nothing_else_is_taken_for_it() {
        let one = "0123456789abcdef".repeat(4);
        assert_eq!(of(&format!("theme=dark; seatledger={one}"), false), Some(one.clone()));
        assert_eq!(of(&format!("__Host-seatledger={one}"), true), Some(one.clone()));
        let planted = "f".repeat(64);
        assert_eq!(of(&format!("seatledger={planted}; __Host-seatledger={one}"), true), Some(one.clone()));
        assert_eq!(of(&format!("seatledger={planted}"), true), None);
        for other in
            [format!("seatledger2={one}"), "seatledger=short".to_owned(), format!("seatledger={one}x")]
        {
            assert_eq!(of(&other, false), None, "{other}");
        }
    }

    #[test]
    fn the_text_of_forms_tells_nothing_of_the_secret() {
        let one = "0123456789abcdef".repeat(4);
        assert_ne!(form_token(&one), form_token(&"0".repeat(64)));
        assert!(!form_token(&one).contains(&one[..8]));
    }
}
