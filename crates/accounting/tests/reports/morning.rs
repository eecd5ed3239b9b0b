//! One morning of four persons, by hand: utilization, seats-needed, heatmap.

use crate::books::{Books, text};
use accounting::calendar::Calendar;
use accounting::capacity::Steps;
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::report::average_licenses::Options;
use accounting::report::group::Key;
use accounting::report::heatmap::{self, Heatmap};
use accounting::report::seats_needed::SeatsNeeded;
use accounting::report::utilization::Utilization;
use accounting::report::{Accumulator, Scope};
use expect_test::{Expect, expect};

/// Watched on Monday from 8 to 12, two seats from 9 on; u = 1, 2, 2 until 10:30, 1 until 11, 0. Carol is refused twice
/// and gives up; dora is refused once and has a seat ten minutes later.
fn morning() -> Books {
    let mut books = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    books.server("27000@lic1");
    let feature = books.feature("solver");
    let [anna, bob, carol, dora] = ["anna", "bob", "carol", "dora"].map(|user| books.holder(user, "pc1"));
    books.session(feature, anna, "2000-11-20 08:00", "2000-11-20 10:00");
    books.session(feature, bob, "2000-11-20 09:00", "2000-11-20 11:00");
    books.session(feature, dora, "2000-11-20 10:00", "2000-11-20 10:30");
    for (holder, at) in [(carol, "09:30"), (carol, "09:40"), (dora, "09:50")] {
        let (at, outcome) = (books.at(&format!("2000-11-20 {at}")), Outcome::Denied(DenialReason::Capacity));
        books.requests.push((feature, Request { at, holder, seats: 1, outcome }));
    }
    let [eight, nine, noon] = ["08:00", "09:00", "12:00"].map(|at| books.at(&format!("2000-11-20 {at}")));
    books.names.servers.get_mut(&1).unwrap().watched = vec![(eight, noon)];
    books.names.capacity.insert((feature, 1), Steps::new(vec![(nine, Some(2))]));
    books
}

fn check(books: &Books, report: impl Accumulator, expected: &Expect) {
    expected.assert_eq(&text(&books.report(report)));
}

#[test]
fn seats_used_of_those_that_there_were() {
    // 4.5 seat hours in 4 hours; from 9 on 3.5 of 6, full for 1.5 of 3 hours; 4.5 / (2 · 11 · 22) of what two licenses
    // could have worked; 4 of the 468 hours from the month's start to noon.
    let books = morning();
    check(
        &books,
        Utilization::new(&books.names, &books.calendar, Scope::default(), Options::default()),
        &expect![[r#"
            month feature seats_issued seats_average seats_peak utilization_percent app_usage_percent busy_percent full_percent coverage_percent
            2000-11 solver 2 1.125 2 58.333333 0.929752 75 50 0.854701
        "#]],
    );
    // A person has no seats of its own.
    check(
        &books,
        Utilization::by(&books.names, &books.calendar, Scope::default(), Options::default(), &[Key::Person]),
        &expect![[r#"
            person month feature seats_issued seats_average seats_peak utilization_percent app_usage_percent busy_percent full_percent coverage_percent
            anna 2000-11 solver - 0.5 1 - - 50 - 0.854701
            bob 2000-11 solver - 0.5 1 - - 50 - 0.854701
            dora 2000-11 solver - 0.125 1 - - 12.5 - 0.854701
        "#]],
    );
}

#[test]
fn seats_that_would_have_been_enough() {
    // The checkouts needed 1, 2 and 2 seats, carol's request 3.
    let books = morning();
    check(
        &books,
        SeatsNeeded::new(&books.names, &books.calendar, Scope::default()),
        &expect![[r#"
            feature seats_issued seats_peak seats_p50 seats_p90 seats_p95 seats_p99 seats_needed_p95 seats_needed_p99
            solver 2 2 1 2 2 2 3 3
        "#]],
    );
}

#[test]
fn hours_of_a_monday() {
    let books = morning();
    check(
        &books,
        Heatmap::new(&books.names, &books.calendar, Scope::default(), heatmap::Options::default()),
        &expect![[r#"
            feature weekday hour seats_average seats_peak denials
            solver Mon 8 1 1 0
            solver Mon 9 2 2 3
            solver Mon 10 1.5 2 0
            solver Mon 11 0 0 0
        "#]],
    );
}
