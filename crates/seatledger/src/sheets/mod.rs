//! Small CSV files that people write: read as a whole, with a line for every complaint.

mod catalog;
mod directory;

pub(crate) use catalog::{is_amount, read_catalog};
pub(crate) use directory::{read_directory, written_directory};

use crate::config::right_name;
use anyhow::Context as _;
use std::io::Read;
use std::path::Path;

/// A file of rows, of which none is blank.
pub(crate) struct Sheet {
    /// The rows; their fields are trimmed.
    pub(crate) rows: Vec<Row>,
    file: String,
    text: String,
}

/// A row.
pub(crate) struct Row {
    /// Its fields, without the blanks around them.
    pub(crate) fields: Vec<String>,
    at: usize,
}

impl Sheet {
    /// Reads a file in UTF-8, or in UTF-16 with a byte order mark. The separator is the comma, or what the first line
    /// has of `;` and the tab.
    pub(crate) fn read(path: &Path, input: &mut impl Read) -> anyhow::Result<Self> {
        let file = path.display().to_string();
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).with_context(|| format!("failed to read {file}"))?;
        let (text, _, unreadable) = encoding_rs::UTF_8.decode(&bytes);
        if unreadable {
            let line = line_at(&text, text.find('\u{fffd}').unwrap_or_default());
            anyhow::bail!("{file}:{line}: this is not UTF-8: save the file as \"CSV UTF-8\"");
        }
        let text = text.into_owned();
        let first_line = text.trim_start().lines().next().unwrap_or_default();
        let separator =
            [b';', b'\t'].into_iter().find(|&separator| first_line.as_bytes().contains(&separator));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator.unwrap_or(b','))
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.with_context(|| format!("failed to read {file}"))?;
            let at = record.position().map_or(0, |position| position.byte() as usize);
            // Quotes that do not begin a field are kept by the reader.
            let fields = record.iter().map(|field| unquoted(field.trim()).to_owned()).collect();
            rows.push(Row { fields, at });
        }
        rows.retain(|row| row.fields.iter().any(|field| !field.is_empty()));
        let sheet = Self { rows, file, text };
        match sheet.rows.iter().find(|row| row.fields.iter().any(|field| field.contains(['\n', '\r']))) {
            Some(row) => Err(sheet.wrong(row, "a line break within a field: is a closing quote missing?")),
            None => Ok(sheet),
        }
    }

    /// Where the columns of these names stand, by a header row. Every column must be known, and the first of the names
    /// must be there.
    pub(crate) fn columns<const N: usize>(
        &self,
        header: &Row,
        known: [&str; N],
    ) -> anyhow::Result<[Option<usize>; N]> {
        let mut columns = [None; N];
        for (nth, field) in header.fields.iter().enumerate().filter(|(_, field)| !field.is_empty()) {
            let name = normal(field);
            let Some(index) = known.iter().position(|known| *known == name) else {
                return Err(
                    self.wrong(header, &format!("unknown column `{field}`: {}", right_name(&name, &known)))
                );
            };
            if columns[index].replace(nth).is_some() {
                return Err(self.wrong(header, &format!("the column `{name}` is there twice: take one out")));
            }
        }
        if columns.first().is_some_and(Option::is_none) {
            let example = known.join(",");
            return Err(self.wrong(
                header,
                &format!("no column `{}`: the first line must name the columns, as in {example}", known[0]),
            ));
        }
        Ok(columns)
    }

    /// Refuses a row that has not as many fields as the header.
    pub(crate) fn check_length(&self, header: &Row, row: &Row) -> anyhow::Result<()> {
        let (wanted, found) = (header.fields.len(), row.fields.len());
        let more = row.fields.iter().skip(wanted).any(|field| !field.is_empty());
        if found < wanted || more {
            let remedy = if more {
                "put a field that holds the separator in quotes"
            } else {
                "leave none out, not even empty ones"
            };
            return Err(self.wrong(row, &format!("{found} fields where the header has {wanted}: {remedy}")));
        }
        Ok(())
    }

    /// A complaint about a row.
    pub(crate) fn wrong(&self, row: &Row, message: &str) -> anyhow::Error {
        anyhow::anyhow!("{}:{}: {message}", self.file, self.line(row))
    }

    /// A complaint about a row's field.
    pub(crate) fn wrong_field(&self, row: &Row, column: &str, message: &str) -> anyhow::Error {
        self.wrong(row, &format!("column `{column}`: {message}"))
    }

    /// A complaint about the file as a whole.
    pub(crate) fn wrong_file(&self, message: &str) -> anyhow::Error {
        anyhow::anyhow!("{}: {message}", self.file)
    }

    /// The reader counts the blank lines before a row to it.
    fn line(&self, row: &Row) -> usize {
        let text = &self.text[row.at..];
        line_at(&self.text, row.at + text.len() - text.trim_start_matches(['\r', '\n']).len())
    }
}

impl Row {
    /// The field in a column, if there is one that is not empty.
    pub(crate) fn field(&self, column: Option<usize>) -> Option<&str> {
        self.fields.get(column?).map(String::as_str).filter(|field| !field.is_empty())
    }

    /// The same as a text of its own.
    pub(crate) fn text(&self, column: Option<usize>) -> Option<String> {
        self.field(column).map(str::to_owned)
    }
}

/// A column's name as it is compared: `Valid from` is `valid_from`.
pub(crate) fn normal(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-', '\u{a0}'], "_")
}

fn unquoted(field: &str) -> &str {
    field.strip_prefix('"').and_then(|field| field.strip_suffix('"')).map_or(field, str::trim)
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}
