//! The directory: who the users are, and what they belong to.

use crate::day::Day;
use crate::ledger::Membership;
use std::collections::{BTreeMap, BTreeSet};

/// A line of the directory: a user in a span of days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The user's login name.
    pub login: String,
    /// The domain of the login, where there are several.
    pub domain: Option<String>,
    /// The organization to which the user belongs.
    pub organization: Option<String>,
    /// The project for which the user works.
    pub project: Option<String>,
    /// The first day; `None` for ever before.
    pub valid_from: Option<Day>,
    /// The day after the last; `None` for ever after, or until another entry begins.
    pub valid_until: Option<Day>,
    /// The number by which another system knows the organization.
    pub external_id: Option<i64>,
}

/// The directory, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// The entries of each person's name, ascending by their first day.
    persons: BTreeMap<String, Vec<Entry>>,
    /// The names of the persons with each login.
    logins: BTreeMap<String, BTreeSet<String>>,
}

impl Directory {
    /// The directory of these entries. Logins and domains that differ only in case are the same; a login written
    /// `domain\login` says its domain itself. Of two entries of one person with the same first day the later counts.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut directory = Self::default();
        for entry in entries {
            let (domain, login) = split(&entry.login);
            let domain = entry.domain.as_deref().map(normal).filter(|domain| !domain.is_empty()).or(domain);
            let name = joined(domain.as_deref(), &login);
            directory.logins.entry(login).or_default().insert(name.clone());
            directory.persons.entry(name).or_default().push(entry);
        }
        for entries in directory.persons.values_mut() {
            entries.sort_by_key(|entry| entry.valid_from);
        }
        directory
    }

    /// The name of the person whom the text names that a license server prints for a user: `domain\login` or
    /// `login` of the directory, in lower case. `domain\user` is the entry of that domain, else the one that names no
    /// domain; `user` alone is the only person with that login, whatever the domain. A user whom the directory does
    /// not know, or knows twice, is a person by that text, trimmed and in lower case.
    pub fn person_name(&self, user: &str) -> String {
        let (domain, login) = split(user);
        if domain.is_none() && self.logins.is_empty() {
            return login;
        }
        let text = joined(domain.as_deref(), &login);
        if self.persons.contains_key(&text) && domain.is_some() {
            return text;
        }
        let Some(names) = self.logins.get(&login) else { return text };
        match domain {
            Some(_) if names.contains(&login) => login,
            None if names.len() == 1 => names.first().cloned().unwrap_or(text),
            _ => text,
        }
    }

    /// The names of all persons, ascending.
    pub fn persons(&self) -> impl Iterator<Item = &str> {
        self.persons.keys().map(String::as_str)
    }

    /// What a person belongs to, ascending and without overlap: an entry ends where a later one begins. Empty for a
    /// name that the directory does not know.
    pub fn memberships(&self, person_name: &str) -> Vec<Membership> {
        let entries = self.persons.get(person_name).map_or(&[][..], Vec::as_slice);
        let mut memberships = Vec::with_capacity(entries.len());
        for (nth, entry) in entries.iter().enumerate() {
            // A later entry without a first day has the same one as this: none.
            let next = entries.get(nth + 1).map(|next| next.valid_from);
            let replaced = next.is_some_and(|next| next == entry.valid_from);
            let until = match (entry.valid_until, next.flatten()) {
                (Some(until), Some(next)) => Some(until.min(next)),
                (until, next) => until.or(next),
            };
            let empty = entry.valid_from.zip(until).is_some_and(|(from, until)| from >= until);
            if !replaced && !empty {
                memberships.push(Membership {
                    from: entry.valid_from,
                    until,
                    organization: entry.organization.clone(),
                    project: entry.project.clone(),
                });
            }
        }
        memberships
    }

    /// The organization of the person whom a license server calls so, on a day.
    pub fn organization(&self, user: &str, day: Day) -> Option<String> {
        let memberships = self.memberships(&self.person_name(user));
        let in_force = memberships.into_iter().find(|membership| membership.is_in_force(day));
        in_force.and_then(|membership| membership.organization)
    }

    /// What another database calls a person: the latest entry's number that has one.
    pub fn external_id(&self, person_name: &str) -> Option<i64> {
        self.persons.get(person_name)?.iter().rev().find_map(|entry| entry.external_id)
    }
}

fn normal(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The domain, if any, and the login of a user, in lower case.
fn split(user: &str) -> (Option<String>, String) {
    match user.split_once('\\') {
        Some((domain, login)) => (Some(normal(domain)).filter(|domain| !domain.is_empty()), normal(login)),
        None => (None, normal(user)),
    }
}

fn joined(domain: Option<&str>, login: &str) -> String {
    domain.map_or_else(|| login.to_owned(), |domain| format!("{domain}\\{login}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(login: &str, domain: &str, organization: &str, from: &str, until: &str) -> Entry {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Entry {
            login: login.to_owned(),
            domain: text(domain),
            organization: text(organization),
            valid_from: from.parse().ok(),
            valid_until: until.parse().ok(),
            ..Entry::default()
        }
    }

    /// `organization from..until` of each membership.
    fn memberships(entries: Vec<Entry>) -> Vec<String> {
        let day = |day: Option<Day>| day.map_or(String::new(), |day| day.to_string());
        let memberships = Directory::new(entries).memberships("anna");
        let text = |membership: Membership| {
            let organization = membership.organization.unwrap_or_default();
            format!("{organization} {}..{}", day(membership.from), day(membership.until))
        };
        memberships.into_iter().map(text).collect()
    }

    #[test]
    fn users_are_matched_whatever_their_case() {
        let directory = Directory::new(vec![
            entry("Anna", "ACME", "north", "", ""),
            entry("bob", "acme", "", "", ""),
            entry("BOB", "Other", "", "", ""),
            entry("carol", "", "", "", ""),
            entry("EAST\\Dora", "", "", "", ""),
        ]);
        let name = |user| directory.person_name(user);
        assert_eq!(name("acme\\ANNA"), "acme\\anna");
        assert_eq!(name(" anna "), "acme\\anna", "the only one with that login");
        assert_eq!(name("west\\anna"), "west\\anna", "another domain is another person");
        assert_eq!(name("Bob"), "bob", "two of them: no match");
        assert_eq!(name("OTHER\\Bob"), "other\\bob");
        assert_eq!(name("anywhere\\Carol"), "carol", "her entry says no domain");
        assert_eq!(name("dora"), "east\\dora");
        assert_eq!(name("  Nobody "), "nobody");
        assert_eq!(name("X\\Nobody"), "x\\nobody");
        assert_eq!(name("\\anna"), "acme\\anna");
        assert_eq!(name(""), "");
        assert_eq!(directory.memberships("acme\\anna").len(), 1);
        assert_eq!(directory.memberships("bob"), []);
    }

    #[test]
    fn a_later_entry_ends_the_earlier_one() {
        let found = memberships(vec![
            entry("anna", "", "south", "2024-03-01", ""),
            entry("anna", "", "north", "", "2025-01-01"),
            entry("anna", "", "east", "2024-06-01", "2024-07-01"),
            entry("anna", "", "west", "2024-06-10", "2024-06-10"),
        ]);
        assert_eq!(
            found,
            ["north ..2024-03-01", "south 2024-03-01..2024-06-01", "east 2024-06-01..2024-06-10"]
        );
    }

    #[test]
    fn of_two_entries_with_one_first_day_the_later_counts() {
        let (from, ever) = ("2024-03-01", "");
        let found = memberships(vec![
            entry("anna", "", "a", ever, ever),
            entry("anna", "", "b", ever, ever),
            entry("anna", "", "c", from, ever),
            entry("anna", "", "d", from, "2024-04-01"),
        ]);
        assert_eq!(found, ["b ..2024-03-01", "d 2024-03-01..2024-04-01"]);
    }

    #[test]
    fn gaps_stay() {
        let found = memberships(vec![
            entry("anna", "", "a", "2024-01-01", "2024-02-01"),
            entry("anna", "", "b", "2024-03-01", ""),
        ]);
        assert_eq!(found, ["a 2024-01-01..2024-02-01", "b 2024-03-01.."]);
    }

    #[test]
    fn the_latest_number_of_another_database_counts() {
        let numbered = |id, from: &str| Entry { external_id: id, ..entry("anna", "", "", from, "") };
        let directory = Directory::new(vec![
            numbered(Some(2), "2024-01-01"),
            numbered(Some(1), ""),
            numbered(None, "2024-02-01"),
        ]);
        assert_eq!(directory.external_id("anna"), Some(2));
        assert_eq!(directory.external_id("bob"), None);
    }
}
