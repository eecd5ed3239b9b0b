//! Accepting heartbeats: a batch becomes durable as one row at the end of a table. What was accepted is booked in larger
//! batches: then a page of an index is written once for many persons, not for each. Readers book before they read.

use super::kept::Kept;
use super::record::{BucketScope, Heartbeat, Known, News};
use super::{Booked, LOCK, source};
use crate::backend::{Backend, Value, all, one, writing};
use crate::input::{self, Checkpoint};
use crate::{Error, READERS_PATIENCE, Store, forward};
use accounting::UnixMs;
use serde_json::json;
use std::time::Duration;

/// The number of the lock under which one process books.
const BOOKING: i64 = 0x5ea7_b00c;
/// How many heartbeats are booked together where all of them are, but for the last batch that is begun.
const TOGETHER: i64 = 16_384;
/// How many are booked together where others shall be accepted in between.
const PIECE: i64 = 4_096;
/// How many batches are looked at for that.
const BATCHES: i64 = 4_096;

/// How many bytes a name may have.
pub(crate) const LONGEST: usize = 1_000;

/// A heartbeat as it is written down, with what is kept of its person.
type Told<'t> = (&'t str, &'t str, i64, i64, bool, &'t str, &'t str, &'t str, Option<[u8; 8]>);
/// As [`Told`], read again.
type Read = (String, String, i64, i64, bool, String, String, String, Option<[u8; 8]>);

impl Store {
    /// Accepts heartbeats: all of them, but for those whose buckets are sealed, are durable when it returns, and are booked
    /// by whoever books or reads next. Returns the places of those that came late.
    pub fn accept_heartbeats(&mut self, batch: &[Heartbeat]) -> Result<Vec<usize>, Error> {
        let (known, privacy) = (&mut self.heartbeats, &self.privacy);
        let backend = self.backend.as_mut();
        known.find_source(backend)?;
        writing(backend, |backend| {
            forward::room(backend)?;
            // Who seals, or changes persons, takes this lock alone: what is read now holds until the end.
            backend.share(LOCK)?;
            let (in_time, late) = known.in_time(backend, privacy, batch)?;
            if in_time.is_empty() {
                return Ok(late);
            }
            let kept = known.kept(backend, privacy, &in_time)?;
            if kept.iter().zip(&in_time).any(is_too_long) {
                return Err(Error::Driver(format!("a name of a heartbeat has more than {LONGEST} bytes")));
            }
            let told = in_time.iter().zip(&kept).map(|(beat, kept)| told(beat, kept)).collect::<Vec<_>>();
            arrive(backend, &told)?;
            Ok(late)
        })
    }

    /// Accepts heartbeats that a site has booked, as the part of its input that a checkpoint stands for; what is told of
    /// persons is kept as it comes. The site has taken in all that lies before `closed_at`. Returns how many came late.
    pub(crate) fn accept_of_site(
        &mut self,
        (before, checkpoint): (Option<&Checkpoint>, &Checkpoint),
        booked: &[Booked],
        closed_at: UnixMs,
    ) -> Result<u64, Error> {
        let (known, privacy) = (&mut self.heartbeats, &self.privacy);
        let backend = self.backend.as_mut();
        known.find_source(backend)?;
        writing(backend, |backend| {
            forward::room(backend)?;
            backend.share(LOCK)?;
            let closed = known.refresh(backend, Some(privacy))?;
            let input = input::advance(backend, before, checkpoint)?;
            forward::note(backend, input, checkpoint)?;
            let sql = include_str!("../../queries/site_heartbeats_upsert.sql");
            backend.execute(sql, &[input.into(), closed_at.into()])?;
            let in_time: Vec<Told<'_>> =
                booked.iter().filter(|beat| beat.from >= closed).map(told_by_site).collect();
            if !in_time.is_empty() {
                arrive(backend, &in_time)?;
            }
            Ok((booked.len() - in_time.len()) as u64)
        })
    }

    /// Books about so many heartbeats that were accepted, whole batches of them; returns how many. `None` where somebody else
    /// is at it, who may not see what was accepted last.
    pub fn book_heartbeats(&mut self, most: u64) -> Result<Option<u64>, Error> {
        let (known, backend) = (&mut self.heartbeats, self.backend.as_mut());
        let (news, booked) = writing(backend, |backend| {
            backend.share(LOCK)?;
            let mut news = News::default();
            let is_free = backend.try_lock(BOOKING)?;
            let booked =
                if is_free { Some(known.book(backend, &mut news, i64::MAX, most as i64)?) } else { None };
            known.tell(backend, &mut news)?;
            Ok((news, booked))
        })?;
        known.remember(news);
        Ok(booked)
    }

    /// Books all that was accepted until now.
    pub fn book_all_heartbeats(&mut self) -> Result<(), Error> {
        self.book_in_pieces(None)
    }

    /// Books all that was accepted, for somebody who is about to read; where that cannot be, because the database may not be
    /// written, or others write for long, what is booked is what is read.
    pub(crate) fn book_for_reading(&mut self) -> Result<(), Error> {
        let sql = "select arrival_id from heartbeat_arrival limit 1";
        if all(self.backend.as_mut(), sql, &[], |row| row.int(0))?.is_empty() {
            return Ok(());
        }
        // A connection that is gone says so to whoever reads.
        let _ = self.book_in_pieces(Some(READERS_PATIENCE));
        Ok(())
    }

    /// Books all that was accepted until now, in several transactions, so that others are accepted in between; others who
    /// write are waited for as long as is said.
    fn book_in_pieces(&mut self, patience: Option<Duration>) -> Result<(), Error> {
        let backend = self.backend.as_mut();
        // What others accept meanwhile is theirs to book: else this would not end while they do.
        let sql = "select max(arrival_id) from heartbeat_arrival";
        let Some(last) = one(backend, sql, &[], |row| row.opt_int(0))?.flatten() else { return Ok(()) };
        let mut piece = || {
            writing(backend, |backend| {
                patience.map_or(Ok(()), |patience| backend.wait_at_most(patience))?;
                backend.share(LOCK)?;
                backend.lock(BOOKING)?;
                let (mut known, mut news) = (Known::default(), News::default());
                let booked = known.book(backend, &mut news, last, PIECE)?;
                known.tell(backend, &mut news)?;
                Ok(booked)
            })
        };
        while piece()? > 0 {}
        Ok(())
    }
}

/// Books all that was accepted until now, in a transaction that has [`LOCK`], for somebody who does something else with the
/// ledger then: nothing is remembered of it, because the calendar may be changed, and persons be forgotten, before the same
/// connection books again.
pub(crate) fn book_first(backend: &mut dyn Backend) -> Result<(), Error> {
    let (mut known, mut news) = (Known::default(), News::default());
    known.book_all(backend, &mut news)?;
    known.tell(backend, &mut news)
}

impl Known {
    /// Books all that was accepted. To be called in a transaction, under [`LOCK`].
    pub(super) fn book_all(&mut self, backend: &mut dyn Backend, news: &mut News) -> Result<(), Error> {
        backend.lock(BOOKING)?;
        // What others accept meanwhile is theirs to book: else this would not end while they do.
        let sql = "select max(arrival_id) from heartbeat_arrival";
        let last = one(backend, sql, &[], |row| row.opt_int(0))?.flatten();
        while last.is_some() && self.book(backend, news, last.unwrap_or_default(), TOGETHER)? > 0 {}
        Ok(())
    }

    /// Books about `most` of what was accepted up to an arrival, the oldest first; returns how many heartbeats.
    fn book(
        &mut self,
        backend: &mut dyn Backend,
        news: &mut News,
        last: i64,
        most: i64,
    ) -> Result<u64, Error> {
        let sql = "select arrival_id, heartbeats from heartbeat_arrival where arrival_id <= $1
                   order by arrival_id limit $2";
        let mut together = 0;
        let mut ids = Vec::new();
        for (id, heartbeats) in
            all(backend, sql, &[last.into(), most.min(BATCHES).into()], |row| Ok((row.int(0)?, row.int(1)?)))?
        {
            if together >= most {
                break;
            }
            together += heartbeats;
            ids.push(json!([id]));
        }
        if ids.is_empty() {
            return Ok(0);
        }
        if self.source.is_none() {
            self.source = source(backend)?;
        }
        self.refresh(backend, None)?;
        let ids = [Value::Text(json!(ids).to_string())];
        let (mut beats, mut kept) = (Vec::new(), Vec::new());
        backend.query(include_str!("../../queries/heartbeat_arrival.sql"), &ids, &mut |row| {
            let told: Vec<Read> = row
                .with_text(0, |text| serde_json::from_str(text))?
                .map_err(|error| Error::Corrupt(format!("a heartbeat that was accepted: {error}")))?;
            for told in told {
                let (beat, of) = read(told);
                beats.push(beat);
                kept.push(of);
            }
            Ok(())
        })?;
        let batch: Vec<&Heartbeat> = beats.iter().collect();
        self.enter(backend, &batch, &kept, news)?;
        backend.shred(include_str!("../../queries/heartbeat_arrival_delete.sql"), &ids)?;
        Ok(batch.len() as u64)
    }
}

/// Writes accepted heartbeats down, to be booked.
fn arrive(backend: &mut dyn Backend, told: &[Told<'_>]) -> Result<(), Error> {
    let params = [Value::Int(told.len() as i64), Value::Text(json!(told).to_string())];
    backend.execute("insert into heartbeat_arrival (heartbeats, told) values ($1, $2)", &params)?;
    Ok(())
}

fn told_by_site(beat: &Booked) -> Told<'_> {
    let Booked { feature, version, from, until, each, user, host } = beat;
    (feature, version, *from, *until, *each, user, host, "", None)
}

/// Whether a name could be accepted and not booked: no index of a database holds it.
fn is_too_long((kept, beat): (&Kept, &&Heartbeat)) -> bool {
    let names = [&kept.user, &kept.host, &kept.organization, &beat.feature, &beat.version];
    names.iter().any(|name| name.len() > LONGEST)
}

fn told<'t>(beat: &'t Heartbeat, kept: &'t Kept) -> Told<'t> {
    let each = beat.scope == BucketScope::PersonAndFeature;
    let Kept { user, host, organization, number } = kept;
    (&beat.feature, &beat.version, beat.from, beat.until, each, user, host, organization, *number)
}

fn read((feature, version, from, until, each, user, host, organization, number): Read) -> (Heartbeat, Kept) {
    let scope = if each { BucketScope::PersonAndFeature } else { BucketScope::Person };
    // What is kept of the person stands beside it.
    let (domain, nobody, nowhere) = (String::new(), String::new(), String::new());
    let beat = Heartbeat { domain, user: nobody, host: nowhere, feature, version, from, until, scope };
    (beat, Kept { user, host, organization, number })
}
