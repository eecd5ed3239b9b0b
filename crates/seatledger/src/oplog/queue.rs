//! A bounded queue from those who must not wait to a thread that may.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What waits to be written.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    room: usize,
    dropped: AtomicU64,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// What was taken is not written yet.
    busy: bool,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue with room for so many.
    pub(super) fn new(room: usize) -> Self {
        let state = State { waiting: VecDeque::new(), busy: false, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), room, dropped: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends an item; where there is no room for it, or nobody takes any more, it is dropped and counted.
    pub(super) fn push(&self, item: T) {
        let mut state = self.lock();
        if state.closed || state.waiting.len() >= self.room {
            drop(state);
            return self.drop_items(1);
        }
        state.waiting.push_back(item);
        let is_first = state.waiting.len() == 1;
        drop(state);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Waits for items and takes at most so many; those taken before are done with. `None` when the queue is closed and empty.
    pub(super) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        state.busy = false;
        while state.waiting.is_empty() {
            self.changed.notify_all();
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.busy = true;
        let count = most.min(state.waiting.len());
        Some(state.waiting.drain(..count).collect())
    }

    /// Waits for so long, or until the queue is closed; returns whether it is still open.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let deadline = Instant::now() + pause;
        let mut state = self.lock();
        while !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// Gives up: what waits is dropped and counted, and what was taken besides.
    pub(super) fn give_up(&self, taken: usize) {
        let mut state = self.lock();
        let left = state.waiting.len();
        state.waiting.clear();
        drop(state);
        self.drop_items(left + taken);
    }

    /// Counts items that are lost.
    pub(super) fn drop_items(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// How many items were lost.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many items wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Takes no more items.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Waits until all is written, at most until the deadline; returns whether it is. What is left then is counted as lost.
    pub(super) fn drained(&self, deadline: Instant) -> bool {
        let mut state = self.lock();
        while state.busy || !state.waiting.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let lost = state.waiting.len();
                state.waiting.clear();
                drop(state);
                self.drop_items(lost);
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}
