//! HTTPS: certificate and key from PEM files.

use crate::config::TlsConfig;
use anyhow::Context;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

/// What proves to clients who the service is.
pub(crate) fn acceptor(tls: &TlsConfig) -> anyhow::Result<TlsAcceptor> {
    let (certificate, key) = (tls.certificate.display(), tls.key.display());
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read the certificate {certificate}"))?;
    anyhow::ensure!(!chain.is_empty(), "there is no certificate in {certificate}: it must be a PEM file");
    let secret = PrivateKeyDer::from_pem_file(&tls.key)
        .with_context(|| format!("cannot read the private key {key}: it must be a PEM file"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .with_context(|| format!("the key {key} does not belong to the certificate {certificate}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
