//! Whether the condition of a rule holds, subject by subject.

use super::rule::{Condition, Rule};
use super::snapshot::{Denial, Hold, Life, Snapshot, Subject};
use super::{Figures, Fullness, RECENT_MS};
use crate::UnixMs;
use crate::calendar;
use crate::day::Day;
use crate::event::{DenialReason, Expires};
use crate::ledger::{PersonId, ServerId};
use crate::session::FeatureId;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Denials of one person at one host no further apart than this are one request: 15 minutes (domain.md §5).
const TOGETHER_MS: i64 = 15 * 60_000;
/// How old a stop may be that raises something, and how long a source may have been silent: a day and a week.
const STOPPED_MS: i64 = 24 * 3_600_000;
const SILENT_MS: i64 = 7 * STOPPED_MS;
/// What expired so many days ago is no news, and what was told of expiry so many days ago is not known.
const EXPIRED_DAYS: i32 = 30;
const TOLD_DAYS: i64 = 45;
/// So many polls in a row must fail before a license server counts as down: one may fail by itself.
const FAILED_POLLS: u32 = 2;

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    Yes,
    /// Neither does it, nor is it over: between the two bounds of hysteresis.
    Between,
    /// It does not.
    No,
    /// Nobody knows.
    Unknown,
}

/// What is seen of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The subject.
    pub subject: Subject,
    /// Whether the rule's condition holds.
    pub holds: Holds,
    /// As of when: the instant of the evidence.
    pub at: UnixMs,
    /// Since when it holds, where that is known.
    pub since: Option<UnixMs>,
    /// How bad it is: of the days of expiry, how many are reached. A higher one is told again.
    pub level: u32,
    /// What was seen.
    pub figures: Figures,
}

/// What is seen of all subjects of a rule; `known` are those of which something is remembered. A subject of which nothing
/// is seen and nothing is known is left out.
pub fn judge(rule: &Rule, snapshot: &Snapshot<'_>, known: &[&Subject]) -> Vec<Observation> {
    let seen = match &rule.condition {
        Condition::Full { fullness, each_server } => full(rule, snapshot, *fullness, *each_server),
        Condition::Denials { requests, persons, within_ms, reasons } => {
            denials(rule, snapshot, (*requests, *persons, *within_ms), reasons)
        }
        Condition::Expiry { days } => expiry(rule, snapshot, days),
        Condition::ServerDown => down(rule, snapshot),
        Condition::Overnight { at_minute, held_ms } => overnight(rule, snapshot, *at_minute, *held_ms),
        Condition::SourceSilent { silent_ms } => silent(rule, snapshot, *silent_ms),
        Condition::LongSession { held_ms } => long(rule, snapshot, *held_ms),
    };
    let mut by_subject: BTreeMap<Subject, Observation> = BTreeMap::new();
    for observation in seen {
        by_subject.insert(observation.subject.clone(), observation);
    }
    for subject in known {
        if !by_subject.contains_key(subject) {
            let holds = absent(rule, snapshot, subject);
            by_subject.insert((*subject).clone(), plain((*subject).clone(), holds, snapshot.now));
        }
    }
    by_subject.into_values().collect()
}

/// A session that is not open any more is over, and so are seats that nobody tells to expire. Whatever else is not seen is
/// not known, unless the rule is not about it any more.
fn absent(rule: &Rule, snapshot: &Snapshot<'_>, subject: &Subject) -> Holds {
    let is_meant = match subject {
        Subject::Session { .. } | Subject::Expiry { .. } => false,
        Subject::Feature { feature, server } => {
            snapshot.wants_feature(rule, *feature)
                && server.is_none_or(|server| snapshot.wants_server(rule, server))
                && matches!(rule.condition, Condition::Full { each_server, .. } if each_server == server.is_some())
                || matches!(rule.condition, Condition::Denials { .. })
                    && snapshot.wants_feature(rule, *feature)
        }
        Subject::Daemon { server, .. } => {
            rule.condition == Condition::ServerDown && snapshot.wants_server(rule, *server)
        }
        Subject::Source { name } => {
            matches!(rule.condition, Condition::SourceSilent { .. }) && rule.sources.match_any(&[name])
        }
    };
    if is_meant { Holds::Unknown } else { Holds::No }
}

fn plain(subject: Subject, holds: Holds, at: UnixMs) -> Observation {
    Observation { subject, holds, at, since: None, level: 1, figures: Figures::new() }
}

fn figures<const N: usize>(of: [(&str, i64); N]) -> Figures {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Snapshot<'_> {
    /// What raises must be of late.
    fn raises(&self, holds: bool, at: UnixMs) -> Holds {
        match holds {
            true if self.now - at <= RECENT_MS => Holds::Yes,
            true => Holds::Unknown,
            false => Holds::No,
        }
    }

    fn wants_feature(&self, rule: &Rule, feature: FeatureId) -> bool {
        let Some(known) = self.names.features.get(&feature) else { return false };
        rule.features.match_any(&[&known.code, known.product.as_deref().unwrap_or(&known.code)])
    }

    fn wants_server(&self, rule: &Rule, server: ServerId) -> bool {
        self.names.servers.get(&server).is_some_and(|server| rule.servers.match_any(&[&server.name]))
    }

    /// The license servers of a feature that a rule is about.
    fn servers_of(&self, rule: &Rule, feature: FeatureId) -> Vec<ServerId> {
        let servers = self.names.features.get(&feature).map(|feature| feature.servers.as_slice());
        let wanted =
            servers.unwrap_or_default().iter().copied().filter(|server| self.wants_server(rule, *server));
        wanted.collect()
    }

    /// The features that a rule is about, in the order of their numbers.
    fn features_of(&self, rule: &Rule) -> Vec<FeatureId> {
        let mut features: Vec<FeatureId> = self
            .names
            .features
            .keys()
            .copied()
            .filter(|feature| self.wants_feature(rule, *feature))
            .collect();
        features.sort_unstable();
        features
    }

    /// The sessions that a rule is about.
    fn holds_of(&self, rule: &Rule) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(move |hold| {
            let Some(holder) = self.names.holders.get(&hold.holder) else { return false };
            let person =
                self.names.persons.get(holder.person as usize).map_or("", |person| person.name.as_str());
            hold.seats > 0
                && self.wants_server(rule, holder.server)
                && self.wants_feature(rule, hold.feature)
                && (rule.persons.is_everything() || rule.persons.match_any(&[&holder.user, person]))
        })
    }

    /// The license servers as wholes.
    fn servers(&self) -> BTreeMap<ServerId, &Life> {
        let servers = self.lives.iter().filter(|life| life.vendor.is_empty());
        servers.map(|life| (life.server, life)).collect()
    }
}

/// What is known of the seats of features at license servers.
struct Pools<'s> {
    snapshot: &'s Snapshot<'s>,
    servers: BTreeMap<ServerId, &'s Life>,
    held: FxHashMap<(FeatureId, ServerId), i64>,
}

impl<'s> Pools<'s> {
    fn new(snapshot: &'s Snapshot<'s>) -> Self {
        let mut held: FxHashMap<(FeatureId, ServerId), i64> = FxHashMap::default();
        for hold in &snapshot.holds {
            if let Some(holder) = snapshot.names.holders.get(&hold.holder) {
                *held.entry((hold.feature, holder.server)).or_default() += i64::from(hold.seats);
            }
        }
        Self { snapshot, servers: snapshot.servers(), held }
    }

    /// Whether anybody has seen a license server alive in the last days: one that is gone for good counts no more.
    fn is_of_late(&self, server: ServerId) -> bool {
        let alive = self.servers.get(&server).and_then(|life| life.alive_at());
        alive.is_some_and(|alive| self.snapshot.now - alive <= SILENT_MS)
    }

    /// Seats in use and seats issued of a feature at a license server, as of an instant; `None` where they are not known.
    fn pool(&self, feature: FeatureId, server: ServerId) -> Option<(i64, i64, UnixMs)> {
        let at = self.servers.get(&server)?.known_at()?;
        let issued = self.snapshot.names.capacity.get(&(feature, server))?.at(self.snapshot.now)?;
        let held = self.held.get(&(feature, server)).copied().unwrap_or(0);
        // What a poll says is in use may be more than it shows holders.
        let said = self.snapshot.seats_now.get(&(feature, server));
        let said = said.filter(|said| said.at >= at).and_then(|said| said.in_use);
        (issued > 0).then_some((held.max(said.unwrap_or(0)), issued, at))
    }
}

/// Seats in use of a feature: of all its license servers together, known where all of them are, or of each.
fn full(rule: &Rule, snapshot: &Snapshot<'_>, fullness: Fullness, each_server: bool) -> Vec<Observation> {
    let mut seen = Vec::new();
    let all = Pools::new(snapshot);
    for feature in snapshot.features_of(rule) {
        let mut servers = snapshot.servers_of(rule, feature);
        servers.retain(|server| all.is_of_late(*server));
        let groups: Vec<(Option<ServerId>, &[ServerId])> = match each_server {
            true => servers.iter().map(|server| (Some(*server), std::slice::from_ref(server))).collect(),
            false => vec![(None, servers.as_slice())],
        };
        for (server, servers) in groups {
            let pools: Option<Vec<_>> = servers.iter().map(|server| all.pool(feature, *server)).collect();
            let Some(pools) = pools.filter(|pools| !pools.is_empty()) else { continue };
            let in_use = pools.iter().map(|pool| pool.0).sum();
            let issued = pools.iter().map(|pool| pool.1).sum();
            let at = pools.iter().map(|pool| pool.2).min().unwrap_or(snapshot.now);
            let holds = match fullness.judge(in_use, issued) {
                Some(is_full) => snapshot.raises(is_full, at),
                None => Holds::Between,
            };
            seen.push(Observation {
                figures: figures([("seats_in_use", in_use), ("seats_issued", issued)]),
                ..plain(Subject::Feature { feature, server }, holds, at)
            });
        }
    }
    seen
}

/// Denials in a window that ends at the last line of the logs that tell of them.
fn denials(
    rule: &Rule,
    snapshot: &Snapshot<'_>,
    (requests, persons, within_ms): (usize, usize, i64),
    reasons: &[DenialReason],
) -> Vec<Observation> {
    let mut seen = Vec::new();
    let lives = snapshot.servers();
    let mut by_feature: BTreeMap<FeatureId, Vec<&Denial>> = BTreeMap::new();
    for denial in snapshot.denials.iter().filter(|denial| reasons.contains(&denial.reason)) {
        by_feature.entry(denial.feature).or_default().push(denial);
    }
    for feature in snapshot.features_of(rule) {
        let servers = snapshot.servers_of(rule, feature);
        let logged = |server: &ServerId| lives.get(server)?.logged_at;
        let Some(at) = servers.iter().filter_map(logged).max() else { continue };
        let mut of_feature = by_feature.remove(&feature).unwrap_or_default();
        of_feature.retain(|denial| {
            let holder = snapshot.names.holders.get(&denial.holder);
            (at - within_ms..=at).contains(&denial.at)
                && holder.is_some_and(|holder| servers.contains(&holder.server))
        });
        of_feature.sort_by_key(|denial| denial.at);
        let (asked, by) = requests_of(snapshot, &of_feature);
        let holds = snapshot.raises(asked >= requests && by >= persons, at);
        seen.push(Observation {
            since: of_feature.first().map(|denial| denial.at),
            figures: figures([
                ("requests", asked as i64),
                ("persons", by as i64),
                ("denials", of_feature.len() as i64),
                ("window_seconds", within_ms / 1000),
            ]),
            ..plain(Subject::Feature { feature, server: None }, holds, at)
        });
    }
    seen
}

/// How many requests denials in order of time are, and of how many persons: who asks again and again asks once.
fn requests_of(snapshot: &Snapshot<'_>, denials: &[&Denial]) -> (usize, usize) {
    let mut last: BTreeMap<(PersonId, String), UnixMs> = BTreeMap::new();
    let mut requests = 0;
    for denial in denials {
        let holder = snapshot.names.holders.get(&denial.holder);
        let asker = holder.map(|holder| (holder.person, holder.host.to_lowercase()));
        let before = last.insert(asker.unwrap_or((PersonId::MAX, String::new())), denial.at);
        if before.is_none_or(|before| denial.at - before > TOGETHER_MS) {
            requests += 1;
        }
    }
    let persons: BTreeSet<PersonId> = last.keys().map(|(person, _)| *person).collect();
    (requests, persons.len())
}

/// Days left until seats expire; permanent ones and those without a date raise nothing.
fn expiry(rule: &Rule, snapshot: &Snapshot<'_>, days: &[i32]) -> Vec<Observation> {
    let today = Day::of(snapshot.now, snapshot.zone);
    let mut seen = Vec::new();
    for expiry in &snapshot.names.expiries {
        let Expires::On(day) = expiry.expires else { continue };
        if !snapshot.wants_feature(rule, expiry.feature) || !snapshot.wants_server(rule, expiry.server) {
            continue;
        }
        let left = day.0 - today.0;
        let level = days.iter().filter(|days| left <= **days).count() as u32;
        let is_told = snapshot.now - expiry.told_at <= TOLD_DAYS * STOPPED_MS;
        let holds = match (level, is_told) {
            (0, _) => Holds::No,
            (_, true) if left >= -EXPIRED_DAYS => Holds::Yes,
            (_, true) => Holds::No,
            (_, false) => Holds::Unknown,
        };
        let subject = Subject::Expiry {
            server: expiry.server,
            vendor: expiry.vendor.clone(),
            feature: expiry.feature,
            version: expiry.version.clone(),
            day,
        };
        let mut told = figures([("days_left", i64::from(left))]);
        told.extend(expiry.seats.map(|seats| ("seats".to_owned(), seats)));
        seen.push(Observation { level, figures: told, ..plain(subject, holds, snapshot.now) });
    }
    seen
}

/// License servers, and the vendor daemons of those that are up.
fn down(rule: &Rule, snapshot: &Snapshot<'_>) -> Vec<Observation> {
    let mut seen = Vec::new();
    let mut lost: BTreeSet<ServerId> = BTreeSet::new();
    let (servers, daemons): (Vec<&Life>, Vec<&Life>) =
        snapshot.lives.iter().partition(|life| life.vendor.is_empty());
    for life in servers.into_iter().chain(daemons) {
        // A server that is down takes its daemons with it: one alert is enough.
        if !snapshot.wants_server(rule, life.server) || lost.contains(&life.server) {
            continue;
        }
        let observation = down_of(life, snapshot);
        if life.vendor.is_empty() && matches!(observation.holds, Holds::Yes | Holds::Unknown) {
            lost.insert(life.server);
        }
        seen.push(observation);
    }
    seen
}

fn down_of(life: &Life, snapshot: &Snapshot<'_>) -> Observation {
    let subject = Subject::Daemon { server: life.server, vendor: life.vendor.clone() };
    let alive = life.alive_at();
    if life.is_stopped() {
        let since = life.stopped_at.unwrap_or(snapshot.now);
        let is_news = snapshot.now - since <= STOPPED_MS;
        let holds = if is_news { Holds::Yes } else { Holds::Unknown };
        let figures = figures([("stopped_at", since)]);
        return Observation { since: Some(since), figures, ..plain(subject, holds, snapshot.now) };
    }
    match life.failed.filter(|(_, last, _)| alive.is_none_or(|alive| *last > alive)) {
        Some((first, last, failed)) => {
            let holds = if failed < FAILED_POLLS { Holds::Unknown } else { snapshot.raises(true, last) };
            let mut told = figures([("failed_polls", i64::from(failed)), ("failed_since_at", first)]);
            told.extend(alive.map(|alive| ("alive_at".to_owned(), alive)));
            Observation { since: Some(first), figures: told, ..plain(subject, holds, last) }
        }
        None => match alive {
            Some(alive) => plain(subject, Holds::No, alive),
            None => plain(subject, Holds::Unknown, snapshot.now),
        },
    }
}

/// The last instant at which the civil day had this minute.
fn last_time_of_day(snapshot: &Snapshot<'_>, minute: u16) -> UnixMs {
    let today = Day::of(snapshot.now, snapshot.zone);
    let at = |day: Day| {
        let local = day.date().at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        calendar::instant(local, snapshot.zone)
    };
    if at(today) <= snapshot.now { at(today) } else { at(today.previous()) }
}

/// Sessions that hold a seat at this minute of the night that was last, by evidence after it.
fn overnight(rule: &Rule, snapshot: &Snapshot<'_>, minute: u16, held_ms: i64) -> Vec<Observation> {
    let midnight = last_time_of_day(snapshot, minute);
    let over =
        |hold: &&Hold| hold.from <= midnight && midnight < hold.until && hold.until - hold.from >= held_ms;
    sessions(rule, snapshot, over)
}

/// Sessions that last longer than they may.
fn long(rule: &Rule, snapshot: &Snapshot<'_>, held_ms: i64) -> Vec<Observation> {
    sessions(rule, snapshot, |hold| hold.until - hold.from >= held_ms)
}

fn sessions(rule: &Rule, snapshot: &Snapshot<'_>, holds: impl Fn(&&Hold) -> bool) -> Vec<Observation> {
    let mut seen = Vec::new();
    for hold in snapshot.holds_of(rule) {
        let state = match holds(&hold) {
            true => snapshot.raises(true, hold.until),
            // It goes on: that it does not hold is not that it is over.
            false => Holds::Between,
        };
        let subject = Subject::Session {
            feature: hold.feature,
            holder: hold.holder,
            from: hold.from,
            handle: hold.handle.clone(),
        };
        let told = [("seats", i64::from(hold.seats)), ("held_seconds", (hold.until - hold.from) / 1000)];
        seen.push(Observation {
            since: Some(hold.from),
            figures: figures(told),
            ..plain(subject, state, hold.until)
        });
    }
    seen
}

/// Sources of which nothing was heard.
fn silent(rule: &Rule, snapshot: &Snapshot<'_>, silent_ms: i64) -> Vec<Observation> {
    let mut seen = Vec::new();
    for source in snapshot.sources.iter().filter(|source| rule.sources.match_any(&[&source.name])) {
        let subject = Subject::Source { name: source.name.clone() };
        // Of what nobody has listened to, or not for long enough, nothing is known.
        let (heard, is_known) = match (source.heard_at, source.listened_since) {
            (Some(heard), _) => (heard, true),
            (None, Some(since)) => (since, false),
            (None, None) => continue,
        };
        let silent = snapshot.now - heard;
        let holds = match silent >= silent_ms {
            true if silent <= silent_ms + SILENT_MS => Holds::Yes,
            false if is_known => Holds::No,
            _ => Holds::Unknown,
        };
        let figures = figures([("heard_at", heard), ("silent_seconds", silent / 1000)]);
        seen.push(Observation { since: Some(heard), figures, ..plain(subject, holds, snapshot.now) });
    }
    seen
}
