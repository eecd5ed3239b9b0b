//! `seatledger user`

use super::password::{ask_for_password, password_of_stdin};
use super::role::{GivenRole, warn_of_unknown_organization};
use super::{Done, Global, Shown, say, warn, wrong_usage};
use crate::{clock, secrets};
use accounting::report::{Cell, Column, Report};
use clap::{Args, Subcommand};
use store::Store;
use store::accounts::{Role, User, complaint_about_name};

const AFTER_HELP: &str = "\
Once there is a user, the service asks everybody who they are, but for /ping, /health and the JSON at /. Add an admin
first: settings in the browser are for admins.

Examples:
  seatledger user add amara --role admin
  seatledger user add bela --role viewer --organization 'R&D' --password-stdin < password.txt
  seatledger user list
  seatledger user remove bela";

const ADD_HELP: &str = "\
The password is asked for on the terminal, twice, and not shown. A viewer with an organization sees the figures of
that organization only.

Examples:
  seatledger user add amara --role admin
  seatledger user add bela --role viewer --organization 'R&D' --password-stdin < password.txt";

/// Who may log in to the service
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Users {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add somebody who logs in with a password
    #[command(after_help = ADD_HELP)]
    Add {
        /// The login
        name: String,
        #[command(flatten)]
        role: GivenRole,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all users
    #[command(after_help = "Examples:\n  seatledger user list\n  seatledger user list --format csv")]
    List {
        #[command(flatten)]
        shown: Shown,
    },
    /// Take somebody out
    #[command(after_help = "Example:\n  seatledger user remove bela")]
    Remove {
        /// The login
        name: String,
    },
}

impl Users {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::Add { name, role, password_stdin } => add(global, name, role.role()?, password_stdin),
            Command::List { shown } => list(global, &shown),
            Command::Remove { name } => remove(global, &name),
        }
    }
}

fn add(global: &Global, name: String, role: Role, password_stdin: bool) -> anyhow::Result<Done> {
    if let Some(complaint) = complaint_about_name(&name) {
        return Err(wrong_usage(complaint));
    }
    let mut store = global.create_as_it_is()?;
    if store.user(&name)?.is_some() {
        return Err(is_taken(&name));
    }
    let password = if password_stdin { password_of_stdin() } else { ask_for_password(&name) }?;
    if let Some(complaint) = secrets::complaint_about_password(&password) {
        return Err(wrong_usage(complaint));
    }
    let password_hash = secrets::hash_password(&password)?;
    let user = User { name, role, password_hash, created_at: clock::now() };
    if !store.add_user(&user)? {
        return Err(is_taken(&user.name));
    }
    warn_of_unknown_organization(&mut store, user.role.organization())?;
    let of = user.role.organization().map_or(String::new(), |organization| format!(" of {organization}"));
    say(&format!("{} may log in, as {}{of}", user.name, user.role.as_str()));
    warn_of_no_admin(&mut store, global)?;
    Ok(Done::Well)
}

fn is_taken(name: &str) -> anyhow::Error {
    anyhow::anyhow!("there is a user `{name}` already: take it out first, with `seatledger user remove`")
}

fn list(global: &Global, shown: &Shown) -> anyhow::Result<Done> {
    let (mut store, _) = global.open()?;
    let calendar = store.calendar()?;
    let rows = store.users()?.into_iter().map(|user| {
        vec![
            Cell::Text(user.name),
            Cell::Text(user.role.as_str().to_owned()),
            user.role.organization().map_or(Cell::Empty, |organization| Cell::Text(organization.to_owned())),
            Cell::Instant(user.created_at),
        ]
    });
    let columns = ["name", "role", "organization", "created_at"].map(Column::text).to_vec();
    let report = Report { name: "users", columns, rows: rows.collect(), notes: Vec::new() };
    shown.report(&report, calendar.zone(), Vec::new())?;
    Ok(Done::Well)
}

fn remove(global: &Global, name: &str) -> anyhow::Result<Done> {
    let mut store = global.create_as_it_is()?;
    if !store.remove_user(name)? {
        anyhow::bail!("there is no user `{name}`: `seatledger user list` shows all");
    }
    say(&format!("{name} may not log in any more"));
    if !store.has_users()? {
        warn("no user is left: the service on a loopback address is open to everybody on this machine");
    }
    warn_of_no_admin(&mut store, global)?;
    Ok(Done::Well)
}

/// Says what to do where everybody must log in and nobody is an admin.
fn warn_of_no_admin(store: &mut Store, global: &Global) -> anyhow::Result<()> {
    let has_provided = global.config()?.openid.is_some_and(|openid| openid.has_admins());
    if !has_provided && store.has_users()? && !store.has_admin()? {
        warn(
            "everybody who asks the service must log in now, and no user is an admin: nobody can open Settings. Make one \
             with `seatledger user add NAME --role admin`",
        );
    }
    Ok(())
}
