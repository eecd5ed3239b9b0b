//! Group keys as small numbers, and the texts behind them.

use super::Cell;
use super::days::DayRow;
use super::group::Key;
use super::lens::Lens;
use super::table::Numbered;
use crate::calendar::Calendar;
use crate::day::Day;
use crate::ledger::PersonId;
use crate::session::{FeatureId, HolderId, VersionId};
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// The keys that are the same for a whole feature day; 0 where a key is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct OfView {
    texts: [u32; 3],
    day: i32,
    week: i32,
    month: i32,
}

/// What tells one group from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    pub(crate) view: u32,
    pub(crate) holder: u32,
    pub(crate) member: u32,
    pub(crate) version: VersionId,
    pub(crate) class: u8,
}

/// What the numbers of other labels are among these.
#[derive(Debug)]
pub(crate) struct Translation {
    views: Vec<u32>,
    holders: Vec<u32>,
    members: Vec<u32>,
}

impl Translation {
    /// The key of the same group.
    pub(crate) fn key(&self, key: GroupKey) -> GroupKey {
        let of = |numbers: &[u32], number: u32| numbers.get(number as usize).copied().unwrap_or(0);
        GroupKey {
            view: of(&self.views, key.view),
            holder: of(&self.holders, key.holder),
            member: of(&self.members, key.member),
            ..key
        }
    }
}

/// The places of texts in their order.
#[derive(Debug)]
pub(crate) struct Ranks {
    texts: Vec<i32>,
    persons: Vec<i32>,
    versions: FxHashMap<VersionId, i32>,
}

/// A holder that has not been seen yet.
const UNSEEN: u32 = u32::MAX;

/// The numbers of the keys that are asked for.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) keys: Vec<Key>,
    texts: Numbered<Option<String>>,
    views: Numbered<OfView>,
    /// The number of the person, then those of texts: user, host, server.
    holders: Numbered<[u32; 4]>,
    members: Numbered<[u32; 2]>,
    of_feature: FxHashMap<FeatureId, [u32; 3]>,
    /// The feature asked for last: its days come one after the other.
    last_feature: Option<(FeatureId, [u32; 3])>,
    /// The view numbered last: neighbouring days are in the same.
    last_view: Option<(OfView, u32)>,
    /// By holder, of those with near numbers first.
    of_holder: Vec<u32>,
    of_far_holder: FxHashMap<HolderId, u32>,
    /// By the number of a membership in the lens; the last is that of no membership.
    of_span: Vec<Option<u32>>,
    by_holder: bool,
    by_member: bool,
    by_version: bool,
    /// What stands for all persons without a name: they are one group.
    no_name: Option<PersonId>,
}

impl Labels {
    pub(crate) fn new(keys: Vec<Key>, lens: &Lens<'_>) -> Self {
        let any = |of: &[Key]| of.iter().any(|key| keys.contains(key));
        let by_holder = any(&[Key::Person, Key::User, Key::Host, Key::Server]);
        let by_member = any(&[Key::Organization, Key::Project]);
        let by_version = any(&[Key::Version]);
        let without_name = lens.names.persons.iter().position(|person| person.name.is_empty());
        Self {
            keys,
            texts: Numbered::default(),
            views: Numbered::default(),
            holders: Numbered::default(),
            members: Numbered::default(),
            of_feature: FxHashMap::default(),
            last_feature: None,
            last_view: None,
            of_holder: vec![UNSEEN; if by_holder { lens.near_holders() } else { 0 }],
            of_far_holder: FxHashMap::default(),
            of_span: vec![None; lens.span_count() + 1],
            by_holder,
            by_member,
            by_version,
            no_name: without_name.map(|place| place as PersonId),
        }
    }

    /// Makes room for so many groups at once.
    pub(crate) fn reserve(&mut self, groups: usize) {
        self.holders.reserve(groups);
    }

    pub(crate) fn has(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }

    /// The key of a feature day's group; those of its sessions are added by [`Self::of_part`].
    pub(crate) fn of_view(&mut self, feature: FeatureId, day: &DayRow, lens: &Lens<'_>) -> GroupKey {
        let number = |asked, number| if asked { number } else { 0 };
        let texts = self.of_feature(feature, lens);
        let view = OfView {
            texts,
            day: number(self.has(Key::Day), day.civil.day.0),
            week: number(self.has(Key::Week), day.week),
            month: number(self.has(Key::Month), day.month),
        };
        let number = match self.last_view {
            Some((last, number)) if last == view => number,
            _ => self.views.number(view),
        };
        self.last_view = Some((view, number));
        GroupKey { view: number, holder: 0, member: 0, version: 0, class: 0 }
    }

    /// Takes in the labels of another report of the same keys.
    pub(crate) fn translation(&mut self, other: &Self) -> Translation {
        let texts: Vec<u32> = other.texts.values.iter().map(|text| self.texts.number(text.clone())).collect();
        let has = |key: &Key| other.keys.contains(key);
        let text = |key: &Key, number: u32| if has(key) { texts[number as usize] } else { 0 };
        let of_view = |view: &OfView| OfView {
            texts: [
                text(&Key::Feature, view.texts[0]),
                text(&Key::Product, view.texts[1]),
                text(&Key::Type, view.texts[2]),
            ],
            ..*view
        };
        let of_holder = |[person, user, host, server]: &[u32; 4]| {
            [*person, text(&Key::User, *user), text(&Key::Host, *host), text(&Key::Server, *server)]
        };
        let of_member = |[organization, project]: &[u32; 2]| {
            [text(&Key::Organization, *organization), text(&Key::Project, *project)]
        };
        Translation {
            views: other.views.values.iter().map(|view| self.views.number(of_view(view))).collect(),
            holders: other.holders.values.iter().map(|texts| self.holders.number(of_holder(texts))).collect(),
            members: other.members.values.iter().map(|texts| self.members.number(of_member(texts))).collect(),
        }
    }

    /// The key of a feature's group, where time is told apart otherwise.
    pub(crate) fn of_code(&mut self, feature: FeatureId, lens: &Lens<'_>) -> GroupKey {
        let texts = self.of_feature(feature, lens);
        let view = self.views.number(OfView { texts, day: 0, week: 0, month: 0 });
        GroupKey { view, holder: 0, member: 0, version: 0, class: 0 }
    }

    /// The same key on a license server, where that is the only key of holders.
    pub(crate) fn on_server(&mut self, view: GroupKey, server: &str) -> GroupKey {
        let server = self.texts.number(Some(server.to_owned()));
        GroupKey { holder: self.holders.number([0, 0, 0, server]), ..view }
    }

    /// The license server of a group, where that is a key.
    pub(crate) fn server(&self, group: &GroupKey) -> Option<&str> {
        let number = self.has(Key::Server).then(|| self.holders.value(group.holder)[3])?;
        self.texts.value(number).as_deref()
    }

    fn of_feature(&mut self, id: FeatureId, lens: &Lens<'_>) -> [u32; 3] {
        if let Some((_, texts)) = self.last_feature.filter(|(last, _)| *last == id) {
            return texts;
        }
        let texts = self.texts_of_feature(id, lens);
        self.last_feature = Some((id, texts));
        texts
    }

    fn texts_of_feature(&mut self, id: FeatureId, lens: &Lens<'_>) -> [u32; 3] {
        if let Some(&texts) = self.of_feature.get(&id) {
            return texts;
        }
        let feature = lens.names.features.get(&id);
        let code = feature.map(|feature| feature.code.clone());
        let product = feature.and_then(|feature| feature.product.clone()).or_else(|| code.clone());
        let product_type = feature.and_then(|feature| feature.product_type.clone());
        let values = [(Key::Feature, code), (Key::Product, product), (Key::Type, product_type)];
        let texts = values.map(|(key, text)| if self.has(key) { self.texts.number(text) } else { 0 });
        self.of_feature.insert(id, texts);
        texts
    }

    /// The same key with what the session's holder and version add.
    pub(crate) fn of_part(
        &mut self,
        view: GroupKey,
        part: &crate::session::Part,
        person: PersonId,
        day: Day,
        lens: &Lens<'_>,
    ) -> GroupKey {
        let version = if self.by_version { part.version } else { 0 };
        GroupKey { version, ..self.of_hold(view, part.holder, person, day, lens) }
    }

    /// The same key with what a holder adds.
    pub(crate) fn of_hold(
        &mut self,
        view: GroupKey,
        holder: HolderId,
        person: PersonId,
        day: Day,
        lens: &Lens<'_>,
    ) -> GroupKey {
        let holder = if self.by_holder { self.of_holder(holder, lens) } else { 0 };
        let member = if self.by_member { self.of_span(lens.span(person, day), lens) } else { 0 };
        GroupKey { holder, member, ..view }
    }

    /// Whether each group is of one person.
    pub(crate) fn of_one_person(&self, lens: &Lens<'_>) -> bool {
        let without_name = || lens.names.persons.iter().filter(|person| person.name.is_empty());
        self.has(Key::Person) && without_name().nth(1).is_none()
    }

    /// A small number of a session: those of one feature day that have the same are in the same group, time class aside.
    /// `None` where there is none.
    #[inline]
    pub(crate) fn place_of_part(&self, holder: HolderId, day: Day, lens: &Lens<'_>) -> Option<usize> {
        match (self.by_holder, self.by_member, self.by_version) {
            (true, false, false) => Some(holder as usize).filter(|place| *place < lens.near_holders()),
            (false, true, false) => Some(lens.span(lens.person(holder), day).unwrap_or(lens.span_count())),
            _ => None,
        }
    }

    fn of_holder(&mut self, id: HolderId, lens: &Lens<'_>) -> u32 {
        match self.of_holder.get(id as usize) {
            Some(&number) if number != UNSEEN => return number,
            Some(_) => {}
            None => {
                if let Some(number) = self.of_far_holder.get(&id) {
                    return *number;
                }
            }
        }
        let person = if self.has(Key::Person) { self.person(lens.person(id), lens) } else { 0 };
        // Each look at a name is one into memory far away.
        let has_texts = [Key::User, Key::Host, Key::Server].iter().any(|key| self.has(*key));
        let holder = if has_texts { lens.names.holders.get(&id) } else { None };
        let server = holder.and_then(|holder| lens.names.servers.get(&holder.server));
        let values = [
            (Key::User, holder.map(|holder| holder.user.clone())),
            (Key::Host, holder.map(|holder| holder.host.clone())),
            (Key::Server, server.map(|server| server.name.clone())),
        ];
        let [user, host, server] =
            values.map(|(key, text)| if self.has(key) { self.texts.number(text) } else { 0 });
        let number = self.holders.number([person, user, host, server]);
        match self.of_holder.get_mut(id as usize) {
            Some(place) => *place = number,
            None => drop(self.of_far_holder.insert(id, number)),
        }
        number
    }

    /// A person as a group: the number after the last where there is none.
    fn person(&self, person: PersonId, lens: &Lens<'_>) -> PersonId {
        let has_none = |person| lens.names.persons.get(person as usize).is_some_and(|of| of.name.is_empty());
        self.no_name.filter(|_| has_none(person)).unwrap_or(person)
    }

    fn of_span(&mut self, span: Option<usize>, lens: &Lens<'_>) -> u32 {
        let place = span.unwrap_or(lens.span_count());
        if let Some(number) = self.of_span[place] {
            return number;
        }
        let membership = span.map(|span| lens.membership(span));
        let values = [
            (Key::Organization, membership.and_then(|membership| membership.organization.clone())),
            (Key::Project, membership.and_then(|membership| membership.project.clone())),
        ];
        let texts = values.map(|(key, text)| if self.has(key) { self.texts.number(text) } else { 0 });
        let number = self.members.number(texts);
        self.of_span[place] = Some(number);
        number
    }

    /// Whether two days of one person make the same group, time class apart.
    pub(crate) fn same_group(&self, person: PersonId, one: &DayRow, other: &DayRow, lens: &Lens<'_>) -> bool {
        let member = |day: &DayRow| {
            let membership = lens.span(person, day.civil.day).map(|span| lens.membership(span));
            membership.map_or((None, None), |membership| {
                let organization = membership.organization.as_ref().filter(|_| self.has(Key::Organization));
                (organization, membership.project.as_ref().filter(|_| self.has(Key::Project)))
            })
        };
        !self.has(Key::Day)
            && (!self.has(Key::Month) || one.month == other.month)
            && (!self.has(Key::Week) || one.week == other.week)
            && (!self.by_member || member(one) == member(other))
    }

    /// The places of all texts among each other, for [`Self::order`].
    pub(crate) fn ranks(&self, lens: &Lens<'_>) -> Ranks {
        let mut by_text: Vec<usize> = (0..self.texts.values.len()).collect();
        by_text.sort_unstable_by_key(|&number| &self.texts.values[number]);
        let mut texts = vec![0; by_text.len()];
        for (rank, number) in (0..).zip(by_text) {
            texts[number] = rank;
        }
        let mut versions: Vec<(&String, VersionId)> =
            lens.names.versions.iter().map(|(&id, text)| (text, id)).collect();
        versions.sort_unstable();
        let name = |person: &PersonId| lens.names.persons.get(*person as usize).map(|person| &person.name);
        let mut persons: Vec<PersonId> = Vec::new();
        if self.has(Key::Person) {
            persons.extend(self.holders.values.iter().map(|[person, ..]| person));
        }
        persons.sort_unstable_by(|one, other| name(one).cmp(&name(other)).then(one.cmp(other)));
        persons.dedup();
        let mut rank_of = vec![-1; if persons.is_empty() { 0 } else { lens.names.persons.len() + 1 }];
        for (rank, person) in (0..).zip(persons) {
            rank_of[person as usize] = rank;
        }
        Ranks { texts, persons: rank_of, versions: versions.into_iter().map(|(_, id)| id).zip(1..).collect() }
    }

    /// The order of rows: ascending by their keys as they were asked for, empty ones first, time classes in the
    /// calendar's order.
    pub(crate) fn order(&self, ranks: &Ranks, one: &GroupKey, other: &GroupKey) -> Ordering {
        let place = |key: &Key, group: &GroupKey| self.place(*key, ranks, group);
        let by_key = |key| place(key, one).cmp(&place(key, other));
        self.keys.iter().map(by_key).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The place of a group's key among all of its kind.
    pub(crate) fn place(&self, key: Key, ranks: &Ranks, group: &GroupKey) -> i32 {
        let view = self.views.value(group.view);
        let holder = |nth: usize| ranks.texts[self.holders.value(group.holder)[nth] as usize];
        let member = |nth: usize| ranks.texts[self.members.value(group.member)[nth] as usize];
        match key {
            Key::Feature => ranks.texts[view.texts[0] as usize],
            Key::Product => ranks.texts[view.texts[1] as usize],
            Key::Type => ranks.texts[view.texts[2] as usize],
            Key::Version => ranks.versions.get(&group.version).copied().unwrap_or(0),
            Key::Person => ranks.persons[self.holders.value(group.holder)[0] as usize],
            Key::User => holder(1),
            Key::Host => holder(2),
            Key::Server => holder(3),
            Key::Organization => member(0),
            Key::Project => member(1),
            Key::TimeClass => i32::from(group.class),
            Key::Day => view.day,
            Key::Week => view.week,
            Key::Month => view.month,
        }
    }

    /// The cells of a group's keys, in their order.
    pub(crate) fn cells(&self, group: &GroupKey, lens: &Lens<'_>) -> Vec<Cell> {
        self.keys.iter().map(|key| self.cell(*key, group, lens)).collect()
    }

    /// The cell of one key of a group.
    pub(crate) fn cell(&self, key: Key, group: &GroupKey, lens: &Lens<'_>) -> Cell {
        let view = self.views.value(group.view);
        let text = |number: u32| cell(self.texts.value(number).as_ref());
        let of_holder = |nth: usize| text(self.holders.value(group.holder)[nth]);
        let of_member = |nth: usize| text(self.members.value(group.member)[nth]);
        match key {
            Key::Feature => text(view.texts[0]),
            Key::Product => text(view.texts[1]),
            Key::Type => text(view.texts[2]),
            Key::Version => {
                cell(lens.names.versions.get(&group.version).filter(|version| !version.is_empty()))
            }
            Key::Person => {
                let person = self.holders.value(group.holder)[0];
                cell(lens.names.persons.get(person as usize).map(|person| &person.name))
            }
            Key::User => of_holder(1),
            Key::Host => of_holder(2),
            Key::Server => of_holder(3),
            Key::Organization => of_member(0),
            Key::Project => of_member(1),
            Key::TimeClass => class_cell(lens.calendar, group.class),
            Key::Day => Cell::Text(Day(view.day).to_string()),
            Key::Week => Cell::Text(week_text(view.week)),
            Key::Month => Cell::Text(month_text(view.month)),
        }
    }
}

fn cell(text: Option<&String>) -> Cell {
    text.map_or(Cell::Empty, |text| Cell::Text(text.clone()))
}

/// The name of a time class.
pub(crate) fn class_cell(calendar: &Calendar, class: u8) -> Cell {
    cell(calendar.classes().get(usize::from(class)).map(|class| &class.name))
}

/// `YYYY-Www` of an ISO year times 100 and its week.
pub(crate) fn week_text(week: i32) -> String {
    format!("{:04}-W{:02}", week.div_euclid(100), week.rem_euclid(100))
}

/// `YYYY-MM` of a count of months since the year 0.
pub(crate) fn month_text(month: i32) -> String {
    format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}
