//! The file of `seatledger directory import`: who belongs where, and since when.

use super::{Row, Sheet};
use accounting::day::Day;
use accounting::directory::Entry;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

const COLUMNS: [&str; 7] =
    ["login", "domain", "organization", "project", "valid_from", "valid_until", "external_id"];

/// Reads a directory: a header that names the columns, in any order and case, then a line for each user and span of
/// days. Only `login` must be there. Of two lines of one login, domain and first day the later counts. A file with a
/// fault is refused as a whole.
pub(crate) fn read_directory(path: &Path, input: &mut impl Read) -> anyhow::Result<Vec<Entry>> {
    let sheet = Sheet::read(path, input)?;
    let Some((header, rows)) = sheet.rows.split_first() else {
        return Err(
            sheet.wrong_file(&format!("the file is empty: its first line must be {}", COLUMNS.join(",")))
        );
    };
    let columns = sheet.columns(header, COLUMNS)?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut known = HashMap::new();
    for row in rows {
        sheet.check_length(header, row)?;
        let entry = entry(&sheet, row, columns)?;
        let domain = entry.domain.as_deref().unwrap_or_default().to_lowercase();
        match known.entry((entry.login.to_lowercase(), domain, entry.valid_from)) {
            std::collections::hash_map::Entry::Occupied(place) => entries[*place.get()] = entry,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entries.len());
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// Rows as such a file, with the columns in which any of them says something: no field more than in the file from which
/// they were read.
pub(crate) fn written_directory(rows: &[Entry]) -> anyhow::Result<String> {
    let mut is_used = COLUMNS.map(|name| name == "login");
    for row in rows {
        for (used, field) in is_used.iter_mut().zip(fields(row)) {
            *used |= !field.is_empty();
        }
    }
    let used = |fields: [String; COLUMNS.len()]| fields.into_iter().zip(is_used).filter(|(_, used)| *used);
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(used(COLUMNS.map(str::to_owned)).map(|(name, _)| name))?;
    for row in rows {
        file.write_record(used(fields(row)).map(|(field, _)| field))?;
    }
    Ok(String::from_utf8(file.into_inner().map_err(csv::IntoInnerError::into_error)?)?)
}

/// A row's fields, in the order of the columns.
fn fields(row: &Entry) -> [String; COLUMNS.len()] {
    let day = |day: Option<Day>| day.map(|day| day.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        row.login.clone(),
        text(&row.domain),
        text(&row.organization),
        text(&row.project),
        day(row.valid_from),
        day(row.valid_until),
        row.external_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}

fn entry(sheet: &Sheet, row: &Row, columns: [Option<usize>; 7]) -> anyhow::Result<Entry> {
    let [login, domain, organization, project, from, until, external_id] = columns;
    let day = |column: Option<usize>, name: &str| -> anyhow::Result<Option<Day>> {
        let day = row.field(column).map(str::parse).transpose();
        day.map_err(|error: accounting::day::NotADay| sheet.wrong_field(row, name, &error.to_string()))
    };
    let (valid_from, valid_until) = (day(from, "valid_from")?, day(until, "valid_until")?);
    if let Some((from, until)) = valid_from.zip(valid_until).filter(|(from, until)| from >= until) {
        let remedy = "it is the day after the last, so it must be later";
        return Err(sheet.wrong_field(
            row,
            "valid_until",
            &format!("{until} is not after valid_from, {from}: {remedy}"),
        ));
    }
    let number = |text: &str| {
        let wrong = |_| {
            sheet.wrong_field(
                row,
                "external_id",
                &format!("`{text}` is not a whole number: write one or leave it empty"),
            )
        };
        text.parse::<i64>().map_err(wrong)
    };
    let Some(login) = row.text(login) else {
        return Err(sheet.wrong_field(row, "login", "it is empty: fill it in or take the line out"));
    };
    Ok(Entry {
        login,
        domain: row.text(domain),
        organization: row.text(organization),
        project: row.text(project),
        valid_from,
        valid_until,
        external_id: row.field(external_id).map(number).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> anyhow::Result<Vec<Entry>> {
        read_directory(Path::new("d.csv"), &mut &*text)
    }

    /// The error about these lines below a header.
    fn error(lines: &str) -> String {
        let text = format!("login,organization,valid_from,valid_until,external_id\n{lines}");
        read(text.as_bytes()).expect_err(lines).to_string()
    }

    fn day(text: &str) -> Day {
        text.parse().expect(text)
    }

    #[test]
    fn a_line_is_a_user_in_a_span_of_days() {
        let text = "login,domain,organization,project,valid_from,valid_until,external_id\n\
                    fiore,ACME,\"Design, North\",P1,2025-01-01,2026-01-01,4711\n\
                    brink,,,,,,\n";
        let fiore = Entry {
            login: "fiore".to_owned(),
            domain: Some("ACME".to_owned()),
            organization: Some("Design, North".to_owned()),
            project: Some("P1".to_owned()),
            valid_from: Some(day("2025-01-01")),
            valid_until: Some(day("2026-01-01")),
            external_id: Some(4711),
        };
        let brink = Entry { login: "brink".to_owned(), ..Entry::default() };
        let rows = [fiore, brink];
        assert_eq!(read(text.as_bytes()).expect(text), rows);
        assert_eq!(read(written_directory(&rows).expect("text").as_bytes()).expect("as it was"), rows);
    }

    #[test]
    fn only_columns_that_say_something_are_written() {
        let text = "external_id;Login;project;organization\n;fiore;;\n;brink;;\"Ost; \"\"A\"\", B\"\n";
        let rows = read(text.as_bytes()).expect(text);
        let written = written_directory(&rows).expect("text");
        assert_eq!(written, "login,organization\nfiore,\nbrink,\"Ost; \"\"A\"\", B\"\n");
        assert_eq!(read(written.as_bytes()).expect("as it was"), rows);
    }

    #[test]
    fn spreadsheets_write_it_in_their_own_ways() {
        let text = "\u{feff}Valid from;ORGANIZATION;Login\r\n\r\n2025-01-01; Südwest \u{a0};\"fiore\"\r\n;;\r\n;Ost;brink\r\n";
        let entries = read(text.as_bytes()).expect(text);
        let said: Vec<_> =
            entries.iter().map(|entry| (entry.login.as_str(), entry.organization.as_deref())).collect();
        assert_eq!(said, [("fiore", Some("Südwest")), ("brink", Some("Ost"))]);
        assert_eq!(entries[0].valid_from, Some(day("2025-01-01")));
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).expect("UTF-16"), entries);
    }

    #[test]
    fn of_two_lines_with_one_first_day_the_later_counts() {
        let text = "login,organization,valid_from\nAnna,a,2025-01-01\nbob,x,\nanna,b,2025-01-01\nanna,c,2025-02-01\n";
        let entries = read(text.as_bytes()).expect(text);
        let said: Vec<_> = entries.iter().filter_map(|entry| entry.organization.as_deref()).collect();
        assert_eq!(said, ["b", "x", "c"]);
    }

    #[test]
    fn faults_are_told_with_their_line_and_what_would_be_right() {
        assert_eq!(
            error("a,x,2025-01-01,,\n\n\nb,x,1.2.2025,,\n"),
            "d.csv:5: column `valid_from`: `1.2.2025` is not a day: write YYYY-MM-DD"
        );
        assert_eq!(
            error("b,x,2025-02-30,,\n"),
            "d.csv:2: column `valid_from`: `2025-02-30` is not a day: write YYYY-MM-DD"
        );
        assert_eq!(
            error("a,x,2025-01-01,2025-01-01,\n"),
            "d.csv:2: column `valid_until`: 2025-01-01 is not after valid_from, 2025-01-01: it is the day after the last, so it must be later"
        );
        assert_eq!(
            error("a,x,,,\n,x,,,\n"),
            "d.csv:3: column `login`: it is empty: fill it in or take the line out"
        );
        assert_eq!(
            error("a,x,,,x7\n"),
            "d.csv:2: column `external_id`: `x7` is not a whole number: write one or leave it empty"
        );
        assert_eq!(
            error("a,x\n"),
            "d.csv:2: 2 fields where the header has 5: leave none out, not even empty ones"
        );
        assert_eq!(
            error("a,x,,,1,b\n"),
            "d.csv:2: 6 fields where the header has 5: put a field that holds the separator in quotes"
        );
        assert_eq!(
            error("a,\"x,,,1\nb,x,,,\n"),
            "d.csv:2: a line break within a field: is a closing quote missing?"
        );
    }

    #[test]
    fn files_of_another_shape_are_refused() {
        let error = |text: &[u8]| read(text).expect_err("a bad file").to_string();
        let columns = COLUMNS.join(",");
        assert_eq!(error(b" \n"), format!("d.csv: the file is empty: its first line must be {columns}"));
        assert_eq!(
            error(b"login,organisation\n"),
            "d.csv:1: unknown column `organisation`: did you mean `organization`?"
        );
        assert_eq!(error(b"login,Login\n"), "d.csv:1: the column `login` is there twice: take one out");
        assert_eq!(
            error(b"\nproject,domain\n"),
            format!("d.csv:2: no column `login`: the first line must name the columns, as in {columns}")
        );
        assert_eq!(
            error(b"login\nM\xfcller\n"),
            "d.csv:2: this is not UTF-8: save the file as \"CSV UTF-8\""
        );
    }
}
