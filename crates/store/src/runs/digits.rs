//! Columns of runs as digits, as SQLite keeps them: each number with as many as the greatest of its column needs, one behind the
//! other, so that any SQL reads them with `substr`.

use crate::Error;

/// More digits are not read: what has so many fits into 64 bits.
const WIDEST: usize = 19;

/// Appends a column.
pub(crate) fn put(numbers: impl Iterator<Item = u64> + Clone, out: &mut Vec<u8>) {
    let greatest = numbers.clone().max().unwrap_or_default();
    let width = greatest.checked_ilog10().unwrap_or_default() as usize + 1;
    debug_assert!(width <= WIDEST, "{greatest} is no time that anybody was told");
    for mut number in numbers {
        let begin = out.len();
        out.resize(begin + width, b'0');
        for digit in out[begin..].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
}

/// The numbers of a column of so many sessions.
pub(super) fn numbers(column: &[u8], sessions: usize) -> Result<impl Iterator<Item = u64> + '_, Error> {
    let width = column.len().checked_div(sessions).filter(|width| (1..=WIDEST).contains(width));
    let is_whole = column.len().checked_rem(sessions) == Some(0) && column.iter().all(u8::is_ascii_digit);
    let width = width.filter(|_| is_whole);
    let width = width.ok_or_else(|| Error::Corrupt(format!("a run of {sessions} sessions")))?;
    let number = |digits: &[u8]| digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Ok(column.chunks_exact(width).map(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read() {
        for column in [vec![0], vec![7, 10, 0], vec![999, 1_000, 3], vec![i64::MAX as u64, 1]] {
            let mut bytes = Vec::new();
            put(column.iter().copied(), &mut bytes);
            assert_eq!(numbers(&bytes, column.len()).unwrap().collect::<Vec<_>>(), column);
        }
    }

    #[test]
    fn what_is_no_column_is_refused() {
        for (column, sessions) in [("", 1), ("", 0), ("12", 0), ("123", 2), ("1x", 2), ("-1", 1)] {
            assert!(numbers(column.as_bytes(), sessions).is_err(), "{column} of {sessions}");
        }
    }
}
