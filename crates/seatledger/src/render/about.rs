//! What is said about rows in files that people keep: title, definition, the options used, what columns mean.

use accounting::report::note::Note;
use accounting::report::{Cell, Report};
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// Puts a note into words; instants in a zone.
pub(crate) type Wording = fn(&Note, &TimeZone) -> String;

/// Words that columns hold, and how people say them.
pub(crate) type Values = &'static [(&'static str, &'static str)];

/// Columns that hold one of a few words, behind which more may stand in brackets.
const OF_WORDS: [&str; 6] = ["reason", "ended", "action", "state", "weekday", "expires_on"];

/// What stands in a column of texts, as people say it.
pub(crate) fn in_words<'t>(values: Values, column: &str, text: &'t str) -> Cow<'t, str> {
    if values.is_empty() || !OF_WORDS.contains(&column) {
        return Cow::Borrowed(text);
    }
    let (word, more) = text.split_at(text.find(" (").unwrap_or(text.len()));
    match values.iter().find(|(known, _)| *known == word) {
        Some((_, said)) if more.is_empty() => Cow::Borrowed(said),
        Some((_, said)) => Cow::Owned(format!("{said}{more}")),
        None => Cow::Borrowed(text),
    }
}

/// A report with the words in its rows as people say them.
pub(super) fn report_in_words(values: Values, report: &Report) -> Cow<'_, Report> {
    if values.is_empty() {
        return Cow::Borrowed(report);
    }
    let mut report = report.clone();
    for row in &mut report.rows {
        for (column, cell) in report.columns.iter().zip(row) {
            if let Cell::Text(text) = cell {
                *text = in_words(values, column.name, text).into_owned();
            }
        }
    }
    Cow::Owned(report)
}

/// What stands around the rows of a file for people.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// As HTML calls it.
    pub(crate) language: &'static str,
    pub(crate) title: String,
    /// What is counted, in words.
    pub(crate) definition: String,
    /// The options that were given, with their values.
    pub(crate) options: Vec<(String, String)>,
    /// Of each column its heading, and what it means where that is not plain.
    pub(crate) columns: Vec<(String, String)>,
    /// What notes say.
    pub(crate) note: Wording,
    /// How words in rows are said.
    pub(crate) values: Values,
    pub(crate) words: Words,
}

/// The words of a file's frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub(crate) about: &'static str,
    pub(crate) options: &'static str,
    pub(crate) no_options: &'static str,
    pub(crate) notes: &'static str,
    pub(crate) columns: &'static str,
    pub(crate) zone: &'static str,
    pub(crate) rows: &'static str,
    pub(crate) charts: &'static str,
    pub(crate) chart_table: &'static str,
    /// Before the number of groups that are not drawn.
    pub(crate) not_drawn: &'static str,
    pub(crate) nothing: &'static str,
}

impl About {
    /// The heading of a column; what is no column is called as it is.
    pub(super) fn heading(&self, columns: &[accounting::report::Column], name: &str) -> String {
        let nth = columns.iter().position(|column| column.name == name);
        let heading = nth.and_then(|nth| self.columns.get(nth)).map(|(heading, _)| heading.clone());
        heading.unwrap_or_else(|| name.to_owned())
    }
}
