//! `seatledger export`

use super::{Done, Global, warn, write_whole, wrong_usage};
use crate::config::Winterthur;
use accounting::day::Day;
use accounting::ledger::Names;
use accounting::report::group::Key;
use accounting::report::usage::{Options, Usage};
use accounting::report::{Accumulator, Cell, Report, Scope};
use clap::{Args, Subcommand, ValueEnum};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;
use store::oracle::{DailyUsage, merge};
use store::{UNKNOWN_ORGANIZATION, View};

/// Figures for another database
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger export usage --as oracle-merge -o usage.sql")]
pub(crate) struct Export {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Usage(ExportUsage),
}

const AFTER_HELP: &str = "\
csv           organization,day,app_code,version,minutes
oracle-merge  a script for Oracle that brings the table of [views.winterthur] to these figures; run twice it changes nothing

Organizations are numbers, the directory's external_id as of the day; -1 where there is none. What another system had
counted (imported totals) is added.

Examples:
  seatledger export usage --as csv
  seatledger export usage --as oracle-merge --from 2025-03-01 -o usage.sql && sqlplus books@gis @usage.sql";

/// The minutes of heartbeats by organization, day, app code and version
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
struct ExportUsage {
    /// How to write it
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Form,
    /// First day, YYYY-MM-DD [default: the ledger's first]
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,
    /// The day after the last (exclusive), YYYY-MM-DD [default: the ledger's last, today included]
    #[arg(long, value_name = "DAY")]
    until: Option<Day>,
    /// Write to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Separated values
    Csv,
    /// A script for Oracle
    OracleMerge,
}

impl Export {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let What::Usage(export) = self.what;
        export.run(global)
    }
}

/// Organization's number, day, feature, version.
type Place = (i64, Day, String, String);

impl ExportUsage {
    fn run(self, global: &Global) -> anyhow::Result<Done> {
        if let (Some(from), Some(until)) = (self.from, self.until)
            && from >= until
        {
            return Err(wrong_usage(format!("--from {from} is not before --until {until}")));
        }
        let (mut store, config) = global.open()?;
        let by = vec![Key::Day, Key::Organization, Key::Feature, Key::Version];
        let (minutes, unnumbered) = store.read(|reader| {
            let (names, calendar) = (reader.names(), reader.calendar());
            let server = Some(store::heartbeats::NAME.to_owned());
            let scope = Scope { from: self.from, until: self.until, server, ..Scope::default() };
            let mut usage = Usage::new(&names, &calendar, scope, Options::by(by));
            reader.fold(self.from, self.until, &mut usage)?;
            let mut sums =
                Sums { numbers: reader.organization_numbers()?.into_iter().collect(), ..Sums::default() };
            sums.add_sessions(&Box::new(usage).finish());
            self.add_totals(&names, &mut sums);
            Ok((sums.minutes, sums.unnumbered))
        })?;
        if !unnumbered.is_empty() {
            let known: Vec<String> = unnumbered.into_iter().collect();
            warn(&format!("the directory has no external_id, so -1 stands, for: {}", known.join(", ")));
        }
        write_whole(self.output.as_deref(), |_, out| match self.form {
            Form::Csv => csv(&minutes, out),
            Form::OracleMerge => {
                let names = config.winterthur.clone().unwrap_or_default();
                oracle(minutes, &names, &config.heartbeats.unknown_version, out)
            }
        })?;
        Ok(Done::Well)
    }

    /// What another system had counted in the period.
    fn add_totals(&self, names: &Names, sums: &mut Sums) {
        for total in &names.totals {
            let is_in = self.from.is_none_or(|from| from <= total.day)
                && self.until.is_none_or(|until| total.day < until);
            if let (true, Some(feature)) = (is_in, names.features.get(&total.feature)) {
                let version = names.versions.get(&total.version).cloned().unwrap_or_default();
                let number = total.organization.parse().ok();
                let number = number.unwrap_or_else(|| sums.number(&total.organization));
                *sums.minutes.entry((number, total.day, feature.code.clone(), version)).or_default() +=
                    total.minutes;
            }
        }
    }
}

/// Minutes by place.
#[derive(Default)]
struct Sums {
    numbers: HashMap<String, i64>,
    minutes: BTreeMap<Place, i64>,
    /// Organizations without a number.
    unnumbered: BTreeSet<String>,
}

impl Sums {
    /// The number of an organization.
    fn number(&mut self, organization: &str) -> i64 {
        self.numbers.get(organization).copied().unwrap_or_else(|| {
            if !organization.is_empty() {
                self.unnumbered.insert(organization.to_owned());
            }
            UNKNOWN_ORGANIZATION
        })
    }

    /// The rows of the report, by day, organization, feature and version.
    fn add_sessions(&mut self, report: &Report) {
        for row in &report.rows {
            let text = |nth: usize| match row.get(nth) {
                Some(Cell::Text(text)) => text.as_str(),
                _ => "",
            };
            let (Ok(day), Some(Cell::Decimal(minutes))) = (text(0).parse(), row.get(4)) else { continue };
            let place = (self.number(text(1)), day, text(2).to_owned(), text(3).to_owned());
            *self.minutes.entry(place).or_default() += minutes.round() as i64;
        }
    }
}

fn csv(minutes: &BTreeMap<Place, i64>, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut sheet = ::csv::Writer::from_writer(out);
    sheet.write_record(["organization", "day", "app_code", "version", "minutes"])?;
    for ((organization, day, feature, version), minutes) in minutes {
        let fields = [&organization.to_string(), &day.to_string(), feature, version, &minutes.to_string()];
        sheet.write_record(fields)?;
    }
    Ok(sheet.flush()?)
}

fn oracle(
    minutes: BTreeMap<Place, i64>,
    names: &Winterthur,
    unknown_version: &str,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    // An empty text is none in Oracle, and would never be found again.
    let mut known: BTreeMap<(i64, Day, i64, String), i64> = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for ((organization, day, feature, version), minutes) in minutes {
        let Ok(app_code) = feature.parse() else {
            left_out.insert(feature);
            continue;
        };
        let version = if version.is_empty() { unknown_version.to_owned() } else { version };
        *known.entry((organization, day, app_code, version)).or_default() += minutes;
    }
    if !left_out.is_empty() {
        let left_out: Vec<String> = left_out.into_iter().collect();
        warn(&format!("left out, for app codes are whole numbers: {}", left_out.join(", ")));
    }
    let rows: Vec<DailyUsage> = known
        .into_iter()
        .map(|((organization, day, app_code, version), minutes)| DailyUsage {
            organization,
            day,
            app_code,
            version,
            minutes,
        })
        .collect();
    let table = View { name: names.usage.name.clone(), columns: names.usage.columns.clone() };
    Ok(merge(&table, &rows, out)?)
}
