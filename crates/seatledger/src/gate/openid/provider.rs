//! A provider as it is reached over HTTP: its description, its keys, and what it gives for a code.

use super::token::Claims;
use super::{Trouble, token};
use crate::config::{OpenIdConfig, is_safe_address};
use crate::trust;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Where a provider describes itself, below its issuer.
const DESCRIPTION: &str = "/.well-known/openid-configuration";
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer is read, in bytes.
const ANSWER: u64 = 1 << 20;
/// How a client proves who it is where a provider says nothing of it.
const BASIC: &str = "client_secret_basic";
const POST: &str = "client_secret_post";

/// Whom to ask for what.
#[derive(Debug, Clone)]
pub(super) struct Provider {
    pub(super) described: Description,
    /// The keys with which it signs.
    pub(super) keys: Vec<Jwk>,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Description {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What is given for a code.
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) id_token: String,
    /// With what the provider is asked for more.
    access_token: Option<String>,
}

/// How a provider is spoken to.
pub(super) struct Line {
    config: OpenIdConfig,
    agent: Agent,
}

impl Line {
    pub(super) fn new(config: OpenIdConfig) -> Result<Self, Trouble> {
        let tls = trust::tls(config.ca_file.as_deref())
            .map_err(|error| Trouble::new(format!("{error:#}"), "correct ca_file in [login.openid]"))?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // Whoever answers elsewhere is not whom the configuration names.
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .tls_config(tls)
            .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { config, agent })
    }

    /// Asks who the provider is, and for its keys.
    pub(super) fn provider(&self) -> Result<Provider, Trouble> {
        let url = format!("{}{DESCRIPTION}", self.config.issuer.trim_end_matches('/'));
        let described: Description = self.get(&url, None)?;
        if described.issuer != self.config.issuer {
            return Err(Trouble::new(
                format!("the provider at {url} calls itself `{}`", shown(&described.issuer)),
                "write that as issuer in [login.openid], to the letter, if it is the right one",
            ));
        }
        for (name, url) in [
            ("authorization_endpoint", Some(&described.authorization_endpoint)),
            ("token_endpoint", Some(&described.token_endpoint)),
            ("jwks_uri", Some(&described.jwks_uri)),
            ("userinfo_endpoint", described.userinfo_endpoint.as_ref()),
        ] {
            if url.is_some_and(|url| !is_safe_address(url)) {
                return Err(Trouble::new(
                    format!("the provider's {name} is no address over HTTPS"),
                    "have the provider describe itself with https:// addresses",
                ));
            }
        }
        let keys = self.keys(&described)?;
        Ok(Provider { described, keys })
    }

    /// The keys of today; those of a kind that is not known are left out.
    fn keys(&self, described: &Description) -> Result<Vec<Jwk>, Trouble> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = self.get(&described.jwks_uri, None)?;
        Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
    }

    /// Changes the code that a browser has brought for what the provider says of who sits there.
    pub(super) fn exchange(
        &self,
        described: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<Given, Trouble> {
        let back = super::back(&self.config);
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", back.as_str()),
            ("code_verifier", verifier),
            ("client_id", self.config.client_id.as_str()),
        ];
        let mut request = self.agent.post(&described.token_endpoint).header("accept", "application/json");
        let secret = match &self.config.client_secret {
            Some(secret) => Some(secret.read().map_err(|error| {
                Trouble::new(
                    format!("the client's secret cannot be read: {error}"),
                    "correct client_secret_file",
                )
            })?),
            None => None,
        };
        if let Some(secret) = &secret {
            let methods = described.token_endpoint_auth_methods_supported.as_deref();
            let takes =
                |method: &str| methods.is_some_and(|methods| methods.iter().any(|known| known == method));
            if takes(POST) && !takes(BASIC) {
                form.push(("client_secret", secret));
            } else {
                let pair = format!("{}:{}", coded(&self.config.client_id), coded(secret));
                request = request.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
            }
        }
        let sent = request.send_form(form).map_err(|error| away(&described.token_endpoint, &error))?;
        read(&described.token_endpoint, sent)
    }

    /// What the provider says of whom a token is about, as far as it is not in the token.
    pub(super) fn more(
        &self,
        described: &Description,
        given: &Given,
        claims: &Claims,
    ) -> Result<Claims, Trouble> {
        let (Some(url), Some(access)) = (&described.userinfo_endpoint, &given.access_token) else {
            return Ok(Claims::new());
        };
        let more: Claims = self.get(url, Some(access))?;
        if more.get("sub") == claims.get("sub") {
            return Ok(more);
        }
        Err(Trouble::new(
            "the provider speaks of somebody else at its userinfo_endpoint",
            "ask whoever runs the provider",
        ))
    }

    fn get<T: DeserializeOwned>(&self, url: &str, access: Option<&str>) -> Result<T, Trouble> {
        let mut request = self.agent.get(url).header("accept", "application/json");
        if let Some(access) = access {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        read(url, request.call().map_err(|error| away(url, &error))?)
    }
}

/// A text as RFC 6749, appendix B, codes it.
fn coded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut coded, byte| {
        match byte {
            b' ' => coded.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => coded.push(byte as char),
            _ => {
                let _ = write!(coded, "%{byte:02X}");
            }
        }
        coded
    })
}

fn away(url: &str, error: &ureq::Error) -> Trouble {
    let why = match error {
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        error => shown(&error.to_string()),
    };
    Trouble::new(
        format!("{url} does not answer: {why}"),
        "look whether the provider runs and this machine reaches it; issuer and ca_file in [login.openid] say where it is and \
         whom it is proved by",
    )
}

/// What an answer says. Of one that is none, nothing is told on but its status and the code of its error: what else a
/// provider says may be about a person or a secret.
fn read<T: DeserializeOwned>(url: &str, mut answer: Response<Body>) -> Result<T, Trouble> {
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER).read_to_string();
    let text = text.map_err(|error| away(url, &error))?;
    if (200..=299).contains(&status) {
        return serde_json::from_str(&text).map_err(|_| {
            Trouble::new(
                format!("{url} answers something else than OpenID Connect asks for"),
                "correct issuer in [login.openid]: the address below which the provider describes itself",
            )
        });
    }
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let code = said["error"].as_str().map(shown).unwrap_or_default();
    let remedy = match code.as_str() {
        "invalid_client" | "unauthorized_client" => {
            "correct client_id and client_secret in [login.openid]: they are what the provider was told of this service"
        }
        "invalid_grant" => {
            "log in again; where that does not help, let the provider know the address of [login.openid] url with /login/openid/back \
             behind it"
        }
        _ if url.ends_with(DESCRIPTION) => {
            "correct issuer in [login.openid]: the address below which the provider describes itself"
        }
        _ => "ask whoever runs the provider",
    };
    let code = if code.is_empty() { code } else { format!(" {code}") };
    Err(Trouble::new(format!("{url} answers with HTTP status {status}{code}"), remedy))
}

/// What comes from elsewhere, short enough and without letters that a terminal obeys.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

impl Given {
    /// What the token says, if it may be believed.
    pub(super) fn claims(
        &self,
        provider: &Provider,
        expected: &token::Expected<'_>,
    ) -> Result<Claims, token::Wrong> {
        token::checked(&self.id_token, &provider.keys, expected)
    }
}

#[cfg(test)]
mod tests {
    use super::{coded, shown};

    #[test]
    fn names_and_secrets_are_coded_before_they_are_joined() {
        assert_eq!(coded("a b:c+ä~"), "a+b%3Ac%2B%C3%A4~");
    }

    #[test]
    fn what_a_provider_says_obeys_the_terminal_not() {
        assert_eq!(shown("bad\u{1b}[31m\nrequest"), "bad[31mrequest");
        assert_eq!(shown(&"x".repeat(300)).len(), 200);
    }
}
