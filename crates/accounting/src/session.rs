//! One holder's hold on seats of one feature.

use crate::UnixMs;

/// How we know that a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ended {
    /// It is not known to have ended.
    Open,
    /// The client gave the seats back.
    Checkin,
    /// The client released its lease (DSLS).
    Detached,
    /// The server took the seats back from an idle client.
    TimedOut,
    /// The daemon stopped, or started anew.
    ServerStopped,
    /// A snapshot no longer showed it.
    GoneFromSnapshot,
    /// Its heartbeats ceased.
    HeartbeatsCeased,
    /// Another start took its key.
    Superseded,
}

/// All endings, with the word for each in the order of their stored codes.
const ENDINGS: [(Ended, &str); 8] = [
    (Ended::Open, "open"),
    (Ended::Checkin, "checkin"),
    (Ended::Detached, "detached"),
    (Ended::TimedOut, "timed_out"),
    (Ended::ServerStopped, "server_stopped"),
    (Ended::GoneFromSnapshot, "gone_from_snapshot"),
    (Ended::HeartbeatsCeased, "heartbeats_ceased"),
    (Ended::Superseded, "superseded"),
];

impl Ended {
    /// The word for this ending in reports.
    pub fn as_str(self) -> &'static str {
        ENDINGS[self.code() as usize].1
    }

    /// The number that stands for this ending in the ledger.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The ending that a number of the ledger stands for.
    pub fn from_code(code: i64) -> Option<Self> {
        ENDINGS.get(usize::try_from(code).ok()?).map(|(ended, _)| *ended)
    }
}

/// Who holds, in one number: an index of the ledger's table of holders (license server, vendor, user, host,
/// display, checkout data).
pub type HolderId = u32;
/// A feature, in one number of the ledger's table of features.
pub type FeatureId = u32;
/// A version text, in one number of the ledger's table of versions; 0 where none is printed.
pub type VersionId = u32;

/// A session as far as it is known: the part that reports count is `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// When the seats were given out.
    pub from: UnixMs,
    /// The end, or for an open session its last evidence of life; never before `from`.
    pub until: UnixMs,
    /// Who holds.
    pub holder: HolderId,
    /// The version, 0 where unknown.
    pub version: VersionId,
    /// How many seats.
    pub seats: u32,
    /// How it ended.
    pub ended: Ended,
}

impl Part {
    /// Whether the session is part of the civil day `[start, end)`: it overlaps it, or, of zero length, lies in it.
    pub fn touches(&self, start: UnixMs, end: UnixMs) -> bool {
        self.from < end && (self.until > start || self.from >= start)
    }
}
