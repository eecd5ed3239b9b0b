//! Messages over HTTP.

use super::message::Message;
use super::sending::Failure;
use super::shape::body;
use super::words::Words;
use crate::config::WebhookConfig;
use std::io::Read as _;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// What is read of an answer that says why a message is not wanted, in bytes.
const ANSWER: u64 = 300;

/// Posts one message. `id` is the same whenever the same message is sent again.
pub(super) fn send(
    webhook: &WebhookConfig,
    message: &Message,
    id: &str,
    words: &Words,
) -> Result<(), Failure> {
    let url = webhook.url.read().map_err(|error| Failure::Away(error.to_string()))?;
    let text = body(webhook.shape, message, words).to_string();
    let mut request =
        agent(webhook)?.post(&url).content_type("application/json").header("Idempotency-Key", id);
    if let Some(token) = &webhook.token {
        let token = token.read().map_err(|error| Failure::Away(error.to_string()))?;
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut answer = request.send(text).map_err(|error| Failure::Away(error.to_string()))?;
    let status = answer.status();
    let mut why = Vec::new();
    let _ = answer.body_mut().as_reader().take(ANSWER).read_to_end(&mut why);
    let why = String::from_utf8_lossy(&why).split_whitespace().collect::<Vec<_>>().join(" ");
    let told = format!("HTTP status {status}: {why}").trim_end_matches([':', ' ']).to_owned();
    match status.as_u16() {
        200..=299 => Ok(()),
        // What a receiver says of itself may pass: a wrong token or address is set right, a limit ends.
        401 | 403 | 404 | 408 | 410 | 429 | 500..=599 => Err(Failure::Away(told)),
        _ => Err(Failure::Refused(told)),
    }
}

fn agent(webhook: &WebhookConfig) -> Result<ureq::Agent, Failure> {
    let mut tls = TlsConfig::builder();
    if let Some(file) = &webhook.ca_file {
        let shown = file.display();
        let pem = std::fs::read(file).map_err(|error| Failure::Away(format!("ca_file {shown}: {error}")))?;
        let found: Vec<Certificate<'static>> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if found.is_empty() {
            return Err(Failure::Away(format!("ca_file {shown} holds no certificate in PEM")));
        }
        tls = tls.root_certs(RootCerts::new_with_certs(&found));
    }
    Ok(ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(webhook.timeout))
        .tls_config(tls.build())
        .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}
