//! Imported totals: minutes that another system kept without sessions and persons (domain.md §4).

use super::group::Key;
use super::labels::month_text;
use super::lens::Lens;
use super::note::{Note, Totals};
use super::{Cell, minutes, seconds};
use crate::day::Day;
use crate::ledger::Total;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What is known of a total.
const KNOWN: [Key; 8] =
    [Key::Organization, Key::Day, Key::Week, Key::Month, Key::Feature, Key::Product, Key::Type, Key::Version];

/// The totals of a scope by keys, ascending, as rows of `usage` without sessions and persons. Where a key or a filter asks
/// for what is not known of them there are none. A note says so, or that there are.
pub(crate) fn rows(lens: &Lens<'_>, keys: &[Key], notes: &mut Vec<Note>) -> Vec<Vec<Cell>> {
    let mut groups: BTreeMap<Vec<Option<String>>, i64> = BTreeMap::new();
    let organization = lens.scope.organization.as_ref();
    for total in &lens.names.totals {
        let of_scope = organization.is_none_or(|glob| glob.is_match(&total.organization))
            && lens.counts_feature(total.feature)
            && lens.counts_day(&lens.calendar.day(total.day));
        if of_scope {
            let group = keys.iter().map(|key| value(lens, *key, total)).collect();
            *groups.entry(group).or_default() += total.minutes;
        }
    }
    if groups.is_empty() {
        return Vec::new();
    }
    if let Some(unknown) = not_known(lens, keys) {
        notes.push(Note::Totals(Totals::Without(unknown)));
        return Vec::new();
    }
    notes.push(Note::Totals(Totals::Shown));
    let row = |(group, total): (Vec<Option<String>>, i64)| {
        let ms = i128::from(total) * 60_000;
        let keys = group.into_iter().map(|text| text.map_or(Cell::Empty, Cell::Text));
        keys.chain([minutes(ms), seconds(ms), Cell::Empty, Cell::Empty]).collect()
    };
    groups.into_iter().map(row).collect()
}

/// The first key or filter that totals cannot answer.
fn not_known(lens: &Lens<'_>, keys: &[Key]) -> Option<Key> {
    let key = keys.iter().copied().find(|key| !KNOWN.contains(key));
    let filters = [
        (lens.scope.person.is_some(), Key::Person),
        (lens.scope.server.is_some(), Key::Server),
        (lens.scope.class.is_some(), Key::TimeClass),
    ];
    key.or_else(|| filters.iter().find(|(given, _)| *given).map(|(_, key)| *key))
}

fn value(lens: &Lens<'_>, key: Key, total: &Total) -> Option<String> {
    let feature = lens.names.features.get(&total.feature);
    let date = total.day.date();
    match key {
        Key::Organization => Some(total.organization.clone()),
        Key::Day => Some(total.day.to_string()),
        Key::Week => Some(week_text(total.day)),
        Key::Month => Some(month_text(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)),
        Key::Feature => feature.map(|feature| feature.code.clone()),
        Key::Product => feature.map(|feature| feature.product.as_ref().unwrap_or(&feature.code).clone()),
        Key::Type => feature.and_then(|feature| feature.product_type.clone()),
        Key::Version => lens.names.versions.get(&total.version).filter(|text| !text.is_empty()).cloned(),
        Key::Person | Key::User | Key::Host | Key::Project | Key::Server | Key::TimeClass => None,
    }
}

/// `YYYY-Www`
fn week_text(day: Day) -> String {
    let week = day.date().iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// Both in the order of their first `keys` cells, which are texts or empty, sessions before totals.
pub(crate) fn merged(sessions: Vec<Vec<Cell>>, totals: Vec<Vec<Cell>>, keys: usize) -> Vec<Vec<Cell>> {
    if totals.is_empty() {
        return sessions;
    }
    let order = |one: &Vec<Cell>, other: &Vec<Cell>| {
        let cells = one.iter().zip(other).take(keys);
        cells
            .map(|(one, other)| text(one).cmp(&text(other)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    let mut rows = sessions;
    rows.extend(totals);
    // Stable: sessions stay before totals.
    rows.sort_by(order);
    rows
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
