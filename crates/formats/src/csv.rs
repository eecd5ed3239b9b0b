//! Rows of comma-separated values after RFC 4180, each on one line.

use memchr::memchr;
use std::borrow::Cow;

/// The fields of a row without its ending; none where a quote is never closed (the row was cut off), or text stands
/// behind one.
pub(crate) fn row(line: &[u8]) -> Option<Vec<Cow<'_, [u8]>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest {
            [b'"', quoted @ ..] => cut_quoted(quoted)?,
            plain => {
                let (field, after) = plain.split_at(memchr(b',', plain).unwrap_or(plain.len()));
                (Cow::Borrowed(field), after)
            }
        };
        fields.push(field);
        match after {
            [b',', after @ ..] => rest = after,
            [] => return Some(fields),
            _ => return None,
        }
    }
}

/// Cuts a field behind its opening quote: `""` within it is one quote.
fn cut_quoted(quoted: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let end = memchr(b'"', quoted)?;
    if quoted.get(end + 1) != Some(&b'"') {
        return Some((Cow::Borrowed(&quoted[..end]), &quoted[end + 1..]));
    }
    let (mut field, mut rest) = (Vec::new(), quoted);
    loop {
        let end = memchr(b'"', rest)?;
        field.extend_from_slice(&rest[..end]);
        match &rest[end + 1..] {
            [b'"', more @ ..] => {
                field.push(b'"');
                rest = more;
            }
            after => return Some((Cow::Owned(field), after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<&[&str]>) {
        let fields = row(line.as_bytes());
        let fields: Option<Vec<String>> =
            fields.map(|fields| fields.iter().map(|field| crate::text::text(field).into_owned()).collect());
        assert_eq!(fields, expected.map(|all| all.iter().map(ToString::to_string).collect()), "{line}");
    }

    #[test]
    fn fields_plain_and_quoted() {
        check("a,b,c", Some(&["a", "b", "c"]));
        check("", Some(&[""]));
        check(",a,", Some(&["", "a", ""]));
        check("\"a,b\",c", Some(&["a,b", "c"]));
        check("\"say \"\"hi\"\"\",\"\"", Some(&["say \"hi\"", ""]));
        check("a \"b\",c", Some(&["a \"b\"", "c"]));
    }

    #[test]
    fn rows_that_are_cut_off() {
        check("a,\"b", None);
        check("a,\"b\"\"", None);
        check("a,\"b\"c,d", None);
    }
}
