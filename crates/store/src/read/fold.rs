//! Feature days given to what makes reports of them: read once, however many reports need them, and by two connections where
//! that is worth it.

use super::Reader;
use crate::Error;
use crate::backend::{Backend, all};
use accounting::day::Day;
use accounting::feature_day::DayView;
use accounting::report::{Accumulator, SeatTime, Shared};
use accounting::session::FeatureId;
use std::sync::atomic::{AtomicUsize, Ordering};

/// From how many features on they are read by two connections.
const FEATURES_WORTH_A_THREAD: usize = 8;

/// Accumulators that need the same feature days, each of which can be given to several.
pub trait Together: Send {
    /// As of [`Accumulator`].
    fn features(&self) -> Vec<FeatureId>;
    /// As of [`Accumulator`].
    fn needs_requests(&self) -> bool;
    /// As of [`Accumulator`].
    fn margin_days(&self) -> i32;
    /// As of [`Accumulator`].
    fn day(&mut self, view: &DayView<'_>);
    /// As of [`Accumulator`].
    fn seat_time(&mut self) -> Option<&mut dyn SeatTime>;
    /// As of [`Shared`].
    fn can_share(&self) -> bool;
    /// As of [`Shared`].
    fn join(&mut self, other: Self);
}

impl<T: Shared> Together for Vec<T> {
    fn features(&self) -> Vec<FeatureId> {
        self.first().map(Accumulator::features).unwrap_or_default()
    }

    fn needs_requests(&self) -> bool {
        self.iter().any(Accumulator::needs_requests)
    }

    fn margin_days(&self) -> i32 {
        self.iter().map(Accumulator::margin_days).max().unwrap_or_default()
    }

    fn day(&mut self, view: &DayView<'_>) {
        for accumulator in self {
            accumulator.day(view);
        }
    }

    /// Where there is one alone: others may need the sessions.
    fn seat_time(&mut self) -> Option<&mut dyn SeatTime> {
        match self.as_mut_slice() {
            [one] => one.seat_time(),
            _ => None,
        }
    }

    fn can_share(&self) -> bool {
        self.iter().all(Shared::can_share)
    }

    fn join(&mut self, other: Self) {
        self.iter_mut().zip(other).for_each(|(accumulator, other)| accumulator.join(other));
    }
}

impl<A: Shared, B: Shared> Together for (A, B) {
    fn features(&self) -> Vec<FeatureId> {
        let features = self.0.features();
        debug_assert_eq!(features, self.1.features(), "they need the same days");
        features
    }

    fn needs_requests(&self) -> bool {
        self.0.needs_requests() || self.1.needs_requests()
    }

    fn margin_days(&self) -> i32 {
        self.0.margin_days().max(self.1.margin_days())
    }

    fn day(&mut self, view: &DayView<'_>) {
        self.0.day(view);
        self.1.day(view);
    }

    fn seat_time(&mut self) -> Option<&mut dyn SeatTime> {
        None
    }

    fn can_share(&self) -> bool {
        self.0.can_share() && self.1.can_share()
    }

    fn join(&mut self, (one, two): Self) {
        self.0.join(one);
        self.1.join(two);
    }
}

/// The days of a period, and so many before and behind it.
fn with_margin((from, until): (Option<Day>, Option<Day>), margin: i32) -> (Day, Day) {
    (
        from.map_or(Day::MIN, |day| Day(day.0 - margin).max(Day::MIN)),
        until.map_or(Day::MAX, |day| Day(day.0 + margin).min(Day::MAX)),
    )
}

impl Reader<'_> {
    /// Gives an accumulator the feature days that it needs, of the days `[from, until)`.
    pub fn fold(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        accumulator: &mut dyn Accumulator,
    ) -> Result<(), Error> {
        let range = with_margin((from, until), accumulator.margin_days());
        let needs_requests = accumulator.needs_requests();
        for feature in accumulator.features() {
            self.feature_days(feature, range, needs_requests, &mut |view| accumulator.day(view))?;
        }
        Ok(())
    }

    /// As [`Self::fold`], with a second connection that reads the same state of the ledger on a thread of its own where
    /// that is worth it; `make` makes an accumulator for each.
    pub fn fold_shared<A: Shared>(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        make: impl Fn() -> A,
    ) -> Result<A, Error> {
        let mut one = self.fold_all_shared(from, until, || vec![make()])?;
        one.pop().ok_or_else(|| Error::Corrupt("an accumulator was lost".to_owned()))
    }

    /// As [`Self::fold_shared`], for several accumulators that need the same feature days.
    pub fn fold_all_shared<T: Together>(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        make: impl Fn() -> T,
    ) -> Result<T, Error> {
        let mut accumulators = make();
        let features = accumulators.features();
        let needs_requests = accumulators.needs_requests();
        let range = with_margin((from, until), accumulators.margin_days());
        let next = AtomicUsize::new(0);
        let work = |reader: &mut Reader<'_>, accumulators: &mut T| -> Result<(), Error> {
            while let Some(feature) = features.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(to) = accumulators.seat_time() {
                    reader.seat_time(*feature, range, to)?;
                    continue;
                }
                reader.feature_days(*feature, range, needs_requests, &mut |view| accumulators.day(view))?;
            }
            Ok(())
        };
        let worth = features.len() >= FEATURES_WORTH_A_THREAD && accumulators.can_share();
        let Some(mut beside) = (if worth { self.beside()? } else { None }) else {
            work(self, &mut accumulators)?;
            return Ok(accumulators);
        };
        let mut others = make();
        let context = self.context.beside();
        std::thread::scope(|scope| {
            let (place, now) = (self.place, self.now);
            let (beside, others) = (beside.as_mut(), &mut others);
            let helper =
                scope.spawn(move || work(&mut Reader { backend: beside, context, place, now }, others));
            let done = work(self, &mut accumulators);
            done.and(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })?;
        accumulators.join(others);
        Ok(accumulators)
    }

    /// A second connection that reads the same sessions, requests and civil days; `None` where somebody has written
    /// since this one began to read.
    fn beside(&mut self) -> Result<Option<Box<dyn Backend>>, Error> {
        let mut beside = crate::connect(self.place, false, None)?;
        beside.begin_read()?;
        // Whoever changes facts moves the sequence of their license server.
        let state = |backend: &mut dyn Backend| {
            let sql = "select server_id, sequence, '' from server
                       union all select 0, 0, value from setting where name = 'calendar'
                       union all select 0, count(*), 'heartbeat' from heartbeat order by 1, 2, 3";
            all(backend, sql, &[], |row| Ok((row.int(0)?, row.int(1)?, row.text(2)?)))
        };
        let same = state(self.backend)? == state(beside.as_mut())?;
        Ok(same.then_some(beside))
    }
}
