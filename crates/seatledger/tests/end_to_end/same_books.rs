//! The same events give the same books, however they come in.

use crate::desk::{Books, Desk};
use crate::flexnet::{self, Shape};
use proptest::prelude::*;
use std::io::Write;

const SMALL: Shape = Shape { seed: 7, days: 4, events_a_day: 60, restarts: true };

/// The books of a text imported once, as one file.
fn whole(text: &str) -> Books {
    let desk = Desk::new();
    desk.write("whole.log", text);
    desk.import(&["whole.log"]);
    desk.books()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

#[test]
fn the_generated_log_has_what_the_tests_need() {
    let text = flexnet::log(SMALL);
    for needed in
        ["OUT: ", "IN: ", "DENIED: ", "(SHUTDOWN)", "(INACTIVE)", " licenses)", "[job-", "TIMESTAMP"]
    {
        assert!(text.contains(needed), "no {needed}");
    }
    let books = whole(&text);
    for ending in ["checkin", "server_stopped", "timed_out", "open"] {
        assert!(books.sessions.iter().any(|row| row.contains(&format!(",{ending},"))), "no {ending}");
    }
    assert!(books.sessions.iter().all(|row| row.contains(",27000@lic1,")));
}

#[test]
fn a_file_imported_twice_changes_nothing_also_renamed_packed_or_piped() {
    let text = flexnet::log(SMALL);
    let desk = Desk::new();
    desk.write("debug.log", &text);
    desk.import(&["debug.log"]);
    let once = desk.books();
    desk.write("renamed.1", &text);
    desk.write("packed.log.gz", gzip(text.as_bytes()));
    desk.write("packed.log.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    for again in ["debug.log", "renamed.1", "packed.log.gz", "packed.log.zst"] {
        assert!(desk.import(&[again]).contains("nothing new"), "{again}");
        desk.books().assert_same(&once, again);
    }
    let piped = desk.import_piped(text.as_bytes());
    assert_eq!(piped.code, Some(0), "{}", piped.err);
    desk.books().assert_same(&once, "piped");
}

#[test]
fn packed_and_piped_texts_give_the_books_of_the_plain_one() {
    let text = flexnet::log(SMALL);
    let once = whole(&text);
    let packed = Desk::new();
    packed.write("debug.gz", gzip(text.as_bytes()));
    packed.import(&["debug.gz"]);
    packed.books().assert_same(&once, "gzip");
    let packed = Desk::new();
    packed.write("debug.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    packed.import(&["debug.zst"]);
    packed.books().assert_same(&once, "zstd");
    let piped = Desk::new();
    assert_eq!(piped.import_piped(text.as_bytes()).code, Some(0));
    piped.books().assert_same(&once, "piped");
}

#[test]
fn the_same_file_named_twice_in_one_command_counts_once() {
    let text = flexnet::log(SMALL);
    let desk = Desk::new();
    desk.write("a/debug.log", &text);
    desk.write("b/debug.log", &text);
    desk.import(&["a", "b", "a/debug.log"]);
    desk.books().assert_same(&whole(&text), "twice in one command");
}

#[test]
fn a_file_pasted_twice_into_one_counts_once() {
    let text = flexnet::log(SMALL);
    let desk = Desk::new();
    desk.write("pasted.log", format!("{text}{text}"));
    desk.import(&["pasted.log"]);
    desk.books().assert_same(&whole(&text), "pasted twice");
}

#[test]
fn a_growing_file_adds_its_new_lines_also_when_it_is_rotated_meanwhile() {
    let text = flexnet::log(SMALL);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let desk = Desk::new();
    for share in 1..=5 {
        let until = lines.len() * share / 5;
        let name = if share % 2 == 0 { "debug.log" } else { "debug.log.1" };
        desk.write(name, lines[..until].concat());
        assert!(!desk.import(&[name]).contains("nothing new"));
    }
    desk.books().assert_same(&whole(&text), "grown in five steps");
}

#[test]
fn an_unfinished_last_line_counts_at_once_and_only_once_when_it_is_completed() {
    let text = flexnet::log(SMALL);
    // Cuts of all kinds of lines, at every tenth of the line.
    for line in [12, 30, 41, 55, 78] {
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let length = text[start..].find('\n').unwrap();
        for tenth in [1, 3, 5, 7, 9, 10] {
            let cut = start + length * tenth / 10;
            let desk = Desk::new();
            desk.write("debug.log", &text[..cut]);
            let first = desk.run(&["import", "--timezone", "UTC", "debug.log"]);
            assert!(matches!(first.code, Some(0 | 3)), "{}", first.err);
            desk.books();
            desk.write("debug.log", &text);
            desk.import(&["debug.log"]);
            desk.books().assert_same(&whole(&text), &format!("line {line} cut after {tenth}/10"));
            let left = desk.ok(&["unrecognized", "--format", "csv"]);
            assert_eq!(left.lines().count(), 1, "nothing stays in the quarantine: {left}");
        }
    }
}

#[test]
fn an_unfinished_last_line_read_twice_is_nothing_new() {
    let text = flexnet::log(SMALL);
    let desk = Desk::new();
    desk.write("debug.log", text.trim_end());
    desk.import(&["debug.log"]);
    let once = desk.books();
    assert!(desk.import(&["debug.log"]).contains("nothing new"));
    desk.books().assert_same(&once, "the same unfinished file");
    desk.write("debug.log", &text);
    desk.import(&["debug.log"]);
    desk.books().assert_same(&whole(&text), "its line ending came");
}

#[test]
fn monthly_files_in_any_order_give_the_books_of_the_order_of_time() {
    let text = flexnet::log(Shape { seed: 11, days: 75, events_a_day: 12, restarts: true });
    let months = flexnet::by_month(&text);
    assert_eq!(months.len(), 3);
    let in_order = whole(&text);
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1]] {
        let desk = Desk::new();
        for month in order {
            desk.write(&months[month].0, &months[month].1);
            desk.import(&["--server", "27000@lic1", &months[month].0]);
        }
        desk.books().assert_same(&in_order, &format!("{order:?}"));
    }
    let desk = Desk::new();
    for (name, text) in &months {
        desk.write(&format!("logs/{name}"), text);
    }
    desk.import(&["logs"]);
    desk.books().assert_same(&in_order, "a directory");
}

#[test]
fn files_of_one_server_that_overlap_count_each_line_once() {
    let text = flexnet::log(SMALL);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (third, two_thirds) = (lines.len() / 3, lines.len() * 2 / 3);
    let desk = Desk::new();
    desk.write("first.log", lines[..two_thirds].concat());
    desk.write("second.log", flexnet::from_line(&text, third));
    desk.import(&["first.log"]);
    desk.import(&["--server", "27000@lic1", "second.log"]);
    desk.books().assert_same(&whole(&text), "overlapping files");
}

/// Imports `text` cut at these bytes, each piece by a command of its own, in order.
fn in_pieces(text: &str, cuts: &[usize]) -> Desk {
    let desk = Desk::new();
    let mut from = 0;
    for (nth, &until) in cuts.iter().chain([&text.len()]).enumerate() {
        if until > from {
            let name = format!("piece-{nth}.log");
            desk.write(&name, &text[from..until]);
            let ran = desk.run(&["import", "--timezone", "UTC", &name]);
            assert!(matches!(ran.code, Some(0 | 3)), "{cuts:?} {name}: {}", ran.err);
            from = until;
        }
    }
    desk
}

#[test]
fn a_file_cut_between_lines_anywhere_is_the_whole() {
    let text = flexnet::log(Shape { days: 2, ..SMALL });
    let once = whole(&text);
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let header = ends.iter().take(30);
    let others = ends.iter().skip(30).step_by(7);
    for cut in header.chain(others) {
        in_pieces(&text, &[*cut])
            .books()
            .assert_same(&once, &format!("cut at {cut}: {:?}", around(&text, *cut)));
    }
}

/// The half of a port that ends a piece names no server, also in a later header.
#[test]
fn a_file_cut_within_the_port_of_a_later_header_is_the_whole() {
    let text = flexnet::log(Shape { seed: 993, days: 2, ..SMALL });
    for (at, port) in text.match_indices("tcp-port 27000") {
        let cut = at + port.len() - 4;
        if cut >= SHORTEST_PIECE {
            in_pieces(&text, &[cut]).books().assert_same(&whole(&text), &format!("cut at {cut}"));
        }
    }
}

/// Three lines, in bytes: a piece without any whole line is of no known kind, and refused.
const SHORTEST_PIECE: usize = 400;

fn around(text: &str, at: usize) -> &str {
    &text[at.saturating_sub(60)..(at + 60).min(text.len())]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_file_cut_anywhere_and_read_in_order_is_the_whole(
        seed in 0..1000_u64,
        shares in prop::collection::btree_set(0..10_000_usize, 1..5),
    ) {
        let text = flexnet::log(Shape { seed, days: 2, ..SMALL });
        let mut cuts: Vec<usize> = Vec::new();
        for cut in shares.iter().map(|share| text.len() * share / 10_000) {
            if cut >= cuts.last().unwrap_or(&0) + SHORTEST_PIECE && cut + SHORTEST_PIECE <= text.len() {
                cuts.push(cut);
            }
        }
        let shown: Vec<&str> = cuts.iter().map(|cut| around(&text, *cut)).collect();
        let difference = in_pieces(&text, &cuts).books().difference(&whole(&text));
        prop_assert!(difference.is_none(), "seed {seed}, cut at {cuts:?} {shown:#?}: {difference:?}");
    }
}
