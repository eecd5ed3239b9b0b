//! Pages: the parts of a feature day's sessions as compressed columns.
//!
//! Layout, all numbers as LEB128 varints: version of the layout; unit of time in ms (1000 where every instant and
//! length is whole seconds, else 1); number of parts; then column by column, ordered by start: start (the first
//! relative to the day's start, zigzag; the others relative to the one before), length, holder, version, and
//! seats and ending in one number (`(seats << 3) | ending`).

use crate::UnixMs;
use crate::session::{Ended, Part};

const LAYOUT: u64 = 1;

/// How many parts a page holds at most; a day with more has several pages.
pub const PAGE_PARTS: usize = 65_536;

/// Bytes that are not a page.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the page is damaged: {0}")]
pub struct Damaged(&'static str);

/// The pages of a day, at least one. `parts` must be ordered by [`order`].
pub fn encode(day_start: UnixMs, parts: &[Part]) -> Vec<Vec<u8>> {
    if parts.is_empty() {
        return vec![encode_one(day_start, parts)];
    }
    parts.chunks(PAGE_PARTS).map(|chunk| encode_one(day_start, chunk)).collect()
}

/// The order of parts in a page: the same sessions give the same bytes.
pub fn order(part: &Part) -> (UnixMs, UnixMs, u32, u32, u32, i64) {
    (part.from, part.until, part.holder, part.version, part.seats, part.ended.code())
}

fn encode_one(day_start: UnixMs, parts: &[Part]) -> Vec<u8> {
    let whole_seconds =
        |part: &Part| (part.from - day_start) % 1000 == 0 && (part.until - part.from) % 1000 == 0;
    let unit = if parts.iter().all(whole_seconds) { 1000 } else { 1 };
    let mut bytes = Vec::with_capacity(16 + parts.len() * 10);
    put(&mut bytes, LAYOUT);
    put(&mut bytes, unit as u64);
    put(&mut bytes, parts.len() as u64);
    let mut before = day_start;
    for (index, part) in parts.iter().enumerate() {
        let delta = (part.from - before) / unit;
        put(&mut bytes, if index == 0 { zigzag(delta) } else { delta as u64 });
        before = part.from;
    }
    for part in parts {
        put(&mut bytes, ((part.until - part.from) / unit) as u64);
    }
    for part in parts {
        put(&mut bytes, u64::from(part.holder));
    }
    for part in parts {
        put(&mut bytes, u64::from(part.version));
    }
    for part in parts {
        put(&mut bytes, u64::from(part.seats) << 3 | part.ended.code() as u64);
    }
    bytes
}

/// Adds the parts of a page to `parts`.
pub fn decode(day_start: UnixMs, page: &[u8], parts: &mut Vec<Part>) -> Result<(), Damaged> {
    let mut bytes = Bytes { rest: page };
    if bytes.next()? != LAYOUT {
        return Err(Damaged("unknown layout"));
    }
    let unit = bytes.next()? as i64;
    let count = bytes.next()? as usize;
    if count > PAGE_PARTS {
        return Err(Damaged("too many parts"));
    }
    // A part takes at least a byte of each column: what is shorter is damaged, and is not worth the memory.
    if bytes.rest.len() < count * 5 {
        return Err(Damaged("a column is missing"));
    }
    let first = parts.len();
    let blank = Part { from: 0, until: 0, holder: 0, version: 0, seats: 0, ended: Ended::Open };
    parts.resize(first + count, blank);
    let parts = &mut parts[first..];
    let mut at = day_start;
    let mut head = true;
    bytes.column(parts, |part, delta| {
        let steps = if std::mem::take(&mut head) { unzigzag(delta) } else { delta as i64 };
        at = at.wrapping_add(steps.wrapping_mul(unit));
        part.from = at;
    })?;
    bytes.column(parts, |part, length| {
        part.until = part.from.wrapping_add((length as i64).wrapping_mul(unit));
    })?;
    bytes.column(parts, |part, holder| part.holder = holder as u32)?;
    bytes.column(parts, |part, version| part.version = version as u32)?;
    bytes.column(parts, |part, word| {
        part.seats = (word >> 3) as u32;
        part.ended = Ended::from_code((word & 7) as i64).unwrap_or(Ended::Open);
    })?;
    if bytes.rest.is_empty() { Ok(()) } else { Err(Damaged("bytes after the last column")) }
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    /// Reads a number for each part.
    #[inline]
    fn column(&mut self, parts: &mut [Part], mut set: impl FnMut(&mut Part, u64)) -> Result<(), Damaged> {
        // Versions, seats and short pages are mostly numbers of one byte.
        if let Some((column, rest)) = self.rest.split_at_checked(parts.len())
            && column.iter().fold(0, |all, byte| all | byte) < 0x80
        {
            self.rest = rest;
            for (part, byte) in parts.iter_mut().zip(column) {
                set(part, u64::from(*byte));
            }
            return Ok(());
        }
        for part in parts {
            let number = self.next()?;
            set(part, number);
        }
        Ok(())
    }

    #[inline]
    fn next(&mut self) -> Result<u64, Damaged> {
        // How long a number is cannot be foreseen: up to eight bytes are read without a branch.
        if let Some(word) = self.rest.first_chunk().map(|word| u64::from_le_bytes(*word)) {
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                let bits = ends.trailing_zeros() + 1;
                self.rest = &self.rest[bits as usize / 8..];
                return Ok(sevens(word & u64::MAX >> (64 - bits)));
            }
        }
        self.next_by_bytes()
    }

    fn next_by_bytes(&mut self) -> Result<u64, Damaged> {
        let (mut value, mut shift) = (0, 0);
        for (index, byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if *byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(Damaged("a number without an end"))
    }
}

/// The lower seven bits of eight bytes, moved together.
#[inline]
fn sevens(word: u64) -> u64 {
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_part() -> impl Strategy<Value = Part> {
        (-90_000_000..90_000_000_i64, 0..1_000_000_000_i64, any::<u32>(), 0..9_u32, 0..999_u32, 0..8_i64)
            .prop_map(|(from, held, holder, version, seats, ended)| Part {
                from,
                until: from + held,
                holder,
                version,
                seats,
                ended: Ended::from_code(ended).unwrap(),
            })
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(mut parts in prop::collection::vec(any_part(), 0..50), whole in any::<bool>()) {
            if whole {
                for part in &mut parts {
                    part.from = part.from / 1000 * 1000;
                    part.until = part.from + part.until.abs() / 1000 * 1000;
                }
            }
            parts.sort_by_key(order);
            let mut again = Vec::new();
            for page in encode(0, &parts) {
                decode(0, &page, &mut again).unwrap();
            }
            prop_assert_eq!(again, parts);
        }

        #[test]
        fn numbers_of_any_length_are_read(numbers in prop::collection::vec((any::<u64>(), 0..64_u32), 0..40)) {
            let numbers: Vec<u64> = numbers.into_iter().map(|(number, shift)| number >> shift).collect();
            let mut bytes = Vec::new();
            for number in &numbers {
                put(&mut bytes, *number);
            }
            let mut bytes = Bytes { rest: &bytes };
            for number in numbers {
                prop_assert_eq!(bytes.next(), Ok(number));
            }
            prop_assert!(bytes.rest.is_empty());
        }

        #[test]
        fn any_bytes_are_an_error_at_worst(bytes in prop::collection::vec(any::<u8>(), 0..99)) {
            let mut bytes = bytes;
            let _ = decode(0, &bytes, &mut Vec::new());
            bytes.splice(0..0, [1, 1, 5]);
            let _ = decode(0, &bytes, &mut Vec::new());
        }
    }
}
