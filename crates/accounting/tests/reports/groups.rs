//! Groups of sessions and their curves, tick by tick: what the references of the reports of seats in use stand on.

use crate::books::Books;
use crate::random::{CLASSES, START, TICK_MS, TICKS};
use crate::reference::{class, counts, counts_tick, key, step_start, tick_of, ticks, twice, wall};
use accounting::calendar::WEEKDAYS;
use accounting::feature_day::Request;
use accounting::report::Scope;
use accounting::report::concurrency::Step;
use accounting::report::group::Key;
use accounting::session::{Ended, Part};
use std::collections::BTreeMap;

/// A column before the figures.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Head {
    Key(Key),
    From(Step),
    Weekday,
    Hour,
}

impl Head {
    fn is_of_group(self) -> bool {
        matches!(self, Self::Key(key) if !matches!(key, Key::TimeClass | Key::Day | Key::Week | Key::Month))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Key(key) => key.name(),
            Self::From(_) => "from",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    /// What the column says of a tick, and before it where that stands among rows if the text does not tell.
    fn of_tick(self, tick: i64) -> (i64, String) {
        let wall = wall(tick);
        let weekday = i64::from(wall.date().weekday().to_monday_zero_offset());
        match self {
            Self::From(step) => {
                let at = step_start(tick, step);
                (at, format!("@{at}"))
            }
            Self::Weekday => (weekday, WEEKDAYS[weekday as usize].to_owned()),
            Self::Hour => (i64::from(wall.hour()), wall.hour().to_string()),
            Self::Key(Key::TimeClass) => (class(tick) as i64, CLASSES[class(tick)].to_owned()),
            Self::Key(Key::Day) => (0, wall.date().to_string()),
            Self::Key(Key::Week) => (0, wall.date().strftime("%G-W%V").to_string()),
            Self::Key(_) => (0, wall.date().strftime("%Y-%m").to_string()),
        }
    }
}

pub(crate) fn heads(by: &[Key], own: &[Head]) -> Vec<Head> {
    let by_product = by.contains(&Key::Product) || by.contains(&Key::Type);
    let by: Vec<Head> = by.iter().map(|key| Head::Key(*key)).collect();
    let more =
        own.iter().filter(|head| !(by.contains(head) || by_product && **head == Head::Key(Key::Feature)));
    by.iter().chain(more).copied().collect()
}

/// The tick of some watched ticks that count in which an instant is seen: where the watch ends there, the one before.
pub(crate) fn seen_in(window: &[i64], scope: &Scope, at: i64) -> Option<i64> {
    let tick = tick_of(at);
    let ends = at == START + tick * TICK_MS && counts_tick(scope, tick);
    let last = ends.then_some(tick - 1);
    [Some(tick), last].into_iter().flatten().find(|tick| window.contains(tick))
}

/// Where a row stands by one of its columns.
type Place = (i64, Option<String>);
/// The keys of a group, in the order of the columns.
type GroupKey = Vec<Option<String>>;

/// The curve of a group and what is known beside it, by tick.
pub(crate) struct Group<'b> {
    /// Ticks that count and were watched.
    pub(crate) window: Vec<i64>,
    /// The sessions of the group that touch the tick's day.
    pub(crate) sessions: BTreeMap<i64, Vec<&'b Part>>,
    pub(crate) capacity: BTreeMap<i64, i64>,
    pub(crate) refused: Vec<(u32, &'b Request)>,
}

impl<'b> Group<'b> {
    pub(crate) fn sessions(&self, tick: i64) -> impl Iterator<Item = &'b Part> {
        self.sessions.get(&tick).into_iter().flatten().copied()
    }

    pub(crate) fn at(&self, tick: i64) -> i64 {
        let holds = |part: &&Part| tick_of(part.from) <= tick && tick < tick_of(part.until);
        self.sessions(tick).filter(holds).map(|part| i64::from(part.seats)).sum()
    }

    pub(crate) fn levels(&self, bin: &[i64]) -> Vec<i64> {
        bin.iter().map(|tick| self.at(*tick)).collect()
    }

    /// The tick of W in which an instant is seen: where the watch ends there, the one before.
    pub(crate) fn seen_in(&self, scope: &Scope, at: i64) -> Option<i64> {
        seen_in(&self.window, scope, at)
    }

    pub(crate) fn issued(&self, bin: &[i64]) -> String {
        let last = bin.iter().rev().find_map(|tick| self.capacity.get(tick));
        last.map_or("-".to_owned(), i64::to_string)
    }
}

pub(crate) struct Ledger<'b> {
    pub(crate) books: &'b Books,
    pub(crate) scope: &'b Scope,
    pub(crate) heads: Vec<Head>,
}

impl<'b> Ledger<'b> {
    fn group_keys(&self) -> impl Iterator<Item = Key> {
        self.heads.iter().filter(|head| head.is_of_group()).map(|head| match head {
            Head::Key(key) => *key,
            _ => unreachable!(),
        })
    }

    pub(crate) fn has(&self, key: Key) -> bool {
        self.heads.contains(&Head::Key(key))
    }

    fn key_at(&self, feature: u32, part: &Part, tick: i64) -> GroupKey {
        self.group_keys().map(|by| key(self.books, by, feature, part, tick)).collect()
    }

    fn in_scope(&self, feature: u32) -> bool {
        self.scope
            .feature
            .as_ref()
            .is_none_or(|glob| glob.is_match(&self.books.names.features[&feature].code))
    }

    /// A holder that stands for a license server: of a pool only the feature and the server are looked at.
    fn on_server(&self, server: u32) -> Part {
        let holder = self.books.names.holders.iter().find(|(_, holder)| holder.server == server).unwrap();
        Part { from: 0, until: 0, holder: *holder.0, version: 0, seats: 0, ended: Ended::Open }
    }

    /// The features and license servers whose seats a group uses.
    fn pools(&self, group: &GroupKey) -> Vec<(u32, u32)> {
        let of_pool = |key: &Key| matches!(key, Key::Feature | Key::Product | Key::Type | Key::Server);
        let mut pools = Vec::new();
        for feature in (1..=3).filter(|feature| self.in_scope(*feature)) {
            for (server, named) in &self.books.names.servers {
                let key = self.key_at(feature, &self.on_server(*server), 0);
                let mut pairs = self.group_keys().zip(key.iter().zip(group));
                if self.scope.server.as_ref().is_none_or(|name| *name == named.name)
                    && pairs.all(|(key, (one, other))| !of_pool(&key) || one == other)
                {
                    pools.push((feature, *server));
                }
            }
        }
        pools
    }

    fn new_group(&self, key: &GroupKey) -> Group<'b> {
        let pools = self.pools(key);
        let watched = |tick: i64| {
            pools.iter().any(|(_, server)| {
                let ranges = &self.books.names.servers[server].watched;
                ranges.iter().any(|range| tick_of(range.0) <= tick && tick < tick_of(range.1))
            })
        };
        let window: Vec<i64> =
            (0..TICKS).filter(|tick| counts_tick(self.scope, *tick) && watched(*tick)).collect();
        let mut capacity = BTreeMap::new();
        let no_pool = |key| !matches!(key, Key::Feature | Key::Product | Key::Type | Key::Server);
        if !self.group_keys().any(no_pool) && self.scope.person.is_none() && self.scope.organization.is_none()
        {
            let in_package = |(feature, server): &(u32, u32)| {
                let names = &self.books.names;
                let is_package = |(other, at): &(u32, u32)| {
                    at == server && names.features[other].components.contains(feature)
                };
                pools.iter().any(is_package)
            };
            for tick in &window {
                let at = START + tick * TICK_MS;
                let own = pools.iter().filter(|pool| !in_package(pool));
                let seats: Option<i64> = own.map(|pool| self.books.names.capacity[pool].at(at)).sum();
                capacity.extend(seats.map(|seats| (*tick, seats)));
            }
        }
        Group { window, sessions: BTreeMap::new(), capacity, refused: Vec::new() }
    }

    /// The groups that have rows.
    fn groups(&self, requests: &'b [(u32, Request)]) -> BTreeMap<GroupKey, Group<'b>> {
        let mut all: BTreeMap<GroupKey, Group<'b>> = BTreeMap::new();
        let mut seen: Vec<GroupKey> = Vec::new();
        for (feature, part) in &self.books.sessions {
            if !self.has(Key::Feature) && twice(self.books, *feature, part) {
                continue;
            }
            let days: Vec<_> = ticks(part).map(|tick| wall(tick).date()).collect();
            for tick in (0..TICKS).filter(|tick| days.contains(&wall(*tick).date())) {
                if !counts(self.books, self.scope, *feature, part.holder, tick) {
                    continue;
                }
                let key = self.key_at(*feature, part, tick);
                let group = all.entry(key.clone()).or_insert_with_key(|key| self.new_group(key));
                let starts = tick_of(part.from) == tick && group.seen_in(self.scope, part.from).is_some();
                if starts || group.window.contains(&tick) {
                    seen.push(key);
                }
                group.sessions.entry(tick).or_default().push(part);
            }
        }
        for (feature, request) in requests.iter().filter(|_| !self.has(Key::Version)) {
            let tick = tick_of(request.at);
            let part = Part { holder: request.holder, ..self.on_server(1) };
            if counts(self.books, self.scope, *feature, request.holder, tick) {
                let key = self.key_at(*feature, &part, tick);
                let group = all.entry(key.clone()).or_insert_with_key(|key| self.new_group(key));
                if group.seen_in(self.scope, request.at).is_some() {
                    group.refused.push((*feature, request));
                    seen.push(key);
                }
            }
        }
        let is_pool = |key| matches!(key, Key::Feature | Key::Product | Key::Type | Key::Server);
        if self.group_keys().all(is_pool) {
            for (feature, server) in self.books.names.capacity.keys() {
                let key = self.key_at(*feature, &self.on_server(*server), 0);
                if self.pools(&key).contains(&(*feature, *server)) {
                    all.entry(key.clone()).or_insert_with_key(|key| self.new_group(key));
                    seen.push(key);
                }
            }
        }
        all.retain(|key, _| seen.contains(key));
        all
    }

    /// The report: `figures` gives the lines of a group's bin, which is given as its ticks.
    pub(crate) fn report(
        &self,
        columns: &str,
        requests: &'b [(u32, Request)],
        figures: impl Fn(&Group<'b>, &[i64]) -> Vec<String>,
    ) -> String {
        let mut rows: Vec<(Vec<Place>, String)> = Vec::new();
        let by_time = self.heads.iter().filter(|head| !head.is_of_group());
        let bin_of = |tick: i64| by_time.clone().map(|head| head.of_tick(tick).1).collect::<Vec<_>>();
        for (key, group) in &self.groups(requests) {
            let mut bins: BTreeMap<Vec<String>, Vec<i64>> = BTreeMap::new();
            for tick in &group.window {
                bins.entry(bin_of(*tick)).or_default().push(*tick);
            }
            for bin in bins.values() {
                let mut of_group = key.iter();
                let place: Vec<Place> = self
                    .heads
                    .iter()
                    .map(|head| {
                        if head.is_of_group() {
                            return (0, of_group.next().unwrap().clone());
                        }
                        let (place, text) = head.of_tick(bin[0]);
                        (place, Some(text))
                    })
                    .collect();
                for line in figures(group, bin) {
                    rows.push((place.clone(), line));
                }
            }
        }
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        let mut names: Vec<&str> = self.heads.iter().map(|head| head.name()).collect();
        names.push(columns);
        let mut text = names.join(" ") + "\n";
        for (place, line) in rows {
            for (_, value) in place {
                text += &format!("{} ", value.unwrap_or("-".to_owned()));
            }
            text += &format!("{line}\n");
        }
        text
    }

    pub(crate) fn denials(&self, group: &Group<'_>, bin: &[i64]) -> String {
        let seen_in = |(_, request): &&(u32, &Request)| group.seen_in(self.scope, request.at);
        let in_bin = group.refused.iter().filter(|one| seen_in(one).is_some_and(|tick| bin.contains(&tick)));
        if self.has(Key::Version) { "-".to_owned() } else { in_bin.count().to_string() }
    }
}
