//! A table for people.

use super::figure::Figures;
use super::layout::{GAP, Place, fit, is_long, is_wide};
use super::spark::bar;
use super::{Look, drawings, push_wall_clock};
use accounting::report::{Cell, Column, decimal};
use jiff::tz::TimeZone;
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The widths are decided over so many rows; what follows is written as it comes.
const LOOKED_AT: usize = 2_000;

/// What an instant looks like.
const INSTANT: &str = "0000-00-00 00:00:00";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const BLUE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// A table as it is written.
pub(super) struct Table<'a> {
    columns: Vec<Place>,
    zone: &'a TimeZone,
    look: &'a Look,
    out: io::BufWriter<&'a mut dyn Write>,
    /// The rows whose widths are being looked at.
    waiting: Vec<Vec<Shown>>,
    begun: bool,
    bars: Option<Bars>,
    figures: Figures,
    /// What is said where there is no row.
    pub(super) nothing: &'a str,
}

/// Bars behind a column of numbers.
struct Bars {
    column: usize,
    /// The number of the longest bar.
    longest: f64,
    /// Characters of the longest bar; none where the line is too short.
    width: usize,
}

/// A cell as the table shows it.
struct Shown {
    text: String,
    width: usize,
    /// Characters from the decimal point on.
    fraction: usize,
    number: f64,
}

impl Shown {
    /// Without an end that says nothing.
    fn leave_out(&mut self, end: &str) {
        if let Some(short) = self.text.strip_suffix(end) {
            self.width -= end.len();
            self.text.truncate(short.len());
        }
    }
}

/// Whether a text is an instant as tables show it.
fn is_instant(text: &str) -> bool {
    let same = |(one, form): (u8, u8)| if form == b'0' { one.is_ascii_digit() } else { one == form };
    text.len() == INSTANT.len() && text.bytes().zip(INSTANT.bytes()).all(same)
}

impl<'a> Table<'a> {
    pub(super) fn new(
        columns: Vec<Column>,
        zone: &'a TimeZone,
        look: &'a Look,
        out: &'a mut dyn Write,
    ) -> Self {
        let columns = columns.into_iter().map(|column| Place::new(column.name, column.number)).collect();
        let out = io::BufWriter::new(out);
        Self {
            columns,
            zone,
            look,
            out,
            waiting: Vec::new(),
            begun: false,
            bars: None,
            figures: Figures::default(),
            nothing: super::NOTHING,
        }
    }

    pub(super) fn bars_behind(&mut self, name: &str) {
        let column = self.columns.iter().position(|column| column.number && column.head.concat() == name);
        self.bars = column.filter(|_| self.look.bars).map(|column| Bars {
            column,
            longest: if name.contains("percent") { 100.0 } else { 0.0 },
            width: 0,
        });
    }

    /// With drawings below the rows, where the place shows them.
    pub(super) fn draw(&mut self, figures: impl FnOnce() -> Figures) {
        if self.look.bars {
            self.figures = figures();
        }
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let mut row: Vec<_> = cells.iter().map(|cell| self.shown(cell)).collect();
        if self.begun {
            for (shown, column) in
                row.iter_mut().zip(&self.columns).filter(|(_, column)| !column.end.is_empty())
            {
                shown.leave_out(column.end);
            }
            return self.write_row(&row);
        }
        for ((column, shown), cell) in self.columns.iter_mut().zip(&row).zip(cells) {
            column.whole = column.whole.max(shown.width - shown.fraction);
            column.fraction = column.fraction.max(shown.fraction);
            column.shrinks &= matches!(cell, Cell::Text(_) | Cell::Empty);
        }
        self.waiting.push(row);
        if self.waiting.len() >= LOOKED_AT { self.begin() } else { Ok(()) }
    }

    pub(super) fn finish(mut self, notes: &[String]) -> io::Result<()> {
        if !self.begun && self.waiting.is_empty() {
            writeln!(self.out, "{}", self.nothing)?;
        } else if !self.begun {
            self.leave_out_empty_columns();
            self.begin()?;
        }
        drawings::write(&self.figures, self.look, self.zone, &mut self.out)?;
        for (nth, note) in notes.iter().enumerate() {
            if nth == 0 {
                writeln!(self.out)?;
            }
            self.write_note(note)?;
        }
        self.out.flush()
    }

    /// Where the line is too short for all columns those that say nothing in any row are left out.
    fn leave_out_empty_columns(&mut self) {
        let says: Vec<bool> = self.columns.iter().map(|column| column.content() > 0).collect();
        if !is_wide(&self.columns, self.look.width) || says.iter().all(|says| *says) {
            return;
        }
        let said = |nth: usize| says.get(nth).copied().unwrap_or(true);
        let mut nth = 0..;
        self.columns.retain(|_| nth.next().is_none_or(said));
        for row in &mut self.waiting {
            let mut nth = 0..;
            row.retain(|_| nth.next().is_none_or(said));
        }
        self.bars = self.bars.take().filter(|bars| said(bars.column)).map(|bars| {
            let column = says.iter().take(bars.column).filter(|says| **says).count();
            Bars { column, ..bars }
        });
    }

    fn begin(&mut self) -> io::Result<()> {
        self.begun = true;
        let mut rows = std::mem::take(&mut self.waiting);
        if is_long(&self.columns, self.look.width) {
            self.shorten_instants(&mut rows);
        }
        let for_bars = fit(&mut self.columns, self.look.width, self.bars.is_some());
        if let Some(bars) = &mut self.bars {
            bars.width = for_bars.unwrap_or_default();
            let numbers = rows.iter().filter_map(|row| row.get(bars.column)).map(|shown| shown.number);
            bars.longest = numbers.filter(|number| number.is_finite()).fold(bars.longest, f64::max);
        }
        self.write_head()?;
        for row in rows {
            self.write_row(&row)?;
        }
        Ok(())
    }

    /// Leaves out the time of day, or the seconds, where all instants of a column are at midnight, or at a full minute.
    fn shorten_instants(&mut self, rows: &mut [Vec<Shown>]) {
        for (nth, column) in self.columns.iter_mut().enumerate() {
            let texts = || rows.iter().filter_map(|row| row.get(nth)).map(|shown| shown.text.as_str());
            let are_instants =
                texts().all(|text| text.is_empty() || is_instant(text)) && texts().any(is_instant);
            let ends = |end: &str| texts().all(|text| text.is_empty() || text.ends_with(end));
            let short = [" 00:00:00", ":00"].into_iter().find(|end| are_instants && ends(end));
            let Some(end) = short else { continue };
            column.end = end;
            column.whole = INSTANT.len() - end.len();
            for shown in rows.iter_mut().filter_map(|row| row.get_mut(nth)) {
                shown.leave_out(end);
            }
        }
    }

    fn write_head(&mut self) -> io::Result<()> {
        let lines = self.columns.iter().map(|column| column.head.len()).max().unwrap_or_default();
        for nth in 0..lines {
            let mut line = Line::default();
            for (index, column) in self.columns.iter().enumerate() {
                // Short names stand on the lowest line.
                let part = (nth + column.head.len()).checked_sub(lines).map_or("", |part| &column.head[part]);
                line.cell(part, part.width(), column.width, column.number);
                self.leave_room_for_bar(index, &mut line);
            }
            self.write_styled(BOLD, &line.text)?;
        }
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let bars = self.bars.as_ref().map_or(0, |bars| bars.width + GAP * usize::from(bars.width > 0));
        let width = self.columns.iter().map(|column| column.width).sum::<usize>() + gaps + bars;
        self.write_styled(DIM, &"─".repeat(width))
    }

    fn leave_room_for_bar(&self, index: usize, line: &mut Line) {
        if let Some(bars) = self.bars.as_ref().filter(|bars| bars.column == index && bars.width > 0) {
            line.cell("", 0, bars.width, false);
        }
    }

    fn write_row(&mut self, row: &[Shown]) -> io::Result<()> {
        let said = self.columns.iter().zip(row).map(|(column, shown)| match column.wraps {
            true => lines(&shown.text, column.width),
            false => Vec::new(),
        });
        let said: Vec<Vec<String>> = said.collect();
        self.write_first_line(row, &said)?;
        for nth in 1..said.iter().map(Vec::len).max().unwrap_or_default() {
            let mut line = Line::default();
            for (column, said) in self.columns.iter().zip(&said) {
                let text = said.get(nth).map_or("", String::as_str);
                line.cell(text, text.width(), column.width, false);
            }
            writeln!(self.out, "{}", line.text.trim_end())?;
        }
        Ok(())
    }

    /// A row, of what is said in words the first line.
    fn write_first_line(&mut self, row: &[Shown], said: &[Vec<String>]) -> io::Result<()> {
        let mut line = Line::default();
        for (index, (column, shown)) in self.columns.iter().zip(row).enumerate() {
            if column.number {
                // Points stand below points.
                let behind =
                    if shown.width == 0 { 0 } else { column.fraction.saturating_sub(shown.fraction) };
                let text = format!("{}{}", shown.text, " ".repeat(behind));
                line.cell(&text, shown.width + behind, column.width, true);
            } else if let Some(text) = said.get(index).and_then(|said| said.first()) {
                line.cell(text, text.width(), column.width, false);
            } else if shown.width > column.width && column.shrinks {
                let text = match column.keeps_end {
                    true => end_of(&shown.text, column.width),
                    false => shortened(&shown.text, column.width),
                };
                line.cell(&text, text.width(), column.width, false);
            } else {
                line.cell(&shown.text, shown.width, column.width, false);
            }
            if let Some(bars) = self.bars.as_ref().filter(|bars| bars.column == index && bars.width > 0) {
                let bar = bar(shown.number / bars.longest, bars.width);
                let width = bar.width();
                let bar = if self.look.color && width > 0 { format!("{BLUE}{bar}{PLAIN}") } else { bar };
                line.cell(&bar, width, bars.width, false);
            }
        }
        writeln!(self.out, "{}", line.text.trim_end())
    }

    fn write_note(&mut self, note: &str) -> io::Result<()> {
        const BEFORE: &str = "Note: ";
        let (mut line, mut width) = (BEFORE.to_owned(), BEFORE.len());
        for word in note.split_whitespace().map(printable) {
            if width > BEFORE.len() && width + 1 + word.width() > self.look.width {
                writeln!(self.out, "{line}")?;
                (line, width) = (" ".repeat(BEFORE.len()), BEFORE.len());
            } else if width > BEFORE.len() {
                line.push(' ');
                width += 1;
            }
            line.push_str(&word);
            width += word.width();
        }
        writeln!(self.out, "{line}")
    }

    fn write_styled(&mut self, style: &str, text: &str) -> io::Result<()> {
        let text = text.trim_end();
        if self.look.color {
            writeln!(self.out, "{style}{text}{PLAIN}")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    fn shown(&self, cell: &Cell) -> Shown {
        let (text, number) = match cell {
            Cell::Empty => (String::new(), f64::NAN),
            Cell::Text(text) => (printable(text), f64::NAN),
            Cell::Int(number) => (number.to_string(), *number as f64),
            Cell::Decimal(number) => (rounded(*number), *number),
            Cell::Amount(cents) => (cents.to_string(), cents.0 as f64 / 100.0),
            Cell::Instant(at) => {
                let mut text = String::with_capacity(19);
                push_wall_clock(&mut text, *at, self.zone);
                (text, f64::NAN)
            }
        };
        let with_point = matches!(cell, Cell::Decimal(_) | Cell::Amount(_));
        let point = if with_point { text.find('.') } else { None };
        Shown { width: text.width(), fraction: point.map_or(0, |point| text.len() - point), text, number }
    }
}

/// A line of cells.
#[derive(Default)]
struct Line {
    text: String,
    /// Blanks that are due before the next cell.
    due: usize,
}

impl Line {
    /// Appends a cell of `width` characters, of which the text takes `taken`.
    fn cell(&mut self, text: &str, taken: usize, width: usize, at_right: bool) {
        let blanks = width.saturating_sub(taken);
        let (before, behind) = if at_right { (blanks, 0) } else { (0, blanks) };
        self.text.extend(std::iter::repeat_n(' ', self.due + before));
        self.text.push_str(text);
        self.due = behind + GAP;
    }
}

/// A number for people: two decimals, below 1 three digits that say something.
pub(super) fn rounded(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let size = number.abs();
    let decimals = if size >= 1.0 || size == 0.0 { 2 } else { (2 - size.log10().floor() as i32).clamp(2, 6) };
    let scale = 10_f64.powi(decimals);
    decimal((number * scale).round() / scale)
}

/// A text without what would move the cursor, change colours or turn the line around.
pub(crate) fn printable(text: &str) -> String {
    let hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if hidden(letter) { '\u{fffd}' } else { letter }).collect()
}

/// The beginning of a text and `…`, in `width` characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let mut taken = 0;
    let fits = |letter: &char| {
        taken += letter.width().unwrap_or_default();
        taken < width
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// `…` and the end of a text, in `width` characters.
fn end_of(text: &str, width: usize) -> String {
    let mut taken = 0;
    let fits = |letter: &char| {
        taken += letter.width().unwrap_or_default();
        taken < width
    };
    let mut short: Vec<char> = text.chars().rev().take_while(fits).collect();
    short.push('…');
    short.iter().rev().collect()
}

/// A text in lines of at most `width` characters, broken between words; a word that is longer is broken too.
fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut left = 0;
    for word in text.split(' ') {
        if word.width() < left
            && let Some(line) = lines.last_mut()
        {
            line.push(' ');
            line.push_str(word);
            left -= word.width() + 1;
            continue;
        }
        left = 0;
        for letter in word.chars() {
            let taken = letter.width().unwrap_or_default();
            if left < taken || lines.is_empty() {
                lines.push(String::new());
                left = width.max(1);
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            left = left.saturating_sub(taken);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{end_of, lines, printable, rounded, shortened};

    #[test]
    fn words_go_on_in_the_next_line_and_paths_keep_their_end() {
        assert_eq!(lines("install it, or name its path", 12), ["install it,", "or name its", "path"]);
        assert_eq!(lines("/opt/flexlm/lmutil is", 8), ["/opt/fle", "xlm/lmut", "il is"]);
        assert_eq!(lines("", 8), Vec::<String>::new());
        assert_eq!(end_of("flexnet/lic1/debug.log", 10), "…debug.log");
    }

    #[test]
    fn numbers_are_rounded_for_people() {
        let numbers = [0.0, 347.0, 12.345, 0.043_813_131, -0.5, 0.999_96, 1e-9, 120_300.25, 99.999, f64::NAN];
        let texts = ["0", "347", "12.35", "0.0438", "-0.5", "1", "0", "120300.25", "100", ""];
        assert_eq!(numbers.map(rounded), texts);
    }

    #[test]
    fn texts_are_shortened_to_the_width_they_take() {
        assert_eq!(shortened("AutoCAD 2018", 9), "AutoCAD…");
        assert_eq!(shortened("AutoCAD 2018", 10), "AutoCAD 2…");
        assert_eq!(shortened("測試測試", 6), "測試…");
    }

    #[test]
    fn a_log_cannot_command_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
    }
}
