//! What a server has given out: who holds which handle, and which of those that share a seat holds it.
//!
//! Checkouts that share a seat name the handle of one of their group. One member of a group holds its seats, the
//! others none; when that one returns, the seats pass on to the member with the least handle. So the seats of all
//! holds add up to what the server counts as in use.

use super::record::{Record, Who};
use accounting::event::Claim;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// No more holds than this are remembered.
const MOST: usize = 1_000_000;

/// Who holds what by one handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hold {
    product: String,
    version: String,
    user: String,
    host: String,
    /// The count that was asked for.
    count: u32,
    /// The seats that it holds itself: none where another one of its group holds them.
    pub(super) seats: u32,
    group: Option<u64>,
    waits: bool,
}

/// Handles that share seats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    /// Who holds the seats; none where that was checked out before the text began.
    holder: Option<String>,
    seats: u32,
    /// The others, by length and text of their handles.
    others: BTreeSet<(usize, String)>,
    /// Handles by which the group is known.
    names: BTreeSet<String>,
}

/// All holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Holds {
    /// By handle. One client may hold several things by one handle.
    open: BTreeMap<String, Vec<Hold>>,
    groups: BTreeMap<u64, Group>,
    /// Groups by handles of members that are gone or were never seen.
    names: BTreeMap<String, u64>,
    next_group: u64,
}

/// What a checkin returns.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Returned {
    /// The hold that ends, where it is known.
    pub(super) hold: Option<Hold>,
    /// The member of the group that the seats pass on to, with its handle.
    pub(super) heir: Option<(String, Hold)>,
}

impl Hold {
    pub(super) fn new(who: &Who<'_>, count: u32) -> Self {
        let own = |text: &Cow<'_, str>| text.as_ref().to_owned();
        Self {
            product: own(&who.product),
            version: own(&who.version),
            user: own(&who.user),
            host: own(&who.host),
            count,
            seats: count,
            group: None,
            waits: false,
        }
    }

    fn is_of(&self, who: &Who<'_>) -> bool {
        self.product == who.product && self.user == who.user && self.host == who.host
    }

    /// Whether this is a request in the queue.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// This hold as a claim of so many seats.
    pub(super) fn claim<'a>(&self, handle: &str, seats: u32) -> Claim<'a> {
        Claim {
            feature: Cow::Owned(self.product.clone()),
            version: Some(Cow::Owned(self.version.clone())),
            user: Cow::Owned(self.user.clone()),
            host: Cow::Owned(self.host.clone()),
            handle: Some(Cow::Owned(handle.to_owned())),
            seats,
            ..Claim::default()
        }
    }
}

impl Holds {
    pub(super) fn clear(&mut self) {
        *self = Self { next_group: self.next_group, ..Self::default() };
    }

    /// Forgets all handles but these.
    pub(super) fn keep(&mut self, listed: &BTreeSet<String>) {
        let gone: Vec<(String, Vec<Hold>)> =
            self.open.extract_if(.., |handle, _| !listed.contains(handle)).collect();
        for (handle, holds) in &gone {
            for hold in holds {
                self.leave(handle, hold);
            }
        }
    }

    /// Whether this is known to be held.
    pub(super) fn knows(&self, handle: &str, who: &Who<'_>) -> bool {
        self.open.get(handle).is_some_and(|holds| holds.iter().any(|hold| !hold.waits && hold.is_of(who)))
    }

    /// Whether a shared handle belongs to a group or a hold that is known.
    pub(super) fn knows_group(&self, share: &str) -> bool {
        self.open.contains_key(share) || self.names.contains_key(share)
    }

    /// Takes a checkout; the seats that it adds to those in use, and what others held by its handle before: a server
    /// gives a handle out again only when it is free.
    pub(super) fn check_out(
        &mut self,
        handle: &str,
        share: Option<&str>,
        who: &Who<'_>,
        count: u32,
    ) -> (u32, Vec<Hold>) {
        let stale = self.stale(handle, who);
        let mut hold = Hold::new(who, count);
        if let Some(share) = share.filter(|share| *share != handle) {
            let group = self.group(share, count);
            hold.group = Some(group);
            hold.seats = 0;
            if let Some(group) = self.groups.get_mut(&group) {
                group.others.insert((handle.len(), handle.to_owned()));
            }
        }
        let seats = hold.seats;
        self.insert(handle, hold);
        (seats, stale)
    }

    /// Takes a hold that shares seats and was given out before the text began; the seats that it holds itself. The
    /// first of a group whose holder is not known is its holder.
    pub(super) fn adopt(&mut self, handle: &str, share: &str, hold: &Hold) -> u32 {
        let known = self.knows_group(share);
        let group = self.group(share, hold.count);
        let Some(shared) = self.groups.get_mut(&group) else { return hold.count };
        let seats = if known { 0 } else { hold.count };
        if known {
            shared.others.insert((handle.len(), handle.to_owned()));
        } else {
            shared.holder = Some(handle.to_owned());
        }
        self.insert(handle, Hold { group: Some(group), seats, ..hold.clone() });
        seats
    }

    /// Remembers who waits by a handle.
    pub(super) fn wait(&mut self, handle: &str, who: &Who<'_>, count: u32) {
        self.insert(handle, Hold { waits: true, ..Hold::new(who, count) });
    }

    fn insert(&mut self, handle: &str, hold: Hold) {
        if self.open.len() < MOST || self.open.contains_key(handle) {
            self.open.entry(handle.to_owned()).or_default().push(hold);
        }
    }

    fn stale(&mut self, handle: &str, who: &Who<'_>) -> Vec<Hold> {
        let Some(holds) = self.open.get_mut(handle) else { return Vec::new() };
        holds.retain(|hold| !hold.waits);
        let others: Vec<Hold> =
            holds.extract_if(.., |hold| hold.user != who.user || hold.host != who.host).collect();
        if holds.is_empty() {
            self.open.remove(handle);
        }
        for hold in &others {
            self.leave(handle, hold);
        }
        others
    }

    /// The group that a shared handle stands for, made where there is none.
    fn group(&mut self, share: &str, count: u32) -> u64 {
        let founder = self.open.get_mut(share).and_then(|holds| holds.iter_mut().find(|hold| !hold.waits));
        let known = match &founder {
            Some(founder) => founder.group,
            None => self.names.get(share).copied(),
        };
        if let Some(known) = known {
            return known;
        }
        let number = self.next_group;
        self.next_group += 1;
        let holder = founder.is_some().then(|| share.to_owned());
        let seats = founder.as_ref().map_or(count, |founder| founder.seats);
        if let Some(founder) = founder {
            founder.group = Some(number);
        }
        let names = BTreeSet::from([share.to_owned()]);
        self.groups.insert(number, Group { holder, seats, others: BTreeSet::new(), names });
        self.names.insert(share.to_owned(), number);
        number
    }

    /// Takes a checkin. Without `who`, as in small logs, the handle and the count tell which hold it is.
    pub(super) fn check_in(&mut self, record: &Record<'_>) -> Returned {
        let Record { handle, who, count, .. } = record;
        let Some(holds) = self.open.get_mut(&**handle) else { return self.of_unseen(handle, *count) };
        let fits = |hold: &Hold| who.as_ref().is_none_or(|who| hold.is_of(who));
        let exact = holds.iter().position(|hold| fits(hold) && hold.count == *count);
        let Some(index) = exact.or_else(|| holds.iter().position(fits)) else { return Returned::default() };
        let hold = holds.remove(index);
        if holds.is_empty() {
            self.open.remove(&**handle);
        }
        let heir = self.leave(handle, &hold);
        Returned { hold: Some(hold), heir }
    }

    /// Takes a request out of the queue.
    pub(super) fn dequeue(&mut self, handle: &str) -> Option<Hold> {
        let holds = self.open.get_mut(handle)?;
        let index = holds.iter().position(|hold| hold.waits)?;
        let hold = holds.remove(index);
        if holds.is_empty() {
            self.open.remove(handle);
        }
        Some(hold)
    }

    /// Somebody whose checkout was not read returns: who shared with them gets the seats.
    fn of_unseen(&mut self, handle: &str, count: u32) -> Returned {
        let Some(&number) = self.names.get(handle) else { return Returned::default() };
        let Some(group) = self.groups.get_mut(&number).filter(|group| group.holder.is_none()) else {
            return Returned::default();
        };
        group.seats = count;
        Returned { hold: None, heir: self.pass_on(number) }
    }

    /// A hold leaves its group.
    fn leave(&mut self, handle: &str, hold: &Hold) -> Option<(String, Hold)> {
        let number = hold.group?;
        let stays = |hold: &Hold| hold.group == Some(number);
        if self.open.get(handle).is_some_and(|holds| holds.iter().any(stays)) {
            return None;
        }
        let group = self.groups.get_mut(&number)?;
        if group.holder.as_deref() == Some(handle) {
            group.holder = None;
            let heir = self.pass_on(number);
            self.keep_name(number, handle);
            return heir;
        }
        group.others.remove(&(handle.len(), handle.to_owned()));
        if group.others.is_empty() && group.holder.is_none() {
            self.dissolve(number);
        }
        None
    }

    /// The group's seats pass on to its next member; none is left where the group ends.
    fn pass_on(&mut self, number: u64) -> Option<(String, Hold)> {
        let group = self.groups.get_mut(&number)?;
        let Some((_, heir)) = group.others.pop_first() else {
            self.dissolve(number);
            return None;
        };
        group.holder = Some(heir.clone());
        let seats = group.seats;
        let hold = self.open.get_mut(&heir)?.iter_mut().find(|hold| hold.group == Some(number))?;
        hold.seats = seats;
        Some((heir, hold.clone()))
    }

    /// Of a group's names only that of the member that left last is of use.
    fn keep_name(&mut self, number: u64, name: &str) {
        let Some(group) = self.groups.get_mut(&number) else { return };
        let names = std::mem::replace(&mut group.names, BTreeSet::from([name.to_owned()]));
        self.forget_names(number, names);
        self.names.insert(name.to_owned(), number);
    }

    fn dissolve(&mut self, number: u64) {
        if let Some(group) = self.groups.remove(&number) {
            self.forget_names(number, group.names);
        }
    }

    fn forget_names(&mut self, number: u64, names: BTreeSet<String>) {
        for name in names {
            if self.names.get(&name) == Some(&number) {
                self.names.remove(&name);
            }
        }
    }
}
