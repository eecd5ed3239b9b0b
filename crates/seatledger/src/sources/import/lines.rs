//! Lines from bytes: in blocks of bounded size, whatever the length of a line; UTF-16 is decoded on the way.

use super::bytes::{fill, hash};
use formats::MAX_LINE;
use std::io::{self, Read};
use std::ops::Range;
use store::input::FINGERPRINT_BYTES;

const BLOCK: usize = 1 << 18;

/// A block that is read: whether it is text is asked once for all of its lines.
enum Block {
    Text(String),
    Bytes(Vec<u8>),
}

impl Block {
    fn of(bytes: Vec<u8>, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Bytes => {
                String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
            }
            Encoding::Utf16Le | Encoding::Utf16Be => Self::Bytes(bytes),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Its bytes, to be changed and put back.
    fn take(&mut self) -> Vec<u8> {
        match std::mem::replace(self, Self::Bytes(Vec::new())) {
            Self::Text(text) => text.into_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn text(&self, range: Range<usize>) -> Option<&str> {
        match self {
            Self::Text(text) => text.get(range),
            Self::Bytes(_) => None,
        }
    }
}

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
    /// The same, where it is known to be text.
    pub(crate) text: Option<&'a str>,
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
    /// What is read and not yet passed over, and what a checkpoint is known by before it.
    block: Block,
    /// The next line begins here in the block.
    start: usize,
    /// Where the block's first byte lies in the input.
    offset: u64,
    ended: bool,
    /// Why the reader gave no more.
    failed: Option<io::Error>,
    /// The beginning of a line that was longer than lines may be.
    beginning: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Reads lines from a reader that stands at a position of the input.
    pub(crate) fn new(reader: R, position: u64, encoding: Encoding) -> Self {
        let block = Block::Bytes(Vec::new());
        Self {
            reader,
            encoding,
            block,
            start: 0,
            offset: position,
            ended: false,
            failed: None,
            beginning: Vec::new(),
        }
    }

    /// Where the next line begins.
    pub(crate) fn position(&self) -> u64 {
        self.offset + self.start as u64
    }

    /// Goes on behind these bytes of the input, which are not read again but known by.
    pub(crate) fn behind(reader: R, known: &[u8], position: u64, encoding: Encoding) -> Self {
        let mut lines = Self::new(reader, position - known.len() as u64, encoding);
        lines.block = Block::Bytes(known.to_vec());
        lines.start = known.len();
        lines
    }

    /// The hash of the bytes before a line's position, as far as they are still in the block.
    pub(crate) fn hash_before(&self, position: u64) -> Option<String> {
        let end = usize::try_from(position.checked_sub(self.offset)?).ok()?;
        let length = FINGERPRINT_BYTES.min(usize::try_from(position).ok()?);
        (end >= length).then(|| hash(&self.block.bytes()[end - length..end]))
    }

    /// The next line; `None` at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let mut searched = 0;
        loop {
            if let Some(length) = self.find_newline(searched) {
                let position = self.position();
                let line = self.start..self.start + length;
                self.start += length + self.encoding.newline().len();
                let (bytes, text) = (&self.block.bytes()[line.clone()], self.block.text(line));
                return Ok(Some(RawLine { bytes, text, position, ended: true, too_long: false }));
            }
            let unread = self.block.bytes().len() - self.start;
            searched = unread.saturating_sub(1) / 2 * 2;
            if self.ended {
                return Ok(self.rest());
            }
            if unread > MAX_LINE {
                return self.skip_long_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn find_newline(&self, searched: usize) -> Option<usize> {
        let line = &self.block.bytes()[self.start..];
        if self.encoding == Encoding::Bytes {
            memchr::memchr(b'\n', &line[searched..]).map(|at| searched + at)
        } else {
            let newline = self.encoding.newline();
            line[searched..].chunks_exact(2).position(|unit| unit == newline).map(|at| searched + at * 2)
        }
    }

    /// The last line, which has no line ending.
    fn rest(&mut self) -> Option<RawLine<'_>> {
        let (start, end, position) = (self.start, self.block.bytes().len(), self.position());
        if start == end {
            return None;
        }
        self.start = end;
        let bytes = &self.block.bytes()[start..end.min(start + MAX_LINE)];
        Some(RawLine { bytes, text: None, position, ended: false, too_long: end - start > MAX_LINE })
    }

    /// Reads more behind the unread bytes; keeps as many before them as a checkpoint is known by.
    fn fill(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut bytes = self.block.take();
        let keep_from = self.start.saturating_sub(FINGERPRINT_BYTES);
        let kept = bytes.len() - keep_from;
        bytes.copy_within(keep_from.., 0);
        self.start -= keep_from;
        self.offset += keep_from as u64;
        // A block that was full has room for as much again, and is not cleared.
        if bytes.len() < kept + BLOCK / 2 {
            bytes.resize(kept + BLOCK, 0);
        }
        let (read, failed) = fill(&mut self.reader, &mut bytes[kept..]);
        bytes.truncate(kept + read);
        self.block = Block::of(bytes, self.encoding);
        match failed {
            // Lines that were read before it can be told.
            Some(error) if read > 0 => self.failed = Some(error),
            Some(error) => return Err(error),
            None => {}
        }
        self.ended = read == 0;
        Ok(())
    }

    /// A line beyond the limit: its beginning is kept, the rest is passed over in blocks.
    fn skip_long_line(&mut self) -> io::Result<RawLine<'_>> {
        let position = self.position();
        let beginning = self.block.bytes()[self.start..self.start + MAX_LINE].to_vec();
        let mut ended = false;
        while !ended && !self.ended {
            let end = self.block.bytes().len();
            self.start = end - (end - self.start) % 2;
            self.fill()?;
            if let Some(length) = self.find_newline(0) {
                self.start += length + self.encoding.newline().len();
                ended = true;
            }
        }
        if !ended {
            self.start = self.block.bytes().len();
        }
        self.beginning = beginning;
        Ok(RawLine { bytes: &self.beginning, text: None, position, ended, too_long: true })
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
    fn lines_of_a_block_that_is_text_are_text() {
        let texts = |bytes: &[u8], encoding| {
            let mut lines = Lines::new(bytes, 0, encoding);
            let mut texts = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                assert!(line.text.is_none_or(|text| text.as_bytes() == line.bytes));
                texts.push(line.text.is_some());
            }
            texts
        };
        assert_eq!(texts("ä\nb\n".as_bytes(), Encoding::Bytes), [true, true]);
        assert_eq!(texts(b"a\n\xe4\nb\n", Encoding::Bytes), [false, false, false]);
        assert_eq!(texts(b"a\0\n\0", Encoding::Utf16Le), [false]);
        // The first block ends within a character, and is none of text; the next one is.
        let cut = texts("ä\n".repeat(BLOCK / 3 + 9).as_bytes(), Encoding::Bytes);
        assert_eq!((cut.len(), cut.first(), cut.last()), (BLOCK / 3 + 9, Some(&false), Some(&true)));
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
