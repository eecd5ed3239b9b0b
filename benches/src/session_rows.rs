//! What SQLite alone does with the sessions of a ledger: a scan of their rows, their insertion into a bare table.

use rusqlite::{Connection, OpenFlags, Result, params};
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A session as eight whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRow {
    /// The feature's number.
    pub feature: i64,
    /// The session's number, in the order of starts.
    pub session: i64,
    /// Its start, in milliseconds since 1970.
    pub from_at: i64,
    /// Its end; of an open one its start.
    pub until_at: i64,
    /// Who holds.
    pub holder: i64,
    /// The version.
    pub version: i64,
    /// How many seats.
    pub seats: i64,
    /// How it ended.
    pub ended: i64,
}

/// Opens a ledger for reading.
pub fn open(ledger: &Path) -> Result<Connection> {
    let connection = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("pragma query_only = on")?;
    Ok(connection)
}

/// Writes all sessions of a ledger, as its view shows them, into a table of rows in a new file, clustered by their key.
pub fn write_rows(ledger: &Path, file: &Path) -> Result<usize> {
    let connection = Connection::open(file)?;
    connection.execute("attach ?1 as ledger", [ledger.to_string_lossy()])?;
    let sql = "select sql from ledger.sqlite_master where name = 'session_by_key'";
    let table: String = connection.query_row(sql, [], |row| row.get(0))?;
    connection.execute_batch("pragma page_size = 16384")?;
    connection.execute_batch(&table.replacen("session_by_key", "session", 1))?;
    let order = "feature_id, from_at, holder_id, handle, nth";
    connection.execute(&format!("insert into main.session select * from ledger.session order by {order}"), [])
}

/// One plain scan: every session row, the columns that its feature days are made of. Returns rows and a sum.
pub fn scan(file: &Connection) -> Result<(u64, i64)> {
    let mut statement = file
        .prepare("select feature_id, holder_id, from_at, until_at, version_id, seats, ended from session")?;
    let mut rows = statement.query([])?;
    let (mut count, mut sum) = (0, 0_i64);
    while let Some(row) = rows.next()? {
        for column in [0, 1, 2, 4, 5, 6] {
            sum = sum.wrapping_add(row.get::<_, i64>(column)?);
        }
        sum = sum.wrapping_add(row.get::<_, Option<i64>>(3)?.unwrap_or_default());
        count += 1;
    }
    Ok((count, black_box(sum)))
}

/// All sessions of a ledger in the order of their starts, as a log gives them.
pub fn read(ledger: &Connection) -> Result<Vec<SessionRow>> {
    let mut statement = ledger.prepare(
        "select feature_id, from_at, coalesce(until_at, from_at), holder_id, version_id, seats, ended from session",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(SessionRow {
            feature: row.get(0)?,
            session: 0,
            from_at: row.get(1)?,
            until_at: row.get(2)?,
            holder: row.get(3)?,
            version: row.get(4)?,
            seats: row.get(5)?,
            ended: row.get(6)?,
        })
    })?;
    let mut rows: Vec<_> = rows.collect::<Result<_>>()?;
    rows.sort_by_key(|row| row.from_at);
    for (number, row) in (1..).zip(&mut rows) {
        row.session = number;
    }
    Ok(rows)
}

/// Inserts rows into a new file: one transaction, one prepared statement, a table clustered on (feature, session).
pub fn insert(rows: &[SessionRow], file: &Path) -> Result<Duration> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full;
         create table session (
             feature_id integer not null, session_id integer not null, from_at integer not null,
             until_at integer not null, holder_id integer not null, version_id integer not null,
             seats integer not null, ended integer not null,
             primary key (feature_id, session_id)
         ) without rowid",
    )?;
    let start = Instant::now();
    connection.execute_batch("begin immediate")?;
    {
        let mut statement = connection.prepare("insert into session values (?, ?, ?, ?, ?, ?, ?, ?)")?;
        for row in rows {
            statement.execute(params![
                row.feature,
                row.session,
                row.from_at,
                row.until_at,
                row.holder,
                row.version,
                row.seats,
                row.ended
            ])?;
        }
    }
    connection.execute_batch("commit")?;
    Ok(start.elapsed())
}

/// Writes the sessions that ended as CSV: feature, person, from and until in milliseconds, seats.
pub fn export(ledger: &Connection, out: &mut impl Write) -> io::Result<u64> {
    let sql = "select f.code, h.user_name, s.from_at, coalesce(s.until_at, e.until_at), s.seats
               from session s join feature f on f.feature_id = s.feature_id
               join holder h on h.holder_id = s.holder_id
               cross join (select max(until_at) as until_at from span) e";
    let written = (|| {
        let mut statement = ledger.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        let mut failed = writeln!(out, "feature,person,from_at,until_at,seats");
        while let (Ok(()), Some(row)) = (&failed, rows.next()?) {
            let (feature, person) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            let (from, until, seats) = (row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?);
            failed = writeln!(out, "{feature},{person},{from},{until},{seats}");
            count += 1;
        }
        Ok::<_, rusqlite::Error>(failed.map(|()| count))
    })();
    written.map_err(io::Error::other)?
}
