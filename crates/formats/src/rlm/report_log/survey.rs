//! The first look at a report log: which day it begins on, whose and which server's it is, whether it goes on from
//! another one.

use super::header::{Head, says};
use super::record::{self, Kind};
use crate::line::{self, Fit, Survey};
use crate::rlm::dates::{Date, Stamp, near};
use crate::text::{bare, text, trim};
use accounting::day::Day;

/// So many lines after the first year the search for names ends.
const REACH: u64 = 2000;
/// A time of the day may fall by so many seconds without a midnight between.
const SLACK: u32 = 300;

/// Whether the beginning of a text is of a report log.
pub(super) fn fits(head: &[u8]) -> Fit {
    let mut best = Fit::No;
    for line in head.split(|&byte| byte == b'\n') {
        let line = trim(bare(line));
        let fit = match record::parse(line) {
            Some(Ok(record)) if record.stamp.date != Date::None => Fit::Yes,
            Some(Ok(record)) if record.who.is_some() => Fit::Maybe,
            Some(_) => Fit::No,
            None => match says(line) {
                Some(Head::Title) => Fit::Yes,
                Some(Head::Start(..)) => Fit::Maybe,
                _ => Fit::No,
            },
        };
        best = best.max(fit);
        if best == Fit::Yes {
            break;
        }
    }
    best
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Look {
    lines: u64,
    found: Survey,
    /// The day of the last line, in a year that counts only once one was printed.
    day: Option<Day>,
    /// The second of the last line.
    second: Option<u32>,
    /// The line of the first year.
    anchored: Option<u64>,
    /// The START with which the log begins: its line, day and second. No line is evidence before the one after it.
    start: Option<(u64, Day, u32)>,
    /// A line of those that stand before START was read.
    titled: bool,
    /// A START was read.
    started: bool,
    goes_on: bool,
    /// Whether it is known how the log begins.
    settled: bool,
}

impl line::Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = trim(bare(line));
        match record::parse(line) {
            Some(Ok(record)) => {
                self.goes_on |= record.kind == Kind::InUse && !self.settled;
                self.settled |= record.kind != Kind::InUse || !self.started;
                self.dated(record.stamp);
            }
            Some(Err(_)) => {}
            None => self.head(line),
        }
        let named = !self.found.vendors.is_empty() && self.found.server.is_some();
        match self.anchored {
            Some(_) if self.settled && named => false,
            Some(anchored) => self.lines < anchored + REACH,
            None => true,
        }
    }

    fn finish(mut self: Box<Self>) -> Survey {
        if let Some((line, day, second)) = self.start.filter(|_| self.found.first_dated_line.is_none()) {
            self.found.first_dated_line = Some(line);
            self.found.first_day = Some(day);
            self.found.first_second = Some(second);
        }
        self.found.begins_with_start &= !self.goes_on;
        self.found.midnights = self.found.midnights.max(0);
        self.found
    }
}

impl Look {
    fn head(&mut self, line: &[u8]) {
        let Some(head) = says(line) else { return };
        self.settled |= head.settles();
        self.titled |= matches!(head, Head::Isv(_));
        match head {
            Head::Title => self.titled = true,
            Head::SwitchFrom if !self.started && self.found.first_dated_line.is_none() => self.goes_on = true,
            Head::Isv(name) if self.found.vendors.is_empty() && !name.is_empty() => {
                self.found.vendors.push(text(name).into_owned());
            }
            Head::Start(host, stamp) => {
                let first = self.found.first_dated_line.is_none();
                // A text that begins with START itself was cut out of a log.
                self.found.begins_with_start |= first && self.titled;
                self.found.server.get_or_insert_with(|| text(host).into_owned());
                self.start(stamp, first && !self.started);
                self.started = true;
            }
            Head::Zone(minutes_west) if self.started && self.found.first_dated_line.is_none() => {
                self.found.utc_offset.get_or_insert(-60 * minutes_west);
            }
            Head::Reread(stamp) | Head::Shutdown(stamp) | Head::Day(stamp) | Head::Other(Some(stamp)) => {
                self.dated(stamp);
            }
            _ => {}
        }
    }

    /// START tells the year; where the log begins with it, the first dated line is the one after it.
    fn start(&mut self, stamp: Stamp, begins: bool) {
        let Date::Full(day) = stamp.date else { return };
        if !begins {
            return self.dated(stamp);
        }
        self.start = Some((self.lines, day, stamp.second));
        self.anchored = Some(self.lines);
    }

    fn dated(&mut self, stamp: Stamp) {
        if self.found.first_dated_line.is_none() {
            self.found.first_dated_line = Some(self.lines);
            self.found.first_second = Some(self.second_of(stamp));
            if let Some((_, start, second)) = self.start {
                self.found.first_day = Some(match stamp.date {
                    Date::Full(day) => day,
                    Date::MonthDay(month, of_month) => near(start, month, of_month).unwrap_or(start),
                    Date::None => Day(start.0 + i32::from(stamp.second + SLACK < second)),
                });
            }
        }
        if self.anchored.is_some() {
            return;
        }
        let fell = self.second.is_some_and(|last| stamp.second + SLACK < last);
        self.second = Some(stamp.second);
        match (stamp.date, self.day) {
            (Date::MonthDay(month, of_month), Some(last)) => {
                let day = near(last, month, of_month).unwrap_or(last);
                self.found.midnights += day.0 - last.0;
                self.day = Some(day);
            }
            (Date::Full(day), Some(last)) => {
                // The lines before it end on the same day of the year or a little before.
                let date = last.date();
                let last = near(day, date.month() as u32, date.day() as u32).unwrap_or(day);
                self.anchor(last);
            }
            (Date::None, last) => {
                self.found.midnights += i32::from(fell);
                self.day = last.map(|last| Day(last.0 + i32::from(fell)));
            }
            (Date::MonthDay(month, of_month), None) => {
                self.found.midnights += i32::from(fell);
                // Any leap year, until one is printed.
                self.day = crate::text::day(2000, month, of_month);
            }
            (Date::Full(day), None) => {
                self.found.midnights += i32::from(fell);
                self.anchor(day);
            }
        }
    }

    /// What is told to the minute of START happened after it.
    fn second_of(&self, stamp: Stamp) -> u32 {
        match self.start {
            Some((.., second))
                if stamp.to_the_minute && (stamp.second..stamp.second + 60).contains(&second) =>
            {
                second
            }
            _ => stamp.second,
        }
    }

    /// The first line with a year stands here; the first line's day is counted back from a day near it.
    fn anchor(&mut self, last: Day) {
        self.anchored = Some(self.lines);
        self.found.first_day = Some(Day(last.0 - self.found.midnights));
    }
}
