//! Whom `run` and `record` tell.

use crate::wrap::{Target, Way};
use clap::Args;
use std::path::PathBuf;

/// The environment's word for the token: it is not handed to the command that runs.
pub(super) const TOKEN: &str = "SEATLEDGER_TOKEN";
/// Who is told where nobody says whom: a service on this machine.
const HERE: &str = "http://127.0.0.1:8088";

/// Whom to tell.
#[derive(Debug, Clone, Args)]
pub(super) struct Whom {
    /// The service's address, or `syslog` for this machine's own syslog [default: <http://127.0.0.1:8088>]
    #[arg(long, env = "SEATLEDGER_TO", value_name = "URL|syslog")]
    to: Option<Target>,
    /// The token, of `seatledger token add NAME --events`; better in the environment, where other users do not see it
    #[arg(long, env = TOKEN, hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// A file with the token
    #[arg(long, env = "SEATLEDGER_TOKEN_FILE", conflicts_with = "token", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl Whom {
    /// The way there. Reads files: not before the command runs.
    pub(super) fn way(self) -> anyhow::Result<Way> {
        let target = match self.to {
            Some(target) => target,
            None => HERE.parse().map_err(anyhow::Error::msg)?,
        };
        let token = match (self.token, self.token_file) {
            (Some(token), _) => Some(token),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    anyhow::anyhow!("the token in {} cannot be read: {error}", path.display())
                })?;
                Some(text)
            }
            (None, None) => None,
        };
        let token = token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
        Ok(Way::new(target, token))
    }
}
