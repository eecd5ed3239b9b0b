//! What holds for every format and any bytes: nothing panics, a line is one of four kinds, a parser resumed from its
//! state goes on as if it had never stopped, and long lines take no more than their share of time.

use accounting::day::Day;
use formats::events::{RunStates, Told};
use formats::line::{Format, Line, Setting};
use proptest::prelude::*;
use std::time::{Duration, Instant};

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn setting() -> Setting {
    Setting::new(jiff::tz::TimeZone::get("Europe/Zurich").unwrap(), Day(20_022))
}

/// Pieces of which logs are made, and some of which they are not.
const PIECES: [&str; 146] = [
    " 8:42:25 ",
    "23:59:59 ",
    "00:00:01 ",
    "02:59:30 ",
    "02:00:10 ",
    "2024-10-27T02:30:00+0100 ",
    "12/31 23:50 ",
    "(lmgrd) ",
    "(acmed) ",
    "(acmed_1) ",
    "(boltd) ",
    "(acmed_pluggin) ",
    "OUT: ",
    "IN: ",
    "DENIED: ",
    "UNSUPPORTED: ",
    "QUEUED: ",
    "\"solver\" ",
    "amara@ws-07  ",
    "Jos\u{e9} B@x ",
    "[data] ",
    "(3 licenses) ",
    "(SHUTDOWN)",
    "(Licensed number of users already reached. (-4,342))",
    "^^^ 1.0 amara 1.2.3.4 5 0x6 ^^^",
    "TIMESTAMP 10/27/2024",
    "TIMESTAMP 10/26/2024",
    "(@acmed-SLOG@) Time: Sun Oct 27 2024 02:30:00 CET",
    "--------------------",
    "FlexNet Licensing (v11.19 build 1) started on lic1 (linux) (10/27/2024)",
    "lmgrd tcp-port 27000",
    "Starting vendor daemons",
    "Started acmed (pid 5)",
    "REStarted acmed (pid 6)",
    "FlexNet Licensing version v11.19",
    "Server started on lic1 for: a b",
    "EXITING DUE TO SIGNAL 15",
    "acmed exited with status 46 (x)",
    "SUITE (consisting of: a b",
    "c d) PACK (consisting of: e)",
    "Rereading license file",
    "Nov 20 07:47:40 wks12 LIC_ACC: ",
    "app1 START 20001120-0747 fiore PID: 599",
    "<13>1 2024-10-27T02:30:00+01:00 h LIC_ACC 1 - - ",
    "last message repeated 3 times",
    "message repeated 2 times: [",
    "Flexible License Manager status on Mon 1/1/2024 00:10",
    "License server status: 27000@lic1,27000@lic2",
    "lic1: license server UP (MASTER) v11.16",
    "lic2: Cannot connect to license server system. (-15,570)",
    "Vendor daemon status (on lic1):",
    "    acmed: UP v11.16",
    "    boltd: The desired vendor daemon is down. (-97,121)",
    "Users of solver:  (Total of 6 licenses issued;  Total of 2 licenses in use)",
    "Users of solver:  (Uncounted, node-locked)",
    "  \"solver\" v1.0, vendor: acmed, expiry: 1-jan-0",
    "\t8 RESERVATIONs for GROUP staff (lic1/27000)",
    "    amara chen ws-07 /dev/pts/3 ",
    "(v1.0) (lic1/27000 101)",
    ", start Sat 2/29 8:42",
    " queued for 2 licenses",
    "  (linger: 100 / 200), PID: 17",
    "Feature  Version  #licenses  Vendor  Expires",
    "solver  1.0  5  acmed  30-Apr-20202",
    "2025/10/26 02:30:00:000 I USGTRACING  Grant!!",
    "2025/10/26 02:10:00:120 I USGTRACING  TimeOut!!",
    "CAD!R11!28F0!Makers!Token!40!STD!ws-07 (A1-0a.4)!10.0.0.7!amara!",
    "CAD!28F0!Makers!Token!1!STD!ws-07!10.0.0.7!amara!id!cad.exe!5.34!ALC",
    "2025/07/15 02:31:21:836 W LICENSESERV CAD [(R11)] not granted, no more available license ",
    "( from client ws-07 (A1-0a.4)/10.0.0.7|amara|id|cad.exe )",
    "2025/07/15 02:31:21:836 I STARTSERVER Server version 6",
    "2025/07/15 02:31:21:836 I LICENSESERV Licensing service started",
    "serverTimeZone: UTC",
    "admin >",
    "Server name: lic1",
    "Editor,EditorId,Feature,Model,Commercial Type,Max Release Number,Max Release Date,Pricing Structure,\
     Max Casual Duration,Expiration Date,Customer ID,Count,Inuse,Tokens,Casual Usage (mn),Host,User,Internal ID,\
     Active Process,Client Code Version,Session ID,Granted Since,Last Used At,Granted At,Queue Position,",
    "Makers,5E,CAD,Token,STD,8,2025-01-01 00:59:00,YLC,0,2025-01-01 00:59:00,1,200,2,",
    "2,,ws-07 (A1)/10.0.0.7,amara,id,cad.exe,6.4,28F0,1970-01-01 00:30:00,,,,",
    "timestamp,action,username,product_code,hostname",
    "2025/07/15 02:31:21:836,Grant,\"a, \"\"b\"\"\",",
    "RLM Report Log Format 0, version 14.1, authenticated",
    "ISV: acme, RLM version 14.1 BL2",
    "SWITCH from old.log",
    "START lic1 10/27/2024 00:00:00",
    "TIMEZONE -420 0 # x",
    "PRODUCT solver 5.0 1 10 2 12 \"\" \"\"",
    "10/27/2024 02:30",
    "OUT solver 5.0 1 amara ws-07 \"\" 1 1 0 1a 1a 4da8 \"\" \"\" \"\" 10/27 02:30:00",
    "OUT solver 5.0 1 badru ws-08 \"x y\" 1 1 0 1b 1a 4da8 \"\" \"\" \"\" 10/27 02:31:00",
    "OUT solver 5.0 amara ws-07 \"\" 1 1c 1b 02:10",
    "IN 1 solver 5.0 amara ws-07 \"\" 1 1 0 1a 10/27 02:10:00",
    "IN 1 1 1b 02:20",
    "INUSE solver 5.0 1 chen ws-09 \"\" 2 1d 1e 4da8 10/27 00:00:01",
    "INUSE solver 5.0 1 chen ws-09 \"\" 2 1e 1e 4da8 10/27 00:00:01",
    "DENY solver 5.0 amara ws-07 \"\" 1 -22 1 12/31 02:10",
    "QUE solver 5.0 amara ws-07 \"\" 1 1f 02:10",
    "DEQUE 6 1 1f 02:10",
    "REREAD amara ws-07 01/01 00:00:05",
    "SHUTDOWN amara ws-07 01/01 00:00:06",
    "END 01/01/2025 00:00",
    "10/27 02:10 (acme) ",
    "10/27 02:50 (acme) OUT: solver v2.09 by amara@ws-07 data (14 licenses)",
    "12/31 23:59 (acme) IN: (timed out) solver v2.09 by amara@ws-07",
    "01/01 00:00 (acme) DENIED: (1) viewer v2.1 to chen@ws-09",
    "        All licenses in use",
    "01/01 00:01 (acme) Server started on lic1 (hostid: 00) for:",
    "01/01 00:02 (acme) Shutdown request by root@lic1",
    "aaaa,mm,dd,hh,mmin,app,user,pid,hostname,status,procesado",
    "2000,11,20,07,47,app1,fiore,599,wks12,START,S",
    "user;hostname;app;aaaa;mm;dd;hh_start;mm_start;pid;uso_en_min;day_of_week",
    "fiore;wks12;app1;2000;11;20;07;47;599;0,5;lu",
    "orgfid\tudate\tappcode\tversion\tminutes",
    "12\t05-MAR-24\t1\t24.3\t120",
    "stamp,feature_code,feature_version,vendor,license_type,issued,used,users",
    "2018-09-05 16:32:15,MILL,1.0,\"a \"\"b\"\"\",--,5,--,2",
    "MILL,amara,ws7,ws7,1.0,lic1,8888,121,2018-12-31 10:41:00,2018-09-05 16:32:15",
    "rlm status on lic1 (port 5053), up 9d",
    "acme license pool status on lic1 (port 5054)",
    "acme license usage status on lic1 (port 5054)",
    "    solver v1.0, pool: 3",
    "count: 5, # reservations: 1, inuse: 3, exp: 29-feb-2024",
    "solver v1.0: amara@ws-07 2/0 at 02/29 9:01  (handle: 15a)",
    "LM-X License Server on 6200@lic1:",
    "Feature: solver Version: 1.0 Vendor: ACME",
    "Start date: NONE Expire date: 2024-02-29",
    "2 of 5 license(s) used:",
    "2 license(s) used by amara@ws-07 [10.0.0.7]",
    "Login time: 2024-10-27 02:30   Checkout time: 2024-10-27 02:30",
    "PROGRAM          EXPIRATION CPUS  USED   FREE    MAX | QUEUE",
    "MPPDYNA          02/30/2025          -     60    280 |     1",
    " amara      59005@n-13.example  80",
    "                   LICENSE GROUP    80     60    280 |     0",
    "*** ERROR failed to open server localhost",
    "olixtool 4.8.0 - OLicense XML Status Application",
    "Server: <10.0.0.9:31212:0> (Proxy: <>)",
    "Application:\tacme",
    "  solver;  FreeFloating;  4;  2024-12-31 23:59:59;",
    "    4 FloatsLockedBy:",
    "      amara@WS08 #2",
    ",\"",
    "{\"what\":\"run\",\"id\":\"r1\",\"feature\":\"solver\",\"user\":\"amara\",\"host\":\"ws-07\",\"from\":\"2024-10-27T02:30:00+02:00\",",
    "\"until\":\"2024-10-27T02:30:00+01:00\"}",
    "\"seen_at\":\"2024-02-29T24:00:00Z\",\"awaited_until\":\"9999-12-31T23:59:60Z\"}",
    "{\"what\":\"start\",\"id\":\"e1\",\"at\":\"0000-01-01T00:00:00Z\",\"feature\":\"viewer\",\"user\":\"chen\",\"host\":\"ws\",\"pid\":7}",
    "{\"what\":\"run\",\"from\":\"\\u0032025-03-03T09:17:20.125Z\"",
    "{\"events\":[",
];

/// All formats that files are read with, and those that only programs send.
fn formats() -> impl Iterator<Item = &'static dyn Format> {
    formats::all().iter().copied().chain([&RunStates as &'static dyn Format])
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..6);
    prop_oneof![
        6 => pieces.prop_map(|pieces| pieces.concat().into_bytes()),
        2 => (0..7_usize, 7..12_usize, 12..PIECES.len()).prop_map(|(time, daemon, message)| {
            [PIECES[time], PIECES[daemon], PIECES[message]].concat().into_bytes()
        }),
        3 => prop::sample::select(&PIECES[46..]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

/// Objects as wrappers send them, with something missing, odd or wrong here and there.
fn told() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        4 => prop::sample::select(&["r1", "solver", "amara", "ws-07", "run", "start"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let instant = prop_oneof![
        6 => (0_i64..4_102_444_800_000).prop_map(|ms| jiff::Timestamp::from_millisecond(ms).map(|stamp| stamp.to_string()).unwrap_or_default()),
        1 => prop::sample::select(PIECES_OF_TIME).prop_map(str::to_owned),
    ];
    let ends = prop_oneof![
        Just(vec!["until"]),
        Just(vec!["seen_at", "awaited_until"]),
        Just(vec!["seen_at"]),
        Just(vec![])
    ];
    let what = prop::sample::select(&["run", "run", "start", "stop", "stops"][..]);
    let texts = prop::collection::vec(text, 5);
    let instants = prop::collection::vec(instant, 3);
    (what, texts, instants, ends, any::<u32>(), prop::option::weighted(0.1, 0..9_usize)).prop_map(
        |(what, texts, instants, ends, pid, missing)| {
            let is_run = what == "run";
            let mut told = serde_json::Map::new();
            let names = ["id", "feature", "user", "host", "version"];
            for (name, text) in names.iter().zip(texts).take(if is_run { 5 } else { 4 }) {
                told.insert((*name).to_owned(), text.into());
            }
            told.insert(if is_run { "from" } else { "at" }.to_owned(), instants[0].clone().into());
            if is_run {
                for (name, instant) in ends.iter().zip(&instants[1..]) {
                    told.insert((*name).to_owned(), instant.clone().into());
                }
            } else {
                told.insert("pid".to_owned(), pid.into());
            }
            if let Some(key) = missing.and_then(|nth| told.keys().nth(nth).cloned()) {
                told.remove(&key);
            }
            told.insert("what".to_owned(), what.into());
            told.into()
        },
    )
}

/// Instants at which something might go wrong.
const PIECES_OF_TIME: &[&str] = &[
    "9999-12-31T23:59:59.999Z",
    "0000-01-01T00:00:00Z",
    "-009999-01-02T01:59:59Z",
    "2016-12-31T23:59:60Z",
    "2025-03-03T09:17:20.123456789-25:59",
    "2025-02-29T00:00:00Z",
    "",
];

proptest! {
    #[test]
    fn a_resumed_parser_goes_on_alike(lines in prop::collection::vec(line(), 0..40), cuts in prop::collection::vec(any::<bool>(), 40)) {
        for format in formats() {
            let (mut whole, mut chunked) = (format.parser(&setting()), format.parser(&setting()));
            for (line, cut) in lines.iter().zip(&cuts) {
                if *cut {
                    chunked = format.resume(&setting(), &chunked.state()).unwrap();
                }
                prop_assert_eq!(whole.line(line), chunked.line(line));
            }
            prop_assert_eq!(whole.state(), chunked.state());
        }
    }

    #[test]
    fn what_wrappers_tell_is_spooled_and_read_as_the_same(told in told()) {
        let Ok(told) = serde_json::from_value::<Told>(told) else { return Ok(()) };
        let line = told.to_line();
        prop_assert_eq!(serde_json::from_str::<Told>(&line).unwrap(), told.clone());
        let (is_state, latest) = (matches!(told, Told::Run { .. }), told.latest());
        let mut parser = RunStates.parser(&setting());
        let read = parser.line(line.as_bytes());
        let is_taken = matches!(read.line, Line::Event { .. });
        prop_assert_eq!(is_taken, is_state && told.fault().is_none(), "{}", line);
        if is_taken {
            prop_assert_eq!(read.at, Some(latest));
            prop_assert_eq!(read, told.into_read());
        }
    }

    #[test]
    fn every_line_is_one_of_four_kinds_and_nothing_panics(lines in prop::collection::vec(line(), 0..40)) {
        let text = lines.join(&b'\n');
        let _ = formats::detect(&text);
        for format in formats() {
            let mut surveyor = format.surveyor();
            let _ = text.split(|byte| *byte == b'\n').all(|line| surveyor.line(line));
            let survey = surveyor.finish();
            let first_day = survey.first_day.unwrap_or(Day(20_000 - survey.midnights));
            let mut parser = format.parser(&Setting { first_day, ..setting() });
            let (mut read, mut counts) = (0, [0; 4]);
            for line in text.split(|byte| *byte == b'\n') {
                read += 1;
                counts[match parser.line(line).line {
                    Line::Event { times, .. } => { prop_assert!(times > 0); 0 }
                    Line::Events(events) => { prop_assert!(!events.is_empty()); 0 }
                    Line::Note(_) => 1,
                    Line::Noise => 2,
                    Line::Unrecognized(reason) => { prop_assert!(!reason.is_empty()); 3 }
                }] += 1;
            }
            prop_assert_eq!(counts.iter().sum::<i32>(), read);
        }
    }
}

#[test]
fn a_long_line_takes_linear_time() {
    let beginnings =
        ["10:00:00 (acmed) OUT: \"f\" u", "10:00:00 (acmed) DENIED: \"f\" u@h ", "10:00:00 (acmed) ", ""];
    let others = [
        "Nov 20 07:47:40 wks12 LIC_ACC: ",
        "2025/07/15 02:31:21:836 I USGTRACING  Grant!!",
        "2025/07/15 02:31:21:836 W LICENSESERV CAD",
        "2025/07/15 02:31:21:836,",
        "OUT solver 5.0 1 amara ws-07 ",
        "PRODUCT solver ",
        "10/27 02:10 (acme) OUT: solver v1 by a ",
    ];
    for format in formats() {
        for beginning in beginnings.iter().chain(&others) {
            for piece in PIECES
                .iter()
                .chain(&["(", ")", "[", "]", "\"", "@", " ", "^^^", "(-", "#011", ":END_OBF", "\\"])
            {
                let mut line = beginning.as_bytes().to_vec();
                while line.len() < formats::MAX_LINE / 8 {
                    line.extend_from_slice(piece.as_bytes());
                }
                let mut parser = format.parser(&setting());
                let start = Instant::now();
                parser.line(&line);
                let took = start.elapsed();
                // A debug build takes some milliseconds; what is quadratic takes many seconds.
                assert!(
                    took < Duration::from_secs(3),
                    "{} took {took:?} on {beginning}{piece}…",
                    format.name()
                );
            }
        }
    }
}
