//! `seatledger poll`

use super::progress::Bar;
use super::{Done, Global, Shown, default_zone, warn, wrong_usage};
use crate::config::SourceKind;
use crate::sources::configured::Servers;
use crate::sources::poll::{Polled, poll_once};
use accounting::report::{Cell, Column, Report};
use clap::Args;

const AFTER_HELP: &str = "\
All servers are asked at the same time. Where csv_log is configured its files are written, and ping_url is requested.
A server that does not answer ends no session.

Exit code 0: all answered. 3: some did not, or said what was not understood. 1: none did.

Examples:
  seatledger poll
  seatledger poll --format json | jq '.[] | select(.answered == \"no\")'
  */5 * * * *  seatledger --config /etc/seatledger.toml poll > /dev/null     in a crontab

While `seatledger serve` runs with the same configuration it polls by itself.";

/// Ask every license server of the configuration once who holds what: for cron
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Poll {
    #[command(flatten)]
    shown: Shown,
}

impl Poll {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        if !global.config()?.sources.iter().any(|source| matches!(source.kind, SourceKind::Poll(_))) {
            return Err(wrong_usage(
                "the configuration names no license server to poll: add a [[source]] with kind = \"poll\" to \
                 seatledger.toml (docs/sources.md)",
            ));
        }
        let (mut store, config) = global.create()?;
        let bar = Bar::new("license servers");
        let polled = poll_once(
            &mut store,
            &config,
            &Servers::of(&config, default_zone(&config)),
            &mut |done, total| {
                bar.step(done, total);
            },
        );
        bar.done();
        // What was committed before a failure is made whole all the same.
        let bar = Bar::new("feature days");
        let derived = store.derive(&mut |done, total| bar.step(done, total));
        bar.done();
        let polled = polled?;
        derived?;
        let zone = store.calendar()?.zone().clone();
        let report = report(&polled);
        self.shown.report(&report, &zone, Vec::new())?;
        for one in &polled {
            if let Some(trouble) = &one.found.trouble {
                warn(&format!("{}: {}: {}", one.source, trouble.why, trouble.remedy));
            }
        }
        Ok(done(&polled))
    }
}

fn done(polled: &[Polled]) -> Done {
    let well = |one: &&Polled| one.found.trouble.is_none() && one.found.lines.unrecognized == 0;
    let answered = polled.iter().filter(|one| one.found.answered).count();
    if polled.iter().filter(well).count() == polled.len() {
        Done::Well
    } else if answered == 0 {
        Done::Failed
    } else {
        Done::PartlyUnderstood
    }
}

fn report(polled: &[Polled]) -> Report {
    let count = |number: u64| Cell::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let rows = polled.iter().map(|Polled { source, what, format, took_ms, found }| {
        let server = if found.servers.is_empty() { what.clone() } else { found.servers.join(" ") };
        vec![
            Cell::Text(source.clone()),
            Cell::Text(server),
            Cell::Text((*format).to_owned()),
            Cell::Text(if found.answered { "yes" } else { "no" }.to_owned()),
            count(found.features),
            count(found.seats_in_use),
            count(found.holders),
            count(found.ended),
            count(found.lines.unrecognized),
            Cell::Int(*took_ms),
            Cell::Text(found.trouble.as_ref().map(|trouble| trouble.why.clone()).unwrap_or_default()),
        ]
    });
    Report {
        name: "poll",
        columns: vec![
            Column::text("source"),
            Column::text("server"),
            Column::text("format"),
            Column::text("answered"),
            Column::number("features"),
            Column::number("seats_in_use"),
            Column::number("holders"),
            Column::number("sessions_ended"),
            Column::number("unrecognized"),
            Column::number("took_ms"),
            Column::text("problem"),
        ],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}
