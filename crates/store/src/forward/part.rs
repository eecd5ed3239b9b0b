//! A part of what a site has taken in, as it is posted: plain texts and rows of numbers, so that what leaves a site can be read.
//!
//! A part stands for itself: its rows name features, versions, holders and daemons by their places in its own lists.

use accounting::UnixMs;
use serde::{Deserialize, Serialize};

/// What one commit of a site said of one input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What tells the site's ledger from all others.
    pub site: String,
    /// What people call the site.
    pub name: String,
    /// The input's number at the site.
    pub input: u32,
    /// The number of this part of the input, from 1 on without gap.
    pub part: u64,
    /// What tells this part, and all of the input before it, from others of its number, as the site has computed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// What people call the input.
    pub source: String,
    /// Lines of the input so far: all of them, events, notes, noise, unrecognized.
    pub counts: [u64; 5],
    /// Whether all that the input has said is taken out: it is read anew.
    #[serde(default, skip_serializing_if = "is_false")]
    pub takes_out: bool,
    /// Names.
    #[serde(default, skip_serializing_if = "is_none")]
    pub names: Names,
    /// What it says, by runs of dates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// Heartbeats that were booked; then there are no runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeats: Option<Beats>,
}

/// Feature, version, person, the bucket's beginning and end, whether each feature of the person counts.
pub(super) type BucketRow = (u32, u32, u32, UnixMs, UnixMs, bool);

/// Heartbeats of a part, with its own lists of names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[rustfmt::skip]
pub struct Beats {
    /// Before when the site takes no more in: all earlier ones are in this part and those before it.
    pub(super) closed_at: UnixMs,
    #[serde(default, skip_serializing_if = "Vec::is_empty")] pub(super) features: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")] pub(super) versions: Vec<String>,
    /// User and host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")] pub(super) persons: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")] pub(super) buckets: Vec<BucketRow>,
}

/// The names of a part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Names {
    /// License server, format, whether a key holds one session at a time, zone, vendor.
    pub daemons: Vec<(String, String, bool, String, String)>,
    /// Features.
    pub features: Vec<String>,
    /// Versions; rows count them from 1, and 0 is none.
    pub versions: Vec<String>,
    /// Daemon, user, host, display, checkout data.
    pub holders: Vec<(u32, String, String, String, String)>,
}

/// Feature, holder, handle, instant, order, seats, version, how it ended (none: it is a start).
pub(super) type KeyRow = (u32, u32, u32, UnixMs, i32, u32, u32, Option<i64>);
/// Feature, holder, instant, outcome, reason, code, seats, version.
pub(super) type RequestRow = (u32, u32, UnixMs, i64, Option<i64>, String, u32, u32);
/// Daemon, instant, whether it started, or answered.
pub(super) type DaemonRow = (u32, UnixMs, bool);
/// Feature, holder, handle, when it was polled, since when, seats, version.
pub(super) type ShownRow = (u32, u32, u32, UnixMs, UnixMs, u32, u32);
/// Feature, holder, handle, from, until, until when more is awaited, seats, version.
pub(super) type UsedRow = (u32, u32, u32, UnixMs, UnixMs, Option<UnixMs>, u32, u32);
/// Feature, daemon, instant, whether seats issued are told, how many, in use, reserved, queued, borrowed.
pub(super) type SeatsRow = (u32, u32, UnixMs, bool, Option<i64>, Option<i64>, i64, i64, i64);
/// Daemon, feature, version, instant, seats, the last day or `never` or `unknown`.
pub(super) type ExpiryRow = (u32, u32, u32, UnixMs, Option<i64>, String);
/// Organization, day, feature, version, minutes.
pub(super) type TotalRow = (i64, String, u32, u32, i64);
/// Daemon, run, from, until, whether it begins a run, whether it was polled.
pub(super) type SpanRow = (u32, u32, UnixMs, UnixMs, bool, bool);
/// Shape, reason, lines, first line, sample.
pub(super) type ShapeRow = (String, String, u64, u64, String);

/// What a part says of one run of dates. What is `retracted` was said of an unfinished last line, and is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[rustfmt::skip]
pub struct Run {
    pub(super) number: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) handles: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) events: Vec<KeyRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) requests: Vec<RequestRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) breaks: Vec<DaemonRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) polls: Vec<DaemonRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) shown: Vec<ShownRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) used: Vec<UsedRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) seats: Vec<SeatsRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) expiries: Vec<ExpiryRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) totals: Vec<TotalRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) spans: Vec<SpanRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) components: Vec<(u32, u32)>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) quarantined: Vec<ShapeRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted: Vec<KeyRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted_requests: Vec<RequestRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted_shown: Vec<ShownRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted_used: Vec<UsedRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted_totals: Vec<TotalRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")] pub(super) retracted_quarantined: Vec<ShapeRow>,
}

impl Part {
    /// What tells the input from all others that sites tell of.
    pub(super) fn chain(&self) -> String {
        format!("{} {}", self.site, self.input)
    }

    /// How people at the central service call the input.
    pub(super) fn input_name(&self) -> String {
        format!("{}: {}", self.name, self.source)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_none(names: &Names) -> bool {
    *names == Names::default()
}
