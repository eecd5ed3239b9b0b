//! Passwords and secrets: they are shown or typed once, and only their hashes are kept.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The shortest password, in characters.
const SHORTEST: usize = 8;
/// The longest one, in bytes.
const LONGEST: usize = 512;

/// Why a text is no password.
pub(crate) fn complaint_about_password(password: &str) -> Option<&'static str> {
    match password {
        _ if password.chars().count() < SHORTEST => Some("a password has at least 8 characters"),
        _ if password.len() > LONGEST => Some("a password has at most 512 bytes"),
        _ if password.chars().any(char::is_control) => Some("a password has no control characters"),
        _ => None,
    }
}

/// The hash of a password, argon2id with a salt of its own, as a PHC text.
pub(crate) fn hash_password(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("cannot hash the password: {error}"))?.to_string())
}

/// Whether a password has this hash.
pub(crate) fn is_password(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A new secret of 256 random bits.
pub(crate) fn new_secret(prefix: &str) -> anyhow::Result<String> {
    Ok(format!("{prefix}{}", hex(&random_key()?)))
}

/// What nothing else is called: 64 random bits.
pub(crate) fn new_mark() -> anyhow::Result<String> {
    Ok(hex(&random_key()?[..8]))
}

/// 256 random bits.
pub(crate) fn random_key() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the machine has no random numbers: {error}"))?;
    Ok(bytes)
}

/// What is kept of a secret: its SHA-256. Nobody can try out 2²⁵⁶ secrets, so it need not be slow.
pub(crate) fn hash_of_secret(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{complaint_about_password, hash_of_secret, hash_password, is_password, new_secret};

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert!(is_password("correct horse", &hash));
        assert!(!is_password("correct Horse", &hash));
        assert!(!is_password("correct horse", "no hash at all"));
        assert_ne!(hash, hash_password("correct horse").unwrap(), "each has a salt of its own");
    }

    #[test]
    fn short_long_and_unprintable_passwords_are_refused() {
        assert_eq!(complaint_about_password("8 räume!"), None);
        for wrong in ["", "7 zeichen"[..7].to_owned().as_str(), "with\nnewline", &"x".repeat(513)] {
            assert!(complaint_about_password(wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn secrets_differ_and_their_hash_is_sha_256() {
        let [one, other] = [new_secret("slt_").unwrap(), new_secret("slt_").unwrap()];
        assert_ne!(one, other);
        assert_eq!((one.len(), &one[..4]), (68, "slt_"));
        let of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of_secret("abc"), of_abc);
    }
}
