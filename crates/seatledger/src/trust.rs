//! By which certificates those are verified to whom something is sent.

use anyhow::Context as _;
use std::path::Path;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// The public authorities', or those of a file in PEM.
pub(crate) fn tls(ca_file: Option<&Path>) -> anyhow::Result<TlsConfig> {
    let Some(file) = ca_file else { return Ok(TlsConfig::builder().build()) };
    let shown = file.display();
    let pem = std::fs::read(file).with_context(|| format!("ca_file {shown}"))?;
    let found: Vec<Certificate<'static>> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    anyhow::ensure!(!found.is_empty(), "ca_file {shown} holds no certificate in PEM");
    Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&found)).build())
}
