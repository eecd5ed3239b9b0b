//! The calendar, the directory and the catalog.

use crate::ledger::Ledger;
use crate::log::What::{In, Lives, Out};
use crate::log::{self, at};
use accounting::calendar::Calendar;
use store::{CatalogEntry, Changes, DirectoryChange, DirectoryRow, Error, Store};

pub(crate) fn a_calendar_that_was_changed_meanwhile_is_not_changed_again(ledger: &mut Ledger) {
    let of = |zone: &str| Calendar::standard(zone).unwrap();
    let (mut one, mut other) = (ledger.store(), ledger.store());
    one.set_calendar(&of("UTC")).unwrap();
    let (seen, also_seen) = (one.calendar().unwrap(), other.calendar().unwrap());
    assert!(one.change_calendar(&of("Asia/Tokyo"), &seen).unwrap());
    assert!(
        !other.change_calendar(&of("Europe/Zurich"), &also_seen).unwrap(),
        "it is not the one that was seen"
    );
    assert_eq!(other.calendar().unwrap().zone_name(), "Asia/Tokyo");
    assert!(other.change_calendar(&of("Europe/Zurich"), &of("Asia/Tokyo")).unwrap());
    assert_eq!(one.calendar().unwrap().zone_name(), "Europe/Zurich");
}

pub(crate) fn the_calendar_and_the_days_are_of_one_transaction(ledger: &mut Ledger) {
    let of = |zone: &str| Calendar::standard(zone).unwrap();
    let (mut one, mut other) = (ledger.store(), ledger.store());
    one.set_calendar(&of("UTC")).unwrap();
    let read = |store: &mut Store| store.read(|reader| Ok(reader.calendar().zone_name().to_owned())).unwrap();
    let seen = one.in_one_transaction(|one| {
        let first = one.calendar()?.zone_name().to_owned();
        other.set_calendar(&of("Asia/Tokyo"))?;
        let of_days = read(one);
        let once_more = one.in_one_state(|one| Ok::<_, Error>(read(one)))?;
        Ok::<_, Error>([first, of_days, once_more, one.calendar()?.zone_name().to_owned()])
    });
    assert_eq!(seen.unwrap(), ["UTC"; 4], "a calendar that was changed in between is not seen");
    assert_eq!([read(&mut one), one.calendar().unwrap().zone_name().to_owned()], ["Asia/Tokyo"; 2]);
    let failed: Result<(), Error> =
        one.in_one_transaction(|_| Err(Error::Corrupt("a question that fails".to_owned())));
    assert!(failed.is_err());
    assert!(one.set_calendar(&of("UTC")).unwrap(), "and the connection writes");
}

pub(crate) fn another_calendar_cuts_the_days_anew(ledger: &mut Ledger) {
    ledger.process().read(&mut ledger.store(), "log", &log::two_days());
    let in_utc = ledger.balances();
    let days = |ledger: &Ledger| ledger.query("select distinct day from feature_day order by day");
    assert_eq!(days(ledger), ["2025-03-03", "2025-03-04"]);
    let auckland = Calendar::standard("Pacific/Auckland").unwrap();
    assert!(ledger.store().set_calendar(&auckland).unwrap());
    assert!(ledger.store().dirty_days().unwrap() > 0);
    let elsewhere = ledger.balances();
    assert_eq!(elsewhere.seat_ms, in_utc.seat_ms, "other days, the same time");
    assert_eq!(days(ledger)[0], "2025-03-03");
    assert!(days(ledger).contains(&"2025-03-05".to_owned()) || elsewhere.unsettled > 0);
    assert!(ledger.store().set_calendar(&Calendar::standard("UTC").unwrap()).unwrap());
    assert_eq!(ledger.balances(), in_utc);
}

pub(crate) fn the_same_calendar_changes_nothing(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let calendar = Calendar::standard("Europe/Zurich").unwrap();
    assert!(!store.has_calendar().unwrap());
    assert!(store.set_calendar(&calendar).unwrap());
    ledger.process().read(&mut store, "log", &log::two_days());
    ledger.derive();
    assert!(!store.set_calendar(&calendar).unwrap());
    assert_eq!(store.dirty_days().unwrap(), 0);
    assert_eq!(store.calendar().unwrap().fingerprint(), calendar.fingerprint());
}

pub(crate) fn the_directory_tells_who_is_one_person(ledger: &mut Ledger) {
    let said = [
        at(8.0, "v", Out("solver", "CORP\\amara", 1)),
        at(8.0, "v", Out("solver", "amara", 1)),
        at(10.0, "v", In("solver", "amara", 1)),
        at(10.0, "v", In("solver", "CORP\\amara", 1)),
        at(49.0, "v", Lives),
    ];
    ledger.process().read(&mut ledger.store(), "log", &said);
    ledger.balances();
    let row = |organization: &str| DirectoryRow {
        login: "amara".to_owned(),
        domain: Some("corp".to_owned()),
        organization: Some(organization.to_owned()),
        project: None,
        valid_from: None,
        valid_until: None,
        external_id: Some(7),
    };
    let import = |rows: &[DirectoryRow]| {
        let (told, previewed) = ledger.store().preview_directory(rows).unwrap();
        assert_eq!(previewed.len() as u64, told.added + told.changed);
        let done = ledger.store().import_directory(rows).unwrap();
        assert_eq!(told, done, "a preview tells what an import does");
        done
    };
    let (_, previewed) = ledger.store().preview_directory(&[row("R&D")]).unwrap();
    assert_eq!(previewed, [DirectoryChange { before: None, after: row("R&D") }]);
    assert_eq!(ledger.store().directory_rows().unwrap(), 0, "only shown");
    assert_eq!(import(&[row("R&D")]), Changes { added: 1, ..Changes::default() });
    let (_, previewed) = ledger.store().preview_directory(&[row("Sales")]).unwrap();
    assert_eq!(previewed, [DirectoryChange { before: Some(row("R&D")), after: row("Sales") }]);
    assert!(ledger.store().dirty_days().unwrap() > 0, "who is one person may have changed");
    ledger.balances();
    assert_eq!(import(&[row("R&D")]), Changes { unchanged: 1, ..Changes::default() });
    assert_eq!(ledger.store().dirty_days().unwrap(), 0);
    assert_eq!(import(&[row("Sales")]), Changes { changed: 1, ..Changes::default() });
    ledger.balances();
    let persons = ledger.store().read(|reader| Ok(reader.names().persons.clone())).unwrap();
    let amara: Vec<_> = persons.iter().filter(|person| !person.memberships.is_empty()).collect();
    assert!(amara.iter().all(|person| person.memberships[0].organization.as_deref() == Some("Sales")));
    assert!(!amara.is_empty(), "{persons:?}");
}

pub(crate) fn the_catalog_says_what_changed(ledger: &mut Ledger) {
    let entry = |feature: &str, product: &str| CatalogEntry {
        feature: feature.to_owned(),
        product: product.to_owned(),
        product_type: None,
        price: Some("12.50".to_owned()),
    };
    let import = |entries: &[CatalogEntry]| ledger.store().import_catalog(entries).unwrap();
    assert_eq!(import(&[entry("solver", "Solver"), entry("cad", "CAD")]).added, 2);
    let second = import(&[entry("solver", "Solver 2"), entry("cad", "CAD"), entry("cam", "CAM")]);
    assert_eq!(second, Changes { added: 1, changed: 1, unchanged: 1 });
    let catalog = ledger.store().catalog().unwrap();
    assert_eq!(catalog, [entry("cad", "CAD"), entry("cam", "CAM"), entry("solver", "Solver 2")]);
}
