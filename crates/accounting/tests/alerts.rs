//! Alerts: what a rule sees of a snapshot, and what becomes of what it sees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use accounting::UnixMs;
use accounting::alert::{
    Change, Condition, Denial, Episode, Figures, Fullness, Globs, Hold, Holds, Life, Observation, Phase,
    Rule, SeatsNow, Snapshot, SourceLife, State, Subject, Timing, is_quiet, judge, step,
};
use accounting::calendar::{Stretch, all_days};
use accounting::capacity::Steps;
use accounting::day::Day;
use accounting::event::{DenialReason, Expires};
use accounting::ledger::{Expiry, Feature, Holder, Names, Person, Server};
use globset::Glob;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
/// 2025-03-03 12:00 UTC, a Monday.
const NOON: UnixMs = 1_741_003_200_000;

static UTC: TimeZone = TimeZone::UTC;

const TIMING: Timing = Timing { hold_ms: 0, clear_ms: 0, repeat_ms: None, tells_cleared: true };

fn rule(condition: Condition) -> Rule {
    Rule {
        name: "rule".to_owned(),
        condition,
        features: Globs::default(),
        servers: Globs::default(),
        persons: Globs::default(),
        sources: Globs::default(),
        timing: TIMING,
        quiet: Vec::new(),
    }
}

fn globs(wanted: &[&str], unwanted: &[&str]) -> Globs {
    let of = |texts: &[&str]| texts.iter().map(|text| Glob::new(text).unwrap().compile_matcher()).collect();
    Globs { wanted: of(wanted), unwanted: of(unwanted) }
}

/// Feature 1 `solver` with 4 seats at server 1, feature 2 `mesher` with 2 seats at servers 1 and 2; holders 1 to 5 of
/// server 1 are persons 0 to 4, holder 6 is person 0 at server 2.
fn names() -> Names {
    let feature = |code: &str, servers: &[u32]| Feature {
        code: code.to_owned(),
        servers: servers.to_vec(),
        ..Feature::default()
    };
    let server = |name: &str| Server { name: name.to_owned(), watched: Vec::new() };
    let holder = |server: u32, person: u32| Holder {
        server,
        vendor: "acmed".into(),
        user: format!("user{person}"),
        host: format!("ws-{person}"),
        person,
        ..Holder::default()
    };
    let mut names = Names {
        features: [(1, feature("solver", &[1])), (2, feature("mesher", &[1, 2]))].into_iter().collect(),
        servers: [(1, server("27000@lic1")), (2, server("27000@lic2"))].into_iter().collect(),
        persons: Arc::new(
            (0..5).map(|nth| Person { name: format!("user{nth}"), memberships: Vec::new() }).collect(),
        ),
        ..Names::default()
    };
    Arc::make_mut(&mut names.holders).extend((1..=5).map(|id| (id, holder(1, id - 1))));
    Arc::make_mut(&mut names.holders).insert(6, holder(2, 0));
    for (feature, server, seats) in [(1, 1, 4), (2, 1, 1), (2, 2, 1)] {
        names.capacity.insert((feature, server), Steps::new(vec![(0, Some(seats))]));
    }
    names
}

fn life(server: u32, logged_at: UnixMs) -> Life {
    Life { server, logged_at: Some(logged_at), ..Life::default() }
}

fn snapshot(names: &Names) -> Snapshot<'_> {
    Snapshot {
        now: NOON,
        zone: &UTC,
        names,
        holds: Vec::new(),
        lives: vec![life(1, NOON), life(2, NOON)],
        seats_now: FxHashMap::default(),
        denials: Vec::new(),
        sources: Vec::new(),
    }
}

fn hold(feature: u32, holder: u32, seats: u32) -> Hold {
    Hold { feature, holder, from: NOON - HOUR, until: NOON, handle: String::new(), seats }
}

/// What is seen of the feature, of all license servers together.
#[track_caller]
fn of_feature(seen: &[Observation], feature: u32) -> &Observation {
    let subject = Subject::Feature { feature, server: None };
    seen.iter().find(|observation| observation.subject == subject).expect("something is seen of it")
}

fn full(fullness: Fullness) -> Rule {
    rule(Condition::Full { fullness, each_server: false })
}

const ALL: Fullness = Fullness::Percent { full: 100, clear: 75 };

#[test]
fn a_feature_is_full_where_all_its_seats_are_in_use_and_between_the_bounds_it_is_neither() {
    let names = names();
    for (in_use, holds) in [(4, Holds::Yes), (5, Holds::Yes), (3, Holds::Between), (2, Holds::No)] {
        let snapshot = Snapshot { holds: vec![hold(1, 1, in_use)], ..snapshot(&names) };
        let seen = judge(&full(ALL), &snapshot, &[]);
        let solver = of_feature(&seen, 1);
        assert_eq!((solver.holds, solver.at), (holds, NOON), "{in_use} of 4");
        assert_eq!((solver.figures["seats_in_use"], solver.figures["seats_issued"]), (i64::from(in_use), 4));
    }
    let free = Fullness::Free { full: 1, clear: 2 };
    let judged = [4, 3, 2, 1].map(|in_use| free.judge(in_use, 4));
    assert_eq!(judged, [Some(true), Some(true), None, Some(false)]);
}

#[test]
fn a_feature_of_two_servers_is_full_where_both_are() {
    let names = names();
    let one = Snapshot { holds: vec![hold(2, 1, 1)], ..snapshot(&names) };
    assert_eq!(of_feature(&judge(&full(ALL), &one, &[]), 2).holds, Holds::No);
    let both = Snapshot { holds: vec![hold(2, 1, 1), hold(2, 6, 1)], ..snapshot(&names) };
    assert_eq!(of_feature(&judge(&full(ALL), &both, &[]), 2).holds, Holds::Yes);
    // Each by itself, where that is wanted.
    let each = rule(Condition::Full { fullness: ALL, each_server: true });
    let seen = judge(&each, &one, &[]);
    let holds = |server| {
        let subject = Subject::Feature { feature: 2, server: Some(server) };
        seen.iter().find(|seen| seen.subject == subject).map(|seen| seen.holds)
    };
    assert_eq!((holds(1), holds(2)), (Some(Holds::Yes), Some(Holds::No)));
    // Of a server that a rule is not about nothing counts.
    let here = Rule { servers: globs(&["*lic1"], &[]), ..full(ALL) };
    assert_eq!(of_feature(&judge(&here, &one, &[]), 2).holds, Holds::Yes);
    // A server that nobody has seen alive for a week counts no more.
    let gone = Snapshot { lives: vec![life(1, NOON), life(2, NOON - 8 * 24 * HOUR)], ..one.clone() };
    assert_eq!(of_feature(&judge(&full(ALL), &gone, &[]), 2).holds, Holds::Yes);
}

#[test]
fn what_nobody_knows_is_neither_full_nor_free() {
    let names = names();
    let subject = Subject::Feature { feature: 1, server: None };
    let lives = [
        // Heard of two hours ago: what was full then raises nothing now.
        life(1, NOON - 2 * HOUR),
        // The last poll failed.
        Life {
            server: 1,
            answered_at: Some(NOON - MINUTE),
            failed: Some((NOON, NOON, 1)),
            ..Life::default()
        },
        // It has stopped.
        Life { stopped_at: Some(NOON), ..life(1, NOON) },
    ];
    for life in lives {
        let snapshot = Snapshot { holds: vec![hold(1, 1, 4)], lives: vec![life.clone()], ..snapshot(&names) };
        let seen = judge(&full(ALL), &snapshot, &[&subject]);
        assert_eq!(of_feature(&seen, 1).holds, Holds::Unknown, "{life:?}");
    }
    // Seats that are not counted are never full.
    let mut uncounted = names.clone();
    uncounted.capacity.insert((1, 1), Steps::new(vec![(0, None)]));
    let snapshot = Snapshot { holds: vec![hold(1, 1, 400)], ..snapshot(&uncounted) };
    assert!(judge(&full(ALL), &snapshot, &[]).iter().all(|seen| seen.subject != subject));
}

#[test]
fn a_poll_may_say_that_more_are_in_use_than_it_shows() {
    let names = names();
    let polled = Life { server: 1, answered_at: Some(NOON), ..Life::default() };
    let said = |at| [((1, 1), SeatsNow { at, in_use: Some(4) })].into_iter().collect();
    let snapshot = Snapshot { lives: vec![polled], seats_now: said(NOON), ..snapshot(&names) };
    assert_eq!(of_feature(&judge(&full(ALL), &snapshot, &[]), 1).holds, Holds::Yes);
    let before = Snapshot { seats_now: said(NOON - MINUTE), ..snapshot };
    assert_eq!(of_feature(&judge(&full(ALL), &before, &[]), 1).holds, Holds::No);
}

fn denial(minutes_ago: i64, holder: u32) -> Denial {
    Denial { at: NOON - minutes_ago * MINUTE, feature: 1, holder, reason: DenialReason::Capacity }
}

#[test]
fn who_asks_again_and_again_asks_once() {
    let names = names();
    let wanted = |requests, persons| {
        rule(Condition::Denials { requests, persons, within_ms: HOUR, reasons: vec![DenialReason::Capacity] })
    };
    // One person at 5, 4, 3 minutes ago and 40 minutes ago: two requests of one person. Another one: a third.
    let mut denials: Vec<Denial> = [5, 4, 3, 40].map(|ago| denial(ago, 1)).to_vec();
    denials.push(denial(10, 2));
    denials.push(denial(61, 3));
    denials.push(Denial { reason: DenialReason::Unsupported, ..denial(1, 4) });
    let snapshot = Snapshot { denials, ..snapshot(&names) };
    let seen = judge(&wanted(3, 2), &snapshot, &[]);
    let solver = of_feature(&seen, 1);
    assert_eq!(solver.holds, Holds::Yes);
    let figures = ["requests", "persons", "denials", "window_seconds"].map(|name| solver.figures[name]);
    assert_eq!(figures, [3, 2, 5, 3600]);
    for (requests, persons) in [(4, 1), (3, 3)] {
        let seen = judge(&wanted(requests, persons), &snapshot, &[]);
        assert_eq!(of_feature(&seen, 1).holds, Holds::No, "{requests} of {persons}");
    }
    // The window ends with the log's last line: a log that says nothing does not say that nobody is denied.
    let quiet = Snapshot { now: NOON + 30 * MINUTE, ..snapshot };
    assert_eq!(of_feature(&judge(&wanted(3, 2), &quiet, &[]), 1).holds, Holds::Yes);
}

#[test]
fn seats_expire_day_by_day_and_permanent_ones_never() {
    let mut names = names();
    let today = Day::of(NOON, &TimeZone::UTC);
    let expiry = |version: &str, expires| Expiry {
        server: 1,
        vendor: "acmed".to_owned(),
        feature: 1,
        version: version.to_owned(),
        seats: Some(4),
        expires,
        told_at: NOON - HOUR,
    };
    names.expiries = vec![
        expiry("far", Expires::On(Day(today.0 + 31))),
        expiry("month", Expires::On(Day(today.0 + 30))),
        expiry("week", Expires::On(Day(today.0 + 7))),
        expiry("today", Expires::On(today)),
        expiry("gone", Expires::On(Day(today.0 - 5))),
        expiry("long gone", Expires::On(Day(today.0 - 31))),
        expiry("permanent", Expires::Never),
        expiry("undated", Expires::Unknown),
        Expiry { told_at: NOON - 50 * 24 * HOUR, ..expiry("untold", Expires::On(today)) },
    ];
    let wanted = rule(Condition::Expiry { days: vec![30, 7, 1] });
    let seen: Vec<(String, Holds, u32)> = judge(&wanted, &snapshot(&names), &[])
        .into_iter()
        .filter_map(|seen| match seen.subject {
            Subject::Expiry { version, .. } => Some((version, seen.holds, seen.level)),
            _ => None,
        })
        .collect();
    let of = |version: &str| seen.iter().find(|seen| seen.0 == version).map(|seen| (seen.1, seen.2));
    assert_eq!(of("far"), Some((Holds::No, 0)));
    assert_eq!(of("month"), Some((Holds::Yes, 1)));
    assert_eq!(of("week"), Some((Holds::Yes, 2)));
    assert_eq!(of("today"), Some((Holds::Yes, 3)));
    assert_eq!(of("gone"), Some((Holds::Yes, 3)));
    assert_eq!(of("long gone"), Some((Holds::No, 3)));
    assert_eq!((of("permanent"), of("undated")), (None, None));
    assert_eq!(of("untold"), Some((Holds::Unknown, 3)));
    // What is renewed is not told any more: it is over.
    let renewed = Subject::Expiry {
        server: 1,
        vendor: "acmed".to_owned(),
        feature: 1,
        version: "old".to_owned(),
        day: today,
    };
    let seen = judge(&wanted, &snapshot(&names), &[&renewed]);
    assert_eq!(seen.iter().find(|seen| seen.subject == renewed).map(|seen| seen.holds), Some(Holds::No));
}

#[test]
fn a_server_is_down_after_two_failed_polls_or_where_its_log_says_that_it_stopped() {
    let names = names();
    let polled = |failed| Life { server: 1, answered_at: Some(NOON - HOUR), failed, ..Life::default() };
    let (first, last) = (NOON - 10 * MINUTE, NOON - MINUTE);
    let cases = [
        (polled(None), Holds::No, None),
        // One failed poll says nothing.
        (polled(Some((last, last, 1))), Holds::Unknown, Some(last)),
        (polled(Some((first, last, 2))), Holds::Yes, Some(first)),
        // A line in the log after the polls that failed: it lives.
        (Life { logged_at: Some(NOON), ..polled(Some((first, last, 2))) }, Holds::No, None),
        (Life { stopped_at: Some(first), ..life(1, first) }, Holds::Yes, Some(first)),
        (Life { stopped_at: Some(NOON - 25 * HOUR), ..life(1, NOON - 25 * HOUR) }, Holds::Unknown, None),
        // Polls see what the log does not tell: it has started again.
        (Life { stopped_at: Some(first), answered_at: Some(last), ..life(1, first) }, Holds::No, None),
        (Life { server: 1, ..Life::default() }, Holds::Unknown, None),
    ];
    for (life, holds, since) in cases {
        let daemon = Life { vendor: "acmed".to_owned(), ..life.clone() };
        let snapshot = Snapshot { lives: vec![life.clone(), daemon], ..snapshot(&names) };
        let seen = judge(&rule(Condition::ServerDown), &snapshot, &[]);
        assert_eq!(seen[0].holds, holds, "{life:?}");
        assert!(since.is_none() || seen[0].since == since, "{life:?}");
        // The daemons of a server that is down are no alerts of their own.
        assert_eq!(seen.len(), if holds == Holds::No { 2 } else { 1 }, "{life:?}");
    }
}

#[test]
fn sessions_are_overnight_or_long_by_evidence_alone() {
    let names = names();
    let midnight = NOON - 12 * HOUR;
    let open = |holder, from, until| Hold { from, until, ..hold(1, holder, 1) };
    let holds = vec![
        open(1, midnight - HOUR, NOON),
        // Begun after midnight; and of one nobody knows whether it was there at midnight.
        open(2, midnight + MINUTE, NOON),
        open(3, midnight - HOUR, midnight - MINUTE),
        // Of this one nobody has heard for two hours.
        open(4, midnight - 10 * HOUR, NOON - 2 * HOUR),
    ];
    let snapshot = Snapshot { holds, ..snapshot(&names) };
    let seen = |condition: Condition| -> Vec<(u32, Holds)> {
        let holder = |subject: &Subject| match subject {
            Subject::Session { holder, .. } => *holder,
            _ => 0,
        };
        judge(&rule(condition), &snapshot, &[])
            .iter()
            .map(|seen| (holder(&seen.subject), seen.holds))
            .collect()
    };
    let (yes, between, unknown) = (Holds::Yes, Holds::Between, Holds::Unknown);
    let night = Condition::Overnight { at_minute: 0, held_ms: 0 };
    assert_eq!(seen(night), [(1, yes), (2, between), (3, between), (4, unknown)]);
    let noon = Condition::Overnight { at_minute: 11 * 60, held_ms: 12 * HOUR };
    assert_eq!(seen(noon), [(1, yes), (2, between), (3, between), (4, between)]);
    let long = Condition::LongSession { held_ms: 12 * HOUR };
    assert_eq!(seen(long), [(1, yes), (2, between), (3, between), (4, unknown)]);
    let of_one =
        Rule { persons: globs(&["user*"], &["user0"]), ..rule(Condition::LongSession { held_ms: MINUTE }) };
    let seen = judge(&of_one, &snapshot, &[]);
    assert!(seen.iter().all(|seen| !matches!(seen.subject, Subject::Session { holder: 1, .. })), "{seen:?}");
    // What is not open any more is over.
    let ended = Subject::Session { feature: 1, holder: 5, from: 0, handle: "h".to_owned() };
    let seen = judge(&of_one, &snapshot, &[&ended]);
    assert_eq!(seen.iter().find(|seen| seen.subject == ended).map(|seen| seen.holds), Some(Holds::No));
}

#[test]
fn a_source_is_silent_where_somebody_has_listened_for_long_enough() {
    let names = names();
    let source =
        |name: &str, heard_at, listened_since| SourceLife { name: name.to_owned(), heard_at, listened_since };
    let sources = vec![
        source("fresh", Some(NOON), None),
        source("quiet", Some(NOON - HOUR), None),
        source("never", None, Some(NOON - HOUR)),
        source("new", None, Some(NOON)),
        source("ancient", Some(NOON - 9 * 24 * HOUR), None),
        source("elsewhere", None, None),
        source("unwanted", Some(0), None),
    ];
    let snapshot = Snapshot { sources, ..snapshot(&names) };
    let wanted =
        Rule { sources: globs(&[], &["unwanted"]), ..rule(Condition::SourceSilent { silent_ms: HOUR }) };
    let seen: Vec<(String, Holds)> = judge(&wanted, &snapshot, &[])
        .into_iter()
        .filter_map(|seen| match seen.subject {
            Subject::Source { name } => Some((name, seen.holds)),
            _ => None,
        })
        .collect();
    let of = |name: &str| seen.iter().find(|seen| seen.0 == name).map(|seen| seen.1);
    assert_eq!([of("fresh"), of("quiet"), of("never")], [Holds::No, Holds::Yes, Holds::Yes].map(Some));
    assert_eq!([of("new"), of("ancient")], [Holds::Unknown, Holds::Unknown].map(Some));
    assert_eq!([of("elsewhere"), of("unwanted")], [None, None]);
}

/// Looks once a minute, from minute 0 on, at what holds; gives what is told, with the minute.
fn told(timing: &Timing, seen: &[Holds], quiet: impl Fn(i64) -> bool) -> Vec<(i64, Change)> {
    run(timing, seen, quiet).0
}

fn run(
    timing: &Timing,
    seen: &[Holds],
    quiet: impl Fn(i64) -> bool,
) -> (Vec<(i64, Change)>, Option<State>, Vec<Episode>) {
    let (mut state, mut told, mut ended) = (None, Vec::new(), Vec::new());
    for (minute, holds) in (0..).zip(seen) {
        let at = minute * MINUTE;
        let step = step(state.as_ref(), &observation(*holds, at, 1), timing, at, quiet(minute));
        told.extend(step.tell.map(|change| (minute, change)));
        ended.extend(step.ended);
        state = step.state;
    }
    (told, state, ended)
}

fn observation(holds: Holds, at: UnixMs, level: u32) -> Observation {
    Observation {
        subject: Subject::Source { name: "s".to_owned() },
        holds,
        at,
        since: None,
        level,
        figures: Figures::new(),
    }
}

const Y: Holds = Holds::Yes;
const N: Holds = Holds::No;
const B: Holds = Holds::Between;
const U: Holds = Holds::Unknown;

#[test]
fn an_alert_is_raised_once_and_cleared_once() {
    let never = |_| false;
    let (raised, still, cleared) = (Change::Raised, Change::Still, Change::Cleared);
    assert_eq!(told(&TIMING, &[N, Y, Y, Y, N, N], never), [(1, raised), (4, cleared)]);
    // Neither what is between nor what is not known changes anything.
    assert_eq!(told(&TIMING, &[B, U, Y, B, U, Y, U, N], never), [(2, raised), (7, cleared)]);
    let slow = Timing { hold_ms: 2 * MINUTE, clear_ms: 3 * MINUTE, ..TIMING };
    assert_eq!(told(&slow, &[Y, Y, N, Y, Y, Y], never), [(5, raised)], "it must hold for two minutes");
    assert_eq!(told(&slow, &[Y, U, Y, N, N, Y, N, N, N, N], never), [(2, raised), (9, cleared)]);
    // A flapping poll tells nothing.
    assert_eq!(told(&slow, &[Y, Y, Y, U, N, U, Y, U, N, U, N, U, Y], never), [(2, raised)]);
    let again = Timing { repeat_ms: Some(2 * MINUTE), tells_cleared: false, ..TIMING };
    assert_eq!(told(&again, &[Y, Y, Y, U, U, Y, N], never), [(0, raised), (2, still), (5, still)]);
}

#[test]
fn in_quiet_hours_nobody_is_told_and_afterwards_what_still_is() {
    let (raised, cleared) = (Change::Raised, Change::Cleared);
    let night = |minute: i64| (1..5).contains(&minute);
    assert_eq!(told(&TIMING, &[N, Y, Y, Y, Y, Y, N], night), [(5, raised), (6, cleared)]);
    assert_eq!(told(&TIMING, &[N, Y, Y, N, N, N, N], night), [], "it is over before anybody could be told");
    assert_eq!(told(&TIMING, &[Y, Y, N, N, N, N], night), [(0, raised), (5, cleared)]);
    assert_eq!(told(&TIMING, &[Y, Y, N, Y, Y, Y], night), [(0, raised)], "they know that it is raised");
    let (_, state, ended) = run(&TIMING, &[Y, Y, N, Y, Y, Y], night);
    assert_eq!(ended, [Episode { raised_at: 0, cleared_at: 2 * MINUTE }]);
    assert_eq!(state.unwrap().phase, Phase::Raised { at: 3 * MINUTE, clearing: None });
}

#[test]
fn what_becomes_worse_is_told_again() {
    let mut state = None;
    let mut told = Vec::new();
    for (minute, level) in (0..).zip([1, 1, 2, 1, 2, 3]) {
        let at = minute * MINUTE;
        let step = step(state.as_ref(), &observation(Y, at, level), &TIMING, at, minute == 5);
        told.extend(step.tell.map(|change| (minute, change)));
        state = step.state;
    }
    assert_eq!(told, [(0, Change::Raised), (2, Change::Still)]);
    let at = 6 * MINUTE;
    let step = step(state.as_ref(), &observation(Y, at, 3), &TIMING, at, false);
    assert_eq!(step.tell, Some(Change::Still), "what became worse in quiet hours is told after them");
}

#[test]
fn quiet_hours_are_civil_time() {
    let nights = [Stretch { days: all_days().to_vec(), from_minute: 0, until_minute: 8 * 60 }];
    let zurich = accounting::calendar::zone("Europe/Zurich").unwrap();
    // 06:30 UTC is 07:30 in winter and 08:30 in summer.
    let (winter, summer) = (NOON - 5 * HOUR - 30 * MINUTE, NOON - 5 * HOUR - 30 * MINUTE + 100 * 24 * HOUR);
    assert!(is_quiet(&nights, winter, &zurich) && !is_quiet(&nights, summer, &zurich));
    assert!(is_quiet(&nights, summer, &TimeZone::UTC) && !is_quiet(&[], winter, &zurich));
}

fn sights() -> impl Strategy<Value = Vec<Holds>> {
    prop::collection::vec(prop::sample::select(vec![Y, Y, B, N, N, U]), 0..60)
}

fn timings() -> impl Strategy<Value = Timing> {
    (0..5_i64, 0..5_i64, prop::option::of(1..5_i64), any::<bool>()).prop_map(
        |(hold, clear, repeat, tells_cleared)| Timing {
            hold_ms: hold * MINUTE,
            clear_ms: clear * MINUTE,
            repeat_ms: repeat.map(|minutes| minutes * MINUTE),
            tells_cleared,
        },
    )
}

proptest! {
    /// Raised and cleared take turns, and reminders come in between; quiet hours are quiet.
    #[test]
    fn what_is_told_is_a_story(seen in sights(), timing in timings(), quiet in prop::collection::vec(any::<bool>(), 60)) {
        let (told, _, ended) = run(&timing, &seen, |minute| quiet[minute as usize]);
        let mut is_raised = false;
        for (minute, change) in &told {
            prop_assert!(!quiet[*minute as usize]);
            match change {
                // Without a word about the end one begins after another.
                Change::Raised => { prop_assert!(!is_raised || !timing.tells_cleared); is_raised = true; }
                Change::Still => prop_assert!(is_raised),
                Change::Cleared => { prop_assert!(is_raised && timing.tells_cleared); is_raised = false; }
            }
        }
        prop_assert!(ended.windows(2).all(|two| two[0].cleared_at <= two[1].raised_at));
        prop_assert!(ended.iter().all(|episode| episode.raised_at <= episode.cleared_at));
    }

    /// What is not known changes nothing: put in anywhere without time passing in between, it is as if it were not there.
    #[test]
    fn the_unknown_changes_nothing(seen in sights(), timing in timings(), places in prop::collection::vec(any::<bool>(), 60)) {
        let timing = Timing { repeat_ms: None, ..timing };
        let (mut plain, mut mixed) = (None, None);
        for ((minute, holds), unknown) in (0..).zip(&seen).zip(&places) {
            let at = minute * MINUTE;
            if *unknown {
                let step = step(mixed.as_ref(), &observation(U, at, 1), &timing, at, false);
                prop_assert_eq!((step.tell, step.ended), (None, None));
                mixed = step.state;
            }
            let one = step(plain.as_ref(), &observation(*holds, at, 1), &timing, at, false);
            let other = step(mixed.as_ref(), &observation(*holds, at, 1), &timing, at, false);
            prop_assert_eq!(&one, &other);
            (plain, mixed) = (one.state, other.state);
        }
    }

    /// Nothing is raised before it has held for long enough, nor cleared before it has not for long enough: any stretch
    /// of one kind that is shorter than its time is told to nobody.
    #[test]
    fn what_flaps_faster_than_its_times_tells_nothing(lengths in prop::collection::vec((1..4_usize, 1..4_usize), 1..10)) {
        let timing = Timing { hold_ms: 3 * MINUTE, clear_ms: 3 * MINUTE, ..TIMING };
        let seen: Vec<Holds> = lengths
            .iter()
            .flat_map(|(yes, no)| std::iter::repeat_n(Y, *yes).chain(std::iter::repeat_n(N, *no)))
            .collect();
        prop_assert_eq!(told(&timing, &seen, |_| false), []);
        let raised: Vec<Holds> = std::iter::repeat_n(Y, 4).chain(std::iter::repeat_n(N, 1)).chain(seen).collect();
        prop_assert_eq!(told(&timing, &raised, |_| false), [(3, Change::Raised)]);
    }
}
