//! What the events say is in use is what the server counts as in use.

use super::ReportLog;
use super::fields::cut;
use crate::line::{Format, Setting, Survey};
use crate::text::{bare, number};
use accounting::event::What;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;

/// Product and version, and the seats in use that a line prints: free and reserved ones.
fn printed(line: &[u8]) -> Option<(String, u32)> {
    let fields = cut(bare(line))?;
    let (product, user) = match fields.get(0)? {
        b"OUT" => (1, 4),
        b"IN" => (2, 4),
        _ => return None,
    };
    let isv = fields.quoted_from(user + 2)?;
    let in_use = number(fields.get(isv + 2)?)? + number(fields.get(isv + 3)?)?;
    let name = [fields.get(product)?, b" ", fields.get(product + 1)?].concat();
    Some((String::from_utf8(name).ok()?, in_use))
}

fn survey_of(text: &[u8]) -> Survey {
    let mut surveyor = ReportLog.surveyor();
    let _ = text.split(|&byte| byte == b'\n').all(|line| surveyor.line(line));
    surveyor.finish()
}

/// Reads a log that begins with all that is out; how many of its lines print what is in use.
fn check(name: &str, text: &[u8]) -> usize {
    let first_day = survey_of(text).first_day.unwrap();
    let mut parser = ReportLog.parser(&Setting::new(TimeZone::UTC, first_day));
    let mut in_use: BTreeMap<String, u32> = BTreeMap::new();
    let mut checked = 0;
    for (nth, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let read = parser.line(line);
        for event in read.line.events() {
            match &event.what {
                What::Checkout(claim) | What::Held(claim) => {
                    let key = format!("{} {}", claim.feature, claim.version.as_deref().unwrap());
                    *in_use.entry(key).or_default() += claim.seats;
                }
                What::Checkin(claim, _) => {
                    let key = format!("{} {}", claim.feature, claim.version.as_deref().unwrap());
                    *in_use.entry(key).or_default() -= claim.seats;
                }
                What::DaemonStarted | What::DaemonStopped => in_use.clear(),
                _ => {}
            }
        }
        let heard = !read.line.events().is_empty();
        if let Some((product, expected)) = printed(line).filter(|_| heard) {
            assert_eq!(in_use.get(&product).copied().unwrap_or(0), expected, "{name}:{}", nth + 1);
            checked += 1;
        }
    }
    checked
}

#[test]
fn seats_in_use_are_what_the_server_prints() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rlm/report_log");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap_or_default();
        // Logs that somebody has cut do not say what was out before.
        let whole = survey_of(&text).server.is_some();
        if whole && path.extension().is_some_and(|ending| ending == "log") {
            checked += check(&path.display().to_string(), &text);
        }
    }
    assert!(checked >= 40, "only {checked} lines checked");
}

/// A server that shares seats between the programs of one user, in hundreds of random steps.
#[test]
fn seats_in_use_of_random_groups_are_what_the_server_prints() {
    use std::fmt::Write;
    let mut random = 7_u64;
    let mut below = |limit: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % limit
    };
    let mut log = "ISV: acme, RLM version 14.1\nSTART lic1 01/01/2024 00:00:00\n".to_owned();
    // Handle, user, and the group's founder as RLM names it: a member that is still there.
    let mut out: Vec<(usize, usize)> = Vec::new();
    for second in 1..2000 {
        let time = format!("01/01 {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let users = |out: &[(usize, usize)]| {
            out.iter().map(|(_, user)| *user).collect::<std::collections::BTreeSet<_>>().len()
        };
        if below(2) == 0 || out.is_empty() {
            let user = below(5);
            let handle = (1..5000).find(|handle| out.iter().all(|(other, _)| other != handle)).unwrap();
            let members: Vec<usize> =
                out.iter().filter(|(_, of)| *of == user).map(|(handle, _)| *handle).collect();
            let share = if members.is_empty() { handle } else { members[below(members.len())] };
            out.push((handle, user));
            let in_use = users(&out);
            writeln!(
                log,
                "OUT solver 5.0 1 u{user} h1 \"\" 1 {in_use} 0 {handle:x} {share:x} 1 \"\" \"\" \"\" {time}"
            )
            .unwrap();
        } else {
            let (handle, user) = out.remove(below(out.len()));
            let in_use = users(&out);
            writeln!(log, "IN 1 solver 5.0 u{user} h1 \"\" 1 {in_use} 0 {handle:x} {time}").unwrap();
        }
    }
    assert_eq!(check("random", log.as_bytes()), 1999);
}
