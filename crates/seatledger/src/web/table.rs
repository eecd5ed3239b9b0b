//! A report as a table of a page.

use super::asker::View;
use super::fields::{cell_text, civil_ms};
use super::marks::bar;
use super::query::{Query, encoded};
use crate::answers::Shortness;
use accounting::report::{Cell, Column, Report, decimal};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::ops::Range;

/// How a report is shown.
pub(super) struct Shown<'a> {
    pub(super) view: &'a View,
    pub(super) zone: &'a TimeZone,
    /// The rows that are shown, as far as they are there.
    pub(super) rows: Range<usize>,
    /// What is said of the table to those who do not see it.
    pub(super) caption: &'a str,
    /// Parameters that links to features carry on.
    pub(super) query: &'a Query,
    /// Columns that are not shown.
    pub(super) without: &'a [&'a str],
    /// Whether a click on a heading sorts.
    pub(super) sorts: bool,
    /// The column of numbers behind which bars are drawn.
    pub(super) bars: Option<&'a str>,
}

impl Shown<'_> {
    pub(super) fn table(&self, report: &Report) -> Markup {
        let shown: Vec<(usize, &Column)> = report
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !self.without.contains(&column.name))
            .collect();
        let barred = report.columns.iter().position(|column| Some(column.name) == self.bars);
        let most =
            barred.map(|nth| report.rows.iter().filter_map(|row| number(row.get(nth)?)).fold(0.0, f64::max));
        html! {
            div.scroll tabindex="0" role="region" aria-label=(self.caption) {
                table.sheet data-sorts[self.sorts] {
                    caption.hidden { (self.caption) }
                    thead {
                        tr {
                            @for (_, column) in &shown {
                                th.number[column.number] scope="col" data-name=(column.name) title=[self.view.texts.column_means(column.name)] {
                                    (self.view.texts.column(column.name))
                                }
                            }
                        }
                    }
                    tbody {
                        @for row in report.rows.iter().take(self.rows.end).skip(self.rows.start) {
                            tr {
                                @for (nth, column) in &shown {
                                    @if let Some(cell) = row.get(*nth) { (self.cell(column, cell, most)) }
                                }
                            }
                        }
                    }
                }
            }
            @if report.rows.is_empty() { p.soft.none { (self.view.texts.say("table.empty")) } }
        }
    }

    fn cell(&self, column: &Column, cell: &Cell, most: Option<f64>) -> Markup {
        let raw = match cell {
            Cell::Int(number) => Some(number.to_string()),
            Cell::Decimal(number) => Some(decimal(*number)),
            Cell::Instant(at) => Some(civil_ms(*at, self.zone).to_string()),
            Cell::Empty | Cell::Text(_) | Cell::Amount(_) => None,
        };
        let barred = most.filter(|_| self.bars == Some(column.name));
        let share =
            barred.zip(number(cell)).map(|(most, number)| if most > 0.0 { number / most } else { 0.0 });
        html! {
            td.number[column.number].barred[share.is_some()] data-v=[raw] {
                @if let Some(share) = share { (bar(share, Shortness::Fine)) }
                (self.content(column, cell))
            }
        }
    }

    fn content(&self, column: &Column, cell: &Cell) -> Markup {
        match (column.name, cell) {
            ("feature", Cell::Text(code)) => html! { a href=(self.feature(code)) { (breakable(code)) } },
            (name, Cell::Text(text)) => breakable(&self.view.texts.value(name, text)),
            (_, cell) => html! { (cell_text(cell, self.zone)) },
        }
    }

    fn feature(&self, code: &str) -> String {
        let kept = self.query.without(&["code", "feature", "sort", "q", "by", "step", "open"]);
        let address = kept.behind("/feature");
        let sign = if address.contains('?') { '&' } else { '?' };
        self.view.to(&format!("{address}{sign}code={}", encoded(code)))
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Int(number) => Some(*number as f64),
        Cell::Decimal(number) => Some(*number),
        Cell::Empty | Cell::Text(_) | Cell::Instant(_) | Cell::Amount(_) => None,
    }
}

/// A name that may be broken where people would.
pub(super) fn breakable(text: &str) -> Markup {
    html! {
        @for piece in text.split_inclusive(['_', '.', '@', '/', '\\']) { (piece) wbr; }
    }
}
