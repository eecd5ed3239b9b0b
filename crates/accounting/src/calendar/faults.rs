//! What is wrong with time classes: hours that belong to none of them, or to several.

use super::{Stretch, TimeClass, all_days};

/// Hours of some weekdays that do not belong to exactly one time class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The hours.
    pub stretch: Stretch,
    /// The classes to which they belong: none is a gap, two or more an overlap; one has them twice.
    pub classes: Vec<String>,
}

impl Fault {
    /// What is wrong, behind the hours.
    pub fn why(&self) -> String {
        match self.classes.as_slice() {
            [] => "belongs to no time class: the classes must cover the whole week".to_owned(),
            [class] => format!("is twice in `{class}`: take it out once"),
            classes => format!("belongs to `{}`: time classes must not overlap", classes.join("` and `")),
        }
    }
}

const DAY: u16 = 24 * 60;

/// All hours of the week that do not belong to exactly one class, in the order of the day; those that are wrong in the same way on
/// several days are told once.
pub fn faults(classes: &[TimeClass]) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    for day in all_days() {
        let owners = |minute: u16| -> Vec<usize> {
            let stretches = classes
                .iter()
                .enumerate()
                .flat_map(|(nth, class)| class.stretches.iter().map(move |of| (nth, of)));
            let is_in =
                |of: &Stretch| of.days.contains(&day) && (of.from_minute..of.until_minute).contains(&minute);
            stretches.filter(|(_, of)| is_in(of)).map(|(nth, _)| nth).collect()
        };
        // Between two borders nothing changes.
        let mut borders: Vec<u16> = classes
            .iter()
            .flat_map(|class| class.stretches.iter().flat_map(|of| [of.from_minute, of.until_minute]))
            .chain([0, DAY])
            .filter(|minute| *minute <= DAY)
            .collect();
        borders.sort_unstable();
        borders.dedup();
        let mut open: Option<(u16, Vec<usize>)> = None;
        for minute in borders {
            let now = if minute < DAY { owners(minute) } else { vec![usize::MAX] };
            if open.as_ref().is_some_and(|(_, before)| *before == now) {
                continue;
            }
            if let Some((from, before)) = open.take().filter(|(_, before)| before.len() != 1) {
                let mut names: Vec<String> = before
                    .iter()
                    .filter_map(|nth| classes.get(*nth))
                    .map(|class| class.name.clone())
                    .collect();
                names.dedup();
                note(
                    &mut found,
                    Fault {
                        stretch: Stretch { days: vec![day], from_minute: from, until_minute: minute },
                        classes: names,
                    },
                );
            }
            open = Some((minute, now));
        }
    }
    found.sort_by_key(|fault| fault.stretch.from_minute);
    found
}

/// Adds a fault, or its day to one that is the same on another day.
fn note(found: &mut Vec<Fault>, fault: Fault) {
    let is_same = |other: &&mut Fault| {
        let (one, other_stretch) = (&fault.stretch, &other.stretch);
        (one.from_minute, one.until_minute) == (other_stretch.from_minute, other_stretch.until_minute)
            && fault.classes == other.classes
    };
    match found.iter_mut().find(is_same) {
        Some(other) => other.stretch.days.extend(fault.stretch.days),
        None => found.push(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Calendar;
    use super::*;
    use jiff::civil::Weekday;

    fn class(name: &str, stretches: &[(&[Weekday], u16, u16)]) -> TimeClass {
        let stretch = |(days, from, until): &(&[Weekday], u16, u16)| Stretch {
            days: days.to_vec(),
            from_minute: from * 60,
            until_minute: until * 60,
        };
        TimeClass { name: name.to_owned(), stretches: stretches.iter().map(stretch).collect() }
    }

    /// `12345 8-9 a b` of each fault.
    fn check(classes: &[TimeClass]) -> Vec<String> {
        let shown = |fault: Fault| {
            let days: String =
                fault.stretch.days.iter().map(|day| day.to_monday_one_offset().to_string()).collect();
            let (from, until) = (fault.stretch.from_minute / 60, fault.stretch.until_minute / 60);
            format!("{days} {from}-{until} {}", fault.classes.join(" ")).trim_end().to_owned()
        };
        faults(classes).into_iter().map(shown).collect()
    }

    #[test]
    fn every_gap_and_overlap_is_told_once() {
        let week = all_days();
        let (work, weekend) = (&week[..5], &week[5..]);
        assert_eq!(check(&[class("all", &[(&week, 0, 24)])]), [""; 0]);
        assert_eq!(check(&[class("day", &[(work, 8, 19)])]), ["12345 0-8", "67 0-24", "12345 19-24"]);
        let overlapping = [
            class("day", &[(work, 8, 19), (weekend, 0, 24)]),
            class("night", &[(work, 0, 9), (work, 18, 24)]),
        ];
        assert_eq!(check(&overlapping), ["12345 8-9 day night", "12345 18-19 day night"]);
        assert_eq!(check(&[class("a", &[(&week, 0, 24), (&week[..1], 3, 4)])]), ["1 3-4 a"]);
    }

    #[test]
    fn a_calendar_is_refused_exactly_where_there_are_faults() {
        let week = all_days();
        for (from, until) in [(0, 8), (0, 9), (1, 8), (0, 7)] {
            let classes = vec![class("night", &[(&week, from, until)]), class("day", &[(&week, 8, 24)])];
            let is_refused =
                Calendar::new("UTC", classes.clone(), &week, std::collections::BTreeMap::new()).is_err();
            assert_eq!(is_refused, !faults(&classes).is_empty(), "{from}-{until}");
        }
    }
}
