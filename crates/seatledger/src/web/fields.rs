//! Numbers and instants as people read them.

use super::asker::View;
use crate::render::iso;
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::report::Cell;
use jiff::tz::TimeZone;
use maud::{Markup, html};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A whole number, its thousands apart.
pub(super) fn whole(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if number < 0 { format!("−{text}") } else { text }
}

/// A number as people read it: three digits that count.
pub(super) fn rounded(number: f64) -> String {
    let size = number.abs();
    let digits = match size {
        _ if size >= 100.0 || (size - size.round()).abs() < 1e-9 => 0,
        _ if size >= 10.0 => 1,
        _ if size >= 1.0 => 2,
        _ => 3,
    };
    if digits == 0 { whole(number.round() as i64) } else { format!("{number:.digits$}").replace('-', "−") }
}

/// A whole number of which scripts and tests know the name.
pub(super) fn figure(name: &str, number: i64) -> Markup {
    html! { span data-figure=(name) data-value=(number) { (whole(number)) } }
}

/// A length of time in its two largest units.
pub(super) fn length(ms: i64) -> String {
    let ms = ms.max(0);
    match ms {
        _ if ms >= 10 * DAY => format!("{} d", whole(ms / DAY)),
        _ if ms >= 2 * DAY => format!("{} d {} h", ms / DAY, ms % DAY / HOUR),
        _ if ms >= 10 * HOUR => format!("{} h", ms / HOUR),
        _ if ms >= HOUR => format!("{} h {:02} min", ms / HOUR, ms % HOUR / MINUTE),
        _ if ms >= MINUTE => format!("{} min", ms / MINUTE),
        _ => format!("{} s", ms / 1000),
    }
}

fn local(at: UnixMs, zone: &TimeZone) -> jiff::civil::DateTime {
    zone.to_datetime(jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
}

/// An instant as the wall clock of a zone shows it, in milliseconds as if that were UTC: where charts put it.
pub(super) fn civil_ms(at: UnixMs, zone: &TimeZone) -> i64 {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at + i64::from(zone.to_offset(stamp).seconds()) * 1000
}

/// A value of a report.
pub(super) fn cell_text(cell: &Cell, zone: &TimeZone) -> String {
    match cell {
        Cell::Empty => "–".to_owned(),
        Cell::Text(text) => text.clone(),
        Cell::Int(number) => whole(*number),
        Cell::Decimal(number) => rounded(*number),
        Cell::Instant(at) => {
            let there = local(*at, zone);
            let is_to_the_minute = there.second() == 0;
            there.strftime(if is_to_the_minute { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
        }
        Cell::Amount(cents) => cents.to_string(),
    }
}

/// An instant near another one: the time of the same day, else with weekday and date, else with the year.
pub(super) fn near(view: &View, at: UnixMs, now: UnixMs, calendar: &Calendar) -> Markup {
    let zone = calendar.zone();
    let there = local(at, zone);
    let text = if calendar.day_of(at) == calendar.day_of(now) {
        there.strftime("%H:%M").to_string()
    } else if (now - at).abs() < 300 * DAY {
        format!("{} {}", day_text(view, there.date()), there.strftime("%H:%M"))
    } else {
        there.strftime("%Y-%m-%d %H:%M").to_string()
    };
    html! { time datetime=(iso(at, zone)) title=(there.strftime("%Y-%m-%d %H:%M:%S")) { (text) } }
}

/// An instant in full.
pub(super) fn instant(at: UnixMs, zone: &TimeZone) -> Markup {
    html! { time datetime=(iso(at, zone)) { (local(at, zone).strftime("%Y-%m-%d %H:%M:%S")) } }
}

fn day_text(view: &View, date: jiff::civil::Date) -> String {
    let texts = view.texts;
    let weekday = texts.weekdays[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()) % 7];
    let month = texts.months[usize::from(date.month().unsigned_abs().saturating_sub(1)) % 12];
    format!("{weekday} {}{} {month}", date.day(), texts.after_day)
}

#[cfg(test)]
mod tests {
    use super::{length, rounded, whole};

    #[test]
    fn numbers_are_read_by_people() {
        let few = [0.0, 3.0, 41.33, 128.7, 0.4711, 1234.5].map(rounded);
        assert_eq!(few, ["0", "3", "41.3", "129", "0.471", "1\u{202f}235"]);
        assert_eq!(
            [0, 999, 1000, -1_234_567].map(whole),
            ["0", "999", "1\u{202f}000", "−1\u{202f}234\u{202f}567"]
        );
    }

    #[test]
    fn lengths_of_time_have_two_units() {
        let lengths = [40_000, 61_000, 3_660_000, 63 * 3_600_000, 11 * 86_400_000].map(length);
        assert_eq!(lengths, ["40 s", "1 min", "1 h 01 min", "2 d 15 h", "11 d"]);
    }
}
