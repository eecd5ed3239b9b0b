//! Events on disk until they are told: a file each, private, complete when it has its name, durable when it is put.
//!
//! A run has one file at most, with its latest state, which says all that the earlier ones said. Files are told in the order
//! in which they were written, and removed when they are told; what dies between the two is told again, and counts once.

use super::target::{Unheard, Way};
use crate::clock;
use anyhow::Context as _;
use formats::events::Told;
use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// How many events a spool holds at most.
const MOST: usize = 20_000;
/// How many are told together.
const TOGETHER: usize = 500;
/// An event that nobody wanted for so long, in milliseconds, goes.
const KEPT_MS: i64 = 180 * 86_400_000;
/// The ending of an event's file.
const ENDING: &str = ".json";

/// The spool of one target.
#[derive(Debug, Clone)]
pub(crate) struct Spool {
    directory: PathBuf,
}

/// An event's file.
#[derive(Debug)]
pub(crate) struct Put(PathBuf);

/// Where spools are: `SEATLEDGER_SPOOL`, else of the user's own.
fn root() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let of_state = || set("XDG_STATE_HOME").map(|state| state.join("seatledger/spool"));
    let of_home = || set("HOME").map(|home| home.join(".local/state/seatledger/spool"));
    set("SEATLEDGER_SPOOL").or_else(of_state).or_else(of_home).unwrap_or_else(of_nobody)
}

/// Of a user without a home.
fn of_nobody() -> PathBuf {
    std::env::temp_dir().join(format!("seatledger-spool-{}", rustix::process::getuid().as_raw()))
}

impl Spool {
    /// The spool of a target, made where it is not there; where the user's own place cannot be written, a temporary one.
    pub(crate) fn open(way: &Way) -> anyhow::Result<Self> {
        let digest = Sha256::digest(way.target().to_string());
        let name = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let made = private(&root()).or_else(|_| private(&of_nobody()));
        let root =
            made.with_context(|| format!("no spool can be made: {} cannot be written", root().display()))?;
        let directory = private(&root.join(format!("{name:016x}"))).context("no spool can be made")?;
        Ok(Self { directory })
    }

    /// Puts an event in, durably.
    pub(crate) fn put(&self, told: &Told) -> anyhow::Result<Put> {
        anyhow::ensure!(
            self.files()?.len() < MOST,
            "{} is full: nobody has taken its {MOST} events",
            self.directory.display()
        );
        let name = format!("{:013}-{}", clock::now().max(0), super::new_id());
        let (path, making) =
            (self.directory.join(name.clone() + ENDING), self.directory.join(format!("{name}.new")));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&making)?;
            file.write_all(told.to_line().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_data()?;
            std::fs::rename(&making, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        let written = write();
        if written.is_err() {
            let _ = std::fs::remove_file(&making);
        }
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Put(path))
    }

    /// Takes an event out.
    pub(crate) fn remove(&self, put: &Put) {
        // Somebody else has told it.
        let _ = std::fs::remove_file(&put.0);
    }

    /// Tells what others have left, unless somebody is at it; how many events that were. What the service will never take
    /// is said to `complain`.
    pub(crate) fn tell_all(&self, way: &Way, complain: &mut dyn FnMut(&str)) -> Result<usize, Unheard> {
        let lock = self.directory.join("lock");
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock);
        let Ok(lock) = lock else { return Ok(0) };
        if lock.try_lock().is_err() {
            return Ok(0);
        }
        let oldest = format!("{:013}", clock::now() - KEPT_MS);
        let files = self.files().unwrap_or_default();
        let mut told = 0;
        for paths in files.chunks(TOGETHER) {
            let mut events = Vec::with_capacity(paths.len());
            for path in paths {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                match std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<Told>(&text).ok()) {
                    Some(told) if *name >= *oldest => events.push(told),
                    _ => complain(&format!("{} is left out", path.display())),
                }
            }
            let unwanted = way.tell(&events, false)?;
            told += events.len().saturating_sub(unwanted.len());
            for reason in unwanted {
                complain(&format!("an event is not wanted: {reason}"));
            }
            for path in paths {
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(told)
    }

    /// How many events wait.
    pub(crate) fn waiting(&self) -> usize {
        self.files().map_or(0, |files| files.len())
    }

    /// The files of events, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.as_os_str().to_string_lossy().ends_with(ENDING) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// A directory that only its owner reads, made where it is not there.
fn private(path: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let about = std::fs::symlink_metadata(path)?;
    if !about.is_dir() || about.uid() != rustix::process::getuid().as_raw() {
        return Err(io::Error::other(format!("{} is somebody else's", path.display())));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::events::Instant;
    use std::os::unix::fs::PermissionsExt as _;

    fn run(id: &str) -> Told {
        let (feature, user, host) = ("solver".to_owned(), "chen".to_owned(), "ws-12".to_owned());
        let from = Instant(clock::now());
        let (version, until, seen_at, awaited_until) = (None, Some(from), None, None);
        Told::Run { id: id.to_owned(), feature, version, user, host, from, until, seen_at, awaited_until }
    }

    #[test]
    fn events_are_private_and_in_the_order_in_which_they_were_put() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool { directory: private(&folder.path().join("spool")).unwrap() };
        let puts: Vec<Put> = ["a", "b", "c"].map(|id| spool.put(&run(id)).unwrap()).into();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&spool.directory), mode(&puts[0].0)), (0o700, 0o600));
        spool.remove(&puts[1]);
        let left: Vec<String> =
            spool.files().unwrap().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left.iter().all(|line| line.ends_with("}\n")), "{left:?}");
    }

    #[test]
    fn what_nobody_hears_stays() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool { directory: private(folder.path()).unwrap() };
        spool.put(&run("a")).unwrap();
        // The port of nobody.
        let way = Way::new("http://127.0.0.1:1".parse().unwrap(), None);
        let told = spool.tell_all(&way, &mut |complaint| panic!("{complaint}"));
        assert!(matches!(told, Err(Unheard::Away(_))), "{told:?}");
        assert_eq!(spool.files().unwrap().len(), 1);
    }
}
