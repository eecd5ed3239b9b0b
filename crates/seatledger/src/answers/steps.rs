//! Seats in use of one feature, step by step: what a chart shows when one looks closely.

use super::{Sight, filters, wrong_usage};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::capacity::Steps;
use accounting::concurrency::Sweep;
use accounting::ledger::{Names, ServerId};
use accounting::report::Lens;
use accounting::session::FeatureId;
use store::{Error, Reader, Store};

/// The longest time that is shown step by step, in milliseconds: eight days.
pub(crate) const LONGEST: i64 = 8 * 86_400_000;

/// u(t) and C(t) of a feature over some time, and its refused requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Curve {
    /// Where the seats in use change: the instant, and how many there are from then on; none in which nobody watched.
    pub(crate) seats: Vec<(UnixMs, Option<i64>)>,
    /// Where the capacity in force changes.
    pub(crate) issued: Vec<(UnixMs, Option<i64>)>,
    /// When requests were refused.
    pub(crate) denials: Vec<UnixMs>,
}

/// The curve of a feature in `[from, until)`, as far as the asker may see it; `None` where there is no such feature.
pub(crate) fn curve(
    store: &mut Store,
    code: &str,
    (from, until): (UnixMs, UnixMs),
    sight: &Sight,
) -> anyhow::Result<Option<Curve>> {
    if from >= until || until - from > LONGEST {
        return Err(wrong_usage("steps are shown of at most eight days, from before until"));
    }
    let scope = filters::Filters::default().scope(store, sight)?;
    Ok(store.read(|reader| {
        let (names, calendar) = (reader.names(), reader.calendar());
        let lens = Lens::new(&names, &calendar, scope.clone());
        let Some((&id, feature)) = names.features.iter().find(|(_, feature)| feature.code == code) else {
            return Ok(None);
        };
        let seats = seats(reader, id, &lens, &calendar, (from, until))?;
        let seats = watched_only(seats, &names, &feature.servers, (from, until));
        let issued = if *sight == Sight::Everything { issued(&names, id, (from, until)) } else { Vec::new() };
        let denials = denials(reader, id, &lens, &calendar, (from, until))?;
        Ok(Some(Curve { seats, issued, denials }))
    })?)
}

fn seats(
    reader: &mut Reader<'_>,
    feature: FeatureId,
    lens: &Lens<'_>,
    calendar: &Calendar,
    (from, until): (UnixMs, UnixMs),
) -> Result<Vec<(UnixMs, i64)>, Error> {
    let mut sweep = Sweep::over(from, until);
    reader.sessions(feature, (from, until), false, &mut |row| {
        let part = row.part;
        if lens.counted(part.holder, calendar.day_of(part.from.max(from))).is_some() {
            sweep.add(part.from, part.until, part.seats);
        }
        Ok(())
    })?;
    let mut steps = Vec::new();
    sweep.levels(|level| steps.push((level.from, level.seats)));
    Ok(steps)
}

/// The steps with `None` where none of the license servers was watched.
fn watched_only(
    steps: Vec<(UnixMs, i64)>,
    names: &Names,
    servers: &[ServerId],
    (from, until): (UnixMs, UnixMs),
) -> Vec<(UnixMs, Option<i64>)> {
    let of_server = servers.iter().filter_map(|server| names.servers.get(server));
    let mut ranges: Vec<(UnixMs, UnixMs)> = of_server
        .flat_map(|server| &server.watched)
        .map(|range| (range.0.max(from), range.1.min(until)))
        .filter(|range| range.0 < range.1)
        .collect();
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let mut seen = from;
    for range in ranges {
        if range.0 > seen {
            gaps.push((seen, range.0));
        }
        seen = seen.max(range.1);
    }
    if seen < until {
        gaps.push((seen, until));
    }
    let is_gap = |at: UnixMs| gaps.iter().any(|gap| gap.0 <= at && at < gap.1);
    let level = |at: UnixMs| {
        let next = steps.partition_point(|step| step.0 <= at);
        next.checked_sub(1).map_or(0, |nth| steps[nth].1)
    };
    let mut shown: Vec<(UnixMs, Option<i64>)> =
        steps.iter().filter(|step| !is_gap(step.0)).map(|step| (step.0, Some(step.1))).collect();
    for gap in &gaps {
        shown.push((gap.0, None));
        if gap.1 < until {
            shown.push((gap.1, Some(level(gap.1))));
        }
    }
    shown.sort_by_key(|step| (step.0, step.1.is_some()));
    shown
}

fn issued(names: &Names, feature: FeatureId, (from, until): (UnixMs, UnixMs)) -> Vec<(UnixMs, Option<i64>)> {
    let servers = names.features.get(&feature).map_or(&[][..], |feature| feature.servers.as_slice());
    let pool = |server: &ServerId| names.capacity.get(&(feature, *server)).cloned().unwrap_or_default();
    let pools: Vec<Steps> = servers.iter().map(pool).collect();
    Steps::sum(&pools).within(from, until).map(|(from, _, seats)| (from, seats)).collect()
}

fn denials(
    reader: &mut Reader<'_>,
    feature: FeatureId,
    lens: &Lens<'_>,
    calendar: &Calendar,
    period: (UnixMs, UnixMs),
) -> Result<Vec<UnixMs>, Error> {
    let mut found = Vec::new();
    reader.history(period, &mut |row| {
        let counts = row.feature == feature && row.action == "denial";
        if counts && lens.counted(row.holder, calendar.day_of(row.at)).is_some() {
            found.push(row.at);
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::watched_only;
    use accounting::ledger::{Names, Server};

    #[test]
    fn where_nobody_watched_there_is_no_number() {
        let server = Server { name: "a".to_owned(), watched: vec![(10, 20), (30, 40)] };
        let names = Names { servers: [(1, server)].into_iter().collect(), ..Names::default() };
        let steps = vec![(0, 0), (12, 3), (18, 2), (35, 1)];
        let shown = watched_only(steps, &names, &[1], (0, 50));
        let expected = [
            (0, None),
            (10, Some(0)),
            (12, Some(3)),
            (18, Some(2)),
            (20, None),
            (30, Some(2)),
            (35, Some(1)),
            (40, None),
        ];
        assert_eq!(shown, expected);
    }
}
