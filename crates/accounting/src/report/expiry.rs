//! `expiry`: which seats expire when.

use super::note::Note;
use super::{Cell, Column, Report, Scope};
use crate::day::Day;
use crate::event::Expires;
use crate::ledger::{Expiry, Names};

/// What `expiry` can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The civil day from which days are counted.
    pub today: Day,
    /// Only what expires within so many days, or has expired.
    pub within: Option<i32>,
}

/// The report `expiry`: what the license servers said last of each of their seats that may expire.
///
/// - `expires_on` is the last day on which they can be used, `permanent` where they do not expire, empty where the
///   license server prints a date that is none,
/// - `days_left` = `expires_on` − today in civil days: 0 on the last day, below 0 once they have expired; empty
///   without a date,
/// - `seats` is empty where they are not counted,
/// - `told_at` is when the license server said so.
///
/// Soonest first; then what has no known date; then what is permanent. Of a scope only its feature and its license
/// server count.
pub fn expiry(names: &Names, scope: &Scope, options: Options) -> Report {
    let code =
        |expiry: &Expiry| names.features.get(&expiry.feature).map_or("", |feature| feature.code.as_str());
    let server =
        |expiry: &Expiry| names.servers.get(&expiry.server).map_or("", |server| server.name.as_str());
    let in_scope = |expiry: &&Expiry| {
        scope.feature.as_ref().is_none_or(|glob| glob.is_match(code(expiry)))
            && scope.server.as_deref().is_none_or(|name| name == server(expiry))
    };
    let left = |expiry: &Expiry| match expiry.expires {
        Expires::On(day) => Some(day.0 - options.today.0),
        Expires::Never | Expires::Unknown => None,
    };
    let mut notes = vec![Note::CountedFrom(options.today)];
    let mut found: Vec<&Expiry> = names.expiries.iter().filter(in_scope).collect();
    if let Some(within) = options.within {
        let unknown = found.iter().filter(|expiry| expiry.expires == Expires::Unknown).count();
        found.retain(|expiry| left(expiry).is_some_and(|left| left <= within));
        notes.push(Note::Within(within));
        if unknown > 0 {
            notes.push(Note::WithoutDate(unknown));
        }
    }
    let place = |expiry: &Expiry| match expiry.expires {
        Expires::On(day) => (0, day),
        Expires::Unknown => (1, Day::MAX),
        Expires::Never => (2, Day::MAX),
    };
    found.sort_by_key(|expiry| {
        (
            place(expiry),
            server(expiry),
            expiry.vendor.as_str(),
            code(expiry),
            expiry.version.as_str(),
            expiry.seats,
        )
    });
    let row = |expiry: &&Expiry| {
        vec![
            Cell::Text(server(expiry).to_owned()),
            text(&expiry.vendor),
            Cell::Text(code(expiry).to_owned()),
            text(&expiry.version),
            expiry.seats.map_or(Cell::Empty, Cell::Int),
            match expiry.expires {
                Expires::On(day) => Cell::Text(day.to_string()),
                Expires::Never => Cell::Text("permanent".to_owned()),
                Expires::Unknown => Cell::Empty,
            },
            left(expiry).map_or(Cell::Empty, |left| Cell::Int(i64::from(left))),
            Cell::Instant(expiry.told_at),
        ]
    };
    let columns = vec![
        Column::text("server"),
        Column::text("vendor"),
        Column::text("feature"),
        Column::text("version"),
        Column::number("seats"),
        Column::text("expires_on"),
        Column::number("days_left"),
        Column::text("told_at"),
    ];
    Report { name: "expiry", columns, rows: found.iter().map(row).collect(), notes }
}

fn text(text: &str) -> Cell {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) }
}
