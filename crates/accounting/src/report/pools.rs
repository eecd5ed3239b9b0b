//! Where the seats of a group are: when the license servers were watched, and how many seats they had.

use super::bins::{ByBin, Piece, Sliced, Slicer};
use super::labels::{GroupKey, Labels};
use super::lens::Lens;
use super::watch::Watch;
use crate::UnixMs;
use crate::capacity::Steps;
use crate::day::Day;
use crate::ledger::ServerId;
use crate::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// The license servers of a group.
#[derive(Debug)]
pub(crate) struct Pool {
    /// When one of them was watched.
    pub(crate) watch: usize,
    /// How many seats they have for the group, where that was ever seen of any of them and is the group's own.
    pub(crate) capacity: Option<Steps>,
    /// Whether the seats of a whole pool were ever seen, also where only some of its holders count.
    ever_seen: bool,
}

/// The time of a bin that counts and was watched, W of domain.md §5, and the seats that there were in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Time {
    /// T in milliseconds.
    pub(crate) ms: i64,
    /// The capacity in force at the end of W, or where that is not known the last one known in it.
    pub(crate) seats_issued: Option<i64>,
    /// ∫C dt in seat-milliseconds, where C is known.
    pub(crate) capacity_ms: i128,
    /// The milliseconds in which C is known and above 0.
    pub(crate) with_seats_ms: i64,
}

/// The pools of all groups.
#[derive(Debug)]
pub(crate) struct Pools {
    pub(crate) all: Vec<Pool>,
    pub(crate) watches: Vec<Watch>,
    /// The features of each group of features, by the number of its key.
    features: FxHashMap<u32, Vec<FeatureId>>,
    numbers: FxHashMap<(u32, Option<String>), usize>,
    by_servers: FxHashMap<Vec<ServerId>, usize>,
    /// The time of each bin of a watch, where no capacity is asked for.
    times: FxHashMap<usize, Arc<ByBin<Time>>>,
    /// Whether the groups are whole pools of features or license servers.
    whole: bool,
}

impl Pools {
    /// The pools of the features of a scope.
    pub(crate) fn new(labels: &mut Labels, lens: &Lens<'_>, whole: bool) -> Self {
        let mut features: FxHashMap<u32, Vec<FeatureId>> = FxHashMap::default();
        for feature in lens.features() {
            features.entry(labels.of_code(feature, lens).view).or_default().push(feature);
        }
        Self {
            all: Vec::new(),
            watches: Vec::new(),
            features,
            numbers: FxHashMap::default(),
            by_servers: FxHashMap::default(),
            times: FxHashMap::default(),
            whole,
        }
    }

    /// The features whose use makes a group's curve.
    pub(crate) fn features(&self, view: u32) -> &[FeatureId] {
        self.features.get(&view).map_or(&[], Vec::as_slice)
    }

    /// The number of a group's pool.
    pub(crate) fn of(&mut self, group: &GroupKey, labels: &Labels, lens: &Lens<'_>) -> usize {
        let key = (group.view, labels.server(group).map(str::to_owned));
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let features = self.features(group.view);
        let mut servers: Vec<ServerId> =
            features.iter().flat_map(|&feature| servers_of(feature, key.1.as_deref(), lens)).collect();
        servers.sort_unstable();
        servers.dedup();
        let capacity = self.whole.then(|| capacity(features, key.1.as_deref(), lens)).flatten();
        let watches = &mut self.watches;
        let watch = *self.by_servers.entry(servers).or_insert_with_key(|servers| {
            watches.push(Watch::of(lens.names, servers));
            watches.len() - 1
        });
        let ever_seen = capacity.is_some();
        self.all.push(Pool { watch, capacity: capacity.filter(|_| lens.has_whole_pools()), ever_seen });
        self.numbers.insert(key, self.all.len() - 1);
        self.all.len() - 1
    }

    /// The keys of all groups that are whole pools and whose capacity was ever seen.
    pub(crate) fn with_capacity(
        &mut self,
        labels: &mut Labels,
        lens: &Lens<'_>,
        by_server: bool,
    ) -> Vec<GroupKey> {
        let mut keys = Vec::new();
        if !self.whole {
            return keys;
        }
        for feature in lens.features() {
            let view = labels.of_code(feature, lens);
            if !by_server {
                keys.push(view);
                continue;
            }
            for server in lens.servers_of(feature) {
                if let Some(server) = lens.names.servers.get(&server) {
                    keys.push(labels.on_server(view, &server.name));
                }
            }
        }
        keys.retain(|key| {
            let pool = self.of(key, labels, lens);
            self.all[pool].ever_seen
        });
        keys
    }

    /// The time of each bin of a pool, ascending, with its seats where they are asked for.
    pub(crate) fn times(
        &mut self,
        pool: usize,
        with_seats: bool,
        slicer: &mut Slicer,
        lens: &Lens<'_>,
    ) -> Arc<ByBin<Time>> {
        let Pool { watch, capacity, .. } = &self.all[pool];
        let capacity = capacity.as_ref().filter(|_| with_seats);
        if capacity.is_none()
            && let Some(times) = self.times.get(watch)
        {
            return Arc::clone(times);
        }
        let (mut times, mut pieces) = (ByBin::<Time>::default(), Vec::new());
        let of_watch = &self.watches[*watch];
        for day in lens.watched_days(of_watch) {
            watched(&slicer.day(day, lens), of_watch, &mut pieces);
            for piece in &pieces {
                add_time(times.of(piece.bin), piece, capacity);
            }
        }
        let times = Arc::new(times);
        if capacity.is_none() {
            self.times.insert(*watch, Arc::clone(&times));
        }
        times
    }
}

fn add_time(time: &mut Time, piece: &Piece, capacity: Option<&Steps>) {
    time.ms += piece.until - piece.from;
    for (from, until, seats) in capacity.into_iter().flat_map(|steps| steps.within(piece.from, piece.until)) {
        let Some(seats) = seats else { continue };
        time.seats_issued = Some(seats);
        time.capacity_ms += i128::from(seats) * i128::from(until - from);
        time.with_seats_ms += if seats > 0 { until - from } else { 0 };
    }
}

/// The parts of a day's pieces that were watched.
pub(crate) fn watched(day: &Sliced, watch: &Watch, pieces: &mut Vec<Piece>) {
    pieces.clear();
    if watch.covers(day.civil.start, day.civil.end) {
        pieces.extend_from_slice(&day.pieces);
        return;
    }
    for piece in &day.pieces {
        let of_piece = watch.within(piece.from, piece.until);
        pieces.extend(of_piece.map(|(from, until)| Piece { from, until, bin: piece.bin }));
    }
}

/// Adds the instants of a day at which the watch ends, as pieces of no time: what happens then was still seen (the last
/// line of a log). They belong to the bin of the time that ends there, else theirs had no time at all; `before` gives
/// the pieces of the day before.
pub(crate) fn add_last_instants(
    day: &Sliced,
    watch: &Watch,
    before: impl FnOnce() -> Arc<Sliced>,
    pieces: &mut Vec<Piece>,
) {
    let mut before = Some(before);
    for at in watch.ends(day.civil.start, day.civil.end) {
        if !day.pieces.iter().any(|piece| piece.from <= at && at < piece.until) {
            continue;
        }
        let place = pieces.partition_point(|piece| piece.from < at);
        let bin = match (place.checked_sub(1), before.take()) {
            (Some(last), _) if pieces[last].until == at => Some(pieces[last].bin),
            (None, Some(before)) if at == day.civil.start => {
                before().pieces.last().filter(|piece| piece.until == at).map(|piece| piece.bin)
            }
            _ => None,
        };
        if let Some(bin) = bin {
            pieces.insert(place, Piece { from: at, until: at, bin });
        }
    }
}

/// The time that counts from a day on up to an instant or the period's end, in milliseconds, by bin.
pub(crate) fn counted(mut day: Day, until: UnixMs, slicer: &mut Slicer, lens: &Lens<'_>) -> ByBin<i64> {
    let mut counted = ByBin::<i64>::default();
    loop {
        let cut = slicer.day(day, lens);
        if cut.civil.start >= until || lens.scope.until.is_some_and(|until| until <= day) {
            return counted;
        }
        for piece in cut.pieces.iter().filter(|piece| piece.from < until) {
            *counted.of(piece.bin) += piece.until.min(until) - piece.from;
        }
        day = day.next();
    }
}

/// The license servers of a feature that are in the scope, only the one of that name where it is given.
fn servers_of(feature: FeatureId, server: Option<&str>, lens: &Lens<'_>) -> Vec<ServerId> {
    let mut servers = lens.servers_of(feature);
    let named = |id: &ServerId| lens.names.servers.get(id).is_some_and(|of| Some(of.name.as_str()) == server);
    servers.retain(|id| server.is_none() || named(id));
    servers
}

/// The capacity of features together; on a license server that has a package, its seats are those of its components.
fn capacity(features: &[FeatureId], server: Option<&str>, lens: &Lens<'_>) -> Option<Steps> {
    let mut on_servers = Vec::new();
    let mut of_packages: FxHashSet<(FeatureId, ServerId)> = FxHashSet::default();
    for &id in features {
        let components = lens.names.features.get(&id).map_or(&[][..], |feature| &feature.components);
        for server in servers_of(id, server, lens) {
            on_servers.push((id, server));
            of_packages.extend(components.iter().filter(|other| **other != id).map(|other| (*other, server)));
        }
    }
    on_servers.retain(|pool| !of_packages.contains(pool));
    let pools: Vec<_> = on_servers.iter().map(|pool| lens.names.capacity.get(pool)).collect();
    let ever_seen = pools.iter().any(Option::is_some);
    // A pool that was never seen may have sessions: then nobody knows how many seats there are together.
    let pools: Vec<Steps> = pools.into_iter().map(|pool| pool.cloned().unwrap_or_default()).collect();
    ever_seen.then(|| Steps::sum(&pools))
}
