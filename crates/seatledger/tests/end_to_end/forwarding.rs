//! A site collector tells a central service what it takes in.

use crate::desk::Desk;
use crate::flexnet::{self, Shape};
use crate::listening::Service;
use crate::privacy::{LOG, names_amara};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::channel;

const FOLLOWED: &str = "[[source]]\nkind = \"follow\"\ndirectory = \".\"\npattern = \"debug.log*\"\n";

/// A site's configuration.
fn configured(site: &Desk, port: u16, more: &str) {
    let forward = format!("[forward]\nurl = \"http://127.0.0.1:{port}\"\nsite = \"basel\"\n");
    site.write("seatledger.toml", format!("timezone = \"UTC\"\n{more}\n{forward}\n{FOLLOWED}"));
}

fn append(desk: &Desk, text: &str) {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(desk.path("debug.log"));
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// What a site says of the way to the central service.
fn told(site: &Service) -> Value {
    let sources: Value = serde_json::from_str(&site.get("/api/v1/sources").body).unwrap();
    let found = sources.as_array().unwrap().iter().find(|source| source["kind"] == "forward");
    found.expect("it is told of").clone()
}

/// Waits until a site has read so many lines, and the central service has taken all of them.
fn until_taken(desk: &Desk, site: &Service, lines: usize) {
    loop {
        let sources: Value = serde_json::from_str(&site.get("/api/v1/sources").body).unwrap();
        let read: u64 =
            sources.as_array().unwrap().iter().filter_map(|source| source["lines"].as_u64()).sum();
        if read >= lines as u64 && parts_waiting(desk) == 0 {
            return;
        }
        std::thread::yield_now();
    }
}

/// How many parts wait, as the ledger says: what a service says of them is a moment old.
fn parts_waiting(site: &Desk) -> i64 {
    let sql = "select waiting_parts from forward";
    if site.db().starts_with("postgres") {
        let mut client = postgres::Client::connect(site.db(), postgres::NoTls).unwrap();
        return client.query_one(sql, &[]).unwrap().get(0);
    }
    let connection = rusqlite::Connection::open(site.db_file()).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Waits until a site says this of the way to the central service.
fn until(site: &Service, is_so: impl Fn(&Value) -> bool) -> Value {
    loop {
        let told = told(site);
        if is_so(&told) {
            return told;
        }
        std::thread::yield_now();
    }
}

/// What an import of a log says.
fn imported(text: &str) -> crate::desk::Books {
    let clean = Desk::new();
    clean.write("debug.log", text);
    clean.import(&["debug.log"]);
    clean.books()
}

const ANSWER: &str = "\
License server status: 27000@lic2
lic2: license server UP (MASTER) v11.16
Vendor daemon status (on lic2):
     boltd: UP v11.16
Feature usage info:

Users of mill:  (Total of 4 licenses issued;  Total of 1 license in use)

  \"mill\" v1.0, vendor: boltd, expiry: 31-dec-2030
  floating license

    amara ws-07 ws-07 (v1.0) (lic2/27000 101), start Wed 1/1 8:00
";

#[test]
fn what_a_site_follows_and_polls_is_in_the_central_books() {
    let text = flexnet::log(Shape { seed: 5, days: 3, events_a_day: 200, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (site, central) = (Desk::new(), Desk::new());
    let at_central = Service::start(&central);
    let poll = "[[source]]\nkind = \"poll\"\nformat = \"lmstat\"\nserver = \"27000@lic2\"\ninterval = 5\n\
                command = [\"/bin/cat\", \"answer\"]\n";
    site.write("answer", ANSWER);
    configured(&site, at_central.port(), poll);
    let at_site = Service::start(&site);
    let mut written = 0;
    for part in lines.chunks(lines.len() / 4 + 1) {
        append(&site, &part.concat());
        written += part.len();
        until_taken(&site, &at_site, written + ANSWER.lines().count());
    }
    // A last line without an ending is no line yet; it is one when the service stops and an import reads it.
    append(&site, "7:00:00 (acmed) OUT: ");
    assert_eq!(at_site.stop(), Some(0));
    central.books().assert_same(&site.books(), "centrally beside the site");
    let of_log = |desk: &Desk| desk.ok(&["sessions", "--format", "csv", "--server", "27000@lic1"]);
    assert_eq!(of_log(&central).lines().count(), of_log(&site).lines().count());
    let coverage = central.ok(&["report", "coverage", "--format", "csv"]);
    assert!(coverage.contains("basel: ./debug.log") || coverage.contains("basel: debug.log"), "{coverage}");
    for report in ["denials", "expiry", "utilization", "usage"] {
        let of = |desk: &Desk| desk.ok(&["report", report, "--format", "csv"]);
        assert_eq!(of(&central), of(&site), "{report}");
    }
    // An unfinished line that an import has taken in, and that is read whole later, is corrected everywhere.
    site.run(&["import", "--timezone", "UTC", "debug.log"]);
    append(&site, "\"solver\" amara@ws-1\n7:00:01 (acmed) IN: \"solver\" amara@ws-1\n");
    let at_site = Service::start(&site);
    until_taken(&site, &at_site, 2);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&site.books(), "with an unfinished line");
}

/// Kills both services again and again while a log is written and rotates; in the end the central books are those of an
/// import of all that was written.
fn survives(site: &Desk, central: &Desk, rounds: usize) {
    let text = flexnet::log(Shape { seed: 7, days: 12, events_a_day: 500, restarts: true });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let first = Service::start(central);
    let port = first.port();
    let address = format!("127.0.0.1:{port}");
    drop(first);
    configured(site, port, "");
    for (round, part) in lines.chunks(lines.len().div_ceil(rounds)).enumerate() {
        let at_site = Service::start(site);
        // In every third round the central service is away, in every third it comes when something waits.
        let mut at_central = (round % 3 == 0).then(|| Service::start_at(central, &address));
        for some in part.chunks(1 + round * 11) {
            append(site, &some.concat());
        }
        match round % 4 {
            1 => std::fs::rename(site.path("debug.log"), site.path(&format!("debug.log.{round}"))).unwrap(),
            2 => drop(until(&at_site, |told| told["state"] != "starting")),
            _ => {}
        }
        if round % 3 == 1 {
            until(&at_site, |told| told["parts_waiting"].as_u64() > Some(0));
            at_central = Some(Service::start_at(central, &address));
        }
        // Dropped, they are killed.
        if round % 2 == 0 {
            drop(at_site);
            drop(at_central);
        } else {
            drop(at_central);
            drop(at_site);
        }
        central.ok(&["verify"]);
    }
    let (at_central, at_site) = (Service::start_at(central, &address), Service::start(site));
    until_followed(site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&imported(&text), "after all kills");
    central.books().assert_same(&site.books(), "beside the site");
}

/// Waits until everything is read and taken.
fn until_followed(desk: &Desk, site: &Service) {
    loop {
        let sources: Value = serde_json::from_str(&site.get("/api/v1/sources").body).unwrap();
        let is_done = |source: &Value| source["state"] == "up" && source["lag_bytes"] == 0;
        if sources.as_array().unwrap().iter().all(is_done) && parts_waiting(desk) == 0 {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn nothing_is_lost_or_doubled_by_kills_of_either_side_with_sqlite() {
    survives(&Desk::new(), &Desk::new(), 12);
}

#[test]
fn nothing_is_lost_or_doubled_by_kills_of_either_side_with_postgresql() {
    survives(&Desk::on_postgres(), &Desk::on_postgres(), 6);
}

/// The parts that wait in a site's file.
fn waiting(site: &Desk) -> Vec<String> {
    let connection = rusqlite::Connection::open(site.db_file()).unwrap();
    let mut statement = connection.prepare("select body from forward_part order by part_id").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_part_counts_once_and_none_before_its_predecessor() {
    let text = flexnet::log(Shape { seed: 3, days: 1, events_a_day: 90, restarts: false });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (site, central) = (Desk::new(), Desk::new());
    // Nobody listens there yet.
    configured(&site, 1, "");
    let at_site = Service::start(&site);
    for (nth, part) in lines.chunks(lines.len() / 3 + 1).enumerate() {
        append(&site, &part.concat());
        until(&at_site, |told| told["parts_waiting"].as_u64() > Some(nth as u64));
    }
    let down = until(&at_site, |told| told["state"] == "down");
    assert!(down["why"].as_str().unwrap().starts_with("the central service does not answer"), "{down}");
    assert!(down["lag_bytes"].as_u64() > Some(100) && down["lag_seconds"].as_f64() > Some(0.0), "{down}");
    assert!(at_site.get("/metrics").body.contains("seatledger_source_parts_waiting{source=\"[forward]\"} 3"));
    assert_eq!(at_site.stop(), Some(0));
    let parts = waiting(&site);
    assert_eq!(parts.len(), 3);
    let at_central = Service::start(&central);
    let post = |bodies: &[&String]| {
        let bodies: Vec<&str> = bodies.iter().map(|body| body.as_str()).collect();
        let answer =
            at_central.post("/api/v1/events", None, &format!("{{\"parts\":[{}]}}", bodies.join(",")));
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    let out_of_order = post(&[&parts[1]]);
    assert_eq!((&out_of_order["accepted"], &out_of_order["refused"][0]["awaits"]), (&0.into(), &1.into()));
    let reason = out_of_order["refused"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "part 1 of this input is awaited, not part 2");
    let with_gap = post(&[&parts[0], &parts[2]]);
    assert_eq!((&with_gap["accepted"], &with_gap["refused"][0]["index"]), (&1.into(), &1.into()));
    let all = post(&[&parts[0], &parts[1], &parts[2], &parts[1]]);
    assert_eq!((&all["accepted"], &all["already_taken"]), (&4.into(), &2.into()));
    for wrong in ["{}", "{\"events\":[],\"parts\":[]}", "{\"parts\":[{}]}", "{\"parts\":[7]}"] {
        assert_eq!(at_central.post("/api/v1/events", None, wrong).status, 400, "{wrong}");
    }
    assert_eq!(at_central.post("/api/v1/events", None, "{\"parts\":[]}").status, 200);
    // The site, which was told nothing of it, sends them once more.
    configured(&site, at_central.port(), "");
    let at_site = Service::start(&site);
    until_followed(&site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&imported(&text), "after repetitions");
}

/// Somebody who hears what is posted, and is always busy; what comes until `end` is in it.
fn listener(end: &'static str) -> (u16, std::sync::mpsc::Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut block = vec![0; 65_536];
            loop {
                let read = stream.read(&mut block).unwrap_or(0);
                all.extend_from_slice(&block[..read]);
                if read == 0 || all.ends_with(b"]}") {
                    break;
                }
            }
            let _ = stream.write_all(
                b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 23\r\nconnection: close\r\n\r\n{\"error\": \"come again\"}",
            );
            if String::from_utf8_lossy(&all).contains(end) {
                let _ = sender.send(all);
                return;
            }
        }
    });
    (port, heard)
}

#[test]
fn names_leave_a_site_only_where_it_keeps_names() {
    let heard_of = |privacy: &str| {
        let (port, heard) = listener("solver");
        let site = Desk::new();
        configured(&site, port, privacy);
        site.write("debug.log", LOG);
        let at_site = Service::start(&site);
        let bytes = heard.recv().unwrap();
        let waits = until(&at_site, |told| told["state"] == "waiting");
        assert_eq!(waits["why"], "the central service is busy: 503 come again");
        assert_eq!(at_site.stop(), Some(0));
        let kept: Vec<u8> = ["ledger.db", "ledger.db-wal"]
            .iter()
            .flat_map(|file| std::fs::read(site.path(file)).unwrap_or_default())
            .collect();
        (names_amara(&bytes), names_amara(&kept), site)
    };
    let (posted, kept, _) = heard_of("");
    assert!(posted && kept, "this would find a name");
    let pseudonymous = "[privacy]\nidentity = \"pseudonymous\"\n";
    let (posted, kept, site) = heard_of(pseudonymous);
    assert!(!posted && !kept, "posted {posted}, kept {kept}");
    // The central service keeps what the site has hidden, and does not hide it once more: the site's key finds the person.
    let central = Desk::new();
    central.write("seatledger.toml", format!("timezone = \"UTC\"\n{pseudonymous}"));
    let at_central = Service::start(&central);
    configured(&site, at_central.port(), pseudonymous);
    let at_site = Service::start(&site);
    until_followed(&site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&site.books(), "under pseudonyms");
    assert!(!names_amara(&std::fs::read(central.db_file()).unwrap()));
    // Where organizations alone are kept there is nothing to forward, and nothing is.
    let organizations = Desk::new();
    configured(&organizations, 1, "[privacy]\nidentity = \"organization\"\n");
    organizations.write("debug.log", LOG);
    let refused = organizations.ends(1, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.err.contains("there is nothing to forward"), "{}", refused.err);
    assert!(!organizations.db_file().exists());
    // Nor does a central service take what names persons where it keeps none.
    central.write("seatledger.toml", "timezone = \"UTC\"\n[privacy]\nidentity = \"organization\"\n");
    central.ok(&["db", "privacy"]);
    let at_central = Service::start(&central);
    let other = Desk::new();
    configured(&other, at_central.port(), "");
    other.write("debug.log", LOG);
    let at_site = Service::start(&other);
    let down = until(&at_site, |told| told["state"] == "down");
    assert!(down["why"].as_str().unwrap().contains("paired by person"), "{down}");
}

#[test]
fn a_check_tries_the_way_to_the_central_service() {
    let (site, central) = (Desk::new(), Desk::new());
    let added = central.run_piped(
        &["user", "add", "root", "--role", "admin", "--password-stdin"],
        "correct horse battery\n",
    );
    assert_eq!(added.code, Some(0), "{}", added.err);
    let at_central = Service::start(&central);
    configured(&site, at_central.port(), "");
    site.write("debug.log", LOG);
    let found = site.ends(1, &["check", "--format", "csv"]).out;
    assert!(found.contains("[forward],bad,\"the central service refuses: 401"), "{found}");
    assert!(found.contains("token add NAME --site \"\"basel\"\""), "{found}");
    assert!(!site.db_file().exists(), "a check makes nothing");
    // A wrapper's token, which every workstation may have, is not good for telling of any license server.
    let of_wrappers = central.ok(&["token", "add", "ws", "--events"]).trim().to_owned();
    let part = r#"{"parts":[{"site":"s","name":"n","input":1,"part":1,"source":"s","counts":[0,0,0,0,0]}]}"#;
    let post = |token: &str, body: &str| {
        at_central.post("/api/v1/events", Some(&format!("Bearer {token}")), body).status
    };
    assert_eq!((post(&of_wrappers, part), post(&of_wrappers, "{\"events\":[]}")), (403, 200));
    let token = central.ok(&["token", "add", "collector", "--site", "basel"]).trim().to_owned();
    assert_eq!((post(&token, "{\"parts\":[]}"), post(&token, "{\"events\":[]}")), (200, 403));
    // It is of its site, whatever stands beside a part of another one.
    let beside = part.replace("}]}", "},").replace("\"n\"", "\"basel\"") + &part[10..];
    assert_eq!((post(&token, part), post(&token, &beside)), (403, 403), "{beside}");
    assert!(central.ok(&["token", "list", "--format", "csv"]).contains("collector,site,,,basel,"));
    let of_zurich = central.ok(&["token", "add", "zurich", "--site", "zurich"]).trim().to_owned();
    let found: crate::desk::Ran = site
        .command(&["check", "--format", "csv"])
        .env("SEATLEDGER_FORWARD_TOKEN", of_zurich)
        .output()
        .unwrap()
        .into();
    assert!(found.out.contains("403 this token is of the site `zurich`, not of `basel`"), "{}", found.out);
    let command = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env("SEATLEDGER_FORWARD_TOKEN", &token);
        command
    };
    let found: crate::desk::Ran = command(&["check", "--format", "csv"]).output().unwrap().into();
    assert!(found.out.contains("[forward],ok,"), "{}", found.out);
    assert!(found.out.contains("takes what this site tells, as basel"), "{}", found.out);
    // What was read before there was anybody to tell is told when it is read anew.
    site.write("seatledger.toml", "timezone = \"UTC\"\n");
    site.run(&["import", "debug.log"]);
    configured(&site, at_central.port(), "");
    let at_site = Service::start_as(command(&["serve", "--listen", "127.0.0.1:0"]));
    until_followed(&site, &at_site);
    let found: crate::desk::Ran = command(&["check", "--format", "csv"]).output().unwrap().into();
    assert!(
        found.out.contains("holds 1 inputs of which the central service was told nothing"),
        "{}",
        found.out
    );
    assert_eq!(central.ok(&["sessions", "--format", "csv"]).lines().count(), 1);
    assert_eq!(at_site.stop(), Some(0));
    site.run(&["import", "--replace", "debug.log"]);
    let at_site = Service::start_as(command(&["serve", "--listen", "127.0.0.1:0"]));
    until_followed(&site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&site.books(), "read anew");
    assert_eq!(central.ok(&["sessions", "--format", "csv"]).lines().count(), 2);
    // Who takes the section out is told what that means.
    site.write("seatledger.toml", "timezone = \"UTC\"\n");
    let at_site = Service::start(&site);
    assert!(at_site.said("without [forward] nothing more is told to the central service; 0 parts"));
}

#[test]
fn a_central_ledger_that_was_set_back_is_told_of_and_does_not_stop_a_site() {
    let text = flexnet::log(Shape { seed: 9, days: 2, events_a_day: 80, restarts: false });
    let (first, second) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    let (site, mut central) = (Desk::new(), Desk::new());
    let at_central = Service::start(&central);
    let address = format!("127.0.0.1:{}", at_central.port());
    configured(&site, at_central.port(), "");
    let at_site = Service::start(&site);
    append(&site, first);
    until_taken(&site, &at_site, first.lines().count());
    drop(at_central);
    central.begin_anew();
    let at_central = Service::start_at(&central, &address);
    append(&site, second);
    until_taken(&site, &at_site, text.lines().count());
    let told = until(&at_site, |told| told["state"] == "up");
    assert!(told["dropped"].as_u64() > Some(0), "{told}");
    assert_eq!(at_site.stop(), Some(0));
    // What was lost is read anew, and recognised where it was not.
    site.ok(&["import", "--timezone", "UTC", "--replace", "debug.log"]);
    let at_site = Service::start(&site);
    until_followed(&site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&imported(&text), "after the log was read anew");
}

#[test]
fn nothing_more_is_read_than_may_wait_and_nothing_is_lost() {
    let text = flexnet::log(Shape { seed: 11, days: 3, events_a_day: 1500, restarts: true });
    let (first, second) = text.split_at(text[..text.len() * 3 / 4].rfind('\n').unwrap() + 1);
    let (site, central) = (Desk::new(), Desk::new());
    site.write("debug.log", first);
    let of = |port: u16| {
        let forward = format!("[forward]\nurl = \"http://127.0.0.1:{port}\"\nmost_bytes = 65536\n");
        site.write("seatledger.toml", format!("timezone = \"UTC\"\n{forward}\n{FOLLOWED}"));
    };
    of(1);
    let at_site = Service::start(&site);
    let full = until(&at_site, |told| told["parts_waiting"].as_u64() > Some(0));
    assert!(full["lag_bytes"].as_u64() > Some(65_536), "{full}");
    append(&site, second);
    loop {
        let sources: Value = serde_json::from_str(&at_site.get("/api/v1/sources").body).unwrap();
        let why = sources[0]["why"].as_str().unwrap_or_default();
        if sources[0]["state"] == "waiting" && why.contains("wait for the central service, and no more may") {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(at_site.stop(), Some(0));
    assert_eq!(waiting(&site).len(), 1);
    let at_central = Service::start(&central);
    of(at_central.port());
    let at_site = Service::start(&site);
    until_taken(&site, &at_site, second.lines().count());
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&imported(&text), "after waiting");
}

#[test]
fn a_part_that_the_database_refuses_is_refused_with_its_reason() {
    let central = Desk::on_postgres();
    let at_central = Service::start(&central);
    // So long that no index of PostgreSQL holds it, and so mixed that it cannot be packed.
    let mut state = 7_u64;
    let mut letters = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + ((state >> 33) % 26) as u8)
    };
    let user: String = std::iter::repeat_with(&mut letters).take(12_000).collect();
    let part = |input: u32, user: &str| {
        serde_json::json!({"site": "5e", "name": "basel", "input": input, "part": 1, "source": "log",
            "counts": [1, 1, 0, 0, 0],
            "names": {"daemons": [["lic", "flexnet", false, "UTC", "v"]], "features": ["solver"],
                      "versions": [], "holders": [[0, user, "ws", "", ""]]},
            "runs": [{"number": 0, "events": [[0, 0, 0, 1_740_988_800_000_i64, 0, 1, 0, null]]}]})
    };
    let post = |part: Value| -> Value {
        let body = serde_json::json!({ "parts": [part] }).to_string();
        let answer = at_central.post("/api/v1/events", None, &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let refused = post(part(1, &user));
    let reason = refused["refused"][0]["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("the database refuses it: "), "{refused}");
    assert_eq!(post(part(2, "amara"))["accepted"], 1, "others are none the worse for it");
    assert_eq!(at_central.stop(), Some(0));
}

#[test]
fn a_site_that_was_set_back_to_a_backup_says_so_and_can_go_on_as_another_one() {
    let text = flexnet::log(Shape { seed: 13, days: 3, events_a_day: 90, restarts: false });
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let thirds: Vec<String> = lines.chunks(lines.len().div_ceil(3)).map(<[_]>::concat).collect();
    let (site, central) = (Desk::new(), Desk::new());
    let at_central = Service::start(&central);
    configured(&site, at_central.port(), "");
    let told = |nth: usize| {
        append(&site, &thirds[nth]);
        let at_site = Service::start(&site);
        until_followed(&site, &at_site);
        assert_eq!(at_site.stop(), Some(0));
    };
    told(0);
    std::fs::copy(site.db_file(), site.path("copied.db")).unwrap();
    told(1);
    std::fs::rename(site.path("copied.db"), site.db_file()).unwrap();
    append(&site, &thirds[2]);
    let at_site = Service::start(&site);
    let down = until(&at_site, |told| told["state"] == "down");
    let why = down["why"].as_str().unwrap();
    assert!(why.contains("holds another part 2 of this input"), "{down}");
    assert!(down["remedy"].as_str().unwrap().contains("`seatledger db forward-anew`"), "{down}");
    assert_eq!((&down["inputs_parked"], &down["parts_waiting"]), (&1.into(), &1.into()));
    let metrics = at_site.get("/metrics").body;
    for line in ["source_up{source=\"[forward]\"} 0", "source_inputs_parked{source=\"[forward]\"} 1"] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let found = site.ends(1, &["check", "--format", "csv"]).out;
    assert!(found.contains("another part 2 of this input") && found.contains("db forward-anew"), "{found}");
    assert_eq!(at_site.stop(), Some(0));
    let done = site.ok(&["db", "forward-anew"]);
    assert!(done.contains("1 parts that wait"), "{done}");
    let at_site = Service::start(&site);
    until_followed(&site, &at_site);
    assert_eq!((at_site.stop(), at_central.stop()), (Some(0), Some(0)));
    central.books().assert_same(&imported(&text), "nothing is missing, nothing counts twice");
    central.books().assert_same(&site.books(), "beside the site");
}
