//! What was measured: one thing that happened at one instant, whatever printed it.

use crate::UnixMs;
use std::borrow::Cow;

/// One thing that happened at a license server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// When it happened.
    pub at: UnixMs,
    /// Orders events of the same instant where the origin knows more than the instant says (wrapper records are
    /// stamped to the minute, their syslog headers to the second); 0 where it does not.
    pub order: i32,
    /// The vendor daemon; empty where there is none.
    pub vendor: Cow<'a, str>,
    /// What happened.
    pub what: What<'a>,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// Seats were given out.
    Checkout(Claim<'a>),
    /// Seats came back.
    Checkin(Claim<'a>, CheckinReason),
    /// A request was refused.
    Denial(Claim<'a>, Refusal<'a>),
    /// A request was put in the queue: it holds nothing.
    Queued(Claim<'a>),
    /// A request left the queue.
    Dequeued(Claim<'a>),
    /// The daemon of this event started (a new run): what it had given out before has ended.
    DaemonStarted,
    /// The daemon of this event stopped: what it has given out ends here.
    DaemonStopped,
    /// The whole license server (FlexNet's `lmgrd`) started anew: a new run of every daemon.
    ServerStarted,
}

/// Who asks for, gets or returns how many seats of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claim<'a> {
    /// The vendor's feature code.
    pub feature: Cow<'a, str>,
    /// The version asked for, where it is printed.
    pub version: Option<Cow<'a, str>>,
    /// The user as the server prints it.
    pub user: Cow<'a, str>,
    /// The host as the server prints it.
    pub host: Cow<'a, str>,
    /// The display, where it is printed.
    pub display: Option<Cow<'a, str>>,
    /// FlexNet's `[checkout data]`: part of the key that pairs.
    pub checkout_data: Option<Cow<'a, str>>,
    /// What the server or the host calls this one hold (a handle, a session id, a process id), where it says.
    pub handle: Option<Cow<'a, str>>,
    /// How many seats.
    pub seats: u32,
}

/// Why seats came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CheckinReason {
    /// The client gave them back (FlexNet's `(UNKNOWN)` too).
    Returned,
    /// The server took them back from an idle client (`(INACTIVE)`).
    TimedOut,
    /// The daemon gave up everything while stopping (`(SHUTDOWN)`).
    ServerStopped,
}

/// Why a request was refused, with the server's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The class of the reason: only [`DenialReason::Capacity`] says "buy more".
    pub reason: DenialReason,
    /// The server's code, such as `-4,342`; empty where it printed none.
    pub code: Cow<'a, str>,
}

/// Classes of reasons for which a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DenialReason {
    /// All seats in use, queued before others, or over an options file's MAX (FlexNet -4, -24, -35, -87).
    Capacity,
    /// The options file excludes this client (-38, -39).
    OptionsFile,
    /// A version newer than what was bought (-21, -25).
    Version,
    /// The seats have expired (-10).
    Expired,
    /// The server does not have this feature (-5, -18, -92; all of FlexNet's `UNSUPPORTED:`).
    Unsupported,
    /// Client and server did not understand each other (-7, -15, -16, -97).
    Communication,
    /// Any other reason.
    Other,
}

/// All reasons, with the word for each in the order of their stored codes.
const REASONS: [(DenialReason, &str); 7] = [
    (DenialReason::Capacity, "capacity"),
    (DenialReason::OptionsFile, "options_file"),
    (DenialReason::Version, "version"),
    (DenialReason::Expired, "expired"),
    (DenialReason::Unsupported, "unsupported"),
    (DenialReason::Communication, "communication"),
    (DenialReason::Other, "other"),
];

impl DenialReason {
    /// The word for this reason in reports.
    pub fn as_str(self) -> &'static str {
        REASONS[self.code() as usize].1
    }

    /// The number that stands for this reason in the ledger.
    pub fn code(self) -> i64 {
        REASONS.iter().position(|(reason, _)| *reason == self).unwrap_or(REASONS.len() - 1) as i64
    }

    /// The reason that a number of the ledger stands for.
    pub fn from_code(code: i64) -> Option<Self> {
        REASONS.get(usize::try_from(code).ok()?).map(|(reason, _)| *reason)
    }
}

/// How ends find their starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// A key may hold several sessions at once; an end of n seats closes the oldest of n, else the oldest.
    Counted,
    /// A key holds one session at a time; a start on an open key supersedes it (wrapper records).
    Exclusive,
}
