//! A first look at an input: its format, its server, its first dated line.

use super::bytes::Bytes;
use super::lines::{Encoding, Lines};
use accounting::UnixMs;
use accounting::calendar::instant;
use accounting::day::Day;
use formats::flexnet::report_log;
use formats::line::{Format, Setting, Survey};
use jiff::tz::TimeZone;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a first look found.
pub(crate) struct Surveyed {
    pub(crate) bytes: Bytes,
    pub(crate) name: String,
    pub(crate) head: Vec<u8>,
    pub(crate) encoding: Encoding,
    pub(crate) format: &'static dyn Format,
    pub(crate) survey: Survey,
    /// The first line, where it is not longer than lines may be.
    pub(crate) first_line: Vec<u8>,
}

/// Why an input cannot be read.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It cannot be opened or read.
    Io(io::Error),
    /// Nothing is in it.
    Empty,
    /// It is of no known kind; what to do about it.
    Unknown(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Looks at an input. `forced` is the format that the user names.
pub(crate) fn look(
    bytes: Bytes,
    name: String,
    forced: Option<&'static dyn Format>,
) -> Result<Surveyed, Refused> {
    let head = bytes.head()?;
    if head.is_empty() {
        return Err(Refused::Empty);
    }
    let encoding = Encoding::of(&head);
    let format = match forced {
        Some(format) => format,
        None => detect(&bytes, &head, encoding, &name)?,
    };
    let mut surveyor = format.surveyor();
    let mut lines = Lines::new(bytes.reader_at(0, Arc::default())?, 0, encoding);
    let mut first_line = None;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            // A packed file that breaks off: who reads it tells.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error.into()),
        };
        if !line.ended && first_line.is_some() {
            // A line that may go on does not say yet which day or which server it is of.
            break;
        }
        let text = encoding.decode(line.bytes);
        first_line.get_or_insert_with(|| text.to_vec());
        if !line.too_long && !surveyor.line(&text) {
            break;
        }
    }
    let survey = surveyor.finish();
    let first_line = first_line.unwrap_or_default();
    Ok(Surveyed { bytes, name, head, encoding, format, survey, first_line })
}

/// How much of an input detection may look at.
const DETECTED_BY: usize = 256 << 10;

fn detect(
    bytes: &Bytes,
    head: &[u8],
    encoding: Encoding,
    name: &str,
) -> Result<&'static dyn Format, Refused> {
    let mut sample = vec![0; DETECTED_BY];
    let length = super::bytes::read_available(&mut bytes.reader_at(0, Arc::default())?, &mut sample)?;
    sample.truncate(length);
    let text = encoding.decode(&sample);
    if let Some(format) = formats::detect(&text) {
        return Ok(format);
    }
    let named_so = Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("rl"));
    if report_log::looks_like_report_log(head) || named_so {
        return Err(Refused::Unknown(report_log::ADVICE.to_owned()));
    }
    let known: Vec<&str> = formats::all().iter().map(|format| format.name()).collect();
    let kind = if report_log::is_binary(&text) { "binary data" } else { "text of a kind that is not known" };
    Err(Refused::Unknown(format!("{kind}: if it is one of {}, say so with --format", known.join(", "))))
}

impl Surveyed {
    /// The instant of the first dated line, where the input itself tells its day.
    pub(crate) fn first_at(&self, zone: &TimeZone) -> Option<UnixMs> {
        let (day, second) = (self.survey.first_day?, self.survey.first_second?);
        let told = self.survey.utc_offset.map(|offset| formats::told_zone(zone, offset, day, second));
        Some(at_second(day, second, told.as_ref().unwrap_or(zone)))
    }

    /// What a parser of this input must be told.
    pub(crate) fn setting(&self, zone: TimeZone, first_day: Day) -> Setting {
        let modified_at = self.bytes.modified_ms().unwrap_or_default();
        Setting { modified_at, ..Setting::new(zone, first_day) }
    }

    /// The civil day of the first line when only the modification time dates the input: counted backwards from it.
    pub(crate) fn day_by_modification(&self, zone: &TimeZone) -> io::Result<Day> {
        Ok(Day(Day::of(self.bytes.modified_ms()?, zone).0 - self.survey.midnights))
    }
}

fn at_second(day: Day, second: u32, zone: &TimeZone) -> UnixMs {
    let midnight = day.date().to_datetime(jiff::civil::Time::midnight());
    let local = midnight.checked_add(jiff::Span::new().seconds(i64::from(second))).unwrap_or(midnight);
    instant(local, zone)
}
