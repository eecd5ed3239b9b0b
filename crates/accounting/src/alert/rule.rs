//! What an administrator wants to be told.

use super::Timing;
use crate::UnixMs;
use crate::calendar::Stretch;
use crate::event::DenialReason;
use globset::GlobMatcher;
use jiff::tz::TimeZone;

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What people call it; unique.
    pub name: String,
    /// When it holds.
    pub condition: Condition,
    /// Of which features.
    pub features: Globs,
    /// At which license servers.
    pub servers: Globs,
    /// Of which persons.
    pub persons: Globs,
    /// Of which sources.
    pub sources: Globs,
    /// For how long it must hold, and when it is told again.
    pub timing: Timing,
    /// When nobody wants to be told: stretches of the week in the calendar's zone.
    pub quiet: Vec<Stretch>,
}

/// The kinds of conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// So many seats of a feature are in use.
    Full,
    /// So many requests for a feature were denied.
    Denials,
    /// Seats expire soon.
    Expiry,
    /// A license server or a vendor daemon does not answer, or has stopped.
    ServerDown,
    /// A seat is held at midnight.
    Overnight,
    /// Nothing was heard of a source.
    SourceSilent,
    /// A session lasts too long.
    LongSession,
}

/// All kinds, with the word for each in the configuration.
const WHENS: [(&str, When); 7] = [
    ("full", When::Full),
    ("denials", When::Denials),
    ("expiry", When::Expiry),
    ("server-down", When::ServerDown),
    ("overnight", When::Overnight),
    ("source-silent", When::SourceSilent),
    ("long-session", When::LongSession),
];

impl When {
    /// All kinds, with the word for each.
    pub fn words() -> [(&'static str, Self); 7] {
        WHENS
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        WHENS[self as usize].0
    }
}

/// When a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Seats of a feature are in use, of all its license servers together or of each.
    Full {
        /// From when on it is full, and when no more.
        fullness: Fullness,
        /// Whether each license server is looked at by itself.
        each_server: bool,
    },
    /// Requests for a feature were denied: denials of one person at one host no more than 15 minutes apart are one.
    Denials {
        /// So many requests at least.
        requests: usize,
        /// Of so many persons at least.
        persons: usize,
        /// In so many milliseconds before the last evidence.
        within_ms: i64,
        /// For these reasons.
        reasons: Vec<DenialReason>,
    },
    /// Seats expire in no more than so many days: each number of days that is reached is told, most days first.
    Expiry {
        /// Days left, descending.
        days: Vec<i32>,
    },
    /// No poll was answered, or the log says that it stopped.
    ServerDown,
    /// A session holds a seat at this minute of the civil day.
    Overnight {
        /// 0 is midnight.
        at_minute: u16,
        /// Only sessions of so many milliseconds at least.
        held_ms: i64,
    },
    /// Nothing was heard of a source for so many milliseconds.
    SourceSilent {
        /// How long it may be silent.
        silent_ms: i64,
    },
    /// A session lasts longer than so many milliseconds.
    LongSession {
        /// How long it may last.
        held_ms: i64,
    },
}

impl Condition {
    /// Its kind.
    pub fn when(&self) -> When {
        match self {
            Self::Full { .. } => When::Full,
            Self::Denials { .. } => When::Denials,
            Self::Expiry { .. } => When::Expiry,
            Self::ServerDown => When::ServerDown,
            Self::Overnight { .. } => When::Overnight,
            Self::SourceSilent { .. } => When::SourceSilent,
            Self::LongSession { .. } => When::LongSession,
        }
    }
}

/// How many seats make a feature full. Between the two bounds an alert stays what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fullness {
    /// Percent of the seats issued that are in use: full from `full` on, free again below `clear`.
    Percent {
        /// Full at so many percent or more.
        full: i64,
        /// Free again at fewer.
        clear: i64,
    },
    /// Seats that are free (issued − in use): full at `full` or fewer, free again at more than `clear`.
    Free {
        /// Full at so many or fewer.
        full: i64,
        /// Free again at more.
        clear: i64,
    },
}

impl Fullness {
    /// Whether so many seats in use of so many are full (`Some(true)`), free (`Some(false)`) or between.
    pub fn judge(self, in_use: i64, issued: i64) -> Option<bool> {
        let (is_full, is_free) = match self {
            Self::Percent { full, clear } => {
                let reaches =
                    |percent: i64| i128::from(in_use) * 100 >= i128::from(percent) * i128::from(issued);
                (reaches(full), !reaches(clear))
            }
            Self::Free { full, clear } => (issued - in_use <= full, issued - in_use > clear),
        };
        if is_full { Some(true) } else { is_free.then_some(false) }
    }
}

/// Names that a rule is about: those that match any of some patterns and none of others. Without patterns, all.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    /// Any of these.
    pub wanted: Vec<GlobMatcher>,
    /// None of these.
    pub unwanted: Vec<GlobMatcher>,
}

impl Globs {
    /// Whether a rule is about a thing that goes by some names.
    pub fn match_any(&self, names: &[&str]) -> bool {
        let matches =
            |globs: &[GlobMatcher]| globs.iter().any(|glob| names.iter().any(|name| glob.is_match(name)));
        (self.wanted.is_empty() || matches(&self.wanted)) && !matches(&self.unwanted)
    }

    /// Whether a rule is about all names.
    pub fn is_everything(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.is_empty()
    }
}

/// Whether an instant lies in one of some stretches of the week.
pub fn is_quiet(quiet: &[Stretch], at: UnixMs, zone: &TimeZone) -> bool {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let local = zone.to_datetime(stamp);
    let minute = local.hour() as u16 * 60 + local.minute() as u16;
    quiet.iter().any(|stretch| {
        stretch.days.contains(&local.weekday())
            && (stretch.from_minute..stretch.until_minute).contains(&minute)
    })
}
