//! The article's table `uso_diario`: finished uses, cut at days and time classes.

use super::{Look, Reader, Table, article_claim, article_moment};
use crate::line::{Fit, Format, Parser, Setting, StateError, Surveyor};
use crate::separated::Columns;
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{Pairing, What};
use std::borrow::Cow;

/// The format `uso-diario`.
#[derive(Debug)]
pub struct UsoDiario;

impl Format for UsoDiario {
    fn name(&self) -> &'static str {
        "uso-diario"
    }

    fn describe(&self) -> &'static str {
        "the table uso_diario of finished uses as CSV (user, hostname, app, aaaa, mm, dd, hh_start, mm_start, pid, uso_en_min)"
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
        Pairing::Exclusive
    }

    /// Where records of wrapper scripts cover the same time, theirs count.
    fn polls(&self) -> bool {
        true
    }

    fn default_server(&self) -> &'static str {
        "wrapper"
    }
}

struct Rows;

impl Table for Rows {
    const COLUMNS: &'static [&'static [&'static str]] = &[
        &["aaaa"],
        &["mm"],
        &["dd"],
        &["hh_start"],
        &["mm_start"],
        &["app"],
        &["user"],
        &["hostname"],
        &["pid"],
        &["uso_en_min"],
    ];

    fn moment(row: &[Cow<'_, str>]) -> Option<(Day, u32)> {
        article_moment(row)
    }

    fn what<'a>(row: Vec<Cow<'a, str>>, at: UnixMs, columns: &Columns) -> Result<What<'a>, &'static str> {
        article_moment(&row).ok_or("row with a date or time that is none")?;
        let Ok([_, _, _, _, _, app, user, host, pid, minutes]) = <[_; 10]>::try_from(row) else {
            return Err("row with too few columns");
        };
        let claim = article_claim(app, user, host, pid)?;
        let length = length_ms(&minutes, columns).ok_or("row whose minutes are no number")?;
        Ok(What::Used { claim, until: at + length })
    }
}

/// Minutes with or without decimals, in milliseconds; none that a day and an hour more could not hold.
fn length_ms(minutes: &str, columns: &Columns) -> Option<i64> {
    const MOST: f64 = 25.0 * 60.0;
    let minutes = if columns.is_comma_free() { minutes.replace(',', ".") } else { minutes.to_owned() };
    if minutes.is_empty() || !minutes.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let minutes: f64 = minutes.parse().ok()?;
    (minutes <= MOST).then(|| (minutes * 60_000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_with_and_without_decimals() {
        let columns = |head: &str| Columns::named_by(head.as_bytes(), &[&["a"], &["b"]]).unwrap();
        assert_eq!(length_ms("24", &columns("a,b")), Some(1_440_000));
        assert_eq!(length_ms("0.5", &columns("a,b")), Some(30_000));
        assert_eq!(length_ms("0,5", &columns("a;b")), Some(30_000));
        for wrong in ["", "-1", "1e3", "nan", "0,5", "1501", "."] {
            assert_eq!(length_ms(wrong, &columns("a,b")), None, "{wrong}");
        }
    }
}
