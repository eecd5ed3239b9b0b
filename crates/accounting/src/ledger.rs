//! What the ledger knows besides sessions: the names behind the numbers, who belongs where, what was watched.

use crate::UnixMs;
use crate::capacity::Steps;
use crate::day::Day;
use crate::event::Expires;
use crate::session::{FeatureId, HolderId, VersionId};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A license server, in one number.
pub type ServerId = u32;
/// A person, as an index into [`Names::persons`].
pub type PersonId = u32;

/// A feature and what the catalog says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feature {
    /// The vendor's code.
    pub code: String,
    /// The product of the catalog, where it knows the code.
    pub product: Option<String>,
    /// The product's type of the catalog.
    pub product_type: Option<String>,
    /// The product's price of the catalog, as it is written there: what one seat of it costs.
    pub price: Option<String>,
    /// Codes that this feature, a package, consists of.
    pub components: Vec<FeatureId>,
    /// The license servers that have shown it.
    pub servers: Vec<ServerId>,
}

/// A holder as its license server names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Where.
    pub server: ServerId,
    /// The vendor daemon: many holders share its name.
    pub vendor: Arc<str>,
    /// The user.
    pub user: String,
    /// The host.
    pub host: String,
    /// The display; empty where none is printed.
    pub display: String,
    /// The person whom the user is matched to.
    pub person: PersonId,
}

/// A person: a user of the directory, or a user whom the directory does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// `domain\login` or `login`, in lower case.
    pub name: String,
    /// What the person belongs to, by date, ascending and without overlap.
    pub memberships: Vec<Membership>,
}

/// What a person belongs to in a span of days, `[from, until)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// First day; `None` for ever before.
    pub from: Option<Day>,
    /// The day after the last; `None` for ever after.
    pub until: Option<Day>,
    /// The organization, where given.
    pub organization: Option<String>,
    /// The project, where given.
    pub project: Option<String>,
}

impl Person {
    /// The membership in force on a day.
    pub fn on(&self, day: Day) -> Option<&Membership> {
        self.memberships.iter().find(|membership| membership.is_in_force(day))
    }
}

impl Membership {
    /// Whether the day lies in its span.
    pub fn is_in_force(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

/// A license server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// Its name: `PORT@HOST`, or what the configuration calls it.
    pub name: String,
    /// When it was watched: disjoint ranges `[from, until)`, ascending.
    pub watched: Vec<(UnixMs, UnixMs)>,
}

/// Seats that expire, as the license server said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The license server.
    pub server: ServerId,
    /// The vendor daemon; empty where none is told.
    pub vendor: String,
    /// The feature.
    pub feature: FeatureId,
    /// The version that they are good for; empty where none is printed.
    pub version: String,
    /// How many; `None` where they are not counted.
    pub seats: Option<i64>,
    /// Until when.
    pub expires: Expires,
    /// When the license server said so.
    pub told_at: UnixMs,
}

/// A day's sum of use without persons, from a system that kept no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The organization: the directory's of that number, else the number.
    pub organization: String,
    /// The civil day.
    pub day: Day,
    /// The feature.
    pub feature: FeatureId,
    /// The version, 0 where unknown.
    pub version: VersionId,
    /// Minutes of use.
    pub minutes: i64,
}

/// The names behind the numbers of one ledger.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Features by their number.
    pub features: FxHashMap<FeatureId, Feature>,
    /// Holders by their number.
    pub holders: Arc<FxHashMap<HolderId, Holder>>,
    /// Persons by index; no two of them have the same name, but for those without one.
    pub persons: Arc<Vec<Person>>,
    /// License servers by their number.
    pub servers: FxHashMap<ServerId, Server>,
    /// Version texts by their number.
    pub versions: FxHashMap<VersionId, String>,
    /// Capacity by feature and license server.
    pub capacity: FxHashMap<(FeatureId, ServerId), Steps>,
    /// What expires, by license server, vendor, feature, version and date.
    pub expiries: Vec<Expiry>,
    /// Sums of use without persons, by day, organization, feature and version.
    pub totals: Vec<Total>,
}
