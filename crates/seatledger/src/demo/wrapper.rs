//! A year of wrapper records, as four hosts' syslog daemons write them.

use super::Page;
use super::clock::WallClock;
use super::habits::{Run, YEAR};
use jiff::civil::date;
use std::io::Write;

/// How a host's syslog daemon renders a line.
#[derive(Debug, Clone, Copy)]
enum Rendering {
    /// `Nov 20 07:47:40 wks12 LIC_ACC: …`
    Traditional,
    /// The same from `logger -i`: `LIC_ACC[4711]: …`
    WithPid,
    /// rsyslog's own: `2025-11-20T07:47:40.123456+01:00 wks12 LIC_ACC: …`
    Iso,
}

const HOSTS: [(&str, Rendering); 4] = [
    ("calc1", Rendering::Traditional),
    ("calc2", Rendering::Iso),
    ("calc3", Rendering::WithPid),
    ("calc4", Rendering::Traditional),
];

/// A record: instant, START or STOP, its run's number, process id.
type Record = (i64, bool, usize, i64);

/// The year's files, one a host, and how many records they hold.
pub(super) fn year(runs: &[Run], clock: &WallClock) -> (Vec<Page>, u64) {
    let mut clock = clock.clone();
    let mut records_written = 0;
    let pages = HOSTS.iter().enumerate().map(|(nth, (host, rendering))| {
        let mut text = Vec::new();
        for record in records(runs, nth, &clock) {
            write_record(&mut text, (host, *rendering), record, &runs[record.2], &mut clock);
            records_written += 1;
        }
        Page { name: format!("wrapper/{host}.log"), text }
    });
    let pages = pages.collect();
    (pages, records_written)
}

/// The records of a host in order of time. On 19 November calc3 loses its power: what ran there never stops.
fn records(runs: &[Run], host: usize, clock: &WallClock) -> Vec<Record> {
    let end = clock.midnight(YEAR.1);
    let power_cut = clock.instant(date(2025, 11, 19).at(22, 12, 0, 0));
    let mut records = Vec::new();
    let mut pid = 1_500 + host as i64 * 811;
    for (nth, run) in runs.iter().enumerate().filter(|(_, run)| host_of(run) == host) {
        pid = 1_000 + (pid + 37 + nth as i64 % 211) % 31_000;
        let lost = HOSTS[host].0 == "calc3" && (run.at..run.until).contains(&power_cut);
        records.push((run.at, true, nth, pid));
        if run.until < end && !lost {
            records.push((run.until, false, nth, pid));
        }
    }
    records.sort_by_key(|(at, start, nth, _)| (*at, *start, *nth));
    records
}

/// A person's tools run on one host, jobs on another.
fn host_of(run: &Run) -> usize {
    let letters: usize = run.login.bytes().map(usize::from).sum();
    let job = matches!(run.tool, "calculix" | "openfoam");
    if job { 2 + letters % 2 } else { letters % 2 }
}

fn write_record(
    text: &mut Vec<u8>,
    (host, rendering): (&str, Rendering),
    (at, start, number, pid): Record,
    run: &Run,
    clock: &mut WallClock,
) {
    let east = clock.seconds_east(at);
    let now = clock.at(at);
    let word = if start { "START" } else { "STOP" };
    let message = format!("{} {word} {} {} PID: {pid}", run.tool, now.strftime("%Y%m%d-%H%M"), run.login);
    let traditional = now.strftime("%b %e %H:%M:%S");
    let micros = (number * 7_919 + usize::from(start)) % 1_000_000;
    // Writing to a Vec cannot fail.
    let _ = match rendering {
        Rendering::Traditional => writeln!(text, "{traditional} {host} LIC_ACC: {message}"),
        Rendering::WithPid => writeln!(text, "{traditional} {host} LIC_ACC[{}]: {message}", pid + 1),
        Rendering::Iso => {
            let now = now.strftime("%Y-%m-%dT%H:%M:%S");
            writeln!(text, "{now}.{micros:06}+{:02}:00 {host} LIC_ACC: {message}", east / 3_600)
        }
    };
}
