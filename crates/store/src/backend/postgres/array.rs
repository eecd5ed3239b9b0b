//! Arrays as a binary COPY takes them.

use super::without_nul;

/// The numbers by which PostgreSQL knows its types.
const BIGINT: i32 = 20;
const INTEGER: i32 = 23;
const TEXT: i32 = 25;

/// Appends an array of `bigint`.
pub(crate) fn put_longs(values: impl ExactSizeIterator<Item = i64>, out: &mut Vec<u8>) {
    begin(BIGINT, values.len(), out);
    for value in values {
        out.extend_from_slice(&8_i32.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Appends an array of `integer`.
pub(crate) fn put_integers(values: impl ExactSizeIterator<Item = i32>, out: &mut Vec<u8>) {
    begin(INTEGER, values.len(), out);
    for value in values {
        out.extend_from_slice(&4_i32.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Appends an array of `text`.
pub(crate) fn put_texts<'t>(values: impl ExactSizeIterator<Item = &'t str>, out: &mut Vec<u8>) {
    begin(TEXT, values.len(), out);
    for value in values {
        let value = without_nul(value);
        out.extend_from_slice(&(value.len() as i32).to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
}

/// One dimension, nothing that is null; the type; how many, counted from 1.
fn begin(of: i32, values: usize, out: &mut Vec<u8>) {
    for number in [1, 0, of, values as i32, 1] {
        out.extend_from_slice(&number.to_be_bytes());
    }
}
