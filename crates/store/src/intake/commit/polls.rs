//! What polls show: holds that are there until a poll no longer shows them, and finished uses of tables.
//!
//! Nothing is paired here. A hold is known by its feature, holder, handle and start; it ends at the first answered poll
//! of its daemon that does not show it, or, where polls failed before that one, at the first of these: one interval after
//! the last poll that showed it (domain.md §2).

use super::holds::{self, Hold, Known};
use super::running;
use super::{Batch, Intake, Marks};
use crate::Error;
use crate::backend::{Backend, Value, all, one};
use crate::intake::{PollEvent, ShownEvent, UsedEvent};
use crate::polls::{self, Daemon, Polled};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::Ended;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// What a batch says of one daemon.
#[derive(Debug, Default)]
struct Said {
    polls: Vec<(UnixMs, bool)>,
    shown: Vec<ShownEvent>,
    retracted: Vec<ShownEvent>,
}

/// The open holds of a daemon, as this process has written them: what the next poll is compared with.
#[derive(Debug)]
pub(in crate::intake) struct OpenHolds {
    /// The last poll that the daemon answered.
    at: UnixMs,
    /// Nothing has ended later than this, and no poll is later.
    until: UnixMs,
    holds: BTreeMap<Hold, Known>,
}

impl OpenHolds {
    /// What is open after these polls; `answered` is the last one that was answered.
    fn after(answered: UnixMs, polls: &[(UnixMs, bool)], holds: BTreeMap<Hold, Known>) -> Self {
        let until =
            holds.values().filter_map(|known| known.until).chain(polls.iter().map(|(at, _)| *at)).max();
        let mut open = holds;
        open.retain(|_, known| known.until.is_none());
        for known in open.values_mut() {
            known.seen_at = known.seen_at.max(answered);
        }
        Self { at: answered, until: until.unwrap_or(answered).max(answered), holds: open }
    }
}

/// The daemons that a batch's polls, figures and uses speak of.
pub(super) fn daemons_of<'a>(intake: &'a Intake, batch: &'a Batch) -> impl Iterator<Item = u32> + 'a {
    let shown = batch.shown.iter().chain(&batch.retracted_shown).map(|shown| shown.holder);
    let used = batch.used.iter().chain(&batch.retracted_used).map(|used| used.holder);
    let of_holders = shown.chain(used).map(|holder| intake.resolved.holder_daemons[holder as usize]);
    of_holders
        .chain(batch.polls.iter().map(|poll| poll.daemon))
        .chain(batch.seats.iter().map(|seats| seats.daemon))
        .chain(batch.expiries.iter().map(|expiry| expiry.daemon))
}

impl Intake {
    /// Writes what the batch's polls and tables of uses say; returns how many sessions they ended.
    pub(super) fn write_polls(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        marks: &mut Marks,
    ) -> Result<u64, Error> {
        self.mark_covered(backend, batch, marks)?;
        self.write_uses(backend, batch, input, marks)?;
        let mut said: BTreeMap<Daemon, Said> = BTreeMap::new();
        for PollEvent { daemon, at, answered } in &batch.polls {
            let (server, vendor) = self.daemon_named(*daemon);
            if vendor.is_empty() && !answered {
                for vendor in polls::vendors(backend, server)? {
                    said.entry((server, vendor)).or_default().polls.push((*at, false));
                }
            }
            said.entry((server, vendor)).or_default().polls.push((*at, *answered));
        }
        for shown in &batch.shown {
            said.entry(self.daemon_of(shown.holder)).or_default().shown.push(*shown);
        }
        for shown in &batch.retracted_shown {
            said.entry(self.daemon_of(shown.holder)).or_default().retracted.push(*shown);
        }
        let before = said.keys().map(|daemon| Ok((daemon.clone(), self.last_answer(backend, daemon)?)));
        let before: FxHashMap<Daemon, Option<UnixMs>> = before.collect::<Result<_, Error>>()?;
        self.insert_polls(backend, batch, input)?;
        let mut ended = 0;
        for (daemon, said) in said {
            let last = before.get(&daemon).copied().flatten();
            let open = self.open_holds.remove(&daemon).filter(|open| Some(open.at) == last);
            let (of_daemon, open) =
                self.write_daemon(backend, batch, (&daemon, &said, last, open), input, marks)?;
            ended += of_daemon;
            self.open_holds.extend(open.map(|open| (daemon, open)));
        }
        Ok(ended)
    }

    fn daemon_named(&self, id: u32) -> Daemon {
        let daemon = self.daemon(id);
        (daemon.server, daemon.vendor.clone())
    }

    fn daemon_of(&self, holder: u32) -> Daemon {
        self.daemon_named(self.resolved.holder_daemons[holder as usize])
    }

    fn insert_polls(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
    ) -> Result<(), Error> {
        let mut told: BTreeMap<Daemon, BTreeMap<UnixMs, bool>> = BTreeMap::new();
        for poll in &batch.polls {
            // What failed once at an instant cannot be told from a whole answer.
            *told.entry(self.daemon_named(poll.daemon)).or_default().entry(poll.at).or_insert(true) &=
                poll.answered;
        }
        for (daemon, polls) in told {
            let kept = self.polls.remove(&daemon);
            if let Some(kept) = polls::add(backend, &daemon, input, &polls, kept)? {
                self.polls.insert(daemon, kept);
            }
        }
        Ok(())
    }

    /// The last poll that a daemon answered.
    fn last_answer(&self, backend: &mut dyn Backend, daemon: &Daemon) -> Result<Option<UnixMs>, Error> {
        match self.polls.get(daemon) {
            Some(kept) => Ok(kept.last_answer()),
            None => Ok(Polled::of(backend, daemon)?.and_then(|polled| polled.last)),
        }
    }

    /// What is known of a daemon's holds with what the batch says, before their ends are known.
    fn with_the_batch(
        &self,
        batch: &Batch,
        said: &Said,
        shown: &BTreeMap<Hold, Known>,
        stored: &BTreeMap<Hold, Known>,
        input: InputId,
    ) -> BTreeMap<Hold, Known> {
        let mut now = stored.clone();
        for (hold, seen) in shown {
            let known = now.entry(hold.clone()).or_insert(*seen);
            if seen.seen_at >= known.seen_at {
                *known = Known { seats: seen.seats, version: seen.version, seen_at: seen.seen_at, ..*known };
            }
        }
        let retracted = self.holds(batch, &said.retracted, input);
        now.retain(|hold, _| shown.contains_key(hold) || !retracted.contains_key(hold));
        now
    }

    /// Writes what the batch says of one daemon; `last` is the last poll that it answered before.
    fn write_daemon(
        &self,
        backend: &mut dyn Backend,
        batch: &Batch,
        (daemon, said, last, open): (&Daemon, &Said, Option<UnixMs>, Option<OpenHolds>),
        input: InputId,
        marks: &mut Marks,
    ) -> Result<(u64, Option<OpenHolds>), Error> {
        let instants = said.polls.iter().map(|(at, _)| *at).chain(said.shown.iter().map(|shown| shown.at));
        let earliest = instants.min().unwrap_or(UnixMs::MAX);
        let shown = self.holds(batch, &said.shown, input);
        // Where polls come in order, nothing has ended later than the last one but what is remembered.
        let remembered = open.filter(|open| earliest > open.until);
        let in_order = remembered.is_some();
        let mut stored = match remembered {
            Some(open) => open.holds,
            None => holds::stored_since(backend, daemon, earliest, last)?,
        };
        let earlier = shown.keys().filter(|hold| hold.from <= earliest && !stored.contains_key(*hold));
        stored.extend(holds::stored_named(backend, earlier, last)?);
        let mut now = self.with_the_batch(batch, said, &shown, &stored, input);
        let since = now.values().map(|known| known.seen_at).min().unwrap_or(earliest);
        let latest = said.polls.iter().map(|(at, _)| *at).max().unwrap_or(UnixMs::MAX);
        // Of what the last poll shows nothing has ended.
        let polls = match in_order && since >= latest {
            true => said.polls.clone(),
            false => polls::since(backend, daemon, since)?,
        };
        for (hold, known) in &mut now {
            let (until, ended) = end_of(hold, known.seen_at, &polls);
            if until != known.until {
                *known = Known { until, ended, until_input: until.map(|_| input), ..*known };
            }
        }
        let answered = self.last_answer(backend, daemon)?;
        mark(&stored, &now, (last, answered), marks);
        let changed: Vec<_> = now
            .iter()
            .filter(|(hold, known)| stored.get(*hold).is_none_or(|before| !known.same_row(before)))
            .collect();
        let gone: Vec<_> = stored.keys().filter(|hold| !now.contains_key(*hold)).collect();
        holds::delete(backend, &gone)?;
        holds::upsert(backend, &changed)?;
        let was_open = |hold: &Hold| stored.get(hold).is_none_or(|before| before.until.is_none());
        let ended =
            changed.iter().filter(|(hold, known)| known.until.is_some() && was_open(hold)).count() as u64;
        Ok((ended, answered.map(|answered| OpenHolds::after(answered, &polls, now))))
    }

    /// The batch's holds, each as the last poll showed it.
    fn holds(&self, batch: &Batch, shown: &[ShownEvent], input: InputId) -> BTreeMap<Hold, Known> {
        let mut alike: FxHashMap<(u32, u32, u32, UnixMs), (UnixMs, i64)> = FxHashMap::default();
        let mut holds: BTreeMap<Hold, Known> = BTreeMap::new();
        for event in shown {
            let same = (event.feature, event.holder, event.handle, event.since);
            let place = alike.entry(same).or_insert((event.at, -1));
            *place = if place.0 == event.at { (event.at, place.1 + 1) } else { (event.at, 0) };
            let seen = Known {
                seats: event.seats,
                version: self.resolved.versions[event.version as usize],
                seen_at: event.at,
                until: None,
                ended: Ended::Open,
                from_input: input,
                until_input: None,
            };
            let hold = Hold {
                nth: -1 - place.1,
                ..self.hold(batch, event.feature, event.holder, event.handle, event.since)
            };
            let known = holds.entry(hold).or_insert(seen);
            if known.seen_at <= seen.seen_at {
                *known = seen;
            }
        }
        holds
    }

    fn hold(&self, batch: &Batch, feature: u32, holder: u32, handle: u32, from: UnixMs) -> Hold {
        let handle = handle.checked_sub(1).map_or("", |index| &*batch.handles[index as usize]);
        Hold {
            feature: self.resolved.features[feature as usize],
            from,
            holder: self.resolved.holders[holder as usize],
            handle: handle.to_owned(),
            nth: -1,
        }
    }

    /// Writes finished uses; a use is known by its start, so that an equal one of another table is the same.
    fn write_uses(
        &self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        marks: &mut Marks,
    ) -> Result<(), Error> {
        let hold = |used: &UsedEvent| self.hold(batch, used.feature, used.holder, used.handle, used.from);
        let mut uses: BTreeMap<Hold, Known> = BTreeMap::new();
        for used in &batch.used {
            let known = Known {
                seats: used.seats,
                version: self.resolved.versions[used.version as usize],
                seen_at: used.until,
                until: Some(used.until),
                ended: if used.awaited_until.is_some() { Ended::HeartbeatsCeased } else { Ended::Checkin },
                from_input: input,
                until_input: Some(input),
            };
            let of = uses.entry(hold(used)).or_insert(known);
            if knows_less(of, &known) {
                *of = known;
            }
        }
        let stored = holds::stored_named(backend, uses.keys(), None)?;
        uses.retain(|hold, known| stored.get(hold).is_none_or(|stored| !knows_less(known, stored)));
        let gone: Vec<Hold> = batch.retracted_used.iter().map(hold).collect();
        for (hold, used) in gone.iter().zip(&batch.retracted_used) {
            marks.range(hold.feature, hold.from, used.until);
        }
        for (hold, known) in uses.iter().chain(&stored) {
            marks.range(hold.feature, hold.from, known.until.unwrap_or(hold.from));
        }
        holds::delete(backend, &gone.iter().collect::<Vec<_>>())?;
        holds::upsert(backend, &uses.iter().collect::<Vec<_>>())?;
        let awaited = |used: &UsedEvent| Some((hold(used), used.awaited_until?));
        running::write(backend, &uses, batch.used.iter().filter_map(awaited))
    }

    /// Takes out the sessions that an input's polls were the first to show; returns the daemons that it polled.
    pub(super) fn forget_polls(
        &self,
        backend: &mut dyn Backend,
        input: InputId,
        marks: &mut Marks,
    ) -> Result<Vec<Daemon>, Error> {
        let sql = "select distinct server_id, vendor from poll where input_id = $1";
        let daemons = all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, row.text(1)?)))?;
        let sql = "select feature_id, from_at, coalesce(until_at, (select max(until_at) from span), from_at)
                   from session_by_key
                   where seen_at is not null and from_input = $1";
        for (feature, from, until) in
            all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, row.int(1)?, row.int(2)?)))?
        {
            marks.range(feature, from, until + 1);
        }
        // What a later poll of another input showed too stays, as that input's.
        backend.execute(include_str!("../../../queries/session_polled_hand_on.sql"), &[input.into()])?;
        let sql = "delete from session_by_key where seen_at is not null and from_input = $1";
        backend.execute(sql, &[input.into()])?;
        let sql = "select distinct feature_id, from_at from capacity where input_id = $1";
        for (feature, from) in all(backend, sql, &[input.into()], |row| Ok((row.id(0)?, row.int(1)?)))? {
            marks.capacity_changed(feature, from, None);
        }
        Ok(daemons)
    }

    /// Ends what an input's polls had ended by the polls that remain.
    pub(super) fn end_anew(
        &self,
        backend: &mut dyn Backend,
        daemons: &[Daemon],
        input: InputId,
        marks: &mut Marks,
    ) -> Result<(), Error> {
        for daemon in daemons {
            let last = self.last_answer(backend, daemon)?;
            let stored = holds::stored_since(backend, daemon, UnixMs::MIN, last)?;
            let polls = polls::since(backend, daemon, UnixMs::MIN)?;
            let answers: Vec<UnixMs> =
                polls.iter().filter(|(_, answered)| *answered).map(|(at, _)| *at).collect();
            let mut changed = Vec::new();
            for (hold, known) in &stored {
                let before = answers.partition_point(|at| *at <= known.seen_at).checked_sub(1);
                let seen_at = before.map_or(hold.from, |index| answers[index]).max(hold.from);
                let (until, ended) = end_of(hold, seen_at, &polls);
                if until == known.until && known.until_input != Some(input) {
                    continue;
                }
                let known = &Known { seen_at, ..*known };
                let until_input = until.and(known.until_input);
                changed.push((hold, Known { until, ended, until_input, ..*known }));
                let reached = known.until.max(until).max(last).unwrap_or(hold.from);
                marks.range(hold.feature, hold.from, reached.max(hold.from) + 1);
            }
            holds::upsert(backend, &changed.iter().map(|(hold, known)| (*hold, known)).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Where a log covers, its sessions count and no others: the days that it newly covers change where polls told
    /// sessions of the same license server.
    fn mark_covered(&self, backend: &mut dyn Backend, batch: &Batch, marks: &mut Marks) -> Result<(), Error> {
        let mut covered: BTreeMap<ServerId, (UnixMs, UnixMs)> = BTreeMap::new();
        for span in batch.spans.iter().filter(|span| !span.polled) {
            let of = covered.entry(self.daemon(span.daemon).server).or_insert((span.from, span.until));
            *of = (of.0.min(span.from), of.1.max(span.until));
        }
        covered
            .into_iter()
            .try_for_each(|(server, stretch)| self.mark_polled(backend, server, stretch, marks))
    }

    /// Marks what polls told of a license server between the lines of its logs before and after a stretch: whether the
    /// log covers the time from one span to the next depends on both.
    pub(super) fn mark_polled(
        &self,
        backend: &mut dyn Backend,
        server: ServerId,
        (from, until): (UnixMs, UnixMs),
        marks: &mut Marks,
    ) -> Result<(), Error> {
        let sql = "select 1 from span where server_id = $1 and polled = 1 limit 1";
        if one(backend, sql, &[server.into()], |_| Ok(()))?.is_none() {
            return Ok(());
        }
        let spans = || self.servers.get(&server).into_iter().flat_map(|state| &state.spans);
        let from = spans().map(|span| span.until).filter(|before| *before < from).max().unwrap_or(from);
        let until = spans().map(|span| span.from).filter(|after| *after > until).min().unwrap_or(until);
        let sql = include_str!("../../../queries/session_polled_between.sql");
        let params = [server.into(), Value::Int(from), Value::Int(until)];
        for (feature, began, ended) in
            all(backend, sql, &params, |row| Ok((row.id(0)?, row.int(1)?, row.opt_int(2)?)))?
        {
            marks.range(feature, began.max(from), ended.unwrap_or(until).min(until) + 1);
        }
        Ok(())
    }
}

/// Marks the days of holds that are changed, and those that open ones newly reach; `evidence` is the last answered poll
/// before and after.
fn mark(
    stored: &BTreeMap<Hold, Known>,
    now: &BTreeMap<Hold, Known>,
    evidence: (Option<UnixMs>, Option<UnixMs>),
    marks: &mut Marks,
) {
    let (last, answered) = evidence;
    let mut whole = |hold: &Hold, known: &Known, evidence: Option<UnixMs>| {
        let reached = known.until.or(evidence).unwrap_or(known.seen_at);
        marks.range(hold.feature, hold.from, reached.max(hold.from) + 1);
    };
    let mut reaches = Vec::new();
    for (hold, known) in now {
        match stored.get(hold) {
            Some(before) if known.same_row(before) && known.until.is_none() => reaches.push(hold),
            Some(before) if known.same_row(before) => {}
            _ => whole(hold, known, answered),
        }
    }
    for (hold, before) in stored {
        if now.get(hold).is_none_or(|known| !known.same_row(before)) {
            whole(hold, before, last);
        }
    }
    // A day that evidence has not passed bears a mark already: of the poll that showed the hold first, or of the first poll
    // of the day.
    let within_a_day =
        last.zip(answered).is_some_and(|(last, answered)| marks.day_of(last) == marks.day_of(answered));
    for hold in reaches.into_iter().filter(|_| !within_a_day) {
        let from = last.unwrap_or(hold.from).max(hold.from);
        marks.range(hold.feature, from, answered.unwrap_or(from).max(from) + 1);
    }
    if let Some(until) = answered {
        marks.evidence_moved(last.unwrap_or(until), until);
    }
}

/// Whether of a use told twice the first telling says less: of one that goes on and one that has ended the latter counts,
/// else the longer one, whatever the order.
fn knows_less(of: &Known, other: &Known) -> bool {
    let rank = |known: &Known| (known.ended == Ended::Checkin, known.until);
    rank(of) < rank(other)
}

/// When a hold ended that was last seen at an instant, by the polls after it.
fn end_of(hold: &Hold, seen_at: UnixMs, polls: &[(UnixMs, bool)]) -> (Option<UnixMs>, Ended) {
    let after = &polls[polls.partition_point(|(at, _)| *at <= seen_at)..];
    match after.iter().any(|(_, answered)| *answered) {
        // Clocks may differ: what was given out "later" than it was last polled held nothing.
        true => (after.first().map(|(at, _)| hold.from.max(*at)), Ended::GoneFromSnapshot),
        false => (None, Ended::Open),
    }
}
