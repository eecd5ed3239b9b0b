//! From a part, as somebody has posted it, to batches of this ledger. Nothing of it is believed: its numbers must be of its
//! own lists, and its instants such as a license server can tell.

use super::ahead;
use super::part::{KeyRow, Names, Part, RequestRow, Run, ShapeRow, ShownRow, TotalRow, UsedRow};
use super::{NEVER, UNKNOWN};
use crate::intake::{
    Batch, BreakEvent, DaemonId, ExpiryEvent, Interner, KeyEvent, NameId, PollEvent, Quarantined,
    RequestEvent, SeatsEvent, ShownEvent, Span, TotalEvent, UsedEvent, outcome_from_codes,
};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Expires, Pairing};
use accounting::pairing::{End, Start, Step};
use accounting::session::Ended;

/// Instants that a log can tell, whatever its clock and its zone: those of the years 0 to 9999, and a day around them. Every
/// site commits them, so that none may be refused here; those that lie ahead are quarantined.
const INSTANTS: std::ops::RangeInclusive<UnixMs> =
    (Day::MIN.0 as i64 - 1) * DAY_MS..=(Day::MAX.0 as i64 + 2) * DAY_MS;
const DAY_MS: i64 = 86_400_000;

/// Why a part is none.
type Wrong = String;

/// What a part says that comes at `now`, by runs of dates, with the interner's numbers.
pub(super) fn batches(part: &Part, interner: &mut Interner, now: UnixMs) -> Result<Vec<Batch>, Wrong> {
    let known = Known::new(&part.names, interner)?;
    let mut batches = Vec::with_capacity(part.runs.len());
    for run in &part.runs {
        let mut batch = known.batch(run)?;
        ahead::keep_out(&mut batch, now);
        batches.push(batch);
    }
    if let Some(first) = batches.first_mut() {
        first.names = interner.news();
    }
    Ok(batches)
}

/// The interner's numbers of a part's names.
struct Known {
    daemons: Vec<DaemonId>,
    features: Vec<NameId>,
    versions: Vec<NameId>,
    holders: Vec<NameId>,
}

impl Known {
    fn new(names: &Names, interner: &mut Interner) -> Result<Self, Wrong> {
        let daemons: Vec<DaemonId> = names
            .daemons
            .iter()
            .map(|(server, format, exclusive, zone, vendor)| {
                let pairing = if *exclusive { Pairing::Exclusive } else { Pairing::Counted };
                interner.daemon(server, format, pairing, zone, vendor)
            })
            .collect();
        let holders = names.holders.iter().map(|(daemon, user, host, display, data)| {
            Ok(interner.holder(one_of(&daemons, *daemon)?, user, host, display, data))
        });
        let holders = holders.collect::<Result<_, Wrong>>()?;
        let features = names.features.iter().map(|code| interner.feature(code)).collect();
        let versions = names.versions.iter().map(|version| interner.version(Some(version))).collect();
        Ok(Self { daemons, features, versions, holders })
    }

    fn daemon(&self, number: u32) -> Result<DaemonId, Wrong> {
        one_of(&self.daemons, number)
    }

    fn feature(&self, number: u32) -> Result<NameId, Wrong> {
        one_of(&self.features, number)
    }

    fn holder(&self, number: u32) -> Result<NameId, Wrong> {
        one_of(&self.holders, number)
    }

    fn version(&self, number: u32) -> Result<NameId, Wrong> {
        number.checked_sub(1).map_or(Ok(0), |number| one_of(&self.versions, number))
    }

    fn batch(&self, run: &Run) -> Result<Batch, Wrong> {
        let handles = run.handles.len();
        Ok(Batch {
            run: run.number,
            handles: run.handles.iter().map(|handle| handle.as_str().into()).collect(),
            events: each(&run.events, |row| self.key_event(row, handles))?,
            retracted: each(&run.retracted, |row| self.key_event(row, handles))?,
            requests: each(&run.requests, |row| self.request(row))?,
            retracted_requests: each(&run.retracted_requests, |row| self.request(row))?,
            breaks: each(&run.breaks, |&(daemon, at, started)| {
                Ok(BreakEvent { daemon: self.daemon(daemon)?, at: instant(at)?, started })
            })?,
            polls: each(&run.polls, |&(daemon, at, answered)| {
                Ok(PollEvent { daemon: self.daemon(daemon)?, at: instant(at)?, answered })
            })?,
            shown: each(&run.shown, |row| self.shown(row, handles))?,
            retracted_shown: each(&run.retracted_shown, |row| self.shown(row, handles))?,
            used: each(&run.used, |row| self.used(row, handles))?,
            retracted_used: each(&run.retracted_used, |row| self.used(row, handles))?,
            seats: each(&run.seats, |row| self.seats(row))?,
            expiries: each(&run.expiries, |row| self.expiry(row))?,
            totals: each(&run.totals, |row| self.total(row))?,
            retracted_totals: each(&run.retracted_totals, |row| self.total(row))?,
            spans: each(&run.spans, |&(daemon, run, from, until, begins_run, polled)| {
                let daemon = self.daemon(daemon)?;
                let (from, until) = (instant(from)?, instant(until)?);
                Ok(Span { daemon, run, from, until: until.max(from), begins_run, polled })
            })?,
            components: each(&run.components, |(package, component)| {
                Ok((self.feature(*package)?, self.feature(*component)?))
            })?,
            quarantined: each(&run.quarantined, |row| Ok(shape(row)))?,
            retracted_quarantined: each(&run.retracted_quarantined, |row| Ok(shape(row)))?,
            ..Batch::default()
        })
    }

    fn key_event(&self, row: &KeyRow, handles: usize) -> Result<KeyEvent, Wrong> {
        let &(feature, holder, handle, at, order, seats, version, ended) = row;
        let at = instant(at)?;
        let step = match ended {
            None => Step::Start(Start { at, order, seats, version: self.version(version)?, input: 0 }),
            Some(code) => {
                let ended = Ended::from_code(code).filter(|ended| *ended != Ended::Open);
                let ended = ended.ok_or_else(|| format!("{code} is no ending of a session"))?;
                Step::End(End { at, order, seats, ended, input: 0 })
            }
        };
        let handle = of_handles(handle, handles)?;
        Ok(KeyEvent { feature: self.feature(feature)?, holder: self.holder(holder)?, handle, step })
    }

    fn request(&self, row: &RequestRow) -> Result<RequestEvent, Wrong> {
        let (feature, holder, at, outcome, reason, code, seats, version) = row;
        let outcome = outcome_from_codes(*outcome, *reason)
            .map_err(|_| format!("{outcome} is no outcome of a request"))?;
        Ok(RequestEvent {
            feature: self.feature(*feature)?,
            holder: self.holder(*holder)?,
            at: instant(*at)?,
            outcome,
            code: clean(code),
            seats: *seats,
            version: self.version(*version)?,
        })
    }

    fn shown(&self, row: &ShownRow, handles: usize) -> Result<ShownEvent, Wrong> {
        let &(feature, holder, handle, at, since, seats, version) = row;
        Ok(ShownEvent {
            feature: self.feature(feature)?,
            holder: self.holder(holder)?,
            handle: of_handles(handle, handles)?,
            at: instant(at)?,
            since: instant(since)?,
            seats,
            version: self.version(version)?,
        })
    }

    fn used(&self, row: &UsedRow, handles: usize) -> Result<UsedEvent, Wrong> {
        let &(feature, holder, handle, from, until, awaited_until, seats, version) = row;
        Ok(UsedEvent {
            feature: self.feature(feature)?,
            holder: self.holder(holder)?,
            handle: of_handles(handle, handles)?,
            from: instant(from)?,
            until: instant(until)?,
            awaited_until: awaited_until.map(instant).transpose()?,
            seats,
            version: self.version(version)?,
        })
    }

    fn seats(&self, row: &super::part::SeatsRow) -> Result<SeatsEvent, Wrong> {
        let &(feature, daemon, at, tells, issued, in_use, reserved, queued, borrowed) = row;
        Ok(SeatsEvent {
            feature: self.feature(feature)?,
            daemon: self.daemon(daemon)?,
            at: instant(at)?,
            issued: tells.then_some(issued),
            in_use,
            reserved,
            queued,
            borrowed,
        })
    }

    fn expiry(&self, row: &super::part::ExpiryRow) -> Result<ExpiryEvent, Wrong> {
        let (daemon, feature, version, at, seats, expires) = row;
        Ok(ExpiryEvent {
            daemon: self.daemon(*daemon)?,
            feature: self.feature(*feature)?,
            version: self.version(*version)?,
            at: instant(*at)?,
            seats: *seats,
            expires: match expires.as_str() {
                NEVER => Expires::Never,
                UNKNOWN => Expires::Unknown,
                on => Expires::On(day(on)?),
            },
        })
    }

    fn total(&self, row: &TotalRow) -> Result<TotalEvent, Wrong> {
        let (organization, on, feature, version, minutes) = row;
        Ok(TotalEvent {
            organization: *organization,
            day: day(on)?,
            feature: self.feature(*feature)?,
            version: self.version(*version)?,
            minutes: *minutes,
        })
    }
}

fn each<R, T>(rows: &[R], read: impl FnMut(&R) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
    rows.iter().map(read).collect()
}

fn one_of(list: &[u32], number: u32) -> Result<u32, Wrong> {
    let found = list.get(number as usize).copied();
    found.ok_or_else(|| format!("a row names number {number} of a list of {}", list.len()))
}

fn of_handles(handle: u32, handles: usize) -> Result<u32, Wrong> {
    if handle as usize <= handles {
        return Ok(handle);
    }
    Err(format!("a row names handle {handle} of a list of {handles}"))
}

pub(super) fn instant(at: UnixMs) -> Result<UnixMs, Wrong> {
    if INSTANTS.contains(&at) {
        return Ok(at);
    }
    Err(format!("{at} is no instant between the years 0 and 9999, in milliseconds"))
}

fn day(text: &str) -> Result<Day, Wrong> {
    text.parse::<Day>().map_err(|error| error.to_string())
}

fn shape((shape, reason, lines, first_line, sample): &ShapeRow) -> Quarantined {
    Quarantined {
        shape: clean(shape),
        reason: clean(reason),
        lines: *lines,
        first_line: *first_line,
        sample: clean(sample),
    }
}

/// No database here holds NUL in a text.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
