//! Answers of one instant.
//!
//! The status line of lmstat tells no seconds: two outputs of one minute are of the same instant. What the later one tells
//! again of a license server is the same once more; equal rows of one answer are several holds.

use accounting::UnixMs;
use rustc_hash::{FxHashMap, FxHashSet};
use store::intake::{DaemonId, NameId, ShownEvent};

/// Feature, holder, handle, since when.
type Hold = (NameId, NameId, u32, UnixMs);

fn hold(shown: &ShownEvent) -> Hold {
    (shown.feature, shown.holder, shown.handle, shown.since)
}

/// Tells the answers of the latest instant apart: a daemon answers once in each.
#[derive(Debug, Default)]
pub(super) struct Answers {
    at: Option<UnixMs>,
    /// The daemons that have answered in the latest answer.
    daemons: FxHashSet<DaemonId>,
    /// Those of which the latest answer has told what expires; only where an answer follows another one.
    expiring: FxHashSet<DaemonId>,
    /// Where what was shown at this instant begins in the batch.
    begins: usize,
    /// Whether the latest answer follows another one.
    follows: bool,
    /// Where the holds of this instant stand in the batch; only where an answer follows another one.
    places: FxHashMap<Hold, Vec<usize>>,
    /// How often the latest answer has shown each of them.
    times: FxHashMap<Hold, usize>,
}

impl Answers {
    /// A daemon has answered; `shown` is what the batch shows so far. Returns whether another answer of the same instant
    /// begins: the daemon has answered before.
    pub(super) fn begin(&mut self, daemon: DaemonId, at: UnixMs, shown: &[ShownEvent]) -> bool {
        if self.at != Some(at) {
            *self = Self { at: Some(at), begins: shown.len(), ..Self::default() };
        }
        if self.daemons.insert(daemon) {
            return false;
        }
        if !self.follows {
            for (place, shown) in shown.iter().enumerate().skip(self.begins) {
                self.places.entry(hold(shown)).or_default().push(place);
            }
        }
        self.follows = true;
        self.daemons.clear();
        self.daemons.insert(daemon);
        self.expiring.clear();
        self.times.clear();
        true
    }

    /// Where the batch has what an earlier answer of the instant showed and the latest one shows again; `next` is where it
    /// would stand else.
    pub(super) fn place(&mut self, shown: &ShownEvent, next: usize) -> Option<usize> {
        if !self.follows || self.at != Some(shown.at) {
            return None;
        }
        let places = self.places.entry(hold(shown)).or_default();
        let times = self.times.entry(hold(shown)).or_default();
        let place = places.get(*times).copied();
        if place.is_none() {
            places.push(next);
        }
        *times += 1;
        place
    }

    /// Whether the latest answer takes the place of what an earlier one of the instant told of a daemon's expiry: it is the
    /// first of it that it tells.
    pub(super) fn expires_anew(&mut self, daemon: DaemonId, at: UnixMs) -> bool {
        self.follows && self.at == Some(at) && self.expiring.insert(daemon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(holder: NameId, at: UnixMs) -> ShownEvent {
        ShownEvent { feature: 1, holder, handle: 0, at, since: 0, seats: 1, version: 0 }
    }

    #[test]
    fn what_another_answer_of_the_instant_shows_is_the_same() {
        let mut answers = Answers::default();
        assert!(!answers.begin(1, 60, &[shown(9, 0)]));
        assert!(!answers.begin(2, 60, &[shown(9, 0)]), "another daemon of the same answer");
        let mut all = vec![shown(9, 0), shown(7, 60), shown(7, 60), shown(8, 60)];
        assert_eq!(answers.place(&shown(8, 60), 4), None, "equal rows of one answer are several");
        assert!(answers.begin(1, 60, &all));
        assert!(!answers.expires_anew(3, 0) && answers.expires_anew(3, 60) && !answers.expires_anew(3, 60));
        let mut place = |holder| {
            let place = answers.place(&shown(holder, 60), all.len());
            if place.is_none() {
                all.push(shown(holder, 60));
            }
            place
        };
        let places = [7, 8, 7, 7, 8, 6].map(&mut place);
        assert_eq!(places, [Some(1), Some(3), Some(2), None, None, None]);
        assert!(answers.begin(1, 60, &all), "a third one");
        assert_eq!([7, 7, 7, 6].map(|holder| answers.place(&shown(holder, 60), 9)), [1, 2, 4, 6].map(Some));
        assert!(!answers.begin(1, 120, &all));
        assert_eq!(answers.place(&shown(7, 120), 9), None, "another instant");
    }
}
