//! Polls: what they show is there until they no longer show it, and yields to a log.

use crate::ledger::Ledger;
use crate::log::What::{In, Lives, Out};
use crate::log::{HOUR, MONDAY, Process, at};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::Expires;
use accounting::session::Ended;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::collections::BTreeMap;
use store::intake::{Batch, ExpiryEvent, PollEvent, SeatsEvent, ShownEvent, Span, TotalEvent, UsedEvent};

/// A poll of one daemon at an hour of the week; none where it failed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Poll {
    pub(crate) hour: i64,
    pub(crate) shown: Option<Vec<Hold>>,
}

/// User, the hour since when, seats.
pub(crate) type Hold = (&'static str, i64, u32);

pub(crate) fn poll(hour: i64, shown: &[Hold]) -> Poll {
    Poll { hour, shown: Some(shown.to_vec()) }
}

pub(crate) fn failed(hour: i64) -> Poll {
    Poll { hour, shown: None }
}

pub(crate) fn instant(hour: i64) -> UnixMs {
    MONDAY + hour * HOUR
}

/// The batch of an input that holds these polls, as a reader makes it.
pub(crate) fn batch(process: &mut Process, polls: &[Poll]) -> Batch {
    let daemon = process.daemon("v");
    let feature = process.interner.feature("solver");
    let mut batch = Batch { handles: vec!["7".into()], ..Batch::default() };
    let mut span: Option<Span> = None;
    for Poll { hour, shown } in polls {
        let at = instant(*hour);
        batch.polls.push(PollEvent { daemon, at, answered: shown.is_some() });
        if shown.is_none() {
            batch.spans.extend(span.take());
            continue;
        }
        let new =
            Span { daemon, run: 0, from: at, until: at, begins_run: !batch.spans.is_empty(), polled: true };
        span.get_or_insert(new).until = at;
        for (user, since, seats) in shown.iter().flatten() {
            let holder = process.interner.holder(daemon, user, "ws", ":0", "");
            let since = instant(*since);
            batch.shown.push(ShownEvent { feature, holder, handle: 1, at, since, seats: *seats, version: 0 });
        }
        let issued = Some(Some(5 + hour / 20));
        batch.seats.push(SeatsEvent { feature, daemon, at, issued, ..SeatsEvent::default() });
    }
    batch.spans.extend(span);
    batch.names = process.interner.news();
    batch
}

pub(crate) fn read(ledger: &Ledger, name: &str, polls: &[Poll]) {
    let mut process = Process::default();
    let batch = batch(&mut process, polls);
    process.intake.begin(None);
    process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
}

/// User, from, until, ended and uncertainty of what counts, in hours.
pub(crate) fn sessions(ledger: &Ledger) -> Vec<String> {
    let mut lines = Vec::new();
    ledger
        .store()
        .read(|reader| {
            let names = reader.names();
            let mut features: Vec<_> = names.features.keys().copied().collect();
            features.sort_unstable();
            for feature in features {
                reader.sessions(feature, (UnixMs::MIN, UnixMs::MAX), false, &mut |row| {
                    let hours = |at: UnixMs| (at - MONDAY) as f64 / HOUR as f64;
                    lines.push(format!(
                        "{} {}..{} {}{}",
                        names.holders[&row.part.holder].user,
                        hours(row.part.from),
                        hours(row.part.until),
                        row.part.ended.as_str(),
                        row.uncertainty_ms.map_or(String::new(), |ms| format!(" ±{}", ms / HOUR)),
                    ));
                    Ok(())
                })?;
            }
            Ok(())
        })
        .unwrap();
    lines
}

pub(crate) fn a_hold_ends_at_the_first_poll_that_does_not_show_it(ledger: &mut Ledger) {
    let amara = ("amara", -30, 1);
    read(ledger, "a", &[poll(8, &[amara, ("bela", 7, 2)]), poll(9, &[amara]), poll(12, &[amara])]);
    assert_eq!(sessions(ledger), ["amara -30..12 open", "bela 7..9 gone_from_snapshot ±1"]);
    read(ledger, "b", &[poll(13, &[amara, ("bela", 7, 2)])]);
    assert_eq!(sessions(ledger), ["amara -30..13 open", "bela 7..13 open"]);
    read(ledger, "c", &[poll(14, &[])]);
    let ended = ["amara -30..14 gone_from_snapshot ±1", "bela 7..14 gone_from_snapshot ±1"];
    assert_eq!(sessions(ledger), ended);
    ledger.balances();
}

pub(crate) fn failed_polls_end_nothing_and_bound_what_nobody_saw(ledger: &mut Ledger) {
    let amara = ("amara", 6, 1);
    read(ledger, "a", &[poll(8, &[amara]), failed(9), failed(10)]);
    assert_eq!(sessions(ledger), ["amara 6..8 open"]);
    read(ledger, "b", &[poll(11, &[])]);
    assert_eq!(sessions(ledger), ["amara 6..9 gone_from_snapshot ±1"]);
    read(ledger, "c", &[poll(8, &[amara]), failed(9), failed(10), poll(11, &[amara])]);
    assert_eq!(sessions(ledger), ["amara 6..11 open"]);
    ledger.balances();
}

pub(crate) fn polls_far_apart_leave_a_gap(ledger: &mut Ledger) {
    let hourly: Vec<Poll> = (0..24).map(|hour| poll(hour, &[])).collect();
    read(ledger, "a", &hourly);
    read(ledger, "b", &[poll(40, &[]), poll(41, &[])]);
    let watched =
        ledger.store().read(|reader| Ok(reader.names().servers.values().next().unwrap().watched.clone()));
    assert_eq!(watched.unwrap(), [(instant(0), instant(23)), (instant(40), instant(41))]);
    read(ledger, "c", &[poll(31, &[])]);
    let rows = ledger.store().read(|reader| Ok(reader.coverage()?.len()));
    assert_eq!(rows.unwrap(), 3);
    read(ledger, "d", &[poll(400, &[])]);
    read(ledger, "e", &[poll(800, &[])]);
    let rare =
        ledger.store().read(|reader| Ok(reader.names().servers.values().next().unwrap().watched.len()));
    assert_eq!(rare.unwrap(), 5, "however long nobody polled, it is polled hourly");
}

pub(crate) fn holds_that_one_poll_shows_alike_are_several(ledger: &mut Ledger) {
    let amara = ("amara", 6, 1);
    read(ledger, "a", &[poll(8, &[amara, amara]), poll(9, &[amara])]);
    let mut both = sessions(ledger);
    both.sort();
    assert_eq!(both, ["amara 6..9 gone_from_snapshot ±1", "amara 6..9 open"]);
}

pub(crate) fn where_a_log_covers_its_sessions_count(ledger: &mut Ledger) {
    let polls = [poll(8, &[("amara", 6, 1)]), poll(20, &[("amara", 6, 1), ("bela", 12, 1)]), poll(24, &[])];
    let log = [
        at(10.0, "v", Lives),
        at(11.0, "v", Out("solver", "chidi", 1)),
        at(14.0, "v", In("solver", "chidi", 1)),
    ];
    let mut other = Ledger::sqlite();
    for (first, ledger) in [(true, &mut *ledger), (false, &mut other)] {
        if first {
            read(ledger, "a", &polls);
            ledger.derive();
        }
        Process::default().read(&mut ledger.store(), "log", &log);
        if !first {
            read(ledger, "a", &polls);
        }
        let mut counted = sessions(ledger);
        counted.sort();
        let expected = [
            "amara 14..24 gone_from_snapshot ±4",
            "amara 6..10 gone_from_snapshot ±0",
            "bela 14..24 gone_from_snapshot ±4",
            "chidi 11..14 checkin",
        ];
        assert_eq!(counted, expected);
        ledger.balances();
    }
    assert_eq!(ledger.books(), other.books());
}

pub(crate) fn polls_beside_a_log_are_compared_with_it(ledger: &mut Ledger) {
    let log = [
        at(7.0, "v", Lives),
        at(8.0, "v", Out("solver", "amara", 2)),
        at(8.0 + 1.0 / 120.0, "v", Out("solver", "bela", 1)),
        at(12.0, "v", In("solver", "amara", 2)),
        at(20.0, "v", Lives),
    ];
    Process::default().read(&mut ledger.store(), "log", &log);
    // In the minute in which bela comes both figures are right; at 10 the poll misses her, at 30 there is no log.
    let polls = [
        poll(8, &[("amara", 8, 2)]),
        poll(10, &[("amara", 8, 2)]),
        poll(13, &[("bela", 11, 1)]),
        poll(30, &[]),
    ];
    read(ledger, "polls", &polls);
    let reconciled = ledger
        .store()
        .read(|reader| {
            let all = reader.reconciled()?;
            Ok(all)
        })
        .unwrap();
    let [of_server] = &reconciled[..] else { panic!("{reconciled:?}") };
    assert_eq!((of_server.polls, of_server.compared, of_server.equal), (3, 3, 2));
    let worst = of_server.worst.unwrap();
    assert_eq!((worst.at, worst.polled, worst.logged), (instant(10), 2, 3));
}

pub(crate) fn polls_taken_out_are_as_if_never_read(ledger: &mut Ledger) {
    let (first, second) = ([poll(8, &[("amara", 6, 1)])], [poll(9, &[("bela", 9, 1)]), poll(10, &[])]);
    read(ledger, "a", &first);
    let before = sessions(ledger);
    read(ledger, "b", &second);
    assert_eq!(sessions(ledger), ["amara 6..9 gone_from_snapshot ±1", "bela 9..10 gone_from_snapshot ±1"]);
    let id = ledger.query("select input_id from input where name = 'b'")[0].parse().unwrap();
    Process::default().intake.take_out(&mut ledger.store(), id).unwrap();
    assert_eq!(sessions(ledger), before);
    ledger.balances();
}

pub(crate) fn days_between_logs_change_with_what_they_cover(ledger: &mut Ledger) {
    let log = |hour: f64| [at(hour, "v", Lives), at(hour + 10.0, "v", Lives)];
    Process::default().read(&mut ledger.store(), "monday", &log(2.0));
    read(ledger, "tuesday", &[poll(30, &[("amara", 29, 1)]), poll(40, &[]), poll(49, &[])]);
    ledger.balances();
    Process::default().read(&mut ledger.store(), "wednesday", &log(50.0));
    assert_eq!(sessions(ledger), Vec::<String>::new(), "rotated logs cover the day between them");
    ledger.balances();
    let id = ledger.query("select input_id from input where name = 'wednesday'")[0].parse().unwrap();
    Process::default().intake.take_out(&mut ledger.store(), id).unwrap();
    assert_eq!(sessions(ledger), ["amara 29..40 gone_from_snapshot ±10"]);
    ledger.balances();
}

pub(crate) fn a_hold_given_out_later_than_it_was_polled_held_nothing(ledger: &mut Ledger) {
    read(ledger, "a", &[poll(8, &[("amara", 12, 1)]), poll(9, &[])]);
    assert_eq!(sessions(ledger), ["amara 12..12 gone_from_snapshot ±4"]);
    ledger.balances();
}

pub(crate) fn seats_told_of_the_whole_server_replace_those_of_its_daemons(ledger: &mut Ledger) {
    let mut process = Process::default();
    for (name, hour, vendor, issued) in [("a", 8, "", 5), ("b", 9, "v", 6), ("c", 10, "", 5)] {
        let daemon = process.daemon(vendor);
        let feature = process.interner.feature("solver");
        let at = instant(hour);
        let seats = SeatsEvent { feature, daemon, at, issued: Some(Some(issued)), ..SeatsEvent::default() };
        let polls = vec![PollEvent { daemon, at, answered: true }];
        let mut batch = Batch { seats: vec![seats], polls, ..Batch::default() };
        batch.names = process.interner.news();
        process.intake.begin(None);
        process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
    }
    let issued = ledger.store().read(|reader| {
        let names = reader.names();
        let steps = names.capacity.values().next().unwrap().clone();
        Ok([8, 9, 10].map(|hour| steps.at(instant(hour))))
    });
    assert_eq!(issued.unwrap(), [Some(5), Some(6), Some(5)]);
}

pub(crate) fn polls_taken_out_leave_what_later_ones_showed(ledger: &mut Ledger) {
    let amara = ("amara", 6, 1);
    read(ledger, "a", &[poll(8, &[amara]), poll(9, &[amara])]);
    read(ledger, "b", &[poll(10, &[amara]), poll(12, &[amara]), poll(13, &[])]);
    let take_out = |ledger: &Ledger, name: &str| {
        let id =
            ledger.query(&format!("select input_id from input where name = '{name}'"))[0].parse().unwrap();
        Process::default().intake.take_out(&mut ledger.store(), id).unwrap();
        ledger.balances();
    };
    take_out(ledger, "a");
    assert_eq!(sessions(ledger), ["amara 6..13 gone_from_snapshot ±1"]);
    read(ledger, "a", &[poll(8, &[amara]), poll(9, &[amara])]);
    // Each is read anew at once, as `--replace` does.
    take_out(ledger, "b");
    read(ledger, "b", &[poll(10, &[amara]), poll(12, &[amara]), poll(13, &[])]);
    assert_eq!(sessions(ledger), ["amara 6..13 gone_from_snapshot ±1"]);
    take_out(ledger, "b");
    take_out(ledger, "a");
    assert_eq!(sessions(ledger), Vec::<String>::new());
    read(ledger, "a", &[poll(8, &[amara]), poll(9, &[amara])]);
    read(ledger, "b", &[poll(10, &[amara]), poll(12, &[amara]), poll(13, &[])]);
    take_out(ledger, "b");
    assert_eq!(sessions(ledger), ["amara 6..9 open"]);
}

pub(crate) fn finished_uses_are_known_by_their_start(ledger: &mut Ledger) {
    let mut process = Process::default();
    for (name, until) in [("a", 10), ("b", 9)] {
        let daemon = process.daemon("");
        let feature = process.interner.feature("app1");
        let holder = process.interner.holder(daemon, "fiore", "wks12", "", "");
        let (from, until) = (instant(8), instant(until));
        let used =
            UsedEvent { feature, holder, handle: 1, from, until, awaited_until: None, seats: 1, version: 0 };
        let mut batch = Batch { used: vec![used], handles: vec!["599".into()], ..Batch::default() };
        batch.names = process.interner.news();
        process.intake.begin(None);
        process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
    }
    assert_eq!(sessions(ledger), ["fiore 8..10 checkin"]);
    ledger.balances();
}

pub(crate) fn capacity_expiry_and_totals_are_told_as_last_heard(ledger: &mut Ledger) {
    read(ledger, "later", &[poll(24, &[("amara", 6, 1)]), poll(48, &[])]);
    ledger.derive();
    read(ledger, "earlier", &[poll(8, &[])]);
    let mut process = Process::default();
    for (name, told, seats) in [("x", 30, 3), ("y", 20, 4)] {
        let (daemon, feature) = (process.daemon("v"), process.interner.feature("solver"));
        let version = process.interner.version(Some("2.0"));
        let expires = Expires::On("2025-12-31".parse::<Day>().unwrap());
        let expiry = ExpiryEvent { daemon, feature, version, at: instant(told), seats: Some(seats), expires };
        let day = "2025-03-03".parse().unwrap();
        let total = TotalEvent { organization: 7, day, feature, version, minutes: seats * 10 };
        let mut batch = Batch { expiries: vec![expiry, expiry], totals: vec![total], ..Batch::default() };
        batch.names = process.interner.news();
        process.intake.begin(None);
        process.commit(&mut ledger.store(), name, 1, &[batch]).unwrap();
    }
    let (issued, expiries, totals) = ledger
        .store()
        .read(|reader| {
            let names = reader.names();
            let steps = names.capacity.values().next().unwrap().clone();
            Ok((
                [7, 8, 24, 47, 48].map(|hour| steps.at(instant(hour))),
                names.expiries.clone(),
                names.totals.clone(),
            ))
        })
        .unwrap();
    assert_eq!(issued, [None, Some(5), Some(6), Some(6), Some(7)]);
    assert_eq!(
        expiries.iter().map(|expiry| (expiry.seats, expiry.told_at)).collect::<Vec<_>>(),
        [(Some(6), instant(30))]
    );
    assert_eq!(
        totals.iter().map(|total| (total.organization.as_str(), total.minutes)).collect::<Vec<_>>(),
        [("7", 40)]
    );
    ledger.balances();
}

/// What polls of all inputs come to, said naively: walk over the hours.
fn expected(polls: &[Poll]) -> BTreeMap<Hold, (Option<i64>, Ended)> {
    let mut by_hour: BTreeMap<i64, Option<Vec<Hold>>> = BTreeMap::new();
    for poll in polls {
        by_hour.insert(poll.hour, poll.shown.clone());
    }
    let mut holds: BTreeMap<Hold, (Option<i64>, Ended)> = BTreeMap::new();
    for hold in polls.iter().flat_map(|poll| poll.shown.iter().flatten()) {
        let last =
            by_hour.iter().rev().find(|(_, shown)| shown.as_ref().is_some_and(|shown| shown.contains(hold)));
        let after: Vec<_> = by_hour.range(last.unwrap().0 + 1..).collect();
        let ended = after.iter().any(|(_, shown)| shown.is_some());
        let until = ended.then(|| *after[0].0);
        holds.insert(*hold, (until, if ended { Ended::GoneFromSnapshot } else { Ended::Open }));
    }
    holds
}

pub(crate) fn polls_in_any_order_and_any_inputs_give_the_same_books(ledger: &mut Ledger) {
    const HOLDS: [Hold; 4] = [("amara", 1, 1), ("bela", 3, 2), ("chidi", 26, 1), ("dana", 28, 3)];
    let shown = prop::option::weighted(0.8, prop::sample::subsequence(&HOLDS[..], 0..4));
    let case = (prop::collection::vec((shown, 0..3_usize), 1..12), any::<bool>());
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let (ledger, round) = (&*ledger, Cell::new(0));
    drop(ledger.store());
    let run = runner.run(&case, |(polls, backwards)| {
        let polls: Vec<(Poll, usize)> = (0..)
            .zip(polls)
            .map(|(nth, (shown, input))| {
                let hour = 5 + nth * 5;
                let shown = shown.map(|shown| shown.into_iter().filter(|hold| hold.1 <= hour).collect());
                (Poll { hour, shown }, input)
            })
            .collect();
        for table in [
            "session_by_key",
            "poll",
            "polled",
            "span",
            "capacity",
            "seats_now",
            "feature_day",
            "feature_day_page",
            "feature_day_mark",
            "input",
        ] {
            ledger.sql(&format!("delete from {table}"));
        }
        let mut inputs = [0, 1, 2];
        if backwards {
            inputs.reverse();
        }
        for input in inputs {
            let of_input: Vec<Poll> =
                polls.iter().filter(|(_, of)| *of == input).map(|(poll, _)| poll.clone()).collect();
            if !of_input.is_empty() {
                read(ledger, &format!("{} {input}", round.get()), &of_input);
                ledger.balances();
            }
        }
        round.set(round.get() + 1);
        let all: Vec<Poll> = polls.into_iter().map(|(poll, _)| poll).collect();
        let rows = ledger.query(
            "select h.user_name, s.from_at, s.seats, s.until_at, s.ended from session s
             join holder h on h.holder_id = s.holder_id order by h.user_name, s.from_at",
        );
        let wanted = expected(&all).into_iter().map(|((user, since, seats), (until, ended))| {
            let until = until.map_or("-".to_owned(), |until| instant(until).to_string());
            format!("{user}|{}|{seats}|{until}|{}", instant(since), ended.code())
        });
        prop_assert_eq!(rows, wanted.collect::<Vec<_>>());
        Ok(())
    });
    run.unwrap();
}

/// The instants of the polls of `v`, as its rows tell them: how many, from and until in hours, the steps.
fn stretches(ledger: &Ledger) -> Vec<String> {
    let rows =
        ledger.query("select answered, polls, from_at, until_at, steps from poll order by from_at, input_id");
    let hour = |text: &str| (text.parse::<UnixMs>().unwrap() - MONDAY) / HOUR;
    let row = |row: &String| {
        let cells: Vec<&str> = row.split('|').collect();
        format!("{} {} {}..{} {}", cells[0], cells[1], hour(cells[2]), hour(cells[3]), cells[4])
    };
    rows.iter().map(row).collect()
}

/// Reads polls as a service does: one commit each, of one input.
fn read_live(ledger: &Ledger, name: &str, polls: &[Poll]) {
    let mut process = Process::default();
    process.intake.begin(None);
    for (position, poll) in (1..).zip(polls) {
        let batch = batch(&mut process, std::slice::from_ref(poll));
        process.commit(&mut ledger.store(), name, position, &[batch]).unwrap();
    }
}

pub(crate) fn polls_at_even_intervals_are_one_row_a_day(ledger: &mut Ledger) {
    let amara = ("amara", 1, 1);
    let mut polls: Vec<Poll> = (2..30).map(|hour| poll(hour, &[amara])).collect();
    polls.extend([failed(30), failed(31), poll(32, &[])]);
    read_live(ledger, "live", &polls);
    let rows = ["1 25 2..26 3600000*24", "1 3 27..29 3600000*2", "0 2 30..31 3600000", "1 1 32..32 "];
    assert_eq!(stretches(ledger), rows);
    assert_eq!(ledger.query("select answers from polled"), ["29"]);
    assert_eq!(sessions(ledger), ["amara 1..30 gone_from_snapshot ±1"]);
    // What comes late, from elsewhere, finds each poll where it was.
    read(ledger, "late", &[poll(11, &[("bela", 7, 1)])]);
    let ends = ["amara 1..30 gone_from_snapshot ±1", "bela 7..12 gone_from_snapshot ±1"];
    assert_eq!(sessions(ledger), ends);
    ledger.balances();
    let other = Ledger::sqlite();
    read(&other, "late", &[poll(11, &[("bela", 7, 1)])]);
    read(&other, "at once", &polls);
    assert_eq!(sessions(&other), ends);
    other.balances();
    let mut at_once = stretches(&other);
    at_once.retain(|row| row != "1 1 11..11 ");
    assert_eq!(at_once, rows, "one commit or many");
    assert_eq!(other.books(), ledger.books());
}

pub(crate) fn polls_that_come_again_and_late_count_once(ledger: &mut Ledger) {
    let amara = ("amara", 201, 1);
    let of = |hours: std::ops::Range<i64>| -> Vec<Poll> {
        let shown = [amara];
        hours.map(|hour| poll(hour, if (201..205).contains(&hour) { &shown } else { &[] })).collect()
    };
    // Of one input: two days, what lies between them, and half of the second day again.
    let parts = [of(0..24), of(200..224), of(100..110), of(200..212)];
    let mut process = Process::default();
    process.intake.begin(None);
    for (position, part) in (1..).zip(&parts) {
        let batch = batch(&mut process, part);
        process.commit(&mut ledger.store(), "one input", position, &[batch]).unwrap();
    }
    let other = Ledger::sqlite();
    read(&other, "at once", &[of(0..24), of(100..110), of(200..224)].concat());
    let same = |ledger: &Ledger| {
        ledger.balances();
        assert_eq!(stretches(ledger), stretches(&other));
        assert_eq!(
            ledger.query("select answers, first_at, last_at from polled"),
            other.query("select answers, first_at, last_at from polled")
        );
        assert_eq!(sessions(ledger), ["amara 201..205 gone_from_snapshot ±1"]);
    };
    same(ledger);
    // Other inputs tell some of the same polls: nothing is known that was not, as how far apart they are.
    read(ledger, "another", &of(90..104));
    read(&other, "another", &of(90..100));
    let sums = |ledger: &Ledger| ledger.query("select answers, first_at, last_at from polled");
    assert_eq!(sums(ledger), sums(&other));
    read_live(ledger, "a third", &of(210..226));
    read_live(&other, "a third", &of(224..226));
    assert_eq!(sums(ledger), sums(&other));
    assert_eq!(ledger.books(), other.books());
}

pub(crate) fn polls_of_days_that_go_go(ledger: &mut Ledger) {
    let polls: Vec<Poll> = (0..60).map(|hour| poll(hour, &[])).collect();
    read_live(ledger, "live", &polls);
    assert_eq!(stretches(ledger).len(), 3);
    ledger.store().remove_facts_before("2025-03-05".parse().unwrap()).unwrap();
    let kept = ledger.query("select min(from_at), max(until_at), cast(sum(polls) as bigint) from poll");
    assert_eq!(ledger.query("select first_at, last_at, answers from polled"), kept);
    assert_eq!(stretches(ledger), ["1 25 25..49 3600000*24", "1 10 50..59 3600000*9"]);
    read_live(ledger, "again", &[poll(60, &[]), poll(61, &[])]);
    assert_eq!(stretches(ledger).len(), 3);
}

pub(crate) fn polls_of_an_older_schema_are_those_of_this_one(ledger: &mut Ledger) {
    let amara = ("amara", 6, 1);
    let polls = [poll(8, &[amara]), poll(9, &[amara]), failed(10), poll(11, &[amara]), poll(12, &[])];
    read(ledger, "a", &polls);
    let (books, polled) = (ledger.books(), ledger.query("select * from polled"));
    let input = &ledger.query("select input_id from poll")[0];
    let server = &ledger.query("select server_id from poll")[0];
    ledger.sql("drop table poll; drop table polled");
    ledger.sql(
        "create table poll (server_id bigint not null, vendor text not null, at bigint not null,
                            answered bigint not null, input_id bigint not null, primary key (server_id, vendor, at))",
    );
    for Poll { hour, shown } in &polls {
        let (at, answered) = (instant(*hour), i64::from(shown.is_some()));
        ledger.sql(&format!("insert into poll values ({server}, 'v', {at}, {answered}, {input})"));
    }
    ledger.sql(&include_str!("../../migrations/0011_poll_stretches.sql").replace("{clustered}", ""));
    assert_eq!((ledger.books(), ledger.query("select * from polled")), (books, polled));
    read(ledger, "b", &[poll(13, &[amara])]);
    assert_eq!(sessions(ledger), ["amara 6..13 open"]);
    ledger.balances();
}

pub(crate) fn seats_in_use_are_those_that_polls_showed_last_where_no_log_tells(ledger: &mut Ledger) {
    let both = [("amara", 6, 2), ("bela", 7, 1)];
    read(ledger, "polls", &[poll(8, &both), poll(9, &both), poll(12, &both[..1])]);
    let seats = |ledger: &Ledger| ledger.store().seats_in_use().unwrap()["solver"];
    assert_eq!(seats(ledger), 2);
    let log = [at(10.0, "v", Lives), at(11.0, "v", Out("solver", "chidi", 1)), at(14.0, "v", Lives)];
    Process::default().read(&mut ledger.store(), "log", &log);
    assert_eq!(seats(ledger), 1, "the log tells, and it does not tell of amara");
    read(ledger, "more polls", &[poll(15, &both)]);
    assert_eq!(seats(ledger), 4, "behind the log polls count again");
}
