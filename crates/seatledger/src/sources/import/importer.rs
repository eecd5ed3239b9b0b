//! What is known while inputs are read, one after the other or the same ones again and again: their servers and zones,
//! their order, and which of them the ledger knows.

use super::bytes;
use super::continued::Before;
use super::state::ReaderState;
use super::survey::Surveyed;
use super::{Door, Manner, Wish};
use crate::sources::resume::Naming;
use accounting::UnixMs;
use accounting::calendar::zone as zone_named;
use formats::line::Format;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::sync::Arc;
use store::Store;
use store::input::Checkpoint;
use store::intake::{Intake, Interner};

/// Fewer bytes at the beginning, a blank line say, tell no input from another.
const TELLING: u64 = 8;

/// What is kept from one input to the next.
pub(crate) struct Importer<'w, D> {
    pub(crate) door: D,
    pub(super) wish: &'w Wish,
    pub(super) intake: Intake,
    pub(super) interner: Interner,
    /// The input that the next one may go on from, before others: the one read last in an import.
    pub(super) before: Option<Before>,
    /// How inputs are read.
    pub(crate) manner: Manner,
    /// Of formats all of whose inputs are of one license server: the only one that any input names; `None` where they name
    /// several.
    only: HashMap<&'static str, Option<String>>,
}

impl<'w, D: Door> Importer<'w, D> {
    pub(crate) fn new(door: D, wish: &'w Wish) -> Self {
        let (intake, interner) = (Intake::default(), Interner::default());
        Self { door, wish, intake, interner, before: None, manner: Manner::default(), only: HashMap::new() }
    }

    /// By their first dated line, then by modification time; what has no dated line stays behind the one that was
    /// named before it.
    pub(super) fn in_order(&mut self, looked: Vec<Surveyed>) -> anyhow::Result<Vec<Surveyed>> {
        let mut keyed = Vec::with_capacity(looked.len());
        let mut last: Option<(UnixMs, i64)> = None;
        for (nth, surveyed) in looked.into_iter().enumerate() {
            let (first_at, modified) = self.begins_at(&surveyed)?;
            let key = match (first_at, last) {
                (Some(at), _) => (at, modified),
                (None, Some(last)) => last,
                (None, None) => (modified, modified),
            };
            last = Some(key);
            keyed.push((key, nth, surveyed));
        }
        keyed.sort_by_key(|(key, nth, _)| (*key, *nth));
        Ok(keyed.into_iter().map(|(_, _, surveyed)| surveyed).collect())
    }

    pub(crate) fn server_by_text(&self, surveyed: &Surveyed) -> String {
        let named = self.wish.server.as_ref().or(surveyed.survey.server.as_ref());
        let named = named.map(|name| self.named_by_configuration(name));
        named.or_else(|| self.only.get(surveyed.format.name()).cloned().flatten()).unwrap_or_default()
    }

    /// When an input begins, and when it was last modified: by that inputs are ordered.
    pub(crate) fn begins_at(&mut self, surveyed: &Surveyed) -> anyhow::Result<(Option<UnixMs>, i64)> {
        let zone = self.zone_of(&self.server_by_text(surveyed))?.1;
        let modified = surveyed.bytes.modified_ms().unwrap_or_default();
        Ok((surveyed.first_at(&zone), modified))
    }

    /// Notes which input the next new one goes on from, where it goes on from any.
    pub(crate) fn comes_after(&mut self, before: Option<(&Checkpoint, &ReaderState)>) {
        self.before = before.map(|(checkpoint, state)| Before::new(&checkpoint.format, state));
    }

    /// Whether it is known of which license server a new input is.
    pub(crate) fn knows_server(&self, surveyed: &Surveyed) -> bool {
        !self.server_by_text(surveyed).is_empty() || self.before.is_some()
    }

    /// Learns which formats' inputs all name one server.
    pub(crate) fn learn_only_servers<'s>(&mut self, looked: impl Iterator<Item = &'s Surveyed>) {
        for surveyed in looked.filter(|surveyed| surveyed.format.one_server()) {
            let Some(name) = &surveyed.survey.server else { continue };
            let name = self.named_by_configuration(name);
            let known = self.only.entry(surveyed.format.name()).or_insert_with(|| Some(name.clone()));
            if known.as_ref() != Some(&name) {
                *known = None;
            }
        }
    }

    /// The server of an input that names none and continues none: of polls the one polled last, as a table of expiry
    /// dates has no name of its own.
    pub(super) fn assumed_server(&mut self, format: &'static dyn Format) -> anyhow::Result<String> {
        let last = if format.polls() { self.last_input(format.name())? } else { None };
        Ok(last.map_or_else(|| format.default_server().to_owned(), |before| before.server))
    }

    fn named_by_configuration(&self, server: &str) -> String {
        self.wish.servers.by_alias.get(server).map_or_else(|| server.to_owned(), |(name, _)| name.clone())
    }

    /// The zone of a server: as the user says, as it was read before, as configured.
    pub(super) fn zone_of(&mut self, server: &str) -> anyhow::Result<(String, TimeZone)> {
        let mut known = || -> anyhow::Result<Option<String>> {
            if server.is_empty() { Ok(None) } else { self.door.with(|store| store.zone_of_server(server)) }
        };
        let name = if let Some(zone) = &self.wish.zone {
            zone.clone()
        } else {
            let configured = self.wish.servers.by_alias.values().find(|(name, _)| name == server);
            let configured = configured.and_then(|(_, zone)| zone.clone());
            known()?.or(configured).unwrap_or_else(|| self.wish.servers.default_zone.clone())
        };
        let zone = zone_named(&name)?;
        Ok((name, zone))
    }

    /// The checkpoint of the input, where the ledger knows its bytes.
    pub(crate) fn known(&mut self, surveyed: &Surveyed) -> anyhow::Result<Option<Checkpoint>> {
        for length in self.door.with(Store::known_head_lengths)? {
            if length < TELLING {
                continue;
            }
            let Some(head) = surveyed.head.get(..length as usize) else { continue };
            let head = bytes::hash(head);
            for known in self.door.with(|store| store.inputs_beginning_with(length, &head))? {
                if known.format == surveyed.format.name()
                    && surveyed.bytes.tail_hash(known.position)?.as_ref() == Some(&known.tail_hash)
                {
                    return Ok(Some(known));
                }
            }
        }
        Ok(None)
    }

    /// Whether nothing lies behind the checkpoint but the unfinished line that was read already.
    pub(crate) fn nothing_new(
        &self,
        surveyed: &Surveyed,
        known: &Checkpoint,
        state: &ReaderState,
    ) -> anyhow::Result<bool> {
        let mut reader = surveyed.bytes.reader_at(known.position, Arc::default())?;
        let expected = state.unfinished.as_deref().unwrap_or_default();
        // Decoded bytes are never longer than three times the raw ones, nor shorter than half of them.
        let mut rest = vec![0; expected.len() * 2 + 16];
        let length = match bytes::read_full(&mut reader, &mut rest) {
            // It breaks off, which is told by who reads it.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            length => length?,
        };
        rest.truncate(length);
        Ok(*surveyed.encoding.decode(&rest) == *expected)
    }

    pub(super) fn naming(&self, given: bool) -> Naming {
        let aliases =
            self.wish.servers.by_alias.iter().map(|(alias, (name, _))| (alias.clone(), name.clone()));
        Naming { given, aliases: aliases.collect() }
    }

    pub(super) fn is_configured(&self, server: &str) -> bool {
        self.wish.servers.by_alias.values().any(|(name, _)| name == server)
    }

    pub(super) fn remember(&mut self, surveyed: &Surveyed, state: &ReaderState) {
        self.before = Some(Before::new(surveyed.format.name(), state));
    }
}
