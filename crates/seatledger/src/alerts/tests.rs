//! What messages say, and how they are written for whom.

use super::message::{About, Message};
use super::shape::body;
use super::words::Words;
use crate::config::Shape;
use accounting::alert::{Change, Figures, Phase, State, Subject};
use accounting::day::Day;
use accounting::ledger::{Feature, Holder, Names, Server};
use accounting::privacy::{Identity, Key, Privacy};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// 2025-03-03 12:00 UTC.
const NOON: i64 = 1_741_003_200_000;

fn names() -> Names {
    let holder = |user: &str, host: &str| Holder {
        server: 1,
        user: user.to_owned(),
        host: host.to_owned(),
        ..Holder::default()
    };
    let server = Server { name: "27000@lic1".to_owned(), watched: Vec::new() };
    let feature = |code: &str| Feature { code: code.to_owned(), ..Feature::default() };
    let mut names = Names::default();
    names.features.extend([(1, feature("solver")), (2, feature("<!channel> *x* & [y]"))]);
    names.servers.insert(1, server);
    Arc::make_mut(&mut names.holders).extend([
        (1, holder("amara", "ws-07")),
        (2, holder("", "")),
        (3, holder("p-hwox2wbwntkklgsg", "")),
    ]);
    names
}

fn words(privacy: Option<Privacy>) -> Words {
    Words::new(Arc::new(names()), TimeZone::UTC, privacy)
}

fn figures(of: &[(&str, i64)]) -> Figures {
    of.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

fn session(holder: u32) -> Subject {
    Subject::Session { feature: 1, holder, from: NOON - 3_600_000, handle: String::new() }
}

fn message(subject: &Subject, change: Change, of: &[(&str, i64)]) -> Message {
    let state = State {
        phase: Phase::Raised { at: NOON, clearing: None },
        since: NOON - 60_000,
        told_at: None,
        level: 1,
        figures: figures(of),
    };
    Message::new("a rule", "full", change, NOON, vec![About::new(subject, &state, NOON)])
}

/// A subject, its figures, what is said of it.
type Case<'c> = (&'c Subject, &'c [(&'c str, i64)], &'c str);

#[test]
fn each_kind_has_its_sentence() {
    let words = words(None);
    let daemon = |vendor: &str| Subject::Daemon { server: 1, vendor: vendor.to_owned() };
    let expiry = Subject::Expiry {
        server: 1,
        vendor: "acmed".to_owned(),
        feature: 1,
        version: "2025.1".to_owned(),
        day: Day::of(NOON, &TimeZone::UTC),
    };
    let on = Subject::Feature { feature: 1, server: Some(1) };
    let source = Subject::Source { name: "follow a.log".to_owned() };
    let (asked, seats) = ([("requests", 1), ("persons", 2), ("window_seconds", 900)], [("seats", 2)]);
    let cases: [Case<'_>; 9] = [
        (&on, &[("seats_in_use", 1), ("seats_issued", 1)], "solver on 27000@lic1: 1 of 1 seat in use"),
        (&on, &asked, "solver on 27000@lic1: 1 request of 2 persons denied within 15 minutes"),
        (&daemon(""), &[("stopped_at", NOON)], "27000@lic1: stopped at 2025-03-03 12:00:00"),
        (
            &daemon("acmed"),
            &[("failed_since_at", NOON), ("alive_at", NOON - 60_000)],
            "27000@lic1 (acmed): no poll answered since 2025-03-03 12:00:00, seen alive last at 2025-03-03 11:59:00",
        ),
        (
            &expiry,
            &[("days_left", 0), ("seats", 2)],
            "solver 2025.1 on 27000@lic1 (acmed), 2 seats: expires today, 2025-03-03",
        ),
        (
            &expiry,
            &[("days_left", 1)],
            "solver 2025.1 on 27000@lic1 (acmed): expires on 2025-03-03, in 1 day",
        ),
        (&expiry, &[("days_left", -2)], "solver 2025.1 on 27000@lic1 (acmed): has expired on 2025-03-03"),
        (
            &session(1),
            &seats,
            "solver: amara on ws-07 holds 2 seats since 2025-03-03 11:00:00, for 0.0 hours",
        ),
        (&source, &[("heard_at", NOON)], "follow a.log: nothing heard since 2025-03-03 12:00:00"),
    ];
    for (subject, of, expected) in cases {
        assert_eq!(words.sentence(subject, &figures(of), NOON), expected);
    }
    let cleared = message(&daemon(""), Change::Cleared, &[("stopped_at", NOON)]);
    assert_eq!(words.title(&cleared), "Cleared: a rule — 27000@lic1: raised at 2025-03-03 12:00:00");
    let still = message(&on, Change::Still, &[("seats_in_use", 1), ("seats_issued", 1)]);
    assert_eq!(words.title(&still), "Still raised: a rule — solver on 27000@lic1: 1 of 1 seat in use");
}

#[test]
fn nobody_is_named_but_where_all_are() {
    let user = |privacy: Option<Privacy>, holder: u32| words(privacy).parts(&session(holder)).user.unwrap();
    let of = |identity, keys: Vec<Key>| Some(Privacy { identity, keys, smallest_group: None });
    let key = || vec![Key::new([0; 32])];
    assert_eq!(user(None, 1), "amara");
    assert_eq!(user(of(Identity::Named, Vec::new()), 1), "amara");
    for identity in [Identity::Pseudonymous, Identity::Organization] {
        // What was kept by name before, and what is a pseudonym already.
        assert_eq!(user(of(identity, key()), 1), "p-hwox2wbwntkklgsg");
        assert_eq!(user(of(identity, key()), 3), "p-hwox2wbwntkklgsg");
        assert_eq!(user(of(identity, Vec::new()), 1), "somebody", "without the key it cannot be said");
        assert_eq!(user(of(identity, key()), 2), "somebody");
    }
}

#[test]
fn names_mean_nothing_to_those_who_show_them() {
    let words = words(None);
    let subject = Subject::Feature { feature: 2, server: None };
    let message = message(&subject, Change::Raised, &[("seats_in_use", 1), ("seats_issued", 1)]);
    let slack = body(Shape::Slack, &message, &words);
    let text = slack["text"].as_str().unwrap();
    assert!(text.contains("&lt;!channel&gt;") && text.contains("&amp;") && !text.contains("<!"), "{text}");
    let teams = body(Shape::Teams, &message, &words);
    let text = teams["attachments"][0]["content"]["body"][1]["text"].as_str().unwrap();
    assert!(text.starts_with("- \\<!channel\\> \\*x\\* & \\[y\\]: 1 of 1 seat in use\n\n"), "{text}");
}

#[test]
fn a_message_tells_of_a_hundred_and_counts_the_others() {
    let words = words(None);
    let about = message(&session(1), Change::Raised, &[]).about.remove(0);
    let long = Message::new("r", "overnight", Change::Raised, NOON, vec![about; 103]);
    assert_eq!((long.about.len(), long.more), (100, 3));
    assert!(words.title(&long).ends_with(", and 102 more"), "{}", words.title(&long));
    assert_eq!(words.text(&long).lines().filter(|line| line.starts_with("- solver")).count(), 100);
    assert!(words.text(&long).contains("- and 3 more: `seatledger alert list` shows all\n"));
}
