//! XLSX: a sheet with the rows, one that says how they were counted, one with charts. Cells have types: numbers are numbers,
//! instants and days are dates of the civil zone.

mod charts;
mod sheets;

use super::about::About;
use super::figure::Figures;
use super::local;
use accounting::UnixMs;
use accounting::day::Day;
use accounting::report::{Cell, Column, decimal};
use jiff::tz::TimeZone;
use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// The rows of a sheet below its head: there are 2^20.
const MOST_ROWS: u32 = (1 << 20) - 1;
/// The characters of a cell.
const LONGEST_TEXT: usize = 32_767;
/// Columns get the width that so many rows need.
const LOOKED_AT: u32 = 2_000;
const WIDEST: usize = 48;
/// 1899-12-30, day 0: there is a 29 February 1900 for Excel.
const EPOCH: Day = Day(-25_569);
/// 1900-03-01, the first day that is the same for everybody.
const FIRST_DAY: Day = Day(EPOCH.0 + 61);
const DAY_MS: f64 = 86_400_000.0;
/// The name of the sheet with the rows, which formulas and macros may rely on.
const ROWS: &str = "Rows";

/// A workbook as it is made; its rows wait in a temporary file.
pub(super) struct Xlsx<'a> {
    columns: Vec<Column>,
    zone: &'a TimeZone,
    out: &'a mut dyn Write,
    book: Workbook,
    sheet: Worksheet,
    formats: Formats,
    widths: Vec<usize>,
    /// The next row that is free; 0 where nothing is written yet.
    next: u32,
    about: Option<About>,
    figures: Figures,
}

/// How cells look.
struct Formats {
    head: Format,
    number_head: Format,
    whole: Format,
    decimal: Format,
    money: Format,
    instant: Format,
    instant_ms: Format,
    day: Format,
    plain: Format,
}

impl Formats {
    fn new() -> Self {
        let head = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
        let number = |format: &str| Format::new().set_num_format(format);
        // Dates stand where texts do.
        let date = |format: &str| number(format).set_align(FormatAlign::Left);
        Self {
            number_head: head.clone().set_align(FormatAlign::Right),
            head,
            whole: number("#,##0"),
            decimal: number("#,##0.00####"),
            money: number("#,##0.00"),
            instant: date("yyyy-mm-dd hh:mm:ss"),
            instant_ms: date("yyyy-mm-dd hh:mm:ss.000"),
            day: date("yyyy-mm-dd"),
            plain: Format::new(),
        }
    }
}

/// What a cell becomes.
enum Written<'c> {
    Nothing,
    Text(&'c str),
    Number(f64),
    /// Days since the epoch.
    Date(f64, DateKind),
}

#[derive(Clone, Copy)]
enum DateKind {
    Instant,
    InstantMs,
    Day,
}

impl<'a> Xlsx<'a> {
    pub(super) fn new(columns: Vec<Column>, zone: &'a TimeZone, out: &'a mut dyn Write) -> Self {
        Self {
            widths: columns.iter().map(|column| column.name.width() + 2).collect(),
            columns,
            zone,
            out,
            book: Workbook::new(),
            sheet: Worksheet::new(),
            formats: Formats::new(),
            next: 0,
            about: None,
            figures: Figures::default(),
        }
    }

    /// With what is said about the rows.
    pub(super) fn about(&mut self, about: &About) {
        self.about = Some(about.clone());
    }

    /// With charts.
    pub(super) fn draw(&mut self, figures: Figures) {
        self.figures = figures;
    }

    fn begin(&mut self) -> Result<(), XlsxError> {
        if self.next > 0 {
            return Ok(());
        }
        self.next = 1;
        self.sheet = self.book.new_worksheet_with_constant_memory()?;
        self.sheet.set_name(ROWS)?;
        self.sheet.set_freeze_panes(1, 0)?;
        self.sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
        self.sheet.set_repeat_rows(0, 0)?;
        for (nth, column) in (0..).zip(&self.columns) {
            let format = if column.number { &self.formats.number_head } else { &self.formats.head };
            self.sheet.write_string_with_format(0, nth, column.name, format)?;
        }
        Ok(())
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.begin().map_err(fault)?;
        if self.next > MOST_ROWS {
            let message = format!(
                "a sheet holds {MOST_ROWS} rows and there are more: ask for a shorter period or for less, or for csv"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let row = self.next;
        self.next += 1;
        for (nth, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            let written = written(cell, column, self.zone);
            if row <= LOOKED_AT
                && let Some(width) = self.widths.get_mut(nth)
            {
                *width = (*width).max(width_of(&written, cell));
            }
            put(&mut self.sheet, (row, nth as u16), &written, cell, &self.formats).map_err(fault)?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, notes: &[String]) -> io::Result<()> {
        let book = self.whole(notes).map_err(fault)?;
        self.out.write_all(&book)?;
        self.out.flush()
    }

    fn whole(&mut self, notes: &[String]) -> Result<Vec<u8>, XlsxError> {
        self.begin()?;
        for (nth, width) in (0..).zip(&self.widths) {
            self.sheet.set_column_width(nth, (*width).min(WIDEST) as f64 + 2.5)?;
        }
        if let Some(last) = self.columns.len().checked_sub(1).filter(|_| self.next > 1) {
            self.sheet.autofilter(0, 0, self.next - 1, last as u16)?;
        }
        let sheet = std::mem::take(&mut self.sheet);
        self.book.push_worksheet(sheet);
        if let Some(about) = &self.about {
            let rows = self.next - 1;
            self.book.push_worksheet(sheets::about(about, &self.columns, notes, self.zone, rows)?);
            if !self.figures.figures.is_empty() {
                let charts = charts::sheet(&self.figures, about, &self.columns, self.zone)?;
                self.book.push_worksheet(charts);
            }
        }
        self.book.save_to_buffer()
    }
}

/// What a cell becomes. Numbers have the digits that CSV and JSON have, not those behind them.
fn written<'c>(cell: &'c Cell, column: &Column, zone: &TimeZone) -> Written<'c> {
    match cell {
        Cell::Empty => Written::Nothing,
        Cell::Text(text) => match day_of(text, column).filter(|day| *day >= FIRST_DAY) {
            Some(day) => Written::Date(f64::from(day.0 - EPOCH.0), DateKind::Day),
            None => Written::Text(text),
        },
        Cell::Int(number) => Written::Number(*number as f64),
        Cell::Decimal(number) if !number.is_finite() => Written::Nothing,
        Cell::Decimal(number) => Written::Number(decimal(*number).parse().unwrap_or(*number)),
        Cell::Amount(cents) => Written::Number(cents.0 as f64 / 100.0),
        Cell::Instant(at) => {
            let kind = if at.rem_euclid(1000) == 0 { DateKind::Instant } else { DateKind::InstantMs };
            Written::Date(serial(*at, zone), kind)
        }
    }
}

/// A day that stands as text in a column of days.
fn day_of(text: &str, column: &Column) -> Option<Day> {
    if matches!(column.name, "day" | "expires_on") { text.parse().ok() } else { None }
}

/// The wall clock of an instant in a zone, in days since the epoch.
fn serial(at: UnixMs, zone: &TimeZone) -> f64 {
    let wall_ms = at + i64::from(local(at, zone).1) * 1000;
    wall_ms as f64 / DAY_MS - f64::from(EPOCH.0)
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    written: &Written<'_>,
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match written {
        Written::Nothing => {}
        Written::Text(text) => {
            let short: String = text.chars().take(LONGEST_TEXT).collect();
            sheet.write_string_with_format(row, column, short, &formats.plain)?;
        }
        Written::Number(number) => {
            let format = match cell {
                Cell::Amount(_) => &formats.money,
                Cell::Decimal(_) => &formats.decimal,
                _ => &formats.whole,
            };
            sheet.write_number_with_format(row, column, *number, format)?;
        }
        Written::Date(days, kind) => {
            let format = match kind {
                DateKind::Instant => &formats.instant,
                DateKind::InstantMs => &formats.instant_ms,
                DateKind::Day => &formats.day,
            };
            sheet.write_number_with_format(row, column, *days, format)?;
        }
    }
    Ok(())
}

/// The characters that a cell takes.
fn width_of(written: &Written<'_>, cell: &Cell) -> usize {
    match (written, cell) {
        (Written::Nothing, _) => 0,
        (Written::Text(text), _) => text.width(),
        (Written::Date(_, DateKind::Day), _) => 10,
        (Written::Date(_, DateKind::Instant), _) => 19,
        (Written::Date(_, DateKind::InstantMs), _) => 23,
        // Thousands are set apart.
        (Written::Number(_), Cell::Int(number)) => number.to_string().len() * 4 / 3,
        (Written::Number(number), _) => decimal(*number).len() + 3,
    }
}

fn fault(error: XlsxError) -> io::Error {
    io::Error::other(format!("the workbook cannot be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{MOST_ROWS, Xlsx};
    use accounting::report::{Cell, Column};
    use jiff::tz::TimeZone;
    use std::io::ErrorKind;

    #[test]
    fn more_rows_than_a_sheet_holds_are_refused_with_the_remedy() {
        let (zone, mut out) = (TimeZone::UTC, Vec::new());
        let mut book = Xlsx::new(vec![Column::number("n")], &zone, &mut out);
        book.row(&[Cell::Int(1)]).expect("the first row");
        book.next = MOST_ROWS;
        book.row(&[Cell::Int(2)]).expect("the last row");
        let error = book.row(&[Cell::Int(3)]).expect_err("one more");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("1048575 rows") && error.to_string().contains("csv"), "{error}");
    }
}
