//! Alerts from outside: the service tells mail servers and webhooks, once, whatever happens.

mod receivers;

use crate::desk::Desk;
use crate::listening::Service;
use jiff::{Timestamp, ToSpan as _};
use receivers::{Hook, MailServer, certificate};
use serde_json::Value;

/// What lmstat prints, so many minutes ago; who holds one of two seats, or that nobody answers.
#[expect(clippy::disallowed_methods, reason = "what is of long ago raises nothing")]
fn poll(minutes_ago: i64, holders: Option<&[&str]>) -> String {
    let at = Timestamp::now().checked_sub(minutes_ago.minutes()).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
    let since = at.checked_sub(3.hours()).unwrap().strftime("%a %-m/%-d %-H:%M");
    let status = at.strftime("%a %-m/%-d/%Y %H:%M");
    let head = format!(
        "lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.\nFlexible License Manager status on {status}\n\nLicense server status: 27000@lic1\n"
    );
    let Some(holders) = holders else {
        return format!("{head}lic1: Cannot connect to license server system. (-15,570)\n");
    };
    let mut text = format!(
        "{head}lic1: license server UP (MASTER) v11.16\nVendor daemon status (on lic1):\n     acmed: UP v11.16\n\
         Feature usage info:\nUsers of solver:  (Total of 2 licenses issued;  Total of {} licenses in use)\n  \
         \"solver\" v1.0, vendor: acmed, expiry: 31-dec-2099\n  floating license\n",
        holders.len()
    );
    for (handle, user) in (101..).zip(holders) {
        text += &format!("    {user} ws-07 ws-07 (v1.0) (lic1/27000 {handle}), start {since}\n");
    }
    text
}

/// Imports a poll under a name of its own.
#[track_caller]
fn polled(desk: &Desk, name: &str, minutes_ago: i64, holders: Option<&[&str]>) {
    desk.write(name, poll(minutes_ago, holders));
    desk.import(&[name]);
}

fn configured(desk: &Desk, alerts: &str) {
    desk.write("seatledger.toml", format!("timezone = \"UTC\"\n{alerts}"));
}

/// A rule that tells one webhook when the solver is full.
fn full(hook: &Hook) -> String {
    format!(
        "[[alert]]\nwhen = \"full\"\nclear_after = \"0s\"\nnotify = [\"webhook:{}\"]\n",
        hook.url("/alerts")
    )
}

/// Waits until the service has looked at the rule, and sent what was to be sent; how much is raised.
fn looked(service: &Service, rule: &str) -> i64 {
    let metric = |text: &str, name: &str| -> Option<i64> {
        let line = text.lines().find(|line| line.starts_with(name))?;
        line.rsplit(' ').next()?.parse().ok()
    };
    loop {
        let text = service.get("/metrics").body;
        let raised = metric(&text, &format!("seatledger_alerts_raised{{rule=\"{rule}\"}} "));
        let waiting = metric(&text, "seatledger_alert_messages_waiting ");
        if let (Some(raised), Some(0)) = (raised, waiting) {
            return raised;
        }
        std::thread::yield_now();
    }
}

const BOTH: Option<&[&str]> = Some(&["amara", "bruno"]);
const ONE: Option<&[&str]> = Some(&["amara"]);

#[test]
fn a_full_feature_is_told_once_through_restarts_and_failed_polls_until_it_is_free() {
    let (desk, hook) = (Desk::new(), Hook::new());
    configured(&desk, &full(&hook));
    polled(&desk, "1.txt", 3, BOTH);
    let service = Service::start(&desk);
    let raised = hook.next().json();
    assert_eq!((raised["change"].as_str(), raised["rule"].as_str()), (Some("raised"), Some("full")));
    assert_eq!(raised["alerts"][0]["text"], "solver: 2 of 2 seats in use");
    assert_eq!(raised["alerts"][0]["figures"], serde_json::json!({"seats_in_use": 2, "seats_issued": 2}));
    assert_eq!(looked(&service, "full"), 1);
    let listed: Value = serde_json::from_str(&service.get("/api/v1/alerts").body).unwrap();
    assert_eq!(
        (listed[0]["state"].as_str(), listed[0]["feature"].as_str()),
        (Some("raised"), Some("solver"))
    );
    assert_eq!(service.stop(), Some(0));
    // It is told already.
    let service = Service::start(&desk);
    assert_eq!(looked(&service, "full"), 1);
    assert_eq!(service.stop(), Some(0));
    // Nobody knows: it stays as it was.
    polled(&desk, "2.txt", 2, None);
    let service = Service::start(&desk);
    assert_eq!(looked(&service, "full"), 1);
    assert_eq!(service.stop(), Some(0));
    polled(&desk, "3.txt", 1, ONE);
    let service = Service::start(&desk);
    let cleared = hook.next().json();
    assert_eq!(cleared["change"], "cleared", "what is told next is that it is over: {cleared}");
    assert_eq!(looked(&service, "full"), 0);
    assert_eq!(service.get("/api/v1/alerts").body, "[]\n");
    let past: Value = serde_json::from_str(&service.get("/api/v1/alerts?since=2025-01-01").body).unwrap();
    assert_eq!((past[0]["state"].as_str(), past[0]["rule"].as_str()), (Some("cleared"), Some("full")));
    assert_eq!(service.stop(), Some(0));
    assert!(hook.is_silent());
    let listed = desk.ok(&["alert", "list", "--since", "2025-01-01", "--format", "csv"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
}

/// All processes look, one tells.
fn told_once(desk: &Desk) {
    let hook = Hook::new();
    configured(desk, &full(&hook));
    polled(desk, "1.txt", 2, BOTH);
    let services: Vec<Service> = (0..3).map(|_| Service::start(desk)).collect();
    for service in &services {
        assert_eq!(looked(service, "full"), 1);
    }
    for service in services {
        assert_eq!(service.stop(), Some(0));
    }
    assert_eq!(hook.next().json()["change"], "raised");
    assert!(hook.is_silent(), "one of three has told");
    polled(desk, "2.txt", 1, ONE);
    let services: Vec<Service> = (0..3).map(|_| Service::start(desk)).collect();
    for service in &services {
        assert_eq!(looked(service, "full"), 0);
    }
    drop(services);
    assert_eq!(hook.next().json()["change"], "cleared");
    assert!(hook.is_silent());
}

#[test]
fn three_processes_on_one_postgresql_tell_once() {
    told_once(&Desk::on_postgres());
}

#[test]
fn three_processes_on_one_sqlite_file_tell_once() {
    told_once(&Desk::new());
}

#[test]
fn a_service_that_is_killed_while_it_tells_has_told_after_the_next_start() {
    let (desk, hook) = (Desk::new(), Hook::deaf());
    configured(
        &desk,
        &format!(
            "[[webhook]]\nname = \"team\"\nurl = \"{}\"\ntimeout = \"1s\"\n\
             [[alert]]\nwhen = \"full\"\nnotify = [\"webhook:team\"]\n",
            hook.url("/secret-path")
        ),
    );
    polled(&desk, "1.txt", 1, BOTH);
    let service = Service::start(&desk);
    // It is raised, and on its way: the receiver has it and does not answer.
    let first = hook.next();
    drop(service);
    hook.answer_from_now_on();
    let service = Service::start(&desk);
    let second = hook.next();
    assert_eq!(second.json(), first.json(), "the same message comes again");
    assert_eq!(second.header("idempotency-key"), first.header("idempotency-key"));
    assert_eq!(looked(&service, "full"), 1);
    assert_eq!(service.stop(), Some(0));
    assert!(hook.is_silent());
}

#[test]
fn what_a_receiver_does_not_take_is_sent_again_and_said_without_its_secrets() {
    let (desk, hook) = (Desk::new(), Hook::failing(503));
    configured(&desk, &full(&hook));
    polled(&desk, "1.txt", 1, BOTH);
    let service = Service::start(&desk);
    let refused = hook.next();
    loop {
        let health: Value = serde_json::from_str(&service.get("/health").body).unwrap();
        assert_eq!(health["status"], "ok", "the service does its work");
        if let Some(warning) = health["warnings"][0].as_str() {
            assert!(warning.starts_with("alerts do not arrive at webhook:http://127.0.0.1:"), "{warning}");
            assert!(!warning.contains("/alerts"), "the path of an address may be a secret: {warning}");
            break;
        }
    }
    hook.answer_from_now_on();
    assert_eq!(hook.next().json(), refused.json());
    assert_eq!(looked(&service, "full"), 1);
    assert_eq!(service.get("/health").body.trim(), r#"{"status":"ok"}"#);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn mail_goes_out_protected_and_with_a_login() {
    let desk = Desk::new();
    let certificate = certificate(&desk);
    let sink = MailServer::start(Some(&certificate));
    let config = |password: &str| {
        desk.write("password", password);
        format!(
            "[smtp]\nhost = \"localhost\"\nport = {}\nca_file = \"certificate.pem\"\nuser = \"amara\"\n\
             password_file = \"password\"\nfrom = \"Seatledger <books@example.com>\"\n\
             [[alert]]\nwhen = \"full\"\nnotify = [\"mail:admin@example.com\"]\n",
            sink.port()
        )
    };
    configured(&desk, &config("wrong\n"));
    let refused = desk.ends(1, &["alert", "test"]);
    assert!(refused.err.contains("mail:admin@example.com has not taken the test message"), "{}", refused.err);
    assert!(refused.err.contains("535") && !refused.err.contains("wrong"), "{}", refused.err);
    configured(&desk, &config("secret\n"));
    let said = desk.ok(&["alert", "test"]);
    assert_eq!(said, "mail:admin@example.com has taken the test message\n");
    let tried = sink.next();
    assert_eq!(tried["headers"]["subject"], "[Seatledger] Seatledger test: messages arrive here");
    polled(&desk, "1.txt", 1, BOTH);
    let service = Service::start(&desk);
    let mail = sink.next();
    assert_eq!((mail["from"].as_str(), mail["tls"].as_bool()), (Some("books@example.com"), Some(true)));
    assert_eq!((mail["to"][0].as_str(), mail["login"].as_str()), (Some("admin@example.com"), Some("amara")));
    let headers = &mail["headers"];
    assert_eq!(headers["subject"], "[Seatledger] Raised: full — solver: 2 of 2 seats in use");
    assert_eq!(
        (headers["auto-submitted"].as_str(), headers["to"].as_str()),
        (Some("auto-generated"), Some("admin@example.com"))
    );
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.starts_with("- solver: 2 of 2 seats in use\n\nRule `full` (when = \"full\"), raised at "),
        "{text}"
    );
    assert_eq!(looked(&service, "full"), 1);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn mail_without_protection_goes_where_that_is_wanted() {
    let (desk, sink) = (Desk::new(), MailServer::start(None));
    configured(
        &desk,
        &format!(
            "[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"off\"\nfrom = \"books@example.com\"\n\
             [[alert]]\nwhen = \"long-session\"\nheld = \"2h\"\nnotify = [\"mail:admin@example.com\"]\n",
            sink.port()
        ),
    );
    polled(&desk, "1.txt", 1, ONE);
    let service = Service::start(&desk);
    let mail = sink.next();
    assert_eq!((mail["tls"].as_bool(), mail["login"].as_str()), (Some(false), None));
    let text = mail["text"].as_str().unwrap();
    assert!(text.starts_with("- solver: amara on ws-07 holds 1 seat since 2"), "{text}");
    assert!(text.contains(", for 3.0 hours\n"), "{text}");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn messages_name_persons_by_pseudonyms_where_the_ledger_does() {
    let (desk, hook) = (Desk::new(), Hook::new());
    configured(
        &desk,
        &format!(
            "[privacy]\nidentity = \"pseudonymous\"\n[[alert]]\nwhen = \"long-session\"\nheld = \"2h\"\n\
             notify = [\"webhook:{}\"]\n",
            hook.url("/")
        ),
    );
    polled(&desk, "1.txt", 1, ONE);
    let service = Service::start(&desk);
    let told = hook.next();
    assert!(!told.body.contains("amara") && !told.body.contains("ws-07"), "{}", told.body);
    let user = told.json()["alerts"][0]["user"].as_str().map(str::to_owned);
    assert!(user.as_ref().is_some_and(|user| user.starts_with("p-") && user.len() == 18), "{user:?}");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn who_is_forgotten_is_not_named_by_messages_that_wait() {
    let (desk, hook) = (Desk::new(), Hook::failing(503));
    configured(
        &desk,
        &format!(
            "[[alert]]\nwhen = \"long-session\"\nheld = \"2h\"\nnotify = [\"webhook:{}\"]\n",
            hook.url("/")
        ),
    );
    polled(&desk, "1.txt", 1, ONE);
    let service = Service::start(&desk);
    assert_eq!(hook.next().json()["alerts"][0]["user"], "amara", "not taken: it waits");
    drop(service);
    let export: Value = serde_json::from_str(&desk.ok(&["person", "export", "amara"])).unwrap();
    let about = export["alerts"][0]["alert"].as_str().unwrap();
    assert!(about.starts_with("solver: amara on ws-07 holds 1 seat since "), "{about}");
    desk.ok(&["person", "forget", "amara"]);
    hook.answer_from_now_on();
    let service = Service::start(&desk);
    let told = hook.next();
    assert!(!told.body.contains("amara") && told.body.contains("forgotten-"), "{}", told.body);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn webhooks_get_their_messages_in_their_shapes() {
    let (desk, hook) = (Desk::new(), Hook::new());
    desk.write("token", "t0ken\n");
    desk.write("slack-url", format!("{}\n", hook.url("/slack")));
    configured(
        &desk,
        &format!(
            "[[webhook]]\nname = \"team\"\nshape = \"teams\"\nurl = \"{}\"\ntoken_file = \"token\"\n\
             [[webhook]]\nname = \"slack\"\nshape = \"slack\"\nurl_file = \"slack-url\"\n\
             [[alert]]\nwhen = \"full\"\nnotify = [\"webhook:team\", \"webhook:slack\", \"webhook:{}\"]\n",
            hook.url("/teams"),
            hook.url("/json")
        ),
    );
    let said = desk.ok(&["alert", "test"]);
    assert_eq!(said.lines().count(), 3, "{said}");
    let (teams, slack, json) = (hook.next(), hook.next(), hook.next());
    assert_eq!(teams.line, "POST /teams HTTP/1.1");
    assert_eq!(teams.header("authorization"), "Bearer t0ken");
    let card = &teams.json()["attachments"][0];
    assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(card["content"]["body"][0]["text"], "Seatledger test: messages arrive here");
    assert_eq!(slack.line, "POST /slack HTTP/1.1");
    let text = slack.json()["text"].as_str().unwrap().to_owned();
    assert!(text.starts_with("*Seatledger test: messages arrive here*\nThis is a test, sent at "), "{text}");
    assert_eq!(json.line, "POST /json HTTP/1.1");
    assert_eq!(
        (json.json()["test"].as_bool(), json.json()["alerts"].as_array().map(Vec::len)),
        (Some(true), Some(0))
    );
    let only = desk.ok(&["alert", "test", "webhook:slack"]);
    assert_eq!(only, "webhook:slack has taken the test message\n");
    let wrong = desk.ends(2, &["alert", "test", "webhook:slak"]);
    assert!(
        wrong.err.contains("no rule tells `webhook:slak`: there are webhook:team, webhook:slack"),
        "{}",
        wrong.err
    );
}

#[test]
fn a_dry_run_says_what_would_be_raised_and_writes_nothing() {
    let desk = Desk::new();
    let none = desk.ends(1, &["alert", "test"]);
    assert!(none.err.contains("seatledger.toml has no [[alert]]: docs/alerts.md"), "{}", none.err);
    configured(
        &desk,
        "[smtp]\nhost = \"localhost\"\nfrom = \"books@example.com\"\n\
         [[alert]]\nwhen = \"full\"\nnotify = [\"mail:admin@example.com\"]\n\
         [[alert]]\nwhen = \"server-down\"\nfor = \"1m\"\nnotify = [\"mail:admin@example.com\"]\n",
    );
    polled(&desk, "1.txt", 4, BOTH);
    for _ in 0..2 {
        let checked = desk.run(&["alert", "check", "--format", "csv"]);
        assert_eq!(checked.code, Some(0), "{}", checked.err);
        assert!(
            checked.out.contains("full,full,would be raised,solver: 2 of 2 seats in use,"),
            "{}",
            checked.out
        );
        assert!(checked.out.trim_end().ends_with("mail:admin@example.com"), "{}", checked.out);
        assert_eq!(checked.out.lines().count(), 2, "{}", checked.out);
    }
    assert_eq!(desk.ok(&["alert", "list", "--format", "csv"]).lines().count(), 1);
    polled(&desk, "2.txt", 3, None);
    polled(&desk, "3.txt", 1, None);
    let checked = desk.ok(&["alert", "check", "--format", "csv"]);
    assert!(
        checked.contains("server-down,server-down,would be raised,\"27000@lic1: no poll answered since"),
        "{checked}"
    );
    assert_eq!(checked.lines().count(), 2, "full or not, nobody knows: {checked}");
}
