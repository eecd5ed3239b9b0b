//! `seatledger demo`

use super::progress::{Bar, Files};
use super::{Done, Global, default_zone, say};
use crate::alerts::Ways;
use crate::config::Config;
use crate::demo::{DIRECTORY, Written, play, write_year};
use crate::render::{self, Face, Look, sparkline};
use crate::service;
use crate::sheets;
use crate::sources::configured::{Servers, sources};
use crate::sources::import::{Wish, import};
use crate::{keys, oplog};
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::report::group::Key;
use accounting::report::{
    Accumulator, Cell, Report, Scope, average_licenses, concurrency, levels, overnight, usage,
};
use anyhow::Context;
use clap::Args;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;
use store::{Place, Store};

/// An invented company's year: its logs are written, taken in by the real parsers, and reported on
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  seatledger demo                 and then http://127.0.0.1:8088/ in a browser\n  seatledger demo --once\n  seatledger --db seatledger-demo/seatledger.db report usage --by month,product"
)]
pub(crate) struct Demo {
    /// Stop after the reports
    #[arg(long)]
    once: bool,
    /// Where the dashboard is served afterwards, on 127.0.0.1
    #[arg(long, value_name = "N", default_value_t = 8088, conflicts_with = "once")]
    port: u16,
}

/// The file that is locked as long as the demo uses its directory.
const SHOWN: &str = "in-use";

impl Demo {
    pub(crate) fn run(self, _: &Global) -> anyhow::Result<Done> {
        let began = Instant::now();
        let directory = PathBuf::from(DIRECTORY);
        // Held on: who looks at the same directory at this moment is not to find it free.
        let former = File::open(directory.join(SHOWN)).ok();
        if directory.exists() {
            anyhow::ensure!(
                former.is_some() || directory.join("seatledger.toml").exists(),
                "./{DIRECTORY} is there and was not made by the demo: move it away"
            );
            // Who shows it would lose the logs that it writes on, and the database under it.
            anyhow::ensure!(
                former.as_ref().is_none_or(|shown| shown.try_lock().is_ok()),
                "another `seatledger demo` shows ./{DIRECTORY}: stop it, or go to another directory"
            );
            std::fs::remove_dir_all(&directory).with_context(|| format!("cannot make ./{DIRECTORY} anew"))?;
        }
        let cannot = || format!("cannot write ./{DIRECTORY}");
        // Of two demos that begin at one time one makes it.
        std::fs::create_dir(&directory).with_context(cannot)?;
        let shown = File::create(directory.join(SHOWN))?;
        shown.lock()?;
        let written = write_year(&directory).with_context(cannot)?;
        let of_servers = written.flexnet.iter().chain(&written.polls);
        let files = of_servers.map(|(_, files)| files.len()).sum::<usize>() + written.wrapper.len();
        say(&format!(
            "A year of an invented company, as its servers would have logged it: ./{DIRECTORY}, {files} files, {} MB",
            written.bytes / 1_000_000
        ));
        let mut store = take_in(&directory, &written)?;
        let read_for = began.elapsed();
        headlines(&mut store)?;
        let bar = Bar::new("verifying");
        let verified = store.verify(&mut |done, total| bar.step(done, total))?;
        bar.done();
        anyhow::ensure!(
            verified.difference.is_none(),
            "the demo's books do not balance: {:?}",
            verified.difference
        );
        say(&format!(
            "\nThe books balance: {} sessions, {} feature days ({:.1} s to write and read the year, {:.1} s in all).",
            verified.sessions,
            verified.days,
            read_for.as_secs_f64(),
            began.elapsed().as_secs_f64()
        ));
        say(&format!(
            "Ask on:  seatledger --db {DIRECTORY}/seatledger.db report usage --by organization,product"
        ));
        if self.once {
            return Ok(Done::Well);
        }
        serve(store, written, self.port)
    }
}

/// Serves the year, and the days that go by after it, until somebody stops it.
fn serve(mut store: Store, written: Written, port: u16) -> anyhow::Result<Done> {
    let config = Config::read(Some(&written.config))?;
    // As if the service had been started where its configuration is.
    std::env::set_current_dir(DIRECTORY).with_context(|| format!("cannot go to ./{DIRECTORY}"))?;
    let place = Place::Sqlite(PathBuf::from("seatledger.db"));
    say(&format!(
        "
The year is served now, until Ctrl-C: open http://127.0.0.1:{port}/ and look at

  Now        Tuesday, 13 January, three seconds a minute: which features are full, and who holds their seats since when
  Features   Signal_Toolbox, bought too small: denials in most weeks, and how many seats would have been enough
  Features   anshpc, a cluster's cores: drag over an evening in the chart, down to minutes
  Overnight  who leaves seats taken
  Reports    everything that `seatledger report` knows, with downloads
"
    ));
    play(written.live);
    let sources = sources(&config, &Servers::of(&config, default_zone(&config)));
    let (zone, log) = (store.calendar()?.zone().clone(), oplog::Settings::of(&config, &place));
    service::run(service::Settings {
        zone,
        calendar_file: config.calendar_file(),
        store,
        sources,
        listen: format!("127.0.0.1:{port}"),
        http: config.http,
        openid: None,
        heartbeats: config.heartbeats,
        retention: config.privacy.retention,
        alerts: Ways::new(config.alerts, keys::privacy(&config.privacy)?),
        log,
    })?;
    Ok(Done::Well)
}

/// Takes the year in, through the same door as any other.
fn take_in(directory: &Path, written: &Written) -> anyhow::Result<Store> {
    let config = Config::read(Some(&written.config))?;
    let calendar = config.calendar("Europe/Zurich")?;
    // Wherever it is opened again from.
    let mut store = Store::create(&Place::Sqlite(std::path::absolute(directory)?.join("seatledger.db")))?;
    store.set_calendar(&calendar)?;
    let people = sheets::read_directory(&written.directory, &mut File::open(&written.directory)?)?;
    store.import_directory(&people)?;
    let catalog = sheets::read_catalog(&written.catalog, &mut File::open(&written.catalog)?)?;
    store.import_catalog(&catalog)?;
    let mut wish = |files: &[PathBuf], server: Option<&String>| -> anyhow::Result<(u64, u64)> {
        let wish = Wish {
            arguments: files.iter().map(|file| file.display().to_string()).collect(),
            server: server.cloned(),
            servers: Servers { default_zone: calendar.zone_name().to_owned(), ..Servers::default() },
            ..Wish::default()
        };
        let summary = import(&mut store, &wish, &mut Files::default())?;
        let problem = summary.files.iter().find_map(|file| file.problem.as_deref());
        anyhow::ensure!(problem.is_none(), "{}", problem.unwrap_or_default());
        let sum = |of: fn(&crate::sources::import::FileSummary) -> u64| summary.files.iter().map(of).sum();
        Ok((sum(|file| file.counts.lines), sum(|file| file.sessions_closed)))
    };
    let (mut lines, mut sessions) = (0, 0);
    for (server, files) in written.flexnet.iter().chain(&written.polls) {
        let read = wish(files, Some(server))?;
        (lines, sessions) = (lines + read.0, sessions + read.1);
    }
    let read = wish(&written.wrapper, None)?;
    (lines, sessions) = (lines + read.0, sessions + read.1);
    let bar = Bar::new("feature days");
    store.derive(&mut |done, total| bar.step(done, total))?;
    bar.done();
    say(&format!("{lines} lines read by the real parsers, {sessions} sessions closed."));
    Ok(store)
}

fn headlines(store: &mut Store) -> anyhow::Result<()> {
    let calendar = store.calendar()?;
    let all = Scope::default();
    let mut products = ask(store, &calendar, &all, |names, calendar, scope| {
        Box::new(usage::Usage::new(names, calendar, scope, by(&[Key::Product])))
    })?;
    most(&mut products, 1, 12);
    let months = ask(store, &calendar, &all, |names, calendar, scope| {
        Box::new(usage::Usage::new(names, calendar, scope, by(&[Key::Product, Key::Month])))
    })?;
    show("Where the time goes: the year by product", &with_sparks(&products, &months), &calendar)?;
    let organizations = ask(store, &calendar, &all, |names, calendar, scope| {
        Box::new(usage::Usage::new(names, calendar, scope, by(&[Key::Organization])))
    })?;
    show("Who uses it", &organizations, &calendar)?;
    let mut average =
        ask(store, &calendar, &period("2025-11-01", "2025-12-01")?, |names, calendar, scope| {
            let options = average_licenses::Options { hours_per_day: None, days_per_month: None };
            Box::new(average_licenses::AverageLicenses::new(names, calendar, scope, options))
        })?;
    most(&mut average, 2, 8);
    show("Licenses in use on average in November's working hours", &average, &calendar)?;
    too_small(store, &calendar)?;
    locked(store, &calendar)
}

/// The feature that was bought too small: denials, and how often all seats are taken.
fn too_small(store: &mut Store, calendar: &Calendar) -> anyhow::Result<()> {
    let mut denied = ask(store, calendar, &Scope::default(), |names, calendar, scope| {
        Box::new(concurrency::Concurrency::new(names, calendar, scope, concurrency::Step::Month))
    })?;
    let Some(worst) = with_most_denials(&denied) else { return Ok(()) };
    denied.rows.retain(|row| row.get(1) == Some(&Cell::Text(worst.clone())));
    show(&format!("What is short: {worst}, month by month"), &denied, calendar)?;
    let feature = globset::Glob::new(&globset::escape(&worst))?.compile_matcher();
    let scope = Scope { feature: Some(feature), ..Scope::default() };
    let levels = ask(store, calendar, &scope, |names, calendar, scope| {
        Box::new(levels::Levels::new(names, calendar, scope))
    })?;
    show(&format!("For how long so many seats of {worst} were in use"), &levels, calendar)
}

/// Who holds seats over night, most nights first.
fn locked(store: &mut Store, calendar: &Calendar) -> anyhow::Result<()> {
    let nights = ask(store, calendar, &Scope::default(), |names, calendar, scope| {
        Box::new(overnight::Overnight::new(names, calendar, scope))
    })?;
    let mut count: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in &nights.rows {
        if let [_, Cell::Text(feature), Cell::Text(user), ..] = &row[..] {
            *count.entry((user.clone(), feature.clone())).or_default() += 1;
        }
    }
    let mut rows: Vec<_> = count.into_iter().collect();
    rows.sort_by(|(name, nights), (other, more)| more.cmp(nights).then(name.cmp(other)));
    let report = Report {
        name: "overnight",
        columns: vec![
            accounting::report::Column::text("user"),
            accounting::report::Column::text("feature"),
            accounting::report::Column::number("nights"),
        ],
        rows: rows
            .into_iter()
            .take(8)
            .map(|((user, feature), nights)| vec![Cell::Text(user), Cell::Text(feature), Cell::Int(nights)])
            .collect(),
        notes: Vec::new(),
    };
    show("Seats held over night", &report, calendar)
}

fn by(keys: &[Key]) -> usage::Options {
    usage::Options::by(keys.to_vec())
}

fn period(from: &str, until: &str) -> anyhow::Result<Scope> {
    Ok(Scope { from: Some(from.parse()?), until: Some(until.parse()?), ..Scope::default() })
}

fn ask(
    store: &mut Store,
    calendar: &Calendar,
    scope: &Scope,
    make: impl for<'n> Fn(&'n Names, &'n Calendar, Scope) -> Box<dyn Accumulator + 'n>,
) -> anyhow::Result<Report> {
    Ok(store.read(|reader| {
        let names = reader.names();
        let mut accumulator = make(&names, calendar, scope.clone());
        reader.fold(scope.from, scope.until, accumulator.as_mut())?;
        Ok(accumulator.finish())
    })?)
}

fn number(cell: Option<&Cell>) -> f64 {
    match cell {
        Some(Cell::Int(value)) => *value as f64,
        Some(Cell::Decimal(value)) => *value,
        _ => 0.0,
    }
}

/// Keeps the rows with the most in a column, most first.
fn most(report: &mut Report, column: usize, rows: usize) {
    report.rows.sort_by(|a, b| number(b.get(column)).total_cmp(&number(a.get(column))));
    report.rows.truncate(rows);
}

fn with_most_denials(report: &Report) -> Option<String> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    let denials = report.columns.iter().position(|column| column.name == "denials")?;
    for row in &report.rows {
        if let Some(Cell::Text(feature)) = row.get(1) {
            *sums.entry(feature).or_default() += number(row.get(denials));
        }
    }
    let worst = sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(worst.0.to_owned())
}

/// The year by product with a column that draws its twelve months.
fn with_sparks(products: &Report, months: &Report) -> Report {
    let mut report = products.clone();
    report.columns.push(accounting::report::Column::text("jan_to_dec"));
    for row in &mut report.rows {
        let mut by_month: BTreeMap<String, f64> =
            (1..=12).map(|month| (format!("2025-{month:02}"), 0.0)).collect();
        for of_month in months.rows.iter().filter(|of_month| of_month.first() == row.first()) {
            if let Some(Cell::Text(month)) = of_month.get(1) {
                by_month.insert(month.clone(), number(of_month.get(2)));
            }
        }
        let values: Vec<f64> = by_month.into_values().collect();
        row.push(Cell::Text(sparkline(&values)));
    }
    report
}

fn show(title: &str, report: &Report, calendar: &Calendar) -> anyhow::Result<()> {
    say(&format!("\n{title}\n"));
    let report = Report { notes: Vec::new(), ..report.clone() };
    let mut out = std::io::stdout().lock();
    render::report(&report, Face::Table, calendar.zone(), &Look::of_stdout(), None, &mut out)?;
    Ok(out.flush()?)
}
