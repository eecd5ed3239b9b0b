//! Feature days: one feature's civil day, the parts of its sessions that fall in it and the day's figures.

use crate::UnixMs;
use crate::calendar::CivilDay;
use crate::concurrency::Sweep;
use crate::event::DenialReason;
use crate::session::{FeatureId, HolderId, Part};

/// A request that was not simply granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Request {
    /// When.
    pub at: UnixMs,
    /// Who asked.
    pub holder: HolderId,
    /// How many seats were asked for.
    pub seats: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request that was not simply granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was refused.
    Denied(DenialReason),
    /// It was put in the queue.
    Queued,
    /// It left the queue.
    Dequeued,
}

/// One feature's civil day as a report sees it.
#[derive(Debug, Clone, Copy)]
pub struct DayView<'a> {
    /// The feature.
    pub feature: FeatureId,
    /// The day with its cuts.
    pub civil: &'a CivilDay,
    /// The sessions that touch the day, whole (not clipped), ordered by `from`.
    pub parts: &'a [Part],
    /// The day's denied and queued requests, ordered by instant; empty unless the report needs them.
    pub requests: &'a [Request],
}

/// The figures of a feature day: a pure function of its sessions, the calendar and the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// ∫u dt over the day by time class, in seat-milliseconds.
    pub seat_ms: Vec<i64>,
    /// The sum over persons of the time in which each held at least one seat (a union of intervals), by time class.
    pub person_ms: Vec<i64>,
    /// Sessions that touch the day.
    pub sessions: i64,
    /// Persons of those sessions.
    pub persons: i64,
    /// max u over the day.
    pub seats_peak: i64,
    /// The first instant at which it was reached; `None` where nothing was held.
    pub seats_peak_at: Option<UnixMs>,
    /// Requests that were refused.
    pub denials: i64,
    /// The capacity in force at the end of the day, where known.
    pub seats_issued: Option<i64>,
}

/// Computes the figures of a day. `person` tells whose a holder is; `classes` is the number of time classes.
pub fn figures(
    view: &DayView<'_>,
    classes: usize,
    person: &dyn Fn(HolderId) -> u32,
    seats_issued: Option<i64>,
) -> Figures {
    let mut figures = Figures {
        seat_ms: seat_ms(view, classes),
        person_ms: vec![0; classes],
        sessions: view.parts.len() as i64,
        denials: view.requests.iter().filter(|request| matches!(request.outcome, Outcome::Denied(_))).count()
            as i64,
        seats_issued,
        ..Figures::default()
    };
    let (start, end) = (view.civil.start, view.civil.end);
    let mut sweep = Sweep::over(start, end);
    for part in view.parts {
        sweep.add(part.from, part.until, part.seats);
    }
    sweep.levels(|level| {
        if level.seats > figures.seats_peak {
            (figures.seats_peak, figures.seats_peak_at) = (level.seats, Some(level.from));
        }
    });
    add_persons(view, person, &mut figures);
    figures
}

/// ∫u dt over a day by time class, of which there are `classes`, in seat-milliseconds.
pub fn seat_ms(view: &DayView<'_>, classes: usize) -> Vec<i64> {
    let mut by_class = vec![0; classes];
    for part in view.parts {
        for cut in &view.civil.cuts {
            let held = part.until.min(cut.until) - part.from.max(cut.from);
            if held > 0 {
                by_class[usize::from(cut.class)] += held * i64::from(part.seats);
            }
        }
    }
    by_class
}

/// Adds `persons` and `person_ms`: for each person the union of the parts, cut by class.
fn add_persons(view: &DayView<'_>, person: &dyn Fn(HolderId) -> u32, figures: &mut Figures) {
    let mut held: Vec<(u32, UnixMs, UnixMs)> =
        view.parts.iter().map(|part| (person(part.holder), part.from, part.until)).collect();
    held.sort_unstable();
    for of_one in held.chunk_by(|a, b| a.0 == b.0) {
        figures.persons += 1;
        for cut in &view.civil.cuts {
            let mut covered_until = cut.from;
            for &(_, from, until) in of_one {
                let (from, until) = (from.max(covered_until), until.min(cut.until));
                if from < until {
                    figures.person_ms[usize::from(cut.class)] += until - from;
                    covered_until = until;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Calendar;
    use crate::day::Day;
    use crate::session::Ended;

    const HOUR: i64 = 3_600_000;

    fn part(from: i64, until: i64, holder: u32, seats: u32) -> Part {
        Part { from: from * HOUR, until: until * HOUR, holder, version: 0, seats, ended: Ended::Checkin }
    }

    #[test]
    fn figures_of_a_day() {
        let civil = Calendar::standard("UTC").unwrap().day(Day(0));
        let parts = [part(-5, 9, 1, 2), part(8, 20, 2, 1), part(9, 10, 3, 2), part(23, 30, 4, 1)];
        let view = DayView { feature: 1, civil: &civil, parts: &parts, requests: &[] };
        let figures = figures(&view, 3, &|holder| if holder == 2 { 1 } else { holder }, Some(4));
        assert_eq!(
            figures,
            Figures {
                seat_ms: vec![16 * HOUR, (2 + 11 + 2) * HOUR, 2 * HOUR],
                person_ms: vec![8 * HOUR, 12 * HOUR, 2 * HOUR],
                sessions: 4,
                persons: 3,
                seats_peak: 3,
                seats_peak_at: Some(8 * HOUR),
                denials: 0,
                seats_issued: Some(4),
            }
        );
    }
}
