//! LS-DYNA's license manager: `lstc_qrun -r` or `-R`: one poll.
//!
//! Programs of a group share one pool, so seats are told once, by the line of the group that closes it: as those of a
//! feature called `LICENSE GROUP`. No line tells since when somebody holds what.

mod row;

use crate::answer::{self, FirstSeen, Look, SECOND, UNKNOWN, event, silent, told};
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, text, trim, word};
use accounting::UnixMs;
use accounting::event::{Claim, Event, Expiry, Pairing, Seats, What};
use row::{Holder, Program};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `ls-dyna`.
#[derive(Debug)]
pub(crate) struct Qrun;

/// The feature that a group's pool is called by.
const GROUP: &str = "LICENSE GROUP";

impl Format for Qrun {
    fn name(&self) -> &'static str {
        "ls-dyna"
    }

    fn describe(&self) -> &'static str {
        "output of lstc_qrun -r or -R (LS-DYNA): who holds how many CPUs at one instant, seats, expiry"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let sure = |line: &[u8]| {
            let line = trim(bare(line));
            row::is_header(line) || line.starts_with(b"*** ERROR failed to open server")
        };
        if head.split(|&byte| byte == b'\n').any(sure) { Fit::Yes } else { Fit::No }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::boxed(
            |line| server(line).is_some() || line == b"LICENSE INFORMATION" || row::is_header(line),
            server,
        )
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
        let mut words = vec!["lstc_qrun", "-R"];
        words.extend(target.into_iter().flat_map(|target| ["-s", target]));
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
    place: Place,
    /// The program whose holders are listed, and how many CPUs they hold.
    program: Option<(String, u32)>,
    /// CPUs in use of the group that is not closed yet.
    in_use: u32,
    /// Whether a group was closed: the server has answered.
    answered: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    #[default]
    BeforeTable,
    Table,
    /// Behind a second table, which is not read.
    Unread,
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = trim(bare(line));
        if line.is_empty() || is_noise(line) {
            return silent(Line::Noise);
        }
        if let Some(name) = server(line) {
            return silent(Line::Note(Note::Server(name)));
        }
        if row::is_header(line) {
            self.state.at = Some(self.at);
            let first = self.state.place == Place::BeforeTable;
            self.state.place = if first { Place::Table } else { Place::Unread };
            return silent(if first { Line::Note(Note::State) } else { Line::Unrecognized(SECOND) });
        }
        if line.starts_with(b"*** ERROR") {
            let failed = event(self.at, Cow::Borrowed(""), What::Polled { answered: false });
            return silent(Line::Event { event: failed, times: 1 });
        }
        match self.state.place {
            Place::BeforeTable => return silent(Line::Unrecognized(UNKNOWN)),
            Place::Unread => return silent(Line::Unrecognized(SECOND)),
            Place::Table => {}
        }
        if let Some(program) = row::program(line) {
            return self.figures(program);
        }
        silent(match row::holder(line) {
            Some(holder) => self.shown(holder),
            None => Line::Unrecognized(UNKNOWN),
        })
    }

    fn state(&self) -> String {
        serde_json::to_string(&self.state).unwrap_or_default()
    }
}

impl Reader {
    fn of<'a>(&self, what: What<'a>) -> Event<'a> {
        event(self.at, Cow::Borrowed(""), what)
    }

    /// A line of figures: of a program, or of the group that its line closes.
    fn figures<'a>(&mut self, program: Program<'a>) -> Read<'a> {
        let mut events = Vec::new();
        if let Some((feature, held)) = self.state.program.take() {
            events.push(self.of(What::Seats { feature: feature.into(), seats: Seats::InUse(held) }));
        }
        let Program { name, expires, used, most, queued } = program;
        let Some(expires) = expires else {
            return self.group(events, used, most, queued);
        };
        let feature = text(name);
        events.push(self.of(What::Expiry(Expiry {
            feature: feature.clone(),
            version: Cow::Borrowed(""),
            seats: Some(most),
            expires,
        })));
        match used {
            // The holders follow.
            None => self.state.program = Some((feature.clone().into_owned(), 0)),
            Some(used) => {
                self.state.in_use += used;
                events.push(self.of(What::Seats { feature: feature.clone(), seats: Seats::InUse(used) }));
            }
        }
        if queued > 0 {
            events.push(self.of(What::Seats { feature, seats: Seats::Queued(queued) }));
        }
        silent(told(events))
    }

    fn group<'a>(
        &mut self,
        mut events: Vec<Event<'a>>,
        used: Option<u32>,
        most: u32,
        queued: u32,
    ) -> Read<'a> {
        // Fewer CPUs in the rows than in the group: rows are missing, and nobody's hold has ended for that.
        let whole = used.is_none_or(|used| std::mem::take(&mut self.state.in_use) >= used);
        let mut at = None;
        if !whole {
            events.push(self.of(What::Polled { answered: false }));
        } else if !std::mem::replace(&mut self.state.answered, true) {
            events.push(self.of(What::Polled { answered: true }));
            at = Some(self.at);
        }
        let queued = Some(queued).filter(|queued| *queued > 0).map(Seats::Queued);
        for seats in [Some(Seats::Issued(Some(most))), queued].into_iter().flatten() {
            events.push(self.of(What::Seats { feature: Cow::Borrowed(GROUP), seats }));
        }
        Read { at, process: "", line: told(events) }
    }

    fn shown<'a>(&mut self, holder: Holder<'a>) -> Line<'a> {
        let Some((feature, held)) = &mut self.state.program else {
            return Line::Unrecognized("holder of a program that was not named");
        };
        *held += holder.cpus;
        self.state.in_use += holder.cpus;
        let (user, host, pid) = (text(holder.user), text(holder.host), text(holder.pid));
        let since = self.state.seen.since(format!("{feature} {user} {host} {pid}"), self.at);
        let feature = feature.clone().into();
        let claim = Claim { feature, user, host, handle: Some(pid), seats: holder.cpus, ..Claim::default() };
        Line::Event { event: self.of(What::Shown { claim, since }), times: 1 }
    }
}

/// The name in `Using user specified server 31010@lic1`.
fn server(line: &[u8]) -> Option<Cow<'_, str>> {
    let rest = line.strip_prefix(b"Using ")?;
    let at = memchr::memmem::find(rest, b"server ")?;
    let (address, _) = word(&rest[at + 7..]);
    let at = memchr::memchr(b'@', address)?;
    crate::answer::port_at_host(&address[..at], &address[at + 1..])
}

fn is_noise(line: &[u8]) -> bool {
    line == b"LICENSE INFORMATION"
        || line.iter().all(|byte| matches!(byte, b'-' | b'|' | b' ' | b'\t' | b'='))
        || (line.starts_with(b"Using ") && server(line).is_none())
}
