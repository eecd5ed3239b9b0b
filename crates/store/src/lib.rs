//! The memory: SQLite embedded, PostgreSQL for servers; the only place with SQL.
//!
//! Facts come in through [`intake`] only: an input's events, its checkpoint and the marks of what is to be derived
//! anew in one transaction. Readers never write.

pub mod accounts;
pub mod alerts;
mod backend;
pub mod browsers;
pub mod claims;
mod derive;
pub mod foreign;
pub mod forward;
pub mod heartbeats;
mod in_use;
pub mod input;
pub mod intake;
mod names;
pub mod oracle;
mod persons;
mod polls;
mod read;
mod reconcile;
mod registry;
mod retention;
mod running;
mod runs;
mod schema;
mod settings;
pub mod sources;
mod told;
mod upkeep;
mod views;

pub use derive::Progress;
pub use persons::{Forgotten, Known as KnownOfPerson};
pub use read::{CoverageRow, HistoryRow, Reader, SessionRow, Together, UnrecognizedRow};
pub use reconcile::{Differs, Reconciled};
pub use registry::{CatalogEntry, Changes, DirectoryChange, DirectoryRow};
pub use retention::Removed;
pub use told::SeatsTold;
pub use upkeep::{Difference, Status, Verified};
pub use views::{UNKNOWN as UNKNOWN_ORGANIZATION, View, Winterthur};

use accounting::UnixMs;
use accounting::privacy::Privacy;
use backend::{Backend, Postgres, Sqlite};
use std::path::PathBuf;
use std::time::Duration;

/// What can go wrong with a database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such database.
    #[error("there is no database at {0}: `seatledger import` creates one")]
    NotFound(String),
    /// The text names no database.
    #[error("`{0}` names no database: write sqlite:PATH, a path, or postgres://USER@HOST/NAME")]
    BadUrl(String),
    /// How the connection to the database shall be secured is not right.
    #[error("the database's address: {0}")]
    Insecure(String),
    /// The file holds something else.
    #[error("the file is not a database: name another with --db")]
    NoDatabase,
    /// The file is another program's.
    #[error("the file holds another program's tables: name another with --db")]
    Foreign,
    /// The file cannot be opened.
    #[error(
        "the database cannot be opened or made ({0}): is the directory there, and may this user write it?"
    )]
    NotOpened(String),
    /// The file may not be written by who wants to.
    #[error(
        "the database may not be written by this user ({0}): who reads needs that too while it is in use, for the files beside it"
    )]
    ReadOnly(String),
    /// A later version of the program has written it.
    #[error("the database has schema version {found}, this program knows {known}: use a newer seatledger")]
    Newer {
        /// The version of the database.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// Another process moved the same checkpoint or sequence; reading again and trying again is right.
    #[error("another process has written the same at the same time")]
    Conflict,
    /// What is kept of persons does not allow it.
    #[error("{0}")]
    Private(String),
    /// A site collector has nobody who takes what it tells, and as much waits as may.
    #[error(
        "{parts} parts of {bytes} bytes wait for the central service, and no more may: what is not read yet stays where it is"
    )]
    Behind {
        /// How many parts.
        parts: i64,
        /// Their bytes.
        bytes: i64,
    },
    /// Another process holds the database.
    #[error("the database is locked by another process: try again when it is done ({0})")]
    Locked(String),
    /// Nothing more can be written.
    #[error("the database cannot be written, is the disk full? ({0}); nothing is half-stored")]
    Full(String),
    /// Nobody answers there.
    #[error("the database cannot be reached ({0}): is it running, and is the address right?")]
    Unreachable(String),
    /// The connection is gone.
    #[error("the database went away ({0}); nothing is half-stored, run the same command again")]
    Gone(String),
    /// A view cannot have this name.
    #[error("there is a table or view `{0}` in the database already: give the view another name")]
    NameTaken(String),
    /// The database says something that cannot be.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The driver's own error.
    #[error("the database refused: {0}")]
    Driver(String),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Locked(text),
            Some(Code::DiskFull | Code::SystemIoFailure) => Self::Full(text),
            Some(Code::ReadOnly) => Self::ReadOnly(text),
            Some(Code::CannotOpen) => Self::NotOpened(text),
            Some(Code::NotADatabase) => Self::NoDatabase,
            Some(Code::DatabaseCorrupt) => Self::Corrupt(text),
            _ => Self::Driver(text),
        }
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        let text = error.as_db_error().map_or_else(|| chain(&error), |db| db.message().to_owned());
        match error.code().map(postgres::error::SqlState::code) {
            Some(code) => of_sql_state(code, text),
            None if error.is_closed() || is_of_the_connection(&error) => Self::Gone(text),
            None => Self::Driver(text),
        }
    }
}

/// What PostgreSQL says by a code of five letters. What passes by itself, when a server has room again or another one has
/// taken over, is as if it were away.
fn of_sql_state(code: &str, text: String) -> Error {
    match code {
        "53100" => Error::Full(text),
        "40001" | "40P01" => Error::Conflict,
        // A server that may only read has been one that could write: it stands by since another took over.
        "57P01" | "57P02" | "57P03" | "25006" => Error::Gone(text),
        _ if code.starts_with("53") => Error::Gone(text),
        _ => Error::Driver(text),
    }
}

/// Whether an error is one of reading from or writing to the server.
fn is_of_the_connection(error: &postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database; its `Debug` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&redacted(&self.0))
    }
}

/// The address without its password.
fn redacted(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (login, rest))) => {
            format!("{scheme}://{}@{rest}", login.split(':').next().unwrap_or_default())
        }
        None => url.to_owned(),
    }
}

impl Place {
    /// The name by which people know the database: that of the PostgreSQL database, or the file's without its ending.
    pub fn service_name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Postgres(url) => {
                let config = backend::Address::of(&url.0).ok().map(|address| address.config);
                // Where the address names no database PostgreSQL takes that of the user's name.
                let name = config.as_ref().and_then(|config| config.get_dbname().or(config.get_user()));
                name.unwrap_or_default().to_owned()
            }
        }
    }
}

impl std::str::FromStr for Place {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(PostgresUrl(url.to_owned())));
        }
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        if path.is_empty() || (path == url && url.contains("://")) {
            return Err(Error::BadUrl(redacted(url)));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgres(url) => write!(out, "{url:?}"),
        }
    }
}

/// How long a reader waits for a writer, to book what was accepted; reading itself waits for nobody.
pub(crate) const READERS_PATIENCE: Duration = Duration::from_secs(2);

/// A ledger: one connection to the database that holds it.
pub struct Store {
    backend: Box<dyn Backend>,
    /// Where it is, for connections beside this one.
    place: Place,
    /// What is known of the ledger while heartbeats are taken in.
    heartbeats: heartbeats::Known,
    /// What time it is, where somebody said so: whether heartbeats have ceased is a matter of it.
    now: Option<UnixMs>,
    /// What is kept of persons by what this connection writes.
    privacy: Privacy,
    /// Whether things are being read of one state of the ledger.
    is_reading: bool,
    /// What is known of that state, while several things read it.
    state: Option<derive::Context>,
    /// Holders and persons, for who reads again.
    kept: names::Kept,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Store({})", self.backend.name())
    }
}

/// What opens connections to one ledger that keep the same of persons.
#[derive(Debug, Clone)]
pub struct Opener {
    place: Place,
    privacy: Privacy,
    kept: names::Kept,
}

impl Opener {
    /// For those who only read: nothing is known of what is kept of persons.
    pub fn of(place: &Place) -> Self {
        Self { place: place.clone(), privacy: Privacy::default(), kept: names::Kept::default() }
    }

    /// A connection for writing, which waits at most so long for another writer.
    pub fn open(&self, patience: Duration) -> Result<Store, Error> {
        let store = Store::create_with_patience(&self.place, patience)?;
        Ok(Store { privacy: self.privacy.clone(), kept: self.kept.clone(), ..store })
    }

    /// A connection for reading a ledger that must be there.
    pub fn open_for_reading(&self) -> Result<Store, Error> {
        Ok(Store { kept: self.kept.clone(), ..Store::open(&self.place)? })
    }

    /// How long after a bucket its heartbeats are still taken in, in milliseconds.
    pub fn late_ms(&self, interval_ms: i64) -> i64 {
        self.privacy.late_ms(interval_ms)
    }
}

impl Store {
    /// What opens further connections like this one.
    pub fn opener(&self) -> Opener {
        Opener { place: self.place.clone(), privacy: self.privacy.clone(), kept: self.kept.clone() }
    }

    fn new(backend: Box<dyn Backend>, place: &Place) -> Self {
        let (heartbeats, privacy) = (heartbeats::Known::default(), Privacy::default());
        let kept = names::Kept::default();
        let place = place.clone();
        Self { backend, place, heartbeats, now: None, privacy, is_reading: false, state: None, kept }
    }

    /// Whether a file is the ledger, or lies beside it for SQLite. Nobody else is to open it: whoever closes it lets go of
    /// the locks that this process has on it.
    pub fn is_own_file(&self, path: &std::path::Path) -> bool {
        let Place::Sqlite(ledger) = &self.place else { return false };
        let (Ok(path), Ok(ledger)) = (path.canonicalize(), ledger.canonicalize()) else { return false };
        let beside = |ending: &str| {
            let mut name = ledger.clone().into_os_string();
            name.push(ending);
            path.as_os_str() == name
        };
        ["", "-wal", "-shm", "-journal"].into_iter().any(beside)
    }

    /// Does work that may fill a ledger into which nothing has been read yet: while it is small, and nobody else has it open, what
    /// is written goes to its place at once.
    pub fn filling<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Result<T, Error> {
        let backend = self.backend.as_mut();
        let read = backend::one(backend, "select count(*) from input", &[], |row| row.int(0))?;
        if read == Some(0) {
            backend.fill(true)?;
        }
        let done = work(self);
        // What was done is done: where that fails, whoever opens the file next does it.
        let _ = self.backend.fill(false);
        Ok(done)
    }

    /// Says what time it is to whom the ledger is shown; else it is the time of the ledger's last evidence.
    pub fn tell_time(&mut self, now: UnixMs) {
        self.now = Some(now);
    }

    /// Opens a ledger for writing; creates the database file and migrates it, under a lock.
    pub fn create(place: &Place) -> Result<Self, Error> {
        let mut backend = connect(place, true, None)?;
        schema::migrate(backend.as_mut())?;
        Ok(Self::new(backend, place))
    }

    /// Opens a ledger that must be there, for reading. Nothing is created or migrated.
    pub fn open(place: &Place) -> Result<Self, Error> {
        let mut backend = connect(place, false, Some(READERS_PATIENCE))?;
        schema::check(backend.as_mut(), place)?;
        Ok(Self::new(backend, place))
    }

    /// As [`Self::create`], waiting at most so long for another writer.
    pub fn create_with_patience(place: &Place, patience: Duration) -> Result<Self, Error> {
        let mut backend = connect(place, true, Some(patience))?;
        schema::migrate(backend.as_mut())?;
        Ok(Self::new(backend, place))
    }
}

fn connect(place: &Place, create: bool, patience: Option<Duration>) -> Result<Box<dyn Backend>, Error> {
    Ok(match place {
        Place::Sqlite(path) if !create && !path.exists() => {
            return Err(Error::NotFound(path.display().to_string()));
        }
        Place::Sqlite(path) => Box::new(Sqlite::open(path, create, patience)?),
        Place::Postgres(url) => Box::new(Postgres::open(&url.0)?),
    })
}

#[cfg(test)]
mod tests {
    use super::{Error, of_sql_state};

    #[test]
    fn what_passes_by_itself_is_as_if_the_database_were_away() {
        let of = |code: &str| of_sql_state(code, String::new());
        for code in ["53000", "53200", "53300", "53400", "57P01", "57P03", "25006"] {
            assert!(matches!(of(code), Error::Gone(_)), "{code}");
        }
        assert!(matches!(of("53100"), Error::Full(_)));
        assert!(matches!(of("40001"), Error::Conflict));
        assert!(matches!(of("23505"), Error::Driver(_)));
    }
}
