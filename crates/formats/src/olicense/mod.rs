//! `OLicense`: `olixtool -sv HOST:PORT -sta`: one poll.
//!
//! No line tells since when somebody holds what.

use crate::answer::{self, FirstSeen, Look, UNKNOWN, event, port_at_host, silent, told};
use crate::iso;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, number, text, trim, word};
use accounting::UnixMs;
use accounting::event::{Claim, Event, Expires, Expiry, Pairing, Seats, What};
use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `olicense`.
#[derive(Debug)]
pub(crate) struct Olixtool;

/// The tool's first line begins so.
const BANNER: &[u8] = b"olixtool ";
const LISTED: &[u8] = b"List of requested licenses";
const CANNOT: &[u8] = b"OlComm ";

impl Format for Olixtool {
    fn name(&self) -> &'static str {
        "olicense"
    }

    fn describe(&self) -> &'static str {
        "output of olixtool -sta (OLicense): who holds what at one instant, seats, expiry"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let sure = |line: &[u8]| {
            let line = trim(bare(line));
            line.starts_with(BANNER) || line.starts_with(LISTED) || line.ends_with(b" FloatsLockedBy:")
        };
        if head.split(|&byte| byte == b'\n').any(sure) { Fit::Yes } else { Fit::No }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::boxed(|line| line.starts_with(BANNER), server)
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Box::new(Reader { at: answer::asked_at(setting, None), state: State::default() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let state: State = serde_json::from_str(state)?;
        Ok(Box::new(Reader { at: answer::asked_at(setting, state.at), state }))
    }

    fn next_answer(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let before: State = serde_json::from_str(state)?;
        let state = State { seen: before.seen.next_answer(), ..State::default() };
        Ok(Box::new(Reader { at: answer::asked_at(setting, None), state }))
    }

    fn question(&self, target: Option<&str>) -> Option<Vec<String>> {
        let address = target.map(|target| match answer::port_and_host(target) {
            (Some(port), host) => format!("{host}:{port}"),
            (None, host) => host.to_owned(),
        });
        let mut words = vec!["olixtool"];
        words.extend(address.iter().flat_map(|address| ["-sv", address.as_str()]));
        words.push("-sta");
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
    state: State,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// The instant of the answer once it has begun.
    at: Option<UnixMs>,
    seen: FirstSeen,
    /// Whether the tool's banner was read: another one begins another answer, which is not read.
    begun: bool,
    unread: bool,
    /// Whether a license was listed: the server has answered.
    answered: bool,
    /// The versions that the license is good for.
    versions: String,
    /// The module whose holders are listed.
    module: Option<String>,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.starts_with(BANNER) {
            self.state.at = Some(self.at);
            self.state.unread |= std::mem::replace(&mut self.state.begun, true);
        }
        if self.state.unread && !line.is_empty() {
            return silent(Line::Unrecognized(answer::SECOND));
        }
        if line.is_empty() || is_noise(line) {
            return silent(Line::Noise);
        }
        if let Some(name) = server(line) {
            return silent(Line::Note(Note::Server(name)));
        }
        if line.starts_with(CANNOT) {
            let failed = self.of(What::Polled { answered: false });
            return silent(Line::Event { event: failed, times: 1 });
        }
        if line.starts_with(b"Application:") {
            return self.license();
        }
        if let Some(versions) = line.strip_prefix(b"VersionRange:") {
            self.state.versions = text(trim(versions)).into_owned();
            return silent(Line::Note(Note::State));
        }
        if let Some(module) = module(line) {
            return silent(self.module(module));
        }
        silent(if let Some(seats) = locked(line) { self.locked(seats) } else { self.shown(line) })
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn of<'a>(&self, what: What<'a>) -> Event<'a> {
        event(self.at, Cow::Borrowed(""), what)
    }

    fn license<'a>(&mut self) -> Read<'a> {
        self.state.module = None;
        self.state.versions.clear();
        if std::mem::replace(&mut self.state.answered, true) {
            return silent(Line::Note(Note::State));
        }
        let event = self.of(What::Polled { answered: true });
        Read { at: Some(self.at), process: "", line: Line::Event { event, times: 1 } }
    }

    fn module<'a>(&mut self, module: Module<'a>) -> Line<'a> {
        let Module { name, seats, expires } = module;
        let feature = text(name);
        self.state.module = Some(feature.clone().into_owned());
        let figures = [Seats::Issued(Some(seats)), Seats::InUse(0)];
        let mut events: Vec<_> = figures
            .into_iter()
            .map(|seats| self.of(What::Seats { feature: feature.clone(), seats }))
            .collect();
        let version = self.state.versions.clone().into();
        events.push(self.of(What::Expiry(Expiry { feature, version, seats: Some(seats), expires })));
        told(events)
    }

    fn locked<'a>(&self, seats: u32) -> Line<'a> {
        let Some(module) = &self.state.module else {
            return Line::Unrecognized("floats of a module that was not named");
        };
        let what = What::Seats { feature: module.clone().into(), seats: Seats::InUse(seats) };
        Line::Event { event: self.of(what), times: 1 }
    }

    /// `amara@ws-07 #1`: the number is that of floats held.
    fn shown<'a>(&mut self, line: &'a [u8]) -> Line<'a> {
        let held = memrchr(b'#', line).and_then(|mark| {
            let who = trim(&line[..mark]);
            let at = memrchr(b'@', who)?;
            Some((&who[..at], &who[at + 1..], number(trim(&line[mark + 1..]))?))
        });
        let Some((user, host, seats)) = held else { return Line::Unrecognized(UNKNOWN) };
        let Some(module) = &self.state.module else {
            return Line::Unrecognized("holder of a module that was not named");
        };
        let (user, host) = (text(user), text(host));
        let since = self.state.seen.since(format!("{module} {user} {host} {seats}"), self.at);
        let claim = Claim { feature: module.clone().into(), user, host, seats, ..Claim::default() };
        Line::Event { event: self.of(What::Shown { claim, since }), times: 1 }
    }
}

/// `solver;  FreeFloating;  3;  2022-12-31 23:59:59;`
struct Module<'a> {
    name: &'a [u8],
    seats: u32,
    expires: Expires,
}

fn module(line: &[u8]) -> Option<Module<'_>> {
    let fields: Vec<&[u8]> = line.splitn(6, |&byte| byte == b';').map(trim).collect();
    let [name, _kind, seats, expiration, b""] = fields[..] else { return None };
    let expires = match iso::stamp(expiration) {
        Some(stamp) => Expires::On(stamp.day),
        None if expiration.is_empty() => Expires::Never,
        None => Expires::Unknown,
    };
    (!name.is_empty()).then_some(Module { name, seats: number(seats)?, expires })
}

/// The number in `3 FloatsLockedBy:`.
fn locked(line: &[u8]) -> Option<u32> {
    number(trim(line.strip_suffix(b"FloatsLockedBy:")?))
}

/// The name in `Server: <10.0.0.9:31212:0> (Proxy: <>)`.
fn server(line: &[u8]) -> Option<Cow<'_, str>> {
    let rest = trim(line.strip_prefix(b"Server:")?).strip_prefix(b"<")?;
    let rest = &rest[..memchr(b'>', rest)?];
    let colon = memchr(b':', rest)?;
    let port = rest[colon + 1..].split(|&byte| byte == b':').next()?;
    port_at_host(port, &rest[..colon])
}

fn is_noise(line: &[u8]) -> bool {
    let begins: [&[u8]; 9] = [
        BANNER,
        LISTED,
        b"Copyright",
        b"Licenser:",
        b"Licensee:",
        b"License-ID:",
        b"Modules:",
        b"=====",
        b"-----",
    ];
    begins.iter().any(|begin| line.starts_with(begin)) || word(line).0 == b"Name;"
}
