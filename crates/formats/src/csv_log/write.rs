//! The two tables written, as their reader knows them: for those who have scripts and spreadsheets that read them.

use super::row::{FEATURES, USERS};
use accounting::UnixMs;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What a poll did not say.
const NOTHING: &str = "--";

/// What is appended to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFile {
    /// Its name, without a directory.
    pub name: String,
    /// Its first line, with its ending: for a file that is new.
    pub header: String,
    /// Whole lines; none where the header alone is to be there.
    pub rows: String,
}

/// What a poll said of one feature.
#[derive(Debug, Clone, Default)]
pub(crate) struct FeatureTold {
    pub(crate) code: String,
    pub(crate) version: Option<String>,
    pub(crate) vendor: Option<String>,
    pub(crate) license_type: Option<String>,
    pub(crate) issued: Option<u32>,
    pub(crate) used: Option<u32>,
    pub(crate) holders: Vec<HolderTold>,
}

/// One of its holders.
#[derive(Debug, Clone, Default)]
pub(crate) struct HolderTold {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) display: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) server_host: Option<String>,
    pub(crate) server_port: Option<String>,
    pub(crate) handle: Option<String>,
    pub(crate) since: UnixMs,
}

/// The files of a poll at an instant: the features', and with `users` one for each feature, in the order of their names.
pub(crate) fn files(told: &[FeatureTold], at: UnixMs, zone: &TimeZone, users: bool) -> Vec<CsvFile> {
    let stamp = stamp(at, zone);
    let day = &stamp[..10];
    let mut features =
        CsvFile { name: format!("{day} features.csv"), header: header(FEATURES), rows: String::new() };
    let mut by_feature: BTreeMap<String, CsvFile> = BTreeMap::new();
    for feature in told {
        let count = |seats: Option<u32>| seats.map_or(NOTHING.to_owned(), |seats| seats.to_string());
        push(
            &mut features.rows,
            &[
                &stamp,
                &feature.code,
                said(feature.version.as_ref()),
                said(feature.vendor.as_ref()),
                said(feature.license_type.as_ref()),
                &count(feature.issued),
                &count(feature.used),
                &feature.holders.len().to_string(),
            ],
        );
        if !users {
            continue;
        }
        let name = format!("{day} {} users.csv", in_a_name(&feature.code));
        let file = by_feature.entry(name).or_insert_with_key(|name| CsvFile {
            name: name.clone(),
            header: header(USERS),
            rows: String::new(),
        });
        for holder in &feature.holders {
            push(
                &mut file.rows,
                &[
                    &feature.code,
                    &holder.user,
                    &holder.host,
                    said(holder.display.as_ref()),
                    said(holder.version.as_ref()),
                    said(holder.server_host.as_ref()),
                    said(holder.server_port.as_ref()),
                    said(holder.handle.as_ref()),
                    &self::stamp(holder.since, zone),
                    &stamp,
                ],
            );
        }
    }
    std::iter::once(features).chain(by_feature.into_values()).collect()
}

fn header(columns: &[u8]) -> String {
    format!("{}\n", String::from_utf8_lossy(columns))
}

fn said(text: Option<&String>) -> &str {
    text.map_or(NOTHING, String::as_str)
}

/// `YYYY-MM-DD HH:MM:SS`, civil time.
fn stamp(at: UnixMs, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Appends a line; a field is quoted only where it must be.
fn push(rows: &mut String, fields: &[&str]) {
    for (nth, field) in fields.iter().enumerate() {
        if nth > 0 {
            rows.push(',');
        }
        rows.push_str(&quoted(field));
    }
    rows.push('\n');
}

fn quoted(field: &str) -> Cow<'_, str> {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")).into(),
        false => field.into(),
    }
}

/// No name of a file is longer, in bytes, with what stands around the code.
const LONGEST: usize = 200;

/// A feature's code as a part of a file's name: what no file system, or not every one, lets stand there becomes `_`.
fn in_a_name(code: &str) -> String {
    let forbidden = |character: char| character.is_control() || "/\\:*?\"<>|".contains(character);
    let name: String =
        code.chars().map(|character| if forbidden(character) { '_' } else { character }).collect();
    let end = (0..=name.len().min(LONGEST)).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_hold_what_every_file_system_takes() {
        assert_eq!(in_a_name("ARC/INFO:1*\u{7}"), "ARC_INFO_1__");
        assert_eq!(in_a_name("c++ 1.0"), "c++ 1.0");
        assert_eq!(in_a_name(&"ü".repeat(300)).chars().count(), 100);
    }

    #[test]
    fn fields_are_quoted_only_where_they_must_be() {
        let mut rows = String::new();
        push(&mut rows, &["a b", "c,d", "e\"f", "", "--"]);
        assert_eq!(rows, "a b,\"c,d\",\"e\"\"f\",,--\n");
    }
}
