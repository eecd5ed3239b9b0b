//! The sessions themselves.

use super::filters::Filters;
use super::{EachRow, Sight, show_rows};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::pairing::InputId;
use accounting::report::{Cell, Column, Lens, Scope};
use accounting::session::{Ended, FeatureId};
use clap::Args;
use rustc_hash::FxHashMap;
use std::fmt;
use std::str::FromStr;
use store::{SessionRow, Store};

/// Which sessions.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sessions {
    /// Only sessions that are not known to have ended
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    filters: Filters,
}

/// What is told of a session.
const COLUMNS: [Column; 14] = [
    Column::text("feature"),
    Column::text("version"),
    Column::text("user"),
    Column::text("host"),
    Column::text("display"),
    Column::text("server"),
    Column::number("seats"),
    Column::text("from"),
    Column::text("until"),
    Column::text("ended"),
    Column::number("held_seconds"),
    Column::number("seat_seconds"),
    Column::number("uncertainty_seconds"),
    Column::text("source"),
];

impl Sessions {
    /// The columns of the listing.
    pub(crate) const COLUMNS: &[Column] = &COLUMNS;

    /// What was asked, by the options' names.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        let open = self.open.then(|| ("open".to_owned(), "true".to_owned()));
        self.filters.told(sight).into_iter().chain(open).collect()
    }
}

/// Lists sessions, as far as the asker may see them: feature by feature, in order of their start.
pub(crate) fn list_sessions(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &Sessions,
    sight: &Sight,
    each: EachRow<'_>,
) -> anyhow::Result<()> {
    let scope = wanted.filters.scope(store, sight)?;
    show_rows(each, |each| {
        store.read(|reader| {
            let (names, inputs) = (reader.names(), reader.inputs()?);
            let lens = Lens::new(&names, calendar, scope.clone());
            for feature in lens.features() {
                reader.sessions(feature, period(&scope, calendar), wanted.open, &mut |row| {
                    let day = calendar.day_of(row.part.from);
                    match lens.counted(row.part.holder, day) {
                        Some(_) => each(&cells(&row, &names, &inputs)),
                        None => Ok(()),
                    }
                })?;
            }
            Ok(())
        })
    })
}

/// Up to where sessions have been told: those of earlier features, and of this one those that began before an instant, and so
/// many of those that began at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ToldSessions {
    feature: FeatureId,
    began: UnixMs,
    rows: usize,
}

impl fmt::Display for ToldSessions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.feature, self.began, self.rows)
    }
}

impl FromStr for ToldSessions {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let told = |text: &str| {
            let mut parts = text.split('.');
            let feature = parts.next()?.parse().ok()?;
            let (began, rows) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            parts.next().is_none().then_some(Self { feature, began, rows })
        };
        told(text).ok_or("behind: no place among sessions; follow a link of the page")
    }
}

/// So many sessions behind what has been told, in the order of [`list_sessions`]; and up to where that tells them, if there are
/// more. What has been told is not read again, but for what began at the same instant.
pub(crate) fn next_sessions(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &Sessions,
    sight: &Sight,
    behind: Option<ToldSessions>,
    most: usize,
) -> anyhow::Result<(Vec<Vec<Cell>>, Option<ToldSessions>)> {
    let scope = wanted.filters.scope(store, sight)?;
    let mut piece = Piece { rows: Vec::new(), behind, told: behind, most, has_more: false };
    let read = store.read(|reader| {
        let (names, inputs) = (reader.names(), reader.inputs()?);
        let lens = Lens::new(&names, calendar, scope.clone());
        let first = behind.map(|told| told.feature);
        for feature in
            lens.features().into_iter().filter(|feature| first.is_none_or(|first| *feature >= first))
        {
            let since = behind.filter(|told| told.feature == feature).map_or(UnixMs::MIN, |told| told.began);
            reader.sessions_since(feature, since, period(&scope, calendar), wanted.open, &mut |row| {
                match lens.counted(row.part.holder, calendar.day_of(row.part.from)) {
                    Some(_) => piece.take(feature, row.began, || cells(&row, &names, &inputs)),
                    None => Ok(()),
                }
            })?;
        }
        Ok(())
    });
    match read {
        Err(error) if !piece.has_more => Err(error.into()),
        _ => Ok((piece.rows, piece.told.filter(|_| piece.has_more))),
    }
}

/// Rows of one page, as they come.
struct Piece {
    rows: Vec<Vec<Cell>>,
    /// Up to where others were told before.
    behind: Option<ToldSessions>,
    /// Up to where these tell.
    told: Option<ToldSessions>,
    most: usize,
    has_more: bool,
}

impl Piece {
    /// Takes a row, unless it was told before; an error says that the page is full, so that nobody reads on.
    fn take(
        &mut self,
        feature: FeatureId,
        began: UnixMs,
        row: impl FnOnce() -> Vec<Cell>,
    ) -> Result<(), store::Error> {
        if let Some(behind) = &mut self.behind
            && (behind.feature, behind.began) == (feature, began)
            && behind.rows > 0
        {
            behind.rows -= 1;
            return Ok(());
        }
        if self.rows.len() == self.most {
            self.has_more = true;
            return Err(store::Error::Driver("the page is full".to_owned()));
        }
        self.rows.push(row());
        let same = self.told.filter(|told| (told.feature, told.began) == (feature, began));
        self.told = Some(ToldSessions { feature, began, rows: 1 + same.map_or(0, |told| told.rows) });
        Ok(())
    }
}

/// The instants of a scope's days.
pub(super) fn period(scope: &Scope, calendar: &Calendar) -> (UnixMs, UnixMs) {
    let zone = calendar.zone();
    (
        scope.from.map_or(UnixMs::MIN, |from| from.start(zone)),
        scope.until.map_or(UnixMs::MAX, |until| until.start(zone)),
    )
}

fn cells(row: &SessionRow, names: &Names, inputs: &FxHashMap<InputId, String>) -> Vec<Cell> {
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let holder = names.holders.get(&row.part.holder);
    let of_holder =
        |get: fn(&accounting::ledger::Holder) -> &str| holder.map_or(Cell::Empty, |h| text(get(h)));
    let server = holder.and_then(|holder| names.servers.get(&holder.server));
    let held = (row.part.until - row.part.from) as f64 / 1000.0;
    vec![
        names.features.get(&row.feature).map_or(Cell::Empty, |feature| text(&feature.code)),
        names.versions.get(&row.part.version).map_or(Cell::Empty, |version| text(version)),
        of_holder(|holder| &holder.user),
        of_holder(|holder| &holder.host),
        of_holder(|holder| &holder.display),
        server.map_or(Cell::Empty, |server| text(&server.name)),
        Cell::Int(i64::from(row.part.seats)),
        Cell::Instant(row.part.from),
        if row.part.ended == Ended::Open { Cell::Empty } else { Cell::Instant(row.part.until) },
        Cell::Text(row.part.ended.as_str().to_owned()),
        Cell::Decimal(held),
        Cell::Decimal(held * f64::from(row.part.seats)),
        row.uncertainty_ms.map_or(Cell::Empty, |ms| Cell::Decimal(ms as f64 / 1000.0)),
        inputs.get(&row.input).map_or(Cell::Empty, |name| text(name)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Cell, FeatureId, Piece, ToldSessions, UnixMs};

    /// Pages of sessions of features that began at these instants, as the numbers of their rows.
    fn pages(all: &[(FeatureId, UnixMs)], most: usize) -> Vec<Vec<i64>> {
        let (mut pages, mut behind) = (Vec::new(), None::<ToldSessions>);
        loop {
            let mut piece = Piece { rows: Vec::new(), behind, told: behind, most, has_more: false };
            for ((feature, began), nth) in all.iter().zip(0..) {
                let is_told = behind.is_some_and(|told| (*feature, *began) < (told.feature, told.began));
                if !is_told && piece.take(*feature, *began, || vec![Cell::Int(nth)]).is_err() {
                    break;
                }
            }
            let number = |row: Vec<Cell>| match row.first() {
                Some(Cell::Int(nth)) => *nth,
                other => panic!("{other:?}"),
            };
            pages.push(piece.rows.into_iter().map(number).collect());
            match piece.told.filter(|_| piece.has_more) {
                Some(told) => behind = Some(told.to_string().parse().unwrap()),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_tell_every_session_once_also_where_many_began_at_one_instant() {
        for all in [
            &[(1, 7), (1, 8), (2, 3)][..],
            &[(1, 5), (1, 5), (1, 5), (1, 5), (1, 5)],
            &[(1, 5), (2, 5), (2, 5), (2, 5), (2, 6), (7, -5)],
            &[(3, -9), (3, -9), (3, -4)],
            &[],
        ] {
            for most in 1..7 {
                let pages = pages(all, most);
                assert!(
                    pages.iter().rev().skip(1).all(|page| page.len() == most),
                    "{all:?} {most}: {pages:?}"
                );
                assert_eq!(pages.concat(), (0..all.len() as i64).collect::<Vec<_>>(), "{all:?} {most}");
            }
        }
        for wrong in ["", "1", "1.2", "1.2.3.4", "a.2.3", "1.2.-3", "250"] {
            assert!(wrong.parse::<ToldSessions>().is_err(), "{wrong}");
        }
    }
}
