//! What is drawn of a report: its own cells, put side by side. Nothing is computed but places and scales.

use accounting::report::{Cell, Report};

/// The most figures of one report, and the most lines of one figure.
pub(crate) const MOST: usize = 8;
/// The most bars of a figure.
const MOST_BARS: usize = 30;
/// Columns that order rows by time, or by seats; the first one that a report has is its axis.
const AXES: [&str; 5] = ["from", "month", "week", "day", "seats"];

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) kind: Kind,
    /// The group that it shows; empty where it shows all.
    pub(crate) title: String,
    /// The column of its places.
    pub(crate) axis: &'static str,
    /// Where its values stand: instants, months, seats, or what bars are called.
    pub(crate) places: Vec<Cell>,
    pub(crate) lines: Vec<Line>,
}

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Lines over time or seats.
    Lines,
    /// Bars, one below the other.
    Bars,
    /// A shade for each hour of the week.
    Grid,
}

/// Values, one for each place; what has no value there is [`Cell::Empty`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// The group that it shows, or else its column.
    pub(crate) name: String,
    pub(crate) column: &'static str,
    pub(crate) values: Vec<Cell>,
}

/// The figures of a report, and how many groups of it are not drawn.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) figures: Vec<Figure>,
    pub(crate) left_out: usize,
}

/// The columns of a report that are drawn, the one that matters most first, and whether over an axis.
fn drawn(report: &str) -> (&'static [&'static str], bool) {
    match report {
        "usage" | "ranking" => (&["usage_minutes"], true),
        "average-licenses" => (&["average_licenses"], true),
        "utilization" => (&["utilization_percent"], true),
        "denials" => (&["raw"], true),
        "concurrency" => (&["seats_peak", "seats_average", "seats_issued", "denials"], true),
        "levels" => (&["percent_at_least"], true),
        "seats-needed" => (&["seats_issued", "seats_peak", "seats_needed_p95"], false),
        "allocation" => (&["share_percent"], false),
        "idle" => (&["days_idle"], false),
        "expiry" => (&["days_left"], false),
        "heatmap" => (&["seats_average"], true),
        _ => (&[], false),
    }
}

/// The figures of a report; none where it has nothing to draw.
pub(crate) fn figures(report: &Report) -> Figures {
    let (names, over) = drawn(report.name);
    let place = |name: &str| report.columns.iter().position(|column| column.name == name);
    let values: Vec<usize> = names.iter().filter_map(|name| place(name)).collect();
    let Some(&first) = values.first() else { return Figures::default() };
    if report.name == "heatmap" {
        return grids(report, first);
    }
    let axis = if over { AXES.iter().find_map(|name| place(name)) } else { None };
    // Keys stand before the figures, and what a curve is over is no key.
    let end = report.columns.iter().position(|column| column.number && Some(column.name) != Some("seats"));
    let keys: Vec<usize> = (0..end.unwrap_or(first)).filter(|key| Some(*key) != axis).collect();
    match axis.map(|axis| (axis, places(report, axis))) {
        Some((axis, places)) if places.len() > 1 => over_axis(report, (axis, &places), &keys, &values),
        axis => {
            let keys: Vec<usize> = axis.map(|(axis, _)| axis).into_iter().chain(keys).collect();
            bars(report, &keys, &values)
        }
    }
}

/// What there is in a column, ascending, each once.
fn places(report: &Report, axis: usize) -> Vec<Cell> {
    let mut places: Vec<Cell> = Vec::new();
    for cell in report.rows.iter().filter_map(|row| row.get(axis)) {
        if places.last() != Some(cell) {
            places.push(cell.clone());
        }
    }
    places.sort_by(order);
    places.dedup();
    places
}

fn order(one: &Cell, other: &Cell) -> std::cmp::Ordering {
    match (one, other) {
        (Cell::Text(one), Cell::Text(other)) => one.cmp(other),
        (one, other) => number(one).total_cmp(&number(other)),
    }
}

/// A value as it is drawn; what has none is no number.
pub(crate) fn number(cell: &Cell) -> f64 {
    match cell {
        Cell::Int(number) => *number as f64,
        Cell::Decimal(number) => *number,
        Cell::Amount(cents) => cents.0 as f64 / 100.0,
        Cell::Instant(at) => *at as f64,
        Cell::Empty | Cell::Text(_) => f64::NAN,
    }
}

/// What tells rows of different groups apart, as one text; `–` where it is that they have none of it.
fn group(row: &[Cell], keys: &[usize]) -> String {
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Int(number) => Some(number.to_string()),
        Cell::Empty | Cell::Decimal(_) | Cell::Amount(_) | Cell::Instant(_) => None,
    };
    let texts: Vec<String> = keys.iter().filter_map(|key| text(row.get(*key)?)).collect();
    if texts.is_empty() && !keys.is_empty() { "–".to_owned() } else { texts.join(" · ") }
}

/// What a group is called, and its rows.
type Group<'r> = (String, Vec<&'r [Cell]>);

/// Groups with their rows; those with the greatest value in a column first, and only as many as are drawn.
fn groups<'r>(report: &'r Report, keys: &[usize], value: usize) -> (Vec<Group<'r>>, usize) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known = rustc_hash::FxHashMap::default();
    for row in &report.rows {
        let name = group(row, keys);
        let nth = *known.entry(name.clone()).or_insert(groups.len());
        match groups.get_mut(nth) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((name, vec![row])),
        }
    }
    let greatest = |rows: &[&[Cell]]| {
        rows.iter().filter_map(|row| row.get(value)).map(number).fold(f64::NEG_INFINITY, f64::max)
    };
    groups.sort_by(|one, other| greatest(&other.1).total_cmp(&greatest(&one.1)));
    let left_out = groups.len().saturating_sub(MOST);
    groups.truncate(MOST);
    (groups, left_out)
}

/// Whether a group has two rows of one place, as the column that tells them apart is not shown. Rows of one group are in the
/// order of their places; imported totals have no sessions and stand beside those that do.
fn are_alike(report: &Report, groups: &[Group<'_>], places: &[usize]) -> bool {
    let sessions = report.columns.iter().position(|column| column.name == "sessions");
    let is_total = |row: &[Cell]| sessions.is_some_and(|column| row[column] == Cell::Empty);
    let alike = |one: &[Cell], other: &[Cell]| {
        places.iter().all(|place| one[*place] == other[*place]) && is_total(one) == is_total(other)
    };
    groups.iter().any(|(_, rows)| rows.windows(2).any(|two| alike(two[0], two[1])))
}

fn over_axis(report: &Report, (axis, places): (usize, &[Cell]), keys: &[usize], values: &[usize]) -> Figures {
    let (groups, left_out) = groups(report, keys, values[0]);
    if are_alike(report, &groups, &[axis]) {
        return Figures::default();
    }
    let line = |name: String, rows: &[&[Cell]], value: usize| {
        let mut cells = vec![Cell::Empty; places.len()];
        for row in rows {
            let nth = places.binary_search_by(|place| order(place, &row[axis]));
            if let Some(cell) = nth.ok().and_then(|nth| cells.get_mut(nth)) {
                *cell = row[value].clone();
            }
        }
        Line { name, column: report.columns[value].name, values: cells }
    };
    let figure = |title: String, lines: Vec<Line>| Figure {
        kind: Kind::Lines,
        title,
        axis: report.columns[axis].name,
        places: places.to_vec(),
        lines,
    };
    if let [value] = values {
        let lines = groups.into_iter().map(|(name, rows)| line(name, &rows, *value)).collect();
        return Figures { figures: vec![figure(String::new(), lines)], left_out };
    }
    let of = |value: usize, rows: &[&[Cell]]| line(report.columns[value].name.to_owned(), rows, value);
    let of_group =
        |(name, rows): Group<'_>| figure(name, values.iter().map(|value| of(*value, &rows)).collect());
    let figures = groups.into_iter().map(of_group).collect();
    Figures { figures, left_out }
}

/// The rows with the greatest values, each with its bars.
fn bars(report: &Report, keys: &[usize], values: &[usize]) -> Figures {
    let mut rows: Vec<&Vec<Cell>> =
        report.rows.iter().filter(|row| number(&row[values[0]]).is_finite()).collect();
    rows.sort_by(|one, other| number(&other[values[0]]).total_cmp(&number(&one[values[0]])));
    let left_out = rows.len().saturating_sub(MOST_BARS);
    rows.truncate(MOST_BARS);
    if rows.is_empty() {
        return Figures::default();
    }
    let lines = values.iter().map(|value| Line {
        name: report.columns[*value].name.to_owned(),
        column: report.columns[*value].name,
        values: rows.iter().map(|row| row[*value].clone()).collect(),
    });
    let figure = Figure {
        kind: Kind::Bars,
        title: String::new(),
        axis: keys.last().map_or("", |key| report.columns[*key].name),
        places: rows.iter().map(|row| Cell::Text(group(row, keys))).collect(),
        lines: lines.collect(),
    };
    Figures { figures: vec![figure], left_out }
}

/// For each group a line for each weekday, a place for each hour.
fn grids(report: &Report, value: usize) -> Figures {
    let place = |name: &str| report.columns.iter().position(|column| column.name == name);
    let (Some(weekday), Some(hour)) = (place("weekday"), place("hour")) else { return Figures::default() };
    let keys: Vec<usize> =
        (0..value).filter(|key| ![weekday, hour].contains(key) && !report.columns[*key].number).collect();
    let (groups, left_out) = groups(report, &keys, value);
    if are_alike(report, &groups, &[weekday, hour]) {
        return Figures::default();
    }
    let figure = |(title, rows): (String, Vec<&[Cell]>)| {
        let mut lines: Vec<Line> = Vec::new();
        for row in rows {
            let (Cell::Text(name), Cell::Int(hour)) = (&row[weekday], &row[hour]) else { continue };
            let nth = lines.iter().position(|line| line.name == *name).unwrap_or(lines.len());
            if nth == lines.len() {
                let column = report.columns[value].name;
                lines.push(Line { name: name.clone(), column, values: vec![Cell::Empty; 24] });
            }
            if let Some(cell) = usize::try_from(*hour).ok().and_then(|hour| lines[nth].values.get_mut(hour)) {
                *cell = row[value].clone();
            }
        }
        let places = (0..24).map(Cell::Int).collect();
        Figure { kind: Kind::Grid, title, axis: "hour", places, lines }
    };
    Figures { figures: groups.into_iter().map(figure).collect(), left_out }
}

impl Figure {
    /// Where its places lie on a line, one step being 1: places between which there are others, of which nothing is known,
    /// lie further apart.
    pub(crate) fn positions(&self) -> Vec<f64> {
        let numbers: Vec<f64> = self.places.iter().map(position).collect();
        if numbers.iter().any(|number| !number.is_finite()) {
            return (0..self.places.len()).map(|nth| nth as f64).collect();
        }
        let steps = numbers.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
        let step = steps.fold(f64::INFINITY, f64::min);
        let (step, first) =
            (if step.is_finite() { step } else { 1.0 }, numbers.first().copied().unwrap_or(0.0));
        numbers.iter().map(|number| (number - first) / step).collect()
    }

    /// The greatest value of its lines, but at least 0.
    pub(crate) fn greatest(&self) -> f64 {
        let values = self.lines.iter().flat_map(|line| &line.values).map(number);
        values.filter(|value| value.is_finite()).fold(0.0, f64::max)
    }

    /// Whether a value holds until the next place: seats do.
    pub(crate) fn has_steps(&self) -> bool {
        self.axis == "from"
    }
}

/// A place as a number: of instants and seats their own, of months, weeks and days one a step.
fn position(place: &Cell) -> f64 {
    let Cell::Text(text) = place else { return number(place) };
    let parts: Vec<&str> = text.split('-').collect();
    let whole = |text: &str| text.parse::<i16>().ok();
    match parts.as_slice() {
        [year, month] => match (whole(year), month.strip_prefix('W')) {
            (Some(year), Some(week)) => monday(year, week).map_or(f64::NAN, |day| f64::from(day) / 7.0),
            (Some(year), None) => {
                whole(month).map_or(f64::NAN, |month| f64::from(year) * 12.0 + f64::from(month))
            }
            (None, _) => f64::NAN,
        },
        [_, _, _] => text.parse::<accounting::day::Day>().map_or(f64::NAN, |day| f64::from(day.0)),
        _ => f64::NAN,
    }
}

/// The number of the day on which an ISO week begins.
fn monday(year: i16, week: &str) -> Option<i32> {
    let week = week.parse::<i8>().ok()?;
    let day = jiff::civil::ISOWeekDate::new(year, week, jiff::civil::Weekday::Monday).ok()?.date();
    let since = jiff::civil::date(1970, 1, 1).until(day).ok()?;
    Some(since.get_days())
}

#[cfg(test)]
mod tests {
    use super::{Figure, Kind, figures};
    use accounting::report::{Cell, Column, Report};

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn report(name: &'static str, columns: &[Column], rows: &[&[Cell]]) -> Report {
        let rows = rows.iter().map(|row| row.to_vec()).collect();
        Report { name, columns: columns.to_vec(), rows, notes: Vec::new() }
    }

    fn over(places: &[&str]) -> Figure {
        let places = places.iter().map(|place| text(place)).collect();
        Figure { kind: Kind::Lines, title: String::new(), axis: "month", places, lines: Vec::new() }
    }

    #[test]
    fn a_key_of_time_is_an_axis_and_all_others_tell_lines_apart() {
        let columns = [
            Column::text("month"),
            Column::text("feature"),
            Column::text("server"),
            Column::number("usage_minutes"),
        ];
        let rows: [&[Cell]; 4] = [
            &[text("2025-02"), text("a"), text("s"), Cell::Decimal(2.0)],
            &[text("2025-01"), text("b"), text("s"), Cell::Decimal(7.5)],
            &[text("2025-01"), text("a"), text("s"), Cell::Decimal(1.0)],
            &[text("2025-02"), text("b"), Cell::Empty, Cell::Decimal(3.0)],
        ];
        let drawn = figures(&report("usage", &columns, &rows)).figures;
        assert_eq!(drawn.len(), 1);
        assert_eq!((drawn[0].kind, drawn[0].axis), (Kind::Lines, "month"));
        assert_eq!(drawn[0].places, [text("2025-01"), text("2025-02")]);
        let lines: Vec<_> =
            drawn[0].lines.iter().map(|line| (line.name.as_str(), &line.values[..])).collect();
        assert_eq!(
            lines,
            [
                ("b · s", &[Cell::Decimal(7.5), Cell::Empty][..]),
                ("b", &[Cell::Empty, Cell::Decimal(3.0)]),
                ("a · s", &[Cell::Decimal(1.0), Cell::Decimal(2.0)]),
            ]
        );
        let one_month = figures(&report("usage", &columns, &rows[1..3])).figures;
        assert_eq!(one_month[0].kind, Kind::Bars);
        let columns = [Column::text("organization"), Column::number("usage_minutes")];
        let nobody = figures(&report("usage", &columns, &[&[Cell::Empty, Cell::Int(3)]])).figures;
        assert_eq!(nobody[0].places, [text("–")], "what belongs to no organization");
        assert_eq!(
            one_month[0].places,
            [text("2025-01 · b · s"), text("2025-01 · a · s")],
            "the greatest first"
        );
    }

    #[test]
    fn seats_over_time_have_a_figure_for_each_group() {
        let columns = [
            Column::text("from"),
            Column::text("feature"),
            Column::number("seats_average"),
            Column::number("seats_peak"),
            Column::text("seats_peak_at"),
            Column::number("seats_issued"),
            Column::number("denials"),
        ];
        let row = |at: i64, feature: &str, peak: i64| {
            let peak = Cell::Int(peak);
            vec![
                Cell::Instant(at),
                text(feature),
                Cell::Decimal(0.5),
                peak,
                Cell::Empty,
                Cell::Int(9),
                Cell::Int(0),
            ]
        };
        let rows = [row(0, "a", 1), row(3_600_000, "a", 4), row(10_800_000, "a", 2), row(0, "b", 8)];
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        let drawn = figures(&report("concurrency", &columns, &rows));
        let titles: Vec<_> = drawn.figures.iter().map(|figure| figure.title.as_str()).collect();
        assert_eq!((titles, drawn.left_out), (vec!["b", "a"], 0));
        assert_eq!(drawn.figures[1].positions(), [0.0, 1.0, 3.0], "an hour of which nothing is known");
        assert_eq!(drawn.figures[1].lines.len(), 4);
        assert!((drawn.figures[1].greatest() - 9.0).abs() < 1e-9);
    }

    #[test]
    fn only_so_many_groups_are_drawn() {
        let columns = [Column::text("feature"), Column::number("usage_minutes")];
        let rows: Vec<Vec<Cell>> = (0..40).map(|nth| vec![text(&nth.to_string()), Cell::Int(nth)]).collect();
        let rows: Vec<&[Cell]> = rows.iter().map(Vec::as_slice).collect();
        let drawn = figures(&report("usage", &columns, &rows));
        assert_eq!((drawn.figures[0].places.len(), drawn.left_out), (30, 10));
        assert_eq!(drawn.figures[0].places[0], text("39"));
        assert_eq!(figures(&report("overnight", &columns, &rows)), super::Figures::default());
    }

    #[test]
    fn months_weeks_and_days_lie_where_they_belong() {
        assert_eq!(over(&["2024-11", "2024-12", "2025-02"]).positions(), [0.0, 1.0, 3.0]);
        assert_eq!(over(&["2020-W52", "2020-W53", "2021-W02"]).positions(), [0.0, 1.0, 3.0]);
        assert_eq!(over(&["2025-02-28", "2025-03-01", "2025-03-04"]).positions(), [0.0, 1.0, 4.0]);
        assert_eq!(over(&["x", "2025-02"]).positions(), [0.0, 1.0], "whatever else stands there");
    }
}
