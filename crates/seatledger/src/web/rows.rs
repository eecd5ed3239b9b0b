//! Values of a report, by the names of its columns.

use accounting::report::{Cell, Report};

/// The columns of a report, by their names.
#[derive(Clone, Copy)]
pub(super) struct Rows<'r>(pub(super) &'r Report);

/// A row of a report.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    report: &'r Report,
    cells: &'r [Cell],
}

impl<'r> Rows<'r> {
    pub(super) fn iter(self) -> impl Iterator<Item = Row<'r>> {
        self.0.rows.iter().map(move |cells| Row { report: self.0, cells })
    }

    pub(super) fn first(self) -> Option<Row<'r>> {
        self.iter().next()
    }

    /// The sum of a column of whole numbers.
    pub(super) fn sum(self, name: &str) -> i64 {
        self.iter().filter_map(|row| row.int(name)).sum()
    }
}

impl<'r> Row<'r> {
    pub(super) fn cell(self, name: &str) -> &'r Cell {
        let nth = self.report.columns.iter().position(|column| column.name == name);
        nth.and_then(|nth| self.cells.get(nth)).unwrap_or(&Cell::Empty)
    }

    pub(super) fn text(self, name: &str) -> &'r str {
        if let Cell::Text(text) = self.cell(name) { text } else { "" }
    }

    pub(super) fn int(self, name: &str) -> Option<i64> {
        if let Cell::Int(number) = self.cell(name) { Some(*number) } else { None }
    }

    /// A number, whole or not.
    pub(super) fn number(self, name: &str) -> Option<f64> {
        match self.cell(name) {
            Cell::Int(number) => Some(*number as f64),
            Cell::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn instant(self, name: &str) -> Option<i64> {
        if let Cell::Instant(at) = self.cell(name) { Some(*at) } else { None }
    }
}
