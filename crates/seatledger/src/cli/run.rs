//! `seatledger run`

use super::told::{TOKEN, Whom};
use super::warn;
use crate::clock;
use crate::wrap::{self, Child, Run, Teller};
use clap::Args;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Run a command, and tell the ledger that it began, goes on, and has ended
///
/// The command starts at once, whatever the state of the service; signals, standard streams and its exit code (128 and the
/// number of the signal that ended it) pass through. What cannot be told is kept on disk, and told by the next `run` or
/// `record` of the same user, `seatledger record deliver` among them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  seatledger run -- matlab -nodesktop
  seatledger run --app solver --to http://seats:8088 -- ./solve.sh case-7
  seatledger run --app solver --to syslog -- ./solve.sh case-7

Exit codes: the command's; 126 it cannot be run; 127 there is no such command.
docs/sources.md says more: tokens, the spool, module files.")]
pub(crate) struct RunCommand {
    /// What is counted [default: the name of COMMAND]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Its version
    #[arg(long, value_name = "TEXT")]
    app_version: Option<String>,
    #[command(flatten)]
    to: Whom,
    /// How often it is told that it goes on, in seconds; where two are missed the session ends at the last
    #[arg(long, default_value = "300", value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
    heartbeat: u64,
    /// The command, and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl RunCommand {
    pub(crate) fn run(self) -> ExitCode {
        let Self { app, app_version, to, heartbeat, command } = self;
        let name = command.first().cloned().unwrap_or_default();
        let mut started = Command::new(&name);
        started.args(command.iter().skip(1)).env_remove(TOKEN);
        let mut child = match Child::start(&mut started) {
            Ok(child) => child,
            Err(error) => {
                warn(&format!("{}: {error}", name.to_string_lossy()));
                return ExitCode::from(if error.kind() == ErrorKind::NotFound { 127 } else { 126 });
            }
        };
        let run = Run {
            id: wrap::new_id(),
            feature: app.unwrap_or_else(|| application(&name)),
            version: app_version,
            user: wrap::user(),
            host: wrap::host(),
            pid: child.id(),
            from: clock::now(),
            heartbeat: Duration::from_secs(heartbeat),
        };
        let teller = Teller::start(run, move || to.way(), warn);
        let ended = child.wait();
        let until = clock::now();
        match teller {
            Ok(teller) => teller.end(until),
            Err(error) => warn(&format!("the run is told to nobody: {error}")),
        }
        match ended {
            Ok(status) => ExitCode::from(wrap::exit_code(status)),
            Err(error) => {
                warn(&format!("the end of {} was not seen: {error}", name.to_string_lossy()));
                ExitCode::from(1)
            }
        }
    }
}

/// What a command is called: the last part of its path.
fn application(command: &OsStr) -> String {
    Path::new(command).file_name().unwrap_or(command).to_string_lossy().into_owned()
}
