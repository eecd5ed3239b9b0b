//! When somebody was watching: the coverage of the license servers of a feature.

use super::lens::Lens;
use super::note::Coverage;
use crate::UnixMs;
use crate::day::Day;
use crate::ledger::{Names, ServerId};

/// The time in which at least one of some license servers was watched: disjoint ranges, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    ranges: Vec<(UnixMs, UnixMs)>,
}

impl Watch {
    /// The union of the servers' coverage.
    pub(crate) fn of(names: &Names, servers: &[ServerId]) -> Self {
        let watched = servers.iter().filter_map(|server| names.servers.get(server));
        let mut ranges: Vec<_> = watched.flat_map(|server| server.watched.iter().copied()).collect();
        ranges.retain(|(from, until)| from < until);
        ranges.sort_unstable();
        let mut union: Vec<(UnixMs, UnixMs)> = Vec::with_capacity(ranges.len());
        for (from, until) in ranges {
            match union.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => union.push((from, until)),
            }
        }
        Self { ranges: union }
    }

    /// The parts of `[from, until)` that were watched.
    pub(crate) fn within(&self, from: UnixMs, until: UnixMs) -> impl Iterator<Item = (UnixMs, UnixMs)> {
        let first = self.ranges.partition_point(|range| range.1 <= from);
        let ranges = self.ranges[first..].iter().take_while(move |range| range.0 < until);
        ranges.map(move |range| (range.0.max(from), range.1.min(until)))
    }

    /// Whether all of `[from, until)` was watched.
    pub(crate) fn covers(&self, from: UnixMs, until: UnixMs) -> bool {
        let first = self.ranges.partition_point(|range| range.1 <= from);
        self.ranges.get(first).is_some_and(|range| range.0 <= from && until <= range.1)
    }

    /// Where the watch ends in `[from, until)`.
    pub(crate) fn ends(&self, from: UnixMs, until: UnixMs) -> impl Iterator<Item = UnixMs> {
        let first = self.ranges.partition_point(|range| range.1 < from);
        self.ranges[first..].iter().map(|range| range.1).take_while(move |end| *end < until)
    }

    /// The first watched instant and the one after the last.
    pub(crate) fn span(&self) -> Option<(UnixMs, UnixMs)> {
        Some((self.ranges.first()?.0, self.ranges.last()?.1))
    }
}

impl Lens<'_> {
    /// The civil days of the period from the first to the last on which something was watched.
    pub(crate) fn watched_days(&self, watch: &Watch) -> Vec<Day> {
        let Some((from, until)) = watch.span() else { return Vec::new() };
        let (first, last) = (self.calendar.day_of(from), self.calendar.day_of(until - 1));
        let first = self.scope.from.map_or(first, |from| from.max(first));
        let last = self.scope.until.map_or(last, |until| until.previous().min(last));
        (first.0..=last.0).map(Day).collect()
    }

    /// The coverage of the scope's license servers in the period.
    pub(crate) fn coverage(&self) -> Coverage {
        let mut servers: Vec<_> = self.features().into_iter().flat_map(|id| self.servers_of(id)).collect();
        servers.sort_unstable();
        servers.dedup();
        let zone = self.calendar.zone();
        let start = self.scope.from.map_or(UnixMs::MIN, |day| day.start(zone));
        let end = self.scope.until.map_or(UnixMs::MAX, |day| day.start(zone));
        let ranges: Vec<_> = Watch::of(self.names, &servers).within(start, end).collect();
        let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else {
            let seen = |range: &(UnixMs, UnixMs)| start <= range.0 && range.0 < end;
            let of = servers.iter().filter_map(|server| self.names.servers.get(server));
            return match of.flat_map(|server| &server.watched).any(seen) {
                true => Coverage::InstantsOnly,
                false => Coverage::Nothing,
            };
        };
        let gaps = self.gaps(&servers, start, end);
        let (of_all, sum) = (ranges.len() - 1, gaps.iter().map(|(_, gaps)| gaps).sum());
        Coverage::Watched {
            from: first.0,
            until: last.1,
            gaps,
            without_any: (of_all > sum).then_some(of_all),
        }
    }

    /// The gaps in the coverage of each license server that has any, by name.
    fn gaps(&self, servers: &[ServerId], start: UnixMs, end: UnixMs) -> Vec<(String, usize)> {
        let of_server = |server: &ServerId| {
            let ranges = Watch::of(self.names, &[*server]).within(start, end).count();
            let name = &self.names.servers.get(server)?.name;
            (ranges > 1).then(|| (name.clone(), ranges - 1))
        };
        let mut gaps: Vec<_> = servers.iter().filter_map(of_server).collect();
        gaps.sort_unstable();
        gaps
    }
}
