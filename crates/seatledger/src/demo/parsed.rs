//! The year as the real parsers read it.

use super::tests::YEAR;
use super::{Counts, Page, company};
use accounting::day::Day;
use accounting::event::What;
use formats::line::{Line, Setting};
use jiff::tz::TimeZone;

/// Gives every line of a file to the parser of the format that it is detected as; returns the parser's state.
fn read(
    page: &Page,
    format: &str,
    state: Option<String>,
    mut take: impl FnMut(&str, Option<i64>, Line<'_>),
) -> String {
    let detected = formats::detect(&page.text[..page.text.len().min(65_536)]).unwrap();
    assert_eq!(detected.name(), format, "{}", page.name);
    let mut surveyor = detected.surveyor();
    page.text.split(|byte| *byte == b'\n').all(|line| surveyor.line(line));
    let first_day = surveyor.finish().first_day.unwrap_or(Day(20_000));
    let setting = Setting::new(TimeZone::get(company::ZONE).unwrap(), first_day);
    let mut parser = match state {
        Some(state) => detected.resume(&setting, &state).unwrap(),
        None => detected.parser(&setting),
    };
    for line in std::str::from_utf8(&page.text).unwrap().lines() {
        let read = parser.line(line.as_bytes());
        assert!(!matches!(read.line, Line::Unrecognized(_)), "{}: {line}: {:?}", page.name, read.line);
        take(line, read.at, read.line);
    }
    parser.state()
}

fn count(counts: &mut Counts, line: &Line<'_>) {
    let Line::Event { event, .. } = line else { return };
    match event.what {
        What::Checkout(_) => counts.checkouts += 1,
        What::Checkin(..) => counts.checkins += 1,
        What::Denial(..) => counts.denials += 1,
        _ => {}
    }
}

#[test]
fn the_parsers_understand_every_line_and_count_the_same() {
    let year = &*YEAR;
    let mut counts = Counts { lost: year.counts.lost, open: year.counts.open, ..Counts::default() };
    let mut unsupported = 0;
    for (_, pages) in &year.flexnet {
        let mut state = None;
        for page in pages {
            state = Some(read(page, "flexnet", state, |text, _, line| {
                unsupported += u64::from(text.contains(") UNSUPPORTED: "));
                count(&mut counts, &line);
            }));
        }
    }
    counts.denials -= unsupported; // a class of denials
    assert_eq!(counts, year.counts);
    let mut records = 0;
    for page in &year.wrapper {
        read(page, "wrapper", None, |_, _, line| records += u64::from(matches!(line, Line::Event { .. })));
    }
    assert_eq!(records, year.wrapper_records);
}

/// Instants are right through both changes of the clocks: the dates that lmgrd prints lie six hours apart, those of
/// the daemons' statistics four, and nothing goes back by more than the seconds of a start.
#[test]
fn the_parsers_find_the_instants() {
    let year = &*YEAR;
    for (server, pages) in &year.flexnet {
        let (mut state, mut last, mut dates, mut statistics) = (None, i64::MIN, Vec::new(), Vec::new());
        for page in pages {
            state = Some(read(page, "flexnet", state, |text, at, _| {
                let Some(at) = at else { return };
                assert!(at >= last.saturating_sub(5_000), "{server}: {text}");
                last = at;
                if text.contains("(lmgrd) TIMESTAMP ") {
                    dates.push(at);
                } else if text.ends_with("SLOG@) === Active Connections Info ===") {
                    statistics.push(at);
                }
            }));
        }
        let apart = |instants: &[i64], hours: i64| {
            instants.windows(2).filter(|two| two[1] - two[0] == hours * 3_600_000).count()
        };
        // All but those around a restart and those that begin a month.
        assert!(apart(&dates, 6) > dates.len() - 30, "{server}: {} of {}", apart(&dates, 6), dates.len());
        statistics.dedup();
        assert!(apart(&statistics, 4) > statistics.len() - 5, "{server}: {}", apart(&statistics, 4));
    }
}
