//! Denied and queued requests of a commit.

use super::{Batch, Before, Intake, Marks, Scope, rows_of};
use crate::Error;
use crate::backend::{Backend, Cell, Table, Type, all};
use crate::intake::{RequestEvent, RequestOutcome};
use accounting::UnixMs;
use accounting::event::DenialReason;
use accounting::feature_day::{Outcome, Request};
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::{FeatureId, HolderId, VersionId};
use rustc_hash::FxHashMap;
use serde_json::json;

const REQUEST: Table<'static> = Table {
    name: "request",
    columns: &[
        ("feature_id", Type::Int),
        ("at", Type::Int),
        ("holder_id", Type::Int),
        ("nth", Type::Int),
        ("outcome", Type::Int),
        ("reason", Type::Int),
        ("code", Type::Text),
        ("seats", Type::Int),
        ("version_id", Type::Int),
        ("input_id", Type::Int),
    ],
};

/// A request in the ledger's numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RequestRow {
    feature: FeatureId,
    at: UnixMs,
    holder: HolderId,
    nth: i64,
    outcome: RequestOutcome,
    code: String,
    seats: u32,
    version: VersionId,
    input: InputId,
}

impl RequestRow {
    /// What a day counts of it.
    fn request(&self) -> Request {
        let outcome = outcome_of(self.outcome);
        Request { at: self.at, holder: self.holder, seats: self.seats, outcome }
    }

    fn same_event(&self, other: &Self) -> bool {
        let said = |row: &Self| (row.feature, row.at, row.holder, row.outcome, row.seats, row.version);
        said(self) == said(other) && self.code == other.code
    }
}

/// The two numbers that stand for an outcome in the ledger.
pub(crate) fn outcome_codes(outcome: RequestOutcome) -> (i64, Option<i64>) {
    match outcome {
        RequestOutcome::Denied(reason) => (0, Some(reason.code())),
        RequestOutcome::Queued => (1, None),
        RequestOutcome::Dequeued => (2, None),
    }
}

/// What a day counts of an outcome.
pub(crate) fn outcome_of(outcome: RequestOutcome) -> Outcome {
    match outcome {
        RequestOutcome::Denied(reason) => Outcome::Denied(reason),
        RequestOutcome::Queued => Outcome::Queued,
        RequestOutcome::Dequeued => Outcome::Dequeued,
    }
}

/// The outcome that two numbers of the ledger stand for.
pub(crate) fn outcome_from_codes(outcome: i64, reason: Option<i64>) -> Result<RequestOutcome, Error> {
    match (outcome, reason.and_then(DenialReason::from_code)) {
        (0, Some(reason)) => Ok(RequestOutcome::Denied(reason)),
        (1, _) => Ok(RequestOutcome::Queued),
        (2, _) => Ok(RequestOutcome::Dequeued),
        _ => Err(Error::Corrupt(format!("request outcome {outcome} {reason:?}"))),
    }
}

impl Intake {
    pub(super) fn write_requests(
        &self,
        backend: &mut dyn Backend,
        batch: &Batch,
        input: InputId,
        before: &FxHashMap<(ServerId, String), Before>,
        scope: &Scope,
        marks: &mut Marks,
    ) -> Result<(), Error> {
        if batch.requests.is_empty() && batch.retracted_requests.is_empty() {
            return Ok(());
        }
        let held_until = |request: &RequestEvent| {
            let daemon = self.daemon(self.resolved.holder_daemons[request.holder as usize]);
            before
                .get(&(daemon.server, daemon.vendor.clone()))
                .map_or(UnixMs::MIN, |before| before.held_until)
        };
        let mut ranges: FxHashMap<FeatureId, (UnixMs, UnixMs)> = FxHashMap::default();
        let late = batch.requests.iter().filter(|request| request.at <= held_until(request));
        for request in late.chain(&batch.retracted_requests) {
            let feature = self.resolved.features[request.feature as usize];
            let range = ranges.entry(feature).or_insert((request.at, request.at));
            *range = (range.0.min(request.at), range.1.max(request.at));
        }
        let mut there = Vec::new();
        for (feature, range) in &ranges {
            there.extend(requests_between(backend, *feature, *range)?);
        }
        self.take_back(backend, batch, &mut there)?;
        let new = self.what_is_more(batch, input, scope, there);
        for row in &new {
            marks.request(row.feature, row.request());
        }
        insert(backend, &new)
    }

    fn take_back(
        &self,
        backend: &mut dyn Backend,
        batch: &Batch,
        there: &mut Vec<RequestRow>,
    ) -> Result<(), Error> {
        let mut gone = Vec::new();
        for request in &batch.retracted_requests {
            let row = self.request_row(request, 0);
            if let Some(at) = there.iter().position(|other| other.same_event(&row)) {
                gone.push(there.swap_remove(at));
            }
        }
        if gone.is_empty() {
            return Ok(());
        }
        let rows = rows_of(&gone, |row| json!([row.feature, row.at, row.holder, row.nth]));
        backend.execute(include_str!("../../../queries/request_delete.sql"), &[rows])?;
        Ok(())
    }

    /// The batch's requests that the ledger does not hold yet, numbered on.
    fn what_is_more(
        &self,
        batch: &Batch,
        input: InputId,
        scope: &Scope,
        there: Vec<RequestRow>,
    ) -> Vec<RequestRow> {
        let mut nths: FxHashMap<(FeatureId, UnixMs, HolderId), i64> = FxHashMap::default();
        let mut held: FxHashMap<(FeatureId, UnixMs, HolderId), Vec<RequestRow>> = FxHashMap::default();
        for row in there {
            let place = (row.feature, row.at, row.holder);
            let nth = nths.entry(place).or_insert(0);
            *nth = (*nth).max(row.nth + 1);
            held.entry(place).or_default().push(row);
        }
        let mut new = Vec::with_capacity(batch.requests.len());
        for request in &batch.requests {
            let mut row = self.request_row(request, input);
            let place = (row.feature, row.at, row.holder);
            let daemon = self.daemon(self.resolved.holder_daemons[request.holder as usize]);
            let ranges = scope.held.get(&(daemon.server, daemon.vendor.clone()));
            let overlaps = ranges
                .is_some_and(|ranges| ranges.iter().any(|&(from, until)| from <= row.at && row.at <= until));
            if overlaps
                && let Some(held) = held.get_mut(&place)
                && let Some(at) = held.iter().position(|other| other.same_event(&row))
            {
                held.swap_remove(at);
                continue;
            }
            let nth = nths.entry(place).or_insert(0);
            row.nth = *nth;
            *nth += 1;
            new.push(row);
        }
        new.sort_unstable();
        new
    }

    fn request_row(&self, request: &RequestEvent, input: InputId) -> RequestRow {
        RequestRow {
            feature: self.resolved.features[request.feature as usize],
            at: request.at,
            holder: self.resolved.holders[request.holder as usize],
            nth: 0,
            outcome: request.outcome,
            code: request.code.clone(),
            seats: request.seats,
            version: self.resolved.versions[request.version as usize],
            input,
        }
    }
}

fn requests_between(
    backend: &mut dyn Backend,
    feature: FeatureId,
    range: (UnixMs, UnixMs),
) -> Result<Vec<RequestRow>, Error> {
    let params = [feature.into(), range.0.into(), range.1.into()];
    all(backend, include_str!("../../../queries/request_between.sql"), &params, |row| {
        Ok(RequestRow {
            feature,
            holder: row.id(0)?,
            at: row.int(1)?,
            nth: row.int(2)?,
            outcome: outcome_from_codes(row.int(3)?, row.opt_int(4)?)?,
            code: row.text(5)?,
            seats: row.id(6)?,
            version: row.id(7)?,
            input: row.id(8)?,
        })
    })
}

fn insert(backend: &mut dyn Backend, rows: &[RequestRow]) -> Result<(), Error> {
    backend.insert(&REQUEST, rows.len(), &mut |row, cells| {
        let row = &rows[row];
        let (outcome, reason) = outcome_codes(row.outcome);
        cells.copy_from_slice(&[
            Cell::Int(i64::from(row.feature)),
            Cell::Int(row.at),
            Cell::Int(i64::from(row.holder)),
            Cell::Int(row.nth),
            Cell::Int(outcome),
            reason.into(),
            Cell::Text(&row.code),
            Cell::Int(i64::from(row.seats)),
            Cell::Int(i64::from(row.version)),
            Cell::Int(i64::from(row.input)),
        ]);
    })
}
