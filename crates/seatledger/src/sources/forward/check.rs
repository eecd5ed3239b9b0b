//! What `seatledger check` finds of a site's way to the central service.

use super::super::live::{Finding, Post};
use super::central::{Central, NotHeard};
use super::site;
use crate::config::ForwardConfig;

/// Tries the address and the token, and looks at what waits.
pub(super) fn check(config: &ForwardConfig, post: &Post) -> Vec<Finding> {
    let mut findings = vec![of_central(config)];
    if let Some(host) = unprotected(&config.url) {
        findings.push(Finding::doubtful(
            format!("who used what, and the token, go to {host} in the clear"),
            "write https:// in url, and [http] tls (or a proxy) at the central service: docs/service.md",
        ));
    }
    findings.extend(of_ledger(config, post));
    findings
}

fn of_central(config: &ForwardConfig) -> Finding {
    let shown = config.shown();
    let asked = Central::new(config).map_err(NotHeard::Refused).and_then(|central| central.post(&[], false));
    match asked {
        Ok(_) => Finding::well(format!("{shown} takes what this site tells, as {}", site(config))),
        Err(NotHeard::Refused(trouble)) => Finding::bad(trouble.why, trouble.remedy),
        Err(NotHeard::Diverged(why)) => {
            Finding::bad(format!("{shown} refuses: {why}"), "bring both services to one version")
        }
        Err(NotHeard::Busy { why, .. }) => {
            Finding::doubtful(format!("{shown} is busy: {why}"), "it is tried again by itself")
        }
        Err(NotHeard::Away(why)) => Finding::bad(
            format!("{shown} does not answer: {why}"),
            "see whether the central service runs, and whether this machine may reach it; what is taken in waits here",
        ),
    }
}

/// The host of an address that is not this machine, and not protected.
fn unprotected(url: &str) -> Option<&str> {
    let host = url.strip_prefix("http://")?.split('/').next()?;
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    (!matches!(name, "localhost" | "127.0.0.1" | "[::1]")).then_some(host)
}

fn of_ledger(config: &ForwardConfig, post: &Post) -> Vec<Finding> {
    let seen =
        post.with_store(|store| Ok((store.waiting()?, store.inputs_not_forwarded()?, store.parked()?)));
    // What is wrong with the ledger itself is found where it is looked at.
    let Ok((waiting, others, parked)) = seen else { return Vec::new() };
    let mut findings = Vec::new();
    if waiting.parts > 0 {
        let (parts, bytes) = (waiting.parts, waiting.bytes);
        let what = format!("{parts} parts of {bytes} bytes wait for the central service");
        let is_full = bytes >= config.most_bytes;
        findings.push(if is_full {
            Finding::bad(
                what + ", and no more may",
                "nothing is taken in until it takes them; most_bytes says how much may wait",
            )
        } else {
            Finding::well(what)
        });
    }
    findings.extend(super::parked(&parked).map(|trouble| Finding::bad(trouble.why, trouble.remedy)));
    if others > 0 {
        findings.push(Finding::doubtful(
            format!("the ledger holds {others} inputs of which the central service was told nothing"),
            "read logs anew with `seatledger import --replace FILE…`, which tells it of them",
        ));
    }
    findings
}
