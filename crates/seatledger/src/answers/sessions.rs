//! The sessions themselves.

use super::filters::{Days, Filters};
use super::{EachRow, Sight, show_rows};
use accounting::UnixMs;
use accounting::calendar::Calendar;
use accounting::ledger::Names;
use accounting::pairing::InputId;
use accounting::report::{Cell, Column, Lens, Scope};
use accounting::session::Ended;
use clap::Args;
use rustc_hash::FxHashMap;
use store::{SessionRow, Store};

/// Which sessions.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sessions {
    /// Only sessions that are not known to have ended
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    filters: Filters,
}

/// What is told of a session.
const COLUMNS: [Column; 14] = [
    Column::text("feature"),
    Column::text("version"),
    Column::text("user"),
    Column::text("host"),
    Column::text("display"),
    Column::text("server"),
    Column::number("seats"),
    Column::text("from"),
    Column::text("until"),
    Column::text("ended"),
    Column::number("held_seconds"),
    Column::number("seat_seconds"),
    Column::number("uncertainty_seconds"),
    Column::text("source"),
];

impl Sessions {
    /// The columns of the listing.
    pub(crate) const COLUMNS: &[Column] = &COLUMNS;

    /// What was asked, by the options' names.
    pub(crate) fn told(&self, sight: &Sight) -> Vec<(String, String)> {
        let open = self.open.then(|| ("open".to_owned(), "true".to_owned()));
        self.filters.told(sight).into_iter().chain(open).collect()
    }
}

/// Lists sessions, as far as the asker may see them: feature by feature, in order of their start.
pub(crate) fn list_sessions(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &Sessions,
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
            for feature in lens.features() {
                reader.sessions(feature, period(&scope, calendar), wanted.open, &mut |row| {
                    let day = calendar.day_of(row.part.from);
                    match lens.counted(row.part.holder, day) {
                        Some(_) => each(&cells(&row, &names, &inputs)),
                        None => Ok(()),
                    }
                })?;
            }
            Ok(())
        })
    })
}

/// The instants of a scope's days.
pub(super) fn period(scope: &Scope, calendar: &Calendar) -> (UnixMs, UnixMs) {
    let zone = calendar.zone();
    (
        scope.from.map_or(UnixMs::MIN, |from| from.start(zone)),
        scope.until.map_or(UnixMs::MAX, |until| until.start(zone)),
    )
}

fn cells(row: &SessionRow, names: &Names, inputs: &FxHashMap<InputId, String>) -> Vec<Cell> {
    let text = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let holder = names.holders.get(&row.part.holder);
    let of_holder =
        |get: fn(&accounting::ledger::Holder) -> &str| holder.map_or(Cell::Empty, |h| text(get(h)));
    let server = holder.and_then(|holder| names.servers.get(&holder.server));
    let held = (row.part.until - row.part.from) as f64 / 1000.0;
    vec![
        names.features.get(&row.feature).map_or(Cell::Empty, |feature| text(&feature.code)),
        names.versions.get(&row.part.version).map_or(Cell::Empty, |version| text(version)),
        of_holder(|holder| &holder.user),
        of_holder(|holder| &holder.host),
        of_holder(|holder| &holder.display),
        server.map_or(Cell::Empty, |server| text(&server.name)),
        Cell::Int(i64::from(row.part.seats)),
        Cell::Instant(row.part.from),
        if row.part.ended == Ended::Open { Cell::Empty } else { Cell::Instant(row.part.until) },
        Cell::Text(row.part.ended.as_str().to_owned()),
        Cell::Decimal(held),
        Cell::Decimal(held * f64::from(row.part.seats)),
        row.uncertainty_ms.map_or(Cell::Empty, |ms| Cell::Decimal(ms as f64 / 1000.0)),
        inputs.get(&row.input).map_or(Cell::Empty, |name| text(name)),
    ]
}
