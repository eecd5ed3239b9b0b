//! A ledger of a test: its store, and its rows as raw SQL shows them.

use crate::log::{HOUR, Process};
use accounting::UnixMs;
use accounting::feature_day::DayView;
use accounting::ledger::Names;
use accounting::report::{Accumulator, Report};
use accounting::session::FeatureId;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::intake::Intake;
use store::{Error, HistoryRow, Place, Reader, SessionRow, Store, Verified};

fn history(reader: &mut Reader<'_>, period: (UnixMs, UnixMs)) -> Result<Vec<HistoryRow>, Error> {
    let mut rows = Vec::new();
    reader.history(period, &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

fn sessions(
    reader: &mut Reader<'_>,
    feature: FeatureId,
    period: (UnixMs, UnixMs),
) -> Result<Vec<SessionRow>, Error> {
    let mut rows = Vec::new();
    reader.sessions(feature, period, false, &mut |row| {
        rows.push(row);
        Ok(())
    })?;
    Ok(rows)
}

/// Statements before those that change sessions: all become rows of `session_by_key`.
pub(crate) const ROWS_ALONE: &str =
    "create temporary table unrolled as select * from session; delete from session_run;
     delete from session_by_key; insert into session_by_key select * from unrolled;";

/// A database of one test, gone with it.
pub(crate) struct Ledger {
    place: Place,
    kind: Kind,
    /// Whether sessions go into runs however few they are.
    in_runs: bool,
    /// Where backups and the like go.
    pub(crate) directory: tempfile::TempDir,
}

enum Kind {
    Sqlite(std::path::PathBuf),
    /// The address with the schema of the test, the one without, the schema.
    Postgres(String, String, String),
}

impl Ledger {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.db");
        Self { place: Place::Sqlite(path.clone()), kind: Kind::Sqlite(path), in_runs: false, directory }
    }

    pub(crate) fn sqlite_in_runs() -> Self {
        let mut ledger = Self::sqlite();
        ledger.in_runs = true;
        ledger
    }

    pub(crate) fn postgres_in_runs() -> Self {
        let mut ledger = Self::postgres();
        ledger.in_runs = true;
        ledger
    }

    pub(crate) fn postgres() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let base = std::env::var("SEATLEDGER_TEST_POSTGRES")
            .expect("SEATLEDGER_TEST_POSTGRES names no PostgreSQL: run scripts/test, which starts one");
        let schema = format!("suite_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut client =
            postgres::Client::connect(&base, postgres::NoTls).expect("the tests' PostgreSQL answers");
        client.batch_execute(&format!("create schema {schema}")).unwrap();
        let separator = if base.contains('?') { '&' } else { '?' };
        let url = format!("{base}{separator}options=-csearch_path%3D{schema}");
        Self {
            place: url.parse().unwrap(),
            kind: Kind::Postgres(url, base, schema),
            in_runs: false,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// A connection of its own, as a process would have.
    pub(crate) fn store(&self) -> Store {
        Store::create(&self.place).unwrap()
    }

    /// A writer that knows nothing yet.
    pub(crate) fn process(&self) -> Process {
        let mut process = Process::default();
        if self.in_runs {
            process.intake = Intake::default().with_many(1);
        }
        process
    }

    pub(crate) fn derive(&self) {
        let mut store = self.store();
        store.derive(&mut |_, _| {}).unwrap();
        assert_eq!(store.dirty_days().unwrap(), 0, "no day is dirty after deriving");
    }

    pub(crate) fn verify(&self) -> Verified {
        self.store().verify(&mut |_, _| {}).unwrap()
    }

    /// Derives; then the books must balance.
    #[track_caller]
    pub(crate) fn balances(&self) -> Verified {
        self.derive();
        let verified = self.verify();
        assert_eq!(verified.difference, None);
        assert_eq!(verified.dirty, Vec::<String>::new());
        self.assert_periods_are_parts_of_all();
        verified
    }

    /// What a period lists is what of all listed lies in it.
    #[track_caller]
    pub(crate) fn assert_periods_are_parts_of_all(&self) {
        const ALL: (UnixMs, UnixMs) = (UnixMs::MIN, UnixMs::MAX);
        let compared = self.store().read(|reader| {
            let history = history(reader, ALL)?;
            let features: Vec<FeatureId> = reader.names().features.keys().copied().collect();
            let Some((first, last)) = history.first().zip(history.last()) else { return Ok(()) };
            // From an event to another one, to just behind it, and over civil days.
            let (middle, day) = (history[history.len() / 2].at, 24 * HOUR);
            let midnight = middle - middle.rem_euclid(day);
            let periods = [
                (middle, last.at),
                (first.at + 1, middle + 1),
                (midnight, midnight + day),
                (midnight + day, last.at + day),
            ];
            for (from, until) in periods {
                let of_period = history.iter().filter(|row| from <= row.at && row.at < until).cloned();
                assert_eq!(
                    self::history(reader, (from, until))?,
                    of_period.collect::<Vec<_>>(),
                    "{from} to {until}"
                );
                for feature in &features {
                    let mut of_period = sessions(reader, *feature, ALL)?;
                    of_period.retain(|session| session.part.touches(from, until));
                    assert_eq!(sessions(reader, *feature, (from, until))?, of_period, "{from} to {until}");
                }
            }
            Ok(())
        });
        compared.unwrap();
    }

    /// Somebody who stores days until this is dropped, where others can do so beside a commit at all.
    pub(crate) fn storing_days(&self) -> Option<postgres::Client> {
        let Kind::Postgres(url, ..) = &self.kind else { return None };
        let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
        let lock =
            "pg_advisory_xact_lock_shared(hashtextextended(cast(current_schema() as text), 1588058741))";
        client.batch_execute(&format!("begin; select {lock}")).unwrap();
        Some(client)
    }

    /// Whether anybody waits for the lock that [`Self::storing_days`] shares.
    pub(crate) fn somebody_waits(&self) -> bool {
        let lock = "hashtextextended(cast(current_schema() as text), 1588058741)";
        let sql = format!(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted
             and (cast(classid as bigint) << 32 | cast(objid as bigint)) = {lock}"
        );
        self.query(&sql) != ["0"]
    }

    /// Runs a statement behind the store's back.
    pub(crate) fn sql(&self, statement: &str) {
        match &self.kind {
            Kind::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(statement).unwrap(),
            Kind::Postgres(url, ..) => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                client.batch_execute(statement).unwrap();
            }
        }
    }

    /// The rows of a query as texts; NULL is `-`.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        match &self.kind {
            Kind::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let text = |row: &rusqlite::Row<'_>, at: usize| match row.get_ref(at).unwrap() {
                    rusqlite::types::ValueRef::Null => "-".to_owned(),
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    rusqlite::types::ValueRef::Real(number) => number.to_string(),
                    rusqlite::types::ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                    rusqlite::types::ValueRef::Blob(bytes) => hex(bytes),
                };
                let rows = statement.query_map([], |row| {
                    Ok((0..columns).map(|at| text(row, at)).collect::<Vec<_>>().join("|"))
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Kind::Postgres(url, ..) => {
                let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
                let rows = client.simple_query(sql).unwrap();
                let text = |row: &postgres::SimpleQueryRow| {
                    let cell = |at| row.get(at).unwrap_or("-").trim_start_matches("\\x").to_owned();
                    (0..row.len()).map(cell).collect::<Vec<String>>().join("|")
                };
                let rows = rows.iter().filter_map(|message| match message {
                    postgres::SimpleQueryMessage::Row(row) => Some(text(row)),
                    _ => None,
                });
                rows.collect()
            }
        }
    }

    /// All that is stored and does not depend on the order of reading, by names.
    pub(crate) fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for (what, sql) in ROWS {
            let mut of_table = self.query(sql);
            of_table.sort();
            rows.extend(of_table.into_iter().map(|row| format!("{what}: {row}")));
        }
        rows
    }

    /// The feature days as readers get them, by names.
    pub(crate) fn books(&self) -> Vec<String> {
        let mut store = Store::open(&self.place).unwrap();
        store
            .read(|reader| {
                let mut days = Days { names: reader.names(), lines: Vec::new() };
                reader.fold(None, None, &mut days)?;
                days.lines.sort();
                Ok(days.lines)
            })
            .unwrap()
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if let Kind::Postgres(_, base, schema) = &self.kind
            && let Ok(mut client) = postgres::Client::connect(base, postgres::NoTls)
        {
            let _ = client.batch_execute(&format!("drop schema {schema} cascade"));
        }
    }
}

const ROWS: [(&str, &str); 7] = [
    (
        "session",
        "select f.code, s.from_at, h.vendor, h.user_name, s.nth, s.until_at, s.seats, s.ended, v.version,
                s.start_seats, s.end_seats, s.orders, case when s.until_at is null then null else s.seen_at end
         from session s join feature f on f.feature_id = s.feature_id
         join holder h on h.holder_id = s.holder_id left join version v on v.version_id = s.version_id",
    ),
    (
        "unmatched",
        "select f.code, u.at, h.vendor, h.user_name, u.nth, u.seats, u.end_seats, u.ended
         from unmatched_end u join feature f on f.feature_id = u.feature_id
         join holder h on h.holder_id = u.holder_id",
    ),
    (
        "request",
        "select f.code, r.at, h.vendor, h.user_name, r.nth, r.outcome, r.reason, r.code, r.seats
         from request r join feature f on f.feature_id = r.feature_id join holder h on h.holder_id = r.holder_id",
    ),
    (
        "day",
        "select f.code, d.day, d.seat_ms, d.person_ms, d.sessions, d.persons, d.seats_peak, d.seats_peak_at, d.denials
         from feature_day d join feature f on f.feature_id = d.feature_id",
    ),
    (
        "mark",
        "select distinct f.code, m.day, m.state
         from feature_day_mark m join feature f on f.feature_id = m.feature_id",
    ),
    ("break", "select vendor, at, kind from daemon_break"),
    ("slot", "select from_at, until_at, day, time_class, day_of_week, offset_ms from calendar_slot"),
];

/// Writes down every feature day that it is shown.
struct Days {
    names: Arc<Names>,
    lines: Vec<String>,
}

impl Accumulator for Days {
    fn features(&self) -> Vec<FeatureId> {
        let mut features: Vec<FeatureId> = self.names.features.keys().copied().collect();
        features.sort_unstable();
        features
    }

    fn needs_requests(&self) -> bool {
        true
    }

    fn day(&mut self, view: &DayView<'_>) {
        let code = &self.names.features[&view.feature].code;
        let user = |holder| &self.names.holders[&holder].user;
        let (start, end): (UnixMs, UnixMs) = (view.civil.start, view.civil.end);
        for part in view.parts {
            let version = self.names.versions.get(&part.version).map_or("", String::as_str);
            // Whole sessions are promised from the day of their start on; of an open one the day shows what it reaches.
            let (from, until) = (part.from, part.until.clamp(start, end));
            let (user, seats, ended) = (user(part.holder), part.seats, part.ended.as_str());
            self.lines
                .push(format!("{} {code} {from}..{until} {user} {version} {seats} {ended}", view.civil.day));
        }
        for request in view.requests {
            let (at, user, outcome) = (request.at, user(request.holder), request.outcome);
            self.lines.push(format!("{} {code} {at} {user} {outcome:?}", view.civil.day));
        }
    }

    fn finish(self: Box<Self>) -> Report {
        Report { name: "days", columns: Vec::new(), rows: Vec::new(), notes: Vec::new() }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
