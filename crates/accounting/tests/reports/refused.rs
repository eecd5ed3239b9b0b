//! `denials`: a day at the license servers, and what must be said, request by request.

use crate::books::{Books, text};
use crate::random;
use crate::reference::{counts, key, tick_of};
use accounting::calendar::Calendar;
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::report::denials::{Denials, Options};
use accounting::report::group::Key;
use accounting::report::{Report, Scope, decimal};
use accounting::session::{Ended, Part};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

use DenialReason::{Capacity, Unsupported, Version};
use std::sync::Arc;

fn report(books: &Books, scope: Scope, by: &str) -> Report {
    let options = Options { by: Key::list_for("denials", Options::KEYS, by).unwrap() };
    books.report(Denials::new(&books.names, &books.calendar, scope, options))
}

fn check(books: &Books, by: &str, expected: &Expect) {
    expected.assert_eq(&text(&report(books, Scope::default(), by)));
}

/// Two license servers; anna (in two spellings), and bob at another host.
fn desk() -> Books {
    let mut books = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    books.server("27000@lic1");
    books.server("27000@lic2");
    for code in ["cad", "sim"] {
        books.feature(code);
    }
    books.holder("anna", "pc1");
    books.holder("bob", "pc2");
    let elsewhere = books.holder("anna", "PC1");
    let holder = Arc::make_mut(&mut books.names.holders).get_mut(&elsewhere).unwrap();
    (holder.server, holder.user) = (2, "ANNA".to_owned());
    books
}

/// Adds a denial.
fn deny(books: &mut Books, feature: u32, holder: u32, at: &str, reason: DenialReason) {
    let request = Request { at: books.at(at), holder, seats: 1, outcome: Outcome::Denied(reason) };
    books.requests.push((feature, request));
}

#[test]
fn a_request_that_ends_in_a_checkout_is_delayed() {
    let mut books = desk();
    // Asked three times, the last time a quarter of an hour after the time before; served on the other license server.
    deny(&mut books, 1, 1, "2025-03-12 10:02:31", Capacity);
    deny(&mut books, 1, 1, "2025-03-12 10:02:46", Capacity);
    deny(&mut books, 1, 1, "2025-03-12 10:17:46", Capacity);
    books.session(1, 3, "2025-03-12 10:32:46", "2025-03-12 11:00");
    // Too late for bob, and not what anna asked for.
    deny(&mut books, 1, 2, "2025-03-12 10:02:46", Capacity);
    books.session(1, 2, "2025-03-12 10:17:46.001", "2025-03-12 11:00");
    deny(&mut books, 2, 1, "2025-03-12 10:30", Unsupported);
    check(
        &books,
        "",
        &expect![[r#"
            month feature reason raw requests delayed denied persons checkouts denial_percent
            2025-03 cad capacity 4 2 1 1 2 2 66.666667
            2025-03 sim unsupported 1 1 0 1 1 - -
        "#]],
    );
    check(
        &books,
        "person,server",
        &expect![[r#"
            month feature reason person server raw requests delayed denied persons checkouts denial_percent
            2025-03 cad capacity anna 27000@lic1 3 1 1 0 1 0 100
            2025-03 cad capacity bob 27000@lic1 1 1 0 1 1 1 50
            2025-03 sim unsupported anna 27000@lic1 1 1 0 1 1 - -
        "#]],
    );
}

#[test]
fn a_checkout_ends_a_request_and_the_next_denial_begins_another() {
    let mut books = desk();
    deny(&mut books, 1, 1, "2025-03-12 10:00", Capacity);
    // In the same instant: the denial came before.
    books.session(1, 1, "2025-03-12 10:00", "2025-03-12 10:01");
    books.session(1, 1, "2025-03-12 10:00", "2025-03-12 10:01");
    deny(&mut books, 1, 1, "2025-03-12 10:05", Capacity);
    deny(&mut books, 1, 1, "2025-03-12 10:20:00.001", Capacity);
    check(
        &books,
        "",
        &expect![[r#"
            month feature reason raw requests delayed denied persons checkouts denial_percent
            2025-03 cad capacity 3 3 1 2 1 2 60
        "#]],
    );
}

#[test]
fn a_request_counts_under_its_first_denial() {
    let mut books = desk();
    deny(&mut books, 1, 1, "2025-03-31 23:50", Version);
    deny(&mut books, 1, 1, "2025-03-31 23:58", Capacity);
    deny(&mut books, 1, 3, "2025-04-01 00:06", Capacity);
    books.session(1, 1, "2025-04-01 00:10", "2025-04-01 01:00");
    let by_day = expect![[r#"
        month feature reason day raw requests delayed denied persons checkouts denial_percent
        2025-03 cad capacity 2025-03-31 1 0 0 0 1 0 100
        2025-03 cad version 2025-03-31 1 1 1 0 1 - -
        2025-04 cad capacity 2025-04-01 1 0 0 0 1 1 50
    "#]];
    check(&books, "day", &by_day);
    // The months one by one say the same: what lies just outside is looked at, not counted.
    let month = |from: &str, until: &str| {
        let scope = Scope { from: from.parse().ok(), until: until.parse().ok(), ..Scope::default() };
        let report = text(&report(&books, scope, "day"));
        report.split_once('\n').unwrap().1.to_owned()
    };
    let all = text(&report(&books, Scope::default(), "day"));
    let parts = month("2025-03-01", "2025-04-01") + &month("2025-04-01", "2025-05-01");
    assert_eq!(all.split_once('\n').unwrap().1, parts);
}

#[test]
fn queues_are_no_denials() {
    let mut books = desk();
    for outcome in [Outcome::Queued, Outcome::Dequeued] {
        let at = books.at("2025-03-12 10:00");
        books.requests.push((1, Request { at, holder: 1, seats: 1, outcome }));
    }
    assert!(report(&books, Scope::default(), "").rows.is_empty());
}

/// One denial: when, of which reason, by whom.
type Denial = (i64, DenialReason, u32);

const QUARTER_MS: i64 = 15 * 60_000;

/// Who a holder is when asking: person and host.
fn asker(books: &Books, holder: u32) -> (u32, String) {
    let holder = &books.names.holders[&holder];
    (holder.person, holder.host.to_lowercase())
}

/// The requests of one asker for one feature: each with its denials in order, and whether it ended in a checkout.
fn requests(denials: &[Denial], checkouts: &[i64]) -> Vec<(Vec<Denial>, bool)> {
    let served = |from: i64, until: i64| checkouts.iter().any(|at| from <= *at && *at < until);
    let mut requests: Vec<(Vec<Denial>, bool)> = Vec::new();
    for denial in denials {
        match requests.last_mut() {
            Some((before, _))
                if denial.0 - before.last().unwrap().0 <= QUARTER_MS
                    && !served(before.last().unwrap().0, denial.0) =>
            {
                before.push(*denial);
            }
            _ => requests.push((vec![*denial], false)),
        }
    }
    for (of_one, delayed) in &mut requests {
        let last = of_one.last().unwrap().0;
        *delayed = served(last, last + QUARTER_MS + 1);
    }
    requests
}

/// A row of the report, its keys in order; the reason's code stands before its word.
type Keys = Vec<Option<String>>;

/// Raw, requests, delayed; who.
#[derive(Default)]
struct Sums {
    raw: i64,
    requests: i64,
    delayed: i64,
    persons: BTreeSet<u32>,
}

fn denials(books: &Books, scope: &Scope, by: &[Key]) -> String {
    let mut text = "month feature reason ".to_owned();
    let by: Vec<Key> = by.iter().copied().filter(|key| ![Key::Month, Key::Feature].contains(key)).collect();
    text += &by.iter().map(|key| key.name().to_owned() + " ").collect::<String>();
    text += "raw requests delayed denied persons checkouts denial_percent\n";
    let place = |feature: u32, at: i64, holder: u32| -> Option<Keys> {
        let part = Part { from: at, until: at, holder, version: 0, seats: 1, ended: Ended::Checkin };
        let tick = tick_of(at);
        let keys = [Key::Month, Key::Feature].iter().chain(&by);
        counts(books, scope, feature, holder, tick)
            .then(|| keys.map(|by| key(books, *by, feature, &part, tick)).collect())
    };
    let with_reason = |mut keys: Keys, reason: DenialReason| {
        keys.insert(2, Some(format!("{}{}", reason.code(), reason.as_str())));
        keys
    };
    let mut begun: BTreeMap<Keys, i64> = BTreeMap::new();
    for (feature, part) in &books.sessions {
        if let Some(keys) = place(*feature, part.from, part.holder) {
            *begun.entry(keys).or_default() += 1;
        }
    }
    let mut sums: BTreeMap<Keys, Sums> = BTreeMap::new();
    let mut asked: BTreeMap<(u32, (u32, String)), Vec<Denial>> = BTreeMap::new();
    for (feature, request) in &books.requests {
        let Outcome::Denied(reason) = request.outcome else { continue };
        asked.entry((*feature, asker(books, request.holder))).or_default().push((
            request.at,
            reason,
            request.holder,
        ));
        if let Some(keys) = place(*feature, request.at, request.holder) {
            let sums = sums.entry(with_reason(keys, reason)).or_default();
            sums.raw += 1;
            sums.persons.insert(books.names.holders[&request.holder].person);
        }
    }
    for ((feature, who), mut denials) in asked {
        denials.sort_by_key(|denial| (denial.0, denial.1.code()));
        let of_asker =
            books.sessions.iter().filter(|(of, part)| *of == feature && asker(books, part.holder) == who);
        let checkouts: Vec<i64> = of_asker.map(|(_, part)| part.from).collect();
        for (of_one, delayed) in requests(&denials, &checkouts) {
            let (at, reason, holder) = of_one[0];
            if let Some(keys) = place(feature, at, holder) {
                let sums = sums.get_mut(&with_reason(keys, reason)).unwrap();
                sums.requests += 1;
                sums.delayed += i64::from(delayed);
            }
        }
    }
    for (keys, sums) in sums {
        for (nth, value) in keys.iter().enumerate() {
            let value = value.clone().unwrap_or("-".to_owned());
            let numbered = nth == 2 || nth > 2 && by[nth - 3] == Key::TimeClass;
            text += if numbered { &value[1..] } else { &value };
            text += " ";
        }
        let Sums { raw, requests, delayed, persons } = &sums;
        text += &format!("{raw} {requests} {delayed} {} {} ", requests - delayed, persons.len());
        let mut keys = keys;
        if keys.remove(2).unwrap().ends_with("capacity") {
            let begun = begun.get(&keys).copied().unwrap_or_default();
            text += &format!("{begun} {}\n", decimal(100.0 * *raw as f64 / (raw + begun) as f64));
        } else {
            text += "- -\n";
        }
    }
    text
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    prop::sample::subsequence(Options::KEYS, 0..5).prop_shuffle()
}

#[test]
fn checkouts_of_a_crowd_count_though_nobody_was_refused_before() {
    let mut books = desk();
    let midnight = books.at("2025-03-12 00:00");
    let holds = |nth: i64| {
        let from = midnight + nth * 1000;
        let holder = if nth % 3 == 0 { 2 } else { 1 };
        (1, Part { from, until: from + 500, holder, version: 0, seats: 1, ended: Ended::Checkin })
    };
    books.sessions.extend((0..80_000).map(holds));
    deny(&mut books, 1, 2, "2025-03-12 23:00", Capacity);
    check(
        &books,
        "person",
        &expect![[r#"
            month feature reason person raw requests delayed denied persons checkouts denial_percent
            2025-03 cad capacity bob 1 1 0 1 1 26667 0.00375
        "#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn denials_by_any_keys(books in random::books(), scope in random::scope(), by in keys()) {
        let expected = denials(&books, &scope, &by);
        let make = || Denials::new(&books.names, &books.calendar, scope.clone(), Options { by: by.clone() });
        let report = books.shared_report(make);
        prop_assert_eq!(text(&report), expected);
    }
}
