//! One report in every face.

use super::{Face, Look, Rows, report};
use accounting::report::group::Key;
use accounting::report::note::Note;
use accounting::report::{Cell, Column, Report};
use jiff::tz::TimeZone;

const PLAIN: Look = Look { width: 100, color: false, bars: false };

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn example() -> Report {
    let columns = vec![
        Column::text("feature"),
        Column::number("usage_minutes"),
        Column::number("seats"),
        Column::text("from"),
        Column::text("user"),
    ];
    let rows = vec![
        vec![
            text("app1"),
            Cell::Decimal(120.25),
            Cell::Int(3),
            Cell::Instant(1_489_320_000_000),
            text("a \"b\", c"),
        ],
        vec![
            text("solid works"),
            Cell::Decimal(0.043_813),
            Cell::Empty,
            Cell::Instant(1_489_298_400_250),
            Cell::Empty,
        ],
        vec![text("Ωmega"), Cell::Decimal(7.0), Cell::Int(-12), Cell::Empty, text("fiore\u{1b}[1m\ttab")],
    ];
    Report { name: "usage", columns, rows, notes: vec![Note::CountedFrom("2017-03-01".parse().unwrap())] }
}

fn written(example: &Report, face: Face, look: Look) -> String {
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let mut out = Vec::new();
    report(example, face, &zone, &look, None, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn csv_carries_everything() {
    let expected = "feature,usage_minutes,seats,from,user\n\
                    app1,120.25,3,2017-03-12T08:00:00-04:00,\"a \"\"b\"\", c\"\n\
                    solid works,0.043813,,2017-03-12T01:00:00.250-05:00,\n\
                    Ωmega,7,-12,,fiore\u{1b}[1m\ttab\n";
    assert_eq!(written(&example(), Face::Csv, PLAIN), expected);
}

#[test]
fn json_carries_everything() {
    let written = written(&example(), Face::Json, PLAIN);
    let expected = r#"[
{"feature":"app1","usage_minutes":120.25,"seats":3,"from":"2017-03-12T08:00:00-04:00","user":"a \"b\", c"},
{"feature":"solid works","usage_minutes":0.043813,"seats":null,"from":"2017-03-12T01:00:00.250-05:00","user":null},
{"feature":"Ωmega","usage_minutes":7,"seats":-12,"from":null,"user":"fiore\u001b[1m\ttab"}
]
"#;
    assert_eq!(written, expected);
    serde_json::from_str::<serde_json::Value>(&written).expect("JSON");
}

#[test]
fn tables_stand_in_columns() {
    let expected = "\
feature      usage_minutes  seats  from                 user
─────────────────────────────────────────────────────────────────────
app1              120.25        3  2017-03-12 08:00:00  a \"b\", c
solid works         0.0438         2017-03-12 01:00:00
Ωmega               7         -12                       fiore\u{fffd}[1m\u{fffd}tab

Note: days are counted from 2017-03-01
";
    assert_eq!(written(&example(), Face::Table, PLAIN), expected);
}

#[test]
fn a_short_line_breaks_names_and_shortens_texts() {
    let expected = "           usage_
feature   minutes  seats  from                 user
─────────────────────────────────────────────────────
app1     120.25        3  2017-03-12 08:00:00  a \"b\"…
solid…     0.0438         2017-03-12 01:00:00
Ωmega      7         -12                       fiore…

Note: days are counted from 2017-03-01
";
    assert_eq!(written(&example(), Face::Table, Look { width: 53, ..PLAIN }), expected);
}

#[test]
fn eighty_columns_hold_what_there_is() {
    let names = ["seats_issued", "seats_average", "seats_peak", "utilization_percent", "app_usage_percent"];
    let more = ["busy_percent", "full_percent", "coverage_percent"];
    let numbers = names.into_iter().chain(more).map(Column::number);
    let columns: Vec<Column> =
        [Column::text("from"), Column::text("feature")].into_iter().chain(numbers).collect();
    let row = |hour: i64| {
        let cells = [Cell::Instant(1_700_006_400_000 + hour * 3_600_000), text("87537INVPROSA_2022_0F")];
        cells.into_iter().chain((0..8).map(|nth| Cell::Decimal(1.04 * f64::from(nth)))).collect()
    };
    let made = |hours: &[i64]| {
        let rows = hours.iter().map(|hour| row(*hour)).collect();
        let wide = Report { name: "x", columns: columns.clone(), rows, notes: Vec::new() };
        let out = written(&wide, Face::Table, Look { width: 80, ..PLAIN });
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
        out
    };
    // 2023-11-15 in New York begins at 05:00 of UTC, and so do the days after it.
    let daily = made(&[5, 29, 53]);
    assert!(daily.contains("\n2023-11-15  ") && !daily.contains("00:00"), "{daily}");
    assert!(made(&[5, 6, 7]).contains("\n2023-11-15 01:00  "));
}

#[test]
fn bars_stand_behind_their_column() {
    let mut short = example();
    for row in &mut short.rows {
        row.truncate(3);
    }
    short.columns.truncate(3);
    short.notes = vec![Note::Only(Key::Feature, "two\nthree four five six".to_owned())];
    let expected = "\
feature      usage_minutes          seats
─────────────────────────────────────────
app1              120.25    ██████      3
solid works         0.0438  ▏
Ωmega               7       ▍         -12

Note: feature two three four five six
      only
";
    assert_eq!(written(&short, Face::Table, Look { width: 41, bars: true, ..PLAIN }), expected);
    let coloured = written(&short, Face::Table, Look { width: 33, bars: true, color: true });
    assert!(coloured.starts_with("\u{1b}[1m"), "{coloured}");
    assert!(coloured.ends_with("Note: feature two three four five\n      six only\n"), "{coloured}");
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let empty = Report { rows: Vec::new(), ..example() };
    assert_eq!(written(&empty, Face::Csv, PLAIN), "feature,usage_minutes,seats,from,user\n");
    assert_eq!(written(&empty, Face::Json, PLAIN), "[]\n");
    let said = "There is nothing in that period.\n\nNote: days are counted from 2017-03-01\n";
    assert_eq!(written(&empty, Face::Table, PLAIN), said);
}

#[test]
fn long_listings_are_streamed() {
    let mut out = Vec::new();
    let columns = vec![Column::text("user"), Column::number("n")];
    let zone = TimeZone::UTC;
    let mut rows = Rows::new(Face::Table, columns, &zone, &PLAIN, &mut out);
    for number in 0..5_000 {
        let user = if number < 2_000 { "anna" } else { "a longer name" };
        rows.row(vec![text(user), Cell::Int(number)]).expect("memory takes everything");
    }
    rows.finish(&[]).expect("memory takes everything");
    let written = String::from_utf8(out).expect("UTF-8");
    assert_eq!(written.lines().count(), 5_002);
    assert_eq!(written.lines().nth(2), Some("anna     0"));
    assert_eq!(written.lines().last(), Some("a l…  4999"));
}

#[test]
fn faces_have_names() {
    assert_eq!("csv".parse(), Ok(Face::Csv));
    assert_eq!("xml".parse::<Face>(), Err("unknown format `xml`: table, csv, json, xlsx or html".to_owned()));
}
