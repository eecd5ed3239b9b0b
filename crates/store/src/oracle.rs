//! Scripts for Oracle: the database in which the AutoCAD usage measurement service kept its tables.

use crate::View;
use accounting::day::Day;
use std::fmt::Write as _;
use std::io::{self, Write};

/// A day's use of an app in a version by an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUsage {
    /// The organization's number.
    pub organization: i64,
    /// The civil day.
    pub day: Day,
    /// The app code.
    pub app_code: i64,
    /// The version, not empty.
    pub version: String,
    /// Minutes of use.
    pub minutes: i64,
}

/// Rows of one statement: Oracle's parser slows down with longer ones.
const TOGETHER: usize = 200;

/// Writes a script that brings a table of day, app code, version, minutes and organization to these rows. Rows that are
/// as they should be are not touched, so that run again it changes nothing; rows of which nothing is said stay.
pub fn merge(table: &View, rows: &[DailyUsage], out: &mut dyn Write) -> io::Result<()> {
    let [day, app_code, version, minutes, organization] = match &table.columns[..] {
        [day, app_code, version, minutes, organization] => {
            [day, app_code, version, minutes, organization].map(|column| identifier(column))
        }
        _ => return Err(io::Error::other("the usage table must have five columns")),
    };
    let table: Vec<String> = table.name.split('.').map(identifier).collect();
    let table = table.join(".");
    writeln!(out, "-- Daily usage, {} rows. Run again it changes nothing.", rows.len())?;
    for rows in rows.chunks(TOGETHER) {
        let same = format!(
            "t.{organization} = s.c_org AND t.{day} = s.c_day AND t.{app_code} = s.c_app AND t.{version} = s.c_version"
        );
        writeln!(out, "MERGE INTO {table} t\nUSING (\n  SELECT * FROM (")?;
        for (nth, row) in rows.iter().enumerate() {
            let all = if nth == 0 { "" } else { "UNION ALL " };
            writeln!(
                out,
                "    {all}SELECT {} AS c_org, DATE '{}' AS c_day, {} AS c_app, {} AS c_version, {} AS c_minutes FROM DUAL",
                row.organization,
                row.day,
                row.app_code,
                literal(&row.version),
                row.minutes
            )?;
        }
        write!(
            out,
            "  ) s\n  WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE {same} AND t.{minutes} = s.c_minutes)\n\
             ) s\n\
             ON ({same})\n\
             WHEN MATCHED THEN UPDATE SET {minutes} = s.c_minutes\n\
             WHEN NOT MATCHED THEN INSERT ({day}, {app_code}, {version}, {minutes}, {organization})\n\
             VALUES (s.c_day, s.c_app, s.c_version, s.c_minutes, s.c_org);\n"
        )?;
    }
    writeln!(out, "COMMIT;")
}

/// A name as Oracle takes it without quotes, where it is one of letters, digits, `_`, `$` and `#`; else in quotes.
fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_$#".contains(letter));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A text. SQL*Plus takes `&` for the beginning of a variable, and looks at the ends of lines.
fn literal(text: &str) -> String {
    let mut literal = String::from("'");
    for letter in text.chars() {
        match letter {
            '\'' => literal.push_str("''"),
            '&' => literal.push_str("' || CHR(38) || '"),
            letter if letter.is_control() => {
                let _ = write!(literal, "' || CHR({}) || '", u32::from(letter));
            }
            letter => literal.push(letter),
        }
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_what_they_are() {
        let cases = [
            ("ACAD_USAGE", "ACAD_USAGE"),
            ("usage$1#", "usage$1#"),
            ("1st", "\"1st\""),
            ("a b", "\"a b\""),
            ("x\"; drop table y; --", "\"x\"\"; drop table y; --\""),
            ("Größe", "\"Größe\""),
        ];
        for (name, expected) in cases {
            assert_eq!(identifier(name), expected);
        }
        assert_eq!(literal("24.1's & more\n"), "'24.1''s ' || CHR(38) || ' more' || CHR(10) || ''");
        assert_eq!(literal("'; commit; --"), "'''; commit; --'");
    }
}
