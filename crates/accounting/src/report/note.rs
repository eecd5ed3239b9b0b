//! What must be said beside a report's figures, as values: faces put them into words, each in the reader's language.

mod english;

pub use english::said;

use super::allocation::Share;
use super::group::Key;
use super::money::Cents;
use crate::UnixMs;
use crate::day::Day;
use std::fmt;

/// A note on a report. Instants are shown in the calendar's zone, as those of cells are.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// Days, weeks and months are civil ones of the zone of this name.
    Zone(String),
    /// Only working days count.
    WorkingDays {
        /// The weekdays that are, 0 Monday.
        weekdays: Vec<u8>,
        /// How many holidays of the period are known.
        holidays: usize,
    },
    /// Only what matches counts: a feature, a person, an organization, a license server, a time class.
    Only(Key, String),
    /// When the license servers of the scope were watched.
    Coverage(Coverage),
    /// The instant of the ledger's last evidence.
    AsOf(UnixMs),
    /// The calendar in force is not that of the configuration.
    OtherCalendar,
    /// Of figures by product or type: seats are added up, and sessions of packages left out.
    AddedUp,
    /// Of use by product: sessions of packages are left out.
    PackagesLeftOut,
    /// Groups of this key have no seats of their own.
    NoSeatsOf(Key),
    /// What a license is in `average-licenses`.
    License(WorkingTime),
    /// What a license is in the column `app_usage_percent`.
    AppUsage(WorkingTime),
    /// More steps than this, so that some are left out.
    StepsLeftOut(usize),
    /// What requests are, and when one was delayed.
    Requests,
    /// Requests that were refused have no version.
    RefusedWithoutVersion,
    /// The day to which idle days are counted.
    IdleAsOf(Day),
    /// Nobody's features and numbers of seats are not shown.
    UsedOnly,
    /// Of so many features a session is still open though its evidence is old.
    LongOpen(usize),
    /// Imported totals.
    Totals(Totals),
    /// How a bill is split.
    Bill(OfBill),
    /// The day from which days are counted to those on which seats expire.
    CountedFrom(Day),
    /// Only what expires within so many days.
    Within(i32),
    /// So many seats or pools have no known date, and are not shown.
    WithoutDate(usize),
    /// What `report coverage` does not say in its rows.
    Watching(Watching),
    /// What looking at the rules of alerts does not say in its rows.
    Rule {
        /// The rule's name.
        rule: String,
        /// What is said of it.
        of: OfRule,
    },
}

/// When license servers were watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// Nothing was watched in the period.
    Nothing,
    /// Something was seen at single instants, which are no time.
    InstantsOnly,
    /// The first and the last instant, and what is missing between.
    Watched {
        /// The first instant.
        from: UnixMs,
        /// The end of the last stretch.
        until: UnixMs,
        /// The license servers with gaps, by name, and how many each has.
        gaps: Vec<(String, usize)>,
        /// How often none of them was watched, where the gaps do not show it.
        without_any: Option<usize>,
    },
}

/// The working time by which a license is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorkingTime {
    /// Working hours of a day.
    pub hours: Hours,
    /// Working days of a month, where they were given; else the calendar's.
    pub days: Option<f64>,
}

/// Working hours of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Hours {
    /// As they were given.
    Given(f64),
    /// Those of the calendar's class `prime`.
    Prime,
    /// Those of all classes of the calendar: it has no `prime`.
    AllClasses,
}

/// Of imported totals, which know neither sessions nor persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Totals {
    /// Rows of the report are totals.
    Shown,
    /// They are left out: this key or filter is not known of them.
    Without(Key),
    /// They are not looked at for what is idle.
    NotIdle,
    /// They take no part in splitting a bill.
    NotBilled,
}

/// How a bill is split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfBill {
    /// By what.
    By(Share),
    /// Persons belong to organizations and projects as of the day of use.
    Memberships,
    /// One bill for all features.
    One {
        /// The bill.
        bill: Money,
        /// Whether only some features match.
        some: bool,
        /// Whether sessions of packages are left out.
        without_packages: bool,
    },
    /// What the catalog says of a feature is no price.
    NoPrice {
        /// The feature.
        feature: String,
        /// What the catalog says.
        price: String,
    },
    /// The bill of a feature.
    Priced {
        /// The feature.
        feature: String,
        /// The price of a seat.
        price: String,
        /// How many seats.
        seats: i64,
        /// Whether they are those issued; else the peak.
        issued: bool,
        /// The bill.
        bill: Money,
    },
    /// These features have no price and are left out.
    Unpriced(Vec<String>),
    /// Nobody's use can split a bill.
    Unused {
        /// The feature whose bill it is; none where it is one for all.
        feature: Option<String>,
        /// The bill.
        bill: Money,
    },
}

/// An amount and what it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// The amount.
    pub amount: Cents,
    /// What it is in, where somebody said so.
    pub currency: Option<String>,
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.currency.as_deref().map(str::trim_end).filter(|currency| !currency.is_empty()) {
            Some(currency) => write!(out, "{} {currency}", self.amount),
            None => write!(out, "{}", self.amount),
        }
    }
}

/// Of what was watched when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watching {
    /// What a gap is.
    Gap,
    /// What the time between inputs is.
    Between,
    /// What the rows of running services' sources say.
    Sources,
    /// How far the polls of a license server agree with its log.
    Reconciled {
        /// The license server.
        server: String,
        /// Polls that fall into what the log covers.
        polls: u64,
        /// Figures of seats in use that were compared.
        compared: u64,
        /// Of them, those that agree.
        equal: u64,
        /// Where they differ most.
        worst: Option<Differs>,
    },
}

/// A figure of seats in use in which a poll and the log differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differs {
    /// The feature.
    pub feature: String,
    /// The poll's instant.
    pub at: UnixMs,
    /// As the poll shows it.
    pub polled: i64,
    /// As the log shows it.
    pub logged: i64,
}

/// Of a rule of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfRule {
    /// How it is now is not known of some subjects.
    Unknown {
        /// Of so many,
        subjects: usize,
        /// of so many.
        of: usize,
    },
    /// Nothing that the rule looks at is there.
    Lacks(Lacking),
    /// License servers stand for the sources that only the service knows.
    ServersForSources,
}

/// What is not there for a rule to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// A feature that matches and has seats that were counted, at a license server that was heard of.
    CountedSeats,
    /// A feature that matches at a license server with a log.
    Log,
    /// Anything that matches and expires.
    Expiry,
    /// A license server that matches.
    Server,
    /// A source that matches.
    Source,
}
