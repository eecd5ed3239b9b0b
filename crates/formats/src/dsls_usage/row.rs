//! A row of `getLicenseUsage -all -csv`.
//!
//! Nothing is quoted. The first thirteen fields, which say what a pool of licences is, are counted from the left, and
//! so are those of its holder up to the user; the last six are counted from the right, because users and programs may
//! hold commas. Each row ends in a comma.

use crate::dsls::usage;
use crate::iso;
use crate::text::{number, text, trim};
use accounting::event::{Claim, Expires};
use memchr::{memchr_iter, memrchr};
use std::borrow::Cow;

/// The header of the version that is known.
pub(super) const HEADER: &[u8] = b"Editor,EditorId,Feature,Model,Commercial Type,Max Release Number,Max Release Date,\
    Pricing Structure,Max Casual Duration,Expiration Date,Customer ID,Count,Inuse,Tokens,Casual Usage (mn),Host,User,\
    Internal ID,Active Process,Client Code Version,Session ID,Granted Since,Last Used At,Granted At,Queue Position";

/// Fields of a pool.
const POOL: usize = 13;
/// Fields of a pool with a holder who does not wait.
const HELD: usize = 24;
/// Fields from the left up to the user.
const LEFT: usize = 17;

/// What a row says.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) pool: Pool<'a>,
    pub(super) holder: Option<Holder<'a>>,
}

/// A pool of licences.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    /// Its fields as they stand: they are the same in each row of the pool.
    pub(super) fields: &'a [u8],
    pub(super) feature: Cow<'a, str>,
    pub(super) release: Cow<'a, str>,
    pub(super) expires: Expires,
    /// `None` where licences are not counted.
    pub(super) seats: Option<u32>,
    pub(super) in_use: u32,
}

/// Who holds licences of a pool, or waits for them.
#[derive(Debug)]
pub(super) struct Holder<'a> {
    pub(super) claim: Claim<'a>,
    /// Since when, and the last sign of life: civil times.
    pub(super) since: Option<iso::Stamp>,
    pub(super) last_used: Option<iso::Stamp>,
    pub(super) waits: bool,
}

/// Reads a row, or says why not.
pub(super) fn parse(line: &[u8]) -> Result<Row<'_>, &'static str> {
    let line = line.strip_suffix(b",").unwrap_or(line);
    let mut left = [&[][..]; LEFT];
    let (mut count, mut start, mut pool_end) = (0, 0, line.len());
    for end in memchr_iter(b',', line).chain([line.len()]) {
        if let Some(field) = left.get_mut(count) {
            *field = trim(&line[start..end]);
        }
        count += 1;
        start = end + 1;
        if count == POOL {
            pool_end = end;
        }
    }
    if count < POOL {
        return Err("row with too few fields");
    }
    let pool = pool(&line[..pool_end], &left)?;
    let holder = if count == POOL {
        None
    } else if count < HELD {
        return Err("row with a holder and too few fields");
    } else {
        Some(holder(line, &left, count)?)
    };
    Ok(Row { pool, holder })
}

fn pool<'a>(fields: &'a [u8], left: &[&'a [u8]; LEFT]) -> Result<Pool<'a>, &'static str> {
    let [_, _, feature, _, _, release, _, _, _, expiration, _, seats, in_use, ..] = *left;
    if feature.is_empty() {
        return Err("row without a feature");
    }
    if fields.len() > LONGEST {
        return Err("row with fields of no sensible length");
    }
    let seats = match number(seats) {
        Some(seats) => Some(seats),
        None if seats.eq_ignore_ascii_case(b"unlimited") => None,
        None => return Err("row without a count of licences"),
    };
    Ok(Pool {
        fields,
        feature: text(feature),
        release: text(release),
        expires: expires(expiration),
        seats,
        in_use: number(in_use).ok_or("row without a number of licences in use")?,
    })
}

/// A pool's fields are kept as long as its rows are read; they are never longer than this.
const LONGEST: usize = 4096;

fn expires(field: &[u8]) -> Expires {
    iso::stamp(field).map_or(Expires::Unknown, |stamp| Expires::On(stamp.day))
}

fn holder<'a>(line: &'a [u8], left: &[&'a [u8]; LEFT], count: usize) -> Result<Holder<'a>, &'static str> {
    let (before, last) = cut_last(line);
    let waits = number(last).is_some();
    let has_place = waits || (last.is_empty() && count == HELD + 1);
    let [granted, last_used, since, session, version] = last_five(if has_place { before } else { line });
    let [tokens, host, user] = [left[13], left[15], left[16]];
    let seats = if tokens.is_empty() { Some(1) } else { number(tokens) };
    let (since, granted, last_used) = (time(since)?, time(granted)?, time(last_used)?);
    // The machine is `NAME (id)/ip`.
    let host = usage::host(host);
    let host = memrchr(b'/', host).map_or(host, |at| &host[..at]);
    let given = |field: &'a [u8]| (!field.is_empty()).then(|| text(field));
    let claim = Claim {
        feature: text(left[2]),
        version: given(version),
        user: text(user),
        host: text(host),
        handle: given(session),
        seats: seats.filter(|seats| *seats > 0).ok_or("row with a holder of no licences")?,
        ..Claim::default()
    };
    Ok(Holder { claim, since: since.or(granted), last_used, waits })
}

/// Granted at, last used at, granted since, session id and client code version.
fn last_five(line: &[u8]) -> [&[u8]; 5] {
    let mut rest = line;
    [(); 5].map(|()| {
        let (before, field) = cut_last(rest);
        rest = before;
        field
    })
}

/// The last field, and what stands before it.
fn cut_last(line: &[u8]) -> (&[u8], &[u8]) {
    match memrchr(b',', line) {
        Some(at) => (&line[..at], trim(&line[at + 1..])),
        None => (&[], trim(line)),
    }
}

fn time(field: &[u8]) -> Result<Option<iso::Stamp>, &'static str> {
    if field.is_empty() {
        return Ok(None);
    }
    iso::stamp(field).map(Some).ok_or("row with a time that cannot be read")
}
