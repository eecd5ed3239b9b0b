//! Runs a program and reads what it prints: no longer than it may take, and no more than it may print.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What is run, and what it may take.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The program with its arguments.
    pub(super) words: Vec<String>,
    pub(super) timeout: Duration,
    pub(super) most_bytes: usize,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// It took too long, and was killed.
    TimedOut,
    /// It printed too much, and was killed.
    TooLong,
    /// Nobody wants its answer any more; it was killed.
    GivenUp,
    /// It could not be run.
    Failed(std::io::Error),
}

/// What it printed until then.
#[derive(Debug)]
pub(super) struct Printed {
    pub(super) end: End,
    pub(super) output: Vec<u8>,
    /// The beginning of what it printed as errors.
    pub(super) errors: String,
}

/// So much is kept of what is printed as errors.
const MOST_ERRORS: usize = 4096;
/// How long is waited at once: so often it is asked whether anybody wants the answer still.
const SLICE: Duration = Duration::from_millis(100);
/// What a program started may hold its output open; after its own end it is waited for so long.
const LEFT_BEHIND: Duration = Duration::from_millis(500);

impl Run {
    /// Runs it until it ends, or `gives_up` says that nobody wants the answer any more. Whatever it started ends
    /// with it.
    pub(super) fn run(&self, gives_up: &dyn Fn() -> bool) -> Printed {
        let failed = |error| Printed { end: End::Failed(error), output: Vec::new(), errors: String::new() };
        let Some((program, arguments)) = self.words.split_first() else {
            return failed(std::io::ErrorKind::InvalidInput.into());
        };
        let spawned = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let child = match spawned {
            Ok(child) => child,
            Err(error) => return failed(error),
        };
        Running::new(child, self).until_it_ends(gives_up)
    }
}

struct Running<'r> {
    child: Child,
    run: &'r Run,
    begun: Instant,
    pipes: Pipes,
}

/// What is printed, as far as it was read.
struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    output: Vec<u8>,
    errors: Vec<u8>,
    block: Vec<u8>,
}

impl<'r> Running<'r> {
    fn new(mut child: Child, run: &'r Run) -> Self {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let block = vec![0; 1 << 16];
        let pipes = Pipes { stdout, stderr, output: Vec::new(), errors: Vec::new(), block };
        Self { child, run, begun: Instant::now(), pipes }
    }

    fn until_it_ends(mut self, gives_up: &dyn Fn() -> bool) -> Printed {
        let end = self.end(gives_up);
        // The group outlives the program where that has started others.
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        let errors = String::from_utf8_lossy(&self.pipes.errors).trim().to_owned();
        Printed { end, output: self.pipes.output, errors }
    }

    fn end(&mut self, gives_up: &dyn Fn() -> bool) -> End {
        let mut exited: Option<(ExitStatus, Instant)> = None;
        let mut pause = Duration::from_millis(1);
        loop {
            if gives_up() {
                return End::GivenUp;
            }
            let left = self.run.timeout.saturating_sub(self.begun.elapsed());
            if self.pipes.are_open() {
                // Once it has ended, what others still print comes at once or never.
                let wait = if exited.is_some() { LEFT_BEHIND / 10 } else { SLICE };
                if let Err(error) = self.pipes.read(wait.min(left)) {
                    return End::Failed(error);
                }
            } else if exited.is_none() {
                std::thread::sleep(pause.min(left));
                pause = (pause * 2).min(SLICE);
            }
            if self.pipes.output.len() > self.run.most_bytes {
                return End::TooLong;
            }
            if exited.is_none() {
                match self.child.try_wait() {
                    Ok(status) => exited = status.map(|status| (status, Instant::now())),
                    Err(error) => return End::Failed(error),
                }
            }
            match exited {
                Some((status, at)) if !self.pipes.are_open() || at.elapsed() > LEFT_BEHIND => {
                    return End::Exited(status);
                }
                None if left.is_zero() => return End::TimedOut,
                _ => {}
            }
        }
    }
}

impl Pipes {
    fn are_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Reads what is there; waits for something so long.
    fn read(&mut self, wait: Duration) -> std::io::Result<()> {
        let mut fds = Vec::with_capacity(2);
        fds.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        match poll(&mut fds, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        let mut ready = ready.into_iter();
        if self.stdout.is_some() && ready.next() == Some(true) {
            let length = read_once(self.stdout.as_mut(), &mut self.block)?;
            self.output.extend_from_slice(&self.block[..length]);
            if length == 0 {
                self.stdout = None;
            }
        }
        if self.stderr.is_some() && ready.next() == Some(true) {
            let length = read_once(self.stderr.as_mut(), &mut self.block)?;
            let room = MOST_ERRORS.saturating_sub(self.errors.len()).min(length);
            self.errors.extend_from_slice(&self.block[..room]);
            if length == 0 {
                self.stderr = None;
            }
        }
        Ok(())
    }
}

fn read_once(pipe: Option<&mut impl Read>, block: &mut [u8]) -> std::io::Result<usize> {
    let Some(pipe) = pipe else { return Ok(0) };
    match pipe.read(block) {
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => pipe.read(block),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str, timeout: Duration) -> Printed {
        let words = ["/bin/sh", "-c", line].map(str::to_owned).to_vec();
        Run { words, timeout, most_bytes: 100_000 }.run(&|| false)
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn what_is_printed_is_read_until_it_ends() {
        let printed = shell("echo out; echo err >&2; seq 10000; exit 3", LONG);
        let expected: String =
            std::iter::once("out\n".to_owned()).chain((1..=10_000).map(|n| format!("{n}\n"))).collect();
        assert_eq!(String::from_utf8_lossy(&printed.output), expected);
        assert_eq!(printed.errors, "err");
        assert!(matches!(printed.end, End::Exited(status) if status.code() == Some(3)));
    }

    #[test]
    fn who_takes_too_long_is_killed_with_all_that_it_started() {
        let place = tempfile::tempdir().expect("a place");
        let path = place.path().join("child");
        let line = format!("echo early; sleep 600 & echo $! > '{}'; sleep 600", path.display());
        let printed = shell(&line, Duration::from_millis(300));
        assert!(matches!(printed.end, End::TimedOut), "{:?}", printed.end);
        assert_eq!(printed.output, b"early\n");
        let child = std::fs::read_to_string(&path).expect("its number");
        let child = Pid::from_raw(child.trim().parse().expect("a number")).expect("a process");
        // It is gone once whoever inherited it has seen its end.
        while rustix::process::test_kill_process(child).is_ok() && !is_dead(child) {
            std::thread::yield_now();
        }
    }

    /// Whether nobody has asked yet how a process ended that has.
    fn is_dead(process: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
        stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
    }

    #[test]
    fn who_leaves_somebody_behind_has_ended() {
        let printed = shell("sleep 600 & echo done", LONG);
        assert!(matches!(printed.end, End::Exited(status) if status.success()), "{:?}", printed.end);
        assert_eq!(printed.output, b"done\n");
    }

    #[test]
    fn who_closes_what_is_read_may_go_on_working() {
        let printed = shell("exec >&- 2>&-; i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done; exit 5", LONG);
        assert!(matches!(printed.end, End::Exited(status) if status.code() == Some(5)), "{:?}", printed.end);
    }

    #[test]
    fn who_prints_without_end_is_killed() {
        let printed = shell("yes", LONG);
        assert!(matches!(printed.end, End::TooLong), "{:?}", printed.end);
        assert!(printed.output.len() < 300_000);
        let printed = shell("yes >&2 & sleep 0.1; echo done", LONG);
        assert!(matches!(printed.end, End::Exited(_)), "{:?}", printed.end);
        assert_eq!(printed.errors.len(), MOST_ERRORS - 1);
    }

    #[test]
    fn nobody_waits_for_what_nobody_wants() {
        let words = ["/bin/sh", "-c", "sleep 600"].map(str::to_owned).to_vec();
        let printed = Run { words, timeout: LONG, most_bytes: 1 }.run(&|| true);
        assert!(matches!(printed.end, End::GivenUp));
        let printed =
            Run { words: vec!["/no/such/program".to_owned()], timeout: LONG, most_bytes: 1 }.run(&|| false);
        assert!(matches!(printed.end, End::Failed(error) if error.kind() == std::io::ErrorKind::NotFound));
    }
}
