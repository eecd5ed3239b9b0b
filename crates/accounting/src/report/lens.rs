//! What a scope counts: which features, days, holders and stretches of a day.

use super::Scope;
use super::group::Key;
use super::note::Note;
use super::table::Table;
use crate::UnixMs;
use crate::calendar::{Calendar, CivilDay};
use crate::day::Day;
use crate::ledger::{Holder, Membership, Names, PersonId, ServerId};
use crate::session::{FeatureId, HolderId};
use globset::GlobMatcher;
use rustc_hash::FxHashSet;

/// A holder in a scope.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// The person; the number after the last where there is none.
    pub person: PersonId,
    /// Whether the scope's server and person are this holder's.
    counts: bool,
}

/// A membership in a scope.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Day,
    until: Day,
    person: PersonId,
    /// Which of the person's memberships it is.
    nth: u32,
    /// Whether the scope's organization is this one.
    counts: bool,
}

/// A scope, resolved against the names of a ledger and its calendar.
#[derive(Debug)]
pub struct Lens<'a> {
    pub(crate) names: &'a Names,
    pub(crate) calendar: &'a Calendar,
    pub(crate) scope: Scope,
    features: FxHashSet<FeatureId>,
    holders: Table<Who>,
    /// The persons of holders with near numbers once more: few bytes, for the hottest loop.
    persons: Vec<PersonId>,
    /// A holder without a name.
    stranger: Who,
    /// All memberships, person by person.
    spans: Vec<Span>,
    /// Where each person's memberships begin in `spans`, and where the last one's end.
    spans_from: Vec<u32>,
}

impl<'a> Lens<'a> {
    /// The scope, resolved.
    pub fn new(names: &'a Names, calendar: &'a Calendar, scope: Scope) -> Self {
        let matches = |code: &str| scope.feature.as_ref().is_none_or(|glob| glob.is_match(code));
        let features =
            names.features.iter().filter(|(_, feature)| matches(&feature.code)).map(|(&id, _)| id).collect();
        let person_counts: Vec<bool> = names
            .persons
            .iter()
            .map(|person| scope.person.as_ref().is_none_or(|glob| glob.is_match(&person.name)))
            .collect();
        let servers = servers_named(names, scope.server.as_deref());
        let nobody = names.persons.len() as PersonId;
        let who = |holder: &Holder| Who {
            person: holder.person.min(nobody),
            counts: servers.as_ref().is_none_or(|servers| servers.contains(&holder.server))
                && person_counts.get(holder.person as usize).copied().unwrap_or(scope.person.is_none()),
        };
        let holders = Table::new(names.holders.iter().map(|(&id, holder)| (id, who(holder))));
        let stranger = Who { person: nobody, counts: scope.server.is_none() && scope.person.is_none() };
        let persons =
            (0..holders.near() as HolderId).map(|id| holders.get(id).unwrap_or(stranger).person).collect();
        let (spans, spans_from) = spans(names, &scope);
        Self { names, calendar, scope, features, holders, persons, stranger, spans, spans_from }
    }

    /// The features of the scope, ascending.
    pub fn features(&self) -> Vec<FeatureId> {
        let mut features: Vec<_> = self.features.iter().copied().collect();
        features.sort_unstable();
        features
    }

    /// Whether no two features of the ledger have the same code.
    pub(crate) fn has_unique_codes(&self) -> bool {
        let features = &self.names.features;
        let codes: FxHashSet<&str> = features.values().map(|feature| feature.code.as_str()).collect();
        codes.len() == features.len()
    }

    /// Whether the scope has this feature.
    pub fn counts_feature(&self, feature: FeatureId) -> bool {
        self.features.contains(&feature)
    }

    /// Whether all holders of a feature on a license server count, who share its seats.
    pub(crate) fn has_whole_pools(&self) -> bool {
        self.scope.person.is_none() && self.scope.organization.is_none()
    }

    /// Whether a day is in the period and, where only working days are asked for, one of them.
    pub(crate) fn counts_day(&self, civil: &CivilDay) -> bool {
        self.in_period(civil.day) && (civil.working || !self.scope.working_days_only)
    }

    pub(crate) fn in_period(&self, day: Day) -> bool {
        self.scope.from.is_none_or(|from| from <= day) && self.scope.until.is_none_or(|until| day < until)
    }

    /// The holder, where it counts on that day: its license server, its person, and the organization to which the
    /// person belongs on that day.
    pub fn counted(&self, holder: HolderId, day: Day) -> Option<Who> {
        let who = self.holders.get(holder).unwrap_or(self.stranger);
        (who.counts && self.counts_member(who.person, day)).then_some(who)
    }

    /// Whether every holder counts on every day.
    pub(crate) fn counts_everyone(&self) -> bool {
        self.scope.server.is_none() && self.has_whole_pools()
    }

    /// The person of a holder; the number after the last where there is none.
    #[inline]
    pub(crate) fn person(&self, holder: HolderId) -> PersonId {
        match self.persons.get(holder as usize) {
            Some(person) => *person,
            None => self.holders.get(holder).unwrap_or(self.stranger).person,
        }
    }

    /// Up to which number holders are near: others are found by a hash.
    pub(crate) fn near_holders(&self) -> usize {
        self.persons.len()
    }

    /// Whether the organization to which a person belongs on a day is in the scope.
    pub(crate) fn counts_member(&self, person: PersonId, day: Day) -> bool {
        self.scope.organization.is_none()
            || self.span(person, day).is_some_and(|span| self.spans[span].counts)
    }

    /// The membership in force on a day, as a number of this scope.
    pub(crate) fn span(&self, person: PersonId, day: Day) -> Option<usize> {
        if self.spans.is_empty() {
            return None;
        }
        let first = *self.spans_from.get(person as usize)? as usize;
        let next = *self.spans_from.get(person as usize + 1)? as usize;
        let in_force = |span: &Span| span.from <= day && day < span.until;
        self.spans[first..next].iter().position(in_force).map(|nth| first + nth)
    }

    /// How many numbers of memberships there are.
    pub(crate) fn span_count(&self) -> usize {
        self.spans.len()
    }

    /// The membership of a number.
    pub(crate) fn membership(&self, span: usize) -> &'a Membership {
        let Span { person, nth, .. } = self.spans[span];
        &self.names.persons[person as usize].memberships[nth as usize]
    }

    /// The stretches of a day that count: the whole day, or its cuts of the scope's class; none of a day that does
    /// not count.
    pub(crate) fn stretches(&self, civil: &CivilDay) -> Vec<(UnixMs, UnixMs)> {
        if !self.counts_day(civil) {
            return Vec::new();
        }
        match self.scope.class {
            None => vec![(civil.start, civil.end)],
            Some(class) => {
                let of_class = civil.cuts.iter().filter(|cut| cut.class == class);
                of_class.map(|cut| (cut.from, cut.until)).collect()
            }
        }
    }

    /// The license servers of a feature that are in the scope, ascending.
    pub(crate) fn servers_of(&self, feature: FeatureId) -> Vec<ServerId> {
        let only = servers_named(self.names, self.scope.server.as_deref());
        let counts = |server: &ServerId| only.as_ref().is_none_or(|only| only.contains(server));
        let of = self.names.features.get(&feature).map(|feature| &feature.servers);
        let mut servers: Vec<_> = of.into_iter().flatten().copied().filter(counts).collect();
        servers.sort_unstable();
        servers.dedup();
        servers
    }

    /// The capacity of a feature at an instant, on the license servers of the scope; `None` where that of any of
    /// them is not known.
    pub(crate) fn seats_issued(&self, feature: FeatureId, at: UnixMs) -> Option<i64> {
        let servers = self.servers_of(feature);
        if servers.is_empty() {
            return None;
        }
        let seats = |server| self.names.capacity.get(&(feature, server))?.at(at);
        servers.into_iter().map(seats).sum()
    }

    /// What must be said of every report of this scope.
    pub(crate) fn notes(&self) -> Vec<Note> {
        let mut notes = vec![Note::Zone(self.calendar.zone_name().to_owned())];
        if self.scope.working_days_only {
            let weekdays = self.calendar.working_days().iter().copied().collect();
            let holidays = self.calendar.holidays().keys().filter(|day| self.in_period(**day)).count();
            notes.push(Note::WorkingDays { weekdays, holidays });
        }
        if let Some(class) =
            self.scope.class.and_then(|class| self.calendar.classes().get(usize::from(class)))
        {
            notes.push(Note::Only(Key::TimeClass, class.name.clone()));
        }
        if let Some(server) = &self.scope.server {
            notes.push(Note::Only(Key::Server, server.clone()));
        }
        let Scope { feature, person, organization, .. } = &self.scope;
        let globs = [(Key::Feature, feature), (Key::Person, person), (Key::Organization, organization)];
        for (key, glob) in globs {
            notes.extend(glob.as_ref().map(|glob| Note::Only(key, glob.glob().to_string())));
        }
        notes.push(Note::Coverage(self.coverage()));
        notes
    }
}

/// The numbers of the license server of that name; `None` where none is asked for.
fn servers_named(names: &Names, name: Option<&str>) -> Option<FxHashSet<ServerId>> {
    let name = name?;
    Some(names.servers.iter().filter(|(_, server)| server.name == name).map(|(&id, _)| id).collect())
}

/// All memberships person by person, and where each person's begin.
fn spans(names: &Names, scope: &Scope) -> (Vec<Span>, Vec<u32>) {
    let (mut spans, mut spans_from) = (Vec::new(), vec![0]);
    for (person, of) in (0..).zip(names.persons.iter()) {
        for (nth, membership) in (0..).zip(&of.memberships) {
            let counts =
                |glob: &GlobMatcher| membership.organization.as_ref().is_some_and(|name| glob.is_match(name));
            spans.push(Span {
                from: membership.from.unwrap_or(Day(i32::MIN)),
                until: membership.until.unwrap_or(Day(i32::MAX)),
                person,
                nth,
                counts: scope.organization.as_ref().is_none_or(counts),
            });
        }
        spans_from.push(spans.len() as u32);
    }
    (spans, spans_from)
}
