//! What every target asserts of its format.

use accounting::day::Day;
use formats::events::Told;
use formats::line::{Format, Line, Setting};

/// Any bytes are read as lines: no panic, every line one of four kinds, and a parser that is resumed from its state
/// before each third line reads what one reads that never stopped.
pub fn survives(name: &str, bytes: &[u8]) {
    survives_as(formats::named(name).expect("the format exists"), bytes);
}

/// As [`survives`], of a format that no name stands for.
pub fn survives_as(format: &dyn Format, bytes: &[u8]) {
    let zone = jiff::tz::TimeZone::get("Europe/Zurich").expect("the bundled zones hold it");
    let _ = formats::detect(bytes);
    let mut surveyor = format.surveyor();
    let _ = bytes.split(|byte| *byte == b'\n').all(|line| surveyor.line(line));
    let survey = surveyor.finish();
    let first_day = survey.first_day.unwrap_or(Day(20_000 - survey.midnights));
    let setting = Setting::new(zone, first_day);
    let (mut whole, mut chunked) = (format.parser(&setting), format.parser(&setting));
    for (nth, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if nth % 3 == 2 {
            chunked = format.resume(&setting, &chunked.state()).expect("its own state");
        }
        let read = whole.line(line);
        assert_eq!(read, chunked.line(line));
        match &read.line {
            Line::Event { times, .. } => assert!(*times > 0),
            Line::Events(events) => assert!(!events.is_empty()),
            _ => {}
        }
    }
    assert_eq!(whole.state(), chunked.state());
}

/// What a wrapper tells is spooled and read again as the same, and becomes an event of the instants that it names.
pub fn is_told_alike(told: Told) {
    let again: Told = serde_json::from_str(&told.to_line()).expect("its own line");
    assert_eq!(again, told);
    assert_eq!(again.fault(), told.fault());
    let (latest, is_right) = (told.latest(), told.fault().is_none());
    let read = told.into_read();
    assert_eq!(read.at, Some(latest));
    let Line::Event { event, times: 1 } = read.line else { panic!("it is an event") };
    assert!(!is_right || event.at <= latest);
}
