//! `idle`: which features nobody uses, and since when.

use super::lens::Lens;
use super::note::{Note, Totals};
use super::{Accumulator, Cell, Column, Report, Scope};
use crate::UnixMs;
use crate::calendar::Calendar;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::{Ended, FeatureId};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// What `idle` can be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The instant as of which the ledger speaks: its last evidence.
    pub as_of: Option<UnixMs>,
    /// Only features that have been idle for so many days, or were never used.
    pub idle_days: Option<i64>,
    /// Only features that somebody in the scope used, and nothing of how many seats there are: for who may see no more
    /// than the scope.
    pub used_only: bool,
}

/// The report `idle`: every feature of the scope that the ledger knows, longest idle first: what was never used, then by
/// descending `days_idle`, `last_used_at` and code.
///
/// - `seats_issued`: the capacity in force at the end of the period, empty where it is not known,
/// - `last_used_at`: up to when a seat was held in the time that counts: the end of the last session there, or the last
///   evidence of an open one; empty where there was none,
/// - `days_idle`: civil days from the day of `last_used_at` to the as-of day, which is that of the ledger's last evidence
///   or the period's last day, whichever is earlier; 0 where a session is not known to have ended, and where it goes on
///   behind the period; empty for what was never used.
///
/// Imported totals say nothing here. With [`Options::used_only`] what nobody in the scope used is not told of, and
/// `seats_issued` is empty.
#[derive(Debug)]
pub struct Idle<'a> {
    lens: Lens<'a>,
    options: Options,
    last: FxHashMap<FeatureId, Last>,
}

/// The last use of a feature.
#[derive(Debug, Clone, Copy)]
struct Last {
    used_at: UnixMs,
    /// Whether some session is not known to have ended.
    open: bool,
}

impl<'a> Idle<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        Self { lens: Lens::new(names, calendar, scope), options, last: FxHashMap::default() }
    }

    /// The last instant of the period, as far as the ledger knows it.
    fn as_of(&self) -> Option<UnixMs> {
        let end = self.lens.scope.until.map(|until| until.start(self.lens.calendar.zone()) - 1);
        self.options.as_of.map(|as_of| end.map_or(as_of, |end| end.min(as_of)))
    }

    /// `days_idle`; `None` for what was never used.
    fn days_idle(&self, last: Option<Last>) -> Option<i64> {
        let (last, as_of) = (last?, self.as_of()?);
        let days = self.lens.calendar.day_of(as_of).0 - self.lens.calendar.day_of(last.used_at).0;
        Some(if last.open { 0 } else { i64::from(days.max(0)) })
    }
}

impl Accumulator for Idle<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.lens.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        let stretches = self.lens.stretches(view.civil);
        let mut last = self.last.get(&view.feature).copied();
        for part in view.parts {
            let open = part.ended == Ended::Open;
            let later = last.is_none_or(|last| last.used_at < part.until || open && !last.open);
            if !later {
                continue;
            }
            let last_touched = stretches.iter().rev().find(|(from, until)| part.touches(*from, *until));
            let Some((_, until)) = last_touched else { continue };
            if self.lens.counted(part.holder, view.civil.day).is_none() {
                continue;
            }
            let used_at = part.until.min(*until);
            let before = last.get_or_insert(Last { used_at, open });
            before.used_at = before.used_at.max(used_at);
            before.open |= open;
        }
        if let Some(last) = last {
            self.last.insert(view.feature, last);
        }
    }

    fn finish(self: Box<Self>) -> Report {
        let (lens, names) = (&self.lens, self.lens.names);
        let mut notes = lens.notes();
        if let Some(as_of) = self.as_of() {
            notes.push(Note::IdleAsOf(lens.calendar.day_of(as_of)));
        }
        let used_only = self.options.used_only;
        if used_only {
            notes.push(Note::UsedOnly);
        } else if names.totals.iter().any(|total| lens.counts_feature(total.feature)) {
            notes.push(Note::Totals(Totals::NotIdle));
        }
        let mut found = Vec::new();
        for id in lens.features() {
            let Some(feature) = names.features.get(&id) else { continue };
            if lens.scope.server.is_some() && lens.servers_of(id).is_empty() {
                continue;
            }
            let last = self.last.get(&id).copied();
            let days_idle = self.days_idle(last);
            let shown = self.options.idle_days.is_none_or(|least| days_idle.is_none_or(|days| days >= least));
            if shown && (last.is_some() || !used_only) {
                found.push((last, days_idle, id, feature));
            }
        }
        found.sort_by_key(|(last, days_idle, _, feature)| {
            (last.is_some(), Reverse(*days_idle), last.map(|last| last.used_at), feature.code.as_str())
        });
        let as_of = self.as_of().map(|as_of| lens.calendar.day_of(as_of));
        let long_silent = |last: &Last| last.open && Some(lens.calendar.day_of(last.used_at)) < as_of;
        let silent = found.iter().filter(|(last, ..)| last.as_ref().is_some_and(long_silent)).count();
        if silent > 0 {
            notes.push(Note::LongOpen(silent));
        }
        let at = self.as_of().unwrap_or(UnixMs::MAX);
        let row = |(last, days_idle, id, feature): &(
            Option<Last>,
            Option<i64>,
            FeatureId,
            &crate::ledger::Feature,
        )| {
            let seats = if used_only { None } else { lens.seats_issued(*id, at) };
            vec![
                Cell::Text(feature.code.clone()),
                Cell::Text(feature.product.as_ref().unwrap_or(&feature.code).clone()),
                seats.map_or(Cell::Empty, Cell::Int),
                last.map_or(Cell::Empty, |last| Cell::Instant(last.used_at)),
                days_idle.map_or(Cell::Empty, Cell::Int),
            ]
        };
        let columns = vec![
            Column::text("feature"),
            Column::text("product"),
            Column::number("seats_issued"),
            Column::text("last_used_at"),
            Column::number("days_idle"),
        ];
        Report { name: "idle", columns, rows: found.iter().map(row).collect(), notes }
    }
}
