//! A year of a license server: wishes come in, seats go out and come back, and it writes its debug log.

use super::catalog::{FEATURES, PARALLEL, number_of};
use super::clock::WallClock;
use super::habits::{LIVE, Wish, YEAR, days};
use super::lmstat::{self, Hold};
use super::server_text::{Log, Machine};
use super::{Counts, Live, Page};
use jiff::civil::{DateTime, Weekday, date};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// The second of the first day after the year from which on time goes by.
const LIVE_FROM: i64 = 14 * 3_600 + 50 * 60;

/// How a license server goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// Somebody stops it.
    Orderly,
    /// The power fails: nothing is written.
    Crash,
}

/// When a machine's license server stops, when it is back, and how it went.
type Outage = (DateTime, DateTime, How);

/// One restart over the end of June, so that July's file begins with a start; one crash; one quick restart.
fn outages(machine: &Machine) -> &'static [Outage] {
    const LIC1: [Outage; 1] =
        [(date(2025, 9, 23).at(10, 47, 12, 0), date(2025, 9, 23).at(11, 21, 40, 0), How::Crash)];
    const LIC2: [Outage; 2] = [
        (date(2025, 3, 12).at(18, 30, 4, 0), date(2025, 3, 12).at(18, 36, 51, 0), How::Orderly),
        (date(2025, 6, 30).at(23, 41, 30, 0), date(2025, 7, 1).at(0, 2, 11, 0), How::Orderly),
    ];
    if machine.name == "lic1" { &LIC1 } else { &LIC2 }
}

/// What happens next, in the order in which it happens where instants are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Start,
    /// The session of this number ends.
    End(u64),
    Stop(usize),
    /// Of the run of this number.
    Timestamp(u32),
    Statistics(u32),
    /// The wish of this number, after so many refusals.
    Ask(usize, u32),
    /// Somebody asks who holds what.
    Poll,
}

/// A wish that came true.
#[derive(Debug)]
struct Session {
    wish: usize,
    since: i64,
    /// Features and seats.
    held: Vec<(usize, i64)>,
}

struct Site<'a> {
    log: Log,
    wishes: &'a [Wish],
    outages: Vec<(i64, i64, How)>,
    next: BinaryHeap<Reverse<(i64, Action)>>,
    open: BTreeMap<u64, Session>,
    sessions: u64,
    in_use: [i64; FEATURES.len()],
    run: u32,
    /// When the server is back, while it is down.
    down_until: Option<i64>,
    counts: Counts,
    /// The answers to polls, a file each.
    polls: Vec<Page>,
    clock: WallClock,
}

/// What a machine's license server wrote in the year.
pub(super) struct Records {
    /// Its log, a file a month.
    pub(super) log: Vec<Page>,
    /// Its answers to polls, a file each.
    pub(super) polls: Vec<Page>,
    /// What is in the log.
    pub(super) counts: Counts,
    /// What it goes on with.
    pub(super) live: Live,
}

/// The year of a machine, and the days after it.
pub(super) fn year(machine: &'static Machine, wishes: &[Wish], clock: &WallClock) -> Records {
    let wall = |shown: DateTime| clock.instant(shown);
    let outages: Vec<_> =
        outages(machine).iter().map(|(stop, back, how)| (wall(*stop), wall(*back), *how)).collect();
    let mut site = Site {
        log: Log::new(machine, clock.clone()),
        wishes,
        outages,
        next: BinaryHeap::new(),
        open: BTreeMap::new(),
        sessions: 0,
        in_use: [0; FEATURES.len()],
        run: 0,
        down_until: None,
        counts: Counts::default(),
        polls: Vec::new(),
        clock: clock.clone(),
    };
    site.plan(clock.midnight(YEAR.0) + 20);
    for day in days().filter(|day| *day == YEAR.0 || day.weekday() == Weekday::Monday) {
        site.at(clock.instant(day.at(if day == YEAR.0 { 0 } else { 9 }, 30, 0, 0)), Action::Poll);
    }
    site.run_until(clock.midnight(YEAR.1));
    let counts = site.counts;
    let live = site.live();
    let log = site.log.pages;
    Records { log, polls: site.polls, counts, live }
}

impl Site<'_> {
    fn plan(&mut self, start: i64) {
        self.at(start, Action::Start);
        for nth in 0..self.outages.len() {
            let (stop, back, _) = self.outages[nth];
            self.at(stop, Action::Stop(nth));
            self.at(back, Action::Start);
        }
        for (nth, wish) in self.wishes.iter().enumerate() {
            let server = FEATURES[number_of(wish.program.features(false)[0])].server;
            if server == self.log.machine.server {
                self.at(wish.at, Action::Ask(nth, 0));
            }
        }
    }

    fn at(&mut self, at: i64, action: Action) {
        self.next.push(Reverse((at, action)));
    }

    fn run_until(&mut self, end: i64) {
        while let Some(Reverse((at, _))) = self.next.peek()
            && *at < end
            && let Some(Reverse((at, action))) = self.next.pop()
        {
            match action {
                Action::Start => self.start(at),
                Action::Stop(nth) => self.stop(at, nth),
                Action::End(session) => self.end(at, session),
                Action::Ask(wish, refusals) => self.ask(at, wish, refusals),
                Action::Timestamp(run) if run == self.run => {
                    self.log.timestamp(at);
                    self.at(at + 6 * 3_600, action);
                }
                Action::Statistics(run) if run == self.run => self.statistics(at),
                Action::Timestamp(_) | Action::Statistics(_) => {} // of a run that is over
                Action::Poll => self.poll(at),
            }
        }
        self.counts.open = self.open.values().map(|session| session.held.len() as u64).sum();
    }

    /// What is written after the year, minute by minute; the first minute has all that came before.
    fn live(&mut self) -> Live {
        let of_year = self.log.pages.len();
        let (begin, end) = (self.clock.midnight(LIVE.0) + LIVE_FROM, self.clock.midnight(LIVE.1));
        let (mut minutes, mut written) = (Vec::new(), 0);
        for minute in (begin..end).step_by(60) {
            self.run_until(minute + 60);
            let text = self.log.pages.get(of_year).map_or(&[][..], |page| &page.text);
            minutes.push(text[written..].to_vec());
            written = text.len();
        }
        let page = self.log.pages.pop().filter(|_| self.log.pages.len() == of_year);
        Live { name: page.map(|page| page.name).unwrap_or_default(), minutes }
    }

    fn start(&mut self, at: i64) {
        self.down_until = None;
        self.log.start(at);
        self.at(at + 6 * 3_600, Action::Timestamp(self.run));
        self.at(at + 4 * 3_600 + 2, Action::Statistics(self.run));
    }

    /// All sessions end; most of their holders come back as soon as they can.
    fn stop(&mut self, at: i64, nth: usize) {
        let (_, back, how) = self.outages[nth];
        self.run += 1;
        self.down_until = Some(back);
        self.in_use = [0; FEATURES.len()];
        let orderly = how == How::Orderly;
        if orderly {
            self.log.shutdown_requested(at);
        }
        for (nth, session) in std::mem::take(&mut self.open).into_values().enumerate() {
            if orderly && nth % 4 == 0 {
                self.checkin(at, &session, "(SHUTDOWN)"); // real daemons print some, not all
            } else {
                self.counts.lost += session.held.len() as u64;
            }
            if nth % 5 != 0 {
                self.at(back + 20 + nth as i64 * 7 % 290, Action::Ask(session.wish, 0));
            }
        }
        if orderly {
            self.log.exited(at + 1);
        }
    }

    fn ask(&mut self, at: i64, number: usize, refusals: u32) {
        let wishes = self.wishes;
        let wish = &wishes[number];
        if let Some(back) = self.down_until {
            self.at(back + 30 + number as i64 % 240, Action::Ask(number, refusals));
            return;
        }
        let until = if wish.cores > 1 { at + wish.until - wish.at } else { wish.until };
        if until < at + 60 {
            return; // the day is over
        }
        if number % 4_000 == 1_234 {
            self.unsupported(at, &wish.holder);
        }
        let features = wish.program.features(wish.old).iter().map(|code| number_of(code));
        let mut held: Vec<(usize, i64)> = features
            .map(|feature| (feature, if FEATURES[feature].code == PARALLEL { wish.cores } else { 1 }))
            .collect();
        if number.is_multiple_of(3) && FEATURES[held[0].0].daemon == "adskflex" {
            held.reverse(); // package and component go out in either order
        }
        match held.iter().find(|(feature, seats)| self.in_use[*feature] + seats > FEATURES[*feature].seats) {
            Some((feature, _)) => self.deny(at, number, refusals, *feature),
            None => self.checkout(at, until, Session { wish: number, since: at, held }),
        }
    }

    fn deny(&mut self, at: i64, number: usize, refusals: u32, feature: usize) {
        let wish = &self.wishes[number];
        let (feature, holder) = (&FEATURES[feature], &wish.holder);
        let lost = if self.counts.denials % 50 == 17 { ":104 \"Connection reset by peer\"" } else { "" };
        let text = format_args!(
            "DENIED: \"{}\" {holder}  (Licensed number of users already reached. (-4,342{lost}))",
            feature.code
        );
        self.log.line(at, feature.daemon, text);
        self.counts.denials += 1;
        let (every, tries) = wish.patience;
        if refusals < tries {
            self.at(at + every, Action::Ask(number, refusals + 1));
        }
    }

    /// A client of a release that was not bought yet.
    fn unsupported(&mut self, at: i64, holder: &str) {
        let (daemon, _) = self.log.machine.daemons[0];
        let (feature, key) = match daemon {
            "adskflex" => ("87758ACD_2024_0F", "00B0 EF6E AFC6 B280 "),
            _ => ("disco_level3", "PORT_AT_HOST_PLUS   "),
        };
        let text =
            format_args!("UNSUPPORTED: \"{feature}\" ({key}) {holder}  (No such feature exists. (-5,346))");
        self.log.line(at, daemon, text);
    }

    fn checkout(&mut self, at: i64, until: i64, session: Session) {
        let holder = &self.wishes[session.wish].holder;
        for (feature, seats) in &session.held {
            self.in_use[*feature] += seats;
            self.counts.checkouts += 1;
            let (Feature { code, daemon }, licenses) = (Feature::of(*feature), licenses(*seats));
            self.log.line(at, daemon, format_args!("OUT: \"{code}\" {holder}  {licenses}"));
        }
        self.sessions += 1;
        self.at(until, Action::End(self.sessions));
        self.open.insert(self.sessions, session);
    }

    fn end(&mut self, at: i64, number: u64) {
        let Some(session) = self.open.remove(&number) else { return }; // ended with the server
        for (feature, seats) in &session.held {
            self.in_use[*feature] -= seats;
        }
        let reason = if self.wishes[session.wish].idle { "(INACTIVE)" } else { "" };
        self.checkin(at, &session, reason);
    }

    fn checkin(&mut self, at: i64, session: &Session, reason: &str) {
        let holder = &self.wishes[session.wish].holder;
        for (feature, seats) in session.held.iter().rev() {
            self.counts.checkins += 1;
            let (Feature { code, daemon }, licenses) = (Feature::of(*feature), licenses(*seats));
            self.log.line(at, daemon, format_args!("IN: \"{code}\" {holder}  {licenses}{reason}"));
        }
    }

    fn poll(&mut self, at: i64) {
        let wishes = self.wishes;
        let holds = self.open.iter().flat_map(|(number, session)| {
            session.held.iter().map(move |(feature, seats)| Hold {
                feature: *feature,
                holder: &wishes[session.wish].holder,
                since: session.since,
                seats: *seats,
                handle: number * 10 + *feature as u64 % 10 + 1,
            })
        });
        let holds: Vec<Hold<'_>> = holds.collect();
        let held = self.down_until.is_none().then_some(&holds[..]);
        let text = lmstat::answer(self.log.machine, at, &mut self.clock, held);
        let day = self.clock.at(at).date();
        self.polls.push(Page { name: format!("lmstat/{}-{day}.txt", self.log.machine.name), text });
    }

    fn statistics(&mut self, at: i64) {
        for (daemon, _) in self.log.machine.daemons {
            let serves = |session: &&Session| FEATURES[session.held[0].0].daemon == *daemon;
            let clients: Vec<&str> = self
                .open
                .values()
                .filter(serves)
                .map(|session| self.wishes[session.wish].holder.as_str())
                .collect();
            self.log.statistics(at, daemon, &clients[..clients.len().min(5)], clients.len());
        }
        self.at(at + 4 * 3_600, Action::Statistics(self.run));
    }
}

/// What a line says of a feature.
struct Feature {
    code: &'static str,
    daemon: &'static str,
}

impl Feature {
    fn of(number: usize) -> Self {
        Self { code: FEATURES[number].code, daemon: FEATURES[number].daemon }
    }
}

/// `(32 licenses) ` as it follows the holder; nothing for a single seat.
fn licenses(seats: i64) -> String {
    if seats == 1 { String::new() } else { format!("({seats} licenses) ") }
}
