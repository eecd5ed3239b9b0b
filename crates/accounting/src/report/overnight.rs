//! `overnight`: who holds a seat at midnight.

use super::lens::Lens;
use super::{Accumulator, Cell, Column, Report, Scope};
use crate::calendar::Calendar;
use crate::day::Day;
use crate::feature_day::DayView;
use crate::ledger::Names;
use crate::session::{Ended, FeatureId, Part};
use rustc_hash::FxHashMap;

/// The report `overnight` (domain.md §5): a row for each session and civil midnight at which it holds a seat, `from` ≤
/// midnight < `until`; `day` is the day that begins, `held_hours` = (`until` − `from`) / 3600 s of the whole session,
/// of an open one up to its last evidence, with `until` empty.
#[derive(Debug)]
pub struct Overnight<'a> {
    lens: Lens<'a>,
    found: Vec<(Day, FeatureId, Part)>,
}

impl<'a> Overnight<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        Self { lens: Lens::new(names, calendar, scope), found: Vec::new() }
    }
}

impl Accumulator for Overnight<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.lens.features()
    }

    fn day(&mut self, view: &DayView<'_>) {
        let (day, midnight) = (view.civil.day, view.civil.start);
        let counts = self.lens.stretches(view.civil).first().is_some_and(|first| first.0 == midnight);
        if !counts || !self.lens.counts_feature(view.feature) {
            return;
        }
        // Parts come in the order of their starts: what begins after midnight ends the search.
        let holds = |part: &&Part| midnight < part.until && part.seats > 0;
        for part in view.parts.iter().take_while(|part| part.from <= midnight).filter(holds) {
            if self.lens.counted(part.holder, day).is_some() {
                self.found.push((day, view.feature, *part));
            }
        }
    }

    fn finish(self: Box<Self>) -> Report {
        let Self { lens, found } = *self;
        let code = |id: &FeatureId| lens.names.features.get(id).map_or("", |feature| &feature.code);
        let who = |part: &Part| {
            lens.names.holders.get(&part.holder).map_or(("", ""), |holder| (&holder.user, &holder.host))
        };
        let mut by_code = lens.features();
        by_code.sort_by_key(|id| code(id));
        let ranks: FxHashMap<FeatureId, usize> = by_code.iter().copied().zip(0..).collect();
        let mut found: Vec<_> =
            found.into_iter().map(|(day, feature, part)| (day, ranks[&feature], part)).collect();
        found.sort_by(|(day, rank, part), (other_day, other_rank, other)| {
            let order = (day, rank, part.from).cmp(&(other_day, other_rank, other.from));
            order.then_with(|| (who(part), part.until).cmp(&(who(other), other.until)))
        });
        let row = |(day, rank, part): &(Day, usize, Part)| {
            let (user, host) = who(part);
            vec![
                Cell::Text(day.to_string()),
                Cell::Text(code(&by_code[*rank]).to_owned()),
                Cell::Text(user.to_owned()),
                Cell::Text(host.to_owned()),
                Cell::Instant(part.from),
                if part.ended == Ended::Open { Cell::Empty } else { Cell::Instant(part.until) },
                Cell::Decimal((part.until - part.from) as f64 / 3_600_000.0),
            ]
        };
        let rows = found.iter().map(row).collect();
        let mut columns: Vec<_> =
            ["day", "feature", "user", "host", "from", "until"].into_iter().map(Column::text).collect();
        columns.push(Column::number("held_hours"));
        Report { name: "overnight", columns, rows, notes: lens.notes() }
    }
}
