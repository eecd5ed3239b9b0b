//! What readers get: one state of the ledger, names and feature days. Readers never write: days that are dirty or
//! unsettled are computed in memory.

mod coverage;
mod fold;
mod seat_time;

use crate::backend::{Backend, Row, Value, all, one};
use crate::derive::{Context, parse_days, requests};
use crate::intake::{RequestOutcome, outcome_from_codes};
use crate::names::Ledger;
use crate::runs::{self, Asked, Columns};
use crate::{Error, Place, Store};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::feature_day::{DayView, Request};
use accounting::heartbeat::Stretch;
use accounting::ledger::Names;
use accounting::page;
use accounting::pairing::InputId;
use accounting::report::Scope;
use accounting::session::{Ended, FeatureId, HolderId, Part, VersionId};
use rustc_hash::FxHashMap;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use coverage::CoverageRow;
pub use fold::Together;

/// One state of a ledger.
pub struct Reader<'a> {
    backend: &'a mut dyn Backend,
    context: Context,
    /// Where the ledger is, for connections beside this one.
    place: &'a Place,
    /// What time it is, where somebody said so.
    now: Option<UnixMs>,
}

/// A session as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The feature.
    pub feature: FeatureId,
    /// When the session began; what counts of it may begin later, behind what a log covers.
    pub began: UnixMs,
    /// What counts of it: an open one up to its last evidence.
    pub part: Part,
    /// What the server calls this one hold; empty where it does not say.
    pub handle: String,
    /// Where its start was read.
    pub input: InputId,
    /// Of a session that a poll no longer showed: the time between that poll and the last one that showed it.
    pub uncertainty_ms: Option<i64>,
}

/// Something that happened, for the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// When.
    pub at: UnixMs,
    /// What: `grant`, `checkin`, `denial`, …
    pub action: &'static str,
    /// The feature.
    pub feature: FeatureId,
    /// Who.
    pub holder: HolderId,
    /// The version, 0 where unknown.
    pub version: VersionId,
    /// How many seats.
    pub seats: u32,
    /// Class and code of a denial; empty else.
    pub reason: String,
    /// Where it was read.
    pub input: InputId,
}

/// Lines that no format knew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnrecognizedRow {
    /// The input.
    pub input: InputId,
    /// The line with its letters and digits folded.
    pub shape: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub lines: u64,
    /// The number of the first one.
    pub first_line: u64,
    /// The first one.
    pub sample: String,
}

impl Store {
    /// Does several things that read, and write nothing, on one state of the ledger: their answers fit together, and names
    /// are read once.
    pub fn in_one_state<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_one_state_of(None, work)
    }

    /// As [`Self::in_one_state`], for reports of a scope: names of holders whom they do not meet may be missing.
    pub fn in_one_state_for<T, E: From<Error>>(
        &mut self,
        scope: &Scope,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_one_state_of(Some(scope), work)
    }

    fn in_one_state_of<T, E: From<Error>>(
        &mut self,
        scope: Option<&Scope>,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.in_one_transaction(|store| {
            store.state = Some(Context::read_for(store.backend.as_mut(), scope, Some(&store.kept))?);
            let done = work(store);
            store.state = None;
            done
        })
    }

    /// Does several things that read, and write nothing, in one transaction: the calendar and the days that it cuts, say, are
    /// those of one instant, whoever writes meanwhile. What is done so within is done in the same one.
    pub fn in_one_transaction<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_reading {
            return work(self);
        }
        self.book_for_reading()?;
        self.backend.begin_read()?;
        self.is_reading = true;
        let done = work(self);
        self.is_reading = false;
        // Nothing was written: how it ends says nothing that the answer does not.
        let ended = self.backend.rollback();
        done.and_then(|done| ended.map(|()| done).map_err(E::from))
    }

    /// Reads one state of the ledger.
    pub fn read<T>(&mut self, work: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.read_with(None, work)
    }

    /// As [`Self::read`], for reports of a scope: names of holders whom they do not meet may be missing.
    pub fn read_for<T>(
        &mut self,
        scope: &Scope,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.read_with(Some(scope), work)
    }

    fn read_with<T>(
        &mut self,
        scope: Option<&Scope>,
        work: impl FnOnce(&mut Reader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.in_one_transaction(|store| {
            let (backend, place, now) = (store.backend.as_mut(), &store.place, store.now);
            let context = match &store.state {
                Some(state) => state.beside(),
                None => Context::read_for(backend, scope, Some(&store.kept))?,
            };
            work(&mut Reader { backend, context, place, now })
        })
    }
}

impl Reader<'_> {
    /// The connection, and the names.
    pub(crate) fn parts(&mut self) -> (&mut dyn Backend, &Ledger) {
        (&mut *self.backend, &self.context.ledger)
    }

    /// The names behind the numbers.
    pub fn names(&self) -> Arc<Names> {
        Arc::clone(&self.context.ledger.names)
    }

    /// The calendar in force.
    pub fn calendar(&self) -> Calendar {
        self.context.calendar.clone()
    }

    /// The instant as of which the ledger speaks: its last evidence of a server of which any feature is known. That heartbeats
    /// are awaited of which none has come yet says nothing.
    pub fn as_of(&mut self) -> Result<Option<UnixMs>, Error> {
        let sql =
            "select max(until_at) from span where server_id in (select server_id from feature_at_server)";
        Ok(one(self.backend, sql, &[], |row| row.opt_int(0))?.flatten())
    }

    /// What people call the inputs.
    pub fn inputs(&mut self) -> Result<FxHashMap<InputId, String>, Error> {
        let rows =
            all(self.backend, "select input_id, name from input", &[], |row| Ok((row.id(0)?, row.text(1)?)))?;
        Ok(rows.into_iter().collect())
    }

    /// By what numbers other systems know organizations; of several the latest.
    pub fn organization_numbers(&mut self) -> Result<FxHashMap<String, i64>, Error> {
        Ok(crate::views::numbers(&crate::registry::entries(self.backend)?))
    }

    fn feature_days(
        &mut self,
        feature: FeatureId,
        (from, until): (Day, Day),
        needs_requests: bool,
        each: &mut dyn FnMut(&DayView<'_>),
    ) -> Result<(), Error> {
        let params = [feature.into(), from.to_string().into(), until.to_string().into()];
        let marked = self.marked_days(&params)?;
        let mut computed = Vec::new();
        self.context.compute(self.backend, feature, &marked, &mut |_, day| {
            computed.push(day);
            Ok(())
        })?;
        let requests =
            if needs_requests { self.requests(feature, (from, until))? } else { FxHashMap::default() };
        let marked: BTreeSet<Day> = marked.into_iter().collect();
        let mut computed = computed.into_iter().peekable();
        let mut stored = StoredDay::default();
        let context = &mut self.context;
        let deliver =
            |context: &mut Context, day: Day, parts: &[Part], each: &mut dyn FnMut(&DayView<'_>)| {
                let requests = requests.get(&day).map_or(&[][..], Vec::as_slice);
                each(&DayView { feature, civil: context.civil(day), parts, requests });
            };
        self.backend.query(include_str!("../queries/page_between.sql"), &params, &mut |row| {
            let day: Day =
                row.with_text(0, str::parse)?.map_err(|_| Error::Corrupt("feature day".to_owned()))?;
            if marked.contains(&day) {
                return Ok(());
            }
            if stored.day != Some(day) {
                if let Some(done) = stored.day.replace(day) {
                    deliver(context, done, stored.ordered(), each);
                }
                stored.clear();
                while let Some(earlier) = computed.next_if(|computed| computed.day < day) {
                    deliver(context, earlier.day, &earlier.parts, each);
                }
            }
            let (start, end) = (context.civil(day).start, context.civil(day).end);
            let first = stored.parts.len();
            page::decode(start, row.blob(1)?, &mut stored.parts).map_err(|error| {
                Error::Corrupt(format!("feature day {day} of feature {feature}: {error}"))
            })?;
            // What was cut at the day's end goes on; what ended in it, as far as anybody saw, does not.
            let goes_on = |part: &&mut Part| part.ended == Ended::Open && part.until >= end;
            for part in stored.parts[first..].iter_mut().filter(goes_on) {
                part.until = context.ledger.stored_open_until(part.holder, part.from).max(part.until);
                stored.moved = true;
            }
            Ok(())
        })?;
        if let Some(done) = stored.day {
            deliver(context, done, stored.ordered(), each);
        }
        for later in computed {
            deliver(context, later.day, &later.parts, each);
        }
        Ok(())
    }

    /// The days of a feature, `[from, until)`, that are dirty or unsettled, ascending.
    fn marked_days(&mut self, params: &[Value; 3]) -> Result<Vec<Day>, Error> {
        let sql = "select distinct day from feature_day_mark
                   where feature_id = $1 and day >= $2 and day < $3 order by day";
        parse_days(&all(self.backend, sql, params, |row| row.text(0))?)
    }

    /// The requests of a feature by day.
    fn requests(
        &mut self,
        feature: FeatureId,
        (from, until): (Day, Day),
    ) -> Result<FxHashMap<Day, Vec<Request>>, Error> {
        let zone = self.context.calendar.zone().clone();
        let bounds = (
            if from == Day::MIN { UnixMs::MIN } else { from.start(&zone) },
            if until == Day::MAX { UnixMs::MAX } else { until.start(&zone) },
        );
        let mut by_day: FxHashMap<Day, Vec<Request>> = FxHashMap::default();
        // They come in order of time: neighbours are mostly of one day.
        let mut of_day: Vec<Request> = Vec::new();
        let mut known: (Day, UnixMs) = (Day::MIN, UnixMs::MIN);
        for request in requests(self.backend, feature, bounds.0, bounds.1)? {
            if request.at >= known.1 {
                if !of_day.is_empty() {
                    by_day.insert(known.0, std::mem::take(&mut of_day));
                }
                let day = Day::of(request.at, &zone);
                known = (day, day.next().start(&zone));
            }
            of_day.push(request);
        }
        if !of_day.is_empty() {
            by_day.insert(known.0, of_day);
        }
        Ok(by_day)
    }

    /// The instant as of which heartbeats have ceased or not.
    pub(crate) fn now(&mut self) -> Result<UnixMs, Error> {
        match self.now {
            Some(now) => Ok(now),
            None => Ok(self.as_of()?.unwrap_or(UnixMs::MIN)),
        }
    }

    /// Sessions of a feature that overlap `[from, until)`, in order of their start; of zero length, that lie in it.
    pub fn sessions(
        &mut self,
        feature: FeatureId,
        period: (UnixMs, UnixMs),
        open_only: bool,
        each: &mut dyn FnMut(SessionRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.sessions_since(feature, UnixMs::MIN, period, open_only, each)
    }

    /// As [`Self::sessions`], but only those that began at `since` or later; what began before is not read.
    pub fn sessions_since(
        &mut self,
        feature: FeatureId,
        since: UnixMs,
        (from, until): (UnixMs, UnixMs),
        open_only: bool,
        each: &mut dyn FnMut(SessionRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut of_heartbeats = self.sessions_of_heartbeats(feature)?;
        of_heartbeats.retain(|row| row.began >= since && (!open_only || row.part.ended == Ended::Open));
        let mut of_heartbeats = of_heartbeats.into_iter().peekable();
        let now = self.now()?;
        let running = crate::running::of_feature(self.backend, feature, now)?;
        let first = if open_only { since } else { self.first_start(feature, from)?.max(since) };
        let mut each = |row: SessionRow| if row.part.touches(from, until) { each(row) } else { Ok(()) };
        let ledger = &self.context.ledger;
        let mut take = |row: &Row<'_>| {
            let (began, seen_at, handle, input) = (row.int(1)?, row.opt_int(6)?, row.text(7)?, row.id(8)?);
            if began < since {
                return Ok(());
            }
            while let Some(earlier) = of_heartbeats.next_if(|of| of.part.from < began) {
                each(earlier)?;
            }
            let runs = !running.is_empty() && running.contains(&(began, row.id(0)?, handle.clone()));
            ledger.parts(row, &mut |part| {
                let goes_on = runs && part.ended == Ended::HeartbeatsCeased;
                let part = if goes_on { Part { ended: Ended::Open, ..part } } else { part };
                let seen_at = seen_at.filter(|_| part.ended == Ended::GoneFromSnapshot);
                let uncertainty_ms = seen_at.map(|seen_at| (part.until - seen_at).max(0));
                each(SessionRow { feature, began, part, handle: handle.clone(), input, uncertainty_ms })
            })
        };
        if open_only {
            let sql = include_str!("../queries/session_list_open.sql");
            let params = [feature.into(), from.into(), until.into(), now.into()];
            self.backend.query(sql, &params, &mut take)?;
        } else {
            let asked = Asked { feature, since: first, before: until, until: from };
            runs::each(self.backend, asked, Columns::Listed, &mut take)?;
        }
        of_heartbeats.try_for_each(each)
    }

    /// An instant before which no session of a feature begins that ends at another one or later.
    fn first_start(&mut self, feature: FeatureId, at: UnixMs) -> Result<UnixMs, Error> {
        // Nothing is older than the first evidence; that need not be looked for.
        if at <= UnixMs::MIN / 2 {
            Ok(UnixMs::MIN / 2)
        } else {
            self.context.first_start(self.backend, feature, at)
        }
    }

    /// The sessions of a feature that only heartbeats tell so far.
    fn sessions_of_heartbeats(&mut self, feature: FeatureId) -> Result<Vec<SessionRow>, Error> {
        // With all of their buckets: a session that reaches out of a period is told as it is.
        let stretches = self.context.unsealed(self.backend, feature, UnixMs::MAX)?;
        let Some((_, input)) = crate::heartbeats::source(self.backend)? else { return Ok(Vec::new()) };
        let now = self.now()?;
        let row = |of: Stretch| {
            let part = Part { ended: of.ended(now), ..of.part };
            SessionRow { feature, began: part.from, part, handle: String::new(), input, uncertainty_ms: None }
        };
        Ok(stretches.into_iter().map(row).collect())
    }

    /// What happened in `[from, until)`, in order of time.
    pub fn history(
        &mut self,
        (from, until): (UnixMs, UnixMs),
        each: &mut dyn FnMut(HistoryRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sql = include_str!("../queries/history_between.sql");
        let mut of_heartbeats = self.history_of_heartbeats((from, until))?.into_iter().peekable();
        let now = self.now()?;
        let features: Vec<FeatureId> = self.context.ledger.names.features.keys().copied().collect();
        let firsts = features.into_iter().map(|feature| Ok((feature, self.first_start(feature, from)?)));
        let firsts = firsts.collect::<Result<Vec<(FeatureId, UnixMs)>, Error>>()?;
        let params = [from.into(), until.into(), now.into(), Value::Text(json!(firsts).to_string())];
        let ledger = &self.context.ledger;
        self.backend.query(sql, &params, &mut |row| {
            let (history, polled) = (history_row(row)?, row.int(9)? == 1);
            while let Some(earlier) = of_heartbeats.next_if(|of| of.at < history.at) {
                each(earlier)?;
            }
            // Where a log covers the license server, it tells what happened.
            if polled && ledger.is_covered(history.holder, history.at) { Ok(()) } else { each(history) }
        })?;
        of_heartbeats.try_for_each(each)
    }

    /// Starts and ends of the sessions that only heartbeats tell so far.
    fn history_of_heartbeats(&mut self, (from, until): (UnixMs, UnixMs)) -> Result<Vec<HistoryRow>, Error> {
        let mut rows = Vec::new();
        if !self.context.ledger.has_unsealed() {
            return Ok(rows);
        }
        let features: Vec<FeatureId> = self.context.ledger.names.features.keys().copied().collect();
        for feature in features {
            for SessionRow { part, input, .. } in self.sessions_of_heartbeats(feature)? {
                let Part { holder, version, seats, .. } = part;
                let row = |at, action| HistoryRow {
                    at,
                    action,
                    feature,
                    holder,
                    version,
                    seats,
                    reason: String::new(),
                    input,
                };
                rows.push(row(part.from, "grant"));
                rows.extend(
                    (part.ended != Ended::Open).then(|| row(part.until, action_of(Some(part.ended)))),
                );
            }
        }
        rows.retain(|row| from <= row.at && row.at < until);
        rows.sort_by_key(|row| (row.at, row.action != "grant", row.feature, row.holder));
        Ok(rows)
    }

    /// The quarantine, most lines first.
    pub fn unrecognized(&mut self) -> Result<Vec<UnrecognizedRow>, Error> {
        let sql = "select input_id, shape, reason, lines, first_line, sample from quarantine
                   order by lines desc, input_id, first_line, shape";
        all(self.backend, sql, &[], |row| {
            Ok(UnrecognizedRow {
                input: row.id(0)?,
                shape: row.text(1)?,
                reason: row.text(2)?,
                lines: row.int(3)? as u64,
                first_line: row.int(4)? as u64,
                sample: row.text(5)?,
            })
        })
    }
}

/// A day as its pages tell it.
#[derive(Default)]
struct StoredDay {
    day: Option<Day>,
    parts: Vec<Part>,
    /// Whether parts were changed since they were read, which is in their order.
    moved: bool,
}

impl StoredDay {
    fn clear(&mut self) {
        self.parts.clear();
        self.moved = false;
    }

    fn ordered(&mut self) -> &[Part] {
        if self.moved {
            self.parts.sort_unstable_by_key(page::order);
        }
        &self.parts
    }
}

fn history_row(row: &Row<'_>) -> Result<HistoryRow, Error> {
    let (kind, code) = (row.int(1)?, row.opt_int(2)?);
    let (action, reason) = match kind {
        0 => ("grant", String::new()),
        1 => (action_of(Ended::from_code(code.unwrap_or_default())), String::new()),
        _ => match outcome_from_codes(kind - 2, code)? {
            RequestOutcome::Denied(reason) => {
                let text = row.text(7)?;
                let code = if text.is_empty() { String::new() } else { format!(" ({text})") };
                ("denial", format!("{}{code}", reason.as_str()))
            }
            RequestOutcome::Queued => ("queued", String::new()),
            RequestOutcome::Dequeued => ("dequeued", String::new()),
        },
    };
    Ok(HistoryRow {
        at: row.int(0)?,
        action,
        feature: row.id(3)?,
        holder: row.id(4)?,
        version: row.id(5)?,
        seats: row.id(6)?,
        reason,
        input: row.id(8)?,
    })
}

fn action_of(ended: Option<Ended>) -> &'static str {
    match ended {
        Some(Ended::Detached) => "detachment",
        Some(Ended::TimedOut) => "timeout",
        Some(ended) => ended.as_str(),
        None => "checkin",
    }
}
