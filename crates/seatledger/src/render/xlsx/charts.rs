//! The sheet with charts: of each figure its values, side by side as they are drawn, and the chart that shows them.

use super::super::about::About;
use super::super::figure::{Figure, Figures, Kind, Line};
use super::super::look::PALETTE;
use super::{Formats, put, written};
use accounting::report::{Cell, Column};
use jiff::tz::TimeZone;
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLegendPosition, ChartLine, ChartLineDashType, ChartMarker, ChartSolidFill,
    ChartType, ConditionalFormat2ColorScale, Worksheet, XlsxError,
};
use unicode_width::UnicodeWidthStr;

/// Rows that a chart covers.
const CHART_ROWS: u32 = 19;
const WIDTH: u32 = 860;
const HEIGHT: u32 = 360;
/// The characters of a number with all its digits, and of a name that is not cut off yet.
const NARROWEST: usize = 16;
const WIDEST: usize = 28;
/// Bars need so many pixels each.
const BAR: u32 = 26;

/// Makes the sheet.
pub(super) fn sheet(
    figures: &Figures,
    about: &About,
    columns: &[Column],
    zone: &TimeZone,
) -> Result<Worksheet, XlsxError> {
    let mut page = Page {
        sheet: Worksheet::new(),
        name: about.words.charts,
        formats: Formats::new(),
        about,
        columns,
        zone,
        next: 0,
        widths: Vec::new(),
    };
    page.sheet.set_name(page.name)?;
    page.sheet.set_column_width(0, 28)?;
    page.sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0);
    for figure in &figures.figures {
        page.figure(figure)?;
    }
    for (nth, width) in (0..).zip(&page.widths).skip(1) {
        page.sheet.set_column_width(nth, *width as f64 + 2.0)?;
    }
    if figures.left_out > 0 {
        let text = format!("{} {}", about.words.not_drawn, figures.left_out);
        page.sheet.write_string(page.next, 0, text)?;
    }
    Ok(page.sheet)
}

struct Page<'a> {
    sheet: Worksheet,
    name: &'static str,
    formats: Formats,
    about: &'a About,
    columns: &'a [Column],
    zone: &'a TimeZone,
    /// The next row that is free.
    next: u32,
    /// The characters that each column needs.
    widths: Vec<usize>,
}

impl Page<'_> {
    fn figure(&mut self, figure: &Figure) -> Result<(), XlsxError> {
        if !figure.title.is_empty() {
            self.sheet.write_string_with_format(self.next, 0, &figure.title, &self.formats.head)?;
            self.next += 1;
        }
        let head = self.next;
        let rows = self.values(figure)?;
        let right = figure.lines.len() as u16 + 2;
        if figure.kind == Kind::Grid {
            let scale =
                ConditionalFormat2ColorScale::new().set_minimum_color("FFFFFF").set_maximum_color("6FA3D8");
            self.sheet.add_conditional_format(head + 1, 1, head + rows, right - 2, &scale)?;
            self.next += 1;
            return Ok(());
        }
        let chart = self.chart(figure, head, rows);
        self.sheet.insert_chart(head, right, &chart)?;
        let covered = if figure.kind == Kind::Bars { CHART_ROWS.max(rows * 2) } else { CHART_ROWS };
        self.next = self.next.max(head + covered) + 1;
        Ok(())
    }

    /// Writes a figure's values: a row for each place, a column for each line. An empty row stands where places are left out
    /// between two, so that no line bridges what nobody knows.
    fn values(&mut self, figure: &Figure) -> Result<u32, XlsxError> {
        let (top, names) = (self.next, self.about);
        let column = |name: &'static str| {
            let number = self.columns.iter().any(|column| column.name == name && column.number);
            Column { name, number }
        };
        let axis = column(figure.axis);
        self.sheet.write_string_with_format(
            top,
            0,
            names.heading(self.columns, figure.axis),
            &self.formats.head,
        )?;
        for (nth, line) in (1..).zip(&figure.lines) {
            let name = self.line_name(line);
            let wide = if figure.kind == Kind::Grid { 10 } else { name.width().clamp(NARROWEST, WIDEST) };
            self.widths.resize(self.widths.len().max(usize::from(nth) + 1), 0);
            if let Some(width) = self.widths.get_mut(usize::from(nth)) {
                *width = (*width).max(wide);
            }
            self.sheet.write_string_with_format(top, nth, name, &self.formats.number_head)?;
        }
        let (mut row, mut before): (u32, Option<f64>) = (top, None);
        for (nth, (place, position)) in figure.places.iter().zip(figure.positions()).enumerate() {
            row += 1;
            if figure.kind == Kind::Lines && before.is_some_and(|before| position - before > 1.5) {
                row += 1;
            }
            before = Some(position);
            put(&mut self.sheet, (row, 0), &written(place, &axis, self.zone), place, &self.formats)?;
            for (at, line) in (1..).zip(&figure.lines) {
                let cell = line.values.get(nth).unwrap_or(&Cell::Empty);
                let value = written(cell, &column(line.column), self.zone);
                put(&mut self.sheet, (row, at), &value, cell, &self.formats)?;
            }
        }
        self.next = row + 1;
        Ok(row - top)
    }

    fn line_name(&self, line: &Line) -> String {
        if line.name.is_empty() || line.name == line.column {
            self.about.heading(self.columns, line.column)
        } else {
            line.name.clone()
        }
    }

    fn chart(&self, figure: &Figure, head: u32, rows: u32) -> Chart {
        let kind = match (figure.kind, figure.axis) {
            (Kind::Bars, _) => ChartType::Bar,
            // Instants and seats lie where they belong.
            (_, "from" | "seats") => ChartType::ScatterStraight,
            _ => ChartType::Line,
        };
        let mut chart = Chart::new(kind);
        let first = figure.lines.first();
        let shown = figure.lines.iter().enumerate().filter(|(_, line)| line.column != "denials");
        for (nth, line) in shown {
            let column = nth as u16 + 1;
            let series = chart.add_series();
            series.set_categories((self.name, head + 1, 0, head + rows, 0));
            series.set_values((self.name, head + 1, column, head + rows, column));
            series.set_name((self.name, head, column));
            let color = color(nth, line);
            if figure.kind == Kind::Bars {
                series.set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(color)));
                series.set_gap(60);
                continue;
            }
            let mut drawn = ChartLine::new();
            drawn.set_color(color).set_width(if nth == 0 { 2.0 } else { 1.5 });
            if line.column == "seats_issued" {
                drawn.set_dash_type(ChartLineDashType::Dash);
            }
            series.set_format(ChartFormat::new().set_line(&drawn));
            if kind == ChartType::Line {
                series.set_marker(ChartMarker::new().set_none());
            }
        }
        let value = first.map(|line| self.about.heading(self.columns, line.column)).unwrap_or_default();
        match figure.title.is_empty() {
            true => chart.title().set_name(self.about.title.as_str()),
            // What a log says is not taken for a formula.
            false => chart.title().set_name((self.name, head - 1, 0)),
        };
        chart.legend().set_position(ChartLegendPosition::Bottom);
        let bars = figure.kind == Kind::Bars;
        if figure.lines.len() < 2 {
            chart.legend().set_hidden();
        }
        // Bars lie: their categories are on the vertical axis, the first at the top.
        let named = first.is_some_and(|line| line.name != line.column);
        let grid = ChartLine::new().set_color("E3E6EA").clone();
        if bars {
            chart.y_axis().set_reverse();
            let values = chart.x_axis().set_min(0).set_major_gridlines_line(&grid);
            if figure.lines.len() == 1 {
                values.set_name(value.as_str());
            }
        } else {
            let values = chart.y_axis().set_min(0).set_major_gridlines_line(&grid);
            if named {
                values.set_name(value.as_str());
            }
            chart.x_axis().set_name(self.about.heading(self.columns, figure.axis).as_str());
            if figure.axis == "from" {
                chart.x_axis().set_num_format("yyyy-mm-dd");
            }
        }
        let high = if bars { HEIGHT.max(80 + BAR * rows * figure.lines.len() as u32) } else { HEIGHT };
        chart.set_width(WIDTH).set_height(high);
        chart
    }
}

/// The colour of a line; seats issued are grey everywhere.
fn color(nth: usize, line: &Line) -> &'static str {
    match line.column {
        "seats_issued" => "#57606b",
        "seats_average" => PALETTE[2],
        _ => PALETTE[nth % PALETTE.len()],
    }
}
