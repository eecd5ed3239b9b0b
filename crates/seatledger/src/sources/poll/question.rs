//! What is asked of a license server, and what came back.

use super::command::{End, Printed, Run};
use crate::config::{PollCommand, PollConfig, PollFormat};
use crate::sources::live::Trouble;
use accounting::UnixMs;
use accounting::day::Day;
use formats::columns::{Named, json_rows};
use formats::line::{Format, Parser, Setting};
use jiff::tz::TimeZone;

/// How a license server is asked.
pub(super) struct Question {
    pub(super) format: &'static dyn Format,
    /// Where in a JSON text the rows stand; none where the output is read as it is.
    rows: Option<String>,
    pub(super) run: Run,
    any_exit_status: bool,
}

/// What came back at an instant.
pub(super) struct Output {
    pub(super) at: UnixMs,
    pub(super) text: Vec<u8>,
    /// Why it is no answer, whatever it says.
    pub(super) trouble: Option<Trouble>,
    /// Nobody waited for it.
    pub(super) given_up: bool,
    /// What the program printed as errors; for people, not for logs.
    pub(super) errors: String,
}

impl Question {
    pub(super) fn of(config: &PollConfig) -> Self {
        let (format, rows): (&'static dyn Format, _) = match &config.format {
            // The configuration knows only formats that there are.
            PollFormat::Named(name) => (formats::named(name).unwrap_or(&formats::flexnet::Lmstat), None),
            PollFormat::Columns { written, columns, rows } => {
                // Read once from the configuration, and needed as long as the program runs.
                let named: &'static Named = Box::leak(Box::new(Named::new(*written, columns.clone())));
                let named: &'static &'static Named = Box::leak(Box::new(named));
                let is_json = matches!(written, formats::columns::Written::Json);
                (named, is_json.then(|| rows.clone()))
            }
        };
        let target = config.target.as_deref();
        let words = match &config.command {
            PollCommand::Shell(line) => {
                let mut words = vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()];
                if let Some(target) = target {
                    words[2] = format!("{line} -c \"$1\"");
                    words.extend(["sh".to_owned(), target.to_owned()]);
                }
                words
            }
            PollCommand::Program(words) => {
                let mut words = words.clone();
                words.extend(target.into_iter().flat_map(|target| ["-c".to_owned(), target.to_owned()]));
                words
            }
            PollCommand::Usual(program) => {
                let mut words = format.question(target).unwrap_or_default();
                if let (Some(program), Some(first)) = (program, words.first_mut()) {
                    first.clone_from(program);
                }
                words
            }
        };
        let run = Run { words, timeout: config.timeout, most_bytes: config.most_bytes };
        Self { format, rows, run, any_exit_status: config.any_exit_status }
    }

    /// Asks. `gives_up` says that nobody wants the answer any more.
    pub(super) fn ask(&self, at: UnixMs, gives_up: &dyn Fn() -> bool) -> Output {
        let Printed { end, output: mut text, errors } = self.run.run(gives_up);
        let unwanted = matches!(end, End::GivenUp);
        let mut trouble = self.trouble_of(&end);
        if let (Some(path), None) = (&self.rows, &trouble) {
            match json_rows(&text, path) {
                Ok(rows) => text = rows,
                Err(error) => {
                    let remedy = "run the command by hand, and look at `rows` in the configuration";
                    trouble = Some(Trouble::new(error, remedy));
                    text.clear();
                }
            }
        }
        Output { at, text, trouble, given_up: unwanted, errors }
    }

    fn trouble_of(&self, end: &End) -> Option<Trouble> {
        let program = self.run.words.first().map(String::as_str).unwrap_or_default();
        match end {
            End::Exited(status) if status.success() || self.any_exit_status => None,
            End::Exited(status) => Some(Trouble::new(
                format!("`{program}` ended with {status}"),
                "run it by hand as the service's user; where it always ends so: any_exit_status = true",
            )),
            End::TimedOut => Some(Trouble::new(
                format!("`{program}` did not end within {} s and was killed", self.run.timeout.as_secs()),
                "see whether the license server answers; `timeout` allows more",
            )),
            End::TooLong => Some(Trouble::new(
                format!("`{program}` printed more than {} bytes and was killed", self.run.most_bytes),
                "see what it prints; `most_bytes` allows more",
            )),
            End::GivenUp => Some(Trouble::new("the service stops", "")),
            End::Failed(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Trouble::new(
                format!("there is no program `{program}`"),
                "install it, put it on the PATH of the service, or name it: command = \"/path/to/it\"",
            )),
            End::Failed(error) => Some(Trouble::new(
                format!("`{program}` cannot be run: {error}"),
                "see whether the service's user may run it",
            )),
        }
    }

    /// A parser for an output.
    pub(super) fn parser(&self, at: UnixMs, zone: &TimeZone, before: &str) -> Box<dyn Parser> {
        let setting =
            Setting { modified_at: at, polled_at: Some(at), ..Setting::new(zone.clone(), Day::of(at, zone)) };
        if before.is_empty() {
            return self.format.parser(&setting);
        }
        // Another version's state is no reason to stop: starts that no output tells begin anew.
        self.format.next_answer(&setting, before).unwrap_or_else(|_| self.format.parser(&setting))
    }
}
