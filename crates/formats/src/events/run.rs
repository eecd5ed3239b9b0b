//! The spool of `seatledger run`: states of runs, a line each.

use super::Told;
use crate::line::{Fit, Format, Line, Parser, Read, Setting, StateError, Survey, Surveyor};
use crate::text::{bare, trim};
use accounting::event::Pairing;

/// The format `run`.
#[derive(Debug)]
pub struct RunStates;

impl Format for RunStates {
    fn name(&self) -> &'static str {
        "run"
    }

    fn describe(&self) -> &'static str {
        "states of runs in JSON, a line each, as `seatledger run` spools them"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        let line = head.split(|&byte| byte == b'\n').map(bare).find(|line| !trim(line).is_empty());
        match line.and_then(|line| serde_json::from_slice(line).ok()) {
            Some(Told::Run { .. }) => Fit::Yes,
            _ => Fit::No,
        }
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Box::new(Nothing)
    }

    fn parser(&self, _: &Setting) -> Box<dyn Parser> {
        Box::new(Reader)
    }

    fn resume(&self, _: &Setting, _: &str) -> Result<Box<dyn Parser>, StateError> {
        Ok(Box::new(Reader))
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }

    fn polls(&self) -> bool {
        true
    }
}

/// Each line tells its own instants.
struct Nothing;

impl Surveyor for Nothing {
    fn line(&mut self, _: &[u8]) -> bool {
        false
    }

    fn finish(self: Box<Self>) -> Survey {
        Survey::default()
    }
}

/// Reads states.
struct Reader;

impl Parser for Reader {
    fn line<'a>(&mut self, line: &'a [u8]) -> Read<'a> {
        let line = bare(line);
        let nothing = |line| Read { at: None, process: "", line };
        if trim(line).is_empty() {
            return nothing(Line::Noise);
        }
        match serde_json::from_slice::<Told>(line) {
            Ok(told @ Told::Run { .. }) if told.fault().is_none() => told.into_read(),
            Ok(Told::Run { .. }) => nothing(Line::Unrecognized("run whose instants or names cannot be")),
            Ok(Told::Start(_) | Told::Stop(_)) => nothing(Line::Unrecognized("record among states of runs")),
            Err(_) => nothing(Line::Unrecognized("no state of a run")),
        }
    }

    fn state(&self) -> String {
        String::new()
    }
}
