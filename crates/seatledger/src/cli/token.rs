//! `seatledger token`

use super::role::{GivenRole, warn_of_unknown_organization};
use super::{Done, Global, Shown, say, warn, wrong_usage};
use crate::{clock, secrets};
use accounting::report::{Cell, Column, Report};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use store::accounts::{Purpose, Role, Token, complaint_about_name};

const AFTER_HELP: &str = "\
A program sends its token with each request, as `Authorization: Bearer TOKEN`.

Examples:
  seatledger token add plug-ins --heartbeats
  seatledger token add workstations --events
  seatledger token add collector-of-basel --site basel
  seatledger token add charts --role viewer
  seatledger token add charts-of-research --role viewer --organization 'R&D'
  seatledger token list
  seatledger token remove plug-ins";

const ADD_HELP: &str = "\
The token is printed once, alone on standard output; only its hash is kept.

Examples:
  seatledger token add plug-ins --heartbeats > token.txt
  seatledger token add collector-of-basel --site basel > token.txt
  seatledger token add charts --role viewer --organization 'R&D'";

/// Which programs may ask the service, or send it heartbeats
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Tokens {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, once
    #[command(after_help = ADD_HELP)]
    Add {
        /// What you call it
        name: String,
        #[command(flatten)]
        role: GivenRole,
        /// For sending heartbeats, and nothing else
        #[arg(long)]
        heartbeats: bool,
        /// For sending events of wrappers, and nothing else
        #[arg(long, conflicts_with = "heartbeats")]
        events: bool,
        /// For the site collector of this name (`site` of its `[forward]`, else its machine's name): it sends all that it
        /// takes in, of any license server, and may tell of no other site
        #[arg(long, value_name = "SITE", value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ["heartbeats", "events"])]
        site: Option<String>,
    },
    /// Show all tokens, by their last four letters
    #[command(after_help = "Examples:\n  seatledger token list\n  seatledger token list --format json")]
    List {
        #[command(flatten)]
        shown: Shown,
    },
    /// Take a token out: it is void at once
    #[command(after_help = "Example:\n  seatledger token remove plug-ins")]
    Remove {
        /// What you call it
        name: String,
    },
}

impl Tokens {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::Add { name, role, heartbeats, events, site } => {
                let purpose = match (heartbeats, events, site) {
                    (false, false, None) => Purpose::Role(role.role()?),
                    _ if role.is_given() => {
                        return Err(wrong_usage("a token sends, or has a --role, not both"));
                    }
                    (true, _, _) => Purpose::Heartbeats,
                    (_, true, _) => Purpose::Events,
                    (_, _, Some(site)) => Purpose::Site(site),
                };
                add(global, name, purpose)
            }
            Command::List { shown } => list(global, &shown),
            Command::Remove { name } => remove(global, &name),
        }
    }
}

fn add(global: &Global, name: String, purpose: Purpose) -> anyhow::Result<Done> {
    if let Some(complaint) = complaint_about_name(&name) {
        return Err(wrong_usage(complaint));
    }
    let mut store = global.create_as_it_is()?;
    let secret = secrets::new_secret("slt_")?;
    let last_four = secret[secret.len() - 4..].to_owned();
    let token = Token { name, purpose, last_four, created_at: clock::now() };
    if !store.add_token(&token, &secrets::hash_of_secret(&secret))? {
        let name = &token.name;
        anyhow::bail!("there is a token `{name}` already: take it out first, with `seatledger token remove`");
    }
    let organization = token.purpose.role().and_then(Role::organization);
    warn_of_unknown_organization(&mut store, organization)?;
    say(&secret);
    warn("keep this token: it is shown only now");
    Ok(Done::Well)
}

fn list(global: &Global, shown: &Shown) -> anyhow::Result<Done> {
    let (mut store, _) = global.open()?;
    let calendar = store.calendar()?;
    let text = |text: &str| Cell::Text(text.to_owned());
    let rows = store.tokens()?.into_iter().map(|token| {
        let role = token.purpose.role();
        vec![
            text(&token.name),
            text(match &token.purpose {
                Purpose::Role(_) => "reading",
                Purpose::Heartbeats => "heartbeats",
                Purpose::Events => "events",
                Purpose::Site(_) => "site",
            }),
            role.map_or(Cell::Empty, |role| text(role.as_str())),
            role.and_then(Role::organization).map_or(Cell::Empty, text),
            match &token.purpose {
                Purpose::Site(site) => text(site),
                _ => Cell::Empty,
            },
            text(&token.last_four),
            Cell::Instant(token.created_at),
        ]
    });
    let columns =
        ["name", "purpose", "role", "organization", "site", "last_four", "created_at"].map(Column::text);
    let report =
        Report { name: "tokens", columns: columns.to_vec(), rows: rows.collect(), notes: Vec::new() };
    shown.report(&report, calendar.zone(), Vec::new())?;
    Ok(Done::Well)
}

fn remove(global: &Global, name: &str) -> anyhow::Result<Done> {
    let mut store = global.create_as_it_is()?;
    if !store.remove_token(name)? {
        anyhow::bail!("there is no token `{name}`: `seatledger token list` shows all");
    }
    say(&format!("the token {name} is void"));
    Ok(Done::Well)
}
