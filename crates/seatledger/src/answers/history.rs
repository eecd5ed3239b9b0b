//! What happened, in order of time.

use super::filters::Filters;
use super::sessions::period;
use super::{EachRow, Sight, show_rows};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::pairing::InputId;
use accounting::report::{Cell, Column, Lens};
use clap::Args;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use store::{HistoryRow, Store};

const HOUR_MS: i64 = 3_600_000;

/// What of the history.
#[derive(Debug, Clone, Args)]
pub(crate) struct History {
    #[command(flatten)]
    filters: Filters,
}

/// What is told of an event.
const COLUMNS: [Column; 10] = [
    Column::text("at"),
    Column::text("action"),
    Column::text("feature"),
    Column::text("version"),
    Column::text("user"),
    Column::text("host"),
    Column::text("server"),
    Column::number("seats"),
    Column::text("reason"),
    Column::text("source"),
];

impl History {
    /// The columns of the listing.
    pub(crate) const COLUMNS: &[Column] = &COLUMNS;

    /// What was asked, by the options' names.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        self.filters.told(sight)
    }
}

/// Lists what happened, as far as the asker may see it.
pub(crate) fn list_history(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &History,
    sight: &Sight,
    each: EachRow<'_>,
) -> anyhow::Result<()> {
    let scope = wanted.filters.scope(store, sight)?;
    show_rows(each, |each| {
        store.read(|reader| {
            let (names, inputs) = (reader.names(), reader.inputs()?);
            let lens = Lens::new(&names, calendar, scope.clone());
            reader.history(period(&scope, calendar), &mut |row| {
                let counts = lens.counts_feature(row.feature)
                    && lens.counted(row.holder, calendar.day_of(row.at)).is_some();
                if counts { each(&cells(&row, &names, &inputs)) } else { Ok(()) }
            })
        })
    })
}

/// Up to where history has been told, newest first: so many rows of that instant, and all later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    at: UnixMs,
    rows: usize,
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.at, self.rows)
    }
}

/// No place in a history is behind more rows of one instant: they are read again for it.
const MOST_OF_AN_INSTANT: usize = 100_000;

impl FromStr for Told {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once('-').and_then(|(at, rows)| Some((at.parse().ok()?, rows.parse().ok()?)));
        let (at, rows) = parts
            .filter(|(_, rows)| *rows <= MOST_OF_AN_INSTANT)
            .ok_or("behind: no place in a history; follow a link of the page")?;
        Ok(Self { at, rows })
    }
}

/// The rows of a history, newest first: so many behind what has been told; and up to where that tells it, if there are more.
/// Only the last hours in which there are enough are read.
pub(crate) fn latest_history(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &History,
    sight: &Sight,
    behind: Option<Told>,
    most: usize,
) -> anyhow::Result<(Vec<Vec<Cell>>, Option<Told>)> {
    let scope = wanted.filters.scope(store, sight)?;
    let (from, until) = period(&scope, calendar);
    let until = behind.map_or(until, |told| until.min(told.at.saturating_add(1)));
    let told = behind.map_or(0, |told| told.rows);
    let enough = most + told + 1;
    let found = store.read(|reader| {
        let (names, inputs) = (reader.names(), reader.inputs()?);
        let lens = Lens::new(&names, calendar, scope.clone());
        let mut found: Vec<(UnixMs, Vec<Cell>)> = Vec::new();
        let (mut until, mut width) = (until, HOUR_MS);
        while from < until && found.len() < enough {
            let begin = until.saturating_sub(width).max(from);
            let mut last: VecDeque<(UnixMs, Vec<Cell>)> = VecDeque::new();
            reader.history((begin, until), &mut |row| {
                let day = calendar.day_of(row.at);
                if lens.counts_feature(row.feature) && lens.counted(row.holder, day).is_some() {
                    last.push_front((row.at, cells(&row, &names, &inputs)));
                    last.truncate(enough - found.len());
                }
                Ok(())
            })?;
            found.extend(last);
            (until, width) = (begin, width.saturating_mul(4));
        }
        Ok(found)
    })?;
    Ok(piece(found, behind, most))
}

/// What follows what has been told.
fn piece(
    found: Vec<(UnixMs, Vec<Cell>)>,
    behind: Option<Told>,
    most: usize,
) -> (Vec<Vec<Cell>>, Option<Told>) {
    let is_told = |(nth, at): (usize, UnixMs)| behind.is_some_and(|told| nth < told.rows && at == told.at);
    let told = found.iter().enumerate().take_while(|(nth, (at, _))| is_told((*nth, *at))).count();
    let last = found.get((told + most).saturating_sub(1)).map(|(at, _)| *at);
    let next = last.filter(|_| found.len() > told + most).map(|at| {
        let rows = found.iter().take(told + most).filter(|(of, _)| *of == at).count();
        Told { at, rows }
    });
    (found.into_iter().skip(told).take(most).map(|(_, cells)| cells).collect(), next)
}

fn cells(row: &HistoryRow, names: &Names, inputs: &FxHashMap<InputId, String>) -> Vec<Cell> {
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let holder = names.holders.get(&row.holder);
    let server = holder.and_then(|holder| names.servers.get(&holder.server));
    vec![
        Cell::Instant(row.at),
        text(row.action),
        names.features.get(&row.feature).map_or(Cell::Empty, |feature| text(&feature.code)),
        names.versions.get(&row.version).map_or(Cell::Empty, |version| text(version)),
        holder.map_or(Cell::Empty, |holder| text(&holder.user)),
        holder.map_or(Cell::Empty, |holder| text(&holder.host)),
        server.map_or(Cell::Empty, |server| text(&server.name)),
        Cell::Int(i64::from(row.seats)),
        text(&row.reason),
        inputs.get(&row.input).map_or(Cell::Empty, |name| text(name)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Cell, Told, UnixMs, piece};

    /// Pages of the rows at these instants, newest first, as the numbers of their rows.
    fn pages(instants: &[UnixMs], most: usize) -> Vec<Vec<i64>> {
        let all: Vec<(UnixMs, Vec<Cell>)> =
            instants.iter().zip(0..).map(|(at, nth)| (*at, vec![Cell::Int(nth)])).collect();
        let (mut pages, mut behind) = (Vec::new(), None::<Told>);
        loop {
            let rest = all.iter().filter(|(at, _)| behind.is_none_or(|told| *at <= told.at));
            let (rows, next) = piece(rest.cloned().collect(), behind, most);
            let number = |row: Vec<Cell>| match row.first() {
                Some(Cell::Int(nth)) => *nth,
                other => panic!("{other:?}"),
            };
            pages.push(rows.into_iter().map(number).collect());
            match next {
                Some(next) => behind = Some(next.to_string().parse().unwrap()),
                None => return pages,
            }
        }
    }

    #[test]
    fn a_place_that_no_page_told_is_refused() {
        for wrong in ["", "5", "5-x", "5-18446744073709551615", "5-1000000000000"] {
            assert!(wrong.parse::<Told>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn pages_tell_every_row_once_also_where_many_are_of_one_instant() {
        for instants in [&[9, 8, 7][..], &[5, 5, 5, 5, 5], &[9, 5, 5, 5, 5, 1], &[-3, -3, -4], &[]] {
            for most in 1..7 {
                let pages = pages(instants, most);
                assert!(pages.iter().rev().skip(1).all(|page| page.len() == most), "{instants:?} {most}");
                let all: Vec<i64> = pages.concat();
                assert_eq!(all, (0..instants.len() as i64).collect::<Vec<_>>(), "{instants:?} {most}");
            }
        }
        assert!("".parse::<Told>().is_err() && "yesterday-1".parse::<Told>().is_err());
    }
}
