//! This process among others, and whether one of them on this machine lives still.

use std::fs::{read_link, read_to_string};
use store::claims::Claimant;

/// This process, as no other one is called.
pub(super) fn this() -> Claimant {
    let mut random = [0; 16];
    // Without randomness the machine, the number and the time of its beginning tell processes apart.
    let _ = getrandom::fill(&mut random);
    let (machine, process) = (machine().unwrap_or_default(), std::process::id());
    let begun = begun(process).unwrap_or_default();
    let name = format!("{:032x} {machine} {process} {begun}", u128::from_le_bytes(random));
    Claimant { name, host: host(), machine, process, begun }
}

/// What people call this machine.
pub(super) fn host() -> String {
    whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned())
}

/// Whether a process is known to live no more: it was one of this machine.
pub(super) fn is_gone(us: &Claimant, of: &Claimant) -> bool {
    !us.machine.is_empty() && us.machine == of.machine && begun(of.process).as_ref() != Some(&of.begun)
}

/// This machine since its start; containers have numbers of their own for their processes.
fn machine() -> Option<String> {
    let booted = read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", booted.trim(), numbers.display()))
}

/// When a process that lives began, in ticks since the start of the machine.
fn begun(process: u32) -> Option<String> {
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Its name may hold anything, and ends with the last parenthesis.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let is_dead = matches!(fields.first(), Some(&("Z" | "X")));
    fields.get(19).filter(|_| !is_dead).map(|begun| (*begun).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_gone, this};
    use store::claims::Claimant;

    #[test]
    fn this_process_lives_and_one_that_ended_does_not() {
        let us = this();
        assert!(!is_gone(&us, &us));
        let mut child = std::process::Command::new("sleep").arg("600").spawn().expect("sleep");
        let begun = super::begun(child.id()).expect("it lives");
        let other = Claimant { name: "other".to_owned(), process: child.id(), begun, ..us.clone() };
        assert!(!is_gone(&us, &other));
        child.kill().expect("it ends");
        child.wait().expect("it has ended");
        assert!(is_gone(&us, &other));
        let again = Claimant { begun: "1".to_owned(), ..us.clone() };
        assert!(is_gone(&us, &again), "its number was given again");
        let elsewhere = Claimant { machine: "another".to_owned(), ..other };
        assert!(!is_gone(&us, &elsewhere), "of another machine nothing is known");
    }
}
