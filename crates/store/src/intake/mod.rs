//! The only write path for facts: an input's events, its checkpoint and the marks of what they make dirty, in one
//! transaction. A kill at any instant loses nothing and counts nothing twice.

mod by_key;
mod commit;
mod interner;
mod radix;
mod repair;
mod server;

pub use by_key::Ahead;
pub(crate) use commit::marks::new_mark;
pub(crate) use commit::requests::{outcome_codes, outcome_from_codes, outcome_of};
pub(crate) use commit::rows::SESSION;
pub use interner::{DaemonId, Interner, NameId, NewNames, same_text};
pub(crate) use interner::{Resolved, new_holders, texts as names_of};
pub(crate) use server::{SpanRow, evidence, spans};

use crate::input::Checkpoint;
use crate::polls::{Daemon, Kept};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{DenialReason, Expires};
use accounting::pairing::Step;
use accounting::session::{FeatureId, HolderId, VersionId};
use by_key::ByKey;
use commit::held::Held;
use commit::polls::OpenHolds;
use commit::seats::{Pool, Run};
use rustc_hash::FxHashMap;
use server::ServerState;
use smol_str::SmolStr;

/// A start or an end of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyEvent {
    /// The feature, as interned.
    pub feature: NameId,
    /// The holder, as interned.
    pub holder: NameId,
    /// Index into [`Batch::handles`] plus one; 0 where there is no handle.
    pub handle: u32,
    /// What happened; its `version` is as interned, its `input` is set by the commit.
    pub step: Step,
}

/// A request that was denied or queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestEvent {
    /// The feature, as interned.
    pub feature: NameId,
    /// The holder, as interned.
    pub holder: NameId,
    /// When.
    pub at: UnixMs,
    /// What came of it.
    pub outcome: RequestOutcome,
    /// The server's code, empty where it printed none.
    pub code: String,
    /// Seats asked for.
    pub seats: u32,
    /// The version, as interned.
    pub version: NameId,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestOutcome {
    /// Refused.
    Denied(DenialReason),
    /// Put in the queue.
    Queued,
    /// Taken from the queue.
    Dequeued,
}

/// A poll of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollEvent {
    /// Which daemon; the server's own (empty vendor) stands for all of them.
    pub daemon: DaemonId,
    /// When.
    pub at: UnixMs,
    /// Whether it answered: what an answer does not show has ended.
    pub answered: bool,
}

/// Polls no further apart than this were watching in between, however often a server is polled.
pub const POLLS_APART_MS: i64 = 3_600_000;

/// A hold that a poll showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownEvent {
    /// The feature, as interned.
    pub feature: NameId,
    /// The holder, as interned.
    pub holder: NameId,
    /// Index into [`Batch::handles`] plus one; 0 where there is no handle.
    pub handle: u32,
    /// When it was polled.
    pub at: UnixMs,
    /// When the seats were given out.
    pub since: UnixMs,
    /// How many seats.
    pub seats: u32,
    /// The version, as interned.
    pub version: NameId,
}

/// A use from its beginning to its end, or to when it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedEvent {
    /// The feature, as interned.
    pub feature: NameId,
    /// The holder, as interned.
    pub holder: NameId,
    /// Index into [`Batch::handles`] plus one; 0 where there is no handle.
    pub handle: u32,
    /// When it began.
    pub from: UnixMs,
    /// When it ended, or was last seen.
    pub until: UnixMs,
    /// Until when more is awaited of it; `None` where it has ended.
    pub awaited_until: Option<UnixMs>,
    /// How many seats.
    pub seats: u32,
    /// The version, as interned.
    pub version: NameId,
}

/// What there was of a feature's seats at one instant, over all its pools.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeatsEvent {
    /// The feature, as interned.
    pub feature: NameId,
    /// Whose seats.
    pub daemon: DaemonId,
    /// When.
    pub at: UnixMs,
    /// Whether anything was said of how many there are, and how many; `Some(None)` where they are not counted.
    pub issued: Option<Option<i64>>,
    /// How many the server says are in use.
    pub in_use: Option<i64>,
    /// How many are kept for somebody.
    pub reserved: i64,
    /// How many are waited for.
    pub queued: i64,
    /// How many of those in use are borrowed.
    pub borrowed: i64,
}

/// Seats that expire, as told at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryEvent {
    /// Who told.
    pub daemon: DaemonId,
    /// The feature, as interned.
    pub feature: NameId,
    /// The version, as interned.
    pub version: NameId,
    /// When it was told.
    pub at: UnixMs,
    /// How many; `None` where they are not counted.
    pub seats: Option<i64>,
    /// Until when.
    pub expires: Expires,
}

/// A day's sum of use without persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotalEvent {
    /// The number of the organization.
    pub organization: i64,
    /// The civil day.
    pub day: Day,
    /// The feature, as interned.
    pub feature: NameId,
    /// The version, as interned.
    pub version: NameId,
    /// Minutes of use.
    pub minutes: i64,
}

/// A daemon's start or stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakEvent {
    /// Which daemon; the server's own (empty vendor) stands for all of them.
    pub daemon: DaemonId,
    /// When.
    pub at: UnixMs,
    /// Whether it started (else it stopped).
    pub started: bool,
}

/// A stretch of time in which lines of a daemon were read without a start in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Whose lines.
    pub daemon: DaemonId,
    /// Which run of dates of the input: counts up where the dates go back.
    pub run: u32,
    /// First line.
    pub from: UnixMs,
    /// Last line so far.
    pub until: UnixMs,
    /// Whether it begins with the start of the license server: before it nothing was watched.
    pub begins_run: bool,
    /// Whether polls were read, not a log.
    pub polled: bool,
}

/// Lines that no format knew, of one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The line with its letters and digits folded.
    pub shape: String,
    /// Why it was not understood.
    pub reason: String,
    /// How many.
    pub lines: u64,
    /// The number of the first such line.
    pub first_line: u64,
    /// The first such line.
    pub sample: String,
}

/// What a part of one input says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Names that this part is the first to use.
    pub names: NewNames,
    /// Which run of dates of the input the events belong to.
    pub run: u32,
    /// Starts and ends.
    pub events: Vec<KeyEvent>,
    /// Events of an unfinished last line that has now been read whole: they are taken back.
    pub retracted: Vec<KeyEvent>,
    /// As `retracted`, for requests.
    pub retracted_requests: Vec<RequestEvent>,
    /// As `retracted`, for what polls showed.
    pub retracted_shown: Vec<ShownEvent>,
    /// As `retracted`, for finished uses.
    pub retracted_used: Vec<UsedEvent>,
    /// As `retracted`, for sums of use.
    pub retracted_totals: Vec<TotalEvent>,
    /// The handles that events refer to.
    pub handles: Vec<SmolStr>,
    /// Denied and queued requests.
    pub requests: Vec<RequestEvent>,
    /// Starts and stops of daemons.
    pub breaks: Vec<BreakEvent>,
    /// Polls, in order of time.
    pub polls: Vec<PollEvent>,
    /// What polls showed.
    pub shown: Vec<ShownEvent>,
    /// Finished uses.
    pub used: Vec<UsedEvent>,
    /// What there was of features' seats, in order of time.
    pub seats: Vec<SeatsEvent>,
    /// What expires.
    pub expiries: Vec<ExpiryEvent>,
    /// Sums of use without persons.
    pub totals: Vec<TotalEvent>,
    /// The spans that lines of this part lie in.
    pub spans: Vec<Span>,
    /// Packages and their components, as interned features.
    pub components: Vec<(NameId, NameId)>,
    /// Lines that were not understood.
    pub quarantined: Vec<Quarantined>,
    /// As `retracted`, for lines that were not understood.
    pub retracted_quarantined: Vec<Quarantined>,
    /// What their senders call the events of this part, and when they were taken in; [`Error::Conflict`] where one of them
    /// is in the ledger.
    ///
    /// [`Error::Conflict`]: crate::Error::Conflict
    pub taken: Vec<(String, UnixMs)>,
    /// What [`Self::sort`] has worked out.
    pub ahead: Ahead,
}

impl Batch {
    /// How much it holds, for those who wait until it is enough.
    pub fn size(&self) -> usize {
        let Self { events, requests, shown, used, seats, totals, .. } = self;
        events.len() + requests.len() + shown.len() + used.len() + seats.len() + totals.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self { run: self.run, ..Self::default() }
    }

    /// Works out which events are of one key, ahead of the commit. Nothing may be added behind it.
    pub fn sort(&self) {
        self.ahead.put(ByKey::of(&self.events));
    }

    /// Whether anything is taken back.
    fn takes_back(&self) -> bool {
        !(self.retracted.is_empty()
            && self.retracted_requests.is_empty()
            && self.retracted_shown.is_empty()
            && self.retracted_used.is_empty()
            && self.retracted_totals.is_empty())
    }
}

/// Parts of an input, in their order.
pub trait Parts {
    /// A transaction begins; whether it fills a new ledger that nobody else has open.
    fn begins(&mut self, _is_filling: bool) {}
    /// A part by its number, from 0 on: what it says (a batch for each run of its dates), and the checkpoint after it. `None`
    /// where nothing more shall go into the transaction. What was given is given again where that is tried again.
    fn part(&mut self, nth: usize) -> Option<(&[Batch], &Checkpoint)>;
    /// How many there are without waiting for any.
    fn waiting(&mut self) -> usize;
}

impl Parts for (&[Batch], &Checkpoint) {
    fn part(&mut self, nth: usize) -> Option<(&[Batch], &Checkpoint)> {
        (nth == 0).then_some(*self)
    }

    fn waiting(&mut self) -> usize {
        1
    }
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many parts of the input it took in.
    pub parts: usize,
    /// Sessions that this part ended.
    pub sessions_closed: u64,
    /// Ends without a start.
    pub unmatched: u64,
}

/// One process's way into the ledger: what it knows of the license servers that it writes about.
#[derive(Debug, Default)]
pub struct Intake {
    resolved: Resolved,
    servers: FxHashMap<u32, ServerState>,
    input: Option<Checkpoint>,
    held: Held,
    /// What the last polls of daemons left open.
    open_holds: FxHashMap<(u32, String), OpenHolds>,
    /// The polls of daemons that this process has written last.
    polls: FxHashMap<Daemon, Kept>,
    /// What was said last of pools of seats, where nobody else tells of them.
    last_runs: FxHashMap<Pool, Run>,
    /// Whether the last transaction was a long one.
    wrote_for_long: bool,
    /// Whether lines that nobody understood are kept as they stand.
    keeps_lines: bool,
    /// How often holders had been renamed or removed when the first names were looked up.
    forgotten: Option<u64>,
    /// How many sessions of a feature are many, where it was said.
    many: Option<usize>,
}

/// The key that pairs, in the ledger's numbers (the holder holds server, vendor, user, host, display and data).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    feature: FeatureId,
    holder: HolderId,
    /// Empty where the server calls a hold nothing.
    handle: SmolStr,
}

impl Key {
    fn handle(&self) -> &str {
        &self.handle
    }
}

/// A version where none is printed.
const NO_VERSION: VersionId = 0;
