//! A dense FlexNet debug log: nearly every line a checkout or a checkin, of a size of one's choice.
//!
//! The server stands on UTC. The file agrees with itself: sessions end after they start, no feature has more seats
//! in use than it has, what is refused is refused because all seats are in use, and few sessions are open at the end.

use crate::flexnet_server::{DAEMON, Log};
use crate::random::Random;
use jiff::civil::{Date, Weekday};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

/// What a log should look like.
#[derive(Debug, Clone)]
pub struct Shape {
    /// How many users; about a third of them work on two hosts.
    pub users: u32,
    /// How many features; a few have most of the checkouts.
    pub features: u32,
    /// How many requests there are on a working day; a tenth of them on the others.
    pub daily: u64,
    /// How large the log becomes at most, to within some kilobytes.
    pub bytes: u64,
    /// How many checkouts there are at most.
    pub checkouts: u64,
    /// Whether the daemon prints its block of statistics every four hours.
    pub slog_noise: bool,
    /// The first day.
    pub from: Date,
    /// Another seed gives another log of the same shape.
    pub seed: u64,
}

impl Shape {
    /// 800 users, 120 features, no statistics, from Monday 2024-01-01.
    pub fn dense(bytes: u64) -> Self {
        let from = Date::constant(2024, 1, 1);
        Self {
            users: 800,
            features: 120,
            daily: 8_000,
            bytes,
            checkouts: u64::MAX,
            slog_noise: false,
            from,
            seed: 1,
        }
    }

    /// Two years of 20 000 users of 500 features: 10 million checkouts.
    pub fn ledger() -> Self {
        let from = Date::constant(2023, 1, 1);
        Self {
            users: 20_000,
            features: 500,
            daily: 18_650,
            checkouts: 10_000_000,
            from,
            ..Self::dense(u64::MAX)
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bytes of the log.
    pub bytes: u64,
    /// Lines of the log.
    pub lines: u64,
    /// `OUT:` lines.
    pub checkouts: u64,
    /// `IN:` lines.
    pub checkins: u64,
    /// `DENIED:` lines.
    pub denials: u64,
    /// Sessions open at the end.
    pub open: u64,
}

/// Writes a log of this shape: the same bytes on every machine.
pub fn write(shape: &Shape, out: &mut impl Write) -> io::Result<Written> {
    let mut random = Random::new(shape.seed);
    let features = features(shape);
    let holders = holders(shape, &mut random);
    let mut log = Log::new(out, shape.from);
    log.start(START, &features.iter().map(|feature| feature.name.clone()).collect::<Vec<_>>())?;
    Server { log, random, features, holders, open: BinaryHeap::new(), ticks: 0, written: Written::default() }
        .run(shape)
}

/// When the server starts, in seconds after midnight of the first day.
const START: u64 = 5;
/// The clock of TIMESTAMP and of the statistics ticks every two hours.
const TICK: u64 = 7_200;
/// Bytes of a line, to know when to stop.
const LINE: u64 = 70;

struct Feature {
    name: String,
    /// Where this feature's share of the requests ends, in the sum of all weights.
    weight_end: u64,
    /// Largest power of two of seats that one request asks for; 0 for single seats.
    parallel: u32,
    seats: u64,
    in_use: u64,
}

/// A session that will end: when, its number (for the order of equal ends), feature, holder, seats.
type Open = Reverse<(u64, u64, usize, usize, u64)>;

struct Server<'a, W: Write> {
    log: Log<'a, W>,
    random: Random,
    features: Vec<Feature>,
    /// Each user's one or two `user@host`.
    holders: Vec<Vec<String>>,
    open: BinaryHeap<Open>,
    ticks: u64,
    written: Written,
}

impl<W: Write> Server<'_, W> {
    fn run(mut self, shape: &Shape) -> io::Result<Written> {
        let mut last = START;
        'days: for day in 0.. {
            for at in self.requests(shape, day) {
                self.until(at, shape.slog_noise)?;
                let full = self.log.bytes + self.open.len() as u64 * LINE >= shape.bytes;
                if full || self.written.checkouts >= shape.checkouts {
                    break 'days;
                }
                self.request(at)?;
                last = at;
            }
        }
        self.until(last + 86_400, shape.slog_noise)?;
        self.written.open = self.open.len() as u64;
        Ok(Written { bytes: self.log.bytes, lines: self.log.lines, ..self.written })
    }

    /// The instants of a day's requests, by the hour as an office works.
    fn requests(&mut self, shape: &Shape, day: i32) -> Vec<u64> {
        const HOURS: [u64; 24] =
            [1, 1, 1, 1, 1, 2, 6, 16, 22, 24, 24, 20, 13, 21, 24, 23, 20, 13, 7, 4, 3, 2, 2, 1];
        let weekday = (shape.from.weekday().to_monday_zero_offset() + (day % 7) as i8) % 7;
        let weekend = Weekday::from_monday_zero_offset(weekday)
            .is_ok_and(|weekday| matches!(weekday, Weekday::Saturday | Weekday::Sunday));
        let full = if weekend { shape.daily / 10 } else { shape.daily };
        let count = full * (90 + self.random.below(21)) / 100;
        let all: u64 = HOURS.iter().sum();
        let mut instants: Vec<u64> = (0..count)
            .map(|_| {
                let mut nth = self.random.below(all);
                let hour = HOURS.iter().take_while(|weight| match nth.checked_sub(**weight) {
                    Some(rest) => {
                        nth = rest;
                        true
                    }
                    None => false,
                });
                let hour = hour.count() as u64;
                day as u64 * 86_400 + hour * 3_600 + self.random.below(3_600)
            })
            .filter(|at| *at > START + 2)
            .collect();
        instants.sort_unstable();
        instants
    }

    /// Prints what happens up to an instant: ends of sessions, dates, statistics.
    fn until(&mut self, now: u64, noise: bool) -> io::Result<()> {
        loop {
            let tick = START + (self.ticks + 1) * TICK;
            let end = self.open.peek().map_or(u64::MAX, |Reverse((end, ..))| *end);
            if end.min(tick) > now {
                return Ok(());
            }
            if tick <= end {
                self.ticks += 1;
                if noise && self.ticks.is_multiple_of(2) {
                    self.log.statistics(tick, self.open.len())?;
                }
                if self.ticks.is_multiple_of(3) {
                    self.log.timestamp(tick)?;
                }
            } else if let Some(Reverse((end, number, feature, user, seats))) = self.open.pop() {
                self.checkin(end, number, feature, user, seats)?;
            }
        }
    }

    fn checkin(&mut self, at: u64, number: u64, feature: usize, user: usize, seats: u64) -> io::Result<()> {
        let idle = if number % 32 == 7 { "(INACTIVE)" } else { "" };
        let holder = holder(&self.holders, user, number);
        self.features[feature].in_use -= seats;
        self.written.checkins += 1;
        let name = &self.features[feature].name;
        self.log.line(at, DAEMON, &["IN: \"", name, "\" ", holder, "  ", &licenses(seats), idle])
    }

    fn request(&mut self, at: u64) -> io::Result<()> {
        let number = self.written.checkouts;
        let feature = self.pick_feature();
        let user = self.random.below(self.holders.len() as u64) as usize;
        let parallel = self.features[feature].parallel;
        let seats = if parallel == 0 { 1 } else { 2 << self.random.below(u64::from(parallel)) };
        let length = self.length();
        let Feature { name, seats: all, in_use, .. } = &mut self.features[feature];
        let holder = holder(&self.holders, user, number);
        if *in_use + seats > *all {
            self.written.denials += 1;
            let sys = if self.written.denials % 40 == 9 { ":104 \"Connection reset by peer\"" } else { "" };
            let text = "(Licensed number of users already reached. (-4,342";
            return self.log.line(at, DAEMON, &["DENIED: \"", name, "\" ", holder, "  ", text, sys, "))"]);
        }
        *in_use += seats;
        self.open.push(Reverse((at + length, number, feature, user, seats)));
        self.written.checkouts += 1;
        self.log.line(at, DAEMON, &["OUT: \"", name, "\" ", holder, "  ", &licenses(seats)])
    }

    fn pick_feature(&mut self) -> usize {
        let all = self.features.last().map_or(1, |feature| feature.weight_end);
        let nth = self.random.below(all);
        self.features.partition_point(|feature| feature.weight_end <= nth)
    }

    /// How long a session lasts: seconds to three days, in the mean two hours.
    fn length(&mut self) -> u64 {
        match self.random.below(100) {
            0..30 => self.random.octaves(2, 7),
            30..75 => self.random.octaves(7, 12),
            75..97 => self.random.octaves(12, 15),
            _ => self.random.octaves(15, 18).min(3 * 86_400),
        }
    }
}

/// `(32 licenses) ` as it follows the holder; nothing for a single seat.
fn licenses(seats: u64) -> String {
    if seats == 1 { String::new() } else { format!("({seats} licenses) ") }
}

/// The `user@host` of a session: a user of two hosts works on the second now and then.
fn holder(holders: &[Vec<String>], user: usize, number: u64) -> &str {
    let hosts = &holders[user];
    &hosts[usize::from(number.is_multiple_of(5)) % hosts.len()]
}

fn features(shape: &Shape) -> Vec<Feature> {
    const AREAS: [&str; 12] = [
        "cfd",
        "struct_nl",
        "hfss",
        "meba",
        "cad_core",
        "xlate_step",
        "acoustic",
        "maxwell",
        "optimetrics",
        "electronics",
        "q3d_desktop",
        "piping",
    ];
    const PARTS: [&str; 10] = [
        "solve",
        "gui",
        "pre_post",
        "hpc",
        "solve_level2",
        "import_advanced",
        "base",
        "mesh",
        "viewer",
        "api",
    ];
    let count = shape.features as usize;
    let weight = |nth: usize| 1_000_000 / (nth as u64 + 4);
    let all: u64 = (0..count).map(weight).sum();
    let mut weight_end = 0;
    (0..count)
        .map(|nth| {
            let (area, part) = (AREAS[nth % AREAS.len()], PARTS[nth / AREAS.len() % PARTS.len()]);
            let round = nth / (AREAS.len() * PARTS.len());
            let name = if round == 0 { format!("{area}_{part}") } else { format!("{area}_{part}_{round}") };
            weight_end += weight(nth);
            let parallel = if nth % 9 == 4 { 5 } else { 0 };
            let (mean, most) = if parallel == 0 { (1, 1) } else { (13, 32) };
            // A fifth of the sessions of a day are open at once on a busy afternoon; every 17th feature is bought too
            // small.
            let busy = shape.daily / 5 * weight(nth) / all * mean;
            let seats = if nth % 17 == 5 { busy * 3 / 4 + most } else { busy * 3 / 2 + 3 * most };
            Feature { name, weight_end, parallel, seats, in_use: 0 }
        })
        .collect()
}

fn holders(shape: &Shape, random: &mut Random) -> Vec<Vec<String>> {
    const NAMES: [&str; 20] = [
        "meier",
        "keller",
        "huberp",
        "brunner",
        "mueller",
        "frei",
        "schmidta",
        "baumann",
        "zimmermann",
        "graf",
        "wyss",
        "roth",
        "suter",
        "bachmann",
        "kunz",
        "hofer",
        "lehmann",
        "marti",
        "schneiderm",
        "gerber",
    ];
    let host = |random: &mut Random| match random.below(3) {
        0 => format!("PC-{:05}", random.below(100_000)),
        1 => format!("ws{:04}.bench.example", random.below(10_000)),
        _ => format!("node{:03}.cluster.bench.example", random.below(1_000)),
    };
    (0..shape.users as usize)
        .map(|nth| {
            let user = format!("{}{}", NAMES[nth % NAMES.len()], nth / NAMES.len());
            let hosts = 1 + usize::from(random.percent(33));
            (0..hosts).map(|_| format!("{user}@{}", host(random))).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(shape: &Shape) -> (String, Written) {
        let mut bytes = Vec::new();
        let written = write(shape, &mut bytes).unwrap();
        (String::from_utf8(bytes).unwrap(), written)
    }

    #[test]
    fn the_same_shape_gives_the_same_bytes() {
        let shape = Shape { slog_noise: true, ..Shape::dense(1_000_000) };
        assert_eq!(log(&shape), log(&shape));
        assert_ne!(log(&shape).0, log(&Shape { seed: 2, ..shape }).0);
    }

    #[test]
    fn a_log_has_its_size_and_its_counts() {
        let (text, written) = log(&Shape::dense(3_000_000));
        assert_eq!(written.bytes, text.len() as u64);
        assert!(written.bytes.abs_diff(3_000_000) < 60_000, "{written:?}");
        assert_eq!(written.lines, text.lines().count() as u64);
        for (word, count) in
            [("OUT", written.checkouts), ("IN", written.checkins), ("DENIED", written.denials)]
        {
            assert_eq!(text.matches(&format!("({DAEMON}) {word}: ")).count() as u64, count, "{word}");
        }
        assert_eq!(written.checkouts, written.checkins + written.open);
    }

    #[test]
    fn a_log_too_small_for_sessions_has_none() {
        let (text, written) = log(&Shape::dense(100));
        assert!(text.contains("(lmgrd) lmgrd tcp-port 1055\n"), "{text}");
        assert_eq!((written.checkouts, written.checkins, written.open), (0, 0, 0));
    }
}
