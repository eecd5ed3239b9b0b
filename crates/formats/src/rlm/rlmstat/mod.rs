//! `rlmutil rlmstat -a`: one poll of an RLM server and its ISVs' servers.

mod row;

use super::dates::not_after;
use super::isv::kept;
use crate::answer::{self, Look, SECOND, UNKNOWN, event, port_at_host, silent, told};
use crate::civil::CivilClock;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, text, trim, word};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Claim, Event, Expiry, Pairing, Seats, What};
use jiff::tz::TimeZone;
use memchr::memmem;
use row::{Pool, Usage};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `rlmstat`.
#[derive(Debug)]
pub struct Rlmstat;

const STATUS: &[u8] = b"rlm status on ";
/// No more license servers than this are told apart in one text.
const MOST: usize = 100;

impl Format for Rlmstat {
    fn name(&self) -> &'static str {
        "rlmstat"
    }

    fn describe(&self) -> &'static str {
        "output of rlmutil rlmstat -a (RLM): who holds what at one instant, seats, expiry"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let mut best = Fit::No;
        for line in head.split(|&byte| byte == b'\n') {
            let line = trim(bare(line));
            let is_sure = title(line).is_some()
                || line.starts_with(STATUS)
                || line.starts_with(b"Error connecting to \"rlm\"")
                || (line.starts_with(b"count: ") && memmem::find(line, b"# reservations:").is_some());
            if is_sure {
                return Fit::Yes;
            }
            if line.starts_with(b"rlmutil v") || line.starts_with(b"rlmstat v") {
                best = Fit::Maybe;
            }
        }
        best
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::boxed(
            |line| {
                let begins: [&[u8]; 3] = [b"Setting license file path", b"rlmutil v", STATUS];
                begins.iter().any(|begin| line.starts_with(begin))
            },
            of_status,
        )
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader::new(setting, State::default()))
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader::new(setting, serde_json::from_str(state)?)))
    }

    fn question(&self, target: Option<&str>) -> Option<Vec<String>> {
        let mut words = vec!["rlmutil", "rlmstat", "-a"];
        words.extend(target.into_iter().flat_map(|target| ["-c", target]));
        Some(answer::question(&words))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }

    fn default_server(&self) -> &'static str {
        "rlm"
    }
}

/// Reads an answer.
struct Reader {
    at: UnixMs,
    zone: TimeZone,
    clock: CivilClock,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The instant of the answer once it has begun.
    at: Option<UnixMs>,
    /// The license servers whose status was read.
    servers: Vec<String>,
    /// Behind a second answer of the same server: nothing is read.
    unread: bool,
    /// Whose pools or holders are listed.
    isv: String,
    /// The pool whose figures come next: product and version.
    pool: Option<(String, String)>,
    /// Whether pools were listed without a title, which names their ISV.
    untitled: bool,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() {
            return silent(Line::Noise);
        }
        if let Some(server) = server(line) {
            return self.server(line, server);
        }
        if self.state.unread {
            return silent(Line::Unrecognized(SECOND));
        }
        if let Some((isv, is_pools)) = title(line) {
            return self.title(isv, is_pools);
        }
        if line.starts_with(b"Error connecting to") || line.starts_with(b"Error reading from") {
            let event = event(self.at, Cow::Borrowed(""), What::Polled { answered: false });
            return silent(Line::Event { event, times: 1 });
        }
        if let Some(usage) = row::usage(line) {
            return silent(self.shown(usage));
        }
        if let Some(pool) = row::figures(line) {
            return self.figures(pool);
        }
        if is_noise(line) {
            return silent(Line::Noise);
        }
        if let Some((isv, runs)) = row::isv_server(line) {
            let failed = event(self.at, text(isv), What::Polled { answered: false });
            return silent(if runs { Line::Noise } else { Line::Event { event: failed, times: 1 } });
        }
        if let Some((product, version)) = row::pool_name(line) {
            self.state.pool = Some((text(product).into_owned(), text(version).into_owned()));
            return silent(Line::Note(Note::State));
        }
        silent(if row::is_pairs(line) { Line::Noise } else { Line::Unrecognized(UNKNOWN) })
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn new(setting: &Setting, state: State) -> Self {
        let at = answer::asked_at(setting, state.at);
        let zone = setting.zone.clone();
        Self { at, clock: CivilClock::new(zone.clone(), Some(at)), zone, state }
    }

    fn server<'a>(&mut self, line: &[u8], name: Cow<'a, str>) -> Read<'a> {
        self.state.at = Some(self.at);
        let known = self.state.servers.iter().any(|known| *known == *name);
        if line.starts_with(STATUS) {
            self.state.unread = known || self.state.servers.len() >= MOST;
            if self.state.unread {
                return silent(Line::Unrecognized(SECOND));
            }
            self.state.servers.push(name.clone().into_owned());
            self.state.isv.clear();
            self.state.pool = None;
        }
        silent(Line::Note(Note::Server(name)))
    }

    fn title<'a>(&mut self, isv: &'a [u8], is_pools: bool) -> Read<'a> {
        self.state.at = Some(self.at);
        self.state.pool = None;
        let isv = text(isv);
        self.state.isv = isv.clone().into_owned();
        if !is_pools {
            return silent(Line::Note(Note::State));
        }
        let process = kept(&isv);
        let event = event(self.at, isv, What::Polled { answered: true });
        let at = (process == event.vendor).then_some(self.at);
        Read { at, process, line: Line::Event { event, times: 1 } }
    }

    fn isv(&self) -> Cow<'static, str> {
        match kept(&self.state.isv) {
            "" => Cow::Owned(self.state.isv.clone()),
            kept => Cow::Borrowed(kept),
        }
    }

    fn figures<'a>(&mut self, pool: Pool) -> Read<'a> {
        let Some((product, version)) = self.state.pool.take() else {
            return silent(Line::Unrecognized("figures of a pool that was not named"));
        };
        let first = self.state.isv.is_empty() && !std::mem::replace(&mut self.state.untitled, true);
        let mut events: Vec<Event<'a>> = Vec::with_capacity(5);
        let vendor = self.isv();
        if first {
            // Cut out of a longer output: the pools themselves are the sign of life.
            self.state.at = Some(self.at);
            events.push(event(self.at, vendor.clone(), What::Polled { answered: true }));
        }
        let reserved = Some(pool.reserved).filter(|seats| *seats > 0).map(Seats::Reserved);
        let figures = [Some(Seats::Issued(pool.count)), Some(Seats::InUse(pool.in_use)), reserved];
        for seats in figures.into_iter().flatten() {
            let what = What::Seats { feature: Cow::Owned(product.clone()), seats };
            events.push(event(self.at, vendor.clone(), what));
        }
        if let Some(expires) = pool.expires {
            let expiry =
                Expiry { feature: product.into(), version: version.into(), seats: pool.count, expires };
            events.push(event(self.at, vendor, What::Expiry(expiry)));
        }
        Read { at: first.then_some(self.at), process: "", line: told(events) }
    }

    fn shown<'a>(&mut self, usage: Usage<'a>) -> Line<'a> {
        let Usage { product, version, user, host, seats, month, of_month, second, handle } = usage;
        let Some(day) = not_after(Day::of(self.at, &self.zone), month, of_month) else {
            return Line::Unrecognized("start on a day that no year has");
        };
        let since = self.clock.instant(day, second * 1000);
        let claim = Claim {
            feature: text(product),
            version: Some(text(version)).filter(|version| !version.is_empty()),
            user: text(user),
            host: text(host),
            // Several holds of one process bear one handle; the seats tell them apart.
            handle: handle.map(|handle| Cow::Owned(format!("{} {seats}", text(handle)))),
            seats,
            ..Claim::default()
        };
        Line::Event { event: event(self.at, self.isv(), What::Shown { claim, since }), times: 1 }
    }
}

/// `acme license pool status on lic1 (port 63133)`: the ISV, and whether pools are listed (else holders).
fn title(line: &[u8]) -> Option<(&[u8], bool)> {
    let (isv, rest) = word(line);
    let rest = trim(rest);
    if rest.starts_with(b"license pool status on ") {
        Some((isv, true))
    } else if rest.starts_with(b"license usage status on ") {
        Some((isv, false))
    } else {
        None
    }
}

/// The license server's name in `rlm status on lic1 (port 5053), up …` and `Setting license file path to 5053@lic1`.
fn server(line: &[u8]) -> Option<Cow<'_, str>> {
    if line.starts_with(STATUS) {
        return of_status(line);
    }
    let rest = trim(line.strip_prefix(b"Setting license file path to ")?);
    let first = rest.split(|byte| matches!(byte, b':' | b';' | b' ')).next()?;
    let at = memchr::memchr(b'@', first)?;
    port_at_host(&first[..at], &first[at + 1..])
}

fn of_status(line: &[u8]) -> Option<Cow<'_, str>> {
    let (host, rest) = word(line.strip_prefix(STATUS)?);
    let rest = trim(rest).strip_prefix(b"(port ")?;
    let end = memchr::memchr(b')', rest)?;
    port_at_host(&rest[..end], host)
}

/// What an output says beside pools and holders.
fn is_noise(line: &[u8]) -> bool {
    let begins: [&[u8]; 22] = [
        b"rlmutil v",
        b"rlmstat v",
        b"rlm software version",
        b"rlm comm version",
        b"Copyright",
        b"Startup time:",
        b"Todays Statistics",
        b"Recent Statistics",
        b"Recent Stats",
        b"Messages:",
        b"Connections:",
        b"Checkouts:",
        b"Denials:",
        b"Removals:",
        b"-----",
        b"Name ",
        b"Connection attempted to host",
        b"No error",
        b"Setting license file path",
        b"License files:",
        b"rlm HTTP",
        b"rlm ",
    ];
    let of_isv: [&[u8]; 5] =
        [b"ISV server status on ", b"software version", b"comm version", b"Debug log", b"Report log"];
    let rest = trim(word(line).1);
    begins.iter().any(|begin| line.starts_with(begin))
        || of_isv.iter().any(|begin| rest.starts_with(begin))
        || line.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'd' | b' ' | b'\t'))
}
