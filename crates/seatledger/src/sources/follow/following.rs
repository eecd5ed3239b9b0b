//! Following: what has changed since the last look is imported from where it was left. Rotation, renaming, cutting off,
//! packing and a restart are all that: files are known by what is in them, and the ledger knows how far each was read.

use super::look::{FileId, Files, Look, Looks};
use super::tail::{Key, Tail};
use crate::clock;
use crate::sources::import::bytes::Bytes;
use crate::sources::import::state::ReaderState;
use crate::sources::import::survey::{self, Refused, Surveyed};
use crate::sources::import::{Door, Importer, Manner, Reading, Watch, Wish};
use accounting::UnixMs;
use formats::line::Format;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use store::input::Checkpoint;

/// A transaction takes in so many events: meanwhile nobody else can write to a SQLite file.
const EVENTS_TOGETHER: usize = 200_000;
/// So many are read together, so that what was read is written while more is read.
pub(super) const EVENTS_IN_PART: usize = 40_000;
/// So many files are held open; of others only the ledger knows how far they were read.
const TAILS: usize = 100;
/// A new log that does not tell its server yet is given so much time, or so many bytes, to do so.
const PATIENCE: Duration = Duration::from_secs(1);
const ENOUGH: u64 = 64 << 10;

/// All that is known of the files of a source.
pub(super) struct Following<'w, D> {
    importer: Importer<'w, D>,
    forced: Option<&'static dyn Format>,
    /// The zone that the user gives to all that is read.
    zone: Option<&'w str>,
    tails: Vec<Tail>,
    /// How each file looked when it was taken in last.
    seen: HashMap<PathBuf, Look>,
    /// Files that hold the same as one that is followed.
    copies: Vec<PathBuf>,
    /// New files that do not tell their server yet, and since when they are known.
    undecided: HashMap<PathBuf, Instant>,
    patience: Duration,
    /// Whether files may have been rotated away since it was last looked beside the followed ones.
    rotated: bool,
    /// How files looked that others were rotated to.
    beside: HashMap<PathBuf, Look>,
    /// Whether a new file was begun in this round.
    begun: bool,
    /// Why files cannot be read.
    problems: BTreeMap<PathBuf, String>,
    /// License servers whose zone is that of the wish by now.
    zoned: HashSet<String>,
}

/// A file with something to read.
struct Work {
    /// The instant of the first line to read, as far as it is known, and when the file was last modified.
    at: (Option<UnixMs>, i64),
    file: File,
    /// Whether nothing can come behind its last line any more.
    last: bool,
}

/// Whether it was read before.
enum File {
    Tail(Box<Tail>),
    New(Box<New>),
}

/// A file of which the ledger must be asked.
struct New {
    path: PathBuf,
    look: Look,
    surveyed: Surveyed,
}

impl<'w, D: Door> Following<'w, D> {
    pub(super) fn new(door: D, wish: &'w Wish) -> Self {
        let mut importer = Importer::new(door, wish);
        importer.manner = Manner {
            events_together: EVENTS_IN_PART,
            events_in_transaction: EVENTS_TOGETHER,
            last_line_waits: true,
        };
        Self {
            importer,
            forced: wish.format.and_then(formats::named),
            zone: wish.zone.as_deref(),
            tails: Vec::new(),
            seen: HashMap::new(),
            copies: Vec::new(),
            undecided: HashMap::new(),
            patience: PATIENCE,
            rotated: true,
            beside: HashMap::new(),
            begun: false,
            problems: BTreeMap::new(),
            zoned: HashSet::new(),
        }
    }

    /// Begins to read new logs at once, whether they tell their server or not.
    #[cfg(test)]
    pub(super) fn impatient(self) -> Self {
        Self { patience: Duration::ZERO, ..self }
    }

    /// Why files cannot be read, where any cannot.
    pub(super) fn problems(&self) -> &BTreeMap<PathBuf, String> {
        &self.problems
    }

    /// Whether new files are given time to tell their server.
    pub(super) fn is_deciding(&self) -> bool {
        !self.undecided.is_empty()
    }

    /// How many bytes there are that were not read.
    pub(super) fn unread(&self, looks: &Looks) -> u64 {
        let changed = looks.iter().filter(|(path, look)| self.seen.get(*path) != Some(look));
        let unread = changed.map(|(_, look)| {
            let tail = self.tails.iter().find(|tail| tail.id == look.id);
            look.size.saturating_sub(tail.map_or(0, |tail| tail.checkpoint.position))
        });
        unread.sum()
    }

    /// Reads what is new in files that look so now, the one that begins first before all others; `restless` says that
    /// others may have come beside them.
    pub(super) fn round(
        &mut self,
        files: &Files,
        (looks, restless): (&Looks, bool),
        watch: &mut dyn Watch,
    ) -> anyhow::Result<()> {
        self.rotated |= restless;
        let seen = self.seen.len();
        self.seen.retain(|path, _| looks.contains_key(path));
        self.rotated |= self.seen.len() < seen;
        self.problems.retain(|path, _| looks.contains_key(path));
        self.undecided.retain(|path, _| looks.contains_key(path));
        let mut work = self.gone(looks)?;
        let mut problems = usize::MAX;
        loop {
            self.changed(files, looks, &mut work)?;
            self.rotated_away(files, looks, &mut work)?;
            self.read(std::mem::take(&mut work), watch)?;
            if !std::mem::take(&mut self.begun) || self.problems.is_empty() {
                return Ok(());
            }
            // What was not understood may go on from what has been read by now; it is read at once, for it may be cut off
            // before the next look.
            self.seen.retain(|path, _| !self.problems.contains_key(path));
            if self.problems.len() >= problems {
                return Ok(());
            }
            problems = self.problems.len();
        }
    }

    /// What was copied or renamed, where anything may have been.
    fn rotated_away(&mut self, files: &Files, looks: &Looks, work: &mut Vec<Work>) -> anyhow::Result<()> {
        if !std::mem::take(&mut self.rotated) {
            return Ok(());
        }
        for copy in std::mem::take(&mut self.copies) {
            if let Some(look) = looks.get(&copy) {
                self.seen.remove(&copy);
                self.fresh(files, looks, &copy, *look, work)?;
            }
        }
        self.look_beside(files, looks, work)
    }

    /// Reads files one after the other.
    fn read(&mut self, work: Vec<Work>, watch: &mut dyn Watch) -> anyhow::Result<()> {
        let new = work.iter().filter_map(|work| match &work.file {
            File::New(new) => Some(&new.surveyed),
            File::Tail(_) => None,
        });
        self.importer.learn_only_servers(new);
        for (key, Work { file, last, .. }) in in_order(work) {
            match file {
                File::Tail(mut tail) => {
                    tail.key = key;
                    self.read_on(&mut tail, last, watch)?;
                    if !last {
                        self.keep(*tail);
                    }
                }
                File::New(new) => self.take_new(key, *new, last, watch)?,
            }
        }
        Ok(())
    }

    /// Files that have lost their names: what is left in them is read to its end.
    fn gone(&mut self, looks: &Looks) -> anyhow::Result<Vec<Work>> {
        let present: HashSet<FileId> = looks.values().map(|look| look.id).collect();
        let gone: Vec<Tail> = self.tails.extract_if(.., |tail| !present.contains(&tail.id)).collect();
        self.rotated |= !gone.is_empty();
        let mut work = Vec::new();
        for tail in gone {
            if tail.is_same().unwrap_or(false) {
                work.push(of_tail(tail, true));
                continue;
            }
            // It was cut off and begun anew before.
            let path = PathBuf::from(&tail.surveyed.name);
            if let Ok((surveyed, look)) = self.survey_bytes(tail.surveyed.bytes, &path)? {
                work.push(self.work(New { path, look, surveyed }, true)?);
            }
        }
        Ok(work)
    }

    /// Files that do not look as they did.
    fn changed(&mut self, files: &Files, looks: &Looks, work: &mut Vec<Work>) -> anyhow::Result<()> {
        let mut met: HashSet<FileId> = HashSet::new();
        for (path, look) in looks {
            if self.seen.get(path) == Some(look) {
                continue;
            }
            if !met.insert(look.id) {
                // A second name of the same file.
                self.seen.insert(path.clone(), *look);
                continue;
            }
            let Some(at) = self.tails.iter().position(|tail| tail.id == look.id) else {
                self.fresh(files, looks, path, *look, work)?;
                continue;
            };
            let tail = self.tails.swap_remove(at);
            if tail.is_same().unwrap_or(false) {
                self.seen.insert(path.clone(), *look);
                work.push(of_tail(tail, false));
            } else {
                // Cut off, and maybe begun anew: what it held may be in a copy.
                self.rotated = true;
                self.fresh(files, looks, path, *look, work)?;
            }
        }
        Ok(())
    }

    /// A file of which no tail is held.
    fn fresh(
        &mut self,
        files: &Files,
        looks: &Looks,
        path: &Path,
        look: Look,
        work: &mut Vec<Work>,
    ) -> anyhow::Result<()> {
        if let Some(before) = self.seen.get(path) {
            self.rotated |= before.id != look.id || before.size > look.size;
        }
        let name = files.bases_of(path).find(|base| looks.contains_key(base));
        let problem = match self.survey(path, name.as_deref().unwrap_or(path))? {
            Ok((surveyed, look)) => {
                let is_plain = surveyed.bytes.is_plain();
                work.push(self.work(New { path: path.to_owned(), look, surveyed }, !is_plain)?);
                None
            }
            Err(Refused::Empty) => None,
            // It has lost its name since it was looked at.
            Err(Refused::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(Refused::Io(error)) => Some(error.to_string()),
            Err(Refused::Unknown(why)) => Some(why),
        };
        self.seen.insert(path.to_owned(), look);
        match problem {
            Some(problem) => self.problems.insert(path.to_owned(), problem),
            None => self.problems.remove(path),
        };
        Ok(())
    }

    fn survey(&mut self, path: &Path, name: &Path) -> anyhow::Result<Result<(Surveyed, Look), Refused>> {
        match Bytes::of_held_file(path) {
            Ok(bytes) => self.survey_bytes(bytes, name),
            Err(error) => Ok(Err(error.into())),
        }
    }

    fn survey_bytes(
        &mut self,
        bytes: Bytes,
        name: &Path,
    ) -> anyhow::Result<Result<(Surveyed, Look), Refused>> {
        let name = name.display().to_string();
        let mut surveyed = survey::look(bytes.clone(), name.clone(), self.forced);
        if matches!(surveyed, Err(Refused::Unknown(_)))
            && let Some((before, _)) = self.last_named(&name)?
        {
            // Maybe it begins with the rest of a line: it is of the format that was written there before.
            surveyed = survey::look(bytes, name, formats::named(&before.format));
        }
        let with_look = surveyed.and_then(|surveyed| {
            let look = Look::of(&surveyed.bytes.metadata()?);
            // Before its first line is whole nothing is known of it.
            let has_line = surveyed.head.contains(&b'\n') || look.size > ENOUGH || !surveyed.bytes.is_plain();
            if has_line { Ok((surveyed, look)) } else { Err(Refused::Empty) }
        });
        Ok(with_look)
    }

    fn work(&mut self, new: New, last: bool) -> anyhow::Result<Work> {
        let (first_at, modified) = self.importer.begins_at(&new.surveyed)?;
        let mut at = first_at;
        if let Some(known) = self.importer.known(&new.surveyed)? {
            let state = ReaderState::from_text(&known.reader_state)?;
            let is_read = self.importer.nothing_new(&new.surveyed, &known, &state)?;
            at = if is_read { None } else { state.resume.latest.or(first_at) };
        }
        Ok(Work { at: (at, modified), file: File::New(Box::new(new)), last })
    }

    /// What was rotated away before it was read to its end, under names that are not followed.
    fn look_beside(&mut self, files: &Files, looks: &Looks, work: &mut Vec<Work>) -> anyhow::Result<()> {
        let held: HashSet<FileId> = work
            .iter()
            .map(|work| match &work.file {
                File::Tail(tail) => tail.id,
                File::New(new) => new.look.id,
            })
            .collect();
        for (path, base, look) in files.rotated(looks) {
            if held.contains(&look.id) || self.beside.insert(path.clone(), look) == Some(look) {
                continue;
            }
            // What cannot be read is no log of ours, or is still being packed: then it is there unpacked, too.
            let Ok((surveyed, look)) = self.survey(&path, &base)? else { continue };
            if self.goes_on(&surveyed)? {
                work.push(self.work(New { path, look, surveyed }, true)?);
            }
        }
        Ok(())
    }

    /// Whether a file that is not followed holds more of what was: the ledger knows its beginning, or it begins where the
    /// input of that name ended.
    fn goes_on(&mut self, surveyed: &Surveyed) -> anyhow::Result<bool> {
        if let Some(known) = self.importer.known(surveyed)? {
            let state = ReaderState::from_text(&known.reader_state)?;
            return Ok(!self.importer.nothing_new(surveyed, &known, &state)?);
        }
        let Some((_, state)) = self.last_named(&surveyed.name)? else { return Ok(false) };
        let (first_at, modified) = self.importer.begins_at(surveyed)?;
        Ok(state.resume.latest.is_some_and(|latest| first_at.unwrap_or(modified) >= latest))
    }

    fn last_named(&mut self, name: &str) -> anyhow::Result<Option<(Checkpoint, ReaderState)>> {
        let known = self.importer.door.with(|store: &mut Store| store.last_input_named(name))?;
        known.map(|known| Ok((known.clone(), ReaderState::from_text(&known.reader_state)?))).transpose()
    }

    /// Reads a file of which no tail is held: from the ledger's checkpoint, or from its beginning.
    fn take_new(&mut self, key: Key, new: New, last: bool, watch: &mut dyn Watch) -> anyhow::Result<()> {
        let mut known = self.importer.known(&new.surveyed)?;
        if let Some(id) = known.as_ref().and_then(|known| known.id)
            && let Some(tail) = self.tails.iter().find(|tail| tail.checkpoint.id == Some(id))
        {
            if tail.is_copied_by(&new.surveyed)? {
                self.copies.push(new.path);
                return Ok(());
            }
            // It only begins like the one that is followed.
            known = None;
        }
        let tail = |new: New, checkpoint: Checkpoint, state: ReaderState| Tail {
            id: new.look.id,
            path: new.path,
            surveyed: new.surveyed,
            key,
            checkpoint,
            state,
        };
        if let Some(checkpoint) = known {
            let state = ReaderState::from_text(&checkpoint.reader_state)?;
            let mut tail = tail(new, checkpoint, state);
            self.read_on(&mut tail, last, watch)?;
            if !last {
                self.keep(tail);
            }
            return Ok(());
        }
        let before = self.last_named(&new.surveyed.name)?;
        self.importer.comes_after(before.as_ref().map(|(checkpoint, state)| (checkpoint, state)));
        if !last && !self.is_decided(&new) {
            // It is looked at again at the next look.
            self.seen.remove(&new.path);
            return Ok(());
        }
        self.finish_lines(&new.surveyed, key, watch)?;
        let before = self.last_named(&new.surveyed.name)?;
        self.importer.comes_after(before.as_ref().map(|(checkpoint, state)| (checkpoint, state)));
        self.importer.manner.last_line_waits = !last;
        let reading = self.importer.begin(&new.surveyed, &mut Vec::new())?;
        let (path, name) = (new.path.clone(), new.surveyed.name.clone());
        if let Some((checkpoint, state)) = self.take(&name, &path, &new.surveyed, reading, watch)? {
            self.begun = true;
            if !last {
                self.keep(tail(new, checkpoint, state));
            }
        }
        Ok(())
    }

    /// Whether a new file has told enough of itself to begin with it.
    fn is_decided(&mut self, new: &New) -> bool {
        let now = Instant::now();
        let since = *self.undecided.entry(new.path.clone()).or_insert(now);
        let age = clock::now() - new.surveyed.bytes.modified_ms().unwrap_or_default();
        let decided = self.importer.knows_server(&new.surveyed)
            || new.look.size >= ENOUGH
            || now - since >= self.patience
            || age >= PATIENCE.as_millis() as i64;
        if decided {
            self.undecided.remove(&new.path);
        }
        decided
    }

    /// Before a new file begins, last lines that wait for their end are taken as they are: the rest of one may stand at the
    /// beginning of the new file. Where a line goes on after all it is taken back.
    fn finish_lines(&mut self, new: &Surveyed, before: Key, watch: &mut dyn Watch) -> anyhow::Result<()> {
        let format = new.format.name();
        let waits = |tail: &mut Tail| {
            tail.key <= before && tail.surveyed.format.name() == format && tail.unread() > 0
        };
        let waiting: Vec<Tail> = self.tails.extract_if(.., waits).collect();
        for mut tail in waiting {
            self.read_on(&mut tail, true, watch)?;
            self.keep(tail);
        }
        Ok(())
    }

    /// Reads a file on from where it was left.
    fn read_on(&mut self, tail: &mut Tail, last: bool, watch: &mut dyn Watch) -> anyhow::Result<()> {
        if tail.unread() == 0 && tail.surveyed.bytes.is_plain() {
            return Ok(());
        }
        if last && self.importer.nothing_new(&tail.surveyed, &tail.checkpoint, &tail.state).unwrap_or(true) {
            return Ok(());
        }
        // A file that was cut off in this instant is met again at the next look.
        if tail.learn_head().is_err() {
            return Ok(());
        }
        self.importer.manner.last_line_waits = !last;
        let (checkpoint, state) = (tail.checkpoint.clone(), tail.state.clone());
        let reading = self.importer.go_on(&tail.surveyed, checkpoint, state)?;
        let name = tail.surveyed.name.clone();
        if let Some((checkpoint, state)) = self.take(&name, &tail.path, &tail.surveyed, reading, watch)? {
            (tail.checkpoint, tail.state) = (checkpoint, state);
        }
        Ok(())
    }

    fn take(
        &mut self,
        name: &str,
        path: &Path,
        surveyed: &Surveyed,
        reading: Reading,
        watch: &mut dyn Watch,
    ) -> anyhow::Result<Option<(Checkpoint, ReaderState)>> {
        let seen = Arc::default();
        watch.begins(name, surveyed.bytes.size().unwrap_or_default(), Arc::clone(&seen));
        let taken = self.importer.take(surveyed, reading, seen, watch)?;
        match taken.problem {
            Some(problem) => self.problems.insert(path.to_owned(), problem),
            None => self.problems.remove(path),
        };
        let Some(checkpoint) = taken.last else { return Ok(None) };
        let state = ReaderState::from_text(&checkpoint.reader_state)?;
        let server = &state.resume.server;
        if let Some(zone) = self.zone
            && !self.zoned.contains(server)
        {
            self.importer.door.with(|store: &mut Store| store.set_zone_of_server(server, zone))?;
            self.zoned.insert(server.clone());
        }
        Ok(Some((checkpoint, state)))
    }

    /// Holds a file, where it can grow.
    fn keep(&mut self, mut tail: Tail) {
        tail.key.0 = tail.state.resume.latest.unwrap_or(tail.key.0);
        if !tail.surveyed.bytes.is_plain() {
            return;
        }
        self.tails.push(tail);
        if self.tails.len() > TAILS {
            let oldest = (0..self.tails.len()).min_by_key(|at| self.tails[*at].key);
            if let Some(oldest) = oldest {
                self.tails.swap_remove(oldest);
            }
        }
    }
}

fn of_tail(tail: Tail, last: bool) -> Work {
    let modified = tail.surveyed.bytes.modified_ms().unwrap_or_default();
    Work { at: (tail.state.resume.latest, modified), file: File::Tail(Box::new(tail)), last }
}

/// In the order in which their lines were written. A file without a dated line comes just before the dated one that was
/// modified next after it.
fn in_order(mut work: Vec<Work>) -> Vec<(Key, Work)> {
    work.sort_by_key(|work| work.at.1);
    let mut next = UnixMs::MAX;
    let mut keyed = Vec::with_capacity(work.len());
    for work in work.into_iter().rev() {
        let (at, modified) = work.at;
        next = at.unwrap_or(next);
        // What is held open first: what was read of it is known best.
        let is_new = matches!(work.file, File::New(_));
        keyed.push(((next, is_new, modified), work));
    }
    keyed.sort_by_key(|(key, _)| *key);
    keyed
}
