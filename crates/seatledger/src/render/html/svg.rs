//! Charts as SVG.

use super::super::figure::{Figure, Kind, Line, number};
use super::super::push_wall_clock;
use accounting::report::{Cell, decimal};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// Where bars begin, behind what they are called.
const BARS_FROM: f64 = 250.0;
/// Left of the edge for the longest bar's number.
const NUMBERS: f64 = 90.0;
/// A longer name of a bar is cut off; the table has all of it.
const LONGEST_NAME: usize = 38;
const LABELS: usize = 7;
/// The widest label: a day.
const LABEL: f64 = 70.0;

/// A figure, drawn.
pub(super) fn draw(figure: &Figure, title: &str, names: &[String], zone: &TimeZone) -> Markup {
    match figure.kind {
        Kind::Lines => lines(figure, title, zone),
        Kind::Bars => bars(figure, title, names),
        Kind::Grid => grid(figure, title),
    }
}

/// How a line looks.
pub(super) fn class(nth: usize, line: &Line) -> String {
    match line.column {
        "seats_issued" => "issued".to_owned(),
        "denials" => "denials".to_owned(),
        "seats_average" => "l2".to_owned(),
        _ => format!("l{}", nth % 8),
    }
}

/// The upper edge of an axis and the distance of its lines: about four of 1, 2, 2.5 or 5 times a power of ten.
fn scale(greatest: f64) -> (f64, f64) {
    if !greatest.is_finite() || greatest <= 0.0 {
        return (1.0, 1.0);
    }
    let power = 10_f64.powf((greatest / 4.0).log10().floor());
    let rough = greatest / 4.0 / power;
    let step = [1.0, 2.0, 2.5, 5.0].into_iter().find(|step| *step >= rough - 1e-9).unwrap_or(10.0) * power;
    ((greatest / step - 1e-9).ceil() * step, step)
}

fn lines(figure: &Figure, title: &str, zone: &TimeZone) -> Markup {
    let positions = figure.positions();
    let holds = figure.has_steps();
    let last = positions.last().copied().unwrap_or(0.0) + if holds { 1.0 } else { 0.0 };
    let of_seats = |line: &&Line| line.column != "denials";
    let values = figure.lines.iter().filter(of_seats).flat_map(|line| &line.values).map(number);
    let (top, step) = scale(values.filter(|value| value.is_finite()).fold(0.0, f64::max));
    let x = |position: f64| LEFT + (WIDTH - LEFT - RIGHT) * if last > 0.0 { position / last } else { 0.5 };
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top;
    let marks = (top / step).round() as usize;
    let every = figure.places.len().div_ceil(LABELS).max(1);
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
            @for nth in 0..=marks {
                @let value = step * nth as f64;
                path.grid d={ "M" (LEFT) " " (round(y(value))) "H" (WIDTH - RIGHT) } {}
                text.at-end x=(LEFT - 6.0) y=(round(y(value) + 4.0)) { (spaced(value)) }
            }
            @for (nth, (place, position)) in figure.places.iter().zip(&positions).enumerate() {
                @if nth % every == 0 {
                    text class=(anchor(x(*position))) x=(round(x(*position))) y=(HEIGHT - 7.0) { (label(place, figure, zone)) }
                }
            }
            @for (nth, line) in figure.lines.iter().enumerate() {
                @if line.column == "denials" {
                    path class=(class(nth, line)) d=(ticks(line, &positions, x, y(0.0))) {}
                } @else {
                    path class=(class(nth, line)) d=(path(line, &positions, holds, x, y)) {}
                }
            }
        }
    }
}

/// On which side of its place a label stands, so that all of it is seen.
fn anchor(x: f64) -> &'static str {
    match x {
        x if x < LEFT + LABEL / 2.0 => "at-start",
        x if x > WIDTH - RIGHT - LABEL / 2.0 => "at-end",
        _ => "at-middle",
    }
}

/// The line, broken where nothing is known.
fn path(
    line: &Line,
    positions: &[f64],
    holds: bool,
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> String {
    let mut drawn = String::new();
    let mut before: Option<f64> = None;
    for (cell, &position) in line.values.iter().zip(positions) {
        let value = number(cell);
        if !value.is_finite() {
            before = None;
            continue;
        }
        let joins = before.is_some_and(|before| position - before <= 1.5);
        let (across, down) = (round(x(position)), round(y(value)));
        let _ = match (joins, holds) {
            (false, _) => write!(drawn, "M{across} {down}"),
            (true, true) => write!(drawn, "V{down}"),
            (true, false) => write!(drawn, "L{across} {down}"),
        };
        if holds {
            let _ = write!(drawn, "H{}", round(x(position + 1.0)));
        } else if !joins {
            // A point with no neighbours is seen too.
            drawn.push_str("h.01");
        }
        before = Some(position);
    }
    drawn
}

/// A tick on the base wherever there is something.
fn ticks(line: &Line, positions: &[f64], x: impl Fn(f64) -> f64, base: f64) -> String {
    let mut drawn = String::new();
    let refused = line.values.iter().zip(positions).filter(|(cell, _)| number(cell) > 0.0);
    for (_, position) in refused {
        let _ = write!(drawn, "M{} {}v-9", round(x(position + 0.5)), round(base));
    }
    drawn
}

/// A place of an axis.
fn label(place: &Cell, figure: &Figure, zone: &TimeZone) -> String {
    match place {
        Cell::Text(text) => text.clone(),
        Cell::Instant(at) => {
            let mut text = String::new();
            push_wall_clock(&mut text, *at, zone);
            let ends = figure.places.first().zip(figure.places.last());
            let is_short =
                ends.is_some_and(|(first, last)| number(last) - number(first) < 4.0 * 86_400_000.0);
            let part = if is_short { text.get(5..16) } else { text.get(..10) };
            part.unwrap_or_default().to_owned()
        }
        Cell::Int(number) => number.to_string(),
        Cell::Decimal(number) => decimal(*number),
        Cell::Amount(cents) => cents.to_string(),
        Cell::Empty => String::new(),
    }
}

fn bars(figure: &Figure, title: &str, names: &[String]) -> Markup {
    let thick = if figure.lines.len() > 1 { 11.0 } else { 15.0 };
    let each = thick * figure.lines.len() as f64 + 7.0;
    let high = each * figure.places.len() as f64 + 4.0;
    let greatest = figure.greatest();
    let long = |value: f64| {
        if greatest > 0.0 { (WIDTH - BARS_FROM - NUMBERS) * (value / greatest).max(0.0) } else { 0.0 }
    };
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (round(high)) } role="img" aria-label=(title) {
            @for (nth, place) in figure.places.iter().enumerate() {
                @let top = each * nth as f64 + 2.0;
                text.at-end x=(BARS_FROM - 8.0) y=(round(top + each / 2.0 + 1.0)) {
                    (shortened(place)) title { (whole(place)) }
                }
                @for (at, line) in figure.lines.iter().enumerate() {
                    @if let Some(cell) = line.values.get(nth).filter(|cell| number(cell).is_finite()) {
                        @let upper = top + thick * at as f64;
                        rect class=(class(at, line)) x=(BARS_FROM) y=(round(upper)) width=(round(long(number(cell)).max(1.0))) height=(thick - 1.5) rx="1.5" {
                            @if let Some(name) = names.get(at) { title { (name) } }
                        }
                        text x=(round(BARS_FROM + long(number(cell)) + 6.0)) y=(round(upper + thick - 3.0)) { (said(cell)) }
                    }
                }
            }
        }
    }
}

/// What a bar is called.
fn whole(place: &Cell) -> &str {
    match place {
        Cell::Text(text) => text,
        _ => "",
    }
}

fn shortened(place: &Cell) -> String {
    let text = whole(place);
    if text.chars().count() <= LONGEST_NAME {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST_NAME - 1).collect();
    short.push('…');
    short
}

/// A number beside its bar: two digits behind the point.
fn said(cell: &Cell) -> String {
    match cell {
        Cell::Decimal(number) => decimal((number * 100.0).round() / 100.0),
        Cell::Int(number) => number.to_string(),
        Cell::Amount(cents) => cents.to_string(),
        Cell::Empty | Cell::Text(_) | Cell::Instant(_) => String::new(),
    }
}

/// A shade for each hour of the week.
fn grid(figure: &Figure, title: &str) -> Markup {
    let (left, wide, thick) = (44.0, (WIDTH - 44.0 - RIGHT) / 24.0, 20.0);
    let greatest = figure.greatest();
    let high = thick * figure.lines.len() as f64 + 22.0;
    html! {
        svg viewBox={ "0 0 " (WIDTH) " " (round(high)) } role="img" aria-label=(title) {
            @for (row, line) in figure.lines.iter().enumerate() {
                text.at-end x=(left - 6.0) y=(thick * row as f64 + 14.0) { (line.name) }
                @for (hour, cell) in line.values.iter().enumerate() {
                    @if number(cell).is_finite() {
                        @let share = if greatest > 0.0 { number(cell) / greatest } else { 0.0 };
                        rect.heat x=(round(left + wide * hour as f64)) y=(thick * row as f64) width=(round(wide - 1.5)) height=(thick - 1.5)
                            fill-opacity=(round(0.05 + 0.95 * share)) { title { (line.name) " " (hour) ":00 – " (said(cell)) } }
                    }
                }
            }
            @for hour in (0..24).step_by(3) {
                text x=(round(left + wide * f64::from(hour))) y=(high - 6.0) { (hour) }
            }
        }
    }
}

/// A number of an axis, its thousands apart.
fn spaced(number: f64) -> String {
    let text = decimal(number);
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut spaced = String::new();
    for (nth, digit) in whole.chars().enumerate() {
        if nth > 0 && whole.len() > 4 && (whole.len() - nth).is_multiple_of(3) {
            spaced.push('\u{202f}');
        }
        spaced.push(digit);
    }
    spaced + fraction
}

/// Half a tenth of a pixel is not seen.
fn round(number: f64) -> String {
    decimal((number * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Line, anchor, path, scale, spaced, ticks};
    use accounting::report::Cell;

    fn line(column: &'static str, values: &[Option<i64>]) -> Line {
        let values = values.iter().map(|value| value.map_or(Cell::Empty, Cell::Int)).collect();
        Line { name: String::new(), column, values }
    }

    #[test]
    fn axes_end_at_round_numbers() {
        assert_eq!(scale(0.0), (1.0, 1.0));
        assert_eq!(scale(128.0), (150.0, 50.0));
        assert_eq!(scale(100.0), (100.0, 25.0));
        assert_eq!(scale(7.0), (8.0, 2.0));
        assert_eq!(scale(f64::NAN), (1.0, 1.0));
        assert_eq!([0.25, 1500.0, 25_000.0].map(spaced), ["0.25", "1500", "25\u{202f}000"]);
    }

    #[test]
    fn lines_break_where_nothing_is_known() {
        let known = line("seats_peak", &[Some(1), Some(3), None, Some(2), Some(2)]);
        let positions = [0.0, 1.0, 2.0, 3.0, 6.0];
        let steps = path(&known, &positions, true, |x| x, |y| -y);
        assert_eq!(steps, "M0 -1H1V-3H2M3 -2H4M6 -2H7");
        let straight = path(&known, &positions, false, |x| x, |y| -y);
        assert_eq!(straight, "M0 -1h.01L1 -3M3 -2h.01M6 -2h.01");
    }

    #[test]
    fn labels_stay_within_the_picture() {
        assert_eq!([56.0, 400.0, 745.0].map(anchor), ["at-start", "at-middle", "at-end"]);
    }

    #[test]
    fn denials_are_ticks_on_the_base() {
        let denials = line("denials", &[Some(0), Some(4), None]);
        assert_eq!(ticks(&denials, &[0.0, 1.0, 2.0], |x| x * 10.0, 200.0), "M15 200v-9");
    }
}
