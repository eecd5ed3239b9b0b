//! Which answers of polls are evidence of what, and what lies between them.

use crate::ledger::Ledger;
use crate::log::Process;
use crate::polls::{instant, poll, read, sessions};
use store::intake::{Batch, PollEvent, SeatsEvent, Span};

/// Reads an answer of the license server as a whole, which names no daemon and shows no hold.
fn read_of_no_daemon(ledger: &Ledger, name: &str, hour: i64) {
    let mut process = Process::default();
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
