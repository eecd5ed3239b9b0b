//! `seatledger config`

use super::{Done, Global, default_zone, say};
use clap::{Args, Subcommand};

/// The configuration file
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger --config /etc/seatledger.toml config check")]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether the configuration is right, and what it comes to
    #[command(after_help = "Example:\n  seatledger config check")]
    Check,
}

impl ConfigCommand {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let Command::Check = self.command;
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
        say("the configuration is right");
        Ok(Done::Well)
    }
}
