//! A few connections that read, each on a thread of its own while it does.

use super::failure::Failure;
use crate::clock;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Opener, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a question waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connections to the ledger, opened when they are needed and kept.
#[derive(Debug)]
pub(crate) struct Readers {
    opener: Opener,
    idle: Mutex<Vec<Store>>,
    turns: Arc<Semaphore>,
}

/// A question's turn.
pub(crate) struct Turn {
    readers: Arc<Readers>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    /// At most so many at once.
    pub(crate) fn new(opener: Opener, most: usize) -> Arc<Self> {
        Arc::new(Self { opener, idle: Mutex::new(Vec::new()), turns: Arc::new(Semaphore::new(most)) })
    }

    /// Waits for a turn.
    pub(crate) async fn turn(self: &Arc<Self>) -> Result<Turn, Failure> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn { readers: Arc::clone(self), _permit: permit }),
            Ok(Err(_)) | Err(_) => {
                Err(Failure::Busy("too many questions at once: try again in a moment".to_owned()))
            }
        }
    }

    /// Does short work with a connection, on a thread that may wait.
    pub(crate) async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<anyhow::Result<T>, Failure> {
        let turn = self.turn().await?;
        tokio::task::spawn_blocking(move || turn.work(work)).await.map_err(|_| Failure::Ours)
    }
}

impl Drop for Readers {
    /// A connection to PostgreSQL waits while it is closed: not on a thread that may not wait.
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        if !idle.is_empty() {
            let _ = std::thread::spawn(move || drop(idle)).join();
        }
    }
}

impl Turn {
    /// Does work with a connection. A connection of which an error says nothing good is not used again.
    pub(crate) fn work<T>(&self, work: impl FnOnce(&mut Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let idle = || self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut store = match kept {
            Some(store) => store,
            None => self.readers.opener.open_for_reading()?,
        };
        store.tell_time(clock::now());
        let done = work(&mut store);
        let is_sound = match &done {
            Ok(_) => true,
            Err(error) => error.downcast_ref::<store::Error>().is_none(),
        };
        if is_sound {
            idle().push(store);
        }
        done
    }
}
