//! What is known now, as far as the rules need it.

use accounting::UnixMs;
use accounting::alert::{Condition, Hold, Life, Rule, SeatsNow, Snapshot, SourceLife, When};
use accounting::ledger::{Names, ServerId};
use accounting::session::{Ended, FeatureId};
use jiff::tz::TimeZone;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use store::sources::SourceTellings;
use store::{Error, Reader};

/// What was read of the ledger.
pub(super) struct Known {
    pub(super) now: UnixMs,
    pub(super) zone: TimeZone,
    pub(super) names: Arc<Names>,
    holds: Vec<Hold>,
    lives: Vec<Life>,
    seats_now: FxHashMap<(FeatureId, ServerId), SeatsNow>,
    denials: Vec<accounting::alert::Denial>,
    sources: Vec<SourceLife>,
}

impl Known {
    /// Reads what the rules need. `sources` are those of the service that looks, beside which are those that sites tell of;
    /// where there is none at all the license servers stand for them.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        rules: &[&Rule],
        sources: Option<Vec<SourceLife>>,
        now: UnixMs,
    ) -> Result<Self, Error> {
        let names = reader.names();
        let has = |whens: &[When]| rules.iter().any(|rule| whens.contains(&rule.condition.when()));
        let holds = if has(&[When::Full, When::Overnight, When::LongSession]) {
            holds(reader, &names, rules, now)?
        } else {
            Vec::new()
        };
        let needs_lives = has(&[When::Full, When::Denials, When::ServerDown, When::SourceSilent]);
        let lives = if needs_lives { reader.lives(now)? } else { Vec::new() };
        let seats_now = if has(&[When::Full]) { reader.seats_now(now)? } else { FxHashMap::default() };
        let denials = match window(rules) {
            Some(window) => reader.denials(last_line(&lives).unwrap_or(now) - window, now)?,
            None => Vec::new(),
        };
        let of_sites = if has(&[When::SourceSilent]) { reader.sources_of_sites()? } else { Vec::new() };
        let sources = match sources {
            None if of_sites.is_empty() => servers_as_sources(&names, &lives),
            own => own.into_iter().flatten().chain(of_sites.iter().map(life)).collect(),
        };
        let zone = reader.calendar().zone().clone();
        Ok(Self { now, zone, names, holds, lives, seats_now, denials, sources })
    }

    /// It as rules look at it.
    pub(super) fn snapshot(&self) -> Snapshot<'_> {
        Snapshot {
            now: self.now,
            zone: &self.zone,
            names: &self.names,
            holds: self.holds.clone(),
            lives: self.lives.clone(),
            seats_now: self.seats_now.clone(),
            denials: self.denials.clone(),
            sources: self.sources.clone(),
        }
    }
}

/// The sessions that are not known to have ended, as far as any rule can be about them.
fn holds(reader: &mut Reader<'_>, names: &Names, rules: &[&Rule], now: UnixMs) -> Result<Vec<Hold>, Error> {
    let counted: FxHashSet<FeatureId> = names.capacity.keys().map(|(feature, _)| *feature).collect();
    let mut holds = Vec::new();
    for (id, feature) in &names.features {
        let called = [feature.code.as_str(), feature.product.as_deref().unwrap_or(&feature.code)];
        let about = rules.iter().filter(|rule| rule.features.match_any(&called));
        let least = about.filter_map(|rule| least_held(&rule.condition, counted.contains(id))).min();
        let Some(least) = least else { continue };
        reader.sessions(*id, (UnixMs::MIN, UnixMs::MAX), true, &mut |row| {
            let part = row.part;
            let (from, until) = (part.from, part.until.min(now));
            if part.ended == Ended::Open && from <= now && until - from >= least {
                let (holder, seats) = (part.holder, part.seats);
                holds.push(Hold { feature: *id, holder, from, until, handle: row.handle, seats });
            }
            Ok(())
        })?;
    }
    Ok(holds)
}

/// How long a session must have lasted at least for a rule to be about it; `None` where no session matters. A feature of
/// which nobody counts the seats is never full.
fn least_held(condition: &Condition, is_counted: bool) -> Option<i64> {
    match condition {
        Condition::Full { .. } => is_counted.then_some(0),
        Condition::Overnight { held_ms, .. } | Condition::LongSession { held_ms } => Some(*held_ms),
        Condition::Denials { .. }
        | Condition::Expiry { .. }
        | Condition::ServerDown
        | Condition::SourceSilent { .. } => None,
    }
}

/// The longest window of denials that a rule looks at.
fn window(rules: &[&Rule]) -> Option<i64> {
    let of = |rule: &&Rule| match rule.condition {
        Condition::Denials { within_ms, .. } => Some(within_ms),
        _ => None,
    };
    rules.iter().filter_map(of).max()
}

/// The oldest of the last lines of logs that a window may end with: of servers of which nobody heard for an hour nothing
/// is raised.
fn last_line(lives: &[Life]) -> Option<UnixMs> {
    let newest = lives.iter().filter_map(|life| life.logged_at).max()?;
    let of_late = lives.iter().filter_map(|life| life.logged_at);
    of_late.filter(|at| newest - at <= 24 * accounting::alert::RECENT_MS).min()
}

/// What a site tells of a source. Of one that its service has never seen up, nothing is known.
fn life(source: &SourceTellings) -> SourceLife {
    let told = &source.told;
    let is_listening = matches!(told.state.as_str(), "up" | "down");
    SourceLife {
        name: source.called(),
        heard_at: told.last_event_at,
        listened_since: is_listening.then_some(told.since_at),
    }
}

fn servers_as_sources(names: &Names, lives: &[Life]) -> Vec<SourceLife> {
    let of_server = |life: &Life| {
        let name = names.servers.get(&life.server)?.name.clone();
        Some(SourceLife { name, heard_at: life.alive_at(), ..SourceLife::default() })
    };
    lives.iter().filter(|life| life.vendor.is_empty()).filter_map(of_server).collect()
}
