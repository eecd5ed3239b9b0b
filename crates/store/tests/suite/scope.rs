//! What the reports of a scope need: names as far as they meet them, seat time without sessions.

use crate::ledger::Ledger;
use crate::log::What::{Denied, In, Lives, Out};
use crate::log::{MONDAY, Said, at};
use crate::polls::{self, poll};
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::report::denials::{self, Denials};
use accounting::report::group::Key;
use accounting::report::seats_needed::SeatsNeeded;
use accounting::report::usage::{self, Usage};
use accounting::report::{Accumulator, Cell, Report, Scope};
use store::Reader;

/// Four days: a crowd at one feature, few at others, over midnight, open at the end, refused.
fn said() -> Vec<Said> {
    let mut said = Vec::new();
    for nth in 0..40 {
        let user: &'static str = format!("u{nth:02}").leak();
        let hour = f64::from(nth) / 2.0;
        said.extend([at(hour + 1.0, "v", Out("crowd", user, 1)), at(hour + 1.2, "v", In("crowd", user, 1))]);
    }
    said.extend([
        at(9.0, "v", Out("solver", "amara", 1)),
        at(23.5, "v", Out("mesher", "bela", 2)),
        at(23.6, "v", Denied("solver", "dana")),
        at(25.0, "v", Denied("mesher", "elif")),
        at(34.0, "v", In("solver", "amara", 1)),
        at(47.0, "v", Out("solver", "chidi", 1)),
        at(60.0, "v", In("mesher", "bela", 2)),
        at(73.0, "v", Out("mesher", "farid", 1)),
        at(74.0, "v", Denied("solver", "gita")),
        at(75.0, "v", In("solver", "chidi", 1)),
        at(95.0, "v", Lives),
    ]);
    said.sort_by_key(|said| said.at);
    said
}

fn reports(reader: &mut Reader<'_>, calendar: &Calendar, scope: &Scope) -> Result<Vec<Report>, store::Error> {
    let names = reader.names();
    let keys = || vec![Key::Person, Key::Host, Key::Server, Key::Day];
    let usage = Usage::new(&names, calendar, scope.clone(), usage::Options::by(keys()));
    let denied = denials::Options { by: vec![Key::Person] };
    let made: [Box<dyn Accumulator + '_>; 3] = [
        Box::new(usage),
        Box::new(Denials::new(&names, calendar, scope.clone(), denied)),
        Box::new(SeatsNeeded::by(&names, calendar, scope.clone(), &[])),
    ];
    let mut reports = Vec::new();
    for mut report in made {
        reader.fold(scope.from, scope.until, report.as_mut())?;
        reports.push(report.finish());
    }
    Ok(reports)
}

/// Asks each question with all names and with those of its scope; gives how many were asked with fewer names.
fn asked_with_fewer(ledger: &Ledger, when: &str) -> usize {
    let calendar = ledger.store().calendar().unwrap();
    let monday = Day((MONDAY / 86_400_000) as i32);
    let mut periods = vec![(None, None)];
    periods.extend(
        [(0, 1), (1, 2), (1, 4), (2, 3), (3, 4)]
            .map(|(first, last)| (Some(Day(monday.0 + first)), Some(Day(monday.0 + last)))),
    );
    let mut store = ledger.store();
    let mut fewer = 0;
    for feature in ["solver", "m*", "{solver,mesher}", "nothing", "*"] {
        for (from, until) in &periods {
            let glob = globset::Glob::new(feature).unwrap().compile_matcher();
            let scope = Scope { from: *from, until: *until, feature: Some(glob), ..Scope::default() };
            let (all, with_all) = store
                .read(|reader| Ok((reader.names().holders.len(), reports(reader, &calendar, &scope)?)))
                .unwrap();
            // A connection of its own: who has read all names keeps them.
            let (some, with_some) = ledger
                .store()
                .read_for(&scope, |reader| {
                    Ok((reader.names().holders.len(), reports(reader, &calendar, &scope)?))
                })
                .unwrap();
            assert_eq!(with_some, with_all, "{when}: {feature}, {from:?} to {until:?}");
            fewer += usize::from(some < all);
        }
    }
    fewer
}

pub(crate) fn names_of_a_scope_are_enough_for_its_reports(ledger: &mut Ledger) {
    let said = said();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    let mut fewer = 0;
    // After each commit some days are stored, some dirty, some of open sessions.
    for (nth, part) in said.chunks(31).enumerate() {
        let batch = process.batch(0, part, &mut spans);
        process.commit(&mut ledger.store(), "log", nth as u64 + 1, &[batch]).unwrap();
        fewer += asked_with_fewer(ledger, &format!("after commit {nth}"));
        ledger.derive();
        fewer += asked_with_fewer(ledger, &format!("derived after commit {nth}"));
    }
    // Who reaches into days that are dirty stands in the page of a day long before them.
    let late = [at(26.0, "x", Out("mesher", "hana", 1)), at(90.0, "x", In("mesher", "hana", 1))];
    ledger.process().read(&mut ledger.store(), "late", &late);
    // What is still stored of dirty days is nobody's to rely on.
    ledger.sql(
        "delete from feature_day_page where exists (select 1 from feature_day_mark m
         where m.feature_id = feature_day_page.feature_id and m.day = feature_day_page.day)",
    );
    fewer += asked_with_fewer(ledger, "after late lines");
    assert!(fewer > 50, "{fewer}");
}

/// `usage` of seat time alone, and what the whole report says of it.
fn seat_time(ledger: &Ledger, scope: &Scope, by: &[Key]) -> [Report; 2] {
    let calendar = ledger.store().calendar().unwrap();
    [true, false].map(|time_alone| {
        let make = |names: &_, reader: &mut Reader<'_>| {
            let options = || usage::Options { by: by.to_vec(), time_alone };
            let make = || Usage::new(names, &calendar, scope.clone(), options());
            Ok(Box::new(reader.fold_shared(scope.from, scope.until, make)?).finish())
        };
        let mut report = ledger.store().read_for(scope, |reader| make(&reader.names(), reader)).unwrap();
        report.rows.retain(|row| row[by.len()] != Cell::Decimal(0.0));
        let columns: Vec<_> =
            by.iter().map(|key| key.name()).chain(["usage_minutes", "seat_seconds"]).collect();
        report.keep(&columns).unwrap();
        report
    })
}

fn seat_time_is_that_of_all_sessions(ledger: &Ledger, when: &str) {
    let monday = Day((MONDAY / 86_400_000) as i32);
    let (second, fourth) = (Some(Day(monday.0 + 1)), Some(Day(monday.0 + 3)));
    for (by, class, (from, until)) in [
        (&[Key::Feature, Key::Month, Key::TimeClass][..], None, (None, None)),
        (&[Key::Day, Key::TimeClass], Some(1), (None, None)),
        (&[Key::Day], None, (second, fourth)),
        (&[Key::Week, Key::Feature], Some(2), (second, None)),
    ] {
        let scope = Scope { from, until, class, ..Scope::default() };
        let [alone, whole] = seat_time(ledger, &scope, by);
        assert_eq!(alone, whole, "{when}: {by:?}, {class:?}, {from:?} to {until:?}");
        assert!(!when.ends_with("last") || !alone.rows.is_empty(), "{by:?}, {class:?}");
    }
}

pub(crate) fn seat_time_alone_is_a_figure(ledger: &mut Ledger) {
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    for (nth, part) in said().chunks(31).enumerate() {
        let batch = process.batch(0, part, &mut spans);
        process.commit(&mut ledger.store(), "log", nth as u64 + 1, &[batch]).unwrap();
        seat_time_is_that_of_all_sessions(ledger, &format!("after commit {nth}"));
        ledger.derive();
        seat_time_is_that_of_all_sessions(ledger, &format!("derived after commit {nth}"));
    }
    let late = [at(26.0, "x", Out("mesher", "hana", 1)), at(90.0, "x", In("mesher", "hana", 1))];
    ledger.process().read(&mut ledger.store(), "late", &late);
    seat_time_is_that_of_all_sessions(ledger, "late lines last");
    // Of days that nothing marks the figures are believed, and no sessions read.
    ledger.derive();
    ledger.sql("update feature_day set seat_ms = '{\"prime\":60000}'");
    let [alone, whole] = seat_time(ledger, &Scope::default(), &[Key::Feature, Key::Day, Key::TimeClass]);
    let believed = |report: &Report| report.rows.iter().filter(|row| row[3] == Cell::Decimal(1.0)).count();
    assert_eq!((believed(&alone) > 4, believed(&whole)), (true, 0));
}

pub(crate) fn what_polls_saw_last_does_not_go_on_with_a_log(ledger: &mut Ledger) {
    let shown = [("amara", 6, 1)];
    polls::read(ledger, "polls", &[poll(8, &shown), poll(10, &shown)]);
    let mut log = vec![at(12.0, "v", Out("solver", "bela", 1)), at(13.0, "v", In("solver", "bela", 1))];
    log.extend((14..37).map(|hour| at(f64::from(hour), "v", Lives)));
    ledger.process().read(&mut ledger.store(), "log", &log);
    for derived in ["as read", "derived"] {
        seat_time_is_that_of_all_sessions(ledger, derived);
        let [alone, whole] = seat_time(ledger, &Scope::default(), &[Key::Feature]);
        // Four hours of hers, and one of his.
        assert_eq!((&alone.rows[0][1], &alone), (&Cell::Decimal(300.0), &whole), "{derived}");
        ledger.derive();
    }
}
