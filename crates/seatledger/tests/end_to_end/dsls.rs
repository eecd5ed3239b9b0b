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

/// What `sessions --format json` says: feature, user, handle, from, until, how it ended.
fn sessions(desk: &Desk) -> Vec<[String; 6]> {
    let json: serde_json::Value = serde_json::from_str(&desk.ok(&["sessions", "--format", "json"])).unwrap();
    let cell = |row: &serde_json::Value, name: &str| match &row[name] {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let names = ["feature", "user", "handle", "from", "until", "ended"];
    let rows = json["rows"].as_array().unwrap();
    let mut sessions: Vec<_> = rows.iter().map(|row| names.map(|name| cell(row, name))).collect();
    sessions.sort();
    sessions
}

fn assert_books(desk: &Desk) {
    let expected = [["x"; 6]; 3];
    assert_eq!(sessions(desk), expected);
}

#[test]
fn a_log_gives_sessions_denials_and_coverage() {
    let desk = Desk::new();
    desk.write("LicenseServer20250715080000.log", log());
    let said = desk.import(&["LicenseServer20250715080000.log"]);
    println!(
        "{said}\n{}\n{}",
        desk.ok(&["sessions", "--format", "json"]),
        desk.ok(&["history", "--format", "csv"])
    );
    println!("{}", desk.ok(&["report", "usage", "--format", "json"]));
    assert_books(&desk);
}
