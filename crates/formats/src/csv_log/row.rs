//! Rows of the two tables, told apart by how many fields they have.

use crate::iso::{self, Stamp};
use crate::text::number;
use accounting::UnixMs;
use accounting::calendar::{instant as instant_of, midnight};
use accounting::event::Claim;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// The header of the table of features.
pub(super) const FEATURES: &[u8] =
    b"stamp,feature_code,feature_version,vendor,license_type,issued,used,users";
/// The header of the table of holders.
pub(super) const USERS: &[u8] =
    b"feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,\
checkout_datetime,update_time";

/// A row of either table.
#[derive(Debug)]
pub(super) enum Row<'a> {
    /// `stamp,feature_code,feature_version,vendor,license_type,issued,used,users`
    Feature(FeatureRow<'a>),
    /// `feature_code,userid,host,display,feature_version,server_host,server_port,license_handle,checkout_datetime,update_time`
    User(UserRow<'a>),
}

/// Seats of a feature; what lmstat did not say is none.
#[derive(Debug)]
pub(super) struct FeatureRow<'a> {
    stamp: Stamp,
    key: u64,
    pub(super) feature: Cow<'a, str>,
    pub(super) issued: Option<u32>,
    pub(super) in_use: Option<u32>,
}

/// A holder.
#[derive(Debug)]
pub(super) struct UserRow<'a> {
    stamp: Stamp,
    key: u64,
    pub(super) claim: Box<Claim<'a>>,
    pub(super) checkout: Stamp,
    /// `PORT@HOST`
    pub(super) server: String,
}

impl Row<'_> {
    /// When it was written.
    pub(super) fn stamp(&self) -> Stamp {
        match self {
            Self::Feature(row) => row.stamp,
            Self::User(row) => row.stamp,
        }
    }

    /// What a poll says of it besides figures and instants: what another poll says of the same hold or pool has the same.
    pub(super) fn key(&self) -> u64 {
        match self {
            Self::Feature(row) => row.key,
            Self::User(row) => row.key,
        }
    }
}

/// Whether a line is the header of either table.
pub(super) fn is_header(line: &[u8]) -> bool {
    line == FEATURES || line == USERS
}

/// Cuts a row, or says why it cannot be read.
pub(super) fn parse(line: &[u8]) -> Result<Row<'_>, &'static str> {
    let mut fields = crate::separated::fields(line, b',').ok_or("row whose quotes are not closed")?;
    match &mut fields[..] {
        [stamp, feature, version, vendor, kind, issued, in_use, _users] => {
            let key = key(&[feature, version, vendor, kind]);
            let stamp = iso::stamp(stamp.as_bytes()).ok_or("row without a stamp that can be read")?;
            let feature = named(feature)?;
            let (issued, in_use) = (seats(issued)?, seats(in_use)?);
            Ok(Row::Feature(FeatureRow { stamp, key, feature, issued, in_use }))
        }
        [feature, user, host, display, version, server, port, handle, checkout, update] => {
            let key = key(&[feature, user, host, display, version, server, port, handle, checkout]);
            let stamp = iso::stamp(update.as_bytes()).ok_or("row without a stamp that can be read")?;
            let checkout = iso::stamp(checkout.as_bytes()).ok_or("checkout that cannot be read")?;
            let claim = Claim {
                feature: named(feature)?,
                version: printed(version),
                user: std::mem::take(user),
                host: std::mem::take(host),
                display: printed(display),
                checkout_data: None,
                // As lmstat prints it, so that both name the same hold.
                handle: Some(Cow::Owned(format!("{server}/{port} {handle}"))),
                seats: 1,
            };
            let server = format!("{port}@{server}");
            Ok(Row::User(UserRow { stamp, key, claim: Box::new(claim), checkout, server }))
        }
        _ => Err("row of neither table: 8 or 10 fields are known"),
    }
}

/// A number that two rows share only where these fields are the same: FNV-1a, which no version changes.
fn key(fields: &[&Cow<'_, str>]) -> u64 {
    let bytes = fields.iter().flat_map(|field| field.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn printed<'a>(field: &mut Cow<'a, str>) -> Option<Cow<'a, str>> {
    Some(std::mem::take(field)).filter(|text| !text.is_empty() && text != "--")
}

fn named<'a>(field: &mut Cow<'a, str>) -> Result<Cow<'a, str>, &'static str> {
    printed(field).ok_or("row without a feature")
}

/// A figure; `--` where lmstat did not say it.
fn seats(field: &str) -> Result<Option<u32>, &'static str> {
    match field {
        "--" | "" => Ok(None),
        digits => number(digits.as_bytes()).map(Some).ok_or("seats that are no number"),
    }
}

/// The instant of a stamp, which is local time.
pub(super) fn instant(stamp: Stamp, zone: &TimeZone) -> UnixMs {
    stamp.instant().unwrap_or_else(|| {
        let local = midnight(stamp.day);
        let span = jiff::Span::new().seconds(i64::from(stamp.second));
        instant_of(local.checked_add(span).unwrap_or(local), zone)
    })
}

/// When seats were given out that a poll at this instant shows. The logger took the year of its poll for the checkout's,
/// so that of one that lies more than a day ahead the year is one too late.
pub(super) fn checked_out(checkout: Stamp, at: UnixMs, zone: &TimeZone) -> UnixMs {
    const DAY_MS: i64 = 86_400_000;
    let since = instant(checkout, zone);
    if since <= at + DAY_MS {
        return since;
    }
    let date = checkout.day.date();
    let before = date.with().year(date.year() - 1).build();
    before.map_or(since, |date| instant(Stamp { day: date.into(), ..checkout }, zone))
}
