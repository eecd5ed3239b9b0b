//! `seatledger history`

use super::render::Rows;
use super::scope::{Days, Filters};
use super::sessions::period;
use super::{Done, Global, Shown};
use accounting::ledger::Names;
use accounting::pairing::InputId;
use accounting::report::{Cell, Column, Lens};
use clap::Args;
use rustc_hash::FxHashMap;
use store::HistoryRow;

const AFTER_HELP: &str = "\
Examples:
  seatledger history --from 2025-03-12 --until 2025-03-13
  seatledger history --feature 'hfss*' --format csv | grep denial";

/// What happened, in order of time: grants, checkins, denials, time-outs
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct History {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    shown: Shown,
}

const COLUMNS: [Column; 10] = [
    Column::text("at"),
    Column::text("action"),
    Column::text("feature"),
    Column::text("version"),
    Column::text("user"),
    Column::text("host"),
    Column::text("server"),
    Column::number("seats"),
    Column::text("reason"),
    Column::text("source"),
];

impl History {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        self.filters.refuse_cuts()?;
        let (mut store, _) = global.open()?;
        self.filters.refuse_unknown_server(&mut store)?;
        let calendar = store.calendar()?;
        let scope = self.filters.scope(&calendar, Days::All)?;
        self.shown.write(|face, look, out| {
            let mut rows = Rows::new(face, COLUMNS.to_vec(), calendar.zone(), look, out);
            let mut failed = None;
            store.read(|reader| {
                let (names, inputs) = (reader.names(), reader.inputs()?);
                let lens = Lens::new(&names, &calendar, scope.clone());
                reader.history(period(&scope, &calendar), &mut |row| {
                    let counts = failed.is_none()
                        && lens.counts_feature(row.feature)
                        && lens.counted(row.holder, calendar.day_of(row.at)).is_some();
                    if counts {
                        failed = rows.row(cells(&row, &names, &inputs)).err();
                    }
                    Ok(())
                })
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            Ok(rows.finish(&[])?)
        })?;
        Ok(Done::Well)
    }
}

fn cells(row: &HistoryRow, names: &Names, inputs: &FxHashMap<InputId, String>) -> Vec<Cell> {
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let holder = names.holders.get(&row.holder);
    let server = holder.and_then(|holder| names.servers.get(&holder.server));
    vec![
        Cell::Instant(row.at),
        text(row.action),
        names.features.get(&row.feature).map_or(Cell::Empty, |feature| text(&feature.code)),
        names.versions.get(&row.version).map_or(Cell::Empty, |version| text(version)),
        holder.map_or(Cell::Empty, |holder| text(&holder.user)),
        holder.map_or(Cell::Empty, |holder| text(&holder.host)),
        server.map_or(Cell::Empty, |server| text(&server.name)),
        Cell::Int(i64::from(row.seats)),
        text(&row.reason),
        inputs.get(&row.input).map_or(Cell::Empty, |name| text(name)),
    ]
}
