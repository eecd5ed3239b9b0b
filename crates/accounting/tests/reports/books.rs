//! Small ledgers in memory, fed to reports as the store does it.

use accounting::calendar::{Calendar, instant, zone};
use accounting::feature_day::{DayView, Request, seat_ms};
use accounting::ledger::{Feature, Holder, Names, Person, Server};
use accounting::report::{Accumulator, Cell, Report, Shared, note};
use accounting::session::{Ended, FeatureId, HolderId, Part};
use std::sync::Arc;

/// A ledger.
pub(crate) struct Books {
    pub(crate) names: Names,
    pub(crate) calendar: Calendar,
    pub(crate) sessions: Vec<(FeatureId, Part)>,
    pub(crate) requests: Vec<(FeatureId, Request)>,
}

/// What differs between random ledgers, times in quarters of an hour.
impl std::fmt::Debug for Books {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tick = |at: i64| (at - crate::random::START) / crate::random::TICK_MS;
        for (feature, part) in &self.sessions {
            let Part { from, until, holder, version, seats, .. } = *part;
            let (from, until) = (tick(from), tick(until));
            write!(out, "\n f{feature} {from}..{until} holder {holder} version {version} seats {seats}")?;
        }
        for (feature, request) in &self.requests {
            write!(
                out,
                "\n f{feature} {} holder {} {:?}",
                tick(request.at),
                request.holder,
                request.outcome
            )?;
        }
        for (id, server) in &self.names.servers {
            let watched: Vec<_> = server.watched.iter().map(|range| (tick(range.0), tick(range.1))).collect();
            write!(out, "\n server {id} watched {watched:?}")?;
        }
        write!(out, "\n {:?}\n {:?}\n {:?}", self.names.capacity, self.names.totals, self.names.expiries)
    }
}

impl Books {
    pub(crate) fn new(calendar: Calendar) -> Self {
        Self { names: Names::default(), calendar, sessions: Vec::new(), requests: Vec::new() }
    }

    /// Adds a license server, watched all the time that a test can ask for.
    pub(crate) fn server(&mut self, name: &str) -> u32 {
        let id = self.names.servers.len() as u32 + 1;
        let watched = vec![(self.at("2000-01-01 00:00"), self.at("2030-01-01 00:00"))];
        self.names.servers.insert(id, Server { name: name.to_owned(), watched });
        id
    }

    /// Adds a feature of the first license server.
    pub(crate) fn feature(&mut self, code: &str) -> FeatureId {
        let id = self.names.features.len() as u32 + 1;
        self.names
            .features
            .insert(id, Feature { code: code.to_owned(), servers: vec![1], ..Feature::default() });
        id
    }

    /// Adds a user of the first license server who is a person.
    pub(crate) fn holder(&mut self, user: &str, host: &str) -> HolderId {
        let person = self.names.persons.iter().position(|person| person.name == user).unwrap_or_else(|| {
            Arc::make_mut(&mut self.names.persons)
                .push(Person { name: user.to_owned(), memberships: Vec::new() });
            self.names.persons.len() - 1
        });
        let id = self.names.holders.len() as u32 + 1;
        let (user, host) = (user.to_owned(), host.to_owned());
        let holder = Holder { server: 1, user, host, person: person as u32, ..Holder::default() };
        Arc::make_mut(&mut self.names.holders).insert(id, holder);
        id
    }

    /// Adds a session of one seat.
    pub(crate) fn session(
        &mut self,
        feature: FeatureId,
        holder: HolderId,
        from: &str,
        until: &str,
    ) -> &mut Part {
        let (from, until) = (self.at(from), self.at(until));
        let part = Part { from, until, holder, version: 0, seats: 1, ended: Ended::Checkin };
        self.sessions.push((feature, part));
        &mut self.sessions.last_mut().unwrap().1
    }

    /// `YYYY-MM-DD HH:MM[:SS[.fff]]` on the wall clock of the calendar's zone.
    pub(crate) fn at(&self, text: &str) -> i64 {
        instant(text.parse().unwrap(), &zone(self.calendar.zone_name()).unwrap())
    }

    /// The report: the days in which something happened of the features that it asks for, ascending.
    pub(crate) fn report(&self, mut report: impl Accumulator) -> Report {
        self.feed(&mut report, |_| true);
        Box::new(report).finish()
    }

    /// The same by two accumulators, each with every other feature, joined.
    pub(crate) fn shared_report<A: Shared>(&self, make: impl Fn() -> A) -> Report {
        let (mut report, mut other) = (make(), make());
        if !report.can_share() {
            return self.report(report);
        }
        self.feed(&mut report, |nth| nth % 2 == 0);
        self.feed(&mut other, |nth| nth % 2 == 1);
        report.join(other);
        Box::new(report).finish()
    }

    fn feed(&self, report: &mut impl Accumulator, takes: impl Fn(usize) -> bool) {
        let features = report.features().into_iter().enumerate();
        for (_, feature) in features.filter(|(nth, _)| takes(*nth)) {
            let parts = self.sessions.iter().filter(|(of, _)| *of == feature).map(|(_, part)| *part);
            let mut parts: Vec<Part> = parts.collect();
            parts.sort_by_key(|part| part.from);
            let requests = self.requests.iter().filter(|(of, _)| *of == feature).map(|(_, request)| *request);
            let mut requests: Vec<Request> = requests.filter(|_| report.needs_requests()).collect();
            requests.sort_by_key(|request| request.at);
            self.days(feature, &parts, &requests, report);
        }
    }

    fn days(&self, feature: FeatureId, parts: &[Part], requests: &[Request], report: &mut impl Accumulator) {
        let instants = parts.iter().flat_map(|part| [part.from, part.until]);
        let instants: Vec<i64> = instants.chain(requests.iter().map(|request| request.at)).collect();
        let (Some(first), Some(last)) = (instants.iter().min(), instants.iter().max()) else { return };
        let (mut day, last) = (self.calendar.day_of(*first), self.calendar.day_of(*last));
        while day <= last {
            let civil = self.calendar.day(day);
            let of_day: Vec<Part> =
                parts.iter().copied().filter(|part| part.touches(civil.start, civil.end)).collect();
            let asked: Vec<Request> = requests
                .iter()
                .copied()
                .filter(|request| civil.start <= request.at && request.at < civil.end)
                .collect();
            if !of_day.is_empty() || !asked.is_empty() {
                let view = DayView { feature, civil: &civil, parts: &of_day, requests: &asked };
                match report.seat_time() {
                    Some(to) => {
                        to.add(feature, &civil, &seat_ms(&view, self.calendar.classes().len()));
                    }
                    None => report.day(&view),
                }
            }
            day = day.next();
        }
    }
}

/// The rows of a report as one text: cells between blanks, instants as seconds since 1970, empty cells as `-`.
pub(crate) fn text(report: &Report) -> String {
    let mut lines = vec![report.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(" ")];
    let cell = |cell: &Cell| match cell {
        Cell::Empty => "-".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Int(number) => number.to_string(),
        Cell::Decimal(number) => accounting::report::decimal(*number),
        Cell::Amount(cents) => cents.to_string(),
        Cell::Instant(at) => format!("@{}", accounting::report::decimal(*at as f64 / 1000.0)),
    };
    let row = |row: &Vec<Cell>| row.iter().map(cell).collect::<Vec<_>>().join(" ");
    lines.extend(report.rows.iter().map(row));
    lines.join("\n") + "\n"
}

/// What a report says beside its figures, in English and UTC.
pub(crate) fn said(report: &Report) -> Vec<String> {
    report.notes.iter().map(|note| note::said(note, &jiff::tz::TimeZone::UTC)).collect()
}
