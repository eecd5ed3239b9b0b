//! What was watched when.

use super::civil;
use accounting::ledger::Names;
use accounting::report::{self as reports, Cell, Column, Scope};
use store::{Error, Reader};

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
                Cell::Text(inputs.get(&row.input).cloned().unwrap_or_default()),
                Cell::Text(server.to_owned()),
                Cell::Instant(row.from),
                Cell::Instant(row.until),
                Cell::Text(if row.watched { "watched" } else { "gap" }.to_owned()),
                count(row.lines.map(|(lines, _)| lines)),
                count(row.lines.map(|(_, unrecognized)| unrecognized)),
            ]);
        }
    }
    Ok(reports::Report {
        name: "coverage",
        columns: vec![
            Column::text("source"),
            Column::text("server"),
            Column::text("from"),
            Column::text("until"),
            Column::text("state"),
            Column::number("lines"),
            Column::number("unrecognized"),
        ],
        rows,
        notes: notes_on_coverage(reader, names, scope)?,
    })
}

/// What a row does not say: what a gap is, and how far polls agree with the log beside them.
fn notes_on_coverage(reader: &mut Reader<'_>, names: &Names, scope: &Scope) -> Result<Vec<String>, Error> {
    let zone = reader.calendar().zone().clone();
    let mut notes =
        vec!["gap: between the last line of a run and the next start nobody was watching".to_owned()];
    for reconciled in reader.reconciled()? {
        let store::Reconciled { server, polls, compared, equal, worst } = reconciled;
        let server = names.servers.get(&server).map_or("", |server| server.name.as_str());
        if scope.server.as_deref().is_some_and(|wanted| wanted != server) {
            continue;
        }
        let worst = worst.map_or(String::new(), |worst| {
            let feature = names.features.get(&worst.feature).map_or("", |feature| feature.code.as_str());
            let (polled, logged) = (worst.polled, worst.logged);
            format!(
                "; they differ most in {feature} at {}: {polled} polled, {logged} logged",
                civil(worst.at, &zone)
            )
        });
        notes.push(format!(
            "{server}: {polls} polls beside the log; {equal} of {compared} figures of seats in use agree{worst}"
        ));
    }
    Ok(notes)
}
