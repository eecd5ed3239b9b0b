//! What was raised before, and what is seen now, give what is raised now and what is told.

use super::{Figures, Holds, Observation};
use crate::UnixMs;

/// For how long a condition must hold, and when it is told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// It is raised when it has held for so many milliseconds.
    pub hold_ms: i64,
    /// It is cleared when it has not held for so many milliseconds.
    pub clear_ms: i64,
    /// What is raised is told again after so many milliseconds; `None`: never.
    pub repeat_ms: Option<i64>,
    /// Whether it is told when it is cleared.
    pub tells_cleared: bool,
}

/// What is remembered of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How far it is.
    pub phase: Phase,
    /// Since when its condition has held.
    pub since: UnixMs,
    /// When it was told last; `None`: not yet.
    pub told_at: Option<UnixMs>,
    /// The highest level that it reached: see [`Observation::level`].
    pub level: u32,
    /// What was seen when its condition held last.
    pub figures: Figures,
}

/// How far an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Its condition holds, not for long enough yet.
    Pending,
    /// It is raised.
    Raised {
        /// Since when.
        at: UnixMs,
        /// The first evidence of those that show that its condition does not hold any more.
        clearing: Option<UnixMs>,
    },
    /// It is cleared; that is to be told when the quiet hours end.
    Cleared {
        /// When it was raised.
        raised_at: UnixMs,
        /// When it was cleared.
        at: UnixMs,
    },
}

/// What is told of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is raised.
    Raised,
    /// It is still raised, or has become worse.
    Still,
    /// It is cleared.
    Cleared,
}

impl Change {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Still => "still raised",
            Self::Cleared => "cleared",
        }
    }
}

/// From when until when an alert was raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Episode {
    /// From when.
    pub raised_at: UnixMs,
    /// Until when.
    pub cleared_at: UnixMs,
}

/// What becomes of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// What is remembered from now on; `None`: nothing.
    pub state: Option<State>,
    /// What is told now.
    pub tell: Option<Change>,
    /// What has ended now.
    pub ended: Option<Episode>,
}

/// What becomes of an alert, by what was remembered of it and what is seen. `quiet`: nobody wants to be told now.
pub fn step(before: Option<&State>, seen: &Observation, timing: &Timing, now: UnixMs, quiet: bool) -> Step {
    let Some(before) = before else { return begin(seen, timing, now, quiet) };
    match before.phase {
        Phase::Pending => pending(before, seen, timing, now, quiet),
        Phase::Raised { at, clearing } => raised(before, (at, clearing), seen, timing, now, quiet),
        Phase::Cleared { .. } => cleared(before, seen, timing, now, quiet),
    }
}

fn begin(seen: &Observation, timing: &Timing, now: UnixMs, quiet: bool) -> Step {
    if seen.holds != Holds::Yes {
        return Step::default();
    }
    let state = State {
        phase: Phase::Pending,
        since: seen.since.unwrap_or(seen.at),
        told_at: None,
        level: seen.level,
        figures: seen.figures.clone(),
    };
    pending(&state, seen, timing, now, quiet)
}

fn pending(before: &State, seen: &Observation, timing: &Timing, now: UnixMs, quiet: bool) -> Step {
    match seen.holds {
        Holds::No | Holds::Between => Step::default(),
        Holds::Unknown => Step { state: Some(before.clone()), ..Step::default() },
        Holds::Yes => {
            let since = seen.since.unwrap_or(before.since).min(before.since);
            let mut state =
                State { since, level: seen.level, figures: seen.figures.clone(), ..before.clone() };
            if seen.at - since < timing.hold_ms {
                return Step { state: Some(state), ..Step::default() };
            }
            state.phase = Phase::Raised { at: now, clearing: None };
            let tell = (!quiet).then_some(Change::Raised);
            state.told_at = tell.map(|_| now);
            Step { state: Some(state), tell, ended: None }
        }
    }
}

fn raised(
    before: &State,
    (at, clearing): (UnixMs, Option<UnixMs>),
    seen: &Observation,
    timing: &Timing,
    now: UnixMs,
    quiet: bool,
) -> Step {
    let mut state = before.clone();
    let clearing = match seen.holds {
        Holds::Yes | Holds::Between => None,
        Holds::Unknown => clearing,
        Holds::No => Some(clearing.unwrap_or(seen.at)),
    };
    if let (Holds::No, Some(since)) = (seen.holds, clearing)
        && seen.at - since >= timing.clear_ms
    {
        return clear(state, at, timing, now, quiet);
    }
    state.phase = Phase::Raised { at, clearing };
    let mut tell = None;
    let is_worse = seen.holds == Holds::Yes && seen.level > before.level;
    if seen.holds == Holds::Yes {
        state.level = state.level.max(seen.level);
        state.figures = seen.figures.clone();
    }
    let is_due = |told: UnixMs| timing.repeat_ms.is_some_and(|repeat| now - told >= repeat);
    if !quiet && clearing.is_none() {
        tell = match before.told_at {
            // What was raised in quiet hours, and has not been cleared in them.
            None => Some(Change::Raised),
            Some(told) if is_worse || (seen.holds == Holds::Yes && is_due(told)) => Some(Change::Still),
            Some(_) => None,
        };
    }
    if quiet && is_worse {
        // To be told when they end.
        state.level = before.level;
    }
    state.told_at = tell.map(|_| now).or(before.told_at);
    Step { state: Some(state), tell, ended: None }
}

fn clear(mut state: State, raised_at: UnixMs, timing: &Timing, now: UnixMs, quiet: bool) -> Step {
    let ended = Some(Episode { raised_at, cleared_at: now });
    // Of what nobody was told nobody is told that it is over.
    if state.told_at.is_none() || !timing.tells_cleared {
        return Step { state: None, tell: None, ended };
    }
    if !quiet {
        return Step { state: None, tell: Some(Change::Cleared), ended };
    }
    state.phase = Phase::Cleared { raised_at, at: now };
    Step { state: Some(state), tell: None, ended }
}

/// Whoever was told that it is raised knows of nothing else yet: if it holds again that is still right.
fn cleared(before: &State, seen: &Observation, timing: &Timing, now: UnixMs, quiet: bool) -> Step {
    if seen.holds == Holds::Yes {
        let phase = Phase::Raised { at: now, clearing: None };
        let back = State { phase, since: seen.since.unwrap_or(seen.at), ..before.clone() };
        return raised(&back, (now, None), seen, timing, now, quiet);
    }
    if quiet {
        return Step { state: Some(before.clone()), ..Step::default() };
    }
    Step { state: None, tell: Some(Change::Cleared), ended: None }
}
