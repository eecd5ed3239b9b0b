//! `seatledger config`

use super::{Done, Global, default_zone, say, warn};
use crate::config::{DEFAULT_PATH, import};
use crate::gate::openid::{self, Trouble};
use anyhow::Context;
use clap::{Args, Subcommand};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The configuration file
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  seatledger --config /etc/seatledger.toml config check\n  seatledger config import config.ini"
)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether the configuration is right, and what it comes to
    #[command(after_help = "Example:\n  seatledger config check")]
    Check,
    /// Write the configuration that does as another program's file says: config.ini of the AutoCAD usage measurement service, or
    /// the ini file of the FlexLM license usage logger
    #[command(after_help = IMPORT_HELP)]
    Import {
        /// The other program's file
        #[arg(value_name = "OLD.ini")]
        old: PathBuf,
        /// The configuration to write, which must not exist
        #[arg(short, long, value_name = "FILE", default_value = DEFAULT_PATH)]
        output: PathBuf,
    },
}

const IMPORT_HELP: &str = "\
What cannot be carried over is said; no password is shown or written.

Examples:
  seatledger config import config.ini
  seatledger config import logLicenseUsage.ini -o /etc/seatledger.toml";

impl ConfigCommand {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::Check => check(global),
            Command::Import { old, output } => from_other_program(&old, &output),
        }
    }
}

fn check(global: &Global) -> anyhow::Result<Done> {
    let config = global.config()?;
    let calendar = config.calendar(&default_zone(&config))?;
    say(&format!("database   {}", global.place(&config)?));
    say(&format!("time zone  {}", calendar.zone_name()));
    for class in calendar.classes() {
        say(&format!("class      {}", class.name));
    }
    say(&format!("holidays   {}", calendar.holidays().len()));
    for server in &config.servers {
        say(&format!("server     {} {}", server.name, server.aliases.join(" ")));
    }
    for alert in &config.alerts.rules {
        let receivers: Vec<String> = alert.notify.iter().map(ToString::to_string).collect();
        say(&format!("alert      {} → {}", alert.rule.name, receivers.join(" ")));
    }
    if let Some(forward) = &config.forward {
        say(&format!("forward    {}", forward.shown()));
    }
    if let Some(config) = &config.openid {
        say(&format!("login      {}", config.issuer));
        for (value, role) in &config.roles {
            say(&format!("role       {value} → {role}"));
        }
        if let Err(Trouble { why, remedy }) = openid::check(config) {
            warn(&format!("nobody could log in now: {why}: {remedy}"));
        }
    }
    say("the configuration is right");
    Ok(Done::Well)
}

fn from_other_program(old: &Path, output: &Path) -> anyhow::Result<Done> {
    let bytes = std::fs::read(old).with_context(|| format!("failed to read {}", old.display()))?;
    let imported = import(&bytes, &old.display().to_string())?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(output)
        .with_context(|| format!("failed to write {}: nothing is overwritten", output.display()))?;
    file.write_all(imported.text.as_bytes())
        .with_context(|| format!("failed to write {}", output.display()))?;
    for line in &imported.left_out {
        say(&format!("not carried over: {line}"));
    }
    say(&format!(
        "{0} is written: look at it, then run `seatledger --config {0} config check`",
        output.display()
    ));
    Ok(Done::Well)
}
