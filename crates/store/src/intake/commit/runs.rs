//! Sessions that go into runs ([`crate::runs`]): many of a feature that came together, have ended and are plain.

use super::marks::new_mark;
use super::{Changes, Key};
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
    /// Where its arrays are; none of handles where all are empty.
    arrays: [Option<Range<usize>>; 7],
}

/// Writes what can go into runs, of features with as `many`, and returns the places in `order` of what cannot; `places` are
/// those of new rows, ascending.
pub(super) fn write(
    backend: &mut dyn Backend,
    (changes, order): (&Changes, &[(FeatureId, UnixMs, u32)]),
    places: Vec<usize>,
    input: InputId,
    many: usize,
) -> Result<Vec<usize>, Error> {
    let row = |place: usize| &changes.new[order[place].2 as usize];
    let (plain, mut others): (Vec<usize>, Vec<usize>) =
        places.into_iter().partition(|place| is_plain(&row(*place).1, row(*place).0.holder, input));
    let (mut runs, mut bytes) = (Vec::new(), Vec::new());
    for of_feature in plain.chunk_by(|a, b| order[*a].0 == order[*b].0) {
        if of_feature.len() < many {
            others.extend(of_feature);
            continue;
        }
        // Runs of about equal length.
        let length = of_feature.len().div_ceil(of_feature.len().div_ceil(TOGETHER));
        let of_run = |places: &[usize]| places.iter().map(|place| row(*place)).collect::<Vec<_>>();
        runs.extend(of_feature.chunks(length).filter_map(|places| Run::of(&of_run(places), &mut bytes)));
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
            *cell = array.as_ref().map_or(Cell::Null, |array| Cell::Blob(&bytes[array.clone()]));
        }
    })?;
    others.sort_unstable();
    Ok(others)
}

impl Run {
    /// The run of some sessions in the order of their starts; `bytes` takes its arrays.
    fn of(sessions: &[&(Key, Session)], bytes: &mut Vec<u8>) -> Option<Self> {
        let ((key, first), (_, last)) = (sessions.first()?, sessions.last()?);
        let until = |session: &Session| session.until.unwrap_or(session.from);
        let rows = || sessions.iter().map(|(_, session)| session);
        let handles = || sessions.iter().map(|(key, _)| key.handle());
        let mut put = |fill: &mut dyn FnMut(&mut Vec<u8>)| {
            let begin = bytes.len();
            fill(bytes);
            Some(begin..bytes.len())
        };
        let arrays = [
            put(&mut |out| put_longs(rows().map(|session| session.from), out)),
            put(&mut |out| put_longs(rows().map(until), out)),
            put(&mut |out| put_integers(sessions.iter().map(|(key, _)| key.holder as i32), out)),
            put(&mut |out| put_integers(rows().map(|session| session.version as i32), out)),
            put(&mut |out| put_integers(rows().map(|session| session.seats as i32), out)),
            put(&mut |out| put_integers(rows().map(|session| session.ended.code() as i32), out)),
            match handles().all(str::is_empty) {
                true => None,
                false => put(&mut |out| put_texts(handles(), out)),
            },
        ];
        let until = rows().map(until).max().unwrap_or(last.from);
        Some(Self { feature: key.feature, first: first.from, last: last.from, until, arrays })
    }
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
