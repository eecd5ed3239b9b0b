//! SQLite, embedded.

use super::{Backend, Cell, EachRow, FillRow, Row, Table, Value};
use crate::Error;
use crate::runs::{self, Form};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, MAIN_DB, OpenFlags, ToSql};
use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

/// How long a writer waits for another one before it says that the database is locked.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often who waits to write looks whether it may.
const LOOK_AFTER: Duration = Duration::from_millis(2);
/// A file that is larger is filled as any other one is written.
const FILLED_AT_ONCE: i64 = 128 << 20;

/// A connection to a SQLite file.
pub(crate) struct Sqlite {
    connection: Connection,
    patience: Duration,
    /// Whether transactions are written into the file at once: see [`Backend::fill`].
    fills: bool,
}

impl Sqlite {
    /// Opens a file; creates it where `create` says so.
    pub(crate) fn open(path: &Path, create: bool, patience: Option<Duration>) -> Result<Self, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let connection = Connection::open_with_flags(path, flags)?;
        if !create && connection.is_readonly(MAIN_DB)? && !has_log(path) {
            drop(connection);
            return Self::open_at_rest(path);
        }
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(64);
        // Plans that do not depend on parameters: else whatever looks at a partial index is prepared anew each time that
        // it is executed (measured: a third of what a reader of many features costs).
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // EXTRA: a commit is on disk before it is answered, the end of a journal too. The cache is bounded, so that memory does
        // not grow with the file.
        connection.execute_batch(
            "pragma page_size = 16384; pragma synchronous = extra; pragma cache_size = -16384;
             pragma temp_store = file; pragma wal_autocheckpoint = 4096; pragma journal_size_limit = 67108864;
             pragma foreign_keys = off;",
        )?;
        let mut sqlite = Self { connection, patience: PATIENCE, fills: false };
        // WAL: readers beside one writer; it grows while somebody reads for long, and is cut off then. Where somebody fills the
        // file, that ends here: who opens it waits for a transaction, however short their patience is with others later.
        sqlite.set_journal_mode("wal", PATIENCE)?;
        sqlite.patience = patience.unwrap_or(PATIENCE);
        sqlite.connection.busy_timeout(sqlite.patience)?;
        Ok(sqlite)
    }

    /// Puts the file in a journal mode.
    fn set_journal_mode(&self, mode: &str, patience: Duration) -> Result<(), Error> {
        self.looking(patience, || {
            let told = self.connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0));
            let told: String = told?;
            let stays = || format!("its journal mode is {told}, and not {mode}");
            // A file system without shared memory has no WAL.
            if told == mode || mode == "wal" { Ok(()) } else { Err(Error::Locked(stays())) }
        })
    }

    /// Tries until nobody is in the way. SQLite's own waiting looks ever more seldom, and misses the moment between two
    /// transactions of who writes much.
    fn looking(
        &self,
        patience: Duration,
        mut attempt: impl FnMut() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.connection.busy_timeout(Duration::ZERO)?;
        let mut done = attempt();
        for _ in 0..patience.as_millis() / LOOK_AFTER.as_millis() {
            if !matches!(done, Err(Error::Locked(_))) {
                break;
            }
            std::thread::sleep(LOOK_AFTER);
            done = attempt();
        }
        self.connection.busy_timeout(self.patience)?;
        done
    }

    /// Ends to fill the file; where somebody is in the way for so long, whoever opens the file next does it.
    fn end_filling(&mut self, patience: Duration) -> Result<(), Error> {
        self.connection.execute_batch("pragma synchronous = extra")?;
        self.fills = self.set_journal_mode("wal", patience).is_err();
        Ok(())
    }

    /// Whether the file is written through a log, as far as this connection knows: whoever has begun a transaction knows.
    fn writes_log(&self) -> bool {
        let mode = self.connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        mode.is_ok_and(|mode| mode == "wal")
    }

    fn bytes(&self) -> Result<i64, Error> {
        let pages: i64 = self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let page: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok(pages * page)
    }

    /// Opens a file that nobody has open, for somebody who may not make files beside it.
    fn open_at_rest(path: &Path) -> Result<Self, Error> {
        let address = path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
        let address = address.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(format!("file:{address}?immutable=1"), flags)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch("pragma cache_size = -16384; pragma temp_store = file;")?;
        Ok(Self { connection, patience: PATIENCE, fills: false })
    }
}

/// Whether there is a log or a journal beside a file that somebody writes. The file itself is opened by SQLite alone: whoever
/// else closes it lets go of all locks that this process has on it.
fn has_log(path: &Path) -> bool {
    ["-wal", "-journal"].into_iter().any(|ending| {
        let mut log = path.as_os_str().to_owned();
        log.push(ending);
        Path::new(&log).exists()
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(value) => ValueRef::Integer(*value),
            Self::Text(value) => ValueRef::Text(value.as_bytes()),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(value),
            Cell::Text(value) => ValueRef::Text(value.as_bytes()),
            Cell::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

/// Replaces `rows($n)`, what stands for sessions, and `$n` by SQLite's own numbered parameters.
fn translate(sql: &str) -> String {
    let sql = if sql.contains('{') { runs::told(sql, Form::Digits).into() } else { Cow::Borrowed(sql) };
    sql.replace("rows($", "json_each($").replace('$', "?")
}

impl Backend for Sqlite {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let mut statement = self.connection.prepare_cached(&translate(sql))?;
        Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
    }

    fn shred(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        self.batch("pragma secure_delete = on")?;
        let done = self.execute(sql, params);
        self.batch("pragma secure_delete = off")?;
        done
    }

    fn query(&mut self, sql: &str, params: &[Value], each: EachRow<'_>) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(&translate(sql))?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            each(&Row::Sqlite(row))?;
        }
        Ok(())
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn insert(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<(), Error> {
        // `or fail`: a statement that fails is not taken back by itself but with its transaction, which spares SQLite a
        // journal for each statement.
        self.insert_or("fail", table, &[], rows, fill).map(drop)
    }

    fn insert_alike(
        &mut self,
        table: &Table<'_>,
        usual: &[(usize, Cell<'_>)],
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<(), Error> {
        self.insert_or("fail", table, usual, rows, fill).map(drop)
    }

    fn replace(
        &mut self,
        table: &Table<'_>,
        _keys: usize,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<(), Error> {
        self.insert_or("replace", table, &[], rows, fill).map(drop)
    }

    fn insert_new(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<u64, Error> {
        self.insert_or("ignore", table, &[], rows, fill)
    }

    fn look_up(
        &mut self,
        sql: &str,
        columns: &Table<'_>,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<Vec<Option<i64>>, Error> {
        let mut statement = self.connection.prepare_cached(&translate(sql))?;
        let mut cells = vec![Cell::Null; columns.columns.len()];
        let mut found = Vec::with_capacity(rows);
        for row in 0..rows {
            fill(row, &mut cells);
            for (parameter, cell) in (1..).zip(&cells) {
                statement.raw_bind_parameter(parameter, cell)?;
            }
            found.push(match statement.raw_query().next()? {
                Some(row) => Some(row.get(0)?),
                None => None,
            });
        }
        Ok(found)
    }

    fn begin_write(&mut self) -> Result<(), Error> {
        if self.fills && self.bytes()? > FILLED_AT_ONCE {
            self.end_filling(Duration::ZERO)?;
        }
        self.looking(self.patience, || Ok(self.connection.execute_batch("begin immediate")?))?;
        // Whoever opened the file meanwhile has put it in the mode for several, in which it is as safe as it can be.
        self.fills = self.fills && !self.writes_log();
        Ok(())
    }

    fn let_others_write(&mut self) {
        // Transactions that fill are longer, and fewer.
        std::thread::sleep(if self.fills { LOOK_AFTER * 10 } else { LOOK_AFTER * 2 });
    }

    fn fill(&mut self, fills: bool) -> Result<(), Error> {
        if !fills && self.fills {
            let ended = self.end_filling(self.patience);
            self.fills = false;
            return ended;
        }
        self.fills = fills && self.set_journal_mode("delete", Duration::ZERO).is_ok();
        if self.fills {
            // What is not on disk for certain is the last end of a journal: it is once the filling has ended.
            self.batch("pragma synchronous = full")?;
        }
        Ok(())
    }

    fn is_filling(&self) -> bool {
        self.fills
    }

    fn begin_read(&mut self) -> Result<(), Error> {
        self.batch("begin deferred")
    }

    fn dialect(&self, sql: &str) -> String {
        if sql.starts_with("-- PostgreSQL alone") {
            return String::new();
        }
        let sql =
            super::civil(sql, |local| format!("strftime('%Y-%m-%d %H:%M', ({local}) / 1000, 'unixepoch')"));
        let sql = super::placed(&sql, "{position:", |text| format!("instr({text}, '\\')"));
        runs::told(&sql, Form::Digits)
            .replace("{id}", "integer primary key")
            .replace("{now}", "cast((julianday('now') - 2440587.5) * 86400000 as integer)")
            .replace("{today}", "date('now')")
            .replace("{clustered}", "without rowid")
            .replace("{input_of_part}", "cast(body ->> 'input' as bigint)")
            .replace("{bytes}", "blob")
    }

    fn wait_at_most(&mut self, _: Duration) -> Result<(), Error> {
        // The one lock is that of `begin immediate`, for which the connection waits as long as it was opened for.
        Ok(())
    }

    fn lock(&mut self, _: i64) -> Result<(), Error> {
        // `begin immediate` is the one lock of all writers.
        Ok(())
    }

    fn share(&mut self, _: i64) -> Result<(), Error> {
        Ok(())
    }

    fn try_lock(&mut self, _: i64) -> Result<bool, Error> {
        Ok(true)
    }

    fn form_of_runs(&self) -> Form {
        Form::Digits
    }

    fn writes_alone(&self) -> bool {
        true
    }

    fn tables(&mut self) -> Result<Vec<String>, Error> {
        super::all(self, "select name from sqlite_master where type in ('table', 'view')", &[], |row| {
            row.text(0)
        })
    }

    fn name(&self) -> &'static str {
        "sqlite"
    }
}

impl Sqlite {
    /// Inserts rows; where their key is there already they `fail`, or SQLite shall `ignore` them, or they `replace` what is
    /// there. Returns how many. Rows that are not as `usual` come last.
    fn insert_or(
        &mut self,
        otherwise: &str,
        table: &Table<'_>,
        usual: &[(usize, Cell<'_>)],
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<u64, Error> {
        let mut others = Vec::new();
        let inserted = self.insert_usual(otherwise, table, usual, (0..rows).collect(), fill, &mut others)?;
        if others.is_empty() {
            return Ok(inserted);
        }
        Ok(inserted + self.insert_usual(otherwise, table, &[], others, fill, &mut Vec::new())?)
    }

    /// Inserts those of these rows that are as `usual`, and puts the `others` aside. What is usual is bound once for all
    /// of them: binding is a fifth of what a row costs.
    fn insert_usual(
        &mut self,
        otherwise: &str,
        table: &Table<'_>,
        usual: &[(usize, Cell<'_>)],
        mut waiting: Vec<usize>,
        fill: FillRow<'_, '_>,
        others: &mut Vec<usize>,
    ) -> Result<u64, Error> {
        let columns = table.columns.len();
        let own: Vec<usize> =
            (0..columns).filter(|column| usual.iter().all(|(known, _)| known != column)).collect();
        // Several rows a statement: fewer steps through the engine for the same rows.
        let together = (900 / own.len().max(1)).clamp(1, 64);
        let mut cells = vec![Cell::Null; columns];
        let mut inserted = 0;
        for step in [together, 1] {
            if waiting.len() < step {
                continue;
            }
            let mut statement = self.connection.prepare_cached(&insertion(otherwise, table, usual, step))?;
            for (column, value) in usual {
                statement.raw_bind_parameter(column + 1, value)?;
            }
            let mut bound = Vec::with_capacity(step);
            for row in std::mem::take(&mut waiting) {
                fill(row, &mut cells);
                if !usual.iter().all(|(column, value)| cells[*column].is(value)) {
                    others.push(row);
                    continue;
                }
                // The first row has a parameter for each column, the others only for what is their own.
                let (first, before) =
                    (bound.is_empty(), columns + bound.len().max(1) * own.len() - own.len());
                for (place, column) in own.iter().enumerate() {
                    let parameter = if first { *column } else { before + place };
                    statement.raw_bind_parameter(parameter + 1, cells[*column])?;
                }
                bound.push(row);
                if bound.len() == step {
                    inserted += statement.raw_execute()? as u64;
                    bound.clear();
                }
            }
            waiting = bound;
        }
        Ok(inserted)
    }
}

/// The insertion of so many rows. The parameters of what is `usual` have names, so that all rows share them.
///
/// Where all columns of a table stand in its order SQLite does not copy each value once more.
fn insertion(otherwise: &str, table: &Table<'_>, usual: &[(usize, Cell<'_>)], rows: usize) -> String {
    let parameter = |column| match usual.iter().any(|(known, _)| *known == column) {
        true => format!(":c{column}"),
        false => "?".to_owned(),
    };
    let row: Vec<String> = (0..table.columns.len()).map(parameter).collect();
    let rows = vec![format!("({})", row.join(",")); rows];
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    format!("insert or {otherwise} into {} ({}) values {}", table.name, names.join(","), rows.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Type, all};

    /// Rows of which some are not as usual are all there, each with its own values, whatever their number.
    #[test]
    fn rows_as_usual_and_others() {
        let table = Table {
            name: "t",
            columns: &[("a", Type::Int), ("b", Type::Text), ("c", Type::Int), ("d", Type::Int)],
        };
        let usual = [(1, Cell::Text("")), (3, Cell::Null)];
        for rows in [0, 1, 63, 64, 65, 128, 200, 1000] {
            let directory = tempfile::tempdir().unwrap();
            let mut sqlite = Sqlite::open(&directory.path().join("db"), true, None).unwrap();
            sqlite.batch("create table t (a, b, c, d, primary key (a)) without rowid").unwrap();
            let text = |row: usize| if row % 7 == 3 { "x" } else { "" };
            let last = |row: usize| (row % 11 == 5).then_some(row as i64);
            sqlite
                .insert_alike(&table, &usual, rows, &mut |row, cells| {
                    let (a, c) = (Cell::Int(row as i64), Cell::Int(row as i64 * 2));
                    cells.copy_from_slice(&[a, Cell::Text(text(row)), c, last(row).into()]);
                })
                .unwrap();
            let found = all(&mut sqlite, "select a, b, c, d from t order by a", &[], |row| {
                Ok((row.int(0)?, row.text(1)?, row.int(2)?, row.opt_int(3)?))
            });
            let expected = (0..rows).map(|row| (row as i64, text(row).to_owned(), row as i64 * 2, last(row)));
            assert_eq!(found.unwrap(), expected.collect::<Vec<_>>());
        }
    }
}
