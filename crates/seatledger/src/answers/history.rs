//! What happened, in order of time.

use super::filters::{Days, Filters};
use super::sessions::period;
use super::{EachRow, Sight, show_rows};
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::pairing::InputId;
use accounting::report::{Cell, Column, Lens};
use clap::Args;
use rustc_hash::FxHashMap;
use store::{HistoryRow, Store};

/// What of the history.
#[derive(Debug, Clone, Args)]
pub(crate) struct History {
    #[command(flatten)]
    filters: Filters,
}

/// What is told of an event.
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
    /// The columns of the listing.
    pub(crate) const COLUMNS: &[Column] = &COLUMNS;

    /// What was asked, by the options' names.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        self.filters.told(sight)
    }
}

/// Lists what happened, as far as the asker may see it.
pub(crate) fn list_history(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &History,
    sight: &Sight,
    each: EachRow<'_>,
) -> anyhow::Result<()> {
    wanted.filters.refuse_cuts()?;
    wanted.filters.refuse_unknown_server(store, sight)?;
    let scope = wanted.filters.scope(calendar, Days::All, sight)?;
    show_rows(each, |each| {
        store.read(|reader| {
            let (names, inputs) = (reader.names(), reader.inputs()?);
            let lens = Lens::new(&names, calendar, scope.clone());
            reader.history(period(&scope, calendar), &mut |row| {
                let counts = lens.counts_feature(row.feature)
                    && lens.counted(row.holder, calendar.day_of(row.at)).is_some();
                if counts { each(&cells(&row, &names, &inputs)) } else { Ok(()) }
            })
        })
    })
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
