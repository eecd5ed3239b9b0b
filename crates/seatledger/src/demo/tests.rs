//! What the year must be, whatever is changed in it.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Made once: it takes a while in a build for tests.
pub(super) static YEAR: LazyLock<Year> = LazyLock::new(|| Year::new().unwrap());

fn lines(page: &Page) -> impl Iterator<Item = &str> {
    std::str::from_utf8(&page.text).unwrap().lines()
}

#[test]
fn the_year_is_the_same_every_time_and_lies_where_it_is_said_to() {
    let directory = tempfile::tempdir().unwrap();
    let written = write_year(&directory.path().join("seatledger-demo")).unwrap();
    let pages = YEAR.flexnet.iter().chain(&YEAR.polls).flat_map(|(_, pages)| pages).chain(&YEAR.wrapper);
    let pages = pages.chain([&YEAR.directory, &YEAR.catalog, &YEAR.config]);
    let paths = written.flexnet.iter().chain(&written.polls);
    let paths = paths.flat_map(|(_, paths)| paths).chain(&written.wrapper);
    let paths = paths.chain([&written.directory, &written.catalog, &written.config]);
    let mut bytes = 0;
    for (page, path) in pages.zip(paths) {
        assert!(path.ends_with(&page.name), "{} is not at {}", page.name, path.display());
        assert!(fs::read(path).unwrap() == page.text, "{} differs", page.name);
        bytes += page.text.len() as u64;
    }
    assert_eq!((written.bytes, written.counts), (bytes, YEAR.counts));
    assert_eq!(written.wrapper_records, YEAR.wrapper_records);
}

#[test]
fn files_are_one_a_server_and_month_and_one_a_host() {
    assert_eq!(
        YEAR.flexnet.iter().map(|(server, _)| server.as_str()).collect::<Vec<_>>(),
        ["27000@lic1", "1055@lic2"]
    );
    for (_, pages) in &YEAR.flexnet {
        assert_eq!(pages.len(), 12);
    }
    assert_eq!(YEAR.flexnet[1].1[9].name, "flexnet/lic2/debug-2025-10.log");
    assert_eq!(YEAR.wrapper.len(), 4);
    let texts = YEAR.flexnet.iter().flat_map(|(_, pages)| pages).chain(&YEAR.wrapper);
    let bytes: usize = texts.map(|page| page.text.len()).sum();
    assert!((15_000_000..40_000_000).contains(&bytes), "{bytes} bytes");
}

#[test]
fn a_file_begins_with_a_start_or_with_the_date() {
    for (server, pages) in &YEAR.flexnet {
        for (nth, page) in pages.iter().enumerate() {
            let first = lines(page).next().unwrap();
            let start = nth == 0 || (nth == 6 && server == "1055@lic2");
            let date = format!(" (lmgrd) TIMESTAMP {}/1/2025", nth + 1);
            let good = if start { first.ends_with("-------") } else { first.ends_with(&date) };
            assert!(first.starts_with(' ') && good, "{}: {first}", page.name);
        }
    }
}

/// Who holds how many seats of what, by daemon.
type Held = BTreeMap<(String, String), i64>;

/// Walks through a server's lines and returns (sessions lost with the server, seats held at the end).
fn walk(pages: &[Page]) -> (i64, Held) {
    let (mut held, mut lost) = (Held::new(), 0);
    for line in pages.iter().flat_map(lines) {
        let (_, rest) = line.split_at(8);
        let (daemon, message) = rest.trim_start_matches(" (").split_once(") ").unwrap();
        let daemon = daemon.to_owned();
        if let Some(claim) = message.strip_prefix("OUT: ") {
            *held.entry((daemon, claim.to_owned())).or_default() += 1;
        } else if let Some(claim) = message.strip_prefix("IN: ") {
            let claim = claim.trim_end_matches("(INACTIVE)").trim_end_matches("(SHUTDOWN)").to_owned();
            let open = held.get_mut(&(daemon, claim)).unwrap_or_else(|| panic!("nothing to close: {line}"));
            *open -= 1;
            assert!(*open >= 0, "nothing to close: {line}");
        } else if message.starts_with("FlexNet Licensing (v") {
            lost += held.values().sum::<i64>();
            held.clear();
        }
    }
    (lost, held)
}

#[test]
fn what_goes_out_comes_in_unless_the_server_stops_or_the_year_ends() {
    let walks: Vec<_> = YEAR.flexnet.iter().map(|(_, pages)| walk(pages)).collect();
    let lost: i64 = walks.iter().map(|(lost, _)| lost).sum();
    let open: i64 = walks.iter().flat_map(|(_, held)| held.values()).sum();
    let Counts { checkouts, checkins, .. } = YEAR.counts;
    assert_eq!((lost as u64, open as u64), (YEAR.counts.lost, YEAR.counts.open));
    assert_eq!(checkouts, checkins + YEAR.counts.lost + YEAR.counts.open);
    assert!(lost > 0 && open > 0, "{lost} lost, {open} open");
}

#[test]
fn the_year_shows_what_it_promises() {
    let logs = YEAR.flexnet.iter().flat_map(|(_, pages)| pages);
    let all: Vec<&str> = logs.flat_map(lines).collect();
    let count = |part: &str| all.iter().filter(|line| line.contains(part)).count();
    assert!((2..20).contains(&count("OUT: \"67600NAVMAN_F\"")), "hardly anybody needs it");
    assert!(count("DENIED: \"Signal_Toolbox\"") > 5_000, "too small");
    assert!(count(" licenses) ") > 1_000, "parallel jobs");
    assert!(count("müller") > 0, "an umlaut");
    for part in [
        "UNSUPPORTED: ",
        "(INACTIVE)",
        "(SHUTDOWN)",
        "-SLOG@) Time: ",
        "exited with status 46",
        "(-4,342:104 \"",
    ] {
        assert!(count(part) > 0, "{part}");
    }
    assert!(all.iter().any(|line| line.starts_with(" 9:")) && !all.iter().any(|line| line.starts_with('0')));
}

#[test]
fn clocks_change_twice() {
    let lines_of = |month: usize, part: &'static str| {
        lines(&YEAR.flexnet[1].1[month]).filter(move |line| line.contains(part)).map(|line| &line[..8])
    };
    let hours = |month: usize, day: &'static str| -> BTreeSet<&str> {
        lines_of(month, day).map(|time| &time[..2]).collect()
    };
    let [winter, summer] = [hours(1, "Time: Fri Feb 14 2025"), hours(3, "Time: Tue Apr 01 2025")];
    assert_eq!((winter.len(), summer.len()), (6, 6));
    assert_ne!(winter, summer, "the statistics keep their four hours, and the clock has moved");
    assert!(lines_of(4, " CEST").count() > 100 && lines_of(11, " CET").count() > 100);
    let gap = YEAR
        .flexnet
        .iter()
        .flat_map(|(_, pages)| lines(&pages[2]))
        .any(|line| line.contains("Mar 30 2025 02:"));
    assert!(!gap, "the hour that was left out");
}

#[test]
fn wrapper_records_stop_what_they_started() {
    for page in &YEAR.wrapper {
        let mut running = BTreeSet::new();
        for line in lines(page) {
            let (_, record) = line.split_once("LIC_ACC").unwrap();
            let [_, tool, word, _, user, "PID:", pid] = record.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            match word {
                "START" => assert!(running.insert((tool, user, pid)), "{line}"),
                _ => assert!(running.remove(&(tool, user, pid)), "{line}"),
            }
        }
        let lost = if page.name == "wrapper/calc3.log" { 1..12 } else { 0..4 };
        assert!(lost.contains(&running.len()), "{}: {running:?}", page.name);
    }
}

#[test]
fn the_logs_go_on_after_the_year_as_their_servers_do() {
    for ((server, pages), live) in YEAR.flexnet.iter().zip(&YEAR.live) {
        assert!(live.name.ends_with("/debug-2026-01.log"), "{}", live.name);
        let (before, minute) = (text(&live.minutes[0]), text(&live.minutes[25]));
        assert!(before.lines().next().unwrap().ends_with(" (lmgrd) TIMESTAMP 1/1/2026"), "{before}");
        assert!(before.contains("(lmgrd) TIMESTAMP 1/13/2026"), "{server}");
        assert!(minute.lines().all(|line| line.starts_with("15:15:")), "{minute}");
        // What comes in was out: at the end of the year, or since.
        let next = Page { name: live.name.clone(), text: live.minutes.concat() };
        let all: Vec<Page> = pages.iter().map(copy).chain([next]).collect();
        assert!(walk(&all).1.values().sum::<i64>() >= 0);
        let moving = live.minutes[1..240].iter().filter(|minute| !minute.is_empty()).count();
        assert!(moving > 80, "{server}: something happens in {moving} of four hours' minutes");
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn copy(page: &Page) -> Page {
    Page { name: page.name.clone(), text: page.text.clone() }
}
