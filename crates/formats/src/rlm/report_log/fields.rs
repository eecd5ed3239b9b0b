//! A record's fields: words between blanks, or texts between double quotes, which may hold blanks.

use crate::text::{is_blank, trim_start};
use memchr::memchr;

/// A field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    /// Without its quotes.
    pub(super) text: &'a [u8],
    pub(super) quoted: bool,
    /// Where it begins and ends in the line, quotes included.
    start: usize,
    end: usize,
}

/// The fields of a record; records have no more than thirty or so, what is beyond this many is left alone.
const MOST: usize = 64;

/// The fields of a line.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    line: &'a [u8],
    fields: Vec<Field<'a>>,
}

/// Cuts a line; none where a quote never closes.
pub(super) fn cut(line: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Vec::with_capacity(24);
    let mut rest = trim_start(line);
    while !rest.is_empty() && fields.len() < MOST {
        let start = line.len() - rest.len();
        let (text, quoted, length) = if let Some(inside) = rest.strip_prefix(b"\"") {
            let end = closing(inside)?;
            (&inside[..end], true, end + 2)
        } else {
            let end = rest.iter().position(|&byte| is_blank(byte)).unwrap_or(rest.len());
            (&rest[..end], false, end)
        };
        fields.push(Field { text, quoted, start, end: start + length });
        rest = trim_start(&rest[length..]);
    }
    Some(Fields { line, fields })
}

/// The quote that closes a text: the first that a blank or the line's end follows.
fn closing(inside: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let quote = from + memchr(b'"', &inside[from..])?;
        if inside.get(quote + 1).is_none_or(|&byte| is_blank(byte)) {
            return Some(quote);
        }
        from = quote + 1;
    }
}

impl<'a> Fields<'a> {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// A field, where there is one.
    pub(super) fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.fields.get(index).map(|field| field.text)
    }

    /// The first quoted field from an index on.
    pub(super) fn quoted_from(&self, index: usize) -> Option<usize> {
        let found = self.fields.iter().skip(index).position(|field| field.quoted);
        found.map(|at| index + at)
    }

    /// What stands from a field to another one, both included, with the blanks between.
    pub(super) fn span(&self, first: usize, last: usize) -> Option<&'a [u8]> {
        let (from, to) = (self.fields.get(first)?, self.fields.get(last)?);
        if first == last {
            return Some(from.text);
        }
        self.line.get(from.start..to.end)
    }

    /// The first word and the one after it, from an index on, that a function takes.
    pub(super) fn find_pair<T>(
        &self,
        index: usize,
        take: impl Fn(&[u8], &[u8]) -> Option<T>,
    ) -> Option<(usize, T)> {
        let from = self.fields.get(index..)?;
        from.windows(2).enumerate().find_map(|(at, pair)| match pair {
            [first, second] if !first.quoted && !second.quoted => {
                Some((index + at, take(first.text, second.text)?))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quoted_texts() {
        let fields = cut(br#"OUT  a "" "x y" "5"b" end"#).unwrap();
        let texts: Vec<&[u8]> = (0..fields.len()).filter_map(|at| fields.get(at)).collect();
        assert_eq!(texts, [&b"OUT"[..], b"a", b"", b"x y", b"5\"b", b"end"]);
        assert_eq!(fields.quoted_from(0), Some(2));
        assert_eq!(fields.span(0, 1), Some(&b"OUT  a"[..]));
        assert!(cut(b"OUT \"a").is_none());
    }
}
