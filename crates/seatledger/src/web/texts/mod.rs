//! What pages say, one table of texts a language.

mod english;
mod english_words;
mod german;
mod german_words;

/// The texts of a language.
#[derive(Debug)]
pub(super) struct Texts {
    /// As HTML calls it.
    pub(super) language: &'static str,
    pub(super) weekdays: [&'static str; 7],
    pub(super) months: [&'static str; 12],
    /// What stands behind the day of a month.
    pub(super) after_day: &'static str,
    // The frame of all pages.
    pub(super) skip: &'static str,
    pub(super) pages: &'static str,
    pub(super) entries: [&'static str; 9],
    pub(super) theme: &'static str,
    pub(super) keys: &'static str,
    pub(super) cannot: &'static str,
    pub(super) back_to_now: &'static str,
    // Logging in and out.
    pub(super) log_in: &'static str,
    pub(super) log_out: &'static str,
    pub(super) log_out_everywhere: &'static str,
    pub(super) logged_in_by_header: &'static str,
    pub(super) name: &'static str,
    pub(super) password: &'static str,
    pub(super) wrong_login: &'static str,
    pub(super) no_user_yet: &'static str,
    /// The first page.
    pub(super) now: Now,
    /// All else, by its key.
    words: &'static [(&'static str, &'static str)],
    /// What each report counts.
    definitions: &'static [(&'static str, &'static str)],
    /// Columns of reports: name, heading, meaning.
    columns: &'static [(&'static str, &'static str, &'static str)],
}

/// The texts of the first page.
#[derive(Debug)]
pub(super) struct Now {
    pub(super) title: &'static str,
    pub(super) as_of: &'static str,
    pub(super) as_of_means: &'static str,
    pub(super) seats_in_use: &'static str,
    pub(super) seats_in_use_means: &'static str,
    pub(super) open_sessions: &'static str,
    pub(super) open_sessions_means: &'static str,
    pub(super) features_full: &'static str,
    pub(super) features_full_means: &'static str,
    pub(super) denied: &'static str,
    pub(super) denied_means: &'static str,
    pub(super) overnight: &'static str,
    pub(super) overnight_means: &'static str,
    pub(super) servers: &'static str,
    pub(super) heard: &'static str,
    pub(super) never_heard: &'static str,
    pub(super) filter: &'static str,
    pub(super) filter_hint: &'static str,
    pub(super) caption: &'static str,
    pub(super) feature: &'static str,
    pub(super) in_use: &'static str,
    pub(super) last_day: &'static str,
    pub(super) reserved: &'static str,
    pub(super) queued: &'static str,
    pub(super) denied_column: &'static str,
    pub(super) state: &'static str,
    pub(super) full: &'static str,
    pub(super) full_since: &'static str,
    pub(super) free: &'static str,
    pub(super) nearly: &'static str,
    pub(super) uncounted: &'static str,
    pub(super) held_by: &'static str,
    pub(super) person: &'static str,
    pub(super) host: &'static str,
    pub(super) seats: &'static str,
    pub(super) since: &'static str,
    pub(super) held: &'static str,
    pub(super) version: &'static str,
    pub(super) project: &'static str,
    pub(super) all_night: &'static str,
    pub(super) nothing_matches: &'static str,
    pub(super) empty_title: &'static str,
    pub(super) empty_text: &'static str,
    pub(super) spark: &'static str,
}

impl Texts {
    /// What is said by this key.
    pub(super) fn say(&self, key: &'static str) -> &'static str {
        self.words.iter().find(|(known, _)| *known == key).map_or(key, |(_, text)| text)
    }

    /// The heading of a column: `seats_peak` is _Peak_; what has none is called by its name.
    pub(super) fn column(&self, name: &str) -> String {
        let known = self.columns.iter().find(|(known, ..)| *known == name);
        known.map_or_else(|| spelled(name), |(_, heading, _)| (*heading).to_owned())
    }

    /// What a column means, where that is not plain.
    pub(super) fn column_means(&self, name: &str) -> Option<&'static str> {
        let known = self.columns.iter().find(|(known, ..)| *known == name);
        known.map(|(_, _, means)| *means).filter(|means| !means.is_empty())
    }

    /// What a report counts, in words.
    pub(super) fn definition(&self, report: &str) -> &'static str {
        self.definitions.iter().find(|(known, _)| *known == report).map_or("", |(_, text)| text)
    }

    /// A word of a chart: a column's heading, or what is said by the key `chart.…`.
    pub(super) fn word(&self, name: &str) -> String {
        let of_charts = self.words.iter().find(|(key, _)| key.strip_prefix("chart.") == Some(name));
        of_charts.map_or_else(|| self.column(name), |(_, text)| (*text).to_owned())
    }

    /// The texts for the languages that a browser prefers, as it names them.
    pub(super) fn for_languages(preferred: &str) -> &'static Self {
        let languages =
            preferred.split(',').map(|one| one.split([';', '-']).next().unwrap_or_default().trim());
        for language in languages {
            if language.eq_ignore_ascii_case("de") {
                return &german::TEXTS;
            }
            if language.eq_ignore_ascii_case("en") {
                break;
            }
        }
        &english::TEXTS
    }
}

/// A name as a heading: `usage_minutes` is _Usage minutes_.
fn spelled(name: &str) -> String {
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::{Texts, english, german};
    use std::path::Path;

    /// The keys that pages say.
    fn keys() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file());
        let texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        let said = texts.iter().flat_map(|text| text.split(".say(").skip(1));
        let quoted = said.filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
        quoted.map(str::to_owned).collect()
    }

    #[test]
    fn whatever_is_said_is_said_in_both_languages() {
        let keys = keys();
        assert!(keys.len() > 10, "{keys:?}");
        for texts in [&english::TEXTS, &german::TEXTS] {
            assert!(
                texts.words.is_sorted_by_key(|(key, _)| *key),
                "{}: in order, so that people find them",
                texts.language
            );
            for key in &keys {
                assert!(texts.words.iter().any(|(known, _)| known == key), "{}: {key}", texts.language);
            }
        }
        let of = |texts: &'static Texts| texts.words.iter().map(|(key, _)| *key).collect::<Vec<_>>();
        assert_eq!(of(&english::TEXTS), of(&german::TEXTS));
    }

    #[test]
    fn the_first_language_that_there_is_counts() {
        let of = |preferred| Texts::for_languages(preferred).language;
        assert_eq!(
            ["de-CH,de;q=0.9,en;q=0.5", "en-GB,de", "fr,it", "fr-CH, de;q=0.8", ""].map(of),
            ["de", "en", "en", "de", "en"]
        );
    }
}
