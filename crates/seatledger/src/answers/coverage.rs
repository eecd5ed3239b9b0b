//! What was watched when, and how the sources of running services are.

use accounting::UnixMs;
use accounting::ledger::Names;
use accounting::report::note::{Differs, Note, Watching};
use accounting::report::{self as reports, Cell, Column, Scope};
use store::sources::SourceTellings;
use store::{CoverageRow, Error, Reader};

/// What was watched when: the inputs, their license servers, their lines.
pub(super) fn coverage(
    reader: &mut Reader<'_>,
    names: &Names,
    scope: &Scope,
) -> Result<reports::Report, Error> {
    let inputs = reader.inputs()?;
    let calendar = reader.calendar();
    let mut rows = Vec::new();
    for row in reader.coverage()? {
        let server = names.servers.get(&row.server).map_or("", |server| server.name.as_str());
        let wanted = scope.server.as_deref().is_none_or(|wanted| wanted == server)
            && scope.from.is_none_or(|from| calendar.day_of(row.until) >= from)
            && scope.until.is_none_or(|until| calendar.day_of(row.from) < until);
        if wanted {
            let count = |lines: Option<u64>| lines.map_or(Cell::Empty, |lines| Cell::Int(lines as i64));
            rows.push(vec![
                row.input
                    .map_or(Cell::Empty, |input| Cell::Text(inputs.get(&input).cloned().unwrap_or_default())),
                Cell::Text(server.to_owned()),
                Cell::Instant(row.from),
                Cell::Instant(row.until),
                Cell::Text(state(&row).to_owned()),
                count(row.lines.map(|(lines, _)| lines)),
                count(row.lines.map(|(_, unrecognized)| unrecognized)),
            ]);
        }
    }
    let mut columns = vec![
        Column::text("source"),
        Column::text("server"),
        Column::text("from"),
        Column::text("until"),
        Column::text("state"),
        Column::number("lines"),
        Column::number("unrecognized"),
    ];
    let mut notes = notes_on_coverage(reader, names, scope)?;
    if rows.iter().any(|row| row.get(STATE) == Some(&Cell::Text(BETWEEN.to_owned()))) {
        notes.insert(1, Note::Watching(Watching::Between));
    }
    let told = reader.sources_told()?;
    if !told.is_empty() {
        columns.extend(OF_SOURCES.map(|(name, is_number)| match is_number {
            true => Column::number(name),
            false => Column::text(name),
        }));
        for row in &mut rows {
            row.resize(columns.len(), Cell::Empty);
        }
        let now = reader.time()?;
        let wanted = |told: &&SourceTellings| {
            scope.server.is_none()
                && scope.from.is_none_or(|from| calendar.day_of(told.told_at) >= from)
                && scope.until.is_none_or(|until| calendar.day_of(told.told.since_at) < until)
        };
        rows.extend(told.iter().filter(wanted).map(|told| of_source(told, now)));
        notes.push(Note::Watching(Watching::Sources));
    }
    Ok(reports::Report { name: "coverage", columns, rows, notes })
}

/// The place of the column `state`, and what it says of the time between inputs.
const STATE: usize = 4;
const BETWEEN: &str = "between";

/// Between inputs nothing tells that the license server stood still, or that nobody watched.
fn state(row: &CoverageRow) -> &'static str {
    match (row.watched, row.input) {
        (true, Some(_)) => "watched",
        (true, None) => BETWEEN,
        (false, _) => "gap",
    }
}

/// What is told of sources besides, and whether it is a number.
const OF_SOURCES: [(&str, bool); 10] = [
    ("events", true),
    ("notes", true),
    ("noise", true),
    ("last_event_at", false),
    ("lag_bytes", true),
    ("lag_seconds", true),
    ("restarts", true),
    ("host", false),
    ("why", false),
    ("remedy", false),
];

/// How a source is, as its service told last.
fn of_source(source: &SourceTellings, now: UnixMs) -> Vec<Cell> {
    let SourceTellings { host, told_at, told, .. } = source;
    let text = |text: &Option<String>| text.clone().map_or(Cell::Empty, Cell::Text);
    let (state, why, remedy) = match source.is_silent(now) {
        true => (
            "silent",
            Cell::Text(format!("nothing was heard of its service since; it was {}", told.state)),
            Cell::Text(format!("see whether `seatledger serve` runs on {host}")),
        ),
        false => (told.state.as_str(), text(&told.why), text(&told.remedy)),
    };
    let number = |number: u64| Cell::Int(number as i64);
    let [events, notes, noise, unrecognized] = told.lines;
    vec![
        Cell::Text(source.called()),
        Cell::Empty,
        Cell::Instant(told.since_at),
        Cell::Instant(*told_at),
        Cell::Text(state.to_owned()),
        number(told.lines.iter().sum()),
        number(unrecognized),
        number(events),
        number(notes),
        number(noise),
        told.last_event_at.map_or(Cell::Empty, Cell::Instant),
        number(told.lag_bytes),
        Cell::Int(told.lag_ms / 1000),
        number(told.restarts),
        Cell::Text(host.clone()),
        why,
        remedy,
    ]
}

/// What a row does not say: what a gap is, and how far polls agree with the log beside them.
fn notes_on_coverage(reader: &mut Reader<'_>, names: &Names, scope: &Scope) -> Result<Vec<Note>, Error> {
    let mut notes = vec![Note::Watching(Watching::Gap)];
    for reconciled in reader.reconciled()? {
        let store::Reconciled { server, polls, compared, equal, worst } = reconciled;
        let server = names.servers.get(&server).map_or("", |server| server.name.as_str());
        if scope.server.as_deref().is_some_and(|wanted| wanted != server) {
            continue;
        }
        let worst = worst.map(|worst| {
            let feature = names.features.get(&worst.feature);
            let feature = feature.map(|feature| feature.code.clone()).unwrap_or_default();
            Differs { feature, at: worst.at, polled: worst.polled, logged: worst.logged }
        });
        let server = server.to_owned();
        notes.push(Note::Watching(Watching::Reconciled { server, polls, compared, equal, worst }));
    }
    Ok(notes)
}
