//! `lmutil lmstat -a`, `-A` and `-i`: who holds what at the instant of asking, and which seats expire when.
//!
//! A text holds one server after the other, and polls after polls where somebody appends them to a file. Every vendor
//! daemon that answers is a poll of its own; what it does not show has ended.

mod csv;
mod expiry;
mod feature;
mod head;
mod row;
mod section;
mod starts;
mod survey;

use crate::answer::question;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, text, trim};
use accounting::UnixMs;
use accounting::calendar::{instant, midnight};
use accounting::day::Day;
use accounting::event::{Claim, Event, Expiry, Pairing, Seats, What};
use expiry::Columns;
use feature::{Pool, Said};
use head::{Head, Is};
use jiff::tz::TimeZone;
use row::{Holder, Miss, Row};
use section::{Daemon, Section};
use serde::{Deserialize, Serialize};
use starts::Starts;
use std::borrow::Cow;

pub use csv::csv_log;

/// The format `lmstat`.
#[derive(Debug)]
pub struct Lmstat;

impl Format for Lmstat {
    fn name(&self) -> &'static str {
        "lmstat"
    }

    fn describe(&self) -> &'static str {
        "output of lmutil lmstat -a, -A or -i (FlexNet/FLEXlm), also many of them in one file: who holds what, seats, expiry"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        survey::fits(head)
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(survey::Survey::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        let known = Known { assumed: assumed(setting), ..Known::default() };
        Box::new(Reader::new(setting, known))
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let mut known: Known = serde_json::from_str(state)?;
        if known.assumed != assumed(setting) {
            known.assumed = assumed(setting);
            if known.told.is_none() {
                // What was appended since to a text that tells no instant is another poll.
                known.section.polled_anew();
            }
        }
        Ok(Box::new(Reader::new(setting, known)))
    }

    fn question(&self, target: Option<&str>) -> Option<Vec<String>> {
        let mut words = vec!["lmutil", "lmstat", "-a", "-i"];
        words.extend(target.into_iter().flat_map(|target| ["-c", target]));
        Some(question(&words))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }
}

/// The instant of a text that tells none.
fn assumed(setting: &Setting) -> UnixMs {
    setting.polled_at.unwrap_or(setting.modified_at)
}

/// Reads what lmstat printed.
struct Reader {
    zone: TimeZone,
    /// The instant of a live poll, which counts whatever the text says.
    polled_at: Option<UnixMs>,
    starts: Starts,
    known: Known,
}

/// What the lines so far have told.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    /// The instant of the status line.
    told: Option<UnixMs>,
    /// The instant without one.
    assumed: UnixMs,
    place: Place,
    section: Section,
    feature: Option<Feature>,
}

/// Between which lines we are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// Before the daemons.
    #[default]
    Head,
    Daemons,
    Features,
    /// In the table of `-i`.
    Table(Columns),
}

/// The feature whose lines are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Feature {
    name: String,
    /// Whose its seats are.
    seats_of: Daemon,
    /// Who gave out what its holders hold.
    holds_of: Daemon,
}

/// What is said where nothing is known of a line.
const UNKNOWN: &str = "no shape that lmstat prints";
/// A row among the lines of a feature that was never named.
const NO_FEATURE: &str = "holder row outside of a feature";

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let text = trim(bare(line));
        if text.is_empty() {
            return silent(Line::Noise);
        }
        if let Some(rest) = text.strip_prefix(b"Users of ") {
            return self.users(rest);
        }
        if text.starts_with(b"vendor_string:") {
            return silent(Line::Noise);
        }
        if let Some(line) = self.row(text) {
            return silent(line);
        }
        if let Some(seats) = feature::reserved(text) {
            return silent(self.figure(Seats::Reserved(seats)));
        }
        if let Some(pool) = feature::pool(text) {
            return self.pool(pool);
        }
        match head::read(text) {
            Some(head) => self.head(head),
            None => self.other(text),
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.known).unwrap_or_default()
    }
}

/// A line without an instant of its own.
fn silent(line: Line<'_>) -> Read<'_> {
    Read { at: None, process: "", line }
}

/// What happened; a note where nothing did.
fn told(mut events: Vec<Event<'_>>) -> Line<'_> {
    if events.len() > 1 {
        return Line::Events(events);
    }
    events.pop().map_or(Line::Note(Note::State), |event| Line::Event { event, times: 1 })
}

impl Reader {
    fn new(setting: &Setting, known: Known) -> Self {
        let zone = setting.zone.clone();
        Self { starts: Starts::new(zone.clone()), zone, polled_at: setting.polled_at, known }
    }

    /// The instant of the poll.
    #[inline]
    fn at(&self) -> UnixMs {
        self.polled_at.or(self.known.told).unwrap_or(self.known.assumed)
    }

    fn event<'a>(&self, vendor: Cow<'a, str>, what: What<'a>) -> Event<'a> {
        Event { at: self.at(), order: 0, vendor, what }
    }

    fn vendor<'a>(&self, daemon: Daemon) -> Cow<'a, str> {
        Cow::Owned(self.known.section.name(daemon).to_owned())
    }

    /// That a daemon answers, where that is news.
    #[inline]
    fn answer<'a>(&mut self, daemon: Daemon) -> Option<Event<'a>> {
        let news = self.known.section.answers(daemon);
        news.then(|| self.event(self.vendor(daemon), What::Polled { answered: true }))
    }

    /// That a daemon does not answer.
    fn failure<'a>(&mut self, daemon: Daemon) -> Line<'a> {
        let news = self.known.section.fails(daemon);
        let event = news.then(|| self.event(self.vendor(daemon), What::Polled { answered: false }));
        told(event.into_iter().collect())
    }

    fn head<'a>(&mut self, head: Head<'a>) -> Read<'a> {
        let note = Line::Note(Note::State);
        silent(match head {
            Head::Noise => Line::Noise,
            Head::Copyright => {
                self.begin();
                note
            }
            Head::Status(None) => {
                self.begin();
                Line::Unrecognized("status line without a date that can be read")
            }
            Head::Status(Some((day, second))) => {
                self.begin();
                self.known.told = Some(at_second(day, second, &self.zone));
                note
            }
            Head::Rule => {
                self.next_server(Section::default());
                note
            }
            Head::Server(addresses) => match head::server(addresses) {
                Some((name, hosts)) => {
                    self.next_server(Section::of(hosts));
                    Line::Note(Note::Server(Cow::Owned(name)))
                }
                None => Line::Unrecognized("license server without an address"),
            },
            Head::Daemons => self.enter(Place::Daemons),
            Head::Features => self.enter(Place::Features),
            Head::Table(columns) => self.enter(Place::Table(columns)),
            Head::NoServer => self.failure(None),
        })
    }

    fn enter<'a>(&mut self, place: Place) -> Line<'a> {
        self.known.place = place;
        Line::Note(Note::State)
    }

    /// A new output begins.
    fn begin(&mut self) {
        self.known.told = None;
        self.next_server(Section::default());
    }

    fn next_server(&mut self, section: Section) {
        let Known { told, assumed, .. } = self.known;
        self.known = Known { told, assumed, section, ..Known::default() };
    }

    /// A line that stands between those with words of their own.
    fn other<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        if let Some(told) = head::told(line) {
            return self.status(told);
        }
        if let Place::Table(columns) = self.known.place {
            return silent(match expiry::parse(line, columns) {
                Some((vendor, expiry)) => {
                    let vendor = Cow::Owned(self.known.section.spelled(&vendor).to_owned());
                    Line::Event { event: self.event(vendor, What::Expiry(expiry)), times: 1 }
                }
                None => Line::Unrecognized("row of the expiry table that cannot be read"),
            });
        }
        if head::is_failure(line) {
            let daemon = self.known.section.latest();
            return silent(self.failure(daemon));
        }
        silent(Line::Unrecognized(UNKNOWN))
    }

    /// The status of a host or a daemon.
    fn status<'a>(&mut self, told: head::Told<'a>) -> Read<'a> {
        let up = match told.is {
            Is::HostUp => return silent(Line::Noise),
            Is::Down if self.known.place == Place::Head => {
                let none_answers = self.known.section.host_is_down();
                return silent(if none_answers { self.failure(None) } else { Line::Noise });
            }
            Is::DaemonUp => true,
            Is::Down => false,
        };
        let daemon = self.known.section.status(told.name, up);
        if !up {
            return silent(self.failure(daemon));
        }
        if !self.known.section.answers(daemon) {
            return Read { at: Some(self.at()), process: told.name, line: Line::Note(Note::State) };
        }
        let event = self.event(Cow::Borrowed(told.name), What::Polled { answered: true });
        Read { at: Some(event.at), process: told.name, line: Line::Event { event, times: 1 } }
    }

    /// What follows `Users of `.
    fn users<'a>(&mut self, rest: &'a [u8]) -> Read<'a> {
        let Some(users) = feature::parse(rest) else {
            self.known.feature = None;
            return silent(Line::Unrecognized("feature without a name"));
        };
        self.known.place = Place::Features;
        let daemon = self.known.section.by_place();
        let holds_of = self.known.section.latest();
        let name = text(users.name);
        self.known.feature = Some(Feature { name: name.clone().into_owned(), seats_of: daemon, holds_of });
        let figures = match users.said {
            Said::Unknown => return silent(Line::Unrecognized("seats of a feature that cannot be read")),
            Said::NoAnswer => return silent(self.failure(holds_of)),
            Said::Total { issued, in_use } => vec![Seats::Issued(Some(issued)), Seats::InUse(in_use)],
            Said::Uncounted | Said::Unsupported => vec![Seats::Issued(None)],
        };
        let mut events = Vec::with_capacity(3);
        if users.said != Said::Unsupported && !self.known.section.is_ambiguous() {
            events.extend(self.answer(daemon));
        }
        // Without a daemon's status this is the first sign of life.
        let at = (!events.is_empty() && daemon.is_none()).then(|| self.at());
        for seats in figures {
            events.push(self.event(self.vendor(daemon), What::Seats { feature: name.clone(), seats }));
        }
        Read { at, process: "", line: told(events) }
    }

    /// A pool of the feature, with its vendor and when it expires.
    fn pool<'a>(&mut self, pool: Pool<'a>) -> Read<'a> {
        let vendor = text(pool.vendor);
        let daemon = self.known.section.by_pool(&vendor);
        let expiry = self.expiry(pool, &vendor);
        if let Some(feature) = &mut self.known.feature {
            feature.holds_of = daemon;
        }
        let answer = self.answer(daemon);
        let (at, process) = match (&answer, vendor) {
            (Some(event), Cow::Borrowed(vendor)) if *event.vendor == *vendor => (Some(event.at), vendor),
            _ => (None, ""),
        };
        Read { at, process, line: told(answer.into_iter().chain(expiry).collect()) }
    }

    /// When the seats of a pool expire, of the vendor that the table of `-i` would name. How many there are is not told.
    fn expiry<'a>(&self, pool: Pool<'a>, vendor: &str) -> Option<Event<'a>> {
        let feature = self.known.feature.as_ref()?.name.clone();
        let expires = expiry::expires(pool.expiry?);
        let expiry = Expiry { feature: feature.into(), version: text(pool.version), seats: None, expires };
        let vendor = self.known.section.spelled(vendor).to_owned();
        Some(self.event(Cow::Owned(vendor), What::Expiry(expiry)))
    }

    /// A figure of the feature's seats.
    fn figure<'a>(&self, seats: Seats) -> Line<'a> {
        let Some(feature) = &self.known.feature else { return Line::Unrecognized(NO_FEATURE) };
        let what = What::Seats { feature: Cow::Owned(feature.name.clone()), seats };
        Line::Event { event: self.event(self.vendor(feature.seats_of), what), times: 1 }
    }

    /// A holder row; none where the text does not look like one.
    #[inline]
    fn row<'a>(&mut self, line: &'a [u8]) -> Option<Line<'a>> {
        match std::str::from_utf8(line) {
            Ok(line) => self.holds(line, Cow::Borrowed),
            Err(_) => self.holds(&text(line), |part| Cow::Owned(part.to_owned())),
        }
    }

    #[inline]
    fn holds<'a, 'b>(&mut self, line: &'b str, own: impl Fn(&'b str) -> Cow<'a, str>) -> Option<Line<'a>> {
        let row = match row::parse(line) {
            Ok(row) => row,
            Err(Miss::NoRow) => return None,
            Err(Miss::Broken(reason)) => return Some(Line::Unrecognized(reason)),
        };
        Some(match row.state {
            row::State::Queued => self.figure(Seats::Queued(row.seats)),
            row::State::Holds { start, lingers } => self.shown(row, start, lingers, own),
        })
    }

    #[inline]
    fn shown<'a, 'b>(
        &mut self,
        row: Row<'b>,
        start: row::Start,
        lingers: bool,
        own: impl Fn(&'b str) -> Cow<'a, str>,
    ) -> Line<'a> {
        let at = self.at();
        let Some(feature) = &self.known.feature else { return Line::Unrecognized(NO_FEATURE) };
        let Some(since) = self.starts.instant(at, start) else {
            return Line::Unrecognized("start on a day that no year has");
        };
        let printed = |part: &'b str| if part.is_empty() { None } else { Some(own(part)) };
        let Holder { user, host, display, data } = row.holder;
        let claim = Claim {
            feature: Cow::Owned(feature.name.clone()),
            version: printed(row.version),
            user: own(user),
            host: own(host),
            display: printed(display),
            checkout_data: printed(data),
            handle: printed(row.handle),
            seats: row.seats,
        };
        let daemon = feature.holds_of;
        let answer = self.answer(daemon);
        let shown = self.event(self.vendor(daemon), What::Shown { claim, since });
        if answer.is_none() && !lingers {
            return Line::Event { event: shown, times: 1 };
        }
        let mut events: Vec<_> = answer.into_iter().collect();
        events.push(shown);
        if lingers && let Line::Event { event, .. } = self.figure(Seats::Borrowed(row.seats)) {
            events.push(event);
        }
        told(events)
    }
}

fn at_second(day: Day, second: u32, zone: &TimeZone) -> UnixMs {
    let local = midnight(day);
    instant(local.checked_add(jiff::Span::new().seconds(i64::from(second))).unwrap_or(local), zone)
}
