//! Polls beside a log: whether the two agree.

use crate::Error;
use crate::backend::{Backend, all};
use crate::names::Ledger;
use crate::read::Reader;
use crate::runs::{self, Asked, Columns};
use accounting::UnixMs;
use accounting::ledger::ServerId;
use accounting::session::FeatureId;

/// How far the polls of a license server agree with its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// The license server.
    pub server: ServerId,
    /// Polls that fall into what its log covers.
    pub polls: u64,
    /// Figures compared: seats in use of a feature at such a poll.
    pub compared: u64,
    /// Figures in which both agree.
    pub equal: u64,
    /// Where they differ most.
    pub worst: Option<Differs>,
}

/// A figure in which a poll and the log differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differs {
    /// The feature.
    pub feature: FeatureId,
    /// The poll's instant.
    pub at: UnixMs,
    /// Seats in use as the poll shows them.
    pub polled: i64,
    /// Seats in use by the log.
    pub logged: i64,
}

/// A poll is told to the minute: what changes within that minute may be on either side of it.
const MINUTE_MS: i64 = 60_000;

impl Reader<'_> {
    /// Compares the seats in use at each poll with those of the log, where a license server has both.
    ///
    /// A poll prints its minute and the minutes in which holds began: figures agree where they can be equal within
    /// that minute.
    pub fn reconciled(&mut self) -> Result<Vec<Reconciled>, Error> {
        let (backend, ledger) = self.parts();
        let mut servers: Vec<ServerId> = ledger.polled_and_logged().collect();
        servers.sort_unstable();
        servers.into_iter().map(|server| of_server(backend, ledger, server)).collect()
    }
}

fn of_server(backend: &mut dyn Backend, ledger: &Ledger, server: ServerId) -> Result<Reconciled, Error> {
    let polls = crate::polls::answers(backend, server)?;
    let polls: Vec<_> = polls.into_iter().filter(|(_, at)| ledger.log_covers(server, *at)).collect();
    let sql =
        "select feature_id, vendor from feature_at_server where server_id = $1 order by feature_id, vendor";
    let features = all(backend, sql, &[server.into()], |row| Ok((row.id(0)?, row.text(1)?)))?;
    let mut instants: Vec<UnixMs> = polls.iter().map(|(_, at)| *at).collect();
    instants.dedup();
    let mut result = Reconciled { server, polls: instants.len() as u64, compared: 0, equal: 0, worst: None };
    for (feature, vendor) in features {
        let at_polls = polls.iter().filter(|(of, _)| *of == vendor).map(|(_, at)| *at);
        let (polled, logged) = changes(backend, ledger, feature, (server, &vendor))?;
        for at in at_polls {
            let (polled, logged) = (range(&polled, at), range(&logged, at));
            result.compared += 1;
            if polled.0 <= logged.1 && logged.0 <= polled.1 {
                result.equal += 1;
                continue;
            }
            let differs = Differs { feature, at, polled: polled.1, logged: logged.1 };
            let by = |differs: &Differs| (differs.polled - differs.logged).abs();
            if result.worst.as_ref().is_none_or(|worst| by(worst) < by(&differs)) {
                result.worst = Some(differs);
            }
        }
    }
    Ok(result)
}

/// Seats in use after each change, in order of time.
type Curve = Vec<(UnixMs, i64)>;

/// How the seats in use of a pool change, by polls and by the log.
fn changes(
    backend: &mut dyn Backend,
    ledger: &Ledger,
    feature: FeatureId,
    (server, vendor): (ServerId, &str),
) -> Result<(Curve, Curve), Error> {
    let mut changes = [Vec::new(), Vec::new()];
    runs::each(backend, Asked::all(feature), Columns::Plain, &mut |row| {
        let holder = ledger.names.holders.get(&row.id(0)?);
        if holder.is_some_and(|holder| holder.server == server && *holder.vendor == *vendor) {
            let changes = &mut changes[usize::from(row.opt_int(6)?.is_none())];
            changes.push((row.int(1)?, row.int(4)?));
            changes.extend(row.opt_int(2)?.map(|until| (until, -row.int(4).unwrap_or_default())));
        }
        Ok(())
    })?;
    Ok(changes.map(curve).into())
}

fn curve(mut changes: Vec<(UnixMs, i64)>) -> Curve {
    changes.sort_unstable();
    let mut seats = 0;
    for (_, change) in &mut changes {
        seats += *change;
        *change = seats;
    }
    changes
}

/// The least and the most seats in use in the minute from an instant on, what was so just before included.
fn range(curve: &Curve, at: UnixMs) -> (i64, i64) {
    let first = curve.partition_point(|(change, _)| *change < at);
    let before = first.checked_sub(1).map_or(0, |index| curve[index].1);
    let within = curve[first..].iter().take_while(|(change, _)| *change < at + MINUTE_MS);
    within.fold((before, before), |(least, most), (_, seats)| (least.min(*seats), most.max(*seats)))
}
