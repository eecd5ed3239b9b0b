//! What plug-ins in the field and monitors see of the service.

use crate::desk::Desk;
use crate::listening::Service;
use crate::load::{Line, minutes, one_bucket};
use std::process::Command;

const GOOD: &str = "username=ann&domainname=corp&appcode=1&version=24.1&machinename=ws1";

#[test]
fn requests_of_the_service_that_it_replaces_get_the_same_answers() {
    let desk = Desk::new();
    one_bucket(&desk, "[http]\nbase_path = \"/path_to_the_web_service\"\n");
    let service = Service::start(&desk);
    let works = r#"{"message": "Service works."}"#;
    let cases = [
        ("/".to_owned(), 200, works),
        ("//".to_owned(), 200, works),
        ("/path_to_the_web_service".to_owned(), 200, works),
        ("/path_to_the_web_service/".to_owned(), 200, works),
        ("/another".to_owned(), 404, "Not Found"),
        ("/ping/another".to_owned(), 404, "Not Found"),
        (format!("/ping?{GOOD}"), 204, ""),
        (format!("//ping?{GOOD}"), 204, ""),
        (format!("/PING/?{GOOD}"), 204, ""),
        (format!("/path_to_the_web_service/ping?{GOOD}"), 204, ""),
        (format!("/any/prefix//Ping//?{GOOD}"), 204, ""),
        ("/ping?userName=Ann&domainName=CORP&appCode=+01&x=y".to_owned(), 204, ""),
        ("/ping".to_owned(), 400, "No user name provided"),
        ("/ping?username=&domainname=&appcode=".to_owned(), 400, "No user name provided"),
        ("/ping?username=+%20&domainname=corp&appcode=1".to_owned(), 400, "No user name provided"),
        ("/ping?username=ann&appcode=1".to_owned(), 400, "No domain name provided"),
        ("/ping?username=ann&domainname=corp".to_owned(), 400, "No app code provided"),
        ("/ping?username=ann&domainname=corp&appcode=1.5".to_owned(), 400, "No app code provided"),
    ];
    for (path, status, body) in cases {
        let answer = service.get(&path);
        assert_eq!((answer.status, answer.body.as_str()), (status, body), "{path}");
    }
    assert_eq!(service.get_with("/", &[("accept", "application/json")]).body, works);
    let page = service.get_with("/", &[("accept", "text/html,application/xhtml+xml")]);
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let health = service.get("/health");
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"ok"}"#));
    assert_eq!(service.stop(), Some(0));
    let expected = [(("ann".to_owned(), "1".to_owned()), 60)].into();
    assert_eq!(minutes(&desk), expected);
    let sessions = desk.ok(&["sessions", "--open", "--format", "csv"]);
    assert!(sessions.contains("24.1") && sessions.contains("ws1"), "{sessions}");
}

#[test]
fn faulty_pings_are_in_the_issue_log_with_names_only_where_names_are_kept() {
    for (identity, names) in [("named", true), ("pseudonymous", false)] {
        let desk = Desk::new();
        one_bucket(&desk, &format!("[privacy]\nidentity = \"{identity}\"\n"));
        let service = Service::start(&desk);
        assert_eq!(service.get("/ping?username=ann&appcode=1").status, 400);
        assert_eq!(service.stop(), Some(0));
        let issues = std::fs::read_to_string(desk.path("adsk_usage_measurement.log")).unwrap();
        assert!(issues.contains("No domain name provided"), "{issues}");
        assert_eq!(issues.contains("user=ann"), names, "{issues}");
    }
}

#[test]
fn a_person_has_one_feature_in_a_bucket_unless_each_is_to_count() {
    for (scope, features) in [("person", 1), ("person_and_feature", 3)] {
        let desk = Desk::new();
        one_bucket(&desk, &format!("[http]\nping.bucket_scope = \"{scope}\"\n"));
        let service = Service::start(&desk);
        for feature in 1..=3 {
            let path = format!("/ping?username=ann&domainname=corp&appcode={feature}");
            assert_eq!(service.get(&path).status, 204);
        }
        drop(service);
        assert_eq!(minutes(&desk).len(), features, "{scope}");
    }
}

#[test]
fn a_bucket_is_ten_minutes_of_usage() {
    let desk = Desk::new();
    let service = Service::start(&desk);
    assert_eq!(service.get(&format!("/ping?{GOOD}")).status, 204);
    assert_eq!(service.stop(), Some(0));
    assert_eq!(minutes(&desk).into_values().collect::<Vec<_>>(), [10]);
}

#[test]
fn names_of_any_letters_are_counted_in_lower_case() {
    let desk = Desk::new();
    one_bucket(&desk, "");
    let service = Service::start(&desk);
    for name in [
        "J%C3%B6rg%20M%C3%9CLLER",
        "j%c3%b6rg+m%c3%bcller",
        "+J%C3%B6rg+M%C3%BCller%20",
        "%FF%00%C3",
        "a'b;drop%20table",
    ] {
        let path = format!("/ping?username={name}&domainname=d.e%24&appcode=2");
        assert_eq!(service.get(&path).status, 204, "{name}");
    }
    assert_eq!(service.stop(), Some(0));
    let users: Vec<String> = minutes(&desk).into_keys().map(|(user, _)| user).collect();
    assert_eq!(users, ["a'b;drop table", "jörg müller", "\u{fffd}\u{fffd}\u{fffd}"]);
}

#[test]
fn hostile_requests_are_refused_and_the_service_goes_on() {
    let desk = Desk::new();
    one_bucket(&desk, "");
    let service = Service::start(&desk);
    let long = "x".repeat(40_000);
    let requests = [
        format!("GET /ping?username={long} HTTP/1.1\r\nhost: here\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: here\r\nx: {long}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: here\r\n{}\r\n", "x: y\r\n".repeat(500)).into_bytes(),
        format!("GET /ping?username={}&domainname=d&appcode=1 HTTP/1.1\r\nhost: here\r\n\r\n", &long[..300])
            .into_bytes(),
        b"GET /ping?username=\xff&domainname=\xfe&appcode=1 HTTP/1.1\r\nhost: here\r\n\r\n".to_vec(),
        b"GET /../../etc/passwd HTTP/1.1\r\nhost: here\r\n\r\n".to_vec(),
        b"POST /ping HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"DELETE / HTTP/1.1\r\nhost: here\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
        b"GET /ping HTTP/9.9\r\n\r\n".to_vec(),
    ];
    for request in requests {
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        // A connection that is cut is an answer too.
        if let Ok(status) = Line::open(service.port()).unwrap().send(&request) {
            assert!((400..500).contains(&status), "{status} for {shown}");
        }
    }
    assert_eq!(service.get(&format!("/ping?{GOOD}")).status, 204);
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn pings_are_taken_from_named_networks_and_so_many_a_minute() {
    let desk = Desk::new();
    one_bucket(
        &desk,
        "[http]\ntrusted_proxies = [\"127.0.0.1\"]\nping.networks = [\"10.0.0.0/8\"]\nping.per_minute = 1\n",
    );
    let service = Service::start(&desk);
    let from =
        |client: &str| service.get_with(&format!("/ping?{GOOD}"), &[("x-forwarded-for", client)]).status;
    assert_eq!((from("192.0.2.1"), from("10.1.2.3, 192.0.2.1"), from("10.1.2.3")), (403, 403, 204));
    // Whatever the minute is: of three at once one is too many at least.
    assert!([from("10.1.2.3"), from("10.1.2.3"), from("10.1.2.3")].contains(&429));
}

#[test]
fn port_wins_over_the_configuration_and_the_option_over_port() {
    let desk = Desk::new();
    desk.write("seatledger.toml", "timezone = \"UTC\"\n[http]\nlisten = \"127.0.0.1:1\"\n");
    // Port 1 is not ours to listen on, or is it: 0 is any free one.
    let mut by_port = desk.command(&["serve"]);
    by_port.env("PORT", "0");
    assert_eq!(Service::start_as(by_port).stop(), Some(0));
    let mut by_option = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
    by_option.env("PORT", "1");
    assert_eq!(Service::start_as(by_option).stop(), Some(0));
    let wrong = desk.ends(2, &["serve", "--listen", "localhost"]);
    assert!(wrong.err.contains("write ADDRESS:PORT"), "{}", wrong.err);
}

#[test]
fn https_is_a_matter_of_configuration() {
    let desk = Desk::new();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    one_bucket(&desk, "[http]\ntls = { certificate = \"certificate.pem\", key = \"key.pem\" }\n");
    let service = Service::start(&desk);
    let url = format!("https://127.0.0.1:{}/ping?{GOOD}", service.port());
    let certificate = std::fs::read(desk.path("certificate.pem")).unwrap();
    let certificate = ureq::tls::Certificate::from_pem(&certificate).unwrap();
    let tls = ureq::tls::TlsConfig::builder()
        .root_certs(ureq::tls::RootCerts::new_with_certs(&[certificate]))
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    assert_eq!(agent.get(&url).call().unwrap().status(), 204);
    assert!(Line::open(service.port()).unwrap().get("/").is_err(), "plain HTTP gets no answer");
    drop(service);
    desk.write("key.pem", "no key\n");
    let refused = desk.ends(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.err.contains("key.pem"), "{}", refused.err);
}
