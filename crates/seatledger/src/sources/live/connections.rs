//! The few connections to the ledger that all sources share: a process has only so many.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;
use store::{Error, Opener, Store};

/// How many there are at most.
pub(super) const CONNECTIONS: usize = 2;
/// How long a connection waits for another writer before it says that the ledger is locked.
const BUSY: Duration = Duration::from_secs(5);

/// How the ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// As a service does.
    Writing,
    /// As who only asks: a ledger that is not there is not made, and nothing is waited for.
    Reading,
}

/// The connections; each is opened when it is first needed, and again when it was lost.
pub(super) struct Connections {
    opener: Opener,
    access: Access,
    free: Mutex<Vec<Option<Store>>>,
    returned: Condvar,
}

impl Connections {
    pub(super) fn new(opener: Opener, access: Access) -> Self {
        let free = (0..CONNECTIONS).map(|_| None).collect();
        Self { opener, access, free: Mutex::new(free), returned: Condvar::new() }
    }

    /// Calls `work` with a connection, when one is free.
    pub(super) fn with<T>(&self, work: &mut dyn FnMut(&mut Store) -> Result<T, Error>) -> Result<T, Error> {
        let mut taken = Taken { from: self, store: self.take() };
        let store = match taken.store.as_mut() {
            Some(store) => store,
            None => taken.store.insert(self.open()?),
        };
        let done = work(store);
        if !matches!(
            done,
            Ok(_) | Err(Error::Conflict | Error::Locked(_) | Error::Behind { .. } | Error::Private(_))
        ) {
            // What the connection is worth after this is not known: the next one is new.
            taken.store = None;
        }
        done
    }

    /// Whether what is away is waited for.
    pub(super) fn waits(&self) -> bool {
        self.access == Access::Writing
    }

    fn open(&self) -> Result<Store, Error> {
        match self.access {
            Access::Writing => self.opener.open(BUSY),
            Access::Reading => self.opener.open_for_reading(),
        }
    }

    fn take(&self) -> Option<Store> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.returned.wait_while(free, |free| free.is_empty()).unwrap_or_else(PoisonError::into_inner);
        free.pop().flatten()
    }
}

/// Gives its place back, whatever happens to the one who has it.
struct Taken<'c> {
    from: &'c Connections,
    store: Option<Store>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let store = if std::thread::panicking() { None } else { self.store.take() };
        let mut free = self.from.free.lock().unwrap_or_else(PoisonError::into_inner);
        // Open ones are taken first.
        let place = free.len() * usize::from(store.is_some());
        free.insert(place, store);
        self.from.returned.notify_one();
    }
}
