//! What a terminal shows below a table: a line of columns for each group over time, a shade for each hour of the week.

use super::Look;
use super::figure::{Figure, Figures, Kind, Line, number};
use super::push_wall_clock;
use super::spark::{shade, sparkline};
use super::table::{printable, rounded, shortened};
use accounting::report::Cell;
use jiff::tz::TimeZone;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

const GAP: usize = 2;
/// A name is not given more room.
const WIDEST_NAME: usize = 28;
/// Before hours stands the weekday; they take two characters each where the line has them, else one.
const WEEKDAY: usize = 4;
const DAY: usize = 24;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const BLUE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// Writes what there is to draw, each block after an empty line.
pub(super) fn write(figures: &Figures, look: &Look, zone: &TimeZone, out: &mut dyn Write) -> io::Result<()> {
    let pen = Pen { look, zone };
    let series: Vec<(&Figure, &str, &Line)> =
        figures.figures.iter().filter(|figure| is_over_time(figure)).flat_map(series).collect();
    if let Some((figure, _, line)) = series.first() {
        writeln!(out)?;
        pen.over_time(figure, line.column, &series, out)?;
    }
    for figure in figures.figures.iter().filter(|figure| figure.kind == Kind::Grid) {
        writeln!(out)?;
        pen.grid(figure, out)?;
    }
    let is_drawn = !series.is_empty() || figures.figures.iter().any(|figure| figure.kind == Kind::Grid);
    if is_drawn && figures.left_out > 0 {
        writeln!(out, "{}", pen.styled(DIM, &format!("and {} more, not drawn", figures.left_out)))?;
    }
    Ok(())
}

fn is_over_time(figure: &Figure) -> bool {
    figure.kind == Kind::Lines && figure.axis != "seats"
}

/// The lines of a figure with what they are called; of several values of one group the first.
fn series(figure: &Figure) -> Vec<(&Figure, &str, &Line)> {
    if figure.title.is_empty() {
        return figure.lines.iter().map(|line| (figure, line.name.as_str(), line)).collect();
    }
    figure.lines.iter().take(1).map(|line| (figure, figure.title.as_str(), line)).collect()
}

struct Pen<'a> {
    look: &'a Look,
    zone: &'a TimeZone,
}

impl Pen<'_> {
    fn styled(&self, style: &str, text: &str) -> String {
        if self.look.color { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }

    /// A line for each group, from nothing to its own greatest value, which stands behind it.
    fn over_time(
        &self,
        figure: &Figure,
        column: &str,
        series: &[(&Figure, &str, &Line)],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let ends = figure.places.first().zip(figure.places.last());
        let period = ends.map_or(String::new(), |(first, last)| {
            format!(", {} to {}", self.place(first), self.place(last))
        });
        writeln!(out, "{}", self.styled(BOLD, &format!("{column}{period}")))?;
        let names: Vec<String> = series.iter().map(|(_, name, _)| printable(name)).collect();
        let greatest: Vec<String> = series.iter().map(|(_, _, line)| rounded(top(line))).collect();
        let longest = |texts: &[String]| texts.iter().map(|text| text.width()).max().unwrap_or_default();
        let (wide, number) = (longest(&names).min(WIDEST_NAME), longest(&greatest));
        let room = self.look.width.saturating_sub(wide + number + 2 * GAP).max(1);
        for (((figure, _, line), name), greatest) in series.iter().zip(names).zip(greatest) {
            let name = if name.width() > wide { shortened(&name, wide) } else { name };
            let values = columns(figure, line, room);
            let drawn = self.styled(BLUE, &sparkline(&values));
            let (behind, before) = (wide - name.width(), number - greatest.len());
            writeln!(out, "{name}{}{drawn}{}{greatest}", " ".repeat(behind + GAP), " ".repeat(GAP + before))?;
        }
        Ok(())
    }

    /// A row for each weekday, a cell for each hour.
    fn grid(&self, figure: &Figure, out: &mut dyn Write) -> io::Result<()> {
        let wide = if self.look.width >= WEEKDAY + 2 * DAY { 2 } else { 1 };
        let greatest = figure.greatest();
        let column = figure.lines.first().map_or("", |line| line.column);
        let name =
            if figure.title.is_empty() { String::new() } else { format!("{}: ", printable(&figure.title)) };
        let head = format!("{name}{column}, █ is {}", rounded(greatest));
        let head = if head.width() > self.look.width { shortened(&head, self.look.width) } else { head };
        writeln!(out, "{}", self.styled(BOLD, &head))?;
        for line in &figure.lines {
            let shares = line.values.iter().map(|cell| number(cell) / greatest.max(f64::MIN_POSITIVE));
            let cells: String = shares.flat_map(|share| std::iter::repeat_n(shade(share), wide)).collect();
            writeln!(out, "{:<WEEKDAY$}{}", line.name, self.styled(BLUE, cells.trim_end()))?;
        }
        let mut hours = String::new();
        for hour in (0..24).step_by(3) {
            hours.push_str(&format!("{hour:<width$}", width = 3 * wide));
        }
        writeln!(out, "{:WEEKDAY$}{}", "", self.styled(DIM, hours.trim_end()))
    }

    fn place(&self, place: &Cell) -> String {
        match place {
            Cell::Text(text) => printable(text),
            Cell::Int(number) => number.to_string(),
            Cell::Instant(at) => {
                let mut text = String::new();
                push_wall_clock(&mut text, *at, self.zone);
                text.strip_suffix(" 00:00:00").map_or_else(|| text.clone(), str::to_owned)
            }
            Cell::Empty | Cell::Decimal(_) | Cell::Amount(_) => String::new(),
        }
    }
}

fn top(line: &Line) -> f64 {
    line.values.iter().map(number).filter(|value| value.is_finite()).fold(f64::NAN, f64::max)
}

/// The values where they lie, in at most so many columns: of those that share one the greatest. Where nothing is known there
/// is no number.
fn columns(figure: &Figure, line: &Line, room: usize) -> Vec<f64> {
    let positions = figure.positions();
    let length = positions.last().map_or(0, |last| last.round() as usize + 1);
    let count = length.min(room);
    let mut columns = vec![f64::NAN; count];
    for (cell, position) in line.values.iter().zip(positions) {
        let nth = if length > room {
            (position.round() as usize) * count / length
        } else {
            position.round() as usize
        };
        if let Some(column) = columns.get_mut(nth) {
            *column = column.max(number(cell));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::write;
    use crate::render::Look;
    use crate::render::figure::figures;
    use accounting::report::{Cell, Column, Report};
    use jiff::tz::TimeZone;
    use unicode_width::UnicodeWidthStr as _;

    const LOOK: Look = Look { width: 40, color: false, bars: true };

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn drawn(name: &'static str, columns: Vec<Column>, rows: Vec<Vec<Cell>>, look: Look) -> String {
        let figures = figures(&Report { name, columns, rows, notes: Vec::new() });
        let mut out = Vec::new();
        write(&figures, &look, &TimeZone::UTC, &mut out).expect("memory takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    fn usage(rows: &[(&str, &str, i64)]) -> Vec<Vec<Cell>> {
        rows.iter()
            .map(|(month, feature, minutes)| vec![text(month), text(feature), Cell::Int(*minutes)])
            .collect()
    }

    #[test]
    fn each_feature_has_a_line_over_time_with_holes_where_nothing_is_known() {
        let columns = vec![Column::text("month"), Column::text("feature"), Column::number("usage_minutes")];
        let rows = usage(&[
            ("2025-01", "solver", 10),
            ("2025-01", "mesher", 7),
            ("2025-02", "solver", 70),
            ("2025-04", "solver", 35),
            ("2025-04", "mesher", 0),
        ]);
        let expected = "\nusage_minutes, 2025-01 to 2025-04\nsolver  ▂█ ▅  70\nmesher  █  ▁   7\n";
        assert_eq!(drawn("usage", columns, rows, LOOK), expected);
    }

    #[test]
    fn a_long_time_fits_the_line() {
        let columns = vec![Column::text("day"), Column::text("feature"), Column::number("usage_minutes")];
        let days: Vec<String> = (0..300).map(|day| accounting::day::Day(20_000 + day).to_string()).collect();
        let rows: Vec<_> = days
            .iter()
            .enumerate()
            .map(|(nth, day)| (day.as_str(), "a feature with a name that is very long", nth as i64))
            .collect();
        let drawn = drawn("usage", columns, usage(&rows), LOOK);
        assert!(drawn.lines().all(|line| line.width() <= 40), "{drawn}");
        assert!(drawn.lines().last().is_some_and(|line| line.ends_with("█  299")), "{drawn}");
    }

    #[test]
    fn the_hours_of_the_week_are_shaded() {
        let columns = vec![
            Column::text("feature"),
            Column::text("weekday"),
            Column::number("hour"),
            Column::number("seats_average"),
        ];
        let row = |weekday: &str, hour: i64, seats: f64| {
            vec![text("solver"), text(weekday), Cell::Int(hour), Cell::Decimal(seats)]
        };
        let rows = vec![row("Mon", 0, 0.0), row("Mon", 1, 4.0), row("Mon", 3, 1.0), row("Tue", 2, 2.2)];
        let expected = "\nsolver: seats_average, █ is 4\n\
                        Mon ··██  ░░\n\
                        Tue     ▓▓\n    0     3     6     9     12    15    18    21\n";
        let wide = Look { width: 52, ..LOOK };
        assert_eq!(drawn("heatmap", columns.clone(), rows.clone(), wide), expected);
        let narrow = drawn("heatmap", columns, rows, LOOK);
        assert!(narrow.contains("Mon ·█ ░\nTue   ▓\n    0  3  6  9  12 15 18 21\n"), "{narrow}");
    }
}
