//! The JSON interface: who may see what, and that what they see is what the command line says.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::{Answer, Service};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PASSWORD: &str = "correct horse battery";
const REPORTS: [&str; 14] = [
    "usage",
    "ranking",
    "average-licenses",
    "concurrency",
    "levels",
    "utilization",
    "seats-needed",
    "heatmap",
    "overnight",
    "denials",
    "allocation",
    "idle",
    "expiry",
    "coverage",
];

/// A ledger of a few days, of persons in two organizations and in none.
fn desk() -> Desk {
    let desk = Desk::new();
    fill(&desk);
    desk
}

fn fill(desk: &Desk) {
    desk.write("debug.log", flexnet::log(Shape { seed: 11, days: 3, events_a_day: 120, restarts: false }));
    desk.import(&["debug.log"]);
    let people = "login,domain,organization,project,valid_from,valid_until\n\
                  amara,,North,P1,,\nbela,,North,P1,,\nchidi,,South,P2,,\ndana,,North*,P2,,\n";
    desk.write("people.csv", people);
    desk.ok(&["directory", "import", "people.csv"]);
}

fn add_user(desk: &Desk, name: &str, role: &[&str]) {
    let ran = desk.run_piped(&[&["user", "add", name, "--password-stdin"], role].concat(), PASSWORD);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

fn add_token(desk: &Desk, name: &str, of: &[&str]) -> String {
    desk.ok(&[&["token", "add", name], of].concat()).trim().to_owned()
}

/// The header with which a user logs in.
fn password(name: &str, password: &str) -> String {
    use base64::Engine as _;
    let text = format!("{name}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn refused(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let complaint: Value = serde_json::from_str(&answer.body).expect("a complaint is JSON");
    let text = complaint["error"].as_str().expect("a complaint has words");
    assert!(text.contains(words), "{words}: {text}");
}

#[test]
fn on_a_loopback_address_without_users_everything_is_open() {
    let desk = desk();
    let service = Service::start(&desk);
    for path in ["/", "/health", "/metrics", "/api/openapi.json", "/api/v1/reports/usage", "/api/v1/servers"]
    {
        assert_eq!(service.get(path).status, 200, "{path}");
    }
    // A token made before there is any user opens nothing that is not open already, and closes nothing.
    add_token(&desk, "plug-ins", &["--heartbeats"]);
    assert_eq!(service.get("/api/v1/sessions").status, 200);
}

#[test]
fn a_page_of_another_site_that_points_here_is_not_local() {
    let desk = desk();
    let service = Service::start(&desk);
    for headers in [
        &[("host", "seats.example.com")][..],
        &[("host", "localhost"), ("x-forwarded-for", "192.0.2.1")],
        &[("x-real-ip", "192.0.2.1")],
        &[("via", "1.1 proxy")],
        &[("x-forwarded-proto", "https")],
        &[("origin", "https://seats.example.com")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        refused(&service.get_with("/api/v1/reports/usage", headers), 401, "log in");
    }
    let own = format!("http://127.0.0.1:{}", service.port());
    let headers = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(service.get_with("/api/v1/reports/usage", &headers).status, 200);
}

#[test]
fn where_the_configuration_tells_of_a_proxy_nothing_is_open_to_everybody() {
    for told in ["base_path = \"/measurement\"", "trusted_proxies = [\"127.0.0.1\"]"] {
        let desk = Desk::new();
        desk.write("seatledger.toml", format!("timezone = \"UTC\"\n[http]\n{told}\n"));
        let service = Service::start(&desk);
        refused(&service.get("/api/v1/servers"), 401, "log in");
        assert!(service.first_admin_secret().is_some(), "{told}: somebody must be able to log in");
    }
}

#[test]
fn once_there_is_a_user_only_what_machines_ask_is_open() {
    let desk = desk();
    let service = Service::start(&desk);
    add_user(&desk, "amara", &["--role", "admin"]);
    for path in ["/", "/health", "/ping?username=x&domainname=y&appcode=1"] {
        assert!(service.get(path).status < 300, "{path}");
    }
    for path in
        ["/metrics", "/api/v1/reports/usage", "/api/v1/sessions", "/api/v1/features", "/api/v1/servers"]
    {
        let answer = service.get(path);
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").is_some_and(|value| value.starts_with("Basic")), "{path}");
        let known = service.get_as(path, &password("amara", PASSWORD));
        assert_eq!(known.status, 200, "{path}: {known:?}");
    }
    refused(&service.post("/api/v1/heartbeats", None, r#"{"heartbeats": []}"#), 401, "log in");
    // The last user gone, it is open as before.
    desk.ok(&["user", "remove", "amara"]);
    assert_eq!(service.get("/api/v1/servers").status, 200);
}

#[test]
fn each_role_may_what_it_says_and_no_more() {
    let desk = desk();
    add_user(&desk, "root", &["--role", "admin"]);
    add_user(&desk, "viv", &["--role", "viewer"]);
    add_user(&desk, "ora", &["--role", "viewer", "--organization", "North"]);
    let callers = [
        password("root", PASSWORD),
        bearer(&add_token(&desk, "t-admin", &["--role", "admin"])),
        password("viv", PASSWORD),
        bearer(&add_token(&desk, "t-viewer", &["--role", "viewer"])),
        password("ora", PASSWORD),
        bearer(&add_token(&desk, "t-north", &["--role", "viewer", "--organization", "North"])),
        bearer(&add_token(&desk, "t-heartbeats", &["--heartbeats"])),
    ];
    let service = Service::start(&desk);
    let mut wrong = Vec::new();
    let mut expect = |what: &str, statuses: [u16; 7], ask: &dyn Fn(&str) -> Answer| {
        for (caller, status) in callers.iter().zip(statuses) {
            let answer = ask(caller);
            if answer.status != status {
                wrong.push(format!("{what} as {caller}: {} instead of {status}", answer.status));
            }
        }
    };
    let everybody = [200, 200, 200, 200, 200, 200, 403];
    let all_seeing = [200, 200, 200, 200, 403, 403, 403];
    for report in REPORTS {
        let statuses = if matches!(report, "expiry" | "coverage") { all_seeing } else { everybody };
        let path = format!("/api/v1/reports/{report}");
        expect(report, statuses, &|caller| service.get_as(&path, caller));
    }
    for path in ["/api/v1/sessions", "/api/v1/history"] {
        expect(path, everybody, &|caller| service.get_as(path, caller));
    }
    for path in ["/api/v1/features", "/api/v1/servers", "/metrics"] {
        expect(path, all_seeing, &|caller| service.get_as(path, caller));
    }
    let beats = r#"{"heartbeats": [{"user": "zoe", "feature": "viewer"}]}"#;
    let senders = [200, 200, 403, 403, 403, 403, 200];
    expect("heartbeats", senders, &|caller| service.post("/api/v1/heartbeats", Some(caller), beats));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_organization_s_viewer_sees_its_figures_and_nothing_of_others() {
    let desk = desk();
    // Its name is no pattern: the viewer of `North*` does not see North.
    let starred = bearer(&add_token(&desk, "starred", &["--role", "viewer", "--organization", "North*"]));
    let north = bearer(&add_token(&desk, "north", &["--role", "viewer", "--organization", "North"]));
    add_user(&desk, "root", &["--role", "admin"]);
    let service = Service::start(&desk);
    for (path, command) in [
        ("reports/usage?by=organization,person", &["report", "usage", "--by", "organization,person"][..]),
        ("reports/denials?by=person", &["report", "denials", "--by", "person"]),
        ("reports/overnight", &["report", "overnight"]),
        ("reports/concurrency?by=person", &["report", "concurrency", "--by", "person"]),
        ("reports/utilization", &["report", "utilization"]),
        ("sessions?open=false", &["sessions"]),
        ("history", &["history"]),
    ] {
        let seen = service.get_as(&format!("/api/v1/{path}"), &north);
        let own = desk.ok(&[command, &["--organization", "North", "--format", "json"]].concat());
        // Of the command `North` is a pattern, which fits its own name only.
        assert_eq!(seen.body, own, "{path}");
        for other in ["chidi", "dana", "eero", "South", "North*"] {
            assert!(!seen.body.contains(&format!("\"{other}\"")), "{path} tells of {other}");
        }
    }
    let rows = |path: &str| -> Vec<Value> {
        let answer = service.get_as(path, &north);
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str(&answer.body).unwrap()
    };
    let features = |rows: &[Value]| -> BTreeSet<String> {
        rows.iter().map(|row| row["feature"].as_str().unwrap().to_owned()).collect()
    };
    let idle = rows("/api/v1/reports/idle");
    assert_eq!(features(&idle), features(&rows("/api/v1/reports/usage?by=feature")));
    assert!(!idle.is_empty() && idle.iter().all(|row| row["seats_issued"].is_null()), "{idle:?}");
    let soon = rows("/api/v1/reports/idle?until=2025-03-01");
    assert!(soon.is_empty(), "nobody had used anything by then: {soon:?}");
    let unknown = service.get_as("/api/v1/reports/usage?server=nowhere", &north);
    refused(&unknown, 400, "no license server `nowhere`");
    assert!(!unknown.body.contains("knows"), "{unknown:?}");
    let persons = |caller: &str| {
        let answer = service.get_as("/api/v1/reports/usage?by=person", caller);
        let rows: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        rows.iter().map(|row| row["person"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(persons(&north), ["amara", "bela"]);
    assert_eq!(persons(&starred), ["dana"]);
    for other in ["South", "*", "North*", "north"] {
        let path = format!("/api/v1/sessions?organization={other}");
        refused(&service.get_as(&path, &north), 403, "the figures of North only");
    }
    assert_eq!(service.get_as("/api/v1/sessions?organization=North", &north).status, 200);
}

#[test]
fn a_token_is_void_once_it_is_removed() {
    let desk = desk();
    add_user(&desk, "root", &["--role", "admin"]);
    let token = add_token(&desk, "charts", &["--role", "viewer"]);
    let listed = desk.ok(&["token", "list", "--format", "csv"]);
    assert!(!listed.contains(&token) && listed.contains(&token[token.len() - 4..]), "{listed}");
    let service = Service::start(&desk);
    let ask = || service.get_as("/api/v1/sessions", &bearer(&token));
    assert_eq!(ask().status, 200);
    desk.ok(&["token", "remove", "charts"]);
    refused(&ask(), 401, "token");
    // Another one of the same name is another one.
    let other = add_token(&desk, "charts", &["--role", "viewer"]);
    refused(&ask(), 401, "token");
    assert_eq!(service.get_as("/api/v1/sessions", &bearer(&other)).status, 200);
}

#[test]
fn a_user_taken_out_or_given_another_password_is_so_at_once() {
    let desk = desk();
    add_user(&desk, "root", &["--role", "admin"]);
    add_user(&desk, "viv", &["--role", "viewer"]);
    let service = Service::start(&desk);
    let ask = || service.get_as("/api/v1/servers", &password("viv", PASSWORD)).status;
    assert_eq!([ask(), ask()], [200, 200], "the second time it is remembered");
    desk.ok(&["user", "remove", "viv"]);
    assert_eq!(ask(), 401);
    let ran =
        desk.run_piped(&["user", "add", "viv", "--role", "viewer", "--password-stdin"], "another password");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ask(), 401);
    assert_eq!(service.get_as("/api/v1/servers", &password("viv", "another password")).status, 200);
}

#[test]
fn wrong_passwords_have_to_wait_and_others_do_not() {
    let desk = desk();
    add_user(&desk, "root", &["--role", "admin"]);
    let service = Service::start(&desk);
    let ask = |name: &str, with: &str| service.get_as("/api/v1/servers", &password(name, with));
    assert_eq!(ask("root", PASSWORD).status, 200);
    for name in ["root", "nobody"] {
        for _ in 0..5 {
            refused(&ask(name, "wrong password"), 401, "wrong name or password");
        }
        let answer = ask(name, "wrong password");
        refused(&answer, 429, "too many attempts to log in");
        let seconds: u64 = answer.header("retry-after").and_then(|text| text.parse().ok()).unwrap();
        assert!((1..=3).contains(&seconds), "{seconds}");
    }
    assert_eq!(ask("root", PASSWORD).status, 200, "who is known is not locked out");
}

#[test]
fn a_page_that_asks_many_times_at_once_is_one_login() {
    let desk = desk();
    add_user(&desk, "root", &["--role", "admin"]);
    let service = Service::start(&desk);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || service.get_as("/api/v1/servers", &password("root", PASSWORD)).status;
        let asking: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 12]);
}

#[test]
fn the_first_admin_is_made_with_the_printed_secret_once() {
    let desk = desk();
    let service = Service::start_at(&desk, "0.0.0.0:0");
    refused(&service.get("/api/v1/servers"), 401, "log in");
    assert_eq!(service.get("/").status, 200);
    let secret = service.first_admin_secret().expect("a link is printed where nobody could log in");
    let make = |secret: &str, name: &str, password: &str| {
        let body = json!({"secret": secret, "name": name, "password": password}).to_string();
        service.post("/api/v1/first-admin", None, &body)
    };
    refused(&make("first_guess", "amara", PASSWORD), 403, "secret");
    refused(&make(&secret, "amara", "short"), 400, "at least 8 characters");
    refused(&make(&secret, "a:b", PASSWORD), 400, "colon");
    let admin = make(&secret, "amara", PASSWORD);
    assert_eq!(admin.status, 201, "{admin:?}");
    assert_eq!(service.get_as("/api/v1/servers", &password("amara", PASSWORD)).status, 200);
    refused(&make(&secret, "bela", PASSWORD), 403, "secret");
    assert_eq!(desk.ok(&["user", "list", "--format", "csv"]).lines().count(), 2);
    drop(service);
    assert_eq!(Service::start_at(&desk, "0.0.0.0:0").first_admin_secret(), None);
}

#[test]
fn every_answer_is_byte_for_byte_the_command_s() {
    same_answers(&desk());
}

#[test]
fn every_answer_is_byte_for_byte_the_command_s_on_postgres() {
    let desk = Desk::on_postgres();
    fill(&desk);
    same_answers(&desk);
}

fn same_answers(desk: &Desk) {
    let service = Service::start(desk);
    let same = |path: &str, command: &[&str]| {
        for format in ["json", "csv"] {
            let separator = if path.contains('?') { '&' } else { '?' };
            let answer = service.get(&format!("/api/v1/{path}{separator}format={format}"));
            let ran = desk.ends(0, &[command, &["--format", format]].concat());
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert_eq!(answer.body, ran.out, "{path}");
            assert!(answer.body.len() > 2, "{path}: {answer:?}");
            let notes: Vec<String> = answer
                .header("seatledger-notes")
                .map_or(Vec::new(), |text| serde_json::from_str(text).unwrap());
            for note in notes {
                assert!(
                    ran.err.contains(note.split_whitespace().next().unwrap()),
                    "{path}: {note}\n{}",
                    ran.err
                );
            }
        }
    };
    for report in REPORTS.into_iter().filter(|report| !matches!(*report, "expiry" | "allocation")) {
        same(&format!("reports/{report}"), &["report", report]);
    }
    same("reports/allocation?cost=100.50", &["report", "allocation", "--cost", "100.50"]);
    same(
        "reports/usage?by=day,person,time_class&from=2025-03-04&until=2025-03-06&feature=s*&time-class=prime",
        &[
            "report",
            "usage",
            "--by",
            "day,person,time_class",
            "--from",
            "2025-03-04",
            "--until",
            "2025-03-06",
            "--feature",
            "s*",
            "--time-class",
            "prime",
        ],
    );
    same("reports/concurrency?step=hour", &["report", "concurrency", "--step", "hour"]);
    same("sessions", &["sessions"]);
    same("sessions?open=true", &["sessions", "--open"]);
    same("history?person=amara", &["history", "--person", "amara"]);
}

#[test]
fn a_wrong_question_is_told_what_would_be_right() {
    let desk = desk();
    let service = Service::start(&desk);
    for (path, status, words) in [
        ("reports/usages", 404, "there are usage, ranking"),
        ("reports/usage?by=moth", 400, "moth"),
        ("reports/usage?frm=2025-01-01", 400, "no parameter `frm`: there are by"),
        ("reports/usage?from=2025-13-01", 400, "from `2025-13-01`"),
        ("reports/usage?from=2025-03-04&until=2025-03-04", 400, "is not before"),
        ("reports/usage?step=day", 400, "step belongs to the report concurrency"),
        ("reports/usage?server=nowhere", 400, "no license server `nowhere`"),
        ("reports/usage?time_class=noon", 400, "no time class `noon`"),
        ("reports/usage?feature=%5B", 400, "is no pattern"),
        ("reports/usage?format=xml", 400, "json, csv, xlsx or html"),
        ("reports/usage?output=/tmp/x", 400, "no parameter `output`"),
        ("sessions?days=all", 400, "no parameter `days`"),
        ("sessions?open=yes", 400, "true or false"),
        ("servers?x=1", 400, "no parameters"),
        ("nothing", 404, "openapi.json"),
    ] {
        let answer = service.get(&format!("/api/v1/{path}"));
        refused(&answer, status, words);
        assert!(!answer.body.contains("--"), "{}", answer.body);
    }
}

#[test]
fn heartbeats_count_once_each_and_are_refused_one_by_one() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let send = |list: Value| {
        let answer = service.post("/api/v1/heartbeats", None, &json!({ "heartbeats": list }).to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    let counts =
        |taken: &Value| ["accepted", "new", "already_counted"].map(|name| taken[name].as_u64().unwrap());
    let amara =
        json!({"user": "Amara", "domain": "CORP", "host": "WS-12", "process": "17", "feature": "Viewer"});
    let other = json!({"user": "amara", "domain": "corp", "feature": "editor", "version": "2"});
    assert_eq!(counts(&send(json!([amara, amara, other]))), [3, 2, 1]);
    let again = json!([{"user": "amara", "domain": "corp", "feature": "Viewer"}, other]);
    let taken = send(again);
    // A bucket may have turned between the two.
    assert_eq!(counts(&taken)[0], 2);
    let mixed = send(json!([
        {"user": "", "feature": "x"},
        other,
        {"user": "bela", "feature": "x", "at": "2999-01-01T00:00:00Z"},
        {"user": "bela", "feature": "x", "at": "yesterday"},
        {"user": "bela", "feature": "x\u{0}"},
        {"user": "bela", "feature": "x", "at": "2001-01-01T00:00:00Z"},
    ]));
    assert_eq!(mixed["accepted"], 1);
    let refused: Vec<(u64, &str)> = mixed["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["index"].as_u64().unwrap(), of["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(refused.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2, 3, 4, 5], "{refused:?}");
    for (words, (_, reason)) in ["empty", "future", "RFC 3339", "control", "too old"].iter().zip(&refused) {
        assert!(reason.contains(words), "{words}: {reason}");
    }
    let sessions: Vec<Value> =
        serde_json::from_str(&desk.ok(&["sessions", "--open", "--format", "json"])).unwrap();
    let mut held: Vec<_> = sessions.iter().map(|row| row["feature"].as_str().unwrap()).collect();
    held.sort_unstable();
    assert_eq!(held, ["Viewer", "editor"], "{sessions:?}");
    desk.ok(&["verify"]);
}

#[test]
fn bodies_that_are_no_heartbeats_are_refused_whole() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    let beat = json!({"user": "amara", "feature": "x"});
    let many = json!({"heartbeats": vec![beat; 1001]}).to_string();
    let path = "/api/v1/heartbeats";
    for (body, status, words) in [
        ("", 400, "the body is not right"),
        ("[]", 400, "the body is not right"),
        (r#"{"heartbeats": [{"user": "amara"}]}"#, 400, "feature"),
        (r#"{"heartbeats": [{"user": "amara", "feature": "x", "versoin": "1"}]}"#, 400, "versoin"),
        (many.as_str(), 400, "at most 1000"),
    ] {
        refused(&service.post(path, None, body), status, words);
    }
    let huge = format!("{{\"heartbeats\": [{}]}}", " ".repeat(2 << 20));
    assert_eq!(service.post(path, None, &huge).status, 413);
    let plain = service.post_as_text(path, r#"{"heartbeats": []}"#);
    refused(&plain, 415, "application/json");
    let got = service.get(path);
    refused(&got, 405, "method");
    assert_eq!(got.header("allow"), Some("POST"));
}

#[test]
fn accounts_are_asked_for_as_other_commands_are() {
    let desk = Desk::new();
    for wrong in [
        &["user", "add", "amara"][..],
        &["user", "add", "amara", "--role", "king"],
        &["user", "add", "amara", "--role", "admin", "--organization", "North"],
        &["user", "add", "am:ara", "--role", "admin"],
        &["user", "add", "amara", "--role", "admin"],
        &["token", "add", "charts"],
        &["token", "add", "charts", "--heartbeats", "--role", "viewer"],
    ] {
        let ran = desk.run(wrong);
        assert_eq!(ran.code, Some(2), "{wrong:?}: {} {}", ran.out, ran.err);
    }
    let short = desk.run_piped(&["user", "add", "amara", "--role", "admin", "--password-stdin"], "short\n");
    assert_eq!(short.code, Some(2), "{short:?}");
    add_user(&desk, "amara", &["--role", "admin"]);
    let twice = desk.run_piped(&["user", "add", "amara", "--role", "admin", "--password-stdin"], PASSWORD);
    assert_eq!(twice.code, Some(1), "{twice:?}");
    assert!(twice.err.contains("already"), "{twice:?}");
    let unknown = desk.run_piped(
        &["user", "add", "bela", "--role", "viewer", "--organization", "West", "--password-stdin"],
        PASSWORD,
    );
    assert!(
        unknown.code == Some(0) && unknown.err.contains("nobody in the organization `West`"),
        "{unknown:?}"
    );
    let users: Value = serde_json::from_str(&desk.ok(&["user", "list", "--format", "json"])).unwrap();
    let shown: Vec<_> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            [&user["name"], &user["role"], &user["organization"]].map(|text| text.as_str().unwrap_or("-"))
        })
        .collect();
    assert_eq!(shown, [["amara", "admin", "-"], ["bela", "organization-viewer", "West"]]);
    let dump = std::fs::read(desk.db_file()).unwrap();
    let holds = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(PASSWORD), "no password is stored");
    desk.ends(1, &["user", "remove", "chidi"]);
    desk.ends(1, &["token", "remove", "charts"]);
    desk.ok(&["user", "remove", "bela"]);
    let last = desk.ends(0, &["user", "remove", "amara"]);
    assert!(last.err.contains("no user is left"), "{last:?}");
}
