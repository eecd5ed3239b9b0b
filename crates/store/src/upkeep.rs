//! Verify, rebuild, back up, tell the state.

use crate::backend::{Backend, Cell, Table, Type, all, one, reading, writing};
use crate::derive::{Computed, Context, DAYS_LOCK, FeatureDayRow, Progress, parse_days};
use crate::runs::{self, Asked, Columns, Form};
use crate::{Error, Place, Store, schema, settings};
use accounting::UnixMs;
use accounting::concurrency::Sweep;
use accounting::day::Day;
use accounting::page;
use accounting::session::{FeatureId, Part};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What `verify` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Features looked at.
    pub features: u64,
    /// Settled feature days recomputed and compared.
    pub days: u64,
    /// Unsettled days: computed when read, nothing to compare.
    pub unsettled: u64,
    /// Dirty days, as `FEATURE DAY`: they are to be derived and do not fail.
    pub dirty: Vec<String>,
    /// Sessions added up.
    pub sessions: u64,
    /// Σ seats × ms held of all sessions.
    pub seat_ms: i128,
    /// The first difference.
    pub difference: Option<Difference>,
}

/// Where the books do not balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The feature's code.
    pub feature: String,
    /// The day, where it is one day's.
    pub day: Option<String>,
    /// What differs, with both values.
    pub what: String,
}

/// How a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// The version of its schema.
    pub schema_version: i64,
    /// The version that this program writes.
    pub schema_known: i64,
    /// Rows by table.
    pub rows: Vec<(&'static str, u64)>,
    /// Dirty feature days.
    pub dirty: u64,
    /// Unsettled feature days.
    pub unsettled: u64,
}

/// The tables with facts, for status and backup, in the order in which they are copied.
const TABLES: [&str; 34] = [
    "server",
    "feature",
    "version",
    "holder",
    "feature_at_server",
    "package_component",
    "catalog_entry",
    "directory_entry",
    "account",
    "api_token",
    "alert",
    "alert_past",
    "input",
    "span",
    "daemon_break",
    "quarantine",
    "site_part",
    "site_heartbeats",
    "session",
    "heartbeat",
    "heartbeat_arrival",
    "running",
    "event_taken",
    "unmatched_end",
    "request",
    "poll",
    "capacity",
    "seats_now",
    "expiry",
    "imported_total",
    "feature_day",
    "feature_day_page",
    "feature_day_mark",
    "calendar_slot",
];

impl Store {
    /// Recomputes all that is derived from the sessions and compares it with what is stored; three derivations of the
    /// same seat time must agree (domain.md §4). Reads only.
    pub fn verify(&mut self, progress: Progress<'_>) -> Result<Verified, Error> {
        self.book_for_reading()?;
        reading(self.backend.as_mut(), |backend| {
            let mut context = Context::read(backend)?;
            let sql = include_str!("../queries/feature_ranges.sql");
            let ranges = all(backend, sql, &[], |row| Ok((row.id(0)?, row.int(1)?, row.int(2)?)))?;
            let sql = "select distinct feature_id from feature_day union
                       select distinct feature_id from feature_day_page";
            let derived: BTreeSet<FeatureId> = all(backend, sql, &[], |row| row.id(0))?.into_iter().collect();
            let mut verified = Verified::default();
            let (mut done, total) = (0, ranges.len() as u64);
            let known: BTreeSet<FeatureId> = ranges.iter().map(|range| range.0).collect();
            for (feature, from, until) in ranges {
                progress(done, total);
                let calendar = &context.calendar;
                let days: Vec<Day> = (calendar.day_of(from).0..=calendar.day_of(until).0).map(Day).collect();
                verify_feature(backend, &mut context, feature, &days, &mut verified)?;
                done += 1;
                if verified.difference.is_some() {
                    return Ok(verified);
                }
            }
            progress(done, total);
            if let Some(feature) = derived.difference(&known).next() {
                verified.difference =
                    Some(context.difference(*feature, None, "days without any session".into()));
            }
            Ok(verified)
        })
    }

    /// Marks all feature days dirty and drops what is stored of them; [`Store::derive`] computes them anew.
    pub fn rebuild(&mut self) -> Result<(), Error> {
        writing(self.backend.as_mut(), |backend| {
            backend.lock(DAYS_LOCK)?;
            backend.execute("delete from calendar_slot", &[])?;
            settings::mark_all(backend)
        })
    }

    /// How the database is.
    pub fn status(&mut self) -> Result<Status, Error> {
        let backend = self.backend.as_mut();
        let mut rows = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let count = match table {
                "session" => runs::count(backend)?,
                table => one(backend, &format!("select count(*) from {table}"), &[], |row| row.int(0))?,
            };
            rows.push((table, count.unwrap_or_default() as u64));
        }
        let marks = |backend: &mut dyn Backend, state: i64| {
            let sql = "select count(*) from
                       (select distinct feature_id, day from feature_day_mark where state = $1) d";
            Ok::<_, Error>(one(backend, sql, &[state.into()], |row| row.int(0))?.unwrap_or_default() as u64)
        };
        Ok(Status {
            kind: backend.name(),
            schema_version: schema::version(backend)?,
            schema_known: schema::VERSION,
            dirty: marks(backend, 0)?,
            unsettled: marks(backend, 1)?,
            rows,
        })
    }

    /// Writes the whole ledger into a new SQLite file, which is itself a ledger; from one state of the database, while
    /// others go on writing.
    pub fn backup(&mut self, file: &Path) -> Result<(), Error> {
        if file.exists() {
            return Err(Error::Driver(format!(
                "{} exists already: a backup never overwrites",
                file.display()
            )));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let part = file.with_file_name(format!("{name}.{}.part", std::process::id()));
        if part.exists() {
            return Err(Error::Driver(format!("{} is in the way: remove it", part.display())));
        }
        let copied = self.copied_into(&part).and_then(|()| {
            std::fs::rename(&part, file).map_err(|error| Error::Full(format!("{}: {error}", file.display())))
        });
        if copied.is_err() {
            for ending in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{ending}", part.display()));
            }
        }
        copied
    }

    fn copied_into(&mut self, part: &Path) -> Result<(), Error> {
        let mut copy = Self::create(&Place::Sqlite(part.to_owned()))?;
        let copied = reading(self.backend.as_mut(), |from| {
            writing(copy.backend.as_mut(), |to| {
                copy_table(from, to, ("setting", "setting"))?;
                for table in TABLES {
                    match (table, from.form_of_runs()) {
                        ("session", Form::Digits) => {
                            copy_table(from, to, ("session_by_key", "session_by_key"))?;
                            copy_table(from, to, ("session_run", "session_run"))?;
                        }
                        ("session", Form::Arrays) => copy_table(from, to, (table, "session_by_key"))?,
                        _ => copy_table(from, to, (table, table))?,
                    }
                }
                // Views are not copied: whoever goes on with the copy makes them as its configuration says.
                to.execute("delete from setting where name = $1", &[crate::views::SETTING.into()])
            })
        });
        copied.and_then(|_| copy.backend.batch("pragma journal_mode = delete"))
    }
}

impl Context {
    fn difference(&self, feature: FeatureId, day: Option<Day>, what: String) -> Difference {
        let code =
            self.ledger.names.features.get(&feature).map_or_else(|| feature.to_string(), |f| f.code.clone());
        Difference { feature: code, day: day.map(|day| day.to_string()), what }
    }
}

fn verify_feature(
    backend: &mut dyn Backend,
    context: &mut Context,
    feature: FeatureId,
    days: &[Day],
    verified: &mut Verified,
) -> Result<(), Error> {
    let marks = |backend: &mut dyn Backend, state: i64| {
        let sql = "select distinct day from feature_day_mark where feature_id = $1 and state = $2";
        let days = all(backend, sql, &[feature.into(), state.into()], |row| row.text(0))?;
        Ok::<BTreeSet<Day>, Error>(parse_days(&days)?.into_iter().collect())
    };
    let (dirty, unsettled) = (marks(backend, 0)?, marks(backend, 1)?);
    let mut stored = stored_days(backend, context, feature)?;
    let mut sums = Sums::default();
    let mut found: Option<Difference> = None;
    context.compute_from_sessions(backend, feature, days, &mut |context, computed| {
        let day = computed.day;
        sums.add(context, &computed);
        let held = stored.remove(&day);
        if dirty.contains(&day) || found.is_some() {
            return Ok(());
        }
        let empty = computed.parts.is_empty() && computed.requests.is_empty();
        let what = match held {
            // A heartbeat may have come beside the commit that stored the day: the mark counts, not what is stored.
            Some(_) if !empty && !computed.settled && unsettled.contains(&day) => {
                verified.unsettled += 1;
                None
            }
            Some(_) if empty => Some("stored, but nothing happened on it".to_owned()),
            Some(_) if !computed.settled => Some("stored, but not settled".to_owned()),
            Some(held) => {
                verified.days += 1;
                compare(context, feature, &computed, &held)
            }
            None if empty => None,
            None if unsettled.contains(&day) => {
                verified.unsettled += 1;
                None
            }
            None => Some("neither stored nor marked".to_owned()),
        };
        found = what.map(|what| context.difference(feature, Some(day), what));
        Ok(())
    })?;
    let code = context.ledger.names.features.get(&feature).map_or(String::new(), |f| f.code.clone());
    verified.dirty.extend(dirty.iter().map(|day| format!("{code} {day}")));
    if let Some((day, _)) = stored.into_iter().find(|(day, _)| !dirty.contains(day)) {
        found =
            found.or(Some(context.difference(feature, Some(day), "stored outside of all sessions".into())));
    }
    let sessions = session_sum(backend, context, feature)?;
    if let Some(from) = sessions.doubled {
        let day = context.calendar.day_of(from);
        found = found.or(Some(context.difference(feature, Some(day), "a session is there twice".into())));
    }
    verified.features += 1;
    verified.sessions += sessions.count;
    verified.seat_ms += sessions.seat_ms;
    if [sums.parts, sums.figures, sums.swept] != [sessions.seat_ms; 3] {
        let Sums { parts, figures, swept } = sums;
        let what = format!(
            "sessions hold {} seat-ms, their parts {parts}, the figures {figures}, the sweep {swept}",
            sessions.seat_ms
        );
        found = found.or(Some(context.difference(feature, None, what)));
    }
    verified.difference = verified.difference.take().or(found);
    Ok(())
}

/// The three derivations of a feature's seat time, in seat-milliseconds.
#[derive(Debug, Default)]
struct Sums {
    parts: i128,
    figures: i128,
    swept: i128,
}

impl Sums {
    fn add(&mut self, context: &mut Context, computed: &Computed) {
        let (start, end) = (context.civil(computed.day).start, context.civil(computed.day).end);
        let clipped = |part: &Part| (part.from.max(start), part.until.min(end));
        let mut sweep = Sweep::over(start, end);
        for part in &computed.parts {
            let (from, until) = clipped(part);
            self.parts += i128::from(until.max(from) - from) * i128::from(part.seats);
            sweep.add(from, until, part.seats);
        }
        sweep.levels(|level| {
            self.swept += i128::from(level.until - level.from) * i128::from(level.seats);
        });
        let classes = context.calendar.classes().len();
        let civil = context.civil(computed.day).clone();
        let view = accounting::feature_day::DayView {
            feature: 0,
            civil: &civil,
            parts: &computed.parts,
            requests: &[],
        };
        let figures = accounting::feature_day::figures(&view, classes, &|holder| holder, None);
        self.figures += figures.seat_ms.iter().map(|ms| i128::from(*ms)).sum::<i128>();
    }
}

fn compare(context: &mut Context, feature: FeatureId, computed: &Computed, held: &Held) -> Option<String> {
    let row = context.row(feature, computed);
    let shown = columns(&row);
    for (name, computed, stored) in
        shown.iter().zip(&held.figures).map(|((name, computed), stored)| (name, computed, stored))
    {
        if computed != stored {
            return Some(format!("{name} is stored as {stored}, the sessions give {computed}"));
        }
    }
    let pages = context.pages(computed);
    if pages != held.pages {
        let start = context.civil(computed.day).start;
        let mut parts = Vec::new();
        let readable = held.pages.iter().try_for_each(|page| page::decode(start, page, &mut parts));
        return Some(match readable {
            Ok(()) => format!("its pages hold {} sessions, there are {}", parts.len(), computed.parts.len()),
            Err(error) => error.to_string(),
        });
    }
    None
}

/// What is stored of a day.
#[derive(Debug, Default)]
struct Held {
    figures: Vec<String>,
    pages: Vec<Vec<u8>>,
}

/// The columns of a day's figures as texts, in the order of the query.
fn columns(row: &FeatureDayRow) -> Vec<(&'static str, String)> {
    let optional = |value: Option<i64>| value.map_or("nothing".to_owned(), |value| value.to_string());
    vec![
        ("seat_ms", row.seat_ms.clone()),
        ("person_ms", row.person_ms.clone()),
        ("sessions", row.figures.sessions.to_string()),
        ("persons", row.figures.persons.to_string()),
        ("seats_peak", row.figures.seats_peak.to_string()),
        ("seats_peak_at", optional(row.figures.seats_peak_at)),
        ("denials", row.figures.denials.to_string()),
        ("seats_issued", optional(row.figures.seats_issued)),
    ]
}

fn stored_days(
    backend: &mut dyn Backend,
    _: &Context,
    feature: FeatureId,
) -> Result<BTreeMap<Day, Held>, Error> {
    let mut days: BTreeMap<Day, Held> = BTreeMap::new();
    let day_of = |text: String| {
        text.parse::<Day>().map_err(|_| Error::Corrupt(format!("feature day `{text}` of feature {feature}")))
    };
    let sql =
        "select day, seat_ms, person_ms, sessions, persons, seats_peak, seats_peak_at, denials, seats_issued
               from feature_day where feature_id = $1";
    backend.query(sql, &[feature.into()], &mut |row| {
        let optional = |column| {
            Ok::<_, Error>(row.opt_int(column)?.map_or("nothing".to_owned(), |value| value.to_string()))
        };
        let figures = vec![
            row.text(1)?,
            row.text(2)?,
            optional(3)?,
            optional(4)?,
            optional(5)?,
            optional(6)?,
            optional(7)?,
            optional(8)?,
        ];
        days.entry(day_of(row.text(0)?)?).or_default().figures = figures;
        Ok(())
    })?;
    let sql = "select day, page from feature_day_page where feature_id = $1 order by day, part";
    backend.query(sql, &[feature.into()], &mut |row| {
        let page = row.blob(1)?.to_vec();
        days.entry(day_of(row.text(0)?)?).or_default().pages.push(page);
        Ok(())
    })?;
    Ok(days)
}

/// The sessions of a feature.
#[derive(Default)]
struct Counted {
    count: u64,
    /// Σ seats × ms held.
    seat_ms: i128,
    /// When the first begins that is there twice: no key keeps it out of a run and a row.
    doubled: Option<UnixMs>,
}

/// Counts the sessions of a feature, as rows and runs hold them.
fn session_sum(backend: &mut dyn Backend, context: &Context, feature: FeatureId) -> Result<Counted, Error> {
    let mut counted = Counted::default();
    let mut add = |part: &Part| {
        counted.count += 1;
        counted.seat_ms += i128::from(part.until - part.from) * i128::from(part.seats);
    };
    let (mut before, mut doubled) = (None, None);
    runs::each(backend, Asked::all(feature), Columns::Whole, &mut |row| {
        let key = (row.int(1)?, row.id(0)?, row.text(7)?, row.int(9)?);
        if before.as_ref() == Some(&key) {
            doubled = doubled.or(Some(key.0));
        }
        before = Some(key);
        context.ledger.parts(row, &mut |part| {
            add(&part);
            Ok(())
        })
    })?;
    for stretch in context.unsealed(backend, feature, UnixMs::MAX)? {
        add(&stretch.part);
    }
    Ok(Counted { doubled, ..counted })
}

/// How many rows are held in memory while a table is copied.
const COPIED_TOGETHER: usize = 10_000;

/// Copies a table, or what a view shows, into another one.
fn copy_table(
    from: &mut dyn Backend,
    to: &mut dyn Backend,
    (shown, table): (&str, &str),
) -> Result<(), Error> {
    let sql = format!("select name, type from pragma_table_info('{table}')");
    let columns = all(to, &sql, &[], |row| {
        let kind = match row.text(1)?.to_lowercase().as_str() {
            "text" => Type::Text,
            "blob" => Type::Blob,
            _ => Type::Int,
        };
        Ok((row.text(0)?, kind))
    })?;
    let columns: Vec<(&str, Type)> = columns.iter().map(|(name, kind)| (name.as_str(), *kind)).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    to.execute(&format!("delete from {table}"), &[])?;
    let target = Table { name: table, columns: &columns };
    let mut rows: Vec<Vec<Copied>> = Vec::new();
    from.query(&format!("select {} from {shown}", names.join(", ")), &[], &mut |row| {
        let cell = |(column, (_, kind)): (usize, &(&str, Type))| {
            Ok::<_, Error>(match kind {
                Type::Int => row.opt_int(column)?.map_or(Copied::Null, Copied::Int),
                Type::Text => row.opt_text(column)?.map_or(Copied::Null, Copied::Text),
                Type::Blob => Copied::Blob(row.blob(column)?.to_vec()),
            })
        };
        rows.push(columns.iter().enumerate().map(cell).collect::<Result<_, _>>()?);
        if rows.len() == COPIED_TOGETHER {
            insert_copied(to, &target, &rows)?;
            rows.clear();
        }
        Ok(())
    })?;
    insert_copied(to, &target, &rows)
}

/// A value on its way from one database to another.
enum Copied {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

fn insert_copied(to: &mut dyn Backend, table: &Table<'_>, rows: &[Vec<Copied>]) -> Result<(), Error> {
    to.insert(table, rows.len(), &mut |row, cells| {
        for (cell, value) in cells.iter_mut().zip(&rows[row]) {
            *cell = match value {
                Copied::Null => Cell::Null,
                Copied::Int(value) => Cell::Int(*value),
                Copied::Text(value) => Cell::Text(value),
                Copied::Blob(value) => Cell::Blob(value),
            };
        }
    })
}
