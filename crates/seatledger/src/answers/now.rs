//! How it is now: which features are short, who holds seats, what was denied lately.

use super::filters::Filters;
use super::report::nobody;
use super::{Sight, report};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::ledger::{Names, Server, ServerId};
use accounting::report::concurrency::Step;
use accounting::report::{Cell, Lens, Report, Scope};
use accounting::session::FeatureId;
use rustc_hash::{FxHashMap, FxHashSet};
use store::sources::SourceTellings;
use store::{Error, Reader, SeatsTold, Store};

/// How many hours are shown of each feature.
const HOURS: usize = 24;
/// After so long nobody goes by what a license server said of seats reserved and queued, in milliseconds: a day.
const STALE: i64 = 86_400_000;

/// How it is at the last evidence of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    /// The last evidence; none of an empty ledger.
    pub(crate) as_of: Option<UnixMs>,
    pub(crate) calendar: Calendar,
    /// What hurts first.
    pub(crate) features: Vec<FeatureNow>,
    /// By name; empty for whom may see one organization only.
    pub(crate) servers: Vec<ServerNow>,
    /// What sites tell of their sources, and whether each is silent; empty likewise.
    pub(crate) of_sites: Vec<(SourceTellings, bool)>,
}

/// A feature now.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeatureNow {
    pub(crate) feature: String,
    pub(crate) product: Option<String>,
    pub(crate) servers: Vec<String>,
    /// The seats of all sessions that are not known to have ended.
    pub(crate) seats_in_use: i64,
    /// The capacity in force.
    pub(crate) seats_issued: Option<i64>,
    /// As the license servers said within a day.
    pub(crate) seats_reserved: Option<i64>,
    pub(crate) seats_queued: Option<i64>,
    /// The most seats in use in each of the last 24 hours of the wall clock, the present one last; `None` where nobody
    /// was watching.
    pub(crate) peaks: Vec<Option<i64>>,
    /// Refused requests of any reason in those hours.
    pub(crate) denials: i64,
    /// Who holds seats, the longest first.
    pub(crate) holds: Vec<Hold>,
}

/// A session that is not known to have ended.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) person: String,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) version: String,
    pub(crate) server: String,
    pub(crate) organization: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) seats: i64,
    pub(crate) from: UnixMs,
}

/// A license server now.
#[derive(Debug, Clone)]
pub(crate) struct ServerNow {
    pub(crate) server: String,
    /// The last evidence that it lived.
    pub(crate) heard_at: Option<UnixMs>,
}

/// How short a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortness {
    /// There are seats, or nobody knows how many there are.
    Fine,
    /// At least nine of ten seats are in use.
    Nearly,
    /// No seat is free.
    Full,
}

impl FeatureNow {
    pub(crate) fn shortness(&self) -> Shortness {
        match self.seats_issued {
            Some(issued) if issued > 0 && self.seats_in_use >= issued => Shortness::Full,
            Some(issued) if issued > 0 && self.seats_in_use * 10 >= issued * 9 => Shortness::Nearly,
            Some(_) | None => Shortness::Fine,
        }
    }

    /// Since when no seat is free: since the last one was taken.
    pub(crate) fn full_since(&self) -> Option<UnixMs> {
        let last = self.holds.iter().map(|hold| hold.from).max()?;
        (self.shortness() == Shortness::Full).then_some(last)
    }

    /// The share of the seats that is in use, where there are seats; it may be above 1.
    pub(crate) fn share(&self) -> Option<f64> {
        let issued = self.seats_issued.filter(|issued| *issued > 0)?;
        Some(self.seats_in_use as f64 / issued as f64)
    }
}

impl Now {
    /// How many sessions are not known to have ended.
    pub(crate) fn open_sessions(&self) -> usize {
        self.features.iter().map(|feature| feature.holds.len()).sum()
    }

    /// The start of the civil day of the last evidence.
    pub(crate) fn midnight(&self) -> Option<UnixMs> {
        self.as_of.map(|at| self.calendar.day_of(at).start(self.calendar.zone()))
    }

    /// How many of them hold their seats since before midnight.
    pub(crate) fn held_overnight(&self) -> usize {
        let Some(midnight) = self.midnight() else { return 0 };
        let holds = self.features.iter().flat_map(|feature| &feature.holds);
        holds.filter(|hold| hold.from < midnight).count()
    }
}

/// How it is now, as far as the asker may see it.
pub(crate) fn now(store: &mut Store, sight: &Sight) -> anyhow::Result<Now> {
    let scope = Filters::default().scope(store, sight)?;
    let (as_of, calendar, features, servers, of_sites) = store.read(|reader| {
        let (names, calendar) = (reader.names(), reader.calendar());
        let (servers, as_of) = (servers(&names), reader.as_of()?);
        let lens = Lens::new(&names, &calendar, scope.clone());
        let mut features = held(reader, &names, &calendar, &lens)?;
        if let Some(as_of) = as_of {
            add_last_day(reader, &mut features, &names, &calendar, &scope, as_of)?;
            if *sight == Sight::Everything {
                add_seats(&mut features, &names, &reader.seats_told()?, as_of);
            }
        }
        let mut features: Vec<FeatureNow> = features.into_values().collect();
        if *sight != Sight::Everything {
            features.retain(|feature| {
                !feature.holds.is_empty() || feature.peaks.iter().flatten().any(|peak| *peak > 0)
            });
        }
        let (servers, of_sites) = match sight {
            Sight::Everything => (servers, of_sites(reader)?),
            Sight::Organization(_) => (Vec::new(), Vec::new()),
        };
        Ok((as_of, calendar, features, servers, of_sites))
    })?;
    let mut now = Now { as_of, calendar, features, servers, of_sites };
    now.features.sort_by(what_hurts);
    Ok(now)
}

fn of_sites(reader: &mut Reader<'_>) -> Result<Vec<(SourceTellings, bool)>, Error> {
    let (told, now) = (reader.sources_of_sites()?, reader.time()?);
    let with_silence = |source: SourceTellings| {
        let is_silent = source.is_silent(now);
        (source, is_silent)
    };
    Ok(told.into_iter().map(with_silence).collect())
}

/// Full before nearly full before the others, then by the share in use, denials and seats.
fn what_hurts(one: &FeatureNow, other: &FeatureNow) -> std::cmp::Ordering {
    let share = |feature: &FeatureNow| feature.share().unwrap_or_default();
    other
        .shortness()
        .cmp(&one.shortness())
        .then(share(other).total_cmp(&share(one)))
        .then(other.denials.cmp(&one.denials))
        .then(other.seats_in_use.cmp(&one.seats_in_use))
        .then_with(|| one.feature.cmp(&other.feature))
}

/// All features with who holds their seats.
fn held(
    reader: &mut Reader<'_>,
    names: &Names,
    calendar: &Calendar,
    lens: &Lens<'_>,
) -> Result<FxHashMap<FeatureId, FeatureNow>, Error> {
    let mut features = FxHashMap::default();
    for id in lens.features() {
        let Some(known) = names.features.get(&id) else { continue };
        let mut holds = Vec::new();
        reader.sessions(id, (UnixMs::MIN, UnixMs::MAX), true, &mut |row| {
            let part = row.part;
            if lens.counted(part.holder, calendar.day_of(part.from)).is_some() {
                holds.push(hold(&part, names, calendar));
            }
            Ok(())
        })?;
        let server = |server: &ServerId| names.servers.get(server).map(|server| server.name.clone());
        let mut servers: Vec<String> = known.servers.iter().filter_map(server).collect();
        servers.sort_unstable();
        let seats_in_use = holds.iter().map(|hold: &Hold| hold.seats).sum();
        let feature = FeatureNow {
            feature: known.code.clone(),
            product: known.product.clone(),
            servers,
            seats_in_use,
            holds,
            ..FeatureNow::default()
        };
        features.insert(id, feature);
    }
    Ok(features)
}

fn hold(part: &accounting::session::Part, names: &Names, calendar: &Calendar) -> Hold {
    let holder = names.holders.get(&part.holder);
    let person = holder.and_then(|holder| names.persons.get(holder.person as usize));
    let member = person.and_then(|person| person.on(calendar.day_of(part.from)));
    let server = holder.and_then(|holder| names.servers.get(&holder.server));
    Hold {
        person: person.map(|person| person.name.clone()).unwrap_or_default(),
        user: holder.map(|holder| holder.user.clone()).unwrap_or_default(),
        host: holder.map(|holder| holder.host.clone()).unwrap_or_default(),
        version: names.versions.get(&part.version).cloned().unwrap_or_default(),
        server: server.map(|server| server.name.clone()).unwrap_or_default(),
        organization: member.and_then(|member| member.organization.clone()),
        project: member.and_then(|member| member.project.clone()),
        seats: i64::from(part.seats),
        from: part.from,
    }
}

/// Adds what the report `concurrency` says of the last hours.
fn add_last_day(
    reader: &mut Reader<'_>,
    features: &mut FxHashMap<FeatureId, FeatureNow>,
    names: &Names,
    calendar: &Calendar,
    scope: &Scope,
    as_of: UnixMs,
) -> Result<(), Error> {
    let today = calendar.day_of(as_of);
    let scope = Scope { from: Some(today.previous()), until: Some(today.next()), ..scope.clone() };
    let report = report::concurrency(reader, names, calendar, &scope, Step::Hour)?;
    let by_code = hours(&report);
    // The hours that any feature has, up to that of the last evidence.
    let mut known: Vec<UnixMs> = by_code.keys().map(|(_, from)| *from).collect();
    known.sort_unstable();
    known.dedup();
    let last = &known[known.len().saturating_sub(HOURS)..];
    for feature in features.values_mut() {
        let of = |from: &UnixMs| by_code.get(&(feature.feature.as_str(), *from)).copied();
        feature.peaks = last.iter().map(|from| of(from).map(|hour| hour.0)).collect();
        feature.denials = last.iter().filter_map(of).map(|hour| hour.1).sum();
    }
    Ok(())
}

/// Peaks and denials by feature and hour.
fn hours(report: &Report) -> FxHashMap<(&str, UnixMs), (i64, i64)> {
    let column = |name: &str| report.columns.iter().position(|column| column.name == name);
    let columns = ["from", "feature", "seats_peak", "denials"].map(column);
    let [Some(from), Some(feature), Some(peak), Some(denials)] = columns else { return FxHashMap::default() };
    let number = |cell: Option<&Cell>| if let Some(Cell::Int(number)) = cell { *number } else { 0 };
    let mut found = FxHashMap::default();
    for row in &report.rows {
        if let (Some(Cell::Instant(from)), Some(Cell::Text(feature))) = (row.get(from), row.get(feature)) {
            found.insert((feature.as_str(), *from), (number(row.get(peak)), number(row.get(denials))));
        }
    }
    found
}

/// Adds capacity, and what the license servers said of reserved and queued seats.
fn add_seats(
    features: &mut FxHashMap<FeatureId, FeatureNow>,
    names: &Names,
    told: &[SeatsTold],
    as_of: UnixMs,
) {
    for (id, feature) in &mut *features {
        let Some(known) = names.features.get(id) else { continue };
        let seats = |server: &ServerId| names.capacity.get(&(*id, *server))?.at(as_of);
        feature.seats_issued =
            if known.servers.is_empty() { None } else { known.servers.iter().map(seats).sum() };
    }
    for told in told.iter().filter(|told| as_of - told.at <= STALE) {
        if let Some(feature) = features.get_mut(&told.feature) {
            *feature.seats_reserved.get_or_insert(0) += told.seats_reserved;
            *feature.seats_queued.get_or_insert(0) += told.seats_queued;
        }
    }
}

/// The first and the last civil day of which anything is known; none of an empty ledger.
pub(crate) fn known_days(store: &mut Store) -> anyhow::Result<Option<(Day, Day)>> {
    Ok(store.read_for(&nobody(), |reader| {
        let (names, calendar) = (reader.names(), reader.calendar());
        let first =
            with_features(&names).filter_map(|server| server.watched.first()).map(|(from, _)| *from).min();
        let days = first.zip(reader.as_of()?);
        Ok(days.map(|(first, last)| (calendar.day_of(first), calendar.day_of(last))))
    })?)
}

fn servers(names: &Names) -> Vec<ServerNow> {
    let server = |server: &Server| ServerNow {
        server: server.name.clone(),
        heard_at: server.watched.last().map(|(_, until)| *until),
    };
    let mut servers: Vec<ServerNow> = with_features(names).map(server).collect();
    servers.sort_by(|one, other| one.server.cmp(&other.server));
    servers
}

/// The license servers that have shown features: the service watches, too, but knows of features only by heartbeats.
fn with_features(names: &Names) -> impl Iterator<Item = &Server> {
    let shown: FxHashSet<ServerId> =
        names.features.values().flat_map(|feature| feature.servers.iter().copied()).collect();
    names.servers.iter().filter(move |(id, _)| shown.contains(id)).map(|(_, server)| server)
}
