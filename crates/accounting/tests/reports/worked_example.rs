//! The article's example (domain.md §6).

use crate::books::{Books, said, text};
use accounting::calendar::Calendar;
use accounting::report::average_licenses::{self, AverageLicenses};
use accounting::report::concurrency::{Concurrency, Step};
use accounting::report::group::Key;
use accounting::report::levels::Levels;
use accounting::report::overnight::Overnight;
use accounting::report::ranking::Ranking;
use accounting::report::usage::{self, Usage};
use accounting::report::{Report, Scope};
use accounting::session::Ended;
use expect_test::{Expect, expect};

fn article() -> Books {
    let mut books = Books::new(Calendar::standard("Europe/Zurich").unwrap());
    books.server("wrapper");
    let (app1, app5plus) = (books.feature("app1"), books.feature("app5plus"));
    let (fiore, brink) = (books.holder("fiore", "wks12"), books.holder("brink", "wks5"));
    books.session(app1, fiore, "2000-11-20 07:47", "2000-11-20 08:11");
    books.session(app1, fiore, "2000-11-20 08:11", "2000-11-20 13:34");
    books.session(app5plus, brink, "2000-11-20 09:12", "2000-11-20 09:13");
    books
}

/// One session from Thursday evening to Saturday morning.
fn long_one() -> Books {
    let mut books = article();
    books.sessions.clear();
    books.session(1, 1, "2000-11-23 22:00", "2000-11-25 09:00");
    books
}

fn check(report: &Report, expected: &Expect) {
    expected.assert_eq(&text(report));
}

fn usage(books: &Books, by: &str, scope: Scope) -> Report {
    books.report(Usage::new(&books.names, &books.calendar, scope, usage::Options::by(Key::list(by).unwrap())))
}

fn working() -> Scope {
    Scope { working_days_only: true, ..Scope::default() }
}

#[test]
fn minutes_by_class() {
    let books = article();
    check(
        &usage(&books, "day,feature,time_class", Scope::default()),
        &expect![[r#"
            day feature time_class usage_minutes seat_seconds sessions persons
            2000-11-20 app1 regular-overnight 13 780 1 1
            2000-11-20 app1 prime 334 20040 2 1
            2000-11-20 app5plus prime 1 60 1 1
        "#]],
    );
    check(
        &usage(&books, "month,feature", Scope::default()),
        &expect![[r#"
            month feature usage_minutes seat_seconds sessions persons
            2000-11 app1 347 20820 2 1
            2000-11 app5plus 1 60 1 1
        "#]],
    );
}

#[test]
fn ranking_is_by_ascending_minutes() {
    let books = article();
    check(
        &books.report(Ranking::new(&books.names, &books.calendar, working())),
        &expect![[r#"
            month feature usage_minutes sessions persons
            2000-11 app5plus 1 1 1
            2000-11 app1 347 2 1
        "#]],
    );
}

#[test]
fn average_licenses_of_the_article_and_of_the_calendar() {
    let books = article();
    let average = |options| {
        books.report(AverageLicenses::new(&books.names, &books.calendar, Scope::default(), options))
    };
    let article = average_licenses::Options { hours_per_day: Some(6.0), days_per_month: Some(22.0) };
    check(
        &average(article),
        &expect![[r#"
            month feature average_licenses
            2000-11 app1 0.043813
            2000-11 app5plus 0.000126
        "#]],
    );
    // November 2000: 22 working days of 11 prime hours; 347/60/11/22 = 0.023898…
    check(
        &average(average_licenses::Options::default()),
        &expect![[r#"
            month feature average_licenses
            2000-11 app1 0.023898
            2000-11 app5plus 0.000069
        "#]],
    );
}

#[test]
fn a_session_of_three_days_is_cut_at_midnights_and_classes() {
    let books = long_one();
    check(
        &usage(&books, "day,time_class", Scope::default()),
        &expect![[r#"
            day time_class usage_minutes seat_seconds sessions persons
            2000-11-23 regular-overtime 120 7200 1 1
            2000-11-24 regular-overnight 480 28800 1 1
            2000-11-24 prime 660 39600 1 1
            2000-11-24 regular-overtime 300 18000 1 1
            2000-11-25 regular-overnight 480 28800 1 1
            2000-11-25 prime 60 3600 1 1
        "#]],
    );
    check(
        &usage(&books, "feature", Scope::default()),
        &expect![[r#"
            feature usage_minutes seat_seconds sessions persons
            app1 2100 126000 1 1
        "#]],
    );
    check(
        &usage(&books, "week,time_class", working()),
        &expect![[r#"
            week time_class usage_minutes seat_seconds sessions persons
            2000-W47 regular-overnight 480 28800 1 1
            2000-W47 prime 660 39600 1 1
            2000-W47 regular-overtime 420 25200 1 1
        "#]],
    );
}

#[test]
fn overnight_has_a_row_for_each_midnight() {
    let mut books = long_one();
    books.session(1, 2, "2000-11-24 00:00", "2000-11-24 00:00");
    books.session(1, 2, "2000-11-24 00:00", "2000-11-24 00:30").ended = Ended::Open;
    books.session(1, 2, "2000-11-23 20:00", "2000-11-24 00:00");
    let scope = Scope::default();
    check(
        &books.report(Overnight::new(&books.names, &books.calendar, scope)),
        &expect![[r#"
            day feature user host from until held_hours
            2000-11-24 app1 fiore wks12 @975013200 @975139200 35
            2000-11-24 app1 brink wks5 @975020400 - 0.5
            2000-11-25 app1 fiore wks12 @975013200 @975139200 35
        "#]],
    );
}

#[test]
fn levels_and_concurrency_know_when_nobody_watched() {
    let mut books = article();
    let watched = vec![
        (books.at("2000-11-20 07:00"), books.at("2000-11-20 09:00")),
        (books.at("2000-11-20 09:30"), books.at("2000-11-20 11:30")),
    ];
    books.names.servers.get_mut(&1).unwrap().watched = watched;
    books.session(1, 2, "2000-11-20 08:00", "2000-11-20 08:30").seats = 2;
    let scope =
        Scope { feature: Some(globset::Glob::new("app1").unwrap().compile_matcher()), ..Scope::default() };
    check(
        &books.report(Levels::new(&books.names, &books.calendar, scope.clone())),
        &expect![[r#"
            feature seats seconds_at seconds_at_least percent_at percent_at_least
            app1 0 2820 14400 19.583333 100
            app1 1 9780 11580 67.916667 80.416667
            app1 3 1800 1800 12.5 12.5
        "#]],
    );
    check(
        &books.report(Concurrency::new(&books.names, &books.calendar, scope.clone(), Step::Hour)),
        &expect![[r#"
            from feature seats_average seats_peak seats_peak_at seats_issued denials
            @974700000 app1 0.216667 1 @974702820 - 0
            @974703600 app1 2 3 @974703600 - 0
            @974707200 app1 1 1 @974709000 - 0
            @974710800 app1 1 1 @974710800 - 0
            @974714400 app1 1 1 @974714400 - 0
        "#]],
    );
    check(
        &books.report(Concurrency::new(&books.names, &books.calendar, scope, Step::Month)),
        &expect![[r#"
            from feature seats_average seats_peak seats_peak_at seats_issued denials
            @973033200 app1 1.054167 3 @974703600 - 0
        "#]],
    );
}

#[test]
fn of_very_many_steps_those_without_use_are_left_out() {
    let mut books = article();
    let year = (books.at("2000-01-01 00:00"), books.at("2001-01-01 00:00"));
    books.names.servers.get_mut(&1).unwrap().watched = vec![year];
    let hours = |books: &Books| {
        let scope = Scope::default();
        books.report(Concurrency::new(&books.names, &books.calendar, scope, Step::Hour))
    };
    let all = hours(&books);
    assert_eq!(all.rows.len(), 2 * 8784);
    for nth in 0..60 {
        let feature = books.feature(&format!("more{nth}"));
        books.session(feature, 1, "2000-05-05 10:00", "2000-05-05 10:01");
    }
    let busy = hours(&books);
    assert_eq!(busy.rows.len(), 7 + 1 + 60);
    assert_eq!(
        said(&busy).last().unwrap(),
        "more than 500000 steps: those in which nothing happened are left out"
    );
}
