//! What is known at an instant.

use crate::UnixMs;
use crate::day::Day;
use crate::event::DenialReason;
use crate::ledger::{Names, ServerId};
use crate::session::{FeatureId, HolderId};
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A feature, of all license servers or of one.
    Feature {
        /// The feature.
        feature: FeatureId,
        /// The license server; `None` for all that the rule is about.
        server: Option<ServerId>,
    },
    /// A vendor daemon, or with an empty vendor a license server.
    Daemon {
        /// The license server.
        server: ServerId,
        /// The vendor daemon; empty for the license server as a whole.
        vendor: String,
    },
    /// Seats that expire.
    Expiry {
        /// The license server.
        server: ServerId,
        /// The vendor daemon.
        vendor: String,
        /// The feature.
        feature: FeatureId,
        /// The version that they are good for.
        version: String,
        /// The last day on which they can be used.
        day: Day,
    },
    /// A session.
    Session {
        /// The feature.
        feature: FeatureId,
        /// Who holds.
        holder: HolderId,
        /// Its start.
        from: UnixMs,
        /// What the server calls it.
        handle: String,
    },
    /// A source.
    Source {
        /// Its name.
        name: String,
    },
}

/// What is known, as of `now`.
#[derive(Debug, Clone)]
pub struct Snapshot<'a> {
    /// This instant.
    pub now: UnixMs,
    /// The zone of civil time.
    pub zone: &'a TimeZone,
    /// The names behind the numbers, capacity, expiry.
    pub names: &'a Names,
    /// The sessions that are not known to have ended.
    pub holds: Vec<Hold>,
    /// What is known of the life of license servers and vendor daemons.
    pub lives: Vec<Life>,
    /// What license servers said last of seats in use.
    pub seats_now: FxHashMap<(FeatureId, ServerId), SeatsNow>,
    /// Denials of late, in any order.
    pub denials: Vec<Denial>,
    /// The sources.
    pub sources: Vec<SourceLife>,
}

/// A session that is not known to have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The feature.
    pub feature: FeatureId,
    /// Who holds.
    pub holder: HolderId,
    /// Its start.
    pub from: UnixMs,
    /// Its last evidence.
    pub until: UnixMs,
    /// What the server calls it.
    pub handle: String,
    /// How many seats.
    pub seats: u32,
}

/// What is known of the life of a vendor daemon, or with an empty vendor of a license server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// The license server.
    pub server: ServerId,
    /// The vendor daemon; empty for the license server as a whole.
    pub vendor: String,
    /// The last line of its log; where its file is followed and nothing is left to read, this instant.
    pub logged_at: Option<UnixMs>,
    /// The last poll that it answered.
    pub answered_at: Option<UnixMs>,
    /// The first and the last poll since that it did not answer, and how many they are.
    pub failed: Option<(UnixMs, UnixMs, u32)>,
    /// When it stopped by its log, if it did not start again.
    pub stopped_at: Option<UnixMs>,
}

impl Life {
    /// When somebody saw it alive last; `None` where nobody knows how it is now: after a failed poll, and while it is
    /// stopped.
    pub fn known_at(&self) -> Option<UnixMs> {
        let alive = self.alive_at()?;
        let is_lost = self.failed.is_some_and(|(_, last, _)| last > alive) || self.is_stopped();
        (!is_lost).then_some(alive)
    }

    /// When it was seen alive last.
    pub fn alive_at(&self) -> Option<UnixMs> {
        self.logged_at.max(self.answered_at)
    }

    /// Whether its log says that it stopped, and nothing since then that it lives.
    pub fn is_stopped(&self) -> bool {
        self.stopped_at.is_some_and(|stopped| self.answered_at.is_none_or(|answered| answered <= stopped))
    }
}

/// What a license server said last of a feature's seats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeatsNow {
    /// When.
    pub at: UnixMs,
    /// How many were in use, where it said so.
    pub in_use: Option<i64>,
}

/// A denial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// When.
    pub at: UnixMs,
    /// Of what.
    pub feature: FeatureId,
    /// Of whom.
    pub holder: HolderId,
    /// Why.
    pub reason: DenialReason,
}

/// What is known of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceLife {
    /// Its name.
    pub name: String,
    /// When something was heard of it last.
    pub heard_at: Option<UnixMs>,
    /// Where nothing was heard of it: since when somebody has listened.
    pub listened_since: Option<UnixMs>,
}
