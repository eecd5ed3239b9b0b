//! `allocation`: worked examples, and a slow reference that hands out the cents one by one.

use crate::books::{Books, said, text};
use crate::random;
use crate::reference::{counts, key, ticks};
use accounting::calendar::Calendar;
use accounting::capacity::Steps;
use accounting::ledger::Membership;
use accounting::report::allocation::{Allocation, Options, Share};
use accounting::report::group::Key;
use accounting::report::money::Cents;
use accounting::report::{Cell, Report, Scope, decimal};
use accounting::session::Part;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Two features; anna of the south, then of the north; bob, who belongs nowhere.
fn desk() -> Books {
    let mut books = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    books.server("27000@lic1");
    let (cad, sim) = (books.feature("cad"), books.feature("sim"));
    let (anna, bob) = (books.holder("anna", "pc1"), books.holder("bob", "pc2"));
    let moves = Some("2025-03-13".parse().unwrap());
    let member = |from, until, organization: &str| Membership {
        from,
        until,
        organization: Some(organization.to_owned()),
        project: None,
    };
    Arc::make_mut(&mut books.names.persons)[0].memberships =
        vec![member(None, moves, "south"), member(moves, None, "north")];
    books.session(cad, anna, "2025-03-12 23:00", "2025-03-13 01:00");
    books.session(cad, anna, "2025-03-13 00:30", "2025-03-13 01:30");
    books.session(cad, bob, "2025-03-13 10:00", "2025-03-13 10:30").seats = 2;
    books.session(sim, bob, "2025-03-13 10:00", "2025-03-13 11:00");
    books
}

fn allocation(books: &Books, scope: Scope, options: Options) -> Report {
    books.report(Allocation::new(&books.names, &books.calendar, scope, options))
}

fn bill(cost: &str) -> Options {
    Options { cost: Some(cost.parse().unwrap()), ..Options::default() }
}

fn only(feature: &str) -> Scope {
    Scope { feature: Some(globset::Glob::new(feature).unwrap().compile_matcher()), ..Scope::default() }
}

fn check(report: &Report, expected: &Expect) {
    expected.assert_eq(&text(report));
}

fn says(report: &Report, text: &str) {
    let notes = said(report);
    assert!(notes.iter().any(|note| note.contains(text)), "`{text}` is not in {notes:#?}");
}

#[test]
fn a_bill_is_split_to_the_cent() {
    let books = desk();
    let all =
        allocation(&books, Scope::default(), Options { currency: Some("CHF".to_owned()), ..bill("100") });
    check(
        &all,
        &expect![[r#"
            organization usage_minutes share_percent amount currency
            - 120 40 40.00 CHF
            north 120 40 40.00 CHF
            south 60 20 20.00 CHF
        "#]],
    );
    says(&all, "the bill of 100.00 CHF is split by the time of all features, added up");
    check(
        &allocation(&books, only("cad"), bill("0.10")),
        &expect![[r#"
            organization usage_minutes share_percent amount
            - 60 25 0.03
            north 120 50 0.05
            south 60 25 0.02
        "#]],
    );
    // By persons: anna's two sessions of the 13th overlap, and bob's two seats are one person's.
    check(
        &allocation(&books, only("cad"), Options { share: Share::PersonSeconds, ..bill("60") }),
        &expect![[r#"
            organization usage_minutes share_percent amount
            - 60 16.666667 10.00
            north 120 50 30.00
            south 60 33.333333 20.00
        "#]],
    );
}

#[test]
fn a_bill_of_what_nobody_used_is_not_split() {
    let books = desk();
    let nobody = allocation(&books, only("none"), bill("1200.50"));
    assert!(nobody.rows.is_empty());
    says(&nobody, "nothing was used, 1200.50 is not split");
}

#[test]
fn the_catalog_gives_each_feature_a_bill_of_its_own() {
    let mut books = desk();
    let told = books.at("2025-01-01 00:00");
    books.names.capacity.insert((1, 1), Steps::new(vec![(told, Some(3))]));
    books.names.features.get_mut(&1).unwrap().price = Some("33.335".to_owned());
    let priced = allocation(&books, Scope::default(), Options::default());
    // 33.335 · 3 = 100.005, half a cent rounded up.
    check(
        &priced,
        &expect![[r#"
            organization usage_minutes share_percent amount
            - 60 25 25.00
            north 120 50 50.01
            south 60 25 25.00
        "#]],
    );
    says(&priced, "cad: 33.335 · 3 seats issued = 100.01");
    says(&priced, "without a price in the catalog, and left out: sim");
    books.names.features.get_mut(&2).unwrap().price = Some("50".to_owned());
    let both = allocation(&books, Scope::default(), Options::default());
    check(
        &both,
        &expect![[r#"
            organization usage_minutes share_percent amount
            - 120 49.998333 75.00
            north 120 33.334444 50.01
            south 60 16.667222 25.00
        "#]],
    );
    says(&both, "sim: 50 · 1 seats at the peak = 50.00");
    let unused = books.feature("shelf");
    books.names.capacity.insert((unused, 1), Steps::new(vec![(told, Some(1))]));
    books.names.features.get_mut(&unused).unwrap().price = Some("7".to_owned());
    says(
        &allocation(&books, Scope::default(), Options::default()),
        "shelf: nothing was used, 7.00 is not split",
    );
}

/// What a bill is split by and among: the weight and the seat ticks of each group.
type Weights = BTreeMap<Vec<Option<String>>, (i128, i128)>;

/// The use of some features.
fn weights(
    books: &Books,
    scope: &Scope,
    options: &Options,
    features: &[u32],
    without_packages: bool,
) -> Weights {
    let mut weights = Weights::new();
    let mut seen = BTreeSet::new();
    for (feature, part) in books.sessions.iter().filter(|(feature, _)| features.contains(feature)) {
        let twin = |(other, component): &(u32, Part)| {
            books.names.features[feature].components.contains(other)
                && component.holder == part.holder
                && component.from / 1000 == part.from / 1000
        };
        if part.from == part.until || without_packages && books.sessions.iter().any(twin) {
            continue;
        }
        for tick in ticks(part).filter(|tick| counts(books, scope, *feature, part.holder, *tick)) {
            let group: Vec<_> = options.by.iter().map(|by| key(books, *by, *feature, part, tick)).collect();
            let seats = i128::from(part.seats);
            let person = books.names.holders[&part.holder].person;
            let first = seen.insert((group.clone(), *feature, person, tick));
            let entry = weights.entry(group).or_default();
            entry.0 += if options.share == Share::SeatSeconds { seats } else { i128::from(first) };
            entry.1 += seats;
        }
    }
    weights
}

/// Most seats that count at once.
fn peak(books: &Books, scope: &Scope, feature: u32) -> i64 {
    (0..random::TICKS).map(|tick| crate::reference::in_use(books, scope, feature, tick)).max().unwrap()
}

/// The bill of a feature in cents: 10 and 3.335 a seat.
fn of_catalog(books: &Books, scope: &Scope, feature: u32) -> i64 {
    let end = scope.until.map_or(i64::MAX, |until| until.start(books.calendar.zone()) - 1);
    let servers = books.names.servers.iter();
    let servers = servers.filter(|(_, one)| scope.server.as_ref().is_none_or(|name| one.name == *name));
    let issued = servers.map(|(server, _)| books.names.capacity[&(feature, *server)].at(end));
    let seats = issued.sum::<Option<i64>>().unwrap_or_else(|| peak(books, scope, feature));
    if feature == 1 { 1000 * seats } else { (3335 * seats + 5) / 10 }
}

fn reference(books: &Books, scope: &Scope, options: &Options) -> String {
    let in_scope = |code: &str| scope.feature.as_ref().is_none_or(|glob| glob.is_match(code));
    let by_code = [(2, "cad"), (3, "sim"), (1, "suite")].into_iter().filter(|(_, code)| in_scope(code));
    let without_packages = !options.by.contains(&Key::Feature);
    let bills: Vec<(i64, Weights)> = match options.cost {
        Some(Cents(cost)) => {
            let features: Vec<u32> = by_code.map(|(id, _)| id).collect();
            vec![(cost, weights(books, scope, options, &features, without_packages))]
        }
        None => by_code
            .filter(|(_, code)| *code != "sim")
            .map(|(id, _)| (of_catalog(books, scope, id), weights(books, scope, options, &[id], false)))
            .collect(),
    };
    let mut rows: BTreeMap<Vec<Option<String>>, (i128, f64, i64)> = BTreeMap::new();
    let mut shared = 0.0;
    for (bill, weights) in bills.iter().filter(|(_, weights)| !weights.is_empty()) {
        let total: i128 = weights.values().map(|(weight, _)| weight).sum();
        // What each group still has to get, times the total: a cent each to whoever has most to get.
        let mut due: Vec<(i128, i64)> =
            weights.values().map(|(weight, _)| (weight * i128::from(*bill), 0)).collect();
        for _ in 0..*bill {
            let most = due.iter().map(|(due, _)| *due).max().unwrap();
            let first = due.iter_mut().find(|(due, _)| *due == most).unwrap();
            *first = (first.0 - total, first.1 + 1);
        }
        shared += if options.cost.is_some() { total as f64 } else { *bill as f64 };
        for ((group, (weight, seats)), (_, cents)) in weights.iter().zip(due) {
            let row = rows.entry(group.clone()).or_default();
            row.0 += seats;
            row.1 += if options.cost.is_some() {
                *weight as f64
            } else {
                *bill as f64 * *weight as f64 / total as f64
            };
            row.2 += cents;
        }
    }
    let mut text = options.by.iter().map(|key| key.name().to_owned() + " ").collect::<String>();
    text += "usage_minutes share_percent amount\n";
    for (group, (seats, share, cents)) in rows {
        for (key, value) in options.by.iter().zip(group) {
            let value = value.unwrap_or("-".to_owned());
            text += if *key == Key::TimeClass { &value[1..] } else { &value };
            text += " ";
        }
        let percent = if shared > 0.0 { decimal(100.0 * share / shared) } else { "-".to_owned() };
        text += &format!("{} {percent} {}.{:02}\n", seats * 15, cents / 100, cents % 100);
    }
    text
}

fn options() -> impl Strategy<Value = Options> {
    let keys = crate::reference::keys();
    let costs = prop_oneof![1 => Just(None), 1 => (0..3000_i64).prop_map(|cents| Some(Cents(cents)))];
    (keys, costs, any::<bool>()).prop_map(|(by, cost, by_persons)| {
        let share = if by_persons { Share::PersonSeconds } else { Share::SeatSeconds };
        Options { by, share, cost, currency: None }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn allocations_by_any_keys(books in random::books(), scope in random::scope(), options in options()) {
        let expected = reference(&books, &scope, &options);
        let cost = options.cost;
        let report = allocation(&books, scope, options);
        prop_assert_eq!(text(&report), expected);
        let amounts = report.rows.iter().flatten().map(|cell| match cell {
            Cell::Amount(cents) => cents.0,
            _ => 0,
        });
        if let Some(Cents(cost)) = cost {
            prop_assert!(report.rows.is_empty() || amounts.sum::<i64>() == cost);
        }
    }
}
