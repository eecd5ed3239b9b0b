//! True denials: refused requests that no checkout followed (domain.md §5).

use super::table::Table;
use crate::UnixMs;
use crate::event::DenialReason;
use crate::feature_day::{DayView, Outcome, Request};
use crate::ledger::{Names, PersonId};
use crate::session::{FeatureId, HolderId};
use rustc_hash::{FxHashMap, FxHashSet};

/// Refusals of one person and host no further apart than this, and a checkout so soon after them, are one request.
const TOGETHER_MS: i64 = 15 * 60_000;

/// A request that has been refused and may be granted yet.
#[derive(Debug)]
struct Storm {
    /// The first refusal.
    first: Asked,
    last_at: UnixMs,
}

/// A request's first refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asked {
    pub(crate) feature: FeatureId,
    pub(crate) at: UnixMs,
    pub(crate) holder: HolderId,
}

/// Joins refusals to requests: those of the same person, host (whatever its case) and feature, on any license server
/// and for any reason, of which each comes no more than 15 minutes after the one before. A checkout of the same no more
/// than 15 minutes after the last refusal ends the request: it was delayed. At one instant refusals come first.
#[derive(Debug)]
pub(crate) struct Storms {
    /// The same number for the same person and host.
    askers: Table<u32>,
    feature: Option<FeatureId>,
    open: FxHashMap<u32, Storm>,
    delayed: FxHashSet<Asked>,
    begun: Vec<Request>,
}

impl Storms {
    pub(crate) fn new(names: &Names) -> Self {
        let mut numbers: FxHashMap<(PersonId, String), u32> = FxHashMap::default();
        let mut askers = Table::new(names.holders.keys().map(|&id| (id, 0)));
        for (&id, holder) in names.holders.iter() {
            let next = numbers.len() as u32;
            askers.insert(id, *numbers.entry((holder.person, holder.host.to_lowercase())).or_insert(next));
        }
        Self {
            askers,
            feature: None,
            open: FxHashMap::default(),
            delayed: FxHashSet::default(),
            begun: Vec::new(),
        }
    }

    /// Takes a feature day in, of a feature one after another: the first refusals of the requests that begin on it, where
    /// they were for want of capacity.
    pub(crate) fn day(&mut self, view: &DayView<'_>) -> &[Request] {
        if self.feature != Some(view.feature) {
            self.open.clear();
            self.feature = Some(view.feature);
        }
        self.begun.clear();
        let reason = |request: &Request| match request.outcome {
            Outcome::Denied(reason) => Some(reason.code()),
            Outcome::Queued | Outcome::Dequeued => None,
        };
        let mut refused: Vec<&Request> = view.requests.iter().filter(|one| reason(one).is_some()).collect();
        refused.sort_by_key(|request| (request.at, reason(request)));
        let mut refused = refused.into_iter().peekable();
        if !self.open.is_empty() || refused.peek().is_some() {
            let starts =
                view.parts.iter().filter(|part| (view.civil.start..view.civil.end).contains(&part.from));
            for part in starts {
                while let Some(request) = refused.next_if(|request| request.at <= part.from) {
                    self.refused(view.feature, request);
                }
                self.checkout(part.holder, part.from);
            }
            for request in refused {
                self.refused(view.feature, request);
            }
        }
        &self.begun
    }

    /// Whether a request was granted after all.
    pub(crate) fn was_delayed(&self, asked: &Asked) -> bool {
        self.delayed.contains(asked)
    }

    /// Holders without a name are one asker.
    fn asker(&self, holder: HolderId) -> u32 {
        self.askers.get(holder).unwrap_or(u32::MAX)
    }

    fn refused(&mut self, feature: FeatureId, request: &Request) {
        let asker = self.asker(request.holder);
        match self.open.get_mut(&asker) {
            Some(storm) if request.at - storm.last_at <= TOGETHER_MS => storm.last_at = request.at,
            _ => {
                let first = Asked { feature, at: request.at, holder: request.holder };
                self.open.insert(asker, Storm { first, last_at: request.at });
                if request.outcome == Outcome::Denied(DenialReason::Capacity) {
                    self.begun.push(*request);
                }
            }
        }
    }

    fn checkout(&mut self, holder: HolderId, at: UnixMs) {
        if let Some(storm) = self.open.remove(&self.asker(holder))
            && at - storm.last_at <= TOGETHER_MS
        {
            self.delayed.insert(storm.first);
        }
    }
}
