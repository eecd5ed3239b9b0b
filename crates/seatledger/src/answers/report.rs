//! `seatledger report`

use super::bill::Bill;
use super::import::civil;
use super::render;
use super::scope::{Days, Filters};
use super::{Done, Global, Shown, wrong_usage};
use crate::clock;
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::report::concurrency::UnknownStep;
use accounting::report::group::Key;
use accounting::report::{self as reports, Accumulator, Cell, Column, Scope, Shared};
use clap::{Args, ValueEnum};
use store::{Error, Reader};

const AFTER_HELP: &str = "\
Reports:
  usage             minutes, seat seconds, sessions, persons by --by keys
  ranking           features of each month by their minutes on working days
  average-licenses  how many licenses were used on average in working hours
  concurrency       seats in use by --step: average, peak and when, issued, denials
  levels            for how long exactly n seats, and at least n seats, were in use
  utilization       of each month: seats used of those issued, when busy and full, what was watched
  seats-needed      how many seats would have been enough, by time and by request
  heatmap           seats in use and denials by hour of the week
  overnight         who holds a seat at midnight
  denials           who was refused by reason: raw, and as requests that were delayed or denied
  allocation        a bill (--cost), or the catalog's prices, split by use
  idle              features that nobody uses, and since when
  expiry            which seats expire when
  coverage          what was watched when, and what was not understood

Keys of --by: feature product type version person user host organization project server time_class day week month;
they come before the report's own columns. utilization and average-licenses are not shown by day and week, nor
concurrency by day, week and month (that is --step), nor denials by version. overnight, idle, expiry and coverage
have no keys.

Examples:
  seatledger report usage --by month,feature,time_class --from 2025-01-01 --until 2026-01-01
  seatledger report average-licenses --hours-per-day 6 --days-per-month 22
  seatledger report concurrency --step hour --feature 'anshpc*' --format csv -o hours.csv
  seatledger report usage --by organization --time-class prime --days working --format json
  seatledger report utilization --by server --from 2025-01-01
  seatledger report seats-needed --feature 'hfss*' --time-class prime --days working
  seatledger report heatmap --feature solver --format csv
  seatledger report levels --by organization --feature solver
  seatledger report denials --by server,day --feature solver --from 2025-03-01 --until 2025-04-01
  seatledger report allocation --feature 'cad*' --cost 48000 --currency CHF --from 2025-01-01 --until 2026-01-01
  seatledger report allocation --by project --share person-seconds --format csv
  seatledger report idle --idle-days 90
  seatledger report expiry --within 60";

/// Answer a question from the books
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Report {
    #[arg(value_enum)]
    name: Name,
    /// Keys, separated by commas [default: month,feature for `usage`, organization for `allocation`; else none but
    /// the report's own columns]
    #[arg(long, value_name = "KEYS")]
    by: Option<String>,
    /// Steps of `concurrency`: hour, day or month [default: day]
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Working hours a day for `average-licenses` and `utilization` [default: the calendar's prime hours]
    #[arg(long, value_name = "HOURS", value_parser = positive)]
    hours_per_day: Option<f64>,
    /// Working days a month for `average-licenses` and `utilization` [default: the calendar's]
    #[arg(long, value_name = "DAYS", value_parser = positive)]
    days_per_month: Option<f64>,
    /// Only features that `idle` finds unused for so many days, or never used
    #[arg(long, value_name = "DAYS")]
    idle_days: Option<u32>,
    /// Only what expires within so many days, for `expiry`
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..1_000_000))]
    within: Option<u32>,
    #[command(flatten)]
    bill: Bill,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    shown: Shown,
}

/// The reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Usage,
    Ranking,
    AverageLicenses,
    Concurrency,
    Levels,
    Utilization,
    SeatsNeeded,
    Heatmap,
    Overnight,
    Denials,
    Allocation,
    Idle,
    Expiry,
    Coverage,
}

/// A number by which can be divided.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number greater than 0, such as 7.5".to_owned()),
    }
}

impl Report {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, config) = global.open()?;
        let keys = self.keys()?;
        self.refuse_options_of_others()?;
        let step =
            self.step.as_deref().unwrap_or("day").parse().map_err(|error: UnknownStep| wrong_usage(error))?;
        self.filters.refuse_unknown_server(&mut store)?;
        let calendar = store.calendar()?;
        let scope = self.filters.scope(&calendar, self.default_days())?;
        let mut report = store.read(|reader| {
            let names = reader.names();
            if self.name == Name::Coverage {
                return coverage(reader, &names, &scope);
            }
            if self.name == Name::Expiry {
                return Ok(self.expiry(&names, &calendar, &scope));
            }
            let as_of = reader.as_of()?;
            let options = Options { keys: keys.clone(), step, as_of, report: &self };
            let mut report = options.answer(reader, &names, &calendar, &scope)?;
            if let Some(at) = as_of {
                report.notes.push(format!("as of {}", civil(at, calendar.zone())));
            }
            Ok(report)
        })?;
        let configured = config.calendar(calendar.zone_name())?;
        if config.calendar.is_some() && configured.fingerprint() != calendar.fingerprint() {
            report.notes.push(
                "the database's calendar is in force, the configuration has another: `seatledger rebuild` puts it \
                 in force"
                    .to_owned(),
            );
        }
        self.shown.write(|face, look, out| Ok(render::report(&report, face, calendar.zone(), look, out)?))?;
        self.shown.say_notes(&report.notes);
        Ok(Done::Well)
    }

    /// Refuses options that say nothing of this report.
    fn refuse_options_of_others(&self) -> anyhow::Result<()> {
        let averages = self.hours_per_day.is_some() || self.days_per_month.is_some();
        let of_averages = [Name::AverageLicenses, Name::Utilization];
        for (given, names, of) in [
            (self.step.is_some(), &[Name::Concurrency][..], "--step belongs to the report concurrency"),
            (
                self.bill.is_given(),
                &[Name::Allocation],
                "--cost, --currency and --share belong to allocation",
            ),
            (self.idle_days.is_some(), &[Name::Idle], "--idle-days belongs to the report idle"),
            (self.within.is_some(), &[Name::Expiry], "--within belongs to the report expiry"),
            (
                averages,
                &of_averages,
                "--hours-per-day and --days-per-month belong to average-licenses and utilization",
            ),
        ] {
            if given && !names.contains(&self.name) {
                return Err(wrong_usage(of));
            }
        }
        match self.name {
            Name::AverageLicenses => self.filters.refuse_all_days(),
            Name::Coverage => self.filters.refuse_all_but_period_and_server(),
            Name::Expiry => self.filters.refuse_all_but_names(),
            _ => Ok(()),
        }
    }

    /// The keys of `--by`, as far as the report knows them.
    fn keys(&self) -> anyhow::Result<Vec<Key>> {
        let Some(by) = self.by.as_deref() else {
            return Ok(match self.name {
                Name::Usage => vec![Key::Month, Key::Feature],
                Name::Allocation => vec![Key::Organization],
                _ => Vec::new(),
            });
        };
        let (name, known): (_, &[Key]) = match self.name {
            Name::Usage
            | Name::Allocation
            | Name::Ranking
            | Name::Levels
            | Name::SeatsNeeded
            | Name::Heatmap => return Key::list(by).map_err(wrong_usage),
            Name::Denials => ("denials", reports::denials::Options::KEYS),
            Name::Utilization => ("utilization", &reports::utilization::Utilization::KEYS),
            Name::AverageLicenses => ("average-licenses", &reports::average_licenses::AverageLicenses::KEYS),
            Name::Concurrency => ("concurrency", &reports::concurrency::Concurrency::KEYS),
            Name::Overnight | Name::Idle | Name::Expiry | Name::Coverage => {
                return Err(wrong_usage("overnight, idle, expiry and coverage have no keys"));
            }
        };
        Key::list_for(name, known, by).map_err(wrong_usage)
    }

    fn expiry(&self, names: &Names, calendar: &Calendar, scope: &Scope) -> reports::Report {
        let (today, within) = (clock::today(calendar.zone()), self.within.map(|days| days as i32));
        reports::expiry::expiry(names, scope, reports::expiry::Options { today, within })
    }

    fn default_days(&self) -> Days {
        if self.name == Name::Ranking { Days::Working } else { Days::All }
    }
}

/// What a report is asked.
struct Options<'a> {
    keys: Vec<Key>,
    step: reports::concurrency::Step,
    /// The ledger's last evidence.
    as_of: Option<UnixMs>,
    report: &'a Report,
}

impl Options<'_> {
    fn answer(
        &self,
        reader: &mut Reader<'_>,
        names: &Names,
        calendar: &Calendar,
        asked: &Scope,
    ) -> Result<reports::Report, Error> {
        let (by, report) = (self.keys.as_slice(), self.report);
        let scope = || asked.clone();
        let averages = reports::average_licenses::Options {
            hours_per_day: report.hours_per_day,
            days_per_month: report.days_per_month,
        };
        match report.name {
            Name::Usage => {
                let options = || reports::usage::Options { by: self.keys.clone() };
                shared(reader, asked, || reports::usage::Usage::new(names, calendar, scope(), options()))
            }
            Name::Ranking => {
                shared(reader, asked, || reports::ranking::Ranking::by(names, calendar, scope(), by))
            }
            Name::AverageLicenses => shared(reader, asked, || {
                reports::average_licenses::AverageLicenses::by(names, calendar, scope(), averages, by)
            }),
            Name::Levels => {
                shared(reader, asked, || reports::levels::Levels::by(names, calendar, scope(), by))
            }
            Name::Utilization => {
                let made = reports::utilization::Utilization::by(names, calendar, scope(), averages, by);
                alone(reader, asked, made)
            }
            Name::SeatsNeeded => {
                alone(reader, asked, reports::seats_needed::SeatsNeeded::by(names, calendar, scope(), by))
            }
            Name::Heatmap => {
                shared(reader, asked, || reports::heatmap::Heatmap::by(names, calendar, scope(), by))
            }
            Name::Overnight => {
                alone(reader, asked, reports::overnight::Overnight::new(names, calendar, scope()))
            }
            Name::Denials => {
                let options = reports::denials::Options { by: self.keys.clone() };
                alone(reader, asked, reports::denials::Denials::new(names, calendar, scope(), options))
            }
            Name::Allocation => {
                let options = report.bill.options(self.keys.clone());
                alone(reader, asked, reports::allocation::Allocation::new(names, calendar, scope(), options))
            }
            Name::Idle => {
                let idle_days = report.idle_days.map(i64::from);
                let options = reports::idle::Options { as_of: self.as_of, idle_days };
                alone(reader, asked, reports::idle::Idle::new(names, calendar, scope(), options))
            }
            Name::Concurrency | Name::Coverage | Name::Expiry => shared(reader, asked, || {
                reports::concurrency::Concurrency::by(names, calendar, scope(), self.step, by)
            }),
        }
    }
}

/// The report of an accumulator that takes in all days itself.
fn alone(
    reader: &mut Reader<'_>,
    scope: &Scope,
    mut accumulator: impl Accumulator,
) -> Result<reports::Report, Error> {
    reader.fold(scope.from, scope.until, &mut accumulator)?;
    Ok(Box::new(accumulator).finish())
}

/// The report of an accumulator that several threads can fill.
fn shared<A: Shared>(
    reader: &mut Reader<'_>,
    scope: &Scope,
    make: impl Fn() -> A,
) -> Result<reports::Report, Error> {
    let accumulator = reader.fold_shared(scope.from, scope.until, make)?;
    Ok(Box::new(accumulator).finish())
}

/// What was watched when: the inputs, their license servers, their lines.
fn coverage(reader: &mut Reader<'_>, names: &Names, scope: &Scope) -> Result<reports::Report, Error> {
    let inputs = reader.inputs()?;
    let calendar = reader.calendar();
    let mut rows = Vec::new();
    for row in reader.coverage()? {
        let server = names.servers.get(&row.server).map_or("", |server| server.name.as_str());
        let wanted = scope.server.as_deref().is_none_or(|wanted| wanted == server)
            && scope.from.is_none_or(|from| calendar.day_of(row.until) >= from)
            && scope.until.is_none_or(|until| calendar.day_of(row.from) < until);
        if wanted {
            let count = |lines: Option<u64>| lines.map_or(Cell::Empty, |lines| Cell::Int(lines as i64));
            rows.push(vec![
                Cell::Text(inputs.get(&row.input).cloned().unwrap_or_default()),
                Cell::Text(server.to_owned()),
                Cell::Instant(row.from),
                Cell::Instant(row.until),
                Cell::Text(if row.watched { "watched" } else { "gap" }.to_owned()),
                count(row.lines.map(|(lines, _)| lines)),
                count(row.lines.map(|(_, unrecognized)| unrecognized)),
            ]);
        }
    }
    Ok(reports::Report {
        name: "coverage",
        columns: vec![
            Column::text("source"),
            Column::text("server"),
            Column::text("from"),
            Column::text("until"),
            Column::text("state"),
            Column::number("lines"),
            Column::number("unrecognized"),
        ],
        rows,
        notes: notes_on_coverage(reader, names, scope)?,
    })
}

/// What a row does not say: what a gap is, and how far polls agree with the log beside them.
fn notes_on_coverage(reader: &mut Reader<'_>, names: &Names, scope: &Scope) -> Result<Vec<String>, Error> {
    let zone = reader.calendar().zone().clone();
    let mut notes =
        vec!["gap: between the last line of a run and the next start nobody was watching".to_owned()];
    for reconciled in reader.reconciled()? {
        let store::Reconciled { server, polls, compared, equal, worst } = reconciled;
        let server = names.servers.get(&server).map_or("", |server| server.name.as_str());
        if scope.server.as_deref().is_some_and(|wanted| wanted != server) {
            continue;
        }
        let worst = worst.map_or(String::new(), |worst| {
            let feature = names.features.get(&worst.feature).map_or("", |feature| feature.code.as_str());
            let (polled, logged) = (worst.polled, worst.logged);
            format!(
                "; they differ most in {feature} at {}: {polled} polled, {logged} logged",
                civil(worst.at, &zone)
            )
        });
        notes.push(format!(
            "{server}: {polls} polls beside the log; {equal} of {compared} figures of seats in use agree{worst}"
        ));
    }
    Ok(notes)
}
