//! What `lmutil lmstat -a -i` prints of a license server: what was bought, who holds what, what expires.

use super::catalog::{FEATURES, number_of};
use super::clock::WallClock;
use super::server_text::Machine;
use super::us_date;
use std::fmt::Write;

/// Seats that are held at the moment of a poll.
pub(super) struct Hold<'a> {
    pub(super) feature: usize,
    /// `user@host`
    pub(super) holder: &'a str,
    pub(super) since: i64,
    pub(super) seats: i64,
    pub(super) handle: u64,
}

/// When what was bought from a daemon's vendor expires.
fn expires(daemon: &str) -> &'static str {
    match daemon {
        "adskflex" => "31-mar-2027",
        "ansyslmd" => "30-jun-2027",
        _ => "01-jan-0000",
    }
}

/// How many seats of a feature there are; a component has those of its package.
fn issued(feature: usize) -> i64 {
    FEATURES[feature].package.map_or(FEATURES[feature].seats, |package| FEATURES[number_of(package)].seats)
}

/// The answer of a license server at an instant; what is held comes in the order of its start. `None` stands for a
/// server that is down.
pub(super) fn answer(
    machine: &Machine,
    at: i64,
    clock: &mut WallClock,
    held: Option<&[Hold<'_>]>,
) -> Vec<u8> {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_answer(&mut text, machine, at, clock, held);
    text.into_bytes()
}

fn write_answer(
    text: &mut String,
    machine: &Machine,
    at: i64,
    clock: &mut WallClock,
    held: Option<&[Hold<'_>]>,
) -> std::fmt::Result {
    let now = clock.at(at);
    let (day, host) = (us_date(now.date()), machine.name);
    writeln!(text, "lmutil - Copyright (c) 1989-2022 Flexera. All Rights Reserved.")?;
    writeln!(
        text,
        "Flexible License Manager status on {} {day} {}",
        now.strftime("%a"),
        now.strftime("%H:%M")
    )?;
    writeln!(text, "\nLicense server status: {}", machine.address())?;
    writeln!(text, "    License file(s) on {host}: {}:\n", machine.license_file)?;
    let Some(held) = held else {
        return writeln!(
            text,
            "{host}: Cannot connect to license server system. (-15,570:111 \"Connection refused\")"
        );
    };
    writeln!(text, "{host}: license server UP v11.18.3\n\nVendor daemon status (on {host}):")?;
    for (daemon, _) in machine.daemons {
        writeln!(text, "\n  {daemon}: UP v11.18.3\nFeature usage info:\n")?;
        let of_daemon = (0..FEATURES.len()).filter(|number| FEATURES[*number].daemon == *daemon);
        of_daemon.into_iter().try_for_each(|feature| write_feature(text, machine, feature, clock, held))?;
    }
    write_expiries(text, machine)
}

fn write_feature(
    text: &mut String,
    machine: &Machine,
    feature: usize,
    clock: &mut WallClock,
    held: &[Hold<'_>],
) -> std::fmt::Result {
    let (code, daemon) = (FEATURES[feature].code, FEATURES[feature].daemon);
    let held: Vec<_> = held.iter().filter(|hold| hold.feature == feature).collect();
    let in_use: i64 = held.iter().map(|hold| hold.seats).sum();
    writeln!(
        text,
        "Users of {code}:  (Total of {} licenses issued;  Total of {in_use} licenses in use)\n",
        issued(feature)
    )?;
    if held.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "  \"{code}\" v1.000, vendor: {daemon}, expiry: {}\n  floating license\n",
        expires(daemon)
    )?;
    for hold in held {
        let (user, host) = hold.holder.rsplit_once('@').unwrap_or((hold.holder, ""));
        let since = clock.at(hold.since);
        let seats = if hold.seats == 1 { String::new() } else { format!(", {} licenses", hold.seats) };
        writeln!(
            text,
            "    {user} {host} {host} (v1.000) ({}/{} {}), start {} {}/{} {}:{:02}{seats}",
            machine.name,
            machine.port,
            hold.handle,
            since.strftime("%a"),
            since.month(),
            since.day(),
            since.hour(),
            since.minute()
        )?;
    }
    writeln!(text)
}

fn write_expiries(text: &mut String, machine: &Machine) -> std::fmt::Result {
    writeln!(text, "NOTE: lmstat -i does not give information from the server,")?;
    writeln!(text, "      but only reads the license file.  For this reason,")?;
    writeln!(text, "      lmstat -a should be used instead.\n")?;
    writeln!(text, "Feature                         Version     #licenses    Vendor        Expires")?;
    writeln!(text, "_______                         _______     _________    ______        _______")?;
    let of_machine = (0..FEATURES.len()).filter(|number| FEATURES[*number].server == machine.server);
    for number in of_machine {
        let (code, daemon) = (FEATURES[number].code, FEATURES[number].daemon);
        writeln!(text, "{code:<32}1.000       {:<13}{daemon:<14}{}", issued(number), expires(daemon))?;
    }
    Ok(())
}
