//! Looking at the rules: what is raised, still raised and cleared, and who is told.

use super::message::{About, Message};
use super::sending::{Wake, Ways};
use super::snapshot::Known;
use crate::clock;
use crate::config::AlertConfig;
use accounting::UnixMs;
use accounting::alert::{
    Change, Holds, Observation, Phase, Rule, SourceLife, State, Step, Subject, is_quiet, judge, step,
};
use accounting::ledger::Names;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::alerts::{Alert, AlertChange, PastAlert};
use store::{Error, Store};

/// How often it is looked again where another process was faster.
const TRIES: usize = 3;

/// What a rule is about, one by one.
#[derive(Debug, Clone)]
pub(crate) struct Considered {
    pub(crate) subject: Subject,
    pub(crate) before: Option<Alert>,
    pub(crate) seen: Observation,
    pub(crate) step: Step,
}

/// What was found out about all rules, in their order.
pub(crate) struct Looked {
    pub(crate) now: UnixMs,
    pub(crate) names: Arc<Names>,
    pub(crate) zone: TimeZone,
    pub(crate) rules: Vec<Vec<Considered>>,
}

/// Considers all rules, and writes nothing. `sources` are those of this process; without, license servers stand for them.
pub(crate) fn consider(
    store: &mut Store,
    rules: &[AlertConfig],
    sources: Option<&[SourceLife]>,
    now: UnixMs,
) -> Result<Looked, Error> {
    let all: Vec<&Rule> = rules.iter().map(|alert| &alert.rule).collect();
    // First what is remembered: what is seen then is at least as new, and what another process changes meanwhile is told.
    let mut before: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
    for alert in store.alerts()? {
        before.entry(alert.rule.clone()).or_default().push(alert);
    }
    let known = store.read(|reader| Known::read(reader, &all, sources.map(<[_]>::to_vec), now))?;
    let snapshot = known.snapshot();
    let of_rule = |rule: &&Rule| {
        let mut remembered: BTreeMap<Subject, Alert> = before
            .remove(&rule.name)
            .unwrap_or_default()
            .into_iter()
            .map(|alert| (alert.subject.clone(), alert))
            .collect();
        let subjects: Vec<Subject> = remembered.keys().cloned().collect();
        let quiet = is_quiet(&rule.quiet, now, &known.zone);
        let considered = |seen: Observation| {
            let before = remembered.remove(&seen.subject);
            let state = before.as_ref().map(|alert| &alert.state);
            let step = step(state, &seen, &rule.timing, now, quiet);
            Considered { subject: seen.subject.clone(), before, seen, step }
        };
        judge(rule, &snapshot, &subjects.iter().collect::<Vec<_>>()).into_iter().map(considered).collect()
    };
    let rules = all.iter().map(of_rule).collect();
    Ok(Looked { now, names: Arc::clone(&known.names), zone: known.zone.clone(), rules })
}

impl Considered {
    /// Whether there is anything to write: figures that go up and down are no change.
    fn is_change(&self) -> bool {
        let same = |before: &State, after: &State| {
            (before.phase, before.told_at, before.level) == (after.phase, after.told_at, after.level)
        };
        match (self.before.as_ref(), &self.step.state) {
            (None, None) => false,
            (Some(before), Some(after)) => !same(&before.state, after),
            _ => true,
        }
    }

    fn change(&self, rule: &Rule) -> AlertChange {
        let when = rule.condition.when();
        let figures = self.before.as_ref().map_or_else(Default::default, |alert| alert.state.figures.clone());
        AlertChange {
            rule: rule.name.clone(),
            when,
            subject: self.subject.clone(),
            before: self.before.as_ref().map(|alert| alert.sequence),
            state: self.step.state.clone(),
            ended: self.step.ended.map(|episode| PastAlert {
                rule: rule.name.clone(),
                when,
                subject: self.subject.clone(),
                raised_at: episode.raised_at,
                cleared_at: episode.cleared_at,
                figures,
            }),
        }
    }

    /// What is told of it, if anything.
    fn told(&self, now: UnixMs) -> Option<(Change, About)> {
        let tell = self.step.tell?;
        let state = self.step.state.as_ref().or_else(|| self.before.as_ref().map(|alert| &alert.state))?;
        let raised_at = match (self.step.ended, state.phase) {
            (Some(episode), _) => episode.raised_at,
            (None, Phase::Raised { at, .. } | Phase::Cleared { raised_at: at, .. }) => at,
            (None, Phase::Pending) => now,
        };
        Some((tell, About::new(&self.subject, state, raised_at)))
    }
}

/// The messages about a rule: one of all that is raised, one of all that still is, one of all that is cleared.
fn messages(rule: &Rule, considered: &[Considered], now: UnixMs) -> Vec<Message> {
    let told: Vec<(Change, About)> = considered.iter().filter_map(|one| one.told(now)).collect();
    let of = |change: Change| {
        let about: Vec<About> =
            told.iter().filter(|(of, _)| *of == change).map(|(_, about)| about.clone()).collect();
        let when = rule.condition.when().as_str();
        (!about.is_empty()).then(|| Message::new(&rule.name, when, change, now, about))
    };
    [Change::Raised, Change::Still, Change::Cleared].into_iter().filter_map(of).collect()
}

/// Looks at the rules for the service.
pub(crate) struct Watch {
    ways: Arc<Ways>,
    wake: Wake,
    has_begun: bool,
}

impl Watch {
    pub(super) fn new(ways: Arc<Ways>, wake: Wake) -> Self {
        Self { ways, wake, has_begun: false }
    }

    /// Looks once, writes what has changed with the messages about it, and wakes whoever sends them.
    pub(crate) fn look(&mut self, store: &mut Store, sources: Option<&[SourceLife]>) -> Result<(), Error> {
        if !std::mem::replace(&mut self.has_begun, true) {
            self.end_what_has_no_rule(store)?;
        }
        let mut tried = 1;
        while let Err(error) = self.try_once(store, sources) {
            // Another process has looked at the same time: what it has told is told.
            if !matches!(error, Error::Conflict) || tried == TRIES {
                return if matches!(error, Error::Conflict) { Ok(()) } else { Err(error) };
            }
            tried += 1;
        }
        let waiting = store.waiting_messages()?;
        self.ways.outcomes.set_waiting(waiting.0);
        if waiting.0 > 0 {
            self.wake.up();
        }
        Ok(())
    }

    fn try_once(&self, store: &mut Store, sources: Option<&[SourceLife]>) -> Result<(), Error> {
        let looked = consider(store, self.ways.rules(), sources, clock::now())?;
        let (mut changes, mut to_send) = (Vec::new(), Vec::new());
        for (alert, considered) in self.ways.rules().iter().zip(&looked.rules) {
            changes
                .extend(considered.iter().filter(|one| one.is_change()).map(|one| one.change(&alert.rule)));
            for message in messages(&alert.rule, considered, looked.now) {
                let body =
                    serde_json::to_string(&message).map_err(|error| Error::Driver(error.to_string()))?;
                to_send.extend(alert.notify.iter().map(|receiver| (receiver.to_string(), body.clone())));
            }
        }
        store.change_alerts(&changes, &to_send, looked.now)?;
        let raised = |considered: &Vec<Considered>| {
            let is_raised = |one: &&Considered| {
                one.step.state.as_ref().is_some_and(|state| matches!(state.phase, Phase::Raised { .. }))
            };
            considered.iter().filter(is_raised).count()
        };
        let counts = self.ways.rules().iter().zip(&looked.rules);
        self.ways
            .outcomes
            .set_raised(counts.map(|(alert, of)| (alert.rule.name.clone(), raised(of))).collect());
        Ok(())
    }

    /// Ends what rules had raised that the configuration does not have any more; nobody is told. Once, at the start: two
    /// processes that differ for a while do not undo each other's work.
    fn end_what_has_no_rule(&self, store: &mut Store) -> Result<(), Error> {
        let now = clock::now();
        let has_rule = |alert: &Alert| self.ways.rules().iter().any(|of| of.rule.name == alert.rule);
        let orphans = store.alerts()?.into_iter().filter(|alert| !has_rule(alert));
        let changes: Vec<AlertChange> = orphans
            .map(|alert| AlertChange {
                ended: match alert.state.phase {
                    Phase::Raised { at, .. } => Some(PastAlert {
                        rule: alert.rule.clone(),
                        when: alert.when,
                        subject: alert.subject.clone(),
                        raised_at: at,
                        cleared_at: now,
                        figures: alert.state.figures,
                    }),
                    Phase::Pending | Phase::Cleared { .. } => None,
                },
                rule: alert.rule,
                when: alert.when,
                subject: alert.subject,
                before: Some(alert.sequence),
                state: None,
            })
            .collect();
        match store.change_alerts(&changes, &[], now) {
            Err(Error::Conflict) => Ok(()),
            done => done,
        }
    }
}

impl Looked {
    /// Whether something is seen of which nobody knows how it is.
    pub(crate) fn unknown(considered: &[Considered]) -> usize {
        considered.iter().filter(|one| one.seen.holds == Holds::Unknown).count()
    }
}
