//! The books balance, and verify says where they do not.

use crate::ledger::{Ledger, ROWS_ALONE};
use crate::log;

/// A ledger whose books balance and whose days are settled.
fn with_books(ledger: &Ledger) {
    let mut process = ledger.process();
    process.read(&mut ledger.store(), "log", &log::two_days());
    process.read(&mut ledger.store(), "later", &[log::at(80.0, "v", log::What::Lives)]);
    let verified = ledger.balances();
    assert!(verified.days >= 4, "{verified:?}");
}

/// The first difference after a statement behind the store's back: feature, day and what.
#[track_caller]
fn difference_after(ledger: &Ledger, statement: &str) -> (String, Option<String>, String) {
    with_books(ledger);
    ledger.sql(statement);
    let difference = ledger.verify().difference.expect("verify finds it");
    (difference.feature, difference.day, difference.what)
}

pub(crate) fn the_books_balance_after_each_step(ledger: &mut Ledger) {
    drop(ledger.store());
    ledger.balances();
    let mut process = ledger.process();
    for (name, said) in log::a_week() {
        process.read(&mut ledger.store(), name, &said);
        ledger.balances();
    }
}

pub(crate) fn a_corrupted_page_is_found(ledger: &mut Ledger) {
    let page = "update feature_day_page set page = (select page from feature_day_page
                where day = '2025-03-04' and feature_id = (select feature_id from feature where code = 'mesher'))
                where day = '2025-03-03' and feature_id = (select feature_id from feature where code = 'solver')";
    let (feature, day, what) = difference_after(ledger, page);
    assert_eq!((feature.as_str(), day.as_deref()), ("solver", Some("2025-03-03")));
    assert!(what.contains("page"), "{what}");
}

pub(crate) fn a_changed_figure_is_found(ledger: &mut Ledger) {
    with_books(ledger);
    for column in ["sessions", "persons", "seats_peak", "seats_peak_at", "denials"] {
        let change = |by: i32| {
            let of_day = "where day = '2025-03-03' and seats_peak_at is not null";
            ledger.sql(&format!("update feature_day set {column} = {column} + ({by}) {of_day}"));
        };
        change(1);
        let difference = ledger.verify().difference.expect("verify finds it");
        assert_eq!(difference.day.as_deref(), Some("2025-03-03"));
        assert!(difference.what.starts_with(column), "{}", difference.what);
        change(-1);
        assert_eq!(ledger.verify().difference, None);
    }
    ledger.sql("update feature_day set seat_ms = replace(seat_ms, '1', '2')");
    let difference = ledger.verify().difference.expect("verify finds it");
    assert!(difference.what.starts_with("seat_ms"), "{}", difference.what);
}

pub(crate) fn a_missing_day_is_found(ledger: &mut Ledger) {
    let gone = "delete from feature_day where day = '2025-03-04'; delete from feature_day_page where day = '2025-03-04'";
    let (_, day, what) = difference_after(ledger, gone);
    assert_eq!((day.as_deref(), what.as_str()), (Some("2025-03-04"), "neither stored nor marked"));
}

pub(crate) fn a_day_too_many_is_found(ledger: &mut Ledger) {
    let copied = "insert into feature_day (feature_id, day, seat_ms, person_ms, sessions, persons, seats_peak, denials)
                  select feature_id, '2024-12-24', seat_ms, person_ms, sessions, persons, seats_peak, denials
                  from feature_day where day = '2025-03-03'";
    let (_, day, _) = difference_after(ledger, copied);
    assert_eq!(day.as_deref(), Some("2024-12-24"));
}

pub(crate) fn a_changed_session_is_found(ledger: &mut Ledger) {
    let longer = "update session_by_key set until_at = until_at + 1 where until_at is not null";
    let (feature, day, _) = difference_after(ledger, &format!("{ROWS_ALONE} {longer}"));
    assert_eq!((feature.as_str(), day.as_deref()), ("solver", Some("2025-03-03")));
}

pub(crate) fn a_lost_session_is_found(ledger: &mut Ledger) {
    let (_, _, what) =
        difference_after(ledger, &format!("{ROWS_ALONE} delete from session_by_key where seats = 2"));
    assert!(!what.is_empty());
}

pub(crate) fn dirty_days_do_not_fail(ledger: &mut Ledger) {
    with_books(ledger);
    let more = [log::at(9.2, "v", log::What::Out("solver", "dana", 1)), log::at(81.0, "v", log::What::Lives)];
    ledger.process().read(&mut ledger.store(), "more", &more);
    let verified = ledger.verify();
    assert_eq!(verified.difference, None);
    assert!(verified.dirty.contains(&"solver 2025-03-03".to_owned()), "{:?}", verified.dirty);
    ledger.balances();
}

pub(crate) fn readers_of_a_dirty_ledger_see_what_deriving_gives(ledger: &mut Ledger) {
    let mut dirty_days = 0;
    for (name, said) in log::a_week() {
        // A process of its own: what another one has marked is dirty to it.
        ledger.process().read(&mut ledger.store(), name, &said);
        let (marked, dirty) = (ledger.rows(), ledger.books());
        assert_eq!(ledger.rows(), marked, "readers never write");
        dirty_days += ledger.store().dirty_days().unwrap();
        ledger.assert_periods_are_parts_of_all();
        ledger.derive();
        assert_eq!(ledger.books(), dirty, "after {name}");
    }
    assert!(dirty_days > 0);
}

pub(crate) fn rebuilding_gives_the_same_bytes(ledger: &mut Ledger) {
    let mut process = ledger.process();
    for (name, said) in log::a_week() {
        process.read(&mut ledger.store(), name, &said);
    }
    ledger.balances();
    let pages = |ledger: &Ledger| {
        ledger.query("select feature_id, day, part, page from feature_day_page order by 1, 2, 3")
    };
    let (rows, before) = (ledger.rows(), pages(ledger));
    assert!(!before.is_empty());
    ledger.store().rebuild().unwrap();
    assert!(pages(ledger).is_empty());
    ledger.balances();
    assert_eq!((ledger.rows(), pages(ledger)), (rows, before));
}
