//! What is raised is told by one process, and what waits to be sent is never lost.

use crate::ledger::Ledger;
use accounting::alert::{Figures, Phase, State, Subject, When};
use accounting::day::Day;
use store::Error;
use store::alerts::{Alert, AlertChange, PastAlert};

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
    other.change_alerts(&[ended.clone()], &[message("a", "cleared")], 3).unwrap();
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
