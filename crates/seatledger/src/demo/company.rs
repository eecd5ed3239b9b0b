//! The company: Brühlberg Engineering AG of Winterthur. It does not exist, and nobody in it does.

use super::random::Random;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use std::fmt::Write;

/// The Windows domain of its persons.
pub(super) const DOMAIN: &str = "BRUEHLBERG";
/// Where its clocks are.
pub(super) const ZONE: &str = "Europe/Zurich";
/// Since when the directory knows persons.
const FOUNDED: Date = date(2024, 1, 1);

/// The days of the canton of Zürich on which nobody works, and the company's own.
pub(super) const HOLIDAYS: [(Date, &str); 16] = [
    (date(2025, 1, 1), "New Year"),
    (date(2025, 1, 2), "Berchtold's Day"),
    (date(2025, 1, 3), "company holiday"),
    (date(2025, 4, 18), "Good Friday"),
    (date(2025, 4, 21), "Easter Monday"),
    (date(2025, 5, 1), "Labour Day"),
    (date(2025, 5, 29), "Ascension"),
    (date(2025, 5, 30), "company holiday"),
    (date(2025, 6, 9), "Whit Monday"),
    (date(2025, 8, 1), "National Day"),
    (date(2025, 12, 24), "company holiday"),
    (date(2025, 12, 25), "Christmas"),
    (date(2025, 12, 26), "St Stephen's Day"),
    (date(2025, 12, 29), "company holiday"),
    (date(2026, 1, 1), "New Year"),
    (date(2026, 1, 2), "Berchtold's Day"),
];

/// A department and what its people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Mechanical,
    Plant,
    Structures,
    Fluids,
    Electrical,
    TestLab,
}

/// The organizations: unit, name, number, persons.
pub(super) const ORGANIZATIONS: [(Unit, &str, u32, usize); 6] = [
    (Unit::Mechanical, "Mechanical Design", 1100, 38),
    (Unit::Plant, "Plant Design", 1200, 26),
    (Unit::Structures, "Structural Analysis", 1300, 22),
    (Unit::Fluids, "Fluid Dynamics", 1400, 14),
    (Unit::Electrical, "Electrical and Automation", 1500, 24),
    (Unit::TestLab, "Test Laboratory", 1600, 16),
];

const PROJECTS: [&str; 5] =
    ["Linth pumping station", "Albula turbine retrofit", "Gubrist ventilation", "Limmat weir", "Internal"];

/// A person: where, when and on what they work.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The number of the person, from 0.
    pub(super) number: u64,
    pub(super) login: String,
    pub(super) workstation: String,
    pub(super) unit: Unit,
    project: usize,
    /// When the working day begins and ends, in minutes after midnight.
    pub(super) hours: (i64, i64),
    /// Leaves programs open over night now and then.
    pub(super) forgetful: bool,
    /// Not in the directory: an external.
    external: bool,
    day_off: Option<Weekday>,
    employed: (Date, Option<Date>),
    /// Moves to another organization on a date.
    moves: Option<(Date, Unit)>,
    vacations: Vec<(Date, Date)>,
}

impl Person {
    /// Whether the person works on a day.
    pub(super) fn works_on(&self, day: Date) -> bool {
        let (from, until) = self.employed;
        !is_day_off(day)
            && self.day_off != Some(day.weekday())
            && day >= from
            && until.is_none_or(|until| day < until)
            && !self.vacations.iter().any(|(from, until)| (*from..*until).contains(&day))
    }

    /// The unit in which the person works on a day.
    pub(super) fn unit_on(&self, day: Date) -> Unit {
        self.moves.filter(|(date, _)| day >= *date).map_or(self.unit, |(_, unit)| unit)
    }
}

/// Saturday, Sunday or a holiday.
pub(super) fn is_day_off(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        || HOLIDAYS.iter().any(|(holiday, _)| *holiday == day)
}

/// Everybody, in the order of the organizations.
pub(super) fn staff() -> Vec<Person> {
    let mut staff: Vec<Person> = Vec::new();
    for (unit, _, _, count) in ORGANIZATIONS {
        for _ in 0..count {
            let person = person(staff.len() as u64, unit, &staff);
            staff.push(person);
        }
    }
    staff
}

fn person(number: u64, unit: Unit, others: &[Person]) -> Person {
    let mut random = Random::new(0xb000 + number);
    let employed = match number % 24 {
        5 => (date(2025, 4, 1), None),
        11 => (date(2025, 9, 1), None),
        17 => (FOUNDED, Some(date(2025, 7, 1))),
        _ => (FOUNDED, None),
    };
    let moves = match number {
        9 | 30 => Some((date(2025, 7, 1), Unit::Plant)),
        52 => Some((date(2025, 4, 1), Unit::Mechanical)),
        70 => Some((date(2025, 10, 1), Unit::Fluids)),
        133 => Some((date(2025, 3, 1), Unit::Electrical)),
        _ => None,
    };
    let begin = random.between(7 * 60, 8 * 60 + 45);
    let hours = match (unit, number % 3) {
        (Unit::TestLab, 0) => (6 * 60, 14 * 60 + 30),
        (Unit::TestLab, 1) => (14 * 60, 22 * 60 + 30),
        _ => (begin, begin + random.between(525, 600)),
    };
    Person {
        number,
        login: login(&mut random, others),
        workstation: format!("WS{:04}", 2_100 + number * 7 % 1_000),
        unit,
        project: random.between(0, PROJECTS.len() as i64) as usize,
        hours,
        forgetful: number % 16 == 3,
        external: number % 47 == 40,
        day_off: random
            .percent(18)
            .then(|| *random.pick(&[Weekday::Monday, Weekday::Wednesday, Weekday::Friday])),
        employed,
        moves,
        vacations: vacations(&mut random),
    }
}

/// Family name and the given name's first letter; a number where that is taken.
fn login(random: &mut Random, others: &[Person]) -> String {
    const FAMILIES: [&str; 48] = [
        "aebi",
        "ammann",
        "baumann",
        "bieri",
        "bosshard",
        "brunner",
        "buchmann",
        "caduff",
        "egli",
        "fankhauser",
        "fischer",
        "frei",
        "gerber",
        "giger",
        "graf",
        "gubler",
        "haefliger",
        "hofer",
        "huber",
        "imhof",
        "jenni",
        "kaegi",
        "keller",
        "koch",
        "kuhn",
        "lang",
        "leuenberger",
        "maurer",
        "meier",
        "moser",
        "müller",
        "nef",
        "odermatt",
        "peter",
        "pfister",
        "rossi",
        "roth",
        "rueegg",
        "schaad",
        "schmid",
        "stutz",
        "suter",
        "tanner",
        "ulrich",
        "vogel",
        "weber",
        "wyss",
        "zumstein",
    ];
    let family = *random.pick(&FAMILIES);
    let login =
        format!("{family}{}", *random.pick(&["a", "b", "c", "d", "l", "m", "n", "p", "r", "s", "t", "v"]));
    let taken = |login: &str| others.iter().any(|other| other.login == login);
    let others_of_that_name = (2..).take(others.len()).map(|nth| format!("{login}{nth}"));
    std::iter::once(login.clone())
        .chain(others_of_that_name)
        .find(|login| !taken(login))
        .unwrap_or(login.clone())
}

/// Two weeks between June and August, one in spring or autumn.
fn vacations(random: &mut Random) -> Vec<(Date, Date)> {
    let summer = date(2025, 6, 30).saturating_add((random.between(0, 6) * 7).days());
    let other = *random.pick(&[date(2025, 2, 10), date(2025, 4, 22), date(2025, 10, 6), date(2025, 10, 13)]);
    vec![(summer, summer.saturating_add(14.days())), (other, other.saturating_add(7.days()))]
}

/// The directory: `login,domain,organization,project,valid_from,valid_until,external_id`, half-open in time.
pub(super) fn directory_csv(staff: &[Person]) -> String {
    let mut csv = String::from("login,domain,organization,project,valid_from,valid_until,external_id\n");
    for person in staff.iter().filter(|person| !person.external) {
        let (from, until) = person.employed;
        let mut row = |unit: Unit, from: Date, until: Option<Date>| {
            let (_, organization, number, _) = ORGANIZATIONS[unit as usize];
            let (login, project) = (&person.login, PROJECTS[person.project]);
            let until = until.map(|until| until.to_string()).unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(csv, "{login},{DOMAIN},{organization},{project},{from},{until},{number}");
        };
        match person.moves {
            Some((date, unit)) => {
                row(person.unit, from, Some(date));
                row(unit, date, until);
            }
            None => row(person.unit, from, until),
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_stand_in_the_order_of_their_units() {
        assert!(ORGANIZATIONS.iter().enumerate().all(|(nth, (unit, ..))| *unit as usize == nth));
    }

    #[test]
    fn logins_are_unique() {
        let mut logins: Vec<String> = staff().into_iter().map(|person| person.login).collect();
        logins.sort_unstable();
        logins.dedup();
        assert_eq!(logins.len(), 140);
    }

    #[test]
    fn the_directory_has_a_row_for_each_stay_in_an_organization() {
        let staff = staff();
        let csv = directory_csv(&staff);
        let externals = staff.iter().filter(|person| person.external).count();
        assert_eq!(csv.lines().count(), 1 + 140 - externals + 5);
        assert!(csv.lines().all(|line| line.split(',').count() == 7), "{csv}");
        assert!(csv.contains(",2025-07-01,,1200\n"), "{csv}");
    }
}
