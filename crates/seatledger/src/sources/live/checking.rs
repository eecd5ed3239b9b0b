//! Trying sources once, without running them.

use super::connections::{Access, Connections};
use super::hands::Hands;
use super::post::Post;
use super::signal::Signal;
use super::status::{About, Status};
use super::{Finding, Named};
use crate::oplog::OpLog;
use std::sync::Arc;
use store::Opener;

/// Tries each source once; nothing is written, and nothing is waited for that is away.
pub(crate) fn check(sources: Vec<Named>, opener: Opener) -> Vec<(About, Vec<Finding>)> {
    let connections = Arc::new(Connections::new(opener, Access::Reading));
    let signal = Arc::new(Signal::default());
    let check = |Named { about, mut source }: Named| {
        let post = Post {
            status: Arc::new(Status::new(about.clone())),
            connections: Arc::clone(&connections),
            signal: Arc::clone(&signal),
            hands: Hands::default(),
            log: OpLog::silent(),
        };
        (about, source.check(&post))
    };
    sources.into_iter().map(check).collect()
}
