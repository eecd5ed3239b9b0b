//! CSV: RFC 4180, a header row, UTF-8.

use super::push_iso;
use accounting::report::{Cell, Column, push_decimal};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::{self, Write};

/// A CSV file as it is written.
pub(super) struct Csv<'a> {
    columns: Vec<Column>,
    zone: &'a TimeZone,
    out: csv::Writer<&'a mut dyn Write>,
    /// A place for one cell's text after the other.
    text: String,
    begun: bool,
}

impl<'a> Csv<'a> {
    pub(super) fn new(columns: Vec<Column>, zone: &'a TimeZone, out: &'a mut dyn Write) -> Self {
        Self { columns, zone, out: csv::Writer::from_writer(out), text: String::new(), begun: false }
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.header()?;
        for cell in cells {
            self.text.clear();
            match cell {
                Cell::Text(text) => {
                    self.out.write_field(text)?;
                    continue;
                }
                Cell::Int(number) => write!(self.text, "{number}").map_err(io::Error::other)?,
                Cell::Amount(cents) => write!(self.text, "{cents}").map_err(io::Error::other)?,
                Cell::Decimal(number) if number.is_finite() => push_decimal(&mut self.text, *number),
                Cell::Empty | Cell::Decimal(_) => {}
                Cell::Instant(at) => push_iso(&mut self.text, *at, self.zone),
            }
            self.out.write_field(&self.text)?;
        }
        self.out.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.header()?;
        self.out.flush()
    }

    fn header(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begun = true;
            self.out.write_record(self.columns.iter().map(|column| column.name))?;
        }
        Ok(())
    }
}
