//! A message as it waits in the ledger: numbers and figures. Names are looked up when it is sent, so that whoever is
//! forgotten meanwhile is not named.

use accounting::UnixMs;
use accounting::alert::{Change, Figures, State, Subject};
use serde::{Deserialize, Serialize};
use store::alerts::{subject_of, subject_text};

/// Of so many things one message tells at most; of the others it tells how many they are.
pub(super) const MOST: usize = 100;

/// What is told of a rule at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) rule: String,
    /// The word of its kind.
    pub(crate) when: String,
    /// `raised`, `still raised` or `cleared`.
    pub(crate) change: String,
    pub(crate) at: UnixMs,
    pub(crate) about: Vec<About>,
    /// How many more there are.
    pub(crate) more: usize,
    /// Whether somebody tries whether messages arrive.
    #[serde(default)]
    pub(crate) is_test: bool,
}

/// What is told of a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// As the ledger writes it.
    subject: String,
    /// Since when its condition has held.
    pub(crate) since: UnixMs,
    pub(crate) raised_at: UnixMs,
    pub(crate) figures: Figures,
}

impl About {
    pub(crate) fn new(subject: &Subject, state: &State, raised_at: UnixMs) -> Self {
        Self { subject: subject_text(subject), since: state.since, raised_at, figures: state.figures.clone() }
    }

    /// The subject; `None` where another version of the program wrote what this one does not understand.
    pub(crate) fn subject(&self) -> Option<Subject> {
        subject_of(&self.subject).ok()
    }
}

impl Message {
    pub(crate) fn new(rule: &str, when: &str, change: Change, at: UnixMs, mut about: Vec<About>) -> Self {
        let more = about.len().saturating_sub(MOST);
        about.truncate(MOST);
        Self {
            rule: rule.to_owned(),
            when: when.to_owned(),
            change: change.as_str().to_owned(),
            at,
            about,
            more,
            is_test: false,
        }
    }

    /// One that says only that messages arrive.
    pub(crate) fn test(at: UnixMs) -> Self {
        Self {
            rule: "test".to_owned(),
            when: "test".to_owned(),
            change: "test".to_owned(),
            at,
            about: Vec::new(),
            more: 0,
            is_test: true,
        }
    }
}
