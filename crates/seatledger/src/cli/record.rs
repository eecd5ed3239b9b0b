//! `seatledger record`

use super::told::Whom;
use super::{Done, say, warn, wrong_usage};
use crate::clock;
use crate::wrap::{self, Spool};
use clap::{Args, Subcommand};
use formats::events::{Instant, Record, Told};

const AFTER_HELP: &str = "\
Examples:
  seatledger record start viewer --pid $$
  viewer \"$@\"
  seatledger record stop viewer --pid $$

A stop finds the start of the same host, application, user and process. `seatledger run` needs no two commands, and tells
whether the application still runs. `seatledger record deliver` tells what could not be told: docs/sources.md.";

/// Tell the ledger what a wrapper script sees: an application starts, or stops
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RecordCommand {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// An application starts
    #[command(after_help = "Example:\n  seatledger record start viewer --pid $$ --to http://seats:8088")]
    Start(Said),
    /// An application has stopped
    #[command(after_help = "Example:\n  seatledger record stop viewer --pid $$ --to http://seats:8088")]
    Stop(Said),
    /// Tell what `run` and `record` of this user could not tell, the oldest first, each once; from cron or a timer
    #[command(after_help = DELIVER_HELP)]
    Deliver(Delivery),
}

const DELIVER_HELP: &str = "\
Without it what waits is told by the next `run` or `record` of the same user to the same address.

Examples:
  seatledger record deliver --to http://seats:8088 --token-file ~/.seatledger-token
  */10 * * * *  seatledger record deliver --to http://seats:8088 --quiet      in a crontab

Exit codes: 0 nothing waits any more, or somebody else is telling it; 1 nobody took it, and it stays; 3 told, but some of it is not wanted.";

#[derive(Debug, Args)]
struct Said {
    /// What is counted
    app: String,
    /// Who runs it [default: the user of this command]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The number of its process, or of the script's [default: of the process that calls this command]
    #[arg(long, value_name = "NUMBER")]
    pid: Option<u32>,
    #[command(flatten)]
    to: Whom,
}

#[derive(Debug, Args)]
struct Delivery {
    #[command(flatten)]
    to: Whom,
    /// Say nothing where nothing waits, or all is told
    #[arg(long)]
    quiet: bool,
}

impl Delivery {
    fn run(self) -> anyhow::Result<Done> {
        let way = self.to.way()?;
        let spool = Spool::open(&way)?;
        let mut unwanted = 0;
        let told = spool.tell_all(&way, &mut |complaint| {
            unwanted += 1;
            warn(complaint);
        });
        let target = way.target();
        match told {
            Err(unheard) => {
                warn(&format!("{target}: {unheard}; {} events are kept", spool.waiting()));
                Ok(Done::Failed)
            }
            Ok(told) => {
                if !self.quiet {
                    say(&format!("{told} events told to {target}"));
                }
                Ok(if unwanted > 0 { Done::PartlyUnderstood } else { Done::Well })
            }
        }
    }
}

impl RecordCommand {
    pub(crate) fn run(self) -> anyhow::Result<Done> {
        let (what, Said { app, user, pid, to }): (fn(Record) -> Told, Said) = match self.command {
            What::Start(said) => (Told::Start, said),
            What::Stop(said) => (Told::Stop, said),
            What::Deliver(delivery) => return delivery.run(),
        };
        let caller = || rustix::process::getppid().map_or(1, |pid| pid.as_raw_pid() as u32);
        let told = what(Record {
            id: wrap::new_id(),
            at: Instant(clock::now()),
            feature: app,
            user: user.unwrap_or_else(wrap::user),
            host: wrap::host(),
            pid: pid.unwrap_or_else(caller),
        });
        if let Some(fault) = told.fault() {
            return Err(wrong_usage(fault));
        }
        let way = to.way()?;
        let spool = Spool::open(&way)?;
        spool.put(&told)?;
        // Kept is told: a script goes on whatever the state of the service.
        if let Err(unheard) = spool.tell_all(&way, &mut |complaint| warn(complaint)) {
            warn(&format!(
                "{unheard}: it is kept, and told by the next `run` or `record`, or by `record deliver`"
            ));
        }
        Ok(Done::Well)
    }
}
