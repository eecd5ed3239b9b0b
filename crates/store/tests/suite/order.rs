//! The order in which inputs come does not matter.

use crate::ledger::Ledger;
use crate::log::What::{Denied, In, Lives, Out, Starts, Stops};
use crate::log::{HOUR, MINUTE, MONDAY, Said, at};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What an order of reading gives.
fn books(ledger: &Ledger, inputs: &[&[Said]]) -> (Vec<String>, Vec<String>) {
    let mut process = ledger.process();
    for (nth, said) in inputs.iter().enumerate() {
        process.read(&mut ledger.store(), &nth.to_string(), said);
        ledger.balances();
    }
    (ledger.rows(), ledger.books())
}

/// Reads `parts` in this order here, and in order of time elsewhere; the books are the same.
#[track_caller]
fn assert_order_is_nothing(ledger: &Ledger, parts: &[&[Said]]) {
    let mut in_order = parts.to_vec();
    in_order.sort_by_key(|part| part[0].at);
    let fresh = Ledger::sqlite();
    assert_eq!(books(ledger, parts), books(&fresh, &in_order));
}

/// Empties the ledger for another case.
pub(crate) fn clear(ledger: &Ledger) {
    for table in [
        "server",
        "feature",
        "version",
        "holder",
        "feature_at_server",
        "input",
        "span",
        "daemon_break",
        "session_by_key",
        "session_run",
        "unmatched_end",
        "request",
        "feature_day",
        "feature_day_page",
        "feature_day_mark",
        "calendar_slot",
    ] {
        ledger.sql(&format!("delete from {table}"));
    }
}

/// Lines of two daemons, one minute to three hours apart, cut into inputs, and an order of these.
pub(crate) fn logs() -> impl Strategy<Value = (Vec<Vec<Said>>, Vec<usize>)> {
    let user = prop::sample::select(vec!["amara", "bela"]);
    let feature = prop::sample::select(vec!["solver", "mesher"]);
    let what = (0..12_u32, feature, user, 1..4_u32).prop_map(|(kind, feature, user, seats)| match kind {
        0..=3 => Out(feature, user, seats),
        4..=7 => In(feature, user, seats),
        8 => Denied(feature, user),
        9 => Starts,
        10 => Stops,
        _ => Lives,
    });
    let vendor = prop::sample::select(vec!["v", "v", "w"]);
    let pause = prop_oneof![1 => Just(0), 8 => 1..180_i64];
    let lines = prop::collection::vec((pause, vendor, what), 2..28);
    let cuts = prop::collection::vec(1..8_usize, 1..6);
    (lines, cuts).prop_flat_map(|(lines, lengths)| {
        let mut now = MONDAY + 6 * HOUR;
        let mut inputs: Vec<Vec<Said>> = vec![Vec::new()];
        let mut lengths = lengths.into_iter();
        let mut left = lengths.next().unwrap_or(usize::MAX);
        for (pause, vendor, what) in lines {
            if left == 0 {
                // Files that share an instant are told apart by nothing: time passes between them.
                now += MINUTE;
                inputs.push(Vec::new());
                left = lengths.next().unwrap_or(usize::MAX);
            }
            now += pause * MINUTE;
            left -= 1;
            if let Some(input) = inputs.last_mut() {
                input.push(Said { at: now, vendor, what });
            }
        }
        let order: Vec<usize> = (0..inputs.len()).collect();
        (Just(inputs), Just(order).prop_shuffle())
    })
}

pub(crate) fn inputs_in_any_order_give_the_same_books(ledger: &mut Ledger) {
    let config = Config { cases: 16, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let elsewhere = Ledger::sqlite();
    let result = TestRunner::new(config).run(&logs(), |(inputs, order)| {
        let in_order: Vec<&[Said]> = inputs.iter().map(Vec::as_slice).collect();
        let shuffled: Vec<&[Said]> = order.iter().map(|nth| inputs[*nth].as_slice()).collect();
        drop((ledger.store(), elsewhere.store()));
        clear(ledger);
        clear(&elsewhere);
        prop_assert_eq!(books(ledger, &shuffled), books(&elsewhere, &in_order));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

pub(crate) fn a_start_that_comes_late_closes_what_an_end_left_unmatched(ledger: &mut Ledger) {
    let late = [at(8.0, "v", Out("solver", "amara", 2))];
    let first = [at(9.0, "v", In("solver", "amara", 2)), at(49.0, "v", Lives)];
    let mut process = ledger.process();
    process.read(&mut ledger.store(), "end", &first);
    ledger.balances();
    assert_eq!(ledger.query("select count(*) from unmatched_end"), ["1"]);
    process.read(&mut ledger.store(), "start", &late);
    ledger.balances();
    assert_eq!(ledger.query("select count(*) from unmatched_end"), ["0"]);
    assert_eq!(ledger.query("select (until_at - from_at) / 60000, seats from session"), ["60|2"]);
}

pub(crate) fn a_restart_that_comes_late_ends_the_old_run(ledger: &mut Ledger) {
    let first = [at(8.0, "v", Out("solver", "amara", 1)), at(9.0, "v", Lives)];
    let between = [at(20.0, "v", Starts), at(21.0, "v", Out("solver", "bela", 1)), at(22.0, "v", Lives)];
    let last = [at(40.0, "v", In("solver", "amara", 1)), at(60.0, "v", Lives)];
    assert_order_is_nothing(ledger, &[&first, &last, &between]);
    let ended = ledger.query("select (until_at - from_at) / 60000, ended from session where ended = 4");
    assert_eq!(ended, ["60|4"], "amara's ended at the old run's last line");
}

pub(crate) fn a_stop_that_comes_late_ends_the_old_run(ledger: &mut Ledger) {
    let first = [at(8.0, "v", Out("solver", "amara", 1)), at(8.5, "v", Out("mesher", "amara", 1))];
    let between = [at(20.0, "v", Stops)];
    let last = [at(40.0, "v", In("solver", "amara", 1)), at(60.0, "v", Lives)];
    assert_order_is_nothing(ledger, &[&last, &first, &between]);
}

pub(crate) fn a_late_file_moves_the_last_line_of_the_old_run(ledger: &mut Ledger) {
    let first = [at(8.0, "v", Out("solver", "amara", 1))];
    let between = [at(30.0, "v", Lives)];
    let last = [at(60.0, "v", Starts), at(75.0, "v", Lives)];
    assert_order_is_nothing(ledger, &[&first, &last, &between]);
    assert_eq!(ledger.query("select (until_at - from_at) / 3600000 from session"), ["22"]);
}

pub(crate) fn a_key_open_over_a_restart_with_late_events_is_paired_once(ledger: &mut Ledger) {
    let first = [at(8.0, "v", Lives), at(9.0, "v", Out("solver", "amara", 1)), at(10.0, "v", Lives)];
    // Overlaps the first, and ends the run behind it.
    let second = [at(8.5, "v", Out("solver", "amara", 1)), at(9.5, "v", Lives), at(20.0, "v", Starts)];
    assert_order_is_nothing(ledger, &[&first, &second]);
}

pub(crate) fn open_sessions_count_to_the_last_evidence(ledger: &mut Ledger) {
    let mut process = ledger.process();
    process.read(&mut ledger.store(), "1", &[at(20.0, "v", Out("solver", "amara", 1)), at(23.0, "v", Lives)]);
    let verified = ledger.balances();
    assert_eq!((verified.days, verified.unsettled, verified.seat_ms), (0, 1, i128::from(3 * HOUR)));
    process.read(&mut ledger.store(), "2", &[at(30.0, "v", Lives)]);
    let verified = ledger.balances();
    assert_eq!((verified.days, verified.unsettled, verified.seat_ms), (1, 1, i128::from(10 * HOUR)));
    // Another daemon's line is no evidence of this one.
    process.read(&mut ledger.store(), "3", &[at(90.0, "w", Lives)]);
    assert_eq!(ledger.balances().seat_ms, i128::from(10 * HOUR));
    // The server's own line is evidence of all its daemons.
    process.read(&mut ledger.store(), "4", &[at(49.0, "", Lives)]);
    let verified = ledger.balances();
    assert_eq!((verified.days, verified.unsettled, verified.seat_ms), (2, 1, i128::from(29 * HOUR)));
}

pub(crate) fn a_late_end_shortens_an_open_session_on_all_its_days(ledger: &mut Ledger) {
    let first = [at(20.0, "v", Out("solver", "amara", 1))];
    let last = [at(100.0, "v", Lives), at(130.0, "v", Lives)];
    let between = [at(21.0, "v", In("solver", "amara", 1)), at(22.0, "v", Lives)];
    let mut process = ledger.process();
    process.read(&mut ledger.store(), "first", &first);
    process.read(&mut ledger.store(), "last", &last);
    assert_eq!(ledger.balances().days, 5);
    process.read(&mut ledger.store(), "between", &between);
    let verified = ledger.balances();
    assert_eq!((verified.days, verified.seat_ms), (1, i128::from(HOUR)));
}
