//! Answers that are sent while they are written: no listing stands in memory as a whole, and who reads too slowly is let go.

use super::asked::Written;
use super::failure::Failure;
use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// How many bytes are sent together.
const TOGETHER: usize = 64 * 1024;
/// How many such pieces wait for the client.
const WAITING: usize = 4;
/// How long a client may take no piece: so long it holds a connection to the ledger.
const STALLED: Duration = Duration::from_secs(30);
/// How many bytes of notes go into a header.
const NOTES: usize = 4096;

/// The header that tells the notes on an answer, as a JSON array.
const NOTES_HEADER: HeaderName = HeaderName::from_static("seatledger-notes");

/// A piece of an answer.
enum Piece {
    /// The notes; the answer begins.
    Begins(Vec<String>),
    Text(Bytes),
    /// The answer is whole.
    Ends,
    Fails(Failure),
}

/// Where an answer is written to.
pub(super) struct Sink {
    pieces: mpsc::Sender<Piece>,
    runtime: Handle,
    buffer: Vec<u8>,
    /// To be told before the first piece; `None` once they are.
    notes: Option<Vec<String>>,
}

impl Sink {
    /// Notes on the whole answer, given before it is written.
    pub(super) fn note(&mut self, notes: Vec<String>) {
        if let Some(held) = &mut self.notes {
            *held = notes;
        }
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        let sent = async { tokio::time::timeout(STALLED, self.pieces.send(piece)).await };
        match self.runtime.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn send_buffer(&mut self) -> io::Result<()> {
        if let Some(notes) = self.notes.take() {
            self.send(Piece::Begins(notes))?;
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        let text = std::mem::replace(&mut self.buffer, Vec::with_capacity(TOGETHER));
        self.send(Piece::Text(text.into()))
    }

    /// Tells how it went.
    fn end(mut self, done: Result<(), Failure>) {
        let ended = match done {
            Ok(()) => self.send_buffer().and_then(|()| self.send(Piece::Ends)),
            Err(failure) => self.send(Piece::Fails(failure)),
        };
        // Who has gone away need not be told.
        drop(ended);
    }
}

impl Write for Sink {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(text);
        if self.buffer.len() >= TOGETHER {
            self.send_buffer()?;
        }
        Ok(text.len())
    }

    /// Pieces go when they are large enough, and at the end.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer that `work` writes on a thread of its own. It begins with its first piece, so that a question that turns out
/// to be wrong still gets its own status; if it breaks off later the connection does too.
pub(super) async fn stream(
    (name, written): (&str, Written),
    work: impl FnOnce(&mut Sink) -> Result<(), Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let (pieces, mut receiver) = mpsc::channel(WAITING);
    let mut sink = Sink { pieces, runtime: Handle::current(), buffer: Vec::new(), notes: Some(Vec::new()) };
    tokio::task::spawn_blocking(move || {
        let done = work(&mut sink);
        sink.end(done);
    });
    let notes = match receiver.recv().await {
        Some(Piece::Begins(notes)) => notes,
        Some(Piece::Fails(failure)) => return Err(failure),
        Some(Piece::Text(_) | Piece::Ends) | None => return Err(Failure::Ours),
    };
    let (kind, ending) = match written {
        Written::Json => ("application/json", None),
        Written::Csv => ("text/csv; charset=utf-8; header=present", None),
        Written::Xlsx => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Some("xlsx")),
        Written::Html => ("text/html; charset=utf-8", Some("html")),
    };
    let head = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")];
    let mut response = (head, Body::new(Pieces { receiver, is_over: false })).into_response();
    // Files are kept, not shown among our own pages.
    let file =
        ending.map(|ending| HeaderValue::from_str(&format!("attachment; filename=\"{name}.{ending}\"")));
    if let Some(Ok(file)) = file {
        response.headers_mut().insert(CONTENT_DISPOSITION, file);
    }
    if let Some(notes) = header_of(notes) {
        response.headers_mut().insert(NOTES_HEADER, notes);
    }
    Ok(response)
}

/// Notes as a header can carry them: JSON in ASCII, the first ones where they are too many.
fn header_of(mut notes: Vec<String>) -> Option<HeaderValue> {
    while !notes.is_empty() {
        let json = serde_json::Value::from(notes.clone()).to_string();
        let ascii = json.chars().fold(String::with_capacity(json.len()), |mut text, letter| {
            if letter.is_ascii() {
                text.push(letter);
            } else {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            text
        });
        if ascii.len() <= NOTES {
            return HeaderValue::from_str(&ascii).ok();
        }
        notes.pop();
    }
    None
}

/// The body of an answer.
struct Pieces {
    receiver: mpsc::Receiver<Piece>,
    is_over: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        self.receiver.poll_recv(context).map(|piece| match piece {
            Some(Piece::Text(text)) => Some(Ok(Frame::data(text))),
            Some(Piece::Ends) => {
                self.is_over = true;
                None
            }
            // What was sent is not the whole answer: the client must not take it for that.
            Some(Piece::Fails(_) | Piece::Begins(_)) | None => {
                self.is_over = true;
                Some(Err(io::Error::other("the answer broke off")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Sink, TOGETHER, header_of, stream};
    use crate::api::asked::Written;
    use crate::api::failure::Failure;
    use axum::http::HeaderMap;
    use std::io::Write as _;

    fn answer(
        work: impl FnOnce(&mut Sink) -> Result<(), Failure> + Send + 'static,
    ) -> Result<(HeaderMap, Result<Vec<u8>, String>), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (parts, body) = stream(("usage", Written::Json), work).await?.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await;
            let bytes = bytes.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string());
            Ok((parts.headers, bytes))
        })
    }

    fn fill(sink: &mut Sink, bytes: usize) {
        for _ in 0..bytes / 16 {
            sink.write_all(b"0123456789abcdef").unwrap();
        }
    }

    #[test]
    fn an_answer_longer_than_what_waits_arrives_whole_with_its_notes() {
        let (head, body) = answer(|sink| {
            sink.note(vec!["über alles".to_owned()]);
            fill(sink, TOGETHER * 20);
            Ok(())
        })
        .unwrap();
        assert_eq!(body.unwrap().len(), TOGETHER * 20);
        assert_eq!(head["seatledger-notes"], "[\"\\u00fcber alles\"]");
        assert_eq!(head["content-type"], "application/json");
    }

    #[test]
    fn a_failure_before_the_first_piece_is_the_answer() {
        let wrong = Failure::Wrong("no".to_owned());
        let expected = wrong.clone();
        let failed = answer(move |sink| {
            fill(sink, 16);
            Err(wrong)
        });
        assert_eq!(failed.unwrap_err(), expected);
    }

    #[test]
    fn an_answer_that_breaks_off_does_not_look_whole() {
        let (_, body) = answer(|sink| {
            fill(sink, TOGETHER * 2);
            Err(Failure::Ours)
        })
        .unwrap();
        assert!(body.is_err());
        let failed = answer(|_| panic!("a fault of ours"));
        assert_eq!(failed.unwrap_err(), Failure::Ours);
    }

    #[test]
    fn a_header_has_as_many_notes_as_fit() {
        let notes: Vec<String> = (0..9).map(|nth| format!("{nth}{}", "x".repeat(1000))).collect();
        let header = header_of(notes.clone()).unwrap();
        let told: Vec<String> = serde_json::from_slice(header.as_bytes()).unwrap();
        assert_eq!(told, notes[..4]);
        assert_eq!(header_of(Vec::new()), None);
    }
}
