//! Pages: the parts of a feature day's sessions as compressed columns.
//!
//! Layout: as LEB128 varints the version of the layout, the unit of time in ms (1000 where every instant and length is
//! whole seconds, else 1), the number of parts and the first start (relative to the day's start, zigzag); then column
//! by column, ordered by start: start (relative to the one before), length, holder, version, and seats and ending in
//! one number (`(seats << 3) | ending`). A column is its least number as a varint, a byte that says how many bytes a
//! number takes, and what each number has above the least one, little endian: columns are read without a branch for
//! each number, and one whose numbers are all the same takes no bytes for them.

use crate::UnixMs;
use crate::session::{Ended, Part};

const LAYOUT: u64 = 2;

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
    let first = parts.first().map_or(day_start, |part| part.from);
    let mut bytes = Vec::with_capacity(24 + parts.len() * 10);
    put(&mut bytes, LAYOUT);
    put(&mut bytes, unit as u64);
    put(&mut bytes, parts.len() as u64);
    put(&mut bytes, zigzag((first - day_start) / unit));
    let mut before = first;
    let deltas = parts.iter().map(|part| (part.from - std::mem::replace(&mut before, part.from)) / unit);
    let deltas: Vec<u64> = deltas.map(|delta| delta as u64).collect();
    put_column(&mut bytes, deltas.into_iter());
    put_column(&mut bytes, parts.iter().map(|part| ((part.until - part.from) / unit) as u64));
    put_column(&mut bytes, parts.iter().map(|part| u64::from(part.holder)));
    put_column(&mut bytes, parts.iter().map(|part| u64::from(part.version)));
    put_column(&mut bytes, parts.iter().map(|part| u64::from(part.seats) << 3 | part.ended.code() as u64));
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
    let first = unzigzag(bytes.next()?).wrapping_mul(unit);
    let mut at = day_start.wrapping_add(first);
    let place = parts.len();
    bytes.first_column(count, parts, |delta| {
        at = at.wrapping_add((delta as i64).wrapping_mul(unit));
        Part { from: at, until: 0, holder: 0, version: 0, seats: 0, ended: Ended::Open }
    })?;
    let parts = &mut parts[place..];
    bytes.next_column(parts, |part, length| {
        part.until = part.from.wrapping_add((length as i64).wrapping_mul(unit));
    })?;
    bytes.next_column(parts, |part, holder| part.holder = holder as u32)?;
    bytes.next_column(parts, |part, version| part.version = version as u32)?;
    bytes.next_column(parts, |part, word| {
        part.seats = (word >> 3) as u32;
        part.ended = Ended::from_code((word & 7) as i64).unwrap_or(Ended::Open);
    })?;
    if bytes.rest.is_empty() { Ok(()) } else { Err(Damaged("bytes after the last column")) }
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    /// Makes a part of each number of a column.
    #[inline]
    fn first_column(
        &mut self,
        count: usize,
        parts: &mut Vec<Part>,
        mut make: impl FnMut(u64) -> Part,
    ) -> Result<(), Damaged> {
        let column = self.column(count)?;
        let least = column.least;
        match column.width {
            0 => parts.extend((0..count).map(|_| make(least))),
            1 => parts.extend(column.numbers::<1>().map(make)),
            2 => parts.extend(column.numbers::<2>().map(make)),
            3 => parts.extend(column.numbers::<3>().map(make)),
            4 => parts.extend(column.numbers::<4>().map(make)),
            _ => parts.extend(column.numbers::<8>().map(make)),
        }
        Ok(())
    }

    /// Reads a number for each part.
    #[inline]
    fn next_column(
        &mut self,
        parts: &mut [Part],
        mut set: impl FnMut(&mut Part, u64),
    ) -> Result<(), Damaged> {
        let column = self.column(parts.len())?;
        let (least, each) = (column.least, parts.iter_mut());
        match column.width {
            0 => each.for_each(|part| set(part, least)),
            1 => each.zip(column.numbers::<1>()).for_each(|(part, number)| set(part, number)),
            2 => each.zip(column.numbers::<2>()).for_each(|(part, number)| set(part, number)),
            3 => each.zip(column.numbers::<3>()).for_each(|(part, number)| set(part, number)),
            4 => each.zip(column.numbers::<4>()).for_each(|(part, number)| set(part, number)),
            _ => each.zip(column.numbers::<8>()).for_each(|(part, number)| set(part, number)),
        }
        Ok(())
    }

    /// The next column, of so many numbers.
    fn column(&mut self, count: usize) -> Result<Column<'_>, Damaged> {
        let least = self.next()?;
        let (&width, rest) = self.rest.split_first().ok_or(MISSING)?;
        if !matches!(width, 0..=4 | 8) {
            return Err(Damaged("numbers of an unknown width"));
        }
        let (bytes, rest) = rest.split_at_checked(count * usize::from(width)).ok_or(MISSING)?;
        self.rest = rest;
        Ok(Column { least, width, bytes })
    }

    fn next(&mut self) -> Result<u64, Damaged> {
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

/// A column that is all there.
struct Column<'a> {
    least: u64,
    /// Bytes of each number: 0 to 4, or 8.
    width: u8,
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    /// Its numbers, which take `WIDTH` bytes.
    #[inline]
    fn numbers<const WIDTH: usize>(&self) -> impl Iterator<Item = u64> + use<'a, WIDTH> {
        let least = self.least;
        self.bytes.chunks_exact(WIDTH).map(move |bytes| {
            let mut number = [0; 8];
            number[..WIDTH].copy_from_slice(bytes);
            least.wrapping_add(u64::from_le_bytes(number))
        })
    }
}

const MISSING: Damaged = Damaged("a column is missing");

fn put_column(bytes: &mut Vec<u8>, numbers: impl Iterator<Item = u64> + Clone) {
    let (mut least, mut most) = (u64::MAX, 0);
    for number in numbers.clone() {
        (least, most) = (least.min(number), most.max(number));
    }
    let least = least.min(most);
    put(bytes, least);
    let width: u8 = match most - least {
        0 => 0,
        1..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x100_0000 => 3,
        0x100_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    bytes.push(width);
    for number in numbers {
        bytes.extend_from_slice(&(number - least).to_le_bytes()[..usize::from(width)]);
    }
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
        fn what_is_encoded_is_decoded(
            mut parts in prop::collection::vec(any_part(), 0..50),
            whole in any::<bool>(),
            same in any::<bool>(),
        ) {
            if whole {
                for part in &mut parts {
                    part.from = part.from / 1000 * 1000;
                    part.until = part.from + part.until.abs() / 1000 * 1000;
                }
            }
            if same {
                let first = parts.first().copied();
                parts.iter_mut().zip(first.iter().cycle()).for_each(|(part, first)| part.holder = first.holder);
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
            bytes.splice(0..0, [2, 1, 5, 0]);
            let _ = decode(0, &bytes, &mut Vec::new());
        }
    }
}
