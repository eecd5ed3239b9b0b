//! What notes on reports say, in both languages.

use super::german_notes::said;
use accounting::day::Day;
use accounting::report::allocation::Share;
use accounting::report::group::Key;
use accounting::report::money::Cents;
use accounting::report::note::{
    self, Coverage, Differs, Hours, Lacking, Money, Note, OfBill, OfRule, Totals, Watching, WorkingTime,
};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// How many kinds of notes there are.
const KINDS: usize = 47;

/// The number of a note's kind. A kind that is new gets the next one, and an example below.
fn kind(note: &Note) -> usize {
    match note {
        Note::Zone(_) => 0,
        Note::WorkingDays { .. } => 1,
        Note::Only(..) => 2,
        Note::Coverage(Coverage::Nothing) => 3,
        Note::Coverage(Coverage::InstantsOnly) => 4,
        Note::Coverage(Coverage::Watched { .. }) => 5,
        Note::AsOf(_) => 6,
        Note::OtherCalendar => 7,
        Note::AddedUp => 8,
        Note::PackagesLeftOut => 9,
        Note::NoSeatsOf(_) => 10,
        Note::License(WorkingTime { hours: Hours::Given(_), .. }) => 11,
        Note::License(WorkingTime { hours: Hours::Prime, .. }) => 12,
        Note::License(WorkingTime { hours: Hours::AllClasses, .. }) => 13,
        Note::AppUsage(_) => 14,
        Note::StepsLeftOut(_) => 15,
        Note::Requests => 16,
        Note::RefusedWithoutVersion => 17,
        Note::IdleAsOf(_) => 18,
        Note::UsedOnly => 19,
        Note::LongOpen(_) => 20,
        Note::Totals(Totals::Shown) => 21,
        Note::Totals(Totals::Without(_)) => 22,
        Note::Totals(Totals::NotIdle) => 23,
        Note::Totals(Totals::NotBilled) => 24,
        Note::Bill(OfBill::By(Share::SeatSeconds)) => 25,
        Note::Bill(OfBill::By(Share::PersonSeconds)) => 26,
        Note::Bill(OfBill::Memberships) => 27,
        Note::Bill(OfBill::One { .. }) => 28,
        Note::Bill(OfBill::NoPrice { .. }) => 29,
        Note::Bill(OfBill::Priced { .. }) => 30,
        Note::Bill(OfBill::Unpriced(_)) => 31,
        Note::Bill(OfBill::Unused { .. }) => 32,
        Note::CountedFrom(_) => 33,
        Note::Within(_) => 34,
        Note::WithoutDate(_) => 35,
        Note::Watching(Watching::Gap) => 36,
        Note::Watching(Watching::Between) => 37,
        Note::Watching(Watching::Sources) => 38,
        Note::Watching(Watching::Reconciled { .. }) => 39,
        Note::Rule { of: OfRule::Unknown { .. }, .. } => 40,
        Note::Rule { of: OfRule::Lacks(Lacking::CountedSeats), .. } => 41,
        Note::Rule { of: OfRule::Lacks(Lacking::Log), .. } => 42,
        Note::Rule { of: OfRule::Lacks(Lacking::Expiry), .. } => 43,
        Note::Rule { of: OfRule::Lacks(Lacking::Server), .. } => 44,
        Note::Rule { of: OfRule::Lacks(Lacking::Source), .. } => 45,
        Note::Rule { of: OfRule::ServersForSources, .. } => 46,
    }
}

/// An example of each kind, and what both languages say of it.
fn examples() -> Vec<(Note, &'static [&'static str])> {
    let bill = || Money { amount: Cents(120_050), currency: Some("CHF".to_owned()) };
    let feature = || "solver-1".to_owned();
    let license = |hours, days| Note::License(WorkingTime { hours, days });
    let rule = |of| Note::Rule { rule: "night".to_owned(), of };
    let gaps = vec![("27000@lic1".to_owned(), 2), ("27000@lic2".to_owned(), 1)];
    let watched = Coverage::Watched { from: 0, until: 86_400_000, gaps, without_any: Some(9) };
    let worst = Differs { feature: feature(), at: 1_500, polled: 17, logged: 19 };
    let reconciled = Watching::Reconciled {
        server: "27000@lic1".to_owned(),
        polls: 31,
        compared: 29,
        equal: 23,
        worst: Some(worst),
    };
    let priced = |issued| OfBill::Priced {
        feature: feature(),
        price: "33.335".to_owned(),
        seats: 3,
        issued,
        bill: bill(),
    };
    vec![
        (Note::Zone("Europe/Zurich".to_owned()), &["Europe/Zurich"]),
        (Note::WorkingDays { weekdays: vec![0, 4], holidays: 3 }, &["Mo", "Fr", "3"]),
        (Note::Only(Key::TimeClass, "prime".to_owned()), &["prime"]),
        (Note::Only(Key::Organization, "north*".to_owned()), &["north*"]),
        (Note::Coverage(Coverage::Nothing), &[]),
        (Note::Coverage(Coverage::InstantsOnly), &[]),
        (
            Note::Coverage(watched),
            &["1970-01-01", "01:00:00", "1970-01-02", ": 3 (27000@lic1 2, 27000@lic2 1)", ": 9"],
        ),
        (Note::AsOf(1_500), &["1970-01-01 01:00:01"]),
        (Note::OtherCalendar, &["`seatledger rebuild`"]),
        (Note::AddedUp, &[]),
        (Note::PackagesLeftOut, &[]),
        (Note::NoSeatsOf(Key::Host), &[]),
        (license(Hours::Given(7.5), Some(21.0)), &["7.5", "21"]),
        (license(Hours::Prime, None), &["prime"]),
        (license(Hours::AllClasses, None), &[]),
        (Note::AppUsage(WorkingTime { hours: Hours::Given(6.0), days: None }), &["6"]),
        (Note::StepsLeftOut(500_000), &["500000"]),
        (Note::Requests, &["15"]),
        (Note::RefusedWithoutVersion, &["Version"]),
        (Note::IdleAsOf(Day(20_000)), &["2024-10-04"]),
        (Note::UsedOnly, &[]),
        (Note::LongOpen(7), &[": 7"]),
        (Note::Totals(Totals::Shown), &[]),
        (Note::Totals(Totals::Without(Key::Person)), &["Person"]),
        (Note::Totals(Totals::NotIdle), &[]),
        (Note::Totals(Totals::NotBilled), &[]),
        (Note::Bill(OfBill::By(Share::SeatSeconds)), &[]),
        (Note::Bill(OfBill::By(Share::PersonSeconds)), &[]),
        (Note::Bill(OfBill::Memberships), &[]),
        (
            Note::Bill(OfBill::One { bill: bill(), some: true, without_packages: true }),
            &["1200.50 CHF", "; "],
        ),
        (Note::Bill(OfBill::NoPrice { feature: feature(), price: "free".to_owned() }), &["solver-1: `free`"]),
        (Note::Bill(priced(true)), &["solver-1: 33.335 · 3", "= 1200.50 CHF"]),
        (Note::Bill(priced(false)), &["solver-1: 33.335 · 3", "= 1200.50 CHF"]),
        (Note::Bill(OfBill::Unpriced(vec![feature(), "cad".to_owned()])), &[": solver-1 cad"]),
        (Note::Bill(OfBill::Unused { feature: None, bill: bill() }), &["1200.50 CHF"]),
        (
            Note::Bill(OfBill::Unused { feature: Some(feature()), bill: bill() }),
            &["solver-1: ", "1200.50 CHF"],
        ),
        (Note::CountedFrom(Day(20_000)), &["2024-10-04"]),
        (Note::Within(30), &["30"]),
        (Note::WithoutDate(5), &[": 5"]),
        (Note::Watching(Watching::Gap), &["gap: "]),
        (Note::Watching(Watching::Between), &["between: "]),
        (Note::Watching(Watching::Sources), &[]),
        (
            Note::Watching(reconciled),
            &["27000@lic1: 31", "23", "29", "solver-1", "1970-01-01 01:00:01", "17", "19"],
        ),
        (rule(OfRule::Unknown { subjects: 2, of: 12 }), &["night: ", "2", "12"]),
        (rule(OfRule::Lacks(Lacking::CountedSeats)), &["night: "]),
        (rule(OfRule::Lacks(Lacking::Log)), &["night: "]),
        (rule(OfRule::Lacks(Lacking::Expiry)), &["night: "]),
        (rule(OfRule::Lacks(Lacking::Server)), &["night: "]),
        (rule(OfRule::Lacks(Lacking::Source)), &["night: "]),
        (rule(OfRule::ServersForSources), &["night: ", "`seatledger serve`"]),
    ]
}

#[test]
fn every_note_is_said_in_both_languages() {
    let zone = TimeZone::get("Europe/Zurich").unwrap();
    let (mut kinds, mut english, mut german) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (note, data) in examples() {
        kinds.insert(kind(&note));
        let wordings = [note::said(&note, &zone), said(&note, &zone)];
        for wording in &wordings {
            let lower = wording.to_lowercase();
            assert!(data.iter().all(|datum| lower.contains(&datum.to_lowercase())), "{data:?}: {wording}");
        }
        let [in_english, in_german] = wordings;
        let foreign = [" the ", " of ", " is ", " are ", " and ", " no ", " with "];
        assert!(!foreign.iter().any(|word| in_german.contains(word)), "{in_german}");
        english.insert(in_english);
        german.insert(in_german);
    }
    assert_eq!(kinds, (0..KINDS).collect());
    assert_eq!((english.len(), german.len()), (examples().len(), examples().len()), "no two say the same");
    assert!(english.is_disjoint(&german), "nothing is left in English");
}

#[test]
fn german_counts_one_and_several() {
    let of = |note: Note| said(&note, &TimeZone::UTC);
    assert_eq!(of(Note::Within(1)), "Nur, was innert eines Tages abläuft oder schon abgelaufen ist");
    let days = |holidays| of(Note::WorkingDays { weekdays: vec![0, 1], holidays });
    assert_eq!(days(1), "Nur Arbeitstage: Mo Di, ohne 1 Feiertag");
    assert_eq!(days(0), "Nur Arbeitstage: Mo Di, ohne 0 Feiertage");
    assert_eq!(
        of(Note::NoSeatsOf(Key::Organization)),
        "Nach Organisation gibt es keine eigenen Plätze: was an ihnen gemessen wird, ist leer"
    );
}
