//! Which column of a table gets how much of the line.

use unicode_width::UnicodeWidthStr;

/// Blanks between two columns.
pub(super) const GAP: usize = 2;
/// A text column is not made narrower than this, whatever the line's width.
const NARROWEST: usize = 6;
/// Nor one that says something in words, over as many lines as it needs.
const NARROWEST_WORDS: usize = 16;
/// Columns that say something in words.
const WORDS: [&str; 4] = ["found", "what_to_do", "problem", "alert"];
/// Bars narrower than this say nothing.
const SHORTEST_BAR: usize = 6;
const LONGEST_BAR: usize = 24;
/// Words of names are broken to so many letters, one after the other, until the line is short enough.
const LONGEST_WORDS: [usize; 4] = [8, 7, 6, 5];
/// Texts by which rows are told apart, or of few words: shortened they say nothing.
const WHOLE: [&str; 13] = [
    "month",
    "week",
    "day",
    "weekday",
    "hour",
    "from",
    "until",
    "at",
    "expires_on",
    "reason",
    "ended",
    "action",
    "state",
];

/// What a column holds, and the place it gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Its name, in one line or, where the line is short, in several.
    pub(super) head: Vec<String>,
    /// Whether its cells stand at the right.
    pub(super) number: bool,
    /// Whether its cells may be shortened: texts only, and not those of [`WHOLE`].
    pub(super) shrinks: bool,
    /// Whether its cells go on in the next line instead of being shortened.
    pub(super) wraps: bool,
    /// Whether its cells say more at their end than at their beginning: paths.
    pub(super) keeps_end: bool,
    /// Characters before the decimal point, or of a text.
    pub(super) whole: usize,
    /// Characters from the decimal point on.
    pub(super) fraction: usize,
    /// The characters it gets.
    pub(super) width: usize,
    /// What is left out at the end of each of its cells, where the line is short.
    pub(super) end: &'static str,
}

impl Place {
    /// A column of which no cell is known yet.
    pub(super) fn new(name: &str, number: bool) -> Self {
        Self {
            head: vec![name.to_owned()],
            number,
            shrinks: !number && !WHOLE.contains(&name),
            wraps: WORDS.contains(&name),
            keeps_end: name == "source",
            ..Self::default()
        }
    }

    /// The characters of its widest cell.
    pub(super) fn content(&self) -> usize {
        self.whole + self.fraction
    }

    fn narrowest(&self) -> usize {
        self.head_width().max(if self.wraps { NARROWEST_WORDS } else { NARROWEST })
    }

    /// Breaks its name, with words of no more than `longest` letters.
    fn break_name(&mut self, longest: usize) {
        self.head = broken(&self.head.concat(), self.content(), longest);
        self.width = self.content().max(self.head_width());
    }

    fn head_width(&self) -> usize {
        self.head.iter().map(|line| line.width()).max().unwrap_or_default()
    }
}

/// Gives each column its width: as much as it needs where the line has it; else names are broken at their `_`, and within
/// their words where that is not enough, then the widest texts shortened. Numbers, instants and what is in [`WHOLE`] never
/// are: rather is the line too long. Returns the characters that are left for bars, if those are enough.
pub(super) fn fit(places: &mut [Place], line: usize, bars: bool) -> Option<usize> {
    let wanted = |places: &[Place]| {
        places.iter().map(|place| place.width).sum::<usize>() + GAP * places.len().saturating_sub(1)
    };
    for place in places.iter_mut() {
        place.width = place.content().max(place.head_width());
    }
    let reserve = if bars { SHORTEST_BAR + GAP } else { 0 };
    if wanted(places) + reserve > line {
        for place in places.iter_mut() {
            place.break_name(usize::MAX);
        }
    }
    for longest in LONGEST_WORDS {
        if least(places) <= line {
            break;
        }
        for place in places.iter_mut() {
            place.break_name(longest);
        }
    }
    while wanted(places) > line {
        let narrower = |place: &&mut Place| place.shrinks && place.width > place.narrowest();
        let Some(widest) = places.iter_mut().filter(narrower).max_by_key(|place| place.width) else { break };
        widest.width -= 1;
    }
    let left = line.saturating_sub(wanted(places) + GAP).min(LONGEST_BAR);
    (bars && left >= SHORTEST_BAR).then_some(left)
}

/// Whether a line is too long for columns as wide as they would be.
pub(super) fn is_wide(places: &[Place], line: usize) -> bool {
    let width = |place: &Place| place.content().max(place.head_width());
    places.iter().map(width).sum::<usize>() + GAP * places.len().saturating_sub(1) > line
}

/// Whether a line is too long even if names are broken and texts as short as they may be.
pub(super) fn is_long(places: &[Place], line: usize) -> bool {
    let mut places = places.to_vec();
    for place in &mut places {
        place.break_name(usize::MAX);
    }
    least(&places) > line
}

/// The characters of a line whose texts are as short as they may be.
fn least(places: &[Place]) -> usize {
    let narrow = |place: &Place| {
        if place.shrinks { place.width.min(place.narrowest()) } else { place.width }
    };
    places.iter().map(narrow).sum::<usize>() + GAP * places.len().saturating_sub(1)
}

/// A column's name in lines of at most `width`, as far as its `_` allow it, and words of no more than `longest` letters.
fn broken(name: &str, width: usize, longest: usize) -> Vec<String> {
    let pieces: Vec<&str> = name.split_inclusive('_').flat_map(|word| halves(word, longest)).collect();
    let longest_piece = pieces.iter().map(|piece| piece.len()).max().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.len() + piece.len() <= width.max(longest_piece) => line.push_str(piece),
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// A word in parts of about the same length, none longer than `longest`. Names of columns are ASCII; what is not stays whole.
fn halves(word: &str, longest: usize) -> Vec<&str> {
    if word.len() <= longest || !word.is_ascii() {
        return vec![word];
    }
    let length = word.len().div_ceil(word.len().div_ceil(longest));
    (0..word.len()).step_by(length).map(|from| &word[from..word.len().min(from + length)]).collect()
}

#[cfg(test)]
mod tests {
    use super::{Place, broken, fit};

    fn place(name: &str, number: bool, content: usize) -> Place {
        Place { whole: content, ..Place::new(name, number) }
    }

    fn widths(places: &[Place]) -> Vec<usize> {
        places.iter().map(|place| place.width).collect()
    }

    #[test]
    fn columns_get_what_they_need() {
        let mut places = [place("day", false, 10), place("usage_minutes", true, 4)];
        assert_eq!(fit(&mut places, 25, false), None);
        assert_eq!(widths(&places), [10, 13]);
        assert_eq!(fit(&mut places, 100, true), Some(24));
        assert_eq!(fit(&mut places, 35, true), Some(8));
    }

    #[test]
    fn names_are_broken_before_texts_are_shortened() {
        let mut places = [place("user", false, 20), place("host", false, 12), place("held_seconds", true, 3)];
        fit(&mut places, 43, false);
        assert_eq!(places[2].head, ["held_", "seconds"]);
        assert_eq!(widths(&places), [20, 12, 7]);
        fit(&mut places, 33, false);
        assert_eq!(widths(&places), [11, 11, 7], "the widest text first");
        fit(&mut places, 5, false);
        assert_eq!(widths(&places), [6, 6, 5], "no further");
        assert_eq!(places[2].head, ["held_", "seco", "nds"]);
    }

    #[test]
    fn what_tells_rows_apart_is_never_shortened() {
        let mut places =
            [place("month", false, 7), place("expires_on", false, 10), place("feature", false, 30)];
        fit(&mut places, 30, false);
        assert_eq!(widths(&places), [7, 10, 9]);
        fit(&mut places, 5, false);
        assert_eq!(widths(&places), [7, 10, 7], "rather is the line too long");
    }

    #[test]
    fn names_break_at_their_underscores() {
        let whole = usize::MAX;
        assert_eq!(broken("percent_at_least", 6, whole), ["percent_", "at_least"]);
        assert_eq!(broken("percent_at_least", 11, whole), ["percent_at_", "least"]);
        assert_eq!(broken("feature", 2, whole), ["feature"]);
        assert_eq!(broken("utilization_percent", 5, 8), ["utiliz", "ation_", "percent"]);
        assert_eq!(broken("utilization_percent", 5, 5), ["util", "izat", "ion_", "perc", "ent"]);
    }
}
