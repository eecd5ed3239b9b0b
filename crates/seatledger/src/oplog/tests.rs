//! The log with real receivers: none of these tests says how long anything takes, but that nobody waits.

mod receiver;

use super::settings::{ElkSettings, Face, Origin};
use super::{OpLog, Settings};
use accounting::UnixMs;
use receiver::{Answer, Receiver, certificate};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Saturday, 2025-03-01 at 10:20:30.123 UTC.
fn now() -> UnixMs {
    1_740_824_430_123
}

/// As long as it takes.
const LONG: Duration = Duration::from_mins(1);

/// A console that remembers.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("paper").clone()).expect("UTF-8")
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("paper").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A log with its console and a place for its files.
struct Desk {
    log: OpLog,
    paper: Paper,
    place: tempfile::TempDir,
}

impl Desk {
    fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let place = tempfile::tempdir().expect("a place");
        let mut settings = Settings {
            console: Face::Human,
            issues: place.path().join("issues.log"),
            names: true,
            origin: Origin {
                host: "books1".to_owned(),
                environment: "test".to_owned(),
                service: "seatledger".to_owned(),
                script_dir: "/opt/seatledger".to_owned(),
                script_file: "seatledger".to_owned(),
                run_context: "standalone".to_owned(),
            },
            elk: None,
        };
        change(&mut settings);
        let paper = Paper::default();
        let log = OpLog::start_onto(&settings, Box::new(paper.clone()), now).expect("a log");
        Self { log, paper, place }
    }

    fn sending(elk: ElkSettings) -> Self {
        Self::new(|settings| settings.elk = Some(elk))
    }

    fn issues(&self) -> String {
        std::fs::read_to_string(self.place.path().join("issues.log")).expect("an issue log")
    }
}

fn elk(url: &str) -> ElkSettings {
    ElkSettings {
        url: url.to_owned(),
        verify_ssl: true,
        ca_file: None,
        bulk: false,
        room: 1_000,
        timeout: LONG,
        pause: Duration::from_millis(1),
    }
}

#[test]
fn entries_for_people_are_lines() {
    let desk = Desk::new(|_| {});
    desk.log.info("it listens", &[("address", &"127.0.0.1:8088"), ("processes", &2)]);
    desk.log.warn("a line\nbroken", &[("text", &"with \"blanks\""), ("empty", &"")]);
    desk.log.error("no more", &[]);
    assert!(desk.log.close(LONG));
    assert_eq!(
        desk.paper.text(),
        "2025-03-01T10:20:30.123Z INFO  it listens address=127.0.0.1:8088 processes=2\n\
         2025-03-01T10:20:30.123Z WARN  a line broken text=\"with \\\"blanks\\\"\" empty=\"\"\n\
         2025-03-01T10:20:30.123Z ERROR no more\n"
    );
    desk.log.info("too late", &[]);
    assert_eq!(desk.log.counts().local_dropped, 1);
}

/// What ELK and the console get of `it listens`.
fn it_listens() -> Value {
    json!({
        "@timestamp": "2025-03-01T10:20:30.123Z",
        "host": "books1",
        "environment": "test",
        "service": "seatledger",
        "level": "INFO",
        "message": "it listens",
        "script_dir": "/opt/seatledger",
        "script_file": "seatledger",
        "run_context": "standalone",
        "details": ["port=8088"],
    })
}

#[test]
fn entries_for_machines_are_documents() {
    let desk = Desk::new(|settings| settings.console = Face::Json);
    desk.log.info("it listens", &[("port", &8088)]);
    assert!(desk.log.close(LONG));
    assert_eq!(desk.paper.text(), format!("{}\n", it_listens()));
}

#[test]
fn each_document_is_a_request_of_one_connection() {
    let receiver = Receiver::new(None, Answer::always(200, "{}"));
    let desk = Desk::sending(elk(&receiver.url("/logs?pipeline=a")));
    desk.log.info("it listens", &[("port", &8088)]);
    desk.log.warn("second", &[]);
    desk.log.error("third", &[]);
    assert!(desk.log.close(LONG));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.connection == 0), "the connection is kept");
    let first = &requests[0];
    assert_eq!(first.line, "POST /logs?pipeline=a HTTP/1.1");
    assert_eq!(first.header("content-type"), "application/json");
    assert_eq!(serde_json::from_str::<Value>(&first.body).expect("JSON"), it_listens());
    let levels: Vec<Value> = requests.iter().map(|request| request.json()["level"].clone()).collect();
    assert_eq!(levels, ["INFO", "WARN", "ERROR"]);
    assert_eq!(desk.log.counts(), super::Counts::default());
}

#[test]
fn a_certificate_of_nobody_is_refused_unless_it_is_said_otherwise() {
    let place = tempfile::tempdir().expect("a place");
    let certificate = certificate(place.path());
    let receiver = Receiver::new(Some(&certificate), Answer::always(201, ""));
    let url = receiver.url("/");
    assert!(url.starts_with("https://localhost:"), "{url}");

    let desk = Desk::sending(elk(&url));
    desk.log.info("to nobody", &[]);
    desk.log.close(LONG);
    assert_eq!(desk.log.counts().elk_dropped, 1);
    assert!(desk.paper.text().contains("WARN  ELK does not take log entries"), "{}", desk.paper.text());

    let desk = Desk::sending(ElkSettings { verify_ssl: false, ..elk(&url) });
    desk.log.info("unverified", &[]);
    assert!(desk.log.close(LONG));
    let desk = Desk::sending(ElkSettings { ca_file: Some(certificate.pem.clone()), ..elk(&url) });
    desk.log.info("verified", &[]);
    assert!(desk.log.close(LONG));
    let messages: Vec<Value> =
        receiver.requests().iter().map(|request| request.json()["message"].clone()).collect();
    assert_eq!(messages, ["unverified", "verified"]);
}

#[test]
fn a_ca_file_without_certificates_is_refused_at_start() {
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("ca.pem");
    std::fs::write(&path, "nothing\n").expect("a file");
    let error = super::Sender::new(
        &ElkSettings { ca_file: Some(path), ..elk("https://localhost") },
        Origin::default(),
    );
    let error = error.err().expect("no certificate").to_string();
    assert!(error.ends_with("ca.pem holds no certificate in PEM"), "{error}");
}

#[test]
fn many_documents_go_in_one_bulk_request() {
    let (go, hold) = mpsc::channel();
    let receiver = Receiver::new(None, Answer::held(hold, 200, r#"{"errors":false,"items":[]}"#));
    let desk = Desk::sending(ElkSettings { bulk: true, ..elk(&receiver.url("/logs")) });
    for nth in 0..1_000 {
        desk.log.info("entry", &[("nth", &nth)]);
    }
    drop(go);
    assert!(desk.log.close(LONG));
    let requests = receiver.requests();
    assert!(requests.len() <= 4, "the first, and full ones: {}", requests.len());
    let mut documents = Vec::new();
    for request in &requests {
        assert_eq!(request.line, "POST /logs/_bulk HTTP/1.1");
        assert_eq!(request.header("content-type"), "application/x-ndjson");
        assert!(request.body.ends_with('\n'));
        let lines: Vec<&str> = request.body.lines().collect();
        assert!(lines.len() <= 1_000, "at most 500 documents");
        for pair in lines.chunks(2) {
            assert_eq!(pair[0], r#"{"create":{}}"#);
            documents.push(serde_json::from_str::<Value>(pair[1]).expect("JSON")["details"][0].clone());
        }
    }
    let expected: Vec<String> = (0..1_000).map(|nth| format!("nth={nth}")).collect();
    assert_eq!(documents, expected);
    assert_eq!(desk.log.counts().elk_dropped, 0);
}

#[test]
fn documents_that_bulk_refuses_are_counted() {
    let refused =
        r#"{"errors":true,"items":[{"create":{"status":400,"error":{"type":"mapper_parsing_exception"}}}]}"#;
    let receiver = Receiver::new(None, Answer::always(200, refused));
    let desk = Desk::sending(ElkSettings { bulk: true, ..elk(&receiver.url("/logs/_bulk")) });
    desk.log.info("entry", &[]);
    assert!(desk.log.close(LONG));
    assert_eq!(receiver.requests()[0].line, "POST /logs/_bulk HTTP/1.1");
    assert_eq!(desk.log.counts().elk_dropped, 1);
    assert!(desk.paper.text().contains("error=mapper_parsing_exception"), "{}", desk.paper.text());
}

#[test]
fn a_receiver_that_hangs_keeps_nobody_waiting() {
    let (go, hold) = mpsc::channel();
    let receiver = Receiver::new(None, Answer::held(hold, 200, ""));
    let desk = Desk::sending(ElkSettings { room: 2, ..elk(&receiver.url("/")) });
    for nth in 0..50 {
        desk.log.info("entry", &[("nth", &nth)]);
    }
    assert!(desk.log.counts().elk_dropped >= 47, "one is being sent, two wait: {:?}", desk.log.counts());
    assert!(!desk.log.close(Duration::ZERO), "it gives up");
    assert!(desk.log.counts().elk_dropped >= 49, "{:?}", desk.log.counts());
    assert_eq!(desk.paper.text().lines().count(), 50, "the console has them all");
    drop(go);
}

#[test]
fn a_receiver_that_is_down_is_told_once_and_counted() {
    let url = Receiver::nobody();
    let desk = Desk::sending(ElkSettings { room: 10, ..elk(&url) });
    for nth in 0..50 {
        desk.log.info("entry", &[("nth", &nth)]);
    }
    desk.log.close(LONG);
    let paper = desk.paper.text();
    assert_eq!(paper.lines().filter(|line| line.contains("ELK does not take")).count(), 1, "{paper}");
    assert_eq!(desk.log.counts().elk_dropped, 50);
}

#[test]
fn what_could_not_be_sent_is_sent_when_the_receiver_is_back() {
    let receiver = Receiver::new(None, Answer::in_turn(&[(503, "busy"), (429, ""), (200, "")]));
    let desk = Desk::sending(elk(&receiver.url("/")));
    desk.log.info("it listens", &[("port", &8088)]);
    let requests: Vec<_> = (0..3).map(|_| receiver.next()).collect();
    assert!(requests.iter().all(|request| request.json() == it_listens()), "the same, three times");
    assert!(desk.log.close(LONG));
    let paper = desk.paper.text();
    let words: Vec<&str> = paper.lines().filter_map(|line| Some(line.split_once("ELK ")?.1)).collect();
    assert_eq!(
        words,
        [
            "does not take log entries error=\"HTTP status 503 Service Unavailable\" dropped=0",
            "takes log entries again dropped=0"
        ]
    );
}

#[test]
fn a_document_that_is_refused_is_dropped_and_the_next_one_sent() {
    let receiver = Receiver::new(None, Answer::in_turn(&[(400, "no"), (200, "")]));
    let desk = Desk::sending(elk(&receiver.url("/")));
    desk.log.info("first", &[]);
    desk.log.info("second", &[]);
    assert!(desk.log.close(LONG));
    let messages: Vec<Value> =
        receiver.requests().iter().map(|request| request.json()["message"].clone()).collect();
    assert_eq!(messages, ["first", "second"]);
    assert_eq!(desk.log.counts().elk_dropped, 1);
}

#[test]
fn a_console_that_nobody_reads_keeps_nobody_waiting() {
    struct Stuck(mpsc::Receiver<()>);
    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (go, stuck) = mpsc::channel();
    let desk = Desk::new(|_| {});
    let settings = Settings {
        console: Face::Human,
        issues: desk.place.path().join("issues.log"),
        names: true,
        origin: Origin::default(),
        elk: None,
    };
    let log = OpLog::start_onto(&settings, Box::new(Stuck(stuck)), now).expect("a log");
    let many = super::LOCAL_ROOM + super::LOCAL_BATCH + 7;
    for _ in 0..many {
        log.info("entry", &[]);
    }
    assert!(log.counts().local_dropped >= 7, "{:?}", log.counts());
    assert!(!log.close(Duration::ZERO));
    drop(go);
}

#[test]
fn the_issue_log_names_people_and_nobody_else_does() {
    let receiver = Receiver::new(None, Answer::always(200, ""));
    let desk = Desk::sending(elk(&receiver.url("/")));
    desk.log.issue("a ping without a domain", Some("anna | domain=evil\nuser=x"), None);
    desk.log.issue("no organization", Some("ben"), Some("acme"));
    desk.log.warn("no organization", &[("app_code", &1)]);
    assert!(desk.log.close(LONG));
    assert_eq!(
        desk.issues(),
        "2025-03-01T10:20:30.123Z | a ping without a domain | user=anna / domain=evil user=x\n\
         2025-03-01T10:20:30.123Z | no organization | user=ben | domain=acme\n"
    );
    let sent: String = receiver.requests().into_iter().map(|request| request.body).collect();
    for elsewhere in [sent, desk.paper.text()] {
        assert!(elsewhere.contains("no organization"), "{elsewhere}");
        assert!(!elsewhere.contains("ben") && !elsewhere.contains("anna"), "{elsewhere}");
    }
}

#[test]
fn where_names_are_withheld_the_issue_log_has_none() {
    let desk = Desk::new(|settings| settings.names = false);
    desk.log.issue("no organization", Some("ben"), Some("acme"));
    assert!(desk.log.close(LONG));
    assert_eq!(desk.issues(), "2025-03-01T10:20:30.123Z | no organization\n");
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_the_issue_log_and_it_does_not_grow_for_ever() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new(|_| {});
    let path = desk.place.path().join("issues.log");
    let old = "x".repeat(10 << 20);
    std::fs::write(&path, &old).expect("an old log, open to all");
    desk.log.issue("new", None, None);
    assert!(desk.log.close(LONG));
    assert_eq!(desk.issues(), "2025-03-01T10:20:30.123Z | new\n");
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(
        std::fs::metadata(desk.place.path().join("issues.log.1")).expect("the old one").len(),
        10 << 20
    );
}

#[test]
fn an_issue_log_that_cannot_be_written_is_told_on_the_console() {
    let desk = Desk::new(|settings| settings.issues = settings.issues.join("nowhere").join("issues.log"));
    desk.log.issue("first", Some("anna"), None);
    assert!(desk.log.close(LONG));
    let paper = desk.paper.text();
    assert!(paper.contains("WARN  the issue log cannot be written error="), "{paper}");
    assert!(!paper.contains("anna"), "{paper}");
}
