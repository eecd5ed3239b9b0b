//! A TOML document whose every key and value knows its line.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What it is, and what would be right.
    pub(super) message: String,
    at: usize,
}

impl Wrong {
    /// Wrong at an offset in the text.
    pub(super) fn new(at: usize, message: String) -> Self {
        Self { message, at }
    }

    /// The line in the text, from 1.
    pub(super) fn line(&self, text: &str) -> usize {
        line_at(text, self.at)
    }
}

/// The line of an offset, from 1.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

/// A parsed text.
pub(super) struct Document<'t>(Spanned<DeTable<'t>>);

impl<'t> Document<'t> {
    /// Parses a text.
    pub(super) fn parse(text: &'t str) -> Result<Self, Wrong> {
        DeTable::parse(text).map(Self).map_err(|error| {
            let at = error.span().map_or(text.len(), |span| span.start);
            Wrong::new(at, format!("this is not TOML: {}", error.message()))
        })
    }

    /// The keys of the outermost table with their values, in the order of the text.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        entries(self.0.get_ref())
    }
}

/// A key with its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'d> {
    key: &'d str,
    key_at: usize,
    value: &'d DeValue<'d>,
    value_at: usize,
}

/// A table in a list of tables.
pub(super) struct Table<'d> {
    table: &'d DeTable<'d>,
    at: usize,
}

impl<'d> Entry<'d> {
    /// The key.
    pub(super) fn key(&self) -> &'d str {
        self.key
    }

    /// Where the key stands.
    pub(super) fn key_at(&self) -> usize {
        self.key_at
    }

    /// The value as a text.
    pub(super) fn text(&self) -> Result<String, Wrong> {
        let text = self.value.as_str().ok_or_else(|| self.mistyped("a text in quotes"))?;
        Ok(text.to_owned())
    }

    /// The value as a text that is not empty.
    pub(super) fn filled_text(&self) -> Result<String, Wrong> {
        let text = self.text()?;
        if text.trim().is_empty() {
            return Err(self.wrong(format!("`{}` is empty: fill it in or take it out", self.key)));
        }
        Ok(text)
    }

    /// The value as true or false.
    pub(super) fn flag(&self) -> Result<bool, Wrong> {
        self.value.as_bool().ok_or_else(|| self.mistyped("true or false, without quotes"))
    }

    /// The value as the name of a time zone.
    pub(super) fn zone(&self) -> Result<String, Wrong> {
        let name = self.text()?;
        accounting::calendar::zone(&name).map_err(|error| self.wrong(error.to_string()))?;
        Ok(name)
    }

    /// The value as a whole number within limits.
    pub(super) fn whole_number(&self, from: i64, until: i64) -> Result<i64, Wrong> {
        let wanted = format!("a whole number from {from} to {until}");
        let DeValue::Integer(integer) = self.value else { return Err(self.mistyped(&wanted)) };
        let number = i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok();
        number
            .filter(|number| (from..=until).contains(number))
            .ok_or_else(|| self.wrong(format!("`{}` must be {wanted}, not {integer}", self.key)))
    }

    /// The value as whole numbers within limits: one, or a list of them.
    pub(super) fn whole_numbers(&self, from: i64, until: i64) -> Result<Vec<i64>, Wrong> {
        let Some(list) = self.value.as_array() else { return Ok(vec![self.whole_number(from, until)?]) };
        let one = |value: &'d Spanned<DeValue<'d>>| {
            Entry { value: value.get_ref(), value_at: value.span().start, ..*self }.whole_number(from, until)
        };
        list.iter().map(one).collect()
    }

    /// The value as one of some words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Wrong> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        found.ok_or_else(|| {
            self.wrong(format!("`{text}` is no value of `{}`: {}", self.key, right_name(&text, &known)))
        })
    }

    /// The value as a list of texts, each with its offset.
    pub(super) fn texts(&self) -> Result<Vec<(String, usize)>, Wrong> {
        let wanted = "a list of texts, such as [\"…\", \"…\"]";
        let list = self.value.as_array().ok_or_else(|| self.mistyped(wanted))?;
        let text = |value: &Spanned<DeValue<'_>>| match value.get_ref().as_str() {
            Some(text) => Ok((text.to_owned(), value.span().start)),
            None => Err(Wrong::new(value.span().start, mistyped(self.key, wanted, value.get_ref()))),
        };
        list.iter().map(text).collect()
    }

    /// The value as a table: its keys with their values, in the order of the text.
    pub(super) fn table(&self) -> Result<Vec<Entry<'d>>, Wrong> {
        let table = self.value.as_table();
        Ok(entries(table.ok_or_else(|| self.mistyped(&format!("a section [{}]", self.key)))?))
    }

    /// The value as a list of tables.
    pub(super) fn tables(&self, name: &str) -> Result<Vec<Table<'d>>, Wrong> {
        let wanted = format!("a section in double brackets, [[{name}]], for each");
        let list = self.value.as_array().ok_or_else(|| self.mistyped(&wanted))?;
        let table = |value: &'d Spanned<DeValue<'d>>| match value.get_ref().as_table() {
            Some(table) => Ok(Table { table, at: value.span().start }),
            None => Err(Wrong::new(value.span().start, mistyped(self.key, &wanted, value.get_ref()))),
        };
        list.iter().map(table).collect()
    }

    /// The value is wrong.
    pub(super) fn wrong(&self, message: String) -> Wrong {
        Wrong::new(self.value_at, message)
    }

    /// The key is wrong.
    pub(super) fn wrong_key(&self, message: String) -> Wrong {
        Wrong::new(self.key_at, message)
    }

    /// The key is none of those that may stand here.
    pub(super) fn unknown_key(&self, known: &[&str]) -> Wrong {
        self.wrong_key(format!("unknown key `{}`: {}", self.key, right_name(self.key, known)))
    }

    fn mistyped(&self, wanted: &str) -> Wrong {
        self.wrong(mistyped(self.key, wanted, self.value))
    }
}

impl<'d> Table<'d> {
    /// Its keys with their values, in the order of the text.
    pub(super) fn entries(&self) -> Vec<Entry<'d>> {
        entries(self.table)
    }

    /// The line in the text on which it begins, from 1.
    pub(super) fn line(&self, text: &str) -> usize {
        line_at(text, self.at)
    }

    /// Something about the table as a whole is wrong.
    pub(super) fn wrong(&self, message: String) -> Wrong {
        Wrong::new(self.at, message)
    }
}

fn entries<'d>(table: &'d DeTable<'d>) -> Vec<Entry<'d>> {
    let start = |span: Range<usize>| span.start;
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref(),
            key_at: start(key.span()),
            value: value.get_ref(),
            value_at: start(value.span()),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at);
    entries
}

fn mistyped(key: &str, wanted: &str, found: &DeValue<'_>) -> String {
    let kind = match found {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    };
    format!("`{key}` must be {wanted}, not {kind}")
}

/// What would be right instead of a name: the nearest one if it is near, else all of them.
pub(crate) fn right_name(name: &str, known: &[&str]) -> String {
    let name = name.to_lowercase();
    let nearest =
        known.iter().map(|known| (distance(&name, &known.to_lowercase()), known)).min_by_key(|near| near.0);
    match nearest {
        Some((distance, near)) if distance <= (near.chars().count() / 3).max(1) => {
            format!("did you mean `{near}`?")
        }
        _ => format!("what can stand here is {}", known.join(", ")),
    }
}

/// How many letters must be put in, taken out, changed or swapped with the next to make one text the other.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for (nth, letter) in one.iter().enumerate() {
        let mut row = vec![nth + 1];
        for (mth, other_letter) in other.iter().enumerate() {
            let changed = rows[nth][mth] + usize::from(letter != other_letter);
            let mut best = changed.min(rows[nth][mth + 1] + 1).min(row[mth] + 1);
            if nth > 0 && mth > 0 && *letter == other[mth - 1] && one[nth - 1] == *other_letter {
                best = best.min(rows[nth - 1][mth - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, right_name};

    #[test]
    fn near_names_are_guessed() {
        let cases = [
            ("timezone", "timezone", 0),
            ("tiemzone", "timezone", 1),
            ("", "db", 2),
            ("alias", "aliases", 2),
        ];
        for (one, other, expected) in cases {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
        assert_eq!(right_name("TimeZone", &["db", "timezone"]), "did you mean `timezone`?");
        assert_eq!(right_name("color", &["db", "timezone"]), "what can stand here is db, timezone");
    }
}
