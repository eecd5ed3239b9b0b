//! What license servers say of their seats: how many there are, when they expire; and totals of other systems.

use super::{Batch, Intake, Marks, rows_of};
use crate::Error;
use crate::backend::{Backend, all};
use crate::intake::SeatsEvent;
use crate::polls::{self, Polled};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::FeatureId;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The seats of a feature at one vendor daemon.
pub(in crate::intake) type Pool = (FeatureId, ServerId, String);

/// Equal observations of a pool without another one between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::intake) struct Run {
    from: UnixMs,
    seen: UnixMs,
    seats: Option<i64>,
}

/// How many rows go into one statement.
const TOGETHER: usize = 10_000;

impl Intake {
    /// Writes what the batch says of seats, expiry and totals.
    pub(super) fn write_seats(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        marks: &mut Marks,
    ) -> Result<(), Error> {
        self.write_capacity(backend, &batch.seats, input, marks)?;
        self.write_seats_now(backend, &batch.seats, input)?;
        self.write_expiries(backend, &batch.expiries, input)?;
        self.write_totals(backend, batch, input)
    }

    fn pool(&self, seats: &SeatsEvent) -> Pool {
        let daemon = self.daemon(seats.daemon);
        (self.resolved.features[seats.feature as usize], daemon.server, daemon.vendor.clone())
    }

    fn write_capacity(
        &mut self,
        backend: &mut dyn Backend,
        seats: &[SeatsEvent],
        input: InputId,
        marks: &mut Marks,
    ) -> Result<(), Error> {
        let mut observed: BTreeMap<Pool, Vec<(UnixMs, Option<i64>)>> = BTreeMap::new();
        for event in seats {
            if let Some(issued) = event.issued {
                observed.entry(self.pool(event)).or_default().push((event.at, issued));
            }
        }
        let mut rows = self.said_again(&mut observed);
        let elsewhere = told_elsewhere(backend, &mut observed)?;
        for (pool, mut observed) in observed {
            observed.sort_by_key(|(at, _)| *at);
            let before = runs(backend, &pool)?;
            let polled = is_polled(backend, &pool)?;
            let mut runs = before.clone();
            for (at, seats) in observed {
                match polled {
                    true => observe(&mut runs, at, seats, &mut || next_poll(backend, &pool, at))?,
                    false => note(&mut runs, Run { from: at, seen: at, seats }),
                }
            }
            for run in runs.iter().filter(|run| !before.contains(run)) {
                let known = before.iter().find(|known| known.from == run.from);
                if known.is_none_or(|known| known.seats != run.seats) {
                    let next = runs.iter().map(|other| other.from).find(|from| *from > run.from);
                    marks.capacity_changed(pool.0, run.from, next);
                }
                rows.push((pool.clone(), *run));
            }
            match runs.last().filter(|_| polled && !elsewhere.contains(&(pool.0, pool.1))) {
                Some(last) => self.last_runs.insert(pool, *last),
                None => self.last_runs.remove(&pool),
            };
        }
        for rows in rows.chunks(TOGETHER) {
            let rows = rows_of(rows, |((feature, server, vendor), run)| {
                json!([feature, server, vendor, run.from, run.seen, run.seats, input])
            });
            backend.execute(include_str!("../../../queries/capacity_upsert.sql"), &[rows])?;
        }
        Ok(())
    }

    /// Takes out what only repeats, later, what was said last of a pool that this process has written: most of what polls
    /// say. Its runs need not be read.
    fn said_again(&mut self, observed: &mut BTreeMap<Pool, Vec<(UnixMs, Option<i64>)>>) -> Vec<(Pool, Run)> {
        let whole: BTreeSet<(FeatureId, ServerId)> =
            observed.keys().filter(|(_, _, vendor)| vendor.is_empty()).map(|(f, s, _)| (*f, *s)).collect();
        let by_daemons: BTreeSet<(FeatureId, ServerId)> =
            observed.keys().filter(|(_, _, vendor)| !vendor.is_empty()).map(|(f, s, _)| (*f, *s)).collect();
        let mut again = Vec::new();
        observed.retain(|pool, told| {
            let of = (pool.0, pool.1);
            let known =
                self.last_runs.get_mut(pool).filter(|_| !(whole.contains(&of) && by_daemons.contains(&of)));
            match (known, &told[..]) {
                (Some(run), &[(at, seats)]) if at > run.seen && seats == run.seats => {
                    run.seen = at;
                    again.push((pool.clone(), *run));
                    false
                }
                _ => true,
            }
        });
        again
    }

    fn write_seats_now(
        &self,
        backend: &mut dyn Backend,
        seats: &[SeatsEvent],
        input: InputId,
    ) -> Result<(), Error> {
        let mut latest: BTreeMap<Pool, &SeatsEvent> = BTreeMap::new();
        for event in seats {
            let of = latest.entry(self.pool(event)).or_insert(event);
            if of.at <= event.at {
                *of = event;
            }
        }
        let latest: Vec<_> = latest.into_iter().collect();
        for latest in latest.chunks(TOGETHER) {
            let rows = rows_of(latest, |((feature, server, vendor), seats)| {
                let SeatsEvent { at, in_use, reserved, queued, borrowed, .. } = seats;
                let issued = seats.issued.flatten();
                json!([server, vendor, feature, at, issued, in_use, reserved, queued, borrowed, input])
            });
            backend.execute(include_str!("../../../queries/seats_now_upsert.sql"), &[rows])?;
        }
        Ok(())
    }

    /// Of a day's total told twice the greater one counts: the other was told before the day was over.
    fn write_totals(&self, backend: &mut dyn Backend, batch: &Batch, input: InputId) -> Result<(), Error> {
        let feature = |id: u32| self.resolved.features[id as usize];
        let version = |id: u32| self.resolved.versions[id as usize];
        for gone in &batch.retracted_totals {
            let sql = "delete from imported_total
                       where feature_id = $1 and day = $2 and organization = $3 and version_id = $4";
            let day = gone.day.to_string();
            let params = [
                feature(gone.feature).into(),
                day.into(),
                gone.organization.into(),
                version(gone.version).into(),
            ];
            backend.execute(sql, &params)?;
        }
        let mut totals: BTreeMap<(FeatureId, String, i64, u32), i64> = BTreeMap::new();
        for total in &batch.totals {
            let key =
                (feature(total.feature), total.day.to_string(), total.organization, version(total.version));
            let minutes = totals.entry(key).or_insert(total.minutes);
            *minutes = (*minutes).max(total.minutes);
        }
        let totals: Vec<_> = totals.into_iter().collect();
        for totals in totals.chunks(TOGETHER) {
            let rows = rows_of(totals, |((feature, day, organization, version), minutes)| {
                json!([feature, day, organization, version, minutes, input])
            });
            backend.execute(include_str!("../../../queries/total_upsert.sql"), &[rows])?;
        }
        Ok(())
    }
}

fn runs(backend: &mut dyn Backend, (feature, server, vendor): &Pool) -> Result<Vec<Run>, Error> {
    let sql = "select from_at, seen_at, seats_issued from capacity
               where feature_id = $1 and server_id = $2 and vendor = $3 order by from_at";
    all(backend, sql, &[(*feature).into(), (*server).into(), vendor.as_str().into()], |row| {
        Ok(Run { from: row.int(0)?, seen: row.int(1)?, seats: row.opt_int(2)? })
    })
}

/// What the license server as a whole tells of a feature's seats takes the place of what its vendor daemons told, and
/// the other way round: which of them it is depends on how many of them run. Returns the features of which both have told.
fn told_elsewhere(
    backend: &mut dyn Backend,
    observed: &mut BTreeMap<Pool, Vec<(UnixMs, Option<i64>)>>,
) -> Result<BTreeSet<(FeatureId, ServerId)>, Error> {
    let mut ended: Vec<(Pool, UnixMs)> = Vec::new();
    let mut elsewhere = BTreeSet::new();
    for ((feature, server, vendor), of_pool) in &*observed {
        let sql = "select distinct vendor from capacity where feature_id = $1 and server_id = $2";
        let mut vendors = all(backend, sql, &[(*feature).into(), (*server).into()], |row| row.text(0))?;
        let told = observed.range((*feature, *server, String::new())..);
        vendors.extend(
            told.take_while(|((f, s, _), _)| f == feature && s == server).map(|((_, _, v), _)| v.clone()),
        );
        for other in vendors.into_iter().filter(|other| other.is_empty() != vendor.is_empty()) {
            elsewhere.insert((*feature, *server));
            let pool = (*feature, *server, other);
            let told =
                |at: UnixMs| observed.get(&pool).is_some_and(|of| of.iter().any(|(told, _)| *told == at));
            ended.extend(of_pool.iter().filter(|(at, _)| !told(*at)).map(|(at, _)| (pool.clone(), *at)));
        }
    }
    for (pool, at) in ended {
        observed.entry(pool).or_default().push((at, None));
    }
    Ok(elsewhere)
}

/// Adds an observation that no poll made: others may come between any two.
fn note(runs: &mut Vec<Run>, new: Run) {
    let after = runs.partition_point(|run| run.from < new.from);
    match runs.get_mut(after).filter(|run| run.from == new.from) {
        Some(run) => run.seats = new.seats,
        None => runs.insert(after, new),
    }
}

/// Whether a daemon was ever polled; a log tells seats without polls.
fn is_polled(backend: &mut dyn Backend, (_, server, vendor): &Pool) -> Result<bool, Error> {
    Ok(Polled::of(backend, &(*server, vendor.clone()))?.is_some())
}

/// The next poll after an instant that the daemon answered.
fn next_poll(
    backend: &mut dyn Backend,
    (_, server, vendor): &Pool,
    at: UnixMs,
) -> Result<Option<UnixMs>, Error> {
    polls::next_answer(backend, &(*server, vendor.clone()), at)
}

/// Adds an observation to the runs of a pool. Within a run of other seats it splits the run: what follows was next
/// observed at the poll after it.
fn observe(
    runs: &mut Vec<Run>,
    at: UnixMs,
    seats: Option<i64>,
    next_poll: &mut dyn FnMut() -> Result<Option<UnixMs>, Error>,
) -> Result<(), Error> {
    let new = Run { from: at, seen: at, seats };
    let after = runs.partition_point(|run| run.from <= at);
    let Some(place) = after.checked_sub(1) else {
        runs.insert(0, new);
        return Ok(());
    };
    let run = runs[place];
    if run.seats == seats {
        runs[place].seen = run.seen.max(at);
        return Ok(());
    }
    if run.from == at {
        // Two answers of one instant: the later one read counts.
        runs[place].seats = seats;
        return Ok(());
    }
    if run.seen > at {
        runs[place].seen = at - 1;
        if let Some(next) = next_poll()?.filter(|next| *next <= run.seen) {
            runs.insert(after, Run { from: next, ..run });
        }
    }
    runs.insert(after, new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Run, observe};
    use accounting::capacity::Steps;

    /// What the observations of these instants come to, in the order in which they are given.
    fn steps(observed: &[(i64, i64)]) -> Vec<Option<i64>> {
        let mut runs: Vec<Run> = Vec::new();
        let mut polls: Vec<i64> = Vec::new();
        for &(at, seats) in observed {
            polls.push(at);
            let next = polls.iter().copied().filter(|poll| *poll > at).min();
            observe(&mut runs, at, Some(seats), &mut || Ok(next)).unwrap_or_default();
        }
        let steps = Steps::new(runs.iter().map(|run| (run.from, run.seats)).collect());
        (0..60).map(|at| steps.at(at)).collect()
    }

    #[test]
    fn observations_give_the_same_steps_in_any_order() {
        let observed = [(10, 5), (20, 5), (30, 7), (40, 5), (50, 5)];
        let expected = steps(&observed);
        assert_eq!(
            [9, 10, 29, 30, 39, 40, 59].map(|at| expected[at]),
            [None, Some(5), Some(5), Some(7), Some(7), Some(5), Some(5)]
        );
        let orders = [[4, 3, 2, 1, 0], [0, 4, 2, 1, 3], [2, 0, 4, 3, 1], [0, 1, 3, 4, 2], [1, 3, 0, 2, 4]];
        for order in orders {
            assert_eq!(steps(&order.map(|nth| observed[nth])), expected, "{order:?}");
        }
    }
}
