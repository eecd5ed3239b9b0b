//! `seatledger alert`

use super::{Done, Global, Shown, say, warn, wrong_usage};
use crate::alerts::{Considered, EXAMPLE_RULE, Looked, Message, Ways, Words, consider};
use crate::answers::{self, Sight, list_alerts};
use crate::config::{AlertConfig, Config, Receiver};
use crate::{clock, keys};
use accounting::UnixMs;
use accounting::alert::{Change, Phase, When};
use accounting::privacy::Privacy;
use accounting::report::note::{Lacking, Note, OfRule};
use accounting::report::{Cell, Column, Report};
use clap::{Args, Subcommand};
use std::sync::Arc;

const AFTER_HELP: &str = "\
Rules are sections [[alert]] of seatledger.toml; `seatledger serve` looks at them once a minute: docs/alerts.md.

Examples:
  seatledger alert check                     what would be raised now, and to whom; sends nothing
  seatledger alert test                      a marked test message to each receiver
  seatledger alert list --since 2025-03-01";

const LIST_HELP: &str = "\
Examples:
  seatledger alert list
  seatledger alert list --since 2025-03-01 --rule full --format json";

const CHECK_HELP: &str = "\
Nothing is sent or written. With --at, as if it were then: for trying rules on an imported ledger.

Examples:
  seatledger alert check
  seatledger --config rules.toml alert check --at 2025-03-03T10:15:00+01:00 --format json";

const TEST_HELP: &str = "\
Exits with 1 where one of them does not take it.

Examples:
  seatledger alert test
  seatledger alert test mail:admin@example.com";

/// What administrators are told: what is raised, what would be, whether messages arrive
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Alerts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is raised, and with --since what was
    #[command(after_help = LIST_HELP)]
    List {
        #[command(flatten)]
        wanted: answers::Alerts,
        #[command(flatten)]
        shown: Shown,
    },
    /// Say what would be raised now, and to whom
    #[command(after_help = CHECK_HELP)]
    Check {
        /// An instant, RFC 3339 [default: now]
        #[arg(long, value_name = "INSTANT")]
        at: Option<jiff::Timestamp>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Send a marked test message to each receiver of the configuration
    #[command(after_help = TEST_HELP)]
    Test {
        /// Only to these, as the configuration writes them
        #[arg(value_name = "RECEIVER")]
        receivers: Vec<String>,
    },
}

impl Alerts {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        match self.command {
            Command::List { wanted, shown } => list(global, &wanted, &shown),
            Command::Check { at, shown } => check(global, at.map(jiff::Timestamp::as_millisecond), &shown),
            Command::Test { receivers } => test(global, &receivers),
        }
    }
}

fn list(global: &Global, wanted: &answers::Alerts, shown: &Shown) -> anyhow::Result<Done> {
    let (mut store, config) = global.open()?;
    let calendar = store.calendar()?;
    let listing = ("alerts", answers::Alerts::COLUMNS);
    let nothing = match config.alerts.rules.len() {
        0 => format!(
            "No rule is configured here. These lines of seatledger.toml make one (docs/alerts.md):\n\n{EXAMPLE_RULE}"
        ),
        1 => "Nothing is raised by the one rule that is configured here; `seatledger alert check` tries it."
            .to_owned(),
        rules => format!(
            "Nothing is raised by the {rules} rules that are configured here; `seatledger alert check` tries them."
        ),
    };
    shown.list_or_say(listing, calendar.zone(), wanted.told(&Sight::Everything), &nothing, |each| {
        list_alerts(&mut store, &calendar, wanted, &Sight::Everything, each)
    })?;
    Ok(Done::Well)
}

/// The rules of a configuration that has any.
fn rules(config: &Config) -> anyhow::Result<&[AlertConfig]> {
    if config.alerts.rules.is_empty() {
        let file = config.file.as_deref().unwrap_or(crate::config::DEFAULT_PATH);
        anyhow::bail!("{file} has no [[alert]]: docs/alerts.md shows how to write one");
    }
    Ok(&config.alerts.rules)
}

fn check(global: &Global, at: Option<UnixMs>, shown: &Shown) -> anyhow::Result<Done> {
    let (mut store, config) = global.open()?;
    let rules = rules(&config)?;
    let looked = consider(&mut store, rules, None, at.unwrap_or_else(clock::now))?;
    let privacy = keys::known(&config.privacy)?;
    let words = Words::new(Arc::clone(&looked.names), looked.zone.clone(), Some(privacy));
    let mut rows = Vec::new();
    for (alert, considered) in rules.iter().zip(&looked.rules) {
        rows.extend(considered.iter().filter_map(|one| row(alert, one, &words)));
    }
    let columns = ["rule", "when", "state", "alert", "since", "notify"].map(Column::text).to_vec();
    let report = Report { name: "alerts", columns, rows, notes: notes(&config, &looked) };
    shown.report(&report, &looked.zone, Vec::new())?;
    shown.say_notes(&report.notes, &looked.zone);
    Ok(Done::Well)
}

/// What becomes of a subject, where anything is or was raised.
fn row(alert: &AlertConfig, one: &Considered, words: &Words) -> Option<Vec<Cell>> {
    let state = match (one.step.tell, one.step.state.as_ref().map(|state| state.phase), one.step.ended) {
        (Some(Change::Raised), ..) => "would be raised",
        (Some(Change::Still), ..) => "would be told again",
        (Some(Change::Cleared), ..) => "would be cleared",
        (None, _, Some(_)) => "would be cleared, untold",
        (None, Some(Phase::Raised { .. }), _) if one.before.is_none() => {
            "would be raised, told after quiet hours"
        }
        (None, Some(Phase::Raised { .. }), _) => "is raised",
        (None, Some(Phase::Pending), _) => "holds, not long enough",
        (None, Some(Phase::Cleared { .. }), _) => "is cleared, told after quiet hours",
        (None, None, None) => return None,
    };
    let remembered = one.step.state.as_ref().or(one.before.as_ref().map(|alert| &alert.state))?;
    let receivers: Vec<String> = alert.notify.iter().map(Receiver::to_string).collect();
    Some(vec![
        Cell::Text(alert.rule.name.clone()),
        Cell::Text(alert.rule.condition.when().as_str().to_owned()),
        Cell::Text(state.to_owned()),
        Cell::Text(words.sentence(&one.subject, &remembered.figures, remembered.since)),
        Cell::Instant(remembered.since),
        Cell::Text(receivers.join(" ")),
    ])
}

/// What the rows do not say: of what a rule is about nothing is known, and why that may be.
fn notes(config: &Config, looked: &Looked) -> Vec<Note> {
    let mut notes = Vec::new();
    for (alert, considered) in config.alerts.rules.iter().zip(&looked.rules) {
        let note = |of: OfRule| Note::Rule { rule: alert.rule.name.clone(), of };
        let unknown = Looked::unknown(considered);
        if unknown > 0 {
            notes.push(note(OfRule::Unknown { subjects: unknown, of: considered.len() }));
        }
        if considered.is_empty() {
            let lacks = match alert.rule.condition.when() {
                When::Full => Lacking::CountedSeats,
                When::Denials => Lacking::Log,
                When::Expiry => Lacking::Expiry,
                When::ServerDown => Lacking::Server,
                When::Overnight | When::LongSession => continue,
                When::SourceSilent => Lacking::Source,
            };
            notes.push(note(OfRule::Lacks(lacks)));
        }
        if alert.rule.condition.when() == When::SourceSilent && !config.sources.is_empty() {
            notes.push(note(OfRule::ServersForSources));
        }
    }
    notes
}

fn test(global: &Global, only: &[String]) -> anyhow::Result<Done> {
    let config = global.config()?;
    rules(&config)?;
    let all: Vec<Receiver> = config.alerts.receivers().into_iter().cloned().collect();
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|receiver| receiver.to_string() == **name))
    {
        let known: Vec<String> = all.iter().map(Receiver::to_string).collect();
        return Err(wrong_usage(format!("no rule tells `{unknown}`: there are {}", known.join(", "))));
    }
    let zone = config.calendar(&super::default_zone(&config))?.zone().clone();
    let words = Words::new(Arc::default(), zone, None);
    let ways = Ways::new(config.alerts, Privacy::default());
    let now = clock::now();
    let mut done = Done::Well;
    for (nth, receiver) in (1..).zip(&all) {
        if !only.is_empty() && !only.contains(&receiver.to_string()) {
            continue;
        }
        match ways.send(receiver, &Message::test(now), &format!("test.{now}.{nth}"), &words) {
            Ok(()) => say(&format!("{receiver} has taken the test message")),
            Err(why) => {
                warn(&format!("{receiver} has not taken the test message: {why}"));
                done = Done::Failed;
            }
        }
    }
    Ok(done)
}
