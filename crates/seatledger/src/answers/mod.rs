//! What can be asked, and the answers: the questions of reports and listings, which every face asks with the same
//! options, so that a number comes from one function whatever shows it.

mod alerts;
mod bill;
mod coverage;
mod filters;
mod history;
mod now;
mod report;
mod sessions;
mod steps;

pub(crate) use alerts::{Alerts, list_alerts};
pub(crate) use history::{History, Told, latest_history, list_history};
pub(crate) use now::{FeatureNow, Hold, Now, Shortness, known_days, now};
pub(crate) use report::{
    Answer, FeatureIs, Name, Options, WholePeriod, answer, denials_by, in_one_state, usage_by, whole_period,
};
pub(crate) use sessions::{Sessions, ToldSessions, list_sessions, next_sessions};
pub(crate) use steps::curve;

use accounting::UnixMs;
use accounting::report::Cell;
use jiff::tz::TimeZone;
use store::{Store, UnrecognizedRow};

/// A question that contradicts itself, or names what there is not.
#[derive(Debug)]
pub(crate) struct WrongUsage(pub(crate) String);

impl std::fmt::Display for WrongUsage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for WrongUsage {}

/// The error of a question that contradicts itself, or names what there is not.
pub(crate) fn wrong_usage(message: impl std::fmt::Display) -> anyhow::Error {
    WrongUsage(message.to_string()).into()
}

/// A question about more than its asker may see.
#[derive(Debug)]
pub(crate) struct OutOfSight(pub(crate) String);

impl std::fmt::Display for OutOfSight {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for OutOfSight {}

/// Whose figures the asker may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Everybody's.
    Everything,
    /// Those of the members of one organization, while they are.
    Organization(String),
}

impl Sight {
    /// Refuses what tells of more than one organization whatever the filters are.
    pub(crate) fn refuse_unless_everything(&self, what: &str) -> anyhow::Result<()> {
        match self {
            Self::Everything => Ok(()),
            Self::Organization(organization) => Err(OutOfSight(format!(
                "{what} cannot be shown for one organization, and you may see {organization} only"
            ))
            .into()),
        }
    }
}

/// The lines that no format knew, most first, each with what people call its input.
pub(crate) fn unrecognized(store: &mut Store) -> anyhow::Result<Vec<(String, UnrecognizedRow)>> {
    Ok(store.read(|reader| {
        let inputs = reader.inputs()?;
        let rows = reader.unrecognized()?.into_iter();
        Ok(rows.map(|row| (inputs.get(&row.input).cloned().unwrap_or_default(), row)).collect())
    })?)
}

/// Takes a row of a listing.
pub(crate) type EachRow<'a> = &'a mut dyn FnMut(&[Cell]) -> std::io::Result<()>;

/// Reads rows until one cannot be shown: then nobody looks at the rest.
fn show_rows(
    each: EachRow<'_>,
    read: impl FnOnce(&mut dyn FnMut(&[Cell]) -> Result<(), store::Error>) -> Result<(), store::Error>,
) -> anyhow::Result<()> {
    let mut failed = None;
    let done = read(&mut |cells| {
        each(cells).map_err(|error| {
            failed = Some(error);
            store::Error::Driver("the listing was broken off".to_owned())
        })
    });
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(done?),
    }
}

/// An instant as people read it: civil time of the calendar's zone.
pub(crate) fn civil(at: UnixMs, zone: &TimeZone) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    zone.to_datetime(stamp).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
