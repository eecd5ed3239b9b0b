//! The signal to stop, for which sources wait while there is nothing to do.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Given once, seen by all.
#[derive(Debug, Default)]
pub(super) struct Signal {
    given: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    pub(super) fn give(&self) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn is_given(&self) -> bool {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until it is given; whether it is.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(given, time, |given| !*given);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
