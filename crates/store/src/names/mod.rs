//! The names behind the numbers, read once for a report or a derivation.

mod holders;
mod kept;
mod seen;

use crate::Error;
use crate::backend::{Backend, Row, all, one};
use crate::derive::Computed;
use crate::intake::{POLLS_APART_MS, SpanRow, evidence, spans};
use crate::polls::{Daemon, Polled};
use accounting::UnixMs;
use accounting::capacity::Steps;
use accounting::directory::{Directory, Entry};
use accounting::event::Expires;
use accounting::ledger::{Expiry, Feature, Names, Server, ServerId, Total};
use accounting::report::Scope;
use accounting::session::{Ended, FeatureId, HolderId, Part};
use holders::{Holders, People};
use kept::Stamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

pub(crate) use kept::Kept;

/// Names, and the evidence of life behind open sessions.
#[derive(Clone)]
pub(crate) struct Ledger {
    pub(crate) names: Arc<Names>,
    /// The number of each holder's daemon in `evidence`.
    daemon_of: Arc<Vec<u32>>,
    evidence: Arc<Vec<Evidence>>,
    /// Where logs cover license servers that are polled too.
    covered: Arc<FxHashMap<ServerId, Vec<(UnixMs, UnixMs)>>>,
    heartbeats: Arc<Heartbeats>,
}

/// What is known of heartbeats besides their buckets.
#[derive(Debug, Clone, Default)]
struct Heartbeats {
    /// What stands for their license server.
    server: Option<ServerId>,
    /// A heartbeat may come late: the evidence of a day is that no bucket of it is accepted any more.
    sealed_until: UnixMs,
    /// Whether any bucket is not sealed.
    unsealed: bool,
    /// Ends of sessions that began before all was sealed and go on, by holder and start.
    long: FxHashMap<(HolderId, UnixMs), UnixMs>,
}

/// The last evidence of life of a holder's daemon.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    /// The last line of its log, or of its server's.
    logged: Option<UnixMs>,
    /// The last poll that it answered: what a license server says of no daemon in particular shows no daemon's holds.
    polled: Option<UnixMs>,
    /// Whether open sessions count for nothing: a bare wrapper START is its own evidence.
    bare: bool,
}

impl Ledger {
    /// Reads `holder_id, from_at, until_at, version_id, seats, ended, seen_at` and lends what counts of the session:
    /// all of it, or, where polls told it, what no log of the same license server covers.
    pub(crate) fn parts(
        &self,
        row: &Row<'_>,
        each: &mut dyn FnMut(Part) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (holder, from, ended) = (row.id(0)?, row.int(1)?, row.int(5)?);
        let (until, polled) = (row.opt_int(2)?, row.opt_int(6)?.is_some());
        let part = Part {
            from,
            until: until.unwrap_or_else(|| self.open_until(holder, from, polled)),
            holder,
            version: row.id(3)?,
            seats: row.id(4)?,
            ended: Ended::from_code(ended)
                .ok_or_else(|| Error::Corrupt(format!("session ending {ended}")))?,
        };
        match polled.then(|| self.covered_of(holder)).flatten() {
            None => each(part),
            Some(covered) => without(part, covered).into_iter().try_for_each(each),
        }
    }

    fn covered_of(&self, holder: HolderId) -> Option<&[(UnixMs, UnixMs)]> {
        let server = self.names.holders.get(&holder)?.server;
        self.covered.get(&server).map(Vec::as_slice)
    }

    /// The license servers that are polled, and have a log.
    pub(crate) fn polled_and_logged(&self) -> impl Iterator<Item = ServerId> {
        self.covered.iter().filter(|(_, logged)| !logged.is_empty()).map(|(server, _)| *server)
    }

    /// Whether the log of a polled license server covers an instant.
    pub(crate) fn log_covers(&self, server: ServerId, at: UnixMs) -> bool {
        let covered = self.covered.get(&server).map(Vec::as_slice).unwrap_or_default();
        covered.iter().any(|&(from, until)| from <= at && at < until)
    }

    /// Whether any session may be cut by what a log covers.
    pub(crate) fn cuts_polls(&self) -> bool {
        self.covered.values().any(|covered| !covered.is_empty())
    }

    /// Whether a log tells what a polled holder did at an instant.
    pub(crate) fn is_covered(&self, holder: HolderId, at: UnixMs) -> bool {
        let covered = self.covered_of(holder).unwrap_or_default();
        covered.iter().any(|&(from, until)| from <= at && at < until)
    }

    fn evidence(&self, holder: HolderId) -> Option<&Evidence> {
        self.evidence.get(*self.daemon_of.get(holder as usize)? as usize)
    }

    /// Up to where an open session counts: its last evidence, never before its start. A bare wrapper START is its own
    /// evidence.
    fn open_until(&self, holder: HolderId, from: UnixMs, polled: bool) -> UnixMs {
        match self.evidence(holder) {
            Some(Evidence { bare: false, logged, polled: seen }) => {
                let at = if polled { *seen } else { *logged };
                at.map_or(from, |at| at.max(from))
            }
            _ => from,
        }
    }

    /// As [`Self::open_until`] for a session of a stored page, which does not tell who told it: a log, where there is
    /// one.
    pub(crate) fn stored_open_until(&self, holder: HolderId, from: UnixMs) -> UnixMs {
        if let Some(until) = self.heartbeats.long.get(&(holder, from)) {
            return *until;
        }
        let logged = self.evidence(holder).is_some_and(|evidence| evidence.logged.is_some());
        self.open_until(holder, from, !logged)
    }

    /// Whether a holder is known by heartbeats.
    pub(crate) fn is_of_heartbeats(&self, holder: HolderId) -> bool {
        let server = self.names.holders.get(&holder).map(|holder| holder.server);
        server.is_some() && server == self.heartbeats.server
    }

    /// Whether a license server is none, but stands for heartbeats.
    pub(crate) fn stands_for_heartbeats(&self, server: ServerId) -> bool {
        self.heartbeats.server == Some(server)
    }

    /// Whether any session is known by buckets that are not sealed yet.
    pub(crate) fn has_unsealed(&self) -> bool {
        self.heartbeats.unsealed
    }

    /// Whether the evidence of every source with sessions in a day has passed the day's end.
    pub(crate) fn settled(&self, computed: &Computed, end: UnixMs) -> bool {
        let passed = |holder: &HolderId| self.has_passed(*holder, end);
        computed.parts.iter().map(|part| &part.holder).all(passed)
            && computed.requests.iter().map(|request| &request.holder).all(passed)
    }

    /// Whether the evidence of a holder's source has passed an instant.
    pub(crate) fn has_passed(&self, holder: HolderId, at: UnixMs) -> bool {
        let evidence = self.evidence(holder).and_then(|of| of.logged.max(of.polled));
        evidence.is_none_or(|evidence| evidence >= at)
    }

    /// The capacity of a feature at an instant, over all its servers; unknown where that of any of them is.
    pub(crate) fn seats_issued(&self, feature: FeatureId, at: UnixMs) -> Option<i64> {
        let servers = &self.names.features.get(&feature)?.servers;
        let mut issued = None;
        for server in servers {
            let pool = self.names.capacity.get(&(feature, *server)).and_then(|steps| steps.at(at))?;
            issued = Some(issued.unwrap_or(0) + pool);
        }
        issued
    }
}

/// What remains of a session outside of the covered stretches, which are disjoint and ascending.
fn without(part: Part, covered: &[(UnixMs, UnixMs)]) -> Vec<Part> {
    let mut rest = Some(part);
    let mut pieces = Vec::new();
    for &(from, until) in covered.iter().filter(|(from, until)| *from <= part.until && part.from < *until) {
        let Some(whole) = rest.take() else { break };
        if whole.from < from {
            let ended = if from < whole.until { Ended::GoneFromSnapshot } else { whole.ended };
            pieces.push(Part { until: whole.until.min(from), ended, ..whole });
        }
        if until < whole.until {
            rest = Some(Part { from: until, ..whole });
        }
    }
    pieces.extend(rest);
    pieces
}

/// All names; with a scope, of holders only those whom its reports meet, where that is less to read. What is `kept` is not
/// read again.
pub(crate) fn read(
    backend: &mut dyn Backend,
    scope: Option<&Scope>,
    kept: Option<&Kept>,
) -> Result<Ledger, Error> {
    let mut names = Names { features: features(backend)?, ..Names::default() };
    let entries = crate::registry::entries(backend)?;
    let small = small_organizations(&entries, crate::settings::smallest_group(backend)?);
    let mut organizations = organizations_by_number(&entries);
    for organization in organizations.values_mut() {
        *organization = shown(&small, std::mem::take(organization));
    }
    let mut servers = Servers::default();
    names.servers = servers.read(backend)?;
    let heartbeats = heartbeats(backend)?;
    let people = match scope {
        Some(Scope { from: Some(from), until: Some(until), .. }) if from >= until => People::default(),
        _ => {
            let stamp = Stamp::read(backend, heartbeats.server, small, entries)?;
            // A log may cut out of a page what reaches into the day after it, and buckets are in none.
            let by_days = !heartbeats.unsealed && servers.covered.values().all(Vec::is_empty);
            people(backend, &names, (scope.filter(|_| by_days), kept), stamp)?
        }
    };
    let of_daemon = |(server, vendor): &(ServerId, Arc<str>)| match heartbeats.server {
        Some(of) if of == *server => {
            Evidence { logged: Some(heartbeats.sealed_until), ..Evidence::default() }
        }
        _ => servers.evidence(*server, vendor),
    };
    let evidence: Vec<Evidence> = people.daemons.iter().map(of_daemon).collect();
    (names.holders, names.persons) = (people.holders, people.persons);
    backend.query("select version_id, version from version", &[], &mut |row| {
        names.versions.insert(row.id(0)?, row.text(1)?);
        Ok(())
    })?;
    names.capacity = capacity(backend)?;
    names.expiries = expiries(backend)?;
    names.totals = totals(backend, &organizations)?;
    Ok(Ledger {
        names: Arc::new(names),
        daemon_of: people.daemon_of,
        evidence: Arc::new(evidence),
        covered: Arc::new(servers.covered),
        heartbeats: Arc::new(heartbeats),
    })
}

/// Those who were kept, those whom the reports of a scope meet, or all.
fn people(
    backend: &mut dyn Backend,
    names: &Names,
    (scope, kept): (Option<&Scope>, Option<&Kept>),
    stamp: Stamp,
) -> Result<People, Error> {
    if let Some(people) = kept.and_then(|kept| kept.get(&stamp)) {
        return Ok(people);
    }
    let only = scope.map(|scope| seen::holders(backend, names, scope)).transpose()?.flatten();
    let directory = Directory::new(stamp.entries.clone());
    let holders = Holders::new(stamp.heartbeats, &directory, &stamp.small);
    let people = holders.read(backend, only.as_deref(), stamp.holders)?;
    if let Some(kept) = kept.filter(|_| only.is_none()) {
        kept.put(stamp, &people);
    }
    Ok(people)
}

/// License servers, and what was seen of them.
#[derive(Default)]
struct Servers {
    spans: FxHashMap<ServerId, Vec<SpanRow>>,
    /// Those whose bare starts are their own evidence.
    exclusive: FxHashSet<ServerId>,
    covered: FxHashMap<ServerId, Vec<(UnixMs, UnixMs)>>,
    polled: FxHashMap<Daemon, Polled>,
}

impl Servers {
    /// Reads them; gives their names, and when each was watched.
    fn read(&mut self, backend: &mut dyn Backend) -> Result<FxHashMap<ServerId, Server>, Error> {
        let apart = polls_apart(backend)?;
        self.polled = Polled::all(backend)?.into_iter().collect();
        let mut servers = FxHashMap::default();
        let sql = "select server_id, name, pairing from server";
        for (id, name, pairing) in all(backend, sql, &[], |row| Ok((row.id(0)?, row.text(1)?, row.int(2)?)))?
        {
            let spans = spans(backend, id)?;
            let apart = apart.get(&id).copied().unwrap_or(UnixMs::MAX);
            servers.insert(id, Server { name, watched: watched(spans.iter(), apart) });
            if spans.iter().any(|span| span.polled) {
                let logged = watched(spans.iter().filter(|span| !span.polled), UnixMs::MAX);
                self.covered.insert(id, logged);
            }
            if pairing == 1 {
                self.exclusive.insert(id);
            }
            self.spans.insert(id, spans);
        }
        Ok(servers)
    }

    /// What shows that a daemon lived.
    fn evidence(&self, server: ServerId, vendor: &str) -> Evidence {
        let spans = || self.spans.get(&server).into_iter().flatten();
        let polled = self.polled.get(&(server, vendor.to_owned())).and_then(|of| of.last);
        let of_daemon = |span: &&SpanRow| span.polled && span.vendor == vendor;
        Evidence {
            logged: evidence(spans().filter(|span| !span.polled), vendor),
            polled: polled.or_else(|| evidence(spans().filter(of_daemon), vendor)),
            bare: self.exclusive.contains(&server),
        }
    }
}

fn heartbeats(backend: &mut dyn Backend) -> Result<Heartbeats, Error> {
    let Some((server, _)) = crate::heartbeats::source(backend)? else { return Ok(Heartbeats::default()) };
    let first = one(backend, "select min(from_at) from heartbeat", &[], |row| row.opt_int(0))?.flatten();
    let sealed = crate::heartbeats::sealed(backend)?;
    let mut long = FxHashMap::default();
    if let Some(sealed) = sealed.filter(|sealed| first.is_some_and(|first| first < *sealed)) {
        let begun = crate::heartbeats::begun_before(backend, sealed)?;
        long.extend(begun.iter().map(|of| ((of.part.holder, of.part.from), of.part.until)));
    }
    let sealed_until = sealed.map_or(UnixMs::MIN, |before| before - 1);
    Ok(Heartbeats { server: Some(server), sealed_until, unsealed: first.is_some(), long })
}

fn features(backend: &mut dyn Backend) -> Result<FxHashMap<FeatureId, Feature>, Error> {
    let mut features = FxHashMap::default();
    backend.query(include_str!("../../queries/feature_all.sql"), &[], &mut |row| {
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
    let mut observed: FxHashMap<(FeatureId, ServerId, String), Observed> = FxHashMap::default();
    let sql = "select feature_id, server_id, vendor, from_at, seats_issued from capacity";
    backend.query(sql, &[], &mut |row| {
        let pool = (row.id(0)?, row.id(1)?, row.text(2)?);
        observed.entry(pool).or_default().push((row.int(3)?, row.opt_int(4)?));
        Ok(())
    })?;
    let mut pools: FxHashMap<(FeatureId, ServerId), Vec<Steps>> = FxHashMap::default();
    for ((feature, server, _), observed) in observed {
        pools.entry((feature, server)).or_default().push(Steps::new(observed));
    }
    Ok(pools.into_iter().map(|(pool, steps)| (pool, Steps::sum_of_known(&steps))).collect())
}

/// What stands for seats that never expire.
const NEVER: &str = "permanent";

/// When seats expire, as the ledger keeps it.
pub(crate) fn expires_text(expires: Expires) -> String {
    match expires {
        Expires::On(day) => day.to_string(),
        Expires::Never => NEVER.to_owned(),
        Expires::Unknown => String::new(),
    }
}

fn expires_from(text: &str) -> Result<Expires, Error> {
    match text {
        NEVER => Ok(Expires::Never),
        "" => Ok(Expires::Unknown),
        day => day.parse().map(Expires::On).map_err(|_| Error::Corrupt(format!("expiry `{day}`"))),
    }
}

fn expiries(backend: &mut dyn Backend) -> Result<Vec<Expiry>, Error> {
    all(backend, include_str!("../../queries/expiry_all.sql"), &[], |row| {
        Ok(Expiry {
            server: row.id(0)?,
            vendor: row.text(1)?,
            feature: row.id(2)?,
            version: row.opt_text(3)?.unwrap_or_default(),
            seats: row.opt_int(4)?,
            expires: row.with_text(5, expires_from)??,
            told_at: row.int(6)?,
        })
    })
}

fn totals(backend: &mut dyn Backend, organizations: &FxHashMap<i64, String>) -> Result<Vec<Total>, Error> {
    let sql = "select organization, day, feature_id, version_id, minutes from imported_total
               order by day, organization, feature_id, version_id";
    all(backend, sql, &[], |row| {
        let number = row.int(0)?;
        Ok(Total {
            organization: organizations.get(&number).cloned().unwrap_or_else(|| number.to_string()),
            day: row.with_text(1, str::parse)?.map_err(|_| Error::Corrupt("day of a total".to_owned()))?,
            feature: row.id(2)?,
            version: row.id(3)?,
            minutes: row.int(4)?,
        })
    })
}

/// What the directory calls the organization that another system knows by a number; of several names the latest.
fn organizations_by_number(entries: &[Entry]) -> FxHashMap<i64, String> {
    let mut numbered: Vec<&Entry> = entries.iter().collect();
    numbered.sort_by_key(|entry| entry.valid_from);
    let named =
        numbered.into_iter().filter_map(|entry| Some((entry.external_id?, entry.organization.clone()?)));
    named.collect()
}

/// What organizations of too few persons are called together.
const SMALL: &str = "(small groups)";

/// What an organization is called.
fn shown(small: &FxHashSet<String>, organization: String) -> String {
    if small.contains(&organization) { SMALL.to_owned() } else { organization }
}

/// The organizations to which fewer persons belong than the smallest group that is shown.
pub(crate) fn small_organizations(entries: &[Entry], smallest: u32) -> FxHashSet<String> {
    let mut persons: FxHashMap<&str, FxHashSet<(&str, Option<&str>)>> = FxHashMap::default();
    for entry in entries.iter().filter(|_| smallest > 1) {
        if let Some(organization) = &entry.organization {
            persons.entry(organization).or_default().insert((&entry.login, entry.domain.as_deref()));
        }
    }
    persons.retain(|_, persons| persons.len() < smallest as usize);
    persons.into_keys().map(str::to_owned).collect()
}

/// When a server was watched: a log covers without gap from its first line to its last, but for the span between a
/// run's last line and the next start. Polls more than `apart` apart leave a gap. `spans` are in order of time.
pub(crate) fn watched<'a>(spans: impl Iterator<Item = &'a SpanRow>, apart: i64) -> Vec<(UnixMs, UnixMs)> {
    let gap = |span: &SpanRow, until: UnixMs| span.polled && span.from - until > apart;
    let mut watched: Vec<(UnixMs, UnixMs)> = Vec::new();
    for span in spans {
        match watched.last_mut() {
            Some(last) if span.from <= last.1 || !(span.begins_run || gap(span, last.1)) => {
                last.1 = last.1.max(span.until);
            }
            _ => watched.push((span.from, span.until)),
        }
    }
    watched
}

/// By license server that is polled: up to how many milliseconds between two polls somebody was watching, three times
/// the interval of the daemon that is polled most rarely, and never less than [`POLLS_APART_MS`].
pub(crate) fn polls_apart(backend: &mut dyn Backend) -> Result<FxHashMap<ServerId, i64>, Error> {
    let mut apart: FxHashMap<ServerId, i64> = FxHashMap::default();
    for (daemon, polled) in Polled::all(backend)? {
        let of = apart.entry(daemon.0).or_insert(POLLS_APART_MS);
        // No median is more than twice the average: of what is polled often no poll need be looked at.
        if 6 * (polled.average_ms() + 1) > *of {
            *of = (*of).max(3 * crate::polls::interval_ms(backend, &daemon)?);
        }
    }
    Ok(apart)
}
