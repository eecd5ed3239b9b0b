//! Which answers of polls are evidence of what, and what lies between them.

use crate::ledger::Ledger;
use crate::log::What::{Lives, Out};
use crate::log::{HOUR, MONDAY, at};
use crate::polls::{instant, poll, read, sessions};
use accounting::event::Expires;
use store::intake::{Batch, ExpiryEvent, PollEvent, SeatsEvent, Span};

/// Reads an answer of the license server as a whole, which names no daemon and shows no hold.
fn read_of_no_daemon(ledger: &Ledger, name: &str, hour: i64) {
    let mut process = ledger.process();
    let (daemon, feature, at) = (process.daemon(""), process.interner.feature("other"), instant(hour));
    let mut batch = Batch {
        polls: vec![PollEvent { daemon, at, answered: true }],
        seats: vec![SeatsEvent { feature, daemon, at, issued: Some(Some(9)), ..SeatsEvent::default() }],
        spans: vec![Span { daemon, run: 0, from: at, until: at, begins_run: false, polled: true }],
        ..Batch::default()
    };
    batch.names = process.interner.news();
    process.intake.begin(None);
    process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
}

pub(crate) fn an_answer_of_no_daemon_is_no_evidence_of_any(ledger: &mut Ledger) {
    read(ledger, "a", &[poll(8, &[("amara", 6, 1)]), poll(9, &[("amara", 6, 1)])]);
    ledger.derive();
    read_of_no_daemon(ledger, "b", 60);
    assert_eq!(sessions(ledger), ["amara 6..9 open"]);
    ledger.balances();
    // The daemon itself is evidence, of the days up to it.
    read(ledger, "c", &[poll(80, &[("amara", 6, 1)])]);
    assert_eq!(sessions(ledger), ["amara 6..80 open"]);
    ledger.balances();
}

/// From when until when license servers were watched, in hours.
fn watched(ledger: &Ledger) -> Vec<(i64, i64)> {
    let watched = ledger.store().read(|reader| {
        let names = reader.names();
        let of_servers = names.servers.values().flat_map(|server| server.watched.clone());
        Ok(of_servers.collect::<Vec<_>>())
    });
    watched
        .unwrap()
        .into_iter()
        .map(|(from, until)| ((from - MONDAY) / HOUR, (until - MONDAY) / HOUR))
        .collect()
}

pub(crate) fn an_outage_does_not_hide_itself(ledger: &mut Ledger) {
    read(ledger, "a", &[9, 10, 11].map(|hour| poll(hour, &[])));
    read(ledger, "b", &[poll(59, &[])]);
    assert_eq!(watched(ledger), [(9, 11), (59, 59)]);
    let daily = Ledger::sqlite();
    read(&daily, "a", &[0, 24, 48].map(|hour| poll(hour, &[])));
    read(&daily, "b", &[poll(96, &[])]);
    assert_eq!(watched(&daily), [(0, 96)], "what is polled daily is watched from day to day");
}

pub(crate) fn coverage_tells_what_is_divided_by(ledger: &mut Ledger) {
    for (name, hour) in [("march", 2.0), ("april", 1_000.0)] {
        let lines = [at(hour, "v", Lives), at(hour + 2.0, "v", Lives)];
        ledger.process().read(&mut ledger.store(), name, &lines);
    }
    assert_eq!(watched(ledger), [(2, 1_002)], "a log covers from its first line to its last");
    let hours = |at: i64| (at - MONDAY) / HOUR;
    let told = ledger.store().read(|reader| {
        let rows = reader.coverage()?.into_iter();
        let told = rows.map(|row| (row.input.is_some(), hours(row.from), hours(row.until), row.watched));
        Ok(told.collect::<Vec<_>>())
    });
    assert_eq!(told.unwrap(), [(true, 2, 4, true), (false, 4, 1_000, true), (true, 1_000, 1_002, true)]);
}

/// Reads expiries told at an hour: feature, seats, day.
fn read_expiries(ledger: &Ledger, name: &str, hour: i64, told: &[(&str, Option<i64>, &str)]) {
    read_expiries_of(ledger, name, hour, "1.0", told);
}

fn read_expiries_of(
    ledger: &Ledger,
    name: &str,
    hour: i64,
    version: &str,
    told: &[(&str, Option<i64>, &str)],
) {
    let mut process = ledger.process();
    let (daemon, version) = (process.daemon("v"), process.interner.version(Some(version)));
    let mut batch = Batch::default();
    for (feature, seats, day) in told {
        let (feature, expires) = (process.interner.feature(feature), Expires::On(day.parse().unwrap()));
        let at = instant(hour);
        batch.expiries.push(ExpiryEvent { daemon, feature, version, at, seats: *seats, expires });
    }
    batch.names = process.interner.news();
    process.intake.begin(None);
    process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
}

pub(crate) fn expiries_without_seats_add_to_what_is_known(ledger: &mut Ledger) {
    let told = |ledger: &Ledger| {
        let sql = "select f.code, e.expires, coalesce(e.seats, 0) from expiry e
                   join feature f on f.feature_id = e.feature_id order by f.code, e.expires";
        ledger.query(sql)
    };
    let table = [("mill", Some(5), "2025-12-31"), ("solver", Some(50), "2025-12-31")];
    read_expiries(ledger, "table", 20, &table);
    read_expiries(ledger, "a pool", 30, &[("solver", None, "2025-12-31")]);
    let known = ["mill|2025-12-31|5", "solver|2025-12-31|50"];
    assert_eq!(told(ledger), known, "a pool says less than the table, and not of all features");
    read_expiries(ledger, "renewed", 40, &[("solver", None, "2026-12-31")]);
    let renewed = ["mill|2025-12-31|5", "solver|2026-12-31|0"];
    assert_eq!(told(ledger), renewed);
    read_expiries(ledger, "late", 35, &table);
    assert_eq!(told(ledger), renewed, "an earlier table does not undo it");
    read_expiries(ledger, "late pool", 25, &[("solver", None, "2024-12-31")]);
    assert_eq!(told(ledger), renewed, "nor does an earlier pool");
    read_expiries(ledger, "new table", 50, &[("solver", Some(60), "2026-12-31")]);
    assert_eq!(told(ledger), ["solver|2026-12-31|60"]);
}

/// Seats that expire, as readers get them: feature, version, day, seats, hour at which they were told last.
fn expiring(ledger: &Ledger) -> Vec<String> {
    let told = ledger.store().read(|reader| {
        let names = reader.names();
        let told = names.expiries.iter().map(|of| {
            let (code, hour) = (&names.features[&of.feature].code, (of.told_at - MONDAY) / HOUR);
            let Expires::On(day) = of.expires else { panic!("no day") };
            format!("{code} {} {day} {} told at {hour}", of.version, of.seats.unwrap_or(0))
        });
        Ok(told.collect())
    });
    told.unwrap()
}

pub(crate) fn pools_of_one_version_expire_each_on_its_day(ledger: &mut Ledger) {
    let (one, other) = (("solver", None, "2025-12-31"), ("solver", None, "2026-12-31"));
    read_expiries(ledger, "one", 20, &[one]);
    for hour in 21..24 {
        read_expiries(ledger, &format!("both {hour}"), hour, &[one, other]);
        let both = ["2025-12-31", "2026-12-31"].map(|day| format!("solver 1.0 {day} 0 told at {hour}"));
        assert_eq!(expiring(ledger), both, "what is told again stays, and was told now");
    }
    read_expiries(ledger, "late", 22, &[one]);
    assert_eq!(expiring(ledger).len(), 2, "an earlier answer takes nothing away");
    read_expiries(ledger, "one is idle", 30, &[other]);
    let both = ["solver 1.0 2025-12-31 0 told at 23", "solver 1.0 2026-12-31 0 told at 30"];
    assert_eq!(expiring(ledger), both, "only pools in use are told");
    read_expiries(ledger, "late too", 25, &[one, other]);
    assert_eq!(expiring(ledger)[0], "solver 1.0 2025-12-31 0 told at 25");
    read_expiries(ledger, "renewed", 40, &[("solver", None, "2027-12-31")]);
    assert_eq!(expiring(ledger), ["solver 1.0 2027-12-31 0 told at 40"]);
    read_expiries(ledger, "before that", 35, &[one, other]);
    assert_eq!(expiring(ledger), ["solver 1.0 2027-12-31 0 told at 40"]);
}

pub(crate) fn a_pool_is_that_of_the_table_however_its_version_is_printed(ledger: &mut Ledger) {
    read_expiries_of(ledger, "table", 20, "2024.120", &[("solver", Some(50), "2026-12-31")]);
    read_expiries_of(ledger, "status", 30, "2024.12", &[("solver", None, "2026-12-31")]);
    assert_eq!(expiring(ledger), ["solver 2024.120 2026-12-31 50 told at 30"]);
    read_expiries_of(ledger, "late table", 25, "2024.120", &[("solver", Some(60), "2026-12-31")]);
    assert_eq!(expiring(ledger), ["solver 2024.120 2026-12-31 60 told at 30"], "the newer table counts");
}

pub(crate) fn where_another_server_has_a_feature_too_its_seats_are_not_known(ledger: &mut Ledger) {
    read(ledger, "polls", &[poll(8, &[("amara", 6, 1)]), poll(30, &[("bela", 20, 1)]), poll(60, &[])]);
    ledger.balances();
    let issued = "select count(*) from feature_day where seats_issued is not null";
    assert_ne!(ledger.query(issued), ["0"]);
    let mut other = ledger.process();
    other.server = Some("elsewhere");
    other.read(
        &mut ledger.store(),
        "log",
        &[at(100.0, "v", Out("solver", "cleo", 1)), at(101.0, "v", Lives)],
    );
    ledger.balances();
    assert_eq!(ledger.query(issued), ["0"]);
}
