//! Feature days of which this process has everything in memory: they are computed and stored by the commit that
//! completes them, without their sessions being read again.
//!
//! A day is taken in where the ledger has nothing of it at all when it is first touched: no figures and no mark. From
//! then on its closed sessions and requests are kept here, and its open sessions are those of the license servers'
//! states. It is stored when all evidence has passed it and none of its sessions is open. Whatever else touches it (late
//! input, polls, another process) lets go of it: then it is a dirty day like any other. Between commits it is marked as
//! if nothing were kept here, so that a kill loses nothing.
//!
//! Beside another process this is safe because a commit holds days only while it has the lock of all who store days
//! ([`crate::derive::DAYS_LOCK`]) alone, and takes away no mark but its own: others may add sessions to a day that it
//! stores, and their marks stay.

use super::marks::new_mark;
use super::rows_of;
use crate::Error;
use crate::backend::{Backend, Value, all, one};
use crate::derive::{Computed, Context, parse_day};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::feature_day::Request;
use accounting::session::{FeatureId, HolderId, Part};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeMap;

/// So many sessions and requests are kept at most between commits, so that memory does not grow with the log.
const KEPT_AT_MOST: usize = 400_000;
/// A commit reads all names to compute days only if it holds at least one event or session for so many holders.
const HOLDERS_AN_EVENT: u64 = 4;

/// Of so many days of a feature room is kept.
pub(super) const SPARE_AT_MOST: usize = 2;
/// Room for more sessions than this is not kept.
const ROOM_AT_MOST: usize = 4_096;

/// The sessions of a feature that are open: from when, and whose.
pub(super) type OpenSince = FxHashMap<FeatureId, Vec<(UnixMs, HolderId)>>;

/// The days that are held.
#[derive(Debug, Default)]
pub(in crate::intake) struct Held {
    days: FxHashMap<FeatureId, BTreeMap<Day, HeldDay>>,
    /// Sessions and requests in them.
    kept: usize,
    /// Days that the ledger has something of, and such as were stored or let go of by this stretch.
    known: FxHashSet<(FeatureId, Day)>,
    /// The first day that can be taken in by this stretch; none where no day can.
    first: Option<Day>,
    /// The features of which was asked which days the ledger has something of: days of others are not taken in.
    asked: FxHashSet<FeatureId>,
    /// Days that this stretch has stored, with the mark that they had.
    stored: Vec<(FeatureId, Day, Mark)>,
    /// Room for the parts of a feature's days to come: that of its days that are stored.
    spare: FxHashMap<FeatureId, Vec<Vec<Part>>>,
}

/// The state and number of a mark.
type Mark = (i64, i64);

#[derive(Debug, Default)]
struct HeldDay {
    parts: Vec<Part>,
    requests: Vec<Request>,
    /// The state and number of its one mark in the ledger; none before the end of the commit that took it in.
    mark: Option<Mark>,
    /// Whether some evidence is known not to have passed its end.
    unsettled: bool,
}

const DIRTY: i64 = 0;
const UNSETTLED: i64 = 1;

impl Held {
    /// Begins a stretch: lets go of days that somebody else has touched, and learns which days are not to be taken in.
    /// `first` is the day of its first event.
    pub(super) fn begin(
        &mut self,
        backend: &mut dyn Backend,
        features: &[FeatureId],
        first: Day,
    ) -> Result<(), Error> {
        self.known.clear();
        self.stored.clear();
        self.first = Some(first);
        let earliest = self.days.values().filter_map(|days| days.keys().next()).min();
        let since = earliest.map_or(first, |day| first.min(*day)).to_string();
        let mut marks: FxHashMap<(FeatureId, Day), Vec<Mark>> = FxHashMap::default();
        let sql = "select feature_id, day, state, mark from feature_day_mark where day >= $1";
        backend.query(sql, &[since.as_str().into()], &mut |row| {
            let day = (row.id(0)?, row.with_text(1, parse_day)??);
            marks.entry(day).or_default().push((row.int(2)?, row.int(3)?));
            Ok(())
        })?;
        for (feature, days) in &mut self.days {
            days.retain(|day, held| {
                let ours = match marks.remove(&(*feature, *day)) {
                    Some(marks) => held.mark.is_some_and(|mark| marks == [mark]),
                    None => false,
                };
                held.unsettled = false;
                if !ours {
                    self.kept -= held.parts.len() + held.requests.len();
                    self.known.insert((*feature, *day));
                }
                ours
            });
        }
        self.known.extend(marks.into_keys());
        self.asked = features.iter().copied().collect();
        let rows = rows_of(features, |feature| json!([feature]));
        let sql = include_str!("../../../queries/feature_day_since.sql");
        let stored =
            all(backend, sql, &[rows, since.into()], |row| Ok((row.id(0)?, row.with_text(1, parse_day)??)))?;
        self.known.extend(stored);
        Ok(())
    }

    /// Whether this commit holds enough to be worth reading all names for.
    pub(super) fn worth_computing(&self, backend: &mut dyn Backend, events: usize) -> Result<bool, Error> {
        let holders = one(backend, "select max(holder_id) from holder", &[], |row| row.opt_int(0))?;
        let holders = holders.flatten().unwrap_or_default() as u64;
        Ok(self.first.is_some() && (self.kept + events) as u64 * HOLDERS_AN_EVENT >= holders)
    }

    /// The day, where it is held or can be taken in.
    fn day(&mut self, feature: FeatureId, day: Day) -> Option<&mut HeldDay> {
        let first = self.first?;
        match self.days.entry(feature).or_default().entry(day) {
            std::collections::btree_map::Entry::Occupied(held) => Some(held.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => (day >= first
                && self.asked.contains(&feature)
                && !self.known.contains(&(feature, day)))
            .then(|| {
                let parts = self.spare.get_mut(&feature).and_then(Vec::pop).unwrap_or_default();
                place.insert(HeldDay { parts, ..HeldDay::default() })
            }),
        }
    }

    /// Takes in what touches a day; false where the day is not held.
    pub(super) fn touch(&mut self, feature: FeatureId, day: Day, part: Option<Part>) -> bool {
        let Some(held) = self.day(feature, day) else { return false };
        if let Some(part) = part {
            held.parts.push(part);
            self.kept += 1;
        }
        true
    }

    /// Takes in a request; false where its day is not held.
    pub(super) fn request(&mut self, feature: FeatureId, day: Day, request: Request) -> bool {
        let Some(held) = self.day(feature, day) else { return false };
        held.requests.push(request);
        self.kept += 1;
        true
    }

    /// Lets go of a day: something else touched it.
    pub(super) fn let_go(&mut self, feature: FeatureId, day: Day) {
        if self.first.is_none() {
            return;
        }
        if let Some(held) = self.days.get_mut(&feature).and_then(|days| days.remove(&day)) {
            self.kept -= held.parts.len() + held.requests.len();
        }
        self.known.insert((feature, day));
    }

    /// Lets go of all days.
    pub(in crate::intake) fn let_go_of_all(&mut self) {
        *self = Self::default();
    }

    /// The features with days that are held.
    pub(super) fn features(&self) -> Vec<FeatureId> {
        self.days.iter().filter(|(_, days)| !days.is_empty()).map(|(feature, _)| *feature).collect()
    }

    /// Takes out the days of a feature that are complete.
    pub(super) fn take_complete(
        &mut self,
        feature: FeatureId,
        open: &OpenSince,
        context: &mut Context,
    ) -> Vec<Computed> {
        let open = open.get(&feature).map_or(&[][..], Vec::as_slice);
        let Self { days, kept, known, stored, .. } = self;
        let Some(days) = days.get_mut(&feature) else { return Vec::new() };
        let mut complete = Vec::new();
        days.retain(|day, held| {
            let end = context.civil(*day).end;
            let mut computed = Computed {
                day: *day,
                parts: std::mem::take(&mut held.parts),
                requests: std::mem::take(&mut held.requests),
                settled: false,
            };
            let mut waits = false;
            let mut passed = context.ledger.settled(&computed, end);
            for (_, holder) in open.iter().filter(|(from, _)| *from < end) {
                waits = true;
                passed &= context.ledger.has_passed(*holder, end);
            }
            if waits || !passed {
                held.unsettled = !passed;
                (held.parts, held.requests) = (computed.parts, computed.requests);
                return true;
            }
            *kept -= computed.parts.len() + computed.requests.len();
            computed.settled = true;
            if !(computed.parts.is_empty() && computed.requests.is_empty()) {
                complete.push(computed);
            }
            known.insert((feature, *day));
            if let Some(mark) = held.mark {
                stored.push((feature, *day, mark));
            }
            false
        });
        complete
    }

    /// Keeps the room of a day that is stored for another one of its feature.
    pub(super) fn keep_room(&mut self, feature: FeatureId, mut parts: Vec<Part>) {
        let spare = self.spare.entry(feature).or_default();
        if spare.len() < SPARE_AT_MOST && parts.capacity() <= ROOM_AT_MOST {
            parts.clear();
            spare.push(parts);
        }
    }

    /// Ends a stretch: marks what is held as it must be for everybody else, and takes away the marks of what was stored.
    /// Days in `dirty` keep all their marks; `of_commit` is the number of all others that this commit has set.
    pub(super) fn end(
        &mut self,
        backend: &mut dyn Backend,
        dirty: &FxHashSet<(FeatureId, Day)>,
        of_commit: i64,
    ) -> Result<(), Error> {
        let too_much = self.kept > KEPT_AT_MOST;
        // One that no other process has set either, whatever its state: it is ours to take away.
        let mark = new_mark();
        let mut gone = std::mem::take(&mut self.stored);
        let mut by_state: [Vec<(FeatureId, Day)>; 2] = Default::default();
        for (feature, days) in &mut self.days {
            for (day, held) in days {
                if let Some(mark) = held.mark {
                    gone.push((*feature, *day, mark));
                }
                let state = if held.unsettled { UNSETTLED } else { DIRTY };
                held.mark = Some((state, mark));
                by_state[state as usize].push((*feature, *day));
            }
        }
        gone.retain(|(feature, day, _)| !dirty.contains(&(*feature, *day)));
        let rows =
            |days: &[(FeatureId, Day)]| rows_of(days, |(feature, day)| json!([feature, day.to_string()]));
        if !gone.is_empty() {
            let ours = gone.iter().flat_map(|(feature, day, mark)| {
                [*mark, (DIRTY, of_commit)]
                    .map(|(state, mark)| json!([feature, day.to_string(), state, mark]))
            });
            let ours = rows_of(ours, |row| row);
            backend.execute(include_str!("../../../queries/mark_delete_exact.sql"), &[ours])?;
        }
        for (state, mut days) in [DIRTY, UNSETTLED].into_iter().zip(by_state) {
            if !days.is_empty() {
                days.sort_unstable();
                let params = [rows(&days), Value::Int(state), Value::Int(mark)];
                backend.execute(include_str!("../../../queries/mark_insert.sql"), &params)?;
            }
        }
        if too_much {
            self.let_go_of_all();
        }
        self.first = None;
        self.known.clear();
        Ok(())
    }
}
