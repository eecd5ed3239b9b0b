//! From the configuration to sources that can be run: a line for each kind.

use super::follow::Follower;
use super::forward;
use super::live::{About, Named, Source};
use super::poll::Poller;
use super::syslog::Syslog;
use crate::config::{Config, SourceKind};
use std::collections::HashMap;

/// What the configuration says of license servers, and of those of which it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Servers {
    /// By all names that texts give them: the name in reports, and the IANA name of the zone of their logs.
    pub(crate) by_alias: HashMap<String, (String, Option<String>)>,
    /// The zone where neither the user nor the server's earlier inputs say one.
    pub(crate) default_zone: String,
}

impl Servers {
    /// What a configuration says.
    pub(crate) fn of(config: &Config, default_zone: String) -> Self {
        let mut by_alias = HashMap::new();
        for server in &config.servers {
            for alias in server.aliases.iter().chain([&server.name]) {
                by_alias.insert(alias.clone(), (server.name.clone(), server.timezone.clone()));
            }
        }
        Self { by_alias, default_zone }
    }
}

/// The sources of a configuration, in its order; behind them what tells the central service of them.
pub(crate) fn sources(config: &Config, servers: &Servers) -> Vec<Named> {
    let named = config.sources.iter().map(|configured| {
        let source: Box<dyn Source> = match &configured.kind {
            SourceKind::Follow(follow) => Box::new(Follower::new(follow, servers)),
            SourceKind::Poll(poll) => Box::new(Poller::new(&configured.name, poll, servers)),
            SourceKind::Syslog(syslog) => Box::new(Syslog::new(syslog, &configured.name, servers)),
        };
        let (kind, what) = (configured.kind.word(), configured.kind.what());
        Named { about: About { name: configured.name.clone(), kind, what }, source }
    });
    named.chain(config.forward.as_ref().map(forward::named)).collect()
}
