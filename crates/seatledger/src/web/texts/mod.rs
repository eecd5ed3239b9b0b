//! What pages say, one table of texts a language.

mod english;
mod german;

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
    pub(super) entries: [&'static str; 1],
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

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn the_first_language_that_there_is_counts() {
        let of = |preferred| Texts::for_languages(preferred).language;
        assert_eq!(
            ["de-CH,de;q=0.9,en;q=0.5", "en-GB,de", "fr,it", "fr-CH, de;q=0.8", ""].map(of),
            ["de", "en", "en", "de", "en"]
        );
    }
}
