//! The sheet that says how the rows were counted.

use super::super::about::About;
use accounting::report::Column;
use jiff::tz::TimeZone;
use rust_xlsxwriter::{Format, FormatAlign, Worksheet, XlsxError};

/// Title, definition, options, notes, and what the columns mean.
pub(super) fn about(
    about: &About,
    columns: &[Column],
    notes: &[String],
    zone: &TimeZone,
    rows: u32,
) -> Result<Worksheet, XlsxError> {
    let mut page = Page::new(about.words.about)?;
    page.line(&about.title, &page.title.clone())?;
    if !about.definition.is_empty() {
        page.line(&about.definition, &page.text.clone())?;
    }
    page.next += 1;
    if about.options.is_empty() {
        page.pair(about.words.options, about.words.no_options)?;
    }
    for (nth, (name, value)) in about.options.iter().enumerate() {
        let before = if nth == 0 { about.words.options } else { "" };
        page.pair(before, &format!("{name} {value}"))?;
    }
    page.pair(about.words.zone, zone.iana_name().unwrap_or("UTC"))?;
    page.pair(about.words.rows, &rows.to_string())?;
    for (nth, note) in notes.iter().enumerate() {
        page.pair(if nth == 0 { about.words.notes } else { "" }, note)?;
    }
    page.next += 1;
    page.line(about.words.columns, &page.bold.clone())?;
    for (nth, column) in columns.iter().enumerate() {
        let Some((heading, meaning)) = about.columns.get(nth) else { continue };
        let means = if meaning.is_empty() { heading.clone() } else { format!("{heading}: {meaning}") };
        page.pair(column.name, &means)?;
    }
    Ok(page.sheet)
}

/// A sheet of two columns, written from its top.
struct Page {
    sheet: Worksheet,
    next: u32,
    title: Format,
    bold: Format,
    text: Format,
}

impl Page {
    fn new(name: &str) -> Result<Self, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?;
        sheet.set_column_width(0, 28)?;
        sheet.set_column_width(1, 100)?;
        sheet.set_paper_size(9).set_print_fit_to_pages(1, 0);
        let title = Format::new().set_bold().set_font_size(16);
        let bold = Format::new().set_bold().set_align(FormatAlign::Top);
        let text = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        Ok(Self { sheet, next: 0, title, bold, text })
    }

    /// A text over both columns.
    fn line(&mut self, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.next, 0, text, &format.clone().unset_text_wrap())?;
        self.next += 1;
        Ok(())
    }

    fn pair(&mut self, name: &str, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.next, 0, name, &self.bold)?;
        self.sheet.write_string_with_format(self.next, 1, text, &self.text)?;
        self.next += 1;
        Ok(())
    }
}
