//! From a commit of a site to the part that tells it: written in the same transaction, with the names as the site's ledger
//! keeps them, so that nothing leaves the site that it does not keep itself.

use super::part::{KeyRow, Names, Part, RequestRow, Run, ShapeRow, ShownRow, TotalRow, UsedRow};
use crate::Error;
use crate::backend::{Backend, Value, all, one};
use crate::input::Checkpoint;
use crate::intake::{
    Batch, DaemonId, KeyEvent, NameId, Quarantined, RequestEvent, Resolved, ShownEvent, TotalEvent,
    UsedEvent, outcome_codes,
};
use accounting::event::Expires;
use accounting::pairing::{InputId, Step};
use rustc_hash::FxHashMap;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::hash::Hash;

/// So many bytes of a hash are kept: nobody tries to find another part of the same one.
const HASH_BYTES: usize = 16;

/// What a ledger says of itself where it forwards.
pub(super) struct Site {
    id: String,
    name: String,
}

/// Refuses more where nothing more may wait; asked before the work is done.
pub(crate) fn room(backend: &mut dyn Backend) -> Result<(), Error> {
    let sql =
        "select waiting_parts, waiting_bytes from forward where is_on = 1 and waiting_bytes >= most_bytes";
    match one(backend, sql, &[], |row| Ok((row.int(0)?, row.int(1)?)))? {
        Some((parts, bytes)) => Err(Error::Behind { parts, bytes }),
        None => Ok(()),
    }
}

/// Whether this ledger forwards.
pub(crate) fn is_on(backend: &mut dyn Backend) -> Result<bool, Error> {
    Ok(one(backend, "select 1 from forward where is_on = 1", &[], |row| row.int(0))?.is_some())
}

/// Writes the part that tells of a commit, where this ledger forwards. It is the last thing of a transaction: the row that
/// it moves is one that all commits move.
pub(crate) fn put(
    backend: &mut dyn Backend,
    resolved: &Resolved,
    (input, checkpoint): (InputId, &Checkpoint),
    batches: &[Batch],
    keeps_lines: bool,
) -> Result<(), Error> {
    let Some(site) = site(backend, input)? else { return Ok(()) };
    let counts = &checkpoint.counts;
    let mut numbers = Numbers::default();
    let runs = batches.iter().map(|batch| run(batch, &mut numbers, keeps_lines)).collect();
    let part = Part {
        source: checkpoint.name.clone(),
        counts: [counts.lines, counts.events, counts.notes, counts.noise, counts.unrecognized],
        names: numbers.names(backend, resolved)?,
        runs,
        ..Part::default()
    };
    write(backend, site, input, part)
}

/// Writes the part that tells that an input is taken out, where this ledger forwards.
pub(crate) fn put_out(backend: &mut dyn Backend, input: InputId) -> Result<(), Error> {
    let Some(site) = site(backend, input)? else { return Ok(()) };
    // What still waits would only be taken out again: a part that is refused is out of the way then.
    let sql = "select part_id from forward_part where input_id = $1";
    let waiting = all(backend, sql, &[input.into()], |row| row.int(0))?;
    super::remove(backend, &waiting)?;
    backend.execute(
        "update forward_input set refused = null, diverged = 0 where input_id = $1",
        &[input.into()],
    )?;
    // What is read anew may get the same number: its parts go on behind this one.
    write(backend, site, input, Part { takes_out: true, ..Part::default() })
}

/// Tells what waits, and all that comes, as another ledger does whose inputs begin now.
pub(super) fn anew(backend: &mut dyn Backend, site: &str) -> Result<u64, Error> {
    let found = "update forward set site = $1 returning name";
    let name = one(backend, found, &[site.into()], |row| row.text(0))?;
    let name =
        name.ok_or_else(|| Error::NotFound("a central service that this ledger is to tell".to_owned()))?;
    backend.execute("update forward_input set parts = 0, hash = '', refused = null, diverged = 0", &[])?;
    let waiting = all(backend, "select part_id from forward_part order by part_id", &[], |row| row.int(0))?;
    for id in &waiting {
        let sql = "select body from forward_part where part_id = $1";
        let Some(body) = one(backend, sql, &[(*id).into()], |row| row.text(0))? else { continue };
        let part: Part =
            serde_json::from_str(&body).map_err(|error| Error::Corrupt(format!("part {id}: {error}")))?;
        // Under a number of its own: who has posted it as it was removes that one only.
        super::remove(backend, &[*id])?;
        let site = Site { id: site.to_owned(), name: name.clone() };
        write(backend, site, part.input, part)?;
    }
    Ok(waiting.len() as u64)
}

/// How the ledger forwards. Where it does so no more the numbers of inputs that were forwarded move on all the same: what is
/// not told is missed centrally, and not only by who looks.
pub(super) fn site(backend: &mut dyn Backend, input: InputId) -> Result<Option<Site>, Error> {
    let sql = "select site, name, is_on from forward";
    let of_row =
        |row: &crate::backend::Row<'_>| Ok((Site { id: row.text(0)?, name: row.text(1)? }, row.int(2)? != 0));
    match one(backend, sql, &[], of_row)? {
        None => Ok(None),
        Some((site, true)) => Ok(Some(site)),
        Some((_, false)) => {
            backend
                .execute("update forward_input set parts = parts + 1 where input_id = $1", &[input.into()])?;
            Ok(None)
        }
    }
}

pub(super) fn write(backend: &mut dyn Backend, site: Site, input: InputId, part: Part) -> Result<(), Error> {
    let sql = "insert into forward_input (input_id, parts) values ($1, 1)
               on conflict (input_id) do update set parts = forward_input.parts + 1 returning parts, hash";
    let found = one(backend, sql, &[input.into()], |row| Ok((row.int(0)?, row.text(1)?)))?;
    let (number, before) = found.ok_or(Error::Conflict)?;
    let part =
        Part { site: site.id, name: site.name, input, part: number as u64, hash: String::new(), ..part };
    let (body, hash) = hashed(&part, &before)?;
    let sql = "update forward_input set hash = $2 where input_id = $1";
    backend.execute(sql, &[input.into(), hash.into()])?;
    let bytes = Value::Int(body.len() as i64);
    let sql = "update forward set waiting_parts = waiting_parts + 1, waiting_bytes = waiting_bytes + $1,
                                  last_part = last_part + 1 returning last_part";
    let id = one(backend, sql, std::slice::from_ref(&bytes), |row| row.int(0))?.ok_or(Error::Conflict)?;
    let sql = "insert into forward_part (part_id, input_id, bytes, body) values ($1, $2, $3, $4)";
    backend.execute(sql, &[id.into(), input.into(), bytes, body.into()])?;
    Ok(())
}

/// A part as it is posted, with its hash over itself and the hash of the part before it.
fn hashed(part: &Part, before: &str) -> Result<(String, String), Error> {
    let mut body = serde_json::to_string(part).map_err(|error| Error::Driver(error.to_string()))?;
    let mut digest = Sha256::new_with_prefix(before);
    digest.update(&body);
    let hash = digest.finalize().iter().take(HASH_BYTES).fold(String::new(), |mut hash, byte| {
        let _ = write!(hash, "{byte:02x}");
        hash
    });
    // As its last member.
    body.pop();
    let _ = write!(body, ",\"hash\":\"{hash}\"}}");
    Ok((body, hash))
}

/// The numbers that a part gives to names, in the order of their first use.
#[derive(Default)]
struct Numbers {
    features: Numbered<NameId>,
    versions: Numbered<NameId>,
    holders: Numbered<NameId>,
    daemons: Numbered<DaemonId>,
}

struct Numbered<T> {
    places: FxHashMap<T, u32>,
    order: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { places: FxHashMap::default(), order: Vec::new() }
    }
}

impl<T: Copy + Eq + Hash> Numbered<T> {
    fn of(&mut self, name: T) -> u32 {
        *self.places.entry(name).or_insert_with(|| {
            self.order.push(name);
            self.order.len() as u32 - 1
        })
    }
}

impl Numbers {
    fn version(&mut self, version: NameId) -> u32 {
        if version == 0 { 0 } else { self.versions.of(version) + 1 }
    }

    /// The names behind the numbers, as the ledger keeps them.
    fn names(mut self, backend: &mut dyn Backend, resolved: &Resolved) -> Result<Names, Error> {
        let ids = |order: &[NameId], of: &[u32]| order.iter().map(|name| of[*name as usize]).collect();
        let holders = ids(&self.holders.order, &resolved.holders);
        let daemons_of_holders: Vec<u32> = self
            .holders
            .order
            .iter()
            .map(|holder| self.daemons.of(resolved.holder_daemons[*holder as usize]))
            .collect();
        let of_holder =
            |row: &crate::backend::Row<'_>| Ok((row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?));
        let sql = include_str!("../../queries/holder_named.sql");
        let holders = looked_up(backend, sql, holders, of_holder)?.into_iter().zip(daemons_of_holders);
        let features = ids(&self.features.order, &resolved.features);
        let versions = ids(&self.versions.order, &resolved.versions);
        let servers: Vec<u32> =
            self.daemons.order.iter().map(|id| resolved.daemons[*id as usize].server).collect();
        let of_server =
            |row: &crate::backend::Row<'_>| Ok((row.text(1)?, row.text(2)?, row.int(3)? != 0, row.text(4)?));
        let servers = looked_up(backend, include_str!("../../queries/server_named.sql"), servers, of_server)?;
        let daemons = servers.into_iter().zip(&self.daemons.order);
        Ok(Names {
            daemons: daemons
                .map(|((server, format, exclusive, zone), id)| {
                    (server, format, exclusive, zone, resolved.daemons[*id as usize].vendor.clone())
                })
                .collect(),
            features: looked_up(backend, include_str!("../../queries/feature_named.sql"), features, |row| {
                row.text(1)
            })?,
            versions: looked_up(backend, include_str!("../../queries/version_named.sql"), versions, |row| {
                row.text(1)
            })?,
            holders: holders
                .map(|((user, host, display, data), daemon)| (daemon, user, host, display, data))
                .collect(),
        })
    }
}

/// What a query finds for numbers, in their order; its first column is the number.
fn looked_up<T: Clone>(
    backend: &mut dyn Backend,
    sql: &str,
    ids: Vec<u32>,
    mut read: impl FnMut(&crate::backend::Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let param = [Value::Text(json!(ids.iter().map(|id| json!([id])).collect::<Vec<_>>()).to_string())];
    let found = all(backend, sql, &param, |row| Ok((row.id(0)?, read(row)?)))?;
    let found: FxHashMap<u32, T> = found.into_iter().collect();
    ids.iter().map(|id| found.get(id).cloned().ok_or(Error::Conflict)).collect()
}

/// What a batch says, with the part's numbers. What senders call their events stays: the site has seen to it that each counts once.
fn run(batch: &Batch, to: &mut Numbers, keeps_lines: bool) -> Run {
    Run {
        number: batch.run,
        handles: batch.handles.iter().map(ToString::to_string).collect(),
        events: batch.events.iter().map(|event| key_row(event, to)).collect(),
        retracted: batch.retracted.iter().map(|event| key_row(event, to)).collect(),
        requests: batch.requests.iter().map(|request| request_row(request, to)).collect(),
        retracted_requests: batch.retracted_requests.iter().map(|request| request_row(request, to)).collect(),
        breaks: batch.breaks.iter().map(|it| (to.daemons.of(it.daemon), it.at, it.started)).collect(),
        polls: batch.polls.iter().map(|it| (to.daemons.of(it.daemon), it.at, it.answered)).collect(),
        shown: batch.shown.iter().map(|shown| shown_row(shown, to)).collect(),
        retracted_shown: batch.retracted_shown.iter().map(|shown| shown_row(shown, to)).collect(),
        used: batch.used.iter().map(|used| used_row(used, to)).collect(),
        retracted_used: batch.retracted_used.iter().map(|used| used_row(used, to)).collect(),
        seats: batch
            .seats
            .iter()
            .map(|it| {
                let (feature, daemon) = (to.features.of(it.feature), to.daemons.of(it.daemon));
                let (tells, issued) = (it.issued.is_some(), it.issued.flatten());
                (feature, daemon, it.at, tells, issued, it.in_use, it.reserved, it.queued, it.borrowed)
            })
            .collect(),
        expiries: batch
            .expiries
            .iter()
            .map(|it| {
                let (daemon, feature) = (to.daemons.of(it.daemon), to.features.of(it.feature));
                let expires = match it.expires {
                    Expires::On(day) => day.to_string(),
                    Expires::Never => super::NEVER.to_owned(),
                    Expires::Unknown => super::UNKNOWN.to_owned(),
                };
                (daemon, feature, to.version(it.version), it.at, it.seats, expires)
            })
            .collect(),
        totals: batch.totals.iter().map(|total| total_row(total, to)).collect(),
        retracted_totals: batch.retracted_totals.iter().map(|total| total_row(total, to)).collect(),
        spans: batch
            .spans
            .iter()
            .map(|it| (to.daemons.of(it.daemon), it.run, it.from, it.until, it.begins_run, it.polled))
            .collect(),
        components: batch
            .components
            .iter()
            .map(|(package, component)| (to.features.of(*package), to.features.of(*component)))
            .collect(),
        quarantined: batch.quarantined.iter().map(|held| shape_row(held, keeps_lines)).collect(),
        retracted_quarantined: batch
            .retracted_quarantined
            .iter()
            .map(|held| shape_row(held, keeps_lines))
            .collect(),
    }
}

fn key_row(event: &KeyEvent, to: &mut Numbers) -> KeyRow {
    let (feature, holder) = (to.features.of(event.feature), to.holders.of(event.holder));
    match event.step {
        Step::Start(it) => {
            (feature, holder, event.handle, it.at, it.order, it.seats, to.version(it.version), None)
        }
        Step::End(it) => (feature, holder, event.handle, it.at, it.order, it.seats, 0, Some(it.ended.code())),
    }
}

fn request_row(it: &RequestEvent, to: &mut Numbers) -> RequestRow {
    let (outcome, reason) = outcome_codes(it.outcome);
    let (feature, holder) = (to.features.of(it.feature), to.holders.of(it.holder));
    (feature, holder, it.at, outcome, reason, it.code.clone(), it.seats, to.version(it.version))
}

fn shown_row(it: &ShownEvent, to: &mut Numbers) -> ShownRow {
    let (feature, holder) = (to.features.of(it.feature), to.holders.of(it.holder));
    (feature, holder, it.handle, it.at, it.since, it.seats, to.version(it.version))
}

fn used_row(it: &UsedEvent, to: &mut Numbers) -> UsedRow {
    let (feature, holder) = (to.features.of(it.feature), to.holders.of(it.holder));
    (feature, holder, it.handle, it.from, it.until, it.awaited_until, it.seats, to.version(it.version))
}

fn total_row(it: &TotalEvent, to: &mut Numbers) -> TotalRow {
    (it.organization, it.day.to_string(), to.features.of(it.feature), to.version(it.version), it.minutes)
}

/// As the ledger keeps it: under a pseudonym no line is kept as it stands.
fn shape_row(it: &Quarantined, keeps_lines: bool) -> ShapeRow {
    let sample = if keeps_lines { it.sample.clone() } else { String::new() };
    (it.shape.clone(), it.reason.clone(), it.lines, it.first_line, sample)
}
