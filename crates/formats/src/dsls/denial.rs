//! Denials: `F not granted, no more available license ( from client HOST (hwid)/ip|user|internal id|program )`.

use super::usage;
use crate::text::{text, trim};
use accounting::event::{Claim, DenialReason, Refusal, What};
use memchr::{memchr, memmem};
use std::borrow::Cow;

const NOT_GRANTED: &[u8] = b" not granted";
const CLIENT: &[u8] = b"from client ";

/// Reads the text of a line of the licensing service: none where it tells of no denial, else what was denied or why
/// it cannot be read.
pub(super) fn parse(line: &[u8]) -> Option<Result<What<'_>, &'static str>> {
    match memmem::find(line, NOT_GRANTED) {
        Some(at) => Some(denial(&line[..at], &line[at + NOT_GRANTED.len()..])),
        None if reason(line) != DenialReason::Other => Some(Err("denial without a feature")),
        None => None,
    }
}

fn denial<'a>(feature: &'a [u8], rest: &'a [u8]) -> Result<What<'a>, &'static str> {
    // The feature's code may be followed by `[(customer id)]` or `(customer id)`.
    let end = feature.iter().position(|byte| matches!(byte, b' ' | b'[' | b'('));
    let feature = trim(end.map_or(feature, |end| &feature[..end]));
    if feature.is_empty() {
        return Err("denial without a feature");
    }
    let at = memmem::find(rest, CLIENT).ok_or("denial without a client")?;
    let client = &rest[at + CLIENT.len()..];
    let mut parts = client.splitn(3, |&byte| byte == b'|');
    let machine = parts.next().unwrap_or_default();
    let user = trim(parts.next().ok_or("denial without a user")?);
    let named = usage::host(machine);
    let host = memchr(b'/', named).map_or(named, |at| &named[..at]);
    let claim = Claim {
        feature: text(feature),
        user: text(user),
        host: text(trim(host)),
        seats: 1,
        ..Claim::default()
    };
    Ok(What::Denial(claim, Refusal { reason: reason(&rest[..at]), code: Cow::Borrowed("") }))
}

/// The class of a reason.
fn reason(words: &[u8]) -> DenialReason {
    const CLASSES: [(&[u8], DenialReason); 4] = [
        (b"no more available license", DenialReason::Capacity),
        (b"not authorized", DenialReason::OptionsFile),
        (b"no license enrolled", DenialReason::Unsupported),
        (b"license expired", DenialReason::Expired),
    ];
    let class = CLASSES.iter().find(|(said, _)| memmem::find(words, said).is_some());
    class.map_or(DenialReason::Other, |(_, class)| *class)
}
