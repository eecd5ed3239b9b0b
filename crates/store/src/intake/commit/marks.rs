//! Which feature days a commit makes dirty.

use super::held::Held;
use super::{Batch, Before, Changes, Intake, Key, rows_of};
use crate::Error;
use crate::backend::{Backend, Value};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::feature_day::Request;
use accounting::ledger::ServerId;
use accounting::pairing::Session;
use accounting::session::{FeatureId, Part};
use jiff::tz::TimeZone;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeSet;

/// Feature days that must be derived anew.
#[derive(Debug)]
pub(super) struct Marks {
    zone: TimeZone,
    /// The days that need not be derived anew, because everything in them is in memory.
    pub(super) held: Held,
    pub(super) dirty: FxHashSet<(FeatureId, Day)>,
    /// The two days found last with their bounds: neighbouring rows begin in one and end in the other.
    known: [(UnixMs, UnixMs, Day); 2],
    /// Days over which the evidence of a source moved.
    settle: Option<(Day, Day)>,
    /// The range marked last: neighbouring rows mark the same.
    last: (FeatureId, Day, Day),
    /// Features whose capacity changed over `[from, until)`.
    capacity: Vec<(FeatureId, UnixMs, Option<UnixMs>)>,
}

impl Marks {
    pub(super) fn new(zone: TimeZone, held: Held) -> Self {
        Self {
            zone,
            held,
            dirty: FxHashSet::default(),
            known: [(0, 0, Day(0)); 2],
            settle: None,
            last: (0, Day::MAX, Day::MAX),
            capacity: Vec::new(),
        }
    }

    pub(super) fn day_of(&mut self, at: UnixMs) -> Day {
        if let Some((_, _, day)) = self.known.iter().find(|(start, end, _)| (*start..*end).contains(&at)) {
            return *day;
        }
        let day = Day::of(at, &self.zone);
        self.known = [self.known[1], (day.start(&self.zone), day.next().start(&self.zone), day)];
        day
    }

    fn days_of(&mut self, from: UnixMs, until: UnixMs) -> (Day, Day) {
        let first = self.day_of(from);
        (first, if until - 1 > from { self.day_of(until - 1) } else { first })
    }

    /// Marks the days that `[from, until)` touches.
    pub(super) fn range(&mut self, feature: FeatureId, from: UnixMs, until: UnixMs) {
        let (first, last) = self.days_of(from, until);
        if self.last == (feature, first, last) {
            return;
        }
        self.last = (feature, first, last);
        for day in (first.0..=last.0).map(Day) {
            self.held.let_go(feature, day);
            self.dirty.insert((feature, day));
        }
    }

    /// As [`Self::range`], of a session whose key went on in order; `part` is the session where it is closed.
    pub(super) fn in_order(&mut self, feature: FeatureId, from: UnixMs, until: UnixMs, part: Option<Part>) {
        let (first, last) = self.days_of(from, until);
        for day in (first.0..=last.0).map(Day) {
            if !self.held.touch(feature, day, part) {
                self.dirty.insert((feature, day));
            }
        }
    }

    /// Marks the day of a request that is new.
    pub(super) fn request(&mut self, feature: FeatureId, request: Request) {
        let day = self.day_of(request.at);
        if !self.held.request(feature, day, request) {
            self.dirty.insert((feature, day));
        }
    }

    /// The day of a batch's first start, end or request; [`Day::MAX`] where it has none.
    pub(super) fn first_day(&mut self, batch: &Batch) -> Day {
        let of_events = batch.events.iter().map(|event| event.step.at());
        let first = of_events.chain(batch.requests.iter().map(|request| request.at)).min();
        first.map_or(Day::MAX, |at| self.day_of(at))
    }

    /// Lets the days that are held go on with a batch and those behind it, where nobody else can store days beside it (it
    /// is `alone`) and nothing is taken back; `first` is its first day.
    pub(super) fn begin_held(
        &mut self,
        backend: &mut dyn Backend,
        (batch, first): (&Batch, Day),
        features: &[FeatureId],
        alone: bool,
    ) -> Result<(), Error> {
        if !alone || batch.takes_back() {
            self.held.let_go_of_all();
            return Ok(());
        }
        self.held.begin(backend, features, first)
    }

    /// Notes that a feature's capacity is another one over `[from, until)`: days that are stored tell it.
    pub(super) fn capacity_changed(&mut self, feature: FeatureId, from: UnixMs, until: Option<UnixMs>) {
        self.capacity.push((feature, from, until));
    }

    /// Notes that a source's evidence moved. Where it stays within a day it has passed the end of none, and settles
    /// nothing.
    pub(super) fn evidence_moved(&mut self, from: UnixMs, until: UnixMs) {
        let (from, until) = (self.day_of(from), self.day_of(until));
        if from == until {
            return;
        }
        let (first, last) = self.settle.unwrap_or((from, until));
        self.settle = Some((first.min(from), last.max(until)));
    }

    pub(super) fn write(&mut self, backend: &mut dyn Backend) -> Result<(), Error> {
        let number = new_mark();
        let mark = Value::Int(number);
        let mut days: Vec<_> = self.dirty.iter().collect();
        days.sort_unstable();
        for days in days.chunks(20_000) {
            let rows = rows_of(days, |(feature, day)| json!([feature, day.to_string()]));
            backend.execute(
                include_str!("../../../queries/mark_insert.sql"),
                &[rows, Value::Int(0), mark.clone()],
            )?;
        }
        if let Some((first, last)) = self.settle {
            let params = [mark.clone(), first.to_string().into(), last.to_string().into()];
            backend.execute(include_str!("../../../queries/mark_settle.sql"), &params)?;
        }
        for (feature, from, until) in &self.capacity {
            let sql = include_str!("../../../queries/mark_capacity.sql");
            let until = until.map_or(Day::MAX, |until| Day::of(until, &self.zone));
            let from = Day::of(*from, &self.zone).to_string();
            let params = [(*feature).into(), from.into(), until.to_string().into(), mark.clone()];
            backend.execute(sql, &params)?;
        }
        self.held.end(backend, &self.dirty, number)
    }
}

/// What a day counts of a closed session.
fn part_of(key: &Key, row: &Session) -> Option<Part> {
    row.until.map(|until| Part {
        from: row.from,
        until,
        holder: key.holder,
        version: row.version,
        seats: row.seats,
        ended: row.ended,
    })
}

/// A number that no other commit's marks have: marks are appended, so that none is lost.
pub(crate) fn new_mark() -> i64 {
    use std::hash::{BuildHasher, Hasher};
    (std::collections::hash_map::RandomState::new().build_hasher().finish() >> 1) as i64
}

impl Intake {
    /// Marks the days of changed sessions; `in_order` says that their keys went on where they stood.
    pub(super) fn mark_rows(
        &self,
        (changes, order): (&Changes, &[(FeatureId, UnixMs, u32)]),
        before: &FxHashMap<(ServerId, String), Before>,
        servers: &BTreeSet<ServerId>,
        in_order: bool,
        marks: &mut Marks,
    ) {
        let mut known = FxHashMap::default();
        let new = order.iter().map(|(_, _, index)| &changes.new[*index as usize]);
        for (key, row) in new {
            // What is open counts up to its last evidence, also where it began long before what was known.
            let until = row.until.or_else(|| self.reaches(key, servers, &mut known)).unwrap_or(row.from);
            let until = until.max(row.from);
            match in_order {
                true => marks.in_order(key.feature, row.from, until, part_of(key, row)),
                false => marks.range(key.feature, row.from, until),
            }
        }
        for (key, row) in &changes.gone {
            // What was open counted up to its last evidence; it may end earlier now.
            let until = row.until.or_else(|| self.reached(key, before)).unwrap_or(row.from);
            let until = until.max(row.from);
            match in_order {
                true => marks.in_order(key.feature, row.from, until, None),
                false => marks.range(key.feature, row.from, until),
            }
        }
    }

    /// Marks the days over which evidence moved: those that open sessions newly reach, and those that it settles.
    pub(super) fn mark_evidence(
        &self,
        before: &FxHashMap<(ServerId, String), Before>,
        servers: &BTreeSet<ServerId>,
        marks: &mut Marks,
    ) {
        let latest = |server: &ServerId| {
            let state = self.servers.get(server);
            state.and_then(|state| state.spans.iter().map(|span| span.until).max())
        };
        let mut moved: FxHashMap<ServerId, UnixMs> = FxHashMap::default();
        for ((server, _), before) in before {
            let evidence = before.evidence.unwrap_or(UnixMs::MAX);
            let earliest = moved.entry(*server).or_insert(evidence);
            *earliest = (*earliest).min(evidence);
        }
        for (server, earliest) in moved {
            if let Some(latest) = latest(&server).filter(|latest| *latest > earliest) {
                marks.evidence_moved(earliest, latest);
            }
        }
        self.mark_open(before, servers, marks);
    }

    /// The last evidence of an open session of a key; `known` is what was found by server and vendor.
    fn reaches<'a>(
        &'a self,
        key: &Key,
        servers: &BTreeSet<ServerId>,
        known: &mut FxHashMap<(ServerId, &'a str), Option<UnixMs>>,
    ) -> Option<UnixMs> {
        let of_server = |server: &ServerId| {
            let state = self.servers.get(server)?;
            let vendor: &str = state.vendors.get(&key.holder)?;
            *known.entry((*server, vendor)).or_insert_with(|| state.evidence(vendor))
        };
        servers.iter().filter_map(of_server).max()
    }

    /// The last evidence that an open session of a key had before the batch.
    fn reached(&self, key: &Key, before: &FxHashMap<(ServerId, String), Before>) -> Option<UnixMs> {
        let daemons = before.iter().filter(|((server, vendor), _)| {
            let state = self.servers.get(server);
            state.and_then(|state| state.vendors.get(&key.holder)).is_some_and(|known| **known == **vendor)
        });
        daemons.filter_map(|(_, before)| before.evidence).max()
    }

    /// Open sessions count up to their last evidence: days that it newly reaches are dirty.
    fn mark_open(
        &self,
        before: &FxHashMap<(ServerId, String), Before>,
        servers: &BTreeSet<ServerId>,
        marks: &mut Marks,
    ) {
        for (server, state) in servers.iter().filter_map(|server| Some((server, self.servers.get(server)?))) {
            let mut moves: FxHashMap<&str, (UnixMs, UnixMs)> = FxHashMap::default();
            for (key, open) in &state.open {
                let vendor = state.vendors.get(&key.holder).map_or("", |vendor| vendor);
                let (reached, latest) = *moves.entry(vendor).or_insert_with(|| {
                    let of_daemon = before.get(&(*server, vendor.to_owned()));
                    let reached = of_daemon.and_then(|before| before.evidence).unwrap_or(UnixMs::MIN);
                    (reached, state.evidence(vendor).unwrap_or(reached))
                });
                for open in open.sessions.iter().filter(|open| open.start.at.max(reached) < latest) {
                    marks.in_order(key.feature, open.start.at.max(reached), latest + 1, None);
                }
            }
        }
    }
}
