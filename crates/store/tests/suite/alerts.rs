//! What is raised is told by one process, and what waits to be sent is never lost.

use crate::ledger::Ledger;
use crate::log::What::{Denied, Lives, Out, Starts, Stops};
use crate::log::{Process, at};
use accounting::UnixMs;
use accounting::alert::{Figures, Life, Phase, State, Subject, When};
use accounting::day::Day;
use store::Error;
use store::alerts::{Alert, AlertChange, PastAlert};
use store::intake::{Batch, PollEvent, SeatsEvent, Span};

fn subjects() -> Vec<Subject> {
    vec![
        Subject::Feature { feature: 3, server: None },
        Subject::Feature { feature: 3, server: Some(1) },
        Subject::Daemon { server: 1, vendor: String::new() },
        Subject::Expiry {
            server: 1,
            vendor: "acmed".to_owned(),
            feature: 3,
            version: "2025 \"x\"".to_owned(),
            day: Day(20_000),
        },
        Subject::Session { feature: 3, holder: 9, from: -5, handle: "1'2".to_owned() },
        Subject::Source { name: "follow /var/log/ä.log".to_owned() },
    ]
}

fn state(phase: Phase) -> State {
    State {
        phase,
        since: 900,
        told_at: matches!(phase, Phase::Cleared { .. }).then_some(1_100),
        level: 2,
        figures: Figures::from([("seats_in_use".to_owned(), 4)]),
    }
}

fn raised() -> State {
    state(Phase::Raised { at: 1_000, clearing: None })
}

fn change(subject: Subject, before: Option<i64>, state: Option<State>) -> AlertChange {
    AlertChange { rule: "rule".to_owned(), when: When::Full, subject, before, state, ended: None }
}

fn message(receiver: &str, body: &str) -> (String, String) {
    (receiver.to_owned(), body.to_owned())
}

pub(crate) fn alerts_are_remembered_as_they_were_written(ledger: &mut Ledger) {
    let phases = [
        Phase::Pending,
        Phase::Raised { at: 1_000, clearing: None },
        Phase::Raised { at: 1_000, clearing: Some(1_050) },
        Phase::Cleared { raised_at: 1_000, at: 1_060 },
    ];
    let mut store = ledger.store();
    let written: Vec<AlertChange> = subjects()
        .into_iter()
        .zip(phases.into_iter().cycle())
        .map(|(subject, phase)| change(subject, None, Some(state(phase))))
        .collect();
    store.change_alerts(&written, &[], 2_000).unwrap();
    let alerts = ledger.store().alerts().unwrap();
    assert_eq!(alerts.len(), written.len());
    for of in &written {
        let found = alerts.iter().find(|alert| alert.subject == of.subject).expect("it is remembered");
        assert_eq!((Some(&found.state), found.sequence, found.when), (of.state.as_ref(), 1, When::Full));
    }
}

pub(crate) fn of_two_processes_one_changes_an_alert(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    let subject = subjects().remove(0);
    let new = [change(subject.clone(), None, Some(raised()))];
    one.change_alerts(&new, &[message("a", "raised")], 1).unwrap();
    // The other one has not seen it, and must not tell.
    let lost = other.change_alerts(&new, &[message("a", "raised again")], 2);
    assert!(matches!(lost, Err(Error::Conflict)), "{lost:?}");
    let Alert { sequence, .. } = other.alerts().unwrap().remove(0);
    let past = PastAlert {
        rule: "rule".to_owned(),
        when: When::Full,
        subject: subject.clone(),
        raised_at: 1_000,
        cleared_at: 3_000,
        figures: raised().figures,
    };
    let ended = AlertChange { ended: Some(past.clone()), ..change(subject.clone(), Some(sequence), None) };
    // What one of several changes loses is all lost.
    let with_another = [
        change(subjects().remove(2), None, Some(raised())),
        change(subject.clone(), Some(sequence + 1), Some(raised())),
    ];
    let lost = one.change_alerts(&with_another, &[message("a", "wrong")], 2);
    assert!(matches!(lost, Err(Error::Conflict)), "{lost:?}");
    other.change_alerts(std::slice::from_ref(&ended), &[message("a", "cleared")], 3).unwrap();
    assert!(matches!(one.change_alerts(&[ended], &[], 4), Err(Error::Conflict)));
    assert_eq!(one.alerts().unwrap(), []);
    assert_eq!(one.past_alerts(3_000).unwrap(), [past]);
    assert_eq!(one.past_alerts(3_001).unwrap(), []);
    let due: Vec<String> = one.due_messages(10).unwrap().into_iter().map(|of| of.body).collect();
    assert_eq!(due, ["raised"], "the oldest of a receiver first");
    assert_eq!(one.waiting_messages().unwrap(), (2, Some(1)));
}

pub(crate) fn a_message_waits_until_it_is_taken_out(ledger: &mut Ledger) {
    let (mut one, mut other) = (ledger.store(), ledger.store());
    let messages = [message("a", "1"), message("b", "2"), message("a", "3")];
    one.change_alerts(&[], &messages, 100).unwrap();
    assert_eq!(one.due_messages(99).unwrap(), []);
    let due = one.due_messages(100).unwrap();
    assert_eq!(due.iter().map(|of| of.body.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert!(one.claim_message(&due[0], 200).unwrap());
    assert!(!other.claim_message(&due[0], 300).unwrap(), "it is claimed");
    assert_eq!(other.due_messages(150).unwrap().len(), 1, "nor does the next of that receiver overtake it");
    // Whoever claimed it is gone: it is due again when the claim has run out.
    let again = other.due_messages(200).unwrap().remove(0);
    assert_eq!((again.body.as_str(), again.attempts), ("1", 1));
    assert!(other.claim_message(&again, 400).unwrap());
    let claimed = store::alerts::Waiting { attempts: 2, ..again };
    other.put_off_message(&claimed, 1_000).unwrap();
    one.put_off_message(&due[0], 0).unwrap();
    assert_eq!(one.next_message_due().unwrap(), Some(100), "that of the other receiver");
    other.take_out_message(due[1].id).unwrap();
    assert_eq!(one.next_message_due().unwrap(), Some(1_000), "whose claim was lost has no say");
    other.take_out_message(claimed.id).unwrap();
    assert_eq!(one.due_messages(100).unwrap().remove(0).body, "3");
}

fn hours(hour: f64) -> UnixMs {
    at(hour, "", Lives).at
}

/// The lives of a ledger's license server as a whole and of its daemon, at an hour.
fn lives(ledger: &Ledger, hour: f64) -> (Life, Life) {
    let lives = ledger.store().read(|reader| reader.lives(hours(hour))).unwrap();
    let of = |vendor: &str| lives.iter().find(|life| life.vendor == vendor).cloned();
    (of("").expect("the server"), of("v").expect("the daemon"))
}

pub(crate) fn what_a_log_tells_of_life_and_denials_is_seen(ledger: &mut Ledger) {
    let said = [
        at(8.0, "v", Starts),
        at(8.5, "v", Out("solver", "amara", 1)),
        at(9.0, "v", Denied("solver", "bela")),
        at(9.5, "v", Denied("solver", "chen")),
        at(10.0, "v", Stops),
    ];
    ledger.process().read(&mut ledger.store(), "a.log", &said);
    let (server, daemon) = lives(ledger, 9.0);
    // A span has one last line: at an earlier instant it is taken as if it had just been written.
    assert_eq!((server.logged_at, server.stopped_at), (Some(hours(9.0)), None));
    assert_eq!((daemon.logged_at, daemon.known_at()), (Some(hours(9.0)), Some(hours(9.0))));
    let (server, daemon) = lives(ledger, 12.0);
    assert_eq!((daemon.stopped_at, daemon.known_at()), (Some(hours(10.0)), None));
    assert_eq!(
        (server.logged_at, server.stopped_at),
        (Some(hours(10.0)), None),
        "the server itself did not stop"
    );
    let again = [at(10.5, "v", Starts), at(11.0, "v", Lives)];
    ledger.process().read(&mut ledger.store(), "b.log", &again);
    let (_, daemon) = lives(ledger, 12.0);
    assert_eq!((daemon.stopped_at, daemon.known_at()), (None, Some(hours(11.0))));
    let denied = |from: f64, until: f64| {
        let read = ledger.store().read(|reader| reader.denials(hours(from), hours(until)));
        let mut instants: Vec<UnixMs> = read.unwrap().iter().map(|denial| denial.at).collect();
        instants.sort_unstable();
        instants
    };
    assert_eq!(denied(0.0, 24.0), [hours(9.0), hours(9.5)]);
    assert_eq!(denied(9.1, 24.0), [hours(9.5)]);
    assert_eq!(denied(9.0, 9.0), [hours(9.0)]);
}

pub(crate) fn what_polls_tell_of_life_and_seats_is_seen(ledger: &mut Ledger) {
    let mut process = Process::default();
    let (whole, daemon) = (process.daemon(""), process.daemon("v"));
    let feature = process.interner.feature("solver");
    let poll = |daemon, hour: f64, answered| PollEvent { daemon, at: hours(hour), answered };
    let (from, until) = (hours(8.0), hours(9.0));
    let seats = SeatsEvent { feature, daemon, at: until, in_use: Some(3), ..SeatsEvent::default() };
    let batch = Batch {
        polls: vec![
            poll(daemon, 8.0, true),
            poll(daemon, 9.0, true),
            poll(whole, 10.0, false),
            poll(whole, 10.5, false),
            poll(whole, 11.0, false),
            poll(daemon, 12.0, true),
            poll(daemon, 13.0, false),
        ],
        spans: vec![Span { daemon, run: 0, from, until, begins_run: false, polled: true }],
        seats: vec![seats],
        names: process.interner.news(),
        ..Batch::default()
    };
    process.intake.begin(None);
    process.commit(&mut ledger.store(), "polls", 1, &[batch]).unwrap();
    let seen = |hour: f64| {
        let (server, daemon) = lives(ledger, hour);
        (server.answered_at, server.failed, daemon.failed.map(|(_, _, polls)| polls))
    };
    let nine = Some(hours(9.0));
    assert_eq!(seen(9.5), (nine, None, None));
    assert_eq!(seen(10.2), (nine, Some((hours(10.0), hours(10.0), 1)), None));
    assert_eq!(seen(11.5), (nine, Some((hours(10.0), hours(11.0), 3)), None));
    assert_eq!(seen(12.5), (Some(hours(12.0)), None, None), "a daemon that answers has a server that does");
    assert_eq!(seen(13.5), (Some(hours(12.0)), None, Some(1)));
    let said = ledger.store().read(|reader| reader.seats_now(hours(24.0))).unwrap();
    let said: Vec<_> = said.values().map(|said| (said.at, said.in_use)).collect();
    assert_eq!(said, [(hours(9.0), Some(3))]);
    assert!(ledger.store().read(|reader| reader.seats_now(hours(8.5))).unwrap().is_empty());
}
