//! How the sources of running services are, as they told last: for whoever reads the ledger and is not that service. Those
//! of sites are told by their collectors.

use crate::backend::{Backend, Value, all, writing};
use crate::{Error, Reader, Store};
use accounting::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What nobody has told again for so long goes: the source was taken out of the configuration.
const KEPT_MS: i64 = 7 * 86_400_000;
/// A service tells of its sources once a minute at least: whoever is not heard of for so long is gone.
const SILENT_MS: i64 = 150_000;
/// The state of a source whose service has stopped.
const STOPPED: &str = "stopped";
/// Of so many sources of one site the latest tellings are kept.
pub const MOST_OF_SITE: usize = 1_000;
/// How many letters a text from a site may have.
const LONGEST: usize = 1_000;

/// How a source is, and what it has done since its service started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceTold {
    /// What tells it from all others: the same of all processes of which one takes it in.
    pub key: String,
    /// Its name in the configuration.
    pub name: String,
    /// The word of its kind in the configuration.
    pub kind: String,
    /// Where its facts come from.
    pub what: String,
    /// Its state, as a word.
    pub state: String,
    /// Why it waits or is down.
    pub why: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Since when that is its state.
    pub since_at: UnixMs,
    /// Lines: events, notes, noise, unrecognized.
    pub lines: [u64; 4],
    /// The latest dated line.
    pub last_event_at: Option<UnixMs>,
    /// Bytes that are there and not taken in yet.
    pub lag_bytes: u64,
    /// For how long there have been some, in milliseconds.
    pub lag_ms: i64,
    /// How often it was started again.
    pub restarts: u64,
    /// Polls that were answered, and those that were not.
    pub polls: [u64; 2],
    /// Messages that were lost before they could be taken in.
    pub dropped: u64,
    /// Parts that the central service has not taken yet.
    pub parts_waiting: u64,
    /// Inputs of which the central service has refused a part.
    pub inputs_parked: u64,
}

/// What a service told of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTellings {
    /// The site whose collector told it; empty for a service on this ledger.
    pub site: String,
    /// The service's machine.
    pub host: String,
    /// When it was told, by the clock of whose ledger this is.
    pub told_at: UnixMs,
    /// What.
    pub told: SourceTold,
}

impl SourceTellings {
    /// What people call it: `basel: acme` is the source `acme` of the site `basel`.
    pub fn called(&self) -> String {
        let name = &self.told.name;
        if self.site.is_empty() { name.clone() } else { format!("{}: {name}", self.site) }
    }

    /// Whether its service has stopped so long ago that it may have been taken out of the configuration.
    pub fn is_over(&self, now: UnixMs) -> bool {
        self.told.state == STOPPED && now - self.told_at > SILENT_MS
    }

    /// Whether its service was not heard of for so long that nobody knows how it is.
    pub fn is_silent(&self, now: UnixMs) -> bool {
        self.told.state != STOPPED && now - self.told_at > SILENT_MS
    }
}

/// How the sources of a site are, as its collector tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSources {
    /// What people call the site.
    pub site: String,
    /// What tells the collector's ledger from all others.
    pub collector: String,
    /// All its sources: what it told of others before is over.
    pub sources: Vec<SiteSource>,
}

/// How a source of a site is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSource {
    /// The machine of its service.
    pub host: String,
    /// How long ago its service has told so, in milliseconds: clocks differ.
    pub told_ms_ago: i64,
    /// What.
    pub told: SourceTold,
}

impl Store {
    /// Says how the sources of this machine's service are.
    pub fn tell_sources(&mut self, host: &str, at: UnixMs, sources: &[SourceTold]) -> Result<(), Error> {
        let rows: Vec<_> = sources.iter().map(|told| (host, at, told)).collect();
        writing(self.backend.as_mut(), |backend| tell(backend, ("", ""), &rows, at))
    }

    /// Says how the sources of a site are, as its collector has told at `at`.
    pub fn tell_sources_of_site(&mut self, at: UnixMs, site: &SiteSources) -> Result<(), Error> {
        let known: Vec<(String, UnixMs, SourceTold)> = site
            .sources
            .iter()
            .take(MOST_OF_SITE)
            .map(|SiteSource { host, told_ms_ago, told }| {
                (clean(host), at.saturating_sub((*told_ms_ago).max(0)), cleaned(told, at))
            })
            .collect();
        let rows: Vec<_> = known.iter().map(|(host, at, told)| (host.as_str(), *at, told)).collect();
        let of = (clean(&site.site), clean(&site.collector));
        writing(self.backend.as_mut(), |backend| {
            let sql = "delete from source_state where site = $1 and collector = $2";
            backend.execute(sql, &[of.0.as_str().into(), of.1.as_str().into()])?;
            // A ledger that goes on as another one tells of the same sources.
            let sql = "delete from source_state where site = $1 and source = $2";
            for (_, _, told) in &rows {
                backend.execute(sql, &[of.0.as_str().into(), told.key.as_str().into()])?;
            }
            tell(backend, (&of.0, &of.1), &rows, at)?;
            let params = [of.0.as_str().into(), (MOST_OF_SITE as i64).into()];
            backend.execute(include_str!("../queries/source_state_oldest.sql"), &params)?;
            Ok(())
        })
    }

    /// What the services on this ledger told of their sources, by name.
    pub fn own_sources_told(&mut self) -> Result<Vec<SourceTellings>, Error> {
        told_by(self.backend.as_mut(), "where site = ''")
    }
}

impl Reader<'_> {
    /// What services told of their sources, and sites of theirs, by site and name.
    pub fn sources_told(&mut self) -> Result<Vec<SourceTellings>, Error> {
        told_by(self.parts().0, "")
    }

    /// What sites told of their sources, by site and name.
    pub fn sources_of_sites(&mut self) -> Result<Vec<SourceTellings>, Error> {
        told_by(self.parts().0, "where site <> ''")
    }

    /// What time it is for whom the ledger is shown.
    pub fn time(&mut self) -> Result<UnixMs, Error> {
        self.now()
    }
}

fn tell(
    backend: &mut dyn Backend,
    (site, collector): (&str, &str),
    sources: &[(&str, UnixMs, &SourceTold)],
    now: UnixMs,
) -> Result<(), Error> {
    let row =
        |(host, at, told): &(&str, UnixMs, &SourceTold)| json!([told.key, host, at, json!(told).to_string()]);
    let rows = json!(sources.iter().map(row).collect::<Vec<_>>()).to_string();
    let params = [site.into(), collector.into(), Value::Text(rows)];
    backend.execute(include_str!("../queries/source_state_upsert.sql"), &params)?;
    backend.execute("delete from source_state where told_at < $1", &[(now - KEPT_MS).into()])?;
    Ok(())
}

fn told_by(backend: &mut dyn Backend, which: &str) -> Result<Vec<SourceTellings>, Error> {
    let sql = format!(
        "select site, host, told_at, told from source_state {which} order by site, source, collector"
    );
    all(backend, &sql, &[], |row| {
        let told = row.with_text(3, |text| serde_json::from_str(text))?;
        let told = told.map_err(|error| Error::Corrupt(format!("state of a source: {error}")))?;
        Ok(SourceTellings { site: row.text(0)?, host: row.text(1)?, told_at: row.int(2)?, told })
    })
}

/// What a site tells, as far as it is kept: texts have an end, and nothing is later than now.
fn cleaned(told: &SourceTold, now: UnixMs) -> SourceTold {
    SourceTold {
        key: clean(&told.key),
        name: clean(&told.name),
        kind: clean(&told.kind),
        what: clean(&told.what),
        state: clean(&told.state),
        why: told.why.as_deref().map(clean),
        remedy: told.remedy.as_deref().map(clean),
        since_at: told.since_at.clamp(0, now),
        last_event_at: told.last_event_at.map(|at| at.clamp(0, now)),
        lag_ms: told.lag_ms.max(0),
        ..told.clone()
    }
}

fn clean(text: &str) -> String {
    text.chars().take(LONGEST).map(|letter| if letter == '\0' { '\u{fffd}' } else { letter }).collect()
}
