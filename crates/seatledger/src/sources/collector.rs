//! From what a parser read to batches of the ledger: names become numbers, lines become spans.

use super::answers::Answers;
use super::handles::Handles;
use super::recorded::Recorded;
use super::resume::{Elsewhere, Kept, Naming, Resume};
use super::shape::shape;
use accounting::UnixMs;
use accounting::event::{CheckinReason, Claim, Event, Expiry, Seats, Total, What};
use accounting::pairing::{End, HELD, Start, Step};
use accounting::session::Ended;
use formats::line::{Format, Line, Note, Read};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use store::input::Counts;
use store::intake::{
    Batch, BreakEvent, DaemonId, ExpiryEvent, Interner, KeyEvent, POLLS_APART_MS, PollEvent, Quarantined,
    RequestEvent, RequestOutcome, SeatsEvent, ShownEvent, Span, TotalEvent, UsedEvent, same_text,
};

/// A fall of the clock by more than this begins a new run: the dates go back, as in files pasted together.
const DATES_GO_BACK_MS: i64 = 300_000;
/// Shapes of unknown lines told apart in one batch; what is beyond is counted under one shape.
const SHAPES: usize = 1_000;

/// Summed up what an input said, for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) checkouts: u64,
    pub(crate) checkins: u64,
    pub(crate) denials: u64,
    /// Answers to polls, and the holds that they show.
    pub(crate) polls: u64,
    pub(crate) holds: u64,
    /// Sums of use without persons.
    pub(crate) totals: u64,
    pub(crate) from: Option<UnixMs>,
    pub(crate) until: Option<UnixMs>,
}

/// Collects the lines of one input.
pub(crate) struct Collector<'a> {
    interner: &'a mut Interner,
    format: &'static dyn Format,
    zone: String,
    server: String,
    naming: Naming,
    /// The daemons of the server, by vendor.
    daemons: Vec<(String, DaemonId)>,
    /// The other license servers of a text that polls several.
    elsewhere: BTreeMap<String, Elsewhere>,
    handles: Handles,
    shapes: FxHashMap<(String, &'static str), usize>,
    /// Where the figures of a feature's seats at the latest instant are gathered.
    seats: FxHashMap<(DaemonId, u32), usize>,
    /// Tells answers of one instant apart.
    answers: Answers,
    batch: Batch,
    /// The spans that go on, by daemon.
    open_spans: FxHashMap<DaemonId, Span>,
    /// Whether the next span of a daemon begins a run of the server.
    begins: bool,
    /// Days of which records are held: a table's uses of them are refused.
    recorded: Recorded,
    latest: UnixMs,
    pub(crate) counts: Counts,
    pub(crate) tally: Tally,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(
        interner: &'a mut Interner,
        format: &'static dyn Format,
        zone: &str,
        naming: Naming,
        resume: &Resume,
        counts: Counts,
    ) -> Self {
        let mut collector = Self {
            interner,
            format,
            zone: zone.to_owned(),
            server: resume.server.clone(),
            naming,
            daemons: Vec::new(),
            elsewhere: BTreeMap::new(),
            handles: Handles::default(),
            shapes: FxHashMap::default(),
            seats: FxHashMap::default(),
            answers: Answers::default(),
            batch: Batch { run: resume.run, ..Batch::default() },
            open_spans: FxHashMap::default(),
            begins: resume.begins,
            recorded: Recorded::default(),
            latest: resume.latest.unwrap_or(UnixMs::MIN),
            counts,
            tally: Tally::default(),
        };
        collector.restore_spans(resume);
        collector
    }

    /// Takes up the spans that go on; leaves this server where it was.
    fn restore_spans(&mut self, resume: &Resume) {
        for (server, spans, begins) in &resume.elsewhere {
            self.go_to(server);
            self.begins = *begins;
            self.restore(spans, resume.run);
        }
        self.go_to(&resume.server);
        self.begins = resume.begins;
        self.restore(&resume.spans, resume.run);
    }

    fn restore(&mut self, spans: &[Kept], run: u32) {
        let polled = self.format.polls();
        for &(ref vendor, from, until, begins_run) in spans {
            let daemon = self.daemon(vendor);
            self.open_spans.insert(daemon, Span { daemon, run, from, until, begins_run, polled });
        }
    }

    /// Refuses finished uses of days of which records are held already.
    pub(crate) fn refuse(&mut self, recorded: Recorded) {
        self.recorded = recorded;
    }

    /// How another collector would go on after the last batch.
    pub(crate) fn resume(&self) -> Resume {
        let elsewhere = self.elsewhere.iter();
        Resume {
            server: self.server.clone(),
            run: self.batch.run,
            latest: (self.latest > UnixMs::MIN).then_some(self.latest),
            spans: self.spans_of(&self.daemons),
            begins: self.begins,
            elsewhere: elsewhere
                .map(|(server, there)| (server.clone(), self.spans_of(&there.daemons), there.begins))
                .collect(),
        }
    }

    /// The spans of these daemons that go on.
    fn spans_of(&self, daemons: &[(String, DaemonId)]) -> Vec<Kept> {
        let kept = daemons.iter().filter_map(|(vendor, id)| {
            let span = self.open_spans.get(id)?;
            Some((vendor.clone(), span.from, span.until, span.begins_run))
        });
        let mut spans: Vec<_> = kept.collect();
        spans.sort();
        spans
    }

    /// The latest instant of any line of this run.
    pub(crate) fn latest(&self) -> UnixMs {
        self.latest
    }

    /// Events gathered since the last batch.
    pub(crate) fn gathered(&self) -> usize {
        self.batch.size()
    }

    /// Whether a line of this instant begins a new run, so that the batch before it must be taken first.
    pub(crate) fn begins_new_run(&self, read: &Read<'_>) -> bool {
        read.at.is_some_and(|at| self.latest > UnixMs::MIN && at < self.latest - DATES_GO_BACK_MS)
    }

    /// Begins a new run of dates.
    pub(crate) fn new_run(&mut self) {
        self.batch.run += 1;
        self.open_spans.clear();
        self.latest = UnixMs::MIN;
    }

    /// What was gathered; the collector goes on with an empty batch.
    pub(crate) fn take(&mut self) -> Batch {
        self.handles.clear();
        self.shapes.clear();
        self.seats.clear();
        self.answers = Answers::default();
        // The next one is mostly as large.
        let events = Vec::with_capacity(self.batch.events.len());
        let next = Batch { run: self.batch.run, events, ..Batch::default() };
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.spans.extend(self.open_spans.values().copied());
        batch.spans.sort_unstable_by_key(|span| (span.from, span.daemon, span.until));
        batch.names = self.interner.news();
        batch
    }

    /// Takes a line in.
    pub(crate) fn line(&mut self, read: &Read<'_>, text: &[u8], line_number: u64) {
        self.counts.lines += 1;
        if let Line::Note(Note::Server(name)) = &read.line
            && !self.naming.given
        {
            self.rename_server(name);
        }
        let used = |event: &Event<'_>| matches!(event.what, What::Used { .. });
        if read.line.events().iter().any(|event| used(event) && self.recorded.covers(event.at)) {
            return self.quarantine("records cover this day", text, line_number);
        }
        if let Some(at) = read.at {
            self.evidence(at, read);
        }
        match &read.line {
            Line::Event { event, times } => {
                self.counts.events += 1;
                for _ in 0..*times {
                    self.event(event);
                }
            }
            Line::Events(events) => {
                self.counts.events += 1;
                for event in events {
                    self.event(event);
                }
            }
            Line::Note(note) => {
                self.counts.notes += 1;
                if let Note::Components { package, components } = note {
                    let package = self.interner.feature(package);
                    for component in components {
                        let component = self.interner.feature(component);
                        self.batch.components.push((package, component));
                    }
                }
            }
            Line::Noise => self.counts.noise += 1,
            Line::Unrecognized(reason) => self.quarantine(reason, text, line_number),
        }
    }

    /// Notes what its sender calls the event that was taken in last.
    pub(crate) fn taken(&mut self, id: &str, at: UnixMs) {
        self.batch.taken.push((id.to_owned(), at));
    }

    /// A line that no parser saw: beyond the limit.
    pub(crate) fn unreadable(&mut self, reason: &'static str, text: &[u8], line_number: u64) {
        self.counts.lines += 1;
        self.quarantine(reason, text, line_number);
    }

    fn quarantine(&mut self, reason: &'static str, text: &[u8], line_number: u64) {
        self.counts.unrecognized += 1;
        let beginning = String::from_utf8_lossy(&text[..text.len().min(400)]).replace('\0', "\u{fffd}");
        let mut shape = shape(&beginning);
        if self.shapes.len() >= SHAPES && !self.shapes.contains_key(&(shape.clone(), reason)) {
            "(many other shapes)".clone_into(&mut shape);
        }
        if let Some(&index) = self.shapes.get(&(shape.clone(), reason)) {
            self.batch.quarantined[index].lines += 1;
            return;
        }
        self.shapes.insert((shape.clone(), reason), self.batch.quarantined.len());
        self.batch.quarantined.push(Quarantined {
            shape,
            reason: reason.to_owned(),
            lines: 1,
            first_line: line_number,
            sample: beginning,
        });
    }

    /// The text says what its license server is called: before any event that is its name from the beginning; in
    /// polls another name is another server's.
    fn rename_server(&mut self, name: &str) {
        let name = self.naming.aliases.get(name).map_or(name, String::as_str).to_owned();
        // A host alone says less than the port and host that are known.
        let says_less = self.server.split_once('@').is_some_and(|(_, host)| host == name);
        if self.server == name || says_less {
            return;
        }
        if self.format.polls() {
            self.go_to(&name);
        } else {
            self.server = name;
            self.daemons.clear();
            self.open_spans.clear();
        }
    }

    /// What comes now is of this license server; what was known of others stays.
    fn go_to(&mut self, server: &str) {
        if self.server == server {
            return;
        }
        let there = self.elsewhere.remove(server).unwrap_or_default();
        let here = Elsewhere {
            daemons: std::mem::replace(&mut self.daemons, there.daemons),
            begins: std::mem::replace(&mut self.begins, there.begins),
        };
        let left = std::mem::replace(&mut self.server, server.to_owned());
        // A name that nothing was said of yet was only assumed.
        if !here.daemons.is_empty() {
            self.elsewhere.insert(left, here);
        }
    }

    fn daemon(&mut self, vendor: &str) -> DaemonId {
        if let Some((_, id)) = self.daemons.iter().find(|(known, _)| same_text(known, vendor)) {
            return *id;
        }
        let pairing = self.format.pairing();
        let id = self.interner.daemon(&self.server, self.format.name(), pairing, &self.zone, vendor);
        self.daemons.push((vendor.to_owned(), id));
        id
    }

    /// A dated line: its daemon was alive, and somebody was watching.
    fn evidence(&mut self, at: UnixMs, read: &Read<'_>) {
        let restarted = match &read.line {
            Line::Note(note) => matches!(note, Note::Restarted),
            line => line.events().iter().any(|event| matches!(event.what, What::ServerStarted)),
        };
        if restarted {
            self.close_spans(None);
        }
        let process = if same_text(read.process, self.format.server_process()) { "" } else { read.process };
        let daemon = self.daemon(process);
        let starts = starts(read);
        if starts && let Some(span) = self.open_spans.remove(&daemon) {
            self.batch.spans.push(span);
        }
        let polled = self.format.polls();
        if polled
            && let Some(span) = self.open_spans.get(&daemon).copied()
            && at - span.until > POLLS_APART_MS
        {
            // Whether anybody was watching in between depends on how often the server is polled: readers tell.
            self.batch.spans.push(span);
            self.open_spans.remove(&daemon);
        }
        let (run, begins) = (self.batch.run, self.begins || starts);
        let span = self.open_spans.entry(daemon).or_insert_with(|| Span {
            daemon,
            run,
            from: at,
            until: at,
            begins_run: begins,
            polled,
        });
        span.until = span.until.max(at);
        self.latest = self.latest.max(at);
        self.tally.from = Some(self.tally.from.map_or(at, |from| from.min(at)));
        self.tally.until = Some(self.tally.until.map_or(at, |until| until.max(at)));
    }

    /// Ends the spans of a daemon, or of all of the server: what is read next was not watched without a gap.
    fn close_spans(&mut self, daemon: Option<DaemonId>) {
        let daemons = &self.daemons;
        let ends = |id: &DaemonId| match daemon {
            Some(only) => only == *id,
            None => daemons.iter().any(|(_, of_server)| of_server == id),
        };
        let closed = self.open_spans.extract_if(|id, _| ends(id));
        self.batch.spans.extend(closed.map(|(_, span)| span));
        self.begins = true;
    }

    fn event(&mut self, event: &Event<'_>) {
        match &event.what {
            What::Checkout(claim) => {
                self.tally.checkouts += 1;
                let version = self.interner.version(claim.version.as_deref());
                let start = Start { at: event.at, order: event.order, seats: claim.seats, version, input: 0 };
                self.key_event(event, claim, Step::Start(start));
            }
            What::Held(claim) => {
                let version = self.interner.version(claim.version.as_deref());
                let start = Start { at: event.at, order: HELD, seats: claim.seats, version, input: 0 };
                self.key_event(event, claim, Step::Start(start));
            }
            What::Checkin(claim, reason) => {
                self.tally.checkins += 1;
                let ended = match reason {
                    CheckinReason::Returned => Ended::Checkin,
                    CheckinReason::TimedOut => Ended::TimedOut,
                    CheckinReason::ServerStopped => Ended::ServerStopped,
                    CheckinReason::Detached => Ended::Detached,
                };
                let end = End { at: event.at, order: event.order, seats: claim.seats, ended, input: 0 };
                self.key_event(event, claim, Step::End(end));
            }
            What::Denial(claim, refusal) => {
                self.tally.denials += 1;
                self.request(event, claim, RequestOutcome::Denied(refusal.reason), &refusal.code);
            }
            What::Queued(claim) => self.request(event, claim, RequestOutcome::Queued, ""),
            What::Dequeued(claim) => self.request(event, claim, RequestOutcome::Dequeued, ""),
            What::DaemonStarted | What::DaemonStopped => {
                let daemon = self.daemon(&event.vendor);
                let started = event.what == What::DaemonStarted;
                self.batch.breaks.push(BreakEvent { daemon, at: event.at, started });
            }
            What::ServerStarted => {
                let daemon = self.daemon("");
                self.batch.breaks.push(BreakEvent { daemon, at: event.at, started: true });
            }
            What::Polled { answered } => self.polled(event, *answered),
            What::Shown { claim, since } => self.shown(event, claim, *since),
            What::Used { claim, until } => {
                self.tally.checkouts += 1;
                self.tally.checkins += 1;
                self.used(event, claim, *until, None);
            }
            What::Running { claim, seen_at, awaited_until } => {
                self.tally.checkouts += 1;
                self.used(event, claim, *seen_at, Some(*awaited_until));
            }
            What::Seats { feature, seats } => self.seats(event, feature, *seats),
            What::Expiry(expiry) => self.expiry(event, expiry),
            What::Total(total) => self.total(total),
        }
    }

    fn polled(&mut self, event: &Event<'_>, answered: bool) {
        let daemon = self.daemon(&event.vendor);
        if !answered {
            self.close_spans(Some(daemon).filter(|_| !event.vendor.is_empty()));
        }
        if answered && self.answers.begin(daemon, event.at, &self.batch.shown) {
            // Its figures take the place of the ones before.
            self.seats.clear();
        }
        self.tally.polls += u64::from(answered);
        self.batch.polls.push(PollEvent { daemon, at: event.at, answered });
    }

    /// A poll was not answered, of this license server and those others.
    pub(crate) fn not_answered(&mut self, at: UnixMs, others: &BTreeSet<String>) {
        let here = self.server.clone();
        let failed = Event { at, order: 0, vendor: "".into(), what: What::Polled { answered: false } };
        for server in others.iter().filter(|other| **other != here).chain([&here]) {
            self.go_to(server);
            self.polled(&failed, false);
        }
    }

    fn shown(&mut self, event: &Event<'_>, claim: &Claim<'_>, since: UnixMs) {
        let shown = ShownEvent {
            feature: self.interner.feature(&claim.feature),
            holder: self.holder(event, claim),
            handle: self.handle(claim),
            at: event.at,
            since,
            seats: claim.seats,
            version: self.interner.version(claim.version.as_deref()),
        };
        self.tally.holds += 1;
        match self.answers.place(&shown, self.batch.shown.len()) {
            Some(place) => self.batch.shown[place] = shown,
            None => self.batch.shown.push(shown),
        }
    }

    fn used(&mut self, event: &Event<'_>, claim: &Claim<'_>, until: UnixMs, awaited_until: Option<UnixMs>) {
        let used = UsedEvent {
            feature: self.interner.feature(&claim.feature),
            holder: self.holder(event, claim),
            handle: self.handle(claim),
            from: event.at,
            until,
            awaited_until,
            seats: claim.seats,
            version: self.interner.version(claim.version.as_deref()),
        };
        self.batch.used.push(used);
    }

    fn seats(&mut self, event: &Event<'_>, feature: &str, seats: Seats) {
        let (feature, daemon) = (self.interner.feature(feature), self.daemon(&event.vendor));
        let all = &mut self.batch.seats;
        let known = self.seats.get(&(daemon, feature)).copied().filter(|index| all[*index].at == event.at);
        let index = known.unwrap_or_else(|| {
            all.push(SeatsEvent { feature, daemon, at: event.at, ..SeatsEvent::default() });
            self.seats.insert((daemon, feature), all.len() - 1);
            all.len() - 1
        });
        let of = &mut all[index];
        match seats {
            Seats::Issued(seats) => {
                let before = of.issued.flatten();
                of.issued =
                    Some(seats.map(i64::from).map_or(before, |more| Some(before.unwrap_or(0) + more)));
            }
            Seats::InUse(seats) => of.in_use = Some(of.in_use.unwrap_or(0) + i64::from(seats)),
            Seats::Reserved(seats) => of.reserved += i64::from(seats),
            Seats::Queued(seats) => of.queued += i64::from(seats),
            Seats::Borrowed(seats) => of.borrowed += i64::from(seats),
        }
    }

    fn expiry(&mut self, event: &Event<'_>, expiry: &Expiry<'_>) {
        let expiry = ExpiryEvent {
            daemon: self.daemon(&event.vendor),
            feature: self.interner.feature(&expiry.feature),
            version: self
                .interner
                .version(Some(&expiry.version).filter(|text| !text.is_empty()).map(|v| &**v)),
            at: event.at,
            seats: expiry.seats.map(i64::from),
            expires: expiry.expires,
        };
        if self.answers.expires_anew(expiry.daemon, expiry.at) {
            self.batch.expiries.retain(|known| (known.daemon, known.at) != (expiry.daemon, expiry.at));
        }
        self.batch.expiries.push(expiry);
    }

    fn total(&mut self, total: &Total<'_>) {
        let total = TotalEvent {
            organization: total.organization,
            day: total.day,
            feature: self.interner.feature(&total.feature),
            version: self.interner.version(Some(&*total.version).filter(|text| !text.is_empty())),
            minutes: total.minutes,
        };
        self.tally.totals += 1;
        self.batch.totals.push(total);
    }

    fn holder(&mut self, event: &Event<'_>, claim: &Claim<'_>) -> u32 {
        let daemon = self.daemon(&event.vendor);
        let display = claim.display.as_deref().unwrap_or_default();
        let data = claim.checkout_data.as_deref().unwrap_or_default();
        self.interner.holder(daemon, &claim.user, &claim.host, display, data)
    }

    fn key_event(&mut self, event: &Event<'_>, claim: &Claim<'_>, step: Step) {
        let feature = self.interner.feature(&claim.feature);
        let holder = self.holder(event, claim);
        let handle = self.handle(claim);
        self.batch.events.push(KeyEvent { feature, holder, handle, step });
    }

    /// The number of a claim's handle in this batch; 0 where there is none.
    fn handle(&mut self, claim: &Claim<'_>) -> u32 {
        let Some(handle) = &claim.handle else { return 0 };
        self.handles.number(handle, &mut self.batch.handles)
    }

    fn request(&mut self, event: &Event<'_>, claim: &Claim<'_>, outcome: RequestOutcome, code: &str) {
        let request = RequestEvent {
            feature: self.interner.feature(&claim.feature),
            holder: self.holder(event, claim),
            at: event.at,
            outcome,
            code: code.replace('\0', "\u{fffd}"),
            seats: claim.seats,
            version: self.interner.version(claim.version.as_deref()),
        };
        self.batch.requests.push(request);
    }

    /// Turns what was gathered into things to take back: an unfinished last line, read again as it stood.
    pub(crate) fn take_back(&mut self, before: &Resume) {
        self.batch.retracted = std::mem::take(&mut self.batch.events);
        self.batch.retracted_requests = std::mem::take(&mut self.batch.requests);
        self.batch.retracted_shown = std::mem::take(&mut self.batch.shown);
        self.batch.retracted_used = std::mem::take(&mut self.batch.used);
        self.batch.retracted_totals = std::mem::take(&mut self.batch.totals);
        self.batch.breaks.clear();
        self.batch.polls.clear();
        self.batch.seats.clear();
        self.batch.expiries.clear();
        self.batch.spans.clear();
        self.seats.clear();
        self.answers = Answers::default();
        self.batch.retracted_quarantined = std::mem::take(&mut self.batch.quarantined);
        self.shapes.clear();
        self.tally = Tally::default();
        self.latest = before.latest.unwrap_or(UnixMs::MIN);
        self.open_spans.clear();
        // Half a line may have named a server that there is not.
        self.server.clone_from(&before.server);
        self.daemons.clear();
        self.elsewhere.clear();
        self.restore_spans(before);
    }
}

/// Whether a line is the start of a daemon: before it nothing of it was watched.
fn starts(read: &Read<'_>) -> bool {
    let own = |event: &Event<'_>| matches!(event.what, What::DaemonStarted) && event.vendor == read.process;
    read.line.events().iter().any(own)
}
