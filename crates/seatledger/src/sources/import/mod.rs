//! Import: files and directories of logs into the ledger, each input once, in any order.

mod begin;
pub(crate) mod bytes;
mod coming;
mod continued;
mod find;
mod importer;
mod lines;
mod reading;
pub(crate) mod state;
pub(crate) mod survey;
mod take;

pub(crate) use importer::Importer;
pub(crate) use reading::{Manner, Reading};
pub(crate) use take::Committed;

use crate::sources::collector::Tally;
use crate::sources::configured::Servers;
use bytes::Bytes;
use state::ReaderState;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use store::Store;
use store::input::Counts;
use store::intake::{Intake, Interner};
use survey::{Refused, Surveyed};
use take::less;

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
    /// Something was committed; whether to go on.
    fn committed(&mut self, part: &Committed) -> bool;
    /// The input is done.
    fn ends(&mut self, summary: &FileSummary);
}

/// The way to the ledger.
pub(crate) trait Door {
    /// Calls `work` with a connection, maybe several times.
    fn with<T>(&mut self, work: impl FnMut(&mut Store) -> Result<T, store::Error>) -> anyhow::Result<T>;
}

impl Door for &mut Store {
    fn with<T>(&mut self, mut work: impl FnMut(&mut Store) -> Result<T, store::Error>) -> anyhow::Result<T> {
        Ok(work(self)?)
    }
}

/// Imports; an input that fails never stops another.
pub(crate) fn import(store: &mut Store, wish: &Wish, watch: &mut dyn Watch) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let (paths, problems) = find::files(&wish.arguments, |path| store.is_own_file(path))?;
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
    let mut read = |store: &mut Store| {
        let mut importer = Importer::new(store, wish);
        importer.learn_only_servers(looked.iter());
        for surveyed in importer.in_order(std::mem::take(&mut looked))? {
            let file = importer.one(surveyed, watch)?;
            watch.ends(&file);
            summary.files.push(file);
        }
        Ok::<_, anyhow::Error>(())
    };
    if wish.dry_run {
        read(store)?;
    } else {
        store.filling(read)??;
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
        Refused::Io(error) => reading::told(&error),
    };
    FileSummary { path, problem: Some(problem), ..FileSummary::default() }
}

impl<D: Door> Importer<'_, D> {
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
                    self.door.with(|store| self.intake.take_out(store, id))?;
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
            None => self.begin(&surveyed, &mut file.remarks)?,
        };
        let before = reading.checkpoint.counts;
        let taken = self.take(&surveyed, reading, seen, watch)?;
        if let Some(checkpoint) = taken.last {
            let state = ReaderState::from_text(&checkpoint.reader_state)?;
            file.counts = less(checkpoint.counts, before);
            file.server.clone_from(&state.resume.server);
            if let Some(zone) = self.wish.zone.as_ref().filter(|_| !self.wish.dry_run) {
                self.door.with(|store| store.set_zone_of_server(&file.server, zone))?;
            }
            self.remember(&surveyed, &state);
        }
        (file.tally, file.problem) = (taken.tally, taken.problem);
        (file.sessions_closed, file.unmatched_checkins) = (taken.sessions_closed, taken.unmatched);
        if let Some(id) = self.intake.input().and_then(|input| input.id) {
            file.sessions_open = self.door.with(|store| store.open_sessions_of_input(id))?;
        }
        remark_on(&mut file);
        Ok(file)
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
