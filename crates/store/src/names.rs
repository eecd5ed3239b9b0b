//! The names behind the numbers, read once for a report or a derivation.

use crate::Error;
use crate::backend::{Backend, Row, all};
use crate::derive::Computed;
use crate::intake::{SpanRow, evidence, spans};
use accounting::UnixMs;
use accounting::capacity::Steps;
use accounting::directory::Directory;
use accounting::ledger::{Feature, Holder, Names, Person, Server, ServerId};
use accounting::session::{Ended, FeatureId, HolderId, Part};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Names, and the evidence of life behind open sessions.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) names: Arc<Names>,
    /// By holder: the last line of its daemon, and whether an open session counts up to it.
    evidence: Arc<FxHashMap<HolderId, (UnixMs, bool)>>,
}

impl Ledger {
    /// Reads `holder_id, from_at, until_at, version_id, seats, ended`.
    pub(crate) fn part(&self, row: &Row<'_>) -> Result<Part, Error> {
        let (holder, from, ended) = (row.id(0)?, row.int(1)?, row.int(5)?);
        let until = row.opt_int(2)?;
        Ok(Part {
            from,
            until: until.unwrap_or_else(|| self.open_until(holder, from)),
            holder,
            version: row.id(3)?,
            seats: row.id(4)?,
            ended: Ended::from_code(ended)
                .ok_or_else(|| Error::Corrupt(format!("session ending {ended}")))?,
        })
    }

    /// Up to where an open session counts: its last evidence, never before its start. A bare wrapper START is its own
    /// evidence.
    pub(crate) fn open_until(&self, holder: HolderId, from: UnixMs) -> UnixMs {
        match self.evidence.get(&holder) {
            Some(&(at, true)) => at.max(from),
            _ => from,
        }
    }

    /// Whether the evidence of every source with sessions in a day has passed the day's end.
    pub(crate) fn settled(&self, computed: &Computed, end: UnixMs) -> bool {
        let passed = |holder: &HolderId| self.evidence.get(holder).is_none_or(|(at, _)| *at >= end);
        computed.parts.iter().map(|part| &part.holder).all(passed)
            && computed.requests.iter().map(|request| &request.holder).all(passed)
    }

    /// The capacity of a feature at an instant, over all its servers.
    pub(crate) fn seats_issued(&self, feature: FeatureId, at: UnixMs) -> Option<i64> {
        let servers = &self.names.features.get(&feature)?.servers;
        let pools = servers.iter().filter_map(|server| self.names.capacity.get(&(feature, *server)));
        pools.filter_map(|steps| steps.at(at)).reduce(|a, b| a + b)
    }
}

pub(crate) fn read(backend: &mut dyn Backend) -> Result<Ledger, Error> {
    let mut names = Names { features: features(backend)?, ..Names::default() };
    let directory = Directory::new(crate::registry::entries(backend)?);
    let mut persons: FxHashMap<String, u32> = FxHashMap::default();
    let mut exclusive: FxHashMap<ServerId, bool> = FxHashMap::default();
    let mut spans_of: FxHashMap<ServerId, Vec<SpanRow>> = FxHashMap::default();
    for (id, name, pairing) in all(backend, "select server_id, name, pairing from server", &[], |row| {
        Ok((row.id(0)?, row.text(1)?, row.int(2)?))
    })? {
        let spans = spans(backend, id)?;
        names.servers.insert(id, Server { name, watched: watched(&spans) });
        exclusive.insert(id, pairing == 1);
        spans_of.insert(id, spans);
    }
    let mut of_daemon: FxHashMap<(ServerId, String), Option<UnixMs>> = FxHashMap::default();
    let mut evidence_of = FxHashMap::default();
    backend.query(include_str!("../queries/holder_all.sql"), &[], &mut |row| {
        let (id, mut holder) = (row.id(0)?, holder(row)?);
        let person = directory.person_name(&holder.user);
        holder.person = *persons.entry(person).or_insert_with_key(|name| {
            let memberships = directory.memberships(name);
            names.persons.push(Person { name: name.clone(), memberships });
            names.persons.len() as u32 - 1
        });
        let daemon = (holder.server, holder.vendor.clone());
        let at = of_daemon.entry(daemon).or_insert_with_key(|(server, vendor)| {
            spans_of.get(server).and_then(|spans| evidence(spans, vendor))
        });
        if let Some(at) = at {
            let counts = !exclusive.get(&holder.server).copied().unwrap_or_default();
            evidence_of.insert(id, (*at, counts));
        }
        names.holders.insert(id, holder);
        Ok(())
    })?;
    backend.query("select version_id, version from version", &[], &mut |row| {
        names.versions.insert(row.id(0)?, row.text(1)?);
        Ok(())
    })?;
    names.capacity = capacity(backend)?;
    Ok(Ledger { names: Arc::new(names), evidence: Arc::new(evidence_of) })
}

fn holder(row: &Row<'_>) -> Result<Holder, Error> {
    Ok(Holder {
        server: row.id(1)?,
        vendor: row.text(2)?,
        user: row.text(3)?,
        host: row.text(4)?,
        display: row.text(5)?,
        checkout_data: row.text(6)?,
        person: 0,
    })
}

fn features(backend: &mut dyn Backend) -> Result<FxHashMap<FeatureId, Feature>, Error> {
    let mut features = FxHashMap::default();
    backend.query(include_str!("../queries/feature_all.sql"), &[], &mut |row| {
        let feature = Feature {
            code: row.text(1)?,
            product: row.opt_text(2)?,
            product_type: row.opt_text(3)?,
            price: row.opt_text(4)?,
            ..Feature::default()
        };
        features.insert(row.id(0)?, feature);
        Ok(())
    })?;
    let sql = "select package_id, component_id from package_component order by package_id, component_id";
    for (package, component) in all(backend, sql, &[], |row| Ok((row.id(0)?, row.id(1)?)))? {
        if let Some(feature) = features.get_mut(&package) {
            feature.components.push(component);
        }
    }
    let sql = "select distinct feature_id, server_id from feature_at_server order by feature_id, server_id";
    for (feature, server) in all(backend, sql, &[], |row| Ok((row.id(0)?, row.id(1)?)))? {
        if let Some(feature) = features.get_mut(&feature) {
            feature.servers.push(server);
        }
    }
    Ok(features)
}

/// What was seen of a pool's capacity: from when on, how many seats.
type Observed = Vec<(UnixMs, Option<i64>)>;

fn capacity(backend: &mut dyn Backend) -> Result<FxHashMap<(FeatureId, ServerId), Steps>, Error> {
    let mut observed: FxHashMap<(FeatureId, ServerId), Observed> = FxHashMap::default();
    let sql =
        "select feature_id, server_id, at, seats_issued from capacity order by feature_id, server_id, at";
    backend.query(sql, &[], &mut |row| {
        observed.entry((row.id(0)?, row.id(1)?)).or_default().push((row.int(2)?, row.opt_int(3)?));
        Ok(())
    })?;
    Ok(observed.into_iter().map(|(pool, steps)| (pool, Steps::new(steps))).collect())
}

/// When a server was watched: a log covers without gap from its first line to its last, but for the span between a
/// run's last line and the next start. `spans` are in order of time.
pub(crate) fn watched(spans: &[SpanRow]) -> Vec<(UnixMs, UnixMs)> {
    let mut watched: Vec<(UnixMs, UnixMs)> = Vec::new();
    for span in spans {
        match watched.last_mut() {
            Some(last) if span.from <= last.1 || !span.begins_run => last.1 = last.1.max(span.until),
            _ => watched.push((span.from, span.until)),
        }
    }
    watched
}
