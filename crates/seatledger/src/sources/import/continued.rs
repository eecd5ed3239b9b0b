//! Which input another one goes on from.

use super::state::ReaderState;
use super::survey::Surveyed;
use super::{Door, Importer, lines};
use accounting::UnixMs;
use formats::line::{Line, Parser, Setting};
use std::sync::Arc;

/// An input that another one may continue.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) format: String,
    pub(super) state: ReaderState,
    pub(super) server: String,
    pub(super) latest: Option<UnixMs>,
}

impl Before {
    pub(super) fn new(format: &str, state: &ReaderState) -> Self {
        Self {
            format: format.to_owned(),
            server: state.resume.server.clone(),
            latest: state.resume.latest,
            state: state.clone(),
        }
    }
}

impl<D: Door> Importer<'_, D> {
    /// The input that a new one continues: read just before it, or the one of the ledger whose last line of the same
    /// daemon precedes its first.
    pub(super) fn continued(
        &mut self,
        surveyed: &Surveyed,
        first_at: Option<UnixMs>,
    ) -> anyhow::Result<Option<Before>> {
        if surveyed.survey.begins_with_start {
            return Ok(None);
        }
        let format = surveyed.format.name();
        let precedes = |latest: Option<UnixMs>| match (latest, first_at) {
            (Some(latest), Some(first_at)) => latest <= first_at + SMALL_FALL_MS,
            _ => true,
        };
        if let Some(before) = self.before.clone()
            && before.format == format
            && precedes(before.latest)
        {
            return Ok(Some(before));
        }
        let mut found: Option<(UnixMs, Before)> = None;
        for vendor in &surveyed.survey.vendors {
            for (known, server, latest) in self.door.with(|store| store.inputs_with_vendor(format, vendor))? {
                if precedes(Some(latest)) && found.as_ref().is_none_or(|(other, _)| *other < latest) {
                    let state = ReaderState::from_text(&known.reader_state)?;
                    let before = Before { format: format.to_owned(), state, server, latest: Some(latest) };
                    found = Some((latest, before));
                }
            }
        }
        if found.is_none()
            && let Some(before) = self.last_input(format)?
        {
            // A text without a daemon that is known, or after one that has shown none yet, goes on with what was read
            // last.
            let shows_none = before.state.resume.spans.iter().all(|(vendor, ..)| vendor.is_empty());
            if (surveyed.survey.vendors.is_empty() || shows_none) && precedes(before.latest) {
                found = Some((0, before));
            }
        }
        Ok(found.map(|(_, before)| before))
    }

    /// Whether the first line gets the same day from the other input's end as from this one's own dates; hours may
    /// differ where the other input has told a zone of its own.
    pub(super) fn dates_continue(
        &self,
        surveyed: &Surveyed,
        before: &Before,
        setting: &Setting,
        first_at: Option<UnixMs>,
    ) -> bool {
        let Some(first_at) = first_at else { return true };
        let Ok(mut parser) = surveyed.format.resume(setting, &before.state.parser) else { return false };
        let Ok(lines) = surveyed.bytes.reader_at(0, Arc::default()) else { return false };
        let mut lines = lines::Lines::new(lines, 0, surveyed.encoding);
        for _ in 0..surveyed.survey.first_dated_line.unwrap_or(1) {
            let Ok(Some(line)) = lines.next() else { return false };
            if let Some(at) = parser.line(&surveyed.encoding.decode(line.bytes)).at {
                return (at - first_at).abs() < ZONES_APART_MS;
            }
        }
        false
    }

    /// The input whose unfinished last line this one begins with the rest of, and that line.
    pub(super) fn input_with_the_beginning(
        &mut self,
        surveyed: &Surveyed,
        setting: &Setting,
    ) -> anyhow::Result<Option<(Before, Vec<u8>)>> {
        let format = surveyed.format.name();
        let mut others: Vec<Before> =
            self.before.iter().filter(|before| before.format == format).cloned().collect();
        others.extend(self.last_input(format)?);
        // Of what was read before, only what holds the last lines: older ends have found their rests, or never will.
        let mut last: Option<(UnixMs, Before)> = None;
        for vendor in &surveyed.survey.vendors {
            let inputs = self.door.with(|store| store.inputs_with_vendor(format, vendor))?;
            if let Some((known, server, latest)) = inputs.into_iter().next()
                && last.as_ref().is_none_or(|(other, _)| *other < latest)
            {
                let state = ReaderState::from_text(&known.reader_state)?;
                last =
                    Some((latest, Before { format: format.to_owned(), state, server, latest: Some(latest) }));
            }
        }
        others.extend(last.map(|(_, before)| before));
        let named = self.server_by_text(surveyed);
        others.retain(|other| named.is_empty() || named == other.server || says_less(&named, &other.server));
        for other in others {
            if let Some(unfinished) = &other.state.unfinished
                && is_rest_of(surveyed, &other, unfinished, setting)?
            {
                let unfinished = unfinished.clone();
                return Ok(Some((other, unfinished)));
            }
        }
        Ok(None)
    }

    /// The input of the ledger that was read last.
    pub(super) fn last_input(&mut self, format: &str) -> anyhow::Result<Option<Before>> {
        let Some(known) = self.door.with(|store| store.last_input(format))? else { return Ok(None) };
        let state = ReaderState::from_text(&known.reader_state)?;
        Ok(Some(Before {
            format: format.to_owned(),
            server: state.resume.server.clone(),
            latest: state.resume.latest,
            state,
        }))
    }
}

/// Whether an input begins with the rest of another one's last line: it makes sense with it, and not alone.
fn is_rest_of(
    surveyed: &Surveyed,
    before: &Before,
    unfinished: &[u8],
    setting: &Setting,
) -> anyhow::Result<bool> {
    let understood =
        |mut parser: Box<dyn Parser>, line: &[u8]| !matches!(parser.line(line).line, Line::Unrecognized(_));
    let rest = &surveyed.first_line;
    // Cut after its first character ` 1:02:03 (acmed)` leaves what looks like a line.
    let is_fragment = unfinished.len() <= 1
        || rest.trim_ascii().is_empty()
        || !understood(surveyed.format.parser(setting), rest);
    let whole = [unfinished, rest].concat();
    Ok(is_fragment && understood(surveyed.format.resume(setting, &before.state.parser)?, &whole))
}

/// Whether a name is only the host of another one, `PORT@HOST`.
pub(super) fn says_less(name: &str, than: &str) -> bool {
    than.split_once('@').is_some_and(|(_, host)| host == name)
}

/// A log's clock may fall by so much without a day having passed.
const SMALL_FALL_MS: i64 = 300_000;

/// Two zones' clocks differ by less than this, and two days' clocks of one zone by more.
const ZONES_APART_MS: i64 = 20 * 3_600_000;
