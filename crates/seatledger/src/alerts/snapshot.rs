//! What is known now, as far as the rules need it.

use accounting::UnixMs;
use accounting::alert::{Condition, Hold, Life, Rule, SeatsNow, Snapshot, SourceLife, When};
use accounting::ledger::{Names, ServerId};
use accounting::session::{Ended, FeatureId};
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;
use std::sync::Arc;
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
    /// Reads what the rules need. `sources` are those of the service that looks; where it has none the license servers
    /// stand for them.
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
        let sources = sources.unwrap_or_else(|| servers_as_sources(&names, &lives));
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

/// The sessions that are not known to have ended, of the features that any rule about sessions is about.
fn holds(reader: &mut Reader<'_>, names: &Names, rules: &[&Rule], now: UnixMs) -> Result<Vec<Hold>, Error> {
    let about_sessions = [When::Full, When::Overnight, When::LongSession];
    let rules: Vec<&&Rule> =
        rules.iter().filter(|rule| about_sessions.contains(&rule.condition.when())).collect();
    let mut holds = Vec::new();
    for (id, feature) in &names.features {
        let called = [feature.code.as_str(), feature.product.as_deref().unwrap_or(&feature.code)];
        if !rules.iter().any(|rule| rule.features.match_any(&called)) {
            continue;
        }
        reader.sessions(*id, (UnixMs::MIN, UnixMs::MAX), true, &mut |row| {
            let part = row.part;
            if part.ended == Ended::Open && part.from <= now {
                let (from, until) = (part.from, part.until.min(now));
                let (holder, seats) = (part.holder, part.seats);
                holds.push(Hold { feature: *id, holder, from, until, handle: row.handle, seats });
            }
            Ok(())
        })?;
    }
    Ok(holds)
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

fn servers_as_sources(names: &Names, lives: &[Life]) -> Vec<SourceLife> {
    let of_server = |life: &Life| {
        let name = names.servers.get(&life.server)?.name.clone();
        Some(SourceLife { name, heard_at: life.alive_at(), ..SourceLife::default() })
    };
    lives.iter().filter(|life| life.vendor.is_empty()).filter_map(of_server).collect()
}
