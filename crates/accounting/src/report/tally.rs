//! Sums by groups: seat time, distinct sessions, distinct persons.

use super::days::{DayRow, Days};
use super::group::Key;
use super::labels::{GroupKey, Labels};
use super::lens::Lens;
use super::table::Persons;
use super::{Cell, SeatTime};
use crate::UnixMs;
use crate::calendar::CivilDay;
use crate::day::Day;
use crate::feature_day::DayView;
use crate::ledger::PersonId;
use crate::session::{FeatureId, Part};
use rustc_hash::{FxBuildHasher, FxHashMap};

/// A group without a number yet.
const NONE: u32 = u32::MAX;
/// Room is made for so many groups at most before there are any.
const MOST_ROOM: usize = 1 << 16;

/// The sums of a group while it grows: little memory, for the hottest loop.
#[derive(Debug, Default)]
struct Group {
    seat_ms: i128,
    sessions: i64,
    /// Persons who are not in its set: all, once no more can come and the set is given back.
    persons_counted: usize,
}

/// The sums of a group.
#[derive(Debug, PartialEq)]
pub(crate) struct Sums {
    /// A cell for each key.
    pub(crate) cells: Vec<Cell>,
    /// ∫u dt in seat-milliseconds.
    pub(crate) seat_ms: i128,
    /// Distinct sessions.
    pub(crate) sessions: i64,
    /// Distinct persons.
    pub(crate) persons: i64,
}

/// Adds up feature days by groups.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    pub(crate) lens: Lens<'a>,
    days: Days,
    labels: Labels,
    numbers: FxHashMap<GroupKey, u32>,
    groups: Vec<Group>,
    /// The persons of each group.
    persons: Vec<Persons>,
    keys: Vec<GroupKey>,
    /// The key of the present feature day, and its group of each time class, where sessions do not differ in theirs.
    view: Option<GroupKey>,
    slots: [u32; 32],
    /// The same where sessions differ, by what [`Labels::place_of_part`] says of them and time class.
    places: Places,
    by_part: bool,
    /// Whether nobody need be counted, as each group is of one person.
    of_one_person: bool,
    /// Whether the groups of a feature are complete once the next one comes.
    by_code: bool,
    feature: Option<FeatureId>,
    complete: usize,
    /// The parts of the present day that count, and those that go on from stretch to stretch: memory that is used again.
    counted: Vec<Part>,
    going_on: Vec<Part>,
    /// The places of the parts of the present day, and their groups as far as they are known: memory that is used again.
    placed: Vec<Option<usize>>,
    found: Vec<Option<u32>>,
    /// By time class and person the group in which the person was counted last, as its stamp: where days come in order
    /// and groups are never come back to, that counts them.
    last_stamp: Vec<Vec<u16>>,
}

/// What a part is looked at against: the day, and the key of its feature.
struct Today<'d> {
    row: &'d DayRow,
    key: GroupKey,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(lens: Lens<'a>, keys: Vec<Key>) -> Self {
        let mut labels = Labels::new(keys, &lens);
        let of_one_person = labels.of_one_person(&lens);
        // Where there is a group for each person there are soon many.
        let room = if of_one_person { lens.names.persons.len().min(MOST_ROOM) } else { 0 };
        labels.reserve(room);
        Self {
            by_part: labels.keys.iter().any(|key| key.is_of_holder()),
            of_one_person,
            by_code: labels.has(Key::Feature) && lens.has_unique_codes(),
            days: Days::new(labels.has(Key::TimeClass)),
            labels,
            places: Places::new(lens.calendar.classes().len()),
            lens,
            numbers: FxHashMap::with_capacity_and_hasher(room, FxBuildHasher),
            groups: Vec::with_capacity(room),
            persons: Vec::with_capacity(room),
            keys: Vec::with_capacity(room),
            view: None,
            slots: [NONE; 32],
            feature: None,
            complete: 0,
            counted: Vec::new(),
            going_on: Vec::new(),
            placed: Vec::new(),
            found: Vec::new(),
            last_stamp: Vec::new(),
        }
    }

    /// The keys, in the order of the cells.
    pub(crate) fn by(&self) -> &[Key] {
        &self.labels.keys
    }

    /// A civil day of the calendar.
    pub(crate) fn civil(&mut self, day: Day) -> CivilDay {
        self.days.row(day, &self.lens).civil.clone()
    }

    /// Whether all sessions of a feature's day and time class are in one group, and count.
    pub(crate) fn is_of_whole_days(&self) -> bool {
        !self.by_part && self.lens.counts_everyone()
    }

    /// Adds a feature day's parts, clipped to the day, to their groups.
    pub(crate) fn day(&mut self, view: &DayView<'_>) {
        let row = self.days.row(view.civil.day, &self.lens);
        if !row.counts || !self.lens.counts_feature(view.feature) {
            return;
        }
        self.begin_feature(view.feature);
        let key = self.labels.of_view(view.feature, &row, &self.lens);
        if self.view.replace(key) != Some(key) {
            self.slots = [NONE; 32];
            self.places.clear();
        }
        let today = Today { row: &row, key };
        let day = row.civil.day;
        let mut counted = std::mem::take(&mut self.counted);
        counted.clear();
        let parts = if self.lens.counts_everyone() {
            view.parts
        } else {
            let counts = |part: &&Part| self.lens.counted(part.holder, day).is_some();
            counted.extend(view.parts.iter().filter(counts).copied());
            &counted
        };
        if !row.classes_once {
            for part in parts {
                self.part(&today, part);
            }
        } else if self.by_part {
            self.by_places(&today, parts);
        } else {
            self.stretches(&today, parts);
        }
        self.counted = counted;
    }

    /// Gives the sets of persons back of the groups to which nothing more can come.
    fn begin_feature(&mut self, feature: FeatureId) {
        if self.by_code && self.feature != Some(feature) {
            self.complete_groups();
        }
        self.feature = Some(feature);
    }

    fn complete_groups(&mut self) {
        for (group, persons) in
            self.groups[self.complete..].iter_mut().zip(&mut self.persons[self.complete..])
        {
            group.persons_counted += std::mem::take(persons).len();
        }
        self.complete = self.groups.len();
        self.last_stamp.iter_mut().for_each(|stamps| stamps.fill(0));
    }

    /// A small number of a group among those of its feature, not 0; `None` where persons must be kept as a set: where
    /// groups are come back to, and of a feature's groups beyond the first 65 535.
    fn stamp(&self, number: u32) -> Option<u16> {
        let nth = (number as usize).checked_sub(self.complete).filter(|_| self.by_code)?;
        u16::try_from(nth + 1).ok()
    }

    /// Adds the stretches of the day one after the other, each with the parts that begin in it, which follow each other,
    /// and those that go on from before.
    fn stretches(&mut self, today: &Today<'_>, parts: &[Part]) {
        let mut going_on = std::mem::take(&mut self.going_on);
        going_on.clear();
        let mut rest = parts;
        for &(from, until, class) in &today.row.stretches {
            let (before, others) = rest.split_at(rest.iter().take_while(|part| part.from < from).count());
            going_on.extend(before);
            going_on.retain(|part| part.until > from);
            let (begun, others) = others.split_at(others.iter().take_while(|part| part.from < until).count());
            rest = others;
            if begun.is_empty() && going_on.is_empty() {
                continue;
            }
            let number = self.group_of_class(today, class);
            let mut sessions = begun.len() as i64;
            for part in &going_on {
                let person = self.lens.person(part.holder);
                let new =
                    part.from >= today.row.civil.start || !self.counted_before(today, part, person, class);
                sessions += i64::from(new);
            }
            self.stretch(number, (from, until, class), [&going_on, begun]);
            self.groups[number as usize].sessions += sessions;
            going_on.extend(begun.iter().filter(|part| part.until > until));
        }
        self.going_on = going_on;
    }

    /// Adds the seat time of parts in a stretch, and their persons, to a group.
    fn stretch(&mut self, number: u32, (from, until, class): (UnixMs, UnixMs, u8), parts: [&[Part]; 2]) {
        let mut seat_ms = 0;
        let Some(stamp) = self.stamp(number) else {
            for part in parts.into_iter().flatten() {
                seat_ms += i128::from(seat_ms_within(part, from, until));
                self.add_person(number, self.lens.person(part.holder));
            }
            self.groups[number as usize].seat_ms += seat_ms;
            return;
        };
        let mut persons = 0;
        let mut stamps = std::mem::take(self.last_stamp(class));
        for parts in parts {
            for part in parts {
                seat_ms += i128::from(seat_ms_within(part, from, until));
                let last = &mut stamps[self.lens.person(part.holder) as usize];
                persons += usize::from(*last != stamp);
                *last = stamp;
            }
        }
        *self.last_stamp(class) = stamps;
        let group = &mut self.groups[number as usize];
        group.seat_ms += seat_ms;
        group.persons_counted += persons;
    }

    /// By person the stamp of the group of this class in which the person was counted last.
    fn last_stamp(&mut self, class: u8) -> &mut Vec<u16> {
        let (class, persons) = (usize::from(class), self.lens.names.persons.len() + 1);
        if self.last_stamp.len() <= class {
            self.last_stamp.resize_with(class + 1, || vec![0; persons]);
        }
        &mut self.last_stamp[class]
    }

    /// Counts a person of a group once.
    fn count_person(&mut self, number: u32, class: u8, person: PersonId) {
        let Some(stamp) = self.stamp(number).filter(|_| !self.by_part) else {
            return self.add_person(number, person);
        };
        let last = std::mem::replace(&mut self.last_stamp(class)[person as usize], stamp);
        self.groups[number as usize].persons_counted += usize::from(last != stamp);
    }

    fn add_person(&mut self, number: u32, person: PersonId) {
        if !self.of_one_person {
            let persons = self.lens.names.persons.len() + 1;
            self.persons[number as usize].insert(person, persons);
        }
    }

    /// As [`Self::part`] for all parts of a day in which no time class comes twice: all places are found first, then all
    /// groups, as what is far apart in memory is fetched together then.
    fn by_places(&mut self, today: &Today<'_>, parts: &[Part]) {
        let day = today.row.civil.day;
        let (mut placed, mut groups) = (std::mem::take(&mut self.placed), std::mem::take(&mut self.found));
        placed.clear();
        let place = |part: &Part| self.labels.place_of_part(part.holder, day, &self.lens);
        placed.extend(parts.iter().map(place));
        for &(from, until, class) in &today.row.stretches {
            groups.clear();
            let group = |place: &Option<usize>| self.places.get(self.places.place((*place)?, class));
            groups.extend(placed.iter().map(group));
            for (part, group) in parts.iter().zip(&groups) {
                if qualifies(part, from, until) {
                    let number = group.unwrap_or_else(|| self.group_of_part(today, part, class));
                    self.add(today, part, (from, until, class), number, true);
                }
            }
        }
        (self.placed, self.found) = (placed, groups);
    }

    /// Adds one session's part of a day: (overlap with each stretch) · seats, the session once a group, its person.
    fn part(&mut self, today: &Today<'_>, part: &Part) {
        let mut seen = 0_u32;
        for &(from, until, class) in &today.row.stretches {
            if !qualifies(part, from, until) {
                continue;
            }
            let number = match self.by_part {
                true => self.group_of_part(today, part, class),
                false => self.group_of_class(today, class),
            };
            let first = seen & (1 << class) == 0;
            seen |= 1 << class;
            self.add(today, part, (from, until, class), number, first);
        }
    }

    /// Adds what a part holds in a stretch to a group, and where it is the `first` stretch of its class that it is in, its
    /// session and its person.
    #[inline]
    fn add(
        &mut self,
        today: &Today<'_>,
        part: &Part,
        (from, until, class): (UnixMs, UnixMs, u8),
        number: u32,
        first: bool,
    ) {
        let new = first
            && (part.from >= today.row.civil.start
                || !self.counted_before(today, part, self.lens.person(part.holder), class));
        if first && !self.of_one_person {
            self.count_person(number, class, self.lens.person(part.holder));
        }
        let group = &mut self.groups[number as usize];
        group.seat_ms += i128::from(seat_ms_within(part, from, until));
        group.sessions += i64::from(new);
    }

    /// The group of a part of a class, where parts differ in theirs.
    fn group_of_part(&mut self, today: &Today<'_>, part: &Part, class: u8) -> u32 {
        let day = today.row.civil.day;
        let place = self.labels.place_of_part(part.holder, day, &self.lens);
        let place = place.map(|place| self.places.place(place, class));
        if let Some(number) = place.and_then(|place| self.places.get(place)) {
            return number;
        }
        let person = self.lens.person(part.holder);
        let key = self.labels.of_part(today.key, part, person, day, &self.lens);
        let number = self.number(GroupKey { class, ..key });
        if let Some(place) = place {
            self.places.set(place, number);
        }
        number
    }

    /// The group of all parts of a class, where parts do not differ in theirs.
    fn group_of_class(&mut self, today: &Today<'_>, class: u8) -> u32 {
        let slot = self.slots[usize::from(class)];
        if slot != NONE {
            return slot;
        }
        let number = self.number(GroupKey { class, ..today.key });
        self.slots[usize::from(class)] = number;
        number
    }

    fn number(&mut self, key: GroupKey) -> u32 {
        let (groups, persons, keys) = (&mut self.groups, &mut self.persons, &mut self.keys);
        *self.numbers.entry(key).or_insert_with(|| {
            groups.push(Group::default());
            persons.push(Persons::default());
            keys.push(key);
            groups.len() as u32 - 1
        })
    }

    /// Adds the groups of another tally of the same names, scope and keys that was given other features.
    pub(crate) fn join(&mut self, mut other: Self) {
        if self.by_code {
            self.complete_groups();
            other.complete_groups();
        }
        let translated = self.labels.translation(&other.labels);
        for ((key, group), persons) in other.keys.into_iter().zip(other.groups).zip(other.persons) {
            let number = self.number(translated.key(key));
            let into = &mut self.groups[number as usize];
            into.seat_ms += group.seat_ms;
            into.sessions += group.sessions;
            into.persons_counted += group.persons_counted;
            persons.each(|person| self.add_person(number, person));
        }
        self.complete = if self.by_code { self.groups.len() } else { 0 };
    }

    /// Whether an earlier day of the period put the session in the same group: then it has been counted there.
    fn counted_before(&mut self, today: &Today<'_>, part: &Part, person: PersonId, class: u8) -> bool {
        let mut day = today.row.civil.day;
        loop {
            day = day.previous();
            if self.lens.scope.from.is_some_and(|from| day < from) {
                return false;
            }
            let row = self.days.row(day, &self.lens);
            if row.civil.end <= part.from || self.ends_here(today.row, &row) {
                return false;
            }
            if row.counts
                && self.lens.counts_member(person, day)
                && self.labels.same_group(person, today.row, &row, &self.lens)
                && row.stretches.iter().any(|&(from, until, of)| of == class && qualifies(part, from, until))
            {
                return true;
            }
        }
    }

    /// Whether no day up to `earlier` can be in the groups of `today`, as its month, week or day is another.
    fn ends_here(&self, today: &DayRow, earlier: &DayRow) -> bool {
        self.labels.has(Key::Day)
            || self.labels.has(Key::Month) && today.month != earlier.month
            || self.labels.has(Key::Week) && today.week != earlier.week
    }

    /// The groups, ascending by their keys in the order asked for (time classes in the calendar's order).
    pub(crate) fn finish(self) -> Vec<Sums> {
        let (labels, lens) = (&self.labels, &self.lens);
        let ranks = labels.ranks(lens);
        let mut order: Vec<usize> = (0..self.keys.len()).collect();
        order.sort_unstable_by(|one, other| labels.order(&ranks, &self.keys[*one], &self.keys[*other]));
        let sums = |number: usize| {
            let (group, persons) = (&self.groups[number], self.persons[number].len());
            Sums {
                cells: labels.cells(&self.keys[number], lens),
                seat_ms: group.seat_ms,
                sessions: group.sessions,
                persons: if self.of_one_person { 1 } else { (group.persons_counted + persons) as i64 },
            }
        };
        order.into_iter().map(sums).collect()
    }
}

impl SeatTime for Tally<'_> {
    fn add(&mut self, feature: FeatureId, civil: &CivilDay, seat_ms: &[i64]) {
        let row = self.days.row(civil.day, &self.lens);
        if !row.counts || !self.lens.counts_feature(feature) {
            return;
        }
        let key = self.labels.of_view(feature, &row, &self.lens);
        if self.view.replace(key) != Some(key) {
            self.slots = [NONE; 32];
        }
        let by_class = self.labels.has(Key::TimeClass);
        for (class, seat_ms) in (0_u8..).zip(seat_ms) {
            if *seat_ms != 0 && self.lens.scope.class.is_none_or(|only| only == class) {
                let class = if by_class { class } else { 0 };
                let number = self.group_of_class(&Today { row: &row, key }, class);
                self.groups[number as usize].seat_ms += i128::from(*seat_ms);
            }
        }
    }
}

/// Groups of the present feature day by a small number and time class: an array, for the hottest loop.
#[derive(Debug)]
struct Places {
    classes: usize,
    groups: Vec<u32>,
    /// Which of them are set.
    set: Vec<usize>,
}

impl Places {
    fn new(classes: usize) -> Self {
        Self { classes: classes.max(1), groups: Vec::new(), set: Vec::new() }
    }

    fn place(&self, number: usize, class: u8) -> usize {
        number * self.classes + usize::from(class)
    }

    fn get(&self, place: usize) -> Option<u32> {
        self.groups.get(place).copied().filter(|group| *group != NONE)
    }

    fn set(&mut self, place: usize, group: u32) {
        if place >= self.groups.len() {
            self.groups.resize(place + 1, NONE);
        }
        self.groups[place] = group;
        self.set.push(place);
    }

    fn clear(&mut self) {
        for place in self.set.drain(..) {
            self.groups[place] = NONE;
        }
    }
}

/// What a session holds in `[from, until)`, no longer than a day, in seat-milliseconds.
#[inline]
fn seat_ms_within(part: &Part, from: UnixMs, until: UnixMs) -> i64 {
    let held = part.until.min(until) - part.from.max(from);
    held * i64::from(part.seats)
}

/// Whether a session is in `[from, until)`: it overlaps it, or, of zero length, lies in it.
fn qualifies(part: &Part, from: UnixMs, until: UnixMs) -> bool {
    part.from.max(from) < part.until.min(until)
        || part.from == part.until && from <= part.from && part.from < until
}
