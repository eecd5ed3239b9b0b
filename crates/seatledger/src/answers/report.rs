//! The reports: what each is asked, and how it is answered from the books.

use super::bill::Bill;
use super::coverage::coverage;
use super::filters::{Days, ReportFilters};
use super::{Sight, wrong_usage};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::ledger::{Names, ServerId};
use accounting::report::concurrency::UnknownStep;
use accounting::report::group::Key;
use accounting::report::note::Note;
use accounting::report::{self as reports, Accumulator, Scope, Shared};
use clap::{Args, ValueEnum};
use rustc_hash::FxHashMap;
use store::{Error, Reader, Store};

/// What a report is asked besides its name.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Keys, separated by commas [default: month,feature for `usage`, organization for `allocation`; else none but
    /// the report's own columns]
    #[arg(long, value_name = "KEYS")]
    by: Option<String>,
    /// Only these columns, separated by commas, such as `month,feature,usage_minutes`; less is worked out for `usage` without
    /// sessions and persons (groups without seat time have no row then) and for `heatmap` without peaks and denials
    /// [default: all]
    #[arg(long, value_name = "COLUMNS")]
    columns: Option<String>,
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
    filters: ReportFilters,
}

/// A report, and the calendar by which it cuts time.
pub(crate) struct Answer {
    pub(crate) report: reports::Report,
    pub(crate) calendar: Calendar,
}

/// The reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
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

/// The answer to a question, as far as the asker may see it; `today` is the day in a zone.
pub(crate) fn answer(
    store: &mut Store,
    name: Name,
    options: &Options,
    sight: &Sight,
    today: impl FnOnce(&jiff::tz::TimeZone) -> Day,
) -> anyhow::Result<Answer> {
    let keys = options.keys(name)?;
    options.refuse_those_of_others(name)?;
    if matches!(name, Name::Coverage | Name::Expiry) {
        sight.refuse_unless_everything("this report")?;
    }
    let step = options.step.as_deref().unwrap_or("day").parse();
    let step = step.map_err(|error: UnknownStep| wrong_usage(error))?;
    let mut answer = store
        .in_one_transaction(|store| answer_of_one_state(store, (name, keys, step), options, sight, today))?;
    let columns = options.columns();
    if !columns.is_empty() {
        answer.report.keep(&columns).map_err(wrong_usage)?;
    }
    Ok(answer)
}

/// As [`answer`], of the transaction in which the store is; the question makes sense.
fn answer_of_one_state(
    store: &mut Store,
    (name, keys, step): (Name, Vec<Key>, reports::concurrency::Step),
    options: &Options,
    sight: &Sight,
    today: impl FnOnce(&jiff::tz::TimeZone) -> Day,
) -> anyhow::Result<Answer> {
    let calendar = store.calendar()?;
    let default_days = if name == Name::Ranking { Days::Working } else { Days::All };
    let scope = options.filters.scope(store, &calendar, default_days, sight)?;
    if name == Name::Expiry {
        let today = today(calendar.zone());
        let report =
            store.read_for(&nobody(), |reader| Ok(options.expiry(&reader.names(), &scope, today)))?;
        return Ok(Answer { report, calendar });
    }
    let report = store.read_for(&scope, |reader| {
        let names = reader.names();
        if name == Name::Coverage {
            return coverage(reader, &names, &scope);
        }
        let as_of = reader.as_of()?;
        let question = Question { name, keys, step, as_of, sight, options };
        let mut report = question.answer(reader, &names, &calendar, &scope)?;
        if let Some(at) = as_of {
            report.notes.push(Note::AsOf(at));
        }
        Ok(report)
    })?;
    Ok(Answer { report, calendar })
}

/// A scope without days: what is asked with it needs nobody's name.
pub(crate) fn nobody() -> Scope {
    Scope { from: Some(Day::MIN), until: Some(Day::MIN), ..Scope::default() }
}

impl Options {
    /// What was asked, by the options' names.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        let number = |number: f64| reports::decimal(number);
        let own = [
            ("by", self.by.clone()),
            ("columns", self.columns.clone()),
            ("step", self.step.clone()),
            ("hours-per-day", self.hours_per_day.map(number)),
            ("days-per-month", self.days_per_month.map(number)),
            ("idle-days", self.idle_days.map(|days| days.to_string())),
            ("within", self.within.map(|days| days.to_string())),
        ];
        let own = own.into_iter().chain(self.bill.told());
        let own = own.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        self.filters.told(sight).into_iter().chain(own).collect()
    }

    /// Refuses options that say nothing of this report.
    fn refuse_those_of_others(&self, name: Name) -> anyhow::Result<()> {
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
            if given && !names.contains(&name) {
                return Err(wrong_usage(of));
            }
        }
        match name {
            Name::AverageLicenses => self.filters.refuse_all_days(),
            Name::Coverage => self.filters.refuse_all_but_period_and_server(),
            Name::Expiry => self.filters.refuse_all_but_names(),
            _ => Ok(()),
        }
    }

    /// The columns of `--columns`; none where all are shown.
    fn columns(&self) -> Vec<&str> {
        self.columns
            .iter()
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect()
    }

    /// Whether no more is asked for than keys and some of a report's columns.
    fn asks_only_for(&self, keys: &[Key], some: &[&str]) -> bool {
        let columns = self.columns();
        let is_enough = |column: &&str| some.contains(column) || keys.iter().any(|key| key.name() == *column);
        !columns.is_empty() && columns.iter().all(is_enough)
    }

    /// The keys of `--by`, as far as the report knows them.
    fn keys(&self, name: Name) -> anyhow::Result<Vec<Key>> {
        let Some(by) = self.by.as_deref() else {
            return Ok(match name {
                Name::Usage => vec![Key::Month, Key::Feature],
                Name::Allocation => vec![Key::Organization],
                _ => Vec::new(),
            });
        };
        let (name, known): (_, &[Key]) = match name {
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

    fn expiry(&self, names: &Names, scope: &Scope, today: Day) -> reports::Report {
        let within = self.within.map(|days| days as i32);
        reports::expiry::expiry(names, scope, reports::expiry::Options { today, within })
    }
}

/// A report's name and what it is asked, with what follows from it.
struct Question<'a> {
    name: Name,
    keys: Vec<Key>,
    step: reports::concurrency::Step,
    /// The ledger's last evidence.
    as_of: Option<UnixMs>,
    sight: &'a Sight,
    options: &'a Options,
}

impl Question<'_> {
    fn answer(
        &self,
        reader: &mut Reader<'_>,
        names: &Names,
        calendar: &Calendar,
        asked: &Scope,
    ) -> Result<reports::Report, Error> {
        let (by, given) = (self.keys.as_slice(), self.options);
        let scope = || asked.clone();
        let averages = reports::average_licenses::Options {
            hours_per_day: given.hours_per_day,
            days_per_month: given.days_per_month,
        };
        match self.name {
            Name::Usage => {
                let time_alone = given.asks_only_for(by, &["usage_minutes", "seat_seconds"]);
                let options = || reports::usage::Options { by: self.keys.clone(), time_alone };
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
            Name::Utilization => shared(reader, asked, || {
                reports::utilization::Utilization::by(names, calendar, scope(), averages, by)
            }),
            Name::SeatsNeeded => {
                alone(reader, asked, reports::seats_needed::SeatsNeeded::by(names, calendar, scope(), by))
            }
            Name::Heatmap => {
                let columns = reports::heatmap::Options::columns_of_averages(by);
                let averages_alone = given.asks_only_for(by, &columns);
                let options = || reports::heatmap::Options { by: self.keys.clone(), averages_alone };
                shared(reader, asked, || reports::heatmap::Heatmap::new(names, calendar, scope(), options()))
            }
            Name::Overnight => {
                alone(reader, asked, reports::overnight::Overnight::new(names, calendar, scope()))
            }
            Name::Denials => {
                let options = || reports::denials::Options { by: self.keys.clone() };
                shared(reader, asked, || reports::denials::Denials::new(names, calendar, scope(), options()))
            }
            Name::Allocation => {
                let options = given.bill.options(self.keys.clone());
                alone(reader, asked, reports::allocation::Allocation::new(names, calendar, scope(), options))
            }
            Name::Idle => {
                let idle_days = given.idle_days.map(i64::from);
                let used_only = *self.sight != Sight::Everything;
                let options = reports::idle::Options { as_of: self.as_of, idle_days, used_only };
                alone(reader, asked, reports::idle::Idle::new(names, calendar, scope(), options))
            }
            Name::Concurrency | Name::Coverage | Name::Expiry => shared(reader, asked, || {
                reports::concurrency::Concurrency::by(names, calendar, scope(), self.step, by)
            }),
        }
    }
}

/// `usage` by several keys, of one state of the ledger: days and names are read once for all of them.
pub(crate) fn usage_by(
    store: &mut Store,
    options: &Options,
    by: &[&str],
    sight: &Sight,
) -> anyhow::Result<Vec<Answer>> {
    several((store, Name::Usage, options, sight), by, |reader, names, calendar, scope, keys| {
        let of = |by: &Vec<Key>| reports::usage::Options::by(by.clone());
        let make = || {
            let one = |by| reports::usage::Usage::new(names, calendar, scope.clone(), of(by));
            keys.iter().map(one).collect::<Vec<_>>()
        };
        Ok(finished(reader.fold_all_shared(scope.from, scope.until, make)?))
    })
}

/// `denials` by several keys, as [`usage_by`].
pub(crate) fn denials_by(
    store: &mut Store,
    options: &Options,
    by: &[&str],
    sight: &Sight,
) -> anyhow::Result<Vec<Answer>> {
    several((store, Name::Denials, options, sight), by, |reader, names, calendar, scope, keys| {
        let of = |by: &Vec<Key>| reports::denials::Options { by: by.clone() };
        let make = || {
            let one = |by| reports::denials::Denials::new(names, calendar, scope.clone(), of(by));
            keys.iter().map(one).collect::<Vec<_>>()
        };
        Ok(finished(reader.fold_all_shared(scope.from, scope.until, make)?))
    })
}

/// The answers of a report by several keys; none are those of the report itself.
fn several(
    (store, name, options, sight): (&mut Store, Name, &Options, &Sight),
    by: &[&str],
    fold: impl FnOnce(
        &mut Reader<'_>,
        &Names,
        &Calendar,
        &Scope,
        &[Vec<Key>],
    ) -> Result<Vec<reports::Report>, Error>,
) -> anyhow::Result<Vec<Answer>> {
    options.refuse_those_of_others(name)?;
    let of = |by: &&str| (!by.is_empty()).then(|| (*by).to_owned());
    let keys = by.iter().map(|by| Options { by: of(by), ..options.clone() }.keys(name));
    let keys: Vec<Vec<Key>> = keys.collect::<Result<_, _>>()?;
    store.in_one_transaction(|store| {
        let calendar = store.calendar()?;
        let scope = options.filters.scope(store, &calendar, Days::All, sight)?;
        let reports = store.read_for(&scope, |reader| {
            let (names, as_of) = (reader.names(), reader.as_of()?);
            let mut reports = fold(reader, &names, &calendar, &scope, &keys)?;
            for (at, report) in as_of.into_iter().cycle().zip(&mut reports) {
                report.notes.push(Note::AsOf(at));
            }
            Ok(reports)
        })?;
        Ok(reports.into_iter().map(|report| Answer { report, calendar: calendar.clone() }).collect())
    })
}

fn finished<A: Accumulator>(accumulators: Vec<A>) -> Vec<reports::Report> {
    accumulators.into_iter().map(|accumulator| Box::new(accumulator).finish()).collect()
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

/// Asks several reports that share their filters, of one state of the ledger; names are read once.
pub(crate) fn in_one_state<T>(
    store: &mut Store,
    options: &Options,
    sight: &Sight,
    work: impl FnOnce(&mut Store) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    store.in_one_transaction(|store| {
        let calendar = store.calendar()?;
        let scope = options.filters.scope(store, &calendar, Days::All, sight)?;
        store.in_one_state_for(&scope, work)
    })
}

/// What is known of the features of a period.
pub(crate) struct WholePeriod {
    /// `utilization` of all of it.
    pub(crate) report: reports::Report,
    /// `concurrency` step by step.
    pub(crate) steps: reports::Report,
    /// What features are, by their codes.
    pub(crate) features: FxHashMap<String, FeatureIs>,
    pub(crate) calendar: Calendar,
}

/// What a feature is.
pub(crate) struct FeatureIs {
    pub(crate) product: Option<String>,
    /// The license servers at which it is.
    pub(crate) servers: Vec<String>,
}

/// The features of a period; days are read once.
pub(crate) fn whole_period(
    store: &mut Store,
    options: &Options,
    step: reports::concurrency::Step,
    sight: &Sight,
) -> anyhow::Result<WholePeriod> {
    store.in_one_transaction(|store| {
        let calendar = store.calendar()?;
        let scope = options.filters.scope(store, &calendar, Days::All, sight)?;
        let (report, steps, features) = store.read_for(&scope, |reader| {
            let names = reader.names();
            let make = || {
                let scope = || scope.clone();
                (
                    reports::utilization::Utilization::over_period(&names, &calendar, scope()),
                    reports::concurrency::Concurrency::new(&names, &calendar, scope(), step),
                )
            };
            let (whole, steps) = reader.fold_all_shared(scope.from, scope.until, make)?;
            Ok((Box::new(whole).finish(), Box::new(steps).finish(), features(&names)))
        })?;
        Ok(WholePeriod { report, steps, features, calendar })
    })
}

fn features(names: &Names) -> FxHashMap<String, FeatureIs> {
    let server = |id: &ServerId| Some(names.servers.get(id)?.name.clone());
    let features = names.features.values().map(|feature| {
        let servers = feature.servers.iter().filter_map(server).collect();
        (feature.code.clone(), FeatureIs { product: feature.product.clone(), servers })
    });
    features.collect()
}

/// The report `concurrency` of all features of a scope.
pub(super) fn concurrency(
    reader: &mut Reader<'_>,
    names: &Names,
    calendar: &Calendar,
    scope: &Scope,
    step: reports::concurrency::Step,
) -> Result<reports::Report, Error> {
    shared(reader, scope, || reports::concurrency::Concurrency::new(names, calendar, scope.clone(), step))
}
