//! `idle` and `expiry`: worked examples and slow references.

use crate::books::{Books, said, text};
use crate::random::{self, START, TICK_MS, TICKS};
use crate::reference::{counts, ticks, wall};
use accounting::calendar::Calendar;
use accounting::capacity::Steps;
use accounting::day::Day;
use accounting::event::Expires;
use accounting::ledger::Expiry;
use accounting::report::expiry::{self, expiry};
use accounting::report::idle::{self, Idle};
use accounting::report::{Report, Scope};
use accounting::session::Ended;
use expect_test::expect;
use proptest::prelude::*;

fn idle(books: &Books, scope: Scope, options: idle::Options) -> Report {
    books.report(Idle::new(&books.names, &books.calendar, scope, options))
}

#[test]
fn idle_is_what_nobody_has_used_for_long() {
    let mut books = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    books.server("27000@lic1");
    let [cad, sim, mesh, mill, shelf] =
        ["cad", "sim", "mesh", "mill", "shelf"].map(|code| books.feature(code));
    books.names.features.get_mut(&cad).unwrap().product = Some("CAD 2025".to_owned());
    let anna = books.holder("anna", "pc1");
    books.session(cad, anna, "2025-03-01 08:00", "2025-03-03 09:00");
    books.session(cad, anna, "2025-03-02 08:00", "2025-03-02 09:00");
    books.session(sim, anna, "2025-03-04 08:00", "2025-03-04 08:00");
    // Not known to have ended: in use now, though the last evidence is old.
    books.session(mesh, anna, "2025-03-01 08:00", "2025-03-01 08:00").ended = Ended::Open;
    books.session(mill, anna, "2025-03-09 22:00", "2025-03-11 01:00");
    let told = books.at("2025-01-01 00:00");
    let less = books.at("2025-03-20 00:00");
    books.names.capacity.insert((shelf, 1), Steps::new(vec![(told, Some(5)), (less, Some(4))]));
    let as_of = Some(books.at("2025-03-10 12:00"));
    let all = idle::Options { as_of, ..idle::Options::default() };
    let instant = |text| books.at(text) / 1000;
    let at = [instant("2025-03-03 09:00"), instant("2025-03-04 08:00"), instant("2025-03-01 08:00")];
    assert_eq!(at, [1_740_988_800, 1_741_071_600, 1_740_812_400]);
    expect![[r#"
        feature product seats_issued last_used_at days_idle
        shelf shelf 5 - -
        cad CAD 2025 - @1740988800 7
        sim sim - @1741071600 6
        mesh mesh - @1740812400 0
        mill mill - @1741651200 0
    "#]]
    .assert_eq(&text(&idle(&books, Scope::default(), all)));
    let open = "count as in use, whenever its last evidence was: 1";
    assert!(said(&idle(&books, Scope::default(), all)).iter().any(|note| note.ends_with(open)));
    let week = idle(&books, Scope::default(), idle::Options { idle_days: Some(7), ..all });
    assert_eq!(week.rows.len(), 2, "what was never used has been idle for long enough");
    assert!(said(&week).contains(&"idle as of 2025-03-10".to_owned()));
    let mut unused = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    unused.server("27000@lic1");
    let [cad, sim] = ["cad", "sim"].map(|code| unused.feature(code));
    let anna = unused.holder("anna", "pc1");
    unused.session(cad, anna, "2025-03-01 08:00", "2025-03-03 09:00");
    for feature in [cad, sim] {
        unused.names.capacity.insert((feature, 1), Steps::new(vec![(told, Some(5))]));
    }
    expect![[r#"
        feature product seats_issued last_used_at days_idle
        cad cad - @1740988800 7
    "#]]
    .assert_eq(&text(&idle(&unused, Scope::default(), idle::Options { used_only: true, ..all })));
    // As of the last day of a period: the long session still goes on behind it.
    let scope =
        Scope { from: "2025-03-02".parse().ok(), until: "2025-03-03".parse().ok(), ..Scope::default() };
    expect![[r#"
        feature product seats_issued last_used_at days_idle
        mesh mesh - - -
        mill mill - - -
        shelf shelf 5 - -
        sim sim - - -
        cad CAD 2025 - @1740956400 0
    "#]]
    .assert_eq(&text(&idle(&books, scope, all)));
}

/// Milliseconds of a tick's instant.
fn at(tick: i64) -> i64 {
    START + tick * TICK_MS
}

fn idle_reference(books: &Books, scope: &Scope, as_of: i64, least: Option<i64>) -> String {
    let mut rows = Vec::new();
    let until = scope.until.map(|until| until.start(books.calendar.zone()) - 1);
    let as_of = until.map_or(as_of, |until| until.min(as_of));
    let date = |at: i64| wall((at - START).div_euclid(TICK_MS)).date();
    for (id, feature) in &books.names.features {
        let server = |name: &String| books.names.servers.values().any(|server| server.name == *name);
        if !scope.feature.as_ref().is_none_or(|glob| glob.is_match(&feature.code))
            || !scope.server.as_ref().is_none_or(server)
        {
            continue;
        }
        let (mut used_at, mut open) = (None, false);
        for (_, part) in books.sessions.iter().filter(|(of, _)| of == id) {
            for tick in ticks(part).filter(|tick| counts(books, scope, *id, part.holder, *tick)) {
                used_at = used_at.max(Some(part.until.min(at(tick + 1))));
                open |= part.ended == Ended::Open;
            }
        }
        let days =
            used_at.map(
                |used_at: i64| {
                    if open { 0 } else { i64::from((date(as_of) - date(used_at)).get_days()).max(0) }
                },
            );
        if least.is_some_and(|least| days.is_some_and(|days| days < least)) {
            continue;
        }
        let servers = books
            .names
            .servers
            .iter()
            .filter(|(_, one)| scope.server.as_ref().is_none_or(|name| one.name == *name));
        let issued = servers.map(|(server, _)| books.names.capacity[&(*id, *server)].at(as_of));
        let issued = issued.sum::<Option<i64>>().map_or("-".to_owned(), |seats| seats.to_string());
        let product = feature.product.as_ref().unwrap_or(&feature.code);
        let shown = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
        let used = used_at.map_or("-".to_owned(), |used_at| format!("@{}", used_at / 1000));
        let row = format!("{} {product} {issued} {used} {}\n", feature.code, shown(days));
        rows.push((used_at.is_some(), -days.unwrap_or(0), used_at, feature.code.clone(), row));
    }
    rows.sort();
    let rows: String = rows.into_iter().map(|(.., row)| row).collect();
    "feature product seats_issued last_used_at days_idle\n".to_owned() + &rows
}

#[test]
fn what_expires_soonest_comes_first() {
    let mut books = Books::new(Calendar::standard("UTC").unwrap());
    books.server("27000@lic1");
    let (cad, sim) = (books.feature("cad"), books.feature("sim"));
    let told = |feature, version: &str, seats, expires| Expiry {
        server: 1,
        vendor: "acmed".to_owned(),
        feature,
        version: version.to_owned(),
        seats,
        expires,
        told_at: 1_700_000_000_000,
    };
    let day = |text: &str| Expires::On(text.parse().unwrap());
    books.names.expiries = vec![
        told(sim, "", None, Expires::Never),
        told(cad, "2.0", Some(4), day("2025-12-31")),
        told(sim, "1.0", Some(1), Expires::Unknown),
        told(cad, "3.0", Some(2), day("2026-03-01")),
        told(cad, "1.0", Some(2), day("2026-01-01")),
    ];
    let today = "2026-01-01".parse().unwrap();
    let all = expiry(&books.names, &Scope::default(), expiry::Options { today, within: None });
    expect![[r#"
        server vendor feature version seats expires_on days_left told_at
        27000@lic1 acmed cad 2.0 4 2025-12-31 -1 @1700000000
        27000@lic1 acmed cad 1.0 2 2026-01-01 0 @1700000000
        27000@lic1 acmed cad 3.0 2 2026-03-01 59 @1700000000
        27000@lic1 acmed sim 1.0 1 - - @1700000000
        27000@lic1 acmed sim - - permanent - @1700000000
    "#]]
    .assert_eq(&text(&all));
    let soon = expiry(&books.names, &Scope::default(), expiry::Options { today, within: Some(30) });
    assert_eq!(soon.rows.len(), 2);
    assert_eq!(said(&soon).last().unwrap(), "without a known date, and not shown: 1");
}

fn expiry_reference(books: &Books, scope: &Scope, today: i32, within: Option<i32>) -> Vec<String> {
    let mut lines = Vec::new();
    for told in &books.names.expiries {
        let (server, code) =
            (&books.names.servers[&told.server].name, &books.names.features[&told.feature].code);
        let days = if let Expires::On(day) = told.expires { Some(day.0 - today) } else { None };
        if scope.feature.as_ref().is_some_and(|glob| !glob.is_match(code))
            || scope.server.as_ref().is_some_and(|name| name != server)
            || within.is_some_and(|within| days.is_none_or(|days| days > within))
        {
            continue;
        }
        let on = match told.expires {
            Expires::On(day) => day.to_string(),
            Expires::Never => "permanent".to_owned(),
            Expires::Unknown => "-".to_owned(),
        };
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let seats = told.seats.map_or("-".to_owned(), |seats| seats.to_string());
        let days = days.map_or("-".to_owned(), |days| days.to_string());
        let (vendor, version) = (or_dash(&told.vendor), or_dash(&told.version));
        lines
            .push(format!("{server} {vendor} {code} {version} {seats} {on} {days} @{}", told.told_at / 1000));
    }
    lines.sort();
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn idle_features(
        books in random::books(), scope in random::scope(), as_of in 0..TICKS, least in prop::option::of(0..4_i64),
    ) {
        let expected = idle_reference(&books, &scope, at(as_of), least);
        let options = idle::Options { as_of: Some(at(as_of)), idle_days: least, used_only: false };
        prop_assert_eq!(text(&idle(&books, scope, options)), expected);
    }

    #[test]
    fn expiries(
        books in random::books(), scope in random::scope(), today in 19_805..19_835_i32,
        within in prop::option::of(-3..20_i32),
    ) {
        let report = expiry(&books.names, &scope, expiry::Options { today: Day(today), within });
        let shown = text(&report);
        let mut lines: Vec<&str> = shown.lines().skip(1).collect();
        let places: Vec<(bool, bool, String)> = lines
            .iter()
            .map(|line| line.split(' ').nth(5).unwrap())
            .map(|on| (on == "permanent", on == "-", on.to_owned()))
            .collect();
        prop_assert!(places.is_sorted(), "soonest first: {}", shown);
        lines.sort_unstable();
        prop_assert_eq!(lines, expiry_reference(&books, &scope, today, within));
    }
}
