//! Imported totals in `usage`.

use crate::books::{Books, said, text};
use accounting::calendar::Calendar;
use accounting::ledger::Total;
use accounting::report::group::Key;
use accounting::report::usage::{Options, Usage};
use accounting::report::{Report, Scope};
use expect_test::{Expect, expect};

fn books() -> Books {
    let mut books = Books::new(Calendar::standard("UTC").unwrap());
    books.server("27000@lic1");
    let (cad, sim) = (books.feature("cad"), books.feature("sim"));
    let anna = books.holder("anna", "pc1");
    books.session(cad, anna, "2024-02-05 10:00", "2024-02-05 11:00");
    books.names.versions.insert(1, "2019".to_owned());
    for (organization, day, feature, minutes) in
        [("Plant", "2024-02-03", cad, 30), ("Plant", "2024-02-05", cad, 20), ("17", "2024-02-05", sim, 7)]
    {
        let organization = organization.to_owned();
        books.names.totals.push(Total {
            organization,
            day: day.parse().unwrap(),
            feature,
            version: 1,
            minutes,
        });
    }
    books
}

fn report(by: &str, scope: Scope) -> Report {
    let books = books();
    let options = Options::by(Key::list(by).unwrap());
    books.report(Usage::new(&books.names, &books.calendar, scope, options))
}

fn check(by: &str, scope: Scope, expected: &Expect) {
    expected.assert_eq(&text(&report(by, scope)));
}

fn of_totals(report: &Report) -> Vec<String> {
    said(report).into_iter().filter(|note| note.contains("imported totals")).collect()
}

#[test]
fn totals_have_rows_of_their_own() {
    check(
        "month,feature",
        Scope::default(),
        &expect![[r#"
            month feature usage_minutes seat_seconds sessions persons
            2024-02 cad 60 3600 1 1
            2024-02 cad 50 3000 - -
            2024-02 sim 7 420 - -
        "#]],
    );
    check(
        "organization,version,week",
        Scope { working_days_only: true, ..Scope::default() },
        &expect![[r#"
            organization version week usage_minutes seat_seconds sessions persons
            - - 2024-W06 60 3600 1 1
            17 2019 2024-W06 7 420 - -
            Plant 2019 2024-W06 20 1200 - -
        "#]],
    );
    assert_eq!(of_totals(&report("feature", Scope::default())).len(), 1);
}

#[test]
fn what_totals_cannot_answer_leaves_them_out_and_says_so() {
    let person = Some(globset::Glob::new("a*").unwrap().compile_matcher());
    for (by, scope, unknown) in [
        ("month,host", Scope::default(), "host"),
        ("month,time_class", Scope::default(), "time_class"),
        ("month", Scope { server: Some("27000@lic1".to_owned()), ..Scope::default() }, "server"),
        ("month", Scope { person, ..Scope::default() }, "person"),
        ("month", Scope { class: Some(1), ..Scope::default() }, "time_class"),
    ] {
        let report = report(by, scope);
        assert_eq!(report.rows.len(), 1, "{by}");
        assert_eq!(
            of_totals(&report),
            [format!("imported totals are left out: of them no {unknown} is known")]
        );
    }
    let nothing = Scope { until: "2024-02-03".parse().ok(), ..Scope::default() };
    assert!(of_totals(&report("month,host", nothing)).is_empty(), "there are none in the period");
}
