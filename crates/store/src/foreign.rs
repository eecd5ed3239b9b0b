//! Databases of other programs, handed out as lines. They are opened for reading only.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use std::io::{self, Write};
use std::path::Path;

/// With this a SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

const HEADER: &[u8] = b"timestamp,action,username,product_code,hostname\n";
const COLUMNS: usize = 5;
const HISTORY: &str =
    "select timestamp, action, username, product_code, hostname from session_history order by rowid";

/// Why a database of another program cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is of no program that is known.
    #[error(
        "a SQLite database without a table session_history: of such files only License-Monitor-Lite's history.db \
         can be imported"
    )]
    Unknown,
    /// It cannot be read.
    #[error("a SQLite database that cannot be read ({0}): import a copy made with sqlite3's .backup")]
    Sqlite(#[from] rusqlite::Error),
    /// The lines cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether the beginning of a file is that of a SQLite database.
pub fn is_sqlite(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Writes the rows of License-Monitor-Lite's `history.db` as lines of CSV behind a header, in the order in which they
/// were inserted. A value's line breaks become blanks.
pub fn history_lines(path: &Path, lines: &mut dyn Write) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    if !database.table_exists(None, "session_history")? {
        return Err(Error::Unknown);
    }
    let mut statement = database.prepare(HISTORY)?;
    let mut rows = statement.query(())?;
    lines.write_all(HEADER)?;
    let mut line = Vec::new();
    while let Some(row) = rows.next()? {
        line.clear();
        push_row(&mut line, row)?;
        lines.write_all(&line)?;
    }
    Ok(())
}

fn push_row(line: &mut Vec<u8>, row: &Row<'_>) -> Result<(), rusqlite::Error> {
    for column in 0..COLUMNS {
        if column > 0 {
            line.push(b',');
        }
        match row.get_ref(column)? {
            ValueRef::Null => {}
            ValueRef::Integer(value) => line.extend_from_slice(value.to_string().as_bytes()),
            ValueRef::Real(value) => line.extend_from_slice(value.to_string().as_bytes()),
            ValueRef::Text(value) | ValueRef::Blob(value) => push_quoted(line, value),
        }
    }
    line.push(b'\n');
    Ok(())
}

fn push_quoted(line: &mut Vec<u8>, value: &[u8]) {
    let quoted = value.iter().any(|byte| matches!(byte, b',' | b'"'));
    if quoted {
        line.push(b'"');
    }
    for &byte in value {
        match byte {
            b'\n' | b'\r' => line.push(b' '),
            b'"' => line.extend_from_slice(b"\"\""),
            byte => line.push(byte),
        }
    }
    if quoted {
        line.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database as another program would leave it.
    fn written(sql: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        Connection::open(file.path()).unwrap().execute_batch(sql).unwrap();
        file
    }

    fn read(file: &tempfile::NamedTempFile) -> Result<String, Error> {
        let mut lines = Vec::new();
        history_lines(file.path(), &mut lines)?;
        Ok(String::from_utf8(lines).unwrap())
    }

    #[test]
    fn rows_come_as_lines_in_the_order_of_their_insertion() {
        let file = written(
            "create table session_history (id integer primary key autoincrement, hostname text, timestamp text,
                 action text, username text, product_code text);
             insert into session_history (timestamp, action, username, product_code, hostname) values
                 ('2025/07/15 09:00:00:120', 'Grant', 'amara', 'CAD', 'ws-07'),
                 ('2025/07/15 08:00:00:000', 'TimeOut', 'a, \"b\"', 'C' || char(10) || 'D', null),
                 ('2025/07/15 10:00:00:000', 'Detachment', 'amara', 17, 'ws-07');",
        );
        assert!(is_sqlite(&std::fs::read(file.path()).unwrap()));
        assert_eq!(
            read(&file).unwrap(),
            "timestamp,action,username,product_code,hostname\n\
             2025/07/15 09:00:00:120,Grant,amara,CAD,ws-07\n\
             2025/07/15 08:00:00:000,TimeOut,\"a, \"\"b\"\"\",C D,\n\
             2025/07/15 10:00:00:000,Detachment,amara,17,ws-07\n"
        );
    }

    #[test]
    fn other_databases_are_refused_with_what_could_be_read() {
        let error = read(&written("create table sessions (x)")).unwrap_err();
        assert!(error.to_string().contains("history.db"), "{error}");
        let error = read(&written("create table session_history (x)")).unwrap_err();
        assert!(error.to_string().contains("timestamp"), "{error}");
    }
}
