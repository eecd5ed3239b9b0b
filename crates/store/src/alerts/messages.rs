//! Messages that wait to be sent.
//!
//! Whoever sends one claims it first: it is due again only when the claim has run out. So a message of a process that
//! dies while sending is sent again by another, at most twice and never not at all.

use crate::backend::{Backend, all, one};
use crate::{Error, Store};
use accounting::UnixMs;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// To whom, as the configuration writes it.
    pub receiver: String,
    /// What is to be sent.
    pub body: String,
    /// Since when it waits.
    pub created_at: UnixMs,
    /// How often it was tried.
    pub attempts: i64,
}

/// Writes messages that are due at once.
pub(super) fn insert(
    backend: &mut dyn Backend,
    messages: &[(String, String)],
    now: UnixMs,
) -> Result<(), Error> {
    let sql =
        "insert into alert_message (receiver, body, created_at, attempts, due_at) values ($1, $2, $3, 0, $3)";
    for (receiver, body) in messages {
        backend.execute(sql, &[receiver.as_str().into(), body.as_str().into(), now.into()])?;
    }
    Ok(())
}

impl Store {
    /// The messages that may be sent now: the oldest of each receiver, if it is due.
    pub fn due_messages(&mut self, now: UnixMs) -> Result<Vec<Waiting>, Error> {
        let sql = include_str!("../../queries/alert_message_due.sql");
        all(self.backend.as_mut(), sql, &[now.into()], |row| {
            Ok(Waiting {
                id: row.int(0)?,
                receiver: row.text(1)?,
                body: row.text(2)?,
                created_at: row.int(3)?,
                attempts: row.int(4)?,
            })
        })
    }

    /// Claims a message until an instant; `false` where another process was faster.
    pub fn claim_message(&mut self, waiting: &Waiting, until: UnixMs) -> Result<bool, Error> {
        let sql = "update alert_message set attempts = attempts + 1, due_at = $3
                   where message_id = $1 and attempts = $2";
        let params = [waiting.id.into(), waiting.attempts.into(), until.into()];
        Ok(self.backend.execute(sql, &params)? == 1)
    }

    /// Puts a claimed message off until an instant.
    pub fn put_off_message(&mut self, claimed: &Waiting, until: UnixMs) -> Result<(), Error> {
        let sql = "update alert_message set due_at = $3 where message_id = $1 and attempts = $2";
        let params = [claimed.id.into(), claimed.attempts.into(), until.into()];
        self.backend.execute(sql, &params).map(|_| ())
    }

    /// When a message may be sent next; `None` where none waits.
    pub fn next_message_due(&mut self) -> Result<Option<UnixMs>, Error> {
        let sql = "select min(due_at) from alert_message
                   where message_id in (select min(message_id) from alert_message group by receiver)";
        Ok(one(self.backend.as_mut(), sql, &[], |row| row.opt_int(0))?.flatten())
    }

    /// Takes a message out: it is sent, or given up.
    pub fn take_out_message(&mut self, id: i64) -> Result<(), Error> {
        self.backend.execute("delete from alert_message where message_id = $1", &[id.into()]).map(|_| ())
    }

    /// How many messages wait, and since when the oldest of them does.
    pub fn waiting_messages(&mut self) -> Result<(i64, Option<UnixMs>), Error> {
        let sql = "select count(*), min(created_at) from alert_message";
        let found = one(self.backend.as_mut(), sql, &[], |row| Ok((row.int(0)?, row.opt_int(1)?)))?;
        Ok(found.unwrap_or_default())
    }
}
