//! What pages say, one table of texts a language.

mod english;
mod english_words;
mod german;
mod german_alerts;
mod german_notes;
mod german_words;
#[cfg(test)]
mod note_tests;
#[cfg(test)]
mod value_tests;

use crate::alerts::Words as AlertWords;
use crate::render::{About, Values, Wording, Words, in_words};
use accounting::UnixMs;
use accounting::alert::{Figures, Subject};
use accounting::report::Column;
use accounting::report::note::Note;
use jiff::tz::TimeZone;
use std::borrow::Cow;

/// The languages that there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// English
    #[default]
    En,
    /// German
    De,
}

/// The texts of a language.
#[derive(Debug)]
pub(crate) struct Texts {
    /// As HTML calls it.
    pub(crate) language: &'static str,
    pub(crate) weekdays: [&'static str; 7],
    pub(crate) months: [&'static str; 12],
    /// What stands behind the day of a month.
    pub(crate) after_day: &'static str,
    // The frame of all pages.
    pub(crate) skip: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) entries: [&'static str; 10],
    pub(crate) theme: &'static str,
    pub(crate) keys: &'static str,
    pub(crate) cannot: &'static str,
    pub(crate) back_to_now: &'static str,
    // Logging in and out.
    pub(crate) log_in: &'static str,
    pub(crate) log_out: &'static str,
    pub(crate) log_out_everywhere: &'static str,
    pub(crate) logged_in_by_header: &'static str,
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) wrong_login: &'static str,
    pub(crate) no_user_yet: &'static str,
    /// The first page.
    pub(crate) now: Now,
    /// All else, by its key.
    words: &'static [(&'static str, &'static str)],
    /// What each report counts.
    definitions: &'static [(&'static str, &'static str)],
    /// Columns of reports: name, heading, meaning.
    columns: &'static [(&'static str, &'static str, &'static str)],
    /// Values of columns that hold one of a few words.
    values: Values,
    /// What notes on reports say.
    note: Wording,
    /// What alerts have seen.
    alert: fn(&AlertWords, &Subject, &Figures, UnixMs) -> String,
}

/// The texts of the first page.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) title: &'static str,
    pub(crate) as_of: &'static str,
    pub(crate) as_of_means: &'static str,
    pub(crate) seats_in_use: &'static str,
    pub(crate) seats_in_use_means: &'static str,
    pub(crate) open_sessions: &'static str,
    pub(crate) open_sessions_means: &'static str,
    pub(crate) features_full: &'static str,
    pub(crate) features_full_means: &'static str,
    pub(crate) denied: &'static str,
    pub(crate) denied_means: &'static str,
    pub(crate) overnight: &'static str,
    pub(crate) overnight_means: &'static str,
    pub(crate) servers: &'static str,
    pub(crate) heard: &'static str,
    pub(crate) never_heard: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) filter_hint: &'static str,
    pub(crate) caption: &'static str,
    pub(crate) feature: &'static str,
    pub(crate) in_use: &'static str,
    pub(crate) last_day: &'static str,
    pub(crate) reserved: &'static str,
    pub(crate) queued: &'static str,
    pub(crate) denied_column: &'static str,
    pub(crate) state: &'static str,
    pub(crate) full: &'static str,
    pub(crate) full_since: &'static str,
    pub(crate) free: &'static str,
    pub(crate) nearly: &'static str,
    pub(crate) uncounted: &'static str,
    pub(crate) held_by: &'static str,
    pub(crate) person: &'static str,
    pub(crate) host: &'static str,
    pub(crate) seats: &'static str,
    pub(crate) since: &'static str,
    pub(crate) held: &'static str,
    pub(crate) version: &'static str,
    pub(crate) project: &'static str,
    pub(crate) all_night: &'static str,
    pub(crate) nothing_matches: &'static str,
    pub(crate) empty_title: &'static str,
    pub(crate) empty_text: &'static str,
    pub(crate) spark: &'static str,
}

impl Texts {
    /// What is said by this key.
    pub(crate) fn say(&self, key: &'static str) -> &'static str {
        self.words.iter().find(|(known, _)| *known == key).map_or(key, |(_, text)| text)
    }

    /// The heading of a column: `seats_peak` is _Peak_; what has none is called by its name.
    pub(crate) fn column(&self, name: &str) -> String {
        let known = self.columns.iter().find(|(known, ..)| *known == name);
        known.map_or_else(|| spelled(name), |(_, heading, _)| (*heading).to_owned())
    }

    /// What a column means, where that is not plain.
    pub(crate) fn column_means(&self, name: &str) -> Option<&'static str> {
        let known = self.columns.iter().find(|(known, ..)| *known == name);
        known.map(|(_, _, means)| *means).filter(|means| !means.is_empty())
    }

    /// What stands in a column of texts, where it is one of the words that it may hold.
    pub(crate) fn value<'t>(&self, column: &str, text: &'t str) -> Cow<'t, str> {
        in_words(self.values, column, text)
    }

    /// What a report counts, in words.
    pub(crate) fn definition(&self, report: &str) -> &'static str {
        self.definitions.iter().find(|(known, _)| *known == report).map_or("", |(_, text)| text)
    }

    /// What an alert has seen, as a sentence without its end.
    pub(crate) fn alert(
        &self,
        words: &AlertWords,
        subject: &Subject,
        figures: &Figures,
        since: UnixMs,
    ) -> String {
        (self.alert)(words, subject, figures, since)
    }

    /// What is noted on a report; instants in a zone.
    pub(crate) fn notes(&self, notes: &[Note], zone: &TimeZone) -> Vec<String> {
        notes.iter().map(|note| (self.note)(note, zone)).collect()
    }

    /// A word of a chart: a column's heading, or what is said by the key `chart.…`.
    pub(crate) fn word(&self, name: &str) -> String {
        let of_charts = self.words.iter().find(|(key, _)| key.strip_prefix("chart.") == Some(name));
        of_charts.map_or_else(|| self.column(name), |(_, text)| (*text).to_owned())
    }

    /// The texts of a language.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &english::TEXTS,
            Language::De => &german::TEXTS,
        }
    }

    /// What a file for people says about the rows of a report or listing, and the options with which it was asked.
    pub(crate) fn about(&self, name: &str, columns: &[Column], options: Vec<(String, String)>) -> About {
        let column = |column: &Column| {
            (self.column(column.name), self.column_means(column.name).unwrap_or_default().to_owned())
        };
        About {
            language: self.language,
            title: self.column(&name.replace('-', "_")),
            definition: self.definition(name).to_owned(),
            options,
            columns: columns.iter().map(column).collect(),
            note: self.note,
            values: self.values,
            words: Words {
                about: self.say("file.about"),
                options: self.say("file.options"),
                no_options: self.say("file.no_options"),
                notes: self.say("notes"),
                columns: self.say("file.columns"),
                zone: self.say("file.zone"),
                rows: self.say("file.rows"),
                charts: self.say("file.charts"),
                chart_table: self.say("chart.table"),
                not_drawn: self.say("file.not_drawn"),
                nothing: self.say("table.empty"),
            },
        }
    }

    /// The texts for the languages that a browser prefers, as it names them.
    pub(crate) fn for_languages(preferred: &str) -> &'static Self {
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
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = Vec::new();
        let mut folders = ["src/web", "src/texts"].map(|folder| home.join(folder)).to_vec();
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => folders.push(path),
                    false => texts.push(std::fs::read_to_string(path).unwrap()),
                }
            }
        }
        let said = texts.iter().flat_map(|text| text.split(".say(").skip(1));
        let quoted = said.filter_map(|rest| rest.strip_prefix('"')?.split('"').next());
        let quoted = quoted.filter(|key| !key.contains(char::is_whitespace));
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
