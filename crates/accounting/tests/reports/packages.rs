//! Packages and their components: one use that the vendor writes twice (domain.md §2).

use crate::books::{Books, said, text};
use accounting::calendar::Calendar;
use accounting::report::allocation::{self, Allocation};
use accounting::report::group::Key;
use accounting::report::usage::{Options, Usage};
use accounting::report::{Accumulator, Report, Scope};
use expect_test::{Expect, expect};

/// A package, written before its component; `suite` has the higher number in one ledger, the lower in the other.
fn books(suite_first: bool) -> Books {
    let mut books = Books::new(Calendar::standard("UTC").unwrap());
    books.server("27000@lic1");
    let (one, two) = (books.feature("one"), books.feature("two"));
    let (suite, cad) = if suite_first { (one, two) } else { (two, one) };
    let mut name = |id, code: &str, product: Option<&str>, components: Vec<u32>| {
        let feature = books.names.features.get_mut(&id).unwrap();
        (feature.code, feature.product) = (code.to_owned(), product.map(str::to_owned));
        feature.components = components;
    };
    name(suite, "suite", None, vec![cad]);
    name(cad, "cad", Some("CAD 2019"), vec![]);
    let (anna, bob) = (books.holder("anna", "pc1"), books.holder("bob", "pc2"));
    books.session(suite, anna, "2024-01-01 10:00:05.900", "2024-01-02 10:00:05.900");
    books.session(cad, anna, "2024-01-01 10:00:05.100", "2024-01-01 10:01:05.100");
    books.session(suite, bob, "2024-01-01 10:00:06", "2024-01-01 10:10:06");
    books.session(cad, bob, "2024-01-01 10:00:07", "2024-01-01 10:01:07");
    books
}

fn check(by: &str, expected: &Expect) {
    for suite_first in [true, false] {
        let books = books(suite_first);
        let options = Options::by(Key::list(by).unwrap());
        let report = books.report(Usage::new(&books.names, &books.calendar, Scope::default(), options));
        expected.assert_eq(&text(&report));
    }
}

#[test]
fn by_product_a_package_with_its_component_is_one_use() {
    check(
        "product",
        &expect![[r#"
            product usage_minutes seat_seconds sessions persons
            CAD 2019 2 120 2 2
            suite 10 600 1 1
        "#]],
    );
    check(
        "type",
        &expect![[r#"
            type usage_minutes seat_seconds sessions persons
            - 12 720 3 2
        "#]],
    );
}

#[test]
fn by_feature_the_books_keep_both() {
    check(
        "feature,product",
        &expect![[r#"
            feature product usage_minutes seat_seconds sessions persons
            cad CAD 2019 2 120 2 2
            suite suite 1450 87000 2 2
        "#]],
    );
}

#[test]
fn a_package_in_the_scope_asks_for_its_components_too() {
    let books = books(true);
    let feature = Some(globset::Glob::new("suite").unwrap().compile_matcher());
    let scope = Scope { feature, ..Scope::default() };
    let usage = Usage::new(&books.names, &books.calendar, scope, Options::by(Key::list("product").unwrap()));
    assert_eq!(usage.features(), [1, 2]);
    expect![[r#"
        product usage_minutes seat_seconds sessions persons
        suite 10 600 1 1
    "#]]
    .assert_eq(&text(&books.report(usage)));
}

#[test]
fn one_bill_for_all_is_split_by_each_use_once() {
    for suite_first in [true, false] {
        let books = books(suite_first);
        let split = |by: &str| {
            let cost = "12".parse().ok();
            let options = allocation::Options { by: Key::list(by).unwrap(), cost, ..Default::default() };
            books.report(Allocation::new(&books.names, &books.calendar, Scope::default(), options))
        };
        let by_person = split("person");
        expect![[r#"
            person usage_minutes share_percent amount
            anna 1 8.333333 1.00
            bob 11 91.666667 11.00
        "#]]
        .assert_eq(&text(&by_person));
        let says_so = |report: &Report| {
            said(report).iter().any(|note| note.contains("a package's session is left out"))
        };
        assert!(says_so(&by_person));
        let by_feature = split("feature,person");
        expect![[r#"
            feature person usage_minutes share_percent amount
            cad anna 1 0.068871 0.01
            cad bob 1 0.068871 0.01
            suite anna 1440 99.173554 11.90
            suite bob 10 0.688705 0.08
        "#]]
        .assert_eq(&text(&by_feature));
        assert!(!says_so(&by_feature));
    }
}
