//! Names that who reads again does not read again.

use crate::ledger::Ledger;
use crate::log::What::{In, Lives, Out};
use crate::log::{MONDAY, at};
use accounting::day::Day;
use std::sync::Arc;
use store::{DirectoryRow, Opener, Store};

/// What is told of holders and persons, and what their names are kept in.
fn told(store: &mut Store) -> (Vec<String>, usize) {
    store
        .read(|reader| {
            let names = reader.names();
            let who = |(id, holder): (&u32, &accounting::ledger::Holder)| {
                format!("{id} {holder:?} {:?}", names.persons[holder.person as usize])
            };
            let mut told: Vec<String> = names.holders.iter().map(who).collect();
            told.sort();
            Ok((told, Arc::as_ptr(&names.holders) as usize))
        })
        .unwrap()
}

/// What two who read again and again are told is what somebody who has never read is told; gives where it is kept.
#[track_caller]
fn assert_as_if_new(ledger: &Ledger, again: &mut [Store; 2]) -> usize {
    let (expected, _) = told(&mut ledger.store());
    let [(one, place), (other, same)] = again.each_mut().map(told);
    assert_eq!((&one, &other), (&expected, &expected));
    assert_eq!(place, same, "what one has read the other need not");
    place
}

pub(crate) fn names_that_are_kept_are_those_that_would_be_read(ledger: &mut Ledger) {
    let hour = |hour: f64, who: &'static str| {
        [at(hour, "v", Out("solver", who, 1)), at(hour + 0.5, "v", In("solver", who, 1))]
    };
    let mut said: Vec<_> = [hour(1.0, "amara"), hour(2.0, "bela"), hour(3.0, "chidi")].concat();
    ledger.process().read(&mut ledger.store(), "log", &said);
    let opener = Opener::of(ledger.place());
    let mut again = [opener.open_for_reading().unwrap(), opener.open_for_reading().unwrap()];
    let first = assert_as_if_new(ledger, &mut again);
    assert_eq!(assert_as_if_new(ledger, &mut again), first, "nothing has changed");
    ledger.derive();
    assert_eq!(assert_as_if_new(ledger, &mut again), first, "nothing of them has changed");

    said = [hour(50.0, "dana"), [at(70.0, "v", Lives), at(71.0, "v", Lives)]].concat();
    ledger.process().read(&mut ledger.store(), "more", &said);
    let more = assert_as_if_new(ledger, &mut again);
    assert_ne!(more, first, "somebody has come");

    let row = DirectoryRow {
        login: "bela".to_owned(),
        organization: Some("north".to_owned()),
        ..DirectoryRow::default()
    };
    ledger.store().import_directory(&[row]).unwrap();
    assert_as_if_new(ledger, &mut again);
    let names = Arc::downgrade(&again[0].read(|reader| Ok(Arc::clone(&reader.names().holders))).unwrap());
    assert!(names.upgrade().is_some(), "they are kept");
    ledger.store().forget_person("amara").unwrap();
    again[1].let_go_of_forgotten().unwrap();
    assert!(names.upgrade().is_none(), "nobody has the name any more");
    assert_as_if_new(ledger, &mut again);

    // The highest number is free again, and somebody else gets it.
    let tuesday = Day((MONDAY / 86_400_000) as i32 + 1);
    let removed = ledger.store().remove_facts_before(tuesday).unwrap();
    assert_eq!(removed.holders, 3);
    assert_as_if_new(ledger, &mut again);
    ledger.process().read(&mut ledger.store(), "late", &hour(80.0, "elif"));
    assert_as_if_new(ledger, &mut again);
}
