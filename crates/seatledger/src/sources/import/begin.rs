//! How the reading of an input begins, or goes on.

use super::continued::says_less;
use super::reading::Reading;
use super::state::ReaderState;
use super::survey::Surveyed;
use super::{Door, Importer, bytes};
use crate::sources::resume::Resume;
use accounting::calendar::zone as zone_named;
use accounting::event::Pairing;
use store::input::Checkpoint;

impl<D: Door> Importer<'_, D> {
    /// Where records of the same origin are held they say more than a table that was made of records.
    fn beside_records(&mut self, reading: Reading) -> anyhow::Result<Reading> {
        let made_of_records = reading.format.polls() && reading.format.pairing() == Pairing::Exclusive;
        let server = &reading.state.resume.server;
        let recorded =
            if made_of_records { self.door.with(|store| store.logged(server))? } else { Vec::new() };
        Ok(Reading { recorded, ..reading })
    }

    /// Goes on with a known input at its checkpoint.
    pub(crate) fn go_on(
        &mut self,
        surveyed: &Surveyed,
        known: Checkpoint,
        state: ReaderState,
    ) -> anyhow::Result<Reading> {
        let mut state = state;
        let by_text = self.server_by_text(surveyed);
        if surveyed.format.one_server() && known.counts.events == 0 && !by_text.is_empty() {
            // Nothing was said of it yet but a header, which others begin with too.
            state.resume.server = by_text;
        }
        let setting = surveyed.setting(zone_named(&state.zone)?, accounting::day::Day(0));
        let resume = || surveyed.format.resume(&setting, &state.parser);
        self.intake.begin(Some(known.clone()));
        let head = &surveyed.head;
        self.beside_records(Reading {
            format: surveyed.format,
            encoding: surveyed.encoding,
            naming: self.naming(self.wish.server.is_some()),
            parser: resume()?,
            parser_of_unfinished: state.unfinished.is_some().then(resume).transpose()?,
            joined: false,
            recorded: Vec::new(),
            manner: self.manner,
            checkpoint: Checkpoint {
                name: surveyed.name.clone(),
                head_length: head.len() as u64,
                head_hash: bytes::hash(head),
                ..known
            },
            state,
        })
    }

    /// Begins a new input; it may go on where another one ended.
    pub(crate) fn begin(
        &mut self,
        surveyed: &Surveyed,
        remarks: &mut Vec<String>,
    ) -> anyhow::Result<Reading> {
        self.intake.begin(None);
        let by_text = self.server_by_text(surveyed);
        let (zone_name, zone) = self.zone_of(&by_text)?;
        let first_at = surveyed.first_at(&zone);
        let setting = surveyed.setting(zone.clone(), accounting::day::Day(0));
        let rest_of = self.input_with_the_beginning(surveyed, &setting)?;
        let before = match &rest_of {
            Some((before, _)) => Some(before.clone()),
            None => self.continued(surveyed, first_at)?,
        };
        let server = match &before {
            Some(before) if by_text.is_empty() || says_less(&by_text, &before.server) => {
                before.server.clone()
            }
            None if by_text.is_empty() => self.assumed_server(surveyed.format)?,
            _ => by_text,
        };
        let (zone_name, zone) = match (&self.wish.zone, &before) {
            (None, Some(before)) if before.server == server => {
                (before.state.zone.clone(), zone_named(&before.state.zone)?)
            }
            _ => (zone_name, zone),
        };
        let first_day = match surveyed.survey.first_day {
            Some(day) => day,
            None => surveyed.day_by_modification(&zone)?,
        };
        let setting = surveyed.setting(zone, first_day);
        // Where this input begins in the middle of a line, its own dates begin with a lie.
        let continues = before
            .as_ref()
            .filter(|before| rest_of.is_some() || self.dates_continue(surveyed, before, &setting, first_at));
        if continues.is_none()
            && surveyed.survey.first_day.is_none()
            && surveyed.survey.first_second.is_some()
        {
            remarks.push(format!(
                "no date in it: its last line is taken to be of the day on which the file was last modified \
                 (first line: {first_day})"
            ));
        }
        let parser = match continues {
            Some(before) => surveyed.format.resume(&setting, &before.state.parser)?,
            None => surveyed.format.parser(&setting),
        };
        let joined = rest_of.as_ref().map(|(_, unfinished)| unfinished.clone());
        let parser_of_unfinished = match (&joined, continues) {
            (Some(_), Some(before)) => Some(surveyed.format.resume(&setting, &before.state.parser)?),
            _ => None,
        };
        let resume = Resume { server, ..Default::default() };
        let head = &surveyed.head;
        // A log tells its server's name by and by, and is all of the configured one; polls go from server to server.
        let configured = self.is_configured(&resume.server) && !surveyed.format.polls();
        let given = self.wish.server.is_some() || configured;
        self.beside_records(Reading {
            format: surveyed.format,
            encoding: surveyed.encoding,
            naming: self.naming(given),
            parser,
            parser_of_unfinished,
            joined: joined.is_some(),
            recorded: Vec::new(),
            manner: self.manner,
            state: ReaderState { resume, zone: zone_name, unfinished: joined, parser: String::new() },
            checkpoint: Checkpoint {
                name: surveyed.name.clone(),
                format: surveyed.format.name().to_owned(),
                head_length: head.len() as u64,
                head_hash: bytes::hash(head),
                ..Checkpoint::default()
            },
        })
    }
}
