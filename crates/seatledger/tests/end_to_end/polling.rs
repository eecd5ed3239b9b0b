//! License servers that are polled: a small script prints what a file holds, in place of the vendors' programs.

use crate::desk::{Desk, Ran};
use crate::listening::Service;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

/// What stands for the program: it prints `answer`, then does what `then` says.
const PROGRAM: &str = "cat answer; . ./then";

/// A holder: user, handle.
type Holder<'a> = (&'a str, u32);

const AMARA: Holder<'_> = ("amara", 101);
const CHEN: Holder<'_> = ("chen", 102);

/// What lmstat prints of a license server.
fn answer(holders: &[Holder<'_>]) -> String {
    let mut text = format!(
        "lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.\n\
         Flexible License Manager status on Mon 3/3/2025 09:00\n\n\
         License server status: 27000@lic1,27000@lic2,27000@lic3\n\
         lic1: license server UP v11.16\nlic2: license server UP (MASTER) v11.16\n\
         lic3: Cannot connect to license server system. (-15,570:115 \"In progress\")\n\
         Vendor daemon status (on lic2):\n     acmed: UP v11.16\nFeature usage info:\n\n\
         Users of mill/5:  (Total of 4 licenses issued;  Total of {} licenses in use)\n\n  \
         \"mill/5\" v1.0, vendor: acmed, expiry: 31-dec-2030\n  vendor_string: site\n  floating license\n\n",
        holders.len()
    );
    for (user, handle) in holders {
        text += &format!("    {user} ws-07 ws-07 (v1.0) (lic1/27000 {handle}), start Wed 1/1 8:00\n");
    }
    text + "\nUsers of lathe:  (Total of 1 license issued;  Total of 0 licenses in use)\n\n\
            NOTE: lmstat -i does not give information from the server,\n      \
            but only reads the license file.  For this reason, \n      \
            lmstat -a is recommended instead.\n\n\
            Feature                         Version     #licenses    Vendor        Expires\n\
            _______                         _________   _________    ______        _______\n\
            mill/5                          1.0         4            acmed         31-dec-2030\n"
}

/// A desk whose configuration polls with the script.
fn polling(keys: &str) -> Desk {
    polling_at(Desk::new(), keys)
}

fn polling_at(desk: Desk, keys: &str) -> Desk {
    let source =
        format!("[[source]]\nkind = \"poll\"\ncommand = [\"/bin/sh\", \"-c\", \"{PROGRAM}\"]\n{keys}\n");
    desk.write("seatledger.toml", format!("timezone = \"UTC\"\n\n{source}"));
    says(&desk, &answer(&[AMARA, CHEN]));
    desk
}

const LMSTAT: &str = "format = \"lmstat\"\nserver = \"27000@lic1\"";

fn says(desk: &Desk, answer: &str) {
    does(desk, answer, "exit 0");
}

fn does(desk: &Desk, answer: &str, then: &str) {
    desk.write("answer", answer);
    desk.write("then", format!("{then}\n"));
}

/// User, host, server, seats and ending of each session.
#[track_caller]
fn sessions(desk: &Desk) -> Vec<String> {
    desk.ok(&["verify"]);
    column(&desk.ok(&["sessions", "--format", "csv"]), &["user", "host", "server", "seats", "ended"])
}

fn column(csv_text: &str, columns: &[&str]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv_text.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let places: Vec<usize> =
        columns.iter().map(|name| headers.iter().position(|header| header == *name).expect(name)).collect();
    let row =
        |row: csv::StringRecord| places.iter().map(|at| row[*at].to_owned()).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<_> = reader.records().map(|record| row(record.unwrap())).collect();
    rows.sort();
    rows
}

/// What a poll says of its sources.
fn polled(ran: &Ran) -> Vec<String> {
    column(&ran.out, &["source", "answered", "features", "seats_in_use", "holders", "sessions_ended"])
}

const BOTH: [&str; 2] = ["amara ws-07 27000@lic1 1 open", "chen ws-07 27000@lic1 1 open"];

#[test]
fn sessions_begin_and_end_with_polls_and_a_poll_that_fails_ends_nothing_with_sqlite() {
    begin_and_end(Desk::new());
}

#[test]
fn sessions_begin_and_end_with_polls_and_a_poll_that_fails_ends_nothing_with_postgresql() {
    begin_and_end(Desk::on_postgres());
}

fn begin_and_end(desk: Desk) {
    let desk = polling_at(desk, &format!("{LMSTAT}\ntimeout = 1"));
    let ran = desk.ends(0, &["poll", "--format", "csv"]);
    assert_eq!(polled(&ran), ["poll 27000@lic1 yes 2 2 2 0"]);
    assert_eq!(sessions(&desk), BOTH);

    let whole = answer(&[AMARA]);
    let cut = |at: &str, from: &str| from[..from.find(at).unwrap()].to_owned();
    let failures = [
        (whole.clone(), "exit 3", "ended with exit status: 3"),
        (whole.clone(), "sleep 600", "did not end within 1 s"),
        (String::new(), "exit 0", "nothing in the output is an answer of lmstat"),
        ("who is it?\n\u{1}\u{2}\n".to_owned(), "exit 0", "nothing in the output"),
        (cut("    chen", &answer(&[AMARA, CHEN])), "exit 0", "the output breaks off"),
        (
            cut("Users of mill", &whole)
                + "Users of lathe:  (Total of 1 license issued;  Total of 0 licenses in use)\n",
            "exit 0",
            "is not listed any more",
        ),
        (
            answer(&[AMARA, CHEN])
                .replace("    chen ws-07 ws-07 (v1.0) (lic1/27000 102), start", "    ## chen"),
            "exit 0",
            "",
        ),
        (
            "Error getting status: Cannot connect to license server system. (-15,570)\n".to_owned(),
            "exit 0",
            "the license server does not answer",
        ),
        (
            whole.replace("acmed: UP v11.16", "acmed: The desired vendor daemon is down. (-97,121)"),
            "exit 0",
            "",
        ),
    ];
    for (text, then, why) in failures {
        does(&desk, &text, then);
        let ran = desk.run(&["poll", "--format", "csv"]);
        assert_ne!(ran.code, Some(0), "{why}: {}", ran.out);
        assert!(ran.err.contains(why), "{why}: {}", ran.err);
        assert_eq!(sessions(&desk), BOTH, "{why}");
    }

    says(&desk, &whole);
    let ran = desk.ends(0, &["poll", "--format", "csv"]);
    assert_eq!(polled(&ran), ["poll 27000@lic1 yes 2 1 1 1"]);
    assert_eq!(
        sessions(&desk),
        ["amara ws-07 27000@lic1 1 open", "chen ws-07 27000@lic1 1 gone_from_snapshot"]
    );
    assert_eq!(
        column(
            &desk.ok(&["report", "expiry", "--format", "csv"]),
            &["server", "vendor", "feature", "seats", "expires_on"]
        ),
        ["27000@lic1 acmed mill/5 4 2030-12-31"]
    );
}

#[test]
fn what_an_answer_says_again_and_again_is_believed_with_sqlite() {
    believed(Desk::new());
}

#[test]
fn what_an_answer_says_again_and_again_is_believed_with_postgresql() {
    believed(Desk::on_postgres());
}

fn believed(desk: Desk) {
    let desk = polling_at(desk, LMSTAT);
    desk.ok(&["poll"]);
    // Rows of the last feature stay away for good.
    let text = answer(&[AMARA, CHEN]);
    says(&desk, &text[..text.find("    chen").unwrap()]);
    let mut failed = 0;
    while desk.run(&["poll"]).code != Some(0) {
        failed += 1;
    }
    assert_eq!(failed, 5);
    assert_eq!(sessions(&desk)[1], "chen ws-07 27000@lic1 1 gone_from_snapshot");
    // It was a fault all the same: the session goes on as if it had never been missed.
    says(&desk, &text);
    desk.ok(&["poll"]);
    assert_eq!(sessions(&desk), BOTH);
}

#[test]
fn a_server_that_hangs_delays_no_other() {
    let desk = polling(&format!("{LMSTAT}\nname = \"good\""));
    let config = std::fs::read_to_string(desk.path("seatledger.toml")).unwrap();
    let hangs = "[[source]]\nname = \"hangs\"\nkind = \"poll\"\nformat = \"lmstat\"\nserver = \"27000@lic9\"\n\
                 command = \"sleep 600; true\"\ntimeout = 1\n[[source]]\nname = \"none\"\nkind = \"poll\"\nformat = \"rlmstat\"\n\
                 server = \"5053@lic8\"\ncommand = \"/no/such/program\"\n";
    desk.write("seatledger.toml", config + hangs);
    let ran = desk.ends(3, &["poll", "--format", "csv"]);
    assert_eq!(polled(&ran), ["good yes 2 2 2 0", "hangs no 0 0 0 0", "none no 0 0 0 0"]);
    assert!(ran.err.contains("there is no program `/no/such/program`"), "{}", ran.err);
    let took = column(&ran.out, &["source", "took_ms"]);
    let took: Vec<i64> = took.iter().map(|row| row.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert!(took[1] >= 1000 && took[0] < took[1], "{took:?}");
}

#[test]
fn texts_without_starts_give_sessions_that_go_on_from_poll_to_poll() {
    let keys = "format = \"csv\"\nserver = \"lic7\"\ncolumns = { feature = \"product\", user = \"login\", seats = \"n\", in_use = \"used\" }";
    let desk = polling(keys);
    let rows = |rows: &str| format!("product;login;n;used\n{rows}");
    says(&desk, &rows("cad;amara;2;3\ncad;badru;1;3\n"));
    desk.ok(&["poll"]);
    let first = desk.ok(&["sessions", "--format", "csv"]);
    desk.ok(&["poll"]);
    assert_eq!(desk.ok(&["sessions", "--format", "csv"]).lines().count(), 3);
    assert_eq!(
        column(&desk.ok(&["sessions", "--format", "csv"]), &["user", "from"]),
        column(&first, &["user", "from"])
    );
    does(&desk, &rows("cad;amara;2"), "exit 1");
    desk.ends(1, &["poll"]);
    says(&desk, &rows("cad;badru;1;1\n"));
    desk.ok(&["poll"]);
    assert_eq!(sessions(&desk), ["amara  lic7 2 gone_from_snapshot", "badru  lic7 1 open"]);
}

#[test]
fn every_format_of_answers_can_be_polled() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../formats/fixtures");
    for (format, file, sessions_open) in [
        ("rlmstat", "rlm/rlmstat/pools-and-holders.log", 4),
        ("lmx", "lmx/licstat/holders-and-shares.log", 4),
        ("ls-dyna", "ls_dyna/qrun/one-group.log", 3),
        ("olicense", "olicense/olixtool/floats.log", 3),
        ("dsls-usage", "dsls/dsls_usage/tokens.log", 5),
    ] {
        let desk = polling(&format!("format = \"{format}\"\nserver = \"lic1\"\ntimezone = \"UTC\""));
        says(&desk, &std::fs::read_to_string(format!("{fixtures}/{file}")).unwrap());
        for _ in 0..2 {
            let ran = desk.run(&["poll", "--format", "csv"]);
            assert!(polled(&ran)[0].contains(" yes "), "{format}: {}{}", ran.out, ran.err);
        }
        let open = desk.ok(&["sessions", "--open", "--format", "csv"]).lines().count() - 1;
        assert_eq!(open, sessions_open, "{format}");
        desk.ok(&["verify"]);
    }
}

/// A watchdog that notes the paths that are requested of it.
fn watchdog(requests: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/ping/7", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut paths = Vec::new();
        for connection in listener.incoming().take(requests) {
            let mut connection = connection.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            paths.push(line.split(' ').nth(1).unwrap().to_owned());
            while reader.read_line(&mut line).unwrap() > 2 {}
            connection
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
        }
        paths
    });
    (url, heard)
}

#[test]
fn csv_files_are_kept_and_the_watchdog_is_told() {
    let (url, heard) = watchdog(2);
    let desk = polling(&format!(
        "{LMSTAT}\ncsv_log = {{ directory = \"csv\", users = true }}\nping_url = \"{url}\"\ntimezone = \"Europe/Zurich\""
    ));
    desk.ok(&["poll"]);
    does(&desk, "", "exit 1");
    desk.ends(1, &["poll"]);
    assert_eq!(heard.join().unwrap(), ["/ping/7", "/ping/7/fail"]);
    let mut names: Vec<String> = std::fs::read_dir(desk.path("csv"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let day = names[0][..10].to_owned();
    assert_eq!(
        names,
        [format!("{day} features.csv"), format!("{day} lathe users.csv"), format!("{day} mill_5 users.csv")]
    );
    let read = |name: &String| std::fs::read_to_string(desk.path("csv").join(name)).unwrap();
    let features = read(&names[0]);
    let stamp = features.lines().nth(1).unwrap()[..19].to_owned();
    assert_eq!(
        features,
        format!(
            "stamp,feature_code,feature_version,vendor,license_type,issued,used,users\n\
             {stamp},mill/5,1.0,site,floating,4,2,2\n{stamp},lathe,--,--,--,1,0,0\n"
        )
    );
    let header = "feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,\
                  checkout_datetime,update_time\n";
    assert_eq!(read(&names[1]), header);
    let year = &stamp[..4];
    assert_eq!(
        read(&names[2]),
        format!(
            "{header}mill/5,amara,ws-07,ws-07,1.0,lic1,27000,101,{year}-01-01 08:00:00,{stamp}\n\
             mill/5,chen,ws-07,ws-07,1.0,lic1,27000,102,{year}-01-01 08:00:00,{stamp}\n"
        )
    );
    // What is written can be read.
    let other = Desk::new();
    for name in &names {
        other.write(&format!("csv/{name}"), read(name));
    }
    other.ok(&["import", "--timezone", "Europe/Zurich", "csv"]);
    assert_eq!(sessions(&other), BOTH);
    assert_eq!(
        column(&other.ok(&["sessions", "--format", "csv"]), &["user", "from", "held_seconds"]).len(),
        2
    );
}

#[test]
fn a_poll_that_is_killed_leaves_balanced_books_and_the_next_one_is_whole_with_sqlite() {
    killed(Desk::new());
}

#[test]
fn a_poll_that_is_killed_leaves_balanced_books_and_the_next_one_is_whole_with_postgresql() {
    killed(Desk::on_postgres());
}

fn killed(desk: Desk) {
    let desk = polling_at(desk, LMSTAT);
    desk.ok(&["poll"]);
    let everybody: Vec<String> = (0..400).map(|nth| format!("user{nth}")).collect();
    for round in 0..12_u32 {
        let holders: Vec<Holder<'_>> = everybody
            .iter()
            .zip(1_u32..)
            .filter(|(_, nth)| nth % 3 != round % 3)
            .map(|(user, nth)| (user.as_str(), nth))
            .collect();
        says(&desk, &answer(&holders));
        let mut poll = desk.command(&["poll"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The stimulus, from the very start to after the end: nobody waits for anything here.
        std::thread::sleep(Duration::from_millis(u64::from(round * round * 37 % 400)));
        poll.kill().unwrap();
        poll.wait().unwrap();
        desk.ok(&["verify"]);
    }
    says(&desk, &answer(&[AMARA]));
    desk.ok(&["poll"]);
    let open = column(&desk.ok(&["sessions", "--open", "--format", "csv"]), &["user", "ended"]);
    assert_eq!(open, ["amara open"]);
    desk.ok(&["verify"]);
}

/// Waits until a figure of the sources is so great.
fn until(service: &Service, figure: &str, least: u64) {
    loop {
        let text = service.get("/metrics").body;
        let values = text.lines().filter(|line| line.starts_with(figure));
        let sum: u64 = values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
        if sum >= least {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn the_service_polls_by_itself_and_one_that_hangs_stops_neither_the_others_nor_its_end_with_sqlite() {
    by_itself(Desk::new());
}

#[test]
fn the_service_polls_by_itself_and_one_that_hangs_stops_neither_the_others_nor_its_end_with_postgresql() {
    by_itself(Desk::on_postgres());
}

fn by_itself(desk: Desk) {
    let desk = polling_at(desk, &format!("{LMSTAT}\ninterval = 5\njitter = 0\nname = \"good\""));
    let config = std::fs::read_to_string(desk.path("seatledger.toml")).unwrap();
    let hangs = "[[source]]\nname = \"hangs\"\nkind = \"poll\"\nformat = \"lmstat\"\nserver = \"27000@lic9\"\n\
                 command = \"sleep 600; true\"\ntimeout = 3600\n";
    desk.write("seatledger.toml", config + hangs);
    let service = Service::start(&desk);
    until(&service, "seatledger_source_polls{source=\"good\",outcome=\"answered\"}", 1);
    assert_eq!(sessions(&desk), BOTH);
    does(&desk, "", "exit 1");
    until(&service, "seatledger_source_polls{source=\"good\",outcome=\"failed\"}", 1);
    assert_eq!(sessions(&desk), BOTH);
    says(&desk, &answer(&[CHEN]));
    until(&service, "seatledger_source_polls{source=\"good\",outcome=\"answered\"}", 2);
    assert_eq!(service.stop(), Some(0));
    assert_eq!(
        sessions(&desk),
        ["amara ws-07 27000@lic1 1 gone_from_snapshot", "chen ws-07 27000@lic1 1 open"]
    );
}

#[test]
fn nothing_to_poll_is_wrong_usage() {
    let desk = Desk::new();
    let ran = desk.ends(2, &["poll"]);
    assert!(ran.err.contains("kind = \"poll\""), "{}", ran.err);
}
