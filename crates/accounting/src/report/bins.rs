//! Which times a report tells apart: bins, and the pieces of a day that lie in them.

use super::concurrency::Step;
use super::days::{month_of, week_of};
use super::group::Key;
use super::labels::{class_cell, month_text, week_text};
use super::lens::Lens;
use super::{Cell, Column};
use crate::UnixMs;
use crate::by_day::ByDay;
use crate::calendar::{CivilDay, WEEKDAYS};
use crate::day::Day;
use std::sync::Arc;

/// A column that tells rows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// A key of `--by`.
    Key(Key),
    /// The first instant of a step.
    From(Step),
    /// The day of the week.
    Weekday,
    /// The hour of the wall clock.
    Hour,
}

impl Head {
    /// The columns of a report by these keys: they come first, then its own; a feature is no column of its own where
    /// the curve is that of a product or a type.
    pub(crate) fn list(by: &[Key], own: &[Self]) -> Vec<Self> {
        let of_product = by.contains(&Key::Product) || by.contains(&Key::Type);
        let mut heads: Vec<Self> = by.iter().copied().map(Self::Key).collect();
        for head in own {
            let replaced = of_product && *head == Self::Key(Key::Feature);
            if !replaced && !heads.contains(head) {
                heads.push(*head);
            }
        }
        heads
    }

    /// The column.
    pub(crate) fn column(self) -> Column {
        match self {
            Self::Key(key) => Column::text(key.name()),
            Self::From(_) => Column::text("from"),
            Self::Weekday => Column::text("weekday"),
            Self::Hour => Column::number("hour"),
        }
    }

    /// The key of a group; `None` where it is a matter of time.
    pub(crate) fn group_key(self) -> Option<Key> {
        match self {
            Self::Key(key) if Key::TIMELESS.contains(&key) => Some(key),
            Self::Key(_) | Self::From(_) | Self::Weekday | Self::Hour => None,
        }
    }
}

/// A bin of time; what a report does not tell apart is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bin {
    /// The first instant of the step.
    pub(crate) step: UnixMs,
    /// Months since the year 0.
    pub(crate) month: i32,
    /// The ISO week: its year times 100 and its number.
    pub(super) week: i32,
    pub(super) day: i32,
    /// Hours since Monday's midnight on the wall clock.
    pub(super) hour: u16,
    pub(super) class: u8,
}

impl Bin {
    /// Its place in the order of rows.
    pub(crate) fn place(&self, head: Head) -> i64 {
        match head {
            Head::From(_) => self.step,
            Head::Weekday => i64::from(self.hour / 24),
            Head::Hour => i64::from(self.hour % 24),
            Head::Key(Key::TimeClass) => i64::from(self.class),
            Head::Key(Key::Day) => i64::from(self.day),
            Head::Key(Key::Week) => i64::from(self.week),
            Head::Key(_) => i64::from(self.month),
        }
    }

    /// What stands in a column.
    pub(crate) fn cell(&self, head: Head, lens: &Lens<'_>) -> Cell {
        match head {
            Head::From(_) => Cell::Instant(self.step),
            Head::Weekday => Cell::Text(WEEKDAYS[usize::from(self.hour / 24) % 7].to_owned()),
            Head::Hour => Cell::Int(i64::from(self.hour % 24)),
            Head::Key(Key::TimeClass) => class_cell(lens.calendar, self.class),
            Head::Key(Key::Day) => Cell::Text(Day(self.day).to_string()),
            Head::Key(Key::Week) => Cell::Text(week_text(self.week)),
            Head::Key(_) => Cell::Text(month_text(self.month)),
        }
    }
}

/// A stretch of time in one bin, `[from, until)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) from: UnixMs,
    pub(crate) until: UnixMs,
    pub(crate) bin: Bin,
}

impl Piece {
    /// Whether it lies before an instant; a piece of no time holds its own.
    pub(crate) fn is_before(&self, at: UnixMs) -> bool {
        self.until < at || (self.until == at && self.from < at)
    }
}

/// A civil day, and the pieces of it that count, ascending.
#[derive(Debug)]
pub(crate) struct Sliced {
    pub(crate) civil: CivilDay,
    pub(crate) pieces: Vec<Piece>,
}

/// Cuts days into pieces, each day once.
#[derive(Debug)]
pub(crate) struct Slicer {
    heads: Vec<Head>,
    days: ByDay<Arc<Sliced>>,
}

impl Slicer {
    pub(crate) fn new(heads: Vec<Head>) -> Self {
        Self { heads, days: ByDay::default() }
    }

    /// The pieces of a day that the scope counts.
    pub(crate) fn day(&mut self, day: Day, lens: &Lens<'_>) -> Arc<Sliced> {
        let heads = &self.heads;
        let sliced = self.days.of(day, || {
            let civil = lens.calendar.day(day);
            let pieces = pieces(heads, &civil, lens);
            Arc::new(Sliced { civil, pieces })
        });
        Arc::clone(sliced)
    }
}

fn pieces(heads: &[Head], civil: &CivilDay, lens: &Lens<'_>) -> Vec<Piece> {
    let whole = bin_of(heads, civil.day, lens);
    let mut pieces: Vec<Piece> = Vec::new();
    if heads.contains(&Head::Key(Key::TimeClass)) {
        let counts = |class: u8| lens.scope.class.is_none_or(|only| only == class);
        let cuts = civil.cuts.iter().filter(|cut| lens.counts_day(civil) && counts(cut.class));
        pieces.extend(cuts.map(|cut| Piece {
            from: cut.from,
            until: cut.until,
            bin: Bin { class: cut.class, ..whole },
        }));
    } else {
        let stretches = lens.stretches(civil).into_iter();
        pieces.extend(stretches.map(|(from, until)| Piece { from, until, bin: whole }));
    }
    let by_step = heads.contains(&Head::From(Step::Hour));
    let by_hour = heads.iter().any(|head| matches!(head, Head::Weekday | Head::Hour));
    if !by_step && !by_hour {
        return pieces;
    }
    let (hours, midnight) = (lens.calendar.hours(civil), civil.day.weekday_index() as u16 * 24);
    let mut cut = Vec::with_capacity(hours.len() + pieces.len());
    for piece in pieces {
        let first = hours.partition_point(|hour| hour.until <= piece.from);
        for hour in hours[first..].iter().take_while(|hour| hour.from < piece.until) {
            let mut bin = piece.bin;
            if by_step {
                bin.step = hour.from;
            }
            if by_hour {
                bin.hour = midnight + u16::from(hour.hour);
            }
            cut.push(Piece { from: piece.from.max(hour.from), until: piece.until.min(hour.until), bin });
        }
    }
    cut
}

/// The bin of a whole day.
fn bin_of(heads: &[Head], day: Day, lens: &Lens<'_>) -> Bin {
    let mut bin = Bin::default();
    for head in heads {
        match head {
            Head::Key(Key::Day) => bin.day = day.0,
            Head::Key(Key::Week) => bin.week = week_of(day),
            Head::Key(Key::Month) => bin.month = month_of(day),
            Head::From(Step::Day) => bin.step = day.start(lens.calendar.zone()),
            Head::From(Step::Month) => {
                bin.step = Day(day.0 - i32::from(day.date().day()) + 1).start(lens.calendar.zone());
            }
            Head::Key(_) | Head::From(Step::Hour) | Head::Weekday | Head::Hour => {}
        }
    }
    bin
}

/// Values by bin, ascending.
#[derive(Debug, Clone)]
pub(crate) struct ByBin<T> {
    values: Vec<(Bin, T)>,
    /// Where the last one asked for stands.
    last: usize,
}

impl<T> Default for ByBin<T> {
    fn default() -> Self {
        Self { values: Vec::new(), last: 0 }
    }
}

impl<T: Default> ByBin<T> {
    /// The value of a bin, made where there is none.
    pub(crate) fn of(&mut self, bin: Bin) -> &mut T {
        let is = |place: usize| self.values.get(place).is_some_and(|(of, _)| *of == bin);
        // Time goes on: mostly it is the next bin, or the same as before, or where hours are skipped so many further.
        let next = self.last + 1;
        if is(next) {
            self.last = next;
        } else if !is(self.last) {
            self.last =
                Some(self.hours_on(bin)).filter(|place| is(*place)).unwrap_or_else(|| self.search(bin));
        }
        &mut self.values[self.last].1
    }

    /// Where a bin of another hour stands if there is one of each hour between.
    fn hours_on(&self, bin: Bin) -> usize {
        let hour = self.values.get(self.last).map_or(0, |(last, _)| last.hour);
        (self.last + usize::from(bin.hour)).wrapping_sub(usize::from(hour))
    }

    fn search(&mut self, bin: Bin) -> usize {
        let place = match self.values.last() {
            Some((last, _)) if *last < bin => Err(self.values.len()),
            _ => self.values.binary_search_by_key(&bin, |(of, _)| *of),
        };
        place.unwrap_or_else(|place| {
            self.values.insert(place, (bin, T::default()));
            place
        })
    }

    pub(crate) fn get(&self, bin: Bin) -> Option<&T> {
        let place = self.values.binary_search_by_key(&bin, |(of, _)| *of).ok()?;
        Some(&self.values[place].1)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Bin, &T)> {
        self.values.iter().map(|(bin, value)| (*bin, value))
    }
}

/// What a report keeps of each group, by bin.
#[derive(Debug)]
pub(crate) struct Kept<T>(Vec<ByBin<T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default> Kept<T> {
    /// Takes in what another one keeps of groups that have nothing here; `numbers` are theirs here.
    pub(crate) fn join(&mut self, other: Self, numbers: &[u32]) {
        for (kept, number) in other.0.into_iter().zip(numbers) {
            *self.of(*number) = kept;
        }
    }

    /// What is kept of a group.
    pub(crate) fn of(&mut self, group: u32) -> &mut ByBin<T> {
        let place = group as usize;
        if place >= self.0.len() {
            self.0.resize_with(place + 1, ByBin::default);
        }
        &mut self.0[place]
    }

    pub(crate) fn get(&self, group: u32, bin: Bin) -> Option<&T> {
        self.0.get(group as usize)?.get(bin)
    }
}
