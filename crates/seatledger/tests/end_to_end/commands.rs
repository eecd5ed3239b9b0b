//! Wrong usage, help and the summary for scripts.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use serde_json::Value;

#[test]
fn wrong_usage_ends_with_two() {
    let desk = Desk::new();
    for wrong in [
        &["import"][..],
        &["import", "--timezone", "Mars/Olympus", "x.log"],
        &["import", "--format", "poetry", "x.log"],
        &["report", "astrology"],
        &["report", "usage", "--from", "yesterday-ish"],
        &["nonsense"],
        &[],
    ] {
        let ran = desk.run(wrong);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {} {}", ran.out, ran.err);
        assert!(!ran.err.is_empty(), "{wrong:?}");
    }
}

#[test]
fn every_help_has_an_example() {
    let desk = Desk::new();
    let commands = commands_of(&desk, &[]);
    assert!(
        commands.contains(&"import".to_owned()) && commands.contains(&"verify".to_owned()),
        "{commands:?}"
    );
    for command in commands {
        for below in commands_of(&desk, &[&command]) {
            commands_of(&desk, &[&command, &below]);
        }
    }
}

/// The commands below a command, whose help must show how it is called.
fn commands_of(desk: &Desk, command: &[&str]) -> Vec<String> {
    let help = desk.ok(&[command, &["--help"]].concat());
    let called =
        ["seatledger", "--config /etc/seatledger.toml"].map(|begin| format!("{begin} {}", command.join(" ")));
    let example = help.rsplit_once("Example").map_or("", |(_, example)| example);
    assert!(called.iter().any(|called| example.contains(called.trim())), "{command:?}: {help}");
    let listed = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let listed = listed.take_while(|line| !line.trim().is_empty());
    // A description that goes on is indented more deeply.
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned));
    names.filter(|name| !name.is_empty() && name != "help").collect()
}

#[test]
fn reading_a_ledger_that_is_not_there_says_how_to_make_one() {
    let desk = Desk::new();
    let ran = desk.ends(1, &["report", "usage"]);
    assert!(ran.err.contains("seatledger import"), "{}", ran.err);
    assert!(!desk.db_file().exists());
}

#[test]
fn the_summary_for_scripts_has_the_promised_names() {
    let text = flexnet::log(Shape { seed: 3, days: 2, events_a_day: 40, restarts: false });
    let desk = Desk::new();
    desk.write("debug.log", &text);
    let summary: Value = serde_json::from_str(&desk.import(&["--json", "debug.log"])).unwrap();
    let file = &summary["files"][0];
    for name in [
        "path",
        "format",
        "lines",
        "events",
        "notes",
        "noise",
        "unrecognized",
        "checkouts",
        "checkins",
        "unmatched_checkins",
        "denials",
        "sessions_closed",
        "sessions_open",
        "from",
        "until",
        "already_known",
    ] {
        assert!(file.get(name).is_some(), "{name}: {file}");
    }
    let number = |name: &str| file[name].as_u64().unwrap() as usize;
    let count = |word: &str| text.matches(word).count();
    assert_eq!(number("lines"), text.lines().count());
    assert_eq!(
        ["events", "notes", "noise", "unrecognized"].map(number).iter().sum::<usize>(),
        number("lines")
    );
    assert_eq!(number("checkouts"), count(") OUT: "));
    assert_eq!(number("checkins"), count(") IN: "));
    assert_eq!(number("denials"), count(") DENIED: "));
    assert_eq!(number("sessions_closed") + number("sessions_open"), number("checkouts"));
    assert_eq!(file["from"], "2025-03-03T07:00:00+00:00");
    assert_eq!(summary["totals"]["lines"], file["lines"]);
    let again: Value = serde_json::from_str(&desk.import(&["--json", "debug.log"])).unwrap();
    assert_eq!(again["files"][0]["already_known"], true);
    assert_eq!(again["totals"]["lines"], 0);
}

#[test]
fn help_offers_what_is_taken() {
    let desk = Desk::new();
    desk.write("debug.log", flexnet::log(Shape { seed: 3, days: 1, events_a_day: 20, restarts: false }));
    desk.import(&["debug.log"]);
    assert!(desk.ok(&["report", "--help"]).contains("--time-class"));
    for listing in ["sessions", "history"] {
        let help = desk.ok(&[listing, "--help"]);
        for (option, value) in [("--time-class", "prime"), ("--days", "working")] {
            assert!(!help.contains(option), "{listing} {option}: {help}");
            desk.ends(2, &[listing, option, value]);
        }
        for (option, value) in
            [("--feature", "*"), ("--person", "*"), ("--organization", "*"), ("--from", "2025-01-01")]
        {
            assert!(help.contains(option), "{listing} {option}: {help}");
            desk.ok(&[listing, option, value]);
        }
    }
}

#[test]
fn a_list_of_no_alerts_says_how_to_make_a_rule() {
    let desk = Desk::new();
    desk.write("debug.log", flexnet::log(Shape { seed: 3, days: 1, events_a_day: 20, restarts: false }));
    desk.import(&["debug.log"]);
    let none = desk.ok(&["alert", "list"]);
    let (_, lines) = none.split_once("\n\n").unwrap_or_else(|| panic!("{none}"));
    assert!(lines.starts_with("[[alert]]\n"), "{none}");
    assert_eq!(desk.ok(&["alert", "list", "--format", "json"]).trim(), "[]", "machines read rows");
    desk.write(
        "seatledger.toml",
        format!(
            "timezone = \"UTC\"\n[smtp]\nhost = \"localhost\"\nfrom = \"seatledger@example.com\"\n{lines}"
        ),
    );
    assert!(desk.ok(&["alert", "list"]).starts_with("Nothing is raised by the one rule"));
}
