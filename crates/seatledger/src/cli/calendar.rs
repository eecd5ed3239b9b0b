//! `seatledger calendar`

use super::{Done, Global, Shown, default_zone};
use crate::answers::known_days;
use crate::clock;
use crate::config::Config;
use crate::config::stretch::{written, written_days};
use accounting::calendar::{Calendar, TimeClass, all_days, faults};
use accounting::day::Day;
use accounting::report::{Cell, Column, Report};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use store::Store;

const HOUR_MS: i64 = 3_600_000;
const COLUMNS: [&str; 5] = ["of", "name", "value", "state", "note"];

/// The calendar by which all figures are counted
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatledger calendar check --format json")]
pub(crate) struct CalendarCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
}

/// Print the calendar in force, and say what is wrong or to be looked at in it and in the configuration's
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is written. What is printed: the zone, the working days, the hours of each time class, the holidays, the days on which the
clocks change with how many hours each class gets or loses, and what should be looked at: hours of no class or of several, years
without holidays, a configuration that differs from what is in force.

Examples:
  seatledger calendar check
  seatledger --config new.toml calendar check --format json

Exit codes: 0 nothing is wrong; 1 the configuration's calendar is none.")]
struct Check {
    #[command(flatten)]
    shown: Shown,
}

impl CalendarCommand {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let Command::Check(check) = self.command;
        check.run(global)
    }
}

/// A calendar, and the first and the last day of which anything is known.
type InForce = (Option<Calendar>, Option<(Day, Day)>);

/// Something of a calendar.
#[derive(Default)]
struct Row {
    of: &'static str,
    name: String,
    value: String,
    state: State,
    note: String,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Well,
    Look,
    Bad,
}

impl Check {
    fn run(self, global: &Global) -> anyhow::Result<Done> {
        let config = global.config()?;
        let (own, days) = in_force(global, &config)?;
        let mut rows = of_configuration(&config, own.as_ref());
        let is_wrong = rows.iter().any(|row| row.state == State::Bad);
        // Before anything is in force, what would be.
        let shown = match own {
            Some(own) => Some(own),
            None if is_wrong => None,
            None => Some(config.calendar(&default_zone(&config))?),
        };
        if let Some(calendar) = &shown {
            rows.splice(0..0, of_calendar(calendar, days));
        }
        let zone = shown.as_ref().map_or(jiff::tz::TimeZone::UTC, |calendar| calendar.zone().clone());
        let report = Report {
            name: "calendar",
            columns: COLUMNS.map(Column::text).into(),
            rows: rows.into_iter().map(cells).collect(),
            notes: Vec::new(),
        };
        self.shown.report(&report, &zone, Vec::new())?;
        Ok(if is_wrong { Done::Failed } else { Done::Well })
    }
}

fn cells(row: Row) -> Vec<Cell> {
    let state = match row.state {
        State::Well => "ok",
        State::Look => "look",
        State::Bad => "bad",
    };
    [row.of.to_owned(), row.name, row.value, state.to_owned(), row.note].map(Cell::Text).into()
}

/// The ledger's calendar, where there is a ledger that has one, and the days that it knows.
fn in_force(global: &Global, config: &Config) -> anyhow::Result<InForce> {
    let place = global.place(config)?;
    let mut store = match Store::open(&place) {
        Ok(store) => store,
        Err(store::Error::NotFound(_)) => return Ok((None, None)),
        Err(error) => return Err(error.into()),
    };
    store.tell_time(clock::now());
    let own = if store.has_calendar()? { Some(store.calendar()?) } else { None };
    Ok((own, known_days(&mut store)?))
}

/// What the configuration says of the calendar, beside what is in force.
fn of_configuration(config: &Config, own: Option<&Calendar>) -> Vec<Row> {
    let Some(file) = &config.file else { return Vec::new() };
    let row = |value: &str, state, note: String| Row {
        of: "configuration",
        name: file.clone(),
        value: value.to_owned(),
        state,
        note,
    };
    let section = config.calendar.as_ref();
    let place = section
        .and_then(|section| section.classes_line)
        .map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
    let classes = section.and_then(|section| section.classes.as_deref()).unwrap_or_default();
    let wrong =
        if section.is_some_and(|section| section.classes.is_some()) { faults(classes) } else { Vec::new() };
    if !wrong.is_empty() {
        let bad = |fault: accounting::calendar::Fault| Row {
            name: place.clone(),
            ..row(&written(&fault.stretch), State::Bad, fault.why())
        };
        return wrong.into_iter().map(bad).collect();
    }
    let wins = section.is_some();
    let whose =
        if wins { "[calendar] wins over the ledger's" } else { "no [calendar]: the ledger's own counts" };
    vec![match (config.calendar_over(own.cloned(), &default_zone(config)), own) {
        (Err(error), _) => row("wrong", State::Bad, error.to_string()),
        (Ok(_), None) => row(whose, State::Well, "nothing is in force yet: the first command that writes puts it in force".to_owned()),
        (Ok(configured), Some(own)) if configured.fingerprint() == own.fingerprint() => row(whose, State::Well, String::new()),
        (Ok(_), Some(_)) => row(
            whose,
            State::Look,
            "it differs from what is in force: the next command that writes puts it in force, and all days are derived anew"
                .to_owned(),
        ),
    }]
}

/// A calendar, and what is to be looked at in it for the days that the ledger knows and this year.
fn of_calendar(calendar: &Calendar, days: Option<(Day, Day)>) -> Vec<Row> {
    let row = |of, name: &str, value: String| Row { of, name: name.to_owned(), value, ..Row::default() };
    let working: Vec<_> = all_days()
        .into_iter()
        .zip(0..)
        .filter(|(_, nth)| calendar.working_days().contains(nth))
        .map(|(day, _)| day)
        .collect();
    let working = match written_days(&working) {
        days if days.is_empty() && working.is_empty() => "none".to_owned(),
        days if days.is_empty() => "Mon-Sun".to_owned(),
        days => days,
    };
    let mut rows = vec![row("zone", "", calendar.zone_name().to_owned()), row("working_days", "", working)];
    let hours = |class: &TimeClass| class.stretches.iter().map(written).collect::<Vec<_>>().join("; ");
    rows.extend(calendar.classes().iter().map(|class| row("class", &class.name, hours(class))));
    let today = clock::today(calendar.zone());
    let (first, last) = days.map_or((today, today), |(first, last)| (first.min(today), last.max(today)));
    let years = first.date().year()..=last.date().year();
    for (day, name) in calendar.holidays() {
        let note = if calendar.working_days().contains(&(day.weekday_index() as u8)) {
            ""
        } else {
            "no working day anyway"
        };
        rows.push(Row { note: note.to_owned(), ..row("holiday", &day.to_string(), name.clone()) });
    }
    let with: BTreeSet<i16> = calendar.holidays().keys().map(|day| day.date().year()).collect();
    for year in years.clone().filter(|year| !with.is_empty() && !with.contains(year)) {
        let note =
            "other years have some: where holidays are missing all weekdays count as worked".to_owned();
        rows.push(Row { state: State::Look, note, ..row("holiday", &year.to_string(), "none".to_owned()) });
    }
    rows.extend(clock_changes(calendar, years));
    rows
}

/// The days of these years that have more or less than 24 hours.
fn clock_changes(calendar: &Calendar, years: std::ops::RangeInclusive<i16>) -> Vec<Row> {
    let first = |year: i16| {
        jiff::civil::Date::new(year, 1, 1).ok().and_then(|date| date.to_string().parse::<Day>().ok())
    };
    let (Some(mut day), Some(end)) = (first(*years.start()), first(years.end().saturating_add(1))) else {
        return Vec::new();
    };
    let mut rows = Vec::new();
    while day < end {
        let civil = calendar.day(day);
        if civil.end - civil.start != 24 * HOUR_MS {
            rows.push(Row {
                of: "clock_change",
                name: day.to_string(),
                value: format!("{} h", hours_text(civil.end - civil.start)),
                note: difference(calendar, day),
                ..Row::default()
            });
        }
        day = day.next();
    }
    rows
}

/// What each class has more or less on a day than its hours say.
fn difference(calendar: &Calendar, day: Day) -> String {
    let cuts = calendar.day(day).cuts;
    let weekday = all_days()[day.weekday_index()];
    let of = |(nth, class): (usize, &TimeClass)| {
        let there: i64 =
            cuts.iter().filter(|cut| usize::from(cut.class) == nth).map(|cut| cut.until - cut.from).sum();
        let stretches = class.stretches.iter().filter(|stretch| stretch.days.contains(&weekday));
        let said: i64 =
            stretches.map(|stretch| i64::from(stretch.until_minute - stretch.from_minute) * 60_000).sum();
        let sign = if there < said { '-' } else { '+' };
        (there != said).then(|| format!("{} {sign}{} h", class.name, hours_text((there - said).abs())))
    };
    calendar.classes().iter().enumerate().filter_map(of).collect::<Vec<_>>().join(", ")
}

/// Milliseconds as hours: `1`, `0.5`.
fn hours_text(ms: i64) -> String {
    accounting::report::decimal(ms as f64 / HOUR_MS as f64)
}
