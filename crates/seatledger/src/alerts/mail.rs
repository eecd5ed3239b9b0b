//! Messages by mail.

use super::message::Message;
use super::sending::Failure;
use super::words::Words;
use crate::config::{SmtpConfig, SmtpTls};
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use std::time::Duration;

/// What a mail server answers that wants a login, or another one (RFC 4954).
const LOGIN: [&str; 4] = ["530", "534", "535", "538"];

/// Sends one message to one address.
pub(super) fn send(
    smtp: &SmtpConfig,
    to: &str,
    message: &Message,
    id: &str,
    words: &Words,
) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::Refused(error.to_string());
    let mut title = words.title(message);
    // A line of a head has an end, and no line breaks.
    title.retain(|letter| !letter.is_control());
    if title.chars().count() > 200 {
        title = title.chars().take(199).chain(['…']).collect();
    }
    let at = Duration::from_millis(u64::try_from(message.at).unwrap_or_default());
    let mail = lettre::Message::builder()
        .from(smtp.from.parse().map_err(|error: lettre::address::AddressError| wrong(&error))?)
        .to(to.parse().map_err(|error: lettre::address::AddressError| wrong(&error))?)
        .subject(format!("[Seatledger] {title}"))
        .date(std::time::UNIX_EPOCH + at)
        .message_id(Some(id.to_owned()))
        // RFC 3834: no out-of-office answers to this.
        .raw_header(lettre::message::header::HeaderValue::new(
            lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .header(ContentType::TEXT_PLAIN)
        .body(words.text(message))
        .map_err(|error| wrong(&error))?;
    match transport(smtp)?.send(&mail) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = told(&error);
            // 5xx to a recipient or a message is an answer; what is wrong with a login may be set right meanwhile.
            let is_login = error.status().is_some_and(|code| LOGIN.contains(&code.to_string().as_str()));
            let is_answer = error.is_permanent() && !is_login;
            Err(if is_answer { Failure::Refused(text) } else { Failure::Away(text) })
        }
    }
}

/// A transport for one mail: alerts are rare, and a connection that is kept would be closed by the server.
fn transport(smtp: &SmtpConfig) -> Result<SmtpTransport, Failure> {
    let away = |error: &dyn std::fmt::Display| Failure::Away(error.to_string());
    let tls = match smtp.tls {
        SmtpTls::Off => Tls::None,
        SmtpTls::StartTls => Tls::Required(parameters(smtp)?),
        SmtpTls::Implicit => Tls::Wrapper(parameters(smtp)?),
    };
    let mut builder = SmtpTransport::builder_dangerous(smtp.host.clone())
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(smtp.timeout));
    if let (Some(user), Some(password)) = (&smtp.user, &smtp.password) {
        let password = password.read().map_err(|error| away(&error))?;
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    Ok(builder.build())
}

fn parameters(smtp: &SmtpConfig) -> Result<TlsParameters, Failure> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(file) = &smtp.ca_file {
        let shown = file.display();
        let pem =
            std::fs::read(file).map_err(|error| Failure::Away(format!("[smtp] ca_file {shown}: {error}")))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| {
            Failure::Away(format!("[smtp] ca_file {shown} holds no certificate in PEM: {error}"))
        })?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| Failure::Away(told(&error)))
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = error.source();
    }
    text
}
