//! When daemons were polled: instants in stretches, so that a day of polls at even intervals is one row, and nothing of
//! them is lost.
//!
//! A stretch is of one input, and all of its polls came to the same. Stretches of an input do not overlap, those of several
//! may. `polled` sums up what the stretches of a daemon say.

mod steps;

use crate::Error;
use crate::backend::{Backend, Row, Value, all, one};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use steps::Steps;

/// No stretch is longer: who looks for polls after an instant need not look at stretches that began a day before it.
const LONGEST_MS: i64 = 86_400_000;
/// A stretch ends where its steps take so many bytes: a poll more writes all of them again.
const MOST_BYTES: usize = 1_000;

/// A daemon of a license server.
pub(crate) type Daemon = (ServerId, String);

/// Polls in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    input: InputId,
    answered: bool,
    from: UnixMs,
    until: UnixMs,
    polls: i64,
    /// The milliseconds from each poll to the next, as `30000*57 30012`.
    steps: String,
}

impl Stretch {
    fn new(input: InputId, at: UnixMs, answered: bool) -> Self {
        Self { input, answered, from: at, until: at, polls: 1, steps: String::new() }
    }

    /// Adds a later poll; false where a new stretch must begin.
    fn add(&mut self, at: UnixMs, answered: bool) -> bool {
        if answered != self.answered || at - self.from > LONGEST_MS {
            return false;
        }
        let step = at - self.until;
        let before = self.steps.rfind(' ').map_or(0, |space| space + 1);
        let (last, times) = parsed(&self.steps[before..]);
        if last == step {
            self.steps.truncate(before);
            // Nothing fails that is written to a text.
            let _ = write!(self.steps, "{step}*{}", times + 1);
        } else if self.steps.len() >= MOST_BYTES {
            return false;
        } else {
            let space = if self.steps.is_empty() { "" } else { " " };
            let _ = write!(self.steps, "{space}{step}");
        }
        (self.until, self.polls) = (at, self.polls + 1);
        true
    }

    /// The instants of its polls, in order of time.
    fn instants(&self) -> impl Iterator<Item = UnixMs> {
        let steps = self.steps.split(' ').filter(|token| !token.is_empty()).map(parsed);
        let steps = steps.flat_map(|(step, times)| (0..times).map(move |_| step));
        std::iter::once(self.from).chain(steps.scan(self.from, |at, step| {
            *at += step;
            Some(*at)
        }))
    }

    fn read(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            input: row.id(0)?,
            answered: row.int(1)? == 1,
            from: row.int(2)?,
            until: row.int(3)?,
            polls: row.int(4)?,
            steps: row.text(5)?,
        })
    }
}

/// A step and how often it comes; no step where there is none.
fn parsed(token: &str) -> (i64, i64) {
    let (step, times) = token.split_once('*').unwrap_or((token, "1"));
    (step.parse().unwrap_or(0), times.parse().unwrap_or(1))
}

/// Polls of one input in order of time, as stretches.
fn stretches(input: InputId, polls: impl IntoIterator<Item = (UnixMs, bool)>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (at, answered) in polls {
        if !stretches.last_mut().is_some_and(|last| last.add(at, answered)) {
            stretches.push(Stretch::new(input, at, answered));
        }
    }
    stretches
}

/// What all polls of a daemon come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Polled {
    /// How many were answered; what several inputs tell of one instant counts once.
    answers: i64,
    first: Option<UnixMs>,
    /// The last poll that was answered.
    pub(crate) last: Option<UnixMs>,
}

impl Polled {
    fn add(&mut self, of: &Stretch, sign: i64) {
        if of.answered {
            self.answers += sign * of.polls;
            self.first = Some(self.first.map_or(of.from, |first| first.min(of.from)));
            self.last = Some(self.last.map_or(of.until, |last| last.max(of.until)));
        }
    }

    /// The average time from an answer to the next, in milliseconds.
    pub(crate) fn average_ms(&self) -> i64 {
        let Self { answers, first, last } = *self;
        first.zip(last).map_or(0, |(first, last)| (last - first) / (answers - 1).max(1))
    }

    /// What is known of a daemon; `None` where nobody ever polled it.
    pub(crate) fn of(backend: &mut dyn Backend, (server, vendor): &Daemon) -> Result<Option<Self>, Error> {
        let sql = "select answers, first_at, last_at from polled where server_id = $1 and vendor = $2";
        one(backend, sql, &[(*server).into(), vendor.as_str().into()], |row| {
            Ok(Self { answers: row.int(0)?, first: row.opt_int(1)?, last: row.opt_int(2)? })
        })
    }

    /// Of all daemons.
    pub(crate) fn all(backend: &mut dyn Backend) -> Result<Vec<(Daemon, Self)>, Error> {
        let sql = "select server_id, vendor, answers, first_at, last_at from polled";
        all(backend, sql, &[], |row| {
            let polled = Self { answers: row.int(2)?, first: row.opt_int(3)?, last: row.opt_int(4)? };
            Ok(((row.id(0)?, row.text(1)?), polled))
        })
    }
}

/// What is remembered of a daemon's polls from one commit to the next.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    last: Stretch,
    polled: Polled,
}

impl Kept {
    /// The last poll that the daemon answered.
    pub(crate) fn last_answer(&self) -> Option<UnixMs> {
        self.polled.last
    }
}

/// Adds polls of one daemon that an input tells; `kept` is what this process left behind. Returns what is to be kept.
pub(crate) fn add(
    backend: &mut dyn Backend,
    daemon: &Daemon,
    input: InputId,
    polls: &BTreeMap<UnixMs, bool>,
    kept: Option<Kept>,
) -> Result<Option<Kept>, Error> {
    let Some((earliest, latest)) = polls.keys().next().copied().zip(polls.keys().next_back().copied()) else {
        return Ok(kept);
    };
    let is_apart = !others_meet(backend, daemon, input, (earliest, latest))?;
    let is_next = |last: &Stretch| last.input == input && last.until < earliest && is_apart;
    if let Some(kept) = kept.filter(|kept| is_next(&kept.last)) {
        return go_on(backend, daemon, kept, polls).map(Some);
    }
    let before = about(backend, daemon, input, (earliest, latest))?;
    if let [last] = &before[..]
        && is_next(last)
        && !has_later(backend, daemon, input, latest)?
    {
        let polled = Polled::of(backend, daemon)?.unwrap_or_default();
        return go_on(backend, daemon, Kept { last: last.clone(), polled }, polls).map(Some);
    }
    let mut all: BTreeMap<UnixMs, bool> = BTreeMap::new();
    for stretch in &before {
        all.extend(stretch.instants().map(|at| (at, stretch.answered)));
    }
    for (at, answered) in polls {
        // What failed once at an instant cannot be told from a whole answer.
        *all.entry(*at).or_insert(true) &= answered;
    }
    remove(backend, daemon, &before)?;
    write(backend, daemon, &stretches(input, all))?;
    sum_up(backend, std::slice::from_ref(daemon))?;
    Ok(None)
}

/// Adds polls that are later than all others of their input.
fn go_on(
    backend: &mut dyn Backend,
    daemon: &Daemon,
    kept: Kept,
    polls: &BTreeMap<UnixMs, bool>,
) -> Result<Kept, Error> {
    let Kept { mut last, mut polled } = kept;
    polled.add(&last, -1);
    let mut new = Vec::new();
    for (at, answered) in polls {
        if !last.add(*at, *answered) {
            let next = Stretch::new(last.input, *at, *answered);
            new.push(std::mem::replace(&mut last, next));
        }
    }
    new.push(last.clone());
    for stretch in &new {
        polled.add(stretch, 1);
    }
    write(backend, daemon, &new)?;
    keep(backend, daemon, polled)?;
    Ok(Kept { last, polled })
}

/// Whether another input tells polls of the same time: what both tell counts once.
fn others_meet(
    backend: &mut dyn Backend,
    (server, vendor): &Daemon,
    input: InputId,
    (earliest, latest): (UnixMs, UnixMs),
) -> Result<bool, Error> {
    let sql =
        "select from_at from poll where server_id = $1 and vendor = $2 and from_at > $3 and from_at <= $4
               and until_at >= $5 and input_id <> $6 limit 1";
    let since = earliest.saturating_sub(LONGEST_MS + 1);
    let params = [
        (*server).into(),
        vendor.as_str().into(),
        since.into(),
        latest.into(),
        earliest.into(),
        input.into(),
    ];
    Ok(one(backend, sql, &params, |row| row.int(0))?.is_some())
}

/// Whether an input tells polls later than an instant.
fn has_later(
    backend: &mut dyn Backend,
    (server, vendor): &Daemon,
    input: InputId,
    at: UnixMs,
) -> Result<bool, Error> {
    let sql = "select from_at from poll where server_id = $1 and vendor = $2 and input_id = $3 and from_at > $4 limit 1";
    let params = [(*server).into(), vendor.as_str().into(), input.into(), at.into()];
    Ok(one(backend, sql, &params, |row| row.int(0))?.is_some())
}

/// The stretches of an input that polls of a time meet, or the last one before them.
fn about(
    backend: &mut dyn Backend,
    (server, vendor): &Daemon,
    input: InputId,
    (earliest, latest): (UnixMs, UnixMs),
) -> Result<Vec<Stretch>, Error> {
    let params = [(*server).into(), vendor.as_str().into(), input.into()];
    let [server, vendor, input] = params.clone();
    let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
               where server_id = $1 and vendor = $2 and input_id = $3 and from_at > $4 and from_at <= $5
                     and until_at >= $6 order by from_at";
    let since = earliest.saturating_sub(LONGEST_MS + 1);
    let params_met = [server, vendor, input, since.into(), latest.into(), earliest.into()];
    let met = all(backend, sql, &params_met, Stretch::read)?;
    if !met.is_empty() {
        return Ok(met);
    }
    let [server, vendor, input] = params;
    let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
               where server_id = $1 and vendor = $2 and input_id = $3 and from_at < $4
               order by from_at desc limit 1";
    all(backend, sql, &[server, vendor, input, earliest.into()], Stretch::read)
}

fn remove(backend: &mut dyn Backend, (server, vendor): &Daemon, stretches: &[Stretch]) -> Result<(), Error> {
    let sql = "delete from poll where server_id = $1 and vendor = $2 and from_at = $3 and input_id = $4";
    stretches.iter().try_for_each(|of| {
        let params = [(*server).into(), vendor.as_str().into(), of.from.into(), of.input.into()];
        backend.execute(sql, &params).map(drop)
    })
}

fn write(backend: &mut dyn Backend, (server, vendor): &Daemon, stretches: &[Stretch]) -> Result<(), Error> {
    let row = |of: &Stretch| {
        json!([server, vendor, of.from, of.input, of.until, i64::from(of.answered), of.polls, of.steps])
    };
    stretches.chunks(1_000).try_for_each(|some| {
        let rows = Value::Text(json!(some.iter().map(row).collect::<Vec<_>>()).to_string());
        backend.execute(include_str!("../queries/poll_upsert.sql"), &[rows]).map(drop)
    })
}

/// Sums up anew what the polls of some daemons come to: polls were taken away.
pub(crate) fn sum_up(backend: &mut dyn Backend, daemons: &[Daemon]) -> Result<(), Error> {
    for (server, vendor) in daemons {
        let params = [Value::from(*server), vendor.as_str().into()];
        let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
                   where server_id = $1 and vendor = $2 order by from_at";
        let mut sum = Sum::default();
        backend.query(sql, &params, &mut |row| {
            sum.add(Stretch::read(row)?);
            Ok(())
        })?;
        if let Some(polled) = sum.polled() {
            keep(backend, &(*server, vendor.clone()), polled)?;
        } else {
            let sql = "delete from polled where server_id = $1 and vendor = $2";
            backend.execute(sql, &params)?;
        }
    }
    Ok(())
}

/// Adds up the stretches of a daemon in the order of their beginnings: where those of several inputs meet, instants count once.
#[derive(Default)]
struct Sum {
    polled: Option<Polled>,
    /// The last answered stretch, while none has met it, and else the instants to which more may come.
    last: Option<Stretch>,
    instants: BTreeSet<UnixMs>,
}

impl Sum {
    fn add(&mut self, stretch: Stretch) {
        let polled = self.polled.get_or_insert_default();
        if !stretch.answered {
            return;
        }
        polled.first = Some(polled.first.map_or(stretch.from, |first| first.min(stretch.from)));
        polled.last = Some(polled.last.map_or(stretch.until, |last| last.max(stretch.until)));
        if let Some(last) = self.last.take_if(|last| last.until >= stretch.from) {
            self.instants.extend(last.instants());
        }
        // Nothing that comes is earlier than this stretch.
        let later = self.instants.split_off(&stretch.from);
        polled.answers += std::mem::replace(&mut self.instants, later).len() as i64;
        polled.answers += self.last.take().map_or(0, |last| last.polls);
        if self.instants.is_empty() {
            self.last = Some(stretch);
        } else {
            self.instants.extend(stretch.instants());
        }
    }

    fn polled(self) -> Option<Polled> {
        let left = self.instants.len() as i64 + self.last.map_or(0, |last| last.polls);
        self.polled.map(|polled| Polled { answers: polled.answers + left, ..polled })
    }
}

fn keep(backend: &mut dyn Backend, (server, vendor): &Daemon, polled: Polled) -> Result<(), Error> {
    let Polled { answers, first, last } = polled;
    let params =
        [(*server).into(), vendor.as_str().into(), answers.into(), Value::from(first), Value::from(last)];
    backend.execute(include_str!("../queries/polled_upsert.sql"), &params).map(drop)
}

/// Removes the polls before an instant, stretches at a time.
pub(crate) fn remove_before(backend: &mut dyn Backend, at: UnixMs) -> Result<(), Error> {
    let sql = "select distinct server_id, vendor from poll where until_at < $1";
    let daemons = all(backend, sql, &[at.into()], |row| Ok((row.id(0)?, row.text(1)?)))?;
    backend.execute("delete from poll where until_at < $1", &[at.into()])?;
    sum_up(backend, &daemons)
}

/// The vendor daemons of a license server that were polled.
pub(crate) fn vendors(backend: &mut dyn Backend, server: ServerId) -> Result<Vec<String>, Error> {
    let sql = "select vendor from polled where server_id = $1 and vendor <> ''";
    all(backend, sql, &[server.into()], |row| row.text(0))
}

/// The polls of a daemon after an instant, in order of time, those of its whole server that failed among them.
pub(crate) fn since(
    backend: &mut dyn Backend,
    (server, vendor): &Daemon,
    since: UnixMs,
) -> Result<Vec<(UnixMs, bool)>, Error> {
    let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
               where server_id = $1 and vendor = $2 and from_at > $3 and until_at > $4 and answered <= $5";
    let began = since.saturating_sub(LONGEST_MS + 1);
    let mut polls: Vec<(UnixMs, bool)> = Vec::new();
    // The whole server first: what failed of it, failed of its daemons.
    let mut kinds = vec![(vendor.as_str(), 1)];
    kinds.extend((!vendor.is_empty()).then_some(("", 0)));
    for (vendor, most) in kinds {
        let params = [(*server).into(), vendor.into(), began.into(), since.into(), Value::Int(most)];
        for stretch in all(backend, sql, &params, Stretch::read)? {
            let after = stretch.instants().filter(|at| *at > since);
            polls.extend(after.map(|at| (at, stretch.answered)));
        }
    }
    polls.sort_unstable();
    Ok(polls)
}

/// The first poll after an instant that a daemon answered.
pub(crate) fn next_answer(
    backend: &mut dyn Backend,
    (server, vendor): &Daemon,
    at: UnixMs,
) -> Result<Option<UnixMs>, Error> {
    // Stretches that have begun before, and the first that begins behind.
    let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
               where server_id = $1 and vendor = $2 and answered = 1 and from_at > $3 and from_at <= $4 and until_at > $4";
    let since = at.saturating_sub(LONGEST_MS + 1);
    let params = [(*server).into(), vendor.as_str().into(), since.into(), at.into()];
    let begun = all(backend, sql, &params, Stretch::read)?;
    let within = begun.iter().filter_map(|stretch| stretch.instants().find(|next| *next > at)).min();
    let sql = "select min(from_at) from poll where server_id = $1 and vendor = $2 and answered = 1 and from_at > $3";
    let params = [(*server).into(), vendor.as_str().into(), at.into()];
    let behind = one(backend, sql, &params, |row| row.opt_int(0))?.flatten();
    Ok(within.into_iter().chain(behind).min())
}

/// The polls that a license server's daemons answered, in order of time.
pub(crate) fn answers(backend: &mut dyn Backend, server: ServerId) -> Result<Vec<(String, UnixMs)>, Error> {
    let sql = "select input_id, answered, from_at, until_at, polls, steps, vendor from poll
               where server_id = $1 and answered = 1";
    let rows = all(backend, sql, &[server.into()], |row| Ok((row.text(6)?, Stretch::read(row)?)))?;
    let mut answers: Vec<(String, UnixMs)> = Vec::new();
    for (vendor, stretch) in rows {
        answers.extend(stretch.instants().map(|at| (vendor.clone(), at)));
    }
    answers.sort_unstable_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    answers.dedup();
    Ok(answers)
}

/// The last poll that a daemon answered, and the first and last of those since that it did not, with their number.
pub(crate) type Lately = (Option<UnixMs>, Option<(UnixMs, UnixMs, u32)>);

/// How often a daemon is polled: the median of the milliseconds from an answer to the next, which no outage moves; of an even
/// number of them the lower of the two in the middle. 0 where there is none.
pub(crate) fn interval_ms(backend: &mut dyn Backend, (server, vendor): &Daemon) -> Result<i64, Error> {
    let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
               where server_id = $1 and vendor = $2 and answered = 1 order by from_at, until_at, input_id";
    let mut steps = Steps::default();
    backend.query(sql, &[(*server).into(), vendor.as_str().into()], &mut |row| {
        steps.add(Stretch::read(row)?);
        Ok(())
    })?;
    Ok(steps.median())
}

/// How a daemon has answered lately, up to an instant.
pub(crate) fn lately(
    backend: &mut dyn Backend,
    server: ServerId,
    vendor: &str,
    now: UnixMs,
) -> Result<Lately, Error> {
    let sql = "select max(from_at) from poll
               where server_id = $1 and vendor = $2 and answered = 1 and from_at <= $3";
    let newest = one(backend, sql, &[server.into(), vendor.into(), now.into()], |row| row.opt_int(0))?;
    let mut found = |answered: bool, after: UnixMs| -> Result<Vec<Stretch>, Error> {
        let sql = "select input_id, answered, from_at, until_at, polls, steps from poll
                   where server_id = $1 and vendor = $2 and answered = $3 and from_at > $4 and from_at <= $5";
        let since = after.saturating_sub(LONGEST_MS + 1);
        let params = [server.into(), vendor.into(), i64::from(answered).into(), since.into(), now.into()];
        all(backend, sql, &params, Stretch::read)
    };
    let answered = match newest.flatten() {
        Some(from) => {
            let stretches = found(true, from)?;
            stretches.iter().flat_map(Stretch::instants).filter(|at| *at <= now).max()
        }
        None => None,
    };
    let after = answered.map_or(UnixMs::MIN, |at| at + 1);
    let mut failed: Option<(UnixMs, UnixMs, u32)> = None;
    let mut add = |from: UnixMs, until: UnixMs, polls: i64| {
        let (first, last, many) = failed.unwrap_or((from, until, 0));
        failed = Some((first.min(from), last.max(until), many.saturating_add(polls as u32)));
    };
    for stretch in found(false, after)? {
        if after <= stretch.from && stretch.until <= now {
            add(stretch.from, stretch.until, stretch.polls);
        } else {
            stretch.instants().filter(|at| after <= *at && *at <= now).for_each(|at| add(at, at, 1));
        }
    }
    Ok((answered, failed))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_MS, MOST_BYTES, Stretch, stretches};
    use proptest::prelude::*;

    #[test]
    fn a_day_at_even_intervals_is_one_stretch() {
        let polls = (0..2_880).map(|nth| (nth * 30_000, true));
        let [stretch] = &stretches(7, polls)[..] else { panic!("one stretch") };
        assert_eq!((stretch.polls, stretch.steps.as_str()), (2_880, "30000*2879"));
    }

    #[test]
    fn a_step_that_differs_costs_itself_alone() {
        let polls = [0, 30, 60, 91, 121, 151].map(|at| (at, true));
        let [stretch] = &stretches(7, polls)[..] else { panic!("one stretch") };
        assert_eq!(stretch.steps, "30*2 31 30*2");
    }

    proptest! {
        #[test]
        fn no_poll_is_lost_and_no_stretch_is_long(
            steps in prop::collection::vec((prop_oneof![Just(30_000_i64), 1..100_000_i64, Just(LONGEST_MS)],
                                            prop::bool::weighted(0.9)), 0..600),
        ) {
            let polls: Vec<_> = steps
                .into_iter()
                .scan(1_000_000, |at, (step, answered)| {
                    *at += step;
                    Some((*at, answered))
                })
                .collect();
            let stretches = stretches(7, polls.iter().copied());
            let told = |stretch: &Stretch| stretch.instants().map(|at| (at, stretch.answered)).collect::<Vec<_>>();
            let again: Vec<_> = stretches.iter().flat_map(told).collect();
            prop_assert_eq!(again, polls);
            for stretch in stretches {
                prop_assert!(stretch.until - stretch.from <= LONGEST_MS);
                prop_assert!(stretch.steps.len() <= MOST_BYTES + 20);
                prop_assert_eq!(stretch.instants().count() as i64, stretch.polls);
                prop_assert_eq!(stretch.instants().last(), Some(stretch.until));
            }
        }
    }
}
