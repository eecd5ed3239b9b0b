//! At the central service: the parts that sites post, taken in through the same intake as whatever is read here. The
//! checkpoint of a site's input is the number of its last part, so that none counts twice and none is left out unseen.

use super::part::Part;
use super::said::batches;
use crate::backend::{Backend, one};
use crate::input::{Checkpoint, Counts};
use crate::intake::{Intake, Interner};
use crate::{Error, Store};
use accounting::UnixMs;
use accounting::pairing::InputId;

/// The format of inputs that sites read: no file here goes on where one of them stands.
const FORMAT: &str = "site";
/// After so many parts, or so many names, those that are remembered are forgotten, so that memory does not grow for ever.
const REMEMBERED: u32 = 20_000;
const NAMES: usize = 1_000_000;

/// How a part has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrived {
    /// When, by the clock of the central service.
    pub at: UnixMs,
    /// The parts before it are lost to whoever sends it.
    pub after_gap: bool,
}

/// The hashes of so many parts of an input are kept. What lies farther back nobody posts again: a site removes parts that are
/// taken before it posts others.
const KEPT: i64 = 2 * super::TOGETHER;

/// How long a hash may be, in hexadecimal digits.
const LONGEST_HASH: usize = 64;

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenPart {
    /// It is in the ledger now.
    Now,
    /// It is in the ledger now, but for so many heartbeats: their time is closed, or lies ahead.
    Partly(u64),
    /// It has been there before.
    Before,
    /// Another part of this number has been there before: the site's ledger was set back, or copied.
    Diverged,
    /// Another part of the same input is awaited first: this one.
    Awaits(u64),
    /// It cannot be taken in, now or later.
    Refused(String),
}

/// What is remembered of the ledger between parts. After an error it is to be made anew.
#[derive(Debug, Default)]
pub struct Inbox {
    intake: Intake,
    interner: Interner,
    parts: u32,
}

impl Inbox {
    /// Whether it should be made anew, to forget names.
    pub fn is_worn(&self) -> bool {
        self.parts > REMEMBERED || self.interner.names() > NAMES
    }

    /// Takes a part in; when this returns it is durable.
    pub fn take(&mut self, store: &mut Store, part: &Part, arrived: Arrived) -> Result<TakenPart, Error> {
        if part.part == 0 || part.site.is_empty() {
            return Ok(TakenPart::Refused("a part has a site, and a number from 1 on".to_owned()));
        }
        if part.hash.len() > LONGEST_HASH || !part.hash.bytes().all(|letter| letter.is_ascii_hexdigit()) {
            return Ok(TakenPart::Refused("the hash of a part is none".to_owned()));
        }
        let known = store.input_of_site(&part.chain())?;
        let position = known.as_ref().map_or(0, |known| known.position);
        if part.part <= position {
            let input = known.and_then(|known| known.id).unwrap_or_default();
            let is_known = was_taken(store.backend.as_mut(), input, part)?;
            return Ok(if is_known { TakenPart::Before } else { TakenPart::Diverged });
        }
        // What takes all out needs nothing that was there.
        let follows = part.part == position + 1 || arrived.after_gap || part.takes_out;
        if !follows {
            return Ok(TakenPart::Awaits(position + 1));
        }
        if let Some(beats) = &part.heartbeats {
            return super::beats::take(store, part, beats, (known.as_ref(), arrived.at));
        }
        let batches = match batches(part, &mut self.interner, arrived.at) {
            Ok(batches) => batches,
            Err(wrong) => {
                // Its names are nobody's: they would go into the ledger with the next part, and into memory for ever.
                *self = Self::default();
                return Ok(TakenPart::Refused(wrong));
            }
        };
        self.parts += 1;
        self.intake.begin(known.clone());
        if part.takes_out {
            if let Some(input) = known.and_then(|known| known.id) {
                self.intake.take_out(store, input)?;
            }
            // An input that has said nothing yet stands for it: the parts that come go on behind this one.
            self.intake.begin(None);
        }
        self.intake.commit(store, &batches, &checkpoint(part))?;
        Ok(TakenPart::Now)
    }
}

pub(super) fn checkpoint(part: &Part) -> Checkpoint {
    let [lines, events, notes, noise, unrecognized] = part.counts;
    Checkpoint {
        name: part.input_name(),
        format: FORMAT.to_owned(),
        head_hash: part.chain(),
        position: part.part,
        tail_hash: part.hash.clone(),
        counts: Counts { lines, events, notes, noise, unrecognized },
        ..Checkpoint::default()
    }
}

/// Notes which part an input of a site stands at, in the transaction of what it tells.
pub(crate) fn note(backend: &mut dyn Backend, input: InputId, checkpoint: &Checkpoint) -> Result<(), Error> {
    if checkpoint.format != FORMAT {
        return Ok(());
    }
    let part = checkpoint.position as i64;
    let sql = "insert into site_part (input_id, part, hash) values ($1, $2, $3)";
    backend.execute(sql, &[input.into(), part.into(), checkpoint.tail_hash.as_str().into()])?;
    let sql = "delete from site_part where input_id = $1 and part <= $2";
    backend.execute(sql, &[input.into(), (part - KEPT).into()])?;
    Ok(())
}

/// Whether this part, of a number that was taken, is the one that was taken. Of those from before there were hashes it is
/// believed.
fn was_taken(backend: &mut dyn Backend, input: InputId, part: &Part) -> Result<bool, Error> {
    let sql = "select part from site_part
               where input_id = $1 and (part = $2 and hash = $3 or part >= $2 and hash = '') limit 1";
    let params = [input.into(), (part.part as i64).into(), part.hash.as_str().into()];
    Ok(one(backend, sql, &params, |row| row.int(0))?.is_some())
}
