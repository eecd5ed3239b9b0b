//! The article's table `syslog_line`: a row for each START and STOP of a wrapper script.

use super::{Look, Reader, Table, article_claim, article_moment};
use crate::line::{Fit, Format, Parser, Setting, StateError, Surveyor};
use crate::separated::Columns;
use accounting::UnixMs;
use accounting::day::Day;
use accounting::event::{CheckinReason, Pairing, What};
use std::borrow::Cow;

/// The format `syslog-line`.
#[derive(Debug)]
pub struct SyslogLine;

impl Format for SyslogLine {
    fn name(&self) -> &'static str {
        "syslog-line"
    }

    fn describe(&self) -> &'static str {
        "the table syslog_line of wrapper records as CSV (aaaa, mm, dd, hh, mmin, app, user, pid, hostname, status)"
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
        &["hh"],
        &["mmin"],
        &["app"],
        &["user"],
        &["hostname"],
        &["pid"],
        &["status"],
    ];

    fn moment(row: &[Cow<'_, str>]) -> Option<(Day, u32)> {
        article_moment(row)
    }

    fn what<'a>(row: Vec<Cow<'a, str>>, _: UnixMs, _: &Columns) -> Result<What<'a>, &'static str> {
        article_moment(&row).ok_or("row with a date or time that is none")?;
        let Ok([_, _, _, _, _, app, user, host, pid, status]) = <[_; 10]>::try_from(row) else {
            return Err("row with too few columns");
        };
        let claim = article_claim(app, user, host, pid)?;
        match status.to_ascii_uppercase().as_str() {
            "START" => Ok(What::Checkout(claim)),
            "STOP" | "END" => Ok(What::Checkin(claim, CheckinReason::Returned)),
            _ => Err("row whose status is neither START nor STOP"),
        }
    }
}
