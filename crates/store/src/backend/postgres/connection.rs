//! The connection itself, and the rows that wait to be sent through it.

use crate::Error;
use postgres::Client;
use std::io::Write;
use std::thread::{Builder, JoinHandle};

/// The beginning of a binary COPY: its signature, no flags, no extension of the header.
const COPY_BEGINS: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Its end: a row of -1 columns.
const COPY_ENDS: i16 = -1;
/// So many bytes of a table's rows are sent together: a COPY of few rows costs the server as much as one of hundreds. Those of
/// other tables wait on.
const TOGETHER: usize = 1024 * 1024;

/// A connection. Many rows are sent on a thread of their own, so that the next ones are made while the server takes them in.
pub(super) struct Connection {
    /// With that thread while it sends; nowhere after it could not be begun.
    client: Option<Client>,
    sending: Option<JoinHandle<(Client, Result<(), Error>)>>,
    waiting: Vec<Waiting>,
}

/// Rows that wait to be sent to one table.
struct Waiting {
    /// The statement that takes them.
    copy: String,
    rows: Vec<u8>,
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self { client: Some(client), sending: None, waiting: Vec::new() }
    }

    /// The client, when all rows that were given are with the server. Errors of theirs come here.
    pub(super) fn client(&mut self) -> Result<&mut Client, Error> {
        let waiting = std::mem::take(&mut self.waiting);
        let client = self.arrived()?;
        send(client, waiting)?;
        Ok(client)
    }

    /// Takes rows, of which `put` appends one to what it is given, and begins to send them where they are many.
    pub(super) fn take_rows(
        &mut self,
        copy: &str,
        rows: usize,
        mut put: impl FnMut(usize, &mut Vec<u8>),
    ) -> Result<(), Error> {
        let mut place = self.waiting.iter().position(|waiting| waiting.copy == copy);
        for row in 0..rows {
            let at = *place.get_or_insert_with(|| {
                self.waiting.push(Waiting { copy: copy.to_owned(), rows: COPY_BEGINS.to_vec() });
                self.waiting.len() - 1
            });
            let out = &mut self.waiting[at].rows;
            put(row, out);
            if out.len() >= TOGETHER {
                let full = self.waiting.remove(at);
                self.begin_sending(full)?;
                place = None;
            }
        }
        Ok(())
    }

    /// Lets go of rows that were not sent yet: their transaction is taken back.
    pub(super) fn forget_rows(&mut self) {
        self.waiting.clear();
        // What became of those that were sent does not matter any more either.
        let _ = self.arrived();
    }

    fn begin_sending(&mut self, full: Waiting) -> Result<(), Error> {
        self.arrived()?;
        let Some(mut client) = self.client.take() else { return Ok(()) };
        let sending = move || {
            let sent = send(&mut client, vec![full]);
            (client, sent)
        };
        let begun = Builder::new().spawn(sending);
        self.sending = Some(begun.map_err(|error| Error::Gone(format!("no thread to send rows: {error}")))?);
        Ok(())
    }

    /// Waits for what is being sent.
    fn arrived(&mut self) -> Result<&mut Client, Error> {
        if let Some(sending) = self.sending.take() {
            let ended = sending.join();
            let (client, sent) =
                ended.map_err(|_| Error::Gone("the thread that sent rows broke off".to_owned()))?;
            self.client = Some(client);
            sent?;
        }
        self.client.as_mut().ok_or_else(|| Error::Gone("the connection was given up".to_owned()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.forget_rows();
        let client = self.client.take();
        // To close it the driver waits, which nobody may who drops it within a runtime.
        let closing = Builder::new().spawn(move || drop(client));
        // Waited for, so that a process that ends has closed it.
        let _ = closing.map(JoinHandle::join);
    }
}

fn send(client: &mut Client, waiting: Vec<Waiting>) -> Result<(), Error> {
    let sent = |sent: std::io::Result<()>| {
        sent.map_err(|error| match error.downcast::<postgres::Error>() {
            Ok(error) => error.into(),
            Err(error) => Error::Gone(error.to_string()),
        })
    };
    for Waiting { copy, mut rows } in waiting {
        let mut writer = client.copy_in(&copy)?;
        rows.extend_from_slice(&COPY_ENDS.to_be_bytes());
        sent(writer.write_all(&rows))?;
        writer.finish()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection with two tables of its own: `number (value bigint primary key)` and `other`, alike.
    fn connection() -> Connection {
        let url =
            std::env::var("SEATLEDGER_TEST_POSTGRES").expect("scripts/test gives the tests a PostgreSQL");
        let mut client = Client::connect(&url, postgres::NoTls).expect("the tests' PostgreSQL answers");
        let tables = "create temporary table number (value bigint primary key);
                      create temporary table other (value bigint primary key)";
        client.batch_execute(tables).unwrap();
        client.batch_execute("begin").unwrap();
        Connection::new(client)
    }

    fn take(connection: &mut Connection, table: &str, values: std::ops::Range<i64>) -> Result<(), Error> {
        let copy = format!("copy {table} (value) from stdin (format binary)");
        connection.take_rows(&copy, (values.end - values.start) as usize, |row, out| {
            out.extend_from_slice(&1_i16.to_be_bytes());
            out.extend_from_slice(&8_i32.to_be_bytes());
            out.extend_from_slice(&(values.start + row as i64).to_be_bytes());
        })
    }

    fn counted(connection: &mut Connection, table: &str) -> (i64, i64) {
        let sql = format!("select count(*), coalesce(cast(sum(value) as bigint), 0) from {table}");
        let row = connection.client().unwrap().query_one(&sql, &[]).unwrap();
        (row.get(0), row.get(1))
    }

    #[test]
    fn whoever_asks_finds_the_rows_that_were_given_before() {
        let mut connection = connection();
        // Some wait when others are sent, and some are sent while others come.
        take(&mut connection, "other", 0..10).unwrap();
        take(&mut connection, "number", 0..250_000).unwrap();
        take(&mut connection, "other", 10..20).unwrap();
        take(&mut connection, "number", 250_000..250_001).unwrap();
        assert_eq!(counted(&mut connection, "number"), (250_001, 250_001 * 250_000 / 2));
        assert_eq!(counted(&mut connection, "other"), (20, 190));
    }

    #[test]
    fn rows_that_wait_are_let_go_of_with_their_transaction() {
        let mut connection = connection();
        take(&mut connection, "number", 0..100_000).unwrap();
        connection.forget_rows();
        connection.client().unwrap().batch_execute("rollback").unwrap();
        assert_eq!(counted(&mut connection, "number"), (0, 0));
    }

    #[test]
    fn what_the_server_says_of_rows_that_are_sent_beside_is_told_to_who_asks_next() {
        let mut connection = connection();
        take(&mut connection, "number", 5..6).unwrap();
        assert_eq!(counted(&mut connection, "number"), (1, 5));
        // More than are sent at once, the sixth of them again.
        take(&mut connection, "number", 0..100_000).unwrap();
        let refused = connection.client().map(drop).unwrap_err().to_string();
        assert!(refused.contains("number_pkey"), "{refused}");
        connection.forget_rows();
        connection.client().unwrap().batch_execute("rollback").unwrap();
        assert_eq!(counted(&mut connection, "number"), (0, 0));
    }
}
