//! Connections, transactions, bulk writes: what the two databases have in common. Nothing about licenses.
//!
//! One SQL text serves both. Where the dialects force a difference a placeholder stands in the text:
//! `rows($n)` is a table of JSON arrays with one column `value` (SQLite: `json_each`, PostgreSQL:
//! `jsonb_array_elements`), read with `value ->> 0`; in migrations `{id}`, `{clustered}`, `{bytes}`, `{now}` and `{input_of_part}`;
//! in statements about sessions those of [`crate::runs`]; a migration that begins with `-- PostgreSQL alone` does nothing on SQLite,
//! one that begins with `-- SQLite alone` nothing on PostgreSQL;
//! in views `{civil:AT}`, `{today}`, and `{position:TEXT}`: where the first backslash is in a text, from 1.

mod address;
mod postgres;
mod sqlite;

pub(crate) use self::address::Address;
pub(crate) use self::postgres::{Postgres, put_integers, put_longs, put_texts};
pub(crate) use self::sqlite::Sqlite;
use crate::Error;
use crate::runs::Form;
use std::time::Duration;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A borrowed value of a bulk insertion.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl Cell<'_> {
    /// Whether it holds the same value. Empty texts are told apart by their length: comparing them costs hundreds of
    /// cycles.
    #[inline]
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Int(value), Self::Int(other)) => value == other,
            (Self::Text(value), Self::Text(other)) => {
                value.len() == other.len() && (value.is_empty() || value == other)
            }
            (Self::Blob(value), Self::Blob(other)) => value == other,
            _ => false,
        }
    }
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Int(value) => Self::Int(value),
            Cell::Text(value) => Self::Text(value.to_owned()),
            Cell::Blob(value) => Self::Blob(value.to_owned()),
        }
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

/// The type of a column of a bulk insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Text,
    Blob,
}

/// A table to insert many rows into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'t> {
    pub(crate) name: &'t str,
    pub(crate) columns: &'t [(&'t str, Type)],
}

/// A row of an answer; columns count from 0.
pub(crate) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a ::postgres::Row),
    /// One that no database gives as it is.
    Cells(&'a [Cell<'a>]),
}

impl Row<'_> {
    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Cells(_) => self.opt_int(column)?.ok_or_else(|| no_such(column)),
        }
    }

    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Cells(cells) => match cells.get(column) {
                Some(Cell::Int(value)) => Ok(Some(*value)),
                Some(Cell::Null) => Ok(None),
                _ => Err(no_such(column)),
            },
        }
    }

    pub(crate) fn id(&self, column: usize) -> Result<u32, Error> {
        let value = self.int(column)?;
        u32::try_from(value).map_err(|_| Error::Corrupt(format!("{value} is not an id")))
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, Error> {
        self.with_text(column, str::to_owned)
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Cells(cells) => match cells.get(column) {
                Some(Cell::Text(value)) => Ok(Some((*value).to_owned())),
                Some(Cell::Null) => Ok(None),
                _ => Err(no_such(column)),
            },
        }
    }

    /// Lends the text of a column without a copy.
    pub(crate) fn with_text<T>(&self, column: usize, f: impl FnOnce(&str) -> T) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => {
                Ok(f(row.get_ref(column)?.as_str().map_err(|error| Error::Corrupt(error.to_string()))?))
            }
            Self::Postgres(row) => Ok(f(row.try_get::<_, &str>(column)?)),
            Self::Cells(cells) => match cells.get(column) {
                Some(Cell::Text(value)) => Ok(f(value)),
                _ => Err(no_such(column)),
            },
        }
    }

    /// The bytes of a column, without a copy.
    pub(crate) fn blob(&self, column: usize) -> Result<&[u8], Error> {
        match self {
            Self::Sqlite(row) => {
                row.get_ref(column)?.as_blob().map_err(|error| Error::Corrupt(error.to_string()))
            }
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Cells(cells) => match cells.get(column) {
                Some(Cell::Blob(value)) => Ok(value),
                _ => Err(no_such(column)),
            },
        }
    }
}

fn no_such(column: usize) -> Error {
    Error::Corrupt(format!("column {column} of a row"))
}

/// What a row's reader does with it.
pub(crate) type EachRow<'a> = &'a mut dyn FnMut(&Row<'_>) -> Result<(), Error>;
/// Fills in the cells of a row of a bulk insertion.
pub(crate) type FillRow<'f, 'c> = &'f mut dyn FnMut(usize, &mut [Cell<'c>]);

/// One connection to a database.
pub(crate) trait Backend: Send {
    /// Runs one statement; returns how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error>;
    /// As [`Self::execute`], for a deletion after which the file shall not hold what was deleted, where the database can.
    fn shred(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error>;
    /// Runs one query and lends each row.
    fn query(&mut self, sql: &str, params: &[Value], each: EachRow<'_>) -> Result<(), Error>;
    /// Runs statements without parameters.
    fn batch(&mut self, sql: &str) -> Result<(), Error>;
    /// Inserts many rows at once, the quickest way that the database has. Within a transaction they may wait: what the database
    /// says of them comes with the next call, at the latest with [`Self::commit`].
    fn insert(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<(), Error>;
    /// As [`Self::insert`], where nearly all rows hold these `usual` values in these columns.
    fn insert_alike(
        &mut self,
        table: &Table<'_>,
        _usual: &[(usize, Cell<'_>)],
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<(), Error> {
        self.insert(table, rows, fill)
    }
    /// As [`Self::insert`], where rows take the place of those that have the same key: the first `keys` columns.
    fn replace(
        &mut self,
        table: &Table<'_>,
        keys: usize,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<(), Error>;
    /// Inserts the rows that are new by their key, in one statement where the database can; returns how many.
    fn insert_new(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<u64, Error>;
    /// The number that a query of one row and column finds for each of many rows, whose cells are its parameters, in their
    /// order; `columns` says of what type they are.
    fn look_up(
        &mut self,
        sql: &str,
        columns: &Table<'_>,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<Vec<Option<i64>>, Error>;
    /// Begins a transaction that will write.
    fn begin_write(&mut self) -> Result<(), Error>;
    /// Ends a transaction: what was written stays.
    fn commit(&mut self) -> Result<(), Error> {
        self.batch("commit")
    }
    /// Ends a transaction: what was written is taken back.
    fn rollback(&mut self) -> Result<(), Error> {
        self.batch("rollback")
    }
    /// Whoever waits to write does so, where a transaction was long and another one follows.
    fn let_others_write(&mut self);
    /// Begins or ends to fill a database that has just been made and that nobody else has open: what is written to a SQLite file
    /// goes into it at once, and not into a log that is copied into it later, as long as the file is small and nobody opens it.
    fn fill(&mut self, fills: bool) -> Result<(), Error>;
    /// Whether it is filled, and nobody else had it open when the transaction began.
    fn is_filling(&self) -> bool;
    /// Begins a transaction that reads one state of the database.
    fn begin_read(&mut self) -> Result<(), Error>;
    /// The SQL of a migration in this dialect.
    fn dialect(&self, sql: &str) -> String;
    /// Lets this transaction wait at most so long for each lock.
    fn wait_at_most(&mut self, patience: Duration) -> Result<(), Error>;
    /// Takes a lock that is held until the transaction ends.
    fn lock(&mut self, number: i64) -> Result<(), Error>;
    /// Takes a lock that is held until the transaction ends beside others who share it.
    fn share(&mut self, number: i64) -> Result<(), Error>;
    /// As [`Self::lock`], but does not wait; false where somebody else has it or shares it.
    fn try_lock(&mut self, number: i64) -> Result<bool, Error>;
    /// How it keeps runs of sessions.
    fn form_of_runs(&self) -> Form;
    /// Whether nobody else writes while a transaction writes.
    fn writes_alone(&self) -> bool;
    /// The names of the tables and views that are there.
    fn tables(&mut self) -> Result<Vec<String>, Error>;
    /// `sqlite` or `postgres`, for people.
    fn name(&self) -> &'static str;
}

/// Replaces `{civil:AT}` by the civil time of the instant AT as `YYYY-MM-DD HH:MM`, in the zone of the
/// `calendar_slot` row called `c`; `stamp` writes milliseconds of local time in its dialect.
fn civil(sql: &str, stamp: impl Fn(&str) -> String) -> String {
    placed(sql, "{civil:", |at| {
        stamp(&format!(
            "({at}) + case when c.changes_at is not null and ({at}) >= c.changes_at \
             then c.offset_after_ms else c.offset_ms end"
        ))
    })
}

/// Replaces `BEGINNING…}` by what `replacement` makes of the text within.
pub(crate) fn placed(sql: &str, beginning: &str, replacement: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once(beginning) {
        let (within, after) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(before);
        text.push_str(&replacement(within));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// The one row of a query that yields at most one.
pub(crate) fn one<T>(
    backend: &mut dyn Backend,
    sql: &str,
    params: &[Value],
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut found = None;
    backend.query(sql, params, &mut |row| {
        found = Some(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// All rows of a query.
pub(crate) fn all<T>(
    backend: &mut dyn Backend,
    sql: &str,
    params: &[Value],
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    backend.query(sql, params, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Does `work` in a transaction: committed if it succeeds, else taken back.
pub(crate) fn writing<T>(
    backend: &mut dyn Backend,
    work: impl FnOnce(&mut dyn Backend) -> Result<T, Error>,
) -> Result<T, Error> {
    backend.begin_write()?;
    finish(backend, work)
}

/// Does `work` on one state of the database.
pub(crate) fn reading<T>(
    backend: &mut dyn Backend,
    work: impl FnOnce(&mut dyn Backend) -> Result<T, Error>,
) -> Result<T, Error> {
    backend.begin_read()?;
    finish(backend, work)
}

fn finish<T>(
    backend: &mut dyn Backend,
    work: impl FnOnce(&mut dyn Backend) -> Result<T, Error>,
) -> Result<T, Error> {
    match work(backend) {
        Ok(done) => match backend.commit() {
            Ok(()) => Ok(done),
            Err(error) => {
                let _ = backend.rollback();
                Err(error)
            }
        },
        Err(error) => {
            // The first error is the one worth telling; a connection that is gone cannot roll back either.
            let _ = backend.rollback();
            Err(error)
        }
    }
}
