//! How the sources of running services are, as they told last: for whoever reads the ledger and is not that service.

use crate::backend::{Value, all, writing};
use crate::{Error, Reader, Store};
use accounting::UnixMs;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What nobody has told again for so long goes: the source was taken out of the configuration.
const KEPT_MS: i64 = 7 * 86_400_000;

/// How a source is, and what it has done since its service started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceTold {
    /// What tells it from all others: the same of all processes of which one takes it in.
    pub key: String,
    /// Its name in the configuration.
    pub name: String,
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
}

/// What a service told of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTellings {
    /// The service's machine.
    pub host: String,
    /// When it was told.
    pub told_at: UnixMs,
    /// What.
    pub told: SourceTold,
}

impl Store {
    /// Says how the sources of this machine's service are.
    pub fn tell_sources(&mut self, host: &str, at: UnixMs, sources: &[SourceTold]) -> Result<(), Error> {
        let row = |told: &SourceTold| json!([told.key, json!(told).to_string()]);
        let rows = json!(sources.iter().map(row).collect::<Vec<_>>()).to_string();
        writing(self.backend.as_mut(), |backend| {
            let params = [host.into(), at.into(), Value::Text(rows)];
            backend.execute(include_str!("../queries/source_state_upsert.sql"), &params)?;
            backend.execute("delete from source_state where told_at < $1", &[(at - KEPT_MS).into()])?;
            Ok(())
        })
    }
}

impl Reader<'_> {
    /// What services told of their sources, by name and machine.
    pub fn sources_told(&mut self) -> Result<Vec<SourceTellings>, Error> {
        let sql = "select host, told_at, told from source_state order by source";
        all(self.parts().0, sql, &[], |row| {
            let told = row.with_text(2, |text| serde_json::from_str(text))?;
            let told = told.map_err(|error| Error::Corrupt(format!("state of a source: {error}")))?;
            Ok(SourceTellings { host: row.text(0)?, told_at: row.int(1)?, told })
        })
    }

    /// What time it is for whom the ledger is shown.
    pub fn time(&mut self) -> Result<UnixMs, Error> {
        self.now()
    }
}
