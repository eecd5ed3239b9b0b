//! Names of ISVs, which a log prints once, at its beginning, and which belong to all lines after it.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// No more names than this are kept; a real ledger knows a handful.
const MOST: usize = 4096;
/// Longer names are none.
const LONGEST: usize = 128;

/// The name as a text that lives as long as the program, so that lines on which it does not stand can bear it; empty
/// where it cannot be one.
pub(super) fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    if names.len() >= MOST || name.len() > LONGEST {
        return "";
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}
