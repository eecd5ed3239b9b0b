//! The bytes of an input: a file or standard input, plain or compressed. What is no text of lines, but is known, is
//! replaced by lines here.

use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::input::FINGERPRINT_BYTES;

/// An input whose bytes can be read more than once.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    path: PathBuf,
    /// The open file, where it is to be read on whatever becomes of its name.
    held: Option<Arc<File>>,
    packing: Packing,
    /// When the input itself was last modified, where `path` is a copy of it.
    modified_ms: Option<i64>,
    /// Keeps the copy as long as it is needed.
    _spool: Option<Arc<tempfile::TempPath>>,
}

/// A text that must be read as a whole may not be longer.
const LONGEST_WHOLE: u64 = 128 << 20;

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Bytes {
    /// A file; what it is and how it is packed is told by its first bytes, not by its name.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        Self::as_it_lies(path)?.in_lines()
    }

    fn as_it_lies(path: &Path) -> io::Result<Self> {
        let packing = Packing::of(&mut File::open(path)?)?;
        Ok(Self { path: path.to_owned(), held: None, packing, modified_ms: None, _spool: None })
    }

    /// A file that may grow, lose its name or be cut off while it is held.
    pub(crate) fn of_held_file(path: &Path) -> io::Result<Self> {
        let file = Arc::new(File::open(path)?);
        let packing = Packing::of(&mut At { file: Arc::clone(&file), position: 0 })?;
        Ok(Self { path: path.to_owned(), held: Some(file), packing, modified_ms: None, _spool: None })
    }

    /// Whether positions in it are positions on disk.
    pub(crate) fn is_plain(&self) -> bool {
        self.packing == Packing::Plain
    }

    /// What the machine says of the file.
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.held.as_ref().map_or_else(|| std::fs::metadata(&self.path), |file| file.metadata())
    }

    /// Standard input, kept in a temporary file: whether it is known can only be told by looking twice.
    pub(crate) fn of_stdin() -> io::Result<Self> {
        let mut spool = tempfile::NamedTempFile::new()?;
        io::copy(&mut io::stdin().lock(), &mut spool)?;
        spool.flush()?;
        Self::of_spool(spool)?.in_lines()
    }

    fn of_spool(spool: tempfile::NamedTempFile) -> io::Result<Self> {
        let kept = spool.into_temp_path();
        let bytes = Self::as_it_lies(&kept)?;
        Ok(Self { _spool: Some(Arc::new(kept)), ..bytes })
    }

    /// The lines of what is known and is no text of lines.
    fn in_lines(self) -> io::Result<Self> {
        let head = self.head()?;
        if store::foreign::is_sqlite(&head) {
            let unpacked = self.unpacked()?;
            return self.replaced_by(|lines| {
                store::foreign::history_lines(&unpacked.path, lines).map_err(io::Error::other)
            });
        }
        if formats::dsls::is_cloud_answer(&head) {
            let whole = self.whole()?;
            let lines = formats::dsls::cloud_answer(&whole).map_err(io::Error::other)?;
            return self.replaced_by(|to| to.write_all(&lines));
        }
        Ok(self)
    }

    fn replaced_by(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Self> {
        let mut spool = tempfile::NamedTempFile::new()?;
        let mut buffer = BufWriter::new(&mut spool);
        write(&mut buffer)?;
        buffer.flush()?;
        drop(buffer);
        Ok(Self { modified_ms: Some(self.modified_ms()?), ..Self::of_spool(spool)? })
    }

    /// As a plain file, which only such files need as cannot be read from their beginning to their end.
    fn unpacked(&self) -> io::Result<Self> {
        if self.packing == Packing::Plain {
            return Ok(self.clone());
        }
        let mut reader = self.reader_at(0, Arc::default())?;
        self.replaced_by(|plain| io::copy(&mut reader, plain).map(|_| ()))
    }

    fn whole(&self) -> io::Result<Vec<u8>> {
        let mut whole = Vec::new();
        self.reader_at(0, Arc::default())?.take(LONGEST_WHOLE + 1).read_to_end(&mut whole)?;
        if whole.len() as u64 > LONGEST_WHOLE {
            let most = LONGEST_WHOLE >> 20;
            let what =
                format!("an answer in one line of more than {most} MiB: ask for a shorter span of time");
            return Err(io::Error::other(what));
        }
        Ok(whole)
    }

    /// Its size as it lies on disk, for progress.
    pub(crate) fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// When it was last modified, in milliseconds since 1970.
    pub(crate) fn modified_ms(&self) -> io::Result<i64> {
        if let Some(modified_ms) = self.modified_ms {
            return Ok(modified_ms);
        }
        let modified = self.metadata()?.modified()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Ok(since as i64)
    }

    /// Reads from a position of the unpacked bytes; `seen` counts the bytes read from disk.
    pub(crate) fn reader_at(&self, position: u64, seen: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
        let from = if self.packing == Packing::Plain { position } else { 0 };
        let file: Box<dyn Read + Send> = if let Some(held) = &self.held {
            Box::new(At { file: Arc::clone(held), position: from })
        } else {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(from))?;
            Box::new(file)
        };
        if self.packing == Packing::Plain {
            seen.store(position, Ordering::Relaxed);
            return Ok(Box::new(Counted { inner: file, seen }));
        }
        let counted = BufReader::new(Counted { inner: file, seen });
        let mut unpacked: Box<dyn Read + Send> = match self.packing {
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
            _ => Box::new(zstd::Decoder::with_buffer(counted)?),
        };
        let skipped = io::copy(&mut (&mut unpacked).take(position), &mut io::sink())?;
        if skipped < position {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "shorter than when it was read last"));
        }
        Ok(unpacked)
    }

    /// Its first bytes, at most [`FINGERPRINT_BYTES`].
    pub(crate) fn head(&self) -> io::Result<Vec<u8>> {
        let mut reader = self.reader_at(0, Arc::default())?;
        let mut head = vec![0; FINGERPRINT_BYTES];
        let length = read_available(&mut reader, &mut head)?;
        head.truncate(length);
        Ok(head)
    }

    /// The hash of the bytes before a position, as a checkpoint keeps it; `None` where the input is shorter.
    pub(crate) fn tail_hash(&self, position: u64) -> io::Result<Option<String>> {
        let from = position.saturating_sub(FINGERPRINT_BYTES as u64);
        let mut reader = match self.reader_at(from, Arc::default()) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            reader => reader?,
        };
        let mut tail = vec![0; (position - from) as usize];
        let length = read_full(&mut reader, &mut tail)?;
        Ok((length == tail.len()).then(|| hash(&tail)))
    }
}

/// The hash that inputs are known by.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |text, byte| format!("{text}{byte:02x}"))
}

/// Fills the buffer as far as there are bytes.
pub(crate) fn read_full(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let (length, failed) = fill(reader, buffer);
    failed.map_or(Ok(length), Err)
}

/// As [`read_full`]; of a packed file that breaks off what is there, where anything is.
pub(crate) fn read_available(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let (length, failed) = fill(reader, buffer);
    let breaks_off = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof && length > 0;
    failed.filter(|error| !breaks_off(error)).map_or(Ok(length), Err)
}

/// Fills the buffer; how far, and what hindered.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut length = 0;
    while length < buffer.len() {
        match reader.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (length, Some(error)),
        }
    }
    (length, None)
}

impl Packing {
    fn of(file: &mut impl Read) -> io::Result<Self> {
        let mut magic = [0; 4];
        let length = read_full(file, &mut magic)?;
        Ok(match &magic[..length] {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstd,
            _ => Self::Plain,
        })
    }
}

/// Reads a file that others read at other positions.
struct At {
    file: Arc<File>,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    seen: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.seen.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
