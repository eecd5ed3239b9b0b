//! What was measured: one thing that happened at one instant, whatever printed it.

use crate::UnixMs;
use crate::day::Day;
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
    /// At this instant seats are held that were given out before the text began (RLM's `INUSE`): a checkout, unless
    /// the hold is known to be open.
    Held(Claim<'a>),
    /// The daemon of this event was polled at this instant; an empty vendor stands for all daemons of its server.
    ///
    /// Where it answered, what it does not show by [`What::Shown`] of the same instant has ended; a poll that failed
    /// ends nothing.
    Polled {
        /// Whether it answered.
        answered: bool,
    },
    /// A poll's answer shows a hold.
    Shown {
        /// Who holds what.
        claim: Claim<'a>,
        /// When the seats were given out, as the server says.
        since: UnixMs,
    },
    /// A use that is known from its beginning, the event's instant, to its end (a row of a table of finished uses).
    Used {
        /// Who held what.
        claim: Claim<'a>,
        /// When it ended.
        until: UnixMs,
    },
    /// A program that began at the event's instant was alive later: a use that is known from its beginning, and goes on
    /// unless nothing more is heard of it.
    Running {
        /// Who runs what.
        claim: Claim<'a>,
        /// When it was seen alive.
        seen_at: UnixMs,
        /// Until when it is awaited: where nothing was heard of it by then, it ended when it was last seen.
        awaited_until: UnixMs,
    },
    /// What there was of a feature's seats at this instant. Figures of one kind, instant and feature add up: a feature
    /// may have several pools.
    Seats {
        /// The vendor's feature code.
        feature: Cow<'a, str>,
        /// The figure.
        seats: Seats,
    },
    /// Seats that expire, or never do, as told at this instant. All that a daemon tells at its latest instant is in
    /// force; an instant without any does not count.
    Expiry(Expiry<'a>),
    /// A day's sum of use without persons, from a system that kept no more: never a session.
    Total(Total<'a>),
}

/// A figure of a feature's seats. They stay apart: none is part of another one's sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seats {
    /// How many there are; `None` where they are not counted.
    Issued(Option<u32>),
    /// How many the server says are in use; it may count reserved ones.
    InUse(u32),
    /// How many are kept for somebody and not in use.
    Reserved(u32),
    /// How many are waited for.
    Queued(u32),
    /// How many of those in use are borrowed (FlexNet's linger).
    Borrowed(u32),
}

/// Seats and the last day on which they can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry<'a> {
    /// The vendor's feature code.
    pub feature: Cow<'a, str>,
    /// The version they are good for; empty where none is printed.
    pub version: Cow<'a, str>,
    /// How many; `None` where they are not counted.
    pub seats: Option<u32>,
    /// Until when.
    pub expires: Expires,
}

/// When seats expire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expires {
    /// The last day.
    On(Day),
    /// They do not.
    Never,
    /// The server prints a date that is none.
    Unknown,
}

/// A day's sum of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total<'a> {
    /// The number by which the system knew the organization (the directory's `external_id`).
    pub organization: i64,
    /// The civil day.
    pub day: Day,
    /// The feature's code.
    pub feature: Cow<'a, str>,
    /// The version.
    pub version: Cow<'a, str>,
    /// Minutes of use.
    pub minutes: i64,
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
    /// The client released its lease (DSLS).
    Detached,
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
