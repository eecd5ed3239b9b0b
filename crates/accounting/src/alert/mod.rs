//! Alerts: rules, what is known at an instant, and what was raised before give what is raised now.
//!
//! **Raised once.** An alert of a [`Rule`] about a [`Subject`] is raised when its condition holds for long enough, told
//! again only if that is wanted, and cleared when the condition has not held for long enough. What is not known changes
//! nothing: a poll that failed, or a license server of which nobody heard lately, neither raises nor clears, for unknown
//! is not zero. Time passes by evidence: a condition has held from the first evidence that shows it to the last one.

mod judge;
mod rule;
mod snapshot;
mod step;

pub use judge::{Holds, Observation, judge};
pub use rule::{Condition, Fullness, Globs, Rule, When, is_quiet};
pub use snapshot::{Denial, Hold, Life, SeatsNow, Snapshot, SourceLife, Subject};
pub use step::{Change, Episode, Phase, State, Step, Timing, step};

/// What was seen, by names that end in their unit: `seats_in_use`, `held_seconds`; instants end in `_at`.
pub type Figures = std::collections::BTreeMap<String, i64>;

/// How old evidence may be by which something is raised, in milliseconds: an hour. An import of old logs is no alarm.
pub const RECENT_MS: i64 = 3_600_000;
