//! Seats in use over time, group by group: the one sweep behind all reports of u(t) (domain.md §5).

use super::bins::{Bin, ByBin, Head, Piece, Slicer};
use super::group::Key;
use super::labels::{GroupKey, Labels};
use super::lens::Lens;
use super::note::Note;
use super::packages::Packages;
use super::pools::{self, Pools, Time};
use super::sums::{Sum, sums};
use super::{Cell, Column, Report};
use crate::UnixMs;
use crate::calendar::CivilDay;
use crate::capacity::Steps;
use crate::concurrency::{Level, Sweep};
use crate::day::Day;
use crate::feature_day::{DayView, Outcome};
use crate::session::{FeatureId, HolderId, Part};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A day of a group's curve.
pub(crate) struct Curve<'c> {
    pub(crate) group: u32,
    pub(crate) civil: &'c CivilDay,
    /// W (domain.md §5): what counts of the day and was watched, ascending; of no time where the watch ends.
    pub(crate) pieces: &'c [Piece],
    /// The capacity of the group, where it has one of its own.
    pub(crate) capacity: Option<&'c Steps>,
    /// The refused requests in W, in order of time.
    pub(crate) refused: &'c [Refused],
    /// The sessions that touch the day, whole but for what lies far from it.
    pub(crate) sweep: &'c mut Sweep,
}

/// A request that was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    pub(crate) feature: FeatureId,
    pub(crate) at: UnixMs,
    pub(crate) holder: HolderId,
    pub(crate) seats: u32,
    pub(crate) bin: Bin,
}

impl Curve<'_> {
    /// The levels of u(t) above 0 as far as they lie in pieces of W, in order of time.
    pub(crate) fn levels(&mut self, mut each: impl FnMut(&Piece, Level)) {
        let (pieces, mut next) = (self.pieces, 0);
        self.sweep.levels(|level| {
            while next < pieces.len() && pieces[next].until <= level.from {
                next += 1;
            }
            if level.seats == 0 {
                return;
            }
            let of_level = pieces[next..].iter().take_while(|piece| piece.from < level.until);
            for piece in of_level.filter(|piece| piece.from < piece.until) {
                let (from, until) = (piece.from.max(level.from), piece.until.min(level.until));
                each(piece, Level { from, until, seats: level.seats });
            }
        });
    }

    /// Those pieces of W in which seats are in use, each with what holds in it, in order of time.
    pub(crate) fn sums(&mut self, each: impl FnMut(Bin, Sum)) {
        sums(self.sweep, self.pieces, each);
    }

    /// What each checkout in W needed: the seats in use just before it and its own, in order of time.
    pub(crate) fn needs(&mut self, mut each: impl FnMut(Bin, i64)) {
        let (pieces, mut next) = (self.pieces, 0);
        self.sweep.needs(|at, need| {
            while next < pieces.len() && pieces[next].is_before(at) {
                next += 1;
            }
            if let Some(piece) = pieces.get(next).filter(|piece| piece.from <= at) {
                each(piece.bin, need);
            }
        });
    }

    /// u at each refused request.
    pub(crate) fn in_use(&mut self, mut each: impl FnMut(&Refused, i64)) {
        let mut refused = self.refused.iter().peekable();
        if refused.peek().is_none() {
            return;
        }
        self.sweep.levels(|level| {
            while let Some(refused) = refused.next_if(|refused| refused.at < level.until) {
                each(refused, level.seats);
            }
        });
    }
}

/// A group of sessions with a curve of its own.
#[derive(Debug)]
struct Group {
    key: GroupKey,
    pool: usize,
    /// Whether it has sessions on a day of which something is in W, or refused requests in W.
    seen: bool,
}

/// The groups of one day, each with its sweep; the memory is used again.
#[derive(Debug, Default)]
struct Today {
    slots: Vec<Slot>,
    used: usize,
    /// The day, `[start, end)`.
    window: (UnixMs, UnixMs),
    /// The slot of each group, where it has one.
    of_group: Vec<Option<u32>>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Default)]
struct Slot {
    group: u32,
    any: bool,
    sweep: Sweep,
    refused: Vec<Refused>,
}

/// What waits for other features of its group.
#[derive(Debug, Default)]
struct Held {
    parts: Vec<HeldPart>,
    refused: Vec<(u32, Refused)>,
}

/// A session's part of a day, in milliseconds since the day's start; -1 where it began before.
#[derive(Debug)]
struct HeldPart {
    group: u32,
    from: i32,
    until: i32,
    seats: u32,
}

/// A row before it is rendered.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) group: u32,
    pub(crate) bin: Bin,
    /// The cells behind the heads.
    pub(crate) figures: Vec<Cell>,
}

/// Seats in use over time, group by group.
#[derive(Debug)]
pub(crate) struct Curves<'a> {
    pub(crate) lens: Lens<'a>,
    heads: Vec<Head>,
    labels: Labels,
    slicer: Slicer,
    pools: Pools,
    numbers: FxHashMap<GroupKey, u32>,
    groups: Vec<Group>,
    /// Whether sessions of one feature can be in different groups.
    by_part: bool,
    today: Today,
    held: BTreeMap<Day, Held>,
    packages: Option<Packages>,
}

impl<'a> Curves<'a> {
    pub(crate) fn new(lens: Lens<'a>, heads: Vec<Head>) -> Self {
        let keys: Vec<Key> = heads.iter().filter_map(|head| head.group_key()).collect();
        let of_holder = |key: &Key| key.is_of_holder();
        let whole = !keys.iter().any(|key| of_holder(key) && *key != Key::Server);
        let by_product = !keys.contains(&Key::Feature);
        let by_part = keys.iter().any(of_holder);
        let mut labels = Labels::new(keys, &lens);
        Self {
            pools: Pools::new(&mut labels, &lens, whole),
            packages: by_product.then(|| Packages::new(lens.names, &lens.features())),
            slicer: Slicer::new(heads.clone()),
            lens,
            heads,
            labels,
            numbers: FxHashMap::default(),
            groups: Vec::new(),
            by_part,
            today: Today::default(),
            held: BTreeMap::new(),
        }
    }

    /// The features whose days must be given.
    pub(crate) fn features(&self) -> Vec<FeatureId> {
        let mut features = self.lens.features();
        features.extend(self.packages.iter().flat_map(Packages::components));
        features.sort_unstable();
        features.dedup();
        features
    }

    /// Takes a feature day in and gives the curves of its groups; those that other features bear on come with
    /// [`Self::release`].
    pub(crate) fn day(&mut self, view: &DayView<'_>, each: &mut dyn FnMut(Curve<'_>)) {
        let (lens, day) = (&self.lens, view.civil.day);
        let counts = lens.counts_feature(view.feature) && lens.counts_day(view.civil);
        let package = self.packages.as_mut().is_some_and(|packages| {
            packages.take(view, |part| counts && lens.counted(part.holder, day).is_some())
        });
        if !counts {
            return;
        }
        let whole = self.labels.of_code(view.feature, &self.lens);
        let parts = if package { &[][..] } else { view.parts };
        if package || self.pools.features(whole.view).len() > 1 {
            self.hold(view.feature, view.civil, parts);
            self.hold_refused(view, whole);
            return;
        }
        self.today.begin(view.civil);
        if self.by_part {
            for part in parts {
                let Some(who) = self.lens.counted(part.holder, day) else { continue };
                let key = self.labels.of_part(whole, part, who.person, day, &self.lens);
                let group = self.number(key);
                self.today.slot(group).add(part);
            }
        } else {
            self.add_all(parts, day, whole);
        }
        for (group, refused) in self.refused(view, whole) {
            self.today.slot(group).refused.push(refused);
        }
        self.give(day, each);
    }

    /// Adds parts that are all in one group.
    fn add_all(&mut self, parts: &[Part], day: Day, key: GroupKey) {
        let everyone = self.lens.counts_everyone();
        let counts = |part: &Part| everyone || self.lens.counted(part.holder, day).is_some();
        let Some(first) = parts.iter().position(counts) else { return };
        let group = self.number(key);
        let slot = self.today.slot(group);
        for part in &parts[first..] {
            if everyone || self.lens.counted(part.holder, day).is_some() {
                slot.add(part);
            }
        }
    }

    /// Whether each group is of one feature, so that features can be given to several.
    pub(crate) fn can_share(&self) -> bool {
        self.packages.is_none() && self.labels.has(Key::Feature) && self.lens.has_unique_codes()
    }

    /// Takes in the groups of another one that was given other features; returns their numbers here.
    pub(crate) fn join(&mut self, other: Self) -> Vec<u32> {
        let translation = self.labels.translation(&other.labels);
        let number = |group: Group| {
            let number = self.number(translation.key(group.key));
            self.groups[number as usize].seen |= group.seen;
            number
        };
        other.groups.into_iter().map(number).collect()
    }

    /// Gives the curves that were held back.
    pub(crate) fn release(&mut self, each: &mut dyn FnMut(Curve<'_>)) {
        for (feature, day, parts) in self.packages.take().into_iter().flat_map(Packages::release) {
            let civil = self.lens.calendar.day(day);
            self.hold(feature, &civil, &parts);
        }
        for (day, mut held) in std::mem::take(&mut self.held) {
            let civil = self.lens.calendar.day(day);
            let start = civil.start;
            self.today.begin(&civil);
            for part in held.parts {
                let slot = self.today.slot(part.group);
                slot.any = true;
                slot.sweep.add(start + i64::from(part.from), start + i64::from(part.until), part.seats);
            }
            held.refused.sort_by_key(|(_, refused)| refused.at);
            for (group, refused) in held.refused {
                self.today.slot(group).refused.push(refused);
            }
            self.give(day, each);
        }
    }

    /// The groups that have rows: those seen, and pools whose capacity was ever seen.
    pub(crate) fn shown(&mut self) -> Vec<u32> {
        let by_server = self.labels.has(Key::Server);
        for key in self.pools.with_capacity(&mut self.labels, &self.lens, by_server) {
            let group = self.number(key);
            self.groups[group as usize].seen = true;
        }
        (0..).zip(&self.groups).filter(|(_, group)| group.seen).map(|(number, _)| number).collect()
    }

    /// T of each bin in which something was watched for the group.
    pub(crate) fn times(&mut self, group: u32) -> Arc<ByBin<Time>> {
        let pool = self.groups[group as usize].pool;
        self.pools.times(pool, false, &mut self.slicer, &self.lens)
    }

    /// T of each bin in which something was watched for the group, and the seats that there were.
    pub(crate) fn times_and_seats(&mut self, group: u32) -> Arc<ByBin<Time>> {
        let pool = self.groups[group as usize].pool;
        self.pools.times(pool, true, &mut self.slicer, &self.lens)
    }

    /// The time that counts from a day on up to an instant or the period's end, in milliseconds, by bin.
    pub(crate) fn counted(&mut self, from: Day, until: UnixMs) -> ByBin<i64> {
        pools::counted(from, until, &mut self.slicer, &self.lens)
    }

    /// Whether refused requests can be told apart as the report's rows are.
    pub(crate) fn knows_refused(&self) -> bool {
        !self.labels.has(Key::Version)
    }

    /// What must be said of the report's keys.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes = self.lens.notes();
        notes.extend(self.packages.as_ref().map(|_| Note::AddedUp));
        notes
    }

    /// [`Self::notes`] of a report that shows seats issued.
    pub(crate) fn notes_on_capacity(&self) -> Vec<Note> {
        let mut notes = self.notes();
        let of_holder = |key: &&Key| key.is_of_holder() && **key != Key::Server;
        if let Some(key) = self.labels.keys.iter().find(of_holder) {
            notes.push(Note::NoSeatsOf(*key));
        } else if self.lens.scope.person.is_some() {
            notes.push(Note::NoSeatsOf(Key::Person));
        } else if self.lens.scope.organization.is_some() {
            notes.push(Note::NoSeatsOf(Key::Organization));
        }
        notes
    }

    /// The report: rows ascending by their heads, lines of the same heads as they come.
    pub(crate) fn report(
        self,
        name: &'static str,
        figures: Vec<Column>,
        mut lines: Vec<Line>,
        notes: Vec<Note>,
    ) -> Report {
        let ranks = self.labels.ranks(&self.lens);
        let of_group = |head: &Head, group: &Group| match head.group_key() {
            Some(key) => self.labels.place(key, &ranks, &group.key),
            None => 0,
        };
        let places: Vec<Vec<i32>> = self
            .groups
            .iter()
            .map(|group| self.heads.iter().map(|head| of_group(head, group)).collect())
            .collect();
        let heads: Vec<(Head, bool)> =
            self.heads.iter().map(|head| (*head, head.group_key().is_some())).collect();
        lines.sort_by(|one, other| {
            let (groups, others) = (&places[one.group as usize], &places[other.group as usize]);
            let by_head = |(nth, (head, of_group)): (usize, &(Head, bool))| match of_group {
                true => groups[nth].cmp(&others[nth]),
                false => one.bin.place(*head).cmp(&other.bin.place(*head)),
            };
            heads.iter().enumerate().map(by_head).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let row = |line: Line| {
            let key = &self.groups[line.group as usize].key;
            let head = |head: &Head| match head.group_key() {
                Some(of) => self.labels.cell(of, key, &self.lens),
                None => line.bin.cell(*head, &self.lens),
            };
            let mut row = Vec::with_capacity(self.heads.len() + line.figures.len());
            row.extend(self.heads.iter().map(head));
            row.extend(line.figures);
            row
        };
        let rows = lines.into_iter().map(row).collect();
        let columns = self.heads.iter().map(|head| head.column()).chain(figures).collect();
        Report { name, columns, rows, notes }
    }

    fn number(&mut self, key: GroupKey) -> u32 {
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let (number, pool) = (self.groups.len() as u32, self.pools.of(&key, &self.labels, &self.lens));
        self.groups.push(Group { key, pool, seen: false });
        self.numbers.insert(key, number);
        number
    }

    /// The refused requests that count, with their groups.
    fn refused(&mut self, view: &DayView<'_>, whole: GroupKey) -> Vec<(u32, Refused)> {
        let mut found = Vec::new();
        if !self.knows_refused() {
            return found;
        }
        let day = view.civil.day;
        for request in view.requests.iter().filter(|request| matches!(request.outcome, Outcome::Denied(_))) {
            let Some(who) = self.lens.counted(request.holder, day) else { continue };
            let key = self.labels.of_hold(whole, request.holder, who.person, day, &self.lens);
            let (feature, bin) = (view.feature, Bin::default());
            let refused =
                Refused { feature, at: request.at, holder: request.holder, seats: request.seats, bin };
            found.push((self.number(key), refused));
        }
        found
    }

    fn hold_refused(&mut self, view: &DayView<'_>, whole: GroupKey) {
        let refused = self.refused(view, whole);
        if !refused.is_empty() {
            self.held.entry(view.civil.day).or_default().refused.extend(refused);
        }
    }

    fn hold(&mut self, feature: FeatureId, civil: &CivilDay, parts: &[Part]) {
        let whole = self.labels.of_code(feature, &self.lens);
        let mut held = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(who) = self.lens.counted(part.holder, civil.day) else { continue };
            let key = self.labels.of_part(whole, part, who.person, civil.day, &self.lens);
            held.push(HeldPart {
                group: self.number(key),
                from: (part.from - civil.start).max(-1) as i32,
                until: (part.until.min(civil.end) - civil.start) as i32,
                seats: part.seats,
            });
        }
        if !held.is_empty() {
            self.held.entry(civil.day).or_default().parts.extend(held);
        }
    }

    /// Gives the curves of today's groups.
    fn give(&mut self, day: Day, each: &mut dyn FnMut(Curve<'_>)) {
        let sliced = self.slicer.day(day, &self.lens);
        let Today { slots, used, pieces, .. } = &mut self.today;
        let mut cut_by = None;
        for slot in &mut slots[..*used] {
            let group = &mut self.groups[slot.group as usize];
            let pool = &self.pools.all[group.pool];
            let watch = &self.pools.watches[pool.watch];
            // Where all of the day was watched its pieces are as they are, and the watch does not end in it.
            let all = watch.covers(sliced.civil.start, sliced.civil.end);
            if !all && cut_by != Some(pool.watch) {
                let before = day.previous();
                pools::watched(&sliced, watch, pieces);
                pools::add_last_instants(&sliced, watch, || self.slicer.day(before, &self.lens), pieces);
                cut_by = Some(pool.watch);
            }
            let pieces = if all { &sliced.pieces } else { &*pieces };
            if pieces.is_empty() {
                continue;
            }
            slot.refused.retain_mut(|refused| {
                let piece = pieces.get(pieces.partition_point(|piece| piece.is_before(refused.at)));
                let piece = piece.filter(|piece| piece.from <= refused.at);
                refused.bin = piece.map_or(refused.bin, |piece| piece.bin);
                piece.is_some()
            });
            let in_piece = |piece: &Piece| piece.from < piece.until || slot.sweep.starts_at(piece.from);
            group.seen |= slot.any && pieces.iter().any(in_piece) || !slot.refused.is_empty();
            each(Curve {
                group: slot.group,
                civil: &sliced.civil,
                pieces,
                capacity: pool.capacity.as_ref(),
                refused: &slot.refused,
                sweep: &mut slot.sweep,
            });
        }
    }
}

impl Slot {
    fn add(&mut self, part: &Part) {
        self.any = true;
        self.sweep.add(part.from, part.until, part.seats);
    }
}

impl Today {
    /// Begins a day.
    fn begin(&mut self, civil: &CivilDay) {
        self.window = (civil.start, civil.end);
        for slot in &self.slots[..self.used] {
            self.of_group[slot.group as usize] = None;
        }
        self.used = 0;
    }

    /// The slot of a group, empty where it is new today.
    fn slot(&mut self, group: u32) -> &mut Slot {
        let place = group as usize;
        if place >= self.of_group.len() {
            self.of_group.resize(place + 1, None);
        }
        let nth = *self.of_group[place].get_or_insert_with(|| {
            if self.used == self.slots.len() {
                self.slots.push(Slot::default());
            }
            let slot = &mut self.slots[self.used];
            (slot.group, slot.any) = (group, false);
            slot.sweep.begin(self.window.0, self.window.1);
            slot.refused.clear();
            self.used += 1;
            self.used as u32 - 1
        });
        &mut self.slots[nth as usize]
    }
}
