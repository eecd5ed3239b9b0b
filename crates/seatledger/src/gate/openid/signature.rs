//! Signatures of tokens, verified by the cryptography that TLS uses here anyway.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as ring;

/// How a token may be signed: by a key of the provider's own, never by a secret that both know.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static VERIFYING: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Has signatures verified here; once in a process, again does nothing.
pub(super) fn install() {
    // Nobody else installs one.
    let _ = VERIFYING.install_default();
}

/// Nothing is signed here.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "jsonwebtoken asks for such functions")]
fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "jsonwebtoken asks for such functions")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    if key.family() != algorithm.family() || !ALGORITHMS.contains(algorithm) {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    Ok(Box::new(Key { algorithm: *algorithm, key: key.clone() }))
}

/// A public key, and how it is used.
struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Key {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Key {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let how = of_rsa(self.algorithm).ok_or_else(Error::new)?;
                ring::RsaPublicKeyComponents { n: trimmed(n), e: trimmed(e) }.verify(how, message, signature)
            }
            DecodingKeyKind::SecretOrDer(key) => {
                let how = of_curve(self.algorithm).ok_or_else(Error::new)?;
                ring::UnparsedPublicKey::new(how, key).verify(message, signature)
            }
        };
        verified.map_err(|_| Error::new())
    }
}

/// Numbers are written without zeros before them, but not by everybody.
fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn of_rsa(algorithm: Algorithm) -> Option<&'static ring::RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&ring::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&ring::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&ring::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&ring::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&ring::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&ring::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn of_curve(algorithm: Algorithm) -> Option<&'static dyn ring::VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&ring::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&ring::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&ring::ED25519),
        _ => None,
    }
}
