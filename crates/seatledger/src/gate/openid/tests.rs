//! What is sent along, and who comes back.

use super::provider::Provider;
use super::token::Claims;
use super::{OpenId, Refused, of_secret};
use crate::config::{GivenRole, OpenIdConfig};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use store::accounts::Role;

fn config() -> OpenIdConfig {
    OpenIdConfig {
        issuer: "https://login.example.com".to_owned(),
        url: "https://seats.example.com/base".to_owned(),
        client_id: "seat ledger".to_owned(),
        client_secret: None,
        scopes: vec!["profile".to_owned(), "groups".to_owned()],
        name_claim: "preferred_username".to_owned(),
        roles_claim: "realm_access.roles".to_owned(),
        roles: vec![("staff".to_owned(), GivenRole::Viewer), ("it".to_owned(), GivenRole::Admin)],
        ca_file: None,
        button: None,
        session_ms: 1000,
    }
}

fn openid() -> Arc<OpenId> {
    OpenId::new(config()).expect("a provider")
}

fn claims(claims: Value) -> Claims {
    claims.as_object().expect("an object").clone()
}

#[test]
fn a_browser_is_sent_with_a_challenge_and_brings_no_secret() {
    let described = json!({
        "issuer": "https://login.example.com", "authorization_endpoint": "https://login.example.com/auth?tenant=1",
        "token_endpoint": "https://login.example.com/token", "jwks_uri": "https://login.example.com/keys",
    });
    let provider =
        Provider { described: serde_json::from_value(described).expect("a description"), keys: Vec::new() };
    let secret = "0123456789abcdef".repeat(4);
    let location = openid().location(&provider, &secret, false);
    let (address, query) = location.split_once('?').expect("a query");
    assert_eq!(address, "https://login.example.com/auth");
    let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let value = |name: &str| pairs.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
    let verifier = of_secret("verifier", &secret);
    assert!((43..=128).contains(&verifier.len()), "RFC 7636, section 4.1");
    let challenge =
        URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())).replace('-', "%2D").replace('_', "%5F");
    for (name, expected) in [
        ("tenant", "1"),
        ("response_type", "code"),
        ("client_id", "seat%20ledger"),
        ("redirect_uri", "https%3A%2F%2Fseats%2Eexample%2Ecom%2Fbase%2Flogin%2Fopenid%2Fback"),
        ("scope", "openid%20profile%20groups"),
        ("state", &of_secret("state", &secret)),
        ("nonce", &of_secret("nonce", &secret)),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("prompt", ""),
    ] {
        assert_eq!(value(name), expected, "{name}: {location}");
    }
    assert!(!location.contains(&secret) && !location.contains(&verifier), "{location}");
    assert!(openid().location(&provider, &secret, true).ends_with("&prompt=login"));
}

#[test]
fn what_goes_along_tells_nothing_of_what_is_kept() {
    let all = ["state", "nonce", "verifier"].map(|what| of_secret(what, "secret"));
    assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    assert_ne!(of_secret("state", "secret"), of_secret("state", "other"));
}

#[test]
fn somebody_has_the_role_that_the_claim_gives_or_is_told_why_there_is_none() {
    let of = |said: Value| openid().provided(&claims(said));
    let known =
        of(json!({ "sub": "s-1", "preferred_username": "amara", "realm_access": { "roles": ["it"] } }));
    let known = known.expect("a role");
    assert_eq!((known.name.as_str(), &known.role), ("amara", &Role::Admin));
    let renamed =
        of(json!({ "sub": "s-1", "preferred_username": "amina", "realm_access": { "roles": ["staff"] } }));
    assert_eq!(renamed.expect("a role").person, known.person, "a person is known by the subject");
    let other =
        of(json!({ "sub": "s-2", "preferred_username": "amara", "realm_access": { "roles": ["it"] } }));
    assert_ne!(other.expect("a role").person, known.person, "two persons may be called the same");
    for (said, values) in [
        (json!({ "sub": "s-1" }), None),
        (json!({ "sub": "s-1", "realm_access": { "roles": [] } }), Some(vec![])),
        (json!({ "sub": "s-1", "realm_access": { "roles": ["guest\n"] } }), Some(vec!["guest".to_owned()])),
    ] {
        let (name, claim) = ("s-1".to_owned(), "realm_access.roles".to_owned());
        assert_eq!(of(said), Err(Refused::NoRole { name, claim, values }));
    }
}

#[test]
fn other_rules_for_roles_end_the_logins_under_the_old_ones() {
    let terms = |change: fn(&mut OpenIdConfig)| {
        let mut config = config();
        change(&mut config);
        OpenId::new(config).expect("a provider").terms()
    };
    let before = terms(|_| ());
    assert_eq!(before, terms(|config| config.button = Some("In".to_owned())));
    assert_ne!(before, terms(|config| config.roles[1].1 = GivenRole::Viewer));
    assert_ne!(before, terms(|config| config.roles_claim = "groups".to_owned()));
    assert_ne!(before, terms(|config| config.issuer = "https://other.example.com".to_owned()));
}
