//! LM-X: `lmxendutil -licstat` (Altair's `almutil -licstat` prints the same): one poll.

mod row;

use crate::answer::{self, Look, SECOND, UNKNOWN, event, port_at_host, silent, told};
use crate::civil::CivilClock;
use crate::iso;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, text, trim};
use accounting::UnixMs;
use accounting::event::{Claim, Event, Expires, Expiry, Pairing, Seats, What};
use row::{Feature, Used};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `lmx`.
#[derive(Debug)]
pub(crate) struct Licstat;

const SERVER: &[u8] = b"LM-X License Server on ";
const NO_SERVER: &[u8] = b"There are no license server(s) available";
/// No more license servers, and no more vendors of one, than this are told apart.
const MOST: usize = 100;

impl Format for Licstat {
    fn name(&self) -> &'static str {
        "lmx"
    }

    fn describe(&self) -> &'static str {
        "output of lmxendutil -licstat (LM-X) or almutil -licstat (Altair): who holds what at one instant, seats, expiry"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let mut best = Fit::No;
        for line in head.split(|&byte| byte == b'\n') {
            let line = trim(bare(line));
            if line.starts_with(SERVER)
                || line.starts_with(b"LM-X license server(s)")
                || row::used_of(line).is_some()
            {
                return Fit::Yes;
            }
            if line.starts_with(b"LM-X End-user Utility") {
                best = Fit::Maybe;
            }
        }
        best
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::boxed(|line| line.starts_with(b"LM-X "), server)
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader::new(setting, State::default()))
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader::new(setting, serde_json::from_str(state)?)))
    }

    fn question(&self, target: Option<&str>) -> Option<Vec<String>> {
        let mut words = vec!["lmxendutil", "-licstat"];
        if let Some((port, host)) = target.map(answer::port_and_host) {
            words.extend(["-host", host]);
            words.extend(port.into_iter().flat_map(|port| ["-port", port]));
        }
        Some(answer::question(&words))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }
}

/// Reads an answer.
struct Reader {
    at: UnixMs,
    clock: CivilClock,
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The instant of the answer once it has begun.
    at: Option<UnixMs>,
    servers: Vec<String>,
    /// Behind a second answer of the same server: nothing is read.
    unread: bool,
    /// Vendors of this server that were told to have answered.
    vendors: Vec<String>,
    feature: Option<Pool>,
    /// The holder whose times come next.
    holder: Option<Holder>,
}

/// The feature whose lines are read.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Pool {
    name: String,
    version: String,
    vendor: String,
    /// Its last day: a date, or `NONE`.
    expires: String,
    /// Seats in use that none of its holders was said to hold yet.
    left: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    user: String,
    host: String,
    seats: u32,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() || is_noise(line) {
            return silent(Line::Noise);
        }
        if line.starts_with(SERVER) {
            return self.server(line);
        }
        if self.state.unread {
            return silent(Line::Unrecognized(SECOND));
        }
        if line.starts_with(NO_SERVER) {
            let event = event(self.at, Cow::Borrowed(""), What::Polled { answered: false });
            return silent(Line::Event { event, times: 1 });
        }
        if let Some(feature) = row::feature(line) {
            return self.feature(feature);
        }
        if let Some(date) = row::expire_date(line) {
            let Some(feature) = &mut self.state.feature else { return silent(NO_FEATURE) };
            feature.expires = text(date).into_owned();
            return silent(Line::Note(Note::State));
        }
        if let Some((in_use, issued)) = row::used_of(line) {
            return silent(self.figures(in_use, issued));
        }
        if let Some(used) = row::used_by(line) {
            return silent(self.holder(used));
        }
        silent(match row::checkout_time(line) {
            Some(stamp) => self.shown(stamp),
            None => Line::Unrecognized(UNKNOWN),
        })
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

const NO_FEATURE: Line<'static> = Line::Unrecognized("line of a feature that was not named");

impl Reader {
    fn new(setting: &Setting, state: State) -> Self {
        let at = answer::asked_at(setting, state.at);
        Self { at, clock: CivilClock::new(setting.zone.clone(), Some(at)), state }
    }

    fn server<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let Some(name) = server(line) else {
            return silent(Line::Unrecognized("license server without an address"));
        };
        let known = self.state.servers.iter().any(|known| *known == *name);
        let mut servers = std::mem::take(&mut self.state.servers);
        let unread = known || servers.len() >= MOST;
        if !unread {
            servers.push(name.clone().into_owned());
        }
        self.state = State { at: Some(self.at), servers, unread, ..State::default() };
        silent(if unread { Line::Unrecognized(SECOND) } else { Line::Note(Note::Server(name)) })
    }

    fn feature<'a>(&mut self, feature: Feature<'a>) -> Read<'a> {
        let Feature { name, version, vendor } = feature;
        self.state.at = Some(self.at);
        self.state.holder = None;
        self.state.feature = Some(Pool {
            name: text(name).into_owned(),
            version: text(version).into_owned(),
            vendor: text(vendor).into_owned(),
            ..Pool::default()
        });
        let vendor = text(vendor);
        if self.state.vendors.iter().any(|known| *known == *vendor) || self.state.vendors.len() >= MOST {
            return silent(Line::Note(Note::State));
        }
        self.state.vendors.push(vendor.clone().into_owned());
        let process = if let Cow::Borrowed(vendor) = vendor { vendor } else { "" };
        let at = matches!(vendor, Cow::Borrowed(_)).then_some(self.at);
        let event = event(self.at, vendor, What::Polled { answered: true });
        Read { at, process, line: Line::Event { event, times: 1 } }
    }

    /// `2 of 5 license(s) used`: what there is of the feature's seats, and when they expire.
    fn figures<'a>(&mut self, in_use: u32, issued: Option<u32>) -> Line<'a> {
        let Some(feature) = &mut self.state.feature else { return NO_FEATURE };
        feature.left = in_use;
        let Pool { name, version, vendor, expires, .. } = feature.clone();
        let vendor: Cow<'a, str> = vendor.into();
        let figures = [Seats::Issued(issued), Seats::InUse(in_use)];
        let seats = |seats| What::Seats { feature: name.clone().into(), seats };
        let mut events: Vec<Event<'a>> =
            figures.into_iter().map(|told| event(self.at, vendor.clone(), seats(told))).collect();
        let expires = match expires.as_str() {
            "" => None,
            "NONE" => Some(Expires::Never),
            date => Some(row::day(date.as_bytes()).map_or(Expires::Unknown, Expires::On)),
        };
        if let Some(expires) = expires {
            let expiry = Expiry { feature: name.into(), version: version.into(), seats: issued, expires };
            events.push(event(self.at, vendor, What::Expiry(expiry)));
        }
        told(events)
    }

    fn holder(&mut self, row: Used<'_>) -> Line<'static> {
        let Some(feature) = &mut self.state.feature else { return NO_FEATURE };
        // Holders who share a license are each listed with it: together they hold what is in use, and no more.
        let seats = row.seats.min(feature.left);
        feature.left -= seats;
        let (user, host) = (text(row.user).into_owned(), text(row.host).into_owned());
        self.state.holder = Some(Holder { user, host, seats });
        Line::Note(Note::State)
    }

    fn shown<'a>(&mut self, stamp: iso::Stamp) -> Line<'a> {
        let (Some(feature), Some(holder)) = (&self.state.feature, self.state.holder.take()) else {
            return Line::Unrecognized("times of a holder who was not named");
        };
        let Holder { user, host, seats } = holder;
        let since = self.clock.instant(stamp.day, stamp.second * 1000).min(self.at);
        let claim = Claim {
            feature: feature.name.clone().into(),
            version: Some(feature.version.clone().into())
                .filter(|version: &Cow<'_, str>| !version.is_empty()),
            user: user.into(),
            host: host.into(),
            seats,
            ..Claim::default()
        };
        let vendor = feature.vendor.clone().into();
        Line::Event { event: event(self.at, vendor, What::Shown { claim, since }), times: 1 }
    }
}

/// The name in `LM-X License Server on 6200@lic1:`.
fn server(line: &[u8]) -> Option<Cow<'_, str>> {
    let address = trim(line.strip_prefix(SERVER)?);
    let address = address.strip_suffix(b":").unwrap_or(address);
    let at = memchr::memchr(b'@', address)?;
    port_at_host(&address[..at], &address[at + 1..])
}

fn is_noise(line: &[u8]) -> bool {
    let begins: [&[u8]; 9] = [
        b"LM-X End-user Utility",
        b"LM-X license server(s)",
        b"Altair",
        b"Copyright",
        b"Server version:",
        b"Key type:",
        b"Shared on ",
        b"++++",
        b"----",
    ];
    begins.iter().any(|begin| line.starts_with(begin))
}
