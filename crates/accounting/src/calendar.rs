//! The calendar: a time zone, time classes that cover the week, working days and holidays.

mod faults;

pub use faults::{Fault, faults};

use crate::UnixMs;
use crate::day::Day;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A named part of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeClass {
    /// The name in reports, such as `prime`.
    pub name: String,
    /// The stretches of the week that belong to it.
    pub stretches: Vec<Stretch>,
}

/// A stretch of civil time on some weekdays, half-open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The weekdays on which it lies.
    pub days: Vec<Weekday>,
    /// First minute of the day, 0 to 1439.
    pub from_minute: u16,
    /// The minute after the last, 1 to 1440.
    pub until_minute: u16,
}

/// A calendar whose classes are known to cover the week without gap or overlap.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone_name: String,
    zone: TimeZone,
    classes: Vec<TimeClass>,
    /// For each weekday (Monday first) the class boundaries: (first minute, class), ascending, from minute 0.
    week: [Vec<(u16, u8)>; 7],
    working_days: BTreeSet<u8>,
    holidays: BTreeMap<Day, String>,
}

/// Why a calendar is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CalendarError {
    /// The zone is not in the tz database.
    #[error("unknown time zone `{0}`: use an IANA name such as Europe/Zurich")]
    UnknownZone(String),
    /// A minute of the week belongs to no class.
    #[error("{day} {minute} belongs to no time class: the classes must cover the whole week")]
    Gap {
        /// The weekday.
        day: &'static str,
        /// The first such minute, as HH:MM.
        minute: String,
    },
    /// A minute of the week belongs to two classes.
    #[error("{day} {minute} belongs to both `{first}` and `{second}`: time classes must not overlap")]
    Overlap {
        /// The weekday.
        day: &'static str,
        /// The first such minute, as HH:MM.
        minute: String,
        /// One class.
        first: String,
        /// The other class.
        second: String,
    },
    /// More classes than can be told apart.
    #[error("{0} time classes: at most 32 can be kept apart")]
    TooMany(usize),
    /// A class twice, or without a name.
    #[error("time class `{0}`: every class needs a name of its own")]
    Name(String),
}

/// A stretch of a civil day that belongs to one time class, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// First instant.
    pub from: UnixMs,
    /// The instant after the last.
    pub until: UnixMs,
    /// Index of the time class.
    pub class: u8,
}

/// A civil day of a calendar: 23, 24 or 25 hours cut at the class boundaries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CivilDay {
    /// Which day.
    pub day: Day,
    /// Its first instant.
    pub start: UnixMs,
    /// The first instant of the next day.
    pub end: UnixMs,
    /// The cuts: ascending, without gap, from `start` to `end`.
    pub cuts: Vec<Cut>,
    /// Whether it is a working day: a weekday of the calendar's working days and no holiday.
    pub working: bool,
}

/// An hour of a civil day, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// First instant.
    pub from: UnixMs,
    /// The instant after the last: shorter than 60 minutes only where the clock changes in between.
    pub until: UnixMs,
    /// What the wall clock shows, 0 to 23.
    pub hour: u8,
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The seven days as the reports write them, Monday first.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl Calendar {
    /// The default calendar (the article's): `regular-overnight` 00:00–08:00, `prime` 08:00–19:00,
    /// `regular-overtime` 19:00–24:00 on every day of the week; working days Monday to Friday; no holidays.
    pub fn standard(zone_name: &str) -> Result<Self, CalendarError> {
        let class = |name: &str, from: u16, until: u16| TimeClass {
            name: name.to_owned(),
            stretches: vec![Stretch {
                days: all_days().to_vec(),
                from_minute: from * 60,
                until_minute: until * 60,
            }],
        };
        let classes =
            vec![class("regular-overnight", 0, 8), class("prime", 8, 19), class("regular-overtime", 19, 24)];
        Self::new(zone_name, classes, &all_days()[..5], BTreeMap::new())
    }

    /// A calendar of these classes; refused where they leave a gap in the week or overlap.
    pub fn new(
        zone_name: &str,
        classes: Vec<TimeClass>,
        working_days: &[Weekday],
        holidays: BTreeMap<Day, String>,
    ) -> Result<Self, CalendarError> {
        let zone = zone(zone_name)?;
        if classes.len() > 32 {
            return Err(CalendarError::TooMany(classes.len()));
        }
        for (nth, class) in classes.iter().enumerate() {
            if class.name.is_empty() || classes[..nth].iter().any(|other| other.name == class.name) {
                return Err(CalendarError::Name(class.name.clone()));
            }
        }
        let week = week_of(&classes)?;
        let working_days = working_days.iter().map(|day| day.to_monday_zero_offset() as u8).collect();
        Ok(Self { zone_name: zone_name.to_owned(), zone, classes, week, working_days, holidays })
    }

    /// The same calendar in another zone.
    pub fn in_zone(self, zone_name: &str) -> Result<Self, CalendarError> {
        Ok(Self { zone: zone(zone_name)?, zone_name: zone_name.to_owned(), ..self })
    }

    /// The IANA name of the zone.
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The time classes, in the order of their indices.
    pub fn classes(&self) -> &[TimeClass] {
        &self.classes
    }

    /// The index of a class by its name.
    pub fn class_named(&self, name: &str) -> Option<u8> {
        self.classes.iter().position(|class| class.name == name).map(|index| index as u8)
    }

    /// The working weekdays, Monday = 0.
    pub fn working_days(&self) -> &BTreeSet<u8> {
        &self.working_days
    }

    /// The holidays with their names.
    pub fn holidays(&self) -> &BTreeMap<Day, String> {
        &self.holidays
    }

    /// The civil day of an instant.
    pub fn day_of(&self, at: UnixMs) -> Day {
        Day::of(at, &self.zone)
    }

    /// Whether a day is worked: one of the working days and no holiday.
    pub fn is_working(&self, day: Day) -> bool {
        self.working_days.contains(&(day.weekday_index() as u8)) && !self.holidays.contains_key(&day)
    }

    /// A civil day with its cuts. Where the clock jumps over a class boundary the class begins at the jump; an
    /// hour that comes twice belongs both times to its class.
    pub fn day(&self, day: Day) -> CivilDay {
        let (start, end) = (day.start(&self.zone), day.next().start(&self.zone));
        let mut cuts: Vec<Cut> = Vec::with_capacity(4);
        self.each_offset(start, end, |from, until, offset_ms| {
            // Where the clock is set back over midnight, the wall shows the day before once more.
            let first = (from + offset_ms).div_euclid(DAY_MS);
            for wall_day in first..=(until - 1 + offset_ms).div_euclid(DAY_MS) {
                let midnight_ms = wall_day * DAY_MS - offset_ms;
                let boundaries = &self.week[Day(wall_day as i32).weekday_index()];
                for (nth, &(minute, class)) in boundaries.iter().enumerate() {
                    let next = boundaries.get(nth + 1).map_or(24 * 60, |&(minute, _)| minute);
                    let cut_from = (midnight_ms + i64::from(minute) * 60_000).max(from);
                    let cut_until = (midnight_ms + i64::from(next) * 60_000).min(until);
                    if cut_from < cut_until {
                        push(&mut cuts, Cut { from: cut_from, until: cut_until, class });
                    }
                }
            }
        });
        CivilDay { day, start, end, cuts, working: self.is_working(day) }
    }

    /// The hours of a day as the wall clock shows them, ascending and without gap from its start to its end. An hour
    /// that comes twice is there twice; one that is jumped over is not there.
    pub fn hours(&self, civil: &CivilDay) -> Vec<Hour> {
        let mut hours: Vec<Hour> = Vec::with_capacity(25);
        self.each_offset(civil.start, civil.end, |mut from, until, offset_ms| {
            while from < until {
                let wall_hour = (from + offset_ms).div_euclid(HOUR_MS);
                let next = ((wall_hour + 1) * HOUR_MS - offset_ms).min(until);
                hours.push(Hour { from, until: next, hour: wall_hour.rem_euclid(24) as u8 });
                from = next;
            }
        });
        hours
    }

    /// The stretches of `[start, end)` with one offset from UTC each: (from, until, offset in ms).
    fn each_offset(&self, start: UnixMs, end: UnixMs, mut each: impl FnMut(UnixMs, UnixMs, i64)) {
        let stamp = jiff::Timestamp::from_millisecond(start).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let mut from = start;
        for transition in self.zone.following(stamp) {
            let at = transition.timestamp().as_millisecond();
            if at >= end {
                break;
            }
            if at > from {
                each(from, at, offset_ms(&self.zone, from));
                from = at;
            }
        }
        if from < end {
            each(from, end, offset_ms(&self.zone, from));
        }
    }

    /// One text that says all of this calendar: two calendars with the same text cut time alike.
    pub fn fingerprint(&self) -> String {
        let mut text = format!("{}\n", self.zone_name);
        for class in &self.classes {
            text += &class.name;
            for stretch in &class.stretches {
                let days: Vec<_> = stretch.days.iter().map(|day| day.to_monday_zero_offset()).collect();
                let _ = write!(text, " {days:?} {}-{}", stretch.from_minute, stretch.until_minute);
            }
            text += "\n";
        }
        let _ = writeln!(text, "{:?}", self.working_days);
        for (day, name) in &self.holidays {
            let _ = writeln!(text, "{day} {name}");
        }
        text
    }
}

/// The zone of an IANA name.
pub fn zone(name: &str) -> Result<TimeZone, CalendarError> {
    TimeZone::get(name).map_err(|_| CalendarError::UnknownZone(name.to_owned()))
}

/// Monday to Sunday.
pub fn all_days() -> [Weekday; 7] {
    [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ]
}

/// The instant of a wall-clock time in a zone: of an hour that comes twice the first one; of one that is jumped
/// over, the time shifted by the jump.
pub fn instant(local: DateTime, zone: &TimeZone) -> UnixMs {
    zone.to_ambiguous_timestamp(local).compatible().map_or(0, jiff::Timestamp::as_millisecond)
}

/// Wall-clock midnight of a day, as a date and time.
pub fn midnight(day: Day) -> DateTime {
    day.date().to_datetime(Time::midnight())
}

fn offset_ms(zone: &TimeZone, at: UnixMs) -> i64 {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    i64::from(zone.to_offset(stamp).seconds()) * 1000
}

/// Adds a cut; where the clock was set back within a class its two halves are one.
fn push(cuts: &mut Vec<Cut>, cut: Cut) {
    match cuts.last_mut() {
        Some(last) if last.class == cut.class && last.until == cut.from => last.until = cut.until,
        _ => cuts.push(cut),
    }
}

fn week_of(classes: &[TimeClass]) -> Result<[Vec<(u16, u8)>; 7], CalendarError> {
    let mut minutes = vec![[u8::MAX; 24 * 60]; 7];
    for (index, class) in classes.iter().enumerate() {
        for stretch in &class.stretches {
            for day in &stretch.days {
                let weekday = day.to_monday_zero_offset() as usize;
                for minute in stretch.from_minute..stretch.until_minute.min(24 * 60) {
                    let owner = &mut minutes[weekday][usize::from(minute)];
                    if *owner != u8::MAX {
                        return Err(CalendarError::Overlap {
                            day: WEEKDAYS[weekday],
                            minute: clock(minute),
                            first: classes[usize::from(*owner)].name.clone(),
                            second: class.name.clone(),
                        });
                    }
                    *owner = index as u8;
                }
            }
        }
    }
    let mut week: [Vec<(u16, u8)>; 7] = Default::default();
    for (weekday, owners) in minutes.iter().enumerate() {
        for (minute, &owner) in owners.iter().enumerate() {
            if owner == u8::MAX {
                return Err(CalendarError::Gap { day: WEEKDAYS[weekday], minute: clock(minute as u16) });
            }
            if week[weekday].last().is_none_or(|&(_, class)| class != owner) {
                week[weekday].push((minute as u16, owner));
            }
        }
    }
    Ok(week)
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
