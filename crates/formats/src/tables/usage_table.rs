//! The usage table of the AutoCAD usage measurement service: minutes by organization, day, application and version,
//! without persons.

use super::{Look, Reader, Table};
use crate::line::{Fit, Format, Parser, Setting, StateError, Surveyor};
use crate::separated::Columns;
use crate::text::{number, two};
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Pairing, Total, What};
use std::borrow::Cow;

/// The format `usage-table`.
#[derive(Debug)]
pub struct UsageTable;

impl Format for UsageTable {
    fn name(&self) -> &'static str {
        "usage-table"
    }

    fn describe(&self) -> &'static str {
        "usage table of the AutoCAD usage measurement service as CSV (organization, day, app code, version, minutes)"
    }

    fn fits(&self, head: &[u8]) -> Fit {
        super::fits::<Rows>(head)
    }

    fn surveyor(&self) -> Box<dyn Surveyor> {
        Look::<Rows>::boxed()
    }

    fn parser(&self, setting: &Setting) -> Box<dyn Parser> {
        Reader::<Rows>::boxed(setting)
    }

    fn resume(&self, setting: &Setting, state: &str) -> Result<Box<dyn Parser>, StateError> {
        Reader::<Rows>::resumed(setting, state)
    }

    fn pairing(&self) -> Pairing {
        Pairing::Counted
    }
}

struct Rows;

impl Table for Rows {
    /// The service's configuration names its columns; these are the names in use.
    const COLUMNS: &'static [&'static [&'static str]] = &[
        &[
            "orgfid",
            "org_fid",
            "organization",
            "organisation",
            "organization_id",
            "org_id",
            "org",
            "usage_orgfid",
        ],
        &["udate", "u_date", "day", "date", "usage_date", "usagedate"],
        &["appcode", "app_code", "app", "usage_appcode", "usage_app_code"],
        &["version", "app_version", "appversion", "usage_version"],
        &["minutes", "usage_minutes", "usageminutes", "mins"],
    ];

    fn moment(_: &[Cow<'_, str>]) -> Option<(Day, u32)> {
        None
    }

    fn what<'a>(row: Vec<Cow<'a, str>>, _: UnixMs, _: &Columns) -> Result<What<'a>, &'static str> {
        let Ok([organization, day, feature, version, minutes]) = <[_; 5]>::try_from(row) else {
            return Err("row with too few columns");
        };
        let organization = whole(&organization).ok_or("row whose organization is no number")?;
        let day = day_of(day.as_bytes()).ok_or("row with a day that is none")?;
        if feature.is_empty() {
            return Err("row without an app code");
        }
        let minutes =
            whole(&minutes).filter(|minutes| *minutes >= 0).ok_or("row whose minutes are no number")?;
        Ok(What::Total(Total { organization, day, feature, version, minutes }))
    }
}

/// A whole number; exports may print decimals, which must be 0.
fn whole(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    if whole.len() > 15 || decimals.is_empty() || decimals.bytes().any(|byte| byte != b'0') {
        return None;
    }
    whole.parse().ok()
}

/// `YYYY-MM-DD`, `DD.MM.YYYY` or Oracle's `DD-MON-YY` and `DD-MON-YYYY`, with or without a time of day behind it.
fn day_of(text: &[u8]) -> Option<Day> {
    // A time follows a blank, or a T between digits: the T of OCT stands between letters.
    let is_end = |at: &usize| match text[*at] {
        b' ' => true,
        b'T' | b't' => *at > 0 && text[at - 1].is_ascii_digit(),
        _ => false,
    };
    let end = (0..text.len()).find(is_end);
    let (date, time) = text.split_at(end.unwrap_or(text.len()));
    let is_time = |time: &[u8]| time.get(1).is_some_and(u8::is_ascii_digit);
    if !time.is_empty() && !is_time(time) {
        return None;
    }
    let mut parts = date.split(|byte| matches!(byte, b'-' | b'.' | b'/'));
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    match (date.contains(&b'-'), first.len()) {
        (true, 4) => crate::text::day(number(first)?, two(second)?, two(third)?),
        (true, 1 | 2) => crate::text::day(year(third)?, month(second)?, number(first)?),
        (false, 1 | 2) if date.contains(&b'.') && third.len() == 4 => {
            crate::text::day(number(third)?, number(second)?, number(first)?)
        }
        _ => None,
    }
}

/// Oracle's `RR`: years of two digits lie between 1950 and 2049.
fn year(digits: &[u8]) -> Option<u32> {
    let year = number(digits)?;
    match digits.len() {
        2 if year < 50 => Some(2000 + year),
        2 => Some(1900 + year),
        4 => Some(year),
        _ => None,
    }
}

/// A month's abbreviation in English or German, in any case.
fn month(name: &[u8]) -> Option<u32> {
    let name = name.to_ascii_lowercase();
    let german: &[(&[u8], u32)] =
        &[("mär".as_bytes(), 3), (b"mrz", 3), (b"mai", 5), (b"okt", 10), (b"dez", 12)];
    let capitalized =
        [name.first()?.to_ascii_uppercase()].iter().chain(&name[1..]).copied().collect::<Vec<u8>>();
    crate::text::month(&capitalized)
        .or_else(|| german.iter().find(|(german, _)| *german == name).map(|(_, number)| *number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_their_spellings() {
        for text in [
            "2024-03-05",
            "2024-03-05 00:00:00",
            "2024-03-05T00:00:00Z",
            "05.03.2024",
            "5.3.2024 12:00",
            "05-MAR-24",
            "05-Mar-2024",
            "05-MRZ-24 00:00:00",
        ] {
            assert_eq!(
                day_of(text.as_bytes()).map(|day| day.to_string()).as_deref(),
                Some("2024-03-05"),
                "{text}"
            );
        }
        assert_eq!(day_of(b"07-OCT-99").map(|day| day.to_string()).as_deref(), Some("1999-10-07"));
        for text in
            ["", "2024", "05/03/2024", "2024-13-01", "05.03.24", "05-QQQ-24", "2024-03-05 x", "2024-03-05-1"]
        {
            assert_eq!(day_of(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(whole("120"), Some(120));
        assert_eq!(whole("-1"), Some(-1));
        assert_eq!(whole("120.00"), Some(120));
        for wrong in ["", "12.5", "x", "1e3", "12.", "99999999999999999999"] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
    }
}
