//! Lines of separated values (RFC 4180): a field may stand in double quotes, which are doubled within it.

use crate::text::{text, trim};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// No line has more fields than this; what is beyond is left alone.
const MOST: usize = 256;

/// The fields of a line, without their quotes and the blanks around them; none where a quote never closes, or where
/// something else than a separator follows it.
pub(crate) fn fields(line: &[u8], separator: u8) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    while fields.len() < MOST {
        let (field, after) = next(rest, separator)?;
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => break,
        }
    }
    Some(fields)
}

/// The first field and, where a separator follows it, what is behind that.
fn next(line: &[u8], separator: u8) -> Option<(Cow<'_, str>, Option<&[u8]>)> {
    let begins = trim_blanks(line, separator);
    let Some(inside) = begins.strip_prefix(b"\"") else {
        let end = memchr::memchr(separator, line);
        let field = trim(&line[..end.unwrap_or(line.len())]);
        return Some((text(unquoted(field)), end.map(|end| &line[end + 1..])));
    };
    let mut from = 0;
    let mut doubled = false;
    let end = loop {
        let quote = from + memchr::memchr(b'"', &inside[from..])?;
        if inside.get(quote + 1) != Some(&b'"') {
            break quote;
        }
        doubled = true;
        from = quote + 2;
    };
    let field = text(trim(&inside[..end]));
    let field = if doubled { Cow::Owned(field.replace("\"\"", "\"")) } else { field };
    match trim_blanks(&inside[end + 1..], separator) {
        [] => Some((field, None)),
        [first, after @ ..] if *first == separator => Some((field, Some(after))),
        _ => None,
    }
}

/// Without leading blanks, of which the separator may be one.
fn trim_blanks(mut bytes: &[u8], separator: u8) -> &[u8] {
    while let [first @ (b' ' | b'\t'), rest @ ..] = bytes {
        if *first == separator {
            break;
        }
        bytes = rest;
    }
    bytes
}

/// Some tools put texts in single quotes.
fn unquoted(field: &[u8]) -> &[u8] {
    match field {
        [b'\'', inside @ .., b'\''] => trim(inside),
        _ => field,
    }
}

/// Where the columns of a table stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Columns {
    separator: u8,
    at: Vec<usize>,
}

impl Columns {
    /// Reads a line that names columns: none where one of `names` is missing. Each column goes by any of its names, in
    /// any case; others are left alone.
    pub(crate) fn named_by(line: &[u8], names: &[&[&str]]) -> Option<Self> {
        [b',', b';', b'\t'].into_iter().find_map(|separator| {
            let head = fields(line, separator)?;
            let place = |names: &&[&str]| {
                head.iter().position(|field| names.iter().any(|name| field.eq_ignore_ascii_case(name)))
            };
            let at = names.iter().map(place).collect::<Option<Vec<usize>>>()?;
            Some(Self { separator, at })
        })
    }

    /// What a row holds in these columns, in the order of their names.
    pub(crate) fn row<'a>(&self, line: &'a [u8]) -> Result<Vec<Cow<'a, str>>, &'static str> {
        let mut all = fields(line, self.separator).ok_or("row with a quote that never closes")?;
        let mut take = |at: &usize| all.get_mut(*at).map(std::mem::take);
        self.at.iter().map(&mut take).collect::<Option<Vec<_>>>().ok_or("row with too few columns")
    }

    /// Whether numbers may have a comma before their decimals.
    pub(crate) fn is_comma_free(&self) -> bool {
        self.separator != b','
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(line: &str, separator: u8) -> Option<Vec<String>> {
        let fields = fields(line.as_bytes(), separator)?;
        Some(fields.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn fields_in_quotes_or_not() {
        let check = |line: &str, separator: u8, expected: &[&str]| {
            assert_eq!(
                cut(line, separator).as_deref(),
                Some(&expected.iter().map(ToString::to_string).collect::<Vec<_>>()[..]),
                "{line}"
            );
        };
        check("a,b ,\"c,d\",\"e\"\"f\",", b',', &["a", "b", "c,d", "e\"f", ""]);
        check("", b',', &[""]);
        check("'app1' ,'2000' ,313", b',', &["app1", "2000", "313"]);
        check("a\t\t\"b\tc\"\t", b'\t', &["a", "", "b\tc", ""]);
        assert_eq!(cut("a,\"b", b','), None);
        assert_eq!(cut("a,\"b\"c", b','), None);
    }

    #[test]
    fn columns_in_any_order_and_case() {
        let names: [&[&str]; 2] = [&["day", "date"], &["minutes"]];
        let columns = Columns::named_by(b"Minutes;x;\"DATE\"", &names).unwrap();
        assert_eq!(columns.row(b"5;y;2024-01-01").unwrap(), ["2024-01-01", "5"]);
        assert_eq!(columns.row(b"5;y"), Err("row with too few columns"));
        assert_eq!(Columns::named_by(b"minutes;x", &names), None);
    }
}
