//! Feature days given to what makes reports of them: read once, however many reports need them, and by two connections where
//! that is worth it.

use super::Reader;
use crate::Error;
use crate::backend::{Backend, all};
use accounting::day::Day;
use accounting::report::{Accumulator, Shared};
use std::sync::atomic::{AtomicUsize, Ordering};

/// From how many features on they are read by two connections.
const FEATURES_WORTH_A_THREAD: usize = 8;

impl Reader<'_> {
    /// Gives an accumulator the feature days that it needs, of the days `[from, until)`.
    pub fn fold(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        accumulator: &mut dyn Accumulator,
    ) -> Result<(), Error> {
        self.fold_all(from, until, &mut [accumulator])
    }

    /// As [`Self::fold`], for several accumulators that need the same feature days, which are read once for all of them.
    pub fn fold_all(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        accumulators: &mut [&mut dyn Accumulator],
    ) -> Result<(), Error> {
        let Some(first) = accumulators.first() else { return Ok(()) };
        let (features, margin, needs_requests) =
            (first.features(), first.margin_days(), first.needs_requests());
        let range = (
            from.map_or(Day::MIN, |day| Day(day.0 - margin).max(Day::MIN)),
            until.map_or(Day::MAX, |day| Day(day.0 + margin).min(Day::MAX)),
        );
        for feature in features {
            self.feature_days(feature, range, needs_requests, &mut |view| {
                for accumulator in accumulators.iter_mut() {
                    accumulator.day(view);
                }
            })?;
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

    /// As [`Self::fold_shared`], for several accumulators of one kind that need the same feature days.
    pub fn fold_all_shared<A: Shared>(
        &mut self,
        from: Option<Day>,
        until: Option<Day>,
        make: impl Fn() -> Vec<A>,
    ) -> Result<Vec<A>, Error> {
        let mut accumulators = make();
        let features = accumulators.first().map(Accumulator::features).unwrap_or_default();
        let worth = features.len() >= FEATURES_WORTH_A_THREAD && accumulators.iter().all(Shared::can_share);
        let Some(mut beside) = (if worth { self.beside()? } else { None }) else {
            let mut each: Vec<&mut dyn Accumulator> =
                accumulators.iter_mut().map(|accumulator| accumulator as &mut dyn Accumulator).collect();
            self.fold_all(from, until, &mut each)?;
            return Ok(accumulators);
        };
        let range = (from.unwrap_or(Day::MIN), until.unwrap_or(Day::MAX));
        let next = AtomicUsize::new(0);
        let work = |reader: &mut Reader<'_>, accumulators: &mut [A]| -> Result<(), Error> {
            let needs_requests = accumulators.iter().any(Accumulator::needs_requests);
            while let Some(feature) = features.get(next.fetch_add(1, Ordering::Relaxed)) {
                reader.feature_days(*feature, range, needs_requests, &mut |view| {
                    for accumulator in accumulators.iter_mut() {
                        accumulator.day(view);
                    }
                })?;
            }
            Ok(())
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
        accumulators.iter_mut().zip(others).for_each(|(accumulator, other)| accumulator.join(other));
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
