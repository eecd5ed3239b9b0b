//! What is kept of persons.

use crate::heartbeats::{MINUTE, NINE, beat, record};
use crate::ledger::Ledger;
use crate::log::What::{Babbles, In, Lives, Out};
use crate::log::at;
use accounting::day::Day;
use accounting::privacy::{Identity, Key, Privacy};
use accounting::report::Accumulator;
use store::heartbeats::{BucketScope, Heartbeat};
use store::{DirectoryRow, Store};

fn keeping(ledger: &Ledger, identity: Identity, keys: &[u8]) -> Store {
    let mut store = ledger.store();
    let keys = keys.iter().map(|key| Key::new([*key; 32])).collect();
    let privacy = Privacy { identity, keys, smallest_group: None };
    if store.keep(privacy.clone()).is_err() {
        store.change_privacy(&privacy).unwrap();
        store.keep(privacy).unwrap();
    }
    store
}

/// Everything that the database holds, as text.
fn everything(ledger: &Ledger) -> String {
    let tables = [
        "setting",
        "server",
        "feature",
        "version",
        "holder",
        "directory_entry",
        "input",
        "span",
        "quarantine",
        "session",
        "request",
        "unmatched_end",
        "heartbeat",
        "heartbeat_arrival",
        "feature_day",
        "feature_day_mark",
    ];
    let rows = tables.iter().flat_map(|table| ledger.query(&format!("select * from {table}")));
    rows.collect::<Vec<_>>().join("\n").to_lowercase()
}

fn entry(login: &str, organization: &str) -> DirectoryRow {
    DirectoryRow {
        login: login.to_owned(),
        domain: Some("corp".to_owned()),
        organization: Some(organization.to_owned()),
        ..DirectoryRow::default()
    }
}

fn on_host(user: &str, minute: i64) -> Heartbeat {
    Heartbeat { host: "pc-of-amara".into(), ..beat(user, minute, "1", "24") }
}

/// Minutes of use by organization, as the report tells them.
fn by_organization(ledger: &Ledger) -> Vec<String> {
    let mut store = Store::open(ledger.place()).unwrap();
    let report = store.read(|reader| {
        let names = reader.names();
        let mut minutes = Minutes { names, of: std::collections::BTreeMap::new() };
        reader.fold(None, None, &mut minutes)?;
        Ok(minutes.of)
    });
    report.unwrap().into_iter().map(|(organization, ms)| format!("{organization} {}", ms / MINUTE)).collect()
}

struct Minutes {
    names: std::sync::Arc<accounting::ledger::Names>,
    of: std::collections::BTreeMap<String, i64>,
}

impl Accumulator for Minutes {
    fn features(&self) -> Vec<u32> {
        self.names.features.keys().copied().collect()
    }

    fn day(&mut self, view: &accounting::feature_day::DayView<'_>) {
        for part in view.parts {
            let person = self.names.holders[&part.holder].person as usize;
            let membership = self.names.persons[person].on(view.civil.day);
            let organization = membership.and_then(|of| of.organization.clone()).unwrap_or_default();
            *self.of.entry(organization).or_default() +=
                part.until.min(view.civil.end) - part.from.max(view.civil.start);
        }
    }

    fn finish(self: Box<Self>) -> accounting::report::Report {
        accounting::report::Report {
            name: "minutes",
            columns: Vec::new(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }
}

pub(crate) fn under_a_pseudonym_no_name_is_stored_anywhere(ledger: &mut Ledger) {
    let mut store = keeping(ledger, Identity::Pseudonymous, &[1]);
    store.import_directory(&[entry("Amara", "R&D"), entry("bela", "Sales")]).unwrap();
    let said = [
        at(8.0, "v", Out("solver", "CORP\\amara", 1)),
        at(8.5, "v", Babbles),
        at(9.0, "v", In("solver", "CORP\\amara", 1)),
        at(9.0, "v", Out("solver", "bela", 1)),
        at(9.5, "v", In("solver", "bela", 1)),
        at(49.0, "v", Lives),
    ];
    ledger.process().read(&mut store, "log", &said);
    record(&mut store, &[on_host("amara", 0), on_host("bela", 10)]);
    ledger.balances();
    let held = everything(ledger);
    for name in ["amara", "bela", "pc-of", "bla"] {
        assert!(!held.contains(name), "{name} is in the database");
    }
    assert_eq!(by_organization(ledger), ["R&D 70", "Sales 40"], "organizations are known all the same");
    assert_eq!(
        ledger.query("select count(distinct user_name) from holder"),
        ["3"],
        "bela with and without domain"
    );
}

pub(crate) fn who_keeps_persons_otherwise_is_refused(ledger: &mut Ledger) {
    let mut kept = keeping(ledger, Identity::Pseudonymous, &[1]);
    record(&mut kept, &[beat("amara", 0, "1", "24")]);
    let refused = ledger.store().record_heartbeats(&[beat("bela", 0, "1", "24")]);
    assert!(matches!(refused, Err(store::Error::Private(_))), "{refused:?}");
    assert!(!everything(ledger).contains("bela"));
    let refused = ledger.store().keep(Privacy::default());
    assert!(
        matches!(refused, Err(store::Error::Private(_))),
        "a process without a configuration: {refused:?}"
    );
    let another_key =
        Privacy { keys: vec![Key::new([3; 32])], identity: Identity::Pseudonymous, smallest_group: None };
    assert!(matches!(ledger.store().keep(another_key), Err(store::Error::Private(_))));
    assert_eq!(record(&mut kept, &[beat("cleo", 0, "1", "24")]), 1, "who was right goes on");
    ledger.balances();
}

pub(crate) fn who_was_accepted_and_not_booked_is_forgotten(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    one.accept_heartbeats(&[beat("amara", 0, "1", "24"), beat("bela", 0, "1", "24")]).unwrap();
    assert_eq!(other.forget_person("corp\\amara").unwrap().holders, 1);
    assert!(!everything(ledger).contains("amara"));
    // What was known of the person before is not what is known now.
    one.accept_heartbeats(&[beat("amara", 10, "1", "24")]).unwrap();
    one.book_heartbeats(1_000).unwrap();
    assert_eq!(ledger.query("select count(distinct holder_id) from heartbeat"), ["3"]);
    ledger.balances();
}

pub(crate) fn a_key_that_changes_is_not_that_of_what_was_accepted_before(ledger: &mut Ledger) {
    let mut before = keeping(ledger, Identity::Pseudonymous, &[1]);
    before.accept_heartbeats(&[beat("amara", 0, "1", "24")]).unwrap();
    let mut after = keeping(ledger, Identity::Pseudonymous, &[2, 1]);
    assert!(before.accept_heartbeats(&[beat("bela", 0, "1", "24")]).is_err(), "the old key alone");
    after.accept_heartbeats(&[beat("amara", 5, "1", "24"), beat("amara", 10, "1", "24")]).unwrap();
    after.book_all_heartbeats().unwrap();
    assert_eq!(ledger.query("select count(*), count(distinct holder_id) from heartbeat"), ["2|1"]);
    ledger.balances();
}

pub(crate) fn numbers_of_holders_that_went_are_not_remembered(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    record(&mut one, &[beat("bob", 0, "1", "24")]);
    other.seal_heartbeats(NINE + 60 * MINUTE).unwrap();
    other.remove_facts_before("2025-03-04".parse().unwrap()).unwrap();
    record(&mut other, &[beat("carol", 24 * 60, "1", "24")]);
    record(&mut one, &[beat("bob", 24 * 60, "1", "24")]);
    let users = "select h.user_name from heartbeat b join holder h on h.holder_id = b.holder_id order by 1";
    assert_eq!(ledger.query(users), ["corp\\bob", "corp\\carol"]);
    ledger.balances();
}

pub(crate) fn a_new_key_splits_no_bucket_where_organizations_are_kept(ledger: &mut Ledger) {
    let mut before = keeping(ledger, Identity::Organization, &[1]);
    record(&mut before, &[beat("amara", 0, "1", "24")]);
    let mut after = keeping(ledger, Identity::Organization, &[2, 1]);
    assert_eq!(record(&mut after, &[beat("amara", 5, "1", "24"), beat("amara", 10, "1", "24")]), 1);
    assert_eq!(ledger.query("select count(distinct person) from heartbeat"), ["1"]);
}

pub(crate) fn a_session_open_when_the_key_changes_keeps_the_old_one(ledger: &mut Ledger) {
    let mut before = keeping(ledger, Identity::Pseudonymous, &[1]);
    record(&mut before, &[beat("amara", 0, "1", "24"), beat("amara", 10, "1", "24")]);
    let mut after = keeping(ledger, Identity::Pseudonymous, &[2, 1]);
    assert_eq!(
        record(&mut after, &[beat("amara", 15, "1", "24")]),
        0,
        "the bucket is known under the old key"
    );
    for minute in [20, 30, 50] {
        assert_eq!(record(&mut after, &[beat("amara", minute, "1", "24")]), 1);
    }
    let persons = "select count(*), count(distinct holder_id) from heartbeat group by person order by 1";
    assert_eq!(ledger.query(persons), ["1|1", "4|1"], "the new key after a pause");
    ledger.balances();
}

pub(crate) fn of_closed_sessions_the_organization_alone_is_kept(ledger: &mut Ledger) {
    ledger
        .store()
        .import_directory(&[entry("amara", "R&D"), entry("bela", "R&D"), entry("cleo", "Sales")])
        .unwrap();
    let mut store = keeping(ledger, Identity::Organization, &[1]);
    for minute in [0, 5, 10] {
        record(&mut store, &[on_host("amara", minute), on_host("bela", minute), on_host("cleo", minute)]);
    }
    record(&mut store, &[on_host("nobody", 30)]);
    let numbers = ledger.query("select distinct person from heartbeat");
    assert_eq!(numbers.len(), 4);
    assert_eq!(by_organization(ledger), [" 10", "R&D 40", "Sales 20"]);
    store.seal_heartbeats(NINE + 120 * MINUTE).unwrap();
    ledger.balances();
    assert_eq!(by_organization(ledger), [" 10", "R&D 40", "Sales 20"]);
    ledger.sql("delete from directory_entry");
    let held = everything(ledger);
    let names = ["amara", "bela", "cleo", "nobody", "pc-of"];
    for gone in names.into_iter().chain(numbers.iter().map(String::as_str)) {
        assert!(!held.contains(gone), "{gone} is in the database");
    }
    let said = [at(8.0, "v", Out("solver", "amara", 1))];
    let mut process = ledger.process();
    process.intake.begin(None);
    let batch = process.batch(0, &said, &mut std::collections::BTreeMap::new());
    let refused = process.commit(&mut store, "log", 1, &[batch]);
    assert!(matches!(refused, Err(store::Error::Private(_))), "{refused:?}");
}

pub(crate) fn small_organizations_are_shown_together(ledger: &mut Ledger) {
    let mut store = ledger.store();
    store.import_directory(&[entry("amara", "R&D"), entry("bela", "R&D"), entry("cleo", "Sales")]).unwrap();
    record(&mut store, &[beat("amara", 0, "1", "24"), beat("cleo", 0, "1", "24")]);
    assert_eq!(by_organization(ledger), ["R&D 10", "Sales 10"]);
    store.keep(Privacy { smallest_group: Some(2), ..Privacy::default() }).unwrap();
    assert_eq!(by_organization(ledger), ["(small groups) 10", "R&D 10"]);
    ledger.balances();
}

pub(crate) fn a_person_forgotten_changes_no_figure(ledger: &mut Ledger) {
    let mut store = ledger.store();
    store.import_directory(&[entry("amara", "R&D"), entry("bela", "Sales")]).unwrap();
    let said = [
        at(8.0, "v", Out("solver", "amara", 1)),
        at(9.0, "v", In("solver", "amara", 1)),
        at(49.0, "v", Lives),
    ];
    ledger.process().read(&mut store, "log", &said);
    ledger.sql("update quarantine set sample = 'OUT: x Amara@ws'");
    let with_line = [at(50.0, "v", Babbles)];
    ledger.process().read(&mut store, "other", &with_line);
    ledger.sql("update quarantine set sample = 'OUT: x Amara@ws'");
    record(&mut store, &[beat("amara", 0, "1", "24"), beat("bela", 0, "1", "24")]);
    ledger.balances();
    let figures = "select feature_id, day, seat_ms, person_ms, sessions, persons from feature_day";
    let before = (by_organization(ledger), ledger.query(figures));
    let known = store.known_of_person("CORP\\Amara").unwrap();
    assert_eq!((known.holders.len(), known.directory.len(), known.lines.len()), (2, 1, 1));
    let done = store.forget_person("amara").unwrap();
    assert_eq!((done.holders, done.directory, done.lines), (2, 1, 1));
    ledger.balances();
    assert_eq!((by_organization(ledger), ledger.query(figures)), before);
    let held = everything(ledger);
    assert!(!held.contains("amara") && held.contains("bela"), "{held}");
    // Whoever comes again is somebody new, also to a service that runs on.
    store.watch_heartbeats(NINE).unwrap();
    record(&mut store, &[beat("amara", 30, "1", "24")]);
    assert_eq!(ledger.query("select count(*) from holder where user_name like '%amara'"), ["1"]);
    ledger.balances();
}

pub(crate) fn what_is_too_old_goes_and_the_books_balance(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let said = [
        at(8.0, "v", Out("solver", "amara", 1)),
        at(9.0, "v", In("solver", "amara", 1)),
        // Over midnight.
        at(20.0, "v", Out("solver", "bela", 1)),
        at(30.0, "v", In("solver", "bela", 1)),
        at(32.0, "v", Babbles),
        at(100.0, "v", Lives),
    ];
    ledger.process().read(&mut store, "log", &said);
    record(&mut store, &[beat("cleo", 0, "1", "24"), beat("cleo", 4 * 24 * 60, "1", "24")]);
    store.seal_heartbeats(NINE + 24 * 60 * MINUTE).unwrap();
    ledger.balances();
    let second: Day = "2025-03-04".parse().unwrap();
    let removed = store.remove_facts_before(second).unwrap();
    assert_eq!((removed.sessions, removed.holders), (2, 1), "{removed:?}");
    let verified = ledger.balances();
    assert_eq!(verified.sessions, 2);
    assert_eq!(
        ledger.query("select user_name from holder where user_name like '%amara%'"),
        Vec::<String>::new()
    );
    assert_eq!(store.remove_quarantine_before(second).unwrap().lines, 0, "its input goes on");
    assert_eq!(store.remove_quarantine_before("2025-04-01".parse().unwrap()).unwrap().lines, 1);
}

pub(crate) fn two_features_in_a_bucket_are_sealed_as_two(ledger: &mut Ledger) {
    let mut store = keeping(ledger, Identity::Organization, &[1]);
    let of = |user: &str, feature: &str| Heartbeat {
        scope: BucketScope::PersonAndFeature,
        ..beat(user, 0, feature, "1")
    };
    record(&mut store, &[of("amara", "a"), of("amara", "b"), of("bela", "a")]);
    store.seal_heartbeats(NINE + 60 * MINUTE).unwrap();
    assert_eq!(ledger.query("select count(*) from session"), ["3"]);
    assert_eq!(ledger.balances().seat_ms, i128::from(30 * MINUTE));
}
