//! Words in rows, in both languages.

use super::{Language, Texts};
use accounting::calendar::WEEKDAYS;
use accounting::event::DenialReason;
use accounting::session::Ended;

#[test]
fn words_in_rows_are_said_in_german_and_names_are_left_alone() {
    let (english, german) = (Texts::of(Language::En), Texts::of(Language::De));
    let reasons = (0..).map_while(DenialReason::from_code).map(|reason| ("reason", reason.as_str()));
    let endings = (0..).map_while(Ended::from_code).map(|ended| ("ended", ended.as_str()));
    let weekdays = WEEKDAYS.iter().map(|day| ("weekday", *day));
    let states = [
        "watched", "between", "gap", "silent", "starting", "up", "waiting", "down", "stopped", "pending",
        "raised", "cleared",
    ];
    let states = states.map(|state| ("state", state));
    let actions = ["grant", "checkin", "detachment", "timeout", "denial", "queued", "dequeued"]
        .map(|action| ("action", action));
    for (column, word) in reasons
        .chain(endings)
        .chain(weekdays)
        .chain(states)
        .chain(actions)
        .chain([("expires_on", "permanent")])
    {
        assert_eq!(english.value(column, word), word);
        // Versions are called so in both.
        assert!(german.value(column, word) != word || word == "version", "{column} {word}");
        assert_eq!(german.value("feature", word), word, "a feature may be called as it likes");
    }
    assert_eq!(german.value("reason", "capacity (-4)"), "alles belegt (-4)");
    assert_eq!(german.value("reason", "of another time"), "of another time");
}
