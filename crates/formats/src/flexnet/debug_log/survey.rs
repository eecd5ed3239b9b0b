//! The first look at a debug log: which day its first line is of, and which server it is of.

use super::prefix::{self, Time};
use super::server::Server;
use super::{anchor, shape};
use crate::line;
use crate::text::{bare, text, trim};
use crate::wall_clock::{DAY, SLACK};
use accounting::day::Day;
use jiff::civil::Weekday;

/// So many lines after the first anchor the search for the server's name ends.
const REACH: u64 = 2000;
/// No more vendor daemons than this are listed.
const VENDORS: usize = 64;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Survey {
    lines: u64,
    found: line::Survey,
    server: Server,
    /// The second of the last line; none before the first.
    last: Option<u32>,
    /// Midnights counted when the clock fell by about an hour: the clocks may have been set back.
    doubtful: Vec<i32>,
    /// The line of the first anchor.
    anchored: Option<u64>,
    /// The day of the last line of the form that prints month and day, in a year that does not matter.
    month_day: Option<Day>,
}

impl line::Surveyor for Survey {
    fn line(&mut self, line: &[u8]) -> bool {
        self.lines += 1;
        let line = bare(line);
        if let Some(cut) = prefix::cut(line)
            && line[0] != b'#'
            && !shape::is_inner(line)
        {
            self.dated(cut);
        }
        match self.anchored {
            None => true,
            Some(_) if self.server.is_complete() && !self.found.vendors.is_empty() => false,
            Some(anchored) => self.lines < anchored + REACH,
        }
    }

    fn finish(mut self: Box<Self>) -> line::Survey {
        self.found.server = self.server.name();
        self.found.midnights = self.found.midnights.max(0);
        self.found
    }
}

impl Survey {
    fn dated(&mut self, cut: prefix::Prefixed<'_>) {
        let message = trim(cut.message);
        let summary = shape::summary(message);
        let (second, anchor) = match cut.time {
            Time::Second(second) => {
                let anchor = match summary {
                    Some(summary) => anchor::find_in_summary(summary, second),
                    None => anchor::find(message),
                };
                (second, anchor.map(|anchor| anchor.day_at(second)))
            }
            Time::Stamp(stamp) => (stamp.second, Some(stamp.day)),
            Time::MonthDay(month, day, second) => {
                self.count_days(month, day);
                (second, None)
            }
        };
        if self.last.is_none() {
            self.found.first_second = Some(second);
            self.found.first_dated_line = Some(self.lines);
            self.found.begins_with_start = shape::is_beginning(cut.daemon, message);
        }
        if self.anchored.is_none() {
            let late = if self.month_day.is_none() { self.tick(second) } else { false };
            if let Some(day) = anchor {
                self.anchor(if late { day.next() } else { day });
            }
        }
        self.last = self.last.or(Some(second));
        if cut.daemon == super::LMGRD {
            self.server.lmgrd(message);
        } else {
            self.server.vendor(message);
            self.vendor(cut.daemon);
        }
    }

    /// Counts midnights; whether the line came late, from before the midnight counted last.
    fn tick(&mut self, second: u32) -> bool {
        let Some(last) = self.last else { return false };
        if second > last + (DAY - SLACK) {
            return true;
        }
        if second + SLACK < last {
            if (45 * 60..=75 * 60).contains(&(last - second)) && last < 4 * 3600 && self.doubtful.len() < 8 {
                self.doubtful.push(self.found.midnights);
            }
            self.found.midnights += 1;
        }
        self.last = Some(second);
        false
    }

    /// Counts back from the first anchor. A fall of an hour was no midnight where it lies on a day on which clocks
    /// are set back: a Sunday of spring or autumn.
    fn anchor(&mut self, day: Day) {
        self.anchored = Some(self.lines);
        let mut midnights = self.found.midnights;
        for before in self.doubtful.iter().rev() {
            let without = Day(day.0 - (midnights - 1 - before));
            let date = without.date();
            if date.weekday() == Weekday::Sunday && matches!(date.month(), 3 | 4 | 9..=11) {
                midnights -= 1;
            }
        }
        self.found.first_day = Some(Day(day.0 - midnights));
        self.found.midnights = midnights;
    }

    fn count_days(&mut self, month: u32, of_month: u32) {
        const ANY_LEAP_YEAR: u32 = 2000;
        let day = match self.month_day {
            None => crate::text::day(ANY_LEAP_YEAR, month, of_month),
            Some(last) => shape::near(last, month, of_month),
        };
        if let (Some(last), Some(day)) = (self.month_day, day) {
            self.found.midnights += day.0 - last.0;
        }
        self.month_day = day.or(self.month_day);
    }

    fn vendor(&mut self, daemon: &[u8]) {
        let digits = daemon.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let parent = daemon[..daemon.len() - digits].strip_suffix(b"_").filter(|_| digits > 0);
        let known = |vendor: &String| vendor.as_bytes() == daemon || Some(vendor.as_bytes()) == parent;
        let vendors = &mut self.found.vendors;
        if shape::is_plugin(daemon) || vendors.len() >= VENDORS || vendors.iter().any(known) {
            return;
        }
        vendors.push(text(daemon).into_owned());
    }
}
