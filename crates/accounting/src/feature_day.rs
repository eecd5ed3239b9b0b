//! Feature days: one feature's civil day, the parts of its sessions that fall in it and the day's figures.

use crate::UnixMs;
use crate::calendar::CivilDay;
use crate::event::DenialReason;
use crate::session::{FeatureId, HolderId, Part};

/// A request that was not simply granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// When.
    pub at: UnixMs,
    /// Who asked.
    pub holder: HolderId,
    /// How many seats were asked for.
    pub seats: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request that was not simply granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was refused.
    Denied(DenialReason),
    /// It was put in the queue.
    Queued,
    /// It left the queue.
    Dequeued,
}

/// One feature's civil day as a report sees it.
#[derive(Debug, Clone, Copy)]
pub struct DayView<'a> {
    /// The feature.
    pub feature: FeatureId,
    /// The day with its cuts.
    pub civil: &'a CivilDay,
    /// The sessions that touch the day, whole (not clipped), ordered by `from`.
    pub parts: &'a [Part],
    /// The day's denied and queued requests, ordered by instant; empty unless the report needs them.
    pub requests: &'a [Request],
}
