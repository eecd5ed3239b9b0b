//! Polls of license servers: lmstat's output and the license usage logger's CSV files.

use crate::desk::Desk;

/// What lmstat prints of a license server's holders: user, handle, start.
fn server(name: &str, holders: &[(&str, u32, &str)]) -> String {
    let mut text = format!(
        "License server status: 27000@{name}\n{name}: license server UP (MASTER) v11.16\n\
         Vendor daemon status (on {name}):\n     acmed: UP v11.16\nFeature usage info:\n\
         Users of solver:  (Total of 4 licenses issued;  Total of {} licenses in use)\n  \
         \"solver\" v1.0, vendor: acmed, expiry: 31-dec-2030\n  floating license\n",
        holders.len()
    );
    for (user, handle, start) in holders {
        text += &format!("    {user} ws-07 ws-07 (v1.0) ({name}/27000 {handle}), start {start}\n");
    }
    text
}

fn down(name: &str) -> String {
    format!(
        "License server status: 27000@{name}\n{name}: Cannot connect to license server system. (-15,570)\n"
    )
}

/// One output of lmstat, of the third of March 2025.
fn poll(time: &str, servers: &[String]) -> String {
    let rule = "-".repeat(60) + "\n";
    format!(
        "lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.\n\
         Flexible License Manager status on Mon 3/3/2025 {time}\n\n{}",
        servers.join(&rule)
    )
}

/// User, server, start, end, ending and uncertainty of each session.
#[track_caller]
fn sessions(desk: &Desk) -> Vec<String> {
    desk.ok(&["verify"]);
    let text = desk.ok(&["sessions", "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let columns = ["user", "server", "from", "until", "ended", "uncertainty_seconds"];
    let places = columns.map(|name| headers.iter().position(|header| header == name).expect(name));
    let row = |row: csv::StringRecord| places.map(|at| row[at].to_owned()).join(" ");
    let mut rows: Vec<_> = reader.records().map(|record| row(record.unwrap())).collect();
    rows.sort();
    rows
}

const AMARA: (&str, u32, &str) = ("amara", 101, "Mon 3/3 8:12");
const CHEN: (&str, u32, &str) = ("chen", 102, "Mon 3/3 8:30");

#[test]
fn what_a_poll_no_longer_shows_has_ended_and_a_failed_poll_ends_nothing() {
    let desk = Desk::new();
    desk.write("1.txt", poll("09:00", &[server("lic1", &[AMARA, CHEN])]));
    desk.write("2.txt", poll("09:10", &[server("lic1", &[AMARA])]));
    desk.write("3.txt", poll("09:20", &[down("lic1")]));
    desk.write("4.txt", poll("09:30", &[server("lic1", &[AMARA])]));
    desk.import(&["1.txt", "2.txt", "3.txt", "4.txt"]);
    let told = sessions(&desk);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("amara 27000@lic1 2025-03-03T08:12:00"), "{told:?}");
    assert!(told[0].contains(" open "), "{told:?}");
    assert!(told[1].contains("T09:10:00") && told[1].ends_with(" gone_from_snapshot 600"), "{told:?}");
    let concurrency = desk.ok(&["report", "concurrency", "--step", "hour", "--format", "csv"]);
    assert!(concurrency.contains("seats_issued") && concurrency.contains(",4,"), "{concurrency}");
    let books = desk.books();
    assert!(desk.import(&["2.txt"]).contains("nothing new"));
    desk.books().assert_same(&books, "again");
}

#[test]
fn where_polls_failed_between_a_session_ended_at_the_first_of_them() {
    let desk = Desk::new();
    let polls = [
        poll("09:00", &[server("lic1", &[AMARA])]),
        poll("09:10", &[down("lic1")]),
        poll("09:20", &[server("lic1", &[])]),
    ];
    desk.write("appended.txt", polls.concat());
    desk.import(&["appended.txt"]);
    let told = sessions(&desk);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("T09:10:00") && told[0].contains("gone_from_snapshot"), "{told:?}");
}

/// What `sessions` has, and the seats issued that `utilization` tells, of these polls and one of ten minutes later.
#[track_caller]
fn counted(texts: &[String]) -> (usize, String) {
    let desk = Desk::new();
    for (nth, text) in texts.iter().enumerate() {
        desk.write(&format!("{nth}.txt"), text);
        desk.import(&[&format!("{nth}.txt")]);
    }
    desk.write("later.txt", poll("09:10", &[server("lic1", &[AMARA])]));
    desk.import(&["later.txt"]);
    let concurrency = desk.ok(&["report", "concurrency", "--step", "hour", "--format", "csv"]);
    (sessions(&desk).len(), concurrency)
}

#[test]
fn answers_of_one_minute_are_not_added_up() {
    // Twice the same row in one answer is two seats.
    let once = poll("09:00", &[server("lic1", &[AMARA, CHEN, CHEN])]);
    let expected = counted(std::slice::from_ref(&once));
    assert_eq!(expected.0, 3);
    assert!(expected.1.contains(",4,"), "{}", expected.1);
    assert_eq!(counted(&[once.repeat(3)]), expected, "in one text");
    assert_eq!(counted(&[once.clone(), format!("\n{once}")]), expected, "in two");
    // The second answer shows one more.
    let more = poll("09:00", &[server("lic1", &[CHEN, ("bela", 103, "Mon 3/3 8:59"), AMARA])]);
    assert_eq!(counted(&[once.clone() + &more]).0, 4);
}

#[test]
fn a_text_of_several_servers_keeps_them_apart() {
    let desk = Desk::new();
    let polls = [
        poll("09:00", &[server("lic1", &[AMARA]), server("lic2", &[AMARA])]),
        poll("09:10", &[server("lic1", &[AMARA]), down("lic2")]),
        poll("09:20", &[server("lic1", &[]), server("lic2", &[AMARA])]),
    ];
    desk.write("all.txt", polls.concat());
    desk.import(&["all.txt"]);
    let told = sessions(&desk);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("amara 27000@lic1") && told[0].contains("gone_from_snapshot"), "{told:?}");
    assert!(told[1].starts_with("amara 27000@lic2") && told[1].contains(" open "), "{told:?}");
    // Read in parts, as it grew, it says the same.
    let grown = Desk::new();
    for until in 1..=polls.len() {
        grown.write("all.txt", polls[..until].concat());
        grown.import(&["all.txt"]);
    }
    grown.books().assert_same(&desk.books(), "grown");
}

#[test]
fn a_server_of_a_text_has_the_name_that_the_configuration_gives_it() {
    let desk = Desk::new();
    let names = "timezone = \"UTC\"\n[[server]]\nname = \"main\"\naliases = [\"27000@lic1\"]\n";
    desk.write("seatledger.toml", names);
    desk.write("all.txt", poll("09:00", &[server("lic1", &[AMARA]), server("lic2", &[CHEN])]));
    desk.import(&["all.txt"]);
    let told = sessions(&desk);
    assert!(told[0].starts_with("amara main ") && told[1].starts_with("chen 27000@lic2 "), "{told:?}");
}

const FEATURES: &str = "stamp,feature_code,feature_version,vendor,license_type,issued,used,users\n";
const USERS: &str = "feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,\
                     checkout_datetime,update_time\n";

#[test]
fn csv_logs_of_polls_are_of_the_one_server_that_any_of_them_names() {
    let desk = Desk::new();
    let row = "2025-03-03 09:00:05,MILL,1.0,--,--,5,1,1\n2025-03-03 09:10:05,MILL,1.0,--,--,5,0,0\n";
    desk.write("2025-03-03 features.csv", format!("{FEATURES}{row}"));
    let row = "MILL,amara,ws7,ws7,1.0,lic1,27000,101,2025-03-03 08:12:00,2025-03-03 09:00:05\n";
    desk.write("2025-03-03 MILL users.csv", format!("{USERS}{row}"));
    desk.write("2025-03-03 LATHE users.csv", USERS);
    let said =
        desk.import(&["2025-03-03 features.csv", "2025-03-03 MILL users.csv", "2025-03-03 LATHE users.csv"]);
    assert!(!said.contains("csv-log,"), "{said}");
    let told = sessions(&desk);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("amara 27000@lic1 2025-03-03T08:12:00"), "{told:?}");
    assert!(told[0].contains("T09:10:05") && told[0].ends_with("gone_from_snapshot 600"), "{told:?}");
    // A file of later days that names none is of the server that was read last, and so is one that grows.
    desk.write("2025-03-04 features.csv", format!("{FEATURES}2025-03-04 09:00:05,MILL,1.0,--,--,5,0,0\n"));
    assert!(desk.import(&["2025-03-04 features.csv"]).contains("27000@lic1"));
    let row = "LATHE,bo,ws8,ws8,1.0,lic1,27000,7,2025-03-03 09:01:00,2025-03-03 09:10:05\n";
    desk.write("2025-03-03 LATHE users.csv", format!("{USERS}{row}"));
    assert!(desk.import(&["2025-03-03 LATHE users.csv"]).contains("27000@lic1"));
}
