//! Packages: `64300ACD_F (consisting of: 87676ACD_2023_0F` … `)` in the list after `Server started on`.

use crate::text::{text, trim, trim_end};
use memchr::{memchr, memmem};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const OF: &[u8] = b"(consisting of:";

/// A package whose list is not closed yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packages {
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    daemon: String,
    package: String,
}

/// A package and those of its components that stand on one line.
pub(super) type Part<'a> = (String, Vec<Cow<'a, str>>);

impl Packages {
    /// Takes a message that is no event; the packages on it.
    pub(super) fn take<'a>(&mut self, daemon: &[u8], message: &'a [u8]) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let mut rest = trim(message);
        if let Some(open) = self.open.take_if(|open| open.daemon.as_bytes() == daemon) {
            let goes_on = memchr(b')', rest).is_none();
            let end = memchr(b')', rest).unwrap_or(rest.len());
            let list = &rest[..end];
            if memchr(b':', list).is_some() || memchr(b'(', list).is_some() {
                return parts;
            }
            push(&mut parts, &open.package, list);
            rest = &rest[(end + 1).min(rest.len())..];
            if goes_on {
                self.open = Some(open);
                return parts;
            }
        }
        while let Some(at) = memmem::find(rest, OF) {
            let before = trim_end(&rest[..at]);
            let start = before.iter().rposition(|&byte| crate::text::is_blank(byte)).map_or(0, |blank| blank + 1);
            let package = text(&before[start..]).into_owned();
            rest = &rest[at + OF.len()..];
            let end = memchr(b')', rest);
            push(&mut parts, &package, &rest[..end.unwrap_or(rest.len())]);
            let Some(end) = end else {
                let daemon = text(daemon).into_owned();
                self.open = (!package.is_empty()).then_some(Open { daemon, package });
                break;
            };
            rest = &rest[end + 1..];
        }
        parts
    }
}

fn push<'a>(parts: &mut Vec<Part<'a>>, package: &str, list: &'a [u8]) {
    let words = list.split(|&byte| crate::text::is_blank(byte)).filter(|word| !word.is_empty());
    let components: Vec<_> = words.map(text).collect();
    if !package.is_empty() && !components.is_empty() {
        parts.push((package.to_owned(), components));
    }
}
