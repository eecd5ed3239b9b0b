//! JSON: an array of objects, one a line.

use super::push_iso;
use accounting::report::{Cell, Column, push_decimal};
use jiff::tz::TimeZone;
use std::fmt::Write as _;
use std::io::{self, Write};

/// A JSON array as it is written.
pub(super) struct Json<'a> {
    /// What stands before each value of an object: `{"month":` and `,"feature":`.
    names: Vec<String>,
    zone: &'a TimeZone,
    out: io::BufWriter<&'a mut dyn Write>,
    /// A place for one row's text after the other.
    line: String,
    begun: bool,
}

impl<'a> Json<'a> {
    pub(super) fn new(columns: &[Column], zone: &'a TimeZone, out: &'a mut dyn Write) -> Self {
        let before = |nth| if nth == 0 { '{' } else { ',' };
        let names = columns.iter().enumerate().map(|(nth, column)| {
            let mut name = String::from(before(nth));
            push_text(&mut name, column.name);
            name + ":"
        });
        Self { names: names.collect(), zone, out: io::BufWriter::new(out), line: String::new(), begun: false }
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.line.clear();
        self.line.push_str(if self.begun { ",\n" } else { "[\n" });
        self.begun = true;
        for (name, cell) in self.names.iter().zip(cells) {
            self.line.push_str(name);
            match cell {
                Cell::Decimal(number) if number.is_finite() => push_decimal(&mut self.line, *number),
                Cell::Empty | Cell::Decimal(_) => self.line.push_str("null"),
                Cell::Text(text) => push_text(&mut self.line, text),
                Cell::Int(number) => {
                    let _ = write!(self.line, "{number}");
                }
                Cell::Amount(cents) => {
                    let _ = write!(self.line, "{cents}");
                }
                Cell::Instant(at) => {
                    self.line.push('"');
                    push_iso(&mut self.line, *at, self.zone);
                    self.line.push('"');
                }
            }
        }
        self.line.push('}');
        self.out.write_all(self.line.as_bytes())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })?;
        self.out.flush()
    }
}

/// Appends a text in quotes.
fn push_text(line: &mut String, text: &str) {
    line.push_str(&serde_json::Value::from(text).to_string());
}
