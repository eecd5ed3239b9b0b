use crate::config::tests::wrong;
use crate::config::{Config, Receiver, Shape, SmtpTls};
use accounting::alert::{Condition, Fullness, When};

fn read(text: &str) -> Config {
    Config::of(text).unwrap_or_else(|wrong| panic!("{}: {}", wrong.line(text), wrong.message))
}

/// What is wrong with a rule of these lines, which begin at line 2.
fn rule_error(lines: &str) -> String {
    wrong(&format!("[[alert]]\n{lines}\nnotify = [\"webhook:https://chat.example.com/x\"]\n"))
}

#[test]
fn the_example_has_a_rule_of_each_kind() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/alerts.toml");
    let config = read(&std::fs::read_to_string(path).unwrap());
    let alerts = &config.alerts;
    let mut kinds: Vec<When> = alerts.rules.iter().map(|alert| alert.rule.condition.when()).collect();
    kinds.dedup();
    assert_eq!(kinds, When::words().map(|(_, when)| when));
    let full = &alerts.rules[0];
    assert_eq!((full.rule.name.as_str(), full.line), ("solver is full", 16));
    assert_eq!((full.rule.timing.hold_ms, full.rule.timing.clear_ms), (600_000, 1_800_000));
    assert_eq!(
        full.notify,
        [Receiver::Mail("licenses@example.com".to_owned()), Receiver::Webhook("licenses".to_owned())]
    );
    let suites = &alerts.rules[1].rule;
    let wanted = Condition::Full { fullness: Fullness::Percent { full: 90, clear: 80 }, each_server: false };
    assert_eq!((&suites.condition, suites.quiet.len()), (&wanted, 3));
    let matches =
        ["suite_a", "Suite_B", "suite_trial", "solver"].map(|name| suites.features.match_any(&[name]));
    assert_eq!(matches, [true, true, false, false]);
    let smtp = alerts.smtp.as_ref().unwrap();
    assert_eq!((smtp.port, smtp.tls), (587, SmtpTls::StartTls));
    assert_eq!((alerts.webhooks.len(), alerts.webhooks[0].shape), (1, Shape::Teams));
    assert_eq!(alerts.receivers().len(), 3);
}

#[test]
fn what_is_left_out_is_as_the_manual_says() {
    let config = read("[[alert]]\nwhen = \"full\"\nnotify = [\"webhook:https://chat.example.com/x\"]\n");
    let alert = &config.alerts.rules[0];
    let all = Condition::Full { fullness: Fullness::Percent { full: 100, clear: 100 }, each_server: false };
    assert_eq!((alert.rule.name.as_str(), &alert.rule.condition), ("full", &all));
    let timing = alert.rule.timing;
    assert_eq!((timing.hold_ms, timing.clear_ms, timing.repeat_ms), (0, 300_000, None));
    assert!(timing.tells_cleared && alert.rule.features.is_everything() && alert.rule.quiet.is_empty());
}

#[test]
fn rules_that_are_not_right_are_refused_with_what_would_be() {
    let cases = [
        ("when = \"ful\"", "2: `ful` is no value of `when`: did you mean `full`?"),
        ("name = \"x\"", "1: an [[alert]] needs a when: one of \"full\", \"denials\", \"expiry\""),
        (
            "when = \"full\"\ndays = 3",
            "3: `days` is no key of when = \"full\" (but of \"expiry\"): it has when, name",
        ),
        ("when = \"full\"\nprecent = 3", "3: unknown key `precent`: did you mean `percent`?"),
        ("when = \"source-silent\"\nfeature = \"x\"", "3: unknown key `feature`: what can stand here is"),
        (
            "when = \"full\"\nfor = \"10\"",
            "3: `10` is no length of time: write \"90s\", \"10m\", \"2h\" or \"3d\"",
        ),
        ("when = \"full\"\nfor = 10", "3: `for` must be a text in quotes, not a number"),
        ("when = \"full\"\nrepeat_after = \"5s\"", "3: `repeat_after` is 1m at least, not `5s`"),
        ("when = \"full\"\npercent = 90\nfree = 2", "1: `percent` and `free` say the same"),
        ("when = \"full\"\nclear_free = 2", "1: `clear_percent` belongs to `percent`"),
        ("when = \"full\"\npercent = 80\nclear_percent = 90", "1: `clear_percent` is 80 at most"),
        ("when = \"full\"\nfree = 3\nclear_free = 2", "1: `clear_free` is 3 at least"),
        ("when = \"full\"\nfeature = [\"a\", \"[\"]", "3: `[` is no pattern: "),
        ("when = \"full\"\nfeature = \"!\"", "3: a pattern is empty: "),
        ("when = \"full\"\nquiet = [\"22-7\"]", "3: `22` is no time of the day: write HH:MM"),
        (
            "when = \"denials\"\nreasons = [\"capasity\"]",
            "3: `capasity` is no reason of a denial: did you mean `capacity`?",
        ),
        ("when = \"expiry\"\ndays = [30, 4000]", "3: `days` must be a whole number from 0 to 3650, not 4000"),
        ("when = \"long-session\"", "1: when = \"long-session\" needs to know how long is too long"),
        (
            "when = \"overnight\"\nat = \"24:00\"",
            "3: `24:00` is no time of the day: write \"00:00\" to \"23:59\"",
        ),
    ];
    for (lines, expected) in cases {
        let error = rule_error(lines);
        assert!(error.starts_with(expected), "{lines}\n{error}\n{expected}");
    }
    let twice = "[[alert]]\nwhen = \"full\"\nnotify = [\"webhook:http://a/\"]\n".repeat(2);
    assert_eq!(
        wrong(&twice),
        "4: the [[alert]] of line 1 is called `full` too: give one of them another name = \"…\""
    );
}

#[test]
fn receivers_that_nobody_reaches_are_refused() {
    let of =
        |ways: &str, notify: &str| wrong(&format!("[[alert]]\nwhen = \"full\"\nnotify = [{notify}]\n{ways}"));
    let smtp = "[smtp]\nhost = \"m\"\nfrom = \"a@b.example\"\n";
    let hook = "[[webhook]]\nname = \"team\"\nurl = \"https://chat.example.com/x\"\n";
    let cases = [
        (of("", ""), "3: `notify` names nobody"),
        (of("", "\"admin\""), "3: `admin` is nobody: write \"mail:ADDRESS\""),
        (of("", "\"mail:admin@example.com\""), "3: who is told by mail needs a section [smtp]"),
        (of(smtp, "\"mail:admin\""), "3: `admin` is no mail address"),
        (of("", "\"webhook:team\""), "3: there is no [[webhook]] `team`: add one"),
        (of(hook, "\"webhook:taem\""), "3: there is no [[webhook]] `taem`: did you mean `team`?"),
        (of("", "\"webhook:ftp://x/y\""), "3: this is no address of a receiver: write https://HOST/PATH"),
        (wrong("[[alert]]\nwhen = \"full\"\n"), "1: an [[alert]] needs to know whom"),
        (wrong("[smtp]\nhost = \"m\"\n"), "1: [smtp] needs a host and a from"),
        (wrong("[smtp]\nhost = \"m\"\nfrom = \"books\"\n"), "3: `books` is no mail address"),
        (wrong(&format!("{smtp}user = \"u\"\n")), "1: [smtp] has a user and a password"),
        (
            wrong(&format!("{smtp}user = \"u\"\npassword = \"p\"\ntls = \"off\"\n")),
            "1: [smtp] would send its password unprotected",
        ),
        (
            wrong(&format!("{smtp}user = \"u\"\npassword = \"p\"\npassword_file = \"f\"\n")),
            "6: `password` and `password_file` say the same",
        ),
        (wrong(&format!("{smtp}timeout = \"3m\"\n")), "4: a receiver may take two minutes at most"),
        (wrong("[[webhook]]\nname = \"team\"\n"), "1: a [[webhook]] needs a name and a url"),
        (wrong(&format!("{hook}{hook}")), "4: there is a [[webhook]] `team` already"),
        (
            wrong(&format!("{hook}shape = \"team\"\n")),
            "4: `team` is no value of `shape`: did you mean `teams`?",
        ),
    ];
    for (error, expected) in cases {
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let text = "
        [smtp]
        host = \"m\"
        from = \"a@b.example\"
        user = \"u\"
        password = \"hidden\"
        [[webhook]]
        name = \"team\"
        url = \"https://chat.example.com/hidden\"
        token = \"hidden\"
    ";
    let config = read(text);
    assert!(!format!("{config:?}").contains("hidden"));
    let shown = |text: &str| Receiver::parse(text).unwrap().shown();
    assert_eq!(shown("mail:amara@example.com"), "mail:…@example.com");
    assert_eq!(shown("webhook:team"), "webhook:team");
    assert_eq!(shown("webhook:https://u:p@chat.example.com/a/b?c"), "webhook:https://chat.example.com/…");
}
