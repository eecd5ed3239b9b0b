//! Writing the rows of a commit, set-wise.

use super::{Batch, Changes, Intake, Key, Marks, radix, rows_of, runs};
use crate::Error;
use crate::backend::{Backend, Cell, Table, Type, Value, all};
use crate::intake::{Quarantined, Span};
use accounting::UnixMs;
use accounting::pairing::{InputId, Session};
use accounting::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::json;
use std::collections::BTreeSet;

/// The table of sessions as rows: all its columns, in its order; the first ones are its key.
pub(crate) const SESSION: Table<'static> = Table {
    name: "session_by_key",
    columns: &[
        ("feature_id", Type::Int),
        ("from_at", Type::Int),
        ("holder_id", Type::Int),
        ("handle", Type::Text),
        ("nth", Type::Int),
        ("until_at", Type::Int),
        ("seats", Type::Int),
        ("ended", Type::Int),
        ("version_id", Type::Int),
        ("from_input", Type::Int),
        ("until_input", Type::Int),
        ("start_seats", Type::Int),
        ("end_seats", Type::Int),
        ("orders", Type::Int),
        ("seen_at", Type::Int),
    ],
};

const SESSION_KEY: usize = 5;

const UNMATCHED_END: Table<'static> = Table {
    name: "unmatched_end",
    columns: &[
        ("feature_id", Type::Int),
        ("at", Type::Int),
        ("holder_id", Type::Int),
        ("handle", Type::Text),
        ("nth", Type::Int),
        ("at_order", Type::Int),
        ("seats", Type::Int),
        ("end_seats", Type::Int),
        ("ended", Type::Int),
        ("input_id", Type::Int),
    ],
};

/// How many keys go into one deletion.
const TOGETHER: usize = 20_000;

/// The new sessions in the order of the primary key: the tree grows at the end of each feature's stretch.
pub(super) fn in_key_order(changes: &Changes) -> Vec<(FeatureId, UnixMs, u32)> {
    let new = &changes.new;
    let mut order: Vec<_> =
        (0_u32..).zip(new).map(|(index, (key, row))| (key.feature, row.from, index)).collect();
    // Those of one feature come together already.
    order.sort_by_key(|(feature, _, _)| *feature);
    let (mut numbered, mut spare) = (Vec::new(), Vec::new());
    for of_feature in order.chunk_by_mut(|a, b| a.0 == b.0) {
        numbered.clear();
        numbered.extend(of_feature.iter().map(|(_, from, index)| (ordered(*from), *index)));
        radix::sort(&mut numbered, &mut spare);
        for (place, (_, index)) in of_feature.iter_mut().zip(&numbered) {
            (place.1, place.2) = (new[*index as usize].1.from, *index);
        }
        for same in of_feature.chunk_by_mut(|a, b| a.1 == b.1).filter(|same| same.len() > 1) {
            same.sort_unstable_by(|a, b| {
                let ((key_a, a), (key_b, b)) = (&new[a.2 as usize], &new[b.2 as usize]);
                (key_a.holder, key_a.handle(), a.nth).cmp(&(key_b.holder, key_b.handle(), b.nth))
            });
        }
    }
    order
}

/// An instant as a number without a sign, in the same order.
fn ordered(at: UnixMs) -> u64 {
    (at ^ i64::MIN) as u64
}

/// So many sessions of a feature that a portion of a commit ends go into a run. Of fewer, those who read would have to take too
/// many runs apart.
pub(super) const MANY: usize = 8;

/// Writes how rows change; `order` is that of [`in_key_order`]. New ones go into runs where there are `many` of a feature.
pub(super) fn write_changes(
    backend: &mut dyn Backend,
    changes: &Changes,
    order: &[(FeatureId, UnixMs, u32)],
    input: InputId,
    many: Option<usize>,
) -> Result<(), Error> {
    let (instead, gone) = in_place_of_gone(changes, order);
    for gone in gone.chunks(TOGETHER) {
        delete(backend, gone)?;
    }
    for gone in changes.unmatched_gone.chunks(TOGETHER) {
        let rows = rows_of(gone, |(key, at, nth)| json!([key.feature, at, key.holder, key.handle(), nth]));
        backend.execute(include_str!("../../../queries/unmatched_delete.sql"), &[rows])?;
    }
    let new = &changes.new;
    // Where one session has a handle mostly all have.
    let usual = usual(input, new.first().is_some_and(|(key, _)| !key.handle().is_empty()));
    if instead.is_empty() && many.is_none() {
        backend.insert_alike(&SESSION, &usual, order.len(), &mut |place, cells| {
            session_cells(&new[order[place].2 as usize], cells);
        })?;
    } else {
        let mut others = instead.iter().copied().peekable();
        let fresh = (0..order.len()).filter(|place| others.next_if_eq(place).is_none()).collect();
        let fresh = match many {
            Some(many) => runs::write(backend, (changes, order), fresh, input, many)?,
            None => fresh,
        };
        backend.insert_alike(&SESSION, &usual, fresh.len(), &mut |place, cells| {
            session_cells(&new[order[fresh[place]].2 as usize], cells);
        })?;
        for instead in instead.chunks(TOGETHER) {
            backend.replace(&SESSION, SESSION_KEY, instead.len(), &mut |place, cells| {
                session_cells(&new[order[instead[place]].2 as usize], cells);
            })?;
        }
    }
    let rests = &changes.unmatched_new;
    backend.insert(&UNMATCHED_END, rests.len(), &mut |row, cells| {
        let (key, nth, rest) = &rests[row];
        cells.copy_from_slice(&[
            Cell::Int(i64::from(key.feature)),
            Cell::Int(rest.end.at),
            Cell::Int(i64::from(key.holder)),
            Cell::Text(key.handle()),
            Cell::Int(*nth),
            Cell::Int(i64::from(rest.end.order)),
            Cell::Int(i64::from(rest.seats)),
            Cell::Int(i64::from(rest.end.seats)),
            Cell::Int(rest.end.ended.code()),
            Cell::Int(i64::from(rest.end.input)),
        ]);
    })
}

/// Deletes sessions, those of runs too.
fn delete(backend: &mut dyn Backend, gone: &[&(Key, Session)]) -> Result<(), Error> {
    let sql = include_str!("../../../queries/session_delete.sql");
    let keys =
        [rows_of(gone, |(key, row)| json!([key.feature, row.from, key.holder, key.handle(), row.nth]))];
    let found = backend.execute(sql, &keys)?;
    if found < gone.len() as u64 {
        crate::runs::unroll(backend, gone.iter().map(|(key, row)| (key.feature, row.from, key.holder)))?;
        backend.execute(sql, &keys)?;
    }
    Ok(())
}

/// Which of the new rows, by their places in the order of their keys, take the place of an open one that is gone, ascending;
/// and the gone ones in whose place none comes.
fn in_place_of_gone<'c>(
    changes: &'c Changes,
    order: &[(FeatureId, UnixMs, u32)],
) -> (Vec<usize>, Vec<&'c (Key, Session)>) {
    let primary = |(key, row): &'c (Key, Session)| (key.feature, row.from, key.holder, key.handle(), row.nth);
    let (mut instead, mut gone) = (Vec::new(), Vec::new());
    for row in &changes.gone {
        let wanted = primary(row);
        let new = |(_, _, index): &(FeatureId, UnixMs, u32)| primary(&changes.new[*index as usize]);
        let place = order.partition_point(|other| new(other) < wanted);
        // One that has ended may lie in a run.
        let is_row = row.1.until.is_none();
        match is_row && order.get(place).is_some_and(|other| new(other) == wanted) {
            true => instead.push(place),
            false => gone.push(row),
        }
    }
    instead.sort_unstable();
    (instead, gone)
}

/// A session as a row.
fn session_cells<'c>((key, row): &'c (Key, Session), cells: &mut [Cell<'c>]) {
    cells.copy_from_slice(&[
        Cell::Int(i64::from(key.feature)),
        Cell::Int(row.from),
        Cell::Int(i64::from(key.holder)),
        Cell::Text(key.handle()),
        Cell::Int(row.nth),
        row.until.into(),
        Cell::Int(i64::from(row.seats)),
        Cell::Int(row.ended.code()),
        Cell::Int(i64::from(row.version)),
        Cell::Int(i64::from(row.from_input)),
        row.until_input.map(i64::from).into(),
        Some(i64::from(row.start_seats)).filter(|_| row.start_seats != row.seats).into(),
        row.end_seats.filter(|seats| *seats != row.seats).map(i64::from).into(),
        orders(row).into(),
        Cell::Null,
    ]);
}

/// What nearly all sessions hold that an input tells: both ends read here, nothing split, and no handle but `with_handles`.
fn usual(input: InputId, with_handles: bool) -> Vec<(usize, Cell<'static>)> {
    let input = Cell::Int(i64::from(input));
    let handle = (!with_handles).then_some((3, Cell::Text("")));
    let others = [
        (4, Cell::Int(0)),
        (9, input),
        (10, input),
        (11, Cell::Null),
        (12, Cell::Null),
        (13, Cell::Null),
        (14, Cell::Null),
    ];
    handle.into_iter().chain(others).collect()
}

/// The orders of a session's events within their instants, in one number; none where there are none.
fn orders(row: &Session) -> Option<i64> {
    let orders = i64::from(row.from_order) << 32 | i64::from(row.until_order as u32);
    (orders != 0).then_some(orders)
}

/// Spans and breaks of the batch.
pub(super) fn write_spans_and_breaks(
    intake: &Intake,
    backend: &mut dyn Backend,
    batch: &Batch,
    input: InputId,
) -> Result<(), Error> {
    // Two starts of one instant make two spans of one key; PostgreSQL takes a key only once in a statement.
    let mut spans: Vec<Span> = Vec::with_capacity(batch.spans.len());
    let mut places: FxHashMap<_, usize> = FxHashMap::default();
    for span in &batch.spans {
        let place = *places.entry((span.daemon, span.run, span.from)).or_insert(spans.len());
        match spans.get_mut(place) {
            Some(known) => known.until = span.until,
            None => spans.push(*span),
        }
    }
    if !spans.is_empty() {
        let rows = rows_of(&spans, |span| {
            let daemon = intake.daemon(span.daemon);
            let begins = i64::from(span.begins_run);
            let polled = i64::from(span.polled);
            json!([daemon.server, daemon.vendor, input, span.run, span.from, span.until, begins, polled])
        });
        backend.execute(include_str!("../../../queries/span_upsert.sql"), &[rows])?;
    }
    if !batch.breaks.is_empty() {
        let rows = rows_of(&batch.breaks, |event| {
            let daemon = intake.daemon(event.daemon);
            json!([daemon.server, daemon.vendor, event.at, i64::from(event.started), input])
        });
        backend.execute(include_str!("../../../queries/break_insert.sql"), &[rows])?;
    }
    Ok(())
}

/// Which servers show which features, what packages consist of, and the quarantine.
pub(super) fn write_names(
    intake: &Intake,
    backend: &mut dyn Backend,
    batch: &Batch,
    input: InputId,
    marks: &mut Marks,
) -> Result<(), Error> {
    let of_events = batch.events.iter().map(|event| (event.feature, event.holder));
    let of_requests = batch.requests.iter().map(|request| (request.feature, request.holder));
    let of_polls = batch.shown.iter().map(|shown| (shown.feature, shown.holder));
    let of_uses = batch.used.iter().map(|used| (used.feature, used.holder));
    let mut shown: FxHashSet<(u32, u32)> = FxHashSet::default();
    // Nearly all lines of a feature are of the daemon that its line before was of.
    let mut latest = vec![None; intake.resolved.features.len()];
    for (feature, holder) in of_events.chain(of_requests).chain(of_polls).chain(of_uses) {
        let daemon = intake.resolved.holder_daemons[holder as usize];
        if latest[feature as usize] != Some(daemon) {
            latest[feature as usize] = Some(daemon);
            shown.insert((feature, daemon));
        }
    }
    shown.extend(batch.seats.iter().map(|seats| (seats.feature, seats.daemon)));
    shown.extend(batch.expiries.iter().map(|expiry| (expiry.feature, expiry.daemon)));
    let shown: BTreeSet<(u32, u32)> = shown.into_iter().collect();
    let mut statements: Vec<(&str, Value)> = Vec::new();
    if !shown.is_empty() {
        let rows = rows_of(&shown, |(feature, daemon)| {
            let daemon = intake.daemon(*daemon);
            json!([intake.resolved.features[*feature as usize], daemon.server, daemon.vendor])
        });
        // Where one more license server has a feature, its capacity is not known any more until that server tells its own.
        if backend.execute(include_str!("../../../queries/feature_at_server_insert.sql"), &[rows])? > 0 {
            for feature in
                all(backend, include_str!("../../../queries/capacity_shared.sql"), &[], |row| row.id(0))?
            {
                marks.capacity_changed(feature, UnixMs::MIN, None);
            }
        }
    }
    if !batch.components.is_empty() {
        let id = |feature: u32| intake.resolved.features[feature as usize];
        let pairs: BTreeSet<_> = batch.components.iter().copied().collect();
        let rows = rows_of(pairs, |(package, component)| json!([id(package), id(component)]));
        statements.push((include_str!("../../../queries/component_insert.sql"), rows));
    }
    let quarantined = |held: &Quarantined| {
        let sample = if intake.keeps_lines { &*held.sample } else { "" };
        json!([input, held.shape, held.reason, held.lines, held.first_line, sample])
    };
    if !batch.retracted_quarantined.is_empty() {
        let rows = rows_of(&batch.retracted_quarantined, quarantined);
        statements.push((include_str!("../../../queries/quarantine_take_back.sql"), rows));
        statements.push(("delete from quarantine where input_id = $1 and lines <= 0", input.into()));
    }
    if !batch.quarantined.is_empty() {
        let rows = rows_of(&batch.quarantined, quarantined);
        statements.push((include_str!("../../../queries/quarantine_add.sql"), rows));
    }
    for (sql, rows) in statements {
        backend.execute(sql, &[rows])?;
    }
    Ok(())
}

/// How long it is remembered what was taken in: nobody sends it again later.
const TAKEN_MS: i64 = 180 * 86_400_000;

/// Notes what senders call the events of the batch: none is taken in twice.
pub(super) fn write_taken(backend: &mut dyn Backend, batch: &Batch) -> Result<(), Error> {
    let Some(latest) = batch.taken.iter().map(|(_, at)| *at).max() else { return Ok(()) };
    for taken in batch.taken.chunks(TOGETHER) {
        let rows = rows_of(taken, |(id, at)| json!([id, at]));
        let written = backend.execute(include_str!("../../../queries/event_taken_insert.sql"), &[rows])?;
        if written < taken.len() as u64 {
            return Err(Error::Conflict);
        }
    }
    backend.execute("delete from event_taken where taken_at < $1", &[Value::Int(latest - TAKEN_MS)])?;
    Ok(())
}
