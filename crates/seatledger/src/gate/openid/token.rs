//! ID tokens: what a provider says of somebody, taken only as OpenID Connect Core 1.0, section 3.1.3.7 says.

use super::signature::{ALGORITHMS, install};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 60;

/// What a token says.
pub(super) type Claims = Map<String, Value>;

/// What a token must say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'e> {
    /// Who made it.
    pub(super) issuer: &'e str,
    /// For whom: this service, as the provider calls it.
    pub(super) client_id: &'e str,
    /// For which login.
    pub(super) nonce: &'e str,
    /// What time it is, in seconds since 1970.
    pub(super) now: i64,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Unreadable,
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYet,
    Nonce,
    Claim,
}

impl Wrong {
    /// Why, in words.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "it is no signed token that can be read",
            Self::Algorithm => "it is not signed by a key of the provider's own (RS, PS, ES or EdDSA)",
            Self::UnknownKey => "it is signed by a key that the provider does not publish",
            Self::Signature => "its signature is wrong",
            Self::Issuer => "another issuer made it",
            Self::Audience => "it is for another client",
            Self::Expired => "it is too old: look at the clocks of both machines",
            Self::NotYet => "it is from the future: look at the clocks of both machines",
            Self::Nonce => "it is for another login",
            Self::Claim => "it lacks one of iss, sub, aud, exp, iat",
        }
    }
}

/// What a token says, if it may be believed.
pub(super) fn checked(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, Wrong> {
    install();
    let header = header(token)?;
    let mut validation = Validation::new(header.alg);
    // The time is looked at below, by our clock.
    validation.validate_exp = false;
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client_id]);
    let mut wrong = Wrong::UnknownKey;
    for key in keys.iter().filter_map(|key| may_have_signed(key, &header)) {
        match decode::<Claims>(token, &key, &validation) {
            Ok(token) => return said(token.claims, expected),
            Err(error) => wrong = why(error.kind()),
        }
        if wrong != Wrong::Signature {
            break;
        }
    }
    Err(wrong)
}

/// The header of a token that is signed in a way that is taken; `none` is no such way.
fn header(token: &str) -> Result<Header, Wrong> {
    let header = decode_header(token).map_err(|_| Wrong::Unreadable)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Wrong::Algorithm);
    }
    // What must be understood is not.
    if header.crit.is_some() { Err(Wrong::Unreadable) } else { Ok(header) }
}

/// A key, where it may have signed a token with this header.
fn may_have_signed(key: &Jwk, header: &Header) -> Option<DecodingKey> {
    let common = &key.common;
    let is_named = match (&header.kid, &common.key_id) {
        (Some(wanted), Some(name)) => wanted == name,
        // A token without the name of its key, and a key without one, may belong together.
        (None, _) | (_, None) => true,
    };
    let signs = common.public_key_use.as_ref().is_none_or(|kind| *kind == PublicKeyUse::Signature);
    let is_for = |algorithm| algorithm == KeyAlgorithm::from(header.alg);
    let may = is_named && signs && common.key_algorithm.is_none_or(is_for);
    DecodingKey::from_jwk(key).ok().filter(|key| may && key.family() == header.alg.family())
}

fn why(kind: &ErrorKind) -> Wrong {
    match kind {
        ErrorKind::InvalidSignature => Wrong::Signature,
        ErrorKind::InvalidIssuer => Wrong::Issuer,
        ErrorKind::InvalidAudience => Wrong::Audience,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => Wrong::Claim,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => Wrong::Algorithm,
        _ => Wrong::Unreadable,
    }
}

/// The claims of a token whose signature, issuer and audience are right.
fn said(claims: Claims, expected: &Expected<'_>) -> Result<Claims, Wrong> {
    let number = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let (Some(expires), Some(issued)) = (number("exp"), number("iat")) else { return Err(Wrong::Claim) };
    let is_shared = claims.get("aud").and_then(Value::as_array).is_some_and(|list| list.len() > 1);
    let for_us = match claims.get("azp") {
        Some(client) => client.as_str() == Some(expected.client_id),
        None => !is_shared,
    };
    match () {
        () if text("sub").is_none_or(str::is_empty) => Err(Wrong::Claim),
        () if !for_us => Err(Wrong::Audience),
        () if expires.saturating_add(LEEWAY) <= expected.now => Err(Wrong::Expired),
        () if issued.saturating_sub(LEEWAY) > expected.now => Err(Wrong::NotYet),
        () if number("nbf").is_some_and(|from| from.saturating_sub(LEEWAY) > expected.now) => {
            Err(Wrong::NotYet)
        }
        () if text("nonce") != Some(expected.nonce) => Err(Wrong::Nonce),
        () => Ok(claims),
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Expected, Wrong, checked};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::jwk::Jwk;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::{Value, json};

    const NOW: i64 = 1_760_000_000;
    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://login.example.com", client_id: "seatledger", nonce: "n-1", now: NOW };

    /// Somebody who signs with a key of a curve.
    struct Signer {
        key: EcdsaKeyPair,
        random: SystemRandom,
    }

    fn coded(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    impl Signer {
        fn new() -> Self {
            let random = SystemRandom::new();
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let key =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
            Self { key, random }
        }

        fn published(&self, more: &Value) -> Jwk {
            let point = self.key.public_key().as_ref();
            let mut jwk =
                json!({ "kty": "EC", "crv": "P-256", "x": coded(&point[1..33]), "y": coded(&point[33..]) });
            jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(jwk).unwrap()
        }

        fn token(&self, header: &Value, claims: &Value) -> String {
            let message = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
            let signature = self.key.sign(&self.random, message.as_bytes()).unwrap();
            format!("{message}.{}", coded(signature))
        }
    }

    fn right() -> Value {
        json!({ "iss": EXPECTED.issuer, "sub": "s-1", "aud": "seatledger", "nonce": "n-1", "exp": NOW + 300, "iat": NOW,
                "roles": ["staff"] })
    }

    /// A right token but for some claims; those that are null are left out.
    fn of(changes: &Value) -> Result<Claims, Wrong> {
        let (signer, mut claims) = (Signer::new(), right());
        for (name, value) in changes.as_object().unwrap() {
            match value.is_null() {
                true => claims.as_object_mut().unwrap().remove(name),
                false => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        let token = signer.token(&json!({ "alg": "ES256", "kid": "k1" }), &claims);
        checked(&token, &[signer.published(&json!({ "kid": "k1" }))], &EXPECTED)
    }

    #[test]
    fn a_token_that_is_right_is_taken() {
        for changes in [
            json!({}),
            json!({ "aud": ["seatledger"] }),
            json!({ "aud": ["seatledger", "other"], "azp": "seatledger" }),
            json!({ "exp": NOW - 59 }),
            json!({ "iat": NOW + 59, "nbf": NOW + 59 }),
        ] {
            let claims = of(&changes).unwrap_or_else(|wrong| panic!("{changes}: {wrong:?}"));
            assert_eq!(claims["sub"], "s-1");
        }
    }

    #[test]
    fn a_token_that_is_not_for_this_login_is_refused() {
        for (changes, wrong) in [
            (json!({ "nonce": "n-2" }), Wrong::Nonce),
            (json!({ "nonce": null }), Wrong::Nonce),
            (json!({ "nonce": ["n-1"] }), Wrong::Nonce),
            (json!({ "aud": "other" }), Wrong::Audience),
            (json!({ "aud": ["other"] }), Wrong::Audience),
            (json!({ "aud": ["seatledger", "other"] }), Wrong::Audience),
            (json!({ "aud": "seatledger", "azp": "other" }), Wrong::Audience),
            (json!({ "aud": null }), Wrong::Claim),
            (json!({ "iss": "https://login.example.com/" }), Wrong::Issuer),
            (json!({ "iss": null }), Wrong::Claim),
            (json!({ "sub": null }), Wrong::Claim),
            (json!({ "sub": "" }), Wrong::Claim),
            (json!({ "exp": NOW - 60 }), Wrong::Expired),
            (json!({ "exp": null }), Wrong::Claim),
            (json!({ "exp": "never" }), Wrong::Claim),
            (json!({ "iat": NOW + 61 }), Wrong::NotYet),
            (json!({ "iat": null }), Wrong::Claim),
            (json!({ "nbf": NOW + 61 }), Wrong::NotYet),
        ] {
            assert_eq!(of(&changes).unwrap_err(), wrong, "{changes}");
        }
    }

    #[test]
    fn only_a_key_that_the_provider_publishes_for_it_signs() {
        let (signer, other) = (Signer::new(), Signer::new());
        let token = signer.token(&json!({ "alg": "ES256", "kid": "k1" }), &right());
        let of = |keys: &[Jwk]| checked(&token, keys, &EXPECTED).map(|_| ()).unwrap_err();
        assert_eq!(of(&[]), Wrong::UnknownKey);
        assert_eq!(of(&[signer.published(&json!({ "kid": "k2" }))]), Wrong::UnknownKey);
        assert_eq!(of(&[other.published(&json!({ "kid": "k1" }))]), Wrong::Signature);
        assert_eq!(of(&[signer.published(&json!({ "kid": "k1", "use": "enc" }))]), Wrong::UnknownKey);
        assert_eq!(of(&[signer.published(&json!({ "kid": "k1", "alg": "RS256" }))]), Wrong::UnknownKey);
        let unnamed = signer.token(&json!({ "alg": "ES256" }), &right());
        let keys = [
            other.published(&json!({ "kid": "k0" })),
            signer.published(&json!({ "kid": "k1", "alg": "ES256" })),
        ];
        assert!(checked(&unnamed, &keys, &EXPECTED).is_ok(), "without a name every key is tried");
    }

    #[test]
    fn what_is_changed_or_not_signed_is_refused() {
        let signer = Signer::new();
        let keys = [signer.published(&json!({ "kid": "k1" }))];
        let of = |token: &str| checked(token, &keys, &EXPECTED).map(|_| ()).unwrap_err();
        let token = signer.token(&json!({ "alg": "ES256", "kid": "k1" }), &right());
        let parts: Vec<&str> = token.split('.').collect();
        let mut claims = right();
        claims["roles"] = json!(["admins"]);
        let forged = coded(claims.to_string());
        assert_eq!(of(&format!("{}.{forged}.{}", parts[0], parts[2])), Wrong::Signature);
        assert_eq!(of(&format!("{}.{}.", parts[0], parts[1])), Wrong::Signature);
        for none in ["none", "None", "NONE"] {
            let header = coded(json!({ "alg": none, "kid": "k1" }).to_string());
            for signature in ["", parts[2]] {
                assert_eq!(of(&format!("{header}.{forged}.{signature}")), Wrong::Unreadable, "{none}");
            }
        }
        // A public key is no secret: nobody may sign with it as if it were one.
        let header = coded(json!({ "alg": "HS256", "kid": "k1" }).to_string());
        assert_eq!(of(&format!("{header}.{forged}.{}", parts[2])), Wrong::Algorithm);
        let crit = signer.token(&json!({ "alg": "ES256", "kid": "k1", "crit": ["exp"], "exp": 1 }), &right());
        assert_eq!(of(&crit), Wrong::Unreadable);
        for text in ["", "a", "a.b", "a.b.c", &format!("{token}.x")] {
            assert_eq!(of(text), Wrong::Unreadable, "{text}");
        }
    }
}
