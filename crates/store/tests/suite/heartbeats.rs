//! Heartbeats: what the ledger makes of buckets.

use crate::ledger::Ledger;
use accounting::UnixMs;
use accounting::heartbeat::{Interval, bucket};
use accounting::session::Ended;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::heartbeats::{BucketScope, Heartbeat};
use store::{SessionRow, Store};

pub(crate) const MINUTE: i64 = 60_000;
/// 2025-03-03 09:00 UTC, a Monday.
pub(crate) const NINE: UnixMs = 1_740_992_400_000;

pub(crate) fn beat(user: &str, minute: i64, feature: &str, version: &str) -> Heartbeat {
    let (from, until) = bucket(NINE + minute * MINUTE, &TimeZone::UTC, Interval::default());
    Heartbeat {
        domain: "corp".into(),
        user: user.into(),
        host: String::new(),
        feature: feature.into(),
        version: version.into(),
        from,
        until,
        scope: BucketScope::Person,
    }
}

pub(crate) fn record(store: &mut Store, beats: &[Heartbeat]) -> u64 {
    store.record_heartbeats(beats).unwrap().new
}

/// The sessions as `user feature version from..until ending`, in minutes after nine.
pub(crate) fn sessions(ledger: &Ledger, now: i64) -> Vec<String> {
    let mut store = Store::open(ledger.place()).unwrap();
    store.tell_time(NINE + now * MINUTE);
    let mut lines = Vec::new();
    store
        .read(|reader| {
            let names = reader.names();
            let mut features: Vec<_> = names.features.iter().map(|(id, of)| (of.code.clone(), *id)).collect();
            features.sort();
            for (code, feature) in features {
                reader.sessions(feature, (UnixMs::MIN, UnixMs::MAX), false, &mut |row: SessionRow| {
                    let minutes = |at| (at - NINE) / MINUTE;
                    let user = &names.holders[&row.part.holder].user;
                    let version = &names.versions[&row.part.version];
                    let (from, until) = (minutes(row.part.from), minutes(row.part.until));
                    lines
                        .push(format!("{user} {code} {version} {from}..{until} {}", row.part.ended.as_str()));
                    Ok(())
                })?;
            }
            Ok(())
        })
        .unwrap();
    lines
}

pub(crate) fn a_bucket_counts_once_whoever_tells_it(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    assert_eq!(record(&mut one, &[beat("amara", 1, "1", "24"), beat("amara", 2, "1", "24")]), 1);
    assert_eq!(record(&mut other, &[beat("amara", 9, "1", "24"), beat("bela", 9, "1", "24")]), 1);
    // The first feature and version of a bucket get it.
    assert_eq!(record(&mut one, &[beat("amara", 5, "2", "24"), beat("amara", 5, "1", "25")]), 0);
    assert_eq!(record(&mut one, &[beat("amara", 10, "2", "25")]), 1);
    assert_eq!(
        sessions(ledger, 12),
        ["corp\\amara 1 24 0..10 open", "corp\\bela 1 24 0..10 open", "corp\\amara 2 25 10..20 open"]
    );
    assert_eq!(ledger.query("select count(*) from holder"), ["2"]);
    ledger.balances();
}

pub(crate) fn a_person_may_use_several_features_in_one_bucket(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let of =
        |feature: &str| Heartbeat { scope: BucketScope::PersonAndFeature, ..beat("amara", 3, feature, "1") };
    assert_eq!(record(&mut store, &[of("a"), of("b"), of("a")]), 2);
    assert_eq!(record(&mut store, &[of("a"), of("c")]), 1);
    assert_eq!(sessions(ledger, 5).len(), 3);
    ledger.balances();
}

pub(crate) fn adjacent_buckets_are_one_session_until_they_cease(ledger: &mut Ledger) {
    let mut store = ledger.store();
    for minute in [0, 10, 20, 40] {
        record(&mut store, &[beat("amara", minute, "1", "24")]);
    }
    assert_eq!(
        sessions(ledger, 59),
        ["corp\\amara 1 24 0..30 heartbeats_ceased", "corp\\amara 1 24 40..50 open"]
    );
    assert_eq!(sessions(ledger, 60)[1], "corp\\amara 1 24 40..50 heartbeats_ceased");
    ledger.balances();
}

pub(crate) fn sealing_changes_no_figure(ledger: &mut Ledger) {
    let mut store = ledger.store();
    // Over two midnights, with a pause; and somebody who never stops.
    for minute in (0..2 * 24 * 60).step_by(10).filter(|minute| !(700..800).contains(minute)) {
        let mut beats = vec![beat("bela", minute, "1", "24")];
        beats.extend((minute % 300 < 200).then(|| beat("amara", minute, "1", "24")));
        record(&mut store, &beats);
    }
    ledger.balances();
    let (books, shown) = (ledger.books(), sessions(ledger, 3000));
    for hours in [1, 13, 24, 40, 47] {
        store.seal_heartbeats(NINE + hours * 60 * MINUTE).unwrap();
        // A reader sees the same before and after the days are derived.
        assert_eq!(sessions(ledger, 3000), shown, "sealed to {hours} h");
        assert_eq!(minutes(&ledger.books()), minutes(&books), "sealed to {hours} h");
        ledger.balances();
        assert_eq!(minutes(&ledger.books()), minutes(&books), "sealed to {hours} h and derived");
    }
    assert!(ledger.query("select count(*) from session") != ["0"], "something was sealed");
    store.seal_heartbeats(NINE + 30 * 24 * 60 * MINUTE).unwrap();
    assert_eq!(ledger.query("select count(*) from heartbeat"), ["0"]);
    let verified = ledger.balances();
    assert_eq!(verified.unsettled, 0, "all days are settled once all is sealed");
    assert_eq!(sessions(ledger, 3000), shown);
    assert_eq!(record(&mut ledger.store(), &[beat("amara", 0, "1", "24")]), 0, "too late");
}

pub(crate) fn many_persons_are_sealed_in_pieces(ledger: &mut Ledger) {
    let mut store = ledger.store();
    record(&mut store, &[beat("amara", 0, "1", "24")]);
    // More than is sealed in one transaction, each of a person of its own.
    ledger.sql(
        "insert into heartbeat (from_at, person, slot, until_at, feature_id, version_id, holder_id)
         with recursive nth (i) as (select 1 union all select i + 1 from nth where i < 60001)
         select from_at + 2 * i, i, slot, from_at + 2 * i + 1, feature_id, version_id, holder_id
         from heartbeat cross join nth",
    );
    ledger.sql("update heartbeat set until_at = from_at + 1");
    ledger.balances();
    let books = ledger.books();
    // What cannot be written breaks the last piece off, as the end of the process would.
    ledger.sql(
        "insert into session_by_key (feature_id, from_at, holder_id, handle, nth, until_at, seats, ended, version_id, from_input)
         select feature_id, from_at, holder_id, '', version_id, until_at, 1, 0, version_id, (select max(input_id) from input)
         from heartbeat where person = 60001",
    );
    let before = NINE + 60 * MINUTE;
    assert!(store.seal_heartbeats(before).is_err());
    ledger.sql(&format!("delete from session_by_key where from_at = {}", NINE + 2 * 60_001));
    let left = ledger.query("select count(*) from heartbeat");
    assert!(left != ["0"] && left != ["60002"], "a piece is sealed, another is not: {left:?}");
    ledger.balances();
    assert_eq!(minutes(&ledger.books()), minutes(&books), "broken off");
    assert_eq!(record(&mut ledger.store(), &[beat("bela", 10, "1", "24")]), 0, "it is closed");
    let (mut one, mut other) = (ledger.store(), ledger.store());
    let rest = std::thread::scope(|threads| {
        let first = threads.spawn(|| one.seal_heartbeats(before).unwrap());
        other.seal_heartbeats(before).unwrap() + first.join().unwrap()
    });
    assert_eq!([rest.to_string()], left[..], "two processes do the rest, each session once");
    ledger.balances();
    assert_eq!(ledger.query("select count(*) from heartbeat"), ["0"]);
    assert_eq!(minutes(&ledger.books()), minutes(&books));
}

fn minutes(books: &[String]) -> Vec<&str> {
    books.iter().map(|line| without_ending(line)).collect()
}

/// A line of the books without how the session ended: sealing tells that.
fn without_ending(line: &str) -> &str {
    let endings = [Ended::Open, Ended::HeartbeatsCeased];
    endings.iter().fold(line, |line, ended| line.trim_end_matches(ended.as_str())).trim_end()
}

pub(crate) fn a_batch_is_taken_in_whole_or_not_at_all(ledger: &mut Ledger) {
    let mut store = ledger.store();
    record(&mut store, &[beat("amara", 0, "1", "24")]);
    ledger.sql("alter table heartbeat rename to elsewhere");
    assert!(store.record_heartbeats(&[beat("bela", 0, "3", "25"), beat("cleo", 0, "1", "24")]).is_err());
    ledger.sql("alter table elsewhere rename to heartbeat");
    assert_eq!(
        ledger.query("select count(*) from holder"),
        ["1"],
        "names of a batch that failed are not kept"
    );
    assert_eq!(record(&mut store, &[beat("bela", 0, "3", "25"), beat("cleo", 0, "1", "24")]), 2);
    ledger.balances();
}

pub(crate) fn new_users_are_told_once(ledger: &mut Ledger) {
    let today = "2025-03-03".parse().unwrap();
    let ask = |store: &mut Store| -> Vec<String> {
        let told = store.new_users(today).unwrap().into_iter();
        told.map(|new| format!("{} {} {}", new.domain, new.user, new.has_organization)).collect()
    };
    let (mut one, mut other) = (ledger.store(), ledger.store());
    assert_eq!(ask(&mut one), Vec::<String>::new(), "nobody has come");
    let entry = |login: &str, until: Option<&str>| store::DirectoryRow {
        login: login.to_owned(),
        organization: Some("R&D".to_owned()),
        valid_until: until.map(|day| day.parse().unwrap()),
        ..store::DirectoryRow::default()
    };
    one.import_directory(&[entry("amara", None), entry("bela", Some("2025-03-01"))]).unwrap();
    record(&mut one, &[beat("amara", 0, "1", "24"), beat("bela", 0, "1", "24")]);
    assert_eq!(ask(&mut one), Vec::<String>::new(), "the next time");
    record(&mut other, &[Heartbeat { host: "ws2".into(), ..beat("amara", 10, "1", "24") }]);
    record(&mut other, &[Heartbeat { domain: String::new(), ..beat("cleo", 10, "1", "24") }]);
    assert_eq!(ask(&mut other), ["corp amara true", "corp bela false"]);
    assert_eq!(ask(&mut one), [" cleo false"], "another host is no other user");
    assert_eq!(ask(&mut one), Vec::<String>::new());
    assert_eq!(ask(&mut other), Vec::<String>::new());
}

pub(crate) fn what_another_process_has_sealed_is_closed(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    record(&mut one, &[beat("amara", 0, "1", "24")]);
    other.seal_heartbeats(NINE + 60 * MINUTE).unwrap();
    let told = [beat("amara", 0, "1", "24"), beat("amara", 70, "1", "24"), beat("bela", 50, "1", "24")];
    let recorded = one.record_heartbeats(&told).unwrap();
    assert_eq!((recorded.new, recorded.late), (1, vec![0, 2]));
    other.seal_heartbeats(NINE + 120 * MINUTE).unwrap();
    assert_eq!(ledger.balances().seat_ms, i128::from(20 * MINUTE));
}

pub(crate) fn what_was_accepted_is_seen_by_whoever_reads(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    let told = [beat("amara", 0, "1", "24"), Heartbeat { host: "ws\0".into(), ..beat("bela", 0, "2", "25") }];
    assert_eq!(one.accept_heartbeats(&told).unwrap(), Vec::<usize>::new());
    assert_eq!(other.accept_heartbeats(&told[..1]).unwrap(), Vec::<usize>::new());
    assert_eq!(ledger.query("select sum(heartbeats) from heartbeat_arrival"), ["3"]);
    assert_eq!(sessions(ledger, 5), ["corp\\amara 1 24 0..10 open", "corp\\bela 2 25 0..10 open"]);
    assert_eq!(ledger.query("select count(*) from heartbeat_arrival"), ["0"]);
    other.accept_heartbeats(&[beat("amara", 10, "1", "24")]).unwrap();
    assert_eq!(
        (other.book_heartbeats(1_000).unwrap(), one.book_heartbeats(1_000).unwrap()),
        (Some(1), Some(0))
    );
    one.accept_heartbeats(&[beat("amara", 20, "1", "24")]).unwrap();
    assert_eq!(record(&mut other, &[beat("amara", 20, "1", "24"), beat("amara", 30, "1", "24")]), 1);
    assert_eq!(ledger.balances().seat_ms, i128::from(50 * MINUTE));
    let long = Heartbeat { host: "x".repeat(1001), ..beat("amara", 40, "1", "24") };
    assert!(one.accept_heartbeats(&[long]).is_err(), "what no index could hold is not promised");
}

pub(crate) fn seats_in_use_are_those_of_open_sessions(ledger: &mut Ledger) {
    let mut store = ledger.store();
    let of = |user: &str, minute, feature: &str| Heartbeat {
        scope: BucketScope::PersonAndFeature,
        ..beat(user, minute, feature, "24")
    };
    for minute in (0..200).step_by(10) {
        let mut beats = vec![of("amara", minute, "1"), of("amara", minute, "2")];
        beats.extend((minute % 60 < 30).then(|| of("bela", minute, "1")));
        beats.extend((minute > 150).then(|| of("cleo", minute, "3")));
        store.accept_heartbeats(&beats).unwrap();
    }
    for now in [5, 35, 45, 150, 199, 209, 219, 220, 1000] {
        store.tell_time(NINE + now * MINUTE);
        let open = |code: &str| {
            let is_open = |line: &&String| line.contains(&format!(" {code} 24 ")) && line.ends_with("open");
            sessions(ledger, now).iter().filter(is_open).count() as i64
        };
        let expected = ["1", "2", "3"].map(|code| (code.to_owned(), open(code)));
        assert_eq!(store.seats_in_use().unwrap(), expected.into(), "{now} minutes after nine");
    }
}

pub(crate) fn what_was_accepted_is_booked_before_it_is_sealed(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    one.accept_heartbeats(&[beat("amara", 0, "1", "24"), beat("bela", 70, "1", "24")]).unwrap();
    assert_eq!(other.seal_heartbeats(NINE + 60 * MINUTE).unwrap(), 1);
    assert_eq!(
        one.accept_heartbeats(&[beat("cleo", 0, "1", "24"), beat("cleo", 60, "1", "24")]).unwrap(),
        [0]
    );
    assert_eq!(ledger.balances().seat_ms, i128::from(30 * MINUTE));
}

pub(crate) fn several_reads_of_one_state_see_no_change_between(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    record(&mut one, &[beat("amara", 0, "1", "24")]);
    let holders = |store: &mut Store| store.read(|reader| Ok(reader.names().holders.len())).unwrap();
    let seen = one.in_one_state(|one| {
        let before = holders(one);
        record(&mut other, &[beat("bela", 0, "3", "25")]);
        Ok::<_, store::Error>((before, holders(one), holders(&mut other)))
    });
    assert_eq!(seen.unwrap(), (1, 1, 2));
    let failed: Result<(), store::Error> =
        one.in_one_state(|_| Err(store::Error::Corrupt("a question that fails".to_owned())));
    assert!(failed.is_err());
    assert_eq!(holders(&mut one), 2, "the next question sees what is there now");
    assert_eq!(record(&mut one, &[beat("cleo", 0, "1", "24")]), 1, "and the connection writes");
}

pub(crate) fn another_calendar_moves_no_minute_of_heartbeats(ledger: &mut Ledger) {
    let mut store = ledger.store();
    for minute in (0..24 * 60).step_by(10) {
        record(&mut store, &[beat("amara", minute, "1", "24")]);
    }
    let shown = sessions(ledger, 3000);
    let calendar = accounting::calendar::Calendar::standard("Asia/Kathmandu").unwrap();
    ledger.store().set_calendar(&calendar).unwrap();
    ledger.balances();
    assert_eq!(sessions(ledger, 3000), shown);
    // A connection that marked days of the old calendar goes on.
    store.watch_heartbeats(NINE + 24 * 60 * MINUTE).unwrap();
    record(&mut store, &[beat("amara", 24 * 60 + 600, "1", "24")]);
    ledger.balances();
}

pub(crate) fn heartbeats_and_seals_in_any_order_count_distinct_buckets(make: &mut Ledger) {
    // A ledger for each case: the one that was handed in tells of which kind.
    let sqlite = matches!(make.place(), store::Place::Sqlite(_));
    let step = prop_oneof![
        // Three persons, recorded at once or accepted to be booked later.
        8 => (0..6_usize, 0..60_i64, 1..3_usize).prop_map(|(who, nth, version)| (who, nth, version)),
        1 => Just((7, 0, 0)),
        1 => (0..60_i64).prop_map(|nth| (9, nth, 0)),
        1 => Just((8, 0, 0)),
    ];
    let config =
        Config { cases: if sqlite { 24 } else { 8 }, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&prop::collection::vec(step, 1..60), |steps| {
            let ledger = if sqlite { Ledger::sqlite() } else { Ledger::postgres() };
            let mut store = ledger.store();
            store.watch_heartbeats(NINE).unwrap();
            let (mut used, mut sealed) = (std::collections::BTreeSet::new(), i64::MIN);
            // Buckets of an hour, over two and a half days.
            for (who, nth, version) in steps {
                match who {
                    9 => {
                        sealed = sealed.max(nth);
                        store.seal_heartbeats(NINE + nth * 60 * MINUTE).unwrap();
                    }
                    8 => ledger.derive(),
                    7 => drop(store.book_heartbeats(1_000).unwrap()),
                    _ => {
                        let (is_accepted, who) = (who >= 3, who % 3);
                        let name = ["amara", "bela", "cleo"][who];
                        let mut beat = beat(name, nth * 60, "1", &version.to_string());
                        beat.until = beat.from + 60 * MINUTE;
                        let known = used.iter().any(|(of, at, _)| (*of, *at) == (who, nth));
                        let expected = u64::from(!known && nth >= sealed);
                        // What was sealed is known to the connection that sealed it only once it watches.
                        store.watch_heartbeats(NINE).unwrap();
                        if is_accepted {
                            let late = store.accept_heartbeats(&[beat]).unwrap();
                            prop_assert_eq!(late.is_empty(), nth >= sealed);
                        } else {
                            let recorded = store.record_heartbeats(&[beat]).unwrap();
                            prop_assert_eq!(recorded.new, expected);
                        }
                        if expected == 1 {
                            used.insert((who, nth, version));
                        }
                    }
                }
            }
            let verified = ledger.balances();
            prop_assert_eq!(verified.seat_ms, used.len() as i128 * i128::from(60 * MINUTE));
            Ok(())
        })
        .unwrap();
}
