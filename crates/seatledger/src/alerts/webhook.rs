//! Messages over HTTP.

use super::message::Message;
use super::sending::Failure;
use super::shape::body;
use super::words::Words;
use crate::config::WebhookConfig;
use std::io::Read as _;

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
    let tls = crate::trust::tls(webhook.ca_file.as_deref());
    let tls = tls.map_err(|error| Failure::Away(format!("{error:#}")))?;
    Ok(ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(webhook.timeout))
        .tls_config(tls)
        .user_agent(concat!("seatledger/", env!("CARGO_PKG_VERSION")))
        .build()
        .new_agent())
}
