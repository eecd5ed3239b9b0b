//! Whether an output is a whole answer: what it does not show has ended, so nothing may be missing from it.

use accounting::event::{Seats, What};
use formats::line::{Line, Note, Read};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// After so many doubtful answers of one kind in a row the next one is believed: so it is, then, with this server.
pub(super) const DOUBTS: u32 = 5;

/// What a whole answer was like, to compare the next one with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Vendor and code of the features that somebody held.
    held: BTreeSet<(String, String)>,
    /// Whether features were listed that nobody held.
    lists_unused: bool,
    /// Whether the last line was ended.
    ends_its_lines: bool,
}

/// What is to be thought of an output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is an answer; the daemons that did not answer, where it tells of such.
    Answer(Shape, Vec<String>),
    /// It says that the license server does not answer.
    Down,
    /// It does not say whether it answers.
    Nonsense,
    /// It is an answer from which something is missing.
    Doubtful(String),
}

/// Figures of a feature.
#[derive(Debug, Default)]
struct Figures {
    in_use: u64,
    reserved: u64,
    shown: u64,
    holders: u64,
}

/// What an output says, as far as the verdict needs it.
#[derive(Debug, Default)]
struct Said<'r> {
    server: &'r str,
    /// By license server and feature, in the order of the text.
    features: Vec<((&'r str, &'r str), Figures)>,
    places: FxHashMap<(&'r str, &'r str), usize>,
    /// The place of the feature that was named last.
    last: usize,
    answered: BTreeSet<&'r str>,
    failed: BTreeSet<&'r str>,
    held: BTreeSet<(String, String)>,
    unrecognized: u64,
}

/// Judges an output by what was read of its lines; `before` is the shape of the last whole answer.
pub(super) fn judge(reads: &[Read<'_>], text: &[u8], before: Option<&Shape>) -> Verdict {
    let mut said = Said::default();
    for read in reads {
        said.read(read);
    }
    if said.answered.is_empty() {
        return if said.failed.is_empty() { Verdict::Nonsense } else { Verdict::Down };
    }
    let shape = Shape {
        lists_unused: said.features.iter().any(|(_, figures)| figures.holders == 0),
        ends_its_lines: text.ends_with(b"\n"),
        held: std::mem::take(&mut said.held),
    };
    match said.missing(&shape, before) {
        Some(why) => Verdict::Doubtful(why),
        None => Verdict::Answer(shape, said.failed.iter().map(|&vendor| vendor.to_owned()).collect()),
    }
}

impl<'r> Said<'r> {
    fn read(&mut self, read: &'r Read<'_>) {
        match &read.line {
            Line::Note(Note::Server(name)) => self.server = name,
            Line::Unrecognized(_) => self.unrecognized += 1,
            _ => {}
        }
        for event in read.line.events() {
            match &event.what {
                What::Polled { answered } => {
                    let of = if *answered { &mut self.answered } else { &mut self.failed };
                    of.insert(&event.vendor);
                }
                What::Seats { feature, seats } => {
                    let figures = self.figures(feature);
                    match seats {
                        Seats::InUse(seats) => figures.in_use += u64::from(*seats),
                        Seats::Reserved(seats) => figures.reserved += u64::from(*seats),
                        _ => {}
                    }
                }
                What::Shown { claim, .. } => {
                    let figures = self.figures(&claim.feature);
                    figures.shown += u64::from(claim.seats);
                    figures.holders += 1;
                    if figures.holders == 1 {
                        self.held.insert((event.vendor.to_string(), claim.feature.to_string()));
                    }
                }
                _ => {}
            }
        }
    }

    fn figures(&mut self, feature: &'r str) -> &mut Figures {
        let of = (self.server, feature);
        let place = *self.places.entry(of).or_insert(self.features.len());
        if place == self.features.len() {
            self.features.push((of, Figures::default()));
        }
        self.last = place;
        &mut self.features[place].1
    }

    /// What is missing, in words that are the same each time the same is missing. They name no person.
    fn missing(&self, shape: &Shape, before: Option<&Shape>) -> Option<String> {
        let short = |figures: &Figures| figures.in_use > figures.shown + figures.reserved;
        if let Some(((_, feature), figures)) = self.features.get(self.last).filter(|(_, last)| short(last)) {
            return Some(format!(
                "the output breaks off: of `{feature}`, its last feature, {} seats are in use and holders of {} are shown",
                figures.in_use, figures.shown
            ));
        }
        if let Some(((_, feature), _)) = self.features.iter().find(|(_, of)| short(of))
            && self.unrecognized > 0
        {
            return Some(format!("lines are not understood, and holders of `{feature}` are missing"));
        }
        let before = before?;
        if before.ends_its_lines && !shape.ends_its_lines {
            return Some("the output breaks off in the middle of a line".to_owned());
        }
        let named: BTreeSet<&str> = self.features.iter().map(|((_, feature), _)| *feature).collect();
        let gone = before.held.iter().find(|(vendor, feature)| {
            let answers = self.answered.contains(vendor.as_str()) || self.answered.contains("");
            answers && !named.contains(feature.as_str())
        });
        // Some commands list what is in use and nothing else.
        let (_, feature) = gone.filter(|_| before.lists_unused)?;
        Some(format!("`{feature}` was in use at the last poll and is not listed any more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use accounting::day::Day;
    use formats::line::Setting;

    const WHOLE: &str = "\
License server status: 27000@lic1
Vendor daemon status (on lic1):
     acmed: UP v11.16.2
Users of mill:  (Total of 6 licenses issued;  Total of 3 licenses in use)
    amara ws-07 ws-07 (v31.0) (lic1/27000 101), start Tue 1/2 8:42
    1 RESERVATION for GROUP staff (lic1/27000)
    badru ws-08 ws-08 (v30.0) (lic1/27000 202), start Tue 1/2 8:42
Users of lathe:  (Total of 1 license issued;  Total of 0 licenses in use)
Users of view:  (Total of 9 licenses issued;  Total of 2 licenses in use)
    chen ws-09 ws-09 (v31.0) (lic1/27000 303), start Tue 1/2 8:42, 2 licenses
";

    fn judged(text: &str, before: Option<&Shape>) -> Verdict {
        let format = formats::named("lmstat").expect("a format");
        let mut parser = format.parser(&Setting::new(jiff::tz::TimeZone::UTC, Day(0)));
        let reads: Vec<Read<'_>> = text.lines().map(|line| parser.line(line.as_bytes())).collect();
        judge(&reads, text.as_bytes(), before)
    }

    fn doubt(text: &str, before: Option<&Shape>) -> String {
        match judged(text, before) {
            Verdict::Doubtful(why) => why,
            other => panic!("{other:?} of {text}"),
        }
    }

    fn shape() -> Shape {
        match judged(WHOLE, None) {
            Verdict::Answer(shape, failed) if failed.is_empty() => shape,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_output_that_breaks_off_anywhere_is_no_answer() {
        let shape = shape();
        assert_eq!(judged(WHOLE, Some(&shape)), Verdict::Answer(shape.clone(), Vec::new()));
        for end in 0..WHOLE.len() - 1 {
            let verdict = judged(&WHOLE[..end], Some(&shape));
            assert!(!matches!(verdict, Verdict::Answer(..)), "{end}: {verdict:?}");
        }
        let lines = WHOLE.lines().count();
        for taken in 0..lines {
            let text: String = WHOLE.split_inclusive('\n').take(taken).collect();
            let verdict = judged(&text, Some(&shape));
            assert!(!matches!(verdict, Verdict::Answer(..)), "{taken} lines: {verdict:?}");
        }
        // Without anything to compare with, rows that are missing are enough.
        let cut = WHOLE.find("    chen").expect("a row");
        assert!(doubt(&WHOLE[..cut], None).contains("of `view`, its last feature, 2 seats are in use"));
    }

    #[test]
    fn a_row_that_is_not_understood_ends_nothing() {
        let text = WHOLE.replace("202), start Tue 1/2 8:42", "202), start Tue 2/30 8:42");
        assert_eq!(doubt(&text, None), "lines are not understood, and holders of `mill` are missing");
        let text = WHOLE.replace("Users of lathe", "A word of the maker!\nUsers of lathe");
        assert!(matches!(judged(&text, Some(&shape())), Verdict::Answer(..)));
    }

    #[test]
    fn a_feature_may_vanish_where_only_what_is_used_is_listed() {
        let without = |text: &str| {
            text.replace(
                &WHOLE[WHOLE.find("Users of mill").expect("it")..WHOLE.find("Users of lathe").expect("it")],
                "",
            )
        };
        assert_eq!(
            doubt(&without(WHOLE), Some(&shape())),
            "`mill` was in use at the last poll and is not listed any more"
        );
        let used = |text: &str| {
            text.replace("Users of lathe:  (Total of 1 license issued;  Total of 0 licenses in use)\n", "")
        };
        let Verdict::Answer(shape, _) = judged(&used(WHOLE), None) else { panic!("no answer") };
        assert!(matches!(judged(&used(&without(WHOLE)), Some(&shape)), Verdict::Answer(..)));
    }

    #[test]
    fn servers_and_daemons_that_are_down() {
        assert_eq!(
            judged("Error getting status: Cannot connect to license server system. (-15,570)\n", None),
            Verdict::Down
        );
        assert_eq!(judged("command not found\n", None), Verdict::Nonsense);
        assert_eq!(judged("", None), Verdict::Nonsense);
        let down = WHOLE
            .replace("     acmed", "     boltd: The desired vendor daemon is down. (-97,121)\n     acmed");
        let Verdict::Answer(_, failed) = judged(&down, Some(&shape())) else { panic!("no answer") };
        assert_eq!(failed, ["boltd"]);
    }
}
