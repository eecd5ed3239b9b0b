//! DSLS: a server's log, its cloud console's answer and the archive of the monitor that we replace.

use crate::desk::Desk;
use rusqlite::Connection;
use std::io::Write;

/// A usage line of 2025-07-15.
fn usage(time: &str, action: &str, feature: &str, session: &str, who: &str) -> String {
    let (user, host) = who.split_once('@').unwrap();
    format!(
        "2025/07/15 {time} I USGTRACING  {action}!!{feature}!R11!{session}!Makers V5!ConcurrentUser!1!STD!\
         {host} (4A1E-c0000207.4)!192.0.2.7!{user}!{user}@SITE.S-1!C:\\Makers\\cad.exe!5.40!ALC"
    )
}

fn denied(time: &str, feature: &str) -> String {
    format!(
        "2025/07/15 {time} W LICENSESERV {feature} not granted, no more available license ( from client ws-09 \
         (4A1E-c0000209.4)/192.0.2.9|chidi|chidi@SITE.S-1|C:\\Makers\\cad.exe )"
    )
}

/// One use detached, one that times out behind a restart, one that goes on.
fn lines() -> Vec<String> {
    let start = |time: &str| {
        let says = |millis: &str, says: &str| format!("2025/07/15 {time}:{millis} I {says}");
        [
            says("000", "STARTSERVER Server version 6.425.4 built on May 2, 2023, 6:45:36 PM"),
            says("250", "LICENSESERV Licensing service started"),
        ]
    };
    let mut lines = start("08:00:00").to_vec();
    lines.extend([
        usage("08:10:00:000", "Grant", "CAD", "A1", "amara@ws-07"),
        usage("08:20:00:500", "Grant", "CAD", "A2", "bela@ws-08"),
        denied("08:30:00:000", "CAD"),
        usage("09:10:00:000", "Detachment", "CAD", "A1", "amara@ws-07"),
        "2025/07/15 09:30:00:000 I STOPSERVER  License server stopped".to_owned(),
    ]);
    lines.extend(start("10:00:00"));
    lines.extend([
        usage("10:20:00:500", "TimeOut", "CAD", "A2", "bela@ws-08"),
        usage("10:40:00:000", "Grant", "CAD-MCE", "A3", "amara@ws-07"),
        "2025/07/15 11:00:00:000 I ADMINSERVER Administration connection started".to_owned(),
    ]);
    lines
}

fn log() -> String {
    lines().join("\n") + "\n"
}

/// The cloud console's answer: the newest line first.
fn answer() -> String {
    let rows: Vec<String> = lines().into_iter().rev().collect();
    let rows = serde_json::to_string(&rows).unwrap();
    format!("{{\"result\":{{\"rows\":{rows},\"firstDate\":1,\"lastDate\":2,\"serverTimeZone\":\"UTC\"}}}}")
}

/// What `sessions --format json` says of each: feature, user, host, from, until, how it ended; in order.
fn sessions(desk: &Desk) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(&desk.ok(&["sessions", "--format", "json"])).unwrap();
    let cell = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let names = ["feature", "user", "host", "from", "until", "ended"];
    let rows = json.as_array().unwrap();
    let mut sessions: Vec<String> =
        rows.iter().map(|row| names.map(|name| cell(row, name)).join(" ").replace("+00:00", "")).collect();
    sessions.sort();
    sessions
}

const SESSIONS: [&str; 3] = [
    "CAD amara ws-07 2025-07-15T08:10:00 2025-07-15T09:10:00 detached",
    "CAD bela ws-08 2025-07-15T08:20:00.500 2025-07-15T10:20:00.500 timed_out",
    "CAD-MCE amara ws-07 2025-07-15T10:40:00 - open",
];

/// The rows of what a command says as CSV, without the header.
fn rows(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let csv = desk.ok(&[arguments, &["--format", "csv"]].concat());
    csv.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn a_log_gives_sessions_denials_and_coverage() {
    let desk = Desk::new();
    desk.write("LicenseServer20250715080000.log", log());
    desk.import(&["LicenseServer20250715080000.log"]);
    assert_eq!(sessions(&desk), SESSIONS);
    let denials: Vec<String> =
        rows(&desk, &["history"]).into_iter().filter(|row| row.contains(",denial,")).collect();
    assert_eq!(denials.len(), 1);
    assert!(denials[0].starts_with("2025-07-15T08:30:00+00:00,denial,CAD,,chidi,ws-09,dsls,1,capacity,"));
    let spans: Vec<String> = rows(&desk, &["report", "coverage"])
        .iter()
        .map(|row| row.split(',').skip(2).take(3).collect::<Vec<_>>().join(" ").replace("+00:00", ""))
        .collect();
    let expected = [
        "2025-07-15T08:00:00 2025-07-15T09:30:00 watched",
        "2025-07-15T09:30:00 2025-07-15T10:00:00 gap",
        "2025-07-15T10:00:00 2025-07-15T11:00:00 watched",
    ];
    assert_eq!(spans, expected);
    // The lease over the restart counts as a whole, the open one to the last line.
    let usage = rows(&desk, &["report", "usage", "--by", "feature,user"]);
    assert_eq!(usage, ["CAD,amara,60,3600,1,1", "CAD,bela,120,7200,1,1", "CAD-MCE,amara,20,1200,1,1"]);
    let books = desk.books();
    assert!(desk.import(&["LicenseServer20250715080000.log"]).contains("nothing new"));
    desk.books().assert_same(&books, "imported again");
}

#[test]
fn a_log_read_in_pieces_gives_the_same_books() {
    let whole = Desk::new();
    whole.write("server.log", log());
    whole.import(&["server.log"]);
    let grown = Desk::new();
    for end in 1..=lines().len() {
        grown.write("server.log", lines()[..end].join("\n"));
        grown.import(&["server.log"]);
    }
    grown.write("server.log", log());
    grown.import(&["server.log"]);
    grown.books().assert_same(&whole.books(), "line by line");
    let cut = Desk::new();
    let lines = lines();
    let (first, second) = lines.split_at(5);
    cut.write("1.log", first.join("\n") + "\n");
    cut.write("2.log", second.join("\n") + "\n");
    cut.import(&["2.log"]);
    cut.import(&["1.log"]);
    cut.books().assert_same(&whole.books(), "the later file first");
}

#[test]
fn the_answer_of_the_cloud_console_gives_the_books_of_its_lines_in_utc() {
    let of_log = Desk::new();
    of_log.write("server.log", log());
    of_log.import(&["server.log"]);
    let desk = Desk::new();
    desk.write("logs.json", answer());
    desk.ok(&["import", "--timezone", "Asia/Tokyo", "logs.json"]);
    assert_eq!(sessions(&desk), SESSIONS);
    desk.books().assert_same(&of_log.books(), "from JSON");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(answer().as_bytes()).unwrap();
    desk.write("again.json.gz", packed.finish().unwrap());
    assert!(desk.import(&["again.json.gz"]).contains("nothing new"));
    assert!(desk.import_piped(answer().as_bytes()).out.contains("nothing new"));
    of_log.write("logs.json", answer());
    let before = of_log.books();
    of_log.import(&["logs.json"]);
    of_log.books().assert_same(&before, "the answer after the log");
    desk.write("broken.json", &answer()[..answer().len() / 2]);
    let ran = desk.ends(1, &["import", "broken.json"]);
    assert!(ran.err.contains("broken.json") && ran.err.contains("cloud console"), "{}", ran.err);
}

#[test]
fn the_archive_of_the_monitor_is_read_and_goes_on() {
    let desk = Desk::new();
    let archive = Connection::open(desk.path("history.db")).unwrap();
    archive
        .execute_batch(
            "create table session_history (id integer primary key, timestamp text, action text, username text,
                 product_code text, hostname text);
             insert into session_history (timestamp, action, username, product_code, hostname) values
                 ('2025/07/15 08:10:00:000', 'Grant', 'amara', 'CAD', 'ws-07'),
                 ('2025/07/15 08:20:00:500', 'Grant', 'bela', 'CAD', 'ws-08'),
                 ('2025/07/15 09:10:00:000', 'Detachment', 'amara', 'CAD', 'ws-07'),
                 ('2025/07/15 10:20:00:500', 'TimeOut', 'bela', 'CAD', 'ws-08'),
                 ('2025/07/15 10:40:00:000', 'Grant', 'amara', 'CAD-MCE', 'ws-07');",
        )
        .unwrap();
    assert!(desk.import(&["history.db"]).contains("history-db, 6 lines"));
    assert_eq!(sessions(&desk), SESSIONS);
    assert!(desk.import(&["history.db"]).contains("nothing new"));
    archive
        .execute_batch(
            "insert into session_history (timestamp, action, username, product_code, hostname) values
                 ('2025/07/15 11:40:00:000', 'TimeOut', 'amara', 'CAD-MCE', 'ws-07');",
        )
        .unwrap();
    assert!(desk.import(&["history.db"]).contains("1 new line"));
    assert_eq!(sessions(&desk)[2], "CAD-MCE amara ws-07 2025-07-15T10:40:00 2025-07-15T11:40:00 timed_out");
    desk.ok(&["verify"]);
    desk.ok(&["db", "backup", "other.db"]);
    let ran = desk.ends(1, &["import", "other.db"]);
    assert!(ran.err.contains("other.db") && ran.err.contains("session_history"), "{}", ran.err);
    let ran = desk.ends(1, &["import", "ledger.db"]);
    assert!(ran.err.contains("ledger.db: this is the ledger itself"), "{}", ran.err);
}

#[test]
fn a_log_without_usage_says_what_may_be_switched_off() {
    let desk = Desk::new();
    desk.write("server.log", denied("08:30:00:000", "CAD") + "\n");
    let said = desk.ends(0, &["import", "server.log"]);
    assert!((said.out + &said.err).contains("License usage tracing"));
    desk.write("used.log", log());
    let said = desk.ends(0, &["import", "used.log"]);
    assert!(!(said.out + &said.err).contains("License usage tracing"));
}

/// Writes an answer to a poll that was asked so many minutes after 2024-05-15 10:00.
fn write_snapshot(desk: &Desk, name: &str, minutes: u64, users: &[&str]) {
    let mut text = format!("License Administration Tool Version 6.425.4\nadmin >\t{USAGE_HEADER}\n");
    for user in users {
        let pool = "Makers,5E,SIM,Token,STD,8,2025-01-01 00:59:00,YLC,0,2025-01-01 00:59:00,1,1000";
        let in_use = 40 * users.len();
        let since = "2024-05-15 09:00:00";
        text += &format!(
            "{pool},{in_use},40,,node1 (2.0)/192.0.2.1,{user},id,sim ( 1),6.4,F-{user},{since},{since},{since},\n"
        );
    }
    desk.write(name, text);
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_715_767_200 + 60 * minutes);
    std::fs::File::options().append(true).open(desk.path(name)).unwrap().set_modified(at).unwrap();
}

const USAGE_HEADER: &str = "Editor,EditorId,Feature,Model,Commercial Type,Max Release Number,Max Release Date,\
    Pricing Structure,Max Casual Duration,Expiration Date,Customer ID,Count,Inuse,Tokens,Casual Usage (mn),Host,User,\
    Internal ID,Active Process,Client Code Version,Session ID,Granted Since,Last Used At,Granted At,Queue Position,";

#[test]
fn answers_of_the_administration_tool_are_snapshots_of_the_moment_they_were_written() {
    let desk = Desk::new();
    write_snapshot(&desk, "1.csv", 0, &["amara", "bela"]);
    write_snapshot(&desk, "2.csv", 10, &["amara"]);
    desk.import(&["2.csv", "1.csv"]);
    let expected = [
        "SIM amara node1 2024-05-15T09:00:00 - open",
        "SIM bela node1 2024-05-15T09:00:00 2024-05-15T10:10:00 gone_from_snapshot",
    ];
    assert_eq!(sessions(&desk), expected);
    let usage = rows(&desk, &["report", "usage", "--by", "user"]);
    assert_eq!(usage, ["amara,2800,168000,1,1", "bela,2800,168000,1,1"]);
    desk.ok(&["verify"]);
}
