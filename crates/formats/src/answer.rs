//! What formats share whose texts are answers to a poll and print no instant: it is that of asking or, of a file, that
//! of its last modification.

use crate::line::{Line, Note, Read, Setting, Survey, Surveyor};
use crate::text::{bare, trim};
use accounting::UnixMs;
use accounting::event::{Event, What};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Why the rows of another answer in one text are not read.
pub(crate) const SECOND: &str =
    "a second answer in one text, which tells no instants: keep each in a file of its own";
/// Why a line is not known.
pub(crate) const UNKNOWN: &str = "no shape that is known of this program";

/// The instant of an answer; `begun` is what it was taken for when its first lines were read: a file that is read in
/// two parts was modified between them.
pub(crate) fn asked_at(setting: &Setting, begun: Option<UnixMs>) -> UnixMs {
    setting.polled_at.or(begun).unwrap_or(setting.modified_at)
}

/// A line without an instant of its own.
pub(crate) fn silent(line: Line<'_>) -> Read<'_> {
    Read { at: None, process: "", line }
}

/// An event of an answer.
pub(crate) fn event<'a>(at: UnixMs, vendor: Cow<'a, str>, what: What<'a>) -> Event<'a> {
    Event { at, order: 0, vendor, what }
}

/// What happened; a note where nothing did.
pub(crate) fn told(mut events: Vec<Event<'_>>) -> Line<'_> {
    if events.len() > 1 {
        return Line::Events(events);
    }
    events.pop().map_or(Line::Note(Note::State), |event| Line::Event { event, times: 1 })
}

/// Since when holds have been there of which the text tells no start: since the first answer that showed them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FirstSeen {
    /// The holds of the answer before, those that look alike together.
    before: BTreeMap<String, Vec<UnixMs>>,
    /// Those of this one.
    now: BTreeMap<String, Vec<UnixMs>>,
}

impl FirstSeen {
    /// Since when this hold has been there, by all that tells it from others.
    pub(crate) fn since(&mut self, hold: String, at: UnixMs) -> UnixMs {
        let now = self.now.entry(hold);
        let known = self.before.get(now.key());
        let now = now.or_default();
        let since = known.and_then(|known| known.get(now.len())).copied().unwrap_or(at);
        now.push(since);
        since
    }

    /// What the next answer must know.
    pub(crate) fn next_answer(self) -> Self {
        Self { before: self.now, now: BTreeMap::new() }
    }
}

/// A program with its arguments.
pub(crate) fn question(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Port and host of `PORT@HOST`; a name without a port is a host.
pub(crate) fn port_and_host(target: &str) -> (Option<&str>, &str) {
    match target.split_once('@') {
        Some((port, host)) => (Some(port), host),
        None => (None, target),
    }
}

/// A first look: the license server's name, and whether the text is an answer from its beginning.
pub(crate) struct Look {
    begins: fn(&[u8]) -> bool,
    server: fn(&[u8]) -> Option<Cow<'_, str>>,
    found: Survey,
}

impl Look {
    pub(crate) fn boxed(
        begins: fn(&[u8]) -> bool,
        server: fn(&[u8]) -> Option<Cow<'_, str>>,
    ) -> Box<dyn Surveyor> {
        Box::new(Self { begins, server, found: Survey::default() })
    }
}

impl Surveyor for Look {
    fn line(&mut self, line: &[u8]) -> bool {
        let line = trim(bare(line));
        self.found.begins_with_start |= (self.begins)(line);
        self.found.server = (self.server)(line).map(Cow::into_owned);
        self.found.server.is_none()
    }

    fn finish(self: Box<Self>) -> Survey {
        self.found
    }
}

/// `PORT@HOST` of a text in which they stand apart; none for a name that any machine has.
pub(crate) fn port_at_host<'a>(port: &[u8], host: &[u8]) -> Option<Cow<'a, str>> {
    let any = host.eq_ignore_ascii_case(b"localhost") || host.starts_with(b"127.");
    let plain = !host.is_empty() && !any && host.len() <= 255 && crate::text::number(port).is_some();
    plain.then(|| format!("{}@{}", crate::text::text(port), crate::text::text(host)).into())
}

#[cfg(test)]
mod tests {
    use super::FirstSeen;

    #[test]
    fn holds_are_as_old_as_the_first_answer_that_shows_them() {
        let mut seen = FirstSeen::default();
        assert_eq!([seen.since("a".to_owned(), 10), seen.since("a".to_owned(), 10)], [10, 10]);
        let mut seen = seen.next_answer();
        assert_eq!([seen.since("a".to_owned(), 20), seen.since("b".to_owned(), 20)], [10, 20]);
        let mut seen = seen.next_answer();
        assert_eq!([seen.since("a".to_owned(), 30), seen.since("a".to_owned(), 30)], [10, 30]);
        assert_eq!(seen.next_answer().since("b".to_owned(), 40), 40);
    }
}
