//! Cells of a table: their text is that of CSV to the digit, but for words in another language; how they look is for people.

use super::super::{Values, in_words, iso, push_wall_clock};
use accounting::report::{Cell, Column, decimal};
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// Digits behind the point that people look at.
const LOOKED_AT: usize = 2;

/// Columns of texts that are not broken at their hyphens.
const DAYS: [&str; 6] = ["month", "week", "day", "weekday", "expires_on", "when"];

/// A cell; words in it as `values` say them.
pub(super) fn cell(column: &Column, cell: &Cell, zone: &TimeZone, values: Values) -> Markup {
    html! {
        @match cell {
            Cell::Empty => td.n[column.number] {},
            Cell::Text(text) => td.d[DAYS.contains(&column.name)] { (in_words(values, column.name, text)) },
            Cell::Int(number) => td.n { (spaced(&number.to_string())) },
            Cell::Decimal(number) => td.n { @if number.is_finite() { (spaced(&decimal(*number))) } },
            Cell::Amount(cents) => td.n { (spaced(&cents.to_string())) },
            Cell::Instant(at) => td { (instant(*at, zone)) },
        }
    }
}

/// An instant as the wall clock shows it; the attribute says it in full.
fn instant(at: accounting::UnixMs, zone: &TimeZone) -> Markup {
    let mut text = String::with_capacity(19);
    push_wall_clock(&mut text, at, zone);
    html! { time datetime=(iso(at, zone)) { (text) } }
}

/// A number with its thousands apart and its last digits paler: by empty elements and style, so that what is read and copied
/// is the number.
fn spaced(number: &str) -> Markup {
    let (sign, digits) = number.split_at(usize::from(number.starts_with('-')));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let (near, far) = fraction.split_at(fraction.len().min(1 + LOOKED_AT));
    let first = match whole.len() % 3 {
        0 => 3.min(whole.len()),
        some => some,
    };
    html! {
        (sign)
        @if whole.len() < 5 { (whole) } @else {
            (&whole[..first])
            @for group in whole.as_bytes()[first..].chunks(3) { i {} (String::from_utf8_lossy(group)) }
        }
        (near)
        @if !far.is_empty() { small { (far) } }
    }
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn what_is_read_is_the_number() {
        for number in ["0", "7.5", "-12", "1234", "12345", "123456.043813", "-1000000", "0.000001"] {
            let html = spaced(number).into_string();
            assert_eq!(html.replace("<i></i>", "").replace("<small>", "").replace("</small>", ""), number);
        }
        assert_eq!(spaced("1234567.043813").into_string(), "1<i></i>234<i></i>567.04<small>3813</small>");
    }
}
