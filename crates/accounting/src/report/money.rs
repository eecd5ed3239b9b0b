//! Amounts of money, exactly: whole hundredths, split without a rest.

use std::fmt;
use std::str::FromStr;

/// An amount of money in hundredths of its unit; which unit, nothing here knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cents(pub i64);

/// A text that is no amount.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no amount: write 1200 or 1200.50")]
pub struct NotAnAmount(String);

/// More digits before the point than any bill has.
const MOST_DIGITS: usize = 15;
/// More places behind the point than any price has.
const MOST_PLACES: usize = 9;

impl FromStr for Cents {
    type Err = NotAnAmount;

    /// `1200`, `1200.5` or `1200.50`.
    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let hundredths = scaled(text, 2).and_then(|number| i64::try_from(number).ok());
        hundredths.map(Self).ok_or_else(|| NotAnAmount(text.to_owned()))
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(out, "{sign}{}.{:02}", self.0.unsigned_abs() / 100, self.0.unsigned_abs() % 100)
    }
}

/// What so many seats cost at a price for one, such as `12000` or `0.125`: the exact product, half a cent rounded up.
/// `None` where the text is no price, or the product has more than fifteen digits.
pub(crate) fn cost(price: &str, seats: i64) -> Option<Cents> {
    let of_one_cent = 10_i128.pow(MOST_PLACES as u32 - 2);
    let exact = scaled(price, MOST_PLACES)?.checked_mul(i128::from(seats))?;
    let hundredths = exact.checked_add(of_one_cent / 2)?.div_euclid(of_one_cent);
    i64::try_from(hundredths)
        .ok()
        .filter(|cents| cents.unsigned_abs() < 10_u64.pow(MOST_DIGITS as u32))
        .map(Cents)
}

/// A number of digits with up to so many `places` behind the point, in units of the last place; zeros beyond do not
/// count.
fn scaled(text: &str, places: usize) -> Option<i128> {
    let (whole, fraction) =
        text.split_once('.').map_or((text, None), |(whole, behind)| (whole, Some(behind)));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || fraction.is_some_and(|fraction| !all_digits(fraction)) {
        return None;
    }
    let fraction = fraction.unwrap_or_default();
    let (kept, beyond) = fraction.split_at(fraction.len().min(places));
    let whole = whole.trim_start_matches('0');
    if whole.len() > MOST_DIGITS || beyond.bytes().any(|byte| byte != b'0') {
        return None;
    }
    format!("0{whole}{kept:0<places$}").parse().ok()
}

/// Splits a bill by weights, by largest remainder: with W = Σ `weights`, each part is at first bill · weight / W rounded
/// down to the cent, and the cents that are left go, one each, to the parts of which rounding took most; of equal ones to
/// those that come first. So the parts sum to the bill, each less than a cent from its exact share, and a weight of 0
/// gets nothing. `None` where W is 0: there is nothing to split by.
///
/// Weights are not negative, and W · bill fits into 126 bits (a bill of 15 digits and 10²⁰ seat-milliseconds do).
pub fn split(bill: Cents, weights: &[i128]) -> Option<Vec<Cents>> {
    let total: i128 = weights.iter().sum();
    if total == 0 {
        return None;
    }
    let bill = i128::from(bill.0);
    let mut parts: Vec<i128> = weights.iter().map(|weight| (bill * weight).div_euclid(total)).collect();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&nth| std::cmp::Reverse((bill * weights[nth]).rem_euclid(total)));
    let left = bill - parts.iter().sum::<i128>();
    for &nth in by_remainder.iter().take(left as usize) {
        parts[nth] += 1;
    }
    Some(parts.into_iter().map(|part| Cents(part as i64)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(text: &str) -> Result<i64, NotAnAmount> {
        text.parse().map(|Cents(cents)| cents)
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, number) in [("1200", 120_000), ("1200.5", 120_050), ("0.01", 1), ("007.10", 710), ("0", 0)]
        {
            assert_eq!(cents(text), Ok(number));
        }
        assert_eq!(cents("999999999999999.99"), Ok(99_999_999_999_999_999));
        assert_eq!(cents("12.3400"), Ok(1234));
        for wrong in
            ["", "-1", "1,200", "1'200", ".5", "5.", "1.005", "1e3", " 1", "1.2.3", "1000000000000000"]
        {
            assert_eq!(cents(wrong), Err(NotAnAmount(wrong.to_owned())), "{wrong}");
        }
        let texts = [0, 5, 120_050, -1234].map(|cents| Cents(cents).to_string());
        assert_eq!(texts, ["0.00", "0.05", "1200.50", "-12.34"]);
    }

    #[test]
    fn prices_may_be_finer_than_a_cent() {
        assert_eq!(cost("12000", 2), Some(Cents(2_400_000)));
        assert_eq!(cost("0.125", 1), Some(Cents(13)));
        assert_eq!(cost("0.125", 3), Some(Cents(38)));
        assert_eq!(cost("0.1249", 1), Some(Cents(12)));
        assert_eq!(cost("3500.50", 0), Some(Cents(0)));
        assert_eq!(cost("free", 3), None);
        assert_eq!(cost("999999999999999", i64::MAX), None);
    }

    #[test]
    fn the_cents_that_are_left_go_to_the_largest_remainders_and_then_to_the_first() {
        let parts = |bill, weights: &[i128]| {
            split(Cents(bill), weights).map(|parts| parts.iter().map(|part| part.0).collect())
        };
        assert_eq!(parts(100, &[1, 1, 1]), Some(vec![34, 33, 33]));
        assert_eq!(parts(200, &[1, 1, 1]), Some(vec![67, 67, 66]));
        assert_eq!(parts(100, &[1, 2, 4]), Some(vec![14, 29, 57]));
        assert_eq!(parts(1, &[0, 3, 3]), Some(vec![0, 1, 0]));
        assert_eq!(parts(0, &[5, 7]), Some(vec![0, 0]));
        assert_eq!(parts(100, &[0, 0]), None);
        assert_eq!(parts(100, &[]), None::<Vec<i64>>);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_bill_and_lie_within_a_cent_of_their_shares(
            bill in prop_oneof![0..1_000_i64, 0..100_000_000_000_000_000_i64],
            weights in prop::collection::vec(prop_oneof![0..5_i128, 0..1_000_000_i128, 0..1_000_000_000_000_000_000_i128], 1..40),
        ) {
            let total: i128 = weights.iter().sum();
            let Some(parts) = split(Cents(bill), &weights) else {
                prop_assert_eq!(total, 0);
                return Ok(());
            };
            prop_assert_eq!(parts.iter().map(|part| part.0).sum::<i64>(), bill);
            for (part, weight) in parts.iter().zip(&weights) {
                // |part − bill · weight / total| < 1, times the total.
                let off = i128::from(part.0) * total - i128::from(bill) * weight;
                prop_assert!(off.abs() < total);
                prop_assert!(*weight > 0 || part.0 == 0);
            }
        }
    }
}
