//! Import: files and directories of logs into the ledger, each input once, in any order.

mod bytes;
mod continued;
mod find;
mod lines;
mod reading;
mod state;
mod survey;

use crate::sources::collector::Tally;
use crate::sources::configured::Servers;
use crate::sources::resume::{Naming, Resume};
use accounting::UnixMs;
use accounting::calendar::zone as zone_named;
use accounting::event::Pairing;
use anyhow::Context;
use bytes::Bytes;
use continued::{Before, says_less};
use formats::line::Format;
use jiff::tz::TimeZone;
use reading::{Reading, Sent};
use state::ReaderState;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use store::Store;
use store::input::{Checkpoint, Counts};
use store::intake::{Intake, Interner};
use survey::{Refused, Surveyed};

/// What the user asks of an import.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) arguments: Vec<String>,
    pub(crate) format: Option<&'static str>,
    pub(crate) server: Option<String>,
    pub(crate) zone: Option<String>,
    /// What is known of license servers.
    pub(crate) servers: Servers,
    pub(crate) replace: bool,
    pub(crate) dry_run: bool,
}

/// What became of one input.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileSummary {
    pub(crate) path: String,
    pub(crate) format: Option<&'static str>,
    pub(crate) server: String,
    pub(crate) counts: Counts,
    pub(crate) tally: Tally,
    pub(crate) unmatched_checkins: u64,
    pub(crate) sessions_closed: u64,
    pub(crate) sessions_open: u64,
    /// Whether nothing in it was new.
    pub(crate) already_known: bool,
    /// Whether only its end was new.
    pub(crate) continued: bool,
    /// Why it was not read, or not to its end, with what to do.
    pub(crate) problem: Option<String>,
    /// What should be known about it though it was read.
    pub(crate) remarks: Vec<String>,
}

/// What became of all inputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) files: Vec<FileSummary>,
}

/// Told while inputs are read.
pub(crate) trait Watch {
    /// An input begins; `size` is its size on disk, `seen` counts what was read of it.
    fn begins(&mut self, path: &str, size: u64, seen: Arc<AtomicU64>);
    /// Something was committed.
    fn committed(&mut self);
    /// The input is done.
    fn ends(&mut self, summary: &FileSummary);
}

/// Imports; an input that fails never stops another.
pub(crate) fn import(store: &mut Store, wish: &Wish, watch: &mut dyn Watch) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let (paths, problems) = find::files(&wish.arguments)?;
    for problem in problems {
        let (path, problem) = problem.split_once(": ").map_or((problem.as_str(), ""), |parts| parts);
        let file = FileSummary {
            path: path.to_owned(),
            problem: Some(problem.to_owned()),
            ..FileSummary::default()
        };
        watch.ends(&file);
        summary.files.push(file);
    }
    let forced = wish.format.and_then(formats::named);
    let mut looked = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        match open(&path).map_err(Refused::from).and_then(|bytes| survey::look(bytes, name.clone(), forced)) {
            Ok(surveyed) => looked.push(surveyed),
            Err(refused) => {
                let file = refused_file(name, refused);
                watch.ends(&file);
                summary.files.push(file);
            }
        }
    }
    let mut importer = Importer {
        store,
        wish,
        intake: Intake::default(),
        interner: Interner::default(),
        before: None,
        only: HashMap::new(),
    };
    importer.only = importer.only_servers(&looked);
    for surveyed in importer.in_order(looked)? {
        let file = importer.one(surveyed, watch)?;
        watch.ends(&file);
        summary.files.push(file);
    }
    Ok(summary)
}

fn open(path: &Path) -> io::Result<Bytes> {
    if path == Path::new("-") { Bytes::of_stdin() } else { Bytes::of_file(path) }
}

fn refused_file(path: String, refused: Refused) -> FileSummary {
    let problem = match refused {
        Refused::Empty => "the file is empty".to_owned(),
        Refused::Unknown(what) => what,
        Refused::Io(error) => error.to_string(),
    };
    FileSummary { path, problem: Some(problem), ..FileSummary::default() }
}

/// What is kept from one input to the next.
struct Importer<'a> {
    store: &'a mut Store,
    wish: &'a Wish,
    intake: Intake,
    interner: Interner,
    /// The input read last in this import.
    before: Option<Before>,
    /// Of formats all of whose inputs are of one license server: the only one that any input of this import names.
    only: HashMap<&'static str, String>,
}

impl Importer<'_> {
    /// By their first dated line, then by modification time; what has no dated line stays behind the one that was
    /// named before it.
    fn in_order(&mut self, looked: Vec<Surveyed>) -> anyhow::Result<Vec<Surveyed>> {
        let mut keyed = Vec::with_capacity(looked.len());
        let mut last: Option<(UnixMs, i64)> = None;
        for (nth, surveyed) in looked.into_iter().enumerate() {
            let zone = self.zone_of(&surveyed, &self.server_by_text(&surveyed))?.1;
            let modified = surveyed.bytes.modified_ms().unwrap_or_default();
            let key = match (surveyed.first_at(&zone), last) {
                (Some(at), _) => (at, modified),
                (None, Some(last)) => last,
                (None, None) => (modified, modified),
            };
            last = Some(key);
            keyed.push((key, nth, surveyed));
        }
        keyed.sort_by_key(|(key, nth, _)| (*key, *nth));
        Ok(keyed.into_iter().map(|(_, _, surveyed)| surveyed).collect())
    }

    fn server_by_text(&self, surveyed: &Surveyed) -> String {
        let named = self.wish.server.as_ref().or(surveyed.survey.server.as_ref());
        let named = named.map(|name| self.named_by_configuration(name));
        named.or_else(|| self.only.get(surveyed.format.name()).cloned()).unwrap_or_default()
    }

    /// By format, the one server that its inputs name, where they are all of one.
    fn only_servers(&self, looked: &[Surveyed]) -> HashMap<&'static str, String> {
        let mut only: HashMap<&'static str, Option<String>> = HashMap::new();
        for surveyed in looked.iter().filter(|surveyed| surveyed.format.one_server()) {
            let Some(name) = &surveyed.survey.server else { continue };
            let name = self.named_by_configuration(name);
            let known = only.entry(surveyed.format.name()).or_insert_with(|| Some(name.clone()));
            if known.as_ref() != Some(&name) {
                *known = None;
            }
        }
        only.into_iter().filter_map(|(format, name)| Some((format, name?))).collect()
    }

    /// The server of an input that names none and continues none: of polls the one polled last, as a table of expiry
    /// dates has no name of its own.
    fn assumed_server(&mut self, format: &'static dyn Format) -> anyhow::Result<String> {
        let last = if format.polls() { self.last_input(format.name())? } else { None };
        Ok(last.map_or_else(|| format.default_server().to_owned(), |before| before.server))
    }

    fn named_by_configuration(&self, server: &str) -> String {
        self.wish.servers.by_alias.get(server).map_or_else(|| server.to_owned(), |(name, _)| name.clone())
    }

    /// The zone of a server: as the user says, as it was read before, as configured.
    fn zone_of(&mut self, _: &Surveyed, server: &str) -> anyhow::Result<(String, TimeZone)> {
        let mut known = || -> anyhow::Result<Option<String>> {
            if server.is_empty() { Ok(None) } else { Ok(self.store.zone_of_server(server)?) }
        };
        let name = if let Some(zone) = &self.wish.zone {
            zone.clone()
        } else {
            let configured = self.wish.servers.by_alias.values().find(|(name, _)| name == server);
            let configured = configured.and_then(|(_, zone)| zone.clone());
            known()?.or(configured).unwrap_or_else(|| self.wish.servers.default_zone.clone())
        };
        let zone = zone_named(&name)?;
        Ok((name, zone))
    }

    fn one(&mut self, surveyed: Surveyed, watch: &mut dyn Watch) -> anyhow::Result<FileSummary> {
        let seen = Arc::new(AtomicU64::new(0));
        watch.begins(&surveyed.name, surveyed.bytes.size().unwrap_or_default(), Arc::clone(&seen));
        let mut file = FileSummary {
            path: surveyed.name.clone(),
            format: Some(surveyed.format.name()),
            ..FileSummary::default()
        };
        let known = match self.known(&surveyed) {
            Ok(known) => known,
            Err(error) => return Ok(FileSummary { problem: Some(format!("{error:#}")), ..file }),
        };
        let known = match (known, self.wish.replace) {
            (Some(known), true) => {
                if let Some(id) = known.id.filter(|_| !self.wish.dry_run) {
                    self.intake = Intake::default();
                    self.interner = Interner::default();
                    self.intake.take_out(self.store, id)?;
                }
                None
            }
            (known, _) => known,
        };
        let reading = match known {
            Some(known) => {
                let state = ReaderState::from_text(&known.reader_state)?;
                if self.nothing_new(&surveyed, &known, &state)? {
                    file.already_known = true;
                    file.server = state.resume.server.clone();
                    self.remember(&surveyed, &state);
                    return Ok(file);
                }
                file.continued = true;
                self.go_on(&surveyed, known, state)?
            }
            None => self.begin(&surveyed, &mut file)?,
        };
        let recorded = self.recorded(&surveyed, &reading)?;
        self.read(&surveyed, Reading { recorded, ..reading }, seen, &mut file, watch)?;
        Ok(file)
    }

    /// Where records of the same origin are held: they say more than a table that was made of records.
    fn recorded(&mut self, surveyed: &Surveyed, reading: &Reading) -> anyhow::Result<Vec<(UnixMs, UnixMs)>> {
        let made_of_records = surveyed.format.polls() && surveyed.format.pairing() == Pairing::Exclusive;
        let server = &reading.state.resume.server;
        if made_of_records { Ok(self.store.logged(server)?) } else { Ok(Vec::new()) }
    }

    /// The checkpoint of the input, where the ledger knows its bytes.
    fn known(&mut self, surveyed: &Surveyed) -> anyhow::Result<Option<Checkpoint>> {
        for length in self.store.known_head_lengths()? {
            let Some(head) = surveyed.head.get(..length as usize) else { continue };
            for known in self.store.inputs_beginning_with(length, &bytes::hash(head))? {
                if known.format == surveyed.format.name()
                    && surveyed.bytes.tail_hash(known.position)?.as_ref() == Some(&known.tail_hash)
                {
                    return Ok(Some(known));
                }
            }
        }
        Ok(None)
    }

    /// Whether nothing lies behind the checkpoint but the unfinished line that was read already.
    fn nothing_new(
        &self,
        surveyed: &Surveyed,
        known: &Checkpoint,
        state: &ReaderState,
    ) -> anyhow::Result<bool> {
        let mut reader = surveyed.bytes.reader_at(known.position, Arc::default())?;
        let expected = state.unfinished.as_deref().unwrap_or_default();
        // Decoded bytes are never longer than three times the raw ones, nor shorter than half of them.
        let mut rest = vec![0; expected.len() * 2 + 16];
        let length = bytes::read_full(&mut reader, &mut rest)?;
        rest.truncate(length);
        Ok(*surveyed.encoding.decode(&rest) == *expected)
    }

    /// Goes on with a known input at its checkpoint.
    fn go_on(
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
        Ok(Reading {
            format: surveyed.format,
            encoding: surveyed.encoding,
            naming: self.naming(self.wish.server.is_some()),
            parser: resume()?,
            parser_of_unfinished: state.unfinished.is_some().then(resume).transpose()?,
            joined: false,
            recorded: Vec::new(),
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
    fn begin(&mut self, surveyed: &Surveyed, file: &mut FileSummary) -> anyhow::Result<Reading> {
        self.intake.begin(None);
        let by_text = self.server_by_text(surveyed);
        let (zone_name, zone) = self.zone_of(surveyed, &by_text)?;
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
            file.remarks.push(format!(
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
        Ok(Reading {
            format: surveyed.format,
            encoding: surveyed.encoding,
            naming: self.naming(given),
            parser,
            parser_of_unfinished,
            joined: joined.is_some(),
            recorded: Vec::new(),
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

    fn naming(&self, given: bool) -> Naming {
        let aliases =
            self.wish.servers.by_alias.iter().map(|(alias, (name, _))| (alias.clone(), name.clone()));
        Naming { given, aliases: aliases.collect() }
    }

    fn is_configured(&self, server: &str) -> bool {
        self.wish.servers.by_alias.values().any(|(name, _)| name == server)
    }

    fn remember(&mut self, surveyed: &Surveyed, state: &ReaderState) {
        self.before = Some(Before {
            format: surveyed.format.name().to_owned(),
            server: state.resume.server.clone(),
            latest: state.resume.latest,
            state: state.clone(),
        });
    }

    fn read(
        &mut self,
        surveyed: &Surveyed,
        reading: Reading,
        seen: Arc<AtomicU64>,
        file: &mut FileSummary,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<()> {
        let position = reading.checkpoint.position;
        let bytes = surveyed.bytes.reader_at(position - reading::known_before(position) as u64, seen)?;
        let (to, from) = sync_channel(2);
        let before = reading.checkpoint.counts;
        let (interner, intake, store) = (&mut self.interner, &mut self.intake, &mut *self.store);
        let mut last: Option<Checkpoint> = None;
        let dry_run = self.wish.dry_run;
        let result = std::thread::scope(|scope| {
            scope.spawn(move || reading.run(bytes, interner, &to));
            for sent in from {
                match sent {
                    Sent::Part(batches, checkpoint) => {
                        if !dry_run {
                            let outcome =
                                intake.commit(store, &batches, &checkpoint).map_err(anyhow::Error::from)?;
                            file.sessions_closed += outcome.sessions_closed;
                            file.unmatched_checkins += outcome.unmatched;
                        }
                        last = Some(*checkpoint);
                        watch.committed();
                    }
                    Sent::End(tally) => file.tally = tally,
                    Sent::Failed(problem) => file.problem = Some(problem),
                }
            }
            Ok::<_, anyhow::Error>(())
        });
        result.with_context(|| format!("cannot store {}", surveyed.name))?;
        if let Some(checkpoint) = last {
            let state = ReaderState::from_text(&checkpoint.reader_state)?;
            file.counts = less(checkpoint.counts, before);
            file.server.clone_from(&state.resume.server);
            if let Some(zone) = self.wish.zone.as_ref().filter(|_| !dry_run) {
                self.store.set_zone_of_server(&file.server, zone)?;
            }
            self.remember(surveyed, &state);
        }
        if let Some(id) = self.intake.input().and_then(|input| input.id) {
            file.sessions_open = self.store.open_sessions_of_input(id)?;
        }
        remark_on(file);
        Ok(())
    }
}

/// What was counted since.
fn less(now: Counts, before: Counts) -> Counts {
    Counts {
        lines: now.lines.saturating_sub(before.lines),
        events: now.events.saturating_sub(before.events),
        notes: now.notes.saturating_sub(before.notes),
        noise: now.noise.saturating_sub(before.noise),
        unrecognized: now.unrecognized.saturating_sub(before.unrecognized),
    }
}

/// Says what figures alone would hide.
fn remark_on(file: &mut FileSummary) {
    let Tally { checkouts, checkins, denials, .. } = file.tally;
    if checkouts >= 20 && checkins * 10 < checkouts {
        file.remarks.push(format!(
            "{checkouts} checkouts but {checkins} checkins: the options file may suppress them (NOLOG IN); \
             sessions without an end count to the log's last line"
        ));
    }
    if checkouts + checkins == 0
        && denials > 0
        && !file.continued
        && let Some(format) = file.format.and_then(formats::named)
    {
        file.remarks.extend(format.advice_without_usage().map(str::to_owned));
    }
    if file.counts.lines > 0 && file.counts.events == 0 {
        file.remarks.push("no usage in it: \"nothing seen\", not \"nothing used\"".to_owned());
    }
}
