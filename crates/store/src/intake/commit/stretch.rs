//! Batches that go on where the one before ended, in one transaction. What is open and what days are dirty is written once at
//! their end: most of what a batch leaves open is ended by the next one, and its rows would be written twice.

use super::held::{OpenSince, SPARE_AT_MOST};
use super::in_order::PORTIONS_WAITING;
use super::marks::Marks;
use super::{Batch, Before, Changes, Intake, rows};
use crate::Error;
use crate::backend::Backend;
use crate::derive::{Computed, Context, Days};
use crate::settings;
use accounting::UnixMs;
use accounting::day::Day;
use accounting::ledger::ServerId;
use accounting::pairing::InputId;
use accounting::session::{FeatureId, Part};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// So many days are handed to the connection together.
const DAYS_TOGETHER: usize = 64;

/// What batches that go on leave for their end.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) marks: Marks,
    /// The day of its first event; [`Day::MAX`] where something was taken back.
    first: Day,
    /// How many features were known when it began.
    features: usize,
    /// What was known of daemons before it.
    before: FxHashMap<(ServerId, String), Before>,
    /// The license servers that it tells of.
    servers: BTreeSet<ServerId>,
    input: InputId,
    events: usize,
}

impl Stretch {
    /// Whether a batch goes on where it stands: nothing is taken back, and nothing is told of days before its first one or of
    /// features of which was not asked which days are stored.
    pub(super) fn goes_on_with(&mut self, batch: &Batch) -> bool {
        !batch.takes_back()
            && batch.names.features() <= self.features
            && self.marks.first_day(batch) >= self.first
    }

    /// Takes note of a batch; `before` is what was known of its license servers before it.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        input: InputId,
        servers: &BTreeSet<ServerId>,
        before: &FxHashMap<(ServerId, String), Before>,
    ) {
        self.input = input;
        self.events += batch.events.len();
        let new = before.iter().filter(|((server, _), _)| !self.servers.contains(server));
        self.before.extend(new.map(|(daemon, before)| (daemon.clone(), before.clone())));
        self.servers.extend(servers);
    }
}

impl Intake {
    /// Begins a stretch with its first batch; `alone` says that nobody else can store days beside it.
    pub(super) fn begin_stretch(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        alone: bool,
    ) -> Result<Stretch, Error> {
        let zone = settings::calendar(backend)?.zone().clone();
        let mut marks = Marks::new(zone, std::mem::take(&mut self.held));
        let first = if batch.takes_back() { Day::MAX } else { marks.first_day(batch) };
        marks.begin_held(backend, (batch, first), &self.resolved.features, alone)?;
        Ok(Stretch {
            marks,
            first,
            features: self.resolved.features.len(),
            before: FxHashMap::default(),
            servers: BTreeSet::new(),
            input: InputId::default(),
            events: 0,
        })
    }

    /// Writes the rows of what a stretch has left open so far.
    pub(super) fn write_open(
        &mut self,
        backend: &mut dyn Backend,
        stretch: &mut Stretch,
    ) -> Result<(), Error> {
        let (changes, order) = self.unwritten(stretch);
        rows::write_changes(backend, &changes, &order, stretch.input, None)
    }

    /// Ends a stretch: the rows of what it leaves open, the days that are complete, the marks of all others.
    pub(super) fn end_stretch(
        &mut self,
        backend: &mut dyn Backend,
        stretch: Option<Stretch>,
    ) -> Result<(), Error> {
        let Some(mut stretch) = stretch else { return Ok(()) };
        let (changes, order) = self.unwritten(&mut stretch);
        let Stretch { mut marks, before, servers, input, events, .. } = stretch;
        let computing = marks.held.worth_computing(backend, events)?;
        let context = if computing { Some(Context::read(backend)?) } else { None };
        let (to, from) = sync_channel(PORTIONS_WAITING);
        let mut room: FxHashMap<FeatureId, Vec<Vec<Part>>> = FxHashMap::default();
        std::thread::scope(|scope| {
            let (intake, marks) = (&*self, &mut marks);
            scope.spawn(move || {
                intake.mark_evidence(&before, &servers, marks);
                if let Some(mut context) = context {
                    let complete = intake.take_complete(&mut context, marks);
                    compute(complete, context, &to);
                }
            });
            rows::write_changes(backend, &changes, &order, input, None)?;
            // Taken whole: a thread that nobody listens to any more ends.
            for (days, computed) in from {
                Days::write(&days, backend)?;
                for (feature, computed) in computed {
                    let room = room.entry(feature).or_default();
                    if room.len() < SPARE_AT_MOST {
                        room.push(computed.parts);
                    }
                }
            }
            Ok::<_, Error>(())
        })?;
        for (feature, room) in room {
            for parts in room {
                marks.held.keep_room(feature, parts);
            }
        }
        marks.write(backend)?;
        self.held = marks.held;
        Ok(())
    }

    /// The rows, and their order, of what a stretch has left open and has none yet; marks the days that they touch.
    fn unwritten(&mut self, stretch: &mut Stretch) -> (Changes, Vec<(FeatureId, UnixMs, u32)>) {
        let mut changes = Changes::default();
        for server in &stretch.servers {
            let Some(state) = self.servers.get_mut(server) else { continue };
            for (key, open) in state.open.iter_mut().filter(|(_, open)| !open.is_written) {
                changes.new.extend(open.sessions.iter().map(|open| (key.clone(), open.session())));
                open.is_written = true;
            }
        }
        let order = rows::in_key_order(&changes);
        self.mark_rows((&changes, &order), &stretch.before, &stretch.servers, true, &mut stretch.marks);
        (changes, order)
    }

    /// Takes out the held days that are complete now.
    fn take_complete(&self, context: &mut Context, marks: &mut Marks) -> Vec<(FeatureId, Computed)> {
        let mut open = OpenSince::default();
        for (key, of_key) in self.servers.values().flat_map(|state| &state.open) {
            let since = of_key.sessions.iter().map(|session| (session.start.at, key.holder));
            open.entry(key.feature).or_default().extend(since);
        }
        let mut complete = Vec::new();
        for feature in marks.held.features() {
            let days = marks.held.take_complete(feature, &open, context);
            complete.extend(days.into_iter().map(|computed| (feature, computed)));
        }
        complete
    }
}

/// Days as rows, and what they were computed from.
type Stored = (Days, Vec<(FeatureId, Computed)>);

/// Computes complete days on two threads, and sends their rows.
fn compute(complete: Vec<(FeatureId, Computed)>, context: Context, to: &SyncSender<Stored>) {
    // Taken from the end, in their order.
    let left = Mutex::new(complete.into_iter().rev().collect::<Vec<_>>());
    let beside = context.beside();
    let work = |mut context: Context| {
        loop {
            let mut some = {
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                let begin = left.len().saturating_sub(DAYS_TOGETHER);
                left.split_off(begin)
            };
            let mut days = Days::default();
            for (feature, computed) in some.iter_mut().rev() {
                computed.parts.sort_unstable_by_key(accounting::page::order);
                days.add(&mut context, *feature, computed);
            }
            // Nobody takes them where the connection failed.
            if some.is_empty() || to.send((days, some)).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| work(beside));
        work(context);
    });
}
