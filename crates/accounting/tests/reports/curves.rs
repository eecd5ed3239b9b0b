//! What the reports of seats in use must say by any keys, computed tick by tick: slow and obvious.

use crate::books::{Books, text};
use crate::groups::{Head, Ledger, heads};
use crate::random::{self, START, TICK_MS};
use crate::reference::{TICKS_BEFORE, class, counts_tick, tick_of, wall};
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::report::average_licenses::{AverageLicenses, Options};
use accounting::report::concurrency::{Concurrency, Step};
use accounting::report::group::Key;
use accounting::report::heatmap::{self, Heatmap};
use accounting::report::levels::Levels;
use accounting::report::ranking::Ranking;
use accounting::report::seats_needed::SeatsNeeded;
use accounting::report::utilization::Utilization;
use accounting::report::{Scope, decimal};
use accounting::session::Part;
use proptest::prelude::*;
use std::collections::BTreeSet;

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
        let counted = (-TICKS_BEFORE..last).filter(|tick| {
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

/// Requests with their features.
type Asked = Vec<(u32, Request)>;

/// The first refusals of requests for want of capacity that no checkout ended, and of those that one did.
fn true_denials(books: &Books) -> [Asked; 2] {
    let same = |one: u32, other: u32| {
        let (one, other) = (&books.names.holders[&one], &books.names.holders[&other]);
        (one.person, one.host.to_lowercase()) == (other.person, other.host.to_lowercase())
    };
    let mut refused = refused(books);
    let reason = |request: &Request| match request.outcome {
        Outcome::Denied(reason) => reason.code(),
        _ => unreachable!(),
    };
    refused.sort_by_key(|(_, request)| (request.at, reason(request)));
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
    let capacity = |(_, request): &(u32, Request)| request.outcome == Outcome::Denied(DenialReason::Capacity);
    denied.retain(capacity);
    delayed.retain(capacity);
    [denied, delayed]
}

fn seats_needed(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let ledger = Ledger { books, scope, heads: heads(by, &[Head::Key(Key::Feature)]) };
    let columns =
        "seats_issued seats_peak seats_p50 seats_p90 seats_p95 seats_p99 seats_needed_p95 seats_needed_p99";
    let [denied, delayed] = true_denials(books);
    let begun = [denied.clone(), delayed].concat();
    ledger.report(columns, &begun, |group, bin| {
        let levels = group.levels(bin);
        let least = |of: &[i64], percent: usize| {
            let enough =
                |seats: &i64| of.iter().filter(|one| *one <= seats).count() * 100 >= percent * of.len();
            (0..1000).find(enough).unwrap().to_string()
        };
        let mut needs = Vec::new();
        let seen_in_bin = |at: i64| group.seen_in(scope, at).is_some_and(|tick| bin.contains(&tick));
        let instants = bin.iter().flat_map(|tick| [*tick, *tick + 1]).collect::<BTreeSet<_>>();
        for tick in instants.iter().filter(|tick| seen_in_bin(START + **tick * TICK_MS)) {
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
            if seen_in_bin(request.1.at) {
                needs.push(group.at(tick_of(request.1.at)) + i64::from(request.1.seats));
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

/// Month and feature after the keys, as far as they are not among them.
fn monthly(by: &[Key]) -> Vec<Key> {
    heads(by, &[Head::Key(Key::Month), Head::Key(Key::Feature)])
        .into_iter()
        .map(|head| match head {
            Head::Key(key) => key,
            _ => unreachable!(),
        })
        .collect()
}

/// The cells of keys; a time class has its index before it.
fn cells(keys: &[Key], group: &[Option<String>]) -> String {
    let cell = |(key, value): (&Key, &Option<String>)| {
        let value = value.clone().unwrap_or("-".to_owned());
        format!("{} ", if *key == Key::TimeClass { &value[1..] } else { &value })
    };
    keys.iter().zip(group).map(cell).collect()
}

fn average_licenses(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let scope = Scope { working_days_only: true, ..scope.clone() };
    let keys = monthly(by);
    let month = keys.iter().position(|key| *key == Key::Month).unwrap();
    let mut text = keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ") + " average_licenses\n";
    for (group, (held, ..)) in crate::reference::sums(books, &scope, &keys) {
        let days = if group[month].as_deref() == Some("2024-03") { 26.0 } else { 25.0 };
        let average = decimal(held as f64 * 15.0 / 60.0 / 10.0 / days);
        text += &format!("{}{average}\n", cells(&keys, &group));
    }
    text
}

fn ranking(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let keys = monthly(by);
    let mut text = keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ");
    text += " usage_minutes sessions persons\n";
    let mut rows: Vec<_> = crate::reference::sums(books, scope, &keys).into_iter().collect();
    let is_ranked = |key: &Key| matches!(key, Key::Feature | Key::Product | Key::Type);
    rows.sort_by_key(|(group, (held, ..))| {
        let of = |ranked: bool| {
            let keys = keys.iter().zip(group).filter(|(key, _)| is_ranked(key) == ranked);
            keys.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        (of(false), *held, of(true))
    });
    for (group, (held, sessions, persons)) in rows {
        text += &format!("{}{} {} {}\n", cells(&keys, &group), held * 15, sessions.len(), persons.len());
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
        let report = books.shared_report(|| Levels::by(&books.names, &books.calendar, scope.clone(), &by));
        prop_assert_eq!(text(&report), levels(&books, &scope, &by));
    }

    #[test]
    fn concurrency_by_keys(
        books in random::books(), scope in random::scope(), by in keys(&Concurrency::KEYS),
        step in prop::sample::select(vec![Step::Hour, Step::Day, Step::Month]),
    ) {
        let report = books.shared_report(|| Concurrency::by(&books.names, &books.calendar, scope.clone(), step, &by));
        prop_assert_eq!(text(&report), concurrency(&books, &scope, step, &by));
    }

    #[test]
    fn hours_of_the_week(books in random::books(), scope in random::scope(), by in any_keys()) {
        let of = |averages_alone| {
            let options = heatmap::Options { by: by.clone(), averages_alone };
            books.shared_report(|| Heatmap::new(&books.names, &books.calendar, scope.clone(), options.clone()))
        };
        let mut report = of(false);
        prop_assert_eq!(text(&report), heatmap(&books, &scope, &by));
        let columns: Vec<_> = report.columns.iter().map(|column| column.name).collect();
        report.keep(&columns[..columns.len() - 2]).unwrap();
        prop_assert_eq!(of(true), report);
    }

    #[test]
    fn utilization_of_months(
        books in random::books(), scope in random::scope(), by in keys(&Utilization::KEYS), article: bool,
    ) {
        let options = Options {
            hours_per_day: article.then_some(6.0),
            days_per_month: article.then_some(22.0),
        };
        let make = || Utilization::by(&books.names, &books.calendar, scope.clone(), options, &by);
        let report = books.shared_report(make);
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
    fn rankings_by_keys(books in random::books(), scope in random::scope(), by in any_keys()) {
        let report = books.shared_report(|| Ranking::by(&books.names, &books.calendar, scope.clone(), &by));
        prop_assert_eq!(text(&report), ranking(&books, &scope, &by));
    }

    #[test]
    fn averages_by_keys(books in random::books(), scope in random::scope(), by in keys(&AverageLicenses::KEYS)) {
        let options = Options::default();
        let report =
            books.shared_report(|| AverageLicenses::by(&books.names, &books.calendar, scope.clone(), options, &by));
        prop_assert_eq!(text(&report), average_licenses(&books, &scope, &by));
    }
}
