//! The command that runs: signals go to it, its exit code comes back.

use rustix::process::{Pid, Signal, getpid, kill_process};
use signal_hook::consts::signal as number;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

/// What is passed on, by number.
const PASSED_ON: [(i32, Signal); 9] = [
    (number::SIGHUP, Signal::HUP),
    (number::SIGINT, Signal::INT),
    (number::SIGQUIT, Signal::QUIT),
    (number::SIGTERM, Signal::TERM),
    (number::SIGUSR1, Signal::USR1),
    (number::SIGUSR2, Signal::USR2),
    (number::SIGWINCH, Signal::WINCH),
    (number::SIGTSTP, Signal::TSTP),
    (number::SIGCONT, Signal::CONT),
];

/// A command that has been started.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    signals: SignalsInfo<WithOrigin>,
}

impl Child {
    /// Starts a command; signals are caught from before it runs. Who was told to ignore one (`nohup`) goes on to.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let ignored = ignored_signals();
        let caught = PASSED_ON.iter().map(|(number, _)| *number).filter(|number| !ignored.contains(number));
        let signals = SignalsInfo::<WithOrigin>::new(caught.chain([number::SIGCHLD]))?;
        Ok(Self { process: command.spawn()?, signals })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has ended, passing signals on.
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            for Origin { signal, cause, .. } in self.signals.wait() {
                if let Some((_, signal)) = PASSED_ON.iter().find(|(number, _)| *number == signal) {
                    self.pass_on(*signal, cause);
                }
            }
        }
    }

    /// What the kernel sends to a terminal's foreground it has sent to the command, too.
    fn pass_on(&mut self, signal: Signal, cause: Cause) {
        // Not waited for, so that nobody else has its number.
        let process = Pid::from_raw(self.process.id() as i32);
        if cause != Cause::Kernel
            && let Some(process) = process
        {
            let _ = kill_process(process, signal);
        }
        if signal == Signal::TSTP {
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }
}

/// The exit code that a shell would give: 128 and the signal's number where one ended the command.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    code as u8
}

/// The signals that this process was told to ignore; Linux tells.
fn ignored_signals() -> Vec<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    (1..=64).filter(|number| mask >> (number - 1) & 1 == 1).collect()
}
