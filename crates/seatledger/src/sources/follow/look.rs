//! A cheap look at files: whether there is anything new, without opening them.

use crate::config::Followed;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a file is, whatever it is called: device and inode.
pub(super) type FileId = (u64, u64);

/// How a file looks from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) id: FileId,
    pub(super) size: u64,
    pub(super) modified: (i64, i64),
}

impl Look {
    pub(super) fn of(about: &Metadata) -> Self {
        let modified = (about.mtime(), about.mtime_nsec());
        Self { id: (about.dev(), about.ino()), size: about.len(), modified }
    }
}

/// All files that are followed, by path.
pub(super) type Looks = BTreeMap<PathBuf, Look>;

/// So many files are looked at each time; of more only those that have changed of late.
const ALWAYS: usize = 200;
/// A file that has not changed for so long is looked at less often, where there are many.
const QUIET: Duration = Duration::from_mins(10);
/// How often that is.
const SELDOM: Duration = Duration::from_secs(5);
/// For so long after a directory has changed it is listed each time: clocks of file systems are coarse.
const RESTLESS: Duration = Duration::from_secs(3);

/// Looks at the files of a source again and again.
pub(super) struct Looker {
    files: Files,
    looks: Looks,
    /// When each file was seen to have changed, and when all were looked at.
    changed: BTreeMap<PathBuf, Instant>,
    all_at: Option<Instant>,
    directory: Option<Directory>,
}

/// How the directory of the files looks.
struct Directory {
    look: Look,
    /// Since when it looks so.
    since: Instant,
    /// When it was listed.
    listed: Instant,
}

/// Which files, and how they are told from those that they leave behind when they rotate.
pub(super) struct Files {
    directory: PathBuf,
    pattern: glob::Pattern,
    /// The one file, where it is one.
    only: Option<PathBuf>,
}

impl Files {
    pub(super) fn new(followed: &Followed) -> anyhow::Result<Self> {
        Ok(match followed {
            Followed::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let directory = path.parent().map(Path::to_owned).unwrap_or_default();
                let pattern = glob::Pattern::new(&glob::Pattern::escape(&name))?;
                Self { directory, pattern, only: Some(path.clone()) }
            }
            Followed::Matching { directory, pattern } => {
                Self { directory: directory.clone(), pattern: glob::Pattern::new(pattern)?, only: None }
            }
        })
    }

    pub(super) fn listed_directory(&self) -> &Path {
        if self.directory.as_os_str().is_empty() { Path::new(".") } else { &self.directory }
    }

    fn matching(&self) -> io::Result<Vec<PathBuf>> {
        let matching = self.listed()?.filter(|(_, name)| self.pattern.matches(name));
        Ok(matching.map(|(path, _)| path).collect())
    }

    fn listed(&self) -> io::Result<impl Iterator<Item = (PathBuf, String)> + use<>> {
        let entries = std::fs::read_dir(self.listed_directory())?.filter_map(Result::ok);
        let directory = self.directory.clone();
        Ok(entries.map(move |entry| {
            let name = entry.file_name();
            (directory.join(&name), name.to_string_lossy().into_owned())
        }))
    }

    /// Names of followed files that a file has with something behind it, the longest first: `debug.log` of
    /// `debug.log.1.gz`.
    pub(super) fn bases_of(&self, path: &Path) -> impl Iterator<Item = PathBuf> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ends = name.match_indices(['.', '-', '_']).map(|(at, _)| &name[..at]);
        let mut bases: Vec<PathBuf> =
            ends.filter(|base| self.pattern.matches(base)).map(|base| path.with_file_name(base)).collect();
        bases.reverse();
        bases.into_iter()
    }

    /// Whether a name in the directory is that of a followed file, or of what one may be rotated to.
    fn concern(&self, path: &Path, name: &str) -> bool {
        self.pattern.matches(name) || self.bases_of(path).next().is_some()
    }

    /// Files beside the followed ones that may be what these were called before, with what they were called.
    pub(super) fn rotated(&self, looks: &Looks) -> Vec<(PathBuf, PathBuf, Look)> {
        let Ok(listed) = self.listed() else { return Vec::new() };
        let others = listed.filter(|(path, name)| !looks.contains_key(path) && !self.pattern.matches(name));
        let rotated = others.filter_map(|(path, _)| {
            // A file that is there, else the plainest name.
            let base = self.bases_of(&path).find(|base| looks.contains_key(base));
            let base = base.or_else(|| self.bases_of(&path).last())?;
            let about = std::fs::metadata(&path).ok().filter(Metadata::is_file)?;
            Some((path, base, Look::of(&about)))
        });
        rotated.collect()
    }
}

impl Looker {
    pub(super) fn new(files: Files) -> Self {
        let (looks, changed) = (Looks::new(), BTreeMap::new());
        Self { files, looks, changed, all_at: None, directory: None }
    }

    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    /// Something happened to what has this name in the directory: a followed file is looked at the next time, however
    /// quiet it was. Whether it concerns them.
    pub(super) fn noticed(&mut self, name: &str) -> bool {
        let path = self.files.directory.join(name);
        if let Some(changed) = self.changed.get_mut(&path) {
            *changed = Instant::now();
            return true;
        }
        self.files.concern(&path, name)
    }

    /// How all files look now, and whether others may have come beside them.
    pub(super) fn look(&mut self) -> io::Result<(&Looks, bool)> {
        let now = Instant::now();
        let all = self.looks.len() <= ALWAYS || self.all_at.is_none_or(|at| now - at >= SELDOM);
        if all {
            self.all_at = Some(now);
        }
        let restless = self.is_restless(now)?;
        let listed = match &self.files.only {
            Some(only) => vec![only.clone()],
            None if restless => self.files.matching()?,
            None => self.looks.keys().cloned().collect(),
        };
        let mut looks = Looks::new();
        for path in listed {
            let before = self.looks.get(&path);
            let quiet = self.changed.get(&path).is_some_and(|at| now - *at >= QUIET);
            let look = match before {
                Some(before) if quiet && !all => Some(*before),
                _ => looked_at(&path)?,
            };
            let Some(look) = look else { continue };
            if before != Some(&look) {
                self.changed.insert(path.clone(), now);
            }
            looks.insert(path, look);
        }
        self.changed.retain(|path, _| looks.contains_key(path));
        self.looks = looks;
        Ok((&self.looks, restless))
    }

    /// Whether the directory must be listed: it has changed of late, or was not listed for long.
    fn is_restless(&mut self, now: Instant) -> io::Result<bool> {
        let look = match std::fs::metadata(self.files.listed_directory()) {
            Ok(about) => Look::of(&about),
            // A file that is not there yet may be in a directory that is not.
            Err(error) if self.files.only.is_some() && error.kind() == io::ErrorKind::NotFound => {
                self.directory = None;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        let since = match &self.directory {
            Some(before) if before.look == look => before.since,
            _ => now,
        };
        let listed = self.directory.as_ref().filter(|_| now - since >= RESTLESS).map(|before| before.listed);
        let restless = listed.is_none_or(|at| now - at >= SELDOM);
        let listed = listed.filter(|_| !restless).unwrap_or(now);
        self.directory = Some(Directory { look, since, listed });
        Ok(restless)
    }
}

/// How a file looks; none where there is no file.
fn looked_at(path: &Path) -> io::Result<Option<Look>> {
    match std::fs::metadata(path) {
        Ok(about) => Ok(about.is_file().then(|| Look::of(&about))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
