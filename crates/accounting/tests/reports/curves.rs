//! What the reports of seats in use must say by any keys, computed tick by tick: slow and obvious.

use crate::books::{Books, text};
use crate::random::{self, CLASSES, START, TICK_MS, TICKS};
use crate::reference::{class, counts, counts_tick, key, tick_of, ticks, twice, wall};
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::report::average_licenses::{AverageLicenses, Options};
use accounting::report::concurrency::{Concurrency, Step};
use accounting::report::group::Key;
use accounting::report::heatmap::Heatmap;
use accounting::report::levels::Levels;
use accounting::report::seats_needed::SeatsNeeded;
use accounting::report::utilization::Utilization;
use accounting::report::{Scope, decimal};
use accounting::session::{Ended, Part};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A column before the figures.
#[derive(Clone, Copy, PartialEq)]
enum Head {
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
                let at = crate::reference::step_start(tick, step);
                (at, format!("@{at}"))
            }
            Self::Weekday => (weekday, accounting::calendar::WEEKDAYS[weekday as usize].to_owned()),
            Self::Hour => (i64::from(wall.hour()), wall.hour().to_string()),
            Self::Key(Key::TimeClass) => (class(tick) as i64, CLASSES[class(tick)].to_owned()),
            Self::Key(Key::Day) => (0, wall.date().to_string()),
            Self::Key(Key::Week) => (0, wall.date().strftime("%G-W%V").to_string()),
            Self::Key(_) => (0, wall.date().strftime("%Y-%m").to_string()),
        }
    }
}

fn heads(by: &[Key], own: &[Head]) -> Vec<Head> {
    let by_product = by.contains(&Key::Product) || by.contains(&Key::Type);
    let by: Vec<Head> = by.iter().map(|key| Head::Key(*key)).collect();
    let more =
        own.iter().filter(|head| !by.contains(head) && !(by_product && **head == Head::Key(Key::Feature)));
    by.iter().chain(more).copied().collect()
}

/// The keys of a group, in the order of the columns.
type GroupKey = Vec<Option<String>>;

/// The curve of a group and what is known beside it, by tick.
struct Group<'b> {
    /// Ticks that count and were watched.
    window: Vec<i64>,
    /// The sessions of the group that touch the tick's day.
    sessions: BTreeMap<i64, Vec<&'b Part>>,
    capacity: BTreeMap<i64, i64>,
    refused: Vec<(u32, &'b Request)>,
}

impl<'b> Group<'b> {
    fn sessions(&self, tick: i64) -> impl Iterator<Item = &'b Part> {
        self.sessions.get(&tick).into_iter().flatten().copied()
    }

    fn at(&self, tick: i64) -> i64 {
        let holds = |part: &&Part| tick_of(part.from) <= tick && tick < tick_of(part.until);
        self.sessions(tick).filter(holds).map(|part| i64::from(part.seats)).sum()
    }

    fn levels(&self, bin: &[i64]) -> Vec<i64> {
        bin.iter().map(|tick| self.at(*tick)).collect()
    }

    fn issued(&self, bin: &[i64]) -> String {
        let last = bin.iter().rev().find_map(|tick| self.capacity.get(tick));
        last.map_or("-".to_owned(), i64::to_string)
    }
}

struct Ledger<'b> {
    books: &'b Books,
    scope: &'b Scope,
    heads: Vec<Head>,
}

impl<'b> Ledger<'b> {
    fn group_keys(&self) -> impl Iterator<Item = Key> {
        self.heads.iter().filter(|head| head.is_of_group()).map(|head| match head {
            Head::Key(key) => *key,
            _ => unreachable!(),
        })
    }

    fn has(&self, key: Key) -> bool {
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
        if !self.group_keys().any(no_pool) {
            let is_package = |feature: &u32| {
                let components = &self.books.names.features[feature].components;
                components.iter().any(|component| pools.iter().any(|(other, _)| other == component))
            };
            for tick in &window {
                let at = START + tick * TICK_MS;
                let own = pools.iter().filter(|(feature, _)| !is_package(feature));
                let seats = own.filter_map(|pool| self.books.names.capacity[pool].at(at));
                if let Some(seats) = seats.reduce(|one, other| one + other) {
                    capacity.insert(*tick, seats);
                }
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
                if group.window.contains(&tick) {
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
                if group.window.contains(&tick) {
                    group.refused.push((*feature, request));
                    seen.push(key);
                }
            }
        }
        let is_pool = |key| matches!(key, Key::Feature | Key::Product | Key::Type | Key::Server);
        if self.group_keys().all(is_pool) {
            for ((feature, server), _) in &self.books.names.capacity {
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
    fn report(
        &self,
        columns: &str,
        requests: &'b [(u32, Request)],
        figures: impl Fn(&Group<'b>, &[i64]) -> Vec<String>,
    ) -> String {
        let mut rows: Vec<(Vec<(i64, Option<String>)>, String)> = Vec::new();
        let by_time = self.heads.iter().filter(|head| !head.is_of_group());
        let bin_of = |tick: i64| by_time.clone().map(|head| head.of_tick(tick).1).collect::<Vec<_>>();
        for (key, group) in &self.groups(requests) {
            let mut bins: BTreeMap<Vec<String>, Vec<i64>> = BTreeMap::new();
            for tick in &group.window {
                bins.entry(bin_of(*tick)).or_default().push(*tick);
            }
            for bin in bins.values() {
                let mut of_group = key.iter();
                let place: Vec<(i64, Option<String>)> = self
                    .heads
                    .iter()
                    .map(|head| match head.is_of_group() {
                        true => (0, of_group.next().unwrap().clone()),
                        false => {
                            let (place, text) = head.of_tick(bin[0]);
                            (place, Some(text))
                        }
                    })
                    .collect();
                for line in figures(group, bin) {
                    rows.push((place.clone(), line));
                }
            }
        }
        rows.sort_by(|one, other| one.0.cmp(&other.0));
        let mut text = self.heads.iter().map(|head| format!("{} ", head.name())).collect::<String>();
        text += &format!("{columns}\n");
        for (place, line) in rows {
            for (_, value) in place {
                text += &format!("{} ", value.unwrap_or("-".to_owned()));
            }
            text += &format!("{line}\n");
        }
        text
    }

    fn denials(&self, group: &Group<'_>, bin: &[i64]) -> String {
        let in_bin = group.refused.iter().filter(|(_, request)| bin.contains(&tick_of(request.at)));
        if self.has(Key::Version) { "-".to_owned() } else { in_bin.count().to_string() }
    }
}

fn refused(books: &Books) -> Vec<(u32, Request)> {
    let requests = books.requests.iter().filter(|(_, request)| matches!(request.outcome, Outcome::Denied(_)));
    requests.copied().collect()
}

fn mean(levels: &[i64]) -> String {
    decimal(levels.iter().sum::<i64>() as f64 / levels.len() as f64)
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 { "-".to_owned() } else { decimal(100.0 * part as f64 / whole as f64) }
}

fn levels(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let ledger = Ledger { books, scope, heads: heads(by, &[Head::Key(Key::Feature)]) };
    ledger.report("seats seconds_at seconds_at_least percent_at percent_at_least", &[], |group, bin| {
        let levels = group.levels(bin);
        let shown = (0..=*levels.iter().max().unwrap()).filter(|seats| *seats == 0 || levels.contains(seats));
        let line = |seats: i64| {
            let at = levels.iter().filter(|level| **level == seats).count();
            let at_least = levels.iter().filter(|level| **level >= seats).count();
            let percents = format!("{} {}", percent(at, bin.len()), percent(at_least, bin.len()));
            format!("{seats} {} {} {percents}", at * 900, at_least * 900)
        };
        shown.map(line).collect()
    })
}

fn concurrency(books: &Books, scope: &Scope, step: Step, by: &[Key]) -> String {
    let ledger = Ledger { books, scope, heads: heads(by, &[Head::From(step), Head::Key(Key::Feature)]) };
    let columns = "seats_average seats_peak seats_peak_at seats_issued denials";
    ledger.report(columns, &refused(books), |group, bin| {
        let levels = group.levels(bin);
        let peak = *levels.iter().max().unwrap();
        let peak_at = bin[levels.iter().position(|level| *level == peak).unwrap()];
        let peak_at = (START + peak_at * TICK_MS) / 1000;
        let peak_at = if peak == 0 { "-".to_owned() } else { format!("@{peak_at}") };
        let denials = ledger.denials(group, bin);
        vec![format!("{} {peak} {peak_at} {} {denials}", mean(&levels), group.issued(bin))]
    })
}

fn heatmap(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let own = [Head::Key(Key::Feature), Head::Weekday, Head::Hour];
    let ledger = Ledger { books, scope, heads: heads(by, &own) };
    ledger.report("seats_average seats_peak denials", &refused(books), |group, bin| {
        let levels = group.levels(bin);
        let peak = levels.iter().max().unwrap();
        vec![format!("{} {peak} {}", mean(&levels), ledger.denials(group, bin))]
    })
}

fn utilization(books: &Books, scope: &Scope, options: Options, by: &[Key]) -> String {
    let own = [Head::Key(Key::Month), Head::Key(Key::Feature)];
    let ledger = Ledger { books, scope, heads: heads(by, &own) };
    let columns = "seats_issued seats_average seats_peak utilization_percent app_usage_percent busy_percent \
                   full_percent coverage_percent";
    let servers = books.names.servers.values();
    let last = servers.flat_map(|server| &server.watched).map(|range| tick_of(range.1)).max().unwrap();
    let by_class = ledger.has(Key::TimeClass);
    ledger.report(columns, &[], |group, bin| {
        let levels = group.levels(bin);
        let known: Vec<i64> = bin.iter().copied().filter(|tick| group.capacity.contains_key(tick)).collect();
        let used: i64 = known.iter().map(|tick| group.at(*tick)).sum();
        let there: i64 = known.iter().map(|tick| group.capacity[tick]).sum();
        let with_seats: Vec<i64> = known.into_iter().filter(|tick| group.capacity[tick] > 0).collect();
        let full = with_seats.iter().filter(|tick| group.at(**tick) >= group.capacity[tick]).count();
        let busy = levels.iter().filter(|level| **level > 0).count();
        let month = wall(bin[0]).date().first_of_month();
        // Monday to Saturday, without Easter Monday: 26 days of 10 hours in March, 25 in April.
        let days = if month.month() == 3 { 26.0 } else { 25.0 };
        let hours = options.hours_per_day.unwrap_or(10.0) * options.days_per_month.unwrap_or(days);
        let working = Scope { working_days_only: true, ..Scope::default() };
        let on_working_days: i64 =
            bin.iter().filter(|tick| counts_tick(&working, **tick)).map(|tick| group.at(*tick)).sum();
        let app_usage = match group.issued(bin).parse::<i64>() {
            Ok(seats) if seats > 0 => decimal(100.0 * on_working_days as f64 * 0.25 / (seats as f64 * hours)),
            _ => "-".to_owned(),
        };
        let counted = (-40 * 96..last).filter(|tick| {
            wall(*tick).date().first_of_month() == month
                && counts_tick(scope, *tick)
                && (!by_class || class(*tick) == class(bin[0]))
        });
        vec![format!(
            "{} {} {} {} {app_usage} {} {} {}",
            group.issued(bin),
            mean(&levels),
            levels.iter().max().unwrap(),
            percent(used as usize, there as usize),
            percent(busy, bin.len()),
            percent(full, with_seats.len()),
            percent(bin.len(), counted.count())
        )]
    })
}

/// The first refusals of requests for want of capacity that no checkout ended, and of those that one did.
fn true_denials(books: &Books) -> (Vec<(u32, Request)>, Vec<(u32, Request)>) {
    let same = |one: u32, other: u32| {
        let (one, other) = (&books.names.holders[&one], &books.names.holders[&other]);
        (&one.user, &one.host) == (&other.user, &other.host)
    };
    let capacity = Outcome::Denied(DenialReason::Capacity);
    let mut refused: Vec<(u32, Request)> =
        books.requests.iter().filter(|(_, request)| request.outcome == capacity).copied().collect();
    refused.sort_by_key(|(_, request)| request.at);
    let (mut denied, mut delayed) = (Vec::new(), Vec::new());
    let mut done = vec![false; refused.len()];
    for nth in 0..refused.len() {
        if std::mem::replace(&mut done[nth], true) {
            continue;
        }
        let (feature, first) = refused[nth];
        let checkout_in = |from: i64, until: i64| {
            books.sessions.iter().any(|(of, part)| {
                *of == feature && same(part.holder, first.holder) && from <= part.from && part.from < until
            })
        };
        let mut last = first.at;
        for next in nth + 1..refused.len() {
            let (of, request) = refused[next];
            let follows = of == feature && same(request.holder, first.holder) && !done[next];
            if follows && request.at - last <= 900_000 && !checkout_in(last, request.at) {
                last = request.at;
                done[next] = true;
            }
        }
        let ended = checkout_in(last, last + 900_001);
        if ended { &mut delayed } else { &mut denied }.push((feature, first));
    }
    (denied, delayed)
}

fn seats_needed(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let ledger = Ledger { books, scope, heads: heads(by, &[Head::Key(Key::Feature)]) };
    let columns =
        "seats_issued seats_peak seats_p50 seats_p90 seats_p95 seats_p99 seats_needed_p95 seats_needed_p99";
    let (denied, delayed) = true_denials(books);
    let begun = [denied.clone(), delayed].concat();
    ledger.report(columns, &begun, |group, bin| {
        let levels = group.levels(bin);
        let least = |of: &[i64], percent: usize| {
            let enough =
                |seats: &i64| of.iter().filter(|one| *one <= seats).count() * 100 >= percent * of.len();
            (0..1000).find(enough).unwrap().to_string()
        };
        let mut needs = Vec::new();
        for tick in bin {
            let before = |part: &&Part| tick_of(part.from) < *tick && *tick < tick_of(part.until);
            let mut in_use: i64 =
                group.sessions(*tick).filter(before).map(|part| i64::from(part.seats)).sum();
            let mut starts: Vec<&Part> =
                group.sessions(*tick).filter(|part| tick_of(part.from) == *tick).collect();
            starts.sort_by_key(|part| (part.from < part.until, part.seats));
            for part in starts {
                needs.push(in_use + i64::from(part.seats));
                in_use += if part.from < part.until { i64::from(part.seats) } else { 0 };
            }
        }
        for request in
            group.refused.iter().filter(|(feature, request)| denied.contains(&(*feature, **request)))
        {
            let tick = tick_of(request.1.at);
            if bin.contains(&tick) {
                needs.push(group.at(tick) + i64::from(request.1.seats));
            }
        }
        let mut line = format!("{} {}", group.issued(bin), levels.iter().max().unwrap());
        for percent in [50, 90, 95, 99] {
            line += &format!(" {}", least(&levels, percent));
        }
        for percent in [95, 99] {
            let least = if needs.is_empty() { "-".to_owned() } else { least(&needs, percent) };
            line += &format!(" {least}");
        }
        vec![line]
    })
}

fn average_licenses(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let scope = Scope { working_days_only: true, ..scope.clone() };
    let mut keys: Vec<Key> = by.to_vec();
    let product = by.contains(&Key::Product) || by.contains(&Key::Type);
    keys.extend([Key::Month].into_iter().filter(|key| !by.contains(key)));
    keys.extend([Key::Feature].into_iter().filter(|key| !by.contains(key) && !product));
    let month = keys.iter().position(|key| *key == Key::Month).unwrap();
    let mut text = keys.iter().map(|key| format!("{} ", key.name())).collect::<String>();
    text += "average_licenses\n";
    for (group, (held, ..)) in crate::reference::sums(books, &scope, &keys) {
        let days = if group[month].as_deref() == Some("2024-03") { 26.0 } else { 25.0 };
        for (key, value) in keys.iter().zip(&group) {
            let value = value.clone().unwrap_or("-".to_owned());
            text += &format!("{} ", if *key == Key::TimeClass { &value[1..] } else { &value });
        }
        text += &format!("{}\n", decimal(held as f64 * 15.0 / 60.0 / 10.0 / days));
    }
    text
}

fn keys(known: &[Key]) -> impl Strategy<Value = Vec<Key>> + use<> {
    prop::sample::subsequence(known.to_vec(), 0..4).prop_shuffle()
}

fn any_keys() -> impl Strategy<Value = Vec<Key>> {
    keys(&[&Key::TIMELESS[..], &[Key::TimeClass, Key::Day, Key::Week, Key::Month]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn levels_by_keys(books in random::books(), scope in random::scope(), by in any_keys()) {
        let report = books.report(Levels::by(&books.names, &books.calendar, scope.clone(), &by));
        prop_assert_eq!(text(&report), levels(&books, &scope, &by));
    }

    #[test]
    fn concurrency_by_keys(
        books in random::books(), scope in random::scope(), by in keys(&Concurrency::KEYS),
        step in prop::sample::select(vec![Step::Hour, Step::Day, Step::Month]),
    ) {
        let report = books.report(Concurrency::by(&books.names, &books.calendar, scope.clone(), step, &by));
        prop_assert_eq!(text(&report), concurrency(&books, &scope, step, &by));
    }

    #[test]
    fn hours_of_the_week(books in random::books(), scope in random::scope(), by in any_keys()) {
        let report = books.report(Heatmap::by(&books.names, &books.calendar, scope.clone(), &by));
        prop_assert_eq!(text(&report), heatmap(&books, &scope, &by));
    }

    #[test]
    fn utilization_of_months(
        books in random::books(), scope in random::scope(), by in keys(&Utilization::KEYS), article: bool,
    ) {
        let options = Options {
            hours_per_day: article.then_some(6.0),
            days_per_month: article.then_some(22.0),
        };
        let report = books.report(Utilization::by(&books.names, &books.calendar, scope.clone(), options, &by));
        prop_assert_eq!(text(&report), utilization(&books, &scope, options, &by));
    }

    #[test]
    fn seats_that_would_have_been_enough(
        books in random::books(), scope in random::scope(), by in any_keys(),
    ) {
        let report = books.report(SeatsNeeded::by(&books.names, &books.calendar, scope.clone(), &by));
        prop_assert_eq!(text(&report), seats_needed(&books, &scope, &by));
    }

    #[test]
    fn averages_by_keys(books in random::books(), scope in random::scope(), by in keys(&AverageLicenses::KEYS)) {
        let options = Options::default();
        let report =
            books.report(AverageLicenses::by(&books.names, &books.calendar, scope.clone(), options, &by));
        prop_assert_eq!(text(&report), average_licenses(&books, &scope, &by));
    }
}
