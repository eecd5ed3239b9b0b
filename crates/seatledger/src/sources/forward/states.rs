//! Tells the central service how the sources of this site are: the states that the services on this ledger tell it. They are
//! no facts: they go between the parts, and may be lost.

use super::super::live::{Post, Trouble};
use super::central::{Central, NotHeard};
use crate::clock;
use std::time::{Duration, Instant};
use store::sources::{MOST_OF_SITE, SiteSource, SiteSources, SourceTellings};

/// How often it is looked whether anything has changed.
const EVERY: Duration = Duration::from_secs(5);
/// What has not changed is told again after so long.
const AGAIN: Duration = Duration::from_mins(1);

/// What was told last.
pub(super) struct States {
    site: String,
    looked_at: Option<Instant>,
    told: Option<(Instant, Vec<SourceTellings>)>,
    /// Since when the central service refuses to hear of them, and why.
    refused: Option<(Instant, String)>,
}

impl States {
    pub(super) fn new(site: String) -> Self {
        Self { site, looked_at: None, told: None, refused: None }
    }

    /// Tells what has changed, where it was not looked of late; what is not heard is told the next time.
    pub(super) fn tell(&mut self, post: &Post, central: &Central) -> anyhow::Result<()> {
        let is_refused = self.refused.as_ref().is_some_and(|(at, _)| at.elapsed() < AGAIN);
        if is_refused || self.looked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return Ok(());
        }
        self.looked_at = Some(Instant::now());
        let (collector, sources) =
            post.with_store(|store| Ok((store.collector()?, store.own_sources_told()?)))?;
        let Some(collector) = collector else { return Ok(()) };
        let now = clock::now();
        let sources: Vec<_> = sources.into_iter().filter(|source| !source.is_over(now)).collect();
        let is_known = |(at, told): &(Instant, Vec<SourceTellings>)| at.elapsed() < AGAIN && *told == sources;
        if self.told.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        let told = SiteSources {
            site: self.site.clone(),
            collector,
            sources: sources.iter().take(MOST_OF_SITE).map(|source| of_site(source, now)).collect(),
        };
        match central.tell(&told) {
            Ok(()) => (self.told, self.refused) = (Some((Instant::now(), sources)), None),
            Err(NotHeard::Refused(Trouble { why, remedy })) => {
                self.is_refused(post, format!("{why}: {remedy}"));
            }
            // Parts are not heard either, and it is told there.
            Err(_) => self.told = None,
        }
        Ok(())
    }

    /// Says so once, and tells them again after a while.
    fn is_refused(&mut self, post: &Post, why: String) {
        let is_news = self.refused.take().is_none_or(|(_, before)| before != why);
        if is_news {
            post.log()
                .warn(&format!("the central service refuses how the sources of this site are: {why}"), &[]);
        }
        (self.told, self.refused) = (None, Some((Instant::now(), why)));
    }
}

fn of_site(SourceTellings { host, told_at, told, .. }: &SourceTellings, now: i64) -> SiteSource {
    SiteSource { host: host.clone(), told_ms_ago: now - told_at, told: told.clone() }
}
