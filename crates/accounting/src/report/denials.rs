//! `denials`: who was refused, and who got it after all.

use super::days::{DayRow, Days};
use super::group::Key;
use super::labels::{GroupKey, Labels};
use super::lens::Lens;
use super::note::Note;
use super::table::{Numbered, Persons, Table};
use super::{Accumulator, Cell, Column, MOST_MARGIN_DAYS, Report, Scope, Shared, percent};
use crate::UnixMs;
use crate::calendar::Calendar;
use crate::day::Day;
use crate::event::DenialReason;
use crate::feature_day::{DayView, Outcome, Request};
use crate::ledger::{Names, PersonId};
use crate::session::{FeatureId, HolderId, Part};
use rustc_hash::FxHashMap;

/// How far apart the denials of one request may lie, and its last denial and the checkout that ends it: 15 minutes.
const TOGETHER_MS: i64 = 15 * 60_000;

/// So many sessions of a feature and month wait at most for a denial that makes them count.
const MOST_BEGUN: usize = 1 << 16;

/// The keys that every row has, `reason` apart.
const ALWAYS: [Key; 2] = [Key::Month, Key::Feature];

/// What `denials` can be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Keys beside month, feature and reason.
    pub by: Vec<Key>,
}

impl Options {
    /// The keys that can be added: what is known of a denial. (Of its version nothing is.)
    pub const KEYS: &'static [Key] = &[
        Key::Feature,
        Key::Product,
        Key::Type,
        Key::Person,
        Key::User,
        Key::Host,
        Key::Organization,
        Key::Project,
        Key::Server,
        Key::TimeClass,
        Key::Day,
        Key::Week,
        Key::Month,
    ];
}

/// The report `denials`: true denials (domain.md §5).
///
/// **Who asks** is a person and a host, whatever the case in which they are written, on any license server. **A
/// request** for a feature is a row of denials of one asker, each no more than 15 minutes after the one before it. It is
/// *delayed* where its asker checks the feature out, on any license server, at or after its last denial and no more than
/// 15 minutes later, and it ends there: the next denial begins another request. Else it is *denied*. At one instant
/// denials come before checkouts. Being put in a queue is no denial, and features do not look at each other.
///
/// For each month, feature, reason and key asked for:
///
/// - `raw`: denials, each under its own instant, reason and holder,
/// - `requests` = `delayed` + `denied`: requests, each as a whole under the instant, reason and holder of its first
///   denial, also where others have other reasons or lie behind a midnight or the period's end,
/// - `persons`: distinct persons of the denials,
/// - `checkouts` and `denial_percent` = 100 · capacity denials / (capacity denials + checkouts), raw denials of the
///   reason `capacity` and sessions that begin in the group, whatever the reason; empty for other reasons, which are not
///   in it.
#[derive(Debug)]
pub struct Denials<'a> {
    lens: Lens<'a>,
    days: Days,
    labels: Labels,
    /// Whether sessions of one feature day differ in their keys.
    by_holder: bool,
    askers: Askers,
    feature: Option<FeatureId>,
    /// The last request of each asker for the present feature, as long as it may go on.
    pending: FxHashMap<u32, Pending>,
    counts: FxHashMap<CountKey, Counts>,
    /// The sessions that begin in the present feature and month: in groups, where they do not differ in their holders,
    /// else one by one; and its groups with capacity denials.
    checkouts: FxHashMap<GroupKey, i64>,
    begun: Vec<Begun>,
    refused: Vec<CountKey>,
    month: i32,
}

/// A group and the code of a reason.
type CountKey = (GroupKey, i64);

/// A session that began, with what its group has of the day.
#[derive(Debug)]
struct Begun {
    key: GroupKey,
    day: Day,
    holder: HolderId,
}

/// A request that may go on.
#[derive(Debug)]
struct Pending {
    last_at: UnixMs,
    /// Where its first denial counts, if it does.
    group: Option<CountKey>,
}

/// What is counted in a group.
#[derive(Debug, Default)]
struct Counts {
    raw: i64,
    requests: i64,
    delayed: i64,
    persons: Persons,
    /// For capacity only.
    checkouts: i64,
}

/// Who asks: persons at hosts, in numbers.
#[derive(Debug)]
struct Askers {
    numbers: Numbered<(PersonId, String)>,
    of_holder: Table<u32>,
}

/// The present feature day.
struct Today<'d> {
    row: &'d DayRow,
    key: GroupKey,
}

impl<'a> Denials<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        let lens = Lens::new(names, calendar, scope);
        let mut keys = ALWAYS.to_vec();
        keys.extend(options.by.into_iter().filter(|key| !ALWAYS.contains(key)));
        Self {
            days: Days::new(keys.contains(&Key::TimeClass)),
            by_holder: keys.iter().any(|key| key.is_of_holder()),
            labels: Labels::new(keys, &lens),
            askers: Askers { numbers: Numbered::default(), of_holder: Table::new(std::iter::empty()) },
            lens,
            feature: None,
            pending: FxHashMap::default(),
            counts: FxHashMap::default(),
            checkouts: FxHashMap::default(),
            begun: Vec::new(),
            refused: Vec::new(),
            month: 0,
        }
    }
}

impl Accumulator for Denials<'_> {
    fn features(&self) -> Vec<FeatureId> {
        self.lens.features()
    }

    fn needs_requests(&self) -> bool {
        true
    }

    /// A request may begin before the period, or end behind it.
    fn margin_days(&self) -> i32 {
        MOST_MARGIN_DAYS
    }

    fn day(&mut self, view: &DayView<'_>) {
        let row = self.days.row(view.civil.day, &self.lens);
        self.begin(view.feature, row.month);
        let key = self.labels.of_view(view.feature, &row, &self.lens);
        let today = Today { row: &row, key };
        // Parts come in the order of their starts: those that began on earlier days have been seen.
        let mut checkouts = &view.parts[view.parts.partition_point(|part| part.from < view.civil.start)..];
        if row.counts {
            self.count_checkouts(checkouts, &today);
        }
        for (at, reason, holder) in denials(view.requests) {
            let (before, rest) = checkouts.split_at(checkouts.partition_point(|part| part.from < at));
            self.serve(before);
            self.deny(at, reason, holder, &today);
            checkouts = rest;
        }
        self.serve(checkouts);
        self.pending.retain(|_, pending| view.civil.end - pending.last_at <= TOGETHER_MS);
    }

    fn finish(mut self: Box<Self>) -> Report {
        self.keep_checkouts();
        let Self { lens, labels, counts, .. } = *self;
        let mut notes = lens.notes();
        notes.push(Note::Requests);
        let ranks = labels.ranks(&lens);
        let mut counts: Vec<(CountKey, Counts)> = counts.into_iter().collect();
        counts.sort_unstable_by(|((one, a), _), ((other, b), _)| {
            labels.order(&ranks, one, other).then(a.cmp(b))
        });
        let mut rows: Vec<(i64, Vec<Cell>)> = Vec::with_capacity(counts.len());
        for ((group, reason), counts) in counts {
            rows.push((reason, row(labels.cells(&group, &lens), reason, &counts)));
        }
        // Of one month and feature, the reason comes before the keys that were asked for.
        for of_feature in
            rows.chunk_by_mut(|(_, one), (_, other)| one[..ALWAYS.len()] == other[..ALWAYS.len()])
        {
            of_feature.sort_by_key(|(reason, _)| *reason);
        }
        let mut columns: Vec<_> = labels.keys.iter().map(|key| Column::text(key.name())).collect();
        columns.insert(ALWAYS.len(), Column::text("reason"));
        let numbers = ["raw", "requests", "delayed", "denied", "persons", "checkouts", "denial_percent"];
        columns.extend(numbers.map(Column::number));
        Report { name: "denials", columns, rows: rows.into_iter().map(|(_, row)| row).collect(), notes }
    }
}

impl Shared for Denials<'_> {
    /// The feature is a key of every group.
    fn can_share(&self) -> bool {
        self.lens.has_unique_codes()
    }

    fn join(&mut self, mut other: Self) {
        self.keep_checkouts();
        other.keep_checkouts();
        let translation = self.labels.translation(&other.labels);
        let translated = |((group, reason), counts)| ((translation.key(group), reason), counts);
        self.counts.extend(other.counts.into_iter().map(translated));
    }
}

impl Denials<'_> {
    /// Feature and month are keys of every group: with another one the checkouts of a group are complete.
    fn begin(&mut self, feature: FeatureId, month: i32) {
        let before = self.feature.replace(feature);
        if before != Some(feature) {
            self.pending.clear();
        }
        if before != Some(feature) || self.month != month {
            self.keep_checkouts();
            self.month = month;
        }
    }

    /// Keeps the checkouts of groups with capacity denials; no others are shown.
    fn keep_checkouts(&mut self) {
        if self.by_holder && !self.refused.is_empty() {
            for (group, _) in &self.refused {
                self.checkouts.entry(*group).or_default();
            }
            self.count_begun(|checkouts, key| {
                if let Some(checkouts) = checkouts.get_mut(&key) {
                    *checkouts += 1;
                }
            });
        }
        self.begun.clear();
        for group in self.refused.drain(..) {
            if let Some(counts) = self.counts.get_mut(&group) {
                counts.checkouts = self.checkouts.get(&group.0).copied().unwrap_or_default();
            }
        }
        self.checkouts.clear();
    }

    /// Gives the groups of the sessions that began, as far as they count.
    fn count_begun(&mut self, count: impl Fn(&mut FxHashMap<GroupKey, i64>, GroupKey)) {
        for Begun { key, day, holder } in self.begun.drain(..) {
            let Some(who) = self.lens.counted(holder, day) else { continue };
            let key = self.labels.of_hold(key, holder, who.person, day, &self.lens);
            count(&mut self.checkouts, key);
        }
    }

    /// Counts the sessions that begin on a day.
    fn count_checkouts(&mut self, begun: &[Part], today: &Today<'_>) {
        let (day, everyone) = (today.row.civil.day, self.lens.counts_everyone());
        let mut of_class = [0_i64; 32];
        for part in begun {
            let Some(class) = today.row.class_at(part.from) else { continue };
            if self.by_holder {
                if self.begun.len() >= MOST_BEGUN {
                    self.count_begun(|checkouts, key| *checkouts.entry(key).or_default() += 1);
                }
                let key = GroupKey { class, ..today.key };
                self.begun.push(Begun { key, day, holder: part.holder });
            } else if everyone || self.lens.counted(part.holder, day).is_some() {
                of_class[usize::from(class)] += 1;
            }
        }
        for (class, begun) in (0..).zip(of_class).filter(|(_, begun)| *begun > 0) {
            *self.checkouts.entry(GroupKey { class, ..today.key }).or_default() += begun;
        }
    }

    /// Ends the pending requests of those who check out here.
    fn serve(&mut self, checkouts: &[Part]) {
        for part in checkouts {
            if self.pending.is_empty() {
                return;
            }
            let asker = self.askers.number(part.holder, self.lens.names);
            let Some(pending) = self.pending.remove(&asker) else { continue };
            if part.from - pending.last_at <= TOGETHER_MS
                && let Some(counts) = pending.group.and_then(|group| self.counts.get_mut(&group))
            {
                counts.delayed += 1;
            }
        }
    }

    /// Counts a denial, and the request that it begins or goes on.
    fn deny(&mut self, at: UnixMs, reason: DenialReason, holder: HolderId, today: &Today<'_>) {
        let day = today.row.civil.day;
        let counted = self.lens.counted(holder, day).filter(|_| today.row.counts);
        let group = counted.zip(today.row.class_at(at)).map(|(who, class)| {
            let key = self.labels.of_hold(today.key, holder, who.person, day, &self.lens);
            let group = (GroupKey { class, ..key }, reason.code());
            let counts = self.counts.entry(group).or_default();
            if counts.raw == 0 && reason == DenialReason::Capacity {
                self.refused.push(group);
            }
            counts.raw += 1;
            counts.persons.insert(who.person, self.lens.names.persons.len() + 1);
            group
        });
        let asker = self.askers.number(holder, self.lens.names);
        if let Some(pending) = self.pending.get_mut(&asker)
            && at - pending.last_at <= TOGETHER_MS
        {
            pending.last_at = at;
            return;
        }
        self.pending.insert(asker, Pending { last_at: at, group });
        if let Some(counts) = group.and_then(|group| self.counts.get_mut(&group)) {
            counts.requests += 1;
        }
    }
}

impl Askers {
    /// The number of a holder's person and host. Holders without a name are one asker.
    fn number(&mut self, holder: HolderId, names: &Names) -> u32 {
        if let Some(number) = self.of_holder.get(holder) {
            return number;
        }
        let asker = names.holders.get(&holder).map(|holder| (holder.person, holder.host.to_lowercase()));
        let number = self.numbers.number(asker.unwrap_or((PersonId::MAX, String::new())));
        self.of_holder.insert(holder, number);
        number
    }
}

/// The denials of a day in order of time; the order of those of one instant does not depend on how they were read.
fn denials(requests: &[Request]) -> Vec<(UnixMs, DenialReason, HolderId)> {
    let denial = |request: &Request| match request.outcome {
        Outcome::Denied(reason) => Some((request.at, reason, request.holder)),
        Outcome::Queued | Outcome::Dequeued => None,
    };
    let mut denials: Vec<_> = requests.iter().filter_map(denial).collect();
    denials.sort_by_key(|(at, reason, _)| (*at, reason.code()));
    denials
}

fn row(mut cells: Vec<Cell>, reason: i64, counts: &Counts) -> Vec<Cell> {
    let reason = DenialReason::from_code(reason).unwrap_or(DenialReason::Other);
    cells.insert(ALWAYS.len(), Cell::Text(reason.as_str().to_owned()));
    cells.extend(
        [
            counts.raw,
            counts.requests,
            counts.delayed,
            counts.requests - counts.delayed,
            counts.persons.len() as i64,
        ]
        .map(Cell::Int),
    );
    if reason == DenialReason::Capacity {
        let all = counts.raw + counts.checkouts;
        cells.extend([Cell::Int(counts.checkouts), percent(i128::from(counts.raw), i128::from(all))]);
    } else {
        cells.extend([Cell::Empty, Cell::Empty]);
    }
    cells
}
