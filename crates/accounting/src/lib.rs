//! The meaning of license use: events, sessions, feature days, reports.
//!
//! Pure: nothing here reads a clock, a file, a socket, the environment or a database. Words, rules and formulas
//! are those of `docs/domain.md`; where a function computes a formula, its comment repeats it.

pub mod alert;
pub mod by_day;
pub mod calendar;
pub mod capacity;
pub mod concurrency;
pub mod day;
pub mod directory;
pub mod event;
pub mod feature_day;
pub mod heartbeat;
pub mod ledger;
pub mod page;
pub mod pairing;
pub mod privacy;
pub mod report;
pub mod session;

/// An instant: milliseconds since 1970-01-01 00:00 UTC.
pub type UnixMs = i64;
