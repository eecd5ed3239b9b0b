//! `allocation`: what is paid for licenses, split by who used them.

use super::days::{DayRow, Days};
use super::group::Key;
use super::labels::{GroupKey, Labels};
use super::lens::Lens;
use super::money::{Cents, cost, split};
use super::note::{Money, Note, OfBill, Totals};
use super::packages::Packages;
use super::table::Numbered;
use super::{Accumulator, Cell, Column, Report, Scope, minutes};
use crate::UnixMs;
use crate::calendar::Calendar;
use crate::concurrency::Sweep;
use crate::feature_day::DayView;
use crate::ledger::{Names, PersonId};
use crate::session::{FeatureId, Part};
use rustc_hash::FxHashMap;

/// By what a bill is split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Share {
    /// Seats · time.
    #[default]
    SeatSeconds,
    /// The time in which a person holds at least one seat of the feature.
    PersonSeconds,
}

impl std::str::FromStr for Share {
    type Err = UnknownShare;

    fn from_str(text: &str) -> Result<Self, UnknownShare> {
        match text {
            "seat-seconds" => Ok(Self::SeatSeconds),
            "person-seconds" => Ok(Self::PersonSeconds),
            _ => Err(UnknownShare(text.to_owned())),
        }
    }
}

/// A way to share that there is not.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown share `{0}`: one of seat-seconds person-seconds")]
pub struct UnknownShare(String);

/// What `allocation` can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The keys, in the order of the columns.
    pub by: Vec<Key>,
    /// By what bills are split.
    pub share: Share,
    /// The bill; the catalog's prices where there is none.
    pub cost: Option<Cents>,
    /// What the amounts are in: only shown.
    pub currency: Option<String>,
}

impl Default for Options {
    /// The catalog's prices, by organization and seat time.
    fn default() -> Self {
        Self { by: vec![Key::Organization], share: Share::default(), cost: None, currency: None }
    }
}

/// The report `allocation` (domain.md §5): amount = cost · share, with share = the group's seat time (or
/// person time) / those of all groups, rounded by largest remainder ([`split`]; of equal remainders those of the
/// earlier rows get the cent), so that the amounts sum to the bill to the cent.
///
/// - `usage_minutes` = ∫u dt / 60 of the group, by whatever the bill is split,
/// - `share_percent`: the group's share of the bill, or of the sum of all bills that are split, before rounding,
/// - `amount` in whole hundredths.
///
/// **One bill** (`cost`) is split by the use of all features of the scope, added up; without
/// `feature` among the keys also without the sessions of packages whose component counts, as in `usage` by product. **Without it** every feature with a
/// price in the catalog has a bill of its own: the price of one seat · the capacity in force at the end of the period or,
/// where that is not known, the peak of the use that counts. A group gets the sum of its parts of these bills.
///
/// Persons belong to organizations and projects as of the day of use. Use without one has a row of its own, an empty
/// key, and takes part. A bill of what nobody used is not split; a note says so.
#[derive(Debug)]
pub struct Allocation<'a> {
    lens: Lens<'a>,
    days: Days,
    labels: Labels,
    options: Options,
    by_part: bool,
    packages: Option<Packages>,
    /// Groups by the feature whose bill is split among them; none where there is one bill for all.
    groups: Numbered<(Option<FeatureId>, GroupKey)>,
    uses: Vec<Use>,
    /// Of features with a price and without a known capacity: the peak so far.
    peaks: FxHashMap<FeatureId, i64>,
    sweep: Sweep,
    /// Who held when in the present feature day: group, person, from, until.
    held: Vec<(u32, PersonId, UnixMs, UnixMs)>,
}

/// A group without a number yet.
const NONE: u32 = u32::MAX;

/// The use of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    seat_ms: i128,
    person_ms: i128,
}

/// A row before it is rendered.
#[derive(Debug, Default)]
struct Allotted {
    seat_ms: i128,
    /// The share before rounding, in parts of what all rows share; only shown.
    share: f64,
    amount: i64,
}

impl<'a> Allocation<'a> {
    /// An empty one.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope, options: Options) -> Self {
        let lens = Lens::new(names, calendar, scope);
        let has = |key| options.by.contains(&key);
        let one_use = options.cost.is_some() && !has(Key::Feature);
        let mut allocation = Self {
            days: Days::new(has(Key::TimeClass)),
            by_part: options.by.iter().any(|key| key.is_of_holder()),
            packages: one_use.then(|| Packages::new(names, &lens.features())),
            labels: Labels::new(options.by.clone(), &lens),
            lens,
            options,
            groups: Numbered::default(),
            uses: Vec::new(),
            peaks: FxHashMap::default(),
            sweep: Sweep::default(),
            held: Vec::new(),
        };
        if allocation.options.cost.is_none() {
            let unknown = |id: &FeatureId| {
                let priced = names.features.get(id).is_some_and(|feature| feature.price.is_some());
                priced && allocation.seats_issued(*id).is_none()
            };
            allocation.peaks =
                allocation.lens.features().into_iter().filter(unknown).map(|id| (id, 0)).collect();
        }
        allocation
    }

    /// The capacity in force at the end of the period, where known.
    fn seats_issued(&self, feature: FeatureId) -> Option<i64> {
        let end = self.lens.scope.until.map(|until| until.start(self.lens.calendar.zone()) - 1);
        self.lens.seats_issued(feature, end.unwrap_or(UnixMs::MAX))
    }
}

impl Accumulator for Allocation<'_> {
    fn features(&self) -> Vec<FeatureId> {
        let mut features = self.lens.features();
        features.extend(self.packages.iter().flat_map(Packages::components));
        features.sort_unstable();
        features.dedup();
        features
    }

    fn day(&mut self, view: &DayView<'_>) {
        let lens = &self.lens;
        let (day, counts) = (view.civil.day, lens.counts_day(view.civil));
        let held = self.packages.as_mut().is_some_and(|packages| {
            packages.take(view, |part| counts && lens.counted(part.holder, day).is_some())
        });
        if !held {
            self.add(view);
        }
    }

    fn finish(mut self: Box<Self>) -> Report {
        for (feature, day, parts) in self.packages.take().into_iter().flat_map(Packages::release) {
            let civil = self.lens.calendar.day(day);
            self.add(&DayView { feature, civil: &civil, parts: &parts, requests: &[] });
        }
        let mut notes = self.lens.notes();
        self.say_how(&mut notes);
        let bills = self.bills(&mut notes);
        let rows = self.rows(&bills, &mut notes);
        let mut columns: Vec<_> = self.options.by.iter().map(|key| Column::text(key.name())).collect();
        columns.extend(["usage_minutes", "share_percent", "amount"].map(Column::number));
        if self.options.currency.is_some() {
            columns.push(Column::text("currency"));
        }
        Report { name: "allocation", columns, rows, notes }
    }
}

impl Allocation<'_> {
    /// Adds a feature day's parts, clipped to what counts, to their groups.
    fn add(&mut self, view: &DayView<'_>) {
        let row = self.days.row(view.civil.day, &self.lens);
        if !row.counts || !self.lens.counts_feature(view.feature) {
            return;
        }
        let key = self.labels.of_view(view.feature, &row, &self.lens);
        let bill = self.options.cost.is_none().then_some(view.feature);
        let peaks = self.peaks.contains_key(&view.feature);
        self.sweep.begin(view.civil.start, view.civil.end);
        let mut of_class = [NONE; 32];
        for part in view.parts {
            let Some(who) = self.lens.counted(part.holder, row.civil.day) else { continue };
            for &(from, until, class) in &row.stretches {
                let (from, until) = (part.from.max(from), part.until.min(until));
                if from >= until {
                    continue;
                }
                let group = match of_class[usize::from(class)] {
                    known if known != NONE && !self.by_part => known,
                    _ => self.group(bill, GroupKey { class, ..key }, part, who.person, &row),
                };
                of_class[usize::from(class)] = group;
                self.uses[group as usize].seat_ms += i128::from((until - from) * i64::from(part.seats));
                if self.options.share == Share::PersonSeconds {
                    self.held.push((group, who.person, from, until));
                }
                if peaks {
                    self.sweep.add(from, until, part.seats);
                }
            }
        }
        self.add_persons();
        if let Some(peak) = self.peaks.get_mut(&view.feature) {
            self.sweep.levels(|level| *peak = level.seats.max(*peak));
        }
    }

    fn group(
        &mut self,
        bill: Option<FeatureId>,
        key: GroupKey,
        part: &Part,
        person: PersonId,
        row: &DayRow,
    ) -> u32 {
        let key = if self.by_part {
            self.labels.of_part(key, part, person, row.civil.day, &self.lens)
        } else {
            key
        };
        let number = self.groups.number((bill, key));
        if number as usize == self.uses.len() {
            self.uses.push(Use::default());
        }
        number
    }

    /// Adds the time in which each person held at least one seat: the union of what it held.
    fn add_persons(&mut self) {
        self.held.sort_unstable();
        for of_one in self.held.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
            let mut covered_until = UnixMs::MIN;
            for &(group, _, from, until) in of_one {
                let from = from.max(covered_until);
                if from < until {
                    self.uses[group as usize].person_ms += i128::from(until - from);
                    covered_until = until;
                }
            }
        }
        self.held.clear();
    }

    fn say_how(&self, notes: &mut Vec<Note>) {
        notes.push(Note::Bill(OfBill::By(self.options.share)));
        if self.options.by.iter().any(|key| matches!(key, Key::Organization | Key::Project)) {
            notes.push(Note::Bill(OfBill::Memberships));
        }
        if self.lens.names.totals.iter().any(|total| self.lens.counts_feature(total.feature)) {
            notes.push(Note::Totals(Totals::NotBilled));
        }
    }

    /// The bills, each with the feature by whose use it is split, and notes on them.
    fn bills(&self, notes: &mut Vec<Note>) -> Vec<(Option<FeatureId>, Cents)> {
        if let Some(cost) = self.options.cost {
            notes.push(Note::Bill(OfBill::One {
                bill: self.money(cost),
                some: self.lens.scope.feature.is_some(),
                without_packages: !self.options.by.contains(&Key::Feature),
            }));
            return vec![(None, cost)];
        }
        let names = self.lens.names;
        let mut features: Vec<_> =
            self.lens.features().into_iter().filter_map(|id| Some((id, names.features.get(&id)?))).collect();
        features.sort_by_key(|(_, feature)| feature.code.as_str());
        let (mut bills, mut unpriced) = (Vec::new(), Vec::new());
        for (id, feature) in features {
            let Some(price) = &feature.price else {
                if self.groups.values.iter().any(|(of, _)| *of == Some(id)) {
                    unpriced.push(feature.code.clone());
                }
                continue;
            };
            let issued = self.seats_issued(id);
            let seats = issued.or_else(|| self.peaks.get(&id).copied()).unwrap_or_default();
            let Some(bill) = cost(price, seats) else {
                notes.push(Note::Bill(OfBill::NoPrice {
                    feature: feature.code.clone(),
                    price: price.clone(),
                }));
                continue;
            };
            if seats > 0 {
                notes.push(Note::Bill(OfBill::Priced {
                    feature: feature.code.clone(),
                    price: price.clone(),
                    seats,
                    issued: issued.is_some(),
                    bill: self.money(bill),
                }));
            }
            bills.push((Some(id), bill));
        }
        if !unpriced.is_empty() {
            notes.push(Note::Bill(OfBill::Unpriced(unpriced)));
        }
        bills
    }

    /// Splits the bills; the groups in their order.
    fn rows(&self, bills: &[(Option<FeatureId>, Cents)], notes: &mut Vec<Note>) -> Vec<Vec<Cell>> {
        let ranks = self.labels.ranks(&self.lens);
        let mut of_bill: FxHashMap<Option<FeatureId>, Vec<(GroupKey, Use)>> = FxHashMap::default();
        for ((bill, key), of_group) in self.groups.values.iter().zip(&self.uses) {
            of_bill.entry(*bill).or_default().push((*key, *of_group));
        }
        let mut allotted: FxHashMap<GroupKey, Allotted> = FxHashMap::default();
        let mut shared = 0.0;
        for (id, bill) in bills {
            let mut groups = of_bill.remove(id).unwrap_or_default();
            groups.sort_unstable_by(|(one, _), (other, _)| self.labels.order(&ranks, one, other));
            let weights: Vec<i128> = groups.iter().map(|(_, of_group)| self.weight(*of_group)).collect();
            let Some(parts) = split(*bill, &weights) else {
                notes.extend(self.unused(*id, *bill));
                continue;
            };
            let total = weights.iter().sum::<i128>() as f64;
            // Of one bill the shares are those of use, else those of money.
            let share = |weight: i128| match id {
                None => weight as f64,
                Some(_) => bill.0 as f64 * weight as f64 / total,
            };
            shared += if id.is_none() { total } else { bill.0 as f64 };
            for (((key, of_group), weight), part) in groups.into_iter().zip(weights).zip(parts) {
                let row = allotted.entry(key).or_default();
                row.seat_ms += of_group.seat_ms;
                row.share += share(weight);
                row.amount += part.0;
            }
        }
        let mut rows: Vec<(GroupKey, Allotted)> = allotted.into_iter().collect();
        rows.sort_unstable_by(|(one, _), (other, _)| self.labels.order(&ranks, one, other));
        rows.into_iter().map(|(key, row)| self.cells(&key, &row, shared)).collect()
    }

    fn weight(&self, of_group: Use) -> i128 {
        match self.options.share {
            Share::SeatSeconds => of_group.seat_ms,
            Share::PersonSeconds => of_group.person_ms,
        }
    }

    fn cells(&self, key: &GroupKey, row: &Allotted, shared: f64) -> Vec<Cell> {
        let mut cells = self.labels.cells(key, &self.lens);
        let percent = if shared > 0.0 { Cell::Decimal(100.0 * row.share / shared) } else { Cell::Empty };
        cells.extend([minutes(row.seat_ms), percent, Cell::Amount(Cents(row.amount))]);
        cells.extend(self.options.currency.clone().map(Cell::Text));
        cells
    }

    /// What is said of a bill that nobody's use can split; nothing where there is nothing to pay.
    fn unused(&self, id: Option<FeatureId>, bill: Cents) -> Option<Note> {
        let of = id.and_then(|id| self.lens.names.features.get(&id));
        let feature = of.map(|feature| feature.code.clone());
        (bill > Cents(0)).then(|| Note::Bill(OfBill::Unused { feature, bill: self.money(bill) }))
    }

    fn money(&self, amount: Cents) -> Money {
        Money { amount, currency: self.options.currency.clone() }
    }
}
