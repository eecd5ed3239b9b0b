//! What is raised, and what was.

use super::{EachRow, Sight, show_rows};
use crate::alerts::Words;
use accounting::UnixMs;
use accounting::alert::{Figures, Phase, Subject, When};
use accounting::calendar::Calendar;
use accounting::day::Day;
use accounting::report::{Cell, Column};
use clap::Args;
use std::sync::Arc;
use store::Store;

/// Which alerts.
#[derive(Debug, Clone, Args)]
pub(crate) struct Alerts {
    /// Also what was raised and is over, cleared on this day or later, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    since: Option<Day>,
    /// Only those of one rule
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
}

/// What is told of an alert.
const COLUMNS: [Column; 12] = [
    Column::text("rule"),
    Column::text("when"),
    Column::text("state"),
    Column::text("alert"),
    Column::text("feature"),
    Column::text("server"),
    Column::text("user"),
    Column::text("source"),
    Column::text("since"),
    Column::text("raised_at"),
    Column::text("cleared_at"),
    Column::text("told_at"),
];

impl Alerts {
    /// The columns of the listing.
    pub(crate) const COLUMNS: &[Column] = &COLUMNS;

    /// What was asked, by the options' names.
    pub(crate) fn told(&self, _: &Sight) -> Vec<(String, String)> {
        let given = [("since", self.since.map(|day| day.to_string())), ("rule", self.rule.clone())];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// One alert, present or past.
struct Row {
    rule: String,
    when: When,
    state: &'static str,
    subject: Subject,
    figures: Figures,
    since: Option<UnixMs>,
    raised_at: Option<UnixMs>,
    cleared_at: Option<UnixMs>,
    told_at: Option<UnixMs>,
}

/// Lists alerts: those that are raised by rule, then those that hold and are not raised yet, then past ones, the latest
/// first.
pub(crate) fn list_alerts(
    store: &mut Store,
    calendar: &Calendar,
    wanted: &Alerts,
    sight: &Sight,
    each: EachRow<'_>,
) -> anyhow::Result<()> {
    sight.refuse_unless_everything("alerts")?;
    let mut rows: Vec<Row> = Vec::new();
    for alert in store.alerts()? {
        let (state, raised_at) = match alert.state.phase {
            Phase::Raised { at, .. } => ("raised", Some(at)),
            Phase::Pending => ("pending", None),
            // It is among those that are over.
            Phase::Cleared { .. } => continue,
        };
        rows.push(Row {
            rule: alert.rule,
            when: alert.when,
            state,
            subject: alert.subject,
            figures: alert.state.figures,
            since: Some(alert.state.since),
            raised_at,
            cleared_at: None,
            told_at: alert.state.told_at,
        });
    }
    rows.sort_by_key(|row| row.raised_at.is_none());
    if let Some(since) = wanted.since {
        rows.extend(store.past_alerts(since.start(calendar.zone()))?.into_iter().map(|past| Row {
            rule: past.rule,
            when: past.when,
            state: "cleared",
            subject: past.subject,
            figures: past.figures,
            since: None,
            raised_at: Some(past.raised_at),
            cleared_at: Some(past.cleared_at),
            told_at: None,
        }));
    }
    rows.retain(|row| wanted.rule.as_ref().is_none_or(|rule| *rule == row.rule));
    let names = store.read(|reader| Ok(Arc::clone(&reader.names())))?;
    let words = Words::new(names, calendar.zone().clone(), None);
    show_rows(each, |each| rows.iter().try_for_each(|row| each(&cells(row, &words))))
}

fn cells(row: &Row, words: &Words) -> Vec<Cell> {
    let text = |text: Option<String>| text.map_or(Cell::Empty, Cell::Text);
    let instant = |at: Option<UnixMs>| at.map_or(Cell::Empty, Cell::Instant);
    let parts = words.parts(&row.subject);
    let since = row.since.or(row.raised_at).unwrap_or_default();
    vec![
        Cell::Text(row.rule.clone()),
        Cell::Text(row.when.as_str().to_owned()),
        Cell::Text(row.state.to_owned()),
        Cell::Text(words.sentence(&row.subject, &row.figures, since)),
        text(parts.feature),
        text(parts.server),
        text(parts.user),
        text(parts.source),
        instant(row.since),
        instant(row.raised_at),
        instant(row.cleared_at),
        instant(row.told_at),
    ]
}
