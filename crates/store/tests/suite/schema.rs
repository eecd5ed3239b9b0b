//! The schema, and copies of the ledger.

use crate::ledger::Ledger;
use crate::log;
use store::{Error, Place, Store};

pub(crate) fn migrating_twice_changes_nothing(ledger: &mut Ledger) {
    ledger.process().read(&mut ledger.store(), "first", &log::two_days());
    ledger.derive();
    let before = ledger.rows();
    drop(ledger.store());
    assert_eq!(ledger.rows(), before);
    let status = ledger.store().status().unwrap();
    assert_eq!(status.schema_version, status.schema_known);
}

pub(crate) fn days_of_old_pages_are_derived_anew(ledger: &mut Ledger) {
    ledger.process().read(&mut ledger.store(), "first", &log::two_days());
    ledger.derive();
    let before = ledger.rows();
    let settled = ledger.verify().days;
    assert!(settled > 0);
    ledger.sql("update feature_day_page set page = substr(page, 1, 1)");
    ledger.sql(include_str!("../../migrations/0006_pages.sql"));
    assert_eq!(ledger.verify().dirty.len() as u64, settled);
    ledger.derive();
    assert_eq!(ledger.rows(), before);
}

pub(crate) fn a_file_of_another_program_is_left_alone(ledger: &mut Ledger) {
    let store::Place::Sqlite(path) = ledger.place() else { return };
    ledger.sql("create table theirs (name text)");
    let refused = store::Store::create(&store::Place::Sqlite(path.clone()));
    assert!(matches!(refused, Err(store::Error::Foreign)), "{refused:?}");
    assert_eq!(ledger.query("select count(*) from sqlite_master"), ["1"]);
}

pub(crate) fn a_newer_schema_is_refused(ledger: &mut Ledger) {
    let known = ledger.store().status().unwrap().schema_known;
    ledger.sql(&format!("update setting set value = '{}' where name = 'schema_version'", known + 1));
    for refused in [Store::create(ledger.place()), Store::open(ledger.place())] {
        assert!(
            matches!(refused, Err(Error::Newer { found, known: ours }) if found == known + 1 && ours == known)
        );
    }
}

pub(crate) fn a_ledger_that_is_not_there_is_not_created_by_readers(ledger: &mut Ledger) {
    assert!(matches!(Store::open(ledger.place()), Err(Error::NotFound(_))));
    assert!(matches!(Store::open(ledger.place()), Err(Error::NotFound(_))), "the first look left nothing");
}

pub(crate) fn a_backup_is_the_same_ledger(ledger: &mut Ledger) {
    let mut process = ledger.process();
    for (name, said) in log::a_week() {
        process.read(&mut ledger.store(), name, &said);
    }
    let verified = ledger.balances();
    let file = ledger.directory.path().join("backup.db");
    ledger.store().backup(&file).unwrap();
    let copy = Place::Sqlite(file.clone());
    let of_copy = Store::open(&copy).unwrap().verify(&mut |_, _| {}).unwrap();
    assert_eq!(of_copy, verified);
    let mut status = [ledger.store().status().unwrap(), Store::open(&copy).unwrap().status().unwrap()];
    status[1].kind = status[0].kind;
    assert_eq!(status[0], status[1]);
    assert!(ledger.store().backup(&file).is_err(), "a backup never overwrites");
    // The copy goes on as the original would.
    let mut store = Store::create(&copy).unwrap();
    ledger.process().read(&mut store, "more", &[log::at(120.0, "v", log::What::In("mesher", "dana", 2))]);
    store.derive(&mut |_, _| {}).unwrap();
    assert_eq!(store.verify(&mut |_, _| {}).unwrap().difference, None);
}
