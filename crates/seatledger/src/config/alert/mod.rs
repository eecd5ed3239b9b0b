//! The sections `[[alert]]`, `[smtp]` and `[[webhook]]`: who is told what, when, and by what way.

mod receiver;
mod rule;
#[cfg(test)]
mod tests;

pub(super) use receiver::set_secret;
pub(crate) use receiver::{Receiver, Secret, Shape, SmtpConfig, SmtpTls, WebhookConfig};
pub(super) use rule::milliseconds;

use super::document::{Entry, Wrong};
use accounting::alert::Rule;

/// A rule, and who is told.
#[derive(Debug, Clone)]
pub(crate) struct AlertConfig {
    pub(crate) rule: Rule,
    pub(crate) notify: Vec<Receiver>,
    /// The line of the configuration on which it begins.
    pub(crate) line: usize,
}

/// All that the configuration says of alerts.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlertsConfig {
    pub(crate) rules: Vec<AlertConfig>,
    pub(crate) smtp: Option<SmtpConfig>,
    pub(crate) webhooks: Vec<WebhookConfig>,
}

impl PartialEq for AlertsConfig {
    /// Patterns cannot be compared: what is written is.
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

impl Eq for AlertsConfig {}

impl AlertsConfig {
    /// The sections of a text, each where there is one.
    pub(super) fn of(
        alerts: Option<&Entry<'_>>,
        smtp: Option<&Entry<'_>>,
        webhooks: Option<&Entry<'_>>,
        text: &str,
    ) -> Result<Self, Wrong> {
        let smtp = smtp.map(SmtpConfig::of).transpose()?;
        let webhooks = webhooks.map(receiver::webhooks).transpose()?.unwrap_or_default();
        let ways = receiver::Ways { has_smtp: smtp.is_some(), webhooks: &webhooks };
        let rules = alerts.map(|section| rule::rules(section, &ways, text)).transpose()?.unwrap_or_default();
        Ok(Self { rules, smtp, webhooks })
    }

    /// All who are told something, each once, in the order of the rules.
    pub(crate) fn receivers(&self) -> Vec<&Receiver> {
        let mut receivers: Vec<&Receiver> = Vec::new();
        for receiver in self.rules.iter().flat_map(|alert| &alert.notify) {
            if !receivers.contains(&receiver) {
                receivers.push(receiver);
            }
        }
        receivers
    }
}
