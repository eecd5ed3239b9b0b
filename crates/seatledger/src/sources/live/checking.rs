//! Trying sources once, without running them.

use super::claims::words;
use super::connections::{Access, Connections};
use super::hands::Hands;
use super::post::Post;
use super::signal::Signal;
use super::status::{About, Status};
use super::{Finding, Named};
use crate::clock;
use crate::oplog::OpLog;
use std::sync::Arc;
use store::Opener;

/// Tries each source once; nothing is written, and nothing is waited for that is away.
pub(crate) fn check(sources: Vec<Named>, opener: Opener) -> Vec<(About, Vec<Finding>)> {
    let connections = Arc::new(Connections::new(opener, Access::Reading));
    let signal = Arc::new(Signal::default());
    // Where the ledger does not answer others tell so.
    let claimed = connections.with(&mut |store| store.claimed_sources(clock::now())).unwrap_or_default();
    let check = |mut named: Named| {
        let by = named.claim().and_then(|source| claimed.get(&source));
        let Named { about, source } = &mut named;
        let post = Post {
            status: Arc::new(Status::new(about.clone(), None)),
            connections: Arc::clone(&connections),
            signal: Arc::clone(&signal),
            hands: Hands::default(),
            claim: None,
            log: OpLog::silent(),
        };
        let mut findings: Vec<Finding> =
            by.map(|by| Finding::well(format!("{} takes it in now", words(by)))).into_iter().collect();
        findings.extend(source.check(&post));
        (named.about, findings)
    };
    sources.into_iter().map(check).collect()
}
