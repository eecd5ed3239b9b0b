//! Sessions that go into runs ([`crate::runs`]): many of a feature that came together, have ended and are plain.

use super::marks::new_mark;
use super::{Changes, Key};
use crate::Error;
use crate::backend::{Backend, Cell, Table, Type, put_integers, put_longs, put_texts};
use crate::runs::{Form, digits};
use accounting::UnixMs;
use accounting::pairing::{InputId, Session};
use accounting::session::FeatureId;
use serde_json::json;
use std::ops::Range;

/// How many sessions a run holds at most: a page of PostgreSQL holds three such runs, and whoever needs one session reads few
/// others. SQLite's `session_place` has as many places.
const TOGETHER: usize = 64;

/// The table where columns are arrays: bytes, as a COPY takes them.
const OF_ARRAYS: Table<'static> = Table {
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

/// The table where columns are digits.
const OF_DIGITS: Table<'static> = Table {
    name: "session_run",
    columns: &[
        ("feature_id", Type::Int),
        ("input_id", Type::Int),
        ("run_id", Type::Int),
        ("first_at", Type::Int),
        ("last_at", Type::Int),
        ("until_at", Type::Int),
        ("starts", Type::Blob),
        ("lengths", Type::Blob),
        ("holder_ids", Type::Blob),
        ("version_ids", Type::Blob),
        ("seats", Type::Blob),
        ("ended", Type::Blob),
        ("handles", Type::Text),
        ("sessions", Type::Int),
    ],
};

/// A row of a run.
struct Run {
    feature: FeatureId,
    first: UnixMs,
    last: UnixMs,
    until: UnixMs,
    sessions: usize,
    /// Where its columns are.
    columns: [Range<usize>; 6],
    handles: Handles,
}

/// The handles of a run.
enum Handles {
    /// All are empty.
    None,
    /// Where they are, as an array.
    Array(Range<usize>),
    Json(String),
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
    let form = backend.form_of_runs();
    let (mut runs, mut bytes) = (Vec::new(), Vec::new());
    for of_feature in plain.chunk_by(|a, b| order[*a].0 == order[*b].0) {
        if of_feature.len() < many {
            others.extend(of_feature);
            continue;
        }
        // Runs of about equal length.
        let length = of_feature.len().div_ceil(of_feature.len().div_ceil(TOGETHER));
        let of_run = |places: &[usize]| places.iter().map(|place| row(*place)).collect::<Vec<_>>();
        runs.extend(
            of_feature.chunks(length).filter_map(|places| Run::of(&of_run(places), form, &mut bytes)),
        );
    }
    // Tells runs apart that begin and end together.
    let id = new_mark();
    let table = if form == Form::Arrays { &OF_ARRAYS } else { &OF_DIGITS };
    backend.insert(table, runs.len(), &mut |place, cells| {
        let run = &runs[place];
        let id = id.wrapping_add(place as i64);
        let numbers = [i64::from(run.feature), i64::from(input), id, run.first, run.last, run.until];
        let columns = run.columns.iter().map(|column| Cell::Blob(&bytes[column.clone()]));
        let handles = match &run.handles {
            Handles::None => Cell::Null,
            Handles::Array(range) => Cell::Blob(&bytes[range.clone()]),
            Handles::Json(text) => Cell::Text(text),
        };
        // An array knows how long it is.
        let others = [handles, Cell::Int(run.sessions as i64)];
        for (cell, value) in
            cells.iter_mut().zip(numbers.map(Cell::Int).into_iter().chain(columns).chain(others))
        {
            *cell = value;
        }
    })?;
    others.sort_unstable();
    Ok(others)
}

impl Run {
    /// The run of some sessions in the order of their starts; `bytes` takes its columns.
    fn of(sessions: &[&(Key, Session)], form: Form, bytes: &mut Vec<u8>) -> Option<Self> {
        let ((key, first), (_, last)) = (sessions.first()?, sessions.last()?);
        let until = sessions.iter().map(|(_, session)| end(session)).max()?;
        let columns = match form {
            Form::Arrays => arrays(sessions, bytes),
            Form::Digits => all_digits(sessions, first.from, bytes),
        };
        let handles: Vec<&str> = sessions.iter().map(|(key, _)| key.handle()).collect();
        let handles = match form {
            _ if handles.iter().all(|handle| handle.is_empty()) => Handles::None,
            Form::Arrays => Handles::Array(put(bytes, |out| put_texts(handles.into_iter(), out))),
            Form::Digits => Handles::Json(json!(handles).to_string()),
        };
        let (feature, first, last) = (key.feature, first.from, last.from);
        Some(Self { feature, first, last, until, sessions: sessions.len(), columns, handles })
    }
}

fn end(session: &Session) -> UnixMs {
    session.until.unwrap_or(session.from)
}

/// Where what is put lies.
fn put(bytes: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    let begin = bytes.len();
    fill(bytes);
    begin..bytes.len()
}

/// The columns of a run as arrays.
fn arrays(sessions: &[&(Key, Session)], bytes: &mut Vec<u8>) -> [Range<usize>; 6] {
    let rows = || sessions.iter().map(|(_, session)| session);
    let integers = |of: fn(&(Key, Session)) -> i32| sessions.iter().map(move |session| of(session));
    [
        put(bytes, |out| put_longs(rows().map(|session| session.from), out)),
        put(bytes, |out| put_longs(rows().map(end), out)),
        put(bytes, |out| put_integers(integers(|(key, _)| key.holder as i32), out)),
        put(bytes, |out| put_integers(integers(|(_, session)| session.version as i32), out)),
        put(bytes, |out| put_integers(integers(|(_, session)| session.seats as i32), out)),
        put(bytes, |out| put_integers(integers(|(_, session)| session.ended.code() as i32), out)),
    ]
}

/// The columns of a run as digits, of which the first session begins at an instant.
fn all_digits(sessions: &[&(Key, Session)], first: UnixMs, bytes: &mut Vec<u8>) -> [Range<usize>; 6] {
    let mut of = |number: &dyn Fn(&(Key, Session)) -> u64| {
        put(bytes, |out| digits::put(sessions.iter().map(|session| number(session)), out))
    };
    [
        of(&|(_, session)| session.from.abs_diff(first)),
        of(&|(_, session)| end(session).abs_diff(session.from)),
        of(&|(key, _)| u64::from(key.holder)),
        of(&|(_, session)| u64::from(session.version)),
        of(&|(_, session)| u64::from(session.seats)),
        of(&|(_, session)| session.ended.code().unsigned_abs()),
    ]
}

/// Whether a session has ended and says nothing that a run has no place for.
fn is_plain(row: &Session, holder: u32, input: InputId) -> bool {
    let is_small = |number: u32| i32::try_from(number).is_ok();
    row.until.is_some_and(|until| until >= row.from)
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
