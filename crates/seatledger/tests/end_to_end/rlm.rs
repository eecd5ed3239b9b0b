//! RLM's logs and the tables of older systems, from the file to the books.

use crate::desk::{Books, Desk};

const FIRST: &str = r#"RLM Report Log Format 0, version 14.1, authenticated
ISV: acme, RLM version 14.1 BL2
START lic1 09/03/2024 08:00:00
PRODUCT solver 5.0 1 10 0 10 "" "" "invented" "" "" "" 3 0 0 0
09/03/2024 08:00
OUT solver 5.0 1 amara ws-07 "" 1 1 0 5e 5e a754 "" "" "" 09/03 17:00:00
OUT solver 5.0 1 amara ws-07 "" 1 1 0 5f 5e a755 "" "" "" 09/03 17:00:01
OUT solver 5.0 1 badru ws-08 "" 2 3 0 60 60 a756 "" "" "" 09/03 18:00:00
DENY solver 5.0 chen ws-09 "" 9 -22 0 485c 09/03 18:30
DENY solver 5.0 chen ws-09 "" 9 -22 1 485c 09/03 18:31
09/03/2024 23:30
INUSE solver 5.0 1 amara ws-07 "" 1 5e 5e a754 09/04 00:00:03
INUSE solver 5.0 1 amara ws-07 "" 1 5f 5e a755 09/04 00:00:03
INUSE solver 5.0 1 badru ws-08 "" 2 60 60 a756 09/04 00:00:03
SWITCH to acme.2024.09.04
END 09/04/2024 00:00
AUTH: 7 000ab2
"#;

const SECOND: &str = r#"SWITCH from acme.2024.09.03
RLM Report Log Format 0, version 14.1, authenticated
ISV: acme, RLM version 14.1 BL2
START lic1 09/04/2024 00:00:03
PRODUCT solver 5.0 1 10 0 10 "" "" "invented" "" "" "" 3 0 0 0
INUSE solver 5.0 1 amara ws-07 "" 1 5e 5e a754 09/04 00:00:03
INUSE solver 5.0 1 amara ws-07 "" 1 5f 5e a755 09/04 00:00:03
INUSE solver 5.0 1 badru ws-08 "" 2 60 60 a756 09/04 00:00:03
09/04/2024 00:00
IN 1 solver 5.0 amara ws-07 "" 1 3 0 5e 09/04 08:00:00
OUT solver 5.0 1 chen ws-09 "" 1 4 0 5e 5e a757 "" "" "" 09/04 08:30:00
IN 1 solver 5.0 amara ws-07 "" 1 3 0 5f 09/04 09:00:00
IN 4 solver 5.0 badru ws-08 "" 2 1 0 60 09/04 10:00:00
SHUTDOWN root lic1 09/04 11:00:00
INUSE solver 5.0 1 chen ws-09 "" 1 5e 5e a757 09/04 11:00:00
END 09/04/2024 11:00
"#;

fn both() -> Desk {
    let desk = Desk::new();
    desk.write("first.log", FIRST);
    desk.write("second.log", SECOND);
    desk
}

/// The rows of CSV as column name and cell.
fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn sessions(desk: &Desk) -> Vec<String> {
    let rows = rows(&desk.ok(&["sessions", "--format", "csv"]));
    let cell = |row: &std::collections::BTreeMap<String, String>, name: &str| row[name].clone();
    let mut sessions: Vec<String> = rows
        .iter()
        .map(|row| {
            let columns = ["from", "until", "user", "seats", "ended", "server"];
            columns.map(|name| cell(row, name)).join(" | ")
        })
        .collect();
    sessions.sort();
    sessions
}

#[test]
fn a_rotated_log_reads_as_one_and_shutdown_closes() {
    let desk = both();
    desk.import(&["first.log", "second.log"]);
    assert_eq!(
        sessions(&desk),
        [
            "2024-09-03T17:00:00+00:00 | 2024-09-04T08:00:00+00:00 | amara | 1 | checkin | lic1",
            "2024-09-03T17:00:01+00:00 | 2024-09-04T08:00:00+00:00 | amara | 0 | checkin | lic1",
            "2024-09-03T18:00:00+00:00 | 2024-09-04T10:00:00+00:00 | badru | 2 | timed_out | lic1",
            "2024-09-04T08:00:00+00:00 | 2024-09-04T09:00:00+00:00 | amara | 1 | checkin | lic1",
            "2024-09-04T08:30:00+00:00 | 2024-09-04T11:00:00+00:00 | chen | 1 | server_stopped | lic1",
        ]
    );
    let history = desk.ok(&["history", "--format", "csv"]);
    assert_eq!(
        history.matches("capacity").count(),
        1,
        "the other denial was not the last attempt: {history}"
    );
}

#[test]
fn shared_seats_count_once() {
    let desk = both();
    desk.import(&["first.log", "second.log"]);
    let days = rows(&desk.ok(&["report", "concurrency", "--step", "day", "--format", "csv"]));
    let peaks: Vec<&str> = days.iter().map(|row| row["seats_peak"].as_str()).collect();
    assert_eq!(peaks, ["3", "4"], "{days:?}");
}

#[test]
fn rotated_files_give_the_same_books_in_any_order() {
    let forwards = both();
    forwards.import(&["first.log"]);
    forwards.import(&["second.log"]);
    let backwards = both();
    backwards.import(&["second.log"]);
    backwards.import(&["first.log"]);
    backwards.books().assert_same(&forwards.books(), "the later file first");
    let together = both();
    together.import(&["second.log", "first.log"]);
    together.books().assert_same(&forwards.books(), "both at once");
    let pasted = Desk::new();
    pasted.write("pasted.log", [FIRST, SECOND].concat());
    pasted.import(&["pasted.log"]);
    pasted.books().assert_same(&forwards.books(), "pasted");
}

#[test]
fn a_log_cut_anywhere_and_read_in_order_gives_the_same_books() {
    let text = [FIRST, SECOND].concat();
    let whole = Desk::new();
    whole.write("whole.log", &text);
    whole.import(&["whole.log"]);
    let whole = whole.books();
    for cut in [6, 8, 13, 20, 24, 27] {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let desk = Desk::new();
        desk.write("1.log", lines[..cut].concat());
        desk.write("2.log", lines[cut..].concat());
        desk.import(&["1.log"]);
        desk.import(&["2.log"]);
        desk.books().assert_same(&whole, &format!("cut after line {cut}"));
    }
}

#[test]
fn a_new_run_ends_what_the_old_one_had_given_out_at_its_last_line() {
    let crashed = FIRST.split_inclusive('\n').take(11).collect::<String>();
    let again = SECOND.split_inclusive('\n').skip(1).take(4).collect::<String>()
        + "OUT solver 5.0 1 chen ws-09 \"\" 1 1 0 5e 5e a757 \"\" \"\" \"\" 09/04 08:30:00\n";
    for names in [["1.log", "2.log"], ["2.log", "1.log"]] {
        let desk = Desk::new();
        desk.write("1.log", &crashed);
        desk.write("2.log", &again);
        for name in names {
            desk.import(&[name]);
        }
        let ended = sessions(&desk);
        assert_eq!(ended.len(), 4, "{ended:?}");
        assert!(ended[..3].iter().all(|row| row.contains(" | 2024-09-03T23:30:00+00:00 | ")), "{ended:?}");
        assert!(ended[..3].iter().all(|row| row.contains("server_stopped")), "{ended:?}");
    }
}

#[test]
fn the_small_form_gives_the_same_books() {
    let standard = Desk::new();
    let small = Desk::new();
    let head = "RLM Report Log Format 1, version 12.0\nISV: acme, RLM version 12.0\nSTART lic1 12/31/2024 22:00:00\n";
    let long = "OUT solver 5.0 1 amara ws-07 \"\" 1 1 0 1 1 a754 \"\" \"\" \"\" 12/31 22:03:00\n\
                OUT solver 5.0 1 badru ws-08 \"\" 3 4 0 2 2 a754 \"\" \"\" \"\" 12/31 22:05:00\n\
                IN 1 solver 5.0 amara ws-07 \"\" 1 3 0 1 01/01 00:10:00\n\
                IN 1 solver 5.0 badru ws-08 \"\" 3 0 0 2 01/01 00:20:00\n";
    let short = "OUT solver 5.0 amara ws-07 \"\" 1 1 1 22:03\nOUT solver 5.0 badru ws-08 \"\" 3 2 2 22:05\n\
                 IN 1 1 1 00:10\nIN 1 3 2 00:20\n";
    standard.write("std.log", [head, long].concat());
    small.write("small.log", [head, short].concat());
    standard.import(&["std.log"]);
    small.import(&["small.log"]);
    small.books().assert_same(&standard.books(), "small");
}

#[test]
fn a_log_that_tells_its_distance_from_utc_is_read_by_it() {
    let desk = Desk::new();
    let told = SECOND.replacen("PRODUCT", "TIMEZONE -420 0 # invented\nPRODUCT", 1);
    let (first, second) = told.split_at(told.find("IN 4 ").unwrap());
    desk.write("1.log", first);
    desk.write("2.log", second);
    desk.import(&["1.log"]);
    desk.import(&["2.log"]);
    let ended = sessions(&desk);
    assert!(
        ended.iter().any(|row| row.contains("2024-09-04T03:00:00+00:00 | badru")),
        "seven hours east of UTC: {ended:?}"
    );
}

#[test]
fn a_debug_log_gives_sessions_to_the_minute() {
    let desk = Desk::new();
    let log = "05/11 15:17 (acme) Server started on lic1 (hostid: 00) for:\n\
               05/11 15:17 (acme) OUT: solver v2.09 by amara@ws-07 \n\
               05/11 15:20 (acme) DENIED: (1) viewer v2.1 to chen@ws-09\n        All licenses in use\n\
               05/11 15:23 (acme) IN: (client exit) solver v2.09 by amara@ws-07\n";
    desk.write("acme.dlog", log);
    desk.import(&["acme.dlog"]);
    let ended = sessions(&desk);
    assert_eq!(ended.len(), 1);
    assert!(
        ended[0].contains("-05-11T15:17:00+00:00 | ") && ended[0].contains("-05-11T15:23:00+00:00 | "),
        "{ended:?}"
    );
    assert!(desk.ok(&["history", "--format", "csv"]).contains("capacity"));
}

fn books_of(name: &str, text: &str) -> Books {
    let desk = Desk::new();
    desk.write(name, text);
    desk.import(&[name]);
    desk.books()
}

#[test]
fn the_table_syslog_line_gives_the_books_of_the_records() {
    let records = "\
Nov 20 07:47:40 wks12 LIC_ACC: app1 START 20001120-0747 fiore PID: 599
Nov 20 08:11:14 wks12 LIC_ACC: app1 STOP 20001120-0811 fiore PID: 599
Nov 20 08:11:57 wks12 LIC_ACC: app1 START 20001120-0811 fiore PID: 810
Nov 20 08:12:27 wks3 LIC_ACC: app2 START 20001120-0812 burma PID: 732
Nov 20 13:34:24 wks12 LIC_ACC: app1 STOP 20001120-1334 fiore PID: 810
";
    let table = "\
aaaa,mm,dd,hh,mmin,app,user,pid,hostname,status,procesado
2000,11,20,07,47,app1,fiore,599,wks12,START,S
2000,11,20,08,11,app1,fiore,599,wks12,STOP,S
2000,11,20,08,11,app1,fiore,810,wks12,START,S
2000,11,20,08,12,app2,burma,732,wks3,START,N
2000,11,20,13,34,app1,fiore,810,wks12,STOP,S
";
    books_of("syslog_line.csv", table).assert_same(&books_of("lic_acc.log", records), "as a table");
}

#[test]
fn finished_uses_count_until_records_cover_their_time() {
    let desk = Desk::new();
    desk.write(
        "uso_diario.csv",
        "user,hostname,app,aaaa,mm,dd,hh_start,mm_start,pid,uso_en_min,day_of_week\n\
         fiore,wks12,app1,2000,11,20,07,47,599,13,lu\nfiore,wks12,app1,2000,11,20,08,00,599,10.5,lu\n",
    );
    desk.import(&["uso_diario.csv"]);
    let minutes = || desk.ok(&["report", "usage", "--by", "feature", "--format", "csv"]);
    assert!(minutes().contains("app1,23.5,"), "{}", minutes());
    desk.write(
        "syslog_line.csv",
        "aaaa,mm,dd,hh,mmin,app,user,pid,hostname,status,procesado\n\
         2000,11,20,07,47,app1,fiore,599,wks12,START,S\n2000,11,20,08,11,app1,fiore,599,wks12,STOP,S\n",
    );
    desk.import(&["syslog_line.csv"]);
    assert!(minutes().contains("app1,24,"), "{}", minutes());
    desk.ok(&["verify"]);
}
