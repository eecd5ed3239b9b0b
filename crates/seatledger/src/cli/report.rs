//! `seatledger report`

use super::{Done, Global, Shown};
use crate::answers::{self, Name, Sight};
use crate::clock;
use accounting::report::note::Note;
use clap::Args;

const AFTER_HELP: &str = "\
Reports:
  usage             minutes, seat seconds, sessions, persons by --by keys
  ranking           features of each month by their minutes on working days
  average-licenses  how many licenses were used on average in working hours
  concurrency       seats in use by --step: average, peak and when, issued, denials
  levels            for how long exactly n seats, and at least n seats, were in use
  utilization       of each month: seats used of those issued, when busy and full, what was watched
  seats-needed      how many seats would have been enough, by time and by request
  heatmap           seats in use and denials by hour of the week
  overnight         who holds a seat at midnight
  denials           who was refused by reason: raw, and as requests that were delayed or denied
  allocation        a bill (--cost), or the catalog's prices, split by use
  idle              features that nobody uses, and since when
  expiry            which seats expire when
  coverage          what was watched when, and what was not understood

Keys of --by: feature product type version person user host organization project server time_class day week month;
they come before the report's own columns. utilization and average-licenses are not shown by day and week, nor
concurrency by day, week and month (that is --step), nor denials by version. overnight, idle, expiry and coverage
have no keys.

Examples:
  seatledger report usage --by month,feature,time_class --from 2025-01-01 --until 2026-01-01
  seatledger report usage --by feature,month --columns feature,month,usage_minutes --format csv -o minutes.csv
  seatledger report average-licenses --hours-per-day 6 --days-per-month 22
  seatledger report concurrency --step hour --feature 'anshpc*' --format csv -o hours.csv
  seatledger report usage --by organization --time-class prime --days working --format json
  seatledger report utilization --by server --from 2025-01-01
  seatledger report seats-needed --feature 'hfss*' --time-class prime --days working
  seatledger report heatmap --feature solver --format csv
  seatledger report levels --by organization --feature solver
  seatledger report denials --by server,day --feature solver --from 2025-03-01 --until 2025-04-01
  seatledger report allocation --feature 'cad*' --cost 48000 --currency CHF --from 2025-01-01 --until 2026-01-01
  seatledger report allocation --by project --share person-seconds --format csv
  seatledger report idle --idle-days 90
  seatledger report expiry --within 60
  seatledger report utilization --from 2025-01-01 --format xlsx -o utilization.xlsx
  seatledger report concurrency --feature 'hfss*' --format html --language de -o seats.html";

/// Answer a question from the books
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Report {
    #[arg(value_enum)]
    name: Name,
    #[command(flatten)]
    options: answers::Options,
    #[command(flatten)]
    shown: Shown,
}

impl Report {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Done> {
        let (mut store, config) = global.open()?;
        let answered =
            answers::answer(&mut store, self.name, &self.options, &Sight::Everything, clock::today)?;
        let answers::Answer { mut report, calendar } = answered;
        let configured = config.calendar_over(Some(calendar.clone()), calendar.zone_name())?;
        if configured.fingerprint() != calendar.fingerprint() {
            report.notes.push(Note::OtherCalendar);
        }
        self.shown.report(&report, calendar.zone(), self.options.told(&Sight::Everything))?;
        self.shown.say_notes(&report.notes, calendar.zone());
        Ok(Done::Well)
    }
}
