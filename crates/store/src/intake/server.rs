//! What a writer knows of a license server: its spans, its breaks, its open sessions.

use super::Key;
use crate::Error;
use crate::backend::{Backend, Row, Value, all, one};
use accounting::UnixMs;
use accounting::event::Pairing;
use accounting::ledger::ServerId;
use accounting::pairing::{Break, InputId, Open, Session, unpair};
use accounting::session::{Ended, FeatureId, HolderId};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

/// Lines of one daemon (or, with an empty vendor, of the server itself) read without a start in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpanRow {
    pub(crate) vendor: String,
    pub(crate) input: InputId,
    pub(crate) run: u32,
    pub(crate) from: UnixMs,
    pub(crate) until: UnixMs,
    pub(crate) begins_run: bool,
    /// Whether polls were read, not a log.
    pub(crate) polled: bool,
}

/// A start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BreakRow {
    pub(crate) vendor: String,
    pub(crate) at: UnixMs,
    pub(crate) started: bool,
}

/// A license server as the ledger holds it.
#[derive(Debug)]
pub(super) struct ServerState {
    pub(super) pairing: Pairing,
    /// The sequence number that this state was read at, or that our own commit moved it to.
    pub(super) sequence: i64,
    /// The spans of its logs; those of polls are no concern of pairing.
    pub(super) spans: Vec<SpanRow>,
    pub(super) breaks: Vec<BreakRow>,
    pub(super) open: FxHashMap<Key, OpenOfKey>,
    /// The vendor daemons of holders that have had something open.
    pub(super) vendors: FxHashMap<HolderId, Box<str>>,
}

/// The open sessions of a key.
#[derive(Debug)]
pub(super) struct OpenOfKey {
    pub(super) sessions: VecDeque<Open>,
    /// Whether all of them have rows; else none has.
    pub(super) is_written: bool,
}

impl ServerState {
    /// Reads what the ledger holds of a server.
    pub(super) fn read(backend: &mut dyn Backend, server: ServerId) -> Result<Self, Error> {
        let param = [Value::from(server)];
        let found =
            one(backend, "select pairing, sequence from server where server_id = $1", &param, |row| {
                Ok((row.int(0)?, row.int(1)?))
            })?;
        let (pairing, sequence) = found.ok_or(Error::Conflict)?;
        let mut spans = spans(backend, server)?;
        spans.retain(|span| !span.polled);
        let mut state = Self {
            pairing: if pairing == 0 { Pairing::Counted } else { Pairing::Exclusive },
            sequence,
            spans,
            breaks: breaks(backend, server)?,
            open: FxHashMap::default(),
            vendors: FxHashMap::default(),
        };
        let mut rows: FxHashMap<Key, Vec<Session>> = FxHashMap::default();
        backend.query(include_str!("../../queries/session_open_of_server.sql"), &param, &mut |row| {
            let (key, session) = key_and_session(row.id(15)?, row)?;
            state.vendors.insert(key.holder, row.with_text(14, |text| text.into())?);
            rows.entry(key).or_default().push(session);
            Ok(())
        })?;
        for (key, sessions) in rows {
            let (sessions, _) = unpair(&sessions, &[], UnixMs::MAX);
            state.open.insert(key, OpenOfKey { sessions, is_written: true });
        }
        Ok(state)
    }

    /// The last line of a daemon, its server's own lines included: the evidence of its open sessions.
    pub(super) fn evidence(&self, vendor: &str) -> Option<UnixMs> {
        evidence(self.spans.iter(), vendor)
    }

    /// The breaks of a daemon in order of time.
    pub(super) fn breaks_of(&self, vendor: &str) -> Vec<Break> {
        let of_daemon = self.breaks.iter().filter(|row| row.vendor.is_empty() || row.vendor == vendor);
        let mut breaks: Vec<Break> = of_daemon
            .map(|row| match row.started {
                true => Break::Started { at: row.at, last_line_at: self.last_line_before(vendor, row.at) },
                false => Break::Stopped { at: row.at },
            })
            .collect();
        breaks.sort_unstable_by_key(|b| (b.at(), *b));
        breaks
    }

    /// The last line of a daemon's old run before a new one starts.
    fn last_line_before(&self, vendor: &str, at: UnixMs) -> UnixMs {
        let of_daemon = self.spans.iter().filter(|span| span.vendor.is_empty() || span.vendor == vendor);
        of_daemon.filter(|span| span.from < at).map(|span| span.until.min(at)).max().unwrap_or(at)
    }

    /// The ranges held of a daemon by other runs than this one, as far as they overlap it.
    ///
    /// Ranges that only touch (one file ends in the second in which the next begins) do not overlap: equal lines in
    /// that second are separate events.
    pub(super) fn held_by_others(&self, vendor: &str, input: InputId, run: u32) -> Vec<(UnixMs, UnixMs)> {
        let of_daemon = || self.spans.iter().filter(|span| span.vendor == vendor);
        let ours = |span: &&SpanRow| span.input == input && span.run == run;
        let Some(from) = of_daemon().filter(ours).map(|span| span.from).min() else { return Vec::new() };
        let until = of_daemon().filter(ours).map(|span| span.until).max().unwrap_or(from);
        let overlaps = |span: &&SpanRow| {
            (span.from < until && span.until > from) || (span.from == from && span.until == until)
        };
        of_daemon().filter(|span| !ours(span)).filter(overlaps).map(|span| (span.from, span.until)).collect()
    }
}

/// The last line of a daemon among spans of its server, the server's own lines included.
pub(crate) fn evidence<'a>(spans: impl Iterator<Item = &'a SpanRow>, vendor: &str) -> Option<UnixMs> {
    spans.filter(|span| span.vendor.is_empty() || span.vendor == vendor).map(|span| span.until).max()
}

/// The spans of a server, in order of time.
pub(crate) fn spans(backend: &mut dyn Backend, server: ServerId) -> Result<Vec<SpanRow>, Error> {
    all(backend, include_str!("../../queries/span_of_server.sql"), &[server.into()], |row| {
        Ok(SpanRow {
            vendor: row.text(0)?,
            input: row.id(1)?,
            run: row.id(2)?,
            from: row.int(3)?,
            until: row.int(4)?,
            begins_run: row.int(5)? != 0,
            polled: row.int(6)? != 0,
        })
    })
}

fn breaks(backend: &mut dyn Backend, server: ServerId) -> Result<Vec<BreakRow>, Error> {
    let sql = "select vendor, at, kind from daemon_break where server_id = $1 order by at";
    all(backend, sql, &[server.into()], |row| {
        Ok(BreakRow { vendor: row.text(0)?, at: row.int(1)?, started: row.int(2)? == 1 })
    })
}

/// Reads a session of a feature whose columns are [`Columns::Whole`](crate::runs::Columns).
pub(super) fn key_and_session(feature: FeatureId, row: &Row<'_>) -> Result<(Key, Session), Error> {
    let key = Key { feature, holder: row.id(0)?, handle: row.with_text(7, |handle| handle.into())? };
    let (ended, seats) = (row.int(5)?, row.id(4)?);
    let orders = row.opt_int(13)?.unwrap_or_default();
    let until_input = row.opt_int(10)?.map(|input| input as u32);
    let session = Session {
        from: row.int(1)?,
        nth: row.int(9)?,
        until: row.opt_int(2)?,
        seats,
        ended: Ended::from_code(ended).ok_or_else(|| Error::Corrupt(format!("session ending {ended}")))?,
        version: row.id(3)?,
        start_seats: row.opt_int(11)?.map_or(seats, |seats| seats as u32),
        end_seats: until_input.and(Some(row.opt_int(12)?.map_or(seats, |seats| seats as u32))),
        from_order: (orders >> 32) as i32,
        until_order: orders as i32,
        from_input: row.id(8)?,
        until_input,
    };
    Ok((key, session))
}
