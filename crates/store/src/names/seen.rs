//! Which holders the reports of a scope meet: where they are few, only their names need be read.

use crate::Error;
use crate::backend::{Backend, all, one};
use crate::derive::parse_days;
use crate::runs::{self, Asked, Columns};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::ledger::Names;
use accounting::page;
use accounting::report::{MOST_MARGIN_DAYS, Scope};
use accounting::session::{FeatureId, HolderId};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;

/// Of more features than this all holders are read.
const FEW_FEATURES: usize = 8;
/// One of so many holders is found by its number in the time in which all of them are read.
const FOUND_IN_THE_TIME_OF: i64 = 4;

/// The holders of a scope's feature days, ascending; `None` where all may as well be read. There may be more of them
/// than the scope counts. Not for ledgers with sessions that days' pages and rows do not tell whole.
pub(super) fn holders(
    backend: &mut dyn Backend,
    names: &Names,
    scope: &Scope,
) -> Result<Option<Vec<HolderId>>, Error> {
    let Some(glob) = &scope.feature else { return Ok(None) };
    let mut features: BTreeSet<FeatureId> = BTreeSet::new();
    for (id, feature) in names.features.iter().filter(|(_, feature)| glob.is_match(&feature.code)) {
        features.insert(*id);
        // Whoever looks at a package looks at its components too.
        features.extend(&feature.components);
    }
    if features.len() > FEW_FEATURES {
        return Ok(None);
    }
    let calendar = crate::settings::calendar(backend)?;
    let days = (
        scope.from.map_or(Day::MIN, |day| Day(day.0 - MOST_MARGIN_DAYS).max(Day::MIN)),
        scope.until.map_or(Day::MAX, |day| Day(day.0 + MOST_MARGIN_DAYS).min(Day::MAX)),
    );
    let mut seen = FxHashSet::default();
    for feature in features {
        of_feature(backend, &calendar, feature, days, &mut seen)?;
    }
    let known = one(backend, "select count(*) from holder", &[], |row| row.int(0))?.unwrap_or(0);
    if seen.len() as i64 > known / FOUND_IN_THE_TIME_OF {
        return Ok(None);
    }
    let mut seen: Vec<HolderId> = seen.into_iter().collect();
    seen.sort_unstable();
    Ok(Some(seen))
}

/// Adds whoever is met in the days `[from, until)` of a feature.
fn of_feature(
    backend: &mut dyn Backend,
    calendar: &Calendar,
    feature: FeatureId,
    (from, until): (Day, Day),
    seen: &mut FxHashSet<HolderId>,
) -> Result<(), Error> {
    let sql = "select distinct day from feature_day_mark where feature_id = $1 and day < $2 order by day";
    let params = [feature.into(), until.to_string().into()];
    let marked: BTreeSet<Day> =
        parse_days(&all(backend, sql, &params, |row| row.text(0))?)?.into_iter().collect();
    let mut first = from;
    if let Some(day) = marked.range(from..).next() {
        // Days with marks are computed from rows, and from what reaches into them out of the last day without one.
        let mut before = day.previous();
        while marked.contains(&before) {
            before = before.previous();
        }
        let (after, end) = (calendar.day(before).end, day_start(calendar, until));
        let asked = Asked { since: after, before: end, ..Asked::all(feature) };
        runs::each(backend, asked, Columns::Plain, &mut |row| {
            seen.insert(row.id(0)?);
            Ok(())
        })?;
        first = first.min(before);
    }
    let params = [feature.into(), first.to_string().into(), until.to_string().into()];
    let mut parts = Vec::new();
    backend.query(include_str!("../../queries/page_between.sql"), &params, &mut |row| {
        let day: Day = row.with_text(0, str::parse)?.map_err(|_| Error::Corrupt("feature day".to_owned()))?;
        parts.clear();
        page::decode(calendar.day(day).start, row.blob(1)?, &mut parts)
            .map_err(|error| Error::Corrupt(format!("feature day {day} of feature {feature}: {error}")))?;
        seen.extend(parts.iter().map(|part| part.holder));
        Ok(())
    })?;
    let at = (day_start(calendar, from), day_start(calendar, until));
    let params = [feature.into(), at.0.into(), at.1.into()];
    let sql = include_str!("../../queries/holder_of_requests.sql");
    seen.extend(all(backend, sql, &params, |row| row.id(0))?);
    Ok(())
}

/// When a day begins, which may be the first or the last that can be thought of.
fn day_start(calendar: &Calendar, day: Day) -> UnixMs {
    match day {
        Day::MIN => UnixMs::MIN,
        Day::MAX => UnixMs::MAX,
        day => day.start(calendar.zone()),
    }
}
