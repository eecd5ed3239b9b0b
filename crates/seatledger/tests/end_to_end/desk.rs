//! A working directory with a ledger, and the compiled program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

/// A directory with a configuration (civil time is UTC) and a ledger in it, or on PostgreSQL.
pub(crate) struct Desk {
    directory: TempDir,
    db: String,
    schema: Option<Schema>,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Desk {
    /// With a SQLite file.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("seatledger.toml"), "timezone = \"UTC\"\n").unwrap();
        Self { directory, db: "sqlite:ledger.db".to_owned(), schema: None }
    }

    /// With a schema of its own on the PostgreSQL of the tests.
    pub(crate) fn on_postgres() -> Self {
        let schema = Schema::create();
        Self { db: schema.url.clone(), schema: Some(schema), ..Self::new() }
    }

    /// With a database that is somewhere else.
    pub(crate) fn with_db(self, url: &str) -> Self {
        Self { db: url.to_owned(), ..self }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The SQLite file.
    pub(crate) fn db_file(&self) -> PathBuf {
        self.path("ledger.db")
    }

    /// The address of the database.
    pub(crate) fn db(&self) -> &str {
        &self.db
    }

    /// Does without the present ledger; the next command begins another.
    pub(crate) fn begin_anew(&mut self) {
        if self.schema.is_some() {
            let schema = Schema::create();
            self.db.clone_from(&schema.url);
            self.schema = Some(schema);
            return;
        }
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(self.path(&format!("ledger.db{suffix}")));
        }
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).unwrap();
        }
        std::fs::write(path, content).unwrap();
    }

    /// The program with arguments, here, with this ledger.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.directory.path(), arguments);
        command.env("SEATLEDGER_DB", &self.db);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("the program runs").into()
    }

    /// Runs a command that must do all that was asked; its standard output.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.ends(0, arguments).out
    }

    /// Runs a command that must end with this exit code.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}\n{}\n{}", ran.out, ran.err);
        ran
    }

    /// Imports in UTC; all must be understood.
    #[track_caller]
    pub(crate) fn import(&self, inputs: &[&str]) -> String {
        self.ok(&[&["import", "--timezone", "UTC"], inputs].concat())
    }

    /// Imports what is piped in.
    #[track_caller]
    pub(crate) fn import_piped(&self, bytes: &[u8]) -> Ran {
        self.run_piped(&["import", "--timezone", "UTC", "-"], bytes)
    }

    /// Runs a command with what is piped in.
    pub(crate) fn run_piped(&self, arguments: &[&str], bytes: impl AsRef<[u8]>) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses its arguments reads nothing.
        let _ = std::io::Write::write_all(&mut stdin, bytes.as_ref());
        drop(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// All that the books say, without the names of inputs; they must balance.
    #[track_caller]
    pub(crate) fn books(&self) -> Books {
        self.ok(&["verify"]);
        Books {
            sessions: without_source(&self.ok(&["sessions", "--format", "csv"])),
            history: without_source(&self.ok(&["history", "--format", "csv"])),
            usage: lines(&self.ok(&[
                "report",
                "usage",
                "--by",
                "day,feature,user,server",
                "--format",
                "csv",
            ])),
            concurrency: lines(&self.ok(&["report", "concurrency", "--step", "day", "--format", "csv"])),
        }
    }
}

/// What must be the same however the same events came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) sessions: Vec<String>,
    pub(crate) history: Vec<String>,
    pub(crate) usage: Vec<String>,
    pub(crate) concurrency: Vec<String>,
}

impl Books {
    /// The first difference, readable even where the books are long.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let parts = [
            ("sessions", &self.sessions, &other.sessions),
            ("history", &self.history, &other.history),
            ("usage", &self.usage, &other.usage),
            ("concurrency", &self.concurrency, &other.concurrency),
        ];
        parts.into_iter().find_map(|(what, ours, theirs)| {
            let lacks = ours.iter().find(|line| !theirs.contains(line));
            let extra = theirs.iter().find(|line| !ours.contains(line));
            (ours != theirs).then(|| {
                let (here, there) = (ours.len(), theirs.len());
                format!("{what}: {here} lines, {there} lines; only here {lacks:?}, only there {extra:?}")
            })
        })
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self, how: &str) {
        if let Some(difference) = self.difference(other) {
            panic!("{how}: {difference}");
        }
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// CSV without its last column, sorted: rows of one instant have no order of their own.
fn without_source(csv: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let source = reader.headers().unwrap().iter().position(|name| name == "source").expect("a source column");
    let row = |row: csv::StringRecord| {
        row.iter()
            .enumerate()
            .filter(|(at, _)| *at != source)
            .map(|(_, cell)| cell)
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut rows: Vec<String> = reader.records().map(|record| row(record.unwrap())).collect();
    rows.sort();
    rows
}

/// The program, without anything of this machine's surroundings.
pub(crate) fn program(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatledger"));
    command.args(arguments).current_dir(directory).env("TZ", "UTC").env_remove("SEATLEDGER_DB");
    command.stdin(Stdio::null());
    command
}

/// The PostgreSQL that the tests use.
pub(crate) fn postgres_url() -> String {
    std::env::var("SEATLEDGER_TEST_POSTGRES")
        .expect("SEATLEDGER_TEST_POSTGRES names no PostgreSQL: run scripts/test, which starts one")
}

/// A schema of one test, gone with it.
struct Schema {
    name: String,
    url: String,
}

impl Schema {
    fn create() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("e2e_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let base = postgres_url();
        let separator = if base.contains('?') { '&' } else { '?' };
        sql(&base, &format!("create schema {name}"));
        Self { url: format!("{base}{separator}options=-csearch_path%3D{name}"), name }
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if let Ok(mut client) = postgres::Client::connect(&postgres_url(), postgres::NoTls) {
            let _ = client.batch_execute(&format!("drop schema {} cascade", self.name));
        }
    }
}

fn sql(url: &str, statement: &str) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).expect("the tests' PostgreSQL answers");
    client.batch_execute(statement).unwrap();
}
