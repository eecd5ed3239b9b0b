//! The one-thread parse limit: how fast a FlexNet debug log can be read at all.
//!
//! Lines are split, times, names and counts are taken from them, feature and holder are interned, seats in use and
//! their peak are kept a feature. Nothing is stored, nothing is paired, lines of odd forms are passed over: this is
//! the yardstick that an import is measured against, and no parser of real logs.

use memchr::{memchr, memchr_iter, memrchr};
use rustc_hash::FxHashMap;
use std::io::{self, Read};

/// What was read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// `OUT:` lines.
    pub checkouts: u64,
    /// `IN:` lines.
    pub checkins: u64,
    /// `DENIED:` lines.
    pub denials: u64,
    /// Distinct `user@host`.
    pub holders: usize,
    /// The features in order of first appearance.
    pub features: Vec<Feature>,
}

/// What was read of one feature of one daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: Box<[u8]>,
    /// Seats in use after the last line.
    pub open: i64,
    /// The most seats in use at once, ends before starts at equal instants.
    pub peak: i64,
    /// ∫ seats in use dt up to the last line, in seconds, if every `IN:` has its `OUT:`.
    pub seat_seconds: i64,
    /// Sum of the numbers of the holders that checked out: changes if any name is read wrongly.
    pub holder_sum: u64,
    settled_at: i64,
}

/// Bytes asked for at once.
const BLOCK: usize = 1 << 20;

/// Reads a log to its end.
pub fn read(mut log: impl Read) -> io::Result<Tally> {
    let mut reader = Reader::default();
    let mut block = vec![0; BLOCK];
    let mut kept = 0; // bytes of a line begun in the block before
    loop {
        if kept == block.len() {
            block.resize(2 * kept, 0);
        }
        let read = log.read(&mut block[kept..])?;
        if read == 0 {
            break;
        }
        let filled = kept + read;
        reader.tally.bytes += read as u64;
        let mut from = 0;
        for newline in memchr_iter(b'\n', &block[..filled]) {
            reader.line(&block[from..newline]);
            from = newline + 1;
        }
        block.copy_within(from..filled, 0);
        kept = filled - from;
    }
    if kept > 0 {
        reader.line(&block[..kept]);
    }
    Ok(reader.finish())
}

/// Interned names and their numbers.
type Numbers = FxHashMap<Box<[u8]>, u32>;

#[derive(Default)]
struct Reader {
    tally: Tally,
    /// Names of the daemons, each with the `) ` that follows it, and the numbers of their features.
    daemons: Vec<(Box<[u8]>, Numbers)>,
    daemon: usize,
    holders: Numbers,
    /// Midnight of the current day in seconds.
    day: i64,
    second: i64,
}

impl Reader {
    #[inline]
    fn line(&mut self, line: &[u8]) {
        self.tally.lines += 1;
        let [h1, h2, b':', m1, m2, b':', s1, s2, b' ', b'(', rest @ ..] = line else { return };
        let two = |tens: u8, ones: u8| i64::from(tens & 15) * 10 + i64::from(ones & 15); // a blank counts as 0
        let second = two(*h1, *h2) * 3_600 + two(*m1, *m2) * 60 + two(*s1, *s2);
        if second + 300 < self.second {
            self.day += 86_400;
        }
        self.second = second;
        let Some(message) = self.after_daemon(rest) else { return };
        match message {
            [b'O', b'U', b'T', b':', b' ', b'"', rest @ ..] => self.checkout(rest),
            [b'I', b'N', b':', b' ', b'"', rest @ ..] => self.checkin(rest),
            [b'D', b'E', b'N', b'I', b'E', b'D', b':', ..] => self.tally.denials += 1,
            [b'T', b'I', b'M', b'E', b'S', b'T', b'A', b'M', b'P', b' ', date @ ..] => self.anchor(date),
            _ if message.starts_with(b"FlexNet Licensing (") => {
                self.anchor(&message[memrchr(b'(', message).map_or(0, |open| open + 1)..]);
            }
            _ => {}
        }
    }

    #[inline]
    fn after_daemon<'l>(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if let Some((name, _)) = self.daemons.get(self.daemon)
            && let Some(message) = rest.strip_prefix(&**name)
        {
            return Some(message);
        }
        let end = memchr(b')', rest)? + 2;
        let name = rest.get(..end)?;
        self.daemon = self.daemons.iter().position(|(known, _)| **known == *name).unwrap_or_else(|| {
            self.daemons.push((name.into(), Numbers::default()));
            self.daemons.len() - 1
        });
        Some(&rest[end..])
    }

    #[inline]
    fn checkout(&mut self, rest: &[u8]) {
        let Some((feature, holder, seats)) = self.claim(rest) else { return };
        self.tally.checkouts += 1;
        let at = self.day + self.second;
        let feature = &mut self.tally.features[feature];
        feature.settle(at);
        feature.open += seats;
        feature.seat_seconds = feature.seat_seconds.wrapping_sub(seats * at);
        feature.holder_sum += u64::from(holder);
    }

    #[inline]
    fn checkin(&mut self, rest: &[u8]) {
        let Some((feature, _, seats)) = self.claim(rest) else { return };
        self.tally.checkins += 1;
        let at = self.day + self.second;
        let feature = &mut self.tally.features[feature];
        feature.settle(at);
        feature.open -= seats;
        feature.seat_seconds = feature.seat_seconds.wrapping_add(seats * at);
    }

    /// `feature" user@host  (N licenses) (reason)`: the numbers of feature and holder, and the seats.
    #[inline]
    fn claim(&mut self, rest: &[u8]) -> Option<(usize, u32, i64)> {
        let quote = memchr(b'"', rest)?;
        let (name, who) = (&rest[..quote], rest.get(quote + 2..)?);
        let (who, seats) = match who {
            [who @ .., b' ', b' '] => (who, 1),
            _ => counted(who),
        };
        let holder = if let Some(holder) = self.holders.get(who) {
            *holder
        } else {
            let number = self.holders.len() as u32;
            *self.holders.entry(who.into()).or_insert(number)
        };
        let features = &mut self.daemons.get_mut(self.daemon)?.1;
        let feature = if let Some(feature) = features.get(name) {
            *feature
        } else {
            let number = self.tally.features.len() as u32;
            self.tally.features.push(Feature::new(name));
            *features.entry(name.into()).or_insert(number)
        };
        Some((feature as usize, holder, seats))
    }

    /// `m/d/yyyy`: what day it is.
    fn anchor(&mut self, date: &[u8]) {
        let mut numbers = [0_i64; 3];
        let mut nth = 0;
        for byte in date {
            match byte {
                b'0'..=b'9' if nth < 3 => numbers[nth] = numbers[nth] * 10 + i64::from(byte - b'0'),
                b'/' => nth += 1,
                _ => break,
            }
        }
        let [month, day, year] = numbers;
        self.day = days_from_civil(year, month, day) * 86_400;
    }

    fn finish(mut self) -> Tally {
        let last = self.day + self.second;
        for feature in &mut self.tally.features {
            feature.settle(i64::MAX);
            feature.seat_seconds = feature.seat_seconds.wrapping_add(feature.open * last);
        }
        self.tally.holders = self.holders.len();
        self.tally
    }
}

impl Feature {
    fn new(name: &[u8]) -> Self {
        Self { name: name.into(), open: 0, peak: 0, seat_seconds: 0, holder_sum: 0, settled_at: 0 }
    }

    /// Before anything changes at a new instant, what was open up to it counts for the peak.
    #[inline]
    fn settle(&mut self, at: i64) {
        if at != self.settled_at {
            self.peak = self.peak.max(self.open);
            self.settled_at = at;
        }
    }
}

/// The holder and the seats of a text that does not end with two blanks.
fn counted(text: &[u8]) -> (&[u8], i64) {
    let mut who = text;
    let mut seats = 1;
    while let [rest @ .., b')'] = who.trim_ascii_end() {
        let Some(open) = memrchr(b'(', rest) else { break };
        if let Some(count) = rest[open + 1..].strip_suffix(b" licenses") {
            seats = count.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit & 15));
        }
        who = &rest[..open];
    }
    (who.trim_ascii_end(), seats)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar (Hinnant's `days_from_civil`, years from 0 on).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flexnet_log::{self, Shape};

    #[test]
    fn counts_are_those_of_the_generator() {
        let shape = Shape { slog_noise: true, ..Shape::dense(3_000_000) };
        let mut log = Vec::new();
        let written = flexnet_log::write(&shape, &mut log).unwrap();
        let tally = read(log.as_slice()).unwrap();
        assert_eq!(
            (tally.bytes, tally.lines, tally.checkouts, tally.checkins, tally.denials),
            (written.bytes, written.lines, written.checkouts, written.checkins, written.denials)
        );
        assert!(tally.features.iter().all(|feature| feature.open >= 0 && feature.peak >= feature.open));
    }

    #[test]
    fn seats_seconds_and_peaks() {
        let log = "\
            23:59:50 (lmgrd) FlexNet Licensing (v11.19.6.0 build 293152 x64_lsb) started on h (linux) (2/29/2024)\n\
            23:59:50 (d) OUT: \"f\" ann@h  (3 licenses) \n\
            23:59:55 (d) OUT: \"f\" José Juan Doe@h  \n\
            23:59:55 (d) IN: \"f\" ann@h  (3 licenses) (SHUTDOWN)\n \
            0:00:05 (d) IN: \"f\" José Juan Doe@h  \n \
            0:00:10 (d) OUT: \"f\" ann@h  \n \
            0:00:30 (lmgrd) TIMESTAMP 3/1/2024";
        let tally = read(log.as_bytes()).unwrap();
        let [feature] = &tally.features[..] else { panic!("{:?}", tally.features) };
        assert_eq!(
            (feature.open, feature.peak, feature.seat_seconds, feature.holder_sum),
            (1, 3, 15 + 10 + 20, 1)
        );
        assert_eq!((tally.lines, tally.checkouts, tally.checkins, tally.holders), (7, 3, 2, 2));
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        assert_eq!(days_from_civil(2024, 2, 29), 19_782);
    }
}
