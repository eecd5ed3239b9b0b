//! Notices of the machine that files have changed. They make the next look come earlier, and where hardly anything is missed
//! looks come less often: network shares give none of what other machines write, and what a look finds is the truth.

use super::look::Looker;
use super::share;
use crate::sources::live::Post;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// So long after a look nothing makes another one come: many notices are one look.
const REST: Duration = Duration::from_millis(100);
/// Where notices miss hardly anything it is looked so many times less often, and yet within a second: what is written through
/// a link or into mapped memory is not noticed.
const FEWER: (u32, Duration) = (3, Duration::from_secs(1));

/// What the machine tells of one directory. The thread that follows it waits for it itself.
pub(super) struct Notices {
    /// None where the machine gives no notices at all.
    queue: Option<kernel::Queue>,
    /// The number of the directory's watch, while there is one.
    watch: Option<i32>,
    /// Whether something is watched, where notices miss hardly anything.
    is_well_told: bool,
    looked_at: Instant,
}

impl Notices {
    pub(super) fn new() -> Self {
        let queue = kernel::Queue::open().ok();
        Self { queue, watch: None, is_well_told: false, looked_at: Instant::now() }
    }

    /// Why the machine gives no notices of this directory, where it gives none.
    pub(super) fn try_out(directory: &Path) -> io::Result<()> {
        kernel::Queue::open()?.watch(directory).map(drop)
    }

    /// Before a look: what has the path of the directory now is what is watched, and what was noticed before it needs no
    /// other look.
    pub(super) fn begin_look(&mut self, looker: &mut Looker) {
        self.looked_at = Instant::now();
        let Some(queue) = &self.queue else { return };
        let directory = looker.files().listed_directory();
        let watch = queue.watch(directory).ok();
        if watch != self.watch {
            if let Some(before) = self.watch {
                queue.unwatch(before);
            }
            self.is_well_told = watch.is_some() && share::tells_changes(directory);
        }
        self.watch = watch;
        self.take(looker);
    }

    /// Waits for the next look: so long, longer where notices miss hardly anything and nothing `is_due` that none tells, and
    /// less where something is noticed of the files. False where the source must stop.
    pub(super) fn wait(&mut self, post: &Post, looker: &mut Looker, every: Duration, is_due: bool) -> bool {
        let seldom = self.is_well_told && !is_due;
        let until = Instant::now() + if seldom { (every * FEWER.0).min(FEWER.1).max(every) } else { every };
        let left = || until.saturating_duration_since(Instant::now());
        loop {
            let Some(queue) = self.queue.as_ref().filter(|_| self.watch.is_some()) else {
                return post.pause(left());
            };
            if !post.pause_or_readable(left(), queue) {
                return false;
            }
            if self.take(looker) {
                return post.pause(left().min(REST.saturating_sub(self.looked_at.elapsed())));
            }
            // Other files may be written to without end.
            if left().is_zero() || !post.pause(left().min(REST)) {
                return !post.stopping();
            }
        }
    }

    /// Takes all notices; whether any is of the files.
    fn take(&self, looker: &mut Looker) -> bool {
        let mut is_any = false;
        let Some(queue) = &self.queue else { return false };
        queue.take(&mut |watch, name| match name {
            _ if watch.is_some() && watch != self.watch => {}
            Some(name) => is_any |= looker.noticed(name),
            // The directory itself, or more than the machine could keep.
            None => is_any = true,
        });
        is_any
    }
}

/// What Linux tells, with inotify.
#[cfg(target_os = "linux")]
mod kernel {
    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;

    /// Room for some notices; one has at most 272 bytes.
    const ROOM: usize = 4096;

    pub(super) struct Queue(OwnedFd);

    impl Queue {
        pub(super) fn open() -> io::Result<Self> {
            Ok(Self(inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?))
        }

        /// Watches what has this path; the same again changes nothing.
        pub(super) fn watch(&self, directory: &Path) -> io::Result<i32> {
            let changes = WatchFlags::MODIFY
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVED_FROM
                | WatchFlags::MOVED_TO
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF
                | WatchFlags::ONLYDIR;
            Ok(inotify::add_watch(&self.0, directory, changes)?)
        }

        pub(super) fn unwatch(&self, watch: i32) {
            // What was deleted is not watched any more.
            let _ = inotify::remove_watch(&self.0, watch);
        }

        /// Takes all that is there: of which watch, and the name of the file; no watch where notices were lost.
        pub(super) fn take(&self, each: &mut dyn FnMut(Option<i32>, Option<&str>)) {
            let mut room = [MaybeUninit::uninit(); ROOM];
            let mut notices = Reader::new(&self.0, &mut room);
            while let Ok(notice) = notices.next() {
                let was_lost = notice.events().contains(ReadFlags::QUEUE_OVERFLOW);
                let name = notice.file_name().map(std::ffi::CStr::to_string_lossy);
                each((!was_lost).then(|| notice.wd()), name.as_deref());
            }
        }
    }

    impl AsFd for Queue {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }
}

/// Elsewhere files are only looked at.
#[cfg(not(target_os = "linux"))]
mod kernel {
    use std::convert::Infallible;
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd};
    use std::path::Path;

    pub(super) struct Queue(Infallible);

    impl Queue {
        pub(super) fn open() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn watch(&self, _: &Path) -> io::Result<i32> {
            match self.0 {}
        }

        pub(super) fn unwatch(&self, _: i32) {
            match self.0 {}
        }

        pub(super) fn take(&self, _: &mut dyn FnMut(Option<i32>, Option<&str>)) {
            match self.0 {}
        }
    }

    impl AsFd for Queue {
        fn as_fd(&self) -> BorrowedFd<'_> {
            match self.0 {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Notices;
    use crate::config::Followed;
    use crate::sources::follow::look::{Files, Looker};
    use std::path::Path;

    fn looker(directory: &Path) -> Looker {
        let followed = Followed::Matching { directory: directory.to_owned(), pattern: "*.log".to_owned() };
        Looker::new(Files::new(&followed).expect("a pattern"))
    }

    #[test]
    fn what_happens_to_followed_files_is_noticed_and_nothing_else() {
        let place = tempfile::tempdir().expect("a place");
        let (mut notices, mut looker) = (Notices::new(), looker(place.path()));
        notices.begin_look(&mut looker);
        std::fs::write(place.path().join("letter.txt"), "a").expect("written");
        assert!(!notices.take(&mut looker), "of a file that is not followed");
        std::fs::write(place.path().join("a.log"), "a").expect("written");
        assert!(notices.take(&mut looker), "of a file that is");
        assert!(!notices.take(&mut looker), "once");
        std::fs::rename(place.path().join("a.log"), place.path().join("a.log.1")).expect("renamed");
        assert!(notices.take(&mut looker), "of what it is rotated to");
        std::fs::read(place.path().join("a.log.1")).expect("read");
        assert!(!notices.take(&mut looker), "who reads changes nothing");
    }

    #[test]
    fn a_directory_that_comes_later_or_anew_is_watched_from_the_next_look_on() {
        let place = tempfile::tempdir().expect("a place");
        let directory = place.path().join("logs");
        let (mut notices, mut looker) = (Notices::new(), looker(&directory));
        notices.begin_look(&mut looker);
        std::fs::create_dir(&directory).expect("made");
        assert!(!notices.take(&mut looker));
        for name in ["a.log", "b.log"] {
            notices.begin_look(&mut looker);
            std::fs::write(directory.join(name), "a").expect("written");
            assert!(notices.take(&mut looker), "{name}");
            std::fs::rename(&directory, place.path().join(format!("before-{name}"))).expect("renamed");
            assert!(notices.take(&mut looker), "the directory has gone");
            std::fs::create_dir(&directory).expect("made anew");
        }
        notices.begin_look(&mut looker);
        std::fs::write(place.path().join("before-b.log/b.log"), "b").expect("written");
        assert!(!notices.take(&mut looker), "what has lost its path is not watched");
    }
}
