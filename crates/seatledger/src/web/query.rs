//! What a page is asked, as its address says it: the same parameters as the API's, and some of the page's own.

use super::Web;
use super::asker::{Asker, Refusal};
use crate::answers;
use crate::gate::Failure;
use crate::gate::asked::Asked;
use accounting::day::Day;
use axum::extract::Request;
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be written as `%XX` in a parameter.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The parameter that says behind what the rows of a page are.
pub(super) const BEHIND: &str = "behind";
/// The days of a period that nobody chose.
const USUAL: i32 = 30;

/// The parameters of an address, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The parameters of a request; empty ones, as forms send them, are as if they were not there.
    pub(super) fn of(request: &Request) -> Self {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(request.uri());
        let mut pairs = pairs.map(|pairs| pairs.0).unwrap_or_default();
        pairs.retain(|(_, value)| !value.trim().is_empty());
        Self(pairs)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// With another value, or without the parameter.
    pub(super) fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut pairs = self.0.clone();
        pairs.retain(|(known, _)| known != name);
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        Self(pairs)
    }

    /// Without these parameters.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The parameters as an address has them, behind a path.
    pub(super) fn behind(&self, path: &str) -> String {
        let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
        match self.0.iter().map(pair).collect::<Vec<_>>().join("&") {
            pairs if pairs.is_empty() => path.to_owned(),
            pairs => format!("{path}?{pairs}"),
        }
    }

    /// The options that they are, with the checks of the command line.
    pub(super) fn options<T: Args>(&self) -> Result<T, Failure> {
        let uri =
            self.behind("/").parse().map_err(|_| Failure::Wrong("the address cannot be read".to_owned()))?;
        Ok(Asked::<T>::of(&uri)?.options)
    }
}

/// A text as a part of an address.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The days that a page is about, `[from, until)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) from: Day,
    pub(super) until: Day,
    /// The first and the last day of which anything is known.
    pub(super) known: (Day, Day),
}

impl Period {
    /// The days that were chosen, or else the last ones of which anything is known.
    fn of(query: &Query, known: (Day, Day)) -> Result<Self, Failure> {
        let day = |name: &str| {
            let wrong = |error: accounting::day::NotADay| Failure::Wrong(format!("{name}: {error}"));
            query.get(name).map(|text| text.trim().parse::<Day>().map_err(wrong)).transpose()
        };
        let until = day("until")?.unwrap_or_else(|| known.1.next());
        let usual = Day(until.0 - USUAL).max(known.0).min(until.previous());
        let from = day("from")?.unwrap_or(usual);
        if from >= until {
            return Err(Failure::Wrong(format!(
                "from {from} is not before until {until}: the last day is the one before until"
            )));
        }
        Ok(Self { from, until, known })
    }

    pub(super) fn days(&self) -> i32 {
        self.until.0 - self.from.0
    }

    /// The parameters with this period written out.
    pub(super) fn set(&self, query: &Query) -> Query {
        query.with("from", Some(&self.from.to_string())).with("until", Some(&self.until.to_string()))
    }

    /// The last so many days, or all.
    pub(super) fn last(&self, days: Option<i32>) -> Self {
        let until = self.known.1.next();
        let from = days.map_or(self.known.0, |days| Day(until.0 - days));
        Self { from, until, ..*self }
    }
}

impl Web {
    /// The period of a page; `None` where nothing is known yet.
    pub(super) async fn period(&self, asker: &Asker, query: &Query) -> Result<Option<Period>, Refusal> {
        let known = *self.kept(asker, "known days".to_owned(), answers::known_days).await?;
        let period = known.map(|known| Period::of(query, known)).transpose();
        period.map_err(|failure| asker.refuse(failure))
    }
}

#[cfg(test)]
mod tests {
    use super::{Period, Query};
    use accounting::day::Day;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_last_thirty_days_are_shown_unless_others_are_chosen() {
        let known = (Day(100), Day(199));
        let of = |pairs| Period::of(&query(pairs), known).map(|period| (period.from, period.until));
        assert_eq!(of(&[]), Ok((Day(170), Day(200))));
        assert_eq!(of(&[("from", "1970-01-11")]), Ok((Day(10), Day(200))));
        assert_eq!(of(&[("until", "1970-04-21")]), Ok((Day(100), Day(110))));
        assert!(of(&[("from", "1999-01-01")]).is_err());
        assert!(of(&[("from", "yesterday")]).is_err());
    }

    #[test]
    fn addresses_keep_what_they_say() {
        let asked = query(&[("feature", "a&b=c ä"), ("from", "2025-01-01")]);
        assert_eq!(asked.behind("/x"), "/x?feature=a%26b%3Dc%20%C3%A4&from=2025-01-01");
        assert_eq!(asked.without(&["feature", "from"]).behind("/x"), "/x");
        assert_eq!(asked.with("from", None).with("q", Some("1")).get("q"), Some("1"));
    }
}
