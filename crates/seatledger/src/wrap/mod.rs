//! What `seatledger run` and `seatledger record` do beside the command: events are put into a spool on disk first, then told to
//! the service or to syslog. What could not be told stays there until the next of them comes by.

mod child;
mod spool;
mod target;
mod teller;

pub(crate) use child::{Child, exit_code};
pub(crate) use spool::Spool;
pub(crate) use target::{Target, Way};
pub(crate) use teller::{Run, Teller};

use rustix::rand::{GetRandomFlags, getrandom};

/// What tells an event or a run from all others: 64 random bits.
pub(crate) fn new_id() -> String {
    let mut bytes = [0_u8; 8];
    // Where the machine has no random numbers yet, the process and the instant must do.
    if getrandom(&mut bytes[..], GetRandomFlags::NONBLOCK).is_err() {
        let now = crate::clock::now() as u64;
        bytes = (now.rotate_left(24) ^ u64::from(std::process::id())).to_be_bytes();
    }
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// Who runs the command, as the system knows the user.
pub(crate) fn user() -> String {
    whoami::username().unwrap_or_else(|_| "unknown".to_owned())
}

/// The machine's name.
pub(crate) fn host() -> String {
    whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned())
}
