//! The views under the names of the service before this one, compared with the report `usage`.

use crate::ledger::Ledger;
use accounting::calendar::Calendar;
use accounting::heartbeat::{Interval, bucket};
use accounting::privacy::{Identity, Key, Privacy};
use accounting::report::group::Key as By;
use accounting::report::usage::{Options, Usage};
use accounting::report::{Accumulator, Cell, Scope};
use std::collections::BTreeMap;
use store::heartbeats::{BucketScope, Heartbeat};
use store::{DirectoryRow, Error, Store, View, Winterthur};

const MINUTE: i64 = 60_000;
/// 2025-03-28 20:00 UTC, a Friday; in Zurich the clocks change on Sunday.
const EVENING: i64 = 1_743_192_000_000;

fn view(name: &str, columns: &[&str]) -> View {
    View { name: name.to_owned(), columns: columns.iter().map(|&column| column.to_owned()).collect() }
}

fn wanted() -> Winterthur {
    Winterthur {
        acad_user: view("ACAD_USER", &["USERNAME", "domain name", "last\"ping"]),
        user: view("person", &["login", "orgfid"]),
        // What would do harm, were it not a name.
        usage: view("usage\"; drop table session; --", &["date", "user", "{version}", "sum", "$1"]),
        interval_ms: 10 * MINUTE,
    }
}

/// The usage view, as SQL names it.
const USAGE: &str = "\"usage\"\"; drop table session; --\"";

fn usage(ledger: &Ledger) -> Vec<String> {
    ledger.query(&format!(
        "select \"date\", \"user\", \"{{version}}\", \"sum\", \"$1\" from {USAGE} order by 1, 2, 3, 5"
    ))
}

fn row(login: &str, domain: &str, organization: &str, number: Option<i64>, from: &str) -> DirectoryRow {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    DirectoryRow {
        login: login.to_owned(),
        domain: text(domain),
        organization: text(organization),
        project: None,
        valid_from: from.parse().ok(),
        valid_until: None,
        external_id: number,
    }
}

fn directory(store: &mut Store) {
    let rows = [
        row("Amara", "CORP", "North", Some(17), ""),
        // As of Saturday, under a number that another line tells.
        row("amara", "corp", "South", None, "2025-03-29"),
        row("BÉLA", "", "South", Some(4), ""),
        row("cleo", "", "Nowhere", None, ""),
        row("dana", "east", "North", None, ""),
        row("dana", "west", "South", None, ""),
        row("emil", "east", "South", None, ""),
    ];
    store.import_directory(&rows).unwrap();
}

fn beat(domain: &str, user: &str, minute: i64, feature: &str, version: &str) -> Heartbeat {
    let zone = Calendar::standard("Europe/Zurich").unwrap().zone().clone();
    let (from, until) = bucket(EVENING + minute * MINUTE, &zone, Interval::default());
    let (domain, user) = (domain.to_owned(), user.to_owned());
    let (feature, version) = (feature.to_owned(), version.to_owned());
    Heartbeat { domain, user, host: String::new(), feature, version, from, until, scope: BucketScope::Person }
}

/// Three nights and days of seven persons.
fn heartbeats(store: &mut Store) {
    let persons = [
        ("corp", "amara", "1"),
        ("west", "béla", "1"),
        ("corp", "cleo", "2"),
        ("east", "dana", "2"),
        ("corp", "dana", "3"),
        ("", "emil", "3"),
        ("corp", "nobody", "-5"),
        ("corp", "nobody else", "solver"),
    ];
    for minute in (0..3 * 24 * 60).step_by(10) {
        let beats: Vec<Heartbeat> = (0..)
            .zip(persons)
            .filter(|(nth, _)| (minute / 10 + nth * 7) % 31 > 8)
            .map(|(nth, (domain, user, feature))| {
                beat(domain, user, minute, feature, ["24", "25"][(minute / 400 + nth) as usize % 2])
            })
            .collect();
        store.record_heartbeats(&beats).unwrap();
    }
    // One bucket told in two ways counts once.
    let again = beat("corp", "amara", 200, "1", "24");
    store.record_heartbeats(&[Heartbeat { scope: BucketScope::PersonAndFeature, ..again }]).unwrap();
}

/// The report's rows of integer features: as the view has them.
fn reported(ledger: &Ledger) -> Vec<String> {
    let numbers = BTreeMap::from([("North", 17), ("South", 4)]);
    let mut store = Store::open(ledger.place()).unwrap();
    let calendar = store.calendar().unwrap();
    let by = vec![By::Day, By::Feature, By::Version, By::Organization];
    let report = store
        .read(|reader| {
            let names = reader.names();
            let mut usage = Usage::new(&names, &calendar, Scope::default(), Options::by(by));
            reader.fold(None, None, &mut usage)?;
            Ok(Box::new(usage).finish())
        })
        .unwrap();
    let mut sums: BTreeMap<(String, i64, String, i64), i64> = BTreeMap::new();
    for row in report.rows {
        let text = |nth: usize| match &row[nth] {
            Cell::Text(text) => text.clone(),
            _ => String::new(),
        };
        let minutes = match &row[4] {
            Cell::Int(minutes) => *minutes,
            Cell::Decimal(minutes) => *minutes as i64,
            other => panic!("no minutes: {other:?}"),
        };
        if let Ok(code) = text(1).parse() {
            let number = numbers.get(&*text(3)).copied();
            let number = number.or_else(|| text(3).parse().ok()).unwrap_or(-1);
            *sums.entry((text(0), code, text(2), number)).or_default() += minutes;
        }
    }
    let line = |((day, code, version, number), minutes)| format!("{day}|{code}|{version}|{minutes}|{number}");
    sums.into_iter().map(line).collect()
}

pub(crate) fn the_old_usage_table_is_what_the_report_says(ledger: &mut Ledger) {
    let mut store = ledger.store();
    store.set_calendar(&Calendar::standard("Europe/Zurich").unwrap()).unwrap();
    directory(&mut store);
    heartbeats(&mut store);
    assert!(store.set_winterthur_views(Some(&wanted())).unwrap());
    assert!(!store.set_winterthur_views(Some(&wanted())).unwrap(), "as they are wanted");
    ledger.balances();
    let expected = reported(ledger);
    assert_eq!(usage(ledger), expected);
    for number in [-1, 4, 17] {
        assert!(expected.iter().any(|line| line.ends_with(&format!("|{number}"))), "{number}: {expected:?}");
    }
    assert!(expected.iter().any(|line| line.starts_with("2025-03-31|-5|")), "{expected:?}");
    // Sealed or not, it is the same.
    store.seal_heartbeats(EVENING + 37 * 60 * MINUTE).unwrap();
    assert_eq!(usage(ledger), expected);
    ledger.balances();
    assert_eq!(usage(ledger), expected);
    // What another system had counted is there besides, and a directory that says something else is followed.
    ledger.sql(
        "insert into imported_total (feature_id, day, organization, version_id, minutes, input_id)
         select feature_id, '2025-03-28', 99, 0, 70, 1 from feature where code = '1'",
    );
    store.import_directory(&[row("cleo", "", "North", None, "2025-03-30")]).unwrap();
    ledger.balances();
    let later = usage(ledger);
    assert_eq!(later, reported(ledger));
    assert!(later.contains(&"2025-03-28|1||70|99".to_owned()), "{later:?}");
    assert_ne!(later.len(), expected.len());
}

pub(crate) fn views_tell_no_more_than_the_reports(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let keep = |smallest_group| Privacy {
        identity: Identity::Organization,
        keys: vec![Key::new([7; 32])],
        smallest_group,
    };
    store.keep(keep(Some(0))).unwrap();
    store.set_calendar(&Calendar::standard("Europe/Zurich").unwrap()).unwrap();
    directory(&mut store);
    heartbeats(&mut store);
    store.seal_heartbeats(EVENING + 37 * 60 * MINUTE).unwrap();
    store.set_winterthur_views(Some(&wanted())).unwrap();
    ledger.sql(
        "insert into imported_total (feature_id, day, organization, version_id, minutes, input_id)
         select feature_id, '2025-03-28', 17, 0, 70, 1 from feature where code = '1'",
    );
    ledger.balances();
    let of_north = |rows: &[String]| rows.iter().filter(|row| row.ends_with("|17")).count();
    let all = usage(ledger);
    assert_eq!(all, reported(ledger));
    assert!(of_north(&all) > 1, "{all:?}");
    assert_eq!(ledger.query("select username from acad_user"), Vec::<String>::new(), "nobody is named");
    store.keep(keep(Some(3))).unwrap();
    assert!(store.set_winterthur_views(Some(&wanted())).unwrap());
    let shown = usage(ledger);
    assert_eq!(shown, reported(ledger));
    assert_eq!(of_north(&shown), 0, "the two of North are too few");
}

pub(crate) fn the_old_tables_of_persons_are_views(ledger: &mut Ledger) {
    let mut store = ledger.store();
    store.set_calendar(&Calendar::standard("Europe/Zurich").unwrap()).unwrap();
    directory(&mut store);
    let beats = [
        beat("corp", "amara", 3, "1", "24"),
        beat("corp", "amara", 14, "1", "24"),
        beat("", "béla", 14, "1", "24"),
    ];
    store.record_heartbeats(&beats).unwrap();
    store.set_winterthur_views(Some(&wanted())).unwrap();
    ledger.derive();
    let pinged = |ledger: &Ledger| {
        ledger.query("select username, \"domain name\", \"last\"\"ping\" from acad_user order by username")
    };
    let expected = ["amara|corp|2025-03-28 21:10", "béla||2025-03-28 21:10"];
    assert_eq!(pinged(ledger), expected, "to the bucket, in civil time");
    store.seal_heartbeats(EVENING + 24 * 60 * MINUTE).unwrap();
    ledger.derive();
    assert_eq!(pinged(ledger), expected);
    assert_eq!(
        ledger.query("select login, orgfid from Person order by login, orgfid"),
        ["amara|4", "béla|4", "dana|4", "dana|17", "emil|4"]
    );
}

pub(crate) fn views_go_when_nobody_wants_them(ledger: &mut Ledger) {
    let mut store = ledger.store();
    store.set_winterthur_views(Some(&wanted())).unwrap();
    let other = Winterthur { usage: view("usage_table", &["a", "b", "c", "d", "e"]), ..wanted() };
    assert!(ledger.store().set_winterthur_views(Some(&other)).unwrap());
    assert_eq!(ledger.query("select a, b, c, d, e from USAGE_TABLE"), Vec::<String>::new());
    let backup = ledger.directory.path().join("backup.db");
    store.backup(&backup).unwrap();
    let mut copy = Store::create(&store::Place::Sqlite(backup)).unwrap();
    assert!(copy.set_winterthur_views(Some(&other)).unwrap(), "a copy has none");
    assert!(store.set_winterthur_views(None).unwrap());
    assert!(!store.set_winterthur_views(None).unwrap());
    let ours: Vec<String> = ["usage_table", "acad_user", "person", "membership"].map(str::to_owned).to_vec();
    for name in ours {
        ledger.sql(&format!("create table {name} (x text)"));
    }
    let taken = ledger.store().set_winterthur_views(Some(&other)).err();
    assert!(taken.is_some(), "a table of another one is in the way");
    assert_eq!(ledger.query("select x from person"), Vec::<String>::new(), "and stays");
    ledger.sql("drop table membership");
    let taken = ledger.store().set_winterthur_views(Some(&other));
    assert!(matches!(&taken, Err(Error::NameTaken(name)) if name == "acad_user"), "{taken:?}");
    let ours = Winterthur { usage: view("Session", &["a", "b", "c", "d", "e"]), ..wanted() };
    ledger.sql("drop table acad_user; drop table person");
    let taken = ledger.store().set_winterthur_views(Some(&ours));
    assert!(matches!(&taken, Err(Error::NameTaken(name)) if name == "session"), "{taken:?}");
    ledger.balances();
}
