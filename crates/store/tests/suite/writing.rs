//! Facts come in with their checkpoint, once.

use crate::ledger::Ledger;
use crate::log::What::{Babbles, Denied, In, Lives, Out, Starts};
use crate::log::{self, Process, Said, at};
use std::collections::BTreeMap;
use store::Error;
use store::intake::Batch;

fn batch(process: &mut Process, said: &[Said]) -> Batch {
    process.batch(0, said, &mut BTreeMap::new())
}

/// Rows and days after reading these inputs in this order, by one process.
fn after(ledger: &Ledger, inputs: &[(&str, Vec<Said>)]) -> (Vec<String>, Vec<String>) {
    let mut process = ledger.process();
    for (name, said) in inputs {
        process.read(&mut ledger.store(), name, said);
    }
    ledger.balances();
    (ledger.rows(), ledger.books())
}

pub(crate) fn facts_and_checkpoint_are_one_transaction(ledger: &mut Ledger) {
    let (mut first, mut second) = (ledger.process(), ledger.process());
    let one = batch(&mut first, &[at(8.0, "v", Out("solver", "amara", 1))]);
    first.commit(&mut ledger.store(), "log", 10, &[one]).unwrap();
    // Another process continues from the same checkpoint and comes first.
    second.intake.begin(first.intake.input().cloned());
    let two = batch(&mut second, &[at(9.0, "v", In("solver", "amara", 1))]);
    second.commit(&mut ledger.store(), "log", 20, &[two]).unwrap();
    ledger.derive();
    let before = ledger.rows();
    let late =
        batch(&mut first, &[at(9.0, "v", In("solver", "amara", 1)), at(9.5, "v", Denied("cad", "bela"))]);
    let refused = first.commit(&mut ledger.store(), "log", 20, &[late]);
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
    assert_eq!(ledger.rows(), before, "nothing of it is stored");
    assert_eq!(ledger.query("select position from input"), ["20"]);
    ledger.balances();
}

pub(crate) fn an_overlapping_batch_of_another_input_adds_only_what_is_more(ledger: &mut Ledger) {
    let said = log::two_days();
    let once = after(ledger, &[("first", said.clone())]);
    let again = after(ledger, &[("copy", said.clone())]);
    assert_eq!(again, once, "the same again");
    let part = after(ledger, &[("part", said[2..6].to_vec())]);
    assert_eq!(part, once, "a part of it");
    let mut more = said[1..6].to_vec();
    more.insert(1, at(8.5, "v", Out("solver", "dana", 1)));
    after(ledger, &[("more", more)]);
    let sessions = |ledger: &Ledger| ledger.query("select count(*) from session")[0].parse::<u32>().unwrap();
    assert_eq!(sessions(ledger), 5, "amara, bela 2 and 1, amara's mesher, and dana");
}

pub(crate) fn equal_events_of_one_run_are_separate(ledger: &mut Ledger) {
    let twice = vec![
        at(8.0, "v", Out("solver", "amara", 1)),
        at(8.0, "v", Out("solver", "amara", 1)),
        at(8.0, "v", Denied("solver", "bela")),
        at(8.0, "v", Denied("solver", "bela")),
        at(9.0, "v", Lives),
    ];
    let once = after(ledger, &[("log", twice.clone())]);
    assert_eq!(
        ledger.query("select count(*) from session union all select count(*) from request"),
        ["2", "2"]
    );
    let mut process = ledger.process();
    process.read_runs(&mut ledger.store(), "pasted twice", &[twice.clone(), twice]);
    ledger.balances();
    assert_eq!((ledger.rows(), ledger.books()), once);
}

pub(crate) fn sessions_that_go_on_keep_their_rows_beside_new_ones(ledger: &mut Ledger) {
    let begin = [
        at(8.0, "v", Out("solver", "amara", 3)),
        at(8.0, "v", Out("solver", "amara", 1)),
        at(8.0, "v", Out("solver", "bela", 1)),
        at(8.0, "v", Out("mesher", "bela", 2)),
    ];
    // A part of a session is returned, one ends, one goes on, and others begin at the same instant as those.
    let end = [
        at(9.0, "v", In("solver", "amara", 1)),
        at(9.0, "v", In("solver", "amara", 1)),
        at(9.0, "v", In("solver", "bela", 1)),
        at(9.0, "v", Out("solver", "chen", 1)),
        at(9.5, "v", In("solver", "chen", 1)),
    ];
    let mut process = ledger.process();
    process.read_parts(&mut ledger.store(), "log", &[&begin, &end]);
    ledger.balances();
    let whole = Ledger::sqlite();
    whole.process().read(&mut whole.store(), "log", &[&begin[..], &end].concat());
    assert_eq!((ledger.rows(), ledger.books()), (whole.rows(), whole.books()));
    assert_eq!(
        ledger.query("select seats from session where until_at is null order by feature_id, seats"),
        whole.query("select seats from session where until_at is null order by feature_id, seats")
    );
}

pub(crate) fn files_that_touch_in_one_second_keep_both_events_of_it(ledger: &mut Ledger) {
    let first = vec![at(8.0, "v", Lives), at(9.0, "v", Out("solver", "amara", 1))];
    let second = vec![at(9.0, "v", Out("solver", "amara", 1)), at(10.0, "v", Lives)];
    after(ledger, &[("first", first), ("second", second)]);
    assert_eq!(ledger.query("select count(*) from session"), ["2"]);
}

pub(crate) fn an_input_taken_out_and_read_anew_is_as_if_read_once(ledger: &mut Ledger) {
    // Read an hour wrong, beside another input; then taken out and read right.
    let week = log::a_week();
    let wrong: Vec<Said> = week[1].1.iter().map(|said| Said { at: said.at + log::HOUR, ..*said }).collect();
    after(ledger, &[week[0].clone(), ("first", wrong), week[2].clone()]);
    let id: u32 = ledger.query("select input_id from input where name = 'first'")[0].parse().unwrap();
    let mut process = ledger.process();
    process.intake.take_out(&mut ledger.store(), id).unwrap();
    ledger.balances();
    let repaired = after(ledger, &[week[1].clone()]);
    let fresh = Ledger::sqlite();
    assert_eq!(repaired, after(&fresh, &week));
}

pub(crate) fn an_input_taken_out_leaves_what_others_said(ledger: &mut Ledger) {
    let week = log::a_week();
    after(ledger, &week);
    let id: u32 = ledger.query("select input_id from input where name = 'second'")[0].parse().unwrap();
    ledger.process().intake.take_out(&mut ledger.store(), id).unwrap();
    ledger.balances();
    let fresh = Ledger::sqlite();
    let mut without = after(&fresh, &[week[0].clone(), week[1].clone()]);
    // The slots of days once in use stay: they are a calendar, not a fact.
    without.0.retain(|row| !row.starts_with("slot"));
    let mut rows = ledger.rows();
    rows.retain(|row| !row.starts_with("slot"));
    assert_eq!((rows, ledger.books()), without);
    assert!(ledger.query("select 1 from quarantine").is_empty());
}

pub(crate) fn a_retracted_event_is_gone(ledger: &mut Ledger) {
    let mut process = ledger.process();
    let cut_off = [at(8.0, "v", Out("solver", "am", 1)), at(8.0, "v", Denied("solver", "am"))];
    let mut spans = BTreeMap::new();
    let begun = process.batch(0, &[at(7.0, "v", Starts), cut_off[0], cut_off[1]], &mut spans);
    process.commit(&mut ledger.store(), "log", 1, &[begun]).unwrap();
    ledger.balances();
    let gone = process.batch(0, &cut_off, &mut spans);
    let whole = [
        at(8.0, "v", Out("solver", "amara", 1)),
        at(8.0, "v", Denied("solver", "amara")),
        // The daemon starts anew behind it: what is taken back must not end there.
        at(9.0, "v", Starts),
        at(50.0, "v", Lives),
    ];
    let mut batch = process.batch(0, &whole, &mut spans);
    batch.retracted = gone.events;
    batch.retracted_requests = gone.requests;
    let mut names = gone.names;
    std::mem::swap(&mut names, &mut batch.names);
    let second = Batch { names: batch.names.clone(), ..Batch::default() };
    batch.names = store::intake::NewNames::default();
    process
        .commit(&mut ledger.store(), "log", 2, &[Batch { names, ..Batch::default() }, second, batch])
        .unwrap();
    ledger.balances();
    let fresh = Ledger::sqlite();
    let mut said = vec![at(7.0, "v", Starts)];
    said.extend(whole);
    assert_eq!((ledger.rows(), ledger.books()), after(&fresh, &[("log", said)]));
}

pub(crate) fn a_retracted_line_leaves_the_quarantine(ledger: &mut Ledger) {
    let mut process = ledger.process();
    let mut store = ledger.store();
    let lines = |ledger: &Ledger| ledger.query("select lines from quarantine");
    let two = batch(&mut process, &[at(8.0, "v", Babbles)]);
    process.commit(&mut store, "log", 1, &[two]).unwrap();
    let more = batch(&mut process, &[at(8.5, "v", Babbles)]);
    process.commit(&mut store, "log", 2, &[more]).unwrap();
    assert_eq!(lines(ledger), ["2"]);
    for left in [vec!["1"], vec![]] {
        let babble = batch(&mut process, &[at(9.0, "v", Babbles)]);
        let gone = Batch { retracted_quarantined: babble.quarantined, ..Batch::default() };
        process.commit(&mut store, "log", 3, &[gone]).unwrap();
        assert_eq!(lines(ledger), left);
    }
}

pub(crate) fn two_writers_about_one_server_are_as_one(ledger: &mut Ledger) {
    let said = log::two_days();
    let fresh = Ledger::sqlite();
    let mut writer = fresh.process();
    let parts: Vec<&[Said]> = said.chunks(2).collect();
    for (nth, part) in parts.iter().enumerate() {
        writer.read(&mut fresh.store(), &nth.to_string(), part);
    }
    fresh.balances();
    // Two processes with a connection and a memory each, by turns: a start and its end meet all the same.
    let mut writers = [(ledger.store(), ledger.process()), (ledger.store(), ledger.process())];
    for (nth, part) in parts.iter().enumerate() {
        let (store, process) = &mut writers[nth % 2];
        process.read(store, &nth.to_string(), part);
    }
    ledger.balances();
    assert_eq!((ledger.rows(), ledger.books()), (fresh.rows(), fresh.books()));
}

pub(crate) fn two_writers_that_overlap_are_as_one(ledger: &mut Ledger) {
    let said = log::two_days();
    let fresh = Ledger::sqlite();
    let once = after(&fresh, &[("log", said.clone())]);
    let (early, late) = (said[..7].to_vec(), said[3..].to_vec());
    std::thread::scope(|scope| {
        for (name, part) in [("early", early), ("late", late)] {
            let (mut store, mut process) = (ledger.store(), ledger.process());
            scope.spawn(move || process.read(&mut store, name, &part));
        }
    });
    ledger.balances();
    assert_eq!((ledger.rows(), ledger.books()), once);
}
