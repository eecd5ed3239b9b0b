//! RLM's report log in its three forms (`std`, `small`, `detailed`), which differ in what their records hold and not
//! in which records there are.

mod fields;
mod header;
mod holds;
mod record;
mod survey;
#[cfg(test)]
mod tests;

use super::dates::{Date, Stamp, near, not_after};
use super::denial;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, text, trim};
use crate::told_zone;
use crate::wall_clock::{Position, WallClock};
use accounting::UnixMs;
use accounting::event::{CheckinReason, Claim, Event, Pairing, Refusal, Seats, What};
use header::{Head, says};
use holds::{Hold, Holds};
use jiff::tz::TimeZone;
use record::{Kind, Record, Who};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The format `rlm`.
#[derive(Debug)]
pub struct ReportLog;

impl Format for ReportLog {
    fn name(&self) -> &'static str {
        "rlm"
    }

    fn describe(&self) -> &'static str {
        "RLM report log of an ISV server (REPORTLOG; std, small or detailed): checkouts, checkins, denials, seats"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        survey::fits(head)
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(survey::Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        let clock = WallClock::new(setting.zone.clone(), setting.first_day);
        Box::new(Reader { setting_zone: setting.zone.clone(), vendor: "", clock, known: Known::default() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let State { position, known }: State<Known> = serde_json::from_str(state)?;
        let zone = known.zone(&setting.zone);
        let vendor = super::isv::kept(&known.vendor);
        let clock = WallClock::at(zone, position);
        Ok(Box::new(Reader { setting_zone: setting.zone.clone(), vendor, clock, known }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }
}

/// Reads a report log.
struct Reader {
    setting_zone: TimeZone,
    /// The ISV's name.
    vendor: &'static str,
    clock: WallClock,
    known: Known,
}

#[derive(Serialize, Deserialize)]
struct State<K> {
    position: Position,
    known: K,
}

/// What the lines so far have told, but for the time.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    vendor: String,
    host: String,
    holds: Holds,
    /// The distance from UTC that a line told, in seconds, with the day and the second at which it did.
    told: Option<(i32, i32, u32)>,
    /// In the lines before START, which may be any.
    in_title: bool,
    /// The log says that it goes on from another one; the next START begins no new run.
    switched: bool,
    /// A START of which it is not known yet whether it begins a new run.
    starting: Option<Starting>,
    listed: Listed,
    /// The instant of the last START.
    started_at: Option<UnixMs>,
    /// The instant of the START or REREAD to which lines about products belong.
    products_at: Option<UnixMs>,
    /// After SHUTDOWN.
    down: bool,
    /// Members of groups whose holder's line has not come, among those that were held when the text began.
    orphans: Vec<Orphan>,
}

/// A START, by its wall clock until the zone is known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Starting {
    day: i32,
    second: u32,
    at: UnixMs,
    /// Whether the log goes on from another one.
    goes_on: bool,
}

/// Handles that lines of seats in use have listed since the last START.
type Listed = BTreeSet<String>;

/// A line of seats in use that names a shared handle which no line has shown yet.
#[derive(Debug, Serialize, Deserialize)]
struct Orphan {
    at: UnixMs,
    handle: String,
    share: String,
    hold: Hold,
}

/// No more orphans than this wait.
const MOST_ORPHANS: usize = 10_000;

impl Known {
    fn zone(&self, zone: &TimeZone) -> TimeZone {
        match self.told {
            Some((offset, day, second)) => told_zone(zone, offset, accounting::day::Day(day), second),
            None => zone.clone(),
        }
    }
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        match record::parse(line) {
            Some(Ok(record)) => {
                // Seats in use tell how the log begins; a handle alone may turn out to be nobody's.
                let settles = record.kind != Kind::InUse && record.who.is_some();
                let told = if settles { self.settle() } else { Vec::new() };
                after(told, self.record(record))
            }
            Some(Err(reason)) => self.undated(Line::Unrecognized(reason)),
            None => self.other(line),
        }
    }

    fn state(&self) -> String {
        let state = State { position: self.clock.position(), known: &self.known };
        serde_json::to_string(&state).unwrap_or_default()
    }
}

impl Reader {
    fn undated<'a>(&self, line: Line<'a>) -> Read<'a> {
        Read { at: None, process: self.vendor, line }
    }

    fn dated<'a>(&self, at: UnixMs, line: Line<'a>) -> Read<'a> {
        // After SHUTDOWN nobody answers.
        Read { at: Some(at).filter(|_| !self.known.down), process: self.vendor, line }
    }

    fn event<'a>(&self, at: UnixMs, what: What<'a>) -> Event<'a> {
        Event { at, order: 0, vendor: Cow::Borrowed(self.vendor), what }
    }

    fn happened<'a>(&self, at: UnixMs, what: What<'a>) -> Read<'a> {
        let line = Line::Event { event: self.event(at, what), times: 1 };
        Read { at: Some(at), process: self.vendor, line }
    }

    /// The instant of a printed time.
    fn tick(&mut self, stamp: Stamp) -> UnixMs {
        let at = match stamp.date {
            Date::Full(day) => self.clock.tick_on(day, stamp.second),
            Date::MonthDay(month, of_month) => {
                let known = self.clock.day();
                let find = if self.clock.has_ticked() { near } else { not_after };
                self.clock.tick_on(find(known, month, of_month).unwrap_or(known), stamp.second)
            }
            Date::None => self.clock.tick(stamp.second),
        };
        match self.known.started_at {
            // What is told to the minute of START happened after it.
            Some(started_at) if stamp.to_the_minute && (at..at + 60_000).contains(&started_at) => started_at,
            _ => at + i64::from(stamp.millis),
        }
    }

    /// A record of a client.
    fn record<'a>(&mut self, record: Record<'a>) -> Read<'a> {
        let at = self.tick(record.stamp);
        self.known.in_title = false;
        if self.known.down && record.kind != Kind::Out {
            // What was out ended with SHUTDOWN; these lines only say it once more.
            return self.undated(Line::Noise);
        }
        match (record.kind, &record.who) {
            (Kind::Out, Some(who)) => self.out(at, &record, who),
            (Kind::In(why), _) => self.checkin(at, record, why),
            // The client tries another server: no refusal of the request yet.
            (Kind::Deny(_, false), _) => self.dated(at, Line::Noise),
            (Kind::Deny(status, true), Some(who)) => {
                let code = Cow::Owned(format!("-{status}"));
                let refusal = Refusal { reason: denial::class(status), code };
                self.happened(at, What::Denial(claim(who, None, record.count), refusal))
            }
            (Kind::InUse, Some(who)) => self.in_use(at, &record, who),
            (Kind::Queue, Some(who)) => {
                self.known.holds.wait(&record.handle, who, record.count);
                self.happened(at, What::Queued(claim(who, Some(&record.handle), record.count)))
            }
            (Kind::Dequeue, _) => self.dequeued(at, &record),
            _ => self.dated(at, Line::Unrecognized("record without a product")),
        }
    }

    fn out<'a>(&mut self, at: UnixMs, record: &Record<'a>, who: &Who<'a>) -> Read<'a> {
        let (handle, share) = (&record.handle, record.share.as_deref());
        self.known.down = false;
        let (seats, stale) = self.known.holds.check_out(handle, share, who, record.count);
        let checkout = What::Checkout(claim(who, Some(handle), seats));
        if stale.is_empty() {
            return self.happened(at, checkout);
        }
        let ended = |hold: &Hold| What::Checkin(hold.claim(handle, hold.seats), CheckinReason::Returned);
        let events = stale.iter().map(ended).chain([checkout]).map(|what| self.event(at, what)).collect();
        self.dated(at, Line::Events(events))
    }

    fn checkin<'a>(&mut self, at: UnixMs, record: Record<'a>, why: u32) -> Read<'a> {
        let reason = match why {
            4 | 11 => CheckinReason::TimedOut,
            8 => CheckinReason::ServerStopped,
            _ => CheckinReason::Returned,
        };
        let returned = self.known.holds.check_in(&record);
        let claim = match (&record.who, &returned.hold) {
            (_, Some(hold)) if hold.waits() => {
                return self.happened(at, What::Dequeued(hold.claim(&record.handle, record.count)));
            }
            (Some(who), hold) => {
                let seats = hold.as_ref().map_or(record.count, |hold| hold.seats);
                claim(who, Some(&record.handle), seats)
            }
            (None, Some(hold)) => hold.claim(&record.handle, hold.seats),
            (None, None) => {
                return self.dated(at, Line::Unrecognized("checkin of a handle whose checkout was not read"));
            }
        };
        let checkin = What::Checkin(claim, reason);
        let Some((heir, hold)) = returned.heir else { return self.happened(at, checkin) };
        let shared = What::Checkin(hold.claim(&heir, 0), CheckinReason::Returned);
        let events = [checkin, shared, What::Checkout(hold.claim(&heir, hold.seats))];
        self.dated(at, Line::Events(events.map(|what| self.event(at, what)).into()))
    }

    /// Seats that are held when a text begins or ends.
    fn in_use<'a>(&mut self, at: UnixMs, record: &Record<'a>, who: &Who<'a>) -> Read<'a> {
        let Record { handle, count, .. } = record;
        if let Some(starting) = &mut self.known.starting {
            // A server that has just started has given out nothing.
            starting.goes_on = true;
            self.known.listed.insert(handle.to_string());
        }
        if self.known.holds.knows(handle, who) {
            return self.dated(at, Line::Note(Note::State));
        }
        let share = record.share.as_deref().filter(|share| *share != handle);
        if let Some(share) = share.filter(|share| !self.known.holds.knows_group(share))
            && self.known.orphans.len() < MOST_ORPHANS
        {
            let (handle, share) = (handle.to_string(), share.to_owned());
            self.known.orphans.push(Orphan { at, handle, share, hold: Hold::new(who, *count) });
            return self.dated(at, Line::Note(Note::State));
        }
        let (seats, _) = self.known.holds.check_out(handle, share, who, *count);
        let held = What::Held(claim(who, Some(handle), seats));
        let shares = |orphan: &mut Orphan| *orphan.share == **handle;
        let orphans: Vec<Orphan> = self.known.orphans.extract_if(.., shares).collect();
        if orphans.is_empty() {
            return self.happened(at, held);
        }
        let mut events = vec![self.event(at, held)];
        for Orphan { at, handle, share, hold } in orphans {
            let seats = self.known.holds.adopt(&handle, &share, &hold);
            events.push(self.event(at, What::Held(hold.claim(&handle, seats))));
        }
        self.dated(at, Line::Events(events))
    }

    fn dequeued<'a>(&mut self, at: UnixMs, record: &Record<'a>) -> Read<'a> {
        let waited = self.known.holds.dequeue(&record.handle);
        match (&record.who, waited) {
            (Some(who), _) => {
                self.happened(at, What::Dequeued(claim(who, Some(&record.handle), record.count)))
            }
            (None, Some(hold)) => self.happened(at, What::Dequeued(hold.claim(&record.handle, record.count))),
            (None, None) => {
                self.dated(at, Line::Unrecognized("end of waiting of a handle that is not known to wait"))
            }
        }
    }

    /// A line that is no record of a client.
    fn other<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        match says(line) {
            Some(head) => {
                let told = if head.settles() { self.settle() } else { Vec::new() };
                after(told, self.head(head))
            }
            None if self.known.in_title || line.is_empty() => self.undated(Line::Noise),
            None => self.undated(Line::Unrecognized("no kind of record")),
        }
    }

    fn head<'a>(&mut self, head: Head<'a>) -> Read<'a> {
        let note = Line::Note(Note::State);
        match head {
            Head::Title => {
                self.known.in_title = true;
                self.undated(note)
            }
            Head::Isv(name) => {
                self.name_vendor(&text(name));
                self.undated(note)
            }
            Head::SwitchFrom => {
                self.known.switched = true;
                self.undated(note)
            }
            Head::Start(host, stamp) => self.start(&text(host), stamp),
            Head::Zone(minutes_west) => {
                self.tell_zone(-60 * minutes_west);
                self.undated(note)
            }
            Head::Product(line) => self.product(line),
            Head::Reread(stamp) => {
                let at = self.tick(stamp);
                self.known.products_at = Some(at);
                self.dated(at, note)
            }
            Head::Shutdown(stamp) => {
                let at = self.tick(stamp);
                self.known.holds.clear();
                let read = self.happened(at, What::DaemonStopped);
                self.known.down = true;
                read
            }
            Head::Day(stamp) => {
                let at = self.tick(stamp);
                self.dated(at, note)
            }
            Head::Other(Some(stamp)) => {
                let at = self.tick(stamp);
                self.dated(at, Line::Noise)
            }
            Head::Other(None) => self.undated(Line::Noise),
            Head::Broken(reason) => self.undated(Line::Unrecognized(reason)),
        }
    }

    fn name_vendor(&mut self, name: &str) {
        if self.known.vendor != name {
            self.known.holds.clear();
            self.vendor = super::isv::kept(name);
            self.known.vendor = self.vendor.to_owned();
        }
    }

    fn start<'a>(&mut self, host: &str, stamp: Stamp) -> Read<'a> {
        let at = self.tick(stamp);
        self.known.in_title = false;
        self.known.down = false;
        self.known.orphans.clear();
        self.known.listed.clear();
        if self.known.host != host {
            self.known.holds.clear();
            host.clone_into(&mut self.known.host);
        }
        let goes_on = std::mem::take(&mut self.known.switched);
        let (day, second) = (self.clock.day().0, stamp.second);
        self.known.starting = Some(Starting { day, second, at, goes_on });
        self.known.started_at = Some(at);
        self.known.products_at = Some(at);
        self.undated(Line::Note(Note::Server(Cow::Owned(host.to_owned()))))
    }

    /// The log says how far its clock is from UTC; START, which stands before that, gets its instant anew.
    fn tell_zone(&mut self, offset: i32) {
        let (day, second) = match self.known.starting {
            Some(starting) => (starting.day, starting.second),
            None => (self.clock.day().0, 0),
        };
        self.known.told = Some((offset, day, second));
        self.clock = WallClock::at(self.known.zone(&self.setting_zone), self.clock.position());
        if let Some(starting) = &mut self.known.starting {
            starting.at = self.clock.tick_on(accounting::day::Day(day), second);
            self.known.started_at = Some(starting.at);
            self.known.products_at = Some(starting.at);
        }
    }

    fn product<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let Some((feature, seats)) = record::product(line) else {
            return self.undated(Line::Unrecognized("product that breaks off"));
        };
        let Some(at) = self.known.products_at else { return self.undated(Line::Noise) };
        let what = What::Seats { feature, seats: Seats::Issued(seats) };
        if self.known.starting.is_none() {
            return self.happened(at, what);
        }
        // Before it is known whether a run begins here, no line is evidence of the one or the other.
        let event = self.event(at, what);
        self.undated(Line::Events(vec![event]))
    }

    /// What could not be told before it is known how a log begins: whether START began a new run, and who of those
    /// that share seats holds them. No line after this one changes that.
    fn settle(&mut self) -> Vec<Event<'static>> {
        let mut events = Vec::new();
        let listed = std::mem::take(&mut self.known.listed);
        match self.known.starting.take() {
            // All that is out was listed; what is not has come back between the logs.
            Some(Starting { goes_on: true, .. }) => self.known.holds.keep(&listed),
            Some(Starting { at, .. }) => {
                self.known.holds.clear();
                events.push((at, What::DaemonStarted));
            }
            None => {}
        }
        let mut orphans = std::mem::take(&mut self.known.orphans);
        orphans.sort_by(|one, other| {
            let key = |orphan: &Orphan| (orphan.share.clone(), orphan.handle.len(), orphan.handle.clone());
            key(one).cmp(&key(other))
        });
        for orphan in orphans {
            let seats = self.known.holds.adopt(&orphan.handle, &orphan.share, &orphan.hold);
            events.push((orphan.at, What::Held(orphan.hold.claim(&orphan.handle, seats))));
        }
        let vendor = Cow::Borrowed(self.vendor);
        events.into_iter().map(|(at, what)| Event { at, order: 0, vendor: vendor.clone(), what }).collect()
    }
}

/// A line with events before its own.
fn after<'a>(mut events: Vec<Event<'a>>, read: Read<'a>) -> Read<'a> {
    if events.is_empty() {
        return read;
    }
    match read.line {
        Line::Event { event, .. } => events.push(event),
        Line::Events(more) => events.extend(more),
        _ => {}
    }
    Read { line: Line::Events(events), ..read }
}

fn claim<'a>(who: &Who<'a>, handle: Option<&Cow<'a, str>>, seats: u32) -> Claim<'a> {
    Claim {
        feature: who.product.clone(),
        version: Some(who.version.clone()),
        user: who.user.clone(),
        host: who.host.clone(),
        handle: handle.cloned(),
        seats,
        ..Claim::default()
    }
}
