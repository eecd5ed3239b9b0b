//! Lines from bytes: in blocks of bounded size, whatever the length of a line; UTF-16 is decoded on the way.

use super::bytes::{fill, hash};
use formats::MAX_LINE;
use std::io::{self, Read};
use store::input::FINGERPRINT_BYTES;

const BLOCK: usize = 1 << 20;

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8 or any single-byte encoding.
    Bytes,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// Told by the byte order mark.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => Self::Utf16Le,
            [0xfe, 0xff, ..] => Self::Utf16Be,
            _ => Self::Bytes,
        }
    }

    /// The bytes as UTF-8 (or as they are).
    pub(crate) fn decode(self, bytes: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        let encoding = match self {
            Self::Bytes => return bytes.into(),
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
        };
        encoding.decode_without_bom_handling(bytes).0.into_owned().into_bytes().into()
    }

    fn newline(self) -> &'static [u8] {
        match self {
            Self::Bytes => b"\n",
            Self::Utf16Le => b"\n\0",
            Self::Utf16Be => b"\0\n",
        }
    }
}

/// A line as it lies in the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawLine<'a> {
    /// Its bytes without the line ending; cut at [`MAX_LINE`].
    pub(crate) bytes: &'a [u8],
    /// Where it begins.
    pub(crate) position: u64,
    /// Whether it has a line ending.
    pub(crate) ended: bool,
    /// Whether it is longer than [`MAX_LINE`].
    pub(crate) too_long: bool,
}

/// Reads lines and knows where it is.
pub(crate) struct Lines<R> {
    reader: R,
    encoding: Encoding,
    buffer: Vec<u8>,
    /// The next line begins here in the buffer.
    start: usize,
    /// Bytes of the buffer that are filled.
    filled: usize,
    /// Where the buffer's first byte lies in the input.
    offset: u64,
    ended: bool,
    /// Why the reader gave no more.
    failed: Option<io::Error>,
}

impl<R: Read> Lines<R> {
    /// Reads lines from a reader that stands at a position of the input.
    pub(crate) fn new(reader: R, position: u64, encoding: Encoding) -> Self {
        let buffer = vec![0; BLOCK + FINGERPRINT_BYTES];
        Self { reader, encoding, buffer, start: 0, filled: 0, offset: position, ended: false, failed: None }
    }

    /// Where the next line begins.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.start as u64
    }

    /// Goes on behind these bytes of the input, which are not read again but known by.
    pub(crate) fn behind(reader: R, known: &[u8], position: u64, encoding: Encoding) -> Self {
        let mut lines = Self::new(reader, position - known.len() as u64, encoding);
        lines.buffer[..known.len()].copy_from_slice(known);
        lines.start = known.len();
        lines.filled = known.len();
        lines
    }

    /// The hash of the bytes before a line's position, as far as they are still in the buffer.
    pub(crate) fn hash_before(&self, position: u64) -> Option<String> {
        let end = usize::try_from(position.checked_sub(self.offset)?).ok()?;
        let length = FINGERPRINT_BYTES.min(usize::try_from(position).ok()?);
        (end >= length).then(|| hash(&self.buffer[end - length..end]))
    }

    /// The next line; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let mut searched = 0;
        loop {
            if let Some(length) = self.find_newline(searched) {
                let position = self.position();
                let start = self.start;
                self.start += length + self.encoding.newline().len();
                let bytes = &self.buffer[start..start + length];
                return Ok(Some(RawLine { bytes, position, ended: true, too_long: false }));
            }
            searched = (self.filled - self.start).saturating_sub(1) / 2 * 2;
            if self.ended {
                return Ok(self.rest());
            }
            if self.filled - self.start > MAX_LINE {
                return self.skip_long_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn find_newline(&self, searched: usize) -> Option<usize> {
        let line = &self.buffer[self.start..self.filled];
        if self.encoding == Encoding::Bytes {
            memchr::memchr(b'\n', &line[searched..]).map(|at| searched + at)
        } else {
            let newline = self.encoding.newline();
            line[searched..].chunks_exact(2).position(|unit| unit == newline).map(|at| searched + at * 2)
        }
    }

    /// The last line, which has no line ending.
    fn rest(&mut self) -> Option<RawLine<'_>> {
        if self.start == self.filled {
            return None;
        }
        let (start, position) = (self.start, self.position());
        self.start = self.filled;
        let too_long = self.filled - start > MAX_LINE;
        let bytes = &self.buffer[start..self.filled.min(start + MAX_LINE)];
        Some(RawLine { bytes, position, ended: false, too_long })
    }

    /// Reads more behind the unread bytes; keeps as many before them as a checkpoint is known by.
    fn fill(&mut self) -> io::Result<()> {
        let keep_from = self.start.saturating_sub(FINGERPRINT_BYTES);
        self.buffer.copy_within(keep_from..self.filled, 0);
        self.start -= keep_from;
        self.filled -= keep_from;
        self.offset += keep_from as u64;
        if self.buffer.len() - self.filled < BLOCK / 2 {
            self.buffer.resize(self.filled + BLOCK, 0);
        }
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let (read, failed) = fill(&mut self.reader, &mut self.buffer[self.filled..]);
        match failed {
            // Lines that were read before it can be told.
            Some(error) if read > 0 => self.failed = Some(error),
            Some(error) => return Err(error),
            None => {}
        }
        self.filled += read;
        self.ended = read == 0;
        Ok(())
    }

    /// A line beyond the limit: its beginning is kept, the rest is passed over in blocks.
    fn skip_long_line(&mut self) -> io::Result<RawLine<'_>> {
        let position = self.position();
        let beginning = self.buffer[self.start..self.start + MAX_LINE].to_vec();
        let mut ended = false;
        while !ended && !self.ended {
            self.start = self.filled - (self.filled - self.start) % 2;
            self.fill()?;
            if let Some(length) = self.find_newline(0) {
                self.start += length + self.encoding.newline().len();
                ended = true;
            }
        }
        if !ended {
            self.start = self.filled;
        }
        // The beginning lies before what the buffer keeps for fingerprints: both are needed, so it goes behind.
        let at = self.filled;
        self.buffer.truncate(at);
        self.buffer.extend_from_slice(&beginning);
        self.buffer.resize(self.buffer.len().max(at + MAX_LINE), 0);
        Ok(RawLine { bytes: &self.buffer[at..at + MAX_LINE], position, ended, too_long: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], encoding: Encoding) -> Vec<(Vec<u8>, u64, bool, bool)> {
        let mut lines = Lines::new(bytes, 0, encoding);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((encoding.decode(line.bytes).into_owned(), line.position, line.ended, line.too_long));
        }
        all
    }

    #[test]
    fn lines_know_where_they_begin_and_whether_they_end() {
        let lines = read_all(b"one\n\ntwo", Encoding::Bytes);
        assert_eq!(
            lines,
            [(b"one".to_vec(), 0, true, false), (vec![], 4, true, false), (b"two".to_vec(), 5, false, false)]
        );
    }

    #[test]
    fn utf16_is_decoded_line_by_line() {
        let text: Vec<u8> = "ä\nb".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let lines = read_all(&text, Encoding::Utf16Le);
        assert_eq!(lines, [("ä".as_bytes().to_vec(), 0, true, false), (b"b".to_vec(), 4, false, false)]);
    }

    #[test]
    fn a_line_of_any_length_is_cut_and_the_next_one_is_read_whole() {
        let mut text = vec![b'x'; 5 * MAX_LINE + 17];
        text.extend_from_slice(b"\nnext\n");
        let lines = read_all(&text, Encoding::Bytes);
        assert_eq!(lines.len(), 2);
        assert_eq!((lines[0].0.len(), lines[0].2, lines[0].3), (MAX_LINE, true, true));
        assert_eq!(lines[1], (b"next".to_vec(), text.len() as u64 - 5, true, false));
    }

    #[test]
    fn the_hash_before_a_line_is_that_of_the_bytes_before_it() {
        let text: Vec<u8> = (0..100_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let mut lines = Lines::new(&text[..], 0, Encoding::Bytes);
        while lines.next().unwrap().is_some() {
            let at = lines.position() as usize;
            if at.is_multiple_of(7) {
                let expected = hash(&text[at.saturating_sub(FINGERPRINT_BYTES)..at]);
                assert_eq!(lines.hash_before(at as u64), Some(expected));
            }
        }
    }
}
