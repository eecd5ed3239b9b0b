//! Days that commits store themselves are those that would have been derived.

use crate::ledger::Ledger;
use crate::log::{self, Said, What, at};
use crate::polls::poll;
use accounting::calendar::Calendar;
use std::sync::atomic::{AtomicBool, Ordering};

/// Nothing differs from what the sessions say; when all is derived, deriving it once more gives the same bytes.
#[track_caller]
pub(crate) fn is_as_derived(ledger: &Ledger, when: &str) {
    assert_eq!(ledger.verify().difference, None, "{when}");
    ledger.balances();
    let stored = |ledger: &Ledger| {
        let mut rows = ledger.rows();
        rows.extend(
            ledger.query("select feature_id, day, part, page from feature_day_page order by 1, 2, 3"),
        );
        rows.extend(ledger.query("select feature_id, day, state from feature_day_mark order by 1, 2, 3"));
        rows
    };
    let before = stored(ledger);
    ledger.store().rebuild().unwrap();
    ledger.balances();
    assert_eq!(stored(ledger), before, "{when}");
}

/// Five days of two daemons: sessions over midnight, one that lasts for days, restarts, denials.
fn five_days() -> Vec<Said> {
    use What::{Denied, In, Lives, Out, Starts};
    let mut said = vec![at(1.0, "v", Starts), at(1.5, "w", Starts), at(2.0, "v", Out("mesher", "dana", 2))];
    for day in 0..5 {
        let hour = f64::from(day) * 24.0;
        said.extend([
            at(hour + 8.0, "v", Out("solver", "amara", 1)),
            at(hour + 9.0, "v", Out("solver", "bela", 2)),
            at(hour + 9.5, "w", Out("cad", "chidi", 1)),
            at(hour + 10.0, "v", Denied("solver", "dana")),
            at(hour + 12.0, "v", In("solver", "amara", 1)),
            at(hour + 13.0, "w", In("cad", "chidi", 1)),
            at(hour + 23.5, "w", Out("cad", "amara", 1)),
            at(hour + 24.2, "v", In("solver", "bela", 1)),
            at(hour + 24.5, "w", In("cad", "amara", 1)),
            at(hour + 25.0, "v", In("solver", "bela", 1)),
        ]);
        if day == 2 {
            said.push(at(hour + 26.0, "v", Starts));
        }
    }
    said.push(at(150.0, "v", Lives));
    said.push(at(151.0, "w", Lives));
    said
}

fn complete_days(ledger: &Ledger) -> usize {
    ledger.query("select feature_id, day from feature_day").len()
}

pub(crate) fn complete_days_are_as_derived_however_the_commits_fall(ledger: &mut Ledger) {
    for together in [1, 2, 5, 11, 100] {
        let said = five_days();
        let parts: Vec<&[Said]> = said.chunks(together).collect();
        let mut process = ledger.process();
        process.read_parts(&mut ledger.store(), "five", &parts);
        assert!(complete_days(ledger) >= 8, "{together} together: {}", complete_days(ledger));
        is_as_derived(ledger, &format!("{together} together"));
        let input = process.intake.input().and_then(|input| input.id).unwrap();
        process.intake.take_out(&mut ledger.store(), input).unwrap();
        ledger.balances();
        assert_eq!(complete_days(ledger), 0, "nothing is left of it");
    }
}

pub(crate) fn each_commit_leaves_days_that_agree_with_their_sessions(ledger: &mut Ledger) {
    let said = five_days();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    for (nth, part) in said.chunks(3).enumerate() {
        let batch = process.batch(0, part, &mut spans);
        process.commit(&mut ledger.store(), "five", nth as u64 + 1, &[batch]).unwrap();
        assert_eq!(ledger.verify().difference, None, "after commit {nth}");
    }
    is_as_derived(ledger, "at the end");
}

pub(crate) fn days_that_another_process_touches_are_let_go(ledger: &mut Ledger) {
    let said = five_days();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    for (nth, part) in said.chunks(12).enumerate() {
        let batch = process.batch(0, part, &mut spans);
        process.commit(&mut ledger.store(), "five", nth as u64 + 1, &[batch]).unwrap();
        let from = (part[part.len() - 1].at - log::MONDAY) as f64 / log::HOUR as f64;
        match nth {
            // Another license server's daemon uses a feature on a day that is not over.
            0 => {
                let more = [
                    at(from - 2.0, "x", What::Out("solver", "elif", 1)),
                    at(from + 9.0, "x", What::In("solver", "elif", 1)),
                    at(from + 48.0, "x", What::Lives),
                ];
                ledger.process().read(&mut ledger.store(), "other", &more);
            }
            // Somebody derives what is marked so far.
            1 => ledger.derive(),
            // Somebody puts another calendar in force.
            2 => {
                let calendar = accounting::calendar::Calendar::standard("Asia/Kolkata").unwrap();
                assert!(ledger.store().set_calendar(&calendar).unwrap());
            }
            _ => {}
        }
        assert_eq!(ledger.verify().difference, None, "after commit {nth}");
    }
    is_as_derived(ledger, "at the end");
}

pub(crate) fn late_lines_find_held_days_again(ledger: &mut Ledger) {
    let said = five_days();
    let mut process = ledger.process();
    let (early, late) = said.split_at(25);
    process.read(&mut ledger.store(), "early", early);
    let between =
        [at(30.2, "v", What::Out("solver", "faro", 1)), at(30.4, "v", What::In("solver", "faro", 1))];
    process.read(&mut ledger.store(), "between", &between);
    assert_eq!(ledger.verify().difference, None);
    process.read(&mut ledger.store(), "late", late);
    is_as_derived(ledger, "at the end");
}

pub(crate) fn beside_others_who_store_days_nothing_is_held(ledger: &mut Ledger) {
    let said = five_days();
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    for (nth, part) in said.chunks(12).enumerate() {
        let mut store = ledger.store();
        let others = if matches!(nth, 1 | 2) { ledger.storing_days() } else { None };
        let before = complete_days(ledger);
        let batch = process.batch(0, part, &mut spans);
        process.commit(&mut store, "five", nth as u64 + 1, &[batch]).unwrap();
        if others.is_some() {
            assert_eq!(complete_days(ledger), before, "commit {nth}");
        }
        assert_eq!(ledger.verify().difference, None, "after commit {nth}");
    }
    is_as_derived(ledger, "at the end");
}

pub(crate) fn deriving_all_the_while_loses_nothing(ledger: &mut Ledger) {
    let (said, done) = (five_days(), AtomicBool::new(false));
    let mut process = ledger.process();
    process.intake.begin(None);
    let mut spans = std::collections::BTreeMap::new();
    let mut store = ledger.store();
    let committed = std::thread::scope(|scope| {
        let deriving = scope.spawn(|| {
            let mut store = ledger.store();
            while !done.load(Ordering::Relaxed) {
                store.derive(&mut |_, _| {})?;
            }
            Ok::<_, store::Error>(())
        });
        let committed = said.iter().enumerate().try_for_each(|(nth, line)| {
            let batch = process.batch(0, std::slice::from_ref(line), &mut spans);
            process.commit(&mut store, "five", nth as u64 + 1, &[batch])
        });
        done.store(true, Ordering::Relaxed);
        deriving.join().unwrap().unwrap();
        committed
    });
    committed.unwrap();
    // Days may stay unsettled that a commit has settled while they were derived: they are computed when read.
    ledger.balances();
}

pub(crate) fn what_comes_when_deriving_has_begun_is_derived_with_its_evidence(ledger: &mut Ledger) {
    let first = [at(8.0, "v", What::Out("solver", "amara", 1)), at(9.0, "v", What::In("solver", "amara", 1))];
    // Somebody whom nobody knew, open over two midnights.
    let more = [at(10.0, "v", What::Out("solver", "bela", 1)), at(60.0, "v", What::Lives)];
    ledger.process().read(&mut ledger.store(), "first", &first);
    let (mut store, mut waiting) = (ledger.store(), Some(more));
    store.rebuild().unwrap();
    store
        .derive(&mut |_, _| {
            if let Some(more) = waiting.take() {
                ledger.process().read(&mut ledger.store(), "more", &more);
            }
        })
        .unwrap();
    assert!(waiting.is_none(), "there was something to derive");
    is_as_derived(ledger, "with what came meanwhile");
}

pub(crate) fn whoever_changes_what_days_are_made_of_waits_for_who_stores_them(ledger: &mut Ledger) {
    let first =
        [at(8.0, "v", What::Out("solver", "amara", 1)), at(60.0, "v", What::In("solver", "amara", 1))];
    ledger.process().read(&mut ledger.store(), "first", &first);
    ledger.balances();
    let polled = [poll(70, &[("bela", 65, 1)])];
    let changes: [(&str, &(dyn Fn() + Sync)); 5] = [
        ("rebuild", &|| ledger.store().rebuild().unwrap()),
        ("calendar", &|| {
            let tokyo = Calendar::standard("Asia/Tokyo").unwrap();
            assert!(ledger.store().set_calendar(&tokyo).unwrap());
        }),
        ("directory", &|| assert_eq!(ledger.store().import_directory(&[]).unwrap().added, 0)),
        ("seats", &|| crate::polls::read(ledger, "polls", &polled)),
        ("retention", &|| assert!(ledger.store().remove_facts_before("2025-03-04".parse().unwrap()).is_ok())),
    ];
    for (what, change) in changes {
        // Nobody stores days beside whoever writes a SQLite file.
        let Some(storing) = ledger.storing_days() else {
            change();
            ledger.balances();
            continue;
        };
        std::thread::scope(|threads| {
            let changing = threads.spawn(change);
            while !ledger.somebody_waits() {
                assert!(!changing.is_finished(), "{what} went on beside somebody who stores days");
            }
            drop(storing);
        });
        ledger.balances();
    }
}
