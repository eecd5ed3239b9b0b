//! The signal to stop, for which sources wait while there is nothing to do.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{PipeReader, PipeWriter};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Given once, seen by all.
#[derive(Debug)]
pub(super) struct Signal {
    given: Mutex<bool>,
    changed: Condvar,
    /// What is read from it ends when the signal is given. Where the machine gave none it is not waited for anything else.
    pipe: Option<PipeReader>,
    end: Mutex<Option<PipeWriter>>,
}

impl Default for Signal {
    fn default() -> Self {
        let (pipe, end) = std::io::pipe().ok().unzip();
        Self { given: Mutex::new(false), changed: Condvar::new(), pipe, end: Mutex::new(end) }
    }
}

impl Signal {
    pub(super) fn give(&self) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = None;
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

    /// Waits so long, until it is given, or until there is something else to read; whether it is given.
    pub(super) fn wait_or_readable(&self, time: Duration, other: BorrowedFd<'_>) -> bool {
        let Some(pipe) = &self.pipe else { return self.wait(time) };
        let mut both = [pipe.as_fd(), other].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let timeout = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
        match poll(&mut both, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => self.is_given(),
            Err(_) => self.wait(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::time::Duration;

    const LONG: Duration = Duration::from_mins(10);

    #[test]
    fn what_is_waited_for_comes_before_the_time_is_over() {
        let signal = Signal::default();
        let (other, mut end) = std::io::pipe().expect("a pipe");
        end.write_all(b"a").expect("written");
        assert!(!signal.wait_or_readable(LONG, other.as_fd()));
        let (other, _end) = std::io::pipe().expect("a pipe");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| signal.wait_or_readable(LONG, other.as_fd()));
            signal.give();
            assert!(waits.join().expect("it ends"));
        });
    }
}
