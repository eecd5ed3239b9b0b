//! CSV: RFC 4180, a header row, UTF-8.

use super::push_iso;
use accounting::report::{Cell, Column, decimal};
use jiff::tz::TimeZone;
use std::io::{self, Write};

/// A CSV file as it is written.
pub(super) struct Csv<'a> {
    columns: Vec<Column>,
    zone: &'a TimeZone,
    out: csv::Writer<&'a mut dyn Write>,
    /// A place for one instant's text after the other.
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
            match cell {
                Cell::Text(text) => self.out.write_field(text)?,
                Cell::Int(number) => self.out.write_field(number.to_string())?,
                Cell::Amount(cents) => self.out.write_field(cents.to_string())?,
                Cell::Decimal(number) if number.is_finite() => self.out.write_field(decimal(*number))?,
                Cell::Empty | Cell::Decimal(_) => self.out.write_field("")?,
                Cell::Instant(at) => {
                    self.text.clear();
                    push_iso(&mut self.text, *at, self.zone);
                    self.out.write_field(&self.text)?;
                }
            }
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
