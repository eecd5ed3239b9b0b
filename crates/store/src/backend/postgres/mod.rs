//! PostgreSQL.

mod array;
mod connection;

pub(crate) use self::array::{put_integers, put_longs, put_texts};
use self::connection::Connection;
use super::address::Address;
use super::{Backend, Cell, EachRow, FillRow, Row, Table, Type as ColumnType, Value};
use crate::Error;
use crate::runs::{self, Form};
use fallible_iterator::FallibleIterator;
use postgres::Statement;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use std::collections::HashMap;
use std::time::Duration;

/// A connection to a PostgreSQL database.
pub(crate) struct Postgres {
    connection: Connection,
    /// Statements that the server has parsed already.
    statements: HashMap<String, Statement>,
    /// Whether somebody will commit: else rows that are inserted do not wait.
    is_in_transaction: bool,
}

impl Postgres {
    /// Connects.
    pub(crate) fn open(url: &str) -> Result<Self, Error> {
        let connection = Connection::new(Address::of(url)?.connect()?);
        Ok(Self { connection, statements: HashMap::new(), is_in_transaction: false })
    }

    fn begin(&mut self, sql: &str) -> Result<(), Error> {
        self.batch(sql)?;
        self.is_in_transaction = true;
        Ok(())
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.connection.client()?.prepare(&translate(sql))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Replaces `rows($n)`, and what stands for sessions.
fn translate(sql: &str) -> String {
    let sql = runs::told(sql, Form::Arrays);
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some(at) = rest.find("rows($") {
        let parameter = &rest[at + 5..];
        let close = parameter.find(')').unwrap_or(parameter.len());
        text.push_str(&rest[..at]);
        text.push_str("jsonb_array_elements(cast(cast(");
        text.push_str(&parameter[..close]);
        text.push_str(" as text) as jsonb))");
        rest = parameter.get(close + 1..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Takes a lock by its number. Those of a database are one space: ledgers in several schemas of one do not share theirs.
fn advisory(function: &str) -> String {
    format!("select {function}(hashtextextended(coalesce(cast(current_schema() as text), ''), $1))")
}

type ToSqlResult = Result<IsNull, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> ToSqlResult {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(value) => without_nul(value).to_sql(ty, out),
            Self::Blob(value) => value.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// PostgreSQL's texts cannot hold NUL; the replacement character stands for it.
fn without_nul(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn wire_type(column: ColumnType) -> Type {
    match column {
        ColumnType::Int => Type::INT8,
        ColumnType::Text => Type::TEXT,
        ColumnType::Blob => Type::BYTEA,
    }
}

/// Appends a cell to a row of a binary COPY: its length (-1 for none) and its bytes.
fn put_cell(cell: &Cell<'_>, out: &mut Vec<u8>) {
    let mut put = |bytes: &[u8]| {
        out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    match cell {
        Cell::Null => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Cell::Int(value) => put(&value.to_be_bytes()),
        Cell::Text(text) => put(without_nul(text).as_bytes()),
        Cell::Blob(bytes) => put(bytes),
    }
}

/// The types of the columns of a table as those of arrays that are parameters.
fn arrays(table: &Table<'_>) -> String {
    let arrays =
        (1..).zip(table.columns).map(|(nth, (_, column))| format!("${nth}::{}[]", wire_type(*column)));
    arrays.collect::<Vec<_>>().join(", ")
}

/// Rows as columns.
fn columns_of(table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Vec<Vec<Value>> {
    let mut columns: Vec<Vec<Value>> = vec![Vec::with_capacity(rows); table.columns.len()];
    let mut cells = vec![Cell::Null; table.columns.len()];
    for row in 0..rows {
        fill(row, &mut cells);
        for (column, cell) in columns.iter_mut().zip(&cells) {
            column.push(Value::from(*cell));
        }
    }
    columns
}

impl Postgres {
    /// Inserts rows in one statement; on conflict it does `otherwise`. Returns how many.
    fn insert_or(
        &mut self,
        otherwise: &str,
        table: &Table<'_>,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<u64, Error> {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let (names, arrays, table_name) = (names.join(", "), arrays(table), table.name);
        let sql = format!(
            "insert into {table_name} ({names}) select * from unnest({arrays}) on conflict {otherwise}"
        );
        let statement = self.statement(&sql)?;
        let columns = columns_of(table, rows, fill);
        let params: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
        Ok(self.connection.client()?.execute(&statement, &params)?)
    }
}

impl Backend for Postgres {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let statement = self.statement(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> =
            params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        Ok(self.connection.client()?.execute(&statement, &params)?)
    }

    fn shred(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        // Vacuuming is the server's.
        self.execute(sql, params)
    }

    fn query(&mut self, sql: &str, params: &[Value], each: EachRow<'_>) -> Result<(), Error> {
        let statement = self.statement(sql)?;
        let mut rows = self.connection.client()?.query_raw(&statement, params.iter())?;
        while let Some(row) = rows.next()? {
            each(&Row::Postgres(&row))?;
        }
        Ok(())
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.connection.client()?.batch_execute(sql)?)
    }

    fn insert(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<(), Error> {
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let copy = format!("copy {} ({}) from stdin (format binary)", table.name, names.join(","));
        let mut cells = vec![Cell::Null; names.len()];
        self.connection.take_rows(&copy, rows, |row, out| {
            fill(row, &mut cells);
            out.extend_from_slice(&(cells.len() as i16).to_be_bytes());
            for cell in &cells {
                put_cell(cell, out);
            }
        })?;
        if !self.is_in_transaction {
            self.connection.client()?;
        }
        Ok(())
    }

    fn replace(
        &mut self,
        table: &Table<'_>,
        keys: usize,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<(), Error> {
        let (keys, others) = table.columns.split_at(keys);
        let keys: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
        let set: Vec<String> = others.iter().map(|(name, _)| format!("{name} = excluded.{name}")).collect();
        let update = format!("({}) do update set {}", keys.join(", "), set.join(", "));
        self.insert_or(&update, table, rows, fill).map(drop)
    }

    fn insert_new(&mut self, table: &Table<'_>, rows: usize, fill: FillRow<'_, '_>) -> Result<u64, Error> {
        self.insert_or("do nothing", table, rows, fill)
    }

    fn look_up(
        &mut self,
        sql: &str,
        columns: &Table<'_>,
        rows: usize,
        fill: FillRow<'_, '_>,
    ) -> Result<Vec<Option<i64>>, Error> {
        let (mut sql, mut names) = (sql.to_owned(), Vec::new());
        for nth in (1..=columns.columns.len()).rev() {
            sql = sql.replace(&format!("${nth}"), &format!("r.c{nth}"));
            names.insert(0, format!("c{nth}"));
        }
        let (names, arrays) = (names.join(", "), arrays(columns));
        // A subquery for each row, not a join: PostgreSQL keeps the plan of a prepared statement, and one made while the
        // table was small would read all of it each time.
        let sql = format!(
            "select ({sql}) from unnest({arrays}) with ordinality as r ({names}, nth) order by r.nth"
        );
        let statement = self.statement(&sql)?;
        let values = columns_of(columns, rows, fill);
        let mut answers = self.connection.client()?.query_raw(&statement, values.iter())?;
        let mut found = Vec::with_capacity(rows);
        while let Some(row) = answers.next()? {
            found.push(row.try_get(0)?);
        }
        Ok(found)
    }

    fn begin_write(&mut self) -> Result<(), Error> {
        self.begin("begin isolation level read committed")
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.batch("commit")?;
        self.is_in_transaction = false;
        Ok(())
    }

    fn rollback(&mut self) -> Result<(), Error> {
        self.is_in_transaction = false;
        self.connection.forget_rows();
        self.batch("rollback")
    }

    fn let_others_write(&mut self) {
        // Others write beside it.
    }

    fn fill(&mut self, _: bool) -> Result<(), Error> {
        Ok(())
    }

    fn is_filling(&self) -> bool {
        false
    }

    fn begin_read(&mut self) -> Result<(), Error> {
        self.begin("begin isolation level repeatable read read only")
    }

    fn dialect(&self, sql: &str) -> String {
        if sql.starts_with("-- SQLite alone") {
            return String::new();
        }
        let stamp = |local: &str| {
            format!("to_char(to_timestamp(({local}) / 1000.0) at time zone 'UTC', 'YYYY-MM-DD HH24:MI')")
        };
        let position = |text: &str| format!("strpos({text}, '\\')");
        let sql = super::placed(&super::civil(sql, stamp), "{position:", position);
        runs::told(&sql, Form::Arrays)
            .replace("{id}", "bigint generated by default as identity primary key")
            .replace("{clustered}", "")
            .replace("{input_of_part}", "cast(cast(body as jsonb) ->> 'input' as bigint)")
            .replace("{bytes}", "bytea")
            .replace("{now}", "cast(extract(epoch from clock_timestamp()) * 1000 as bigint)")
            .replace("{today}", "to_char(now() at time zone 'UTC', 'YYYY-MM-DD')")
    }

    fn wait_at_most(&mut self, patience: Duration) -> Result<(), Error> {
        self.batch(&format!("set local lock_timeout = {}", patience.as_millis()))
    }

    fn lock(&mut self, number: i64) -> Result<(), Error> {
        self.execute(&advisory("pg_advisory_xact_lock"), &[number.into()])?;
        Ok(())
    }

    fn share(&mut self, number: i64) -> Result<(), Error> {
        self.execute(&advisory("pg_advisory_xact_lock_shared"), &[number.into()])?;
        Ok(())
    }

    fn try_lock(&mut self, number: i64) -> Result<bool, Error> {
        let sql = advisory("pg_try_advisory_xact_lock");
        let sql = format!("select cast(cast(taken as int) as bigint) from ({sql}) as locks (taken)");
        Ok(super::one(self, &sql, &[number.into()], |row| row.int(0))? == Some(1))
    }

    fn form_of_runs(&self) -> Form {
        Form::Arrays
    }

    fn writes_alone(&self) -> bool {
        false
    }

    fn tables(&mut self) -> Result<Vec<String>, Error> {
        let sql = "select cast(table_name as text) from information_schema.tables where table_schema = current_schema()";
        super::all(self, sql, &[], |row| row.text(0))
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}
