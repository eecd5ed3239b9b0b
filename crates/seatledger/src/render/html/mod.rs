//! HTML: one file that asks for nothing, for people who keep it, print it, or send it on. Charts are SVG, each with its table.

mod cells;
mod svg;

use super::about::{About, Values};
use super::figure::{Figure, Figures, Kind, Line};
use accounting::report::{Cell, Column};
use cells::cell;
use jiff::tz::TimeZone;
use maud::{Markup, PreEscaped, html};
use std::io::{self, Write};

const STYLE: &str = include_str!("style.css");
/// A figure of more places has no table of its own: its values stand in the rows below.
const LONGEST_TABLE: usize = 1_000;

/// A file as it is written.
pub(super) struct Html<'a> {
    columns: Vec<Column>,
    zone: &'a TimeZone,
    out: io::BufWriter<&'a mut dyn Write>,
    about: Option<About>,
    figures: Figures,
    rows: usize,
    begun: bool,
}

impl<'a> Html<'a> {
    pub(super) fn new(columns: Vec<Column>, zone: &'a TimeZone, out: &'a mut dyn Write) -> Self {
        let out = io::BufWriter::new(out);
        Self { columns, zone, out, about: None, figures: Figures::default(), rows: 0, begun: false }
    }

    /// With what is said about the rows.
    pub(super) fn about(&mut self, about: &About) {
        self.about = Some(about.clone());
    }

    /// With charts.
    pub(super) fn draw(&mut self, figures: Figures) {
        self.figures = figures;
    }

    /// How words in rows are said.
    pub(super) fn values(&self) -> Values {
        self.about.as_ref().map_or(&[], |about| about.values)
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.begin()?;
        self.rows += 1;
        let values = self.values();
        let row = html! {
            tr { @for (column, value) in self.columns.iter().zip(cells) { (cell(column, value, self.zone, values)) } }
        };
        self.write(&row)?;
        self.out.write_all(b"\n")
    }

    pub(super) fn finish(mut self, notes: &[String]) -> io::Result<()> {
        self.begin()?;
        let words = self.about.as_ref().map(|about| about.words);
        let end = html! {
            @if let Some(words) = words {
                @if self.rows == 0 { p.soft { (words.nothing) } }
                @if !notes.is_empty() {
                    section.notes { h2 { (words.notes) } ul { @for note in notes { li { (note) } } } }
                }
                section.columns {
                    h2 { (words.columns) }
                    dl { @for (column, said) in self.columns.iter().zip(self.about.iter().flat_map(|about| &about.columns)) {
                        dt { (said.0) " " code { (column.name) } }
                        dd { (said.1) }
                    } }
                }
            }
            footer { "Seatledger " (env!("CARGO_PKG_VERSION")) }
        };
        self.out.write_all(b"</tbody></table></div></section>\n")?;
        self.write(&end)?;
        self.out.write_all(b"</main></body></html>\n")?;
        self.out.flush()
    }

    fn write(&mut self, text: &Markup) -> io::Result<()> {
        self.out.write_all(text.0.as_bytes())
    }

    /// Writes all that stands before the rows.
    fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let language = self.about.as_ref().map_or("en", |about| about.language);
        let title = self.about.as_ref().map_or("", |about| about.title.as_str());
        let head = html! {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            link rel="icon" href="data:,";
            title { (title) " · Seatledger" }
            style { (PreEscaped(STYLE)) }
        };
        let body = html! {
            header {
                h1 { (title) }
                @if let Some(about) = &self.about { (self.asked(about)) }
            }
            @if let Some(about) = &self.about { (self.drawn(about)) }
        };
        write!(
            self.out,
            "<!doctype html>\n<html lang=\"{language}\"><head>{}</head>\n<body><main>\n",
            head.0
        )?;
        self.write(&body)?;
        let heads = html! {
            @for (nth, column) in self.columns.iter().enumerate() {
                @let said = self.about.as_ref().and_then(|about| about.columns.get(nth));
                th.n[column.number] scope="col" data-name=(column.name) title=[said.map(|said| said.1.as_str()).filter(|means| !means.is_empty())] {
                    (said.map_or(column.name, |said| said.0.as_str()))
                }
            }
        };
        let label = self.about.as_ref().map_or("", |about| about.words.rows).to_owned();
        let section = html! { h2 { (label) } };
        write!(self.out, "\n<section>{}", section.0)?;
        write!(
            self.out,
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">",
            html! { (label) }.0
        )?;
        write!(self.out, "<table id=\"rows\"><thead><tr>{}</tr></thead>\n<tbody>\n", heads.0)
    }

    /// Definition, options, zone.
    fn asked(&self, about: &About) -> Markup {
        html! {
            @if !about.definition.is_empty() { p.definition { (about.definition) } }
            dl.asked {
                div {
                    dt { (about.words.options) }
                    dd {
                        @if about.options.is_empty() { (about.words.no_options) }
                        @for (name, value) in &about.options { span.option { (name) " " b { (value) } } " " }
                    }
                }
                div { dt { (about.words.zone) } dd { (self.zone.iana_name().unwrap_or("UTC")) } }
            }
        }
    }

    /// The charts.
    fn drawn(&self, about: &About) -> Markup {
        html! {
            @if !self.figures.figures.is_empty() {
                section.charts {
                    @for figure in &self.figures.figures { (self.figure(figure, about)) }
                    @if self.figures.left_out > 0 {
                        p.soft { (about.words.not_drawn) " " (self.figures.left_out) }
                    }
                }
            }
        }
    }

    fn figure(&self, figure: &Figure, about: &About) -> Markup {
        let heading = |name: &str| about.heading(&self.columns, name);
        let name = |line: &Line| match line.name.as_str() {
            "" => heading(line.column),
            name if name == line.column => heading(line.column),
            name => name.to_owned(),
        };
        let value = figure.lines.first().map(|line| heading(line.column)).unwrap_or_default();
        let has_columns = figure.lines.iter().all(|line| line.name == line.column) && figure.lines.len() > 1;
        let title = match (figure.title.as_str(), has_columns) {
            ("", true) => about.title.clone(),
            ("", false) => value,
            (title, _) => title.to_owned(),
        };
        let names: Vec<String> = figure.lines.iter().map(name).collect();
        html! {
            figure data-kind=(kind_name(figure.kind)) {
                figcaption { (title) }
                @if figure.lines.len() > 1 && figure.kind != Kind::Grid {
                    ul.legend {
                        @for (nth, (line, name)) in figure.lines.iter().zip(&names).enumerate() {
                            li { span class={ "swatch " (svg::class(nth, line)) } {} (name) }
                        }
                    }
                }
                (svg::draw(figure, &title, &names, self.zone))
                @if figure.places.len() <= LONGEST_TABLE {
                    details { summary { (about.words.chart_table) } (self.table(figure, &names, &heading(figure.axis))) }
                }
            }
        }
    }

    /// The values of a figure: a row for each place, a column for each line.
    fn table(&self, figure: &Figure, names: &[String], axis: &str) -> Markup {
        let plain = Column::text(figure.axis);
        let number = Column::number("");
        html! {
            div.scroll tabindex="0" role="region" aria-label=(axis) {
                table {
                    thead { tr { th scope="col" { (axis) } @for name in names { th.n scope="col" { (name) } } } }
                    tbody {
                        @for (nth, place) in figure.places.iter().enumerate() {
                            tr {
                                (cell(&plain, place, self.zone, &[]))
                                @for line in &figure.lines {
                                    (cell(&number, line.values.get(nth).unwrap_or(&Cell::Empty), self.zone, &[]))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Lines => "lines",
        Kind::Bars => "bars",
        Kind::Grid => "grid",
    }
}
