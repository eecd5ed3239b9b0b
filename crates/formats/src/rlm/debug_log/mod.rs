//! RLM's ISV debug log (`*.dlog`): month, day, hour and minute, no year, no handles.
//!
//! ```text
//! 05/11 15:17 (acme) OUT: solver v2.09 by amara@ws-07
//! 06/13 08:52 (acme) OUT: solver v13.0 by amara@ws-07 some data (14 licenses)
//! 03/19 08:52 (acme) IN: (client exit) solver v3.03 by amara@ws-07
//! 05/11 15:20 (acme) DENIED: (1) solver v2.1 to amara@ws-07
//! 05/11 15:20 (acme)         All licenses in use
//! ```

mod event;
mod survey;

use super::dates::{near, not_after};
use super::denial;
use crate::line::{Fit, Format, Line, Note, Parser, Read, Setting, StateError, Surveyor};
use crate::text::{bare, trim};
use crate::wall_clock::{Position, WallClock};
use accounting::UnixMs;
use accounting::event::{Claim, DenialReason, Event, Pairing, Refusal, What};
use event::Said;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The format `rlm-debug-log`.
#[derive(Debug)]
pub struct DebugLog;

impl Format for DebugLog {
    fn name(&self) -> &'static str {
        "rlm-debug-log"
    }

    fn describe(&self) -> &'static str {
        "RLM debug log of an ISV server (*.dlog): the same as its report log to the minute and without handles"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        survey::fits(head)
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(survey::Look::default())
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        let clock = WallClock::new(setting.zone.clone(), setting.first_day);
        Box::new(Reader { clock, known: Known::default() })
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        let (position, known): (Position, Known) = serde_json::from_str(state)?;
        Ok(Box::new(Reader { clock: WallClock::at(setting.zone.clone(), position), known }))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }
}

struct Reader {
    clock: WallClock,
    known: Known,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    /// A denial whose reason stands on the next line.
    denied: Option<Denied>,
    /// ISVs that have stopped and not yet started again.
    stopped: Vec<String>,
}

/// A denial, until its reason is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Denied {
    at: UnixMs,
    isv: String,
    product: String,
    version: String,
    user: String,
    host: String,
    seats: u32,
}

/// No more ISVs than this are remembered as stopped.
const MOST: usize = 64;
/// Longer denials are told at once, without their reason.
const LONGEST: usize = 4096;

impl Denied {
    fn event(self, reason: DenialReason, code: String) -> Event<'static> {
        let claim = Claim {
            feature: Cow::Owned(self.product),
            version: Some(Cow::Owned(self.version)),
            user: Cow::Owned(self.user),
            host: Cow::Owned(self.host),
            seats: self.seats,
            ..Claim::default()
        };
        let what = What::Denial(claim, Refusal { reason, code: Cow::Owned(code) });
        Event { at: self.at, order: 0, vendor: Cow::Owned(self.isv), what }
    }
}

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = bare(line);
        let cut = survey::cut(line);
        // The reason may stand on a line of its own, or behind the beginning that all lines have.
        let words = cut.as_ref().map_or(line, |cut| cut.message);
        let status = denial::status(trim(words));
        let is_reason = |_: &mut Denied| status.is_some() || event::is_continued(words);
        if let Some(denied) = self.known.denied.take_if(is_reason) {
            if let Some(cut) = &cut {
                self.tick(cut);
            }
            return reasoned(denied, status);
        }
        let Some(cut) = cut else {
            let meaningless = trim(line).is_empty() || event::is_continued(line);
            let line =
                if meaningless { Line::Noise } else { Line::Unrecognized("no shape of a debug log's line") };
            return Read { at: None, process: "", line };
        };
        let unanswered = self.known.denied.take();
        let at = self.tick(&cut);
        let read = self.dated(at, &cut);
        match unanswered {
            Some(denied) => after(denied.event(DenialReason::Other, String::new()), read),
            None => read,
        }
    }

    fn state(&self) -> String {
        serde_json::to_string(&(self.clock.position(), &self.known)).unwrap_or_default()
    }
}

/// The line after a denial tells its reason; the denial has the instant of its own line.
fn reasoned<'a>(denied: Denied, status: Option<u32>) -> Read<'a> {
    let (at, process) = (denied.at, super::isv::kept(&denied.isv));
    let reason = status.map_or(DenialReason::Other, denial::class);
    let code = status.map_or_else(String::new, |status| format!("-{status}"));
    Read { at: Some(at), process, line: Line::Event { event: denied.event(reason, code), times: 1 } }
}

/// A denial that no reason followed is told before what came instead.
fn after<'a>(denial: Event<'a>, read: Read<'a>) -> Read<'a> {
    let mut events = vec![denial];
    match read.line {
        Line::Event { event, .. } => events.push(event),
        Line::Events(more) => events.extend(more),
        _ => {}
    }
    Read { line: Line::Events(events), ..read }
}

impl Reader {
    fn tick(&mut self, cut: &survey::Cut<'_>) -> UnixMs {
        let known = self.clock.day();
        let find = if self.clock.has_ticked() { near } else { not_after };
        self.clock.tick_on(find(known, cut.month, cut.of_month).unwrap_or(known), cut.second)
    }

    fn dated<'a>(&mut self, at: UnixMs, cut: &survey::Cut<'a>) -> Read<'a> {
        let isv = cut.isv;
        let line = match event::says(cut.message) {
            Ok(Said::Out(claim)) => {
                self.known.stopped.retain(|stopped| stopped != isv);
                happened(at, isv, What::Checkout(claim))
            }
            // What was out ended with the ISV's server; these lines only say it once more.
            Ok(Said::In(..)) if self.is_stopped(isv) => Line::Noise,
            Ok(Said::In(claim, reason)) => happened(at, isv, What::Checkin(claim, reason)),
            Ok(Said::Denied(claim)) => return self.denied(at, isv, claim),
            Ok(Said::Started) => {
                self.known.stopped.retain(|stopped| stopped != isv);
                happened(at, isv, What::DaemonStarted)
            }
            Ok(Said::Stopped) if self.is_stopped(isv) => Line::Note(Note::State),
            Ok(Said::Stopped) => {
                if self.known.stopped.len() < MOST {
                    self.known.stopped.push(isv.to_owned());
                }
                happened(at, isv, What::DaemonStopped)
            }
            Ok(Said::Nothing) => return Read { at: None, process: isv, line: Line::Noise },
            Ok(Said::Other) => Line::Noise,
            Err(reason) => Line::Unrecognized(reason),
        };
        // The server that starts the ISVs' servers writes here too, also before they run.
        let at = Some(at).filter(|_| isv != "rlm" && !self.is_after_stop(isv, &line));
        Read { at, process: isv, line }
    }

    fn is_stopped(&self, isv: &str) -> bool {
        self.known.stopped.iter().any(|stopped| stopped == isv)
    }

    /// Whether a line comes after its ISV's server has stopped, so that it shows nobody alive.
    fn is_after_stop(&self, isv: &str, line: &Line<'_>) -> bool {
        self.is_stopped(isv) && line.events().is_empty()
    }

    fn denied<'a>(&mut self, at: UnixMs, isv: &'a str, claim: Claim<'a>) -> Read<'a> {
        let denied = Denied {
            at,
            isv: isv.to_owned(),
            product: claim.feature.into_owned(),
            version: claim.version.unwrap_or_default().into_owned(),
            user: claim.user.into_owned(),
            host: claim.host.into_owned(),
            seats: claim.seats,
        };
        let length = denied.product.len() + denied.version.len() + denied.user.len() + denied.host.len();
        if length > LONGEST {
            let event = denied.event(DenialReason::Other, String::new());
            return Read { at: Some(at), process: isv, line: Line::Event { event, times: 1 } };
        }
        self.known.denied = Some(denied);
        Read { at: Some(at), process: isv, line: Line::Note(Note::State) }
    }
}

fn happened<'a>(at: UnixMs, isv: &'a str, what: What<'a>) -> Line<'a> {
    Line::Event { event: Event { at, order: 0, vendor: Cow::Borrowed(isv), what }, times: 1 }
}
