//! A file that is followed, as far as it was read.

use super::look::{FileId, Look};
use crate::sources::import::bytes::{hash, read_full};
use crate::sources::import::state::ReaderState;
use crate::sources::import::survey::Surveyed;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use store::input::{Checkpoint, FINGERPRINT_BYTES};

/// A file with what is needed to read on without a new look at its beginning.
pub(super) struct Tail {
    pub(super) id: FileId,
    /// Where it was when it was met first, for messages.
    pub(super) path: PathBuf,
    pub(super) surveyed: Surveyed,
    /// Its place among others: its first dated line, or when it was modified.
    pub(super) key: Key,
    /// How far it was read, as the ledger holds it.
    pub(super) checkpoint: Checkpoint,
    pub(super) state: ReaderState,
}

/// By what files are ordered: the instant of the first line to read, whether it is new, and when it was last modified.
pub(super) type Key = (i64, bool, i64);

/// So many bytes behind the same beginning tell whether two files hold the same.
const COMPARED: usize = 64 << 10;

impl Tail {
    /// Whether the file still holds what was read of it.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        let hash = self.surveyed.bytes.tail_hash(self.checkpoint.position)?;
        Ok(hash.as_ref() == Some(&self.checkpoint.tail_hash) && self.begins_alike()?)
    }

    /// Whether it still begins as it did: a repeated line may stand before the checkpoint of other contents too.
    fn begins_alike(&self) -> io::Result<bool> {
        let head = self.surveyed.bytes.head()?;
        let known = head.get(..self.checkpoint.head_length as usize);
        Ok(known.is_some_and(|known| hash(known) == self.checkpoint.head_hash))
    }

    /// A file that was shorter than a fingerprint when it was last read is known by more of it.
    pub(super) fn learn_head(&mut self) -> io::Result<()> {
        if self.surveyed.head.len() < FINGERPRINT_BYTES {
            self.surveyed.head = self.surveyed.bytes.head()?;
        }
        Ok(())
    }

    /// How it looks now.
    pub(super) fn look(&self) -> io::Result<Look> {
        Ok(Look::of(&self.surveyed.bytes.metadata()?))
    }

    /// Bytes behind the checkpoint: an unfinished line, where it was read to its end.
    pub(super) fn unread(&self) -> u64 {
        self.look().map_or(0, |look| look.size.saturating_sub(self.checkpoint.position))
    }

    /// Whether another file, which begins like this one, is a copy of it: it goes on like it, as far as it goes.
    pub(super) fn is_copied_by(&self, other: &Surveyed) -> io::Result<bool> {
        let behind = |surveyed: &Surveyed| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; COMPARED];
            let mut reader = surveyed.bytes.reader_at(self.checkpoint.position, Arc::default())?;
            let length = read_full(&mut reader, &mut bytes)?;
            bytes.truncate(length);
            Ok(bytes)
        };
        // The copy first: what is copied may grow.
        let theirs = behind(other)?;
        Ok(behind(&self.surveyed)?.starts_with(&theirs))
    }
}
