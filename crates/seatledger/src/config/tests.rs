//! Good and bad files.

use super::{Config, ConsoleFace, ElkConfig, LogConfig, ServerConfig};
use accounting::day::Day;
use jiff::civil::Weekday;

fn read(text: &str) -> Config {
    Config::of_bytes(text.as_bytes(), "s.toml").expect(text)
}

/// What is said of a bad file.
fn error(text: &str) -> String {
    match Config::of_bytes(text.as_bytes(), "s.toml") {
        Ok(config) => config.calendar("UTC").expect_err(text).to_string(),
        Err(error) => error.to_string(),
    }
}

/// Where a text is wrong, and why.
pub(super) fn wrong(text: &str) -> String {
    match Config::of(text) {
        Ok(_) => panic!("{text} is right"),
        Err(wrong) => format!("{}: {}", wrong.line(text), wrong.message),
    }
}

#[test]
fn a_file_describes_the_calendar_and_the_servers() {
    let config = read(
        r#"
db = "sqlite:books.db"
timezone = "Europe/Zurich"

[calendar]
working_days = ["Mon", "tue", "Wednesday"]

[calendar.holidays]
"2025-01-01" = "New Year"

[calendar.classes]
prime = ["Mon-Fri 08:00-19:00"]
night = ["Mon-Thu 19:00-08:00", "Sun 19:00-08:00", "Fri 19:00-24:00"]
weekend = ["Sat 00:00-24:00", "Sun 00:00-19:00"]

[[server]]
name = "27000@lic1"
aliases = ["lic1", "27000@lic1.example.com"]
timezone = "America/New_York"

[[server]]
name = "lic2"
"#,
    );
    assert_eq!(config.db.as_deref(), Some("sqlite:books.db"));
    let servers = [
        ServerConfig {
            name: "27000@lic1".to_owned(),
            aliases: vec!["lic1".to_owned(), "27000@lic1.example.com".to_owned()],
            timezone: Some("America/New_York".to_owned()),
        },
        ServerConfig { name: "lic2".to_owned(), ..ServerConfig::default() },
    ];
    assert_eq!(config.servers, servers);
    let said = config.calendar.as_ref().expect("a calendar");
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday];
    assert_eq!(said.working_days.as_deref(), Some(&days[..]));
    let calendar = config.calendar("UTC").expect("a calendar");
    assert_eq!(calendar.zone_name(), "Europe/Zurich");
    let names: Vec<_> = calendar.classes().iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["prime", "night", "weekend"], "in the order of the file");
    let new_year: Day = "2025-01-01".parse().expect("a day");
    assert_eq!(calendar.holidays()[&new_year], "New Year");
    assert!(!calendar.is_working(new_year));
}

#[test]
fn the_operational_log_is_described() {
    let config = read(
        r#"
[log]
console = "json"
issues = "issues.log"

[elk]
url = "https://elk.example.com/logs"
verify_ssl = false
ca_file = "ca.pem"
environment = "staging"
service = "acad_usage_measurement"
database_service = "tgis1"
test_prefixes = ["tgis"]
bulk = true
"#,
    );
    let log = LogConfig { console: ConsoleFace::Json, issues: Some("issues.log".into()) };
    assert_eq!(config.log, log);
    let elk = ElkConfig {
        url: "https://elk.example.com/logs".to_owned(),
        verify_ssl: false,
        ca_file: Some("ca.pem".into()),
        environment: Some("staging".to_owned()),
        service: "acad_usage_measurement".to_owned(),
        database_service: Some("tgis1".to_owned()),
        test_prefixes: vec!["tgis".to_owned()],
        bulk: true,
    };
    assert_eq!(config.elk, Some(elk));
    let least = read("[elk]\nurl = \"http://elk\"\n").elk;
    assert_eq!(least, Some(ElkConfig::of_url("http://elk")));
    assert_eq!(read("").log.console, ConsoleFace::Human);
}

#[test]
fn what_is_left_open_is_standard() {
    let standard = accounting::calendar::Calendar::standard("Asia/Tokyo").expect("a calendar").fingerprint();
    let fingerprint = |text| read(text).calendar("Asia/Tokyo").expect(text).fingerprint();
    assert_eq!(fingerprint(""), standard);
    assert_eq!(fingerprint("[calendar]\n"), standard);
    assert_eq!(fingerprint("\u{feff}# nothing\r\n[calendar]\r\n"), standard);
    let with_holiday = fingerprint("[calendar.holidays]\n\"2025-12-25\" = \"Christmas\"\n");
    assert_eq!(with_holiday, format!("{standard}2025-12-25 Christmas\n"));
}

#[test]
fn keys_that_are_not_known_are_refused() {
    assert_eq!(
        error("db = \"a\"\ntime_zone = \"UTC\"\n"),
        "s.toml:2: unknown key `time_zone`: did you mean `timezone`?"
    );
    assert_eq!(
        error("\n\ncolour = 1\n"),
        format!("s.toml:3: unknown key `colour`: what can stand here is {}", super::KNOWN.join(", "))
    );
    assert_eq!(
        error("[calendar]\nworkdays = []\n"),
        "s.toml:2: unknown key `workdays`: what can stand here is classes, working_days, holidays"
    );
    assert_eq!(
        error("[calendar]\nworking-days = []\n"),
        "s.toml:2: unknown key `working-days`: did you mean `working_days`?"
    );
    assert_eq!(
        error("[[server]]\nname = \"a\"\nalias = [\"b\"]\n"),
        "s.toml:3: unknown key `alias`: did you mean `aliases`?"
    );
}

#[test]
fn values_that_are_not_right_are_refused() {
    let cases = [
        ("db = 1", "1: `db` must be a text in quotes, not a number"),
        ("db = \" \"", "1: `db` is empty: fill it in or take it out"),
        ("timezone = \"CET+1\"", "1: unknown time zone `CET+1`: use an IANA name such as Europe/Zurich"),
        ("calendar = \"swiss\"", "1: `calendar` must be a section [calendar], not a text"),
        (
            "[server]\nname = \"a\"",
            "1: `server` must be a section in double brackets, [[server]], for each, not a section",
        ),
        (
            "[[server]]\naliases = [\n\"a\",\n2]\n",
            "4: `aliases` must be a list of texts, such as [\"…\", \"…\"], not a number",
        ),
        ("\n[[server]]\ntimezone = \"UTC\"", "2: a [[server]] needs a name, such as name = \"27000@lic1\""),
        (
            "[[server]]\nname = \"a\"\n[[server]]\nname = \"a\"",
            "4: there is a [[server]] `a` already: put both into one",
        ),
        (
            "[calendar]\nworking_days = [\"Mon\", \"Tues\"]",
            "2: `Tues` is no day of the week: write one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
        ),
        ("[calendar]\nworking_days = [\"Mon\", \"mon\"]", "2: `mon` is there twice: take it out once"),
        (
            "[calendar.holidays]\n\"1.1.2025\" = \"x\"",
            "2: `1.1.2025` is not a day: write YYYY-MM-DD in quotes, such as \"2025-01-01\" = \"New Year\"",
        ),
        ("[elk]\nverify_ssl = true", "1: [elk] needs a url, such as url = \"http://elk:8080\""),
        (
            "[elk]\nurl = \"elk:8080\"",
            "2: `elk:8080` is no address of a receiver: write http://HOST:PORT/PATH or https://…",
        ),
        (
            "[elk]\nurl = \"http://elk\"\n\nverify_ssl = \"false\"",
            "4: `verify_ssl` must be true or false, without quotes, not a text",
        ),
        (
            "[elk]\nurl = \"http://elk\"\ntest_prefixes = [\"t\",\n\"\"]",
            "4: a prefix is empty, and every name begins with it: take it out",
        ),
        (
            "[elk]\nverify = true",
            "2: unknown key `verify`: what can stand here is url, verify_ssl, ca_file, environment, service, database_service, test_prefixes, bulk",
        ),
        ("[log]\nconsole = \"xml\"", "2: `xml` is no way to show the log: write \"human\" or \"json\""),
        ("[log]\nlevel = 1", "2: unknown key `level`: what can stand here is console, issues"),
        (
            "[calendar.classes]\nprime = []",
            "2: time class `prime` has no stretch of the week: give it one such as \"Mon-Fri 08:00-19:00\"",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("s.toml:{expected}"));
    }
}

#[test]
fn a_calendar_that_does_not_cover_the_week_is_refused() {
    assert_eq!(
        error("\n[calendar.classes]\nprime = [\"Mon-Fri 08:00-19:00\"]\n"),
        "s.toml:2: Mon 00:00 belongs to no time class: the classes must cover the whole week"
    );
    assert_eq!(
        error("[calendar.classes]\na = [\"00:00-24:00\"]\nb = [\"Tue 8:00-9:00\"]\n"),
        "s.toml:1: Tue 08:00 belongs to both `a` and `b`: time classes must not overlap"
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    assert!(error("db = \"a\"\ntimezone = UTC\n").starts_with("s.toml:2: this is not TOML: "));
    assert!(error("db = \"a\"\ndb = \"b\"\n").starts_with("s.toml:2: this is not TOML: duplicate key"));
    let bytes = b"db = \"a\"\n# caf\xe9\n";
    let error = Config::of_bytes(bytes, "s.toml").expect_err("no UTF-8").to_string();
    assert_eq!(error, "s.toml:2: this is not UTF-8: save the file as UTF-8");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("mine.toml");
    let error = Config::read(Some(&path)).expect_err("no file").to_string();
    assert!(
        error.starts_with("failed to read the configuration ") && error.ends_with("mine.toml"),
        "{error}"
    );
    std::fs::write(&path, "db = \"x\"\n").expect("a file");
    let config = Config::read(Some(&path)).expect("a file");
    assert_eq!((config.db.as_deref(), config.file), (Some("x"), Some(path.display().to_string())));
}

#[test]
fn the_service_is_described() {
    let config = read(
        r#"
[http]
listen = "0.0.0.0:8088"
base_path = "/path_to_the_web_service/"
tls = { certificate = "a.pem", key = "b.pem" }
trusted_proxies = ["10.0.0.1", "fd00::/8"]
max_connections = 2_000
ping.networks = ["192.168.0.0/16"]
ping.bucket_scope = "person_and_feature"
ping.per_minute = 30

[heartbeats]
interval = 15
unknown_version = "?"
"#,
    );
    let http = &config.http;
    assert_eq!(http.listen.as_deref(), Some("0.0.0.0:8088"));
    assert_eq!(http.base_path, ["path_to_the_web_service"]);
    let tls = http.tls.as_ref().expect("TLS");
    assert_eq!((tls.certificate.to_str(), tls.key.to_str()), (Some("a.pem"), Some("b.pem")));
    let proxies: Vec<_> = http.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.1/32", "fd00::/8"]);
    assert_eq!(http.max_connections, 2000);
    assert_eq!(http.ping_networks[0].to_string(), "192.168.0.0/16");
    assert_eq!((http.ping_scope, http.pings_per_minute), (super::PingScope::PersonAndFeature, Some(30)));
    assert_eq!(config.heartbeats.unknown_version, "?");
}

#[test]
fn what_the_service_cannot_do_is_refused() {
    let cases = [
        (
            "[http]\nlisten = \"localhost\"",
            "2: `localhost` is no address to listen on: write ADDRESS:PORT, such as 127.0.0.1:8088",
        ),
        ("[http]\nbase_path = \"a?b\"", "2: `a?b` is no path: write one such as \"/measurement\""),
        (
            "[http]\ntls = { key = \"k\" }",
            "2: `tls` needs both, certificate and key, each the path of a PEM file",
        ),
        (
            "[http]\nmax_connections = 0",
            "2: `max_connections` must be a whole number from 1 to 1000000, not 0",
        ),
        ("[http]\nping.network = []", "2: unknown key `network`: did you mean `networks`?"),
        (
            "[http]\nping.networks = [\n\"10.0.0.0/8\",\n\"10.0.0.300\"]",
            "4: `10.0.0.300` is no network: write one such as 10.0.0.0/8 or 192.0.2.7",
        ),
        (
            "[http]\nping.bucket_scope = \"user\"",
            "2: `user` is no value of `bucket_scope`: what can stand here is person, person_and_feature",
        ),
        (
            "[heartbeats]\ninterval = 7",
            "2: an hour has no whole number of intervals of 7 minutes: take 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60",
        ),
        ("[heartbeats]\nintervall = 10", "2: unknown key `intervall`: did you mean `interval`?"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("s.toml:{expected}"));
    }
}
