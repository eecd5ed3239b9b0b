//! `seatledger unrecognized`

use super::{Done, Global, Shown};
use accounting::report::{Cell, Column, Report};
use clap::Args;

/// The quarantine: lines that no format knew, by source and shape, with counts
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  seatledger unrecognized\n  seatledger unrecognized --format csv -o lines.csv"
)]
pub(crate) struct Unrecognized {
    #[command(flatten)]
    shown: Shown,
}

impl Unrecognized {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, _) = global.open()?;
        let calendar = store.calendar()?;
        let (rows, inputs) = store.read(|reader| Ok((reader.unrecognized()?, reader.inputs()?)))?;
        let rows = rows.into_iter().map(|row| {
            vec![
                Cell::Text(inputs.get(&row.input).cloned().unwrap_or_default()),
                Cell::Int(row.lines as i64),
                Cell::Int(row.first_line as i64),
                Cell::Text(row.reason),
                Cell::Text(row.shape),
                Cell::Text(row.sample),
            ]
        });
        let report = Report {
            name: "unrecognized",
            columns: vec![
                Column::text("source"),
                Column::number("lines"),
                Column::number("first_line"),
                Column::text("reason"),
                Column::text("shape"),
                Column::text("sample"),
            ],
            rows: rows.collect(),
            notes: Vec::new(),
        };
        self.shown.report(&report, calendar.zone(), Vec::new())?;
        Ok(Done::Well)
    }
}
