//! The command line: one file a subcommand.

#![expect(clippy::print_stderr, reason = "the command line's own face")]

mod alert;
mod calendar;
mod catalog;
mod check;
mod config;
mod db;
mod demo;
mod directory;
mod export;
mod history;
mod import;
mod password;
mod person;
mod poll;
mod progress;
mod rebuild;
mod record;
mod report;
mod role;
mod run;
mod serve;
mod sessions;
mod token;
mod told;
mod unrecognized;
mod user;
mod verify;

pub(crate) use crate::answers::wrong_usage;

use crate::answers::{EachRow, WrongUsage};
use crate::config::{Config, OldTable};
use crate::render::{self, About, Face, Look, Rows};
use crate::texts::{Language, Texts};
use crate::{clock, keys};
use accounting::report::note::{self, Note};
use accounting::report::{Column, Report};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use jiff::tz::TimeZone;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use store::{Place, Store, View};

/// How a command ended, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    /// All is well.
    Well,
    /// It could not do what was asked; a message says why.
    Failed,
    /// Done, but some input was not understood.
    PartlyUnderstood,
}

impl From<Done> for ExitCode {
    fn from(done: Done) -> Self {
        match done {
            Done::Well => Self::from(0),
            Done::Failed => Self::from(1),
            Done::PartlyUnderstood => Self::from(3),
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  seatledger demo --once                     an invented company's year, its headline reports
  seatledger import /var/log/flexlm          all logs of a directory, each line once
  seatledger report usage --by month,feature
  seatledger report levels --feature 'hfss*' --format csv -o levels.csv
  seatledger verify                          the books balance, or the first difference

Exit codes: 0 done; 1 it failed; 2 wrong usage; 3 done, but some input was not understood.";

/// Who used which licensed software, when, and for how long: license-server logs in, balanced books and reports out.
#[derive(Debug, Parser)]
#[command(name = "seatledger", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The database: sqlite:PATH, a path, or <postgres://USER@HOST/NAME> [default: the configuration's, else ./seatledger.db]
    #[arg(long, global = true, env = "SEATLEDGER_DB", hide_env_values = true, value_name = "URL")]
    db: Option<String>,
    /// The configuration [default: ./seatledger.toml if there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Import(import::Import),
    Serve(serve::Serve),
    Check(check::Check),
    Run(run::RunCommand),
    Record(record::RecordCommand),
    Report(report::Report),
    Poll(poll::Poll),
    Sessions(sessions::SessionsCommand),
    History(history::HistoryCommand),
    Unrecognized(unrecognized::Unrecognized),
    Directory(directory::Directory),
    Catalog(catalog::Catalog),
    Export(export::Export),
    Person(person::Person),
    Verify(verify::Verify),
    Rebuild(rebuild::Rebuild),
    Db(db::Db),
    Config(config::ConfigCommand),
    Calendar(calendar::CalendarCommand),
    User(user::Users),
    Token(token::Tokens),
    Alert(alert::Alerts),
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let result = match cli.command {
        Command::Demo(command) => command.run(&cli.global),
        Command::Import(command) => command.run(&cli.global),
        Command::Serve(command) => command.run(&cli.global),
        Command::Check(command) => command.run(&cli.global),
        Command::Poll(command) => command.run(&cli.global),
        // Its exit code is that of the command that it runs.
        Command::Run(command) => return command.run(),
        Command::Record(command) => command.run(),
        Command::Report(command) => command.run(&cli.global),
        Command::Sessions(command) => command.run(&cli.global),
        Command::History(command) => command.run(&cli.global),
        Command::Unrecognized(command) => command.run(&cli.global),
        Command::Directory(command) => command.run(&cli.global),
        Command::Catalog(command) => command.run(&cli.global),
        Command::Export(command) => command.run(&cli.global),
        Command::Person(command) => command.run(&cli.global),
        Command::Verify(command) => command.run(&cli.global),
        Command::Rebuild(command) => command.run(&cli.global),
        Command::Db(command) => command.run(&cli.global),
        Command::Config(command) => command.run(&cli.global),
        Command::Calendar(command) => command.run(&cli.global),
        Command::User(command) => command.run(&cli.global),
        Command::Token(command) => command.run(&cli.global),
        Command::Alert(command) => command.run(&cli.global),
    };
    match result {
        Ok(done) => done.into(),
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::from(0),
        Err(error) => {
            eprintln!("seatledger: {error:#}");
            if is_wrong_usage(&error) { ExitCode::from(2) } else { Done::Failed.into() }
        }
    }
}

fn is_wrong_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<WrongUsage>()
            || matches!(cause.downcast_ref(), Some(store::Error::BadUrl(_) | store::Error::Insecure(_)))
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_of_pipe))
}

fn is_of_pipe(error: &io::Error) -> bool {
    // The writer of CSV wraps it, and tells no cause.
    let of_csv = || error.get_ref()?.downcast_ref::<csv::Error>().map(csv::Error::kind);
    error.kind() == io::ErrorKind::BrokenPipe
        || matches!(of_csv(), Some(csv::ErrorKind::Io(error)) if is_of_pipe(error))
}

impl Global {
    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Config::read(self.config.as_deref())
    }

    /// The database that is meant: the option or `SEATLEDGER_DB`, else the configuration's, else ./seatledger.db.
    pub(crate) fn place(&self, config: &Config) -> anyhow::Result<Place> {
        let url = self.db.as_deref().or(config.db.as_deref()).unwrap_or("sqlite:seatledger.db");
        Ok(url.parse()?)
    }

    /// Opens the ledger for reading.
    pub(crate) fn open(&self) -> anyhow::Result<(Store, Config)> {
        let config = self.config()?;
        let place = self.place(&config)?;
        let mut store = Store::open(&place).with_context(|| format!("cannot open {place}"))?;
        store.tell_time(clock::now());
        Ok((store, config))
    }

    /// Opens the ledger for writing; creates and migrates it, and puts the configuration's calendar in force.
    pub(crate) fn create(&self) -> anyhow::Result<(Store, Config)> {
        let config = self.config()?;
        let place = self.place(&config)?;
        let mut store = Store::create(&place).with_context(|| format!("cannot open {place}"))?;
        let own = if store.has_calendar()? { Some(store.calendar()?) } else { None };
        let is_own = own.is_some() && config.calendar.is_none() && config.timezone.is_none();
        // The ledger's own may be changed by an admin at this moment: it is not written back.
        if !is_own {
            store.set_calendar(&config.calendar_over(own, &default_zone(&config))?)?;
        }
        store.keep(keys::privacy(&config.privacy)?)?;
        set_views(&mut store, &config)?;
        Ok((store, config))
    }

    /// The same with a file that is gone when its directory is dropped, where the ledger is a file that is not there.
    pub(crate) fn scratch(&self) -> anyhow::Result<Option<(tempfile::TempDir, Self)>> {
        match self.place(&self.config()?)? {
            Place::Sqlite(path) if !path.exists() => {
                let directory = tempfile::tempdir()?;
                let file = directory.path().join("ledger.db");
                let global = Self { db: Some(format!("sqlite:{}", file.display())), ..self.clone() };
                Ok(Some((directory, global)))
            }
            _ => Ok(None),
        }
    }

    /// Opens the ledger for writing what is no fact: creates and migrates it, and leaves its calendar alone.
    pub(crate) fn create_as_it_is(&self) -> anyhow::Result<Store> {
        let config = self.config()?;
        let place = self.place(&config)?;
        let mut store = Store::create(&place).with_context(|| format!("cannot open {place}"))?;
        // A migration has taken them away.
        set_views(&mut store, &config)?;
        Ok(store)
    }
}

/// Makes the views that the configuration wants, or takes them away. Where there is no configuration at all they stay.
fn set_views(store: &mut Store, config: &Config) -> anyhow::Result<()> {
    let view = |table: &OldTable| View { name: table.view_name().to_owned(), columns: table.columns.clone() };
    let wanted = config.winterthur.as_ref().map(|names| store::Winterthur {
        acad_user: view(&names.acad_user),
        user: view(&names.user),
        usage: view(&names.usage),
        interval_ms: config.heartbeats.interval.ms(),
    });
    if wanted.is_some() || config.file.is_some() {
        store.set_winterthur_views(wanted.as_ref()).context("cannot make the views of [views.winterthur]")?;
    }
    Ok(())
}

/// The zone of what no one gives a zone: the configuration's, else the machine's, else UTC.
pub(crate) fn default_zone(config: &Config) -> String {
    config.timezone.clone().unwrap_or_else(clock::machine_zone)
}

/// Where and how a listing is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct Shown {
    /// How to show it: for people, or for machines
    #[arg(long, value_enum, default_value_t = Face::Table, value_name = "FORMAT")]
    format: Face,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What is said in words in html and xlsx is in this language [default: en]
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    language: Option<Language>,
}

impl Shown {
    /// Writes a report that was asked with these options.
    pub(crate) fn report(
        &self,
        report: &Report,
        zone: &TimeZone,
        told: Vec<(String, String)>,
    ) -> anyhow::Result<()> {
        self.write(report.name, &report.columns, told, |about, look, out| {
            Ok(render::report(report, self.format, zone, look, about, out)?)
        })
    }

    /// Writes the rows that `list` lends, as a listing that was asked with these options.
    pub(crate) fn list(
        &self,
        (name, columns): (&str, &[Column]),
        zone: &TimeZone,
        told: Vec<(String, String)>,
        list: impl FnOnce(EachRow<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.list_or_say((name, columns), zone, told, render::NOTHING, list)
    }

    /// As [`Self::list`]; where there is no row people read `nothing`.
    pub(crate) fn list_or_say(
        &self,
        (name, columns): (&str, &[Column]),
        zone: &TimeZone,
        told: Vec<(String, String)>,
        nothing: &str,
        list: impl FnOnce(EachRow<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.write(name, columns, told, |about, look, out| {
            let mut rows = Rows::new(self.format, columns.to_vec(), zone, look, out).or_else_say(nothing);
            if let Some(about) = about {
                rows = rows.about(about);
            }
            list(&mut |cells| rows.row(cells))?;
            Ok(rows.finish(&[])?)
        })
    }

    /// Calls `write` with where the output goes; a file appears under its name only when it is whole.
    fn write(
        &self,
        name: &str,
        columns: &[Column],
        told: Vec<(String, String)>,
        write: impl FnOnce(Option<&About>, &Look, &mut dyn Write) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.language.is_some() && !self.format.is_file() {
            return Err(wrong_usage(
                "--language belongs to --format html and xlsx: the others say nothing in words",
            ));
        }
        if self.format == Face::Xlsx && self.output.is_none() && io::stdout().is_terminal() {
            return Err(wrong_usage(format!("a workbook is nothing for a terminal: add `-o {name}.xlsx`")));
        }
        let texts = Texts::of(self.language.unwrap_or_default());
        let about = self.format.is_file().then(|| texts.about(name, columns, told));
        write_whole(self.output.as_deref(), |look, out| write(about.as_ref(), look, out))
    }
}

/// Calls `write` with where the output goes: standard output, or a file, which appears under its name only when it is whole.
pub(crate) fn write_whole(
    output: Option<&Path>,
    write: impl FnOnce(&Look, &mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(path) = output else {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&Look::of_stdout(), &mut out)?;
        return Ok(out.flush()?);
    };
    let look = Look { width: 100, color: false, bars: false };
    let cannot = || format!("cannot write {}", path.display());
    let there = path.metadata().ok();
    // What the system names by these leads to what a shell has opened: behind it something may stand already.
    let is_of_system = ["/dev/", "/proc/"].iter().any(|of| path.starts_with(of));
    // A link stays one.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if !is_of_system
        && there.as_ref().is_none_or(Metadata::is_file)
        && let Some(whole) = file_beside(&real, there.as_ref())
    {
        let mut out = BufWriter::new(whole);
        write(&look, &mut out)?;
        let whole = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        whole.persist(&real).with_context(cannot)?;
        return Ok(());
    }
    // A pipe, a device, a file in a directory in which none may be made: what is there is written to.
    let mut open = File::options();
    open.write(true).create(true).append(is_of_system).truncate(!is_of_system);
    let mut out = BufWriter::new(open.open(path).with_context(cannot)?);
    write(&look, &mut out)?;
    Ok(out.flush()?)
}

/// A file that is to take the place of another one, of the same owner and with the same rights; `None` where none can be.
fn file_beside(path: &Path, there: Option<&Metadata>) -> Option<tempfile::NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let file = builder.tempfile_in(directory.unwrap_or_else(|| Path::new("."))).ok()?;
    if let Some(there) = there {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            let own = file.as_file().metadata().ok()?;
            if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
                fchown(file.as_file(), Some(there.uid()), Some(there.gid())).ok()?;
            }
        }
        file.as_file().set_permissions(there.permissions()).ok()?;
    }
    Some(file)
}

impl Shown {
    /// Says on standard error the notes that the face has no place for.
    pub(crate) fn say_notes(&self, notes: &[Note], zone: &TimeZone) {
        let in_output = self.format == Face::Table || self.format.is_file();
        for note in notes.iter().filter(|_| !in_output) {
            let said = note::said(note, zone);
            let words: Vec<String> = said.split_whitespace().map(render::printable).collect();
            eprintln!("Note: {}", words.join(" "));
        }
    }
}

/// Says what a command did, to people. Where nobody listens any more the command goes on.
pub(crate) fn say(text: &str) {
    if let Err(error) = writeln!(io::stdout().lock(), "{text}")
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        warn(&format!("standard output: {error}"));
    }
}

/// Says what went wrong, or what to note, beside the output.
pub(crate) fn warn(text: &str) {
    eprintln!("seatledger: {text}");
}
