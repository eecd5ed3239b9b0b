//! Tells a watchdog that a poll was made, or that it failed.

use std::time::Duration;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests the address, or the one of failures; why not, where that did not work.
pub(super) fn tell(url: &str, well: bool) -> Result<(), String> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().new_agent();
    let url = if well { url.to_owned() } else { format!("{url}/fail") };
    agent.get(&url).call().map(drop).map_err(|error| error.to_string())
}
