//! Sessions of rows and runs in one order, where the database has no arrays that it could take apart itself.

use super::{Asked, Columns, digits};
use crate::Error;
use crate::backend::{Backend, Cell, EachRow, Row, one};
use accounting::UnixMs;

/// How many runs are read at a time.
const TOGETHER: usize = 128;

/// A session of a run.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Session {
    pub(super) from: UnixMs,
    pub(super) holder: i64,
    handle: String,
    until: UnixMs,
    version: i64,
    seats: i64,
    ended: i64,
    input: i64,
}

/// Lends what is asked for of rows and runs, in order. In memory are a bounded number of runs, and of those before them what begins
/// no sooner than the next one.
pub(super) fn each(
    backend: &mut dyn Backend,
    asked: Asked,
    columns: Columns,
    each: EachRow<'_>,
) -> Result<(), Error> {
    let (mut waiting, mut since) = (Vec::new(), asked.since);
    let params = [asked.feature.into(), asked.since.into()];
    let first =
        one(backend, include_str!("../../queries/session_run_first.sql"), &params, |row| row.opt_int(0))?;
    let mut behind = [first.flatten().unwrap_or(asked.before), i64::MIN, i64::MIN];
    loop {
        let next = read(backend, asked, &mut behind, &mut waiting)?;
        let before = next.unwrap_or(asked.before);
        waiting.sort_unstable();
        let later = waiting.split_off(waiting.partition_point(|session| session.from < before));
        if since < before {
            between(backend, Asked { since, before, ..asked }, columns, &waiting, each)?;
        }
        if next.is_none() {
            return Ok(());
        }
        (waiting, since) = (later, since.max(before));
    }
}

/// Reads the sessions of the next runs; returns when the first of those begins that are left.
fn read(
    backend: &mut dyn Backend,
    asked: Asked,
    behind: &mut [i64; 3],
    sessions: &mut Vec<Session>,
) -> Result<Option<UnixMs>, Error> {
    let Asked { feature, since, before, until } = asked;
    let [first, last, id] = *behind;
    let most = TOGETHER as i64 + 1;
    let params = [i64::from(feature), since, before, until, first, last, id, most].map(Into::into);
    let (mut runs, mut next) = (0, None);
    backend.query(include_str!("../../queries/session_run_behind.sql"), &params, &mut |row| {
        if runs == TOGETHER {
            next = Some(row.int(0)?);
            return Ok(());
        }
        runs += 1;
        *behind = [row.int(0)?, row.int(1)?, row.int(2)?];
        let asked =
            |session: &Session| since <= session.from && session.from < before && session.until >= until;
        take_apart(row, &mut |session| sessions.extend(Some(session).filter(asked)))
    })?;
    Ok(next)
}

/// Gives the sessions of a run: a row as `session_run_behind.sql` selects them.
pub(super) fn take_apart(row: &Row<'_>, give: &mut dyn FnMut(Session)) -> Result<(), Error> {
    let (first, input, sessions) = (row.int(0)?, row.int(3)?, row.id(4)? as usize);
    let handles = row.opt_text(11)?.map(|handles| serde_json::from_str::<Vec<String>>(&handles));
    let mut handles = handles
        .transpose()
        .map_err(|error| Error::Corrupt(format!("handles of a run: {error}")))?
        .unwrap_or_default()
        .into_iter();
    let blob = |column: usize| row.blob(column);
    let [starts, lengths, holders, versions, seats, ended] =
        [blob(5)?, blob(6)?, blob(7)?, blob(8)?, blob(9)?, blob(10)?];
    let numbers = |column| digits::numbers(column, sessions);
    let columns = numbers(starts)?.zip(numbers(lengths)?).zip(numbers(holders)?);
    let columns = columns.zip(numbers(versions)?).zip(numbers(seats)?).zip(numbers(ended)?);
    let (mut last, mut latest) = (first, UnixMs::MIN);
    for (((((start, length), holder), version), seats), ended) in columns {
        let from = first.saturating_add_unsigned(start);
        let until = from.saturating_add_unsigned(length);
        (last, latest) = (from, latest.max(until));
        give(Session {
            from,
            holder: holder as i64,
            handle: handles.next().unwrap_or_default(),
            until,
            version: version as i64,
            seats: seats as i64,
            ended: ended as i64,
            input,
        });
    }
    // By these runs are found.
    if (last, latest) != (row.int(1)?, row.int(12)?) {
        return Err(Error::Corrupt(format!("the bounds of a run that begins at {first}")));
    }
    Ok(())
}

/// Lends rows and, between them, these sessions of runs.
fn between(
    backend: &mut dyn Backend,
    asked: Asked,
    columns: Columns,
    sessions: &[Session],
    each: EachRow<'_>,
) -> Result<(), Error> {
    let mut sessions = sessions.iter().peekable();
    backend.query(&columns.select(), &asked.params(), &mut |row| {
        let (holder, from) = (row.int(0)?, row.int(1)?);
        let mut earlier = |handle: Option<&str>| {
            let is_earlier = |session: &&Session| {
                let own = handle.map(|_| session.handle.as_str());
                (session.from, session.holder, own) <= (from, holder, handle)
            };
            while let Some(session) = sessions.next_if(is_earlier) {
                lend(session, columns, each)?;
            }
            Ok::<_, Error>(())
        };
        match columns.with_handles() {
            true => row.with_text(7, |handle| earlier(Some(handle)))?,
            false => earlier(None),
        }?;
        each(row)
    })?;
    sessions.try_for_each(|session| lend(session, columns, each))
}

fn lend(session: &Session, columns: Columns, each: EachRow<'_>) -> Result<(), Error> {
    let Session { from, holder, handle, until, version, seats, ended, input } = session;
    let int = |number: &i64| Cell::Int(*number);
    let cells = [
        int(holder),
        int(from),
        int(until),
        int(version),
        int(seats),
        int(ended),
        Cell::Null,
        Cell::Text(handle),
        int(input),
        Cell::Int(0),
        int(input),
        Cell::Null,
        Cell::Null,
        Cell::Null,
    ];
    each(&Row::Cells(&cells[..columns.count()]))
}
