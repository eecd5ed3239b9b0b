//! Seats issued and watched time at their edges: pools of which nobody knows, the last instant of a log.

use crate::books::{Books, said, text};
use accounting::calendar::Calendar;
use accounting::capacity::Steps;
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::report::concurrency::{Concurrency, Step};
use accounting::report::group::Key;
use accounting::report::seats_needed::SeatsNeeded;
use accounting::report::{Report, Scope};
use expect_test::expect;

/// Two license servers, each watched for an hour of one day; anna uses `cad` on the first one.
fn books() -> Books {
    let mut books = Books::new(Calendar::standard("UTC").unwrap());
    for name in ["27000@lic1", "27000@lic2"] {
        let id = books.server(name);
        books.names.servers.get_mut(&id).unwrap().watched =
            vec![(books.at("2024-01-01 10:00"), books.at("2024-01-01 11:00"))];
    }
    let (cad, anna) = (books.feature("cad"), books.holder("anna", "pc1"));
    books.session(cad, anna, "2024-01-01 10:00", "2024-01-01 10:30");
    books
}

fn concurrency(books: &Books, scope: Scope, by: &str) -> Report {
    let by = Key::list(by).unwrap();
    books.report(Concurrency::by(&books.names, &books.calendar, scope, Step::Day, &by))
}

fn tell(books: &mut Books, feature: u32, server: u32, seats: Option<i64>) {
    let told = books.at("2023-12-31 12:00");
    books.names.capacity.insert((feature, server), Steps::new(vec![(told, seats)]));
}

#[test]
fn seats_are_not_known_where_those_of_a_license_server_are_not() {
    let mut books = books();
    tell(&mut books, 1, 1, Some(5));
    books.names.features.get_mut(&1).unwrap().servers = vec![1, 2];
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
        @1704067200 cad 0.5 1 @1704103200 - 0
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "")));
    expect![[r#"
        server from feature seats_average seats_peak seats_peak_at seats_issued denials
        27000@lic1 @1704067200 cad 0.5 1 @1704103200 5 0
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "server")));
    tell(&mut books, 1, 2, Some(3));
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
        @1704067200 cad 0.5 1 @1704103200 8 0
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "")));
}

#[test]
fn of_some_persons_no_seats_are_issued() {
    let mut books = books();
    tell(&mut books, 1, 1, Some(5));
    let glob = |text: &str| Some(globset::Glob::new(text).unwrap().compile_matcher());
    let scope = Scope { person: glob("a*"), feature: glob("cad"), ..Scope::default() };
    let report = concurrency(&books, scope, "");
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
        @1704067200 cad 0.5 1 @1704103200 - 0
    "#]]
    .assert_eq(&text(&report));
    expect![[r#"
        days, weeks and months are civil ones of UTC
        feature cad only
        person a* only
        watched from 2024-01-01T10:00:00+00:00 until 2024-01-01T11:00:00+00:00, gaps: 0
        a person has no seats of its own: what is measured against them is empty"#]]
    .assert_eq(&said(&report).join("\n"));
    let nobody = Scope { organization: glob("north"), ..Scope::default() };
    let report = concurrency(&books, nobody, "");
    assert_eq!(text(&report).lines().nth(1), Some("@1704067200 cad 0 0 - - 0"));
    assert!(said(&report).contains(&"organization north only".to_owned()));
}

#[test]
fn the_seats_of_a_package_are_those_of_its_components() {
    let mut books = books();
    let (suite, sim) = (books.feature("suite"), books.feature("sim"));
    books.names.features.get_mut(&suite).unwrap().components = vec![1, sim];
    for id in [1, suite, sim] {
        books.names.features.get_mut(&id).unwrap().product_type = Some("CAD".to_owned());
    }
    for (feature, seats) in [(1, 5), (suite, 7), (sim, 5)] {
        tell(&mut books, feature, 1, Some(seats));
    }
    // Where the package is not served the component's own seats count.
    books.names.features.get_mut(&sim).unwrap().servers = vec![1, 2];
    tell(&mut books, sim, 2, Some(2));
    expect![[r#"
        type from seats_average seats_peak seats_peak_at seats_issued denials
        CAD @1704067200 0.5 1 @1704103200 9 0
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "type")));
    expect![[r#"
        type server from seats_average seats_peak seats_peak_at seats_issued denials
        CAD 27000@lic1 @1704067200 0.5 1 @1704103200 7 0
        CAD 27000@lic2 @1704067200 0 0 - 2 0
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "type,server")));
}

/// One license server, watched until 11 o'clock and until midnight.
fn until_midnight() -> Books {
    let mut books = books();
    let until = [("2024-01-01 10:00", "2024-01-01 11:00"), ("2024-01-01 12:00", "2024-01-02 00:00")];
    let watched = until.map(|(from, until)| (books.at(from), books.at(until)));
    books.names.servers.get_mut(&1).unwrap().watched = watched.to_vec();
    books
}

#[test]
fn what_happens_at_the_last_instant_was_seen() {
    let mut books = until_midnight();
    let outcome = Outcome::Denied(DenialReason::Capacity);
    for at in ["2024-01-01 11:00", "2024-01-01 11:00:00.001", "2024-01-02 00:00", "2024-01-02 00:00:00.001"] {
        books.requests.push((1, Request { at: books.at(at), holder: 1, seats: 1, outcome }));
    }
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
        @1704067200 cad 0.038462 1 @1704103200 - 2
    "#]]
    .assert_eq(&text(&concurrency(&books, Scope::default(), "")));
    let days = |from: &str, until: &str| Scope {
        from: from.parse().ok(),
        until: until.parse().ok(),
        ..Scope::default()
    };
    // The instant itself must count.
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
        @1704067200 cad 0.038462 1 @1704103200 - 1
    "#]]
    .assert_eq(&text(&concurrency(&books, days("2024-01-01", "2024-01-02"), "")));
    expect![[r#"
        from feature seats_average seats_peak seats_peak_at seats_issued denials
    "#]]
    .assert_eq(&text(&concurrency(&books, days("2024-01-02", "2024-01-03"), "")));
    books.requests.clear();
    books.session(1, 1, "2024-01-01 11:00", "2024-01-01 11:00").seats = 3;
    books.session(1, 1, "2024-01-02 00:00", "2024-01-02 00:00").seats = 4;
    expect![[r#"
        day feature seats_issued seats_peak seats_p50 seats_p90 seats_p95 seats_p99 seats_needed_p95 seats_needed_p99
        2024-01-01 cad - 1 0 0 0 1 4 4
    "#]].assert_eq(&text(&books.report(SeatsNeeded::by(
        &books.names,
        &books.calendar,
        Scope::default(),
        &[Key::Day],
    ))));
}

/// What the notes say of coverage, where the two license servers were watched from minute to minute of an hour.
fn coverage(watched: [&[(i64, i64)]; 2]) -> String {
    let mut books = books();
    books.names.features.get_mut(&1).unwrap().servers = vec![1, 2];
    let at = |minute: i64| books.at("2024-01-01 10:00") + minute * 60_000;
    let ranges = watched.map(|of| of.iter().map(|(from, until)| (at(*from), at(*until))).collect::<Vec<_>>());
    for (id, ranges) in (1..).zip(ranges) {
        books.names.servers.get_mut(&id).unwrap().watched = ranges;
    }
    let report = concurrency(&books, Scope::default(), "");
    said(&report)[1].replace("2024-01-01T", "").replace(":00+00:00", "")
}

#[test]
fn gaps_are_those_of_each_license_server() {
    assert_eq!(coverage([&[(0, 50)], &[(10, 59)]]), "watched from 10:00 until 10:59, gaps: 0");
    assert_eq!(
        coverage([&[(0, 50)], &[(0, 10), (20, 50)]]),
        "watched from 10:00 until 10:50, gaps: 1 (27000@lic2 1)"
    );
    assert_eq!(
        coverage([&[(0, 10), (20, 30), (40, 50)], &[(0, 10), (20, 50)]]),
        "watched from 10:00 until 10:50, gaps: 3 (27000@lic1 2, 27000@lic2 1)"
    );
    // One after the other: neither has a gap of its own.
    assert_eq!(
        coverage([&[(0, 10)], &[(20, 30)]]),
        "watched from 10:00 until 10:30, gaps: 0; times without any of them: 1"
    );
}

#[test]
fn single_instants_are_no_watched_time() {
    assert_eq!(
        coverage([&[(5, 5)], &[]]),
        "the license servers were seen only at single instants in this period, no time was watched"
    );
    assert_eq!(coverage([&[], &[]]), "nothing was watched in this period");
}
