//! An output of lmstat as rows of the CSV log that others keep of it.

use super::feature::{self, Said};
use super::row::{self, State};
use super::starts::Starts;
use crate::csv_log::{CsvFile, FeatureTold, HolderTold, csv_files};
use crate::text::{bare, text, trim, word};
use accounting::UnixMs;
use jiff::tz::TimeZone;
use memchr::memmem;

/// What a poll at an instant appends to the CSV log's files: a row for each feature, and with `users` one for each
/// holder. `text` is what lmstat printed; lines that are not understood are passed over.
pub fn csv_log(text: &[u8], polled_at: UnixMs, zone: &TimeZone, users: bool) -> Vec<CsvFile> {
    let mut starts = Starts::new(zone.clone());
    let mut told: Vec<FeatureTold> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = trim(bare(line));
        if let Some(users) = line.strip_prefix(b"Users of ").and_then(feature::parse) {
            told.push(begun(&users));
        } else if let Some(feature) = told.last_mut() {
            take(feature, line, polled_at, &mut starts);
        }
    }
    csv_files(&told, polled_at, zone, users)
}

fn begun(users: &feature::Users<'_>) -> FeatureTold {
    let (issued, used) = match users.said {
        Said::Total { issued, in_use } => (Some(issued), Some(in_use)),
        _ => (None, None),
    };
    FeatureTold { code: text(users.name).into_owned(), issued, used, ..FeatureTold::default() }
}

/// A line of a feature.
fn take(feature: &mut FeatureTold, line: &[u8], polled_at: UnixMs, starts: &mut Starts) {
    if let Some(vendor) = line.strip_prefix(b"vendor_string:") {
        let vendor = text(trim(vendor)).into_owned();
        feature.vendor.get_or_insert(vendor);
    } else if feature::pool(line).is_some() {
        if let Some(version) = version_of_pool(line) {
            feature.version.get_or_insert(text(version).into_owned());
        }
    } else if let Some(kind) = license_type(line) {
        feature.license_type.get_or_insert(text(kind).into_owned());
    } else if let Some(holder) = holder(&text(line), polled_at, starts) {
        feature.holders.push(holder);
    }
}

/// The 31.0 of `"NAME" v31.0, vendor: acmed`.
fn version_of_pool(line: &[u8]) -> Option<&[u8]> {
    const BEFORE: &[u8] = b"\" v";
    let rest = &line[memmem::find(line, BEFORE)? + BEFORE.len()..];
    Some(trim(&rest[..memchr::memchr(b',', rest)?])).filter(|version| !version.is_empty())
}

/// The word before `license` in `floating license`, `uncounted nodelocked license, locked to …`.
fn license_type(line: &[u8]) -> Option<&[u8]> {
    let mut rest = line;
    let mut before = None;
    for _ in 0..3 {
        let (next, behind) = word(rest);
        if next == b"license" || next.starts_with(b"license,") {
            return before;
        }
        let plain = next.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
        before = (plain && !next.is_empty()).then_some(next);
        before?;
        rest = behind;
    }
    None
}

fn holder(line: &str, polled_at: UnixMs, starts: &mut Starts) -> Option<HolderTold> {
    let row = row::parse(line).ok()?;
    let State::Holds { start, .. } = row.state else { return None };
    let printed = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (place, handle) = row.handle.rsplit_once(' ').unwrap_or(("", row.handle));
    let (host, port) = place.rsplit_once('/').unwrap_or((place, ""));
    Some(HolderTold {
        user: row.holder.user.to_owned(),
        host: row.holder.host.to_owned(),
        display: printed(row.holder.display),
        version: printed(row.version),
        server_host: printed(host),
        server_port: printed(port),
        handle: printed(handle),
        since: starts.instant(polled_at, start)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Format, Setting};
    use accounting::day::Day;
    use accounting::event::{Claim, Event, What};

    const OUTPUT: &str = "\
lmutil - Copyright (c) 1989-2018 Flexera. All Rights Reserved.
Flexible License Manager status on Tue 1/2/2024 09:00
License server status: 27000@lic1
    lic1: license server UP (MASTER) v11.16.2
Vendor daemon status (on lic1):
     acmed: UP v11.16.2
Feature usage info:

Users of mill/5:  (Total of 6 licenses issued;  Total of 3 licenses in use)

  \"mill/5\" v31.0, vendor: acmed, expiry: 1-jan-0
  vendor_string: site \"A\", extendable
  floating license

    amara ws-07 ws-07 (v31.0) (lic1/27000 101), start Tue 1/2 8:42
    badru osei, jr ws-08 term9 (v30.0) (lic1/27000 202), start Sun 12/31 23:05, 2 licenses
    chen ws-09 ws-09 (v31.0) (lic1/27000 303) queued for 1 license

  \"mill/5\" v32.0, vendor: acmed, expiry: 1-jan-0
  nodelocked license, locked to \"ID=7\"

Users of lathe:  (Total of 1 license issued;  Total of 0 licenses in use)

Users of view:  (Uncounted, node-locked)
  \"view\" v1.5, vendor: acmed
  uncounted nodelocked license, locked to NOTHING (hostid=ANY)
";
    /// 2024-01-02 09:00:07 in Zurich.
    const AT: UnixMs = 1_704_182_407_000;

    fn zurich() -> TimeZone {
        TimeZone::get("Europe/Zurich").unwrap()
    }

    #[test]
    fn files_are_as_the_old_logger_writes_them() {
        let files = csv_log(OUTPUT.as_bytes(), AT, &zurich(), true);
        let all: Vec<String> =
            files.iter().map(|file| format!("# {}\n{}{}", file.name, file.header, file.rows)).collect();
        expect_test::expect![[r#"
            # 2024-01-02 features.csv
            stamp,feature_code,feature_version,vendor,license_type,issued,used,users
            2024-01-02 09:00:07,mill/5,31.0,"site ""A"", extendable",floating,6,3,2
            2024-01-02 09:00:07,lathe,--,--,--,1,0,0
            2024-01-02 09:00:07,view,1.5,--,nodelocked,--,--,0
            # 2024-01-02 lathe users.csv
            feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,checkout_datetime,update_time
            # 2024-01-02 mill_5 users.csv
            feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,checkout_datetime,update_time
            mill/5,amara,ws-07,ws-07,31.0,lic1,27000,101,2024-01-02 08:42:00,2024-01-02 09:00:07
            mill/5,"badru osei, jr",ws-08,term9,30.0,lic1,27000,202,2023-12-31 23:05:00,2024-01-02 09:00:07
            # 2024-01-02 view users.csv
            feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,checkout_datetime,update_time
        "#]]
        .assert_eq(&all.concat());
        assert_eq!(csv_log(OUTPUT.as_bytes(), AT, &zurich(), false).len(), 1);
    }

    /// What is shown to be held, without what the files have no column for.
    fn shown(format: &dyn Format, text: &str, polled_at: Option<UnixMs>) -> Vec<String> {
        let setting = Setting { polled_at, ..Setting::new(zurich(), Day(0)) };
        let mut parser = format.parser(&setting);
        let mut said = Vec::new();
        for line in text.lines() {
            for Event { at, what, .. } in parser.line(line.as_bytes()).line.events() {
                if let What::Shown { claim, since } = what {
                    let Claim { feature, user, host, display, version, handle, .. } = claim;
                    let names = (feature, user, host, display, version, handle);
                    said.push(format!("{at} {names:?} {since}"));
                }
            }
        }
        said.sort();
        said
    }

    #[test]
    fn what_is_written_reads_back_as_what_lmstat_said() {
        let files = csv_log(OUTPUT.as_bytes(), AT, &zurich(), true);
        let written: String = files.iter().skip(1).map(|file| file.header.clone() + &file.rows).collect();
        let back = shown(&crate::CsvLog, &written, None);
        assert_eq!(back, shown(&super::super::Lmstat, OUTPUT, Some(AT)));
        assert_eq!(back.len(), 2);
    }
}
