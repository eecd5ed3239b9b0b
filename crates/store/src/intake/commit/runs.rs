//! Sessions that go into runs ([`crate::runs`]): many that came together, have ended and are plain.

use super::Changes;
use super::marks::new_mark;
use crate::Error;
use crate::backend::{Backend, Cell, Table, Type, put_integers, put_longs, put_texts};
use accounting::UnixMs;
use accounting::pairing::{InputId, Session};
use accounting::session::FeatureId;
use std::ops::Range;

/// How many sessions a run holds at most: a page of PostgreSQL holds three such runs, and whoever needs one session reads few others.
const TOGETHER: usize = 64;

/// The columns with arrays are bytes, as a COPY takes them.
const SESSION_RUN: Table<'static> = Table {
    name: "session_run",
    columns: &[
        ("feature_id", Type::Int),
        ("input_id", Type::Int),
        ("run_id", Type::Int),
        ("first_at", Type::Int),
        ("last_at", Type::Int),
        ("until_at", Type::Int),
        ("from_ats", Type::Blob),
        ("until_ats", Type::Blob),
        ("holder_ids", Type::Blob),
        ("version_ids", Type::Blob),
        ("seats", Type::Blob),
        ("ended", Type::Blob),
        ("handles", Type::Blob),
    ],
};

/// A row of a run.
struct Run {
    feature: FeatureId,
    first: UnixMs,
    last: UnixMs,
    until: UnixMs,
    /// Where its arrays are.
    arrays: [Range<usize>; 6],
    handles: Option<Range<usize>>,
}

/// Writes what can go into runs, and returns the places in `order` of what cannot; `places` are those of new rows, ascending.
pub(super) fn write(
    backend: &mut dyn Backend,
    changes: &Changes,
    order: &[(FeatureId, UnixMs, u32)],
    places: Vec<usize>,
    input: InputId,
) -> Result<Vec<usize>, Error> {
    let row = |place: usize| &changes.new[order[place].2 as usize];
    let (plain, others): (Vec<usize>, Vec<usize>) =
        places.into_iter().partition(|place| is_plain(&row(*place).1, row(*place).0.holder, input));
    let (mut runs, mut bytes) = (Vec::new(), Vec::new());
    for of_feature in plain.chunk_by(|a, b| order[*a].0 == order[*b].0) {
        for places in of_feature.chunks(TOGETHER) {
            let sessions = || places.iter().map(|place| &row(*place).1);
            let integers = |each: fn(&Session) -> u32| sessions().map(move |session| each(session) as i32);
            let mut put = |fill: &mut dyn FnMut(&mut Vec<u8>)| {
                let begin = bytes.len();
                fill(&mut bytes);
                begin..bytes.len()
            };
            let until = |session: &Session| session.until.unwrap_or(session.from);
            let arrays = [
                put(&mut |out| put_longs(sessions().map(|session| session.from), out)),
                put(&mut |out| put_longs(sessions().map(until), out)),
                put(&mut |out| put_integers(places.iter().map(|place| row(*place).0.holder as i32), out)),
                put(&mut |out| put_integers(integers(|session| session.version), out)),
                put(&mut |out| put_integers(integers(|session| session.seats), out)),
                put(&mut |out| put_integers(sessions().map(|session| session.ended.code() as i32), out)),
            ];
            let handles = || places.iter().map(|place| row(*place).0.handle());
            let handles =
                handles().any(|handle| !handle.is_empty()).then(|| put(&mut |out| put_texts(handles(), out)));
            let (Some(first), Some(last)) = (places.first(), places.last()) else { continue };
            runs.push(Run {
                feature: order[*first].0,
                first: order[*first].1,
                last: order[*last].1,
                until: sessions().map(until).max().unwrap_or(order[*last].1),
                arrays,
                handles,
            });
        }
    }
    // Tells runs apart that begin and end together.
    let id = new_mark();
    backend.insert(&SESSION_RUN, runs.len(), &mut |place, cells| {
        let run = &runs[place];
        let id = id.wrapping_add(place as i64);
        let numbers = [i64::from(run.feature), i64::from(input), id, run.first, run.last, run.until];
        let (before, after) = cells.split_at_mut(numbers.len());
        before.copy_from_slice(&numbers.map(Cell::Int));
        for (cell, array) in after.iter_mut().zip(&run.arrays) {
            *cell = Cell::Blob(&bytes[array.clone()]);
        }
        cells[12] = run.handles.as_ref().map_or(Cell::Null, |handles| Cell::Blob(&bytes[handles.clone()]));
    })?;
    Ok(others)
}

/// Whether a session has ended and says nothing that a run has no place for.
fn is_plain(row: &Session, holder: u32, input: InputId) -> bool {
    let is_small = |number: u32| i32::try_from(number).is_ok();
    row.until.is_some()
        && row.nth == 0
        && row.from_input == input
        && row.until_input == Some(input)
        && row.start_seats == row.seats
        && row.end_seats.is_none_or(|seats| seats == row.seats)
        && (row.from_order, row.until_order) == (0, 0)
        && is_small(holder)
        && is_small(row.version)
        && is_small(row.seats)
}
