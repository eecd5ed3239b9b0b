//! Parts of an input that share a transaction.

use crate::held::is_as_derived;
use crate::ledger::Ledger;
use crate::log::What::{In, Lives, Out, Stops};
use crate::log::{Given, Process, Said, at, two_days};
use crate::order::{clear, logs};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;
use store::Error;

pub(crate) fn parts_together_give_the_books_of_whole_inputs(ledger: &mut Ledger) {
    let config = Config { cases: 16, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
    let elsewhere = Ledger::sqlite();
    let cases = (logs(), 1..4_usize, 1..6_usize);
    let result = TestRunner::new(config).run(&cases, |((inputs, order), together, waiting)| {
        drop((ledger.store(), elsewhere.store()));
        clear(ledger);
        clear(&elsewhere);
        let (mut here, mut there) = (ledger.process(), elsewhere.process());
        for nth in order {
            let (name, said) = (nth.to_string(), &inputs[nth]);
            let parts: Vec<&[Said]> = said.chunks(together).collect();
            here.read_together(&mut ledger.store(), &name, &parts, waiting);
            there.read(&mut elsewhere.store(), &name, said);
        }
        is_as_derived(ledger, "parts together");
        elsewhere.balances();
        prop_assert_eq!(ledger.rows(), elsewhere.rows());
        prop_assert_eq!(ledger.books(), elsewhere.books());
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

pub(crate) fn what_a_later_part_ends_is_one_row(ledger: &mut Ledger) {
    let said = two_days();
    let parts: Vec<&[Said]> = said.chunks(1).collect();
    ledger.process().read_together(&mut ledger.store(), "log", &parts, parts.len());
    let whole = Ledger::sqlite();
    whole.process().read(&mut whole.store(), "log", &said);
    assert_eq!(ledger.rows(), whole.rows());
    assert_eq!(ledger.query("select position from input"), [parts.len().to_string()]);
}

pub(crate) fn days_that_are_stored_are_known_where_a_later_part_is_the_first_to_name_their_feature(
    ledger: &mut Ledger,
) {
    let known =
        [at(8.0, "w", Out("cad", "amara", 1)), at(9.0, "w", In("cad", "amara", 1)), at(80.0, "w", Lives)];
    ledger.process().read(&mut ledger.store(), "before", &known);
    ledger.balances();
    let said = [
        at(7.0, "v", Out("solver", "amara", 1)),
        at(7.5, "v", In("solver", "amara", 1)),
        at(10.0, "v", Out("cad", "bela", 1)),
        at(11.0, "v", In("cad", "bela", 1)),
        at(80.0, "v", Lives),
    ];
    let parts: Vec<&[Said]> = said.chunks(1).collect();
    ledger.process().read_together(&mut ledger.store(), "after", &parts, 1);
    is_as_derived(ledger, "a day of two inputs");
    assert_eq!(ledger.query("select sessions from feature_day order by feature_id"), ["2", "1"]);
}

pub(crate) fn days_are_stored_once_where_a_later_part_ends_what_an_earlier_input_left_open(
    ledger: &mut Ledger,
) {
    let known = [at(8.0, "v", Out("solver", "amara", 1)), at(130.0, "v", Lives)];
    ledger.process().read(&mut ledger.store(), "before", &known);
    ledger.balances();
    // The process has not heard of the feature that the server's stop ends.
    let said = [
        at(26.0, "w", Out("cad", "bela", 1)),
        at(27.0, "w", In("cad", "bela", 1)),
        at(150.0, "", Stops),
        at(200.0, "w", Lives),
    ];
    let parts: Vec<&[Said]> = said.chunks(2).collect();
    ledger.process().read_together(&mut ledger.store(), "after", &parts, 2);
    is_as_derived(ledger, "a stop");
    assert_eq!(ledger.query("select count(*) from session where until_at is null"), ["0"]);
}

pub(crate) fn a_day_that_cannot_be_written_takes_all_back(ledger: &mut Ledger) {
    // More days than wait for the connection, none of which can be written.
    let mut said = Vec::new();
    for day in 0..2_000 {
        let hour = f64::from(day) * 24.0;
        said.extend([
            at(hour + 8.0, "v", Out("solver", "amara", 1)),
            at(hour + 9.0, "v", In("solver", "amara", 1)),
        ]);
    }
    drop(ledger.store());
    ledger.sql("create unique index one_day on feature_day (feature_id)");
    let parts: Vec<&[Said]> = said.chunks(1_000).collect();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut given = process.given("log", &parts, 1);
    commit(&mut process, ledger, &mut given).unwrap_err();
    ledger.sql("drop index one_day");
    commit(&mut process, ledger, &mut given).unwrap();
    is_as_derived(ledger, "tried again");
    assert_eq!(ledger.query("select count(*) from session"), ["2000"]);
}

/// Commits all that is given, as many parts at a time as go together.
fn commit(process: &mut Process, ledger: &Ledger, given: &mut Given) -> Result<(), Error> {
    while !given.parts.is_empty() {
        let committed = process.intake.commit_together(&mut ledger.store(), given)?.parts;
        given.parts.drain(..committed);
    }
    Ok(())
}

pub(crate) fn parts_that_were_taken_back_are_committed_when_they_are_tried_again(ledger: &mut Ledger) {
    let said = two_days();
    let parts: Vec<&[Said]> = said.chunks(2).collect();
    for (waiting, name) in [(1, "one"), (parts.len(), "all")] {
        drop(ledger.store());
        clear(ledger);
        let mut process = ledger.process();
        process.intake.begin(None);
        let mut given = process.given(name, &parts, waiting);
        let last = given.parts.len() - 1;
        // The same name twice: the last part cannot be taken in, and takes all others back with it.
        given.parts[last].0[0].taken = vec![("twice".to_owned(), 1), ("twice".to_owned(), 1)];
        commit(&mut process, ledger, &mut given).unwrap_err();
        let (committed, left) = (ledger.query("select position from input"), given.parts.len());
        let first = parts.len() - left;
        assert_eq!(committed, if first == 0 { Vec::new() } else { vec![first.to_string()] }, "{name}");
        if let Some((batches, _)) = given.parts.last_mut() {
            batches[0].taken.clear();
        }
        commit(&mut process, ledger, &mut given).unwrap();
        let whole = Ledger::sqlite();
        whole.process().read(&mut whole.store(), name, &said);
        is_as_derived(ledger, name);
        whole.balances();
        assert_eq!(ledger.rows(), whole.rows(), "{name}");
    }
}

pub(crate) fn whoever_waits_writes_between_two_long_transactions(ledger: &mut Ledger) {
    const TRANSACTIONS: usize = 6;
    const SESSIONS: usize = 25_000;
    let said = |nth: usize| {
        let hour = nth as f64 / 36_000.0;
        [at(hour, "v", Out("solver", "amara", 1)), at(hour + 0.00002, "v", In("solver", "amara", 1))]
    };
    let all: Vec<Said> = (0..TRANSACTIONS * SESSIONS).flat_map(said).collect();
    let parts: Vec<&[Said]> = all.chunks(2 * SESSIONS).collect();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut given = process.given("log", &parts, 1);
    let first = given.parts.remove(0);
    process.intake.commit(&mut ledger.store(), &first.0, &first.1).unwrap();
    let (mut one, mut other) = (ledger.store(), ledger.store());
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for (batches, checkpoint) in &given.parts {
                process.intake.commit(&mut one, batches, checkpoint).unwrap();
            }
        });
        // Behind which transactions others wrote.
        let mut written = BTreeSet::new();
        while !writer.is_finished() {
            other.import_catalog(&[]).unwrap();
            written.extend(ledger.query("select position from input"));
        }
        written.len()
    });
    // Each waits for a transaction, and none for all of them.
    assert!(written >= 4, "{written} of {TRANSACTIONS}");
}
