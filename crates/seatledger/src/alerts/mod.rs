//! Alerts: the rules of the configuration, looked at about once a minute; what they raise is written down together with
//! the messages about it, and a thread of its own sends these.
//!
//! Any number of processes may look at one ledger: whoever writes first tells, the others find it told. A process that
//! ends between writing and sending leaves its messages to the next one: a message may come twice, never not at all.

mod look;
mod mail;
mod message;
mod sending;
mod shape;
mod snapshot;
#[cfg(test)]
mod tests;
mod webhook;
mod words;

/// A rule as the configuration has it, for who has none.
pub(crate) const EXAMPLE_RULE: &str = "[[alert]]\nname = \"solver is full\"\nwhen = \"full\"\nfeature = \"solver\"\nnotify = [\"mail:licenses@example.com\"]";

pub(crate) use look::{Considered, Looked, Watch, consider};
pub(crate) use message::{About, Message};
pub(crate) use sending::{Counts, Sending, Ways, sender};
pub(crate) use words::Words;
