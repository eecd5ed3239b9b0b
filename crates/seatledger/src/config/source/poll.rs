//! `[[source]] kind = "poll"`: a license server that is asked again and again who holds what.

use super::super::document::{Entry, Table, Wrong};
use super::super::right_name;
use super::unknown;
use formats::columns::{Column, Written};
use std::path::PathBuf;
use std::time::Duration;

const KEYS: [&str; 14] = [
    "format",
    "server",
    "target",
    "command",
    "interval",
    "jitter",
    "timeout",
    "timezone",
    "any_exit_status",
    "csv_log",
    "ping_url",
    "columns",
    "rows",
    "most_bytes",
];
/// How often a server is polled where nobody says so, and how long an answer may take.
const INTERVAL: Duration = Duration::from_mins(5);
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer may be where nobody says so.
const MOST_BYTES: i64 = 16 << 20;

/// A license server that is polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PollConfig {
    /// How answers are written.
    pub(crate) format: PollFormat,
    /// What the license server is called, where its answers do not tell.
    pub(crate) server: Option<String>,
    /// Whom the program is to ask: `PORT@HOST`, or a license file.
    pub(crate) target: Option<String>,
    /// What is run.
    pub(crate) command: PollCommand,
    pub(crate) interval: Duration,
    /// Polls come at even times, those of each source up to half of this earlier or later.
    pub(crate) jitter: Duration,
    /// After so long a program that has not ended is killed, with all that it started.
    pub(crate) timeout: Duration,
    /// The IANA name of the zone of the server's clock.
    pub(crate) timezone: Option<String>,
    /// Whether an answer counts whatever the program's exit status says.
    pub(crate) any_exit_status: bool,
    /// Where CSV files of what was found are kept.
    pub(crate) csv_log: Option<CsvLogConfig>,
    /// What is requested after a poll; with `/fail` behind it after one that failed.
    pub(crate) ping_url: Option<String>,
    /// A longer answer is no answer.
    pub(crate) most_bytes: usize,
}

/// How answers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PollFormat {
    /// As a format of this name.
    Named(&'static str),
    /// As rows whose columns are described here.
    Columns {
        written: Written,
        columns: Vec<(Column, String)>,
        /// Where in a JSON text the list of rows stands; empty where it is the text itself.
        rows: String,
    },
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PollCommand {
    /// The format's usual program with its usual arguments; another program in its place where one is named.
    Usual(Option<String>),
    /// A program with its arguments.
    Program(Vec<String>),
    /// A line for the shell.
    Shell(String),
}

/// Where CSV files of what was found are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CsvLogConfig {
    pub(crate) directory: PathBuf,
    /// Whether there are files of holders too.
    pub(crate) users: bool,
}

/// What the keys say, one by one.
#[derive(Default)]
struct Said {
    format: Option<String>,
    server: Option<String>,
    target: Option<String>,
    command: Option<PollCommand>,
    interval: Option<Duration>,
    jitter: Option<Duration>,
    timeout: Option<Duration>,
    timezone: Option<String>,
    any_exit_status: bool,
    csv_log: Option<CsvLogConfig>,
    ping_url: Option<String>,
    columns: Vec<(Column, String)>,
    rows: String,
    most_bytes: Option<i64>,
}

impl PollConfig {
    /// The keys of a section.
    pub(super) fn of(table: &Table<'_>, entries: &[Entry<'_>]) -> Result<Self, Wrong> {
        let mut said = Said::default();
        for entry in entries {
            match entry.key() {
                "format" => said.format = Some(known_format(entry)?),
                "server" => said.server = Some(entry.filled_text()?),
                "target" => said.target = Some(entry.filled_text()?),
                "command" => said.command = Some(command(entry)?),
                "interval" => said.interval = Some(seconds(entry, 5, 86_400)?),
                "jitter" => said.jitter = Some(seconds(entry, 0, 86_400)?),
                "timeout" => said.timeout = Some(seconds(entry, 1, 3_600)?),
                "timezone" => said.timezone = Some(entry.zone()?),
                "any_exit_status" => said.any_exit_status = entry.flag()?,
                "csv_log" => said.csv_log = Some(csv_log(entry)?),
                "ping_url" => said.ping_url = Some(url(entry)?),
                "columns" => said.columns = columns(entry)?,
                "rows" => said.rows = entry.filled_text()?,
                "most_bytes" => said.most_bytes = Some(entry.whole_number(1_000, 1 << 30)?),
                _ => return Err(unknown(entry, &KEYS)),
            }
        }
        said.whole(table)
    }

    /// What is polled, in few words.
    pub(super) fn what(&self) -> String {
        let program = match &self.command {
            PollCommand::Usual(program) => program.as_ref(),
            PollCommand::Program(words) => words.first(),
            PollCommand::Shell(line) => Some(line),
        };
        let named = self.server.as_ref().or(self.target.as_ref()).or(program);
        named.map_or_else(|| self.format.name().to_owned(), Clone::clone)
    }
}

impl PollFormat {
    /// The word for it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Named(name) => name,
            Self::Columns { written: Written::Csv, .. } => "csv",
            Self::Columns { written: Written::Json, .. } => "json",
        }
    }
}

impl Said {
    fn whole(self, table: &Table<'_>) -> Result<PollConfig, Wrong> {
        let wrong = |message: &str| Err(table.wrong(message.to_owned()));
        let format = match self.format.as_deref() {
            None => return wrong("a polled [[source]] needs a format, such as format = \"lmstat\""),
            Some("csv") => self.described(table, Written::Csv)?,
            Some("json") => self.described(table, Written::Json)?,
            Some(name) => match formats::named(name) {
                Some(format) => PollFormat::Named(format.name()),
                None => return wrong("a polled [[source]] needs a format that is known"),
            },
        };
        let described = matches!(format, PollFormat::Columns { .. });
        if !described && (!self.columns.is_empty() || !self.rows.is_empty()) {
            return wrong("`columns` and `rows` are for format = \"csv\" and format = \"json\"");
        }
        if self.csv_log.is_some() && format.name() != "lmstat" {
            return wrong("`csv_log` is written of format = \"lmstat\" only");
        }
        let command = self.command.unwrap_or(PollCommand::Usual(None));
        if described && matches!(command, PollCommand::Usual(_)) {
            return wrong(
                "which program prints these columns? Write command = [\"PROGRAM\", \"ARGUMENT\", …]",
            );
        }
        let addressed = self.server.clone().filter(|server| server.contains('@'));
        // A command that is written out is run as it stands.
        let usual = matches!(command, PollCommand::Usual(_));
        let target = self.target.or(addressed.filter(|_| usual));
        let interval = self.interval.unwrap_or(INTERVAL);
        let timeout = self.timeout.unwrap_or(TIMEOUT);
        Ok(PollConfig {
            format,
            server: self.server,
            target,
            command,
            interval,
            jitter: self.jitter.unwrap_or(interval / 10).min(interval),
            timeout,
            timezone: self.timezone,
            any_exit_status: self.any_exit_status,
            csv_log: self.csv_log,
            ping_url: self.ping_url,
            most_bytes: usize::try_from(self.most_bytes.unwrap_or(MOST_BYTES)).unwrap_or(usize::MAX),
        })
    }

    fn described(&self, table: &Table<'_>, written: Written) -> Result<PollFormat, Wrong> {
        if !self.columns.iter().any(|(column, _)| *column == Column::Feature) {
            return Err(table.wrong(
                "say which column is what: columns = { feature = \"NAME\", user = \"NAME\", host = \"NAME\", … }"
                    .to_owned(),
            ));
        }
        if written == Written::Csv && !self.rows.is_empty() {
            return Err(table.wrong("`rows` is for format = \"json\"".to_owned()));
        }
        Ok(PollFormat::Columns { written, columns: self.columns.clone(), rows: self.rows.clone() })
    }
}

fn known_format(entry: &Entry<'_>) -> Result<String, Wrong> {
    let name = entry.filled_text()?;
    let polled = formats::all().iter().filter(|format| format.question(None).is_some());
    let mut known: Vec<&str> = polled.map(|format| format.name()).collect();
    known.extend(["csv", "json"]);
    if known.contains(&name.as_str()) {
        return Ok(name);
    }
    Err(entry.wrong(format!("`{name}` is no format of answers to polls: {}", right_name(&name, &known))))
}

fn command(entry: &Entry<'_>) -> Result<PollCommand, Wrong> {
    if let Ok(line) = entry.text() {
        let line = entry.filled_text().map(|_| line)?;
        let one_word =
            !line.contains(|character: char| character.is_whitespace() || "|&;<>$`\"'".contains(character));
        return Ok(if one_word { PollCommand::Usual(Some(line)) } else { PollCommand::Shell(line) });
    }
    let mut words: Vec<String> = entry.texts()?.into_iter().map(|(word, _)| word).collect();
    match words.len() {
        0 => Err(entry.wrong("`command` is empty: name a program".to_owned())),
        1 => Ok(PollCommand::Usual(words.pop())),
        _ => Ok(PollCommand::Program(words)),
    }
}

/// Seconds as a number, or a text with a unit: `"30s"`, `"5m"`, `"1h"`.
fn seconds(entry: &Entry<'_>, from: i64, until: i64) -> Result<Duration, Wrong> {
    let Ok(text) = entry.text() else {
        return Ok(Duration::from_secs(entry.whole_number(from, until)?.unsigned_abs()));
    };
    let units = [('s', 1), ('m', 60), ('h', 3_600)];
    let seconds = units.iter().find_map(|(unit, seconds)| {
        let number: i64 = text.trim().strip_suffix(*unit)?.trim_end().parse().ok()?;
        number.checked_mul(*seconds)
    });
    match seconds.filter(|seconds| (from..=until).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds.unsigned_abs())),
        None => Err(entry.wrong(format!(
            "`{}` must be seconds from {from} to {until}, or such as \"30s\", \"5m\", not \"{text}\"",
            entry.key()
        ))),
    }
}

fn csv_log(entry: &Entry<'_>) -> Result<CsvLogConfig, Wrong> {
    let (mut directory, mut users) = (None, false);
    for part in entry.table()? {
        match part.key() {
            "directory" => directory = Some(part.filled_text()?.into()),
            "users" => users = part.flag()?,
            _ => return Err(part.unknown_key(&["directory", "users"])),
        }
    }
    match directory {
        Some(directory) => Ok(CsvLogConfig { directory, users }),
        None => {
            Err(entry.wrong("`csv_log` needs a directory: { directory = \"…\", users = true }".to_owned()))
        }
    }
}

fn url(entry: &Entry<'_>) -> Result<String, Wrong> {
    let url = entry.filled_text()?;
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(entry
        .wrong(format!("`{url}` is no address that can be requested: it begins with http:// or https://")))
}

fn columns(entry: &Entry<'_>) -> Result<Vec<(Column, String)>, Wrong> {
    let words = Column::ALL.map(|(_, word)| word);
    let column = |part: Entry<'_>| {
        let column = Column::ALL.iter().find(|(_, word)| *word == part.key());
        let Some((column, _)) = column else { return Err(part.unknown_key(&words)) };
        Ok((*column, part.filled_text()?))
    };
    entry.table()?.into_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::super::SourceKind;
    use super::*;
    use crate::config::Config;

    fn poll(keys: &str) -> PollConfig {
        let text = format!("[[source]]\nkind = \"poll\"\n{keys}\n");
        let config = Config::of(&text).unwrap_or_else(|wrong| panic!("{keys}: {}", wrong.message));
        match config.sources.into_iter().next().map(|source| source.kind) {
            Some(SourceKind::Poll(poll)) => *poll,
            other => panic!("{other:?}"),
        }
    }

    fn error(keys: &str) -> String {
        crate::config::tests::wrong(&format!("[[source]]\nkind = \"poll\"\n{keys}\n"))
    }

    #[test]
    fn little_must_be_said() {
        let config = poll("format = \"lmstat\"\nserver = \"27000@lic1\"");
        assert_eq!(config.command, PollCommand::Usual(None));
        assert_eq!(config.target.as_deref(), Some("27000@lic1"));
        assert_eq!((config.interval.as_secs(), config.timeout.as_secs()), (300, 30));
        assert_eq!((config.jitter.as_secs(), config.any_exit_status), (30, false));
        assert_eq!(config.what(), "27000@lic1");
    }

    #[test]
    fn everything_can_be_said() {
        let config = poll(
            "format = \"lmstat\"\nserver = \"main\"\ntarget = \"/etc/license.dat\"\ncommand = [\"lmutil\", \"lmstat\"]\n\
             interval = \"2m\"\njitter = 5\ntimeout = 10\ntimezone = \"Europe/Zurich\"\nany_exit_status = true\n\
             csv_log = { directory = \"/var/csv\", users = true }\nping_url = \"https://ping.example/1/\"",
        );
        assert_eq!(config.command, PollCommand::Program(vec!["lmutil".to_owned(), "lmstat".to_owned()]));
        assert_eq!(
            (config.interval.as_secs(), config.jitter.as_secs(), config.timeout.as_secs()),
            (120, 5, 10)
        );
        assert_eq!(config.csv_log, Some(CsvLogConfig { directory: "/var/csv".into(), users: true }));
        assert_eq!(config.ping_url.as_deref(), Some("https://ping.example/1"));
        assert_eq!((config.target.as_deref(), config.any_exit_status), (Some("/etc/license.dat"), true));
    }

    #[test]
    fn a_word_is_a_program_and_more_is_a_command() {
        let command = |text: &str| poll(&format!("format = \"rlmstat\"\ncommand = {text}")).command;
        assert_eq!(command("\"/opt/rlm/rlmutil\""), PollCommand::Usual(Some("/opt/rlm/rlmutil".to_owned())));
        assert_eq!(
            command("['/opt/my rlm/rlmutil']"),
            PollCommand::Usual(Some("/opt/my rlm/rlmutil".to_owned()))
        );
        assert_eq!(command("\"cat a | b\""), PollCommand::Shell("cat a | b".to_owned()));
    }

    #[test]
    fn columns_describe_any_other_program() {
        let config = poll(
            "format = \"json\"\ncommand = \"show --json\"\nrows = \"a.b\"\ncolumns = { feature = \"f\", in_use = \"n\" }",
        );
        let columns = vec![(Column::Feature, "f".to_owned()), (Column::InUse, "n".to_owned())];
        assert_eq!(
            config.format,
            PollFormat::Columns { written: Written::Json, columns, rows: "a.b".to_owned() }
        );
    }

    #[test]
    fn what_is_not_right_is_refused() {
        assert!(error("server = \"a\"").starts_with("1: a polled [[source]] needs a format"));
        assert!(error("format = \"lmstats\"").ends_with("did you mean `lmstat`?"));
        assert!(
            error("format = \"flexnet\"")
                .contains("no format of answers to polls: what can stand here is lmstat, ")
        );
        assert_eq!(
            error("format = \"lmstat\"\ninterval = 4"),
            "4: `interval` must be a whole number from 5 to 86400, not 4"
        );
        assert!(
            error("format = \"lmstat\"\ninterval = \"4 days\"").contains("or such as \"30s\", \"5m\", not")
        );
        assert!(
            error("format = \"rlmstat\"\ncsv_log = { directory = \"x\" }")
                .contains("of format = \"lmstat\" only")
        );
        assert!(error("format = \"lmstat\"\ncsv_log = { users = true }").starts_with("4: `csv_log` needs"));
        assert!(error("format = \"csv\"\ncommand = \"a b\"").contains("say which column is what"));
        assert!(error("format = \"csv\"\ncolumns = { feature = \"f\" }").contains("which program prints"));
        assert!(error("format = \"csv\"\ncolumns = { featrue = \"f\" }").contains("did you mean `feature`?"));
        assert!(error("format = \"lmstat\"\nping_url = \"ping\"").contains("begins with http://"));
        assert!(error("format = \"lmstat\"\nservre = \"x\"").contains("did you mean `server`?"));
    }
}
