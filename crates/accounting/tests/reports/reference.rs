//! What the reports must say, computed tick by tick with sets: slow and obvious.

use crate::books::{Books, text};
use crate::groups::seen_in;
use crate::random::{self, CLASSES, START, TICK_MS, TICKS, class_of_minute};
use accounting::day::Day;
use accounting::feature_day::Outcome;
use accounting::ledger::Membership;
use accounting::report::average_licenses::{self, AverageLicenses};
use accounting::report::concurrency::{Concurrency, Step};
use accounting::report::group::Key;
use accounting::report::levels::Levels;
use accounting::report::overnight::Overnight;
use accounting::report::ranking::Ranking;
use accounting::report::usage::{self, Usage};
use accounting::report::{Cell, Scope, decimal};
use accounting::session::{Ended, Part};
use jiff::civil::DateTime;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Ticks before the first one of which the wall clock can be asked.
pub(crate) const TICKS_BEFORE: i64 = 40 * 96;

/// The wall clock of a tick.
pub(crate) fn wall(tick: i64) -> DateTime {
    static WALL: LazyLock<Vec<DateTime>> = LazyLock::new(|| {
        let zone = jiff::tz::TimeZone::get("Europe/Zurich").unwrap();
        let at = |tick| jiff::Timestamp::from_millisecond(START + tick * TICK_MS).unwrap();
        (-TICKS_BEFORE..=2 * TICKS).map(|tick| zone.to_datetime(at(tick))).collect()
    });
    WALL[(tick + TICKS_BEFORE) as usize]
}

pub(crate) fn class(tick: i64) -> usize {
    class_of_minute(wall(tick).hour() as u16 * 60 + wall(tick).minute() as u16)
}

pub(crate) fn tick_of(at: i64) -> i64 {
    (at - START) / TICK_MS
}

fn works(date: jiff::civil::Date) -> bool {
    date.weekday() != jiff::civil::Weekday::Sunday && date != jiff::civil::date(2024, 4, 1)
}

/// Whether the scope counts a tick.
pub(crate) fn counts_tick(scope: &Scope, tick: i64) -> bool {
    let date = wall(tick).date();
    scope.from.is_none_or(|from| from.date() <= date)
        && scope.until.is_none_or(|until| date < until.date())
        && scope.class.is_none_or(|only| usize::from(only) == class(tick))
        && (works(date) || !scope.working_days_only)
}

fn membership(books: &Books, holder: u32, tick: i64) -> Option<&Membership> {
    let person = &books.names.persons[books.names.holders[&holder].person as usize];
    let day = Day::from(wall(tick).date());
    person.memberships.iter().find(|membership| {
        membership.from.is_none_or(|from| from <= day) && membership.until.is_none_or(|until| until > day)
    })
}

/// Whether the scope counts what a holder does at a tick.
pub(crate) fn counts(books: &Books, scope: &Scope, feature: u32, holder: u32, tick: i64) -> bool {
    let who = &books.names.holders[&holder];
    let organization =
        membership(books, holder, tick).and_then(|membership| membership.organization.as_ref());
    let person = &books.names.persons[who.person as usize].name;
    counts_tick(scope, tick)
        && scope.feature.as_ref().is_none_or(|glob| glob.is_match(&books.names.features[&feature].code))
        && scope.server.as_ref().is_none_or(|server| *server == books.names.servers[&who.server].name)
        && scope.person.as_ref().is_none_or(|glob| glob.is_match(person))
        && scope.organization.as_ref().is_none_or(|glob| organization.is_some_and(|name| glob.is_match(name)))
}

/// The ticks in which a session is: those that it holds, or of zero length its instant.
pub(crate) fn ticks(part: &Part) -> std::ops::Range<i64> {
    tick_of(part.from)..tick_of(part.until).max(tick_of(part.from) + 1)
}

pub(crate) fn key(books: &Books, key: Key, feature: u32, part: &Part, tick: i64) -> Option<String> {
    let (feature, holder) = (&books.names.features[&feature], &books.names.holders[&part.holder]);
    let membership = membership(books, part.holder, tick);
    let date = wall(tick).date();
    match key {
        Key::Feature => Some(feature.code.clone()),
        Key::Product => Some(feature.product.clone().unwrap_or(feature.code.clone())),
        Key::Type => feature.product_type.clone(),
        Key::Version => books.names.versions.get(&part.version).cloned(),
        Key::Person => Some(books.names.persons[holder.person as usize].name.clone()),
        Key::User => Some(holder.user.clone()),
        Key::Host => Some(holder.host.clone()),
        Key::Server => Some(books.names.servers[&holder.server].name.clone()),
        Key::Organization => membership.and_then(|membership| membership.organization.clone()),
        Key::Project => membership.and_then(|membership| membership.project.clone()),
        // With its index before it, as the order of the rows is the calendar's.
        Key::TimeClass => Some(format!("{}{}", class(tick), CLASSES[class(tick)])),
        Key::Day => Some(date.to_string()),
        Key::Month => Some(date.strftime("%Y-%m").to_string()),
        Key::Week => Some(date.strftime("%G-W%V").to_string()),
    }
}

/// The sums of a group: seat ticks, numbers of sessions, persons.
pub(crate) type Sums = (i64, BTreeSet<usize>, BTreeSet<u32>);

/// Whether a session is a package's and there is one of a component for the same use.
pub(crate) fn twice(books: &Books, feature: u32, part: &Part) -> bool {
    let is_component = |other: &u32| books.names.features[&feature].components.contains(other);
    books.sessions.iter().any(|(other, component)| {
        is_component(other) && component.holder == part.holder && component.from / 1000 == part.from / 1000
    })
}

pub(crate) fn sums(books: &Books, scope: &Scope, by: &[Key]) -> BTreeMap<Vec<Option<String>>, Sums> {
    let by_product = (by.contains(&Key::Product) || by.contains(&Key::Type)) && !by.contains(&Key::Feature);
    let mut groups: BTreeMap<Vec<Option<String>>, Sums> = BTreeMap::new();
    for (nth, (feature, part)) in books.sessions.iter().enumerate() {
        if by_product && twice(books, *feature, part) {
            continue;
        }
        for tick in ticks(part).filter(|tick| counts(books, scope, *feature, part.holder, *tick)) {
            let group = by.iter().map(|by| key(books, *by, *feature, part, tick)).collect();
            let sums = groups.entry(group).or_default();
            sums.0 += if part.from < part.until { i64::from(part.seats) } else { 0 };
            sums.1.insert(nth);
            sums.2.insert(books.names.holders[&part.holder].person);
        }
    }
    groups
}

fn usage(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let mut text = by.iter().map(|key| key.name().to_owned() + " ").collect::<String>();
    text += "usage_minutes seat_seconds sessions persons\n";
    let sessions = sums(books, scope, by).into_iter().map(|(group, (held, sessions, persons))| {
        let figures = format!("{} {} {} {}\n", held * 15, held * 900, sessions.len(), persons.len());
        ((group, 0), figures)
    });
    let totals = totals(books, scope, by).into_iter().map(|(group, minutes)| {
        let figures = format!("{minutes} {} - -\n", minutes * 60);
        ((group, 1), figures)
    });
    for ((group, _), figures) in sessions.chain(totals).collect::<BTreeMap<_, _>>() {
        for (key, value) in by.iter().zip(group) {
            let value = value.unwrap_or("-".to_owned());
            text += if *key == Key::TimeClass { &value[1..] } else { &value };
            text += " ";
        }
        text += &figures;
    }
    text
}

/// The imported minutes of each group, where keys and scope can be answered of them.
fn totals(books: &Books, scope: &Scope, by: &[Key]) -> BTreeMap<Vec<Option<String>>, i64> {
    let unknown = [Key::Person, Key::User, Key::Host, Key::Server, Key::Project, Key::TimeClass];
    let asks_more = by.iter().any(|key| unknown.contains(key));
    let mut groups = BTreeMap::new();
    if asks_more || scope.person.is_some() || scope.server.is_some() || scope.class.is_some() {
        return groups;
    }
    for total in &books.names.totals {
        let (feature, date) = (&books.names.features[&total.feature], total.day.date());
        let counts = scope.from.is_none_or(|from| from <= total.day)
            && scope.until.is_none_or(|until| total.day < until)
            && (works(date) || !scope.working_days_only)
            && scope.feature.as_ref().is_none_or(|glob| glob.is_match(&feature.code))
            && scope.organization.as_ref().is_none_or(|glob| glob.is_match(&total.organization));
        let value = |key: &Key| match key {
            Key::Feature => Some(feature.code.clone()),
            Key::Product => Some(feature.product.clone().unwrap_or(feature.code.clone())),
            Key::Type => feature.product_type.clone(),
            Key::Version => books.names.versions.get(&total.version).cloned(),
            Key::Organization => Some(total.organization.clone()),
            Key::Day => Some(date.to_string()),
            Key::Month => Some(date.strftime("%Y-%m").to_string()),
            Key::Week => Some(date.strftime("%G-W%V").to_string()),
            _ => None,
        };
        if counts {
            *groups.entry(by.iter().map(value).collect()).or_default() += total.minutes;
        }
    }
    groups
}

fn ranking(books: &Books, scope: &Scope) -> String {
    let sums = sums(books, scope, &[Key::Month, Key::Feature]);
    let mut rows: Vec<_> = sums
        .into_iter()
        .map(|(group, (held, sessions, persons))| {
            (group[0].clone(), held * 15, group[1].clone(), sessions.len(), persons.len())
        })
        .collect();
    rows.sort();
    let mut text = "month feature usage_minutes sessions persons\n".to_owned();
    for (month, minutes, feature, sessions, persons) in rows {
        text += &format!("{} {} {minutes} {sessions} {persons}\n", month.unwrap(), feature.unwrap());
    }
    text
}

fn average_licenses(books: &Books, scope: &Scope) -> String {
    let scope = Scope { working_days_only: true, ..scope.clone() };
    let mut text = "month feature average_licenses\n".to_owned();
    for (group, (held, ..)) in sums(books, &scope, &[Key::Month, Key::Feature]) {
        let month = group[0].clone().unwrap();
        // Monday to Saturday, without Easter Monday: 26 days of 10 hours in March, 25 in April.
        let days = if month == "2024-03" { 26.0 } else { 25.0 };
        let average = held as f64 * 15.0 / 60.0 / 10.0 / days;
        text += &format!("{month} {} {}\n", group[1].clone().unwrap(), decimal(average));
    }
    text
}

/// The ticks of W: what the scope counts, as far as a license server of the scope was watched.
fn watched_ticks(books: &Books, scope: &Scope) -> Vec<i64> {
    let servers = books.names.servers.values();
    let of_scope = servers.filter(|server| scope.server.as_ref().is_none_or(|name| *name == server.name));
    let ranges: Vec<_> = of_scope.flat_map(|server| &server.watched).collect();
    let watched = |tick: &i64| {
        let at = START + tick * TICK_MS;
        ranges.iter().any(|range| range.0 <= at && at < range.1)
    };
    (0..TICKS).filter(|tick| counts_tick(scope, *tick)).filter(watched).collect()
}

/// u at a tick.
pub(crate) fn in_use(books: &Books, scope: &Scope, feature: u32, tick: i64) -> i64 {
    let holds = |part: &Part| tick_of(part.from) <= tick && tick < tick_of(part.until);
    let sessions = books.sessions.iter().filter(|(of, part)| *of == feature && holds(part));
    let of_scope = sessions.filter(|(_, part)| counts(books, scope, feature, part.holder, tick));
    of_scope.map(|(_, part)| i64::from(part.seats)).sum()
}

/// The features that a report of seats in use shows, by code.
fn features(books: &Books, scope: &Scope) -> Vec<(u32, String)> {
    let all = [(2, "cad"), (3, "sim"), (1, "suite")].map(|(id, code)| (id, code.to_owned()));
    let matches = |code: &str| scope.feature.as_ref().is_none_or(|glob| glob.is_match(code));
    let shown =
        scope.server.as_ref().is_none_or(|name| books.names.servers.values().any(|s| s.name == *name));
    all.into_iter().filter(|(_, code)| shown && matches(code)).collect()
}

fn levels(books: &Books, scope: &Scope) -> String {
    let mut text = "feature seats seconds_at seconds_at_least percent_at percent_at_least\n".to_owned();
    let window = watched_ticks(books, scope);
    for (feature, code) in features(books, scope) {
        let levels: Vec<i64> = window.iter().map(|tick| in_use(books, scope, feature, *tick)).collect();
        let mut shown: BTreeSet<i64> = levels.iter().copied().collect();
        shown.insert(0);
        for seats in shown.iter().filter(|_| !window.is_empty()) {
            let at = levels.iter().filter(|level| *level == seats).count();
            let at_least = levels.iter().filter(|level| *level >= seats).count();
            let percent = |ticks: usize| decimal(100.0 * ticks as f64 / window.len() as f64);
            text += &format!("{code} {seats} {} {} ", at * 900, at_least * 900);
            text += &format!("{} {}\n", percent(at), percent(at_least));
        }
    }
    text
}

/// The first instant of the step of a tick, in seconds. (Zurich's clock changes at whole hours and not on a 1st.)
pub(crate) fn step_start(tick: i64, step: Step) -> i64 {
    let wall = wall(tick);
    let midnight = |date: jiff::civil::Date| {
        date.to_zoned(jiff::tz::TimeZone::get("Europe/Zurich").unwrap()).unwrap().timestamp().as_second()
    };
    match step {
        Step::Hour => (START + tick * TICK_MS) / 1000 - i64::from(wall.minute()) * 60,
        Step::Day => midnight(wall.date()),
        Step::Month => midnight(wall.date().first_of_month()),
    }
}

fn concurrency(books: &Books, scope: &Scope, step: Step) -> String {
    let mut text = "from feature seats_average seats_peak seats_peak_at seats_issued denials\n".to_owned();
    let mut steps: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let watched = watched_ticks(books, scope);
    for &tick in &watched {
        steps.entry(step_start(tick, step)).or_default().push(tick);
    }
    for (from, window) in steps {
        for (feature, code) in features(books, scope) {
            let levels: Vec<i64> = window.iter().map(|tick| in_use(books, scope, feature, *tick)).collect();
            let peak = *levels.iter().max().unwrap();
            let peak_at = window[levels.iter().position(|level| *level == peak).unwrap()];
            let peak_at = (START + peak_at * TICK_MS) / 1000;
            let peak_at = if peak == 0 { "-".to_owned() } else { format!("@{peak_at}") };
            let servers = books.names.servers.iter();
            let servers =
                servers.filter(|(_, one)| scope.server.as_ref().is_none_or(|name| one.name == *name));
            let servers: Vec<u32> = servers.map(|(id, _)| *id).collect();
            let issued = |tick: &i64| {
                let of = |server: &u32| books.names.capacity[&(feature, *server)].at(START + tick * TICK_MS);
                let whole = scope.person.is_none() && scope.organization.is_none();
                servers.iter().map(of).sum::<Option<i64>>().filter(|_| whole)
            };
            let issued =
                window.iter().rev().find_map(issued).map_or("-".to_owned(), |seats| seats.to_string());
            let denied = books.requests.iter().filter(|(of, request)| {
                *of == feature
                    && matches!(request.outcome, Outcome::Denied(_))
                    && seen_in(&watched, scope, request.at).is_some_and(|tick| window.contains(&tick))
                    && counts(books, scope, feature, request.holder, tick_of(request.at))
            });
            let average = decimal(levels.iter().sum::<i64>() as f64 / window.len() as f64);
            text += &format!("@{from} {code} {average} {peak} {peak_at} {issued} {}\n", denied.count());
        }
    }
    text
}

fn overnight(books: &Books, scope: &Scope) -> String {
    let mut rows = Vec::new();
    for (feature, part) in &books.sessions {
        for tick in tick_of(part.from)..tick_of(part.until) {
            let midnight = wall(tick).hour() == 0 && wall(tick).minute() == 0;
            if midnight && counts(books, scope, *feature, part.holder, tick) {
                let who = &books.names.holders[&part.holder];
                let code = books.names.features[feature].code.clone();
                rows.push((
                    wall(tick).date(),
                    code,
                    part.from,
                    (&who.user, &who.host),
                    part.until,
                    part.ended,
                ));
            }
        }
    }
    rows.sort_by(|one, other| {
        (one.0, &one.1, one.2, one.3, one.4).cmp(&(other.0, &other.1, other.2, other.3, other.4))
    });
    let mut lines: Vec<_> = rows
        .into_iter()
        .map(|(day, code, from, (user, host), until, ended)| {
            let hours = decimal((until - from) as f64 / 3_600_000.0);
            let until = if ended == Ended::Open { "-".to_owned() } else { format!("@{}", until / 1000) };
            format!("{day} {code} {user} {host} @{} {until} {hours}\n", from / 1000)
        })
        .collect();
    lines.insert(0, "day feature user host from until held_hours\n".to_owned());
    lines.concat()
}

/// Lines in order: sessions that are alike in all that orders rows may come either way.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

pub(crate) fn keys() -> impl Strategy<Value = Vec<Key>> {
    let all = Key::list(
        "feature,product,type,version,person,user,host,organization,project,server,time_class,day,week,month",
    );
    prop::sample::subsequence(all.unwrap(), 0..5).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn usage_by_any_keys(books in random::books(), scope in random::scope(), by in keys()) {
        let expected = usage(&books, &scope, &by);
        let options = usage::Options::by(by);
        let make = || Usage::new(&books.names, &books.calendar, scope.clone(), options.clone());
        prop_assert_eq!(&text(&books.report(make())), &expected);
        prop_assert_eq!(text(&books.shared_report(make)), expected);
    }

    #[test]
    fn seat_time_alone(books in random::books(), scope in random::scope(), by in keys()) {
        let of = |time_alone| {
            let options = usage::Options { by: by.clone(), time_alone };
            books.shared_report(|| Usage::new(&books.names, &books.calendar, scope.clone(), options.clone()))
        };
        let mut whole = of(false);
        whole.rows.retain(|row| row[by.len()] != Cell::Decimal(0.0));
        let mut columns: Vec<_> = by.iter().map(|key| key.name()).collect();
        columns.extend(["usage_minutes", "seat_seconds"]);
        whole.keep(&columns).unwrap();
        prop_assert_eq!(of(true), whole);
    }

    #[test]
    fn rankings_and_averages(books in random::books(), scope in random::scope()) {
        let report = books.shared_report(|| Ranking::new(&books.names, &books.calendar, scope.clone()));
        prop_assert_eq!(text(&report), ranking(&books, &scope));
        let options = average_licenses::Options::default();
        let report = books.report(AverageLicenses::new(&books.names, &books.calendar, scope.clone(), options));
        prop_assert_eq!(text(&report), average_licenses(&books, &scope));
    }

    #[test]
    fn seats_in_use(books in random::books(), scope in random::scope()) {
        let report = books.shared_report(|| Levels::new(&books.names, &books.calendar, scope.clone()));
        prop_assert_eq!(text(&report), levels(&books, &scope));
        for step in [Step::Hour, Step::Day, Step::Month] {
            let make = || Concurrency::new(&books.names, &books.calendar, scope.clone(), step);
            let report = books.shared_report(make);
            prop_assert_eq!(text(&report), concurrency(&books, &scope, step));
        }
    }

    #[test]
    fn overnight_sessions(books in random::books(), scope in random::scope()) {
        let report = text(&books.report(Overnight::new(&books.names, &books.calendar, scope.clone())));
        let expected = overnight(&books, &scope);
        prop_assert_eq!(sorted(&report), sorted(&expected));
    }
}
