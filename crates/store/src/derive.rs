//! Feature days from sessions: settled days are stored, dirty ones computed anew as a whole, never patched.

use crate::backend::{Backend, Cell, Table, Type, Value, all, one, reading, writing};
use crate::intake::{outcome_from_codes, outcome_of};
use crate::names::{self, Kept, Ledger};
use crate::runs::{self, Asked, Columns};
use crate::{Error, Store, settings};
use accounting::UnixMs;
use accounting::by_day::ByDay;
use accounting::calendar::{Calendar, CivilDay};
use accounting::day::Day;
use accounting::feature_day::{DayView, Figures, Request, figures};
use accounting::heartbeat::Stretch;
use accounting::page;
use accounting::report::Scope;
use accounting::session::{Ended, FeatureId, Part};
use serde::Serializer as _;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// How far the derivation of feature days is: features done, features in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// The number of the lock under which one process derives the days of a feature.
const DERIVE_LOCK: i64 = 0x5ea7_0000_0000;

/// The number of the lock of whoever stores feature days: shared by derivations, but had alone by a commit that stores days of
/// which it has everything in memory, and by whoever changes what days are computed from beside sessions and requests, or
/// takes days out: what a derivation has not committed yet they would not see.
pub(crate) const DAYS_LOCK: i64 = 0x5ea7_da75;
/// The number of the lock of the calendar, shared by whoever marks days as it cuts them. Taken before [`DAYS_LOCK`].
pub(crate) const CALENDAR_LOCK: i64 = 0x5ea7_ca1e;

/// A feature day as computed from its sessions.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    pub(crate) day: Day,
    /// The sessions that touch it, in the order of its pages.
    pub(crate) parts: Vec<Part>,
    pub(crate) requests: Vec<Request>,
    /// Whether the evidence of every source with sessions in it has passed its end.
    pub(crate) settled: bool,
}

/// The sessions that began before an instant and end after it, and are not read from their rows.
struct Earlier {
    until: UnixMs,
    parts: Vec<Part>,
}

/// What deriving needs to know.
pub(crate) struct Context {
    pub(crate) calendar: Calendar,
    pub(crate) ledger: Ledger,
    /// Boxed, so that days that are not asked for take little room.
    days: ByDay<Box<CivilDay>>,
}

impl Context {
    pub(crate) fn read(backend: &mut dyn Backend) -> Result<Self, Error> {
        Self::read_for(backend, None, None)
    }

    /// As [`Self::read`], with the names that reports of a scope need; what is kept is not read again.
    pub(crate) fn read_for(
        backend: &mut dyn Backend,
        scope: Option<&Scope>,
        kept: Option<&Kept>,
    ) -> Result<Self, Error> {
        let calendar = settings::calendar(backend)?;
        Ok(Self { ledger: names::read(backend, scope, kept)?, calendar, days: ByDay::default() })
    }

    /// The same for another thread.
    pub(crate) fn beside(&self) -> Self {
        Self { calendar: self.calendar.clone(), ledger: self.ledger.clone(), days: ByDay::default() }
    }

    pub(crate) fn civil(&mut self, day: Day) -> &CivilDay {
        let calendar = &self.calendar;
        self.days.of(day, || Box::new(calendar.day(day)))
    }

    /// Computes the given days (ascending) of a feature from its sessions and lends each. What reaches into the first
    /// of them from before is read from the pages, so that a day costs what it holds and not what lies before it.
    pub(crate) fn compute(
        &mut self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        days: &[Day],
        each: &mut dyn FnMut(&mut Self, Computed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(first) = days.first() else { return Ok(()) };
        let earlier = self.earlier(backend, feature, *first)?;
        self.compute_from(backend, feature, days, earlier, each)
    }

    /// Computes the given days (ascending) of a feature from its sessions alone.
    pub(crate) fn compute_from_sessions(
        &mut self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        days: &[Day],
        each: &mut dyn FnMut(&mut Self, Computed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let earlier = Earlier { until: UnixMs::MIN, parts: Vec::new() };
        self.compute_from(backend, feature, days, earlier, each)
    }

    /// What began before a day and may reach into it: the last day before it without a mark is stored with all its
    /// sessions, or nothing touched it.
    fn earlier(&mut self, backend: &mut dyn Backend, feature: FeatureId, day: Day) -> Result<Earlier, Error> {
        // Of a polled session what a log covers is cut out: a page may hold less of it than reaches into the day.
        if self.ledger.cuts_polls() {
            return Ok(Earlier { until: UnixMs::MIN, parts: Vec::new() });
        }
        let params = [feature.into(), day.to_string().into()];
        let sql = "select distinct day from feature_day_mark where feature_id = $1 and day < $2";
        let marked: BTreeSet<Day> =
            parse_days(&all(backend, sql, &params, |row| row.text(0))?)?.into_iter().collect();
        let mut before = day.previous();
        while marked.contains(&before) {
            before = before.previous();
        }
        let (start, end) = (self.civil(before).start, self.civil(before).end);
        let mut parts = Vec::new();
        let params = [feature.into(), before.to_string().into(), before.next().to_string().into()];
        backend.query(include_str!("../queries/page_between.sql"), &params, &mut |row| {
            page::decode(start, row.blob(1)?, &mut parts).map_err(|error| {
                Error::Corrupt(format!("feature day {before} of feature {feature}: {error}"))
            })
        })?;
        for part in parts.iter_mut().filter(|part| part.ended == Ended::Open) {
            part.until = self.ledger.stored_open_until(part.holder, part.from).max(part.until);
        }
        // What heartbeats may still extend is read from its buckets.
        parts.retain(|part| {
            part.until > end && !(part.ended == Ended::Open && self.ledger.is_of_heartbeats(part.holder))
        });
        Ok(Earlier { until: end, parts })
    }

    /// An instant before which no session of a feature begins that ends at another one or later.
    pub(crate) fn first_start(
        &mut self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        at: UnixMs,
    ) -> Result<UnixMs, Error> {
        // Of what ends with a day its own page tells, and not what reaches into the next one.
        let Earlier { until, parts } = self.earlier(backend, feature, self.calendar.day_of(at).previous())?;
        Ok(parts.iter().map(|part| part.from).fold(until, UnixMs::min))
    }

    fn compute_from(
        &mut self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        days: &[Day],
        earlier: Earlier,
        each: &mut dyn FnMut(&mut Self, Computed) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(()) };
        let (from, until) = (self.civil(*first).start, self.civil(*last).end);
        let mut requests = requests(backend, feature, from, until)?.into_iter().peekable();
        let bounds: Vec<(UnixMs, UnixMs)> =
            days.iter().map(|day| (self.civil(*day).start, self.civil(*day).end)).collect();
        let mut next = 0;
        let mut active: Vec<Part> = earlier.parts;
        let mut finish = |context: &mut Self, next: usize, active: &mut Vec<Part>| -> Result<(), Error> {
            let (start, end) = bounds[next];
            let mut computed = Computed { day: days[next], ..Computed::default() };
            computed.parts.extend(active.iter().filter(|part| part.touches(start, end)));
            computed.parts.sort_unstable_by_key(page::order);
            while requests.next_if(|request| request.at < start).is_some() {}
            while let Some(request) = requests.next_if(|request| request.at < end) {
                computed.requests.push(request);
            }
            computed.settled = context.ledger.settled(&computed, end);
            active.retain(|part| part.until > end);
            each(context, computed)
        };
        let mut take = |context: &mut Self, part: Part| -> Result<(), Error> {
            while next < days.len() && part.from >= bounds[next].1 {
                finish(context, next, &mut active)?;
                next += 1;
            }
            if next < days.len() && (part.until > bounds[next].0 || part.from >= bounds[next].0) {
                active.push(part);
            }
            Ok(())
        };
        let asked = Asked { feature, since: earlier.until, before: until, until: from };
        let mut finished = Ok(());
        // What a log covers is cut out of a polled session: its last piece begins later than its row. Sessions of
        // heartbeats have no rows yet.
        let mut later: Vec<Part> = Vec::new();
        later.extend(self.unsealed(backend, feature, until)?.iter().rev().map(|stretch| stretch.part));
        let ledger = self.ledger.clone();
        runs::each(backend, asked, Columns::Plain, &mut |row| {
            let began = row.int(1)?;
            while let Some(part) = later.pop_if(|part| part.from <= began) {
                take(self, part)?;
            }
            ledger.parts(row, &mut |part| {
                if part.from <= began {
                    return take(self, part);
                }
                let place = later.partition_point(|other| other.from > part.from);
                later.insert(place, part);
                Ok(())
            })
        })?;
        while let Some(part) = later.pop() {
            take(self, part)?;
        }
        while next < days.len() && finished.is_ok() {
            finished = finish(self, next, &mut active);
            next += 1;
        }
        finished
    }

    /// The sessions of a feature that heartbeats tell and that are not sealed, in the order of their starts.
    pub(crate) fn unsealed(
        &self,
        backend: &mut dyn Backend,
        feature: FeatureId,
        until: UnixMs,
    ) -> Result<Vec<Stretch>, Error> {
        match self.ledger.has_unsealed() {
            true => crate::heartbeats::of_feature(backend, feature, until),
            false => Ok(Vec::new()),
        }
    }

    /// The figures of a computed day.
    pub(crate) fn figures(&mut self, feature: FeatureId, computed: &Computed) -> Figures {
        let civil = self.civil(computed.day).clone();
        let view = DayView { feature, civil: &civil, parts: &computed.parts, requests: &computed.requests };
        let issued = self.ledger.seats_issued(feature, civil.end - 1);
        let holders = &self.ledger.names.holders;
        let person = |holder| holders.get(&holder).map_or(u32::MAX, |holder| holder.person);
        figures(&view, self.calendar.classes().len(), &person, issued)
    }

    /// The pages of a computed day. What is open is cut at the day's end: its evidence moves, the day's page stays.
    pub(crate) fn pages(&mut self, computed: &Computed) -> Vec<Vec<u8>> {
        let (start, end) = (self.civil(computed.day).start, self.civil(computed.day).end);
        let mut parts = computed.parts.clone();
        for part in parts.iter_mut().filter(|part| part.ended == Ended::Open) {
            part.until = part.until.min(end);
        }
        parts.sort_unstable_by_key(page::order);
        page::encode(start, &parts)
    }

    /// A day's row of figures.
    pub(crate) fn row(&mut self, feature: FeatureId, computed: &Computed) -> FeatureDayRow {
        let figures = self.figures(feature, computed);
        let by_class = |values: &[i64]| {
            let classes = self.calendar.classes().iter().zip(values);
            let mut text = Vec::new();
            let mut to = serde_json::Serializer::new(&mut text);
            // Milliseconds by name are written to memory: nothing of that fails.
            let _ = to.collect_map(classes.map(|(class, ms)| (&class.name, ms)));
            String::from_utf8(text).unwrap_or_default()
        };
        FeatureDayRow {
            feature,
            day: computed.day.to_string(),
            seat_ms: by_class(&figures.seat_ms),
            person_ms: by_class(&figures.person_ms),
            figures,
        }
    }
}

/// A row of `feature_day`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FeatureDayRow {
    pub(crate) feature: FeatureId,
    pub(crate) day: String,
    pub(crate) seat_ms: String,
    pub(crate) person_ms: String,
    pub(crate) figures: Figures,
}

const FEATURE_DAY: Table<'static> = Table {
    name: "feature_day",
    columns: &[
        ("feature_id", Type::Int),
        ("day", Type::Text),
        ("seat_ms", Type::Text),
        ("person_ms", Type::Text),
        ("sessions", Type::Int),
        ("persons", Type::Int),
        ("seats_peak", Type::Int),
        ("seats_peak_at", Type::Int),
        ("denials", Type::Int),
        ("seats_issued", Type::Int),
    ],
};

const FEATURE_DAY_PAGE: Table<'static> = Table {
    name: "feature_day_page",
    columns: &[("feature_id", Type::Int), ("day", Type::Text), ("part", Type::Int), ("page", Type::Blob)],
};

impl Store {
    /// Computes every dirty feature day anew. Afterwards none is dirty but what other processes have marked since.
    pub fn derive(&mut self, progress: Progress<'_>) -> Result<(), Error> {
        let backend = self.backend.as_mut();
        let sql = "select distinct feature_id from feature_day_mark where state = 0 order by feature_id";
        let dirty = all(backend, sql, &[], |row| row.id(0))?;
        if !dirty.is_empty() {
            let mut helpers: Vec<Box<dyn Backend>> = Vec::new();
            if dirty.len() >= FEATURES_WORTH_HELPERS {
                for _ in 0..HELPERS {
                    helpers.push(crate::connect(&self.place, false, None)?);
                }
            }
            let total = dirty.len() as u64;
            // Several features a transaction: few commits, and other writers get their turn between them.
            for (done, features) in (0_u64..).zip(dirty.chunks(FEATURES_TOGETHER)) {
                progress(done * FEATURES_TOGETHER as u64, total);
                writing(backend, |backend| {
                    backend.share(DAYS_LOCK)?;
                    let jobs = take_marks(backend, features)?.into_iter().collect();
                    // Behind the marks: whoever brought one has told before what it is of, and up to when.
                    let context = Context::read_for(backend, None, Some(&self.kept))?;
                    derive_features(backend, context, &mut helpers, jobs)
                })?;
            }
            progress(total, total);
        }
        fill_slots(backend)
    }

    /// How many feature days are dirty.
    pub fn dirty_days(&mut self) -> Result<u64, Error> {
        let sql =
            "select count(*) from (select distinct feature_id, day from feature_day_mark where state = 0) d";
        Ok(one(self.backend.as_mut(), sql, &[], |row| row.int(0))?.unwrap_or(0) as u64)
    }
}

const FEATURES_TOGETHER: usize = 32;
/// Connections that read and compute beside the one that writes, and from how many features on they are worth it.
const HELPERS: usize = 2;
const FEATURES_WORTH_HELPERS: usize = 8;

/// The computed days of a feature, as rows.
#[derive(Default)]
struct Derived {
    feature: FeatureId,
    days: Days,
    unsettled: Vec<String>,
}

/// Settled days, as rows.
#[derive(Default)]
pub(crate) struct Days {
    figures: Vec<FeatureDayRow>,
    pages: Vec<(FeatureId, String, i64, Vec<u8>)>,
}

impl Days {
    /// Adds a day of a feature.
    pub(crate) fn add(&mut self, context: &mut Context, feature: FeatureId, computed: &Computed) {
        self.figures.push(context.row(feature, computed));
        let pages = (0_i64..).zip(context.pages(computed));
        self.pages.extend(pages.map(|(part, page)| (feature, computed.day.to_string(), part, page)));
    }

    /// Writes them; nothing may be stored of any.
    pub(crate) fn write(&self, backend: &mut dyn Backend) -> Result<(), Error> {
        let Self { figures, pages } = self;
        backend.insert(&FEATURE_DAY, figures.len(), &mut |row, cells| {
            cells.copy_from_slice(&figures_cells(&figures[row]));
        })?;
        backend.insert(&FEATURE_DAY_PAGE, pages.len(), &mut |row, cells| {
            let (feature, day, part, page) = &pages[row];
            cells.copy_from_slice(&[
                Cell::Int(i64::from(*feature)),
                Cell::Text(day),
                Cell::Int(*part),
                Cell::Blob(page),
            ]);
        })
    }
}

/// Derives days of some features in the transaction of `backend`, which has taken their marks. What helpers read is what was
/// committed when the marks were removed, or later: what comes later still brings marks of its own.
fn derive_features(
    backend: &mut dyn Backend,
    mut context: Context,
    helpers: &mut [Box<dyn Backend>],
    jobs: Vec<(FeatureId, Vec<Day>)>,
) -> Result<(), Error> {
    if helpers.is_empty() {
        for (feature, days) in jobs {
            let derived = compute_rows(backend, &mut context, feature, &days)?;
            write_derived(backend, &derived)?;
        }
        return Ok(());
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let (to, from) = std::sync::mpsc::sync_channel(helpers.len() * 2);
    std::thread::scope(|scope| {
        for reader in helpers.iter_mut() {
            let (jobs, next, to, mut context) = (&jobs, &next, to.clone(), context.beside());
            scope.spawn(move || {
                while let Some((feature, days)) =
                    jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let derived =
                        reading(reader.as_mut(), |reader| compute_rows(reader, &mut context, *feature, days));
                    if to.send(derived).is_err() {
                        return;
                    }
                }
            });
        }
        drop(to);
        // Taken whole: a helper that nobody listens to any more ends.
        from.into_iter().try_for_each(|derived| write_derived(backend, &derived?))
    })
}

/// Removes the marks of some features' dirty days, and what is stored of them; the marks go before the sessions are read,
/// so that what comes later brings a mark of its own.
fn take_marks(
    backend: &mut dyn Backend,
    features: &[FeatureId],
) -> Result<BTreeMap<FeatureId, Vec<Day>>, Error> {
    for feature in features {
        backend.lock(DERIVE_LOCK + i64::from(*feature))?;
    }
    let rows: Vec<_> = features.iter().map(|feature| json!([feature])).collect();
    let sql = include_str!("../queries/mark_dirty.sql");
    let marked = all(backend, sql, &[Value::Text(json!(rows).to_string())], |row| {
        Ok((row.id(0)?, row.with_text(1, parse_day)??))
    })?;
    let rows: Vec<_> = marked.iter().map(|(feature, day)| json!([feature, day.to_string()])).collect();
    let rows = [Value::Text(json!(rows).to_string())];
    for sql in [
        include_str!("../queries/mark_delete.sql"),
        include_str!("../queries/feature_day_delete.sql"),
        include_str!("../queries/feature_day_page_delete.sql"),
    ] {
        backend.execute(sql, &rows)?;
    }
    let mut days: BTreeMap<FeatureId, Vec<Day>> = BTreeMap::new();
    for (feature, day) in marked {
        days.entry(feature).or_default().push(day);
    }
    Ok(days)
}

fn compute_rows(
    backend: &mut dyn Backend,
    context: &mut Context,
    feature: FeatureId,
    days: &[Day],
) -> Result<Derived, Error> {
    let mut derived = Derived { feature, ..Derived::default() };
    context.compute(backend, feature, days, &mut |context, computed| {
        if computed.parts.is_empty() && computed.requests.is_empty() {
            return Ok(());
        }
        match computed.settled {
            true => derived.days.add(context, feature, &computed),
            false => derived.unsettled.push(computed.day.to_string()),
        }
        Ok(())
    })?;
    Ok(derived)
}

fn write_derived(backend: &mut dyn Backend, derived: &Derived) -> Result<(), Error> {
    let Derived { feature, days, unsettled } = derived;
    if !unsettled.is_empty() {
        let rows: Vec<_> = unsettled.iter().map(|day| json!([feature, day])).collect();
        let params = [Value::Text(json!(rows).to_string()), Value::Int(1), Value::Int(0)];
        backend.execute(include_str!("../queries/mark_insert.sql"), &params)?;
    }
    days.write(backend)
}

fn figures_cells(row: &FeatureDayRow) -> [Cell<'_>; 10] {
    [
        Cell::Int(i64::from(row.feature)),
        Cell::Text(&row.day),
        Cell::Text(&row.seat_ms),
        Cell::Text(&row.person_ms),
        Cell::Int(row.figures.sessions),
        Cell::Int(row.figures.persons),
        Cell::Int(row.figures.seats_peak),
        row.figures.seats_peak_at.into(),
        Cell::Int(row.figures.denials),
        row.figures.seats_issued.into(),
    ]
}

pub(crate) fn parse_days(days: &[String]) -> Result<Vec<Day>, Error> {
    days.iter().map(|day| parse_day(day)).collect()
}

pub(crate) fn parse_day(day: &str) -> Result<Day, Error> {
    day.parse().map_err(|_| Error::Corrupt(format!("feature day `{day}`")))
}

/// Requests of a feature in `[from, until)`, in order of time.
pub(crate) fn requests(
    backend: &mut dyn Backend,
    feature: FeatureId,
    from: UnixMs,
    until: UnixMs,
) -> Result<Vec<Request>, Error> {
    let params = [feature.into(), from.into(), (until - 1).into()];
    all(backend, include_str!("../queries/request_between.sql"), &params, |row| {
        let outcome = outcome_of(outcome_from_codes(row.int(3)?, row.opt_int(4)?)?);
        Ok(Request { holder: row.id(0)?, at: row.int(1)?, seats: row.id(6)?, outcome })
    })
}

/// The Spanish abbreviations of the article, Monday first.
const DAYS_OF_WEEK: [&str; 7] = ["lu", "ma", "mi", "ju", "vi", "sa", "do"];

/// Keeps the calendar's slots (a row a civil day and time class, in instants) over all days with sessions.
fn fill_slots(backend: &mut dyn Backend) -> Result<(), Error> {
    let range = one(backend, include_str!("../queries/session_range.sql"), &[], |row| {
        Ok(row.opt_int(0)?.zip(row.opt_int(1)?))
    })?;
    let Some((from, until)) = range.flatten() else { return Ok(()) };
    if there(backend)?.is_some_and(|(first, last)| first <= from && until < last) {
        return Ok(());
    }
    writing(backend, |backend| {
        // Whoever changes the calendar takes out the slots of the one before.
        backend.share(CALENDAR_LOCK)?;
        let (calendar, there) = (settings::calendar(backend)?, there(backend)?);
        let covered =
            |civil: &CivilDay| there.is_some_and(|(first, last)| first <= civil.start && civil.end <= last);
        let days: BTreeSet<Day> =
            (calendar.day_of(from).0 - 1..=calendar.day_of(until).0 + 1).map(Day).collect();
        let days = days.into_iter().map(|day| calendar.day(day)).filter(|civil| !covered(civil));
        let rows: Vec<_> = days.flat_map(|civil| slots(&calendar, &civil)).collect();
        for rows in rows.chunks(5_000) {
            let rows = Value::Text(json!(rows).to_string());
            backend.execute(include_str!("../queries/slot_insert.sql"), &[rows])?;
        }
        Ok(())
    })
}

/// From when until when there are slots.
fn there(backend: &mut dyn Backend) -> Result<Option<(UnixMs, UnixMs)>, Error> {
    let sql = "select min(from_at), max(until_at) from calendar_slot";
    Ok(one(backend, sql, &[], |row| Ok(row.opt_int(0)?.zip(row.opt_int(1)?)))?.flatten())
}

/// The slots of a day, as rows.
fn slots(calendar: &Calendar, civil: &CivilDay) -> Vec<serde_json::Value> {
    let weekday = DAYS_OF_WEEK[civil.day.weekday().to_monday_zero_offset() as usize];
    let slot = |cut: &accounting::calendar::Cut| {
        let class = &calendar.classes()[usize::from(cut.class)].name;
        let (offset, changes_at, after) = offsets_over(calendar, cut.from, cut.until);
        json!([cut.from, cut.until, civil.day.to_string(), class, weekday, offset, changes_at, after])
    };
    civil.cuts.iter().map(slot).collect()
}

/// The offset from UTC at `from`, the first instant in `[from, until)` at which it changes, and the offset after it.
fn offsets_over(calendar: &Calendar, from: UnixMs, until: UnixMs) -> (i64, Option<UnixMs>, i64) {
    let zone = calendar.zone();
    let stamp = |at| jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let offset = |at| i64::from(zone.to_offset(stamp(at)).seconds()) * 1000;
    let next = zone.following(stamp(from)).next().map(|transition| transition.timestamp().as_millisecond());
    match next.filter(|at| *at < until) {
        Some(at) => (offset(from), Some(at), offset(at)),
        None => (offset(from), None, offset(from)),
    }
}
